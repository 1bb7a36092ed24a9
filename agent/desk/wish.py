"""A wish of a customer's: what was said for it, what a change has to know, and what the words were found to mean."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from storewise.agent.desk.options import Wanted
from storewise.agent.desk.paying import Paying
from storewise.agent.desk.things import Kind, Line, OwnOrder
from storewise.tools.desk.addresses import Pieces

Asked = Literal[
    "nothing",
    "order",
    "items",
    "new items",
    "payment",
    "address",
    "reason",
    "confirmation",
    "product",
    "which",
    "offer",
]
# What each change has to know, in the order in which it is asked for.
NEEDS: dict[str, tuple[Asked, ...]] = {
    "cancel_pending_order": ("order", "reason"),
    "modify_pending_order_address": ("order", "address"),
    "modify_pending_order_payment": ("order", "payment"),
    "modify_pending_order_items": ("order", "items", "new items", "payment"),
    "return_delivered_order_items": ("order", "items", "payment"),
    "exchange_delivered_order_items": ("order", "items", "new items", "payment"),
    "modify_user_address": ("address",),
}
DELIVERED = ("return_delivered_order_items", "exchange_delivered_order_items")
SWAPPING = ("modify_pending_order_items", "exchange_delivered_order_items")
# The changes of an order as a whole.
WHOLE = tuple(tool for tool, needs in NEEDS.items() if "order" in needs and "items" not in needs)
# The changes of an order that has not come yet.
PENDING = tuple(tool for tool, needs in NEEDS.items() if "order" in needs and tool not in DELIVERED)


class Said(BaseModel):
    """A text of the customer's, what the desk had asked, and the reason that the model read in it, if any."""

    model_config = ConfigDict(frozen=True)

    asked: Asked
    text: str
    reason: str | None = None


class Wish(BaseModel):
    """A change that the customer wants.

    Attributes:
        said: what was said for it.
        ignore_payment_before, ignore_new_before, ignore_order_before: the shop refused the payment method,
            the variant or the order that texts before this number told of, so they do not count again.
        of_several: whether it was told together with wishes for other orders, so that an answer holds for all.
        told_whole: whether the customer was told that no part of an order can be cancelled.
    """

    model_config = ConfigDict(frozen=True)

    tool: str
    said: tuple[Said, ...] = ()
    ignore_payment_before: int = 0
    ignore_new_before: int = 0
    ignore_order_before: int = 0
    of_several: bool = False
    told_whole: bool = False

    def told(self, said: Said) -> Wish:
        return self.model_copy(update={"said": (*self.said, said)})


@dataclass
class Meaning:
    """What a wish's words mean.

    Attributes:
        tool: the tool that does it: people swap things and do not care whether they have come already.
        missing: the first thing that is still to be asked for, None if the call is whole.
        orders: the orders that fit; one if it is clear.
        foreign: an order id that was named and is not the customer's.
        lines: the things in the order that are meant.
        unsure: things of which one is meant, and it was not said which.
        kinds: for each line, the variants that may be meant.
        elsewhere: another product that was named as the new one.
        paying: the payment method that was named.
    """

    tool: str
    missing: Asked | None = None
    orders: list[OwnOrder] = field(default_factory=list)
    foreign: str | None = None
    lines: list[Line] = field(default_factory=list)
    unsure: list[Line] = field(default_factory=list)
    kinds: list[list[Kind]] = field(default_factory=list)
    wanted: list[Wanted] = field(default_factory=list)
    elsewhere: str | None = None
    paying: Paying | None = None
    pieces: Pieces = field(default_factory=Pieces)
    reason: str | None = None
    arguments: dict[str, Any] = field(default_factory=dict)

    @property
    def order(self) -> OwnOrder | None:
        return self.orders[0] if len(self.orders) == 1 else None


def in_own_state(tool: str, order: OwnOrder) -> bool:
    """Say whether an order's state lets the tool work on it; the tool itself says why not."""
    return order.status == ("delivered" if tool in DELIVERED else "pending")


def suitable(tool: str, order: OwnOrder) -> bool:
    """Say whether an order's state lets the tool, or for a swap its twin, work on it."""
    if tool in SWAPPING:
        return order.status in ("pending", "delivered")
    return in_own_state(tool, order)


def preferred(tool: str, orders: list[OwnOrder]) -> list[OwnOrder]:
    """Return the orders on which the tool can work; for a swap those of its own state before its twin's."""
    own = [order for order in orders if in_own_state(tool, order)]
    return own or [order for order in orders if suitable(tool, order)]
