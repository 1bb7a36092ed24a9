"""What the APIs answer besides what was asked for: problems in plain words, and how answers are described."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route

from storewise.tools.registry import ArgumentError
from storewise.tools.reviews.index import NoIndex
from storewise.tools.shop.generation import ShopError

logger = logging.getLogger(__name__)

PROBLEM = "application/problem+json"

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
