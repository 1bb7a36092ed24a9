"""Readable names from the clipped capitals of a product catalogue."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from importlib.resources import files

_DATA = json.loads(files(__package__).joinpath("abbreviations.json").read_text(encoding="utf-8"))
_PHRASES: dict[str, str] = _DATA["phrases"]
_WORDS: dict[str, str] = _DATA["words"]
_CUT = frozenset(_DATA["cut"])
_VAGUE = frozenset(_DATA["vague"])
_UNITS = {"L": "L", "LT": "L", "ML": "ml", "OZ": "oz", "LB": "lb", "CT": "ct", "PK": "pk"}


@lru_cache(maxsize=20_000)
def readable(text: str) -> str:
    """Return clipped capitals in readable case: "FRZN MEAT/MEAT DINNERS" is "Frozen meat/meat dinners".

    A bracket or a connective that the source cut off in the middle is dropped; what is already
    mixed case, or no text at all, stays as it is.
    """
    text = " ".join(text.split())
    if text != text.upper() or not re.search("[A-Z]", text):
        return text
    if text in _PHRASES:
        return _capital(_PHRASES[text])
    whole = text
    text = re.sub(r"\([^)]*$", "", text).strip(" -/&,")
    text = re.sub(r"\bW/", "with ", re.sub(r"/[A-Z]$", "", text))
    text = re.sub(r"\.(?!\d)", " ", text)
    text = re.sub(r"\s*:\s*", ": ", text).replace("(", " (").replace("&", " & ")
    words = text.split()
    while len(words) > 1 and re.sub(r"\W", "", words[-1]) in _CUT:
        words.pop()
    written = re.sub(r"(?<!\d)[A-Z][A-Z']*", lambda found: _word(found[0]), " ".join(words))
    written = re.sub(r"(?<=\d)[A-Z]+", lambda found: _UNITS.get(found[0], found[0].lower()), written)
    return _capital(re.sub(r"\s+", " ", written).replace("&", "and").strip(" -/,")) or _capital(whole.lower())


def product_name(product_type: str | None, category: str | None, size: str | None) -> str:
    """Return a product's name: its type and package size, and its category where the type says little."""
    if not product_type:
        name = readable(category or "") or "Unnamed product"
    elif product_type in _VAGUE and category:
        name = f"{readable(category)}, {_lower_first(readable(product_type))}"
    else:
        name = readable(product_type)
    return f"{name} {package_size(size)}" if size else name


def package_size(size: str) -> str:
    """Return a package size as people write it: "12 OZ" is "12 oz", "2 L" stays "2 L"."""
    words = " ".join(size.split())
    return re.sub(r"[A-Z]+", lambda found: _UNITS.get(found[0], found[0].lower()), words)


def _word(word: str) -> str:
    return _WORDS.get(word, word.lower())


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
