"""Who stops buying: our churn model beside its peers at several cut-offs of a shop, and on telephone customers.

Shop (The Complete Journey, or the one given): CUTOFFS test cut-offs, the last of them HORIZON_DAYS
before the end of the data, STEP_DAYS apart. Label: no order in the next HORIZON_DAYS. At each test
cut-off every method is trained anew on earlier cut-offs whose days were over by then, and scored on all
customers with an order so far (out of time, after Coussement and Van den Poel 2008; several windows slid
over the history as training rows: Gattermann-Itschert and Thonemann 2021). Scores are pooled over the
cut-offs. The choice of features is made anew on each training part; the parameters were found at
cut-offs whose labels were known before the first test cut-off (`churn_search.py`). The peers: recency
alone and recency, orders and spend (RFM) in a logistic regression of their logarithms; LightGBM with its
defaults on RFM; BG/NBD (`lifetimes`) fitted to all visits up to the test cut-off, once by its
probability alive and once by its probability of no visit in the days to come.

Telco: 7,043 customers of IBM's Telco data, churned or not, as they are. Stratified 5-fold, repeated with each
seed; the same table learner with its own defaults beside a logistic regression (standardized numbers, an
indicator per word) and LightGBM with its defaults. The metric is the mean over folds and repetitions.

Our figures are means over SEEDS. The interval of the difference to the best peer is a paired bootstrap that
resamples customers; of those of the seeds it is the lowest and highest bound.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import logit
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from storewise.benchmarks import bootstrap, data
from storewise.benchmarks.peers.alive import bg_nbd
from storewise.benchmarks.report import Clock, Interval, Report, Task
from storewise.tools.models import churn, tabular
from storewise.tools.models.churn_past import Past
from storewise.tools.models.features import HORIZON_DAYS
from storewise.tools.shop.generation import ShopError

Floats = npt.NDArray[np.float64]

CUTOFFS = 5
STEP_DAYS = 15
SEEDS = (7, 8, 9)
RFM = ["recency_days", "orders", "spend"]
FOLDS = 5


def run(folder: Path | None, tell: Callable[[str], None]) -> Report:
    """Compare at a shop's cut-offs and, without a folder, on the telephone customers too.

    Raises:
        ShopError: a package is missing, or the shop's orders are too few or too short.
    """
    clock = Clock(tell)
    tasks = {"shop": _shop(folder, clock)}
    if folder is None:
        tasks["telco"] = _telco(clock)
    return Report("churn", tasks, clock.seconds)


def _shop(folder: Path | None, clock: Clock) -> Task:
    ours: list[list[Floats]] = [[] for _ in SEEDS]
    peers: dict[str, list[Floats]] = {}
    labels: list[npt.NDArray[np.bool_]] = []
    who: list[npt.NDArray[np.object_]] = []
    dropped: dict[str, str] = {}
    days = []
    with data.shop(folder, clock.tell) as shop:
        with clock.step("reading the visits"):
            past = Past(shop, HORIZON_DAYS)
        last = shop.as_of - dt.timedelta(days=HORIZON_DAYS)
        for day in sorted(last - dt.timedelta(days=STEP_DAYS * step) for step in range(CUTOFFS)):
            with clock.step("features"):
                table, test = past.table(past.before(day)), past.table([day])
            if churn.too_little(table) or test["churned"].nunique() < 2:
                clock.tell(f"{day} is left out: too little is known by then")
                continue
            days.append(day.isoformat())
            labels.append(test["churned"].to_numpy(dtype=bool))
            who.append(test["customer_id"].to_numpy(dtype=object))
            with clock.step("peers"):
                for name, score in _peers(table, test, past, day).items():
                    peers.setdefault(name, []).append(score)
            with clock.step("choosing features"):
                features, dropped = churn.choose(table)
            for seed, scores in zip(SEEDS, ours, strict=True):
                with clock.step("ours"):
                    scores.append(churn.learn(table, features, seed).probability(test))
    if not days:
        raise ShopError(
            f"The orders are too few or too short for a benchmark of churn: it takes {churn.FEWEST_CUSTOMERS} "
            f"customers, {churn.FEWEST_CHURNED} who stopped, and {2 * HORIZON_DAYS} days after the first "
            "months. Give a folder with more of them: storewise benchmark churn --data FOLDER"
        )
    y, customers = np.concatenate(labels), np.concatenate(who)
    mine = [np.concatenate(scores) for scores in ours]
    theirs = {name: np.concatenate(scores) for name, scores in peers.items()}
    with clock.step("bootstrap"):
        task = _task(y, mine, theirs, customers)
    by_cutoff = {
        day: {
            "churned": int(label.sum()),
            "ours": float(np.mean([roc_auc_score(label, scores[place]) for scores in ours])),
            **{name: float(roc_auc_score(label, scores[place])) for name, scores in peers.items()},
        }
        for place, (day, label) in enumerate(zip(days, labels, strict=True))
    }
    task.more.update(cutoffs=by_cutoff, dropped_at_the_last=dropped)
    return task


def _peers(table: pd.DataFrame, test: pd.DataFrame, past: Past, day: dt.date) -> dict[str, Floats]:
    """Return each peer's score for the rows of `test`, trained on `table` or fitted up to `day`."""

    def logistic(names: list[str]) -> Floats:
        def scale(rows: pd.DataFrame) -> pd.DataFrame:
            return rows[names].clip(lower=0).transform(np.log1p)

        fit = make_pipeline(StandardScaler(), LogisticRegression()).fit(scale(table), table["churned"])
        return np.asarray(fit.predict_proba(scale(test))[:, 1])

    boosted = lgb.LGBMClassifier(n_jobs=1, verbose=-1).fit(table[RFM], table["churned"])
    bought = bg_nbd(past.visits, day, HORIZON_DAYS).set_index("customer_id").loc[test["customer_id"]]
    return {
        "BG/NBD probability alive": bought["gone"].to_numpy(),
        "BG/NBD probability of no order": bought["silent"].to_numpy(),
        "recency alone": logistic(["recency_days"]),
        "logistic regression on RFM": logistic(RFM),
        "LightGBM with defaults on RFM": np.asarray(boosted.predict_proba(test[RFM]))[:, 1],
    }


