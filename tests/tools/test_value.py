"""customer_value: right figures in sentences, in order of worth, and no exception for odd arguments."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storewise.tools.customers import customer_profile
from storewise.tools.finding import Finding, money, percent
from storewise.tools.registry import analyst_tools
from storewise.tools.shop.generation import Shop
from storewise.tools.value import customer_value


def cells(finding: Finding, row: int = 0) -> dict[str, object]:
    """Return one row of a finding's table by column name."""
    return {column.name: cell for column, cell in zip(finding.columns, finding.rows[row], strict=True)}


def number(cell: object) -> float:
    """Return a cell as a number."""
    return float(str(cell))


def test_one_customer(small_shop: Shop) -> None:
    """Protects the sentence: its figures are those of the table, and three reasons are given."""
    finding = customer_value(small_shop, customer_id="#C003")
    told = cells(finding)
    assert finding.status == "answered" and told["customer_id"] == "c003" and len(finding.rows) == 1
    for figure in (
        f"{number(told['expected_orders']):,.1f} orders",
        money(number(told["expected_spend"])),
        money(number(told["spend_low"])),
        money(number(told["spend_high"])),
        percent(number(told["alive"])),
        "next 26 weeks",
    ):
        assert figure in finding.headline
    assert number(told["spend_low"]) <= number(told["expected_spend"]) <= number(told["spend_high"])
    assert str(told["why"]).count("; ") == 2
    counted = small_shop.query(
        """SELECT round(sum(amount), 2) AS spend, count(DISTINCT order_id) AS orders FROM orders
        WHERE customer_id = 'c003' AND CAST(ordered_at AS DATE) > CAST($as_of AS DATE) - 7 * 26""",
        {"as_of": small_shop.as_of},
    ).iloc[0]
    assert (told["spend_before"], told["orders_before"]) == (counted["spend"], counted["orders"])


def test_the_ranking_is_by_expected_spend(small_shop: Shop) -> None:
    """Protects the order, the number of rows, the share of all, and the chart's columns."""
    finding, everybody = customer_value(small_shop, top=5), customer_value(small_shop, top=1000)
    spends = [number(cells(finding, row)["expected_spend"]) for row in range(5)]
    assert spends == sorted(spends, reverse=True) and len(finding.rows) == 5
    total = sum(number(cells(everybody, row)["expected_spend"]) for row in range(len(everybody.rows)))
    assert percent(sum(spends) / total) in finding.headline
    assert f"customer {cells(finding)['customer_id']} " in finding.headline
    assert finding.chart is not None
    assert {finding.chart.x, *finding.chart.y} <= {column.name for column in finding.columns}


def test_beyond_the_history_is_said(small_shop: Shop) -> None:
    """Protects honesty: a horizon that no past half could prove carries a caveat; more weeks are more."""
    near, far = customer_value(small_shop, customer_id="c003", weeks=8), customer_value(small_shop, weeks=104)
    assert near.caveat is None and "next 8 weeks" in near.headline
    assert far.caveat is not None and "weeks" in far.caveat
    longer = customer_value(small_shop, customer_id="c003", weeks=104)
    assert number(cells(longer)["expected_spend"]) > number(cells(near)["expected_spend"])


def test_the_profile_says_the_same(small_shop: Shop) -> None:
    """Protects a conversation: profile and value agree on what is expected of a customer."""
    profile, worth = cells(customer_profile(small_shop, "c003")), cells(customer_value(small_shop, "c003"))
    for name in ("expected_spend", "spend_low", "spend_high", "alive"):
        assert profile[name] == worth[name]


def test_what_cannot_be_is_refused_in_a_sentence(small_shop: Shop) -> None:
    """Protects people from tracebacks and from answers about nobody."""
    for finding in (
        customer_value(small_shop, customer_id="nobody"),
        customer_value(small_shop, top=0),
        customer_value(small_shop, weeks=0),
        customer_value(small_shop, weeks=105),
    ):
        assert finding.status == "refused" and finding.headline.endswith(".")
    assert "no order" in customer_value(small_shop, customer_id="quiet").headline


def test_a_shop_without_a_model_says_so(tiny_shop: Shop) -> None:
    """Protects small shops: a plain sentence takes the place of a forecast."""
    finding = customer_value(tiny_shop)
    assert finding.status == "missing_table" and "too few" in finding.headline


@settings(max_examples=30, deadline=None)
@given(who=st.none() | st.text(max_size=8), top=st.integers(-2, 1100), weeks=st.integers(-3, 120))
def test_no_argument_raises(small_shop: Shop, who: str | None, top: int, weeks: int) -> None:
    """Protects the agent: whatever a model passes, a finding comes back."""
    finding = customer_value(small_shop, who, top, weeks)
    assert finding.status in ("answered", "refused") and finding.headline


def test_it_stands_after_churn_risk() -> None:
    """Protects the contract: its place among the tools, and that its arguments are described."""
    tools = analyst_tools()
    names = list(tools)
    assert names[names.index("churn_risk") + 1] == "customer_value"
    schema = tools["customer_value"].schema["properties"]
    assert {name: schema[name]["default"] for name in schema} == {"customer_id": None, "top": 10, "weeks": 26}
    assert all(schema[name]["description"] for name in schema)


@pytest.mark.parametrize("weeks", [1, 26, 104])
def test_figures_are_written_as_shown(small_shop: Shop, weeks: int) -> None:
    """Protects the table: shares are shares, counts are whole, money has cents at most."""
    finding = customer_value(small_shop, weeks=weeks)
    for row in range(len(finding.rows)):
        told = cells(finding, row)
        assert 0 <= number(told["alive"]) <= 1
        assert isinstance(told["orders_low"], int) and isinstance(told["orders_high"], int)
        assert round(number(told["expected_spend"]), 2) == told["expected_spend"]
