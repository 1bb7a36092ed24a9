"""The shape of a desk's shop in a JSON file, and the check that tells all its problems at once.

    {"users":    [{"user_id", "first_name", "last_name", "email", "address": {"address1", "address2",
                   "city", "state", "zip", "country"}, "payment_methods": [{"payment_method_id", "kind":
                   "credit_card" | "paypal" | "gift_card", "brand", "last_four", "balance"}]}],
     "products": [{"product_id", "name", "variants": [{"item_id", "options": {"size": "M"}, "available",
                   "price"}]}],
     "orders":   [{"order_id", "user_id", "status", "cancel_reason", "address", "items": [{"item_id",
                   "price"}], "payments": [{"kind": "payment" | "refund", "amount", "payment_method_id"}],
                   "shipments": [{"tracking_ids": [], "item_ids": []}]}]}

Left out may be: `address2`, `state`, `country` (USA), `brand`, `last_four`, `payment_methods`, `options`,
`cancel_reason`, `payments`, `shipments`, an order's `address` (then the user's) and its `status` (pending).
`balance` belongs to gift cards alone. Amounts are numbers with at most two decimals.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from storewise.tools.desk.tables import CancelReason, MethodKind, PaymentKind, Status

_MOST = Decimal(10) ** 12


def _cents(value: Any) -> int:
    """Return an amount of money as whole cents, exactly."""
    try:
        amount = Decimal("NaN") if isinstance(value, bool) else Decimal(str(value))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or not 0 <= amount < _MOST:
        raise ValueError("is no amount of money")
    if amount * 100 != int(amount * 100):
        raise ValueError("has more than two decimals")
    return int(amount * 100)


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("has characters that cannot be printed")
    return text


Cents = Annotated[int, BeforeValidator(_cents)]
_Text = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(_printable)
]
_MaybeEmpty = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=200), AfterValidator(_printable)
]
_Id = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), AfterValidator(_printable)
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AddressData(_Strict):
    address1: _Text
    address2: _MaybeEmpty = ""
    city: _Text
    state: _MaybeEmpty = ""
    zip: _Text
    country: _Text = "USA"


class MethodData(_Strict):
    payment_method_id: _Id
    kind: MethodKind
    brand: _Text | None = None
    last_four: Annotated[str, StringConstraints(pattern=r"^\d{4}$")] | None = None
    balance: Cents | None = None

    @model_validator(mode="after")
    def _gift_cards_have_balances(self) -> MethodData:
        if (self.kind == "gift_card") != (self.balance is not None):
            raise ValueError("a gift card needs a balance, and nothing else has one")
        return self


class UserData(_Strict):
    user_id: _Id
    first_name: _Text
    last_name: _Text
    email: Annotated[_Text, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$")]
    address: AddressData
    payment_methods: tuple[MethodData, ...] = ()


class VariantData(_Strict):
    item_id: _Id
    options: dict[_Text, _Text] = Field(default_factory=dict)
    available: bool
    price: Cents


class ProductData(_Strict):
    product_id: _Id
    name: _Text
    variants: Annotated[tuple[VariantData, ...], Field(min_length=1)]


class LineData(_Strict):
    item_id: _Id
    price: Cents


class PaymentData(_Strict):
    kind: PaymentKind
    amount: Annotated[Cents, Field(gt=0)]
    payment_method_id: _Id


class ShipmentData(_Strict):
    tracking_ids: tuple[_Text, ...] = ()
    item_ids: tuple[_Id, ...] = ()


class OrderData(_Strict):
    order_id: _Id
    user_id: _Id
    status: Status = "pending"
    cancel_reason: CancelReason | None = None
    address: AddressData | None = None
    items: Annotated[tuple[LineData, ...], Field(min_length=1)]
    payments: tuple[PaymentData, ...] = ()
    shipments: tuple[ShipmentData, ...] = ()


@dataclass
class DeskData:
    """A desk's shop as it is loaded, with what is wrong with it (nothing, if `problems` is empty)."""

    users: list[UserData] = field(default_factory=list)
    products: list[ProductData] = field(default_factory=list)
    orders: list[OrderData] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


