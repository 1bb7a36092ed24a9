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

# One row per customer and product. A product bought twice on one day counts once; lines that cost
# nothing (coupons, corrections) are no purchase. The fresh_ columns weigh each day by its age.
PAIRS_SQL = """
WITH days AS (
    SELECT DISTINCT customer_id, product_id, CAST($cutoff AS DATE) - CAST(ordered_at AS DATE) AS age
    FROM orders WHERE ordered_at < CAST($cutoff AS DATE) + 1 AND amount > 0
)
SELECT customer_id, product_id,
    count(*) AS times,
    min(age) AS age,
    max(age) AS first_age,
    count(*) FILTER (age < 28) AS times_28,
    count(*) FILTER (age < 91) AS times_91,
    sum(exp(-age / 20.0)) AS fresh_20,
    sum(exp(-age / 60.0)) AS fresh_60,
    sum(exp(-age / 180.0)) AS fresh_180
FROM days GROUP BY customer_id, product_id ORDER BY customer_id, product_id
"""
VISITS_SQL = """
SELECT customer_id,
    count(DISTINCT CAST(ordered_at AS DATE)) AS visits,
    count(DISTINCT CAST(ordered_at AS DATE))
        FILTER (CAST($cutoff AS DATE) - CAST(ordered_at AS DATE) < 91) AS visits_91
FROM orders WHERE ordered_at < CAST($cutoff AS DATE) + 1 AND amount > 0
GROUP BY customer_id ORDER BY customer_id
"""
LATER_SQL = """
SELECT DISTINCT customer_id, product_id FROM orders
WHERE ordered_at >= CAST($cutoff AS DATE) + 1
    AND ordered_at < CAST($cutoff AS DATE) + 1 + CAST($days AS INTEGER) AND amount > 0
"""


@dataclass(frozen=True)
class Purchases:
    """All customers and products with a purchase up to a cut-off, as arrays.

    `row` and `item` place each pair in `customers` and `products`; pairs are sorted by row. The other
    arrays have one value per pair (ages in days before the cut-off), the visits one per customer.
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
    visits: Floats
    visits_91: Floats

    @classmethod
    def until(cls, shop: Shop, cutoff: dt.date) -> Purchases:
        """Read the purchases up to the end of the `cutoff` day; later ones are not looked at."""
        pairs = shop.query(PAIRS_SQL, {"cutoff": cutoff})
        visits = shop.query(VISITS_SQL, {"cutoff": cutoff})
        row, customers = pd.factorize(pairs["customer_id"])
        item, products = pd.factorize(pairs["product_id"], sort=True)
        values = {
            name: pairs[name].to_numpy(dtype=np.float32)
            for name in (field.name for field in fields(cls))
            if name in pairs.columns
        }
        return cls(
            customers=np.asarray(customers, dtype=np.str_),
            products=np.asarray(products, dtype=np.str_),
            row=row.astype(np.int32),
            item=item.astype(np.int32),
            visits=visits["visits"].to_numpy(dtype=np.float32),
            visits_91=visits["visits_91"].to_numpy(dtype=np.float32),
            **values,
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
        recent = np.bincount(self.item, weights=self.times_28 > 0, minlength=len(self.products))
        return np.asarray(recent / max(1, len(self.customers)), dtype=np.float32)

    @cached_property
    def repeat_share(self) -> Floats:
        """The share of each product's buyers who bought it again."""
        again = np.bincount(self.item, weights=self.times > 1, minlength=len(self.products))
        return np.asarray(again / np.maximum(self.buyers, 1), dtype=np.float32)

    @cached_property
    def taste(self) -> sp.csr_matrix:
        """Unit-length rows: what each customer buys, rare products weighing more (TF-IDF, BM25's kin)."""
        rarity = np.log(len(self.customers) / np.maximum(self.buyers, 1)).astype(np.float32)
        matrix = self._matrix(np.log1p(self.fresh_180) * rarity[self.item])
        length = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
        return sp.csr_matrix(sp.diags((1 / np.maximum(length, 1e-9)).astype(np.float32)) @ matrix)

    @cached_property
    def taste_by_product(self) -> sp.csr_matrix:
        """`taste` transposed, stored for a fast product with one customer's row."""
        return self.taste.T.tocsr()

    @cached_property
    def fresh(self) -> sp.csr_matrix:
        """What each customer bought lately, a purchase's weight fading over two months, at most 3."""
        return self._matrix(np.minimum(self.fresh_60, 3))

    @cached_property
    def bought(self) -> sp.csc_matrix:
        """1 where a customer ever bought a product, stored by product."""
        return self._matrix(np.ones(len(self.row), dtype=np.float32)).tocsc()

    def _matrix(self, values: Floats) -> sp.csr_matrix:
        shape = (len(self.customers), len(self.products))
        return sp.csr_matrix((values.astype(np.float32), (self.row, self.item)), shape=shape)


def bought_later(shop: Shop, cutoff: dt.date, days: int) -> dict[str, set[str]]:
    """Return the products that each customer bought within `days` after `cutoff`."""
    later = shop.query(LATER_SQL, {"cutoff": cutoff, "days": days})
    grouped = later.groupby("customer_id")["product_id"]
    return {str(customer): set(products) for customer, products in grouped}
