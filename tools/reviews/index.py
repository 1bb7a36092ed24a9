"""The review index of a generation: Chroma for the search by meaning, and every sentence with its polarity.

    reviews/
        index.json              which models made it, which build is in use, where its records lie
        build-…/
            reviews.parquet     one row a review: hash, product, category, rating, date, sentiment, duplicate_of
            means.npy           the reviews' vectors
            words.npz           the stems of each review
            signatures.npy      by which near-duplicates are found
            sentences.parquet   one row a sentence: its review, where it lies in the text, its polarity, its aspects
            vectors.npy         the sentences' vectors, half precision
            said.npz            the phrases of each sentence
            entities.parquet    one row a brand, product or ingredient that a sentence names
            aspects.json        aspects that only these reviews speak of
            phrases.npz         those of at least two reviews, and which sentences they stand in
            chroma/             one record a text, unless they lie on a server (`store.py`)

A review's vector is the mean of its sentences', so each text is embedded once, however long it is.
"""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from storewise.tools.reviews import aspects, embedding, entities, phrases, sentiment, store
from storewise.tools.reviews.embedding import Vectors
from storewise.tools.reviews.new_aspects import NewAspect
from storewise.tools.reviews.ragged import Ints, Terms
from storewise.tools.reviews.store import NoIndex as NoIndex
from storewise.tools.reviews.store import Place, Store
from storewise.tools.reviews.texts import array
from storewise.tools.reviews.words import Words

FORMAT = 2
INDEX = "index.json"


def made_by() -> dict[str, Any]:
    """Return what an index depends on besides the reviews; one made by anything else is not used."""
    return {
        "format": FORMAT,
        "embedding": embedding.model_name(),
        "tone": sentiment.card()["tone"],
        "sentiment": sentiment.card()["version"],
        "aspects": aspects.card()["version"],
        "entities": entities.VERSION,
    }


def hashed(*parts: object) -> str:
    """Return by what a review or its text is known: the hash of what it holds."""
    return hashlib.sha256("\x1f".join(map(str, parts)).encode("utf-8", "surrogatepass")).hexdigest()[:32]


@dataclass(frozen=True)
class Written:
    """What index.json says.

    Attributes:
        folder: the build in use.
        made_by: what made it.
        place: where its records lie.
        owner: whose collections are ours on a server.
        opinions: a hash of what it went by for what all reviews together tell.
    """

    folder: Path
    made_by: dict[str, Any]
    place: Place
    owner: str
    opinions: str = ""

    def text(self) -> str:
        """Return it as JSON."""
        place = {"url": self.place.url, "collection": self.place.collection}
        content = {
            "build": self.folder.name,
            "made_by": self.made_by,
            "records": place,
            "owner": self.owner,
            "opinions": self.opinions,
        }
        return json.dumps(content, indent=1)


