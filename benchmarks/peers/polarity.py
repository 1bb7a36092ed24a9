"""Peers in telling praise from blame: VADER, logistic regressions, and the embedded language model asked.

VADER is the package vaderSentiment (Hutto and Gilbert 2014, ICWSM). The base model is asked as it is: its
log-odds of " positive" against " negative" after "Review: …" and "Sentiment:". The adapter is asked as it was
tuned: its log-odds of the two answers of the task `polarity`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
from storewise.finetune.adapter import SHIPPED, merged_model
from storewise.finetune.base import unpack_base
from storewise.finetune.examples import Example
from storewise.finetune.polarity import BLAME, PRAISE
from storewise.finetune.training import chat
from storewise.tools.registry import analyst_tools
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
    return _log_odds(
        texts, unpack_base(models), (" positive", " negative"), lambda tokenizer, text: ASKED.format(text)
    )


def merged_adapter(models: Path) -> Path:
    """Return the folder of the shipped adapter merged into its base, under `models`.

    Raises:
        AdapterError: the adapter does not fit this version of the program.
    """
    folder, _ = merged_model(SHIPPED, models, analyst_tools())
    return folder


def adapter_log_odds(texts: Sequence[str], folder: Path) -> Floats:
    """Return the log-odds of praise of the `merged_adapter` in `folder`, asked its task `polarity`."""

    def asked(tokenizer: Any, text: str) -> str:
        said = chat(Example("polarity", text, "", []))
        return str(tokenizer.apply_chat_template(said, add_generation_prompt=True, tokenize=False))

    return _log_odds(texts, folder, (PRAISE, BLAME), asked)


def _log_odds(
    texts: Sequence[str], folder: Path, words: tuple[str, str], asked: Callable[[Any, str], str]
) -> Floats:
    """Return by how much the first of `words` is likelier than the second after what is `asked` of a text."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    tokenizer: Any = AutoTokenizer.from_pretrained(str(folder))
    model: Any = AutoModelForCausalLM.from_pretrained(str(folder), dtype=torch.bfloat16).eval()
    [praise], [blame] = (tokenizer(word)["input_ids"] for word in words)
    direction = model.lm_head.weight[praise] - model.lm_head.weight[blame]
    ids = []
    for text in texts:
        cut = tokenizer.decode(tokenizer(text)["input_ids"][:LONGEST])
        ids.append(tokenizer(asked(tokenizer, cut), add_special_tokens=False)["input_ids"])
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
