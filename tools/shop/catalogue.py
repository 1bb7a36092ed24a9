"""What a shop's products, types and categories are called, however a person writes them."""

from __future__ import annotations

import json
import math
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Literal

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import OSA

from storewise.tools.shop.matching import plain_words
from storewise.tools.shop.names import readable
from storewise.tools.stems import stemmed

if TYPE_CHECKING:
    from storewise.tools.shop.generation import Shop

Kind = Literal["product", "name", "type", "category", "department", "none"]
Key = tuple[str, ...]

# A name of one word is noticed in a question when it makes at least this share of all sales.
_NOTABLE_SHARE = 1e-4

# What it counts that an entry has just the name asked for, against log10 of the money it sold.
_NAMED = 10.0

_TOKEN = re.compile(r"[a-z0-9]+(?:\.[0-9]+)?(?:'[a-z]+)?")
_CONNECTIVES = frozenset(("a", "an", "and", "for", "in", "of", "on", "or", "our", "the", "to", "with"))
_UNITS = {
    "ounce": "oz", "ounces": "oz", "pound": "lb", "pounds": "lb", "lbs": "lb", "gallon": "ga",
    "gallons": "ga", "liter": "l", "liters": "l", "litre": "l", "litres": "l", "count": "ct",
    "pack": "pk", "packs": "pk",
}  # fmt: skip


@dataclass(frozen=True)
class Resolution:
    """What a text resolves to.

    Attributes:
        product_ids: the products meant; empty when the text resolves to nothing.
        label: the entry's own name, or the text itself when nothing was found.
        kind: which level of the catalogue the entry lies at, or "none".
        matches: other close entries, nearest first.
    """

    product_ids: tuple[str, ...]
    label: str
    kind: Kind
    matches: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.kind != "none"


@dataclass(frozen=True)
class _Entry:
    kind: Kind
    label: str
    key: Key
    amount: float  # sold, in money


