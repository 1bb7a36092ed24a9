"""Where the desk's shop lies: a SQLite file in the home, or Postgres by its URL; the same code for both.

A change begins by taking the write lock (SQLite's BEGIN IMMEDIATE; on Postgres rows are read FOR UPDATE),
so that what it checks still holds when it is written. The tables are brought up to date on opening.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.orm import Session

from storewise.tools.desk.desk import Desk
from storewise.tools.shop.generation import ShopError, home

DATABASE = "desk.sqlite"
LONGEST_WAIT = 30_000  # milliseconds for which one change waits for another
VERSION_TABLE = "desk_alembic_version"
_MIGRATIONS = Path(__file__).parent / "migrations"
_WRITES = "storewise_writes"


class DeskAway(ShopError):
    """The desk's database does not answer; a change is written whole or not at all."""


def database_url(url: str, folder: Path) -> str:
    """Return SQLAlchemy's address of the desk's tables: Postgres by psycopg, or a file of `folder`."""
    if not url:
        return f"sqlite:///{folder / DATABASE}"
    return sa.make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def connect(url: str = "", folder: Path | None = None) -> sa.Engine:
    """Return the engine of the desk's tables, which are made or brought up to date first.

    Args:
        url: a Postgres address; empty for the SQLite file.
        folder: the home that holds the file (see `generation.home`).

    Raises:
        DeskAway: the database cannot be reached or opened.
    """
    place = home(folder)
    if not url:
        place.mkdir(parents=True, exist_ok=True)
    waiting = {"options": f"-c lock_timeout={LONGEST_WAIT}"} if url else {"timeout": LONGEST_WAIT / 1000}
    engine = sa.create_engine(database_url(url, place), pool_pre_ping=bool(url), connect_args=waiting)
    if not url:
        sa.event.listen(engine, "connect", _settle)
        sa.event.listen(engine, "begin", _begin)
    with reached():
        migrate(engine)
    return engine


def migrate(engine: sa.Engine) -> None:
    """Bring the tables to the newest version in one transaction; two that start at once take turns."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    with writing_engine(engine).begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(73820)"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def writing_engine(engine: sa.Engine) -> sa.Engine:
    """Return the engine whose transactions take SQLite's write lock when they begin."""
    return engine.execution_options(**{_WRITES: True})


class DeskStore:
    """The desk's shop, opened; threads may share it. `reading` and `writing` open it for one customer."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        # What is looked up is of one moment, as SQLite has it anyway.
        snapshot = {"isolation_level": "REPEATABLE READ"} if engine.dialect.name == "postgresql" else {}
        self._reading = engine.execution_options(**snapshot)
        self._writing = writing_engine(engine)

    @contextmanager
    def reading(self, user_id: str) -> Iterator[Desk]:
        """Open the desk for a customer; whatever is changed on it is dropped."""
        with reached(), Session(self._reading, autoflush=False) as session:
            yield Desk(session, user_id, locking=False)

    @contextmanager
    def writing(self, user_id: str) -> Iterator[Desk]:
        """Open the desk for a customer in one transaction, written when the block ends without an error."""
        with reached(), Session(self._writing, autoflush=False) as session, session.begin():
            yield Desk(session, user_id, locking=True)

    @contextmanager
    def one_at_a_time(self, name: str) -> Iterator[None]:
        """Hold a name, so that on Postgres no other process holds it meanwhile; SQLite has one process alone."""
        if self.engine.dialect.name != "postgresql":
            yield
            return
        with reached(), self.engine.connect() as connection:
            lock = sa.func.hashtextextended(name, 0)
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(lock)))
            yield

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def open_desk(url: str = "", folder: Path | None = None) -> DeskStore:
    """Open the desk's shop (see `connect`)."""
    return DeskStore(connect(url, folder))


@contextmanager
def reached() -> Iterator[None]:
    """Tell in a sentence that the database does not answer, whatever is done within."""
    try:
        yield
    except (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError) as error:
        raise DeskAway(
            "The desk's database does not answer; nothing is half-done. Try again in a minute, "
            "and if that does not help, see: storewise doctor"
        ) from error


def _settle(connection: Any, _: Any) -> None:
    """Settle a SQLite connection: SQLAlchemy begins transactions, readers go on beside one writer."""
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


def _begin(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
