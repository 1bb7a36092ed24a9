"""Numbers in a question: digits and words are read alike, and ids are left alone."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storewise.tools.numbers import read_numbers


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("the top ten", {"ten": 10}),
        ("a dozen shoppers", {"a dozen": 12}),
        ("half a dozen", {"half a dozen": 6}),
        ("a couple of carts", {"a couple": 2}),
        ("twenty-five people", {"twenty-five": 25}),
        ("twenty five people", {"twenty five": 25}),
        ("two hundred and fifty", {"two hundred and fifty": 250}),
        ("three thousand two hundred", {"three thousand two hundred": 3200}),
        ("two dozen of 1,200", {"two dozen": 24, "1,200": 1200}),
        ("ten or twelve, 3.5", {"ten": 10, "twelve": 12, "3.5": 3.5}),
        ("which one is the best one", {}),
        ("the 3rd and session S000123", {}),
        ("the top one", {"one": 1}),
        ("the worst dozen", {"dozen": 12}),
        ("the frst dozen", {"dozen": 12}),
    ],
)
def test_reads(text: str, said: dict[str, float]) -> None:
    assert {text[m.start : m.end]: m.value for m in read_numbers(text)} == said


_ONES = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


@given(st.integers(1, 9), st.integers(2, 9), st.integers(1, 9), st.sampled_from(["-", " "]))
def test_words_say_what_digits_say(hundreds: int, tens: int, ones: int, joint: str) -> None:
    words = f"{_ONES[hundreds - 1]} hundred {_TENS[tens - 2]}{joint}{_ONES[ones - 1]}"
    assert [m.value for m in read_numbers(words)] == [100 * hundreds + 10 * tens + ones]


@given(st.text(max_size=80))
def test_any_text_is_read_in_order_without_overlap(text: str) -> None:
    mentions = read_numbers(text)
    assert all(0 <= m.start < m.end <= len(text) for m in mentions)
    assert all(a.end <= b.start for a, b in pairwise(mentions))
