"""Numbers as people type them: "5", "1,200", "twenty-five", "a dozen", "half a dozen", "a couple"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rapidfuzz.distance import OSA


def _words(text: str) -> list[str]:
    return text.split()


_ONES = {
    word: value
    for value, word in enumerate(
        _words(
            "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
            "sixteen seventeen eighteen nineteen"
        )
    )
}
_TENS = {
    word: 10 * value
    for value, word in enumerate(_words("twenty thirty forty fifty sixty seventy eighty ninety"), start=2)
}
# Misspellings common enough to be words of their own.
_ONES |= {"fourty": 40, "tweleve": 12, "twelv": 12, "fiveteen": 15, "thirten": 13, "fiften": 15, "eigth": 8}
_TENS |= {"fourty": 40, "twenti": 20, "tweny": 20, "fivety": 50}
_ONES.pop("fourty")
_SCALES = {"hundred": 100, "thousand": 1000}
_GROUPS = {"dozen": 12, "couple": 2, "pair": 2}

_TOKEN = re.compile(r"(?<![\w.,])\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\w)|(?<![\w.])\d+(?:\.\d+)?(?!\w)|[A-Za-z]+")
# "which one", "the one", "no one": a pronoun, not a count.
_BEFORE_PRONOUN = frozenset(
    _words("which that this no any every some each another the what best worst same last")
)


@dataclass(frozen=True)
class NumberMention:
    """A number in a text: text[start:end] says `value`."""

    start: int
    end: int
    value: int | float


def read_numbers(text: str) -> list[NumberMention]:
    """Return the numbers in `text`, in order: digits and English words up to the thousands.

    Digits inside an id ("S000123", "A-17b") are no number; ordinals ("3rd", "third") are none either.
    """
    tokens = [(found.group().lower(), found.start(), found.end()) for found in _TOKEN.finditer(text)]
    mentions: list[NumberMention] = []
    i = 0
    while i < len(tokens):
        word, start, end = tokens[i]
        if word[0].isdecimal():
            plain = word.replace(",", "")
            if plain.count(".") == 0:
                mentions.append(NumberMention(start, end, int(plain)))
            else:
                mentions.append(NumberMention(start, end, float(plain)))
            i += 1
            continue
        found = _read_words(text, tokens, i)
        if found is None:
            i += 1
        else:
            value, stop = found
            mentions.append(NumberMention(start, tokens[stop - 1][2], value))
            i = stop
    return mentions


def _near(text: str, tokens: list[tuple[str, int, int]], i: int) -> bool:
    """Whether only a space or a hyphen lies between token i - 1 and token i."""
    return i < len(tokens) and text[tokens[i - 1][2] : tokens[i][1]] in (" ", "-", "  ")


def _read_words(text: str, tokens: list[tuple[str, int, int]], i: int) -> tuple[int, int] | None:
    """Return the value of the number words at token `i` and the token after them."""
    word = tokens[i][0]
    if word == "half" and _near(text, tokens, i + 1):
        j = i + 2 if tokens[i + 1][0] == "a" and _near(text, tokens, i + 2) else i + 1
        return (6, j + 1) if tokens[j][0] == "dozen" else None
    if word in ("a", "an"):
        if not _near(text, tokens, i + 1):
            return None
        following = tokens[i + 1][0]
        if following in _GROUPS:
            return _GROUPS[following], i + 2
        return _read_small(text, tokens, i + 1, first=1) if following in _SCALES else None
    if word in ("dozen", "couple") and (i == 0 or _ranks(tokens[i - 1][0])):
        return _GROUPS[word], i + 1
    if word == "one" and _is_pronoun(tokens, i):
        return None
    return _read_small(text, tokens, i, first=None)


def _ranks(word: str) -> bool:
    """Whether a count without "a" may follow: "the first dozen", "the frst dozen"."""
    slip = len(word) > 3 and any(OSA.distance(word, name) == 1 for name in ("first", "best", "worst"))
    return slip or word in ("top", "last", "past", "first", "best", "worst")


def _is_pronoun(tokens: list[tuple[str, int, int]], i: int) -> bool:
    before = tokens[i - 1][0] if i else ""
    after = tokens[i + 1][0] if i + 1 < len(tokens) else ""
    if after in _SCALES:
        return False
    return before in _BEFORE_PRONOUN or after in ("of", "by", "that", "who", "which", "is", "s")


def _read_small(
    text: str, tokens: list[tuple[str, int, int]], i: int, first: int | None
) -> tuple[int, int] | None:
    """Read "two hundred and fifty", "three thousand two hundred", "three dozen" from token `i`.

    `first` is the value of an "a" already read.
    """
    total, group, stop = 0, first, i
    while stop < len(tokens) and (stop == i or _near(text, tokens, stop)):
        word = tokens[stop][0]
        if word in _TENS and (group is None or group % 100 == 0):
            group = (group or 0) + _TENS[word]
        elif word == "zero":
            return (0, stop + 1) if stop == i else None
        elif word in _ONES and _fits(group, _ONES[word]):
            group = (group or 0) + _ONES[word]
        elif word == "hundred" and group is not None and 0 < group < 100:
            group *= 100
        elif word == "thousand" and group is not None and total == 0 and 0 < group < 1000:
            total, group = 1000 * group, 0
        elif word == "dozen" and group is not None and 0 < group < 20 and total == 0:
            return 12 * group, stop + 1
        elif (
            word == "and" and (group or total) and (group or 0) % 100 == 0 and _continues(text, tokens, stop)
        ):
            pass
        else:
            break
        stop += 1
    return (total + (group or 0), stop) if group is not None and stop > i else None


def _fits(group: int | None, one: int) -> bool:
    """Whether "twenty" may go on with "five", "hundred" with "twelve"; "twenty twelve" may not."""
    if group is None:
        return True
    return group % 100 == 0 if one >= 10 else group % 10 == 0 and group % 100 != 10


def _continues(text: str, tokens: list[tuple[str, int, int]], i: int) -> bool:
    """Whether the "and" at token `i` stands inside a number: "hundred and five"."""
    return _near(text, tokens, i + 1) and (tokens[i + 1][0] in _ONES or tokens[i + 1][0] in _TENS)
