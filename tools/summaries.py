"""What many customers say, in a few claims: each with its count, its reviews and their own words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from storewise.tools.finding import Chart, Column, Finding, ReviewQuote, count_column
from storewise.tools.review_scope import data_notes, nothing, of_scope, plain, provenance, reviewed
from storewise.tools.reviews import search
from storewise.tools.reviews.groups import Lines, grouped, normal, worth_reading
from storewise.tools.reviews.index import Index
from storewise.tools.reviews.summary import CLAIMS, Claim, Quote
from storewise.tools.reviews.telling import chosen, claim_of, contradictions, told_together
from storewise.tools.shop.generation import Shop

READ = 1500  # reviews whose sentences are grouped while somebody waits
TOLD = 3  # claims in the headline
IDS = 5  # review ids shown beside a claim


def summarize_reviews(shop: Shop, product: str | None = None, topic: str | None = None) -> Finding:
    """Sum up what many reviews say in a few claims, each with how many customers say it and their reviews' ids.

    For "summarize", "sum up", "in short", "the gist"; of all reviews, of one product or category, or of
    what they say on one topic. For praise and blame by aspect use review_insights, to read single reviews
    search_reviews.

    Args:
        product: a product id, product name or category name to keep to.
        topic: what the claims should be about, such as "packaging" or "taste".
    """
    tool = "summarize_reviews"
    topic = plain(topic)
    found = reviewed(shop, product, tool)
    if isinstance(found, Finding):
        return found
    index, scope = found
    lines = search.about(index, topic, scope) if topic else scope.rows[index.lines["review"].to_numpy()]
    rows = np.unique(index.lines["review"].to_numpy()[lines])
    if topic and not len(rows):
        return nothing(shop, tool, f"No review{of_scope(scope)} speaks of {topic}.")
    some = rows if len(rows) <= READ else rows[np.linspace(0, len(rows) - 1, READ).astype(np.int64)]
    said, reviews = _read(shop, index, some.tolist(), lines)
    told = chosen(grouped(said), reviews, CLAIMS["medium"], quoted=True)
    claims = sorted((claim_of(group) for group in told), key=lambda claim: -claim.count)
    if not claims:
        return nothing(shop, tool, f"The reviews{of_scope(scope)} share nothing that could be told.")
    known = dict(zip((quote.text for quote in said.quotes), said.vectors, strict=True))
    pairs = contradictions(claims, lambda texts: np.stack([known[text] for text in texts]))
    against = [told_together(claims[one], claims[other], reviews) for one, other in pairs.items()]
    part = (
        f"Claims were counted in {len(some):,} of the {len(rows):,} reviews, taken evenly from all of them."
        if len(some) < len(rows)
        else None
    )
    return Finding(
        tool=tool,
        status="answered",
        headline=_headline(claims, reviews, of_scope(scope), topic),
        columns=_COLUMNS,
        rows=tuple((c.text, c.count, c.sentiment, ", ".join(c.review_ids[:IDS])) for c in claims),
        chart=Chart(kind="bar", x="claim", y=("reviews",), title="Reviews that say it"),
        evidence=(
            *(
                ReviewQuote(review_id=q.review_id, text=q.text, about=c.aspect, sentiment=c.sentiment)
                for c in claims
                for q in c.quotes[:2]
            ),
            *data_notes(shop),
        ),
        caveat=" ".join(filter(None, [scope.note, *against, part, provenance(shop)])) or None,
    )


_COLUMNS = (
    Column(name="claim", label="What customers say, in the words of one", role="text"),
    count_column("reviews", "Reviews that say it", "reviews"),
    Column(name="sentiment", label="Sentiment", role="text"),
    Column(name="review_ids", label="Among them", role="entity"),
)


def _read(shop: Shop, index: Index, rows: Sequence[int], chosen_lines: search.Mask) -> tuple[Lines, int]:
    """Return the sentences of reviews that are in `chosen_lines`, as the index knows them, and of how many reviews."""
    texts = search.texts(shop, index, rows)
    starts, stops = index.lines["start"].to_numpy(), index.lines["stop"].to_numpy()
    ids = index.reviews["review_id"].to_numpy(dtype=object)
    quotes, review, kept = [], [], []
    seen: set[str] = set()
    for row in rows:
        here = [int(line) for line in index.lines_of(row) if chosen_lines[line]]
        said = [texts[row][starts[line] : stops[line]].strip() for line in here]
        if (key := normal(" ".join(said))) in seen:
            continue
        seen.add(key)
        for line, text in zip(here, said, strict=True):
            if worth_reading(text):
                quotes.append(Quote(review_id=str(ids[row]), text=text))
                review.append(row)
                kept.append(line)
    vectors = index.vectors[kept].astype(np.float32)
    positive = index.lines["positive"].to_numpy(dtype=np.float32)[kept]
    return Lines(quotes, np.array(review, dtype=np.int64), vectors, positive), len(set(review))


def _headline(claims: Sequence[Claim], reviews: int, scope: str, topic: str | None) -> str:
    said = [f"“{claim.text}” ({claim.count:,})" for claim in claims[:TOLD]]
    listed = " and ".join(filter(None, [", ".join(said[:-1]), said[-1]]))
    of = f"{reviews:,} review{'s' * (reviews != 1)}{scope}"
    if topic:
        return f"Of {of} that speak of {topic}, most often heard: {listed}."
    return f"Of {of}, most often heard: {listed}."
