"""Which order a wish is for: by its id, by what is in it, by its state, or as an answer among those that fit."""

from __future__ import annotations

from storewise.agent.desk.naming import (
    among,
    in_state,
    lines_named,
    most_named,
    order_ids,
    products_named,
    without_staying,
)
from storewise.agent.desk.things import OwnOrder, Things
from storewise.agent.desk.wish import SWAPPING, Meaning, Said, Wish, preferred, suitable
from storewise.agent.desk.words import sentences_of


def read_order(wish: Wish, things: Things, found: Meaning) -> None:
    explicit: list[OwnOrder] = []
    narrowed: list[OwnOrder] | None = None
    for number, said in enumerate(wish.said):
        if number < wish.ignore_order_before:
            continue
        ids = order_ids(said.text, things.order_ids)
        if ids:
            own = things.orders_of(ids)
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
        right = preferred(wish.tool, orders)
        found.orders = right or (orders if narrowed is not None and len(orders) < len(things.orders) else [])
        if not found.orders and len(things.orders) == 1:
            found.orders = list(things.orders)
    if wish.tool in SWAPPING and found.order is not None and suitable(wish.tool, found.order):
        found.tool = SWAPPING[0] if found.order.status == "pending" else SWAPPING[1]


def _narrowed(wish: Wish, said: Said, before: list[OwnOrder] | None, things: Things) -> list[OwnOrder] | None:
    """Return the orders that still fit after another text, None if no text told anything of the order."""
    pool = list(before) if before is not None else list(things.orders)
    right = preferred(wish.tool, pool)
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
        pool = most_named([(order, line) for order, line in named if order in pool])
    elif said.asked in ("order", "which", "items") or before is not None:
        pool = among(said.text, right or pool)
    elif 0 < len(by_state) < len(pool):
        pool = by_state
    else:
        return before
    return in_state(said.text, pool) or pool


def _named_elsewhere(wish: Wish, text: str, order: OwnOrder, things: Things) -> list[OwnOrder]:
    """Return another order, if a correction names a thing that only that one has."""
    # "the other order, with the lamp, I do want": a whole sentence says that it stays.
    told = " ".join(one for one in sentences_of(text) if without_staying(one) == one)
    own = [line.product for one in things.orders for line in one.lines]
    names = {named.name for named in products_named(told, own)}
    if not names or any(line.product in names for line in order.lines):
        return []
    others = [
        o for o in things.orders if suitable(wish.tool, o) and any(line.product in names for line in o.lines)
    ]
    return others if len(others) == 1 else []
