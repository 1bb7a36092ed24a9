"""The value model: expectations that can be checked by hand, no leak from later days, intervals that hold."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_up import MakeShop, many_orders, order_lines, products_of
from scipy.special import hyp2f1

from storewise.tools.models import buy_till_you_die, value
from storewise.tools.models.buy_till_you_die import BuyTillYouDie, credible_mean
from storewise.tools.models.card import NoModel
from storewise.tools.models.value_features import FEATURES, GROUPS, describe
from storewise.tools.models.value_forecast import TARGETS, TooLittle, learn, offset
from storewise.tools.models.value_intervals import Intervals, calibrate
from storewise.tools.shop.generation import Shop

CUTOFF = 300


def days_of(seed: int = 3, customers: int = 220, until: int = 400) -> pd.DataFrame:
    """Customers come at a pace of their own, spend about an amount of their own, and may stop for good."""
    rng = np.random.default_rng(seed)
    rows = []
    for who in range(customers):
        pace, usual = rng.gamma(2, 8) + 2, rng.uniform(5, 60)
        end = rng.uniform(60, until) if rng.random() < 0.3 else until
        day = rng.uniform(0, 30)
        while day < end:
            rows.append(
                (f"c{who:03d}", int(day), 1.0, round(usual * rng.lognormal(0, 0.3), 2), 1.0 + who % 4)
            )
            day += max(1, rng.exponential(pace))
    table = pd.DataFrame(rows, columns=["customer", "day", "orders", "spend", "items"])
    return table.groupby(["customer", "day"], as_index=False).sum()


@pytest.fixture(scope="module")
def days() -> pd.DataFrame:
    return days_of()


def test_expected_purchases_are_those_of_the_published_formula() -> None:
    """Protects BG/NBD: the quadrature agrees with the closed form of Fader, Hardie and Lee (2005)."""
    model = BuyTillYouDie(r=0.243, alpha=4.414, a=0.793, b=2.426, modified=False)
    x, t_x, age = np.array([0.0, 2.0, 9.0]), np.array([0.0, 30.43, 20.0]), np.array([38.86, 38.86, 35.0])
    t = 39.0
    r, alpha, a, b = model.r, model.alpha, model.a, model.b
    series = hyp2f1(r + x, b + x, a + b + x - 1, t / (alpha + age + t))
    alive = (a + b + x - 1) / (a - 1) * (1 - ((alpha + age) / (alpha + age + t)) ** (r + x) * series)
    lost = np.where(x > 0, a / (b + np.maximum(x, 1) - 1) * ((alpha + age) / (alpha + t_x)) ** (r + x), 0)
    assert model.purchases(t, x, t_x, age) == pytest.approx(alive / (1 + lost), rel=1e-4)
    # the worked example of the paper's spreadsheet note: 1.226 purchases of a customer of (2, 30.43, 38.86)
    assert model.purchases(t, x, t_x, age)[1] == pytest.approx(1.226, abs=0.005)


def test_only_the_modified_model_loses_customers_at_once() -> None:
    """Protects the chance of being alive: one purchase long ago is a sign in MBG/NBD, none in BG/NBD."""
    once = (np.array([0.0]), np.array([0.0]), np.array([50.0]))
    assert BuyTillYouDie(1, 5, 1, 2, modified=False).alive(*once)[0] == 1
    assert BuyTillYouDie(1, 5, 1, 2, modified=True).alive(*once)[0] < 0.5


def test_the_fit_finds_the_pace() -> None:
    """Protects the likelihood: of customers who never stop, the fitted model expects what they do."""
    rng = np.random.default_rng(5)
    pace = rng.gamma(3.0, 0.1, 800)
    age = np.full(800, 40.0)
    times = [np.sort(rng.uniform(0, 40, rng.poisson(40 * each))) for each in pace]
    x = np.array([len(each) for each in times], dtype=np.float64)
    t_x = np.array([each[-1] if len(each) else 0.0 for each in times])
    model = buy_till_you_die.fit(x, t_x, age)
    assert model.purchases(20.0, x, t_x, age).sum() == pytest.approx(20 * pace.sum(), rel=0.1)
    assert model.alive(x, t_x, age).mean() > 0.85


def test_few_values_are_drawn_to_the_mean() -> None:
    """Protects the worth of an order: one order of 100 does not make a customer of 100 an order."""
    mean = np.array([10.0, 10.0, 20.0, 20.0, 100.0])
    drawn = credible_mean(mean, np.array([30.0, 1, 30, 1, 1]), np.array([9.0, np.nan, 9, np.nan, np.nan]))
    assert abs(drawn[0] - 10) < abs(drawn[1] - 10) and drawn[4] < 100


def test_later_days_change_nothing(days: pd.DataFrame) -> None:
    """Protects against leaks: days from the cut-off on, altered, added or removed, change no feature."""
    rng = np.random.default_rng(1)
    later = days["day"] >= CUTOFF
    altered = days.copy()
    altered.loc[later, ["orders", "spend", "items"]] = rng.uniform(50, 99, (int(later.sum()), 3))
    fresh = pd.DataFrame({"customer": ["c000", "zz"], "day": [CUTOFF, 340], "orders": 9.0, "spend": 1e4})
    added = pd.concat([days, fresh.assign(items=3.0)]).sort_values(["customer", "day"])
    added = added.drop_duplicates(["customer", "day"])
    usual = describe(days, CUTOFF)
    said = learn(days, CUTOFF, trials=0).predict(usual, 20)
    for other in (altered, added, days[~later]):
        told = describe(other, CUTOFF)
        pd.testing.assert_frame_equal(told.table, usual.table)
        pd.testing.assert_frame_equal(learn(other, CUTOFF, trials=0).predict(told, 20), said)
    early = days.copy()
    early.loc[days.index[days["day"] < CUTOFF][:50], "spend"] *= 3
    assert not describe(early, CUTOFF).table.equals(usual.table), "earlier days must change features"


def test_parts_add_up_to_the_forecast(days: pd.DataFrame) -> None:
    """Protects the reasons: starting point and contributions make exactly the expected orders and spend."""
    described, learned = describe(days, CUTOFF), learn(days, CUTOFF, trials=0)
    for target in TARGETS:
        parts = learned.factors[target].contributions(described.table)
        log = offset(described, target, 20) + parts.sum(axis=1).to_numpy()
        assert np.exp(log) == pytest.approx(learned.predict(described, 20)[target].to_numpy(), rel=1e-9)
    assert {name for names in GROUPS.values() for name in names} == set(FEATURES)


def test_longer_is_more(days: pd.DataFrame) -> None:
    """Protects any horizon: more weeks never mean less, and ends lie around the forecast of the spend."""
    described, learned = describe(days, CUTOFF), learn(days, CUTOFF, trials=0)
    before = np.zeros(len(described.customers))
    for weeks in (1, 4, 13, 26, 52, 104):
        said = learned.predict(described, weeks)
        assert (said["spend"].to_numpy() >= before).all() and np.isfinite(said.to_numpy()).all()
        assert (said["spend_low"] <= said["spend"]).all() and (said["spend"] <= said["spend_high"]).all()
        assert (said["orders_low"] <= said["orders_high"]).all()
        before = said["spend"].to_numpy()


def test_intervals_hold_for_whole_counts_and_amounts() -> None:
    """Protects the coverage: near 80 % on customers that were not calibrated on, low and high ones."""
    rng = np.random.default_rng(2)
    said = rng.gamma(1.5, 4, 6000)
    counts = rng.poisson(said * rng.gamma(4, 1 / 4, 6000)).astype(np.float64)
    for outcome, whole in ((counts, True), (counts * rng.lognormal(3, 0.3, 6000), False)):
        expected = said * (1 if whole else 20)
        low, high = calibrate(expected[::2], outcome[::2], 26, 26, whole).ends(expected[1::2], 26, 26)
        held = (low <= outcome[1::2]) & (outcome[1::2] <= high)
        for part in (slice(None), expected[1::2] > np.median(expected)):
            assert 0.75 <= held[part].mean() <= 0.88
        assert not whole or (low == np.round(low)).all()


def test_intervals_widen_for_shorter_times() -> None:
    """Protects horizons that were not calibrated: relative to the forecast, a week is less certain."""
    ends = Intervals(np.zeros(0), np.array([10.0]), np.array([-0.4]), np.array([0.4]), 1.0, 26.0, 0.5, False)
    relative = []
    for weeks in (2.0, 26.0, 104.0):
        low, high = ends.ends(np.array([10.0 * weeks / 26]), weeks, 26.0)
        relative.append(float((high - low)[0] / (10.0 * weeks / 26)))
    assert relative == sorted(relative, reverse=True)
    again = Intervals.read(json.loads(json.dumps(ends.saved())))
    assert again.ends(np.array([7.0]), 9.0, 26.0) == ends.ends(np.array([7.0]), 9.0, 26.0)


def test_a_model_read_again_says_the_same(small_shop: Shop, tmp_path: Path) -> None:
    """Protects saving: a training and its model on disk agree, and two trainings are the same."""
    first, second = (value.train(small_shop, tmp_path / name) for name in ("a", "b"))
    assert first == second and not first.missing
    assert (tmp_path / "a" / "spend.txt").read_text() == (tmp_path / "b" / "spend.txt").read_text()
    model = value.load(small_shop, tmp_path / "a")
    again = value.load(small_shop, tmp_path / "b")
    pd.testing.assert_frame_equal(
        model.learned.predict(model.described, 26), again.learned.predict(again.described, 26)
    )
    assert sum(first.drivers.values()) == pytest.approx(1) and set(first.drivers) == set(GROUPS)
    assert first.quality["spend_correlation"] > 0.5 and 0.7 <= first.quality["spend_coverage"] <= 0.95
    assert {"past pace", "BG/NBD"} == set(first.peers) and "later half" in str(first.parameters["found by"])


def test_a_broken_model_is_refused(small_shop: Shop, tmp_path: Path) -> None:
    """Protects people from tracebacks: what cannot be read names the command that mends it."""
    value.train(small_shop, tmp_path)
    (tmp_path / "learned.json").write_text("{}")
    with pytest.raises(NoModel, match="storewise fit"):
        value.load(small_shop, tmp_path)


def test_too_little_is_said(make_shop: MakeShop, tiny_shop: Shop) -> None:
    """Protects tiny shops: five customers, one day, or refunds alone give a sentence, not an exception."""
    with pytest.raises(NoModel, match="too few or too short"):
        value.load(tiny_shop)
    lines = order_lines([(f"o{n}", f"c{n}", "p1", "2023-12-31", -1.0) for n in range(80)])
    shop = make_shop(orders=lines, products=products_of(lines))
    assert "too few or too short" in value.train(shop, shop.folder("models", "value")).missing
    with pytest.raises(TooLittle):
        learn(days_of().iloc[:0], CUTOFF)


def test_refunds_and_free_orders_do_no_harm(make_shop: MakeShop) -> None:
    """Protects real tables: amounts of 0 and below are taken as they come."""
    lines = many_orders(np.random.default_rng(4))
    lines.loc[lines.index % 7 == 0, "amount"] = 0.0
    lines.loc[lines.index % 31 == 0, "amount"] = -3.0
    shop = make_shop(orders=lines, products=products_of(lines))
    card = value.train(shop, shop.folder("models", "value"))
    assert not card.missing
    _, table = value.expected(shop, 26)
    figures = table[["expected_orders", "expected_spend", "spend_low", "spend_high", "alive"]]
    assert np.isfinite(figures.to_numpy()).all() and (figures >= 0).all().all()
    assert table["reasons"].map(len).eq(3).all()
