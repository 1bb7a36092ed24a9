"""Protects the books: whatever customers ask for in whatever order, money, states and others' rows stay right."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storewise.tools.desk.store import DATABASE, DeskStore, open_desk
from storewise.tools.desk.tables import Base
from tests.tools.desk.desk_helpers import ANN, BEN, HOME, NEW, Snapshot, agreed, content, snapshot

OWNERS = {order["order_id"]: order["user_id"] for order in content()["orders"]}
LEGAL = {
    "pending": {"pending", "pending (item modified)", "cancelled"},
    "pending (item modified)": {"pending (item modified)"},
    "processed": {"processed"},
    "cancelled": {"cancelled"},
    "delivered": {"delivered", "return requested", "exchange requested"},
    "return requested": {"return requested"},
    "exchange requested": {"exchange requested"},
}

_orders = st.sampled_from(sorted(OWNERS))
_items = st.sampled_from(["M1", "M2", "M3", "M4", "L1", "L2", "F1"])
_methods = st.sampled_from(["card_1", "card_2", "paypal_1", "gift_1", "gift_2", "paypal_2"])
_pairs = st.lists(st.tuples(_items, _items), min_size=1, max_size=3)
_address = st.sampled_from([HOME, NEW])


def _swap(order: str, pairs: list[tuple[str, str]], method: str) -> dict[str, Any]:
    old, new = zip(*pairs, strict=True)
    return {
        "order_id": order,
        "item_ids": list(old),
        "new_item_ids": list(new),
        "payment_method_id": method,
    }


_swaps = st.builds(_swap, _orders, _pairs, _methods)
_calls = st.one_of(
    st.tuples(
        st.just("cancel_pending_order"),
        st.fixed_dictionaries(
            {
                "order_id": _orders,
                "reason": st.sampled_from(["no longer needed", "ordered by mistake", "other"]),
            }
        ),
    ),
    st.tuples(
        st.just("modify_pending_order_payment"),
        st.fixed_dictionaries({"order_id": _orders, "payment_method_id": _methods}),
    ),
    st.tuples(
        st.just("modify_pending_order_address"),
        st.builds(lambda order, address: {"order_id": order, **address}, _orders, _address),
    ),
    st.tuples(st.just("modify_user_address"), _address),
    st.tuples(st.sampled_from(["modify_pending_order_items", "exchange_delivered_order_items"]), _swaps),
    st.tuples(
        st.just("return_delivered_order_items"),
        st.fixed_dictionaries(
            {
                "order_id": _orders,
                "item_ids": st.lists(_items, min_size=1, max_size=2),
                "payment_method_id": _methods,
            }
        ),
    ),
)


def _rows(store: DeskStore, table: str) -> list[dict[str, Any]]:
    with store.engine.connect() as connection:
        return [dict(row) for row in connection.execute(sa.select(Base.metadata.tables[table])).mappings()]


def _books(store: DeskStore) -> tuple[dict[str, int], dict[str, int]]:
    """Return what is paid for each order less its refunds, and each gift card's balance plus what it paid."""
    net = dict.fromkeys(OWNERS, 0)
    cards = {
        row["method_id"]: row["balance"]
        for row in _rows(store, "desk_payment_methods")
        if row["balance"] is not None
    }
    for row in _rows(store, "desk_payments"):
        cents = row["amount"] if row["kind"] == "payment" else -row["amount"]
        net[row["order_id"]] += cents
        if row["method_id"] in cards:
            cards[row["method_id"]] += cents
    return net, cards


def _not_of(user: str, rows: Snapshot) -> dict[str, list[Any]]:
    """Return all rows but a customer's own."""
    theirs = {repr(order_id) for order_id, owner in OWNERS.items() if owner == user} | {repr(user)}
    return {name: [row for row in table if not theirs & set(row)] for name, table in rows.items()}


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.sampled_from([ANN, ANN, BEN]), _calls), min_size=1, max_size=8))
def test_money_states_and_the_rows_of_others(
    desk_template: Path, wishes: list[tuple[str, tuple[str, dict[str, Any]]]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(desk_template, Path(folder) / DATABASE)
        store = open_desk("", Path(folder))
        _, cards = _books(store)
        before = snapshot(store)
        states = {row["order_id"]: row["status"] for row in _rows(store, "desk_orders")}
        for user, (name, arguments) in wishes:
            outcome = agreed(store, name, arguments, user)
            after = snapshot(store)
            assert (after != before) is (outcome.kind == "done"), outcome
            assert _not_of(user, after) == _not_of(user, before)
            now = {row["order_id"]: row["status"] for row in _rows(store, "desk_orders")}
            assert all(now[order] in LEGAL[states[order]] for order in now)
            net, held = _books(store)
            assert held == cards, "a gift card pays and gets back just what stands in the payments"
            cost = dict.fromkeys(OWNERS, 0)
            for row in _rows(store, "desk_order_items"):
                cost[row["order_id"]] += row["price"]
            assert net == {order: 0 if now[order] == "cancelled" else cost[order] for order in now}
            assert all(
                row["balance"] is None or row["balance"] >= 0 for row in _rows(store, "desk_payment_methods")
            )
            before, states = after, now
        store.close()
