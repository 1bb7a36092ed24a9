"""The paired bootstrap tells a real difference from chance, and its own AUC is the usual one."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from storewise.benchmarks.bootstrap import _Ranked, auc_difference, difference, mean_difference

RNG = np.random.default_rng(3)


@given(
    st.lists(
        st.tuples(st.integers(0, 1), st.integers(0, 6), st.integers(0, 3)), min_size=4, max_size=60
    ).filter(lambda rows: {y for y, _, weight in rows if weight} == {0, 1})
)
@settings(max_examples=200, deadline=None)
def test_weighted_auc_is_that_of_scikit_learn(rows: list[tuple[int, int, int]]) -> None:
    """Ties and weights of 0 included."""
    y, scores, weights = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    expected = roc_auc_score(y, scores, sample_weight=weights)
    assert abs(_Ranked(y, scores).auc(weights) - expected) < 1e-9


def test_a_better_method_has_an_interval_above_0() -> None:
    y = RNG.integers(0, 2, 2000)
    good, poor = y + RNG.normal(size=2000), y + 3 * RNG.normal(size=2000)
    low, high = auc_difference(y, good, poor)
    assert 0 < low < roc_auc_score(y, good) - roc_auc_score(y, poor) < high
    assert auc_difference(y, poor, good)[1] < 0


def test_equal_methods_have_an_interval_around_0() -> None:
    y = RNG.integers(0, 2, 2000)
    one, other = (y + RNG.normal(size=2000) for _ in range(2))
    low, high = auc_difference(y, one, other)
    assert low < 0 < high
    assert auc_difference(y, one, one.copy()) == (0, 0)


def test_cases_of_one_customer_are_drawn_together() -> None:
    """Ten copies of each customer add no certainty; drawn one by one they would seem to."""
    ours, peer = RNG.normal(0.1, 1, 100), RNG.normal(0, 1, 100)
    clusters = np.tile(np.arange(100), 10)
    ours_10, peer_10 = np.tile(ours, 10), np.tile(peer, 10)

    def mean(values: np.ndarray, weights: np.ndarray) -> float:
        return float(np.average(values, weights=weights))

    together = difference(mean, ours_10, peer_10, clusters)
    apart = difference(mean, ours_10, peer_10)
    assert together[1] - together[0] > 2 * (apart[1] - apart[0])


def test_mean_difference_pairs_cases() -> None:
    noise = RNG.normal(0, 10, 500)
    low, high = mean_difference(noise + 0.1, noise)
    assert 0.0999 < low <= high < 0.1001
