"""Which sides of a product a sentence speaks of ("taste", "price", …), and how it judges each of them.

Two linear heads (`aspects.npz`): one finds the aspects from a sentence's embedding, its stems and lists of
words; the other judges the clause that speaks of an aspect. They were learned by `finetune/aspects.py` from
sentences labelled by hand under benchmarks/labels/aspects_guide.md; recipe and scores are in `aspects.json`.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import sparse

from storewise.tools.reviews import sentiment
from storewise.tools.reviews.phrases import stem
from storewise.tools.reviews.summary import AspectShare

Side = Literal["positive", "neutral", "negative"]
Floats = npt.NDArray[np.float32]
Codes = npt.NDArray[np.int8]
Numbers = npt.NDArray[np.int64]

HERE = Path(__file__).parent
SIDES: tuple[Side, ...] = ("positive", "neutral", "negative")
# How a table of sentences stores an aspect: 0 where it is not spoken of, else 1 and on for these sides.
CODE: dict[Side, int] = {side: number for number, side in enumerate(SIDES, 1)}
TERMS, LISTED = 2.0, 0.5  # what terms and lists weigh beside an embedding; chosen in training
CHUNK = 4096  # sentences judged at once

_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?|[0-9]+|[!?$]")
_CLAUSE = re.compile(
    r"[,;:()–—]+\s*|\s-+\s|\s(?=(?:but|although|though|however|except|yet|while|whereas|because|only)\b)",
    re.I,
)

_GOOD = (
    "(?:good|great|excellent|wonderful|awesome|amazing|fantastic|terrific|perfect|nice|outstanding|superb|fabulous"
    "|best|better|worst|worse|terrible|horrible|awful|bad|decent|favou?rite|ok|okay|fine|incredible|lovely"
    "|delightful|impressive|disappointing|super|finest|brilliant)"
)
_LOVE = (
    "(?:lov(?:e|es|ed|ing)|lik(?:e|es|ed)|enjoy(?:s|ed|ing)?|hat(?:e|es|ed)|ador(?:e|es|ed)|prefer(?:s|red)?)"
)
_PET = (
    "(?:dogs?|cats?|pup(?:s|py|pies)?|kitt(?:y|ies|en|ens)|pugs?|chihuahuas?|labs?|terriers?|shepherds?"
    "|dachshunds?|poodles?|yorkies?|pets?|birds?|parrot|hamster|rabbit|ferret|pooch|retrievers?|beagles?|horses?)"
)
_EATS = "(?:eats?|crazy|nuts|gobble\\w*|wild|beg\\w*|devour\\w*|refuse\\w*|touch|happy|excited|picky|bonkers)"
# Turns of phrase that tell more than their words: the product itself as what is loved, a pet as who loves it.
TURNS = tuple(
    re.compile(pattern, re.I)
    for pattern in (
        rf"\b{_LOVE} (?:it|them|this|these|those|that|all of (?:them|it))\b(?!\s*\w*(?:taste|flavou?r|smell|price))",
        rf"\b(?:is|are|was|were|'s|'re|been) (?:\w+ ){{0,2}}{_GOOD}[\s.!,]*$",
        rf"\b(?:it|they|this|these) (?:is|are|was|were) (?:\w+ ){{0,2}}{_GOOD}\b",
        rf"\b{_GOOD} (?:\w+ )?(?:product|item|stuff|purchase|treat|snack|food|buy|coffee|tea|candy|cookies?|chocolate"
        r"|cereal|sauce|soup|chips|drink|bars?)\b",
        r"\bbest \w+(?: \w+)? (?:ever|i|we|out|around|in the world|on the market)\b",
        r"\bfavou?rites?\b",
        r"\brecommend",
        r"\b(?:buy|order|purchas|get)\w* (?:\w+ ){0,3}(?:again|more)\b",
        r"\bnever (?:buy|order|purchase)|not (?:buy|order|purchase|recommend)",
        r"\bstars?\b",
        r"\b(?:disappoint|regret|sorry\b)",
        r"\b(?:threw|throw|tossed|toss|trash|garbage)\b",
        r"\b(?:hooked|addict|fan of|big fan|huge fan|can't live|must have|hit with|staple)\b",
        rf"\b{_PET}\b.{{0,40}}\b(?:{_LOVE}|{_EATS})\b",
        rf"\b(?:he|she|they|both)\b (?:\w+ ){{0,2}}(?:{_LOVE}|{_EATS})\b",
        rf"\b{_GOOD} (?:with|in|on|for|as|over|when)\b",
        r"\b(?:perfect|great|good|ideal|excellent|wonderful|nice) (?:way|addition|alternative|substitute|gift|snack)\b",
        r"\b(?:i|we) (?:\w+ )?(?:use|used|put|add|added|mix|mixed|sprinkle|pour|serve|eat|drink|make|made)\b",
        r"^(?:bake|boil|add|mix|stir|heat|cook|serve|use|take|let|place|pour|put|combine|simmer|store)\b",
        r"\b\d+ ?(?:oz|ounces?|lbs?|pounds?|grams?|g|pack|ct|count|inch(?:es)?)\b",
        r"\?\s*$",
        r"\bnot (?:what|like|as|the)\b.{0,30}\b(?:pictur|photo|describ|advertis|shown|said|expected)",
        r"\btoo (?:sweet|salty|bitter|strong|weak|spicy|sour|hot)\b",
        r"\b(?:no|low|less|high|without) (?:\w+ )?(?:sugar|fat|salt|sodium|carbs?|calorie|preservatives|additives|msg"
        r"|gluten)|\w+[- ]free\b",
    )
)


def _lists() -> dict[str, dict[str, list[str]]]:
    content: dict[str, dict[str, list[str]]] = json.loads(
        (HERE / "aspect_words.json").read_text(encoding="utf-8")
    )
    return content


NAMES: tuple[str, ...] = tuple(_lists())


def words(text: str) -> list[str]:
    """Return the stems of the words of `text`, and its marks and numbers."""
    return [
        stem(word) if word[0].isalpha() else "0" if word[0].isdigit() else word
        for word in _WORD.findall(html.unescape(text).lower().replace("’", "'"))
    ]


def terms(stems: Sequence[str]) -> list[str]:
    """Return the stems and the pairs of neighbouring ones."""
    return [*stems, *(f"{first} {second}" for first, second in pairwise(stems))]


@lru_cache(maxsize=1)
def _listed() -> dict[str, tuple[int, ...]]:
    """Return which aspects' lists hold a run of one to three stems."""
    found: dict[str, set[int]] = {}
    for number, lists in enumerate(_lists().values()):
        for entry in lists["words"]:
            found.setdefault(" ".join(words(entry)), set()).add(number)
    return {run: tuple(sorted(numbers)) for run, numbers in found.items()}


