"""Which things of an order a wish is for, and which variants they are to become."""

from __future__ import annotations

import re

from storewise.agent.desk.naming import by_options, doubtful, item_ids, lines_named, products_named, says_all
from storewise.agent.desk.options import Wanted, pick, wanted
from storewise.agent.desk.things import Kind, Line, Things
from storewise.agent.desk.wish import SWAPPING, Meaning, Wish
from storewise.agent.desk.words import words_of

_ONLY = re.compile(r"\b(only|just)\b", re.I)


def read_lines(wish: Wish, found: Meaning) -> None:
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


def read_kinds(wish: Wish, things: Things, found: Meaning) -> None:
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
