"""Customer features: right by hand on a few orders, and blind to what comes after the cut-off."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_up import AS_OF, MakeShop, build_shop, many_orders, order_lines, products_of

from storewise.tools.models.features import FEATURES, GROUPS, features
from storewise.tools.shop.generation import Shop

LINES = order_lines(
    [
        ("o1", "a", "p1", "2023-10-01 09:00", 10.0),
        ("o2", "a", "p1", "2023-10-11 10:00", 20.0),
        ("o2", "a", "p2", "2023-10-11 10:00", 10.0),
        ("o3", "a", "p2", "2023-10-11 18:00", 5.0),
        ("o4", "a", "p3", "2023-10-31 23:59", 15.0),
        ("o5", "a", "p1", "2023-11-01 00:00", 99.0),
        ("o6", "b", "p1", "2023-10-07 12:00", 7.0),
    ]
)


def test_figures_by_hand(make_shop: MakeShop) -> None:
    """Protects each figure that a reason quotes; two orders on one day make one visit and no gap."""
    shop = make_shop(orders=LINES, products=products_of(LINES))
    row = features(shop, dt.date(2023, 10, 31)).set_index("customer_id").loc["a"]
    wanted = {
        "orders": 4,
        "visit_days": 3,
        "recency_days": 0,
        "tenure_days": 30,
        "spend": 60,
        "gap_mean": 15,
        "gap_median": 15,
        "gap_max": 20,
        "gap_last": 20,
        "gap_std": np.std([10, 20], ddof=1),
        "gaps_outlasted": 0,
        "orders_30": 3,
        "spend_30": 50,
        "order_value": 15,
        "categories": 3,
        "lines_per_order": 1.25,
        "weekend_share": 0.25,
        "main_weekday_share": 0.5,
    }
    assert {name: pytest.approx(row[name]) for name in wanted} == wanted


def test_one_visit_has_no_rhythm(make_shop: MakeShop) -> None:
    """Protects against a gap made up for someone who came once."""
    shop = make_shop(orders=LINES, products=products_of(LINES))
    row = features(shop, dt.date(2023, 10, 31)).set_index("customer_id").loc["b"]
    assert row[["gap_mean", "gap_median", "gap_std", "gap_last", "gaps_outlasted"]].isna().all()
    assert (row["recency_days"], row["weekend_share"]) == (24, 1.0)


def test_the_future_is_not_seen(tmp_path: Path) -> None:
    """Protects against leakage: whatever happens to later lines, no feature before them changes."""
    lines = many_orders(np.random.default_rng(3))
    cutoff = AS_OF - dt.timedelta(days=100)
    later = lines["ordered_at"] >= pd.Timestamp(cutoff) + pd.Timedelta(days=1)
    moved = lines.copy()
    moved.loc[later, "ordered_at"] += pd.Timedelta(days=17)
    moved.loc[later, "amount"] *= 3
    tables = [
        features(build_shop(tmp_path / name, orders=changed, products=products_of(lines)), cutoff)
        for name, changed in (("as", lines), ("moved", moved), ("without", lines[~later]))
    ]
    assert later.any()
    for other in tables[1:]:
        pd.testing.assert_frame_equal(tables[0], other)


def test_discounts_count_where_the_shop_has_them(make_shop: MakeShop) -> None:
    """Protects shops without the column: the feature is missing there, and a share elsewhere."""
    without = features(make_shop(orders=LINES, products=products_of(LINES)), AS_OF)
    assert without["discount_share"].isna().all()
    priced = LINES.assign(discount=LINES["amount"])
    having = features(make_shop(orders=priced, products=products_of(LINES)), AS_OF)
    assert having["discount_share"].eq(0.5).all()


def test_groups_hold_each_feature_once(small_shop: Shop) -> None:
    """Protects the reasons: a feature in two groups would count twice, one in none never."""
    names = [name for group in GROUPS.values() for name in group]
    assert len(names) == len(set(names))
    assert list(features(small_shop, AS_OF).columns) == ["customer_id", *FEATURES]
