"""Train the sentiment head and write sentiment.npz and sentiment.json.

    pip download --no-deps --no-binary :all: vaderSentiment==3.3.2 && tar xzf vaderSentiment-3.3.2.tar.gz
    tar xzf vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz
    python -m storewise.tools.reviews.sentiment_training --sentences hutto_ICWSM_2014

The sentences (MIT licence; Hutto & Gilbert 2014, "VADER", ICWSM) were each rated by twenty people from
-4 to 4: 3,708 of Amazon reviews of five products, 4,200 tweets, 10,605 of film reviews. The scores come
from holding out each of the five products in turn. If `vaderSentiment` is installed it is scored, too.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import json
from collections import Counter
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, roc_auc_score

from storewise.tools.reviews import embedding, sentiment

VERSION = "1"
CLEAR = 0.5  # a mean rating nearer to 0 than this is neutral: not learned from, "mixed" when judged
SEEN = 4  # a term must stand in so many sentences
KEPT = 6000  # terms with the largest weights; the rest adds size and no accuracy
STRENGTH = 2.0  # sklearn's C
# The first review of the 2nd to 5th product: camera, camera, telephone, music player after a DVD player.
PRODUCTS = (99, 144, 176, 216)
FILES = {
    "amazon": "amazonReviewSnippets_GroundTruth.txt",
    "tweets": "tweets_GroundTruth.txt",
    "films": "movieReviewSnippets_GroundTruth.txt",
}

Floats = npt.NDArray[np.float64]


def rated(folder: Path) -> pd.DataFrame:
    """Return the rated sentences: source, product (1 to 5 for Amazon's, else 0), rating, text."""
    frames = []
    for source, name in FILES.items():
        frame = pd.read_csv(
            folder / name, sep="\t", header=None, names=["id", "rating", "text"], dtype={"id": str},
            quoting=csv.QUOTE_NONE, encoding_errors="replace", keep_default_na=False,
        )  # fmt: skip
        review = frame["id"].str.split("_").str[0].astype(int)
        frame["product"] = 1 + np.digitize(review, PRODUCTS) if source == "amazon" else 0
        frames.append(frame.assign(source=source))
    return pd.concat(frames, ignore_index=True)


def train(
    texts: list[str], vectors: npt.NDArray[np.float32], praise: npt.NDArray[np.bool_]
) -> sentiment.Head:
    """Fit a head: once on all terms, then again on those with the largest weights."""
    found = [set(sentiment.terms(text)) for text in texts]
    counts = Counter(term for terms in found for term in terms)
    kept = sorted(term for term, count in counts.items() if count >= SEEN)
    for _ in range(2):
        idf = np.array([1 + np.log((1 + len(texts)) / (1 + counts[term])) for term in kept])
        column = {term: i for i, term in enumerate(kept)}
        rows = [[column[term] for term in sorted(terms) if term in column] for terms in found]
        starts = np.cumsum([0, *map(len, rows)])
        columns = np.array([i for row in rows for i in row], dtype=np.int32)
        words = sparse.csr_matrix((idf[columns], columns, starts), shape=(len(texts), len(kept)))
        lengths = np.sqrt(np.asarray(words.multiply(words).sum(axis=1)).ravel())
        words = sparse.diags(1 / np.maximum(lengths, 1e-9)) @ words
        both = sparse.hstack([sparse.csr_matrix(vectors), words]).tocsr()
        model = LogisticRegression(C=STRENGTH, max_iter=3000).fit(both, praise)
        weights = model.coef_[0][embedding.DIMENSIONS :]
        result = sentiment.Head(
            version=VERSION,
            bias=float(model.intercept_[0]),
            embedding=model.coef_[0][: embedding.DIMENSIONS].astype(np.float32),
            idf=dict(zip(kept, idf.tolist(), strict=True)),
            weight=dict(zip(kept, weights.tolist(), strict=True)),
        )
        kept = sorted(kept[i] for i in np.argsort(-np.abs(weights))[:KEPT])
    return result


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
    data = rated(parser.parse_args().sentences)
    texts = data["text"].tolist()
    vectors = embedding.encode(texts, print)
    rating = data["rating"].to_numpy(dtype=np.float64)
    clear = np.abs(rating) > CLEAR

    def fit(mask: npt.NDArray[np.bool_]) -> sentiment.Head:
        chosen = np.flatnonzero(mask)
        return train([texts[i] for i in chosen], vectors[chosen], rating[chosen] > 0)

    product = data["product"].to_numpy()
    held = np.zeros(len(data))
    for number in range(1, len(PRODUCTS) + 2):
        out = np.flatnonzero(product == number)
        held[out] = fit(clear & (product != number)).probability([texts[i] for i in out], vectors[out])
    amazon = product > 0
    report: dict[str, Any] = {
        "version": VERSION,
        "trained_at": dt.date.today().isoformat(),
        "recipe": "python -m storewise.tools.reviews.sentiment_training --sentences hutto_ICWSM_2014",
        "sentences": {source: int((data["source"] == source).sum()) for source in FILES},
        "source": "Hutto & Gilbert 2014 (VADER, ICWSM), rated sentences of vaderSentiment 3.3.2, MIT licence",
        "embedding": embedding.model_name(),
        "held_out_product": scores(rating[amazon], held[amazon], 1 - sentiment.SURE, sentiment.SURE),
    }
    for sure in (0.55, 0.6, 0.65, 0.7, 0.75):
        print(f"sure from {sure}: {scores(rating[amazon], held[amazon], 1 - sure, sure)}")
    if find_spec("vaderSentiment"):
        vader = import_module("vaderSentiment.vaderSentiment").SentimentIntensityAnalyzer()
        compound = np.array([vader.polarity_scores(text)["compound"] for text in texts])
        report["vader"] = scores(rating[amazon], compound[amazon], -0.05, 0.05)
    final = fit(clear)
    names = list(final.idf)
    np.savez_compressed(
        sentiment.HERE / "sentiment.npz",
        terms=np.array(names),
        idf=np.array(list(final.idf.values()), dtype=np.float32),
        weight=np.array([final.weight[name] for name in names], dtype=np.float32),
        embedding=final.embedding,
        bias=np.array(final.bias, dtype=np.float32),
    )
    (sentiment.HERE / "sentiment.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
