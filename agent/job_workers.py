"""Workers of the jobs' queue: their signs of life, and how the jobs of a dead one are gone on with."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psutil
import sqlalchemy as sa
from dbos import DBOS, SetWorkflowID

from storewise.agent.job_store import JobStore
from storewise.agent.job_tables import workers

logger = logging.getLogger(__name__)

BEAT = 5.0  # seconds between two signs of life
DEAD = 60.0  # seconds without one after which a worker on another machine counts as dead
MOST_RECOVERIES = 25  # of one job without a part finished in between: then the job itself is the cause


class Workers:
    """This process as a worker among others."""

    def __init__(self, store: JobStore, queue: str, job: Callable[[str], Coroutine[Any, Any, None]]) -> None:
        self.worker_id = f"worker-{os.getpid()}-{secrets.token_hex(6)}"
        self._store = store
        self._queue = queue
        self._job = job
        self._at_work: Counter[str] = Counter()
        self._idle: set[tuple[str, str | None]] = set()  # (job, its worker) that nobody did at the last look
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def report(self) -> None:
        """Say that this worker lives; to be done before it takes its first job."""
        alive = {
            "host": _host(),
            "pid": os.getpid(),
            "pid_since": _since(os.getpid()),
            "beat_at": time.time(),
        }
        mine = workers.update().where(workers.c.worker_id == self.worker_id).values(alive)
        # Another may have held this worker for dead: without a row, nobody would take over from it.
        if not self._store.write(mine):
            self._store.write(workers.insert().values(worker_id=self.worker_id, **alive))

    def start(self) -> None:
        """Take over what dead workers have left, and give signs of life, from now on."""
        self._thread = threading.Thread(target=self._run, name="job-workers", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the signs of life."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def leave(self) -> None:
        """Say that this worker's unfinished jobs are free, after it has stopped working on them."""
        gone = workers.update().where(workers.c.worker_id == self.worker_id).values(pid=0, beat_at=0.0)
        self._store.write(gone)

    @contextmanager
    def at_work(self, job_id: str) -> Iterator[None]:
        """Say, as long as it lasts, that this worker does a job."""
        self._at_work[job_id] += 1
        try:
            yield
        finally:
            self._at_work[job_id] -= 1

    def enqueue(self, job_id: str) -> None:
        """Hand a job to the queue; done twice, it changes nothing."""
        with SetWorkflowID(job_id):
            DBOS.enqueue_workflow(self._queue, self._job, job_id)

    def _run(self) -> None:
        while True:
            try:
                self.report()
                self._take_over()
                self._mend()
            except Exception:
                logger.exception("a sign of life failed")
            if self._stopping.wait(BEAT):
                return

    def _take_over(self) -> None:
        """Put the jobs of dead workers back into the queue."""
        for other in self._store.rows(sa.select(workers).where(workers.c.worker_id != self.worker_id)):
            if not _dead(other):
                continue
            of = workers.c.worker_id == other["worker_id"]
            # Whoever moves the time of its last sign takes over; if it dies at that, another will.
            moved = workers.update().where(of, workers.c.beat_at == other["beat_at"])
            claim = time.time() - (DEAD - 3 * BEAT) if other["pid"] else -time.time()
            if not self._store.write(moved.values(beat_at=claim)):
                continue
            for workflow in DBOS.list_workflows(
                status="PENDING", executor_id=other["worker_id"], load_input=False, load_output=False
            ):
                self._recover(workflow.workflow_id)
            self._store.write(workers.delete().where(of))

    def _recover(self, job_id: str) -> None:
        if self._store.recovered(job_id) > MOST_RECOVERIES:
            note = (
                f"The job was broken off {MOST_RECOVERIES} times without getting anywhere, so it was ended. "
                "Start it again with fewer reviews; see the server's log."
            )
            if self._store.move(job_id, "failed", note):
                DBOS.cancel_workflow(job_id)
                return
        DBOS.resume_workflow(job_id, queue_name=self._queue)

    def _mend(self) -> None:
        """Queue jobs that nobody works on, whatever crash left them so; close those that ended unsaid."""
        unfinished = self._store.unfinished()
        if not unfinished:
            return
        known = {
            workflow.workflow_id: workflow
            for workflow in DBOS.list_workflows(workflow_ids=unfinished, load_input=False, load_output=False)
        }
        others = {row["worker_id"] for row in self._store.rows(sa.select(workers.c.worker_id))}
        others.discard(self.worker_id)
        idle: set[tuple[str, str | None]] = set()
        for job_id in unfinished:
            workflow = known.get(job_id)
            if workflow is None:
                self.enqueue(job_id)
            elif workflow.status in ("ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"):
                self._store.move(job_id, "failed", "The job broke off; start it again.")
            elif workflow.status == "PENDING" and workflow.executor_id not in others:
                if not self._at_work[job_id]:
                    idle.add((job_id, workflow.executor_id))
        # Seen so twice: what was only about to begin has begun by then.
        for job_id, _ in idle & self._idle:
            self._recover(job_id)
        self._idle = idle


def _dead(worker: sa.RowMapping) -> bool:
    """Say whether a worker is dead: its process is gone, or it gave no sign for long."""
    if worker["pid"] == 0:
        return True
    if worker["host"] == _host():
        return bool(abs(_since(worker["pid"]) - worker["pid_since"]) > 1.0)
    return bool(time.time() - worker["beat_at"] > DEAD)


def _since(pid: int) -> float:
    """Return how many seconds after the machine's start a process began, -1 if there is none of this number.

    A time of day would not do: it moves for all processes when the clock is set.
    """
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        if process.status() != psutil.STATUS_ZOMBIE:
            return float(process.create_time() - psutil.boot_time())
    return -1.0


def _host() -> str:
    """Return a name for the machine, or the container, within which process numbers mean the same."""
    try:
        space = os.readlink("/proc/self/ns/pid")
    except OSError:
        space = ""
    return f"{socket.gethostname()} {space}".strip()[:200]
