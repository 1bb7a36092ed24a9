"""Train the sentiment head and the tone, and write sentiment.npz, sentiment.json and tone.npz.

    pip download --no-deps --no-binary :all: vaderSentiment==3.3.2 && tar xzf vaderSentiment-3.3.2.tar.gz
    tar xzf vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz
    python -m storewise.finetune.teaching --out taught.jsonl
    python -m storewise.tools.reviews.sentiment_training --sentences hutto_ICWSM_2014 --taught taught.jsonl

The sentences (MIT licence; Hutto & Gilbert 2014, "VADER", ICWSM) were each rated by people, mostly twenty,
from -4 to 4: 3,708 of Amazon reviews of five products, 4,200 tweets, 10,605 of film reviews, 5,190 of
newspaper editorials. Of the same work are the words whose valence ten people rated. A sentence teaches
by how strongly people felt (`STEEP`). Beside them teach sentences of reviews that nobody rated, with the
odds of praise that the adapter gives them (distillation; Hinton et al. 2015). Upper layers of the encoder
are tuned on the same sentences (`tone_fit.py`); head and tone are weighed together. The scores come from holding
out each of the five products in turn; so does the calibration (Platt 1999): a slope and an intercept, fitted
on what the other folds said of each.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, roc_auc_score

from storewise.tools.reviews import embedding, sentiment, tone, tone_fit
from storewise.tools.reviews.sentiment_fit import fit, known_words
from storewise.tools.reviews.tone import Arrays

VERSION = "4"
CLEAR = 0.5  # a mean rating nearer to 0 than this is neutral: "mixed" is the right answer
STEEP = 1.5  # a mean rating of x stands for praise with a probability of 1 / (1 + exp(-STEEP x))
FELT = 0.25  # sentences with a mean rating nearer to 0 teach nothing
# Log-odds that a denial of blame adds; too rare to learn with the rest: chosen on the held-out products.
DENIED = 3.0
# What a sentence counts for, by where it is from: reviews are what is judged.
WEIGHTS = {"amazon": 3.0, "tweets": 1.0, "films": 1.0, "editorials": 0.3}
TAUGHT = 2.0  # and one that the adapter judged
USUAL = 1.25  # log-odds of praise or blame of the middle one of these, however sure the adapter is of itself
# The first review of the 2nd to 5th product: camera, camera, telephone, music player after a DVD player.
PRODUCTS = (99, 144, 176, 216)
FILES = {
    "amazon": "amazonReviewSnippets_GroundTruth.txt",
    "tweets": "tweets_GroundTruth.txt",
    "films": "movieReviewSnippets_GroundTruth.txt",
    "editorials": "nytEditorialSnippets_GroundTruth.txt",
}
LEXICON = "vader_sentiment_lexicon.txt"
BINS = 10

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]
Tell = Callable[[str], None]
Encode = Callable[[Sequence[str]], npt.NDArray[np.float32]]


def rated(folder: Path) -> pd.DataFrame:
    """Return the rated sentences: source, review, product (1 to 5 for Amazon's, else 0), rating, text."""
    frames = []
    for source, name in FILES.items():
        frame = pd.read_csv(
            folder / name, sep="\t", header=None, names=["id", "rating", "text"], dtype={"id": str},
            quoting=csv.QUOTE_NONE, encoding_errors="replace", keep_default_na=False,
        )  # fmt: skip
        frame["review"] = frame["id"].str.split("_").str[0].astype(int)
        frame["product"] = 1 + np.digitize(frame["review"], PRODUCTS) if source == "amazon" else 0
        frames.append(frame.assign(source=source))
    return pd.concat(frames, ignore_index=True)


def rated_words(folder: Path) -> dict[str, float]:
    """Return the plain words of the lexicon with their mean rating, from -1 to 1."""
    found = {}
    for line in (folder / LEXICON).read_text(encoding="utf-8", errors="replace").splitlines():
        word, rating, *_ = line.split("\t")
        if word.isascii() and word.replace("'", "").isalpha():
            found[word.lower()] = float(rating) / 4
    return found


@dataclass(frozen=True)
class Taught:
    """Sentences, and the log-odds of praise that the adapter gives each."""

    texts: list[str]
    odds: Floats

    def chances(self) -> Floats:
        """Return how likely each praises, the odds brought to the usual size."""
        size = float(np.median(np.abs(self.odds)))
        return np.asarray(1 / (1 + np.exp(-self.odds * USUAL / max(size, 1e-9))))


def read_taught(path: Path) -> Taught:
    """Return what finetune/teaching.py wrote."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return Taught([row["text"] for row in rows], np.array([row["odds"] for row in rows]))


class Rated:
    """The rated sentences with their embeddings, and the heads learned from parts of them and from `taught`."""

    def __init__(self, folder: Path, encode: Encode, taught: Taught | None = None) -> None:
        self.data = rated(folder)
        self.words = rated_words(folder)
        self.texts: list[str] = self.data["text"].tolist()
        self._terms = [sentiment.terms(text) for text in self.texts]
        self.vectors: npt.NDArray[np.float32] = encode(self.texts)
        self.rating = self.data["rating"].to_numpy(dtype=np.float64)
        self.product = self.data["product"].to_numpy()
        self.clear: Flags = np.abs(self.rating) > CLEAR
        self.taught = taught
        self._all_vectors = self.vectors
        if taught is not None:
            self._terms += [sentiment.terms(text) for text in taught.texts]
            self._all_vectors = np.concatenate([self.vectors, encode(taught.texts)])

    def head(self, mask: Flags) -> sentiment.Head:
        """Return a head learned from the rated sentences in `mask` and from all that the adapter judged."""
        rows, praise, counts = self.lessons(mask)
        own = [row for row in rows.tolist() if row < len(self.texts)]
        # Reviews that nobody rated hold other languages, whose words shall not count as known.
        known = known_words([self._terms[row] for row in own], self.words)
        found = [self._terms[row] for row in rows.tolist()]
        learned = fit(found, self._all_vectors[rows], praise[rows], counts[rows], self.words)
        return replace(learned, version=VERSION, denied=DENIED, known=known)

    def lessons(self, mask: Flags) -> tuple[Rows, Floats, Floats]:
        """Return which texts teach, of the rated ones in `mask` and all that the adapter judged.

        And of every text how likely it praises, and its weight; those that the adapter judged come last.
        """
        praise = np.asarray(1 / (1 + np.exp(-STEEP * self.rating)), dtype=np.float64)
        counts = np.asarray(self.data["source"].map(WEIGHTS), dtype=np.float64)
        rows = np.flatnonzero(mask & (np.abs(self.rating) > FELT))
        if self.taught is not None:
            more = len(self.taught.texts)
            rows = np.concatenate([rows, len(self.texts) + np.arange(more)])
            praise = np.concatenate([praise, self.taught.chances()])
            counts = np.concatenate([counts, np.full(more, TAUGHT)])
        return rows, praise, counts

    def held_out(self) -> Floats:
        """Return the log-odds of praise of Amazon's sentences, each from a head that knows not their product."""
        scores = np.zeros(len(self.texts))
        for number in range(1, len(PRODUCTS) + 2):
            out = np.flatnonzero(self.product == number)
            head = self.head(self.product != number)
            scores[out] = head.scores([self.texts[i] for i in out], self.vectors[out])
        return scores

    def calibrated(self, told: Floats) -> Floats:
        """Return probabilities for held-out log-odds, a column a method, calibrated on the others."""
        chances = np.full(len(told), 0.5)
        for number in range(1, len(PRODUCTS) + 2):
            slopes, intercept = self.calibration(told, self.product != number)
            out = self.product == number
            chances[out] = 1 / (1 + np.exp(-(told[out] @ slopes + intercept)))
        return chances

    def calibration(self, told: Floats, mask: Flags | None = None) -> tuple[Floats, float]:
        """Return slopes and intercept that make held-out log-odds one, from the clear sentences in `mask`."""
        used = self.clear & (self.product > 0)
        used = used if mask is None else used & mask
        model = LogisticRegression(C=1e4).fit(told[used], self.rating[used] > 0)
        return np.asarray(model.coef_[0], dtype=np.float64), float(model.intercept_[0])


class Tuned:
    """The encoder's upper layers, tuned on what the heads learn from."""

    def __init__(self, sentences: Rated, tell: Tell) -> None:
        self._sentences = sentences
        self._tell = tell
        taught = sentences.taught
        self._below = tone_fit.Below(sentences.texts + (taught.texts if taught else []), tell)

    def layers(self, mask: Flags) -> Arrays:
        """Return what tuning on the rated sentences in `mask`, and on all that the adapter judged, adds."""
        return tone_fit.fit(self._below, *self._sentences.lessons(mask), self._tell)

    def held_out(self) -> Floats:
        """Return the log-odds of praise of Amazon's sentences, each from layers that know not their product."""
        product = self._sentences.product
        found = np.zeros(len(product))
        for number in range(1, len(PRODUCTS) + 2):
            self._tell(f"Tuning without the sentences of product {number}")
            out = np.flatnonzero(product == number)
            found[out] = tone_fit.odds(self._below, out, self.layers(product != number))
        return found


def reliability(praise: Flags, chance: Floats) -> dict[str, Any]:
    """Return Brier score, expected calibration error (10 bins of equal width) and its table."""
    place = np.minimum((chance * BINS).astype(int), BINS - 1)
    table = [
        {
            "sentences": int((place == i).sum()),
            "said": round(float(chance[place == i].mean()), 3),
            "true": round(float(praise[place == i].mean()), 3),
        }
        for i in range(BINS)
        if (place == i).any()
    ]
    error = sum(row["sentences"] * abs(row["said"] - row["true"]) for row in table) / len(chance)
    brier = float(((chance - praise) ** 2).mean())
    return {"brier": round(brier, 4), "expected_calibration_error": round(error, 4), "reliability": table}


def scores(rating: Floats, value: Floats, low: float, high: float) -> dict[str, float]:
    """Compare `value` with the people's rating; below `low` it blames, above `high` it praises."""
    clear = np.abs(rating) > CLEAR
    middle = (low + high) / 2
    people = np.sign(rating) * clear
    judged = np.where(value >= high, 1, np.where(value <= low, -1, 0))
    return {
        "sentences": len(rating),
        "auc": round(float(roc_auc_score(rating[clear] > 0, value[clear])), 3),
        "accuracy": round(float(((value[clear] > middle) == (rating[clear] > 0)).mean()), 3),
        "three_way_accuracy": round(float((judged == people).mean()), 3),
        "three_way_f1": round(float(f1_score(people, judged, average="macro")), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the sentiment head.")
    parser.add_argument("--sentences", type=Path, required=True, help="the folder hutto_ICWSM_2014")
    parser.add_argument("--taught", type=Path, required=True, help="what finetune/teaching.py wrote")
    given = parser.parse_args()
    taught = read_taught(given.taught)
    sentences = Rated(given.sentences, lambda texts: embedding.encode(texts, print), taught)
    amazon = sentences.product > 0
    tuned = Tuned(sentences, print)
    said = np.column_stack([sentences.held_out(), tuned.held_out()])
    rating, chance = sentences.rating[amazon], sentences.calibrated(said)[amazon]
    quick = sentences.calibrated(said[:, :1])[amazon]
    clear = sentences.clear[amazon]
    for sure in (0.6, 0.65, 0.7, 0.75, 0.8):
        print(f"sure from {sure}: {scores(rating, chance, 1 - sure, sure)}")
    [slope], intercept = sentences.calibration(said[:, :1])
    [own, other], more = sentences.calibration(said)
    everything = np.ones(len(said), dtype=bool)
    final = sentences.head(everything)
    final = replace(
        final,
        bias=slope * final.bias + intercept,
        embedding=(slope * final.embedding).astype(np.float32),
        valence=(slope * final.valence).astype(np.float32),
        outer=(slope * final.outer).astype(np.float32),
        denied=slope * final.denied,
        weight={term: slope * weight for term, weight in final.weight.items()},
        toned=(own / slope, other, more - own / slope * intercept),
    )
    np.savez_compressed(tone.HERE / "tone.npz", **tuned.layers(everything))  # type: ignore[arg-type]
    saved = (tone.HERE / "tone.npz").read_bytes()
    report: dict[str, Any] = {
        "version": VERSION,
        "trained_at": dt.date.today().isoformat(),
        "recipe": (
            "python -m storewise.tools.reviews.sentiment_training --sentences hutto_ICWSM_2014 --taught taught.jsonl"
        ),
        "sentences": {source: int((sentences.data["source"] == source).sum()) for source in FILES},
        "taught": len(taught.texts),
        "words": len(sentences.words),
        "source": "Hutto & Gilbert 2014 (VADER, ICWSM), rated sentences and words of vaderSentiment 3.3.2, MIT licence",
        "embedding": embedding.model_name(),
        "tone": hashlib.sha256(saved).hexdigest()[:12],
        "sure": sentiment.SURE,
        "held_out_product": scores(rating, chance, 1 - sentiment.SURE, sentiment.SURE),
        "without_tone": scores(rating, quick, 1 - sentiment.SURE, sentiment.SURE),
        "calibration": {
            "slopes": [round(own, 3), round(other, 3)],
            "intercept": round(more, 3),
            **reliability(rating[clear] > 0, chance[clear]),
        },
    }
    _save(final)
    (sentiment.HERE / "sentiment.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(report, indent=1))


def _save(head: sentiment.Head) -> None:
    np.savez_compressed(
        sentiment.HERE / "sentiment.npz",
        bias=np.array(head.bias, dtype=np.float32),
        embedding=head.embedding,
        valence=head.valence,
        inner=head.inner.astype(np.float16),
        inner_bias=head.inner_bias,
        outer=head.outer,
        denied=np.array(head.denied, dtype=np.float32),
        terms=np.array(list(head.idf)),
        idf=np.array(list(head.idf.values()), dtype=np.float32),
        weight=np.array([head.weight[term] for term in head.idf], dtype=np.float32),
        rated_words=np.array(list(head.rated)),
        ratings=np.array(list(head.rated.values()), dtype=np.float32),
        known=np.array(sorted(head.known)),
        toned=np.array(head.toned),
    )


if __name__ == "__main__":
    main()
