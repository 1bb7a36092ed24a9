"""The first of the recommender's two stages: which products come into question, and what speaks for each.

Candidates are the customer's own products, and of those never bought the first by each of several
scores: customers of similar taste, matrix factorization (ALS), similar products, EASE, what follows what
was bought lately, kinds bought, and popularity. All is worked out from the purchases up to a cut-off.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from implicit.als import AlternatingLeastSquares

from storewise.tools.models.content import Content
from storewise.tools.models.neighbours import Alike, following_products, item_weights, similar_products
from storewise.tools.models.purchases import Floats, Ints, Lines, Purchases
from storewise.tools.models.windows import Items

CATALOGUE = 8_000  # products never bought that may be offered: those of the most buyers lately
EASE_PRODUCTS, EASE_REGULARIZATION = 3_000, 500.0
FACTORS, REGULARIZATION, ITERATIONS = 64, 10.0, 12
OWN = 100  # own products of a customer that are looked at, by what was bought lately
FOUND = 40  # products never bought that each score brings in
SCORES = ("alike", "als", "similar", "similar_lately", "ease", "ease_lately", "follows", "kinds", "popular")

TRIFLE = 0.02  # a purchase that has faded to less no longer counts as one made lately

BATCH = 128

_ARRAYS = ("kind", "catalogue", "customer_factors", "product_factors", "ease_items")
_MATRICES = ("similar", "follows")


@dataclass(frozen=True)
class Candidates:
    """Candidates of a batch of customers: `rows` and `items` place each in the purchases, sorted by row.

    `scores` has one array of SCORES per candidate, NaN for a product outside the catalogue.
    `pairs` is the place of the customer's and the product's pair in the purchases, -1 for one never bought.
    """

    rows: Ints
    items: Items
    pairs: npt.NDArray[np.intp]
    scores: dict[str, Floats]


@dataclass(frozen=True)
class Signals:
    """What a batch of customers is scored with; `fit` works it out from the known purchases."""

    known: Purchases
    kind: Ints  # of each product, -1 where unknown
    catalogue: Items
    customer_factors: Floats
    product_factors: Floats
    similar: sp.csr_matrix
    follows: sp.csr_matrix
    ease_items: Items  # places in the catalogue
    ease: Floats

    @classmethod
    def fit(cls, known: Purchases, lines: Lines, content: Content, seed: int = 7) -> Signals:
        """Return the signals of `known`, which is made of `lines`."""
        place = content.places(known.products)
        kind = np.full(len(place), -1, dtype=np.int32)
        kind[place >= 0] = content.kind[place[place >= 0]]
        catalogue = _catalogue(known)
        bought = _columns(known, np.ones(len(known.row), dtype=np.float32), catalogue)
        most = np.sort(np.argsort(-known.buyers[catalogue], kind="stable")[:EASE_PRODUCTS])
        customers, products = _factors(_columns(known, np.log1p(known.times), catalogue), seed)
        return cls(
            known=known,
            kind=kind,
            catalogue=catalogue,
            customer_factors=customers,
            product_factors=products,
            similar=similar_products(bought),
            follows=_follows(known, lines, catalogue),
            ease_items=most,
            ease=item_weights(bought[:, most], EASE_REGULARIZATION),
        )

    def save(self, path: Path) -> None:
        """Write the arrays as npz, without pickles; the purchases are saved on their own."""
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        for name in _MATRICES:
            matrix = getattr(self, name)
            arrays |= {f"{name}_{part}": getattr(matrix, part) for part in ("data", "indices", "indptr")}
        # Half precision is plenty for weights below 1, and halves the largest array.
        arrays["ease"] = self.ease.astype(np.float16)
        np.savez(path, **arrays)

    @classmethod
    def read(cls, path: Path, known: Purchases) -> Signals:
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as arrays:
            size = len(arrays["catalogue"])
            matrices = {
                name: sp.csr_matrix(
                    tuple(arrays[f"{name}_{part}"] for part in ("data", "indices", "indptr")),
                    shape=(size, size),
                )
                for name in _MATRICES
            }
            plain = {name: arrays[name] for name in _ARRAYS}
            return cls(known=known, ease=arrays["ease"].astype(np.float32), **plain, **matrices)

    @cached_property
    def alike(self) -> Alike:
        """The customers of similar taste."""
        return Alike.of(self.known)

    @cached_property
    def place(self) -> Items:
        """The place of each product in the catalogue, -1 outside."""
        place = np.full(len(self.known.products), -1, dtype=np.intp)
        place[self.catalogue] = np.arange(len(self.catalogue))
        return place

    @cached_property
    def _recent(self) -> sp.csr_matrix:
        """What the pool's customers bought lately: all products, a purchase fading over 20 days, at most 1."""
        return _without_trifles(self.known.matrix(np.minimum(self.known.fresh_20, 1))[self.alike.pool])

    @cached_property
    def _matrices(self) -> dict[str, sp.csr_matrix]:
        known, catalogue = self.known, self.catalogue
        return {
            "bought": _columns(known, np.ones(len(known.row), dtype=np.float32), catalogue),
            "lately": _without_trifles(_columns(known, known.lately_5, catalogue)),
        }

    @cached_property
    def kind_taste(self) -> sp.csr_matrix:
        """How much of each kind a customer buys: customers by kinds, the last column those unknown."""
        known = self.known
        kinds = int(self.kind.max(initial=-1)) + 2
        column = self.kind[known.item] % kinds  # -1 becomes the last
        shape = (len(known.customers), kinds)
        return sp.csr_matrix((np.log1p(known.fresh_180), (known.row, column)), shape=shape)

    @cached_property
    def share_of_kind(self) -> Floats:
        """The share of each product in the buyers of its kind within the last 28 days."""
        popular = self.known.popularity
        of_kind = np.bincount(self.kind + 1, weights=popular)
        return np.asarray(popular / np.maximum(of_kind[self.kind + 1], 1e-9), dtype=np.float32)

    @cached_property
    def popular(self) -> Floats:
        """Popularity: of the last 28 days, and where that is equal of all time."""
        known = self.known
        return np.asarray(
            known.popularity + 1e-3 * known.buyers / max(1, len(known.customers)), dtype=np.float32
        )

    def scores(self, rows: Ints) -> dict[str, Floats]:
        """Return each of SCORES as an array [len(rows), catalogue], `alike` for all products."""
        bought, lately = (self._matrices[name][rows] for name in ("bought", "lately"))
        ease = np.zeros((2, len(rows), len(self.catalogue)), dtype=np.float32)
        ease[0][:, self.ease_items] = bought[:, self.ease_items] @ self.ease
        ease[1][:, self.ease_items] = lately[:, self.ease_items] @ self.ease
        kinds = self.kind_taste[rows].toarray()
        items = self.catalogue
        return {
            "alike": (self.alike.weights(rows) @ self._recent).toarray(),
            "als": self.customer_factors[rows] @ self.product_factors.T,
            "similar": (bought @ self.similar).toarray(),
            "similar_lately": (lately @ self.similar).toarray(),
            "ease": ease[0],
            "ease_lately": ease[1],
            "follows": (lately @ self.follows).toarray(),
            "kinds": kinds[:, self.kind[items] % kinds.shape[1]] * self.share_of_kind[items],
            "popular": np.broadcast_to(self.popular[items], (len(rows), len(items))),
        }

    def candidates(
        self,
        rows: Ints,
        allowed: npt.NDArray[np.bool_] | None = None,
        own: bool = True,
        deep: int = FOUND,
    ) -> Candidates:
        """Return the candidates of the customers `rows`; `allowed`, one entry per product, restricts them.

        `own` tells whether their own products are among them; each score brings in `deep` others.
        """
        known, catalogue = self.known, self.catalogue
        scores = self.scores(rows)
        new = np.zeros((len(rows), len(catalogue)), dtype=bool)
        local, pairs = self._own(rows)
        mine = self.place[known.item[pairs]]
        barred = np.zeros_like(new)
        barred[local[mine >= 0], mine[mine >= 0]] = True
        if allowed is not None:
            barred[:, ~allowed[catalogue]] = True
        for name in SCORES:
            values = scores[name][:, catalogue] if name == "alike" else scores[name]
            values = np.where(barred, -np.inf, values)
            most = min(deep, values.shape[1])
            if most:
                first = np.argpartition(-values, most - 1, axis=1)[:, :most]
                new[np.arange(len(rows))[:, None], first] = True
        new &= ~barred
        new_local, new_place = np.nonzero(new)
        if own:
            kept = self.own_rank[pairs] < max(OWN, deep)
            if allowed is not None:
                kept &= allowed[known.item[pairs]]
            local, pairs = local[kept], pairs[kept]
        else:
            local, pairs = local[:0], pairs[:0]
        places = np.concatenate([local, new_local])
        items = np.concatenate([known.item[pairs], catalogue[new_place]]).astype(np.intp)
        found = np.concatenate([pairs, np.full(len(new_local), -1)]).astype(np.intp)
        order = np.argsort(places, kind="stable")
        places, items, found = places[order], items[order], found[order]
        at = self.place[items]
        inside = at >= 0
        found_scores = {}
        for name in SCORES:
            if name == "alike":
                value = scores[name][places, items]
            else:
                value = np.where(inside, scores[name][places, at], np.nan)
            found_scores[name] = value.astype(np.float32)
        return Candidates(rows[places].astype(np.int32), items, found, found_scores)

    @cached_property
    def own_rank(self) -> Ints:
        """The rank of each pair among the customer's, by what was bought lately, from 0."""
        known = self.known
        order = np.lexsort((-known.fresh_60, known.row))
        rank = np.empty(len(order), dtype=np.int32)
        rank[order] = np.arange(len(order)) - known.starts[known.row[order]]
        return rank

    def _own(self, rows: Ints) -> tuple[Items, Items]:
        """Return all pairs of `rows`: the place in `rows` and the place in the purchases."""
        starts, ends = self.known.starts[rows], self.known.starts[rows + 1]
        sizes = ends - starts
        local = np.repeat(np.arange(len(rows)), sizes)
        offset = np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        return local, np.repeat(starts, sizes).astype(np.intp) + offset


