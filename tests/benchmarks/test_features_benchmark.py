"""pandas works out the same features as the query, on a shop with odd customers."""

from pathlib import Path

import numpy as np
import pytest

from storewise.benchmarks import features as benchmark
from storewise.tools.models.features import FEATURES_SQL
from storewise.tools.shop.generation import Shop


def test_both_ways_agree(small_shop: Shop) -> None:
    lines = small_shop.query("SELECT * FROM orders")
    products = small_shop.query("SELECT product_id, category FROM products")
    fast = small_shop.query(FEATURES_SQL, {"cutoff": small_shop.as_of})
    slow = benchmark.with_pandas(lines, products, small_shop.as_of)
    assert len(fast) == len(slow) == 30
    benchmark._agree(fast, slow)
    slow["gap_max"] = np.nan
    with pytest.raises(ValueError, match="gap_max"):
        benchmark._agree(fast, slow)


def test_the_benchmark_of_a_folder_ends_with_its_figures(
    small_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmark, "COPIES", (1, 2))
    said: list[str] = []
    report = benchmark.run(small_folder, said.append)
    task = report.tasks["features"]
    assert task.n > 400 and task.more["customers"] == 30
    assert set(task.more["growth"]["ours"]) == {"1 times", "2 times"}
    assert f"Loading {small_folder}" in said
