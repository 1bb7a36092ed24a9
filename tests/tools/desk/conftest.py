"""Fixtures: a small desk's shop on SQLite, and a Postgres of the tests' own."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from storewise.tools.desk.load import load_desk
from storewise.tools.desk.store import DATABASE, DeskStore, open_desk
from tests.tools.desk.desk_helpers import content, write

_POSTGRES = Path("/usr/local/bin/postgres")


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
    """The address of a Postgres of these tests' own, reached by a socket in its folder."""
    binary = shutil.which("postgres") or (str(_POSTGRES) if _POSTGRES.exists() else None)
    if binary is None:
        pytest.skip("there is no postgres on this machine")
    tools = Path(os.path.realpath(binary)).parent
    if not (tools / "initdb").exists():
        pytest.skip("there is a postgres on this machine, but no initdb beside it")
    folder = Path(tempfile.mkdtemp(prefix="storewise-pg-", dir="/tmp"))
    user: dict[str, Any] = {}
    if os.getuid() == 0:
        # Postgres refuses to run as root.
        user = {"user": pwd.getpwnam("nobody").pw_uid}
        os.chown(folder, user["user"], -1)
    settled = ["-U", "storewise", "--auth=trust", "-E", "UTF8", "--locale=C", "--no-sync"]
    made = [tools / "initdb", "-D", folder / "data", *settled]
    subprocess.run(made, check=True, capture_output=True, cwd="/", **user)
    command = [tools / "postgres", "-D", folder / "data", "-h", "", "-k", folder, "-F"]
    quiet = subprocess.DEVNULL
    server = subprocess.Popen([str(part) for part in command], stdout=quiet, stderr=quiet, cwd="/", **user)
    address = f"postgresql://storewise@/postgres?host={folder}"
    engine = sa.create_engine(address.replace("postgresql", "postgresql+psycopg"))
    try:
        _until_it_answers(engine)
        yield address
    finally:
        engine.dispose()
        server.terminate()
        server.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


def _until_it_answers(engine: sa.Engine) -> None:
    for _ in range(600):
        try:
            engine.connect().close()
            return
        except sa.exc.OperationalError:
            time.sleep(0.1)
    raise TimeoutError("postgres does not answer")


@pytest.fixture(params=["sqlite", "postgres"])
def any_desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DeskStore]:
    """The small shop, untouched, on each database."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    store = open_desk(url, tmp_path)
    load_desk(write(tmp_path, content()), store.engine)
    yield store
    store.close()
