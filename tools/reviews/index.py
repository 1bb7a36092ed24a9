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

import hashlib
import json
import os
import secrets
import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from storewise.tools.reviews import embedding, phrases, sentiment
from storewise.tools.reviews.embedding import Vectors
from storewise.tools.reviews.sentences import sentences

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection

    from storewise.tools.shop.generation import Shop

FORMAT = 1
INDEX = "index.json"
COLLECTION = "reviews"
BATCH = 2000  # records written to Chroma at once
# Metadata that a shop may lack; Chroma takes no missing values, so an absent one is left out.
OPTIONAL = ("product_id", "category", "rating", "date")

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Built:
    """What a build did: reviews by what happened to them, and texts that had to be embedded."""

    added: int
    changed: int
    deleted: int
    kept: int
    embedded: int


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


def _client(chroma: Path) -> ClientAPI:
    import chromadb
    from chromadb.config import Settings

    settings = Settings(anonymized_telemetry=False, allow_reset=False)
    return chromadb.PersistentClient(path=str(chroma), settings=settings)


def _made_by() -> dict[str, Any]:
    return {
        "format": FORMAT,
        "embedding": embedding.model_name(),
        "sentiment": sentiment.card()["version"],
    }


def _hash(*parts: object) -> str:
    return hashlib.sha256("\x1f".join(map(str, parts)).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def read_reviews(shop: Shop) -> pd.DataFrame:
    """Return review_id, text, product_id, category, rating and date, None where the shop has none."""
    shop.require("reviews", "review_id", "text")
    columns = {"product_id": "product_id", "category": "category", "rating": "rating", "date": "reviewed_at"}
    chosen = ", ".join(
        f"{source} AS {name}" if shop.has("reviews", source) else f"NULL AS {name}"
        for name, source in columns.items()
    )
    rows = shop.query(
        f"SELECT review_id, coalesce(text, '') AS text, {chosen} FROM reviews ORDER BY review_id"  # noqa: S608
    )
    rows["date"] = [None if pd.isna(date) else str(date)[:10] for date in rows["date"]]
    for name in ("product_id", "category"):
        rows[name] = [None if pd.isna(value) else str(value) for value in rows[name]]
    rows["rating"] = rows["rating"].astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
    return rows


def build(shop: Shop, folder: Path, progress: Progress | None = None) -> Built:
    """Bring the index in `folder` up to the shop's reviews, embedding only what is new or has changed.

    A folder without an index starts from that of the generation before, if the same models made it.

    Raises:
        MissingTable: the shop has no reviews.
    """
    tell = progress or (lambda sentence: None)
    rows = read_reviews(shop)
    rows["text_hash"] = [_hash(text) for text in rows["text"]]
    rows["hash"] = [_hash(*row) for row in rows[["text", *OPTIONAL]].itertuples(index=False)]
    chroma = _start(shop, folder)
    old = pd.read_parquet(folder / "reviews.parquet") if chroma else None
    before = {} if old is None else dict(zip(old["review_id"], old["hash"], strict=True))
    after = dict(zip(rows["review_id"], rows["hash"], strict=True))
    if old is not None and before == after:
        return Built(0, 0, 0, kept=len(rows), embedded=0)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / INDEX).unlink(missing_ok=True)
    lines, vectors, embedded = _sentences(rows, folder, old, tell)
    rows = _judged(rows, lines)
    changed = [i for i, key in enumerate(rows["review_id"]) if before.get(key) != after[key]]
    deleted = [key for key in before if key not in after]
    tell(f"Writing {len(changed):,} reviews into the index")
    # A name of its own: Chroma keeps the databases it has opened in mind by their paths.
    chroma = chroma or f"chroma-{secrets.token_hex(4)}"
    _write_chroma(folder / chroma, rows, _review_vectors(rows, lines, vectors), changed, deleted)
    tell("Counting phrases")
    _write_tables(folder, rows, lines, vectors)
    content = json.dumps({**_made_by(), "chroma": chroma}, indent=1)
    (folder / INDEX).write_text(content + "\n", encoding="utf-8")
    _open.cache_clear()
    added = sum(key not in before for key in after)
    return Built(added, len(changed) - added, len(deleted), len(rows) - len(changed), embedded)


def _start(shop: Shop, folder: Path) -> str | None:
    """Return the Chroma folder of the index to start from, or None after clearing what cannot be used."""
    previous = shop.manifest.get("previous")
    if not folder.exists() and previous:
        earlier = shop.path.parent / str(previous) / "reviews"
        if _chroma_of(earlier):
            shutil.copytree(earlier, folder)
    chroma = _chroma_of(folder)
    if chroma is None:
        shutil.rmtree(folder, ignore_errors=True)
    return chroma


def _chroma_of(folder: Path) -> str | None:
    """Return the name of the Chroma folder, None unless the index is whole and by these models."""
    try:
        made_by = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        chroma = str(made_by.pop("chroma"))
    except (OSError, ValueError, KeyError, AttributeError):
        return None
    return chroma if made_by == _made_by() and (folder / chroma).is_dir() else None


