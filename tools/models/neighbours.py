"""Who and what is alike: customers of similar taste, products bought by the same people or after another.

Every function takes purchases up to a cut-off and a catalogue (indexes of products), and returns what a
batch of customers is scored with by one product of matrices.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.linalg import cho_factor, cho_solve

from storewise.tools.models.purchases import Floats, Ints, Purchases

NEAREST = 100  # customers of the most similar taste
POOL = 4_000  # customers among whom they are sought, drawn at random where there are more
SIMILAR = 100  # products kept for each product
BLOCK = 1_000  # products whose similarities are worked out at once
FOLLOWING = 5  # visits within which a first purchase follows another
SHRINK = 20.0


@dataclass(frozen=True)
class Alike:
    """Customers of similar taste: unit-length rows of TF-IDF weights over products (Salton's cosine).

    `pool` holds the customers who may be somebody's neighbours, `by_product` their tastes transposed.
    """

    taste: sp.csr_matrix
    pool: Ints
    by_product: sp.csr_matrix

    @classmethod
    def of(cls, known: Purchases) -> Alike:
        """Return the tastes; what few buy weighs more, and so does what was bought often and lately."""
        rarity = np.log(len(known.customers) / np.maximum(known.buyers, 1)).astype(np.float32)
        taste = unit_rows(known.matrix(np.log1p(known.fresh_180) * rarity[known.item]))
        customers = np.arange(len(known.customers), dtype=np.int32)
        if len(customers) > POOL:
            customers = np.sort(np.random.default_rng(7).permutation(customers)[:POOL])
        return cls(taste, customers, taste[customers].T.tocsr())

    def weights(self, rows: Ints) -> sp.csr_matrix:
        """Return the weights [len(rows), pool] of the nearest customers; each row adds up to 1."""
        similar = (self.taste[rows] @ self.by_product).toarray()
        similar[rows[:, None] == self.pool[None, :]] = 0  # nobody is their own neighbour
        return _largest(similar, NEAREST)


def similar_products(bought: sp.csr_matrix) -> sp.csr_matrix:
    """Return for each product (rows) its SIMILAR most similar ones, by the cosine of who bought them.

    `bought` has a row per customer; a customer who bought much says less (TF-IDF over customers), as in
    item-kNN (Deshpande and Karypis, ACM TOIS 22, 2004).
    """
    width = np.diff(bought.indptr)
    rarity = np.log1p(bought.shape[1] / np.maximum(width, 1)).astype(np.float32)
    weighted = sp.diags(rarity) @ bought
    columns = unit_rows(weighted.T.tocsr())
    rows_of = columns.T.tocsr()
    blocks = []
    for start in range(0, columns.shape[0], BLOCK):
        block = (columns[start : start + BLOCK] @ rows_of).toarray()
        block[np.arange(len(block)), start + np.arange(len(block))] = 0
        blocks.append(_largest(block, SIMILAR, normalized=False))
    return sp.vstack(blocks).tocsr() if blocks else sp.csr_matrix(bought.shape)


def item_weights(bought: sp.csr_matrix, regularization: float) -> Floats:
    """Return EASE's weights [products, products]: the linear model of each product on all others.

    Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019: with P the inverse of
    X'X + regularization, the weights are -P_ij / P_jj, zero on the diagonal.
    """
    gram = (bought.T @ bought).toarray().astype(np.float32)
    gram[np.diag_indices_from(gram)] += regularization
    factor = cho_factor(gram, lower=True, overwrite_a=True, check_finite=False)
    inverse = cho_solve(factor, np.eye(len(gram), dtype=np.float32), overwrite_b=True, check_finite=False)
    weights = inverse / -np.diag(inverse)
    weights[np.diag_indices_from(weights)] = 0
    return np.ascontiguousarray(weights, dtype=np.float32)


def following_products(row: Ints, item: Ints, since: Ints, products: int) -> sp.csr_matrix:
    """Return how often a product (columns) is first bought soon after another (rows), as a share.

    A line each: customer, product and the visits made since; soon is within FOLLOWING visits, and a later
    one of them weighs less. The share is shrunk towards 0 where there are few cases; each row keeps its
    SIMILAR largest.
    """
    visit = row.astype(np.int64) * (int(since.max(initial=0)) + FOLLOWING + 2)
    visits, place = np.unique(visit + since, return_inverse=True)
    shape = (len(visits), products)
    at = sp.csr_matrix((np.ones(len(item), dtype=np.float32), (place, item)), shape=shape)
    order = np.lexsort((-since, item, row))
    first = np.ones(len(order), dtype=bool)
    first[1:] = (row[order][1:] != row[order][:-1]) | (item[order][1:] != item[order][:-1])
    new = order[first]
    begun = sp.csr_matrix((np.ones(len(new), dtype=np.float32), (place[new], item[new])), shape=shape)
    before = sp.csr_matrix(shape, dtype=np.float32)
    for lag in range(1, FOLLOWING + 1):
        earlier = np.searchsorted(visits, visits + lag)
        earlier[earlier == len(visits)] = 0
        there = visits[earlier] == visits + lag
        shift = sp.csr_matrix(
            (np.full(int(there.sum()), 1 / lag, dtype=np.float32), (np.flatnonzero(there), earlier[there])),
            shape=(len(visits), len(visits)),
        )
        before = before + shift @ at
    pairs = (before.T @ begun).tocsr()
    seen = np.maximum(np.asarray(before.sum(axis=0)).ravel(), 1e-9)
    # Shrunk as if every product had been seen SHRINK times more, without anything following.
    shares = (sp.diags((1 / (seen + SHRINK)).astype(np.float32)) @ pairs).tocsr()
    starts = range(0, products, BLOCK)
    return sp.vstack(
        [_largest(shares[start : start + BLOCK].toarray(), SIMILAR, normalized=False) for start in starts]
    ).tocsr()


def unit_rows(matrix: sp.csr_matrix) -> sp.csr_matrix:
    """Return `matrix` with rows of length 1; empty ones stay empty."""
    length = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return sp.csr_matrix(sp.diags((1 / np.maximum(length, 1e-9)).astype(np.float32)) @ matrix)


def _largest(values: npt.NDArray[np.float32], most: int, normalized: bool = True) -> sp.csr_matrix:
    """Return the `most` largest positive entries of each row; `normalized`, they add up to 1."""
    most = min(most, values.shape[1])
    kept = np.argpartition(-values, most - 1, axis=1)[:, :most] if most else np.zeros((len(values), 0), int)
    found = np.maximum(np.take_along_axis(values, kept, axis=1), 0)
    if normalized:
        found = found / np.maximum(found.sum(axis=1, keepdims=True), 1e-9)
    pointers = np.arange(len(values) + 1) * most
    matrix = sp.csr_matrix((found.ravel().astype(np.float32), kept.ravel(), pointers), shape=values.shape)
    matrix.eliminate_zeros()
    return matrix
