"""Time expressions: what people type becomes the right days on the shop's clock, and nothing else does."""

import datetime as dt
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storewise.tools.shop.dates import read_periods

AS_OF, FIRST = dt.date(2017, 12, 31), dt.date(2017, 1, 1)

# What is typed: the expression in it, its first and last day ("" where open).
SAID = {
    "revenue in March": "in March 2017-03-01 2017-03-31",
    "how much did we sell in december?": "in december 2017-12-01 2017-12-31",
    "orders last month": "last month 2017-12-01 2017-12-31",
    "sales this month": "this month 2017-12-01 2017-12-31",
    "the last 30 days": "the last 30 days 2017-12-02 2017-12-31",
    "over the past two weeks": "over the past two weeks 2017-12-18 2017-12-31",
    "last 3 months": "last 3 months 2017-10-01 2017-12-31",
    "last couple of weeks": "last couple of weeks 2017-12-18 2017-12-31",
    "last week": "last week 2017-12-25 2017-12-31",
    "the week before last": "the week before last 2017-12-18 2017-12-24",
    "last quarter": "last quarter 2017-10-01 2017-12-31",
    "last year": "last year 2017-01-01 2017-12-31",
    "year-to-date revenue": "year-to-date 2017-01-01 2017-12-31",
    "units in 2017": "in 2017 2017-01-01 2017-12-31",
    "March of 2017": "March of 2017 2017-03-01 2017-03-31",
    "in q2": "in q2 2017-04-01 2017-06-30",
    "the second quarter": "the second quarter 2017-04-01 2017-06-30",
    "2nd half of 2017": "2nd half of 2017 2017-07-01 2017-12-31",
    "during the summer": "during the summer 2017-06-01 2017-08-31",
    "yesterday": "yesterday 2017-12-30 2017-12-30",
    "today": "today 2017-12-31 2017-12-31",
    "day before yesterday": "day before yesterday 2017-12-29 2017-12-29",
    "on the 14th of february": "on the 14th of february 2017-02-14 2017-02-14",
    "2/14 takings": "2/14 2017-02-14 2017-02-14",
    "orders on Feb 14": "on Feb 14 2017-02-14 2017-02-14",
    "2017-03-01": "2017-03-01 2017-03-01 2017-03-01",
    "1 to 15 June": "1 to 15 June 2017-06-01 2017-06-15",
    "June 1-15": "June 1-15 2017-06-01 2017-06-15",
    "from March to May": "from March to May 2017-03-01 2017-05-31",
    "from november to february": "from november to february 2016-11-01 2017-02-28",
    "orders between 2017-11-20 and 2017-11-30": "between 2017-11-20 and 2017-11-30 2017-11-20 2017-11-30",
    "takings on friday the 24th of november": "on friday the 24th of november 2017-11-24 2017-11-24",
    "sales between 3/1 and 3/15": "between 3/1 and 3/15 2017-03-01 2017-03-15",
    "between 3 March and 9 April": "between 3 March and 9 April 2017-03-03 2017-04-09",
    "in March and April": "in March and April 2017-03-01 2017-04-30",
    "since October": "since October 2017-10-01 ",
    "until May": "until May  2017-05-31",
    "through May": "through May  2017-05-31",
    "up to may": "up to may  2017-05-31",
    "after 1 June": "after 1 June 2017-06-02 ",
    "before June": "before June  2017-05-31",
    "from june on": "from june on 2017-06-01 ",
    "last Friday": "last Friday 2017-12-29 2017-12-29",
    "last weekend": "last weekend 2017-12-30 2017-12-31",
    "Christmas week": "Christmas week 2017-12-25 2017-12-31",
    "on black friday": "on black friday 2017-11-24 2017-11-24",
    "over thanksgiving": "over thanksgiving 2017-11-23 2017-11-23",
    "on easter": "on easter 2017-04-16 2017-04-16",
    "the first week of march": "the first week of march 2017-03-01 2017-03-07",
    "the first two weeks": "the first two weeks 2017-01-01 2017-01-14",
    "revenue in febuary": "in febuary 2017-02-01 2017-02-28",
    "in janurary": "in janurary 2017-01-01 2017-01-31",
    "sales by month 2017": "2017 2017-01-01 2017-12-31",
    "revenue may": "may 2017-05-01 2017-05-31",
    "on the 3rd of last month": "on the 3rd of last month 2017-12-03 2017-12-03",
}


