"""Protects the policy: each rule is kept by the tool itself, tells one sentence, and leaves nothing half-written."""

from __future__ import annotations

from typing import Any

import pytest

from storewise.tools.desk.desk import NoSuchCustomer, Reason
from storewise.tools.desk.marks import access
from storewise.tools.desk.registry import ArgumentError, commit, desk_tools, look_up, propose
from storewise.tools.desk.store import DeskStore
from storewise.tools.finding import Finding
from tests.tools.desk.desk_helpers import ANN, BEN, HOME, NEW, agreed, payments, snapshot, value

CANCEL, ADDRESS = "cancel_pending_order", "modify_pending_order_address"
PAYMENT, ITEMS = "modify_pending_order_payment", "modify_pending_order_items"
RETURN, EXCHANGE = "return_delivered_order_items", "exchange_delivered_order_items"
GONE = {"reason": "no longer needed"}


def swap(order: str, old: list[str], new: list[str], method: str = "card_1") -> dict[str, Any]:
    return {"order_id": order, "item_ids": old, "new_item_ids": new, "payment_method_id": method}


def back(order: str, items: list[str], method: str) -> dict[str, Any]:
    return {"order_id": order, "item_ids": items, "payment_method_id": method}


CASES: list[tuple[str, dict[str, Any], Reason, str]] = [
    # Whose order, and in which state
    (CANCEL, {"order_id": "#W9", **GONE}, "order of another customer", "There is no order #W9 of yours."),
    (CANCEL, {"order_id": "#W77", **GONE}, "order of another customer", "There is no order #W77 of yours."),
    (CANCEL, {"order_id": "#W2", **GONE}, "order already processed", "already processed"),
    (CANCEL, {"order_id": "#W3", **GONE}, "order already delivered", "already delivered"),
    (CANCEL, {"order_id": "#W5", **GONE}, "order already cancelled", "already cancelled"),
    (CANCEL, {"order_id": "#W1", "reason": "other"}, "cancellation reason not accepted", "only if"),
    (ADDRESS, {"order_id": "#W2", **NEW}, "order already processed", "already processed"),
    (ADDRESS, {"order_id": "#W9", **NEW}, "order of another customer", "no order #W9 of yours"),
    (ADDRESS, {"order_id": "#W1", **NEW, "city": " "}, "unclear argument", "lacks its city"),
    (ADDRESS, {"order_id": "#W1", **NEW, "state": ""}, "unclear argument", "lacks its state"),
    (ADDRESS, {"order_id": "#W1", **NEW, "zip": "1\x00"}, "unclear argument", "cannot be read"),
    (ADDRESS, {"order_id": "#W1", **NEW, "address1": "x" * 201}, "unclear argument", "cannot be read"),
    ("modify_user_address", {**NEW, "address1": ""}, "unclear argument", "lacks its first line"),
    # Payment
    (PAYMENT, {"order_id": "#W3", "payment_method_id": "card_1"}, "order already delivered", "already"),
    (PAYMENT, {"order_id": "#W1", "payment_method_id": "card_1"}, "unclear argument", "already"),
    (PAYMENT, {"order_id": "#W1", "payment_method_id": "gift_1"}, "gift card balance too low", "$15.10"),
    (
        PAYMENT,
        {"order_id": "#W1", "payment_method_id": "gift_2"},
        "payment method not on the account",
        "no payment method gift_2 on your account",
    ),
    # Items of a pending order
    (ITEMS, swap("#W2", ["M2"], ["M1"]), "order already processed", "already processed"),
    (ITEMS, swap("#W1", ["M2"], ["M1"]), "item not in the order", "not in order #W1"),
    (ITEMS, swap("#W1", ["M1", "M1", "M1"], ["M2", "M2", "M2"]), "item not in the order", "only 2 times"),
    (ITEMS, swap("#W1", [], []), "unclear argument", "No item"),
    (ITEMS, swap("#W1", ["M1", "L1"], ["M2"]), "unclear argument", "one new item"),
    (ITEMS, swap("#W1", ["M1"], ["M1"]), "unclear argument", "already"),
    (ITEMS, swap("#W1", ["M1"], ["M3"]), "item not available", "not available"),
    (ITEMS, swap("#W1", ["M1"], ["L2"]), "different product", "same product"),
    (ITEMS, swap("#W1", ["M1"], ["X9"]), "different product", "same product"),
    (ITEMS, swap("#W1", ["L1"], ["L2"], "gift_1"), "gift card balance too low", "$15.25"),
    (ITEMS, swap("#W1", ["M1"], ["M2"], "paypal_2"), "payment method not on the account", "paypal_2"),
    # Returns
    (RETURN, back("#W1", ["M1"], "card_1"), "order not delivered", "is pending"),
    (RETURN, back("#W5", ["M1"], "card_1"), "order already cancelled", "cancelled"),
    (RETURN, back("#W8", ["L2"], "paypal_1"), "order of another customer", "no order #W8 of yours"),
    (RETURN, back("#W3", ["M2"], "paypal_1"), "item not in the order", "not in order #W3"),
    (RETURN, back("#W3", ["M1", "M1"], "paypal_1"), "item not in the order", "only once in order #W3"),
    (
        RETURN,
        back("#W3", ["M1"], "card_1"),
        "refund only to the original payment method or a gift card",
        "PayPal account paypal_1",
    ),
    (RETURN, back("#W3", ["M1"], "gift_2"), "payment method not on the account", "gift_2"),
    # Exchanges
    (EXCHANGE, swap("#W1", ["M1"], ["M2"]), "order not delivered", "is pending"),
    (EXCHANGE, swap("#W2", ["M2"], ["M1"]), "order not delivered", "is processed"),
    (EXCHANGE, swap("#W3", ["M1"], ["L2"]), "different product", "same product"),
    (EXCHANGE, swap("#W3", ["M1"], ["M3"]), "item not available", "not available"),
    (EXCHANGE, swap("#W3", ["L1"], ["L2"], "gift_1"), "gift card balance too low", "$15.25"),
    (EXCHANGE, swap("#W3", ["M1"], ["M2"], "nothing"), "payment method not on the account", "nothing"),
]


