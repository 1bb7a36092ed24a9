"""Which address is meant: a new one, another of the customer's own, or the one that stands with a part put right."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import fields, replace

from rapidfuzz import fuzz

from storewise.agent.desk.address_parts import (
    Fix,
    Stands,
    kind_of,
    low,
    plain,
    put_right,
    state_name,
    without_denied,
)
from storewise.agent.desk.naming import lines_named, order_ids, without_ids, without_staying
from storewise.agent.desk.things import OwnOrder, Things
from storewise.agent.desk.wish import Said, Wish
from storewise.tools.desk.addresses import Pieces, find_address
from storewise.tools.desk.tables import Address

# The account's address, named as the place where an order is to go.
ACCOUNT_ADDRESS = re.compile(
    r"\b(?:my|the) (?:(?:home|usual|default|account(?:'s)?|normal|own|saved|regular|main|profile) ){1,2}"
    r"(?:address|one|place)\b|\bto my (?:own|usual|normal) (?:home|house|place)\b|"
    r"\baddress (?:that(?:'s| is|s)? |which is )?(?:(?:saved|stored|listed|kept) )?(?:on|in|of|from|under|with) "
    r"my (?:account|profile)\b|\bto (?:my )?home\b|\bat my home\b|\b(?:here|me|us) at home\b",
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
_SAME_TOWN = re.compile(
    r"\bsame (?:city|town)\b(?:(?:,? and|,|,? state,?| &)? ?(?:the )?(?:same )?(?P<zip>zip|post ?code|postal code))?",
    re.I,
)
_REST = re.compile(
    r"\b(?:(?:the )?(?:rest|others?|everything else|street|city|zip|all)\b.{0,30}\b"
    r"(?:same|ok|okay|correct|right|fine|good|stays?)|"
    r"wrong (?:suite|apartment|apt|unit|flat|zip|number)|should be|only the (?:suite|apartment|apt|unit|flat|zip))\b",
    re.I,
)


def names_another_place(text: str) -> bool:
    """Say whether a text names an address without telling it: the account's, or where another order goes."""
    return (ACCOUNT_ADDRESS.search(text) or _SAME_PLACE.search(text) or _ON_FILE.search(text)) is not None


def read_address(wish: Wish, things: Things, order: OwnOrder | None) -> Pieces:
    """Return the new address that a wish's words tell, as far as they do.

    A street that is not the one standing begins a new address, into which nothing of the old one is mixed.
    Where only a part is put right, or another of the customer's addresses is named, the address is whole.
    """
    of_order = wish.tool != "modify_user_address"
    now = (order.goes_to if order else None) if of_order else things.address
    stands = _of(now) if now else None
    meant, told = Pieces(), False
    focus, label, unit = None, "", None
    for said in wish.said:
        base = meant if told or meant.address1 else stands
        found = _found(said, base)
        fix = None
        if base is not None:
            olds = (stands,) if stands and not told else ()
            fix = put_right(without_ids(said.text, things), base, olds, focus, label)
            focus, label = fix.focus, fix.label
        if told:
            meant = _told_more(said, meant, found, fix)
            continue
        if found is not None and _is_new(found, base, fix):
            # "Apt 4", and then the street: it was the new address's, unless it was said to put the old one right.
            meant, told = Pieces(address2=unit).later(found), True
            meant = _with(_said_same(said.text, stands), meant)
            continue
        place = _place_named(said.text, things, order, found) if _no_street(found) else None
        if place is not None and (of_order or not meant) and not (fix and fix.sure and fix.pieces):
            meant = _with(place, fix.pieces) if fix is not None else place
        elif base is not None and fix is not None:
            parts = _differing(found, base) if found is not None and found.address1 else Pieces()
            parts = _with(parts, fix.pieces)
            unit = fix.pieces.address2 if parts and not fix.sure else None
            if parts:
                meant = _with(base, parts)
            elif found is not None and not meant and (more := _differing(found, base)):
                meant, told = more, True
    return meant


def _found(said: Said, base: Pieces | None) -> Pieces | None:
    """Return the address that a text tells; not the one that stands, if another follows, and not what it denies."""
    expected = said.asked in ("address", "confirmation") or _REST.search(said.text) is not None
    text = without_denied(said.text)
    address = find_address(text, expected=expected)
    if address is None or base is None:
        return address.pieces if address else None
    if address.pieces.address1 and plain(address.pieces.address1) == plain(base.address1 or ""):
        behind = address.start + len(address.pieces.address1)
        again = find_address(text[behind:])
        address = again or address
    stands = Stands.of(base)
    pieces = address.pieces
    # "47 Elm Street, not Elm Avenue": the words behind the comma are no city.
    if pieces.city and stands.name and stands.name.casefold() in pieces.city.casefold():
        pieces = replace(pieces, city=None)
    return pieces


def _said_same(text: str, stands: Pieces | None) -> Pieces:
    """Return the parts of a new address that are said to be as they were: "same city and zip"."""
    if stands is None or (same := _SAME_TOWN.search(text)) is None:
        return Pieces()
    return Pieces(city=stands.city, state=stands.state, zip=stands.zip if same["zip"] else None)


