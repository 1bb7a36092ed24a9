"""Protects owners from one another: on every route, another key's jobs and conversations are not there."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from storewise.agent import api, keys, summaries
from storewise.agent.job_store import JobStore
from tests.agent.job_helpers import records, serving, simple, until

CONTENT = "".join(json.dumps(one) + "\n" for one in records(2, 2))
OPEN = {"/healthz"}


@pytest.fixture(scope="module")
def address(small_home: Path) -> Iterator[str]:
    """The API of the tiny shop, which asks for keys."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(summaries, "summarize", simple)
        with serving(small_home, needs_key=True, requests_per_minute=100_000) as url:
            yield url


@pytest.fixture(scope="module")
def made(address: str, small_home: Path) -> tuple[str, str]:
    """Two keys."""
    store = JobStore("", small_home)
    try:
        return keys.create(store, "mine"), keys.create(store, "yours")
    finally:
        store.close()


@pytest.fixture
def mine(address: str, made: tuple[str, str]) -> Iterator[httpx.Client]:
    with holder_of(made[0], address) as client:
        yield client


@pytest.fixture
def yours(address: str, made: tuple[str, str]) -> Iterator[httpx.Client]:
    with holder_of(made[1], address) as client:
        yield client


def holder_of(key: str, address: str) -> httpx.Client:
    return httpx.Client(base_url=address, headers={"Authorization": f"Bearer {key}"}, timeout=120)


def sent(client: httpx.Client, **headers: str) -> httpx.Response:
    return client.post(
        "/v1/jobs/upload", content=CONTENT, headers={"Content-Type": "application/x-ndjson", **headers}
    )


def done(client: httpx.Client) -> str:
    """Start a job and return its address once it is done."""
    at = f"/v1/jobs/{sent(client).json()['job_id']}"
    until(lambda: client.get(at).json()["state"] == "done")
    return at


def routes(client: httpx.Client) -> list[tuple[str, str]]:
    """Return all routes, from the API's own description: new ones are tried, too."""
    found = [
        (verb.upper(), path)
        for path, of in client.get("/openapi.json").json()["paths"].items()
        for verb in of
    ]
    assert len(found) >= 17
    return found


def test_every_route_asks_for_a_key(mine: httpx.Client, address: str) -> None:
    with httpx.Client(base_url=address, timeout=120) as nobody:
        for verb, path in routes(mine):
            at = path.format(job_id="job_" + "0" * 20, name="sales_report")
            for headers in (
                {},
                {"Authorization": "Bearer sw_0123456789_" + "a" * 43},
                {"Authorization": "Basic eDp5"},
            ):
                response = nobody.request(verb, at, headers=headers)
                if path in OPEN:
                    assert response.status_code == 200
                    continue
                assert response.status_code == 401, (verb, path, response.text)
                assert response.headers["www-authenticate"] == "Bearer"


def test_no_route_shows_or_touches_anothers_job(mine: httpx.Client, yours: httpx.Client) -> None:
    at = done(mine)
    before = mine.get(at).json()
    walked = 0
    for verb, path in routes(mine):
        if "{job_id}" not in path:
            continue
        response = yours.request(verb, path.format(job_id=at.rsplit("/", 1)[-1]))
        assert response.status_code == 404, (verb, path, response.text)
        assert "no job" in response.json()["detail"]
        walked += 1
    assert walked >= 8
    assert mine.get(at).json() == before
    assert yours.get("/v1/jobs").json()["jobs"] == []
    assert at.rsplit("/", 1)[-1] in mine.get("/v1/jobs").text


def test_an_idempotency_key_is_its_owners(mine: httpx.Client, yours: httpx.Client) -> None:
    first, again, other = (sent(who, **{"Idempotency-Key": "monday"}) for who in (mine, mine, yours))
    assert [response.status_code for response in (first, again, other)] == [202, 200, 202]
    assert first.json()["job_id"] == again.json()["job_id"] != other.json()["job_id"]
    changed = {"Idempotency-Key": "monday", "Content-Type": "application/x-ndjson"}
    assert yours.post("/v1/jobs/upload?length=short", content=CONTENT, headers=changed).status_code == 422


def test_conversations_of_one_name_are_apart(
    mine: httpx.Client, yours: httpx.Client, made: tuple[str, str], small_home: Path
) -> None:
    for who in (mine, yours):
        asked = {"question": "how many orders did we have in march", "thread": "monday"}
        assert who.post("/v1/ask", json=asked).status_code == 200
    connection = sqlite3.connect(small_home / "conversations.sqlite")
    threads = {name for (name,) in connection.execute("SELECT DISTINCT thread_id FROM checkpoints")}
    connection.close()
    assert {f"api-{key.split('_')[1]}-monday" for key in made} <= threads


def test_no_key_is_written_down(
    mine: httpx.Client,
    made: tuple[str, str],
    small_home: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither in a log, of good, bad or failing requests, nor in any file of the home."""
    caplog.set_level(logging.DEBUG)

    def fails(*_: Any) -> None:
        raise RuntimeError("something broke")

    done(mine)
    mine.get("/v1/jobs/%00")
    wrong = made[0][:-4] + "zzzz"
    assert mine.get("/v1/jobs", headers={"Authorization": f"Bearer {wrong}"}).status_code == 401
    monkeypatch.setattr(api, "view", fails)
    assert sent(mine).status_code == 500
    assert "something broke" in caplog.text
    for key in (*made, wrong):
        secret = key.removeprefix("sw_").partition("_")[2]
        assert secret not in caplog.text
        for file in small_home.rglob("*"):
            assert not file.is_file() or secret.encode() not in file.read_bytes(), file
