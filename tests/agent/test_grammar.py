"""Protects the grammar: whatever is asked, only the question's own values can be written in a call."""

from __future__ import annotations

import datetime as dt

import pytest
import xgrammar
from hypothesis import given, settings
from hypothesis import strategies as st

from storewise.agent.grammar import call_grammar, unmet
from storewise.agent.reading import Reading, customers_named, read_question, read_segments
from storewise.tools.registry import analyst_tools
from storewise.tools.shop.dates import read_periods
from storewise.tools.shop.generation import Shop

TOOLS = analyst_tools()


def reading(question: str, **values: object) -> Reading:
    return Reading(question=question, words=tuple(question.split()), **values)  # type: ignore[arg-type]


def accepts(grammar: str, text: str) -> bool:
    """Say whether xgrammar, which vLLM decodes with, takes `text` whole."""
    vocabulary = [bytes([byte]) for byte in range(256)] + [b"</s>"]
    info = xgrammar.TokenizerInfo(vocabulary, stop_token_ids=[256])
    compiled = xgrammar.GrammarCompiler(info, max_threads=1).compile_grammar(grammar)
    matcher = xgrammar.GrammarMatcher(compiled)
    return bool(matcher.accept_string(text) and matcher.accept_token(256))


def test_ids_dates_and_numbers_come_from_the_question() -> None:
    question = "top 3 milk in march for customer 900"
    periods = read_periods(question, dt.date(2017, 12, 31), dt.date(2017, 1, 1))
    grammar = call_grammar(
        [TOOLS["sales_report"], TOOLS["churn_risk"]],
        reading(question, ids=("900",), numbers=(3,), periods=tuple(periods)),
        two=False,
        none=True,
    )
    assert grammar is not None
    assert accepts(grammar, 'sales_report(metric=units, product="milk", when="in march", top=3)')
    assert accepts(grammar, "churn_risk(customer_id=900)")
    assert accepts(grammar, "none(outside)")
    assert not accepts(grammar, "churn_risk(customer_id=901)")
    assert not accepts(grammar, "sales_report(metric=units, top=4)")
    assert not accepts(grammar, 'sales_report(metric=units, product="cheese")')
    assert not accepts(grammar, "sales_report(top=3)")
    assert not accepts(grammar, "churn_risk(); churn_risk()")


def test_a_tool_whose_id_is_missing_is_out_of_reach() -> None:
    grammar = call_grammar([TOOLS["customer_profile"]], reading("who is it"), two=False, none=False)
    assert grammar is not None
    assert not accepts(grammar, "customer_profile()")
    assert accepts(grammar, "none(outside)")
    assert unmet(TOOLS["customer_profile"], reading("who is it")) == ["customer_id"]


def test_a_lone_quotation_mark_is_no_word() -> None:
    asked = reading('reviews of " green tea "')
    grammar = call_grammar([TOOLS["search_reviews"]], asked, two=False, none=False)
    assert accepts(grammar, 'search_reviews(query="green tea")')


def test_the_turn_before_offers_its_values() -> None:
    before = reading("and by week?", earlier=(("product", "milk"), ("metric", "units")))
    grammar = call_grammar([TOOLS["sales_report"]], before, two=False, none=False)
    assert grammar is not None
    assert accepts(grammar, 'sales_report(metric=units, by=week, product="milk")')


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80))
def test_any_question_gives_a_grammar_that_compiles(question: str) -> None:
    words = tuple(word for word in question.split() if word)
    grammar = call_grammar(list(TOOLS.values()), reading(question) if words else reading("x"), True, True)
    assert grammar is not None
    xgrammar.Grammar.from_ebnf(grammar)


@pytest.mark.parametrize(
    ("text", "segment"),
    [("our champions", "Champions"), ("at-risk shoppers", "At risk"), ("hibernatng ones", "Hibernating")],
)
def test_segments_are_read_with_typos(text: str, segment: str) -> None:
    assert segment in read_segments(text)


@pytest.mark.parametrize(
    ("question", "ids", "customers"),
    [
        ("which five customers will leave", (), []),
        ("top 5 customers at risk", ("5",), []),
        ("will customer 900 leave", ("900",), ["900"]),
        ("whats the chance 900 stops buying", ("900",), ["900"]),
        ("how is 1228 doing", ("1228",), ["1228"]),
        ("show 5 households like customer 13", ("5", "13"), ["13"]),
    ],
)
def test_a_count_is_not_taken_for_a_customer(
    question: str, ids: tuple[str, ...], customers: list[str]
) -> None:
    assert customers_named(question, ids) == customers


def test_weeks_are_the_time_ahead_and_no_count() -> None:
    """ "The next quarter" are 13 weeks; a number that says how many customers is none."""
    asked = reading("top 5 next quarter", numbers=(5,), counts=(5,), horizons=(13,))
    grammar = call_grammar([TOOLS["customer_value"]], asked, two=False, none=False)
    assert accepts(grammar, "customer_value(top=5, weeks=13)")
    assert not accepts(grammar, "customer_value(top=5)")  # said for certain, so it has to be given
    assert not accepts(grammar, "customer_value(weeks=5, top=13)")
    nothing = call_grammar(
        [TOOLS["customer_value"]], reading("top 5", numbers=(5,), counts=(5,)), two=False, none=False
    )
    assert not accepts(nothing, "customer_value(top=5, weeks=5)")


def test_a_follow_up_may_keep_the_weeks_of_the_turn_before() -> None:
    before = reading("and 13?", ids=("13",), earlier=(("customer_id", "900"), ("weeks", "8")))
    grammar = call_grammar([TOOLS["customer_value"]], before, two=False, none=False)
    assert accepts(grammar, "customer_value(customer_id=13, weeks=8)")


@pytest.mark.parametrize(
    ("question", "ids", "numbers", "horizons"),
    [
        ("how much will 900 spend in the next 12 weeks", ("900",), (900,), (12,)),
        ("top 5 over eight weeks", ("5",), (5,), (8,)),
        ("clv of 13, next month", ("13",), (13,), (4,)),
        ("revenue in the last 12 weeks", (), (), ()),
    ],
)
def test_the_number_of_weeks_is_neither_an_id_nor_a_count(
    question: str, ids: tuple[str, ...], numbers: tuple[int, ...], horizons: tuple[int, ...], small_shop: Shop
) -> None:
    read = read_question(question, small_shop)
    assert (read.ids, read.numbers, read.horizons) == (ids, numbers, horizons)


def test_a_time_is_no_product() -> None:
    words = reading("biggest categories last month", timed=frozenset({2, 3}))
    grammar = call_grammar([TOOLS["sales_report"]], words, two=False, none=False)
    assert accepts(grammar, 'sales_report(metric=revenue, product="biggest categories")')
    assert not accepts(grammar, 'sales_report(metric=revenue, product="last month")')
    assert not accepts(grammar, 'sales_report(metric=revenue, product="categories last")')
