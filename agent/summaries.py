"""Summaries: many reviews to a few claims, each with its count, its reviews and their own words."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import ParamSpec, TypeVar

from threadpoolctl import ThreadpoolController

from storewise.agent.phrasing import LONGEST, NotPhrased, Phrase
from storewise.tools.reviews import aspects, embedding, screening
from storewise.tools.reviews.claims import all_supported
from storewise.tools.reviews.groups import (
    SHOWN,
    Encode,
    Group,
    Judge,
    grouped,
    judged,
    normal,
    read_lines,
)
from storewise.tools.reviews.salience import of_somebody, personal
from storewise.tools.reviews.summary import CLAIMS, AspectShare, Claim, Length, Review, Summary
from storewise.tools.reviews.telling import QUOTES, arranged, chosen, claim_of, contradictions, running_text

P = ParamSpec("P")
T = TypeVar("T")
SAME = 0.7  # cosine from which claims of two parts of the reviews are one


async def summarize(
    reviews: Sequence[Review],
    length: Length,
    phrase: Phrase | None,
    encode: Encode = embedding.encode,
    words: int | None = None,
    judge: Judge = judged,
) -> Summary:
    """Return what `reviews` say: the groups of most reviews, each phrased by the model or quoted.

    Claims stand by their counts; of a few reviews, where counts hardly differ, as the reviews themselves go.

    Args:
        reviews: a review counts once in each claim; repetitions of a text are left out, and told.
        length: how many claims there may be.
        phrase: makes one sentence of a group.
        encode: makes embeddings; one that knows the sentences already saves the time.
        words: so many words at most, whatever the length.
        judge: embeds sentences and says how they judge; one that knows them saves the time, too.
    """
    left_out, read, shares, groups = await computed(_read, reviews, judge)
    told_of = chosen(groups, read, CLAIMS[length], phrase is None)
    said = await asyncio.gather(*(_said(group, phrase) for group in told_of))
    told = await computed(_checked, told_of, said, encode)
    claims = arranged(list(zip(told_of, told, strict=True)), read, words)
    against = await computed(contradictions, claims, encode)
    return Summary(
        claims=tuple(claims),
        aspects=shares,
        contradictions=tuple(against.items()),
        reviews=read,
        left_out=left_out,
        text=running_text(claims, read, against),
    )


def _read(
    reviews: Sequence[Review], judge: Judge
) -> tuple[dict[str, int], int, tuple[AspectShare, ...], list[Group]]:
    """Return why how many reviews are left out, how many are read, what aspects they speak of, and their groups."""
    reasons = _reasons(reviews)
    read = [review for review, reason in zip(reviews, reasons, strict=True) if reason is None]
    left_out = dict(Counter(reason for reason in reasons if reason is not None))
    lines, codes = read_lines(read, judge)
    shares = aspects.shares([quote.review_id for quote in lines.quotes], codes)
    return left_out, len(read), shares, grouped(lines)


async def computed(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what `work` returns, done beside the event loop on half of the cores: the model needs them, too.

    Many pieces at once would wait for one another more than they compute.
    """

    def alone() -> T:
        with _libraries().limit(limits=1, user_api="blas"):
            return work(*args, **kwargs)

    return await asyncio.get_running_loop().run_in_executor(_workers(), alone)


@lru_cache(maxsize=1)
def _libraries() -> ThreadpoolController:
    """Return what sets the libraries' threads; to find the libraries takes some milliseconds each time."""
    return ThreadpoolController()


@lru_cache(maxsize=1)
def _workers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max(1, (os.cpu_count() or 1) // 2), thread_name_prefix="summaries")


def _reasons(reviews: Sequence[Review]) -> list[str | None]:
    """Return why each review is left out, None where it is read."""
    seen: set[str] = set()
    reasons = []
    for review in reviews:
        reason = screening.left_out(review.text)
        if reason is None and (text := normal(review.text)) in seen:
            reason = screening.REPEATED
        elif reason is None:
            seen.add(text)
        reasons.append(reason)
    return reasons


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
    against = contradictions(top, encode)
    return Summary(
        claims=tuple(top),
        aspects=_shares_of(parts),
        contradictions=tuple(against.items()),
        reviews=reviews,
        left_out=dict(left_out),
        text=running_text(top, reviews, against),
    )


def _shares_of(parts: Sequence[Summary]) -> tuple[AspectShare, ...]:
    """Return how many reviews of all parts speak of each aspect, those of most reviews first."""
    counts: dict[str, list[int]] = {}
    for share in (share for part in parts for share in part.aspects):
        told = (share.reviews, share.positive, share.negative)
        counts[share.aspect] = [a + b for a, b in zip(counts.get(share.aspect, (0, 0, 0)), told, strict=True)]
    shares = [
        AspectShare(aspect=aspect, reviews=reviews, positive=positive, negative=negative)
        for aspect, (reviews, positive, negative) in counts.items()
    ]
    return tuple(sorted(shares, key=lambda share: (-share.reviews, share.aspect)))


def _joined(claims: list[Claim]) -> Claim:
    heard = {normal(quote.text) for quote in claims[0].quotes}
    # A single voice in the very words of another is a text repeated in several parts.
    claims = claims[:1] + [c for c in claims[1:] if c.count > 1 or normal(c.quotes[0].text) not in heard]
    ids = tuple(dict.fromkeys(key for claim in claims for key in claim.review_ids))
    quotes = tuple(quote for claim in claims for quote in claim.quotes)[:QUOTES]
    return claims[0].model_copy(update={"review_ids": ids, "count": len(ids), "quotes": quotes})


async def _said(group: Group, phrase: Phrase | None) -> str | None:
    """Return the model's sentence of a group, None if it has none."""
    if phrase is None:
        return None
    try:
        return await phrase(group)
    except NotPhrased:
        return None


def _checked(groups: Sequence[Group], said: Sequence[str | None], encode: Encode) -> list[Claim]:
    """Return what groups say: in the model's sentences as far as they are borne out, else quoted."""
    asked = [
        (sentence, group.quotes[:SHOWN])
        for group, sentence in zip(groups, said, strict=True)
        if sentence is not None and _impersonal(sentence)
    ]
    verdicts = all_supported(asked, encode)
    borne_out = {pair for pair, verdict in zip(asked, verdicts, strict=True) if verdict.supported}
    return [
        claim_of(group, sentence if (sentence, group.quotes[:SHOWN]) in borne_out else None)
        for group, sentence in zip(groups, said, strict=True)
    ]


def _impersonal(said: str) -> bool:
    """Say whether a sentence speaks neither as one of the customers nor of their dogs, and is not too long."""
    return len(said) <= LONGEST and not personal(said) and not of_somebody(said)
