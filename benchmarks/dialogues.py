"""Hand-written dialogues with the service desk: the right final database, the right refusals, the right words.

Each dialogue is said, turn by turn, to the real desk over an untouched copy of the demo shop; what counts as passed
is written in finetune/questions/README.md.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from storewise.agent.commands_summarize import Alone
from storewise.agent.desk.reply import Replied, Reply
from storewise.agent.desk.service import ServiceDesk
from storewise.agent.engine import Served
from storewise.agent.settings import Settings
from storewise.benchmarks.bootstrap import mean_difference
from storewise.benchmarks.report import Clock, Report, Task
from storewise.tools.desk.demo import NoDemoDesk, demo_file
from storewise.tools.desk.load import load_tau2
from storewise.tools.desk.records import Records
from storewise.tools.desk.registry import commit, propose
from storewise.tools.desk.store import DATABASE, DeskStore, open_desk
from storewise.tools.desk.tables import Base

QUESTIONS = Path(__file__).parent.parent / "finetune" / "questions"
FILES = ("desk.jsonl", "desk_voices.jsonl")
_VERSIONS = ("version",)
_PLAIN = re.compile(r"[\W_]+")


@dataclass
class Judged:
    """How a dialogue went: what was missed (empty where it passed), the talk, and the seconds of each turn."""

    id: str
    kind: str
    missed: list[str] = field(default_factory=list)
    talk: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


def read_dialogues(part: str) -> list[dict[str, Any]]:
    """Return the dialogues of a part: development, held_out, voices or all."""
    texts = [(QUESTIONS / name).read_text(encoding="utf-8") for name in FILES]
    rows = [json.loads(line) for text in texts for line in text.splitlines()]
    return [row for row in rows if part in ("all", row["part"])]


def run_dialogues(
    dialogues: Sequence[dict[str, Any]],
    data: Path,
    served: Callable[[], Served | None],
    settings: Settings,
    each: Callable[[Judged], None] = lambda judged: None,
) -> list[Judged]:
    """Hold the dialogues with the desk, each with an untouched shop, and judge them.

    Args:
        data: tau2-bench's db.json of the retail domain.
        served: the language model; None leaves the shortlist alone.
    """
    judged = []
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        store = open_desk("", place)
        load_tau2(data, store.engine)
        store.close()
        fresh = place / "fresh.sqlite"
        shutil.copy(place / DATABASE, fresh)
        for dialogue in dialogues:
            judged.append(_hold(dialogue, place, fresh, served, settings))
            each(judged[-1])
    return judged


def _hold(
    dialogue: dict[str, Any],
    place: Path,
    fresh: Path,
    served: Callable[[], Served | None],
    settings: Settings,
) -> Judged:
    home = place / dialogue["id"]
    home.mkdir()
    shutil.copy(fresh, home / DATABASE)
    store = open_desk("", home)
    desk = ServiceDesk(
        store, Records(store.engine), settings.model_copy(update={"home": home}), served, lambda: None
    )
    judged = Judged(dialogue["id"], dialogue["kind"])
    replies: list[Reply] = []
    user = dialogue["user_id"]
    conversation = desk.begin(user)
    for text in dialogue["turns"]:
        began = time.monotonic()
        reply = next(e.reply for e in desk.say(user, conversation, text) if isinstance(e, Replied))
        judged.seconds.append(round(time.monotonic() - began, 3))
        judged.talk += [f"> {text}", f"  {reply.text}", f"    [{_short(reply)}]"]
        replies.append(reply)
    after = _content(store, user)
    store.close()
    shutil.copy(fresh, home / DATABASE)
    expected = open_desk("", home)
    for action in dialogue["expected"]["actions"]:
        _carry_out(expected, user, action)
    if _content(expected, user) != after:
        judged.missed.append("final database")
    expected.close()
    shutil.rmtree(home)
    judged.missed += _misses(dialogue, replies)
    return judged


def _short(reply: Reply) -> str:
    decisions = [f"{d.decision} {d.tool} {d.why or ''}".strip() for d in reply.decisions]
    return "; ".join([*decisions, *([f"state {reply.state}"] if reply.state != "desk" else [])])


def _carry_out(store: DeskStore, user: str, action: dict[str, Any]) -> None:
    arguments = {name: value for name, value in action["arguments"].items() if name != "user_id"}
    proposed = propose(store, user, action["name"], arguments)
    if proposed.kind == "proposed":
        done = commit(store, user, action["name"], arguments, proposed.finding)
        if done.kind == "done":
            return
        proposed = done
    raise ValueError(f"{action}: {proposed.finding.headline}")


def _content(store: DeskStore, user: str) -> dict[str, list[Any]]:
    """Return what the shop holds of a customer; addresses without regard to capitals, spaces and marks."""
    content: dict[str, list[Any]] = {}
    with store.engine.connect() as connection:
        orders = sa.text("SELECT order_id FROM desk_orders WHERE user_id = :user")
        ids = [row[0] for row in connection.execute(orders, {"user": user})]
        for table in Base.metadata.sorted_tables:
            if not table.name.startswith("desk_"):
                continue
            if "user_id" in table.c:
                which = table.c.user_id == user
            elif "order_id" in table.c:
                which = table.c.order_id.in_(ids)
            else:
                continue
            columns = [column for column in table.c if column.name not in _VERSIONS]
            rows = connection.execute(sa.select(*columns).where(which)).mappings()
            content[table.name] = sorted(repr(_comparable(dict(row))) for row in rows)
    return {name: rows for name, rows in content.items() if name in _SHOP}


_SHOP = {"desk_users", "desk_payment_methods", "desk_orders", "desk_order_items", "desk_payments"}
_ADDRESS = ("address1", "address2", "city", "state", "zip", "country")


def _comparable(row: dict[str, Any]) -> list[tuple[str, Any]]:
    return [
        (name, _PLAIN.sub("", str(value)).casefold() if name in _ADDRESS else value)
        for name, value in row.items()
    ]


def _misses(dialogue: dict[str, Any], replies: Sequence[Reply]) -> list[str]:
    expected = dialogue["expected"]
    missed = []
    decisions = [decision for reply in replies for decision in reply.decisions]
    refused = {str(d.why) for d in decisions if d.decision == "refused"}
    if expected["refused"] is not None and expected["refused"] not in refused:
        missed.append(f"refusal for {expected['refused']!r}, found {sorted(refused)}")
    may_decline = dialogue["kind"] == "injection" or expected["handed_over"]
    if expected["refused"] is None and refused and not may_decline:
        missed.append(f"refused for {sorted(refused)}")
    called = any(d.decision == "handed over" for d in decisions)
    if called != expected["handed_over"]:
        missed.append("a person was called" if called else "no person was called")
    for place, reply in enumerate(replies):
        for decision in reply.decisions:
            earlier = [d for before in replies[:place] for d in before.decisions]
            proposed = any(d.decision == "proposed" and d.tool == decision.tool for d in earlier)
            if decision.decision == "written" and not proposed:
                missed.append("written before a yes")
    told = " ".join(reply.text for reply in replies)
    missed += [f"did not say {fact!r}" for fact in expected["says"] if not says(told, fact)]
    return missed


def says(text: str, fact: str) -> bool:
    """Say whether a text tells a fact: numbers by value, words without regard to capitals."""
    number = re.fullmatch(r"\d+(?:\.\d+)?", fact)
    if number and len(fact) < 10:
        found = re.findall(r"\d[\d,]*(?:\.\d+)?", text)
        return any(abs(float(one.replace(",", "")) - float(fact)) < 0.005 for one in found)
    plain = re.sub(r"\s+", " ", text.casefold()).replace("–", "-")
    return fact.casefold() in plain or fact.casefold().replace(" to ", "-") in plain


def as_result(judged: Sequence[Judged]) -> dict[str, Any]:
    """Return the figures: dialogues passed, by kind, with what each failure missed."""
    kinds: Counter[str] = Counter(one.kind for one in judged)
    passed: Counter[str] = Counter(one.kind for one in judged if not one.missed)
    seconds = sorted(second for one in judged for second in one.seconds)
    return {
        "passed": sum(passed.values()),
        "by_kind": {kind: [passed[kind], number] for kind, number in sorted(kinds.items())},
        "seconds": {
            "median": seconds[len(seconds) // 2] if seconds else None,
            "p95": seconds[int(0.95 * (len(seconds) - 1))] if seconds else None,
            "worst": seconds[-1] if seconds else None,
        },
        "failures": {one.id: one.missed for one in judged if one.missed},
    }


def run(folder: Path | None, tell: Callable[[str], None]) -> Report:
    """Hold all dialogues, with the model and without one, on the demo's customers.

    Args:
        folder: where the retail domain's db.json lies; None takes it from the installed package.

    Raises:
        NoDemoDesk: the data are not there.
    """
    data = folder / "db.json" if folder is not None else demo_file()
    if data is None or not data.is_file():
        raise NoDemoDesk(
            "There is no db.json of the retail domain. Type: make install, or name its folder with --data"
        )
    settings = Settings()
    served = Alone(settings).served
    clock = Clock(tell)
    dialogues = read_dialogues("all")
    with clock.step("with the model"):
        ours = run_dialogues(dialogues, data, served, settings)
    with clock.step("the shortlist alone"):
        alone = run_dialogues(dialogues, data, lambda: None, settings)
    tasks = {}
    for part in ("held_out", "development", "voices"):
        ids = {row["id"] for row in dialogues if row["part"] == part}
        own, peer = [one for one in ours if one.id in ids], [one for one in alone if one.id in ids]
        passed = np.array([not one.missed for one in own], dtype=np.float64)
        passed_alone = np.array([not one.missed for one in peer], dtype=np.float64)
        tasks[part] = Task(
            n=len(own),
            metric="dialogues passed",
            ours=float(passed.mean()),
            peers={"the shortlist alone": float(passed_alone.mean())},
            interval=mean_difference(passed, passed_alone),
            more=as_result(own),
        )
    model = served()
    return Report("dialogues", tasks, clock.seconds, {"model": model.model if model is not None else None})
