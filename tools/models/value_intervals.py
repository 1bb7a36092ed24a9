"""80 % intervals around expected orders and spend, calibrated on customers' later orders.

What came of past forecasts, as a multiple of what was expected, says how far the ends lie for customers
of about the same expectation (conformal prediction within categories: Vovk, Gammerman and Shafer 2005,
Algorithmic Learning in a Random World, chapter 4). Paces drift, so that a forecast of 26 weeks from 26 is
about as far off, for its size, as one of 13 weeks from 13: forecasts compare at the same share of the
history. Over a shorter time chance weighs more, over a longer one less; how much, forecasts of several
lengths from the same day tell. Counts are whole and mostly 0 for many customers, so that no interval covers
exactly 80 %: the ends are those that come nearest to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

COVERAGE = 0.8
LEVELS = 8
FEWEST = 60  # forecasts behind the ends of one level
NOTHING = -1e6  # units below the expectation: an end of 0
_LOWER = (0.02, 0.04, 0.06, 0.08, 0.1, 0.12, 0.14, 0.16)
_UPPER = (0.7, 0.75, 0.8, 0.84, 0.86, 0.88, 0.9, 0.92, 0.94, 0.96, 0.98)


@dataclass(frozen=True)
class Intervals:
    """The ends by the level of the expectation.

    Attributes:
        edges: between the levels, rising; one fewer than levels.
        typical: the mean expectation of each level.
        lower, upper: the ends of each level above the expectation m (below: negative), in units of the
            root of m times `typical`: small expectations are further off for their size.
        share: the forecast weeks over the weeks of history behind them, in the calibration.
        weeks: the forecast weeks in the calibration.
        drift: the part of the squared relative error that does not fade over a longer time, 0 to 1.
        whole: whether outcomes are counts.
    """

    edges: Floats
    typical: Floats
    lower: Floats
    upper: Floats
    share: float
    weeks: float
    drift: float
    whole: bool

    def ends(self, expected: Floats, weeks: float, known: float) -> tuple[Floats, Floats]:
        """Return the low and the high end of each expectation over `weeks` after `known` weeks of history."""
        alike = expected * (self.weeks / weeks)
        level = np.searchsorted(self.edges, alike)
        wider = np.sqrt(self.drift + (1 - self.drift) * self.share / (weeks / known))
        unit = np.sqrt(alike * self.typical[level]) * (weeks / self.weeks) * wider
        low = np.maximum(expected + self.lower[level] * unit, 0)
        high = np.maximum(expected + self.upper[level] * unit, 0)
        return (np.round(low), np.round(high)) if self.whole else (low, high)

    def saved(self) -> dict[str, Any]:
        """Return the intervals as JSON values."""
        return {
            "edges": self.edges.tolist(),
            "typical": self.typical.tolist(),
            "lower": self.lower.tolist(),
            "upper": self.upper.tolist(),
            "share": self.share,
            "weeks": self.weeks,
            "drift": self.drift,
            "whole": self.whole,
        }

    @classmethod
    def read(cls, saved: dict[str, Any]) -> Intervals:
        """Return what `saved` returned."""
        edges, typical, lower, upper = (
            np.asarray(saved[name], dtype=np.float64) for name in ("edges", "typical", "lower", "upper")
        )
        share, weeks, drift = (float(saved[name]) for name in ("share", "weeks", "drift"))
        return cls(edges, typical, lower, upper, share, weeks, drift, bool(saved["whole"]))


def calibrate(
    expected: Floats,
    outcome: Floats,
    weeks: float,
    known: float,
    whole: bool,
    shorter: tuple[Floats, Floats, float] | None = None,
) -> Intervals:
    """Return the intervals that past forecasts and their outcomes ask for.

    Forecasts of `weeks` after `known` weeks of history; `shorter` are expectations, outcomes and weeks of
    the same customers over a shorter time, None to take errors as half drift.
    """
    expected = _levelled(expected, outcome)
    levels = int(np.clip(len(expected) // FEWEST, 1, LEVELS))
    edges = np.unique(np.quantile(expected, np.linspace(0, 1, levels + 1)[1:-1]))
    level = np.searchsorted(edges, expected)
    typical = np.array(
        [
            expected[level == number].mean() if (level == number).any() else 1.0
            for number in range(len(edges) + 1)
        ]
    )
    ends = [
        _nearest(expected[level == number], outcome[level == number], typical[number], whole)
        for number in range(len(edges) + 1)
    ]
    lower, upper = np.array(ends).T
    drift = 0.5 if shorter is None else _drift(expected, outcome, weeks, *shorter)
    return Intervals(edges, typical, lower, upper, weeks / known, weeks, drift, whole)


def _levelled(expected: Floats, outcome: Floats) -> Floats:
    """A past forecast too high or too low for everybody says nothing of the next one's level."""
    return np.asarray(expected * (outcome.sum() / expected.sum()), dtype=np.float64)


def _drift(
    expected: Floats, outcome: Floats, weeks: float, brief: Floats, came: Floats, brief_weeks: float
) -> float:
    """Return the part of the squared relative error that is the same over both lengths.

    If e is the relative error over the longer time and its other part is chance, it is
    e² (drift + (1 - drift) weeks / brief_weeks) over the shorter one. Medians keep a few from deciding.
    """
    if came.sum() <= 0:
        return 0.5
    brief = _levelled(brief, came)
    large = expected >= np.median(expected)  # where most outcomes are 0, medians say nothing
    long = float(np.median(np.abs(outcome / expected - 1)[large]))
    short = float(np.median(np.abs(came / brief - 1)[large]))
    ratio = weeks / brief_weeks
    growth = (short / max(long, 1e-9)) ** 2
    return float(np.clip((ratio - growth) / (ratio - 1), 0.05, 1.0))


def _nearest(expected: Floats, outcome: Floats, typical: float, whole: bool) -> tuple[float, float]:
    """Return the ends that cover nearest to COVERAGE, the narrowest of those about as near."""
    if not len(expected):
        return -1.0, 1.0
    unit = np.sqrt(expected * typical)
    residual = (outcome - expected) / unit
    # Where many buy nothing, the low end is nothing: one just above would only seem to cover less.
    nothing = float((outcome <= 0).mean()) > (1 - COVERAGE) / 2
    lows = np.array([NOTHING]) if nothing else np.quantile(residual, _LOWER)
    best, ends = np.inf, (-1.0, 1.0)
    for low, high in product(lows, np.quantile(residual, _UPPER)):
        bottom, top = np.maximum(expected + low * unit, 0), np.maximum(expected + high * unit, 0)
        if whole:
            bottom, top = np.round(bottom), np.round(top)
        covered = float(((outcome >= bottom) & (outcome <= top)).mean())
        width = float((top - bottom).mean() / expected.mean())
        cost = max(abs(covered - COVERAGE) - 0.005, 0) + 0.002 * width
        if cost < best:
            best, ends = cost, (float(low), float(high))
    return ends
