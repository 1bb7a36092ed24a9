"""What stands before every request to either API: its pace, its size, nothing packed, and careful headers."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException

from storewise.agent.http_answers import ApiError, problem
from storewise.agent.limits import Limits

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_CAREFUL = (b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store")


def paced(limits: Limits, caller: str, sentence: Callable[[int], str]) -> None:
    """Take a request of a caller's pace.

    Args:
        sentence: says that the caller must wait so many seconds.

    Raises:
        ApiError: it came too soon.
    """
    seconds = math.ceil(limits.wait(caller))
    if seconds > 0:
        raise ApiError(429, sentence(seconds), headers={"Retry-After": str(seconds)})


def unknown(sentence: str) -> ApiError:
    """Return the error for who shows no valid key or token."""
    return ApiError(401, sentence, "header.authorization", {"WWW-Authenticate": "Bearer"})


def too_large(largest: int) -> str:
    """Say that a request has more than `largest` bytes."""
    return f"The request is larger than {largest // 1024} KB."


def bounded(receive: Receive, largest: int) -> Receive:
    """Return what receives a request of at most `largest` bytes, and refuses it once it has more."""
    size = 0

    async def received() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > largest:
            raise HTTPException(413, too_large(largest))
        return message

    return received


def packed(headers: Headers) -> JSONResponse | None:
    """Return the refusal of a packed request: unpacked, a small body could fill the disk."""
    how = headers.get("content-encoding", "identity").strip().lower()
    if how in ("identity", ""):
        return None
    return problem(415, f"Send it as it is, without Content-Encoding {how[:40]!r}.", "header")


def add_headers(message: Message, *more: tuple[bytes, bytes]) -> None:
    """Add the headers that keep browsers careful, and more, where a message begins an answer."""
    if message["type"] == "http.response.start":
        message["headers"] = [*message.get("headers", ()), *_CAREFUL, *more]
