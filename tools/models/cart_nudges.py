"""Why an open cart may be abandoned, in the visit's own figures, and the nudge that answers it.

The reasons are the groups of features whose exact contributions raise the risk most. A nudge answers
the strongest reason; so far by judgement: no nudge has been tried and measured yet.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from storewise.tools.finding import money
from storewise.tools.models.wording import count

REASONS = 3
WEIGHTY = 0.02  # log-odds: less than half a percentage point of risk is no reason

# A visit that went back and forth between cart and shop, or stopped at the checkout, is stuck; one that
# looks at a product again and again, or at many, doubts it or cannot choose; taking things out, a dear
# cart, an advertisement's guest and a rare buyer speak of the price; all else is put off.
NUDGES = {
    "pace": "reminder",
    "stage": "reminder",
    "hour": "reminder",
    "back and forth": "help",
    "browsing": "stock notice",
    "hesitation": "stock notice",
    "cart": "coupon",
    "removals": "coupon",
    "arrival": "coupon",
    "habit": "coupon",
}


def reasons(row: pd.Series[Any], parts: pd.Series[float]) -> list[str]:
    """Return three phrases: how long the visit has been silent, then what raises its risk most.

    Where fewer than two groups raise the risk, what lowers it most follows, with "though" before it.

    Args:
        row: FEATURES of the visit's last click; `idle_seconds` is the silence since.
        parts: what each group adds to the log-odds at that click.
    """
    raising = _raising(row, parts)
    lowering = [g for g in _ranked(row, -parts) if parts[g] < -WEIGHTY and g not in raising]
    told = [*(phrase(g, row) for g in raising), *(f"though {phrase(g, row)}" for g in lowering)]
    return [phrase("silence", row), *told][:REASONS]


def nudge(row: pd.Series[Any], parts: pd.Series[float], usual_value: float) -> str:
    """Return the nudge for the strongest reason; `usual_value` is the median of the open carts' values."""
    if _stuck(row):
        return "help"
    raising = _raising(row, parts)
    if not raising:
        return "reminder"
    if raising[0] == "cart" and not row["value"] >= usual_value:
        return "reminder"  # the price of a small cart keeps nobody from buying
    return NUDGES[raising[0]]


def _raising(row: pd.Series[Any], parts: pd.Series[float]) -> list[str]:
    weighty = [group for group in _ranked(row, parts) if parts[group] > WEIGHTY]
    if _stuck(row):  # what calls for help is said in any case
        weighty = ["stage", *(group for group in weighty if group != "stage")]
    return weighty


def _stuck(row: pd.Series[Any]) -> bool:
    return bool(row["checkouts"] or row["payments"])


def _ranked(row: pd.Series[Any], parts: pd.Series[float]) -> list[str]:
    """Return the groups whose reasons speak of something that happened in the visit, the largest first."""
    ranked = parts.sort_values(ascending=False, kind="stable").index
    return [str(group) for group in ranked if _told(str(group), row)]


def _told(group: str, row: pd.Series[Any]) -> bool:
    """Say whether a group's reason speaks of something that happened in the visit."""
    needed = {"back and forth": "returns_from_cart", "hesitation": "repeated_views", "removals": "removals"}
    if group == "back and forth" and row["returns_from_checkout"]:
        return True
    return group not in needed or bool(row[needed[group]])


def phrase(group: str, row: pd.Series[Any]) -> str:
    """Return a group's reason in words with the visit's own figures."""
    match group:
        case "silence":
            return f"no click for {duration(row['idle_seconds'])}"
        case "pace":
            return _pace(row)
        case "stage":
            return _stage(row)
        case "back and forth":
            if row["returns_from_checkout"]:
                return f"went back from the checkout {times(row['returns_from_checkout'])}"
            return f"went back from the cart to the shop {times(row['returns_from_cart'])}"
        case "browsing":
            views = count(row["product_views"], "product view")
            return f"{views} for {count(row['items'], 'item')} in the cart"
        case "hesitation":
            if row["most_views_of_one"] > 1:
                return f"looked at one product {times(row['most_views_of_one'])}"
            return f"looked again at {count(row['repeated_views'], 'product')}"
        case "cart":
            worth = "" if np.isnan(row["value"]) else f" worth {money(row['value'])}"
            return f"{count(row['items'], 'item')}{worth} in the cart"
        case "removals":
            return f"{count(row['removals'], 'item')} taken out of the cart again"
        case "arrival":
            device = f"on {row['device']}" if isinstance(row["device"], str) else ""
            channel = f"through {row['channel']}" if isinstance(row["channel"], str) else ""
            return " ".join(word for word in ("came", channel, device) if word)
        case "habit":
            return _habit(row)
        case _:
            return f"last click at {row['hour']:02.0f}:00 to {row['hour']:02.0f}:59"


def _pace(row: pd.Series[Any]) -> str:
    if row["long_pauses"]:
        return f"paused for {duration(row['longest_pause'])} in between"
    if np.isnan(row["mean_pause"]):
        return "has clicked only once"
    return f"{duration(row['mean_pause'])} between clicks on average"


def _stage(row: pd.Series[Any]) -> str:
    worth = "" if np.isnan(row["value"]) else f" with {money(row['value'])} in the cart"
    if row["payments"]:
        return f"stopped at the payment{worth}"
    if row["checkouts"]:
        return f"stopped at the checkout{worth}"
    if row["cart_views"]:
        return f"opened the cart {times(row['cart_views'])}, but has not gone to the checkout"
    return f"has not opened the cart in {count(row['clicks'], 'click')}"


def _habit(row: pd.Series[Any]) -> str:
    if not row["signed_in"]:
        return "not signed in"
    if not row["earlier_carts"]:
        return "no earlier visit with a cart"
    bought = round(row["earlier_carts"] * row["earlier_bought_share"])
    return f"bought in {bought} of {count(row['earlier_carts'], 'earlier visit')} with a cart"


def times(number: float) -> str:
    """Return how often, in words: once, twice, 3 times."""
    return {1: "once", 2: "twice"}.get(int(number), f"{number:,.0f} times")


def duration(seconds: float) -> str:
    """Return a length of time in its largest whole unit up to hours."""
    if seconds < 60:
        return count(np.floor(seconds), "second")
    if seconds < 3600:
        return count(seconds // 60, "minute")
    return count(seconds // 3600, "hour")
