"""The review index: its speed beside the bare encoder's, a query's milliseconds, and what its search finds.

It needs the demo shop, fitted: its reviews, their vectors, and the questions that were labelled over them.

- Encoding: an index of some of the reviews, built from nothing to the end, beside `SentenceTransformer.encode`
  of the same sentences in the order of their length, at the best of a few batch sizes and numbers of threads,
  as it comes (float32) and under bfloat16. The two take turns.
- Unchanged: all of the reviews again in a new generation, and with one in a hundred changed.
- Query: from the words to the hits, embedding and filters included, at the shop's own size and at 100,000
  reviews, which are put together from sentences of the real ones, so that nothing need be embedded.
- Retrieval: nDCG@10 and recall@10 on the questions of benchmarks/labels/retrieval.jsonl. The way to rank was
  chosen on the first half; the second is what is reported.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any, cast

import numpy as np
import pandas as pd

from storewise.benchmarks import retrieval
from storewise.benchmarks.bootstrap import mean_difference
from storewise.benchmarks.report import Clock, Report, Task
from storewise.benchmarks.retrieval import DEPTH
from storewise.tools.reviews import build, duplicates, embedding, index, search, store, words
from storewise.tools.reviews.embedding import Vectors
from storewise.tools.reviews.ragged import Terms
from storewise.tools.reviews.texts import Texts, means
from storewise.tools.shop.generation import Shop, ShopError, building, open_shop

FRESH = 300  # reviews indexed from nothing
ROUNDS = 3
BATCHES = (32, 128)
TRIED = 256  # sentences on which batch size and threads are chosen
LARGE = 100_000
SENTENCES = 5  # of a review that is put together
SEED = 11


def run(folder: Path | None, tell: Callable[[str], None]) -> Report:
    """Measure on the fitted demo shop in the home `folder`, by default the current one.

    Raises:
        ShopError: it is not there, or its reviews are not indexed.
    """
    clock = Clock(tell)
    shop = open_shop(folder)
    try:
        opened = index.open_index(shop.folder("reviews"))
        questions = retrieval.questions(opened)
        rows = build.read_reviews(shop)
        asked = [str(question["question"]) for question in questions if question["part"] == "development"]
        with tempfile.TemporaryDirectory(prefix="storewise-benchmark-") as place, _setting(""):
            tasks = {"encoding": _encoding(rows, Path(place), clock)}
            fresh = tasks["encoding"].more["reviews_a_second"]
            home, indexed = _unchanged(shop, rows, Path(place), fresh, clock)
            tasks["unchanged"] = indexed
            tasks["query at 100,000"] = _large(opened, rows, asked, Path(place), clock)
            tasks[f"query at {opened.size:,}"] = _small(home, asked, Path(place), clock)
    finally:
        shop.close()
    with clock.step("retrieval"):
        for part in ("held out", "development"):
            chosen = [question for question in questions if question["part"] == part]
            tasks[f"retrieval, {part}"] = retrieval.task(opened, chosen)
    return Report("index", tasks, clock.seconds)


@contextlib.contextmanager
def _setting(url: str) -> Iterator[None]:
    """Keep the index in a folder, or on the server at `url`, whatever the environment says."""
    before = os.environ.get(store.VARIABLE)
    os.environ[store.VARIABLE] = url
    try:
        yield
    finally:
        os.environ.pop(store.VARIABLE)
        if before is not None:
            os.environ[store.VARIABLE] = before


def _generation(home: Path, rows: pd.DataFrame) -> Shop:
    """Put a new generation with these reviews in place."""
    with building(home) as builder:
        given = rows[["review_id", "text", "product_id", "category", "rating"]].astype(
            {"product_id": "string", "category": "string"}
        )
        builder.connection.register("given", given.assign(reviewed_at=pd.to_datetime(rows["date"])))
        builder.connection.execute("CREATE TABLE reviews AS SELECT * FROM given")
        builder.connection.unregister("given")
        return builder.seal(
            name="Benchmark", as_of=dt.date(2017, 12, 31), source="the demo shop", provenance={}, notes={}
        )


def _encoding(rows: pd.DataFrame, place: Path, clock: Clock) -> Task:
    some = rows.sample(FRESH, random_state=SEED).sort_values("review_id")
    shop = _generation(place / "fresh", some)
    said: list[str] = []
    with clock.step("loading the encoder"):
        embedding.encode(["warm"] * embedding.BULK)
    build.build(shop, place / "first")  # what is loaded and compiled once is not timed
    note = index.written(place / "first")
    if note is None:
        raise ShopError("The index was not written.")
    lines = pd.read_parquet(note.folder / "sentences.parquet")
    texts = some["text"].tolist()
    for review, start, stop in lines[["review", "start", "stop"]].itertuples(index=False):
        said.append(texts[review][start:stop])
    said.sort(key=len, reverse=True)
    with clock.step("the bare encoder's best batch size and threads"):
        sample = said[:: max(1, len(said) // TRIED)]
        tried = [(batch, threads) for batch in BATCHES for threads in sorted({1, os.cpu_count() or 1})]
        speed = {(way, half): _bare(sample, *way, half) for way in tried for half in (False, True)}
        plainly, halving = (max(tried, key=lambda way: speed[way, half]) for half in (False, True))
    rates: dict[str, list[float]] = {"ours": [], "float32": [], "bfloat16": []}
    for number in range(ROUNDS):
        with clock.step("an index from nothing"):
            _threads(1)
            began = perf_counter()
            built = build.build(shop, place / f"fresh-{number}")
            rates["ours"].append(built.embedded / (perf_counter() - began))
        with clock.step("the bare encoder"):
            rates["float32"].append(_bare(said, *plainly, False))
            rates["bfloat16"].append(_bare(said, *halving, True))
    _threads(1)
    ours, plain, halved = (float(np.median(rates[name])) for name in rates)
    best = "float32" if plain >= halved else "bfloat16"
    return Task(
        n=len(said),
        metric="sentences a second",
        ours=ours,
        peers={"encode, float32": plain, "encode under bfloat16": halved},
        interval=mean_difference(np.array(rates["ours"]), np.array(rates[best])),
        more={
            "ratio": ours / plain,
            "ratio_to_bfloat16": ours / halved,
            "ours_in_bfloat16": embedding.fast_bfloat16(),
            "bare_batch_and_threads": {"float32": plainly, "bfloat16": halving},
            "reviews": len(some),
            "reviews_a_second": ours * len(some) / len(said),
            "rounds": rates,
        },
    )


def _threads(number: int) -> None:
    import torch

    torch.set_num_threads(number)


def _bare(said: Sequence[str], batch: int, threads: int, half: bool) -> float:
    """Return the sentences a second of `SentenceTransformer.encode`; `said` is sorted by length."""
    import torch

    _threads(threads)
    precision = torch.autocast("cpu", dtype=torch.bfloat16) if half else contextlib.nullcontext()
    began = perf_counter()
    with precision:
        embedding.encoder().encode(list(said), batch_size=batch, show_progress_bar=False)
    return len(said) / (perf_counter() - began)


def _unchanged(shop: Shop, rows: pd.DataFrame, place: Path, fresh: float, clock: Clock) -> tuple[Path, Task]:
    """Index the shop's own reviews again, then with one in a hundred changed."""
    home = place / "home"
    first = _generation(home, rows)
    shutil.copytree(shop.folder("reviews"), first.folder("reviews"))
    build.build(first, first.folder("reviews"))
    seconds: dict[str, list[float]] = {"unchanged": [], "one in a hundred": []}
    embedded = 0
    for number in range(ROUNDS):
        for name in seconds:
            with clock.step(f"a generation, {name}"):
                changed = rows.copy()
                if name == "unchanged":
                    # The generation before has the changes of the last round.
                    before = _generation(home, rows)
                    build.build(before, before.folder("reviews"))
                    before.close()
                else:
                    where = np.arange(number, len(rows), 100)
                    changed.loc[where, "text"] += f" This is change {number}."
                shop = _generation(home, changed)
                began = perf_counter()
                built = build.build(shop, shop.folder("reviews"))
                seconds[name].append(perf_counter() - began)
                embedded = max(embedded, built.embedded)
                shop.close()
    took = {name: float(np.median(each)) for name, each in seconds.items()}
    rates = np.array([len(rows) / each for each in seconds["unchanged"]])
    task = Task(
        n=len(rows),
        metric="reviews a second",
        ours=len(rows) / took["unchanged"],
        peers={"all of them new": fresh},
        interval=mean_difference(rates, np.full(ROUNDS, fresh)),
        more={
            "times_as_fast": len(rows) / took["unchanged"] / fresh,
            "seconds": took,
            "one_in_a_hundred": {
                "sentences_embedded": embedded,
                "reviews_a_second": len(rows) / took["one in a hundred"],
            },
        },
    )
    return home, task


