"""What customers write: reviews found by meaning, and what they praise and blame."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest
from typing import Literal

import numpy as np
import pandas as pd

from storewise.tools.finding import Chart, Column, Finding, ModelNote, ReviewQuote, count_column, percent
from storewise.tools.review_scope import data_notes, nothing, of_scope, opened, plain, provenance, reviewed
from storewise.tools.reviews import aspects, entities, insights, phrases, search, sentiment
from storewise.tools.reviews.aspects import Side
from storewise.tools.reviews.index import Index
from storewise.tools.reviews.insights import Period, Told
from storewise.tools.reviews.phrases import Phrase
from storewise.tools.reviews.search import Hit, Scope
from storewise.tools.reviews.sentiment import Polarity
from storewise.tools.shop.generation import Shop

MOST = 50  # reviews in one answer
PHRASES = 6  # praised and blamed phrases, each
ASPECTS = 12  # aspects in a table
QUOTED = 4  # aspects that are quoted
NAMED = 3  # brands, products and ingredients, each
NEW = 5  # aspects that only these reviews speak of


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
    return found_reviews(shop, query, product, sentiment, top)


def found_reviews(
    shop: Shop,
    query: str | None,
    product: str | None,
    sentiment: Polarity | None,
    top: int,
    within: Callable[[Index, Scope], Scope] | None = None,
) -> Finding:
    """Return what `search_reviews` does, of the reviews that `within` leaves."""
    tool = "search_reviews"
    query = plain(query)
    if query is None and product is None and sentiment is None and within is None:
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
    if within is not None:
        scope = within(index, scope)
    hits = (
        search.search(index, query, scope, sentiment, top)
        if query
        else search.strongest(index, scope, sentiment, top)
    )
    if not hits:
        kind = f"{sentiment} reviews" if sentiment else "reviews"
        limits = " within these limits" if within is not None else ""
        return nothing(shop, tool, f"There are no {kind}{of_scope(scope)}{limits}.")
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
    found = reviewed(shop, product, tool)
    if isinstance(found, Finding):
        return found
    index, scope = found
    review = index.lines["review"].to_numpy()
    known = aspects.resolve(aspect) if aspect else None
    if known:
        lines = scope.rows[review] & (index.lines[known].to_numpy() > 0)
    else:
        lines = search.about(index, aspect, scope) if aspect else scope.rows[review]
    if aspect and not lines.any():
        return nothing(shop, tool, f"No review{of_scope(scope)} speaks of {aspect}.")
    told = insights.spoken_of(index, lines)
    if aspect:
        told = [one for one in told if one.aspect == known]
    shares = _shares(index, lines, scope, aspect, told[0] if known else None)
    positive = index.lines["positive"].to_numpy()
    praised, blamed = phrases.telling(
        index.phrases,
        np.flatnonzero(lines & (positive >= sentiment.SURE)),
        np.flatnonzero(lines & (positive <= 1 - sentiment.SURE)),
        review,
        PHRASES,
        least=3 if shares["reviews"] >= 100 else 2,
        known=" ".join(filter(None, [scope.label, product, aspect, *_kinds(index)])),
    )
    periods = insights.by_period(index, scope.rows) if not aspect else []
    few = None if praised or blamed else "The reviews are too few for phrases that tell praise from blame."
    # Beside one aspect its phrases are drawn, beside many the aspects alone.
    rows = (
        *(_aspect_row(one) for one in told[:ASPECTS]),
        *(_phrase_row(phrase, "praise", drawn=bool(aspect)) for phrase in praised),
        *(_phrase_row(phrase, "blame", drawn=bool(aspect)) for phrase in blamed),
        *_new_rows(index, scope, aspect),
        *_named_rows(index, lines),
        *((p.name, "period", p.reviews, None, None, None, p.positive / p.reviews) for p in periods),
    )
    return Finding(
        tool=tool,
        status="answered",
        headline=_insight_headline(shares, scope, aspect, told, praised, blamed),
        columns=_INSIGHT_COLUMNS,
        rows=rows,
        chart=Chart(
            kind="bar", x="phrase", y=("praise", "blame", "neutral"), title="Reviews that praise or blame it"
        )
        if told or praised or blamed
        else None,
        evidence=(
            *_aspect_quotes(shop, index, [one for one in told if one.aspect != insights.WHOLE or aspect]),
            *_phrase_quotes(shop, index, praised, blamed),
            *_models(),
            *data_notes(shop),
        ),
        caveat=" ".join(filter(None, [scope.note, few, _change(periods), provenance(shop)])) or None,
    )


def _models() -> tuple[ModelNote, ModelNote]:
    """Return the models behind the counts."""
    card, told = sentiment.card(), aspects.card()
    return (
        ModelNote(
            name="sentiment of sentences",
            version=str(card["version"]),
            trained_at=str(card["trained_at"]),
            quality=f"AUC {card['held_out_product']['auc']} on sentences about products it had not seen",
        ),
        ModelNote(
            name="aspects of sentences",
            version=str(told["version"]),
            trained_at=str(told["trained_at"]),
            quality=f"F1 {told['cross_validated']['f1']} on sentences of reviews it had not seen",
        ),
    )


_HIT_COLUMNS = (
    Column(name="review_id", label="Review", role="entity"),
    Column(name="category", label="Category", role="text"),
    Column(name="sentiment", label="Sentiment", role="text"),
    Column(name="rating", label="Stars", role="measure", unit="stars", format="integer"),
    Column(name="closeness", label="Closeness", role="measure", format="decimal"),
)
_INSIGHT_COLUMNS = (
    Column(name="phrase", label="Spoken of", role="text"),
    Column(name="opinion", label="As", role="text"),
    count_column("reviews", "Reviews", "reviews"),
    count_column("praise", "Praise", "reviews"),
    count_column("blame", "Blame", "reviews"),
    count_column("neutral", "Neither or both", "reviews"),
    Column(name="share", label="Praise, share", role="measure", format="percent"),
)
_Row = tuple[str | int | float | None, ...]


def _aspect_row(told: Told) -> _Row:
    share = told.positive / told.reviews
    return (told.aspect, "aspect", told.reviews, told.positive, told.negative, told.neutral, share)


def _phrase_row(phrase: Phrase, opinion: str, *, drawn: bool) -> _Row:
    praise = phrase.reviews if drawn and opinion == "praise" else None
    blame = phrase.reviews if drawn and opinion == "blame" else None
    return (phrase.text, opinion, phrase.reviews, praise, blame, None, None)


def _new_rows(index: Index, scope: Scope, aspect: str | None) -> Iterator[_Row]:
    """Yield the aspects that only this shop's reviews speak of; they are counted over all reviews."""
    if aspect is None and scope.label is None:
        for found in index.new_aspects[:NEW]:
            share = found["positive"] / found["reviews"]
            yield (found["name"], "new aspect", found["reviews"], None, None, None, share)


