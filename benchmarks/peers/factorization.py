"""Peers from the package `implicit`: ALS, BPR and item-kNN.

Hu, Koren and Volinsky, "Collaborative Filtering for Implicit Feedback Datasets", ICDM 2008; Rendle et
al., "BPR: Bayesian Personalized Ranking from Implicit Feedback", UAI 2009.
"""

from __future__ import annotations

import warnings

import numpy as np
import scipy.sparse as sp
from implicit.als import AlternatingLeastSquares
from implicit.bpr import BayesianPersonalizedRanking
from implicit.nearest_neighbours import BM25Recommender, CosineRecommender, TFIDFRecommender

from storewise.benchmarks.peers.ranked import Scorer, fallback
from storewise.tools.models.purchases import Floats, Ints
from storewise.tools.models.windows import Window

ALS_SETTINGS: tuple[dict[str, float], ...] = (
    {"factors": 32, "regularization": 1.0, "alpha": 1.0},
    {"factors": 64, "regularization": 10.0, "alpha": 1.0},
    {"factors": 128, "regularization": 10.0, "alpha": 1.0},
    {"factors": 128, "regularization": 30.0, "alpha": 1.0},
)
BPR_SETTINGS: tuple[dict[str, float], ...] = (
    {"factors": 32, "learning_rate": 0.01, "regularization": 0.01, "iterations": 40},
    {"factors": 16, "learning_rate": 0.03, "regularization": 0.1, "iterations": 20},
    {"factors": 32, "learning_rate": 0.05, "regularization": 0.01, "iterations": 5},
)
KNN_SETTINGS = (("cosine", 100), ("tfidf", 20), ("tfidf", 100), ("bm25", 20), ("bm25", 100))
_KNN = {"cosine": CosineRecommender, "tfidf": TFIDFRecommender, "bm25": BM25Recommender}


def als(window: Window, seed: int, setting: dict[str, float]) -> Scorer:
    """Return implicit's ALS, fitted on log(1 + times)."""
    model = AlternatingLeastSquares(
        factors=int(setting["factors"]),
        regularization=setting["regularization"],
        alpha=setting["alpha"],
        iterations=15,
        num_threads=1,
        random_state=seed,
    )
    return _factors(window, model, window.known.matrix(np.log1p(window.known.times)))


def bpr(window: Window, seed: int, setting: dict[str, float]) -> Scorer:
    """Return implicit's BPR, fitted on which products were bought."""
    model = BayesianPersonalizedRanking(
        factors=int(setting["factors"]),
        learning_rate=setting["learning_rate"],
        regularization=setting["regularization"],
        iterations=int(setting["iterations"]),
        num_threads=1,
        random_state=seed,
    )
    return _factors(window, model, window.known.matrix(np.ones(len(window.known.row), dtype=np.float32)))


def item_knn(window: Window, setting: tuple[str, int]) -> Scorer:
    """Return implicit's item-kNN: a kind of weights, and k neighbours."""
    kind, k = setting
    matrix = window.known.matrix(window.known.times)
    model = _KNN[kind](K=k, num_threads=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(matrix, show_progress=False)
    similarity = sp.csr_matrix(model.similarity)
    popular = fallback(window)
    return lambda rows: np.asarray((matrix[rows] @ similarity).toarray() + 1e-3 * popular, dtype=np.float32)


def _factors(
    window: Window,
    model: AlternatingLeastSquares | BayesianPersonalizedRanking,
    matrix: sp.csr_matrix,
) -> Scorer:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(matrix, show_progress=False)
    customers, products = np.asarray(model.user_factors), np.asarray(model.item_factors)

    def scorer(rows: Ints) -> Floats:
        return np.asarray(customers[rows] @ products.T, dtype=np.float32)

    return scorer
