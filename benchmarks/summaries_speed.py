"""The speed of bulk summaries: the real jobs on the running engine, beside the bare engine and a usual chain.

All of the shop's reviews (5,000 in the demo) in 200 groups by category and likeness: the greatest group is
split in two by 2-means of its reviews' vectors until there are so many. They run as uploaded jobs of a quarter,
a quarter and half of the groups. After each job the very prompts that it sent go to the bare engine again, each
with as many tokens as its reply had, at the concurrency that served the first job's prompts best.

The usual chain is map-reduce, one call after the other on the same engine: each review summarized in a
sentence, the sentences summarized, on ten groups drawn from all.
"""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
from langchain_core.messages import HumanMessage
from sklearn.cluster import KMeans

from storewise.agent.analyst import chat_model
from storewise.agent.engine import Served
from storewise.agent.jobs import Jobs
from storewise.agent.phrasing import Phrase, messages, phraser
from storewise.agent.settings import Settings
from storewise.benchmarks.report import Clock, Task
from storewise.prompts import prompt
from storewise.tools.reviews.build import read_reviews
from storewise.tools.reviews.groups import Group
from storewise.tools.reviews.index import open_index
from storewise.tools.shop.generation import Shop, ShopError, open_shop

GROUPS = 200
CHAINED = 10  # groups that the usual chain summarizes, too
AT_ONCE = (8, 16, 24, 32, 48)
SEED = 7
SECONDS = 300.0  # for one reply


@dataclass
class Recorder:
    """Phrases groups as the product does, and keeps what was asked and what was replied."""

    calls: list[tuple[list[dict[str, str]], str]] = field(default_factory=list)

    def __call__(self, served: Served | None) -> Phrase | None:
        ask = phraser(served, SECONDS)
        if ask is None:
            return None

        async def phrase(group: Group) -> str:
            said = await ask(group)
            self.calls.append((messages(group), said))
            return said

        return phrase


@dataclass(frozen=True)
class Call:
    """A call to be made again: what is said, and how many tokens came back."""

    told: list[dict[str, str]]
    tokens: int


def in_groups(shop: Shop) -> list[pd.DataFrame]:
    """Return the shop's reviews in GROUPS groups, by category and then by likeness; the same each time."""
    index = open_index(shop.folder("reviews"))
    rows = read_reviews(shop).set_index("review_id").loc[index.reviews["review_id"]].reset_index()
    review, lines = index.lines["review"].to_numpy(), np.asarray(index.vectors, dtype=np.float32)
    vectors = np.zeros((len(rows), lines.shape[1]), dtype=np.float32)
    np.add.at(vectors, review, lines)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    groups = list(rows.groupby(rows["category"].fillna("")).indices.values())
    while len(groups) < min(GROUPS, len(rows)):
        groups.sort(key=len)
        largest = groups.pop()
        side = KMeans(2, n_init=1, random_state=SEED).fit_predict(vectors[largest])
        groups += [largest[side == 0], largest[side == 1]]
    random.Random(SEED).shuffle(groups)
    return [rows.iloc[group] for group in groups]


def measured(served: Served, settings: Settings, clock: Clock) -> dict[str, Task]:
    """Return tokens a second of the jobs beside the bare engine, and seconds beside the usual chain.

    Raises:
        ShopError: there is no shop with indexed reviews, or the model does not phrase.
    """
    if phraser(served) is None:
        raise ShopError("The served model has not learned to phrase. Type: storewise tune")
    shop = open_shop(settings.home)
    try:
        groups = in_groups(shop)
    finally:
        shop.close()
    quarter = len(groups) // 4
    parts = [groups[:quarter], groups[quarter : 2 * quarter], groups[2 * quarter :]]
    few = random.Random(SEED).sample(groups, CHAINED)
    seconds, bare, tokens, read = [], [], [], 0
    searched: dict[int, float] = {}
    with _jobs(settings, served) as (jobs, recorder):
        with clock.step("a first job, not counted: models are loaded"):
            _job(jobs, few[:1])
            recorder.calls.clear()
        for part in parts:
            with clock.step("jobs"):
                seconds.append(_job(jobs, part))
            calls = _with_lengths(served, recorder)
            tokens.append(sum(call.tokens for call in calls))
            with clock.step("the bare engine, the same prompts"):
                if not searched:
                    searched = {at_once: asyncio.run(_bare(served, calls, at_once))[0] for at_once in AT_ONCE}
                best = min(searched, key=lambda at_once: searched[at_once])
                took, prompts = asyncio.run(_bare(served, calls, best))
                bare.append(took)
                read += prompts
        with clock.step("jobs, few groups"):
            ours = _job(jobs, few)
    with clock.step("map-reduce, the same few groups"):
        chain = _chain(served, few)
    reviews = [sum(map(len, part)) for part in parts]
    rates = [(t / s, t / b) for t, s, b in zip(tokens, seconds, bare, strict=True)]
    return {
        "bulk jobs, generated tokens": Task(
            n=sum(reviews),
            metric="tokens a second",
            ours=sum(tokens) / sum(seconds),
            peers={f"bare engine, {best} calls at once": sum(tokens) / sum(bare)},
            interval=(min(o - b for o, b in rates), max(o - b for o, b in rates)),
            more={
                "interval_is": "the least and the greatest difference of the three jobs",
                "share_of_the_bare_engine": [o / b for o, b in rates],
                "bare_by_calls_at_once": {str(n): tokens[0] / s for n, s in searched.items()},
                "groups": [len(part) for part in parts],
                "reviews": reviews,
                "seconds_of_the_jobs": seconds,
                "seconds_for_1000_reviews": [1000 * s / r for s, r in zip(seconds, reviews, strict=True)],
                "tokens_for_1000_reviews": {
                    "read": 1000 * read / sum(reviews),
                    "generated": 1000 * sum(tokens) / sum(reviews),
                },
            },
        ),
        f"bulk jobs, {CHAINED} groups": Task(
            n=sum(map(len, few)),
            metric="seconds",
            ours=ours,
            peers={"map-reduce, one call after the other": chain},
            interval=(ours - chain, ours - chain),
            lower_is_better=True,
            more={"times_as_fast": chain / ours, "interval_is": "of one run"},
        ),
    }


