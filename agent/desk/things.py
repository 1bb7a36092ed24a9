"""What the signed-in customer has, and what the shop sells: a snapshot that words are compared with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from storewise.tools.desk.desk import Desk
from storewise.tools.desk.tables import Address

OPEN_STATES = ("pending", "pending (item modified)", "processed")


@dataclass(frozen=True)
class Kind:
    """A variant of a product as it is sold today; `price` is in cents."""

    item_id: str
    options: dict[str, str]
    available: bool
    price: int

    @property
    def said(self) -> str:
        return ", ".join(self.options.values())


@dataclass(frozen=True)
class Ware:
    """A product with its variants."""

    product_id: str
    name: str
    kinds: tuple[Kind, ...]

    @property
    def options(self) -> list[dict[str, str]]:
        """The options of each variant."""
        return [kind.options for kind in self.kinds]


@dataclass(frozen=True)
class Line:
    """A thing in an order; `price` is in cents."""

    item_id: str
    product_id: str
    product: str
    options: dict[str, str]
    price: int

    @property
    def label(self) -> str:
        said = ", ".join(self.options.values())
        return f"{self.product} ({said})" if said else self.product


@dataclass(frozen=True)
class OwnOrder:
    """An order of the customer's."""

    order_id: str
    status: str
    lines: tuple[Line, ...]
    total: int
    goes_to: Address
    paid_with: tuple[str, ...]
    tracking: tuple[str, ...]

    @property
    def is_delivered(self) -> bool:
        return self.status not in (*OPEN_STATES, "cancelled")


@dataclass(frozen=True)
class Method:
    """A payment method of the customer's; `kind` is credit_card, paypal or gift_card, `balance` in cents."""

    method_id: str
    kind: str
    brand: str
    last_four: str
    label: str
    balance: int | None


@dataclass(frozen=True)
class Things:
    """All of it, at one moment."""

    first_name: str
    address: Address
    methods: tuple[Method, ...]
    orders: tuple[OwnOrder, ...]
    wares: tuple[Ware, ...]

    @property
    def order_ids(self) -> tuple[str, ...]:
        return tuple(order.order_id for order in self.orders)

    def order(self, order_id: str) -> OwnOrder | None:
        return next((order for order in self.orders if order.order_id == order_id), None)

    def orders_of(self, order_ids: Iterable[str]) -> list[OwnOrder]:
        """Return those of some orders that are the customer's own."""
        return [order for one in order_ids if (order := self.order(one)) is not None]

    def ware(self, name: str) -> Ware | None:
        return next((ware for ware in self.wares if name in (ware.name, ware.product_id)), None)

    def method(self, method_id: str) -> Method | None:
        return next((method for method in self.methods if method.method_id == method_id), None)


def things_of(desk: Desk) -> Things:
    """Return the snapshot of a desk that is open for a customer."""
    user = desk.user
    methods = tuple(
        Method(m.method_id, m.kind, m.brand or "", m.last_four or "", m.label, m.balance)
        for m in user.methods
    )
    orders = tuple(
        OwnOrder(
            order_id=order.order_id,
            status=order.status,
            lines=tuple(
                Line(
                    line.item_id,
                    line.variant.product_id,
                    line.variant.product.name,
                    dict(line.variant.options),
                    line.price,
                )
                for line in order.items
            ),
            total=order.total,
            goes_to=order.address,
            paid_with=tuple(name for name, cents in order.net_by_method().items() if cents > 0),
            tracking=tuple(number for shipment in order.shipments for number in shipment.tracking_ids),
        )
        for order in desk.orders()
    )
    wares = tuple(
        Ware(
            product.product_id,
            product.name,
            tuple(Kind(v.item_id, dict(v.options), v.available, v.price) for v in product.variants),
        )
        for product in desk.products()
    )
    return Things(user.first_name, user.address, methods, orders, wares)
