"""Protects the Inbox: who waits, what was said and decided, and a person who takes a conversation over.

The real staff page in a real browser; the desk behind it answers by fixed words, with real records.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from desk_stand import FixedDesk, Started
from samples import HOSTILE
from tabs import Tab

from storewise.agent.engine import free_port
from storewise.tools.desk.records import Conversation, Decided, Message, Ticket
from storewise.ui import inbox_view as view
from storewise.ui.app import serve
from storewise.ui.inbox import Inbox
from tests.tools.desk.desk_helpers import ANN, BEN

NOW = dt.datetime(2026, 3, 9, 12, 0, tzinfo=dt.UTC)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FixedDesk]:
    monkeypatch.setenv("STOREWISE_HOME", str(tmp_path))
    opened = FixedDesk(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def started(desk: FixedDesk) -> Any:
    return Started(desk)


@pytest.fixture
def address(started: Any) -> Iterator[str]:
    port = free_port()
    stop = serve(started, port=port)
    yield f"http://127.0.0.1:{port}"
    stop()


@pytest.fixture
def tab(browser: Any, address: str) -> Iterator[Tab]:
    yield from Tab(browser, address, place="/#inbox").watched()


def talk(desk: FixedDesk, user_id: str, *texts: str) -> str:
    conversation = desk.begin(user_id)
    for text in texts:
        list(desk.say(user_id, conversation, text))
    return conversation


@pytest.mark.browser
def test_an_empty_inbox_says_what_will_be_here(tab: Tab) -> None:
    tab.page.locator("[data-tickets]", has_text="No ticket is open").wait_for()
    assert "listed here" in tab.text("[data-conversations]")
    assert tab.page.locator(".inbox .nothing").is_visible() and not tab.page.locator(".talk").is_visible()
    tab.page.click("[data-tab-link=ask]")
    assert tab.page.locator(".talk").is_visible() and not tab.page.locator(".inbox").is_visible()


@pytest.mark.browser
def test_a_ticket_is_taken_over_answered_and_given_back(tab: Tab, desk: FixedDesk) -> None:
    tab.page.click("[data-tab-link=ask]")
    conversation = talk(desk, ANN, "cancel", "person please: call 555-123-4567")
    talk(desk, BEN, "orders")
    tab.page.click("[data-tab-link=inbox]")
    tab.page.locator(".tabs .waits", has_text="1").wait_for()
    tab.page.click(f"[data-tickets] [data-conversation='{conversation}']")
    tab.page.locator(".said").first.wait_for()
    head = tab.text("[data-head]")
    assert "Ann Lee" in head and "Wants a person" in head and "angry" in head and "Find orders: told" in head
    assert "[phone]" in tab.text(".said.customer") and "555" not in tab.page.inner_text(".inbox")
    assert tab.page.locator(".step .status").all_inner_texts() == ["proposed", "handed over: asked for"]
    tab.page.locator(".step summary").first.click()
    assert "no longer needed" in tab.page.locator(".step dl").first.inner_text()
    assert not tab.page.locator("#answer").is_visible()

    tab.page.fill("[name=staff]", "Dana")
    tab.page.click("[data-act=take]")
    tab.page.wait_for_selector("#answer")
    tab.page.locator(".chip", has_text="With a person (Dana)").wait_for()
    tab.page.fill("#answer", f"Hello Ann. {HOSTILE}")
    tab.page.click(".reply button")
    tab.page.locator(".said.staff", has_text="Hello Ann.").wait_for()
    assert tab.page.input_value("#answer") == ""
    assert desk.records.messages(conversation)[-1].who == "staff"
    list(desk.say(ANN, conversation, "hello Dana"))  # the desk keeps silent, and the answer appears here
    tab.page.locator(".said.customer", has_text="hello Dana").wait_for()

    tab.page.click("[data-act=give_back]")
    tab.page.locator(".chip", has_text="The desk answers").wait_for()
    assert not tab.page.locator("#answer").is_visible()
    assert desk.records.state(conversation) == "desk"
    tab.page.locator("[data-fold=closed]").wait_for()
    assert tab.page.evaluate("window.taken") is None
    assert tab.page.locator(".inbox img, .inbox script").count() == 0


@pytest.mark.browser
def test_a_conversation_without_a_ticket_is_read_and_can_be_stepped_into(tab: Tab, desk: FixedDesk) -> None:
    conversation = talk(desk, BEN, "orders", "cancel")
    tab.page.click(f"[data-conversations] [data-conversation='{conversation}']")
    tab.page.locator(".said").first.wait_for()
    statuses = tab.page.locator(".step .status").all_inner_texts()
    assert statuses == ["told", "refused: order of another customer"]
    tab.page.reload()
    tab.page.locator(".said").first.wait_for()
    tab.page.click("[data-act=take]")
    tab.page.wait_for_selector("#answer")
    assert desk.records.state(conversation) == "person"
    (ticket,) = desk.records.tickets("taken")
    assert ticket.staff == "Staff" and "stepped in" in ticket.summary


@pytest.mark.browser
def test_the_staff_page_works_without_a_desk(tab: Tab, started: Any) -> None:
    started.found = None
    tab.page.locator("[data-list-problem]", has_text="No service desk runs here").wait_for()
    assert not tab.page.locator("[data-tickets]").is_visible()
    tab.page.click("[data-tab-link=reviews]")
    tab.page.locator("form.wish").wait_for()


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_needs_no_sideways_scrolling(
    browser: Any, address: str, desk: FixedDesk, scheme: str
) -> None:
    conversation = talk(desk, ANN, "cancel", "W" * 300, "person " + "V" * 300)
    phone = Tab(browser, address, width=390, place="/#inbox", color_scheme=scheme)
    phone.page.locator("[data-tickets] a").wait_for()
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390
    phone.page.click(f"[data-conversation='{conversation}']")
    phone.page.locator(".said").first.wait_for()
    phone.page.click("[data-act=take]")
    phone.page.wait_for_selector("#answer")
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390
    phone.page.click(".inbox .back")
    phone.page.locator("[data-tickets]").wait_for()
    assert phone.wrong == [] and phone.outside == []
    phone.context.close()


def test_what_cannot_be_done_gets_a_sentence(desk: FixedDesk, started: Any) -> None:
    inbox = Inbox(started)
    conversation = talk(desk, ANN, "person please")

    def said(**asked: Any) -> str:
        return str(inbox.answer(asked).get("problem", ""))

    assert "Take the conversation over first" in said(do="say", conversation=conversation, text="Hello")
    assert "Nobody has taken" in said(do="give_back", conversation=conversation)
    assert said(do="take", conversation=conversation, staff="Dana") == ""
    assert "Dana has taken" in said(do="take", conversation=conversation, staff="Kim")
    assert "Write an answer" in said(do="say", conversation=conversation, text="  \n")
    assert "longer than" in said(do="say", conversation=conversation, text="x" * 5001)
    for nothing in ("", "\x00", "x" * 5000, None, 7, "nothing-of-the-kind"):
        assert "no such conversation" in said(do="look", conversation=nothing)
    desk.records.close(conversation)
    assert "has ended" in said(do="take", conversation=conversation)
    for wrong in (None, 7, [], {}, {"do": "drop"}):
        assert "went wrong" in inbox.answer(wrong)["problem"]


def test_nothing_stored_becomes_markup() -> None:
    ticket = Ticket("T-1", "c1", HOSTILE, HOSTILE, "angry", (HOSTILE,), "taken", HOSTILE, NOW, NOW, None)
    one = Conversation("c1", HOSTILE, "person", NOW, NOW, 3)
    said = [Message(n, who, HOSTILE, None, NOW) for n, who in enumerate(("customer", "desk", "staff"), 1)]  # type: ignore[arg-type]
    decided = [Decided(1, n, HOSTILE, {HOSTILE: HOSTILE}, "refused", HOSTILE, NOW) for n in (0, 1)]
    page = view.tickets([ticket], NOW) + view.conversations([one], NOW)
    page += view.head(one, ticket, HOSTILE, NOW) + view.head(one, None, "", NOW) + view.acts(one)
    page += "".join(block["html"] for block in view.blocks(said, decided))
    assert "<script" not in page and "<img" not in page
    assert page.count("data-fold=") == 2  # what was decided before anything was said is shown, too


@pytest.mark.parametrize(
    ("before", "told"),
    [
        (dt.timedelta(seconds=20), "just now"),
        (dt.timedelta(minutes=5), "5 min ago"),
        (dt.timedelta(hours=3), "3 h ago"),
        (dt.timedelta(days=1), "1 day ago"),
        (dt.timedelta(days=20), "2026-02-17"),
    ],
)
def test_how_long_ago_something_was(before: dt.timedelta, told: str) -> None:
    assert view.age(NOW - before, NOW) == told
