"""A conversation as a file: a Markdown document for people, JSON with everything for programs."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable

from storewise.agent.answer import Answer
from storewise.tools.finding import DataNote, Evidence, Finding, ModelNote, ReviewQuote, percent
from storewise.ui.conversation import Conversation, Turn
from storewise.ui.render import cell, figure, heading, title
from storewise.ui.turns import badge

EXPORT_VERSION = 1


def as_json(conversation: Conversation, shop_note: str) -> str:
    """Return the whole conversation: answers with calls, findings and evidence, charts as Plotly figures."""
    turns = [
        {
            "question": turn.question,
            "asked_at": turn.asked_at.isoformat(timespec="seconds"),
            "answer": turn.answer.model_dump(mode="json") if turn.answer else None,
            "problem": turn.problem,
            "figures": [figure(finding) for finding in turn.findings],
            "thumb": turn.thumb,
            "correction": turn.correction,
        }
        for turn in conversation.turns
    ]
    whole = {
        "storewise_export": EXPORT_VERSION,
        "thread": conversation.thread,
        "exported_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "shop": shop_note,
        "turns": turns,
    }
    return json.dumps(whole, ensure_ascii=False, indent=2)


def markdown(conversation: Conversation, shop_note: str) -> str:
    """Return the conversation as a document: questions, answers, their steps, tables and evidence."""
    lines = ["# A conversation with Storewise", ""]
    for turn in conversation.turns:
        lines += _turn(turn)
    if not conversation.turns:
        lines += ["Nothing was asked yet.", ""]
    lines += ["---", ""]
    if shop_note:
        lines += [plain(shop_note), ""]
    lines.append(f"Exported on {dt.datetime.now():%Y-%m-%d at %H:%M}.")
    return "\n".join(lines) + "\n"


def plain(text: str) -> str:
    """Return text that Markdown shows as it is: no markup, link, image or HTML comes of it."""
    escaped = re.sub(r"([\\`*_\[\]|~!])", r"\\\1", text.replace("&", "&amp;").replace("<", "&lt;"))
    escaped = escaped.replace(">", "&gt;").replace("://", ":&#47;/").replace("www.", "www&#46;")
    lines = [line.strip() for line in escaped.splitlines()]
    return "\n".join(re.sub(r"^([#=]|[+-](?!\d))|^(\d+)([.)])(?!\d)", _unmarked, line) for line in lines)


def _unmarked(match: re.Match[str]) -> str:
    """A line's first characters, so that it starts no heading and no list."""
    return f"\\{match[1]}" if match[1] else f"{match[2]}\\{match[3]}"


def _turn(turn: Turn) -> list[str]:
    lines = [f"## {_line(turn.question)}", "", f"Asked on {turn.asked_at:%Y-%m-%d at %H:%M} UTC.", ""]
    if turn.answer is not None:
        lines += [plain(turn.answer.answer), "", f"_{_known(turn.answer)}_", ""]
        if turn.answer.note:
            lines += [f"Note: {_line(turn.answer.note)}", ""]
    if turn.problem is not None:
        lines += [plain(turn.problem), ""]
    seconds = [step.seconds for step in turn.steps]
    for place, finding in enumerate(turn.findings):
        lines += _finding(finding, seconds[place] if place < len(seconds) else None)
    return lines


def _known(answer: Answer) -> str:
    return f"{badge(answer)[1]} · {answer.seconds.total:.1f} s"


def _line(text: str) -> str:
    return plain(" ".join(text.split()))


def _finding(finding: Finding, seconds: float | None) -> list[str]:
    given = ", ".join(f"{name} {_line(str(value))}" for name, value in finding.arguments.items())
    took = "" if seconds is None else f" ({seconds:.2f} s)"
    lines = [
        f"### {title(finding.tool)}{': ' + given if given else ''}{took}",
        "",
        plain(finding.headline),
        "",
    ]
    if finding.rows:
        if finding.chart:
            lines += [f"{_line(finding.chart.title)}:", ""]
        sides = ["---" if column.format in ("text", "date") else "--:" for column in finding.columns]
        lines += [_row(heading(column) for column in finding.columns), _row(sides, raw=True)]
        lines += [
            _row(cell(value, column) for value, column in zip(row, finding.columns, strict=True))
            for row in finding.rows
        ]
        lines.append("")
    if finding.caveat:
        lines += [plain(finding.caveat), ""]
    if finding.evidence:
        lines += ["Evidence:", "", *(_evidence(piece) for piece in finding.evidence), ""]
    return lines


def _row(cells: Iterable[str], raw: bool = False) -> str:
    texts = list(cells)
    return f"| {' | '.join(texts if raw else [_line(text) for text in texts])} |"


def _evidence(piece: Evidence) -> str:
    match piece:
        case ReviewQuote():
            about = f" about {_line(piece.about)}" if piece.about else ""
            mood = f", {piece.sentiment}" if piece.sentiment else ""
            return f"- Review {_line(piece.review_id)}{about}{mood}: “{_line(piece.text)}”"
        case ModelNote():
            made = f"version {_line(piece.version)}, trained {_line(piece.trained_at)}"
            moves = ", ".join(f"{_line(group)} {percent(share)}" for group, share in piece.drivers)
            drivers = f" What moves its predictions: {moves}." if moves else ""
            return f"- Model {_line(piece.name)}, {made}: {_line(piece.quality)}{drivers}"
        case DataNote():
            return f"- Data: {_line(piece.text)}"
