"""What the orders up to a day say about each customer: the features of the churn model.

Everything is computed in DuckDB from the order lines up to the end of the `cutoff` day; no later line
is read, so that a model trained on past cut-offs sees what it would have seen then.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from storewise.tools.shop.generation import Shop

HORIZON_DAYS = 60  # a customer has churned who places no order in this many days

# Grouped by what a reason would speak of; a group's contributions to a prediction are added up.
GROUPS = {
    "rhythm": (
        "recency_days",
        "gap_mean",
        "gap_median",
        "gap_std",
        "gap_max",
        "gap_last",
        "recency_to_gap",
        "recency_to_longest",
        "gaps_outlasted",
    ),
    "orders": ("orders", "orders_per_30", "visit_days", "tenure_days"),
    "trend": ("orders_30", "orders_60", "orders_90", "orders_trend", "spend_trend"),
    "spend": ("spend", "spend_30", "spend_60", "spend_90", "order_value", "order_value_90"),
    "breadth": ("categories", "categories_90", "products_90", "lines_per_order"),
    "discount": ("discount_share", "discount_share_90"),
    "weekday": ("weekend_share", "main_weekday_share"),
}
FEATURES = tuple(name for names in GROUPS.values() for name in names)

# Bind $cutoff. Gaps lie between days with an order, so that two orders on one day make no gap of 0.
# Tables without a discount get an empty one by the union.
FEATURES_SQL = """
WITH lines AS NOT MATERIALIZED (  -- read thrice: a copy would lose the columns' compression
    SELECT customer_id, order_id, product_id, ordered_at, CAST(ordered_at AS DATE) AS day, amount, discount,
        CAST($cutoff AS DATE) - CAST(ordered_at AS DATE) AS age
    FROM (SELECT * FROM orders UNION ALL BY NAME SELECT CAST(NULL AS DOUBLE) AS discount WHERE false)
    WHERE ordered_at < CAST($cutoff AS DATE) + 1
), baskets AS (
    SELECT customer_id, order_id, min(day) AS day, min(age) AS age, sum(amount) AS amount, count(*) AS lines
    FROM lines GROUP BY customer_id, order_id
), bought AS (
    SELECT customer_id,
        count(*) AS orders,
        min(age) AS recency_days,
        max(age) AS tenure_days,
        sum(amount) AS spend,
        count(*) FILTER (age < 30) AS orders_30,
        count(*) FILTER (age < 60) AS orders_60,
        count(*) FILTER (age < 90) AS orders_90,
        coalesce(sum(amount) FILTER (age < 30), 0) AS spend_30,
        coalesce(sum(amount) FILTER (age < 60), 0) AS spend_60,
        coalesce(sum(amount) FILTER (age < 90), 0) AS spend_90,
        avg(amount) AS order_value,
        avg(amount) FILTER (age < 90) AS order_value_90,
        avg(lines) AS lines_per_order,
        avg(CASE WHEN isodow(day) >= 6 THEN 1.0 ELSE 0.0 END) AS weekend_share,
        len(list_filter(list(isodow(day)), d -> d = mode(isodow(day)))) / count(*) AS main_weekday_share
    FROM baskets GROUP BY customer_id
), visits AS (
    SELECT customer_id, day, day - lag(day) OVER (PARTITION BY customer_id ORDER BY day) AS gap
    FROM (SELECT DISTINCT customer_id, day FROM baskets)
), rhythm AS (
    SELECT customer_id,
        count(*) AS visit_days,
        avg(gap) AS gap_mean,
        median(gap) AS gap_median,
        stddev_samp(gap) AS gap_std,
        max(gap) AS gap_max,
        arg_max(gap, day) AS gap_last,
        avg(CASE WHEN gap <= recency_days THEN 1.0 WHEN gap IS NOT NULL THEN 0.0 END) AS gaps_outlasted
    FROM visits JOIN bought USING (customer_id) GROUP BY customer_id
), shelves AS (
    -- bounds that the aggregate below needs: beyond 1,024 categories some share a place
    SELECT product_id, CAST((dense_rank() OVER (ORDER BY category) - 1) % 1024 AS INTEGER) AS shelf
    FROM products
), breadth AS (
    -- a bit per category is far cheaper than a set of names per customer
    SELECT customer_id,
        coalesce(bit_count(bitstring_agg(shelf, 0, 1023)), 0) AS categories,
        coalesce(bit_count(bitstring_agg(shelf, 0, 1023) FILTER (age < 90)), 0) AS categories_90,
        sum(discount) / nullif(sum(amount) + sum(discount), 0) AS discount_share,
        sum(discount) FILTER (age < 90)
            / nullif(sum(amount) FILTER (age < 90) + sum(discount) FILTER (age < 90), 0) AS discount_share_90
    FROM lines LEFT JOIN shelves USING (product_id)
    GROUP BY customer_id
), late AS (
    SELECT customer_id, count(*) AS products_90
    FROM (SELECT DISTINCT customer_id, product_id FROM lines WHERE ordered_at >= CAST($cutoff AS DATE) - 89)
    GROUP BY customer_id
)
SELECT customer_id,
    * EXCLUDE (customer_id, products_90),
    coalesce(products_90, 0) AS products_90,
    30.0 * orders / greatest(tenure_days + 1, 30) AS orders_per_30,
    -- greatest() passes over what is missing: no gap, no ratio
    recency_days / (gap_median + greatest(1 - gap_median, 0)) AS recency_to_gap,
    recency_days / (gap_max + greatest(1 - gap_max, 0)) AS recency_to_longest,
    -- the last 30 days against the pace of the time before them; none where there was no time before
    orders_30 * greatest(tenure_days - 29, 0) / nullif(30.0 * (orders - orders_30), 0) AS orders_trend,
    spend_30 * greatest(tenure_days - 29, 0) / nullif(30.0 * (spend - spend_30), 0) AS spend_trend
FROM bought JOIN rhythm USING (customer_id) JOIN breadth USING (customer_id)
    LEFT JOIN late USING (customer_id)
ORDER BY customer_id
"""


def features(shop: Shop, cutoff: dt.date) -> pd.DataFrame:
    """Return one row per customer with an order by the end of `cutoff`.

    Columns: customer_id and FEATURES; days are whole days, money is in the shop's currency, shares lie
    between 0 and 1. What cannot be known (a gap after one visit) is missing.
    """
    table = shop.query(FEATURES_SQL, {"cutoff": cutoff})
    # Sums in parallel differ in their last digits from run to run; the model shall not.
    return table[["customer_id", *FEATURES]].astype(dict.fromkeys(FEATURES, "float64")).round(6)
