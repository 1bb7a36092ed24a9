"""The scores of the index benchmark are those of the literature, and it names the shop that it needs."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from storewise.benchmarks import index as benchmark
from storewise.benchmarks.retrieval import normalised_gain
from storewise.tools.shop.generation import NoShop


def test_ndcg_of_a_tiny_example_computed_by_hand() -> None:
    relevant = {7: 2.0, 8: 1.0, 9: 1.0}
    ideal = 2 + 1 / math.log2(3) + 1 / math.log2(4)
    assert normalised_gain([8, 1, 7], relevant) == pytest.approx((1 + 2 / math.log2(4)) / ideal)
    assert normalised_gain([7, 8, 9, 1], relevant) == pytest.approx(1.0)
    assert normalised_gain([], relevant) == 0.0
    assert normalised_gain([1] * 10 + [7], relevant) == 0.0, "what comes after ten is not looked at"


def test_without_a_shop_it_says_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(NoShop, match="storewise up"):
        benchmark.run(tmp_path, lambda sentence: None)
