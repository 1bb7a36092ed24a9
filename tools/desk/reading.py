"""Tools that look things up: the customer's orders and account, and the shop's products."""

from __future__ import annotations

from typing import Literal

from rapidfuzz import fuzz

from storewise.tools.desk.desk import Desk, Refusal, Unclear, dollars, listed, plain
from storewise.tools.desk.marks import reads
from storewise.tools.desk.tables import Order, OrderItem
from storewise.tools.finding import Column, Finding, count_column, money_column

_CLOSE = 75  # from this similarity on (0 to 100) a product's name is offered as what may be meant
_ITEM = Column(name="item_id", label="Item", role="entity")
_OPTIONS = Column(name="options", label="Options", role="text")
_PRICE = money_column("price", "Price")


@reads
def find_orders(
    desk: Desk,
    product: str | None = None,
    status: Literal["pending", "processed", "delivered", "cancelled", "return", "exchange"] | None = None,
) -> Finding:
    """List the customer's own orders with their states, to find the one that is meant.

    Args:
        product: only orders with such a product in them, such as 'water bottle'.
        status: only orders in this state; 'return' and 'exchange' are those for which one was asked for.
    """
    orders = [order for order in desk.orders() if status is None or order.status.startswith(status)]
    if product is not None:
        orders = [order for order in orders if any(_is_of(line, product) for line in order.items)]
    which = f" {status}" if status else ""
    holding = f" with “{product}” in them" if product is not None and plain(product) else ""
    if not orders:
        headline = f"You have no{which} orders{holding}."
    elif len(orders) == 1:
        headline = f"You have one{which} order{holding.replace('them', 'it')}: {orders[0].order_id}."
    else:
        named = listed([f"{order.order_id} ({order.status})" for order in orders[:10]])
        more = f", the first 10 are {named}" if len(orders) > 10 else f": {named}"
        headline = f"You have {len(orders)}{which} orders{holding}{more}."
    return Finding(
        tool="find_orders",
        status="answered",
        headline=headline,
        columns=(
            Column(name="order_id", label="Order", role="entity"),
            Column(name="status", label="State", role="text"),
            Column(name="items", label="Items", role="text"),
            money_column("total", "Total"),
        ),
        rows=tuple(
            (o.order_id, o.status, "; ".join(line.variant.label for line in o.items), o.total / 100)
            for o in orders
        ),
    )


@reads
def get_order_details(desk: Desk, order_id: str) -> Finding:
    """Tell the state of one of the customer's orders: its items with ids, prices, payment, address, tracking.

    Args:
        order_id: the order's id, such as '#W0000000', with the '#' at its beginning.
    """
    order = desk.order(order_id)
    things = "1 item" if len(order.items) == 1 else f"{len(order.items)} items"
    paid = [
        desk.own_method(method_id).label for method_id, cents in order.net_by_method().items() if cents > 0
    ]
    payment = f", paid with {listed(paid)}" if paid else ""
    tracking = [number for shipment in order.shipments for number in shipment.tracking_ids]
    sent = f" Tracking number: {', '.join(tracking)}." if tracking else ""
    return Finding(
        tool="get_order_details",
        status="answered",
        headline=(
            f"Order {order.order_id} is {_state(order)}: {things} for {dollars(order.total)}{payment}."
            f"{_later(desk, order)} It goes to {order.address.line()}.{sent}"
        ),
        columns=(
            Column(name="product", label="Product", role="entity"),
            _ITEM,
            _OPTIONS,
            _PRICE,
            Column(name="product_id", label="Product id", role="entity"),
            Column(name="requested", label="Asked for", role="text"),
        ),
        rows=tuple(
            (
                line.variant.product.name,
                line.item_id,
                line.variant.said,
                line.price / 100,
                line.variant.product_id,
                _requested(line),
            )
            for line in order.items
        ),
    )


def _state(order: Order) -> str:
    """Return an order's state as a sentence says it."""
    if order.status == "return requested":
        return "delivered and a return is requested"
    return "delivered and an exchange is requested" if order.status == "exchange requested" else order.status


