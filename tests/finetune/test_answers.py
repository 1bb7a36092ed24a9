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
