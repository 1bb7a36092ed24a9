"""The open wish as a form: what the customer has told of it, what that means, and what is still missing.

A wish keeps the words that were said for it, each with what had been asked. What they mean is worked out
afresh from all of them against the customer's things, so that what is said later overrules, and nothing
that was told is asked for again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from storewise.agent.desk.naming import (
    Paying,
    among,
    by_options,
    doubtful,
    in_state,
    item_ids,
    lines_named,
    order_ids,
    paying,
    products_named,
    says_all,
)
from storewise.agent.desk.options import Wanted, pick, wanted
from storewise.agent.desk.things import Kind, Line, OwnOrder, Things
from storewise.agent.desk.words import words_of
from storewise.tools.desk.addresses import Pieces, find_address

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
_MISTAKE = re.compile(
    r"\b(mistake|accident(?:al|ally)?|by error|in error|wrong (?:one|item|thing|button|size|order)|twice|"
    r"(?:didn'?t|did not|never) mean to|not mean to|unintention|misclick|pressed the|"
    r"(?:ordered|bought) (?:it )?double)",
    re.I,
)
_NO_NEED = re.compile(
    r"\b(no longer (?:need|want|required?)(?:ed)?|"
    r"(?:don'?t|do not|dont|doesn'?t|didn'?t|won'?t) (?:really )?(?:need|want)|not need(?:ed)?|"
    r"need (?:it|them|any of it|this|that) (?:no more|any ?more)|no (?:more )?(?:need|use)|changed my mind|"
    r"not (?:needed|wanted) any ?more|without it)\b",
    re.I,
)
_ONLY = re.compile(r"\b(only|just)\b", re.I)
_HOME = re.compile(
    r"\b((?:my|the) (?:home|usual|default|account(?:'s)?|normal|own|saved|regular|main) (?:address|one|place)|"
    r"address (?:on|in|of|from) my (?:account|profile)|on (?:file|my account|my profile)|(?:to|at) (?:my )?home\b)",
    re.I,
)


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
    """

    model_config = ConfigDict(frozen=True)

    tool: str
    said: tuple[Said, ...] = ()
    ignore_payment_before: int = 0
    ignore_new_before: int = 0
    ignore_order_before: int = 0
    of_several: bool = False

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


def meaning(wish: Wish, things: Things) -> Meaning:
    """Work out what a wish's words mean, and the first thing that is missing."""
    found = Meaning(tool=wish.tool)
    needs = NEEDS[wish.tool]
    if "order" in needs:
        _read_order(wish, things, found)
    if "items" in needs and found.order is not None:
        _read_lines(wish, found)
        if wish.tool in SWAPPING:
            _read_kinds(wish, things, found)
    if "payment" in needs:
        _read_payment(wish, things, found)
    if "address" in needs:
        _read_address(wish, things, found)
    if "reason" in needs:
        _read_reason(wish, found)
    found.missing = next((need for need in needs if not _is_told(need, found)), None)
    if found.missing is None:
        found.arguments = _arguments(wish, found)
    return found


def in_own_state(tool: str, order: OwnOrder) -> bool:
    """Say whether an order's state lets the tool work on it; the tool itself says why not."""
    return order.status == ("delivered" if tool in DELIVERED else "pending")


def suitable(tool: str, order: OwnOrder) -> bool:
    """Say whether an order's state lets the tool, or for a swap its twin, work on it."""
    if tool in SWAPPING:
        return order.status in ("pending", "delivered")
    return in_own_state(tool, order)


def _preferred(tool: str, orders: list[OwnOrder]) -> list[OwnOrder]:
    """Return the orders on which the tool can work; for a swap those of its own state before its twin's."""
    own = [order for order in orders if in_own_state(tool, order)]
    return own or [order for order in orders if suitable(tool, order)]


def _read_order(wish: Wish, things: Things, found: Meaning) -> None:
    explicit: list[OwnOrder] = []
    narrowed: list[OwnOrder] | None = None
    for number, said in enumerate(wish.said):
        if number < wish.ignore_order_before:
            continue
        ids = order_ids(said.text, things.order_ids)
        if ids:
            own = [order for one in ids if (order := things.order(one)) is not None]
            foreign = [one for one in ids if things.order(one) is None]
            fitting = [order for order in own if suitable(wish.tool, order)] or own
            explicit, narrowed = fitting[:1], None
            found.foreign = foreign[0] if foreign and not own else None
            continue
        if explicit or found.foreign:
            if said.asked == "confirmation" and explicit:
                other = _named_elsewhere(wish, said.text, explicit[0], things)
                explicit = other or explicit
            continue
        narrowed = _narrowed(wish, said, narrowed, things)
    if explicit:
        found.orders = explicit
    elif found.foreign is None:
        orders = narrowed if narrowed is not None else list(things.orders)
        right = _preferred(wish.tool, orders)
        found.orders = right or (orders if narrowed is not None and len(orders) < len(things.orders) else [])
        if not found.orders and len(things.orders) == 1:
            found.orders = list(things.orders)
    if wish.tool in SWAPPING and found.order is not None and suitable(wish.tool, found.order):
        found.tool = SWAPPING[0] if found.order.status == "pending" else SWAPPING[1]