def _catalogue(known: Purchases) -> Items:
    buyers = np.bincount(known.item[known.age < 91], minlength=len(known.products)) + 0.01 * known.buyers
    enough = np.flatnonzero(known.buyers >= (2 if len(known.customers) >= 50 else 1))
    return np.sort(enough[np.argsort(-buyers[enough], kind="stable")[:CATALOGUE]]).astype(np.intp)


def _without_trifles(weights: sp.csr_matrix) -> sp.csr_matrix:
    """Return `weights` without entries that are next to nothing: half the work of every product of matrices."""
    weights.data[weights.data < TRIFLE] = 0
    weights.eliminate_zeros()
    return weights


def _columns(known: Purchases, values: Floats, catalogue: Items) -> sp.csr_matrix:
    return known.matrix(values)[:, catalogue].tocsr()


def _factors(bought: sp.csr_matrix, seed: int) -> tuple[Floats, Floats]:
    """Return the factors of customers and products by ALS (Hu, Koren and Volinsky, ICDM 2008)."""
    model = AlternatingLeastSquares(
        factors=min(FACTORS, max(2, min(bought.shape) - 1)),
        regularization=REGULARIZATION,
        iterations=ITERATIONS,
        num_threads=1,
        random_state=seed,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about settings of the machine
        model.fit(bought, show_progress=False)
    return np.asarray(model.user_factors, dtype=np.float32), np.asarray(model.item_factors, dtype=np.float32)


def _follows(known: Purchases, lines: Lines, catalogue: Items) -> sp.csr_matrix:
    place = np.full(len(known.products), -1, dtype=np.int32)
    place[catalogue] = np.arange(len(catalogue))
    item = place[lines.item]
    kept = item >= 0
    return following_products(lines.row[kept], item[kept], lines.since[kept], len(catalogue))