def listed(stems: Sequence[str]) -> dict[int, int]:
    """Return the aspects whose lists hold words of a sentence, with how many."""
    lists = _listed()
    found: dict[int, int] = {}
    for length in (1, 2, 3, 4):
        for start in range(len(stems) - length + 1):
            for number in lists.get(" ".join(stems[start : start + length]), ()):
                found[number] = found.get(number, 0) + 1
    return found


def clauses(text: str) -> list[str]:
    """Return the clauses of a sentence, cut at marks and at words that turn it."""
    parts = [part.strip() for part in _CLAUSE.split(text)]
    return [part for part in parts if part] or [text]


def features(
    texts: Sequence[str], column: Mapping[str, int], idf: Floats
) -> tuple[sparse.csr_matrix, Floats]:
    """Return the texts' known terms (idf, of length 1) and, for each aspect and turn of phrase, what they hold.

    Shapes (texts, terms) and (texts, aspects + turns).
    """
    values: list[float] = []
    columns: list[int] = []
    starts = [0]
    flags = np.zeros((len(texts), len(NAMES) + len(TURNS)), dtype=np.float32)
    for row, text in enumerate(texts):
        stems = words(text)
        known = sorted({column[term] for term in terms(stems) if term in column})
        weights = idf[known]
        values += (weights / max(float(np.sqrt(weights @ weights)), 1e-9)).tolist()
        columns += known
        starts.append(len(columns))
        for number, count in listed(stems).items():
            flags[row, number] = LISTED * (1 + 0.3 * (min(count, 3) - 1))
        for number, pattern in enumerate(TURNS, len(NAMES)):
            if pattern.search(text):
                flags[row, number] = 1.0
    found = sparse.csr_matrix(
        (np.array(values, dtype=np.float32), np.array(columns, dtype=np.int32), np.array(starts)),
        shape=(len(texts), len(column)),
    )
    return found * TERMS, flags