def put_together(opened: index.Index, rows: pd.DataFrame, number: int) -> tuple[pd.DataFrame, Texts]:
    """Return `number` reviews of five sentences each, drawn from all of the index's, and what is known of them.

    Ratings, dates and products are drawn by chance; sentences keep their vectors, polarity and terms.
    """
    chance = np.random.default_rng(SEED)
    real = Texts.load(opened.folder, opened.size)
    own = dict(zip(rows["review_id"], rows["text"], strict=True))
    texts = [own[key] for key in opened.reviews["review_id"]]
    spans = opened.lines[["review", "start", "stop"]].itertuples(index=False)
    said = np.array([texts[review][start:stop] for review, start, stop in spans], dtype=object)
    drawn = chance.integers(0, len(said), number * SENTENCES)
    length = np.array([len(sentence) for sentence in said], dtype=np.int64)[drawn].reshape(number, SENTENCES)
    stop = np.cumsum(length + 1, axis=1) - 1
    together = ["\n".join(said[part]) for part in drawn.reshape(number, SENTENCES)]
    stems = Terms.of(words.stems(sentence) for sentence in said).take(drawn)
    lengths = np.full(number, SENTENCES, dtype=np.int64)
    vectors = np.asarray(real.vectors)[drawn]
    known = real.lines.iloc[drawn].reset_index(drop=True)
    made = Texts(
        lengths=lengths,
        lines=known.assign(start=(stop - length).ravel(), stop=stop.ravel()),
        vectors=vectors,
        means=means(vectors.astype(np.float32), length.ravel(), lengths),
        signatures=duplicates.signatures(together),
        words=Terms(stems.names, stems.indices, stems.starts[::SENTENCES]),
        said=real.said.take(drawn),
    )
    keys = [f"M{row:06}" for row in range(number)]
    days = np.datetime64("2014-01-01") + chance.integers(0, 1400, number)
    frame = pd.DataFrame(
        {
            "review_id": keys,
            "text": together,
            "product_id": [f"P{product}" for product in chance.integers(0, 2000, number)],
            "category": opened.reviews["category"].to_numpy()[chance.integers(0, opened.size, number)],
            "rating": chance.integers(1, 6, number).astype(np.float64),
            "date": days.astype(str),
            "text_hash": keys,
            "hash": keys,
        }
    )
    return frame, made


