"""A Postgres of the tests' own: started on a free port of this machine, and gone with its folder at the end."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from storewise.agent.engine import free_port

POSTGRES = Path("/usr/local/bin/postgres")


@contextmanager
def running_postgres() -> Iterator[str]:
    """Yield the address of an empty database; without a Postgres on the machine the test is skipped."""
    binary = shutil.which("postgres") or (str(POSTGRES) if POSTGRES.exists() else None)
    if binary is None:
        pytest.skip("there is no postgres on this machine")
    tools = Path(os.path.realpath(binary)).parent
    if not (tools / "initdb").exists():
        pytest.skip("there is a postgres on this machine, but no initdb beside it")
    # Directly in /tmp: pytest's own folders are closed to another user.
    folder = Path(tempfile.mkdtemp(prefix="storewise-pg-", dir="/tmp"))
    user: dict[str, Any] = {}
    if os.getuid() == 0:
        # Postgres refuses to run as root.
        user = {"user": pwd.getpwnam("nobody").pw_uid}
        os.chown(folder, user["user"], -1)
    data, port, quiet = folder / "data", free_port(), subprocess.DEVNULL
    settled = ["-U", "storewise", "--auth=trust", "-E", "UTF8", "--locale=C", "--no-sync"]
    subprocess.run([tools / "initdb", "-D", data, *settled], check=True, capture_output=True, cwd="/", **user)
    command = [tools / "postgres", "-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", folder, "-F"]
    server = subprocess.Popen(list(map(str, command)), stdout=quiet, stderr=quiet, cwd="/", **user)
    address = f"postgresql://storewise@127.0.0.1:{port}/postgres"
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
