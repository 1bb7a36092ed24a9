"""The wish banks, read and checked: what people ask, written by hand in finetune/wishes/*.txt.

A line that starts with `= ` is a call in the short syntax, with `{slot}` for values to be filled in; the
lines below it are ways to say it. `(a|b|)` is a choice, which may nest; a bracket as such is written with a
backslash before it. `#` starts a comment line.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from storewise.tools.calls import NONE_KINDS, CallSyntaxError, WrittenCall, read_calls

SEGMENTS = ("Champions", "Loyal", "Promising", "New", "Needs attention", "At risk", "Hibernating", "Lost")
_METRICS = ("revenue", "orders", "customers", "units", "average_order_value")
_BY = ("day", "week", "month", "category", "brand", "product", "segment")

# What may stand for each argument: a slot, or one of the words. `when` stands for start and end.
ARGUMENTS: dict[str, dict[str, str | tuple[str, ...]]] = {
    "sales_report": {"metric": _METRICS, "by": _BY, "product": "product", "when": "when", "top": "top"},
    "customer_profile": {"customer_id": "customer"},
    "churn_risk": {"customer_id": "customer", "segment": "segment", "top": "top"},
    "customer_value": {"customer_id": "customer", "top": "top", "weeks": "weeks"},
    "recommend_products": {"customer_id": "customer", "product": "product", "top": "top"},
    "cart_risk": {"session_id": "session", "top": "top"},
    "search_reviews": {
        "query": "query",
        "product": "product",
        "sentiment": ("positive", "negative"),
        "top": "top",
    },
    "review_insights": {"product": "product", "aspect": "aspect"},
    "summarize_reviews": {"product": "product", "topic": "topic"},
}
REQUIRED = {
    "sales_report": {"metric"},
    "customer_profile": {"customer_id"},
    "recommend_products": {"customer_id"},
}
# A review may also be looked for by an aspect, and summed up on whatever it may be looked for by; a time
# ahead stands bare or before a noun, too.
_ALSO = {"query": ("aspect",), "topic": ("aspect", "query"), "weeks": ("span", "long")}
# The slot that stands for a value of the call before, in a follow-up.
IT = "it"
# What a follow-up does to the call before, beside calling a tool anew.
FOLLOW_UPS = ("set", "repeat")
# Files of the folder that hold lists, not wishes.
LISTS = ("aspects", "closings", "horizons", "joiners", "openings", "products", "queries", "times", "topics")
_SLOT = re.compile(r"\{(\w+)\}")


class BankError(ValueError):
    """A wish bank is not as it must be; the message names the file and the line."""


@dataclass(frozen=True)
class Piece:
    """A stretch of a question; `slot` names the value that it holds, if any, and `value` what it means."""

    text: str
    slot: str | None = None
    value: str | None = None

    @property
    def kind(self) -> str:
        """The kind of value that it holds: `customer` for the slots customer, customer2 and customer_b."""
        return (self.slot or "").removesuffix("_b").rstrip("2")


@dataclass(frozen=True)
class _Slot:
    name: str


@dataclass(frozen=True)
class _Choice:
    options: tuple[Pattern, ...]


Pattern = tuple["str | _Slot | _Choice", ...]


@dataclass(frozen=True)
class Wish:
    """One way to say something: draw() makes a question of it."""

    pattern: Pattern
    where: str

    @property
    def slots(self) -> frozenset[str]:
        """The slots that stand in it whatever is chosen."""
        return _always(self.pattern)

    def draw(self, rng: random.Random, fill: Callable[[str], Piece]) -> list[Piece]:
        """Return the pieces of one wording, choices made and slots filled."""
        return _joined(_draw(self.pattern, rng, fill))

    def text(self, rng: random.Random, values: Mapping[str, str] | None = None) -> str:
        """Return one wording as plain text."""
        return "".join(piece.text for piece in self.draw(rng, lambda slot: Piece((values or {})[slot])))


@dataclass(frozen=True)
class Block:
    """A list of calls and the ways to ask for them. Values of the calls may be `{slot}`."""

    calls: tuple[WrittenCall, ...]
    wishes: tuple[Wish, ...]
    where: str

    @property
    def slots(self) -> frozenset[str]:
        """The slots of the calls."""
        return frozenset(name for call in self.calls for v in call.args.values() for name in _SLOT.findall(v))


def parse_pattern(text: str, where: str) -> Pattern:
    """Parse `who are the {top} (folks|shoppers|)`; raise BankError naming `where`."""
    pattern, end = _parse(text, 0, where, depth=0)
    if end != len(text):
        raise BankError(f"{where}: a ')' too many at column {end + 1}")
    return pattern


def _parse(text: str, i: int, where: str, depth: int) -> tuple[Pattern, int]:
    items: list[str | _Slot | _Choice] = []
    literal = ""
    while i < len(text):
        mark = text[i]
        if mark == "\\" and text[i + 1 : i + 2] in ("(", ")", "|"):
            literal += text[i + 1]
            i += 2
            continue
        if mark in "|)" and depth:
            break
        if mark == ")":
            # "1)" is no choice
            literal += mark
            i += 1
        elif mark == "(":
            options: list[Pattern] = []
            i += 1
            while True:
                option, i = _parse(text, i, where, depth + 1)
                options.append(option)
                if i >= len(text):
                    raise BankError(f"{where}: '(' without ')'")
                i += 1
                if text[i - 1] == ")":
                    break
            items += [literal, _Choice(tuple(options))]
            literal = ""
        elif mark == "{":
            found = _SLOT.match(text, i)
            if found is None:
                raise BankError(f"{where}: '{{' without a slot's name and '}}' at column {i + 1}")
            items += [literal, _Slot(found.group(1))]
            literal, i = "", found.end()
        else:
            literal += mark
            i += 1
    return tuple(item for item in [*items, literal] if item != ""), i


def _always(pattern: Pattern) -> frozenset[str]:
    found: frozenset[str] = frozenset()
    for item in pattern:
        if isinstance(item, _Slot):
            found |= {item.name}
        elif isinstance(item, _Choice):
            found |= frozenset.intersection(*(_always(option) for option in item.options))
    return found


def _draw(pattern: Pattern, rng: random.Random, fill: Callable[[str], Piece]) -> list[Piece]:
    pieces: list[Piece] = []
    for item in pattern:
        if isinstance(item, str):
            pieces.append(Piece(item))
        elif isinstance(item, _Slot):
            pieces.append(fill(item.name))
        else:
            pieces += _draw(rng.choice(item.options), rng, fill)
    return pieces


def _joined(pieces: list[Piece]) -> list[Piece]:
    """Merge neighbouring plain pieces, with single spaces and none at the ends or before a comma."""
    merged: list[Piece] = []
    for piece in pieces:
        if piece.slot is None and merged and merged[-1].slot is None:
            merged[-1] = Piece(merged[-1].text + piece.text)
        else:
            merged.append(piece)
    tidy: list[Piece] = []
    for place, piece in enumerate(merged):
        text = re.sub(r" +", " ", piece.text)
        text = re.sub(r" (?=[,.?!;:])", "", text) if piece.slot is None else text
        if place == 0:
            text = text.lstrip()
        if place == len(merged) - 1:
            text = text.rstrip()
        tidy.append(Piece(text, piece.slot, piece.value))
    return [piece for piece in tidy if piece.text]


def read_bank(path: Path) -> list[Block]:
    """Read one wish bank.

    Raises:
        BankError: a call that no tool takes, a slot in the call that a wording lacks, a bracket left open.
    """
    blocks: list[Block] = []
    for head, head_where, lines in sections(path):
        try:
            calls = tuple(read_calls(head))
        except CallSyntaxError as error:
            raise BankError(f"{head_where}: {error}") from None
        for call in calls:
            _check_call(call, head_where)
        block = Block(
            calls, tuple(Wish(parse_pattern(text, where), where) for text, where in lines), head_where
        )
        for wish in block.wishes:
            _check_wish(wish, block)
        if not block.wishes:
            raise BankError(f"{head_where}: no wording stands below this call")
        blocks.append(block)
    return blocks


def read_list(path: Path) -> dict[str, tuple[Wish, ...]]:
    """Read a list of wordings by section; what stands before the first `= name` has the section ""."""
    return {
        head: tuple(Wish(parse_pattern(text, where), where) for text, where in lines)
        for head, _, lines in sections(path, headless=True)
    }


def read_banks(folder: Path) -> dict[str, list[Block]]:
    """Read every wish bank of a folder, by file name without its ending.

    Raises:
        BankError: the folder holds no bank, or one of them is wrong.
    """
    paths = sorted(path for path in folder.glob("*.txt") if path.stem not in LISTS)
    if not paths:
        raise BankError(f"{folder}: no wish bank (*.txt) lies here")
    return {path.stem: read_bank(path) for path in paths}


def sections(path: Path, headless: bool = False) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Return the `= ` lines of a file, where they stand, and the lines below each with where they stand.

    Raises:
        BankError: a line stands before the first `= ` line, where none may.
    """
    sections: list[tuple[str, str, list[tuple[str, str]]]] = []
    for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        where, line = f"{path.name}, line {number}", raw.rstrip()
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("= "):
            sections.append((line[2:].strip(), where, []))
        elif sections:
            sections[-1][2].append((line, where))
        elif headless:
            sections.append(("", where, [(line, where)]))
        else:
            raise BankError(f"{where}: a wording before the first '= ' line")
    return sections