def _telco(clock: Clock) -> Task:
    table = data.telco()
    y = (table["churn"] == "Yes").to_numpy()
    x = table.drop(columns=["rownames", "churn"])
    words = [name for name in x.columns if not pd.api.types.is_numeric_dtype(x[name])]
    numbers = [name for name in x.columns if name not in words]
    regression = make_pipeline(
        make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore"), words),
            (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
        ),
        LogisticRegression(max_iter=1000),
    )
    coded = x.astype(dict.fromkeys(words, "category"))
    ours: list[Floats] = []
    peers: dict[str, list[Floats]] = {"logistic regression": [], "LightGBM with defaults": []}
    folds = []
    for seed in SEEDS:
        scores = {name: np.zeros(len(y)) for name in ("ours", *peers)}
        split = list(StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(x, y))
        for learn, hold in split:
            with clock.step("telco, ours"):
                model = tabular.fit(x.iloc[learn], y[learn], seed=seed)
                scores["ours"][hold] = model.probability(x.iloc[hold])
            with clock.step("telco, peers"):
                fitted = regression.fit(x.iloc[learn], y[learn])
                scores["logistic regression"][hold] = np.asarray(fitted.predict_proba(x.iloc[hold]))[:, 1]
                boosted = lgb.LGBMClassifier(n_jobs=1, verbose=-1).fit(coded.iloc[learn], y[learn])
                scores["LightGBM with defaults"][hold] = np.asarray(boosted.predict_proba(coded.iloc[hold]))[
                    :, 1
                ]
        ours.append(scores["ours"])
        for name, kept in peers.items():
            kept.append(scores[name])
        folds.append([hold for _, hold in split])

    def mean(scores: list[Floats]) -> list[float]:
        """Return each repetition's mean over its folds."""
        return [
            float(np.mean([roc_auc_score(y[hold], p[hold]) for hold in holds]))
            for p, holds in zip(scores, folds, strict=True)
        ]

    by_peer = {name: float(np.mean(mean(scores))) for name, scores in peers.items()}
    best = max(by_peer, key=lambda name: by_peer[name])
    with clock.step("bootstrap"):
        found = [bootstrap.auc_difference(y, a, b) for a, b in zip(ours, peers[best], strict=True)]
    return Task(
        n=len(y),
        metric="ROC AUC",
        ours=float(np.mean(mean(ours))),
        peers=by_peer,
        interval=_widest(found),
        more={"by_seed": mean(ours), "target": 0.848},
    )


def _task(
    y: npt.NDArray[np.bool_],
    ours: list[Floats],
    peers: dict[str, Floats],
    customers: npt.NDArray[np.object_],
) -> Task:
    """Return the comparison in ROC AUC, the other figures of each method and the intervals."""
    mine = [figures(y, scores) for scores in ours]
    theirs = {name: figures(y, scores) for name, scores in peers.items()}
    best = max(theirs, key=lambda name: theirs[name]["roc_auc"])
    precise = max(theirs, key=lambda name: theirs[name]["average_precision"])

    def precision(scores: Floats, weights: Floats) -> float:
        return float(average_precision_score(y, scores, sample_weight=weights))

    intervals = {
        peer: _widest([bootstrap.auc_difference(y, scores, its, customers) for scores in ours])
        for peer, its in peers.items()
    }
    average_precision = [
        bootstrap.difference(precision, scores, peers[precise], customers) for scores in ours
    ]
    more: dict[str, Any] = {
        name: {
            "ours": float(np.mean([each[name] for each in mine])),
            **{peer: values[name] for peer, values in theirs.items()},
        }
        for name in mine[0]
        if name != "roc_auc"
    }
    more["average_precision_interval"] = _widest(average_precision)
    more["average_precision_best_peer"] = precise
    more["intervals"] = intervals
    more["by_seed"] = [each["roc_auc"] for each in mine]
    more["customers"] = len(np.unique(customers))
    return Task(
        n=len(y),
        metric="ROC AUC",
        ours=float(np.mean([each["roc_auc"] for each in mine])),
        peers={name: values["roc_auc"] for name, values in theirs.items()},
        interval=intervals[best],
        more=more,
    )


def figures(y: npt.NDArray[np.bool_], p: Floats) -> dict[str, float]:
    """Return how well probabilities `p` rank and are calibrated.

    The Brier skill score is against everybody's share (Murphy 1973); the calibration slope is that of y
    in a logistic regression on the log-odds of p, 1 where p is neither too bold nor too timid (Cox 1958).
    """
    share = float(y.mean())
    tenth = np.argsort(-p, kind="stable")[: max(1, len(y) // 10)]
    odds = logit(np.clip(p, 1e-6, 1 - 1e-6)).reshape(-1, 1)
    slope = LogisticRegression(C=1e6).fit(odds, y).coef_[0, 0]
    return {
        "roc_auc": float(roc_auc_score(y, p)),
        "average_precision": float(average_precision_score(y, p)),
        "brier_skill_score": 1 - float(brier_score_loss(y, p)) / (share * (1 - share)),
        "calibration_slope": float(slope),
        "lift_in_top_decile": float(y[tenth].mean()) / share,
    }


def _widest(intervals: list[Interval]) -> Interval:
    return min(low for low, _ in intervals), max(high for _, high in intervals)
