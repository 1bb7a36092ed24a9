"""The lock files hold what the folders import: the tests' own environment has more and would hide a gap."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Mapping
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
RUN = ("cpu.txt", "torch.txt", "demo.txt")


def locked(*names: str) -> set[str]:
    """Return the normalised names of the packages that the lock files pin."""
    text = "\n".join((ROOT / "requirements" / name).read_text(encoding="utf-8") for name in names)
    return {normal(name) for name in re.findall(r"^([A-Za-z0-9][\w.-]*)(?:\[[\w,]+\])?==", text, flags=re.M)}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def imported(folder: str) -> Mapping[str, Path]:
    """Return the top-level modules that a folder's files import, each with a file that does."""
    found: dict[str, Path] = {}
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            if (
                isinstance(node, ast.Call)
                and getattr(node.func, "id", "") == "import_module"
                and node.args
                and isinstance(node.args[0], ast.Constant)
            ):
                names = [str(node.args[0].value)]
            found |= {name.split(".")[0]: path for name in names}
    known = set(sys.stdlib_module_names) | {"storewise"}
    return {name: path for name, path in found.items() if name not in known}


@pytest.mark.parametrize("folder", ["agent", "tools", "finetune", "prompts", "ui"])
def test_what_runs_is_in_the_locks_of_a_plain_install(folder: str) -> None:
    assert_locked(folder, locked(*RUN))


def test_what_measures_is_in_the_locks_with_the_benchmarks() -> None:
    assert_locked("benchmarks", locked(*RUN, "benchmarks.txt"))


def assert_locked(folder: str, names: set[str]) -> None:
    packages = packages_distributions()
    for module, path in imported(folder).items():
        holders = {normal(one) for one in packages.get(module, [module])}
        assert holders & names, f"{path.relative_to(ROOT)} imports {module}, which no lock file pins"
