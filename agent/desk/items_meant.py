"""Which things of an order a wish is for, and which variants they are to become."""

from __future__ import annotations

import re
from collections.abc import Sequence

from storewise.agent.desk.naming import (
    by_options,
    content_with,
    doubtful,
    in_its_place,
    item_ids,
    lines_named,
    products_named,
    says_all,
    says_rest,
    staying,
    without_staying,
)
from storewise.agent.desk.options import Wanted, pick, wanted
from storewise.agent.desk.things import Kind, Line, Things
from storewise.agent.desk.together import bought_together, without_together
from storewise.agent.desk.wish import SWAPPING, Meaning, Wish
from storewise.agent.desk.words import sentences_of, stems_of, words_of

_JOINED = re.compile(r"\b(?:both|two|each|also|as well|too|all)\b|[+&]|\band (?:the|my|a)\b", re.I)
_WRONG = re.compile(r"\b(?:picked|chose|chosen|clicked|selected|ordered|got) the wrong\b", re.I)
_NARROWS = re.compile(r"\b(?:only|just|not|n['’]t|no|instead|rather|actually|alone|by itself)\b", re.I)
_BY_ONLY = re.compile(r"^\W*(?:only|just)\b|\b(?:only|just) the\b", re.I)
_SENTENCES = re.compile(r"(?<=[.;:!?\n])\s+")
_SAME = re.compile(r"\b(?:same|again|still|identical|otherwise|just like|as before)\b", re.I)
_NUMBERS = {"two": 2, "three": 3, "four": 4, "2": 2, "3": 3, "4": 4}
_NUMBER = re.compile(rf"\b({'|'.join(_NUMBERS)})\b", re.I)
_CONTENT_HERE = re.compile(r"\b(?:keep\w*|stays?|likes?|loves?)\b", re.I)
# "too slow" adds nothing.
_ALSO = re.compile(
    r"\b(?:also|as well|plus|another)\b|\btoo\b(?= *(?:[^\w\s]|$|(?:please|then|and|if|thanks?|from|on|to)\b))",
    re.I,
)
_ONLY = re.compile(r"\b(only|just)\b", re.I)


def read_lines(wish: Wish, found: Meaning) -> None:
    order = found.order
    if order is None:
        return
    lines: list[Line] = []
    unsure: list[Line] = []
    for said in wish.said:
        stay = staying(said.text, order.lines)
        content = content_with(said.text, order.lines)
        if wish.tool not in SWAPPING and (stay or content) and says_rest(said.text):
            lines, unsure = _rest(said.text, order.lines, [*stay, *content]), []
            continue
        if said.asked == "new items" and lines:
            beside = bought_together(said.text, [line.product for line in order.lines])
            more = [line for _, line in lines_named(said.text, [order]) if line not in lines]
            # "the camera" is the one that is meant already, not the other camera in the order.
            ends = {stems_of(line.product)[-1] for line in lines}
            more = [
                line for line in more if line.product not in beside and stems_of(line.product)[-1] not in ends
            ]
            lines += more if (_ALSO.search(said.text) or re.search(r"\band\b", said.text, re.I)) else []
            continue
        if says_all(said.text) and wish.tool not in SWAPPING:
            lines = [line for line in order.lines if line not in (*stay, *content)] or list(order.lines)
            continue
        if unsure and (chosen := by_options(said.text, unsure)):
            lines, unsure = [*lines, *chosen], []
            continue
        beside = bought_together(said.text, [line.product for line in order.lines])
        named = [line for _, line in lines_named(_clearest(said.text), [order]) if line.product not in beside]
        if not named:
            if lines and len(rest := [line for line in lines if line not in stay]) < len(lines) and rest:
                lines = rest
            if said.asked == "confirmation" and wish.tool not in SWAPPING:
                # "only the red one", "no, the grey one goes back"
                lines = (_ONLY.search(said.text) and by_options(_clearest(said.text), lines)) or _other(
                    said.text, lines, order.lines
                )
            continue
        named = [line for line in named if line not in stay] or named
        if (lines or said.asked == "items") and all(line in content for line in named):
            continue
        named = [line for line in named if line not in content] or named
        named, maybe = doubtful(said.text, named)
        if (unsure and len(maybe) > 1) or any(line in maybe for line in lines):
            continue
        unsure = maybe
        also = bool(lines) and _ALSO.search(said.text)
        if said.asked == "nothing" or not lines:
            lines = [*lines, *(line for line in named if line not in lines)] if lines and also else named
        elif also:
            lines += [line for line in named if line not in lines]
        elif said.asked in ("items", "which", "order") or (
            said.asked == "confirmation"
            and (_NARROWS.search(said.text) or any(line not in lines for line in named))
        ):
            lines = named
    if not lines and len(order.lines) == 1:
        lines = list(order.lines)
    found.lines = [] if unsure else lines
    found.unsure = unsure


