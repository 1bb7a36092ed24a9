"""Protects: a message falls into two where it has two wishes, at a sentence's end rather than at an 'and'."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from storewise.agent.desk.halves import Halves, parts_of


class _Shortlist:
    """Finds a return and a cancellation by their words, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def scores(self, opened: str, asked: str, texts: Sequence[str]) -> list[dict[str, float]]:
        self.asked += 1
        return [{"cancel": float("cancel" in text), "return": float("return" in text)} for text in texts]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (
            "cancel the order with boots and a watch in it. I return the lamp",
            ("cancel the order with boots and a watch in it.", "I return the lamp"),
        ),
        ("1) cancel the desk 2) return the lamp", ("1) cancel the desk", "return the lamp")),
        ("I return the lamp and cancel the desk", ("cancel the desk", "I return the lamp")),
        ("cancel it", ("cancel it", "cancel it")),
    ],
)
def test_each_wish_has_its_part(text: str, parts: tuple[str, str]) -> None:
    halves = Halves(_Shortlist(), text)  # type: ignore[arg-type]
    found = halves.split("cancel", "return")
    assert set(found) == set(parts)


def test_the_halves_are_read_once() -> None:
    shortlist = _Shortlist()
    halves = Halves(shortlist, "cancel the desk and return the lamp")  # type: ignore[arg-type]
    assert halves.clear(("cancel", "return")) == 2
    assert halves.clear(("return", "cancel")) == 0
    halves.split("cancel", "return")
    assert shortlist.asked == 1


def test_all_ways_to_part_a_text_lose_no_word_but_the_joint() -> None:
    for former, latter in parts_of("one and two. three, then four"):
        assert former and latter and former + latter
