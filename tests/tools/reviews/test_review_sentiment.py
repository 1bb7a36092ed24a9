"""The shipped head tells praise from blame, admits when it cannot, and its card says how good it is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storewise.tools.reviews import sentiment
from storewise.tools.reviews.embedding import DIMENSIONS, encode
from storewise.tools.reviews.sentiment_training import reliability

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
FOREIGN = [
    "Este té tiene un sabor muy agradable y llegó muy rápido a mi casa.",
    "El producto llegó roto y nadie respondió a mis mensajes.",
    "Der Kaffee schmeckt bitter und die Packung war beschädigt.",
    "Sehr guter Tee, wir werden ihn bestimmt wieder kaufen.",
    "このお茶はとても美味しいです。",
]


def chances(texts: list[str]) -> list[float]:
    return [float(p) for p in sentiment.head().probability(texts, encode(texts))]


def judged(texts: list[str]) -> list[sentiment.Polarity]:
    return [sentiment.polarity(p) for p in chances(texts)]


def test_clear_praise_and_blame() -> None:
    assert judged(PRAISE).count("positive") >= 7
    assert judged(BLAME).count("negative") >= 7
    assert "negative" not in judged(PRAISE)
    assert "positive" not in judged(BLAME)


def test_nothing_to_judge_is_mixed() -> None:
    assert chances(["", "🙂🙂", "12/03", "...", "!!!"]) == [0.5] * 5


def test_other_languages_are_not_judged_surely() -> None:
    assert judged(FOREIGN) == ["mixed"] * len(FOREIGN)


def test_a_negation_turns_its_words() -> None:
    assert sentiment.terms("not good at all") == [
        "not", "not_good", "not_at", "not_all", "not not_good", "not_good not_at", "not_at not_all",
    ]  # fmt: skip
    good, bad = chances(["It is good.", "It is not good."])
    assert good > 0.65 > 0.5 > bad


@pytest.mark.parametrize(
    "praise",
    ["This is not bad at all.", "I was never disappointed.", "We had no problems.", "Very refreshing."],
)
def test_denied_blame_is_praise(praise: str) -> None:
    assert chances([praise])[0] > 0.5


def test_not_complaining_is_no_blame() -> None:
    assert judged(["I can't complain."]) != ["negative"]


@pytest.mark.parametrize(
    "blame",
    [
        "It is not worth it.",
        "It was not fresh.",
        "They were stale.",
        "The taste is bland.",
        "I don't like it.",
    ],
)
def test_turned_praise_and_bad_food_are_no_praise(blame: str) -> None:
    assert chances([blame])[0] < 0.5


def test_entities_read_as_what_they_stand_for() -> None:
    assert sentiment.terms("I don&#39;t like it") == sentiment.terms("I don't like it")
    assert sentiment.terms("sweet &amp; good") == sentiment.terms("sweet & good")


def test_a_very_long_text_is_judged() -> None:
    long = "This is great tea. " * 5300
    assert len(long) > 100_000
    assert chances([long])[0] > 0.65


def test_a_review_is_the_sum_of_its_sentences() -> None:
    assert sentiment.of_review([]) == 0.5
    assert sentiment.of_review([0.9, 0.9, 0.4]) > 0.65
    assert abs(sentiment.of_review([0.9, 0.1]) - 0.5) < 1e-9
    assert np.isfinite(sentiment.of_review([0.0, 1.0, 1.0]))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=80), max_size=5), st.integers(0, 2**32 - 1))
def test_any_text_has_a_probability(texts: list[str], seed: int) -> None:
    vectors = np.random.default_rng(seed).normal(0, 0.05, (len(texts), DIMENSIONS)).astype(np.float32)
    found = sentiment.head().probability(texts, vectors)
    assert found.shape == (len(texts),)
    assert np.all((found >= 0) & (found <= 1))
    for text, chance in zip(texts, found.tolist(), strict=True):
        if not any(character.isalpha() for character in text):
            assert chance == 0.5


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_a_review_lies_between_its_sentences_and_mirrors(found: list[float]) -> None:
    whole = sentiment.of_review(found)
    assert min(found) - 0.011 <= whole <= max(found) + 0.011
    assert abs(sentiment.of_review([1 - one for one in found]) - (1 - whole)) < 1e-6
    assert {sentiment.polarity(whole), sentiment.polarity(1 - whole)} in (
        {"positive", "negative"}, {"mixed"},
    )  # fmt: skip


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=1, max_size=50))
def test_errors_of_calibration_are_shares(pairs: list[tuple[bool, float]]) -> None:
    praise, chance = np.array([one for one, _ in pairs]), np.array([one for _, one in pairs])
    found = reliability(praise, chance)
    assert 0 <= found["brier"] <= 1
    assert 0 <= found["expected_calibration_error"] <= 1
    assert sum(row["sentences"] for row in found["reliability"]) == len(pairs)


def test_a_perfect_forecast_has_no_error_of_calibration() -> None:
    praise = np.array([True, False, True])
    found = reliability(praise, praise.astype(float))
    assert found["brier"] == found["expected_calibration_error"] == 0


def test_the_card_names_recipe_scores_and_calibration() -> None:
    card = sentiment.card()
    assert card["held_out_product"]["auc"] > 0.9
    assert card["calibration"]["expected_calibration_error"] < 0.05
    assert card["sure"] == sentiment.SURE
    assert card["recipe"].startswith("python -m storewise.tools.reviews.sentiment_training")
