"""Protects the API: jobs from start to download, who may ask, and a plain sentence for every mistake."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from storewise.agent import keys, summaries
from storewise.agent.analyst import Analyst
from storewise.agent.api import create_app
from storewise.agent.engine import Served
from storewise.agent.jobs import Jobs
from storewise.agent.limits import Limits
from storewise.agent.settings import Settings
from storewise.tools.reviews.build import build
from storewise.tools.shop.generation import open_shop
from tests.agent.job_helpers import ended, records, simple, slow

JSON_LINES = {"Content-Type": "application/x-ndjson"}


@dataclass
class Ready:
    """A backend whose analyst is there, or not yet."""

    found: Analyst | None

    def analyst(self) -> Analyst | None:
        return self.found

    def served(self) -> Served | None:
        return None


@pytest.fixture(scope="module")
def backend(small_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ready]:
    """The tiny shop with its reviews indexed, and an analyst without a model."""
    home = tmp_path_factory.mktemp("api") / "home"
    shutil.copytree(small_home, home)
    shop = open_shop(home)
    build(shop, shop.folder("reviews"))
    yield Ready(Analyst(shop, Settings(home=home), lambda: None))
    shop.close()


@pytest.fixture(scope="module")
def jobs(backend: Ready) -> Jobs:
    assert backend.found is not None
    home = backend.found.shop.path.parent.parent
    return Jobs(Settings(home=home, requests_per_minute=100_000))


@pytest.fixture(scope="module")
def client(backend: Ready, jobs: Jobs) -> Iterator[TestClient]:
    """The API on this machine, without keys."""
    jobs.start()
    yield TestClient(create_app(backend, jobs), base_url="http://127.0.0.1", raise_server_exceptions=False)
    jobs.stop()


@pytest.fixture(autouse=True)
def _without_embeddings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summaries, "summarize", simple)


def content(found: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(one) + "\n" for one in found).encode()


def uploaded(client: TestClient, found: list[dict[str, Any]], **more: str) -> dict[str, Any]:
    response = client.post("/v1/jobs/upload", content=content(found), headers=JSON_LINES | more)
    assert response.status_code in (200, 202), response.text
    job: dict[str, Any] = response.json()
    return job


def problem(response: Any, status: int, *words: str) -> None:
    assert response.status_code == status, response.text
    assert response.headers["content-type"].startswith("application/problem+json")
    told = response.json()
    assert told["status"] == status
    for word in words:
        assert word in told["detail"], told["detail"]
    assert "Traceback" not in response.text


def test_a_job_from_upload_to_download(client: TestClient, jobs: Jobs) -> None:
    job = uploaded(
        client, [*records(3, 4), {"text": "=HYPERLINK(1). Fine", "rating": 9}, {"text": "=1+1 it is."}]
    )
    assert ended(jobs.store, job["job_id"]) == "done"
    at = f"/v1/jobs/{job['job_id']}"
    now = client.get(at).json()
    assert now["state"] == "done"
    assert now["seconds_left"] == 0
    assert now["counts"]["reviews"] == now["counts"]["reviews_done"] == 13
    assert now["problems"] == [
        {"line": 13, "kind": "bad", "reason": "the rating is 9; ratings go from 1 to 5"}
    ]
    first = client.get(f"{at}/results", params={"limit": 3}).json()
    rest = client.get(f"{at}/results", params={"limit": 3, "after": first["next"]}).json()
    assert len(first["results"]) == 3
    assert [result["group"] for result in rest["results"]] == ["All reviews"]
    assert rest["next"] is None
    lines = [json.loads(line) for line in client.get(f"{at}/results.jsonl").text.splitlines()]
    assert lines == first["results"] + rest["results"]
    table = client.get(f"{at}/results.csv").text
    assert "P000,4,The coffee is smooth" in table
    assert "'=1+1 it is." in table  # no formula for a spreadsheet
    assert client.get(f"{at}/lines", params={"kind": "bad"}).json()["lines"][0]["line"] == 13
    assert job["job_id"] in [one["job_id"] for one in client.get("/v1/jobs").json()["jobs"]]
    assert client.delete(at).status_code == 204
    problem(client.get(at), 404, "/v1/jobs")


def test_events_follow_a_job_to_its_end(
    client: TestClient, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summaries, "summarize", slow(0.3))
    job = uploaded(client, records(8, 2))
    with client.stream("GET", f"/v1/jobs/{job['job_id']}/events") as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        text = "".join(response.iter_text())
    events = [part.split("\n")[0] for part in text.strip().split("\n\n")]
    seen = [json.loads(part.split("data: ")[1]) for part in text.strip().split("\n\n")]
    assert events[-1] == "event: finished"
    assert set(events[:-1]) == {"event: progress"}
    done = [one["counts"]["reviews_done"] for one in seen]
    assert done == sorted(done)
    assert done[-1] == 16


def test_cancel_keeps_what_is_finished(
    client: TestClient, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summaries, "summarize", slow(30))
    job = uploaded(client, records(8, 2))
    for _ in range(2):
        ended_ = client.post(f"/v1/jobs/{job['job_id']}/cancel").json()
        assert ended_["state"] == "cancelled"
    assert client.get(f"/v1/jobs/{job['job_id']}/results").json()["results"] == []


def test_the_same_key_and_request_is_one_job(client: TestClient) -> None:
    first = uploaded(client, records(1, 2), **{"Idempotency-Key": "abc"})
    again = uploaded(client, records(1, 2), **{"Idempotency-Key": "abc"})
    assert first["job_id"] == again["job_id"]
    other = client.post(
        "/v1/jobs/upload", content=content(records(1, 3)), headers=JSON_LINES | {"Idempotency-Key": "abc"}
    )
    problem(other, 422, "another request")
    selected = [
        client.post("/v1/jobs", json={"categories": ["Coffee"]}, headers={"Idempotency-Key": "shop"})
        for _ in range(2)
    ]
    assert [response.status_code for response in selected] == [202, 200]
    assert selected[0].json()["job_id"] == selected[1].json()["job_id"]


@pytest.mark.parametrize(
    ("selection", "groups"),
    [
        ({"categories": ["coffee", "TEA"]}, {"Coffee": 4, "Tea": 3}),
        ({"products": ["P01", "Oat cookies 10 oz"]}, {"House coffee 12 oz": 2, "Oat cookies 10 oz": 2}),
        ({"rating_max": 2, "group_by": "category"}, {"Cheese": 1, "Coffee": 2, "Cookies": 1, "Shirts": 1}),
        ({"since": "2024-03-01", "until": "2024-03-31", "group_by": "all"}, {"All reviews": 2}),
        ({"categories": ["Coffee"], "products": ["P03"], "group_by": "all"}, {"All reviews": 6}),
    ],
)
def test_jobs_over_the_shops_own_reviews(
    client: TestClient, jobs: Jobs, selection: dict[str, Any], groups: dict[str, int]
) -> None:
    response = client.post("/v1/jobs", json=selection)
    assert response.status_code == 202, response.text
    job_id = response.json()["job_id"]
    assert response.headers["location"] == f"/v1/jobs/{job_id}"
    assert ended(jobs.store, job_id) == "done"
    found = client.get(f"/v1/jobs/{job_id}/results").json()["results"]
    assert {result["group"]: result["reviews"] for result in found} == groups


def test_mistakes_in_a_selection_are_told(client: TestClient) -> None:
    problem(client.post("/v1/jobs", json={"products": ["unicorns"]}), 422, "no product “unicorns”")
    problem(client.post("/v1/jobs", json={"rating_min": 5, "rating_max": 1}), 422, "nothing fits")
    problem(client.post("/v1/jobs", json={"rating_max": 7}), 422, "rating_max")
    problem(client.post("/v1/jobs", json={"colour": "red"}), 422, "colour")
    problem(client.post("/v1/jobs", content=b"{", headers={"Content-Type": "application/json"}), 422, "JSON")
    problem(
        client.post("/v1/jobs", content=b"{}", headers={"Content-Type": "text/plain"}),
        415,
        "application/json",
    )
    big = b'{"products": ["' + b"x" * 1_100_000 + b'"]}'
    problem(
        client.post("/v1/jobs", content=big, headers={"Content-Type": "application/json"}), 413, "1024 KB"
    )


def test_mistakes_in_an_upload_are_told(client: TestClient) -> None:
    def send(body: bytes, **headers: str) -> Any:
        return client.post("/v1/jobs/upload", content=body, headers=headers)

    problem(send(b"x", **{"Content-Type": "text/plain"}), 415, "application/x-ndjson", "text/csv")
    problem(send(b"", **JSON_LINES), 400, "empty")
    problem(send(b"name,stars\n", **{"Content-Type": "text/csv"}), 422, "“text”")
    problem(client.post("/v1/jobs/upload?group_by=colour", content=b"x", headers=JSON_LINES), 422, "group_by")
    problem(send(b"x", **JSON_LINES, **{"Content-Length": str(200 * 1024 * 1024)}), 413, "100 MB")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/nothing", 404),
        ("PUT", "/v1/jobs", 405),
        ("GET", "/v1/jobs/job_00000000000000000000", 404),
        ("GET", "/v1/jobs/../../etc/passwd", 404),
        ("GET", "/v1/jobs/%00", 422),
        ("POST", "/v1/jobs/job_00000000000000000000/cancel", 404),
        ("GET", "/v1/jobs?limit=0", 422),
    ],
)
def test_what_is_not_there_is_told(client: TestClient, method: str, path: str, status: int) -> None:
    problem(client.request(method, path), status)


def test_what_is_possible_is_told(client: TestClient) -> None:
    response = client.put("/v1/jobs")
    problem(response, 405, "but GET, POST")
    assert response.headers["allow"] == "GET, POST"


def test_the_description_asks_for_a_key_only_where_the_door_does(backend: Ready, jobs: Jobs) -> None:
    for needs_key in (True, False):
        app = create_app(backend, jobs, needs_key)
        asked = app.openapi()["paths"]["/v1/jobs"]["get"]["security"]
        assert asked == [{"HTTPBearer": []}] if needs_key else asked == [{"HTTPBearer": []}, {}]


def test_a_question_is_answered_whole_or_as_events(client: TestClient) -> None:
    asked = {"question": "how many orders did we have in march", "thread": "monday"}
    whole = client.post("/v1/ask", json=asked).json()
    assert whole["calls"][0]["name"] == "sales_report"
    with client.stream("POST", "/v1/ask", json={**asked, "stream": True}) as response:
        parts = "".join(response.iter_text()).strip().split("\n\n")
    names = [part.split("\n")[0] for part in parts]
    assert names[0] == "event: step_started"
    assert names[-1] == "event: finished"
    answer = json.loads(parts[-1].split("data: ", 1)[1])["answer"]
    assert answer["answer"] == whole["answer"]
    assert "characters" in client.post("/v1/ask", json={"question": "x" * 5000}).json()["answer"]
    problem(client.post("/v1/ask", json={"question": "x", "thread": "../../x"}), 422, "thread")


def test_tools_and_search_return_findings(client: TestClient) -> None:
    assert "sales_report" in [tool["name"] for tool in client.get("/v1/tools").json()]
    finding = client.post("/v1/tools/sales_report", json={"metric": "orders"}).json()
    assert finding["status"] == "answered"
    assert finding["rows"]
    problem(client.post("/v1/tools/sales_report", json={"metric": "joy"}), 422, "sales_report: metric")
    problem(client.post("/v1/tools/sales_report"), 422, "metric")
    problem(client.post("/v1/tools/rm", json={}), 404, "sales_report")
    found = client.get("/v1/reviews/search", params={"query": "stale coffee", "top": 2}).json()
    assert found["status"] == "answered"
    assert [quote["review_id"] for quote in found["evidence"] if quote["kind"] == "review"]
    assert client.get("/v1/reviews/search").json()["status"] == "refused"


def test_search_keeps_to_its_limits(client: TestClient) -> None:
    def found(**asked: Any) -> set[str]:
        finding = client.get("/v1/reviews/search", params={"top": 20, **asked}).json()
        assert finding["status"] == "answered", finding
        assert finding["arguments"] == {"top": 20, **asked}
        texts = {one["text"] for one in finding["evidence"] if one["kind"] == "review"}
        assert len(texts) == len(finding["rows"])
        return texts

    everything = found(rating_min=1)
    assert len(everything) == 14
    assert all("tea" in text for text in found(category="tea"))
    bad = found(rating_max=2)
    good = found(rating_min=3)
    assert len(bad) == 5
    assert bad | good == everything
    assert not bad & good
    early, late = found(until="2024-03-31"), found(since="2024-04-01")
    assert early
    assert early | late == everything
    assert not early & late
    (stale,) = found(query="stale", category="Coffee", rating_max=1)
    assert "stale" in stale


def test_mistakes_in_a_search_are_told(client: TestClient) -> None:
    def search(**asked: Any) -> Any:
        return client.get("/v1/reviews/search", params=asked)

    problem(search(rating_min=4, rating_max=2), 422, "rating_min (4.0) lies beyond rating_max (2.0)")
    problem(search(since="2024-05-01", until="2024-01-01"), 422, "lies beyond")
    problem(search(category="unicorns"), 422, "no category “unicorns”")
    problem(search(rating_min=7), 422, "rating_min")
    problem(search(colour="red"), 422, "colour")
    nothing = search(query="tea", since="2031-01-01").json()
    assert "within these limits" in nothing["headline"]


def test_health_and_metrics(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok", "jobs": True, "analyst": True, "model": None}
    client.get("/v1/nothing")
    text = client.get("/metrics").text
    assert 'storewise_requests_total{method="GET",route="/healthz",status="200"}' in text
    assert "storewise_jobs " in text


def test_before_the_shop_is_up_it_says_so(tmp_path: Path) -> None:
    app = create_app(Ready(None), Jobs(Settings(home=tmp_path)))
    early = TestClient(app, base_url="http://127.0.0.1")
    problem(early.post("/v1/ask", json={"question": "hello"}), 503, "storewise doctor")
    problem(early.post("/v1/jobs", json={}), 409, "storewise load")
    assert early.get("/healthz").json()["status"] == "starting"


def test_other_sites_pages_get_no_answer(client: TestClient) -> None:
    problem(client.get("/v1/jobs", headers={"Origin": "http://evil.example"}), 403, "no other site")
    problem(client.get("/v1/jobs", headers={"Host": "evil.example"}), 403)
    problem(client.get("/v1/jobs", headers={"Sec-Fetch-Site": "cross-site"}), 403)
    assert client.get("/v1/jobs", headers={"Origin": "http://127.0.0.1"}).status_code == 200


def test_keys_are_asked_for_and_part_their_owners(backend: Ready, client: TestClient, jobs: Jobs) -> None:
    app = create_app(backend, jobs, needs_key=True)
    door = TestClient(app, base_url="http://shop.example")
    one, two = (keys.create(jobs.store, name) for name in ("one", "two"))
    problem(door.get("/v1/jobs"), 401, "storewise keys create")
    assert door.get("/v1/jobs").headers["www-authenticate"] == "Bearer"
    for wrong in ("x", one[:-1] + ("A" if one[-1] != "A" else "B"), "sw_0123456789_" + "a" * 43, "ü"):
        headers = {"Authorization": f"Bearer {wrong}".encode()}
        problem(door.get("/v1/jobs", headers=headers), 401, "not valid")
    problem(door.get("/metrics"), 401)
    assert door.get("/healthz").status_code == 200
    mine, yours = ({"Authorization": f"Bearer {key}"} for key in (one, two))
    sent = door.post("/v1/jobs/upload", content=content(records(1, 2)), headers=JSON_LINES | mine).json()
    assert door.get(f"/v1/jobs/{sent['job_id']}", headers=mine).status_code == 200
    for method, path in (("GET", ""), ("GET", "/results.csv"), ("POST", "/cancel"), ("DELETE", "")):
        problem(door.request(method, f"/v1/jobs/{sent['job_id']}{path}", headers=yours), 404)
    assert door.get("/v1/jobs", headers=yours).json()["jobs"] == []
    stored = str([dict(row) for row in keys.listed(jobs.store)])
    assert one not in stored
    assert one.rsplit("_", 1)[-1] not in stored
    assert keys.revoke(jobs.store, one.split("_")[1])
    assert not keys.revoke(jobs.store, one.split("_")[1])
    problem(door.get("/v1/jobs", headers=mine), 401)


def test_who_asks_too_often_is_told_when_to_come_again(backend: Ready, jobs: Jobs) -> None:
    app = create_app(backend, jobs)
    app.state.door.limits = Limits(20, lambda: 0.0)
    often = TestClient(app, base_url="http://127.0.0.1")
    answers = [often.get("/v1/jobs") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    problem(answers[-1], 429, "ask again in 3 s")
    assert answers[-1].headers["retry-after"] == "3"


def test_a_bucket_fills_again_and_callers_are_apart() -> None:
    now = 0.0
    limits = Limits(60, lambda: now)
    assert [limits.wait("a") for _ in range(16)] == [0] * 15 + [1]
    assert limits.wait("b") == 0
    now = 2.0
    assert [limits.wait("a") for _ in range(3)] == [0, 0, 1]
