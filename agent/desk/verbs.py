"""Words that name a change outright, where a model's reading is checked against what was plainly said."""

from __future__ import annotations

import re

from storewise.agent.desk.wish import SWAPPING
from storewise.agent.desk.words import alike, stems_of
from storewise.tools.desk.acts import PAYMENT, RETURN

_NAMES: dict[str, tuple[str, ...]] = {
    "cancel_pending_order": ("cancel",),
    "return_delivered_order_items": ("return",),
    "exchange_delivered_order_items": ("exchang", "swap", "trade"),
    "modify_pending_order_items": ("swap", "exchang", "trade"),
}
# Words for changes that say neither a cancellation nor a return.
_NO_CHANGES = ("cancel_pending_order", "return_delivered_order_items")
_CHANGE = re.compile(r"\b(?:chang(?:e|ing)|replac\w*|switch\w*|updat\w*)\b", re.I)
_BACK = re.compile(
    r"\b(?:send|give|bring|take|ship|hand)(?:ing)?\b.{0,30}\bback\b|"
    r"(?<!whatever )(?<!what )\b(?:go|goes|going|comes|coming|come(?= back to you)) "
    r"back(?: to you)?\b(?! (?:to|on|onto|in) (?:my|the))|"
    r"\bmoney back\b|\b(?:must|has to|have to|needs? to) (?:go )?back\b|"
    r"\bnot keeping (?:it|them|that|the)\b|\brid of\b",
    re.I,
)
# A thing that is to be left out of what was ordered.
_OUT = re.compile(
    r"\b(?:take|taking|leave|leaving|drop|dropping|get|pull)\b(?: [\w'’-]+){1,5}? (?:off|out of|from) "
    r"(?:my|the|that|this|our) (?:\w+ )?(?:order|parcel|package|basket)\b|"
    r"\b(?:take|leave) out (?:only |just )?(?:the|that|my|this|it|one)\b|"
    r"\btake (?:it|that|this|them|those) out\b(?! (?:of|for|on)\b)|"
    r"\bdrop (?:the|my|that)(?: [\w'’-]+){1,4}[,;]? (?:and |but )?keep\b|"
    r"\bremov(?:e|ing) (?:only |just )?(?:the|my)\b(?! (?:one|order)\b)",
    re.I,
)
_METHOD = r"[^.;!?]{0,25}?\b(?:\w*card|paypal|visa|amex|voucher)\b"
# "Take it off the gift card and put it on my Mastercard."
_REPAYS = re.compile(
    rf"\b(?:take|move|switch|change)\b[^.;!?]{{0,25}}\b(?:off|from)\b{_METHOD}[^.;!?]{{0,20}}\b(?:on|onto|to)\b{_METHOD}",
    re.I,
)
_REFUND = re.compile(r"\b(?:refund|money|difference)", re.I)
# "For a trip that got cancelled"
_CALLED_OFF = re.compile(
    r"\b(?:got|was|were|been|has|have) cancel\w*|"
    r"\bcancel\w* (?:that|the|my|our|a) (?:trip|flight|holiday|vacation|party|wedding|meeting|event|visit|plan)",
    re.I,
)
_WHOLE = re.compile(r"\brid of (?:the|my|this|that|the whole|the entire) order\b", re.I)
_HAND_IN = re.compile(r"\bhand(?:ing)? (?:mine|it|them|this|that) in for\b", re.I)
_LOOSE = re.compile(r"\brid of\b|\bmoney back\b|\bgive\b.{0,30}\bback\b", re.I)
_SAYS: dict[str, re.Pattern[str]] = {
    "cancel_pending_order": re.compile(r"\b(cancel|call off|call\b.{0,20}\boff|stop the|don'?t send)", re.I),
    "return_delivered_order_items": re.compile(r"\b(return|back|refund)", re.I),
    "exchange_delivered_order_items": re.compile(
        r"\b(exchang|swap|replac|chang|different|another|instead)", re.I
    ),
    "modify_pending_order_items": re.compile(
        r"\b(exchang|swap|replac|chang|different|another|instead)", re.I
    ),
    "modify_pending_order_address": re.compile(r"\b(address|send|sent|ship|deliver|there|moved)", re.I),
    "modify_pending_order_payment": re.compile(r"\b(pay|\w*card|visa|amex|voucher)", re.I),
    "modify_user_address": re.compile(r"\b(address|account|profile|moved)", re.I),
}


def named_changes(text: str) -> list[str]:
    """Return the tools whose change a text names by its verb, slips of the fingers allowed."""
    stems = stems_of(_CALLED_OFF.sub(" ", text))
    named = [tool for tool, verbs in _NAMES.items() if any(alike(s, verb) for s in stems for verb in verbs)]
    if not named and (_OUT.search(text) or _WHOLE.search(text)):
        named.append("cancel_pending_order")
    if not named and _REPAYS.search(text) and not _REFUND.search(text):
        named.append(PAYMENT)
    if not named and _HAND_IN.search(text):
        return list(SWAPPING)
    if not named and _BACK.search(text):  # "swap it, the money back to PayPal" is no return
        named.append("return_delivered_order_items")
    return named


def loosely_named(tool: str, text: str) -> bool:
    """Say whether a text names a return by words that a cancellation has, too: "rid of it", "my money back"."""
    return (
        tool == RETURN
        and not any(alike(stem, "return") for stem in stems_of(text))
        and bool(_LOOSE.search(text))
    )


def names_another_change(tool: str, text: str) -> bool:
    """Say whether a text names another change than `tool`, and not this one: "yes, cancel it" to a return,
    "yes, change the glasses" to a cancellation.
    """
    named = named_changes(text)
    if named:
        # "swap it over": the card or the address
        return tool not in named and not (tool not in _NAMES and set(named) <= set(SWAPPING))
    return tool in _NO_CHANGES and _CHANGE.search(text) is not None


def says_so(tool: str, text: str) -> bool:
    """Say whether a text holds a word for a tool's change; a look-up needs none."""
    return tool not in _SAYS or bool(_SAYS[tool].search(text))
