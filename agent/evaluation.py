"""Evaluations of the analyst on questions with their right calls: routing, and whole answers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from langchain_core.messages import HumanMessage, SystemMessage
from openai import OpenAIError
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from storewise.agent.analyst import Analyst, chat_model
from storewise.agent.answer import Call
from storewise.agent.engine import Served
from storewise.agent.graph import call_settings
from storewise.agent.scoring import best_score
from storewise.tools.calls import CallSyntaxError, read_calls
from storewise.tools.shortlist import NONE

AT_ONCE = 24
PATIENCE = 300.0  # seconds: with many at once the last one waits for the others


class QuestionFileError(Exception):
    """A file of questions cannot be used; the message names the line and what is wrong."""


class Question(BaseModel):
    """A question with the calls that are right for it: `calls`, or any list of `any_of`."""

    model_config = ConfigDict(extra="ignore")

    id: str
    question: str
    calls: list[Call] | None = None
    any_of: list[list[Call]] = Field(default_factory=list)

    @model_validator(mode="after")
    def _has_calls(self) -> Question:
        if self.calls is None and not self.any_of:
            raise ValueError("needs `calls` or `any_of`")
        return self

    @property
    def accepted(self) -> list[list[Call]]:
        return self.any_of or [self.calls or []]


def read_questions(path: Path) -> list[Question]:
    """Return the questions of a JSON-lines file.

    Raises:
        QuestionFileError: naming the first line that is wrong.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise QuestionFileError(f"{path} cannot be read: {error}.") from None
    questions = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            questions.append(Question.model_validate_json(line))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise QuestionFileError(f"{path}, line {number}: {where} {first['msg']}.") from None
    if not questions:
        raise QuestionFileError(f"{path} holds no questions.")
    return questions


def _ask_call(analyst: Analyst, served: Served | None, question: str, shortlisted: bool) -> list[Call]:
    """Return the calls for one question, by shortlist and model (or by one of them alone)."""
    routed = analyst.router.route(question, shortlisted=shortlisted)
    if served is not None:
        model = chat_model(served, PATIENCE)
        messages = [SystemMessage(routed.system), HumanMessage(routed.user)]
        try:
            reply = model.bind(**call_settings(routed)).invoke(messages)
            return analyst.router.calls(read_calls(str(reply.text)))
        except (OpenAIError, CallSyntaxError):
            pass
    return analyst.router.calls(analyst.router.without_model(routed))


def _ask_native(analyst: Analyst, question: str) -> list[Call]:
    return list(analyst.ask(question).calls)


def evaluate_routing(
    analyst: Analyst,
    served: Served | None,
    questions: list[Question],
    done: Callable[[], None] = lambda: None,
    shortlisted: bool = True,
) -> Iterator[tuple[Question, list[Call]]]:
    """Yield (question, its calls) in the file's order, asking AT_ONCE questions at a time."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        if served is not None and not served.compact:
            futures = [pool.submit(_ask_native, analyst, q.question) for q in questions]
        else:
            futures = [pool.submit(_ask_call, analyst, served, q.question, shortlisted) for q in questions]
        for future in as_completed(futures):
            future.exception()
            done()
        for question, future in zip(questions, futures, strict=True):
            yield question, future.result()


def routing_report(
    analyst: Analyst,
    served: Served | None,
    questions: list[Question],
    out: Path | None,
    done: Callable[[], None] = lambda: None,
    shortlisted: bool = True,
) -> dict[str, Any]:
    """Evaluate routing, write `out` (a line a question), and return {"n", "routed", "exact", "seconds"}."""
    began = time.monotonic()
    lines: list[str] = []
    routed = exact = 0
    for question, calls in evaluate_routing(analyst, served, questions, done, shortlisted):
        result = best_score(question.accepted, calls, analyst.tools, analyst.shop.catalogue.entry)
        routed += result.routed
        exact += result.exact
        lines.append(json.dumps({"id": question.id, "calls": [call.model_dump() for call in calls]}))
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    n = len(questions)
    return {
        "n": n,
        "routed": round(routed / n, 4),
        "exact": round(exact / n, 4),
        "seconds": round(time.monotonic() - began, 1),
    }


def shortlist_report(analyst: Analyst, questions: list[Question]) -> dict[str, float]:
    """Return how often the shortlist's first choice is right, and its kept tools hold the right one.

    Questions for one tool or none.
    """
    first = kept = n = 0
    for question in questions:
        names = {tuple(call.name for call in calls) for calls in question.accepted}
        wanted = {name[0] if name else NONE for name in names if len(name) < 2}
        if not wanted:
            continue
        n += 1
        choice = analyst.router.route(question.question).choice
        first += choice.likeliest in wanted
        kept += bool(wanted & {*choice.tools, *([NONE] if choice.none else [])})
    return {"n": n, "first": round(first / n, 4), "kept": round(kept / n, 4)}


def evaluate_answers(
    analyst: Analyst, questions: list[Question], done: Callable[[], None] = lambda: None
) -> Iterator[dict[str, Any]]:
    """Yield, a question at a time, its whole answer with whether its calls were right."""
    for question in questions:
        answer = analyst.ask(question.question)
        result = best_score(
            question.accepted, list(answer.calls), analyst.tools, analyst.shop.catalogue.entry
        )
        yield {
            "id": question.id,
            "question": question.question,
            "routed": result.routed,
            "exact": result.exact,
            **answer.model_dump(mode="json", exclude={"findings"}),
            "headlines": [finding.headline for finding in answer.findings],
        }
        done()
