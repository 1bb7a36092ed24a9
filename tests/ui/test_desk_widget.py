"""Protects the desk's component on a shop's own page, in a real browser: talk, cards, confirmations, a person, limits.

The desk behind it is made up, so that every kind of reply comes when it is asked for; the way there is real.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from samples import HOSTILE
from tabs import Tab

from storewise.agent.desk.api import make_desk_app
from storewise.agent.desk.identity import issue
from storewise.agent.desk.reply import (
    ConversationState,
    DeskEvent,
    OrderCard,
    Proposal,
    Replied,
    Reply,
    Typing,
    Words,
)
from storewise.agent.settings import Settings
from storewise.tools.desk.load import load_desk
from storewise.tools.desk.store import DeskAway, DeskStore, open_desk
from storewise.tools.finding import Column, Finding
from storewise.ui.widget import add_widget
from tests.agent.desk.desk_http import MadeUpDesk, served
from tests.tools.desk.desk_helpers import ANN, BEN, content, write

pytestmark = pytest.mark.browser

CARD = OrderCard(
    order_id="#W1",
    status="pending",
    items=("2 × Mug, red", "Desk Lamp, S"),
    total="$100.20",
    goes_to="1 Main St, Denver, CO 80201",
    tracking=("123",),
)
CHANGE = Finding(
    tool="cancel_pending_order",
    status="answered",
    headline="Order #W1 would be cancelled; $100.20 goes back to the visa credit card ending in 1111.",
    columns=(
        Column(name="item", label="Item", role="entity"),
        Column(name="price", label="Price", role="measure", unit="$", format="money"),
    ),
    rows=(("Mug, red", 10.1), ("Desk Lamp, S", 80.0)),
)


class Scripted(MadeUpDesk):
    """Gives the kind of reply that is asked for."""

    conversation_state: ConversationState = "desk"

    def __init__(self, store: DeskStore) -> None:
        super().__init__(store)
        self.records.state = lambda conversation: self.conversation_state  # type: ignore[method-assign]
        self.last: dict[str, Reply] = {}
        self.held = threading.Event()
        self.pressed: list[tuple[str, bool]] = []

    def reply(self, text: str) -> Reply:
        proposal = Proposal(proposal_id=f"p{len(self.pressed)}", tool=CHANGE.tool, finding=CHANGE)
        match text:
            case "orders":
                return Reply(text="You have one order.\nIt is on its way.", orders=(CARD,))
            case "cancel":
                return Reply(text=f"{CHANGE.headline} Shall I?", findings=(CHANGE,), proposal=proposal)
            case "thank you":
                return Reply(text="", state="person")
            case "long":
                return Reply(text="\n".join(f"Line {number}" for number in range(60)))
            case "which":
                return Reply(text="How shall it be paid?", choices=("PayPal", HOSTILE))
            case "person":
                self.conversation_state = "waiting"
                return Reply(text="I have called a person.", state="waiting")
            case "hostile":
                said = f"{HOSTILE} </p><script>window.taken = 1</script>"
                card = CARD.model_copy(update={"status": said, "items": (said,), "order_id": said})
                finding = CHANGE.model_copy(update={"rows": ((said, 1.0),)})
                bad = Proposal(proposal_id="bad", tool="x", finding=finding)
                return Reply(text=said, orders=(card,), proposal=bad, note=said)
            case _:
                return Reply(text=f"You said {text}", note="The model is away.")

    def say(self, user_id: str, conversation: str, text: str) -> Iterator[DeskEvent]:
        yield Typing(what="Looking up your orders")
        if text == "slowly":
            yield Words(text="You said sl")
            assert self.held.wait(20)
        if text == "away":
            raise DeskAway("see: storewise doctor")
        self.records.add(conversation, "customer", text)
        self.last[conversation] = reply = self.reply(text)
        self.records.add(conversation, "desk", reply.text)
        yield Replied(reply=reply)

    def press(self, user_id: str, conversation: str, proposal_id: str, yes: bool) -> Iterator[DeskEvent]:
        self.pressed.append((proposal_id, yes))
        self.records.add(conversation, "customer", "Yes" if yes else "No")
        self.last[conversation] = reply = Reply(text="It is cancelled." if yes else "Then it stays.")
        self.records.add(conversation, "desk", reply.text)
        yield Replied(reply=reply)

    def state(self, user_id: str, conversation: str) -> Reply | None:
        return self.last.get(conversation)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(
        home=tmp_path_factory.mktemp("home"),
        desk_secret="x" * 40,
        desk_requests_per_minute=10_000,
        desk_origins="",
    )


@pytest.fixture(scope="module")
def store(settings: Settings) -> Iterator[DeskStore]:
    opened = open_desk("", settings.home)
    load_desk(write(settings.home, content()), opened.engine)
    yield opened
    opened.close()


@pytest.fixture
def desk(store: DeskStore) -> Scripted:
    return Scripted(store)


@pytest.fixture
def address(desk: Scripted, store: DeskStore, settings: Settings) -> Iterator[str]:
    app = make_desk_app(desk, settings)
    add_widget(app, store, settings)
    with served(app) as where:
        yield where


class Page(Tab):
    """A shop's page with the component in it."""

    def __init__(self, browser: Any, address: str, place: str = "/widget-demo", **options: Any) -> None:
        super().__init__(browser, address, place=place, **options)

    def open(self, place: str = "") -> None:
        self.page.goto(self.address + place)

    def sign_in(self, user: str = ANN) -> None:
        self.page.wait_for_selector(".launch", state="attached")
        with self.page.expect_response("**/widget-demo/sign-in"):
            self.page.select_option("#who", user)
        self.page.locator("storewise-desk[token]").wait_for(state="attached")

    def unfold(self) -> None:
        self.page.click(".launch")
        self.page.wait_for_selector(".panel")

    def say(self, text: str) -> None:
        """Write, send with Enter, and wait for the reply."""
        self.get("#text", text, ".turn.desk")
        self.page.wait_for_selector(".doing", state="hidden")

    def last(self) -> str:
        return self.text(".turn")

    def shot(self, name: str) -> None:
        """Keep a picture where one is asked for, to be looked at."""
        if os.environ.get("STOREWISE_SHOTS"):
            self.page.screenshot(path=str(Path(os.environ["STOREWISE_SHOTS"], f"{name}.png")))


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Page]:
    yield from Page(browser, address).watched()


