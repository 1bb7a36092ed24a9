"""Protects the whole API from odd requests: schemathesis finds none that makes the server fail.

At length, with `storewise serve --no-model` running:
    schemathesis run http://127.0.0.1:7862/openapi.json --checks not_a_server_error --max-examples 200
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis

from storewise.agent import summaries
from storewise.agent.api import serve
from storewise.agent.commands_summarize import Alone
from storewise.agent.engine import free_port
from storewise.agent.settings import Settings
from tests.agent.job_helpers import simple
from tests.agent.odd_requests import WAYS, send

EXAMPLES = 6  # of right and of wrong requests, for each operation
SECONDS = 25.0  # after which nothing more is sent


@pytest.fixture(scope="module")
def address(small_home: Path) -> Iterator[str]:
    """The API of the tiny shop over real HTTP."""
    own = Settings(home=small_home, requests_per_minute=10_000_000, unfinished_jobs=10_000_000)
    port = free_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(summaries, "summarize", simple)
        stop = serve(Alone(own), own, "127.0.0.1", port)
        yield f"http://127.0.0.1:{port}"
        stop()


def test_no_request_makes_the_server_fail(address: str) -> None:
    schema = schemathesis.openapi.from_url(f"{address}/openapi.json")
    operations = [result.ok() for result in schema.get_all_operations()]
    assert len(operations) >= 15
    until = time.monotonic() + SECONDS
    sent = 0
    for mode in WAYS:
        for operation in operations:
            sent += send(operation, mode, address, EXAMPLES, until).total()
    assert sent > len(operations)
