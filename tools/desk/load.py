"""Loading the desk's shop: one's own JSON file, or the retail domain of tau2-bench.

A load replaces the whole shop in one transaction, so that a file with problems leaves the one before.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storewise.tools.desk.data import AddressData, DeskData, OrderData, UserData, checked
from storewise.tools.desk.store import writing_engine
from storewise.tools.desk.tables import (
    SHOP_TABLES,
    Address,
    Order,
    OrderItem,
    Payment,
    PaymentMethod,
    Product,
    Shipment,
    User,
    Variant,
)
from storewise.tools.shop.generation import ShopError

_MOST_TOLD = 30


class DeskDataError(ShopError):
    """A file holds no desk's shop; the message tells all that is wrong with it, and where."""

    def __init__(self, path: Path, problems: list[str]) -> None:
        self.problems = problems
        told = [f"  {problem}" for problem in problems[:_MOST_TOLD]]
        if len(problems) > _MOST_TOLD:
            told.append(f"  and {len(problems) - _MOST_TOLD:,} more")
        number = "one problem" if len(problems) == 1 else f"{len(problems):,} problems"
        super().__init__(
            "\n".join(
                [
                    f"{path} was not loaded, it has {number}:",
                    *told,
                    "Mend it and run: storewise load --desk FILE",
                ]
            )
        )


@dataclass(frozen=True)
class Loaded:
    """How much a shop holds after a load."""

    users: int
    products: int
    variants: int
    orders: int


def load_desk(path: Path, engine: sa.Engine) -> Loaded:
    """Replace the desk's shop with that of a JSON file (its shape: see `data`).

    Raises:
        DeskDataError: the file cannot be read or has problems; the shop before stays.
    """
    return _load(path, engine, lambda content: content)


def load_tau2(path: Path, engine: sa.Engine) -> Loaded:
    """Replace the desk's shop with the retail domain's db.json of tau2-bench.

    Raises:
        DeskDataError: the file cannot be read or has problems; the shop before stays.
    """

    def reshaped(content: Any) -> Any:
        try:
            return _from_tau2(content)
        except (KeyError, TypeError, AttributeError) as error:
            raise DeskDataError(path, [f"it is no db.json of tau2's retail domain ({error!r})"]) from error

    return _load(path, engine, reshaped)


def _load(path: Path, engine: sa.Engine, reshaped: Callable[[Any], Any]) -> Loaded:
    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text, parse_float=Decimal)
    except OSError as error:
        raise DeskDataError(path, [f"it cannot be read ({error.strerror})"]) from error
    except (ValueError, RecursionError) as error:
        raise DeskDataError(path, [f"it is no JSON ({error})"]) from error
    data = checked(reshaped(content))
    if data.problems:
        raise DeskDataError(path, data.problems)
    with Session(writing_engine(engine)) as session, session.begin():
        # Conversations are no part of the shop: they stay.
        for table in reversed(SHOP_TABLES):
            session.execute(table.delete())
        _fill(session, data)
    variants = sum(len(product.variants) for product in data.products)
    return Loaded(len(data.users), len(data.products), variants, len(data.orders))


def _fill(session: Session, data: DeskData) -> None:
    addresses = {user.user_id: user.address for user in data.users}
    session.add_all(_user(user) for user in data.users)
    for product in data.products:
        variants = [Variant(**variant.model_dump()) for variant in product.variants]
        session.add(Product(product_id=product.product_id, name=product.name, variants=variants))
    session.flush()
    session.add_all(_order(order, order.address or addresses[order.user_id]) for order in data.orders)


def _user(user: UserData) -> User:
    return User(
        user_id=user.user_id,
        first_name=user.first_name,
        last_name=user.last_name,
        email=user.email,
        address=_address(user.address),
        methods=[
            PaymentMethod(
                method_id=method.payment_method_id,
                kind=method.kind,
                brand=method.brand,
                last_four=method.last_four,
                balance=method.balance,
            )
            for method in user.payment_methods
        ],
    )


def _order(order: OrderData, address: AddressData) -> Order:
    return Order(
        order_id=order.order_id,
        user_id=order.user_id,
        status=order.status,
        cancel_reason=order.cancel_reason,
        address=_address(address),
        items=[
            OrderItem(number=number, item_id=item.item_id, price=item.price)
            for number, item in enumerate(order.items, 1)
        ],
        payments=[
            Payment(number=number, kind=paid.kind, amount=paid.amount, method_id=paid.payment_method_id)
            for number, paid in enumerate(order.payments, 1)
        ],
        shipments=[
            Shipment(number=number, tracking_ids=list(sent.tracking_ids), item_ids=list(sent.item_ids))
            for number, sent in enumerate(order.shipments, 1)
        ],
    )


def _address(address: AddressData) -> Address:
    return Address(**address.model_dump())


def _from_tau2(content: dict[str, Any]) -> dict[str, Any]:
    """Return tau2's db.json in the shape of one's own file.

    The name and options of an order's items are left out: they are those of the variant.
    """
    users = [
        {
            "user_id": user["user_id"],
            **user["name"],
            "email": user["email"],
            "address": user["address"],
            "payment_methods": [
                {"payment_method_id": m["id"], "kind": m["source"]}
                | {name: m[name] for name in ("brand", "last_four", "balance") if name in m}
                for m in user["payment_methods"].values()
            ],
        }
        for user in content["users"].values()
    ]
    products = [
        {
            "product_id": product["product_id"],
            "name": product["name"],
            "variants": list(product["variants"].values()),
        }
        for product in content["products"].values()
    ]
    orders = [
        {
            "order_id": order["order_id"],
            "user_id": order["user_id"],
            "status": order["status"],
            "cancel_reason": order.get("cancel_reason"),
            "address": order["address"],
            "items": [{"item_id": item["item_id"], "price": item["price"]} for item in order["items"]],
            "payments": [
                {
                    "kind": paid["transaction_type"],
                    "amount": paid["amount"],
                    "payment_method_id": paid["payment_method_id"],
                }
                for paid in order["payment_history"]
            ],
            "shipments": [
                {"tracking_ids": sent["tracking_id"], "item_ids": sent["item_ids"]}
                for sent in order["fulfillments"]
            ],
        }
        for order in content["orders"].values()
    ]
    return {"users": users, "products": products, "orders": orders}
