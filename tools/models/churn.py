"""Churn: how likely a customer is to place no order in the coming days, and why.

A blend (`tabular.py`) over the features of `features.py` and `rhythm.py`, learned at many past cut-offs.
It is tested at a later cut-off before which the days of all training labels are over. The
shipped model is then fitted again on all cut-offs whose days are over by `as_of`; the figures on
its card are those of the test. What counts as gone is the shop's to say: `train(..., after=60)` days, or
`after="own rhythm"`, each customer's own limit (`churn_past.py`).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from storewise.tools.models import card as cards
from storewise.tools.models import churn_reasons, rhythm, tabular
from storewise.tools.models.card import Card, read_card
from storewise.tools.models.churn_past import (
    FEATURES,
    HISTORY_DAYS,
    LEAST_OWN,
    MOST_OWN,
    OWN_RHYTHM,
    After,
    Past,
    definition,
    known,
    limits,
    longest,
)
from storewise.tools.models.features import HORIZON_DAYS
from storewise.tools.models.memory import once_per_generation
from storewise.tools.models.tabular import Tabular, by_group
from storewise.tools.shop.generation import Shop

NAME, VERSION = "churn", "2"
TABLES = ("orders", "products")
FEWEST_CUSTOMERS = 50
FEWEST_CHURNED = 20

# Found at cut-offs of The Complete Journey earlier than those that any figure is reported of, with
# python -m storewise.benchmarks.churn_search, then rounded and made simpler where that was no worse.
# Many settings lie
# within .001 of each other: a search begun anew ends at other values and an area of .891, these have .892.
PARAMETERS: dict[str, float] = {
    "rounds": 145,
    "learning_rate": 0.024,
    "num_leaves": 4,  # as good as the 8 found, and simpler
    "min_data_in_leaf": 360,
    "feature_fraction": 0.9,
    "bagging_fraction": 0.7,
    "lambda_l2": 64.0,
    "ramps": 0,  # the logistic regression beside the trees gained nothing at later cut-offs
}
FOUND = "Optuna, 80 trials, scored at three later cut-offs of The Complete Journey, then simplified"

# More silence never lowers the risk and more orders never raise it: a reason can be read as it stands.
_RISING = {"recency_days", "recency_to_gap", "recency_to_longest", "gaps_outlasted", *rhythm.GROUPS["pace"]}
_RISING |= {*rhythm.GROUPS["silence"], *rhythm.GROUPS["lost"]} - {"silence_survival"}
_FALLING = {
    "orders",
    "orders_30",
    "orders_60",
    "orders_90",
    "orders_per_30",
    "visit_days",
    "silence_survival",
}
_FALLING |= {"spend", "spend_30", "spend_60", "spend_90", "categories", "categories_90", "products_90"}
_FALLING |= {*rhythm.GROUPS["weeks"], *rhythm.GROUPS["spend"]}
MONOTONE = {**dict.fromkeys(sorted(_RISING), 1), **dict.fromkeys(sorted(_FALLING), -1)}

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ChurnModel:
    """A fitted blend, and what it predicts: no order within so many days, or within the own limit."""

    card: Card
    tabular: Tabular
    after: After

    def probability(self, table: pd.DataFrame) -> Floats:
        """Return the risk of each row of `table` (FEATURES), between 0 and 1."""
        return self.tabular.probability(table)

    def contributions(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return a row per row and a column per group beside "base"; a row adds up to the log-odds."""
        parts = self.tabular.contributions(table)
        return by_group(parts, churn_reasons.GROUPS).assign(base=parts["base"])


