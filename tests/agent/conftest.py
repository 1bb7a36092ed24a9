"""The real engine for tests: one vLLM process a run, on a free port, ended with the run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from storewise.agent.engine import Engine
from storewise.agent.settings import Settings


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The engine serving the shipped adapter; $STOREWISE_TEST_MODELS may hold models prepared before."""
    home = tmp_path_factory.mktemp("engine")
    prepared = os.environ.get("STOREWISE_TEST_MODELS")
    if prepared:
        (home / "models").symlink_to(Path(prepared).resolve())
    engine = Engine(Settings(home=home, model_url="", engine_port=0))
    engine.start()
    engine.wait()
    yield engine
    engine.stop()
