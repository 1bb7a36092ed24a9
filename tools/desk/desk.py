"""The desk, open for one customer: what is theirs is found, and nothing else.

Tools ask the desk for orders, items and payment methods, and it finds them among the customer's own alone.
What cannot be is a Refusal, one plain sentence with its reason.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from storewise.tools.desk.tables import Order, OrderItem, Payment, PaymentMethod, Product, User, Variant
from storewise.tools.finding import Cell, Column, Finding, money
from storewise.tools.shop.generation import ShopError

Reason = Literal[
    "order of another customer",
    "order not pending",
    "order not delivered",
    "order already processed",
    "order already delivered",
    "order already cancelled",
    "return already requested",
    "exchange already requested",
    "items already changed once",
    "payment already changed once",
    "cancellation reason not accepted",
    "item not in the order",
    "item not available",
    "different product",
    "payment method not on the account",
    "gift card balance too low",
    "refund only to the original payment method or a gift card",
    "unknown product",
    "unclear argument",
    "changed meanwhile",
]
LONGEST_ID = 100


class Refusal(Exception):
    """Something must not or cannot be done; the message is a plain sentence for the customer."""

    def __init__(self, reason: Reason, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


class Unclear(Exception):
    """Several things fit what was said; the message names them."""


class NoSuchCustomer(ShopError):
    """The runtime named a customer whom the shop does not know."""


@dataclass
class Desk:
    """The desk's shop for one customer, within one transaction.

    Attributes:
        session: the transaction.
        user_id: the customer, named by the runtime and never by a text.
        locking: whether the transaction writes. Then what it reads of the customer stays locked; if not,
            what a tool changes is a proposal and is dropped.
        proposal: what a writing tool would change, as it is told before the yes.
    """

    session: Session
    user_id: str
    locking: bool
    proposal: Finding | None = field(default=None, init=False)
    _user: User | None = field(default=None, init=False)

    @property
    def user(self) -> User:
        """The customer. Whoever changes something of theirs locks this row first, so they take turns."""
        if self._user is None:
            # No cached_property: in Python 3.11 all instances share its lock, held while this one waits.
            self._user = self.session.get(User, self.user_id, with_for_update=True if self.locking else None)
        if self._user is None:
            raise NoSuchCustomer(f"The shop has no customer “{self.user_id}”. Sign in again.")
        return self._user

    def order(self, order_id: str) -> Order:
        """Return an order of the customer's, however its # and capitals were written."""
        user = self.user
        said = order_id.strip()
        bare = said.removeprefix("#")
        written = {said, f"#{bare}", bare, f"#{bare.upper()}", bare.upper()}
        wanted = (
            sa.select(Order)
            .where(Order.user_id == user.user_id, Order.order_id.in_(written))
            .options(selectinload(Order.items).joinedload(OrderItem.variant), selectinload(Order.payments))
        )
        if self.locking:
            wanted = wanted.with_for_update(of=Order)
        order = self.session.scalars(wanted.limit(1)).first() if plain(said) else None
        if order is None:
            named = echoed(said, "with that number")
            raise Refusal("order of another customer", f"There is no order {named} of yours.")
        return order

    def orders(self) -> Sequence[Order]:
        """Return the customer's orders by their ids."""
        wanted = sa.select(Order).where(Order.user_id == self.user.user_id).order_by(Order.order_id)
        loading = selectinload(Order.items).joinedload(OrderItem.variant)
        return self.session.scalars(wanted.options(loading)).all()

    def method(self, said: str) -> PaymentMethod:
        """Return a payment method of the customer's by its id or, if only one fits, by its kind.

        Args:
            said: the id, or words like "gift card", "paypal" or "visa".
        """
        own = self.user.methods
        wanted = said.strip().casefold()
        for method in own:
            if method.method_id.casefold() == wanted:
                return method
        words = set(wanted.replace("_", " ").split())
        fitting = [method for method in own if words and words <= _words(method)]
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            raise Unclear(
                f"More than one of your payment methods fits: {listed([method.label for method in fitting])}."
            )
        known = f" You have {listed([method.label for method in own])}." if own else ""
        named = echoed(said.strip(), "of that name")
        raise Refusal(
            "payment method not on the account", f"There is no payment method {named} on your account.{known}"
        )

    def own_method(self, method_id: str) -> PaymentMethod:
        """Return the payment method with which an order of the customer's was paid."""
        return next(method for method in self.user.methods if method.method_id == method_id)

    def items(self, order: Order, item_ids: Sequence[str]) -> list[OrderItem]:
        """Return lines of an order, one for each id; an id that is named twice is two lines."""
        if not item_ids:
            raise Refusal("unclear argument", f"No item of order {order.order_id} was named.")
        lines: list[OrderItem] = []
        for said, times in Counter(item_id.strip() for item_id in item_ids).items():
            having = [line for line in order.items if line.item_id == said]
            if len(having) < times:
                named = f"Item {echoed(said, 'that was named')}"
                often = "once" if len(having) == 1 else f"{len(having)} times"
                raise Refusal(
                    "item not in the order",
                    f"{named} is only {often} in order {order.order_id}."
                    if having
                    else f"{named} is not in order {order.order_id}.",
                )
        for item_id in item_ids:
            lines.append(
                next(line for line in order.items if line.item_id == item_id.strip() and line not in lines)
            )
        return lines

    def variant(self, line: OrderItem, item_id: str) -> Variant:
        """Return an available variant of the product that `line` is of."""
        said = item_id.strip()
        variant = self.session.get(Variant, said) if plain(said) else None
        if variant is None or variant.product_id != line.variant.product_id:
            raise Refusal(
                "different product",
                f"Item {echoed(said, 'that was named')} is no variant of {line.variant.product.name}; "
                "an item can be changed only to another variant of the same product.",
            )
        if not variant.available:
            raise Refusal(
                "item not available", f"{variant.label}, item {variant.item_id}, is not available just now."
            )
        return variant

    def product(self, said: str) -> Product | None:
        """Return a product by its id or name."""
        wanted = said.strip()
        if not plain(wanted):
            return None
        by = sa.or_(Product.product_id == wanted, sa.func.lower(Product.name) == wanted.lower())
        return self.session.scalars(sa.select(Product).where(by).limit(1)).first()

    def products(self) -> Sequence[Product]:
        """Return all products by their names."""
        wanted = sa.select(Product).order_by(Product.name).options(selectinload(Product.variants))
        return self.session.scalars(wanted).all()

    def charge(self, order: Order, method: PaymentMethod, cents: int) -> None:
        """Let a payment method pay for an order."""
        covers(method, cents)
        if method.balance is not None:
            method.balance -= cents
        self._pay(order, "payment", method, cents)

    def refund(self, order: Order, method: PaymentMethod, cents: int) -> None:
        """Give money of an order back; a gift card has it at once."""
        if method.balance is not None:
            method.balance += cents
        self._pay(order, "refund", method, cents)

    def _pay(
        self, order: Order, kind: Literal["payment", "refund"], method: PaymentMethod, cents: int
    ) -> None:
        number = 1 + max((payment.number for payment in order.payments), default=0)
        payment = Payment(number=number, kind=kind, amount=cents, method_id=method.method_id)
        order.payments.append(payment)

    def change(
        self,
        tool: str,
        *,
        will: str,
        done: str,
        columns: tuple[Column, ...] = (),
        rows: tuple[tuple[Cell, ...], ...] = (),
    ) -> Finding:
        """Return what a writing tool says: `will` while it is proposed, `done` when it is written."""
        shape: dict[str, Any] = {"tool": tool, "status": "answered", "columns": columns, "rows": rows}
        self.proposal = Finding(headline=will, **shape)
        return Finding(headline=done, **shape) if self.locking else self.proposal


