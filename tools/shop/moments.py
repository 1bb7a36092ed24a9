"""One day or longer as people name it: "the 14th of February", "Q2", "Christmas", "the first week of May"."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

from storewise.tools.shop.clock import ClockReader, Moment, fixed
from storewise.tools.shop.date_words import AFTER_LOOSE, COUNTED, FRACTIONED, PREPOSITIONS, TO
from storewise.tools.shop.daynames import (
    HALVES,
    ORDINALS,
    QUARTERS,
    holiday,
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


class MomentReader(ClockReader):
    """Reads one moment at a token of a text; a moment without a year waits to be put into one."""

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

    def _iso_or_slashed(self, i: int, asked: bool) -> Moment | None:
        j = self._skip(i, ("the",))
        stop = j + 1
        word = self._word(j)
        if not re.fullmatch(r"\d+([-/]\d+)+", word):
            return None
        # "1/2 and a quarter" is a fraction, "between 3/1 and 3/15" is not.
        fraction = self._word(stop) in FRACTIONED and not (asked and self._word(stop) == "and")
        if fraction and re.fullmatch(r"\d+/\d+", word):
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
        elif loose and not self._closed(stop, asked or j > i or i == 0 or self._word(i - 1) in PREPOSITIONS):
            return None
        return self._with_year(lambda y: (in_year(y), in_year(y)), stop)

    def _day_and_month(self, i: int, asked: bool) -> Moment | None:
        """Read "Feb 14", "the 14th of February", "the 3rd of last month", or, if asked, "the 14th"."""
        j = self._skip(i, ("the",))
        month = self._month_at(j, asked)
        if month is not None:
            found = self._day_of_month(self._skip(j + 1, ("the",)))
            if found is None:
                return None
            day, stop = found
            if self._word(stop) in COUNTED and not self.tokens[stop - 1].ordinal:
                return None
            return self._month_and_day(month, day, stop)
        found = self._day_of_month(j)
        if found is None or self._word(j - 1) in COUNTED:
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
        closing = after in AFTER_LOOSE or after in TO or not after[:1].isalnum()
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
        return fixed(span, stop)

    def _part_of(self, i: int, asked: bool) -> Moment | None:
        """Read "early March", "the first week of March", "the end of May", "the week of March 6"."""
        j = self._skip(i, ("the",))
        word = self._word(j)
        if word in ("early", "late", "mid", "middle", "beginning", "start", "end"):
            k = self._skip(j + 1, ("-", "of", "in", "the"))
            which = {"beginning": "early", "start": "early", "middle": "mid", "end": "late"}.get(word, word)
            if self._word(k) in ("month", "year") and self._word(k - 1) == "the":
                span = unit_span(self.as_of, self._word(k))
                return fixed(third(span, which), k + 1)
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
            return fixed((last - dt.timedelta(days=1), last), j + 1) if asked or j > i else None
        # "Friday the 24th of November": the date says which Friday.
        dated = self._day_and_month(self._skip(j + 1, ("the",)), asked=True)
        if dated is not None:
            return dated
        found = self.as_of - dt.timedelta(days=(self.as_of.weekday() - int(day)) % 7)
        return fixed((found, found), j + 1)

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
        return fixed((self.first, end), k + 1)

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
            if a is None or self._word(a[1]) not in joined or self._word(i - 1) in COUNTED:
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

    def _with_year(self, in_year: Callable[[int], Span], stop: int) -> Moment:
        return Moment(in_year, *self._year_after(stop))

    def _valid(self, in_year: Callable[[int], Span], year: int | None, stop: int) -> Moment | None:
        """A moment that exists in its year, or in some leap year if none is named; else None."""
        try:
            in_year(year or 2016)
        except ValueError:
            return None
        return Moment(in_year, year, stop)
