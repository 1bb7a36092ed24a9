"""Protects the prompts: a person may change them in $STOREWISE_HOME, and a slip is named."""

from pathlib import Path

import pytest

from storewise.prompts import PromptError, prompt, prompt_hash


def test_variables_are_filled_in_one_pass() -> None:
    text = prompt("answer_findings", question="Is {findings} text?", findings="None.")
    assert text.startswith("Is {findings} text?")
    assert text.endswith("None.")


def test_own_prompt_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOREWISE_HOME", str(tmp_path))
    shipped = prompt_hash("call")
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "call.md").write_text("Mine.\n")
    assert prompt("call") == "Mine."
    assert prompt_hash("call") != shipped


def test_missing_variable_is_named() -> None:
    with pytest.raises(PromptError, match="findings"):
        prompt("answer_findings", question="x")


def test_unknown_prompt_is_named() -> None:
    with pytest.raises(PromptError, match="no prompt named 'nonesuch'"):
        prompt("nonesuch")
