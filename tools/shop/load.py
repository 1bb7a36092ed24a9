"""Loading a folder of CSV or Parquet files as a new generation of the shop."""

from __future__ import annotations

import datetime as dt
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd

from storewise.tools.shop.checks import check_header, check_ids, check_lines, check_values, type_columns
from storewise.tools.shop.contract import CLOCKS, POINTERS, TABLES, Kind
from storewise.tools.shop.files import SUFFIXES, column_name, read_text_table
from storewise.tools.shop.generation import Builder, Shop, ShopError, building
from storewise.tools.shop.report import LoadReport, Problem

# The last day counts as incomplete when it ends this much before days usually end.
_EARLY = dt.timedelta(hours=2)

Progress = Callable[[str], None]


def load_folder(
    folder: Path,
    home: Path | None = None,
    progress: Progress | None = None,
    then: Callable[[Shop], object] | None = None,
) -> LoadReport:
    """Check the tables in `folder` and, if nothing stops it, make them the current shop.

    Args:
        folder: holds files named after the contract's tables, such as orders.csv or orders.parquet.
        home: see `generation.home`.
        progress: receives a short sentence per step.
        then: what is still to be done with the new shop before it takes the old one's place, such as
            training its models; if it fails, the shop before stays.

    Returns:
        The report with all problems found. Unless `loaded`, nothing was changed.

    Raises:
        ShopError: there is no such folder, or the home cannot be written.
    """
    started = time.monotonic()
    tell = progress or (lambda sentence: None)
    if not folder.is_dir():
        raise ShopError(
            f"There is no folder {folder}. Name the one with the shop's files: storewise load FOLDER"
        )
    with tempfile.TemporaryDirectory(prefix="storewise-") as scratch:
        connection = duckdb.connect(str(Path(scratch) / "check.duckdb"))
        try:
            tables, problems = _read_and_check(connection, folder, Path(scratch), tell)
            if any(problem.kind.stops for problem in problems):
                return _report(folder, started, problems)
            as_of, late = _clock(connection, tables)
            problems += late
            for table in tables:
                tell(f"Writing {table}")
                connection.table(table).write_parquet(str(Path(scratch) / f"{table}.parquet"))
        finally:
            connection.close()
        with building(home) as builder:
            rows = _write(builder, tables, Path(scratch), as_of)
            notes: dict[str, list[str]] = {}
            for problem in problems:
                notes.setdefault(problem.table, []).append(problem.sentence)
            shop = builder.seal(
                name=folder.resolve().name,
                as_of=as_of,
                source=str(folder),
                provenance={table: f"Loaded from the folder {folder.resolve().name}." for table in tables},
                notes=notes,
            )
            if then is not None:
                then(shop)
            shop.close()
        return _report(folder, started, problems, loaded=builder.path.name, as_of=as_of, rows=rows)


def _report(
    folder: Path,
    started: float,
    problems: list[Problem],
    loaded: str | None = None,
    as_of: dt.date | None = None,
    rows: dict[str, int] | None = None,
) -> LoadReport:
    return LoadReport(
        loaded=loaded is not None,
        source=str(folder),
        generation=loaded,
        as_of=as_of.isoformat() if as_of else None,
        rows=rows or {},
        problems=tuple(sorted(problems, key=lambda problem: not problem.kind.stops)),
        seconds=round(time.monotonic() - started, 2),
    )


def _read_and_check(
    connection: duckdb.DuckDBPyConnection, folder: Path, scratch: Path, tell: Progress
) -> tuple[list[str], list[Problem]]:
    """Read every file of a known table and check it; the typed tables lie in `connection` afterwards."""
    files, problems = _find(folder)
    tables: list[str] = []
    for table, path in files.items():
        tell(f"Reading {path.name}")
        try:
            text = read_text_table(connection, path, f"text_{table}", scratch)
        except (OSError, ValueError, duckdb.Error) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            problems.append(Problem(kind=Kind.UNREADABLE, table=path.name, detail=reason[:160]))
            continue
        found = check_lines(text, table)
        if text.header:
            found += check_header(text, table)
        problems += found
        if text.rows == 0:
            continue
        tell(f"Checking {table}: {text.rows:,} rows")
        problems += type_columns(connection, text, table)
        problems += check_values(connection, table)
        connection.execute(f'DROP TABLE "{text.name}"')
        tables.append(table)
    for table in tables:
        problems += check_ids(connection, table, tables)
    return tables, problems


