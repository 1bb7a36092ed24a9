"""The API's questions, tools and search: answers and findings of the analyst."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from fastapi import Body, FastAPI, Query
from fastapi import Path as InPath
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from storewise.agent.answer import Answer
from storewise.agent.api_guard import ASKS, Caller
from storewise.agent.engine import Served
from storewise.agent.http_answers import ApiError, event, problems, streamed
from storewise.agent.selection import Limits, SelectionError, of_category, within
from storewise.tools import opinions
from storewise.tools.finding import Finding
from storewise.tools.reviews import search
from storewise.tools.reviews.index import Index

if TYPE_CHECKING:
    from storewise.agent.analyst import Analyst


class Backend(Protocol):
    """What answers questions: `storewise up` gives its startup."""

    def analyst(self) -> Analyst | None: ...
    def served(self) -> Served | None: ...


LIMITS = {"category", "rating_min", "rating_max", "since", "until"}


class Asked(Limits):
    """What reviews are searched for."""

    query: str | None = Field(None, max_length=1000, description="What they should speak of.")
    product: str | None = Field(None, max_length=200, description="A product's id or name, or a category.")
    category: str | None = Field(None, max_length=200)
    top: int = Field(5, ge=1, le=50)


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
    def search_reviews(asked: Annotated[Asked, Query()], owner: Caller) -> Finding:
        """Find the reviews nearest in meaning, quoted with their ids; without a query those that speak most clearly."""
        shop = analyst().shop
        shop.require("reviews", "review_id", "text")

        def within_limits(index: Index, scope: search.Scope) -> search.Scope:
            if asked.category is not None:
                label, rows = of_category(shop, index, asked.category)
                scope = replace(scope, rows=scope.rows & rows, label=scope.label or label)
            return within(index, scope, asked)

        given = asked.model_dump(mode="json", exclude_none=True)
        limited = given.keys() & LIMITS
        try:
            found = opinions.found_reviews(
                shop,
                asked.query,
                asked.product,
                asked.sentiment,
                asked.top,
                within_limits if limited else None,
            )
        except SelectionError as error:
            raise ApiError(422, str(error), "query.category") from None
        return found.model_copy(update={"arguments": given})
