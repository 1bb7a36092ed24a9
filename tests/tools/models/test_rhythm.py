"""Rhythm features: right by hand, drawn towards everybody's where little is known, whole for odd shops."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storewise.tools.models.rhythm import FEATURES, GROUPS, Visits, rhythm

TODAY = dt.date(2023, 6, 30)
EPOCH = dt.date(1970, 1, 1)


def visits(**ages: list[int]) -> Visits:
    """Visits so many days before TODAY, each worth 10."""
    rows = sorted((who, (TODAY - EPOCH).days - age) for who, days in ages.items() for age in days)
    names = sorted(ages)
    return Visits(
        customers=np.array(names, dtype=object),
        row=np.array([names.index(who) for who, _ in rows], dtype=np.int64),
        day=np.array([day for _, day in rows], dtype=np.int64),
        amount=np.full(len(rows), 10.0),
    )


def test_figures_by_hand() -> None:
    """Protects weeks, silences and trend, counted here by hand."""
    table = rhythm(visits(a=[3, 10, 24, 60, 110], b=[0, 1, 2]), TODAY).set_index("customer_id")
    a = table.loc["a"]
    assert (a["weeks_4"], a["weeks_8"], a["weeks_13"]) == (3, 3, 4)
    assert (a["visits_28"], a["visits_91"], a["visits_29_91"]) == (3, 4, 1)
    assert a["silence_longest_91"] == 50  # the gap that ended 60 days ago
    # Gaps of 7, 14, 36 and 50 days: 6 and 20 days beyond the 30th of a silence, in 110 days.
    assert a["silent_30"] == pytest.approx((6 + 20) / 110, abs=1e-6)
    assert a["gap_of_a_day"] == pytest.approx((49 + 196 + 1296 + 2500) / 107)
    assert a["visits_trend"] == pytest.approx(np.log(3.5 / (1 / 2 + 0.5)))
    assert table.loc["b", "weeks_4"] == 1
    # Ten a day for three days, all within any half-life.
    assert table.loc["b", [f"spend_pace_{days}" for days in (7, 60)]].tolist() == pytest.approx([10, 10])


def test_the_same_silence_weighs_more_for_the_regular() -> None:
    """Protects the very idea: 20 days are long for who comes weekly, and usual for who comes monthly."""
    table = rhythm(visits(weekly=list(range(20, 200, 7)), monthly=list(range(20, 200, 30))), TODAY).set_index(
        "customer_id"
    )
    weekly, monthly = table.loc["weekly"], table.loc["monthly"]
    assert weekly["silence_z"] > monthly["silence_z"]
    assert weekly["silence_survival"] < 0.1 < monthly["silence_survival"]
    assert weekly["gap_95"] < 20 < monthly["gap_95"]


def test_more_silence_is_never_a_better_sign() -> None:
    """Protects the constraints that rest on it: of two with the same visits, the longer away looks worse."""
    others = {f"c{n}": list(range(n % 5, 150, 4 + n)) for n in range(12)}
    away = {f"a{days}": [days + back for back in (0, 6, 13, 19, 26, 40)] for days in (2, 10, 20, 40)}
    table = rhythm(visits(**away, **others), TODAY).set_index("customer_id").loc[list(away)]
    for name in ("silence_z", "lost_odds", "none_7", "none_30", "silence_longest_91", "silence_goes_on"):
        assert table[name].is_monotonic_increasing, name
    assert table["silence_survival"].is_monotonic_decreasing


def test_one_visit_is_judged_as_most_customers() -> None:
    """Protects newcomers: nothing is missing, and the gap expected is that of the others."""
    others = {f"c{n}": list(range(1 + n % 3, 160, 10)) for n in range(10)}
    table = rhythm(visits(new=[5], **others), TODAY).set_index("customer_id")
    assert np.isfinite(table[list(FEATURES)].to_numpy()).all()
    assert 10 <= table.loc["new", "gap_95"] <= 30


def test_later_visits_are_not_looked_at() -> None:
    """Protects against leakage within the arrays read once for all cut-offs."""
    whole = visits(a=[3, 10, 24, 60, 110], b=[0, 80, 90], late=[2])
    before = visits(a=[60, 110], b=[80, 90])
    cutoff = TODAY - dt.timedelta(days=40)
    pd.testing.assert_frame_equal(rhythm(whole, cutoff), rhythm(before, cutoff))
    assert rhythm(whole, TODAY - dt.timedelta(days=400)).empty


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(0, 900), min_size=1, max_size=30, unique=True), min_size=1, max_size=6))
def test_any_history_has_finite_figures(ages: list[list[int]]) -> None:
    """Protects from infinities: equal gaps, one customer, one day, years of silence."""
    table = rhythm(visits(**{f"c{place}": days for place, days in enumerate(ages)}), TODAY)
    assert len(table) == len(ages)
    assert np.isfinite(table[list(FEATURES)].to_numpy()).all()
    assert (table[list(GROUPS["pace"])] <= 0).all(axis=None)
    assert table["silence_survival"].between(0, 1).all()
