"""Simulated sessions: real baskets, a true order of events, and abandonment that can be learned in part."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from storewise.tools.shop.contract import EVENTS
from storewise.tools.shop.generation import Shop, open_shop
from storewise.tools.shop.simulate import write_events


@pytest.fixture(scope="module")
def shop(demo_home: Path) -> Iterator[Shop]:
    shop = open_shop(demo_home)
    yield shop
    shop.close()


@pytest.fixture(scope="module")
def visits(shop: Shop) -> pd.DataFrame:
    return shop.query(
        """
        SELECT session_id, min(occurred_at) AS started, max(occurred_at) AS ended,
               bool_or(event = 'add_to_cart') AS cart, bool_or(event = 'purchase') AS bought,
               any_value(device) AS device, any_value(channel) AS channel,
               max(value) FILTER (event IN ('view_cart', 'checkout')) AS value,
               count(*) FILTER (event = 'view_product') / count(*) FILTER (event = 'add_to_cart')
                   AS views_per_add
        FROM events GROUP BY 1 ORDER BY 1
        """
    )


def test_ids_events_and_size(shop: Shop, visits: pd.DataFrame) -> None:
    assert visits["session_id"].str.fullmatch(r"S\d{6}").all()
    assert len(visits) == pytest.approx(40_000, rel=0.05)
    assert set(shop.query("SELECT DISTINCT event FROM events")["event"]) == set(EVENTS)
    assert visits["started"].is_monotonic_increasing, "ids follow the start of the visits"


def test_a_purchase_is_a_real_basket_to_the_second_and_the_cent(shop: Shop) -> None:
    odd = shop.query(
        """
        WITH baskets AS (
            SELECT customer_id, ordered_at, round(sum(amount), 2) AS amount FROM orders
            WHERE quantity > 0 AND amount > 0 GROUP BY order_id, customer_id, ordered_at
        )
        SELECT e.* FROM events e
        ANTI JOIN baskets b ON b.customer_id = e.customer_id AND b.ordered_at = e.occurred_at
            AND abs(b.amount - e.value) < 0.006
        WHERE e.event = 'purchase'
        """
    )
    assert not len(odd)


def test_events_come_in_a_possible_order(shop: Shop) -> None:
    odd = shop.query(
        """
        SELECT session_id FROM events GROUP BY 1 HAVING
            count(*) FILTER (event = 'purchase') > 1
            OR min(occurred_at) FILTER (event = 'payment') <= min(occurred_at) FILTER (event = 'checkout')
            OR min(occurred_at) FILTER (event = 'purchase') <= min(occurred_at) FILTER (event = 'payment')
            OR max(occurred_at) > coalesce(min(occurred_at) FILTER (event = 'purchase'), max(occurred_at))
            OR (bool_or(event = 'checkout') AND NOT bool_or(event = 'add_to_cart'))
            OR count(*) FILTER (event = 'remove_from_cart') > count(*) FILTER (event = 'add_to_cart')
            OR count(DISTINCT occurred_at) < count(*)
        """
    )
    assert not len(odd)
    assert shop.query("SELECT max(occurred_at) AS t FROM events")["t"].iloc[0] < pd.Timestamp("2018-01-01")
    assert shop.query("SELECT min(occurred_at) AS t FROM events")["t"].iloc[0] >= pd.Timestamp("2016-12-30")


def test_some_carts_are_open_on_the_last_day(visits: pd.DataFrame) -> None:
    midnight = pd.Timestamp("2018-01-01")
    fresh = visits["ended"] >= midnight - pd.Timedelta("24h")
    open_now = visits[visits["cart"] & ~visits["bought"] & fresh]
    assert 30 <= len(open_now) <= 200


def test_abandonment_follows_the_process_in_part(visits: pd.DataFrame) -> None:
    carts = visits[visits["cart"]]
    assert 0.2 < carts["bought"].mean() < 0.4
    share = carts.groupby("channel")["bought"].mean()
    assert share["email"] > share["search"] > max(share["ads"], share["social"])
    by_device = carts.groupby("device")["bought"].mean()
    assert by_device["desktop"] > by_device["mobile"]
    looked = carts["views_per_add"] > carts["views_per_add"].median()
    assert carts[~looked]["bought"].mean() > carts[looked]["bought"].mean() + 0.05
    assert share.max() < 0.6, "no channel alone decides"


def test_the_same_shop_has_the_same_sessions(shop: Shop) -> None:
    connection = duckdb.connect()
    for table in ("orders", "products"):
        connection.from_df(shop.query(f"FROM {table}")).create(table)
    write_events(connection, shop.as_of)
    again = connection.execute("FROM events").df()
    first = shop.query("FROM events")
    assert again.equals(first)
