"""Summaries of reviews beside those that people wrote, and the check of claims beside labels made by hand.

Quality is ROUGE F1 as the FewSum paper's own code computes it (github.com/abrazinskas/FewSum,
fewsum/eval/metrics/google_rouge.py): Google's rouge_score with its stemmer on the whole text, the mean over
the three references, the mean over products. A folder holds the paper's products, eight reviews and three
summaries each (`amazon_train.csv`, `amazon_val.csv`). Ours learned from the train part which sentences stand
for all, and its thresholds were chosen there: the validation part is the figure to quote.

Where a model is served (STOREWISE_MODEL_URL, or a running engine), groups are also phrased by it, beside a
plain prompt to the same model.
"""

from __future__ import annotations

import asyncio
import csv
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from langchain_core.messages import HumanMessage
from openai import APIConnectionError

from storewise.agent.analyst import chat_model
from storewise.agent.engine import Served, running_engine
from storewise.agent.phrasing import ModelAway, Phrase, disconnect, phraser
from storewise.agent.settings import Settings
from storewise.agent.summaries import summarize
from storewise.benchmarks.bootstrap import mean_difference
from storewise.benchmarks.data import INSTALL
from storewise.benchmarks.peers.lexrank import lexrank
from storewise.benchmarks.report import Clock, Report, Task
from storewise.benchmarks.summaries_speed import measured
from storewise.finetune.checking import Labelled, labelled, phrasings
from storewise.prompts import prompt
from storewise.tools.reviews.claims import supported
from storewise.tools.reviews.embedding import Vectors
from storewise.tools.reviews.groups import Group, lines_of
from storewise.tools.reviews.known import Embedded
from storewise.tools.reviews.summary import Review
from storewise.tools.shop.generation import ShopError, open_shop

PARTS = {"validation": "amazon_val.csv", "train": "amazon_train.csv"}
LABELS = Path(__file__).parent / "labels" / "claims.jsonl"
PHRASINGS = Path(__file__).parent / "labels" / "phrasings.jsonl"
_SALIENCE = "which sentences stand for all (15 weights) and a few thresholds, from the train part"
LEARNED = {
    "groups, quoted": _SALIENCE,
    "groups, phrased": f"{_SALIENCE}; the model to phrase, from claims about the demo shop's reviews",
    "plain prompt": "the same model, tuned for other prompts",
}  # the other methods learned nothing
ROUGE = ("rouge1", "rouge2", "rougeL")
WORDS = 55  # of a summary; people wrote 50 to 52 on average
SEED = 7
SECONDS = 120.0  # a model may take for one reply

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Product:
    """Eight reviews of a product and three summaries of them by people."""

    product_id: str
    reviews: tuple[str, ...]
    references: tuple[str, ...]


