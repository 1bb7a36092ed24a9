"""`storewise benchmark aspects`: aspects, their sentiment and entities in sentences labelled by hand.

200 sentences of the demo shop's reviews (benchmarks/labels). The first half was for development; the second
was not looked at. The peer finds words of the guide's own examples. Intervals are of a paired bootstrap over
sentences; how far two people who labelled by the same guide agree stands beside as the ceiling.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from storewise.benchmarks import bootstrap
from storewise.benchmarks.labels import draw
from storewise.benchmarks.peers import keywords
from storewise.benchmarks.report import Clock, Report, Task
from storewise.tools.reviews import aspects, embedding, entities, sentiment
from storewise.tools.reviews.sentences import sentences
from storewise.tools.shop.generation import Shop, open_shop

LABELS = Path(__file__).parent / "labels"
PARTS = ("held out", "development")
KINDS: tuple[entities.Kind, ...] = entities.KINDS

Marks = Sequence[set[Any]]
Counts = npt.NDArray[np.float64]  # a row a sentence: right, wrong and missed


def run(folder: Path | None, tell: Callable[[str], None]) -> Report:
    """Judge aspects, aspects with sentiment, and entities on both halves; `folder` is not used."""
    del folder
    clock = Clock(tell)
    shop = open_shop()
    with clock.step("labels"):
        texts = draw.texts(shop)
        rows = [json.loads(line) for line in draw.FILE.read_text(encoding="utf-8").splitlines()]
        part = {row["id"]: row["part"] for row in rows}
        labels = {name: _labels(name) for name in ("aspects_labels", "aspects_labels_a", "aspects_labels_b")}
    ids = list(texts)
    with clock.step("embedding"):
        vectors, tones = embedding.read(list(texts.values()))
    with clock.step("aspects"):
        whole = sentiment.head().probability(list(texts.values()), vectors, tones)
        codes = aspects.head().judged(list(texts.values()), vectors, whole)
    with clock.step("names in all reviews"):
        names, lists = _names(shop), entities.lists_for(shop)
    with clock.step("entities"):
        named = {key: entities.find(texts[key], lists, names) for key in ids}
    sides = {key: _side(float(value)) for key, value in zip(ids, whole, strict=True)}
    told = {
        key: {(name, aspects.side(int(code))) for name, code in zip(aspects.NAMES, row, strict=True) if code}
        for key, row in zip(ids, codes, strict=True)
    }
    ours: dict[str, Mapping[str, set[Any]]] = {
        "aspects": {key: {name for name, _ in told[key]} for key in ids},
        "aspects with sentiment": told,
        "entities": {key: {(texts[key][s.start : s.stop], s.kind) for s in named[key]} for key in ids},
    }
    spotted = {key: keywords.aspects(texts[key]) for key in ids}
    peer: dict[str, Mapping[str, set[Any]]] = {
        "aspects": spotted,
        "aspects with sentiment": {key: {(name, sides[key]) for name in spotted[key]} for key in ids},
        "entities": {key: keywords.entities(texts[key]) for key in ids},
    }
    tasks = {}
    for name in PARTS:
        chosen = [key for key in ids if part[key] == name]
        for subject in ours:
            tasks[f"{subject}, {name}"] = _task(subject, chosen, labels, ours[subject], peer[subject])
    return Report("aspects", tasks, clock.seconds, more={"version": aspects.card()["version"]})


def _names(shop: Shop) -> entities.Names:
    """Return how all of the shop's reviews write their words."""
    reviews = shop.query("SELECT coalesce(text, '') AS text FROM reviews ORDER BY review_id")["text"]
    return entities.Names().read(text[a:b] for text in reviews for a, b in sentences(text))


def _side(positive: float) -> str:
    polarity = sentiment.polarity(positive)
    return "neutral" if polarity == "mixed" else polarity


def _labels(name: str) -> dict[str, dict[str, set[Any]]]:
    """Return what one file of labels says of each sentence, by subject."""
    found: dict[str, dict[str, set[Any]]] = {"aspects": {}, "aspects with sentiment": {}, "entities": {}}
    for line in (LABELS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        found["aspects"][row["id"]] = {one["aspect"] for one in row["aspects"]}
        found["aspects with sentiment"][row["id"]] = {
            (one["aspect"], one["sentiment"]) for one in row["aspects"]
        }
        found["entities"][row["id"]] = {(one["text"], one["kind"]) for one in row["entities"]}
    return found


def _task(
    subject: str,
    ids: Sequence[str],
    labels: Mapping[str, Mapping[str, Mapping[str, set[Any]]]],
    ours: Mapping[str, set[Any]],
    peer: Mapping[str, set[Any]],
) -> Task:
    true = [labels["aspects_labels"][subject][key] for key in ids]
    mine, theirs = ([found[key] for key in ids] for found in (ours, peer))
    first, second = ([labels[f"aspects_labels_{who}"][subject][key] for key in ids] for who in "ab")
    one, other = counts(true, mine), counts(true, theirs)
    kinds = KINDS if subject == "entities" else aspects.NAMES
    return Task(
        n=len(ids),
        metric="micro F1",
        ours=f1(one),
        peers={"keywords": f1(other)},
        interval=bootstrap.difference(f1, one, other),
        more={
            "labelled": sum(map(len, true)),
            "agreement of the labellers": f1(counts(first, second)),
            "scores": {"ours": _scores(true, mine, kinds), "keywords": _scores(true, theirs, kinds)},
        },
    )


def counts(true: Marks, found: Marks) -> Counts:
    """Return how many marks of each sentence are right, wrong and missed."""
    return np.array(
        [[len(t & f), len(f - t), len(t - f)] for t, f in zip(true, found, strict=True)], dtype=float
    )


def f1(counted: Counts, weights: npt.NDArray[np.float64] | None = None) -> float:
    """Return the F1 of all marks together, each sentence as often as its weight says."""
    right, wrong, missed = counted.sum(axis=0) if weights is None else weights @ counted
    total = 2 * right + wrong + missed
    return float(2 * right / total) if total else 1.0


def _scores(true: Marks, found: Marks, kinds: Sequence[str]) -> dict[str, Any]:
    """Return precision, recall, the mean F1 of the kinds that are labelled or found, and each one's."""
    right, wrong, missed = counts(true, found).sum(axis=0)
    each = {}
    for kind in kinds:
        counted = counts(
            *([{m for m in part if _kind(m) == kind} for part in side] for side in (true, found))
        )
        if counted.sum():
            each[kind] = f1(counted)
    return {
        "precision": float(right / max(right + wrong, 1)),
        "recall": float(right / max(right + missed, 1)),
        "macro_f1": float(np.mean(list(each.values()))),
        "f1_by_kind": each,
    }


def _kind(mark: Any) -> str:
    """Return which aspect or kind of entity a mark is of."""
    if isinstance(mark, str):
        return mark
    return str(mark[1] if mark[1] in KINDS else mark[0])
