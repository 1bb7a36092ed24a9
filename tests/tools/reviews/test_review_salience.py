"""Which sentences stand for all: those of the thing that others say too, not the writer's own story."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storewise.tools.reviews import salience
from storewise.tools.reviews.embedding import DIMENSIONS, encode
from storewise.tools.reviews.salience import FEATURES, fit, measured, personal, places, weights

SAID = [
    ["These shoes are very comfortable.", "My sister bought them for her wedding in May."],
    ["The shoes are comfortable and look great.", "I will see on Monday."],
    ["They are comfortable shoes.", "We ordered a pair for Uncle Bob."],
]


def test_what_others_say_of_the_thing_stands_for_all_a_story_does_not() -> None:
    texts = [line for review in SAID for line in review]
    review = np.repeat(np.arange(3), 2)
    scores = salience.salience(texts, encode(texts), review, np.full(6, 0.5))
    assert scores[::2].min() > scores[1::2].max()


def test_the_weights_fit_the_features() -> None:
    card = weights()
    assert card["features"] == list(FEATURES)
    assert all(len(card[name]) == len(FEATURES) for name in ("means", "spreads", "weights"))
    assert card["cross_validated"]["rank correlation within a product"] > 0.6


def test_places_run_from_the_first_sentence_to_the_last() -> None:
    assert places(np.array([0, 0, 0, 4, 7, 7])).tolist() == pytest.approx([0, 0.5, 1, 0, 0, 1])


@given(st.lists(st.tuples(st.text(max_size=40), st.integers(0, 3)), min_size=1, max_size=8))
def test_any_sentences_are_measured(said: list[tuple[str, int]]) -> None:
    said.sort(key=lambda one: one[1])
    vectors = np.zeros((len(said), DIMENSIONS), dtype=np.float32)
    review = np.array([number for _, number in said])
    found = measured([text for text, _ in said], vectors, review, np.full(len(said), 0.5))
    assert found.shape == (len(said), len(FEATURES))
    assert np.isfinite(found).all()


def test_what_can_stand_for_others() -> None:
    assert fit("The tea has a smooth flavor.")
    assert not fit("Thank you so very much")
    assert not fit("tea " * 40)
    assert not fit("Great tea!")
    assert personal("I gave the tea to Bob.") and not personal("The mint is mild.")
