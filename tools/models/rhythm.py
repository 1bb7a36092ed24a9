"""How each customer's visits follow each other: silences against their own gaps, pace, weeks and trend.

A visit is a day with an order. All figures of a cut-off come from visits up to that day. What one
customer's few visits cannot say is drawn towards what most customers do:

- gaps between visits are taken as lognormal, each customer's mean and variance of log-gaps shrunk to
  the population's (a normal model with a conjugate prior worth GAPS_OF_PRIOR gaps);
- visits are taken as Poisson with gamma-distributed rates (Ehrenberg's negative binomial model, 1959,
  and Fader, Hardie and Lee 2005), older visits fading with several half-lives, so that
  the chance of no visit in the coming days follows in closed form;
- over the whole history, MBG/NBD (`buy_till_you_die.py`), fitted to all customers at the cut-off, gives the
  chance that the customer is lost already and that of no visit in the coming days.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import log_ndtr, logit, ndtr

from storewise.tools.models import buy_till_you_die

if TYPE_CHECKING:
    from storewise.tools.shop.generation import Shop

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

HALF_LIVES = (7, 14, 30, 60, 120, 240)  # days
SILENCES = (14, 30, 60)  # days
AHEAD = 60  # days whose chance of no visit is worked out
GAPS_OF_PRIOR = 3.0
WEEKS = 13

GROUPS = {
    "silence": (
        "silence_z",
        "silence_survival",
        "silence_goes_on",
        "silence_longest_91",
        *(f"silent_{days}" for days in SILENCES),
    ),
    "lost": ("lost_odds", "none_odds"),
    "gaps": ("gap_95", "gap_shift", "gap_of_a_day"),
    "pace": tuple(f"none_{days}" for days in HALF_LIVES),
    "weeks": ("weeks_4", "weeks_8", "weeks_13", "visits_28", "visits_56", "visits_91", "visits_29_91"),
    "trend": ("visits_trend", "pace_trend", "pace_trend_14", "weeks_slope", "spend_pace_trend"),
    "spend": tuple(f"spend_pace_{days}" for days in HALF_LIVES),
}
FEATURES = tuple(name for names in GROUPS.values() for name in names)

# One row per customer and visit; a row says nothing of any other day.
_VISITS_SQL = """
SELECT customer_id, CAST(ordered_at AS DATE) - DATE '1970-01-01' AS day, sum(amount) AS amount
FROM orders WHERE ordered_at < CAST($cutoff AS DATE) + 1
GROUP BY ALL ORDER BY ALL
"""


@dataclass(frozen=True)
class Visits:
    """All customers' visits up to a day, sorted by customer and day (in days since 1970)."""

    customers: npt.NDArray[np.object_]
    row: Ints
    day: Ints
    amount: Floats

    @classmethod
    def until(cls, shop: Shop, cutoff: dt.date) -> Visits:
        """Read the visits up to the end of the `cutoff` day."""
        table = shop.query(_VISITS_SQL, {"cutoff": cutoff})
        row, customers = pd.factorize(table["customer_id"])
        return cls(
            customers=np.asarray(customers, dtype=object),
            row=row.astype(np.int64),
            day=table["day"].to_numpy(dtype=np.int64),
            # Sums in parallel differ in their last digits from run to run; the model shall not.
            amount=table["amount"].to_numpy(dtype=np.float64, na_value=0.0).round(4),
        )


