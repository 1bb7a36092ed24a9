"""Protects the records of the desk on each database: whole, in order, masked, and gone when they are erased."""

from __future__ import annotations

import datetime as dt
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from storewise.tools.desk.load import load_desk
from storewise.tools.desk.records import LONGEST_TEXT, NoSuchRecord, NotPossible, Records
from storewise.tools.desk.store import DeskAway, DeskStore
from storewise.tools.desk.tables import Base
from tests.tools.desk.desk_helpers import ANN, BEN, content, snapshot, write

PERSONAL = ("ann@example.com", "303-555-0142", "4111 1111 1111 1111", "5 Elm Street")
SAID = f"I am {', '.join(PERSONAL)}: where is #W1234567?"


@pytest.fixture
def records(any_desk: DeskStore) -> Records:
    # Postgres is shared by the tests; what another left would be counted.
    with any_desk.engine.begin() as connection:
        for table in reversed(Base.metadata.sorted_tables):
            if table.name in (
                "desk_feedback",
                "desk_tickets",
                "desk_wishes",
                "desk_decisions",
                "desk_messages",
            ):
                connection.execute(table.delete())
        connection.execute(Base.metadata.tables["desk_conversations"].delete())
    return Records(any_desk.engine)


def test_messages_come_back_in_order_and_masked(records: Records) -> None:
    conversation = records.begin(ANN)
    assert records.owner(conversation) == ANN and records.state(conversation) == "desk"
    extra = {"proposal": {"goes_to": PERSONAL[3], "to": [PERSONAL[0]]}, "cents": 1250}
    assert records.add(conversation, "customer", SAID) == 1
    assert records.add(conversation, "desk", "On its way.", extra=extra) == 2
    first, second = records.messages(conversation)
    assert (first.who, second.who) == ("customer", "desk")
    assert first.text == "I am [email], [phone], [card], [address]: where is #W1234567?"
    assert second.extra == {"proposal": {"goes_to": "[address]", "to": ["[email]"]}, "cents": 1250}
    assert [message.number for message in records.messages(conversation, after=1)] == [2]
    assert abs(first.at - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=1)


def test_nothing_personal_reaches_any_table(records: Records, any_desk: DeskStore) -> None:
    conversation = records.begin(ANN)
    records.add(conversation, "customer", SAID, extra={"deep": [{"er": SAID}]})
    records.add(conversation, "staff", SAID)
    arguments = {"order_id": "#W1", "address1": "whatever", "note": {"x": [SAID]}}
    told = {"number": 0, "tool": "modify_user_address", "arguments": arguments, "decision": "refused"}
    records.decide(conversation, told | {"why": SAID})
    records.wished(conversation, "return_delivered_order_items", "angry")
    records.open_ticket(conversation, SAID, "angry", [SAID, SAID])
    records.judge(conversation, 1, "down", SAID)
    kept = json.dumps({name: rows for name, rows in snapshot(any_desk).items() if _recorded(name)})
    assert kept.count("[email]") >= 8 and ANN in kept and "#W1234567" in kept
    assert not [text for text in (*PERSONAL, "whatever", "0142", "Elm") if text in kept]


def test_decisions_tell_what_and_why(records: Records) -> None:
    conversation = records.begin(ANN)
    records.add(conversation, "customer", "cancel it")
    told: dict[str, Any] = {"number": 0, "tool": "cancel_pending_order", "arguments": {"order_id": "#W2"}}
    records.decide(conversation, told | {"decision": "refused", "why": "It is processed."})
    records.decide(conversation, {"tool": "", "decision": "asked", "why": None})
    refused, asked = records.decisions(conversation)
    assert (refused.number, refused.message, refused.decision) == (1, 1, "refused")
    assert refused.arguments == {"order_id": "#W2"} and refused.why == "It is processed."
    assert (asked.number, asked.tool, asked.arguments) == (2, "", {})


def test_a_ticket_goes_from_waiting_to_a_person_and_back(records: Records) -> None:
    conversation = records.begin(ANN)
    ticket = records.open_ticket(conversation, "Wants a refund", "annoyed", "told the policy")
    assert records.open_ticket(conversation, "Again", "angry", []) == ticket
    assert records.state(conversation) == "waiting"
    (waiting,) = records.tickets("waiting")
    assert (waiting.user_id, waiting.mood, waiting.tried) == (ANN, "annoyed", ("told the policy",))
    records.take(ticket, "Eva")
    records.take(ticket, "Eva")
    assert records.state(conversation) == "person"
    with pytest.raises(NotPossible, match="Eva has taken this ticket already"):
        records.take(ticket, "Tom")
    records.give_back(ticket)
    records.give_back(ticket)
    assert records.state(conversation) == "desk" and records.ticket(ticket).state == "closed"
    with pytest.raises(NotPossible, match="closed"):
        records.take(ticket, "Tom")
    assert records.open_ticket(conversation, "Once more", "calm", []) != ticket
    records.close(conversation)
    assert records.state(conversation) == "closed" and not records.tickets("waiting")


