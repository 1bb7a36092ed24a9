"""Cart abandonment: which visits end without a purchase, after each of their clicks.

**clicks**: a shop's visits (the demo shop's are simulated, so this measures the simulator as much as the
models). Learned on the visits that were over eight weeks before the end of the data, scored after every
click, from the first to the one before the purchase, of the visits that began in these eight weeks. Peers:
"always abandons" with the base rate; logistic regression and LightGBM with defaults on counts of the
clicks so far; a GRU and an LSTM over the sequence (Toth et al. 2017, Sheil et al. 2018). Metric: area
under the ROC curve over all clicks; the clicks of a visit are drawn together in the bootstrap.

**online_shoppers**, only where the folder given holds UCI's sessions.csv (Sakar et al., "Real-time
prediction of online shoppers' purchasing intention using multilayer perceptron and LSTM recurrent neural
networks", Neural Computing and Applications 31, 2019): whether a visit ended in a purchase, stratified
5-fold cross-validation, three times. Ours is the product's learner for tables with parameters that Optuna
finds by inner folds of the nine or so thousand rows learned from, in each of the fifteen folds anew.
Peers: logistic regression, random forest, LightGBM with defaults, on the columns as they come. Ours is
given `visit_features` beside them; `lightgbm_defaults_ours_features` says what these alone are worth.
These features, and the parameters at which each search begins, were thought out on the same table, with
folds of other seeds: that may flatter ours a little, which only sessions never seen can tell.

Three seeds: the figures are means over them; the interval pools their predictions and draws each visit
with all of its predictions.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter
from typing import Any, Literal

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from storewise.benchmarks import data
from storewise.benchmarks.bootstrap import auc_difference
from storewise.benchmarks.report import Clock, Report, Task
from storewise.tools.models import cart, tabular
from storewise.tools.models.sessions import COUNTS
from storewise.tools.shop.generation import Shop, ShopError

SEEDS = (7, 8, 9)
FOLDS = 5
INNER_FOLDS = 3
TRIALS = 8  # of Optuna in each fold
SECONDS = 60.0  # at most, for these
OUTCOME = "Revenue"

# Where each search begins: a table of some thousand rows with a few strong columns.
FIRST: dict[str, float] = {
    "rounds": 250,
    "learning_rate": 0.03,
    "num_leaves": 10,
    "min_data_in_leaf": 40,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.7,
    "lambda_l2": 10.0,
}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

Floats = npt.NDArray[np.float64]
Predict = Callable[[pd.DataFrame, Floats, pd.DataFrame, int], Floats]


def run(folder: Path | None, tell: Callable[[str], None]) -> Report:
    """Compare ours with the peers on the shop's visits and, where `folder` holds them, UCI's sessions.

    Raises:
        ShopError: the shop has no clicks or too few visits, or sessions.csv is not what it should be.
    """
    clock = Clock(tell)
    shoppers = data.online_shoppers(folder)
    if shoppers is not None:
        _check(shoppers)
    more: dict[str, Any] = {}
    with data.shop(None if shoppers is not None else folder, tell) as shop:
        tasks = {"clicks": clicks(shop, clock)}
    if shoppers is not None:
        tasks["online_shoppers"] = online_shoppers(shoppers, clock)
    else:
        more["left_out"] = f"online_shoppers: give a folder with UCI's {data.SESSIONS} with --data"
    return Report("cart", tasks, clock.seconds, more)


def clicks(shop: Shop, clock: Clock) -> Task:
    """Return the comparison on the later visits of a shop.

    Raises:
        ShopError: the shop has no clicks, or too few visits.
    """
    shop.require("events", "session_id", "event", "occurred_at")
    with clock.step("features of the clicks"):
        over = cart.visits_over(shop)
    edge = cart.midnight(shop) - dt.timedelta(weeks=cart.TEST_WEEKS)
    early, late = cart.split(over, edge)
    if cart.too_little(early) or cart.too_little(late):
        raise ShopError(
            f"The benchmark needs {cart.FEWEST_VISITS} visits before {edge.date()} and as many after it, "
            f"{cart.FEWEST_BOUGHT} of them bought and {cart.FEWEST_BOUGHT} not. "
            "Run it on the demo shop with: storewise benchmark cart"
        )
    y = np.asarray(~late["bought"], dtype=np.float64)
    abandoned = np.asarray(~early["bought"], dtype=np.float64)
    with clock.step("ours: selecting features"):
        features, dropped = cart.select(early)
    fitted = []
    with clock.step("ours: training"):
        fitted = [cart.fit(early, features, seed) for seed in SEEDS]
    ours = np.stack([blends.probability(late) for blends in fitted])
    counts = list(COUNTS)
    peers: dict[str, Floats] = {"always abandons": np.tile(abandoned.mean(), (len(SEEDS), len(y)))}
    for name, predict in (("logistic regression", logistic), ("LightGBM defaults", lightgbm_defaults)):
        with clock.step(f"{name} on counts"):
            guesses = [predict(early[counts], abandoned, late[counts], seed) for seed in SEEDS]
        peers[f"{name} on counts"] = np.stack(guesses)
    for cell in ("GRU", "LSTM"):
        with clock.step(cell):
            peers[cell] = np.stack([_recurrent(early, late, cell, seed) for seed in SEEDS])
    task = _task(y, ours, peers, late["session_id"].to_numpy())
    blend = _sigmoid((_odds(ours) + _odds(peers["LSTM"])) / 2)
    in_cart = (late["items"] > 0).to_numpy()
    more = {
        "visits": int(late["session_id"].nunique()),
        "abandoned": float(y.mean()),
        "auc_with_something_in_the_cart": _with(
            lambda p: float(roc_auc_score(y[in_cart], p[in_cart])), ours, peers
        ),
        "blend_of_ours_and_LSTM": _mean_auc(y, blend),
        "blend_less_ours": _interval(y, blend, ours, late["session_id"].to_numpy()),
        "shipped": "the trees alone, whose reasons are exact parts of the prediction",
        "features_kept": len(features),
        "features_dropped": len(dropped),
        "speed": _speed(fitted[0], late),
    }
    return Task(**{**task.__dict__, "more": {**task.more, **more}})


def online_shoppers(table: pd.DataFrame, clock: Clock) -> Task:
    """Return the comparison by cross-validation on UCI's sessions."""
    y = np.asarray(table[OUTCOME].astype(str).str.upper() == "TRUE", dtype=np.float64)
    columns = table.drop(columns=OUTCOME)
    own = visit_features(columns)
    methods: dict[str, tuple[Predict, pd.DataFrame]] = {
        "ours": (searched, own),
        "logistic regression": (logistic, columns),
        "random forest": (random_forest, columns),
        "LightGBM defaults": (lightgbm_defaults, columns),
        "lightgbm_defaults_ours_features": (lightgbm_defaults, own),
    }
    found = {name: np.zeros((len(SEEDS), len(y))) for name in methods}
    for place, seed in enumerate(SEEDS):
        folds = list(StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(y, y))
        for name, (predict, x) in methods.items():
            with clock.step(f"online shoppers, {name}"):
                for learn, score in folds:
                    found[name][place, score] = predict(x.iloc[learn], y[learn], x.iloc[score], seed)
    ours, alone = found.pop("ours"), found.pop("lightgbm_defaults_ours_features")
    task = _task(y, ours, found, np.arange(len(y)))
    more = {
        "bought": float(y.mean()),
        "less_lightgbm_defaults": _interval(y, ours, found["LightGBM defaults"], np.arange(len(y))),
        "lightgbm_defaults_ours_features": _mean_auc(y, alone),
        "target_auc": 0.931,
    }
    return Task(**{**task.__dict__, "more": {**task.more, **more}})


