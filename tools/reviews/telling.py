"""Which groups of a summary are told, and how: claims in the customers' own words, and running text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from storewise.tools.reviews.claims import contrary
from storewise.tools.reviews.groups import OPPOSED, SHOWN, Encode, Group
from storewise.tools.reviews.salience import fit, phrases_in, says_something
from storewise.tools.reviews.summary import Claim

QUOTES = 3  # quotes of a claim
FEW = 20  # reviews up to which a single voice is heard
ENOUGH = 50  # reviews among which a count says as much as likeness to all that is said
VAGUE = 0.4  # what the count of a group is worth that names nothing ("Very good product.")
USUAL = 0.2  # share of the reviews from which a word only says what all of them are about
SOME = 0.1  # of a group's count that its opposite must have to be told beside it
REPEATED = 0.3  # what likeness to a group told before takes from the next


def chosen(groups: Sequence[Group], reviews: int, most: int, quoted: bool) -> list[Group]:
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
    # A count says little among few reviews; there, standing for all that is said speaks for a group.
    trust = reviews / (reviews + ENOUGH)
    most_heard = max(group.count for group in heard)
    usual = _usual(groups, reviews)
    rank = [
        trust * group.count / most_heard * (VAGUE if _names(group) <= usual else 1.0)
        + (1 - trust) * group.salience
        - (quoted and not fit(group.quotes[0].text))
        for group in heard
    ]
    taken: list[Group] = []
    free = list(range(len(heard)))
    while free and len(taken) < most:
        best = max(free, key=lambda i: rank[i] - REPEATED * _nearness(heard[i], taken))
        free.remove(best)
        taken.append(heard[best])
        against = heard[best].against
        other = next((i for i in free if against is not None and heard[i] is groups[against]), None)
        if other is not None and heard[other].count < SOME * heard[best].count:
            other = None
        if other is not None and len(taken) < most:
            free.remove(other)
            taken.append(heard[other])
    return taken


def _names(group: Group) -> set[str]:
    """Return the stems of what the sentence that stands for a group names."""
    return {stems for stems, _ in phrases_in(group.quotes[0].text) if " " not in stems}


def _usual(groups: Sequence[Group], reviews: int) -> set[str]:
    """Return the stems of what all reviews are about: that a tea is a tea tells nothing."""
    inside: dict[str, set[str]] = {}
    for group in groups:
        for quote in group.quotes if group.count > 1 else ():
            for stems, _ in phrases_in(quote.text):
                inside.setdefault(stems, set()).add(quote.review_id)
    return {stems for stems, ids in inside.items() if len(ids) >= USUAL * reviews}


def _nearness(group: Group, others: Sequence[Group]) -> float:
    if group.vector is None:
        return 0.0
    return max((float(group.vector @ o.vector) for o in others if o.vector is not None), default=0.0)


def claim_of(group: Group, said: str | None = None) -> Claim:
    """Return what a group says: in the sentence `said` of a model, else in a customer's own words."""
    quote = group.quotes[0].text
    if said is None and not fit(quote):
        quote = next((one.text for one in group.quotes[:SHOWN] if fit(one.text)), quote)
    return Claim(
        text=said or quote,
        count=group.count,
        review_ids=tuple(quote.review_id for quote in group.quotes),
        sentiment=group.sentiment,
        aspect=group.aspect,
        phrased_by="quote" if said is None else "model",
        quotes=group.quotes[:QUOTES],
    )


def arranged(told: Sequence[tuple[Group, Claim]], reviews: int, words: int | None = None) -> list[Claim]:
    """Return the claims that fit into so many words, what most say first.

    Of few reviews, most of what is said has a voice or two; it is told in the order in which reviews go, from
    what the thing is to the advice at their end.
    """
    kept: list[tuple[Group, Claim]] = []
    left = words
    for group, claim in told:
        needed = len(claim.text.split())
        if left is None or needed <= left:
            kept.append((group, claim))
            left = None if left is None else left - needed
    kept.sort(key=lambda pair: pair[0].place if reviews <= FEW else -pair[1].count)
    return [claim for _, claim in kept]


def running_text(claims: Sequence[Claim], reviews: int, against: Mapping[int, int]) -> str:
    """Return the claims as running text; those that `against` pairs are told together."""
    if not claims:
        return "None of the reviews could be read." if reviews == 0 else "The reviews share no claim."
    sentences = []
    for i, claim in enumerate(claims):
        if i in against.values():
            continue
        if i in against:
            sentences.append(told_together(claim, claims[against[i]], reviews))
        else:
            sentences.append(f"{_bare(claim.text)} ({claim.count:,} of {reviews:,}).")
    return " ".join(sentences)


def told_together(claim: Claim, other: Claim, reviews: int) -> str:
    """Return two claims that contradict each other in one sentence."""
    first, second = ("Most", "some") if claim.count > other.count else ("Some", "others")
    return (
        f"{first} say that {_joined_on(claim)} ({claim.count:,} of {reviews:,}), {second} that "
        f"{_joined_on(other)} ({other.count:,} of {reviews:,})."
    )


def contradictions(claims: Sequence[Claim], encode: Encode) -> dict[int, int]:
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
