"""Cart abandonment: how likely an open cart is to be left without a purchase, and why.

Gradient boosting (LightGBM) over what the visit's clicks show so far. It learns from visits cut off at
moments of their course: at clicks, and after a silence of up to a day, so that it can be asked at the
click and hours later. Visits are split by time: it is tested on the visits of the last eight weeks, at
clicks (at most four a visit) and on the carts open at each midnight. The shipped model is then fitted
again on all visits that are over. An outcome is known 24 hours after the last click.
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
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from storewise.tools.finding import money, percent
from storewise.tools.models import card as cards
from storewise.tools.models.card import Card, read_card
from storewise.tools.models.churn import count
from storewise.tools.models.memory import once_per_generation
from storewise.tools.models.sessions import FEATURES, GROUPS, OPEN_HOURS, WORDS, clicks
from storewise.tools.shop.generation import Shop

NAME, VERSION = "cart", "1"
TABLES = ("events",)
TEST_WEEKS = 8
CLICKS_A_VISIT = 4
ROUNDS = 200
FEWEST_VISITS = 200
FEWEST_BOUGHT = 40
_DAY = 86400.0

# The nudge that answers each reason, so far by judgement: no nudge has been tried and measured yet.
NUDGES = {
    "stage": "reminder",
    "browsing": "stock notice",
    "cart": "coupon",
    "removals": "coupon",
    "arrival": "coupon",
    "habit": "coupon",
    "hour": "reminder",
}

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CartModel:
    """Boosted trees over FEATURES; `words` lists the words each word feature was trained on."""

    card: Card
    booster: lgb.Booster
    words: dict[str, list[str]]

    def probability(self, table: pd.DataFrame) -> Floats:
        """Return the risk of abandonment for each row of `table`, between 0 and 1."""
        return np.asarray(self.booster.predict(_numbers(table, self.words)), dtype=np.float64)

    def contributions(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return what each group of features adds to the log-odds: a row per row, a column per group."""
        exact = np.asarray(self.booster.predict(_numbers(table, self.words), pred_contrib=True))
        place = {name: index for index, name in enumerate(FEATURES)}
        sums = {group: exact[:, [place[n] for n in names]].sum(axis=1) for group, names in GROUPS.items()}
        return pd.DataFrame(sums, index=table.index)


def train(shop: Shop, folder: Path) -> Card:
    """Train, test on later visits and save into `folder`; with too little data the card says so."""
    cards.begin(folder)
    known: dict[str, Any] = {
        "name": NAME,
        "version": VERSION,
        "trained_at": cards.today(),
        "as_of": shop.as_of.isoformat(),
        "fingerprint": cards.fingerprint(shop, *TABLES),
    }
    now = midnight(shop)
    rows = clicks(shop, now)
    over = rows[rows["bought"] | (rows["ended"] < now - dt.timedelta(hours=OPEN_HOURS))]
    if _too_little(over):
        missing = (
            f"The shop's visits are too few to learn which carts are abandoned: it takes {FEWEST_VISITS} "
            f"visits with a cart, and {FEWEST_BOUGHT} of them bought and {FEWEST_BOUGHT} not. "
            "Load more of them with: storewise load FOLDER"
        )
        card = Card(**known, missing=missing)
        card.save(folder)
        return card
    edge = now - dt.timedelta(weeks=TEST_WEEKS)
    early = over[over["ended"] < edge - dt.timedelta(hours=OPEN_HOURS)]
    late = over[over["started"] >= edge]
    measured: dict[str, Any] = {"summary": "not measured: the visits are too few to hold the last weeks back"}
    if not _too_little(early) and not _too_little(late):
        measured = _test(early, late, edge)
    booster, words = _fit(_moments(over))
    booster.save_model(str(folder / "trees.txt"))
    (folder / "words.json").write_text(json.dumps(words), encoding="utf-8")
    card = Card(**known, **measured)
    card.save(folder)
    return card


