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

import pandas as pd

from storewise.tools.shop.names import readable

_WORD = re.compile(r"[a-z0-9&'-]+")
_PLAIN = re.compile(r"[^a-z0-9&' -]+")
# A later mention counts less: people name what they bought before they compare it.
_HALF_LIFE_WORDS = 60.0
_LONGEST = 3


def plain_words() -> dict[str, list[str]]:
    """Return the plain shopping words for a category or type, by its readable label."""
    text = files(__package__).joinpath("review_words.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def match_categories(texts: Sequence[str], products: pd.DataFrame) -> pd.DataFrame:
    """Return, for each text, the nearest category and its score, or None where no word names one.

    Args:
        texts: what customers wrote.
        products: rows of category, type and amount sold; one row per category and type.
    """
    phrases = _phrases(products)
    counted = [_mentions(text, phrases) for text in texts]
    # A phrase in many texts ("dog", "water") tells less than a rare one ("biscotti").
    spread = Counter(phrase for found in counted for phrase, _ in {(p, 0) for p, _ in found})
    rows = []
    for found in counted:
        scores: dict[str, float] = defaultdict(float)
        for phrase, position in found:
            rarity = math.log(len(texts) / spread[phrase]) + 1
            weight = rarity * (1 + 0.8 * phrase.count(" ")) * 0.5 ** (position / _HALF_LIFE_WORDS)
            for category, share in phrases[phrase].items():
                scores[category] += weight * share
        best = max(scores, key=lambda category: scores[category], default=None)
        rows.append((best, round(scores[best], 2) if best else 0.0))
    return pd.DataFrame(rows, columns=["category", "score"])


def _phrases(products: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Return the phrases that name a category, each with the share of it that goes to the category."""
    by_type = products.dropna(subset=["type"]).sort_values("amount").groupby("type")["category"].last()
    categories = set(products["category"])
    phrases: dict[str, dict[str, float]] = defaultdict(dict)
    for label, words in plain_words().items():
        category = label if label in categories else by_type.get(readable(label))
        if category is not None:
            for word in words:
                phrases[word][category] = 1.0
    return dict(phrases)


def _mentions(text: str, phrases: dict[str, dict[str, float]]) -> list[tuple[str, int]]:
    """Return the phrases in `text` with the word they start at; the longest wins where they overlap."""
    words = _WORD.findall(_PLAIN.sub(" ", text.lower()))
    found: list[tuple[str, int]] = []
    position = 0
    while position < len(words):
        for length in range(_LONGEST, 0, -1):
            phrase = " ".join(words[position : position + length])
            if phrase in phrases:
                found.append((phrase, position))
                position += length
                break
        else:
            position += 1
    return found
