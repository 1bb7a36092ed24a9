"""What a text tells by the things it names, beside what is read in its words: it weighs the acts against each other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from storewise.agent.desk.address_meant import names_another_place
from storewise.agent.desk.form import meaning, reason_in
from storewise.agent.desk.meant import Form
from storewise.agent.desk.naming import in_its_place, lines_named, most_named, order_ids, products_named
from storewise.agent.desk.options import wanted
from storewise.agent.desk.things import OPEN_STATES, Line, OwnOrder, Things
from storewise.agent.desk.verbs import named_changes
from storewise.agent.desk.wish import DELIVERED, PENDING, SWAPPING, Asked, Said, Wish
from storewise.agent.desk.words import stems_of
from storewise.tools.desk.addresses import find_address

_PRICE = re.compile(r"\b(price|cost|how much|in stock|available|cheap\w*)\b", re.I)
_WRONG = re.compile(r"\b(?:picked|chose|chosen|clicked|selected|ordered) the wrong\b", re.I)
_SENDS = re.compile(r"\b(?:sen[dt]|ship\w*|deliver\w*|go(?:es|ing)?|come|redirect\w*|re-?route\w*)\b", re.I)
_INSTEAD = re.compile(
    r"\b(?:instead|rather|in (?:its )?place|ought to (?:be|have been)|should (?:be|have been)|become|"
    r"(?:picked|chose|got|ordered|bought|took) the wrong|wrong (?:one|size|colou?r|version)|wish i(?:'d| had)|"
    r"swap\w*|trade\w*|switch\w*|make it|change (?:it|the|my)|version|"
    r"(?:could|can|may|might) (?:the|it|my|that)\b[^.;!?]{0,40}\bbe(?:come)?\b|"
    r"turn (?:[\w-]+ ){1,4}into|(?:but|only) in|update|"
    r"needs? (?:an?|the|it|them|\d+)\b|change (?:to|them|those|these)\b|"
    r"(?:must|has to|have to|needs to) (?:have|be)\b|"
    r"(?:give|send) (?:me )?[\w -]{1,25}(?:model|version|ones?)\b|have (?:it|them) in|"
    r"in [\w -]{2,20}? (?:do )?you have|"
    r"can i (?:get|have) (?:it|one|them|these|those|the same(?: ones?| things?)?) (?:in|for|as|with)|"
    r"(?:get|have) my [\w -]{2,40} in|hand (?:mine|it|them) in for|"
    r"should (?:have|be|come)\b|(?:would|'d) (?:like|prefer|want) (?:the|an?) \w+ one|"
    r"wants? (?:the|an?) (?:\w+ ){1,2}one|i wanted|(?:want|prefer|like) the \w{3,}er\b|"
    r"(?:like|want|prefer|have|need) (?:it|them|those|these|that|this|one) in|"
    r"want [\w -]{2,30} for (?:it|them|these|those))\b",
    re.I,
)
_TRACES = re.compile(r"\b(?:(?<!order )where|when|track\w*|status|arriv\w*|how (?:much|long))\b", re.I)
_MOVED = re.compile(
    r"\b(?:don['’]?t|do not|no longer) live\b|\bmoved (?:out|away|house)\b|\bused to live\b|"
    r"\b(?:old|former|previous) address\b",
    re.I,
)
_SOMEBODY = re.compile(
    r"\bto (?:my|our) (?:\w+ )?(?:parents?|mum|mom|mother|father|dad|sister|brother|son|daughter|aunt|uncle|friend|"
    r"neighbou?r|work|office|dorm|college|campus|school|hotel|grand\w+|husband|wife|partner|in-?laws|cousin|colleague)(?:['’]s)?\b",
    re.I,
)
_THERE = re.compile(
    r"\b(?:sen[dt]|ship(?:ped)?|go|come|deliver(?:ed)?)\b[^.;!?]{0,20}\b"
    r"(?:to (?:another|a (?:different|new)|some other) (?:place|address|house|location|city|town)|"
    r"somewhere else|elsewhere)\b|"
    r"\b(?:sen[dt]|ship(?:ped)?|go|come|deliver(?:ed)?)\b[^.;!?]{0,20}\bthere\b|"
    r"\b(?:ought to|should|must|has to|needs to) (?:go|come|be (?:sent|shipped|delivered)) to (?:me|us|my)\b",
    re.I,
)
_ALSO = re.compile(r"\b(?:also|too|as well|plus|and the|another)\b", re.I)


@dataclass(frozen=True)
class Evidence:
    """What speaks for and against acts.

    Attributes:
        about: the look-up of what the text names where no change is open, None where it names nothing.
        swaps: whether it names another variant of a thing of the customer's own as the one that is wanted.
        unneeded: whether it tells why an order of the customer's that is still open is not wanted.
        place: whether it says that an order is to go to a place that it names or tells.
        only_own: whether it names things of the customer's orders, and nothing of what the shop may sell besides.
        answers: whether the text tells what the desk asked, or puts right what it proposed.
        unlikely: changes that cannot be made to what the text names, as its orders stand.
    """

    about: str | None = None
    swaps: bool = False
    unneeded: bool = False
    place: bool = False
    only_own: bool = False
    answers: bool = False
    unlikely: frozenset[str] = frozenset()


def evidence(form: Form, things: Things, asked: Asked, text: str) -> Evidence:
    """Return what a text's things say of its acts, where the talk stands as it does."""
    ids = order_ids(text, things.order_ids)
    named = lines_named(text, list(things.orders))
    lines = [line for _, line in named]
    orders = things.orders_of(ids) or most_named(named)
    held = {line.product for order in orders for line in order.lines}
    unlikely = _unlikely(orders if ids or all(line.product in held for line in lines) else [])
    only_own = bool(lines) and not _PRICE.search(text) and not _another_variant(things, text, lines)
    if form.open is not None:
        return Evidence(
            only_own=only_own, answers=_answers(form.open, things, asked, text), unlikely=unlikely
        )
    return Evidence(
        about=_about(form, things, text, bool(ids), lines),
        swaps=_swaps(form, things, text, named),
        unneeded=bool(orders)
        and all(order.status == "pending" for order in orders)
        and reason_in(text) is not None,
        place=(bool(orders) and _elsewhere(text))
        or find_address(text) is not None
        or (_SENDS.search(text) is not None and names_another_place(text)),
        only_own=only_own,
        unlikely=unlikely,
    )