def _later(desk: Desk, order: Order) -> str:
    """Return what became of an order, as a sentence."""
    if order.status == "cancelled":
        refunds = [payment for payment in order.payments if payment.kind == "refund"]
        parts = [
            f"{dollars(refund.amount)} to {desk.own_method(refund.method_id).label}" for refund in refunds
        ]
        why = f" The reason was: {order.cancel_reason}." if order.cancel_reason else ""
        return f"{why} Refunded: {listed(parts)}." if parts else why
    if order.request_method_id is None:
        return ""
    method = desk.own_method(order.request_method_id).label
    if order.status == "return requested":
        cents = sum(line.price for line in order.items if line.return_requested)
        return f" {dollars(cents)} goes back to {method} when the items have come in."
    difference = order.exchange_difference or 0
    if difference == 0:
        return " The exchange costs nothing."
    return f" The exchange {'costs' if difference > 0 else 'gives back'} {dollars(abs(difference))}, by {method}."


def _requested(line: OrderItem) -> str | None:
    if line.return_requested:
        return "return"
    return f"exchange for item {line.exchange_item_id}" if line.exchange_item_id else None


@reads
def get_product_details(desk: Desk, product: str) -> Finding:
    """Tell a product's variants: their item ids, options, prices and which are available.

    Args:
        product: the product's name, such as 'Water Bottle', or its product id, such as '8310926033'.
    """
    found = desk.product(product)
    if found is None:
        close = [p.name for p in desk.products() if _close(p.name, product)]
        if len(close) > 1:
            raise Unclear(f"Several products may be meant: {listed(close[:5])}.")
        found = desk.product(close[0]) if close else None
        if found is None:
            raise Refusal("unknown product", "The shop has no such product. Ask for the list of products.")
    available = [variant for variant in found.variants if variant.available]
    prices = sorted(variant.price for variant in available or found.variants)
    span = dollars(prices[0]) if prices[0] == prices[-1] else f"{dollars(prices[0])} to {dollars(prices[-1])}"
    there = f"{len(available)} of them available" if available else "none of them available"
    number = len(found.variants)
    return Finding(
        tool="get_product_details",
        status="answered",
        headline=(
            f"{found.name} (product {found.product_id}) comes in {number} "
            f"{'variant' if number == 1 else 'variants'}, {there} now, for {span}."
        ),
        columns=(
            _ITEM,
            Column(name="options", label=", ".join(found.variants[0].options), role="text"),
            _PRICE,
            Column(name="available", label="Available", role="text"),
        ),
        rows=tuple(
            (variant.item_id, variant.said, variant.price / 100, "yes" if variant.available else "no")
            for variant in sorted(found.variants, key=lambda variant: (not variant.available, variant.price))
        ),
    )


@reads
def list_all_product_types(desk: Desk) -> Finding:
    """List the names and product ids of all products that the shop has."""
    products = desk.products()
    return Finding(
        tool="list_all_product_types",
        status="answered",
        headline=(
            f"The shop has {len(products)} products: {listed([product.name for product in products])}."
            if products
            else "The shop has no products."
        ),
        columns=(
            Column(name="product", label="Product", role="entity"),
            Column(name="product_id", label="Product id", role="entity"),
            count_column("variants", "Variants", "variants"),
        ),
        rows=tuple((product.name, product.product_id, len(product.variants)) for product in products),
    )


@reads
def get_user_details(desk: Desk) -> Finding:
    """Tell the customer's own account: name, e-mail, default address and payment methods with their ids."""
    user = desk.user
    methods = listed([method.label for method in user.methods]) if user.methods else "none"
    return Finding(
        tool="get_user_details",
        status="answered",
        headline=(
            f"The account of {user.first_name} {user.last_name} ({user.email}) has the default address "
            f"{user.address.line()}. Payment methods: {methods}."
        ),
        columns=(
            Column(name="method", label="Payment method", role="entity"),
            Column(name="kind", label="Kind", role="text"),
            Column(name="last_four", label="Last four", role="text"),
            money_column("balance", "Balance"),
        ),
        rows=tuple(
            (
                method.method_id,
                method.kind.replace("_", " "),
                method.last_four,
                None if method.balance is None else method.balance / 100,
            )
            for method in user.methods
        ),
    )


def _is_of(line: OrderItem, product: str) -> bool:
    return product in (line.item_id, line.variant.product_id) or _close(line.variant.product.name, product)


def _close(name: str, said: str) -> bool:
    wanted = said[:100].casefold()
    return wanted in name.casefold() or fuzz.WRatio(wanted, name.casefold()) >= _CLOSE