def train(shop: Shop, folder: Path, after: After = HORIZON_DAYS) -> Card:
    """Train, test on later data and save into `folder`; with too little data the card says so.

    Raises:
        MissingTable: the orders or the products lack a column that all features come from.
    """
    shop.require("orders", "order_id", "customer_id", "product_id", "ordered_at", "amount")
    shop.require("products", "product_id", "category")
    cards.begin(folder)
    past = Past(shop, after)
    known_of_it = {
        **cards.made(shop, NAME, VERSION, *TABLES),
        "parameters": {**tabular.settled(PARAMETERS), "churned_after": _written(after), "found": FOUND},
    }
    shipped = past.before(shop.as_of)
    everything = past.table(shipped)
    if too_little(everything):
        days = longest(after)
        missing = (
            f"The shop's orders are too few or too short to learn who stops buying: it takes {HISTORY_DAYS} "
            f"days of history and {days} days after them, {FEWEST_CUSTOMERS} customers, and "
            f"{FEWEST_CHURNED} who stopped. Load more of them with: storewise load FOLDER"
        )
        card = Card(**known_of_it, missing=missing)
        card.save(folder)
        return card
    test = shipped[0]
    features, dropped, measured = _test(past, test, after)
    model = learn(everything, features)
    moved = by_group(model.contributions(past.table([test])), churn_reasons.GROUPS).abs().mean()
    card = Card(**known_of_it, **measured, dropped=dropped, drivers=cards.shares(moved.to_dict()))
    model.save(folder)
    card.save(folder)
    return card


def choose(table: pd.DataFrame) -> tuple[list[str], dict[str, str]]:
    """Return the features to learn from and why the others are dropped, from `table` of `Past` alone."""
    return tabular.select(
        table[list(FEATURES)],
        table["churned"],
        parameters={**PARAMETERS, "folds": 3},
        monotone=MONOTONE,
        groups=table["customer_id"],
    )


def learn(table: pd.DataFrame, features: list[str], seed: int = 7) -> Tabular:
    """Return the blend fitted on all of `table`; a customer's cut-offs are left out together."""
    return tabular.fit(
        table[features],
        table["churned"],
        parameters=PARAMETERS,
        monotone=MONOTONE,
        groups=table["customer_id"],
        seed=seed,
    )


def load(shop: Shop, folder: Path | None = None) -> ChurnModel:
    """Return the trained model.

    Raises:
        NoModel: there is none, or it belongs to other data.
    """
    folder = folder or shop.folder("models", NAME)
    card = read_card(shop, folder, NAME, *TABLES)
    with cards.reading(NAME):
        after = definition(str(card.parameters["churned_after"]).removesuffix(" days"))
        return ChurnModel(card, Tabular.read(folder), after)


@once_per_generation
def risks(shop: Shop) -> tuple[Card, pd.DataFrame]:
    """Return the model's card and one row per customer with an order, the riskiest first.

    The index is customer_id; columns: probability (of no order in time), limit_days (how many days that
    is for this customer), reasons (a list of plain phrases, the weightiest first) and the FEATURES as of today.

    Raises:
        NoModel: see `load`.
    """
    model = load(shop)
    table = known(shop, shop.as_of).set_index("customer_id")
    table["probability"] = model.probability(table)
    table["limit_days"] = limits(table, model.after)
    parts = churn_reasons.against_average(model.contributions(table), table["probability"])
    table["reasons"] = churn_reasons.reasons(table, parts)
    return model.card, table.sort_values(["probability", "recency_days"], ascending=False, kind="stable")


def in_time(card: Card) -> str:
    """Return what the model of `card` says the risk of, in words that follow "no order"."""
    after = str(card.parameters["churned_after"])
    if after == OWN_RHYTHM:
        return "within their own rhythm"
    return f"in the next {after}"


def meant(card: Card) -> str | None:
    """Return a sentence on what counts as gone, None where it is one number of days for all."""
    if card.parameters["churned_after"] != OWN_RHYTHM:
        return None
    return (
        "A customer counts as gone who places no order for longer than 95 of 100 of their own gaps between "
        f"orders, at least {LEAST_OWN} and at most {MOST_OWN} days."
    )


