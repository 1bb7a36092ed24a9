"""Examples of praise and blame: repeatable, of clear sentences, never of those that the benchmark judges by."""

from __future__ import annotations

from pathlib import Path

import pytest

from storewise.finetune.polarity import BLAME, PRAISE, make_polarity
from storewise.finetune.training import Tokens, batches, chat
from storewise.prompts import prompt
from storewise.tools.reviews.sentiment_training import FILES
from storewise.tools.shop.generation import ShopError


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sentences in the files' format: forty of each source, of every third the rating is near 0."""
    place = tmp_path_factory.mktemp("hutto_ICWSM_2014")
    for source, name in FILES.items():
        rows = [
            f"{number}_1\t{(2.5, -1.5, 0.2)[number % 3]}\tThe {source} sentence number {number}."
            for number in range(1, 41)
        ]
        (place / name).write_text("\n".join(rows) + "\n", encoding="utf-8")
    return place


def test_as_many_as_asked_and_the_same_again(folder: Path) -> None:
    examples = make_polarity(folder, 30, 7)
    assert len(examples) == 30
    assert examples == make_polarity(folder, 30, 7)
    assert examples != make_polarity(folder, 30, 8)
    assert len({example.question for example in make_polarity(folder, 1000, 7)}) == 2 * 27


def test_what_the_benchmark_judges_by_is_not_learned(folder: Path) -> None:
    assert not [one for one in make_polarity(folder, 1000, 7) if "amazon" in one.question]


def test_answers_are_what_people_felt(folder: Path) -> None:
    for example in make_polarity(folder, 1000, 7):
        number = int(example.question.rstrip(".").split()[-1])
        assert number % 3 != 2, "people were not clear about it"
        assert example.answer == (PRAISE if number % 3 == 0 else BLAME)


def test_the_sentence_is_said_as_it_is(folder: Path) -> None:
    example = make_polarity(folder, 1, 7)[0]
    system, user = chat(example)
    assert system["content"] == prompt("polarity") and user["content"] == example.question
    assert PRAISE in system["content"] and BLAME in system["content"]


@pytest.mark.parametrize("missing", [None, "nowhere"])
def test_without_the_sentences_it_says_what_to_type(missing: str | None) -> None:
    given = None if missing is None else Path(missing)
    assert make_polarity(given, 0, 7) == []
    with pytest.raises(ShopError, match="--sentences hutto_ICWSM_2014"):
        make_polarity(given, 10, 7)


def test_answers_of_one_word_are_not_drowned_by_longer_ones() -> None:
    short, long = Tokens(list(range(60)), 58), Tokens(list(range(60)), 40)
    made = batches([short, long] * 40, 7)
    assert sum(map(len, made)) == 80
    assert all(len({one.start for one in batch}) == 1 for batch in made)
