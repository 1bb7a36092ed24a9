"""A finding as the page shows it: its table, chart and evidence.

All text is escaped here, once, and never read as Markdown or HTML: what a review, a customer or a
model wrote reaches the page as the characters it is.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections import Counter
from collections.abc import Iterable
from html import escape
from typing import Any

from storewise.tools.finding import (
    Cell,
    Column,
    DataNote,
    Evidence,
    Finding,
    ModelNote,
    ReviewQuote,
    percent,
    show,
)

STATUS = {
    "ambiguous": "Several matches",
    "missing_table": "Missing data",
    "refused": "Cannot be answered this way",
}
_NUMERIC = frozenset({"integer", "decimal", "money", "percent"})
_ROWS_SHOWN = 10
_LABEL = 26  # characters of a label on a chart's axis
_BESIDE = 44  # characters that a cell may have beside others


Block = dict[str, Any]  # a piece of a page with its key


def icon(name: str) -> str:
    """Return an icon of `icons.svg` as markup."""
    return f'<svg class="icon" aria-hidden="true"><use href="storewise/icons.svg#{name}"></use></svg>'


# Control characters, marks of writing direction and others that show nothing or move what stands around
# them; joiners and selectors of emoji and of some scripts are left as they are.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e007f\ud800-\udfff]"
)


def visible(text: str) -> str:
    """Return a text with what cannot be seen in it made visible: ⟨U+202E⟩ for a mark that turns the line."""
    return _UNSEEN.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text.replace("\r\n", "\n"))


def told(text: str) -> str:
    """Return a text as markup that shows each of its characters and obeys none."""
    return escape(visible(text))


def problem(sentence: str) -> str:
    """Return a plain sentence about what is wrong or could not be done, or nothing."""
    return f'<p class="problem">{icon("info")}<span>{told(sentence)}</span></p>' if sentence else ""


def title(name: str) -> str:
    """Return a tool's name as people read it: "Churn risk" for churn_risk."""
    return name.replace("_", " ").capitalize()


def cell(value: Cell, column: Column) -> str:
    """Return a cell as text; a number that is none (NaN, infinite) shows as missing."""
    return show(_finite(value), column)


def heading(column: Column) -> str:
    """Return a column's label, with its unit where neither label nor format tells it already."""
    unit = column.unit or ""
    told = column.format in ("money", "percent") or unit.lower() in column.label.lower()
    return column.label if told else f"{column.label} ({unit})"


def card(finding: Finding) -> str:
    """Return a finding's headline, chart, table and caveat as one piece of markup."""
    parts = [f'<p class="headline">{escape(finding.headline)}</p>']
    drawn = figure(finding)
    if drawn is not None and finding.chart is not None:
        data = escape(json.dumps(drawn))
        parts.append(f'<h3 class="chart-title">{escape(finding.chart.title)}</h3>')
        parts.append(
            f'<div class="chart" style="height:{drawn["layout"]["height"]}px" data-figure="{data}"></div>'
        )
    if finding.rows:
        parts.append(_table_or_facts(finding, drawn=drawn is not None))
    if finding.caveat:
        parts.append(f'<p class="caveat">{icon("info")}<span>{escape(finding.caveat)}</span></p>')
    return "".join(parts)


def _table_or_facts(finding: Finding, drawn: bool) -> str:
    if len(finding.rows) == 1 and len(finding.columns) > 1:
        return facts(finding)
    if not drawn or finding.chart is None:
        return table(finding)
    # A table that tells much more than its chart, such as reasons, stands open.
    opened = " open" if len(finding.columns) > 2 + len(finding.chart.y) else ""
    size = f"{len(finding.rows):,} row{'' if len(finding.rows) == 1 else 's'}"
    return (
        f'<details class="fold" data-fold="table"{opened}><summary>{icon("table")}The figures'
        f'<span class="count">{size}</span></summary>{table(finding)}</details>'
    )


def facts(finding: Finding) -> str:
    """Return a table of one row as a list of facts."""
    items = ""
    for column, value in zip(finding.columns, finding.rows[0], strict=True):
        text = cell(value, column)
        wide = ' class="wide"' if len(text) > _LABEL else ""
        items += f"<div{wide}><dt>{escape(heading(column))}</dt><dd>{escape(text)}</dd></div>"
    return f'<dl class="facts">{items}</dl>'