class Catalogue:
    """A shop's products by id, name, type, category and department, read once."""

    def __init__(self, shop: Shop) -> None:
        columns = [c for c in ("type", "department") if shop.has("products", c)]
        chosen = ", ".join(f"p.{column}" for column in columns)
        sold = "SELECT product_id, sum(amount) AS amount FROM orders GROUP BY 1"
        if not shop.has("orders", "product_id", "amount"):
            sold = "SELECT NULL::VARCHAR AS product_id, 0.0 AS amount WHERE false"
        shop.require("products", "product_id", "name", "category")
        products = shop.query(
            f"""
            SELECT p.product_id, p.name, p.category{", " + chosen if chosen else ""},
                   coalesce(s.amount, 0) AS amount
            FROM products p LEFT JOIN ({sold}) s USING (product_id) ORDER BY p.product_id
            """  # noqa: S608 - names from the fixed lists above
        )
        self._ids = products["product_id"].to_numpy(dtype=object)
        self._row = {str(product).lower(): row for row, product in enumerate(self._ids)}
        self._names = products["name"].to_numpy(dtype=object)
        self._codes: dict[Kind, tuple[dict[str, int], np.ndarray]] = {}
        self._entries: list[_Entry] = []
        levels: list[Kind] = ["name", *columns, "category"]  # type: ignore[list-item]
        for kind in levels:
            sums = products.groupby(kind, sort=True)["amount"].sum()
            code = {str(label): number for number, label in enumerate(sums.index)}
            self._codes[kind] = (code, products[kind].map(code).fillna(-1).to_numpy(dtype=np.int64))
            self._entries += [
                _Entry(kind, str(label), _key(str(label)), float(amount)) for label, amount in sums.items()
            ]
        self._by_key: dict[Key, list[_Entry]] = defaultdict(list)
        self._by_stem: dict[str, set[int]] = defaultdict(set)
        for number, entry in enumerate(self._entries):
            self._by_key[entry.key].append(entry)
            for stem in entry.key:
                self._by_stem[stem].add(number)
        self._strict = self._plain_words(_SYNONYMS)
        self._loose = self._plain_words(plain_words())
        self._mentionable = self._mentionable_keys()
        self._spellings = sorted({word for word in self._single_words() if len(word) >= 5})
        self._vocabulary = sorted(
            {stem for stem in self._by_stem if len(stem) > 3}
            | {stem for key in (*self._strict, *self._loose) for stem in key if len(stem) > 3}
        )

    def resolve(self, text: str) -> Resolution:
        """Return what `text` means: a product by id, else by name or type, else a category or department.

        Case, plural, punctuation, word order, common abbreviations, plain shopping words ("soda") and a
        slip of the pen do not matter. Among several that fit, closeness and sales decide.
        """
        row = self._row.get(_bare_id(text))
        if row is not None:
            return Resolution((str(self._ids[row]),), str(self._names[row]), "product")
        key = _key(text)
        for attempt in (key, tuple(s for s in key if s not in _FILLERS), self._mended(key)):
            found = self._find(attempt) if attempt else None
            if found:
                return found
        return Resolution((), text.strip(), "none", self._nearest(self._mended(key)))

    def entry(self, text: str) -> str | None:
        """Return a canonical key of the entry that `text` resolves to, such as "category: Soft drinks"."""
        found = self.resolve(text)
        if not found:
            return None
        return f"{found.kind}: {found.product_ids[0] if found.kind == 'product' else found.label}"

    def mentions(self, question: str) -> list[tuple[int, int, str]]:
        """Return the spans of `question` that name something in the catalogue: start, end and the words."""
        words = [(m.start(), m.end()) for m in re.finditer(r"[\w&'.%/-]*\w", question)]
        found: list[tuple[int, int, str]] = []
        position = 0
        while position < len(words):
            for length in range(min(6, len(words) - position), 0, -1):
                start, end = words[position][0], words[position + length - 1][1]
                if self._is_mention(question[start:end], question[:start]):
                    found.append((start, end, question[start:end]))
                    position += length
                    break
            else:
                position += 1
        return found

    def _is_mention(self, text: str, before: str) -> bool:
        if _bare_id(text) in self._row and (" " not in text):
            named = re.search(r"(product|item|sku|article|#)\s*(id|no\.?|number)?\s*#?$", before.lower())
            return named is not None or (len(text) >= 5 and not re.search(r"\d-\d", text))
        words = _TOKEN.findall(text.lower())
        # A span neither starts nor ends with a word that does not belong to a name.
        if not words or words[0] in _CONNECTIVES or words[-1] in _CONNECTIVES:
            return False
        key = _key(text)
        if key in self._mentionable:
            return len(words) > 1 or _stem(words[0]) not in _NOT_ALONE
        return len(words) == 1 and self._is_misspelt(words[0])

    def _is_misspelt(self, word: str) -> bool:
        """Say whether `word` is one slip of the pen away from a plain word for something sold here."""
        if len(word) < 5 or word in _NO_TYPOS:
            return False
        near = process.extractOne(word, self._spellings, scorer=OSA.distance, score_cutoff=1)
        return near is not None and near[0][0] == word[0] and _stem(near[0]) != _stem(word)

    def _find(self, key: Key) -> Resolution | None:
        exact = self._by_key.get(key, [])
        scored: dict[_Entry, float] = {
            entry: _NAMED + _volume(entry) + (0.1 if entry.kind == "category" else 0.0) for entry in exact
        }
        if key in self._strict:
            entry = self._strict[key]
            # A plain word never overrules an entry of just that name, unless its own name holds the word.
            if not exact or set(key) <= set(entry.key):
                scored[entry] = _NAMED + _volume(entry)
        for entry in self._containing(key):
            scored.setdefault(entry, 2.0 * len(key) / len(entry.key) + _volume(entry))
        if not scored and key in self._loose:
            scored[self._loose[key]] = 1.0
        if not scored:
            return self._named_like(key)
        best, *others = sorted(scored, key=lambda entry: -scored[entry])
        matches = dict.fromkeys(entry.label for entry in others if entry.label != best.label)
        return Resolution(self._products(best), best.label, best.kind, tuple(matches)[:5])

    def _containing(self, key: Key) -> list[_Entry]:
        """Return types, categories and departments whose names hold all words of `key`."""
        numbers = set.intersection(*(self._by_stem.get(stem, set()) for stem in key))
        return [self._entries[number] for number in numbers if self._entries[number].kind != "name"]

    def _named_like(self, key: Key) -> Resolution | None:
        """Return the products whose names hold all words of `key`."""
        numbers = set.intersection(*(self._by_stem.get(stem, set()) for stem in key))
        names = sorted((self._entries[n] for n in numbers), key=lambda entry: -entry.amount)
        if not names:
            return None
        if len(names) == 1:
            return Resolution(self._products(names[0]), names[0].label, "name")
        code, codes = self._codes["name"]
        rows = np.flatnonzero(np.isin(codes, [code[entry.label] for entry in names]))
        label = "products named like “" + names[0].label + "”"
        return Resolution(tuple(self._ids[rows]), label, "name", tuple(e.label for e in names[:5]))

    def _products(self, entry: _Entry) -> tuple[str, ...]:
        code, codes = self._codes[entry.kind]
        return tuple(self._ids[np.flatnonzero(codes == code[entry.label])])

    def _mended(self, key: Key) -> Key:
        """Return `key` with slips of the pen mended: a word is one or two letters from a known one."""
        mended = []
        for stem in key:
            if stem in self._by_stem or len(stem) < 4 or stem.isdecimal():
                mended.append(stem)
                continue
            slips = 1 if len(stem) < 7 else 2
            near = process.extractOne(stem, self._vocabulary, scorer=OSA.distance, score_cutoff=slips)
            mended.append(near[0] if near and near[0][0] == stem[0] else stem)
        return tuple(sorted(mended))

    def _nearest(self, key: Key) -> tuple[str, ...]:
        """Return up to five entries that share words with `key`, those that share and sell most first."""
        numbers = set().union(*(self._by_stem.get(stem, set()) for stem in key))
        shared: dict[str, float] = {}
        for entry in (self._entries[number] for number in numbers):
            if entry.kind != "name" or "type" not in self._codes:
                common = len(set(key) & set(entry.key))
                score = 2.0 * common / len(key) + common / len(entry.key) + 0.3 * _volume(entry)
                shared[entry.label] = max(score, shared.get(entry.label, 0.0))
        return tuple(sorted(shared, key=lambda label: -shared[label])[:5])

    def _plain_words(self, labels: dict[str, list[str]]) -> dict[Key, _Entry]:
        """Return the entries that plain shopping words stand for, as far as this shop has them."""
        words: dict[Key, _Entry] = {}
        for label, plain in labels.items():
            entries = [e for e in self._by_key.get(_key(label), []) if e.kind != "name"]
            if entries:
                entry = max(entries, key=lambda e: (e.kind == "category", e.amount))
                words.update({_key(word): entry for word in plain})
        return words

    def _single_words(self) -> Iterable[str]:
        """Return the plain words and names of one word that a question may mean, as they are written."""
        for plain in (*_SYNONYMS.values(), *plain_words().values()):
            yield from (word for word in plain if _key(word) in self._mentionable and word.isalpha())
        for entry in self._entries:
            label = entry.label.lower()
            if entry.key in self._mentionable and label.isalpha() and _stem(label) not in _NOT_ALONE:
                yield label

    def _mentionable_keys(self) -> set[Key]:
        """Return the word sets that name an entry in a question: labels, their parts, and plain words.

        A single word counts when it is a plain word or the whole name of something that sells; parts of
        names alone ("hand", "film") say too little.
        """
        total = sum(entry.amount for entry in self._entries if entry.kind == "category")
        keys = {*self._strict, *self._loose}
        for entry in self._entries:
            if len(entry.key) > 1 or entry.amount >= total * _NOTABLE_SHARE:
                keys.add(entry.key)
            if entry.kind in ("type", "category"):
                parts = re.split(r"\s*(?:[/:,()]|\s-|-\s|\band\b)\s*", entry.label)
                keys.update(key for key in map(_key, parts) if len(key) > 1)
        return {key for key in keys if key and any(len(stem) > 2 for stem in key)}


