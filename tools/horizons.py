"""How far ahead a question looks, in weeks: "the next 12 weeks", "two months", "over the coming quarter".

One rule for everyone who asks, the training examples and the reading of a question alike: a month counts as
4 weeks and three months as a quarter, a quarter as 13 weeks, half a year as 26, a year as 52. Days are
rounded to whole weeks, at least one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rapidfuzz.distance import OSA

from storewise.tools.numbers import read_numbers

MOST_WEEKS = 520  # "900 weeks" is customer 900, weeks
_WEEKS = {"day": 1 / 7, "week": 1, "fortnight": 2, "quarter": 13, "half": 26, "year": 52}
_FORMS = {
    form: unit
    for unit, forms in {
        "day": "day days",
        "week": "week weeks wk wks",
        "fortnight": "fortnight fortnights",
        "month": "month months mth mths mo mos mnth mnths",
        "quarter": "quarter quarters qtr qtrs qrtr",
        "half": "half-year half-years halfyear halves",
        "year": "year years yr yrs",
    }.items()
    for form in forms.split()
}
_FUZZY = ("weeks", "month", "months", "quarter", "quarters", "years")
_AHEAD = r"(?:ahead|out|to come|coming|that follows|from (?:now|today|here))"
_NEXT = r"(?:next|nxt|coming|comming|upcoming|following|forthcoming|approaching)"
_WHOLE = r"(?:(?:full|whole|entire|complete|single|calendar|more|further|consecutive|coming|next|solid) )?"
_UNIT = r"(?P<unit>[a-z]+(?:-year)?)"
# A number in digits, with the unit at its heels ("12 weeks", "12-week", "8wks", "1.5 years").
_DIGITS = re.compile(
    rf"(?<![\w.,$€£#/-])(?P<count>\d{{1,3}}(?:\.\d)?)(?:[ -]{{0,2}}(?:and a half |of )?{_WHOLE})(?P<unit>[a-z]+)\b",
    re.I,
)
_AFTER_WORDS = re.compile(rf"[ -]{{1,2}}(?:of )?(?:the )?{_WHOLE}(?P<unit>[a-z]+)\b", re.I)
_HALF_YEAR = re.compile(r"\bhalf(?:(?: of)? (?:an?|the (?:next|coming)))?[ -]?(?:year|yr)s?\b", re.I)
_OF_A_YEAR = re.compile(
    r"\b(?P<count>a|one|1|two|2|three|3)?[ -]?quarters? of (?:a|one|the) (?:year|yr)\b", re.I
)
_AND_A_HALF = re.compile(
    rf"\b(?P<count>an?|one|two|three|\d{{1,2}})(?: {_UNIT})? and (?:a |one )?half(?: (?P<units>[a-z]+))?\b",
    re.I,
)
# One unit alone is meant as a time ahead only where the words around it say so: "orders a week" is a rate.
_SINGLE = tuple(
    re.compile(pattern, re.I)
    for pattern in (
        rf"\b(?:this |the )?{_NEXT} (?:full |whole |entire |calendar )?{_UNIT}\b",
        rf"\b(?:the|this|a|an|one) {_UNIT} {_AHEAD}\b",
        rf"\b(?:in|over|within|for|during|inside|through|across|after) (?:about |around |roughly )?"
        rf"an? (?:full |whole |entire |single )?{_UNIT}\b(?! (?:of|ago|back)\b)",
        rf"\ban? (?:full|whole|entire|single) {_UNIT}\b",
        rf"\ban? {_UNIT}['’]?s['’]? (?:worth|time|horizon)\b",
        rf"\bone[ -]{_UNIT}\b",
    )
)
_PAST_BEFORE = re.compile(
    r"\b(?:last|past|previous|prior|recent|latest|preceding|trailing|first|since|older than)(?: (?:the|these|few))?"
    r"[ -]*$|\b(?:was|were|been) (?:on|in|at|away|off|sick|ill|closed|out)\b[^.?!,;:]* for $",
    re.I,
)
_PAST_AFTER = re.compile(r"\s*(?:ago|back|old|earlier)\b", re.I)
# "Every 2 weeks" is a rate, "the best 3 weeks" a ranking, "customer 12 week by week" an id, but "spend per customer
# 12 weeks ahead" is a time.
_NO_TIME_BEFORE = re.compile(
    r"(?:\b(?:number|no\.?|nr\.?|id|top|best|worst|busiest|slowest|strongest|weakest|highest|lowest|biggest|every|each|"
    r"per)|(?<!by )(?<!per )(?<!each )(?<!every )\b(?:customer|household|shopper|client|buyer|account)|#)\s*$",
    re.I,
)
_COUNTS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3}


@dataclass(frozen=True)
class Horizon:
    """A time ahead in a text: text[start:end] says `weeks`."""

    start: int
    end: int
    weeks: int


def span_weeks(count: float, unit: str) -> int:
    """Return how many weeks `count` days, weeks, fortnights, months, quarters, halves or years are."""
    if unit == "month":
        quarters, months = divmod(count, 3)
        return max(1, round(13 * quarters + 4 * months))
    return max(1, round(count * _WEEKS[unit]))


def read_horizons(text: str) -> list[Horizon]:
    """Return the times ahead that `text` names, in order; what is past ("the last 12 weeks") is none."""
    found: list[Horizon] = []

    def note(start: int, end: int, count: float, word: str) -> None:
        unit = _unit(word)
        if unit is None or _PAST_AFTER.match(text[end:]) or _PAST_BEFORE.search(text[:start]):
            return
        weeks = span_weeks(count, unit) if count > 0 else 0
        if 1 <= weeks <= MOST_WEEKS and all(end <= one.start or start >= one.end for one in found):
            found.append(Horizon(start, end, weeks))

    for m in _AND_A_HALF.finditer(text):
        word = m["unit"] or m["units"]
        if word:
            note(
                m.start(), m.end(), float(_COUNTS.get(m["count"].lower(), 0) or _int(m["count"])) + 0.5, word
            )
    for m in _OF_A_YEAR.finditer(text):
        note(m.start(), m.end(), _COUNTS.get((m["count"] or "a").lower(), 0) or _int(m["count"]), "quarter")
    for m in _HALF_YEAR.finditer(text):
        note(m.start(), m.end(), 1, "half-year")
    for m in _DIGITS.finditer(text):
        if m.group().lower() == "2day":
            continue
        # "8w", but not "10 w/ the most".
        word = "week" if re.fullmatch(r"\d+w", m.group(), re.I) else m["unit"]
        if "-" in m.group() or not _NO_TIME_BEFORE.search(text[: m.start()]):
            note(m.start(), m.end(), float(m["count"]), word)
    for number in read_numbers(text):
        after = _AFTER_WORDS.match(text, number.end)
        if after and ("-" in after.group() or not _NO_TIME_BEFORE.search(text[: number.start])):
            note(number.start, after.end(), float(number.value), after["unit"])
    for pattern in _SINGLE:
        for m in pattern.finditer(text):
            if not m["unit"].lower().endswith("s"):  # "in the months ahead"
                note(m.start(), m.end(), 1, m["unit"])
    return sorted(found, key=lambda one: one.start)


def _int(text: str) -> int:
    return int(text) if text.isdecimal() else 0


def _unit(word: str) -> str | None:
    """Return the unit that a word names, a slip in a longer word allowed."""
    low = word.lower()
    if low in _FORMS:
        return _FORMS[low]
    if len(low) < 4:
        return None
    near = (name for name in _FUZZY if name[0] == low[0] and OSA.distance(low, name, score_cutoff=1) <= 1)
    name = next(near, None)
    return None if name is None else _FORMS[name]
