"""Train the aspect heads and write tools/reviews/aspects.npz and aspects.json.

    storewise load --demo
    python -m storewise.finetune.aspect_training

`aspects/sentences.jsonl` says which sentences of the demo shop's reviews were labelled and how, by the guide
in benchmarks/labels; no review of the 200 sentences that judge the heads is among them. Those marked
`sought` were picked for rare aspects or for being hard, the others drawn by chance: scores are of the latter.
`aspects/made_up.jsonl` holds sentences written for kinds of shops that the demo is not.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold

from storewise.tools.reviews import aspects, embedding, sentiment
from storewise.tools.reviews.aspects import CODE, CUES, NAMES, TURNS, Head
from storewise.tools.reviews.sentences import sentences
from storewise.tools.shop.generation import Shop, ShopError, open_shop

VERSION = "3"
LABELS = Path(__file__).parent / "aspects"
SEEN = 2  # a term must stand in so many sentences
STRENGTH = 3.0  # sklearn's C of the aspects
JUDGE_SEEN, JUDGE_STRENGTH = 3, 0.5
FOLDS = 5
SEED = 1
GRID = np.arange(0.1, 0.8, 0.02)
# How far an aspect's threshold may go from the common one: less, the fewer sentences speak of it.
PULL, FEW = 0.15, 10

Floats = npt.NDArray[np.float32]
Marks = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Labelled:
    """Sentences with their aspects' sides; `by_chance` says which were drawn at random."""

    texts: list[str]
    sides: list[dict[str, str]]
    by_chance: Marks

    @property
    def spoken(self) -> Marks:
        """Which sentence speaks of which aspect, shape (sentences, aspects)."""
        return np.array([[name in sides for name in NAMES] for sides in self.sides])


def labelled(shop: Shop) -> Labelled:
    """Return all labelled sentences; the demo shop's by their places in its reviews.

    Raises:
        ShopError: the shop's reviews are not those that were labelled.
    """
    table = shop.query("SELECT review_id, text FROM reviews")
    reviews = dict(zip(table["review_id"], table["text"], strict=True))
    texts, sides, by_chance = [], [], []
    for row in _lines("sentences.jsonl"):
        text = reviews.get(row["review_id"], "")
        spans = sentences(text)
        said = text[slice(*spans[row["sentence"]])] if row["sentence"] < len(spans) else ""
        if hashlib.sha256(said.encode()).hexdigest()[:12] != row["sha"]:
            raise ShopError("These are not the demo shop's reviews. Load it with: storewise load --demo")
        texts.append(said)
        sides.append(row["aspects"])
        by_chance.append(not row["sought"])
    for row in _lines("made_up.jsonl"):
        texts.append(row["text"])
        sides.append(row["aspects"])
        by_chance.append(False)
    return Labelled(texts, sides, np.array(by_chance))


def _lines(name: str) -> Iterator[dict[str, Any]]:
    for line in (LABELS / name).read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def train(texts: list[str], vectors: Floats, spoken: Marks) -> Head:
    """Fit the regression of each aspect; thresholds are the middle, and nothing judges yet."""
    found = [set(aspects.terms(aspects.words(text))) for text in texts]
    counts = Counter(term for terms in found for term in terms)
    vocabulary = sorted(term for term, count in counts.items() if count >= SEEN)
    idf = np.array([1 + np.log((1 + len(texts)) / (1 + counts[t])) for t in vocabulary], dtype=np.float32)
    terms, flags = aspects.features(texts, {term: i for i, term in enumerate(vocabulary)}, idf)
    both = sparse.hstack([sparse.csr_matrix(vectors), terms, sparse.csr_matrix(flags)]).tocsr()
    weights = np.zeros((both.shape[1], len(NAMES)), dtype=np.float32)
    bias = np.full(len(NAMES), -20.0, dtype=np.float32)
    for number in range(len(NAMES)):
        if spoken[:, number].any():
            model = LogisticRegression(C=STRENGTH, solver="liblinear").fit(both, spoken[:, number])
            weights[:, number], bias[number] = model.coef_[0], model.intercept_[0]
    first, second = embedding.DIMENSIONS, embedding.DIMENSIONS + len(vocabulary)
    return Head(
        version=VERSION,
        vocabulary=tuple(vocabulary),
        idf=idf,
        embedding=weights[:first],
        weight=weights[first:second],
        flags=weights[second:],
        bias=bias,
        thresholds=np.full(len(NAMES), 0.5, dtype=np.float32),
    )


def thresholds(probability: Floats, spoken: Marks) -> Floats:
    """Return the probability from which each aspect counts: by F1, drawn to what is best for all together."""
    common = max(GRID, key=lambda at: f1(spoken, probability >= at))
    found = []
    for number in range(len(NAMES)):
        true, value = spoken[:, number], probability[:, number]
        pull = PULL * (FEW / (FEW + true.sum())) ** 0.5
        gain = [f1(true, value >= at) - pull * abs(at - common) for at in GRID]
        found.append(GRID[int(np.argmax(gain))])
    return np.array(found, dtype=np.float32)


def f1(true: Marks, found: Marks) -> float:
    """Return the F1 of all marks together."""
    return float(2 * (true & found).sum() / max(1, true.sum() + found.sum()))