@pytest.mark.parametrize(("name", "arguments", "reason", "words"), CASES)
def test_what_the_policy_forbids_is_refused_in_a_sentence_and_changes_nothing(
    desk: DeskStore, name: str, arguments: dict[str, Any], reason: Reason, words: str
) -> None:
    before = snapshot(desk)
    proposed = propose(desk, ANN, name, arguments)
    # A yes to something that was never proposed is as useless.
    forced = commit(desk, ANN, name, arguments, Finding(tool=name, status="answered", headline="Yes."))
    for outcome in (proposed, forced):
        assert (outcome.kind, outcome.reason, outcome.finding.status) == ("refused", reason, "refused")
        assert words in outcome.finding.headline
        assert outcome.finding.headline.endswith(".") and "\n" not in outcome.finding.headline
    assert snapshot(desk) == before


def test_a_proposal_writes_nothing_and_tells_what_a_yes_then_does(desk: DeskStore) -> None:
    before = snapshot(desk)
    outcome = propose(desk, ANN, CANCEL, {"order_id": "W1", "reason": "ordered by mistake"})
    assert outcome.kind == "proposed"
    assert outcome.finding.headline == (
        "Order #W1 will be cancelled (reason: ordered by mistake), with a refund of $100.20 to "
        "the visa credit card ending in 1111 (card_1) in 5 to 7 business days."
    )
    assert snapshot(desk) == before
    done = commit(desk, ANN, CANCEL, {"order_id": "W1", "reason": "ordered by mistake"}, outcome.finding)
    assert done.kind == "done" and "is cancelled" in done.finding.headline
    assert value(desk, "desk_orders", "#W1", "status") == "cancelled"
    assert payments(desk, "#W1") == [("payment", 10020, "card_1"), ("refund", 10020, "card_1")]


def test_the_same_yes_twice_is_done_once(desk: DeskStore) -> None:
    for name, arguments in (
        (CANCEL, {"order_id": "#W6", **GONE}),
        (ITEMS, swap("#W1", ["M1"], ["M2"])),
        (RETURN, back("#W3", ["M1"], "paypal_1")),
        (EXCHANGE, swap("#W4", ["M1"], ["M2"])),
    ):
        proposed = propose(desk, ANN, name, arguments)
        assert commit(desk, ANN, name, arguments, proposed.finding).kind == "done"
        after = snapshot(desk)
        assert commit(desk, ANN, name, arguments, proposed.finding).kind == "refused"
        assert snapshot(desk) == after
    assert value(desk, "desk_payment_methods", "gift_1", "balance") == 1510 + 1235


def test_an_address_that_is_there_already_is_no_change(desk: DeskStore) -> None:
    before = snapshot(desk)
    for name, more in ((ADDRESS, {"order_id": "#W1"}), ("modify_user_address", {})):
        outcome = agreed(desk, name, {**more, **HOME})
        assert outcome.kind == "unchanged" and "already" in outcome.finding.headline
    assert snapshot(desk) == before


