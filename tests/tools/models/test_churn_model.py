"""The churn model: honest about its quality, the same after saving, refused on other data."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_up import AS_OF, MakeShop, build_shop, many_orders, order_lines, products_of

from storewise.tools.customers import churn_risk, customer_profile
from storewise.tools.finding import ModelNote
from storewise.tools.models import churn, churn_reasons
from storewise.tools.models.card import CARD, NoModel
from storewise.tools.models.churn_past import FEATURES, Past, churned, definition, known, limits
from storewise.tools.models.features import HORIZON_DAYS
from storewise.tools.shop.generation import MissingTable, Shop, ShopError


@pytest.fixture(scope="module")
def own_shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A shop that counts customers as gone by their own rhythm."""
    lines = many_orders(np.random.default_rng(6))
    shop = build_shop(tmp_path_factory.mktemp("own"), orders=lines, products=products_of(lines))
    churn.train(shop, shop.folder("models", churn.NAME), after="own rhythm")
    return shop


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


def test_the_card_says_what_moves_and_what_was_left_out(small_shop: Shop) -> None:
    """Protects the global picture, and the words about parameters and features."""
    card = churn.load(small_shop).card
    assert set(card.drivers) == set(churn_reasons.GROUPS)
    assert sum(card.drivers.values()) == pytest.approx(1)
    assert isinstance(card.note(), ModelNote) and card.note().drivers[0][1] == max(card.drivers.values())
    assert card.parameters["churned_after"] == "60 days" and "Optuna" in str(card.parameters["found"])
    # The made-up shop has no discounts.
    assert card.dropped["discount_share"] == "never varies"
    assert set(card.dropped) < set(FEATURES)


def test_risks_are_calibrated_enough(small_shop: Shop) -> None:
    """Protects the word probability: about as many stop as the probabilities add up to."""
    quality = churn.load(small_shop).card.quality
    assert quality["churned_expected"] == pytest.approx(quality["churned"], rel=0.5)


def test_the_model_saved_and_loaded_predicts_the_same(small_shop: Shop, tmp_path: Path) -> None:
    """Protects saving: training twice on the same data and loading gives the same probabilities."""
    table = known(small_shop, small_shop.as_of)
    churn.train(small_shop, tmp_path / "again")
    first, second = churn.load(small_shop), churn.load(small_shop, tmp_path / "again")
    assert np.array_equal(first.probability(table), second.probability(table))
    assert ((first.probability(table) > 0) & (first.probability(table) < 1)).all()


def test_contributions_add_up_to_the_score(small_shop: Shop) -> None:
    """Protects the reasons: the groups' parts and the base are the prediction, nothing is left over."""
    model = churn.load(small_shop)
    table = known(small_shop, small_shop.as_of)
    probability = model.probability(table)
    parts = model.contributions(table)
    assert np.abs(parts.sum(axis=1) - np.log(probability / (1 - probability))).max() < 1e-9
    assert set(parts.columns) == {*churn_reasons.GROUPS, "base"}


def test_each_feature_is_in_one_group() -> None:
    """Protects the reasons: a feature in two groups would count twice, one in none never."""
    names = [name for group in churn_reasons.GROUPS.values() for name in group]
    assert len(names) == len(set(names)) and set(names) == set(FEATURES)
    assert set(churn.MONOTONE) <= set(FEATURES)


@pytest.mark.parametrize(
    "sign, names",
    [
        (1, ("recency_days", "gaps_outlasted", "silence_z", "none_30")),
        (-1, ("orders_30", "spend_90", "weeks_8", "spend_pace_30")),
    ],
)
def test_silence_never_lowers_the_risk(small_shop: Shop, sign: int, names: tuple[str, ...]) -> None:
    """Protects common sense, which the model is held to, over each feature's range."""
    model = churn.load(small_shop)
    table = known(small_shop, small_shop.as_of)
    for name in names:
        steps = np.unique(table[name].dropna().quantile(np.linspace(0, 1, 15)))
        risks = [model.probability(table.assign(**{name: step})) for step in steps]
        assert len(steps) > 3
        assert (sign * np.diff(risks, axis=0) >= -1e-12).all()


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


