"""The customers' desk as markup: the sign-in, what was said, order cards, and changes that wait for a yes.

All text is escaped here, with what cannot be seen in it made visible; nothing that a customer, a review or
a model wrote is obeyed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Literal

from storewise.agent.desk.reply import OrderCard, Proposal, Reply
from storewise.tools.finding import Finding
from storewise.ui.render import Block, card, evidence, icon, problem, told, visible
from storewise.ui.turns import prose

Who = Literal["customer", "desk", "staff"]

PERSON = "A person from the shop"
WISHES = (
    ("Delivery", "Where is my order?"),
    ("Cancel", "I would like to cancel an order"),
    ("Return or exchange", "I want to send something back"),
    ("Address", "My address has changed"),
    ("Products", "Which water bottles do you have?"),
    ("A person", "I would like to talk to a person"),
)
DONE = {
    "cancel_pending_order": "Order cancelled",
    "modify_pending_order_address": "Delivery address changed",
    "modify_pending_order_items": "Items changed",
    "modify_pending_order_payment": "Payment changed",
    "return_delivered_order_items": "Return asked for",
    "exchange_delivered_order_items": "Exchange asked for",
    "modify_user_address": "Address changed",
}
_ASKED = {
    "cancel_pending_order": "Cancel the order",
    "modify_pending_order_address": "Change the delivery address",
    "modify_pending_order_items": "Change the items",
    "modify_pending_order_payment": "Change the payment",
    "return_delivered_order_items": "Return items",
    "exchange_delivered_order_items": "Exchange items",
    "modify_user_address": "Change your address",
}
_STATES = {
    "waiting": "A person from the shop has been called and will answer here. You can write on meanwhile, "
    "and close this page: the conversation is kept.",
    "person": "A person from the shop has taken over this conversation.",
    "closed": "This conversation has ended. Begin a new one whenever you like.",
}
_BACK = "The desk answers again."
_WITH_CARDS = frozenset({"find_orders", "get_order_details"})


@dataclass(frozen=True)
class Customer:
    """One of the demo's customers, as the sign-in lists them."""

    user_id: str
    name: str
    orders: str


@dataclass(frozen=True)
class Said:
    """One message of a conversation; a desk's message may have its whole reply."""

    number: int
    who: Who
    text: str
    reply: Reply | None = None


@dataclass(frozen=True)
class Shown:
    """What is shown of a conversation.

    Attributes:
        pending: the proposal that still waits for an answer.
        pressed: by proposal, whether its yes or its no was pressed here.
        sent: what the customer has just sent, while it is being answered.
        doing: what the desk is doing just now, None if nothing.
        words: what a large model has written so far.
        problem: why the last thing could not be done.
        aside: what the desk said beside the conversation.
    """

    said: Sequence[Said] = ()
    state: str = "desk"
    pending: str | None = None
    pressed: Mapping[str, bool] = field(default_factory=dict)
    sent: str | None = None
    doing: str | None = None
    words: str = ""
    problem: str = ""
    aside: str = ""
    name: str = ""


def blocks(shown: Shown) -> list[Block]:
    """Return a conversation as blocks with keys, in reading order."""
    found: list[Block] = []
    if not shown.said and shown.sent is None:
        found.append({"key": "welcome", "html": welcome(shown.name)})
    settled = shown.doing is None
    before: Who = "desk"
    noted: str | None = None
    for place, said in enumerate(shown.said):
        last = settled and place == len(shown.said) - 1 and shown.state == "desk"
        note = said.reply.note if said.reply is not None and said.reply.note != noted else None
        html = _said(said, shown, last, before) + _note(note)
        found.append({"key": f"m{said.number}", "html": html})
        if said.who != "customer":
            before = said.who
        if said.reply is not None:
            noted = said.reply.note
    if shown.sent is not None:
        found.append({"key": "sent", "html": _customer(shown.sent)})
    if shown.doing is not None:
        found.append({"key": "doing", "html": _doing(shown.doing, shown.words)})
    if shown.problem:
        found.append({"key": "problem", "html": problem(shown.problem)})
    if shown.aside:
        found.append({"key": "aside", "html": f'<div class="answer">{prose(visible(shown.aside))}</div>'})
    line = _STATES.get(shown.state, _BACK if before == "staff" else "")
    if line and settled:
        found.append(
            {"key": "state", "html": f'<p class="state is-{escape(shown.state)}">{icon("person")}{line}</p>'}
        )
    return found


def _said(said: Said, shown: Shown, last: bool, before: Who) -> str:
    if said.who == "customer":
        return _customer(said.text)
    if said.who == "staff":
        name = "" if before == "staff" else f'<p class="speaker">{PERSON}</p>'
        return f'<div class="staff">{name}<div class="answer">{prose(visible(said.text))}</div></div>'
    if said.reply is None:
        return f'<div class="answer">{prose(visible(said.text))}</div>'
    return _reply(said.reply, shown, last)


def _customer(text: str) -> str:
    return f'<p class="question">{told(text)}</p>'


def _doing(what: str, words: str) -> str:
    if words.strip():
        return f'<div class="answer typing">{prose(visible(words))}</div>'
    return f'<p class="doing" role="status">{told(what)}<i></i><i></i><i></i></p>'


