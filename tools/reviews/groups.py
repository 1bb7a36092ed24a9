"""Sentences of many reviews, grouped by what they say and which way.

Average linkage (Sokal & Michener 1958) over the cosine of the sentences' embeddings, to which agreement in
polarity adds and disagreement subtracts. The thresholds were chosen on the train part of the FewSum paper's
summaries (Bražinskas, Lapata & Titov, EMNLP 2020) and on the demo shop's reviews.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from storewise.tools.reviews import aspects, embedding, phrases, screening, sentiment
from storewise.tools.reviews.embedding import Vectors
from storewise.tools.reviews.salience import fit, phrases_in, places, salience
from storewise.tools.reviews.sentences import sentences
from storewise.tools.reviews.sentiment import SURE, Polarity
from storewise.tools.reviews.summary import Quote, Review

Encode = Callable[[Sequence[str]], Vectors]
Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

ALIKE = 0.55  # mean likeness from which sentences say the same
OPINION = 0.05  # what agreement in polarity adds to the cosine, and disagreement subtracts
OPPOSED = 0.5  # cosine from which two groups of opposite polarity speak of the same thing
CLEAR = 0.8  # how likely such a group praises, or else blames
FEW = 20  # sentences up to which what they share hardly shows
SHOWN = 6  # sentences of a group that a model is shown
BLOCK = 1250  # sentences linked at once: time and memory grow with the square
UNLIKE = 0.5  # what it takes from a sentence's standing that it praises where its group blames, or is unsure

# Amazon's texts often lack the space after a sentence.
_GLUED = re.compile(r"(?<=[a-z][.!?])(?=[A-Z][a-z']*\b)")
_WORD = re.compile(r"[^\W\d_]{2}")
_FAR = 2 * CLEAR - 1


@dataclass(frozen=True)
class Group:
    """Sentences that say the same, one a review, the one that best stands for them all first.

    Attributes:
        quotes: each to the letter.
        sentiment: what they amount to.
        positive: how likely they praise rather than blame, 0 to 1.
        salience: how well the first stands for what all reviews say, about 0 to 1.5.
        place: where in their reviews they stand, 0 (first sentences) to 1 (last), on average.
        aspect: the phrase that most of them and few others share.
        against: place of the group that says the opposite of the same thing, if there is one.
        vector: embedding of what sets them apart from the other sentences, of length 1.
    """

    quotes: tuple[Quote, ...]
    sentiment: Polarity
    positive: float = 0.5
    salience: float = 0.0
    place: float = 0.0
    aspect: str | None = None
    against: int | None = None
    vector: Vectors | None = field(default=None, compare=False, repr=False)

    @property
    def count(self) -> int:
        """How many customers say it: distinct reviews."""
        return len(self.quotes)


class Judged(NamedTuple):
    """Of sentences: their embeddings, how likely they praise, and how each tells each aspect.

    See `aspects.Head.judged` for `codes`.
    """

    vectors: Vectors
    positive: Floats
    codes: aspects.Codes


Judge = Callable[[Sequence[str]], Judged]


@dataclass(frozen=True)
class Lines:
    """All sentences, a row each, those of a review together: whose, their embeddings, how likely they praise."""

    quotes: list[Quote]
    review: Rows
    vectors: Vectors
    positive: Floats


def grouped(lines: Lines) -> list[Group]:
    """Return the groups of what sentences say, those of most reviews first; the same for the same sentences."""
    if not lines.quotes:
        return []
    standing = salience([q.text for q in lines.quotes], lines.vectors, lines.review, lines.positive)
    lines = replace(lines, vectors=_apart(lines.vectors))
    parts = _split(_linked(lines.vectors, lines.positive), lines.positive)
    place = places(lines.review)
    made = [(_group(rows, lines, standing, place), rows) for rows in parts]
    made.sort(key=lambda pair: (-pair[0].count, -pair[0].salience, int(pair[1][0])))
    return _opposed(_named([group for group, _ in made]))


def lines_of(text: str) -> list[str]:
    """Return the sentences of a review that hold a word, each to the letter."""
    found = []
    for start, stop in sentences(text):
        cuts = [cut.start() for cut in _GLUED.finditer(text, start, stop)]
        found += [text[a:b].strip() for a, b in zip([start, *cuts], [*cuts, stop], strict=True)]
    return [line for line in found if _WORD.search(line)]


def worth_reading(line: str) -> bool:
    """Say whether a sentence holds a word and gives no orders to a machine."""
    return bool(_WORD.search(line)) and not screening.to_a_machine(line)


def normal(text: str) -> str:
    """Return the words of a text in lower case, by which repetitions are told."""
    return " ".join(re.findall(r"\w+", html.unescape(text).lower()))


def shown(sentences: Sequence[str]) -> str:
    """Return the first sentences of a group as a model is shown them, a line each."""
    return "\n".join("- " + " ".join(sentence.split()) for sentence in sentences[:SHOWN])


def judged(texts: Sequence[str], halved: bool | None = None) -> Judged:
    """Embed and judge sentences; `halved` as in `embedding.encode`."""
    vectors, tones = embedding.read(texts, halved=halved)
    positive = sentiment.head().probability(texts, vectors, tones)
    return Judged(vectors, positive, aspects.head().judged(texts, vectors, positive))


def read_lines(reviews: Sequence[Review], judge: Judge = judged) -> tuple[Lines, aspects.Codes]:
    """Return the sentences of `reviews`, and how each tells each aspect.

    Orders to a machine are left out, and so are repetitions of a text by other reviews.
    """
    quotes: list[Quote] = []
    review: list[int] = []
    texts: set[str] = set()
    for number, one in enumerate(reviews):
        key = normal(one.text)
        if key in texts:
            continue
        texts.add(key)
        for line in lines_of(one.text):
            if worth_reading(line):
                quotes.append(Quote(review_id=one.review_id, text=line))
                review.append(number)
    rows = {text: row for row, text in enumerate(dict.fromkeys(quote.text for quote in quotes))}
    said = judge(list(rows))
    place = np.array([rows[quote.text] for quote in quotes], dtype=np.int64)
    whose = np.array(review, dtype=np.int64)
    return Lines(quotes, whose, said.vectors[place], said.positive[place]), said.codes[place]


def _apart(vectors: Vectors) -> Vectors:
    """Return the embeddings without what all of them share: that a tea is a tea is not what they say of it."""
    mean = vectors.mean(axis=0) * len(vectors) / (len(vectors) + FEW)
    apart = vectors - mean
    return np.asarray(
        apart / np.maximum(np.linalg.norm(apart, axis=1, keepdims=True), 1e-9), dtype=np.float32
    )


def _linked(vectors: Vectors, positive: Floats) -> list[Rows]:
    """Return rows that say the same. Many sentences are linked block by block, then the blocks' groups."""
    # The product of two points is the cosine, and what agreement in polarity adds or takes.
    side = np.sqrt(OPINION) * (2 * positive[:, None] - 1)
    points = np.hstack([vectors, side]).astype(np.float32)
    parts: list[Rows] = []
    for start in range(0, len(points), BLOCK):
        here = np.arange(start, min(start + BLOCK, len(points)))
        parts += [here[inside] for inside in _link(points[here])]
    if len(points) <= BLOCK:
        return parts
    parts.sort(key=lambda part: (-len(part), int(part[0])))
    # The mean likeness of two groups is the product of their means.
    means = np.stack([points[part].mean(axis=0) for part in parts])
    merged = [inside.tolist() for inside in _link(means[:BLOCK])]
    large = np.stack([points[np.concatenate([parts[i] for i in inside])].mean(axis=0) for inside in merged])
    for first in range(BLOCK, len(parts), BLOCK):
        near = means[first : first + BLOCK] @ large.T
        for i, best in enumerate(near.argmax(axis=1).tolist(), first):
            if near[i - first, best] >= ALIKE:
                merged[best].append(i)
            else:
                merged.append([i])
    return [np.sort(np.concatenate([parts[i] for i in inside])) for inside in merged]


