"""A calibrated classifier for tables: boosted trees and a monotone additive logistic regression, blended.

The trees are LightGBM's. The logistic regression takes each number through a few ramps between its
quantiles (a piecewise linear additive model, Hastie and Tibshirani 1986) and each word as an indicator.
Both are fitted on K folds, each on all folds but one; a logistic regression with weights of 0 or more
over the scores of the folds left out blends and calibrates them (stacking, Wolpert 1992 and Breiman
1996; Platt 1999), so that a part which does not pay gets the weight 0. The K fits of each part are then
averaged. The prediction's log-odds are a sum of one exact contribution per feature: those of the trees
are their SHAP values (Lundberg et al. 2018, Consistent Individualized Feature Attribution for Tree
Ensembles), those of the regression its own terms.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, StratifiedKFold

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MODEL = "tabular.json"

# For some thousand rows with a signal as weak as people's behaviour; `search` finds a table's own.
DEFAULTS: dict[str, float] = {
    "folds": 5,
    "rounds": 300,
    "learning_rate": 0.03,
    "num_leaves": 5,
    "min_data_in_leaf": 20,
    "feature_fraction": 0.4,
    "bagging_fraction": 0.6,
    "lambda_l2": 10.0,
    "ramps": 3,  # between quantiles of a number, in the logistic regression; 0 for trees alone
    "ridge": 10.0,  # its penalty on squared weights of standardized terms
}
_WHOLE = {"folds", "rounds", "num_leaves", "min_data_in_leaf", "ramps"}
_LEVELS = 50  # a word column's most frequent words that have a term of their own


@dataclass(frozen=True)
class _Column:
    """How one feature becomes numbers: `levels` of a word column, else the `knots` of its ramps."""

    name: str
    levels: tuple[str, ...]
    knots: tuple[float, ...]
    gaps: bool  # whether it had missing values, which then have a term of their own
    linear: bool  # whether it has terms in the regression at all

    @property
    def terms(self) -> int:
        """How many columns it has in the regression."""
        return ((len(self.levels) or max(0, len(self.knots) - 1)) + self.gaps) if self.linear else 0


@dataclass(frozen=True)
class Tabular:
    """A fitted blend: log-odds = offset + tree_weight * trees(x) + linear_weight * linear(x)."""

    columns: tuple[_Column, ...]
    boosters: tuple[lgb.Booster, ...]
    centers: Floats  # of the regression's terms
    slopes: Floats
    intercept: float
    tree_weight: float
    linear_weight: float
    offset: float

    def probability(self, table: pd.DataFrame) -> Floats:
        """Return float64[n], the probability of the label 1 for each row of `table`."""
        return np.asarray(expit(self.log_odds(table)), dtype=np.float64)

    def log_odds(self, table: pd.DataFrame) -> Floats:
        """Return float64[n], the logarithm of p / (1 - p)."""
        x = _encode(table, self.columns)
        return self.offset + self.tree_weight * self._trees(x) + self.linear_weight * self._linear(x)

    def contributions(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return a row per row and a column per feature beside "base"; each row adds up to its log-odds."""
        x = _encode(table, self.columns)
        exact = np.zeros((len(x), len(self.columns) + 1))
        if self.tree_weight:
            for booster in self.boosters:
                exact += np.asarray(booster.predict(x, pred_contrib=True)) / len(self.boosters)
        exact *= self.tree_weight
        if self.linear_weight:
            terms = self._centered(x) * (self.linear_weight * self.slopes)
            begin = 0
            for place, column in enumerate(self.columns):
                exact[:, place] += terms[:, begin : begin + column.terms].sum(axis=1)
                begin += column.terms
            exact[:, -1] += self.linear_weight * self.intercept
        exact[:, -1] += self.offset
        return pd.DataFrame(exact, index=table.index, columns=[*(c.name for c in self.columns), "base"])

    def save(self, folder: Path) -> None:
        """Write the model into `folder`: the trees as LightGBM's text, all else as JSON."""
        folder.mkdir(parents=True, exist_ok=True)
        for place, booster in enumerate(self.boosters):
            booster.save_model(str(folder / f"trees_{place}.txt"))
        rest = {
            "columns": [[c.name, c.levels, c.knots, c.gaps, c.linear] for c in self.columns],
            "boosters": len(self.boosters),
            "centers": self.centers.tolist(),
            "slopes": self.slopes.tolist(),
            "intercept": self.intercept,
            "tree_weight": self.tree_weight,
            "linear_weight": self.linear_weight,
            "offset": self.offset,
        }
        (folder / MODEL).write_text(json.dumps(rest), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Tabular:
        """Read what `save` wrote.

        Raises:
            OSError, ValueError: a file is missing or broken.
        """
        try:
            rest = json.loads((folder / MODEL).read_text(encoding="utf-8"))
            columns = tuple(
                _Column(n, tuple(levels), tuple(knots), *flags)
                for n, levels, knots, *flags in rest["columns"]
            )
            boosters = tuple(
                lgb.Booster(model_file=str(folder / f"trees_{place}.txt"))
                for place in range(rest["boosters"])
            )
            model = cls(
                columns,
                boosters,
                np.asarray(rest["centers"], dtype=np.float64),
                np.asarray(rest["slopes"], dtype=np.float64),
                *(float(rest[name]) for name in ("intercept", "tree_weight", "linear_weight", "offset")),
            )
        except (KeyError, TypeError, lgb.basic.LightGBMError) as error:
            raise ValueError(f"{folder} holds no whole model: {error}") from error
        if not len(model.centers) == len(model.slopes) == sum(c.terms for c in columns):
            raise ValueError(f"{folder} holds no whole model: its terms and weights differ in number")
        return model

    def _trees(self, x: Floats) -> Floats:
        if not self.tree_weight:
            return np.zeros(len(x))
        scores = [np.asarray(b.predict(x, raw_score=True), dtype=np.float64) for b in self.boosters]
        return np.asarray(np.mean(scores, axis=0))

    def _linear(self, x: Floats) -> Floats:
        if not self.linear_weight:
            return np.zeros(len(x))
        return np.asarray(self._centered(x) @ self.slopes + self.intercept)

    def _centered(self, x: Floats) -> Floats:
        # What was never missing in training, and now is, neither raises nor lowers the score.
        return np.nan_to_num(_terms(x, self.columns) - self.centers)


def by_group(contributions: pd.DataFrame, groups: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Add up the columns of `contributions` by group, a column each; features left out count nothing."""
    sums = {
        group: contributions[[name for name in names if name in contributions]].sum(axis=1)
        for group, names in groups.items()
    }
    return pd.DataFrame(sums, index=contributions.index)


def fit(
    table: pd.DataFrame,
    y: npt.ArrayLike,
    *,
    parameters: Mapping[str, float] | None = None,
    monotone: Mapping[str, int] | None = None,
    groups: npt.ArrayLike | None = None,
    seed: int = 7,
) -> Tabular:
    """Fit the blend on a row per case.

    Args:
        table: numbers and booleans as they are, words as str or pandas' category; values may be missing.
        y: [n], the label of each row, 0 or 1.
        parameters: in place of those of DEFAULTS.
        monotone: 1 for features that may only raise the prediction, -1 for those that may only lower it.
        groups: [n], a key per row; rows with the same key are left out together (one customer's).

    Raises:
        ValueError: the labels, or those of all groups but some, are all the same.
    """
    settings = settled(parameters)
    labels = np.asarray(y, dtype=np.float64)
    columns = _columns(table, int(settings["ramps"]))
    x = _encode(table, columns)
    signs = [0 if c.levels else (monotone or {}).get(c.name, 0) for c in columns]
    linear = any(c.terms for c in columns)
    terms = _terms(x, columns) if linear else np.zeros((len(x), 0))
    centers = np.nan_to_num(terms.mean(axis=0))
    terms -= centers
    scales = np.maximum(terms.std(axis=0), 1e-3)
    terms /= scales
    bounds = _bounds(columns, signs) if linear else []
    data = lgb.Dataset(
        x, labels, categorical_feature=[i for i, c in enumerate(columns) if c.levels], params=_QUIET
    ).construct()

    boosters: list[lgb.Booster] = []
    weights: list[Floats] = []
    left_out = np.full((len(x), 2), np.nan)
    for learn, hold in _folds(labels, groups, int(settings["folds"]), seed):
        if len(np.unique(labels[learn])) < 2:
            continue
        booster = _boost(data.subset(learn.tolist()), settings, signs, seed + len(boosters), labels[learn])
        weight = logistic(terms[learn], labels[learn], bounds, settings["ridge"])
        left_out[hold, 0] = booster.predict(x[hold], raw_score=True)
        left_out[hold, 1] = terms[hold] @ weight[:-1] + weight[-1]
        boosters.append(booster)
        weights.append(weight)
    scored = ~np.isnan(left_out[:, 0])
    if not boosters or len(np.unique(labels[scored])) < 2:
        raise ValueError("there is nothing to learn: the labels are all the same, or nearly so")
    parts = 2 if linear else 1
    *blend, offset = logistic(left_out[scored, :parts], labels[scored], [(0.0, None)] * parts, 1e-3)
    mean = np.mean(weights, axis=0)
    return Tabular(
        columns,
        tuple(boosters),
        centers,
        mean[:-1] / scales,
        float(mean[-1]),
        float(blend[0]),
        float(blend[1]) if linear else 0.0,
        float(offset),
    )


def search(
    table: pd.DataFrame,
    y: npt.ArrayLike,
    folds: Sequence[tuple[npt.NDArray[Any], npt.NDArray[Any]]],
    seconds: float,
    *,
    monotone: Mapping[str, int] | None = None,
    groups: npt.ArrayLike | None = None,
    trials: int | None = None,
    first: Mapping[str, float] | None = None,
    fixed: Mapping[str, float] | None = None,
    seed: int = 7,
) -> tuple[dict[str, float], float]:
    """Return the best parameters found within the budget, and their mean area under the ROC curve.

    Args:
        folds: (rows learned from, rows scored) as indices; in a split by time all learned rows' labels
            are known before the scored rows' day.
        seconds: when to begin no further trial; the first is made whatever it takes.
        trials: the most trials, so that a search can be repeated on a machine of another speed.
        first: parameters of the first trial in place of those of DEFAULTS.
        fixed: parameters that are not searched.
        seed: of Optuna's tree-structured Parzen estimator (Bergstra et al. 2011) and of all fits.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    labels = np.asarray(y, dtype=np.float64)
    keys = None if groups is None else np.asarray(groups)

    def objective(trial: optuna.Trial) -> float:
        chosen = {
            "folds": 3.0,  # enough to compare; the model is fitted with more
            "rounds": trial.suggest_int("rounds", 50, 800, log=True),
            "learning_rate": trial.suggest_float("learning_rate", 0.01, 0.1, log=True),
            "num_leaves": trial.suggest_int("num_leaves", 2, 31, log=True),
            "min_data_in_leaf": trial.suggest_int("min_data_in_leaf", 10, 500, log=True),
            "feature_fraction": trial.suggest_float("feature_fraction", 0.1, 1.0),
            "bagging_fraction": trial.suggest_float("bagging_fraction", 0.2, 1.0),
            "lambda_l2": trial.suggest_float("lambda_l2", 0.1, 200.0, log=True),
            "ramps": trial.suggest_int("ramps", 0, 4),
            "ridge": trial.suggest_float("ridge", 1.0, 3000.0, log=True),
            **(fixed or {}),
        }
        scores = []
        for place, (learn, score) in enumerate(folds):
            model = fit(
                table.iloc[learn],
                labels[learn],
                parameters=chosen,
                monotone=monotone,
                groups=None if keys is None else keys[learn],
                seed=seed,
            )
            scores.append(roc_auc_score(labels[score], model.probability(table.iloc[score])))
            trial.report(float(np.mean(scores)), place)
            if trial.should_prune():
                raise optuna.TrialPruned
        return float(np.mean(scores))

    study = optuna.create_study(
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=seed, multivariate=True),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=8),
    )
    study.enqueue_trial({name: value for name, value in settled(first).items() if name != "folds"})
    study.optimize(objective, n_trials=trials, timeout=seconds)
    return settled({**study.best_params, **(fixed or {})}), float(study.best_value)


def select(
    table: pd.DataFrame,
    y: npt.ArrayLike,
    *,
    parameters: Mapping[str, float] | None = None,
    monotone: Mapping[str, int] | None = None,
    groups: npt.ArrayLike | None = None,
    twins: float = 0.995,
    least: float = 0.002,
    seed: int = 7,
) -> tuple[list[str], dict[str, str]]:
    """Return the features worth keeping, and why each of the others is dropped.

    Dropped are those that never vary, those whose ranks follow an earlier feature's (Spearman's
    correlation above `twins`), and those that make up less than the share `least` of what moves the
    predictions of a blend fitted with all the rest.
    """
    dropped: dict[str, str] = {}
    ranks: dict[str, Floats] = {}
    for name in table.columns:
        if table[name].nunique() < 2:
            dropped[name] = "never varies"
        elif not _wordy(table[name]):
            rank = table[name].fillna(-np.inf).rank().to_numpy(dtype=np.float64)
            rank = (rank - rank.mean()) / max(float(rank.std()), 1e-9)
            twin = next((other for other, its in ranks.items() if abs(rank @ its) / len(rank) > twins), None)
            if twin is None:
                ranks[name] = rank
            else:
                dropped[name] = f"says the same as {twin}"
    rest = [name for name in table.columns if name not in dropped]
    model = fit(table[rest], y, parameters=parameters, monotone=monotone, groups=groups, seed=seed)
    moved = model.contributions(table[rest]).drop(columns="base").abs().mean()
    shares = moved / max(float(moved.sum()), 1e-12)
    idle = shares[shares < least] if moved.sum() else shares[:0]
    dropped |= {
        str(name): f"moves predictions by {100 * share:.2f} % of all movement" for name, share in idle.items()
    }
    return [name for name in rest if name not in dropped], dropped


def settled(parameters: Mapping[str, float] | None) -> dict[str, float]:
    """Return DEFAULTS with `parameters` in their place.

    Raises:
        ValueError: a name that DEFAULTS lacks.
    """
    unknown = set(parameters or {}) - set(DEFAULTS)
    if unknown:
        raise ValueError(f"unknown parameters: {', '.join(sorted(unknown))}")
    joined = {**DEFAULTS, **(parameters or {})}
    return {name: int(value) if name in _WHOLE else float(value) for name, value in joined.items()}


def logistic(
    x: Floats, y: Floats, bounds: Sequence[tuple[float | None, float | None]], ridge: float
) -> Floats:
    """Return float64[columns + 1], weights within `bounds` and the intercept, which is not penalized."""
    share = min(max(float(y.mean()), 1e-6), 1 - 1e-6)
    start = np.zeros(x.shape[1] + 1)
    start[-1] = np.log(share / (1 - share))
    start[:-1] = [low if low is not None and low > 0 else 0.0 for low, _ in bounds]

    def loss(weights: Floats) -> tuple[float, Floats]:
        score = x @ weights[:-1] + weights[-1]
        slack = expit(score) - y
        value = np.logaddexp(0, score).sum() - y @ score + ridge / 2 * weights[:-1] @ weights[:-1]
        slope = np.append(x.T @ slack + ridge * weights[:-1], slack.sum())
        return float(value) / len(y), slope / len(y)

    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[*bounds, (None, None)])
    return np.asarray(found.x, dtype=np.float64)


