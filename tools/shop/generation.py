"""Generations: where a shop's tables lie, how one is opened, built aside, put in place and left again.

    $STOREWISE_HOME/
        current                 the name of the generation that everyone opens
        build.lock              held by the one process that builds
        generations/0004/       shop.duckdb, manifest.json, models/, reviews/

A generation is built in its final folder and becomes visible by one atomic replacement of `current`.
Until then nobody looks there, so that a build killed half-way leaves the shop before it untouched.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import json
import os
import shutil
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd

if TYPE_CHECKING:
    from storewise.tools.shop.catalogue import Catalogue

KEPT_GENERATIONS = 3  # the current one and the two before it
DATABASE = "shop.duckdb"
MANIFEST = "manifest.json"


class ShopError(Exception):
    """Something about the shop's data is not as needed; the message ends with the next command."""


class NoShop(ShopError):
    """There is no shop at this home yet."""


class MissingTable(ShopError):
    """The shop lacks a table or a column."""


def home(path: Path | None = None) -> Path:
    """Return the folder that holds the shop: `path`, else $STOREWISE_HOME, else ./.storewise."""
    return Path(path or os.environ.get("STOREWISE_HOME") or ".storewise").absolute()


class Shop:
    """One generation, opened read-only. Threads may share it; every query has its own cursor.

    Attributes:
        path: the generation's folder.
        as_of: the last complete day in the data, which is also "today".
        tables: the tables that this shop has.
        manifest: name, as_of, created_at, source, provenance, fingerprints and table_notes (each by
            table), notes (all of them).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.manifest: dict[str, Any] = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
        self.as_of = dt.date.fromisoformat(self.manifest["as_of"])
        self._lock = threading.Lock()
        self._connection = duckdb.connect(
            str(path / DATABASE), read_only=True, config={"enable_external_access": "false"}
        )
        self._columns: dict[str, frozenset[str]] = {}
        for table, column in self._connection.execute(
            "SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal"
        ).fetchall():
            self._columns[table] = self._columns.get(table, frozenset()) | {column}
        self.tables = frozenset(self._columns)

    def has(self, table: str, *columns: str) -> bool:
        """Say whether the shop has `table` with all of `columns`."""
        return set(columns) <= self._columns.get(table, frozenset()) and table in self.tables

    def require(self, table: str, *columns: str) -> None:
        """Raise MissingTable, with a sentence for a person, unless the shop has `table` with `columns`."""
        if table not in self.tables:
            raise MissingTable(
                f"This shop has no table “{table}”, which this needs. "
                f"Add a file {table}.csv to the shop's folder and run: storewise load FOLDER"
            )
        missing = [column for column in columns if column not in self._columns[table]]
        if missing:
            raise MissingTable(
                f"The shop's table “{table}” lacks {', '.join(missing)}, which this needs. "
                f"Add it to {table}.csv and run: storewise load FOLDER"
            )

    def query(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Run one SELECT with bound parameters (`?` or `$name`) and return its rows."""
        with self._lock:
            cursor = self._connection.cursor()
        try:
            return cursor.execute(sql, parameters).df()
        finally:
            cursor.close()

    def folder(self, *parts: str) -> Path:
        """Return a folder of this generation, such as folder("models", "churn"); it may not exist yet."""
        return self.path.joinpath(*parts)

    @cached_property
    def catalogue(self) -> Catalogue:
        """What products, types and categories are called; made on first use."""
        from storewise.tools.shop.catalogue import Catalogue

        return Catalogue(self)

    @cached_property
    def first_day(self) -> dt.date:
        """The first day with an order, or `as_of` in a shop without orders."""
        if not self.has("orders", "ordered_at"):
            return self.as_of
        day = self.query("SELECT min(ordered_at)::DATE AS day FROM orders")["day"].iloc[0]
        return self.as_of if pd.isna(day) else pd.Timestamp(day).date()

    def close(self) -> None:
        """Close the connection; cursors in use finish first."""
        with self._lock:
            self._connection.close()


def current(path: Path | None = None) -> Path | None:
    """Return the folder of the current generation of the shop at `path` (see `home`), None if there is none."""
    name = _current(home(path))
    return None if name is None else home(path) / "generations" / name


def open_shop(path: Path | None = None) -> Shop:
    """Open the current generation of the shop at `path` (see `home`).

    Raises:
        NoShop: nothing has been built or loaded there yet.
    """
    place = home(path)
    folder = current(path)
    if folder is None:
        raise NoShop(
            f"There is no shop in {place} yet. "
            "Build the demo shop with: storewise up, or load your own with: storewise load FOLDER"
        )
    try:
        return Shop(folder)
    except (OSError, ValueError, KeyError, duckdb.Error) as error:
        raise ShopError(
            f"The shop's generation {folder.name} in {place} cannot be opened ({_first_line(error)}). "
            "Go to the one before with: storewise back"
        ) from error


