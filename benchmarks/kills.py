"""`storewise benchmark kills`: the real app and its model server killed again and again while jobs run.

After each kill what was finished must still stand as it was; at the end of each job every line and every
review must be counted once, and the model must have been asked again only for what was under way.
The model is a small server of our own that repeats the first quote it is shown.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from storewise.agent.client import ApiProblem, Client
from storewise.agent.engine import free_port
from storewise.agent.job_store import WHOLE, JobStore
from storewise.agent.job_tables import phrases, results
from storewise.tools.reviews.summary import Summary

SEED = 7
PATIENCE = 180.0  # seconds until an app answers, or a job ends, after which something is wrong
_SAID = (
    "The coffee is smooth and never bitter", "The bag arrived torn and open", "My children love the cookies",
    "The beans were stale and old", "It is too expensive for what it is", "The shipping was very fast",
    "The tea has a lovely smell", "The box was crushed on arrival", "I will order this again soon",
    "The taste is far too sweet for me", "It makes a perfect gift for friends", "The lid does not close well",
)  # fmt: skip


def made_up(path: Path, groups: int, each: int, seed: int) -> int:
    """Write reviews of so many products, with a bad line and a repeated one to each; return the lines."""
    draw = random.Random(seed)
    lines: list[dict[str, Any]] = []
    for group in range(groups):
        for number in range(each):
            said = " ".join(f"{sentence}." for sentence in draw.sample(_SAID, 3))
            text = f"{said} Bought on visit {group}-{number}."
            lines.append({"review_id": f"{group}-{number}", "product_id": f"P{group}", "text": text})
        lines.append({"review_id": f"{group}-bad", "product_id": f"P{group}", "text": "Fine.", "rating": 7})
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
        summary = Summary.model_validate_json(row["summary"])
        counted = summary.reviews + sum(summary.left_out.values())
        own = {f"{row['subject'][1:]}-{number}" for number in range(each)}
        if counted != each or any(not own.issuperset(claim.review_ids) for claim in summary.claims):
            wrong.append(f"group {row['subject']}: {counted} reviews, or claims with others' reviews")
    return wrong


class _Killed:
    """A process that is started, killed and started again."""

    def __init__(self, command: list[str], home: Path, name: str) -> None:
        self._command = command
        self._log = home / f"{name}.log"
        self._environment = os.environ | {"HF_HUB_OFFLINE": "1", "STOREWISE_HOME": str(home)}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, **environment: str) -> None:
        self._environment |= environment
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


def run(
    moments: int,
    groups: int = 40,
    each: int = 12,
    say: Callable[[str], None] = print,
    longest: float = 6.0,
    log: Path | None = None,
) -> dict[str, Any]:
    """Kill at so many moments, over as many jobs as that takes, and return what came of it.

    Each moment is drawn between the app's first answer and `longest` seconds after; the app is killed at
    two of three, the model server at one.
    """
    draw = random.Random(SEED)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="storewise-kills-") as folder:
        home = Path(folder)
        port, model_port = free_port(), free_port()
        url = f"http://127.0.0.1:{port}"
        model = _Killed([sys.executable, "-m", "storewise.benchmarks.kills", str(model_port)], home, "model")
        serve = [sys.executable, "-m", "storewise.agent.cli", "serve", "--no-model", "--port", str(port)]
        app = _Killed(serve, home, "app")
        served = {
            "STOREWISE_MODEL_URL": f"http://127.0.0.1:{model_port}/v1",
            "STOREWISE_MODEL_NAME": "repeats",
        }
        store = JobStore("", home)
        told: list[dict[str, Any]] = []
        wrong: list[str] = []
        jobs: list[str] = []
        try:
            model.start()
            app.start(**served)
            while len(told) < moments and not wrong:
                file = home / f"reviews-{len(jobs)}.jsonl"
                made_up(file, groups, each, SEED + len(jobs))
                job_id = _sent(url, file)
                jobs.append(job_id)
                before: dict[tuple[int, int], float] = {}
                while store.state(job_id) in ("queued", "running") and len(told) < moments:
                    _answering(url)
                    wait = draw.uniform(0.0, longest)
                    time.sleep(wait)
                    target = "model" if len(told) % 3 == 2 else "app"
                    (model if target == "model" else app).kill()
                    now = _finished(store, job_id)
                    if not before.items() <= now.items():
                        wrong.append(f"moment {len(told) + 1}: a finished group was lost or done again")
                    before = now
                    job = store.job(job_id)
                    entry = {
                        "moment": len(told) + 1, "killed": target, "seconds_after_answer": round(wait, 2),
                        "job": len(jobs), "state": job["state"] if job else None,
                        "groups_done": len(now), "of": groups,
                    }  # fmt: skip
                    told.append(entry)
                    say(json.dumps(entry))
                    if target == "model":
                        time.sleep(draw.uniform(0.0, 2.0))
                        model.start()
                    else:
                        app.start(**served)
                _ended(store, job_id)
                wrong += [f"job {len(jobs)}: {what}" for what in audit(store, job_id, groups, each)]
                if not before.items() <= _finished(store, job_id).items():
                    wrong.append(f"job {len(jobs)}: a finished group was done again")
            kept = store.one(sa.select(sa.func.count().label("n")).select_from(phrases))
            asked = _asked(home)
        finally:
            app.kill()
            model.kill()
            store.close()
        if log is not None:
            log.write_text("".join(json.dumps(entry) + "\n" for entry in told), encoding="utf-8")
        return {
            "benchmark": "kills", "moments": len(told), "jobs": len(jobs), "groups": groups * len(jobs),
            "reviews": groups * each * len(jobs), "wrong": wrong, "phrases": int(kept["n"]) if kept else 0,
            "asked_again": sum(asked.values()) - len(asked), "seconds": round(time.monotonic() - began),
        }  # fmt: skip


def _finished(store: JobStore, job_id: str) -> dict[tuple[int, int], float]:
    of = results.c.job_id == job_id, results.c.part == WHOLE
    wanted = sa.select(results.c.number, results.c.part, results.c.finished_at).where(*of)
    return {(row["number"], row["part"]): row["finished_at"] for row in store.rows(wanted)}


def _answering(url: str) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with suppress(ApiProblem), Client(url, timeout=5) as client:
            client.health()
            return
        time.sleep(0.1)
    raise TimeoutError("The app does not answer after a kill.")


def _sent(url: str, file: Path) -> str:
    """Send a file, again with the same key if the app dies meanwhile."""
    _answering(url)
    with Client(url) as client:
        return client.upload(file, idempotency_key=file.name).job_id


def _ended(store: JobStore, job_id: str) -> None:
    until = time.monotonic() + PATIENCE
    while store.state(job_id) in ("queued", "running") and time.monotonic() < until:
        time.sleep(0.2)


def _asked(home: Path) -> Counter[str]:
    """Return how often the model was asked each thing."""
    path = home / "asked.log"
    return Counter(path.read_text(encoding="utf-8").splitlines() if path.exists() else [])


class _Repeats(BaseHTTPRequestHandler):
    """A model that repeats the first quote of what it is asked, and writes down that it was asked."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        asked = str(body["messages"][-1]["content"])
        with (Path(os.environ["STOREWISE_HOME"]) / "asked.log").open("a", encoding="utf-8") as log:
            log.write(json.dumps(asked) + "\n")
        time.sleep(0.1)
        quotes = [line.strip("-• ").strip() for line in asked.splitlines() if line.strip().startswith("-")]
        message = {"role": "assistant", "content": quotes[0] if quotes else asked.splitlines()[-1]}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        reply = {
            "id": "x",
            "object": "chat.completion",
            "created": 0,
            "model": "repeats",
            "choices": [choice],
        }
        answer = json.dumps(reply).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        return


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), _Repeats).serve_forever()
