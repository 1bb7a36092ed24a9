"""Jobs for tests: reviews in many groups, a summary that needs no model, waiting for a state."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from storewise.agent.api import serve
from storewise.agent.commands_summarize import Alone
from storewise.agent.engine import free_port
from storewise.agent.job_store import JobStore
from storewise.agent.job_tables import results
from storewise.agent.jobs import Jobs
from storewise.agent.settings import Settings
from storewise.agent.summaries import Phrase
from storewise.tools.reviews import screening
from storewise.tools.reviews.groups import Encode, Group
from storewise.tools.reviews.summary import Claim, Length, Quote, Review, Summary

PRAISE = "The coffee is smooth and not bitter at all."
ASKED: dict[str, Any] = {"format": "jsonl", "group_by": "product", "length": "short"}
BLAME = "The bag arrived torn and the beans were stale."


async def simple(
    reviews: Sequence[Review], length: Length, phrase: Phrase | None, encode: Encode, **_: object
) -> Summary:
    """Summarize in the shape of the real thing: reviews with the same first sentence make a claim."""
    reasons = [screening.left_out(review.text) for review in reviews]
    said: dict[str, list[Quote]] = {}
    for review, reason in zip(reviews, reasons, strict=True):
        if reason is None and not screening.to_a_machine(review.text):
            first = review.text.split(".")[0] + "."
            said.setdefault(first, []).append(Quote(review_id=review.review_id, text=first))
    claims = []
    for text, quotes in sorted(said.items(), key=lambda pair: -len(pair[1]))[:5]:
        told = text
        if phrase is not None:
            try:
                told = await phrase(Group(tuple(quotes), "mixed"))
            except Exception:
                told = text
        by = "quote" if told == text else "model"
        ids = tuple(quote.review_id for quote in quotes)
        claims.append(
            Claim.model_validate(
                {"text": told, "count": len(ids), "review_ids": ids, "sentiment": "mixed", "phrased_by": by}
            )
        )
    left_out = dict(Counter(reason for reason in reasons if reason is not None))
    text = " ".join(claim.text for claim in claims)
    return Summary(claims=tuple(claims), reviews=reasons.count(None), left_out=left_out, text=text)


def simply_merged(parts: Sequence[Summary], length: Length, encode: Encode) -> Summary:
    """Put summaries of parts together: the same claim's reviews are added."""
    ids: dict[str, list[str]] = {}
    for part in parts:
        for claim in part.claims:
            ids.setdefault(claim.text, []).extend(claim.review_ids)
    claims = [
        Claim(text=text, count=len(of), review_ids=tuple(of), sentiment="mixed", phrased_by="quote")
        for text, of in sorted(ids.items())
    ]
    return Summary(claims=tuple(claims), reviews=sum(part.reviews for part in parts), text="")


def slow(seconds: float) -> Callable[..., Awaitable[Summary]]:
    """Return `simple` that takes its time."""

    async def summarize(
        reviews: Sequence[Review], length: Length, phrase: Phrase | None, encode: Encode, **_: object
    ) -> Summary:
        await asyncio.sleep(seconds)
        return await simple(reviews, length, phrase, encode)

    return summarize


def records(groups: int, each: int) -> list[dict[str, Any]]:
    """Return reviews of so many products, each text another one, half praise and half blame."""
    return [
        {
            "review_id": f"r{group}-{number}",
            "product_id": f"P{group:03d}",
            "rating": 5 if number % 2 else 1,
            "text": f"{PRAISE if number % 2 else BLAME} Bought for house {group} by person {number}.",
        }
        for group in range(groups)
        for number in range(each)
    ]


def written(path: Path, found: Sequence[dict[str, Any]]) -> Path:
    """Write records as JSON lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(one) + "\n" for one in found), encoding="utf-8")
    return path


def until(holds: Callable[[], bool], seconds: float = 40.0) -> None:
    """Wait until something holds; fail if it does not."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.02)


def ended(store: JobStore, job_id: str, seconds: float = 40.0) -> str:
    """Wait until a job has ended, and return its state, with its note if it failed."""
    until(lambda: store.state(job_id) not in ("queued", "running"), seconds)
    job = store.job(job_id)
    assert job is not None
    return f"failed: {job['note']}" if job["state"] == "failed" else str(job["state"])


def accounted(store: JobStore, job_id: str) -> None:
    """Check that every line and every review is counted once, neither lost nor doubled."""
    job = store.job(job_id)
    assert job is not None
    counts = store.counts(job)
    assert counts.lines == counts.reviews + counts.bad_lines + counts.repeated
    assert counts.reviews_done == counts.reviews
    assert counts.groups_done == counts.groups
    total = 0
    for row in store.all_pages(job_id):
        summary = Summary.model_validate_json(row["summary"])
        assert summary.reviews + sum(summary.left_out.values()) == row["reviews"]
        total += row["reviews"]
        for claim in summary.claims:
            assert len(set(claim.review_ids)) == claim.count <= summary.reviews
    assert total == counts.reviews


@contextmanager
def working(home: Path, **more: Any) -> Iterator[Jobs]:
    """Work on jobs in `home` for the length of a block."""
    given = {name: more.pop(name) for name in ("served", "phraser") if name in more}
    jobs = Jobs(Settings(home=home, **more), **given)
    jobs.start()
    try:
        yield jobs
    finally:
        jobs.stop()


@contextmanager
def serving(home: Path, needs_key: bool = False, **more: Any) -> Iterator[str]:
    """Serve the API of `home` over real HTTP for the length of a block, and yield its address."""
    settings, port = Settings(home=home, **more), free_port()
    stop = serve(Alone(settings), settings, "127.0.0.1", port, needs_key)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        stop()


def submit(jobs: Jobs, found: list[dict[str, Any]], name: str = "u.jsonl", **more: Any) -> str:
    """Start a job over uploaded records and return its id."""
    written(jobs.uploads / name, found)
    return jobs.submit("me", ASKED, upload=name, **more)[0]


def summaries_of(store: JobStore, job_id: str) -> list[Summary]:
    """Return the summaries of a job's groups."""
    return [Summary.model_validate_json(row["summary"]) for row in store.all_pages(job_id)]


def row_of(jobs: Jobs, job_id: str) -> sa.RowMapping:
    """Return a job's row."""
    row = jobs.store.job(job_id)
    assert row is not None
    return row


def when(store: JobStore, job_id: str) -> dict[int, float]:
    """Return when each group was finished."""
    wanted = sa.select(results.c.number, results.c.finished_at).where(results.c.job_id == job_id)
    return {row["number"]: row["finished_at"] for row in store.rows(wanted)}
