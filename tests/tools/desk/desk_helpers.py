"""A small made-up shop for the desk's tests, and ways to look at its whole database."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from storewise.tools.desk.registry import Outcome, commit, propose
from storewise.tools.desk.store import DeskStore
from storewise.tools.desk.tables import Base

Snapshot = dict[str, list[tuple[Any, ...]]]

ANN, BEN = "ann", "ben"
HOME = {"address1": "1 Main St", "city": "Denver", "state": "CO", "zip": "80201"}
NEW = {"address1": "9 Hill Rd", "city": "Boston", "state": "MA", "zip": "02101"}


def _order(order_id: str, user: str, status: str, method: str, *items: tuple[str, float]) -> dict[str, Any]:
    total = round(sum(price for _, price in items), 2)
    paid = [{"kind": "payment", "amount": total, "payment_method_id": method}]
    if status == "cancelled":
        paid.append({"kind": "refund", "amount": total, "payment_method_id": method})
    return {
        "order_id": order_id,
        "user_id": user,
        "status": status,
        "items": [{"item_id": item_id, "price": price} for item_id, price in items],
        "payments": paid,
    }


def content() -> dict[str, Any]:
    """Return the made-up shop as its file holds it."""
    return {
        "users": [
            {
                "user_id": ANN,
                "first_name": "Ann",
                "last_name": "Lee",
                "email": "ann@example.com",
                "address": dict(HOME),
                "payment_methods": [
                    {
                        "payment_method_id": "card_1",
                        "kind": "credit_card",
                        "brand": "visa",
                        "last_four": "1111",
                    },
                    {
                        "payment_method_id": "card_2",
                        "kind": "credit_card",
                        "brand": "amex",
                        "last_four": "2222",
                    },
                    {"payment_method_id": "paypal_1", "kind": "paypal"},
                    {"payment_method_id": "gift_1", "kind": "gift_card", "balance": 15.10},
                ],
            },
            {
                "user_id": BEN,
                "first_name": "Ben",
                "last_name": "Roe",
                "email": "ben@example.com",
                "address": dict(NEW),
                "payment_methods": [
                    {"payment_method_id": "gift_2", "kind": "gift_card", "balance": 500},
                    {"payment_method_id": "paypal_2", "kind": "paypal"},
                ],
            },
        ],
        "products": [
            {
                "product_id": "P1",
                "name": "Mug",
                "variants": [
                    {"item_id": "M1", "options": {"color": "red"}, "available": True, "price": 10.10},
                    {"item_id": "M2", "options": {"color": "blue"}, "available": True, "price": 12.35},
                    {"item_id": "M3", "options": {"color": "green"}, "available": False, "price": 9.99},
                    {"item_id": "M4", "options": {"color": "white"}, "available": True, "price": 10.10},
                ],
            },
            {
                "product_id": "P2",
                "name": "Desk Lamp",
                "variants": [
                    {"item_id": "L1", "options": {"size": "S"}, "available": True, "price": 80.00},
                    {"item_id": "L2", "options": {"size": "L"}, "available": True, "price": 95.25},
                ],
            },
            {
                "product_id": "P3",
                "name": "Floor Lamp",
                "variants": [{"item_id": "F1", "available": True, "price": 120}],
            },
        ],
        "orders": [
            _order("#W1", ANN, "pending", "card_1", ("M1", 10.10), ("M1", 10.10), ("L1", 80.00)),
            _order("#W2", ANN, "processed", "card_1", ("M2", 12.35)),
            _order("#W3", ANN, "delivered", "paypal_1", ("M1", 10.10), ("L1", 80.00)),
            _order("#W4", ANN, "delivered", "gift_1", ("M1", 10.10)),
            _order("#W5", ANN, "cancelled", "card_1", ("M1", 10.10)),
            _order("#W6", ANN, "pending", "gift_1", ("M2", 12.35)),
            _order("#W8", BEN, "delivered", "paypal_2", ("L2", 95.25)),
            _order("#W9", BEN, "pending", "gift_2", ("M1", 10.10), ("L1", 80.00)),
        ],
    }


def write(folder: Path, what: dict[str, Any]) -> Path:
    """Write a shop's file and return its path."""
    path = folder / "desk.json"
    path.write_text(json.dumps(what), encoding="utf-8")
    return path


def snapshot(store: DeskStore) -> Snapshot:
    """Return all rows of all tables."""
    with store.engine.connect() as connection:
        return {
            table.name: [
                tuple(repr(cell) for cell in row)
                for row in connection.execute(sa.select(table).order_by(*table.primary_key.columns))
            ]
            for table in Base.metadata.sorted_tables
        }


def value(store: DeskStore, table: str, key: str, name: str) -> Any:
    """Return one cell: the column `name` of the row whose first key is `key`."""
    of = Base.metadata.tables[table]
    with store.engine.connect() as connection:
        return connection.scalar(sa.select(of.c[name]).where(next(iter(of.primary_key)) == key))


def payments(store: DeskStore, order_id: str) -> list[tuple[str, int, str]]:
    """Return an order's payments and refunds: kind, cents and method."""
    of = Base.metadata.tables["desk_payments"]
    wanted = sa.select(of.c.kind, of.c.amount, of.c.method_id).where(of.c.order_id == order_id)
    with store.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(wanted.order_by(of.c.number))]


def agreed(store: DeskStore, name: str, arguments: dict[str, Any], user: str = ANN) -> Outcome:
    """Propose a change and say yes to it."""
    proposed = propose(store, user, name, arguments)
    if proposed.kind == "refused" or proposed.kind == "unclear":
        return proposed
    return commit(store, user, name, arguments, proposed.finding)
