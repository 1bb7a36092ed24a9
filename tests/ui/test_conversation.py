"""Protects that conversations do not mix, that a turn outlives its request, and that it can be stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

from samples import RANKING, SERIES, answer_of

from storewise.agent.answer import Call, Event, Finished, StepFinished, Words
from storewise.ui.conversation import FAILED, STOPPED, Conversation, Conversations


class Scripted:
    """Stands in for the analyst: yields what it is given, and notes who asked what."""

    def __init__(self, script: Callable[[str], Iterator[Event]]) -> None:
        self.script = script
        self.asked: list[tuple[str, str]] = []

    def stream(self, question: str, thread: str) -> Iterator[Event]:
        self.asked.append((question, thread))
        return self.script(question)


def finish(conversation: Conversation) -> None:
    for _ in conversation.follow():
        pass


def answering(question: str) -> Iterator[Event]:
    yield StepFinished(call=Call(name=RANKING.tool), finding=RANKING, seconds=0.1)
    yield Finished(answer=answer_of(RANKING, text=f"About {question}"))


def test_each_thread_has_its_own_turns() -> None:
    analyst: Any = Scripted(answering)
    conversations = Conversations()
    one, two = conversations.new(), conversations.new()
    assert one.ask("one", analyst) and two.ask("two", analyst)
    finish(one)
    finish(two)
    assert [(c.turns[0].answer.answer, len(c.turns)) for c in (one, two) if c.turns[0].answer] == [
        ("About one", 1),
        ("About two", 1),
    ]
    assert sorted(analyst.asked) == sorted([("one", one.thread), ("two", two.thread)])


def test_a_tab_finds_its_conversation_again_and_no_other() -> None:
    conversations = Conversations()
    mine = conversations.new()
    assert conversations.opened(mine.thread) is mine and conversations.of(mine.thread) is mine
    for other in ("", "f" * 32, "../../etc", None, 7):
        assert conversations.opened(other) is not mine
    assert conversations.of("f" * 32) is conversations.of("f" * 32)


def test_one_question_at_a_time() -> None:
    go_on = threading.Event()

    def waiting(question: str) -> Iterator[Event]:
        go_on.wait(10)
        yield from answering(question)

    talking = Conversations().new()
    analyst: Any = Scripted(waiting)
    assert talking.ask("first", analyst)
    assert not talking.ask("second", analyst)
    go_on.set()
    finish(talking)
    assert [turn.question for turn in talking.turns] == ["first"]
    assert talking.ask("second", analyst)
    finish(talking)


def test_following_shows_each_stage_and_ends() -> None:
    steps = [threading.Event() for _ in range(3)]

    def staged(question: str) -> Iterator[Event]:
        for gate, event in zip(
            steps,
            (
                StepFinished(call=Call(name=SERIES.tool), finding=SERIES, seconds=0.1),
                Words(text="So"),
                Finished(answer=answer_of(SERIES, text="So it was.")),
            ),
            strict=True,
        ):
            gate.wait(10)
            yield event

    talking = Conversations().new()
    analyst: Any = Scripted(staged)
    talking.ask("how?", analyst)
    seen = []
    gates = iter(steps)
    for _ in talking.follow():
        turn = talking.turns[0]
        seen.append((len(turn.findings), turn.words, turn.answer is not None))
        if gate := next(gates, None):
            gate.set()
    assert (1, "", False) in seen and (1, "So", False) in seen
    assert seen[-1] == (1, "So", True)


def test_stopping_keeps_what_was_found_and_ends_the_turn() -> None:
    reached, closed = threading.Event(), threading.Event()

    def endless(question: str) -> Iterator[Event]:
        try:
            yield StepFinished(call=Call(name=RANKING.tool), finding=RANKING, seconds=0.1)
            reached.set()
            while True:
                yield Words(text="and ")
        finally:
            closed.set()

    talking = Conversations().new()
    analyst: Any = Scripted(endless)
    talking.ask("go on", analyst)
    assert reached.wait(10)
    talking.stop()
    finish(talking)
    assert talking.turns[0].problem == STOPPED and talking.turns[0].findings == [RANKING]
    assert closed.wait(10)
    assert talking.ask("next", Scripted(answering))  # type: ignore[arg-type]
    finish(talking)
    assert talking.turns[1].answer is not None


def test_a_failure_is_a_plain_sentence() -> None:
    def failing(question: str) -> Iterator[Event]:
        yield Words(text="I")
        raise RuntimeError("a traceback for nobody")

    for script in (failing, lambda question: iter(())):
        talking = Conversations().new()
        analyst: Any = Scripted(script)
        talking.ask("?", analyst)
        finish(talking)
        assert talking.turns[0].problem == FAILED
