"""Times counted from today: "yesterday", "last month", "past 30 days", "year to date", "two weeks ago"."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from storewise.tools.shop.date_words import LAST, TokenReader
from storewise.tools.shop.daynames import (
    RELATIVE_DAYS,
    UNITS,
    close,
    unit,
)
from storewise.tools.shop.spans import (
    Span,
    back,
    unit_span,
)


@dataclass(frozen=True)
class Moment:
    """A day or longer, not yet put into a year unless `year` is known."""

    in_year: Callable[[int], Span]  # raises ValueError where the year has no such day
    year: int | None
    stop: int  # the token after it
    yearly: bool = True  # False: a fixed place on the clock, whatever the year


class ClockReader(TokenReader):
    """Reads a time that is counted from today."""

    def _relative(self, i: int, asked: bool) -> Moment | None:
        """Read "yesterday", "this week", "last month", "the past 30 days", "year to date", "two days ago"."""
        one = dt.timedelta(days=1)
        words = [self._word(i + k) for k in range(6)]
        simple = _simple(words[0])
        if simple is not None:
            day = self.as_of - simple * one
            return fixed((day, day), i + 1)
        for phrase, days in ((["day", "before", "yesterday"], 2), (["the", "day", "before", "yesterday"], 2)):
            if words[: len(phrase)] == phrase:
                day = self.as_of - days * one
                return fixed((day, day), i + len(phrase))
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
            return fixed((day, day) if length == "day" else unit_span(day, length), count[1] + 2)
        j = self._skip(i, ("the", "these", "our", "most", "very"))
        word = self._word(j)
        if word in ("this", "current") and unit(self._word(j + 1)):
            begin = unit_span(self.as_of, unit(self._word(j + 1)) or "")[0]
            return fixed((begin, self.as_of), j + 2)
        if words[0] == "all" and words[1] == "year":
            return fixed((dt.date(self.as_of.year, 1, 1), self.as_of), i + 2)
        if words[:2] == ["so", "far"] and words[2] == "this" and unit(words[3]):
            return fixed((unit_span(self.as_of, unit(words[3]) or "")[0], self.as_of), i + 4)
        length = unit(word)
        before_last = self._word(j + 1) == "before" and self._word(j + 2) == "last"
        if length in ("week", "month", "quarter", "year") and before_last and self._word(j + 3) not in UNITS:
            return fixed(self._last_complete(length, self._last_complete(length)[0] - one), j + 3)
        the_whole = self._skip(i + 1, ("whole", "entire", "full"))
        if asked and words[0] == "the" and unit(self._word(the_whole)) in ("month", "quarter", "year"):
            after = self._word(the_whole + 1)
            if after not in ("of", "to", "before", "after", "ending", "-") and not after.isdecimal():
                return fixed(
                    (unit_span(self.as_of, unit(self._word(the_whole)) or "")[0], self.as_of), the_whole + 1
                )
        recent = word in LAST or (word == "recent" and self._word(j - 1) == "most")
        if not recent:
            if (count := self._number(j)) is None or self._word(count[1]) not in ("last", "past"):
                return None
            length = unit(self._word(count[1] + 1))
            return None if length is None else fixed(self._last(count[0], length), count[1] + 2)
        length = unit(self._word(j + 1), loose=True)
        if length == "weekend":
            return None
        if self._word(j + 1) == "fortnight":
            return fixed(self._last(14, "day"), j + 2)
        if self._word(j + 1) == "half" and unit(self._word(j + 2)) == "year":
            return fixed(self._last(6, "month"), j + 3)
        if length is not None and self._word(j + 1) not in ("days", "weeks", "months"):
            return None if length in ("day", "half") else fixed(self._last_complete(length), j + 2)
        count = self._number(j + 1)
        if count is None:
            return None
        length = unit(self._word(count[1]), loose=True)
        if length is None and self._word(count[1]) in ("hours", "hrs", "h"):
            return fixed(self._last(max(1, count[0] // 24), "day"), count[1] + 1)
        if length is None and self.tokens[count[1] - 1].raw[-1:].isdecimal() and self._word(count[1]) == "d":
            length = "day"
        return None if length in (None, "half") else fixed(self._last(count[0], str(length)), count[1] + 1)

    def _to_date(self, i: int, words: list[str]) -> Moment | None:
        short = {"ytd": "year", "mtd": "month", "qtd": "quarter", "wtd": "week"}.get(words[0])
        if short is not None:
            return fixed((unit_span(self.as_of, short)[0], self.as_of), i + 1)
        j = self._skip(i, ("the",))
        length = unit(self._word(j))
        middle = self._word(j + 1) + self._word(j + 2)
        if length is not None and middle == "todate":
            return fixed((unit_span(self.as_of, length)[0], self.as_of), j + 3)
        if length and self._word(j + 1) == "-" and self._word(j + 2) == "to" and self._word(j + 4) == "date":
            return fixed((unit_span(self.as_of, length)[0], self.as_of), j + 5)
        return None

    def _last(self, count: int, length: str) -> Span:
        """The last `count` days, weeks, … ending today."""
        if length == "quarter":
            end = self._last_complete("quarter")[1]
            return back(end + dt.timedelta(days=1), 3 * count, "month"), end
        return back(self.as_of + dt.timedelta(days=1), count, length), self.as_of


def fixed(span: Span, stop: int) -> Moment:
    return Moment(lambda _: span, None, stop, yearly=False)


def _simple(word: str) -> int | None:
    return RELATIVE_DAYS.get(word, 1 if close(word, "yesterday", 2) else None)
