"""What was known up to a cut-off and what was bought in the weeks after: what a recommender learns from.

Whatever a window's features are made of, they are made of `known` alone; `later` only labels them.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from storewise.tools.models.purchases import LATER_SQL, Floats, Ints, Lines, Purchases
from storewise.tools.shop.generation import Shop

DAYS = 28  # what is learned and tested: the purchases of the next four weeks
CUT = 10  # recall and nDCG look at the first ten

Items = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Window:
    """The purchases up to a cut-off, and the products bought afterwards.

    Attributes:
        lines, known: every visit's products up to the cut-off, and the purchases made of them.
        later: 1 where a customer of `known` bought a product of `known` afterwards.
        wanted: how many products each customer bought afterwards, those that nobody had bought before
            included, which no method can find.
        wanted_new: how many of them the customer had never bought before.
    """

    lines: Lines
    known: Purchases
    later: sp.csr_matrix
    wanted: Ints
    wanted_new: Ints

    @classmethod
    def of(cls, lines: Lines, later: pd.DataFrame) -> Window:
        """Return the window whose later purchases are `later`: customer_id and product_id.

        Customers without a known purchase are left out: nothing is known of them.
        """
        known = Purchases.of(lines)
        pairs = later[["customer_id", "product_id"]].drop_duplicates()
        row = pd.Index(known.customers).get_indexer(pd.Index(pairs["customer_id"]))
        item = pd.Index(known.products).get_indexer(pd.Index(pairs["product_id"]))
        row, item = row[row >= 0], item[row >= 0]
        wanted = np.bincount(row, minlength=len(known.customers)).astype(np.int32)
        row, item = row[item >= 0], item[item >= 0]
        shape = (len(known.customers), len(known.products))
        matrix = sp.csr_matrix((np.ones(len(row), dtype=np.float32), (row, item)), shape=shape)
        own = known.matrix(np.ones(len(known.row), dtype=np.float32))
        again = np.asarray(matrix.multiply(own).sum(axis=1)).ravel()
        return cls(lines, known, matrix, wanted, wanted - again.astype(np.int32))

    @classmethod
    def at(cls, shop: Shop, cutoff: dt.date) -> Window:
        """Return a shop's window: known up to the end of the day `cutoff`, labelled by DAYS after it."""
        lines = Lines.until(shop, cutoff)
        return cls.of(lines, shop.query(LATER_SQL, {"cutoff": cutoff, "days": DAYS}))

    def labels(self, rows: Ints, items: Items) -> npt.NDArray[np.bool_]:
        """Return whether each of `rows` (customers) later bought the product in `items`."""
        return looked_up(self.later, rows, items) > 0


@dataclass(frozen=True)
class Scored:
    """nDCG and recall at CUT, one value per customer who bought something afterwards, and coverage.

    `coverage` is the share of all products that stood in anybody's list.
    """

    rows: Ints
    ndcg: npt.NDArray[np.float64]
    recall: npt.NDArray[np.float64]
    coverage: float

    def means(self) -> dict[str, float]:
        """Return the means over customers."""
        return {
            f"ndcg@{CUT}": float(self.ndcg.mean()),
            f"recall@{CUT}": float(self.recall.mean()),
            "coverage": self.coverage,
        }


def score(window: Window, rows: Ints, lists: Items, new: bool) -> Scored:
    """Score the lists [len(rows), CUT] of products (-1 pads a short list) of the customers `rows`.

    `new` counts as wanted only what the customer had never bought; the lists must then hold nothing else.
    nDCG divides by the gain of the best list possible (Järvelin and Kekäläinen, ACM TOIS 20, 2002).
    """
    wanted = (window.wanted_new if new else window.wanted)[rows]
    kept = wanted > 0
    rows, lists, wanted = rows[kept], lists[kept], wanted[kept]
    right = looked_up(window.later, np.repeat(rows, lists.shape[1]), np.maximum(lists, 0).ravel())
    hits = (right.reshape(lists.shape) > 0) & (lists >= 0)
    gains = 1 / np.log2(np.arange(CUT) + 2)
    best = np.cumsum(gains)[np.minimum(wanted, CUT) - 1]
    ndcg = (hits * gains[: lists.shape[1]]).sum(axis=1) / best
    recall = hits.sum(axis=1) / wanted
    shown = np.unique(lists[lists >= 0])
    return Scored(rows.astype(np.int32), ndcg, recall, len(shown) / max(1, len(window.known.products)))


def looked_up(matrix: sp.csr_matrix, rows: Ints, items: Items) -> Floats:
    """Return the entries of `matrix` at each of `rows` and `items`."""
    return np.asarray(matrix[rows, items], dtype=np.float32).ravel()
