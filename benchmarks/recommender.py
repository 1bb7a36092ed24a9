"""`storewise benchmark recommender`: what is bought next, by our two stages and by the peers, in one run.

Tasks and splits
    all: a shop's products in the four weeks after a cut-off, known up to the cut-off. The cut-off lies four
        weeks before the last complete day of the data, one and the same for everybody, as it must be
        where a model is to be judged as it would have been used (Ji, Sun, Zhang and Li, "A Critical Study
        on Data Leakage in Recommender System Offline Evaluation", ACM TOIS 41, 2023).
    new: the same weeks, but only the products that the customer had never bought; nothing else is offered.
    movielens: the later fifth of each user's ratings by time, known are the earlier four fifths of
        everybody's ("temporal user split": Meng, McCreadie, Macdonald and Ounis, "Exploring Data Splitting
        Strategies for the Evaluation of Recommendation Models", RecSys 2020). A cut-off for all would leave
        a few dozen users, since most rated on one day only. A rating of any height counts as watched.

Everybody learns from what is known alone and is scored on the same customers: those known who bought at least
one product that counts. A customer's later products that nobody had bought before count as missed.

Peers: popularity; the customer's own frequency; ALS, BPR and item-kNN of `implicit`; TIFU-kNN; SASRec. Each is
tuned on an inner split of the same kind, four weeks (or a fifth) earlier, by nDCG@10 on up to INNER
customers, and fitted again on all that is known. Ours learns its ranking from the inner windows in the
same way, with the settings that the product ships.

Figures: nDCG@10 (`ours`, `peers`, `interval`), recall@10 and coverage, the share of all products that stand
in somebody's list. Methods with chance in them run with three seeds; their figures are means, and the
interval is the paired bootstrap's over customers, each with the mean of the seeds.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from storewise.benchmarks import data
from storewise.benchmarks.bootstrap import mean_difference
from storewise.benchmarks.peers import factorization, habits, sequence, tifuknn
from storewise.benchmarks.peers.ranked import Scorer, scored
from storewise.benchmarks.report import Clock, Report, Task
from storewise.tools.models.content import Content
from storewise.tools.models.purchases import Ints, Lines
from storewise.tools.models.ranking import Describer, Ranker, bulk
from storewise.tools.models.recommender import LEARNED, learned
from storewise.tools.models.windows import CUT, DAYS, Scored, Window, score
from storewise.tools.shop.generation import Shop, ShopError

SEEDS = (7, 8, 9)
INNER = 1_000  # customers on whom the peers are tuned
FEWEST = 50  # customers who must have bought something afterwards
SINGLES = 100  # customers timed one at a time


@dataclass(frozen=True)
class Peer:
    """A method with the settings among which the inner split chooses; `random` if a seed matters."""

    name: str
    settings: tuple[Any, ...]
    fit: Callable[[Window, int, Any], Scorer]
    random: bool = False


PEERS = (
    Peer("popularity", (True, False), lambda window, seed, recent: habits.popularity(window, recent)),
    Peer(
        "own frequency",
        ("times", "times_91", "fresh_60", "fresh_180"),
        lambda window, seed, span: habits.own_frequency(window, span),
    ),
    Peer("ALS (implicit)", factorization.ALS_SETTINGS, factorization.als, random=True),
    Peer("BPR (implicit)", factorization.BPR_SETTINGS, factorization.bpr, random=True),
    Peer(
        "item-kNN (implicit)",
        factorization.KNN_SETTINGS,
        lambda window, seed, setting: factorization.item_knn(window, setting),
    ),
    Peer("TIFU-kNN", tifuknn.SETTINGS, lambda window, seed, setting: tifuknn.tifuknn(window, setting)),
    Peer("SASRec", sequence.SETTINGS, sequence.sasrec, random=True),
)


@dataclass(frozen=True)
class Split:
    """A data set in time: what is tested on, the windows before it (the latest first), and its products."""

    test: Window
    inner: tuple[Window, ...]
    content: Content
    tasks: dict[str, bool]  # name -> whether only what was never bought counts


def run(folder: Path | None, tell: Callable[[str], None]) -> Report:
    """Run the benchmark on the built-in data, or on a shop's tables in `folder` without MovieLens."""
    clock = Clock(tell)
    more: dict[str, Any] = {"settings": {}}
    with threadpool_limits(1), data.shop(folder, tell) as shop:
        with clock.step("Reading purchases"):
            split = _shop_split(shop)
        tasks = _compare(split, "shop", clock, more)
        if folder is None:
            with clock.step("Reading MovieLens"):
                films = _movielens(data.movielens())
            tasks |= _compare(films, "MovieLens", clock, more)
    return Report("recommender", tasks, clock.seconds, more)


