"""What teaches the sentiment head: the same sentences each time, odds that do not depend on neighbours."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from storewise.finetune import teaching
from storewise.finetune.base import unpack_base


def test_different_sentences_teach_once_in_the_same_order() -> None:
    texts = ["We love it. It is fresh and sweet.", "We love it.   Bad!", "12/03/2009"]
    found = teaching.sentences_of(texts)
    assert sorted(found) == ["It is fresh and sweet.", "We love it."]
    assert found == teaching.sentences_of(texts[::-1])


def test_what_a_text_scores_does_not_depend_on_its_neighbours(tmp_path: Path) -> None:
    prepared = os.environ.get("STOREWISE_TEST_MODELS")
    folder = unpack_base(Path(prepared) if prepared else tmp_path)
    texts = [
        "Lovely, we will buy it again.",
        "Broken when it came, and nobody answered my letters.",
        "x " * 400,
    ]
    together, alone = teaching.praise_odds(texts, folder), teaching.praise_odds(texts[:1], folder)
    assert np.isfinite(together).all()
    assert together[0] > together[1]
    assert abs(together[0] - alone[0]) < 0.2  # bfloat16
