"""Churn: how likely a customer is to place no order in the next 60 days, and why.

Gradient boosting (LightGBM) over the features of `features.py`. The model learns on several past
cut-offs and is tested on a later one whose 60 days share no day with those of the training labels. The
shipped model is then fitted again on all cut-offs whose 60 days are over by `as_of`; the figures on
its card are those of the test. Reasons come from the trees' exact contributions to one prediction
(Lundberg et al. 2018, Consistent Individualized Feature Attribution for Tree Ensembles).
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from storewise.tools.finding import money, percent
from storewise.tools.models import card as cards
from storewise.tools.models.card import Card, read_card
from storewise.tools.models.features import FEATURES, GROUPS, HORIZON_DAYS, churned, features
from storewise.tools.models.memory import once_per_generation
from storewise.tools.shop.generation import Shop

NAME, VERSION = "churn", "1"
TABLES = ("orders", "products")
HISTORY_DAYS = 90  # the first cut-off has at least this much behind it
STEP_DAYS = 20  # between two cut-offs
MOST_CUTOFFS = 18
FEWEST_CUSTOMERS = 50
FEWEST_CHURNED = 20
ROUNDS = 400

# More silence never lowers the risk and more orders never raise it: a reason can be read as it stands.
_RISING = {"recency_days", "recency_to_gap", "recency_to_longest", "gaps_outlasted"}
_FALLING = {"orders", "orders_30", "orders_60", "orders_90", "spend", "spend_30", "spend_60", "spend_90"}
_FALLING |= {"visit_days"}

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ChurnModel:
    """Boosted trees with a calibration of their raw score: p = sigmoid(slope * score + offset)."""

    card: Card
    booster: lgb.Booster
    slope: float
    offset: float

    def probability(self, table: pd.DataFrame) -> Floats:
        """Return the risk of each row of `table` (FEATURES), between 0 and 1."""
        raw = np.asarray(self.booster.predict(table[list(FEATURES)], raw_score=True), dtype=np.float64)
        return _sigmoid(self.slope * raw + self.offset)

    def contributions(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return what each group of features adds to the raw score: a row per row, a column per group."""
        exact = np.asarray(self.booster.predict(table[list(FEATURES)], pred_contrib=True))
        place = {name: index for index, name in enumerate(FEATURES)}
        sums = {group: exact[:, [place[n] for n in names]].sum(axis=1) for group, names in GROUPS.items()}
        return pd.DataFrame(sums, index=table.index)


def train(shop: Shop, folder: Path) -> Card:
    """Train, test on later data and save into `folder`; with too little data the card says so."""
    cards.begin(folder)
    past = _Past(shop)
    last = shop.as_of - dt.timedelta(days=HORIZON_DAYS)
    shipped = past.cutoffs(last)
    learned = past.cutoffs(last - dt.timedelta(days=HORIZON_DAYS))
    known: dict[str, Any] = {
        "name": NAME,
        "version": VERSION,
        "trained_at": cards.today(),
        "as_of": shop.as_of.isoformat(),
        "fingerprint": cards.fingerprint(shop, *TABLES),
    }
    everything = past.table(shipped)
    if _too_little(everything):
        missing = (
            f"The shop's orders are too few or too short to learn who stops buying: it takes {HISTORY_DAYS} "
            f"days of history and {HORIZON_DAYS} days after them, {FEWEST_CUSTOMERS} customers, and "
            f"{FEWEST_CHURNED} who stopped. Load more of them with: storewise load FOLDER"
        )
        card = Card(**known, missing=missing)
        card.save(folder)
        return card
    measured = _test(past.table(learned), past.table([last]), learned, last)
    card = Card(**known, **measured)
    booster, slope, offset = _fit(everything)
    booster.save_model(str(folder / "trees.txt"))
    (folder / "calibration.json").write_text(json.dumps({"slope": slope, "offset": offset}), encoding="utf-8")
    card.save(folder)
    return card


def load(shop: Shop, folder: Path | None = None) -> ChurnModel:
    """Return the trained model.

    Raises:
        NoModel: there is none, or it belongs to other data.
    """
    folder = folder or shop.folder("models", NAME)
    card = read_card(shop, folder, NAME, *TABLES)
    try:
        calibration = json.loads((folder / "calibration.json").read_text(encoding="utf-8"))
        booster = lgb.Booster(model_file=str(folder / "trees.txt"))
        return ChurnModel(card, booster, float(calibration["slope"]), float(calibration["offset"]))
    except (OSError, ValueError, KeyError, lgb.basic.LightGBMError):
        raise cards.NoModel(f"The {NAME} model cannot be read. Train it again with: storewise fit") from None


