"""Does what customers wrote bear a claim out? Meaning, words, which way and how many, weighed together.

A claim is taken apart at its joints. Each part must come near a sentence in meaning, its words must stand
there or mean what a word there means, nothing may be turned round, and a quantity must fit the reviews that
say it. The weights (`claims.json`) were learned by `finetune/checking.py` from claims written by hand, right
ones and corrupted ones.
"""

from __future__ import annotations

import html
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from storewise.tools.reviews import embedding, phrases, sentiment
from storewise.tools.reviews.embedding import Vectors
from storewise.tools.reviews.summary import Quote

Encode = Callable[[Sequence[str]], Vectors]
Floats = npt.NDArray[np.float64]

HERE = Path(__file__).parent
# What is measured of a claim, and what is said where it speaks most against it.
FEATURES = {
    "usual": "few of the reviews say it",
    "weakest part": "a part of it stands in no review",
    "words": "its words are not the reviews'",
    "weakest word": "a word of it means nothing that the reviews say",
    "word meaning": "its words mean something else",
    "agreement": "it praises what the reviews blame, or the other way round",
    "turned": "it denies what the reviews say, or says what they deny",
    "opposite": "the reviews say the opposite",
    "unheard": "some of its words stand in no review",
}
SHARP = 8.0  # how much nearer sentences weigh more
ALSO = 0.75  # of the nearest review's closeness, from which another review says it, too
DENIED = 0.15  # how much surer the check must be of a claim that turns a word round
REACH = 7  # words after a negation that it turns, within its clause

_TURNED = list(FEATURES).index("turned")
_JOINT = re.compile(r"[,;:]\s|\s(?:and|but|though|although|because|while|or)\s", re.I)
_CLAUSE = re.compile(r"[.,;:!?()]|\s-+\s|\b(?:but|and|because|which|though|although|so|while)\b")
_WORD = re.compile(r"[a-z]+(?:['’][a-z]+)?|\d+(?:[.,]\d+)*")
_NAME = re.compile(r"(?<![.!?“”\"'] )(?<!^)\b(?:[A-Z][a-z]{2,}|[A-Z]{2,})\b")
_FIGURE = re.compile(r"\d+(?:[.,]\d+)*")
_NEGATION = re.compile(r"(?:not|no|never|none|nothing|neither|nor|without|hardly|barely|cannot|.+n't)")
_COUNTS = "one two three four five six seven eight nine ten".split()
_QUANTITY = re.compile(
    rf"^(?P<how>all|most|several|both|{'|'.join(_COUNTS)})\b(?: (?:of|the|these|those|them|{'|'.join(_COUNTS)})\b)*",
    re.I,
)
# Words that tell who speaks or how the sentence hangs together, not what is said.
_FRAME = frozenset(
    "customer customers buyer buyers owner owners people user users reviewer reviewers parents drinkers women men "
    "most all some several many few each every other others another half both say says said find finds found report "
    "reports tell tells call calls think thought feel it its they them their this that these those there is are was "
    "were be been being has have had do does did a an the of for to in on at by with from as and but or than very too "
    "so also just only even still which who whom what when while where because though although if into out up off "
    "over about more much well get gets got give gives make makes made come comes take takes can could will would "
    "product item i you he she we my your his her our me him us any same such enough then here again own "
    "one two three four five six seven eight nine ten".split()
)


@dataclass(frozen=True)
class Verdict:
    """Whether a claim is borne out, how surely (0 to 1), and what speaks against it most."""

    supported: bool
    score: float
    reason: str | None = None


@dataclass(frozen=True)
class _Word:
    stem: str
    text: str
    turned: bool


@dataclass(frozen=True)
class _Told:
    """A claim beside the sentences: how near each part is to each sentence, and who wrote it."""

    parts: list[str]
    near: Floats  # (1 + parts, sentences); the first row is the whole claim's
    praise: Floats  # of the whole claim and its parts, -1 (blames) to 1 (praises)
    praised: Floats  # of the sentences
    owners: list[str]


