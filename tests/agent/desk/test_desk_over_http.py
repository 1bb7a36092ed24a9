"""Protects what a customer's confirmation does over HTTP, with the real desk behind: once, or not at all.

How a message is read is given here; everything behind that, to the database, is real.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from storewise.agent.desk.api import make_desk_app
from storewise.agent.desk.identity import issue
from storewise.agent.desk.service import ServiceDesk
from storewise.agent.settings import Settings
from storewise.benchmarks.attempts import Step
from storewise.benchmarks.attempts_replay import Fooled
from storewise.tools.desk.load import load_desk
from storewise.tools.desk.records import Records
from storewise.tools.desk.store import DeskStore, open_desk
from tests.agent.desk.desk_http import events, served
from tests.tools.desk.desk_helpers import ANN, content, payments, value, write

PENDING, SENT = "#W1000006", "#W1000002"  # #W6 and #W2 of the small shop, numbered as the demo's orders are
CANCEL = Step(
    say=f"Cancel {PENDING}, I no longer need it.", fooled='cancel_pending_order(reason="no longer needed")'
)
ORDER = Step(say=f"Where is {SENT}?", fooled="get_order_details()")
PERSON = Step(say="I want to talk to a person.", fooled="transfer_to_human_agents()")
REFUNDED = [("payment", 1235, "gift_1"), ("refund", 1235, "gift_1")]


class Open:
    """The desk, opened on a home."""

    def __init__(self, stack: ExitStack, home: Path) -> None:
        settings = Settings(home=home, desk_url="", desk_secret="x" * 40, desk_requests_per_minute=10**6)
        self.store: DeskStore = open_desk("", home)
        stack.callback(self.store.close)
        self.desk = ServiceDesk(self.store, Records(self.store.engine), settings, lambda: None, lambda: None)
        reading = Fooled(self.desk.understanding)
        for step in (CANCEL, ORDER, PERSON):
            reading.learn(step)
        self.desk.understanding = reading  # type: ignore[assignment]
        address = stack.enter_context(served(make_desk_app(self.desk, settings)))
        headers = {"Authorization": f"Bearer {issue(settings, ANN)}"}
        self.client = stack.enter_context(httpx.Client(base_url=address, headers=headers, timeout=60))

    def begin(self) -> str:
        return str(self.client.post("/v1/desk/conversations").json()["conversation"])

    def send(self, conversation: str, **body: Any) -> httpx.Response:
        return self.client.post("/v1/desk/messages", json={"conversation": conversation} | body)

    def proposed(self, conversation: str) -> str:
        reply = self.send(conversation, text=CANCEL.say).json()
        assert PENDING in reply["text"] and reply["proposal"]["tool"] == "cancel_pending_order"
        assert value(self.store, "desk_orders", PENDING, "status") == "pending"
        return str(reply["proposal"]["proposal_id"])


@contextmanager
def opened(home: Path) -> Iterator[Open]:
    with ExitStack() as stack:
        yield Open(stack, home)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    store = open_desk("", tmp_path)
    shop = content()
    for order in shop["orders"]:
        order["order_id"] = f"#W{1_000_000 + int(order['order_id'].removeprefix('#W'))}"
    load_desk(write(tmp_path, shop), store.engine)
    store.close()
    return tmp_path


def test_the_same_confirmation_twice_is_done_once(home: Path) -> None:
    with opened(home) as desk:
        conversation = desk.begin()
        proposal = desk.proposed(conversation)
        answers = [desk.send(conversation, proposal_id=proposal, confirm=True) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200] * 3
        assert "settled already" not in answers[0].json()["text"] and "cancelled" in answers[0].json()["text"]
        assert "settled already" in answers[1].json()["text"]
        assert value(desk.store, "desk_orders", PENDING, "status") == "cancelled"
        assert payments(desk.store, PENDING) == REFUNDED
        assert all(answer.json()["decisions"] == [] for answer in answers)


def test_confirmations_at_the_same_moment_are_done_once(home: Path) -> None:
    with opened(home) as desk:
        conversation = desk.begin()
        proposal = desk.proposed(conversation)
        answers: list[httpx.Response] = []
        threads = [
            threading.Thread(
                target=lambda: answers.append(desk.send(conversation, proposal_id=proposal, confirm=True))
            )
            for _ in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {answer.status_code for answer in answers} <= {200, 409}
        assert payments(desk.store, PENDING) == REFUNDED


def test_a_confirmation_waits_over_a_restart_and_the_page_finds_it_again(home: Path) -> None:
    with opened(home) as desk:
        conversation = desk.begin()
        proposal = desk.proposed(conversation)
    with opened(home) as desk:
        found = desk.client.get(f"/v1/desk/conversations/{conversation}").json()
        assert [said["who"] for said in found["messages"]] == ["customer", "desk"]
        assert found["reply"]["proposal"]["proposal_id"] == proposal and found["reply"]["decisions"] == []
        assert "cancelled" in desk.send(conversation, proposal_id=proposal, confirm=True).json()["text"]
    with opened(home) as desk:
        desk.send(conversation, proposal_id=proposal, confirm=True)
        assert payments(desk.store, PENDING) == REFUNDED


def test_a_no_leaves_everything_and_cannot_be_turned_into_a_yes(home: Path) -> None:
    with opened(home) as desk:
        conversation = desk.begin()
        proposal = desk.proposed(conversation)
        desk.send(conversation, proposal_id=proposal, confirm=False)
        desk.send(conversation, proposal_id=proposal, confirm=True)
        assert value(desk.store, "desk_orders", PENDING, "status") == "pending"


def test_a_database_that_goes_away_is_said_and_nothing_is_half_done(home: Path) -> None:
    with opened(home) as desk:
        conversation = desk.begin()
        proposal = desk.proposed(conversation)

        def lost(*_: Any) -> None:
            raise sa.exc.OperationalError("connect", {}, Exception("no such host: db.internal"))

        engine = desk.store.engine
        engine.dispose()
        sa.event.listen(engine, "do_connect", lost)
        told = [
            desk.send(conversation, proposal_id=proposal, confirm=True),
            desk.send(conversation, text=ORDER.say),
            desk.client.get(f"/v1/desk/conversations/{conversation}"),
            desk.client.post("/v1/desk/conversations"),
        ]
        assert desk.client.get("/healthz").json() == {"status": "no database"}
        sa.event.remove(engine, "do_connect", lost)
        for answer in told:
            assert answer.status_code == 503 and "nothing is half-done" in answer.json()["detail"]
            assert "internal" not in answer.text and "doctor" not in answer.text
        assert payments(desk.store, PENDING) == REFUNDED[:1]
        assert "cancelled" in desk.send(conversation, proposal_id=proposal, confirm=True).json()["text"]
        assert payments(desk.store, PENDING) == REFUNDED


def test_a_person_of_the_shop_answers_in_the_same_conversation(home: Path) -> None:
    with opened(home) as desk:
        conversation = desk.begin()
        assert desk.send(conversation, text=PERSON.say).json()["state"] == "waiting"
        ticket = desk.desk.records.tickets("waiting")[0].ticket_id
        desk.desk.take(ticket, "kim")
        desk.desk.staff_says(conversation, "Hello, this is Kim.")
        said = desk.client.get(f"/v1/desk/conversations/{conversation}").json()
        assert said["state"] == "person" and said["messages"][-1]["text"] == "Hello, this is Kim."
        assert said["messages"][-1]["who"] == "staff"
        answer = desk.send(conversation, text="Thank you, Kim.")
        assert answer.json()["state"] == "person" and answer.json()["text"] == ""
        desk.desk.give_back(ticket)
        assert SENT in desk.send(conversation, text=ORDER.say).json()["text"]


def test_events_come_one_by_one_and_end_with_the_reply(home: Path) -> None:
    with opened(home) as desk:
        body = {"conversation": desk.begin(), "text": ORDER.say}
        answer = desk.client.post("/v1/desk/messages", json=body, headers={"Accept": "text/event-stream"})
        names = [name for name, _ in events(answer)]
        assert names[0] == "typing" and names[-1] == "replied"
        assert SENT in events(answer)[-1][1]["reply"]["text"]