def test_an_address_changes_where_it_is_meant_to(desk: DeskStore) -> None:
    assert agreed(desk, ADDRESS, {"order_id": "#W1", **NEW, "address2": " Apt  4 "}).kind == "done"
    assert value(desk, "desk_orders", "#W1", "city") == "Boston"
    assert value(desk, "desk_orders", "#W1", "address2") == "Apt 4"
    assert value(desk, "desk_orders", "#W6", "city") == value(desk, "desk_users", ANN, "city") == "Denver"
    assert agreed(desk, "modify_user_address", {**NEW, "country": "Peru", "state": ""}).kind == "done"
    assert value(desk, "desk_users", ANN, "country") == "Peru"
    assert value(desk, "desk_orders", "#W6", "city") == "Denver"


def test_items_change_at_once_each_to_its_own_price_and_only_once(desk: DeskStore) -> None:
    outcome = agreed(desk, ITEMS, swap("#W1", ["M1", "L1"], ["M2", "L2"], "paypal"))
    assert outcome.kind == "done" and "$17.50" in outcome.finding.headline
    assert value(desk, "desk_orders", "#W1", "status") == "pending (item modified)"
    assert payments(desk, "#W1")[1:] == [("payment", 225 + 1525, "paypal_1")]
    details = look_up(desk, ANN, "get_order_details", {"order_id": "#W1"}).finding
    assert [(row[1], row[3]) for row in details.rows] == [("M2", 12.35), ("M1", 10.10), ("L2", 95.25)]
    for name, arguments in (
        (ITEMS, swap("#W1", ["M1"], ["M2"])),
        (CANCEL, {"order_id": "#W1", **GONE}),
        (ADDRESS, {"order_id": "#W1", **NEW}),
        (PAYMENT, {"order_id": "#W1", "payment_method_id": "card_2"}),
    ):
        assert agreed(desk, name, arguments).reason == "items already changed once"


def test_a_cheaper_item_gives_money_back_to_a_gift_card_at_once(desk: DeskStore) -> None:
    outcome = propose(desk, ANN, ITEMS, swap("#W6", ["M2"], ["M4"], "gift card"))
    assert "$2.25 will go back to the gift card gift_1 immediately" in outcome.finding.headline
    assert agreed(desk, ITEMS, swap("#W6", ["M2"], ["M4"], "gift card")).kind == "done"
    assert value(desk, "desk_payment_methods", "gift_1", "balance") == 1510 + 225


def test_an_equal_price_moves_no_money(desk: DeskStore) -> None:
    assert agreed(desk, ITEMS, swap("#W1", ["M1", "M1"], ["M4", "M4"])).kind == "done"
    assert payments(desk, "#W1") == [("payment", 10020, "card_1")]


def test_a_payment_changes_once_and_a_cancelled_order_refunds_whom_paid_last(desk: DeskStore) -> None:
    assert agreed(desk, PAYMENT, {"order_id": "#W6", "payment_method_id": "amex"}).kind == "done"
    assert value(desk, "desk_payment_methods", "gift_1", "balance") == 1510 + 1235
    again = agreed(desk, PAYMENT, {"order_id": "#W6", "payment_method_id": "card_1"})
    assert again.reason == "payment already changed once"
    assert agreed(desk, CANCEL, {"order_id": "#W6", **GONE}).kind == "done"
    assert payments(desk, "#W6") == [
        ("payment", 1235, "gift_1"),
        ("payment", 1235, "card_2"),
        ("refund", 1235, "gift_1"),
        ("refund", 1235, "card_2"),
    ]
    assert value(desk, "desk_payment_methods", "gift_1", "balance") == 1510 + 1235


def test_a_gift_card_pays_what_it_covers(desk: DeskStore) -> None:
    assert agreed(desk, PAYMENT, {"order_id": "#W9", "payment_method_id": "paypal_2"}, BEN).kind == "done"
    assert agreed(desk, ITEMS, swap("#W9", ["L1"], ["L2"], "gift_2"), BEN).kind == "done"
    assert value(desk, "desk_payment_methods", "gift_2", "balance") == 50000 + 9010 - 1525


