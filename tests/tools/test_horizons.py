"""Protects how far ahead a question is understood to look, and that a past time, a rate or an id is no horizon."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storewise.tools.horizons import MOST_WEEKS, read_horizons, span_weeks


def weeks(text: str) -> list[int]:
    return [one.weeks for one in read_horizons(text)]


@pytest.mark.parametrize(
    ("count", "unit", "expected"),
    [
        (1, "month", 4),
        (2, "month", 8),
        (3, "month", 13),
        (4, "month", 17),
        (6, "month", 26),
        (12, "month", 52),
        (1.5, "month", 6),
        (2, "quarter", 26),
        (1, "half", 26),
        (1, "year", 52),
        (30, "day", 4),
        (2, "day", 1),
    ],
)
def test_a_month_is_four_weeks_and_three_are_a_quarter(count: float, unit: str, expected: int) -> None:
    assert span_weeks(count, unit) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("how much will 900 spend over the next 12 weeks", [12]),
        ("in the coming twelve wks", [12]),
        ("8wks clv", [8]),
        ("next month", [4]),
        ("value in the month ahead", [4]),
        ("next two months", [8]),
        ("a couple of months", [8]),
        ("this coming quarter", [13]),
        ("over a quarter", [13]),
        ("next quater", [13]),
        ("half a year", [26]),
        ("half-year value", [26]),
        ("six-month clv", [26]),
        ("three quarters of a year", [39]),
        ("within a year", [52]),
        ("a year and a half", [78]),
        ("1.5 years", [78]),
        ("the next 90 days", [13]),
        ("12 weeks or 8 weeks", [12, 8]),
        ("expected spend per customer 16 weeks", [16]),
    ],
)
def test_times_ahead_are_read(text: str, expected: list[int]) -> None:
    assert weeks(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "revenue in the last 12 weeks",
        "the past half year",
        "12 weeks ago",
        "in the previous twelve months",
        "orders a week",
        "spend per month",
        "every 2 weeks",
        "the best 3 weeks",
        "customer 12 week by week",
        "will 900 leave",
        "900 weeks",
        "week 12",
        "top 10 pears",
        "milk 12 oz",
        "ten w/ the most orders",
        "in the months ahead",
        "second half of the year",
        "I was on holiday for two weeks",
    ],
)
def test_what_is_past_a_rate_or_a_name_is_no_time_ahead(text: str) -> None:
    assert weeks(text) == []


@given(st.text(max_size=60))
def test_any_text_gives_places_in_it_and_weeks_in_bounds(text: str) -> None:
    found = read_horizons(text)
    assert all(0 <= one.start < one.end <= len(text) and 1 <= one.weeks <= MOST_WEEKS for one in found)
    assert all(one.end <= other.start for one, other in zip(found, found[1:], strict=False))


@given(
    st.integers(1, MOST_WEEKS), st.sampled_from(["over the next {} weeks", "{}-week clv", "{} wks", "{}w"])
)
def test_weeks_in_digits_are_themselves(count: int, text: str) -> None:
    assert weeks(text.format(count)) == [count]
