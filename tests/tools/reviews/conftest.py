"""A small shop whose reviews are written here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import pytest

from storewise.tools.shop.generation import Shop, building

Review = tuple[str, str, str | None]  # review_id, text, category
MakeShop = Callable[[Sequence[Review]], Shop]


@pytest.fixture
def make_shop(tmp_path: Path) -> MakeShop:
    """Return a function that puts a new generation with these reviews in place, in one home."""

    def make(reviews: Sequence[Review]) -> Shop:
        with building(tmp_path / "home") as builder:
            frame = pd.DataFrame(reviews, columns=["review_id", "text", "category"])
            builder.connection.register("given", frame)
            builder.connection.execute(
                "CREATE TABLE reviews AS SELECT review_id::VARCHAR AS review_id, text::VARCHAR AS text, "
                "category::VARCHAR AS category FROM given"
            )
            builder.connection.unregister("given")
            return builder.seal(
                name="Test", as_of=dt.date(2017, 12, 31), source="written here", provenance={}, notes={}
            )

    return make
