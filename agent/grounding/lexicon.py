"""The names and ids that the findings and the question hold, and where a text mentions them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from storewise.agent.grounding.everyday import EVERYDAY
from storewise.agent.grounding.tokens import Token, tokens
from storewise.agent.grounding.words import LEVELS, MEASURES, UNITS

# Words of a size, not of a name: "Potato chips 12 oz" may be called potato chips.
SIZES = frozenset("oz lb ct ml l g kg gal gallon pt qt pk ga dz ctn cm ltr liter litre fl doz".split())
_NAMED_IN_PART = frozenset({"product", "category", "brand", "name", "aspect"})
_SIGNS = frozenset("& / - : . ' + ( )".split())
_MEASURE_WORDS = frozenset(word for phrase in MEASURES for word in phrase)


@lru_cache(maxsize=4096)
def key(text: str) -> str:
    """Return a name as it is compared: its tokens, lower case and singular, without signs."""
    return " ".join(token.norm for token in tokens(text) if token.text[0].isalnum())


class Lexicon:
    """Names by their tokens; each has one or more kinds: customer, product, segment, level, ..."""

    def __init__(self) -> None:
        self.kinds: dict[str, list[str]] = {}
        self.ranked = False  # whether a table's rows are segments
        self.shown: dict[str, str] = {}
        self._full: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        self._inside: dict[str, list[tuple[tuple[str, ...], int, str]]] = {}
        self._stems: dict[str, str] = {}

    def add(self, name: str, kind: str) -> str:
        """Put a name in, and return its key ("" for a text without a word or number)."""
        name_key = key(name)
        if not name_key:
            return ""
        kinds = self.kinds.setdefault(name_key, [])
        if kind not in kinds:
            kinds.append(kind)
        if len(kinds) > 1 or name_key in self.shown:
            return name_key
        self.shown[name_key] = name
        parts = tuple(name_key.split(" "))
        self._full.setdefault(parts[0], []).append((parts, name_key))
        if kind in ("phrase", "aspect") and len(parts) == 1:
            self._stems[_stem(parts[0])] = name_key
        if kind in _NAMED_IN_PART and len(parts) > 1:
            for at, part in enumerate(parts):
                self._inside.setdefault(part, []).append((parts, at, name_key))
        return name_key

    def kind(self, name_key: str) -> str:
        """Return what a name is first of all."""
        return self.kinds[name_key][0]

    def __contains__(self, name_key: str) -> bool:
        return name_key in self.kinds

    def match(
        self, words: Sequence[Token], at: int, exact: bool = False
    ) -> tuple[frozenset[str], int, bool] | None:
        """Return the names mentioned at token `at`, the position after them, and whether in full.

        With `exact`, what is a name in full is not taken for a part of another one.
        """
        norm = words[at].norm
        best: list[str] = []
        length = 0
        full = False
        for parts, name_key in self._full.get(norm, ()):
            taken = _taken(words, at, parts)
            if taken > length:
                best, length, full = [name_key], taken, True
            elif taken and taken == length:
                best.append(name_key)
        for parts, inside, name_key in self._inside.get(norm, ()):
            taken = _longest(words, at, parts[inside:])
            if taken < length or not _telling([word.norm for word in words[at : at + taken]]):
                continue
            if taken > length:
                best, length, full = [name_key], taken, False
            elif name_key not in best and (
                not full
                or (
                    not exact
                    and (length == 1 or self.kind(best[0]) in ("category", "other", "brand", "name"))
                )
            ):
                best.append(name_key)  # "cheese" is a category and may mean one of its products
        if not best and _stem(norm) in self._stems:
            return frozenset({self._stems[_stem(norm)]}), at + 1, True  # "freshness" for "fresh"
        return (frozenset(best), at + length, full) if best else None


def _stem(word: str) -> str:
    for ending in ("ness", "ing", "ful", "ed", "ly", "er", "y", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def concerned(names: Iterable[str], said: frozenset[str]) -> bool:
    """Whether any of `names` may be meant by a text of the words `said`: a telling word of it is there."""
    parts = {part for name in names for part in name.split(" ") if part in said}
    return any(
        (part.isdecimal() and len(part) > 1) or _telling([part]) or not part.isalpha() for part in parts
    )


def _taken(words: Sequence[Token], at: int, parts: tuple[str, ...]) -> int:
    """Return how many tokens from `at` spell `parts`, or 0; signs between them do not count."""
    here = at
    for part in parts:
        while at < here < len(words) and (words[here].text in _SIGNS or words[here].text == ","):
            here += 1
        if here >= len(words) or words[here].norm != part:
            return 0
        here += 1
    return here - at


def _longest(words: Sequence[Token], at: int, parts: tuple[str, ...]) -> int:
    """Return how many tokens from `at` spell words of `parts` in order, some of which may be left out."""
    here, part = at, 0
    last = at
    while here < len(words):
        if words[here].text in _SIGNS and here > at:
            here += 1
            continue
        found = next((place for place in range(part, len(parts)) if parts[place] == words[here].norm), None)
        if found is None or (here == at and found):
            break
        here, part = here + 1, found + 1
        # A number or an everyday word belongs to the name only where the name goes on or ends with it.
        if part == len(parts) or not (words[here - 1].is_number or words[here - 1].norm in EVERYDAY):
            last = here
    return last - at


def _telling(norms: list[str]) -> bool:
    """Whether these words of a name are enough to mean it: not only a size or an everyday word."""
    return any(
        norm.isalpha()
        and len(norm) > 2
        and norm not in SIZES
        and norm not in EVERYDAY
        and norm not in LEVELS
        and norm not in UNITS
        and norm not in _MEASURE_WORDS
        for norm in norms
    )
