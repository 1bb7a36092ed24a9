"""Filters keep to what they say; meaning and words both find; a part is searched as well as the whole."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from storewise.tools.reviews import build, index, search
from storewise.tools.reviews.ragged import Terms
from storewise.tools.reviews.words import Words, stems
from storewise.tools.shop.generation import building

ROWS = [
    ("R1", "The coffee is bitter. I threw it away.", "p1", "Coffee", 1.0, "2017-01-05"),
    ("R2", "Smooth and rich coffee. We love it!", "p1", "Coffee", 5.0, "2017-02-01"),
    ("R3", "My dog adores these treats. Great value.", "p2", "Dog food", 5.0, "2017-02-28"),
    ("R4", "The cans were dented and leaking.", "p3", None, 2.0, None),
    ("R5", "Zyxel coffee, nothing special.", None, "Coffee", None, "2016-12-31"),
    ("R6", "smooth and RICH coffee - we love it", "p2", "Dog food", 4.0, "2017-03-01"),
]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> index.Index:
    home = tmp_path_factory.mktemp("home")
    names = ["review_id", "text", "product_id", "category", "rating", "reviewed_at"]
    with building(home) as builder:
        builder.connection.register("given", pd.DataFrame(ROWS, columns=names))
        builder.connection.execute(
            "CREATE TABLE reviews AS SELECT * REPLACE (reviewed_at::TIMESTAMP AS reviewed_at) FROM given"
        )
        builder.connection.unregister("given")
        shop = builder.seal(name="T", as_of=dt.date(2017, 12, 31), source="", provenance={}, notes={})
        build.build(shop, shop.folder("reviews"))
    return index.open_index(shop.folder("reviews"))


def ids(opened: index.Index, scope: search.Scope) -> str:
    return " ".join(opened.reviews["review_id"][scope.rows])


def test_filters_keep_both_ends_and_leave_out_what_is_unknown(opened: index.Index) -> None:
    every = search.everything(opened)
    assert ids(opened, search.narrowed(opened, every)) == "R1 R2 R3 R4 R5 R6"
    assert ids(opened, search.narrowed(opened, every, rating_min=4)) == "R2 R3 R6"
    assert ids(opened, search.narrowed(opened, every, rating_min=2, rating_max=4)) == "R4 R6"
    assert ids(opened, search.narrowed(opened, every, since=dt.date(2017, 2, 1))) == "R2 R3 R6"
    february = search.narrowed(opened, every, since=dt.date(2017, 2, 1), until=dt.date(2017, 2, 28))
    assert ids(opened, february) == "R2 R3"
    assert ids(opened, search.narrowed(opened, february, rating_max=4)) == ""
    blame = opened.reviews["sentiment"] == "negative"
    assert (search.narrowed(opened, every, sentiment="negative").rows == blame.to_numpy()).all()
    assert search.holding(opened, "category", ["Coffee", "Unknown"]).tolist() == [1, 1, 0, 0, 1, 0]
    assert ids(opened, every) == "R1 R2 R3 R4 R5 R6", "a scope is not changed by narrowing it"


def test_a_search_stays_in_its_scope_and_finds_one_of_near_copies(opened: index.Index) -> None:
    every = search.everything(opened)
    assert opened.reviews["duplicate_of"].dropna().to_dict() == {5: "R2"}

    def found(scope: search.Scope, sentiment: str | None = None) -> list[str]:
        hits = search.search(opened, "rich smooth coffee", scope, sentiment, 6)  # type: ignore[arg-type]
        return [opened.reviews["review_id"].iloc[hit.row] for hit in hits]

    assert found(every)[0] == "R2" and "R6" not in found(every)
    assert found(search.narrowed(opened, every, since=dt.date(2017, 2, 15)))[0] == "R6"
    praise = search.narrowed(opened, every, sentiment="positive").rows
    assert all(praise[opened.row_of[key]] for key in found(every, "positive"))
    assert found(search.narrowed(opened, every, rating_min=6)) == []
    best = [hit.row for hit in search.strongest(opened, every, None, 9)]
    assert opened.row_of["R6"] not in best and opened.row_of["R2"] in best


def test_a_name_that_no_model_knows_is_found_by_its_letters(opened: index.Index) -> None:
    hits = search.search(opened, "zyxel", search.everything(opened), None, 3)
    assert opened.reviews["review_id"].iloc[hits[0].row] == "R5"


def test_chroma_and_the_search_of_a_part_agree(opened: index.Index, monkeypatch: pytest.MonkeyPatch) -> None:
    every = search.everything(opened)
    by_chroma = search.search(opened, "leaking cans", every, None, 3)
    monkeypatch.setattr(type(opened.store), "nearest", lambda *given: ([], []))
    assert search.search(opened, "leaking cans", every, None, 3) == by_chroma


def test_bm25_of_a_tiny_example_computed_by_hand() -> None:
    words = Words.of(Terms.of([stems("tea tea milk"), stems("milk"), stems("stale tea")]))
    idf = np.log1p((3 - 2 + 0.5) / (2 + 0.5))
    # Three words where two are usual, tea twice: k1 .9, b .4.
    expected = 2 / (2 + 0.9 * (1 - 0.4 + 0.4 * 3 / 2))
    scores = words.scores("Is the TEA…?")
    assert scores[0] == pytest.approx(expected, rel=1e-5)
    assert scores[1] == 0 < scores[2] < scores[0]
    unheard = words.scores("tea teapots")
    assert unheard[0] == pytest.approx(expected * idf / (idf + np.log1p(3.5 / 0.5)), rel=1e-5)
    assert Words.of(Terms.of([])).scores("tea").shape == (0,)


def test_the_same_folder_is_opened_once(opened: index.Index) -> None:
    folder: Path = opened.folder.parent
    assert index.open_index(folder) is index.open_index(folder)
