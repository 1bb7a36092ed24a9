"""Findings turned into facts: each figure with what it is about, which measure and when.

A table's cell is about its row; a figure in a headline or a text cell is read by the same rules as one in
an answer, and is about the names of its sentence unless another figure of its kind stands beside it.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from storewise.agent.grounding import claims, dates
from storewise.agent.grounding.claims import Claim, Scene
from storewise.agent.grounding.clauses import Reading
from storewise.agent.grounding.dates import When
from storewise.agent.grounding.facts import Dated, Fact, Group, Ranking, Statement
from storewise.agent.grounding.lexicon import Lexicon, concerned, key
from storewise.agent.grounding.names import (
    argument_names,
    cell_names,
    column_kind,
    names_in,
    sizes,
    vocabulary,
)
from storewise.agent.grounding.outlook import Outlook
from storewise.agent.grounding.reading import Reader
from storewise.agent.grounding.tables import Table, keys_of
from storewise.agent.grounding.ties import run_of
from storewise.agent.grounding.tokens import plain, tokens
from storewise.agent.grounding.wording import extreme, tending, turning, window_of
from storewise.tools.finding import DataNote, Finding, ModelNote, ReviewQuote

_LABELS = ("level", "sentiment", "segment")
_LEFT_OUT = frozenset("outside except excluding without not besides".split())


class Book:
    """All that the findings of a conversation and the question hold.

    `answer` only serves to leave the texts of rows unread that neither it nor the question names.
    """

    def __init__(
        self, findings: Sequence[Finding], earlier: Sequence[Finding], question: str, answer: str = ""
    ) -> None:
        self.lexicon = Lexicon()
        self.facts: list[Fact] = []
        self.groups: list[Group] = []
        self.dated: list[Dated] = []
        self.statements: list[Statement] = []
        self.rankings: list[Ranking] = []
        self.quotes: list[ReviewQuote] = []
        self.texts: list[str] = [plain(question)]
        self.trusted: set[str] = set()
        self.said: list[str] = []  # headlines and caveats of the turn
        self.whens: list[When] = []
        self._spoken = frozenset(token.norm for text in (answer, question) for token in tokens(plain(text)))
        everything = [*findings, *(one for one in earlier if one not in findings)]
        words = {token.norm for token in tokens(plain(question))}
        for finding in everything:
            self._name(finding)
            words |= vocabulary(finding)
            words |= {(column.unit or "").lower() for column in finding.columns}
        self._words = frozenset(words)
        self.sizes = {size for finding in everything for size in sizes(finding)}
        self.reader = Reader(self.lexicon, self._words, exact=True)
        for at, finding in enumerate(everything):
            Keeper(self, finding, current=at < len(findings) or not findings).keep()
        self.reader = Reader(self.lexicon, self._words)  # for the answer and the question
        self.asked = self.reader.text(question)
        self.scene = claims.scene_of(self.asked)
        self.outlook = Outlook(self.facts)
        self.whens += self.scene.whens

    def _name(self, finding: Finding) -> None:
        """Put the names of a finding into the lexicon."""
        for name, kind in argument_names(finding):
            self.lexicon.add(name, kind)
        texts = [finding.headline]
        self.lexicon.ranked |= any(
            column.role == "entity" and column_kind(column) == "segment" for column in finding.columns[:1]
        )
        for row in finding.rows:
            names: list[str] = []
            told: list[str] = []
            for cell, column in zip(row, finding.columns, strict=True):
                if isinstance(cell, str):
                    for name, kind in cell_names(cell, column):
                        names.append(self.lexicon.add(name, kind))
                    if column.role == "text":
                        told.append(cell)
            if len(finding.rows) == 1 or self.speaks_of(names):
                texts += told
        for evidence in finding.evidence:
            if isinstance(evidence, ReviewQuote):
                self.lexicon.add(evidence.review_id, "review")
                self.lexicon.add(evidence.about or "", "category")
                self.lexicon.add(evidence.sentiment or "", "sentiment")
        for text in texts:
            for name in names_in(text, self.lexicon):
                self.lexicon.add(name, "name")

    def holds(self, word: str) -> bool:
        """Whether a word or sign stands in a finding or the question."""
        return word in self._words

    def shown(self, names: frozenset[str]) -> str:
        """Return names as a sentence shows them."""
        return " or ".join(sorted(self.lexicon.shown.get(name, name) for name in names)[:3])

    def speaks_of(self, names: Iterable[str]) -> bool:
        """Whether the answer or the question may mean any of these names: only their rows' texts are read."""
        return concerned(names, self._spoken)