def supported(claim: str, sentences: Sequence[Quote], encode: Encode = embedding.encode) -> Verdict:
    """Say whether `claim` follows from `sentences`; those of one review have its id."""
    if not sentences or not words_of(claim):
        return Verdict(False, 0.0, "it says nothing that could be checked")
    wrong = _invented(claim, sentences)
    if wrong is not None:
        return Verdict(False, 0.0, wrong)
    told = _told(claim, sentences, encode)
    wrong = _miscounted(told)
    if wrong is not None:
        return Verdict(False, 0.0, wrong)
    card = weights()
    values = _measured(claim, sentences, told, encode)
    pulls = np.array(card["weights"]) * (values - np.array(card["means"])) / np.array(card["spreads"])
    score = float(1 / (1 + np.exp(-(pulls.sum() + card["bias"]))))
    # A word that the reviews only ever deny, or only the claim does, has to be outweighed by more.
    denied = values[_TURNED] >= 0.95
    if score >= card["threshold"] + DENIED * denied:
        return Verdict(True, score)
    return Verdict(False, score, list(FEATURES.values())[int(np.argmin(pulls))])


def all_supported(
    claims: Sequence[tuple[str, Sequence[Quote]]], encode: Encode = embedding.encode
) -> list[Verdict]:
    """Return what `supported` says of each claim and its sentences; all texts are embedded at once."""
    texts = dict.fromkeys(text for claim, sentences in claims for text in _embedded(claim, sentences))
    vectors = dict(zip(texts, encode(list(texts)), strict=True)) if texts else {}

    def known(asked: Sequence[str]) -> Vectors:
        return np.stack([vectors[text] for text in asked])

    return [supported(claim, sentences, known) for claim, sentences in claims]


def _embedded(claim: str, sentences: Sequence[Quote]) -> list[str]:
    """Return the texts whose embeddings `supported` asks for."""
    if not sentences or not words_of(claim) or _invented(claim, sentences):
        return []
    heard = _words_heard(sentences)
    new = [word.text for word in words_of(claim) if word.stem not in heard]
    words = [*heard.values(), *new] if new and heard else []
    return [*(quote.text for quote in sentences), claim, *parts_of(claim), *words]


def measured(claim: str, sentences: Sequence[Quote], encode: Encode = embedding.encode) -> Floats:
    """Return the FEATURES of a claim, in their order."""
    return _measured(claim, sentences, _told(claim, sentences, encode), encode)


@lru_cache(maxsize=1)
def weights() -> dict[str, Any]:
    """Return weights, recipe and scores of the shipped check."""
    content: dict[str, Any] = json.loads((HERE / "claims.json").read_text(encoding="utf-8"))
    return content


@lru_cache(maxsize=1)
def opposites() -> dict[str, frozenset[str]]:
    """Return for each stem the stems that say the opposite."""
    pairs = json.loads((HERE / "opposites.json").read_text(encoding="utf-8"))["opposites"]
    result: dict[str, set[str]] = defaultdict(set)
    for pair in pairs:
        one, other = ({phrases.stem(word) for word in side.split()} for side in pair)
        for side, against in ((one, other), (other, one)):
            for word in side:
                result[word] |= against - {word}
    return {word: frozenset(against) for word, against in result.items()}


def contrary(one: str, other: str) -> bool:
    """Say whether two texts hold a word and its opposite, or a word with an opposite that only one denies."""
    first, second = ({word.stem: word.turned for word in words_of(text)} for text in (one, other))
    if any(first[stem] != second[stem] for stem in first.keys() & second.keys() & opposites().keys()):
        return True
    return any(opposites().get(stem, frozenset()) & second.keys() for stem in first)


def parts_of(claim: str) -> list[str]:
    """Return the parts of a claim that say something, split at commas, colons and joining words."""
    parts = [part for part in (part.strip(" .") for part in _JOINT.split(claim)) if words_of(part)]
    return parts if len(parts) > 1 else [claim]


def words_of(text: str) -> list[_Word]:
    """Return the words of meaning in a text; those after a negation in their clause are turned."""
    found = []
    for clause in _CLAUSE.split(html.unescape(text).lower().replace("’", "'")):
        left = 0
        for word in _WORD.findall(clause):
            if _NEGATION.fullmatch(word):
                left = REACH
                continue
            if word not in _FRAME and len(word) > 1:
                found.append(_Word(phrases.stem(word), word, left > 0))
            left = max(0, left - 1)
    return found


def _told(claim: str, sentences: Sequence[Quote], encode: Encode) -> _Told:
    parts = parts_of(claim)
    texts = [quote.text for quote in sentences]
    vectors = np.asarray(encode([*texts, claim, *parts]), dtype=np.float32)
    count = len(texts)
    judged = sentiment.head().probability([*texts, claim, *parts], vectors)
    praise = 2 * judged.astype(np.float64) - 1
    near = (vectors[count:] @ vectors[:count].T).astype(np.float64)
    return _Told(parts, near, praise[count:], praise[:count], [quote.review_id for quote in sentences])


