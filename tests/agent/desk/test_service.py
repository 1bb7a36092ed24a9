"""Protects: nothing is written without a yes to just that; wishes, refusals, persons and restarts are kept straight.

What a message does is read by the shipped shortlist, or given by the test where the flow alone is tested.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from storewise.agent.desk.reply import Replied, Reply
from storewise.agent.desk.service import LONGEST, NotYours, ServiceDesk
from storewise.agent.desk.understanding import Understood
from storewise.agent.engine import Served
from storewise.agent.settings import Settings
from storewise.tools.calls import read_calls
from storewise.tools.desk.load import load_desk
from storewise.tools.desk.records import Records
from storewise.tools.desk.store import open_desk
from storewise.tools.desk.tables import SHOP_TABLES
from tests.agent.fake_model import FakeModel, fake_model
from tests.tools.desk.desk_helpers import ANN, BEN, agreed, content, payments, snapshot, value, write


class Talk:
    """A conversation of Ann's with the desk."""

    def __init__(self, home: Path, served: Served | None = None) -> None:
        self.home = home
        self.served = served
        self.open()
        self.conversation = self.desk.begin(ANN)

    def open(self) -> None:
        """Open the desk, as after a restart."""
        self.store = open_desk("", self.home)
        settings = Settings(home=self.home, slow_seconds=5)
        self.desk = ServiceDesk(
            self.store, Records(self.store.engine), settings, lambda: self.served, lambda: None
        )

    def say(self, text: str, acts: str | None = None) -> Reply:
        """Say something; `acts` is what it does, where the reading is not what is tested."""
        if acts is not None:
            written = tuple(read_calls(acts))
            self.desk.understanding.read = lambda *_, **__: Understood(written)  # type: ignore[method-assign]
        return _reply(self.desk.say(ANN, self.conversation, text))

    def press(self, proposal_id: str, yes: bool) -> Reply:
        return _reply(self.desk.press(ANN, self.conversation, proposal_id, yes))


def _reply(events: Iterator[Any]) -> Reply:
    return next(event.reply for event in events if isinstance(event, Replied))


@pytest.fixture
def talk(tmp_path: Path) -> Iterator[Talk]:
    store = open_desk("", tmp_path)
    load_desk(write(tmp_path, content()), store.engine)
    store.close()
    talk = Talk(tmp_path)
    yield talk
    talk.store.close()


def _shop(talk: Talk) -> dict[str, Any]:
    """Return all rows of the shop's own tables."""
    names = {table.name for table in SHOP_TABLES}
    return {name: rows for name, rows in snapshot(talk.store).items() if name in names}


def _status(talk: Talk, order_id: str) -> Any:
    return value(talk.store, "desk_orders", order_id, "status")


def test_a_cancellation_is_asked_for_told_with_its_amount_and_written_after_the_yes(talk: Talk) -> None:
    before = _shop(talk)
    asked = talk.say("I'd like to cancel #W6")
    assert "no longer needed" in asked.text
    proposed = talk.say("I ordered it by mistake")
    assert "$12.35" in proposed.text
    assert proposed.proposal is not None
    assert proposed.proposal.tool == "cancel_pending_order"
    assert _shop(talk) == before
    done = talk.say("yes please")
    assert [decision.decision for decision in done.decisions] == ["written"]
    assert _status(talk, "#W6") == "cancelled"
    assert payments(talk.store, "#W6")[-1] == ("refund", 1235, "gift_1")


@pytest.mark.parametrize(
    ("text", "acts"),
    [
        ("no", "no()"),
        ("hmm, what would that cost me?", "yes()"),
        ("ok but let me think", "yes()"),
        ("yes, return it", "yes()"),
        ("never mind", "drop()"),
        ("thanks", "none(thanks)"),
    ],
)
def test_what_is_no_yes_writes_nothing_whatever_a_model_reads_in_it(talk: Talk, text: str, acts: str) -> None:
    before = _shop(talk)
    assert talk.say("cancel #W6", 'cancel_pending_order(reason="no longer needed")').proposal is not None
    talk.say(text, acts)
    assert _shop(talk) == before


def test_a_button_settles_a_proposal_once(talk: Talk) -> None:
    proposal = talk.say("cancel #W6", 'cancel_pending_order(reason="no longer needed")').proposal
    assert proposal is not None
    assert talk.press(proposal.proposal_id, yes=True).decisions[0].decision == "written"
    after = _shop(talk)
    again = talk.press(proposal.proposal_id, yes=True)
    assert "settled already" in again.text
    assert talk.press(proposal.proposal_id, yes=False).text.startswith("That was settled")
    assert _shop(talk) == after


