"""Findings turned into facts: each figure with what it is about, which measure and when.

A table's cell is about its row; a figure in a headline or a text cell is read by the same rules as one in
an answer, and is about the names of its sentence unless another figure of its kind stands beside it.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from storewise.agent.grounding import claims, dates
from storewise.agent.grounding.claims import Claim, Scene
from storewise.agent.grounding.dates import When
from storewise.agent.grounding.everyday import EVERYDAY
from storewise.agent.grounding.lexicon import Lexicon, key
from storewise.agent.grounding.numbers import Kind
from storewise.agent.grounding.reading import Reader, Reading
from storewise.agent.grounding.tokens import plain, singular, tokens
from storewise.agent.grounding.words import ALIKE, LEVELS, MEASURES, UNITS
from storewise.tools.finding import Cell, Column, DataNote, Finding, ModelNote, ReviewQuote

_SENTIMENTS = frozenset("positive negative mixed neutral".split())
_KIND_OF_COLUMN = {
    "customer": "customer",
    "household": "customer",
    "session": "session",
    "review": "review",
    "product": "product",
    "category": "category",
    "department": "category",
    "brand": "brand",
    "segment": "segment",
    "aspect": "aspect",
    "theme": "aspect",
    "phrase": "aspect",
    "topic": "aspect",
}
_FEW_ROWS = 40  # of longer tables, only the rows that the answer names are read for their text


@dataclass(slots=True, frozen=True)
class Fact:
    """A figure that a finding holds.

    Attributes:
        about: names that it may be said of; None where it may be said of any.
        own: sets of names, one of each of which it has to be said of.
        whens: dates that it may be said of; `span` the finding's period; `own_when` the row's own.
        units: what it counts; measures: what it measures (empty: unknown).
        change: 1 or -1 for by how much something rose or fell.
        previous: it belongs to the period or thing compared with.
        label, subject: for the sentence that says what it is.
    """

    value: float
    kind: Kind
    measures: frozenset[str] = frozenset()
    units: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()
    about: frozenset[str] | None = frozenset()
    own: tuple[frozenset[str], ...] = ()
    whens: tuple[When, ...] = ()
    span: tuple[When, ...] = ()
    own_when: When | None = None
    change: int = 0
    previous: bool = False
    count: bool = False
    current: bool = True
    label: str = ""
    subject: str = ""


@dataclass(slots=True, frozen=True)
class Group:
    """Names and periods that a finding says belong together: a row, a sentence, a quoted review."""

    names: frozenset[str]
    whens: tuple[When, ...]
    words: frozenset[str] = frozenset()
    row: bool = False


@dataclass(slots=True, frozen=True)
class Dated:
    """A date that a finding holds as a value: "Last order" 2017-12-29."""

    when: When
    words: frozenset[str]
    about: frozenset[str]


@dataclass(slots=True, frozen=True)
class Statement:
    """A headline's or text's clause that something rose or fell, or is the highest or lowest."""

    turn: int
    measures: frozenset[str]
    names: frozenset[str]
    whens: tuple[When, ...]
    extreme: bool = False
    words: frozenset[str] = frozenset()


@dataclass(slots=True)
class Ranking:
    """A table with several rows: who or when each row is about, and the measures by column."""

    rows: list[frozenset[str]]
    whens: list[When | None]
    context: frozenset[str]
    columns: list[tuple[frozenset[str], list[float | None]]] = field(default_factory=list)

    @property
    def series(self) -> bool:
        """Whether the rows are periods."""
        return bool(self.whens) and all(self.whens)


class Book:
    """All that the findings of a conversation and the question hold.

    `answer` is only used to leave the text of rows unread that the answer does not name.
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
        self.whens: list[When] = []
        self._answer = frozenset(token.norm for token in tokens(plain(answer)))
        everything = [*findings, *(one for one in earlier if one not in findings)]
        for finding in everything:
            self._name(finding)
        words = {token.norm for token in tokens(plain(question))}
        for finding in everything:
            words |= _vocabulary(finding)
        self.vocabulary = frozenset(words)
        self.reader = Reader(self.lexicon, self.vocabulary)
        for at, finding in enumerate(everything):
            _Keeper(self, finding, current=at < len(findings) or not findings).keep()
        self.asked = self.reader.text(question)
        self.scene = claims.scene_of(self.asked)
        self.whens += self.scene.whens

    def _name(self, finding: Finding) -> None:
        """Put the names of a finding into the lexicon."""
        for name, value in finding.arguments.items():
            if (
                isinstance(value, str)
                and not dates.whole(value)
                and name not in ("metric", "by", "sentiment", "stage")
            ):
                self.lexicon.add(value, _argument_kind(name))
        for position, column in enumerate(finding.columns):
            kind = _column_kind(column)
            for row in finding.rows:
                cell = row[position]
                if isinstance(cell, str) and column.role in ("entity", "text") and not dates.whole(cell):
                    for name, what in _cell_names(cell, column, kind):
                        self.lexicon.add(name, what)
        for evidence in finding.evidence:
            if isinstance(evidence, ReviewQuote):
                self.lexicon.add(evidence.review_id, "review")
                if evidence.about:
                    self.lexicon.add(evidence.about, "category")
                if evidence.sentiment:
                    self.lexicon.add(evidence.sentiment, "sentiment")
        for name in _names_in(finding.headline, self.lexicon):
            self.lexicon.add(name, "name")

    def answer_names(self, names: frozenset[str]) -> bool:
        """Whether the answer has the words of any of these names."""
        return any(all(part in self._answer for part in name.split(" ")) for name in names)


