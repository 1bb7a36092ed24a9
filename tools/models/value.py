"""Customer value: the orders and the spend to expect of a customer in the coming weeks, and why.

The forecasts are those of `value_forecast.py`. Each is a sum in log scale: how often customers of that
pace come, whether they still do, what an order is worth, and what past cut-offs taught about the rest;
the parts, against those of all customers on average, are the reasons.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Hashable
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from storewise.tools.finding import money, percent
from storewise.tools.models import card as cards
from storewise.tools.models.buy_till_you_die import BuyTillYouDie
from storewise.tools.models.card import Card, read_card
from storewise.tools.models.memory import once_per_generation
from storewise.tools.models.tabular import by_group
from storewise.tools.models.value_features import GROUPS, Described, describe
from storewise.tools.models.value_forecast import (
    FEWEST_CUSTOMERS,
    FEWEST_WEEKS,
    TARGETS,
    Learned,
    Target,
    TooLittle,
    learn,
)
from storewise.tools.models.value_intervals import Intervals, calibrate
from storewise.tools.models.value_learner import Factor
from storewise.tools.models.wording import count, last_order, usual_gap
from storewise.tools.shop.generation import Shop

NAME, VERSION = "value", "2"
TABLES = ("orders",)
MOST_WEEKS = 104
REASONS = 3

Floats = npt.NDArray[np.float64]

_EPOCH = dt.date(1970, 1, 1)

# One row per customer and day with an order, by the end of $as_of; days are counted from 1970-01-01.
_DAYS_SQL = """
SELECT customer_id AS customer, CAST(ordered_at AS DATE) - DATE '1970-01-01' AS day,
    count(DISTINCT order_id) AS orders, sum(amount) AS spend, count(*) AS items
FROM orders WHERE ordered_at < CAST($as_of AS DATE) + 1
GROUP BY ALL ORDER BY customer, day
"""

# What reasons and the finding say of each customer, as of the end of $as_of.
_FIGURES_SQL = """
WITH days AS (
    SELECT customer_id, CAST(ordered_at AS DATE) AS day, CAST($as_of AS DATE) - CAST(ordered_at AS DATE) AS age,
        count(DISTINCT order_id) AS orders, sum(amount) AS spend, count(*) AS items
    FROM orders WHERE ordered_at < CAST($as_of AS DATE) + 1 GROUP BY ALL
), gaps AS (
    SELECT *, day - lag(day) OVER (PARTITION BY customer_id ORDER BY day) AS gap FROM days
)
SELECT customer_id, sum(orders) AS orders, sum(spend) AS spend, sum(items) AS items,
    min(age) AS recency_days, max(age) AS tenure_days,
    median(gap) AS gap_median, quantile_cont(gap, 0.1) AS gap_short, quantile_cont(gap, 0.9) AS gap_long,
    coalesce(sum(spend) FILTER (age < 91), 0) AS spend_13,
    coalesce(sum(spend) FILTER (age >= 91 AND age < 182), 0) AS spend_13_before,
    coalesce(sum(spend) FILTER (age < 7 * $weeks), 0) AS spend_before,
    coalesce(sum(orders) FILTER (age < 7 * $weeks), 0) AS orders_before
FROM gaps GROUP BY customer_id ORDER BY customer_id
"""


@dataclass(frozen=True)
class ValueModel:
    """A trained model with its card, and the customers as of the shop's last day."""

    card: Card
    learned: Learned
    described: Described

    @cached_property
    def log_factors(self) -> dict[Target, Floats]:
        """What the learned part adds to the log of each target, for all customers."""
        return self.learned.log_factors(self.described)

    @cached_property
    def contributions(self) -> pd.DataFrame:
        """What each of GROUPS adds to the log of the expected spend, against all customers' mean.

        A row per customer; with the column `all` (that mean) a row adds up to the log of the spend
        expected in the time that the history is long.
        """
        return _contributions(self.learned, self.described)


def order_days(shop: Shop) -> pd.DataFrame:
    """Return the days with an order up to `as_of`: customer, day (from 1970-01-01), orders, spend, items."""
    return shop.query(_DAYS_SQL, {"as_of": shop.as_of})


