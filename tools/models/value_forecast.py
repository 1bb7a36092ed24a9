"""What customers will order and spend, learned from days with an order alone: table in, table out.

The starting point is BG/NBD (`buy_till_you_die.py`) times each customer's orders a day and worth of an
order; the learned part (`value_learner.py`) multiplies it by what past cut-offs teach. The past is cut at
several days before the end, at most half of the history ago, and what came from each to the end is the
outcome. Settings, features and intervals are chosen one step earlier: cut-offs up to the middle of the
history, judged on the half after it, whose rows no fit has seen.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
import optuna
import pandas as pd
from threadpoolctl import threadpool_limits

from storewise.tools.models.buy_till_you_die import BuyTillYouDie
from storewise.tools.models.value_features import FEATURES, Described, bought, describe
from storewise.tools.models.value_intervals import Intervals, calibrate
from storewise.tools.models.value_learner import Factor, Parameters, Window, fit

Floats = npt.NDArray[np.float64]
Target = Literal["orders", "spend"]
TARGETS: tuple[Target, ...] = ("orders", "spend")

PARTS = (1.0, 0.8, 0.6, 0.4, 0.2)  # of the longest horizon, one cut-off each
MOST_HORIZON = 52  # weeks
FEWEST_WEEKS = 12  # of history
MOST_CUSTOMERS = 25_000  # to learn from; of more, one in so many
FEWEST_CUSTOMERS = 50  # at every cut-off that is learned from
ALIKE = 0.998  # correlation from which one of two features is left out
TRIALS = 6


class TooLittle(ValueError):
    """The days with an order do not suffice to learn from."""


@dataclass(frozen=True)
class Learned:
    """What is known after learning.

    Attributes:
        fitted: BG/NBD and MBG/NBD as of the end.
        factors: the learned part for each target.
        intervals: the 80 % intervals for each target.
        weeks: the longest horizon that was judged.
        dropped: features left out, each with the reason.
        judged: the forecasts that chose settings and intervals: a row per customer with the columns
            {target}, {target}_start, {target}_past and {target}_true.
        middle: the day that the judged forecasts were made for the time from.
        cutoffs: the number of cut-offs learned from, the first and the last (days).

    The last four belong to the learning; a model read from disk is without them.
    """

    fitted: tuple[BuyTillYouDie, BuyTillYouDie]
    factors: dict[Target, Factor]
    intervals: dict[Target, Intervals]
    weeks: float
    dropped: dict[str, str] = field(default_factory=dict)
    judged: pd.DataFrame = field(default_factory=pd.DataFrame)
    middle: int = 0
    cutoffs: tuple[int, int, int] = (0, 0, 0)

    def log_factors(self, described: Described) -> dict[Target, Floats]:
        """Return what the learned part adds to the log of each target; it is the same for any `weeks`."""
        return {target: self.factors[target].log(described.table) for target in TARGETS}

    def predict(
        self, described: Described, weeks: float, log_factors: dict[Target, Floats] | None = None
    ) -> pd.DataFrame:
        """Return a row per described customer for the `weeks` from the cut-off on.

        Columns: orders, spend, and {target}_low and {target}_high of the 80 % intervals. `log_factors`
        are those of `described`, where they are known already.
        """
        log_factors = log_factors or self.log_factors(described)
        found: dict[str, Floats] = {}
        for target in TARGETS:
            found[target] = np.exp(offset(described, target, weeks) + log_factors[target])
            low, high = self.intervals[target].ends(found[target], weeks, described.known)
            found[f"{target}_low"], found[f"{target}_high"] = low, high
        found["spend_high"] = np.maximum(found["spend_high"], found["spend"])
        return pd.DataFrame(found, index=pd.Index(described.customers, name="customer"))


def learn(days: pd.DataFrame, cutoff: int, *, trials: int = TRIALS, seed: int = 7) -> Learned:
    """Learn from the rows of `days` before the day `cutoff`.

    Raises:
        TooLittle: the history is too short, or too few customers ordered.
    """
    # Small matrices: threads cost more than they bring.
    with threadpool_limits(1):
        return _learn(days[days["day"] < cutoff], cutoff, trials, seed)


def _learn(days: pd.DataFrame, cutoff: int, trials: int, seed: int) -> Learned:
    if days.empty or cutoff - int(days["day"].min()) < 7 * FEWEST_WEEKS:
        raise TooLittle
    customers = days["customer"].unique()
    if len(customers) > MOST_CUSTOMERS:
        days = days[days["customer"].isin(customers[:: -(-len(customers) // MOST_CUSTOMERS)])]
    middle = middle_of(days, cutoff)
    past = windows(days[days["day"] < middle], middle)
    described = describe(days, middle)
    weeks = (cutoff - middle) / 7
    truth = dict(zip(TARGETS, bought(days, described, middle, weeks), strict=True))
    if min(values.sum() for values in truth.values()) <= 0:
        raise TooLittle
    names, dropped = selected(past["orders"])
    chosen: dict[Target, Parameters] = {}
    intervals: dict[Target, Intervals] = {}
    judged = pd.DataFrame(index=pd.Index(described.customers, name="customer"))
    brief = weeks / 4
    soon = dict(zip(TARGETS, bought(days, described, middle, brief), strict=True))
    for target in TARGETS:
        start, true = offset(described, target, weeks), truth[target]
        chosen[target] = _searched(past[target], described, start, true, names, trials, seed)
        log = fit(past[target], names, chosen[target], seed).log(described.table)
        said = np.exp(start + log)
        shorter = (np.exp(offset(described, target, brief) + log), soon[target], brief)
        intervals[target] = calibrate(said, true, weeks, described.known, target == "orders", shorter)
        total = described.orders if target == "orders" else described.spend
        judged = judged.assign(
            **{
                target: said,
                f"{target}_start": np.exp(start),
                f"{target}_past": total * weeks / described.known,
                f"{target}_true": true,
            }
        )
    last = windows(days, cutoff)
    factors = {target: fit(last[target], names, chosen[target], seed) for target in TARGETS}
    horizons = [round(7 * weeks * part) for part in PARTS]
    cutoffs = (len(horizons), cutoff - max(horizons), cutoff - min(horizons))
    now = describe(days, cutoff)
    return Learned((now.base, now.losses), factors, intervals, weeks, dropped, judged, middle, cutoffs)


def offset(described: Described, target: Target, weeks: float) -> Floats:
    """Return the logarithm of what is expected before anything is learned from past cut-offs."""
    log = described.log_pace(weeks) + described.log_alive()
    return log if target == "orders" else log + np.log(described.worth)


def middle_of(days: pd.DataFrame, cutoff: int) -> int:
    history = cutoff - int(days["day"].min())
    return cutoff - min(history // 2, 7 * MOST_HORIZON)


def windows(days: pd.DataFrame, cutoff: int) -> dict[Target, list[Window]]:
    """Return what the cut-offs before `cutoff` teach about the time up to it."""
    longest = cutoff - middle_of(days, cutoff)
    found: dict[Target, list[Window]] = {target: [] for target in TARGETS}
    for part in PARTS:
        horizon = max(round(longest * part), 1)
        before = days[days["day"] < cutoff - horizon]
        if before["customer"].nunique() < FEWEST_CUSTOMERS:
            raise TooLittle
        described = describe(days, cutoff - horizon)
        outcomes = bought(days, described, cutoff - horizon, horizon / 7)
        for target, outcome in zip(TARGETS, outcomes, strict=True):
            start = offset(described, target, horizon / 7)
            found[target].append(Window(described.table, start, outcome))
    return found


def selected(windows: list[Window]) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return the features to learn from, and those left out with the reason."""
    table = pd.concat([window.table for window in windows])
    dropped: dict[str, str] = {}
    kept: list[str] = []
    varied = [name for name in FEATURES if table[name].std() > 1e-9]
    correlation = np.abs(np.corrcoef(table[varied].to_numpy().T))
    place = {name: index for index, name in enumerate(varied)}
    for name in FEATURES:
        if name not in place:
            dropped[name] = "the same for every customer"
            continue
        twin = next((other for other in kept if correlation[place[name], place[other]] > ALIKE), None)
        if twin is not None:
            dropped[name] = f"says what {twin} says (correlation {correlation[place[name], place[twin]]:.3f})"
        else:
            kept.append(name)
    return tuple(kept), dropped


