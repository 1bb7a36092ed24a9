"""What some of the reviews say as a whole: aspects with praise and blame, what is named, and change over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from storewise.tools.reviews import entities
from storewise.tools.reviews.aspects import CODE, NAMES, Side
from storewise.tools.reviews.index import Index
from storewise.tools.reviews.search import Mask

WHOLE = "overall"  # the aspect that is the product itself
DATED = 20  # reviews with a date from which their change over time is told
SURE = 1.96  # standard errors from which a change is not put down to chance
MONTHS, QUARTERS = 18, 24  # periods shown at most; longer ones are told in quarters, then in years


@dataclass(frozen=True)
class Told:
    """How many reviews speak of an aspect, and on which side; `lines` are their sentences."""

    aspect: str
    reviews: int
    positive: int
    neutral: int
    negative: int
    lines: tuple[int, ...]


@dataclass(frozen=True)
class Named:
    """A brand, product or ingredient and in how many reviews it is named; `entry` is its place in the catalogue."""

    name: str
    kind: entities.Kind
    reviews: int
    entry: str | None


@dataclass(frozen=True)
class Period:
    """The reviews of a month, a quarter or a year."""

    name: str
    reviews: int
    positive: int


def spoken_of(index: Index, lines: Mask) -> list[Told]:
    """Return the aspects that the sentences `lines` speak of, those of most reviews first."""
    rows = np.flatnonzero(lines)
    review = index.lines["review"].to_numpy()[rows]
    found = []
    for name in NAMES:
        codes = index.lines[name].to_numpy()[rows]
        here = np.flatnonzero(codes)
        if len(here):
            sides = _sides(review[here], codes[here])
            found.append(Told(name, sum(sides.values()), **sides, lines=tuple(rows[here].tolist())))
    return sorted(found, key=lambda told: (-told.reviews, told.aspect))


def _sides(review: np.ndarray, codes: np.ndarray) -> dict[Side, int]:
    """Count reviews by side; one that does both praise and blame is neutral."""
    praise = set(review[codes == CODE["positive"]].tolist())
    blame = set(review[codes == CODE["negative"]].tolist())
    every = set(review.tolist())
    both = praise & blame
    return {
        "positive": len(praise - both),
        "neutral": len(every) - len(praise ^ blame),
        "negative": len(blame - both),
    }


def clearest(index: Index, told: Told, side: Side, used: set[int]) -> int | None:
    """Return the sentence that praises or blames an aspect most clearly, of no review in `used`.

    Among equals the shorter one is taken: it speaks of the aspect alone.
    """
    codes = index.lines[told.aspect].to_numpy()
    positive, review = index.lines["positive"].to_numpy(), index.lines["review"].to_numpy()
    lengths = (index.lines["stop"] - index.lines["start"]).to_numpy()
    sign = 1 if side == "positive" else -1
    able = [row for row in told.lines if codes[row] == CODE[side] and int(review[row]) not in used]
    return min(
        able,
        key=lambda row: (-sign * round(float(positive[row]), 1), abs(lengths[row] - 60), row),
        default=None,
    )


def named(index: Index, lines: Mask, kind: entities.Kind, top: int, least: int = 2) -> list[Named]:
    """Return what the sentences name most: by reviews, those of at least `least`."""
    table = index.entities
    here = table[(table["kind"] == kind).to_numpy() & lines[table["line"].to_numpy(dtype=np.int64)]]
    review = index.lines["review"].to_numpy()[here["line"].to_numpy(dtype=np.int64)]
    found = here.assign(review=review).groupby("name", sort=True)
    counts = found["review"].nunique()
    order = sorted(counts.index, key=lambda name: (-counts[name], name))[:top]
    entries = found["entry"].first()
    return [
        Named(str(name), kind, int(counts[name]), None if pd.isna(entries[name]) else str(entries[name]))
        for name in order
        if counts[name] >= least
    ]


def by_period(index: Index, rows: Mask) -> list[Period]:
    """Return the dated reviews among `rows` by month, quarter or year, in order; empty if they are too few."""
    dates = pd.to_datetime(index.reviews["date"][rows], errors="coerce").dropna()
    if len(dates) < DATED:
        return []
    praise = index.reviews["sentiment"].loc[dates.index] == "positive"
    for frequency in ("M", "Q", "Y"):
        periods = dates.dt.to_period(frequency)
        most = {"M": MONTHS, "Q": QUARTERS}.get(frequency)
        if most is None or periods.nunique() <= most:
            break
    grouped = praise.groupby(periods)
    return [
        Period(str(name), int(count), int(positive))
        for name, count, positive in zip(grouped.size().index, grouped.size(), grouped.sum(), strict=True)
    ]


def change(periods: Sequence[Period]) -> tuple[str, float, float] | None:
    """Return from when on praise is more or less common than before: the period and both shares, or None.

    The periods are halved by reviews and the halves compared as two proportions.
    """
    total = sum(period.reviews for period in periods)
    if len(periods) < 2 or not total:
        return None
    reached, half = 0, 0
    while half < len(periods) - 1 and (half == 0 or reached + periods[half].reviews / 2 <= total / 2):
        reached += periods[half].reviews
        half += 1
    early, late = periods[:half], periods[half:]
    counts = [sum(period.reviews for period in part) for part in (early, late)]
    shares = [
        sum(period.positive for period in part) / count
        for part, count in zip((early, late), counts, strict=True)
    ]
    usual = sum(period.positive for period in periods) / total
    error = (usual * (1 - usual) * (1 / counts[0] + 1 / counts[1])) ** 0.5
    if error == 0 or abs(shares[1] - shares[0]) < SURE * error:
        return None
    return periods[half].name, shares[0], shares[1]