class _Keeper:
    """Keeps one finding's facts in a book."""

    def __init__(self, book: Book, finding: Finding, current: bool) -> None:
        self.book = book
        self.finding = finding
        self.current = current
        self.context, self.span = self._context()
        self.general = [when for note in self._notes() for when in _whens(book.reader.text(note))]

    def keep(self) -> None:
        """Put everything in."""
        finding, book = self.finding, self.book
        book.texts += [plain(finding.headline), *(plain(note) for note in self._notes())]
        for text in (finding.headline, finding.caveat or ""):
            book.trusted |= {" ".join(reading.sentence.text.split()) for reading in book.reader.text(text)}
        book.trusted |= {
            " ".join(plain(line).split()) for line in finding.text(rows=len(finding.rows)).splitlines()
        }
        book.whens += [*self.span, *self.general]
        book.groups.append(Group(self.context, (*self.span, *self.general)))
        self._headline()
        self._table()
        for note in self._notes():
            self._text(note, about=None)
        for column in finding.columns:
            self._text(column.label, about=None)
        quotes = [one for one in finding.evidence if isinstance(one, ReviewQuote)]
        for quote in quotes:
            names = {key(name) for name in (quote.review_id, quote.about, quote.sentiment) if name}
            book.groups.append(Group(self.context | names, tuple(self.span), row=True))
            self._text(quote.text, about=self.context | names, own=(frozenset({key(quote.review_id)}),))
        book.quotes += quotes
        self._count(len(quotes), "reviews", frozenset())
        for sentiment, number in Counter(quote.sentiment for quote in quotes if quote.sentiment).items():
            self._count(number, "reviews", frozenset({sentiment}))
        for name, value in finding.arguments.items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                book.facts.append(
                    Fact(float(value), "number", frozenset({"rows"}), about=None, count=True, label=name)
                )

    def _notes(self) -> list[str]:
        notes = [self.finding.caveat or ""]
        for evidence in self.finding.evidence:
            if isinstance(evidence, ModelNote):
                notes += [
                    f"{evidence.name} {evidence.version}, trained at {evidence.trained_at}",
                    evidence.quality,
                ]
            elif isinstance(evidence, DataNote):
                notes.append(evidence.text)
        return [note for note in notes if note]

    def _context(self) -> tuple[frozenset[str], list[When]]:
        """Return the names and the period that all of the finding is about."""
        finding, lexicon = self.finding, self.book.lexicon
        names = {
            key(value)
            for name, value in finding.arguments.items()
            if isinstance(value, str) and key(value) in lexicon
        }
        span = _span(finding.arguments)
        readings = self.book.reader.text(finding.headline)
        by_kind: dict[str, set[frozenset[str]]] = {}
        for reading in readings:
            for mention in reading.of("name"):
                by_kind.setdefault(mention.what, set()).add(mention.names)
        several = len(finding.rows) > 1
        ranked = (
            {_column_kind(column) for column in finding.columns if column.role == "entity"}
            if several
            else set()
        )
        cells = [
            frozenset(
                name
                for cell, column in zip(row, finding.columns, strict=True)
                for name in self._names(cell, column)
            )
            for row in finding.rows
        ]
        some = frozenset().union(*cells) - frozenset.intersection(*cells) if several else frozenset()
        for kind, found in by_kind.items():
            if len(found) == 1 and kind not in ranked and not next(iter(found)) & some:
                names |= next(iter(found))
        if len(finding.rows) == 1:
            for cell, column in zip(finding.rows[0], finding.columns, strict=True):
                if isinstance(cell, str) and column.role in ("entity", "text"):
                    names |= {key(name) for name, _ in _cell_names(cell, column, _column_kind(column))}
        said = _whens(readings)
        if not span and len({(when.start, when.end) for when in said}) == 1:
            span = said[:1]
        span += [when for when in said if any(when.same(one) for one in span) and when not in span]
        return frozenset(names - {""}), span

    def _headline(self) -> None:
        scene = Scene(names={}, whens=tuple(self.span))
        for reading in self.book.reader.text(self.finding.headline):
            names = frozenset(name for mention in reading.of("name") for name in mention.names)
            whens = tuple(mention.when for mention in reading.of("when") if mention.when)
            self.book.whens += whens
            self.book.groups.append(Group(self.context | names, (*whens, *self.span), row=True))
            self._read(reading, scene, self.context, (), tuple(self.span))
            scene = claims.after(reading, scene)

    def _text(
        self,
        text: str,
        about: frozenset[str] | None,
        own: tuple[frozenset[str], ...] = (),
        measures: frozenset[str] = frozenset(),
        whens: tuple[When, ...] = (),
        label: str = "",
    ) -> None:
        if any(token.is_number or token.is_word for token in tokens(text)):
            scene = Scene(measures=measures)
            for reading in self.book.reader.text(text):
                self._read(reading, scene, about, own, whens, measures, label)

    def _read(
        self,
        reading: Reading,
        scene: Scene,
        about: frozenset[str] | None,
        own: tuple[frozenset[str], ...],
        whens: tuple[When, ...],
        measures: frozenset[str] = frozenset(),
        label: str = "",
    ) -> None:
        """Keep the figures and statements of one sentence."""
        found = claims.read_claims(reading, scene)
        said = frozenset(name for mention in reading.of("name") for name in mention.names)
        said_whens = tuple(mention.when for mention in reading.of("when") if mention.when)
        rivals = Counter((claim.number.kind, claim.number.unit) for claim in found)
        for claim in found:
            alone = rivals[claim.number.kind, claim.number.unit] == 1
            others = [one for one in found if one is not claim and one.number.kind == claim.number.kind]
            tied = _all(claim.names) | _all(claim.soft_names)
            taken = frozenset[str]().union(*(_all(one.names) for one in others)) if others else frozenset()
            labels = frozenset(
                name
                for one in found
                if one is not claim
                for kind in ("level", "sentiment", "segment")
                for name in one.names.get(kind, ())
            )
            names = tied | (said - (labels if alone else taken))
            general = "horizon" in claim.measures or about is None
            must = _all(claim.names)
            unlike = not alone and any(_all(one.names) != must for one in others)
            own_when = claim.when or (claim.soft_whens[0] if len(claim.soft_whens) == 1 else None)
            differ = [one for one in others if one.when and own_when and not one.when.same(own_when)]
            self.book.facts.append(
                Fact(
                    value=claim.number.value,
                    kind=claim.number.kind,
                    measures=claim.measures or claim.soft_measures or measures,
                    units=frozenset({claim.number.unit} if claim.number.unit else ()),
                    words=claim.words | {token.norm for token in tokens(label)},
                    about=None if general else (about or frozenset()) | names,
                    own=() if general else (*own, must) if must and unlike else own,
                    whens=(*whens, *self.general, *(said_whens if alone or not own_when else (own_when,))),
                    span=tuple(self.span),
                    own_when=own_when if differ and not general else None,
                    change=claim.change,
                    previous=claim.reference and not alone,
                    current=self.current,
                    label=label or _measure_name(claim),
                    subject=", ".join(sorted(self.book.lexicon.shown.get(name, name) for name in must)),
                )
            )
        self._statements(reading, found, said, said_whens, about or frozenset(), measures, whens)

    def _statements(
        self,
        reading: Reading,
        found: list[Claim],
        said: frozenset[str],
        said_whens: tuple[When, ...],
        about: frozenset[str],
        measures: frozenset[str],
        whens: tuple[When, ...],
    ) -> None:
        everywhere = frozenset(measure for mention in reading.of("measure") for measure in mention.measures)
        units = frozenset(claim.number.unit for claim in found if claim.number.unit)
        for at in range(len(reading.clauses)):
            words = reading.norms(at)
            here = [mention for mention in reading.mentions if mention.clause == at]
            names = frozenset(name for mention in here for name in mention.names)
            periods = tuple(mention.when for mention in here if mention.when)
            local = frozenset(measure for mention in here for measure in mention.measures)
            for position in range(len(words)):
                turn = claims.turning(words, position) or claims.tending(words, position)
                if turn:
                    self.book.statements.append(
                        Statement(turn, everywhere | units | measures, about | said, (*said_whens, *whens))
                    )
            extreme = claims.extreme(words)
            if extreme:
                self.book.statements.append(
                    Statement(
                        extreme,
                        local or everywhere | units,
                        names or said,
                        periods or said_whens,
                        extreme=True,
                        words=frozenset(words),
                    )
                )

    def _table(self) -> None:
        finding, book = self.finding, self.book
        several = len(finding.rows) > 1
        keys = [at for at, column in enumerate(finding.columns) if self._is_key(at, column)]
        pairs = _key_and_value(finding)
        dated = [at for at, column in enumerate(finding.columns) if column.role == "date"]
        is_series = several and bool(dated) and dated[0] == 0 and not pairs
        ranking = Ranking([], [], self.context)
        values: list[list[float | None]] = [[] for _ in finding.columns]
        grain = _grain(finding, dated[0]) if is_series else "day"
        for row in finding.rows:
            own = frozenset(
                name for at in keys if not pairs for name in self._names(row[at], finding.columns[at])
            )
            about = self.context | own
            whens: list[When] = []
            own_when: When | None = None
            for at, (cell, column) in enumerate(zip(row, finding.columns, strict=True)):
                when = _as_when(cell, column, grain if is_series and at == 0 else "day")
                if when:
                    whens.append(when)
                    if several and at == 0:
                        own_when = when
                elif column.role in ("entity", "text") and not (pairs and at == 0):
                    about |= self._names(cell, column)
            if own_when is None:
                whens += self.span
            book.whens += whens
            book.groups.append(Group(about, (*whens, *self.span, *self.general), row=True))
            must = (own,) if several and own else ()
            read_text = len(finding.rows) <= _FEW_ROWS or book.answer_names(own)
            subject = ", ".join(str(row[at]) for at in keys[:2]) or (str(own_when) if own_when else "")
            for at, (cell, column) in enumerate(zip(row, finding.columns, strict=True)):
                values[at].append(float(cell) if isinstance(cell, int | float) else None)
                when = _as_when(cell, column, "day")
                if when and (at or not several):
                    label = str(row[0]) if pairs else column.label
                    book.dated.append(Dated(when, frozenset(token.norm for token in tokens(label)), about))
                elif isinstance(cell, int | float):
                    book.facts.append(self._cell(cell, column, about, must, whens, own_when, subject))
                elif isinstance(cell, str) and read_text and column.role == "text":
                    label = str(row[0]) if pairs else column.label
                    if pairs and at == 0:
                        continue
                    book.texts.append(plain(cell))
                    self._text(cell, about, must, measures_of(label), tuple(whens), label)
                elif isinstance(cell, str) and column.role == "entity":
                    book.texts.append(plain(cell))
            ranking.rows.append(own)
            ranking.whens.append(own_when)
        if several:
            measured = [at for at, column in enumerate(finding.columns) if column.role == "measure"]
            for at in measured:
                column = finding.columns[at]
                ranking.columns.append((measures_of(column.label, column.name, column.unit), values[at]))
            if not pairs:
                book.rankings.append(ranking)
                self._counts(keys, is_series, grain)

    def _is_key(self, at: int, column: Column) -> bool:
        """Whether a column names the rows: no two alike."""
        if column.role != "entity":
            return False
        cells = [row[at] for row in self.finding.rows if row[at] is not None]
        return len(set(cells)) == len(cells)

    def _names(self, cell: Cell, column: Column) -> frozenset[str]:
        if not isinstance(cell, str):
            return frozenset()
        return frozenset(key(name) for name, _ in _cell_names(cell, column, _column_kind(column))) - {""}

    def _cell(
        self,
        cell: float,
        column: Column,
        about: frozenset[str],
        must: tuple[frozenset[str], ...],
        whens: list[When],
        own_when: When | None,
        subject: str,
    ) -> Fact:
        kind: Kind = (
            "percent" if column.format == "percent" else "money" if column.format == "money" else "number"
        )
        value = 100 * float(cell) if kind == "percent" else float(cell)
        measures = measures_of(column.label, column.name, column.unit)
        change = 0
        if "change" in measures:
            change, value = (1 if value > 0 else -1 if value < 0 else 0), abs(value)
        unit = UNITS.get(singular(column.unit or ""), column.unit)
        return Fact(
            value=value,
            kind=kind,
            measures=measures,
            units=frozenset({unit} if unit else ()),
            words=frozenset(token.norm for token in tokens(column.label)),
            about=about,
            own=must,
            whens=(*whens, *self.general),
            span=tuple(self.span),
            own_when=own_when,
            change=change,
            current=self.current,
            label=column.label.lower(),
            subject=subject,
        )

    def _counts(self, keys: list[int], is_series: bool, grain: str) -> None:
        """Keep how many rows there are, in all and by each label that several rows may share."""
        finding = self.finding
        nouns = {_noun(finding.columns[at]) for at in keys} - {""}
        if is_series:
            nouns |= {f"{grain}s"}
        names = frozenset(
            name for at in keys for row in finding.rows for name in self._names(row[at], finding.columns[at])
        )
        for noun in nouns or {"rows"}:
            self._count(len(finding.rows), noun, frozenset(), names)
            if len(finding.rows) > 5:
                self._count(len(finding.rows) - 5, noun, frozenset(), names)
        for at, column in enumerate(finding.columns):
            if at in keys or column.role not in ("entity", "text"):
                continue
            labels = Counter(name for row in finding.rows for name in self._names(row[at], column))
            for label, number in labels.items():
                for noun in nouns or {"rows"}:
                    self._count(number, noun, frozenset({label}), names)

    def _count(
        self, number: int, noun: str, label: frozenset[str], names: frozenset[str] = frozenset()
    ) -> None:
        if not number:
            return
        self.book.facts.append(
            Fact(
                value=float(number),
                kind="number",
                measures=frozenset({noun, "rows"}),
                units=frozenset({noun, "rows"}),
                about=self.context | names | label,
                own=(label,) if label else (),
                whens=tuple(self.span),
                span=tuple(self.span),
                count=True,
                current=self.current,
                label=f"number of {noun}",
            )
        )


