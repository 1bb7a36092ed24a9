"""Fits the sentiment head: weights of embedding, terms and valence, and small networks over the embedding.

All parts of one fit are learned together, from probabilities of praise (logistic loss, AdamW, dropout); the
head is the mean of several fits that begin differently.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from storewise.tools.reviews import embedding, sentiment

SEEN = 4  # a term must stand in so many texts
KNOWN = 3  # and a word in so many to count as known
FITS = 3
HIDDEN = 192
EPOCHS = 6
BATCH = 128
RATE = 2e-3  # of learning; that of the terms, each of which is seldom there, is five times as high
DECAY = 0.01
OFF = 0.1, 0.5  # the share of the embedding's and of the network's places that each step leaves out
SCALE = 16.0  # of the embedding, whose values are small
VALENCE = 2.0  # of the valence

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]


class _Said:
    """Which of the kept terms stand in each text, with their weights (idf, of length 1)."""

    def __init__(self, found: Sequence[Sequence[str]]) -> None:
        counts = Counter(term for terms in found for term in set(terms))
        self.kept = sorted(term for term, count in counts.items() if count >= SEEN)
        self.idf = np.array([1 + np.log((1 + len(found)) / (1 + counts[term])) for term in self.kept])
        column = {term: i for i, term in enumerate(self.kept)}
        self._rows = [
            np.array(sorted({column[t] for t in terms if t in column}), np.int64) for terms in found
        ]
        self._sizes = np.array([len(row) for row in self._rows])

    def of(self, rows: Numbers) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return the places of the terms of the texts `rows`, where each text begins, and the weights."""
        places = np.concatenate([self._rows[row] for row in rows])
        sizes = self._sizes[rows]
        squares = np.bincount(np.repeat(np.arange(len(rows)), sizes), self.idf[places] ** 2, len(rows))
        weights = self.idf[places] / np.repeat(np.sqrt(np.maximum(squares, 1e-9)), sizes)
        starts = np.cumsum([0, *sizes[:-1]])
        return torch.from_numpy(places), torch.from_numpy(starts), torch.from_numpy(weights).float()


class _Fit(torch.nn.Module):
    def __init__(self, terms: int) -> None:
        super().__init__()
        size = embedding.DIMENSIONS
        self.straight = torch.nn.Linear(size, 1)
        self.valence = torch.nn.Linear(3, 1, bias=False)
        self.inner, self.outer = torch.nn.Linear(size, HIDDEN), torch.nn.Linear(HIDDEN, 1, bias=False)
        self.off, self.off_inner = torch.nn.Dropout(OFF[0]), torch.nn.Dropout(OFF[1])
        self.terms = torch.nn.EmbeddingBag(terms, 1, mode="sum")
        torch.nn.init.zeros_(self.terms.weight)

    def forward(
        self, vectors: torch.Tensor, valence: torch.Tensor, said: tuple[torch.Tensor, ...]
    ) -> torch.Tensor:
        places, starts, weights = said
        inner = torch.relu(self.inner(self.off(vectors)))
        network = self.outer(self.off_inner(inner))
        words = self.terms(places, starts, per_sample_weights=weights)
        whole: torch.Tensor = self.straight(vectors) + network + words + self.valence(valence)
        return whole[:, 0]


def fit(
    found: Sequence[Sequence[str]],
    vectors: npt.NDArray[np.float32],
    praise: Floats,
    counts_for: Floats,
    words: dict[str, float],
) -> sentiment.Head:
    """Return a head, not calibrated yet.

    Args:
        found: the terms of each text.
        vectors: their embeddings.
        praise: how likely each praises.
        counts_for: its weight.
        words: the rated words.
    """
    said = _Said(found)
    balance = np.array([sentiment.valence(terms, words) for terms in found], dtype=np.float32)
    given = torch.from_numpy(SCALE * vectors), torch.from_numpy(VALENCE * balance)
    goal, weight = torch.from_numpy(praise).float(), torch.from_numpy(counts_for).float()
    fits = [_one(said, *given, goal, weight, seed) for seed in range(FITS)]

    def mean(name: str) -> Floats:
        return np.asarray(np.mean([one[name] for one in fits], axis=0))

    return sentiment.Head(
        version="",
        bias=float(mean("straight.bias")[0]),
        embedding=(SCALE * mean("straight.weight")[0]).astype(np.float32),
        valence=(VALENCE * mean("valence.weight")[0]).astype(np.float32),
        inner=np.concatenate([SCALE * one["inner.weight"].T for one in fits], axis=1).astype(np.float32),
        inner_bias=np.concatenate([one["inner.bias"] for one in fits]).astype(np.float32),
        outer=np.concatenate([one["outer.weight"][0] / FITS for one in fits]).astype(np.float32),
        denied=0.0,
        idf=dict(zip(said.kept, said.idf.tolist(), strict=True)),
        weight=dict(zip(said.kept, mean("terms.weight")[:, 0].tolist(), strict=True)),
        rated=words,
        known=known_words(found, words),
    )


def known_words(found: Sequence[Sequence[str]], rated: Collection[str]) -> frozenset[str]:
    """Return the words that count as known: the rated ones, and those that several texts have."""
    seen = Counter(word for terms in found for word in {term.removeprefix("not_") for term in terms})
    return frozenset(
        {word for word, count in seen.items() if count >= KNOWN and " " not in word} | set(rated)
    )


def _one(
    said: _Said,
    vectors: torch.Tensor,
    valence: torch.Tensor,
    goal: torch.Tensor,
    weight: torch.Tensor,
    seed: int,
) -> dict[str, Floats]:
    torch.manual_seed(seed)
    order = np.random.default_rng(seed)
    model = _Fit(max(len(said.kept), 1))
    others = [value for name, value in model.named_parameters() if name != "terms.weight"]
    groups: list[dict[str, Any]] = [{"params": others}, {"params": [model.terms.weight]}]
    optimizer = torch.optim.AdamW(groups, lr=RATE, weight_decay=DECAY)
    steps = EPOCHS * -(-len(goal) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, [RATE, 5 * RATE], total_steps=steps)
    for _ in range(EPOCHS):
        shuffled = order.permutation(len(goal))
        for start in range(0, len(goal), BATCH):
            rows = shuffled[start : start + BATCH]
            scores = model(vectors[rows], valence[rows], said.of(rows))
            loss = torch.nn.functional.binary_cross_entropy_with_logits(scores, goal[rows], weight[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return {name: value.numpy().astype(np.float64) for name, value in model.state_dict().items()}
