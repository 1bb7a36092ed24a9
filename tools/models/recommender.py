"""Recommender: what a customer buys again, and what customers alike buy.

Two stages. Candidates (candidates.py) are the customer's own products, and of those never bought the first
by several scores: customers of similar taste, matrix factorization, products bought by the same people
or soon after another, kinds, and popularity. Boosted trees (ranking.py) then give each candidate its chance
of a purchase within four weeks; they learn from what customers bought in past weeks and are tested on
the four weeks after. In a shop too small for that a fixed rule ranks instead. Customers without an order
and products never sold are served by newcomers.py.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from storewise.tools.models import card as cards
from storewise.tools.models.candidates import FOUND, Signals
from storewise.tools.models.card import Card, read_card
from storewise.tools.models.content import Content
from storewise.tools.models.memory import once_per_generation
from storewise.tools.models.newcomers import NewCustomers, NewProducts
from storewise.tools.models.purchases import Lines, Purchases
from storewise.tools.models.ranking import (
    DROPPED,
    FEATURES,
    PARAMETERS,
    Describer,
    Ranker,
    Table,
    first,
    taught,
)
from storewise.tools.models.reasons import Reasons, popular
from storewise.tools.models.windows import CUT, DAYS, Items, Window, score
from storewise.tools.models.wording import ago
from storewise.tools.shop.generation import Shop

NAME, VERSION = "recommender", "2"
TABLES = ("orders", "products")
LEARNED = 2  # windows of DAYS that the shipped ranking learns from, one before the other
FEWEST_CUSTOMERS, FEWEST_BOUGHT = 50, 500
MOST_LEARNED, MOST_TESTED = 1_200, 1_500  # customers, drawn at random where there are more

Mask = npt.NDArray[np.bool_]
Taught = tuple[Table, Mask]


@dataclass(frozen=True)
class Suggestion:
    """A product to offer, with the reasons in words, the strongest first.

    `chance` is that of a purchase within the next four weeks, None where the fixed rule ranks or nothing
    is known of the customer or the product; `times` is the number of days on which the customer bought
    it before.
    """

    product_id: str
    chance: float | None
    times: int
    reasons: tuple[str, ...]

    @property
    def reason(self) -> str:
        """The strongest reason."""
        return self.reasons[0]


@dataclass(frozen=True)
class Recommender:
    """The purchases up to a day with what ranks them; without trees a fixed rule does.

    `names` holds the products that may be offered: those of the catalogue.
    """

    card: Card
    describer: Describer
    ranker: Ranker
    names: dict[str, str]
    content: Content
    newcomers: NewCustomers

    @property
    def purchases(self) -> Purchases:
        """The purchases that are known."""
        return self.describer.signals.known

    @cached_property
    def offered(self) -> Mask:
        """Whether each product of the purchases may be offered."""
        return np.array([str(product) in self.names for product in self.purchases.products], dtype=bool)

    @cached_property
    def _reasons(self) -> Reasons:
        return Reasons(self.describer, self.content, self.names)

    def suggest(self, customer_id: str, top: int, within: Iterable[str] | None = None) -> list[Suggestion]:
        """Return the `top` best products for a customer, the best first.

        A customer without an order is offered what customers like them buy; `within` keeps to those
        product ids. Products that nobody has bought yet come last, where there are not enough others.
        """
        data = self.purchases
        row = data.row_of.get(customer_id)
        wanted = None if within is None else set(within)
        allowed = self.offered
        if wanted is not None:
            kept = [data.item_of[product] for product in wanted if product in data.item_of]
            allowed = np.zeros(len(data.products), dtype=bool)
            allowed[kept] = self.offered[kept]
        found = (
            self._to_newcomer(customer_id, allowed, top) if row is None else self._known(row, allowed, top)
        )
        found += self._others({one.product_id for one in found}, allowed, top - len(found))
        return found + self._unsold(row, wanted, top - len(found))

    def _known(self, row: int, allowed: Mask, top: int) -> list[Suggestion]:
        rows = np.array([row], dtype=np.int32)
        table = next(self.describer.tables(rows, allowed, deep=max(FOUND, top)))
        scores = self.ranker.scores(table)
        best = [int(place) for place in first(rows, table.candidates, scores, top)[0] if place >= 0]
        shown = table.at(best)
        moved = self.ranker.contributions(shown)
        return [
            Suggestion(
                product_id=str(self.purchases.products[table.candidates.items[place]]),
                chance=float(scores[place]) if self.ranker.teaches(bool(table.own[place])) else None,
                times=int(np.nan_to_num(table.values[place, FEATURES.index("times")])),
                reasons=self._reasons.of(
                    table,
                    place,
                    {group: float(each[line]) for group, each in moved.items()}
                    if self.ranker.trees
                    else None,
                ),
            )
            for line, place in enumerate(best)
        ]

    def _to_newcomer(self, customer_id: str, allowed: Mask, top: int) -> list[Suggestion]:
        scores, groups = self.newcomers.scores(customer_id)
        items = np.flatnonzero(allowed & (scores > 0))
        items = items[np.argsort(-scores[items], kind="stable")[:top]]
        return [
            Suggestion(
                str(self.purchases.products[item]), None, 0, (self.newcomers.reason(int(item), groups),)
            )
            for item in items
        ]

    def _others(self, listed: set[str], allowed: Mask, top: int) -> list[Suggestion]:
        """Return products that are no candidates because few buy them, the most popular first."""
        data = self.purchases
        if top < 1:
            return []
        items = np.flatnonzero(allowed)
        items = items[np.lexsort((-data.buyers[items], -data.popularity[items]))][: top + len(listed)]
        others = [int(item) for item in items if str(data.products[item]) not in listed][:top]
        return [
            Suggestion(str(data.products[item]), None, 0, (popular(float(data.popularity[item])),))
            for item in others
        ]

    def _unsold(self, row: int | None, wanted: set[str] | None, top: int) -> list[Suggestion]:
        if top < 1:
            return []
        content = self.content
        allowed = np.array(
            [
                product in self.names and (wanted is None or product in wanted)
                for product in map(str, content.product_ids)
            ],
            dtype=bool,
        )
        found = []
        for product, like in self._new_products.like(row, allowed, top):
            name = self.names.get(str(self.purchases.products[like]), "another product")
            if row is None:
                why = f"nobody has bought it yet; it is like {name}, which is popular"
            else:
                pairs = slice(self.purchases.starts[row], self.purchases.starts[row + 1])
                age = float(self.purchases.age[pairs][self.purchases.item[pairs] == like][0])
                why = f"nobody has bought it yet; it is like {name}, bought {ago(age)}"
            found.append(Suggestion(product, None, 0, (why,)))
        return found

    @cached_property
    def _new_products(self) -> NewProducts:
        return NewProducts(self.purchases, self.content)


def learned(windows: Sequence[Window], content: Content, seed: int = 7) -> Ranker:
    """Return the ranking learned from what was bought after each of `windows`."""
    lessons = [lesson(window, Describer.fit(window, content, seed), MOST_LEARNED, seed) for window in windows]
    return Ranker.fit([table for table, _ in lessons], [bought for _, bought in lessons], seed)


def lesson(window: Window, describer: Describer, most: int, seed: int = 7) -> Taught:
    """Return the candidates of up to `most` customers, drawn at random, and which were bought."""
    drawn = np.random.default_rng(seed).permutation(len(window.known.customers))[:most]
    return taught(window, describer, np.sort(drawn).astype(np.int32))


def train(shop: Shop, folder: Path) -> Card:
    """Train, test on the last four weeks and save what is known as of today into `folder`."""
    cards.begin(folder)
    lines = Lines.until(shop, shop.as_of)
    if len(lines.row):
        measured = _train(shop, lines, folder)
    else:
        measured = {
            "missing": f"Nobody has bought anything up to {shop.as_of}, so there is nothing to offer by."
        }
    card = Card(**cards.made(shop, NAME, VERSION, *TABLES), **measured)
    card.save(folder)
    return card


def _train(shop: Shop, lines: Lines, folder: Path) -> dict[str, Any]:
    content = Content.read(shop)
    with threadpool_limits(1):  # threads would wait for each other whenever something else runs
        ranker, measured = _learn(shop, content)
        known = Purchases.of(lines)
        signals = Signals.fit(known, lines, content)
    known.save(folder / "purchases.npz")
    signals.save(folder / "signals.npz")
    ranker.save(folder)
    return measured


def _learn(shop: Shop, content: Content) -> tuple[Ranker, dict[str, Any]]:
    """Return the ranking learned from the last two windows, and how one learned from the first does on the last."""
    last = shop.as_of - dt.timedelta(days=DAYS)
    earlier, tested = Window.at(shop, last - dt.timedelta(days=DAYS)), Window.at(shop, last)
    if any(len(window.known.customers) < FEWEST_CUSTOMERS for window in (earlier, tested)):
        return Ranker({}), _NOT_MEASURED
    describer = Describer.fit(tested, content)
    lessons = [
        lesson(earlier, Describer.fit(earlier, content), MOST_LEARNED),
        lesson(tested, describer, MOST_TESTED),
    ]
    if any(int(bought.sum()) < FEWEST_BOUGHT for _, bought in lessons):
        return Ranker({}), _NOT_MEASURED
    measured = _test(Ranker.fit([lessons[0][0]], [lessons[0][1]]), tested, *lessons[1], last)
    return Ranker.fit([table for table, _ in lessons], [bought for _, bought in lessons]), measured


_IDLE = "for products bought before: under .3 % of what all splits gained on an earlier window"
_NOT_MEASURED = {
    "summary": "not measured: too few purchases to hold four weeks back; a fixed rule ranks by own "
    "recent purchases, then by what customers alike buy"
}


def load(shop: Shop, folder: Path | None = None) -> Recommender:
    """Return the trained recommender.

    Raises:
        NoModel: there is none, or it belongs to other data.
    """
    folder = folder or shop.folder("models", NAME)
    card = read_card(shop, folder, NAME, *TABLES)
    with cards.reading(NAME):
        known = Purchases.read(folder / "purchases.npz")
        signals = Signals.read(folder / "signals.npz", known)
        ranker = Ranker.read(folder)
    offered = shop.query("SELECT product_id, name FROM products WHERE category <> 'Unknown'")
    names = dict(zip(offered["product_id"], offered["name"], strict=True))
    return Recommender(
        card=card,
        describer=Describer.of(signals),
        ranker=ranker,
        names=names,
        content=Content.read(shop),
        newcomers=NewCustomers.read(shop, known),
    )


@once_per_generation
def loaded(shop: Shop) -> Recommender:
    """Return the shop's recommender, loaded once and warmed up."""
    recommender = load(shop)
    if len(recommender.purchases.customers):
        recommender.suggest(str(recommender.purchases.customers[0]), CUT)
        _ = recommender.purchases.bought
    return recommender


