"""The base model is unpacked without the library's own progress bar: the start says itself what is under way."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from storewise.tools.reviews.embedding import loading

LIBRARY = "transformers.modeling_gguf_pytorch_utils"
_one = threading.Lock()


@contextmanager
def without_bar() -> Iterator[None]:
    """Draw no bar for what this thread unpacks; other threads' bars are as they were."""
    with _one:
        with loading:
            library: Any = import_module(LIBRARY)
        drawn, mine = library.tqdm, threading.get_ident()

        def bar(*items: Any, **how: Any) -> Any:
            return drawn(*items, **(how | {"disable": True} if threading.get_ident() == mine else how))

        library.tqdm = bar
        try:
            yield
        finally:
            library.tqdm = drawn
