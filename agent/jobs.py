"""Durable jobs: reviews taken in, summarized group by group, gone on with after any crash.

dbos keeps which steps are done (SQLite files in the home, or Postgres); results stand in tables under
(job, group, part), so that a step broken off half-way and done again neither loses nor doubles anything.

    take in (one step) -> plan (one step) -> batches of groups (a step each) -> large groups merged -> done

A worker's sign of life tells the others when its jobs are to be gone on with elsewhere.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import logging
import secrets
import threading
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import CancelledError
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer
from dbos import error as dbos_error
from sqlalchemy.exc import SQLAlchemyError

from storewise.agent import phrasing, summaries
from storewise.agent.engine import Served
from storewise.agent.job_store import WHOLE, JobStore, Line, Row
from storewise.agent.job_workers import Workers
from storewise.agent.phrasing import ModelAway, NotPhrased, Phrase
from storewise.agent.selection import Selection, SelectionError, selected
from storewise.agent.settings import Settings
from storewise.agent.uploads import Kind, UploadError, read
from storewise.tools.reviews.groups import Group
from storewise.tools.reviews.index import NoIndex, open_index
from storewise.tools.reviews.known import Embedded, Known
from storewise.tools.reviews.summary import Length, Review, Summary
from storewise.tools.shop.generation import ShopError, current, open_shop

logger = logging.getLogger(__name__)

QUEUE = "storewise-jobs"
JOBS_AT_ONCE = 200  # of one worker: they share its slots, so that huge ones do not keep a small one waiting
SLOTS = 12  # groups that one worker summarizes at once, of all its jobs in turn
PART = 1000  # reviews; a larger group is summarized in parts and then merged
BATCH = 200  # reviews in one durable step, at least one part
ROUND = 32  # steps begun at once
INTAKE = 2000  # lines written at once: each write waits for the disk
INTAKES = 2  # such pieces that one worker reads at once, of all its jobs in turn
ABANDONED = 3600.0  # seconds after which an upload that no job needs is deleted

Read = tuple[int, Row | None, Line | None]

_running: Jobs | None = None


class JobError(Exception):
    """A job cannot be taken; the message says why and what to do."""


class Jobs:
    """The jobs of this process. One at a time may be started: dbos knows one application a process."""

    def __init__(
        self,
        settings: Settings,
        served: Callable[[], Served | None] = lambda: None,
        phraser: Callable[[Served | None], Phrase | None] = phrasing.phraser,
    ) -> None:
        self.settings = settings
        self.store = JobStore(settings.jobs_url, settings.home)
        self.slots = asyncio.Semaphore(SLOTS)
        self.intakes = asyncio.Semaphore(INTAKES)
        self._own: dict[str, asyncio.Semaphore] = {}
        self._served = served
        self._phraser = lru_cache(maxsize=8)(phraser)
        self._loop: asyncio.AbstractEventLoop | None = None  # the one that jobs run in
        self._gave_up = 0.0
        self._embedded = Embedded()
        self.workers = Workers(self.store, QUEUE, run_job)
        self._started = threading.Event()

    @property
    def uploads(self) -> Path:
        """The folder where uploads lie until they are taken in."""
        return self.settings.home / "uploads"

    @property
    def ready(self) -> bool:
        """Whether jobs are being worked on."""
        return self._started.is_set()

    def start(self) -> None:
        """Begin to work, first on what a crash has left. Not to be called from an event loop's thread."""
        global _running
        if _running is not None:
            raise JobError("Jobs are worked on in this process already.")
        _running = self
        self._clean()
        url = self.settings.jobs_url or f"sqlite:///{self.settings.home.absolute() / 'job-steps.sqlite'}"
        config: DBOSConfig = {
            "name": "storewise",
            "system_database_url": url,
            # Steps are safe to go on with after an upgrade, so that no version of the code locks jobs out.
            "application_version": "1",
            "executor_id": self.workers.worker_id,
            # The default pickles.
            "serializer": DBOSPortableJSONSerializer(),
            # What goes wrong in a job is told by the job; dbos logs a traceback for every cancellation.
            "log_level": "CRITICAL",
        }
        DBOS(config=config)
        self.workers.report()
        DBOS.launch()
        DBOS.register_queue(QUEUE, worker_concurrency=JOBS_AT_ONCE, polling_interval_sec=0.2)
        self.workers.start()
        self._started.set()

    def stop(self) -> None:
        """Stop working; unfinished jobs go on with the next start."""
        global _running
        if _running is self:
            self._started.clear()
            self.workers.stop()
            if self._loop is not None and self._loop.is_running():
                with suppress(TimeoutError, RuntimeError, CancelledError):
                    asyncio.run_coroutine_threadsafe(phrasing.disconnect(), self._loop).result(timeout=10)
            DBOS.destroy()
            self.workers.leave()
            _running = None
        self.store.close()

    def admit(self, owner: str, key: str | None = None) -> None:
        """Say whether one more job of `owner` would be taken.

        Raises:
            JobError: too many are unfinished, and `key` was not used for one of them.
        """
        most = self.settings.unfinished_jobs
        if len(self.store.unfinished(owner)) >= most and not (
            key is not None and self.store.replay(owner, key)
        ):
            raise JobError(f"{most} jobs wait or run already. Wait for one to end, or cancel one.")

    def submit(
        self,
        owner: str,
        request: dict[str, Any],
        upload: str | None = None,
        key: str | None = None,
        fingerprint: str | None = None,
    ) -> tuple[str, bool]:
        """Take a job and return its id and whether it is new (not so if `key` was used for it before).

        Raises:
            JobError: the owner has too many unfinished jobs.
            KeyReused: `key` was used for another request.
        """
        self.admit(owner, key)
        whole = json.dumps(request, sort_keys=True, default=str)
        print_ = hashlib.sha256(f"{whole}\n{fingerprint or ''}".encode()).hexdigest()
        job_id = f"job_{secrets.token_hex(10)}"
        kept = self.store.create(job_id, owner, request, upload, key, print_)
        if kept == job_id:
            self.workers.enqueue(job_id)
        return kept, kept == job_id

    def cancel(self, job_id: str) -> None:
        """End a job where it is; what is finished stays. One that has ended stays as it is."""
        if self.store.move(job_id, "cancelled"):
            with suppress(dbos_error.DBOSNonExistentWorkflowError):
                DBOS.cancel_workflow(job_id)
            self._tidy(self.store.job(job_id))

    def delete(self, job_id: str) -> None:
        """End a job and delete everything of it."""
        self.cancel(job_id)
        self._tidy(self.store.job(job_id))
        self.store.forget(job_id)

    def _tidy(self, job: sa.RowMapping | None) -> None:
        """Delete what was uploaded."""
        if job is not None and job["upload"] is not None:
            (self.uploads / job["upload"]).unlink(missing_ok=True)

    def _clean(self) -> None:
        """Delete uploads that no unfinished job needs: what a crash has left."""
        needed = self.store.uploads_needed()
        for path in self.uploads.glob("*"):
            with suppress(FileNotFoundError):
                if path.name not in needed and time.time() - path.stat().st_mtime > ABANDONED:
                    path.unlink()

    # What the steps do

    async def take_in(self, job_id: str) -> bool:
        """Read the job's reviews into the store; say whether there is something to summarize."""
        job = await asyncio.to_thread(self.store.job, job_id)
        if job is None or not await asyncio.to_thread(self.store.move, job_id, "running"):
            return False
        await asyncio.to_thread(self.store.begin_intake, job_id)
        found = self._found(job)
        total = 0
        try:
            while True:
                # A place for each piece: a huge file lets others in between.
                async with self.intakes:
                    taken = await asyncio.to_thread(self._take, job_id, found)
                if taken is None:
                    return False
                if taken == 0:
                    break
                total += taken
        except FileNotFoundError:
            return await asyncio.to_thread(self._fail, job, "The uploaded file is gone. Send it again.")
        except (UploadError, SelectionError, ShopError, NoIndex) as error:
            return await asyncio.to_thread(self._fail, job, str(error))
        finally:
            await asyncio.to_thread(found.close)
        return await asyncio.to_thread(self._plan, job, total)

    def _found(self, job: sa.RowMapping) -> Generator[Read]:
        request = json.loads(job["request"])
        if job["upload"] is not None:
            kind: Kind = request["format"]
            yield from read(self.uploads / job["upload"], kind, request["group_by"])
            return
        shop = open_shop(self.settings.home)
        try:
            yield from selected(shop, Selection.model_validate(request))
        finally:
            shop.close()

    def _take(self, job_id: str, found: Iterator[Read]) -> int | None:
        """Write the next lines; return how many, 0 at the end, None if the job was ended meanwhile."""
        piece = list(itertools.islice(found, INTAKE))
        rows = [row for _, row, _ in piece if row is not None]
        told = [line for _, _, line in piece if line is not None]
        return len(piece) if not piece or self.store.take(job_id, rows, told) else None

    def _plan(self, job: sa.RowMapping, lines: int) -> bool:
        job_id = job["job_id"]
        counted = [
            {"number": n, "subject": subject, "label": subject, "reviews": count, "parts": -(-count // PART)}
            for n, (subject, count) in enumerate(self.store.subjects(job_id))
        ]
        self.store.plan(job_id, counted, lines)
        if counted:
            return True
        why = f"None of the {lines:,} lines holds a review that can be taken; see the lines' problems."
        return self._fail(job, why if lines else "There is no line with a review in it.")

    def _fail(self, job: sa.RowMapping, note: str) -> bool:
        self.store.move(job["job_id"], "failed", note)
        self._tidy(job)
        return False

    def batches(self, job_id: str) -> list[list[list[int]]]:
        """Return the parts [group, part] of all groups, as many together as one durable step does.

        The upload is not needed from here on.
        """
        self._tidy(self.store.job(job_id))
        found: list[list[list[int]]] = []
        size = BATCH
        for group in self.store.planned(job_id):
            for part in range(group["parts"]):
                reviews = min(PART, group["reviews"] - part * PART)
                if size + reviews > BATCH:
                    found.append([])
                    size = 0
                # A group in one part is whole with it.
                found[-1].append([group["number"], part if group["parts"] > 1 else WHOLE])
                size += reviews
        return found

    async def work(self, job_id: str, parts: list[list[int]]) -> int:
        """Summarize some parts, those with a result excepted; return how many were new."""
        done = await asyncio.to_thread(self.store.finished, job_id, [number for number, _ in parts])
        own = self._own.setdefault(job_id, asyncio.Semaphore(SLOTS))

        async def one(number: int, part: int) -> bool:
            # First a place among this job's groups, then one among all: a huge job lets others in between.
            async with own, self.slots:
                running = await asyncio.to_thread(self.store.state, job_id) == "running"
                return running and await self._summarize(job_id, number, part)

        left = [(number, part) for number, part in parts if (number, part) not in done]
        new = await asyncio.gather(*(one(*which) for which in left), return_exceptions=True)
        for found in new:
            if isinstance(found, BaseException):
                raise found
        return sum(map(bool, new))

    async def _summarize(self, job_id: str, number: int, part: int) -> bool:
        began = time.time()
        job = await asyncio.to_thread(self.store.job, job_id)
        if job is None:
            return False
        length: Length = json.loads(job["request"]).get("length", "medium")
        offset = max(part, 0) * PART
        contents = await asyncio.to_thread(self.store.part, job_id, number, offset, PART)
        summary, problem = None, None
        try:
            reviews = [Review.model_validate_json(content) for content in contents]
            encode = await summaries.computed(self._encode, [review.text for review in reviews])
            found = await summaries.summarize(
                reviews, length, self._phrase(job_id), encode, judge=encode.judged
            )
            summary = found.model_dump_json()
        except SQLAlchemyError:
            raise
        except Exception as error:
            logger.exception("a group could not be summarized")
            problem = f"This group could not be summarized ({type(error).__name__}: {str(error)[:200]})."
        return await asyncio.to_thread(
            self.store.finish, job_id, number, part, len(contents), summary, problem, time.time() - began
        )

    def _encode(self, texts: list[str]) -> Embedded | Known:
        """Return what embeds and judges sentences; those of texts that the shop's index holds are looked up there."""
        generation = current(self.settings.home)
        try:
            index = None if generation is None else open_index(generation / "reviews")
        except NoIndex:
            index = None
        return self._embedded if index is None else Known(index, texts, self._embedded)

    async def merge(self, job_id: str, number: int) -> bool:
        """Put a large group's parts together."""
        began = time.time()
        job = await asyncio.to_thread(self.store.job, job_id)
        if job is None or (number, WHOLE) in await asyncio.to_thread(self.store.finished, job_id, [number]):
            return False
        rows = await asyncio.to_thread(self.store.parts_of, job_id, number)
        length: Length = json.loads(job["request"]).get("length", "medium")
        problem = next((row["problem"] for row in rows if row["problem"]), None)
        summary = None
        if problem is None:
            parts = [Summary.model_validate_json(row["summary"]) for row in rows]
            summary = (
                await summaries.computed(summaries.merged, parts, length, self._embedded)
            ).model_dump_json()
        seconds = time.time() - began
        # Its reviews were counted with the parts.
        return await asyncio.to_thread(self.store.finish, job_id, number, WHOLE, 0, summary, problem, seconds)

    def _phrase(self, job_id: str) -> Phrase | None:
        """Return what phrases a group: each once and for all, waiting for a model that is down."""
        if not phrasing.phrases_expected(self.settings) and self._phraser(self._served()) is None:
            return None

        async def phrase(group: Group) -> str:
            words = "\n".join(f"{quote.review_id}\t{quote.text}" for quote in group.quotes)
            key = hashlib.sha256(words.encode()).hexdigest()
            said = await asyncio.to_thread(self.store.phrase, job_id, key)
            if said is None:
                said = await self._said(job_id, group)
                await asyncio.to_thread(self.store.keep_phrase, job_id, key, said)
            return said

        return phrase

    async def _said(self, job_id: str, group: Group) -> str:
        self._loop = asyncio.get_running_loop()
        until = time.monotonic() + self.settings.model_patience
        waits = False
        while True:
            served = self._served()
            ask = self._phraser(served) if served is not None else None
            if served is not None and ask is None:
                raise NotPhrased("this model does not phrase")
            if ask is not None:
                try:
                    said = await ask(group)
                except ModelAway:
                    pass
                else:
                    self._gave_up = 0.0
                    if waits:
                        await asyncio.to_thread(self.store.annotate, job_id, None)
                    return said
            # Who waited in vain once does not wait again for each group.
            if time.monotonic() > until or time.monotonic() - self._gave_up < 60:
                self._gave_up = time.monotonic()
                note = "The language model did not answer, so some claims are customers' own words."
                await asyncio.to_thread(self.store.annotate, job_id, note)
                raise NotPhrased(note)
            if not waits:
                waits = True
                note = "Waiting for the language model, which does not answer just now."
                await asyncio.to_thread(self.store.annotate, job_id, note)
            await asyncio.sleep(1.0)
            if await asyncio.to_thread(self.store.state, job_id) != "running":
                raise NotPhrased("the job has ended")


def _jobs() -> Jobs:
    if _running is None:
        raise JobError("Jobs are not worked on in this process.")
    return _running


# A step whose database is away for a while is tried again; anything else in it is kept as a result.
_RETRIED: dict[str, Any] = {"retries_allowed": True, "max_attempts": 8, "interval_seconds": 1.0}


@DBOS.step(name="take_in", **_RETRIED)
async def _take_in(job_id: str) -> bool:
    return await _jobs().take_in(job_id)


@DBOS.step(name="plan", **_RETRIED)
async def _plan(job_id: str) -> list[list[list[int]]]:
    return await asyncio.to_thread(_jobs().batches, job_id)


@DBOS.step(name="work", **_RETRIED)
async def _work(job_id: str, parts: list[list[int]]) -> int:
    return await _jobs().work(job_id, parts)


@DBOS.step(name="merge", **_RETRIED)
async def _merge(job_id: str, number: int) -> bool:
    return await _jobs().merge(job_id, number)


@DBOS.step(name="finish", **_RETRIED)
async def _finish(job_id: str) -> bool:
    return await asyncio.to_thread(_jobs().store.move, job_id, "done")


async def _whole(job_id: str) -> None:
    if not await _take_in(job_id):
        return
    batches = await _plan(job_id)
    for start in range(0, len(batches), ROUND):
        await asyncio.gather(*(_work(job_id, batch) for batch in batches[start : start + ROUND]))
    for number in dict.fromkeys(n for batch in batches for n, part in batch if part != WHOLE):
        await _merge(job_id, number)
    await _finish(job_id)


@DBOS.workflow(name="storewise_job")
async def run_job(job_id: str) -> None:
    """Do a whole job. After a crash dbos calls it again and hands back what its finished steps returned."""
    try:
        with _jobs().workers.at_work(job_id):
            await _whole(job_id)
    except dbos_error.DBOSException as error:
        if _running is None:
            raise
        note = f"The job could not go on ({str(error)[:300]}). Start it again."
        await asyncio.to_thread(_running.store.move, job_id, "failed", note)
        raise
