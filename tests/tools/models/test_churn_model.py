"""The churn model: honest about its quality, the same after saving, refused on other data."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from storewise.tools.models import churn
from storewise.tools.models.card import CARD, NoModel
from storewise.tools.models.features import FEATURES, HORIZON_DAYS, features
from storewise.tools.shop.generation import Shop


def test_the_card_measures_later_data_beside_peers(small_shop: Shop) -> None:
    """Protects the split: the last training label ends before the tested days begin."""
    card = churn.load(small_shop).card
    days = [dt.date.fromisoformat(day) for day in re.findall(r"\d{4}-\d\d-\d\d", card.split)]
    _, last_learned, tested, first_day, last_day, fitted = days
    assert last_learned + dt.timedelta(days=HORIZON_DAYS) <= tested < first_day
    assert last_day == small_shop.as_of == fitted + dt.timedelta(days=HORIZON_DAYS)
    assert {"auc", "average_precision", "brier", "lift_top_tenth"} <= set(card.quality)
    assert set(card.peers) == {"recency alone", "logistic regression on RFM"}
    assert card.quality["auc"] > 0.7  # a third of the customers stop for good: not hard to see
    assert f"{card.quality['auc']:.3f}" in card.note().quality


def test_risks_are_calibrated_enough(small_shop: Shop) -> None:
    """Protects the word probability: about as many stop as the probabilities add up to."""
    quality = churn.load(small_shop).card.quality
    assert quality["churned_expected"] == pytest.approx(quality["churned"], rel=0.5)


def test_the_model_saved_and_loaded_predicts_the_same(small_shop: Shop, tmp_path: Path) -> None:
    """Protects saving: training twice on the same data and loading gives the same probabilities."""
    table = features(small_shop, small_shop.as_of)
    churn.train(small_shop, tmp_path / "again")
    first, second = churn.load(small_shop), churn.load(small_shop, tmp_path / "again")
    assert np.array_equal(first.probability(table), second.probability(table))
    assert ((first.probability(table) > 0) & (first.probability(table) < 1)).all()


def test_contributions_add_up_to_the_score(small_shop: Shop) -> None:
    """Protects the reasons: the groups' parts and the base are the prediction, nothing is left over."""
    model = churn.load(small_shop)
    table = features(small_shop, small_shop.as_of)
    raw = np.asarray(model.booster.predict(table[list(FEATURES)], raw_score=True))
    base = raw - model.contributions(table).sum(axis=1).to_numpy()
    assert np.ptp(base) < 1e-6


@pytest.mark.parametrize(
    "sign, names", [(1, ("recency_days", "gaps_outlasted")), (-1, ("orders_30", "spend_90"))]
)
def test_silence_never_lowers_the_risk(small_shop: Shop, sign: int, names: tuple[str, ...]) -> None:
    """Protects common sense, which the monotone constraints hold the trees to, over each feature's range."""
    model = churn.load(small_shop)
    table = features(small_shop, small_shop.as_of)
    for name in names:
        steps = np.unique(table[name].dropna().quantile(np.linspace(0, 1, 15)))
        risks = [model.probability(table.assign(**{name: step})) for step in steps]
        assert len(steps) > 3
        assert (sign * np.diff(risks, axis=0) >= 0).all()


def test_reasons_quote_the_customers_own_figures(small_shop: Shop) -> None:
    """Protects against reasons of someone else, or of another day."""
    _, table = churn.risks(small_shop)
    assert table["probability"].is_monotonic_decreasing
    quoted = 0
    for _, row in table.iterrows():
        assert 1 <= len(row["reasons"]) <= 3
        for reason in row["reasons"]:
            found = re.match(r"last order (\d+) days? ago, usually comes every ([\d.]+) days", reason)
            if found:
                quoted += 1
                assert float(found[1]) == row["recency_days"]
                assert float(found[2]) == pytest.approx(row["gap_median"])
    assert quoted > 20


def test_a_model_of_other_data_is_refused(small_shop: Shop, tmp_path: Path) -> None:
    """Protects against yesterday's model on today's shop: the sentence names the next command."""
    folder = tmp_path / "copy"
    shutil.copytree(small_shop.folder("models", "churn"), folder)
    card = json.loads((folder / CARD).read_text())
    (folder / CARD).write_text(json.dumps(card | {"fingerprint": "orders:other products:other"}))
    with pytest.raises(NoModel, match=r"other data.*storewise fit"):
        churn.load(small_shop, folder)


@pytest.mark.parametrize("broken", ["card.json", "trees.txt", "calibration.json"])
@pytest.mark.parametrize("text", [None, "", "{not json", "tree\nversion=v4\n"])
def test_broken_files_are_told_in_a_sentence(
    small_shop: Shop, tmp_path: Path, broken: str, text: str | None
) -> None:
    """Protects people from tracebacks after a half-copied folder."""
    folder = tmp_path / "copy"
    shutil.copytree(small_shop.folder("models", "churn"), folder)
    (folder / broken).unlink()
    if text is not None:
        (folder / broken).write_text(text)
    with pytest.raises(NoModel, match="storewise fit"):
        churn.load(small_shop, folder)


def test_too_little_data_is_said(tiny_shop: Shop) -> None:
    """Protects small shops: no model is made up, and the card says what it would take."""
    with pytest.raises(NoModel, match="storewise load"):
        churn.load(tiny_shop)