def _shop_split(shop: Shop) -> Split:
    shop.require("orders", "order_id", "customer_id", "product_id", "ordered_at", "amount")
    shop.require("products", "product_id")
    cutoffs = [shop.as_of - dt.timedelta(days=DAYS * back) for back in range(1, LEARNED + 2)]
    test, *inner = (Window.at(shop, cutoff) for cutoff in cutoffs)
    if int((test.wanted_new > 0).sum()) < FEWEST or not all((window.wanted > 0).any() for window in inner):
        raise ShopError(
            f"The recommender is tested on {DAYS} days of purchases and learns from {LEARNED * DAYS} before them, "
            f"with at least {FEWEST} customers who buy something new; this shop has too few."
        )
    return Split(test, tuple(inner), Content.read(shop), {"all": False, "new": True})


def _movielens(ratings: pd.DataFrame) -> Split:
    test, *inner = later_fifths(ratings, LEARNED + 1)
    return Split(test, tuple(inner), movielens_content(ratings), {"movielens": True})


def movielens_content(ratings: pd.DataFrame) -> Content:
    """Return the films of `ratings`: movieId, title, genres; the genres together are a film's kind."""
    films = ratings.drop_duplicates("movieId")
    return Content.of(
        pd.DataFrame(
            {
                "product_id": films["movieId"].astype(str),
                "name": films["title"].astype(str),
                "category": films["genres"].astype(str),
            }
        )
    )


def later_fifths(ratings: pd.DataFrame, windows: int) -> list[Window]:
    """Return windows labelled by the later fifth of each user's ratings: userId, movieId, timestamp (seconds).

    The first knows four fifths of all ratings; each further one is cut from what the one before knows.
    """
    known = ratings.sort_values(["userId", "timestamp", "movieId"], kind="stable")
    found = []
    for _ in range(windows):
        users = known.groupby("userId")["userId"]
        earlier = users.cumcount() < np.ceil(0.8 * users.transform("size"))
        known, later = known[earlier], known[~earlier]
        seconds = known.groupby("userId")["timestamp"].transform("max") - known["timestamp"]
        user, film = known["userId"].astype(str), known["movieId"].astype(str)
        lines = pd.DataFrame(
            {
                "customer_id": user,
                "product_id": film,
                "order_id": user + " " + known["timestamp"].astype(str),
                "day": seconds // 86_400,
                "age": seconds / 86_400,
            }
        )
        bought = {"customer_id": later["userId"].astype(str), "product_id": later["movieId"].astype(str)}
        found.append(Window.of(Lines.of(lines), pd.DataFrame(bought)))
    return found


def _compare(split: Split, title: str, clock: Clock, more: dict[str, Any]) -> dict[str, Task]:
    """Return the tasks of a split, ours and all peers scored."""
    rows = np.arange(len(split.test.known.customers), dtype=np.int32)
    names = list(split.tasks)
    found: dict[str, list[list[Scored]]] = {}  # method -> seed -> task
    for peer in PEERS:
        with clock.step(f"{title}: {peer.name}"):
            chosen = _tuned(peer, split)
            more["settings"] |= {
                f"{peer.name}, {name}": str(setting) for name, setting in zip(names, chosen, strict=True)
            }
            found[peer.name] = [
                _with_settings(peer, split, chosen, rows, seed)
                for seed in (SEEDS if peer.random else SEEDS[:1])
            ]
    ours: list[list[Scored]] = []
    for seed in SEEDS:
        with clock.step(f"{title}: ours"):
            describer, ranker = _ours(split, seed)
            ours.append(
                [
                    score(split.test, rows, bulk(describer, ranker, rows, new), new)
                    for new in split.tasks.values()
                ]
            )
    if "speed" not in more:
        with clock.step("Timing ours"):
            more["speed"] = _speed(describer, ranker, rows)
    return {name: _task(place, ours, found) for place, name in enumerate(names)}


