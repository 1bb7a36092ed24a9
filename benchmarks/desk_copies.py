"""Untouched copies of tau2-bench's retail shop: each task of a benchmark begins with one of its own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from storewise.tools.desk.load import load_tau2
from storewise.tools.desk.store import DATABASE, DeskStore, open_desk


@contextmanager
def copies(data: Path) -> Iterator[Callable[[], AbstractContextManager[tuple[Path, DeskStore]]]]:
    """Load the domain's db.json, and give what opens a copy of it: a home for one task, and its store."""
    with tempfile.TemporaryDirectory(prefix="storewise-desk-") as place:
        template = Path(place) / "template"
        store = open_desk("", template)
        load_tau2(data, store.engine)
        store.close()

        @contextmanager
        def copy() -> Iterator[tuple[Path, DeskStore]]:
            home = Path(place) / "task"
            home.mkdir()
            shutil.copy(template / DATABASE, home / DATABASE)
            copied = open_desk("", home)
            try:
                yield home, copied
            finally:
                copied.close()
                shutil.rmtree(home)

        yield copy
