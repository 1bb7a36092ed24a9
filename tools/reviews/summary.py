"""What a summary of reviews is made of: the reviews, claims with their counts and quotes, and what was left out."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from storewise.tools.reviews.sentiment import Polarity

Length = Literal["short", "medium", "long"]
CLAIMS: dict[str, int] = {"short": 3, "medium": 6, "long": 12}


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Review(_Frozen):
    """One review as it is summarized."""

    review_id: str
    text: str
    rating: float | None = None
    date: dt.date | None = None
    product_id: str | None = None
    category: str | None = None


class Quote(_Frozen):
    """Words of one review, to the letter."""

    review_id: str
    text: str


class Claim(_Frozen):
    """What some customers say, in one sentence.

    Attributes:
        count: customers who say it: distinct reviews.
        review_ids: those reviews.
        phrased_by: "model" for a sentence of the model's, "quote" for a customer's own.
        quotes: the sentences nearest to what all of them say.
    """

    text: str
    count: int
    review_ids: tuple[str, ...]
    sentiment: Polarity
    aspect: str | None = None
    phrased_by: Literal["model", "quote"]
    quotes: tuple[Quote, ...] = ()


class AspectShare(_Frozen):
    """How many reviews speak of an aspect, and how many of these praise or blame it."""

    aspect: str
    reviews: int
    positive: int
    negative: int


class Summary(_Frozen):
    """Claims, the most often heard first; `reviews` were read, `left_out` counts the others by reason.

    Of a few reviews, where counts hardly differ, the claims stand as the reviews themselves go.
    `aspects` are those spoken of, by the number of reviews. `contradictions` are pairs of claims, by place.
    """

    claims: tuple[Claim, ...] = ()
    aspects: tuple[AspectShare, ...] = ()
    contradictions: tuple[tuple[int, int], ...] = ()
    reviews: int
    left_out: dict[str, int] = Field(default_factory=dict)
    text: str
