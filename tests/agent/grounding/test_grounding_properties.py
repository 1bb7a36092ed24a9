"""Protects what must hold of any finding: its own sentences pass, a changed figure does not, nothing raises."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from storewise.agent.grounding import check
from storewise.agent.grounding.names import column_kind
from storewise.tools.finding import Column, Finding, show

CASES = Path(__file__).parent / "cases"
FOLDERS = (".", "shop", "fresh", "last")
_FIGURE = re.compile(r"\d[\d,]*\.?\d*")


@cache
def findings() -> tuple[Finding, ...]:
    """Return all findings of the cases: made up ones, and frozen ones of the demo shop."""
    found = []
    for folder in FOLDERS:
        for line in (CASES / folder / "findings.jsonl").read_text(encoding="utf-8").splitlines():
            found.append(Finding.model_validate(json.loads(line)["finding"]))
    return tuple(found)


def single_facts() -> list[tuple[Finding, str, str, str]]:
    """Return sentences that state one cell: the finding, the sentence's two halves, and the cell as shown."""
    found = []
    for finding in findings():
        if not finding.rows or finding.columns[0].role != "entity":
            continue
        noun = {"customer": "Customer ", "session": "Session ", "review": "Review "}.get(
            column_kind(finding.columns[0]), ""
        )
        for row in finding.rows[:6]:
            for cell, column in zip(row, finding.columns, strict=True):
                if column.role == "measure" and cell is not None:
                    start = f"{noun}{row[0]}: {column.label.lower()} "
                    found.append((finding, start, show(cell, column), "."))
    return found


@pytest.mark.parametrize("finding", findings(), ids=lambda finding: finding.headline[:50])
def test_a_headline_and_a_caveat_pass_to_the_letter(finding: Finding) -> None:
    text = f"{finding.headline} {finding.caveat or ''}".strip()
    assert check(text, [finding], "What is it?").problems == ()
    assert check(text, [], "And before?", earlier=[finding]).problems == ()


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300))
def test_any_headline_passes_to_the_letter(headline: str) -> None:
    finding = Finding(tool="made_up", status="answered", headline=headline)
    assert check(headline, [finding], "What is it?").problems == ()


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(single_facts()))
def test_a_cell_said_of_its_row_passes(fact: tuple[Finding, str, str, str]) -> None:
    finding, start, shown, end = fact
    assert check(start + shown + end, [finding], "What is it?").problems == ()


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(single_facts()), st.integers(1, 10**6), st.integers(0, 2))
def test_another_figure_in_its_place_is_caught(
    fact: tuple[Finding, str, str, str], number: int, places: int
) -> None:
    finding, start, shown, end = fact
    value = number / 10**places
    held = [
        float(one.replace(",", "").rstrip("."))
        for one in _FIGURE.findall(finding.model_dump_json())
        if one != ","
    ]
    held += [float(cell) for row in finding.rows for cell in row if isinstance(cell, int | float)]
    # Not a rounding of any figure that the finding holds, nor of a share as percent.
    assume(all(abs(value - one) > 0.1 * one and abs(value - 100 * one) > 0.1 * 100 * one for one in held))
    said = _FIGURE.sub(f"{value:,.{places}f}", shown, count=1)
    assert not check(start + said + end, [finding], "What is it?").grounded


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([one for one in findings() if len(one.rows) > 2]), st.data())
def test_the_figure_of_another_row_is_caught(finding: Finding, data: st.DataObject) -> None:
    columns = finding.columns
    assume(columns[0].role == "entity" and len({row[0] for row in finding.rows}) == len(finding.rows))
    measured = [at for at, column in enumerate(columns) if column.role == "measure"]
    at = data.draw(st.sampled_from(measured))
    one, other = data.draw(st.permutations(range(len(finding.rows))))[:2]
    row, wrong = finding.rows[one], finding.rows[other][at]
    assume(wrong is not None and row[at] is not None)
    mine = {_rounded(cell, column) for cell, column in zip(row, columns, strict=True)}
    assume(_rounded(wrong, columns[at]) not in mine)
    noun = {"customer": "customer ", "session": "session ", "review": "review "}.get(
        column_kind(columns[0]), ""
    )
    text = f"The {columns[at].label.lower()} of {noun}{row[0]} is {show(wrong, columns[at])}."
    assert not check(text, [finding], "What is it?").grounded, text


def _rounded(cell: object, column: Column) -> str:
    """Return a figure without its last digits: what differs there may be a rounding."""
    if isinstance(cell, int | float):
        return f"{100 * cell:.0f} %" if column.format == "percent" else f"{cell:.1f}"
    return ""


_WORDS = st.sampled_from(
    "900 customer 1228 , and the % $ 12.3 ( ) : Champions At risk rose fell to from in March 2017 than more "
    '"quote" [R0001] S000001 second highest respectively not 1/3 2017-02-30 99999999999999999999 — \n - | ½ ² ٣'.split(
        " "
    )
)


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(st.text(max_size=300), st.lists(_WORDS, max_size=60).map(" ".join)), st.sampled_from(findings())
)
def test_no_text_breaks_the_check(text: str, finding: Finding) -> None:
    verdict = check(text, [finding], text[:80], earlier=findings()[:2])
    assert verdict.grounded == (verdict.problems == ())
