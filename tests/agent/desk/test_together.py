"""Protects: what is named only to tell which order is meant is no thing that is to change."""

from __future__ import annotations

import pytest

from storewise.agent.desk.together import bought_together, without_together

NAMES = ("Tea Kettle", "Vacuum Cleaner", "Bluetooth Speaker", "Sneakers")


@pytest.mark.parametrize(
    ("text", "beside"),
    [
        ("the kettle that I ordered along with the Bluetooth Speaker, in red please", {"Bluetooth Speaker"}),
        ("in order where is also the speaker came two kettles", {"Bluetooth Speaker"}),
        ("the kettle from the box with the speaker leaks", {"Bluetooth Speaker"}),
        ("the kettle that arrived with the vacuum cleaner and the speaker", {"Vacuum Cleaner", "Bluetooth Speaker"}),
        ("With it came also the sneakers. The kettle is too small", {"Sneakers"}),
        ("my order is having one vacuum cleaner, one speaker and sneakers. The sneakers pinch",
         {"Vacuum Cleaner", "Bluetooth Speaker"}),
        ("swap the kettle, put it on the same card as the speaker was", {"Bluetooth Speaker"}),
        ("in the order the speaker is in, the kettle should be red", {"Bluetooth Speaker"}),
        ("The kettle arrived with a crack and the speaker too, return it", set()),
        ("a kettle with 2 litres, not the speaker", set()),
    ],
)  # fmt: skip
def test_what_came_with_it_is_another_thing(text: str, beside: set[str]) -> None:
    assert bought_together(text, NAMES) == beside


def test_a_text_is_left_without_what_came_with_it() -> None:
    text = "the kettle that I ordered along with the Bluetooth Speaker, in red please"
    assert "Speaker" not in without_together(text, NAMES)
    assert "in red" in without_together(text, NAMES)
    plain = "in order #W1000001 the kettle with 2 litres"
    assert without_together(plain, NAMES) == plain
