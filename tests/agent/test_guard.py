"""Protects the door: what cannot be a question is answered with a sentence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storewise.agent.guard import LONGEST, QuestionError, guarded


@given(st.text(max_size=200))
def test_control_characters_never_get_through(text: str) -> None:
    try:
        plain = guarded(text)
    except QuestionError:
        return
    assert plain.isprintable() or all(c.isprintable() or c.isspace() for c in plain)
    assert "\x00" not in plain
    assert "\n" not in plain


@pytest.mark.parametrize("text", ["", "   ", "\x00\x07"])
def test_nothing_to_ask(text: str) -> None:
    with pytest.raises(QuestionError, match="type a question"):
        guarded(text)


def test_too_long() -> None:
    with pytest.raises(QuestionError, match="characters"):
        guarded("x" * (LONGEST + 1))
