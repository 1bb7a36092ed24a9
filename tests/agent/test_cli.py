"""Protects the command line: every error is one sentence with the next command, never a traceback."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.agent.command_line import run


def test_help_has_examples(tmp_path: Path) -> None:
    code, output = run(tmp_path, "--help")
    assert code == 0
    for command in ("up", "load", "fit", "ask", "evaluate", "benchmark", "tune", "doctor", "back"):
        assert command in output
    assert 'storewise ask "' in output


@pytest.mark.parametrize("arguments", [("ask", "hello", "--no-model"), ("fit",), ("back",)])
def test_without_a_shop_the_next_command_is_named(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    code, output = run(tmp_path / "nowhere", *arguments)
    assert code == 1
    assert "Traceback" not in output
    assert "storewise " in output


def test_ask_prints_one_json_object(small_home: Path) -> None:
    code, output = run(small_home, "ask", "how many orders did we have in march", "--json", "--no-model")
    assert code == 0
    answer = json.loads(output.strip().splitlines()[-1])
    assert set(answer) >= {"answer", "calls", "findings", "grounded", "phrased_by", "seconds"}
    assert answer["calls"] == [
        {
            "name": "sales_report",
            "args": {"metric": "orders", "start": "2024-03-01", "end": "2024-03-31"},
        }
    ]
    assert set(answer["seconds"]) >= {"total", "model", "tools"}
    assert answer["phrased_by"] == "findings"


def test_evaluate_routing_writes_a_line_a_question(small_home: Path, tmp_path: Path) -> None:
    questions = tmp_path / "questions.jsonl"
    lines = [
        {
            "id": "q1",
            "question": "how many orders did we have in march",
            "calls": [
                {
                    "name": "sales_report",
                    "args": {"metric": "orders", "start": "2024-03-01", "end": "2024-03-31"},
                }
            ],
        },
        {"id": "q2", "question": "write me a poem about the sea", "any_of": [[]]},
    ]
    questions.write_text("\n".join(json.dumps(line) for line in lines))
    out = tmp_path / "out.jsonl"
    code, output = run(
        small_home, "evaluate", "routing", "--questions", str(questions), "--out", str(out), "--no-model"
    )
    assert code == 0
    report = json.loads(output.strip().splitlines()[-1])
    assert set(report) == {"n", "routed", "exact", "seconds"}
    assert report["n"] == 2
    assert report["routed"] == 1.0
    assert [json.loads(line)["id"] for line in out.read_text().splitlines()] == ["q1", "q2"]


def test_a_bad_question_file_is_named_with_its_line(small_home: Path, tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text('{"id": "1", "question": "x", "calls": []}\n{"id": "2"}\n')
    code, output = run(small_home, "evaluate", "routing", "--questions", str(path), "--no-model")
    assert code == 1
    assert "line 2" in output


def test_up_refuses_to_bind_beyond_this_machine(tmp_path: Path) -> None:
    code, output = run(tmp_path, "up", "--host", "0.0.0.0")
    assert code == 1
    assert "sign-in" in output


def test_load_without_folder_or_demo(tmp_path: Path) -> None:
    code, output = run(tmp_path, "load")
    assert code == 2
    assert "--demo" in output


def test_doctor_names_the_next_command(tmp_path: Path) -> None:
    code, output = run(tmp_path / "nowhere", "doctor")
    assert code == 1
    assert "type: storewise load --demo" in output
