"""Fitting: what is learned from a shop's tables, step by step, and not twice from the same data."""

from __future__ import annotations

import ast
import fcntl
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from storewise.tools.models.card import Card, fingerprint, read_card
from storewise.tools.shop.generation import Shop, ShopError

RECORD = "fit.json"

Progress = Callable[[str], None]
Options = dict[str, dict[str, Any]]  # by step: what its training is told besides the data


@dataclass(frozen=True)
class _Step:
    """A module that learns something from `tables` into a folder of the generation."""

    name: str
    doing: str
    module: str
    tables: tuple[str, ...]
    folder: tuple[str, ...]


_STEPS = (
    _Step(
        "churn",
        "Training the churn model",
        "storewise.tools.models.churn",
        ("orders", "products"),
        ("models", "churn"),
    ),
    _Step(
        "value",
        "Training the value model",
        "storewise.tools.models.value",
        ("orders",),
        ("models", "value"),
    ),
    _Step(
        "recommender",
        "Training the recommender",
        "storewise.tools.models.recommender",
        ("orders", "products"),
        ("models", "recommender"),
    ),
    _Step(
        "cart",
        "Training the cart model",
        "storewise.tools.models.cart",
        ("events",),
        ("models", "cart"),
    ),
    _Step(
        "reviews",
        "Indexing the reviews",
        "storewise.tools.reviews.build",
        ("reviews",),
        ("reviews",),
    ),
)


def fit(shop: Shop, progress: Progress | None = None, churned_after: str = "60") -> dict[str, float]:
    """Learn from the shop what has not been learned from just this data, and return the seconds by step.

    `churned_after` says when a customer counts as gone: a number of days, or "own rhythm". A step whose
    tables the shop lacks is skipped with a sentence; so is one that is done already. What is done is
    recorded after each step, so that an interrupted fit goes on where it stopped.

    Raises:
        ShopError: `churned_after` says neither.
    """
    options = _options(churned_after)
    tell = progress or (lambda sentence: None)
    seconds: dict[str, float] = {}
    with _alone(shop):
        for step in _STEPS:
            lacking = [table for table in step.tables if not shop.has(table)]
            if lacking:
                tell(f"{step.doing}: skipped, the shop has no table {' and no '.join(lacking)}")
            elif _record(shop).get(step.name) == _state(shop, step, options):
                tell(f"{step.doing}: done already")
            else:
                tell(step.doing)
                started = time.monotonic()
                _run(shop, step, options, tell)
                _note(shop, step, options)
                seconds[step.name] = round(time.monotonic() - started, 1)
                tell(f"{step.doing}: {seconds[step.name]} s")
    return seconds


def fitted(shop: Shop, churned_after: str = "60") -> bool:
    """Say whether everything that can be learned from the shop's tables has been, as `fit` would."""
    options = _options(churned_after)
    record = _record(shop)
    steps = [step for step in _STEPS if all(shop.has(table) for table in step.tables)]
    return all(record.get(step.name) == _state(shop, step, options) for step in steps)


def cards(shop: Shop) -> list[Card]:
    """Return the cards of the models trained on this shop's data; a model not trained yet has none."""
    found = []
    for step in _STEPS:
        if step.folder[0] == "models" and shop.folder(*step.folder, "card.json").exists():
            try:
                found.append(read_card(shop, shop.folder(*step.folder), step.name, *step.tables))
            except ShopError:
                continue  # of other data, or the data did not suffice
    return found


def _options(churned_after: str) -> Options:
    from storewise.tools.models.churn_past import definition
    from storewise.tools.reviews.store import server

    options: Options = {"churn": {"after": definition(churned_after)}}
    if server():
        options["reviews"] = {"server": server()}
    return options


def _run(shop: Shop, step: _Step, options: Options, tell: Progress) -> None:
    module = import_module(step.module)
    folder = shop.folder(*step.folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    if step.name == "reviews":
        module.build(shop, folder, tell)
    else:
        module.train(shop, folder, **options.get(step.name, {}))


def _state(shop: Shop, step: _Step, options: Options) -> str:
    """Return what a step's outcome depends on: its tables' data, the code that learns from it, its options."""
    given = "".join(f" {name}:{value}" for name, value in options.get(step.name, {}).items())
    return f"{fingerprint(shop, *step.tables)} code:{_code(step.module)}{given}"


@cache
def _code(module: str) -> str:
    """Return a hash of the sources of `module` and of those that it imports from its own package."""
    package = module.rpartition(".")[0]
    found: dict[str, bytes] = {}
    todo = [module]
    while todo:
        name = todo.pop()
        spec = find_spec(name) if name not in found else None
        if spec is None or spec.origin is None:
            continue
        found[name] = Path(spec.origin).read_bytes()
        for node in ast.walk(ast.parse(found[name])):
            if isinstance(node, ast.ImportFrom) and node.module == package:
                todo += [f"{package}.{alias.name}" for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{package}."):
                todo.append(str(node.module))
    return hashlib.sha256(b"".join(found[name] for name in sorted(found))).hexdigest()[:16]


def _record(shop: Shop) -> dict[str, Any]:
    try:
        return dict(json.loads(shop.folder(RECORD).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def _note(shop: Shop, step: _Step, options: Options) -> None:
    record = _record(shop) | {step.name: _state(shop, step, options)}
    aside: Path = shop.folder(RECORD + ".new")
    aside.write_text(json.dumps(record, indent=1), encoding="utf-8")
    os.replace(aside, shop.folder(RECORD))


@contextmanager
def _alone(shop: Shop) -> Iterator[None]:
    """Wait until no other process fits this generation; what it has done by then need not be done again."""
    with open(shop.folder("fit.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