_Record = TypeVar("_Record", UserData, ProductData, OrderData)


def checked(content: Any) -> DeskData:
    """Return the shop in a file's content, with every problem told by where it is."""
    data = DeskData()
    if not isinstance(content, Mapping):
        data.problems.append("the file must be an object with users, products and orders")
        return data
    data.problems += [
        f"{name}: is not known" for name in content if name not in ("users", "products", "orders")
    ]
    data.users, broken_users = _records(content, "users", UserData)
    data.products, broken_products = _records(content, "products", ProductData)
    data.orders, broken_orders = _records(content, "orders", OrderData)
    data.problems += [*broken_users, *broken_products, *broken_orders, *_repeated(data)]
    # What a broken record would have named is unknown, so that it cannot be called missing either.
    users = {user.user_id: user for user in data.users}
    items = {variant.item_id for product in data.products for variant in product.variants}
    for order in data.orders:
        found: list[str] = []
        if not broken_products:
            lacking = [line.item_id for line in order.items if line.item_id not in items]
            found += [f"no product has the item {item_id}" for item_id in dict.fromkeys(lacking)]
        if not broken_users:
            found += _about_its_user(order, users.get(order.user_id))
        found += _about_money_and_shipments(order)
        data.problems += [f"orders, {order.order_id}: {text}" for text in found]
    return data


def _records(content: Mapping[str, Any], name: str, model: type[_Record]) -> tuple[list[_Record], list[str]]:
    """Return the records of one list that are right, and of each other one where it is wrong."""
    rows = content.get(name)
    if not isinstance(rows, list):
        return [], [f"{name}: must be a list"]
    found: list[_Record] = []
    problems: list[str] = []
    for index, row in enumerate(rows):
        try:
            found.append(model.model_validate(row))
        except ValidationError as error:
            problems += _told(f"{name}.{index}", error)
    return found, problems


def _told(where: str, error: ValidationError) -> list[str]:
    return [
        f"{'.'.join([where, *map(str, wrong['loc'])])}: {wrong['msg'].removeprefix('Value error, ')}"
        for wrong in error.errors()
    ]


def _repeated(data: DeskData) -> list[str]:
    """Return what stands there twice and must be there once."""
    unique = {
        "users, user_id": [user.user_id for user in data.users],
        "users, email": [user.email for user in data.users],
        "users, payment_method_id": [
            m.payment_method_id for user in data.users for m in user.payment_methods
        ],
        "products, product_id": [product.product_id for product in data.products],
        "products, name": [product.name for product in data.products],
        "products, item_id": [v.item_id for product in data.products for v in product.variants],
        "orders, order_id": [order.order_id for order in data.orders],
    }
    return [
        f"{where}: {name} stands there {times} times"
        for where, names in unique.items()
        for name, times in Counter(names).items()
        if times > 1
    ]


def _about_its_user(order: OrderData, user: UserData | None) -> list[str]:
    if user is None:
        return [f"there is no user {order.user_id}"]
    own = {method.payment_method_id for method in user.payment_methods}
    used = dict.fromkeys(payment.payment_method_id for payment in order.payments)
    return [f"{user.user_id} has no payment method {name}" for name in used if name not in own]


def _about_money_and_shipments(order: OrderData) -> list[str]:
    found = []
    paid = sum(payment.amount for payment in order.payments if payment.kind == "payment")
    refunded = sum(payment.amount for payment in order.payments if payment.kind == "refund")
    if refunded > paid:
        found.append("more was refunded than paid")
    sent = [item_id for shipment in order.shipments for item_id in shipment.item_ids]
    lacking = dict.fromkeys(item_id for item_id in sent if item_id not in {i.item_id for i in order.items})
    return found + [f"the item {item_id} was sent, but is not in it" for item_id in lacking]
