"""Paired bootstrap: is ours better than a peer on the same cases, or might it be chance?

The same resampled cases score both methods; the 2.5th and 97.5th percentiles of the differences are the
interval (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13). Cases that belong
together (one customer at several cut-offs) are drawn together.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from storewise.benchmarks.report import Interval

Floats = npt.NDArray[np.float64]

RESAMPLES = 1000
SEED = 7


def mean_difference(ours: Floats, peer: Floats) -> Interval:
    """Return the interval of the mean of `ours - peer`, one value per case."""
    differences = np.asarray(ours, dtype=np.float64) - np.asarray(peer, dtype=np.float64)
    rng = np.random.default_rng(SEED)
    means = [
        differences[rng.integers(0, len(differences), len(differences))].mean() for _ in range(RESAMPLES)
    ]
    return _interval(np.array(means))


def difference(
    statistic: Callable[[Floats, Floats], float],
    ours: Floats,
    peer: Floats,
    clusters: npt.NDArray[np.generic] | None = None,
) -> Interval:
    """Return the interval of `statistic(ours, weights) - statistic(peer, weights)`.

    `weights` says how often each case was drawn; `clusters`, one label per case, keeps cases together.
    """
    if clusters is None:
        place, drawn = np.arange(len(ours)), len(ours)
    else:
        labels, place = np.unique(clusters, return_inverse=True)
        drawn = len(labels)
    rng = np.random.default_rng(SEED)
    found = []
    for _ in range(RESAMPLES):
        weights = np.bincount(rng.integers(0, drawn, drawn), minlength=drawn)[place].astype(np.float64)
        found.append(statistic(ours, weights) - statistic(peer, weights))
    return _interval(np.array(found))


def auc_difference(
    y: npt.NDArray[np.generic],
    ours: Floats,
    peer: Floats,
    clusters: npt.NDArray[np.generic] | None = None,
) -> Interval:
    """Return the interval of the difference in the area under the ROC curve, for labels `y` of 0 and 1."""
    mine, theirs = _Ranked(y, ours), _Ranked(y, peer)
    return difference(
        lambda ranked, weights: (mine if ranked is ours else theirs).auc(weights), ours, peer, clusters
    )


class _Ranked:
    """Scores sorted once, so that each resample's weighted AUC takes linear time."""

    def __init__(self, y: npt.NDArray[np.generic], scores: Floats) -> None:
        self._order = np.argsort(scores, kind="stable")
        self._positive = np.asarray(y, dtype=np.float64)[self._order]
        ordered = np.asarray(scores)[self._order]
        self._starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])

    def auc(self, weights: Floats) -> float:
        ordered = weights[self._order]
        positive = np.add.reduceat(ordered * self._positive, self._starts)
        negative = np.add.reduceat(ordered * (1 - self._positive), self._starts)
        below = np.cumsum(negative) - negative
        pairs = positive.sum() * negative.sum()
        # A tie counts half.
        return float((positive * (below + negative / 2)).sum() / pairs) if pairs else 0.5


def _interval(values: Floats) -> Interval:
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)