def _narrowed(wish: Wish, said: Said, before: list[OwnOrder] | None, things: Things) -> list[OwnOrder] | None:
    """Return the orders that still fit after another text, None if no text told anything of the order."""
    pool = list(before) if before is not None else list(things.orders)
    right = _preferred(wish.tool, pool)
    by_state = in_state(said.text, pool)
    named = lines_named(said.text, pool)
    if not named and before is not None:
        again = lines_named(said.text, list(things.orders))
        named = (
            [(order, line) for order, line in again if suitable(wish.tool, order)]
            if said.asked != "new items"
            else []
        )
    if named:
        orders = list({order.order_id: order for order, _ in named}.values())
        fitting = [order for order in orders if suitable(wish.tool, order)]
        # "the helmet and the lamp": the order that has most of what was named.
        pool = fitting or orders
        most = max(len({line.product for o, line in named if o is order}) for order in pool)
        pool = [o for o in pool if len({line.product for one, line in named if one is o}) == most]
    elif said.asked in ("order", "which", "items") or before is not None:
        pool = among(said.text, right or pool)
    elif 0 < len(by_state) < len(pool):
        pool = by_state
    else:
        return before
    return in_state(said.text, pool) or pool


def _named_elsewhere(wish: Wish, text: str, order: OwnOrder, things: Things) -> list[OwnOrder]:
    """Return another order, if a correction names a thing that only that one has."""
    names = {
        named.name
        for named in products_named(text, [line.product for o in things.orders for line in o.lines])
    }
    if not names or any(line.product in names for line in order.lines):
        return []
    others = [
        o for o in things.orders if suitable(wish.tool, o) and any(line.product in names for line in o.lines)
    ]
    return others if len(others) == 1 else []


def _read_lines(wish: Wish, found: Meaning) -> None:
    order = found.order
    if order is None:
        return
    lines: list[Line] = []
    unsure: list[Line] = []
    for said in wish.said:
        if said.asked == "new items" and lines:
            more = [line for _, line in lines_named(said.text, [order]) if line not in lines]
            lines += more if re.search(r"\b(also|and|too|as well|plus)\b", said.text, re.I) else []
            continue
        if says_all(said.text) and wish.tool not in SWAPPING:
            lines = list(order.lines)
            continue
        named = [line for _, line in lines_named(said.text, [order])]
        if not named:
            if unsure and (chosen := by_options(said.text, unsure)):
                lines, unsure = [*lines, *chosen], []
            elif said.asked == "confirmation" and wish.tool not in SWAPPING and _ONLY.search(said.text):
                lines = by_options(said.text, lines) or lines  # "only the red one"
            continue
        named, maybe = doubtful(said.text, named)
        if unsure and len(maybe) > 1:
            continue
        unsure = maybe
        also = bool(lines) and re.search(r"\b(also|too|as well|plus|another)\b", said.text, re.I)
        if said.asked == "nothing" or not lines:
            lines = [*lines, *(line for line in named if line not in lines)] if lines and also else named
        elif also:
            lines += [line for line in named if line not in lines]
        elif said.asked in ("items", "which", "confirmation", "order"):
            lines = named
    if not lines and len(order.lines) == 1:
        lines = list(order.lines)
    found.lines = [] if unsure else lines
    found.unsure = unsure


def _read_kinds(wish: Wish, things: Things, found: Meaning) -> None:
    for line in found.lines:
        ware = things.ware(line.product_id)
        kinds = ware.kinds if ware is not None else ()
        options = [kind.options for kind in kinds]
        wish_for = Wanted()
        by_id: list[Kind] = []
        for number, said in enumerate(wish.said):
            if number < wish.ignore_new_before:
                continue
            part = _part_about(said.text, line, found.lines)
            if part is None:
                continue
            told = wanted(part, options, line.options)
            if said.asked in ("order", "which", "items"):  # the answer describes what there is
                told.values = {k: v for k, v in told.values.items() if v != {line.options.get(k)}}
            if (
                re.search(r"\b(no wait|instead|rather|actually|sorry)\b", part, re.I)
                and told.values
                and wish_for
            ):
                wish_for = Wanted(same=wish_for.same)
            wish_for = wish_for.later(told)
            ids = [
                kind for kind in kinds if kind.item_id in item_ids(said.text) and kind.item_id != line.item_id
            ]
            by_id = ids or by_id
        found.wanted.append(wish_for)
        found.kinds.append(
            by_id[:1] or (pick(kinds, wish_for, line.options, line.item_id) if wish_for else [])
        )
    own = {line.product for order in found.orders for line in order.lines}
    for said in wish.said[wish.ignore_new_before :]:
        others = [n for n in products_named(said.text, [w.name for w in things.wares]) if n.surely == 3]
        strangers = [n.name for n in others if n.name not in own and not n.stays]
        if strangers and not any(found.wanted):
            found.elsewhere = strangers[0]


