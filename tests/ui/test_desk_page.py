"""Protects the customers' desk as people use it: signing in, talking, confirming, a person, in a real browser.

The desk behind it answers by fixed words, with real tables, records and changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from desk_stand import PENDING, FixedDesk, Started
from samples import HOSTILE
from tabs import Tab

from storewise.agent.desk.identity import issue
from storewise.agent.engine import free_port
from storewise.agent.settings import Settings
from storewise.ui.desk import serve
from tests.tools.desk.desk_helpers import ANN, BEN, value

pytestmark = pytest.mark.browser


class DeskTab(Tab):
    """A tab of the desk."""

    def open(self, place: str = "") -> None:
        self.page.goto(self.address + place)
        self.wrong.clear()
        self.page.locator("[data-customer], .write textarea").first.wait_for()

    def enter(self, user_id: str = ANN) -> None:
        self.page.click(f"[data-customer={user_id}]")
        self.page.wait_for_selector(".examples")

    def say(self, text: str) -> None:
        """Send a message and wait until it is answered."""
        self.get("#say", text, ".question")
        self.page.wait_for_selector(".write button:not([disabled])")


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FixedDesk]:
    monkeypatch.setenv("STOREWISE_HOME", str(tmp_path))
    monkeypatch.setenv("STOREWISE_DESK_REQUESTS_PER_MINUTE", "600")
    opened = FixedDesk(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def address(desk: FixedDesk) -> Iterator[str]:
    started: Any = Started(desk)
    port = free_port()
    stop = serve(started, port=port)
    yield f"http://127.0.0.1:{port}"
    desk.go_on.set()
    stop()


@pytest.fixture
def tab(browser: Any, address: str) -> Iterator[DeskTab]:
    yield from DeskTab(browser, address).watched()


def test_one_signs_in_is_answered_and_finds_it_again(tab: DeskTab) -> None:
    tab.page.fill("#customer", "nobody of this name <b>")
    tab.page.locator(".customers .help", has_text="<b>").wait_for()
    tab.page.fill("#customer", "lee")
    tab.page.locator(f"[data-customer={BEN}]").wait_for(state="detached")
    tab.enter()
    assert "Ann Lee" in tab.text("[data-who]")
    tab.say("orders")
    cards = tab.page.locator(".order")
    cards.first.wait_for()
    assert cards.count() == 6
    assert "Mug (red)" in cards.first.inner_text() and "$100.20" in cards.first.inner_text()
    tab.page.reload()
    tab.page.wait_for_selector(".order")
    assert tab.page.locator(".order").count() == 6
    tab.page.click("[data-new]")
    tab.page.wait_for_selector(".examples")
    tab.page.click("[data-out]")
    tab.page.wait_for_selector("[data-customer]")
    assert tab.page.evaluate("sessionStorage.getItem('storewise.desk.token')") is None
    assert tab.page.locator(".order").count() == 0


def test_a_change_is_confirmed_once_by_its_button(tab: DeskTab, desk: FixedDesk) -> None:
    tab.enter()
    tab.say("cancel")
    assert "$100.20" in tab.text(".proposal")
    tab.page.click(".confirm .no")
    tab.page.locator(".answered", has_text="No, leave it").wait_for()
    assert desk.written == 0
    tab.say("cancel")
    # Both clicks of a double click reach the page; the change is written once.
    tab.page.dblclick(".confirm .yes")
    tab.page.locator(".done", has_text="Order cancelled").wait_for()
    assert desk.written == 1
    assert value(desk.store, "desk_orders", PENDING, "status") == "cancelled"
    assert tab.page.locator(".confirm").count() == 0
    assert tab.page.locator(".answered").all_inner_texts() == [
        "You pressed: No, leave it",
        "You pressed: Yes, do it",
    ]
    tab.say("cancel")
    assert tab.page.locator(".confirm").count() == 0


def test_short_answers_are_buttons_and_no_text_is_obeyed(tab: DeskTab) -> None:
    tab.enter()
    tab.say("mug")
    tab.page.locator(".slip table").wait_for()
    assert tab.page.locator(".choices button").all_inner_texts() == ["The red one", "<b>None</b>"]
    tab.page.click(".choices button >> nth=1")
    tab.page.locator(".answer", has_text="You said: <b>None</b>").wait_for()
    assert tab.page.locator(".choices").count() == 0
    tab.say(HOSTILE)
    assert HOSTILE in tab.page.locator(".question").last.inner_text()
    assert tab.page.evaluate("window.taken") is None
    assert tab.page.locator(".talk img, .talk script, .talk b").count() == 0


def test_a_turn_is_seen_to_run_and_survives_a_reload(tab: DeskTab, desk: FixedDesk) -> None:
    tab.enter()
    tab.send("#say", "wait for me")
    tab.page.locator(".doing", has_text="reading your message").wait_for()
    assert tab.page.is_disabled(".write button")
    tab.page.reload()
    tab.page.wait_for_selector(".doing")
    desk.go_on.set()
    tab.page.locator(".answer", has_text="Here I am.").wait_for()
    assert tab.page.locator(".question").count() == 1


def test_a_person_takes_over_answers_and_gives_back(tab: DeskTab, desk: FixedDesk) -> None:
    tab.enter()
    tab.say("person please, my mail is ann@example.com")
    tab.page.wait_for_selector(".state.is-waiting")
    assert "ann@example.com" in tab.text(".question")  # one's own words are not masked for oneself
    (ticket,) = desk.records.tickets("waiting")
    desk.take(ticket.ticket_id, "Dana")
    desk.staff_says(ticket.conversation_id, "Hello, Dana here.\n<script>window.taken = 1</script>")
    tab.page.locator(".staff", has_text="Dana here").wait_for()
    assert "A person from the shop" in tab.text(".staff")
    tab.page.wait_for_selector(".state.is-person")
    tab.say("hello Dana")
    assert desk.records.messages(ticket.conversation_id)[-1].text == "hello Dana"
    desk.give_back(ticket.ticket_id)
    tab.page.locator(".state", has_text="The desk answers again").wait_for()
    tab.say("good")
    tab.page.locator(".answer", has_text="You said: good").wait_for()
    assert tab.page.evaluate("window.taken") is None


def test_a_customer_who_waits_finds_the_conversation_in_a_new_tab(
    tab: DeskTab, desk: FixedDesk, browser: Any, address: str
) -> None:
    tab.enter()
    tab.say("person please")
    other = DeskTab(browser, address)
    other.page.click(f"[data-customer={ANN}]")
    other.page.locator(".question", has_text="person please").wait_for()
    other.context.close()


def test_what_went_wrong_is_said_and_the_words_are_not_lost(tab: DeskTab) -> None:
    tab.enter()
    tab.send("#say", "away with it")
    tab.page.locator(".problem", has_text="nothing was changed").wait_for()
    assert tab.page.input_value("#say") == "away with it"
    tab.say("break")
    tab.page.locator(".problem", has_text="Something went wrong").wait_for()
    assert "told to nobody" not in tab.page.inner_text("body")
    tab.say("orders")
    assert tab.page.locator(".talk .problem").count() == 0


def test_a_shop_hands_the_token_over_in_the_address_or_a_cookie(
    browser: Any, address: str, desk: FixedDesk
) -> None:
    token = issue(Settings(), BEN)
    handed = DeskTab(browser, address, place=f"/#token={token}")
    handed.page.wait_for_selector(".examples")
    assert "Ben Roe" in handed.text("[data-who]")
    assert "token" not in handed.page.evaluate("location.href")
    handed.context.add_cookies([{"name": "storewise_desk", "value": issue(Settings(), ANN), "url": address}])
    handed.page.click("[data-out]")
    handed.page.locator("[data-who]", has_text="Ann Lee").wait_for()
    assert handed.wrong == [] and handed.outside == []
    handed.context.close()


def test_real_customers_cannot_be_chosen_and_a_forged_token_is_none(
    browser: Any, address: str, desk: FixedDesk
) -> None:
    import sqlalchemy as sa

    from storewise.tools.desk.tables import User

    with desk.store.engine.begin() as connection:
        connection.execute(sa.update(User).where(User.user_id == BEN).values(email="ben@shop.test"))
    token = issue(Settings(), BEN)
    opened = browser.new_page()
    opened.goto(f"{address}/#token={token[:-4]}AAAA")
    opened.locator(".sign-in h1", has_text="not signed in").wait_for()
    opened.locator("[data-signin-problem]", has_text="sign in at the shop").wait_for()
    assert not opened.locator("#customer").is_visible()
    opened.close()

    def asked(what: dict[str, Any]) -> Any:
        config = httpx.get(f"{address}/config").json()
        component = next(one["id"] for one in config["components"] if one["props"].get("elem_id") == "desk")
        body = {"data": what, "component_id": component, "fn_name": "desk", "session_hash": "x"}
        return httpx.post(f"{address}/gradio_api/component_server/", json=body).json()

    assert "token" not in asked({"do": "sign_in", "customer": BEN})
    assert BEN not in str(asked({"do": "customers", "said": ""}))
    mine = desk.begin(ANN)
    desk.records.add(mine, "customer", "a secret of Ann's")
    seen = asked({"do": "look", "token": token, "conversation": mine})
    assert seen["page"] == "talk" and seen["conversation"] == "" and "secret" not in str(seen)
    refused = asked({"do": "say", "token": token, "conversation": mine, "text": "orders"})
    assert "not there" in refused["problem"]
    assert [one.text for one in desk.records.messages(mine)] == ["a secret of Ann's"]


def test_a_flood_of_messages_is_slowed_and_told(
    browser: Any, desk: FixedDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STOREWISE_DESK_REQUESTS_PER_MINUTE", "8")
    started: Any = Started(desk)
    port = free_port()
    stop = serve(started, port=port)
    try:
        flooded = DeskTab(browser, f"http://127.0.0.1:{port}")
        flooded.enter()
        flooded.say("one")
        flooded.say("two")
        flooded.send("#say", "three")
        flooded.page.locator("[data-problem]", has_text="You can write again in").wait_for()
        assert flooded.page.input_value("#say") == "three"
        flooded.context.close()
    finally:
        stop()


def test_while_the_desk_starts_its_page_says_so(browser: Any, tmp_path: Path, desk: FixedDesk) -> None:
    started: Any = Started(None)
    started.settled = False
    port = free_port()
    stop = serve(started, port=port)
    try:
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{port}")
        page.locator(".starting", has_text="still starting").wait_for()
        started.found = desk
        page.wait_for_selector("[data-customer]")
        page.close()
    finally:
        stop()


def test_after_a_restart_what_was_said_is_shown_as_it_was_kept(
    browser: Any, address: str, desk: FixedDesk
) -> None:
    conversation = desk.begin(ANN)
    desk.records.add(conversation, "customer", "my mail is ann@example.com")
    list(desk.say(ANN, conversation, "cancel"))
    token = issue(Settings(), ANN)
    opened = DeskTab(browser, address)
    opened.page.evaluate(f"sessionStorage.setItem('storewise.desk.conversation', '{conversation}')")
    opened.page.evaluate(f"location.hash = 'token={token}'")
    opened.page.wait_for_selector(".examples, .question")
    opened.page.evaluate(f"sessionStorage.setItem('storewise.desk.conversation', '{conversation}')")
    opened.page.reload()
    opened.page.locator(".question", has_text="[email]").wait_for()
    opened.page.click(".confirm .yes")  # what waited for a yes waits still
    opened.page.wait_for_selector(".done")
    assert desk.written == 1
    opened.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_needs_no_sideways_scrolling(browser: Any, address: str, scheme: str) -> None:
    phone = DeskTab(browser, address, width=390, color_scheme=scheme)
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390
    phone.enter()
    for text in ("orders", "cancel", "mug", "W" * 400, "person"):
        phone.say(text)
        assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390, text
    assert phone.wrong == [] and phone.outside == []
    phone.context.close()


def test_other_sites_pages_can_ask_for_nothing(address: str) -> None:
    def status(origin: str) -> int:
        path = f"{address}/gradio_api/component_server/"
        return httpx.post(path, headers={"origin": origin}, json={"data": {"do": "look"}}).status_code

    assert status("http://outside.example") == 403
    assert status(address) != 403
