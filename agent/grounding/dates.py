"""Dates and periods as people write them: March 2017, 2017-03-01, the 1st of March, Q2, from May to July."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from storewise.agent.grounding.tokens import Token, tokens

Grain = Literal["day", "week", "month", "quarter", "year", "range", "open"]
Day = tuple[int | None, int, int]  # year (None where not said), month, day

_MONTHS = {name.lower(): at for at, name in enumerate(calendar.month_name) if name}
_SHORT = {name.lower(): at for at, name in enumerate(calendar.month_abbr) if name} | {"sept": 9}
WEEKDAYS = {name.lower(): at for at, name in enumerate(calendar.day_name)}
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "1st": 1, "2nd": 2, "3rd": 3, "4th": 4}
_TO = {"to", "through", "until", "till", "-", "–", "—", "thru"}
_BEFORE_MAY = {
    *(
        "in",
        "of",
        "for",
        "since",
        "from",
        "to",
        "until",
        "till",
        "through",
        "last",
        "this",
        "by",
        "and",
        "between",
    ),
    *(
        "on",
        "or",
        "during",
        "early",
        "late",
        "mid",
        "than",
        "(",
        ",",
        ":",
        "-",
        "–",
        "than",
        "and",
        "after",
        "before",
    ),
    *("versus", "vs", "month", "with"),
}


@dataclass(frozen=True, slots=True)
class When:
    """A day or a span of days, both ends included; a year that was not said is None.

    Attributes:
        parts: the two ends as they were named, of a range.
    """

    start: Day
    end: Day
    grain: Grain
    iso: bool = False
    parts: tuple[When, ...] = ()

    def same(self, other: When) -> bool:
        """Whether both name the same days, as far as the years are said."""
        if self.grain == "open" or other.grain == "open":
            return equal(self.start, other.start)
        return equal(self.start, other.start) and equal(self.end, other.end)

    def holds(self, other: When) -> bool:
        """Whether `other` lies within this span."""
        if self.start[0] is None or other.start[0] is None:
            year = other.start[0] or self.start[0] or 2000
            if other.start[0] is None and self.grain == "year":
                return True
        else:
            year = 0
        mine = (_filled(self.start, year), _filled(self.end, year))
        theirs = (_filled(other.start, year), _filled(other.end, year))
        return mine[0] <= theirs[0] and theirs[1] <= mine[1]

    def lengths(self) -> list[tuple[float, str]]:
        """Return how long the span is, in days, and in whole weeks or months where it is so many."""
        if self.start[0] is None or self.end[0] is None or self.grain == "open":
            return []
        first, last = dt.date(self.start[0], *self.start[1:]), dt.date(self.end[0], *self.end[1:])
        days = (last - first).days + 1
        found = [(float(days), "days")]
        if days % 7 == 0:
            found.append((days / 7, "weeks"))
        if first.day == 1 and (last + dt.timedelta(days=1)).day == 1:
            found.append((float(12 * (last.year - first.year) + last.month - first.month + 1), "months"))
        return found

    def overlaps(self, other: When) -> bool:
        """Whether some day lies in both, as far as the years are said."""
        year = self.start[0] or other.start[0] or 2000
        mine = (_filled(self.start, year), _filled(self.end, self.end[0] or year))
        theirs = (_filled(other.start, year), _filled(other.end, other.end[0] or year))
        return mine[0] <= theirs[1] and theirs[0] <= mine[1]

    def __str__(self) -> str:
        start, end = _written(self.start), _written(self.end)
        if self.grain == "month":
            year = f" {self.start[0]}" if self.start[0] else ""
            return f"{calendar.month_name[self.start[1]]}{year}"
        if self.grain == "year":
            return str(self.start[0])
        if self.grain == "open":
            return f"since {start}"
        return start if self.start == self.end or self.grain == "week" else f"{start} to {end}"


def equal(one: Day, other: Day) -> bool:
    """Whether two days are the same, as far as their years are said."""
    return one[1:] == other[1:] and (one[0] is None or other[0] is None or one[0] == other[0])


def _filled(day: Day, year: int) -> tuple[int, int, int]:
    return (year if year or day[0] is None else day[0], day[1], day[2])


def _written(day: Day) -> str:
    return f"{day[2]} {calendar.month_name[day[1]]}" + (f" {day[0]}" if day[0] else "")


def of_day(day: dt.date, grain: str = "day", iso: bool = False) -> When:
    """Return the day, or the week, month, quarter or year that begins or lies around it."""
    if grain == "week":
        last = day + dt.timedelta(days=6)
        return When((day.year, day.month, day.day), (last.year, last.month, last.day), "week", iso)
    if grain == "month":
        return of_month(day.year, day.month)
    if grain == "year":
        return of_year(day.year)
    return When((day.year, day.month, day.day), (day.year, day.month, day.day), "day", iso)


def of_span(start: dt.date, end: dt.date) -> When:
    """Return the span from `start` to `end`, named a month, quarter or year where it is one."""
    first, last = (start.year, start.month, start.day), (end.year, end.month, end.day)
    spans: tuple[tuple[Grain, int], ...] = (("month", 1), ("quarter", 3), ("year", 12))
    for grain, months in spans:
        whole = start.day == 1 and (start.month - 1) % months == 0 and start.year == end.year
        ended = end.month == start.month + months - 1 and end.day == _month_end(end.year, end.month)
        if whole and ended:
            return When(first, last, grain)
    return When(first, last, "range" if first != last else "day")


def of_month(year: int | None, month: int) -> When:
    """Return a whole month."""
    return When((year, month, 1), (year, month, _month_end(year, month)), "month")


def of_year(year: int) -> When:
    """Return a whole year."""
    return When((year, 1, 1), (year, 12, 31), "year")


def _month_end(year: int | None, month: int) -> int:
    # Without a year, February ends as it does in most years.
    return calendar.monthrange(year or 2017, month)[1]


def _year(words: Sequence[Token], at: int) -> tuple[int | None, int]:
    """Read a year at `at`, after an optional comma or "of"; return it with the next position."""
    here = at
    if here < len(words) and words[here].text in (",", "of", "in") and here + 1 < len(words):
        here += 1
    if here < len(words) and len(words[here].text) == 4 and words[here].text.isdecimal():
        year = int(words[here].text)
        follows = words[here + 1].norm if here + 1 < len(words) else ""
        if 1900 <= year <= 2100 and follows not in ("%", "percent", "order", "customer", "unit"):
            return year, here + 1
    return None, at


def _month(words: Sequence[Token], at: int) -> int | None:
    word = words[at]
    lower = word.text.lower()
    month = _MONTHS.get(lower) or (_SHORT.get(lower) if word.text[0].isupper() or len(lower) == 4 else None)
    if month is None:
        return None
    if lower in ("may", "march", "mar", "sep", "dec", "jan"):
        before = words[at - 1].text.lower() if at else ""
        after = words[at + 1] if at + 1 < len(words) else None
        dated = (after is not None and after.is_number) or before in _BEFORE_MAY or (before[:1].isdecimal())
        if word.text[0].islower() and not dated:
            return None
        if lower == "may" and at == 0 and after is not None and after.norm in ("i", "we", "you", "it"):
            return None
    return month


def _day_number(word: Token) -> int | None:
    text = word.text.lower()
    if text.endswith(("st", "nd", "rd", "th")):
        text = text[:-2]
    return int(text) if text.isdecimal() and len(text) <= 2 and 1 <= int(text) <= 31 else None


def _valid(year: int | None, month: int, day: int) -> When | None:
    if not 1 <= month <= 12 or not 1 <= day <= calendar.monthrange(year or 2016, month)[1]:
        return None
    return When((year, month, day), (year, month, day), "day")


def _iso(text: str) -> When | None:
    try:
        if "W" in text:
            return of_day(dt.date.fromisocalendar(int(text[:4]), int(text[6:]), 1), "week")
        if len(text) == 7:
            return of_month(int(text[:4]), int(text[5:])) if 1 <= int(text[5:]) <= 12 else None
        return of_day(dt.date.fromisoformat(text), iso=True)
    except ValueError:
        return None


def _slashes(text: str) -> When | None:
    one, two, three = (int(part) for part in text.split("/"))
    if one > 31:
        return _valid(one, two, three)
    year = three if three > 99 else 2000 + three
    return _valid(year, one, two) or _valid(year, two, one)  # month first, as the shop's dollars suggest


def _single(words: Sequence[Token], at: int) -> tuple[When, int] | None:
    word = words[at]
    text = word.text
    if text[0].isdecimal():
        if "-" in text:
            found = _iso(text)
            return (found, at + 1) if found else None
        if "/" in text:
            found = _slashes(text)
            return (found, at + 1) if found else None
    day = _day_number(word)
    if day is not None and at + 1 < len(words):
        here = at + 2 if words[at + 1].text == "of" else at + 1
        month = _month(words, here) if here < len(words) else None
        if month:
            year, end = _year(words, here + 1)
            found = _valid(year, month, day)
            return (found, end) if found else None
    month = _month(words, at)
    if month:
        here = at + 1
        if here < len(words) and words[here].text == "." and here + 1 < len(words):
            here += 1
        if here < len(words) and words[here].text == "the":
            here += 1
        day = _day_number(words[here]) if here < len(words) else None
        follows = words[here + 1].text if day is not None and here + 1 < len(words) else ""
        if (
            day is not None
            and follows not in ("%", "percent", "k")
            and words[here].text != "."
            and text != ","
        ):
            year, end = _year(words, here + 1)
            found = _valid(year, month, day)
            if found:
                return found, end
        year, end = _year(words, at + 1)
        return of_month(year, month), end
    return _quarter(words, at) or _bare_year(words, at)


def _quarter(words: Sequence[Token], at: int) -> tuple[When, int] | None:
    lower = words[at].text.lower()
    part = end = 0
    span = 3
    if len(lower) == 2 and lower[0] in "qh" and lower[1].isdecimal():
        part, end, span = int(lower[1]), at + 1, 3 if lower[0] == "q" else 6
    elif lower in _ORDINALS and at + 1 < len(words) and words[at + 1].norm in ("quarter", "half"):
        part, end = _ORDINALS[lower], at + 2
        span = 3 if words[at + 1].norm == "quarter" else 6
        of = end + 1 if words[end : end + 1] and words[end].norm == "of" else end
        month = _month(words, of) if span == 6 and of < len(words) else None
        if month and part <= 2:  # the first half of June
            year, end = _year(words, of + 1)
            first, last = (1, 15) if part == 1 else (16, _month_end(year, month))
            return When((year, month, first), (year, month, last), "range"), end
        if words[end : end + 3] and [word.norm for word in words[end : end + 3]] == ["of", "the", "year"]:
            end += 3
    if not 1 <= part <= 12 // span:
        return None
    year, end = _year(words, end)
    first = span * (part - 1) + 1
    last = first + span - 1
    grain: Grain = "quarter" if span == 3 else "range"
    return When((year, first, 1), (year, last, _month_end(year, last)), grain), end


def _bare_year(words: Sequence[Token], at: int) -> tuple[When, int] | None:
    before = words[at - 1].text.lower() if at else ""
    if words[at].text.isdecimal() and before not in (
        "$",
        "customer",
        "household",
        "customers",
        "product",
        "id",
        "#",
    ):
        year, end = _year(words, at)
        if year is not None and end == at + 1 and 1990 <= year <= 2035:
            return of_year(year), end
    return None


def _with_year(when: When, year: int | None) -> When:
    if year is None or when.start[0] is not None:
        return when
    end = when.end
    if when.grain == "month":
        return of_month(year, when.start[1])
    return When((year, *when.start[1:]), (year, *end[1:]), when.grain, when.iso)


def read(words: Sequence[Token], at: int) -> tuple[When, int] | None:
    """Read a date or period that begins at token `at`; return it with the position after it."""
    lower = words[at].text.lower()
    if lower in WEEKDAYS and at + 1 < len(words):
        here = at + 1
        while here < len(words) and words[here].text in (",", "the"):
            here += 1
        found = read(words, here) if here < len(words) and here - at <= 3 else None
        return found if found and found[0].grain == "day" else None
    if (
        lower == "the"
        and at + 1 < len(words)
        and _day_number(words[at + 1])
        and not words[at + 1].text.isdecimal()
    ):
        return _single(words, at + 1)
    if lower in ("from", "between", "since") and at + 1 < len(words):
        found = read(words, at + 1)
        if found is None or lower != "since":
            return found if found and found[0].grain == "range" and found[0].parts else None
        when, end = found
        return When(when.start, when.start, "open", parts=(when,)), end
    if (
        lower == "week"
        and at + 2 < len(words)
        and words[at + 1].text in ("of", "starting", "beginning", "from")
    ):
        here = at + 3 if words[at + 2].text in ("the", "on") else at + 2
        found = _single(words, here) if here < len(words) else None
        if found and found[0].grain == "day":
            year, month, day = found[0].start
            last = dt.date(year or 2017, month, day) + dt.timedelta(days=6)
            until = (last.year if year else None, last.month, last.day)
            return When(found[0].start, until, "week"), found[1]
    # 1 to 15 June, 1-15 June
    number = _day_number(words[at])
    if number is not None and at + 2 < len(words) and words[at + 1].text.lower() in (_TO | {"and"}):
        later = _single(words, at + 2)
        if later and later[0].grain == "day" and _day_number(words[at + 2]) is not None:
            start = _valid(later[0].start[0], later[0].start[1], number)
            if start:
                return When(start.start, later[0].end, "range", parts=(start, later[0])), later[1]
    first = _single(words, at)
    if first is None:
        return None
    when, end = first
    between = at > 0 and words[at - 1].text.lower() == "between"
    joins = _TO | ({"and"} if between else set())
    if end + 1 < len(words) and words[end].text.lower() in joins:
        here = end + 2 if words[end + 1].text == "the" and end + 2 < len(words) else end + 1
        later = _single(words, here)
        if later is None and when.grain == "day" and _day_number(words[here]) is not None:
            ending = _valid(when.start[0], when.start[1], _day_number(words[here]) or 0)
            later = (ending, here + 1) if ending else None
        if later:
            start, stop = _with_year(when, later[0].start[0]), _with_year(later[0], when.start[0])
            return When(start.start, stop.end, "range", parts=(start, stop)), later[1]
    return when, end


@lru_cache(maxsize=4096)
def whole(text: str) -> When | None:
    """Return the period that the whole of `text` names, or None; digits alone are an id."""
    if text.isdecimal():
        return None
    words = tokens(
        text[:10] if len(text) > 10 and text[10:11] in ("T", " ") and text[:4].isdecimal() else text
    )
    if not words:
        return None
    found = read(words, 0)
    return found[0] if found and found[1] == len(words) else None
