"""Cart abandonment: how likely a visit is to end without a purchase, after each of its clicks, and why.

Gradient boosting over counts, gaps and n-grams of the clicks so far (`sessions.py`), averaged over folds
of the visits and calibrated on those left out (`tabular.py`). One blend of trees answers at a click, a
second one hours later: it learns from visits cut off after a silence of up to a day, whose length it is
told. Visits are split by time: both are tested on the visits of the last eight weeks, after every click
and on the carts open at each midnight. The shipped ones are then fitted again on all visits that are
over. An outcome is known 24 hours after the last click.

A recurrent network over the sequence of clicks (`storewise benchmark cart`) does not beat the trees, and
cannot say why; so trees are shipped, and every reason is an exact part of the prediction (Lundberg et al.
2018, Consistent Individualized Feature Attribution for Tree Ensembles).
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
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from storewise.tools.finding import percent
from storewise.tools.models import card as cards
from storewise.tools.models import cart_nudges as nudges
from storewise.tools.models import tabular
from storewise.tools.models.card import Card, read_card
from storewise.tools.models.memory import once_per_generation
from storewise.tools.models.sessions import COUNTS, FEATURES, GROUPS, OPEN_HOURS, clicks
from storewise.tools.models.tabular import Tabular, by_group
from storewise.tools.shop.generation import Shop

NAME, VERSION = "cart", "2"
TABLES = ("events",)
TEST_WEEKS = 8
MOST_VISITS = 60_000  # the latest ones: more teach it nothing that these do not
CLICKS_A_VISIT = 6
FEWEST_VISITS = 200
FEWEST_BOUGHT = 40
_DAY = 86400.0
_SELECTED_ON = 8_000  # clicks

# Found on the demo shop's visits before the test weeks, the last eight weeks of them scored, with
#   python -m storewise.tools.models.cart_search
# and then half the rounds at twice the rate: as good there, in half the time. What the search finds for
# the blend after a silence is .001 ahead in AUC there and takes more than twice the time, so both take these.
PARAMETERS: dict[str, float] = {
    "folds": 3,
    "rounds": 183,
    "learning_rate": 0.052,
    "num_leaves": 24,
    "min_data_in_leaf": 19,
    "feature_fraction": 0.77,
    "bagging_fraction": 0.54,
    "lambda_l2": 2.6,
    "ramps": 0,  # so many rows teach the trees all that a regression would
}
MONOTONE = {"idle_seconds": 1}  # a longer silence never lowers the risk

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Blends:
    """The two learners: one asked at a click, one after a silence."""

    at_click: Tabular
    after_silence: Tabular

    def probability(self, table: pd.DataFrame) -> Floats:
        """Return the risk that each row's visit ends without a purchase, between 0 and 1."""
        risk = self.at_click.probability(table)
        silent = (table["idle_seconds"] > 0).to_numpy()
        if silent.any():
            risk[silent] = self.after_silence.probability(table[silent])
        return risk


