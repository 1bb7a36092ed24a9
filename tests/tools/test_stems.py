"""Stems are those of the words, whoever else asks at the time: jobs stem in several threads."""

from __future__ import annotations

import random
import sys
from concurrent.futures import ThreadPoolExecutor

import Stemmer

from storewise.tools.stems import stemmed


def test_many_threads_get_the_stems_of_one() -> None:
    draw = random.Random(3)
    ends = ("ing", "ational", "ness", "ies", "ly", "ed", "izers", "ousli", "ement", "s")
    words = [
        "".join(draw.choices("abcdeiorstuvy", k=draw.randint(3, 9))) + draw.choice(ends)
        for _ in range(20_000)
    ]
    one = Stemmer.Stemmer("english")
    right = [one.stemWord(word) for word in words]
    stemmed.cache_clear()
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            found = list(
                pool.map(lambda part: [stemmed(word) for word in part], [words[n::8] for n in range(8)])
            )
    finally:
        sys.setswitchinterval(before)
        stemmed.cache_clear()
    assert all(found[n] == right[n::8] for n in range(8))