class Keeper:
    """Keeps one finding's facts in a book."""

    def __init__(self, book: Book, finding: Finding, current: bool) -> None:
        self.book = book
        self.finding = finding
        self.current = current
        self.headline = book.reader.text(finding.headline)
        self.context, self.span = self._context()
        self.rows: list[frozenset[str]] = []  # what each row is about
        self.ranges: list[When] = []  # the periods of the rows
        self.notes = [note for note in self._notes() if note]
        self.general = [when for note in self.notes for when in _whens(book.reader.text(note))]

    def keep(self) -> None:
        """Put everything in."""
        finding, book = self.finding, self.book
        book.texts += [plain(finding.headline), *(plain(note) for note in self.notes)]
        for text in (finding.headline, finding.caveat or ""):
            book.trusted |= {squeezed(reading.sentence.text) for reading in book.reader.text(text)}
        book.trusted |= {squeezed(plain(line)) for line in finding.text().splitlines()}
        if self.current:
            book.said += [finding.headline, finding.caveat or ""]
        book.whens += [*self.span, *self.general]
        book.groups.append(Group(self.context, (*self.span, *self.general)))
        Table(self).keep()
        self._headline()
        for note in self.notes:
            self.text(note, about=None)
        for column in finding.columns:
            self.text(column.label, about=None)
        self._quotes()
        for when in (*self.span, *self.ranges):
            for length, unit in when.lengths():
                units = frozenset({unit})
                book.facts.append(
                    Fact(length, "number", frozenset({"horizon"}), units, about=None, label="period")
                )
        for name, value in finding.arguments.items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                rows = frozenset({"rows"})
                book.facts.append(Fact(float(value), "number", rows, about=None, count=True, label=name))

    def _notes(self) -> list[str]:
        notes = [self.finding.caveat or ""]
        for evidence in self.finding.evidence:
            if isinstance(evidence, ModelNote):
                trained = f"{evidence.name} {evidence.version}, trained at {evidence.trained_at}"
                notes += [trained, evidence.quality]
            elif isinstance(evidence, DataNote):
                notes.append(evidence.text)
        return notes

    def _context(self) -> tuple[frozenset[str], list[When]]:
        """Return the names and the period that all of the finding is about."""
        finding = self.finding
        names = {key(name) for name, _ in argument_names(finding)}
        cells = [
            frozenset(
                name
                for cell, column in zip(row, finding.columns, strict=True)
                for name in keys_of(cell, column)
            )
            for row in finding.rows
        ]
        several = len(cells) > 1
        some = frozenset().union(*cells) - frozenset.intersection(*cells) if several else frozenset()
        ranked = {column_kind(column) for column in finding.columns if column.role == "entity"}
        by_kind: dict[str, set[frozenset[str]]] = {}
        for reading in self.headline:
            for mention in reading.of("name"):
                by_kind.setdefault(mention.what, set()).add(mention.names)
        for kind, found in by_kind.items():
            first = next(iter(found))
            if (
                len(found) == 1
                and kind not in _LABELS
                and not (several and kind in ranked)
                and not first & some
            ):
                names |= first
        if len(cells) == 1:
            names |= cells[0]
        span = _span(finding.arguments)
        said = _whens(self.headline)
        if not span and len({(when.start, when.end) for when in said}) == 1:
            span = said[:1]
        span += [when for when in said if any(when.same(one) for one in span) and when not in span]
        return frozenset(names - {""}), span

    def _headline(self) -> None:
        scene = Scene(whens=tuple(self.span))
        for reading in self.headline:
            whens = tuple(mention.when for mention in reading.of("when") if mention.when)
            self.book.whens += whens
            names = frozenset(
                name for one in reading.of("name") if not _left_out(reading, one.start) for name in one.names
            )
            self.book.groups.append(Group(self.context | names, (*whens, *self.span)))
            self.read(reading, scene, self.context, whens=tuple(self.span))
            scene = claims.after(reading, scene)

    def _quotes(self) -> None:
        quotes = [one for one in self.finding.evidence if isinstance(one, ReviewQuote)]
        self.book.quotes += quotes
        for quote in quotes:
            names = frozenset(key(name) for name in (quote.review_id, quote.about, quote.sentiment) if name)
            self.book.groups.append(Group(self.context | names, tuple(self.span)))
            review = frozenset({key(quote.review_id)})
            if len(quotes) == 1 or self.book.speaks_of(review):
                self.text(quote.text, about=self.context | names, own=(review,))
        self.count(len(quotes), "reviews")
        for sentiment, number in Counter(quote.sentiment for quote in quotes if quote.sentiment).items():
            self.count(number, "reviews", label=frozenset({sentiment}))

    def text(self, text: str, about: frozenset[str] | None, **ties: Any) -> None:
        """Keep the figures of a text; `ties` as for `read`."""
        scene = Scene(measures=ties.get("measures", frozenset()))
        for reading in self.book.reader.text(text):
            self.read(reading, scene, about, **ties)

    def read(
        self,
        reading: Reading,
        scene: Scene,
        about: frozenset[str] | None,
        own: tuple[frozenset[str], ...] = (),
        measures: frozenset[str] = frozenset(),
        whens: tuple[When, ...] = (),
        label: str = "",
    ) -> None:
        """Keep the figures and statements of one sentence, which is about `about` (None: of anything)."""
        found = claims.read_claims(reading, scene)
        said_whens = tuple(mention.when for mention in reading.of("when") if mention.when)
        if about is None:  # a note: said of the names in it, or of nobody
            about = frozenset(name for mention in reading.of("name") for name in mention.names) or None
        for claim in found:
            self.book.facts.append(
                self._fact(reading, claim, found, about, own, measures, whens, said_whens, label)
            )
        if about is not None:
            self._statements(reading, found, about, measures, (*said_whens, *whens))

    def _fact(
        self,
        reading: Reading,
        claim: Claim,
        found: list[Claim],
        about: frozenset[str] | None,
        own: tuple[frozenset[str], ...],
        measures: frozenset[str],
        whens: tuple[When, ...],
        said_whens: tuple[When, ...],
        label: str,
    ) -> Fact:
        number = claim.number
        others = [one for one in found if one is not claim and one.number.kind == number.kind]
        alone = not any(one.number.unit == number.unit for one in others)
        said = frozenset(name for one in reading.of("name") if len(one.names) == 1 for name in one.names)
        labels = frozenset(
            name for one in found if one is not claim for kind in _LABELS for name in one.names.get(kind, ())
        )
        must = _all(claim.names)
        tied = self._same(must | _all(claim.soft_names))
        if alone:
            # Another name of the same kind that has a figure of its own: "3.8 % of it, before Beef with $14".
            kinds = {*claim.names, *claim.soft_names}
            theirs = (
                names
                for one in found
                for ties in (one.names, one.soft_names)
                for kind, names in ties.items()
                if kind in kinds
            )
            taken = labels | (self._same(frozenset().union(*theirs)) - tied)
        else:
            theirs = (_all(one.names) | _all(one.soft_names) for one in others)
            taken = self._same(frozenset().union(*theirs)) - tied
        if claim.whole:  # "3.8 % of $393": the whole is nobody's part
            rows = frozenset().union(*self.rows)
            tied, said, must = tied - rows, said - rows, must - rows
        unlike = not alone and bool(must) and any(_all(one.names) != must for one in others)
        general = "horizon" in claim.measures or about is None
        own_when = claim.when or (claim.soft_whens[0] if len(claim.soft_whens) == 1 else None)
        differs = any(one.when and own_when and not one.when.same(own_when) for one in others)
        shown = self.book.lexicon.shown
        return Fact(
            value=number.value,
            kind=number.kind,
            measures=claim.measures or claim.soft_measures or measures,
            units=frozenset({number.unit} if number.unit else ()),
            about=None if about is None or general else about | tied | (said - taken),
            own=() if general else (*own, must) if unlike else own,
            whens=(*whens, *self.general, *(said_whens if alone or not own_when else (own_when,))),
            span=tuple(self.span),
            own_when=own_when if differs and not general else None,
            change=claim.change,
            previous=claim.reference and not alone,
            average=claim.average,
            window=claim.window or window_of([token.norm for token in tokens(label)]),
            together="together" in claim.words,
            current=self.current,
            label=label.lower() or _measure_name(claim),
            subject=", ".join(sorted(shown.get(name, name) for name in must)),
        )

    def _same(self, names: frozenset[str]) -> frozenset[str]:
        """Return names with those that name the same rows: a product's id beside its name."""
        return names.union(*(own for own in self.rows if own & names))

    def _statements(
        self,
        reading: Reading,
        found: list[Claim],
        about: frozenset[str],
        measures: frozenset[str],
        whens: tuple[When, ...],
    ) -> None:
        """Keep what the sentence says rose or fell, or is the highest or lowest."""
        said = frozenset(name for mention in reading.of("name") for name in mention.names)
        everywhere = frozenset(measure for mention in reading.of("measure") for measure in mention.measures)
        everywhere |= {claim.number.unit for claim in found if claim.number.unit}
        for at in range(len(reading.clauses)):
            words = reading.norms(at)
            here = [mention for mention in reading.mentions if mention.clause == at]
            for position in range(len(words)):
                turn = turning(words, position) or tending(words, position)
                if turn:
                    self.book.statements.append(Statement(turn, everywhere | measures, about | said, whens))
            side = extreme(words)
            if side:
                listed = [one for one in reading.of("name") if here and one.what == here[0].what]
                run = run_of(listed, here[0], reading) if here and here[0] in listed else []
                names = frozenset(name for mention in (*here, *run) for name in mention.names)
                periods = tuple(mention.when for mention in here if mention.when)
                local = frozenset(measure for mention in here for measure in mention.measures)
                if not (names or periods or local):
                    names, everywhere = frozenset(), frozenset()
                self.book.statements.append(
                    Statement(side, local or everywhere, names or said, periods or whens, extreme=True)
                )

    def count(
        self, number: int, noun: str, label: frozenset[str] = frozenset(), names: frozenset[str] = frozenset()
    ) -> None:
        """Keep that there are `number` of `noun`; with `label`, those that the label is said of."""
        if number:
            nouns = frozenset({noun, "rows"})
            self.book.facts.append(
                Fact(
                    value=float(number),
                    kind="number",
                    measures=nouns,
                    units=nouns,
                    about=self.context | names | label,
                    own=(label,) if label else (),
                    whens=tuple(self.span),
                    span=tuple(self.span),
                    count=True,
                    current=self.current,
                    label=f"number of {noun}",
                )
            )


