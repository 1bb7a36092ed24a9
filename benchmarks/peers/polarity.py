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
from storewise.tools.shop.generation import ShopError

ASKED = "Review: {}\nSentiment:"
BATCH = 32
LONGEST = 160  # word pieces of a text that the base model reads: nine in ten reviews in full

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
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    folder = unpack_base(models)
    tokenizer: Any = AutoTokenizer.from_pretrained(str(folder))
    model: Any = AutoModelForCausalLM.from_pretrained(str(folder), dtype=torch.bfloat16).eval()
    [praise], [blame] = (tokenizer(word)["input_ids"] for word in (" positive", " negative"))
    direction = model.lm_head.weight[praise] - model.lm_head.weight[blame]
    ids = []
    for text in texts:
        cut = tokenizer.decode(tokenizer(text)["input_ids"][:LONGEST])
        ids.append(tokenizer(ASKED.format(cut))["input_ids"])
    scores = np.zeros(len(ids))
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    for start in range(0, len(order), BATCH):
        batch = order[start : start + BATCH]
        # Few different widths: the CPU's kernels are made anew for each shape.
        width = -(-max(len(ids[i]) for i in batch) // 16) * 16
        tokens = torch.zeros((BATCH, width), dtype=torch.long)
        mask = torch.zeros_like(tokens)
        mask[:, 0] = 1
        for row, i in enumerate(batch):
            tokens[row, : len(ids[i])] = torch.tensor(ids[i])
            mask[row, : len(ids[i])] = 1
        with torch.inference_mode():
            states = model.model(input_ids=tokens, attention_mask=mask).last_hidden_state
            last = torch.stack([states[row, len(ids[i]) - 1] for row, i in enumerate(batch)])
            scores[batch] = (last @ direction).float().numpy()
    return scores


def _logistic(strength: float) -> LogisticRegression:
    return LogisticRegression(C=strength, solver="liblinear", random_state=7)


def stacked(parts: Sequence[Any]) -> sparse.csr_matrix:
    """Return columns of several arrays or sparse matrices side by side."""
    return sparse.hstack([sparse.csr_matrix(part) for part in parts]).tocsr()
