"""Learn which sentences of reviews people's summaries take up (tools/reviews/salience.json).

    python -m storewise.benchmarks.summaries_salience FOLDER

Ridge regression on the FewSum paper's train part: of each sentence, the share of its words, of its pairs of
words and of its longest common subsequence that stand in people's summaries of the product (ROUGE-1, -2 and
-L precision, added up). Judged by sevenfold cross-validation over the products.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import spearmanr
from sklearn.linear_model import Ridge
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from storewise.benchmarks.summaries import PARTS, Floats, Product, Rouge, read_products
from storewise.tools.reviews import embedding, salience
from storewise.tools.reviews.groups import read_lines
from storewise.tools.reviews.summary import Review

PENALTY = 100.0
FOLDS = 7


def read_sentences(product: Product) -> tuple[Floats, list[str]]:
    """Return the features of a product's sentences, and the sentences."""
    lines, _ = read_lines([Review(review_id=str(n), text=text) for n, text in enumerate(product.reviews)])
    texts = [quote.text for quote in lines.quotes]
    return salience.measured(texts, lines.vectors, lines.review, lines.positive), texts


def learn(measured: Sequence[Floats], taken_up: Sequence[Floats]) -> dict[str, Any]:
    """Return the weights learned from the features of each product's sentences and how far they were taken up."""
    model = make_pipeline(StandardScaler(), Ridge(PENALTY)).fit(np.vstack(measured), np.concatenate(taken_up))
    scale, learned = model[0], model[1]
    return {
        "means": scale.mean_.round(5).tolist(),
        "spreads": scale.scale_.round(5).tolist(),
        "weights": learned.coef_.round(5).tolist(),
        "bias": round(float(learned.intercept_), 5),
    }


def main() -> None:
    """Learn, judge and write the weights."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("folder", type=Path, help=f"holds the paper's {PARTS['train']}")
    products = read_products(parser.parse_args().folder / PARTS["train"])
    rouge = Rouge()
    measured, taken_up = [], []
    for product in products:
        found, texts = read_sentences(product)
        measured.append(found)
        taken_up.append(
            np.array([rouge(text, product.references, "precision").sum() for text in texts], dtype=np.float64)
        )
    groups = np.repeat(np.arange(len(products)), [len(part) for part in taken_up])
    x, y = np.vstack(measured), np.concatenate(taken_up)
    told = cross_val_predict(
        make_pipeline(StandardScaler(), Ridge(PENALTY)), x, y, groups=groups, cv=GroupKFold(FOLDS)
    )
    ranks = [float(spearmanr(told[groups == n], y[groups == n]).statistic) for n in range(len(products))]
    card = {
        "recipe": "python -m storewise.benchmarks.summaries_salience FOLDER",
        "learned_from": "sentences of the FewSum paper's train part beside its summaries",
        "embedding": embedding.model_name(),
        "features": list(salience.FEATURES),
        **learn(measured, taken_up),
        "cross_validated": {
            "products": len(products),
            "sentences": len(y),
            "rank correlation within a product": round(float(np.mean(ranks)), 3),
        },
    }
    path = Path(salience.__file__).with_suffix(".json")
    path.write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(card, indent=1))


if __name__ == "__main__":
    main()
