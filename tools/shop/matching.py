"""The category of a catalogue that a review most likely talks about, by its words alone.

Sentence embeddings take minutes for thousands of reviews and serve the review search, not this:
the word that names a kind of food is nearly always in the review itself.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import pandas as pd

from storewise.tools.shop.names import readable

_WORD = re.compile(r"[a-z0-9&'-]+")
_PLAIN = re.compile(r"[^a-z0-9&' -]+")
# A later mention counts less: people name what they bought before they compare it.
_HALF_LIFE_WORDS = 60.0
# Words that are more often a taste or an ingredient than the thing itself ("vanilla", "salt") count less,
# unless the review points at it ("this salt"), and none at all where it is said to be absent.
_FAINT = 0.35
_POINTED_AT = 2.0
_POINTERS = frozenset(("this", "these", "their", "my", "our"))
_ABSENT_BEFORE = frozenset(("no", "not", "without", "zero", "less", "low"))
_ABSENT_AFTER = frozenset(("free", "flavor", "flavored", "flavour", "taste", "content", "substitute"))
_LONGEST = 3
_LEAST = 1.0  # the score from which a text names a category at all


def plain_words() -> dict[str, list[str]]:
    """Return what customers call the things of a category or type, by its readable label."""
    return dict(_data()["words"])


def _data() -> dict[str, Any]:
    return dict(json.loads(files(__package__).joinpath("review_words.json").read_text(encoding="utf-8")))


def match_categories(texts: Sequence[str], products: pd.DataFrame) -> pd.DataFrame:
    """Return, for each text, the nearest category and its score, or None where no word names one.

    Args:
        texts: what customers wrote.
        products: rows of category, type and amount sold; one row per category and type.
    """
    phrases = _phrases(products)
    faint = frozenset(_data()["faint"])
    counted = [_mentions(text, phrases, faint) for text in texts]
    # A phrase in many texts ("dog", "water") tells less than a rare one ("biscotti").
    spread = Counter(phrase for found in counted for phrase in {phrase for phrase, _ in found})
    rows = []
    for found in counted:
        scores: dict[str, float] = defaultdict(float)
        for phrase, weight in found:
            rarity = math.log(len(texts) / spread[phrase]) + 1
            scores[phrases[phrase]] += weight * rarity * (1 + 0.8 * phrase.count(" "))
        best = max(scores, key=lambda category: scores[category], default=None)
        if best and scores[best] < _LEAST:
            best = None
        rows.append((best, round(scores[best], 2) if best else 0.0))
    return pd.DataFrame(rows, columns=["category", "score"])


def _phrases(products: pd.DataFrame) -> dict[str, str]:
    """Return the phrases that name a category of these products, with the category."""
    by_type = products.dropna(subset=["type"]).sort_values("amount").groupby("type")["category"].last()
    categories = set(products["category"])
    phrases: dict[str, str] = {}
    for label, words in plain_words().items():
        category = label if label in categories else by_type.get(readable(label))
        if category is not None:
            phrases.update(dict.fromkeys(words, str(category)))
    return phrases


def _mentions(text: str, phrases: dict[str, str], faint: frozenset[str]) -> list[tuple[str, float]]:
    """Return the phrases in `text` with the weight of each mention; the longest wins where they overlap."""
    words = _WORD.findall(_PLAIN.sub(" ", text.lower()))
    found: list[tuple[str, float]] = []
    position = 0
    while position < len(words):
        for length in range(_LONGEST, 0, -1):
            phrase = " ".join(words[position : position + length])
            if phrase in phrases:
                before = words[position - 1] if position else ""
                after = words[position + length] if position + length < len(words) else ""
                weight = 0.5 ** (position / _HALF_LIFE_WORDS) * (_FAINT if phrase in faint else 1.0)
                if before in _ABSENT_BEFORE or after in _ABSENT_AFTER:
                    weight = 0.0
                elif before in _POINTERS and not (after in phrases and phrases[after] != phrases[phrase]):
                    weight *= _POINTED_AT
                found.append((phrase, weight))
                position += length
                break
        else:
            position += 1
    return found
