"""Recommender: what a customer buys again, and what customers alike buy.

Two steps. Candidates are the customer's own products, those that the 100 customers of the most similar
taste (cosine of TF-IDF weights) bought lately, and the shop's most popular ones. Boosted trees
(LightGBM) then weigh how often, how lately and in which rhythm the customer bought a candidate against
how the neighbours and the shop buy it; they learn from what customers bought in four past weeks and are
tested on the four weeks after. In a shop too small for that a fixed rule weighs the two instead.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from storewise.tools.finding import percent
from storewise.tools.models import card as cards
from storewise.tools.models.card import Card, read_card
from storewise.tools.models.churn import count
from storewise.tools.models.memory import once_per_generation
from storewise.tools.models.purchases import Floats, Purchases, bought_later
from storewise.tools.shop.generation import Shop

NAME, VERSION = "recommender", "1"
TABLES = ("orders", "products")
DAYS = 28  # what is learned and tested: the purchases of the next four weeks
CUT = 10  # recall, nDCG and hit rate look at the first ten
NEIGHBOURS = 100
OWN, NEW = 300, 60  # candidates: own products, and others
ROUNDS = 80
FEWEST_CUSTOMERS, FEWEST_BOUGHT = 50, 500
MOST_LEARNED, MOST_TESTED = 2_000, 3_000  # customers, drawn at random where there are more

FEATURES = (
    "neighbours",
    "times",
    "age",
    "first_age",
    "fresh_20",
    "fresh_60",
    "fresh_180",
    "times_28",
    "times_91",
    "gap",
    "age_to_gap",
    "visits",
    "visits_91",
    "share_of_visits",
    "share_of_visits_91",
    "buyers",
    "popularity",
    "repeat_share",
)
_PER_PAIR = ("times", "age", "first_age", "fresh_20", "fresh_60", "fresh_180", "times_28", "times_91")

Matrix = npt.NDArray[np.float32]
Items = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Suggestion:
    """A product to offer, with the reason in words.

    `chance` is that of a purchase within the next four weeks, None where the fixed rule ranks; `times` is
    the number of days on which the customer bought it before.
    """

    product_id: str
    chance: float | None
    times: int
    reason: str


@dataclass(frozen=True)
class Recommender:
    """The purchases up to a day with what ranks them; without trees a fixed rule does.

    `names` holds the products that may be offered: those of the catalogue.
    """

    card: Card
    purchases: Purchases
    trees: lgb.Booster | None
    names: dict[str, str]

    @cached_property
    def offered(self) -> npt.NDArray[np.bool_]:
        """Whether each product of the purchases may be offered."""
        return np.array([str(product) in self.names for product in self.purchases.products], dtype=bool)

    def suggest(self, customer_id: str, top: int, within: Iterable[str] | None = None) -> list[Suggestion]:
        """Return the `top` best products for a customer, the best first.

        A customer without an order is offered what is popular; `within` keeps to those product ids.
        """
        data = self.purchases
        row = data.row_of.get(customer_id)
        allowed = self.offered
        if within is not None:
            kept = [data.item_of[product] for product in within if product in data.item_of]
            allowed = np.zeros(len(data.products), dtype=bool)
            allowed[kept] = self.offered[kept]
        items, table = candidates(data, row, allowed)
        # The trees have seen nobody without a purchase.
        trees = self.trees if row is not None else None
        scores = rank(trees, table)
        best = np.argsort(-scores, kind="stable")[:top]
        return [
            Suggestion(
                product_id=str(data.products[items[place]]),
                chance=None if trees is None else float(scores[place]),
                times=int(np.nan_to_num(table[place, FEATURES.index("times")])),
                reason=self._reason(row, int(items[place]), table[place]),
            )
            for place in best
        ]

    def _reason(self, row: int | None, item: int, features: Floats) -> str:
        value = dict(zip(FEATURES, features.tolist(), strict=True))
        if value["times"] == 1:
            return f"bought once, {_ago(value['age'])}"
        if value["times"] > 1:
            often = "twice" if value["times"] == 2 else f"{value['times']:,.0f} times"
            gap = max(1, round(value["gap"]))
            usual = "every day" if gap == 1 else f"every {gap:,} days"
            return f"bought {often}, last {_ago(value['age'])}, usually {usual}"
        also = None if row is None or not value["neighbours"] else self._bought_with(row, item)
        if also is not None:
            return also
        return f"{percent(value['popularity'])} of all customers bought it in the last {DAYS} days"

    def _bought_with(self, row: int, item: int) -> str | None:
        """Return the customer's own product whose buyers most markedly buy `item` too, in words."""
        data = self.purchases
        pairs = slice(data.starts[row], data.starts[row + 1])
        own = data.item[pairs][np.argsort(-data.fresh_180[pairs], kind="stable")[:50]]
        own = np.array([o for o in own if data.buyers[o] >= 5 and self.offered[o]])
        if not len(own):
            return None
        both = np.asarray((data.bought[:, own].T @ data.bought[:, [item]]).todense()).ravel()
        similarity = both / np.sqrt(data.buyers[own] * data.buyers[item])
        best = int(np.argmax(similarity))
        if both[best] < 2:
            return None
        share = percent(both[best] / data.buyers[own[best]])
        return f"{share} of the customers who buy {self.names[str(data.products[own[best]])]} also buy it"


