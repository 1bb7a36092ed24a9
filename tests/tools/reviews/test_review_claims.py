"""The check of claims: what reviews say passes, what they do not say is turned away with a reason."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storewise.tools.reviews import claims, embedding
from storewise.tools.reviews.claims import all_supported, contrary, parts_of, supported, weights, words_of
from storewise.tools.reviews.embedding import Vectors
from storewise.tools.reviews.summary import Quote

QUOTES = [
    Quote(review_id="R1", text="The shoes are very comfortable and light."),
    Quote(review_id="R2", text="So comfortable, I wear these shoes all day."),
    Quote(review_id="R3", text="Comfortable shoes, but they run small."),
    Quote(review_id="R4", text="Light and comfortable, I bought a second pair."),
]


@pytest.mark.parametrize(
    "claim", ["The shoes are comfortable.", "The shoes are light and comfortable.", "The shoes run small."]
)
def test_what_the_reviews_say_passes(claim: str) -> None:
    assert supported(claim, QUOTES).supported


@pytest.mark.parametrize(
    "claim",
    [
        "The shoes are uncomfortable and heavy.",
        "The shoes are not comfortable.",
        "The coffee tastes great.",
        "The shoes are comfortable and the shop gives the money back at once.",
        "The shoes from Italy are comfortable.",
        "The shoes are comfortable for 12 hours.",
        "",
        "!!!",
    ],
)
def test_what_they_do_not_say_is_turned_away_with_a_reason(claim: str) -> None:
    verdict = supported(claim, QUOTES)
    assert not verdict.supported
    assert verdict.reason


def test_a_quantity_must_fit_the_reviews_that_say_it() -> None:
    assert not supported("All customers say that the shoes run small.", QUOTES).supported
    assert "not all" in str(supported("All customers say that the shoes run small.", QUOTES).reason)
    assert not supported("Most find that they run small.", QUOTES).supported


def test_many_claims_are_embedded_at_once_and_judged_as_one_by_one() -> None:
    others = [
        Quote(review_id="R5", text="The lid leaks."),
        Quote(review_id="R6", text="It leaks, awful lid."),
    ]
    asked: list[list[str]] = []

    def noting(texts: Sequence[str]) -> Vectors:
        asked.append(list(texts))
        return embedding.encode(texts)

    pairs = [
        ("The shoes are comfortable.", QUOTES),
        ("The footwear is cosy, and it is very light.", QUOTES),
        ("The shoes from Italy are comfortable.", QUOTES),
        ("All say that the lid is leaking.", others),
        ("The lid leaks.", []),
        ("!!!", others),
    ]
    verdicts = all_supported(pairs, noting)
    assert len(asked) == 1 and len(set(asked[0])) == len(asked[0])
    assert not any("Italy" in text for text in asked[0]), "what names alone turn away is not embedded"
    for verdict, (claim, sentences) in zip(verdicts, pairs, strict=True):
        alone = supported(claim, sentences)
        assert (verdict.supported, verdict.reason) == (alone.supported, alone.reason)
        assert verdict.score == pytest.approx(alone.score, abs=0.01)
    assert all_supported([], noting) == [] and len(asked) == 1


def test_without_sentences_nothing_is_borne_out() -> None:
    assert not supported("The shoes are comfortable.", []).supported


def test_a_negation_turns_the_words_of_its_clause() -> None:
    turned = {word.text: word.turned for word in words_of("It is not too sweet, but tastes fresh")}
    assert turned == {"sweet": True, "tastes": False, "fresh": False}


def test_opposites_and_denials_are_contrary() -> None:
    assert contrary("The price is cheap.", "It is expensive.")
    assert contrary("The tea is not bitter.", "The tea is bitter.")
    assert not contrary("The tea is fresh.", "The lid leaks.")


@given(st.text(max_size=120))
def test_any_text_gets_a_verdict(text: str) -> None:
    assert parts_of(text)
    words_of(text)


def test_the_weights_fit_the_features() -> None:
    card = weights()
    assert card["features"] == list(claims.FEATURES)
    assert len(card["weights"]) == len(card["means"]) == len(card["spreads"]) == len(claims.FEATURES)
    assert card["cross_validated"]["auc"] > 0.85


def test_opposites_say_nothing_of_themselves() -> None:
    pairs = json.loads((Path(claims.HERE) / "opposites.json").read_text(encoding="utf-8"))["opposites"]
    assert all(len(pair) == 2 and all(pair) for pair in pairs)
    assert all(word not in against for word, against in claims.opposites().items())
