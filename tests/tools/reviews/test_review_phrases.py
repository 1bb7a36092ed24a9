"""The phrases of praise and blame are those the counts speak for; log-odds follow the published formula."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from storewise.tools.reviews.phrases import candidates, count, log_odds, spoken, telling

COUNTS = arrays.arrays(np.float64, 6, elements=st.integers(0, 50).map(float))


def test_log_odds_of_a_tiny_example_computed_by_hand() -> None:
    praise, blame, usual = np.array([8.0, 2.0]), np.array([1.0, 9.0]), np.array([10.0, 10.0])
    # The prior is worth 10 counts, 5 each: (8 + 5) of 20 against (1 + 5) of 20.
    delta = math.log(13 / 7) - math.log(6 / 14)
    expected = delta / math.sqrt(1 / 13 + 1 / 6)
    found = log_odds(praise, blame, usual, prior=10.0)
    assert abs(found[0] - expected) < 1e-9
    assert found[0] > 0 > found[1]


@given(COUNTS, COUNTS)
def test_log_odds_change_sign_when_the_groups_change_places(praise: np.ndarray, blame: np.ndarray) -> None:
    usual = praise + blame
    assert np.allclose(log_odds(praise, blame, usual, 20.0), -log_odds(blame, praise, usual, 20.0))


def test_rare_phrases_are_shrunk_towards_what_is_usual() -> None:
    praise, blame = np.array([40.0, 2.0, 100.0]), np.array([10.0, 0.0, 100.0])
    scores = log_odds(praise, blame, praise + blame, 20.0)
    assert scores[0] > scores[1] > 0


def test_candidates_leave_out_mere_praise_and_keep_what_is_negated() -> None:
    words = {
        written for _, written in candidates("I love it, great taste, but no mess and not fresh at all.")
    }
    assert {"great taste", "taste", "no mess", "not fresh"} <= words
    assert not {"love", "great", "mess", "fresh", "love it"} & words


def test_one_form_stands_for_all_inflections() -> None:
    table = count(spoken(["broken seal", "broken seals", "broken seals"]), np.arange(3))
    assert table.written[table.stems.index("broken seal")] == "broken seals"


def test_phrases_are_counted_by_review_and_not_said_twice() -> None:
    praise = ["It has a smooth taste. "] * 5
    blame = ["A broken seal again."] * 4 + ["The seal leaked and the seal tore."]
    neutral = ["We had tea on Monday.", "The box has a lid.", "It stands on the shelf."] * 3
    sentences = [*praise, *blame, *neutral]
    # The last two blaming sentences belong to one review.
    review = np.array([0, 1, 2, 3, 4, 5, 6, 7, 8, 8, *range(9, 18)])
    table = count(spoken(sentences), review)
    praised, blamed = telling(table, np.arange(5), np.arange(5, 10), review, top=5, least=2)
    assert [phrase.text for phrase in praised] == ["smooth taste"]
    assert praised[0].reviews == 5
    assert [(phrase.text, phrase.reviews) for phrase in blamed] == [("broken seal", 4)]
    assert all("broken seal" in sentences[row].lower() for row in blamed[0].rows)


def test_what_all_reviews_are_of_is_not_telling() -> None:
    sentences = ["Lovely coffee."] * 6 + ["The lid leaks."] * 6
    review = np.arange(12)
    praised, _ = telling(
        count(spoken(sentences), review), np.arange(6), np.arange(6, 12), review, 5, 2, known="Coffee"
    )
    assert praised == []
