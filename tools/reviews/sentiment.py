"""Does a sentence praise or blame? A linear head over its embedding and its words.

The weights (`sentiment.npz`) were learned by `sentiment_training.py` from sentences that twenty people
each rated; recipe and scores stand beside them in `sentiment.json`. Where the head is unsure, a
sentence is "mixed", which stands for neutral ones, too.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Polarity = Literal["positive", "negative", "mixed"]
Floats = npt.NDArray[np.float32]

HERE = Path(__file__).parent
# From here on (and mirrored below) a probability speaks for itself; chosen in training, see sentiment.json.
SURE = 0.65

_WORD = re.compile(r"[a-z']+|[!?]")
_NEGATIONS = frozenset({"not", "no", "never", "nothing", "cannot", "without"})
_REACH = 3  # words after a negation that it turns


def terms(text: str) -> list[str]:
    """Return the words and pairs of neighbouring words of `text`, those after a negation marked `not_`."""
    words: list[str] = []
    left = 0
    for word in _WORD.findall(html.unescape(text).lower().replace("’", "'")):
        words.append(f"not_{word}" if left else word)
        if word in _NEGATIONS or word.endswith("n't"):
            left = _REACH
        elif left:
            left -= 1
    return words + [f"{first} {second}" for first, second in pairwise(words)]


@dataclass(frozen=True)
class Head:
    """Logistic regression over a sentence's embedding and its terms (idf-weighted, of length 1)."""

    version: str
    bias: float
    embedding: Floats
    idf: dict[str, float]
    weight: dict[str, float]

    def probability(self, texts: Sequence[str], vectors: Floats) -> Floats:
        """Return for each text how likely it praises rather than blames, from 0 to 1.

        `vectors` are the embeddings of `texts`, shape (len(texts), 384).
        """
        scores = vectors.astype(np.float32) @ self.embedding + np.float32(self.bias)
        for row, text in enumerate(texts):
            known = {term: self.idf[term] for term in terms(text) if term in self.idf}
            if known:
                length = sum(value * value for value in known.values()) ** 0.5
                scores[row] += sum(value * self.weight[term] for term, value in known.items()) / length
        # Without a letter there is nothing to judge: emoji, numbers and dots stay in the middle.
        for row, text in enumerate(texts):
            if not any(character.isalpha() for character in text):
                scores[row] = 0.0
        return np.asarray(1 / (1 + np.exp(-scores)), dtype=np.float32)


@lru_cache(maxsize=1)
def head() -> Head:
    """Return the shipped head."""
    with np.load(HERE / "sentiment.npz", allow_pickle=False) as file:
        names = [str(name) for name in file["terms"]]
        return Head(
            version=str(card()["version"]),
            bias=float(file["bias"]),
            embedding=file["embedding"].astype(np.float32),
            idf=dict(zip(names, file["idf"].astype(float).tolist(), strict=True)),
            weight=dict(zip(names, file["weight"].astype(float).tolist(), strict=True)),
        )


@lru_cache(maxsize=1)
def card() -> dict[str, Any]:
    """Return version, recipe and scores of the shipped head."""
    content: dict[str, Any] = json.loads((HERE / "sentiment.json").read_text(encoding="utf-8"))
    return content


def polarity(probability: float) -> Polarity:
    """Return what a probability of praise amounts to."""
    if probability >= SURE:
        return "positive"
    return "negative" if probability <= 1 - SURE else "mixed"


def of_review(probabilities: Sequence[float] | Floats) -> float:
    """Return how likely a whole review praises, from the probabilities of its sentences (.5 if none).

    The mean of the log-odds, so that sure sentences weigh more than unsure ones.
    """
    if not len(probabilities):
        return 0.5
    clipped = np.clip(np.asarray(probabilities, dtype=np.float64), 0.01, 0.99)
    return float(1 / (1 + np.exp(-np.log(clipped / (1 - clipped)).mean())))
