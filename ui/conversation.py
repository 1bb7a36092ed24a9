"""The conversations that the page holds: one a browser tab, each answered in a thread of its own.

A turn runs apart from the browser's request, so that a reload, a phone that sleeps or a second tab
neither loses an answer nor mixes two conversations.
"""

from __future__ import annotations

import datetime as dt
import logging
import re
import time
import uuid
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Condition, Lock, Thread
from typing import TYPE_CHECKING, Literal

from storewise.agent.answer import Answer, Call, Event, Finished, StepFinished, StepStarted, Words
from storewise.tools.finding import Finding

if TYPE_CHECKING:
    from storewise.agent.analyst import Analyst

log = logging.getLogger(__name__)

FAILED = "Something went wrong while this was answered. `storewise doctor` says what works and what does not."
STOPPED = "You stopped this answer."
_FRAME = 0.06  # seconds between two pictures of a streaming answer
_KEPT = 500  # conversations held at once; the one untouched for longest goes first


@dataclass
class Step:
    """A tool call of a turn; without a finding it is still running."""

    call: Call
    finding: Finding | None = None
    seconds: float | None = None


@dataclass
class Turn:
    """A question and what has come of it so far.

    Attributes:
        words: the model's phrasing as it streams, not yet checked.
        answer: the whole answer, once it stands.
        problem: a plain sentence in place of an answer that failed or was stopped.
    """

    question: str
    asked_at: dt.datetime
    steps: list[Step] = field(default_factory=list)
    words: str = ""
    answer: Answer | None = None
    problem: str | None = None
    thumb: Literal["up", "down"] | None = None
    correction: str | None = None

    @property
    def running(self) -> bool:
        return self.answer is None and self.problem is None

    @property
    def findings(self) -> list[Finding]:
        """The findings so far; those of the answer once it stands."""
        if self.answer is not None:
            return list(self.answer.findings)
        return [step.finding for step in self.steps if step.finding is not None]

    def take(self, event: Event) -> None:
        """Add what an event says to the turn."""
        match event:
            case StepStarted():
                self.steps.append(Step(event.call))
            case StepFinished():
                open_steps = [s for s in self.steps if s.finding is None and s.call == event.call]
                if not open_steps:
                    open_steps = [Step(event.call)]
                    self.steps += open_steps
                open_steps[0].finding, open_steps[0].seconds = event.finding, event.seconds
            case Words():
                self.words += event.text
            case Finished():
                self.answer = event.answer


class Conversation:
    """The turns of one thread, and the one that may be running."""

    def __init__(self, thread: str) -> None:
        self.thread = thread
        self.turns: list[Turn] = []
        self._changed = Condition()
        self._version = 0
        self._worker: Thread | None = None

    @property
    def running(self) -> bool:
        return bool(self.turns) and self.turns[-1].running

    def ask(self, question: str, analyst: Analyst) -> bool:
        """Start answering `question`; False, and nothing is done, while the last one still runs."""
        with self._changed:
            if self.running:
                return False
            turn = Turn(question, dt.datetime.now(dt.UTC))
            self.turns.append(turn)
            previous = self._worker
            self._worker = Thread(target=self._answer, args=(turn, analyst, previous), daemon=True)
            self._worker.start()
            self._tell()
        return True

    def stop(self) -> None:
        """Let the running turn end here; what it found so far stays."""
        with self._changed:
            if self.running:
                self.turns[-1].problem = STOPPED
                self._tell()

    def follow(self) -> Iterator[None]:
        """Yield after each change, at most every few hundredths of a second, until nothing runs."""
        seen = -1
        while True:
            with self._changed:
                while self._version == seen and self.running:
                    self._changed.wait(timeout=1.0)
                seen, running = self._version, self.running
            yield
            if not running:
                return
            time.sleep(_FRAME)

    def _tell(self) -> None:
        self._version += 1
        self._changed.notify_all()

    def _answer(self, turn: Turn, analyst: Analyst, previous: Thread | None) -> None:
        if previous is not None:
            previous.join()  # a stopped turn may still be on its way out of the thread's memory
        problem = None
        try:
            for event in analyst.stream(turn.question, self.thread):
                with self._changed:
                    if not turn.running:
                        break
                    turn.take(event)
                    self._tell()
        except Exception:
            log.exception("A question could not be answered")
            problem = FAILED
        with self._changed:
            if turn.running:
                turn.problem = problem or FAILED
            self._tell()


class Conversations:
    """All conversations by thread id; ids are random and known only to their tab."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._by_thread: OrderedDict[str, Conversation] = OrderedDict()

    def new(self) -> Conversation:
        """Return an empty conversation with a thread id of its own."""
        return self.of(uuid.uuid4().hex)

    def opened(self, thread: object) -> Conversation:
        """Return the conversation that a tab showed before; a new one where it is not held (any more)."""
        with self._lock:
            if isinstance(thread, str) and thread in self._by_thread:
                return self._by_thread[thread]
        return self.new()

    def of(self, thread: str) -> Conversation:
        """Return the conversation of a tab's thread id."""
        if not isinstance(thread, str) or not re.fullmatch(r"[0-9a-f]{32}", thread):
            thread = uuid.uuid4().hex
        with self._lock:
            conversation = self._by_thread.setdefault(thread, Conversation(thread))
            self._by_thread.move_to_end(thread)
            while len(self._by_thread) > _KEPT:
                self._by_thread.popitem(last=False)
            return conversation
