"""Which of the shop's reviews a job is over: products, categories and a filter, as the request names them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Annotated, Self, TypeVar

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from storewise.agent.job_store import Line, Row
from storewise.agent.uploads import ALL, GroupBy, checked
from storewise.tools.reviews import search
from storewise.tools.reviews.index import Index, open_index
from storewise.tools.reviews.sentiment import Polarity
from storewise.tools.reviews.summary import Length
from storewise.tools.shop.generation import Shop

CHUNK = 2000  # reviews whose texts are read at once

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


Bound = TypeVar("Bound", float, dt.date)


class SelectionError(Exception):
    """The request names what the shop does not have; the message says what is near."""


class Limits(BaseModel):
    """What keeps to some of the shop's reviews, both ends included."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rating_min: float | None = Field(None, ge=1, le=5)
    rating_max: float | None = Field(None, ge=1, le=5)
    sentiment: Polarity | None = None
    since: dt.date | None = Field(None, description="Reviews of this day and later.")
    until: dt.date | None = Field(None, description="Reviews of this day and earlier.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        _in_order("rating_min", self.rating_min, "rating_max", self.rating_max)
        _in_order("since", self.since, "until", self.until)
        return self


class Selection(Limits):
    """A job over the shop's own reviews. Without products and categories it is over all of them."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={"examples": [{"categories": ["Tea"], "rating_max": 2, "length": "short"}]},
    )

    products: tuple[Name, ...] = Field((), max_length=1000, description="Product ids or names, a group each.")
    categories: tuple[Name, ...] = Field((), max_length=1000, description="Category names, a group each.")
    group_by: GroupBy = Field("product", description="What a summary is of, where nothing is named above.")
    length: Length = "medium"


def _in_order(low_name: str, low: Bound | None, high_name: str, high: Bound | None) -> None:
    """Refuse two ends of a range in the wrong order, which nothing could fit.

    Raises:
        ValueError: with a sentence.
    """
    if low is not None and high is not None and low > high:
        raise ValueError(f"{low_name} ({low}) lies beyond {high_name} ({high}), so nothing fits; change one")


def subjects(shop: Shop, selection: Selection) -> list[tuple[str, list[str]]]:
    """Return what is summarized: each subject with its review ids; a review stands under its first subject.

    Raises:
        SelectionError: a product or category is unknown, or no review fits.
        MissingTable, NoIndex: the shop has no reviews, or they are not indexed.
    """
    shop.require("reviews", "review_id", "text")
    index = open_index(shop.folder("reviews"))
    free = within(index, search.everything(index), selection).rows
    found: list[tuple[str, list[str]]] = []
    for label, rows in _named(shop, index, selection) or _grouped(shop, index, selection):
        chosen = np.flatnonzero(rows & free)
        free[chosen] = False
        if len(chosen):
            found.append((label[:200], index.reviews["review_id"].iloc[chosen].astype(str).tolist()))
    if not found:
        raise SelectionError(
            "No review of the shop fits what the job is over. Widen the filter, or name other products."
        )
    return found


def within(index: Index, scope: search.Scope, limits: Limits) -> search.Scope:
    """Return the reviews in `scope` that lie within the limits."""
    return search.narrowed(
        index,
        scope,
        sentiment=limits.sentiment,
        rating_min=limits.rating_min,
        rating_max=limits.rating_max,
        since=limits.since,
        until=limits.until,
    )


def of_category(shop: Shop, index: Index, name: str) -> tuple[str, search.Mask]:
    """Return a category, called as the shop calls it, and its reviews.

    Raises:
        SelectionError: there is no such category; the message names those that are close.
    """
    known = {str(category).casefold(): str(category) for category in index.codes["category"][0]}
    if name.casefold() in known:
        label = known[name.casefold()]
        return label, search.holding(index, "category", [label])
    return _resolved(shop, index, name, "category")


def _named(shop: Shop, index: Index, selection: Selection) -> list[tuple[str, search.Mask]]:
    """Return the reviews of each product and category that the selection names."""
    scopes = [of_category(shop, index, name) for name in selection.categories]
    scopes += [_resolved(shop, index, name, "product") for name in selection.products]
    if selection.group_by == "all" and scopes:
        either = np.logical_or.reduce([rows for _, rows in scopes])
        return [(ALL, either)]
    return scopes


def _resolved(shop: Shop, index: Index, name: str, kind: str) -> tuple[str, search.Mask]:
    shop.require("products", "product_id")
    found = shop.catalogue.resolve(name)
    if not found:
        near = f" Close are: {', '.join(found.matches[:5])}." if found.matches else ""
        raise SelectionError(f"The shop has no {kind} “{name}”.{near}")
    scope = search.scope_of(shop, index, found)
    return scope.label or found.label, scope.rows


def _grouped(shop: Shop, index: Index, selection: Selection) -> Iterator[tuple[str, search.Mask]]:
    """Yield all reviews by product or category; a review without a product goes by its category."""
    reviews = index.reviews
    category = reviews["category"].fillna(ALL).astype(str)
    subject = pd.Series(ALL, index=reviews.index)
    if selection.group_by == "category":
        subject = category
    elif selection.group_by == "product":
        subject = reviews["product_id"].map(_names(shop)).fillna(reviews["product_id"]).fillna(category)
    groups = subject.groupby(subject).indices
    for label in sorted(groups, key=str):
        rows = np.zeros(index.size, dtype=bool)
        rows[groups[label]] = True
        yield str(label), rows


def _names(shop: Shop) -> dict[str, str]:
    """Return what each product is called, with its id where several are called the same."""
    if not shop.has("products", "product_id", "name"):
        return {}
    found = shop.query("SELECT product_id, name, count(*) OVER (PARTITION BY name) AS n FROM products")
    return {
        str(key): f"{name} ({key})" if n > 1 else str(name)
        for key, name, n in found.itertuples(index=False, name=None)
    }


def selected(shop: Shop, selection: Selection) -> Iterator[tuple[int, Row | None, Line | None]]:
    """Yield the reviews of a selection as a job takes them, numbered in their order."""
    index = open_index(shop.folder("reviews"))
    number = 0
    for label, ids in subjects(shop, selection):
        for start in range(0, len(ids), CHUNK):
            rows = [index.row_of[key] for key in ids[start : start + CHUNK]]
            texts = search.texts(shop, index, rows)
            for row in rows:
                number += 1
                of = index.reviews.iloc[row]
                record = {
                    "review_id": str(of["review_id"]),
                    "text": texts.get(row),
                    "rating": None if pd.isna(of["rating"]) else float(of["rating"]),
                    "product_id": None if pd.isna(of["product_id"]) else str(of["product_id"]),
                    "category": None if pd.isna(of["category"]) else str(of["category"]),
                    "reviewed_at": None if pd.isna(of["date"]) else str(of["date"]),
                }
                yield number, *_under(label, *checked(number, record, "all"))


def _under(label: str, row: Row | None, line: Line | None) -> tuple[Row | None, Line | None]:
    if row is None:
        return None, line
    return Row(row.number, row.review_id, label, row.text_hash, row.content), line
