"""Values for the slots of a wish: customers, carts, products, numbers, times, as people write them."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from storewise.finetune.horizons import Horizons
from storewise.finetune.times import Times
from storewise.finetune.wording import SEGMENTS, Piece, Wish, read_list
from storewise.tools.shop.generation import Shop

T = TypeVar("T")
# Without a shop, the demo shop's clock.
_AS_OF, _FIRST = dt.date(2017, 12, 31), dt.date(2017, 1, 1)
_TWO_TO_TWENTY = (
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
)
_WORDS = dict(enumerate(_TWO_TO_TWENTY.split(), start=2))
_SEGMENT_FORMS = {
    "Champions": ("champions", "Champions", "champion", "CHAMPIONS"),
    "Loyal": ("loyal", "Loyal", "loyal ones", "loyals"),
    "Promising": ("promising", "Promising"),
    "New": ("new", "New"),
    "Needs attention": (
        "needs attention",
        "Needs attention",
        "Needs Attention",
        "needs-attention",
        "need attention",
    ),
    "At risk": ("at risk", "At risk", "At Risk", "at-risk", "AT RISK"),
    "Hibernating": ("hibernating", "Hibernating", "hibernators", "hibernating ones"),
    "Lost": ("lost", "Lost", "lost ones"),
}


class Values:
    """Draws a value for each slot, one after another so that all of a list come up."""

    def __init__(self, lists: Path, shop: Shop | None, rng: random.Random) -> None:
        self._rng = rng
        as_of, first = (_AS_OF, _FIRST) if shop is None else (shop.as_of, _first_day(shop))
        self.times = Times(lists / "times.txt", as_of, first)
        self.horizons = Horizons(lists / "horizons.txt")
        products = read_list(lists / "products.txt")
        self._everyday = turns(products["everyday"], rng)
        self._catalogue = turns(products["catalogue"], rng)
        self._product_ids = turns(products["ids"], rng)
        self._queries = turns(read_list(lists / "queries.txt")[""], rng)
        self._aspects = turns(read_list(lists / "aspects.txt")[""], rng)
        self._topics = turns(read_list(lists / "topics.txt")[""], rng)
        self._names: Iterator[str] | None = None
        self._customers: Iterator[str] | None = None
        self._sessions: Iterator[str] | None = None
        if shop is not None:
            if shop.has("events", "session_id", "occurred_at"):
                self._sessions = turns(_last_sessions(shop), rng)
            self._names = turns(_product_names(shop), rng)
            self._customers = turns(_customer_ids(shop), rng)

    def draw(self, slot: str, before: str) -> Piece:
        """Return a value for `slot` (or its second, `slot2`) as a piece; `before` is the text before it."""
        match slot.removesuffix("2"):
            case "customer":
                return self._plain(slot, self._customer())
            case "session":
                if self._sessions is not None and self._rng.random() < 0.4:
                    return self._plain(slot, next(self._sessions))
                return self._plain(slot, f"S{self._rng.randrange(1, 40000):06d}")
            case "top":
                return self._top(slot, before)
            case "product":
                return self._plain(slot, self._product())
            case "when":
                return self._plain(slot, self.times.draw(self._rng))
            case "weeks" | "span" | "long":
                return self.horizons.draw(slot, self._rng)
            case "segment":
                name = self._rng.choice(SEGMENTS)
                return Piece(self._rng.choice(_SEGMENT_FORMS[name]), slot, name)
            case "query":
                return self._plain(slot, self._text(self._queries))
            case "aspect":
                return self._plain(slot, self._text(self._aspects))
            case "topic":
                return self._plain(slot, self._text(self._topics))
        raise KeyError(f"no values for the slot {slot}")

    def _plain(self, slot: str, text: str) -> Piece:
        return Piece(text, slot)

    def _text(self, source: Iterator[Wish]) -> str:
        return next(source).text(self._rng)

    def _customer(self) -> str:
        kind = self._rng.random()
        if kind < 0.05:
            return self._rng.choice(("C", "K-", "c", "A")) + str(self._rng.randrange(10, 99999))
        if kind < 0.1:
            return str(self._rng.randrange(10000, 999999))
        if self._customers is not None and kind < 0.6:
            return next(self._customers)
        return str(self._rng.randrange(1, 2501))

    def _product(self) -> str:
        kind = self._rng.random()
        if kind < 0.05:
            return self._text(self._product_ids)
        if kind < 0.2:
            return self._text(self._catalogue)
        if self._names is not None and kind < 0.32:
            return next(self._names)
        return self._text(self._everyday)

    def _top(self, slot: str, before: str) -> Piece:
        kind = self._rng.random()
        last = before.split()[-1].lower() if before.split() else ""
        if kind < 0.05:
            dozen = last in ("top", "first", "best", "worst")
            return (
                Piece("dozen" if dozen else "a dozen", slot, "12")
                if last != "the"
                else Piece("twelve", slot, "12")
            )
        if kind < 0.07 and last not in ("top", "the", "first", "best", "worst", "my", "our"):
            return Piece("half a dozen", slot, "6")
        if kind < 0.12:
            number = self._rng.choice((25, 30, 40, 50, 100))
            return Piece(str(number), slot, str(number))
        number = self._rng.choice((3, 5, 5, 10, *range(2, 21)))
        written = _WORDS[number] if self._rng.random() < 0.45 else str(number)
        return Piece(written, slot, str(number))


def turns(items: Sequence[T], rng: random.Random) -> Iterator[T]:
    """Yield the items for ever, each once in every round, every round in another order."""
    if not items:
        raise ValueError("nothing to take turns over")
    while True:
        yield from rng.sample(items, len(items))


def _first_day(shop: Shop) -> dt.date:
    return dt.date.fromisoformat(
        str(shop.query("SELECT min(ordered_at)::DATE::VARCHAR AS day FROM orders")["day"][0])
    )


def _customer_ids(shop: Shop) -> list[str]:
    return [
        str(value)
        for value in shop.query("SELECT customer_id FROM customers ORDER BY customer_id")["customer_id"]
    ]


def _last_sessions(shop: Shop) -> list[str]:
    """The sessions of the last day, whose carts may still be open."""
    frame = shop.query(
        "SELECT session_id FROM events GROUP BY 1 HAVING max(occurred_at) >= $day ORDER BY 1",
        {"day": shop.as_of},
    )
    return [str(value) for value in frame["session_id"]] or ["S000001"]


def _product_names(shop: Shop) -> list[str]:
    """The names of the products that sold most often, and the categories."""
    names = shop.query(
        "SELECT name FROM products JOIN orders USING (product_id) "
        "GROUP BY name ORDER BY count(*) DESC, name LIMIT 400"
    )["name"]
    categories = shop.query(
        "SELECT DISTINCT category FROM products WHERE category IS NOT NULL ORDER BY category"
    )
    return [str(value).replace('"', "") for value in [*names, *categories["category"]]]