def load(shop: Shop, folder: Path | None = None) -> CartModel:
    """Return the trained model.

    Raises:
        NoModel: there is none, or it belongs to other data.
    """
    folder = folder or shop.folder("models", NAME)
    card = read_card(shop, folder, NAME, *TABLES)
    try:
        words = json.loads((folder / "words.json").read_text(encoding="utf-8"))
        return CartModel(card, lgb.Booster(model_file=str(folder / "trees.txt")), dict(words))
    except (OSError, ValueError, lgb.basic.LightGBMError):
        raise cards.NoModel(f"The {NAME} model cannot be read. Train it again with: storewise fit") from None


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
    rows = clicks(shop, now)
    last = rows.drop_duplicates("session_id", keep="last").set_index("session_id")
    # The last row with a full cart is not the last click if the cart was emptied after it.
    still = ~last["bought"] & last["next_at"].isna()
    last = last[still & (last["ended"] >= now - dt.timedelta(hours=OPEN_HOURS))].copy()
    if last.empty:
        return model.card, last.assign(probability=0.0, probability_at_click=0.0, reasons="", nudge="")
    last["probability_at_click"] = model.probability(last)
    # After hours of silence the silence outweighs all else, for nearly every cart. What tells the visits
    # apart, and which nudge fits, is what they looked like at the last click.
    parts = model.contributions(last).drop(columns="silence")
    ranked = [part.sort_values(ascending=False) for _, part in parts.iterrows()]
    last["idle_seconds"] = (now - last["ended"]).dt.total_seconds()
    last["probability"] = model.probability(last)
    last["reasons"] = [_reasons(row, part) for (_, row), part in zip(last.iterrows(), ranked, strict=True)]
    last["nudge"] = [_nudge(row, part) for (_, row), part in zip(last.iterrows(), ranked, strict=True)]
    return model.card, last.sort_values(["probability", "value"], ascending=False, kind="stable")


def midnight(shop: Shop) -> dt.datetime:
    """Return the end of the last complete day, the moment that the tools call now."""
    return dt.datetime.combine(shop.as_of + dt.timedelta(days=1), dt.time())


def _too_little(rows: pd.DataFrame) -> bool:
    bought = rows.drop_duplicates("session_id")["bought"]
    return len(bought) < FEWEST_VISITS or not FEWEST_BOUGHT <= bought.sum() <= len(bought) - FEWEST_BOUGHT


