"""LoRA adapters: the manifest that binds one to its base, prompts and tools; checking and merging."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from storewise.finetune.base import base_hash, chat_template_hash, unpack_base
from storewise.prompts import prompt_hash
from storewise.tools.registry import Tool
from storewise.tools.reviews.embedding import loading

SHIPPED = Path(__file__).parent / "adapters" / "storewise"
# The prompts of each task that the adapter learns.
TASK_PROMPTS = {
    "call": ("call", "call_followup"),
    "answer": ("answer", "answer_findings"),
    "reviews": ("reviews", "summarize_group"),
    "desk": ("desk", "desk_turn"),
    "polarity": ("polarity",),
}


class AdapterError(Exception):
    """An adapter does not fit what it is to be used with; the message names the command that mends it."""


class Manifest(BaseModel):
    """What an adapter was tuned on, and how it scored."""

    model_config = ConfigDict(extra="forbid")

    name: str
    version: int
    base: str
    base_sha256: str
    chat_template_sha256: str
    prompts: dict[str, str]
    tools: dict[str, str]
    recipe: dict[str, Any]
    scores: dict[str, Any] = {}

    @property
    def served_name(self) -> str:
        """The versioned name under which the engine serves it."""
        return f"{self.name}-{self.version}"


def tool_hash(tool: Tool) -> str:
    """Return the SHA-256 of a tool's argument schema, apart from the descriptions."""
    schema = json.loads(json.dumps(tool.schema))
    for field in schema.get("properties", {}).values():
        field.pop("description", None)
    return hashlib.sha256(json.dumps(schema, sort_keys=True).encode()).hexdigest()


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of the adapter in `folder`.

    Raises:
        AdapterError: there is none, or it cannot be read.
    """
    path = folder / "manifest.json"
    try:
        return Manifest.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AdapterError(f"{path} is no adapter's manifest ({error}). Type: storewise tune") from None


def check_adapter(folder: Path, base: Path, tools: dict[str, Tool]) -> Manifest:
    """Return the manifest if the adapter fits this base, template, prompts and tools.

    A tool that is new since the tuning is fine (shortlist and schema carry it); one that was changed
    or removed is not.

    Raises:
        AdapterError: naming what differs and the command that mends it.
    """
    manifest = read_manifest(folder)
    differs: list[str] = []
    if manifest.base_sha256 != base_hash():
        differs.append("it was tuned on another base model")
    if manifest.chat_template_sha256 != chat_template_hash(base):
        differs.append("the chat template is another")
    for task, digest in manifest.prompts.items():
        if task in TASK_PROMPTS and prompt_hash(*TASK_PROMPTS[task]) != digest:
            differs.append(f"the prompts of the task '{task}' were changed")
    for name, digest in manifest.tools.items():
        if name not in tools:
            differs.append(f"the tool {name} is gone")
        elif tool_hash(tools[name]) != digest:
            differs.append(f"the arguments of {name} were changed")
    if differs:
        raise AdapterError(
            f"The adapter in {folder} does not fit: {'; '.join(differs)}. Type: storewise tune"
        )
    return manifest


def merged_model(folder: Path, models: Path, tools: dict[str, Tool]) -> tuple[Path, Manifest]:
    """Return the base with the adapter merged into it as a model folder, made the first time.

    On a CPU LoRA at run time costs three to seven times the merged model.
    """
    base = unpack_base(models)
    manifest = check_adapter(folder, base, tools)
    weights = folder / "adapter_model.safetensors"
    with weights.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    merged = models / f"{manifest.served_name}-{digest[:12]}"
    if (merged / "model.safetensors").is_file():
        return merged, manifest
    with loading:
        import torch
        from peft import PeftModel
        from transformers import AutoModelForCausalLM
        from transformers.utils import logging

    logging.disable_progress_bar()
    with loading:
        model = AutoModelForCausalLM.from_pretrained(str(base), dtype=torch.float32)
        whole = PeftModel.from_pretrained(model, str(folder)).merge_and_unload()
    aside = models / f"{merged.name}.partial-{os.getpid()}"
    whole.save_pretrained(aside)
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copy(base / name, aside / name)
    shutil.rmtree(merged, ignore_errors=True)
    aside.rename(merged)
    return merged, manifest
