"""Which names a finding holds, and of what kind: in the cells of its table, its arguments and its texts."""

from __future__ import annotations

import itertools

from storewise.agent.grounding import dates
from storewise.agent.grounding.everyday import EVERYDAY
from storewise.agent.grounding.lexicon import SIZES, Lexicon, key
from storewise.agent.grounding.reading import SENTIMENTS
from storewise.agent.grounding.tokens import plain, tokens
from storewise.agent.grounding.words import LEVELS, MEASURES, SEGMENTS, UNITS
from storewise.tools.finding import Column, DataNote, Finding, ModelNote, ReviewQuote

SEGMENT_KEYS = frozenset(key(name) for name in SEGMENTS)
_KIND_OF_COLUMN = {
    "customer": "customer",
    "household": "customer",
    "session": "session",
    "review": "review",
    "product": "product",
    "category": "category",
    "department": "category",
    "brand": "brand",
    "segment": "segment",
    "aspect": "aspect",
    "theme": "aspect",
    "topic": "aspect",
    "phrase": "phrase",
}
# Arguments whose text names no thing that an answer could be about.
_NO_NAMES = frozenset("metric by stage kind".split())


def column_kind(column: Column) -> str:
    """Return the kind of thing that a column names: customer, product, segment, ... or other."""
    for text in (column.name, column.label):
        for token in tokens(text.replace("_", " ")):
            if token.norm in _KIND_OF_COLUMN:
                return _KIND_OF_COLUMN[token.norm]
    return "other"


def argument_names(finding: Finding) -> list[tuple[str, str]]:
    """Return the names among a finding's arguments, with their kinds."""
    kinds = {"customer_id": "customer", "session_id": "session", "product": "product"}
    kinds |= {"segment": "segment", "sentiment": "sentiment"}
    return [
        (value, kinds.get(name, "other"))
        for name, value in finding.arguments.items()
        if isinstance(value, str) and name not in _NO_NAMES and not dates.whole(value)
    ]


def cell_names(cell: str, column: Column) -> list[tuple[str, str]]:
    """Return the names in a cell with their kinds: the cell itself, or the items of a list in a text."""
    kind = column_kind(column)
    if column.role == "entity":
        return [] if dates.whole(cell) else [(cell, kind)]
    if column.role != "text":
        return []
    norm = key(cell)
    if cell.lower() in SENTIMENTS:
        return [(cell, "sentiment")]
    if norm in LEVELS:
        return [(LEVELS[norm], "level")]
    if norm in SEGMENT_KEYS:
        return [(cell, "segment")]
    if kind in ("category", "product", "brand", "phrase") and not set(cell) & set(";,"):
        return [(cell, kind)]
    found: list[tuple[str, str]] = []
    for item in _outside_brackets(cell):
        words = tokens(item)
        if words and key(item) in SEGMENT_KEYS:
            found.append((item, "segment"))
        elif 0 < len(words) <= 16 and words[0].text[0].isupper():
            if any(tells(word.norm) for word in words if word.is_word):
                found.append((item, "name"))
    for part in (*_brackets(cell), *_outside_brackets(cell)):
        if part.lower() in LEVELS:
            found.append((LEVELS[part.lower()], "level"))
    return found


def tells(norm: str) -> bool:
    """Whether a word names something: no everyday word, unit, level or measure."""
    plain_word = norm in EVERYDAY or norm in UNITS or norm in LEVELS or (norm,) in MEASURES
    return not plain_word and len(norm) > 2


def _outside_brackets(text: str) -> list[str]:
    parts, depth, item = [], 0, ""
    for sign in text:
        if sign == "(":
            depth += 1
        elif sign == ")":
            depth = max(0, depth - 1)
        elif depth == 0 and sign in ",;":
            parts.append(item.strip())
            item = ""
        elif depth == 0:
            item += sign
    return [part for part in [*parts, item.strip()] if part]


def _brackets(text: str) -> list[str]:
    return [part.split(")")[0].strip() for part in text.split("(")[1:]]


def names_in(text: str, lexicon: Lexicon) -> list[str]:
    """Return the capitalised names in a text that the lexicon does not hold: "Salad mix", "Grapes red 18 lb"."""
    found = []
    words = tokens(plain(text))
    at = 0
    while at < len(words):
        known = lexicon.match(words, at)
        if known and known[2]:
            at = max(known[1], at + 1)
            continue
        token = words[at]
        starts = at == 0 or words[at - 1].text in ".?!:;("
        capital = token.is_word and token.text[0].isupper()
        if not capital or (starts and not tells(token.norm)) or dates.read(words, at):
            at += 1
            continue
        end = at + 1
        while end < len(words) and _goes_on(words[end].text, words[end].norm, words, end):
            end += 1
        if token.text.lower() not in dates.WEEKDAYS:
            found.append(" ".join(word.text for word in words[at:end]))
        at = end
    return found


def _goes_on(text: str, norm: str, words: tuple[object, ...], at: int) -> bool:
    """Whether a word belongs to the name before it."""
    if text[0].isalpha():
        return text[0].isupper() or tells(norm) or norm in SIZES
    following = getattr(words[at + 1], "norm", "") if at + 1 < len(words) else ""
    return text[0].isdecimal() and following in SIZES


def vocabulary(finding: Finding) -> set[str]:
    """Return all words of a finding, lower case and singular."""
    texts = [finding.headline, finding.caveat or "", finding.tool.replace("_", " ")]
    texts += [column.label for column in finding.columns]
    texts += [cell for row in finding.rows for cell in row if isinstance(cell, str)]
    texts += [value for value in finding.arguments.values() if isinstance(value, str)]
    for evidence in finding.evidence:
        match evidence:
            case ReviewQuote():
                texts += [evidence.text, evidence.review_id, evidence.about or "", evidence.sentiment or ""]
            case ModelNote():
                texts += [evidence.name, evidence.version, evidence.quality]
            case DataNote():
                texts.append(evidence.text)
    return {token.norm for text in texts for token in tokens(plain(text))}


def sizes(finding: Finding) -> set[tuple[str, str]]:
    """Return the sizes in a finding's names, such as ("12", "oz")."""
    texts = [finding.headline, *(cell for row in finding.rows for cell in row if isinstance(cell, str))]
    found = set()
    for text in texts:
        words = tokens(plain(text))
        for one, other in itertools.pairwise(words):
            if other.norm in SIZES and one.is_number:
                found.add((one.norm, other.norm))
    return found