def visit_features(columns: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of sessions.csv and what follows from them: totals, rates and ratios.

    Pages and seconds in all and per page of each kind; the page value of the whole visit; how much of the
    exit rate is bounces; the month as its place in the year, since people buy more late in it.
    """
    x = columns.copy()
    kinds = ("Administrative", "Informational", "ProductRelated")
    pages = x[list(kinds)].sum(axis=1)
    seconds = x[[f"{kind}_Duration" for kind in kinds]].sum(axis=1)
    x["Month"] = x["Month"].astype(str).str[:3].str.title().map({m: i for i, m in enumerate(_MONTHS)})
    x["Weekend"] = x["Weekend"].astype(str).str.upper() == "TRUE"
    for kind in kinds:
        x[f"{kind}_seconds_a_page"] = x[f"{kind}_Duration"] / x[kind].clip(lower=1)
    x["pages"], x["seconds"], x["seconds_a_page"] = pages, seconds, seconds / pages.clip(lower=1)
    x["administrative_share"] = x["Administrative"] / pages.clip(lower=1)
    x["value_in_all"] = x["PageValues"] * pages
    x["value_a_page"] = x["PageValues"] / pages.clip(lower=1)
    x["value_to_exits"] = x["PageValues"] / (x["ExitRates"] + 0.01)
    x["exits_less_bounces"] = x["ExitRates"] - x["BounceRates"]
    x["bounces_to_exits"] = x["BounceRates"] / (x["ExitRates"] + 1e-4)
    x["exits_in_all"], x["bounces_in_all"] = x["ExitRates"] * pages, x["BounceRates"] * pages
    return x


def searched(learn: pd.DataFrame, y: Floats, score: pd.DataFrame, seed: int) -> Floats:
    """Return the product's learner's probabilities, its parameters found by folds of `learn`."""
    folds = list(StratifiedKFold(INNER_FOLDS, shuffle=True, random_state=seed).split(learn, y))
    # Two fits a fold are enough to compare; the regression is left out, since the trees outweigh it.
    fixed = {"ramps": 0.0, "folds": 2.0}
    found, _ = tabular.search(
        learn, y, folds, SECONDS, trials=TRIALS, first={**FIRST, **fixed}, fixed=fixed, seed=seed
    )
    model = tabular.fit(learn, y, parameters={**found, "folds": 5}, seed=seed)
    return model.probability(score)


def logistic(learn: pd.DataFrame, y: Floats, score: pd.DataFrame, seed: int) -> Floats:
    """Return a logistic regression's probabilities: logarithms of counts, indicators of words."""
    known, asked = _indicators(learn, score)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000, random_state=seed))
    model.fit(np.log1p(known.clip(lower=0)), y)
    return np.asarray(model.predict_proba(np.log1p(asked.clip(lower=0)))[:, 1], dtype=np.float64)


