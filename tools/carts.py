"""Open carts: which are likely to be abandoned, and the nudge that fits each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from storewise.tools.customers import MOST, outside
from storewise.tools.finding import Cell, Chart, Column, DataNote, Finding, ModelNote, money, percent
from storewise.tools.models import cart
from storewise.tools.models.card import NoModel
from storewise.tools.models.sessions import OPEN_HOURS
from storewise.tools.models.wording import count
from storewise.tools.shop.generation import MissingTable, Shop

TOOL = "cart_risk"

_NUDGES = {
    "reminder": "a reminder of the cart",
    "coupon": "a coupon",
    "stock notice": "a notice of what is in stock",
    "help": "help with the checkout",
}
_VISIT_SQL = """
SELECT min(session_id) AS session_id, max(occurred_at) AS ended,
    count(*) FILTER (event = 'add_to_cart') AS adds,
    count(*) FILTER (event = 'remove_from_cart') AS removals,
    max(occurred_at) FILTER (event = 'purchase') AS bought
FROM events WHERE lower(session_id) = lower($session)
"""


def cart_risk(shop: Shop, session_id: str | None = None, top: int = 10) -> Finding:
    """Open carts likely to be abandoned, how likely, why, and the nudge that fits each.

    For "which carts are we about to lose?", "abandoned baskets", "will session S039935 buy?".

    Args:
        session_id: one visit's id, such as "S039935"; left out: the open carts at the highest risk.
        top: how many carts, the riskiest first.
    """
    if not 1 <= top <= MOST:
        return Finding(tool=TOOL, status="refused", headline=outside(top))
    try:
        shop.require("events", "session_id", "event", "occurred_at")
        card, carts = cart.open_carts(shop)
    except (MissingTable, NoModel) as error:
        return Finding(tool=TOOL, status="missing_table", headline=str(error), evidence=_provenance(shop))
    if session_id is not None:
        return _one(shop, str(session_id).strip().lstrip("#"), carts, card.note())
    if carts.empty:
        headline = (
            f"No cart is open at the end of {shop.as_of}: none had a click in the last {OPEN_HOURS} hours."
        )
        return Finding(tool=TOOL, status="answered", headline=headline, evidence=_provenance(shop))
    first = carts.iloc[0]
    worth = "" if carts["value"].isna().all() else f" worth {money(carts['value'].sum())}"
    headline = (
        f"Of {count(len(carts), 'open cart')}{worth}, session {carts.index[0]} is the likeliest to be "
        f"abandoned: {percent(first['probability'])} ({'; '.join(first['reasons'])}); "
        f"{_NUDGES[first['nudge']]} fits best. The average risk is {percent(carts['probability'].mean())}."
    )
    columns, rows = _table(carts.head(top))
    chart = Chart(
        kind="bar", x="session_id", y=("risk_at_click",), title="Risk of abandonment at the last click"
    )
    return Finding(
        tool=TOOL,
        status="answered",
        headline=headline,
        columns=columns,
        rows=rows,
        chart=chart if len(rows) > 1 else None,
        evidence=(card.note(), *_provenance(shop)),
        caveat="The risk counts the silence since the last click; nudges are judgement, none has been tried.",
    )


def _one(shop: Shop, session: str, carts: pd.DataFrame, note: ModelNote) -> Finding:
    """Answer for one visit, open or over."""
    found = shop.query(_VISIT_SQL, {"session": session}).iloc[0]
    evidence = _provenance(shop)
    if pd.isna(found["session_id"]):
        known = shop.query("SELECT max(session_id) AS id FROM events")["id"].iloc[0]
        example = "" if pd.isna(known) else f" Ids look like {known}."
        headline = f"This shop has no session “{session[:40]}”.{example}"
        return Finding(tool=TOOL, status="refused", headline=headline, evidence=evidence)
    session, ended = str(found["session_id"]), f"{found['ended']:%Y-%m-%d %H:%M}"
    if session not in carts.index:
        if not pd.isna(found["bought"]):
            headline = f"Session {session} ended with a purchase on {found['bought']:%Y-%m-%d} at "
            headline += f"{found['bought']:%H:%M}: there is no cart to lose."
        elif not found["adds"]:
            headline = f"Session {session} put nothing into a cart; its last click was at {ended}."
        elif found["adds"] <= found["removals"]:
            headline = f"Session {session} has an empty cart: all of it was taken out again by {ended}."
        else:
            headline = (
                f"Session {session} is abandoned already: its last click was at {ended}, "
                f"more than {OPEN_HOURS} hours before the end of {shop.as_of}, and nothing was bought."
            )
        return Finding(tool=TOOL, status="answered", headline=headline, evidence=evidence)
    row: Any = carts.loc[session]
    headline = (
        f"The cart of session {session} has a risk of {percent(row['probability'])} of being abandoned "
        f"({'; '.join(row['reasons'])}); {_NUDGES[row['nudge']]} fits best."
    )
    columns, rows = _table(carts.loc[[session]])
    return Finding(
        tool=TOOL,
        status="answered",
        headline=headline,
        columns=columns,
        rows=rows,
        evidence=(note, *evidence),
        caveat=f"The average risk of the {len(carts)} open carts is {percent(carts['probability'].mean())}.",
    )


def _table(carts: pd.DataFrame) -> tuple[tuple[Column, ...], tuple[tuple[Cell, ...], ...]]:
    columns = (
        Column(name="session_id", label="Session", role="entity"),
        Column(name="risk", label="Risk of abandonment", role="measure", format="percent"),
        Column(name="risk_at_click", label="Risk at the last click", role="measure", format="percent"),
        Column(name="items", label="Items", role="measure", unit="items", format="integer"),
        Column(name="value", label="Cart value", role="measure", unit="$", format="money"),
        Column(
            name="silent_hours",
            label="Hours since the last click",
            role="measure",
            unit="hours",
            format="decimal",
        ),
        Column(name="customer_id", label="Customer", role="entity"),
        Column(name="nudge", label="Nudge", role="text"),
        Column(name="why", label="Why", role="text"),
    )
    return columns, tuple(_row(str(session), row) for session, row in carts.iterrows())


def _row(session: str, row: pd.Series[Any]) -> tuple[Cell, ...]:
    return (
        session,
        float(row["probability"]),
        float(row["probability_at_click"]),
        int(row["items"]),
        None if np.isnan(row["value"]) else round(float(row["value"]), 2),
        round(float(row["idle_seconds"]) / 3600, 2),
        None if pd.isna(row["customer_id"]) else str(row["customer_id"]),
        _NUDGES[row["nudge"]],
        "; ".join(row["reasons"]),
    )


def _provenance(shop: Shop) -> tuple[DataNote, ...]:
    """Return what the shop says of where its sessions come from."""
    text = shop.manifest.get("provenance", {}).get("events")
    return (DataNote(text=text),) if text else ()