def test_no_reason_contradicts_the_risk(small_shop: Shop) -> None:
    """Protects against "may leave: came yesterday, as every day", and against praise of the lost."""
    _, table = churn.risks(small_shop)
    average, usual = table["probability"].mean(), table["orders_90"].median()
    told = 0
    for _, row in table.iterrows():
        higher = row["probability"] >= average
        for reason in row["reasons"]:
            if "usually comes" in reason:
                told += 1
                assert (row["recency_days"] > row["gap_median"]) == higher
            if re.match(r"(\d+|no) orders? in the last 90 days", reason):
                told += 1
                assert (row["orders_90"] < usual) == higher
    assert told > 100


def test_reasons_together_are_the_distance_to_the_average(small_shop: Shop) -> None:
    """Protects the comparison: all groups together have the sign of the risk against the mean risk."""
    model = churn.load(small_shop)
    table = known(small_shop, small_shop.as_of)
    p = pd.Series(model.probability(table), index=table.index)
    apart = churn_reasons.against_average(model.contributions(table), p)
    wanted = np.log(p / (1 - p)) - np.log(p.mean() / (1 - p.mean()))
    assert np.allclose(apart.sum(axis=1), wanted)


def test_later_rows_change_no_feature(tmp_path: Path) -> None:
    """Protects against leakage: moved, changed or removed later lines leave all features as they are."""
    lines = many_orders(np.random.default_rng(3))
    cutoff = AS_OF - dt.timedelta(days=100)
    later = lines["ordered_at"] >= pd.Timestamp(cutoff) + pd.Timedelta(days=1)
    moved = lines.copy()
    moved.loc[later, "ordered_at"] += pd.Timedelta(days=17)
    moved.loc[later, "amount"] *= 3
    tables = []
    for name, changed in (("as", lines), ("moved", moved), ("without", lines[~later])):
        shop = build_shop(tmp_path / name, orders=changed, products=products_of(lines))
        # Read as a whole, as in training, and up to the day, as when the model is asked.
        whole = Past(shop, HORIZON_DAYS).visits
        tables += [known(shop, cutoff, whole), known(shop, cutoff)]
    assert later.any() and list(tables[0].columns) == ["customer_id", *FEATURES]
    for other in tables[1:]:
        pd.testing.assert_frame_equal(tables[0], other)


def test_labels_look_at_just_the_days(make_shop: MakeShop) -> None:
    """Protects the label: an order on day 60 keeps a customer, one on day 61 comes too late."""
    lines = order_lines(
        [(f"o{who}", who, "p1", "2023-06-01", 1.0) for who in ("a", "b")]
        + [("o3", "a", "p1", "2023-07-31 23:00", 1.0), ("o4", "b", "p1", "2023-08-01 00:00", 1.0)]
    )
    shop = make_shop(orders=lines, products=products_of(lines))
    table = known(shop, dt.date(2023, 6, 1))
    assert churned(shop, dt.date(2023, 6, 1), table, 60).tolist() == [False, True]
    assert churned(shop, dt.date(2023, 6, 1), table, 61).tolist() == [False, False]
    with pytest.raises(ValueError, match="not over"):
        churned(shop, AS_OF - dt.timedelta(days=59), table, 60)


def test_labels_by_own_rhythm(make_shop: MakeShop) -> None:
    """Protects the other definition: the same silence is long for one and usual for the other."""
    often = pd.date_range("2023-01-01", "2023-06-01", freq="4D").strftime("%Y-%m-%d")
    seldom = pd.date_range("2023-01-01", "2023-06-01", freq="30D").strftime("%Y-%m-%d")
    days = [("often", day) for day in [*often, "2023-07-05"]] + [
        ("seldom", day) for day in [*seldom, "2023-07-05"]
    ]
    lines = order_lines([(f"{who}{day}", who, "p1", day, 1.0) for who, day in days])
    shop = make_shop(orders=lines, products=products_of(lines))
    table = known(shop, dt.date(2023, 6, 1))
    own = dict(zip(table["customer_id"], limits(table, "own rhythm"), strict=True))
    assert 14 <= own["often"] < 34 < own["seldom"] <= 90
    gone = churned(shop, dt.date(2023, 6, 1), table, "own rhythm")
    assert dict(zip(table["customer_id"], gone, strict=True)) == {"often": True, "seldom": False}