def random_forest(learn: pd.DataFrame, y: Floats, score: pd.DataFrame, seed: int) -> Floats:
    """Return a random forest's probabilities: 300 trees, else scikit-learn's defaults."""
    known, asked = _indicators(learn, score)
    model = RandomForestClassifier(300, random_state=seed, n_jobs=1).fit(known, y)
    return np.asarray(model.predict_proba(asked)[:, 1], dtype=np.float64)


def lightgbm_defaults(learn: pd.DataFrame, y: Floats, score: pd.DataFrame, seed: int) -> Floats:
    """Return the probabilities of LightGBM with its defaults, words as categories."""
    words = [str(name) for name in learn if not pd.api.types.is_numeric_dtype(learn[name])]
    kinds = {name: pd.CategoricalDtype(sorted(learn[name].dropna().unique())) for name in words}
    model = lgb.LGBMClassifier(random_state=seed, n_jobs=1, verbose=-1).fit(learn.astype(kinds), y)
    return np.asarray(model.predict_proba(score.astype(kinds)), dtype=np.float64)[:, 1]


def _recurrent(early: pd.DataFrame, late: pd.DataFrame, cell: Literal["GRU", "LSTM"], seed: int) -> Floats:
    from storewise.benchmarks.peers.click_sequence import abandonment

    return abandonment(early, late, cell, seed)