def covers(method: PaymentMethod, cents: int) -> None:
    """Refuse a gift card whose balance is below `cents`."""
    if method.balance is not None and method.balance < cents:
        raise Refusal(
            "gift card balance too low",
            f"The balance of {method.label} is {dollars(method.balance)}, "
            f"which does not cover {dollars(cents)}.",
        )


def plain(text: str) -> bool:
    """Say whether a text can be a name or an id: not empty, not long, nothing unprintable."""
    return 0 < len(text) <= LONGEST_ID and text.isprintable()


def echoed(said: str, instead: str) -> str:
    """Return what was said if it looks like an id, so that no text from outside is told as a fact."""
    return said if re.fullmatch(r"#?[\w.-]{1,40}", said) else instead


def dollars(cents: int) -> str:
    """Return cents as sentences write them: $1,234.50."""
    return money(cents / 100)


def listed(parts: Sequence[str]) -> str:
    """Return parts as a sentence lists them: a, b and c."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def refund_time(method: PaymentMethod) -> str:
    """Return when a refund arrives, by the shop's policy."""
    return "immediately" if method.kind == "gift_card" else "in 5 to 7 business days"


def _words(method: PaymentMethod) -> set[str]:
    own = {"credit_card": "credit card", "paypal": "paypal account", "gift_card": "gift card"}[method.kind]
    more = f"{method.brand or ''} {method.last_four or ''} the my ending in"
    return set(f"{own} {more}".casefold().split())