@pytest.mark.parametrize(
    "text, meant", [("60", 60), (" 30 ", 30), ("own rhythm", "own rhythm"), ("Own-Rhythm", "own rhythm")]
)
def test_the_setting_is_read(text: str, meant: object) -> None:
    """Protects the words of the setting."""
    assert definition(text) == meant


@pytest.mark.parametrize("text", ["", "soon", "0", "6", "-60", "9999", "60.5"])
def test_another_setting_is_refused(text: str) -> None:
    """Protects from a model of something that nobody meant."""
    with pytest.raises(ShopError, match="own rhythm"):
        definition(text)


def test_the_findings_say_which_definition_holds(small_shop: Shop, own_shop: Shop) -> None:
    """Protects readers: sixty days in the one shop, the customers' own rhythm in the other."""
    for finding in (churn_risk(small_shop), churn_risk(small_shop, customer_id="c003")):
        assert "no order in the next 60 days" in finding.headline
        assert finding.columns[1].label == "Risk of no order in 60 days"
        assert "95 of 100" not in (finding.caveat or "")
    for finding in (churn_risk(own_shop), churn_risk(own_shop, customer_id="c003")):
        assert "no order within their own rhythm" in finding.headline and "60 days" not in finding.headline
        assert finding.columns[1].label == "Risk of no order within their own rhythm"
        assert "95 of 100" in str(finding.caveat)
        assert finding.columns[-1].name == "limit_days" and 14 <= int(str(finding.rows[0][-1])) <= 90
    profile = customer_profile(own_shop, "c003")
    assert "no order within their own rhythm" in profile.headline
    assert churn.load(own_shop).card.parameters["churned_after"] == "own rhythm"


def test_another_number_of_days(small_shop: Shop, tmp_path: Path) -> None:
    """Protects the shop's choice: fewer days make more customers count as gone."""
    card = churn.train(small_shop, tmp_path, after=30)
    assert churn.in_time(card) == "in the next 30 days"
    sixty = churn.load(small_shop).card
    share = {30: card.quality["churned"] / card.quality["customers"]}
    assert share[30] > sixty.quality["churned"] / sixty.quality["customers"]


def test_a_model_of_other_data_is_refused(small_shop: Shop, tmp_path: Path) -> None:
    """Protects against yesterday's model on today's shop: the sentence names the next command."""
    folder = tmp_path / "copy"
    shutil.copytree(small_shop.folder("models", "churn"), folder)
    card = json.loads((folder / CARD).read_text())
    (folder / CARD).write_text(json.dumps(card | {"fingerprint": "orders:other products:other"}))
    with pytest.raises(NoModel, match=r"other data.*storewise fit"):
        churn.load(small_shop, folder)


@pytest.mark.parametrize("broken", ["card.json", "trees_0.txt", "tabular.json"])
@pytest.mark.parametrize("text", [None, "", "{not json", "{}", "tree\nversion=v4\n"])
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


def test_too_little_data_is_said(tiny_shop: Shop, make_shop: MakeShop, tmp_path: Path) -> None:
    """Protects small shops: no model is made up, and the card says what it would take."""
    with pytest.raises(NoModel, match="storewise load"):
        churn.load(tiny_shop)
    lines = order_lines([("o1", "a", "p1", "2023-12-01", 5.0)])
    empty = make_shop(orders=lines[:0], products=products_of(lines))
    assert "too few" in churn.train(empty, tmp_path / "empty").missing


def test_missing_tables_and_columns_are_named(make_shop: MakeShop, tmp_path: Path) -> None:
    """Protects shops that keep other tables: a sentence, never a traceback."""
    lines = order_lines([("o1", "a", "p1", "2023-12-01", 5.0)])
    with pytest.raises(MissingTable, match="products"):
        churn.train(make_shop(orders=lines), tmp_path / "model")
    with pytest.raises(MissingTable, match="amount"):
        churn.train(
            make_shop(orders=lines.drop(columns="amount"), products=products_of(lines)), tmp_path / "model"
        )
