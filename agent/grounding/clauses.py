"""What a sentence mentions, and its clauses: the stretches between commas, brackets and conjunctions."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from storewise.agent.grounding import dates, numbers
from storewise.agent.grounding.tokens import Sentence
from storewise.agent.grounding.words import DURATIONS

MentionKind = Literal["name", "when", "number", "measure", "quote", "unknown"]
_BREAKS = frozenset(
    ", ; : ( ) [ ] | – — ! ? and but while whereas than versus vs against then though although because "
    "compared followed which who yet nor or instead".split()
)
_REFERENCE = frozenset("than versus vs against compared instead".split())
_BEFORE_FIGURE = frozenset("$ about around just nearly over roughly only almost the some under".split())


@dataclass(slots=True)
class Mention:
    """Something that a sentence mentions, with the tokens that it takes.

    Attributes:
        names: the keys of the names that it may mean.
        what: the kind of thing that the names are.
        clause: the position of its clause in the sentence.
    """

    kind: MentionKind
    start: int
    end: int
    text: str
    names: frozenset[str] = frozenset()
    what: str = ""
    when: dates.When | None = None
    number: numbers.Number | None = None
    measures: frozenset[str] = frozenset()
    clause: int = 0


@dataclass(slots=True)
class Clause:
    """A stretch of a sentence between two breaks.

    Attributes:
        opener: the break before it, lower case ("" at the start).
        aside: whether it stands in brackets.
    """

    start: int
    end: int
    opener: str
    aside: bool = False


@dataclass(slots=True)
class Reading:
    """A sentence with what it mentions."""

    sentence: Sentence
    mentions: list[Mention] = field(default_factory=list)
    clauses: list[Clause] = field(default_factory=list)

    def of(self, kind: MentionKind) -> list[Mention]:
        """Return the mentions of a kind, in order."""
        return [mention for mention in self.mentions if mention.kind == kind]

    def norms(self, clause: int) -> list[str]:
        """Return the words of a clause, lower case and singular."""
        here = self.clauses[clause]
        return [token.norm for token in self.sentence.tokens[here.start : here.end]]


def settle(reading: Reading) -> None:
    """Share units among figures, read days of a month, and split the sentence into clauses."""
    _share_units(reading)
    _days_of_month(reading)
    _drop_plurals(reading)
    _split(reading)


def _share_units(reading: Reading) -> None:
    """Give figures the unit that only one of them carries: "104, 73 and 58 days", "2 orders, against 5.5"."""
    words = reading.sentence.tokens
    figures = reading.of("number")
    segments = {one.start for one in reading.of("name") if one.what == "segment"}
    for one in figures:
        if one.number and one.number.kind == "number" and one.number.unit is None and one.end in segments:
            one.number = replace(one.number, unit="customers")  # "the 536 Champions"
    unit: str | None = None
    for at, one in enumerate(figures):
        mine = one.number
        if mine is None or mine.kind != "number":
            continue
        lead = words[one.start - 1].norm if one.start else ""
        part = words[0].norm == "of" and at == 1 and lead == ","
        if mine.unit is None and (
            part or (lead == "against" and words[one.end : one.end + 1] and words[one.end].norm == "per")
        ):
            one.number = replace(mine, unit=unit)
        elif mine.unit not in DURATIONS:
            unit = mine.unit or unit
    listed = False
    for one, other in zip(reversed(figures[:-1]), reversed(figures[1:]), strict=True):
        mine, theirs = one.number, other.number
        between = [word.text.lower() for word in words[one.end : other.start]]
        joined = bool(between) and set(between) <= {",", "and", "or", "to", "-", "–"}
        listed = joined and (listed or between != [","])
        if mine is None or theirs is None or not listed:
            continue
        if mine.kind == "number" and mine.unit is None and theirs.kind in ("percent", "number"):
            one.number = replace(mine, kind=theirs.kind, unit=theirs.unit)


def _days_of_month(reading: Reading) -> None:
    """Read "on the 31st" as a day of the month that the sentence names."""
    words = reading.sentence.tokens
    months = [one.when for one in reading.of("when") if one.when and one.when.start[1] == one.when.end[1]]
    for mention in reading.of("number"):
        number = mention.number
        if not months or number is None or number.kind != "ordinal" or not 1 <= number.value <= 31:
            continue
        lead = [word.norm for word in words[max(0, mention.start - 2) : mention.start]]
        after = words[mention.end].norm if mention.end < len(words) else "."
        if lead == ["on", "the"] and not after.isalpha() and words[mention.start].is_number:
            year, month = months[-1].start[:2]
            day = (year, month, int(number.value))
            mention.kind, mention.number, mention.when = "when", None, dates.When(day, day, "day")


def _drop_plurals(reading: Reading) -> None:
    """Drop "customers" after the name of a segment or category: there it names, and measures nothing."""
    ends = {
        one.end
        for one in reading.of("name")
        if one.what in ("segment", "category", "brand", "name", "product")
    }
    reading.mentions = [
        one
        for one in reading.mentions
        if one.kind != "measure" or one.start not in ends or one.end - one.start > 1
    ]


def _split(reading: Reading) -> None:
    """Split the sentence into clauses at signs and conjunctions that stand in no mention."""
    words = reading.sentence.tokens
    inside = [False] * len(words)
    figures = {}
    for mention in reading.mentions:
        for at in range(mention.start + 1, mention.end):
            inside[at] = True
        if mention.kind == "number":
            figures[mention.start] = mention
        if mention.kind != "measure":
            inside[mention.start] = True
    clauses: list[Clause] = []
    start, opener, depth = 0, "", 0
    for at, word in enumerate(words):
        lower = word.text.lower()
        follow = words[at + 1].text.lower() if at + 1 < len(words) else ""
        before_figure = lower in ("to", "from", "after") and (
            at + 1 in figures or (at + 2 in figures and follow in _BEFORE_FIGURE)
        )
        then = lower in ("before", "after") and follow.endswith("ing")  # "fell to 8 before recovering"
        if inside[at] or not (lower in _BREAKS or before_figure or then):
            continue
        if at > start:
            clauses.append(Clause(start, at, opener, depth > 0))
        if word.text in "([":
            depth += 1
        elif word.text in ")]":
            depth = max(0, depth - 1)
        opener = opener if lower == "to" and opener in _REFERENCE else lower
        start = at + 1
    if start < len(words) or not clauses:
        clauses.append(Clause(start, len(words), opener, depth > 0))
    reading.clauses = clauses
    for mention in reading.mentions:
        mention.clause = next(
            (at for at, clause in enumerate(clauses) if clause.start <= mention.start < clause.end),
            len(clauses) - 1,
        )


def refers(clause: Clause) -> bool:
    """Whether a clause names what something is compared with ("than the month before")."""
    return clause.opener in _REFERENCE
