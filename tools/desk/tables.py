"""The desk's shop as tables: users, payment methods, products, orders, their items, payments and shipments.

Money is whole cents everywhere. Orders point to their owner, and every look-up of the desk goes through it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import sqlalchemy as sa
from sqlalchemy.orm import (
    Composite,
    DeclarativeBase,
    Mapped,
    composite,
    declared_attr,
    mapped_column,
    relationship,
)

Status = Literal[
    "pending",
    "pending (item modified)",
    "processed",
    "delivered",
    "cancelled",
    "return requested",
    "exchange requested",
]
MethodKind = Literal["credit_card", "paypal", "gift_card"]
PaymentKind = Literal["payment", "refund"]
CancelReason = Literal["no longer needed", "ordered by mistake"]

_ID = sa.String(100)
_NAME = sa.String(200)


def one_of(column: str, values: object) -> str:
    """Return an SQL condition that `column` has one of the values of a Literal."""
    return f"{column} IN ({', '.join(repr(value) for value in get_args(values))})"


class Base(DeclarativeBase):
    """The desk's own tables; their constraints have fixed names, so that migrations can speak of them."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


@dataclass(frozen=True)
class Address:
    """Where something is sent; `address2` and `state` may be empty."""

    address1: str
    address2: str
    city: str
    state: str
    zip: str
    country: str

    def line(self) -> str:
        """Return the address as one line."""
        place = " ".join(part for part in (self.state, self.zip) if part)
        return ", ".join(
            part for part in (self.address1, self.address2, self.city, place, self.country) if part
        )


def _address() -> Composite[Address]:
    return composite(
        Address,
        *(mapped_column(part, _NAME) for part in ("address1", "address2", "city", "state", "zip", "country")),
    )


class User(Base):
    """A customer of the shop."""

    __tablename__ = "desk_users"

    user_id: Mapped[str] = mapped_column(_ID, primary_key=True)
    first_name: Mapped[str] = mapped_column(_NAME)
    last_name: Mapped[str] = mapped_column(_NAME)
    email: Mapped[str] = mapped_column(_NAME, unique=True)
    address: Mapped[Address] = _address()
    methods: Mapped[list[PaymentMethod]] = relationship(order_by="PaymentMethod.method_id")


class PaymentMethod(Base):
    """A customer's card, PayPal account or gift card; a gift card alone has a balance (cents)."""

    __tablename__ = "desk_payment_methods"
    __table_args__ = (
        sa.CheckConstraint(one_of("kind", MethodKind), "kind"),
        sa.CheckConstraint("(kind = 'gift_card') = (balance IS NOT NULL)", "balance"),
        sa.CheckConstraint("balance >= 0", "covered"),
    )

    method_id: Mapped[str] = mapped_column(_ID, primary_key=True)
    user_id: Mapped[str] = mapped_column(_ID, sa.ForeignKey(User.user_id), index=True)
    kind: Mapped[MethodKind] = mapped_column(sa.String(16))
    brand: Mapped[str | None] = mapped_column(_NAME)
    last_four: Mapped[str | None] = mapped_column(sa.String(4))
    balance: Mapped[int | None] = mapped_column(sa.BigInteger)

    @property
    def label(self) -> str:
        """The method as a sentence names it."""
        if self.kind == "gift_card":
            return f"the gift card {self.method_id}"
        if self.kind == "paypal":
            return f"the PayPal account {self.method_id}"
        brand = f"{self.brand} " if self.brand else ""
        ending = f" ending in {self.last_four}" if self.last_four else ""
        return f"the {brand}credit card{ending} ({self.method_id})"


class Product(Base):
    """A type of product; what is sold are its variants."""

    __tablename__ = "desk_products"

    product_id: Mapped[str] = mapped_column(_ID, primary_key=True)
    name: Mapped[str] = mapped_column(_NAME, unique=True)
    variants: Mapped[list[Variant]] = relationship(order_by="Variant.item_id", back_populates="product")