def test_a_proposal_waits_over_a_restart(talk: Talk) -> None:
    proposed = talk.say("cancel #W6", 'cancel_pending_order(reason="no longer needed")')
    talk.store.close()
    talk.open()
    waiting = talk.desk.state(ANN, talk.conversation)
    assert waiting is not None
    assert waiting.proposal == proposed.proposal
    talk.say("yes", "yes()")
    assert _status(talk, "#W6") == "cancelled"


def test_what_changed_in_the_meantime_is_not_written(talk: Talk) -> None:
    talk.say("pay #W1 with paypal", "modify_pending_order_payment()")
    assert (
        agreed(talk.store, "cancel_pending_order", {"order_id": "#W1", "reason": "no longer needed"}).kind
        == "done"
    )
    before = _shop(talk)
    reply = talk.say("yes", "yes()")
    assert reply.decisions[0].decision == "refused"
    assert "cancelled" in reply.text
    assert _shop(talk) == before


def test_a_correction_at_the_confirmation_is_a_new_proposal(talk: Talk) -> None:
    talk.say("pay #W1 with paypal", "modify_pending_order_payment()")
    again = talk.say("yes, but with my amex", "yes()")
    assert again.proposal is not None
    assert "2222" in again.text
    talk.say("yes", "yes()")
    assert payments(talk.store, "#W1")[-2][2] == "card_2"


def test_two_wishes_are_kept_in_their_order(talk: Talk) -> None:
    first = talk.say(
        "cancel #W6, I don't need it. And then send #W1 to 4 Oak Street, Troy, NY 12180",
        'cancel_pending_order(reason="no longer needed"); modify_pending_order_address()',
    )
    assert first.proposal is not None
    assert first.proposal.tool == "cancel_pending_order"
    second = talk.say("yes", "yes()")
    assert _status(talk, "#W6") == "cancelled"
    assert second.proposal is not None
    assert second.proposal.tool == "modify_pending_order_address"
    talk.say("yes", "yes()")
    assert value(talk.store, "desk_orders", "#W1", "address1") == "4 Oak Street"


def test_a_refused_payment_method_is_asked_for_again_and_the_wish_goes_on(talk: Talk) -> None:
    talk.say("return the mug from #W3", "return_delivered_order_items()")
    refused = talk.say("to my visa please", "detail()")
    assert "refund only to the original payment method or a gift card" in {d.why for d in refused.decisions}
    proposed = talk.say("then paypal", "detail()")
    assert proposed.proposal is not None
    assert "$10.10" in proposed.text


def test_a_swap_goes_by_the_orders_state(talk: Talk) -> None:
    pending = talk.say(
        "exchange the red mug in #W1 for the white one, difference to paypal",
        "exchange_delivered_order_items()",
    )
    assert [d.tool for d in pending.decisions][-1] == "modify_pending_order_items"
    talk.say("never mind", "drop()")
    delivered = talk.say("change the mug in #W3 to blue, paypal", "modify_pending_order_items()")
    assert delivered.proposal is not None
    assert delivered.proposal.tool == "exchange_delivered_order_items"
    assert "$2.25" in delivered.text


@pytest.mark.parametrize("order_id", ["#W9", "W9", "#W7777777"])
def test_another_customers_order_is_not_there(talk: Talk, order_id: str) -> None:
    before = _shop(talk)
    for acts in ('cancel_pending_order(reason="no longer needed")', "get_order_details()"):
        reply = talk.say(f"what about order {order_id}?", acts)
        assert "Ben" not in reply.text
        assert "ben@example.com" not in TypeAdapter(Reply).dump_json(reply).decode()
    assert _shop(talk) == before


def test_a_conversation_is_its_customers_alone(talk: Talk) -> None:
    with pytest.raises(NotYours):
        list(talk.desk.say(BEN, talk.conversation, "hello"))
    with pytest.raises(NotYours):
        talk.desk.state(BEN, talk.conversation)


def test_anger_and_asking_call_a_person_who_takes_over_and_gives_back(talk: Talk) -> None:
    reply = talk.say("let me talk to a human please")
    assert reply.state == "waiting"
    ticket = talk.desk.records.tickets()[0]
    assert ticket.conversation_id == talk.conversation
    talk.desk.take(ticket.ticket_id, "Dana")
    assert talk.say("are you there?").text == ""
    talk.desk.staff_says(talk.conversation, "Yes, I am.")
    talk.desk.give_back(ticket.ticket_id)
    assert talk.say("hello", "none(greeting)").state == "desk"
    talk.say("this is RIDICULOUS, you useless thieves!!!", "none(outside)")
    assert talk.say("WORST shop ever!!! garbage!!!", "none(outside)").state == "waiting"


