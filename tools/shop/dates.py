"""Time expressions in a question, resolved on the shop's clock.

`as_of` is the last complete day of the data and also "today". What is named without a year (a day, a
month, a quarter, a season, a holiday) is the latest complete one up to `as_of`; last month is the latest
complete calendar month, last week the latest complete Monday-to-Sunday week, and so on. Numeric dates are
read in the US order, month before day.

This file reads what joins moments together; moments.py reads one moment, clock.py what is counted from today,
date_words.py the pieces; daynames.py knows the names, spans.py the calendar.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from storewise.tools.shop.clock import Moment
from storewise.tools.shop.date_words import INSIDE, TO
from storewise.tools.shop.daynames import UNITS
from storewise.tools.shop.moments import MomentReader
from storewise.tools.shop.spans import Span


@dataclass(frozen=True)
class Period:
    """A time expression: text[start_index:end_index] is `text`; both days included, None where open."""

    start_index: int
    end_index: int
    text: str
    start: dt.date | None
    end: dt.date | None


def read_periods(text: str, as_of: dt.date, first: dt.date) -> list[Period]:
    """Return every time expression of `text`, in order, each with its preposition.

    Args:
        text: what a person typed.
        as_of: the last complete day of the data, also today.
        first: the first day of the data: "the first two weeks" begin there, and a bare number is a year
            only if the data reach into it.
    """
    return _Reader(text, as_of, first).read()


class _Reader(MomentReader):
    def read(self) -> list[Period]:
        periods: list[Period] = []
        i = 0
        while i < len(self.tokens):
            found = self._period(i)
            if found is None:
                i += 1
                continue
            (start, end), stop = found
            begin, until = self.tokens[i].start, self.tokens[stop - 1].end
            periods.append(Period(begin, until, self.text[begin:until], start, end))
            i = stop
        return periods

    # Phrases -----------------------------------------------------------------------------------------

    def _period(self, i: int) -> tuple[tuple[dt.date | None, dt.date | None], int] | None:
        word = self._word(i)
        if word == "between" or word == "from" or word == "starting":
            found = self._range(i + 1, joined=frozenset({"and", "&"}) | TO if word == "between" else TO)
            if found is not None:
                return found
            if word == "between":
                return None
        if word in ("since", "after", "before", "until", "till", "til", "through", "thru", "starting", "by"):
            return self._open(i, i + 1)
        if (word, self._word(i + 1)) in (
            ("up", "to"),
            ("up", "until"),
            ("up", "till"),
            ("prior", "to"),
            ("as", "of"),
        ):
            return self._open(i, i + 2)
        if word == "from":
            moment = self._moment(i + 1, asked=True)
            if moment is not None and self._word(moment.stop) in ("on", "onward", "onwards", "forward"):
                return (self._place(moment, started=True)[0], None), moment.stop + 1
        j = i
        while self._word(j) in INSIDE or (
            self._word(j) in ("back", "just", "only") and self._word(j + 1) in INSIDE
        ):
            j += 1
        if word == "from":
            j = i + 1
        if word in ("about", "around") and j == i + 1 and self._number(j):
            j = i
        found = self._range(j, joined=TO) if not self._compared(i) else None
        if found is not None:
            return found
        moment = self._moment(j, asked=j > i)
        if moment is None:
            return None
        span, stop = self._place(moment), moment.stop
        while self._word(stop) in ("and", "&", "+") and not self._compared(i):
            more = self._moment(stop + 1, asked=True)
            if more is None or not moment.yearly or not more.yearly:
                break
            after = self._place(more)
            if after[0] != span[1] + dt.timedelta(days=1):
                break
            span, stop = (span[0], after[1]), more.stop
        return span, stop

    def _compared(self, i: int) -> bool:
        """Whether the question sets two periods side by side ("compare March to April")."""
        return any(
            token.word in ("compare", "compared", "comparing", "vs", "versus") for token in self.tokens[:i]
        )

    def _open(self, i: int, j: int) -> tuple[tuple[dt.date | None, dt.date | None], int] | None:
        """Read "since October", "until May", "after 1 June", "before June" with the day named at `j`."""
        word = self._word(i)
        if self._word(j) in ("and", "including"):
            j += 1
        if word == "by" and UNITS.keys() & {self._word(j), self._word(j + 1)}:
            return None
        moment = self._moment(j, asked=True)
        if moment is None:
            return None
        day = dt.timedelta(days=1)
        if word in ("since", "starting", "as"):
            return (self._place(moment, started=True)[0], None), moment.stop
        if word == "after":
            return (self._place(moment, started=True)[1] + day, None), moment.stop
        if word in ("before", "prior"):
            return (None, self._place(moment, started=True)[0] - day), moment.stop
        return (None, self._place(moment)[1]), moment.stop

    def _range(self, i: int, joined: frozenset[str]) -> tuple[Span, int] | None:
        """Read "3 March and 9 April", "March to May", "June 1-15", "1 to 15 June" at token `i`."""
        same_month = self._days_of_a_month(i, joined)
        if same_month is not None:
            return self._place(same_month), same_month.stop
        left = self._moment(i, asked=True)
        if left is None or self._word(left.stop) not in joined:
            return None
        j = left.stop + 1
        if self._word(j) in ("to", "until", "till", "including"):  # "up to", "through to"
            j += 1
        if self._word(j) in ("now", "date"):
            return (self._place(left, started=True)[0], self.as_of), j + 1
        right = self._moment(j, asked=True)
        if right is None:
            return None
        if left.year is None:
            end = self._place(right)
            start = self._place_before(left, end)
        elif right.year is None:
            start = self._place(left)
            end = self._place_after(right, start)
        else:
            start, end = self._place(left), self._place(right)
        if start[0] > end[1]:
            return None
        return (start[0], end[1]), right.stop

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


def _try(in_year: Callable[[int], Span], year: int) -> Span | None:
    try:
        return in_year(year)
    except ValueError:
        return None
