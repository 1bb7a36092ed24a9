"""What is kept of jobs: requests, reviews taken in, lines with a problem, results. SQLite or Postgres.

Every result has its key (job, group, part), and one that is there already stays: a step that is done
again after a crash changes nothing.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from storewise.agent.job_tables import groups, jobs, lines, meta, phrases, replays, results, reviews

State = Literal["queued", "running", "done", "cancelled", "failed"]
UNFINISHED: tuple[State, ...] = ("queued", "running")
WHOLE = -1  # the part number under which a group's own summary stands

_OF_A_JOB = (reviews, lines, groups, results, phrases)


class KeyReused(Exception):
    """An Idempotency-Key came back with another request."""


@dataclass(frozen=True)
class Line:
    """A line of the input with something to say of it: bad (not taken), repeated, left_out or note."""

    number: int
    kind: Literal["bad", "repeated", "left_out", "note"]
    reason: str


@dataclass(frozen=True)
class Row:
    """A review on its way into a job: its line, what it is about, and its content as JSON."""

    number: int
    review_id: str
    subject: str
    text_hash: str
    content: str


@dataclass(frozen=True)
class Counts:
    """How far a job is."""

    lines: int | None
    reviews: int
    bad_lines: int
    repeated: int
    left_out: int
    groups: int
    groups_done: int
    groups_failed: int
    reviews_done: int


def database_url(url: str, home: Path) -> str:
    """Return SQLAlchemy's address of the jobs' tables: Postgres by psycopg, or a file of `home`."""
    if not url:
        home.mkdir(parents=True, exist_ok=True)
        return f"sqlite:///{home.absolute() / 'jobs.sqlite'}"
    return sa.make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


class JobStore:
    """The tables of jobs. Threads may share it; so may processes."""

    def __init__(self, url: str, home: Path) -> None:
        address = database_url(url, home)
        self.embedded = address.startswith("sqlite")
        self._engine = sa.create_engine(address, pool_pre_ping=not self.embedded)
        self._insert: Any = sqlite.insert if self.embedded else postgresql.insert
        if self.embedded:
            sa.event.listen(self._engine, "connect", _settle)
        with self._engine.begin() as connection:
            if not self.embedded:
                # Two workers that start at once would both create the tables.
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(73819)"))
            meta.create_all(connection)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def rows(self, statement: sa.Select[Any]) -> list[sa.RowMapping]:
        """Return the rows of a SELECT."""
        with self._engine.connect() as connection:
            return list(connection.execute(statement).mappings())

    def one(self, statement: sa.Select[Any]) -> sa.RowMapping | None:
        """Return the first row of a SELECT, if any."""
        found = self.rows(statement.limit(1))
        return found[0] if found else None

    def write(self, *statements: sa.Executable) -> int:
        """Run changes in one transaction and return how many rows the last one touched."""
        count = 0
        with self._engine.begin() as connection:
            for statement in statements:
                result: Any = connection.execute(statement)
                count = result.rowcount
        return count

    def _inserted(self, connection: sa.Connection, table: sa.Table, row: dict[str, Any]) -> bool:
        """Insert a row unless its key is there already; say whether it was new."""
        first = next(iter(table.primary_key.columns))
        wanted = self._insert(table).values(row).on_conflict_do_nothing().returning(first)
        return connection.execute(wanted).first() is not None

    # Jobs

    def create(
        self,
        job_id: str,
        owner: str,
        request: dict[str, Any],
        upload: str | None,
        key: str | None,
        print_: str,
    ) -> str:
        """Keep a new job and return its id; with an Idempotency-Key that was used before, the earlier job's.

        Raises:
            KeyReused: the key was used for another request (`print_` is the request's fingerprint).
        """
        with self._engine.begin() as connection:
            if key is not None:
                row = {"owner": owner, "key": key, "fingerprint": print_, "job_id": job_id}
                new = self._inserted(connection, replays, row)
                if not new:
                    before = (
                        connection.execute(
                            sa.select(replays).where(replays.c.owner == owner, replays.c.key == key)
                        )
                        .mappings()
                        .one()
                    )
                    if before["fingerprint"] != print_:
                        raise KeyReused
                    return str(before["job_id"])
            connection.execute(
                jobs.insert().values(
                    job_id=job_id,
                    owner=owner,
                    request=json.dumps(request),
                    state="queued",
                    upload=upload,
                    created_at=time.time(),
                    recoveries=0,
                )
            )
        return job_id

    def job(self, job_id: str, owner: str | None = None) -> sa.RowMapping | None:
        """Return a job's row; with `owner`, only if it is theirs."""
        where = [jobs.c.job_id == job_id] + ([jobs.c.owner == owner] if owner is not None else [])
        return self.one(sa.select(jobs).where(*where))

    def state(self, job_id: str) -> State | None:
        """Return a job's state, None if there is no such job (any more)."""
        row = self.one(sa.select(jobs.c.state).where(jobs.c.job_id == job_id))
        return None if row is None else row["state"]

    def listed(self, owner: str, limit: int, before: float | None) -> list[sa.RowMapping]:
        """Return an owner's jobs, the newest first."""
        older = [] if before is None else [jobs.c.created_at < before]
        wanted = sa.select(jobs).where(jobs.c.owner == owner, *older)
        return self.rows(wanted.order_by(jobs.c.created_at.desc(), jobs.c.job_id).limit(limit))

    def replay(self, owner: str, key: str) -> bool:
        """Say whether an Idempotency-Key was used before."""
        return (
            self.one(sa.select(replays.c.job_id).where(replays.c.owner == owner, replays.c.key == key))
            is not None
        )

    def unfinished(self, owner: str | None = None) -> list[str]:
        """Return the ids of jobs that wait or run, the oldest first."""
        of = [] if owner is None else [jobs.c.owner == owner]
        wanted = sa.select(jobs.c.job_id).where(jobs.c.state.in_(UNFINISHED), *of).order_by(jobs.c.created_at)
        return [row["job_id"] for row in self.rows(wanted)]

    def uploads_needed(self) -> set[str]:
        """Return the names of the uploads of all unfinished jobs."""
        of = jobs.c.state.in_(UNFINISHED), jobs.c.upload.is_not(None)
        return {row["upload"] for row in self.rows(sa.select(jobs.c.upload).where(*of))}

    def move(self, job_id: str, state: State, note: str | None = None) -> bool:
        """Bring an unfinished job into another state; say whether it was unfinished."""
        values: dict[str, Any] = {"state": state}
        if note is not None:
            values["note"] = note
        if state == "running":
            values["started_at"] = sa.func.coalesce(jobs.c.started_at, time.time())
        elif state not in UNFINISHED:
            values["finished_at"] = time.time()
        of = jobs.c.job_id == job_id, jobs.c.state.in_(UNFINISHED)
        return self.write(jobs.update().where(*of).values(values)) > 0

    def annotate(self, job_id: str, note: str | None) -> None:
        """Set what a person is told of a job just now."""
        self.write(jobs.update().where(jobs.c.job_id == job_id).values(note=note))

    def recovered(self, job_id: str) -> int:
        """Count a recovery and return how many there were since the last finished part."""
        self.write(jobs.update().where(jobs.c.job_id == job_id).values(recoveries=jobs.c.recoveries + 1))
        row = self.job(job_id)
        return 0 if row is None else int(row["recoveries"])

    def forget(self, job_id: str) -> None:
        """Delete a job with all that belongs to it."""
        of_it = [table.delete().where(table.c.job_id == job_id) for table in (*_OF_A_JOB, replays, jobs)]
        self.write(*of_it)

    # Taking in

    def begin_intake(self, job_id: str) -> None:
        """Empty what an intake that was broken off has left."""
        self.write(*(table.delete().where(table.c.job_id == job_id) for table in _OF_A_JOB))

    def take(self, job_id: str, rows: Sequence[Row], said: Sequence[Line]) -> bool:
        """Add reviews and lines with a problem; a repeated id or text becomes such a line.

        Say whether the job still runs; one that was ended takes nothing.
        """
        repeated: list[Line] = []
        with self._engine.begin() as connection:
            if not _runs(connection, job_id):
                return False
            if rows:
                wanted = self._insert(reviews).on_conflict_do_nothing().returning(reviews.c.number)
                values = [{"job_id": job_id, **vars(row)} for row in rows]
                taken = set(connection.execute(wanted, values).scalars())
                refused = [row for row in rows if row.number not in taken]
                repeated = self._repeated(connection, job_id, refused) if refused else []
            told = {line.number: line for line in said} | {line.number: line for line in repeated}
            if told:
                values = [{"job_id": job_id, **vars(line)} for line in told.values()]
                connection.execute(self._insert(lines).on_conflict_do_nothing(), values)
        return True

    def _repeated(self, connection: sa.Connection, job_id: str, refused: Sequence[Row]) -> list[Line]:
        ids = {row.review_id for row in refused}
        texts = {row.text_hash for row in refused}
        columns = reviews.c.number, reviews.c.review_id, reviews.c.subject, reviews.c.text_hash
        of_job = reviews.c.job_id == job_id
        same_id = connection.execute(sa.select(*columns).where(of_job, reviews.c.review_id.in_(ids)))
        first_of_id = {row.review_id: row.number for row in same_id}
        same_text = connection.execute(sa.select(*columns).where(of_job, reviews.c.text_hash.in_(texts)))
        first_of_text = {(row.subject, row.text_hash): row.number for row in same_text}
        said = []
        for row in refused:
            if row.review_id in first_of_id:
                reason = (
                    f"the review_id {row.review_id!r} stands on line {first_of_id[row.review_id]:,} already"
                )
                said.append(Line(row.number, "bad", reason))
            else:
                first = first_of_text[row.subject, row.text_hash]
                said.append(
                    Line(row.number, "repeated", f"repeats line {first:,} to the letter; counted once")
                )
        return said

    def subjects(self, job_id: str) -> list[tuple[str, int]]:
        """Return what the reviews of a job are about, with their numbers, in a fixed order."""
        wanted = sa.select(reviews.c.subject, sa.func.count().label("n")).where(reviews.c.job_id == job_id)
        found = self.rows(wanted.group_by(reviews.c.subject))
        return sorted(((row["subject"], row["n"]) for row in found), key=lambda pair: (-pair[1], pair[0]))

    def plan(self, job_id: str, planned: Sequence[dict[str, Any]], read: int) -> None:
        """Keep the groups of a job and how many lines were read; done twice, it changes nothing."""
        rows = [{"job_id": job_id, **group} for group in planned]
        with self._engine.begin() as connection:
            if not _runs(connection, job_id):
                return
            if rows:
                connection.execute(self._insert(groups).on_conflict_do_nothing(), rows)
            connection.execute(jobs.update().where(jobs.c.job_id == job_id).values(lines=read))

    def planned(self, job_id: str) -> list[sa.RowMapping]:
        """Return a job's groups in their order."""
        return self.rows(sa.select(groups).where(groups.c.job_id == job_id).order_by(groups.c.number))

    def part(self, job_id: str, number: int, offset: int, limit: int) -> list[str]:
        """Return the contents of some of a group's reviews, in the order of their lines."""
        of = sa.and_(groups.c.job_id == reviews.c.job_id, groups.c.subject == reviews.c.subject)
        wanted = sa.select(reviews.c.content).join(groups, of)
        wanted = wanted.where(groups.c.job_id == job_id, groups.c.number == number)
        found = self.rows(wanted.order_by(reviews.c.number).offset(offset).limit(limit))
        return [row["content"] for row in found]

    # Results

    def finish(
        self,
        job_id: str,
        number: int,
        part: int,
        reviews_done: int,
        summary: str | None,
        problem: str | None,
        seconds: float,
    ) -> bool:
        """Keep a result unless there is one; say whether it was new. A cancelled job takes none."""
        row = {
            "job_id": job_id,
            "number": number,
            "part": part,
            "reviews": reviews_done,
            "summary": summary,
            "problem": problem,
            "seconds": seconds,
            "finished_at": time.time(),
        }
        with self._engine.begin() as connection:
            if not _runs(connection, job_id, recoveries=0):
                return False
            return self._inserted(connection, results, row)

    def finished(self, job_id: str, numbers: Sequence[int]) -> set[tuple[int, int]]:
        """Return which (group, part) of some groups have a result already."""
        of = results.c.job_id == job_id, results.c.number.in_(numbers)
        wanted = sa.select(results.c.number, results.c.part).where(*of)
        return {(row["number"], row["part"]) for row in self.rows(wanted)}

    def parts_of(self, job_id: str, number: int) -> list[sa.RowMapping]:
        """Return the results of a group's parts in their order."""
        of = results.c.job_id == job_id, results.c.number == number, results.c.part >= 0
        return self.rows(sa.select(results).where(*of).order_by(results.c.part))

    def page(self, job_id: str, after: int, limit: int) -> list[sa.RowMapping]:
        """Return finished groups with their summaries, from the group after `after`."""
        both = sa.and_(results.c.job_id == groups.c.job_id, results.c.number == groups.c.number)
        wanted = (
            sa.select(groups, results.c.summary, results.c.problem)
            .join(results, both)
            .where(groups.c.job_id == job_id, results.c.part == WHOLE, groups.c.number > after)
        )
        return self.rows(wanted.order_by(groups.c.number).limit(limit))

    def all_pages(self, job_id: str, size: int = 200) -> Iterator[sa.RowMapping]:
        """Yield all finished groups, read page by page."""
        after = -1
        while rows := self.page(job_id, after, size):
            yield from rows
            after = rows[-1]["number"]

    def lines_of(self, job_id: str, after: int, limit: int, kind: str | None = None) -> list[sa.RowMapping]:
        """Return lines with a problem, from the line after `after`."""
        of = [] if kind is None else [lines.c.kind == kind]
        wanted = sa.select(lines.c.number, lines.c.kind, lines.c.reason)
        wanted = wanted.where(lines.c.job_id == job_id, lines.c.number > after, *of)
        return self.rows(wanted.order_by(lines.c.number).limit(limit))

    def counts(self, job: sa.RowMapping) -> Counts:
        """Return how far a job is."""
        of = job["job_id"]

        def number(statement: sa.Select[Any]) -> int:
            row = self.one(statement)
            return int(next(iter(row.values())) or 0) if row is not None else 0

        kinds_wanted = sa.select(lines.c.kind, sa.func.count().label("n")).where(lines.c.job_id == of)
        kinds = {row["kind"]: row["n"] for row in self.rows(kinds_wanted.group_by(lines.c.kind))}
        whole = results.c.job_id == of, results.c.part == WHOLE
        count = sa.func.count()
        return Counts(
            lines=job["lines"],
            reviews=number(sa.select(count).select_from(reviews).where(reviews.c.job_id == of)),
            bad_lines=kinds.get("bad", 0),
            repeated=kinds.get("repeated", 0),
            left_out=kinds.get("left_out", 0),
            groups=number(sa.select(count).select_from(groups).where(groups.c.job_id == of)),
            groups_done=number(sa.select(count).select_from(results).where(*whole)),
            groups_failed=number(
                sa.select(count).select_from(results).where(*whole, results.c.problem.is_not(None))
            ),
            reviews_done=number(sa.select(sa.func.sum(results.c.reviews)).where(results.c.job_id == of)),
        )

    def pace(self, job_id: str, latest: int = 50) -> float | None:
        """Return seconds a review over the latest results, None before the first."""
        wanted = sa.select(results.c.reviews, results.c.finished_at, results.c.seconds)
        wanted = wanted.where(results.c.job_id == job_id, results.c.reviews > 0)
        found = self.rows(wanted.order_by(results.c.finished_at.desc()).limit(latest))
        if not found:
            return None
        began = min(row["finished_at"] - row["seconds"] for row in found)
        return float(max(found[0]["finished_at"] - began, 0.0) / sum(row["reviews"] for row in found))

    # Phrases that a model was paid for already

    def phrase(self, job_id: str, key: str) -> str | None:
        """Return what the model said to a group before, if it was asked."""
        row = self.one(sa.select(phrases.c.text).where(phrases.c.job_id == job_id, phrases.c.key == key))
        return None if row is None else str(row["text"])

    def keep_phrase(self, job_id: str, key: str, text: str) -> None:
        """Keep what the model said to a group."""
        row = {"job_id": job_id, "key": key, "text": text}
        with self._engine.begin() as connection:
            if _runs(connection, job_id):
                self._inserted(connection, phrases, row)


def _runs(connection: sa.Connection, job_id: str, **values: Any) -> bool:
    """Say whether a job runs, and lock its row: nothing is written after it was ended or deleted."""
    of = jobs.c.job_id == job_id, jobs.c.state == "running"
    return connection.execute(jobs.update().where(*of).values(values or {"state": "running"})).rowcount > 0


def _settle(connection: Any, _: Any) -> None:
    """Settle a SQLite connection: readers beside one writer, who wait for one another."""
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA busy_timeout=30000")
