"""What stands before every request to the desk: its size, its pace, whose page asks, and who is signed in."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware

from storewise.agent.desk.identity import NotSignedIn, customer_of
from storewise.agent.http_answers import problem
from storewise.agent.http_guard import (
    Message,
    Receive,
    Scope,
    Send,
    add_headers,
    bounded,
    paced,
    packed,
    too_large,
    unknown,
)
from storewise.agent.limits import Limits
from storewise.agent.settings import Settings
from storewise.tools.desk.store import DeskStore
from storewise.tools.shop.generation import ShopError

LARGEST_BODY = 64 * 1024
PREFIX = "/v1/desk"
LOOKS = 4  # a page may look so many times as often as its customer may write,
ALL = 10  # and an address, behind which many may sit, may ask so many times as often


class DeskDoor:
    """Lets in whom a token names, at a pace."""

    def __init__(self, store: DeskStore, settings: Settings) -> None:
        self.store = store
        self.settings = settings
        often = settings.desk_requests_per_minute
        self._written = Limits(often)
        self._looked = Limits(LOOKS * often)
        self._address = Limits(ALL * often)

    async def enter(self, request: Request, given: HTTPAuthorizationCredentials | None) -> str:
        """Return the customer who asks.

        Raises:
            ApiError: too often, or not signed in.
        """
        address = request.client.host if request.client else "?"
        paced(self._address, address, _too_often)
        if given is None:
            raise unknown("Sign in to the shop to talk to the desk.")
        try:
            user_id = await run_in_threadpool(customer_of, self.settings, given.credentials, self.store)
        except NotSignedIn as refused:
            raise unknown(str(refused)) from None
        paced(self._written if request.method == "POST" else self._looked, user_id, _too_often)
        return user_id


def _too_often(seconds: int) -> str:
    wait = "a second" if seconds == 1 else f"{seconds} seconds"
    return f"That is more than the desk can answer at once. Wait {wait} and send it again."


_bearer = HTTPBearer(auto_error=False, description="A token of the shop's sign-in that names the customer.")


async def _customer(
    request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> str:
    door: DeskDoor = request.app.state.desk_door
    return await door.enter(request, given)


Customer = Annotated[str, Depends(_customer)]


class Frame:
    """Around the desk's own paths and no others: a limit to a request's size, and careful headers."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _ours(scope):
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope)

        async def told(message: Message) -> None:
            add_headers(message, (b"referrer-policy", b"no-referrer"))
            await send(message)

        announced = given.get("content-length", "")
        if announced.isdigit() and int(announced[:20]) > LARGEST_BODY:
            await problem(413, too_large(LARGEST_BODY))(scope, receive, told)
        elif refused := packed(given):
            await refused(scope, receive, told)
        else:
            await self.app(scope, bounded(receive, LARGEST_BODY), told)


class OtherSites:
    """Lets the pages of the named sites talk to the desk's own paths; a browser keeps all others away."""

    def __init__(self, app: Any, origins: list[str]) -> None:
        self.app = app
        self.cors = CORSMiddleware(
            app,
            allow_origins=origins,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type"],
            expose_headers=["Retry-After"],
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self.cors if _ours(scope) else self.app)(scope, receive, send)


def _ours(scope: Scope) -> bool:
    return scope["type"] == "http" and str(scope["path"]).startswith((PREFIX, "/healthz"))


def origins(settings: Settings) -> list[str]:
    """Return the sites whose pages may talk to the desk.

    Raises:
        ShopError: one of them is no site's address.
    """
    found = settings.desk_origins.replace(",", " ").split()
    for origin in found:
        parts = urlsplit(origin)
        if (
            parts.scheme not in ("http", "https")
            or not parts.netloc
            or f"{parts.scheme}://{parts.netloc}" != origin
        ):
            raise ShopError(
                f"STOREWISE_DESK_ORIGINS has {origin!r}, which is no site's address. "
                "Write it like https://shop.example, without a path."
            )
    return found
