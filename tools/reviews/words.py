"""Search by words: BM25 over the stems of whole reviews.

Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), with the usual
values for short texts.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from storewise.tools.reviews.phrases import NO_MEANING, stem
from storewise.tools.reviews.ragged import Terms

Floats = npt.NDArray[np.float32]

K1, B = 0.9, 0.4
_WORD = re.compile(r"[a-z0-9]+(?:['’][a-z]+)*")


def stems(text: str) -> list[str]:
    """Return the stems of the words of `text` that mean something, in their order."""
    words = (word.replace("’", "'") for word in _WORD.findall(html.unescape(text).lower()))
    return [stem(word) for word in words if word not in NO_MEANING]


@dataclass(frozen=True)
class Words:
    """The postings of all stems: reviews `rows[starts[c]:starts[c + 1]]` hold stem c, worth `weights[…]`."""

    column: dict[str, int]
    idf: Floats
    starts: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int32]
    weights: Floats
    size: int

    @classmethod
    def of(cls, terms: Terms) -> Words:
        """Weigh the stems of reviews."""
        width = max(len(terms.names), 1)
        # Terms counted by stem and review: sorted by stem, so that a stem's postings lie together.
        key = terms.indices.astype(np.int64) * max(len(terms), 1) + terms.text
        found, count = np.unique(key, return_counts=True)
        column, row = np.divmod(found, max(len(terms), 1))
        held = np.bincount(column, minlength=width)
        idf = np.log1p((len(terms) - held + 0.5) / (held + 0.5))
        length = terms.lengths / max(float(terms.lengths.mean()) if len(terms) else 1.0, 1e-9)
        share = count / (count + K1 * (1 - B + B * length[row]))
        return cls(
            column={name: i for i, name in enumerate(terms.names)},
            idf=idf.astype(np.float32),
            starts=np.concatenate([[0], np.cumsum(held)]),
            rows=row.astype(np.int32),
            weights=(idf[column] * share).astype(np.float32),
            size=len(terms),
        )

    def scores(self, query: str) -> Floats:
        """Return for each review how well it holds the query's words: 0 for none, near 1 for all of them, often.

        BM25 divided by what it cannot exceed; a word that no review holds counts as the rarest there could be.
        """
        scores = np.zeros(self.size, dtype=np.float32)
        asked = sorted(set(stems(query)))
        columns = [self.column[word] for word in asked if word in self.column]
        for column in columns:
            here = slice(self.starts[column], self.starts[column + 1])
            scores[self.rows[here]] += self.weights[here]
        unheard = (len(asked) - len(columns)) * np.log1p((self.size + 0.5) / 0.5)
        return scores / max(float(self.idf[columns].sum()) + float(unheard), 1e-9)
