"""A conversation as blocks of markup, each with a key: the page replaces only the blocks that changed."""

from __future__ import annotations

import json
import re
from html import escape
from typing import Any

from storewise.agent.answer import Answer
from storewise.tools.finding import Finding
from storewise.ui.conversation import Conversation, Step, Turn
from storewise.ui.render import STATUS, Block, card, evidence, icon, title

# One example a tool; the ids are the demo shop's.
EXAMPLES = {
    "sales_report": "How did revenue develop month by month in 2017?",
    "customer_profile": "Who is customer 900 and what do they buy?",
    "churn_risk": "Which five customers are most likely to stop buying?",
    "customer_value": "What will customer 900 spend in the next half year?",
    "recommend_products": "What should we offer customer 900 next?",
    "cart_risk": "Which open carts are likely to be abandoned?",
    "search_reviews": "Find reviews that complain about stale coffee",
    "review_insights": "What do customers praise and blame about tea?",
    "summarize_reviews": "Sum up what customers say about dog food",
    "customer_contacts": "What do customers contact us about?",
}


def view(conversation: Conversation) -> dict[str, Any]:
    """Return what the page shows of a conversation: its thread, and the blocks of each turn."""
    turns = [{"key": f"t{n}", "blocks": blocks(turn)} for n, turn in enumerate(conversation.turns)]
    if not turns:
        turns = [{"key": "welcome", "blocks": [{"key": "welcome", "html": _welcome()}]}]
    return {"thread": conversation.thread, "turns": turns}


def blocks(turn: Turn) -> list[Block]:
    """Return a turn's blocks in reading order: question, steps, answer, findings, evidence.

    A finding's block says with `told` whether its headline stands in the answer already.
    """
    said = _said(turn)
    found: list[Block] = [{"key": "question", "html": f'<p class="question">{escape(turn.question)}</p>'}]
    if turn.steps:
        steps = "".join(_step(step, place, turn.running) for place, step in enumerate(turn.steps))
        found.append({"key": "steps", "html": f'<div class="steps">{steps}</div>'})
    found.append({"key": "answer", "html": _answer(turn, said)})
    for place, finding in enumerate(turn.findings):
        # While its headline stands as the answer it is hidden in the slip, whose chart is left as it is.
        told = finding.headline in said
        if not told or finding.rows or finding.caveat:
            shown = _slip(finding, named=len(turn.findings) > 1)
            found.append({"key": f"finding{place}", "html": shown, "told": told})
    if not turn.running:
        found.append({"key": "evidence", "html": evidence(turn.findings)})
    if turn.answer is not None:
        found.append({"key": "meta", "html": _meta(turn, turn.answer)})
    return found


def _slip(finding: Finding, named: bool) -> str:
    name = f'<p class="slip-name">{escape(title(finding.tool))}</p>' if named else ""
    return f'<section class="slip">{name}{card(finding)}</section>'


def _said(turn: Turn) -> str:
    """The text that stands as the answer now: the answer, else the words so far, else the headlines."""
    if turn.answer is not None:
        return turn.answer.answer
    if turn.words.strip() and turn.running:
        return turn.words
    return "\n".join(finding.headline for finding in turn.findings)


def _answer(turn: Turn, said: str) -> str:
    if turn.running and not said:
        return _doing("Reading the shop's data" if turn.steps else "Reading the question")
    typing = turn.running and bool(turn.words.strip())
    text = f'<div class="answer{" typing" if typing else ""}">{prose(said)}</div>'
    if turn.running and not typing:
        return text + _doing("Putting it into words")
    if turn.problem is not None:
        return f'{text}<p class="problem">{icon("info")}<span>{escape(turn.problem)}</span></p>'
    return text


def _doing(what: str) -> str:
    return f'<p class="doing">{what}<i></i><i></i><i></i></p>'


def prose(text: str) -> str:
    """Return sentences as markup: paragraphs, lists, **bold**, figures that do not break; no more."""
    out: list[str] = []
    for line in text.strip().splitlines():
        item = re.match(r"\s*[-*•]\s+(.*)", line)
        words = re.sub(r"\*\*(\S(?:.*?\S)?)\*\*", r"<strong>\1</strong>", escape(item[1] if item else line))
        words = re.sub(r"\d{4}-\d\d-\d\d|\d[\d.,]* %", r'<span class="figure">\g<0></span>', words)
        if item and out and out[-1].endswith("</ul>"):
            out[-1] = f"{out[-1][:-5]}<li>{words}</li></ul>"
        elif words.strip():
            out.append(f"<ul><li>{words}</li></ul>" if item else f"<p>{words}</p>")
    return "".join(out)


