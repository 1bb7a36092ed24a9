"""Aspects are found and judged for what a sentence says, on any text, and reviews are counted once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storewise.tools.reviews import aspects, groups
from storewise.tools.reviews.aspects import CODE, NAMES


def judged(*texts: str) -> list[dict[str, str | None]]:
    codes = groups.judged(texts).codes
    return [
        {name: aspects.side(int(code)) for name, code in zip(NAMES, row, strict=True) if code}
        for row in codes
    ]


def test_sentences_speak_of_what_they_name() -> None:
    found = judged(
        "The flavor is rich and delicious.",
        "It is far too expensive.",
        "Three of the jars arrived broken.",
        "My dog loves these treats.",
        "The seam came apart after one wash, terrible quality.",
        "I moved here three years ago.",
    )
    assert found[0].get("taste") == "positive"
    assert found[1] == {"price": "negative"}
    assert found[2].get("delivery") == "negative"
    assert found[3].get("pet liking") == "positive"
    assert found[4].get("quality") == "negative"
    assert found[5] == {}


def test_each_aspect_is_judged_by_its_own_clause() -> None:
    told = judged("The taste is wonderful, but it is far too expensive.")[0]
    assert (told.get("taste"), told.get("price")) == ("positive", "negative")


@pytest.mark.parametrize("text", ["", "🙂🙂", "12.50", "...!?", "   "])
def test_without_a_letter_there_is_no_aspect(text: str) -> None:
    assert judged(text) == [{}]


def test_odd_texts_are_judged_without_harm() -> None:
    long = "The taste is good. " * 5500
    found = judged(
        long[:100_000], "<b>Der Tee schmeckt gut</b>", "茶很好喝", "\x00\x01 price", "&lt;i&gt;cheap"
    )
    assert len(found) == 5 and "price" in found[3]
    assert groups.judged([]).codes.shape == (0, len(NAMES))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=120), max_size=6))
def test_codes_are_of_the_known_sides(texts: list[str]) -> None:
    vectors, positive = np.zeros((len(texts), 384), np.float32), np.full(len(texts), 0.5, np.float32)
    codes = aspects.head().judged(texts, vectors, positive)
    assert codes.shape == (len(texts), len(NAMES))
    assert set(np.unique(codes).tolist()) <= {0, *CODE.values()}


@given(st.text(max_size=200))
def test_clauses_are_parts_of_the_sentence(text: str) -> None:
    assert all(part in text for part in aspects.clauses(text))


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("flavour", "taste"),
        ("FLAVORS", "taste"),
        ("shipping", "delivery"),
        ("the cost", "price"),
        ("value for money", "price"),
        ("customer service", "service"),
        ("ease of use", "preparation"),
        ("packaging", "packaging"),
        ("seal", None),
        ("opera singing", None),
        ("", None),
    ],
)
def test_aspects_are_known_by_other_names(asked: str, meant: str | None) -> None:
    assert aspects.resolve(asked) == meant


def test_every_name_stands_for_one_aspect() -> None:
    for name in NAMES:
        assert aspects.resolve(name) == name


def test_a_review_counts_once_and_neither_if_it_says_both() -> None:
    praise, blame, plain = CODE["positive"], CODE["negative"], CODE["neutral"]
    counts = aspects.tally(["a", "a", "b", "b", "c", "d"], [praise, praise, praise, blame, plain, 0])
    assert counts == {"positive": 1, "neutral": 2, "negative": 0}


def test_shares_count_reviews_by_aspect() -> None:
    said = [
        "Delicious taste.",
        "The flavor is wonderful.",
        "It tastes awful, I hate the flavor.",
        "Far too expensive.",
    ]
    codes = groups.judged(said).codes
    found = {s.aspect: s for s in aspects.shares(["R1", "R1", "R2", "R2"], codes)}
    assert (found["taste"].reviews, found["taste"].positive, found["taste"].negative) == (2, 1, 1)
    assert (found["price"].reviews, found["price"].negative) == (1, 1)
    assert aspects.shares([], np.zeros((0, len(aspects.NAMES)), np.int8)) == ()