def _test(ranker: Ranker, window: Window, table: Table, bought: Mask, last: dt.date) -> dict[str, Any]:
    """Return the card's figures of a ranking on a later window, beside what is frequent and what is popular."""
    known = window.known
    rows = np.unique(table.candidates.rows)
    chances = ranker.scores(table)
    best = first(rows, table.candidates, chances)
    everything = score(window, rows, _items(table, best), new=False)
    new = first(rows, table.candidates, np.where(table.own, -1.0, chances))
    new[(new >= 0) & table.own[new]] = -1
    quality = _figures(everything.means())
    quality |= {
        f"new_{name}": value
        for name, value in _figures(score(window, rows, _items(table, new), True).means()).items()
    }
    quality["customers"] = float(len(everything.rows))
    # What is shown as a chance should come true as often as it says.
    likely = chances >= 0.3
    quality["chance_said"] = float(chances[likely].mean()) if likely.any() else 0.0
    quality["chance_came_true"] = float(bought[likely].mean()) if likely.any() else 0.0
    popular = np.argsort(-known.popularity, kind="stable")[:CUT]
    lists = {
        "own most frequent products": np.array([_habit(known, int(row), popular) for row in rows]),
        "most popular products": np.tile(popular, (len(rows), 1)),
    }
    peers = {name: _figures(score(window, rows, items, new=False).means()) for name, items in lists.items()}
    habit = peers["own most frequent products"]
    begin, end = last + dt.timedelta(days=1), last + dt.timedelta(days=DAYS)
    return {
        "split": (
            f"learned from the purchases of the {DAYS} days after {last - dt.timedelta(days=DAYS)}, "
            f"tested on {begin} to {end} ({quality['customers']:.0f} customers); the shipped ranking is "
            "fitted again on both"
        ),
        "parameters": {
            "found": "by Optuna on earlier windows of The Complete Journey and MovieLens: "
            "python -m storewise.benchmarks.recommender_search",
            **{
                f"{part}: {name}": value
                for part, found in PARAMETERS.items()
                for name, value in found.items()
            },
        },
        "dropped": {name: _IDLE for name in DROPPED},
        "drivers": _drivers(ranker, table, best),
        "quality": quality,
        "peers": peers,
        "summary": (
            f"{CUT} offers against what {quality['customers']:,.0f} customers bought from {begin} to {end}: "
            f"nDCG@{CUT} {quality[f'ndcg@{CUT}']:.3f}, recall@{CUT} {quality[f'recall@{CUT}']:.3f} "
            f"(own most frequent products: {habit[f'ndcg@{CUT}']:.3f} and {habit[f'recall@{CUT}']:.3f})"
        ),
    }


def _figures(means: dict[str, float]) -> dict[str, float]:
    return {name: float(value) for name, value in means.items()}


def _items(table: Table, places: Items) -> Items:
    return np.where(places >= 0, table.candidates.items[places], -1).astype(np.intp)


def _habit(known: Purchases, row: int, popular: Items) -> Items:
    """Return the customer's most frequent products, the latest first among equals, then popular ones."""
    pairs = np.arange(known.starts[row], known.starts[row + 1])
    order = np.lexsort((known.age[pairs], -known.times[pairs]))[:CUT]
    own = known.item[pairs[order]]
    listed: Items = np.concatenate([own, popular[~np.isin(popular, own)]])[:CUT].astype(np.intp)
    return listed


def _drivers(ranker: Ranker, table: Table, best: Items) -> dict[str, float]:
    """Return each group's share in how far the chances of the offers are moved."""
    moved = ranker.contributions(table.at(best[best >= 0][:5_000]))
    sizes = {group: float(np.abs(each).mean()) for group, each in moved.items()}
    return cards.shares(sizes)
