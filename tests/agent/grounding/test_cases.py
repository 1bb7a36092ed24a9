"""Protects the promise that no figure is stated which no tool computed: answers written by hand, wrong and right."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from storewise.agent.grounding import check
from storewise.agent.grounding.measure import judged, main, measure

CASES = Path(__file__).parent / "cases"


@pytest.mark.parametrize(
    ("file", "half", "least", "of"),
    [
        ("wrong", "development", 30, 30),
        ("wrong", "held_out", 28, 30),
        ("right", "development", 30, 30),
        ("right", "held_out", 28, 30),
    ],
)
def test_wrong_answers_are_caught_and_right_ones_pass(file: str, half: str, least: int, of: int) -> None:
    reached = measure(CASES)[file][half]
    assert reached[1] == of
    assert reached[0] >= least


@pytest.mark.parametrize(
    ("folder", "wrong", "right"),
    [
        ("shop", 40, 40),
        ("free", 36, 41),
        ("fresh", 30, 40),
        ("last", 40, 40),
        ("final", 30, 30),
        ("errors", 60, 0),
    ],
)
def test_what_the_check_was_developed_on_stays_right(folder: str, wrong: int, right: int) -> None:
    for file, least in (("wrong", wrong), ("right", right)):
        failed = [
            f"{case['id']}: {case['answer']} {verdict.problems}"
            for case, verdict in judged(CASES / folder, file)
            if verdict.grounded is not (file == "right")
        ]
        assert failed == []
        assert len((CASES / folder / f"{file}.jsonl").read_text(encoding="utf-8").splitlines()) == least


def test_problems_are_sentences_that_name_whom_a_figure_belongs_to() -> None:
    case, verdict = next(pair for pair in judged(CASES, "wrong") if pair[0]["kind"] == "wrong customer")
    assert "'83.4 %'" in " ".join(verdict.problems)
    assert "1609" in " ".join(verdict.problems), case
    assert all(problem.endswith(".") for problem in verdict.problems)


def test_a_check_takes_a_few_milliseconds() -> None:
    list(judged(CASES / "shop", "right"))  # warm
    before = time.process_time()
    number = len(list(judged(CASES / "shop", "right")))
    assert (
        time.process_time() - before
    ) / number < 0.05  # 5 ms alone on two cores, reading the cases included


def test_the_command_prints_one_json_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(CASES)]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["wrong"]["all"][1] == printed["right"]["all"][1] == 60
    assert printed["wrong"]["kinds"]["swapped list"][1] == 4
    assert main(["no-such-folder"]) == 2


def test_an_answer_without_findings_may_say_nothing_of_the_shop() -> None:
    assert check("Hello! What would you like to know?", [], "hey there").grounded
    assert not check("Revenue was $12,000 in March.", [], "revenue in march?").grounded
    assert not check("Customer 900 is one of the Champions.", [], "who is 900?").grounded
