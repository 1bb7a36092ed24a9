"""Sides of products that a shop's own reviews judge and no known aspect covers.

Nouns that are judged in so many words ("the noise is awful", "I love the design") in sentences of praise or
blame which no known aspect covers are candidates; those alike in meaning are merged under the commonest,
and what is alike to a known aspect is left to it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypedDict

import numpy as np
import numpy.typing as npt
import pandas as pd

from storewise.tools.reviews import aspects, embedding, entities, phrases, sentiment

LEAST = 4  # reviews, or this share of them all if that is more
SHARE = 0.001
CANDIDATES = 60
ALIKE = 0.5  # cosine from which two nouns name one aspect
KNOWN = 0.55  # cosine from which a noun is another name of a known aspect
MOST = 10

Marks = npt.NDArray[np.bool_]

_NOUN = r"([a-z]{3,}(?:[ -][a-z]{3,})?)"
_JUDGED = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\b(?:the|its|their|this) {_NOUN} (?:is|are|was|were|isn't|wasn't|seems?|could be|needs to)\b",
        rf"\b(?:love|like|hate|enjoy|loved|liked|hated|appreciate) (?:the|its|their) {_NOUN}\b",
        rf"\b(?:great|good|bad|poor|excellent|awful|terrible|nice|horrible|amazing|wonderful|perfect) {_NOUN}\b",
    )
)


class NewAspect(TypedDict):
    """An aspect found in reviews: its nouns, and how many reviews speak of it, praise it and blame it."""

    name: str
    nouns: list[str]
    reviews: int
    positive: int
    negative: int


def find(
    texts: Sequence[str], review: npt.NDArray[np.int64], judged: Marks, covered: Marks, praised: Marks
) -> list[NewAspect]:
    """Return the aspects that the reviews speak of besides the known ones, the most often named first.

    Args:
        texts: all sentences.
        review: which review each sentence belongs to.
        judged: which sentences praise or blame.
        covered: which speak of a known aspect other than the product as a whole.
        praised: which praise.
    """
    lines: dict[str, list[int]] = {}
    for line in np.flatnonzero(judged & ~covered).tolist():
        for noun in sorted(nouns(texts[line])):
            lines.setdefault(noun, []).append(line)
    said_in = {noun: len(set(review[rows].tolist())) for noun, rows in lines.items()}
    least = max(LEAST, int(SHARE * len(np.unique(review))))
    able = sorted((noun for noun in lines if said_in[noun] >= least), key=lambda noun: (-said_in[noun], noun))
    found = []
    for group in _merged(able[:CANDIDATES]):
        rows = np.unique([line for noun in group for line in lines[noun]])
        praise, blame = (set(review[rows[side]].tolist()) for side in (praised[rows], ~praised[rows]))
        found.append(
            NewAspect(
                name=group[0],
                nouns=group,
                reviews=len(praise | blame),
                positive=len(praise - blame),
                negative=len(blame - praise),
            )
        )
    return sorted(found, key=lambda aspect: (-aspect["reviews"], aspect["name"]))[:MOST]


def of_lines(texts: Sequence[str], review: npt.NDArray[np.int64], lines: pd.DataFrame) -> list[NewAspect]:
    """Return `find` of an index's sentences: `lines` holds how each judges (positive, a column an aspect)."""
    positive = lines["positive"].to_numpy(dtype=np.float32)
    judged = np.asarray(np.abs(positive - 0.5) >= sentiment.SURE - 0.5, dtype=np.bool_)
    sides = lines[[name for name in aspects.NAMES if name != "overall"]].to_numpy(dtype=np.int8)
    covered = np.asarray((sides > 0).any(axis=1), dtype=np.bool_)
    return find(texts, review, judged, covered, np.asarray(positive > 0.5))


def nouns(text: str) -> set[str]:
    """Return the nouns that a sentence judges in so many words and that may name a side of a product."""
    small = text.lower().replace("’", "'")
    found = set()
    for pattern in _JUDGED:
        for match in pattern.finditer(small):
            words = re.split(r"[ -]", match[1])
            while words and words[-1] in _NO_NOUN:
                words.pop()
            if words and not any(word in _NO_NOUN for word in words) and _names_a_side(words):
                found.add(" ".join(words))
    return found


def _names_a_side(words: Sequence[str]) -> bool:
    """Say whether a run of words may name a side: it names no person, thing to buy, or known aspect."""
    lists = entities.general()
    keys = [entities.singular(word) for word in words]
    if any(key in lists.things or key in lists.brands or key in _PEOPLE for key in keys):
        return False
    if words[-1].endswith(("ly", "ed", "ing", "est", "ful", "ous", "able", "ish", "ive", "less")):
        return False
    return not aspects.listed([phrases.stem(word) for word in words])


_NO_NOUN = frozenset(
    "for and the that this with but you they too its not are was were very than then when what which who how all"
    " any one two only just also even more most much many some such same other another first last next best"
    " better worse worst new old big little lot bit really quite pretty super thank thanks too enough right"
    " wrong here there now ever never always again about after before because while until from into over under"
    " out off down has have had will would can could should may might must does did done get got give make made"
    " go went come came see seen say said try tried use used way thing things stuff kind sort type one ones"
    " products product item items brand brands stars review reviews reviewer reviewers purchase price taste flavor"
    " idea news fact reason problem issue issues luck job choice day days morning time times year years money deal"
    " buy find seller company food foods snack snacks treat treats drink drinks meal life world".split()
)
# Who speaks and whom it is for.
_PEOPLE = frozenset(
    "husband wife son daughter kid child baby toddler mother mom father dad sister brother family friend guest girl"
    " boy man woman grandson granddaughter grandma people person everyone customer dog cat pet puppy kitten vet"
    " doctor teenager boyfriend girlfriend roommate coworker fan home house hand door heart".split()
)


def _merged(written: Sequence[str]) -> list[list[str]]:
    """Return groups of nouns alike in meaning, led by the commonest; none that names a known aspect."""
    if not written:
        return []
    vectors = embedding.encode(list(written))
    known = embedding.encode([name for name in aspects.NAMES if name != "overall"])
    stems = [{phrases.stem(word) for word in text.split()} for text in written]
    groups: list[list[int]] = []
    for number, vector in enumerate(vectors):
        if aspects.resolve(written[number]) or float((known @ vector).max()) >= KNOWN:
            continue
        for group in groups:
            if stems[group[0]] & stems[number] or float(vectors[group[0]] @ vector) >= ALIKE:
                group.append(number)
                break
        else:
            groups.append([number])
    return [[written[number] for number in group] for group in groups]
