"""Protects the adapter's manifest: what makes it unfit is named, and a tool added since the tuning is fine."""

from __future__ import annotations

from pathlib import Path

import pytest

from storewise.finetune import adapter
from storewise.finetune.adapter import TASK_PROMPTS, AdapterError, Manifest, check_adapter, tool_hash
from storewise.prompts import prompt_hash
from storewise.tools.finding import Finding
from storewise.tools.registry import Tool
from storewise.tools.shop.generation import Shop


def stock(shop: Shop, product: str, top: int = 5) -> Finding:
    """How much is left."""
    return Finding(tool="stock", status="answered", headline=f"{top} of {product}")


def price(shop: Shop, product: str) -> Finding:
    """What it costs."""
    return Finding(tool="price", status="answered", headline=product)


TOOLS = {"stock": Tool(stock)}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An adapter tuned on the tool `stock` alone; base and chat template are taken as unchanged."""
    monkeypatch.setattr(adapter, "base_hash", lambda: "base")
    monkeypatch.setattr(adapter, "chat_template_hash", lambda base: "template")
    manifest = Manifest(
        name="storewise",
        version=1,
        base="small",
        base_sha256="base",
        chat_template_sha256="template",
        prompts={task: prompt_hash(*names) for task, names in TASK_PROMPTS.items()},
        tools={name: tool_hash(tool) for name, tool in TOOLS.items()},
        recipe={},
    )
    (tmp_path / "manifest.json").write_text(manifest.model_dump_json())
    return tmp_path


def test_a_tool_added_since_the_tuning_is_fine(folder: Path) -> None:
    added = {**TOOLS, "price": Tool(price)}
    assert check_adapter(folder, folder, added).tools.keys() == {"stock"}


def test_a_removed_or_changed_tool_is_named(folder: Path) -> None:
    def changed(shop: Shop, product: str, top: int = 10, weeks: int = 8) -> Finding:
        """How much is left."""
        return stock(shop, product, top)

    with pytest.raises(AdapterError, match="the tool stock is gone"):
        check_adapter(folder, folder, {"price": Tool(price)})
    with pytest.raises(AdapterError, match="the arguments of stock were changed"):
        check_adapter(folder, folder, {"stock": Tool(changed)})


def test_a_changed_prompt_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "prompt_hash", lambda *names: "other")
    with pytest.raises(AdapterError, match="the prompts of the task 'call' were changed"):
        check_adapter(folder, folder, TOOLS)
