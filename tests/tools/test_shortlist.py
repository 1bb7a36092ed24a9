"""Protects the way to a tool that came after the last tuning, and that it does not push the tuned ones aside."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from storewise.tools.registry import analyst_tools
from storewise.tools.reviews.embedding import encode
from storewise.tools.shortlist import FILE, NONE, TWO, Newcomers, Shortlist, masked

LABELS = ["sales_report", "churn_risk", NONE, TWO]
TOOLS = ["sales_report", "churn_risk", "stock_level"]
DESCRIPTIONS = {
    "sales_report": 'How the shop sold.\n\nFor "what was the revenue in March?".',
    "churn_risk": 'Who is likely to stop buying.\n\nFor "who are we about to lose?".',
    "stock_level": 'How much of a product lies in the warehouse.\n\nFor "how many boxes of tea are left?".',
}


@pytest.fixture
def shortlist(tmp_path: Path) -> Shortlist:
    """A classifier that is sure of revenue, wavers over everything else, and never says none."""
    vector = encode(["what was the revenue in March?"])[0]
    w0 = np.stack([vector, -vector], axis=1)
    w1 = np.array([[30.0, 0, 0, 0], [0, 0, 0, 0]])
    b1 = np.array([-20.0, 0.0, -9.0, -9.0])
    np.savez_compressed(
        tmp_path / FILE, labels=np.array(json.dumps(LABELS)), w0=w0, b0=np.zeros(2), w1=w1, b1=b1
    )
    return Shortlist(tmp_path)


@pytest.fixture
def newcomers(shortlist: Shortlist) -> Newcomers:
    return Newcomers(DESCRIPTIONS, shortlist.labels)


def test_a_new_tool_is_found_by_its_description(newcomers: Newcomers) -> None:
    assert newcomers.names == ["stock_level"]
    assert newcomers.meant("how many boxes of coffee do we have left in the warehouse") == "stock_level"
    assert newcomers.meant("who will we lose next?") is None
    assert newcomers.meant("tell me a joke") is None


def test_without_a_new_tool_nothing_is_meant() -> None:
    assert Newcomers({"churn_risk": DESCRIPTIONS["churn_risk"]}, LABELS).meant("who will we lose?") is None


def test_a_new_tool_that_is_meant_stands_alone(shortlist: Shortlist) -> None:
    """The tuned model does not know it: beside the others it would never be chosen."""
    question = "how many boxes are left"
    choice = shortlist.choose(question, TOOLS, keep=3, newcomer="stock_level")
    assert choice.tools == ("stock_level",)
    assert choice.likeliest == "stock_level"
    assert "stock_level" in shortlist.choose(question, TOOLS, keep=3).tools
    assert shortlist.choose(question, TOOLS, keep=3).likeliest != "stock_level"


def test_a_new_tool_does_not_push_a_sure_one_aside(shortlist: Shortlist) -> None:
    choice = shortlist.choose("what was the revenue in March?", TOOLS, keep=3, newcomer="stock_level")
    assert choice.tools[0] == "sales_report" == choice.likeliest


def test_a_tuned_tool_is_no_newcomer(shortlist: Shortlist) -> None:
    choice = shortlist.choose("who leaves", TOOLS, keep=3, newcomer="churn_risk")
    assert len(choice.tools) > 1


def test_every_tool_of_the_contract_gives_questions_to_be_known_by() -> None:
    described = {name: tool.description for name, tool in analyst_tools().items()}
    found = Newcomers(described, tuned=set(described) - {"customer_value"})
    assert found.meant("customer lifetime value of 17") == "customer_value"
    assert found.meant("which carts will be abandoned") is None
    assert masked("clv of 900") == "clv of 7"
