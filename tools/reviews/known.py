"""What need not be worked out again: of sentences that an index holds, and of texts embedded lately."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np

from storewise.tools.reviews import aspects, embedding
from storewise.tools.reviews.embedding import Vectors
from storewise.tools.reviews.groups import Judged, judged
from storewise.tools.reviews.index import Index, hashed

KEPT = 20_000  # texts embedded lately, mostly single words: 15 MB


class Embedded:
    """Embeds each text once, as long as it is among the latest; threads may share it.

    Few texts or many, they are embedded in the same precision: what was asked before changes no vector.
    """

    def __init__(self) -> None:
        self._vectors: dict[str, Vectors] = {}
        self._lock = threading.Lock()

    def __call__(self, texts: Sequence[str]) -> Vectors:
        """Return one vector a text, as `embedding.encode` does."""
        with self._lock:
            found = {text: vector for text in texts if (vector := self._vectors.get(text)) is not None}
        new = [text for text in dict.fromkeys(texts) if text not in found]
        made = dict(zip(new, embedding.encode(new, halved=True), strict=True))
        self._keep(made)
        both = found | made
        return np.stack([both[text] for text in texts]) if len(texts) else embedding.encode([])

    def judged(self, texts: Sequence[str]) -> Judged:
        """Return what `groups.judged` does, and keep the vectors."""
        found = judged(texts, halved=True)
        self._keep(dict(zip(texts, found.vectors, strict=True)))
        return found

    def _keep(self, made: dict[str, Vectors]) -> None:
        with self._lock:
            self._vectors |= made
            while len(self._vectors) > KEPT:
                del self._vectors[next(iter(self._vectors))]


class Known:
    """Embeds texts and judges sentences; those of some reviews that an index holds are looked up there."""

    def __init__(self, index: Index, reviews: Sequence[str], rest: Embedded) -> None:
        self._index = index
        self._rest = rest
        self._positive = index.lines["positive"].to_numpy(dtype=np.float32)
        self._codes = index.lines[list(aspects.NAMES)].to_numpy(dtype=np.int8)
        self._line: dict[str, int] = {}
        starts, stops = index.lines["start"].to_numpy(), index.lines["stop"].to_numpy()
        for text in reviews:
            row = index.row_of_text.get(hashed(text))
            if row is not None:
                for line in index.lines_of(row).tolist():
                    self._line[text[starts[line] : stops[line]].strip()] = line

    def __call__(self, texts: Sequence[str]) -> Vectors:
        """Return one vector a text, as `embedding.encode` does."""
        vectors = np.zeros((len(texts), embedding.DIMENSIONS), dtype=np.float32)
        lines = [self._line.get(text, -1) for text in texts]
        known = [place for place, line in enumerate(lines) if line >= 0]
        new = [place for place, line in enumerate(lines) if line < 0]
        if known:
            vectors[known] = self._index.vectors[[lines[place] for place in known]]
        if new:
            vectors[new] = self._rest([texts[place] for place in new])
        return vectors

    def judged(self, texts: Sequence[str]) -> Judged:
        """Return what `groups.judged` does."""
        lines = np.array([self._line.get(text, -1) for text in texts], dtype=np.int64)
        known, new = lines >= 0, np.flatnonzero(lines < 0)
        found = Judged(
            np.zeros((len(texts), embedding.DIMENSIONS), dtype=np.float32),
            np.zeros(len(texts), dtype=np.float32),
            np.zeros((len(texts), len(aspects.NAMES)), dtype=np.int8),
        )
        found.vectors[known] = self._index.vectors[lines[known]]
        found.positive[known] = self._positive[lines[known]]
        found.codes[known] = self._codes[lines[known]]
        if len(new):
            made = self._rest.judged([texts[place] for place in new.tolist()])
            found.vectors[new], found.positive[new], found.codes[new] = made
        return found
