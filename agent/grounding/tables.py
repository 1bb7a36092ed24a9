"""A finding's table turned into facts: each cell is about its row."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from storewise.agent.grounding import dates
from storewise.agent.grounding.dates import When
from storewise.agent.grounding.facts import Dated, Fact, Group, Ranking, measures_of
from storewise.agent.grounding.lexicon import key
from storewise.agent.grounding.names import cell_names, column_kind
from storewise.agent.grounding.numbers import Kind
from storewise.agent.grounding.tokens import plain, singular, tokens
from storewise.agent.grounding.wording import window_of
from storewise.agent.grounding.words import KINDS, MEASURES, UNITS
from storewise.tools.finding import Cell, Column, Finding

if TYPE_CHECKING:
    from storewise.agent.grounding.book import Keeper


class Table:
    """Keeps the table of a finding in the book."""

    def __init__(self, keeper: Keeper) -> None:
        self.keeper = keeper
        self.finding = finding = keeper.finding
        self.columns = finding.columns
        self.several = len(finding.rows) > 1
        # A list of facts: what it is in the first column, the value in the second.
        self.pairs = len(self.columns) == 2 and all(column.role == "text" for column in self.columns)
        dated = [at for at, column in enumerate(self.columns) if column.role == "date"]
        self.spans = dated[:2] == [0, 1] and [column.name for column in self.columns[:2]] == ["from", "to"]
        self.series = dated[:1] == [0] and not self.pairs and (self.several or self.spans)
        self.grain = _grain(finding, 0) if self.series else "day"
        self.keys = [] if self.pairs else [at for at in range(len(self.columns)) if self._is_key(at)]
        kinds = {column_kind(self.columns[at]) for at in self.keys}
        # A product's name names its row beside its id, though two rows may share it.
        self.own = [
            at
            for at, column in enumerate(self.columns)
            if at in self.keys or (column.role == "entity" and column_kind(column) in kinds and self.keys)
        ]

    def _is_key(self, at: int) -> bool:
        """Whether a column names the rows: no two alike."""
        column = self.columns[at]
        cells = [row[at] for row in self.finding.rows if row[at] is not None]
        if column.role == "text":
            short = all(isinstance(cell, str) and len(cell) <= 40 for cell in cells)
            named = any(one.role in ("entity", "date") for one in self.columns)
            if at or not short or named or not any(one.role == "measure" for one in self.columns):
                return False
        elif column.role != "entity":
            return False
        return len(set(cells)) == len(cells)

    def keep(self) -> None:
        """Put each row's figures, names and dates in, and the order of the rows."""
        ranking = Ranking(self.keeper.context)
        for row in self.finding.rows:
            self._row(row, ranking)
        if not self.several or self.pairs:
            return
        for at, column in enumerate(self.columns):
            if column.role == "measure":
                values = [_number(row[at]) for row in self.finding.rows]
                ranking.columns.append((measures_of(column.label, column.name, column.unit), values))
        if self.series:
            order = sorted(range(len(ranking.rows)), key=lambda at: _sorting(ranking.whens[at]))
            ranking = Ranking(
                ranking.context,
                [ranking.rows[at] for at in order],
                [ranking.whens[at] for at in order],
                [ranking.opinions[at] for at in order],
                [(named, [values[at] for at in order]) for named, values in ranking.columns],
            )
        self.keeper.book.rankings.append(ranking)
        if not self.spans:
            self._counts()

    def _row(self, row: Sequence[Cell], ranking: Ranking) -> None:
        book = self.keeper.book
        own = frozenset(name for at in self.own for name in keys_of(row[at], self.columns[at]))
        about = self.keeper.context | own
        whens = [
            when for cell, column in zip(row, self.columns, strict=True) if (when := self._when(cell, column))
        ]
        own_when = self._own_when(row)
        for at, (cell, column) in enumerate(zip(row, self.columns, strict=True)):
            if not (self.pairs and at == 0):
                about |= keys_of(cell, column)
        read_text = not self.several or not own or book.speaks_of(own)
        for cell, column in zip(row, self.columns, strict=True):
            if read_text and column.role == "text" and isinstance(cell, str):
                for reading in book.reader.text(cell):
                    about |= {name for one in reading.of("name") for name in one.names}
        if own_when:
            whens = [own_when]
        else:
            whens += self.keeper.span
        book.whens += whens
        book.groups.append(Group(about, (*whens, *self.keeper.span, *self.keeper.general)))
        opinion = frozenset(
            measure
            for cell, column in zip(row, self.columns, strict=True)
            if column.role == "text" and isinstance(cell, str)
            for measure in MEASURES.get((key(cell),), ())
        )
        must = (own,) if self.several and own else ()
        subject = ", ".join(str(row[at]) for at in self.own[:2]) or (str(own_when) if own_when else "")
        shared: dict[str, Any] = {
            "about": about,
            "own": must,
            "whens": (*whens, *self.keeper.general),
            "span": tuple(self.keeper.span),
            "own_when": own_when,
            "current": self.keeper.current,
            "subject": subject,
        }
        for at, (cell, column) in enumerate(zip(row, self.columns, strict=True)):
            label = str(row[0]) if self.pairs else column.label
            when = self._when(cell, column)
            if when and not (self.series and at < 1 + self.spans):
                book.dated.append(Dated(when, frozenset(token.norm for token in tokens(label)), about))
            elif isinstance(cell, int | float):
                book.facts.append(_cell_fact(cell, column, opinion, shared))
            elif isinstance(cell, str):
                book.texts.append(plain(cell))
                if column.role == "text" and read_text and not (self.pairs and at == 0):
                    self.keeper.text(
                        cell, about, own=must, measures=measures_of(label), whens=tuple(whens), label=label
                    )
        ranking.rows.append(own)
        self.keeper.rows.append(own)
        ranking.whens.append(own_when)
        if own_when and self.spans:
            self.keeper.ranges.append(own_when)
        ranking.opinions.append(opinion)

    def _own_when(self, row: Sequence[Cell]) -> When | None:
        """Return the period that a row of a series is about."""
        if not self.series:
            return None
        if self.spans:
            first, last = row[0], row[1]
            return (
                dates.of_span(first, last)
                if isinstance(first, dt.date) and isinstance(last, dt.date)
                else None
            )
        return self._when(row[0], self.columns[0], self.grain)

    def _when(self, cell: Cell, column: Column, grain: str = "day") -> When | None:
        if isinstance(cell, dt.date):
            day = cell.date() if isinstance(cell, dt.datetime) else cell
            return dates.of_day(day, grain)
        if not isinstance(cell, str) or len(cell) > 30 or cell.isdecimal():
            return None
        if column.role not in ("date", "entity") and not (cell[-1:].isdecimal() and self.pairs):
            return None
        when = dates.whole(cell)
        if when and when.grain == "day" and when.start[0] and grain != "day":
            return dates.of_day(dt.date(when.start[0], when.start[1], when.start[2]), grain)
        return when

    def _counts(self) -> None:
        """Keep how many rows there are, in all and by each label that several rows may share."""
        rows = self.finding.rows
        nouns = {_noun(self.columns[at]) for at in self.keys} - {""}
        if self.series:
            nouns |= {f"{self.grain}s"}
        names = frozenset(
            name for at in self.own for row in rows for name in keys_of(row[at], self.columns[at])
        )
        for noun in nouns or {"rows"}:
            self.keeper.count(len(rows), noun, names=names)
            for at, column in enumerate(self.columns):
                if at in self.own or column.role not in ("entity", "text"):
                    continue
                labels = Counter(name for row in rows for name in keys_of(row[at], column))
                for label, number in labels.items():
                    self.keeper.count(number, noun, frozenset({label}), names)


