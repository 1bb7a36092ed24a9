"""Protects how figures and dates are read: words, suffixes, rounding that a wording shows, periods."""

from __future__ import annotations

import datetime as dt

import pytest

from storewise.agent.grounding import dates, numbers
from storewise.agent.grounding.tokens import sentences, singular, tokens


def number(text: str) -> numbers.Number:
    words = tokens(text)
    return next(found[0] for at in range(len(words)) if (found := numbers.read(words, at)))


@pytest.mark.parametrize(
    ("text", "value", "kind", "unit"),
    [
        ("$1,234.50", 1234.5, "money", None),
        ("$12k", 12_000, "money", None),
        ("1.2 million dollars", 1_200_000, "money", None),
        ("12.3 %", 12.3, "percent", None),
        ("twelve percent", 12, "percent", None),
        ("twenty-three times", 23, "number", "times"),
        ("half a dozen orders", 6, "number", "orders"),
        ("two hundred and five customers", 205, "number", "customers"),
        ("27 of 33 mentions", 27, "number", "mentions"),
        ("about two thirds of them", 66.67, "percent", None),
        ("one in ten", 10, "percent", None),
        ("60-day window", 60, "number", "days"),
        ("2nd", 2, "ordinal", None),
        ("twice as many", 2, "ratio", None),
    ],
)
def test_figures_are_read_as_people_write_them(text: str, value: float, kind: str, unit: str | None) -> None:
    found = number(text)
    assert found.value == pytest.approx(value, rel=1e-3)
    assert (found.kind, found.unit) == (kind, unit)


@pytest.mark.parametrize(
    ("text", "value", "fits"),
    [
        ("12,000", 11_987.20, True),
        ("12,500", 11_987.20, False),
        ("12,000", 12_400, False),
        ("about 12,000", 12_400, True),
        ("$12k", 12_400, True),
        ("$402k", 401_772.18, True),
        ("just under $319k", 318_904.40, True),
        ("just over $319k", 318_904.40, False),
        ("almost $7,000", 6_812.40, True),
        ("over $6,000", 6_812.40, True),
        ("over $7,000", 6_812.40, False),
        ("12 %", 12.3, True),
        ("13 %", 12.3, False),
        ("about 3 %", 1.94, False),
        ("12.30", 12.3, True),
        ("12.31", 12.3, False),
        ("60 orders", 57, False),
        ("57 orders", 57, True),
        ("over two thirds", 68.5, True),
        ("a third of", 40.0, False),
        ("0 %", 0.4, False),
    ],
)
def test_rounding_is_right_where_the_wording_shows_it(text: str, value: float, fits: bool) -> None:
    assert number(text).fits(value) is fits


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2017-03-01", (2017, 3, 1), (2017, 3, 1)),
        ("2017-03", (2017, 3, 1), (2017, 3, 31)),
        ("March 2017", (2017, 3, 1), (2017, 3, 31)),
        ("the 1st of March", (None, 3, 1), (None, 3, 1)),
        ("October 19th, 2017", (2017, 10, 19), (2017, 10, 19)),
        ("Friday, 24 November", (None, 11, 24), (None, 11, 24)),
        ("Q2 2017", (2017, 4, 1), (2017, 6, 30)),
        ("second quarter", (None, 4, 1), (None, 6, 30)),
        ("first half of June", (None, 6, 1), (None, 6, 15)),
        ("from 1 March to 31 May 2017", (2017, 3, 1), (2017, 5, 31)),
        ("1-15 June", (None, 6, 1), (None, 6, 15)),
        ("April through November", (None, 4, 1), (None, 11, 30)),
        ("week of 6 November 2017", (2017, 11, 6), (2017, 11, 12)),
    ],
)
def test_periods_are_read_as_people_write_them(text: str, start: dates.Day, end: dates.Day) -> None:
    found = dates.read(tokens(text), 0)
    assert found is not None
    assert found[1] == len(tokens(text))
    assert (found[0].start, found[0].end) == (start, end)


def test_a_span_is_a_month_a_quarter_or_a_year_where_it_is_one() -> None:
    assert dates.of_span(dt.date(2017, 2, 1), dt.date(2017, 2, 28)).grain == "month"
    assert dates.of_span(dt.date(2017, 4, 1), dt.date(2017, 6, 30)).grain == "quarter"
    assert dates.of_span(dt.date(2017, 1, 1), dt.date(2017, 12, 31)).grain == "year"
    assert dates.of_span(dt.date(2017, 3, 1), dt.date(2017, 5, 31)).grain == "range"
    march = dates.whole("March")
    assert (
        march is not None and march.same(dates.of_month(2017, 3)) and not march.same(dates.of_month(2017, 4))
    )


def test_may_is_a_month_only_where_it_can_be_one() -> None:
    assert dates.read(tokens("you may ask"), 1) is None
    assert dates.read(tokens("in may"), 1) is not None
    assert dates.read(tokens("May I help"), 0) is None


def test_sentences_end_where_people_end_them() -> None:
    read = [
        one.text
        for one in sentences('It rose 6.2 % vs. March. "Good. Really." [R1] Two more.\n- 1 oz. packs')
    ]
    assert read == ["It rose 6.2 % vs. March.", '"Good. Really." [R1]', "Two more.", "1 oz. packs"]
    assert [one.item for one in sentences("1. Bananas\n2. Eggs")] == [1, 2]
    assert sentences("| a | b |\n|---|---|\n| 1 | 2 |")[1].cells == ("1", "2")


@pytest.mark.parametrize(
    ("word", "one"),
    [
        ("categories", "category"),
        ("boxes", "box"),
        ("potatoes", "potato"),
        ("cookies", "cookie"),
        ("loss", "loss"),
    ],
)
def test_words_are_compared_without_their_plural(word: str, one: str) -> None:
    assert singular(word) == singular(one)
