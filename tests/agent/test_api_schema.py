"""Protects the whole API from odd requests: schemathesis finds none that makes the server fail.

At length, with `storewise serve --no-model` running:
    schemathesis run http://127.0.0.1:7862/openapi.json --checks not_a_server_error --max-examples 200
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error

from storewise.agent import summaries
from storewise.agent.api import serve
from storewise.agent.commands_summarize import Alone
from storewise.agent.engine import free_port
from storewise.agent.settings import Settings
from tests.agent.job_helpers import simple

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
    for mode in (schemathesis.GenerationMode.NEGATIVE, schemathesis.GenerationMode.POSITIVE):
        for operation in operations:
            sent += _sent(operation, mode, address, until)
    assert sent > len(operations)


def _sent(
    operation: schemathesis.APIOperation, mode: schemathesis.GenerationMode, address: str, until: float
) -> int:
    """Send made-up requests, right or wrong ones, and return how many; none of them may end in a 5xx."""
    count = 0

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: schemathesis.Case) -> None:
        nonlocal count
        if time.monotonic() < until:
            response = case.call(base_url=address, timeout=60)
            count += 1
            case.validate_response(response, checks=[not_a_server_error])

    # What takes nothing cannot be asked wrongly.
    with suppress(Unsatisfiable):
        send()
    return count
