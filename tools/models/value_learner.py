"""The learned part of the value model: what multiplies the buy-till-you-die expectation.

The expectation is the starting point (an offset in log scale); a Poisson regression with an L2 penalty
and boosted trees (LightGBM) each learn, on past cut-offs, by which factor customers of given features
came to buy more or less. The factors are averaged in log scale, so that a prediction is a sum: the
offset, the linear terms and the trees' exact contributions (Lundberg et al. 2018).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]

SPREAD = 4.0  # standard deviations to which the linear part clips a feature


@dataclass(frozen=True)
class Parameters:
    """What the learned part is fitted with; the defaults are what benchmarks/value_search.py found.

    Attributes:
        rounds, leaves, rate, least, columns: the trees' number, leaves, learning rate, share of the rows
            in a leaf at least, and share of the features that a tree sees.
        penalty: of the linear part (L2, on standardised features).
        trees: weight of the trees, between 0 and 1; the linear part has the rest.
    """

    rounds: int = 200
    leaves: int = 9
    rate: float = 0.03
    least: float = 0.0265
    columns: float = 0.687
    penalty: float = 0.0156
    trees: float = 0.79


@dataclass(frozen=True)
class Window:
    """One past cut-off: the features then, the log of what was expected, and what came."""

    table: pd.DataFrame
    offset: Floats
    outcome: Floats


@dataclass(frozen=True)
class Factor:
    """A fitted learned part over the columns `names`."""

    names: tuple[str, ...]
    parameters: Parameters
    booster: lgb.Booster
    level: float
    coefficients: Floats
    intercept: float

    def contributions(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return what each feature adds to the log of the factor, and `level`; a row's sum is the log factor."""
        share, table = self.parameters.trees, table[list(self.names)]
        linear = standardised(table) * self.coefficients
        trees = np.asarray(self.booster.predict(table.to_numpy(), pred_contrib=True), dtype=np.float64)
        parts = pd.DataFrame(share * trees[:, :-1] + (1 - share) * linear, columns=list(self.names))
        parts["level"] = share * (trees[:, -1] + self.level) + (1 - share) * self.intercept
        return parts

    def log(self, table: pd.DataFrame) -> Floats:
        """Return the logarithm of each row's factor."""
        trees, linear = self._parts(table)
        share = self.parameters.trees
        return np.asarray(share * trees + (1 - share) * linear, dtype=np.float64)

    def _parts(self, table: pd.DataFrame) -> tuple[Floats, Floats]:
        table = table[list(self.names)]
        raw = np.asarray(self.booster.predict(table.to_numpy(), raw_score=True), dtype=np.float64)
        return raw + self.level, standardised(table) @ self.coefficients + self.intercept

    def save(self, folder: Path, name: str) -> dict[str, object]:
        """Write the trees as `name`.txt and return the rest as JSON values."""
        self.booster.save_model(str(folder / f"{name}.txt"))
        return {
            "names": list(self.names),
            "parameters": asdict(self.parameters),
            "level": self.level,
            "coefficients": self.coefficients.tolist(),
            "intercept": self.intercept,
        }

    @classmethod
    def read(cls, folder: Path, name: str, saved: dict[str, object]) -> Factor:
        """Return what `save` wrote."""
        return cls(
            tuple(saved["names"]),  # type: ignore[arg-type]
            Parameters(**saved["parameters"]),  # type: ignore[arg-type]
            lgb.Booster(model_file=str(folder / f"{name}.txt")),
            float(saved["level"]),  # type: ignore[arg-type]
            np.asarray(saved["coefficients"], dtype=np.float64),
            float(saved["intercept"]),  # type: ignore[arg-type]
        )


def standardised(table: pd.DataFrame) -> Floats:
    """Return the columns with mean 0 and deviation 1 among these customers, clipped at SPREAD.

    Each cut-off is standardised by itself: how a customer stands among all of that day carries over to
    another day, when histories are longer; the values themselves do not.
    """
    values = table.to_numpy(dtype=np.float64)
    standard = (values - values.mean(axis=0)) / (values.std(axis=0) + 1e-9)
    return np.asarray(np.clip(standard, -SPREAD, SPREAD), dtype=np.float64)


def fit(windows: list[Window], names: tuple[str, ...], parameters: Parameters, seed: int = 7) -> Factor:
    """Return the learned part fitted on `windows`."""
    offset = np.concatenate([window.offset for window in windows])
    outcome = np.concatenate([window.outcome for window in windows])
    expected = np.exp(offset)
    level = float(np.log(max(outcome.sum(), 1e-9) / expected.sum()))
    scale = float(expected.mean())
    table = np.vstack([window.table[list(names)].to_numpy() for window in windows])
    settings = {
        "objective": "poisson",
        "learning_rate": parameters.rate,
        "num_leaves": parameters.leaves,
        "min_data_in_leaf": max(5, int(parameters.least * len(outcome))),
        "feature_fraction": parameters.columns,
        "bagging_fraction": 0.6,
        "bagging_freq": 1,
        "lambda_l2": 20,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbosity": -1,
    }
    data = lgb.Dataset(table, outcome / scale, init_score=offset - np.log(scale) + level)
    booster = lgb.train(settings, data, num_boost_round=parameters.rounds)
    standard = np.vstack([standardised(window.table[list(names)]) for window in windows])
    intercept, coefficients = _poisson(standard, expected * np.exp(level), outcome, parameters.penalty)
    return Factor(names, parameters, booster, level, coefficients, intercept + level)


def _poisson(
    features: Floats, expected: Floats, outcome: Floats, penalty: float, steps: int = 25
) -> tuple[float, Floats]:
    """Return intercept and coefficients of the log factor of `expected` that fits `outcome` best.

    Newton's method on the mean Poisson deviance plus an L2 penalty on the coefficients; a step that does
    not lower the loss is halved.
    """
    weight = expected / expected.sum()
    share = outcome / expected.sum()
    design = np.column_stack([np.ones(len(features)), features])
    ridge = np.full(design.shape[1], penalty)
    ridge[0] = 0

    def loss(beta: Floats) -> float:
        log = design @ beta
        return float(weight @ np.exp(np.minimum(log, 30)) - share @ log + 0.5 * (ridge * beta**2).sum())

    beta = np.zeros(design.shape[1])
    now = loss(beta)
    for _ in range(steps):
        mean = weight * np.exp(np.minimum(design @ beta, 30))
        gradient = design.T @ (mean - share) + ridge * beta
        hessian = (design * mean[:, None]).T @ design + np.diag(ridge + 1e-9)
        move = np.linalg.solve(hessian, gradient)
        size = 1.0
        while loss(beta - size * move) > now and size > 1e-4:
            size /= 2
        beta = beta - size * move
        before, now = now, loss(beta)
        if before - now < 1e-9:
            break
    return float(beta[0]), beta[1:]
