"""The cart model: it sees only the clicks so far, and says which carts are open."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_up import AS_OF, MakeShop, clicks_of, many_clicks

from storewise.tools.models import cart
from storewise.tools.models.card import NoModel
from storewise.tools.models.sessions import FEATURES, GROUPS, clicks
from storewise.tools.shop.generation import Shop

VISIT = [
    ("S1", "view_product", "2023-12-31 10:00:00", None),
    ("S1", "add_to_cart", "2023-12-31 10:01:00", 4.0),
    ("S1", "view_cart", "2023-12-31 10:03:00", 4.0),
    ("S1", "add_to_cart", "2023-12-31 10:04:00", 6.0),
    ("S1", "purchase", "2023-12-31 10:10:00", 10.0),
]
NOW = dt.datetime(2024, 1, 1)


def test_each_click_shows_what_was_known_then(make_shop: MakeShop) -> None:
    """Protects the prefixes: counts, sums and times by hand, and the purchase itself is never a row."""
    table = clicks(make_shop(events=clicks_of(VISIT)), NOW)
    assert table["event"].tolist() == ["add_to_cart", "view_cart", "add_to_cart"]
    assert table["items"].tolist() == [1, 1, 2]
    assert table["value"].tolist() == [4.0, 4.0, 10.0]
    assert table["cart_views"].tolist() == [0, 1, 1]
    assert table["seconds"].tolist() == [60, 180, 240]
    assert table["longest_pause"].tolist() == [60, 120, 120]
    assert table["bought"].all()


def test_later_clicks_change_no_earlier_row(small_shop: Shop, make_shop: MakeShop) -> None:
    """Protects against leakage: cutting the visits short leaves the features of what remains alone."""
    events = small_shop.query("SELECT * FROM events ORDER BY session_id, occurred_at")
    place = events.groupby("session_id").cumcount()
    short = make_shop(events=events[place < 4])
    known = clicks(small_shop, NOW).set_index(["session_id", "occurred_at"])
    cut = clicks(short, NOW).set_index(["session_id", "occurred_at"])
    assert len(cut) > 500
    pd.testing.assert_frame_equal(known.loc[cut.index, list(FEATURES)], cut[list(FEATURES)])


def test_an_emptied_cart_is_none(make_shop: MakeShop) -> None:
    """Protects the word cart: with everything taken out again there is nothing to abandon."""
    rows = [*VISIT[:2], ("S1", "remove_from_cart", "2023-12-31 10:02:00", 4.0)]
    table = clicks(make_shop(events=clicks_of(rows)), NOW)
    assert table["event"].tolist() == ["add_to_cart"]


def test_the_card_beats_always_abandons(small_shop: Shop) -> None:
    """Protects the measurement: later visits, beside the answer that needs no model."""
    card = cart.load(small_shop).card
    peer = card.peers["always abandons"]
    assert card.quality["click_auc"] > 0.7  # phones rarely buy here
    assert card.quality["click_log_loss"] < peer["click_log_loss"]
    assert card.quality["click_accuracy"] >= peer["click_accuracy"]
    assert "always abandons" in card.note().quality


def test_the_model_saved_and_loaded_predicts_the_same(small_shop: Shop, tmp_path: Path) -> None:
    """Protects saving, the words of device and channel included."""
    cart.train(small_shop, tmp_path / "again")
    first, second = cart.load(small_shop), cart.load(small_shop, tmp_path / "again")
    table = clicks(small_shop, NOW)
    assert np.array_equal(first.probability(table), second.probability(table))


def test_longer_silence_never_lowers_the_risk(small_shop: Shop) -> None:
    """Protects common sense, which the monotone constraint holds the trees to."""
    model = cart.load(small_shop)
    table = clicks(small_shop, NOW)
    risks = [model.probability(table.assign(idle_seconds=hours * 3600.0)) for hours in (0, 1, 12)]
    assert (np.diff(risks, axis=0) >= 0).all()


def test_open_carts_are_just_those_still_open(small_shop: Shop) -> None:
    """Protects the list: something in it, nothing bought, the last click on the last day."""
    _, carts = cart.open_carts(small_shop)
    visits = small_shop.query(
        """
        SELECT session_id FROM events GROUP BY session_id
        HAVING count(*) FILTER (event = 'add_to_cart') > 0 AND count(*) FILTER (event = 'purchase') = 0
            AND max(occurred_at) >= CAST($as_of AS TIMESTAMP)
        """,
        {"as_of": AS_OF},
    )
    assert len(carts) > 0
    assert sorted(carts.index) == sorted(visits["session_id"])
    assert carts["probability"].is_monotonic_decreasing
    assert carts["nudge"].isin({"reminder", "coupon", "stock notice", "help"}).all()
    stuck = (carts["checkouts"] + carts["payments"]) > 0
    assert (carts["nudge"] == "help").equals(stuck)


def test_an_unknown_device_is_no_error(small_shop: Shop) -> None:
    """Protects tomorrow's clicks: a word that training never saw counts as missing."""
    model = cart.load(small_shop)
    table = clicks(small_shop, NOW).head(5).assign(device="fridge", channel=None)
    assert np.isfinite(model.probability(table)).all()


def test_too_few_visits_are_said(make_shop: MakeShop) -> None:
    """Protects small shops: no model is made up."""
    shop = make_shop(events=many_clicks(np.random.default_rng(1)).head(60))
    cart.train(shop, shop.folder("models", "cart"))
    with pytest.raises(NoModel, match="too few"):
        cart.load(shop)


def test_groups_hold_each_feature_once() -> None:
    """Protects the reasons: a feature in two groups would count twice, one in none never."""
    names = [name for group in GROUPS.values() for name in group]
    assert len(names) == len(set(names)) == len(FEATURES)
    assert {*cart.NUDGES, "silence"} == set(GROUPS)
