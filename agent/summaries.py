"""Summaries: many reviews to a few claims, each with its count, its reviews and their own words."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

from langchain_core.messages import HumanMessage, SystemMessage

from storewise.agent.analyst import chat_model
from storewise.agent.engine import Served, gpu_found
from storewise.agent.settings import Settings
from storewise.finetune.adapter import SHIPPED, read_manifest
from storewise.prompts import prompt
from storewise.tools.reviews import embedding, screening
from storewise.tools.reviews.claims import contrary, supported
from storewise.tools.reviews.groups import (
    OPPOSED,
    SHOWN,
    Encode,
    Group,
    grouped,
    personal,
    says_something,
    shown,
    unfit,
)
from storewise.tools.reviews.summary import CLAIMS, Claim, Length, Review, Summary

Phrase = Callable[[Group], Awaitable[str]]
QUOTES = 3  # quotes of a claim
SAME = 0.7  # cosine from which claims of two parts of the reviews are one
FEW = 20  # reviews up to which a single voice is heard
ENOUGH = 50  # reviews among which a count says as much as likeness to all that is said
REPEATED = 0.3  # what likeness to a group told before takes from the next
LONGEST = 240  # characters of a claim


class NotPhrased(Exception):
    """The model phrases no sentence for this group; it is quoted instead."""


def phrases_expected(settings: Settings) -> bool:
    """Say whether a model that phrases is to be waited for where it does not answer yet.

    The embedded one is asked when it runs, and not waited for: a job with no engine beside it quotes at once.
    """
    return bool(settings.model_url) or gpu_found()


def _embedded_phrases() -> bool:
    """Say whether the adapter shipped for the embedded model has learned to phrase what reviews say."""
    return "reviews" in read_manifest(SHIPPED).prompts


def phraser(served: Served | None, seconds: float = 60.0) -> Phrase | None:
    """Return what phrases a group through a served model, None where claims are to be quotes.

    The embedded model is asked only if its adapter has learned to.
    """
    if served is None or (served.compact and not _embedded_phrases()):
        return None
    model = chat_model(served, seconds).bind(max_tokens=LONGEST // 4)

    async def phrase(group: Group) -> str:
        sentences = shown([quote.text for quote in group.quotes])
        messages = [
            SystemMessage(prompt("reviews")),
            HumanMessage(prompt("summarize_group", sentences=sentences)),
        ]
        return _sentence(str((await model.ainvoke(messages)).text))

    return phrase


def _sentence(reply: str) -> str:
    """Return the first line of a reply without list marks and quotation marks around it, ended by a stop.

    Raises:
        NotPhrased: there is none.
    """
    lines = [line.strip(' \t-*•"“”') for line in reply.splitlines()]
    said = next((line for line in lines if line), "")
    if not said:
        raise NotPhrased
    return said if said[-1] in ".!?" else said + "."


async def summarize(
    reviews: Sequence[Review],
    length: Length,
    phrase: Phrase | None,
    encode: Encode = embedding.encode,
    words: int | None = None,
) -> Summary:
    """Return what `reviews` say: the groups of most reviews, each phrased by the model or quoted.

    Args:
        reviews: a review counts once in each claim, and repetitions of a text count once.
        length: how many claims there may be.
        phrase: makes one sentence of a group.
        encode: makes embeddings; one that knows the sentences already saves the time.
        words: so many words at most, whatever the length.
    """
    reasons = [screening.left_out(review.text) for review in reviews]
    read = [review for review, reason in zip(reviews, reasons, strict=True) if reason is None]
    left_out = dict(Counter(reason for reason in reasons if reason is not None))
    groups = await asyncio.to_thread(grouped, read, encode)
    chosen = _chosen(groups, len(read), CLAIMS[length], phrase is None)
    told = await asyncio.gather(*(_claim(group, phrase, encode) for group in chosen))
    kept = _within([claim for claim in told if claim is not None], words)
    claims = sorted(kept, key=lambda claim: -claim.count)
    text = await asyncio.to_thread(_text, claims, len(read), encode)
    return Summary(claims=tuple(claims), reviews=len(read), left_out=left_out, text=text)


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
    return Summary(
        claims=tuple(top), reviews=reviews, left_out=dict(left_out), text=_text(top, reviews, encode)
    )


def _joined(claims: list[Claim]) -> Claim:
    ids = tuple(dict.fromkeys(key for claim in claims for key in claim.review_ids))
    quotes = tuple(quote for claim in claims for quote in claim.quotes)[:QUOTES]
    return claims[0].model_copy(update={"review_ids": ids, "count": len(ids), "quotes": quotes})


def _chosen(groups: Sequence[Group], reviews: int, most: int, quoted: bool) -> list[Group]:
    """Return the groups to tell: what many say and what is like all that is said, each thing once.

    Single voices are heard only among few reviews. With a group comes the one that says the opposite.
    """
    heard = [
        group
        for group in groups
        if (group.count > 1 or reviews <= FEW) and any(says_something(q.text) for q in group.quotes[:SHOWN])
    ] or list(groups[:most])
    if not heard:
        return []
    # A count says little among few reviews; there, likeness to all that is said speaks for a group.
    trust = reviews / (reviews + ENOUGH)
    most_heard = max(group.count for group in heard)
    rank = [
        trust * group.count / most_heard
        + (1 - trust) * group.share
        - (unfit(group.quotes[0].text) if quoted else 0.0)
        for group in heard
    ]
    chosen: list[Group] = []
    free = list(range(len(heard)))
    while free and len(chosen) < most:
        best = max(free, key=lambda i: rank[i] - REPEATED * _nearness(heard[i], chosen))
        free.remove(best)
        chosen.append(heard[best])
        against = heard[best].against
        other = next((i for i in free if against is not None and heard[i] is groups[against]), None)
        if other is not None and len(chosen) < most:
            free.remove(other)
            chosen.append(heard[other])
    return chosen


def _nearness(group: Group, others: Sequence[Group]) -> float:
    if group.vector is None:
        return 0.0
    return max((float(group.vector @ o.vector) for o in others if o.vector is not None), default=0.0)


async def _claim(group: Group, phrase: Phrase | None, encode: Encode) -> Claim | None:
    """Return what a group says, or None if the model's sentence is not borne out and none can be quoted."""
    quote = group.quotes[0].text
    said = None
    if phrase is not None:
        try:
            said = await phrase(group)
        except NotPhrased:
            said = None
        if said is not None and not await asyncio.to_thread(_borne_out, said, group, encode):
            said = None
    if said is None and unfit(quote) >= 1 and group.count > 1:
        quote = min((one.text for one in group.quotes[:SHOWN]), key=unfit)
    return Claim(
        text=said or quote,
        count=group.count,
        review_ids=tuple(quote.review_id for quote in group.quotes),
        sentiment=group.sentiment,
        aspect=group.aspect,
        phrased_by="quote" if said is None else "model",
        quotes=group.quotes[:QUOTES],
    )


