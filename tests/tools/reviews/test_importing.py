"""Threads that need transformers at once each get the whole of it: the start loads models beside each other."""

from __future__ import annotations

import subprocess
import sys

TWO_AT_ONCE = """
import threading
from pathlib import Path
from storewise.finetune import adapter, base
from storewise.tools.reviews import embedding

failed = []

def loads(what):
    try:
        what()
    except (ImportError, AttributeError) as error:
        failed.append(error)

def unpacks():
    # Stops behind the imports: there is no such package.
    base.gguf_path = lambda: (_ for _ in ()).throw(FileNotFoundError)
    try:
        base.unpack_base(Path("/nowhere"))
    except FileNotFoundError:
        pass

threads = [threading.Thread(target=loads, args=(what,)) for what in (embedding.encoder, unpacks)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert not failed, failed
"""


def test_two_threads_load_models_at_once() -> None:
    done = subprocess.run([sys.executable, "-c", TWO_AT_ONCE], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


ONE_AFTER_ANOTHER = """
import threading
from storewise.tools.reviews import embedding

loaded = threading.Event()
thread = threading.Thread(target=lambda: (embedding.encoder(), loaded.set()))
with embedding.loading:
    thread.start()
    assert not loaded.wait(3)
thread.join()
assert loaded.is_set()
assert all(weight.device.type != "meta" for weight in embedding.encoder().parameters())
"""


def test_weights_are_loaded_one_model_after_another() -> None:
    """While one model is loaded, modules that another thread makes would get no data."""
    done = subprocess.run(
        [sys.executable, "-c", ONE_AFTER_ANOTHER], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