def _sentences(
    rows: pd.DataFrame, folder: Path, old: pd.DataFrame | None, tell: Progress
) -> tuple[pd.DataFrame, npt.NDArray[np.float16], int]:
    """Split all reviews; take vectors and polarities of known texts from `folder`, and make the others."""
    parts = []
    for review, text in enumerate(rows["text"]):
        parts += [(review, start, stop) for start, stop in sentences(text)]
    lines = pd.DataFrame(parts, columns=["review", "start", "stop"], dtype=np.int64)
    lines["positive"] = np.float32(0.5)
    vectors = np.zeros((len(lines), embedding.DIMENSIONS), dtype=np.float16)
    new = np.ones(len(lines), dtype=bool)
    starts = np.searchsorted(lines["review"], np.arange(len(rows) + 1))
    if old is not None:
        old_lines = pd.read_parquet(folder / "sentences.parquet")
        old_vectors = np.load(folder / "sentences.npy", mmap_mode="r", allow_pickle=False)
        old_starts = np.searchsorted(old_lines["review"], np.arange(len(old) + 1))
        known = {key: row for row, key in enumerate(old["text_hash"])}
        polarity, before = lines["positive"].to_numpy(copy=True), old_lines["positive"].to_numpy()
        for row, key in enumerate(rows["text_hash"]):
            if key in known:
                here = slice(starts[row], starts[row + 1])
                there = slice(old_starts[known[key]], old_starts[known[key] + 1])
                vectors[here], polarity[here], new[here] = old_vectors[there], before[there], False
        lines["positive"] = polarity
    fresh = np.flatnonzero(new)
    said = _said(rows["text"].tolist(), lines.iloc[fresh])
    if said:
        made = embedding.encode(said, tell)
        vectors[fresh] = made.astype(np.float16)
        lines.loc[fresh, "positive"] = sentiment.head().probability(said, made)
    return lines, vectors, len(said)


def _said(texts: Sequence[str], lines: pd.DataFrame) -> list[str]:
    """Return the words of each sentence."""
    spans = zip(lines["review"].tolist(), lines["start"].tolist(), lines["stop"].tolist(), strict=True)
    return [texts[review][start:stop] for review, start, stop in spans]


def _judged(rows: pd.DataFrame, lines: pd.DataFrame) -> pd.DataFrame:
    """Return `rows` with the polarity of each review."""
    starts = np.searchsorted(lines["review"], np.arange(len(rows) + 1))
    each = np.split(lines["positive"].to_numpy(), starts[1:-1])
    positive = [sentiment.of_review(part) for part in each] if len(rows) else []
    return rows.assign(positive=positive, sentiment=[sentiment.polarity(value) for value in positive])


def _review_vectors(rows: pd.DataFrame, lines: pd.DataFrame, vectors: npt.NDArray[np.float16]) -> Vectors:
    """Return one normalised vector a review: its sentences' mean, weighted by their length."""
    weight = (lines["stop"] - lines["start"]).to_numpy(dtype=np.float32)
    spread = sparse.csr_matrix(
        (weight, (lines["review"].to_numpy(), np.arange(len(lines)))), shape=(len(rows), len(lines))
    )
    means = spread @ vectors.astype(np.float32)
    lengths = np.linalg.norm(means, axis=1, keepdims=True)
    return np.asarray(means / np.maximum(lengths, 1e-12), dtype=np.float32)


def _write_chroma(
    chroma: Path, rows: pd.DataFrame, vectors: Vectors, changed: Sequence[int], deleted: Sequence[str]
) -> None:
    collection = _client(chroma).get_or_create_collection(
        COLLECTION, embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
    )
    for start in range(0, len(deleted), BATCH):
        collection.delete(ids=list(deleted[start : start + BATCH]))
    for start in range(0, len(changed), BATCH):
        batch = list(changed[start : start + BATCH])
        chosen = rows.iloc[batch]
        # An upsert keeps metadata that is no longer given, so that a changed review is written anew.
        collection.delete(ids=chosen["review_id"].tolist())
        collection.add(
            ids=chosen["review_id"].tolist(),
            embeddings=vectors[batch],
            metadatas=[_metadata(row) for row in chosen.to_dict("records")],
        )


def _metadata(row: dict[Any, Any]) -> dict[str, Any]:
    given = {name: row[name] for name in OPTIONAL if not pd.isna(row[name])}
    return {**given, "sentiment": row["sentiment"]}


def _write_tables(
    folder: Path, rows: pd.DataFrame, lines: pd.DataFrame, vectors: npt.NDArray[np.float16]
) -> None:
    said = _said(rows["text"].tolist(), lines)
    table = phrases.count(said, lines["review"].to_numpy())
    np.savez_compressed(
        folder / "phrases.npz",
        stems=np.array(table.stems, dtype=np.str_),
        written=np.array(table.written, dtype=np.str_),
        indices=table.counts.indices,
        starts=table.counts.indptr,
    )
    # Replaced, not overwritten: another process may have the file mapped.
    np.save(folder / "new.npy", vectors, allow_pickle=False)
    os.replace(folder / "new.npy", folder / "sentences.npy")
    lines.to_parquet(folder / "sentences.parquet", index=False)
    rows.drop(columns="text").to_parquet(folder / "reviews.parquet", index=False)


_opening = threading.Lock()


def open_index(folder: Path) -> Index:
    """Open the index in `folder` for reading; the same folder is opened once a process.

    Raises:
        NoIndex: there is none, or other models made it.
    """
    with _opening:
        return _open(folder.absolute())


class NoIndex(Exception):
    """The generation has no usable review index; the message says what to type."""


@lru_cache(maxsize=4)
def _open(folder: Path) -> Index:
    chroma = _chroma_of(folder)
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
        collection=_client(folder / chroma).get_collection(COLLECTION, embedding_function=None),
    )
