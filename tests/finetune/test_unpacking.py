"""Protects the terminal at the first start: the base is unpacked without the library's bar; others keep theirs."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from storewise.finetune import base
from storewise.finetune.base import base_hash, unpack_base
from storewise.finetune.unpacking import LIBRARY, without_bar


def test_the_base_is_unpacked_and_no_bar_is_drawn(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    library: Any = import_module(LIBRARY)
    before = library.tqdm

    def other() -> None:
        list(library.tqdm(range(2), desc="another thread's"))

    with without_bar():
        thread = Thread(target=other)
        thread.start()
        thread.join()
    folder = unpack_base(tmp_path)
    assert (folder / "model.safetensors").is_file()
    assert library.tqdm is before
    said = capfd.readouterr().err
    assert "another thread's" in said and "GGUF" not in said


def test_what_is_unpacked_already_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unwanted() -> None:
        raise AssertionError("the library takes seconds to import")

    monkeypatch.setattr(base, "without_bar", unwanted)
    folder = tmp_path / f"base-{base_hash()[:12]}"
    folder.mkdir()
    (folder / "model.safetensors").touch()
    assert unpack_base(tmp_path) == folder