def written(folder: Path) -> Written | None:
    """Return what is noted of the index in `folder`, None if there is none that can be read."""
    try:
        content = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        build = folder.absolute() / str(content["build"])
        place = Place(str(content["records"]["url"]), str(content["records"]["collection"]), build)
        found = Written(
            build, dict(content["made_by"]), place, str(content["owner"]), str(content.get("opinions", ""))
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if build.is_dir() else None


@dataclass(frozen=True)
class Index:
    """An open index.

    Attributes:
        folder: its build.
        reviews: a row a review, by id.
        lines: a row a sentence, those of a review together; a column an aspect, see `aspects.CODE`.
        vectors: the sentences'.
        means: the reviews'.
        phrases: which phrases stand in which sentences.
        words: which reviews hold which words.
        store: the records in Chroma.
    """

    folder: Path
    reviews: pd.DataFrame
    lines: pd.DataFrame
    vectors: npt.NDArray[np.float16]
    means: Vectors
    phrases: phrases.PhraseTable
    words: Words
    store: Store

    @property
    def size(self) -> int:
        """How many reviews there are."""
        return len(self.reviews)

    @cached_property
    def row_of(self) -> dict[str, int]:
        """The row of each review by its id."""
        return {key: row for row, key in enumerate(self.reviews["review_id"])}

    @cached_property
    def entities(self) -> pd.DataFrame:
        """What the sentences name, see `entities.table`."""
        return pd.read_parquet(self.folder / "entities.parquet")

    @cached_property
    def new_aspects(self) -> list[NewAspect]:
        """The aspects that only these reviews speak of."""
        found: list[NewAspect] = json.loads((self.folder / "aspects.json").read_text(encoding="utf-8"))
        return found

    @cached_property
    def column_of(self) -> dict[str, int]:
        """The column of each phrase by its stems."""
        return {stems: column for column, stems in enumerate(self.phrases.stems)}

    @cached_property
    def first(self) -> Ints:
        """The row of the review that each is a near-duplicate of, its own for most."""
        of = self.reviews["duplicate_of"]
        rows = np.arange(self.size)
        copies = np.flatnonzero(of.notna())
        rows[copies] = [self.row_of[key] for key in of.iloc[copies]]
        return rows

    @cached_property
    def row_of_text(self) -> dict[str, int]:
        """The row of each text that has a record, by its hash."""
        alone = np.flatnonzero((self.first == np.arange(self.size)) & (np.diff(self.starts) > 0))
        return dict(zip(self.reviews["text_hash"].iloc[alone], alone.tolist(), strict=True))

    @cached_property
    def starts(self) -> Ints:
        """Where the sentences of each review begin, and at last where they end."""
        return np.searchsorted(self.lines["review"].to_numpy(), np.arange(self.size + 1))

    @cached_property
    def ratings(self) -> npt.NDArray[np.float64]:
        """The stars of each review, not a number where it has none."""
        return self.reviews["rating"].to_numpy(dtype=np.float64)

    @cached_property
    def days(self) -> npt.NDArray[np.datetime64]:
        """The date of each review, not a time where it has none."""
        return pd.to_datetime(self.reviews["date"]).to_numpy().astype("datetime64[D]")

    @cached_property
    def codes(self) -> dict[str, tuple[dict[str, int], Ints]]:
        """By column (product_id, category, sentiment): the number of each value, and that of each review or -1."""
        found = {}
        for name in ("product_id", "category", "sentiment"):
            numbers, values = pd.factorize(self.reviews[name])
            found[name] = ({str(value): i for i, value in enumerate(values)}, numbers.astype(np.int64))
        return found

    def lines_of(self, row: int) -> Ints:
        """Return the rows of a review's sentences."""
        return np.arange(self.starts[row], self.starts[row + 1])


_opening = threading.Lock()


def open_index(folder: Path) -> Index:
    """Open the index in `folder` for reading; the same build is opened once a process.

    Raises:
        NoIndex: there is none, other models made it, or its Chroma server does not answer.
    """
    found = written(folder)
    if found is None or found.made_by != made_by():
        raise NoIndex("The reviews are not indexed yet, or by another model. Index them with: storewise fit")
    # The setting goes before the note: machines that share the shop may see the server at other addresses.
    place = found.place
    if place.url and store.server():
        place = Place(store.server(), place.collection, place.folder)
    with _opening:
        return _open(place)


def forget() -> None:
    """Open every index anew the next time."""
    _open.cache_clear()


@lru_cache(maxsize=4)
def _open(place: Place) -> Index:
    folder = place.folder
    with np.load(folder / "phrases.npz", allow_pickle=False) as file:
        stems, spelled = file["stems"].tolist(), file["written"].tolist()
        indices, starts = file["indices"], file["starts"]
    ones = np.ones(len(indices), dtype=np.float32)
    counts = sparse.csr_matrix((ones, indices, starts), shape=(len(starts) - 1, len(stems)))
    return Index(
        folder=folder,
        reviews=pd.read_parquet(folder / "reviews.parquet"),
        lines=pd.read_parquet(folder / "sentences.parquet"),
        vectors=array(folder, "vectors"),
        means=array(folder, "means"),
        phrases=phrases.PhraseTable(tuple(stems), tuple(spelled), counts),
        words=Words.of(Terms.load(folder / "words.npz")),
        store=Store(place),
    )
