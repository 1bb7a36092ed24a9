"""Fixtures: a small desk's shop on SQLite, and a Postgres of the tests' own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from storewise.tools.desk.load import load_desk
from storewise.tools.desk.store import DATABASE, DeskStore, open_desk
from tests.postgres import running_postgres
from tests.tools.desk.desk_helpers import content, write


@pytest.fixture(scope="session")
def desk_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of the small shop's database, to be copied."""
    folder = tmp_path_factory.mktemp("desk")
    store = open_desk("", folder)
    load_desk(write(folder, content()), store.engine)
    store.close()
    return folder / DATABASE


@pytest.fixture
def desk(desk_template: Path, tmp_path: Path) -> Iterator[DeskStore]:
    """The small shop, untouched."""
    shutil.copy(desk_template, tmp_path / DATABASE)
    store = open_desk("", tmp_path)
    yield store
    store.close()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The address of a Postgres of these tests' own."""
    with running_postgres() as address:
        yield address


@pytest.fixture(params=["sqlite", "postgres"])
def any_desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DeskStore]:
    """The small shop, untouched, on each database."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    store = open_desk(url, tmp_path)
    load_desk(write(tmp_path, content()), store.engine)
    yield store
    store.close()
