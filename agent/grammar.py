"""The grammar that a call is decoded under: the shortlist's schemas, narrowed to what the question says.

GBNF as xgrammar reads it. An argument appears only where the question (or the turn before) offers a
value for it, so that no id, number, date or product can be made up; free text is a run of the
question's own words.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any

from storewise.agent.reading import STOP, Reading, customers_named
from storewise.tools.calls import NONE_KINDS
from storewise.tools.registry import Tool

_IDS = ("customer_id", "session_id")
_TEXT = ("product", "query", "topic", "aspect")


def _literal(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _choice(texts: Iterable[str]) -> str:
    return " | ".join(_literal(text) for text in dict.fromkeys(texts))


def _span_rules(words: Sequence[str], timed: frozenset[int], longest: int) -> tuple[str, list[str]]:
    """Return (the alternatives of a span's first word, the rules for going on from each word).

    A span is a run of the question's words that neither begins nor ends with a stop word; the words that
    tell a time belong to none.
    """
    rules: list[str] = []
    starts: list[str] = []
    # A lone quotation mark is no word.
    kept = [(text, place in timed) for place, word in enumerate(words) if (text := word.replace('"', ""))]
    texts = [text for text, _ in kept]
    for index, (text, tells_time) in enumerate(kept):
        if tells_time:
            continue
        # A short number is a count and no product; an id of the catalogue has more digits.
        ends = text.lower() not in STOP and not (text.isdecimal() and len(text) < 4)
        # Only words from which a later word can still end the span may go on.
        last = next((k for k in range(index + 1, len(kept)) if kept[k][1]), len(kept))
        on = next((k for k in range(index + 1, last) if texts[k].lower() not in STOP), None)
        more = f'" " w{index + 1}' if on is not None and on - index <= longest else None
        if more is None and not ends:
            rules.append(f"w{index} ::= {_literal(text)}")
            continue
        tail = "" if more is None else (f" ({more})?" if ends else f" {more}")
        rules.append(f"w{index} ::= {_literal(text)}{tail}")
        if ends:
            starts.append(f"w{index}")
    return " | ".join(starts), rules


def _value(tool: Tool, argument: str, reading: Reading, spans: str) -> str | None:
    """Return the grammar of an argument's value, None where the question offers none."""
    before = reading.before(argument)
    if argument in _IDS:
        # A session's id holds a letter or stands in the shop's list; a customer's may be anything.
        ids = [text for text in reading.ids if (argument == "session_id") == text[:1].isalpha()]
        return _choice([*(ids or reading.ids), *before]) or None
    if argument == "weeks":
        return _choice([*map(str, reading.horizons), *before]) or None
    if argument == "top":
        named = customers_named(reading.question, reading.ids)
        numbers = reading.counts or [number for number in reading.numbers if str(number) not in named]
        return _choice([*map(str, numbers), *before]) or None
    if argument == "when":
        return _quoted(_choice([*(period.text for period in reading.periods), *before]))
    if argument == "segment":
        return _quoted(_choice([*reading.segments, *before]))
    if argument == "product" and (reading.products or "query" in tool.model.model_fields):
        # A search has its query for what the catalogue does not know.
        return _quoted(_choice([*reading.products, *before]))
    if argument in _TEXT:
        return _quoted(" | ".join(part for part in (spans, _choice(before)) if part))
    if argument == "sentiment" and not before:
        return _choice(reading.sentiments) or None
    values = [value for value in tool.choices(argument) if value != tool.defaults.get(argument)]
    return _choice(values) or None


def _quoted(choice: str) -> str | None:
    return f'"\\"" ({choice}) "\\""' if choice else None


def _certain(tool: Tool, argument: str, reading: Reading) -> bool:
    """Return whether the question names exactly one value for an argument, so that it has to be given."""
    match argument:
        case "when":
            return len(reading.periods) == 1
        case "top":
            return len(reading.counts) == 1
        case "weeks":
            return len(reading.horizons) == 1
        case "segment":
            return len(reading.sure_segments) == 1
        case "product":
            return len(reading.products) == 1
        case _:
            return False


def _call_rules(name: str, tool: Tool, reading: Reading, spans: str, certain: bool) -> list[str] | None:
    """Return the rules of one call, the first one named `name`; None where a required value is missing.

    The arguments come in any order, each once; the call may end when none is owed any more. A rule
    stands for the set of arguments still to come.
    """
    arguments: list[str] = []
    owed: set[str] = set()
    rules: list[str] = []
    for argument in tool.written_arguments:
        field = tool.model.model_fields.get(argument)
        required = field is not None and field.is_required()
        value = _value(tool, argument, reading, spans)
        if value is None:
            if required:
                return None
            continue
        arguments.append(argument)
        if required or (certain and _certain(tool, argument, reading)):
            owed.add(argument)
        rules.append(f'{name}-{_rule_name(argument)} ::= "{argument}=" ({value})')

    def state(left: tuple[str, ...]) -> str:
        return "-".join([name, "left", *map(_rule_name, left)])

    for size in range(len(arguments) + 1):
        for left in combinations(arguments, size):
            comma = '", " ' if size < len(arguments) else ""
            ways = [
                f"{comma}{name}-{_rule_name(one)} {state(tuple(a for a in left if a != one))}" for one in left
            ]
            if not owed & set(left):
                ways.append('")"')
            if ways:
                rules.append(f"{state(left)} ::= {' | '.join(ways)}")
    return [f'{name} ::= "{tool.name}(" {state(tuple(arguments))}', *rules]


def _rule_name(text: str) -> str:
    return text.replace("_", "-")


def call_grammar(tools: Sequence[Tool], reading: Reading, two: bool, none: bool) -> str:
    """Return the grammar for one call (or two) of `tools`, or `none(KIND)` where `none` allows it.

    One call alone has to carry what the question says for certain; of two, nobody knows which.
    """
    spans, rules = _span_rules(reading.words, reading.timed, longest=12)
    ways: list[str] = []
    for way, certain in (("one", True), *((("two", False),) if two else ())):
        names: list[str] = []
        for tool in tools:
            name = f"{way}-{_rule_name(tool.name)}"
            made = _call_rules(name, tool, reading, spans, certain)
            if made is not None:
                names.append(name)
                rules += made
        if names:
            rules.append(f"{way} ::= {' | '.join(names)}")
            ways.append("one" if way == "one" else 'two "; " two')
    if none or not ways:
        ways.append(f'"none(" ({_choice(NONE_KINDS)}) ")"')
    return "\n".join([f"root ::= {' | '.join(ways)}", *rules])


def unmet(tool: Tool, reading: Reading) -> list[str]:
    """Return the required arguments of `tool` that the question offers no value for."""
    names: list[Any] = [n for n in tool.written_arguments if n in tool.model.model_fields]
    return [
        n for n in names if tool.model.model_fields[n].is_required() and _value(tool, n, reading, "w") is None
    ]
