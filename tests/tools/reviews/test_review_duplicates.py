"""Near-duplicates are found whatever the order and spelling, and nothing else is taken for one."""

from __future__ import annotations

import random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from storewise.tools.reviews.duplicates import LIKE, firsts, normalised, signatures

WORDS = ["tea", "coffee", "stale", "the", "was", "good", "never", "again", "box", "came", "late", "dog"]
TEXT = st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join)
REVIEW = (
    "I have bought this coffee for three years now and it was always smooth and rich, but the last two bags "
    "that came were stale, the seal of one was broken, and nobody answered when I wrote to the seller about it."
)


def found(texts: list[str], order: list[int] | None = None) -> list[int]:
    rows = np.array(range(len(texts)) if order is None else order, dtype=np.int64)
    return [int(first) for first in firsts(texts, signatures(texts), rows)]


def sequences(text: str) -> set[tuple[str, ...]]:
    """Three words in a row, as a plain set: what likeness is defined by."""
    words = normalised(text).split()
    return {tuple(words[i : i + 3]) for i in range(max(1, len(words) - 2))}


@settings(deadline=None)
@given(st.lists(TEXT, max_size=12), st.randoms())
def test_the_first_is_earlier_alike_and_no_copy_itself(texts: list[str], chance: random.Random) -> None:
    order = list(range(len(texts)))
    chance.shuffle(order)
    first = found(texts, order)
    rank = {row: place for place, row in enumerate(order)}
    for row, other in enumerate(first):
        if row != other:
            one, two = sequences(texts[row]), sequences(texts[other])
            assert rank[other] < rank[row] and first[other] == other
            assert len(one & two) >= LIKE * len(one | two)


@settings(deadline=None)
@given(st.lists(TEXT, max_size=8))
def test_the_same_words_are_always_a_copy(texts: list[str]) -> None:
    shouted = [f"  {text.upper().replace(' ', ', ')}!" for text in texts]
    first = found([*texts, *shouted])
    for row, text in enumerate(texts):
        copy = len(texts) + row
        assert not text or first[copy] == first[row]


def test_a_few_other_words_in_a_long_text_make_a_near_copy() -> None:
    assert found([REVIEW, REVIEW + " Be warned.", REVIEW.replace("three", "four")]) == [0, 0, 0]
    assert found([REVIEW, " ".join(REVIEW.split()[:20])]) == [0, 1]


def test_empty_texts_are_nobody_s_copies_and_emoji_are() -> None:
    assert found(["", "", "🙂🙂", "🙂🙂", "🙂", "Good.", "good", "Not good."]) == [0, 1, 2, 2, 4, 5, 5, 7]


def test_ten_thousand_copies_take_a_second_not_a_square() -> None:
    texts = [f"{REVIEW} {'Order' if n % 2 else 'order'} {n % 5}." for n in range(10_000)]
    assert len(set(found(texts))) == 1
