"""What stands before every request to the API: who asks, how often, how much; and how problems are told."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from prometheus_client import CollectorRegistry, Counter, Histogram
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route

from storewise.agent import keys
from storewise.agent.job_store import JobStore
from storewise.agent.limits import Limits
from storewise.tools.registry import ArgumentError
from storewise.tools.reviews.index import NoIndex
from storewise.tools.shop.generation import ShopError

logger = logging.getLogger(__name__)

PROBLEM = "application/problem+json"
LARGEST_BODY = 1024 * 1024  # bytes of a request that is no upload
HERE = ("127.0.0.1", "localhost", "::1")
UPLOAD = "/v1/jobs/upload"
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))

_TITLES = {
    400: "Bad request", 401: "No valid key", 403: "Not allowed", 404: "Not found", 405: "No such method",
    408: "Too slow",
    409: "Not possible now", 413: "Too large", 415: "Unknown content type", 422: "Not valid",
    429: "Too many requests", 500: "Our fault", 503: "Not ready", 507: "Disk full",
}  # fmt: skip


class Problem(BaseModel):
    """What went wrong, as RFC 9457 has it: `detail` says what, where and what to do."""

    title: str
    status: int
    detail: str
    where: str | None = Field(
        None, description="The part of the request that is meant, such as body.rating_max."
    )


class ApiError(Exception):
    """An answer other than the one asked for."""

    def __init__(
        self, status: int, detail: str, where: str | None = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.where = where
        self.headers = headers


def problem(
    status: int, detail: str, where: str | None = None, headers: dict[str, str] | None = None
) -> JSONResponse:
    """Return a problem as a response."""
    told = Problem(title=_TITLES.get(status, "Problem"), status=status, detail=detail, where=where)
    # Words of the request may hold what no file can; they are shown with a mark in its place.
    plain = {k: v.encode("utf-8", "replace").decode() if isinstance(v, str) else v for k, v in told}
    return JSONResponse(plain, status, headers=headers, media_type=PROBLEM)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the problems of a route for its description."""
    shown = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        status: {"description": _TITLES[status], "model": Problem, "content": shown} for status in statuses
    }


def streamed(of: str) -> dict[int | str, dict[str, Any]]:
    """Return the answer of a route that streams events, for its description."""
    schema = {"description": f"Server-sent events; the last one's data is a {of}."}
    return {200: {"description": "Events", "content": {"text/event-stream": {"schema": schema}}}}


def downloaded(kind: str) -> dict[int | str, dict[str, Any]]:
    """Return the answer of a route that gives a file, for its description."""
    return {200: {"description": "A file", "content": {kind: {"schema": {"type": "string"}}}}}


def event(name: str, data: str) -> str:
    """Return a server-sent event."""
    return f"event: {name}\ndata: {data}\n\n"


def tell_problems(app: FastAPI) -> None:
    """Answer every error with a problem in plain words, and never with a traceback."""

    @app.exception_handler(ApiError)
    def api_error(_: Request, error: ApiError) -> JSONResponse:
        return problem(error.status, error.detail, error.where, error.headers)

    @app.exception_handler(HTTPException)
    def http(request: Request, error: HTTPException) -> JSONResponse:
        detail = str(error.detail)
        if error.status_code == 404 and detail == "Not Found":
            see = f" See {request.app.docs_url} for what there is." if request.app.docs_url else ""
            detail = f"There is nothing at {request.url.path[:200]}.{see}"
        elif error.status_code == 405:
            allowed = ", ".join(sorted(_possible(request)))
            see = f" See {request.app.docs_url}." if request.app.docs_url else ""
            detail = f"{request.method} is not possible at {request.url.path[:200]}, but {allowed}.{see}"
            return problem(405, detail, headers={"Allow": allowed})
        elif error.status_code == 400 and "parsing the body" in detail:
            detail = "The body cannot be read as JSON in UTF-8."
        return problem(error.status_code, detail, headers=dict(error.headers or {}))

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])[:200]
        kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
        if first["loc"][0] == "body" and kind != "application/json" and not kind.endswith("+json"):
            said = f"The content type is {kind[:100]!r}" if kind else "The request has no Content-Type"
            return problem(415, f"{said}; this takes JSON as application/json.", "header.content-type")
        more = len(error.errors()) - 1
        rest = f" ({more} more of the kind.)" if more else ""
        return problem(422, f"{where}: {first['msg'].removeprefix('Value error, ')}.{rest}", where)

    @app.exception_handler(ArgumentError)
    def arguments(_: Request, error: ArgumentError) -> JSONResponse:
        return problem(422, f"{error}.", "body")

    @app.exception_handler(ShopError)
    @app.exception_handler(NoIndex)
    def shop(_: Request, error: Exception) -> JSONResponse:
        return problem(409, str(error))

    @app.exception_handler(Exception)
    def anything(_: Request, error: Exception) -> JSONResponse:
        logger.exception("a request failed", exc_info=error)
        return problem(
            500, f"This failed and should not have ({type(error).__name__}); see the server's log."
        )


