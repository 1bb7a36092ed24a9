"""Checks of a shop's tables against the contract: every problem is found before anything is decided."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import duckdb
import pandas as pd
from pandera.errors import SchemaErrors

from storewise.tools.shop.contract import (
    POINTERS,
    TABLES,
    UNIQUE,
    ColumnRule,
    Kind,
    header_schema,
    value_schema,
)
from storewise.tools.shop.files import TextTable
from storewise.tools.shop.report import FIRST_ROWS, Problem

_CHUNK = 250_000  # rows that pandera checks at a time, so that memory stays bounded

_CLOCK = r"([T ]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AaPp][Mm])?)?"
_ISO = "2017-03-31"
_SLASHES = "31/03/2017"
# How dates are written: an example that names the way, its pattern, and its format (None: DuckDB's own).
_WAYS: dict[str, tuple[str, str | None]] = {
    _ISO: (r"\d{4}-\d{1,2}-\d{1,2}([T ]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?)?(Z|[+-]\d{2}(:?\d{2})?)?", None),
    "2017/03/31": (r"\d{4}/\d{1,2}/\d{1,2}" + _CLOCK, "%Y/%m/%d"),
    "20170331": (r"\d{8}", "%Y%m%d"),
    "31.03.2017": (r"\d{1,2}\.\d{1,2}\.\d{4}" + _CLOCK, "%d.%m.%Y"),
    _SLASHES: (r"\d{1,2}/\d{1,2}/\d{4}" + _CLOCK, "%d/%m/%Y"),
}
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")

Connection = duckdb.DuckDBPyConnection


def check_header(text: TextTable, table: str) -> list[Problem]:
    """Return what is wrong with a table's header: missing and doubled columns."""
    problems = []
    try:
        header_schema(table).validate(pd.DataFrame(columns=text.header), lazy=True)
    except SchemaErrors as errors:
        for case in errors.failure_cases.itertuples():
            if case.check == "column_in_dataframe":
                problems.append(Problem.of(Kind.MISSING_COLUMN, table, str(case.failure_case)))
    for column in sorted({name for name in text.header if text.header.count(name) > 1}):
        problems.append(Problem.of(Kind.DOUBLED_COLUMN, table, column, text.header.count(column)))
    return problems


def check_lines(text: TextTable, table: str) -> list[Problem]:
    """Return what is wrong with a file's lines: not UTF-8, another number of fields, or none at all."""
    problems = []
    for kind, lines in ((Kind.WRONG_ENCODING, text.garbled), (Kind.BROKEN_LINE, text.broken)):
        if lines:
            shown = tuple(f"line {number}: {line[:80]}" for number, line in lines[:FIRST_ROWS])
            problems.append(Problem(kind=kind, table=table, count=len(lines), first=shown))
    if text.rows == 0 and not text.broken:
        problems.append(Problem.of(Kind.EMPTY_TABLE, table))
    return problems


def type_columns(connection: Connection, text: TextTable, table: str) -> list[Problem]:
    """Make the typed table `table` of the text table, and return missing values and wrong types.

    Columns that the contract does not know are kept as they are. Values that cannot be read are NULL.
    """
    problems: list[Problem] = []
    chosen = [duckdb.SQLExpression("rowid + 1").alias("_row")]
    for position, column in enumerate(text.header):
        if column == "_row" or not column or text.header.index(column) != position:
            continue
        rule = TABLES[table].get(column, ColumnRule("text"))
        cell = f"nullif(trim(c{position}), '')"
        reading, found = _reading(connection, text.name, cell, rule, table, column)
        problems += found
        problems += _unread(connection, text.name, cell, reading, rule, table, column)
        chosen.append(duckdb.SQLExpression(reading).alias(column))
    connection.table(text.name).select(*chosen).create(table)
    return problems


