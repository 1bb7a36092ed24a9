"""Building the review index: reviews are told apart by their hashes, and only what is new is embedded."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from storewise.tools.reviews import embedding, index, phrases, sentiment, store
from storewise.tools.reviews.embedding import Vectors
from storewise.tools.reviews.sentences import sentences
from storewise.tools.reviews.store import OPTIONAL

if TYPE_CHECKING:
    from storewise.tools.shop.generation import Shop

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Built:
    """What a build did: reviews by what happened to them, and texts that had to be embedded."""

    added: int
    changed: int
    deleted: int
    kept: int
    embedded: int


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
    (folder / index.INDEX).unlink(missing_ok=True)
    lines, vectors, embedded = _sentences(rows, folder, old, tell)
    rows = _judged(rows, lines)
    changed = [i for i, key in enumerate(rows["review_id"]) if before.get(key) != after[key]]
    deleted = [key for key in before if key not in after]
    tell(f"Writing {len(changed):,} reviews into the index")
    # A name of its own: Chroma keeps the databases it has opened in mind by their paths.
    chroma = chroma or f"chroma-{secrets.token_hex(4)}"
    store.write(folder / chroma, rows, _review_vectors(rows, lines, vectors), changed, deleted)
    tell("Counting phrases")
    _write_tables(folder, rows, lines, vectors)
    content = json.dumps({**index.made_by(), "chroma": chroma}, indent=1)
    (folder / index.INDEX).write_text(content + "\n", encoding="utf-8")
    index.forget()
    added = sum(key not in before for key in after)
    return Built(added, len(changed) - added, len(deleted), len(rows) - len(changed), embedded)


def _start(shop: Shop, folder: Path) -> str | None:
    """Return the Chroma folder of the index to start from, or None after clearing what cannot be used."""
    previous = shop.manifest.get("previous")
    if not folder.exists() and previous:
        earlier = shop.path.parent / str(previous) / "reviews"
        if index.chroma_of(earlier):
            shutil.copytree(earlier, folder)
    chroma = index.chroma_of(folder)
    if chroma is None:
        shutil.rmtree(folder, ignore_errors=True)
    return chroma


def _hash(*parts: object) -> str:
    return hashlib.sha256("\x1f".join(map(str, parts)).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _sentences(
    rows: pd.DataFrame, folder: Path, old: pd.DataFrame | None, tell: Progress
) -> tuple[pd.DataFrame, npt.NDArray[np.float16], int]:
    """Split all reviews; take vectors and polarities of known texts from `folder`, and make the others."""
    parts = []
    for review, text in enumerate(rows["text"]):
        parts += [(review, start, stop) for start, stop in sentences(text)]
    lines = pd.DataFrame(parts, columns=["review", "start", "stop"], dtype=np.int64)
    vectors = np.zeros((len(lines), embedding.DIMENSIONS), dtype=np.float16)
    new = np.ones(len(lines), dtype=bool)
    kept: list[int] = []  # rows of `lines`
    kept_from: list[int] = []  # the rows of `old_lines` with the same sentences
    old_lines = None
    if old is not None:
        starts = np.searchsorted(lines["review"], np.arange(len(rows) + 1))
        old_lines = pd.read_parquet(folder / "sentences.parquet")
        old_vectors = np.load(folder / "sentences.npy", mmap_mode="r", allow_pickle=False)
        old_starts = np.searchsorted(old_lines["review"], np.arange(len(old) + 1))
        known = {key: row for row, key in enumerate(old["text_hash"])}
        for row, key in enumerate(rows["text_hash"]):
            if key in known:
                here = slice(starts[row], starts[row + 1])
                there = slice(old_starts[known[key]], old_starts[known[key] + 1])
                vectors[here], new[here] = old_vectors[there], False
                kept += range(here.start, here.stop)
                kept_from += range(there.start, there.stop)
    fresh = np.flatnonzero(new)
    said = _said(rows["text"].tolist(), lines.iloc[fresh])
    made = embedding.encode(said, tell)
    vectors[fresh] = made.astype(np.float16)
    found = _known_of(said, made).set_index(fresh)
    if old_lines is not None:
        # What is known of an unchanged sentence stays: all that `_known_of` once found.
        before = old_lines.iloc[kept_from][list(found.columns)].set_index(np.array(kept, dtype=np.int64))
        found = pd.concat([before, found]).sort_index()
    return pd.concat([lines, found], axis=1), vectors, len(said)


def _known_of(said: Sequence[str], vectors: Vectors) -> pd.DataFrame:
    """Return what is known of new sentences from their words and vectors: a row a sentence, a column a thing.

    The columns are kept for each sentence that does not change. Whatever computes one has its version
    in `index.made_by`, so that another version computes it anew.
    """
    return pd.DataFrame({"positive": sentiment.head().probability(said, vectors)})


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
