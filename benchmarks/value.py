"""Customer value: how often customers come back, and what they spend.

cdnow: Fader, Hardie and Lee 2005, "Counting your customers" the easy way: the days with a purchase of 2,357
customers (one in ten of CDNOW's cohort of the first quarter of 1997) in the 39 weeks after the 39 weeks up
to 1997-09-30. Purchases of one day count once. Nothing after 1997-09-30 is learned from, for anybody; ours
learns from the first 39 weeks of the whole cohort, as "BG/NBD, whole cohort" does; all other peers from the
2,357's own, as in the literature.

journey: the spend of each customer in 26 weeks, learned from all weeks before, at least as many: the
first 26 weeks of The Complete Journey, or of the shop in a folder. Customers are those with an order by
then. BG/NBD (days with an order) and MBG/NBD are multiplied by Gamma-Gamma's money a day (Fader and Hardie
2013, The Gamma-Gamma model of monetary value; without its assumption that money and frequency go apart
being checked); past spend is scaled by the weeks.

All settings of ours are chosen within the learning part. Peers are those of the package lifetimes. Ours is
fitted with three seeds: figures are means over them, an interval is that of the difference of the root mean
squared errors, customers drawn with replacement (paired bootstrap).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import lifetimes
import numpy as np
import numpy.typing as npt
import pandas as pd

from storewise.benchmarks import data
from storewise.benchmarks.bootstrap import difference
from storewise.benchmarks.report import Clock, Report, Task
from storewise.tools.models.value import order_days
from storewise.tools.models.value_features import bought, describe
from storewise.tools.models.value_forecast import Target, learn
from storewise.tools.shop.generation import Shop, ShopError

SEEDS = (7, 8, 9)
CDNOW_CUTOFF = 273  # the day after 1997-09-30, from 1997-01-01: 39 weeks
CDNOW_WEEKS = 39
WEEKS = 26
LEAST_WEEKS = 24  # of a shop's history

Floats = npt.NDArray[np.float64]
Summary = tuple[Floats, Floats, Floats]  # x, t_x and T (weeks), as lifetimes takes them


def run(folder: Path | None, tell: Callable[[str], None]) -> Report:
    """Run both tasks; `folder` holds the tables of a shop to take in place of The Complete Journey.

    Raises:
        ShopError: a package or the folder is missing, or the shop's history is too short.
    """
    clock = Clock(tell)
    tasks = {"cdnow": _cdnow(clock)}
    with data.shop(folder, tell) as shop:
        tasks["journey" if folder is None else "shop"] = _journey(shop, clock)
    return Report("value", tasks, clock.seconds)


def cdnow_days(purchases: pd.DataFrame) -> pd.DataFrame:
    """Return `data.cdnow()` as days with an order, of the first 39 weeks and the 39 after, from 1997-01-01."""
    day = (purchases["date"] - pd.Timestamp("1997-01-01")).dt.days
    table = pd.DataFrame(
        {
            "customer": purchases["customer_id"],
            "day": day,
            "spend": purchases["dollar_value"],
            "items": purchases["number_of_cds"],
        }
    )
    days = table.groupby(["customer", "day"], as_index=False)[["spend", "items"]].sum()
    return days[days["day"] < CDNOW_CUTOFF + 7 * CDNOW_WEEKS].assign(orders=1.0)


def shop_days(shop: Shop) -> tuple[pd.DataFrame, int]:
    """Return a shop's days with an order and the first of them."""
    days = order_days(shop)
    return days, int(days["day"].min())