def _named_rows(index: Index, lines: search.Mask) -> Iterator[_Row]:
    for kind in entities.KINDS:
        for found in insights.named(index, lines, kind, NAMED):
            yield (found.name, kind, found.reviews, None, None, None, None)


def _change(periods: Sequence[Period]) -> str | None:
    """Return the sentence that tells how praise has changed over time, if the reviews have dates."""
    if not periods:
        return None
    first, last = periods[0].name, periods[-1].name
    found = insights.change(periods)
    if found is None:
        return f"From {first} to {last} the share of praise has not clearly changed."
    since, before, after = found
    way = "risen" if after > before else "fallen"
    return f"Praise has {way}: {percent(before)} of the reviews before {since}, {percent(after)} since."


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


def _shares(
    index: Index, lines: search.Mask, scope: Scope, aspect: str | None, told: Told | None
) -> dict[str, float]:
    """Return how many reviews speak of the aspect, if any, and the shares that praise and blame."""
    if told is not None:
        return {
            "reviews": told.reviews,
            "of": int(scope.rows.sum()),
            "positive": told.positive / told.reviews,
            "negative": told.negative / told.reviews,
        }
    if aspect is None:
        moods = index.reviews["sentiment"][scope.rows].tolist()
    else:
        each = index.lines["positive"][lines].groupby(index.lines["review"][lines])
        moods = [sentiment.polarity(sentiment.of_review(part.to_numpy())) for _, part in each]
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
    told: Sequence[Told],
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
    most = None if aspect else _most(told)
    typical = f"most typical {'; '.join(sides)}" if sides else None
    second = "; ".join(filter(None, [most, typical]))
    return f"{first} {second[0].upper()}{second[1:]}." if second else first


def _most(told: Sequence[Told]) -> str | None:
    """Return which aspects most reviews praise and which most blame: "most praised taste (12), …"."""
    sides = (aspects.SIDES[0], aspects.SIDES[2])
    parts = []
    for side, name in zip(sides, ("praised", "blamed"), strict=True):
        able = [one for one in told if one.aspect != insights.WHOLE and getattr(one, side)]
        able.sort(key=lambda one: (-getattr(one, side), one.aspect))
        if able:
            parts.append(f"most {name}: {', '.join(f'{o.aspect} ({getattr(o, side):,})' for o in able[:3])}")
    return "; ".join(parts) or None


def _aspect_quotes(shop: Shop, index: Index, told: Sequence[Told]) -> tuple[ReviewQuote, ...]:
    """Return the clearest praise and the clearest blame of each main aspect, no review twice."""
    used: set[int] = set()
    review = index.lines["review"].to_numpy()
    chosen: list[tuple[str, Side, int]] = []
    for one in told[:QUOTED]:
        for side in (aspects.SIDES[0], aspects.SIDES[2]):
            line = insights.clearest(index, one, side, used)
            if line is not None:
                used.add(int(review[line]))
                chosen.append((one.aspect, side, line))
    said = _sentences(shop, index, [line for _, _, line in chosen])
    return tuple(
        ReviewQuote(
            review_id=str(index.reviews["review_id"].iloc[int(review[line])]),
            text=text,
            about=aspect,
            sentiment="positive" if side == "positive" else "negative",
        )
        for (aspect, side, line), text in zip(chosen, said, strict=True)
    )


def _sentences(shop: Shop, index: Index, lines: Sequence[int]) -> list[str]:
    """Return sentences to the letter, by their rows."""
    review = index.lines["review"].to_numpy()
    starts, stops = index.lines["start"].to_numpy(), index.lines["stop"].to_numpy()
    texts = search.texts(shop, index, [int(review[line]) for line in lines]) if lines else {}
    return [texts[int(review[line])][int(starts[line]) : int(stops[line])] for line in lines]


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
    said = _sentences(shop, index, [row for _, row in chosen])
    return tuple(
        ReviewQuote(
            review_id=str(index.reviews["review_id"].iloc[int(review[row])]),
            text=text,
            about=phrase.text,
            sentiment=sentiment.polarity(float(told[row])),
        )
        for (phrase, row), text in zip(chosen, said, strict=True)
    )
