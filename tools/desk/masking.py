"""Masking what a text tells of a person: e-mails, phones, card numbers and street addresses.

Done before a text reaches a log, an index, a prompt or a table that does not need them. Ids of orders, items,
payments and shipments, prices and dates stay, and so does every other word, whatever its alphabet.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from storewise.tools.desk.streets import street_spans

EMAIL, PHONE, CARD, ADDRESS = "[email]", "[phone]", "[card]", "[address]"

# What may stand between the digits of a card: spaces (also narrow and unbreakable) and hyphens of all kinds.
_GAP = r"[ \u00a0\u2007\u2009\u202f\-\u2010-\u2015]"
_GAPS = re.compile(_GAP)
# Between the digits of a phone there is more.
_LOOSE_GAP = r"[ \u00a0\u2007\u2009\u202f.\-\u2010-\u2015/()]"
# A number does not begin in the middle of an id, an amount or another number.
_ALONE = r"(?<![\w#$€£¥.,:/@+])"

_LOCAL = r"[^\s@<>()\[\]{},;:\"'|]"
_EMAIL = re.compile(rf"(?:mailto:)?(?<!{_LOCAL}){_LOCAL}++@(?=[\w.-]*[^\W\d_])\w[\w-]*+(?:\.\w[\w-]*+)*+")
_AT = r"(?:\s?[\[({]\s?at\s?[\])}]\s?|\s+at\s+)"
_DOT = r"(?:\s?[\[({]\s?dot\s?[\])}]\s?|\s+dot\s+)"
# ann (at) example.org, ann at example dot org
_SPELLED_EMAIL = re.compile(
    rf"(?<![\w.+-])[\w.+-]++(?:{_AT}\w[\w.-]*{_DOT}\w+(?:{_DOT}\w+)?|\s?[\[({{]\s?at\s?[\])}}]\s?\w[\w-]*(?:\.\w[\w-]*)+)",
    re.I,
)

_LONG = re.compile(rf"{_ALONE}\d(?:{_GAP}?\d){{12,}}+(?![\w%])")
_LENGTHS = range(13, 20)

# With a country's code: +49 (0)30 123 45 67, 0044 20 7946 0958.
_ABROAD = re.compile(
    rf"(?<![\w#$€£¥.,:/@])(?:\+|00(?=[1-9\s])){_LOOSE_GAP}{{0,2}}\d(?:{_LOOSE_GAP}{{0,3}}\d){{6,14}}+(?!\w)"
)
# In North America: (303) 555-0142, 303.555.0142, 1-303-555-0142; within an area 555-0142.
_AMERICAN = re.compile(
    rf"{_ALONE}(?:1{_LOOSE_GAP}{{0,2}})?(?:\(\d{{3}}\){_LOOSE_GAP}{{0,2}}|\d{{3}}{_LOOSE_GAP}{{1,2}})"
    rf"\d{{3}}{_LOOSE_GAP}?\d{{4}}(?!\w|[.,]\d)"
)
_LOCAL_PHONE = re.compile(rf"{_ALONE}(?<!-)\d{{3}}[-\u2010-\u2015]\d{{4}}(?!\w|[.,]\d|[-\u2010-\u2015])")
# With the leading zero of most other countries: 030 1234567, 06 12 34 56 78, (020) 7946 0958.
_WITH_ZERO = re.compile(rf"{_ALONE}(?<!-)\(?0[1-9](?:{_LOOSE_GAP}{{0,2}}\d){{7,10}}+(?![\w%])")
_DATE = re.compile(r"\d{1,4}([./-])\d{1,2}\1\d{1,4}")
# A bare number may be an id: it is a phone's where it is called one.
_CALLED_PHONE = re.compile(
    rf"\b(?:phone|mobile|cell|cellphone|telephone|tel|call|calls|ring|text|sms|whatsapp|fax|reach|contact|dial|"
    rf"telefon|téléphone|teléfono|móvil|telefono|telefoon)\b(?P<between>[^\d\n\[\]]{{0,30}}?)"
    rf"(?<![\w#$€£¥])(?P<number>\d(?:{_LOOSE_GAP}{{0,2}}\d){{6,14}}+)(?![\w%])",
    re.I,
)
_OF_AN_ID = re.compile(
    r"\b(?:items?|orders?|products?|variants?|tracking|sku|id|ids|package|parcel)\b|[#$€£¥]", re.I
)

# Arguments that are personal by their name, whatever they look like.
_PERSONAL = {
    "email": EMAIL,
    "phone": PHONE,
    **dict.fromkeys(("address", "address1", "address2", "city", "state", "zip", "country"), ADDRESS),
}
_IDS = re.compile(r"(?:_id|_ids)$")


def masked(text: str) -> str:
    """Return `text` with e-mails, phones, card numbers and street addresses replaced by what they are.

    Example: "Send #W1 to 5 Elm Street, or write ann@x.org" becomes "Send #W1 to [address], or write [email]".
    A text that is masked already stays as it is.
    """
    while True:
        again = _once(text)
        if again == text:
            return text
        text = again


def masked_value(value: Any, name: str = "") -> Any:
    """Return a JSON value with all texts in it masked; what a key calls personal is masked whole."""
    if isinstance(value, Mapping):
        return {masked(str(key)): masked_value(part, str(key)) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [masked_value(part, name) for part in value]
    if name in _PERSONAL and value not in (None, "", True, False):
        return _PERSONAL[name]
    if isinstance(value, str):
        # An id stays an id, also one of sixteen digits.
        return value if _IDS.search(name) and not _EMAIL.search(value) else masked(value)
    if isinstance(value, int) and not isinstance(value, bool) and len(str(value)) in _LENGTHS:
        return CARD
    return value


def _once(text: str) -> str:
    text = _EMAIL.sub(EMAIL, text)
    text = _SPELLED_EMAIL.sub(EMAIL, text)
    text = _LONG.sub(_card, text)
    text = _ABROAD.sub(PHONE, text)
    text = _CALLED_PHONE.sub(_called, text)
    text = _AMERICAN.sub(_phone, text)
    text = _WITH_ZERO.sub(_phone, text)
    text = _LOCAL_PHONE.sub(PHONE, text)
    pieces, end = [], 0
    for start, stop in street_spans(text):
        pieces += [text[end:start], ADDRESS]
        end = stop
    return "".join([*pieces, text[end:]])


def _card(match: re.Match[str]) -> str:
    """Mask a long number unless it is a row of ids: shops' ids have 10 or 12 digits, cards 13 to 19 in short groups."""
    groups = _GAPS.split(match.group())
    digits = "".join(groups)
    if digits.startswith("00") or (len(groups) == 1 and len(digits) not in _LENGTHS):
        return match.group()
    if len(digits) in _LENGTHS and _valid(digits):
        return CARD
    return match.group() if any(9 < len(group) < 13 for group in groups) else CARD


def _valid(digits: str) -> bool:
    """Say whether the last digit checks the others, as on every card (Luhn)."""
    doubled = [int(digit) * (1 + index % 2) for index, digit in enumerate(reversed(digits))]
    return sum(value - 9 * (value > 9) for value in doubled) % 10 == 0


def _called(match: re.Match[str]) -> str:
    if _OF_AN_ID.search(match["between"]) or _DATE.match(match["number"]):
        return match.group()
    return match.group()[: match.start("number") - match.start()] + PHONE


def _phone(match: re.Match[str]) -> str:
    return match.group() if _DATE.match(match.group()) else PHONE