def _possible(request: Request) -> set[str]:
    """Return what can be done at a request's path."""
    routes = [route for route in request.app.routes if isinstance(route, Route)]
    fitting = [route for route in routes if route.matches(request.scope)[0] is not Match.NONE]
    return {method for route in fitting for method in route.methods or ()}


ASKS = problems(401, 403, 422, 429)


class Door:
    """Lets in who may come: by key, at a pace; without keys only from this machine itself."""

    def __init__(self, store: JobStore, limits: Limits, needs_key: bool) -> None:
        self.store = store
        self.limits = limits
        self.needs_key = needs_key

    async def enter(self, request: Request, given: HTTPAuthorizationCredentials | None) -> str:
        """Return who asks: a key's id, or "local".

        Raises:
            ApiError: no valid key, another site's page, or too often.
        """
        address = request.client.host if request.client else "?"
        owner = None
        if given is not None:
            owner = await run_in_threadpool(keys.check, self.store, given.credentials)
        self._paced(owner or f"address {address}")
        if owner is not None:
            return owner
        if self.needs_key or given is not None or request.headers.get("authorization"):
            said = "This key is not valid" if given is not None else "This needs a key"
            detail = (
                f"{said}. Make one with: storewise keys create NAME, and send it as Authorization: Bearer KEY"
            )
            raise ApiError(401, detail, "header.authorization", {"WWW-Authenticate": "Bearer"})
        self._from_here(request)
        return "local"

    def _paced(self, caller: str) -> None:
        seconds = self.limits.wait(caller)
        if seconds > 0:
            wait = math.ceil(seconds)
            raise ApiError(
                429, f"Too many requests at once; ask again in {wait} s.", headers={"Retry-After": str(wait)}
            )

    def _from_here(self, request: Request) -> None:
        """Refuse what a web page of another site makes a browser on this machine ask."""
        host = urlsplit(f"//{request.headers.get('host', '')}")
        origin = request.headers.get("origin")
        site = request.headers.get("sec-fetch-site", "none")
        foreign = origin is not None and urlsplit(origin).netloc != host.netloc
        if host.hostname not in HERE or foreign or site == "cross-site":
            raise ApiError(
                403, "Without a key only programs on this machine are answered, and no other site's pages."
            )


_bearer = HTTPBearer(auto_error=False, description="A key made by: storewise keys create NAME")


async def _caller(
    request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> str:
    door: Door = request.app.state.door
    return await door.enter(request, given)


Caller = Annotated[str, Depends(_caller)]


class Metrics:
    """What Prometheus reads of the requests."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "storewise_requests", "Requests answered.", ["method", "route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "storewise_request_seconds", "Seconds until an answer began.", ["route"], registry=self.registry
        )


Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Frame:
    """Around each request: a limit to its size, its seconds counted, and headers that keep browsers careful."""

    def __init__(self, app: Any, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.monotonic()
        method = scope["method"] if scope["method"] in METHODS else "other"
        packed = Headers(scope=scope).get("content-encoding", "identity").strip().lower()
        size = 0

        async def bounded() -> MutableMapping[str, Any]:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > LARGEST_BODY and scope["path"] != UPLOAD:
                raise HTTPException(413, f"The request is larger than {LARGEST_BODY // 1024} KB.")
            return message

        async def told(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "other")
                status = str(message["status"])
                self.metrics.requests.labels(method, route, status).inc()
                self.metrics.seconds.labels(route).observe(time.monotonic() - began)
                headers = (b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store")
                message["headers"] = [*message.get("headers", ()), *headers]
            await send(message)

        try:
            if packed not in ("identity", ""):
                # Unpacked, a small body could fill the disk.
                refused = problem(
                    415, f"Send it as it is, without Content-Encoding {packed[:40]!r}.", "header"
                )
                await refused(scope, receive, told)
                return
            await self.app(scope, bounded, told)
        except Exception:
            self.metrics.requests.labels(method, "other", "500").inc()
            raise
