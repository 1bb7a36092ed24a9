"""Protects the difference between what is expected and what has been, and between an interval's ends and its middle."""

from __future__ import annotations

import random

import pytest

from storewise.agent.grounding import check
from storewise.finetune.answers import SENTENCES
from storewise.finetune.facts import FACTS
from storewise.finetune.wording import read_list
from storewise.tools.finding import Column, Finding


def _money(name: str, label: str) -> Column:
    return Column(name=name, label=label, role="measure", unit="$", format="money")


def _orders(name: str, label: str) -> Column:
    return Column(name=name, label=label, role="measure", unit="orders", format="integer")


COLUMNS = (
    Column(name="customer_id", label="Customer", role="entity"),
    _money("expected_spend", "Expected spend"),
    Column(name="expected_orders", label="Expected orders", role="measure", unit="orders", format="decimal"),
    Column(name="alive", label="Chance still a customer", role="measure", format="percent"),
    _money("spend_low", "Expected spend, low end (80 %)"),
    _money("spend_high", "Expected spend, high end (80 %)"),
    _orders("orders_low", "Expected orders, low end (80 %)"),
    _orders("orders_high", "Expected orders, high end (80 %)"),
    _money("spend_before", "Spent in the last 12 weeks"),
    _orders("orders_before", "Orders in the last 12 weeks"),
    Column(name="why", label="Why", role="text"),
)
WHY = "88 orders in 365 days; last order today, usually comes every 4.5 days; $14.38 an order on average"
ONE = Finding(
    tool="customer_value",
    arguments={"customer_id": "900", "weeks": 12},
    status="answered",
    headline="Customer 900 is expected to place 20.4 orders worth $367.56 in the next 12 weeks (80 % interval "
    f"$113.52 to $623.35); the chance that they are still a customer is 98.0 % ({WHY}).",
    columns=COLUMNS,
    rows=(("900", 367.56, 20.4, 0.98, 113.52, 623.35, 8, 33, 281.45, 19, WHY),),
)
MOST = Finding(
    tool="customer_value",
    arguments={"top": 3, "weeks": 12},
    status="answered",
    headline="Of 2,467 customers, customer 1023 is expected to be worth most: 43.6 orders worth $4,035.94 in the next "
    "12 weeks (80 % interval $1,573.30 to $6,478.30). The first 3 together are expected to spend $10,248.69, "
    "1.1 % of what all customers are expected to spend.",
    columns=COLUMNS,
    rows=(
        ("1023", 4035.94, 43.6, 0.991, 1573.3, 6478.3, 17, 70, 4871.12, 45, WHY),
        ("1453", 3134.54, 110.7, 1.0, 1273.79, 4981.94, 45, 176, 3412.0, 121, WHY),
        ("1609", 3078.21, 36.3, 1.0, 1188.34, 5007.99, 12, 59, 3132.62, 42, WHY),
    ),
)


@pytest.mark.parametrize(
    "answer",
    [
        "Customer 900 has spent $367.56 in the last 12 weeks.",
        "Customer 900 spent $367.56.",
        "Customer 900 has placed 20.4 orders.",
        "Customer 900 is expected to spend $281.45 in the next 12 weeks.",
        "Customer 900 is expected to place 19 orders in the next 12 weeks.",
        "Customer 900 is expected to spend $113.52 in the next 12 weeks.",
        "Customer 900 is expected to spend at least $623.35.",
        "Customer 900 is expected to spend at least $367.56.",
        "The interval goes from $367.56 to $623.35.",
        "Customer 900 is expected to spend $367.56 a week.",
        "Customer 900 is expected to spend $367.56 in the next 26 weeks.",
        "Customer 900 is expected to spend $367.56 in the next 12 months.",
        "Customer 901 is expected to spend $367.56.",
        "The risk that customer 900 leaves is 98.0 %.",
        "The chance that customer 900 is still a customer is 80 %.",
        "The expected spend of customer 900 fell to $367.56.",
    ],
)
def test_what_is_said_wrongly_of_one_customer_is_caught(answer: str) -> None:
    assert not check(answer, [ONE], "how much will 900 spend?").grounded


@pytest.mark.parametrize(
    "answer",
    [
        "Customer 1453 leads with $4,035.94.",
        "Customer 1453 is expected to be worth most.",
        "Customer 1609 is worth more than customer 1453.",
        "Customer 1023 spent most: $4,035.94.",
        "Customer 1023 earned us $4,035.94 in the past 12 weeks.",
        "Customer 1023 is expected to spend $10,248.69.",
        "Customer 1023 is expected to place 110.7 orders.",
        "Customer 1023 has a risk of 99.1 %.",
        "The first 3 together are expected to spend $10,248.69, 80 % of what all customers are expected to spend.",
    ],
)
def test_what_is_said_wrongly_of_a_ranking_is_caught(answer: str) -> None:
    assert not check(answer, [MOST], "who is worth most?").grounded


@pytest.mark.parametrize(
    ("finding", "answer"),
    [
        (ONE, "Customer 900 is expected to spend between $113.52 and $623.35 in the next 12 weeks."),
        (ONE, "Expect about 20 orders worth $367.56 from customer 900 in the next 12 weeks."),
        (ONE, "Customer 900 spent $281.45 in the last 12 weeks and is expected to spend $367.56 in the next 12 weeks."),
        (ONE, "Customer 900 should bring in $367.56, and at least $113.52."),
        (ONE, "The lifetime value of customer 900 over 12 weeks is $367.56."),
        (ONE, "Customer 900's average order is $14.38."),
        (ONE, "With a chance of 98.0 %, customer 900 is still a customer."),
        (ONE, "It is unlikely that customer 900 leaves."),
        (MOST, "The customer worth most is 1023, with an expected $4,035.94 in the next 12 weeks."),
        (MOST, "Your most valuable customers are 1023, 1453 and 1609."),
        (MOST, "Customer 1453 is second with $3,134.54 and 110.7 orders."),
        (MOST, "Together the top 3 are expected to spend $10,248.69, which is 1.1 % of the total expected spend."),
    ],
)  # fmt: skip
def test_what_a_finding_says_passes_in_other_words(finding: Finding, answer: str) -> None:
    assert check(answer, [finding], "what can we expect?").problems == ()


@pytest.mark.parametrize("finding", [ONE, MOST], ids=["one", "ranking"])
def test_sentences_made_for_the_tuning_pass(finding: Finding) -> None:
    """Every frame of finetune/sentences, filled from a finding, says what the finding says."""
    rng = random.Random(4)
    said = FACTS["customer_value"](finding, "")
    assert said is not None
    values = {name: text for name, text in said.values.items() if text}
    frames = read_list(SENTENCES / "customer_value.txt")
    sections = [name for name in frames if name.split()[0] == said.sections[0]]
    assert len(sections) > 3
    for section in sections:
        for frame in frames[section]:
            text = frame.text(rng, values)
            assert check(text[0].upper() + text[1:], [finding], "").problems == (), text


def test_without_anything_expected_a_figure_may_be_said_in_any_tense() -> None:
    plain = Finding(
        tool="sales_report",
        status="answered",
        headline="Revenue in 2017 was $500.00.",
        columns=(_money("value", "Revenue"),),
        rows=((500.0,),),
    )
    assert check("We made $500.00 in 2017.", [plain], "revenue?").grounded
    assert check("It will be $500.00 in 2017.", [plain], "revenue?").grounded
