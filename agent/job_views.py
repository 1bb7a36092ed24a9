"""Jobs as the API shows them: state, counts, seconds left, results as JSON lines and CSV."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel, Field

from storewise.agent.job_store import Counts, JobStore, State
from storewise.tools.reviews.summary import Summary

SHOWN_PROBLEMS = 20  # lines with a problem that a job shows by itself
CSV_COLUMNS = (
    "group", "reviews", "claim", "count", "sentiment", "aspect", "phrased_by", "quote", "review_ids", "problem"
)  # fmt: skip


class LineView(BaseModel):
    """A line of the input with something to say of it."""

    line: int
    kind: str = Field(description="bad (not taken), repeated, left_out (kept, not summarized) or note")
    reason: str


class JobView(BaseModel):
    """A job."""

    job_id: str
    state: State
    note: str | None = Field(None, description="What is to be told just now: a wait, or why the job failed.")
    created_at: dt.datetime
    started_at: dt.datetime | None
    finished_at: dt.datetime | None
    seconds_left: float | None = Field(None, description="Estimated from the pace so far.")
    counts: Counts
    problems: list[LineView] = Field(description="The first lines with a problem; all are at /lines.")
    request: dict[str, Any]


class JobList(BaseModel):
    """A page of jobs, the newest first."""

    jobs: list[JobView]
    next: float | None = Field(None, description="Send it as `before` for the next page.")


class Result(BaseModel):
    """What is said of one subject; `summary` is missing where `problem` says why."""

    number: int
    group: str
    reviews: int
    summary: Summary | None = None
    problem: str | None = None


class ResultPage(BaseModel):
    """Some results; while a job runs, those that are there."""

    state: State
    results: list[Result]
    next: int | None = Field(None, description="Send it as `after` for the next page.")


class LinePage(BaseModel):
    """Some lines with a problem."""

    lines: list[LineView]
    next: int | None = Field(None, description="Send it as `after` for the next page.")


def view(store: JobStore, job: sa.RowMapping) -> JobView:
    """Return a job with its counts as they are now."""
    counts = store.counts(job)
    pace = store.pace(job["job_id"]) if job["state"] == "running" else None
    left = None if pace is None else round(pace * (counts.reviews - counts.reviews_done), 1)
    return JobView(
        job_id=job["job_id"],
        state=job["state"],
        note=job["note"],
        created_at=_time(job["created_at"]),
        started_at=None if job["started_at"] is None else _time(job["started_at"]),
        finished_at=None if job["finished_at"] is None else _time(job["finished_at"]),
        seconds_left=0.0 if job["state"] == "done" else left,
        counts=counts,
        problems=line_views(store.lines_of(job["job_id"], -1, SHOWN_PROBLEMS)),
        request=json.loads(job["request"]),
    )


def _time(seconds: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def line_views(rows: list[sa.RowMapping]) -> list[LineView]:
    """Return lines as they are shown."""
    return [LineView(line=row["number"], kind=row["kind"], reason=row["reason"]) for row in rows]


def result(row: sa.RowMapping) -> Result:
    """Return a finished group as it is shown."""
    summary = None if row["summary"] is None else Summary.model_validate_json(row["summary"])
    return Result(
        number=row["number"],
        group=row["label"],
        reviews=row["reviews"],
        summary=summary,
        problem=row["problem"],
    )


def json_lines(store: JobStore, job_id: str) -> Iterator[str]:
    """Yield all finished groups, a JSON line each."""
    for row in store.all_pages(job_id):
        yield result(row).model_dump_json() + "\n"


def csv_lines(store: JobStore, job_id: str) -> Iterator[str]:
    """Yield all claims as CSV. A cell that a spreadsheet would take for a formula begins with an apostrophe."""
    yield _csv(CSV_COLUMNS)
    for row in store.all_pages(job_id):
        found = result(row)
        if found.summary is None or not found.summary.claims:
            text = found.problem or (found.summary.text if found.summary else "")
            yield _csv((found.group, found.reviews, "", 0, "", "", "", "", "", text))
            continue
        for claim in found.summary.claims:
            quote = claim.quotes[0].text if claim.quotes else ""
            told = claim.text, claim.count, claim.sentiment, claim.aspect or "", claim.phrased_by, quote
            yield _csv((found.group, found.summary.reviews, *told, " ".join(claim.review_ids), ""))


def _csv(cells: tuple[Any, ...]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(
        f"'{cell}" if isinstance(cell, str) and cell[:1] in tuple("=+-@\t\r") and cell else cell
        for cell in cells
    )
    return line.getvalue()
