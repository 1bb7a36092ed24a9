"""What the page says of itself: how far the start has come, and what in the shop's data is real."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from storewise.ui.render import icon

if TYPE_CHECKING:
    from storewise.agent.startup import Step


def progress(steps: Sequence[Step], usable: bool) -> str:
    """Return the loading panel, each step with its state, seconds and detail; empty when all is done."""
    if not steps or all(step.state in ("done", "skipped") for step in steps):
        return ""
    done = sum(step.state in ("done", "skipped") for step in steps)
    lead = "You can ask already; the rest is still loading." if usable else "The shop is still loading."
    if any(step.state == "failed" for step in steps):
        lead = "Not everything could be loaded."
    rows = "".join(_row(step) for step in steps)
    count = f'<span class="count">{done} of {len(steps)}</span>'
    return (
        f'<section class="loading" role="status"><p>{lead}{count}</p>'
        f'<progress max="{len(steps)}" value="{done}"></progress><ol>{rows}</ol></section>'
    )


def _row(step: Step) -> str:
    marks = {
        "waiting": '<span class="dot"></span>',
        "running": '<span class="spinner"></span>',
        "failed": icon("info"),
    }
    took = "" if step.state in ("waiting", "skipped") else f"{step.seconds:.0f} s"
    return (
        f'<li class="{step.state}">{marks.get(step.state, icon("check"))}'
        f'<span class="name">{escape(step.title)}</span><span class="detail">{escape(step.detail)}</span>'
        f'<span class="took">{took}</span></li>'
    )


def shop_note(note: str) -> str:
    """Return the footer: what in the shop's data is real, simulated and matched; a click shows all of it."""
    if not note:
        return ""
    return (
        f'<details class="shop-note"><summary>{icon("info")}<span class="short">What is real, simulated and '
        f'matched</span><span class="note-text">{escape(note)}</span></summary></details>'
    )


def hint(sentence: str) -> str:
    """Return a plain sentence to stand above the question box, or nothing."""
    return f'<p role="alert">{escape(sentence)}</p>' if sentence else ""