def _indicators(learn: pd.DataFrame, score: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    known, asked = pd.get_dummies(learn, dtype=float), pd.get_dummies(score, dtype=float)
    return known.astype(float), asked.reindex(columns=known.columns, fill_value=0.0).astype(float)


def _task(y: Floats, ours: Floats, peers: Mapping[str, Floats], clusters: npt.NDArray[Any]) -> Task:
    """Return the comparison of predictions [seeds, cases] for the labels `y`."""
    scores = _with(lambda p: float(roc_auc_score(y, p)), ours, peers)
    own = scores.pop("ours")
    best = max(scores, key=lambda name: scores[name])
    further: dict[str, Callable[[Floats], float]] = {
        "average_precision": lambda p: float(average_precision_score(y, p)),
        "log_loss": lambda p: float(log_loss(y, np.clip(p, 1e-6, 1 - 1e-6))),
        "brier": lambda p: float(brier_score_loss(y, p)),
        "calibration_slope": lambda p: cart.calibration_slope(y, p),
    }
    more: dict[str, Any] = {name: _with(figure, ours, peers) for name, figure in further.items()}
    more["auc_by_seed"] = {seed: float(roc_auc_score(y, p)) for seed, p in zip(SEEDS, ours, strict=True)}
    return Task(len(y), "ROC AUC", own, scores, _interval(y, ours, peers[best], clusters), more=more)


def _with(figure: Callable[[Floats], float], ours: Floats, peers: Mapping[str, Floats]) -> dict[str, float]:
    everybody = {"ours": ours, **peers}
    return {name: float(np.mean([figure(p) for p in guesses])) for name, guesses in everybody.items()}


def _mean_auc(y: Floats, guesses: Floats) -> float:
    return float(np.mean([roc_auc_score(y, p) for p in guesses]))


def _interval(y: Floats, ours: Floats, peer: Floats, clusters: npt.NDArray[Any]) -> tuple[float, float]:
    """Return the interval of the difference in AUC; a case's predictions of all seeds are drawn together."""
    seeds = len(ours)
    return auc_difference(np.tile(y, seeds), ours.ravel(), peer.ravel(), np.tile(clusters, seeds))


def _speed(blends: cart.Blends, late: pd.DataFrame) -> dict[str, float]:
    """Return clicks scored a second on one thread, and milliseconds for one visit with its reasons."""
    began = perf_counter()
    blends.probability(late)
    in_bulk = perf_counter() - began
    some = late["session_id"].drop_duplicates().head(50)
    visits = [rows for _, rows in late[late["session_id"].isin(some)].groupby("session_id")]
    began = perf_counter()
    for rows in visits:
        blends.probability(rows)
        blends.at_click.contributions(rows.tail(1))
    each = (perf_counter() - began) / len(visits)
    return {"clicks_a_second": round(len(late) / in_bulk), "one_visit_ms": round(1000 * each, 1)}


def _check(table: pd.DataFrame) -> None:
    needed = {"Administrative", "Informational", "ProductRelated", "Month", "Weekend", OUTCOME}
    needed |= {f"{kind}_Duration" for kind in ("Administrative", "Informational", "ProductRelated")}
    needed |= {"BounceRates", "ExitRates", "PageValues"}
    lacking = sorted(needed - set(table.columns))
    if lacking:
        raise ShopError(
            f"{data.SESSIONS} lacks {', '.join(lacking)}, so it is not UCI's table of online shoppers. "
            "Give the folder of that table with: storewise benchmark cart --data FOLDER"
        )
    bought = table[OUTCOME].astype(str).str.upper() == "TRUE"
    if min(bought.sum(), (~bought).sum()) < FOLDS * INNER_FOLDS:
        raise ShopError(
            f"{data.SESSIONS} has too few visits with one of the two outcomes to be split into folds. "
            "Give the folder of the whole table with: storewise benchmark cart --data FOLDER"
        )


def _odds(p: Floats) -> Floats:
    clipped = np.clip(p, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(clipped / (1 - clipped)))


def _sigmoid(score: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-score)))