def _reply(reply: Reply, shown: Shown, last: bool) -> str:
    parts = [done(reply), f'<div class="answer">{prose(visible(_words(reply)))}</div>']
    if reply.orders:
        parts.append(f'<div class="cards">{"".join(order(one) for one in reply.orders)}</div>')
    parts += [_finding(one, reply) for one in reply.findings]
    if reply.proposal is not None:
        parts.append(proposal(reply.proposal, reply.text, shown))
    if last and reply.choices:
        parts.append(choices(reply.choices))
    return "".join(parts)


def _note(note: str | None) -> str:
    return f'<p class="caveat">{icon("info")}<span>{told(note)}</span></p>' if note else ""


def _words(reply: Reply) -> str:
    """Return what a reply says beside its cards: several orders are told by their cards alone."""
    looked_up = [finding.tool for finding in reply.findings]
    if len(reply.orders) < 2 or set(looked_up) != {"get_order_details"} or reply.proposal is not None:
        return reply.text
    if not reply.text.startswith(reply.findings[0].headline):
        return reply.text
    return f"Here are your {len(reply.orders)} orders."


def done(reply: Reply) -> str:
    """Return a line for each change that was written, so that it stands out from what is only told."""
    written = [one.tool for one in reply.decisions if one.decision == "written"]
    return "".join(f'<p class="done">{icon("check")}{DONE.get(tool, "Done")}</p>' for tool in written)


def _finding(finding: Finding, reply: Reply) -> str:
    """Return what a finding holds beyond the words: its table and its quotes."""
    if reply.orders and finding.tool in _WITH_CARDS:
        return ""
    if reply.proposal is not None and finding == reply.proposal.finding:
        return ""
    if finding.tool in DONE and finding.headline in reply.text:
        return ""  # the change was told with its amounts before the yes
    quotes = evidence([finding])
    if not finding.rows and not quotes:
        return ""
    shown = f'<section class="slip told">{card(finding)}</section>' if finding.rows else ""
    return shown + quotes


def order(shown: OrderCard) -> str:
    """Return an order as a card."""
    items = "".join(f"<li>{told(item)}</li>" for item in shown.items)
    tracking = ", ".join(f"<code>{told(number)}</code>" for number in shown.tracking)
    rows = f"<div><dt>Total</dt><dd>{told(shown.total)}</dd></div>"
    if shown.goes_to:
        goes = "Went to" if shown.status.startswith(("delivered", "return", "exchange")) else "Goes to"
        rows += f"<div><dt>{goes}</dt><dd>{told(shown.goes_to)}</dd></div>"
    if tracking:
        rows += f"<div><dt>Tracking</dt><dd>{tracking}</dd></div>"
    kind = shown.status.split(" ", 1)[0]
    return (
        f'<article class="slip order"><header><h3>Order {told(shown.order_id)}</h3>'
        f'<span class="chip {escape(kind)}">{told(shown.status)}</span></header>'
        f"<ul>{items}</ul><dl>{rows}</dl></article>"
    )


def proposal(waiting: Proposal, text: str, shown: Shown) -> str:
    """Return a change with its amounts and its two buttons, or what became of it."""
    name = _ASKED.get(waiting.tool, "A change")
    is_told = " told" if waiting.finding.headline in text else ""
    if waiting.proposal_id == shown.pending:
        off = " disabled" if shown.doing is not None or waiting.proposal_id in shown.pressed else ""
        key = escape(waiting.proposal_id)
        acts = (
            f'<div class="confirm"><button type="button" class="yes" data-press="yes" data-proposal="{key}"{off}>'
            f'Yes, do it</button><button type="button" class="no" data-press="no" data-proposal="{key}"{off}>'
            "No, leave it</button></div>"
        )
    else:
        answers = {True: "You pressed: Yes, do it", False: "You pressed: No, leave it"}
        answer = answers.get(shown.pressed.get(waiting.proposal_id), "No longer waiting for an answer")  # type: ignore[arg-type]
        acts = f'<p class="answered">{answer}</p>'
    return (
        f'<section class="slip proposal{is_told}"><p class="slip-name">{icon("against")}{name}'
        f"</p>{card(waiting.finding)}{acts}</section>"
    )


def choices(offered: Sequence[str]) -> str:
    """Return short answers as buttons."""
    buttons = "".join(f'<button type="button" data-say="{told(one)}">{told(one)}</button>' for one in offered)
    return f'<div class="choices" role="group" aria-label="Answers">{buttons}</div>'


def welcome(name: str) -> str:
    """Return what stands where nothing has been said yet."""
    wishes = "".join(
        f'<button type="button" data-say="{escape(wish)}"><span>{escape(what)}</span>{escape(wish)}</button>'
        for what, wish in WISHES
    )
    return (
        f"<h1>{f'Hello {told(name)}. ' if name else ''}What can I do for you?</h1>"
        "<p>I can look up your orders and, once you have said yes, change, cancel, return or exchange them. "
        "Whenever you like, a person takes over.</p>"
        f'<div class="examples">{wishes}</div>'
    )


def sign_in(customers: Sequence[Customer], said: str) -> str:
    """Return the demo's customers to choose from."""
    rows = "".join(
        f'<li><button type="button" data-customer="{told(one.user_id)}"><b>{told(one.name)}</b>'
        f"<code>{told(one.user_id)}</code><span>{told(one.orders)}</span></button></li>"
        for one in customers
    )
    if not rows:
        return f'<p class="help">No customer’s name or id has “{told(said)}” in it.</p>'
    return f"<ul>{rows}</ul>"


def who(name: str, user_id: str) -> str:
    """Return the plain note who is signed in."""
    return f'<span class="unseen">Signed in as </span><b>{told(name)}</b><code>{told(user_id)}</code>'
