"""Protects the desk's acts: what is written is read, nothing else is, and the grammar lets through just that."""

from __future__ import annotations

import itertools

import pytest
import xgrammar
from hypothesis import given, settings
from hypothesis import strategies as st

from storewise.tools.calls import CallSyntaxError
from storewise.tools.desk.acts import (
    ACTS,
    ANSWERABLE,
    ASKED,
    CANCEL,
    REASONS,
    WISHES,
    act_grammar,
    name_of,
    normal,
    read_acts,
)
from storewise.tools.desk.marks import access
from storewise.tools.desk.registry import desk_tools


def accepted(grammar: str, texts: list[str]) -> list[str]:
    """Return those of the texts that xgrammar, which vLLM decodes with, takes whole."""
    vocabulary = [bytes([byte]) for byte in range(256)] + [b"</s>"]
    info = xgrammar.TokenizerInfo(vocabulary, stop_token_ids=[256])
    compiled = xgrammar.GrammarCompiler(info, max_threads=1).compile_grammar(grammar)
    result = []
    for text in texts:
        matcher = xgrammar.GrammarMatcher(compiled)
        if matcher.accept_string(text) and matcher.accept_token(256):
            result.append(text)
    return result


def written(act: str) -> list[str]:
    """Return the ways to write an act."""
    if act.startswith("none:"):
        return [f"none({act.removeprefix('none:')})"]
    reasons = [f'{act}(reason="{reason}")' for reason in REASONS] if act in (CANCEL, "detail") else []
    return [f"{act}()", *reasons]


EVERY = [text for act in ACTS for text in written(act)]


def test_every_wish_is_a_tool_and_marked_as_it_is() -> None:
    tools = desk_tools()
    assert set(WISHES) - set(tools) == {"search_reviews"}  # the analyst's
    for name, kind in WISHES.items():
        if name == "search_reviews":
            continue
        assert (access(tools[name].function) == "write") == (kind == "write")


@given(st.sampled_from(EVERY), st.sampled_from(EVERY))
def test_two_acts_are_read_where_they_go_together(one: str, two: str) -> None:
    assert [name_of(act) for act in read_acts(one)] == [name for name in ACTS if one in written(name)]
    first, second = (read_acts(text)[0].name for text in (one, two))
    together = second in WISHES and (first in WISHES or first in ("yes", "no", "drop"))
    try:
        read_acts(f"{one}; {two}")
    except CallSyntaxError:
        assert not together
    else:
        assert together


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_with_a_syntax_error(text: str) -> None:
    try:
        acts = read_acts(text)
    except CallSyntaxError:
        return
    assert all(name_of(act) in ACTS for act in acts)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "pay()",
        "none(hungry)",
        'cancel_pending_order(order_id="[order]")',
        'cancel_pending_order(reason="bored")',
        'return_delivered_order_items(reason="other")',
        "yes(); no()",
        "yes(); get_order_details(); find_orders()",
    ],
)
def test_what_is_no_act_is_refused(text: str) -> None:
    with pytest.raises(CallSyntaxError):
        read_acts(text)


@settings(max_examples=25, deadline=None)
@given(
    st.sets(st.sampled_from([*ACTS, "none"]), max_size=6),
    st.sampled_from(ASKED),
    st.sampled_from(["nothing", CANCEL]),
)
def test_the_grammar_takes_the_allowed_acts_and_no_other(allowed: set[str], asked: str, opened: str) -> None:
    grammar = act_grammar(sorted(allowed), asked, opened)
    names = {name for name in ACTS if name in allowed or (name.startswith("none:") and "none" in allowed)}
    if asked not in ANSWERABLE:
        names -= {"yes", "no"}
    if not names:
        names = {name for name in ACTS if asked in ANSWERABLE or name not in ("yes", "no")}
    told = asked == "reason" or opened == CANCEL
    wanted = [
        text
        for name in ACTS
        if name in names
        for text in written(name)
        if name != "detail" or told or text == "detail()"
    ]
    assert accepted(grammar, EVERY) == wanted


def test_two_acts_are_in_the_grammar_where_they_go_together() -> None:
    allowed = ["cancel_pending_order", "get_order_details", "yes", "drop", "detail", "none:thanks"]
    grammar = act_grammar(allowed, "confirmation", "cancel_pending_order")
    singles = [text for act in allowed for text in written(act)]
    pairs = [f"{one}; {two}" for one, two in itertools.product(singles, singles)]
    firsts = {"yes", "drop", "cancel_pending_order", "get_order_details"}

    def fits(pair: str) -> bool:
        one, two = (text.split("(")[0] for text in pair.split("; "))
        return one in firsts and two in WISHES and one != two

    taken = accepted(grammar, pairs)
    assert taken == [pair for pair in pairs if fits(pair)]
    for pair in taken:
        read_acts(pair)


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("cancel #W1234567 please", "cancel [order] please"),
        ("w1234567", "[order]"),
        ("order 1234567\nand item 1234567890", "order [order] and item [item]"),
        ("write to ann@example.org", "write to [email]"),
        ("it costs 12.50", "it costs 12.50"),
    ],
)
def test_ids_are_replaced_by_their_kind(said: str, read: str) -> None:
    assert normal(said) == read


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=120))
def test_normal_words_stay_normal(text: str) -> None:
    once = normal(text)
    assert "\n" not in once
    assert normal(once) == once