@pytest.mark.parametrize(("typed", "expected"), SAID.items())
def test_reads(typed: str, expected: str) -> None:
    periods = read_periods(typed, AS_OF, FIRST)
    assert [f"{p.text} {p.start or ''} {p.end or ''}" for p in periods] == [expected]


@pytest.mark.parametrize(
    "typed",
    [
        "it may rain",
        "which customers may leave",
        "may I see the revenue",
        "spring water sales",
        "halloween candy",
        "1/2 gallon milk",
        "customer 2017",
        "will he stop in the next 30 days",
        "the top 5 products",
        "do the reviews match",
        "revenue on 2/30",
    ],
)
def test_leaves_alone_what_is_no_time(typed: str) -> None:
    assert read_periods(typed, AS_OF, FIRST) == []


def test_two_periods_set_side_by_side_stay_two() -> None:
    assert len(read_periods("compare march and april", AS_OF, FIRST)) == 2


def test_the_latest_complete_one_on_another_day() -> None:
    """In the middle of a month, that month is not complete; "since" takes the one that has begun."""
    middle = dt.date(2017, 6, 14)  # a Wednesday
    read = {
        typed: (read_periods(typed, middle, FIRST)[0].start, read_periods(typed, middle, FIRST)[0].end)
        for typed in ("in june", "last month", "last week", "this month", "since june", "last quarter")
    }
    assert read == {
        "in june": (dt.date(2016, 6, 1), dt.date(2016, 6, 30)),
        "last month": (dt.date(2017, 5, 1), dt.date(2017, 5, 31)),
        "last week": (dt.date(2017, 6, 5), dt.date(2017, 6, 11)),
        "this month": (dt.date(2017, 6, 1), middle),
        "since june": (dt.date(2017, 6, 1), None),
        "last quarter": (dt.date(2017, 1, 1), dt.date(2017, 3, 31)),
    }


_DAYS = st.dates(dt.date(2000, 1, 1), dt.date(2030, 12, 31))


@given(_DAYS, _DAYS)
def test_written_out_days_come_back(day: dt.date, as_of: dt.date) -> None:
    for written in (
        day.isoformat(),
        f"{day:%B} {day.day}, {day.year}",
        f"the {day.day}. of {day:%B}".replace(".", "th") + f" {day.year}",
        f"{day.month}/{day.day}/{day.year}",
    ):
        [period] = read_periods(f"orders on {written} please", as_of, FIRST)
        assert (period.start, period.end) == (day, day), written


@given(
    _DAYS,
    st.sampled_from(["March", "q3", "last month", "the last 10 days", "last week", "2/14", "yesterday"]),
)
def test_nothing_named_without_a_year_lies_in_the_future(as_of: dt.date, typed: str) -> None:
    [period] = read_periods(typed, as_of, FIRST)
    assert period.start is not None and period.end is not None
    assert period.start <= period.end <= as_of
    assert as_of - period.end < dt.timedelta(days=366)


@given(st.text(max_size=60), _DAYS)
def test_any_text_is_read_in_order_without_overlap(text: str, as_of: dt.date) -> None:
    _check(text, as_of)


_TIME_WORDS = (
    "the last of to from between and march may 14th 2017 q2 week first 31 february friday ago - 2/30".split(
        " "
    )
)


@given(st.lists(st.sampled_from(_TIME_WORDS), max_size=8), _DAYS)
def test_any_order_of_time_words_is_read(words: list[str], as_of: dt.date) -> None:
    _check(" ".join(words), as_of)


def _check(text: str, as_of: dt.date) -> None:
    periods = read_periods(text, as_of, FIRST)
    for period in periods:
        assert text[period.start_index : period.end_index] == period.text
        assert period.start is None or period.end is None or period.start <= period.end
    assert all(a.end_index <= b.start_index for a, b in pairwise(periods))


def test_reading_takes_less_than_three_milliseconds() -> None:
    typed = "ok so between the 3rd of febuary and last friday what sold best by week, not counting christmas"
    begin = time.perf_counter()
    for _ in range(20):
        read_periods(typed, AS_OF, FIRST)
    assert (time.perf_counter() - begin) / 20 < 0.003
