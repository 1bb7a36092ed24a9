"""Protects jobs on Postgres: the same as on SQLite, and several workers who take over from one another."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from storewise.agent import summaries
from storewise.agent.client import Client
from storewise.agent.engine import free_port
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


@pytest.fixture(autouse=True)
def _without_embeddings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summaries, "summarize", simple)


POSTGRES = Path("/usr/local/bin/postgres")


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Postgres of this test's own."""
    binary = shutil.which("postgres") or (str(POSTGRES) if POSTGRES.exists() else None)
    if binary is None:
        pytest.skip("there is no postgres on this machine")
    tools = Path(os.path.realpath(binary)).parent
    if not (tools / "initdb").exists():
        pytest.skip("there is a postgres on this machine, but no initdb beside it")
    folder = tmp_path_factory.mktemp("postgres")
    user: dict[str, Any] = {}
    if os.getuid() == 0:
        # Postgres refuses to run as root.
        user = {"user": pwd.getpwnam("nobody").pw_uid}
        shutil.rmtree(folder)
        folder = Path(
            subprocess.check_output(["mktemp", "-d", "/tmp/storewise-pg-XXXXXX"], text=True).strip()
        )
        os.chown(folder, user["user"], -1)
    data, port = folder / "data", free_port()
    settled = ["-U", "storewise", "--auth=trust", "-E", "UTF8", "--locale=C", "--no-sync"]
    subprocess.run([tools / "initdb", "-D", data, *settled], check=True, capture_output=True, cwd="/", **user)
    command = [tools / "postgres", "-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", folder, "-F"]
    log = (folder / "log").open("wb") if not user else subprocess.DEVNULL
    server = subprocess.Popen(list(map(str, command)), stdout=log, stderr=log, cwd="/", **user)
    address = f"postgresql://storewise@127.0.0.1:{port}/postgres"
    engine = sa.create_engine(address.replace("postgresql", "postgresql+psycopg"))

    def answers() -> bool:
        try:
            engine.connect().close()
        except sa.exc.OperationalError:
            return False
        return True

    try:
        until(answers, 30)
        yield address
    finally:
        engine.dispose()
        server.terminate()
        server.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


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
            made_up(tmp_path / "reviews.jsonl", 0, 20, 12)
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
            assert ended(store, job_id, 300) == "done"
            assert before.items() <= when(store, job_id).items()
            assert audit(store, job_id, 20, 12) == []
        finally:
            engine.dispose()
            for app in apps:
                app.kill()
