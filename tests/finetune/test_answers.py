"""The answer task's examples: every figure and name of a sentence stands in its finding."""

import datetime as dt
import random
import re
from pathlib import Path

from storewise.finetune.answers import SENTENCES, call_arguments, disguised, make_answers
from storewise.finetune.facts import FACTS
from storewise.finetune.wording import ARGUMENTS, read_list
from storewise.tools.calls import WrittenCall
from storewise.tools.finding import Column, Finding, ReviewQuote
from storewise.tools.shop.generation import Shop, open_shop

_TABLE = (
    Column(name="customer_id", label="Customer", role="entity"),
    Column(name="risk", label="Risk of no order in 60 days", role="measure", format="percent"),
    Column(name="why", label="Why", role="text"),
)
ONE_AT_RISK = Finding(
    tool="churn_risk",
    arguments={"customer_id": "900"},
    status="answered",
    headline="Customer 900 is unlikely to stop buying: 1.2 % risk of no order in the next 60 days, "
    "against 8.3 % for all customers on average (last order today).",
    columns=_TABLE,
    rows=(("900", 0.0123, "last order today; usually comes every day"),),
)
QUOTED = Finding(
    tool="search_reviews",
    arguments={"query": "stale"},
    status="answered",
    headline="Of 5,000 reviews, these 2 come nearest to “stale”: 1 positive and 1 negative.",
    columns=(Column(name="review_id", label="Review", role="entity"),),
    rows=(("R0001",), ("R0002",)),
    evidence=(ReviewQuote(review_id="R0001", text="It was stale.", sentiment="negative"),),
)


def test_every_tool_has_sentences_and_slots_that_its_facts_fill() -> None:
    assert {path.stem for path in SENTENCES.glob("*.txt")} == set(ARGUMENTS) == set(FACTS)
    for tool in ARGUMENTS:
        frames = read_list(SENTENCES / f"{tool}.txt")
        assert sum(map(len, frames.values())) >= 25, tool


def test_a_single_customer_is_told_by_the_level_of_the_risk() -> None:
    said = FACTS["churn_risk"](ONE_AT_RISK, "why would 900 leave?")
    assert said is not None
    assert said.sections == ["one", "one low", "one why"]
    assert (said.values["risk"], said.values["average"]) == ("1.2 %", "8.3 %")
    assert said.values["reason2"] == "usually comes every day"


def test_words_of_a_review_are_quoted_to_the_letter() -> None:
    said = FACTS["search_reviews"](QUOTED, "stale?")
    assert said is not None
    assert said.values["quote"] == "It was stale."
    assert said.values["moods"] == "1 positive and 1 negative"


def _summed(rows: tuple[tuple[str, int], ...], headline: str) -> Finding:
    return Finding(
        tool="summarize_reviews",
        status="answered",
        headline=headline,
        columns=(
            Column(name="claim", label="Claim", role="text"),
            Column(name="reviews", label="Reviews", role="measure", unit="reviews", format="integer"),
        ),
        rows=rows,
    )


def test_a_summary_quotes_claims_that_many_share_and_none_with_a_quotation_inside() -> None:
    finding = _summed(
        (("It is fresh.", 1300), ('They call it "fresh" here.', 7), ("Cheap!", 2)),
        "Of 5,000 reviews of Coffee that speak of freshness, most often heard: “It is fresh.” (1,300).",
    )
    said = FACTS["summarize_reviews"](finding, "sum up the coffee reviews on freshness")
    assert said is not None
    assert said.sections == ["topic", "topic product"]
    values = said.values
    assert [values[slot] for slot in ("of", "what", "topic")] == ["5,000", "Coffee", "freshness"]
    assert (values["claim"], values["n"]) == ("It is fresh", "1,300")
    assert (values["claim2"], values["n2"]) == (None, None)
    assert (values["claim3"], values["n3"]) == ("Cheap!", "2")


def test_what_one_customer_says_is_not_told_as_what_many_say() -> None:
    alone = _summed((("It leaks.", 1),), "Of 9 reviews of Juice, most often heard: “It leaks.” (1).")
    said = FACTS["summarize_reviews"](alone, "juice reviews in short")
    assert said is not None
    assert said.sections == ["few"]
    only = _summed((("It leaks.", 1),), "Of 1 review of Juice, most often heard: “It leaks.” (1).")
    said = FACTS["summarize_reviews"](only, "juice reviews in short")
    assert said is not None
    assert said.sections == ["alone"]
    two = _summed((("It leaks.", 2), ("So what.", 1)), "Of 9 reviews, most often heard: “It leaks.” (2).")
    said = FACTS["summarize_reviews"](two, "reviews in short")
    assert said is not None
    assert said.values["claim"] == "It leaks"
    assert said.values["claim2"] is None


def test_nothing_found_is_repeated_as_it_stands() -> None:
    empty = Finding(tool="churn_risk", status="answered", headline="No customer is in the segment New.")
    assert FACTS["churn_risk"](empty, "who of the new ones leaves") is None


def test_a_written_call_is_put_on_the_shops_clock(small_shop: Shop) -> None:
    call = WrittenCall("sales_report", {"metric": "revenue", "top": "3", "when": "in March"})
    assert call_arguments(call, small_shop) == {
        "metric": "revenue",
        "top": 3,
        "start": dt.date(2024, 3, 1),
        "end": dt.date(2024, 3, 31),
    }


