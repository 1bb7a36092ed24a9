"""The desk for a shop's own site: a web component, and in the demo a page of a made-up site to try it in.

The component is one script and one style, under /widget/; it talks to /v1/desk with the customer's token. The
page /widget-demo exists only while all customers are made up, since there anyone may choose whom to be.
"""

from __future__ import annotations

import html
from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import FileResponse, HTMLResponse
from pydantic import BaseModel, ConfigDict, Field

from storewise.agent.desk.identity import issue
from storewise.agent.limits import Limits
from storewise.agent.settings import Settings
from storewise.tools.desk.store import DeskStore
from storewise.ui.desk_customers import SIGN_INS, customers, made_up, name_of

_HERE = Path(str(files("storewise.ui")))
_PARTS = {
    "desk_widget.js": "text/javascript",
    "desk_widget.css": "text/css",
    "widget_demo.js": "text/javascript",
    "widget_demo.css": "text/css",
}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {"content-security-policy": _POLICY, "referrer-policy": "no-referrer", "cache-control": "no-store"}
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>A shop with a service desk</title>
<link rel="stylesheet" href="/widget/widget_demo.css">
<script src="/widget/desk_widget.js"></script>
<script src="/widget/widget_demo.js" defer></script>
</head>
<body>
<header><b>A made-up shop</b><nav aria-label="The shop"><a href="#things">Things</a>
<label>Signed in as <select id="who"><option value="">nobody</option>{options}</select></label></nav></header>
<main>
<h1>Good things, kept simple</h1>
<p>This page stands for a shop&#8217;s own site. The button at its lower edge is Storewise&#8217;s desk, put here by
two lines:</p>
<pre><code>&lt;script src="/widget/desk_widget.js"&gt;&lt;/script&gt;
&lt;storewise-desk src="https://desk.shop.example" token="&#8230;"&gt;&lt;/storewise-desk&gt;</code></pre>
<p>The token is signed by the shop when a customer signs in. Here you choose a made-up customer above instead.
Customers, orders and prices are tau2-bench&#8217;s retail data.</p>
<ul id="things"><li>Bicycles</li><li>Mechanical keyboards</li><li>Hiking boots</li><li>Desk lamps</li></ul>
</main>
<storewise-desk src="/" heading="A made-up shop"></storewise-desk>
</body>
</html>
"""


class SignIn(BaseModel):
    """Whom one chooses to be."""

    model_config = ConfigDict(extra="forbid")

    user_id: str = Field(min_length=1, max_length=100)


def add_widget(app: FastAPI, store: DeskStore, settings: Settings) -> None:
    """Serve the component and, while all customers are made up, the page to try it in."""
    limits = Limits(SIGN_INS)

    def demo() -> None:
        if not made_up(store.engine):
            raise HTTPException(
                404, "There is a page to try the desk in only while all customers are made up."
            )

    @app.get("/widget/{name}", include_in_schema=False)
    def part(name: str) -> FileResponse:
        if name not in _PARTS:
            raise HTTPException(404, "There is no such part of the desk's component.")
        headers = {
            "cache-control": "no-cache",
            "x-content-type-options": "nosniff",
            "cross-origin-resource-policy": "cross-origin",
        }
        return FileResponse(_HERE / name, media_type=_PARTS[name], headers=headers)

    @app.get("/widget-demo", include_in_schema=False)
    def page() -> HTMLResponse:
        demo()
        options = "".join(
            f'<option value="{html.escape(one.user_id)}">{html.escape(one.name)}</option>'
            for one in customers(store.engine)
        )
        return HTMLResponse(_PAGE.replace("{options}", options), headers=_HEADERS)

    @app.post("/widget-demo/sign-in", include_in_schema=False)
    def sign_in(chosen: SignIn, request: Request) -> dict[str, str]:
        demo()
        wait = limits.wait(request.client.host if request.client else "?")
        if wait > 0:
            raise HTTPException(429, "Too many sign-ins at once. Wait a moment.", {"Retry-After": "1"})
        if not name_of(store.engine, chosen.user_id):
            raise HTTPException(404, "The shop has no customer of this id.")
        return {"token": issue(settings, chosen.user_id)}
