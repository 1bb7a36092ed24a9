"""What the clicks of a visit say up to each of them: counts, gaps and n-grams for the cart model."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from storewise.tools.shop.contract import EVENTS

if TYPE_CHECKING:
    from storewise.tools.shop.generation import Shop

OPEN_HOURS = 24  # a visit without a click for this long, and without a purchase, is over

# The events before a purchase in the order of the way through a shop; clicks of one second follow it.
STEPS = EVENTS[:-1]
_SHORT = ("category", "search", "product", "add", "remove", "cart", "checkout", "payment")
_CART = STEPS.index("view_cart")

# How often one event followed another right away: "cart_then_product" counts returns from the cart.
BIGRAMS = {
    f"{_SHORT[first]}_then_{_SHORT[second]}": (first, second)
    for first in range(len(STEPS))
    for second in range(len(STEPS))
}


def _bigrams(group: str) -> tuple[str, ...]:
    return tuple(name for name, pair in BIGRAMS.items() if _group(*pair) == group)


def _group(first: int, second: int) -> str:
    """Return the group of GROUPS for an event (its place in STEPS) and the one that followed it."""
    if STEPS.index("remove_from_cart") in (first, second):
        return "removals"
    if first >= _CART > second or first > second >= _CART:
        return "back and forth"
    return "stage" if second >= _CART else "browsing"


# Grouped by what a reason would speak of; a group's contributions to a prediction are added up.
GROUPS = {
    "pace": (
        "last_pause",
        "longest_pause",
        "mean_pause",
        "pause_spread",
        "pause_trend",
        "long_pauses",
        "seconds",
    ),
    "stage": (
        "cart_views",
        "checkouts",
        "payments",
        "seconds_since_first_add",
        "seconds_since_add",
        "seconds_since_cart",
        "clicks_since_add",
        "clicks_since_cart",
        "last_event",
        "event_before",
        "event_before_that",
        *_bigrams("stage"),
    ),
    "back and forth": ("returns_from_cart", "returns_from_checkout", *_bigrams("back and forth")),
    "browsing": (
        "clicks",
        "product_views",
        "category_views",
        "searches",
        "products_viewed",
        "views_per_item",
        *_bigrams("browsing"),
    ),
    "hesitation": ("repeated_views", "most_views_of_one"),
    "cart": ("items", "value", "item_value", "dearest", "last_price"),
    "removals": ("removals", "removed_share", *_bigrams("removals")),
    "arrival": ("device", "channel"),
    "habit": (
        "signed_in",
        "earlier_visits",
        "visits_30",
        "earlier_carts",
        "earlier_bought_share",
        "days_since_visit",
        "days_since_bought",
        "since_bought_to_rhythm",
        "known_item_share",
        "known_view_share",
    ),
    "hour": ("hour", "weekday"),
}
_ALL = [name for names in GROUPS.values() for name in names]
# Plain counts come first: of two features that say the same, selection keeps the first.
FEATURES = tuple(sorted(_ALL, key=lambda name: name in BIGRAMS))
WORDS = ("device", "channel")  # the features that are words, not numbers
COUNTS = (  # what the peers that look at counts alone are given
    "clicks",
    "product_views",
    "category_views",
    "searches",
    "items",
    "removals",
    "cart_views",
    "checkouts",
    "payments",
)

# One row per click of a visit until before its purchase: what was known at that click, when the next
# one came, and how it ended (ended is the last click; bought is never shown to the model). Bind $since
# and $until, TIMESTAMPs: clicks before `until`, of the visits whose last such click is not before
# `since`. Columns that a shop may lack come empty by the union.
#
# Nothing in a row may depend on a later click, of this visit or of another. So a visit belongs to the
# customer first named in it, from that click on; and an earlier visit counts as it stood when this one
# began, even if it went on later.
CLICKS_SQL = """
WITH given AS (
    SELECT * FROM events
    UNION ALL BY NAME
    SELECT CAST(NULL AS VARCHAR) AS customer_id, CAST(NULL AS VARCHAR) AS product_id,
        CAST(NULL AS VARCHAR) AS device, CAST(NULL AS VARCHAR) AS channel, CAST(NULL AS DOUBLE) AS value
    WHERE false
), clicks AS (
    SELECT session_id, event, occurred_at, customer_id, product_id, device, channel, value,
        list_position(['view_category', 'search', 'view_product', 'add_to_cart', 'remove_from_cart',
            'view_cart', 'checkout', 'payment', 'purchase'], event) AS step,
        row_number() OVER (PARTITION BY session_id ORDER BY occurred_at, step, product_id, value) AS place
    FROM given WHERE occurred_at < CAST($until AS TIMESTAMP) AND step IS NOT NULL
), visits AS (
    SELECT session_id, min(occurred_at) AS started, max(occurred_at) AS ended,
        min_by(customer_id, place) FILTER (customer_id IS NOT NULL) AS customer_id,
        min(occurred_at) FILTER (customer_id IS NOT NULL) AS named,
        min(occurred_at) FILTER (event = 'add_to_cart') AS first_add,
        min(place) FILTER (event = 'purchase') AS bought_at,
        min(occurred_at) FILTER (event = 'purchase') AS bought_when
    FROM clicks GROUP BY session_id
), wanted AS (
    SELECT * FROM visits WHERE ended >= CAST($since AS TIMESTAMP)
), moments AS (
    SELECT customer_id, named AS known_at, 1 AS visit, 0 AS cart, 0 AS bought, started,
        CAST(NULL AS TIMESTAMP) AS bought_when FROM visits WHERE customer_id IS NOT NULL
    UNION ALL
    SELECT customer_id, greatest(first_add, named), 0, 1, 0, NULL, NULL FROM visits
    WHERE customer_id IS NOT NULL AND first_add IS NOT NULL
    UNION ALL
    SELECT customer_id, greatest(bought_when, named), 0, 0, 1, NULL, bought_when FROM visits
    WHERE customer_id IS NOT NULL AND bought_when IS NOT NULL
), tally AS (
    SELECT customer_id, known_at, sum(visit) OVER past AS visits, sum(cart) OVER past AS carts,
        sum(bought) OVER past AS bought, max(started) OVER past AS last_visit,
        min(bought_when) OVER past AS first_bought, max(bought_when) OVER past AS last_bought
    FROM moments
    WINDOW past AS (PARTITION BY customer_id ORDER BY known_at RANGE UNBOUNDED PRECEDING)
), habits AS (
    SELECT wanted.session_id, tally.visits, tally.carts, tally.bought, tally.last_visit,
        tally.first_bought, tally.last_bought, tally.visits - coalesce(before.visits, 0) AS visits_30
    FROM wanted ASOF JOIN tally
        ON wanted.customer_id = tally.customer_id AND wanted.started > tally.known_at
    ASOF LEFT JOIN tally AS before
        ON wanted.customer_id = before.customer_id AND wanted.started - INTERVAL 30 DAY > before.known_at
), favourites AS (
    SELECT visits.customer_id AS fan, product_id AS favourite, 
        min(greatest(occurred_at, named)) AS first_added
    FROM clicks JOIN visits USING (session_id)
    WHERE event = 'add_to_cart' AND product_id IS NOT NULL AND visits.customer_id IS NOT NULL
    GROUP BY ALL
), chained AS (
    SELECT clicks.*, favourites.first_added < wanted.started AS known_product, lag(step) OVER visit AS step_before,
        lag(step, 2) OVER visit AS step_before_that, lead(occurred_at) OVER visit AS next_at,
        epoch(occurred_at - lag(occurred_at) OVER visit) AS pause,
        CASE WHEN event = 'view_product' AND product_id IS NOT NULL THEN row_number() OVER (
            PARTITION BY clicks.session_id, event, product_id ORDER BY place) END AS nth_view
    FROM clicks JOIN wanted USING (session_id) LEFT JOIN favourites
        ON fan = wanted.customer_id AND favourite = product_id
    WINDOW visit AS (PARTITION BY clicks.session_id ORDER BY place)
), so_far AS (
    SELECT session_id, occurred_at, next_at, event, step, step_before, step_before_that, place, pause,
        first_value(customer_id IGNORE NULLS) OVER sofar AS known_customer,
        first_value(device IGNORE NULLS) OVER sofar AS device,
        first_value(channel IGNORE NULLS) OVER sofar AS channel,
        max(pause) OVER sofar AS longest_pause,
        avg(pause) OVER sofar AS mean_pause,
        stddev_pop(ln(1 + pause)) OVER sofar AS pause_spread,
        avg(ln(1 + pause)) OVER sofar AS mean_log_pause,
        count(*) FILTER (pause > 1800) OVER sofar AS long_pauses,
        count(*) FILTER (event = 'view_cart') OVER sofar AS cart_views,
        count(*) FILTER (event = 'checkout') OVER sofar AS checkouts,
        count(*) FILTER (event = 'payment') OVER sofar AS payments,
        count(*) FILTER (event = 'view_product') OVER sofar AS product_views,
        count(*) FILTER (event = 'view_category') OVER sofar AS category_views,
        count(*) FILTER (event = 'search') OVER sofar AS searches,
        count(*) FILTER (event = 'add_to_cart') OVER sofar AS adds,
        count(*) FILTER (event = 'remove_from_cart') OVER sofar AS removals,
        count(*) FILTER (step_before = 6 AND step < 6) OVER sofar AS returns_from_cart,
        count(*) FILTER (step_before IN (7, 8) AND step < 7) OVER sofar
            AS returns_from_checkout,
        count(*) FILTER (nth_view = 1) OVER sofar AS products_viewed,
        count(*) FILTER (nth_view > 1) OVER sofar AS repeated_views,
        max(nth_view) OVER sofar AS most_views_of_one,
        sum(CASE event WHEN 'add_to_cart' THEN value WHEN 'remove_from_cart' THEN -value END)
            OVER sofar AS value,
        sum(value) FILTER (event = 'add_to_cart') OVER sofar AS value_added,
        sum(value) FILTER (event = 'remove_from_cart') OVER sofar AS value_removed,
        max(value) FILTER (event = 'add_to_cart') OVER sofar AS dearest,
        last_value(CASE WHEN event = 'view_product' THEN value END IGNORE NULLS) OVER sofar AS last_price,
        max(occurred_at) FILTER (event = 'add_to_cart') OVER sofar AS last_add,
        max(place) FILTER (event = 'add_to_cart') OVER sofar AS last_add_place,
        max(occurred_at) FILTER (event = 'view_cart') OVER sofar AS last_cart,
        max(place) FILTER (event = 'view_cart') OVER sofar AS last_cart_place,
        count(*) FILTER (event = 'add_to_cart' AND known_product) OVER sofar AS known_adds,
        count(*) FILTER (event = 'view_product' AND known_product) OVER sofar AS known_views
    FROM chained
    WINDOW sofar AS (PARTITION BY session_id ORDER BY place ROWS UNBOUNDED PRECEDING)
)
SELECT session_id, occurred_at, next_at, event, started, ended, bought_at IS NOT NULL AS bought,
    known_customer AS customer_id, device, channel, 0.0 AS idle_seconds,
    pause AS last_pause, longest_pause, mean_pause, pause_spread,
    ln(1 + pause) - mean_log_pause AS pause_trend, long_pauses,
    epoch(occurred_at - started) AS seconds, cart_views, checkouts, payments,
    CASE WHEN first_add <= occurred_at THEN epoch(occurred_at - first_add) END AS seconds_since_first_add,
    epoch(occurred_at - last_add) AS seconds_since_add,
    epoch(occurred_at - last_cart) AS seconds_since_cart,
    place - last_add_place AS clicks_since_add, place - last_cart_place AS clicks_since_cart,
    step AS last_event, step_before AS event_before, step_before_that AS event_before_that,
    returns_from_cart, returns_from_checkout,
    place AS clicks, product_views, category_views, searches, products_viewed,
    CASE WHEN adds > removals THEN product_views / (adds - removals) END AS views_per_item,
    repeated_views, most_views_of_one,
    greatest(adds - removals, 0) AS items,
    CASE WHEN adds > removals THEN greatest(value, 0) END AS value,
    CASE WHEN adds > removals THEN greatest(value, 0) / (adds - removals) END AS item_value,
    dearest, last_price, removals,
    value_removed / nullif(value_added, 0) AS removed_share,
    known_customer IS NOT NULL AS signed_in,
    CASE WHEN known_customer IS NOT NULL THEN coalesce(habits.visits, 0) END AS earlier_visits,
    CASE WHEN known_customer IS NOT NULL THEN coalesce(habits.carts, 0) END AS earlier_carts,
    CASE WHEN known_customer IS NOT NULL THEN habits.bought / nullif(habits.carts, 0) END
        AS earlier_bought_share,
    CASE WHEN known_customer IS NOT NULL THEN epoch(started - habits.last_visit) / 86400 END
        AS days_since_visit,
    CASE WHEN known_customer IS NOT NULL THEN epoch(started - habits.last_bought) / 86400 END
        AS days_since_bought,
    CASE WHEN known_customer IS NOT NULL THEN habits.visits_30 END AS visits_30,
    CASE WHEN known_customer IS NOT NULL AND habits.bought > 1 THEN
        epoch(started - habits.last_bought) * (habits.bought - 1)
        / epoch(habits.last_bought - habits.first_bought) END AS since_bought_to_rhythm,
    CASE WHEN known_customer IS NOT NULL AND adds > 0 THEN known_adds / adds END AS known_item_share,
    CASE WHEN known_customer IS NOT NULL AND product_views > 0 THEN known_views / product_views END
        AS known_view_share,
    hour(occurred_at) AS hour, isodow(occurred_at) AS weekday
