"""Protects jobs from what dies under them: a worker goes, another goes on; a model is waited for."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest
import sqlalchemy as sa

from storewise.agent import job_workers, summaries
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


def test_a_worker_lives_on_when_the_clock_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time of day at which a process began moves with the clock; a worker is not held for dead by it."""
    with working(tmp_path) as jobs:
        (row,) = jobs.store.rows(sa.select(workers))
        assert not job_workers._dead(row)
        create_time, boot_time = psutil.Process.create_time, psutil.boot_time
        monkeypatch.setattr(psutil.Process, "create_time", lambda self: create_time(self) + 90.0)
        monkeypatch.setattr(psutil, "boot_time", lambda: boot_time() + 90.0)
        assert not job_workers._dead(row)
        monkeypatch.setattr(psutil, "boot_time", boot_time)
        assert job_workers._dead(row), "another process of the same number is not this worker"


def test_a_worker_held_for_dead_reports_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_workers, "BEAT", 0.1)
    with working(tmp_path) as jobs:
        before = jobs.store.rows(sa.select(workers))
        jobs.store.write(workers.delete())
        until(lambda: len(jobs.store.rows(sa.select(workers))) == 1)
        (after,) = jobs.store.rows(sa.select(workers))
        assert (after["worker_id"], after["pid"]) == (before[0]["worker_id"], os.getpid())
        assert not job_workers._dead(after)


@pytest.mark.parametrize("of_this_worker", [True, False])
def test_a_job_that_nobody_does_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, of_this_worker: bool
) -> None:
    """A job in the hands of a worker without a row, or of one that lost it on the way from the queue."""
    monkeypatch.setattr(job_workers, "BEAT", 0.1)
    with working(tmp_path) as jobs, closing(sqlite3.connect(tmp_path / "job-steps.sqlite")) as steps:
        monkeypatch.setattr(jobs.workers, "_queue", "nobody-listens-to-this")
        job_id = submit(jobs, records(2, 3))
        owner = jobs.workers.worker_id if of_this_worker else "worker-1-forgotten"
        with steps:
            taken = "UPDATE workflow_status SET status = 'PENDING', executor_id = ? WHERE workflow_uuid = ?"
            assert steps.execute(taken, (owner, job_id)).rowcount == 1
        monkeypatch.undo()
        monkeypatch.setattr(summaries, "summarize", simple)
        assert ended(jobs.store, job_id) == "done"
        accounted(jobs.store, job_id)


def test_a_job_that_is_being_done_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_workers, "BEAT", 0.05)
    monkeypatch.setattr(summaries, "summarize", slow(1.0))
    with working(tmp_path) as jobs:
        recovered: list[str] = []
        monkeypatch.setattr(jobs.workers, "_recover", recovered.append)
        job_id = submit(jobs, records(2, 3))
        assert ended(jobs.store, job_id) == "done"
        assert not recovered


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
