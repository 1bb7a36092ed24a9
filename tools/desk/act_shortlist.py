"""The desk's shortlist: which acts a customer's words are likely to be, where the talk stands as it does.

The classifier of tools/shortlist.py over the embedding of the words and the words themselves (tf-idf of single words
and pairs), with what is open and what was asked beside. On messages of writers whom it did not learn from, the words
beside the embedding put the right act first in 82 of 100 instead of 78.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

from storewise.tools.desk.acts import ACTS, ANSWERABLE, normal
from storewise.tools.reviews.embedding import encode
from storewise.tools.shortlist import Layers, ShortlistError

FILE = "desk_shortlist.npz"
TWO = "two"
# Labels that are no acts: the reason of a cancellation, where it is told.
REASON = "reason:"


_PIECE = re.compile(r"\w+|\?")
_WORD = re.compile(r"(?<![\w\[@])[a-z]{4,}(?![\w\]])")


def mended(text: str, words: Mapping[str, str]) -> str:
    """Return `text` in small letters, slips of the finger put right to the nearest of `words`, each under itself."""

    def put_right(found: re.Match[str]) -> str:
        word = found[0]
        if word in words:
            return word
        near = process.extractOne(
            word, words, scorer=DamerauLevenshtein.distance, score_cutoff=1 + (len(word) > 8)
        )
        return near[0] if near is not None else word

    return _WORD.sub(put_right, text.lower())


def pieces(text: str) -> list[str]:
    """Return the words of a text and its pairs of neighbours; a question mark is a word."""
    words = _PIECE.findall(text.lower())
    return [*words, *(f"{one} {two}" for one, two in zip(words, words[1:], strict=False))]


def placed(rarity: Mapping[str, float]) -> dict[str, tuple[int, float]]:
    """Return for each piece its column and its idf."""
    return {piece: (place, idf) for place, (piece, idf) in enumerate(rarity.items())}


def weights(texts: Sequence[str], rarity: Mapping[str, tuple[int, float]]) -> np.ndarray:
    """Return the tf-idf of each text's pieces, one column for each of `rarity` (see `placed`), rows of length 1."""
    rows = np.zeros((len(texts), len(rarity)), dtype=np.float32)
    for row, text in enumerate(texts):
        for piece, times in Counter(pieces(text)).items():
            if piece in rarity:
                place, idf = rarity[piece]
                rows[row, place] = (1 + math.log(times)) * idf
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-9), dtype=np.float32)


def state_vector(states: Sequence[str], known: Sequence[str]) -> np.ndarray:
    """Return one row for each state, with a 1 in its place; a state that is not known has none."""
    return np.asarray([[float(state == one) for one in known] for state in states], dtype=np.float32)


class ActShortlist:
    """The classifier, loaded from the folder of an adapter."""

    def __init__(self, folder: Path) -> None:
        if not (folder / FILE).is_file():
            raise ShortlistError("The desk's shortlist of the adapter is missing. Type: storewise tune")
        with np.load(folder / FILE, allow_pickle=False) as saved:
            self._layers = Layers.of(saved)
            self.labels: list[str] = json.loads(str(saved["labels"]))
            self.opened: list[str] = json.loads(str(saved["opened"]))
            self.asked: list[str] = json.loads(str(saved["asked"]))
            self._words: dict[str, str] = {word: word for word in json.loads(str(saved["words"]))}
            self._rarity = placed(json.loads(str(saved["rarity"])))

    def scores(self, opened: str, asked: str, texts: Sequence[str]) -> list[dict[str, float]]:
        """Return for each text how likely each act is (names as in acts.ACTS), `two` acts, and each `reason:…`."""
        put_right = [mended(normal(text), self._words) for text in texts]
        words = (encode(put_right), weights(put_right, self._rarity))
        many = len(texts)
        beside = (state_vector([opened] * many, self.opened), state_vector([asked] * many, self.asked))
        values = self._layers.probabilities(np.concatenate([*words, *beside], axis=1))
        return [dict(zip(self.labels, row, strict=True)) for row in values.tolist()]


def likeliest(scores: Mapping[str, float], asked: str, keep: int = 4) -> tuple[str, ...]:
    """Return the likeliest acts that can be written here, by falling likelihood; far ones are left out."""
    acts = [act for act in ACTS if act in scores and (act not in ("yes", "no") or asked in ANSWERABLE)]
    acts = sorted(acts, key=lambda act: -scores[act])[:keep]
    return tuple(act for act in acts if scores[act] >= 0.02 * scores[acts[0]])


@cache
def load_act_shortlist(folder: Path) -> ActShortlist:
    """Return the desk's shortlist of an adapter's folder, loaded once."""
    return ActShortlist(folder)
