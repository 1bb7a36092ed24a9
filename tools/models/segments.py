"""RFM segments: eight groups by when customers last came, how often, and what they spent.

Each customer gets three scores from 1 to 5, the fifth of all customers that they fall into: R by the
days since the last order (5 is the most recent), F by the number of orders, M by the money spent, over
the whole history up to `as_of`. Equal values get equal scores (the middle of their ranks). The first
rule that holds names the segment:

    New               first order within the last 30 days
    Lost              R = 1 and no order within the last 60 days
    Champions         R >= 4, F >= 4 and M >= 4
    Loyal             R >= 3 and F + M >= 6
    At risk           R <= 2 and F + M >= 6
    Promising         R >= 4
    Needs attention   R = 3
    Hibernating       everyone else (R <= 2)

Recency, frequency and monetary value follow A. M. Hughes, Strategic Database Marketing (1994); the
60 days are the horizon of the churn model. Customers without an order have no segment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from storewise.tools.shop.generation import Shop

SEGMENTS = (
    "Champions",
    "Loyal",
    "Promising",
    "New",
    "Needs attention",
    "At risk",
    "Hibernating",
    "Lost",
)

RULES = {
    "Champions": "among the most recent, most frequent and highest spending customers",
    "Loyal": "come regularly and spend at least as much as most",
    "Promising": "came recently but have few orders or little spend so far",
    "New": "placed their first order within the last 30 days",
    "Needs attention": "neither recent nor gone, with few orders or little spend",
    "At risk": "used to come often or spend well, but have not come for longer than most",
    "Hibernating": "few orders, and none for longer than most customers",
    "Lost": "no order within the last 60 days",
}

# One row per customer with an order. Bind $as_of (the last complete day). It stands as a sub-query
# wherever a relation may: FROM (...) AS segments.
SEGMENTS_SQL = """
WITH history AS (
    SELECT customer_id,
        CAST(min(ordered_at) AS DATE) AS first_order,
        CAST(max(ordered_at) AS DATE) AS last_order,
        CAST($as_of AS DATE) - CAST(max(ordered_at) AS DATE) AS recency_days,
        count(DISTINCT order_id) AS orders,
        sum(amount) AS spend
    FROM orders
    WHERE ordered_at < CAST($as_of AS DATE) + 1
    GROUP BY customer_id
), placed AS (
    SELECT *,
        (rank() OVER (ORDER BY recency_days DESC) - 1
            + count(*) OVER (PARTITION BY recency_days) / 2.0) / count(*) OVER () AS r,
        (rank() OVER (ORDER BY orders) - 1
            + count(*) OVER (PARTITION BY orders) / 2.0) / count(*) OVER () AS f,
        (rank() OVER (ORDER BY spend) - 1
            + count(*) OVER (PARTITION BY spend) / 2.0) / count(*) OVER () AS m
    FROM history
), scored AS (
    SELECT customer_id, first_order, last_order, recency_days, orders, spend,
        1 + CAST(floor(5 * r) AS INTEGER) AS r_score,
        1 + CAST(floor(5 * f) AS INTEGER) AS f_score,
        1 + CAST(floor(5 * m) AS INTEGER) AS m_score
    FROM placed
)
SELECT *,
    CASE
        WHEN CAST($as_of AS DATE) - first_order < 30 THEN 'New'
        WHEN r_score = 1 AND recency_days >= 60 THEN 'Lost'
        WHEN r_score >= 4 AND f_score >= 4 AND m_score >= 4 THEN 'Champions'
        WHEN r_score >= 3 AND f_score + m_score >= 6 THEN 'Loyal'
        WHEN f_score + m_score >= 6 THEN 'At risk'
        WHEN r_score >= 4 THEN 'Promising'
        WHEN r_score = 3 THEN 'Needs attention'
        ELSE 'Hibernating'
    END AS segment
FROM scored
"""


def segments(shop: Shop) -> pd.DataFrame:
    """Return one row per customer with an order.

    Columns: customer_id, first_order, last_order, recency_days (days before `as_of`), orders, spend
    (money, whole history), r_score, f_score, m_score (1 to 5) and segment.
    """
    return shop.query(SEGMENTS_SQL, {"as_of": shop.as_of})


def segment_named(text: str) -> str | None:
    """Return the segment that `text` names, however it is cased or spaced, or None."""
    plain = " ".join(text.replace("-", " ").replace("_", " ").split()).casefold()
    return next((name for name in SEGMENTS if name.casefold() == plain), None)