def read_products(path: Path) -> list[Product]:
    """Return the products of one of the paper's files."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Product(
                row["group_id"],
                tuple(row[f"rev{n}"] for n in range(1, 9)),
                tuple(row[f"summ{n}"] for n in range(1, 4)),
            )
            for row in csv.DictReader(file, delimiter="\t")
        ]


class Rouge:
    """ROUGE-1, -2 and -L of a summary, the mean over its references."""

    def __init__(self) -> None:
        if find_spec("rouge_score") is None:
            raise ShopError(f"This benchmark needs the package rouge_score. {INSTALL}")
        self._scorer: Any = import_module("rouge_score.rouge_scorer").RougeScorer(ROUGE, use_stemmer=True)

    def __call__(
        self, summary: str, references: Sequence[str], measure: Literal["fmeasure", "precision"] = "fmeasure"
    ) -> Floats:
        scores = [self._scorer.score(reference, summary) for reference in references]
        return np.array([np.mean([getattr(score[name], measure) for score in scores]) for name in ROUGE])


def run(folder: Path | None, tell: Callable[[str], None]) -> Report:
    """Judge summaries on the products in `folder` and the check of claims on the labels; without one, speed.

    Raises:
        ShopError: there is neither a folder nor an engine, the folder lacks a file, or a package is missing.
    """
    settings = Settings()
    served = running_engine(settings)
    if folder is None and served is None:
        raise ShopError(
            "Nothing to measure: speed needs the engine that `storewise up` keeps running, and quality the FewSum "
            f"paper's products: storewise benchmark summaries --data FOLDER with {' and '.join(PARTS.values())} in it"
        )
    missing = [] if folder is None else [name for name in PARTS.values() if not (folder / name).is_file()]
    if missing:
        raise ShopError(f"{folder} lacks {' and '.join(missing)}.")
    clock = Clock(tell)
    tasks: dict[str, Task] = {}
    if folder is not None:
        tasks |= _quality(folder, served, clock)
    elif served is not None:
        tasks |= measured(served, settings, clock)
    return Report("summaries", tasks, clock.seconds, {"words": WORDS, "model": served and served.model})


def _quality(folder: Path, served: Served | None, clock: Clock) -> dict[str, Task]:
    encode = Embedded()
    tasks: dict[str, Task] = {}
    # One event loop for all: the model's client keeps its connections, which belong to the loop.
    with asyncio.Runner() as runner:
        try:
            for part, name in PARTS.items():
                products = read_products(folder / name)
                with clock.step(f"summaries, {part}"):
                    tasks |= _judged(part, products, served, encode, runner)
        finally:
            runner.run(disconnect())
    with clock.step("claims"):
        tasks |= _claims(encode)
    return tasks


def _judged(
    part: str, products: Sequence[Product], served: Served | None, encode: Embedded, runner: asyncio.Runner
) -> dict[str, Task]:
    rouge, rng = Rouge(), random.Random(SEED)
    methods: dict[str, Callable[[Product], str]] = {
        "groups, quoted": lambda product: _ours(product, None, encode, runner),
        "LexRank": _lexrank,
        "review nearest the centre": lambda product: _central(product, encode),
        "a random review": lambda product: rng.choice(product.reviews),
    }
    phrase = _steady(phraser(served, SECONDS))
    if served is not None:
        if phrase is not None:
            methods["groups, phrased"] = lambda product: _ours(product, phrase, encode, runner)
        methods["plain prompt"] = lambda product: _plain(product, served)
    texts = {name: [method(product) for product in products] for name, method in methods.items()}
    scores = {
        name: np.stack(
            [rouge(text, product.references) for text, product in zip(said, products, strict=True)]
        )
        for name, said in texts.items()
    }
    ours = "groups, phrased" if phrase is not None else "groups, quoted"
    peers = [name for name in methods if name != ours]
    tasks = {}
    for column, name in enumerate(ROUGE):
        each = {method: 100 * values[:, column] for method, values in scores.items()}
        best = max(peers, key=lambda peer: float(each[peer].mean()))
        learned_here = " (ours learned from it)" if part == "train" else ""
        tasks[f"{part}{learned_here}, {name}"] = Task(
            n=len(products),
            metric="F1 x 100",
            ours=float(each[ours].mean()),
            peers={peer: float(each[peer].mean()) for peer in peers},
            interval=mean_difference(each[ours], each[best]),
            more={
                "ours_is": ours,
                "intervals": {
                    method: mean_difference(values, np.zeros(len(products)))
                    for method, values in each.items()
                },
                "learned": {method: LEARNED.get(method, "nothing") for method in methods},
                "words": {
                    method: float(np.mean([len(t.split()) for t in said])) for method, said in texts.items()
                },
            },
        )
    return tasks


def _steady(phrase: Phrase | None) -> Phrase | None:
    """Return `phrase` asking again where a connection breaks: a benchmark waits for its model."""
    if phrase is None:
        return None

    async def again(group: Group) -> str:
        for seconds in (1, 5, 20):
            with suppress(ModelAway):
                return await phrase(group)
            await asyncio.sleep(seconds)
        return await phrase(group)

    return again


def _ours(product: Product, phrase: Phrase | None, encode: Embedded, runner: asyncio.Runner) -> str:
    reviews = [Review(review_id=str(n), text=text) for n, text in enumerate(product.reviews, 1)]
    summary = runner.run(summarize(reviews, "long", phrase, encode, WORDS))
    return " ".join(claim.text for claim in summary.claims)


def _lexrank(product: Product) -> str:
    lines = [line for review in product.reviews for line in lines_of(review)]
    return _first(lines, lexrank(lines))


def _first(lines: Sequence[str], salience: Floats) -> str:
    """Return the most salient sentences that fit."""
    said: list[str] = []
    for i in np.argsort(-salience, kind="stable").tolist():
        if len(" ".join([*said, lines[i]]).split()) <= WORDS:
            said.append(lines[i])
    return " ".join(said)


def _central(product: Product, encode: Embedded) -> str:
    means: list[Vectors] = []
    for review in product.reviews:
        mean = encode(lines_of(review)).mean(axis=0)
        means.append(mean / np.linalg.norm(mean))
    return product.reviews[int(np.argmax(np.stack(means) @ np.mean(means, axis=0)))]


def _plain(product: Product, served: Served) -> str:
    model = chat_model(served, SECONDS).bind(max_tokens=120)
    steady = model.with_retry(retry_if_exception_type=(APIConnectionError,), stop_after_attempt=4)
    reviews = "\n".join(f"- {review}" for review in product.reviews)
    return str(steady.invoke([HumanMessage(prompt("summarize_plain", reviews=reviews))]).text)


def _claims(encode: Embedded) -> dict[str, Task]:
    """Judge the check on labelled claims over whole reviews, and on the model's sentences over their groups.

    Accuracy, beside nearness alone: the closest claims to their nearest sentence, as many as are right.
    """
    shop = open_shop()
    sets = {"claims": labelled(LABELS, shop), "phrasings": phrasings(PHRASINGS, shop)}
    tasks = {}
    for name, every in sets.items():
        for part in ("development", "held out"):
            rows = [one for one in every if one.part == part]
            if not rows:
                continue
            truth = np.array([one.supported for one in rows])
            said = np.array([supported(one.claim, one.sentences, encode).supported for one in rows])
            near = np.array([_nearness(one, encode) for one in rows])
            nearest = near >= np.sort(near)[len(near) - int(truth.sum())]
            tasks[f"{name}, {part}"] = Task(
                n=len(rows),
                metric="accuracy",
                ours=float((said == truth).mean()),
                peers={
                    "the nearest sentence's cosine": float((nearest == truth).mean()),
                    "all taken": float(truth.mean()),
                },
                interval=mean_difference((said == truth).astype(float), (nearest == truth).astype(float)),
                more={
                    "ours_interval": mean_difference((said == truth).astype(float), np.zeros(len(rows))),
                    "taken": int(said.sum()),
                    "precision": float(truth[said].mean()) if said.any() else None,
                    "recall": float(said[truth].mean()),
                    "unsupported_turned_away": float((~said[~truth]).mean()),
                },
            )
    return tasks


def _nearness(one: Labelled, encode: Embedded) -> float:
    vectors = encode([one.claim, *(quote.text for quote in one.sentences)])
    return float((vectors[1:] @ vectors[0]).max())
