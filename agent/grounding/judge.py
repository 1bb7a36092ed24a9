"""What the checks of statements without a figure share: who is spoken of, which measure, which table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from storewise.agent.grounding.book import Book
from storewise.agent.grounding.claims import Claim, Scene
from storewise.agent.grounding.clauses import Mention, Reading, refers
from storewise.agent.grounding.facts import Ranking, alike
from storewise.agent.grounding.figures import ANCHORS


class Judge:
    """One sentence of an answer beside the book of facts."""

    def __init__(self, book: Book, reading: Reading, scene: Scene, figures: Sequence[Claim]) -> None:
        self.book = book
        self.reading = reading
        self.scene = scene
        self.figures = figures

    def subjects(self, clause: int) -> list[Mention]:
        """Return the names or periods of a clause that a table ranks."""
        return [
            one
            for one in self.reading.mentions
            if one.clause == clause
            and (one.kind == "when" or (one.kind == "name" and one.what not in ("level", "sentiment")))
        ]

    def before(self, clause: int, kind: str = "") -> list[Mention]:
        """Return the subject of the nearest clause before, leaving out what is only compared with."""
        for at in range(clause - 1, -1, -1):
            here = self.subjects(at)
            words = self.reading.norms(at)
            compared = next((i for i, word in enumerate(words) if word in ("behind", "ahead")), None)
            start = self.reading.clauses[at].start
            free = [
                one
                for one in here
                if (not kind or kind_of(one) == kind) and (compared is None or one.start < start + compared)
            ]
            if free and not refers(self.reading.clauses[at]):
                return free
        return []

    def measures(self, clause: int, near: int | None = None) -> frozenset[str]:
        """Return the measure that a clause speaks of: the nearest one, else the sentence's, else the scene's."""
        here = [one for one in self.reading.of("measure") if one.clause == clause]
        if here and near is not None:
            after = [one for one in here if one.start >= near]
            return (after or here)[0].measures
        if here:
            return frozenset().union(*(one.measures for one in here))
        for number in self.reading.of("number"):
            if number.clause == clause and number.number and number.number.unit:
                return frozenset({number.number.unit})
        return frozenset()

    def sentence_measures(self) -> frozenset[str]:
        """Return all measures that the sentence speaks of."""
        return frozenset(measure for one in self.reading.of("measure") for measure in one.measures)

    def rankings(self, one: Mention) -> Iterator[tuple[Ranking, int]]:
        """Yield the tables that have a row about a name or period, with the row."""
        for ranking in self.book.rankings:
            row = ranking.row(one.names, one.when)
            if row is not None:
                yield ranking, row

    def columns(self, ranking: Ranking, measures: frozenset[str]) -> list[list[float | None]]:
        """Return the columns of these measures; without a measure, those that the rows are sorted by, else all."""
        fitting = [values for named, values in ranking.columns if alike(measures, named)]
        everything = [values for _, values in ranking.columns]
        falling = [values for values in everything if len(set(values)) > 1 and falls(values)]
        return fitting or falling or everything


def kind_of(one: Mention) -> str:
    """Return what a mention names, "when" for a period."""
    return "when" if one.kind == "when" else one.what


def anchored(scene: Scene) -> frozenset[str]:
    """Return the customer, session or review that was last spoken of."""
    for kind in ANCHORS:
        if scene.names.get(kind):
            return scene.names[kind]
    return frozenset()


def falls(values: list[float | None]) -> bool:
    """Whether the values of a column fall from row to row."""
    known = [value for value in values if value is not None]
    return len(known) == len(values) and known == sorted(known, reverse=True)
