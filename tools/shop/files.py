"""CSV and Parquet files as tables of text, one row a line, so that every value can be checked and shown."""

from __future__ import annotations

import codecs
import csv
import io
import re
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

SUFFIXES = (".csv", ".parquet")
_CHUNK = 1 << 20


@dataclass
class TextTable:
    """A file read as text into the DuckDB table `name`: columns c0, c1, … in the order of its lines.

    Attributes:
        header: the columns' names as the contract writes them, in the order of the file.
        garbled: lines that are not UTF-8, by number, with what could be read of them.
        broken: lines with another number of fields than the header, by number.
    """

    name: str
    header: list[str] = field(default_factory=list)
    garbled: list[tuple[int, str]] = field(default_factory=list)
    broken: list[tuple[int, str]] = field(default_factory=list)
    rows: int = 0


def read_text_table(connection: duckdb.DuckDBPyConnection, path: Path, name: str, scratch: Path) -> TextTable:
    """Read `path` into the table `name`; a file that is not UTF-8 is read as far as it goes.

    Raises:
        OSError, ValueError or duckdb.Error: the file cannot be read at all.
    """
    table = TextTable(name)
    if path.suffix.lower() == ".parquet":
        _read_parquet(connection, path, table)
    else:
        _read_csv(connection, path, table, scratch)
    counted = connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()  # noqa: S608 - a name of ours
    table.rows = int(counted[0]) if counted else 0
    return table


def column_name(text: str) -> str:
    """Return a header cell as the contract writes columns: " Order ID" is order_id."""
    return re.sub(r"[\s\-]+", "_", text.strip().lstrip("\ufeff")).lower()


def _read_parquet(connection: duckdb.DuckDBPyConnection, path: Path, table: TextTable) -> None:
    source = connection.read_parquet(str(path))
    table.header = [column_name(column) for column in source.columns]
    # Whole numbers kept as floating point, as ids often are after an export, lose their ".0".
    cells = [
        f"CASE WHEN #{n} = trunc(#{n}) AND abs(#{n}) < 1e15 THEN #{n}::BIGINT::VARCHAR ELSE #{n}::VARCHAR END"
        if str(kind) in ("FLOAT", "DOUBLE")
        else f"#{n}::VARCHAR"
        for n, kind in enumerate(source.types, start=1)
    ]
    chosen = ", ".join(f"{cell} AS c{n}" for n, cell in enumerate(cells))
    source.project(chosen).create(table.name)


def _read_csv(connection: duckdb.DuckDBPyConnection, path: Path, table: TextTable, scratch: Path) -> None:
    table.garbled = _garbled_lines(path)
    readable = path
    if table.garbled:
        readable = scratch / f"{table.name}.csv"
        readable.write_text(path.read_text("utf-8", errors="replace"), encoding="utf-8")
    with open(readable, encoding="utf-8-sig", newline="") as file:
        first = file.readline()
        # A header cell may hold a quoted line break.
        while first.count('"') % 2 and (more := file.readline()):
            first += more
    if not first.strip():
        connection.execute(f'CREATE TABLE "{table.name}" (c0 VARCHAR)')
        return
    delimiter = max(",;\t|", key=first.count)
    header = next(csv.reader(io.StringIO(first), delimiter=delimiter))
    table.header = [column_name(column) for column in header]
    relation = connection.read_csv(
        str(readable),
        header=False,
        skiprows=1 + first.rstrip("\r\n").count("\n"),
        sep=delimiter,
        quotechar='"',
        escapechar='"',
        dtype={f"c{n}": "VARCHAR" for n in range(len(header))},
        names=[f"c{n}" for n in range(len(header))],
        all_varchar=True,
        null_padding=False,
        ignore_errors=True,
        store_rejects=True,
        rejects_table=f"{table.name}_rejects",
        rejects_scan=f"{table.name}_scans",
        rejects_limit=0,
        auto_detect=False,
    )
    relation.create(table.name)
    rejected = connection.table(f"{table.name}_rejects").project("line, csv_line").distinct().order("line")
    table.broken = [(int(line), str(text)) for line, text in rejected.fetchall()]


def _garbled_lines(path: Path) -> list[tuple[int, str]]:
    """Return the lines of `path` that are not UTF-8; reading is fast where all are."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with open(path, "rb") as file:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        pass
    else:
        return []
    found = []
    with open(path, "rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                found.append((number, line.decode("utf-8", errors="replace").strip()))
    return found