def _part_about(text: str, line: Line, lines: list[Line]) -> str | None:
    """Return the part of a text that may tell of a line's new variant, None if it tells of others."""
    products = list(dict.fromkeys(one.product for one in lines))
    named = products_named(text, products)
    if not named:
        return text
    mine = [n for n in named if n.name == line.product]
    if not mine:
        return None
    if len(named) == 1 or len(products) == 1:
        return text
    words = [word.raw for word in words_of(text)]
    begin = mine[0].at if named[0].name != line.product else 0
    after = [n.at for n in named if n.at > mine[0].at]
    return " ".join(words[begin : after[0] if after else None])


def _read_payment(wish: Wish, things: Things, found: Meaning) -> None:
    for number, said in enumerate(wish.said):
        if number < wish.ignore_payment_before:
            continue
        named = paying(said.text, things, found.order)
        if named is not None:
            found.paying = named
    if (
        found.paying is not None
        and len(found.paying.methods) > 1
        and wish.tool == "modify_pending_order_payment"
    ):
        others = [
            m for m in found.paying.methods if found.order is None or m.method_id not in found.order.paid_with
        ]
        found.paying = Paying(tuple(others or found.paying.methods), found.paying.said)
    if found.paying is None and found.order is not None:
        allowed = allowed_methods(wish, things, found.order)
        if len(allowed) == 1 or (wish.tool in SWAPPING and _difference(found) == 0):
            paid = [method for method in things.methods if method.method_id in found.order.paid_with]
            found.paying = Paying(tuple((allowed if len(allowed) == 1 else paid)[:1]), "")


def allowed_methods(wish: Wish, things: Things, order: OwnOrder) -> list[Any]:
    """Return the payment methods that the shop's policy allows for a wish."""
    own = list(things.methods)
    if wish.tool == "return_delivered_order_items":
        return [m for m in own if m.method_id in order.paid_with or m.kind == "gift_card"]
    if wish.tool == "modify_pending_order_payment":
        return [
            m
            for m in own
            if m.method_id not in order.paid_with and (m.balance is None or m.balance >= order.total)
        ]
    return own


def _difference(found: Meaning) -> int | None:
    if not found.kinds or any(len(kinds) != 1 for kinds in found.kinds):
        return None
    return sum(kinds[0].price - line.price for line, kinds in zip(found.lines, found.kinds, strict=True))


def _read_address(wish: Wish, things: Things, found: Meaning) -> None:
    pieces = Pieces()
    for said in wish.said:
        address = find_address(said.text, expected=said.asked in ("address", "confirmation"))
        if address is not None:
            more = address.pieces
            corrects = said.asked == "confirmation" and more.address1 and not (more.city or more.zip)
            pieces = (
                replace(pieces, address1=more.address1, address2=more.address2)
                if corrects
                else pieces.later(more)
            )
        elif _HOME.search(said.text) and wish.tool != "modify_user_address":
            home = things.address
            pieces = Pieces(home.address1, home.address2, home.city, home.state, home.zip, home.country)
    found.pieces = pieces


def reason_in(text: str) -> str | None:
    """Return the reason for a cancellation that a text gives in plain words."""
    if _MISTAKE.search(text):
        return "ordered by mistake"
    return "no longer needed" if _NO_NEED.search(text) else None


def _read_reason(wish: Wish, found: Meaning) -> None:
    for said in wish.said:
        found.reason = reason_in(said.text) or said.reason or found.reason


def _is_told(need: Asked, found: Meaning) -> bool:
    match need:
        case "order":
            return found.order is not None
        case "items":
            return bool(found.lines)
        case "new items":
            return bool(found.kinds) and all(len(kinds) == 1 for kinds in found.kinds)
        case "payment":
            return found.paying is not None and len(found.paying.methods) == 1
        case "address":
            return bool(found.pieces) and not found.pieces.missing
        case _:
            return found.reason is not None


def _arguments(wish: Wish, found: Meaning) -> dict[str, Any]:
    """Return the call's arguments."""
    arguments: dict[str, Any] = {}
    order = found.order
    if order is not None:
        arguments["order_id"] = order.order_id
    if "reason" in NEEDS[wish.tool]:
        arguments["reason"] = found.reason
    if "items" in NEEDS[wish.tool]:
        arguments["item_ids"] = [line.item_id for line in found.lines]
    if wish.tool in SWAPPING:
        arguments["new_item_ids"] = [kinds[0].item_id for kinds in found.kinds]
    if "payment" in NEEDS[wish.tool] and found.paying is not None:
        arguments["payment_method_id"] = found.paying.methods[0].method_id
    if "address" in NEEDS[wish.tool]:
        pieces = found.pieces
        arguments |= {
            "address1": pieces.address1,
            "address2": pieces.address2 or "",
            "city": pieces.city,
            "state": pieces.state or "",
            "zip": pieces.zip,
            "country": pieces.country or "USA",
        }
    return arguments