def test_a_customer_talks_sees_an_order_and_confirms_a_change_once(page: Page, desk: Scripted) -> None:
    page.sign_in()
    page.unfold()
    assert (
        page.page.evaluate("document.querySelector('storewise-desk').shadowRoot.activeElement.id") == "text"
    )
    assert "Ask about your orders" in page.last()
    page.say("orders")
    card = page.page.locator(".order")
    assert (
        "#W1" in card.inner_text()
        and "1 Main St, Denver" in card.inner_text()
        and "$100.20" in card.inner_text()
    )
    page.shot("widget-orders")
    page.say("cancel")
    assert "$10.10" in page.page.locator(".proposal table").inner_text()
    page.shot("widget-proposal")
    page.page.click(".yes:visible")
    page.page.locator(".turn", has_text="It is cancelled.").wait_for()
    assert page.page.locator(".proposal button:visible").count() == 0
    assert desk.pressed == [("p0", True)]
    page.say("cancel")
    page.page.click(".no:visible")
    page.page.locator(".turn", has_text="Then it stays.").wait_for()
    assert desk.pressed == [("p0", True), ("p1", False)]
    # A change that nobody answered cannot be confirmed any more once the talk went on.
    page.say("cancel")
    page.say("hello")
    assert page.page.locator(".proposal button:visible").count() == 0
    assert "The model is away." in page.last()


def test_short_answers_are_buttons_that_go_once(page: Page) -> None:
    page.sign_in()
    page.unfold()
    page.say("which")
    assert page.page.locator(".choices button").count() == 2
    page.page.click(".choices button >> text=PayPal")
    page.page.locator(".turn", has_text="You said PayPal").wait_for()
    assert page.page.locator(".choices").count() == 0


def test_a_reload_goes_on_with_the_conversation_and_its_open_question(page: Page, desk: Scripted) -> None:
    page.sign_in()
    page.unfold()
    page.say("hello")
    page.say("cancel")
    page.page.reload()
    page.sign_in()
    page.unfold()
    page.page.locator(".proposal .yes").wait_for()
    said = page.page.locator(".turn").all_inner_texts()
    assert len(said) == 4 and "hello" in said[0] and "You said hello" in said[1]
    page.page.click(".yes:visible")
    page.page.locator(".turn", has_text="It is cancelled.").wait_for()
    page.page.click("[aria-label='New conversation']")
    assert page.page.locator(".turn").count() == 1
    # Somebody else in the same browser sees nothing of it.
    page.say("hello")
    page.sign_in(BEN)
    page.page.wait_for_timeout(500)
    assert page.page.locator(".turn").count() == 1
    page.wrong.clear()  # the browser tells of the 404 with which the desk answered


