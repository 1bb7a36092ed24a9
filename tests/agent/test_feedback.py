"""Protects what people say about answers: it is kept whole, once per answer, and survives odd text."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from storewise.agent.answer import Answer, Call, Seconds
from storewise.agent.feedback import Feedback

ANSWER = Answer(
    answer="Customer 900 is at risk.",
    calls=(Call(name="churn_risk", args={"customer_id": "900"}),),
    seconds=Seconds(total=2.0, model=1.5, tools=0.5),
)


def rows(home: Path) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(home / "feedback.sqlite")) as connection:
        return connection.execute(
            "select thread, turn, question, answer, thumb, correction from feedback order by thread, turn"
        ).fetchall()


def test_an_answer_is_kept_whole(tmp_path: Path) -> None:
    Feedback(tmp_path / "new").keep("t", 0, "Will 900 leave?", ANSWER, "up", None)
    (row,) = rows(tmp_path / "new")
    assert row[:3] == ("t", 0, "Will 900 leave?")
    assert Answer.model_validate_json(row[3]) == ANSWER
    assert row[4:] == ("up", None)


def test_the_last_thumb_counts_and_the_correction_stays(tmp_path: Path) -> None:
    feedback = Feedback(tmp_path)
    feedback.keep("t", 0, "q", ANSWER, "down", "It's 901 — '; drop table feedback; --")
    feedback.keep("t", 0, "q", ANSWER, "down", "   ")
    assert rows(tmp_path)[0][4:] == ("down", "It's 901 — '; drop table feedback; --")
    feedback.keep("t", 0, "q", ANSWER, "up", None)
    feedback.keep("t", 1, "q", ANSWER, "down", None)
    feedback.keep("u", 0, "q", ANSWER, "down", None)
    assert [(row[0], row[1], row[4]) for row in rows(tmp_path)] == [
        ("t", 0, "up"),
        ("t", 1, "down"),
        ("u", 0, "down"),
    ]


def test_only_thumbs_are_kept(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        Feedback(tmp_path).keep("t", 0, "q", ANSWER, "sideways", None)  # type: ignore[arg-type]
    assert rows(tmp_path) == []
