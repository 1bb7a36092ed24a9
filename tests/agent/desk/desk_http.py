"""A desk app over real HTTP for tests, a made-up desk behind it where only the way there is tested."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from storewise.agent.desk.reply import ConversationState, DeskEvent, Proposal, Replied, Reply, Typing
from storewise.agent.engine import free_port
from storewise.tools.desk.store import DeskStore
from storewise.tools.finding import Finding


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Serve an app and yield its address."""
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=port, log_level="critical", timeout_graceful_shutdown=2)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)


def events(response: httpx.Response) -> list[tuple[str, Any]]:
    """Return the server-sent events of a response that was read: their names and data."""
    found = []
    for block in response.text.strip().split("\n\n"):
        name, data = block.split("\n", 1)
        found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


@dataclass
class _Said:
    number: int
    who: str
    text: str


class _Conversations:
    """Conversations in memory."""

    def __init__(self) -> None:
        self.owners: dict[str, str] = {}
        self.said: dict[str, list[_Said]] = {}

    def owner(self, conversation: str) -> str | None:
        return self.owners.get(conversation)

    def messages(self, conversation: str, after: int = 0) -> list[_Said]:
        return [said for said in self.said[conversation] if said.number > after]

    def state(self, conversation: str) -> ConversationState:
        return "desk"

    def add(self, conversation: str, who: str, text: str) -> None:
        said = self.said.setdefault(conversation, [])
        said.append(_Said(len(said) + 1, who, text))


class MadeUpDesk:
    """Answers every text with itself, and proposes one change; `during` runs in the midst of each turn."""

    def __init__(self, store: DeskStore, during: Callable[[str], None] = lambda text: None) -> None:
        self.store = store
        self.records = _Conversations()
        self.during = during
        self.written: list[str] = []

    def begin(self, user_id: str) -> str:
        conversation = f"c{len(self.records.owners)}"
        self.records.owners[conversation] = user_id
        self.records.said[conversation] = []
        return conversation

    def say(self, user_id: str, conversation: str, text: str) -> Iterator[DeskEvent]:
        yield Typing(what="Reading")
        self.during(text)
        self.records.add(conversation, "customer", text)
        finding = Finding(tool="cancel_pending_order", status="answered", headline="It would be cancelled.")
        proposal = Proposal(proposal_id=f"p{len(self.written)}", tool=finding.tool, finding=finding)
        yield Replied(reply=Reply(text=f"{user_id} said: {text}", proposal=proposal))

    def press(self, user_id: str, conversation: str, proposal_id: str, yes: bool) -> Iterator[DeskEvent]:
        self.during(proposal_id)
        if yes and proposal_id not in self.written:
            self.written.append(proposal_id)
        yield Replied(reply=Reply(text="Done." if yes else "Nothing was changed."))

    def state(self, user_id: str, conversation: str) -> Reply | None:
        return None
