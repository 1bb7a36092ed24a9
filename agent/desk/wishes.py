"""How a text stands to the wishes of a talk: what it points back to, and which it tells of beside the open one."""

from __future__ import annotations

import re
from collections.abc import Sequence

from storewise.agent.desk.address_meant import names_another_place
from storewise.agent.desk.form import meaning, reason_in
from storewise.agent.desk.meant import INSTEAD, Form
from storewise.agent.desk.naming import lines_named, order_ids, products_named, staying
from storewise.agent.desk.paying import paying
from storewise.agent.desk.things import Things
from storewise.agent.desk.together import bought_together
from storewise.agent.desk.verbs import named_changes
from storewise.agent.desk.wish import NEEDS, SWAPPING, WHOLE, Said, Wish
from storewise.agent.desk.words import sentences_of
from storewise.tools.desk.acts import ADDRESS, PAYMENT, RETURN
from storewise.tools.desk.addresses import find_address

_POINTS = re.compile(r"\b(it|that|this|that one|this one|them|those|the order|mine)\b", re.I)
_THAT_ONE = re.compile(r"\b(?:to|for|into|with) (?:that|this|it|the (?:cheapest|dearest))\b", re.I)


def led(form: Form, seen: str | None, tool: str, text: str, things: Things, said: Said) -> tuple[Said, ...]:
    """Return a new wish's words, led by what was just talked of where the text points to it.

    Args:
        seen: what was looked up in the turn before.
        said: the text, as it is told to the wish.
    """
    own = [line.product for order in things.orders for line in order.lines]
    beside = bought_together(text, own)
    named = [one for one in products_named(text, own) if one.name not in beside]
    ids = order_ids(text, things.order_ids)
    of_own = seen in ("get_product_details", "get_order_details") and form.product in own
    if named or (ids and not of_own):
        return (said,)
    if of_own and "items" in NEEDS[tool] and (tool in SWAPPING or _POINTS.search(text)):
        told = tuple(Said(asked="items", text=f"{form.product}: {one}") for one in ("", *form.product_said))
        if tool in SWAPPING and _THAT_ONE.search(text):
            told += tuple(Said(asked="new items", text=one) for one in form.product_said)
        return (*told, said)
    just_told = seen == "get_order_details" and tool in WHOLE
    if form.order and not ids and not beside and (just_told or _POINTS.search(text)):
        return (Said(asked="order", text=form.order), said)
    return (said,)


def answers_too(later: Wish, wish: Wish, said: Said, things: Things) -> bool:
    """Say whether what is said to the open wish holds for one that waits, too."""
    if later.of_several and wish.of_several and later.tool == wish.tool:
        return said.asked in ("reason", "payment", "address")
    if said.asked == "address":
        return "address" in NEEDS[later.tool]
    if find_address(said.text) is not None and "address" not in NEEDS[wish.tool]:
        return "address" in NEEDS[later.tool]
    if "reason" in NEEDS[later.tool] and "reason" not in NEEDS[wish.tool] and reason_in(said.text):
        return True
    pays = "payment" in NEEDS[later.tool] and "payment" not in NEEDS[wish.tool]
    return pays and paying(said.text, things, None) is not None


def told_all(wishes: Sequence[Wish], before: Wish, said: Said, things: Things) -> tuple[Wish, ...]:
    """Return the wishes of a talk with what was said: a sentence about a thing of a later one alone is for that one.

    Args:
        wishes: the first of them has been told all of it.
        before: the first as it was before.
    """
    own = [_products(wish, things) for wish in (before, *wishes[1:])]
    parts: list[list[str]] = [[] for _ in own]
    # What tells which order is meant may name anything in it; what was told together is answered together.
    whole = said.asked in ("order", "which", "items") or any(wish.of_several for wish in wishes)
    for sentence in [] if whole else sentences_of(said.text):
        named = {one.name for one in products_named(sentence, [name for names in own for name in names])}
        later = [number for number, names in enumerate(own) if number and named & names]
        parts[0 if not later or named & own[0] else later[0]].append(sentence)
    first = wishes[0]
    if any(parts[1:]):
        rest = said.model_copy(update={"text": " ".join(parts[0])})
        first = first.model_copy(update={"said": (*before.said, rest) if parts[0] else before.said})
        said = rest
    told = [one.told(said) if answers_too(one, before, said, things) else one for one in wishes[1:]]
    return (
        first,
        *(
            one.told(Said(asked="nothing", text=" ".join(part))) if part else one
            for one, part in zip(told, parts[1:], strict=True)
        ),
    )


def others_stay(wish: Wish, text: str, things: Things) -> bool:
    """Say whether a text says only of other things of the order than the wish's own that they stay as they are."""
    found = meaning(wish, things)
    kept = staying(text, found.order.lines) if found.order is not None and wish.tool not in WHOLE else []
    return bool(kept) and bool(found.lines) and not any(line in found.lines for line in kept)


def _products(wish: Wish, things: Things) -> set[str]:
    """Return the products that a wish is about: all of an order, where it is for the order as a whole."""
    found = meaning(wish, things)
    if wish.tool in WHOLE:
        return {line.product for order in found.orders for line in order.lines}
    named = [line for said in wish.said for _, line in lines_named(said.text, list(things.orders))]
    return {line.product for line in found.lines or found.unsure or named}


def answers(wish: Wish | None, tool: str, text: str, things: Things) -> bool:
    """Say whether what reads as another wish tells what the open one needs to know.

    Another payment of an order may be the one of a return or a swap, the account's address the one for an order;
    a refund to a card is where the difference of a swap goes.
    """
    if wish is None or tool == wish.tool:
        return False
    if tool == RETURN and wish.tool in SWAPPING:
        another = INSTEAD.search(text) is not None or RETURN in named_changes(text)
        return not another and paying(text, things, None) is not None
    if tool == "modify_user_address" and wish.tool == ADDRESS:
        return names_another_place(text) and not INSTEAD.search(text)
    return tool == PAYMENT and "payment" in NEEDS[wish.tool]


def waiting(wishes: Sequence[Wish], tool: str) -> Wish | None:
    """Return the wish for a tool that waits behind the open one; the order decides which of the two swaps it is.

    The address that is told while one for an order is waited for is that one.
    """
    same = SWAPPING if tool in SWAPPING else (tool,)
    if tool == "modify_user_address":
        same = (tool, ADDRESS)
    return next((wish for wish in wishes[1:] if wish.tool in same), None)
