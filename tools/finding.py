"""A finding: what every tool returns.

The model reads its short text form, the person sees the whole of it, the grounding check compares
answers with it, and the API returns it as JSON. It is frozen: nobody edits a finding after the tool.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

FINDING_VERSION = 1

Status = Literal["answered", "ambiguous", "missing_table", "refused"]
Role = Literal["entity", "measure", "date", "text"]
# How a raw value is shown; `unit` says what it counts ("$", "orders", "days").
Format = Literal["text", "integer", "decimal", "money", "percent", "date"]
Cell = str | int | float | dt.date | None


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Column(_Frozen):
    """One column of a finding's table: raw values beside how they are meant and shown."""

    name: str
    label: str
    role: Role
    unit: str | None = None
    format: Format = "text"


class Chart(_Frozen):
    """A chart of the finding's own table: `x` and `y` name columns."""

    kind: Literal["line", "bar"]
    x: str
    y: tuple[str, ...]
    title: str


class ReviewQuote(_Frozen):
    """Words quoted from one review, to the letter."""

    kind: Literal["review"] = "review"
    review_id: str
    text: str
    about: str | None = None
    sentiment: Literal["positive", "negative", "mixed"] | None = None


class ModelNote(_Frozen):
    """The model behind a prediction, how well it did on later data, and what moves its predictions.

    `drivers` names groups of features with their shares of all movement, the strongest first.
    """

    kind: Literal["model"] = "model"
    name: str
    version: str
    trained_at: str
    quality: str
    drivers: tuple[tuple[str, float], ...] = ()


class DataNote(_Frozen):
    """Where rows came from: real, simulated or matched."""

    kind: Literal["data"] = "data"
    text: str


Evidence = ReviewQuote | ModelNote | DataNote


class Finding(_Frozen):
    """What a tool found out.

    Attributes:
        status: answered; ambiguous (the headline names the close matches); missing_table (the shop
            lacks what the tool needs); refused (an argument cannot be right).
        headline: one or two sentences, right as they stand.
        columns, rows: a small table of raw values, one column description each.
        evidence: quoted reviews, the model behind a prediction, or where the data came from.
        caveat: a sentence, where one is due.
    """

    version: int = FINDING_VERSION
    tool: str
    arguments: dict[str, Any] = Field(default_factory=dict)
    status: Status
    headline: str
    columns: tuple[Column, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    chart: Chart | None = None
    evidence: tuple[Evidence, ...] = ()
    caveat: str | None = None

    @field_validator("rows")
    @classmethod
    def _dates_again(
        cls, rows: tuple[tuple[Cell, ...], ...], info: ValidationInfo
    ) -> tuple[tuple[Cell, ...], ...]:
        """A finding read back from JSON has its dates as text: columns of dates get them back."""
        dates = {i for i, column in enumerate(info.data.get("columns", ())) if column.format == "date"}
        if not dates:
            return rows
        return tuple(
            tuple(_date(cell) if index in dates else cell for index, cell in enumerate(row)) for row in rows
        )

    @model_validator(mode="after")
    def _rows_fit_columns(self) -> Finding:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"a row has {len(row)} cells for {len(self.columns)} columns")
        return self

    def text(self, rows: int = 3, columns: int = 4, quotes: int = 2) -> str:
        """Return the short form that a model reads: headline, the table's first cells, first quotes."""
        lines = [self.headline]
        if self.rows:
            shown = self.columns[:columns]
            lines.append(" | ".join(column.label for column in shown))
            lines += [
                " | ".join(show(cell, column) for cell, column in zip(row, shown, strict=False))
                for row in self.rows[:rows]
            ]
        said = [e for e in self.evidence if isinstance(e, ReviewQuote)][:quotes]
        lines += [f'[{quote.review_id}] "{quote.text}"' for quote in said]
        return "\n".join(lines)


def _date(cell: Cell) -> Cell:
    if not isinstance(cell, str):
        return cell
    try:
        return dt.date.fromisoformat(cell[:10])
    except ValueError:
        return cell


def show(value: Cell, column: Column) -> str:
    """Return `value` as `column` displays it, e.g. 0.1234 as 12.3 % and 1234.5 as $1,234.50."""
    if value is None:
        return "–"
    if isinstance(value, dt.date):
        return value.isoformat()[:10]
    if isinstance(value, str):
        return value
    match column.format:
        case "money":
            return f"{column.unit or '$'}{value:,.2f}"
        case "percent":
            return f"{100 * value:.1f} %"
        case "integer":
            return f"{value:,.0f}"
        case "decimal":
            return f"{value:,.2f}"
        case _:
            return str(value)


def money_column(name: str, label: str) -> Column:
    """Return a column of dollars."""
    return Column(name=name, label=label, role="measure", unit="$", format="money")


def count_column(name: str, label: str, unit: str) -> Column:
    """Return a column of whole numbers of `unit`."""
    return Column(name=name, label=label, role="measure", unit=unit, format="integer")


def money(value: float) -> str:
    """Return dollars as headlines write them: $1,234.50."""
    return f"${value:,.2f}"


def percent(share: float) -> str:
    """Return a share between 0 and 1 as headlines write it: 12.3 %."""
    return f"{100 * share:.1f} %"