@once_per_generation
def risks(shop: Shop) -> tuple[Card, pd.DataFrame]:
    """Return the model's card and one row per customer with an order, the riskiest first.

    The index is customer_id; columns: probability (of no order in the next 60 days), reasons (a list of
    plain phrases, the weightiest first) and the FEATURES as of today.

    Raises:
        NoModel: see `load`.
    """
    model = load(shop)
    table = features(shop, shop.as_of).set_index("customer_id")
    table["probability"] = model.probability(table)
    parts = model.contributions(table)
    # What speaks of a customer riskier than most is what raises the risk, and the other way round.
    parts = parts.mul(np.where(table["probability"] >= table["probability"].mean(), 1.0, -1.0), axis=0)
    table["reasons"] = [
        _reasons(row, part) for (_, row), (_, part) in zip(table.iterrows(), parts.iterrows(), strict=True)
    ]
    return model.card, table.sort_values(["probability", "recency_days"], ascending=False, kind="stable")


class _Past:
    """Features and labels at past cut-offs, each computed once."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._tables: dict[dt.date, pd.DataFrame] = {}
        first = shop.query("SELECT CAST(min(ordered_at) AS DATE) AS day FROM orders")["day"].iloc[0]
        self._first = None if pd.isna(first) else pd.Timestamp(first).date()

    def cutoffs(self, last: dt.date) -> list[dt.date]:
        if self._first is None:
            return []
        earliest = self._first + dt.timedelta(days=HISTORY_DAYS - 1)
        days = [last - dt.timedelta(days=STEP_DAYS * step) for step in range(MOST_CUTOFFS)]
        return [day for day in days if day >= earliest]

    def table(self, cutoffs: list[dt.date]) -> pd.DataFrame:
        for cutoff in cutoffs:
            if cutoff not in self._tables:
                table = features(self._shop, cutoff)
                self._tables[cutoff] = table.assign(churned=churned(self._shop, cutoff, table["customer_id"]))
        if not cutoffs:
            return pd.DataFrame(columns=["customer_id", *FEATURES, "churned"])
        return pd.concat([self._tables[cutoff] for cutoff in cutoffs], ignore_index=True)


def _too_little(table: pd.DataFrame) -> bool:
    customers = table.groupby("customer_id")["churned"].max()
    return len(customers) < FEWEST_CUSTOMERS or not (
        customers.sum() >= FEWEST_CHURNED and (~table["churned"].astype(bool)).sum() >= FEWEST_CHURNED
    )


def _fit(table: pd.DataFrame) -> tuple[lgb.Booster, float, float]:
    """Return trees fitted on all of `table` and a calibration from predictions on customers left out."""
    x, y = table[list(FEATURES)], table["churned"].to_numpy(dtype=np.float64)
    raw = np.zeros(len(table))
    for learn, hold in GroupKFold(n_splits=3).split(x, y, groups=table["customer_id"]):
        raw[hold] = _boost(x.iloc[learn], y[learn]).predict(x.iloc[hold], raw_score=True)
    platt = LogisticRegression(C=1e6).fit(raw.reshape(-1, 1), y)
    # A slope of 0 or less would turn the order round; it comes only of noise in a tiny shop.
    slope = max(float(platt.coef_[0, 0]), 0.05)
    return _boost(x, y), slope, float(platt.intercept_[0])


def _boost(x: pd.DataFrame, y: Floats) -> lgb.Booster:
    parameters = {
        "objective": "binary",
        "learning_rate": 0.02,
        "num_leaves": 4,
        "min_data_in_leaf": max(5, min(200, len(y) // 50)),
        "feature_fraction": 0.3,
        "bagging_fraction": 0.5,
        "bagging_freq": 1,
        "lambda_l2": 20,
        "monotone_constraints": [1 if n in _RISING else -1 if n in _FALLING else 0 for n in FEATURES],
        "num_threads": 1,  # the data is small: more threads mostly wait for each other
        "deterministic": True,
        "force_row_wise": True,
        "seed": 7,
        "verbose": -1,
    }
    return lgb.train(parameters, lgb.Dataset(x, y), ROUNDS)


def _test(learn: pd.DataFrame, test: pd.DataFrame, learned: list[dt.date], last: dt.date) -> dict[str, Any]:
    """Return split, quality, peers and summary of a model trained on `learn`, on the later `test`."""
    if _too_little(learn) or test["churned"].nunique() < 2:
        return {"summary": "not measured: the orders are too short to hold back a later time"}
    booster, slope, offset = _fit(learn)
    raw = np.asarray(booster.predict(test[list(FEATURES)], raw_score=True))
    y = test["churned"].to_numpy(dtype=np.float64)
    active = (test["recency_days"] < HORIZON_DAYS).to_numpy()

    def logistic(names: list[str]) -> Floats:
        def scale(table: pd.DataFrame) -> pd.DataFrame:
            return table[names].clip(lower=0).transform(np.log1p)

        fit = make_pipeline(StandardScaler(), LogisticRegression()).fit(scale(learn), learn["churned"])
        return np.asarray(fit.predict_proba(scale(test))[:, 1])

    probability = _sigmoid(slope * raw + offset)
    quality = _measure(y, probability, active)
    recency = _measure(y, logistic(["recency_days"]), active)
    rfm = _measure(y, logistic(["recency_days", "orders", "spend"]), active)
    quality["brier_uncalibrated"] = float(brier_score_loss(y, _sigmoid(raw)))
    quality |= {"customers": float(len(y)), "churned": float(y.sum()), "active": float(active.sum())}
    quality["churned_expected"] = float(probability.sum())
    after = last + dt.timedelta(days=1)
    end = last + dt.timedelta(days=HORIZON_DAYS)
    return {
        "split": (
            f"learned on {len(learned)} cut-offs from {min(learned)} to {max(learned)} ({len(learn)} rows), "
            f"tested on {last} ({len(y)} customers, orders of {after} to {end}); the shipped model is "
            f"fitted again on all cut-offs up to {last}"
        ),
        "quality": quality,
        "peers": {"recency alone": recency, "logistic regression on RFM": rfm},
        "summary": (
            f"AUC {quality['auc']:.3f} on {len(y):,} customers as of {last} "
            f"(recency alone {recency['auc']:.3f}, logistic regression on RFM "
            f"{rfm['auc']:.3f}); on the {active.sum():,} with an order in the "
            f"{HORIZON_DAYS} days before {quality['active_auc']:.3f} ({recency['active_auc']:.3f} and "
            f"{rfm['active_auc']:.3f})"
        ),
    }


def _measure(y: Floats, p: Floats, active: npt.NDArray[np.bool_]) -> dict[str, float]:
    """Return the figures over all customers, and `active_…` over those who still came before the cut-off."""
    figures: dict[str, float] = {}
    for prefix, true, said in (("", y, p), ("active_", y[active], p[active])):
        tenth = np.argsort(-said, kind="stable")[: max(1, len(true) // 10)]
        known = 0 < true.sum() < len(true)
        figures[f"{prefix}auc"] = float(roc_auc_score(true, said)) if known else 0.5
        figures[f"{prefix}average_precision"] = float(average_precision_score(true, said)) if known else 0.0
        figures[f"{prefix}brier"] = float(brier_score_loss(true, said)) if len(true) else 0.0
        figures[f"{prefix}lift_top_tenth"] = float(true[tenth].mean() / true.mean()) if known else 1.0
    return figures


def _sigmoid(score: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-score)), dtype=np.float64)


def _reasons(row: pd.Series[Any], parts: pd.Series[float]) -> list[str]:
    """Return one to three phrases of the customer's own figures, the weightiest group first."""
    ranked = parts.sort_values(ascending=False)
    weighty = [str(group) for group, part in ranked.items() if part > 0.15 * ranked.iloc[0] and part > 0]
    return [_phrase(group, row) for group in (weighty or [str(ranked.index[0])])[:3]]


