"""Protects the desk's API from odd requests: schemathesis finds none that makes the server fail.

At length, with `storewise desk --no-model` running:
    schemathesis run http://127.0.0.1:7861/v1/desk/openapi.json --checks not_a_server_error --max-examples 200 \
        -H "Authorization: Bearer TOKEN"
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error

from storewise.agent.desk.api import make_desk_app
from storewise.agent.desk.identity import issue
from storewise.agent.desk.service import ServiceDesk
from storewise.agent.settings import Settings
from storewise.tools.desk.load import load_desk
from storewise.tools.desk.records import Records
from storewise.tools.desk.store import open_desk
from tests.agent.desk.desk_http import served
from tests.tools.desk.desk_helpers import ANN, content, write

EXAMPLES = 25  # of right and of wrong requests, for each operation
SECONDS = 25.0  # after which nothing more is sent


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, str]]:
    """The desk's address, a token, and a conversation."""
    home = tmp_path_factory.mktemp("desk")
    own = Settings(
        home=home, desk_url="", desk_secret="x" * 40, desk_requests_per_minute=10**7, desk_origins=""
    )
    store = open_desk("", home)
    load_desk(write(home, content()), store.engine)
    desk = ServiceDesk(store, Records(store.engine), own, lambda: None, lambda: None)
    with served(make_desk_app(desk, own)) as address:
        yield address, issue(own, ANN), desk.begin(ANN)
    store.close()


def test_no_request_makes_the_desk_fail(place: tuple[str, str, str]) -> None:
    schema = schemathesis.openapi.from_url(f"{place[0]}/v1/desk/openapi.json")
    operations = [result.ok() for result in schema.get_all_operations()]
    paths = {operation.path for operation in operations}
    assert {"/v1/desk/conversations", "/v1/desk/messages", "/v1/desk/conversations/{conversation}"} < paths
    until = time.monotonic() + SECONDS
    sent: dict[int, int] = {}
    for signed_in in (True, False):
        for mode in (schemathesis.GenerationMode.NEGATIVE, schemathesis.GenerationMode.POSITIVE):
            for operation in operations:
                _send(operation, mode, place, signed_in, until, sent)
    assert sum(sent.values()) > 100
    assert sent.get(200) and sent.get(401) and sent.get(422)


def _send(
    operation: schemathesis.APIOperation,
    mode: schemathesis.GenerationMode,
    place: tuple[str, str, str],
    signed_in: bool,
    until: float,
    sent: dict[int, int],
) -> None:
    """Send made-up requests, right or wrong ones, about a real conversation; none may end in a 5xx."""
    address, token, conversation = place

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
        if time.monotonic() >= until:
            return
        if signed_in:
            case.headers = {**(case.headers or {}), "Authorization": f"Bearer {token}"}
            if isinstance(case.body, dict) and isinstance(case.body.get("conversation"), str):
                case.body["conversation"] = conversation
            if mode is schemathesis.GenerationMode.POSITIVE and case.path_parameters:
                case.path_parameters = {"conversation": conversation}
        response = case.call(base_url=address, timeout=60)
        sent[response.status_code] = sent.get(response.status_code, 0) + 1
        case.validate_response(response, checks=[not_a_server_error])

    # What takes nothing cannot be asked wrongly.
    with suppress(Unsatisfiable):
        send()
