"""`storewise benchmark kills`: the real app and its model killed again and again while jobs run.

At each moment what was finished must still stand as it was, to the second: no group, no sentence of the
model and no durable step is done a second time, and nothing that was kept is asked for again. At the end
of each job every line and every review must be counted once.
"""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter as Count
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from storewise.agent.client import ApiProblem, Client
from storewise.agent.engine import free_port
from storewise.agent.job_store import WHOLE, JobStore
from storewise.agent.job_tables import phrases, results
from storewise.benchmarks.kills_model import Asked, Counter, Model, Real, Small
from storewise.tools.reviews.summary import Summary

SEED = 7
PATIENCE = 300.0  # seconds until an app answers, or a job ends, after which something is wrong
EARLY = 0.5  # seconds at most from where a job stands to the moment of a kill
# Each sentence names its product, so that one asked for is known to be this group's.
_SAID = (
    "The {0} coffee is smooth and never bitter", "The bag of {0} arrived torn and open",
    "My children love the {0} cookies", "The {0} beans were stale and old",
    "{0} is too expensive for what it is", "The shipping of {0} was very fast",
    "The {0} tea has a lovely smell", "The {0} box was crushed on arrival",
    "I will order {0} again soon", "The taste of {0} is far too sweet for me",
    "{0} makes a perfect gift for friends", "The lid of {0} does not close well",
)  # fmt: skip
_PRODUCT = re.compile(r"\bP(\d+)x(\d+)\b")


def made_up(path: Path, job: int, groups: int, each: int) -> int:
    """Write a job's reviews of so many products, with a bad and a repeated line to each; return the lines."""
    draw = random.Random(SEED + job)
    lines: list[dict[str, Any]] = []
    for group in range(groups):
        product = f"P{job}x{group}"
        for number in range(each):
            said = " ".join(f"{sentence.format(product)}." for sentence in draw.sample(_SAID, 3))
            text = f"{said} Bought on visit {group}-{number}."
            lines.append({"review_id": f"{group}-{number}", "product_id": product, "text": text})
        lines.append({"review_id": f"{group}-bad", "product_id": product, "text": "Fine.", "rating": 7})
        lines.append({**lines[-2], "review_id": f"{group}-again"})
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return len(lines)


def audit(store: JobStore, job_id: str, groups: int, each: int) -> list[str]:
    """Return what is wrong with a job that has ended: lost, doubled or told of another group."""
    job = store.job(job_id)
    if job is None or job["state"] != "done":
        return [f"the job is {job['state'] if job else 'gone'}: {job['note'] if job else ''}"]
    counts, wrong = store.counts(job), []
    wanted = {"lines": groups * (each + 2), "reviews": groups * each, "bad_lines": groups, "repeated": groups}
    wanted |= {"groups": groups, "groups_done": groups, "groups_failed": 0, "reviews_done": groups * each}
    for name, number in wanted.items():
        if getattr(counts, name) != number:
            wrong.append(f"{name}: {getattr(counts, name)} instead of {number}")
    for row in store.all_pages(job_id):
        if row["summary"] is None:
            wrong.append(f"group {row['subject']}: {row['problem']}")
            continue
        summary = Summary.model_validate_json(row["summary"])
        counted = summary.reviews + sum(summary.left_out.values())
        group = row["subject"].partition("x")[2]
        own = {f"{group}-{number}" for number in range(each)}
        if counted != each or any(not own.issuperset(claim.review_ids) for claim in summary.claims):
            wrong.append(f"group {row['subject']}: {counted} reviews, or claims with others' reviews")
    return wrong


@dataclass(frozen=True)
class Standing:
    """What of a job is finished, each with the time at which, and how often the model was asked by then."""

    groups: dict[str, float] = field(default_factory=dict)
    sentences: dict[str, str] = field(default_factory=dict)
    steps: dict[int, int] = field(default_factory=dict)
    asked: int = 0


