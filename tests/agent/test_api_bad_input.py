"""Protects the served API from odd senders: over real HTTP, each gets a clear answer and leaves nothing behind."""

from __future__ import annotations

import gzip
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from storewise.agent import api, summaries
from tests.agent.job_helpers import records, serving, simple, slow, until

LINE = b'{"text": "The coffee is smooth and never bitter."}\n'
JSON_LINES = {"Content-Type": "application/x-ndjson"}
CSV = {"Content-Type": "text/csv"}


@pytest.fixture(scope="module")
def address(small_home: Path) -> Iterator[str]:
    """The API of the tiny shop over real HTTP."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(summaries, "summarize", simple)
        with serving(small_home, requests_per_minute=100_000) as url:
            yield url


@pytest.fixture
def http(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=30) as client:
        yield client


@pytest.fixture
def uploads(small_home: Path) -> Iterator[Path]:
    """The folder of uploads, which is to be empty when all is done."""
    folder = small_home / "uploads"
    yield folder
    until(lambda: not folder.exists() or list(folder.iterdir()) == [], 10)


def job(http: httpx.Client, response: httpx.Response) -> dict[str, Any]:
    """Return a job that was started, once it has ended."""
    assert response.status_code == 202, response.text
    at = f"/v1/jobs/{response.json()['job_id']}"
    until(lambda: http.get(at).json()["state"] not in ("queued", "running"))
    found: dict[str, Any] = http.get(at).json()
    return found


def raw(address: str, request: bytes, half_closed: bool = False) -> tuple[int, str]:
    """Send bytes as they are and return the status and the body of the answer, 0 if there is none."""
    host, port = address.removeprefix("http://").split(":")
    head = b"POST /v1/jobs/upload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-ndjson\r\n"
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(head + request)
        if half_closed:
            connection.shutdown(socket.SHUT_WR)
        found = connection.makefile("rb")
        first = found.readline()
        if not first:
            return 0, ""
        length = 0
        while (line := found.readline()).strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        return int(first.split()[1]), found.read(length).decode()


@pytest.mark.parametrize(
    ("body", "headers", "status", "said"),
    [
        (gzip.compress(LINE * 1000), JSON_LINES, 422, "compressed (gzip)"),
        (
            gzip.compress(LINE),
            JSON_LINES | {"Content-Encoding": "gzip"},
            415,
            "without Content-Encoding 'gzip'",
        ),
        (b"PK\x03\x04\x14\x00", CSV, 422, "Excel file"),
        (LINE.decode().encode("utf-16"), JSON_LINES, 422, "UTF-16"),
        (LINE.decode().encode("utf-16-le"), JSON_LINES, 422, "UTF-16"),
        ("text,rating\nGood tea,5\n".encode("utf-16"), CSV, 422, "UTF-16"),
        ("text,rating\nGood tea,5\n".encode("utf-32"), CSV, 422, "UTF-32"),
        (b'[{"text": "a"},\n {"text": "b"}]', JSON_LINES, 422, "jq -c '.[]'"),
        (b'\xef\xbb\xbf[\n  {\n    "text": "a"\n  }\n]', JSON_LINES, 422, "one JSON list"),
        (b"text;rating\nGood tea;5\n", CSV, 422, "parted by ';'"),
        (b"review_id,stars\n1,5\n", CSV, 422, "one column must be called “text”"),
        (LINE, {"Content-Type": "multipart/form-data; boundary=x"}, 415, "--data-binary"),
        (LINE, JSON_LINES | {"Idempotency-Key": "two words"}, 422, "Idempotency-Key"),
    ],
)
def test_what_is_no_table_of_reviews_is_told_at_once(
    http: httpx.Client, uploads: Path, body: bytes, headers: dict[str, str], status: int, said: str
) -> None:
    response = http.post("/v1/jobs/upload", content=body, headers=headers)
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert said in response.json()["detail"]


def test_a_packed_request_is_refused_everywhere(http: httpx.Client) -> None:
    bomb = gzip.compress(b'{"products": ["' + b"x" * 50_000_000 + b'"]}')
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    assert http.post("/v1/jobs", content=bomb, headers=headers).status_code == 415


def test_chunks_without_a_length_are_taken(address: str, http: httpx.Client, uploads: Path) -> None:
    # With a byte order mark, as some editors save it.
    response = http.post(
        "/v1/jobs/upload", content=iter((b"\xef\xbb\xbf" + LINE[:20], LINE[20:])), headers=JSON_LINES
    )
    found = job(http, response)
    assert (found["state"], found["counts"]["lines"], found["counts"]["reviews"]) == ("done", 1, 1)


@pytest.mark.parametrize(
    "request_",
    [
        b"Content-Length: 500\r\n\r\n" + LINE,
        b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(LINE) + LINE + b"\r\n",
    ],
)
def test_an_upload_cut_off_starts_no_job(
    address: str, http: httpx.Client, uploads: Path, request_: bytes
) -> None:
    before = http.get("/v1/jobs", params={"limit": 1}).json()["jobs"]
    status, _ = raw(address, request_, half_closed=True)
    assert status in (0, 400)  # who has hung up hears nothing
    assert http.get("/v1/jobs", params={"limit": 1}).json()["jobs"] == before


@pytest.mark.parametrize(
    "length",
    [b"Content-Length: -5", b"Content-Length: x", b"Content-Length: 5",
     b"Content-Length: 5\r\nTransfer-Encoding: chunked",
     b"Content-Length: 5\r\nContent-Length: 50"],
)  # fmt: skip
def test_lengths_that_contradict_themselves_are_refused(address: str, uploads: Path, length: bytes) -> None:
    assert raw(address, length + b"\r\n\r\n" + LINE)[0] == 400


def test_an_upload_announced_as_too_large_is_not_waited_for(address: str, uploads: Path) -> None:
    status, said = raw(address, b"Content-Length: 999999999999\r\n\r\n" + LINE)
    assert status == 413
    assert "100 MB" in said


def test_a_file_cut_in_the_middle_is_told_by_its_line(http: httpx.Client, uploads: Path) -> None:
    found = job(http, http.post("/v1/jobs/upload", content=LINE + LINE[:9], headers=JSON_LINES))
    assert found["counts"]["reviews"] == 1
    (told,) = found["problems"]
    assert told["line"] == 2
    assert "was it cut off" in told["reason"]


def test_names_lead_out_of_no_folder(http: httpx.Client, uploads: Path) -> None:
    paths = "../../etc/passwd", "..\\..\\windows", "/etc/passwd\x00"
    reviews = [
        {"review_id": path, "product_id": path, "category": path, "text": f"A review, number {number}."}
        for number, path in enumerate(paths)
    ]
    content = "".join(json.dumps(one) + "\n" for one in reviews)
    found = job(
        http,
        http.post("/v1/jobs/upload", content=content, headers=JSON_LINES | {"Idempotency-Key": paths[0]}),
    )
    assert found["counts"]["groups"] == 3
    download = http.get(f"/v1/jobs/{found['job_id']}/results.csv")
    assert download.headers["content-disposition"] == f'attachment; filename="{found["job_id"]}.csv"'
    assert "../../etc/passwd" in download.text
    for path in ("/v1/jobs/..%2F..%2Fetc%2Fpasswd", "/v1/tools/..%2F..%2Fetc%2Fpasswd"):
        assert http.request("POST" if "tools" in path else "GET", path).status_code in (404, 422)


def test_odd_json_is_refused(http: httpx.Client) -> None:
    headers = {"Content-Type": "application/json"}
    for body in (b'{"products": ' + b"[" * 100_000, b'{"rating_min": NaN}', b'{"rating_min": 1e999}', b"\xff\xfe{}",
                 b'{"products": ["\\ud800"]}', b'{"since": 1e300}', b"null", b"[]"):  # fmt: skip
        response = http.post("/v1/jobs", content=body, headers=headers)
        assert 400 <= response.status_code < 500, (body[:40], response.text)
        assert response.headers["content-type"] == "application/problem+json"


def test_ranges_in_the_wrong_order_are_told(http: httpx.Client) -> None:
    for body, said in (
        ({"rating_min": 4, "rating_max": 2}, "rating_min (4.0) lies beyond rating_max (2.0)"),
        ({"since": "2024-05-01", "until": "2023-01-01"}, "since (2024-05-01) lies beyond until (2023-01-01)"),
    ):
        response = http.post("/v1/jobs", json=body)
        assert response.status_code == 422
        assert said in response.json()["detail"]


def test_who_follows_a_job_and_goes_away_costs_nothing_more(
    http: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summaries, "summarize", slow(60))
    looks: list[float] = []
    shown = api.view

    def counted(*given: Any) -> Any:
        looks.append(time.monotonic())
        return shown(*given)

    monkeypatch.setattr(api, "view", counted)
    content = "".join(json.dumps(one) + "\n" for one in records(2, 2))
    at = f"/v1/jobs/{http.post('/v1/jobs/upload', content=content, headers=JSON_LINES).json()['job_id']}"
    with httpx.Client(base_url=str(http.base_url)) as left, left.stream("GET", f"{at}/events") as response:
        next(response.iter_lines())
    time.sleep(1.5)
    seen = len(looks)
    time.sleep(1.5)
    assert len(looks) == seen
    assert http.delete(at).status_code == 204
