"""Protects orders from sessions that change them at once: on SQLite and on a real Postgres nothing is lost."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm.exc import StaleDataError

from storewise.tools.desk.load import load_desk
from storewise.tools.desk.registry import Outcome, commit, desk_tools, look_up, propose
from storewise.tools.desk.store import DeskAway, DeskStore, connect
from storewise.tools.desk.tables import Order
from tests.tools.desk.desk_helpers import ANN, NEW, agreed, content, payments, value, write

Wish = tuple[str, dict[str, Any]]


def at_once(store: DeskStore, wishes: list[Wish]) -> list[Outcome]:
    """Propose all wishes, then say yes to all of them at the same moment."""
    proposals = [propose(store, ANN, name, arguments) for name, arguments in wishes]
    assert all(proposal.kind == "proposed" for proposal in proposals)
    start = Barrier(len(wishes))

    def yes(wish: Wish, proposal: Outcome) -> Outcome:
        start.wait(30)
        return commit(store, ANN, *wish, proposal.finding)

    with ThreadPoolExecutor(len(wishes)) as threads:
        return list(threads.map(yes, wishes, proposals))


def test_of_changes_that_exclude_one_another_one_is_made(any_desk: DeskStore) -> None:
    swap = {"order_id": "#W1", "item_ids": ["M1"], "new_item_ids": ["M2"], "payment_method_id": "card_1"}
    cancel = {"order_id": "#W1", "reason": "no longer needed"}
    wishes: list[Wish] = [("modify_pending_order_items", swap), ("cancel_pending_order", cancel)] * 3
    outcomes = at_once(any_desk, wishes)
    assert Counter(outcome.kind for outcome in outcomes) == {"done": 1, "refused": 5}
    done = next(outcome for outcome in outcomes if outcome.kind == "done")
    if done.finding.tool == "cancel_pending_order":
        assert payments(any_desk, "#W1") == [("payment", 10020, "card_1"), ("refund", 10020, "card_1")]
        assert value(any_desk, "desk_orders", "#W1", "status") == "cancelled"
    else:
        assert payments(any_desk, "#W1") == [("payment", 10020, "card_1"), ("payment", 225, "card_1")]
        assert value(any_desk, "desk_orders", "#W1", "status") == "pending (item modified)"


def test_of_changes_that_bear_one_another_none_is_lost(any_desk: DeskStore) -> None:
    wishes: list[Wish] = [
        ("modify_pending_order_address", {"order_id": "#W1", **NEW}),
        ("modify_pending_order_payment", {"order_id": "#W1", "payment_method_id": "card_2"}),
        ("modify_user_address", NEW),
        ("cancel_pending_order", {"order_id": "#W6", "reason": "ordered by mistake"}),
    ]
    assert {outcome.kind for outcome in at_once(any_desk, wishes)} == {"done"}
    assert (
        value(any_desk, "desk_orders", "#W1", "city")
        == value(any_desk, "desk_users", ANN, "city")
        == "Boston"
    )
    assert payments(any_desk, "#W1")[-1] == ("refund", 10020, "card_1")
    assert value(any_desk, "desk_payment_methods", "gift_1", "balance") == 1510 + 1235


def test_a_gift_card_is_not_spent_twice(any_desk: DeskStore, tmp_path: Path) -> None:
    shop = content()
    for order_id in ("#W11", "#W12", "#W13"):
        shop["orders"].append(
            {
                "order_id": order_id,
                "user_id": ANN,
                "items": [{"item_id": "M2", "price": 12.35}],
                "payments": [{"kind": "payment", "amount": 12.35, "payment_method_id": "card_1"}],
            }
        )
    load_desk(write(tmp_path, shop), any_desk.engine)
    wishes: list[Wish] = [
        ("modify_pending_order_payment", {"order_id": order_id, "payment_method_id": "gift_1"})
        for order_id in ("#W11", "#W12", "#W13")
    ]
    outcomes = at_once(any_desk, wishes)
    assert sorted(str(outcome.reason) for outcome in outcomes) == [
        "None",
        "gift card balance too low",
        "gift card balance too low",
    ]
    assert value(any_desk, "desk_payment_methods", "gift_1", "balance") == 1510 - 1235


def test_a_second_change_waits_for_the_first_and_sees_what_it_did(any_desk: DeskStore) -> None:
    cancel: Wish = ("cancel_pending_order", {"order_id": "#W6", "reason": "no longer needed"})
    pay: Wish = ("modify_pending_order_payment", {"order_id": "#W6", "payment_method_id": "card_1"})
    first, second = (propose(any_desk, ANN, *wish) for wish in (cancel, pay))
    tool = desk_tools()[cancel[0]]
    with ThreadPoolExecutor(1) as threads:
        with any_desk.writing(ANN) as desk:
            assert tool.run(desk, tool.checked(cancel[1])).status == first.finding.status == "answered"
            other = threads.submit(commit, any_desk, ANN, *pay, second.finding)
            assert not wait([other], timeout=1).done, "the second must not check before the first is written"
            # Looking things up goes on meanwhile, and sees nothing half-written.
            assert (
                "is pending"
                in look_up(any_desk, ANN, "get_order_details", {"order_id": "#W6"}).finding.headline
            )
        assert other.result(30).reason == "order already cancelled"
    assert payments(any_desk, "#W6") == [("payment", 1235, "gift_1"), ("refund", 1235, "gift_1")]
    assert value(any_desk, "desk_payment_methods", "gift_1", "balance") == 1510 + 1235


def test_a_change_on_an_outdated_copy_is_refused_by_the_database(any_desk: DeskStore) -> None:
    with pytest.raises(StaleDataError), any_desk.writing(ANN) as desk:
        order = desk.order("#W1")
        desk.session.execute(
            sa.update(Order)
            .where(Order.order_id == "#W1")
            .values(version=Order.version + 1)
            .execution_options(synchronize_session=False)
        )
        order.status = "cancelled"
    assert value(any_desk, "desk_orders", "#W1", "status") == "pending"


def test_the_desk_works_on_each_database(any_desk: DeskStore) -> None:
    for name, arguments in (
        ("cancel_pending_order", {"order_id": "#W6", "reason": "no longer needed"}),
        (
            "return_delivered_order_items",
            {"order_id": "#W3", "item_ids": ["M1"], "payment_method_id": "gift_1"},
        ),
        (
            "exchange_delivered_order_items",
            {"order_id": "#W4", "item_ids": ["M1"], "new_item_ids": ["M2"], "payment_method_id": "paypal"},
        ),
    ):
        assert agreed(any_desk, name, arguments).kind == "done"
    odd = agreed(any_desk, "modify_pending_order_address", {"order_id": "#W1\x00", **NEW})
    assert odd.reason == "order of another customer"


def test_a_database_that_is_away_is_told(tmp_path: Path) -> None:
    with pytest.raises(DeskAway, match="does not answer"):
        connect("postgresql://storewise@127.0.0.1:1/none?connect_timeout=2", tmp_path)
    (tmp_path / "desk.sqlite").mkdir()
    with pytest.raises(DeskAway, match="Try again"):
        connect("", tmp_path)