def _cell_fact(cell: float, column: Column, opinion: frozenset[str], shared: dict[str, Any]) -> Fact:
    kinds: dict[str, Kind] = {"percent": "percent", "money": "money"}
    kind = kinds.get(column.format, "number")
    value = 100 * float(cell) if kind == "percent" else float(cell)
    measures = measures_of(column.label, column.name, column.unit)
    measures = frozenset(one for one in measures if kind in KINDS.get(one, frozenset({kind}))) or measures
    change = 0
    if "change" in measures:
        change, value = (value > 0) - (value < 0), abs(value)
    unit = UNITS.get(singular(column.unit or ""), column.unit)
    moods = measures & {"positive", "negative"}
    if moods:
        shared = {**shared, "about": shared["about"] | moods}
    return Fact(
        value=value,
        kind=kind,
        measures=measures | opinion,
        units=frozenset({unit} if unit else ()),
        change=change,
        window=window_of([token.norm for token in tokens(column.label)]),
        label=column.label.lower(),
        **shared,
    )


def keys_of(cell: Cell, column: Column) -> frozenset[str]:
    if not isinstance(cell, str):
        return frozenset()
    return frozenset(key(name) for name, _ in cell_names(cell, column)) - {""}


def _number(cell: Cell) -> float | None:
    return float(cell) if isinstance(cell, int | float) else None


def _sorting(when: When | None) -> tuple[int, int, int]:
    return (when.start[0] or 0, when.start[1], when.start[2]) if when else (0, 0, 0)


def _noun(column: Column) -> str:
    for token in reversed(tokens(column.label)):
        if token.norm in UNITS:
            return UNITS[token.norm]
    return UNITS.get(column_kind(column), "")


def _grain(finding: Finding, at: int) -> str:
    by = finding.arguments.get("by")
    if by in ("day", "week", "month", "year"):
        return str(by)
    column = finding.columns[at]
    words = {token.norm for token in tokens(f"{column.name} {column.label}".replace("_", " "))}
    return next((grain for grain in ("week", "month", "year") if grain in words), "day")
