"""How a question's calls are scored against the right ones: routed right, and exact."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from storewise.agent.answer import Call
from storewise.tools.registry import Tool
from storewise.tools.stems import stemmed

_FREE = ("query", "topic", "aspect")
_CASELESS = ("customer_id", "session_id", "segment")
_FUNCTION_WORDS = frozenset(
    (
        "a about all an and any are as at be been but by do does for from had has have how in is it its my no "
        "not of on or our so that the their them there they this to was we were what when which who with you your"
    ).split()
)


@dataclass(frozen=True)
class Score:
    """Of one question: the right tools in the right order, and with every argument right."""

    routed: bool
    exact: bool


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())


def _same_product(one: str, other: str, entry: Callable[[str], str | None]) -> bool:
    if sorted(map(stemmed, _words(one))) == sorted(map(stemmed, _words(other))):
        return True
    found = entry(one)
    return found is not None and found == entry(other)


def _same_text(expected: str, given: str) -> bool:
    """Return whether at least half of the expected content words stand in the given text, by stem."""
    wanted = {stemmed(word) for word in _words(expected) if word not in _FUNCTION_WORDS}
    wanted = wanted or {stemmed(word) for word in _words(expected)}
    held = {stemmed(word) for word in _words(given)}
    return 2 * len(wanted & held) >= len(wanted)


def _same(name: str, expected: Any, given: Any, entry: Callable[[str], str | None]) -> bool:
    if name in _FREE:
        return _same_text(str(expected), str(given))
    if name == "product":
        return _same_product(str(expected), str(given), entry)
    if name in _CASELESS:
        return str(expected).casefold() == str(given).casefold()
    return bool(str(expected) == str(given))


def score(
    expected: list[Call], given: list[Call], tools: dict[str, Tool], entry: Callable[[str], str | None]
) -> Score:
    """Score `given` calls; `entry` names the catalogue's entry that a product's text resolves to.

    An argument equal to its default is the same as none.
    """
    if [call.name for call in expected] != [call.name for call in given]:
        return Score(False, False)
    for right, call in zip(expected, given, strict=True):
        tool = tools.get(right.name)
        defaults = tool.defaults if tool else {}
        left, other = (
            {n: v for n, v in c.args.items() if v is not None and str(v) != str(defaults.get(n))}
            for c in (right, call)
        )
        if left.keys() != other.keys() or not all(_same(n, left[n], other[n], entry) for n in left):
            return Score(True, False)
    return Score(True, True)


def best_score(
    accepted: list[list[Call]], given: list[Call], tools: dict[str, Tool], entry: Callable[[str], str | None]
) -> Score:
    """Score `given` against each list of calls that is right, and return the best."""
    scores = [score(expected, given, tools, entry) for expected in accepted]
    return max(scores, key=lambda s: (s.exact, s.routed))