def table(finding: Finding) -> str:
    """Return a finding's table; its headings sort by the raw values, rows past the tenth are folded.

    A column of longer texts, such as reasons, has no room beside the others: each of its texts
    stands on a line of its own, below the row it belongs to.
    """
    columns = list(enumerate(finding.columns))
    longest = [max(len(cell(row[place], column)) for row in finding.rows) for place, column in columns]
    beside = [(place, column) for place, column in columns if longest[place] <= _BESIDE or place == 0]
    below = [(place, column) for place, column in columns if (place, column) not in beside]
    heads = "".join(
        f'<th scope="col"{_side(column)}>'
        f'<button type="button" data-sort>{escape(heading(column))}</button></th>'
        for _, column in beside
    )
    rows = ""
    for number, row in enumerate(finding.rows):
        cells = "".join(_td(row[place], column) for place, column in beside)
        notes = "".join(
            f'<tr class="below"><td colspan="{len(beside)}"><div><span>{escape(column.label)}:</span> '
            f"{escape(cell(row[place], column))}</div></td></tr>"
            for place, column in below
        )
        rows += f"<tbody{' data-more' if number >= _ROWS_SHOWN else ''}><tr>{cells}</tr>{notes}</tbody>"
    more = ""
    if len(finding.rows) > _ROWS_SHOWN:
        more = f'<button type="button" class="more" data-more>All {len(finding.rows):,} rows</button>'
    return (
        '<div class="table"><div class="scroll" tabindex="0" role="region" aria-label="Table">'
        f"<table><thead><tr>{heads}</tr></thead>{rows}</table></div>{more}</div>"
    )


def _side(column: Column, text: str = "") -> str:
    if column.format in _NUMERIC:
        return ' class="number"'
    return ' class="long"' if len(text) > _LABEL else ""


def _td(value: Cell, column: Column) -> str:
    raw = _finite(value)
    said = cell(value, column)
    text = escape(said)
    if column.format == "percent" and isinstance(raw, int | float) and 0 <= raw <= 1:
        text = f'<span class="share" style="--share:{raw:.3f}">{text}</span>'
    return f'<td{_side(column, said)} data-value="{escape(_raw(raw))}">{text}</td>'


def _finite(value: Cell) -> Cell:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _number(value: Cell) -> int | float | None:
    finite = _finite(value)
    return finite if isinstance(finite, int | float) else None


def _raw(value: Cell) -> str:
    return "" if value is None else value.isoformat() if isinstance(value, dt.date) else str(value)


def figure(finding: Finding) -> dict[str, Any] | None:
    """Return a finding's chart as a Plotly figure (plain JSON), without the colours, which the page adds.

    None where there is no chart, or nothing to draw in it.
    """
    chart = finding.chart
    names = {column.name: place for place, column in enumerate(finding.columns)}
    if chart is None or not finding.rows or any(name not in names for name in (chart.x, *chart.y)):
        return None
    x_column = finding.columns[names[chart.x]]
    # A row without a value (a name, a phrase) has no bar; a line keeps its gaps.
    rows = [
        row
        for row in finding.rows
        if chart.kind == "line" or any(_number(row[names[name]]) is not None for name in chart.y)
    ]
    if not rows:
        return None
    said = [cell(row[names[chart.x]], x_column) for row in rows]
    labels = [escape(label) for label in said]  # Plotly would read tags in them
    dated = x_column.role == "date" or chart.kind == "line"
    lying = chart.kind == "bar" and not dated
    places = list(range(len(labels)))
    traces = []
    for name in chart.y:
        column = finding.columns[names[name]]
        values = [_number(row[names[name]]) for row in rows]
        trace: dict[str, Any] = {
            "name": escape(column.label),
            "customdata": [
                [label, escape(cell(value, column))] for label, value in zip(labels, values, strict=True)
            ],
            "hovertemplate": "%{customdata[0]}<br><b>%{customdata[1]}</b><extra></extra>",
        }
        if chart.kind == "line":
            mode = "lines+markers" if len(places) <= 40 else "lines"
            trace |= {"type": "scatter", "mode": mode, "x": labels, "y": values, "connectgaps": False}
        elif lying:
            trace |= {"type": "bar", "orientation": "h", "x": values, "y": places}
        else:
            trace |= {"type": "bar", "x": labels, "y": values}
        traces.append(trace)
    measure = _axis(finding.columns[names[chart.y[0]]])
    layout: dict[str, Any] = {"showlegend": len(traces) > 1, "height": 300}
    if lying:
        short = [escape(_short(label)) for label in said]
        named = {"tickvals": places, "ticktext": short, "autorange": "reversed", "automargin": True}
        # Parts of a whole, such as praise and blame, lie in one bar.
        layout |= {"xaxis": measure, "yaxis": named, "barmode": "stack", "height": 70 + 30 * len(labels)}
    else:
        # Plotly reads 2017-03-01 as a day by itself; words and week names stay a category.
        layout |= {"xaxis": {"automargin": True, "nticks": 8}, "yaxis": measure}
    return {"data": traces, "layout": layout}


