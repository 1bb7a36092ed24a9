"""The review index of a generation: Chroma for the search by meaning, and every sentence with its polarity.

    reviews/
        index.json          which embedding model and sentiment head made it; written last
        chroma-…/           one record a review: its vector and metadata
        reviews.parquet     one row a review: hash, product, category, rating, sentiment, date
        sentences.parquet   one row a sentence: its review, where it lies in the text, its polarity
        sentences.npy       the sentences' vectors, half precision
        phrases.npz         which phrases stand in which sentences

A review's vector is the mean of its sentences', so each text is embedded once, however long it is.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from storewise.tools.reviews import embedding, phrases, sentiment, store

if TYPE_CHECKING:
    from chromadb.api.models.Collection import Collection

FORMAT = 1
INDEX = "index.json"


@dataclass(frozen=True)
class Index:
    """An open index. `reviews` has a row a review; `lines` a row a sentence, those of a review together."""

    folder: Path
    reviews: pd.DataFrame
    lines: pd.DataFrame
    vectors: npt.NDArray[np.float16]
    phrases: phrases.PhraseTable
    collection: Collection

    @property
    def size(self) -> int:
        """How many reviews there are."""
        return len(self.reviews)

    @cached_property
    def row_of(self) -> dict[str, int]:
        """The row of each review by its id."""
        return {key: row for row, key in enumerate(self.reviews["review_id"])}

    @cached_property
    def column_of(self) -> dict[str, int]:
        """The column of each phrase by its stems."""
        return {stems: column for column, stems in enumerate(self.phrases.stems)}

    @cached_property
    def _starts(self) -> npt.NDArray[np.int64]:
        return np.searchsorted(self.lines["review"].to_numpy(), np.arange(self.size + 1))

    def lines_of(self, row: int) -> npt.NDArray[np.int64]:
        """Return the rows of a review's sentences."""
        return np.arange(self._starts[row], self._starts[row + 1])


def made_by() -> dict[str, Any]:
    """Return what an index depends on besides the reviews; one made by anything else is not used."""
    return {
        "format": FORMAT,
        "embedding": embedding.model_name(),
        "sentiment": sentiment.card()["version"],
    }


def chroma_of(folder: Path) -> str | None:
    """Return the name of the Chroma folder, None unless the index is whole and by these models."""
    try:
        written = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        chroma = str(written.pop("chroma"))
    except (OSError, ValueError, KeyError, AttributeError):
        return None
    return chroma if written == made_by() and (folder / chroma).is_dir() else None


_opening = threading.Lock()


def open_index(folder: Path) -> Index:
    """Open the index in `folder` for reading; the same folder is opened once a process.

    Raises:
        NoIndex: there is none, or other models made it.
    """
    with _opening:
        return _open(folder.absolute())


def forget() -> None:
    """Open every index anew the next time."""
    _open.cache_clear()


class NoIndex(Exception):
    """The generation has no usable review index; the message says what to type."""


@lru_cache(maxsize=4)
def _open(folder: Path) -> Index:
    chroma = chroma_of(folder)
    if chroma is None:
        raise NoIndex("The reviews are not indexed yet, or by another model. Index them with: storewise fit")
    with np.load(folder / "phrases.npz", allow_pickle=False) as file:
        stems, written = file["stems"].tolist(), file["written"].tolist()
        indices, starts = file["indices"], file["starts"]
    ones = np.ones(len(indices), dtype=np.float32)
    counts = sparse.csr_matrix((ones, indices, starts), shape=(len(starts) - 1, len(stems)))
    return Index(
        folder=folder,
        reviews=pd.read_parquet(folder / "reviews.parquet"),
        lines=pd.read_parquet(folder / "sentences.parquet"),
        vectors=np.load(folder / "sentences.npy", mmap_mode="r", allow_pickle=False),
        phrases=phrases.PhraseTable(tuple(stems), tuple(written), counts),
        collection=store.opened(folder / chroma),
    )
