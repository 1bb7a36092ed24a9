"""Near-duplicates: reviews that say the same in almost the same words.

Two texts are near copies where their sets of three-word sequences have a Jaccard likeness of LIKE or more.
Pairs are looked for by MinHash signatures in bands (Broder 1997; Leskovec, Rajaraman and Ullman, "Mining of
Massive Datasets", section 3.4) and each is then checked on the texts themselves, so that the time grows
with the number of texts, and chance neither makes a pair nor often misses one.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Signatures = npt.NDArray[np.uint32]
Rows = npt.NDArray[np.int64]
_Hashes = npt.NDArray[np.uint64]

LIKE = 0.8
WORDS = 3  # of a sequence
# 16 bands of 4: two texts of likeness .8 share a band in 9,998 cases of 10,000.
BANDS, ROWS = 16, 4
HASHES = BANDS * ROWS
COMPARED = 8  # texts of a band that one is compared with at most, the earliest
EMPTY = np.uint32(0xFFFFFFFF)

_WORD = re.compile(r"\w+")
_rng = np.random.default_rng(20180)
_FACTORS = _rng.integers(1, 2**63, HASHES, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
_SHIFTS = _rng.integers(0, 2**63, HASHES, dtype=np.uint64)
_MIXED = _rng.integers(1, 2**63, max(WORDS, ROWS), dtype=np.uint64) * np.uint64(2) + np.uint64(1)


def normalised(text: str) -> str:
    """Return the words of `text` in lower case; a text without a word as it stands."""
    return " ".join(_WORD.findall(text.lower())) or text.strip()


def _sequences(text: str) -> _Hashes:
    """Return a hash for each sequence of three words; a shorter text is one sequence, an empty one none."""
    words = normalised(text).split()
    if not words:
        return np.zeros(0, dtype=np.uint64)
    if len(words) < WORDS:
        words = [" ".join(words)] * WORDS
    codes = np.array([zlib.crc32(word.encode("utf-8", "surrogatepass")) for word in words], dtype=np.uint64)
    count = len(codes) - WORDS + 1
    found = np.zeros(count, dtype=np.uint64)
    for place in range(WORDS):
        found = (found ^ codes[place : place + count]) * _MIXED[place]
    return found


def signatures(texts: Sequence[str]) -> Signatures:
    """Return the MinHash signature of each text, shape (len(texts), 64); EMPTY throughout for an empty one."""
    found = [_sequences(text) for text in texts]
    result = np.full((len(texts), HASHES), EMPTY, dtype=np.uint32)
    said = np.flatnonzero([len(part) > 0 for part in found])
    if len(said):
        parts = [found[row] for row in said]
        starts = np.cumsum([0, *map(len, parts)])[:-1]
        values = np.concatenate(parts)
        for place in range(HASHES):
            hashed = (values * _FACTORS[place] + _SHIFTS[place]) >> np.uint64(32)
            result[said, place] = np.minimum.reduceat(hashed, starts).astype(np.uint32)
    return result


def firsts(texts: Sequence[str], signature: Signatures, order: Rows) -> Rows:
    """Return for each text the first, in `order`, of which it is a near copy: itself for most.

    Args:
        texts: the texts.
        signature: what `signatures` returns for them.
        order: all rows, the earliest first.
    """
    first = np.arange(len(texts), dtype=np.int64)
    keys = _band_keys(signature)
    empty = (signature == EMPTY).all(axis=1)
    shared = np.zeros(len(texts), dtype=bool)
    for band in range(BANDS):
        _, inverse, counts = np.unique(keys[:, band], return_inverse=True, return_counts=True)
        shared |= counts[inverse] > 1
    rank = np.empty(len(texts), dtype=np.int64)
    rank[order] = np.arange(len(texts))
    bands: list[dict[int, list[int]]] = [{} for _ in range(BANDS)]
    sequences: dict[int, set[int]] = {}
    same: dict[str, int] = {}  # an identical text needs no second look
    for row in order[(shared & ~empty)[order]].tolist():
        text = texts[row]
        if text in same:
            first[row] = same[text]
            continue
        own = set(_sequences(text).tolist())
        held = [band.setdefault(key, []) for band, key in zip(bands, keys[row].tolist(), strict=True)]
        near = sorted({other for part in held for other in part}, key=rank.__getitem__)
        copied = next((other for other in near if likeness(own, sequences[other]) >= LIKE), row)
        same[text] = copied
        if copied != row:
            first[row] = copied
            continue
        sequences[row] = own
        for part in held:
            if len(part) < COMPARED:
                part.append(row)
    return first


def likeness(one: set[int], other: set[int]) -> float:
    """Return the Jaccard likeness of two sets that are not empty."""
    return len(one & other) / len(one | other)


def _band_keys(signature: Signatures) -> _Hashes:
    """Return a number for each band of each signature, shape (n, BANDS)."""
    parts = signature.reshape(len(signature), BANDS, ROWS).astype(np.uint64)
    keys = np.zeros((len(signature), BANDS), dtype=np.uint64)
    for place in range(ROWS):
        keys = (keys ^ parts[:, :, place]) * _MIXED[place]
    return keys
