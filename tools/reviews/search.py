"""Reviews of a product, reviews nearest in meaning, and sentences about an aspect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from storewise.tools.reviews import phrases
from storewise.tools.reviews.embedding import encode
from storewise.tools.reviews.index import Index
from storewise.tools.reviews.sentences import LONGEST
from storewise.tools.reviews.sentiment import SURE, Polarity
from storewise.tools.shop.catalogue import Resolution
from storewise.tools.shop.generation import Shop

Mask = npt.NDArray[np.bool_]

CANDIDATES = 200  # reviews that Chroma hands over, to be ranked by their best sentence
ABOUT = 0.45  # cosine from which a sentence is about an aspect that it does not name
DISTANT = 0.33  # closeness below which a review hardly speaks of what was asked
NAMED = 0.2  # what it adds to a sentence's closeness that it holds all words of the query
SHORT = 80  # characters; a shorter quote takes the next sentence along


@dataclass(frozen=True)
class Scope:
    """Some of the reviews.

    Attributes:
        rows: which of the index's reviews.
        label: what they are of, None for all reviews.
        note: a sentence where they are of a whole category instead of the product asked for.
        products, categories: what a review's metadata must hold to be one of them.
    """

    rows: Mask
    label: str | None = None
    note: str | None = None
    products: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()


@dataclass(frozen=True)
class Hit:
    """A review found: its row, its closeness in meaning, and its sentence (row) to quote."""

    row: int
    closeness: float
    sentence: int


def everything(index: Index) -> Scope:
    """Return all reviews."""
    return Scope(np.ones(len(index.reviews), dtype=bool))


def scope_of(shop: Shop, index: Index, found: Resolution) -> Scope:
    """Return the reviews of what `found` resolved to; where a product has none, those of its category."""
    reviewed = index.reviews["product_id"].dropna()
    products = tuple(sorted(set(reviewed) & set(found.product_ids)))
    own = index.reviews["product_id"].isin(products).to_numpy()
    counted = shop.query(
        "SELECT category, count(*) AS n FROM products WHERE product_id IN (SELECT unnest($ids)) "
        "AND category IS NOT NULL GROUP BY 1 ORDER BY n DESC, category",
        {"ids": list(found.product_ids)},
    )
    categories = tuple(counted["category"].astype(str))
    if found.kind not in ("category", "department"):
        if own.any() or not categories:
            return Scope(own, found.label, products=products)
        categories = categories[:1]
    rows = own | index.reviews["category"].isin(categories).to_numpy()
    if found.kind in ("category", "department") or not rows.any():
        return Scope(rows, found.label, products=products, categories=categories)
    note = f"No review is of {found.label} itself; these are of its category, {categories[0]}."
    return Scope(rows, categories[0], note, categories=categories)


def search(index: Index, query: str, scope: Scope, sentiment: Polarity | None, top: int) -> list[Hit]:
    """Return the reviews in `scope` nearest in meaning to `query`, nearest first.

    Chroma finds the candidates by the vectors of whole reviews; the mean of a review's closeness and
    its best sentence's ranks them, a sentence in the query's own words counting for more. Reviews that
    hardly speak of it are left out (one is kept if all are such), and repetitions of the same text.
    """
    if not scope.rows.any():
        return []
    vector = encode([query])[0]
    found = index.collection.query(
        query_embeddings=[vector],
        n_results=min(max(CANDIDATES, 4 * top), index.size),
        where=_where(scope, sentiment),
        include=["distances"],
    )
    distances = (found["distances"] or [[]])[0]
    columns = [index.column_of[stem] for stem in _content_stems(query) if stem in index.column_of]
    hits = []
    for key, distance in zip(found["ids"][0], distances, strict=True):
        lines = index.lines_of(index.row_of[key])
        if len(lines) == 0:
            continue
        near = index.vectors[lines].astype(np.float32) @ vector
        if columns:
            said = index.phrases.counts[lines[0] : lines[-1] + 1][:, columns].sum(axis=1)
            near += NAMED * np.asarray(said, dtype=np.float32).ravel() / len(columns)
        best = int(np.argmax(near + _agreement(index, lines, sentiment)))
        closeness = min((1 - distance + float(near.max())) / 2, 1.0)
        hits.append(Hit(index.row_of[key], closeness, int(lines[best])))
    hits.sort(key=lambda hit: (-hit.closeness, hit.row))
    near_enough = [hit for hit in hits if hit.closeness >= DISTANT]
    return _distinct(index, near_enough or hits[:1], top)


def strongest(index: Index, scope: Scope, sentiment: Polarity | None, top: int) -> list[Hit]:
    """Return the reviews in `scope` that speak most clearly, each with its clearest sentence.

    With a sentiment: the most positive or negative first. Without: clear praise and clear blame in turn.
    """
    positive = index.reviews["positive"].to_numpy()
    rows = np.flatnonzero(scope.rows)
    praise, blame = rows[np.argsort(-positive[rows])], rows[np.argsort(positive[rows])]
    if sentiment is None:
        order = list(dict.fromkeys(row for pair in zip(praise, blame, strict=True) for row in pair))
    else:
        kept = index.reviews["sentiment"].to_numpy() == sentiment
        order = [row for row in (praise if sentiment == "positive" else blame) if kept[row]]
    hits = []
    for row in order[: 3 * top]:
        lines = index.lines_of(int(row))
        if len(lines):
            sign = 1 if positive[row] >= 0.5 else -1
            told = sign * index.lines["positive"].to_numpy()[lines]
            hits.append(Hit(int(row), 0.0, int(lines[int(np.argmax(told))])))
    return _distinct(index, hits, top)


def about(index: Index, aspect: str, scope: Scope) -> Mask:
    """Return which sentences in `scope` speak of `aspect`: they name it, or mean it closely enough."""
    rows = scope.rows[index.lines["review"].to_numpy()]
    chosen = np.flatnonzero(rows)
    vector = encode([aspect])[0]
    near = index.vectors[chosen].astype(np.float32) @ vector >= ABOUT
    stems = " ".join(phrases.stem(word) for word in aspect.lower().split())
    if stems in index.column_of:
        column = index.phrases.counts[chosen][:, index.column_of[stems]]
        near |= np.asarray(column.todense()).ravel() > 0
    result = np.zeros(len(rows), dtype=bool)
    result[chosen[near]] = True
    return result


def texts(shop: Shop, index: Index, rows: Sequence[int]) -> dict[int, str]:
    """Return the texts of reviews by their rows in the index."""
    keys = index.reviews["review_id"].iloc[list(rows)].tolist()
    found = shop.query(
        "SELECT review_id, text FROM reviews WHERE review_id IN (SELECT unnest($ids))", {"ids": keys}
    )
    return {index.row_of[key]: text for key, text in zip(found["review_id"], found["text"], strict=True)}


def quote(index: Index, text: str, sentence: int) -> str:
    """Return a sentence of `text` to the letter; a short one with the next, if both fit into a quote."""
    starts, stops = index.lines["start"].to_numpy(), index.lines["stop"].to_numpy()
    start, stop = int(starts[sentence]), int(stops[sentence])
    reviews = index.lines["review"].to_numpy()
    after = sentence + 1
    if stop - start < SHORT and after < len(reviews) and reviews[after] == reviews[sentence]:
        further = int(stops[after])
        # Only white space may lie between: a tag or a line break is never quoted.
        if further - start <= LONGEST and text[stop : int(starts[after])].strip(" ") == "":
            stop = further
    return text[start:stop]


def _content_stems(query: str) -> set[str]:
    """Return the stems of the words of meaning in `query`."""
    return {stems for stems, _ in phrases.candidates(query) if " " not in stems}


def _where(scope: Scope, sentiment: Polarity | None) -> dict[str, Any] | None:
    """Return Chroma's filter for a scope and a sentiment."""
    of: list[dict[str, Any]] = []
    if scope.products:
        of.append({"product_id": {"$in": list(scope.products)}})
    if scope.categories:
        of.append({"category": {"$in": list(scope.categories)}})
    both: list[dict[str, Any]] = [of[0] if len(of) == 1 else {"$or": of}] if of else []
    if sentiment is not None:
        both.append({"sentiment": sentiment})
    return None if not both else both[0] if len(both) == 1 else {"$and": both}


def _agreement(
    index: Index, lines: npt.NDArray[np.int64], sentiment: Polarity | None
) -> npt.NDArray[np.float32]:
    """Return what sets back sentences of the opposite polarity when one is chosen to be quoted."""
    positive = index.lines["positive"].to_numpy()[lines]
    against = np.zeros(len(lines), dtype=bool)
    if sentiment == "positive":
        against = positive <= 1 - SURE
    elif sentiment == "negative":
        against = positive >= SURE
    return np.where(against, -0.2, 0.0).astype(np.float32)


def _distinct(index: Index, hits: Sequence[Hit], top: int) -> list[Hit]:
    words = index.reviews["text_hash"].to_numpy()
    first: dict[str, Hit] = {}
    for hit in hits:
        first.setdefault(str(words[hit.row]), hit)
    return list(first.values())[:top]
