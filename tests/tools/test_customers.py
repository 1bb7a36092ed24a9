"""customer_profile and churn_risk: right figures in sentences, and no exception for odd arguments."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up import MakeShop, order_lines, products_of

from storewise.tools.customers import churn_risk, customer_profile
from storewise.tools.finding import Finding, percent, show
from storewise.tools.models.segments import segments
from storewise.tools.registry import Tool
from storewise.tools.shop.generation import Shop


def cells(finding: Finding, row: int = 0) -> dict[str, object]:
    """Return one row of a finding's table by column name."""
    return {column.name: cell for column, cell in zip(finding.columns, finding.rows[row], strict=True)}


def test_a_profile_is_of_that_customer(small_shop: Shop) -> None:
    """Protects every figure of a profile, counted again here with plain SQL."""
    finding = customer_profile(small_shop, "c007")
    told = cells(finding)
    counted = small_shop.query(
        """
        SELECT count(DISTINCT order_id) AS orders, round(sum(amount), 2) AS spend,
            round(sum(amount) FILTER (CAST(ordered_at AS DATE) > CAST($as_of AS DATE) - 365), 2) AS year,
            CAST($as_of AS DATE) - CAST(max(ordered_at) AS DATE) AS recency
        FROM orders WHERE customer_id = 'c007'
        """,
        {"as_of": small_shop.as_of},
    ).iloc[0]
    assert finding.status == "answered"
    assert (told["customer_id"], told["age"]) == ("c007", "45-54")
    assert (told["orders"], told["spend"]) == (counted["orders"], counted["spend"])
    assert (told["spend_365_days"], told["recency_days"]) == (counted["year"], counted["recency"])
    assert told["segment"] == segments(small_shop).set_index("customer_id").loc["c007", "segment"]
    for name in ("segment", "orders", "spend", "risk"):
        column = next(column for column in finding.columns if column.name == name)
        assert show(told[name], column) in finding.headline  # type: ignore[arg-type]


def test_profile_and_churn_agree(small_shop: Shop) -> None:
    """Protects a conversation: both tools say the same risk and segment of one customer."""
    profile, risk = customer_profile(small_shop, "c003"), churn_risk(small_shop, customer_id="c003")
    for name in ("risk", "segment", "recency_days", "usual_gap"):
        assert cells(profile)[name] == cells(risk)[name]
    assert "c003" in risk.headline
    assert percent(float(str(cells(risk)["risk"]))) in risk.headline


@pytest.mark.parametrize("typed", [" c007 ", "#c007", "C007"])
def test_an_id_is_found_however_it_is_typed(small_shop: Shop, typed: str) -> None:
    """Protects people who paste ids."""
    assert cells(customer_profile(small_shop, typed))["customer_id"] == "c007"


def test_the_ranking_is_by_risk_and_leaves_out_the_lost(small_shop: Shop) -> None:
    """Protects the order, the number of rows, and the sentence about who is left out."""
    finding = churn_risk(small_shop, top=15)
    risks = [float(str(cells(finding, row)["risk"])) for row in range(15)]
    assert risks == sorted(risks, reverse=True)
    assert all(cells(finding, row)["segment"] != "Lost" for row in range(15))
    lost = int((segments(small_shop)["segment"] == "Lost").sum())
    assert lost > 0
    assert finding.caveat is not None and f"{lost} customers" in finding.caveat
    first = cells(finding)
    assert f"customer {first['customer_id']} " in finding.headline and percent(risks[0]) in finding.headline
    assert finding.chart is not None
    assert {finding.chart.x, *finding.chart.y} <= {column.name for column in finding.columns}


def test_a_segment_keeps_to_its_customers(small_shop: Shop) -> None:
    """Protects the filter, in any case, for each segment; an empty one is said in a sentence."""
    members = segments(small_shop).groupby("segment")["customer_id"].apply(set).to_dict()
    for name in ("lost", "AT RISK", "Loyal", "new"):
        finding = churn_risk(small_shop, segment=name, top=1000)  # type: ignore[arg-type]
        wanted = members.get(name.capitalize(), set())
        assert finding.status == "answered"
        assert {row[0] for row in finding.rows} == wanted


def test_what_cannot_be_is_refused_in_a_sentence(small_shop: Shop) -> None:
    """Protects people from tracebacks and from answers about nobody."""
    for finding in (
        customer_profile(small_shop, "nobody"),
        churn_risk(small_shop, customer_id="nobody"),
        churn_risk(small_shop, top=0),
        churn_risk(small_shop, top=1001),
    ):
        assert finding.status == "refused" and finding.headline.endswith(".")
    wrong = churn_risk(small_shop, segment="VIP")  # type: ignore[arg-type]
    assert wrong.status == "ambiguous" and "Champions" in wrong.headline


def test_a_customer_without_orders_is_known(small_shop: Shop) -> None:
    """Protects those who signed up and bought nothing yet."""
    assert "no order" in customer_profile(small_shop, "quiet").headline
    assert "no order" in churn_risk(small_shop, customer_id="quiet").headline


@settings(max_examples=40, deadline=None)
@given(who=st.text(max_size=12), top=st.integers(-5, 1100))
def test_no_argument_raises(small_shop: Shop, who: str, top: int) -> None:
    """Protects the agent: whatever a model passes, a finding comes back."""
    for finding in (customer_profile(small_shop, who), churn_risk(small_shop, top=top)):
        assert finding.status in ("answered", "refused") and finding.headline


def test_a_tiny_shop_gets_a_profile_without_a_risk(tiny_shop: Shop) -> None:
    """Protects small shops: what is known is told, what cannot be learned is said."""
    profile = customer_profile(tiny_shop, "c1")
    assert profile.status == "answered" and "risk" not in profile.headline
    assert profile.caveat is not None and "too few" in profile.caveat
    risk = churn_risk(tiny_shop)
    assert risk.status == "missing_table" and "too few" in risk.headline


def test_without_a_model_the_next_command_is_named(make_shop: MakeShop) -> None:
    """Protects a freshly loaded shop."""
    lines = order_lines([("o1", "a", "p1", "2023-12-01", 5.0)])
    shop = make_shop(orders=lines, products=products_of(lines))
    assert "storewise fit" in churn_risk(shop).headline
    assert "storewise fit" in str(customer_profile(shop, "a").caveat)


def test_the_schemas_are_the_contracts() -> None:
    """Protects names, defaults and the segment's words."""
    assert Tool(customer_profile).defaults == {}
    assert Tool(churn_risk).defaults == {"customer_id": None, "segment": None, "top": 10}
    assert re.search("At risk", str(Tool(churn_risk).schema))