def candidates(data: Purchases, row: int | None, allowed: npt.NDArray[np.bool_]) -> tuple[Items, Matrix]:
    """Return the candidate products of one customer and a row of FEATURES for each.

    `row` is the customer's place in `data`, None for one without a purchase; `allowed` has an entry per
    product.
    """
    neighbours = _neighbours(data, row)
    pairs = np.arange(*data.starts[row : row + 2]) if row is not None else np.arange(0)
    pairs = pairs[allowed[data.item[pairs]]]
    pairs = pairs[np.argsort(-data.fresh_60[pairs], kind="stable")[:OWN]]
    other = neighbours + 1e-3 * data.popularity  # popularity decides where neighbours are silent
    other[~allowed] = 0
    if row is not None:
        other[data.item[slice(*data.starts[row : row + 2])]] = 0
    new = np.argpartition(-other, NEW)[:NEW] if len(other) > NEW else np.arange(len(other))
    new = new[other[new] > 0]
    items = np.concatenate([data.item[pairs], new]).astype(np.intp)
    table = np.full((len(items), len(FEATURES)), np.nan, dtype=np.float32)
    column = {name: table[:, index] for index, name in enumerate(FEATURES)}
    for name in _PER_PAIR:
        column[name][: len(pairs)] = getattr(data, name)[pairs]
    visits, recent = (data.visits[row], data.visits_91[row]) if row is not None else (0, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        gap = (column["first_age"] - column["age"]) / (column["times"] - 1)
        column["gap"][:] = np.where(column["times"] > 1, gap, np.nan)
        column["age_to_gap"][:] = column["age"] / column["gap"]
    column["neighbours"][:] = neighbours[items]
    column["visits"][:], column["visits_91"][:] = visits, recent
    column["share_of_visits"][:] = column["times"] / max(visits, 1)
    column["share_of_visits_91"][:] = column["times_91"] / max(recent, 1)
    column["buyers"][:] = data.buyers[items] / len(data.customers)
    column["popularity"][:] = data.popularity[items]
    column["repeat_share"][:] = data.repeat_share[items]
    return items, table


def rank(trees: lgb.Booster | None, table: Matrix) -> npt.NDArray[np.float64]:
    """Return a score per row of FEATURES: the chance of a purchase, or without trees the fixed rule's."""
    if not len(table):
        return np.zeros(0)
    if trees is not None:
        return np.asarray(trees.predict(table, num_threads=1), dtype=np.float64)
    fresh = np.nan_to_num(table[:, FEATURES.index("fresh_60")])
    popular = table[:, FEATURES.index("popularity")]
    return np.asarray(fresh + 0.5 * table[:, FEATURES.index("neighbours")] + 1e-3 * popular, dtype=np.float64)


def train(shop: Shop, folder: Path) -> Card:
    """Train, test on the last four weeks and save the purchases as of today into `folder`."""
    cards.begin(folder)
    (folder / "trees.txt").unlink(missing_ok=True)
    last = shop.as_of - dt.timedelta(days=DAYS)
    learned = _Window(shop, last - dt.timedelta(days=DAYS), MOST_LEARNED)
    tested = _Window(shop, last, MOST_TESTED)
    measured: dict[str, Any] = {
        "summary": "not measured: too few purchases to hold four weeks back; a fixed rule ranks by own "
        "recent purchases, then by what customers alike buy"
    }
    if learned.enough and tested.enough:
        trees = _boost([learned])
        measured = _test(trees, learned, tested, last)
        _boost([learned, tested]).save_model(str(folder / "trees.txt"))
    Purchases.until(shop, shop.as_of).save(folder / "purchases.npz")
    card = Card(
        name=NAME,
        version=VERSION,
        trained_at=cards.today(),
        as_of=shop.as_of.isoformat(),
        fingerprint=cards.fingerprint(shop, *TABLES),
        **measured,
    )
    card.save(folder)
    return card


def load(shop: Shop, folder: Path | None = None) -> Recommender:
    """Return the trained recommender.

    Raises:
        NoModel: there is none, or it belongs to other data.
    """
    folder = folder or shop.folder("models", NAME)
    card = read_card(shop, folder, NAME, *TABLES)
    trees = folder / "trees.txt"
    try:
        booster = lgb.Booster(model_file=str(trees)) if trees.exists() else None
        purchases = Purchases.read(folder / "purchases.npz")
    except (OSError, ValueError, KeyError, BadZipFile, lgb.basic.LightGBMError):
        raise cards.NoModel(f"The {NAME} model cannot be read. Train it again with: storewise fit") from None
    known = shop.query("SELECT product_id, name FROM products WHERE category <> 'Unknown'")
    names = dict(zip(known["product_id"], known["name"], strict=True))
    return Recommender(card, purchases, booster, names)


@once_per_generation
def loaded(shop: Shop) -> Recommender:
    """Return the shop's recommender, loaded once and warmed up."""
    recommender = load(shop)
    if len(recommender.purchases.customers):
        recommender.suggest(str(recommender.purchases.customers[0]), CUT)
        _ = recommender.purchases.bought
    return recommender


class _Window:
    """Customers' candidates at a cut-off, and which of them were bought in the weeks after.

    Looks at no more than `most` customers, drawn at random.
    """

    def __init__(self, shop: Shop, cutoff: dt.date, most: int) -> None:
        self.data = data = Purchases.until(shop, cutoff)
        self.rows = np.random.default_rng(7).permutation(len(data.customers))[:most]
        self.later = {c: p for c, p in bought_later(shop, cutoff, DAYS).items() if c in data.row_of}
        everything = np.ones(len(data.products), dtype=bool)
        self.items: list[Items] = []
        tables: list[Matrix] = []
        bought: list[npt.NDArray[np.bool_]] = []
        for row in self.rows:
            items, table = candidates(data, int(row), everything)
            later = self.later.get(str(data.customers[row]), set())
            wanted = [data.item_of[product] for product in later if product in data.item_of]
            self.items.append(items)
            tables.append(table)
            bought.append(np.isin(items, wanted))
        self.sizes = [len(items) for items in self.items]
        self.table = np.concatenate(tables) if tables else np.zeros((0, len(FEATURES)), dtype=np.float32)
        self.bought = np.concatenate(bought) if bought else np.zeros(0, dtype=bool)

    @property
    def enough(self) -> bool:
        return len(self.rows) >= FEWEST_CUSTOMERS and int(self.bought.sum()) >= FEWEST_BOUGHT

    def first(self, scores: npt.NDArray[np.float64]) -> list[Items]:
        """Return each customer's first CUT products by `scores` of the candidates."""
        split = np.split(scores, np.cumsum(self.sizes)[:-1])
        return [
            items[np.argsort(-own, kind="stable")[:CUT]] for items, own in zip(self.items, split, strict=True)
        ]

    def measure(self, lists: list[Items]) -> dict[str, float]:
        """Return recall, nDCG and hit rate at CUT over the customers who bought anything afterwards."""
        gains = 1 / np.log2(np.arange(CUT) + 2)
        recall, ndcg, hits = [], [], []
        for row, offered in zip(self.rows, lists, strict=True):
            wanted = self.later.get(str(self.data.customers[row]))
            if not wanted:
                continue
            right = np.array([str(self.data.products[item]) in wanted for item in offered], dtype=bool)
            recall.append(right.sum() / len(wanted))
            ndcg.append(gains[: len(right)][right].sum() / gains[: min(CUT, len(wanted))].sum())
            hits.append(bool(right.any()))
        return {
            f"recall@{CUT}": float(np.mean(recall)),
            f"ndcg@{CUT}": float(np.mean(ndcg)),
            f"hit_rate@{CUT}": float(np.mean(hits)),
            "customers": float(len(recall)),
        }


def _boost(windows: list[_Window]) -> lgb.Booster:
    parameters = {
        "objective": "binary",
        "learning_rate": 0.12,
        "num_leaves": 31,
        "min_data_in_leaf": 200,
        "max_bin": 127,
        "num_threads": 1,  # two would wait for each other whenever something else runs
        "deterministic": True,
        "force_row_wise": True,
        "seed": 7,
        "verbose": -1,
    }
    ends = [sum(window.sizes[:MOST_LEARNED]) for window in windows]
    table = np.concatenate([window.table[:end] for window, end in zip(windows, ends, strict=True)])
    bought = np.concatenate([window.bought[:end] for window, end in zip(windows, ends, strict=True)])
    data = lgb.Dataset(table, bought.astype(np.float64), feature_name=list(FEATURES))
    return lgb.train(parameters, data, ROUNDS)


def _test(trees: lgb.Booster, learned: _Window, tested: _Window, last: dt.date) -> dict[str, Any]:
    data = tested.data
    scores = rank(trees, tested.table)
    quality = tested.measure(tested.first(scores))
    # What is shown as a chance should come true as often as it says.
    likely = scores >= 0.3
    quality["chance_said"] = float(scores[likely].mean()) if likely.any() else 0.0
    quality["chance_came_true"] = float(tested.bought[likely].mean()) if likely.any() else 0.0
    popular = np.argsort(-data.popularity, kind="stable")[:CUT]
    habits = []
    for row in tested.rows:
        pairs = np.arange(*data.starts[row : row + 2])
        order = np.lexsort((data.age[pairs], -data.times[pairs]))[:CUT]  # often first, then lately
        own = data.item[pairs[order]]
        habits.append(np.concatenate([own, popular[~np.isin(popular, own)]])[:CUT].astype(np.intp))
    peers = {
        "own most frequent products": tested.measure(habits),
        "most popular products": tested.measure([popular] * len(tested.rows)),
    }
    begin, end = last + dt.timedelta(days=1), last + dt.timedelta(days=DAYS)
    habit = peers["own most frequent products"]
    return {
        "split": (
            f"learned from the purchases of the {DAYS} days after {last - dt.timedelta(days=DAYS)} "
            f"({len(learned.table)} candidates of {len(learned.rows)} customers), tested on {begin} to {end} "
            f"({quality['customers']:.0f} customers); the shipped ranking is fitted again on both"
        ),
        "quality": quality,
        "peers": peers,
        "summary": (
            f"{CUT} offers against what {quality['customers']:,.0f} customers bought from {begin} to {end}: "
            f"nDCG@{CUT} {quality[f'ndcg@{CUT}']:.3f}, recall@{CUT} {quality[f'recall@{CUT}']:.3f} "
            f"(own most frequent products: {habit[f'ndcg@{CUT}']:.3f} and {habit[f'recall@{CUT}']:.3f})"
        ),
    }


def _neighbours(data: Purchases, row: int | None) -> Floats:
    """Return what the customers most alike bought lately: a weight per product, 0 where none did."""
    if row is None:
        return np.zeros(len(data.products), dtype=np.float32)
    similarity = np.asarray((data.taste[row] @ data.taste_by_product).todense()).ravel()
    similarity[row] = 0
    if len(similarity) > NEIGHBOURS:
        near = np.argpartition(-similarity, NEIGHBOURS)[:NEIGHBOURS]
    else:
        near = np.arange(len(similarity))
    weights = similarity[near] / max(float(similarity[near].sum()), 1e-9)
    return np.asarray((sp.csr_matrix(weights) @ data.fresh[near]).todense(), dtype=np.float32).ravel()


def _ago(days: float) -> str:
    return "today" if days == 0 else f"{count(days, 'day')} ago"
