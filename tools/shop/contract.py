"""The contract: the tables and columns of a shop, what each value must be, and what is done when it is not.

Tools and models know these tables and nothing of where they came from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Literal

import pandas as pd
import pandera.pandas as pa

Type = Literal["id", "text", "number", "time"]

CONTRACT = 1  # rises when a table's or a column's meaning changes; models of another contract are refused

EVENTS = (
    "view_category",
    "search",
    "view_product",
    "add_to_cart",
    "remove_from_cart",
    "view_cart",
    "checkout",
    "payment",
    "purchase",
)
EARLIEST = pd.Timestamp("1990-01-01")


class Kind(Enum):
    """A kind of problem: whether it stops the load, what it is, and why it is treated so.

    What stops would make figures wrong without anyone seeing it; what is kept and listed is odd but
    true of real shops, or left out without harm.
    """

    NOTHING = True, "nothing to load", "there is no shop without a table"
    UNREADABLE = True, "unreadable file", "part of the shop would be missing"
    DOUBLED_TABLE = True, "table in two files", "nobody knows which of them is meant"
    WRONG_ENCODING = True, "not UTF-8", "names and reviews would be garbled; save the file as UTF-8"
    BROKEN_LINE = (
        True,
        "broken line",
        "it has not as many fields as the header; its row would be lost",
    )
    EMPTY_TABLE = (
        True,
        "empty table",
        "most likely a failed export; delete the file if the shop has none",
    )
    MISSING_COLUMN = True, "missing column", "the table cannot be used without it"
    DOUBLED_COLUMN = True, "doubled column", "nobody knows which of them is meant"
    MISSING_VALUE = True, "missing value", "the row cannot be counted anywhere"
    WRONG_TYPE = True, "wrong type", "a value that cannot be read would count as nothing"
    MIXED_DATES = (
        True,
        "dates in mixed formats",
        "a day could mean two; write them all as 2017-03-31",
    )
    UNCLEAR_DATES = True, "day or month first?", "no date tells which comes first; write them as 2017-03-31"
    IMPOSSIBLE_DATE = (
        True,
        "date out of range",
        "before 1990 or to come; it would shift the shop's clock",
    )
    DOUBLED_ID = True, "doubled id", "every figure joined by it would be counted twice"
    IMPOSSIBLE_RATING = True, "rating not from 1 to 5", "averages would mean nothing"
    NOT_FINITE = True, "not a finite number", "sums would mean nothing"
    DOUBLED_LINE = False, "same line twice", "two of the same in one order are common; both are counted"
    TORN_ORDER = False, "order of several customers", "each line counts for its own customer"
    UNKNOWN_PRODUCT = (
        False,
        "unknown product",
        "it was sold all the same; it is put under the category Unknown",
    )
    UNKNOWN_CUSTOMER = False, "unknown customer", "the customer bought all the same; nothing else is known"
    NEGATIVE_QUANTITY = False, "negative quantity", "a return: it lowers units and revenue"
    NEGATIVE_AMOUNT = False, "negative amount", "a refund: it lowers revenue"
    ZERO_QUANTITY = False, "quantity 0", "coupons and corrections: no units, but the order counts"
    UNKNOWN_EVENT = False, "unknown event", f"kept, but read by no model; known are {', '.join(EVENTS)}"
    INCOMPLETE_DAY = False, "incomplete last day", "set aside, so that it does not look like a bad day"
    UNKNOWN_FILE = False, "file of no known table", "left out; the README lists the tables"

    def __init__(self, stops: bool, title: str, reason: str) -> None:
        self.stops = stops
        self.title = title
        self.reason = reason


@dataclass(frozen=True)
class Rule:
    """A check of one column's values: rows for which `holds` is false are of this kind."""

    kind: Kind
    holds: Callable[[pd.Series], pd.Series]


@dataclass(frozen=True)
class ColumnRule:
    """What a column holds: its type, whether it must be there and filled, and checks of its values."""

    type: Type
    required: bool = False
    rules: tuple[Rule, ...] = ()


