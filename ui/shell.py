"""What every page of ours stands in: its headers, what it takes of whom, its files, and how it is shown and served."""

from __future__ import annotations

import threading
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import gradio as gr
from fastapi import FastAPI
from fastapi.responses import FileResponse, PlainTextResponse

from storewise.ui.theme import theme

_HERE = Path(str(files("storewise.ui")))

# Nothing on the page may fetch from, or send to, another address, whatever a text on it asks for.
# Gradio needs inline scripts and styles, and makes functions from strings.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; object-src 'none'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = (
    (b"content-security-policy", _POLICY.encode()),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)


class PageError(Exception):
    """The page cannot be served; the message is a plain sentence with the next command."""


class Guard:
    """Adds the page's security headers to every answer, and takes nothing that another site's page sends.

    Paths that begin with one of `beside` are no part of the page and look after themselves.
    """

    def __init__(self, app: Callable[..., Awaitable[None]], beside: tuple[str, ...] = ()) -> None:
        self.app = app
        self.beside = beside

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        async def guarded(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *_HEADERS]
            await send(message)

        if scope["type"] == "http" and scope["path"].startswith(self.beside or ("\0",)):
            await self.app(scope, receive, send)
            return
        if scope["type"] == "http" and scope["method"] not in ("GET", "HEAD") and _foreign(scope["headers"]):
            await PlainTextResponse("Other sites' pages may ask for nothing here.", 403)(
                scope, receive, guarded
            )
            return
        await self.app(scope, receive, guarded)


def _foreign(headers: list[tuple[bytes, bytes]]) -> bool:
    """Say whether a request comes from a page of another site, as browsers tell."""
    given = dict(headers)
    origin, host = given.get(b"origin"), given.get(b"host", b"")
    return origin is not None and urlsplit(origin).netloc != host


def add_assets(app: FastAPI, names: Iterable[str]) -> None:
    """Serve the page's styles, scripts and pictures, and Plotly, under /storewise/."""
    known = frozenset(names)

    @app.get("/storewise/{name}")
    def asset(name: str) -> FileResponse:
        if name == "plotly.js":
            path = Path(str(files("plotly"))) / "package_data" / "plotly.min.js"
            return FileResponse(path, headers={"cache-control": "public, max-age=86400"})
        path = _HERE / (name if name in known else "icon.svg")
        return FileResponse(path, headers={"cache-control": "no-cache"})


def mount(app: FastAPI, page: gr.Blocks, head: str) -> FastAPI:
    """Return an application with a page at its root, of our theme and without what Gradio adds of its own."""
    mounted: FastAPI = gr.mount_gradio_app(
        app,
        page,
        path="/",
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        mcp_server=False,
        show_error=False,
        theme=theme(),
        head=head,
        app_kwargs={"docs_url": None, "redoc_url": None},
    )
    return mounted


def run(app: FastAPI, host: str, port: int, name: str = "page") -> Callable[[], None]:
    """Serve an application in a thread of its own, and return what ends it, once it answers.

    Raises:
        PageError: it could not be opened there.
    """
    import uvicorn

    # An open page holds a stream, which would keep the server from ending.
    config = uvicorn.Config(app, host=host, port=port, log_level="warning", timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name=name, daemon=True)
    thread.start()
    while not server.started:
        if not thread.is_alive():
            raise PageError(f"The page could not be opened on {host}:{port}; see: storewise doctor")
        time.sleep(0.02)

    def stop() -> None:
        server.should_exit = True
        thread.join(timeout=10)

    return stop
