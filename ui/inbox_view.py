"""The Inbox tab as markup: tickets, conversations, what was said in one of them and what the desk decided.

All text is shown as it was stored, masked; it is escaped here, with what cannot be seen in it made visible.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Sequence
from html import escape
from typing import Any

from storewise.tools.desk.records import Conversation, Decided, Message, Ticket
from storewise.ui.render import Block, icon, title, told, visible
from storewise.ui.turns import prose

TICKET = {"waiting": "Waiting", "taken": "With a person", "closed": "Closed"}
STATE = {
    "desk": "The desk answers",
    "waiting": "Waits for a person",
    "person": "With a person",
    "closed": "Ended",
}
MOOD = {"calm": "calm", "annoyed": "annoyed", "angry": "angry"}
NO_TICKETS = (
    "No ticket is open. One is opened when a customer asks for a person or is angry, when the desk has failed "
    "twice, or when a wish is reserved to people."
)
NO_CONVERSATIONS = "None yet. Conversations that the desk leads by itself are listed here, to be read."
NO_DESK = (
    "No service desk runs here, so there is nothing to answer. Once one does, its tickets and conversations are "
    "found here. Load the demo's shop with: storewise load --desk --demo"
)
_SPEAKERS = {"customer": "Customer", "desk": "Desk", "staff": "Staff"}
_MARKS = {"refused": "info", "declined": "info", "written": "check", "handed over": "person"}


def age(since: dt.datetime, now: dt.datetime) -> str:
    """Return how long ago something was, in the largest unit that fits; older than a week, the day."""
    minutes = int((now - since).total_seconds() // 60)
    if minutes < 1:
        return "just now"
    if minutes < 60:
        return f"{minutes} min ago"
    if minutes < 24 * 60:
        return f"{minutes // 60} h ago"
    if minutes < 7 * 24 * 60:
        days = minutes // (24 * 60)
        return f"{days} day{'' if days == 1 else 's'} ago"
    return f"{since:%Y-%m-%d}"


def tickets(found: Sequence[Ticket], now: dt.datetime) -> str:
    """Return the tickets as a list of links: the open ones first, then those that are closed."""
    still = [one for one in found if one.state != "closed"]
    closed = [one for one in found if one.state == "closed"]
    shown = _list([_ticket(one, now) for one in still]) if still else f'<p class="none">{NO_TICKETS}</p>'
    if closed:
        shown += (
            f'<details class="fold" data-fold="closed"><summary>Closed<span class="count">{len(closed)}</span>'
            f"</summary>{_list([_ticket(one, now) for one in reversed(closed)])}</details>"
        )
    return shown


def _ticket(one: Ticket, now: dt.datetime) -> str:
    with_whom = f" · {told(one.staff)}" if one.staff and one.state == "taken" else ""
    return (
        f'<a href="#inbox/{escape(one.conversation_id)}" data-conversation="{escape(one.conversation_id)}">'
        f"<b>{told(_short(one.summary))}</b><small>{told(one.user_id)}</small>"
        f'<small><span class="how {one.state}">{TICKET[one.state]}</span>{with_whom} · {_mood(one.mood)} · '
        f"{age(one.opened_at, now)}</small></a>"
    )


def conversations(found: Sequence[Conversation], now: dt.datetime) -> str:
    """Return conversations as a list of links."""
    if not found:
        return f'<p class="none">{NO_CONVERSATIONS}</p>'
    return _list(
        [
            f'<a href="#inbox/{escape(one.conversation_id)}" data-conversation="{escape(one.conversation_id)}">'
            f"<b>{told(one.user_id)}</b><small>{one.messages:,} message{'' if one.messages == 1 else 's'} · "
            f"{age(one.last_at, now)}</small></a>"
            for one in found
        ]
    )


def _list(links: Sequence[str]) -> str:
    return f"<ol>{''.join(f'<li>{link}</li>' for link in links)}</ol>"


def head(one: Conversation, ticket: Ticket | None, name: str, now: dt.datetime) -> str:
    """Return what stands above a conversation: whose it is, who has it, and the ticket's summary."""
    who = (
        f"<h2>{told(name or one.user_id)}</h2><code>{told(one.user_id)}</code>"
        if name
        else (f"<h2>{told(one.user_id)}</h2>")
    )
    taker = f" ({told(ticket.staff)})" if ticket and ticket.staff and one.state == "person" else ""
    parts = [
        f'<header>{who}<span class="chip {one.state}">{STATE[one.state]}{taker}</span></header>',
        f'<p class="begun">Begun {age(one.begun_at, now)}, last message {age(one.last_at, now)}. E-mails, phones, '
        "cards and addresses are masked.</p>",
    ]
    if ticket is not None:
        tried = "".join(f"<li>{told(text)}</li>" for text in _tried(ticket.tried))
        parts.append(
            f'<dl><div class="wide"><dt>What it is about</dt><dd>{told(ticket.summary)}</dd></div>'
            + (f'<div class="wide"><dt>Tried</dt><dd><ul>{tried}</ul></dd></div>' if tried else "")
            + f"<div><dt>Mood</dt><dd>{_mood(ticket.mood)}</dd></div>"
            f"<div><dt>{'Waiting since' if ticket.state == 'waiting' else 'Called'}</dt>"
            f"<dd>{_time(ticket.opened_at, '%Y-%m-%d %H:%M UTC', day=True)}</dd></div>"
            f"<div><dt>Ticket</dt><dd>{escape(ticket.ticket_id)} · {TICKET[ticket.state].lower()}</dd></div></dl>"
        )
    return "".join(parts)