def _find(folder: Path) -> tuple[dict[str, Path], list[Problem]]:
    """Return the file of each known table, in the contract's order, and what is odd about the folder."""
    problems: list[Problem] = []
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.suffix.lower() not in SUFFIXES or not path.is_file():
            continue
        table = column_name(path.stem)
        if table not in TABLES:
            problems.append(Problem.of(Kind.UNKNOWN_FILE, path.name))
        elif table in found:
            both = f"{found[table].name} and {path.name}"
            problems.append(Problem(kind=Kind.DOUBLED_TABLE, table=table, count=2, detail=both))
        else:
            found[table] = path
    if not found:
        known = ", ".join(f"{table}.csv" for table in TABLES)
        problems.append(Problem(kind=Kind.NOTHING, table=str(folder), detail=f"no {known} or .parquet"))
    return {table: found[table] for table in TABLES if table in found}, problems


def _clock(connection: duckdb.DuckDBPyConnection, tables: list[str]) -> tuple[dt.date, list[Problem]]:
    """Return the last complete day, and what falls after it and is set aside."""
    for table, column in CLOCKS:
        if table in tables and column in connection.table(table).columns:
            days = connection.execute(
                f"""
                SELECT "{column}"::DATE AS day, max("{column}") AS latest FROM "{table}"
                WHERE "{column}" IS NOT NULL GROUP BY 1 ORDER BY 1 DESC LIMIT 15
                """  # noqa: S608 - names of the contract
            ).df()
            if len(days):
                break
    else:
        return dt.date.today(), []  # customers and products alone: there is no clock but the wall's
    days["latest"] -= days["day"]
    as_of = pd.Timestamp(days["day"].iloc[0]).date()
    ends = pd.to_timedelta(days["latest"]).dt.total_seconds()
    # Dates without a time of day are complete as they stand.
    if ends.max() > 0 and ends.iloc[0] < ends.iloc[1:].median() - _EARLY.total_seconds():
        as_of -= dt.timedelta(days=1)
    problems = []
    for table, column in CLOCKS[:2]:
        if table in tables and column in connection.table(table).columns:
            late = connection.execute(
                f'SELECT count(*), min("{column}"), max("{column}") FROM "{table}" '  # noqa: S608 - as above
                f'WHERE "{column}" >= $as_of::DATE + 1',
                {"as_of": as_of},
            ).fetchone()
            if late and late[0]:
                between = f"from {late[1]:%Y-%m-%d %H:%M} to {late[2]:%Y-%m-%d %H:%M}"
                problems.append(
                    Problem(
                        kind=Kind.INCOMPLETE_DAY, table=table, column=column, count=late[0], detail=between
                    )
                )
    return as_of, problems


def _write(builder: Builder, tables: list[str], scratch: Path, as_of: dt.date) -> dict[str, int]:
    """Write the checked tables into the generation, and give unknown products and customers a row."""
    connection = builder.connection
    late = dict(CLOCKS[:2])
    for table in tables:
        relation = connection.read_parquet(str(scratch / f"{table}.parquet"))
        if table in late and late[table] in relation.columns:
            relation = relation.filter(
                duckdb.ColumnExpression(late[table]).cast("DATE") <= duckdb.ConstantExpression(as_of)
            )
        order = late.get(table, "_row")
        relation.order(f'"{order}", _row').select(duckdb.StarExpression(exclude=["_row"])).create(table)
    if "orders" in tables:
        for column, (target, _) in POINTERS.items():
            if target in tables:
                named = ", name, category" if target == "products" else ""
                values = f", 'Unknown product ' || {column}, 'Unknown'" if target == "products" else ""
                connection.execute(
                    f"""
                    INSERT INTO "{target}" ({column}{named})
                    SELECT DISTINCT {column}{values} FROM orders ANTI JOIN "{target}" USING ({column})
                    ORDER BY 1
                    """  # noqa: S608 - names of the contract
                )
    return {table: len(connection.table(table)) for table in tables}