def rhythm(visits: Visits, cutoff: dt.date) -> pd.DataFrame:
    """Return customer_id and FEATURES, a row per customer with a visit by the end of `cutoff`.

    `silence_survival` is the share of the customer's gaps expected to last longer than the current
    silence, `silence_goes_on` the log-probability that AHEAD more days follow it, `gap_95` the days
    that 95 of 100 gaps do not exceed, `gap_of_a_day` the mean length of the gap that a day falls into,
    `silent_30` the share of days beyond the 30th of a silence, `none_30` the log-probability of no
    visit in AHEAD days with a half-life of 30 days, `spend_pace_30` spend a day likewise, `lost_odds` and
    `none_odds` the log-odds of being lost and of no visit in AHEAD days over the whole history.
    """
    today = (cutoff - dt.date(1970, 1, 1)).days
    known = visits.day <= today
    kept, row = np.unique(visits.row[known], return_inverse=True)
    row, day, amount = row.astype(np.int64), visits.day[known], visits.amount[known]
    customers, age = len(kept), today - visits.day[known]
    if not customers:
        return pd.DataFrame(
            {"customer_id": pd.Series(dtype=str), **{n: pd.Series(dtype=float) for n in FEATURES}}
        )
    starts = np.flatnonzero(np.r_[True, row[1:] != row[:-1]])
    silence = age[np.r_[starts[1:] - 1, len(age) - 1]].astype(np.float64)
    tenure = age[starts].astype(np.float64)

    found: dict[str, Floats] = {}
    rates: dict[int, Floats] = {}
    spends: dict[int, Floats] = {}
    for life in HALF_LIVES:
        weight = 0.5 ** (age / life)
        # As many days as the fading leaves of the time that the customer is known.
        days = (1 - 0.5 ** ((tenure + 1) / life)) / (1 - 0.5 ** (1 / life))
        seen = np.bincount(row, weights=weight, minlength=customers).astype(np.float64)
        shape, scale = _gamma(seen, days)
        rates[life] = (shape + seen) / (scale + days)
        spends[life] = np.bincount(row, weights=weight * amount, minlength=customers) / days
        found[f"none_{life}"] = -(shape + seen) * np.log1p(AHEAD / (scale + days))
        found[f"spend_pace_{life}"] = spends[life]

    found |= _silences(row, day, age, silence, tenure)
    found |= _lost(np.bincount(row, minlength=customers).astype(np.float64), silence, tenure)
    week = np.zeros((customers, WEEKS))
    recent = age < 7 * WEEKS
    np.add.at(week, (row[recent], age[recent] // 7), 1.0)
    for weeks in (4, 8, 13):
        found[f"weeks_{weeks}"] = (week[:, :weeks] > 0).sum(axis=1).astype(np.float64)
        found[f"visits_{7 * weeks}"] = week[:, :weeks].sum(axis=1)
    found["visits_29_91"] = week[:, 4:].sum(axis=1)
    found["visits_trend"] = np.log((found["visits_28"] + 0.5) / (week[:, 4:12].sum(axis=1) / 2 + 0.5))
    # The slope of visits a week by least squares: more than 0 where they come more often of late.
    found["weeks_slope"] = week @ (np.arange(WEEKS)[::-1] - (WEEKS - 1) / 2) / 182
    found["pace_trend"] = np.log(rates[30] / rates[120])
    found["pace_trend_14"] = np.log(rates[14] / rates[60])
    found["spend_pace_trend"] = np.log((np.maximum(spends[30], 0) + 0.1) / (np.maximum(spends[120], 0) + 0.1))
    table = pd.DataFrame({name: found[name] for name in FEATURES}).round(6)
    table.insert(0, "customer_id", visits.customers[kept])
    return table


def _gamma(seen: Floats, days: Floats) -> tuple[float, float]:
    """Return shape and scale (days) of the customers' rates by the method of moments."""
    rate = seen / days
    mean = max(float(rate.mean()), 1e-6)
    # What the rates vary beyond what Poisson counts over so few days do by chance.
    between = max(float(rate.var()) - mean * float((1 / days).mean()), 0.05 * mean**2)
    return mean**2 / between, mean / between


def _lost(visits: Floats, silence: Floats, tenure: Floats) -> dict[str, Floats]:
    again, last, age = visits - 1, (tenure - silence) / 7, tenure / 7
    model = buy_till_you_die.fit(again, last, age)
    alive = model.alive(again, last, age)
    # Of somebody alive the pace is gamma-distributed with shape r + x and scale alpha + T.
    none = ((model.alpha + age) / (model.alpha + age + AHEAD / 7)) ** (model.r + again)
    silent = 1 - alive * (1 - none)
    return {
        name: logit(np.clip(p, 1e-9, 1 - 1e-9))
        for name, p in (("lost_odds", 1 - alive), ("none_odds", silent))
    }


def _silences(row: Ints, day: Ints, age: Ints, silence: Floats, tenure: Floats) -> dict[str, Floats]:
    customers = len(silence)
    same = np.flatnonzero(row[1:] == row[:-1]) + 1
    who, gap, gap_age = row[same], (day[same] - day[same - 1]).astype(np.float64), age[same]

    def total(values: Floats) -> Floats:
        return np.bincount(who, weights=values, minlength=customers).astype(np.float64)

    count, logs = total(np.ones(len(gap))), np.log(gap)
    own = total(logs) / np.maximum(count, 1)
    regular = count >= GAPS_OF_PRIOR
    usual = float(own[regular].mean()) if regular.any() else np.log(30.0)
    spread = float(((logs - own[who]) ** 2).sum() / max(1.0, (count - 1).clip(0).sum())) if len(gap) else 1.0
    mean = (total(logs) + GAPS_OF_PRIOR * usual) / (count + GAPS_OF_PRIOR)
    variance = total((logs - mean[who]) ** 2) + GAPS_OF_PRIOR * max(spread, 0.05)
    deviation = np.sqrt(variance / (count + GAPS_OF_PRIOR))
    z = (np.log(silence + 0.5) - mean) / deviation
    later = (np.log(silence + AHEAD) - mean) / deviation
    fading = 0.5 ** (gap_age / 45)
    longest = silence.copy()
    recent = gap_age < 7 * WEEKS
    np.maximum.at(longest, who[recent], gap[recent])
    found = {
        "silence_z": z,
        "silence_survival": ndtr(-z),
        "silence_goes_on": np.maximum(log_ndtr(-later) - log_ndtr(-z), -20.0),
        "silence_longest_91": longest,
        "gap_95": np.exp(mean + 1.645 * deviation),
        "gap_shift": (total(fading * logs) + mean) / (total(fading) + 1) - mean,
        "gap_of_a_day": total(gap * gap) / np.maximum(total(gap), 1),
    }
    for days in SILENCES:
        beyond = total(np.maximum(gap - days, 0)) + np.maximum(silence - days, 0)
        found[f"silent_{days}"] = beyond / np.maximum(tenure, 30)
    return found
