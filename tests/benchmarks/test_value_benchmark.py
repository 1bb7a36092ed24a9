"""The value benchmark: the literature's protocol, nothing learned from later days, figures as defined."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("lifetimes", reason="the benchmarks' packages are not installed")

import lifetimes

from storewise.benchmarks import data, value
from storewise.tools.models.value_features import bought, describe


def test_the_protocol_is_that_of_the_literature() -> None:
    """Protects the comparison: BG/NBD on the 2,357 has the error and correlation that others report."""
    days = value.cdnow_days(data.cdnow())
    sample = days[days["customer"].isin(data.cdnow_sample())]
    described = describe(sample, value.CDNOW_CUTOFF)
    true, _ = bought(sample, described, value.CDNOW_CUTOFF, value.CDNOW_WEEKS)
    age = np.maximum(described.age - 1 / 7, described.t_x)
    fitted = lifetimes.BetaGeoFitter().fit(described.x, described.t_x, age)
    said = fitted.conditional_expected_number_of_purchases_up_to_time(39, described.x, described.t_x, age)
    assert (len(true), true.sum()) == (2357, 1882)
    assert value.rmse(true, said) == pytest.approx(1.608, abs=0.0005)
    assert np.corrcoef(true, said)[0, 1] == pytest.approx(0.626, abs=0.0005)


def test_purchases_of_a_day_count_once() -> None:
    """Protects the standard's rule, and that nothing after the 78 weeks is looked at."""
    table = pd.DataFrame(
        {
            "customer_id": ["1", "1", "1", "2"],
            "date": pd.to_datetime(["1997-01-02", "1997-01-02", "1997-02-01", "1998-07-05"]),
            "number_of_cds": [1, 2, 3, 4],
            "dollar_value": [10.0, 5.0, 7.0, 1.0],
        }
    )
    days = value.cdnow_days(table)
    assert days["day"].tolist() == [1, 31] and days["orders"].tolist() == [1.0, 1.0]
    assert days["spend"].tolist() == [15.0, 7.0] and days["items"].tolist() == [3, 3]


def test_gini_and_top_tenth() -> None:
    """Protects the ranking figures: 1 for the true order, about 0 for any, and below for the reverse."""
    true = np.arange(1.0, 101.0) ** 2
    assert value.gini(true, true) == pytest.approx(1)
    assert value.gini(true, -true) < -0.9
    assert abs(value.gini(true, np.random.default_rng(0).random(100))) < 0.35
    assert value.top_tenth(true, true) == pytest.approx(true[-10:].mean() / true.mean())
