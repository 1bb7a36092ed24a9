"""recommend_products: offers with reasons, kept to a category, and sentences where there are none."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storewise.tools.recommendations import recommend_products
from storewise.tools.registry import Tool
from storewise.tools.shop.generation import Shop


def test_the_headline_says_whom_what_and_why(small_shop: Shop) -> None:
    """Protects the sentence: it must be that of the first row."""
    finding = recommend_products(small_shop, "c007")
    names = [column.name for column in finding.columns]
    first = dict(zip(names, finding.rows[0], strict=True))
    assert finding.status == "answered" and len(finding.rows) == 5
    strongest = str(first["why"]).split("; ")[0]
    for word in ("c007", first["product_id"], first["product"], strongest):
        assert str(word) in finding.headline
    assert finding.evidence
    assert finding.chart is not None and {finding.chart.x, *finding.chart.y} <= set(names)


@pytest.mark.parametrize("product", ["cheese", "Cheeses", "CHEESE"])
def test_a_category_is_kept_to(small_shop: Shop, product: str) -> None:
    """Protects the filter, however the category is written."""
    finding = recommend_products(small_shop, "c007", product=product, top=8)
    assert len(finding.rows) == 8
    assert all(str(row[1]).startswith("Cheese") for row in finding.rows)


def test_a_single_product_stands_for_its_category(small_shop: Shop) -> None:
    """Protects “something like this”: an id keeps to the category of the product."""
    finding = recommend_products(small_shop, "c007", product="p02", top=8)
    assert len(finding.rows) == 8
    assert all(str(row[1]).startswith("Cheese") for row in finding.rows)


def test_what_cannot_be_is_said_in_a_sentence(small_shop: Shop) -> None:
    """Protects people from tracebacks."""
    assert recommend_products(small_shop, "nobody").status == "refused"
    assert recommend_products(small_shop, "c007", top=0).status == "refused"
    assert recommend_products(small_shop, "c007", product="zzqx").status == "ambiguous"


def test_a_customer_without_orders_is_offered_what_is_popular(small_shop: Shop) -> None:
    """Protects newcomers: an offer, and a caveat that it is not about them."""
    finding = recommend_products(small_shop, "quiet")
    assert finding.status == "answered" and finding.rows
    assert finding.caveat is not None and "bought nothing" in finding.caveat


def test_a_tiny_shop_is_answered(tiny_shop: Shop) -> None:
    """Protects small shops: offers by rule, without a made-up chance."""
    finding = recommend_products(tiny_shop, "c1")
    assert finding.status == "answered" and finding.rows
    assert "chance" not in [column.name for column in finding.columns]


@settings(max_examples=40, deadline=None)
@given(who=st.sampled_from(["c007", "quiet", "x"]), product=st.text(max_size=10), top=st.integers(-3, 1100))
def test_no_argument_raises(small_shop: Shop, who: str, product: str, top: int) -> None:
    """Protects the agent: whatever a model passes, a finding with a sentence comes back."""
    assert recommend_products(small_shop, who, product=product, top=top).headline


def test_the_schema_is_the_contracts() -> None:
    """Protects names and defaults."""
    assert Tool(recommend_products).defaults == {"product": None, "top": 5}
