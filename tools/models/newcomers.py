"""Customers and products without history: what people like them buy, and what a product is like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from storewise.tools.finding import percent
from storewise.tools.models.content import Content
from storewise.tools.models.purchases import Floats, Purchases
from storewise.tools.models.reasons import popular
from storewise.tools.models.windows import DAYS, Items
from storewise.tools.shop.generation import Shop

# What tells customers apart before they buy, as the reason says it.
SEGMENTS = {
    "age": "of age {}",
    "income": "with an income of {}",
    "region": "from {}",
    "household_size": "of households of {}",
}
CAUTION = 50  # customers: a group's share is mixed with that of all, as if so many more of all belonged to it

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class NewCustomers:
    """What customers bought lately, by the groups that a customer without an order may belong to.

    `people` has customer_id and those of SEGMENTS that the shop knows.
    """

    known: Purchases
    people: pd.DataFrame

    @classmethod
    def read(cls, shop: Shop, known: Purchases) -> NewCustomers:
        """Return a shop's customers; none are described where the shop has no table of them."""
        columns = [name for name in SEGMENTS if shop.has("customers", name)]
        if not columns:
            return cls(known, pd.DataFrame({"customer_id": pd.Series([], dtype=str)}))
        people = shop.query("SELECT * FROM customers")
        return cls(known, people[["customer_id", *columns]])

    def scores(self, customer_id: str) -> tuple[Floats, list[tuple[str, Floats]]]:
        """Return a score per product, and the share of buyers in each of the customer's groups, in words.

        The score is the mean of the groups' shares, each cautiously mixed with that of all customers; a
        customer of whom nothing is known gets what is popular.
        """
        everybody = self.known.popularity
        groups = []
        for words, members in self._groups(customer_id):
            found = self._recent[np.isin(self._recent[:, 0], np.flatnonzero(members)), 1]
            bought = np.bincount(found, minlength=len(self.known.products))
            groups.append((words, bought, int(members.sum())))
        if not groups:
            return everybody, []
        mixed = [(bought + CAUTION * everybody) / (size + CAUTION) for _, bought, size in groups]
        shares = [(words, np.asarray(bought / size, dtype=np.float32)) for words, bought, size in groups]
        return np.asarray(np.mean(mixed, axis=0), dtype=np.float32), shares

    def reason(self, item: int, groups: Sequence[tuple[str, Floats]]) -> str:
        """Return why a product is offered: the group that buys it more than all do, else all."""
        share = float(self.known.popularity[item])
        best = max(groups, key=lambda group: float(group[1][item]), default=None)
        if best is None or best[1][item] <= share:
            return popular(share)
        return (
            f"{percent(float(best[1][item]))} of the customers {best[0]} bought it in the last {DAYS} days "
            f"({percent(share)} of all)"
        )

    def _groups(self, customer_id: str) -> list[tuple[str, Mask]]:
        person = self.people[self.people["customer_id"] == customer_id]
        if person.empty:
            return []
        found = []
        for column, words in SEGMENTS.items():
            value = person[column].iloc[0] if column in person.columns else None
            if value is None or pd.isna(value):
                continue
            members = np.asarray(self._of_known[column] == value, dtype=bool)
            if members.any():
                found.append((words.format(value), members))
        return found

    @cached_property
    def _of_known(self) -> pd.DataFrame:
        people = self.people.drop_duplicates("customer_id").set_index("customer_id")
        return people.reindex(self.known.customers)

    @cached_property
    def _recent(self) -> npt.NDArray[np.int32]:
        """Customer and product of every purchase within DAYS."""
        recent = self.known.age < DAYS
        return np.column_stack([self.known.row[recent], self.known.item[recent]])


@dataclass(frozen=True)
class NewProducts:
    """Products of the catalogue that nobody has bought yet, by what they have in common with others."""

    known: Purchases
    content: Content

    def like(self, row: int | None, allowed: Mask, top: int) -> list[tuple[str, int]]:
        """Return up to `top` unsold products of the catalogue, the best first, each with the one it is like.

        `row` is the customer, None for one without an order, for whom a product's likeness to what is
        popular counts; `allowed` has an entry per product of the content. A product is like another by
        the words of its name, category, type, department and brand (cosine of TF-IDF weights).
        """
        places = np.flatnonzero(allowed & ~self._sold)
        if not len(places):
            return []
        if row is None:
            items = np.argsort(-self.known.popularity, kind="stable")[:100].astype(np.intp)
            weights = self.known.popularity[items]
        else:
            pairs = slice(self.known.starts[row], self.known.starts[row + 1])
            items, weights = self.known.item[pairs].astype(np.intp), np.log1p(self.known.fresh_180[pairs])
        described = self._places[items]
        there = described >= 0
        items, weights, described = items[there], weights[there], described[there]
        if not len(items):
            return []
        taste = np.asarray(weights @ self.content.words[described]).ravel()
        scores = np.asarray(self.content.words[places] @ taste).ravel()
        best = places[np.argsort(-scores, kind="stable")[:top]]
        best = best[np.sort(scores)[::-1][:top] > 0]
        nearest = (self.content.words[best] @ self.content.words[described].T).toarray() * weights
        return [
            (str(self.content.product_ids[place]), int(items[near.argmax()]))
            for place, near in zip(best, nearest, strict=True)
        ]

    @cached_property
    def _places(self) -> Items:
        return self.content.places(self.known.products)

    @cached_property
    def _sold(self) -> Mask:
        sold = np.zeros(len(self.content.product_ids), dtype=bool)
        sold[self._places[self._places >= 0]] = True
        return sold