def _reading(
    connection: Connection, name: str, cell: str, rule: ColumnRule, table: str, column: str
) -> tuple[str, list[Problem]]:
    """Return the expression that reads a column's cells, and what is wrong with its dates as a whole."""
    if rule.type == "number":
        return f"nullif(TRY_CAST({cell} AS DOUBLE), 'nan'::DOUBLE)", []
    if rule.type != "time":
        return cell, []
    tried = {way: f"regexp_full_match({cell}, '{pattern}')" for way, (pattern, _) in _WAYS.items()}
    cases = " ".join(f"WHEN {test} THEN '{way}'" for way, test in tried.items())
    part = f"TRY_CAST(regexp_extract({cell}, '^(\\d+)/(\\d+)/', {{}}) AS INTEGER)"
    ways = _rows(
        connection,
        f"""
        SELECT CASE {cases} END AS way, count(*) AS n,
               max({part.format(1)}) AS first_part, max({part.format(2)}) AS second_part
        FROM "{name}" WHERE {cell} IS NOT NULL GROUP BY 1 HAVING way IS NOT NULL ORDER BY n DESC, way
        """,  # noqa: S608 - see _rows
    )
    if not ways:
        return f"TRY_CAST({cell} AS TIMESTAMP)", []
    slashes = next((row for row in ways if row[0] == _SLASHES), None)
    day_first = slashes is not None and (slashes[2] or 0) > 12
    month_first = slashes is not None and (slashes[3] or 0) > 12
    main = ways[0][0]
    problems = []
    if len(ways) > 1 or (day_first and month_first):
        other = f"CASE {cases} END <> '{main}'"
        if len(ways) == 1:
            other = f"{part.format(1)} <= 12"
        examples = _first_rows(connection, name, cell, other, column)
        spoken = " and ".join(f"{count:,} like {way}" for way, count, *_ in ways)
        count = sum(row[1] for row in ways[1:]) or _count(connection, name, other)
        if len(ways) == 1:
            spoken = "day and month first"
        problems.append(
            Problem(
                kind=Kind.MIXED_DATES, table=table, column=column, count=count, first=examples, detail=spoken
            )
        )
    elif slashes is not None and not day_first and not month_first:
        examples = _first_rows(connection, name, cell, "true", column)
        problems.append(
            Problem(kind=Kind.UNCLEAR_DATES, table=table, column=column, count=slashes[1], first=examples)
        )
    readings = []
    for way, (_, pattern) in _WAYS.items():
        if pattern is None:
            reading = f"TRY_CAST({cell} AS TIMESTAMP)"
        else:
            day = "%m/%d/%Y" if way == _SLASHES and month_first else pattern
            formats = ", ".join(f"'{day}{clock}'" for clock in _CLOCKS)
            reading = f"try_strptime(replace({cell}, 'T', ' '), [{formats}])"
        readings.append(f"WHEN {tried[way]} THEN {reading}")
    if [row[0] for row in ways] == [_ISO]:
        return f"TRY_CAST({cell} AS TIMESTAMP)", problems
    return f"CASE {' '.join(readings)} END", problems


def _unread(
    connection: Connection, name: str, cell: str, reading: str, rule: ColumnRule, table: str, column: str
) -> list[Problem]:
    """Return how many cells of a column are empty although needed, or of another type."""
    found = []
    tests = {Kind.MISSING_VALUE: f"{cell} IS NULL"} if rule.required else {}
    if reading != cell:
        tests[Kind.WRONG_TYPE] = f"{cell} IS NOT NULL AND {reading} IS NULL"
    for kind, test in tests.items():
        count = _count(connection, name, test)
        if count:
            first = _first_rows(connection, name, cell, test, column)
            detail = {"time": "not a date", "number": "not a number"}.get(rule.type, "")
            found.append(
                Problem(
                    kind=kind,
                    table=table,
                    column=column,
                    count=count,
                    first=first,
                    detail=detail if kind is Kind.WRONG_TYPE else "",
                )
            )
    return found


