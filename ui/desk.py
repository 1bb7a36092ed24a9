"""The customers' desk: an app of its own, in which the signed-in customer talks to the shop.

The demo signs one of its made-up customers in; a shop of one's own hands over a signed token, in the address
(#token=…) or in a cookie. What the page shows is written in `desk_view.py` and put in place by `desk.js`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gradio as gr
from fastapi import FastAPI

from storewise.ui.desk_talk import LONGEST, DeskTalks
from storewise.ui.render import icon
from storewise.ui.shell import Guard, add_assets, mount, run

if TYPE_CHECKING:
    from storewise.agent.startup import Startup

PORT = 7861
_ASSETS = ("style.css", "desk.css", "page.js", "desk.js", "icons.svg", "icon.svg")
_HEAD = """
<link rel="icon" href="storewise/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="storewise/style.css">
<link rel="stylesheet" href="storewise/desk.css">
"""
_SCRIPTS = '<script src="storewise/page.js"></script><script src="storewise/desk.js"></script>'
_HEADER = f"""
<div class="brand"><img src="storewise/icon.svg" alt="" width="30" height="30"><span>Service desk</span></div>
<p class="who" data-who></p>
<nav aria-label="This page">
<button type="button" data-new hidden>{icon("plus")}<span>New conversation</span></button>
<button type="button" data-out hidden>{icon("leave")}<span>Sign out</span></button>
<button type="button" data-theme aria-label="Light or dark" title="Light or dark">{icon("theme")}</button>
</nav>
"""
_DEMO = (
    "A demo: customers, orders, products and prices are tau2-bench's retail data and made up. No money moves, "
    "nothing is sent, and changes are written to this machine's own database alone. Reviews that are quoted "
    "are real Amazon Fine Food reviews."
)
_NOTE = (
    "What is written here is kept, with e-mail addresses, phone numbers, cards and addresses masked. "
    "A machine answers until a person takes over."
)
_PAGE = f"""
<div class="desk" data-page="starting">
<section class="starting" data-starting aria-live="polite"></section>
<section class="sign-in" hidden>
<h1>Who would you like to be?</h1>
<p>This is a demo with made-up customers. Choose one and talk to the desk as that person; it sees
that customer's things alone.</p>
<div data-signin-problem></div>
<div data-demo><label for="customer">A name or an id</label>
<input id="customer" type="search" autocomplete="off" maxlength="100" placeholder="Search 500 customers">
<div class="customers" data-customers></div></div>
</section>
<section class="talking" hidden>
<div class="talk" role="log" aria-live="polite" aria-label="The conversation"></div>
<form class="write" novalidate>
<div role="alert" data-problem></div>
<div class="box"><label class="unseen" for="say">Your message</label>
<textarea id="say" rows="1" maxlength="{LONGEST}" placeholder="Write to the desk"></textarea>
<button type="submit">Send</button></div>
</form>
</section>
<details class="shop-note"><summary>{icon("info")}<span class="short">What is real and what is made up</span>
<span class="note-text"><span data-demo-note hidden>{_DEMO} </span>{_NOTE}</span></summary></details>
</div>
"""


def build(startup: Startup) -> gr.Blocks:
    """Return the page. It can be shown at once; it says what is starting until the desk is there."""
    talks = DeskTalks(startup)

    def desk(asked: dict[str, Any], request: gr.Request) -> dict[str, Any]:
        return talks.answer(asked, request)

    plain: dict[str, Any] = {"apply_default_css": False, "elem_classes": "storewise"}
    page: gr.Blocks
    with gr.Blocks(title="Service desk", analytics_enabled=False, fill_width=True) as page:
        gr.HTML(
            _HEADER,
            js_on_load="storewise.header(element, trigger, [])",
            head=_SCRIPTS,
            elem_id="header",
            **plain,
        )
        gr.HTML(
            html_template=_PAGE,
            js_on_load="storewiseDesk(element, server)",
            head=_SCRIPTS,
            server_functions=[desk],
            elem_id="desk",
            **plain,
        )
    return page


def application(startup: Startup, app: FastAPI | None = None) -> FastAPI:
    """Return the page as an ASGI application, on that of the desk's API if one is given."""
    app = app or FastAPI(title="Service desk", docs_url=None, redoc_url=None, openapi_url=None)
    add_assets(app, _ASSETS)
    # What lies beside the page is an API; other sites may ask it where the settings name them.
    app.add_middleware(Guard, beside=("/v1/", "/widget"))
    return mount(app, build(startup), _HEAD)


def serve(
    startup: Startup, host: str = "127.0.0.1", port: int = PORT, app: FastAPI | None = None
) -> Callable[[], None]:
    """Serve the desk in a thread of its own, and return what ends it, once the page answers.

    Raises:
        PageError: the page could not be opened there.
    """
    return run(application(startup, app), host, port, "desk")
