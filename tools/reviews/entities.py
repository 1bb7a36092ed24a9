"""Brands, products and ingredients that reviews name, to the letter, and what they are in the catalogue.

Kinds of things are found by lists (`entity_words.json`) and by what the shop's own catalogue calls its
goods; brands by a list, by the catalogue, and as names: words that this shop's reviews write with a capital
letter in the midst of sentences and hardly ever without one. The rules are those of
benchmarks/labels/aspects_guide.md.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import pandas as pd

if TYPE_CHECKING:
    from storewise.tools.shop.catalogue import Catalogue
    from storewise.tools.shop.generation import Shop

Kind = Literal["brand", "product", "ingredient"]
KINDS: tuple[Kind, ...] = ("brand", "product", "ingredient")

HERE = Path(__file__).parent
VERSION = "1"  # of lists and rules; another makes an index name its entities anew
LONGEST = 4  # words of a name or of a kind of thing
A_NAME = 0.7  # of a word's places within sentences, the share with a capital that makes it a name
SHOUTED = 0.5  # a sentence with more of its words in capitals than this tells nothing by them

_TOKEN = re.compile(r"[^\W_]+(?:['’&.-][^\W_]+)*")
_FLAVOURED = frozenset(
    "flavor flavors flavour flavours flavored flavoured flavoring aftertaste content free".split()
)
_SELLS = frozenset(
    "shop shops store stores aisle section company house".split()
)  # "coffee shop" is no coffee
_AND = re.compile(r",? (?:and|or|&) |, ")
_IN_IT = re.compile(r"\s+(?:in|inside|on)\s+(?:it|them|this|these|there|the)\b", re.I)
# Words right before a thing that make it a part, an addition or a flavour of another.
_PART_OF = re.compile(
    r"(?:\b(?:contain|contains|containing|contained|without|no|added|add|adding|ingredients?|of real|hint of"
    r"|hints of|touch of|bit of|loaded with|filled with|full of|free of|made (?:with|from|of|out of)"
    r"|flavou?rs? of|amount of|dash of|pinch of|notes? of|infused with|coated (?:with|in)|including|seasoned with)"
    r"\s+(?:(?!this|these|the|that|my|their)\w+\s+)?|ingredients?:\s*)$",
    re.I,
)


class Span(NamedTuple):
    """An entity of a text: `text[start:stop]`."""

    start: int
    stop: int
    kind: Kind


class _Token(NamedTuple):
    start: int
    stop: int
    text: str
    key: str  # in small letters, singular


def _list(name: str) -> list[str]:
    lines: list[str] = json.loads((HERE / "entity_words.json").read_text(encoding="utf-8"))[name]
    return [entry for entry in " ".join(lines).split(", ") if entry]


def key(text: str) -> str:
    """Return the words of `text` in small letters and the singular."""
    return " ".join(token.key for token in _tokens(text))


def _tokens(text: str) -> list[_Token]:
    return [_Token(*match.span(), match[0], singular(match[0].lower())) for match in _TOKEN.finditer(text)]


@lru_cache(maxsize=100_000)
def singular(word: str) -> str:
    """Return a lower-case word without the ending of the plural or the genitive."""
    word = word.replace("’", "'").removesuffix("'s").removesuffix("'")
    if word.endswith(("ies", "ie")) and len(word) > 4:  # "cookies" and "berries" look alike
        return word.removesuffix("s")[:-2] + "y"
    if word.endswith(("ches", "shes", "sses", "xes", "oes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:
        return word[:-1]
    return word


@dataclass(frozen=True)
class Lists:
    """What can be named: kinds of things and brands by their `key`.

    Attributes:
        things: product or ingredient.
        brands: names of makers and sellers; `ordinary` of them are also common words.
        modifiers: words that make a thing another kind ("green" tea).
        genitives: brands that end in "'s" of their own ("Annie's"), in small letters.
        no_name: words with a capital that are no brands: places, persons, days.
        not_alone: things only as a part of a longer run ("tea bag", not "bag").
    """

    things: dict[str, Kind]
    brands: frozenset[str]
    ordinary: frozenset[str]
    modifiers: frozenset[str]
    not_alone: frozenset[str]
    no_name: frozenset[str]
    genitives: frozenset[str]

    @cached_property
    def starts(self) -> dict[str, int]:
        """The most words of an entry that begins with a word."""
        found: dict[str, int] = {}
        for entry in (*self.things, *self.brands, *self.modifiers):
            words = entry.split()
            found[words[0]] = max(len(words), found.get(words[0], 1))
        return found


@lru_cache(maxsize=1)
def general() -> Lists:
    """Return the lists that hold for any shop."""
    things: dict[str, Kind] = {key(entry): "product" for entry in _list("product")}
    things |= {key(entry): "ingredient" for entry in _list("ingredient")}
    return Lists(
        things=things,
        brands=frozenset(key(entry) for entry in _list("brand")),
        ordinary=frozenset(key(entry) for entry in _list("ordinary")),
        modifiers=frozenset(key(entry) for entry in _list("modifier")),
        not_alone=frozenset(key(entry) for entry in _list("not alone")),
        no_name=frozenset(_list("no name")),
        genitives=frozenset(entry.lower() for entry in _list("brand") if entry.endswith("'s")),
    )


def lists_of(labels: Iterable[str], brands: Iterable[str]) -> Lists:
    """Return the general lists with a catalogue's own `labels` of kinds and its `brands`.

    A label of one word that stands for something else in general ("National") is not taken as a brand.
    """
    base = general()
    things = dict(base.things)
    for label in labels:
        for part in re.split(r"\s*[/:,()&]\s*|\s+-\s+|\s+and\s+", label):
            words = [word for word in key(part).split() if not word[0].isdigit()]
            if 1 < len(words) <= LONGEST and not _VAGUE & set(words):
                things.setdefault(" ".join(words), "product")
    own = {key(brand) for brand in brands}
    own = {brand for brand in own if brand and brand not in things and brand not in _NO_BRANDS}
    return replace(base, things=things, brands=base.brands | own)


# Words of catalogues that make no kind of thing.
_VAGUE = frozenset(
    "than use other misc miscellaneous general occasion special all and or non with without over under each assorted"
    " size count pack item product supply access".split()
)
_NO_BRANDS = frozenset(
    key(word) for word in ("national", "private", "private label", "generic", "other", "none", "unknown")
)


class Names:
    """Counts how the words of many texts are written, to tell names from common words at a capital."""

    def __init__(self) -> None:
        self._capital: Counter[str] = Counter()
        self._small: Counter[str] = Counter()

    def read(self, texts: Iterable[str]) -> Names:
        """Count the words of `texts`; the first of a sentence and those of shouted ones tell nothing."""
        for text in texts:
            tokens = _TOKEN.findall(text)
            if _shouted(tokens):
                continue
            for word in tokens[1:]:
                (self._capital if word[0].isupper() else self._small)[singular(word.lower())] += 1
        return self

    def is_name(self, word: str) -> bool:
        """Say whether a word (by its `key`) is a name: it nearly always has a capital within a sentence."""
        capital = self._capital[word]
        return capital > 0 and capital >= A_NAME * (capital + self._small[word])


def _shouted(tokens: Sequence[str]) -> bool:
    return sum(token.isupper() and len(token) > 1 for token in tokens) > SHOUTED * len(tokens)


def find(text: str, lists: Lists, names: Names) -> list[Span]:
    """Return the entities of a sentence in their order: no two overlap, none is named twice."""
    tokens = _tokens(text)
    found: list[Span] = []
    taken = [False] * len(tokens)
    for first, last, kind in _things(text, tokens, lists):
        found.append(Span(tokens[first].start, _end(tokens[last]), kind))
        taken[first : last + 1] = [True] * (last + 1 - first)
    for first, last in _brands(text, tokens, taken, lists, names):
        whole = text[tokens[first].start : tokens[last].stop].lower().replace("’", "'")
        stop = tokens[last].stop if whole in lists.genitives else _end(tokens[last])
        found.append(Span(tokens[first].start, stop, "brand"))
    once: dict[str, Span] = {}
    for span in sorted(found):
        once.setdefault(key(text[span.start : span.stop]), span)
    return list(once.values())


def _end(token: _Token) -> int:
    """Return where a word ends without its genitive: "Acme's coffee" names Acme."""
    return token.stop - 2 if token.text.endswith(("'s", "’s")) else token.stop


def _things(text: str, tokens: Sequence[_Token], lists: Lists) -> Iterator[tuple[int, int, Kind]]:
    """Yield the runs of words that name a kind of thing, the first and the last word of each."""
    position, before = 0, None
    while position < len(tokens):
        run = _run(text, tokens, position, lists)
        if run is None:
            position += 1
            continue
        last, head = run
        kind = lists.things[head]
        alone = position == last and head in lists.not_alone
        sells = last + 1 < len(tokens) and tokens[last + 1].text.lower() in _SELLS
        if not alone and not sells:
            kind = _told_as(text, tokens, position, last, kind)
            # "with garlic, basil and olive oil": what is listed with an ingredient is one.
            if before is not None and _AND.fullmatch(text, tokens[before].stop, tokens[position].start):
                kind = "ingredient"
            before = last if kind == "ingredient" else None
            yield position, last, kind
        position = last + 1


def _run(text: str, tokens: Sequence[_Token], first: int, lists: Lists) -> tuple[int, str] | None:
    """Return the last word of the run of modifiers and things that begins at `first`, and its head."""
    position, head, last = first, None, first
    while position < len(tokens) and position - first < LONGEST:
        if position > first and not _joined(text, tokens[position - 1], tokens[position]):
            break
        length, entry = _entry(text, tokens, position, lists)
        if not length:
            break
        position += length
        if entry in lists.things and position - first <= LONGEST:
            head, last = entry, position - 1
    return None if head is None else (last, head)


def _entry(text: str, tokens: Sequence[_Token], first: int, lists: Lists) -> tuple[int, str]:
    """Return the longest thing or modifier at `first`: how many words, and its key."""
    most = min(lists.starts.get(tokens[first].key, 0), len(tokens) - first)
    for length in range(most, 0, -1):
        entry = " ".join(token.key for token in tokens[first : first + length])
        if (entry in lists.things or entry in lists.modifiers) and all(
            _joined(text, tokens[i], tokens[i + 1]) for i in range(first, first + length - 1)
        ):
            return length, entry
    return 0, ""


def _joined(text: str, left: _Token, right: _Token) -> bool:
    between = text[left.stop : right.start]
    return between in (" ", "-", " & ")


def _told_as(text: str, tokens: Sequence[_Token], first: int, last: int, kind: Kind) -> Kind:
    """Return how the sentence tells a thing: as a part, an addition or a flavour, or as a thing to buy."""
    after = tokens[last + 1] if last + 1 < len(tokens) else None
    if after is not None and _joined(text, tokens[last], after):
        plural = tokens[last].text.lower() != tokens[last].key
        if after.text.lower() in _FLAVOURED or (after.text.lower() in ("taste", "tasting") and not plural):
            return "ingredient"
    if _IN_IT.match(text, tokens[last].stop):
        return "ingredient"
    start = tokens[first].start
    if _PART_OF.search(text[max(0, start - 40) : start]):
        return "ingredient"
    return kind


def _brands(
    text: str, tokens: Sequence[_Token], taken: Sequence[bool], lists: Lists, names: Names
) -> Iterator[tuple[int, int]]:
    """Yield the runs of words that name a maker, brand, shop or seller."""
    shouted = _shouted([token.text for token in tokens])
    position, ended = 0, -1
    while position < len(tokens):
        if taken[position]:
            position += 1
            continue
        last = _listed_brand(tokens, taken, position, lists)
        if last is None and not shouted:
            last = _name(text, tokens, taken, position, lists, names)
        if last is None:
            position += 1
            continue
        # "Red Devil": a common word before a name, with a capital within the sentence, belongs to it.
        first = position - 1
        if (
            first > max(ended, 0)
            and not taken[first]
            and tokens[first].text[0].isupper()
            and _could_name(tokens[first].text, lists)
            and tokens[first].key not in lists.brands
            and _joined(text, tokens[first], tokens[position])
            and not shouted
        ):
            position = first
        yield position, last
        ended = last
        position = last + 1


def _listed_brand(tokens: Sequence[_Token], taken: Sequence[bool], first: int, lists: Lists) -> int | None:
    most = min(lists.starts.get(tokens[first].key, 0), len(tokens) - first)
    for length in range(most, 0, -1):
        entry = " ".join(token.key for token in tokens[first : first + length])
        if entry not in lists.brands or any(taken[first : first + length]):
            continue
        written = tokens[first].text
        if entry in lists.ordinary and (not written[0].isupper() or first == 0 or written.isupper()):
            continue
        return first + length - 1
    return None


def _name(
    text: str,
    tokens: Sequence[_Token],
    taken: Sequence[bool],
    first: int,
    lists: Lists,
    names: Names,
) -> int | None:
    """Return the last word of the name that begins at `first`, None if none does."""
    last = None
    for position in range(first, min(first + LONGEST, len(tokens))):
        token = tokens[position]
        if taken[position] or not token.text[0].isupper() or len(token.text) < 2:
            break
        if not _could_name(token.text, lists) or not (names.is_name(token.key) or last is not None):
            break
        if position > first and not _joined(text, tokens[position - 1], token):
            break
        last = position
    return last


def _could_name(word: str, lists: Lists) -> bool:
    """Say whether a word with a capital may be of a name: no place, person, day or short abbreviation."""
    small = word.lower().replace("’", "'").removesuffix("'s")
    return not (
        small in lists.no_name
        or (word.isupper() and len(word) < 4)
        or small.endswith(("ian", "ean", "ese", "ish"))
        or any(character.isdigit() for character in small)
    )


def table(texts: Sequence[str], shop: Shop | None = None) -> pd.DataFrame:
    """Return the entities of sentences: line (its number), start, stop, kind, name and entry.

    `name` is how most sentences write an entity of that kind; `entry` what it is in the shop's catalogue, or None.
    """
    sold = shop is not None and shop.has("products", "product_id", "name", "category")
    catalogue = shop.catalogue if shop is not None and sold else None
    lists = lists_for(shop) if shop is not None and sold else general()
    names = Names().read(texts)
    rows: list[tuple[int, int, int, Kind]] = []
    keys: list[str] = []
    written: dict[str, Counter[str]] = {}
    for line, text in enumerate(texts):
        for start, stop, kind in find(text, lists, names):
            said = text[start:stop]
            rows.append((line, start, stop, kind))
            keys.append(key(said))
            written.setdefault(keys[-1], Counter())[said if kind == "brand" else said.lower()] += 1
    commonest = {
        name: min(counts, key=lambda said: (-counts[said], said)) for name, counts in written.items()
    }
    known = _words_of_goods(shop) if shop is not None and sold else frozenset()
    entries = {
        name: linked(commonest[name], catalogue) if catalogue and known & set(name.split()) else None
        for name in commonest
    }
    found = pd.DataFrame(rows, columns=["line", "start", "stop", "kind"])
    found["name"] = pd.Series([commonest[name] for name in keys], dtype=object)
    found["entry"] = pd.Series([entries[name] for name in keys], dtype=object)
    return found


def lists_for(shop: Shop) -> Lists:
    """Return the lists with what a shop's catalogue calls its kinds of goods, and the brands in it."""
    found: dict[str, list[str]] = {}
    for column in ("type", "category", "brand"):
        if shop.has("products", column):
            values = shop.query(
                f"SELECT DISTINCT {column} AS value FROM products WHERE {column} IS NOT NULL"  # noqa: S608
            )
            found[column] = sorted(values["value"].astype(str))
    return lists_of([*found.get("type", []), *found.get("category", [])], found.get("brand", []))


def _words_of_goods(shop: Shop) -> frozenset[str]:
    """Return the words of all names, types and categories: what holds none of them is not in the catalogue."""
    columns = [name for name in ("name", "type", "category", "brand") if shop.has("products", name)]
    values = shop.query(f"SELECT DISTINCT {', '.join(columns)} FROM products")  # noqa: S608
    labels = {str(value) for name in columns for value in values[name].dropna().unique()}
    return frozenset(word for label in labels for word in key(label).split())


def linked(text: str, catalogue: Catalogue) -> str | None:
    """Return the catalogue's entry that an entity's text names, such as "type: Green tea", or None.

    An entry whose name shares no word with the text is not taken: what merely looks alike is not linked.
    """
    found = catalogue.resolve(text)
    if not found or not set(key(found.label).split()) & set(key(text).split()):
        return None
    return f"{found.kind}: {found.product_ids[0] if found.kind == 'product' else found.label}"