_QUIET: dict[str, Any] = {
    "verbose": -1,
    "num_threads": 1,  # the tables are small: more threads mostly wait for each other
    "min_data_in_bin": 3,
    "max_cat_to_onehot": 16,
    "feature_pre_filter": False,
}


def _boost(
    data: lgb.Dataset, settings: Mapping[str, float], signs: list[int], seed: int, y: Floats
) -> lgb.Booster:
    names = ("learning_rate", "num_leaves", "feature_fraction", "bagging_fraction", "lambda_l2")
    parameters = {
        **_QUIET,
        **{name: settings[name] for name in names},
        "objective": "binary",
        # A leaf of a tiny table cannot ask for more rows than there are.
        "min_data_in_leaf": max(2, min(int(settings["min_data_in_leaf"]), len(y) // 20)),
        "bagging_freq": 1,
        "monotone_constraints": signs,
        "deterministic": True,
        "force_row_wise": True,
        "seed": seed,
    }
    return lgb.train(parameters, data, int(settings["rounds"]))


def _folds(y: Floats, groups: npt.ArrayLike | None, folds: int, seed: int) -> list[tuple[Ints, Ints]]:
    if groups is None:
        most = max(2, min(folds, int(y.sum()), int(len(y) - y.sum())))
        return list(StratifiedKFold(most, shuffle=True, random_state=seed).split(y, y))
    keys = np.unique(np.asarray(groups), return_inverse=True)[1]
    most = max(2, min(folds, len(np.unique(keys))))
    return list(GroupKFold(most, shuffle=True, random_state=seed).split(y, y, keys))


def _columns(table: pd.DataFrame, ramps: int) -> tuple[_Column, ...]:
    columns = []
    for name in table.columns:
        values = table[name]
        if _wordy(values):
            levels = sorted(values.dropna().astype(str).value_counts().index[:_LEVELS])
            columns.append(_Column(str(name), tuple(levels), (), bool(values.isna().any()), ramps > 0))
            continue
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
        known = numbers[np.isfinite(numbers)]
        # The 1st and 99th percentile end the ramps: a value far outside moves the score no further.
        at = np.quantile(known, np.r_[0.01, np.arange(1, ramps) / max(ramps, 1), 0.99]) if len(known) else []
        knots = np.unique(at)
        if len(knots) == 1 and known.min() < known.max():
            knots = np.array([known.min(), known.max()])
        columns.append(_Column(str(name), (), tuple(knots.tolist()), len(known) < len(numbers), ramps > 0))
    return tuple(columns)


def _wordy(values: pd.Series[Any]) -> bool:
    return not (pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values))


def _encode(table: pd.DataFrame, columns: tuple[_Column, ...]) -> Floats:
    """Return float64[n, columns]: numbers, and each word's place among the levels; NaN where unknown."""
    x = np.empty((len(table), len(columns)))
    for place, column in enumerate(columns):
        values = table[column.name]
        if column.levels:
            codes = {level: float(code) for code, level in enumerate(column.levels)}
            x[:, place] = values.astype(object).map(lambda v, codes=codes: codes.get(str(v), np.nan))
        else:
            x[:, place] = values.to_numpy(dtype=np.float64, na_value=np.nan)
    x[~np.isfinite(x)] = np.nan
    return x


def _terms(x: Floats, columns: tuple[_Column, ...]) -> Floats:
    """Return float64[n, terms]: ramps from 0 to 1 between knots, indicators of words and of missing values."""
    terms = np.zeros((len(x), sum(c.terms for c in columns)))
    begin = 0
    for place, column in enumerate(columns):
        if not column.terms:
            continue
        values = x[:, place]
        missing = np.isnan(values)
        if column.levels:
            known = np.flatnonzero(~missing)
            terms[known, begin + values[known].astype(np.int64)] = 1
        else:
            for step, (low, high) in enumerate(zip(column.knots, column.knots[1:], strict=False)):
                terms[:, begin + step] = np.clip((values - low) / (high - low), 0, 1)
        if column.gaps:
            terms[missing, begin : begin + column.terms] = 0
            terms[:, begin + column.terms - 1] = missing
        begin += column.terms
    return terms


def _bounds(columns: tuple[_Column, ...], signs: list[int]) -> list[tuple[float | None, float | None]]:
    bounds: list[tuple[float | None, float | None]] = []
    for column, sign in zip(columns, signs, strict=True):
        allowed = {1: (0.0, None), -1: (None, 0.0)}.get(sign, (None, None))
        gaps = int(column.gaps and column.linear)
        bounds += [allowed] * (column.terms - gaps) + [(None, None)] * gaps
    return bounds