def too_little(table: pd.DataFrame) -> bool:
    """Say whether `table` of `Past` has too few customers, churned or not, to learn from."""
    customers = table.groupby("customer_id")["churned"].max()
    return len(customers) < FEWEST_CUSTOMERS or not (
        customers.sum() >= FEWEST_CHURNED and (~table["churned"].astype(bool)).sum() >= FEWEST_CHURNED
    )


def _written(after: After) -> str:
    return OWN_RHYTHM if after == OWN_RHYTHM else f"{after} days"


def _test(past: Past, day: dt.date, after: After) -> tuple[list[str], dict[str, str], dict[str, Any]]:
    """Return the features chosen, those dropped, and split, quality, peers and summary of a test at `day`.

    What is chosen and learned comes from cut-offs whose labels were known by `day`.
    """
    learned = past.before(day)
    table, test = past.table(learned), past.table([day])
    if too_little(table) or test["churned"].nunique() < 2:
        unmeasured = {"summary": "not measured: the orders are too short to hold back a later time"}
        return list(FEATURES), {}, unmeasured
    features, dropped = choose(table)
    probability = learn(table, features).probability(test)
    y = test["churned"].to_numpy(dtype=np.float64)
    active = test["recency_days"].to_numpy() < limits(test, after)

    def logistic(names: list[str]) -> Floats:
        def scale(rows: pd.DataFrame) -> pd.DataFrame:
            return rows[names].clip(lower=0).transform(np.log1p)

        fit = make_pipeline(StandardScaler(), LogisticRegression()).fit(scale(table), table["churned"])
        return np.asarray(fit.predict_proba(scale(test))[:, 1])

    quality = _measure(y, probability, active)
    recency = _measure(y, logistic(["recency_days"]), active)
    rfm = _measure(y, logistic(["recency_days", "orders", "spend"]), active)
    quality |= {"customers": float(len(y)), "churned": float(y.sum()), "active": float(active.sum())}
    quality["churned_expected"] = float(probability.sum())
    end = day + dt.timedelta(days=longest(after))
    lately = "within their own limit" if after == OWN_RHYTHM else f"in the {after} days before"
    return (
        features,
        dropped,
        {
            "split": (
                f"learned on {len(learned)} cut-offs from {min(learned)} to {max(learned)} ({len(table)} rows), "
                f"tested on {day} ({len(y)} customers, orders of {day + dt.timedelta(days=1)} to {end}); "
                f"the shipped model is fitted again on all cut-offs up to {day}"
            ),
            "quality": quality,
            "peers": {"recency alone": recency, "logistic regression on RFM": rfm},
            "summary": (
                f"AUC {quality['auc']:.3f} on {len(y):,} customers as of {day} "
                f"(recency alone {recency['auc']:.3f}, logistic regression on RFM "
                f"{rfm['auc']:.3f}); on the {active.sum():,} with an order {lately} "
                f"{quality['active_auc']:.3f} ({recency['active_auc']:.3f} and "
                f"{rfm['active_auc']:.3f})"
            ),
        },
    )


def _measure(y: Floats, p: Floats, active: npt.NDArray[np.bool_]) -> dict[str, float]:
    """Return the figures over all customers, and `active_…` over those who still came before the cut-off."""
    figures: dict[str, float] = {}
    for prefix, true, said in (("", y, p), ("active_", y[active], p[active])):
        tenth = np.argsort(-said, kind="stable")[: max(1, len(true) // 10)]
        both = 0 < true.sum() < len(true)
        figures[f"{prefix}auc"] = float(roc_auc_score(true, said)) if both else 0.5
        figures[f"{prefix}average_precision"] = float(average_precision_score(true, said)) if both else 0.0
        figures[f"{prefix}brier"] = float(brier_score_loss(true, said)) if len(true) else 0.0
        figures[f"{prefix}lift_top_tenth"] = float(true[tenth].mean() / true.mean()) if both else 1.0
    return figures
