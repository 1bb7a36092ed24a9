"""What customers contact the service desk about, and in which mood; counted from the desk's records."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from pydantic_settings import BaseSettings, SettingsConfigDict

from storewise.tools.desk.record_tables import Mood
from storewise.tools.desk.records import Contacts, Records
from storewise.tools.desk.store import DATABASE, DeskAway, connect
from storewise.tools.finding import Cell, Chart, Column, DataNote, Finding, count_column, percent
from storewise.tools.models.wording import count
from storewise.tools.shop.generation import Shop

TOOL = "customer_contacts"
MOST = 100  # rows
EMPTY = "The service desk has no dialogues yet, so there is nothing to count."
NOTE = "Counted from the service desk's dialogues: a wish counts once a day in each conversation."
WEEK = dt.timedelta(days=7)

# The desk's tools as what a customer wants.
WISHES = {
    "cancel_pending_order": "cancel an order",
    "modify_pending_order_address": "change an order's address",
    "modify_pending_order_items": "change an order's items",
    "modify_pending_order_payment": "change an order's payment",
    "return_delivered_order_items": "return items",
    "exchange_delivered_order_items": "exchange items",
    "modify_user_address": "change their own address",
    "get_order_details": "ask about an order",
    "find_orders": "see their orders",
    "get_user_details": "ask about their account",
    "get_product_details": "ask about a product",
    "list_all_product_types": "ask what is sold",
    "search_reviews": "ask what others say",
    "transfer_to_human_agents": "talk to a person",
    "outside": "something else",
    "policy": "what the desk may not do",
}
_Row = tuple[dt.date, str, Mood, int]


class _Place(BaseSettings):
    """Where the desk's records lie, read as `agent.settings` reads it."""

    model_config = SettingsConfigDict(env_prefix="STOREWISE_", env_file=".env", extra="ignore")

    desk_url: str = ""


def customer_contacts(
    shop: Shop,
    by: Literal["none", "wish", "mood", "week"] = "wish",
    start: dt.date | None = None,
    end: dt.date | None = None,
    top: int = 10,
) -> Finding:
    """What customers contact the service desk about, how often, and in which mood: their wishes in the
    help chat, such as cancellations, returns, exchanges and questions about orders.

    For "what do customers contact us about?", "why do people write to the service desk?", "how many
    customers were angry in the chat last week?", "which support requests are most common?", "how many contacts did
    the desk have per week?", "how often do customers ask the desk to cancel?".

    Args:
        by: wish for a ranking of what is wanted; mood for calm, annoyed and angry; week for a series; none for a total.
        start: first day, ISO, included; left out: from the first dialogue.
        end: last day, ISO, included; left out: up to the latest dialogue.
        top: how many rows a ranking has.
    """
    if not 1 <= top <= MOST:
        return _refused(f"A ranking has between 1 and {MOST} rows, not {top}.")
    if start and end and end < start:
        return _refused(f"The period ends ({end}) before it starts ({start}).")
    try:
        found = _contacts(shop, start, end)
    except DeskAway as away:
        return Finding(tool=TOOL, status="missing_table", headline=str(away))
    if found is None:
        return Finding(tool=TOOL, status="missing_table", headline=EMPTY)
    first, last, days, contacts = found
    period = f"Between {first} and {last}" if first < last else f"On {first}"
    evidence = (DataNote(text=NOTE),)
    if not contacts.counts:
        headline = (
            f"{period} nobody told the service desk a wish; its dialogues reach from {days[0]} to {days[1]}."
        )
        return Finding(
            tool=TOOL,
            status="answered",
            headline=headline,
            evidence=evidence,
            caveat=_clock(shop, days, bool(start or end)),
        )
    rows = list(contacts.counts)
    columns, table, chart = _TABLES[by](rows, top)
    return Finding(
        tool=TOOL,
        status="answered",
        headline=_headline(period, contacts, by, last),
        columns=columns,
        rows=table,
        chart=chart if len(table) > 1 else None,
        evidence=evidence,
        caveat=_clock(shop, days, bool(start or end)),
    )


def _refused(sentence: str) -> Finding:
    return Finding(tool=TOOL, status="refused", headline=sentence)


def _contacts(
    shop: Shop, start: dt.date | None, end: dt.date | None
) -> tuple[dt.date, dt.date, tuple[dt.date, dt.date], Contacts] | None:
    """Return the period, the days that have dialogues, and what was counted; None where there are none."""
    folder, url = _home(shop), _Place().desk_url
    # Reading must not make a database where there is none.
    if not url and not (folder / DATABASE).is_file():
        return None
    engine = connect(url, folder)
    try:
        records = Records(engine)
        days = records.days()
        if days is None:
            return None
        first, last = start or days[0], end or max(days[1], start or days[1])
        if last < first:
            first = last
        return first, last, days, records.contacts(first, last)
    finally:
        engine.dispose()


def _home(shop: Shop) -> Path:
    """Return the home that holds the shop's generations, and the desk beside them."""
    return shop.path.parents[1]