def _cdnow(clock: Clock) -> Task:
    days = cdnow_days(data.cdnow())
    past = days[days["day"] < CDNOW_CUTOFF]
    described = describe(past, CDNOW_CUTOFF)
    standard = np.isin(described.customers.astype(str), sorted(data.cdnow_sample()))
    true, _ = bought(days, described, CDNOW_CUTOFF, CDNOW_WEEKS)
    true = true[standard]
    # The standard counts a customer's weeks up to 1997-09-30 itself, ours up to its end.
    everybody: Summary = (described.x, described.t_x, np.maximum(described.age - 1 / 7, described.t_x))
    own: Summary = (everybody[0][standard], everybody[1][standard], everybody[2][standard])
    peers: dict[str, Floats] = {"purchases of the last 39 weeks": own[0]}
    for name, fitter in (
        ("BG/NBD", lifetimes.BetaGeoFitter),
        ("MBG/NBD", lifetimes.ModifiedBetaGeoFitter),
        ("Pareto/NBD", lifetimes.ParetoNBDFitter),
    ):
        with clock.step(f"cdnow: {name}"):
            peers[name] = _purchases(fitter().fit(*own), CDNOW_WEEKS, own)
    with clock.step("cdnow: BG/NBD, whole cohort"):
        peers["BG/NBD, whole cohort"] = _purchases(
            lifetimes.BetaGeoFitter().fit(*everybody), CDNOW_WEEKS, own
        )
    forecasts = _ours("cdnow", past, CDNOW_CUTOFF, CDNOW_WEEKS, "orders", clock)
    return _task(true, [forecast[standard] for forecast in forecasts], peers, "orders", "RMSE of purchases")