def _short(label: str) -> str:
    return label if len(label) <= _LABEL else label[: _LABEL - 1].rstrip() + "…"


def _axis(column: Column) -> dict[str, Any]:
    axis: dict[str, Any] = {"rangemode": "tozero", "automargin": True, "nticks": 6}
    match column.format:
        case "money":
            axis |= {"tickprefix": escape(column.unit or "$"), "tickformat": "~s"}
        case "percent":
            axis |= {"tickformat": ".0%"}
        case _:
            axis |= {"tickformat": "~s"}
    return axis


def evidence(findings: Iterable[Finding]) -> str:
    """Return the evidence of `findings` as one fold; each piece once; empty if there is none.

    The fold stands open where quotes are all that a finding has to show.
    """
    findings = list(findings)
    pieces = list(dict.fromkeys(piece for finding in findings for piece in finding.evidence))
    if not pieces:
        return ""
    quotes = [_quote(piece) for piece in pieces if isinstance(piece, ReviewQuote)]
    models = [_model(piece) for piece in pieces if isinstance(piece, ModelNote)]
    notes = [f"<li>{escape(piece.text)}</li>" for piece in pieces if isinstance(piece, DataNote)]
    body = "".join(quotes) + "".join(models)
    if notes:
        body += f'<div class="source"><h4>Where the data comes from</h4><ul>{"".join(notes)}</ul></div>'
    opened = " open" if quotes and not any(finding.chart for finding in findings) else ""
    return (
        f'<details class="fold evidence" data-fold="evidence"{opened}><summary>{icon("evidence")}Evidence'
        f'<span class="count">{escape(_counted(pieces))}</span></summary>{body}</details>'
    )


def _counted(pieces: list[Evidence]) -> str:
    kinds = Counter[str](piece.kind for piece in pieces)
    names = {"review": "review", "model": "model", "data": "data note"}
    told = [(kinds[kind], name) for kind, name in names.items() if kinds[kind]]
    return ", ".join(f"{count} {name}{'' if count == 1 else 's'}" for count, name in told)


def _quote(quote: ReviewQuote) -> str:
    about = f"<span>{escape(quote.about)}</span>" if quote.about else ""
    mood = f'<span class="mood {quote.sentiment}">{quote.sentiment}</span>' if quote.sentiment else ""
    return (
        f'<figure class="quote"><blockquote>{escape(visible(quote.text))}</blockquote>'
        f"<figcaption><code>{escape(quote.review_id)}</code>{about}{mood}</figcaption></figure>"
    )


def _model(note: ModelNote) -> str:
    return (
        f'<div class="source"><h4>Model: {escape(note.name)}</h4><p>Version {escape(note.version)}, trained '
        f"{escape(note.trained_at)}. {escape(note.quality)}</p>{_drivers(note)}</div>"
    )


def _drivers(note: ModelNote) -> str:
    """Return the model's global picture as a bar chart: each group's share of what moves predictions."""
    if not note.drivers:
        return ""
    longest = max(share for _, share in note.drivers)
    bars = "".join(
        f'<li><span>{escape(group)}</span><i style="width:{100 * share / longest:.0f}%"></i>'
        f"<b>{percent(share)}</b></li>"
        for group, share in note.drivers
    )
    return f'<h5>What moves its predictions</h5><ul class="drivers">{bars}</ul>'