def stands(store: JobStore, steps: sa.Engine, job_id: str, asked: Sequence[Asked]) -> Standing:
    """Return what of a job is finished now; `asked` is all that the model was asked."""
    subject = {group["number"]: group["subject"] for group in store.planned(job_id)}
    of = results.c.job_id == job_id, results.c.part == WHOLE
    done = store.rows(sa.select(results.c.number, results.c.finished_at).where(*of))
    kept = store.rows(sa.select(phrases.c.key, phrases.c.text).where(phrases.c.job_id == job_id))
    wanted = sa.text(
        "SELECT function_id, completed_at_epoch_ms FROM operation_outputs WHERE workflow_uuid = :job"
    )
    with steps.connect() as connection:
        durable = {int(step): int(at) for step, at in connection.execute(wanted, {"job": job_id})}
    return Standing(
        {subject[row["number"]]: row["finished_at"] for row in done},
        {row["key"]: row["text"] for row in kept},
        durable,
        len(asked),
    )


def repeated(before: Standing, now: Standing, asked: Sequence[Asked]) -> dict[str, int]:
    """Return how much of what stood `before` was lost, done again or asked for again by `now`.

    Args:
        asked: all that the model was asked since the beginning.
    """
    earlier, later = asked[: before.asked], asked[before.asked : now.asked]
    kept = Count(text.rstrip(".!?") for text in before.sentences.values())
    replied: dict[str, set[str]] = {}
    for one in earlier:
        if one.reply is not None:
            replied.setdefault(_said(one.reply), set()).add(one.prompt)
    # Where two prompts got the same answer, both are kept if it was kept as often.
    paid = {prompt for said, prompts in replied.items() if kept[said] >= len(prompts) for prompt in prompts}
    return {
        "groups_repeated": len(before.groups.items() - now.groups.items()),
        "steps_repeated": len(before.steps.items() - now.steps.items()),
        "sentences_lost": len(before.sentences.items() - now.sentences.items()),
        "asked_again": sum(one.prompt in paid or _group(one.prompt) in before.groups for one in later),
    }


def _said(reply: str) -> str:
    lines = [line.strip(' \t-*•"“”') for line in reply.splitlines()]
    return next((line for line in lines if line), "").rstrip(".!?")


def _group(prompt: str) -> str | None:
    found = _PRODUCT.search(prompt)
    return found.group() if found else None


class App:
    """The app as a process that is started, killed and started again."""

    def __init__(self, home: Path, environment: dict[str, str]) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = home / f"app-{self.port}.log"
        self._environment = os.environ | {"HF_HUB_OFFLINE": "1", "STOREWISE_HOME": str(home)} | environment
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; it answers a few seconds later."""
        command = [
            sys.executable,
            "-m",
            "storewise.agent.cli",
            "serve",
            "--no-model",
            "--port",
            str(self.port),
        ]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    @property
    def pid(self) -> int:
        """Its process number, 0 before it was started."""
        return self._process.pid if self._process is not None else 0

    def kill(self) -> None:
        """Kill it as kill -9 does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def answering(self) -> float:
        """Wait until it answers and return the seconds that took."""
        began = time.monotonic()
        while time.monotonic() < began + PATIENCE:
            with suppress(ApiProblem), Client(self.url, timeout=5) as client:
                client.health()
                return time.monotonic() - began
            time.sleep(0.1)
        raise TimeoutError("The app does not answer after a kill.")


