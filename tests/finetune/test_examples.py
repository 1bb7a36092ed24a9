"""The training examples: every wish is heard, every value stands in its question, and a seed says it all."""

import datetime as dt
import random
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storewise.finetune.examples import WISHES, Example, make_examples
from storewise.finetune.horizons import Horizons, reads
from storewise.finetune.noise import misspell
from storewise.finetune.times import Times
from storewise.finetune.wording import ARGUMENTS, SEGMENTS, BankError, read_bank, read_banks
from storewise.tools.calls import read_calls
from storewise.tools.horizons import read_horizons
from storewise.tools.numbers import read_numbers
from storewise.tools.shop.dates import read_periods

AS_OF, FIRST = dt.date(2017, 12, 31), dt.date(2017, 1, 1)


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    return list(make_examples(WISHES, None, 4000, seed=3))


def test_a_seed_says_it_all(examples: list[Example]) -> None:
    assert examples[:400] == list(make_examples(WISHES, None, 4000, seed=3))[:400]
    assert examples[:50] != list(make_examples(WISHES, None, 4000, seed=4))[:50]


def test_the_number_asked_for_and_none_twice(examples: list[Example]) -> None:
    assert len(examples) == 4000
    assert len({(str(e.before), e.question.lower()) for e in examples}) == 4000


def test_balance(examples: list[Example]) -> None:
    """A double share of sales, every tool well heard, and the shares of the kinds that fail most."""
    one = [e.tools[0] if e.tools else "none" for e in examples if len(e.tools) < 2 and e.before is None]
    assert set(one) == {*ARGUMENTS, "none"}
    assert one.count("sales_report") == pytest.approx(2 * one.count("cart_risk"), abs=8)
    assert one.count("none") == pytest.approx(480, abs=5)
    assert sum(len(e.tools) > 1 for e in examples) > 380
    assert sum(e.before is not None for e in examples) == pytest.approx(440, abs=5)


def test_every_answer_fits_the_contract(examples: list[Example]) -> None:
    for example in examples:
        calls = read_calls(example.answer)
        assert [call.name for call in calls if call.name != "none"] == example.tools
        for call in calls:
            if call.name == "none":
                continue
            assert call.args.keys() <= ARGUMENTS[call.name].keys()
            for name, value in call.args.items():
                allowed = ARGUMENTS[call.name][name]
                assert not isinstance(allowed, tuple) or value in allowed


def test_every_value_stands_in_its_question(examples: list[Example]) -> None:
    """To the letter as typed; numbers by what they say. A follow-up may take it from the question before."""
    for example in examples:
        said = example.question + "\n" + (example.before["question"] if example.before else "")
        numbers = {str(m.value) for m in read_numbers(said)} | set(re.findall(r"\d+", said))
        for call in read_calls(example.answer):
            for name, value in call.args.items():
                if name == "top":
                    assert value in numbers, example
                elif name == "weeks":
                    assert int(value) in {one.weeks for one in read_horizons(said)}, example
                elif name == "segment":
                    assert value in SEGMENTS
                elif name not in ("metric", "by", "sentiment", "kind"):
                    assert value in said, (name, value, example)


def test_every_time_is_read_whole(examples: list[Example]) -> None:
    for example in examples:
        for call in read_calls(example.answer):
            if "when" in call.args:
                [period] = read_periods(call.args["when"], AS_OF, FIRST)
                assert period.text == call.args["when"]


@given(st.integers(0, 10_000), st.sampled_from(["weeks", "span", "long"]))
def test_a_time_ahead_is_read_as_the_weeks_it_means(seed: int, slot: str) -> None:
    piece = Horizons(WISHES / "horizons.txt").draw(slot, random.Random(seed))
    assert str(reads(piece.text)) == piece.value


def test_many_times_ahead_and_many_ways_to_say_them(examples: list[Example]) -> None:
    calls = [call for example in examples for call in read_calls(example.answer) if "weeks" in call.args]
    assert len(calls) > 100
    assert len({call.args["weeks"] for call in calls}) > 15


def test_the_banks_are_right_and_long_enough() -> None:
    banks = read_banks(WISHES)
    for tool in ARGUMENTS:
        assert sum(len(block.wishes) for block in banks[tool]) > 150, tool


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("= customer_value(weeks={when})\nvalue {when}", "the slot here is {weeks}"),
        ("= churn_risks()\nwho leaves", "there is no tool churn_risks"),
        ("= churn_risk(top={top})\nwho leaves", "line 2: the call has {top}, this wording has not"),
        ("= churn_risk()\nthe {top} who leave", "line 2: the wording has {top}, the call above has not"),
        ("= churn_risk()\nwho (leaves", "line 2: '(' without ')'"),
        ("= sales_report(by=month)\nsales", "sales_report needs metric"),
        ("= sales_report(metric=profit)\nprofit", "metric=profit"),
        ("= cart_risk(session={session})\ncart {session}", "takes no session"),
        ("= none(weather)\nrain", "none(weather)"),
        ("= cart_risk()\n", "no wording"),
        ("open carts", "before the first"),
    ],
)
def test_a_wrong_bank_is_named_with_its_line(tmp_path: Path, text: str, complaint: str) -> None:
    bank = tmp_path / "bank.txt"
    bank.write_text(text)
    with pytest.raises(BankError) as error:
        read_bank(bank)
    assert "bank.txt, line" in str(error.value)
    assert complaint in str(error.value)


@given(st.text(max_size=60), st.integers(0, 10_000))
def test_slips_never_touch_what_has_digits(text: str, seed: int) -> None:
    def with_digits(of: str) -> list[str]:
        return re.findall(r"\S*\d\S*", of)

    ids = "customer 900, cart S000123, 12 oz " + re.sub(r"\d", "", text)
    assert with_digits(misspell(ids, random.Random(seed))) == with_digits(ids)


@given(st.integers(0, 10_000), st.dates(dt.date(2010, 1, 31), dt.date(2030, 12, 31)))
def test_times_are_readable_on_any_clock(seed: int, as_of: dt.date) -> None:
    times = Times(WISHES / "times.txt", as_of, as_of - dt.timedelta(days=364))
    text = times.draw(random.Random(seed))
    [period] = read_periods(text, as_of, times.first)
    assert period.text == text
