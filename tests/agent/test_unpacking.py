"""Protects the terminal at the first start: the base is unpacked without the library's bar; others keep theirs."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from storewise.agent.unpacking import LIBRARY, without_bar
from storewise.finetune.base import unpack_base


def test_the_base_is_unpacked_and_no_bar_is_drawn(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    library: Any = import_module(LIBRARY)
    before = library.tqdm

    def other() -> None:
        list(library.tqdm(range(2), desc="another thread's"))

    with without_bar(tmp_path):
        thread = Thread(target=other)
        thread.start()
        thread.join()
        folder = unpack_base(tmp_path)
    assert (folder / "model.safetensors").is_file()
    assert library.tqdm is before
    said = capfd.readouterr().err
    assert "another thread's" in said and "GGUF" not in said


def test_what_is_unpacked_already_is_left_alone(tmp_path: Path) -> None:
    library: Any = import_module(LIBRARY)
    before = library.tqdm
    (tmp_path / "base-1").mkdir()
    (tmp_path / "base-1" / "model.safetensors").touch()
    with without_bar(tmp_path):
        assert library.tqdm is before