def _told_more(said: Said, meant: Pieces, found: Pieces | None, fix: Fix | None) -> Pieces:
    """Return a new address with what was told of it later."""
    if found is not None and found.address1 and meant.address1 and not (found.city or found.zip):
        if _same_street(found, meant):
            return _with(meant, found)
        if said.asked == "confirmation":
            return replace(meant, address1=found.address1, address2=found.address2)
    if found is not None:
        meant = meant.later(found)
        return meant if found.address1 or fix is None else _with(meant, fix.pieces)
    return _with(meant, fix.pieces) if fix is not None else meant


def _is_new(found: Pieces, base: Pieces | None, fix: Fix | None) -> bool:
    """Say whether pieces begin another address than the one that stands."""
    if base is None:
        return True
    elsewhere = bool(found.city) and not _is_city(found, base)
    if found.address1:
        return elsewhere or not _same_street(found, base)
    return elsewhere and not (fix and (fix.pieces.city or fix.pieces.state))


def _is_city(found: Pieces, base: Pieces) -> bool:
    told, stands = (found.city or "").casefold(), (base.city or "").casefold()
    return not told or fuzz.ratio(told, stands) >= 75 or told.endswith(f" {stands}")


def _same_street(found: Pieces, base: Pieces) -> bool:
    """Say whether a told street is the one that stands, another number or a slip in its name allowed."""
    told, stands = Stands.of(found), Stands.of(base)
    same_kind = not told.kind or not stands.kind or kind_of(told.kind) == kind_of(stands.kind)
    if told.name.casefold() == stands.name.casefold():
        return same_kind or told.house == stands.house
    return (
        same_kind
        and told.house == stands.house
        and fuzz.ratio(told.name.casefold(), stands.name.casefold()) >= 84
    )


def _differing(found: Pieces, base: Pieces) -> Pieces:
    """Return the pieces that are not as they stand; "Washington" may be the city that stands as well as a state."""
    kept = {}
    for field in fields(found):
        value, stands = getattr(found, field.name), getattr(base, field.name) or ""
        if value and value.casefold() != stands.casefold():
            kept[field.name] = value
    if found.address1 and base.address1 and plain(found.address1) == plain(base.address1):
        kept.pop("address1", None)
    if "state" in kept and state_name(kept["state"]) == (base.city or "").casefold():
        del kept["state"]
    if not found.zip and _is_city(found, base) and not found.address1:
        kept.pop("city", None)
    return Pieces(**kept)


def _with(pieces: Pieces, parts: Pieces) -> Pieces:
    """Return pieces with parts in their places; a corrected street is still the same address."""
    told = {field.name: getattr(parts, field.name) for field in fields(parts)}
    return replace(pieces, **{name: value for name, value in told.items() if value is not None})


def _no_street(found: Pieces | None) -> bool:
    return found is None or not found.address1


def _place_named(text: str, things: Things, order: OwnOrder | None, found: Pieces | None) -> Pieces | None:
    """Return the address that a text names without telling it: the account's, or where another order goes.

    A city beside it only tells which one is meant, where that address or the one that stands lies there.
    """
    named = None
    text = without_staying(text)  # "my own address stays on file"
    others = [one for one in things.orders if order is None or one.order_id != order.order_id]
    if _SAME_PLACE.search(text):
        there = [one for one in others if one.order_id in order_ids(text, things.order_ids)]
        there = there or list({one.order_id: one for one, _ in lines_named(text, others)}.values())
        named = _only(one.goes_to for one in there)
    if named is None and order is not None and (ACCOUNT_ADDRESS.search(text) or _ON_FILE.search(text)):
        named = things.address
    if named is None and order is not None:
        own = [things.address, *(one.goes_to for one in others)]
        away = [one for one in own if one.city.casefold() != order.goes_to.city.casefold()]
        named = _only(one for one in away if _named_by_city(text, one))
    if named is None:
        return None
    known = [_of(named), *([_of(order.goes_to)] if order is not None else [])]
    if found is not None and not any(_lies(found, one) for one in known):
        return None
    return _of(named)


def _only(addresses: Iterable[Address]) -> Address | None:
    """Return the address, if all are the same one."""
    places = {address.line(): address for address in addresses}
    return places.popitem()[1] if len(places) == 1 else None


def _named_by_city(text: str, address: Address) -> bool:
    """Say whether a text speaks of an address by its town: "the New York one", "my place in Boise"."""
    names = "|".join(re.escape(one) for one in (address.city, state_name(address.state)) if one)
    what = "one|place|address|house|home|apartment|flat"
    return bool(names) and bool(
        re.search(
            rf"\b(?:the|my)\s+(?:\w+\s+)?(?:{names})\s+(?:{what})\b|"
            rf"\b(?:my|the)\s+(?:own\s+)?(?:{what})\s+in\s+(?:{names})\b",
            text,
            re.I,
        )
    )


def _lies(found: Pieces, place: Pieces) -> bool:
    """Say whether an address lies where the pieces say."""
    state = not found.state or found.state == place.state or state_name(found.state) == low(place.city)
    return state and _is_city(found, place) and (not found.zip or found.zip == place.zip)


def _of(address: Address) -> Pieces:
    return Pieces(
        address.address1, address.address2, address.city, address.state, address.zip, address.country
    )
