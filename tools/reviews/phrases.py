"""The phrases that tell praise from blame.

Log-odds with an informative Dirichlet prior (Monroe, Colaresi & Quinn 2008, "Fightin' Words", eq. 15, 16
and 22): how much more often a phrase stands in sentences that praise than in those that blame, in standard
errors, the counts shrunk towards what is usual in all of the shop's reviews.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import sparse

from storewise.tools.reviews.ragged import Terms
from storewise.tools.stems import stemmed

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

LONGEST = 3  # words of a phrase
PRIOR = 500.0  # counts that the prior is worth, at most a tenth of all that were made
TELLING = 1.0  # standard errors
LONGER = 0.3  # what each further word of a phrase is worth
SAME = 0.5  # phrases that share a word and this share of their reviews say the same


def _words(name: str) -> frozenset[str]:
    """Return one of the word lists of words.json."""
    lists = json.loads((Path(__file__).parent / "words.json").read_text(encoding="utf-8"))
    return frozenset(" ".join(lists[name]).split())


_PART = re.compile(r"[.,;:!?()\[\]\"“”…/]|\s-+\s|\n")
_WORD = re.compile(r"[a-z]+(?:['’][a-z]+)*(?:-[a-z]+)*")
# Words that begin no phrase and end none.
_STOP = _words("stop")
# Words that turn what follows: they may begin a phrase ("not fresh", "too sweet"), but are none alone.
_TURNING = _words("turning")
NO_MEANING = _STOP | _TURNING  # words that a search passes over
# Mere praise and blame: telling beside a thing ("great taste"), not alone.
_GENERIC = _words("generic")


def stem(word: str) -> str:
    """Return the stem of a lower-case word."""
    return stemmed(word.replace("’", "'"))


def candidates(sentence: str) -> list[tuple[str, str]]:
    """Return the phrases of a sentence: its stems, by which it is counted, and its words."""
    found = []
    for part in _PART.split(html.unescape(sentence).lower()):
        words = [word.replace("’", "'") for word in _WORD.findall(part)]
        for start, first in enumerate(words):
            if first in _STOP and first not in _TURNING:
                continue
            if start and words[start - 1] in _TURNING:
                continue  # "no mess" is not "mess"
            for length in range(1, LONGEST + 1):
                phrase = words[start : start + length]
                if len(phrase) < length:
                    break
                if _names_something(phrase):
                    found.append((" ".join(map(stem, phrase)), " ".join(phrase)))
    return found


def _names_something(phrase: list[str]) -> bool:
    """Say whether a phrase ends in a word of meaning and is not mere praise or blame."""
    last = phrase[-1]
    if last in _STOP or last in _TURNING or len(last) < 3:
        return False
    return any(w not in _STOP and w not in _TURNING and w not in _GENERIC and len(w) > 2 for w in phrase)


@dataclass(frozen=True)
class PhraseTable:
    """Which phrases stand in which sentences: a row a sentence, a column a phrase."""

    stems: tuple[str, ...]
    written: tuple[str, ...]
    counts: sparse.csr_matrix


def spoken(sentences: Sequence[str]) -> Terms:
    """Return the candidates of each sentence, as terms that `count` reads."""
    return Terms.of([f"{stems}\t{words}" for stems, words in candidates(s)] for s in sentences)


def count(said: Terms, review: Rows, least: int = 2) -> PhraseTable:
    """Count the phrases that stand in at least `least` reviews.

    `said` is what `spoken` returns; `review[i]` says which review sentence i belongs to.
    """
    # No list or tuple a phrase: so many of them keep the collector of garbage busy longer than all the rest.
    cuts = [name.index("\t") for name in said.names]
    stems = [name[:cut] for name, cut in zip(said.names, cuts, strict=True)]
    every = sorted(set(stems))
    place = {one: i for i, one in enumerate(every)}
    stem_of = np.fromiter(map(place.__getitem__, stems), dtype=np.int64, count=len(stems))
    phrase = stem_of[said.indices]
    reviews = int(review.max()) + 1 if len(review) else 1
    held = np.bincount(_distinct(phrase * reviews + review[said.text]) // reviews, minlength=len(every))
    kept = np.flatnonzero(held >= least)
    # Of several ways to write a phrase, the most usual; of equals the first in the alphabet, as names are.
    usual = np.bincount(said.indices, minlength=len(stems))
    order = np.lexsort((np.arange(len(stems)), -usual, stem_of))
    best = order[np.searchsorted(stem_of[order], kept)]
    column = np.full(len(every), -1, dtype=np.int64)
    column[kept] = np.arange(len(kept))
    inside = column[phrase] >= 0
    width = max(len(kept), 1)
    row, cell = np.divmod(_distinct(said.text[inside] * width + column[phrase[inside]]), width)
    counts = sparse.csr_matrix(
        (np.ones(len(row), dtype=np.float32), (row, cell)), shape=(len(said), len(kept))
    )
    written = (said.names[i][cuts[i] + 1 :] for i in best.tolist())
    return PhraseTable(tuple(every[i] for i in kept.tolist()), tuple(written), counts)


def _distinct(numbers: Rows) -> Rows:
    """Return the different ones of many numbers, ascending; `numpy.unique` takes far longer."""
    ordered = np.sort(numbers)
    return ordered[np.concatenate([[True], ordered[1:] != ordered[:-1]])] if len(ordered) else ordered


def log_odds(praise: Floats, blame: Floats, usual: Floats, prior: float) -> Floats:
    """Return the z-score of each phrase: positive where praise uses it more, negative where blame does.

    Args:
        praise, blame: counts of each phrase in either group.
        usual: counts of each phrase in all texts; they give the prior its shape.
        prior: how many counts the prior is worth.
    """
    if not usual.sum():
        return np.zeros_like(praise, dtype=np.float64)
    alpha = prior * (usual + 0.01) / (usual + 0.01).sum()
    first, second = praise + alpha, blame + alpha
    all_first, all_second = first.sum(), second.sum()
    delta = np.log(first / (all_first - first)) - np.log(second / (all_second - second))
    return np.asarray(delta / np.sqrt(1 / first + 1 / second), dtype=np.float64)


@dataclass(frozen=True)
class Phrase:
    """A telling phrase: as most often written, in how many reviews, and the sentences (rows) it stands in."""

    text: str
    reviews: int
    score: float
    rows: tuple[int, ...]


def telling(
    table: PhraseTable, praise: Rows, blame: Rows, review: Rows, top: int, least: int, known: str = ""
) -> tuple[list[Phrase], list[Phrase]]:
    """Return the phrases most typical of praise and those most typical of blame, best first.

    Args:
        table: the phrases of all sentences.
        praise, blame: rows of the sentences that praise and blame.
        review: which review each row of the table belongs to.
        top: how many of each at most.
        least: in how many reviews a phrase must praise (or blame).
        known: what all of the reviews are about; its own words tell nothing.
    """
    said = _STEMS_OF_NO_WEIGHT | {stem(word) for word in _WORD.findall(known.lower())}
    first = np.asarray(table.counts[praise].sum(axis=0)).ravel().astype(np.float64)
    second = np.asarray(table.counts[blame].sum(axis=0)).ravel().astype(np.float64)
    usual = np.asarray(table.counts.sum(axis=0)).ravel().astype(np.float64)
    scores = log_odds(first, second, usual, min(PRIOR, usual.sum() / 10))
    praised = _choose(table, praise, review, scores, said, top, least)
    blamed = _choose(table, blame, review, -scores, said, top, least)
    return praised, blamed


def _choose(
    table: PhraseTable, rows: Rows, review: Rows, scores: Floats, known: frozenset[str], top: int, least: int
) -> list[Phrase]:
    """Take phrases by score, leaving out those that say what one taken before says."""
    columns = table.counts[rows].tocsc()
    able = np.flatnonzero((scores >= TELLING) & (np.diff(columns.indptr) >= least))
    words = {column: set(table.stems[column].split()) for column in able.tolist()}
    # Of a word and a phrase around it with like scores, the phrase says more.
    rank = {column: scores[column] * (1 + LONGER * (len(words[column]) - 1)) for column in words}
    chosen: list[tuple[Phrase, set[str], set[int]]] = []
    for column in sorted(words, key=lambda column: (-rank[column], column)):
        if len(chosen) == top:
            break
        inside = rows[columns.indices[columns.indptr[column] : columns.indptr[column + 1]]]
        reviews = set(review[inside].tolist())
        telling_words = words[column] - known
        if not telling_words or len(reviews) < least or _said(telling_words, reviews, chosen):
            continue
        phrase = Phrase(
            text=table.written[column],
            reviews=len(reviews),
            score=float(scores[column]),
            rows=tuple(int(row) for row in inside),
        )
        chosen.append((phrase, telling_words, reviews))
    return [phrase for phrase, _, _ in chosen]


_STEMS_OF_NO_WEIGHT = frozenset(stem(word) for word in _STOP | _TURNING | _GENERIC)


def _said(words: set[str], reviews: set[int], chosen: Iterable[tuple[Phrase, set[str], set[int]]]) -> bool:
    """Say whether a phrase shares a word and most of its reviews with one that was chosen before it."""
    return any(
        words & others and len(reviews & known) >= SAME * min(len(reviews), len(known))
        for _, others, known in chosen
    )
