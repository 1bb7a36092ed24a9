"""A tab of the page in a real browser, for tests: it notes what goes wrong and who is asked for what."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any, Self

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
# Quiet, and without the sandbox, which needs rights that a container does not have.
FLAGS = (
    "--no-sandbox --disable-gpu --disable-background-networking --disable-component-update "
    "--disable-sync --disable-quic --no-first-run"
).split()
PATIENCE = 15_000  # milliseconds


class Tab:
    """A tab of the page that notes what went wrong in it, and what it asked of whom."""

    def __init__(
        self, browser: Any, address: str, width: int = 1280, place: str = "", **options: Any
    ) -> None:
        self.context = browser.new_context(viewport={"width": width, "height": 850}, **options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.wrong: list[str] = []
        self.outside: list[str] = []
        self.address = address
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("request", self._request)
        self.open(place)

    def open(self, place: str = "") -> None:
        self.page.goto(self.address + place)
        self.wrong.clear()  # what a page that was left says of its own aborted requests
        self.page.wait_for_selector(".talk .turn", state="attached")

    def watched(self) -> Iterator[Self]:
        """Lend the tab to a test; nothing may have gone wrong in it then, nor been asked of another address."""
        yield self
        self.context.close()
        assert self.wrong == []
        assert self.outside == []

    def _console(self, message: Any) -> None:
        if message.type == "error":
            self.wrong.append(message.text)

    def _request(self, request: Any) -> None:
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.outside.append(request.url)

    def send(self, box: str, text: str) -> None:
        """Type into a box and send it with Enter."""
        self.page.fill(box, text)
        self.page.press(box, "Enter")

    def get(self, box: str, text: str, told: str) -> None:
        """Send a text, and wait until there is one more of what `told` selects."""
        before = self.page.locator(told).count()
        self.send(box, text)
        self.page.locator(told).nth(before).wait_for()

    def ask(self, question: str) -> None:
        """Ask a question and wait for its answer."""
        self.get("#question textarea", question, ".meta")

    def text(self, selector: str) -> str:
        return str(self.page.locator(selector).last.inner_text())