@dataclass(frozen=True)
class Head:
    """Logistic regressions, an output an aspect, over embedding, terms and flags; and the judge of sides.

    Attributes:
        embedding, weight, flags, bias: (384, aspects), (terms, aspects), (aspects + turns, aspects), (aspects,).
        thresholds: the probability from which an aspect is spoken of.
        judge, judge_bias: (aspects + cues + judge terms, sides) and (sides,), see `told`.
    """

    version: str
    vocabulary: tuple[str, ...]
    idf: Floats
    embedding: Floats
    weight: Floats
    flags: Floats
    bias: Floats
    thresholds: Floats
    judge_terms: tuple[str, ...] = ()
    judge: Floats | None = None
    judge_bias: Floats | None = None

    @cached_property
    def column(self) -> dict[str, int]:
        """The row of each term in `weight`."""
        return {term: number for number, term in enumerate(self.vocabulary)}

    @cached_property
    def judge_column(self) -> dict[str, int]:
        """The place of each of the judge's terms."""
        return {term: number for number, term in enumerate(self.judge_terms)}

    def probability(self, texts: Sequence[str], vectors: Floats) -> Floats:
        """Return how likely each text speaks of each aspect, shape (texts, aspects), in the order of NAMES.

        `vectors` are the embeddings of `texts`, shape (len(texts), 384).
        """
        found, flags = features(texts, self.column, self.idf)
        scores = vectors.astype(np.float32) @ self.embedding + self.bias
        scores += found @ self.weight + flags @ self.flags
        # Without a letter there is nothing to find: emoji, numbers and dots speak of no aspect.
        for row, text in enumerate(texts):
            if not any(character.isalpha() for character in text):
                scores[row] = -20.0
        return np.asarray(1 / (1 + np.exp(-scores)), dtype=np.float32)

    def judged(self, texts: Sequence[str], vectors: Floats, positive: Floats) -> Codes:
        """Return how each text tells each aspect: 0 where it does not, else a CODE; shape (texts, aspects).

        `vectors` are their embeddings, `positive` is how likely each praises.
        """
        codes = np.zeros((len(texts), len(NAMES)), dtype=np.int8)
        for start in range(0, len(texts), CHUNK):
            part, near = texts[start : start + CHUNK], vectors[start : start + CHUNK]
            whole = positive[start : start + CHUNK]
            rows, aspects = np.nonzero(self.probability(part, near) >= self.thresholds)
            if len(rows) and self.judge is not None:
                scores = self.told(part, near, whole, rows, aspects) @ self.judge + self.judge_bias
                codes[start + rows, aspects] = 1 + np.argmax(scores, axis=1)
        return codes

    def told(
        self, texts: Sequence[str], vectors: Floats, positive: Floats, rows: Numbers, aspects: Numbers
    ) -> sparse.csr_matrix:
        """Return what the judge goes by, a row for each aspect of a text.

        That is: the aspect itself; how likely the text, and the clause that speaks of the aspect, praise;
        cues of praise, blame and plain telling in the clause; its terms.
        """
        clause = [self._clause(texts[row], aspect) for row, aspect in zip(rows, aspects, strict=True)]
        head = sentiment.head()
        whole = _log_odds(positive)[rows]
        near = _log_odds(head.probability(clause, vectors[rows]))
        own = _log_odds(head.probability(clause, np.zeros_like(vectors[rows])))
        cues = np.column_stack(
            [
                0.5 * np.column_stack([whole, near, own, np.abs(whole), np.abs(near)]),
                [[float(pattern.search(part) is not None) for pattern in CUES] for part in clause],
                [[float(texts[row].rstrip().endswith("?"))] for row in rows],
            ]
        )
        which = np.zeros((len(rows), len(NAMES)))
        which[np.arange(len(rows)), aspects] = 1.0
        values: list[float] = []
        columns: list[int] = []
        starts = [0]
        for part in clause:
            known = sorted({self.judge_column[t] for t in sentiment.terms(part) if t in self.judge_column})
            columns += known
            values += [1 / max(len(known), 1) ** 0.5] * len(known)
            starts.append(len(columns))
        said = sparse.csr_matrix((values, columns, starts), shape=(len(rows), len(self.judge_terms)))
        return sparse.hstack([sparse.csr_matrix(which), sparse.csr_matrix(cues), said]).tocsr()

    def _clause(self, text: str, aspect: int) -> str:
        """Return the clause of `text` that speaks of `aspect`: the one whose words stand for it most."""
        parts = clauses(text)
        if len(parts) == 1:
            return text

        def stands_for(part: str) -> float:
            stems = words(part)
            known = [self.column[term] for term in terms(stems) if term in self.column]
            return float(self.weight[known, aspect].sum()) + 2.0 * listed(stems).get(aspect, 0)

        return max(parts, key=stands_for)


