"""What stands before every request to the staff's API: who asks, how often, how much."""

from __future__ import annotations

import time
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers

from storewise.agent import keys
from storewise.agent.http_answers import ApiError, problems
from storewise.agent.http_guard import (
    Message,
    Receive,
    Scope,
    Send,
    add_headers,
    bounded,
    paced,
    packed,
    unknown,
)
from storewise.agent.job_store import JobStore
from storewise.agent.limits import Limits

LARGEST_BODY = 1024 * 1024  # bytes of a request that is no upload
HERE = ("127.0.0.1", "localhost", "::1")
UPLOAD = "/v1/jobs/upload"
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))

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
        paced(self.limits, owner or f"address {address}", _too_often)
        if owner is not None:
            return owner
        if self.needs_key or given is not None or request.headers.get("authorization"):
            said = "This key is not valid" if given is not None else "This needs a key"
            detail = (
                f"{said}. Make one with: storewise keys create NAME, and send it as Authorization: Bearer KEY"
            )
            raise unknown(detail)
        self._from_here(request)
        return "local"

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


def _too_often(seconds: int) -> str:
    return f"Too many requests at once; ask again in {seconds} s."


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


class Frame:
    """Around each request: a limit to its size, its seconds counted, and headers that keep browsers careful."""

    def __init__(self, app: Any, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.monotonic()
        method = scope["method"] if scope["method"] in METHODS else "other"

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "other")
                status = str(message["status"])
                self.metrics.requests.labels(method, route, status).inc()
                self.metrics.seconds.labels(route).observe(time.monotonic() - began)
            add_headers(message)
            await send(message)

        try:
            if refused := packed(Headers(scope=scope)):
                await refused(scope, receive, told)
            elif scope["path"] == UPLOAD:
                await self.app(scope, receive, told)
            else:
                await self.app(scope, bounded(receive, LARGEST_BODY), told)
        except Exception:
            self.metrics.requests.labels(method, "other", "500").inc()
            raise
