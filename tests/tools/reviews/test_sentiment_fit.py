"""The fit of the sentiment head: the same again, it learns from words and vectors, and the adapter's odds count."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from storewise.tools.reviews import sentiment
from storewise.tools.reviews.embedding import DIMENSIONS
from storewise.tools.reviews.sentiment_fit import fit
from storewise.tools.reviews.sentiment_training import Taught, read_taught

WORDS = {"great": 0.8, "awful": -0.8}


@pytest.fixture(scope="module")
def made() -> tuple[list[str], npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Texts whose words, and vectors whose first place, tell praise from blame."""
    rng = np.random.default_rng(1)
    praise = rng.random(600) < 0.5
    said = {True: ["great", "lovely", "fresh"], False: ["awful", "stale", "broken"]}
    texts = [f"the tea number is {rng.choice(said[bool(one)])}" for one in praise]
    vectors = rng.normal(0, 0.05, (600, DIMENSIONS)).astype(np.float32)
    vectors[:, 0] += np.where(praise, 0.1, -0.1)
    return texts, vectors, praise


def learned(
    texts: list[str], vectors: npt.NDArray[np.float32], praise: npt.NDArray[np.bool_]
) -> sentiment.Head:
    return fit(
        [sentiment.terms(text) for text in texts],
        vectors,
        np.where(praise, 0.9, 0.1),
        np.ones(len(texts)),
        WORDS,
    )


def test_it_learns_the_same_head_twice(
    made: tuple[list[str], npt.NDArray[np.float32], npt.NDArray[np.bool_]],
) -> None:
    texts, vectors, praise = made
    first, second = learned(*made), learned(*made)
    scores = first.scores(texts, vectors)
    assert np.array_equal(scores, second.scores(texts, vectors))
    assert (((scores > 0) == praise).mean()) > 0.97


def test_words_and_vectors_both_count(
    made: tuple[list[str], npt.NDArray[np.float32], npt.NDArray[np.bool_]],
) -> None:
    texts, vectors, praise = made
    head = learned(*made)
    blank = np.zeros_like(vectors)
    assert (((head.scores(texts, blank) > 0) == praise).mean()) > 0.9
    neutral = ["the tea number is"] * len(texts)
    assert (((head.scores(neutral, vectors) > 0) == praise).mean()) > 0.8


def test_the_network_takes_part(
    made: tuple[list[str], npt.NDArray[np.float32], npt.NDArray[np.bool_]],
) -> None:
    texts, vectors, _ = made
    head = learned(*made)
    without = replace(head, outer=np.zeros_like(head.outer))
    assert not np.allclose(head.scores(texts, vectors), without.scores(texts, vectors))


def test_the_adapters_odds_are_brought_to_one_size(tmp_path: Path) -> None:
    odds = np.array([-4.0, 1.0, 2.0, 8.0])
    sure, unsure = Taught(list("abcd"), odds), Taught(list("abcd"), odds / 10)
    assert np.allclose(sure.chances(), unsure.chances())
    assert ((sure.chances() > 0.5) == (odds > 0)).all()
    path = tmp_path / "taught.jsonl"
    path.write_text("".join(json.dumps({"text": "a", "odds": odd}) + "\n" for odd in odds.tolist()))
    assert read_taught(path).odds.tolist() == odds.tolist()
