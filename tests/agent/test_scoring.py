"""Protects the scoring of calls: it must follow the contract's rules to the letter."""

import pytest

from storewise.agent.answer import Call
from storewise.agent.scoring import best_score, score
from storewise.tools.registry import analyst_tools

TOOLS = analyst_tools()
ENTRIES = {"soda": "category:SOFT DRINKS", "soft drinks": "category:SOFT DRINKS", "milk": "category:MILK"}


def entry(text: str) -> str | None:
    return ENTRIES.get(text.lower())


def call(name: str, **args: object) -> Call:
    return Call(name=name, args=args)


@pytest.mark.parametrize(
    ("right", "given"),
    [
        (call("churn_risk"), call("churn_risk", top=10)),
        (call("churn_risk", segment="At risk"), call("churn_risk", segment="at risk")),
        (
            call("sales_report", metric="revenue", product="soda"),
            call("sales_report", metric="revenue", product="Soft drinks"),
        ),
        (
            call("sales_report", metric="units", product="frozen pizzas"),
            call("sales_report", metric="units", product="Pizza, frozen"),
        ),
        (call("search_reviews", query="stale bread taste"), call("search_reviews", query="tastes stale")),
        (call("sales_report", metric="revenue", by="none"), call("sales_report", metric="revenue")),
    ],
)
def test_exact(right: Call, given: Call) -> None:
    assert score([right], [given], TOOLS, entry).exact


@pytest.mark.parametrize(
    ("right", "given"),
    [
        (call("churn_risk", top=5), call("churn_risk")),
        (call("churn_risk", customer_id="900"), call("churn_risk", customer_id="901")),
        (call("sales_report", metric="revenue"), call("sales_report", metric="orders")),
        (
            call("sales_report", metric="revenue", product="soda"),
            call("sales_report", metric="revenue", product="milk"),
        ),
        (call("search_reviews", query="stale bread taste"), call("search_reviews", query="bread")),
        (
            call("sales_report", metric="revenue", start="2017-03-01"),
            call("sales_report", metric="revenue", start="2017-03-02"),
        ),
    ],
)
def test_routed_but_not_exact(right: Call, given: Call) -> None:
    result = score([right], [given], TOOLS, entry)
    assert result.routed
    assert not result.exact


def test_order_and_number_of_calls_count() -> None:
    one, two = call("churn_risk"), call("cart_risk")
    assert score([one, two], [one, two], TOOLS, entry).exact
    assert not score([one, two], [two, one], TOOLS, entry).routed
    assert not score([one], [one, two], TOOLS, entry).routed
    assert score([], [], TOOLS, entry).exact


def test_any_of_takes_the_best() -> None:
    accepted = [[call("churn_risk", top=5)], [call("cart_risk")]]
    assert best_score(accepted, [call("cart_risk")], TOOLS, entry).exact