def _rest(text: str, lines: Sequence[Line], kept: Sequence[Line]) -> list[Line]:
    """Return the things but those that are kept: of the named ones, where just so many are named besides."""
    rest = [line for line in lines if line not in kept]
    names = {one.name for one in products_named(text, [line.product for line in rest])}
    named = [line for line in rest if line.product in names]
    number = _NUMBER.search(text)
    return named if number and len(named) == _NUMBERS[number[1].lower()] else rest


def _other(text: str, lines: list[Line], every: Sequence[Line]) -> list[Line]:
    """Return another thing of the same product, where a correction tells it by its options."""
    like = [line for line in every if any(line.product == one.product for one in lines)]
    for sentence in reversed(sentences_of(without_staying(text))):
        chosen = by_options(sentence, like)
        if len(chosen) == len(lines) == 1 and not _CONTENT_HERE.search(sentence):
            return chosen
    return lines


def read_kinds(wish: Wish, things: Things, found: Meaning) -> None:
    for line in list(found.lines):
        ware = things.ware(line.product_id)
        kinds = ware.kinds if ware is not None else ()
        options = [kind.options for kind in kinds]
        others = [ware.name for ware in things.wares if ware.name != line.product]
        wish_for = Wanted()
        by_id: list[Kind] = []
        for number, said in enumerate(wish.said):
            if number < wish.ignore_new_before:
                continue
            text = without_together(said.text, others)
            if sum(one.product == line.product for order in found.orders for one in order.lines) > 1:
                text = without_staying(text)  # "the other keyboard, the 80% one, stays"
            part = _part_about(text, line, found.lines)
            if part is None:
                continue
            told = wanted(part, options, line.options)
            own_alone = told.values and all(v == {line.options.get(k)} for k, v in told.values.items())
            which = said.asked == "nothing" or (
                bool(wish_for) and _ONLY.search(part) and products_named(part, [line.product])
            )
            described = own_alone and which and not _SAME.search(part)
            if said.asked in ("order", "which", "items") or described:
                # this describes what there is
                told.values = {k: v for k, v in told.values.items() if v != {line.options.get(k)}}
            if (
                said.asked != "payment"
                and re.search(r"\b(no wait|instead|rather|actually|sorry)\b", part, re.I)
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
    _leave_mere_mentions(wish, found)
    own = {line.product for order in found.orders for line in order.lines}
    for said in wish.said[wish.ignore_new_before :]:
        sold = [n for n in products_named(said.text, [w.name for w in things.wares]) if n.surely == 3]
        strangers = [
            n.name
            for n in sold
            if n.name not in own and not n.stays and (said.asked == "new items" or in_its_place(said.text, n))
        ]
        whole = [name for name in strangers if name.casefold() in said.text.casefold() and " " in name]
        if found.lines and (whole or (strangers and not any(found.wanted))):
            found.elsewhere = (whole or strangers)[0]


def _clearest(text: str) -> str:
    """Return the part of a text that says which things are meant: "only the kettle", "picked the wrong speaker"."""
    wrong = _WRONG.search(text)
    if wrong is not None:
        return re.split(r"[.;!?]", text[wrong.end() :])[0]
    sentences = [one for one in sentences_of(text) if _ONLY.search(one)]
    return sentences[-1] if sentences and _BY_ONLY.search(sentences[-1]) else text


def _leave_mere_mentions(wish: Wish, found: Meaning) -> None:
    """Leave out things of whose new variant nothing is told, where it is of others and nothing joins the two."""
    told = [bool(one) for one in found.wanted]
    if all(told) or not any(told) or any(_JOINED.search(said.text) for said in wish.said):
        return
    for name in ("lines", "kinds", "wanted"):
        kept = [one for one, is_told in zip(getattr(found, name), told, strict=True) if is_told]
        setattr(found, name, kept)


def _part_about(text: str, line: Line, lines: list[Line]) -> str | None:
    """Return the part of a text that may tell of a line's new variant, None if it tells of others."""
    products = list(dict.fromkeys(one.product for one in lines))
    if len(products) == 1 or not products_named(text, products):
        return text
    parts: list[str] = []
    about: str | None = None  # the product of the sentences that follow; before any is named they tell of all
    for sentence in _SENTENCES.split(text):
        named = products_named(sentence, products)
        words = [word.raw for word in words_of(sentence)]
        for number, one in enumerate(named):
            begin = one.at if number else 0
            if one.name == line.product:
                parts.append(
                    " ".join(words[begin : named[number + 1].at if number + 1 < len(named) else None])
                )
        if not named and about in (None, line.product):
            parts.append(sentence)
        about = named[-1].name if named else about
    told_of_it = any(part for part in parts)
    return ". ".join(parts) if told_of_it else None
