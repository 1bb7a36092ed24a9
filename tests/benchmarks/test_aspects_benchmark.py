"""The figures of the aspects benchmark are what their names say."""

from __future__ import annotations

import numpy as np
import pytest

from storewise.benchmarks import aspects
from storewise.benchmarks.peers import keywords


def test_f1_counts_marks_and_weighs_sentences() -> None:
    counted = aspects.counts([{"a", "b"}, {"a"}, set()], [{"a"}, {"c"}, set()])
    assert counted.tolist() == [[1, 0, 1], [0, 1, 1], [0, 0, 0]]
    assert aspects.f1(counted) == pytest.approx(2 / 5)
    assert aspects.f1(counted, np.array([2.0, 0.0, 1.0])) == pytest.approx(4 / 6)
    assert aspects.f1(aspects.counts([set()], [set()])) == 1.0


def test_scores_by_kind() -> None:
    true = [{("tea", "product")}, {("Acme", "brand"), ("milk", "product")}]
    scores = aspects._scores(true, [{("tea", "product")}, {("milk", "ingredient")}], aspects.KINDS)
    assert (scores["precision"], scores["recall"]) == (0.5, pytest.approx(1 / 3))
    assert scores["f1_by_kind"] == {"brand": 0.0, "product": pytest.approx(2 / 3), "ingredient": 0.0}


def test_the_peer_knows_the_guides_words() -> None:
    assert keywords.aspects("Delicious, and shipped fast") == {"taste", "delivery"}
    assert ("green tea", "product") in keywords.entities("a green tea from Amazon")
