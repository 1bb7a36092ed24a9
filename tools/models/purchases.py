"""Who bought what, how often and when: the sparse tables that the recommender stands on."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from storewise.tools.shop.generation import Shop

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]

# One row per order and product; lines that cost nothing (coupons, corrections) are no purchase. `day`
# counts whole days before the cut-off, `age` orders the visits within a day.
LINES_SQL = """
SELECT customer_id, product_id, order_id,
    CAST($cutoff AS DATE) - CAST(min(ordered_at) AS DATE) AS day,
    epoch(CAST($cutoff AS DATE) + INTERVAL 1 DAY - min(ordered_at)) / 86400.0 AS age
FROM orders
WHERE ordered_at < CAST($cutoff AS DATE) + 1 AND amount > 0
GROUP BY customer_id, product_id, order_id
"""
LATER_SQL = """
SELECT DISTINCT customer_id, product_id FROM orders
WHERE ordered_at >= CAST($cutoff AS DATE) + 1
    AND ordered_at < CAST($cutoff AS DATE) + 1 + CAST($days AS INTEGER) AND amount > 0
"""
SPANS = (
    5.0,
    20.0,
)  # visits over which the weight of a purchase in `lately_5` and `lately_20` fades to a third


@dataclass(frozen=True)
class Lines:
    """Every product of every visit up to a cut-off: one value each, in no order.

    `row` and `item` place customer and product in `customers` and `products`; `day` counts the days from
    the visit to the cut-off, `since` the visits that the customer made after it.
    """

    customers: npt.NDArray[np.str_]
    products: npt.NDArray[np.str_]
    row: Ints
    item: Ints
    day: Ints
    since: Ints

    @classmethod
    def until(cls, shop: Shop, cutoff: dt.date) -> Lines:
        """Read the lines up to the end of the `cutoff` day; later ones are not looked at."""
        return cls.of(shop.query(LINES_SQL, {"cutoff": cutoff}))

    @classmethod
    def of(cls, table: pd.DataFrame) -> Lines:
        """Return the lines of `table`: customer_id, product_id, order_id, and day and age before a cut-off.

        The cut-off may be each customer's own; `age` orders the visits within a day.
        """
        row, customers = pd.factorize(table["customer_id"], sort=True)
        item, products = pd.factorize(table["product_id"], sort=True)
        return cls(
            customers=np.asarray(customers, dtype=np.str_),
            products=np.asarray(products, dtype=np.str_),
            row=row.astype(np.int32),
            item=item.astype(np.int32),
            day=table["day"].to_numpy(dtype=np.int32),
            since=_visits_since(row, table["order_id"], table["age"].to_numpy(dtype=np.float64)),
        )


@dataclass(frozen=True)
class Purchases:
    """All customers and products with a purchase up to a cut-off, as arrays.

    `row` and `item` place each pair of customer and product in `customers` and `products`; pairs are
    sorted by row. One value per pair: `times` counts the days on which it was bought, `age` and
    `first_age` are days from the last and first to the cut-off, `visits_since` the visits after the last,
    `fresh_` weighs each day by its age and `lately_` each visit by those after it, `gap_spread` is the
    standard deviation of the days between purchases (NaN below three). One per customer: days with a
    visit, in all and within 28 and 91 days, and days since the first and last.
    """

    customers: npt.NDArray[np.str_]
    products: npt.NDArray[np.str_]
    row: Ints
    item: Ints
    times: Floats
    age: Floats
    first_age: Floats
    times_28: Floats
    times_91: Floats
    fresh_20: Floats
    fresh_60: Floats
    fresh_180: Floats
    visits_since: Floats
    lately_5: Floats
    lately_20: Floats
    gap_spread: Floats
    visits: Floats
    visits_28: Floats
    visits_91: Floats
    tenure: Floats
    idle: Floats

    @classmethod
    def of(cls, lines: Lines) -> Purchases:
        """Return the purchases in `lines`; a product bought twice on one day counts once."""
        row, item, day, visit = lines.row, lines.item, lines.day, lines.since
        order = np.lexsort((day, item, row))
        row, item, day, visit = row[order], item[order], day[order], visit[order]
        pair = np.flatnonzero(_changes(row, item))
        first_of_day = _changes(row, item, day)
        counted = first_of_day.astype(np.float64)

        def total(values: npt.NDArray[np.float64]) -> Floats:
            return np.asarray(np.add.reduceat(values, pair) if len(pair) else values, dtype=np.float32)

        days = [row[first_of_day], item[first_of_day], day[first_of_day]]
        return cls(
            customers=lines.customers,
            products=lines.products,
            row=row[pair].astype(np.int32),
            item=item[pair].astype(np.int32),
            times=total(counted),
            age=day[pair].astype(np.float32),
            first_age=np.asarray(np.maximum.reduceat(day, pair) if len(pair) else day, dtype=np.float32),
            times_28=total(counted * (day < 28)),
            times_91=total(counted * (day < 91)),
            fresh_20=total(counted * np.exp(-day / 20)),
            fresh_60=total(counted * np.exp(-day / 60)),
            fresh_180=total(counted * np.exp(-day / 180)),
            visits_since=np.asarray(
                np.minimum.reduceat(visit, pair) if len(pair) else visit, dtype=np.float32
            ),
            lately_5=total(np.exp(-visit / SPANS[0])),
            lately_20=total(np.exp(-visit / SPANS[1])),
            gap_spread=_gap_spread(*days),
            **_rhythm(row, day, len(lines.customers)),
        )

    def save(self, path: Path) -> None:
        """Write the arrays as npz, without pickles."""
        np.savez_compressed(path, **{field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def read(cls, path: Path) -> Purchases:
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as arrays:
            return cls(**{field.name: arrays[field.name] for field in fields(cls)})

    @cached_property
    def starts(self) -> Ints:
        """Where each customer's pairs begin; one more entry than customers."""
        return np.searchsorted(self.row, np.arange(len(self.customers) + 1)).astype(np.int32)

    @cached_property
    def row_of(self) -> dict[str, int]:
        """The row of each customer id."""
        return {str(customer): row for row, customer in enumerate(self.customers)}

    @cached_property
    def item_of(self) -> dict[str, int]:
        """The index of each product id."""
        return {str(product): item for item, product in enumerate(self.products)}

    @cached_property
    def buyers(self) -> Floats:
        """How many customers ever bought each product."""
        return np.bincount(self.item, minlength=len(self.products)).astype(np.float32)

    @cached_property
    def popularity(self) -> Floats:
        """The share of all customers who bought each product within the last 28 days."""
        return self.share_of_customers(self.age < 28)

    def share_of_customers(self, pairs: npt.NDArray[np.bool_]) -> Floats:
        """Return the share of all customers who have one of `pairs` (a mask) with each product."""
        count = np.bincount(self.item[pairs], minlength=len(self.products))
        return np.asarray(count / max(1, len(self.customers)), dtype=np.float32)

    @cached_property
    def bought(self) -> sp.csc_matrix:
        """1 where a customer ever bought a product, stored by product."""
        return self.matrix(np.ones(len(self.row), dtype=np.float32)).tocsc()

    def matrix(self, values: Floats) -> sp.csr_matrix:
        """Return one value per pair as a matrix of customers and products."""
        shape = (len(self.customers), len(self.products))
        indptr = self.starts
        return sp.csr_matrix((values.astype(np.float32), self.item, indptr), shape=shape)


