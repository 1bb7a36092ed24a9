"""Aspects that only one shop's reviews speak of are found, named by their commonest noun, and merged."""

from __future__ import annotations

import numpy as np

from storewise.tools.reviews import new_aspects

NOISE = "The noise is awful."
QUIET = "The noise is quite low, which pleases me."
TASTE = "The taste is awful."


def find(texts: list[str], blamed: str = "awful") -> list[new_aspects.NewAspect]:
    size = len(texts)
    return new_aspects.find(
        texts,
        np.arange(size),
        np.ones(size, dtype=bool),
        np.array(["taste" in text for text in texts], dtype=bool),
        np.array([blamed not in text for text in texts], dtype=bool),
    )


def test_a_side_that_is_judged_often_is_found_and_counted() -> None:
    texts = [NOISE] * 5 + [QUIET] * 3 + [TASTE] * 6 + ["The hum is fine."]
    found = find(texts)
    assert [aspect["name"] for aspect in found] == ["noise"]
    assert (found[0]["reviews"], found[0]["positive"], found[0]["negative"]) == (8, 3, 5)


def test_what_is_alike_is_merged_and_all_is_the_same_again() -> None:
    texts = ["The warranty is awful."] * 6 + ["The warranties are fine."] * 5 + [NOISE] * 4
    found = find(texts)
    assert {aspect["name"] for aspect in found} <= {"noise", "warranty"}
    assert find(texts) == found


def test_persons_things_and_known_aspects_are_no_new_ones() -> None:
    texts = ["The dog is happy."] * 6 + ["I love the coffee."] * 6 + ["The price is awful."] * 6
    assert find(texts) == []
    assert find([]) == []
    assert new_aspects.nouns("🙂 <b>") == set()
