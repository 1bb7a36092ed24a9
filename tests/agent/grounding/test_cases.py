"""Protects the promise that no figure is stated which no tool computed: 120 answers written by hand."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storewise.agent.grounding import check
from storewise.agent.grounding.measure import measure
from storewise.tools.finding import Finding

CASES = Path(__file__).parent / "cases"
FINDINGS = [
    Finding.model_validate(json.loads(line)["finding"])
    for line in (CASES / "findings.jsonl").read_text(encoding="utf-8").splitlines()
]


@pytest.mark.parametrize(("file", "least"), [("wrong", 57), ("right", 57)])
def test_wrong_answers_are_caught_and_right_ones_pass(file: str, least: int) -> None:
    judged_right, of = measure(CASES)[file]["all"]
    assert of == 60
    assert judged_right >= least


@pytest.mark.parametrize("finding", FINDINGS, ids=lambda finding: finding.headline[:40])
def test_a_headline_as_it_stands_is_grounded(finding: Finding) -> None:
    assert check(finding.headline, [finding], "What is it?").problems == ()


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(FINDINGS), st.integers(3, 10**7))
def test_a_figure_from_nowhere_is_caught(finding: Finding, number: int) -> None:
    held = finding.model_dump_json()
    if re.search(rf"\b{number}\b", held.replace(",", "")):
        return
    assert not check(f"{finding.headline} In all {number:,} more.", [finding], "How many?").grounded


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=200), st.sampled_from(FINDINGS))
def test_no_text_breaks_the_check(text: str, finding: Finding) -> None:
    verdict = check(text, [finding], "What is it?")
    assert verdict.grounded == (verdict.problems == ())
