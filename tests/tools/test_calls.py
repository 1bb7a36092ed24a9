"""Protects the short call syntax: what the model writes is read back as it was meant, or refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storewise.tools.calls import CallSyntaxError, WrittenCall, read_calls, write_calls

words = st.text(alphabet=st.characters(blacklist_characters='"', blacklist_categories=["C"]), max_size=30)
calls = st.builds(
    WrittenCall,
    st.sampled_from(["sales_report", "search_reviews"]),
    st.dictionaries(st.sampled_from(["product", "query", "when"]), words, max_size=3),
)


@given(st.lists(calls, min_size=1, max_size=2))
def test_written_calls_are_read_back(written: list[WrittenCall]) -> None:
    assert read_calls(write_calls(written)) == written


def test_bare_and_quoted_values() -> None:
    text = 'sales_report(metric=revenue, when="in March, 2017"); churn_risk(customer_id=900)'
    first, second = read_calls(text)
    assert first.args == {"metric": "revenue", "when": "in March, 2017"}
    assert second.args == {"customer_id": "900"}


def test_none_keeps_its_kind() -> None:
    assert read_calls("none(thanks)") == [WrittenCall("none", {"kind": "thanks"})]


@pytest.mark.parametrize("text", ["I think", "churn_risk(", 'x(a="b)', "x(a=1 b=2)) ; y"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(CallSyntaxError):
        read_calls(text)


@given(st.text(max_size=80))
def test_no_text_breaks_the_reader(text: str) -> None:
    try:
        read_calls(text)
    except CallSyntaxError as error:
        assert str(error)
