"""The words of a text in the form in which they are compared: lower case, stems, a number with its unit as one word."""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import fuzz

from storewise.tools.stems import stemmed

# Units as people write them; each with the form that stands for all.
_UNITS = {
    "ft": "ft foot feet",
    "inch": 'inch inches in" "',
    "cm": "cm centimeter centimeters centimetre centimetres",
    "mm": "mm millimeter millimeters millimetre millimetres",
    "ml": "ml milliliter milliliters millilitre millilitres",
    "l": "l liter liters litre litres ltr",
    "gb": "gb gig gigs gigabyte gigabytes",
    "tb": "tb terabyte terabytes",
    "kg": "kg kilo kilos",
    "lb": "lb lbs pound pounds",
    "cup": "cup cups",
    "hour": "hour hours hr hrs h",
    "piece": "piece pieces pcs pc",
    "bar": "bar bars",
    "degree": "degree degrees",
    "mp": "mp megapixel megapixels",
    "mah": "mah",
    "w": "w watt watts",
    "%": "% percent",
    "x": "x",
    "k": "k",
    "p": "p",
}
_UNIT_OF = {name: unit for unit, names in _UNITS.items() for name in names.split()}
_SPELLED_NUMBERS = {
    word: str(number)
    for number, word in enumerate("one two three four five six seven eight nine ten eleven twelve".split(), 1)
}
_UNIT = "|".join(re.escape(name) for name in sorted(_UNIT_OF, key=len, reverse=True))
_NUMBER = re.compile(rf"(?<![\w.#])(\d+(?:\.\d+)?|{'|'.join(_SPELLED_NUMBERS)})[\s-]?({_UNIT})(?![\w])", re.I)
_TOKEN = re.compile(r"\d+(?:\.\d+)?[^\W_]*%?|[^\W_]+(?:['’][^\W_]+)?|[?!]", re.UNICODE)
_SENTENCE_ENDS = re.compile(r"(?<=[.;!?])\s+")
_SPELLED = {"grey": "gray", "colour": "color", "colours": "color", "wifi": "wi fi", "metre": "meter"}


@dataclass(frozen=True)
class Word:
    """A word: as it was written, and as it is compared."""

    raw: str
    stem: str


def sentences_of(text: str) -> list[str]:
    """Return the sentences of a text and what stands between semicolons."""
    return _SENTENCE_ENDS.split(text)


@lru_cache(maxsize=2000)
def words_of(text: str) -> tuple[Word, ...]:
    """Return the words of a text in their order."""

    def one_word(found: re.Match[str]) -> str:
        number = found[1].lower()
        return f" {_SPELLED_NUMBERS.get(number, number)}{_UNIT_OF[found[2].lower()]} "

    joined = _NUMBER.sub(one_word, text)
    found = []
    for raw in _TOKEN.findall(joined):
        lower = raw.lower().replace("’", "'")
        for part in _SPELLED.get(lower, lower).split():
            found.append(Word(raw, part if part[0].isdigit() else stemmed(part)))
    return tuple(found)


def stems_of(text: str) -> tuple[str, ...]:
    """Return the comparable forms of a text's words."""
    return tuple(word.stem for word in words_of(text))


def alike(said: str, known: str) -> bool:
    """Say whether a written word is a known one, a slip of the fingers allowed in longer words."""
    if said == known:
        return True
    if min(len(said), len(known)) < 5 or said[0] != known[0] or known[0].isdigit():
        return False
    return fuzz.ratio(said, known) >= 84


def same_word(said: str, part: str, known: Container[str]) -> bool:
    """Say whether a written word is a name's; a word of another name is no slip of the finger: speaker, sneaker."""
    return said == part or (said not in known and alike(said, part))