def _link(points: Vectors) -> list[Rows]:
    if len(points) == 1:
        return [np.zeros(1, dtype=np.int64)]
    apart = np.maximum(1 - points @ points.T, 0)
    labels = fcluster(linkage(squareform(apart, checks=False), "average"), 1 - ALIKE, "distance")
    order = np.argsort(labels, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(labels[order])) + 1)


def _split(parts: Iterable[Rows], positive: Floats) -> list[Rows]:
    """Take groups apart in which some praise and others blame; the unsure go with the greater side."""
    result = []
    for part in parts:
        praise, blame = positive[part] >= SURE, positive[part] <= 1 - SURE
        if praise.any() and blame.any():
            fewer = praise if praise.sum() < blame.sum() else blame
            result += [part[~fewer], part[fewer]]
        else:
            result.append(part)
    return result


def _centre(vectors: Vectors) -> Vectors:
    mean = vectors.mean(axis=0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9), dtype=np.float32)


def _group(rows: Rows, lines: Lines, standing: Floats, place: Floats) -> Group:
    if len(rows) == 1:  # most groups are
        return _alone(int(rows[0]), lines, standing, place)
    inside, order = lines.vectors[rows], rows.tolist()
    positive = sentiment.of_review(lines.positive[rows])
    fitness = inside @ inside.mean(axis=0) + standing[rows]
    fitness -= UNLIKE * np.abs(lines.positive[rows] - positive)
    fitness -= np.array([not fit(lines.quotes[i].text) for i in order], dtype=np.float32)
    # The same sentence read in another batch differs in the sixth place: the first of the same goes first.
    order = rows[np.argsort(-fitness.round(4), kind="stable")].tolist()
    first: dict[int, int] = {}
    for row in order:
        first.setdefault(int(lines.review[row]), row)
    return Group(
        quotes=tuple(lines.quotes[row] for row in first.values()),
        sentiment=sentiment.polarity(positive),
        positive=positive,
        salience=float(standing[order[0]]),
        place=float(place[rows].mean()),
        vector=_centre(inside),
    )


