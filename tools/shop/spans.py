"""Days, weeks, months and their parts as (first day, last day), both included; weeks begin on Monday."""

from __future__ import annotations

import calendar
import datetime as dt

Span = tuple[dt.date, dt.date]


def day_span(year: int, month: int, day: int) -> Span:
    return dt.date(year, month, day), dt.date(year, month, day)


def month_span(year: int, month: int) -> Span:
    return dt.date(year, month, 1), dt.date(year, month, calendar.monthrange(year, month)[1])


def week_span(day: dt.date) -> Span:
    monday = day - dt.timedelta(days=day.weekday())
    return monday, monday + dt.timedelta(days=6)


def weekend_span(day: dt.date) -> Span:
    monday = week_span(day)[0]
    return monday + dt.timedelta(days=5), monday + dt.timedelta(days=6)


def week_at(day: dt.date, how: str) -> Span:
    week = dt.timedelta(days=6)
    match how:
        case "ending":
            return day - week, day
        case "starting" | "beginning":
            return day, day + week
        case "before":
            return day - dt.timedelta(days=7), day - dt.timedelta(days=1)
        case "after":
            return day + dt.timedelta(days=1), day + dt.timedelta(days=7)
    return week_span(day)


def unit_span(day: dt.date, length: str) -> Span:
    """The calendar day, week, month, quarter, half or year that holds `day`."""
    match length:
        case "day":
            return day, day
        case "week":
            return week_span(day)
        case "month":
            return month_span(day.year, day.month)
        case "quarter":
            low = 3 * ((day.month - 1) // 3) + 1
            return dt.date(day.year, low, 1), month_span(day.year, low + 2)[1]
        case "half":
            low = 1 if day.month < 7 else 7
            return dt.date(day.year, low, 1), month_span(day.year, low + 5)[1]
    return dt.date(day.year, 1, 1), dt.date(day.year, 12, 31)


def back(day: dt.date, count: int, length: str) -> dt.date:
    """The day `count` units before `day`; a month's missing last days are its last day."""
    if length in ("day", "week"):
        return day - dt.timedelta(days=count * (7 if length == "week" else 1))
    months = count * {"month": 1, "quarter": 3, "half": 6, "year": 12}[length]
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def third(span: Span, which: str) -> Span:
    """The early, middle or late part of a span: ten days of a month, a third of anything else."""
    days = (span[1] - span[0]).days + 1
    step = 10 if 28 <= days <= 31 else days // 3
    one, two = span[0] + dt.timedelta(days=step - 1), span[0] + dt.timedelta(days=2 * step - 1)
    after = dt.timedelta(days=1)
    return {"early": (span[0], one), "mid": (one + after, two), "late": (two + after, span[1])}[which]


def nth(span: Span, number: int, length: str, count: int = 1) -> Span:
    """The `number`-th week, day, month or half of a span, 0 for its last; weeks count from its first day.

    `count` takes that many at once: the first two weeks, the last three days.
    """
    one = dt.timedelta(days=1)
    if length == "half":
        if (span[1] - span[0]).days > 300:
            return unit_span(span[0] if number == 1 else span[1], "half")
        middle = span[0] + ((span[1] - span[0]) + one) // 2
        return (span[0], middle - one) if number == 1 else (middle, span[1])
    if number == 0:
        return max(span[0], back(span[1] + one, count, length)), span[1]
    start = back(span[0], -(number - 1), length)
    return start, min(back(start, -count, length) - one, span[1])