def train(shop: Shop, folder: Path) -> Card:
    """Train, test on later data and save into `folder`; with too little data the card says so."""
    cards.begin(folder)
    known = cards.made(shop, NAME, VERSION, *TABLES)
    days, cutoff = order_days(shop), _day_after(shop.as_of)
    try:
        learned = learn(days, cutoff)
    except TooLittle:
        missing = (
            f"The shop's orders are too few or too short to learn what customers will spend: it takes "
            f"{FEWEST_WEEKS} weeks of history and {FEWEST_CUSTOMERS} customers in its first quarter. "
            "Load more of them with: storewise load FOLDER"
        )
        card = Card(**known, missing=missing)
        card.save(folder)
        return card
    saved = {
        "fitted": [asdict(each) for each in learned.fitted],
        "factors": {target: learned.factors[target].save(folder, target) for target in TARGETS},
        "intervals": {target: learned.intervals[target].saved() for target in TARGETS},
        "weeks": learned.weeks,
    }
    (folder / "learned.json").write_text(json.dumps(saved), encoding="utf-8")
    parts = _contributions(learned, describe(days, cutoff, learned.fitted))[list(GROUPS)].abs().mean()
    card = Card(**known, **_measured(learned), drivers=cards.shares(parts.to_dict()))
    card.save(folder)
    return card


def load(shop: Shop, folder: Path | None = None) -> ValueModel:
    """Return the trained model.

    Raises:
        NoModel: there is none, or it belongs to other data.
    """
    folder = folder or shop.folder("models", NAME)
    card = read_card(shop, folder, NAME, *TABLES)
    with cards.reading(NAME):
        saved = json.loads((folder / "learned.json").read_text(encoding="utf-8"))
        learned = Learned(
            (BuyTillYouDie(**saved["fitted"][0]), BuyTillYouDie(**saved["fitted"][1])),
            {target: Factor.read(folder, target, saved["factors"][target]) for target in TARGETS},
            {target: Intervals.read(saved["intervals"][target]) for target in TARGETS},
            float(saved["weeks"]),
        )
    return ValueModel(card, learned, describe(order_days(shop), _day_after(shop.as_of), learned.fitted))


def expected(shop: Shop, weeks: int) -> tuple[Card, pd.DataFrame]:
    """Return the model's card and one row per customer with an order, the greatest expected spend first.

    The index is customer_id; columns: expected_orders and expected_spend in the coming `weeks`, the ends
    of their 80 % intervals (orders_low, orders_high, spend_low, spend_high), alive (the probability that
    the customer is not lost), orders_before and spend_before (of the `weeks` past), recency_days,
    reasons (three plain phrases, the weightiest first).

    Raises:
        NoModel: see `load`.
    """
    model = _loaded(shop)
    table = shop.query(_FIGURES_SQL, {"as_of": shop.as_of, "weeks": weeks}).set_index("customer_id")
    found = model.learned.predict(model.described, weeks, model.log_factors).rename(
        columns={target: f"expected_{target}" for target in TARGETS}
    )
    found["alive"] = model.described.alive()
    parts = model.contributions[list(GROUPS)]
    table = table.join(found).join(parts)
    strongest = np.argsort(-parts.reindex(table.index).abs().to_numpy(), axis=1, kind="stable")[:, :REASONS]
    groups = list(GROUPS)
    table["reasons"] = [
        [_phrase(groups[place], row) for place in places]
        for row, places in zip(table.to_dict("records"), strongest, strict=True)
    ]
    return model.card, table.sort_values("expected_spend", ascending=False, kind="stable")


@once_per_generation
def _loaded(shop: Shop) -> ValueModel:
    return load(shop)


def _day_after(as_of: dt.date) -> int:
    return (as_of - _EPOCH).days + 1


def _contributions(learned: Learned, described: Described) -> pd.DataFrame:
    parts = learned.factors["spend"].contributions(described.table)
    grouped = by_group(parts, GROUPS)
    # The starting point is a product of three, each of which belongs to one group.
    grouped["pace"] += described.log_pace(described.known)
    grouped["recency"] += described.log_alive()
    grouped["order value"] += np.log(described.worth)
    level = float(parts["level"].iloc[0]) + float(grouped.mean().sum())
    grouped.index = pd.Index(described.customers, name="customer")
    return (grouped - grouped.mean()).assign(all=level)


