"""Every word said to a model, a file each; a file of the same name in $STOREWISE_HOME/prompts goes first."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

_FOLDER = Path(__file__).parent
_VARIABLE = re.compile(r"\{(\w+)\}")


class PromptError(Exception):
    """A prompt is missing or does not fit its variables; the message names the file and the variable."""


def _path(name: str) -> Path:
    own = Path(os.environ.get("STOREWISE_HOME", ".storewise")) / "prompts" / f"{name}.md"
    return own if own.is_file() else _FOLDER / f"{name}.md"


def prompt(name: str, **variables: str) -> str:
    """Return the prompt `name` with its `{variables}` filled in.

    Raises:
        PromptError: no such prompt, or the file's variables are not those given.
    """
    path = _path(name)
    if not path.is_file():
        raise PromptError(f"There is no prompt named {name!r} (looked for {path}).")
    text = path.read_text(encoding="utf-8").strip()
    wanted = set(_VARIABLE.findall(text))
    if wanted != set(variables):
        odd = ", ".join(sorted(wanted ^ set(variables)))
        raise PromptError(f"{path}: these variables stand in the file or in the call, not in both: {odd}.")
    # One pass, so that braces inside a value are left alone.
    return _VARIABLE.sub(lambda found: variables[found.group(1)], text)


def prompt_hash(*names: str) -> str:
    """Return a SHA-256 over the prompts' files: an adapter is bound to the words it was tuned on."""
    digest = hashlib.sha256()
    for name in names:
        digest.update(_path(name).read_bytes().strip() + b"\0")
    return digest.hexdigest()
