"""Protects the tables' versions: from nothing to today's models on each database, by several openers at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from storewise.tools.desk.store import VERSION_TABLE, connect, migrate
from storewise.tools.desk.tables import Base


@pytest.fixture(params=["sqlite", "postgres"])
def empty(request: pytest.FixtureRequest) -> str:
    """The address of a database without any tables."""
    if request.param == "sqlite":
        return ""
    url: str = request.getfixturevalue("postgres_url")
    engine = sa.create_engine(url.replace("postgresql", "postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("DROP DATABASE IF EXISTS empty WITH (FORCE)")
        connection.exec_driver_sql("CREATE DATABASE empty")
    engine.dispose()
    return url.replace("/postgres?", "/empty?")


def test_the_tables_are_those_of_the_models(empty: str, tmp_path: Path) -> None:
    with ThreadPoolExecutor(3) as threads:
        engines = list(threads.map(lambda _: connect(empty, tmp_path), range(3)))
    migrate(engines[0])
    with engines[0].connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, Base.metadata) == []
        assert context.get_current_heads()
    for engine in engines:
        engine.dispose()


def test_the_database_itself_keeps_what_must_hold(empty: str, tmp_path: Path) -> None:
    engine = connect(empty, tmp_path)
    user = "INSERT INTO desk_users VALUES ('u', 'U', 'U', 'u@u', '', '', '', '', '', '')"
    broken = (
        "INSERT INTO desk_payment_methods VALUES ('g', 'u', 'gift_card', NULL, NULL, -1)",
        "INSERT INTO desk_payment_methods VALUES ('g', 'u', 'gift_card', NULL, NULL, NULL)",
        "INSERT INTO desk_payment_methods VALUES ('g', 'u', 'paypal', NULL, NULL, 5)",
        "INSERT INTO desk_payment_methods VALUES ('g', 'u', 'cash', NULL, NULL, NULL)",
        "INSERT INTO desk_payment_methods VALUES ('g', 'nobody', 'paypal', NULL, NULL, NULL)",
        "INSERT INTO desk_orders VALUES ('o', 'u', 'lost', '', '', '', '', '', '', NULL, NULL, NULL, 1)",
    )
    with engine.connect() as connection:
        connection.exec_driver_sql(user)
        for statement in broken:
            with pytest.raises(sa.exc.IntegrityError), connection.begin_nested():
                connection.exec_driver_sql(statement)
    engine.dispose()