def _filters(opened: index.Index) -> dict[str, Callable[[], search.Scope]]:
    """Return ways to narrow a search, each made anew when it is asked for, as a request does."""
    category = str(opened.reviews["category"].value_counts().index[0])
    year = {"since": dt.date(2016, 1, 1), "until": dt.date(2016, 12, 31)}

    def within() -> search.Scope:
        return search.Scope(search.holding(opened, "category", [category]), category)

    def everything() -> search.Scope:
        return search.everything(opened)

    return {
        "no filter": everything,
        "a category": within,
        "a sentiment": lambda: search.narrowed(opened, everything(), sentiment="negative"),
        "stars": lambda: search.narrowed(opened, everything(), rating_min=4),
        "a year": lambda: search.narrowed(opened, everything(), **year),  # type: ignore[arg-type]
        "a category, stars and a year": lambda: search.narrowed(
            opened,
            within(),
            rating_max=3,
            **year,  # type: ignore[arg-type]
        ),
    }


def _timed(opened: index.Index, asked: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return median and 95th percentile of the milliseconds of a search by filter, and of embedding alone."""
    for name in ("warm", "again"):
        search.search(opened, name, search.everything(opened), None, DEPTH)
    ways: dict[str, Callable[[str], Any]] = {"embedding alone": lambda words: embedding.encode([words])}
    for name, scope in _filters(opened).items():
        ways[name] = lambda words, scope=scope: search.search(  # type: ignore[misc]
            opened, words, scope(), None, DEPTH
        )
    exact = _exact(opened)
    ways["no filter, every vector compared"] = lambda words: search.search(
        exact, words, search.everything(exact), None, DEPTH
    )
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for one in asked:
        for name, way in ways.items():
            began = perf_counter()
            way(one)
            taken[name].append(1000 * (perf_counter() - began))
    return {
        name: {"median": float(np.median(each)), "p95": float(np.percentile(each, 95))}
        for name, each in taken.items()
    }


class _NoRecords:
    """What answers nothing in the place of Chroma, so that every vector is compared."""

    def nearest(self, vector: Vectors, number: int) -> tuple[list[str], list[float]]:
        """Return no records."""
        return [], []


def _exact(opened: index.Index) -> index.Index:
    """Return an index whose search compares every vector."""
    exact = replace(opened, store=cast(store.Store, _NoRecords()))
    search.search(exact, "warm", search.everything(exact), None, DEPTH)
    return exact


def _rows(opened: index.Index, asked: str) -> list[int]:
    return [hit.row for hit in search.search(opened, asked, search.everything(opened), None, DEPTH)]


def _query_task(opened: index.Index, asked: Sequence[str], more: dict[str, Any]) -> Task:
    taken = _timed(opened, asked)
    exact = _exact(opened)
    same = [len({*_rows(opened, one)} & {*_rows(exact, one)}) / DEPTH for one in asked]
    return Task(
        n=opened.size,
        metric="milliseconds, median",
        ours=taken["no filter"]["median"],
        peers={"every vector compared": taken["no filter, every vector compared"]["median"]},
        interval=(0.0, 0.0),
        lower_is_better=True,
        more={"milliseconds": taken, "same_first_ten": float(np.mean(same)), **more},
    )


def _large(opened: index.Index, rows: pd.DataFrame, asked: Sequence[str], place: Path, clock: Clock) -> Task:
    with clock.step(f"putting {LARGE:,} reviews together"):
        frame, texts = put_together(opened, rows, LARGE)
        shop = _generation(place / "large", frame.head(1))
    with clock.step(f"writing {LARGE:,} reviews into the index"):
        began = perf_counter()
        copies = build.put(shop, shop.folder("reviews"), frame, texts, clock.tell)
        wrote = perf_counter() - began
        large = index.open_index(shop.folder("reviews"))
    with clock.step(f"queries at {LARGE:,} reviews"):
        return _query_task(large, asked, {"near_duplicates": copies, "seconds_to_write": wrote})


def _small(home: Path, asked: Sequence[str], place: Path, clock: Clock) -> Task:
    """Time queries at the shop's own size in a folder and on a server, and compare what both find."""
    shop = open_shop(home)
    in_folder = index.open_index(shop.folder("reviews"))
    with clock.step("queries at the shop's own size"):
        task = _query_task(in_folder, asked, {})
    with clock.step("a Chroma server"), _serving(place / "server") as url, _setting(url):
        began = perf_counter()
        build.build(shop, shop.folder("reviews"))
        moved = perf_counter() - began
        on_server = index.open_index(shop.folder("reviews"))
        taken = _timed(on_server, asked)
        same = float(np.mean([_rows(in_folder, one) == _rows(on_server, one) for one in asked]))
    task.more["server"] = {"milliseconds": taken, "same_lists": same, "seconds_to_move": moved}
    return task


@contextlib.contextmanager
def _serving(folder: Path) -> Iterator[str]:
    """Run a Chroma server."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("chroma")), "run", "--host", "127.0.0.1"]
    process = subprocess.Popen(
        [*command, "--path", str(folder), "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()