FROM so_far JOIN wanted USING (session_id) LEFT JOIN habits USING (session_id)
WHERE bought_at IS NULL OR place < bought_at
ORDER BY session_id, place
"""


def clicks(shop: Shop, until: dt.datetime, since: dt.datetime | None = None) -> pd.DataFrame:
    """Return one row per click of the visits before their purchase, of what was known at that click.

    Only clicks before `until` count, of the visits whose last one is not before `since`. Columns:
    session_id, occurred_at, next_at (the visit's next click), event, started, ended, bought, customer_id
    (if known by then), idle_seconds (0, the moment of the click: a caller who looks later sets it) and
    FEATURES; times in seconds, value in money. `items` is 0 where nothing is in the cart.
    """
    table = shop.query(CLICKS_SQL, {"since": since or dt.datetime(1, 1, 1), "until": until})
    table = pd.concat([table, _bigram_counts(table)], axis=1)
    numbers = {name: "float64" for name in FEATURES if name not in WORDS}
    return table.astype(numbers)


def _bigram_counts(table: pd.DataFrame) -> pd.DataFrame:
    """Return BIGRAMS' counts up to each row of `table`, whose rows stand by visit and then by time."""
    begins = np.flatnonzero((table["clicks"] == 1).to_numpy())
    lengths = np.diff(np.append(begins, len(table)))
    now = table["last_event"].to_numpy(dtype=np.int64)
    before = table["event_before"].fillna(0).to_numpy(dtype=np.int64)
    counts = {}
    for name, (first, second) in BIGRAMS.items():
        so_far = np.cumsum((before == first + 1) & (now == second + 1))
        # The first click of a visit ends no pair, so the sum there is what came before the visit.
        counts[name] = so_far - np.repeat(so_far[begins], lengths)
    return pd.DataFrame(counts, index=table.index)