def acts(one: Conversation) -> str:
    """Return the buttons that fit a conversation's state."""
    if one.state == "person":
        return '<button type="button" data-act="give_back">Give back to the desk</button>'
    if one.state == "closed":
        return ""
    urgent = ' class="does"' if one.state == "waiting" else ""
    return f'<button type="button"{urgent} data-act="take">Take over</button>'


def blocks(said: Sequence[Message], decided: Sequence[Decided]) -> list[Block]:
    """Return a conversation as blocks with keys: each message with what the desk decided upon it."""
    upon: dict[int, list[Decided]] = {}
    for decision in decided:
        upon.setdefault(decision.message, []).append(decision)
    found: list[Block] = [{"key": "m0", "html": _steps(upon[0])}] if 0 in upon else []
    for one in said:
        html = _message(one) + _steps(upon.get(one.number, ()))
        found.append({"key": f"m{one.number}", "html": html})
    if not found:
        found.append({"key": "none", "html": '<p class="none">Nothing has been said in it yet.</p>'})
    return found


def _message(one: Message) -> str:
    when = _time(one.at, "%H:%M UTC")
    return (
        f'<div class="said {one.who}"><p class="speaker">{_SPEAKERS[one.who]}{when}</p>'
        f'<div class="words">{prose(visible(one.text))}</div></div>'
    )


def _steps(decided: Sequence[Decided]) -> str:
    return f'<div class="steps">{"".join(map(_step, decided))}</div>' if decided else ""


def _step(one: Decided) -> str:
    name = title(one.tool) if one.tool else "No tool"
    brief = " · ".join(f"{key.replace('_', ' ')} {_plain(value)}" for key, value in one.arguments.items())
    listed = "".join(
        f"<dt>{told(key.replace('_', ' '))}</dt><dd>{told(_plain(value))}</dd>"
        for key, value in one.arguments.items()
    )
    why = f"<dt>why</dt><dd>{told(one.why)}</dd>" if one.why else ""
    tool = f"<dt>tool</dt><dd><code>{told(one.tool)}</code></dd>" if one.tool else ""
    kind = one.decision.replace(" ", "-")
    return (
        f'<details class="step {escape(kind)}" data-fold="d{one.number}"><summary>'
        f'{icon(_MARKS.get(one.decision, "chevron"))}<span class="name">{told(name)}</span>'
        f'<span class="brief">{told(brief)}</span>'
        f'<span class="status">{told(one.decision)}{f": {told(one.why)}" if one.why else ""}</span></summary>'
        f"<dl>{tool}{listed}{why}<dt>at</dt><dd>{_time(one.at, '%Y-%m-%d %H:%M UTC', day=True)}</dd></dl></details>"
    )


def _time(at: dt.datetime, shape: str, day: bool = False) -> str:
    """Return a moment, which the page's script tells in the reader's own time."""
    return f'<time datetime="{at:%Y-%m-%dT%H:%M:%SZ}"{" data-day" if day else ""}>{at.strftime(shape)}</time>'


def _tried(tried: Sequence[str]) -> list[str]:
    """Return what was tried in plain words, each once with how often."""
    plain = Counter(text.replace("_", " ").capitalize() for text in tried)
    return [text if times == 1 else f"{text} ({times} times)" for text, times in plain.items()]


def _mood(mood: str) -> str:
    return f'<span class="mood {escape(mood)}">{escape(MOOD.get(mood, mood))}</span>'


def _short(text: str, most: int = 110) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