def test_a_desk_that_does_not_understand_twice_calls_a_person(talk: Talk) -> None:
    assert talk.say("blorp", "detail()").state == "desk"
    assert talk.say("blorp blorp", "detail()").state == "waiting"


def test_decisions_and_words_are_kept_masked(talk: Talk) -> None:
    talk.say("my mail is ann@example.com, cancel #W6", 'cancel_pending_order(reason="no longer needed")')
    kept = json.dumps([message.text for message in talk.desk.records.messages(talk.conversation)])
    assert "[email]" in kept
    assert "ann@example.com" not in kept
    assert [d.decision for d in talk.desk.records.decisions(talk.conversation)] == ["proposed"]


def test_a_text_that_is_too_long_is_answered_with_a_sentence(talk: Talk) -> None:
    assert "at most 5,000" in talk.say("x" * (LONGEST + 1)).text
    assert talk.say("a" * LONGEST, "none(outside)").text


@pytest.mark.parametrize(
    "text", ["Здравствуйте, где мой заказ?", "我的订单在哪里", "🙂🙂🙂", "\u200b\u202e<b>hi</b>"]
)
def test_other_alphabets_and_odd_marks_get_an_answer(talk: Talk, text: str) -> None:
    assert talk.say(text).text


def test_without_a_model_order_states_are_told_and_a_person_is_called(talk: Talk) -> None:
    reply = talk.say("where is my order #W2?")
    assert "processed" in reply.text
    assert reply.note is not None
    assert talk.say("I want to speak to a person").state == "waiting"


# A large model that calls the tools itself ---------------------------------------------------------------


@pytest.fixture
def large(talk: Talk) -> Iterator[tuple[Talk, FakeModel]]:
    with fake_model() as fake:
        talk.served = Served(fake.url, "fake", "none", compact=False)
        yield talk, fake


def _calls(*calls: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    made = [
        {"id": f"c{i}", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
        for i, (name, arguments) in enumerate(calls)
    ]
    return {"role": "assistant", "content": "", "tool_calls": made}


CANCEL = ("cancel_pending_order", {"order_id": "#W6", "reason": "no longer needed"})


def test_a_large_models_change_waits_for_the_yes_too(large: tuple[Talk, FakeModel]) -> None:
    talk, fake = large
    before = _shop(talk)
    fake.feed(_calls(CANCEL))
    proposed = talk.say("cancel #W6, not needed any more")
    assert proposed.proposal is not None
    assert "$12.35" in proposed.text
    assert _shop(talk) == before
    fake.feed("Order #W6 is cancelled.")
    assert talk.say("yes, go ahead").proposal is None
    assert _status(talk, "#W6") == "cancelled"


def test_a_large_model_that_is_told_no_gets_the_customers_words(large: tuple[Talk, FakeModel]) -> None:
    talk, fake = large
    before = _shop(talk)
    fake.feed(_calls(CANCEL))
    talk.say("cancel #W6, not needed any more")
    fake.feed("All right, I leave it.")
    talk.say("no wait, keep it")
    told = [m["content"] for m in fake.asked[-1]["messages"] if m["role"] == "tool"]
    assert any("keep it" in text for text in told)
    assert _shop(talk) == before


def test_a_large_model_cannot_write_what_the_rules_refuse_nor_for_another(
    large: tuple[Talk, FakeModel],
) -> None:
    talk, fake = large
    before = _shop(talk)
    for order_id in ("#W9", "#W3"):
        fake.feed(
            _calls(("cancel_pending_order", {"order_id": order_id, "reason": "no longer needed"})),
            "That cannot be done.",
        )
        assert talk.say(f"cancel {order_id}").proposal is None
    assert _shop(talk) == before


def test_of_two_changes_in_one_breath_one_is_proposed(large: tuple[Talk, FakeModel]) -> None:
    talk, fake = large
    other = ("cancel_pending_order", {"order_id": "#W1", "reason": "no longer needed"})
    fake.feed(_calls(CANCEL, other))
    talk.say("cancel both of my orders, not needed")
    fake.feed("The first one is cancelled.")
    talk.say("yes")
    assert _status(talk, "#W6") == "cancelled"
    assert _status(talk, "#W1") == "pending"


def test_a_figure_that_no_tool_told_is_not_said(large: tuple[Talk, FakeModel]) -> None:
    talk, fake = large
    fake.feed(
        _calls(("get_order_details", {"order_id": "#W2"})), "Order #W2 cost $99.99 and comes on Friday."
    )
    reply = talk.say("what did #W2 cost?")
    assert "99.99" not in reply.text
    assert "$12.35" in reply.text
