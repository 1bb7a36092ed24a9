"""What is known of each text: its sentences, their vectors and polarity, its words. Made once a text.

A table of these is put together from an earlier one and the texts that are new; what `known_of` says of a
sentence is kept with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from storewise.tools.reviews import aspects, duplicates, embedding, phrases, sentiment, words
from storewise.tools.reviews.duplicates import Signatures
from storewise.tools.reviews.embedding import Vectors
from storewise.tools.reviews.ragged import Ints, Terms, runs
from storewise.tools.reviews.sentences import sentences

Progress = Callable[[str], None]
Half = npt.NDArray[np.float16]
Kind = TypeVar("Kind", bound=np.generic)


def known_of(said: Sequence[str], vectors: Vectors, tones: Vectors) -> pd.DataFrame:
    """Return what is known of sentences from their words, vectors and tones: a row a sentence, a column a thing.

    The columns stay with a sentence as long as it does not change. Whatever computes one has its version
    in `index.made_by`, so that another version computes it anew for all.
    """
    positive = sentiment.head().probability(said, vectors, tones)
    told = dict(zip(aspects.NAMES, aspects.head().judged(said, vectors, positive).T, strict=True))
    return pd.DataFrame({"positive": positive, **told})


@dataclass(frozen=True)
class Texts:
    """A row a text in `lengths`, `means`, `signatures` and `words`, a row a sentence in the others.

    Attributes:
        lengths: how many sentences each text has.
        lines: where each sentence lies in its text (start, stop), its tone, and what `known_of` says of it.
        vectors: the sentences' vectors.
        means: a vector a text: its sentences' mean by their length, of length 1 (0 without a sentence).
        signatures: by which near-duplicates are found.
        words: the stems of each text.
        said: the phrases of each sentence.
    """

    lengths: Ints
    lines: pd.DataFrame
    vectors: Half
    means: Vectors
    signatures: Signatures
    words: Terms
    said: Terms

    @classmethod
    def of(cls, texts: Sequence[str], tell: Progress) -> Texts:
        """Split, embed and judge `texts`."""
        spans = [sentences(text) for text in texts]
        lengths = np.array([len(part) for part in spans], dtype=np.int64)
        lines = pd.DataFrame(
            [span for part in spans for span in part], columns=["start", "stop"], dtype=np.int64
        )
        said = [
            text[span.start : span.stop] for text, part in zip(texts, spans, strict=True) for span in part
        ]
        vectors, tones = embedding.read(said, tell)
        return cls(
            lengths=lengths,
            lines=pd.concat([lines.assign(tone=tones), known_of(said, vectors, tones)], axis=1),
            vectors=vectors.astype(np.float16),
            means=means(vectors, (lines["stop"] - lines["start"]).to_numpy(), lengths),
            signatures=duplicates.signatures(texts),
            words=Terms.of(words.stems(text) for text in texts),
            said=phrases.spoken(said),
        )

    def judged_anew(self, texts: Sequence[str]) -> Texts:
        """Return the same with what `known_of` now says; `texts` are those that this was made of."""
        review = np.repeat(np.arange(len(texts)), self.lengths).tolist()
        spans = zip(review, self.lines["start"].tolist(), self.lines["stop"].tolist(), strict=True)
        said = [texts[row][start:stop] for row, start, stop in spans]
        known = known_of(said, self.vectors.astype(np.float32), self.lines["tone"].to_numpy())
        lines = pd.concat([self.lines[["start", "stop", "tone"]].reset_index(drop=True), known], axis=1)
        return Texts(**{**vars(self), "lines": lines})

    def take(self, rows: Ints, more: Texts) -> Texts:
        """Return the texts at `rows`, numbered on into those of `more`."""
        lengths = np.concatenate([self.lengths, more.lengths])
        starts = np.cumsum(lengths) - lengths
        lines = runs(starts[rows], lengths[rows])
        return Texts(
            lengths=lengths[rows],
            lines=pd.concat([self.lines, more.lines], ignore_index=True).iloc[lines].reset_index(drop=True),
            vectors=_taken(self.vectors, more.vectors, lines),
            means=_taken(self.means, more.means, rows),
            signatures=_taken(self.signatures, more.signatures, rows),
            words=self.words.followed_by(more.words).take(rows),
            said=self.said.followed_by(more.said).take(lines),
        )

    def save(self, folder: Path) -> None:
        """Write the tables into `folder`."""
        review = np.repeat(np.arange(len(self.lengths)), self.lengths)
        self.lines.assign(review=review).to_parquet(folder / "sentences.parquet", index=False)
        for name in ("vectors", "means", "signatures"):
            np.save(folder / f"{name}.npy", getattr(self, name), allow_pickle=False)
        self.words.save(folder / "words.npz")
        self.said.save(folder / "said.npz")

    @classmethod
    def load(cls, folder: Path, size: int) -> Texts:
        """Read the tables of `size` texts that `save` wrote; the vectors stay on disk until they are used."""
        lines = pd.read_parquet(folder / "sentences.parquet")
        return cls(
            lengths=np.bincount(lines.pop("review"), minlength=size),
            lines=lines,
            words=Terms.load(folder / "words.npz"),
            said=Terms.load(folder / "said.npz"),
            vectors=array(folder, "vectors"),
            means=array(folder, "means"),
            signatures=array(folder, "signatures"),
        )


def array(folder: Path, name: str) -> Any:
    """Open one of the arrays in `folder`, left on disk."""
    return np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)


def _taken(old: npt.NDArray[Kind], new: npt.NDArray[Kind], rows: Ints) -> npt.NDArray[Kind]:
    """Return the rows of `old` followed by `new`, without putting the two together in memory."""
    result = np.empty((len(rows), *old.shape[1:]), dtype=old.dtype)
    before = rows < len(old)
    result[before] = old[rows[before]]
    result[~before] = new[rows[~before] - len(old)]
    return result


def means(vectors: Vectors, weight: Ints, lengths: Ints) -> Vectors:
    """Return a vector a text, of length 1: the mean of its sentences' by `weight`; 0 for one without any.

    `vectors` and `weight` have a row a sentence; `lengths` says how many each text has.
    """
    found = np.zeros((len(lengths), embedding.DIMENSIONS), dtype=np.float32)
    some = np.flatnonzero(lengths)
    if len(some):
        starts = (np.cumsum(lengths) - lengths)[some]
        sums = np.add.reduceat(vectors * weight[:, None].astype(np.float32), starts)
        found[some] = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)
    return found
