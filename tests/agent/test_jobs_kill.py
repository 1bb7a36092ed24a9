"""Protects jobs from kill -9: of the real app and of the model server, at moments drawn by chance.

At length, with a log: storewise benchmark kills --moments 20 --log kills.jsonl
"""

from __future__ import annotations

from typing import Any

from storewise.benchmarks import kills


def test_nothing_is_lost_doubled_or_paid_for_again() -> None:
    told: list[str] = []
    report: dict[str, Any] = kills.run(3, groups=10, each=8, say=told.append, longest=2.0)
    assert report["wrong"] == [], told
    assert report["moments"] == len(told) == 3
    assert report["phrases"] > 0
    # Only what was under way when a process died: 4 groups at once, of 6 claims each.
    assert report["asked_again"] <= 3 * 4 * 6