def _headline(period: str, contacts: Contacts, by: str, last: dt.date) -> str:
    rows = list(contacts.counts)
    total = sum(times for *_, times in rows)
    wishes, moods = _sums(rows, 1), _sums(rows, 2)
    said = f"{period} customers told the service desk {count(total, 'wish', 'wishes')}"
    if by == "mood":
        parts = [f"{moods[mood]:,} {mood}" for mood in ("calm", "annoyed", "angry")]
        return f"{said}: {parts[0]}, {parts[1]} and {parts[2]}."
    named = [
        f"to {_wish(wish)} ({times:,}, {percent(times / total)})"
        if wish in WISHES and wish not in ("outside", "policy")
        else f"{_wish(wish)} ({times:,}, {percent(times / total)})"
        for wish, times in wishes.most_common(2)
    ]
    most = f"; most often they wanted {named[0]}" if len(named) == 1 or by != "wish" else ""
    most = most or f"; most often they wanted {named[0]}, then {named[1]}"
    upset = moods["annoyed"] + moods["angry"]
    mood = f" {upset:,} were told annoyed or angry." if upset else " None was told annoyed or angry."
    return f"{said}{most}.{mood}{_trend(rows, last)}"


def _trend(rows: list[_Row], last: dt.date) -> str:
    """Return how the last seven days compare with the seven before, empty where there is no before."""
    now = sum(times for day, *_, times in rows if last - WEEK < day <= last)
    before = sum(times for day, *_, times in rows if last - 2 * WEEK < day <= last - WEEK)
    if min(day for day, *_ in rows) > last - WEEK:
        return ""
    return f" The last 7 days had {now:,}, the 7 days before {before:,}."


def _clock(shop: Shop, days: tuple[dt.date, dt.date], dated: bool) -> str | None:
    """Return the sentence that is due where the desk's days lie beyond those of the shop's data."""
    if not dated or days[0] <= shop.as_of:
        return None
    return (
        f"Times such as last week count from the last day of the shop's data, {shop.as_of}; "
        f"the desk's dialogues are of {days[0]} to {days[1]}."
    )


def _wish(wish: str) -> str:
    return WISHES.get(wish, wish.replace("_", " "))


def _sums(rows: list[_Row], place: int) -> Counter[str]:
    sums: Counter[str] = Counter()
    for row in rows:
        sums[str(row[place])] += row[3]
    return sums


_MOODS = (
    count_column("contacts", "Contacts", "contacts"),
    count_column("annoyed", "Annoyed", "contacts"),
    count_column("angry", "Angry", "contacts"),
)
_SHARE = Column(name="share", label="Share", role="measure", format="percent")
_Table = tuple[tuple[Column, ...], tuple[tuple[Cell, ...], ...], Chart]


def _moods(rows: list[_Row]) -> tuple[int, int, int]:
    moods = _sums(rows, 2)
    return sum(moods.values()), moods["annoyed"], moods["angry"]


def _by_wish(rows: list[_Row], top: int) -> _Table:
    total = sum(times for *_, times in rows)
    columns = (Column(name="wish", label="Wish", role="entity"), _MOODS[0], _SHARE, *_MOODS[1:])
    table: list[tuple[Cell, ...]] = []
    for wish, times in _sums(rows, 1).most_common(top):
        _, annoyed, angry = _moods([row for row in rows if row[1] == wish])
        table.append((_wish(wish), times, times / total, annoyed, angry))
    return columns, tuple(table), Chart(kind="bar", x="wish", y=("contacts",), title="What customers wanted")


def _by_mood(rows: list[_Row], top: int) -> _Table:
    total, moods = sum(times for *_, times in rows), _sums(rows, 2)
    columns = (Column(name="mood", label="Mood", role="entity"), _MOODS[0], _SHARE)
    table = tuple((mood, moods[mood], moods[mood] / total) for mood in ("calm", "annoyed", "angry"))
    return columns, table, Chart(kind="bar", x="mood", y=("contacts",), title="The customers' mood")


def _by_week(rows: list[_Row], top: int) -> _Table:
    weeks: dict[dt.date, list[_Row]] = {}
    for row in rows:
        weeks.setdefault(row[0] - dt.timedelta(days=row[0].weekday()), []).append(row)
    day, last = min(weeks), max(weeks)
    table: list[tuple[Cell, ...]] = []
    # A week without any contact is a row as well.
    while day <= last:
        table.append((day, *_moods(weeks.get(day, []))))
        day += WEEK
    columns = (Column(name="week", label="Week from", role="date", format="date"), *_MOODS)
    return columns, tuple(table), Chart(kind="line", x="week", y=("contacts",), title="Contacts a week")


def _in_all(rows: list[_Row], top: int) -> _Table:
    chart = Chart(kind="bar", x="contacts", y=("contacts",), title="Contacts")
    return _MOODS, (_moods(rows),), chart


_TABLES: dict[str, Callable[[list[_Row], int], _Table]] = {
    "none": _in_all,
    "wish": _by_wish,
    "mood": _by_mood,
    "week": _by_week,
}
