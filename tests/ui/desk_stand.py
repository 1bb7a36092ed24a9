"""A desk for the tests of its pages: real tables, records and changes behind a few fixed words."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from storewise.agent.desk.reply import (
    Decided,
    Decision,
    DeskEvent,
    OrderCard,
    Proposal,
    Replied,
    Reply,
    Typing,
)
from storewise.agent.desk.service import ServiceDesk
from storewise.agent.settings import Settings
from storewise.tools.desk.load import load_desk
from storewise.tools.desk.records import Records
from storewise.tools.desk.registry import commit, look_up, propose
from storewise.tools.desk.store import open_desk
from storewise.tools.shop.generation import ShopError
from tests.tools.desk.desk_helpers import content, write

PENDING = "#W1"


class FixedDesk(ServiceDesk):
    """Answers by the first word: orders, cancel, mug, person, wait (held on until it is let go), away, break."""

    def __init__(self, folder: Path) -> None:
        store = open_desk("", folder)
        load_desk(write(folder, content()), store.engine)
        super().__init__(store, Records(store.engine), Settings(home=folder), lambda: None, lambda: None)
        self.go_on = threading.Event()
        self.written = 0
        self._last: dict[str, Reply] = {}

    def state(self, user_id: str, conversation: str) -> Reply | None:
        return self._last.get(conversation)

    def say(self, user_id: str, conversation: str, text: str) -> Iterator[DeskEvent]:
        if text.startswith("away"):
            raise ShopError("The shop cannot be reached just now; nothing was changed.")
        self.records.add(conversation, "customer", text)
        if self.records.state(conversation) == "person":
            yield Replied(reply=Reply(text="", state="person"))
            return
        yield Typing(what="reading your message")
        match text.split()[0]:
            case "orders":
                found = look_up(self.store, user_id, "find_orders", {}).finding
                reply = Reply(text=found.headline, findings=(found,), orders=self._cards(user_id))
                yield self._said(conversation, reply, "find_orders", "told")
            case "cancel":
                asked = {"order_id": PENDING, "reason": "no longer needed"}
                outcome = propose(self.store, user_id, "cancel_pending_order", asked)
                tool, text = "cancel_pending_order", outcome.finding.headline
                if outcome.kind == "proposed":
                    key = Proposal(proposal_id=secrets.token_hex(4), tool=tool, finding=outcome.finding)
                    yield self._said(conversation, Reply(text=text, proposal=key), tool, "proposed", asked)
                else:
                    yield self._said(
                        conversation, Reply(text=text), tool, "refused", asked, why=outcome.reason
                    )
            case "mug":
                found = look_up(self.store, user_id, "get_product_details", {"product": "Mug"}).finding
                reply = Reply(text=found.headline, findings=(found,), choices=("The red one", "<b>None</b>"))
                yield self._said(conversation, reply, "get_product_details", "told")
            case "person":
                self.records.open_ticket(
                    conversation, f"Wants a person: {text}", "angry", ["find_orders: told"]
                )
                reply = Reply(text="A person will take over.", state="waiting")
                yield self._said(
                    conversation, reply, "transfer_to_human_agents", "handed over", why="asked for"
                )
            case "wait":
                self.go_on.wait(20)
                yield self._said(conversation, Reply(text="Here I am."), "", "asked")
            case "break":
                raise RuntimeError("told to nobody")
            case _:
                yield self._said(conversation, Reply(text=f"You said: {text}"), "", "asked")

    def press(self, user_id: str, conversation: str, proposal_id: str, yes: bool) -> Iterator[DeskEvent]:
        last = self._last[conversation]
        if last.proposal is None or last.proposal.proposal_id != proposal_id:
            yield Replied(reply=last.model_copy(update={"text": "That was settled already."}))
            return
        found = last.proposal.finding
        self.records.add(conversation, "customer", "Yes" if yes else "No", extra={"pressed": proposal_id})
        yield Typing(what="making the change")
        if not yes:
            yield self._said(conversation, Reply(text="Nothing was changed."), found.tool, "dropped")
            return
        outcome = commit(self.store, user_id, found.tool, found.arguments, found)
        self.written += 1
        yield self._said(conversation, Reply(text=outcome.finding.headline), found.tool, "written")

    def _said(
        self,
        conversation: str,
        reply: Reply,
        tool: str,
        decision: Decided,
        arguments: dict[str, Any] | None = None,
        why: str | None = None,
    ) -> Replied:
        done = Decision(number=0, tool=tool, arguments=arguments or {}, decision=decision, why=why)
        reply = reply.model_copy(update={"decisions": (done,)})
        self.records.add(conversation, "desk", reply.text)
        self.records.decide(conversation, done.model_dump())
        self._last[conversation] = reply
        return Replied(reply=reply)

    def _cards(self, user_id: str) -> tuple[OrderCard, ...]:
        with self.store.reading(user_id) as desk:
            return tuple(
                OrderCard(
                    order_id=one.order_id,
                    status=one.status,
                    items=tuple(line.variant.label for line in one.items),
                    total=f"${one.total / 100:,.2f}",
                    goes_to=one.address.line(),
                )
                for one in desk.orders()
            )


class Started:
    """A start that is done, with a desk or without, and no analyst."""

    settled = True

    def __init__(self, desk: FixedDesk | None) -> None:
        self.found = desk

    def desk(self) -> FixedDesk | None:
        return self.found

    def steps(self) -> list[Any]:
        return []

    def analyst(self) -> None:
        return None

    def shop_note(self) -> str:
        return "Made up."
