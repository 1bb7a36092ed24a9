"""Sentences of many reviews, grouped by what they say: near-identical meanings by their embeddings."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from storewise.tools.reviews import embedding, screening, sentiment
from storewise.tools.reviews.embedding import Vectors
from storewise.tools.reviews.sentences import sentences
from storewise.tools.reviews.sentiment import Polarity
from storewise.tools.reviews.summary import Quote, Review

NEAR = 0.68  # cosine from which two sentences say nearly the same
BLOCK = 1024  # sentences compared with all others at once
FEWEST_WORDS = 3

Encode = Callable[[Sequence[str]], Vectors]


@dataclass(frozen=True)
class Group:
    """Sentences that say nearly the same, the one nearest to all of them first.

    Attributes:
        quotes: one sentence a review, each to the letter.
        sentiment: what most of them amount to.
    """

    quotes: tuple[Quote, ...]
    sentiment: Polarity

    @property
    def count(self) -> int:
        """How many customers say it: distinct reviews."""
        return len(self.quotes)


def grouped(reviews: Sequence[Review], encode: Encode = embedding.encode) -> list[Group]:
    """Return the groups of what `reviews` say, those of most reviews first; the same for the same reviews.

    Again and again the sentence with the most reviews near it (cosine of 0.68 and more, and of one
    polarity with it) makes a group with them. Sentences that speak to a machine are left out.
    """
    said: list[Quote] = []
    owner: list[int] = []
    for row, review in enumerate(reviews):
        for start, stop in sentences(review.text):
            text = review.text[start:stop]
            if len(text.split()) >= FEWEST_WORDS and not screening.to_a_machine(text):
                said.append(Quote(review_id=review.review_id, text=text))
                owner.append(row)
    if not said:
        return []
    texts = [quote.text for quote in said]
    vectors = encode(texts)
    told = sentiment.head().probability(texts, vectors)
    polarity = np.array(
        [{"negative": -1, "mixed": 0, "positive": 1}[sentiment.polarity(float(p))] for p in told]
    )
    near = _near(vectors, polarity)
    return [_group(rows, said, owner, vectors, polarity) for rows in _greedy(near, np.array(owner))]


def _near(vectors: Vectors, polarity: np.ndarray[tuple[int], np.dtype[np.int64]]) -> sparse.csr_matrix:
    """Return which sentences say nearly the same (a sparse matrix of ones)."""
    rows, columns = [], []
    for start in range(0, len(vectors), BLOCK):
        close = vectors[start : start + BLOCK] @ vectors.T >= NEAR
        # Praise and blame of the same thing are a contradiction, not one claim.
        close &= polarity[start : start + BLOCK, None] == polarity[None, :]
        found = np.nonzero(close)
        rows.append(found[0] + start)
        columns.append(found[1])
    row, column = np.concatenate(rows), np.concatenate(columns)
    ones = np.ones(len(row), dtype=np.int8)
    return sparse.csr_matrix((ones, (row, column)), shape=(len(vectors), len(vectors)))


def _greedy(near: sparse.csr_matrix, owner: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[list[int]]:
    """Return groups of rows: the row with most distinct reviews near it, what is near it, and so on."""
    free = np.ones(near.shape[0], dtype=bool)

    def around(row: int) -> list[int]:
        members = near.indices[near.indptr[row] : near.indptr[row + 1]]
        return [int(member) for member in members if free[member]]

    def heard(rows: list[int]) -> int:
        return len({int(owner[row]) for row in rows})

    # Counts only fall as sentences are taken, so a stale one is an upper bound and is counted anew when met.
    heap = [(-heard(around(row)), row) for row in range(near.shape[0])]
    heapq.heapify(heap)
    groups = []
    while heap:
        stale, row = heapq.heappop(heap)
        if not free[row]:
            continue
        rows = around(row)
        count = heard(rows)
        if -stale > count:
            heapq.heappush(heap, (-count, row))
            continue
        free[rows] = False
        groups.append(rows)
    return groups


def _group(
    rows: list[int],
    said: Sequence[Quote],
    owner: Sequence[int],
    vectors: Vectors,
    polarity: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> Group:
    centre = vectors[rows].mean(axis=0)
    order = sorted(rows, key=lambda row: (-float(vectors[row] @ centre), row))
    first: dict[int, int] = {}
    for row in order:
        first.setdefault(owner[row], row)
    lean = int(polarity[rows].sum())
    kind: Polarity = "positive" if 2 * lean > len(rows) else "negative" if 2 * lean < -len(rows) else "mixed"
    return Group(tuple(said[row] for row in first.values()), kind)
