"""The desk's own API under /v1/desk, for the shop's customers: an app of its own, apart from the staff's.

Every request carries a token that names the customer (see `identity`); nothing in a request's text does.
A turn is streamed as server-sent events where they are asked for (typing, words, replied), else it is one JSON.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Annotated, Any, Literal, Protocol, TypeVar

import sqlalchemy as sa
from fastapi import FastAPI, Query, Request
from fastapi import Path as InPath
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from storewise.agent.desk.door import PREFIX, Customer, DeskDoor, Frame, OtherSites, origins
from storewise.agent.desk.identity import check_key
from storewise.agent.desk.reply import ConversationState, DeskEvent, Replied, Reply
from storewise.agent.desk.turns import StillBusy, Turns
from storewise.agent.http_answers import ApiError, event, problem, problems, tell_problems
from storewise.agent.settings import Settings
from storewise.tools.desk.store import DeskAway, DeskStore

logger = logging.getLogger(__name__)

LONGEST_TEXT = 5_000  # characters of a message
AGAIN = 0.3  # seconds after which a database that did not answer is asked once more
MOST_SHOWN = 500  # messages in one answer

_AWAY = (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError)
_CONVERSATION = re.compile(r"[A-Za-z0-9_-]{1,100}")
# Characters that no text has, and halves of characters, which nothing can write down.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_AWAY_SAID = "The desk cannot reach its records just now, and nothing is half-done. Try again in a minute."
_T = TypeVar("_T")


class Stored(Protocol):
    """A message as the records keep it."""

    @property
    def number(self) -> int: ...
    @property
    def who(self) -> str: ...
    @property
    def text(self) -> str: ...


class Conversations(Protocol):
    """What the API reads of the conversations."""

    def owner(self, conversation: str) -> str | None: ...
    def messages(self, conversation: str, after: int = 0) -> Sequence[Stored]: ...
    def state(self, conversation: str) -> ConversationState: ...


class Service(Protocol):
    """What answers customers."""

    @property
    def store(self) -> DeskStore: ...
    @property
    def records(self) -> Conversations: ...
    def begin(self, user_id: str) -> str: ...
    def say(self, user_id: str, conversation: str, text: str) -> Iterator[DeskEvent]: ...
    def press(self, user_id: str, conversation: str, proposal_id: str, yes: bool) -> Iterator[DeskEvent]: ...
    def state(self, user_id: str, conversation: str) -> Reply | None: ...


class Begun(BaseModel):
    """A new conversation."""

    conversation: str


class Message(BaseModel):
    """What a customer says: a text, or yes or no to what the desk proposed."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"conversation": "…", "text": "Where is my order?"},
                {"conversation": "…", "proposal_id": "…", "confirm": True},
            ]
        },
    )

    conversation: str
    text: str | None = Field(None, description=f"At most {LONGEST_TEXT:,} characters.")
    proposal_id: str | None = None
    confirm: bool | None = None


class Said(BaseModel):
    """A message so far; e-mails, phones, cards and addresses are masked."""

    number: int
    who: Literal["customer", "desk", "staff"]
    text: str


class Conversation(BaseModel):
    """A conversation as it stands: who answers now, what was said, and the desk's last reply."""

    conversation: str
    state: ConversationState
    messages: list[Said]
    reply: Reply | None


class Health(BaseModel):
    """Whether the desk can work."""

    status: Literal["ok", "no database"]


_ASKS = problems(400, 401, 413, 415, 422, 429, 503)
_ONE = _ASKS | problems(404)
_STREAMED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The reply; or, where `Accept: text/event-stream` asks for it, the turn's events "
        "`typing`, `words` and at the end `replied` or `problem`.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}


def make_desk_app(desk: Service, settings: Settings) -> FastAPI:
    """Return the app of the desk, on which a page may be mounted.

    Raises:
        ShopError: the key of the sign-ins or the sites that may talk to the desk are set wrongly.
    """
    check_key(settings)
    app = FastAPI(
        title="Storewise desk",
        version="1",
        description="The service desk of a shop, for its signed-in customers. A mistake is answered with "
        "application/problem+json whose `detail` is a sentence that can be shown to them.",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        openapi_url=f"{PREFIX}/openapi.json",
        responses={"default": problems(500)[500]},
    )
    app.state.desk_door = DeskDoor(desk.store, settings)
    app.add_middleware(Frame)
    app.add_middleware(OtherSites, origins=origins(settings))
    tell_problems(app)
    _tell_away(app)
    _add_conversations(app, desk)
    _add_health(app, desk)
    return app


