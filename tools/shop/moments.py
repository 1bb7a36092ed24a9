"""One day or longer, as people name it: "the 14th of February", "Q2", "last week", "Christmas".

The clock's rules stand in tools/shop/dates.py, which puts moments together into periods.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass

from storewise.tools.numbers import read_numbers
from storewise.tools.shop.daynames import (
    HALVES,
    ORDINALS,
    QUARTERS,
    RELATIVE_DAYS,
    UNITS,
    close,
    holiday,
    month_number,
    season,
    unit,
    weekday_number,
)
from storewise.tools.shop.spans import (
    Span,
    back,
    day_span,
    month_span,
    nth,
    third,
    unit_span,
    week_at,
    week_span,
    weekend_span,
)


@dataclass(frozen=True)
class Token:
    word: str  # lower case, "'s" taken off
    start: int
    end: int
    raw: str
    ordinal: bool = False

    @property
    def number(self) -> int | None:
        return int(self.word) if self.word.isdecimal() and len(self.word) <= 4 else None


@dataclass(frozen=True)
class Moment:
    """A day or longer, not yet put into a year unless `year` is known."""

    in_year: Callable[[int], Span]  # raises ValueError where the year has no such day
    year: int | None
    stop: int  # the token after it
    yearly: bool = True  # False: a fixed place on the clock, whatever the year


_TOKEN = re.compile(
    r"\d{4}[-/]\d{1,2}[-/]\d{1,2}|\d{1,2}-\d{1,2}-\d{4}|\d{4}-\d{2}\b|[qh][1-4]\b|\d{1,2}/\d{1,2}(?:/\d{4}|/\d{2})?(?![\d/])|\d+(?=(?:st|nd|rd|th)\b)"
    r"|\d+(?![\w])|\d+(?=d\b)|['’]\d\d\b|[^\W\d_]+(?:['’][^\W\d_]+)*|[a-z]+\d\w*|\d\w+|[^\w\s]",
    re.I,
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SUFFIX = frozenset(("st", "nd", "rd", "th"))
INSIDE = _words("in on during for over within of at throughout across around about")
TO = frozenset(("to", "till", "til", "until", "through", "thru", "-", "–", "—", "upto"))
_LAST = _words("last past previous latest preceding prior trailing lst")
_FEW = {"few": 3, "couple": 2}
# What may follow a word that is a time only by its company ("christmas", "spring"), and not a product's.
_AFTER_LOOSE = _words(
    "and or vs versus compared than did do does was were is are in for by with on at to from until till who "
    "what which how we i you they show give tell please pls rush season sales period time again only "
    "last this of but so then because as per "
)
_PREPOSITIONS = INSIDE | TO | _words("since before after from between by and this last past until till")
_ID_WORDS = _words("customer household client shopper id no number user member # account card session cart")
_COUNTED = _words("top best worst bottom first last least most only") | _ID_WORDS
# "1/2 gallon" is no day.
_FRACTIONED = _words("of off price gallon gal pound lb cup dozen oz pint inch case and")
_SUBJECTS = _words("i we you he she it they who that which customers people shoppers one")
_NOT_AFTER_MAY = _words("i we you he she it they be have not want need like leave stop buy also never well")


class MomentReader:
    """Reads one moment at a token of a text; a moment without a year waits to be put into one."""

    def __init__(self, text: str, as_of: dt.date, first: dt.date) -> None:
        self.text, self.as_of, self.first = text, as_of, first
        self.tokens = _tokens(text)

    def _word(self, i: int) -> str:
        return self.tokens[i].word if 0 <= i < len(self.tokens) else ""

    def _number(self, i: int) -> tuple[int, int] | None:
        """Return the count at token `i`, in digits or words, and the token after it."""
        word = self._word(i)
        if not word or word in ("the", "of"):
            return None
        if word in _FEW or (word == "a" and self._word(i + 1) in _FEW):
            j = i + 2 if word == "a" else i + 1
            return _FEW[self._word(j - 1)], j + 1 if self._word(j) == "of" else j
        if word in ("a", "an") and self._word(i + 1) in UNITS:
            return 1, i + 1
        if not (word[0].isdecimal() or word.isalpha()):
            return None
        here = self.tokens[i].start
        for mention in read_numbers(self.text[here : here + 40])[:1]:
            if mention.start == 0 and isinstance(mention.value, int) and 0 < mention.value < 1000:
                j = i
                while j < len(self.tokens) and self.tokens[j].start < here + mention.end:
                    j += 1
                return mention.value, j + 1 if self._word(j) == "of" else j
        if word.isdecimal() and len(word) < 4:  # "30d"
            return int(word), i + 1
        return None

    # Days, weeks, months, … ---------------------------------------------------------------------------

    def _moment(self, i: int, asked: bool) -> Moment | None:
        """Read one day or longer at token `i`; `asked`: a preposition before it asks for a time."""
        for reader in (
            self._iso_or_slashed,
            self._named_day,
            self._day_and_month,
            self._part_of,
            self._quarter_or_half,
            self._relative,
            self._weekday,
            self._first_of_data,
            self._season,
        ):
            moment = reader(i, asked)
            if moment is not None:
                return moment
        this_or_last = self._skip(i, ("the",))
        if self._word(this_or_last) in ("this", "last", "past") and self._word(this_or_last + 1) != "mar":
            named = self._month_at(this_or_last + 1, asked=True)
            if named is not None:
                year = self.as_of.year if self._word(this_or_last) == "this" else None
                return Moment(lambda y: month_span(y, named), year, this_or_last + 2)
        j = self._skip(i, ("the", "all", "of", "whole", "entire"))
        if self._word(j) in ("month", "year") and (asked or j > i or self._word(j + 1) == "of"):
            j = self._skip(j + 1, ("of",))
        month = self._month_at(j, asked or j > i)
        if month is not None:
            return self._with_year(lambda y: month_span(y, month), j + 1)
        number = self.tokens[j].number if j < len(self.tokens) else None
        if number is not None and 1990 <= number <= 2099 and (asked or j > i or self._bare_year(j, number)):
            return Moment(lambda y: (dt.date(y, 1, 1), dt.date(y, 12, 31)), number, j + 1)
        return None

    def _bare_year(self, i: int, number: int) -> bool:
        near = {self._word(i - 1), self._word(i + 1)}
        other = _ID_WORDS | {
            "units",
            "orders",
            "customers",
            "dollars",
            "$",
            "product",
            "item",
            "sku",
            "top",
            ".",
        }
        return self.first.year <= number <= self.as_of.year and not near & (other - {"."})

    def _iso_or_slashed(self, i: int, asked: bool) -> Moment | None:
        j = self._skip(i, ("the",))
        stop = j + 1
        if not re.fullmatch(r"\d+([-/]\d+)+", self._word(j)) or self._word(stop) in _FRACTIONED:
            return None
        match [int(part) for part in re.split(r"[-/]", self._word(j))]:
            case [year, month] if 1900 <= year <= 2100:
                return Moment(lambda y: month_span(y, month), year, stop) if 1 <= month <= 12 else None
            case [month, day]:
                return self._valid(lambda y: day_span(y, month, day), None, stop)
            case [year, month, day] if 1900 <= year <= 2100:
                return self._valid(lambda y: day_span(y, month, day), year, stop)
            case [month, day, year] if year < 100 or 1900 <= year <= 2100:
                month, day = (month, day) if month <= 12 else (day, month)
                year += 2000 if year < 100 else 0
                return self._valid(lambda y: day_span(y, month, day), year, stop)
        return None

    def _named_day(self, i: int, asked: bool) -> Moment | None:
        j = (
            self._skip(i, ("the", "this", "last", "past", "this", "day", "week", "of"))
            if self._word(i) in ("the", "this", "last", "past", "week")
            else i
        )
        week = "week" in (self._word(k) for k in range(i, j))
        found = holiday([token.word for token in self.tokens[j : j + 4]])
        if found is None:
            return None
        in_year, length, loose = found
        stop = j + length
        if self._word(stop) in ("week", "weekend") or week:
            whole = self._word(stop) if self._word(stop) in ("week", "weekend") else "week"
            stop += self._word(stop) in ("week", "weekend")
            chosen = week_span if whole == "week" else weekend_span
            return self._with_year(lambda y: chosen(in_year(y)), stop)
        if self._word(stop) in ("day", "eve"):
            stop += 1
        elif loose and not self._closed(stop, asked or j > i or i == 0 or self._word(i - 1) in _PREPOSITIONS):
            return None
        return self._with_year(lambda y: (in_year(y), in_year(y)), stop)

    def _closed(self, i: int, asked: bool) -> bool:
        """Whether a loose time word before token `i` is a time: nothing after it makes it a product's."""
        word = self._word(i)
        return not word or not word[0].isalnum() or word.isdecimal() or (asked and word in _AFTER_LOOSE)

    def _day_and_month(self, i: int, asked: bool) -> Moment | None:
        """Read "Feb 14", "the 14th of February", "the 3rd of last month", or, if asked, "the 14th"."""
        j = self._skip(i, ("the",))
        month = self._month_at(j, asked)
        if month is not None:
            found = self._day_of_month(self._skip(j + 1, ("the",)))
            if found is None:
                return None
            day, stop = found
            if self._word(stop) in _COUNTED and not self.tokens[stop - 1].ordinal:
                return None
            return self._month_and_day(month, day, stop)
        found = self._day_of_month(j)
        if found is None or self._word(j - 1) in _COUNTED:
            return None
        day, stop = found
        k = self._skip(stop, ("day", "of"))
        month = self._month_at(k, asked=True)
        if month is not None:
            return self._month_and_day(month, day, k + 1)
        if (
            k > stop
            and unit(self._word(k + 1)) == "month"
            and (within := self._relative(k, asked)) is not None
        ):
            return self._inside(within, lambda span: (span[0].replace(day=day), span[0].replace(day=day)))
        after = self._word(stop)
        closing = after in _AFTER_LOOSE or after in TO or not after[:1].isalnum()
        if asked and self.tokens[stop - 1].ordinal and closing and self._word(i) == "the":
            return self._latest(lambda y, m: day_span(y, m, day), stop)
        return None

    def _month_and_day(self, month: int, day: int, stop: int) -> Moment | None:
        return self._valid(lambda y: day_span(y, month, day), *self._year_after(stop))

    def _latest(self, in_month: Callable[[int, int], Span], stop: int) -> Moment:
        """The latest month's such day up to today: "on the 14th"."""
        year, month = self.as_of.year, self.as_of.month
        for _ in range(4):
            try:
                span = in_month(year, month)
            except ValueError:
                span = (dt.date.max, dt.date.max)
            if span[1] <= self.as_of:
                break
            year, month = (year, month - 1) if month > 1 else (year - 1, 12)
        return _fixed(span, stop)

    def _part_of(self, i: int, asked: bool) -> Moment | None:
        """Read "early March", "the first week of March", "the end of May", "the week of March 6"."""
        j = self._skip(i, ("the",))
        word = self._word(j)
        if word in ("early", "late", "mid", "middle", "beginning", "start", "end"):
            k = self._skip(j + 1, ("-", "of", "in", "the"))
            which = {"beginning": "early", "start": "early", "middle": "mid", "end": "late"}.get(word, word)
            if self._word(k) in ("month", "year") and self._word(k - 1) == "the":
                span = unit_span(self.as_of, self._word(k))
                return _fixed(third(span, which), k + 1)
            inner = self._moment(k, asked=True)
            return None if inner is None else self._inside(inner, lambda span: third(span, which))
        if word in ORDINALS or word == "last":
            number = ORDINALS.get(word, 0)
            count, k = (self._number(j + 1) if number < 2 else None) or (1, j + 1)
            length = unit(self._word(k))
            if length not in ("day", "week", "month", "half") or self._word(k + 1) not in ("of", "in"):
                return None
            inner = self._moment(k + 2, asked=True)
            if inner is None or (length == "half" and number not in (1, 2)):
                return None
            return self._inside(inner, lambda span: nth(span, number, str(length), count))
        if word == "week" and self._word(j + 1) in (
            "of",
            "starting",
            "beginning",
            "ending",
            "before",
            "after",
        ):
            inner = self._moment(j + 2, asked=True)
            if inner is None:
                return None
            how = self._word(j + 1)
            return self._inside(inner, lambda span: week_at(span[0], how))
        if word in ("day", "days") and self._word(j + 1) in ("before", "after"):
            inner = self._moment(j + 2, asked=True)
            step = dt.timedelta(days=1 if self._word(j + 1) == "after" else -1)
            return (
                None if inner is None else self._inside(inner, lambda span: (span[0] + step, span[0] + step))
            )
        return None

    def _inside(self, inner: Moment, part: Callable[[Span], Span]) -> Moment:
        return Moment(lambda y: part(inner.in_year(y)), inner.year, inner.stop, inner.yearly)

    def _quarter_or_half(self, i: int, asked: bool) -> Moment | None:
        j = self._skip(i, ("the",))
        leading = None
        number = self.tokens[j].number if j < len(self.tokens) else None
        if number is not None and 1990 <= number <= 2099:  # 2017 Q2
            leading, j = number, j + 1
        word, following = self._word(j), unit(self._word(j + 1))
        if word in QUARTERS or word in HALVES:
            stop = j + 1
        elif word in ORDINALS and following in ("quarter", "half"):
            word, stop = f"{following[0]}{ORDINALS[word]}", j + 2
        elif (near := self._number(j)) is not None and j + 1 < len(self.tokens) and self.tokens[j].ordinal:
            word, stop = f"{(following or 'x')[0]}{near[0]}", j + 2
        elif unit(word) == "quarter" and (count := self._number(j + 1)) is not None:
            word, stop = f"q{count[0]}", count[1]
        elif word == "last" and following in ("quarter", "half") and self._word(j + 2) == "of":
            word, stop = ("q4" if following == "quarter" else "h2"), j + 2
        else:
            return None
        months = QUARTERS.get(word) or HALVES.get(word)
        if months is None:
            return None
        low, high = months
        moment = self._with_year(lambda y: (dt.date(y, low, 1), month_span(y, high)[1]), stop)
        return Moment(moment.in_year, leading, stop) if leading else moment

    def _season(self, i: int, asked: bool) -> Moment | None:
        j = self._skip(i, ("the", "this", "last", "past"))
        months = season(self._word(j))
        if months is None or not self._closed(j + 1, asked or j > i):
            return None
        if not (asked or j > i) and not (j + 1 < len(self.tokens) and self.tokens[j + 1].number):
            return None
        low, high = months
        return self._with_year(lambda y: (dt.date(y - (low > high), low, 1), month_span(y, high)[1]), j + 1)

    def _weekday(self, i: int, asked: bool) -> Moment | None:
        j = self._skip(i, ("the", "this", "last", "past", "previous"))
        day = weekday_number(self._word(j), short=asked or j > i)
        if day is None:
            return None
        if day == "weekend":
            last = week_span(self.as_of + dt.timedelta(days=1))[0] - dt.timedelta(days=1)
            return _fixed((last - dt.timedelta(days=1), last), j + 1) if asked or j > i else None
        found = self.as_of - dt.timedelta(days=(self.as_of.weekday() - int(day)) % 7)
        return _fixed((found, found), j + 1)

    def _first_of_data(self, i: int, asked: bool) -> Moment | None:
        """Read "the first two weeks", "the first month": from the data's first day on."""
        j = self._skip(i, ("the", "our", "very"))
        if self._word(j) != "first" or j == i:
            return None
        count, k = self._number(j + 1) or (1, j + 1)
        length = unit(self._word(k))
        if length not in ("day", "week", "month") or self._word(k + 1) in ("of", "in"):
            return None
        end = back(self.first, -count, length) - dt.timedelta(days=1)
        return _fixed((self.first, end), k + 1)

    def _relative(self, i: int, asked: bool) -> Moment | None:
        """Read "yesterday", "this week", "last month", "the past 30 days", "year to date", "two days ago"."""
        one = dt.timedelta(days=1)
        words = [self._word(i + k) for k in range(6)]
        simple = _simple(words[0])
        if simple is not None:
            day = self.as_of - simple * one
            return _fixed((day, day), i + 1)
        for phrase, days in ((["day", "before", "yesterday"], 2), (["the", "day", "before", "yesterday"], 2)):
            if words[: len(phrase)] == phrase:
                day = self.as_of - days * one
                return _fixed((day, day), i + len(phrase))
        dated = self._to_date(i, words)
        if dated is not None:
            return dated
        count = self._number(i)
        if (
            count is not None
            and (length := unit(self._word(count[1])))
            and self._word(count[1] + 1) in ("ago", "back")
        ):
            day = back(self.as_of, count[0], length)
            return _fixed((day, day) if length == "day" else unit_span(day, length), count[1] + 2)
        j = self._skip(i, ("the", "these", "our", "most", "very"))
        word = self._word(j)
        if word in ("this", "current") and unit(self._word(j + 1)):
            begin = unit_span(self.as_of, unit(self._word(j + 1)) or "")[0]
            return _fixed((begin, self.as_of), j + 2)
        if words[0] == "all" and words[1] == "year":
            return _fixed((dt.date(self.as_of.year, 1, 1), self.as_of), i + 2)
        if words[:2] == ["so", "far"] and words[2] == "this" and unit(words[3]):
            return _fixed((unit_span(self.as_of, unit(words[3]) or "")[0], self.as_of), i + 4)
        length = unit(word)
        before_last = self._word(j + 1) == "before" and self._word(j + 2) == "last"
        if length in ("week", "month", "quarter", "year") and before_last and self._word(j + 3) not in UNITS:
            return _fixed(self._last_complete(length, self._last_complete(length)[0] - one), j + 3)
        the_whole = self._skip(i + 1, ("whole", "entire", "full"))
        if asked and words[0] == "the" and unit(self._word(the_whole)) in ("month", "quarter", "year"):
            after = self._word(the_whole + 1)
            if after not in ("of", "to", "before", "after", "ending", "-") and not after.isdecimal():
                return _fixed((unit_span(self.as_of, unit(self._word(the_whole)) or "")[0], self.as_of), the_whole + 1)
        recent = word in _LAST or (word == "recent" and self._word(j - 1) == "most")
        if not recent:
            if (count := self._number(j)) is None or self._word(count[1]) not in ("last", "past"):
                return None
            length = unit(self._word(count[1] + 1))
            return None if length is None else _fixed(self._last(count[0], length), count[1] + 2)
        length = unit(self._word(j + 1), loose=True)
        if length == "weekend":
            return None
        if self._word(j + 1) == "fortnight":
            return _fixed(self._last(14, "day"), j + 2)
        if self._word(j + 1) == "half" and unit(self._word(j + 2)) == "year":
            return _fixed(self._last(6, "month"), j + 3)
        if length is not None and self._word(j + 1) not in ("days", "weeks", "months"):
            return None if length in ("day", "half") else _fixed(self._last_complete(length), j + 2)
        count = self._number(j + 1)
        if count is None:
            return None
        length = unit(self._word(count[1]), loose=True)
        if length is None and self._word(count[1]) in ("hours", "hrs", "h"):
            return _fixed(self._last(max(1, count[0] // 24), "day"), count[1] + 1)
        if length is None and self.tokens[count[1] - 1].raw[-1:].isdecimal() and self._word(count[1]) == "d":
            length = "day"
        return None if length in (None, "half") else _fixed(self._last(count[0], str(length)), count[1] + 1)

    def _to_date(self, i: int, words: list[str]) -> Moment | None:
        short = {"ytd": "year", "mtd": "month", "qtd": "quarter", "wtd": "week"}.get(words[0])
        if short is not None:
            return _fixed((unit_span(self.as_of, short)[0], self.as_of), i + 1)
        j = self._skip(i, ("the",))
        length = unit(self._word(j))
        middle = self._word(j + 1) + self._word(j + 2)
        if length is not None and middle == "todate":
            return _fixed((unit_span(self.as_of, length)[0], self.as_of), j + 3)
        if length and self._word(j + 1) == "-" and self._word(j + 2) == "to" and self._word(j + 4) == "date":
            return _fixed((unit_span(self.as_of, length)[0], self.as_of), j + 5)
        return None

    def _last(self, count: int, length: str) -> Span:
        """The last `count` days, weeks, … ending today."""
        if length == "quarter":
            end = self._last_complete("quarter")[1]
            return back(end + dt.timedelta(days=1), 3 * count, "month"), end
        return back(self.as_of + dt.timedelta(days=1), count, length), self.as_of

    def _last_complete(self, length: str, up_to: dt.date | None = None) -> Span:
        day = up_to or self.as_of
        span = unit_span(day, length)
        return span if span[1] <= day else unit_span(span[0] - dt.timedelta(days=1), length)

    def _days_of_a_month(self, i: int, joined: frozenset[str]) -> Moment | None:
        """Read "June 1-15" or "1 to 15 June", two days of one month."""
        i = self._skip(i, ("the",))
        month = self._month_at(i, asked=True)
        if month is not None:
            a = self._day_of_month(self._skip(i + 1, ("the",)))
            if a is None or self._word(a[1]) not in joined:
                return None
            b = self._day_of_month(self._skip(a[1] + 1, ("the",)))
            if b is None or self._month_at(self._skip(b[1], ("of",)), asked=True) is not None or b[0] < a[0]:
                return None
            stop = b[1]
        else:
            a = self._day_of_month(i)
            if a is None or self._word(a[1]) not in joined or self._word(i - 1) in _COUNTED:
                return None
            b = self._day_of_month(self._skip(a[1] + 1, ("the",)))
            if b is None or b[0] < a[0]:
                return None
            j = self._skip(b[1], ("of",))
            month = self._month_at(j, asked=True)
            if month is None:
                return None
            stop = j + 1
        one, two, number = a[0], b[0], month
        year, stop = self._year_after(stop)
        return Moment(lambda y: (dt.date(y, number, one), dt.date(y, number, two)), year, stop)

    # Pieces ------------------------------------------------------------------------------------------

    def _skip(self, i: int, words: tuple[str, ...]) -> int:
        while self._word(i) in words and self._word(i):
            i += 1
        return i

    def _day_of_month(self, i: int) -> tuple[int, int] | None:
        """Return a day of the month at token `i` ("14", "14th", "third") and the token after it."""
        word = self._word(i)
        if word in ORDINALS:
            return ORDINALS[word], i + 1
        number = self.tokens[i].number if i < len(self.tokens) else None
        return (number, i + 1) if number is not None and 1 <= number <= 31 and len(word) <= 2 else None

    def _month_at(self, i: int, asked: bool) -> int | None:
        if not 0 <= i < len(self.tokens):
            return None
        word, raw = self.tokens[i].word, self.tokens[i].raw
        month = month_number(word)
        if month is None:
            return None
        before, after = self._word(i - 1), self._word(i + 1)
        if word == "may" and not self._is_may(i, raw, asked, before, after):
            return None
        if word == "march" and (before in _SUBJECTS or after in ("madness", "into", "out", "off")):
            return None
        return month if word != "mar" or asked or after.isdecimal() or before.isdecimal() or i > 0 else None

    def _is_may(self, i: int, raw: str, asked: bool, before: str, after: str) -> bool:
        if before in _SUBJECTS or after in _NOT_AFTER_MAY:
            return False
        if asked or after.isdecimal() or before.isdecimal() or before in _PREPOSITIONS | ORDINALS.keys():
            return True
        if not after or not after[0].isalnum():
            return True
        return raw == "May" and i > 0

    def _year_after(self, i: int) -> tuple[int | None, int]:
        """Return the year at token `i` ("2017", ", 2017", "of 2017", "'17", "last year") and what follows."""
        j = self._skip(i, (",", "of", "in", "the", "year"))
        number = self.tokens[j].number if j < len(self.tokens) else None
        if (
            number is not None
            and 1990 <= number <= 2099
            and self._word(j + 1) not in ("units", "orders", "customers")
        ):
            return number, j + 1
        if j < len(self.tokens) and re.fullmatch(r"['’]\d\d", self._word(i)):
            return 2000 + int(self._word(i)[1:]), i + 1
        if unit(self._word(j + 1)) == "year" and self._word(j) in ("this", "last"):
            last = self._last_complete("year")[0].year
            return (self.as_of.year if self._word(j) == "this" else last), j + 2
        if self._word(j - 1) == "year" and self._word(j - 2) == "the":
            return self.as_of.year, j
        return None, i

    def _with_year(self, in_year: Callable[[int], Span], stop: int) -> Moment:
        return Moment(in_year, *self._year_after(stop))

    def _valid(self, in_year: Callable[[int], Span], year: int | None, stop: int) -> Moment | None:
        """A moment that exists in its year, or in some leap year if none is named; else None."""
        try:
            in_year(year or 2016)
        except ValueError:
            return None
        return Moment(in_year, year, stop)

    def _place(self, moment: Moment, started: bool = False) -> Span:
        """Put a moment into its year: the latest complete one up to today, or the latest that has begun."""
        if moment.year is not None or not moment.yearly:
            return moment.in_year(moment.year or self.as_of.year)
        return self._latest_year(moment, lambda span: span[0 if started else 1] <= self.as_of)

    def _place_before(self, moment: Moment, end: Span) -> Span:
        if not moment.yearly:
            return moment.in_year(self.as_of.year)
        return self._latest_year(moment, lambda span: span[0] <= end[1], end[1].year)

    def _place_after(self, moment: Moment, start: Span) -> Span:
        if not moment.yearly:
            return moment.in_year(self.as_of.year)
        for year in range(start[0].year, start[0].year + 9):
            span = _try(moment.in_year, year)
            if span is not None and span[1] >= start[0]:
                return span
        return start

    def _latest_year(self, moment: Moment, fits: Callable[[Span], bool], newest: int | None = None) -> Span:
        newest = (newest or self.as_of.year) + 1
        for year in range(newest, newest - 10, -1):
            span = _try(moment.in_year, year)
            if span is not None and fits(span):
                return span
        raise AssertionError("every day of a calendar comes round within ten years")


def _tokens(text: str) -> list[Token]:
    tokens: list[Token] = []
    for found in _TOKEN.finditer(text):
        raw = found.group()
        word = re.sub(r"['’]s$|['’]$", "", raw.lower()) or raw
        if word in _SUFFIX and tokens and tokens[-1].raw.isdecimal() and tokens[-1].end == found.start():
            last = tokens.pop()
            tokens.append(Token(last.word, last.start, found.end(), last.raw + raw, ordinal=True))
        else:
            tokens.append(Token(word, found.start(), found.end(), raw))
    return tokens


def _try(in_year: Callable[[int], Span], year: int) -> Span | None:
    try:
        return in_year(year)
    except ValueError:
        return None


def _fixed(span: Span, stop: int) -> Moment:
    return Moment(lambda _: span, None, stop, yearly=False)


def _simple(word: str) -> int | None:
    return RELATIVE_DAYS.get(word, 1 if close(word, "yesterday", 2) else None)
