"""Protects the desk's API from odd requests: schemathesis finds none that makes the server fail.

At length, with `storewise desk --no-model` running:
    schemathesis run http://127.0.0.1:7861/v1/desk/openapi.json --checks not_a_server_error --max-examples 200 \
        -H "Authorization: Bearer TOKEN"
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
import schemathesis

from storewise.agent.desk.api import make_desk_app
from storewise.agent.desk.identity import issue
from storewise.agent.desk.service import ServiceDesk
from storewise.agent.settings import Settings
from storewise.tools.desk.load import load_desk
from storewise.tools.desk.records import Records
from storewise.tools.desk.store import open_desk
from tests.agent.desk.desk_http import served
from tests.agent.odd_requests import WAYS, send
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
    sent: Counter[int] = Counter()
    for signed_in in (True, False):
        for mode in WAYS:
            prepared = _signed_in(place, mode) if signed_in else _as_it_is
            for operation in operations:
                sent += send(operation, mode, place[0], EXAMPLES, until, prepared)
    assert sum(sent.values()) > 100
    assert sent.get(200) and sent.get(401) and sent.get(422)


def _as_it_is(case: schemathesis.Case) -> None:
    """Leave a request as it was made up."""


def _signed_in(
    place: tuple[str, str, str], mode: schemathesis.GenerationMode
) -> Callable[[schemathesis.Case], None]:
    """Return what gives a request a token, and makes it one about a real conversation."""
    _, token, conversation = place

    def prepared(case: schemathesis.Case) -> None:
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {token}"}
        if isinstance(case.body, dict) and isinstance(case.body.get("conversation"), str):
            case.body["conversation"] = conversation
        if mode is schemathesis.GenerationMode.POSITIVE and case.path_parameters:
            case.path_parameters = {"conversation": conversation}

    return prepared
