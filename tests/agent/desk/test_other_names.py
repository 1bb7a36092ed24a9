"""Protects: things that customers call by another name are found, and nothing else is taken for a thing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storewise.agent.desk.other_names import plainly
from tests.agent.desk.things import THINGS


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("the hoover is loud", "the Vacuum Cleaner is loud"),
        ("my rucksack!", "my Backpack!"),
        ("the speaker crackles", "the Bluetooth Speaker crackles"),
        ("is the barbecue in stock?", "is the Grill in stock?"),
    ],
)
def test_another_name_becomes_the_shops(text: str, plain: str) -> None:
    assert plainly(text, "nothing", THINGS) == plain


@pytest.mark.parametrize(
    "text",
    [
        "send it to 12 Rucksack Lane, Denver, CO 80202",
        "I can wait, you can book it for my daughter",
        "put it on my visa please",
        "Tea Kettle and Vacuum Cleaner",
    ],
)
def test_what_is_no_other_name_stays(text: str) -> None:
    assert plainly(text, "nothing", THINGS) == text


@given(st.text(max_size=60))
def test_any_text_is_read(text: str) -> None:
    assert isinstance(plainly(text, "confirmation", THINGS), str)
