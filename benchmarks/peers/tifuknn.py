"""TIFU-kNN: temporal item frequencies of the customer and of the nearest customers.

Hu, He, Gao and Zhang, "Modeling Personalized Item Frequency Information for Next-basket
Recommendation", SIGIR 2020. A customer's baskets are cut into groups of m, counted back from the latest;
within a group a basket weighs r_b to the power of those after it, a group r_g to the power of those
after it. A customer's vector is the mean of the groups' mean vectors, and the prediction
alpha * own vector + (1 - alpha) * mean vector of the k nearest customers (Euclidean).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from storewise.benchmarks.peers.ranked import Scorer, fallback
from storewise.tools.models.purchases import Floats, Ints
from storewise.tools.models.windows import Window


@dataclass(frozen=True)
class Setting:
    """k nearest customers, groups of m baskets, decays r_b and r_g, weight alpha of the customer's own."""

    k: int
    m: int
    r_b: float
    r_g: float
    alpha: float


# The values that the paper found for its four data sets, Dunnhumby (The Complete Journey) first; and longer
# memories, since the paper predicts the next basket and this benchmark four weeks of them.
SETTINGS = (
    Setting(900, 3, 0.9, 0.6, 0.2),
    Setting(300, 7, 0.9, 0.7, 0.7),
    Setting(300, 7, 1.0, 0.6, 0.7),
    Setting(900, 3, 0.9, 0.7, 0.9),
    Setting(300, 7, 1.0, 0.8, 0.5),
    Setting(300, 7, 0.9, 0.8, 0.7),
    Setting(100, 7, 0.9, 0.7, 0.7),
    Setting(100, 7, 1.0, 0.95, 0.2),
)


def tifuknn(window: Window, setting: Setting) -> Scorer:
    """Return the peer fitted on what the window knows."""
    known = window.known
    row, item, since = window.lines.row, window.lines.item, window.lines.since
    groups = np.zeros(len(known.customers))
    np.maximum.at(groups, row, since // setting.m + 1)
    weights = (
        setting.r_b ** (since % setting.m) * setting.r_g ** (since // setting.m) / setting.m / groups[row]
    )
    shape = (len(known.customers), len(known.products))
    own = sp.csr_matrix((weights.astype(np.float32), (row, item)), shape=shape)
    squares = np.asarray(own.multiply(own).sum(axis=1)).ravel()
    popular = fallback(window)
    by_product = own.T.tocsr()
    k = min(setting.k, len(known.customers) - 1)

    def scorer(rows: Ints) -> Floats:
        distances = squares[rows][:, None] + squares - 2 * (own[rows] @ by_product).toarray()
        distances[np.arange(len(rows)), rows] = np.inf
        near = np.argpartition(distances, k - 1, axis=1)[:, :k] if k else np.zeros((len(rows), 0), dtype=int)
        pointers = np.arange(0, near.size + 1, max(k, 1))[: len(rows) + 1]
        mean = sp.csr_matrix(
            (np.full(near.size, 1 / max(k, 1), dtype=np.float32), near.ravel(), pointers),
            shape=(len(rows), len(known.customers)),
        )
        mixed = setting.alpha * own[rows] + (1 - setting.alpha) * (mean @ own)
        # The vectors' weights are far below 1: popularity must stay below them.
        return np.asarray(mixed.toarray() + 1e-6 * popular, dtype=np.float32)

    return scorer
