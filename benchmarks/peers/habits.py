"""Two peers that learn nothing: each customer's own most frequent products, and the most popular ones."""

from __future__ import annotations

import numpy as np

from storewise.benchmarks.peers.ranked import Scorer, fallback
from storewise.tools.models.windows import Window


def popularity(window: Window, recent: bool) -> Scorer:
    """Rank by buyers, of the last 28 days if `recent`."""
    known = window.known
    shared = known.popularity if recent else known.buyers / max(1, len(known.customers))
    return lambda rows: np.broadcast_to(shared + 1e-3 * fallback(window), (len(rows), len(shared)))


def own_frequency(window: Window, within: str) -> Scorer:
    """Rank by the days on which the customer bought a product, then the latest, then popularity.

    `within` names the span: "times" for ever, "times_91" or "fresh_60" for a fading one.
    """
    known = window.known
    matrix = known.matrix(getattr(known, within) + 0.01 / (1 + known.age) + 0.001)
    popular = fallback(window)
    return lambda rows: matrix[rows].toarray() + popular