def test_figures_stand_in_the_finding(small_home: Path) -> None:
    """On an unfitted shop the tools that need a model say so; the others' figures are all the finding's."""
    with_figures = 0
    for example in make_answers(open_shop(small_home), 70, seed=1):
        assert example.task == "answer"
        if example.answer in example.finding_text:
            continue
        figures = re.findall(r"\$?\d[\d.,-]*\d|\d", example.answer)
        with_figures += bool(figures)
        for figure in figures:
            assert figure in example.finding_text, (example.answer, example.finding_text)
    assert with_figures > 10


def test_a_seed_says_it_all(small_home: Path) -> None:
    shop = open_shop(small_home)
    assert list(make_answers(shop, 14, seed=2)) == list(make_answers(shop, 14, seed=2))


def test_a_ranking_in_disguise_keeps_its_order_and_agrees_with_itself() -> None:
    ranking = Finding(
        tool="churn_risk",
        status="answered",
        headline="Of the 2,241 customers outside the segment Lost, customer 834 is the likeliest to "
        "stop buying: 50.8 % risk of no order in the next 60 days (no order). "
        "The average risk among them is 4.9 %.",
        columns=_TABLE,
        rows=(("834", 0.5081, "no order"), ("2150", 0.5034, "no order"), ("902", 0.486, "no order")),
    )
    for seed in range(50):
        other = disguised(ranking, random.Random(seed))
        said = FACTS["churn_risk"](other, "who leaves?")
        assert said is not None and said.values["id"] is not None
        assert f"customer {said.values['id']} is the likeliest" in other.headline
        assert f"{said.values['risk']} risk" in other.headline
        risks = [row[1] for row in other.rows]
        assert risks == sorted(risks, key=lambda risk: -float(str(risk)))
    assert disguised(ONE_AT_RISK, random.Random(1)) == ONE_AT_RISK


def _valued(orders: str, spend: str, low: str, high: str) -> str:
    return f"{orders} orders worth {spend} in the next 12 weeks (80 % interval {low} to {high})"


_VALUE_TABLE = (
    Column(name="customer_id", label="Customer", role="entity"),
    Column(name="expected_spend", label="Expected spend", role="measure", unit="$", format="money"),
    Column(name="expected_orders", label="Expected orders", role="measure", unit="orders", format="decimal"),
    Column(name="alive", label="Chance still a customer", role="measure", format="percent"),
)
ONE_VALUED = Finding(
    tool="customer_value",
    arguments={"customer_id": "900", "weeks": 12},
    status="answered",
    headline=f"Customer 900 is expected to place {_valued('20.4', '$367.56', '$113.52', '$623.35')}; the chance that "
    "they are still a customer is 98.0 % (88 orders in 365 days; last order today, "
    "usually comes every 4.5 days; $14.38 an order on average).",
    columns=_VALUE_TABLE,
    rows=(("900", 367.56, 20.4, 0.98),),
)
MOST_VALUED = Finding(
    tool="customer_value",
    arguments={"top": 3, "weeks": 12},
    status="answered",
    headline=f"Of 2,467 customers, customer 1023 is expected to be worth most: "
    f"{_valued('43.6', '$4,035.94', '$1,573.30', '$6,478.30')}. The first 3 together are expected to spend "
    "$10,248.69, 1.1 % of what all customers are expected to spend.",
    columns=_VALUE_TABLE,
    rows=(("1023", 4035.94, 43.6, 0.991), ("1453", 3134.54, 110.7, 1.0), ("1609", 3078.21, 36.3, 1.0)),
)


def test_what_a_customer_is_worth_is_told_from_the_side_that_was_asked_about() -> None:
    said = FACTS["customer_value"](ONE_VALUED, "how many orders will 900 place")
    assert said is not None
    assert said.sections == ["one", "one orders"]
    expected = {
        "spend": "$367.56",
        "orders": "20.4",
        "weeks": "12 weeks",
        "low": "$113.52",
        "high": "$623.35",
    }
    assert expected.items() <= said.values.items()
    assert (said.values["alive"], said.values["before"], said.values["days"]) == (
        "98.0 %",
        "88 orders",
        "365 days",
    )
    assert (said.values["rhythm"], said.values["ago"]) == ("every 4.5 days", "today")
    most = FACTS["customer_value"](MOST_VALUED, "who is worth most")
    assert most is not None
    assert most.sections == ["list", "list who"]
    assert (most.values["together"], most.values["share"], most.values["id2"]) == (
        "$10,248.69",
        "1.1 %",
        "1453",
    )


def test_a_value_ranking_in_disguise_agrees_with_itself() -> None:
    for seed in range(50):
        other = disguised(MOST_VALUED, random.Random(seed))
        said = FACTS["customer_value"](other, "who is worth most?")
        assert said is not None
        first = other.rows[0]
        assert said.values["id"] == first[0] != "1023"
        assert f"customer {first[0]} is expected" in other.headline
        assert f"{first[2]:,.1f} orders worth ${first[1]:,.2f} in the next 12 weeks" in other.headline
        assert "(80 % interval " in other.headline
        assert "1.1 % of what all" in other.headline
        spends = [float(str(row[1])) for row in other.rows]
        assert spends == sorted(spends, reverse=True)
