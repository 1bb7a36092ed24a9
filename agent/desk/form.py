"""The open wish as a form: what the customer has told of it, what that means, and what is still missing.

A wish keeps the words that were said for it, each with what had been asked. What they mean is worked out
afresh from all of them against the customer's things, so that what is said later overrules, and nothing
that was told is asked for again.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from storewise.agent.desk.items_meant import read_kinds, read_lines
from storewise.agent.desk.naming import Paying, lines_named, order_ids, paying
from storewise.agent.desk.order_meant import read_order
from storewise.agent.desk.things import Method, OwnOrder, Things
from storewise.agent.desk.wish import NEEDS, SWAPPING, Asked, Meaning, Said, Wish
from storewise.tools.desk.addresses import Pieces, find_address
from storewise.tools.desk.tables import Address

_MISTAKE = re.compile(
    r"\b(mistake|accident(?:al|ally)?|by error|in error|wrong (?:one|item|thing|button|size|order)|twice|"
    r"(?:didn'?t|did not|never) mean to|not mean to|unintention|slip of the fingers?|misclick|pressed the|"
    r"(?:ordered|bought) (?:it )?double)",
    re.I,
)
_NO_NEED = re.compile(
    r"\b(no longer (?:need|want|required?)(?:ed)?|(?:not|never|\w+n['’]?t) be (?:needing|wanting|using|needed)|surplus|"
    r"(?:don'?t|do not|dont|doesn'?t|didn'?t|won'?t) (?:really )?(?:need|want)|not need(?:ed)?|"
    r"need (?:it|them|any of it|this|that) (?:no more|any ?more)|no (?:more )?(?:need|use)|changed my mind|"
    r"not (?:needed|wanted) any ?more|without it)\b",
    re.I,
)
# What is said to be no reason.
_NO_REASON = re.compile(
    r"\b(?:(?:was|is|were)(?:n['’]?t| not)|not|no|neither)(?: (?:a|an|by|my|it))? (?:mistake|accident|error)\b|"
    r"\b(?:do|does|did)(?:n['’]?t| not) mean (?:that )?i (?:don['’]?t|no longer) (?:need|want)\b",
    re.I,
)
_KINDS = {
    "paypal": r"pay\s?pal",
    "gift_card": r"gift ?card|voucher",
    "credit_card": r"(?:credit |debit )?card",
}
# The account's address, named as the place where an order is to go.
ACCOUNT_ADDRESS = re.compile(
    r"\b(?:my|the) (?:home|usual|default|account(?:'s)?|normal|own|saved|regular|main|profile) (?:address|one|place)\b|"
    r"\baddress (?:that(?:'s| is|s)? |which is )?(?:(?:saved|stored|listed|kept) )?(?:on|in|of|from|under|with) "
    r"my (?:account|profile)\b|\b(?:to|at) (?:my )?home\b",
    re.I,
)
# Only a part of an address is put right.
_REST_STAYS = re.compile(
    r"\b(?:(?:the )?(?:rest|others?|everything else|street|city|zip|all)\b.{0,30}\b"
    r"(?:same|ok|okay|correct|right|fine|stays?)|"
    r"wrong (?:suite|apartment|apt|unit|flat|zip|number)|should be|only the (?:suite|apartment|apt|unit|flat|zip))\b",
    re.I,
)
_ON_FILE = re.compile(r"\bon (?:file|my account|my profile)\b", re.I)
# Where another order goes: "the same place my skateboard is going to".
_SAME_PLACE = re.compile(
    r"\b(?:same (?:address|place|spot|house|street)|"
    r"(?:where|to which) (?:my|the)\b.{1,60}?\b(?:go(?:es|ing)?|sent|ship\w*)|"
    r"(?:address|place) of (?:my |the )?other order)\b",
    re.I,
)


def meaning(wish: Wish, things: Things) -> Meaning:
    """Work out what a wish's words mean, and the first thing that is missing."""
    found = Meaning(tool=wish.tool)
    needs = NEEDS[wish.tool]
    if "order" in needs:
        read_order(wish, things, found)
    if "items" in needs and found.order is not None:
        read_lines(wish, found)
        if wish.tool in SWAPPING:
            read_kinds(wish, things, found)
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


def _read_payment(wish: Wish, things: Things, found: Meaning) -> None:
    for number, said in enumerate(wish.said):
        if number < wish.ignore_payment_before:
            continue
        named = paying(said.text, things, found.order)
        if named is not None and wish.tool == "modify_pending_order_payment" and found.order is not None:
            named = _another_method(said, named, things, found.order)
        if named is not None:
            found.paying = named
    if found.paying is None and found.order is not None:
        allowed = allowed_methods(wish, things, found.order)
        if len(allowed) == 1 or (wish.tool in SWAPPING and _difference(found) == 0):
            paid = [method for method in things.methods if method.method_id in found.order.paid_with]
            found.paying = Paying(tuple((allowed if len(allowed) == 1 else paid)[:1]), "")


def _another_method(said: Said, named: Paying, things: Things, order: OwnOrder) -> Paying | None:
    """Return the method that is to pay instead: not the one that does, unless that was asked and is the answer."""
    others = tuple(method for method in named.methods if method.method_id not in order.paid_with)
    if others or not named.methods:
        return Paying(others, named.said)
    without = re.sub(_KINDS[named.methods[0].kind], " ", said.text, flags=re.I)
    again = paying(without, things, order) if without != said.text else None
    if again is not None and any(method.method_id not in order.paid_with for method in again.methods):
        return again
    return named if said.asked == "payment" else None


def allowed_methods(wish: Wish, things: Things, order: OwnOrder) -> list[Method]:
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
        partly = _REST_STAYS.search(said.text) is not None
        address = find_address(said.text, expected=partly or said.asked in ("address", "confirmation"))
        if address is not None:
            more = address.pieces
            corrects = said.asked == "confirmation" and more.address1 and not (more.city or more.zip)
            pieces = (
                replace(pieces, address1=more.address1, address2=more.address2)
                if corrects
                else pieces.later(more)
            )
            now = (
                things.address if wish.tool == "modify_user_address" else found.order and found.order.goes_to
            )
            if now and partly and not more.address1:
                pieces = _of(now).later(pieces)
        elif wish.tool != "modify_user_address":
            place = _place_named(said.text, things, found.order)
            pieces = pieces if place is None else place
    found.pieces = pieces


def names_another_place(text: str) -> bool:
    """Say whether a text names an address without telling it: the account's, or where another order goes."""
    return (ACCOUNT_ADDRESS.search(text) or _SAME_PLACE.search(text)) is not None


def _place_named(text: str, things: Things, order: OwnOrder | None) -> Pieces | None:
    """Return the address that a text names without telling it: the account's, or where another order goes."""
    named = None
    if _SAME_PLACE.search(text):
        others = [one for one in things.orders if order is None or one.order_id != order.order_id]
        there = [one for one in others if one.order_id in order_ids(text, things.order_ids)]
        there = there or list({one.order_id: one for one, _ in lines_named(text, others)}.values())
        places = {one.goes_to.line(): one.goes_to for one in there}
        named = places.popitem()[1] if len(places) == 1 else None
    if named is None and (ACCOUNT_ADDRESS.search(text) or _ON_FILE.search(text)):
        named = things.address
    if named is None:
        return None
    return _of(named)


def _of(address: Address) -> Pieces:
    return Pieces(
        address.address1, address.address2, address.city, address.state, address.zip, address.country
    )


def reason_in(text: str) -> str | None:
    """Return the reason for a cancellation that a text gives in plain words."""
    text = _NO_REASON.sub(" ", text)
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
