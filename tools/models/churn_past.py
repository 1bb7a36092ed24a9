"""What was known of each customer at past cut-offs, and who came again in time: the churn model's table.

A customer has churned at a cut-off who places no order within so many days after it. The shop sets the
days: one number for all, or each customer's own limit, the gap that 95 of 100 of their gaps do not
exceed (`gap_95` of rhythm.py), at least LEAST_OWN and at most MOST_OWN days.
"""

from __future__ import annotations

import datetime as dt
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from storewise.tools.models import features as basics
from storewise.tools.models.rhythm import FEATURES as RHYTHM
from storewise.tools.models.rhythm import Visits, rhythm
from storewise.tools.shop.generation import Shop, ShopError

OWN_RHYTHM = "own rhythm"
After = int | Literal["own rhythm"]

FEATURES = (*basics.FEATURES, *RHYTHM)
LEAST_OWN, MOST_OWN = 14, 90
LEAST_DAYS, MOST_DAYS = 7, 365

HISTORY_DAYS = 60  # the first cut-off has at least this much behind it
STEP_DAYS = 15  # between two cut-offs
MOST_CUTOFFS = 24

# Days from $cutoff to each customer's next day with an order, if within $days.
NEXT_SQL = """
SELECT customer_id, min(CAST(ordered_at AS DATE)) - CAST($cutoff AS DATE) AS days FROM orders
WHERE ordered_at >= CAST($cutoff AS DATE) + 1
    AND ordered_at < CAST($cutoff AS DATE) + 1 + CAST($days AS INTEGER)
GROUP BY customer_id
"""


def definition(text: str) -> After:
    """Return when a customer counts as gone, as a setting says it: a number of days, or "own rhythm".

    Raises:
        ShopError: neither of them.
    """
    cleaned = text.strip().lower()
    if " ".join(cleaned.replace("_", " ").replace("-", " ").split()) == OWN_RHYTHM:
        return "own rhythm"
    if cleaned.isdecimal() and LEAST_DAYS <= int(cleaned) <= MOST_DAYS:
        return int(cleaned)
    raise ShopError(
        f"“{text.strip()[:40]}” does not say when a customer counts as gone. Give a number of days from "
        f"{LEAST_DAYS} to {MOST_DAYS}, such as 60, or: own rhythm"
    )


def longest(after: After) -> int:
    """Return the days after a cut-off that must be over before all labels are known."""
    return MOST_OWN if after == OWN_RHYTHM else int(after)


def limits(table: pd.DataFrame, after: After) -> npt.NDArray[np.int64]:
    """Return for each row of `table` (FEATURES) the days without an order that make a customer count as gone."""
    if after == OWN_RHYTHM:
        own = np.ceil(table["gap_95"].to_numpy(dtype=np.float64))
        return np.asarray(np.clip(own, LEAST_OWN, MOST_OWN), dtype=np.int64)
    return np.full(len(table), int(after), dtype=np.int64)


def known(shop: Shop, cutoff: dt.date, visits: Visits | None = None) -> pd.DataFrame:
    """Return customer_id and FEATURES, a row per customer with an order by the end of `cutoff`."""
    table = basics.features(shop, cutoff)
    own = rhythm(visits or Visits.until(shop, cutoff), cutoff)
    return table.merge(own, on="customer_id", how="inner", validate="one_to_one")


def churned(shop: Shop, cutoff: dt.date, table: pd.DataFrame, after: After) -> npt.NDArray[np.bool_]:
    """Say for each row of `table` (`known` at `cutoff`) whether no order came in time.

    Raises:
        ValueError: the days after the cut-off are not over by `as_of`.
    """
    if cutoff + dt.timedelta(days=longest(after)) > shop.as_of:
        raise ValueError(f"the {longest(after)} days after {cutoff} are not over by {shop.as_of}")
    coming = shop.query(NEXT_SQL, {"cutoff": cutoff, "days": longest(after)}).set_index("customer_id")["days"]
    days = table["customer_id"].map(coming).to_numpy(dtype=np.float64, na_value=np.inf)
    return np.asarray(days > limits(table, after))


class Past:
    """Features and labels at past cut-offs, each computed once."""

    def __init__(self, shop: Shop, after: After) -> None:
        self._shop = shop
        self._after = after
        self._tables: dict[dt.date, pd.DataFrame] = {}
        # Each cut-off looks at the visits up to its own day alone.
        self.visits = Visits.until(shop, shop.as_of)
        day = self.visits.day.min() if len(self.visits.day) else None
        self._first = None if day is None else dt.date(1970, 1, 1) + dt.timedelta(days=int(day))

    def cutoffs(self, last: dt.date) -> list[dt.date]:
        """Return the days to learn from, `last` and earlier ones, as far back as the orders allow."""
        if self._first is None:
            return []
        earliest = self._first + dt.timedelta(days=HISTORY_DAYS - 1)
        days = [last - dt.timedelta(days=STEP_DAYS * step) for step in range(MOST_CUTOFFS)]
        return [day for day in days if day >= earliest]

    def before(self, cutoff: dt.date) -> list[dt.date]:
        """Return the cut-offs whose labels were known by `cutoff`."""
        return self.cutoffs(cutoff - dt.timedelta(days=longest(self._after)))

    def table(self, cutoffs: list[dt.date]) -> pd.DataFrame:
        """Return customer_id, FEATURES, churned and cutoff, a row per customer and cut-off."""
        for cutoff in cutoffs:
            if cutoff not in self._tables:
                table = known(self._shop, cutoff, self.visits)
                label = churned(self._shop, cutoff, table, self._after)
                self._tables[cutoff] = table.assign(churned=label, cutoff=cutoff)
        if not cutoffs:
            return pd.DataFrame(columns=["customer_id", *FEATURES, "churned", "cutoff"])
        return pd.concat([self._tables[cutoff] for cutoff in cutoffs], ignore_index=True)
