"""LexRank: the sentences most like all the others, by a random walk over their likeness.

Erkan & Radev, "LexRank: Graph-based Lexical Centrality as Salience in Text Summarization", JAIR 22, 2004:
idf-modified cosine (eq. 1), links from 0.1 on, damping 0.85.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from storewise.tools.reviews.phrases import stem

LINK = 0.1
DAMPING = 0.85
ROUNDS = 100


def lexrank(sentences: Sequence[str]) -> npt.NDArray[np.float64]:
    """Return the salience of each sentence; they sum to 1."""
    bags = [Counter(stem(word) for word in re.findall(r"[a-z']+", line.lower())) for line in sentences]
    heard = Counter(word for bag in bags for word in bag)
    column = {word: i for i, word in enumerate(heard)}
    weights = np.zeros((len(bags), len(column)))
    for row, bag in enumerate(bags):
        for word, count in bag.items():
            weights[row, column[word]] = count * np.log(len(bags) / heard[word])
    lengths = np.linalg.norm(weights, axis=1, keepdims=True)
    weights /= np.where(lengths > 0, lengths, 1)
    links = (weights @ weights.T >= LINK).astype(np.float64)
    np.fill_diagonal(links, 1)
    links /= links.sum(axis=1, keepdims=True)
    salience = np.full(len(bags), 1 / len(bags))
    for _ in range(ROUNDS):
        salience = (1 - DAMPING) / len(bags) + DAMPING * salience @ links
    return salience
