"""The reviews' vectors in Chroma, for the search by meaning: a folder, or a server named by a setting.

A record is a text: its hash is its id, so that a record never changes, and one text that stands in many
reviews is one record. `STOREWISE_CHROMA_URL` (such as http://127.0.0.1:8000) names a server; without it
the records lie in a folder of the index. On a server the generations of a shop share a collection, each
adds what it alone has, and what no generation needs any more is deleted. A search passes over the records
of other generations.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
from collections.abc import Collection as Held
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import numpy as np

from storewise.tools.reviews.embedding import Vectors
from storewise.tools.shop.generation import MissingTable

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection

VARIABLE = "STOREWISE_CHROMA_URL"
FOLDER = "chroma"
COLLECTION = "reviews"
BATCH = 2000  # records written at once
PATIENCE = 3  # seconds for a server to take a connection
_PREFIX = "storewise-"


class NoIndex(MissingTable):
    """The generation has no usable review index; the message says what to type."""


@dataclass(frozen=True)
class Place:
    """Where records lie: a collection on the server at `url`, or in `folder` where `url` is empty."""

    url: str
    collection: str
    folder: Path


def server() -> str:
    """Return the address of the Chroma server that the setting names, empty for a folder."""
    return os.environ.get(VARIABLE, "").strip().rstrip("/")


class Store:
    """The records of an index, opened for reading."""

    def __init__(self, place: Place) -> None:
        self.place = place
        with _answering(place.url):
            self._collection = _collection(place)

    def count(self) -> int:
        """Return how many records there are, those of other generations among them."""
        with _answering(self.place.url):
            return int(self._collection.count())

    def nearest(self, vector: Vectors, number: int) -> tuple[list[str], list[float]]:
        """Return the ids of the records nearest to `vector`, and their cosines, nearest first."""
        with _answering(self.place.url):
            found = self._collection.query(
                query_embeddings=[vector.tolist()], n_results=number, include=["distances"]
            )
        distances = (found["distances"] or [[]])[0]
        return found["ids"][0], [1 - float(distance) for distance in distances]


def write(
    place: Place,
    before: Place | None,
    held: Held[str],
    ids: Sequence[str],
    vectors: Vectors,
    needed: Held[str],
    model: str,
) -> None:
    """Make the records at `place` those of `ids`, starting from the ones of `before`.

    Args:
        place: where they are to lie.
        before: where those of the index before lie, of the same model.
        held: their ids, if they lie in a folder; a folder with as many is not asked for each of them.
        ids, vectors: the records, shape (len(ids), 384).
        needed: ids besides, which other generations use.
        model: the embedding model, noted with the collection.

    Raises:
        NoIndex: the server does not answer.
    """
    if not place.url and before and not before.url:
        shutil.copytree(before.folder / FOLDER, place.folder / FOLDER)
    with _answering(place.url):
        collection = _client(place).get_or_create_collection(
            place.collection,
            embedding_function=None,
            metadata={"model": model},
            configuration={"hnsw": {"space": "cosine", "sync_threshold": BATCH}},
        )
        copied = not place.url and before and not before.url and collection.count() == len(held)
        present = set(held if copied else collection.get(include=[])["ids"])
        gone = sorted(present - set(ids) - set(needed))
        for start in range(0, len(gone), BATCH):
            collection.delete(ids=gone[start : start + BATCH])
        new = np.array([row for row, key in enumerate(ids) if key not in present], dtype=np.int64)
        for start in range(0, len(new), BATCH):
            batch = new[start : start + BATCH]
            collection.add(ids=[ids[row] for row in batch], embeddings=vectors[batch])


def new_name(owner: str) -> str:
    """Return a name for a new collection of `owner`, a shop's own word on a server that others use too."""
    return f"{_PREFIX}{owner}-{secrets.token_hex(4)}"


def tidy(url: str, owner: str, used: Held[str]) -> None:
    """Delete the collections of `owner` on the server at `url` that no generation uses any more."""
    place = Place(url, "", Path())
    with _answering(url):
        client = _client(place)
        for collection in client.list_collections():
            if collection.name.startswith(f"{_PREFIX}{owner}-") and collection.name not in used:
                client.delete_collection(collection.name)


def _collection(place: Place) -> Collection:
    from chromadb.errors import NotFoundError

    try:
        return _client(place).get_collection(place.collection, embedding_function=None)
    except NotFoundError:
        where = f"on the Chroma server at {place.url}" if place.url else f"in {place.folder}"
        raise NoIndex(f"The reviews are not {where} yet. Index them with: storewise fit") from None


def _client(place: Place) -> ClientAPI:
    import chromadb
    from chromadb.config import Settings

    settings = Settings(anonymized_telemetry=False, allow_reset=False)
    if not place.url:
        return chromadb.PersistentClient(path=str(place.folder / FOLDER), settings=settings)
    host, port, secure = _address(place.url)
    # Chroma's own client waits without end for a machine that is not there.
    socket.create_connection((host, port), timeout=PATIENCE).close()
    return chromadb.HttpClient(host=host, port=port, ssl=secure, settings=settings)


def _address(url: str) -> tuple[str, int, bool]:
    """Return host, port, and whether the connection is encrypted."""
    try:
        parts = urlsplit(url)
        host, port, scheme = parts.hostname, parts.port, parts.scheme
    except ValueError:
        host, port, scheme = None, None, ""
    if not host or scheme not in ("http", "https") or parts.path not in ("", "/"):
        raise NoIndex(
            f"{VARIABLE} is “{url}”, which is not an address such as http://127.0.0.1:8000. "
            f"Set it right, or type: unset {VARIABLE}"
        )
    return host, port or (443 if scheme == "https" else 8000), scheme == "https"


@contextmanager
def _answering(url: str) -> Iterator[None]:
    """Turn the failure of a server to answer into a sentence."""
    from chromadb.errors import ChromaError

    try:
        yield
    except (httpx.HTTPError, OSError, ChromaError, ValueError) as error:
        if not url:
            raise
        host, port, _ = _address(url)
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise NoIndex(
            f"The Chroma server at {url} does not answer ({reason}). "
            f"Start it with: chroma run --host {host} --port {port}, or keep the index in a folder with: "
            f"unset {VARIABLE}; storewise fit"
        ) from error
