"""What is quoted is the review's own words: spans never drift, overlap, or carry tags and hidden marks."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from storewise.tools.reviews.sentences import LONGEST, MOST, sentences

PIECES = st.sampled_from(
    [
        "Good. ",
        "Bad! ",
        "e.g. ",
        "3.5 oz. ",
        "<br />",
        "<b>x</b>",
        "\n",
        "\x00",
        "\u202e",
        "🙂 ",
        "Mr. ",
        "a" * 250,
    ]
)
TEXTS = st.one_of(
    st.text(max_size=400), st.lists(st.one_of(PIECES, st.text(max_size=30)), max_size=30).map("".join)
)


def said(text: str) -> list[str]:
    return [text[start:stop] for start, stop in sentences(text)]


@given(TEXTS)
def test_spans_are_ordered_short_substrings_without_tags_or_control_characters(text: str) -> None:
    spans = sentences(text)
    assert len(spans) <= MOST
    before = 0
    for start, stop in spans:
        words = text[start:stop]
        assert before <= start < stop <= len(text)
        assert len(words) <= LONGEST
        assert words == words.strip()
        assert not any(unicodedata.category(c) == "Cc" or c in "\u202a\u202e\u2066" for c in words)
        assert "<br" not in words
        before = stop


@given(
    st.lists(
        st.sampled_from(["The tea is good.", "We liked it!", "Never again?", "It came late…"]), max_size=20
    )
)
def test_plain_sentences_come_back_whole(parts: list[str]) -> None:
    assert said(" ".join(parts)) == parts


def test_abbreviations_and_numbers_end_no_sentence() -> None:
    assert said("I paid $3.50 for 12 oz. of tea, e.g. green. Mr. Brown did not.") == [
        "I paid $3.50 for 12 oz. of tea, e.g. green.",
        "Mr. Brown did not.",
    ]


def test_tags_and_line_breaks_end_a_sentence() -> None:
    assert said("Nice tea<br /><br />Bad box\nLate <a href='x'>link</a>") == [
        "Nice tea",
        "Bad box",
        "Late",
        "link",
    ]


def test_a_long_sentence_is_cut_at_a_clause() -> None:
    text = "This is quite a long clause about coffee and its taste, " * 8
    parts = said(text)
    assert len(parts) > 1
    assert all(part.endswith("taste,") for part in parts)


def test_nothing_to_say() -> None:
    assert said("") == said("  \n ") == said("\x00\u202e") == []
    assert said("🙂🙂") == ["🙂🙂"]
