"""The API's questions, tools and search: answers and findings of the analyst."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol

from fastapi import Body, FastAPI, Query
from fastapi import Path as InPath
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from storewise.agent.answer import Answer
from storewise.agent.api_guard import ASKS, ApiError, Caller, event, problems, streamed
from storewise.agent.engine import Served
from storewise.tools.finding import Finding

if TYPE_CHECKING:
    from storewise.agent.analyst import Analyst


class Backend(Protocol):
    """What answers questions: `storewise up` gives its startup."""

    def analyst(self) -> Analyst | None: ...
    def served(self) -> Served | None: ...


class Question(BaseModel):
    """A question about the shop."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"question": "How are sales?"}]}
    )

    question: str = Field(max_length=10_000)
    thread: str | None = Field(
        None, pattern="^[A-Za-z0-9._-]{1,100}$", description="Goes on with a conversation of this name."
    )
    stream: bool = Field(False, description="Server-sent events: steps, findings, words, the checked answer.")


def add_analyst(app: FastAPI, backend: Backend) -> None:
    """Add the routes."""

    def analyst() -> Analyst:
        ready = backend.analyst()
        if ready is None:
            detail = (
                "The shop and its models are not up (yet). See /healthz, or on the server: storewise doctor"
            )
            raise ApiError(503, detail, headers={"Retry-After": "10"})
        return ready

    called = ASKS | problems(400, 404, 409, 413, 415, 503)

    @app.post("/v1/ask", response_model=Answer, responses=called | streamed("Answer"), tags=["analyst"])
    def ask(asked: Question, owner: Caller) -> Any:
        """Ask a question about the shop; with `stream`, its events: steps, findings, words, the answer."""
        ready = analyst()
        # Nobody can go on with another's conversation.
        thread = None if asked.thread is None else f"api-{owner}-{asked.thread}"
        if not asked.stream:
            return ready.ask(asked.question, thread)

        def told() -> Iterator[str]:
            for step in ready.stream(asked.question, thread):
                yield event(step.kind, step.model_dump_json())

        return StreamingResponse(told(), media_type="text/event-stream")

    @app.get("/v1/tools", responses=ASKS | problems(503), tags=["analyst"])
    def tools(owner: Caller) -> list[dict[str, Any]]:
        """List the tools with the schemas of their arguments."""
        return [
            {"name": tool.name, "description": tool.description, "arguments": tool.schema}
            for tool in analyst().tools.values()
        ]

    @app.post("/v1/tools/{name}", responses=called, tags=["analyst"])
    def call(
        name: Annotated[str, InPath(max_length=100)],
        owner: Caller,
        arguments: Annotated[dict[str, Any] | None, Body(examples=[{"top": 5}])] = None,
    ) -> Finding:
        """Call a tool and return its finding."""
        ready = analyst()
        if name not in ready.tools:
            raise ApiError(
                404, f"There is no tool of this name; there are: {', '.join(ready.tools)}.", "path.name"
            )
        return ready.tools[name].call(ready.shop, arguments or {})

    @app.get("/v1/reviews/search", responses=ASKS | problems(409, 503), tags=["analyst"])
    def search(
        owner: Caller,
        query: Annotated[str | None, Query(max_length=1000)] = None,
        product: Annotated[str | None, Query(max_length=200)] = None,
        sentiment: Literal["positive", "negative"] | None = None,
        top: Annotated[int, Query(ge=1, le=50)] = 5,
    ) -> Finding:
        """Find the reviews nearest in meaning, quoted with their ids."""
        ready = analyst()
        given = {"query": query, "product": product, "sentiment": sentiment, "top": top}
        return ready.tools["search_reviews"].call(
            ready.shop, {k: v for k, v in given.items() if v is not None}
        )
