"""The analyst: a question in, a stream of events out, a conversation remembered."""

from __future__ import annotations

import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver

from storewise.agent.answer import Answer, Call, Event, Finished, Seconds, StepFinished, StepStarted, Words
from storewise.agent.engine import Served
from storewise.agent.graph import GROUNDED, NOTE, PHRASED, build_graph, own_sentences
from storewise.agent.guard import QuestionError, guarded
from storewise.agent.routing import Router
from storewise.agent.settings import Settings
from storewise.finetune.adapter import SHIPPED
from storewise.prompts import prompt
from storewise.tools.finding import Finding
from storewise.tools.registry import analyst_tools
from storewise.tools.shop.generation import Shop
from storewise.tools.shortlist import load_shortlist

# Nobody listens here: a turn without an engine fails at once and takes the road without a model.
NOWHERE = Served("http://127.0.0.1:9/v1", "none", "none", compact=True)

WARM_CALLS: dict[str, dict[str, Any]] = {
    "sales_report": {"metric": "revenue"},
    "churn_risk": {"top": 1},
    "cart_risk": {"top": 1},
    "search_reviews": {"query": "good", "top": 1},
    "review_insights": {},
}


def chat_model(served: Served, seconds: float) -> ChatOpenAI:
    """Return LangChain's client of a served model; a silence of `seconds` counts as down."""
    return ChatOpenAI(
        base_url=served.url,
        api_key=lambda: served.key,
        model=served.model,
        timeout=seconds,
        max_retries=0,
        temperature=0.0,
    )


class Analyst:
    """Answers questions about one shop. Threads may share it; each conversation has its own `thread`."""

    def __init__(self, shop: Shop, settings: Settings, served: Callable[[], Served | None]) -> None:
        self.shop = shop
        self.tools = analyst_tools()
        self.router = Router(shop, self.tools, load_shortlist(SHIPPED), settings.keep_tools)
        self._settings = settings
        self._served = served
        self._graphs: dict[Served, Any] = {}
        self._lock = threading.Lock()
        settings.home.mkdir(parents=True, exist_ok=True)
        self._memory = _memory(settings.home / "conversations.sqlite")

    def ask(self, question: str, thread: str | None = None) -> Answer:
        """Return the whole answer to `question` in the conversation `thread` (a new one if None)."""
        for event in self.stream(question, thread):
            if isinstance(event, Finished):
                return event.answer
        raise RuntimeError("a turn ended without an answer")

    def stream(self, question: str, thread: str | None = None) -> Iterator[Event]:
        """Yield the turn's events: tools started and finished, the model's words, the checked answer."""
        began = time.monotonic()
        try:
            question = guarded(question)
        except QuestionError as error:
            yield Finished(answer=Answer(answer=str(error), seconds=Seconds(total=0, model=0, tools=0)))
            return
        turn = _Turn(began)
        graph = self._graph(self._served() or NOWHERE)
        config = {"configurable": {"thread_id": thread or uuid.uuid4().hex}, "recursion_limit": 24}
        messages = {"messages": [HumanMessage(question)]}
        for mode, data in graph.stream(messages, config, stream_mode=["updates", "messages"]):
            if mode == "messages":
                chunk, _ = data
                # Before a tool has answered, what the model writes is a call and not for the person.
                if turn.findings and isinstance(chunk, AIMessageChunk) and chunk.text:
                    yield Words(text=str(chunk.text))
            else:
                yield from turn.events(data)
        yield Finished(answer=turn.answer())

    def _graph(self, served: Served) -> Any:
        with self._lock:
            if served not in self._graphs:
                model = chat_model(served, self._settings.slow_seconds)
                self._graphs[served] = build_graph(
                    model, served.compact, self.router, self.tools, self.shop, self._memory
                )
            return self._graphs[served]

    def warm(self) -> None:
        """Load what the first question would wait for: embeddings, catalogue, models."""
        self.router.route("How are sales of milk in March?")
        for name, arguments in WARM_CALLS.items():
            self.tools[name].call(self.shop, arguments)

    def forget(self, thread: str) -> None:
        """Delete a conversation."""
        self._memory.delete_thread(thread)


def _memory(path: Path) -> SqliteSaver:
    """Return the conversations' store; messages are kept as msgpack, never pickled."""
    connection = sqlite3.connect(path, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    memory = SqliteSaver(connection, serde=JsonPlusSerializer(pickle_fallback=False))
    memory.setup()
    return memory


class _Turn:
    """What happened in a turn so far, put together from the graph's updates."""

    def __init__(self, began: float) -> None:
        self._began = began
        self._first: float | None = None
        self._tool_seconds = 0.0
        self._last: AIMessage | None = None
        self._notes: list[str] = []
        self._calls: dict[str, Call] = {}
        self._found: dict[str, Finding] = {}

    @property
    def findings(self) -> list[Finding]:
        """The findings so far, in the order of their calls (tools run side by side)."""
        return [self._found[call] for call in self._calls if call in self._found]

    def events(self, update: dict[str, Any]) -> Iterator[Event]:
        """Yield the events that one update of the graph stands for."""
        for change in update.values():
            for message in (change or {}).get("messages", []):
                if isinstance(message, AIMessage):
                    yield from self._from_model(message)
                elif isinstance(message, ToolMessage):
                    yield from self._from_tool(message)

    def _from_model(self, message: AIMessage) -> Iterator[Event]:
        note = message.additional_kwargs.get(NOTE)
        if note and note not in self._notes:
            self._notes.append(note)
        if not message.tool_calls:
            self._last = message
        for call in message.tool_calls:
            if call["id"] not in self._calls:
                self._calls[str(call["id"])] = Call(name=call["name"], args=call["args"])
                yield StepStarted(call=self._calls[str(call["id"])])

    def _from_tool(self, message: ToolMessage) -> Iterator[Event]:
        if message.artifact is None or message.tool_call_id not in self._calls:
            return
        finding = Finding.model_validate(message.artifact["finding"])
        seconds = float(message.artifact["seconds"])
        self._tool_seconds += seconds
        self._found[message.tool_call_id] = finding
        self._first = self._first or time.monotonic() - self._began
        yield StepFinished(call=self._calls[message.tool_call_id], finding=finding, seconds=seconds)

    def answer(self) -> Answer:
        """Return the answer that the turn ended with."""
        total = time.monotonic() - self._began
        seconds = Seconds(
            total=round(total, 3),
            model=round(total - self._tool_seconds, 3),
            tools=round(self._tool_seconds, 3),
            first=None if self._first is None else round(self._first, 3),
        )
        said = self._last
        kept = said.additional_kwargs if said is not None else {}
        ended = said is not None and GROUNDED in kept
        text = str(said.text) if said is not None and ended else own_sentences(self.findings)
        return Answer(
            answer=text or prompt("none_outside"),
            calls=tuple(self._calls.values()),
            findings=tuple(self.findings),
            grounded=bool(kept.get(GROUNDED, True)),
            phrased_by=kept.get(PHRASED, "findings") if ended else "findings",
            seconds=seconds,
            note=" ".join(self._notes) or None,
        )
