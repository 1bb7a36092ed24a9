"""What is looked up equals what would be embedded, and nothing that is known is embedded again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from storewise.agent.summaries import summarize
from storewise.tools.reviews import aspects, embedding, groups
from storewise.tools.reviews.embedding import Read, Vectors
from storewise.tools.reviews.groups import Group
from storewise.tools.reviews.index import open_index
from storewise.tools.reviews.known import Embedded, Known
from storewise.tools.reviews.summary import Review
from tests.tools.test_opinions import REVIEWS, small_shop


@pytest.fixture
def embedded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Notes each text that is embedded."""
    asked: list[str] = []
    encode = embedding.encode

    def noting(texts: Sequence[str], progress: object = None, halved: bool | None = None) -> Vectors:
        asked.extend(texts)
        return encode(texts, halved=halved)

    read = embedding.read

    def noting_too(texts: Sequence[str], progress: object = None, halved: bool | None = None) -> Read:
        asked.extend(texts)
        return read(texts, halved=halved)

    monkeypatch.setattr(embedding, "encode", noting)
    monkeypatch.setattr(embedding, "read", noting_too)
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


def test_how_sentences_judge_is_looked_up_and_is_what_would_be_worked_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = small_shop(tmp_path, "Written here.")
    index = open_index(shop.folder("reviews"))
    known = Known(index, [review[1] for review in REVIEWS], Embedded())
    said = [
        "It arrived quickly.",
        "The lid broke at once, awful.",
        "This coffee has a smooth taste and we love it.",
    ]
    wanted = groups.judged(said)
    asked: list[str] = []
    alone = groups.judged

    def noting(texts: Sequence[str], halved: bool | None = None) -> groups.Judged:
        asked.extend(texts)
        return alone(texts, halved)

    monkeypatch.setattr("storewise.tools.reviews.known.judged", noting)
    found = known.judged(said)
    assert asked == said[1:2]
    assert np.allclose(found.vectors, wanted.vectors, atol=2e-3)
    assert np.allclose(found.positive, wanted.positive, atol=5e-3)
    assert (found.codes == wanted.codes).all() and wanted.codes.any()
    assert known.judged([]).codes.shape == (0, len(aspects.NAMES))
    shop.close()


def test_sentences_that_were_judged_are_not_embedded_again(embedded: list[str]) -> None:
    encode = Embedded()
    judged = encode.judged(["Lovely green tea.", "The lid broke at once."])
    again = encode(["The lid broke at once.", "a stranger"])
    assert embedded == ["Lovely green tea.", "The lid broke at once.", "a stranger"]
    assert (again[0] == judged.vectors[1]).all()


def test_a_summary_is_the_same_whether_its_sentences_are_known_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = small_shop(tmp_path, "Written here.")
    index = open_index(shop.folder("reviews"))
    reviews = [Review(review_id=review[0], text=review[1]) for review in REVIEWS]
    reviews.append(Review(review_id="new", text="The lid broke at once. Lovely green tea!"))

    async def phrase(group: Group) -> str:
        return group.quotes[0].text.replace("smooth", "mild and smooth")

    plain = asyncio.run(summarize(reviews, "long", phrase))
    known = Known(index, [review.text for review in reviews], Embedded())
    worked: list[str] = []
    way = aspects.head().judged

    def noting(self: object, texts: Sequence[str], *more: Vectors) -> object:
        worked.extend(texts)
        return way(texts, *more)

    monkeypatch.setattr(aspects.Head, "judged", noting)
    read, _ = groups.read_lines(reviews, known.judged)
    assert len(read.quotes) > len(set(worked)) and set(worked) <= {
        "The lid broke at once.",
        "Lovely green tea!",
    }
    assert asyncio.run(summarize(reviews, "long", phrase, known, judge=known.judged)) == plain
    assert plain.aspects and any(claim.phrased_by == "model" for claim in plain.claims)
    shop.close()
