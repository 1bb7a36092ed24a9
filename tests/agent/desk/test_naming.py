"""Protects: what a text says is to stay is left out, and nothing else."""

from __future__ import annotations

from storewise.agent.desk.naming import without_staying


def test_what_stays_twice_over_takes_nothing_else_with_it() -> None:
    text = "The other one, except the lid, I do want. Cancel the lamp please, thanks"
    assert without_staying(text).split() == ". Cancel the lamp please, thanks".split()