def _alone(row: int, lines: Lines, standing: Floats, place: Floats) -> Group:
    positive = min(max(float(lines.positive[row]), 0.01), 0.99)  # as `sentiment.of_review` of one
    return Group(
        quotes=(lines.quotes[row],),
        sentiment=sentiment.polarity(positive),
        positive=positive,
        salience=float(standing[row]),
        place=float(place[row]),
        vector=lines.vectors[row],
    )


def _named(groups: Sequence[Group]) -> list[Group]:
    """Return the groups, each with the phrase that most of its sentences and few others share."""
    per_group: list[Counter[str]] = []
    written: dict[str, Counter[str]] = {}
    everywhere: Counter[str] = Counter()
    for group in groups:
        seen: Counter[str] = Counter()
        for quote in group.quotes if group.count > 1 else ():
            for stems, words in dict(phrases_in(quote.text)).items():
                seen[stems] += 1
                written.setdefault(stems, Counter())[words] += 1
        per_group.append(seen)
        everywhere.update(seen)
    named = []
    for group, seen in zip(groups, per_group, strict=True):
        least = max(2, group.count // 3)
        rank = {
            stems: n * n / everywhere[stems] * (1 + phrases.LONGER * stems.count(" "))
            for stems, n in seen.items()
            if n >= least
        }
        if rank:
            best = max(rank, key=lambda stems: (rank[stems], stems))
            group = replace(
                group, aspect=min(written[best], key=lambda words: (-written[best][words], words))
            )
        named.append(group)
    return named


def _opposed(groups: Sequence[Group]) -> list[Group]:
    """Return the groups, those that say the opposite about the same thing knowing of each other."""
    told = [i for i, group in enumerate(groups) if group.count > 1 and abs(2 * group.positive - 1) >= _FAR]
    centres = np.stack([group.vector for group in groups if group.vector is not None])[told]
    pairs = []
    for row in range(1, len(told)):
        near = centres[:row] @ centres[row]
        for other in np.flatnonzero(near >= OPPOSED).tolist():
            if groups[told[row]].sentiment != groups[told[other]].sentiment:
                pairs.append((float(near[other]), told[other], told[row]))
    against: dict[int, int] = {}
    for _, first, second in sorted(pairs, key=lambda pair: (-pair[0], pair[1:])):
        if first not in against and second not in against:
            against[first], against[second] = second, first
    return [replace(group, against=against.get(i)) for i, group in enumerate(groups)]
