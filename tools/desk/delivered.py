"""Tools for a delivered order: return items of it, or exchange them."""

from __future__ import annotations

from storewise.tools.desk.desk import Desk, Refusal, dollars, listed, refund_time
from storewise.tools.desk.marks import writes
from storewise.tools.desk.swaps import SWAP_COLUMNS, covered, difference, swap_rows, swaps, told
from storewise.tools.desk.tables import Order
from storewise.tools.finding import Column, Finding, money_column

_MAIL = "An e-mail tells how to send the items back."


@writes
def return_delivered_order_items(
    desk: Desk, order_id: str, item_ids: list[str], payment_method_id: str
) -> Finding:
    """Ask for the return of items of a delivered order of the customer's.

    A return or an exchange can be asked for only once an order, so all items must be in one call.

    Args:
        order_id: the order's id, such as '#W0000000', with the '#' at its beginning.
        item_ids: the ids of the items to return, each such as '1008292230'; twice if both of two alike go back.
        payment_method_id: where the refund goes: the method that paid for the order, or one of the customer's
            gift cards.
    """
    order = _delivered(desk, order_id, "returned")
    lines = desk.items(order, item_ids)
    method = desk.method(payment_method_id)
    paid = [method_id for method_id, cents in order.net_by_method().items() if cents > 0]
    if method.kind != "gift_card" and method.method_id not in paid:
        with_what = f", {listed([desk.own_method(name).label for name in paid])}," if paid else ""
        raise Refusal(
            "refund only to the original payment method or a gift card",
            f"The refund can go only to the method that paid for order {order.order_id}{with_what} "
            f"or to a gift card of yours, not to {method.label}.",
        )
    for line in lines:
        line.return_requested = True
    order.status = "return requested"
    order.request_method_id = method.method_id
    cents = sum(line.price for line in lines)
    what = listed([line.variant.label for line in lines])
    back = f"once they have come in, {dollars(cents)} goes to {method.label} {refund_time(method)}"
    return desk.change(
        "return_delivered_order_items",
        will=f"From order {order.order_id} you will return {what}; {back}. {_MAIL}",
        done=f"The return of {what} from order {order.order_id} is requested; {back}. {_MAIL}",
        columns=(
            Column(name="item_id", label="Item", role="entity"),
            Column(name="product", label="Product", role="entity"),
            Column(name="options", label="Options", role="text"),
            money_column("price", "Price"),
        ),
        rows=tuple(
            (line.item_id, line.variant.product.name, line.variant.said, line.price / 100) for line in lines
        ),
    )


@writes
def exchange_delivered_order_items(
    desk: Desk, order_id: str, item_ids: list[str], new_item_ids: list[str], payment_method_id: str
) -> Finding:
    """Ask to exchange items of a delivered order of the customer's for variants of the same products.

    A return or an exchange can be asked for only once an order, so all items must be in one call. An item
    can be exchanged for another piece of the same variant.

    Args:
        order_id: the order's id, such as '#W0000000', with the '#' at its beginning.
        item_ids: the ids of the items to exchange, each such as '1008292230'; twice if both of two alike.
        new_item_ids: the ids of the new items, in the same order as item_ids.
        payment_method_id: the customer's own method that pays or gets back the difference in price.
    """
    order = _delivered(desk, order_id, "exchanged")
    lines = desk.items(order, item_ids)
    changes = swaps(desk, lines, new_item_ids)
    cents = difference(changes)
    method = desk.method(payment_method_id)
    covered(method, cents)
    for line, variant in changes:
        line.exchange_item_id = variant.item_id
    order.status = "exchange requested"
    order.request_method_id = method.method_id
    order.exchange_difference = cents
    if cents > 0:
        price = f"the difference of {dollars(cents)} is to be paid with {method.label}"
    elif cents < 0:
        price = f"the difference of {dollars(-cents)} goes back to {method.label} {refund_time(method)}"
    else:
        price = "the price stays the same"
    return desk.change(
        "exchange_delivered_order_items",
        will=f"In order {order.order_id} {told(changes)}; {price}. {_MAIL}",
        done=f"The exchange in order {order.order_id} is requested: {told(changes)}; {price}. {_MAIL}",
        columns=SWAP_COLUMNS,
        rows=swap_rows(changes),
    )


def _delivered(desk: Desk, order_id: str, wish: str) -> Order:
    """Return an order of the customer's that is delivered and for which nothing was asked yet."""
    order = desk.order(order_id)
    match order.status:
        case "delivered":
            return order
        case "return requested" | "exchange requested":
            what = order.status.removesuffix(" requested")
            raise Refusal(
                "return already requested" if what == "return" else "exchange already requested",
                f"For order {order.order_id} {'an' if what == 'exchange' else 'a'} {what} was requested already; "
                "a return or an exchange is possible only once an order.",
            )
        case "cancelled":
            raise Refusal(
                "order already cancelled",
                f"Order {order.order_id} is cancelled, so nothing of it can be {wish}.",
            )
        case _:
            raise Refusal(
                "order not delivered",
                f"Order {order.order_id} is {order.status} and not delivered yet, so nothing of it can be {wish}.",
            )