def test_a_long_reply_is_read_from_its_beginning(page: Page) -> None:
    page.sign_in()
    page.unfold()
    page.say("hello")
    page.say("long")
    page.page.wait_for_timeout(200)
    talk, asked = (page.page.locator(name).last.bounding_box() for name in (".talk", ".turn.customer"))
    assert talk["y"] <= asked["y"] <= talk["y"] + 40
    page.say("hello")
    assert "You said hello" in page.last()
    end = page.page.locator(".turn").last.bounding_box()
    assert end["y"] + end["height"] <= talk["y"] + talk["height"]


def test_what_comes_from_outside_is_text_and_nothing_else(page: Page) -> None:
    page.sign_in()
    page.unfold()
    page.say("hostile")
    page.say("which")
    page.say(HOSTILE)
    assert HOSTILE in page.last()
    inside = "document.querySelector('storewise-desk').shadowRoot.querySelectorAll('img, script, iframe, a').length"
    assert page.page.evaluate(inside) == 0
    assert page.page.evaluate("window.taken") is None


def test_words_and_typing_are_shown_while_the_desk_works(page: Page, desk: Scripted) -> None:
    page.sign_in()
    page.unfold()
    page.send("#text", "slowly")
    page.page.locator(".partial", has_text="You said sl").wait_for()
    assert "Looking up your orders" in page.page.locator(".doing").inner_text()
    page.shot("widget-typing")
    # Meanwhile one can write on, but not send.
    page.send("#text", "next")
    assert page.page.input_value("#text") == "next"
    desk.held.set()
    page.page.locator(".turn", has_text="You said slowly").wait_for()
    page.page.wait_for_selector(".partial", state="hidden")


def test_a_person_who_takes_over_is_heard(page: Page, desk: Scripted) -> None:
    page.sign_in()
    page.unfold()
    page.say("person")
    assert "has been asked to come" in page.page.locator(".banner").inner_text()
    conversation = next(iter(desk.records.owners))
    desk.conversation_state = "person"
    desk.records.add(conversation, "staff", "Hello Ann, this is Kim.")
    page.page.locator(".turn.staff", has_text="this is Kim").wait_for()
    page.page.locator(".banner", has_text="is answering you now").wait_for()
    page.shot("widget-person")
    page.send("#text", "thank you")
    page.page.locator(".turn.customer", has_text="thank you").wait_for()
    page.page.wait_for_selector(".doing", state="hidden")
    assert "thank you" in page.last()  # the desk itself says nothing now
    desk.conversation_state = "desk"
    page.page.wait_for_selector(".banner", state="hidden")
    assert page.page.locator(".turn.staff").count() == 1


def test_what_goes_wrong_is_said_and_what_was_written_is_kept(page: Page, address: str) -> None:
    page.unfold()
    assert "Sign in to the shop" in page.last() and not page.page.locator("#text").is_visible()
    page.sign_in()
    page.page.locator("#text").wait_for()
    page.send("#text", "away")
    page.page.locator(".problem", has_text="nothing is half-done").wait_for()
    assert page.page.input_value("#text") == "away" and page.page.locator(".turn.customer").count() == 0
    page.page.evaluate(
        "addEventListener('storewise-signed-out', () => { window.out = true; });"
        "document.querySelector('storewise-desk').setAttribute('token', 'old')"
    )
    page.send("#text", "hello")
    page.page.locator(".problem", has_text="not one of the shop's").wait_for()
    assert page.page.evaluate("window.out") is True
    page.sign_in(BEN)
    page.page.route("**/v1/desk/**", lambda route: route.abort())
    page.send("#text", "hello")
    page.page.locator(".problem", has_text="cannot be reached").wait_for()
    assert page.page.input_value("#text") == "hello"
    page.wrong.clear()  # the browser tells of every answer that is no success


