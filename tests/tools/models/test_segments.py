"""The RFM segments: that the SQL does what its docstring says, for every customer."""

from __future__ import annotations

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from made_up import MakeShop, order_lines, products_of

from storewise.tools.models.segments import RULES, SEGMENTS, SEGMENTS_SQL, segment_named, segments
from storewise.tools.shop.generation import Shop


def test_every_customer_with_an_order_has_one_known_segment(small_shop: Shop) -> None:
    """Protects against customers lost or doubled by the joins and windows."""
    table = segments(small_shop)
    customers = small_shop.query("SELECT DISTINCT customer_id FROM orders")["customer_id"]
    assert sorted(table["customer_id"]) == sorted(customers)
    assert set(table["segment"]) <= set(SEGMENTS) == set(RULES)


def test_the_rules_hold_row_by_row(small_shop: Shop) -> None:
    """Protects the rule that is written down: the same one, said in Python."""
    for row in segments(small_shop).itertuples():
        days_known = (pd.Timestamp(small_shop.as_of) - row.first_order).days
        strength = row.f_score + row.m_score
        if days_known < 30:
            wanted = "New"
        elif row.r_score == 1 and row.recency_days >= 60:
            wanted = "Lost"
        elif min(row.r_score, row.f_score, row.m_score) >= 4:
            wanted = "Champions"
        elif strength >= 6:
            wanted = "Loyal" if row.r_score >= 3 else "At risk"
        else:
            wanted = {5: "Promising", 4: "Promising", 3: "Needs attention"}.get(row.r_score, "Hibernating")
        assert row.segment == wanted


def test_scores_rank_and_ties_are_equal(small_shop: Shop) -> None:
    """Protects fairness: who came later never has a lower R, and equal values have equal scores."""
    table = segments(small_shop)
    for value, score, sign in (
        ("recency_days", "r_score", -1),
        ("orders", "f_score", 1),
        ("spend", "m_score", 1),
    ):
        assert table.groupby(value)[score].nunique().max() == 1
        ordered = table.assign(key=sign * table[value]).sort_values("key")[score]
        assert ordered.is_monotonic_increasing
        assert ordered.between(1, 5).all()


def test_orders_after_as_of_count_for_nothing(make_shop: MakeShop) -> None:
    """Protects the one clock: a line dated after the last complete day is not seen."""
    lines = order_lines(
        [
            ("o1", "a", "p", "2023-06-01", 5.0),
            ("o2", "a", "p", "2024-01-01", 9.0),
            ("o3", "b", "p", "2023-12-31T23:59", 1.0),
        ]
    )
    table = segments(make_shop(orders=lines, products=products_of(lines))).set_index("customer_id")
    assert (table.loc["a", "orders"], table.loc["a", "spend"]) == (1, 5.0)
    assert (table.loc["b", "recency_days"], table.loc["b", "segment"]) == (0, "New")


def test_the_text_stands_as_a_sub_query(small_shop: Shop) -> None:
    """Protects the other tools, which join the segments inside their own SQL."""
    sql = "SELECT segment, count(*) AS n FROM (:segments) AS s GROUP BY 1".replace(":segments", SEGMENTS_SQL)
    counted = small_shop.query(sql, {"as_of": small_shop.as_of})
    assert counted["n"].sum() == len(segments(small_shop))


@given(st.sampled_from(SEGMENTS), st.sampled_from([str.upper, str.lower, str.title, lambda s: f"  {s} "]))
def test_a_segment_is_known_however_it_is_cased(name: str, change: object) -> None:
    """Protects questions typed in any case."""
    assert callable(change)
    assert segment_named(change(name)) == name


def test_another_word_is_no_segment() -> None:
    """Protects against guessing."""
    assert segment_named("VIP") is None
