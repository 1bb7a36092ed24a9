"""What the page's events do: ask, follow, stop, start anew, judge, export."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import gradio as gr

from storewise.agent.feedback import Feedback
from storewise.agent.guard import QuestionError, guarded
from storewise.agent.settings import Settings
from storewise.ui import export, status
from storewise.ui.conversation import Conversations
from storewise.ui.turns import view

if TYPE_CHECKING:
    from storewise.agent.startup import Startup

LOADING = "The shop is still loading; ask again in a moment."
UNLOADED = "The shop could not be loaded, so nothing can be asked yet; see above."
BUSY = "The last question is still being answered."
_LONGEST_CORRECTION = 2000  # characters

Live = tuple[Any, Any, Any]  # the conversation, and whether the buttons Ask and Stop show
State = tuple[str, str, Any]  # the loading panel, the footer and the clock that renews them


class Handlers:
    """The page's handlers; each takes the tab's thread id, and what it sends is checked here."""

    def __init__(self, startup: Startup) -> None:
        self._startup = startup
        self._conversations = Conversations()

    def open(self, thread: str) -> tuple[Any, ...]:
        """A tab was opened or reloaded: its conversation again, or a new one."""
        known = self._conversations.opened(thread).thread
        return (known, *self._live(known), *self.state())

    def state(self) -> State:
        """How far the start has come; the clock stops once it is settled."""
        startup = self._startup
        panel = status.progress(startup.steps(), usable=startup.analyst() is not None)
        return panel, status.shop_note(startup.shop_note()), gr.Timer(active=not startup.settled)

    def ask(self, text: str, thread: str) -> tuple[Any, ...]:
        """A question was sent; where it cannot be taken, it stays in the box and a sentence says why."""
        objection = self._begin(text, thread)
        return (gr.skip() if objection else "", status.hint(objection), *self._live(thread))

    def ask_example(self, thread: str, event: gr.EventData) -> tuple[Any, ...]:
        """An example was clicked."""
        return (status.hint(self._begin(_text(event, "question"), thread)), *self._live(thread))

    def follow(self, thread: str) -> Iterator[tuple[Any, ...]]:
        """The conversation as its last turn grows, until that stands; a hint from meanwhile goes then."""
        talking = self._conversations.of(thread)
        ran = talking.running
        for _ in talking.follow():
            yield ("" if ran and not talking.running else gr.skip(), *self._live(thread))

    def stop(self, thread: str) -> Live:
        """The running turn is to end."""
        self._conversations.of(thread).stop()
        return self._live(thread)

    def new(self) -> tuple[Any, ...]:
        """A new conversation, with an empty question box."""
        thread = self._conversations.new().thread
        return (thread, "", "", *self._live(thread))

    def judge(self, thread: str, event: gr.EventData) -> dict[str, Any]:
        """A thumb, or the correction that follows one, is kept."""
        talking = self._conversations.of(thread)
        data = event._data or {}
        thumb = data.get("thumb")
        for place, turn in enumerate(talking.turns):
            if place == data.get("turn") and turn.answer is not None and thumb in ("up", "down"):
                correction = _text(event, "correction").strip()[:_LONGEST_CORRECTION] or None
                kept = Feedback(Settings().home)
                kept.keep(thread, place, turn.question, turn.answer, thumb, correction)
                turn.thumb, turn.correction = thumb, correction or turn.correction
        return view(talking)

    def markdown(self, thread: str) -> dict[str, str]:
        """The conversation as a document."""
        return _file(export.markdown(self._conversations.of(thread), self._startup.shop_note()), "md")

    def json(self, thread: str) -> dict[str, str]:
        """The conversation with all its data."""
        return _file(export.as_json(self._conversations.of(thread), self._startup.shop_note()), "json")

    def _begin(self, text: str, thread: str) -> str:
        """Start answering, or return the sentence that says why not."""
        try:
            question = guarded(text or "")
        except QuestionError as error:
            return str(error)
        analyst = self._startup.analyst()
        if analyst is None:
            return UNLOADED if self._startup.settled else LOADING
        return "" if self._conversations.of(thread).ask(question, analyst) else BUSY

    def _live(self, thread: str) -> Live:
        talking = self._conversations.of(thread)
        running = talking.running
        return view(talking), gr.update(visible=not running), gr.update(visible=running)


def _text(event: gr.EventData, name: str) -> str:
    value = (event._data or {}).get(name)
    return value if isinstance(value, str) else ""


def _file(text: str, ending: str) -> dict[str, str]:
    return {"name": f"storewise-{dt.datetime.now():%Y-%m-%d-%H%M}.{ending}", "text": text}
