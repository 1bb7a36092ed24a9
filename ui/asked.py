"""What the scripts of our pages ask of the server: which `do` is meant, what is refused, and what was seen already."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, TypeVar

from storewise.ui.render import Block

FAILED = "Something went wrong here. `storewise doctor` says what works and what does not."

_Act = TypeVar("_Act")


class Refused(Exception):
    """What was asked cannot be done; the message is the sentence shown."""


def wanted(asked: Any, known: Mapping[str, _Act]) -> _Act | None:
    """Return what a request's `do` names, None where it names nothing."""
    return known.get(str(asked.get("do"))) if isinstance(asked, dict) else None


def mark(blocks: list[Block]) -> str:
    """Return what the page sends back of the blocks it shows, so that the same are not sent again."""
    return hashlib.sha256(json.dumps(blocks).encode()).hexdigest()[:20]
