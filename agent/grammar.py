"""The grammar that a call is decoded under: the shortlist's schemas, narrowed to what the question says.

GBNF as xgrammar reads it. An argument appears only where the question (or the turn before) offers a
value for it, so that no id, number, date or product can be made up; free text is a run of the
question's own words.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from storewise.agent.reading import STOP, Reading
from storewise.tools.calls import NONE_KINDS
from storewise.tools.registry import Tool

_IDS = ("customer_id", "session_id")
_TEXT = ("product", "query", "topic", "aspect")
_NUMBERS = ("top", "weeks")


def _literal(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _choice(texts: Iterable[str]) -> str:
    return " | ".join(_literal(text) for text in dict.fromkeys(texts))


def _span_rules(words: Sequence[str], longest: int) -> tuple[str, list[str]]:
    """Return (the alternatives of a span's first word, the rules for going on from each word).

    A span is a run of the question's words that neither begins nor ends with a stop word.
    """
    rules: list[str] = []
    starts: list[str] = []
    texts = [word.replace('"', "") for word in words]
    for index, text in enumerate(texts):
        if not text:
            continue
        ends = text.lower() not in STOP
        # Only words from which a later word can still end the span may go on.
        on = next((k for k in range(index + 1, len(texts)) if texts[k].lower() not in STOP), None)
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
    if argument in _NUMBERS:
        return _choice([*(str(number) for number in reading.numbers), *before]) or None
    if argument == "when":
        periods = _choice([*(period.text for period in reading.periods), *before])
        return f'"\\"" ({periods}) "\\""' if periods else None
    if argument == "segment":
        names = _choice([*reading.segments, *before])
        return f'"\\"" ({names}) "\\""' if names else None
    if argument in _TEXT:
        texts = " | ".join(part for part in (spans, _choice(before)) if part)
        return f'"\\"" ({texts}) "\\""' if texts else None
    values = [value for value in tool.choices(argument) if value != tool.defaults.get(argument)]
    return _choice(values) or None


def written_arguments(tool: Tool) -> list[str]:
    """Return a tool's arguments as the short syntax writes them: `when` for start and end."""
    names = ["when" if name == "start" else name for name in tool.model.model_fields if name != "end"]
    return names


def _tool_rule(tool: Tool, reading: Reading, spans: str) -> str | None:
    """Return the grammar of one call, None where a required argument has no value."""
    required: list[str] = []
    optional: list[str] = []
    for argument in written_arguments(tool):
        field = tool.model.model_fields.get(argument)
        value = _value(tool, argument, reading, spans)
        if field is not None and field.is_required():
            if value is None:
                return None
            required.append(f'"{argument}=" ({value})')
        elif value is not None:
            optional.append(f'"{argument}=" ({value})')
    # Required arguments stand first in every signature. After the first argument each further one
    # brings its comma; with none required, any optional one may be the first.
    if required:
        inside = ' ", " '.join(required) + "".join(f' (", " {part})?' for part in optional)
    else:
        starts = [
            part + "".join(f' (", " {later})?' for later in optional[index + 1 :])
            for index, part in enumerate(optional)
        ]
        inside = f"({' | '.join(f'({start})' for start in starts)})?" if starts else ""
    return f'"{tool.name}(" {inside} ")"'


def call_grammar(tools: Sequence[Tool], reading: Reading, two: bool, none: bool) -> str | None:
    """Return the grammar for one call (or two) of `tools`, or `none(KIND)` where `none` allows it.

    None where nothing at all could be called or said.
    """
    spans, rules = _span_rules(reading.words, longest=12)
    calls: list[str] = []
    for tool in tools:
        rule = _tool_rule(tool, reading, spans)
        if rule is not None:
            calls.append(f"call-{tool.name.replace('_', '-')}")
            rules.append(f"{calls[-1]} ::= {rule}")
    ways: list[str] = []
    if calls:
        rules.append(f"call ::= {' | '.join(calls)}")
        ways.append('call ("; " call)?' if two else "call")
    if none or not calls:
        ways.append(f'"none(" ({_choice(NONE_KINDS)}) ")"')
    return "\n".join([f"root ::= {' | '.join(ways)}", *rules])


def unmet(tool: Tool, reading: Reading) -> list[str]:
    """Return the required arguments of `tool` that the question offers no value for."""
    names: list[Any] = [n for n in written_arguments(tool) if n in tool.model.model_fields]
    return [
        n for n in names if tool.model.model_fields[n].is_required() and _value(tool, n, reading, "w") is None
    ]
