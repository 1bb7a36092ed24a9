"""A message split in two wherever it may hold two wishes, with what each part is likely to be by itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property

from storewise.tools.desk.act_shortlist import ActShortlist
from storewise.tools.desk.acts import NOTHING

MOST_SPLITS = 12
LONGEST = 700  # characters of a message that are read for what is wanted
_SPLIT = re.compile(
    r"\s+(?:2[).:]|two[,:])\s+|(?<=[.!?;])\s+|,?\s+\b(?:and (?:then|also|please)|then|also|and)\b\s+", re.I
)
ENDS = 0.2  # how much clearer a sentence's end parts two wishes than a joining word does

Parts = tuple[str, str]
Scores = dict[str, float]


def parts_of(text: str) -> list[Parts]:
    """Return all ways to split a text in two at a sentence's end or a joining word."""
    return [(text[: found.start()].strip(), text[found.end() :].strip()) for found in _SPLIT.finditer(text)]


class Halves:
    """The halves of one message; they are read once, when they are first asked for."""

    def __init__(self, shortlist: ActShortlist, text: str) -> None:
        self._shortlist = shortlist
        self._text = text

    @cached_property
    def ways(self) -> list[tuple[Parts, tuple[Scores, Scores]]]:
        """The ways to split the message, with how likely each act is for the one part and for the other."""
        ways = [parts for parts in parts_of(self._text)[:MOST_SPLITS] if all(parts)]
        if not ways:
            return []
        parts = list(dict.fromkeys(part[:LONGEST] for way in ways for part in way))
        scores = dict(zip(parts, self._shortlist.scores(NOTHING, NOTHING, parts), strict=True))
        return [((one, two), (scores[one[:LONGEST]], scores[two[:LONGEST]])) for one, two in ways]

    def clear(self, names: Sequence[str]) -> float:
        """Return how clearly the message says these two acts in this order, at its best split."""
        return max((score for _, score in self._told(names)), default=0.0)

    def split(self, first: str, second: str) -> Parts:
        """Return the parts that hold two wishes: where each part speaks most clearly of its own."""
        whole = (self._text, self._text)
        return max(self._told((first, second)), key=_clearest, default=(whole, 0.0))[0]

    def _told(self, names: Sequence[str]) -> list[tuple[Parts, float]]:
        return [
            (parts, sum(scores.get(name, 0.0) for scores, name in zip(halves, names, strict=True)))
            for parts, halves in self.ways
        ]


def _clearest(way: tuple[Parts, float]) -> float:
    (former, _), clear = way
    return clear + ENDS * former.endswith((".", "!", "?", ";"))
