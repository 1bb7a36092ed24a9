"""Sentences of a review, as spans of its own text: whatever is quoted is a substring, to the letter."""

from __future__ import annotations

import re
from typing import NamedTuple

LONGEST = 200  # characters of a quote
MOST = 64  # sentences of one review; what lies beyond says nothing new

# Tags, line breaks and characters that move or hide text end a sentence and are never quoted.
_BREAK = re.compile(
    r"</?[A-Za-z][^<>]{0,300}>|[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\u200e\u200f\ufeff]+"
)
_END = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s|$)")
_ABBREVIATION = re.compile(
    r"(?:\b(?:mr|mrs|ms|dr|st|vs|etc|approx|oz|lb|lbs|fl|ct|pkg|inc|co|no|e\.g|i\.e|[a-z])|^\s*\d{1,2})\.$",
    re.I,
)
_CLAUSE = re.compile(r"[,;:)–—]\s|\s-+\s")


class Span(NamedTuple):
    """Where a sentence lies in its text: `text[start:stop]`."""

    start: int
    stop: int


def sentences(text: str) -> list[Span]:
    """Return the sentences of `text` in their order, each of 1 to 200 characters.

    Sentences end at full stops, question and exclamation marks, tags and line breaks; one that is longer
    is cut at its last clause mark that fits, else at a space. Spans without a letter, digit or other
    visible character are left out.
    """
    spans: list[Span] = []
    begin = 0
    for found in [*_BREAK.finditer(text), None]:
        piece_end = len(text) if found is None else found.start()
        for start, stop in _split(text, begin, piece_end):
            spans += _cut(text, start, stop)
            if len(spans) >= MOST:
                return spans[:MOST]
        begin = piece_end if found is None else found.end()
    return spans


def _split(text: str, start: int, stop: int) -> list[Span]:
    """Split text[start:stop], which holds no break, after each mark that ends a sentence."""
    spans = []
    for found in _END.finditer(text, start, stop):
        # "(?=$)" of a slice also matches at `stop`; an abbreviation's dot ends nothing.
        if found.end() < stop and _ABBREVIATION.search(text[max(start, found.end() - 12) : found.end()]):
            continue
        spans.append(Span(start, found.end()))
        start = found.end()
    if start < stop:
        spans.append(Span(start, stop))
    return spans


def _cut(text: str, start: int, stop: int) -> list[Span]:
    """Strip a span of white space and cut it into pieces of at most LONGEST characters."""
    pieces: list[Span] = []
    while True:
        while start < stop and text[start].isspace():
            start += 1
        while stop > start and text[stop - 1].isspace():
            stop -= 1
        if start == stop:
            return pieces
        if stop - start <= LONGEST:
            return [*pieces, Span(start, stop)]
        window = text[start : start + LONGEST]
        marks = [found.end() for found in _CLAUSE.finditer(window)]
        space = window.rfind(" ")
        cut = start + (marks[-1] if marks and marks[-1] > LONGEST // 4 else space if space > 0 else LONGEST)
        end = cut
        while text[end - 1].isspace():
            end -= 1
        pieces.append(Span(start, end))
        if len(pieces) >= MOST:
            return pieces
        start = cut