def measures_of(*texts: str | None) -> frozenset[str]:
    """Return the measures that a column's label, name and unit speak of; the label counts first."""
    for text in texts:
        norms = [token.norm for token in tokens((text or "").replace("_", " "))]
        found: set[str] = set()
        at = 0
        while at < len(norms):
            for length in range(min(5, len(norms) - at), 0, -1):
                if tuple(norms[at : at + length]) in MEASURES:
                    found |= MEASURES[tuple(norms[at : at + length])]
                    at += length - 1
                    break
            at += 1
        if found:
            return frozenset(found)
    return frozenset()


def alike(some: frozenset[str], others: frozenset[str]) -> bool:
    """Whether two sets of measures or units have one in common, or two that mean much the same."""
    return bool(some & others) or any(some & same and others & same for same in ALIKE)


def _all(names: dict[str, frozenset[str]]) -> frozenset[str]:
    return frozenset().union(*names.values()) if names else frozenset()


def _measure_name(claim: Claim) -> str:
    measures = sorted(claim.measures or claim.soft_measures)
    return measures[0].replace("_", " ") if measures else ""


def _whens(readings: Iterable[Reading]) -> list[When]:
    return [mention.when for reading in readings for mention in reading.of("when") if mention.when]


def _argument_kind(name: str) -> str:
    return {"customer_id": "customer", "session_id": "session"}.get(
        name, name if name in ("product", "segment") else "other"
    )


