"""What the words of a clause say: that something rose or fell, is the highest, was before, is not so."""

from __future__ import annotations

from collections.abc import Iterable

from storewise.agent.grounding.words import (
    DOWN,
    DURATIONS,
    LESS,
    MORE,
    NEGATIONS,
    ONES,
    SUPERLATIVE,
    UNITS,
    UP,
)

Window = tuple[float, str]
_BEFORE = frozenset("before previous previously prior preceding earlier former".split())
# Words after which "up" and "down" say where something went, and are no part of a phrase.
_MOVED = frozenset(
    "is was are were went go goe gone going be been trend has slightly sharply further a , ( % percent bit little lot "
    "moved clearly well".split()
) | {""}
_THEN = _BEFORE | {"usual", "normal"}


def turning(words: list[str], at: int) -> int:
    """Return 1, -1 or 0: whether the word at `at` says that something rose, fell, or neither."""
    word = words[at]
    if word in UP:
        return 1
    if word in DOWN:
        away = words[at + 1] if at + 1 < len(words) else ""
        return 0 if away in ("away", "off", "out", "short", "into", "under", "within") else -1
    if word in ("up", "down"):
        lead = words[at - 1] if at else ""
        follow = words[at + 1] if at + 1 < len(words) else ""
        moved = lead in _MOVED or (lead in ("come", "came") and word == "down")
        counted = follow[:1].isdecimal() or follow in (
            "$",
            "by",
            "about",
            "on",
            "from",
            "compared",
            "versus",
            "a",
        )
        phrase = lead in (
            "made",
            "make",
            "making",
            "add",
            "added",
            "adding",
            "end",
            "ended",
            "sum",
            "sums",
            "pick",
        )
        return (1 if word == "up" else -1) if (moved or counted) and not phrase else 0
    return 0


def tending(words: list[str], at: int) -> int:
    """Return 1 or -1 where the word at `at` says that something is more or less than it was, else 0."""
    word = words[at]
    if word not in MORE | LESS:
        return 0
    rest = words[at + 1 : at + 4]
    if rest[:1] in (["often"], ["frequently"], ["rarely"]) or ("than" in rest and set(rest) & _THEN):
        return 1 if word in MORE else -1
    return 0


def extreme(words: list[str]) -> int:
    """Return 1 or -1 where the words of a clause speak of the highest or the lowest, else 0."""
    for at, word in enumerate(words):
        if word in SUPERLATIVE:
            if word in ("most", "top", "least") and at and words[at - 1] in ("at", "one", "a"):
                continue
            return SUPERLATIVE[word][0]
    return 0


def negated(words: Iterable[str]) -> bool:
    """Whether a clause is negated."""
    return any(word in NEGATIONS or word.endswith("n't") for word in words)


def window_of(words: list[str]) -> Window | None:
    """Return the span of "in the last 26 weeks" among `words`, or None."""
    for at, word in enumerate(words):
        if word in ("last", "past", "previous", "previou") and at + 2 < len(words) and words[at + 2] in UNITS:
            unit = UNITS[words[at + 2]]
            count = words[at + 1]
            if unit in DURATIONS and (count.isdecimal() or count in ONES):
                return (float(count) if count.isdecimal() else float(ONES[count])), unit
    return None


def looks_back(words: list[str]) -> bool:
    """Whether a clause speaks of what was before: "the month before", "previously", not "before Beef"."""
    if "used to" in " ".join(words) or set(words) & {"usual", "normal", "normally"}:
        return True
    for at, word in enumerate(words):
        after = words[at + 1] if at + 1 < len(words) else ""
        if word in _BEFORE and (
            word not in ("before", "earlier") or after in ("", ".", "that", "it") or after[:1] == "."
        ):
            return True
    return False
