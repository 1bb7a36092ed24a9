"""The short syntax in which a small model writes calls: `churn_risk(segment="at risk", top=5)`.

A third of JSON's tokens. Values of an enum, numbers and ids stand bare, other text in double quotes.
Several calls are joined by `; `, and `none(KIND)` says that no tool is to be called.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

NONE_KINDS = ("greeting", "thanks", "help", "outside")
_CALL = re.compile(r"\s*(\w+)\((.*?)\)\s*(?:;|$)", re.S)
_ARGUMENT = re.compile(r'\s*(\w+)\s*=\s*(?:"([^"]*)"|([^",;()]+?))\s*(?:,|$)')
BARE = ("metric", "by", "sentiment", "stage", "kind", "customer_id", "session_id", "top", "weeks")


class CallSyntaxError(ValueError):
    """The text is not a list of calls; the message shows where."""


@dataclass(frozen=True)
class WrittenCall:
    """A call as the model writes it: values are text, and `when` still stands for start and end."""

    name: str
    args: dict[str, str] = field(default_factory=dict)


def write_calls(calls: list[WrittenCall]) -> str:
    """Return `calls` in the short syntax; an argument's double quotes are dropped."""
    return "; ".join(
        f"{call.name}({', '.join(_write(k, v) for k, v in call.args.items())})" for call in calls
    )


def _write(name: str, value: str) -> str:
    return f"{name}={value}" if name in BARE else f'{name}="{value.replace(chr(34), "")}"'


def read_calls(text: str) -> list[WrittenCall]:
    """Return the calls written in `text`; `none(KIND)` comes back as a call named none with its kind.

    Raises:
        CallSyntaxError: the text is not in the short syntax.
    """
    calls: list[WrittenCall] = []
    position = 0
    while position < len(text.rstrip()):
        found = _CALL.match(text, position)
        if found is None:
            raise CallSyntaxError(f"not a call: {text[position:][:60]!r}")
        name, inside = found.group(1), found.group(2)
        calls.append(
            WrittenCall(name, {"kind": inside.strip()} if name == "none" else _read_arguments(inside))
        )
        position = found.end()
    return calls


def _read_arguments(text: str) -> dict[str, str]:
    arguments: dict[str, str] = {}
    position = 0
    while position < len(text.rstrip()):
        found = _ARGUMENT.match(text, position)
        if found is None:
            raise CallSyntaxError(f"not an argument: {text[position:][:60]!r}")
        quoted = found.group(2)
        arguments[found.group(1)] = quoted if quoted is not None else found.group(3)
        position = found.end()
    return arguments
