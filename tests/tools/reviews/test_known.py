"""What is looked up equals what would be embedded, and nothing that is known is embedded again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from storewise.tools.reviews import embedding
from storewise.tools.reviews.embedding import Vectors
from storewise.tools.reviews.index import open_index
from storewise.tools.reviews.known import Embedded, Known
from tests.tools.test_opinions import REVIEWS, small_shop


@pytest.fixture
def embedded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Notes each text that is embedded."""
    asked: list[str] = []
    encode = embedding.encode

    def noting(texts: Sequence[str], progress: object = None) -> Vectors:
        asked.extend(texts)
        return encode(texts)

    monkeypatch.setattr(embedding, "encode", noting)
    return asked


def test_sentences_of_the_index_are_looked_up(tmp_path: Path, embedded: list[str]) -> None:
    shop = small_shop(tmp_path, "Written here.")
    index = open_index(shop.folder("reviews"))
    texts = [review[1] for review in REVIEWS]
    sentences = ["This coffee has a smooth taste and we love it.", "Lovely green tea.", "It arrived quickly."]
    wanted = embedding.encode([*sentences, "a stranger"])
    embedded.clear()
    known = Known(index, texts, Embedded())
    found = known([*sentences, "a stranger"])
    assert embedded == ["a stranger"]
    assert np.abs(found - wanted).max() < 2e-3
    # Only the reviews that are given are looked up, and only with the very text that the index has.
    embedded.clear()
    Known(index, ["Lovely green tea. It arrived late."], Embedded())(["Lovely green tea."])
    assert embedded == ["Lovely green tea."]
    shop.close()


def test_a_text_is_embedded_once_and_forgotten_in_time(
    monkeypatch: pytest.MonkeyPatch, embedded: list[str]
) -> None:
    monkeypatch.setattr("storewise.tools.reviews.known.KEPT", 3)
    encode = Embedded()
    first = encode(["one", "two", "one"])
    assert embedded == ["one", "two"]
    assert (first[0] == first[2]).all()
    encode(["two", "three", "four"])
    assert embedded == ["one", "two", "three", "four"]
    encode(["one"])
    assert embedded[-1] == "one", "the oldest is forgotten"
    assert encode([]).shape == (0, embedding.DIMENSIONS)
