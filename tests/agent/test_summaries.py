"""Summaries: counts and ids come from the reviews, a model's sentence is checked, the rest is told."""

from __future__ import annotations

import asyncio

from storewise.agent.phrasing import NotPhrased, Phrase
from storewise.agent.summaries import merged, summarize
from storewise.tools.reviews.groups import Group
from storewise.tools.reviews.summary import Review, Summary

TEXTS = [
    "The shoes are very comfortable.",
    "Really comfortable shoes!",
    "These shoes are so comfortable to walk in.",
    "The shoes are uncomfortable and hurt.",
    "Very uncomfortable shoes, they hurt the feet.",
    "Shipping was quick.",
    "Quick shipping!",
    "Los zapatos son muy buenos pero la caja estaba rota y no me gusta.",
    "😀",
    "",
]


def told(phrase: Phrase | None, words: int | None = None, texts: list[str] = TEXTS) -> Summary:
    given = [Review(review_id=f"R{number}", text=text) for number, text in enumerate(texts, 1)]
    return asyncio.run(summarize(given, "medium", phrase, words=words))


def test_without_a_model_customers_are_quoted_and_counted() -> None:
    summary = told(None)
    assert summary.reviews == 7
    assert summary.left_out == {"not English (Spanish)": 1, "no words": 2}
    for claim in summary.claims:
        assert claim.phrased_by == "quote"
        assert claim.count == len(set(claim.review_ids))
        assert any(claim.text in text for text in TEXTS)
    most = max(summary.claims, key=lambda claim: claim.count)
    assert {"R1", "R2", "R3"} <= set(most.review_ids)
    for share in summary.aspects:
        assert share.positive + share.negative <= share.reviews <= summary.reviews


def test_of_many_reviews_what_most_say_comes_first() -> None:
    counts = [
        claim.count
        for claim in told(None, texts=[f"{text} Box {n}." for n in "abcd" for text in TEXTS[:7]]).claims
    ]
    assert counts == sorted(counts, reverse=True)


def test_a_contradiction_is_told() -> None:
    assert "Most say that “" in told(None).text
    assert "”" in told(None).text and "some that “" in told(None).text


def test_a_models_sentence_is_kept_only_if_the_reviews_bear_it_out() -> None:
    async def right(group: Group) -> str:
        lead = group.quotes[0].text
        return "Shipping is quick." if "hipping" in lead else lead.replace("very ", "")

    async def wrong(group: Group) -> str:
        return "The coffee comes from Peru and cures a cold within 3 days."

    async def as_a_customer(group: Group) -> str:
        return f"I think {group.quotes[0].text}"

    async def of_the_dog(group: Group) -> str:
        return f"She says that {group.quotes[0].text}"

    async def nothing(group: Group) -> str:
        raise NotPhrased

    assert any(claim.phrased_by == "model" for claim in told(right).claims)
    for phrase in (wrong, as_a_customer, of_the_dog, nothing):
        assert {claim.phrased_by for claim in told(phrase).claims} == {"quote"}


def test_length_in_words_holds() -> None:
    for words in (5, 12):
        assert sum(len(claim.text.split()) for claim in told(None, words).claims) <= words


def test_nothing_to_read_is_said() -> None:
    assert told(None, texts=["", "😀"]).text == "None of the reviews could be read."


def test_a_text_repeated_counts_as_one_customer_and_is_told() -> None:
    flood = told(None, texts=["The soap smells of roses."] * 500 + ["It leaks."])
    assert flood.reviews == 2
    assert flood.left_out == {"repeats another review word for word": 499}
    assert {claim.count for claim in flood.claims} == {1}
    again = Summary.model_validate_json(flood.model_dump_json().replace('"R', '"S'))
    assert {claim.count for claim in merged([flood, again], "medium").claims} == {1}


def test_parts_are_put_together() -> None:
    first = told(None, texts=TEXTS[:3])
    second = Summary.model_validate_json(
        told(None, texts=TEXTS[:3]).model_dump_json().replace('"R', '"S').replace("'R", "'S")
    )
    whole = merged([first, second], "medium")
    assert whole.reviews == 6
    assert whole.claims[0].count == first.claims[0].count * 2
    assert first.aspects
    assert [(share.aspect, share.reviews) for share in whole.aspects] == [
        (share.aspect, 2 * share.reviews) for share in first.aspects
    ]