def _measured(learned: Learned) -> dict[str, Any]:
    """Return the card's fields about settings and quality, from the forecasts of the later half."""
    judged = learned.judged
    quality: dict[str, float] = {"weeks": learned.weeks, "customers": float(len(judged))}
    peers: dict[str, dict[str, float]] = {"past pace": {}, "BG/NBD": {}}
    for target in TARGETS:
        true = judged[f"{target}_true"].to_numpy()
        for figures, column in (
            (quality, target),
            (peers["past pace"], f"{target}_past"),
            (peers["BG/NBD"], f"{target}_start"),
        ):
            figures |= _errors(target, judged[column].to_numpy(), true)
        quality[f"{target}_coverage"] = _coverage(judged[target].to_numpy(), true, target == "orders")
    number, first, last = learned.cutoffs
    middle = learned.middle
    parameters: dict[str, float | str] = {}
    for target in TARGETS:
        for name, value in asdict(learned.factors[target].parameters).items():
            parameters[f"{target} {name}"] = float(value)
    parameters["found by"] = (
        "Optuna: the defaults over two data sets (python -m storewise.benchmarks.value_search), others where "
        "a search on this shop's later half found them clearly better"
    )
    return {
        "split": (
            f"settings and intervals judged on the {learned.weeks:g} weeks from {_date(middle)} on, forecast from "
            f"what was known before; the shipped model is fitted again on {number} cut-offs from {_date(first)} "
            f"to {_date(last)} and the orders after each"
        ),
        "quality": quality,
        "peers": peers,
        "parameters": parameters,
        "dropped": learned.dropped,
        "summary": (
            f"Spend of {len(judged):,} customers in the {learned.weeks:g} weeks from {_date(middle)}, forecast "
            f"the day before: correlation {quality['spend_correlation']:.3f}, mean error "
            f"{money(quality['spend_mae'])} (past pace: {peers['past pace']['spend_correlation']:.3f}, "
            f"{money(peers['past pace']['spend_mae'])}); the 80 % intervals held for "
            f"{percent(quality['spend_coverage'])}"
        ),
    }


def _errors(target: str, said: Floats, true: Floats) -> dict[str, float]:
    spread = said.std() > 0 and true.std() > 0
    return {
        f"{target}_rmse": float(np.sqrt(np.mean((said - true) ** 2))),
        f"{target}_mae": float(np.mean(np.abs(said - true))),
        f"{target}_correlation": float(np.corrcoef(said, true)[0, 1]) if spread else 0.0,
    }


def _coverage(said: Floats, true: Floats, whole: bool) -> float:
    """Return the share of intervals that hold, each half calibrated on the other half's customers."""
    held = np.zeros(len(said), dtype=bool)
    half = np.arange(len(said)) % 2 == 0
    for learn_on, hold in ((half, ~half), (~half, half)):
        low, high = calibrate(said[learn_on], true[learn_on], 1, 1, whole).ends(said[hold], 1, 1)
        held[hold] = (low <= true[hold]) & (true[hold] <= high)
    return float(held.mean())


def _date(day: int) -> str:
    return (_EPOCH + dt.timedelta(days=day)).isoformat()


def _phrase(group: str, row: dict[Hashable, Any]) -> str:
    """Return a group of features in words, with the customer's own figures."""
    tenure = row["tenure_days"] + 1
    match group:
        case "pace":
            return f"{count(row['orders'], 'order')} in {count(tenure, 'day')}"
        case "recency":
            return f"{last_order(row['recency_days'])}, {usual_gap(row['gap_median'])}"
        case "order value":
            return f"{money(row['spend'] / row['orders'])} an order on average"
        case "trend" if tenure > 91:
            before = ", against " + (_spent(row["spend_13_before"])) + " in the 13 weeks before"
            return f"{_spent(row['spend_13'])} spent in the last 13 weeks{before if tenure > 182 else ''}"
        case "trend":
            return f"{_spent(row['spend'])} spent in {count(tenure, 'day')}"
        case "regularity" if not np.isnan(row["gap_median"]):
            return (
                f"mostly {row['gap_short']:.0f} to {row['gap_long']:.0f} days between two days with an order"
                if round(row["gap_short"]) < round(row["gap_long"])
                else f"always about {count(round(row['gap_median']), 'day')} between two days with an order"
            )
        case "regularity":
            return "has come on one day only"
        case _:
            return f"{row['items'] / row['orders']:.1f} items an order"


def _spent(amount: float) -> str:
    return money(amount) if amount else "nothing"
