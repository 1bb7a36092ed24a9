"""Stems of English words (Porter2, snowballstem.org), the same from any thread."""

from __future__ import annotations

import threading
from functools import lru_cache

import Stemmer

# A stemmer works on its own fields: two threads on one end in an IndexError or, worse, in a wrong stem.
_own = threading.local()


@lru_cache(maxsize=100_000)
def stemmed(word: str) -> str:
    """Return the stem of a lower-case word."""
    stemmer = getattr(_own, "stemmer", None)
    if stemmer is None:
        stemmer = _own.stemmer = Stemmer.Stemmer("english")
    return str(stemmer.stemWord(word))