class Builder:
    """A generation being built aside: fill `connection`, then `seal` it.

    Attributes:
        path: the generation's folder.
        connection: DuckDB, open for writing until the generation is sealed.
    """

    def __init__(self, path: Path, previous: str | None) -> None:
        self.path = path
        self.previous = previous
        self.connection = duckdb.connect(str(path / DATABASE))
        self._shop: Shop | None = None

    def seal(
        self,
        *,
        name: str,
        as_of: dt.date,
        source: str,
        provenance: Mapping[str, str],
        notes: Mapping[str, Sequence[str]],
    ) -> Shop:
        """End writing and return the generation opened read-only.

        `provenance` says where each table comes from, `notes` what was set aside, or kept although odd.
        """
        tables = self.connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE NOT internal ORDER BY table_name"
        ).fetchall()
        manifest = {
            "name": name,
            "as_of": as_of.isoformat(),
            "created_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            "source": source,
            "provenance": dict(provenance),
            "fingerprints": {table: self._fingerprint(table) for (table,) in tables},
            "notes": [note for table in notes.values() for note in table],
            "table_notes": {table: list(said) for table, said in notes.items()},
            "previous": self.previous,
        }
        self.connection.close()
        _write_durably(self.path / MANIFEST, json.dumps(manifest, indent=1, ensure_ascii=False))
        self._shop = Shop(self.path)
        return self._shop

    @property
    def shop(self) -> Shop | None:
        """The sealed generation, or None while it is still being written."""
        return self._shop

    def _fingerprint(self, table: str) -> str:
        """Return the number of rows and an order-free hash of them; `table` is the database's own name."""
        relation = self.connection.table(f'"{table}"')
        columns = ", ".join(f'"{column}"' for column in sorted(relation.columns))
        row = relation.aggregate(f"count(*), coalesce(sum(hash({columns})::HUGEINT), 0)").fetchone()
        rows, total = row if row else (0, 0)
        return f"{rows}-{int(total) % 2**64:016x}"


@contextmanager
def building(path: Path | None = None) -> Iterator[Builder]:
    """Build a new generation aside; it becomes the current one when the block ends without an error.

    What a killed build left behind is removed first. Generations before the last two are removed.

    Raises:
        ShopError: another process is building here, or the block did not seal the generation.
    """
    place = home(path)
    generations = place / "generations"
    try:
        generations.mkdir(parents=True, exist_ok=True)
        (place / "build.lock").touch()
    except OSError as error:
        raise ShopError(
            f"The folder {place} cannot be written ({error.strerror}). "
            "Name another one: export STOREWISE_HOME=FOLDER"
        ) from error
    with _only_builder(place):
        previous = _current(place)
        kept = _chain(place, previous)
        numbers = [int(folder.name) for folder in generations.iterdir() if folder.name.isdecimal()]
        _remove_all_but(generations, kept)
        folder = generations / f"{max(numbers, default=0) + 1:04d}"
        folder.mkdir()
        builder = Builder(folder, previous)
        try:
            yield builder
            if builder.shop is None:
                raise ShopError("The new shop was not finished, so the one before stays. Run it again.")
        except BaseException:
            builder.connection.close()
            if builder.shop is not None:
                builder.shop.close()
            shutil.rmtree(folder, ignore_errors=True)
            raise
        _write_durably(place / "current", folder.name)
        _remove_all_but(generations, [folder.name, *kept][:KEPT_GENERATIONS])


def back(path: Path | None = None) -> str:
    """Make the generation before the current one current, and return its name.

    Raises:
        NoShop: there is no shop here. ShopError: there is no generation before.
    """
    place = home(path)
    chain = _chain(place, _current(place))
    if not chain:
        raise NoShop(f"There is no shop in {place} yet. Build the demo shop with: storewise up")
    if len(chain) == 1:
        raise ShopError(
            f"Generation {chain[0]} is the oldest one kept in {place}; there is none before it. "
            "Load another with: storewise load FOLDER"
        )
    _write_durably(place / "current", chain[1])
    return chain[1]


def generations(path: Path | None = None) -> tuple[str, ...]:
    """Return the names of the generations that are kept, the current one first; empty where there is no shop."""
    place = home(path)
    folder, now = place / "generations", _current(place)
    names = sorted((one.name for one in folder.iterdir()), reverse=True) if folder.is_dir() else []
    return tuple(sorted(names, key=lambda name: name != now)) if now in names else ()


def remove_before_current(path: Path | None = None) -> tuple[str, ...]:
    """Remove all generations but the current one and return their names; `back` has nowhere to go then.

    Raises:
        ShopError: another process is building here.
    """
    place = home(path)
    kept, *others = generations(path) or ("",)
    if others:
        with _only_builder(place):
            _remove_all_but(place / "generations", [kept])
    return tuple(others)


@contextmanager
def _only_builder(place: Path) -> Iterator[None]:
    """Hold the lock that one process alone has while generations come and go."""
    with open(place / "build.lock") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ShopError(
                f"Another load or build is at work in {place}. Wait until it ends; see: storewise doctor"
            ) from None
        yield


def _current(place: Path) -> str | None:
    try:
        return (place / "current").read_text(encoding="utf-8").strip() or None
    except FileNotFoundError:
        return None


def _chain(place: Path, name: str | None) -> list[str]:
    """Return `name` and the generations before it that still exist, newest first."""
    chain: list[str] = []
    while name and name not in chain and (place / "generations" / name / MANIFEST).exists():
        chain.append(name)
        with suppress(ValueError):
            name = json.loads((place / "generations" / name / MANIFEST).read_text("utf-8")).get("previous")
    return chain


def _remove_all_but(generations: Path, kept: Sequence[str]) -> None:
    for folder in generations.iterdir():
        if folder.name not in kept:
            shutil.rmtree(folder, ignore_errors=True)


def _write_durably(path: Path, text: str) -> None:
    """Replace `path` in one step: a reader sees the old text or the new, also after a power cut."""
    aside = path.with_name(path.name + ".new")
    with open(aside, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(aside, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