def judge(head: Head, data: Labelled, vectors: Floats, positive: Floats) -> Head:
    """Return `head` with the judge of sides fitted on the labelled aspects.

    `positive` is how likely each sentence praises.
    """
    rows, numbers, codes = _pairs(data)
    counts = Counter(term for row in set(rows.tolist()) for term in set(sentiment.terms(data.texts[row])))
    terms = tuple(sorted(term for term, count in counts.items() if count >= JUDGE_SEEN))
    bare = replace(head, judge_terms=terms)
    told = bare.told(data.texts, vectors, positive, rows, numbers)
    model = LogisticRegression(C=JUDGE_STRENGTH, max_iter=2000).fit(told, codes)
    return replace(
        bare,
        judge=model.coef_.T.astype(np.float32),
        judge_bias=model.intercept_.astype(np.float32),
    )


def _pairs(data: Labelled) -> tuple[aspects.Numbers, aspects.Numbers, aspects.Numbers]:
    """Return each labelled aspect: its sentence, its number and its code."""
    found = [
        (row, NAMES.index(name), CODE[side])  # type: ignore[index]
        for row, sides in enumerate(data.sides)
        for name, side in sides.items()
    ]
    rows, numbers, codes = np.array(found, dtype=np.int64).T
    return rows, numbers, codes


def _part(data: Labelled, rows: npt.NDArray[np.int64]) -> Labelled:
    return Labelled([data.texts[i] for i in rows], [data.sides[i] for i in rows], data.by_chance[rows])


def cross_validated(data: Labelled, vectors: Floats, positive: Floats) -> tuple[Floats, dict[str, Any]]:
    """Return probabilities by heads that had not seen the sentence, and the scores of all that they do.

    A labelled review gives one sentence, so that folds of sentences are folds of reviews.
    """
    spoken, sides = data.spoken, np.zeros((len(data.texts), len(NAMES)), dtype=np.int8)
    rows, numbers, codes = _pairs(data)
    sides[rows, numbers] = codes
    probability = np.zeros(spoken.shape, dtype=np.float32)
    told = np.zeros_like(sides)
    folds = list(KFold(FOLDS, shuffle=True, random_state=SEED).split(np.arange(len(data.texts))))
    for learn, out in folds:
        head = train([data.texts[i] for i in learn], vectors[learn], spoken[learn])
        probability[out] = head.probability([data.texts[i] for i in out], vectors[out])
        head = judge(head, _part(data, learn), vectors[learn], positive[learn])
        everything = replace(head, thresholds=np.zeros(len(NAMES), dtype=np.float32))
        told[out] = everything.judged([data.texts[i] for i in out], vectors[out], positive[out])
    found = np.zeros_like(spoken)
    for learn, out in folds:
        found[out] = probability[out] >= thresholds(probability[learn], spoken[learn])
    kept = data.by_chance
    right = found & (told == sides)
    scores = {
        "sentences": int(kept.sum()),
        "f1": round(f1(spoken[kept], found[kept]), 3),
        "precision": round(float((spoken & found)[kept].sum() / found[kept].sum()), 3),
        "recall": round(float((spoken & found)[kept].sum() / spoken[kept].sum()), 3),
        "macro_f1": round(
            float(np.mean([f1(spoken[kept, i], found[kept, i]) for i in range(len(NAMES))])), 3
        ),
        "f1_with_side": round(
            float(2 * (right & spoken)[kept].sum() / (found[kept].sum() + spoken[kept].sum())), 3
        ),
        "side_accuracy": round(float((told == sides)[spoken & kept[:, None]].mean()), 3),
        "f1_by_aspect": {name: round(f1(spoken[kept, i], found[kept, i]), 3) for i, name in enumerate(NAMES)},
    }
    return probability, scores


def main() -> None:
    data = labelled(open_shop())
    vectors, tones = embedding.read(data.texts, print)
    positive = sentiment.head().probability(data.texts, vectors, tones)
    probability, scores = cross_validated(data, vectors, positive)
    head = judge(train(data.texts, vectors, data.spoken), data, vectors, positive)
    head = replace(head, thresholds=thresholds(probability, data.spoken))
    report = {
        "version": VERSION,
        "trained_at": dt.date.today().isoformat(),
        "recipe": "python -m storewise.finetune.aspect_training",
        "sentences": {
            "drawn by chance": int(data.by_chance.sum()),
            "sought": sum(row["sought"] for row in _lines("sentences.jsonl")),
            "made up": sum(1 for _ in _lines("made_up.jsonl")),
        },
        "embedding": embedding.model_name(),
        "sentiment": sentiment.card()["version"],
        "terms": len(head.vocabulary),
        "flags": {"lists": len(NAMES), "turns of phrase": len(TURNS), "cues of sides": len(CUES)},
        "cross_validated": scores,
    }
    if head.judge is None or head.judge_bias is None:
        raise AssertionError("The judge was just fitted.")
    np.savez_compressed(
        aspects.HERE / "aspects.npz",
        vocabulary=np.array(head.vocabulary),
        judge_terms=np.array(head.judge_terms),
        idf=head.idf.astype(np.float16),
        embedding=head.embedding.astype(np.float16),
        weight=head.weight.astype(np.float16),
        flags=head.flags,
        bias=head.bias,
        thresholds=head.thresholds,
        judge=head.judge.astype(np.float16),
        judge_bias=head.judge_bias,
    )
    text = json.dumps(report, indent=1)
    (aspects.HERE / "aspects.json").write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