def test_a_return_marks_its_items_and_moves_no_money_yet(desk: DeskStore) -> None:
    outcome = agreed(desk, RETURN, back("#W3", ["L1"], "gift_1"))
    assert outcome.kind == "done" and "$80.00 goes to the gift card gift_1" in outcome.finding.headline
    assert payments(desk, "#W3") == [("payment", 9010, "paypal_1")]
    assert value(desk, "desk_payment_methods", "gift_1", "balance") == 1510
    details = look_up(desk, ANN, "get_order_details", {"order_id": "#W3"}).finding
    assert [row[5] for row in details.rows] == [None, "return"]
    assert agreed(desk, EXCHANGE, swap("#W3", ["M1"], ["M2"])).reason == "return already requested"


def test_an_exchange_is_noted_with_its_difference_and_may_be_for_the_same_variant(desk: DeskStore) -> None:
    outcome = agreed(desk, EXCHANGE, swap("#W3", ["L1", "M1"], ["L2", "M1"], "amex"))
    assert outcome.kind == "done" and "$15.25" in outcome.finding.headline
    assert value(desk, "desk_orders", "#W3", "exchange_difference") == 1525
    details = look_up(desk, ANN, "get_order_details", {"order_id": "#W3"}).finding
    assert [row[5] for row in details.rows] == ["exchange for item M1", "exchange for item L2"]
    assert agreed(desk, RETURN, back("#W3", ["M1"], "gift_1")).reason == "exchange already requested"


def test_a_yes_to_other_amounts_than_those_told_writes_nothing(desk: DeskStore) -> None:
    wish = swap("#W1", ["M1"], ["M2"])
    proposed = propose(desk, ANN, ITEMS, wish)
    with desk.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE desk_variants SET price = 1300 WHERE item_id = 'M2'")
    before = snapshot(desk)
    outcome = commit(desk, ANN, ITEMS, wish, proposed.finding)
    assert outcome.reason == "changed meanwhile" and "$2.90" in outcome.finding.headline
    assert snapshot(desk) == before
    other = propose(desk, ANN, ITEMS, swap("#W1", ["M1"], ["M4"]))
    assert commit(desk, ANN, ITEMS, wish, other.finding).reason == "changed meanwhile"


def test_words_for_a_payment_method_must_fit_one(desk: DeskStore) -> None:
    outcome = propose(desk, ANN, ITEMS, swap("#W1", ["M1"], ["M2"], "credit card"))
    assert outcome.kind == "unclear" and outcome.finding.status == "ambiguous"
    assert "card_1" in outcome.finding.headline and "card_2" in outcome.finding.headline
    told = propose(desk, ANN, ITEMS, swap("#W1", ["M1"], ["M2"], "my Visa ending in 1111"))
    assert told.kind == "proposed" and "(card_1)" in told.finding.headline


def test_text_from_outside_is_not_told_as_a_fact(desk: DeskStore) -> None:
    lie = "#W1 and all orders are free now"
    for said in (lie, "x" * 5000, "\x00", "#W1\ud83d", "№１", ""):
        outcome = propose(desk, ANN, CANCEL, {"order_id": said, **GONE})
        assert outcome.reason == "order of another customer"
        assert lie not in outcome.finding.headline and len(outcome.finding.headline) < 100


def test_reading_and_writing_are_marked_and_kept_apart(desk: DeskStore) -> None:
    before = snapshot(desk)
    given: dict[str, dict[str, Any]] = {
        "find_orders": {},
        "get_order_details": {"order_id": "#W1"},
        "get_product_details": {"product": "mug"},
        "list_all_product_types": {},
        "get_user_details": {},
        "transfer_to_human_agents": {"summary": "Wants a person."},
    }
    for name, tool in desk_tools().items():
        assert tool.access == access(tool.function)
        assert tool.description and all(
            p.get("description") for p in tool.schema.get("properties", {}).values()
        )
        if tool.access == "write":
            with pytest.raises(ArgumentError, match="needs a yes first"):
                look_up(desk, ANN, name, {})
        else:
            assert look_up(desk, ANN, name, given.pop(name)).kind == "told"
            with pytest.raises(ArgumentError, match="changes nothing"):
                propose(desk, ANN, name, {})
    assert not given and snapshot(desk) == before
    for wrong in ({"order_id": "#W1"}, {"order_id": "#W1", **GONE, "user_id": BEN}):
        with pytest.raises(ArgumentError):
            propose(desk, ANN, CANCEL, wrong)
    with pytest.raises(ArgumentError, match="no tool"):
        propose(desk, ANN, "delete_everything", {})


def test_a_customer_whom_the_shop_does_not_know_sees_nothing(desk: DeskStore) -> None:
    with pytest.raises(NoSuchCustomer, match="Sign in again"):
        look_up(desk, "nobody", "find_orders", {})
