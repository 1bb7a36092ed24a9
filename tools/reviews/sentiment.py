"""Does a sentence praise or blame? A head over its embedding, its words and their rated valence.

The weights (`sentiment.npz`) were learned by `sentiment_training.py` from sentences and words that ten to
twenty people each rated, and from what the adapter said of others; recipe, scores and the calibration stand
beside them in `sentiment.json`. Where the head is unsure, a sentence is "mixed", which stands for neutral
ones, too.
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
SURE = 0.75

_WORD = re.compile(r"[a-z']+|[!?]")
_LETTERS = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_NEGATIONS = frozenset({"not", "no", "never", "nothing", "cannot", "without"})
_REACH = 3  # words after a negation that it turns
_TURNED = -0.6  # of its valence has a word after a negation: "not good" blames less than "bad"
# Blame that is denied praises, whatever its words and their embedding say.
_DENIED = re.compile(
    r"\b(?:not (?:at all |too |so |that |half )*bad|(?:never|not|\w+n't) (?:been |be |once |at all )*"
    r"disappoint(?:ed|s|ing)?|(?:can't|cannot|can not|couldn't) (?:really )?complain|no (?:real )?"
    r"(?:complaints?|problems?|issues?|regrets?|troubles?)|nothing (?:bad|negative|wrong)|(?:not|never|n't) regret)\b"
)
# A text of which fewer words are known is in another language, or noise; one with more is read in full.
_FEW, _ENOUGH = 0.3, 0.6


def terms(text: str) -> list[str]:
    """Return the words and pairs of neighbouring words of `text`, those after a negation marked `not_`."""
    words: list[str] = []
    left = 0
    for word in _WORD.findall(_plain(text)):
        words.append(f"not_{word}" if left else word)
        if word in _NEGATIONS or word.endswith("n't"):
            left = _REACH
        elif left:
            left -= 1
    return words + [f"{first} {second}" for first, second in pairwise(words)]


def valence(found: Sequence[str], rated: dict[str, float]) -> tuple[float, float, float]:
    """Return what a text's `terms` amount to by the words' ratings: praise, blame, balance, each from -1 to 1."""
    praise = blame = 0.0
    for term in found:
        value = rated.get(term)
        if value is None and term.startswith("not_"):
            value = _TURNED * rated.get(term[4:], 0.0)
        if value:
            praise += max(value, 0.0)
            blame += min(value, 0.0)
    return praise / (1 + praise), blame / (1 - blame), (praise + blame) / (1 + praise - blame)


def _plain(text: str) -> str:
    return html.unescape(text).lower().replace("’", "'")


@dataclass(frozen=True)
class Head:
    """Log-odds from embedding, terms (idf-weighted, of length 1) and valence, and a network over the embedding.

    The network's `inner` places, rectified and weighted by `outer`, may be none. `denied` is what a denial of
    blame adds ("no complaints"); `rated` has the words that people rated, from -1 to 1; `known` the words of
    the sentences learned from. `toned` says what its log-odds and a text's tone are worth where both are known,
    and what is added.
    """

    version: str
    bias: float
    embedding: Floats
    valence: Floats
    inner: Floats
    inner_bias: Floats
    outer: Floats
    denied: float
    idf: dict[str, float]
    weight: dict[str, float]
    rated: dict[str, float]
    known: frozenset[str]
    toned: tuple[float, float, float] = (1.0, 0.0, 0.0)

    def probability(self, texts: Sequence[str], vectors: Floats, tones: Floats | None = None) -> Floats:
        """Return for each text how likely it praises rather than blames, from 0 to 1.

        What cannot be read (no letters, another language) is .5.

        Args:
            vectors: the embeddings of `texts`, shape (len(texts), 384).
            tones: what the tuned layers say of them, shape (len(texts),); surer with than without.
        """
        scores = self.scores(texts, vectors, tones)
        return np.asarray(1 / (1 + np.exp(-np.clip(scores, -30, 30))), dtype=np.float32)

    def scores(self, texts: Sequence[str], vectors: Floats, tones: Floats | None = None) -> Floats:
        """Return the log-odds of praise; arguments as in `probability`."""
        vectors = vectors.astype(np.float32)
        inner = np.maximum(vectors @ self.inner + self.inner_bias, 0)
        scores = np.asarray(vectors @ self.embedding + inner @ self.outer + np.float32(self.bias))
        for row, text in enumerate(texts):
            found = terms(text)
            known = {term: self.idf[term] for term in found if term in self.idf}
            if known:
                length = sum(value * value for value in known.values()) ** 0.5
                scores[row] += sum(value * self.weight[term] for term, value in known.items()) / length
            scores[row] += float(np.dot(valence(found, self.rated), self.valence))
            scores[row] += self.denied * bool(_DENIED.search(_plain(text)))
        if tones is not None:
            own, other, more = self.toned
            scores = own * scores + other * tones.astype(np.float32) + np.float32(more)
        return np.asarray(scores * [self._read(text) for text in texts], dtype=np.float32)

    def _read(self, text: str) -> float:
        """Return from 0 to 1 how far `text` is made of known words."""
        words = _LETTERS.findall(_plain(text))
        if not words:
            return 0.0
        share = sum(word in self.known for word in words) / len(words)
        return min(max((share - _FEW) / (_ENOUGH - _FEW), 0.0), 1.0)


@lru_cache(maxsize=1)
def head() -> Head:
    """Return the shipped head."""
    with np.load(HERE / "sentiment.npz", allow_pickle=False) as file:

        def column(names: str, values: str) -> dict[str, float]:
            return dict(zip(file[names].tolist(), file[values].astype(float).tolist(), strict=True))

        return Head(
            version=str(card()["version"]),
            bias=float(file["bias"]),
            embedding=file["embedding"].astype(np.float32),
            valence=file["valence"].astype(np.float32),
            inner=(file["inner"] if "inner" in file else np.zeros((384, 0))).astype(np.float32),
            inner_bias=(file["inner_bias"] if "inner" in file else np.zeros(0)).astype(np.float32),
            outer=(file["outer"] if "inner" in file else np.zeros(0)).astype(np.float32),
            denied=float(file["denied"]),
            idf=column("terms", "idf"),
            weight=column("terms", "weight"),
            rated=column("rated_words", "ratings"),
            known=frozenset(file["known"].tolist()),
            toned=tuple(file["toned"].tolist()),
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
