"""How well a sentence of a review stands for what all reviews of the same thing say.

A linear score over how much the sentence shares with the other reviews, in meaning, words and pairs of words,
and over how it is put: of the thing rather than of the writer, in the present rather than of one day. The
weights (`salience.json`) were learned by `finetune/salience.py` from summaries that people wrote.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from storewise.tools.reviews import phrases
from storewise.tools.reviews.embedding import Vectors

Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

FEATURES = (
    "closeness to the other reviews",
    "closeness to their mean",
    "words others use",
    "pairs of words others use",
    "length",
    "place in the review",
    "of the writer",
    "points at the thing",
    "in the present",
    "of one day",
    "leans on the sentence before",
    "passes a verdict",
    "holds a figure",
    "praises",
    "is sure",
)
MANY = 2500  # sentences from which closeness to the mean stands for closeness to each other review
FEWEST_WORDS, MOST_WORDS = 3, 25  # of a sentence that can stand for others

_SOMEBODY = re.compile(r"\b(?:he|she|him|his|her|hers)\b", re.I)
_PERSON = re.compile(r"\b(?:i|i['’](?:m|ve|d|ll)|im|ive|my|me|mine|we|our|us|myself|ourselves)\b", re.I)
_LEANING = re.compile(r"^(?:but|and|so|also|then|however|or|other than|that said|plus)\b|\?$", re.I)
_VERDICT = re.compile(r"\b(?:recommend|product|buy|purchase|order|worth|price)", re.I)
_POINTING = re.compile(r"^(?:this|these|it|it['’]s|its|they|they['’]re|the|those|that)\b", re.I)
_PRESENT = re.compile(
    r"\b(?:is|are|has|have|can|does|do|fits?|works?|looks?|runs?|makes?|feels?|comes?)\b", re.I
)
_ONE_DAY = re.compile(
    r"\b(?:was|were|had|did|got|bought|ordered|received|purchased|returned|tried|\w+ed)\b", re.I
)
_WORD = re.compile(r"[a-z0-9]+")


def salience(
    texts: Sequence[str], vectors: Vectors, review: Rows, positive: npt.NDArray[np.floating[Any]]
) -> Floats:
    """Return a score a sentence, the higher the better it stands for all; about 0 to 1.5.

    Args:
        texts: the sentences, those of a review together and in their order.
        vectors: their embeddings, shape (len(texts), 384).
        review: which review each is of, ascending.
        positive: how likely each praises, 0 to 1.
    """
    card = weights()
    found = (measured(texts, vectors, review, positive) - card["means"]) / card["spreads"]
    return np.asarray(found @ np.array(card["weights"]) + card["bias"], dtype=np.float32)


def measured(
    texts: Sequence[str], vectors: Vectors, review: Rows, positive: npt.NDArray[np.floating[Any]]
) -> npt.NDArray[np.float64]:
    """Return the FEATURES of each sentence, in their order."""
    mean = vectors.mean(axis=0)
    centre = vectors @ mean / max(float(np.linalg.norm(mean)), 1e-9)
    words = [[phrases.stem(word) for word in _WORD.findall(text.lower())] for text in texts]
    columns = [
        _closeness(vectors, review) if len(texts) <= MANY else centre,
        centre,
        _shared(words, review),
        _shared([[f"{one} {two}" for one, two in pairwise(said)] for said in words], review),
        [np.log(max(len(text.split()), 1)) for text in texts],
        places(review),
        *([bool(pattern.search(text)) for text in texts] for pattern in (_PERSON, _POINTING, _PRESENT)),
        *([bool(pattern.search(text)) for text in texts] for pattern in (_ONE_DAY, _LEANING, _VERDICT)),
        [any(character.isdigit() for character in text) for text in texts],
        positive,
        np.abs(2 * positive - 1),
    ]
    return np.column_stack([np.asarray(column, dtype=np.float64) for column in columns])


@lru_cache(maxsize=1)
def weights() -> dict[str, Any]:
    """Return weights, recipe and scores of the shipped salience."""
    content: dict[str, Any] = json.loads(
        (Path(__file__).parent / "salience.json").read_text(encoding="utf-8")
    )
    return content


def personal(text: str) -> bool:
    """Say whether the writer speaks of themselves."""
    return _PERSON.search(text) is not None


def of_somebody(text: str) -> bool:
    """Say whether a sentence tells of somebody whom the writer knows: "She is healthy and thriving"."""
    return _SOMEBODY.search(text) is not None


@lru_cache(maxsize=20_000)
def phrases_in(text: str) -> tuple[tuple[str, str], ...]:
    """Return the phrases of a sentence, as `phrases.candidates` finds them."""
    return tuple(phrases.candidates(text))


def says_something(text: str) -> bool:
    """Say whether a sentence names a thing or passes a verdict: "Thank you!" does not."""
    return bool(_VERDICT.search(text) or phrases_in(text))


def fit(text: str) -> bool:
    """Say whether a sentence can stand for others: neither too short nor too long, and it says something."""
    return FEWEST_WORDS <= len(text.split()) <= MOST_WORDS and says_something(text)


def _closeness(vectors: Vectors, review: Rows) -> Floats:
    """Return the mean closeness of each sentence to the nearest sentence of each other review."""
    _, starts, own = np.unique(review, return_index=True, return_inverse=True)
    near = np.maximum.reduceat(vectors @ vectors.T, starts, axis=1)
    near[np.arange(len(near)), own] = 0
    return np.asarray(near.sum(axis=1) / max(len(starts) - 1, 1), dtype=np.float32)


def _shared(said: Sequence[Sequence[str]], review: Rows) -> list[float]:
    """Return for each sentence the mean share of the other reviews that hold a word of it."""
    others = max(int(np.count_nonzero(np.diff(review))), 1)
    inside: dict[int, set[str]] = {}
    for number, words in zip(review.tolist(), said, strict=True):
        inside.setdefault(number, set()).update(words)
    heard = Counter(word for words in inside.values() for word in words)
    return [sum(heard[word] - 1 for word in words) / (max(len(words), 1) * others) for words in said]


def places(review: Rows) -> Floats:
    """Return where in its review each sentence stands, from 0 (first) to 1 (last)."""
    _, starts, own, counts = np.unique(review, return_index=True, return_inverse=True, return_counts=True)
    return np.asarray(
        (np.arange(len(review)) - starts[own]) / np.maximum(counts[own] - 1, 1), dtype=np.float32
    )
