"""The names of days, weeks, months and holidays, with their usual abbreviations and misspellings."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Literal

from rapidfuzz.distance import OSA


def _words(text: str) -> list[str]:
    return text.split()


_MONTHS = {name.lower(): number for number, name in enumerate(calendar.month_name) if name}
_SHORT_MONTHS = {name.lower(): number for number, name in enumerate(calendar.month_abbr) if name} | {
    "sept": 9
}
_WEEKDAYS = {name.lower(): number for number, name in enumerate(calendar.day_name)}
_SHORT_WEEKDAYS = {name[:3]: number for name, number in _WEEKDAYS.items()} | {
    "tues": 1,
    "thur": 3,
    "thurs": 3,
}
UNITS = {
    form: unit
    for unit, forms in {
        "day": "day days",
        "week": "week weeks wk wks",
        "month": "month months mth mths mo mos mnth mnths",
        "quarter": "quarter quarters qtr qtrs quater quaters qrtr",
        "half": "half",
        "year": "year years yr yrs",
        "weekend": "weekend weekends",
    }.items()
    for form in forms.split()
}
QUARTERS = {f"q{n}": (3 * n - 2, 3 * n) for n in range(1, 5)}
HALVES = {"h1": (1, 6), "h2": (7, 12)}
_SEASONS = {"spring": (3, 5), "summer": (6, 8), "autumn": (9, 11), "fall": (9, 11), "winter": (12, 2)}
RELATIVE_DAYS = {"today": 0, "2day": 0, "todays": 0, "yesterday": 1, "yday": 1, "yesterdays": 1}
ORDINALS = {
    word: number
    for number, word in enumerate(
        _words(
            "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth "
            "fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"
        ),
        start=1,
    )
}


def close(word: str, name: str, most: int) -> bool:
    """Whether `word` is `name` mistyped: the same first letter, at most `most` slips, longer words only."""
    return (
        len(word) >= 5
        and word[0] == name[0]
        and abs(len(word) - len(name)) <= most
        and OSA.distance(word, name, score_cutoff=most) <= most
    )


@lru_cache(maxsize=4096)
def month_number(word: str) -> int | None:
    """Return 1 to 12 for a month's name, abbreviation or plain misspelling."""
    exact = _MONTHS.get(word) or _SHORT_MONTHS.get(word)
    if exact or len(word) < 5:
        return exact
    for name, number in _MONTHS.items():
        if len(name) > 5 and close(word, name, 1 if len(word) < 7 else 2):
            return number
        # "marhc", "arpil" but not "match", "apply": short names only with the same letters.
        if len(name) == 5 and close(word, name, 1) and set(word) == set(name):
            return number
    return None


@lru_cache(maxsize=4096)
def weekday_number(word: str, short: bool) -> int | Literal["weekend"] | None:
    """Return 0 (Monday) to 6, or "weekend"; abbreviations only if `short`."""
    if word == "weekend":
        return "weekend"
    if word in _WEEKDAYS:
        return _WEEKDAYS[word]
    if short and word in _SHORT_WEEKDAYS:
        return _SHORT_WEEKDAYS[word]
    for name, number in _WEEKDAYS.items():
        if len(word) >= 6 and close(word, name, 1 if len(name) < 8 else 2):
            return number
    return None


@lru_cache(maxsize=4096)
def unit(word: str, loose: bool = False) -> str | None:
    """Return day, week, month, quarter, half, year or weekend; `loose` also reads "montn", "quartre"."""
    if word in UNITS or not loose:
        return UNITS.get(word)
    return next(
        (UNITS[name] for name in ("month", "quarter", "weeks", "months") if close(word, name, 1)), None
    )


def season(word: str) -> tuple[int, int] | None:
    """Return the first and last month of a season (northern hemisphere, whole months)."""
    return _SEASONS.get(word)


_DayOfYear = Callable[[int], dt.date]


def _fixed(month: int, day: int) -> _DayOfYear:
    return lambda year: dt.date(year, month, day)


def _nth(month: int, weekday: int, n: int, plus: int = 0) -> _DayOfYear:
    """The n-th such weekday of a month (the last one for n = 0), and `plus` days."""

    def day(year: int) -> dt.date:
        if n == 0:
            last = dt.date(year, month, calendar.monthrange(year, month)[1])
            return last - dt.timedelta(days=(last.weekday() - weekday) % 7)
        start = dt.date(year, month, 1)
        return start + dt.timedelta(days=(weekday - start.weekday()) % 7 + 7 * (n - 1) + plus)

    return day


def _easter(year: int) -> dt.date:
    """Easter Sunday (the anonymous Gregorian algorithm, Nature, 20 April 1876)."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    shift = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * shift) // 451
    month, day = divmod(h + shift - 7 * m + 114, 31)
    return dt.date(year, month, day + 1)


# Words of a holiday -> its day; loose ones name products too ("halloween candy"), so they need company.
_HOLIDAYS: dict[tuple[str, ...], tuple[_DayOfYear, bool]] = {
    ("christmas", "eve"): (_fixed(12, 24), False),
    ("xmas", "eve"): (_fixed(12, 24), False),
    ("christmas",): (_fixed(12, 25), True),
    ("xmas",): (_fixed(12, 25), True),
    ("boxing", "day"): (_fixed(12, 26), False),
    ("new", "year", "eve"): (_fixed(12, 31), False),
    ("new", "years", "eve"): (_fixed(12, 31), False),
    ("new", "year", "day"): (_fixed(1, 1), False),
    ("new", "years", "day"): (_fixed(1, 1), False),
    ("new", "years"): (_fixed(1, 1), True),
    ("fourth", "of", "july"): (_fixed(7, 4), False),
    ("independence", "day"): (_fixed(7, 4), False),
    ("valentine",): (_fixed(2, 14), True),
    ("valentines",): (_fixed(2, 14), True),
    ("halloween",): (_fixed(10, 31), True),
    ("thanksgiving",): (_nth(11, 3, 4), True),
    ("black", "friday"): (_nth(11, 3, 4, plus=1), False),
    ("cyber", "monday"): (_nth(11, 3, 4, plus=4), False),
    ("easter",): (_easter, True),
    ("easter", "sunday"): (_easter, False),
    ("st", "patrick"): (_fixed(3, 17), True),
    ("st", "patricks"): (_fixed(3, 17), True),
    ("labor", "day"): (_nth(9, 0, 1), False),
    ("memorial", "day"): (_nth(5, 0, 0), False),
    ("mother", "day"): (_nth(5, 6, 2), False),
    ("mothers", "day"): (_nth(5, 6, 2), False),
    ("father", "day"): (_nth(6, 6, 3), False),
    ("fathers", "day"): (_nth(6, 6, 3), False),
    ("veterans", "day"): (_fixed(11, 11), False),
}
_LOOSE_TYPOS = ("christmas", "thanksgiving", "halloween", "valentines")


def holiday(words: Sequence[str]) -> tuple[_DayOfYear, int, bool] | None:
    """Return a US holiday that `words` begin with: its day in a year, its words, whether loose."""
    words = [word for word in words]
    if words and words[0] not in ("christmas",):
        words[0] = next((name for name in _LOOSE_TYPOS if close(words[0], name, 2)), words[0])
    for length in (3, 2, 1):
        found = _HOLIDAYS.get(tuple(words[:length]))
        if found is not None and len(words) >= length:
            return found[0], length, found[1]
    return None