def _add_conversations(app: FastAPI, desk: Service) -> None:
    turns = Turns()
    app.state.desk_turns = turns

    def owned(customer: str, conversation: str) -> str:
        """Return a conversation's id if it is this customer's; another's is as unknown as none."""
        known = _CONVERSATION.fullmatch(conversation) is not None
        if not known or _twice(lambda: desk.records.owner(conversation)) != customer:
            raise ApiError(404, "There is no such conversation of yours. Begin a new one.")
        return conversation

    @app.post(f"{PREFIX}/conversations", status_code=201, responses=_ASKS, tags=["desk"])
    def begin(customer: Customer) -> Begun:
        """Begin a conversation."""
        return Begun(conversation=_twice(lambda: desk.begin(customer)))

    @app.post(
        f"{PREFIX}/messages", response_model=Reply, responses=_ONE | problems(409) | _STREAMED, tags=["desk"]
    )
    async def say(message: Message, customer: Customer, request: Request) -> Any:
        """Say something, or answer a proposal with yes (`confirm` true) or no.

        A yes counts once: the same one again changes nothing and returns what became of it.
        Of one conversation, one message is answered at a time; a second waits for it.
        """
        act = _act(desk, customer, message)
        conversation = await run_in_threadpool(owned, customer, message.conversation)
        events = turns.events(conversation, act)
        if "text/event-stream" not in request.headers.get("accept", ""):
            return await _last(events)
        first = await _first(events)  # so that what goes wrong at once has a status of its own
        return StreamingResponse(_told(first, events), media_type="text/event-stream")

    @app.get(f"{PREFIX}/conversations/{{conversation}}", responses=_ONE, tags=["desk"])
    def one(
        conversation: Annotated[str, InPath(max_length=100)],
        customer: Customer,
        after: Annotated[int, Query(ge=0, le=2**31 - 1, description="Messages after this number.")] = 0,
    ) -> Conversation:
        """Return a conversation of yours: who answers now, the messages, and the desk's last reply."""
        owned(customer, conversation)

        def read() -> Conversation:
            said = desk.records.messages(conversation, after)[:MOST_SHOWN]
            reply = desk.state(customer, conversation)
            return Conversation(
                conversation=conversation,
                state=desk.records.state(conversation),
                messages=[Said(number=m.number, who=_who(m.who), text=m.text) for m in said],
                reply=None if reply is None else _public(reply),
            )

        return _twice(read)


def _act(desk: Service, customer: str, message: Message) -> Callable[[], Iterator[DeskEvent]]:
    """Return what a message makes the desk do.

    Raises:
        ApiError: it is neither a text nor an answer to a proposal, or too long.
    """
    text, proposal_id, yes = message.text, message.proposal_id, message.confirm
    if text is not None:
        if proposal_id is not None or yes is not None:
            raise ApiError(422, "Send either a text, or an answer to a proposal.", "body")
        if len(text) > LONGEST_TEXT:
            raise ApiError(
                422,
                f"Your message is longer than {LONGEST_TEXT:,} characters. Say it in fewer words.",
                "body.text",
            )
        said = _CONTROL.sub(" ", text).strip()
        if not said:
            raise ApiError(422, "Your message is empty. Write what it is about.", "body.text")
        return lambda: desk.say(customer, message.conversation, said)
    if proposal_id is None or yes is None:
        raise ApiError(
            422, "Send a text, or the proposal_id of a proposal with confirm true or false.", "body"
        )
    if not _CONVERSATION.fullmatch(proposal_id):
        raise ApiError(422, "There is no proposal with this proposal_id.", "body.proposal_id")
    return lambda: desk.press(customer, message.conversation, proposal_id, yes)


async def _first(events: AsyncIterator[DeskEvent]) -> DeskEvent:
    try:
        return await anext(events)
    except StillBusy:
        raise _busy() from None
    except StopAsyncIteration:
        raise RuntimeError("a turn ended without a reply") from None


async def _last(events: AsyncIterator[DeskEvent]) -> Reply:
    """Return the reply that ends a turn."""
    reply: Reply | None = None
    try:
        async for said in events:
            if isinstance(said, Replied):
                reply = _public(said.reply)
    except StillBusy:
        raise _busy() from None
    if reply is None:
        raise RuntimeError("a turn ended without a reply")
    return reply


async def _told(first: DeskEvent, events: AsyncIterator[DeskEvent]) -> AsyncIterator[str]:
    """Yield a turn as server-sent events; what goes wrong in its midst is the last of them."""
    yield _event(first)
    try:
        async for said in events:
            yield _event(said)
    except (DeskAway, *_AWAY):
        yield _broken(503, _AWAY_SAID)
    except Exception as error:
        logger.exception("a turn failed", exc_info=error)
        yield _broken(500, "This failed and should not have. Ask again, or ask for a person.")


def _broken(status: int, sentence: str) -> str:
    return event("problem", bytes(problem(status, sentence).body).decode())


def _event(said: DeskEvent) -> str:
    if isinstance(said, Replied):
        said = Replied(reply=_public(said.reply))
    return event(said.kind, said.model_dump_json())


def _public(reply: Reply) -> Reply:
    """Return a reply without what is for staff alone: how the desk decided."""
    return reply.model_copy(update={"decisions": ()})


def _who(name: str) -> Literal["customer", "desk", "staff"]:
    return "customer" if name == "customer" else "staff" if name == "staff" else "desk"


def _busy() -> ApiError:
    sentence = "Your last message is not answered yet. Wait for its answer, and then send this again."
    return ApiError(409, sentence, headers={"Retry-After": "3"})


def _twice(act: Callable[[], _T]) -> _T:
    """Return what `act` does; a database that does not answer is asked once more."""
    try:
        return act()
    except (DeskAway, *_AWAY):
        time.sleep(AGAIN)
        return act()


def _tell_away(app: FastAPI) -> None:
    """Answer in a sentence that the database is away, with nothing in it for the eyes of staff."""

    async def away(_: Request, __: Exception) -> Response:
        return problem(503, _AWAY_SAID, headers={"Retry-After": "30"})

    for kind in (DeskAway, *_AWAY):
        app.add_exception_handler(kind, away)


def _add_health(app: FastAPI, desk: Service) -> None:
    @app.get("/healthz", response_model=Health, responses=problems(422), tags=["state"])
    def health() -> JSONResponse:
        """Say whether the desk can work; it needs no sign-in."""
        try:
            with desk.store.reading("") as opened:
                opened.session.execute(sa.text("SELECT 1"))
            status: Literal["ok", "no database"] = "ok"
        except DeskAway:
            status = "no database"
        return JSONResponse(Health(status=status).model_dump())
