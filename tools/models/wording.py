"""Counts and times as reasons and headlines put them: 2,000 orders, 9 days ago, usually comes every 6 days."""

from __future__ import annotations

import math


def count(number: float, noun: str, plural: str | None = None) -> str:
    """Return a count with its noun: 1 order, 2,000 orders."""
    return f"{number:,.0f} {noun if number == 1 else plural or noun + 's'}"


def ago(days: float) -> str:
    """Return "today" or "9 days ago"."""
    return "today" if days == 0 else f"{count(days, 'day')} ago"


def last_order(days: float) -> str:
    """Return when the last order was, in words."""
    return f"last order {ago(days)}"


def usual_gap(days: float) -> str:
    """Return the usual (median) time between days with an order, in words."""
    if math.isnan(days):
        return "has come on one day only"
    return "usually comes every day" if days == 1 else f"usually comes every {days:g} days"
