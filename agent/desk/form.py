"""The open wish as a form: what the customer has told of it, what that means, and what is still missing.

A wish keeps the words that were said for it, each with what had been asked. What they mean is worked out
afresh from all of them against the customer's things, so that what is said later overrules, and nothing
that was told is asked for again.
"""

from __future__ import annotations

import re
from typing import Any

from storewise.agent.desk.address_meant import read_address
from storewise.agent.desk.items_meant import read_kinds, read_lines
from storewise.agent.desk.order_meant import read_order
from storewise.agent.desk.paying import Paying, paying
from storewise.agent.desk.things import Method, OwnOrder, Things
from storewise.agent.desk.wish import NEEDS, SWAPPING, Asked, Meaning, Said, Wish

_MISTAKE = re.compile(
    r"\b(mistake|accident(?:al|ally)?|by error|in error|wrong (?:one|item|thing|button|size|order)|twice|"
    r"(?:didn'?t|did not|never) meant? to|not mean to|unintention|slip of the fingers?|misclick|pressed the|"
    r"(?:ordered|bought) (?:it )?double|wish ?list)",
    re.I,
)
_NO_NEED = re.compile(
    r"\b(no longer (?:need|want|required?)(?:ed)?|(?:not|never|\w+n['’]?t) be (?:needing|wanting|using|needed)|surplus|"
    r"(?:don'?t|do not|dont|doesn'?t|didn'?t|won'?t) (?:really )?(?:need|want)(?! (?:it|them) (?:like|in|as|with)\b)|"
    r"not need(?:ed)?|"
    r"need (?:it|them|any of it|this|that) (?:no more|any ?more)|no (?:more )?(?:need|use)|changed my mind|"
    r"not (?:needed|wanted) any ?more|without it|need is gone)\b",
    re.I,
)
# A reason that no policy of ours accepts, and that nobody gives for anything else.
_CHEAPER = re.compile(
    r"\b(?:cheaper|(?:dollars?|bucks?|quid|hundred|\d+) less|better (?:price|deal)|for less) "
    r"(?:\w+ ){0,3}?(?:at|in|from|on|elsewhere|somewhere|online|with)\b|"
    r"\b(?:dollars?|bucks?|quid|\d+|much|way|lot) cheaper\b|"
    r"\bfor (?:\w+ ){0,2}(?:dollars?|bucks?|quid) less\b|\bfound (?:it|one|the same)\b.{0,30}\bcheaper\b",
    re.I,
)
_PRICE = re.compile(r"\b(?:the|its?|your) price\b|\bcheaper\b|\b(?:too|so) expensive\b", re.I)
# What is said to be no reason.
_NO_REASON = re.compile(
    r"\b(?:(?:was|is|were)(?:n['’]?t| not)|not|no|neither)(?: (?:a|an|by|my|it))? (?:mistake|accident|error)\b|"
    r"\bnot that i (?:don['’]?t|do not|no longer) (?:need|want)\b|"
    r"\b(?:do|does|did)(?:n['’]?t| not) mean (?:that )?i (?:don['’]?t|no longer) (?:need|want)\b",
    re.I,
)
_KINDS = {
    "paypal": r"pay\s?pal",
    "gift_card": r"gift ?card|voucher",
    "credit_card": r"(?:credit |debit )?card",
}


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
        found.pieces = read_address(wish, things, found.order)
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


def reason_in(text: str) -> str | None:
    """Return the reason for a cancellation that a text gives in plain words."""
    text = _NO_REASON.sub(" ", text)
    if _MISTAKE.search(text):
        return "ordered by mistake"
    if _NO_NEED.search(text):
        return "no longer needed"
    return "other" if _CHEAPER.search(text) else None


def _read_reason(wish: Wish, found: Meaning) -> None:
    for said in wish.said:
        told = reason_in(said.text) or said.reason
        if told is None and said.asked == "reason" and _PRICE.search(said.text):
            told = "other"
        found.reason = told or found.reason


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