@contextmanager
def _jobs(settings: Settings, served: Served) -> Iterator[tuple[Jobs, Recorder]]:
    """Yield jobs in a home of their own, which shows the shop of `settings`."""
    with tempfile.TemporaryDirectory(prefix="storewise-benchmark-") as folder:
        home = Path(folder)
        for name in ("current", "generations"):
            (home / name).symlink_to((settings.home / name).absolute())
        recorder = Recorder()
        jobs = Jobs(settings.model_copy(update={"home": home, "jobs_url": ""}), lambda: served, recorder)
        jobs.uploads.mkdir()
        jobs.start()
        try:
            yield jobs, recorder
        finally:
            jobs.stop()


def _job(jobs: Jobs, groups: Sequence[pd.DataFrame]) -> float:
    """Run a job over an upload of `groups` and return its seconds, from the upload to the last result."""
    lines = [
        {"review_id": row.review_id, "text": row.text, "product_id": f"group {number}"}
        for number, group in enumerate(groups)
        for row in group.itertuples()
    ]
    name = f"{time.monotonic_ns():x}.jsonl"
    (jobs.uploads / name).write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    began = time.perf_counter()
    request = {"format": "jsonl", "group_by": "product", "length": "medium", "bytes": 0}
    job_id, _ = jobs.submit("benchmark", request, upload=name)
    while (state := jobs.store.state(job_id)) in ("queued", "running"):
        time.sleep(0.05)
    job = jobs.store.job(job_id)
    if state != "done" or job is None or job["note"]:
        raise ShopError(f"The job ended as {state}: {job and job['note']}")
    return time.perf_counter() - began


def _with_lengths(served: Served, recorder: Recorder) -> list[Call]:
    """Return the calls since the last time with the lengths of their replies, and forget them."""
    root = served.url.removesuffix("/v1")
    with httpx.Client(base_url=root, headers=_key(served), timeout=60) as client:

        def length(said: str) -> int:
            body = {"model": served.model, "prompt": said, "add_special_tokens": False}
            # The last token ends the reply.
            return int(client.post("/tokenize", json=body).raise_for_status().json()["count"]) + 1

        calls = [Call(told, length(said)) for told, said in recorder.calls]
    recorder.calls.clear()
    return calls


async def _bare(served: Served, calls: Sequence[Call], at_once: int) -> tuple[float, int]:
    """Return the seconds of all calls, so many at once with nothing of ours in between, and the tokens read."""
    slots = asyncio.Semaphore(at_once)
    limits = httpx.Limits(max_connections=at_once)
    async with httpx.AsyncClient(headers=_key(served), timeout=SECONDS, limits=limits) as client:

        async def make(call: Call) -> int:
            body: dict[str, Any] = {"model": served.model, "messages": call.told, "temperature": 0}
            body |= {"max_tokens": call.tokens, "min_tokens": call.tokens, "ignore_eos": True}
            async with slots:
                reply = await client.post(f"{served.url}/chat/completions", json=body)
            return int(reply.raise_for_status().json()["usage"]["prompt_tokens"])

        began = time.perf_counter()
        read = await asyncio.gather(*map(make, calls))
        return time.perf_counter() - began, sum(read)


def _key(served: Served) -> dict[str, str]:
    return {"Authorization": f"Bearer {served.key}"}


def _chain(served: Served, groups: Sequence[pd.DataFrame]) -> float:
    """Return the seconds of map-reduce over `groups`, one call after the other."""
    one = chat_model(served, SECONDS).bind(max_tokens=60)
    whole = chat_model(served, SECONDS).bind(max_tokens=120)
    began = time.perf_counter()
    for group in groups:
        # A very long review would not fit the model.
        said = [
            str(one.invoke([HumanMessage(prompt("summarize_review", review=text[:2000]))]).text)
            for text in group["text"]
        ]
        reviews = "\n".join(f"- {sentence}" for sentence in said)[:6000]
        whole.invoke([HumanMessage(prompt("summarize_plain", reviews=reviews))])
    return time.perf_counter() - began
