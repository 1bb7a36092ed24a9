"""Protects docs/desk.md: its example file loads, and its commands do what they say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from storewise.agent.cli import main
from storewise.tools.desk.demo import demo_file

TEXT = (Path(__file__).parent.parent / "docs" / "desk.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Return the fenced blocks of a language."""
    return re.findall(rf"```{language}\n(.*?)```", TEXT, flags=re.S)


def test_the_commands_run_on_the_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STOREWISE_HOME", str(tmp_path / "home"))
    (example,) = blocks("json")
    Path("my-desk.json").write_text(example, encoding="utf-8")
    commands, *_ = blocks("sh")  # what follows needs another package and a larger model
    said = {}
    for line in commands.split("\n"):
        if not line or (line.endswith("demo") and demo_file() is None):
            continue
        if line.startswith("storewise erase"):
            # The demo does not have the example's customer.
            CliRunner().invoke(main, ["load", "--desk", "my-desk.json"])
        result = CliRunner().invoke(main, line.split()[1:])
        assert result.exit_code == 0, f"{line}: {result.output}"
        said[line] = result.output
    assert "1 customers, 1 orders, 1 products in 2 variants" in said["storewise load --desk my-desk.json"]
    assert "customers of the desk: name, e-mail, address" in said["storewise erase ann_lee_12 --yes"]
    assert "Nothing" not in said["storewise erase ann_lee_12 --yes"]