def test_of_two_who_take_one_ticket_one_has_it(records: Records) -> None:
    ticket = records.open_ticket(records.begin(ANN), "Help", "calm", [])

    def take(staff: str) -> bool:
        try:
            records.take(ticket, staff)
        except NotPossible:
            return False
        return True

    with ThreadPoolExecutor(4) as threads:
        won = list(threads.map(take, ["Eva", "Tom", "Kim", "Lou"]))
    assert sum(won) == 1


def test_messages_added_at_once_have_numbers_of_their_own(records: Records) -> None:
    conversation = records.begin(ANN)
    with ThreadPoolExecutor(4) as threads:
        numbers = list(threads.map(lambda n: records.add(conversation, "customer", str(n)), range(12)))
    assert sorted(numbers) == list(range(1, 13))


def test_conversations_are_listed_the_latest_first(records: Records) -> None:
    first, other, second = records.begin(ANN), records.begin(BEN), records.begin(ANN)
    records.add(first, "customer", "hello")
    assert [one.conversation_id for one in records.conversations()] == [first, second, other]
    own = records.conversations(ANN, limit=1)
    assert [(one.conversation_id, one.messages) for one in own] == [(first, 1)]
    assert len({first, other, second}) == 3 and all(len(one) >= 20 for one in (first, other))


def test_what_is_not_there_is_told(records: Records) -> None:
    assert records.owner("none") is None and records.messages("none") == []
    for act in (
        lambda: records.state("none"),
        lambda: records.add("none", "desk", "x"),
        lambda: records.wished("none", "x", "calm"),
        lambda: records.take("none", "Eva"),
        lambda: records.ticket("none"),
    ):
        with pytest.raises(NoSuchRecord):
            act()


def test_odd_texts_are_kept(records: Records) -> None:
    conversation = records.begin(ANN)
    for text in ("", "\x00null", "😀" * 300, "заказ не пришёл", "x" * 30_000):
        records.add(conversation, "customer", text)
    texts = [message.text for message in records.messages(conversation)]
    assert texts[:4] == ["", "null", "😀" * 300, "заказ не пришёл"] and len(texts[4]) == LONGEST_TEXT


def test_a_new_load_of_the_shop_keeps_the_records(
    records: Records, any_desk: DeskStore, tmp_path: Path
) -> None:
    conversation = records.begin(ANN)
    records.add(conversation, "customer", "hello")
    load_desk(write(tmp_path, content()), any_desk.engine)
    assert len(records.messages(conversation)) == 1


def test_erasing_takes_all_of_one_customer_and_nothing_of_another(
    records: Records, any_desk: DeskStore
) -> None:
    for who in (ANN, BEN, ANN):
        conversation = records.begin(who)
        records.add(conversation, "customer", "hello")
        records.decide(conversation, {"tool": "find_orders", "decision": "told"})
        records.wished(conversation, "find_orders", "calm")
        records.open_ticket(conversation, "x", "calm", [])
        records.judge(conversation, 1, "up")
    erased = records.erase(ANN)
    assert erased == {
        "desk_conversations": 2,
        "desk_messages": 2,
        "desk_decisions": 2,
        "desk_wishes": 2,
        "desk_tickets": 2,
        "desk_feedback": 2,
    }
    assert records.conversations(ANN) == [] and len(records.conversations(BEN)) == 1
    left = {name: len(rows) for name, rows in snapshot(any_desk).items() if _recorded(name)}
    assert set(left.values()) == {1}
    assert sum(records.erase("nobody").values()) == 0


def test_contacts_are_counted_by_day(records: Records) -> None:
    today = dt.datetime.now(dt.UTC).date()
    one, two = records.begin(ANN), records.begin(BEN)
    for conversation in (one, two):
        records.add(conversation, "customer", "hello")
        records.wished(conversation, "find_orders", "calm")
    records.wished(one, "find_orders", "angry")
    records.open_ticket(one, "x", "angry", [])
    counted = records.contacts(today, today)
    assert (counted.conversations, counted.handed_over) == (2, 1)
    assert sorted(counted.counts) == [(today, "find_orders", "angry", 1), (today, "find_orders", "calm", 1)]
    before = today - dt.timedelta(days=1)
    assert records.contacts(before, before).counts == ()
    assert records.days() == (today, today)


def test_a_database_that_went_away_is_told_in_a_sentence() -> None:
    gone = sa.create_engine("postgresql+psycopg://nobody@127.0.0.1:9/none")
    with pytest.raises(DeskAway, match="does not answer; nothing is half-done"):
        Records(gone).begin(ANN)


def _recorded(table: str) -> bool:
    return table.removeprefix("desk_") in (
        "conversations",
        "messages",
        "decisions",
        "wishes",
        "tickets",
        "feedback",
    )
