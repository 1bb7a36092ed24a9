"""Find the settings of the value model's learned part again: python -m storewise.benchmarks.value_search

Optuna's TPE over splits of the learning parts of both benchmarks alone: the first 26 weeks of The Complete
Journey and the first 39 weeks of CDNOW. Each split learns up to a day and is judged on the days after it;
the objective is the mean, over splits and targets, of the root mean squared error over that of the
starting point, both scaled to the true total. It prints the best settings, which are the defaults of
`Parameters` in tools/models/value_learner.py.
"""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import numpy.typing as npt
import optuna
import pandas as pd
from threadpoolctl import threadpool_limits

from storewise.benchmarks import data
from storewise.benchmarks.value import CDNOW_CUTOFF, cdnow_days, shop_days
from storewise.tools.models.value_features import Described, bought, describe
from storewise.tools.models.value_forecast import (
    TARGETS,
    Target,
    level_free,
    offset,
    selected,
    suggested,
    windows,
)
from storewise.tools.models.value_learner import Window, fit

TRIALS = 16
SHARES = (
    (0.5, 1.0),
    (0.6, 1.0),
    (0.7, 1.0),
)  # learn up to the first share of the learning part, judge to the second

Floats = npt.NDArray[np.float64]
Case = tuple[list[Window], Described, Floats, Floats, tuple[str, ...]]


def main() -> None:
    """Search and print."""
    cases = []
    with data.shop(None, print) as shop:
        days, first = shop_days(shop)
        cases += _cases(days, first, first + 7 * 26, TARGETS)
    cases += _cases(cdnow_days(data.cdnow()), 0, CDNOW_CUTOFF, ("orders",))

    def objective(trial: optuna.Trial) -> float:
        parameters = suggested(trial)
        ratios = []
        for learned, described, start, truth, names in cases:
            log = start + fit(learned, names, parameters).log(described.table)
            ratios.append(_error(np.exp(log), truth) / _error(np.exp(start), truth))
        return float(np.mean(ratios))

    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=7))
    with threadpool_limits(1):
        study.optimize(objective, n_trials=TRIALS)
    print(study.best_value, study.best_params)
    print(asdict(suggested(optuna.trial.FixedTrial(study.best_params))))  # type: ignore[arg-type]


def _cases(days: pd.DataFrame, first: int, end: int, targets: tuple[Target, ...]) -> list[Case]:
    cases: list[Case] = []
    for share, until in SHARES:
        cutoff, stop = first + round((end - first) * share), first + round((end - first) * until)
        described = describe(days, cutoff)
        past = windows(days[days["day"] < cutoff], cutoff)
        names, _ = selected(past["orders"])
        weeks = (stop - cutoff) / 7
        truth = dict(zip(TARGETS, bought(days, described, cutoff, weeks), strict=True))
        cases += [
            (past[target], described, offset(described, target, weeks), truth[target], names)
            for target in targets
        ]
    return cases


def _error(expected: Floats, truth: Floats) -> float:
    return float(np.sqrt(np.mean((level_free(expected, truth) - truth) ** 2)))


if __name__ == "__main__":
    main()
