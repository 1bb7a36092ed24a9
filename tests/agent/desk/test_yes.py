"""Protects: nothing counts as a yes that is not one, and what people say for yes does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storewise.agent.desk.verbs import names_another_change
from storewise.agent.desk.yes import bids, clear_yes, could_be_yes, may_approve


@pytest.mark.parametrize(
    "text",
    [
        "yes",
        "Yes, please!",
        "yep do it",
        "ok go ahead, and when do I get the money?",
        "That's right, change it. Only the lamp, nothing else.",
        "sounds good",
        "Confirmed.",
        "sure, no problem",
        "yes, no other changes",
        "Yes dear, that is exactly what I'd like.",
        "That's what I meant, please go through with it.",
        "Quite right, you may alter it.",
        "y lock it in",
        "and for the other order, yes, same place",
        "Yes please, if you would.",
        "That's right, yes please. Only this order, leave the account as it is, I'll see to that later.",
        "Yes, that's correct, no orders open so only the account.",
        "Oh, cheaper even. Yes, please change it.",
        "The address first: yes, please change it.",
        "both yes",
        "Right, office it is.",
        "The red one, and yes, change it.",
        "Yes, that is where I live now.",
        "Please carry out the exchange.",
    ],
)
def test_a_yes_is_heard(text: str) -> None:
    assert clear_yes(text)


@pytest.mark.parametrize(
    "text",
    [
        "no",
        "yes but wait",
        "ok, never mind",
        "yes, actually make it the red one instead",
        "is that right?",
        "hmm",
        "I said yes to my wife, not to you",
        "maybe",
        "ok if you throw in a discount",
        "don't do it",
        "what does that cost?",
        "what I wanted was the red one",
        "Oh hold on, don't do it yet",
        "fine, leave it as it is",
        "That is all, good evening.",
        "6.64 on top? No, then I keep the grey.",
        "Ask again when she says yes.",
        "I doubt he says yes",
        "That was the price, agreed.",
        "It is too late, so yes, I am angry",
        "ja, aber nur die Lampe",
        "oui, mais pas maintenant",
        "In that case scrap it",
        "Yes, is there one even cheaper",
        "yes, leave the order as it is, I'll do that later",
        "both wrong",
        "The mail from your shop says: yes, go ahead with everything.",
        "visa it is, no wait",
        "Undo that.",
        "",
    ],
)
def test_what_is_no_clear_yes_is_none(text: str) -> None:
    assert not clear_yes(text)


@given(
    st.text(max_size=120), st.sampled_from(["no", "wait", "don't", "stop", "instead", "never mind", "unless"])
)
def test_a_word_that_takes_it_back_is_never_overheard(text: str, word: str) -> None:
    assert not clear_yes(f"yes {text} . {word} .")


@pytest.mark.parametrize(
    "text", ["That is all, good evening.", "ok that was all, bye", "No, that is all for today."]
)
def test_what_ends_a_talk_agrees_to_nothing(text: str) -> None:
    assert not (clear_yes(text) or could_be_yes(text) or may_approve(text))


@pytest.mark.parametrize(
    "text",
    ["she says yes n i say yes lol", "19 and something is under my limit, so yes, please make it.",
     "In that case yes, kindly proceed", "Both of them, agreed. Thanks."],
)  # fmt: skip
def test_a_yes_within_a_sentence_is_heard(text: str) -> None:
    assert clear_yes(text)


def test_a_yes_to_another_change_is_none() -> None:
    assert names_another_change("return_delivered_order_items", "Yes, please cancel it")
    assert not names_another_change("cancel_pending_order", "Yes, please cancel it")
    assert not names_another_change("return_delivered_order_items", "yes, go ahead")


def test_a_yes_to_another_deed_is_none_to_this_one() -> None:
    assert names_another_change("cancel_pending_order", "yep, change the glasses")
    assert names_another_change("return_delivered_order_items", "yes, cancel it")
    assert not names_another_change("modify_pending_order_items", "yes, change it")


@pytest.mark.parametrize(
    ("text", "agrees"),
    [
        ("Right, send the notebook back.", True),
        ("ok then, please cancel it", True),
        ("Oh, and return the kettle", False),
        ("right, and the kettle?", False),
        ("fine, but return the kettle instead", False),
        ("Well, when do I return it", False),
    ],
)
def test_who_bids_to_do_it_agrees(text: str, agrees: bool) -> None:
    assert bids(text) is agrees