def _invented(claim: str, sentences: Sequence[Quote]) -> str | None:
    """Return what is wrong if a figure or a name of the claim stands in no sentence."""
    text = " ".join(quote.text for quote in sentences)
    reviews = len({quote.review_id for quote in sentences})
    figures = set(_FIGURE.findall(text)) | {str(number) for number in range(1, reviews + 1)}
    for figure in _FIGURE.findall(claim):
        if figure not in figures:
            return f"the figure {figure} stands in no review"
    stems = {word.stem for word in words_of(text)}
    for name in _NAME.findall(claim):
        if phrases.stem(name.lower()) not in stems and name.lower() not in text.lower():
            return f"{name} stands in no review"
    return None


def _miscounted(told: _Told) -> str | None:
    """Return what is wrong if a part says how many of the reviews say it, and it is not so many."""
    reviews = list(dict.fromkeys(told.owners))
    for row, part in enumerate(told.parts, 1):
        found = _QUANTITY.match(part)
        if found is None:
            continue
        how = found["how"].lower()
        least = {"all": len(reviews), "most": len(reviews) // 2 + 1, "several": 3, "both": 2}
        needed = least[how] if how in least else 1 + _COUNTS.index(how)
        near = {owner: 0.0 for owner in reviews}
        for column, owner in enumerate(told.owners):
            against = told.praise[row] * told.praised[column] < -0.2
            near[owner] = max(near[owner], 0.0 if against else told.near[row, column])
        saying = sum(value >= ALSO * max(near.values()) > 0 for value in near.values())
        if saying < needed:
            return f"{saying} of {len(reviews)} reviews say it, not {how}"
    return None


def _measured(claim: str, sentences: Sequence[Quote], told: _Told, encode: Encode) -> Floats:
    nearest: dict[str, float] = {}
    for column, owner in enumerate(told.owners):
        nearest[owner] = max(nearest.get(owner, -1.0), told.near[0, column])
    best = told.near.max(axis=0)
    heard: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for column, quote in enumerate(sentences):
        for word in words_of(quote.text):
            heard[word.stem][word.turned] += float(np.exp(SHARP * best[column]))
    texts = _words_heard(sentences)
    words = words_of(claim)
    meaning = _meanings(words, texts, encode)
    turned = [
        heard[word.stem][not word.turned] / sum(heard[word.stem]) for word in words if word.stem in texts
    ]
    agreement = []
    for row in range(1, len(told.parts) + 1):
        weight = np.exp(SHARP * (told.near[row] - told.near[row].max()))
        agreement.append(told.praise[row] * float(weight @ told.praised / weight.sum()))
    return np.array(
        [
            float(np.mean(list(nearest.values()))),
            float(told.near[1:].max(axis=1).min()),
            float(np.mean([word.stem in texts for word in words])),
            min(meaning),
            float(np.mean(meaning)),
            min(agreement),
            max(turned, default=0.0),
            _opposite(words, heard),
            float(sum(word.stem not in texts for word in words)),
        ]
    )


def _words_heard(sentences: Sequence[Quote]) -> dict[str, str]:
    """Return the words of meaning in sentences by their stems."""
    return {word.stem: word.text for quote in sentences for word in words_of(quote.text)}


def _meanings(words: Sequence[_Word], texts: dict[str, str], encode: Encode) -> list[float]:
    """Return how near each word is to a word of the sentences: 1 if it stands there itself."""
    if not texts:
        return [0.0 for _ in words]
    new = [word.text for word in words if word.stem not in texts]
    if not new:
        return [1.0 for _ in words]
    vectors = np.asarray(encode([*texts.values(), *new]), dtype=np.float32)
    nearest = iter((vectors[len(texts) :] @ vectors[: len(texts)].T).max(axis=1).tolist())
    return [1.0 if word.stem in texts else next(nearest) for word in words]


def _opposite(words: Iterable[_Word], heard: dict[str, list[float]]) -> float:
    """Return how surely the sentences say the opposite of a word that they do not say."""
    found = 0.0
    for word in words:
        if word.stem not in heard and not word.turned:
            for other in opposites().get(word.stem, frozenset()) & heard.keys():
                found = max(found, heard[other][0] / sum(heard[other]))
    return found
