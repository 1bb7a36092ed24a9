"""Fixtures: small made-up shops with and without trained models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_up import MakeShop, build_shop, many_clicks, many_orders, order_lines, products_of

from storewise.tools.models import cart, churn, recommender, value
from storewise.tools.shop.generation import Shop


@pytest.fixture
def make_shop(tmp_path: Path) -> MakeShop:
    """A function that builds a shop of the tables it is given."""
    return lambda **tables: build_shop(tmp_path / "home", **tables)


@pytest.fixture
def tiny_shop(tmp_path: Path) -> Shop:
    """Five customers and one week of orders: too little to learn anything; no sessions."""
    rows = [
        (f"o{day}{who}", f"c{who}", f"p{(day * who) % 4}", f"2023-12-{25 + day}", 2.0 + who)
        for day in range(7)
        for who in range(1, 6)
        if (day + who) % 3 == 0
    ]
    lines = order_lines(rows)
    shop = build_shop(tmp_path / "tiny", orders=lines, products=products_of(lines))
    for model in (churn, recommender, value):
        model.train(shop, shop.folder("models", model.NAME))
    return shop


@pytest.fixture(scope="session")
def small_shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """160 customers over 400 days with sessions, and the models trained on them."""
    lines = many_orders(np.random.default_rng(1))
    people = pd.DataFrame({"customer_id": [*sorted(lines["customer_id"].unique()), "quiet"], "age": "45-54"})
    shop = build_shop(
        tmp_path_factory.mktemp("small"),
        orders=lines,
        products=products_of(lines),
        customers=people,
        events=many_clicks(np.random.default_rng(2)),
    )
    for model in (churn, recommender, cart, value):
        model.train(shop, shop.folder("models", model.NAME))
    return shop
