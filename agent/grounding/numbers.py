"""Figures as people write them: $12k, 12.3 %, about two thirds, twenty-three, half a dozen, at least 40."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from storewise.agent.grounding.tokens import Token
from storewise.agent.grounding.words import (
    COMPARATIVE,
    CURRENCIES,
    FRACTIONS,
    HEDGES,
    ONES,
    ORDINALS,
    OVER,
    RATIOS,
    SCALES,
    SUFFIXES,
    TENS,
    UNDER,
    UNITS,
)

Kind = Literal["money", "percent", "number", "ratio", "ordinal"]
_DIGITS = re.compile(r"(\d[\d,]*(?:\.\d+)?)([A-Za-z]*)$")
_TINY = 1e-6


@dataclass(frozen=True, slots=True)
class Number:
    """A figure in a text.

    Attributes:
        value: as written, percentages in points (12.3 for 12.3 %).
        step: the last written place, 0.1 for 12.3 and 1000 for 12k.
        coarse: the place that its trailing zeros allow, 1000 for 12,000.
        unit: what it counts (see `words.UNITS`) or the word that follows, where one does.
        hedge: about, over or under, where the words before it say so.
        loose: written as a fraction ("a third").
    """

    value: float
    step: float
    coarse: float
    kind: Kind
    text: str
    unit: str | None = None
    hedge: Literal["about", "over", "under"] | None = None
    loose: bool = False
    scaled: bool = False

    def fits(self, value: float) -> bool:
        """Whether `value` may be written as this figure: the same, or correctly rounded as the wording shows."""
        tiny = _TINY * max(1.0, abs(value))
        apart = abs(value - self.value)
        if apart <= tiny:
            return True
        if self.value == 0 or value == 0:
            return False
        off = apart / abs(value)
        place = max(self.coarse, self.step)
        if self.loose:
            room = 5.0 if self.hedge in ("over", "under") else 2.5 if self.hedge else 0.5
            side = {"over": value > self.value, "under": value < self.value}.get(self.hedge or "", True)
            return side and apart <= room
        if self.hedge == "over":
            return self.value < value and apart < place and off <= 0.15
        if self.hedge == "under":
            return value < self.value and apart < place and off <= 0.06
        if apart <= self.step / 2 + tiny and (not self.scaled or off <= 0.1):
            return True
        if apart <= self.coarse / 2 + tiny and self.coarse > self.step:
            return off <= (0.05 if self.hedge or self.scaled else 0.01)
        return False


def _digits(text: str) -> tuple[float, float, float, str] | None:
    """Return value, step, coarse and the letters after, of a token that begins with a digit."""
    match = _DIGITS.match(text)
    if not match:
        return None
    written = match.group(1).rstrip(",").replace(",", "")
    if len(written) > 15:
        return None
    value = float(written)
    if "." in written:
        return value, 10.0 ** -len(written.split(".")[1]), 0.0, match.group(2)
    zeros = len(written) - len(written.rstrip("0")) if value else 0
    return value, 1.0, 10.0**zeros, match.group(2)


def _in_words(words: Sequence[Token], at: int) -> tuple[float, int] | None:
    """Read a cardinal in words ("two hundred and five", "a dozen") at `at`; return it with its end."""
    lower = [word.text.lower() for word in words[at : at + 8]]
    if lower[0] == "half" and lower[1:3] == ["a", "dozen"]:
        return 6, at + 3
    if lower[0] in ("a", "an") and len(lower) > 1:
        if lower[1] == "dozen":
            return 12, at + 2
        if lower[1] == "couple":
            return 2, at + 2
        if lower[1] in SCALES:
            return SCALES[lower[1]], at + 2
        return None
    total = current = 0
    here = 0
    seen = False
    last = 10**12  # ones may follow tens, and nothing may follow ones
    while here < len(lower):
        word = lower[here]
        if word in ONES and last > 9:
            if last == 10 and ONES[word] > 9:
                break
            current, last = current + ONES[word], 1 if ONES[word] < 20 else 10
        elif word in TENS and last > 10:
            current, last = current + TENS[word], 10
        elif word == "hundred" and seen and current:
            current, last = current * 100, 100
        elif word in SCALES and seen and current and word != "hundred":
            total, current, last = total + current * SCALES[word], 0, 1000
        elif word == "dozen" and seen:
            return float((total + current) * 12), at + here + 1
        elif (
            word == "and"
            and last >= 100
            and seen
            and here + 1 < len(lower)
            and lower[here + 1] in (ONES | TENS)
        ):
            here += 1
            continue
        else:
            break
        seen = True
        here += 1
    return (float(total + current), at + here) if seen else None


def _fraction(words: Sequence[Token], at: int) -> tuple[float, int] | None:
    """Read "a third", "two thirds", "half", "three quarters" as percent at `at`."""
    norm = words[at].norm
    after = words[at + 1].norm if at + 1 < len(words) else ""
    before = words[at - 1].norm if at else ""
    if norm == "half":
        if before in ("first", "second", "other", "better", "a", "and", "1", "one") or after in (
            "dozen",
            "year",
        ):
            return None
        return 50.0, at + 1
    if norm in ONES and after == "in" and at + 2 < len(words):
        whole = _in_words(words, at + 2) or (
            (float(words[at + 2].text), at + 3) if words[at + 2].text.isdecimal() else None
        )
        if whole and 2 <= whole[0] <= 20 and 0 < ONES[norm] < whole[0]:
            return 100.0 * ONES[norm] / whole[0], whole[1]  # "one in ten"
        return None
    top = 1 if norm in ("a", "one") else ONES.get(norm, 0)
    if not top or after not in FRACTIONS or after == "half":
        return None
    follows = words[at + 2].norm if at + 2 < len(words) else "."
    plural = words[at + 1].text.lower().endswith("s")
    # "a third of them" is a share, "a third calls it" is somebody.
    if (top > 1) != plural or (top == 1 and follows not in ("of", ".", ",", ";", ")")):
        return None
    return 100.0 * top * FRACTIONS[after], at + 2


def _hedged(words: Sequence[Token], at: int) -> Literal["about", "over", "under"] | None:
    """Read the hedge that ends just before `at`."""
    before = [word.text.lower() for word in words[max(0, at - 3) : at]]
    if before and before[-1] in CURRENCIES:
        before.pop()
    if not before:
        return None
    last = before[-1]
    if last in ("a", "an", "the") and len(before) > 1:
        last, before = before[-2], before[:-1]
    two = tuple(before[-2:])
    if two in (
        ("more", "than"),
        ("higher", "than"),
        ("at", "least"),
        ("upwards", "of"),
        ("north", "of"),
        ("greater", "than"),
    ):
        return "over"
    if two in (
        ("less", "than"),
        ("fewer", "than"),
        ("lower", "than"),
        ("at", "most"),
        ("up", "to"),
        ("not", "quite"),
    ):
        return "under"
    if two == ("close", "to") or two == ("or", "so"):
        return "about"
    if last in OVER:
        return "over"
    if last in UNDER:
        return "under"
    return "about" if last in HEDGES and last not in ("close", "near", "say", "c") else None


def _unit(words: Sequence[Token], at: int) -> tuple[str | None, int]:
    """Read what is counted from the words after a number; return it with the position after it."""
    here = at
    adjectives = 0
    if here < len(words) and words[here].text == "-":
        here += 1
    while here < len(words) and adjectives < 3:
        word = words[here]
        if word.norm in UNITS and not _verb(words, here, at):
            return UNITS[word.norm], here + 1
        if word.norm == "at" and here + 1 < len(words) and words[here + 1].norm == "risk":
            here += 2
            adjectives += 1
            continue
        if not word.is_word or (word.norm in COMPARATIVE and adjectives):
            break
        if word.norm in _NO_ADJECTIVE:
            break
        here += 1
        adjectives += 1
    return None, at


_NO_ADJECTIVE = frozenset(
    "a an the of in on at to for from by with and or but is are was were be has have had than as since until per each "
    "every their his her its our your my this that these those they he she it we you i will would can could may "
    "if when while who which what where why how not no never so then also only just still already yet ago chance risk "
    "probability likelihood share revenue sale spend spent brought bought ordered sold made went came fell rose".split()
)


def _verb(words: Sequence[Token], here: int, at: int) -> bool:
    """Whether the unit noun at `here` is really a verb: "1228 orders less often", "900 visits every week"."""
    if words[here].text.lower() not in ("orders", "visits", "purchases", "baskets") or here != at:
        return False
    after = words[here + 1].norm if here + 1 < len(words) else ""
    return after in (
        "less",
        "more",
        "every",
        "about",
        "again",
        "regularly",
        "roughly",
        "mostly",
        "often",
        "weekly",
    )


def read(words: Sequence[Token], at: int) -> tuple[Number, int] | None:
    """Read a figure that begins at token `at` (its currency sign, digits or words); return it with its end."""
    start = at
    money = False
    lower = words[at].text.lower()
    if lower in ("$", "€", "£", "usd", "eur"):
        at += 1
        money = True
        if at >= len(words) or not words[at].is_number:
            return None
        lower = words[at].text.lower()
    number: Number
    text = words[at].text
    if words[at].is_number:
        found = _digits(text)
        if found is None:
            return None
        value, step, coarse, letters = found
        letters = letters.lower()
        if letters in ("st", "nd", "rd", "th"):
            return Number(value, 1, 1, "ordinal", text), at + 1
        scale = SUFFIXES.get(letters, 1)
        if letters and letters not in SUFFIXES:
            return None
        end = at + 1
        after = words[end].text.lower() if end < len(words) else ""
        if after in SCALES and after != "hundred":
            scale, end = SCALES[after], end + 1
        elif money and after in SUFFIXES:
            scale, end = SUFFIXES[after], end + 1
        number = Number(value * scale, step * scale, coarse * scale, "number", text, scaled=scale > 1)
    elif lower in RATIOS:
        follows = words[at + 1].norm if at + 1 < len(words) else ""
        if lower in ("twice", "thrice") and follows not in ("as", "the", "what", "that", "their", "more"):
            return Number(RATIOS[lower], 1, 1, "number", text, unit="times"), at + 1
        return Number(RATIOS[lower], 1, 1, "ratio", text), at + 1
    elif lower in ORDINALS and not _fraction(words, at):
        return Number(ORDINALS[lower], 1, 1, "ordinal", text), at + 1
    else:
        spelled = _in_words(words, at)
        part = None if spelled and spelled[1] > at + 1 else _fraction(words, at)
        if part:
            value, end = part
            text = _said(words, start, end)
            return Number(value, 1, 1, "percent", text, hedge=_hedged(words, start), loose=True), end
        if spelled is None:
            return None
        value, end = spelled
        number = Number(value, 1, 1, "number", text)
    return _finished(words, start, end, number, money)


def _finished(
    words: Sequence[Token], start: int, end: int, number: Number, money: bool
) -> tuple[Number, int]:
    """Read what follows the digits: a percent sign, a currency, a unit; and the hedge around them."""
    after = words[end].text.lower() if end < len(words) else ""
    kind: Kind = "money" if money else "number"
    unit: str | None = None
    if after in ("%", "percent", "pct"):
        end += 1
        kind = "percent"
        if end < len(words) and words[end].norm == "point":
            unit, end = "points", end + 1
    elif after == "per" and end + 1 < len(words) and words[end + 1].text.lower() == "cent":
        kind, end = "percent", end + 2
    elif not money and end < len(words) and words[end].norm in CURRENCIES:
        kind, end = "money", end + 1
    text = _said(words, start, end)
    hedge = _hedged(words, start)
    if end + 1 < len(words) and [word.text.lower() for word in words[end : end + 2]] == ["or", "so"]:
        hedge = "about"
    if end < len(words) and words[end].text == "+":
        hedge, end = "over", end + 1
    if kind == "number":
        unit, until = _unit(words, _after_total(words, end))
        if unit is not None and until == end + 1:
            text, end = _said(words, start, until), until
    return replace(number, kind=kind, unit=unit, hedge=hedge, text=text), end


def _after_total(words: Sequence[Token], end: int) -> int:
    """Return where the unit of a part stands: after the total, in "27 of 33 mentions"; else `end`."""
    here = end
    if here < len(words) and words[here].norm == "out":
        here += 1
    if here < len(words) and words[here].norm == "of":
        here += 1
        if here < len(words) and words[here].norm in ("the", "all"):
            here += 1
        if here < len(words):
            if words[here].is_number and _digits(words[here].text):
                return here + 1
            spelled = _in_words(words, here)
            if spelled:
                return spelled[1]
    return end


def _said(words: Sequence[Token], start: int, end: int) -> str:
    text = " ".join(word.text for word in words[start:end])
    return re.sub(r"([$€£]) ", r"\1", text)
