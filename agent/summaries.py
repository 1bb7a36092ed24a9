"""Summaries: many reviews to a few claims, each with its count, its reviews and their own words."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

from langchain_core.messages import HumanMessage

from storewise.agent.analyst import chat_model
from storewise.agent.engine import Served, gpu_found
from storewise.agent.settings import Settings
from storewise.prompts import prompt
from storewise.tools.reviews import embedding, screening
from storewise.tools.reviews.groups import Encode, Group, grouped
from storewise.tools.reviews.summary import CLAIMS, Claim, Length, Review, Summary

Phrase = Callable[[Group], Awaitable[str]]
QUOTES = 3  # quotes of a claim
SAME = 0.7  # cosine from which claims of two parts of the reviews are one
LIKE = 0.55  # cosine between a phrase and its group's quotes below which it says something else
LONGEST = 240  # characters of a claim


class NotPhrased(Exception):
    """The model phrases no sentence for this group; it is quoted instead."""


def phrases_expected(settings: Settings) -> bool:
    """Say whether a model that phrases is to be waited for where it does not answer yet."""
    return bool(settings.model_url) or gpu_found()


def phraser(served: Served | None, seconds: float = 60.0) -> Phrase | None:
    """Return what phrases a group through a served model, None where claims are to be quotes.

    The embedded model is not asked: it has not learned to.
    """
    if served is None or served.compact:
        return None
    model = chat_model(served, seconds)

    async def phrase(group: Group) -> str:
        quotes = "\n".join(f"- {quote.text}" for quote in group.quotes[:8])
        reply = await model.ainvoke([HumanMessage(prompt("claim", quotes=quotes))])
        return " ".join(str(reply.text).split())

    return phrase


async def summarize(
    reviews: Sequence[Review], length: Length, phrase: Phrase | None, encode: Encode = embedding.encode
) -> Summary:
    """Return what `reviews` say: the groups of most reviews, each phrased by the model or quoted."""
    reasons = [screening.left_out(review.text) for review in reviews]
    read = [review for review, reason in zip(reviews, reasons, strict=True) if reason is None]
    left_out = dict(Counter(reason for reason in reasons if reason is not None))
    groups = await asyncio.to_thread(grouped, read, encode)
    chosen = _chosen(groups, CLAIMS[length])
    claims = await asyncio.gather(*(_claim(group, phrase, encode) for group in chosen))
    return Summary(claims=tuple(claims), reviews=len(read), left_out=left_out, text=_text(claims, len(read)))


def merged(parts: Sequence[Summary], length: Length, encode: Encode = embedding.encode) -> Summary:
    """Return one summary of parts of the same subject: claims that say the same are one, counts are added.

    The parts share no review.
    """
    claims = [claim for part in parts for claim in part.claims]
    order = sorted(range(len(claims)), key=lambda row: (-claims[row].count, row))
    vectors = encode([claim.text for claim in claims])
    kept: list[tuple[int, list[int]]] = []
    for row in order:
        for first, rows in kept:
            alike = float(vectors[first] @ vectors[row]) >= SAME
            if alike and claims[first].sentiment == claims[row].sentiment:
                rows.append(row)
                break
        else:
            kept.append((row, [row]))
    whole = [_joined([claims[row] for row in rows]) for _, rows in kept]
    whole.sort(key=lambda claim: -claim.count)
    left_out: Counter[str] = Counter()
    for part in parts:
        left_out.update(part.left_out)
    reviews = sum(part.reviews for part in parts)
    top = whole[: CLAIMS[length]]
    return Summary(claims=tuple(top), reviews=reviews, left_out=dict(left_out), text=_text(top, reviews))


def _joined(claims: list[Claim]) -> Claim:
    ids = tuple(dict.fromkeys(key for claim in claims for key in claim.review_ids))
    quotes = tuple(quote for claim in claims for quote in claim.quotes)[:QUOTES]
    return claims[0].model_copy(update={"review_ids": ids, "count": len(ids), "quotes": quotes})


def _chosen(groups: Sequence[Group], most: int) -> list[Group]:
    """Return the groups to tell: what several say, and single voices only where nobody says the same."""
    several = [group for group in groups if group.count > 1]
    return several[:most] or list(groups[: min(most, 3)])


async def _claim(group: Group, phrase: Phrase | None, encode: Encode) -> Claim:
    quote = group.quotes[0].text
    said = None
    if phrase is not None:
        try:
            said = await phrase(group)
        except NotPhrased:
            said = None
        if said is not None and not await asyncio.to_thread(_supported, said, group, encode):
            said = None
    return Claim(
        text=said or quote,
        count=group.count,
        review_ids=tuple(quote.review_id for quote in group.quotes),
        sentiment=group.sentiment,
        phrased_by="quote" if said is None else "model",
        quotes=group.quotes[:QUOTES],
    )


def _supported(said: str, group: Group, encode: Encode) -> bool:
    """Say whether a phrase is near its group's quotes and brings no number that they lack."""
    if not 0 < len(said) <= LONGEST:
        return False
    quotes = [quote.text for quote in group.quotes[:8]]
    numbers = {word for word in said.split() if any(c.isdigit() for c in word)}
    if not all(any(number.strip(".,!?") in quote for quote in quotes) for number in numbers):
        return False
    vectors = encode([said, *quotes])
    return float((vectors[1:] @ vectors[0]).max()) >= LIKE


def _text(claims: Sequence[Claim], reviews: int) -> str:
    if not claims:
        return "None of the reviews could be read." if reviews == 0 else "The reviews share no claim."
    return " ".join(f"{claim.text.rstrip('.')} ({claim.count:,} of {reviews:,})." for claim in claims)