@dataclass(frozen=True)
class CartModel:
    """The risk of a table of clicks as `sessions.clicks` returns it, at the click or after a silence."""

    card: Card
    blends: Blends

    def probability(self, table: pd.DataFrame) -> Floats:
        """Return the risk that each row's visit ends without a purchase, between 0 and 1."""
        return self.blends.probability(table)

    def contributions(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return what each group adds to the log-odds at the click: a row per row, a column per group."""
        return by_group(self.blends.at_click.contributions(table), GROUPS)


def train(shop: Shop, folder: Path) -> Card:
    """Train, test on later visits and save into `folder`; with too little data the card says so."""
    cards.begin(folder)
    known = cards.made(shop, NAME, VERSION, *TABLES)
    over = visits_over(shop)
    if too_little(over):
        missing = (
            f"The shop's visits are too few to learn which carts are abandoned: it takes {FEWEST_VISITS} "
            f"visits, and {FEWEST_BOUGHT} of them bought and {FEWEST_BOUGHT} not. "
            "Load more of them with: storewise load FOLDER"
        )
        card = Card(**known, missing=missing)
        card.save(folder)
        return card
    edge = midnight(shop) - dt.timedelta(weeks=TEST_WEEKS)
    early, late = split(over, edge)
    testable = not too_little(early) and not too_little(late)
    features, dropped = select(early if testable else over)
    measured: dict[str, Any] = {"summary": "not measured: the visits are too few to hold the last weeks back"}
    if testable:
        measured = _test(early, late, edge, features)
    blends = fit(over, features)
    blends.at_click.save(folder / "click")
    blends.after_silence.save(folder / "silence")
    card = Card(
        **known,
        **measured,
        parameters={
            **PARAMETERS,
            "found": "by Optuna on the demo shop's earlier visits; then half the rounds at twice the rate",
        },
        dropped=dropped,
        drivers=_drivers(blends.at_click, over),
    )
    card.save(folder)
    return card


def load(shop: Shop, folder: Path | None = None) -> CartModel:
    """Return the trained model.

    Raises:
        NoModel: there is none, or it belongs to other data.
    """
    folder = folder or shop.folder("models", NAME)
    card = read_card(shop, folder, NAME, *TABLES)
    with cards.reading(NAME):
        return CartModel(card, Blends(Tabular.read(folder / "click"), Tabular.read(folder / "silence")))


@once_per_generation
def open_carts(shop: Shop) -> tuple[Card, pd.DataFrame]:
    """Return the model's card and the carts open at the end of `as_of`, the likeliest abandoned first.

    A cart is open if something is in it, nothing was bought and the last click is less than 24 hours
    old. The index is session_id; columns: probability (after the silence since the last click),
    probability_at_click, reasons (plain phrases), nudge, ended (the last click) and FEATURES.

    Raises:
        NoModel: see `load`.
    """
    model = load(shop)
    now = midnight(shop)
    rows = clicks(shop, now, since=now - dt.timedelta(hours=OPEN_HOURS))
    last = rows.drop_duplicates("session_id", keep="last").set_index("session_id")
    last = last[~last["bought"] & (last["items"] > 0)].copy()
    if last.empty:
        return model.card, last.assign(probability=0.0, probability_at_click=0.0, reasons="", nudge="")
    last["probability_at_click"] = model.probability(last)
    # After hours of silence the silence outweighs all else, for nearly every cart. What tells the visits
    # apart, and which nudge fits, is what they looked like at the last click.
    parts = model.contributions(last)
    last["idle_seconds"] = (now - last["ended"]).dt.total_seconds()
    last["probability"] = model.probability(last)
    usual = float(last["value"].median())
    both = [(row, part) for (_, row), (_, part) in zip(last.iterrows(), parts.iterrows(), strict=True)]
    last["reasons"] = [nudges.reasons(row, part) for row, part in both]
    last["nudge"] = [nudges.nudge(row, part, usual) for row, part in both]
    return model.card, last.sort_values(["probability", "value"], ascending=False, kind="stable")


def midnight(shop: Shop) -> dt.datetime:
    """Return the end of the last complete day, the moment that the tools call now."""
    return dt.datetime.combine(shop.as_of + dt.timedelta(days=1), dt.time())


def visits_over(shop: Shop) -> pd.DataFrame:
    """Return the clicks of the latest MOST_VISITS visits whose outcome is known, as `clicks` does."""
    now = midnight(shop)
    since = shop.query(
        """
        SELECT max(occurred_at) AS ended FROM events WHERE occurred_at < CAST($now AS TIMESTAMP)
        GROUP BY session_id ORDER BY ended DESC LIMIT 1 OFFSET $most
        """,
        {"now": now, "most": MOST_VISITS},
    )["ended"]
    rows = clicks(shop, now, since=None if since.empty else since.iloc[0].to_pydatetime())
    return rows[rows["bought"] | (rows["ended"] < now - dt.timedelta(hours=OPEN_HOURS))]


def split(over: pd.DataFrame, edge: dt.datetime) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows of the visits whose outcome was known by `edge`, and those of later visits."""
    return over[over["ended"] < edge - dt.timedelta(hours=OPEN_HOURS)], over[over["started"] >= edge]


def too_little(rows: pd.DataFrame) -> bool:
    """Say whether the visits are too few, or nearly all with one outcome."""
    bought = rows.drop_duplicates("session_id")["bought"]
    return len(bought) < FEWEST_VISITS or not FEWEST_BOUGHT <= bought.sum() <= len(bought) - FEWEST_BOUGHT


def fit(rows: pd.DataFrame, features: list[str], seed: int = 7) -> Blends:
    """Learn from the visits in `rows`, all of whose outcomes are known."""
    rng = np.random.default_rng(seed)
    at_click = _learn(at_clicks(rows, rng), features, seed)
    return Blends(at_click, _learn(after_silence(rows, rng), [*features, "idle_seconds"], seed))


def _learn(table: pd.DataFrame, features: list[str], seed: int) -> Tabular:
    return tabular.fit(
        table[features],
        ~table["bought"],
        parameters=PARAMETERS,
        monotone=MONOTONE,
        groups=table["session_id"],
        seed=seed,
    )


def select(rows: pd.DataFrame) -> tuple[list[str], dict[str, str]]:
    """Return the features worth keeping, and why each of the others is dropped."""
    table = at_clicks(rows, np.random.default_rng(9))
    table = table.sample(min(len(table), _SELECTED_ON), random_state=9)
    return tabular.select(
        table[list(FEATURES)],
        ~table["bought"],
        parameters={**PARAMETERS, "folds": 2, "rounds": 80},
        groups=table["session_id"],
    )


def at_clicks(rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return at most CLICKS_A_VISIT rows of each visit, at the moment of the click."""
    draw = pd.Series(rng.random(len(rows)), index=rows.index)
    drawn: pd.DataFrame = rows[draw.groupby(rows["session_id"]).rank(method="first") <= CLICKS_A_VISIT]
    return drawn


def after_silence(rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return the rows whose visit was silent after the click for as long as drawn for that visit.

    The length is drawn per visit, between half a minute and a day, evenly in its logarithm, and without
    looking at the visit. So among the rows with one length, as many were bought as in the shop.
    """
    visit, visits = pd.factorize(rows["session_id"])
    silence = (30 * np.exp(rng.random(len(visits)) * np.log(_DAY / 30)))[visit]
    gap = (rows["next_at"] - rows["occurred_at"]).dt.total_seconds().fillna(np.inf)
    silent: pd.DataFrame = rows.assign(idle_seconds=silence)[gap > silence]
    return silent


def _at_midnights(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the carts open at each midnight, as they stood then."""
    night = rows["occurred_at"].dt.floor("D") + pd.Timedelta(days=1)
    is_open = (rows["items"] > 0) & (rows["next_at"].isna() | (rows["next_at"] >= night))
    silence = (night - rows["occurred_at"]).dt.total_seconds()
    carts: pd.DataFrame = rows.assign(idle_seconds=silence)[is_open]
    return carts


def _drivers(model: Tabular, rows: pd.DataFrame) -> dict[str, float]:
    """Return each group's share of all movement at clicks."""
    rows = rows.sample(min(len(rows), 1000), random_state=7)
    moved = by_group(model.contributions(rows), GROUPS).abs().mean()
    return cards.shares(moved[moved > 0].to_dict())


def _test(early: pd.DataFrame, late: pd.DataFrame, edge: dt.datetime, features: list[str]) -> dict[str, Any]:
    """Return split, quality, peers and summary of a model trained on `early`, on the `late` visits."""
    model = fit(early, features)
    drawn = at_clicks(early, np.random.default_rng(8))
    counts = make_pipeline(StandardScaler(), LogisticRegression()).fit(drawn[list(COUNTS)], ~drawn["bought"])
    late_carts, early_carts = _at_midnights(late), _at_midnights(early)
    quality: dict[str, float] = {}
    always: dict[str, float] = {}
    regression: dict[str, float] = {}
    for moment, rows, learned in (
        ("click", late, drawn),
        ("cart", late[late["items"] > 0], drawn[drawn["items"] > 0]),
        ("midnight", late_carts, early_carts),
    ):
        if rows.empty or learned.empty:
            continue
        y = np.asarray(~rows["bought"], dtype=np.float64)
        guesses = [
            (quality, model.probability(rows)),
            (always, np.full(len(y), float((~learned["bought"]).mean()))),
        ]
        if moment != "midnight":
            guesses.append((regression, counts.predict_proba(rows[list(COUNTS)])[:, 1]))
        for figures, guess in guesses:
            figures |= {f"{moment}_{name}": value for name, value in _measure(y, guess).items()}
        quality |= {f"{moment}_rows": float(len(y)), f"{moment}_abandoned": float(y.mean())}
    visits = late["session_id"].nunique()
    first = edge.date()
    return {
        "split": (
            f"learned on {early['session_id'].nunique()} visits over before {first}, tested on {visits} "
            f"visits from {first} on; the shipped model is fitted again on all visits that are over"
        ),
        "quality": quality,
        "peers": {"always abandons": always, "logistic regression on counts": regression},
        "summary": (
            f"after each click of {visits:,} visits from {first} on: AUC {quality['click_auc']:.3f} "
            f"(logistic regression on counts {regression['click_auc']:.3f}), right in "
            f"{percent(quality['click_accuracy'])} (“always abandons”: {percent(always['click_accuracy'])})"
            + (
                f"; of carts open at midnight {percent(quality['midnight_abandoned'])} were abandoned"
                if "midnight_abandoned" in quality
                else ""
            )
        ),
    }


def _measure(y: Floats, p: Floats) -> dict[str, float]:
    """Return the figures of probabilities `p` for labels `y`; those that need both labels only with both."""
    figures = {
        "log_loss": float(log_loss(y, p, labels=[0, 1])),
        "brier": float(brier_score_loss(y, p)),
        "accuracy": float(((p >= 0.5) == (y == 1)).mean()),
    }
    if 0 < y.mean() < 1:
        figures["auc"] = float(roc_auc_score(y, p))
        figures["calibration_slope"] = calibration_slope(y, p)
    return figures


def calibration_slope(y: Floats, p: Floats) -> float:
    """Return how much of the spread of the log-odds is true: 1 is best, below 1 says too much."""
    odds = np.log(np.clip(p, 1e-6, 1 - 1e-6) / np.clip(1 - p, 1e-6, 1)).reshape(-1, 1)
    if odds.std() < 1e-9:
        return 0.0
    return float(LogisticRegression(C=1e6).fit(odds, y).coef_[0, 0])
