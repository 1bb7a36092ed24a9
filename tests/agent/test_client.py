"""Protects the Python client and `storewise summarize`: through the API, over real HTTP, to the end."""

from __future__ import annotations

import csv
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from storewise.agent import summaries
from storewise.agent.answer import Answer
from storewise.agent.api import ANNOUNCED, serve
from storewise.agent.client import ApiProblem, Client
from storewise.agent.commands_summarize import Alone
from storewise.agent.engine import free_port
from storewise.agent.job_views import JobView
from storewise.agent.settings import Settings
from tests.agent.command_line import invoke
from tests.agent.job_helpers import records, simple, written


@pytest.fixture(scope="module", autouse=True)
def _without_embeddings() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(summaries, "summarize", simple)
        yield


@pytest.fixture(scope="module")
def home(small_home: Path) -> Iterator[Path]:
    """The tiny shop with its API being served."""
    settings = Settings(home=small_home)
    stop = serve(Alone(settings), settings, "127.0.0.1", free_port())
    yield small_home
    stop()
    assert not (small_home / ANNOUNCED).exists()


@pytest.fixture
def client(home: Path) -> Iterator[Client]:
    with Client(json.loads((home / ANNOUNCED).read_text())["url"]) as client:
        yield client


def test_a_file_is_sent_followed_and_read(client: Client, tmp_path: Path) -> None:
    file = written(tmp_path / "reviews.jsonl", [*records(4, 6), {"text": ""}])
    sent: list[int] = []
    seen: list[int] = []
    job = client.upload(file, length="short", sent=sent.append)
    done = client.wait(job.job_id, lambda now: seen.append(now.counts.groups_done))
    assert sum(sent) == file.stat().st_size
    assert done.state == "done"
    assert seen == sorted(seen)
    results = list(client.results(job.job_id, page=3))
    assert [result.reviews for result in results] == [6] * 4
    assert [line.line for line in client.lines(job.job_id, "bad")] == [25]
    client.download(job.job_id, tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(newline="") as opened:
        assert {row["group"] for row in csv.DictReader(opened)} == {"P000", "P001", "P002", "P003"}
    client.delete(job.job_id)
    with pytest.raises(ApiProblem, match="no job"):
        client.job(job.job_id)


def test_questions_and_tools(client: Client) -> None:
    asked = "how many orders did we have in march"
    answer = client.ask(asked)
    events = list(client.stream(asked))
    assert Answer.model_validate(events[-1]["answer"]).answer == answer.answer
    assert client.tool("sales_report", metric="orders").status == "answered"
    with pytest.raises(ApiProblem, match="metric"):
        client.tool("sales_report", metric="joy")


def test_what_goes_wrong_is_a_sentence(client: Client, tmp_path: Path) -> None:
    with pytest.raises(ApiProblem, match="storewise fit"):
        client.summarize(categories=["Coffee"])
    (tmp_path / "reviews.xlsx").write_bytes(b"x")
    with pytest.raises(ApiProblem, match="neither"):
        client.upload(tmp_path / "reviews.xlsx")
    with (
        Client(f"http://127.0.0.1:{free_port()}") as nobody,
        pytest.raises(ApiProblem, match="storewise serve"),
    ):
        nobody.health()


def run(home: Path, *arguments: str) -> tuple[int, str, str]:
    result = invoke(home, *arguments)
    return result.exit_code, result.stdout, result.stderr


def test_summarize_prints_claims_and_tells_bad_lines(home: Path, tmp_path: Path) -> None:
    file = written(tmp_path / "reviews.jsonl", [*records(2, 4), {"text": "fine", "rating": 7}])
    code, output, told = run(home, "summarize", str(file))
    assert code == 0
    assert "P000 (4 reviews)" in output
    assert "(2: r0-1, r0-3)" in output
    assert "line 9: the rating is 7" in told
    began = time.monotonic()
    code, again, _ = run(home, "summarize", str(file), "--json")
    assert code == 0
    assert [json.loads(line)["group"] for line in again.splitlines()] == ["P000", "P001"]
    assert time.monotonic() - began < 10  # the same file's job is there already
    code, _, told = run(home, "summarize", str(file), "--out", str(tmp_path / "out.csv"))
    assert code == 0
    assert (tmp_path / "out.csv").read_text().startswith("group,reviews,claim")


def test_ctrl_c_leaves_the_job_and_says_how_to_go_on(
    home: Path, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(tmp_path / "reviews.jsonl", records(3, 3))
    waits = Client.wait

    def interrupted(*_: object) -> JobView:
        raise KeyboardInterrupt

    monkeypatch.setattr(Client, "wait", interrupted)
    code, output, told = run(home, "summarize", str(file))
    assert (code, output) == (130, "")
    job_id = re.search(r"job_[0-9a-f]{20}", told)
    assert job_id is not None
    assert f"curl -X POST {client.url}/v1/jobs/{job_id.group()}/cancel" in told
    monkeypatch.setattr(Client, "wait", waits)
    code, _, _ = run(home, "summarize", str(file))
    assert code == 0
    assert client.job(job_id.group()).state == "done"


def test_where_results_go_is_looked_at_first(home: Path, tmp_path: Path) -> None:
    file = written(tmp_path / "reviews.jsonl", records(1, 2))
    for out, said in (("missing/x.csv", "Make the folder"), ("x.xlsx", "neither")):
        code, _, told = run(home, "summarize", str(file), "--out", str(tmp_path / out))
        assert code == 2
        assert said in told


def test_a_file_that_is_too_large_is_not_sent(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(tmp_path / "reviews.jsonl", records(1, 2))
    monkeypatch.setattr("storewise.agent.client.LARGEST", 10)
    with pytest.raises(ApiProblem, match="larger than"):
        client.upload(file)


def test_an_api_that_cannot_be_opened_is_a_sentence(tmp_path: Path, home: Path) -> None:
    # The API of the other tests is in the way: jobs are worked on once in a process.
    file = written(tmp_path / "reviews.jsonl", records(1, 2))
    code, _, told = run(tmp_path / "other", "summarize", str(file))
    assert code == 1
    assert "Traceback" not in told
    assert "in this process already" in told


def test_summarize_says_what_is_wrong_with_a_file(home: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("name,stars\nx,5\n")
    code, _, told = run(home, "summarize", str(tmp_path / "bad.csv"))
    assert code == 1
    assert "one column must be called “text”" in told
    (tmp_path / "empty.jsonl").write_text('{"text": ""}\n')
    code, _, told = run(home, "summarize", str(tmp_path / "empty.jsonl"))
    assert code == 1
    assert "line 1: the text is empty" in told
    assert "None of the 1 lines" in told


def test_keys_are_made_listed_and_ended(tmp_path: Path) -> None:
    code, key, told = run(tmp_path, "keys", "create", "billing")
    assert code == 0
    assert key.startswith("sw_")
    assert "not shown again" in told
    code, listed, _ = run(tmp_path, "keys", "list")
    assert "billing" in listed
    assert key.strip() not in listed
    assert run(tmp_path, "keys", "revoke", key.split("_")[1])[0] == 0
    assert run(tmp_path, "keys", "revoke", key.split("_")[1])[0] == 1
    assert "(ended)" in run(tmp_path, "keys", "list")[1]