def _step(step: Step, place: int, running: bool) -> str:
    name = escape(title(step.call.name))
    brief = escape(" · ".join(_brief(key, value) for key, value in step.call.args.items()))
    if step.finding is not None and step.seconds is not None:
        state, mark, took = "done", icon("check"), f'<span class="took">{step.seconds:.2f} s</span>'
        if step.finding.status in STATUS:
            mark, took = icon("info"), f'<span class="status">{STATUS[step.finding.status]}</span>{took}'
    elif running:
        state, mark, took = "running", '<span class="spinner" role="img" aria-label="running"></span>', ""
    else:
        state, mark, took = "left", icon("info"), '<span class="took">not finished</span>'
    rows = "".join(
        f"<dt>{escape(key.replace('_', ' '))}</dt><dd>{escape(_plain(value))}</dd>"
        for key, value in step.call.args.items()
    )
    rows = rows or "<dt>arguments</dt><dd>none given, so the defaults hold</dd>"
    return (
        f'<details class="step {state}" data-fold="step{place}"><summary>{mark}'
        f'<span class="name">{name}</span><span class="brief">{brief}</span>{took}{icon("chevron")}</summary>'
        f"<dl><dt>tool</dt><dd><code>{escape(step.call.name)}</code></dd>{rows}</dl></details>"
    )


def _brief(key: str, value: Any) -> str:
    return f"{key.removesuffix('_id').replace('_', ' ')} {_plain(value).replace('_', ' ')}"


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def badge(answer: Answer) -> tuple[str, str]:
    """Return how an answer is known: a style (checked, plain, unchecked) and a phrase."""
    if not answer.findings:
        return "plain", "No tool was called for this answer"
    if answer.phrased_by == "findings":
        return "checked", "The findings' own sentences"
    if answer.grounded:
        return "checked", "Checked against the tools' findings · phrased by the model"
    return "unchecked", "Phrased by the model · not borne out by the tools' findings"


def _meta(turn: Turn, answer: Answer) -> str:
    style, known = badge(answer)
    note = f'<p class="note">{icon("info")}<span>{escape(answer.note)}</span></p>' if answer.note else ""
    mark = icon("seal" if style == "checked" else "info")
    copy = (
        f'<button type="button" data-copy aria-label="Copy" title="Copy the answer">{icon("copy")}</button>'
    )
    thumbs = _thumb(turn, "up", "Good answer") + _thumb(turn, "down", "Not right")
    return (
        f'{note}<div class="meta"><span class="badge {style}">{mark}{escape(known)}</span>'
        f'<span class="took">{answer.seconds.total:.1f} s</span>'
        f'<span class="acts">{copy}{thumbs}</span></div>{_correction(turn)}'
    )


def _thumb(turn: Turn, way: str, label: str) -> str:
    pressed = "true" if turn.thumb == way else "false"
    return (
        f'<button type="button" data-thumb="{way}" aria-pressed="{pressed}" aria-label="{label}" '
        f'title="{label}">{icon(f"thumb-{way}")}</button>'
    )


def _correction(turn: Turn) -> str:
    if turn.thumb is None:
        return ""
    if turn.thumb == "up" or turn.correction:
        return '<p class="thanks">Kept, thank you.</p>'
    return (
        '<form class="correction"><label>Kept, thank you. What would have been right? (optional)'
        '<textarea name="correction" rows="2" maxlength="2000"></textarea></label>'
        '<button type="submit">Send</button></form>'
    )


def _welcome() -> str:
    cards = "".join(
        f'<button type="button" data-ask="{escape(question)}">'
        f"<span>{escape(title(tool))}</span>{escape(question)}</button>"
        for tool, question in EXAMPLES.items()
    )
    return (
        "<h1>What would you like to know about the shop?</h1>"
        "<p>Ask in plain words. Every figure in an answer comes from the shop's own data, "
        "and you can open what it rests on.</p>"
        f'<div class="examples">{cards}</div>'
    )
