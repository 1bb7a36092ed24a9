"""What the search of reviews finds: nDCG@10 and recall@10 on labelled questions, beside other ways to rank."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from storewise.benchmarks.bootstrap import mean_difference
from storewise.benchmarks.report import Task
from storewise.tools.reviews import embedding, index, search
from storewise.tools.shop.generation import ShopError

DEPTH = 10
LABELS = Path(__file__).parent / "labels" / "retrieval.jsonl"


def questions(opened: index.Index) -> list[dict[str, Any]]:
    """Return the labelled questions: id, part, question, relevant (gain by review).

    Raises:
        ShopError: the index is not of the reviews that were labelled.
    """
    found = [json.loads(line) for line in LABELS.read_text(encoding="utf-8").splitlines()]
    if any(key not in opened.row_of for question in found for key in question["relevant"]):
        raise ShopError("The labelled reviews are the demo shop's. Load it with: storewise load --demo")
    return found


def task(opened: index.Index, questions: Sequence[dict[str, Any]]) -> Task:
    """Score our search and its peers on labelled questions; near-duplicates count once for all."""
    ndcg: dict[str, list[float]] = {}
    recall: dict[str, list[float]] = {}
    for question in questions:
        relevant = {opened.row_of[key]: float(gain) for key, gain in question["relevant"].items()}
        asked = str(question["question"])
        hits = search.search(opened, asked, search.everything(opened), None, DEPTH)
        orders = {"ours": [hit.row for hit in hits], **_peers(opened, asked)}
        for name, order in orders.items():
            ndcg.setdefault(name, []).append(normalised_gain(order, relevant))
            found = sum(row in relevant for row in order[:DEPTH])
            recall.setdefault(name, []).append(found / min(DEPTH, len(relevant)))
    scores = {name: float(np.mean(each)) for name, each in ndcg.items()}
    ours = scores.pop("ours")
    best = max(scores, key=lambda name: scores[name])
    return Task(
        n=len(questions),
        metric="nDCG@10",
        ours=ours,
        peers=scores,
        interval=mean_difference(np.array(ndcg["ours"]), np.array(ndcg[best])),
        more={"recall_at_10": {name: float(np.mean(each)) for name, each in recall.items()}},
    )


def normalised_gain(order: Sequence[int], relevant: dict[int, float]) -> float:
    """Return nDCG@10 of the rows in `order` (Järvelin and Kekäläinen 2002, linear gain)."""
    discount = 1 / np.log2(np.arange(2, DEPTH + 2))
    gains = [relevant.get(row, 0.0) for row in order[:DEPTH]]
    ideal = sorted(relevant.values(), reverse=True)[:DEPTH]
    return float(discount[: len(gains)] @ gains / (discount[: len(ideal)] @ ideal))


def _peers(opened: index.Index, asked: str) -> dict[str, list[int]]:
    """Return the first ten rows by meaning alone, by words alone, and by the two in other ways."""
    vector = embedding.encode([asked])[0]
    whole = np.asarray(opened.means) @ vector
    near = np.asarray(opened.vectors).astype(np.float32) @ vector
    review = opened.lines["review"].to_numpy()

    def best(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        found = np.full(opened.size, -1, dtype=np.float32)
        np.maximum.at(found, review, values)
        return found

    columns = search.columns_of(opened, asked)
    share = np.asarray(opened.phrases.counts[:, columns].sum(axis=1)).ravel() / max(len(columns), 1)
    meaning = (whole + best(near)) / 2
    said = opened.words.scores(asked)
    ranks = [np.argsort(np.argsort(-values, kind="stable")) for values in (meaning, said)]
    ways = {
        "review vectors alone": whole,
        "meaning alone": meaning,
        "meaning, sentences with the words first": (whole + best(near + search.NAMED * share)) / 2,
        "BM25 alone": said,
        "reciprocal rank fusion": sum(1 / (60 + rank) for rank in ranks),
    }
    return {name: _first_ten(opened, np.asarray(values)) for name, values in ways.items()}


def _first_ten(opened: index.Index, values: npt.NDArray[Any]) -> list[int]:
    order = np.argsort(-values, kind="stable")[: 10 * DEPTH]
    return [int(row) for row in order if opened.first[row] == row][:DEPTH]
