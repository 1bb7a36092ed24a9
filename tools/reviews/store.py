"""The reviews' vectors and metadata in Chroma, for the search by meaning."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from storewise.tools.reviews.embedding import Vectors

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection

COLLECTION = "reviews"
BATCH = 2000  # records written to Chroma at once
# Metadata that a shop may lack; Chroma takes no missing values, so an absent one is left out.
OPTIONAL = ("product_id", "category", "rating", "date")


def opened(chroma: Path) -> Collection:
    """Return the collection in the folder `chroma`, for reading."""
    return _client(chroma).get_collection(COLLECTION, embedding_function=None)


def write(
    chroma: Path, rows: pd.DataFrame, vectors: Vectors, changed: Sequence[int], deleted: Sequence[str]
) -> None:
    """Bring the collection in `chroma` up to `rows`: those at `changed` anew, those of ids `deleted` away."""
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


def _client(chroma: Path) -> ClientAPI:
    import chromadb
    from chromadb.config import Settings

    settings = Settings(anonymized_telemetry=False, allow_reset=False)
    return chromadb.PersistentClient(path=str(chroma), settings=settings)
