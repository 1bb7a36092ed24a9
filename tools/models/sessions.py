"""What the clicks of a visit say up to a moment: the features of the cart model."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from storewise.tools.shop.generation import Shop

OPEN_HOURS = 24  # a cart without a click for this long, and without a purchase, is abandoned

# Grouped by what a reason would speak of; a group's contributions to a prediction are added up.
GROUPS = {
    "silence": ("idle_seconds", "longest_pause", "mean_pause"),
    "stage": ("cart_views", "checkouts", "payments", "seconds_since_first_add", "seconds"),
    "browsing": ("clicks", "product_views", "category_views", "searches", "views_per_item"),
    "cart": ("items", "value"),
    "removals": ("removals",),
    "arrival": ("device", "channel"),
    "habit": ("signed_in", "earlier_carts", "earlier_bought_share"),
    "hour": ("hour", "weekday"),
}
FEATURES = tuple(name for names in GROUPS.values() for name in names)
WORDS = ("device", "channel")  # the features that are words, not numbers

# One row per click of a visit from its first add_to_cart until before its purchase, as long as
# something is in the cart: what was known at that click, when the next one came, and how it ended
# (ended is the last click; bought is never shown to the model). Bind $until, an exclusive TIMESTAMP.
# Columns that a shop may lack come empty by the union. Ties in time follow the way through the shop.
CLICKS_SQL = """
WITH given AS (
    SELECT * FROM events
    UNION ALL BY NAME
    SELECT CAST(NULL AS VARCHAR) AS customer_id, CAST(NULL AS VARCHAR) AS device,
        CAST(NULL AS VARCHAR) AS channel, CAST(NULL AS DOUBLE) AS value
    WHERE false
), clicks AS (
    SELECT session_id, event, occurred_at, customer_id, device, channel, value,
        row_number() OVER (
            PARTITION BY session_id
            ORDER BY occurred_at, list_position(
                ['view_category', 'search', 'view_product', 'add_to_cart', 'remove_from_cart',
                    'view_cart', 'checkout', 'payment', 'purchase'], event)
        ) AS place
    FROM given WHERE occurred_at < CAST($until AS TIMESTAMP)
), visits AS (
    SELECT session_id, min(occurred_at) AS started, max(occurred_at) AS ended,
        max(customer_id) AS customer_id,
        min(occurred_at) FILTER (event = 'add_to_cart') AS first_add,
        min(place) FILTER (event = 'purchase') AS bought_at
    FROM clicks GROUP BY session_id HAVING first_add IS NOT NULL
), habits AS (
    SELECT now.session_id, count(*) AS carts,
        avg(CASE WHEN past.bought_at > 0 THEN 1.0 ELSE 0.0 END) AS bought
    FROM visits AS now JOIN visits AS past
        ON past.customer_id = now.customer_id AND past.ended < now.started
    GROUP BY now.session_id
), paused AS (
    SELECT clicks.*,
        epoch(occurred_at - lag(occurred_at) OVER (PARTITION BY session_id ORDER BY place)) AS pause,
        lead(occurred_at) OVER (PARTITION BY session_id ORDER BY place) AS next_at
    FROM clicks JOIN visits USING (session_id)
), so_far AS (
    SELECT session_id, occurred_at, next_at, event, place,
        max(customer_id) OVER sofar AS known_customer,
        max(device) OVER sofar AS device,
        max(channel) OVER sofar AS channel,
        max(pause) OVER sofar AS longest_pause,
        avg(pause) OVER sofar AS mean_pause,
        count(*) FILTER (event = 'view_cart') OVER sofar AS cart_views,
        count(*) FILTER (event = 'checkout') OVER sofar AS checkouts,
        count(*) FILTER (event = 'payment') OVER sofar AS payments,
        count(*) FILTER (event = 'view_product') OVER sofar AS product_views,
        count(*) FILTER (event = 'view_category') OVER sofar AS category_views,
        count(*) FILTER (event = 'search') OVER sofar AS searches,
        count(*) FILTER (event = 'add_to_cart') OVER sofar AS adds,
        count(*) FILTER (event = 'remove_from_cart') OVER sofar AS removals,
        sum(CASE event WHEN 'add_to_cart' THEN value WHEN 'remove_from_cart' THEN -value END)
            OVER sofar AS value
    FROM paused
    WINDOW sofar AS (PARTITION BY session_id ORDER BY place ROWS UNBOUNDED PRECEDING)
)
SELECT session_id, occurred_at, next_at, event, started, ended, bought_at IS NOT NULL AS bought,
    known_customer AS customer_id, device, channel,
    0.0 AS idle_seconds, longest_pause, mean_pause, cart_views, checkouts, payments,
    epoch(occurred_at - first_add) AS seconds_since_first_add,
    epoch(occurred_at - started) AS seconds,
    place AS clicks, product_views, category_views, searches,
    product_views / (adds - removals) AS views_per_item,
    adds - removals AS items,
    greatest(value, 0) AS value,
    removals,
    known_customer IS NOT NULL AS signed_in,
    CASE WHEN known_customer IS NOT NULL THEN coalesce(habits.carts, 0) END AS earlier_carts,
    CASE WHEN known_customer IS NOT NULL THEN habits.bought END AS earlier_bought_share,
    hour(occurred_at) AS hour, isodow(occurred_at) AS weekday
FROM so_far JOIN visits USING (session_id) LEFT JOIN habits USING (session_id)
WHERE adds > removals AND (bought_at IS NULL OR place < bought_at)
ORDER BY session_id, place
"""


def clicks(shop: Shop, until: dt.datetime) -> pd.DataFrame:
    """Return one row per click of the visits with a cart, of what was known at that click.

    Only clicks before `until` count. Columns: session_id, occurred_at, next_at (the visit's next click),
    event, started, ended, bought, customer_id (if known by then) and FEATURES; times in seconds, value
    in money. `idle_seconds` is 0, the moment of the click: a caller who looks later sets it.
    """
    table = shop.query(CLICKS_SQL, {"until": until})
    numbers = {name: "float64" for name in FEATURES if name not in WORDS}
    return table.astype(numbers)