def squeezed(text: str) -> str:
    """Return `text` with single spaces, as sentences are compared to the letter."""
    return " ".join(text.split())


def _left_out(reading: Reading, at: int) -> bool:
    """Whether a name is spoken of as left out: "outside the segment Lost"."""
    words = reading.sentence.tokens[max(0, at - 4) : at]
    return any(word.norm in _LEFT_OUT for word in words)


def _all(names: dict[str, frozenset[str]]) -> frozenset[str]:
    return frozenset().union(*names.values()) if names else frozenset()


def _measure_name(claim: Claim) -> str:
    measures = sorted(claim.measures or claim.soft_measures)
    return measures[0].replace("_", " ") if measures else ""


def _whens(readings: Iterable[Reading]) -> list[When]:
    return [mention.when for reading in readings for mention in reading.of("when") if mention.when]


def _span(arguments: dict[str, Any]) -> list[When]:
    start, end = arguments.get("start"), arguments.get("end")
    try:
        first = dt.date.fromisoformat(str(start)[:10]) if start else None
        last = dt.date.fromisoformat(str(end)[:10]) if end else None
    except ValueError:
        return []
    if first and last:
        return [dates.of_span(first, last)]
    if first:
        day = (first.year, first.month, first.day)
        return [When(day, day, "open")]
    return []