def _ours(split: Split, seed: int) -> tuple[Describer, Ranker]:
    ranker = learned(split.inner, split.content, seed)
    return Describer.fit(split.test, split.content, seed), ranker


def _tuned(peer: Peer, split: Split) -> list[Any]:
    """Return the setting of each task that does best on the inner split."""
    if len(peer.settings) == 1:
        return [peer.settings[0]] * len(split.tasks)
    window = split.inner[0]
    some = np.random.default_rng(SEEDS[0]).permutation(len(window.known.customers))[:INNER]
    rows = np.sort(some).astype(np.int32)
    tasks = list(split.tasks.values())
    figures = []
    for setting in peer.settings:
        done = scored(window, peer.fit(window, SEEDS[0], setting), rows, tasks)
        figures.append([float(one.ndcg.mean()) for one in done])
    return [peer.settings[int(place)] for place in np.argmax(np.array(figures), axis=0)]


def _with_settings(peer: Peer, split: Split, chosen: Sequence[Any], rows: Ints, seed: int) -> list[Scored]:
    """Return how the peer does on the test, each task with its chosen setting."""
    tasks = list(split.tasks.values())
    if all(setting == chosen[0] for setting in chosen):
        return scored(split.test, peer.fit(split.test, seed, chosen[0]), rows, tasks)
    return [
        scored(split.test, peer.fit(split.test, seed, setting), rows, [new])[0]
        for setting, new in zip(chosen, tasks, strict=True)
    ]


def _task(place: int, ours: list[list[Scored]], peers: dict[str, list[list[Scored]]]) -> Task:
    figures = {"ours": [seed[place] for seed in ours]} | {
        name: [seed[place] for seed in seeds] for name, seeds in peers.items()
    }
    ndcg = {name: np.mean([one.ndcg for one in seeds], axis=0) for name, seeds in figures.items()}
    means = {name: float(values.mean()) for name, values in ndcg.items()}
    ours_mean = means.pop("ours")
    best = max(means, key=lambda name: means[name])
    return Task(
        n=len(ndcg["ours"]),
        metric=f"nDCG@{CUT}",
        ours=ours_mean,
        peers=means,
        interval=mean_difference(ndcg["ours"], ndcg[best]),
        more={
            f"recall@{CUT}": {
                name: float(np.mean([one.recall.mean() for one in seeds])) for name, seeds in figures.items()
            },
            "coverage": {
                name: float(np.mean([one.coverage for one in seeds])) for name, seeds in figures.items()
            },
            "per_seed": {
                name: [float(one.ndcg.mean()) for one in seeds]
                for name, seeds in figures.items()
                if len(seeds) > 1
            },
        },
    )


def _speed(describer: Describer, ranker: Ranker, rows: Ints) -> dict[str, Any]:
    """Return seconds on one thread: in bulk for a quarter, half and all of the customers, and one by one."""
    bulk(describer, ranker, rows[:1])  # what is worked out once
    shuffled = np.random.default_rng(SEEDS[0]).permutation(rows)
    parts = {"quarter": len(rows) // 4, "half": len(rows) // 2, "all": len(rows)}
    seconds = {}
    for name, count in parts.items():
        began = perf_counter()
        bulk(describer, ranker, np.sort(shuffled[:count]))
        seconds[name] = perf_counter() - began
    single = []
    for row in shuffled[:SINGLES]:
        began = perf_counter()
        bulk(describer, ranker, np.array([row], dtype=np.int32))
        single.append(1000 * (perf_counter() - began))
    return {
        "customers_per_second": len(rows) / seconds["all"],
        "single_ms": {"median": median(single), "worst": max(single)},
        "seconds": seconds,
        "customers": parts,
    }