def _changes(*keys: npt.NDArray[np.generic]) -> npt.NDArray[np.bool_]:
    """Return where any of the sorted `keys` differs from the entry before."""
    changed = np.ones(len(keys[0]), dtype=bool)
    if len(changed):
        changed[1:] = np.any([key[1:] != key[:-1] for key in keys], axis=0)
    return changed


def _visits_since(
    row: npt.NDArray[np.intp], orders: pd.Series, age: npt.NDArray[np.float64]
) -> npt.NDArray[np.int32]:
    """Return for each line how many visits the customer made after that one."""
    visit, _ = pd.factorize(orders)
    # An order of several customers is a visit of each.
    table = pd.DataFrame({"row": row, "visit": visit, "age": age})
    visits = table.groupby(["row", "visit"], sort=True)["age"].min().reset_index()
    visits = visits.sort_values(["row", "age", "visit"], kind="stable")
    visits["since"] = visits.groupby("row").cumcount()
    found = table[["row", "visit"]].merge(visits, on=["row", "visit"], how="left")
    return found["since"].to_numpy(dtype=np.int32)


def _gap_spread(row: Ints, item: Ints, day: Ints) -> Floats:
    """Return the standard deviation of the gaps between each pair's days, sorted by row, item and day."""
    first = _changes(row, item)
    pair = np.flatnonzero(first)
    if not len(pair):
        return np.zeros(0, dtype=np.float32)
    gaps = np.where(first, 0, np.diff(day, prepend=0)).astype(np.float64)
    count = np.diff(np.append(pair, len(day))) - 1
    mean = np.add.reduceat(gaps, pair) / np.maximum(count, 1)
    square = np.add.reduceat(gaps * gaps, pair) / np.maximum(count, 1)
    spread = np.sqrt(np.maximum(square - mean * mean, 0))
    return np.where(count >= 2, spread, np.nan).astype(np.float32)


def _rhythm(row: Ints, day: Ints, customers: int) -> dict[str, Floats]:
    """Return each customer's days with a visit and the days since the first and last."""
    days = pd.DataFrame({"row": row, "day": day}).drop_duplicates()

    def counted(within: int) -> Floats:
        return np.bincount(days["row"][days["day"] < within], minlength=customers).astype(np.float32)

    grouped = days.groupby("row")["day"]
    return {
        "visits": counted(np.iinfo(np.int32).max),
        "visits_28": counted(28),
        "visits_91": counted(91),
        "tenure": grouped.max().to_numpy(dtype=np.float32),
        "idle": grouped.min().to_numpy(dtype=np.float32),
    }
