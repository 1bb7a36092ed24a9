"""Made-up requests, right and wrong ones, for each operation that an API describes."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error

WAYS = (schemathesis.GenerationMode.NEGATIVE, schemathesis.GenerationMode.POSITIVE)


def send(
    operation: schemathesis.APIOperation,
    mode: schemathesis.GenerationMode,
    address: str,
    examples: int,
    until: float,
    prepared: Callable[[schemathesis.Case], None] = lambda case: None,
) -> Counter[int]:
    """Send requests until a moment of the clock; return how many got which status. None may end in a 5xx."""
    answered: Counter[int] = Counter()

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def sending(case: schemathesis.Case) -> None:
        if time.monotonic() >= until:
            return
        prepared(case)
        response = case.call(base_url=address, timeout=60)
        answered[response.status_code] += 1
        case.validate_response(response, checks=[not_a_server_error])

    # What takes nothing cannot be asked wrongly.
    with suppress(Unsatisfiable):
        sending()
    return answered