def check_values(connection: Connection, table: str) -> list[Problem]:
    """Return the rows of a typed table that break the schema's checks of values."""
    schema = value_schema(table)
    known = [column for column in connection.table(table).columns if column in schema.columns]
    if not known:
        return []
    wanted = [duckdb.ColumnExpression(column) for column in ("_row", *known)]
    result = connection.table(table).select(*wanted)
    counts: dict[tuple[Kind, str], int] = defaultdict(int)
    first: dict[tuple[Kind, str], list[str]] = defaultdict(list)
    while len(chunk := result.fetch_df_chunk(_CHUNK // 2048)):
        try:
            schema.validate(chunk.set_index("_row"), lazy=True)
        except SchemaErrors as errors:
            cases = errors.failure_cases
            for (column, check), group in cases.groupby(["column", "check"], sort=False):
                key = Kind[str(check)], str(column)
                counts[key] += len(group)
                room = FIRST_ROWS - len(first[key])
                first[key] += [
                    f"row {row}: {column} = {value}"
                    for row, value in zip(group["index"][:room], group["failure_case"][:room], strict=True)
                ]
    return [
        Problem(kind=kind, table=table, column=column, count=counts[kind, column], first=tuple(rows))
        for (kind, column), rows in first.items()
    ]


def check_ids(connection: Connection, table: str, present: Iterable[str]) -> list[Problem]:
    """Return doubled ids and lines, and ids that point to a row that is not there."""
    columns = connection.table(table).columns
    problems = []
    if table in UNIQUE and UNIQUE[table] in columns:
        column = UNIQUE[table]
        problems += _repeated(connection, table, [column], Kind.DOUBLED_ID)
    if table == "orders":
        whole = [c for c in TABLES["orders"] if c in columns]
        problems += _repeated(connection, table, whole, Kind.DOUBLED_LINE)
        if {"order_id", "customer_id"} <= set(columns):
            problems += _torn_orders(connection)
    for column, (target, kind) in POINTERS.items():
        if column in columns and target in present and table != target:
            problems += _dangling(connection, table, column, target, kind)
    return problems


def _repeated(connection: Connection, table: str, columns: Sequence[str], kind: Kind) -> list[Problem]:
    listed = ", ".join(f'"{column}"' for column in columns)
    rows = _rows(
        connection,
        f"""
        SELECT first("{columns[0]}") AS one, count(*) AS n, min(_row) AS once, max(_row) AS again
        FROM "{table}" WHERE "{columns[0]}" IS NOT NULL GROUP BY {listed} HAVING n > 1 ORDER BY once
        """,  # noqa: S608 - see _rows
    )
    if not rows:
        return []
    first = tuple(
        f"rows {once} and {again}: {columns[0]} = {one}" for one, _, once, again in rows[:FIRST_ROWS]
    )
    count = sum(row[1] - 1 for row in rows)
    name = columns[0] if len(columns) == 1 else ""
    return [Problem(kind=kind, table=table, column=name, count=count, first=first)]


def _torn_orders(connection: Connection) -> list[Problem]:
    rows = _rows(
        connection,
        """
        SELECT order_id, count(DISTINCT customer_id) AS n FROM orders WHERE order_id IS NOT NULL
        GROUP BY 1 HAVING n > 1 ORDER BY 1
        """,
    )
    if not rows:
        return []
    first = tuple(f"order_id = {order}: {count} customers" for order, count in rows[:FIRST_ROWS])
    return [Problem(kind=Kind.TORN_ORDER, table="orders", column="customer_id", count=len(rows), first=first)]


def _dangling(connection: Connection, table: str, column: str, target: str, kind: Kind) -> list[Problem]:
    rows = _rows(
        connection,
        f"""
        SELECT t."{column}", count(*) AS n, min(t._row) AS once FROM "{table}" t
        WHERE t."{column}" IS NOT NULL AND t."{column}" NOT IN (
            SELECT "{column}" FROM "{target}" WHERE "{column}" IS NOT NULL
        ) GROUP BY 1 ORDER BY once
        """,  # noqa: S608 - see _rows
    )
    if not rows:
        return []
    first = tuple(f"row {once}: {column} = {value}" for value, _, once in rows[:FIRST_ROWS])
    detail = f"{len(rows):,} different" if len(rows) > 1 else "always the same"
    count = sum(row[1] for row in rows)
    return [Problem(kind=kind, table=table, column=column, count=count, first=first, detail=detail)]


def _first_rows(connection: Connection, name: str, cell: str, test: str, column: str) -> tuple[str, ...]:
    chosen = f'SELECT rowid + 1, {cell} FROM "{name}" WHERE {test}'  # noqa: S608 - see _rows
    rows = _rows(connection, f"{chosen} ORDER BY rowid LIMIT {FIRST_ROWS}")
    return tuple(
        f"row {row}: {column} is empty" if value is None else f"row {row}: {column} = {str(value)[:80]}"
        for row, value in rows
    )


def _count(connection: Connection, name: str, test: str) -> int:
    counted = f'SELECT count(*) FROM "{name}" WHERE {test}'  # noqa: S608 - see _rows
    return int(_rows(connection, counted)[0][0])


def _rows(connection: Connection, sql: str) -> list[tuple[Any, ...]]:
    """Run SQL whose every name is the contract's or c0, c1, …; no text of a file is ever part of it."""
    return connection.execute(sql).fetchall()
