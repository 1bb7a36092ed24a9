"""Protects jobs on Postgres: the same as on SQLite, and several workers who take over from one another."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from storewise.agent import summaries
from storewise.agent.client import Client
from storewise.agent.job_store import JobStore
from storewise.agent.job_tables import workers
from storewise.benchmarks.kills import App, audit, made_up
from tests.agent.job_helpers import (
    accounted,
    ended,
    records,
    row_of,
    simple,
    slow,
    submit,
    until,
    when,
    working,
)
from tests.postgres import running_postgres


@pytest.fixture(autouse=True)
def _without_embeddings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summaries, "summarize", simple)


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """The address of a Postgres of this test's own."""
    with running_postgres() as address:
        yield address


def test_jobs_run_on_postgres(tmp_path: Path, postgres: str) -> None:
    odd = {"text": "Good\x00 taste\x1b, \ud83d really", "review_id": "n\x00", "product_id": "P\x00"}
    with working(tmp_path, jobs_url=postgres) as jobs:
        job_id = submit(jobs, [*records(5, 6), odd, {"text": "x", "rating": 9}], key="k")
        assert submit(jobs, [], "again.jsonl", key="k") == job_id
        assert ended(jobs.store, job_id) == "done"
        accounted(jobs.store, job_id)
        counts = jobs.store.counts(row_of(jobs, job_id))
        assert (counts.reviews, counts.bad_lines, counts.groups) == (31, 1, 6)
    assert not (tmp_path / "jobs.sqlite").exists()


def test_on_postgres_another_worker_takes_over_from_a_dead_one(
    tmp_path: Path, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summaries, "summarize", slow(0.1))
    monkeypatch.setattr("storewise.agent.jobs.BATCH", 6)
    with working(tmp_path, jobs_url=postgres) as jobs:
        job_id = submit(jobs, records(30, 3))
        until(lambda: jobs.store.counts(row_of(jobs, job_id)).groups_done >= 5)
    # As if it had died on another machine, long ago.
    store = JobStore(postgres, tmp_path)
    store.write(workers.update().values(host="elsewhere", pid=4711, beat_at=time.time() - 3600))
    before = when(store, job_id)
    store.close()
    with working(tmp_path, jobs_url=postgres) as jobs:
        assert ended(jobs.store, job_id) == "done"
        accounted(jobs.store, job_id)
        assert before.items() <= when(jobs.store, job_id).items()
        assert len(jobs.store.rows(sa.select(workers))) == 1


def told(store: JobStore, engine: sa.Engine, folder: Path) -> str:
    """Return where the jobs and their workers stand, and the ends of the apps' logs."""
    with engine.connect() as connection:
        steps = "SELECT workflow_uuid, status, executor_id, queue_name FROM dbos.workflow_status"
        found = [dict(row) for row in connection.execute(sa.text(steps)).mappings()]
    logs = [path.read_text(errors="replace")[-3000:] for path in sorted(folder.glob("app-*.log"))]
    return "\n".join([str(store.rows(sa.select(workers))), str(found), *logs])


def test_two_workers_share_a_queue_and_one_is_killed(tmp_path: Path, postgres: str) -> None:
    """Two real processes on one queue; kill -9 of the one that works, and the other ends its job."""
    with closing(JobStore(postgres, tmp_path)) as store:
        environment = {"STOREWISE_JOBS_URL": postgres}
        engine = sa.create_engine(postgres.replace("postgresql", "postgresql+psycopg"))
        apps = [App(tmp_path, environment), App(tmp_path, environment)]
        try:
            for app in apps:
                app.start()
            for app in apps:
                app.answering()
            made_up(tmp_path / "reviews.jsonl", 0, 20, 4)
            with Client(apps[0].url) as client:
                job_id = client.upload(tmp_path / "reviews.jsonl").job_id
            until(lambda: len(when(store, job_id)) >= 2, 300)
            before = when(store, job_id)
            works = "SELECT executor_id FROM dbos.workflow_status WHERE workflow_uuid = :job"
            with engine.connect() as connection:
                worker = str(connection.execute(sa.text(works), {"job": job_id}).scalar_one())
            (victim,) = (app for app in apps if worker.startswith(f"worker-{app.pid}-"))
            victim.kill()
            assert before.items() <= when(store, job_id).items()
            try:
                assert ended(store, job_id, 300) == "done"
            except AssertionError as error:
                raise AssertionError(told(store, engine, tmp_path)) from error
            assert before.items() <= when(store, job_id).items()
            assert audit(store, job_id, 20, 4) == []
        finally:
            engine.dispose()
            for app in apps:
                app.kill()
