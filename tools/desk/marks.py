"""Marks on the desk's tools: what a tool may do, for the runtime, the tests and whoever reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeVar

from storewise.tools.finding import Finding

Access = Literal["read", "write", "hand_over"]
_Tool = TypeVar("_Tool", bound=Callable[..., Finding])
_MARK = "storewise_access"


def _marked(access: Access) -> Callable[[_Tool], _Tool]:
    def mark(function: _Tool) -> _Tool:
        setattr(function, _MARK, access)
        return function

    return mark


reads = _marked("read")  # looks things up
writes = _marked("write")  # changes the customer's orders or account, after a yes
hands_over = _marked("hand_over")  # calls a person; changes nothing of the shop


def access(function: Callable[..., Finding]) -> Access:
    """Return a tool's mark."""
    found: Access = getattr(function, _MARK)
    return found
