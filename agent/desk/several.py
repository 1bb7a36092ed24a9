"""One wish for several orders: "cancel both", "return the boots and the kettle" out of two orders."""

from __future__ import annotations

import re

from storewise.agent.desk.form import meaning
from storewise.agent.desk.naming import lines_named, order_ids, says_all, says_both
from storewise.agent.desk.things import OwnOrder, Things
from storewise.agent.desk.verbs import named_changes
from storewise.agent.desk.wish import WHOLE, Meaning, Said, Wish, suitable
from storewise.tools.desk.acts import CANCEL, RETURN
from storewise.tools.desk.desk import listed

_ALL_ORDERS = re.compile(r"\b(?:all|every) (?:of )?(?:my |the |them)?|\beach\b", re.I)
# What stands between two ids that are named for the same wish.
_LISTED = re.compile(
    r"^(?:[\s,;&+/.]|\b(?:and|also|plus|as well as|both|orders?|number|then|too|the)\b)*$", re.I
)
_AND = re.compile(r"[,;&+]|\b(?:and|also|plus)\b", re.I)
_AN_ORDER = re.compile(r"\b(?:orders?|it all|everything|whole|entire|purchase|#?w\d+)\b", re.I)
_DONT = re.compile(r"\b(?:don['’]?t|do not) cancel\b[^,.;!?]*?(?=\bbut\b|[,.;!?]|$)", re.I)
_PART = re.compile(
    r"\b(?:only|just|one of(?! (?:my|the|these|those) (?:\w+ )*orders)|part of|out of|"
    r"remov(?:e|ing)|from (?:my|the|this|that)|the rest|keep(?:ing)?|"
    r"not the (?:whole|entire|other))\b",
    re.I,
)
# "I mean the whole order, not only the kettles"
_NOT_PART = re.compile(r"\bnot (?:only|just)\b", re.I)


def apart(wish: Wish, found: Meaning, things: Things) -> tuple[Wish, ...]:
    """Return a wish as one wish for each order that it is for; the wish alone where it is for one."""
    if not wish.said:
        return (wish,)
    last = wish.said[-1]
    ids = _ids(wish, last.text, things)
    if len(ids) > 1:
        return tuple(_for_one(wish, one) for one in ids)
    if found.missing != "order" or len(found.orders) < 2 or found.foreign:
        return (wish,)
    if wish.tool in WHOLE and any(_says_all(said.text) for said in wish.said):
        return tuple(_for_one(wish, order.order_id) for order in found.orders)
    all_named = _says_all(last.text) and all(lines_named(last.text, [order]) for order in found.orders)
    if wish.tool == RETURN and (all_named or _each_named(last.text, found.orders)):
        return tuple(_for_one(wish, order.order_id) for order in found.orders)
    return (wish,)


def _ids(wish: Wish, text: str, things: Things) -> list[str]:
    """Return the orders that a text names by their ids for the same wish."""
    ids = order_ids(text, things.order_ids)
    if len(ids) < 2 or wish.tool not in (*WHOLE, RETURN):
        return []
    places = sorted((found.start(), found.end()) for one in ids for found in _places(one, text))
    between = [text[one[1] : two[0]] for one, two in zip(places, places[1:], strict=False)]
    joins = _AND.search if wish.tool == RETURN else _LISTED.match
    return ids if len(places) >= len(ids) and all(joins(part) for part in between) else []


def _places(order_id: str, text: str) -> list[re.Match[str]]:
    bare = re.escape(order_id.removeprefix("#"))
    return list(re.finditer(rf"#?(?<!\w){bare}(?!\w)", text, re.I))


def _for_one(wish: Wish, order_id: str) -> Wish:
    """Return the wish for one of its orders; what else was said of it still holds."""
    said = tuple(one.model_copy(update={"text": _without_others(one.text, order_id)}) for one in wish.said)
    return wish.model_copy(update={"said": (Said(asked="order", text=order_id), *said), "of_several": True})


def _without_others(text: str, order_id: str) -> str:
    for other in order_ids(text):
        if other != order_id:
            for place in reversed(_places(other, text)):
                text = text[: place.start()] + text[place.end() :]
    return text


def _says_all(text: str) -> bool:
    return says_all(text) or says_both(text) or _ALL_ORDERS.search(text) is not None


def _each_named(text: str, orders: list[OwnOrder]) -> bool:
    """Say whether a text names things of each of the orders, and no thing that two of them have."""
    owners: dict[str, set[str]] = {}
    for order, line in lines_named(text, orders):
        owners.setdefault(line.product, set()).add(order.order_id)
    alone = [next(iter(own)) for own in owners.values() if len(own) == 1]
    return len(alone) == len(owners) and set(alone) == {order.order_id for order in orders}


def only_one(wish: Wish, found: Meaning, later: tuple[Wish, ...], things: Things) -> str | None:
    """Return the sentence for whoever wants both a return and an exchange out of one order: one of them it is."""
    both = (RETURN, "exchange_delivered_order_items")
    if wish.tool not in both or found.order is None:
        return None
    for one in later:
        order = meaning(one, things).order if one.tool in both else None
        if order == found.order:
            what = "returned" if one.tool == RETURN else "exchanged"
            return (
                f"Only one return or exchange is possible for an order: after this nothing of {order.order_id} can be "
                f"{what} any more."
            )
    return None


def whole_order(wish: Wish, found: Meaning) -> str | None:
    """Return the sentence for whoever wants a part of an order cancelled: it goes as a whole."""
    order = found.order
    if wish.tool != CANCEL or wish.told_whole or order is None or not suitable(CANCEL, order):
        return None
    for said in wish.said:
        text = _DONT.sub(" ", said.text)
        if _NOT_PART.search(text):
            continue
        one_of_more = _PART.search(text) is not None
        if not one_of_more and CANCEL not in named_changes(text):
            continue
        named = [line for _, line in lines_named(text, [order])]
        rest = [line for line in order.lines if line not in named]
        if named and rest and (one_of_more or not _AN_ORDER.search(text)):
            return f"An order can only be cancelled as a whole, with {listed([line.label for line in rest])}."
    return None
