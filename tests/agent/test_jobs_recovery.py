"""Protects jobs from what dies under them: a worker goes, another goes on; a model is waited for."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from storewise.agent import summaries
from storewise.agent.engine import Served
from storewise.agent.job_store import JobStore
from storewise.agent.job_tables import jobs as table
from storewise.agent.job_tables import workers
from storewise.agent.phrasing import ModelAway, Phrase
from storewise.tools.reviews.groups import Group
from tests.agent.job_helpers import (
    ASKED,
    accounted,
    ended,
    records,
    row_of,
    simple,
    slow,
    submit,
    summaries_of,
    until,
    when,
    working,
    written,
)

SERVED = Served("http://127.0.0.1:9/v1", "fake", "none", compact=False)


@pytest.fixture(autouse=True)
def _without_embeddings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summaries, "summarize", simple)


def test_after_a_stop_a_job_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summaries, "summarize", slow(0.1))
    monkeypatch.setattr("storewise.agent.jobs.BATCH", 6)
    with working(tmp_path) as jobs:
        job_id = submit(jobs, records(30, 3))
        until(lambda: jobs.store.counts(row_of(jobs, job_id)).groups_done >= 5)
    store = JobStore("", tmp_path)
    before = when(store, job_id)
    store.close()
    assert 5 <= len(before) < 30
    with working(tmp_path) as jobs:
        assert ended(jobs.store, job_id) == "done"
        accounted(jobs.store, job_id)
        after = when(jobs.store, job_id)
        assert len(after) == 30
        assert before.items() <= after.items()


def test_a_job_kept_but_not_queued_is_queued_with_the_next_start(tmp_path: Path) -> None:
    store = JobStore("", tmp_path)
    written(tmp_path / "uploads" / "u.jsonl", records(1, 2))
    job_id = store.create("job_" + "0" * 20, "me", ASKED, "u.jsonl", None, "x")
    store.close()
    with working(tmp_path) as jobs:
        assert ended(jobs.store, job_id) == "done"


def test_a_job_that_breaks_every_worker_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summaries, "summarize", slow(3600))
    with working(tmp_path) as jobs:
        job_id = submit(jobs, records(1, 2))
        until(lambda: jobs.store.state(job_id) == "running")
        jobs.store.write(table.update().where(table.c.job_id == job_id).values(recoveries=25))
    with working(tmp_path) as jobs:
        assert ended(jobs.store, job_id).startswith("failed")
        assert "broken off 25 times" in row_of(jobs, job_id)["note"]
        until(lambda: len(jobs.store.rows(sa.select(workers))) == 1)


def test_no_upload_stays_behind(tmp_path: Path) -> None:
    folder = tmp_path / "uploads"
    for name, age in (("old.jsonl", 7200), ("old.part", 7200), ("new.part", 10)):
        at = time.time() - age
        os.utime(written(folder / name, records(1, 1)), (at, at))
    with working(tmp_path) as jobs:
        assert [path.name for path in folder.iterdir()] == ["new.part"]
        failed = submit(jobs, [{"text": ""}], "failed.jsonl")
        assert ended(jobs.store, failed).startswith("failed")
        done = submit(jobs, records(1, 2), "done.jsonl")
        assert ended(jobs.store, done) == "done"
        assert [path.name for path in folder.iterdir()] == ["new.part"]


class Phraser:
    """Phrases as a model would, is down when told so, and counts what it was asked."""

    def __init__(self) -> None:
        self.down = False
        self.asked: list[str] = []

    def __call__(self, served: Served | None) -> Phrase | None:
        async def phrase(group: Group) -> str:
            if self.down:
                raise ModelAway("refused")
            self.asked.append(group.quotes[0].text)
            return f"Customers say: {group.quotes[0].text}"

        return phrase


def test_a_model_that_is_down_is_waited_for_and_asked_once(tmp_path: Path) -> None:
    phraser = Phraser()
    phraser.down = True
    with working(tmp_path, served=lambda: SERVED, phraser=phraser, model_url="http://x/v1") as jobs:
        job_id = submit(jobs, records(2, 4))
        until(lambda: "Waiting for the language model" in str(row_of(jobs, job_id)["note"]))
        phraser.down = False
        assert ended(jobs.store, job_id) == "done"
        assert row_of(jobs, job_id)["note"] is None
        claims = [claim for summary in summaries_of(jobs.store, job_id) for claim in summary.claims]
        assert {claim.phrased_by for claim in claims} == {"model"}
        assert len(phraser.asked) == len(claims)


def test_a_model_that_stays_away_leaves_quotes(tmp_path: Path) -> None:
    phraser = Phraser()
    phraser.down = True
    given: dict[str, Any] = {"model_url": "http://x/v1", "model_patience": 0.5}
    with working(tmp_path, served=lambda: SERVED, phraser=phraser, **given) as jobs:
        job_id = submit(jobs, records(5, 4))
        assert ended(jobs.store, job_id) == "done"
        assert "customers' own words" in row_of(jobs, job_id)["note"]
        accounted(jobs.store, job_id)
        claims = [claim for summary in summaries_of(jobs.store, job_id) for claim in summary.claims]
        assert {claim.phrased_by for claim in claims} == {"quote"}
