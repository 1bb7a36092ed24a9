"""Protects the page as people use it: it is opened in a real browser, with a scripted analyst behind it.

What is tested is the page's own: that it answers before the shop is loaded, streams, keeps conversations
apart, draws, sorts, judges and exports, obeys no text, fits a phone, and asks no other address for anything.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from samples import HOSTILE, QUOTED, RANKING, SERIES, answer_of
from tabs import Tab

from storewise.agent.answer import Call, Event, Finished, StepFinished, StepStarted, Words
from storewise.agent.engine import free_port
from storewise.agent.startup import Step
from storewise.tools.finding import Finding
from storewise.ui.app import serve

pytestmark = pytest.mark.browser


class ScriptedAnalyst:
    """Answers by the first word of the question; "wait" holds on until it is let go."""

    def __init__(self) -> None:
        self.go_on = threading.Event()

    def stream(self, question: str, thread: str) -> Iterator[Event]:
        findings: dict[str, Finding] = {"sales": SERIES, "risk": RANKING, "review": QUOTED, "wait": RANKING}
        finding = findings[question.split()[0]]
        call = Call(name=finding.tool, args=finding.arguments)
        yield StepStarted(call=call)
        yield StepFinished(call=call, finding=finding, seconds=0.25)
        if question.startswith("wait"):
            self.go_on.wait(20)
        text = f"{HOSTILE} {question}" if finding is QUOTED else f"Said of {question}."
        for word in text.split(" "):
            yield Words(text=word + " ")
        yield Finished(answer=answer_of(finding, text=text))


class ScriptedStartup:
    """A start that is done when the test says so."""

    def __init__(self) -> None:
        self.ready = True
        self.talker = ScriptedAnalyst()

    @property
    def settled(self) -> bool:
        return self.ready

    def steps(self) -> list[Step]:
        done = "done" if self.ready else "running"
        return [Step("shop", "The shop's tables", "done", 3.0), Step("engine", "The model", done, 7.0)]  # type: ignore[arg-type]

    def analyst(self) -> ScriptedAnalyst | None:
        return self.talker if self.ready else None

    def shop_note(self) -> str:
        return "Orders are real, sessions simulated, reviews matched."


@pytest.fixture(scope="module")
def startup() -> ScriptedStartup:
    return ScriptedStartup()


@pytest.fixture(scope="module")
def address(startup: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    stop = serve(startup, port=port)
    yield f"http://127.0.0.1:{port}"
    stop()


@pytest.fixture
def tab(browser: Any, address: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Tab]:
    monkeypatch.setenv("STOREWISE_HOME", str(tmp_path))
    yield from Tab(browser, address).watched()


def test_the_page_answers_while_the_shop_loads(tab: Tab, startup: ScriptedStartup) -> None:
    startup.ready = False
    try:
        tab.open()
        tab.page.wait_for_selector(".loading")
        assert "The shop is still loading." in tab.text(".loading") and "7 s" in tab.text(".loading")
        tab.send("#question textarea", "sales early")
        tab.page.wait_for_selector("#hint p")
        assert "still loading" in tab.text("#hint")
        assert tab.page.input_value("#question textarea") == "sales early"
    finally:
        startup.ready = True
    tab.page.wait_for_selector(".loading", state="detached")
    tab.page.press("#question textarea", "Enter")
    tab.page.wait_for_selector(".meta")
    assert tab.page.input_value("#question textarea") == ""
    assert "Orders are real" in tab.text("#footer")


def test_an_answer_with_its_step_chart_table_and_evidence(tab: Tab) -> None:
    tab.ask("sales in 2017")
    assert tab.text(".question") == "sales in 2017"
    assert "Sales report" in tab.text(".step") and "0.25 s" in tab.text(".step")
    tab.page.click(".step summary")
    assert "revenue" in tab.text(".step dl")
    assert tab.text(".answer") == "Said of sales in 2017."
    assert "phrased by the model" in tab.text(".badge")
    tab.page.wait_for_selector(".chart .main-svg")
    tab.page.click(".fold summary:has-text('The figures')")
    tab.page.click("th:has-text('Revenue') button")
    assert tab.page.locator("tbody tr td:nth-child(2)").all_inner_texts() == [
        "$1,500.50",
        "$1,000.00",
        "$900.25",
    ]
    assert not tab.page.locator(".evidence").get_attribute("open")
    tab.page.click(".evidence summary")
    assert "Fuel is set aside." in tab.text(".evidence")


def test_the_headline_comes_first_and_an_answer_can_be_stopped(tab: Tab, startup: ScriptedStartup) -> None:
    tab.send("#question textarea", "wait for it")
    tab.page.wait_for_selector(".answer")
    assert tab.text(".answer") == RANKING.headline
    tab.send("#question textarea", "risk next")
    tab.page.wait_for_selector("#hint p")
    assert "still being answered" in tab.text("#hint")
    tab.page.click("#stop")
    tab.page.wait_for_selector(".problem")
    startup.talker.go_on.set()
    tab.page.wait_for_selector("#send")
    tab.page.press("#question textarea", "Enter")
    tab.page.wait_for_selector(".meta")
    assert tab.page.locator(".question").all_inner_texts() == ["wait for it", "risk next"]


def test_two_tabs_do_not_mix_and_a_reload_keeps_its_own(tab: Tab, browser: Any, address: str) -> None:
    other = Tab(browser, address)
    tab.ask("sales here")
    other.ask("risk there")
    assert tab.page.locator(".question").all_inner_texts() == ["sales here"]
    assert other.page.locator(".question").all_inner_texts() == ["risk there"]
    tab.open()
    assert tab.page.locator(".question").all_inner_texts() == ["sales here"]
    tab.page.click("button:has-text('New conversation')")
    tab.page.wait_for_selector(".examples")
    assert tab.page.locator(".question").count() == 0
    other.context.close()


def test_an_empty_and_an_overlong_question_get_a_sentence(tab: Tab) -> None:
    for question, said in (("  ", "type a question"), ("sales " * 500, "characters")):
        tab.send("#question textarea", question)
        tab.page.locator(f"#hint p:has-text('{said}')").wait_for()
        assert tab.page.locator(".question").count() == 0


def test_thumbs_and_corrections_are_kept(tab: Tab, tmp_path: Path) -> None:
    tab.ask("risk of whom")
    tab.page.click("[data-thumb=down]")
    tab.page.fill(".correction textarea", "It was customer 901.")
    tab.page.click(".correction button")
    tab.page.wait_for_selector(".thanks")
    with closing(sqlite3.connect(tmp_path / "feedback.sqlite")) as kept:
        rows = kept.execute("select turn, question, thumb, correction from feedback").fetchall()
    assert rows == [(0, "risk of whom", "down", "It was customer 901.")]


def test_a_conversation_is_exported(tab: Tab) -> None:
    tab.ask("sales to keep")
    for event, ending in (("export_markdown", "md"), ("export_json", "json")):
        tab.page.click(".menu summary")
        with tab.page.expect_download() as download:
            tab.page.click(f"[data-event={event}]")
        assert download.value.suggested_filename.endswith(f".{ending}")
        text = Path(download.value.path()).read_text()
        assert "sales to keep" in text and "Fuel is set aside." in text
    assert json.loads(text)["turns"][0]["figures"][0]["data"][0]["y"] == [1000.0, 900.25, 1500.5]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_text_is_obeyed_and_a_phone_needs_no_sideways_scrolling(
    browser: Any, address: str, scheme: str
) -> None:
    phone = Tab(browser, address, width=390, color_scheme=scheme)
    phone.ask(f"review {HOSTILE}")
    phone.page.click(".evidence summary")
    phone.page.wait_for_selector(".chart .main-svg")
    assert HOSTILE in phone.text(".answer") and HOSTILE in phone.text(".quote blockquote")
    phone.page.wait_for_timeout(500)
    assert phone.page.evaluate("window.taken") is None
    assert phone.page.locator(".talk img, .talk script, .talk a").count() == 0
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert phone.page.evaluate("document.body.classList.contains('dark')") == (scheme == "dark")
    phone.page.click("nav button[data-theme]")
    assert phone.page.evaluate("document.body.classList.contains('dark')") == (scheme == "light")
    assert phone.wrong == [] and phone.outside == []
    phone.context.close()
