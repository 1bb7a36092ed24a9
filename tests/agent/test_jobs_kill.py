"""Protects jobs from kill -9: of the real app and of the model server, at moments drawn by chance.

At length, with a log: storewise benchmark kills --moments 20 --log kills.jsonl
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from storewise.benchmarks import kills
from storewise.benchmarks.kills import Standing, repeated
from storewise.benchmarks.kills_model import Asked


def test_nothing_is_lost_doubled_or_paid_for_again() -> None:
    told: list[str] = []
    report: dict[str, Any] = kills.run(3, groups=10, each=8, say=told.append)
    assert report["wrong"] == [], told
    assert report["moments"] == 3
    assert report["of_the_model"] == 1
    moments = [json.loads(line) for line in told if "moment" in line]
    assert [moment["moment"] for moment in moments] == [1, 2, 3]
    assert report["sentences"] > 0
    # Only what was under way when the app died: 4 groups at once, of 6 claims each.
    assert report["answered_but_not_kept"] <= 2 * 4 * 6


SAYS = Asked("- The P0x1 tea is good", "The P0x1 tea is good.")
FAILS = Asked("- The P0x1 tea is good", None)


@pytest.mark.parametrize(
    ("before", "now", "asked", "wrong"),
    [
        # Under way when the app died: asked again, and nothing was paid for that stood.
        (Standing(asked=1), Standing(asked=2), [SAYS, SAYS], None),
        # The model died at it.
        (Standing(asked=1), Standing(asked=2), [FAILS, SAYS], None),
        (Standing(sentences={"a": "The P0x1 tea is good."}, asked=1), Standing(asked=1), [SAYS], "sentences_lost"),
        (
            Standing(sentences={"a": "The P0x1 tea is good."}, asked=1),
            Standing(sentences={"a": "The P0x1 tea is good."}, asked=2),
            [SAYS, SAYS],
            "asked_again",
        ),
        (Standing({"P0x1": 1.0}, asked=0), Standing({"P0x1": 1.0}, asked=1), [SAYS], "asked_again"),
        (Standing({"P0x1": 1.0}), Standing({"P0x1": 2.0}), [], "groups_repeated"),
        (Standing({"P0x1": 1.0}), Standing(), [], "groups_repeated"),
        (Standing(steps={1: 5}), Standing(steps={1: 9}), [], "steps_repeated"),
    ],
)  # fmt: skip
def test_what_is_lost_or_done_again_is_noticed(
    before: Standing, now: Standing, asked: list[Asked], wrong: str | None
) -> None:
    found = repeated(before, now, asked)
    assert [name for name, number in found.items() if number] == ([wrong] if wrong else [])
