"""Thumbs and corrections, kept in SQLite beside the shop's generations."""

from __future__ import annotations

import datetime as dt
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Literal

from storewise.agent.answer import Answer

Thumb = Literal["up", "down"]

_TABLE = """
create table if not exists feedback (
    thread text not null,
    turn integer not null,
    question text not null,
    answer text not null,
    thumb text not null check (thumb in ('up', 'down')),
    correction text,
    kept_at text not null,
    primary key (thread, turn)
)
"""
# A second click on the same answer replaces the first; a correction once written stays until rewritten.
_KEEP = """
insert into feedback values (?, ?, ?, ?, ?, ?, ?)
on conflict (thread, turn) do update set
    question = excluded.question,
    answer = excluded.answer,
    thumb = excluded.thumb,
    correction = coalesce(excluded.correction, correction),
    kept_at = excluded.kept_at
"""


class Feedback:
    """What people thought of the answers: `feedback.sqlite` in `home`, one row a judged answer."""

    def __init__(self, home: Path) -> None:
        self.path = home / "feedback.sqlite"

    def keep(
        self,
        thread: str,
        turn: int,
        question: str,
        answer: Answer,
        thumb: Thumb,
        correction: str | None = None,
    ) -> None:
        """Keep a thumb, and the correction if one was written, with the whole answer as JSON.

        Args:
            thread: the conversation.
            turn: the answer's place in it, from 0.
            question: what was asked.
            answer: what was answered, with its calls and findings.
            thumb: up or down.
            correction: what would have been right, in the person's words.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        kept_at = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        said = (correction or "").strip() or None
        row = (thread, turn, question, answer.model_dump_json(), thumb, said, kept_at)
        with closing(sqlite3.connect(self.path, timeout=10)) as connection, connection:
            connection.execute(_TABLE)
            connection.execute(_KEEP, row)
