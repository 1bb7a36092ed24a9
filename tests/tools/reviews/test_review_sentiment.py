"""The shipped head tells praise from blame, admits when it cannot, and its card says how good it is."""

import numpy as np

from storewise.tools.reviews import sentiment
from storewise.tools.reviews.embedding import encode

PRAISE = [
    "Best tea I ever drank.",
    "My kids love these and ask for more.",
    "Arrived quickly and well packed.",
    "The flavor is rich and smooth, just right.",
    "I could not be happier with this purchase.",
    "Excellent quality for the price.",
    "We will definitely buy this again.",
    "The dog cleans her bowl every time, wonderful food.",
]
BLAME = [
    "Half the cans were dented and one had leaked.",
    "The chips were stale and I threw them away.",
    "It tastes awful and smells worse.",
    "Do not waste your money on this.",
    "Too salty for anybody in my family.",
    "The seal was broken and nobody answered my complaint.",
    "My cat got sick after eating this.",
    "I was very disappointed, it is not what the picture shows.",
]


def judged(texts: list[str]) -> list[sentiment.Polarity]:
    return [sentiment.polarity(p) for p in sentiment.head().probability(texts, encode(texts))]


def test_clear_praise_and_blame() -> None:
    assert judged(PRAISE).count("positive") >= 7
    assert judged(BLAME).count("negative") >= 7
    assert "negative" not in judged(PRAISE)
    assert "positive" not in judged(BLAME)


def test_nothing_to_judge_is_mixed() -> None:
    assert judged(["", "🙂🙂", "12/03", "..."]) == ["mixed"] * 4


def test_a_negation_turns_its_words() -> None:
    assert sentiment.terms("not good at all") == [
        "not", "not_good", "not_at", "not_all", "not not_good", "not_good not_at", "not_at not_all",
    ]  # fmt: skip
    good, bad = sentiment.head().probability(
        ["It is good.", "It is not good."], encode(["It is good.", "It is not good."])
    )
    assert good > 0.65 > 0.5 > bad


def test_a_review_is_the_sum_of_its_sentences() -> None:
    assert sentiment.of_review([]) == 0.5
    assert sentiment.of_review([0.9, 0.9, 0.4]) > 0.65
    assert abs(sentiment.of_review([0.9, 0.1]) - 0.5) < 1e-9
    assert np.isfinite(sentiment.of_review([0.0, 1.0, 1.0]))


def test_the_card_names_recipe_scores_and_peer() -> None:
    card = sentiment.card()
    assert card["held_out_product"]["auc"] > card["vader"]["auc"]
    assert card["recipe"].startswith("python -m storewise.tools.reviews.sentiment_training")
