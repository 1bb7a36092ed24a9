"""Protects what customers are told: their own things, to the cent, and never anybody else's."""

from __future__ import annotations

from typing import Any

import pytest

from storewise.tools.desk.registry import Outcome, look_up
from storewise.tools.desk.store import DeskStore
from tests.tools.desk.desk_helpers import ANN, BEN, agreed


def ask(desk: DeskStore, name: str, user: str = ANN, **arguments: Any) -> Outcome:
    return look_up(desk, user, name, arguments)


def test_an_orders_details_are_told(desk: DeskStore) -> None:
    finding = ask(desk, "get_order_details", order_id="w3").finding
    assert finding.headline == (
        "Order #W3 is delivered: 2 items for $90.10, paid with the PayPal account paypal_1. "
        "It goes to 1 Main St, Denver, CO 80201, USA."
    )
    assert finding.arguments == {"order_id": "w3"}
    assert finding.rows[1][:5] == ("Desk Lamp", "L1", "S", 80.0, "P2")


def test_what_became_of_an_order_is_told(desk: DeskStore) -> None:
    swap = {"order_id": "#W3", "item_ids": ["L1"], "new_item_ids": ["L2"], "payment_method_id": "amex"}
    agreed(desk, "exchange_delivered_order_items", swap)
    back = {"order_id": "#W4", "item_ids": ["M1"], "payment_method_id": "gift card"}
    agreed(desk, "return_delivered_order_items", back)
    told = {n: ask(desk, "get_order_details", order_id=n).finding.headline for n in ("#W3", "#W4", "#W5")}
    assert "delivered and an exchange is requested" in told["#W3"] and "costs $15.25" in told["#W3"]
    assert (
        "delivered and a return is requested" in told["#W4"] and "$10.10 goes back to the gift" in told["#W4"]
    )
    assert "is cancelled" in told["#W5"] and "Refunded: $10.10 to the visa credit card" in told["#W5"]


def test_an_order_of_somebody_else_looks_like_none(desk: DeskStore) -> None:
    other, none = (ask(desk, "get_order_details", order_id=number) for number in ("#W9", "#W0"))
    assert other.reason == none.reason == "order of another customer"
    assert other.finding.headline.replace("#W9", "#W0") == none.finding.headline
    assert not other.finding.rows


@pytest.mark.parametrize(
    ("arguments", "orders"),
    [
        ({}, ["#W1", "#W2", "#W3", "#W4", "#W5", "#W6"]),
        ({"status": "pending"}, ["#W1", "#W6"]),
        ({"status": "Delivered"}, ["#W3", "#W4"]),
        ({"product": "lamp"}, ["#W1", "#W3"]),
        ({"product": "desk lamps", "status": "delivered"}, ["#W3"]),
        ({"product": "M2"}, ["#W2", "#W6"]),
        ({"product": "bicycle"}, []),
        ({"status": "return"}, []),
    ],
)
def test_own_orders_are_found_by_state_and_product(
    desk: DeskStore, arguments: dict[str, str], orders: list[str]
) -> None:
    finding = ask(desk, "find_orders", **arguments).finding
    assert [row[0] for row in finding.rows] == orders
    assert all(order in finding.headline for order in orders)


def test_products_are_told_with_what_is_available(desk: DeskStore) -> None:
    by_name, by_id = (
        ask(desk, "get_product_details", product="MUG"),
        ask(desk, "get_product_details", product="P1"),
    )
    assert by_name.finding.rows == by_id.finding.rows
    assert by_name.finding.headline == (
        "Mug (product P1) comes in 4 variants, 3 of them available now, for $10.10 to $12.35."
    )
    assert by_name.finding.rows[-1] == ("M3", "green", 9.99, "no")
    several = ask(desk, "get_product_details", product="lamp")
    assert several.kind == "unclear" and "Desk Lamp and Floor Lamp" in several.finding.headline
    assert ask(desk, "get_product_details", product="mugs").kind == "told"
    for odd in ("zebra", "", "\x00", "x" * 5000):
        assert ask(desk, "get_product_details", product=odd).kind != "told"
    every = ask(desk, "list_all_product_types").finding
    assert every.headline == "The shop has 3 products: Desk Lamp, Floor Lamp and Mug."


def test_the_account_is_the_customers_own(desk: DeskStore) -> None:
    ann, ben = (ask(desk, "get_user_details", user).finding for user in (ANN, BEN))
    assert "ann@example.com" in ann.headline and "$" not in ann.headline
    assert ("gift_1", "gift card", None, 15.10) in ann.rows
    said = ben.model_dump_json()
    assert "ben@example.com" in said and not any(
        word in said for word in ("ann", "card_1", "gift_1", "Denver")
    )