def test_by_keyboard_alone(page: Page) -> None:
    page.sign_in()
    page.page.focus("#who")
    page.page.keyboard.press("Tab")
    page.page.keyboard.press("Enter")
    page.page.wait_for_selector(".panel")
    page.page.keyboard.type("cancel")
    page.page.keyboard.press("Enter")
    page.page.locator(".proposal .yes").wait_for()
    page.page.wait_for_selector(".doing", state="hidden")
    for _ in range(8):
        page.page.keyboard.press("Shift+Tab")
        inside = "document.querySelector('storewise-desk').shadowRoot.activeElement?.className"
        if page.page.evaluate(inside) == "yes":
            break
    page.page.keyboard.press("Enter")
    page.page.locator(".turn", has_text="It is cancelled.").wait_for()
    page.page.keyboard.press("Escape")
    page.page.wait_for_selector(".panel", state="hidden")
    assert "launch" in page.page.evaluate(
        "document.querySelector('storewise-desk').shadowRoot.activeElement.className"
    )
    assert page.page.locator("[role=log][aria-live=polite]").count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_it_fills_the_screen(browser: Any, address: str, scheme: str) -> None:
    phone = Page(
        browser,
        address,
        width=390,
        color_scheme=scheme,
        has_touch=True,
        is_mobile=True,
    )
    try:
        phone.sign_in()
        phone.shot(f"widget-phone-{scheme}-closed")
        phone.unfold()
        phone.say("orders")
        phone.say("cancel")
        phone.shot(f"widget-phone-{scheme}")
        box = phone.page.locator(".panel").bounding_box()
        assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, 390, 850)
        wide = "document.querySelector('storewise-desk').shadowRoot.querySelector('.talk').scrollWidth"
        assert phone.page.evaluate(wide) <= 390
        assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390
        for name in (".yes", ".no", "form button"):
            assert phone.page.locator(name).bounding_box()["height"] >= 40
        assert phone.wrong == []
    finally:
        phone.context.close()


def test_another_sites_page_may_hold_it_where_the_settings_name_the_site(
    browser: Any, desk: Scripted, store: DeskStore, settings: Settings
) -> None:
    token = issue(settings, ANN)
    site = FastAPI()
    place: dict[str, str] = {}

    @site.get("/")
    def page() -> HTMLResponse:
        return HTMLResponse(
            '<!doctype html><link rel="icon" href="data:,">'
            f'<script src="{place["desk"]}/widget/desk_widget.js"></script>'
            f'<storewise-desk inline src="{place["desk"]}" token="{token}" theme="dark"></storewise-desk>'
        )

    with served(site) as shop:
        for origins, works in ((shop, True), ("https://shop.example", False)):
            app = make_desk_app(desk, settings.model_copy(update={"desk_origins": origins}))
            add_widget(app, store, settings)
            with served(app) as place["desk"]:
                opened = Page(browser, shop, "/")
                try:
                    opened.page.wait_for_selector(".panel")
                    if works:
                        opened.say("orders")
                        assert "You have one order." in opened.last()
                        opened.shot("widget-inline-dark")
                        assert opened.wrong == []
                    else:
                        opened.send("#text", "orders")
                        opened.page.locator(".problem", has_text="cannot be reached").wait_for()
                finally:
                    opened.context.close()


def test_nobody_can_choose_whom_to_be_where_customers_are_real(
    store: DeskStore, settings: Settings, tmp_path: Path
) -> None:
    real = content()
    real["users"][0]["email"] = "ann@lee-family.net"
    own = open_desk("", tmp_path)
    load_desk(write(tmp_path, real), own.engine)
    app = make_desk_app(Scripted(own), settings)
    add_widget(app, own, settings)
    try:
        with served(app) as where:
            assert httpx.get(f"{where}/widget-demo").status_code == 404
            chosen = httpx.post(f"{where}/widget-demo/sign-in", json={"user_id": ANN})
            assert chosen.status_code == 404 and "token" not in chosen.text
            assert httpx.get(f"{where}/widget/desk_widget.js").status_code == 200
            for name in ("..%2fapp.py", "app.py", "desk.key", "%2e%2e/desk.key"):
                assert httpx.get(f"{where}/widget/{name}").status_code == 404
    finally:
        own.close()


def test_the_demo_signs_in_those_whom_it_knows(address: str) -> None:
    assert "token" in httpx.post(f"{address}/widget-demo/sign-in", json={"user_id": ANN}).json()
    for wrong in ({"user_id": "nobody"}, {"user_id": ""}, {}, {"user_id": ANN, "minutes": 10**6}):
        assert httpx.post(f"{address}/widget-demo/sign-in", json=wrong).status_code in (404, 422)
