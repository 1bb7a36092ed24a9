"""Protects: what went wrong in made-up talks stays mended: lost wishes, wrong things, false words, broken turns."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.sqlite import SqliteSaver

from storewise.agent.desk.form import reason_in
from storewise.agent.desk.graph import FORM, REMEMBERED
from storewise.agent.desk.meant import Form
from storewise.agent.desk.naming import products_named
from storewise.agent.desk.options import wanted
from storewise.agent.engine import Served
from storewise.tools.desk.load import load_desk
from storewise.tools.desk.store import DeskAway, open_desk
from tests.agent.desk.test_service import Talk
from tests.agent.fake_model import fake_model
from tests.tools.desk.desk_helpers import content, value, write

CANCEL = 'cancel_pending_order(reason="no longer needed")'
RETURN = "return_delivered_order_items()"
SWAP = "modify_pending_order_items()"


@pytest.fixture
def begun(tmp_path: Path) -> Iterator[Callable[..., Talk]]:
    """Begin a talk over the small shop, its content changed by the test."""
    talks = []

    def begin(change: Callable[[dict[str, Any]], None] = lambda content: None) -> Talk:
        shop = content()
        change(shop)
        store = open_desk("", tmp_path)
        load_desk(write(tmp_path, shop), store.engine)
        store.close()
        talks.append(Talk(tmp_path))
        return talks[-1]

    yield begin
    for talk in talks:
        talk.store.close()


def _status(talk: Talk, order_id: str) -> Any:
    return value(talk.store, "desk_orders", order_id, "status")


def _two_mugs(shop: dict[str, Any]) -> None:
    for order in shop["orders"]:
        if order["order_id"] in ("#W1", "#W3"):
            order["items"] = [
                {"item_id": "M1", "price": 10.10},
                {"item_id": "M2", "price": 12.35},
                {"item_id": "L1", "price": 80.00},
            ]
            order["payments"] = [{"kind": "payment", "amount": 102.45, "payment_method_id": "card_1"}]


# Wishes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["cancel #W1 and #W6, not needed", "please cancel #W6, #W1", "cancel everything"]
)
def test_a_wish_for_several_orders_is_a_wish_for_each(begun: Callable[..., Talk], text: str) -> None:
    talk = begun()
    assert talk.say(text, CANCEL).proposal is not None
    assert talk.say("yes", "yes()").proposal is not None
    talk.say("yes", "yes()")
    assert (_status(talk, "#W1"), _status(talk, "#W6")) == ("cancelled", "cancelled")


def test_what_is_answered_for_one_of_several_orders_holds_for_all(begun: Callable[..., Talk]) -> None:
    talk = begun()
    assert "Why" in talk.say("cancel both", "cancel_pending_order()").text
    assert talk.say("ordered by mistake", "detail()").proposal is not None
    assert talk.say("yes", "yes()").proposal is not None


def test_an_address_taken_from_another_order_is_no_second_wish(begun: Callable[..., Talk]) -> None:
    talk = begun()
    talk.say("send #W1 to the address of #W6", "modify_pending_order_address()")
    form = talk.desk._graph().get_state(talk.desk._config(talk.conversation)).values["messages"][-1]
    assert len(form.additional_kwargs[FORM]["wishes"]) == 1


def test_things_of_two_orders_are_returned_from_both(begun: Callable[..., Talk]) -> None:
    def without_mug(shop: dict[str, Any]) -> None:
        order = next(one for one in shop["orders"] if one["order_id"] == "#W3")
        order["items"] = [{"item_id": "L1", "price": 80.00}]
        order["payments"] = [{"kind": "payment", "amount": 80.00, "payment_method_id": "gift_1"}]

    talk = begun(without_mug)
    first = talk.say("return the mug and the desk lamp", RETURN)
    assert first.proposal is not None
    assert talk.say("yes", "yes()").proposal is not None
    talk.say("yes", "yes()")
    assert {_status(talk, "#W3"), _status(talk, "#W4")} == {"return requested"}


def test_of_two_like_things_one_is_asked_for(begun: Callable[..., Talk]) -> None:
    talk = begun(_two_mugs)
    asked = talk.say("one of the mugs in #W1 should be white", SWAP)
    assert asked.proposal is None
    assert asked.choices == ("Mug (red)", "Mug (blue)")
    talk.say("the blue one", "detail()")
    proposed = talk.say("visa", "detail()")
    assert proposed.proposal is not None
    assert proposed.proposal.finding.arguments["item_ids"] == ["M2"]


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("return both mugs from #W3, to my visa", {"M1", "M2"}),
        ("return the mugs from #W3, to my visa", {"M1", "M2"}),
        ("return the blue mug from #W3, to my visa", {"M2"}),
    ],
)
def test_two_like_things_that_are_both_meant_or_told_apart_are_not_asked_for(
    begun: Callable[..., Talk], text: str, items: set[str]
) -> None:
    proposed = begun(_two_mugs).say(text, RETURN)
    assert proposed.proposal is not None
    assert set(proposed.proposal.finding.arguments["item_ids"]) == items


def test_a_part_of_an_order_is_not_cancelled_without_saying_that_the_rest_goes_too(
    begun: Callable[..., Talk],
) -> None:
    talk = begun()
    assert "as a whole, with Mug (red)" in talk.say("cancel the desk lamp", CANCEL).text
    talk.say("no", "no()")
    assert "as a whole" not in talk.say("cancel the order with the desk lamp", CANCEL).text


def test_a_yes_that_is_read_as_a_drop_drops_nothing(begun: Callable[..., Talk]) -> None:
    talk = begun()
    talk.say("cancel #W6", "cancel_pending_order()")
    assert "Why" in talk.say("yes please", "drop()").text


def test_a_yes_that_is_read_as_thanks_drops_nothing(begun: Callable[..., Talk]) -> None:
    talk = begun()
    talk.say("send #W6 elsewhere", "modify_pending_order_address()")
    assert "new address" in talk.say("yes", "none(thanks)").text


def test_the_reason_that_was_told_before_the_wish_is_not_asked_for(begun: Callable[..., Talk]) -> None:
    talk = begun()
    talk.say("there is #W6 that I never meant to order", "get_order_details()")
    proposed = talk.say("cancel it", "cancel_pending_order()")
    assert proposed.proposal is not None
    assert proposed.proposal.finding.arguments["reason"] == "ordered by mistake"
    talk.say("no", "no()")
    talk.say("there is #W6 that I never meant to order", "get_order_details()")
    assert "Why" in talk.say("cancel #W1", "cancel_pending_order()").text


def test_a_no_beside_what_stays_is_a_no(begun: Callable[..., Talk]) -> None:
    talk = begun()
    talk.say("swap the desk lamp in #W3 for the large one, paypal", "exchange_delivered_order_items()")
    assert talk.say("that's it, the mug stays as it is", "drop()").proposal is not None
    assert talk.say("no, leave it, the mug stays as well", "no()").proposal is None


def test_few_variants_are_all_told_with_their_prices(begun: Callable[..., Talk]) -> None:
    told = begun().say("which mugs are there?", "get_product_details()").text
    assert all(f"color {one} for $" in told for one in ("red", "blue", "white"))
    assert "green" not in told


def test_two_wishes_in_one_message_are_both_kept(begun: Callable[..., Talk]) -> None:
    talk = begun()
    text = "Can you put order #W1 on PayPal instead of my Visa? And after that I have the mug from #W4 to return."
    first = talk.say(text)
    assert [d.tool for d in first.decisions if d.decision == "proposed"] == ["modify_pending_order_payment"]
    second = talk.say("yes", "yes()")
    assert "return_delivered_order_items" in [d.tool for d in second.decisions]


def test_what_is_not_available_is_told_before_the_payment_is_asked_for(begun: Callable[..., Talk]) -> None:
    reply = begun().say("change both mugs in #W1 to green", SWAP)
    assert [d.why for d in reply.decisions] == ["item not available"]


def test_a_named_verb_is_not_read_as_another_change(begun: Callable[..., Talk]) -> None:
    read = begun().desk.understanding.read(None, "nothing", "nothing", "I want to send back both helmets")
    assert read.acts[0].name == "return_delivered_order_items"


def test_an_order_or_a_thing_that_is_named_alone_is_looked_up(begun: Callable[..., Talk]) -> None:
    talk = begun()
    assert "processed" in talk.say("#W2", "detail()").text
    assert "#W1" in talk.say("and the one with the desk lamp?", "detail()").text


def test_the_balance_of_a_gift_card_is_told(begun: Callable[..., Talk]) -> None:
    assert "$15.10" in begun().say("how much is on my gift card?", "get_user_details()").text


@pytest.mark.parametrize("text", ["No longer needed", "no longer wanted, thanks", "I no longer need it"])
def test_the_desks_own_answer_is_a_reason(text: str) -> None:
    assert reason_in(text) == "no longer needed"


def test_only_one_of_two_things_at_the_confirmation_leaves_the_other(begun: Callable[..., Talk]) -> None:
    talk = begun(_two_mugs)
    talk.say("return both mugs from #W3, to my visa", RETURN)
    proposed = talk.say("hmm only the blue one", "detail()")
    assert proposed.proposal is not None
    assert proposed.proposal.finding.arguments["item_ids"] == ["M2"]


def test_a_street_that_is_put_right_keeps_its_city(begun: Callable[..., Talk]) -> None:
    talk = begun()
    talk.say("send #W6 to 9 Lake Dr, Reno, NV 89501", "modify_pending_order_address()")
    assert "19 Lake Dr, Reno, NV 89501" in talk.say("no, 19 Lake Dr", "no()").text


def test_a_return_that_makes_the_next_wish_impossible_says_so_first(begun: Callable[..., Talk]) -> None:
    reply = begun().say(
        "return the mug from #W3 to paypal and exchange the desk lamp in #W3 for the large one",
        "return_delivered_order_items(); exchange_delivered_order_items()",
    )
    assert reply.proposal is not None
    assert "Only one return or exchange" in reply.text


def test_what_is_to_stay_the_same_stays() -> None:
    kinds = [{"color": "red", "size": "S"}, {"color": "blue", "size": "L"}]
    wish = wanted("a blue one, same otherwise", kinds, kinds[0])
    assert not wish.fits(kinds[1], kinds[0])
    assert wish.fits({"color": "blue", "size": "S"}, kinds[0])


def test_a_payment_that_has_no_other_ends_the_wish(begun: Callable[..., Talk]) -> None:
    def gift_alone(shop: dict[str, Any]) -> None:
        shop["orders"] = [one for one in shop["orders"] if one["order_id"] == "#W6"]
        shop["users"][0]["payment_methods"] = shop["users"][0]["payment_methods"][3:]

    talk = begun(gift_alone)
    reply = talk.say("pay #W6 with paypal", "modify_pending_order_payment()")
    assert "no other payment method" in reply.text
    assert "nothing to confirm" in talk.say("yes", "yes()").text


def test_a_smartphone_is_a_phone_and_headphones_are_none() -> None:
    assert [named.name for named in products_named("my phone", ["Smartphone", "Headphones"])] == [
        "Smartphone"
    ]


# Broken turns ---------------------------------------------------------------------------------------------


def test_a_change_is_told_although_the_database_went_away_right_behind_it(
    begun: Callable[..., Talk], monkeypatch: pytest.MonkeyPatch
) -> None:
    talk = begun()
    talk.say("cancel #W6", CANCEL)
    real = talk.store.reading

    @contextlib.contextmanager
    def reading(user_id: str) -> Iterator[Any]:
        if _status(talk, "#W6") == "cancelled":
            raise DeskAway
        with real(user_id) as desk:
            yield desk

    monkeypatch.setattr(talk.store, "reading", reading)
    told = talk.say("yes", "yes()")
    assert "is cancelled" in told.text
    assert "nothing was changed" not in told.text
    monkeypatch.undo()
    again = talk.say("hello?", "none(greeting)")
    assert "is cancelled" in again.text
    assert "already cancelled" not in again.text
    assert "is cancelled" not in talk.say("hello?", "none(greeting)").text


def test_a_change_is_told_although_the_records_cannot_be_written(
    begun: Callable[..., Talk], monkeypatch: pytest.MonkeyPatch
) -> None:
    talk = begun()
    talk.say("cancel #W6", CANCEL)
    add = talk.desk.records.add

    def failing(conversation: str, who: Any, text: str, **more: Any) -> int:
        if who == "desk":
            raise DeskAway
        return add(conversation, who, text, **more)

    monkeypatch.setattr(talk.desk.records, "add", failing)
    told = talk.say("yes", "yes()")
    assert "is cancelled" in told.text
    assert told.note is not None


@pytest.mark.parametrize(
    "old",
    [{"wishes": [{"tool": "a_tool_of_before", "said": []}]}, {"asked": "what is no more"}, {"wishes": 1}],
)
def test_a_conversation_of_an_older_version_goes_on(begun: Callable[..., Talk], old: Any) -> None:
    talk = begun()
    talk.say("cancel #W6", "cancel_pending_order()")
    graph, config = talk.desk._graph(), talk.desk._config(talk.conversation)
    last = graph.get_state(config).values["messages"][-1]
    last.additional_kwargs[FORM] = old
    graph.update_state(config, {"messages": [last]})
    assert Form.kept(old).wishes == ()
    assert "processed" in talk.say("where is #W2?", "get_order_details()").text


def test_a_long_talk_keeps_its_last_messages_and_one_place(begun: Callable[..., Talk]) -> None:
    talk = begun()
    for _ in range(REMEMBERED // 2 + 5):
        talk.say("where is #W2?", "get_order_details()")
    assert talk.say("cancel #W6", CANCEL).proposal is not None
    memory = talk.desk._memory
    assert isinstance(memory, SqliteSaver)
    with memory.cursor() as cursor:
        assert cursor.execute("SELECT COUNT(*) FROM checkpoints").fetchone() == (1,)
    kept = talk.desk._graph().get_state(talk.desk._config(talk.conversation)).values["messages"]
    assert len(kept) <= REMEMBERED + 2
    talk.say("yes", "yes()")
    assert _status(talk, "#W6") == "cancelled"


def test_what_a_large_model_does_is_kept_for_staff(begun: Callable[..., Talk]) -> None:
    talk = begun()
    with fake_model() as fake:
        talk.served = Served(fake.url, "fake", "none", compact=False)
        arguments = json.dumps({"order_id": "#W6", "reason": "no longer needed"})
        call = {"id": "c", "type": "function"} | {
            "function": {"name": "cancel_pending_order", "arguments": arguments}
        }
        fake.feed({"role": "assistant", "content": "", "tool_calls": [call]})
        proposed = talk.say("cancel #W6, I no longer need it")
        assert [d.decision for d in proposed.decisions] == ["proposed"]
        fake.feed("Order #W6 is cancelled.")
        written = talk.say("yes")
    assert [(d.tool, d.decision) for d in written.decisions] == [("cancel_pending_order", "written")]
    assert [d.decision for d in talk.desk.records.decisions(talk.conversation)] == ["proposed", "written"]
