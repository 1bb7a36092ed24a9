"""Why a customer's risk is higher or lower than the average: exact contributions, said in own figures.

The contributions of all features to the log-odds are added up by group. They are told against a customer
of average risk, so that together they are what sets this customer apart from the average, and a phrase is said
only if its figures point the same way as the group's contribution: somebody who came yesterday is not said to be
at risk for that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from storewise.tools.finding import money, percent
from storewise.tools.models import features, rhythm
from storewise.tools.models.wording import count, last_order, usual_gap

MOST = 3  # reasons of a score

# What a reason speaks of. Every feature of the model stands in one group.
GROUPS: dict[str, tuple[str, ...]] = {
    "time since the last order against the usual gap": (
        *features.GROUPS["rhythm"],
        *rhythm.GROUPS["silence"],
        *rhythm.GROUPS["lost"],
        *rhythm.GROUPS["gaps"],
        "none_7",
        "none_14",
    ),
    "orders in the last weeks": (
        "orders_30",
        "orders_60",
        "orders_90",
        *(name for name in rhythm.GROUPS["pace"] if name not in ("none_7", "none_14")),
        *rhythm.GROUPS["weeks"],
    ),
    "trend of the orders": ("orders_trend", "spend_trend", *rhythm.GROUPS["trend"]),
    "orders since the first": features.GROUPS["orders"],
    "spend": (*features.GROUPS["spend"], *rhythm.GROUPS["spend"]),
    "breadth of what is bought": features.GROUPS["breadth"],
    "discounts": features.GROUPS["discount"],
    "days of the week": features.GROUPS["weekday"],
}


def against_average(parts: pd.DataFrame, probability: pd.Series[float]) -> pd.DataFrame:
    """Return each group's contribution beyond that to a customer of average risk.

    A row adds up to the customer's log-odds less those of the mean probability: all reasons together
    have the sign of the comparison with the average that people are told.
    """
    groups = parts.drop(columns="base")
    average = float(probability.mean())
    wanted = np.log(average / (1 - average)) - float(parts["base"].iloc[0])
    # Between everybody's mean and the mean of the risky lies one whose log-odds are the average's.
    plain, risky = groups.mean(), groups.mul(probability, axis=0).sum() / probability.sum()
    apart = float(risky.sum() - plain.sum())
    share = (wanted - float(plain.sum())) / apart if abs(apart) > 1e-9 else 0.0
    return groups - (plain + share * (risky - plain))


def reasons(table: pd.DataFrame, parts: pd.DataFrame) -> list[list[str]]:
    """Return for each row one to MOST phrases of the customer's own figures, the weightiest first.

    Args:
        table: FEATURES of both modules and probability, a row per customer.
        parts: the same rows' contributions, of `against_average`.
    """
    usual = table[["orders_90", "orders_per_30", "spend_90", "categories_90"]].median()
    raised = table["probability"] >= table["probability"].mean()
    found = []
    for row, part, raising in zip(
        table.to_dict("records"), parts.to_dict("records"), raised.tolist(), strict=True
    ):
        sign = 1 if raising else -1
        ranked = sorted(part, key=lambda group: sign * part[group], reverse=True)
        said = [(group, _phrase(str(group), row, usual, raising)) for group in ranked]
        phrases = [phrase for group, phrase in said if phrase and sign * part[group] > 0][:MOST]
        found.append(phrases or [last_order(row["recency_days"])])
    return found


def _phrase(group: str, row: Mapping[Any, Any], usual: pd.Series[float], raising: bool) -> str | None:
    """Return the customer's figures of `group`, None where they do not speak for the given direction."""
    speaks = _PHRASES[group](row, usual)
    if speaks is None:
        return None
    phrase, direction = speaks
    return phrase if direction in (0, 1 if raising else -1) else None


Speaks = (
    tuple[str, int] | None
)  # a phrase, and 1 where it speaks for a higher risk, -1 for a lower, 0 for either


def _rhythm(row: Mapping[Any, Any], usual: pd.Series[float]) -> Speaks:
    silence, gap = row["recency_days"], row["gap_median"]
    longer = np.isnan(gap) or silence > gap
    return f"{last_order(silence)}, {usual_gap(gap)}", 1 if longer else -1


def _orders(row: Mapping[Any, Any], usual: pd.Series[float]) -> Speaks:
    number = row["orders_90"]
    said = f"{count(number, 'order') if number else 'no order'} in the last 90 days"
    return said, _below(number, usual["orders_90"])


def _trend(row: Mapping[Any, Any], usual: pd.Series[float]) -> Speaks:
    before = row["tenure_days"] - 29
    if before < 30:
        return None
    pace = 30 * (row["orders"] - row["orders_30"]) / before
    orders = count(row["orders_30"], "order") if row["orders_30"] else "no order"
    return f"{orders} in the last 30 days, against {pace:.1f} per 30 days before", _below(
        row["orders_30"], pace
    )


def _history(row: Mapping[Any, Any], usual: pd.Series[float]) -> Speaks:
    said = f"{count(row['orders'], 'order')} in {count(row['tenure_days'] + 1, 'day')}"
    return said, _below(row["orders_per_30"], usual["orders_per_30"])


def _spend(row: Mapping[Any, Any], usual: pd.Series[float]) -> Speaks:
    if not row["orders_90"]:
        return None  # the orders of these days say it already
    spent = money(row["spend_90"]) if row["spend_90"] else "nothing"
    return f"{spent} spent in the last 90 days", _below(row["spend_90"], usual["spend_90"])


def _breadth(row: Mapping[Any, Any], usual: pd.Series[float]) -> Speaks:
    number = row["categories_90"]
    if not number:
        return None  # no order in these days, or of products that the catalogue lacks
    said = f"bought from {count(number, 'category', 'categories')} in the last 90 days"
    return said, _below(number, usual["categories_90"])


def _discount(row: Mapping[Any, Any], usual: pd.Series[float]) -> Speaks:
    share = row["discount_share"]
    return None if np.isnan(share) else (f"discounts took {percent(share)} off the prices", 0)


def _weekday(row: Mapping[Any, Any], usual: pd.Series[float]) -> Speaks:
    return f"{percent(row['weekend_share'])} of the orders at a weekend", 0


_PHRASES: dict[str, Callable[[Mapping[Any, Any], pd.Series[float]], Speaks]] = dict(
    zip(GROUPS, (_rhythm, _orders, _trend, _history, _spend, _breadth, _discount, _weekday), strict=True)
)


def _below(value: float, usual: float) -> int:
    """Return 1 where a figure lies below the usual one, which speaks for a higher risk; -1 above; else 2."""
    return 1 if value < usual else -1 if value > usual else 2
