"""Peers in telling praise from blame: VADER, logistic regressions, and the embedded base model asked.

VADER is the package vaderSentiment (Hutto and Gilbert 2014, ICWSM). The base model is asked as it is: its
log-odds of " positive" against " negative" after "Review: …" and "Sentiment:".
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from storewise.benchmarks.data import INSTALL
from storewise.finetune.base import unpack_base
from storewise.finetune.teaching import log_odds
from storewise.tools.shop.generation import ShopError

ASKED = "Review: {}\nSentiment:"

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def vader(texts: Sequence[str]) -> Floats:
    """Return VADER's compound score of each text, from -1 to 1.

    Raises:
        ShopError: the package is not installed.
    """
    if find_spec("vaderSentiment") is None:
        raise ShopError(f"This benchmark needs the package vaderSentiment. {INSTALL}")
    analyzer: Any = import_module("vaderSentiment.vaderSentiment").SentimentIntensityAnalyzer()
    return np.array([analyzer.polarity_scores(text)["compound"] for text in texts])


class Words:
    """TF-IDF of words and pairs of words with logistic regression."""

    def __init__(self, texts: Sequence[str], praise: Flags, strength: float) -> None:
        self._words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
        self._model = _logistic(strength).fit(self._words.fit_transform(texts), praise)

    def scores(self, texts: Sequence[str]) -> Floats:
        """Return the log-odds of each text."""
        return np.asarray(self._model.decision_function(self._words.transform(texts)))


class Embedded:
    """The sentence embedding with logistic regression."""

    def __init__(self, vectors: npt.NDArray[np.float32], praise: Flags, strength: float) -> None:
        self._model = LogisticRegression(C=strength, max_iter=1000).fit(vectors, praise)

    def scores(self, vectors: npt.NDArray[np.float32]) -> Floats:
        """Return the log-odds of each text."""
        return np.asarray(self._model.decision_function(vectors), dtype=np.float64)


def best_cut(praise: Flags, scores: Floats) -> float:
    """Return the score from which calling a text praise is right most often."""
    order = np.argsort(scores)
    right = np.concatenate([[0], np.cumsum(np.where(praise[order], -1, 1))])
    at = int(np.argmax(right))
    ordered = np.concatenate([[scores[order[0]] - 1], scores[order], [scores[order[-1]] + 1]])
    return float((ordered[at] + ordered[at + 1]) / 2)


def base_log_odds(texts: Sequence[str], models: Path) -> Floats:
    """Return the base model's log-odds of praise, asked without examples; `models` holds its folder."""
    words = (" positive", " negative")
    return log_odds(texts, unpack_base(models), words, lambda tokenizer, text: ASKED.format(text))


def _logistic(strength: float) -> LogisticRegression:
    return LogisticRegression(C=strength, solver="liblinear", random_state=7)


def stacked(parts: Sequence[Any]) -> sparse.csr_matrix:
    """Return columns of several arrays or sparse matrices side by side."""
    return sparse.hstack([sparse.csr_matrix(part) for part in parts]).tocsr()
