"""What a finding holds, in the form that claims are compared with."""

from __future__ import annotations

from dataclasses import dataclass, field

from storewise.agent.grounding.dates import When, equal
from storewise.agent.grounding.numbers import Kind
from storewise.agent.grounding.tokens import tokens
from storewise.agent.grounding.wording import Window
from storewise.agent.grounding.words import ALIKE, MEASURES


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
        average: it is the average of many, not of one.
        window: the last days or weeks that it is counted over; together: it is the sum of several.
        label, subject: for the sentence that says what it is.
    """

    value: float
    kind: Kind
    measures: frozenset[str] = frozenset()
    units: frozenset[str] = frozenset()
    about: frozenset[str] | None = frozenset()
    own: tuple[frozenset[str], ...] = ()
    whens: tuple[When, ...] = ()
    span: tuple[When, ...] = ()
    own_when: When | None = None
    change: int = 0
    previous: bool = False
    average: bool = False
    window: Window | None = None
    together: bool = False
    count: bool = False
    current: bool = True
    label: str = ""
    subject: str = ""


@dataclass(slots=True, frozen=True)
class Group:
    """Names and periods that a finding says belong together: a row, a sentence, a quoted review."""

    names: frozenset[str]
    whens: tuple[When, ...]


@dataclass(slots=True, frozen=True)
class Dated:
    """A date that a finding holds as a value: "Last order" 2017-12-29."""

    when: When
    words: frozenset[str]
    about: frozenset[str]


@dataclass(slots=True, frozen=True)
class Statement:
    """A clause of a headline or a text: something rose or fell, or is the highest or lowest."""

    turn: int
    measures: frozenset[str]
    names: frozenset[str]
    whens: tuple[When, ...]
    extreme: bool = False


@dataclass(slots=True)
class Ranking:
    """A table with several rows: who or when each row is about, and the measures by column.

    Attributes:
        opinions: of each row, the measures that its text speaks of ("praise", "blame").
    """

    context: frozenset[str]
    rows: list[frozenset[str]] = field(default_factory=list)
    whens: list[When | None] = field(default_factory=list)
    opinions: list[frozenset[str]] = field(default_factory=list)
    columns: list[tuple[frozenset[str], list[float | None]]] = field(default_factory=list)

    @property
    def series(self) -> bool:
        """Whether the rows are periods."""
        return bool(self.whens) and all(self.whens)

    @property
    def measures(self) -> frozenset[str]:
        """The measures of all columns."""
        return frozenset(measure for named, _ in self.columns for measure in named)

    def row(self, names: frozenset[str], when: When | None = None) -> int | None:
        """Return the row that is about one of `names` or about `when`."""
        for at, own in enumerate(self.rows):
            here = self.whens[at]
            if names & own or (when and here and when.same(here)):
                return at
            if (
                when
                and here
                and here.grain == "week"
                and when.grain == "day"
                and equal(when.start, here.start)
            ):
                return at  # "the week (from 18 December)"
        return None


def alike(some: frozenset[str], others: frozenset[str]) -> bool:
    """Whether two sets of measures or units have one in common, or two that mean much the same."""
    return bool(some & others) or any(some & same and others & same for same in ALIKE)


def measures_of(*texts: str | None) -> frozenset[str]:
    """Return the measures that a column's label speaks of, else its name, else its unit."""
    for text in texts:
        norms = [token.norm for token in tokens((text or "").replace("_", " "))]
        found: set[str] = set()
        at = 0
        while at < len(norms):
            for length in range(min(5, len(norms) - at), 0, -1):
                phrase = tuple(norms[at : at + length])
                if phrase in MEASURES:
                    found |= MEASURES[phrase]
                    at += length - 1
                    break
            at += 1
        if found:
            return frozenset(found)
    return frozenset()
