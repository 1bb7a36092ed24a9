"""Protects loading: a file's problems are told all at once with where they are, and leave the shop before."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from storewise.tools.desk.load import DeskDataError, load_desk, load_tau2
from storewise.tools.desk.registry import look_up
from storewise.tools.desk.store import DeskStore
from tests.tools.desk.desk_helpers import ANN, content, payments, snapshot, value, write

Spoil = Callable[[dict[str, Any]], Any]

CASES: list[tuple[Spoil, str]] = [
    (lambda shop: shop["users"][0].pop("email"), "users.0.email: Field required"),
    (lambda shop: shop["users"][0].update(email="nobody"), "users.0.email: String should match"),
    (lambda shop: shop["users"][1]["address"].update(city=" "), "users.1.address.city: String should have"),
    (lambda shop: shop["users"][1]["payment_methods"][1].update(balance=1), "a gift card needs a balance"),
    (
        lambda shop: shop["users"][0]["payment_methods"][0].update(last_four="4111111111111111"),
        "users.0.payment_methods.0.last_four",
    ),
    (lambda shop: shop["users"].append(shop["users"][1]), "users, user_id: ben stands there 2 times"),
    (lambda shop: shop["users"][1].update(email="ann@example.com"), "users, email: ann@example.com stands"),
    (lambda shop: shop["products"][0]["variants"][0].update(price=1.005), "more than two decimals"),
    (lambda shop: shop["products"][0]["variants"][0].update(price=-1), "price: is no amount of money"),
    (lambda shop: shop["products"][0]["variants"][0].update(price=True), "price: is no amount of money"),
    (lambda shop: shop["products"][0]["variants"][0].update(price=float("nan")), "is no amount of money"),
    (lambda shop: shop["products"][0]["variants"][0].update(item_id="L1"), "products, item_id: L1 stands"),
    (lambda shop: shop["products"][0].update(variants=[]), "products.0.variants: Tuple should have at least"),
    (lambda shop: shop["orders"][0].update(status="lost"), "orders.0.status: Input should be"),
    (lambda shop: shop["orders"][0].update(user_id="eve"), "orders, #W1: there is no user eve"),
    (
        lambda shop: shop["orders"][0]["items"][0].update(item_id="Z"),
        "orders, #W1: no product has the item Z",
    ),
    (
        lambda shop: shop["orders"][0]["payments"][0].update(payment_method_id="gift_2"),
        "orders, #W1: ann has no payment method gift_2",
    ),
    (
        lambda shop: shop["orders"][0]["payments"][0].update(kind="refund"),
        "orders, #W1: more was refunded than paid",
    ),
    (lambda shop: shop["orders"][0].update(shipments=[{"item_ids": ["M4"]}]), "the item M4 was sent, but"),
    (lambda shop: shop["orders"][0].update(payments=[{"kind": "payment"}]), "orders.0.payments.0.amount"),
    (lambda shop: shop["orders"][0].update(discount=5), "orders.0.discount: Extra inputs are not permitted"),
    (lambda shop: shop["orders"][0].update(order_id="#W\x00"), "cannot be printed"),
    (lambda shop: shop.update(orders={}), "orders: must be a list"),
    (lambda shop: shop.update(returns=[]), "returns: is not known"),
]


@pytest.mark.parametrize(("spoil", "told"), CASES)
def test_what_is_wrong_is_told_with_where_it_is(
    desk: DeskStore, tmp_path: Path, spoil: Spoil, told: str
) -> None:
    before = snapshot(desk)
    shop = content()
    spoil(shop)
    with pytest.raises(DeskDataError) as caught:
        load_desk(write(tmp_path, shop), desk.engine)
    assert told in str(caught.value), caught.value
    assert "storewise load --desk" in str(caught.value)
    assert snapshot(desk) == before


def test_all_problems_are_told_at_once(desk: DeskStore, tmp_path: Path) -> None:
    shop = content()
    shop["users"][0]["address"].pop("zip")
    shop["products"][1]["variants"][0]["price"] = "much"
    shop["orders"][2]["payments"][0]["amount"] = 0
    shop["orders"][7]["status"] = "sent"
    shop["orders"][1]["shipments"] = [{"item_ids": ["M3"]}]
    with pytest.raises(DeskDataError) as caught:
        load_desk(write(tmp_path, shop), desk.engine)
    assert caught.value.problems == [
        "users.0.address.zip: Field required",
        "products.1.variants.0.price: is no amount of money",
        "orders.2.payments.0.amount: Input should be greater than 0",
        "orders.7.status: " + caught.value.problems[3].removeprefix("orders.7.status: "),
        "orders, #W2: the item M3 was sent, but is not in it",
    ]


@pytest.mark.parametrize(
    "text", ["", "[]", "{", "null", '{"users": [1], "products": [2], "orders": [3]}', "[" * 99999]
)
def test_a_file_that_is_no_shop_is_told(desk: DeskStore, tmp_path: Path, text: str) -> None:
    path = tmp_path / "odd.json"
    path.write_text(text, encoding="utf-8")
    for load in (load_desk, load_tau2):
        with pytest.raises(DeskDataError, match="was not loaded"):
            load(path, desk.engine)
        with pytest.raises(DeskDataError, match="cannot be read"):
            load(tmp_path, desk.engine)


def test_a_load_replaces_the_shop_and_fills_in_what_may_be_left_out(desk: DeskStore, tmp_path: Path) -> None:
    shop = content()
    shop["orders"] = [{"order_id": "A-1", "user_id": ANN, "items": [{"item_id": "F1", "price": "120.00"}]}]
    loaded = load_desk(write(tmp_path, shop), desk.engine)
    assert (loaded.users, loaded.products, loaded.variants, loaded.orders) == (2, 3, 7, 1)
    assert value(desk, "desk_orders", "A-1", "status") == "pending"
    assert value(desk, "desk_orders", "A-1", "city") == "Denver"
    told = look_up(desk, ANN, "get_order_details", {"order_id": "a-1"}).finding
    assert told.headline == (
        "Order A-1 is pending: 1 item for $120.00. It goes to 1 Main St, Denver, CO 80201, USA."
    )


def test_tau2s_database_is_loaded_to_the_cent(desk: DeskStore, tmp_path: Path) -> None:
    address = {
        "address1": "5 Elm",
        "address2": "Apt 2",
        "city": "Austin",
        "state": "TX",
        "zip": "7",
        "country": "USA",
    }
    db = {
        "users": {
            "eve_1": {
                "user_id": "eve_1",
                "name": {"first_name": "Eve", "last_name": "Doe"},
                "email": "eve@example.com",
                "address": address,
                "payment_methods": {
                    "gift_card_1": {"source": "gift_card", "id": "gift_card_1", "balance": 8.1}
                },
                "orders": ["#W1"],
            }
        },
        "products": {
            "77": {
                "name": "Cap",
                "product_id": "77",
                "variants": {
                    "9": {"item_id": "9", "options": {"size": "M"}, "available": True, "price": 19.99}
                },
            }
        },
        "orders": {
            "#W1": {
                "order_id": "#W1",
                "user_id": "eve_1",
                "address": address,
                "items": [
                    {
                        "name": "Cap",
                        "product_id": "77",
                        "item_id": "9",
                        "price": 19.99,
                        "options": {"size": "M"},
                    }
                ],
                "status": "delivered",
                "fulfillments": [{"tracking_id": ["555"], "item_ids": ["9"]}],
                "payment_history": [
                    {"transaction_type": "payment", "amount": 19.99, "payment_method_id": "gift_card_1"}
                ],
            }
        },
    }
    path = tmp_path / "db.json"
    path.write_text(json.dumps(db), encoding="utf-8")
    assert load_tau2(path, desk.engine).orders == 1
    assert payments(desk, "#W1") == [("payment", 1999, "gift_card_1")]
    assert value(desk, "desk_payment_methods", "gift_card_1", "balance") == 810
    told = look_up(desk, "eve_1", "get_order_details", {"order_id": "#W1"}).finding.headline
    assert "is delivered: 1 item for $19.99" in told and "Tracking number: 555." in told
