"""Tools that change a pending order: cancel it, or change its address, payment or items."""

from __future__ import annotations

from typing import Literal

from storewise.tools.desk.account import checked_address
from storewise.tools.desk.desk import Desk, Refusal, dollars, listed, refund_time
from storewise.tools.desk.marks import writes
from storewise.tools.desk.swaps import SWAP_COLUMNS, difference, settled, swap_rows, swaps, told
from storewise.tools.desk.tables import Order
from storewise.tools.finding import Column, Finding, money_column


@writes
def cancel_pending_order(
    desk: Desk, order_id: str, reason: Literal["no longer needed", "ordered by mistake", "other"]
) -> Finding:
    """Cancel a pending order of the customer's and refund what was paid for it.

    Args:
        order_id: the order's id, such as '#W0000000', with the '#' at its beginning.
        reason: the customer's reason; 'other' for anything but these two, which the shop does not accept.
    """
    order = _pending(desk, order_id, "cancelled")
    if reason == "other":
        raise Refusal(
            "cancellation reason not accepted",
            f"Order {order.order_id} can be cancelled only if it is no longer needed or was ordered by mistake.",
        )
    refunds = [(desk.own_method(method_id), cents) for method_id, cents in _to_refund(order)]
    for method, cents in refunds:
        desk.refund(order, method, cents)
    order.status = "cancelled"
    order.cancel_reason = reason
    parts = [f"{dollars(cents)} to {method.label} {refund_time(method)}" for method, cents in refunds]
    back = f", with a refund of {listed(parts)}" if parts else ""
    return desk.change(
        "cancel_pending_order",
        will=f"Order {order.order_id} will be cancelled (reason: {reason}){back}.",
        done=f"Order {order.order_id} is cancelled (reason: {reason}){back}.",
        columns=(
            Column(name="method", label="Refund to", role="entity"),
            money_column("refund", "Refund"),
        ),
        rows=tuple((method.method_id, cents / 100) for method, cents in refunds),
    )


@writes
def modify_pending_order_address(
    desk: Desk,
    order_id: str,
    address1: str,
    city: str,
    state: str,
    zip: str,
    address2: str = "",
    country: str = "USA",
) -> Finding:
    """Change where a pending order of the customer's is sent.

    Args:
        order_id: the order's id, such as '#W0000000', with the '#' at its beginning.
        address1: the first line, such as '123 Main St'.
        city: the city, such as 'San Francisco'.
        state: the state, such as 'CA'.
        zip: the postal code, such as '12345'.
        address2: the second line, such as 'Apt 1', or ''.
        country: the country, such as 'USA'.
    """
    order = _pending(desk, order_id, "sent elsewhere")
    before, after = order.address, checked_address(address1, address2, city, state, zip, country)
    if after == before:
        same = f"Order {order.order_id} goes to {before.line()} already."
        return desk.change("modify_pending_order_address", will=same, done=same)
    order.address = after
    return desk.change(
        "modify_pending_order_address",
        will=f"Order {order.order_id} will go to {after.line()} instead of {before.line()}.",
        done=f"Order {order.order_id} goes to {after.line()} now.",
    )


@writes
def modify_pending_order_payment(desk: Desk, order_id: str, payment_method_id: str) -> Finding:
    """Let another payment method pay for a pending order of the customer's; the first is refunded.

    Args:
        order_id: the order's id, such as '#W0000000', with the '#' at its beginning.
        payment_method_id: the new method, one of the customer's own, such as 'gift_card_0000000'.
    """
    order = _pending(desk, order_id, "paid in another way")
    new = desk.method(payment_method_id)
    if [payment.kind for payment in order.payments] != ["payment"]:
        raise Refusal(
            "payment already changed once",
            f"The payment of order {order.order_id} was changed already, which can be done only once.",
        )
    paid = order.payments[0]
    old, cents = desk.own_method(paid.method_id), paid.amount
    if old is new:
        raise Refusal("unclear argument", f"Order {order.order_id} is paid with {old.label} already.")
    desk.charge(order, new, cents)
    desk.refund(order, old, cents)
    back = f"{dollars(cents)} goes back to {old.label} {refund_time(old)}"
    return desk.change(
        "modify_pending_order_payment",
        will=f"Order {order.order_id} will be paid with {new.label}: it pays {dollars(cents)}, and {back}.",
        done=f"Order {order.order_id} is paid with {new.label} now: it paid {dollars(cents)}, and {back}.",
    )


@writes
def modify_pending_order_items(
    desk: Desk, order_id: str, item_ids: list[str], new_item_ids: list[str], payment_method_id: str
) -> Finding:
    """Change items of a pending order of the customer's to other variants of the same products.

    This can be done only once an order, so all items must be in one call. Afterwards the order cannot be
    changed or cancelled any more.

    Args:
        order_id: the order's id, such as '#W0000000', with the '#' at its beginning.
        item_ids: the ids of the items to change, each such as '1008292230'; twice if both of two alike change.
        new_item_ids: the ids of the new items, in the same order as item_ids.
        payment_method_id: the customer's own method that pays or gets back the difference in price.
    """
    order = _pending(desk, order_id, "changed")
    lines = desk.items(order, item_ids)
    changes = swaps(desk, lines, new_item_ids)
    for line, variant in changes:
        if line.item_id == variant.item_id:
            raise Refusal("unclear argument", f"{variant.label} is what order {order.order_id} has already.")
    cents = difference(changes)
    method = desk.method(payment_method_id)
    rows, what = swap_rows(changes), told(changes)
    if cents > 0:
        desk.charge(order, method, cents)
    elif cents < 0:
        desk.refund(order, method, -cents)
    for line, variant in changes:
        line.item_id, line.price = variant.item_id, variant.price
    order.status = "pending (item modified)"
    return desk.change(
        "modify_pending_order_items",
        will=(
            f"In order {order.order_id} {what}. {settled(method, cents, will=True)} "
            "After that the order cannot be changed or cancelled any more."
        ),
        done=(
            f"Order {order.order_id} is changed: {what}. {settled(method, cents, will=False)} "
            f"Its items cost {dollars(order.total)} now."
        ),
        columns=SWAP_COLUMNS,
        rows=rows,
    )


def _pending(desk: Desk, order_id: str, wish: str) -> Order:
    """Return an order of the customer's that is pending and was not changed before."""
    order = desk.order(order_id)
    cannot = f"it cannot be {wish}"
    match order.status:
        case "pending":
            return order
        case "pending (item modified)":
            raise Refusal(
                "items already changed once",
                f"The items of order {order.order_id} were changed already, so {cannot} any more.",
            )
        case "processed":
            raise Refusal(
                "order already processed",
                f"Order {order.order_id} is already processed, so {cannot} any more.",
            )
        case "cancelled":
            raise Refusal(
                "order already cancelled",
                f"Order {order.order_id} is already cancelled, so {cannot} any more.",
            )
        case _:
            raise Refusal(
                "order already delivered",
                f"Order {order.order_id} is already delivered, so {cannot} any more.",
            )


def _to_refund(order: Order) -> list[tuple[str, int]]:
    """Return what each payment method still has in an order, all of it together being what was paid."""
    net = order.net_by_method()
    rest = sum(net.values())
    refunds = []
    for method_id, cents in net.items():
        if (share := min(cents, rest)) > 0:
            refunds.append((method_id, share))
            rest -= share
    return refunds