def _column_kind(column: Column) -> str:
    for text in (column.name, column.label):
        for token in tokens(text.replace("_", " ")):
            if token.norm in _KIND_OF_COLUMN:
                return _KIND_OF_COLUMN[token.norm]
    return "other"


def _noun(column: Column) -> str:
    for token in reversed(tokens(column.label)):
        if token.norm in UNITS:
            return UNITS[token.norm]
    kind = _column_kind(column)
    return UNITS.get(kind, "")


def _cell_names(cell: str, column: Column, kind: str) -> list[tuple[str, str]]:
    """Return the names in a cell with their kinds: itself, or the items of a list in a text."""
    if column.role == "entity":
        return [(cell, kind)]
    norm = key(cell)
    if cell.lower() in _SENTIMENTS:
        return [(cell, "sentiment")]
    if norm in LEVELS:
        return [(LEVELS[norm], "level")]
    if norm in _SEGMENT_KEYS:
        return [(cell, "segment")]
    found: list[tuple[str, str]] = []
    for item in _outside_brackets(cell):
        words = tokens(item)
        if not words or len(words) > 8 or not words[0].text[0].isupper():
            level = [word.norm for word in words if word.norm in LEVELS]
            if level and len(words) <= 2:
                found.append((LEVELS[level[0]], "level"))
            continue
        if key(item) in _SEGMENT_KEYS:
            found.append((item, "segment"))
        elif any(_tells(word.norm) for word in words if word.is_word):
            found.append((item, "name"))
    for word in _brackets(cell):
        if word.lower() in LEVELS:
            found.append((LEVELS[word.lower()], "level"))
    return found


