"""How a text stands to the wishes of a talk: what it points back to, and which it tells of beside the open one."""

from __future__ import annotations

import re
from collections.abc import Sequence

from storewise.agent.desk.address_meant import names_another_place
from storewise.agent.desk.form import reason_in
from storewise.agent.desk.meant import INSTEAD, Form
from storewise.agent.desk.naming import order_ids, products_named
from storewise.agent.desk.paying import paying
from storewise.agent.desk.things import Things
from storewise.agent.desk.together import bought_together
from storewise.agent.desk.verbs import named_changes
from storewise.agent.desk.wish import NEEDS, SWAPPING, WHOLE, Said, Wish
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


def answers(wish: Wish | None, tool: str, text: str, things: Things) -> bool:
    """Say whether what reads as another wish tells what the open one needs to know.

    Another payment of an order may be the one of a return or a swap, the account's address the one for an order;
    a refund to a card is where the difference of a swap goes.
    """
    if wish is None or tool == wish.tool:
        return False
    if tool == RETURN and wish.tool in SWAPPING:
        return RETURN not in named_changes(text) and paying(text, things, None) is not None
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