def _at_clicks(rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return at most CLICKS_A_VISIT rows of each visit, at the moment of the click."""
    drawn = rows.assign(draw=rng.random(len(rows))).sort_values("draw", kind="stable")
    first: pd.DataFrame = drawn.groupby("session_id").head(CLICKS_A_VISIT)
    return first.drop(columns="draw").sort_index()


def _after_silence(rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return the rows whose visit was silent after the click for as long as drawn for that visit.

    The length is drawn per visit, between half a minute and a day, evenly in its logarithm, and without
    looking at the visit. So among the rows with one length, as many were bought as in the shop.
    """
    visit, visits = pd.factorize(rows["session_id"])
    silence = (30 * np.exp(rng.random(len(visits)) * np.log(_DAY / 30)))[visit]
    gap = (rows["next_at"] - rows["occurred_at"]).dt.total_seconds().fillna(np.inf)
    moments: pd.DataFrame = rows.assign(idle_seconds=silence)[gap > silence]
    return moments


def _at_midnights(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the carts open at each midnight, as they stood then."""
    night = rows["occurred_at"].dt.floor("D") + pd.Timedelta(days=1)
    is_open = rows["next_at"].isna() | (rows["next_at"] >= night)
    silence = (night - rows["occurred_at"]).dt.total_seconds()
    moments: pd.DataFrame = rows.assign(idle_seconds=silence)[is_open]
    return moments


def _moments(rows: pd.DataFrame) -> pd.DataFrame:
    rng = np.random.default_rng(7)
    return pd.concat([_at_clicks(rows, rng), _after_silence(rows, rng)], ignore_index=True)


def _numbers(table: pd.DataFrame, words: dict[str, list[str]]) -> pd.DataFrame:
    """Return FEATURES as numbers; a word becomes its place in `words`, an unknown one is missing."""
    numbers = table[list(FEATURES)].copy()
    for name in WORDS:
        place = {word: float(index) for index, word in enumerate(words[name])}
        numbers[name] = table[name].map(place).astype("float64")
    return numbers


def _fit(table: pd.DataFrame) -> tuple[lgb.Booster, dict[str, list[str]]]:
    words = {name: sorted(str(word) for word in table[name].dropna().unique()) for name in WORDS}
    parameters = {
        "objective": "binary",
        "learning_rate": 0.05,
        "num_leaves": 15,
        "min_data_in_leaf": max(10, min(200, len(table) // 50)),
        "feature_fraction": 0.6,
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "lambda_l2": 10,
        # A longer silence never lowers the risk.
        "monotone_constraints": [1 if name == "idle_seconds" else 0 for name in FEATURES],
        "num_threads": 1,  # two would wait for each other whenever something else runs
        "deterministic": True,
        "force_row_wise": True,
        "seed": 7,
        "verbose": -1,
    }
    abandoned = (~table["bought"]).to_numpy(dtype=np.float64)
    data = lgb.Dataset(_numbers(table, words), abandoned, categorical_feature=list(WORDS))
    return lgb.train(parameters, data, ROUNDS), words


def _test(early: pd.DataFrame, late: pd.DataFrame, edge: dt.datetime) -> dict[str, Any]:
    """Return split, quality, peers and summary of a model trained on `early`, on the `late` visits."""
    table = _moments(early)
    booster, words = _fit(table)
    quality: dict[str, float] = {}
    always: dict[str, float] = {}
    tests = {"click": _at_clicks(late, np.random.default_rng(8)), "midnight": _at_midnights(late)}
    learned = {
        "click": _at_clicks(early, np.random.default_rng(8)),
        "midnight": _at_midnights(early),
    }
    for moment, rows in tests.items():
        y = (~rows["bought"]).to_numpy(dtype=np.float64)
        p = np.asarray(booster.predict(_numbers(rows, words)), dtype=np.float64)
        base = np.full(len(y), float((~learned[moment]["bought"]).mean()))
        for figures, guess in ((quality, p), (always, base)):
            figures[f"{moment}_log_loss"] = float(log_loss(y, guess, labels=[0, 1]))
            figures[f"{moment}_brier"] = float(brier_score_loss(y, guess))
            figures[f"{moment}_accuracy"] = float(((guess >= 0.5) == (y == 1)).mean())
            figures[f"{moment}_auc"] = float(roc_auc_score(y, guess)) if 0 < y.mean() < 1 else float("nan")
        quality[f"{moment}_rows"], quality[f"{moment}_abandoned"] = float(len(y)), float(y.mean())
    visits = late["session_id"].nunique()
    first = edge.date()
    return {
        "split": (
            f"learned on {early['session_id'].nunique()} visits with a cart over before {first} "
            f"({len(table)} moments), tested on {visits} visits from {first} on; the shipped model is "
            "fitted again on all visits that are over"
        ),
        "quality": {name: value for name, value in quality.items() if not np.isnan(value)},
        "peers": {"always abandons": {name: value for name, value in always.items() if not np.isnan(value)}},
        "summary": (
            f"at clicks of {visits:,} visits from {first} on: AUC {quality['click_auc']:.3f}, right in "
            f"{percent(quality['click_accuracy'])} (“always abandons”: {percent(always['click_accuracy'])}); "
            f"of carts open at midnight {percent(quality['midnight_abandoned'])} were abandoned"
        ),
    }


def _reasons(row: pd.Series[Any], ranked: pd.Series[float]) -> list[str]:
    """Return the silence and one or two phrases of the visit's own figures, the weightiest first."""
    weighty = [str(group) for group, part in ranked.items() if part > 0.1]
    if row["checkouts"] or row["payments"]:  # what calls for help is said in any case
        weighty = ["stage", *(group for group in weighty if group != "stage")]
    return [_phrase(group, row) for group in ("silence", *weighty[:2])]


def _nudge(row: pd.Series[Any], ranked: pd.Series[float]) -> str:
    """Return the nudge for the weightiest reason; who got stuck at the checkout needs help."""
    if row["checkouts"] or row["payments"]:
        return "help"
    return NUDGES[str(ranked.index[0])] if ranked.iloc[0] > 0.1 else "reminder"


def _phrase(group: str, row: pd.Series[Any]) -> str:
    match group:
        case "silence":
            return f"no click for {_duration(row['idle_seconds'])}"
        case "stage":
            if row["payments"]:
                return "stopped at the payment"
            if row["checkouts"]:
                return "stopped at the checkout"
            return "has not gone to the checkout" if row["cart_views"] else "has not opened the cart"
        case "browsing":
            views = count(row["product_views"], "product view")
            return f"{views} for {count(row['items'], 'item')} in the cart"
        case "cart":
            worth = "" if np.isnan(row["value"]) else f" worth {money(row['value'])}"
            return f"{count(row['items'], 'item')}{worth} in the cart"
        case "removals":
            return f"{count(row['removals'], 'item')} taken out of the cart again"
        case "arrival":
            device = f"on {row['device']}" if isinstance(row["device"], str) else ""
            channel = f"through {row['channel']}" if isinstance(row["channel"], str) else ""
            return " ".join(word for word in ("came", channel, device) if word)
        case "habit":
            if not row["signed_in"]:
                return "not signed in"
            if not row["earlier_carts"]:
                return "no earlier visit with a cart"
            bought = round(row["earlier_carts"] * row["earlier_bought_share"])
            return f"bought in {bought} of {count(row['earlier_carts'], 'earlier visit')} with a cart"
        case _:
            return f"last click at {row['hour']:02.0f}:00 to {row['hour']:02.0f}:59"


def _duration(seconds: float) -> str:
    if seconds < 60:
        return count(seconds, "second")
    if seconds < 3600:
        return count(seconds // 60, "minute")
    return count(seconds // 3600, "hour")