# What speaks for a side in a clause, whatever its words' polarity.
CUES = tuple(
    re.compile(pattern, re.I)
    for pattern in (
        r"\b(?:not|no|never|n't|without|isn't|wasn't|don't|doesn't|didn't|can't|couldn't)\b|n't\b",
        r"\b(?:too|only|just|barely|hardly)\b",
        r"\b(?:wish|would be nice|could be|should|hope)\b",
        r"\b(?:if|maybe|perhaps|might)\b",
        r"\b(?:but|although|though|however)\b",
        r"\b(?:a little|a bit|slightly|somewhat|kind of|ok|okay|average|decent)\b",
        r"\b(?:i|we) (?:\w+ )?(?:use|used|put|add|added|mix|mixed|sprinkle|pour|serve|eat|drink|make|made)\b",
        r"\d",
        r"!",
    )
)


def _log_odds(probability: Floats) -> Floats:
    clipped = np.clip(probability, 0.01, 0.99)
    return np.asarray(np.log(clipped / (1 - clipped)), dtype=np.float32)


@lru_cache(maxsize=1)
def card() -> dict[str, Any]:
    """Return version, recipe and scores of the shipped heads."""
    content: dict[str, Any] = json.loads((HERE / "aspects.json").read_text(encoding="utf-8"))
    return content


@lru_cache(maxsize=1)
def head() -> Head:
    """Return the shipped heads."""
    with np.load(HERE / "aspects.npz", allow_pickle=False) as file:
        arrays = {
            name: file[name].astype(np.float32)
            for name in ("idf", "embedding", "weight", "flags", "bias", "thresholds", "judge", "judge_bias")
        }
        return Head(
            version=str(card()["version"]),
            vocabulary=tuple(file["vocabulary"].tolist()),
            judge_terms=tuple(file["judge_terms"].tolist()),
            **arrays,
        )


def side(code: int) -> Side | None:
    """Return what a code of `Head.judged` stands for, None for 0."""
    return SIDES[code - 1] if code else None


def resolve(aspect: str) -> str | None:
    """Return the aspect that `aspect` names, however written ("flavour" is taste), or None.

    A name or one of its other names counts, then one that only shares its words in another form or order.
    """
    asked = words(aspect)
    return _called().get(" ".join(asked)) or _called().get(" ".join(sorted(set(asked) - _FILLERS)))


_FILLERS = frozenset(
    word for filler in ("the", "of", "its", "their", "a", "an", "and") for word in words(filler)
)


@lru_cache(maxsize=1)
def _called() -> dict[str, str]:
    found: dict[str, str] = {}
    for name, lists in _lists().items():
        for called in (name, *lists["called"]):
            stems = words(called)
            found.setdefault(" ".join(stems), name)
            found.setdefault(" ".join(sorted(set(stems) - _FILLERS)), name)
    return found


def tally(reviews: Iterable[object], codes: Iterable[int]) -> dict[Side, int]:
    """Return how many reviews praise, tell plainly and blame, from a code for each of their sentences.

    A review that does both praise and blame is counted as neutral, and each review once.
    """
    told: dict[object, set[int]] = {}
    for review, code in zip(reviews, codes, strict=True):
        if code:
            told.setdefault(review, set()).add(int(code))
    counts: dict[Side, int] = dict.fromkeys(SIDES, 0)
    for found in told.values():
        praise, blame = CODE["positive"] in found, CODE["negative"] in found
        counts["positive" if praise and not blame else "negative" if blame and not praise else "neutral"] += 1
    return counts


def shares(ids: Sequence[str], codes: Codes) -> tuple[AspectShare, ...]:
    """Return the aspects that sentences speak of, those of most reviews first, with how many reviews judge them.

    Args:
        ids: the review that each sentence is of.
        codes: how the sentences tell the aspects, see `Head.judged`.
    """
    found = []
    for number, name in enumerate(NAMES):
        counts = tally(ids, codes[:, number].tolist())
        if total := sum(counts.values()):
            found.append(
                AspectShare(
                    aspect=name, reviews=total, positive=counts["positive"], negative=counts["negative"]
                )
            )
    return tuple(sorted(found, key=lambda share: (-share.reviews, share.aspect)))