def _elsewhere(text: str) -> bool:
    """Say whether an order of which a text speaks is to go elsewhere by it: "to my sister", "there", "we moved"."""
    to_somebody = _SENDS.search(text) is not None and _SOMEBODY.search(text) is not None
    return to_somebody or _THERE.search(text) is not None or _MOVED.search(text) is not None


def _about(form: Form, things: Things, text: str, an_order: bool, lines: Sequence[Line]) -> str | None:
    if _options_of_seen(form, things, text):
        return "get_product_details"
    if an_order or (lines and not _PRICE.search(text)):
        return "get_order_details"
    known = products_named(text, [ware.name for ware in things.wares])
    return "get_product_details" if any(one.surely > 1 for one in known) else None


def _swaps(form: Form, things: Things, text: str, named: Sequence[tuple[OwnOrder, Line]]) -> bool:
    if _tells_of_seen(form, things, text):
        return True
    if not _INSTEAD.search(text):
        return False
    lines = [line for order, line in named if order.status != "cancelled"]
    if not lines and form.product is not None and form.seen == "get_product_details":
        lines = [line for order in things.orders for line in order.lines if line.product == form.product]
    if lines and _WRONG.search(text):
        return True
    own = {line.product for order in things.orders for line in order.lines}
    sold = products_named(text, [ware.name for ware in things.wares])
    if lines and any(one.surely == 3 and one.name not in own and in_its_place(text, one) for one in sold):
        return True  # for another product: that it cannot be is told then
    return _another_variant(things, text, lines, beside=True) or any(
        key in text.lower()
        for line in lines
        for key in line.options  # "switch the color"
    )


def _tells_of_seen(form: Form, things: Things, text: str) -> bool:
    """Say whether a text tells options of a thing of the customer's own whose order was just told, and asks nothing."""
    ware = things.ware(form.product or "")
    if form.seen != "get_order_details" or ware is None or "?" in text or _PRICE.search(text):
        return False
    lines = [line for order in things.orders for line in order.lines if line.product == ware.name]
    told = wanted(text, ware.options)
    return bool(lines) and all(told.differs(line.options) for line in lines)


def _another_variant(things: Things, text: str, lines: Sequence[Line], beside: bool = False) -> bool:
    """Say whether a text tells options that one of the things does not have; `beside` its own: "one size up"."""
    for line in lines:
        ware = things.ware(line.product_id)
        options = ware.options if ware is not None else []
        if wanted(text, options, line.options if beside else None).differs(line.options):
            return True
    return False


def _options_of_seen(form: Form, things: Things, text: str) -> bool:
    """Say whether a text names options of the product that was looked up last."""
    if form.seen not in ("get_product_details", "search_reviews") or not form.product:
        return False
    ware = things.ware(form.product)
    if ware is None:
        return False
    options = ware.options
    keys = {stem for one in options for key in one for stem in stems_of(key) if len(stem) > 3}
    return bool(wanted(text, options) or keys & set(stems_of(text)) or _PRICE.search(text))


def _answers(wish: Wish, things: Things, asked: Asked, text: str) -> bool:
    named = named_changes(text)
    if named and not _same_change(wish, named):
        return False
    before = meaning(wish, things)
    after = meaning(wish.told(Said(asked=asked, text=text)), things)
    if asked == "confirmation":
        return bool(after.arguments) and after.arguments != before.arguments
    if asked in ("order", "which") and _TRACES.search(text):
        return False
    if after.lines != before.lines and before.lines and _ALSO.search(text):
        return True
    fewer = before.missing == "order" and 0 < len(after.orders) < len(before.orders)
    return fewer or (before.missing is not None and after.missing != before.missing)


def _same_change(wish: Wish, named: list[str]) -> bool:
    return wish.tool in named or (wish.tool in SWAPPING and bool(set(named) & set(SWAPPING)))


def _unlikely(orders: Sequence[OwnOrder]) -> frozenset[str]:
    """Return the changes that need another state than that of all the orders of which a text speaks."""
    if orders and all(order.status in OPEN_STATES for order in orders):
        return frozenset(DELIVERED)
    if orders and all(order.is_delivered for order in orders):
        return frozenset(PENDING)
    return frozenset()