def run(
    moments: int,
    groups: int = 40,
    each: int = 12,
    say: Callable[[str], None] = print,
    real: bool = False,
    log: Path | None = None,
) -> dict[str, Any]:
    """Kill at so many moments, over as many jobs as that takes, and return what came of it.

    The first moment of each job lies within half a second after it was sent, the others after so many
    further sentences and groups as chance has it, however fast the machine is. The model is killed at every
    third, the real one at every fifth; all else hits the app. `say` hears of each moment and each job's
    end, a JSON line each; `log` is a file for the same.
    """
    draw = random.Random(SEED)
    began = time.monotonic()
    counter, model = Counter(), Real() if real else Small()
    if log is not None:
        log.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="storewise-kills-") as folder:
        home = Path(folder)
        app = App(home, {"STOREWISE_MODEL_URL": counter.url, "STOREWISE_MODEL_NAME": "counted"})
        store = JobStore("", home)
        steps = sa.create_engine(f"sqlite:///{home / 'job-steps.sqlite'}")
        told: list[dict[str, Any]] = []
        wrong: list[str] = []
        jobs: list[str] = []
        try:
            counter.target = model.start()
            app.start()
            while len(told) < moments and not wrong:
                file = home / f"reviews-{len(jobs)}.jsonl"
                made_up(file, len(jobs), groups, each)
                app.answering()
                with Client(app.url) as client:
                    job_id = client.upload(file, idempotency_key=file.name).job_id
                jobs.append(job_id)
                before = Standing()
                time.sleep(draw.uniform(0.0, EARLY))
                while store.state(job_id) in ("queued", "running") and len(told) < moments:
                    target = "model" if len(told) % (5 if real else 3) == 2 else "app"
                    (model if target == "model" else app).kill()
                    if target == "model":
                        counter.target = None
                    now = stands(store, steps, job_id, counter.asked)
                    entry = _entry(len(told) + 1, target, len(jobs), store, job_id, now)
                    found = repeated(before, now, counter.asked)
                    wrong += [f"moment {len(told) + 1}: {name}: {n}" for name, n in found.items() if n]
                    before = now
                    _again(app, model, counter, target)
                    told.append(entry | found | {"seconds_down": round(app.answering(), 1)})
                    _tell(told[-1], say, log)
                    _further(store, job_id, before, draw.randint(0, groups))
                    time.sleep(draw.uniform(0.0, EARLY))
                _ended(store, job_id)
                now = stands(store, steps, job_id, counter.asked)
                found = repeated(before, now, counter.asked)
                last = audit(store, job_id, groups, each)
                last += [f"{name} at the end: {n}" for name, n in found.items() if n]
                _tell({"job": len(jobs), "state": store.state(job_id), **found, "wrong": last}, say, log)
                wrong += [f"job {len(jobs)}: {what}" for what in last]
            kept = store.one(sa.select(sa.func.count().label("n")).select_from(phrases))
        finally:
            app.kill()
            model.kill()
            counter.close()
            steps.dispose()
            store.close()
        answered = sum(one.reply is not None for one in counter.asked)
        sentences = int(kept["n"]) if kept else 0
        return {
            "benchmark": "kills", "model": "vLLM" if real else "small server", "moments": len(told),
            "of_the_model": sum(one["killed"] == "model" for one in told), "jobs": len(jobs),
            "groups": groups * len(jobs), "reviews": groups * each * len(jobs), "wrong": wrong,
            "sentences": sentences, "answered_but_not_kept": answered - sentences,
            "seconds": round(time.monotonic() - began),
        }  # fmt: skip


def _entry(moment: int, target: str, job: int, store: JobStore, job_id: str, now: Standing) -> dict[str, Any]:
    row = store.job(job_id)
    counts = store.counts(row) if row is not None else None
    return {
        "moment": moment, "killed": target, "job": job,
        "state": row["state"] if row is not None else None,
        "reviews_counted": counts.reviews_done if counts else 0, "of": counts.reviews if counts else 0,
        "groups": len(now.groups), "sentences": len(now.sentences), "steps": len(now.steps),
    }  # fmt: skip


def _tell(entry: dict[str, Any], say: Callable[[str], None], log: Path | None) -> None:
    say(json.dumps(entry))
    if log is not None:
        with log.open("a", encoding="utf-8") as opened:
            opened.write(json.dumps(entry) + "\n")


def _again(app: App, model: Model, counter: Counter, target: str) -> None:
    if target == "model":
        counter.target = model.start()
    else:
        app.start()


def _further(store: JobStore, job_id: str, before: Standing, more: int) -> None:
    """Wait until so many more sentences and groups of a job are finished, or it has ended."""
    until = time.monotonic() + PATIENCE
    wanted = len(before.groups) + len(before.sentences) + more
    while store.state(job_id) in ("queued", "running") and time.monotonic() < until:
        count = sa.select(sa.func.count().label("n"))
        of = (count.select_from(table).where(table.c.job_id == job_id) for table in (results, phrases))
        if sum(row["n"] for statement in of for row in store.rows(statement)) >= wanted:
            return
        time.sleep(0.02)


def _ended(store: JobStore, job_id: str) -> None:
    """Wait until a job has ended by itself: nothing is asked of the app meanwhile."""
    until = time.monotonic() + PATIENCE
    while store.state(job_id) in ("queued", "running") and time.monotonic() < until:
        time.sleep(0.2)