class Variant(Base):
    """A product with its options settled, such as a size and a colour; its price today in cents."""

    __tablename__ = "desk_variants"
    __table_args__ = (sa.CheckConstraint("price >= 0", "price"),)

    item_id: Mapped[str] = mapped_column(_ID, primary_key=True)
    product_id: Mapped[str] = mapped_column(_ID, sa.ForeignKey(Product.product_id), index=True)
    options: Mapped[dict[str, str]] = mapped_column(sa.JSON)
    available: Mapped[bool]
    price: Mapped[int] = mapped_column(sa.BigInteger)
    product: Mapped[Product] = relationship(back_populates="variants", lazy="joined", innerjoin=True)

    @property
    def label(self) -> str:
        """The variant as a sentence names it, e.g. Water Bottle (1000ml, glass, blue)."""
        return f"{self.product.name} ({self.said})" if self.options else self.product.name

    @property
    def said(self) -> str:
        """The options in their order."""
        return ", ".join(self.options.values())


class Order(Base):
    """An order. A return or an exchange that was asked for is marked on its items.

    `version` counts its changes: one that was made on an outdated copy is refused by the database.
    """

    __tablename__ = "desk_orders"
    __table_args__ = (sa.CheckConstraint(one_of("status", Status), "status"),)

    order_id: Mapped[str] = mapped_column(_ID, primary_key=True)
    user_id: Mapped[str] = mapped_column(_ID, sa.ForeignKey(User.user_id), index=True)
    status: Mapped[Status] = mapped_column(sa.String(32))
    address: Mapped[Address] = _address()
    cancel_reason: Mapped[CancelReason | None] = mapped_column(_NAME)
    request_method_id: Mapped[str | None] = mapped_column(_ID, sa.ForeignKey(PaymentMethod.method_id))
    exchange_difference: Mapped[int | None] = mapped_column(sa.BigInteger)
    version: Mapped[int] = mapped_column()
    items: Mapped[list[OrderItem]] = relationship(order_by="OrderItem.number")
    payments: Mapped[list[Payment]] = relationship(order_by="Payment.number")
    shipments: Mapped[list[Shipment]] = relationship(order_by="Shipment.number")

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.version}

    @property
    def total(self) -> int:
        """What the items cost, in cents."""
        return sum(item.price for item in self.items)

    def net_by_method(self) -> dict[str, int]:
        """Return payments minus refunds of each payment method in cents, in the order of their first use."""
        net: dict[str, int] = {}
        for payment in self.payments:
            cents = payment.amount if payment.kind == "payment" else -payment.amount
            net[payment.method_id] = net.get(payment.method_id, 0) + cents
        return net


class OrderItem(Base):
    """One thing in an order, at the price that was paid (cents); the same variant may be in it twice."""

    __tablename__ = "desk_order_items"

    order_id: Mapped[str] = mapped_column(_ID, sa.ForeignKey(Order.order_id), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    item_id: Mapped[str] = mapped_column(_ID, sa.ForeignKey(Variant.item_id))
    price: Mapped[int] = mapped_column(sa.BigInteger)
    return_requested: Mapped[bool] = mapped_column(default=False)
    exchange_item_id: Mapped[str | None] = mapped_column(_ID, sa.ForeignKey(Variant.item_id))
    variant: Mapped[Variant] = relationship(foreign_keys=item_id)


class Payment(Base):
    """Money that was paid for an order or given back, in cents."""

    __tablename__ = "desk_payments"
    __table_args__ = (
        sa.CheckConstraint(one_of("kind", PaymentKind), "kind"),
        sa.CheckConstraint("amount > 0", "amount"),
    )

    order_id: Mapped[str] = mapped_column(_ID, sa.ForeignKey(Order.order_id), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[PaymentKind] = mapped_column(sa.String(16))
    amount: Mapped[int] = mapped_column(sa.BigInteger)
    method_id: Mapped[str] = mapped_column(_ID, sa.ForeignKey(PaymentMethod.method_id))


class Shipment(Base):
    """What was sent together, with its tracking numbers."""

    __tablename__ = "desk_shipments"

    order_id: Mapped[str] = mapped_column(_ID, sa.ForeignKey(Order.order_id), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    tracking_ids: Mapped[list[str]] = mapped_column(sa.JSON)
    item_ids: Mapped[list[str]] = mapped_column(sa.JSON)


# The shop itself, each after those it points to; other modules add tables of their own to the same database.
SHOP_TABLES: tuple[sa.Table, ...] = tuple(Base.metadata.sorted_tables)