def _tells(norm: str) -> bool:
    return (
        norm not in EVERYDAY
        and norm not in UNITS
        and norm not in LEVELS
        and (norm,) not in MEASURES
        and len(norm) > 2
    )


def _outside_brackets(text: str) -> list[str]:
    parts, depth, item = [], 0, ""
    for sign in text:
        if sign == "(":
            depth += 1
        elif sign == ")":
            depth = max(0, depth - 1)
        elif depth == 0 and sign in ",;":
            parts.append(item.strip())
            item = ""
        elif depth == 0:
            item += sign
    return [part for part in [*parts, item.strip()] if part]


def _brackets(text: str) -> list[str]:
    return [part.split(")")[0].strip() for part in text.split("(")[1:]]


_SEGMENT_KEYS = frozenset(
    key(name)
    for name in (
        "Champions",
        "Loyal",
        "Promising",
        "New",
        "Needs attention",
        "At risk",
        "Hibernating",
        "Lost",
    )
)


def _names_in(text: str, lexicon: Lexicon) -> list[str]:
    """Return the capitalised names in a headline that no cell holds."""
    found = []
    words = tokens(plain(text))
    at = 0
    while at < len(words):
        known = lexicon.match(words, at)
        if known:
            at = max(known[1], at + 1)
            continue
        token = words[at]
        starts = at == 0 or words[at - 1].text in (".", "?", "!", ":")
        if (
            token.is_word
            and token.text[0].isupper()
            and _tells(token.norm)
            and not (starts and token.norm in EVERYDAY)
        ):
            if dates.read(words, at) or token.text.lower() in dates.WEEKDAYS:
                at += 1
                continue
            end = at + 1
            while (
                end < len(words)
                and words[end].is_word
                and (words[end].text[0].isupper() or _tells(words[end].norm))
            ):
                end += 1
            found.append(" ".join(word.text for word in words[at:end]))
            at = end
            continue
        at += 1
    return found