def _volume(entry: _Entry) -> float:
    return math.log10(1.0 + max(entry.amount, 0.0))


def _bare_id(text: str) -> str:
    """Return `text` without what people write around an id: "Product no. 1082185" is "1082185"."""
    return re.sub(r"^(product|item|sku|article)?\s*(id|no\.?|number)?\s*[#:]?\s*", "", text.strip().lower())


@lru_cache(maxsize=50_000)
def _stem(word: str) -> str:
    return stemmed(_UNITS.get(word, word.removesuffix("'s")))


def _key(text: str) -> Key:
    """Return the words of `text` by stem, sorted: what is left when case, plural and order do not matter."""
    words: Iterable[str] = _TOKEN.findall(readable(text).lower().replace("’", "'"))
    return tuple(sorted({_stem(word) for word in words if word not in _CONNECTIVES}))


# Plain shopping words for a category or type, by its label.
_SYNONYMS: dict[str, list[str]] = json.loads(files(__package__).joinpath("synonyms.json").read_text("utf-8"))
# fillers: words around a product's name in speech that are no part of it. not_alone: words of catalogues that
# mean something else when they stand alone in a question. no_typos: common words that are one slip of the
# pen away from a product.
_SPEECH: dict[str, list[str]] = json.loads(files(__package__).joinpath("speech.json").read_text("utf-8"))
_FILLERS = frozenset(_stem(word) for word in _SPEECH["fillers"])
_NOT_ALONE = frozenset(_stem(word) for word in _SPEECH["not_alone"])
_NO_TYPOS = frozenset(_SPEECH["no_typos"])