def _phrase(group: str, row: pd.Series[Any]) -> str:
    match group:
        case "rhythm":
            return f"{last_order(row['recency_days'])}, {usual_gap(row['gap_median'])}"
        case "orders":
            return f"{count(row['orders'], 'order')} in {count(row['tenure_days'] + 1, 'day')}"
        case "trend":
            orders = count(row["orders_30"], "order") if row["orders_30"] else "no order"
            recent = f"{orders} in the last 30 days"
            before = row["tenure_days"] - 29
            if before < 30:
                return recent
            pace = 30 * (row["orders"] - row["orders_30"]) / before
            return f"{recent}, against {pace:.1f} per 30 days before"
        case "spend":
            spent = money(row["spend_90"]) if row["spend_90"] else "nothing"
            return f"{spent} spent in the last 90 days"
        case "breadth":
            number = row["categories_90"]
            return (
                f"bought from {number:,.0f} {'category' if number == 1 else 'categories'} in the last 90 days"
            )
        case "discount":
            return f"discounts took {percent(row['discount_share'])} off the prices"
        case _:
            return f"{percent(row['weekend_share'])} of the orders at a weekend"


def last_order(days: float) -> str:
    """Return when the last order was, in words."""
    return "last order today" if days == 0 else f"last order {count(days, 'day')} ago"


def usual_gap(days: float) -> str:
    """Return the usual (median) time between days with an order, in words."""
    if np.isnan(days):
        return "has come on one day only"
    return "usually comes every day" if days == 1 else f"usually comes every {days:g} days"


def count(number: float, noun: str, plural: str | None = None) -> str:
    """Return a count with its noun: 1 order, 2,000 orders."""
    return f"{number:,.0f} {noun if number == 1 else plural or noun + 's'}"