def _searched(
    windows: list[Window],
    described: Described,
    start: Floats,
    truth: Floats,
    names: tuple[str, ...],
    trials: int,
    seed: int,
) -> Parameters:
    """Return the settings to use: the defaults, or better ones that Optuna (TPE, seeded) finds.

    Settings count as better when their squared errors on the later half are smaller by more than a
    standard error of the difference: the best of a few tries is easily so by chance.
    """

    def errors(parameters: Parameters) -> Floats:
        factor = fit(windows, names, parameters, seed)
        return (level_free(np.exp(start + factor.log(described.table)), truth) - truth) ** 2

    usual = errors(Parameters())
    best, chosen = usual, Parameters()

    def error(trial: optuna.Trial) -> float:
        nonlocal best, chosen
        tried = suggested(trial)
        found = errors(tried)
        clear = float((usual - found).std() / np.sqrt(len(found)))
        if found.mean() < min(best.mean(), usual.mean() - clear):
            best, chosen = found, tried
        return float(found.mean())

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    study.optimize(error, n_trials=trials)
    return chosen


def level_free(expected: Floats, truth: Floats) -> Floats:
    """Return `expected` scaled to the total of `truth`: settings do not decide how a whole shop does."""
    return np.asarray(expected * (truth.sum() / max(expected.sum(), 1e-12)), dtype=np.float64)


def suggested(trial: optuna.Trial) -> Parameters:
    """Return the settings that an Optuna trial tries."""
    return replace(
        Parameters(),
        rounds=trial.suggest_int("rounds", 50, 300, step=25),
        leaves=trial.suggest_int("leaves", 3, 12),
        least=trial.suggest_float("least", 0.003, 0.05, log=True),
        columns=trial.suggest_float("columns", 0.3, 0.8),
        penalty=trial.suggest_float("penalty", 0.003, 1.0, log=True),
        trees=trial.suggest_float("trees", 0.0, 1.0),
    )
