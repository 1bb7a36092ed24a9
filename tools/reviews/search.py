"""Reviews of a product, reviews nearest in meaning and words, and sentences about an aspect."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from storewise.tools.reviews import phrases
from storewise.tools.reviews.embedding import Vectors, encode
from storewise.tools.reviews.index import Index
from storewise.tools.reviews.ragged import Ints, runs
from storewise.tools.reviews.sentences import LONGEST
from storewise.tools.reviews.sentiment import SURE, Polarity
from storewise.tools.shop.catalogue import Resolution
from storewise.tools.shop.generation import Shop

Mask = npt.NDArray[np.bool_]

CANDIDATES = 200  # reviews nearest in meaning and best in words that are ranked by both
# From so many reviews Chroma finds the nearest in a part; a smaller part is searched whole, in less time.
EXACT = 20_000
MOST = 1_000  # records that Chroma is asked for at most
WORDS = 0.75  # what a review is worth that holds all words of the query, beside its closeness in meaning
ABOUT = 0.45  # cosine from which a sentence is about an aspect that it does not name
DISTANT = 0.33  # closeness below which a review hardly speaks of what was asked,
SAID = 0.4  # unless it says so much of it in its words
NAMED = (
    0.2  # what it adds to a sentence, when one is chosen to be quoted, that it holds all words of the query
)
SHORT = 80  # characters; a shorter quote takes the next sentence along


@dataclass(frozen=True)
class Scope:
    """Some of the reviews.

    Attributes:
        rows: which of the index's reviews.
        label: what they are of, None for all reviews.
        note: a sentence where they are of a whole category instead of the product asked for.
    """

    rows: Mask
    label: str | None = None
    note: str | None = None


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
    own = holding(index, "product_id", found.product_ids)
    counted = shop.query(
        "SELECT category, count(*) AS n FROM products WHERE product_id IN (SELECT unnest($ids)) "
        "AND category IS NOT NULL GROUP BY 1 ORDER BY n DESC, category",
        {"ids": list(found.product_ids)},
    )
    categories = tuple(counted["category"].astype(str))
    if found.kind not in ("category", "department"):
        if own.any() or not categories:
            return Scope(own, found.label)
        categories = categories[:1]
    rows = own | holding(index, "category", categories)
    if found.kind in ("category", "department") or not rows.any():
        return Scope(rows, found.label)
    note = f"No review is of {found.label} itself; these are of its category, {categories[0]}."
    return Scope(rows, categories[0], note)


def holding(index: Index, column: str, values: Sequence[str]) -> Mask:
    """Return the reviews that hold one of `values`."""
    numbers, of = index.codes[column]
    wanted = np.zeros(len(numbers) + 1, dtype=bool)  # the last is that of a review without a value, -1
    wanted[[numbers[value] for value in values if value in numbers]] = True
    return wanted[of]


def narrowed(
    index: Index,
    scope: Scope,
    *,
    sentiment: Polarity | None = None,
    rating_min: float | None = None,
    rating_max: float | None = None,
    since: dt.date | None = None,
    until: dt.date | None = None,
) -> Scope:
    """Return the reviews in `scope` of a sentiment, of so many stars, and of these days, both ends included.

    A review without a rating is of no number of stars, one without a date of no day.
    """
    rows = scope.rows.copy()
    if sentiment is not None:
        rows &= holding(index, "sentiment", [sentiment])
    if rating_min is not None:
        rows &= index.ratings >= rating_min
    if rating_max is not None:
        rows &= index.ratings <= rating_max
    if since is not None:
        rows &= index.days >= np.datetime64(since, "D")
    if until is not None:
        rows &= index.days <= np.datetime64(until, "D")
    return replace(scope, rows=rows)


def search(index: Index, query: str, scope: Scope, sentiment: Polarity | None, top: int) -> list[Hit]:
    """Return the reviews in `scope` nearest to `query` in meaning and words, nearest first.

    The nearest by the vectors of whole reviews and the best by BM25 are ranked together: the mean of a
    review's closeness and its best sentence's, and what its words are worth. Reviews that hardly speak of
    it are left out (one is kept if all are such), and near-duplicates of one that is in. In what order they
    come is told by both, `Hit.closeness` by the meaning alone.

    Raises:
        NoIndex: the Chroma server does not answer.
    """
    rows = _one_of_each(index, narrowed(index, scope, sentiment=sentiment).rows)
    if not len(rows):
        return []
    vector = encode([query])[0]
    words = index.words.scores(query)
    found = _candidates(index, vector, words, rows, max(CANDIDATES, 4 * top))
    lengths = np.diff(index.starts)[found]
    lines = runs(index.starts[found], lengths)
    near = index.vectors[lines].astype(np.float32) @ vector
    ends = np.cumsum(lengths)
    best = np.maximum.reduceat(near, ends - lengths)
    closeness = (index.means[found] @ vector + best) / 2
    order = np.lexsort((found, -closeness - WORDS * words[found]))
    speaks = (closeness >= DISTANT) | (words[found] >= SAID)
    order = order[speaks[order]][:top] if speaks.any() else order[:1]
    own = lengths[order]
    here = runs(ends[order] - own, own)
    quotes = _quoted(index, query, sentiment, lines[here], near[here], own)
    return [
        Hit(int(found[place]), min(float(closeness[place]), 1.0), sentence)
        for place, sentence in zip(order.tolist(), quotes, strict=True)
    ]


def _quoted(
    index: Index,
    query: str,
    sentiment: Polarity | None,
    lines: Ints,
    near: npt.NDArray[np.float32],
    lengths: Ints,
) -> list[int]:
    """Return the sentence to quote of each review: near, with the query's words, of the polarity.

    `lines` and their closeness `near` are the sentences of the reviews one after the other, `lengths` of each.
    """
    value = near + NAMED * _share_said(index, columns_of(index, query), lines)
    value += _agreement(index, lines, sentiment)
    stops = np.cumsum(lengths)
    return [
        int(lines[start + int(np.argmax(value[start:stop]))])
        for start, stop in zip((stops - lengths).tolist(), stops.tolist(), strict=True)
    ]


def _share_said(index: Index, columns: Sequence[int], lines: Ints) -> npt.NDArray[np.float32]:
    """Return which share of the phrases in `columns` each sentence holds."""
    counts = index.phrases.counts
    starts = counts.indptr[lines].astype(np.int64)
    lengths = counts.indptr[lines + 1] - starts
    hit = np.isin(counts.indices[runs(starts, lengths)], columns)
    held = np.bincount(np.repeat(np.arange(len(lines)), lengths)[hit], minlength=len(lines))
    return (held / max(len(columns), 1)).astype(np.float32)


def strongest(index: Index, scope: Scope, sentiment: Polarity | None, top: int) -> list[Hit]:
    """Return the reviews in `scope` that speak most clearly, each with its clearest sentence.

    With a sentiment: the most positive or negative first. Without: clear praise and clear blame in turn.
    """
    rows = _one_of_each(index, narrowed(index, scope, sentiment=sentiment).rows)
    positive = index.reviews["positive"].to_numpy()
    praise = rows[np.argsort(-positive[rows], kind="stable")[:top]].tolist()
    blame = rows[np.argsort(positive[rows], kind="stable")[:top]].tolist()
    if sentiment is None:
        order = list(dict.fromkeys(row for pair in zip(praise, blame, strict=True) for row in pair))
    else:
        order = praise if sentiment == "positive" else blame
    told = index.lines["positive"].to_numpy()
    hits = []
    for row in order[:top]:
        lines = index.lines_of(row)
        sign = 1 if positive[row] >= 0.5 else -1
        hits.append(Hit(row, 0.0, int(lines[int(np.argmax(sign * told[lines]))])))
    return hits


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


def columns_of(index: Index, query: str) -> list[int]:
    """Return the columns of the phrase table of the words of meaning in `query`."""
    stems = {stems for stems, _ in phrases.candidates(query) if " " not in stems}
    return [index.column_of[stem] for stem in stems if stem in index.column_of]


def _one_of_each(index: Index, rows: Mask) -> Ints:
    """Return the reviews of `rows` that have a sentence, of near-duplicates the first alone."""
    chosen = np.flatnonzero(rows & (np.diff(index.starts) > 0))[::-1]
    of_first = np.full(index.size, -1, dtype=np.int64)
    of_first[index.first[chosen]] = chosen  # the last to be written is the first of the rows
    return of_first[of_first >= 0]


def _candidates(
    index: Index, vector: Vectors, words: npt.NDArray[np.float32], rows: Ints, number: int
) -> Ints:
    """Return the `number` of `rows` nearest in meaning, and as many of those best in words."""
    said = rows[words[rows] > 0]
    return np.union1d(_nearest(index, vector, rows, number), said[_highest(words[said], number)])


def _nearest(index: Index, vector: Vectors, rows: Ints, number: int) -> Ints:
    """Return the `number` of `rows` (one of each near-duplicate) nearest to `vector`, or half as many."""
    asked = math.ceil(number * len(index.row_of_text) / len(rows))
    if asked <= number or (len(rows) >= EXACT and asked <= MOST):
        place = np.full(index.size, -1, dtype=np.int64)
        place[index.first[rows]] = rows
        keys, _ = index.store.nearest(vector, min(asked, MOST))
        found = np.array([index.row_of_text[key] for key in keys if key in index.row_of_text], dtype=np.int64)
        near = place[found]
        near = near[near >= 0]
        # Other generations on a server, and a part that lies far from the query, may leave too few.
        if len(near) >= min(number // 2, len(rows)):
            return near
    return rows[_highest(index.means[rows] @ vector, number)]


def _highest(values: npt.NDArray[np.float32], number: int) -> Ints:
    """Return the places of the `number` highest values, in no order."""
    if len(values) <= number:
        return np.arange(len(values))
    return np.argpartition(values, len(values) - number)[len(values) - number :]


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