def _borne_out(said: str, group: Group, encode: Encode) -> bool:
    """Say whether a sentence speaks of what the group says, and not as one of the customers."""
    if len(said) > LONGEST or personal(said):
        return False
    return supported(said, group.quotes[:SHOWN], encode).supported


def _within(claims: Sequence[Claim], words: int | None) -> list[Claim]:
    """Return the claims that fit into so many words, in their order."""
    kept: list[Claim] = []
    left = words
    for claim in claims:
        needed = len(claim.text.split())
        if left is None or needed <= left:
            kept.append(claim)
            left = None if left is None else left - needed
    return kept


def _text(claims: Sequence[Claim], reviews: int, encode: Encode) -> str:
    """Return the claims as running text; those that contradict each other are told together."""
    if not claims:
        return "None of the reviews could be read." if reviews == 0 else "The reviews share no claim."
    against = _contradictions(claims, encode)
    sentences = []
    for i, claim in enumerate(claims):
        counted = f"{claim.count:,} of {reviews:,}"
        if i in against.values():
            continue
        if i not in against:
            sentences.append(f"{_bare(claim.text)} ({counted}).")
            continue
        other = claims[against[i]]
        first, second = ("Most", "some") if claim.count > other.count else ("Some", "others")
        sentences.append(
            f"{first} say that {_joined_on(claim)} ({counted}), {second} that {_joined_on(other)} "
            f"({other.count:,} of {reviews:,})."
        )
    return " ".join(sentences)


def _contradictions(claims: Sequence[Claim], encode: Encode) -> dict[int, int]:
    """Return pairs of claims about the same thing of which one praises and the other blames, by place."""
    sure = [i for i, claim in enumerate(claims) if claim.sentiment != "mixed" and claim.count > 1]
    if len({claims[i].sentiment for i in sure}) < 2:
        return {}
    vectors = encode([claims[i].text for i in sure])
    near = vectors @ vectors.T
    pairs: dict[int, int] = {}
    for row, i in enumerate(sure):
        for column in range(row + 1, len(sure)):
            j = sure[column]
            free = not {i, j} & {*pairs, *pairs.values()}
            if not free or claims[i].sentiment == claims[j].sentiment or near[row, column] < OPPOSED:
                continue
            if contrary(claims[i].text, claims[j].text):
                pairs[i] = j
    return pairs


def _bare(text: str) -> str:
    return text.rstrip().rstrip(".")


def _joined_on(claim: Claim) -> str:
    """Return a claim as it goes on after "say that": a customer's own words in quotation marks."""
    text = _bare(claim.text)
    if claim.phrased_by == "quote":
        return f"“{text}”"
    first = text.split()[0]
    return text if first == "I" or not first[1:].islower() else text[0].lower() + text[1:]
