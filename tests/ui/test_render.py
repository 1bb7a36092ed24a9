"""Protects what a person sees of a finding: figures in their format, and text that stays text."""

from __future__ import annotations

import json
import math

import plotly.graph_objects as go
from hypothesis import given
from hypothesis import strategies as st
from samples import HOSTILE, QUOTED, RANKING, SERIES, Markup

from storewise.tools.finding import Chart, Column, Finding, ReviewQuote
from storewise.ui.render import card, cell, evidence, figure, heading, title


def test_a_table_shows_values_as_their_columns_say_and_keeps_the_raw_ones() -> None:
    shown = card(SERIES)
    for text in ("$1,500.50", "66.7 %", "-10.0 %", "–", SERIES.headline, "Fuel is set aside."):
        assert text in Markup(shown).text
    assert 'data-value="1500.5"' in shown


def test_rows_past_the_tenth_are_folded_and_counted() -> None:
    shown = card(RANKING)
    assert shown.count("<tbody data-more>") == 2
    assert "All 12 rows" in shown


def test_longer_texts_stand_below_their_row() -> None:
    why = Column(name="why", label="Why", role="text")
    reason = "no order in the last 30 days, against six per 30 days before"
    told = RANKING.model_copy(
        update={
            "columns": (*RANKING.columns, why),
            "rows": tuple((*row, reason) for row in RANKING.rows[:2]),
            "chart": None,
        }
    )
    shown = card(told)
    assert shown.count('<tr class="below"><td colspan="4">') == 2
    assert Markup(shown).text.count(f"Why: {reason}") == 2


def test_one_row_is_a_list_of_facts() -> None:
    one = RANKING.model_copy(update={"rows": RANKING.rows[:1], "chart": None})
    shown = card(one)
    assert "<table" not in shown
    assert "83.1 %" in Markup(shown).text


def test_units_are_told_once() -> None:
    assert heading(Column(name="a", label="Visits", role="measure", unit="orders")) == "Visits (orders)"
    assert heading(Column(name="a", label="Orders", role="measure", unit="orders")) == "Orders"
    assert heading(Column(name="a", label="Spend", role="measure", unit="$", format="money")) == "Spend"
    assert title("churn_risk") == "Churn risk"


def test_numbers_that_are_none_show_as_missing_and_never_reach_the_page() -> None:
    column = Column(name="m", label="M", role="measure", format="decimal")
    rows = ((math.nan,), (math.inf,), (2.0,))
    chart = Chart(kind="line", x="m", y=("m",), title="M")
    finding = Finding(tool="t", status="answered", headline="h", columns=(column,), rows=rows, chart=chart)
    assert cell(math.nan, column) == "–"
    drawn = figure(finding)
    assert drawn is not None
    assert drawn["data"][0]["y"] == [None, None, 2.0]
    json.dumps(drawn, allow_nan=False)
    assert "nan" not in card(finding).lower()


def test_charts_are_figures_that_plotly_takes() -> None:
    line, bars = figure(SERIES), figure(RANKING)
    assert line is not None and bars is not None
    assert go.Figure(line).data[0].y == (1000.0, 900.25, 1500.5)
    assert go.Figure(bars).data[0].orientation == "h"
    assert line["data"][0]["customdata"][2] == ["2017-12", "$1,500.50"]
    assert bars["layout"]["yaxis"]["ticktext"][0] == "900"


def test_rows_without_a_value_have_no_bar() -> None:
    columns = (
        Column(name="aspect", label="Aspect", role="text"),
        Column(name="praise", label="Praise", role="measure", format="integer"),
        Column(name="blame", label="Blame", role="measure", format="integer"),
    )
    rows = (("taste", 5, None), ("Keurig", None, None), ("price", None, 2))
    chart = Chart(kind="bar", x="aspect", y=("praise", "blame"), title="Aspects")
    finding = Finding(tool="t", status="answered", headline="h", columns=columns, rows=rows, chart=chart)
    drawn = figure(finding)
    assert drawn is not None
    assert drawn["layout"]["yaxis"]["ticktext"] == ["taste", "price"]
    assert [trace["x"] for trace in drawn["data"]] == [[5, None], [None, 2]]
    assert figure(finding.model_copy(update={"rows": rows[1:2]})) is None


def test_a_chart_of_columns_that_are_not_there_is_left_out() -> None:
    chart = Chart(kind="bar", x="nowhere", y=("revenue",), title="Nothing")
    assert figure(SERIES.model_copy(update={"chart": chart})) is None
    assert figure(SERIES.model_copy(update={"rows": ()})) is None


def test_evidence_is_folded_counted_and_told_once() -> None:
    shown = evidence([SERIES, RANKING])
    assert Markup(shown).text.count("Fuel is set aside.") == 1
    assert "1 model, 1 data note" in shown
    for text in ("churn", "Version 1", "2017-12-31", "AUC 0.897"):
        assert text in Markup(shown).text
    assert evidence([]) == ""
    assert "open" not in dict(Markup(shown).attributes)
    quotes_alone = QUOTED.model_copy(update={"chart": None})
    assert "open" in dict(Markup(evidence([quotes_alone])).attributes)


def test_the_global_picture_of_a_model_is_a_chart() -> None:
    """Bars are as long as their shares against the longest; a group's name stays text."""
    text = evidence((RANKING,))
    assert text.count("<i style=") == 2
    assert "width:100%" in text and "width:67%" in text and "60.0 %" in text
    assert "spend <b>" not in text and "spend &lt;b&gt;" in text


def test_hostile_text_is_shown_and_never_obeyed() -> None:
    shown = Markup(card(QUOTED) + evidence([QUOTED]))
    assert shown.harmless
    assert shown.text.count(HOSTILE) >= 5
    drawn = json.dumps(figure(QUOTED))
    assert "<script" not in drawn and "<a " not in drawn and "<img" not in drawn


@given(text=st.text(max_size=200).map(lambda t: t.replace("\r", "\n").replace("\0", "?")))
def test_any_text_stays_text(text: str) -> None:
    finding = Finding(
        tool=text,
        status="ambiguous",
        headline=text,
        columns=(
            Column(name="a", label=text, role="text", unit=text),
            Column(name="b", label="", role="text"),
        ),
        rows=((text, "x"), ("y", text)),
        chart=Chart(kind="bar", x="a", y=("b",), title=text),
        evidence=(ReviewQuote(review_id=text, text=text),),
        caveat=text,
    )
    shown = Markup(card(finding) + evidence([finding]))
    assert shown.harmless
    assert text in shown.text