def _journey(shop: Shop, clock: Clock) -> Task:
    days, first = shop_days(shop)
    history = (int(days["day"].max()) + 1 - first) // 7
    if history < LEAST_WEEKS:
        raise ShopError(f"This benchmark needs {LEAST_WEEKS} weeks of orders; the shop has {history}.")
    weeks = min(WEEKS, history // 2)
    cutoff = first + 7 * (history - weeks)
    past = days[days["day"] < cutoff]
    described = describe(past, cutoff)
    _, true = bought(days, described, cutoff, weeks)
    summary: Summary = (described.x, described.t_x, described.age)
    by_customer = past.groupby("customer")["spend"]
    repeated = described.x > 0
    # Gamma-Gamma is fitted on days after the first, as lifetimes' summary takes them.
    later = past[past["day"] > past.groupby("customer")["day"].transform("min")]
    a_day = later.groupby("customer")["spend"].mean().reindex(described.customers).to_numpy()
    fit_on = repeated & (np.nan_to_num(a_day) > 0)
    peers: dict[str, Floats] = {"past spend": described.spend * weeks / described.known}
    with clock.step("journey: BG/NBD and MBG/NBD with Gamma-Gamma"):
        gamma = lifetimes.GammaGammaFitter(penalizer_coef=0.001)
        gamma.fit(described.x[fit_on], a_day[fit_on])
        worth = np.asarray(
            gamma.conditional_expected_average_profit(
                np.where(fit_on, described.x, 0), np.where(fit_on, a_day, 0.0)
            ),
            dtype=np.float64,
        )
        own_mean = by_customer.mean().reindex(described.customers).to_numpy(dtype=np.float64)
        for name, fitter in (
            ("BG/NBD", lifetimes.BetaGeoFitter),
            ("MBG/NBD", lifetimes.ModifiedBetaGeoFitter),
        ):
            purchases = _purchases(fitter().fit(*summary), weeks, summary)
            peers[f"{name} with Gamma-Gamma"] = purchases * worth
            peers[f"{name} with the own mean"] = purchases * own_mean
    forecasts = _ours("journey", past, cutoff, weeks, "spend", clock)
    task = _task(true, forecasts, peers, "spend", f"RMSE of the spend in {weeks} weeks")
    said = [forecast["said"].to_numpy(dtype=np.float64) for forecast in forecasts]
    task.more["gini"] = _mean(said, peers, lambda each: gini(true, each))
    task.more["top_tenth"] = _mean(said, peers, lambda each: top_tenth(true, each))
    return task


def _ours(
    name: str, past: pd.DataFrame, cutoff: int, weeks: int, target: Target, clock: Clock
) -> list[pd.DataFrame]:
    """Return our forecast of each seed: columns said, low and high, a row per described customer."""
    found = []
    for seed in SEEDS:
        with clock.step(f"{name}: ours, seed {seed}"):
            learned = learn(past, cutoff, seed=seed)
            forecast = learned.predict(describe(past, cutoff, learned.fitted), weeks)
            forecast = forecast[[target, f"{target}_low", f"{target}_high"]]
            found.append(forecast.set_axis(["said", "low", "high"], axis=1))
    return found


def _purchases(fitted: Any, weeks: float, summary: Summary) -> Floats:
    x, t_x, age = summary
    expected = fitted.conditional_expected_number_of_purchases_up_to_time(weeks, x, t_x, age)
    return np.asarray(expected, dtype=np.float64)


def _task(
    true: Floats, forecasts: list[pd.DataFrame], peers: dict[str, Floats], target: Target, metric: str
) -> Task:
    said = [forecast["said"].to_numpy(dtype=np.float64) for forecast in forecasts]
    errors = np.mean([(each - true) ** 2 for each in said], axis=0)
    scores = {name: rmse(true, peer) for name, peer in peers.items()}
    best = min(scores, key=lambda name: scores[name])
    interval = difference(
        lambda squared, weights: float(np.sqrt(np.average(squared, weights=weights))),
        errors,
        (peers[best] - true) ** 2,
    )
    covered = [_covered(true, forecast, target) for forecast in forecasts]
    more: dict[str, Any] = {
        "correlation": _mean(said, peers, lambda each: float(np.corrcoef(each, true)[0, 1])),
        "mae": _mean(said, peers, lambda each: float(np.abs(each - true).mean())),
        "total_said_over_true": _mean(said, peers, lambda each: float(each.sum() / true.sum())),
        "intervals_80": {name: float(np.mean([one[name] for one in covered])) for name in covered[0]},
        "seeds": {str(seed): rmse(true, each) for seed, each in zip(SEEDS, said, strict=True)},
    }
    ours = float(np.mean([rmse(true, each) for each in said]))
    return Task(len(true), metric, ours, scores, interval, lower_is_better=True, more=more)


def _mean(said: list[Floats], peers: dict[str, Floats], figure: Callable[[Floats], float]) -> dict[str, Any]:
    """Return the mean of `figure` over our seeds, and that of each peer."""
    return {
        "ours": float(np.mean([figure(each) for each in said])),
        "peers": {name: figure(peer) for name, peer in peers.items()},
    }


def _covered(true: Floats, forecast: pd.DataFrame, target: Target) -> dict[str, float]:
    """Return how often the intervals held and how wide they were, for all and for those expected to come."""
    low, high = forecast["low"].to_numpy(), forecast["high"].to_numpy()
    held = (low <= true) & (true <= high)
    said = forecast["said"].to_numpy()
    figures = {"coverage": float(held.mean()), "mean_width": float((high - low).mean())}
    if target == "orders" and (said > 1).any():
        figures["coverage_expected_above_1"] = float(held[said > 1].mean())
        figures["share_expected_above_1"] = float((said > 1).mean())
    else:
        upper = said > np.median(said)
        figures["coverage_upper_half"] = float(held[upper].mean())
    return figures


def rmse(true: Floats, said: Floats) -> float:
    """Return the root mean squared error."""
    return float(np.sqrt(np.mean((said - true) ** 2)))


def gini(true: Floats, said: Floats) -> float:
    """Return the Gini coefficient of `true` in the order of `said`, over that in its own order (1 is best)."""

    def area(order: npt.NDArray[np.int64]) -> float:
        return float(np.mean(np.cumsum(true[order]) / true.sum()) - 0.5)

    return area(np.argsort(-said, kind="stable")) / area(np.argsort(-true, kind="stable"))


def top_tenth(true: Floats, said: Floats) -> float:
    """Return the spend of the tenth ranked highest over that of an average tenth."""
    first = np.argsort(-said, kind="stable")[: max(1, len(true) // 10)]
    return float(true[first].mean() / true.mean())