def _vocabulary(finding: Finding) -> set[str]:
    texts = [finding.headline, finding.caveat or "", finding.tool.replace("_", " ")]
    texts += [column.label for column in finding.columns]
    texts += [cell for row in finding.rows for cell in row if isinstance(cell, str)]
    texts += [value for value in finding.arguments.values() if isinstance(value, str)]
    for evidence in finding.evidence:
        match evidence:
            case ReviewQuote():
                texts += [evidence.text, evidence.review_id, evidence.about or "", evidence.sentiment or ""]
            case ModelNote():
                texts += [evidence.name, evidence.version, evidence.quality]
            case DataNote():
                texts.append(evidence.text)
    return {token.norm for text in texts for token in tokens(plain(text))}


def _span(arguments: dict[str, object]) -> list[When]:
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


def _key_and_value(finding: Finding) -> bool:
    """Whether the table is a list of facts: what it is in the first column, the value in the second."""
    return len(finding.columns) == 2 and all(column.role == "text" for column in finding.columns)


def _as_when(cell: Cell, column: Column, grain: str) -> When | None:
    if isinstance(cell, dt.date):
        day = cell.date() if isinstance(cell, dt.datetime) else cell
        return dates.of_day(day, grain if grain in ("week", "month", "year") else "day")  # type: ignore[arg-type]
    if isinstance(cell, str) and (column.role in ("date", "entity") or cell[:4].isdigit()):
        when = dates.whole(cell) if len(cell) < 30 and not cell.isdigit() else None
        if when and when.grain == "day" and when.start[0] and grain in ("week", "month", "year"):
            return dates.of_day(dt.date(when.start[0], when.start[1], when.start[2]), grain)  # type: ignore[arg-type]
        return when
    return None


def _grain(finding: Finding, at: int) -> str:
    by = finding.arguments.get("by")
    if by in ("day", "week", "month", "year"):
        return str(by)
    words = {
        token.norm
        for token in tokens(f"{finding.columns[at].name} {finding.columns[at].label}".replace("_", " "))
    }
    for grain in ("week", "month", "year"):
        if grain in words:
            return grain
    return "day"