_FINITE = Rule(Kind.NOT_FINITE, lambda values: values.abs() != float("inf"))
_POSSIBLE = Rule(
    Kind.IMPOSSIBLE_DATE,
    lambda values: (values >= EARLIEST) & (values < pd.Timestamp.now() + pd.Timedelta(days=2)),
)
_ID, _TEXT, _NUMBER = ColumnRule("id"), ColumnRule("text"), ColumnRule("number", rules=(_FINITE,))
_TIME = ColumnRule("time", rules=(_POSSIBLE,))
_ID_NEEDED, _TEXT_NEEDED = ColumnRule("id", True), ColumnRule("text", True)
_TIME_NEEDED = ColumnRule("time", True, (_POSSIBLE,))

TABLES: dict[str, dict[str, ColumnRule]] = {
    "customers": {
        "customer_id": _ID_NEEDED,
        "signed_up_at": _TIME,
        "age": _TEXT,
        "income": _TEXT,
        "region": _TEXT,
        "household_size": _TEXT,
        "email": _TEXT,
    },
    "products": {
        "product_id": _ID_NEEDED,
        "name": _TEXT_NEEDED,
        "category": _TEXT_NEEDED,
        "department": _TEXT,
        "type": _TEXT,
        "brand": _TEXT,
        "price": _NUMBER,
        "cost": _NUMBER,
    },
    "orders": {
        "order_id": _ID_NEEDED,
        "customer_id": _ID_NEEDED,
        "product_id": _ID_NEEDED,
        "ordered_at": _TIME_NEEDED,
        "quantity": ColumnRule(
            "number",
            True,
            (
                _FINITE,
                Rule(Kind.NEGATIVE_QUANTITY, lambda values: values >= 0),
                Rule(Kind.ZERO_QUANTITY, lambda values: values != 0),
            ),
        ),
        "amount": ColumnRule(
            "number", True, (_FINITE, Rule(Kind.NEGATIVE_AMOUNT, lambda values: values >= 0))
        ),
        "discount": _NUMBER,
        "coupon_id": _ID,
        "channel": _TEXT,
        "store_id": _ID,
    },
    "events": {
        "session_id": _ID_NEEDED,
        "event": ColumnRule("text", True, (Rule(Kind.UNKNOWN_EVENT, lambda values: values.isin(EVENTS)),)),
        "occurred_at": _TIME_NEEDED,
        "customer_id": _ID,
        "product_id": _ID,
        "device": _TEXT,
        "channel": _TEXT,
        "value": _NUMBER,
    },
    "reviews": {
        "review_id": _ID_NEEDED,
        "text": _TEXT_NEEDED,
        "product_id": _ID,
        "category": _TEXT,
        "customer_id": _ID,
        "rating": ColumnRule(
            "number", rules=(Rule(Kind.IMPOSSIBLE_RATING, lambda values: values.between(1, 5)),)
        ),
        "title": _TEXT,
        "reviewed_at": _TIME,
    },
    "offers": {
        "offer_id": _ID_NEEDED,
        "customer_id": _ID_NEEDED,
        "kind": _TEXT_NEEDED,
        "sent_at": _TIME_NEEDED,
        "redeemed_at": _TIME,
        "value": _NUMBER,
        "cost": _NUMBER,
    },
}

# The column that names one row each, where a table has one.
UNIQUE = {"customers": "customer_id", "products": "product_id", "reviews": "review_id", "offers": "offer_id"}
# Columns that point to another table.
POINTERS = {
    "product_id": ("products", Kind.UNKNOWN_PRODUCT),
    "customer_id": ("customers", Kind.UNKNOWN_CUSTOMER),
}
# The times that the shop's clock is read from: those of the first table that the shop has.
CLOCKS = (
    ("orders", "ordered_at"),
    ("events", "occurred_at"),
    ("offers", "sent_at"),
    ("reviews", "reviewed_at"),
)


def header_schema(table: str) -> pa.DataFrameSchema:
    """Return the schema of a table's header: all required columns, none twice."""
    columns = {name: pa.Column(required=rule.required) for name, rule in TABLES[table].items()}
    return pa.DataFrameSchema(columns, unique_column_names=True)


def value_schema(table: str) -> pa.DataFrameSchema:
    """Return the schema of the values in the columns that have checks, each named after its kind of problem.

    Types are not its matter: what could not be read as the column's type was found when it was read.
    """
    return pa.DataFrameSchema(
        {
            name: pa.Column(
                checks=[pa.Check(check.holds, name=check.kind.name) for check in rule.rules],
                nullable=True,
                required=False,
            )
            for name, rule in TABLES[table].items()
            if rule.rules
        }
    )
