"""A table of terms put together from parts is the one counted in a single go."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storewise.tools.reviews.ragged import Terms, runs

TEXTS = st.lists(st.lists(st.sampled_from(["a", "b", "tea", "not tea", "ü"]), max_size=5), max_size=6)


def listed(terms: Terms) -> list[list[str]]:
    return [
        [terms.names[i] for i in terms.indices[terms.starts[row] : terms.starts[row + 1]]]
        for row in range(len(terms))
    ]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 4))))
def test_runs_are_ranges_in_a_row(parts: list[tuple[int, int]]) -> None:
    starts, lengths = (np.array([part[i] for part in parts], dtype=np.int64) for i in (0, 1))
    assert runs(starts, lengths).tolist() == [i for start, n in parts for i in range(start, start + n)]


@settings(deadline=None)
@given(TEXTS, TEXTS, st.data())
def test_rows_taken_from_two_tables_are_those_texts(
    one: list[list[str]], two: list[list[str]], data: st.DataObject
) -> None:
    both = [*one, *two]
    rows = data.draw(st.lists(st.integers(0, len(both) - 1), max_size=8)) if both else []
    taken = Terms.of(one).followed_by(Terms.of(two)).take(np.array(rows, dtype=np.int64))
    fresh = Terms.of([both[row] for row in rows])
    assert listed(taken) == [both[row] for row in rows]
    assert taken.names == fresh.names and taken.indices.tolist() == fresh.indices.tolist()


@pytest.mark.parametrize("texts", [[], [[]], [["tea", "ü"], [], ["tea"]]])
def test_a_table_is_read_as_it_was_written(texts: list[list[str]], tmp_path: Path) -> None:
    Terms.of(texts).save(tmp_path / "terms.npz")
    assert listed(Terms.load(tmp_path / "terms.npz")) == texts
