"""What a text names only to tell which order is meant: "in the order with the lamp", "the one that has the mug"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from storewise.agent.desk.naming import products_named

_BOX = r"(?:order|parcel|package|delivery|box|shipment)"
_BESIDE = r"(?:along with|together with|with|alongside|w/?)(?= )"
# What stands before the things that came, or are to come, with what is meant.
_BEGINS = re.compile(
    rf"\b(?:same {_BOX} (?:as|with)|"
    r"same (?:\w+ )?(?:card|account|mastercard|visa|paypal|method) (?:as|that)|"
    rf"(?:{_BOX}|ones?) (?:that |which )?(?:also |still )?(?:has|had|holds|contains|includes|is having)\b|"
    rf"{_BOX} (?:where|in which|that|which)(?: also| there)* "
    r"(?:is|are|was|were|goe?s?|comes?|came)(?: also| too| there)*|"
    rf"(?:{_BOX}|bought|got|ordered|came|come|comes|#?w\d{{7}})\b[^.;!?]{{0,40}}?\b{_BESIDE}|"
    # "arrived with a crack" tells of no order
    rf"(?:coming|arrived|arriving|travel\w*|rid(?:es?|ing))\b[^.;!?]{{0,40}}?\b{_BESIDE}(?= (?:the|my)\b)|"
    rf"one {_BESIDE}(?= (?:the|my) [\w -]{{2,30}}?(?: in| inside)?(?: it)?(?: too| as well)?(?:\W*$|[.,;!?]))|"
    r"with (?:it|them|that|those) (?:came|come|arrived|was|were|is|are|comes)(?: also| too)?)",
    re.I,
)
_ENDS = re.compile(
    # a comma in a list of things ends nothing: "has one clock, one lamp and earbuds"
    r"[.:;!?)]|,(?! (?:an?|one|two|the|my|some) [\w-]+(?: [\w-]+)?(?:,| and ))|"
    r"\b(?:in it|and (?:it|they|that)|i|i'm|we|can|could|please|is|are|has|have|came|comes|arrived|there|goes|was|were|"
    r"should|needs?|only)\b|$",
    re.I,
)
_CAME_IN = re.compile(
    rf"\b{_BOX} (?:that |which |where |in which )?(?:the|my) "
    r"([^.;!?,]{2,40}?) (?:came|comes|arrived|was|were|is|are)\b",
    re.I,
)


def bought_together(text: str, names: Sequence[str]) -> set[str]:
    """Return the products that a text names only as what came or was ordered with what it is about."""
    there: set[str] = set()
    rest = text
    for begin, end in reversed(_spans(text)):
        there |= {one.name for one in products_named(text[begin:end], names)}
        rest = f"{rest[:begin]} . {rest[end:]}"
    return there - {one.name for one in products_named(rest, names) if not one.stays} if there else there


def without_together(text: str, names: Sequence[str]) -> str:
    """Return a text without the products that were only bought together with what it is about."""
    for begin, end in reversed(_spans(text)):
        if products_named(text[begin:end], names):
            text = f"{text[:begin]} {text[end:]}"
    return text


def _spans(text: str) -> list[tuple[int, int]]:
    """Return from where to where a text tells what was bought together with what it is about; none overlap."""
    spans = [found.span(1) for found in _CAME_IN.finditer(text)]
    for found in _BEGINS.finditer(text):
        end = _ENDS.search(text, found.end())
        spans.append((found.end(), end.start() if end else len(text)))
    apart: list[tuple[int, int]] = []
    for begin, stop in sorted(spans):
        if not apart or begin >= apart[-1][1]:
            apart.append((begin, stop))
    return apart
