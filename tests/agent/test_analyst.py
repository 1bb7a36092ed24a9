"""Protects a turn of conversation: calls, findings, the check behind the model, memory, a dead engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from storewise.agent.analyst import Analyst
from storewise.agent.answer import Finished, StepFinished, StepStarted, Words
from storewise.agent.engine import Served
from storewise.agent.graph import CHECK_FAILED, ENGINE_DOWN
from storewise.agent.settings import Settings
from storewise.tools.shop.generation import Shop
from tests.agent.fake_model import FakeModel, fake_model


@pytest.fixture
def model() -> Iterator[FakeModel]:
    with fake_model() as fake:
        yield fake


def make(shop: Shop, folder: Path, model: FakeModel | None, compact: bool = True) -> Analyst:
    served = Served(model.url, "fake", "none", compact) if model else None
    return Analyst(shop, Settings(home=folder, slow_seconds=5), lambda: served)


def test_the_models_own_words_are_kept_when_they_pass_the_check(
    small_shop: Shop, tmp_path: Path, model: FakeModel
) -> None:
    analyst = make(small_shop, tmp_path, model)
    model.feed('sales_report(metric=revenue, when="in March")')
    headline = (
        analyst.tools["sales_report"]
        .call(small_shop, {"metric": "revenue", "start": "2024-03-01", "end": "2024-03-31"})
        .headline
    )
    figure = next(word for word in headline.split() if word.startswith("$")).rstrip(",.")
    model.feed(f"We took {figure} in March.")
    events = list(analyst.stream("What did we sell in March?", "t"))
    assert [type(event) for event in events if not isinstance(event, Words)] == [
        StepStarted,
        StepFinished,
        Finished,
    ]
    answer = events[-1].answer  # type: ignore[union-attr]
    assert answer.answer == f"We took {figure} in March."
    assert answer.phrased_by == "model"
    assert answer.calls[0].args == {"metric": "revenue", "start": "2024-03-01", "end": "2024-03-31"}
    assert "".join(event.text for event in events if isinstance(event, Words)) == answer.answer


def test_a_made_up_figure_is_replaced_by_the_findings_sentence(
    small_shop: Shop, tmp_path: Path, model: FakeModel
) -> None:
    analyst = make(small_shop, tmp_path, model)
    model.feed("sales_report(metric=revenue)", "We took $1,234,567.00 in all.")
    answer = analyst.ask("What did we sell?")
    assert answer.answer == answer.findings[0].headline
    assert answer.phrased_by == "findings"
    assert answer.note == CHECK_FAILED
    assert "1,234,567" not in answer.answer


def test_a_replaced_answer_is_replaced_in_memory_too(
    small_shop: Shop, tmp_path: Path, model: FakeModel
) -> None:
    analyst = make(small_shop, tmp_path, model)
    model.feed("sales_report(metric=revenue)", "We took $1,234,567.00 in all.")
    analyst.ask("What did we sell?", "t")
    said = analyst._memory.get({"configurable": {"thread_id": "t"}})
    assert said is not None
    messages = said["channel_values"]["messages"]
    assert "1,234,567" not in str(messages[-1].content)


def test_a_follow_up_is_asked_with_the_turn_before_and_outlives_a_restart(
    small_shop: Shop, tmp_path: Path, model: FakeModel
) -> None:
    model.feed("customer_profile(customer_id=C01)", "That is customer C01.")
    make(small_shop, tmp_path, model).ask("Tell me about customer C01", "t")
    model.feed("customer_profile(customer_id=C02)", "That is customer C02.")
    answer = make(small_shop, tmp_path, model).ask("And customer C02?", "t")
    assert answer.calls[0].args == {"customer_id": "C02"}
    assert model.users()[2] == (
        "Before: Tell me about customer C01 -> customer_profile(customer_id=C01)\nAnd customer C02?"
    )


def test_another_conversation_knows_nothing_of_it(small_shop: Shop, tmp_path: Path, model: FakeModel) -> None:
    analyst = make(small_shop, tmp_path, model)
    model.feed("customer_profile(customer_id=C01)", "That is customer C01.")
    analyst.ask("Tell me about customer C01", "one")
    model.feed("none(outside)")
    analyst.ask("And customer C02?", "two")
    assert model.users()[-1] == "And customer C02?"


def test_the_call_is_decoded_under_a_grammar_of_the_questions_own_values(
    small_shop: Shop, tmp_path: Path, model: FakeModel
) -> None:
    model.feed("customer_profile(customer_id=C07)", "That is customer C07.")
    make(small_shop, tmp_path, model).ask("Who is customer C07?")
    grammar = model.asked[0]["structured_outputs"]["grammar"]
    assert '"C07"' in grammar
    assert "structured_outputs" not in model.asked[1]


def test_two_wishes_are_two_calls_in_order(small_shop: Shop, tmp_path: Path, model: FakeModel) -> None:
    model.feed("customer_profile(customer_id=C01); sales_report(metric=orders)", "C01.", "Nothing.")
    answer = make(small_shop, tmp_path, model).ask("Who is C01, and how many orders did we have?")
    assert [call.name for call in answer.calls] == ["customer_profile", "sales_report"]
    assert [finding.tool for finding in answer.findings] == ["customer_profile", "sales_report"]


def test_no_tool_for_a_greeting(small_shop: Shop, tmp_path: Path, model: FakeModel) -> None:
    model.feed("none(greeting)")
    answer = make(small_shop, tmp_path, model).ask("hello there")
    assert answer.calls == ()
    assert answer.answer.startswith("Hello!")


def test_without_an_engine_the_findings_answer_and_a_note_says_so(small_shop: Shop, tmp_path: Path) -> None:
    answer = make(small_shop, tmp_path, None).ask("how much revenue did we make in march")
    assert [call.name for call in answer.calls] == ["sales_report"]
    assert answer.calls[0].args["start"] == "2024-03-01"
    assert answer.answer == answer.findings[0].headline
    assert answer.note == ENGINE_DOWN


def test_an_engine_that_dies_after_the_call_leaves_the_finding(
    small_shop: Shop, tmp_path: Path, model: FakeModel
) -> None:
    model.feed("sales_report(metric=revenue)")
    answer = make(small_shop, tmp_path, model).ask("What did we sell?")
    assert answer.answer == answer.findings[0].headline
    assert answer.phrased_by == "findings"
    assert answer.note == ENGINE_DOWN


def test_a_large_model_calls_tools_itself(small_shop: Shop, tmp_path: Path, model: FakeModel) -> None:
    arguments = '{"metric": "revenue"}'
    call = {"id": "c1", "type": "function", "function": {"name": "sales_report", "arguments": arguments}}
    model.feed({"role": "assistant", "content": None, "tool_calls": [call]}, "Sales went well.")
    answer = make(small_shop, tmp_path, model, compact=False).ask("What was our revenue?")
    assert [call.name for call in answer.calls] == ["sales_report"]
    assert answer.answer == "Sales went well."
    assert {tool["function"]["name"] for tool in model.asked[0]["tools"]} >= {"sales_report"}


@pytest.mark.parametrize("question", ["", "x" * 5000])
def test_what_cannot_be_a_question_gets_a_sentence(small_shop: Shop, tmp_path: Path, question: str) -> None:
    answer = make(small_shop, tmp_path, None).ask(question)
    assert answer.calls == ()
    assert answer.answer
