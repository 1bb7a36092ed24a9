"""The staff's page: a chat whose answers come with their steps, figures and evidence.

Gradio carries the events and the stream; what a conversation looks like is written in `turns.py` and
`render.py`, and put in place, piece by piece, by `page.js`. Nothing is loaded from another address.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gradio as gr
from fastapi import FastAPI, HTTPException
from fastapi.responses import StreamingResponse

from storewise.ui.handlers import Handlers
from storewise.ui.inbox import FORM as INBOX
from storewise.ui.inbox import Inbox
from storewise.ui.render import icon
from storewise.ui.reviews import Reviews
from storewise.ui.reviews_form import FORM
from storewise.ui.shell import Guard, add_assets, mount, run

if TYPE_CHECKING:
    from storewise.agent.startup import Startup

_ASSETS = (
    "style.css", "tabs.css", "reviews.css", "inbox.css", "page.js", "reviews.js", "inbox.js", "icons.svg",
    "icon.svg",
)  # fmt: skip

_HEAD = """
<link rel="icon" href="storewise/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="storewise/style.css">
<link rel="stylesheet" href="storewise/tabs.css">
<link rel="stylesheet" href="storewise/reviews.css">
<link rel="stylesheet" href="storewise/inbox.css">
"""
# A component waits for the scripts of its own head before its script runs; the page's head comes too late.
_SCRIPT = '<script src="storewise/page.js"></script>'
_REVIEWS_SCRIPT = f'{_SCRIPT}<script src="storewise/reviews.js"></script>'
_INBOX_SCRIPT = f'{_SCRIPT}<script src="storewise/inbox.js"></script>'
# What a tab remembers over a reload; it runs before any script of the page's own is there.
_THREAD = "() => [sessionStorage.getItem('storewise.thread') ?? '']"

# Gradio knows only events that are named in the text of a component's script.
_HEADER_EVENTS = ["new_conversation", "export_markdown", "export_json"]
_TALK_EVENTS = ["example", "thumb"]
_HEADER = f"""
<div class="brand"><img src="storewise/icon.svg" alt="" width="30" height="30"><span>Storewise</span></div>
<nav class="tabs" aria-label="Tabs"><a href="#ask" data-tab-link="ask">Ask</a>
<a href="#reviews" data-tab-link="reviews">Reviews</a>
<a href="#inbox" data-tab-link="inbox">Inbox<span></span></a></nav>
<nav aria-label="This page">
<button type="button" data-event="new_conversation">{icon("plus")}<span>New conversation</span></button>
<details class="menu"><summary>{icon("export")}<span>Export</span></summary><div>
<button type="button" data-event="export_markdown">As a document (Markdown)</button>
<button type="button" data-event="export_json">With all data (JSON)</button></div></details>
<button type="button" data-theme aria-label="Light or dark" title="Light or dark">{icon("theme")}</button>
</nav>
"""


def build(startup: Startup, reviews_tab: Reviews) -> gr.Blocks:
    """Return the page. It can be shown at once; it says what is loading until the analyst is there."""
    handle = Handlers(startup)

    inbox_tab = Inbox(startup)

    def reviews(asked: dict[str, Any]) -> dict[str, Any]:
        return reviews_tab.answer(asked)

    def inbox(asked: dict[str, Any]) -> dict[str, Any]:
        return inbox_tab.answer(asked)

    plain: dict[str, Any] = {"apply_default_css": False, "elem_classes": "storewise"}
    page: gr.Blocks
    with gr.Blocks(title="Storewise", analytics_enabled=False, fill_width=True) as page:
        header = gr.HTML(
            _HEADER,
            js_on_load=f"storewise.header(element, trigger, {_HEADER_EVENTS})",
            head=_SCRIPT,
            elem_id="header",
            **plain,
        )
        loading = gr.HTML(elem_id="loading", js_on_load=None, **plain)
        talk = gr.HTML(
            {},
            html_template='<div class="talk" role="log" aria-live="polite"></div>',
            js_on_load=f"storewise.talk(element, props, watch, trigger, {_TALK_EVENTS})",
            head=_SCRIPT,
            elem_id="talk",
            **plain,
        )
        gr.HTML(
            html_template=FORM,
            js_on_load="storewiseReviews(element, server, upload)",
            head=_REVIEWS_SCRIPT,
            server_functions=[reviews],
            elem_id="reviews-tab",
            **plain,
        )
        gr.HTML(
            html_template=INBOX,
            js_on_load="storewiseInbox(element, server)",
            head=_INBOX_SCRIPT,
            server_functions=[inbox],
            elem_id="inbox-tab",
            **plain,
        )
        with gr.Column(elem_id="dock"):
            hint = gr.HTML(elem_id="hint", js_on_load=None, **plain)
            with gr.Row(elem_id="composer"):
                question = gr.Textbox(
                    placeholder="Ask about the shop",
                    label="Your question",
                    show_label=False,
                    container=False,
                    lines=1,
                    max_lines=6,
                    elem_id="question",
                )
                send = gr.Button("Ask", variant="primary", elem_id="send")
                stop = gr.Button("Stop", elem_id="stop", visible=False)
            footer = gr.HTML(elem_id="footer", js_on_load=None, **plain)
        thread = gr.Textbox(visible=False)
        download = gr.JSON(visible=False)
        clock = gr.Timer(1.0)

        quiet: dict[str, Any] = {
            "show_progress": "hidden",
            "api_visibility": "private",
            "concurrency_limit": None,
        }
        live = [talk, send, stop]
        state = [loading, footer, clock]
        asked = [
            page.load(handle.open, thread, [thread, *live, *state], js=_THREAD, **quiet),
            gr.on(
                [question.submit, send.click],
                handle.ask,
                [question, thread],
                [question, hint, *live],
                **quiet,
            ),
            talk.example(handle.ask_example, thread, [hint, *live], **quiet),
        ]
        for event in asked:
            event.then(handle.follow, thread, [hint, *live], **quiet)
        clock.tick(handle.state, None, state, **quiet)
        stop.click(handle.stop, thread, live, **quiet)
        header.new_conversation(handle.new, None, [thread, question, hint, *live], **quiet)
        talk.thumb(handle.judge, thread, talk, **quiet)
        for event, write in (
            (header.export_markdown, handle.markdown),
            (header.export_json, handle.json),
        ):
            event(write, thread, download, **quiet).then(None, download, None, js="storewise.download")
    return page


def application(startup: Startup) -> FastAPI:
    """Return the page as an ASGI application, with its style, script and Plotly beside it."""
    app = FastAPI(title="Storewise", docs_url=None, redoc_url=None, openapi_url=None)

    add_assets(app, _ASSETS)
    reviews = Reviews(startup)

    @app.get("/storewise/reviews/{name}")
    def summaries(name: str) -> StreamingResponse:
        found = reviews.file(name)
        if found is None:
            raise HTTPException(404, "There is no such job here (any more).")
        media, pieces = found
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        return StreamingResponse(pieces, media_type=media, headers=headers)

    app.add_middleware(Guard)
    return mount(app, build(startup, reviews), _HEAD)


def serve(startup: Startup, host: str = "127.0.0.1", port: int = 7860) -> Callable[[], None]:
    """Serve the page in a thread of its own, and return what ends it, once the page answers.

    Raises:
        PageError: the page could not be opened there.
    """
    return run(application(startup), host, port)
