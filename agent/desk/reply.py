"""What a turn at the desk yields: a stream of events that ends with the whole reply."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from storewise.tools.finding import Finding

Decided = Literal[
    "told",
    "proposed",
    "written",
    "unchanged",
    "refused",
    "declined",
    "asked",
    "handed over",
    "dropped",
]
ConversationState = Literal["desk", "waiting", "person", "closed"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Decision(_Frozen):
    """What the desk did about one thing in a turn, for staff to read.

    Attributes:
        number: its place in the turn, from 0.
        tool: the tool that was called or would have been; empty where the text led to none.
        why: the reason of a refusal or what was asked for.
    """

    number: int
    tool: str
    arguments: dict[str, Any] = Field(default_factory=dict)
    decision: Decided
    why: str | None = None


class Proposal(_Frozen):
    """A change that waits for a clear yes; the finding tells exactly what it would be."""

    proposal_id: str
    tool: str
    finding: Finding


class OrderCard(_Frozen):
    """An order as the page shows it beside the words."""

    order_id: str
    status: str
    items: tuple[str, ...]
    total: str
    goes_to: str
    tracking: tuple[str, ...] = ()


class Reply(_Frozen):
    """The whole of a turn.

    Attributes:
        text: the sentences shown to the customer.
        proposal: what waits for a yes, None if nothing does.
        choices: short answers to what was asked, to be shown as buttons.
        state: who answers now: the desk, nobody yet (a person was called), a person, or nobody any more.
        note: a sentence where something went another way than usual, such as the model being away.
    """

    text: str
    findings: tuple[Finding, ...] = ()
    proposal: Proposal | None = None
    choices: tuple[str, ...] = ()
    orders: tuple[OrderCard, ...] = ()
    state: ConversationState = "desk"
    decisions: tuple[Decision, ...] = ()
    seconds: float = 0.0
    note: str | None = None


class Typing(_Frozen):
    """The desk is at work."""

    kind: Literal["typing"] = "typing"
    what: str = ""


class Words(_Frozen):
    """The next piece of what a large model writes, not yet checked."""

    kind: Literal["words"] = "words"
    text: str


class Replied(_Frozen):
    """The turn is over."""

    kind: Literal["replied"] = "replied"
    reply: Reply


DeskEvent = Typing | Words | Replied