def _check_call(call: WrittenCall, where: str) -> None:
    if call.name == "none":
        if call.args.get("kind") not in NONE_KINDS:
            raise BankError(f"{where}: none({call.args.get('kind')}); the kinds are {', '.join(NONE_KINDS)}")
        return
    if call.name in FOLLOW_UPS:
        return
    taken = ARGUMENTS.get(call.name)
    if taken is None:
        raise BankError(f"{where}: there is no tool {call.name}")
    for name, value in call.args.items():
        if name not in taken:
            raise BankError(f"{where}: {call.name} takes no {name}")
        allowed, slot = taken[name], _SLOT.fullmatch(value)
        if isinstance(allowed, tuple):
            if value not in allowed:
                raise BankError(f"{where}: {name}={value}; it may be {', '.join(allowed)}")
        elif slot and slot.group(1).rstrip("2") not in (allowed, IT, *_ALSO.get(allowed, ())):
            raise BankError(f"{where}: {name}={value}; the slot here is {{{allowed}}}")
    missing = REQUIRED.get(call.name, set()) - call.args.keys()
    if missing:
        raise BankError(f"{where}: {call.name} needs {', '.join(sorted(missing))}")


def _check_wish(wish: Wish, block: Block) -> None:
    if block.calls[0].name == "none":
        return
    lacking = block.slots - {IT} - wish.slots
    if lacking:
        raise BankError(f"{wish.where}: the call has {_braced(lacking)}, this wording has not")
    extra = _mentioned(wish.pattern) - block.slots
    if extra:
        raise BankError(f"{wish.where}: the wording has {_braced(extra)}, the call above has not")


def _mentioned(pattern: Pattern) -> frozenset[str]:
    found: frozenset[str] = frozenset()
    for item in pattern:
        if isinstance(item, _Slot):
            found |= {item.name}
        elif isinstance(item, _Choice):
            found |= frozenset().union(*(_mentioned(option) for option in item.options))
    return found


def _braced(names: frozenset[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in sorted(names))


def fill_calls(calls: tuple[WrittenCall, ...], values: Mapping[str, str]) -> list[WrittenCall]:
    """Return `calls` with every `{slot}` replaced by its value."""
    return [
        WrittenCall(call.name, {k: _SLOT.sub(lambda m: values[m.group(1)], v) for k, v in call.args.items()})
        for call in calls
    ]
