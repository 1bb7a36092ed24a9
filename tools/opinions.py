"""What customers write: reviews found by meaning, and what they praise and blame."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import Literal

import numpy as np
import pandas as pd

from storewise.tools.finding import Chart, Column, Finding, ModelNote, ReviewQuote, percent
from storewise.tools.review_scope import EMPTY, data_notes, nothing, of_scope, opened, plain, provenance
from storewise.tools.reviews import phrases, search, sentiment
from storewise.tools.reviews.index import Index
from storewise.tools.reviews.phrases import Phrase
from storewise.tools.reviews.search import Hit, Scope
from storewise.tools.shop.generation import Shop

MOST = 50  # reviews in one answer
PHRASES = 6  # praised and blamed phrases, each


def search_reviews(
    shop: Shop,
    query: str | None = None,
    product: str | None = None,
    sentiment: Literal["positive", "negative"] | None = None,
    top: int = 5,
) -> Finding:
    """Find single reviews and quote them: those nearest in meaning to some words, of a product, good or bad.

    For "find, show or quote reviews that mention …", complaints or praise to read in the customers' own
    words. For an overall judgement, counts or pros and cons use review_insights.

    Args:
        query: what the reviews should speak of, such as "stale" or "arrived damaged".
        product: a product id, product name or category name to keep to.
        sentiment: keeps to positive or to negative reviews.
        top: how many reviews.
    """
    tool = "search_reviews"
    query = plain(query)
    if query is None and product is None and sentiment is None:
        return Finding(
            tool=tool,
            status="refused",
            headline="Say what the reviews should speak of, which product they are of, or whether they are "
            "positive or negative.",
        )
    if not 1 <= top <= MOST:
        return Finding(
            tool=tool, status="refused", headline=f"Between 1 and {MOST} reviews can be shown, not {top}."
        )
    found = opened(shop, product, tool)
    if isinstance(found, Finding):
        return found
    index, scope = found
    asked = scope.label
    lost = None
    if product is not None and not scope.rows.any():
        if query is None:
            return nothing(shop, tool, f"There are no reviews of {asked} or of its category.")
        lost = f"There are no reviews of {asked} or of its category."
        scope = search.everything(index)
    hits = (
        search.search(index, query, scope, sentiment, top)
        if query
        else search.strongest(index, scope, sentiment, top)
    )
    if not hits:
        kind = f"{sentiment} reviews" if sentiment else "reviews"
        return nothing(shop, tool, f"There are no {kind}{of_scope(scope)}.")
    headline = _search_headline(index, scope, hits, query, sentiment)
    far = query is not None and hits[0].closeness < search.DISTANT
    distant = f"It is not close in meaning to “{query}”; no other is closer." if far else None
    return Finding(
        tool=tool,
        status="answered",
        headline=f"{lost} {headline}" if lost else headline,
        columns=_HIT_COLUMNS if query else _HIT_COLUMNS[:-1],
        rows=tuple(_hit_row(index, hit, close=query is not None) for hit in hits),
        evidence=(*_quotes(shop, index, hits), *data_notes(shop)),
        caveat=" ".join(filter(None, [scope.note, distant, provenance(shop)])) or None,
    )


def review_insights(shop: Shop, product: str | None = None, aspect: str | None = None) -> Finding:
    """What customers praise and blame, counted: aspects with sentiment, telling phrases, brands and ingredients.

    For overall opinions, pros and cons, likes and dislikes, strengths and weaknesses, or how one aspect
    is judged; of all reviews, or of one product or category. To read single reviews use search_reviews,
    for a short text that sums them up summarize_reviews.

    Args:
        product: a product id, product name or category name to keep to.
        aspect: one side of the product to keep to, such as "packaging", "price" or "taste".
    """
    tool = "review_insights"
    aspect = plain(aspect)
    found = opened(shop, product, tool)
    if isinstance(found, Finding):
        return found
    index, scope = found
    if not scope.rows.any():
        return nothing(
            shop, tool, f"There are no reviews{of_scope(scope)} or of its category." if product else EMPTY
        )
    review = index.lines["review"].to_numpy()
    lines = search.about(index, aspect, scope) if aspect else scope.rows[review]
    if aspect and not lines.any():
        return nothing(shop, tool, f"No review{of_scope(scope)} speaks of {aspect}.")
    shares = _shares(index, lines, scope, aspect)
    told = index.lines["positive"].to_numpy()
    praised, blamed = phrases.telling(
        index.phrases,
        np.flatnonzero(lines & (told >= sentiment.SURE)),
        np.flatnonzero(lines & (told <= 1 - sentiment.SURE)),
        review,
        PHRASES,
        least=3 if shares["reviews"] >= 100 else 2,
        known=" ".join(filter(None, [scope.label, product, aspect, *_kinds(index)])),
    )
    card = sentiment.card()
    model = ModelNote(
        name="sentiment of sentences",
        version=str(card["version"]),
        trained_at=str(card["trained_at"]),
        quality=f"AUC {card['held_out_product']['auc']} on sentences about products it had not seen",
    )
    few = None if praised or blamed else "The reviews are too few for phrases that tell praise from blame."
    return Finding(
        tool=tool,
        status="answered",
        headline=_insight_headline(shares, scope, aspect, praised, blamed),
        columns=_PHRASE_COLUMNS,
        rows=(
            *((phrase.text, "praise", phrase.reviews) for phrase in praised),
            *((phrase.text, "blame", phrase.reviews) for phrase in blamed),
        ),
        chart=Chart(kind="bar", x="phrase", y=("reviews",), title="Reviews that praise or blame it")
        if praised or blamed
        else None,
        evidence=(
            *_phrase_quotes(shop, index, praised, blamed),
            model,
            *data_notes(shop),
        ),
        caveat=" ".join(filter(None, [scope.note, few, provenance(shop)])) or None,
    )


_HIT_COLUMNS = (
    Column(name="review_id", label="Review", role="entity"),
    Column(name="category", label="Category", role="text"),
    Column(name="sentiment", label="Sentiment", role="text"),
    Column(name="rating", label="Stars", role="measure", unit="stars", format="integer"),
    Column(name="closeness", label="Closeness", role="measure", format="decimal"),
)
_PHRASE_COLUMNS = (
    Column(name="phrase", label="Phrase", role="text"),
    Column(name="opinion", label="Said in", role="text"),
    Column(name="reviews", label="Reviews", role="measure", unit="reviews", format="integer"),
)


def _kinds(index: Index) -> list[str]:
    """Return the categories called by one word: that a review says "tea" is neither praise nor blame."""
    return [name for name in index.reviews["category"].dropna().unique() if name.isalpha()]


def _search_headline(
    index: Index,
    scope: Scope,
    hits: Sequence[Hit],
    query: str | None,
    sentiment: str | None,
) -> str:
    kept = scope.rows if not sentiment else scope.rows & (index.reviews["sentiment"] == sentiment).to_numpy()
    many = f"{int(kept.sum()):,} {sentiment + ' ' if sentiment else ''}review{'s' if kept.sum() != 1 else ''}"
    mood = "" if sentiment else f": {_moods(index, hits)}"
    one = len(hits) == 1
    these = "this one" if one else f"these {len(hits)}"
    if query:
        return f"Of {many}{of_scope(scope)}, {these} come{'s' * one} nearest to “{query}”{mood}."
    return f"Of {many}{of_scope(scope)}, {these} speak{'s' * one} most clearly{mood}."


def _moods(index: Index, hits: Sequence[Hit]) -> str:
    """Return "3 positive and 2 negative"."""
    found = index.reviews["sentiment"].iloc[[hit.row for hit in hits]].value_counts()
    parts = [f"{found[mood]} {mood}" for mood in ("positive", "negative", "mixed") if mood in found]
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def _hit_row(index: Index, hit: Hit, *, close: bool) -> tuple[str | int | float | None, ...]:
    row = index.reviews.iloc[hit.row]
    rating = row["rating"]
    cells: tuple[str | int | float | None, ...] = (
        str(row["review_id"]),
        _category(index, hit.row),
        str(row["sentiment"]),
        None if pd.isna(rating) else float(rating),
    )
    return (*cells, round(hit.closeness, 3)) if close else cells


def _category(index: Index, row: int) -> str | None:
    category = index.reviews["category"].iloc[row]
    return None if pd.isna(category) else str(category)


def _quotes(shop: Shop, index: Index, hits: Sequence[Hit]) -> tuple[ReviewQuote, ...]:
    texts = search.texts(shop, index, [hit.row for hit in hits])
    return tuple(
        ReviewQuote(
            review_id=str(index.reviews["review_id"].iloc[hit.row]),
            text=search.quote(index, texts[hit.row], hit.sentence),
            about=_category(index, hit.row),
            sentiment=index.reviews["sentiment"].iloc[hit.row],
        )
        for hit in hits
    )


def _shares(index: Index, lines: search.Mask, scope: Scope, aspect: str | None) -> dict[str, float]:
    """Return how many reviews speak of the aspect, if any, and the shares that praise and blame."""
    if aspect is None:
        moods = index.reviews["sentiment"][scope.rows].tolist()
    else:
        told = index.lines["positive"][lines].groupby(index.lines["review"][lines])
        moods = [sentiment.polarity(sentiment.of_review(part.to_numpy())) for _, part in told]
    return {
        "reviews": len(moods),
        "of": int(scope.rows.sum()),
        "positive": moods.count("positive") / len(moods),
        "negative": moods.count("negative") / len(moods),
    }


def _insight_headline(
    shares: dict[str, float],
    scope: Scope,
    aspect: str | None,
    praised: Sequence[Phrase],
    blamed: Sequence[Phrase],
) -> str:
    of = f"{shares['of']:,.0f} reviews{of_scope(scope)}"
    figures = f"{percent(shares['positive'])} are positive and {percent(shares['negative'])} negative"
    first = f"Of {of}, {figures}."
    if aspect:
        count = f"{shares['reviews']:,.0f}"
        first = f"Of {of}, {count} speak of {aspect}: {figures} about it."
    sides = [
        f"{name} {', '.join(f'“{p.text}” ({p.reviews:,})' for p in side[:3])}"
        for name, side in (("of praise:", praised), ("of blame:", blamed))
        if side
    ]
    return f"{first} Most typical {'; '.join(sides)}." if sides else first


def _phrase_quotes(
    shop: Shop, index: Index, praised: Sequence[Phrase], blamed: Sequence[Phrase]
) -> tuple[ReviewQuote, ...]:
    """Return a quote for each phrase, praise and blame in turn: its clearest sentence, no review twice."""
    told = index.lines["positive"].to_numpy()
    review = index.lines["review"].to_numpy()
    # A sentence is the surer a witness when the whole of its review says the same.
    clear = told + index.reviews["positive"].to_numpy()[review]
    chosen: list[tuple[Phrase, int]] = []
    used: set[int] = set()
    for pair in zip_longest(praised, blamed):
        for phrase, sign in zip(pair, (1, -1), strict=True):
            rows = [row for row in phrase.rows if int(review[row]) not in used] if phrase else []
            if phrase and rows:
                best = max(rows, key=lambda row: sign * clear[row])
                used.add(int(review[best]))
                chosen.append((phrase, best))
    texts = search.texts(shop, index, [int(review[row]) for _, row in chosen]) if chosen else {}
    starts, stops = index.lines["start"].to_numpy(), index.lines["stop"].to_numpy()
    return tuple(
        ReviewQuote(
            review_id=str(index.reviews["review_id"].iloc[int(review[row])]),
            text=texts[int(review[row])][int(starts[row]) : int(stops[row])],
            about=phrase.text,
            sentiment=sentiment.polarity(float(told[row])),
        )
        for phrase, row in chosen
    )
