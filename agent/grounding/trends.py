"""What an answer says rose or fell, without a figure of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from storewise.agent.grounding.dates import When
from storewise.agent.grounding.facts import Ranking, alike
from storewise.agent.grounding.judge import Judge, anchored
from storewise.agent.grounding.wording import negated, tending, turning
from storewise.agent.grounding.words import DURATIONS

_UNREAL = frozenset("could would might may should if can will help unless whether need must want".split())
_ALWAYS = frozenset("steadily every each throughout continuously consistently constantly".split())


class Trends(Judge):
    """Checks what rose and fell."""

    def problems(self) -> list[str]:
        """Return a sentence for each statement that the findings do not bear out."""
        return [*self.turns()]

    def turns(self) -> Iterable[str]:
        """Check each "rose" and "fell" that has no figure of its own."""
        for clause in range(len(self.reading.clauses)):
            words = self.reading.norms(clause)
            if (
                any(figure.change and figure.clause == clause for figure in self.figures)
                or set(words) & _UNREAL
            ):
                continue
            for at in range(len(words)):
                compared = (
                    clause + 1 < len(self.reading.clauses)
                    and self.reading.clauses[clause + 1].opener == "than"
                )
                named = compared and any(one.kind == "name" for one in self.subjects(clause + 1))
                turn = turning(words, at) or (0 if named else tending(words, at))
                if not turn or (at and words[at - 1] == "to"):
                    continue
                says = self._between_figures(turn, clause)
                if says is None:
                    says = self._turned(turn, clause, words)
                if negated(words):
                    says = None if says is None else not says
                if says is False or (says is None and self._tangible(clause)):
                    yield f"No finding says that it {'rose' if turn > 0 else 'fell'} ('{words[at]}')."

    def _between_figures(self, turn: int, clause: int) -> bool | None:
        """Return whether "17 orders (up from 13)" goes the way that its two figures do."""
        later = [one for one in self.figures if one.clause == clause + 1]
        if (
            clause + 1 >= len(self.reading.clauses)
            or self.reading.clauses[clause + 1].opener != "from"
            or not later
        ):
            return None
        before = [
            one for one in self.figures if one.clause <= clause and one.number.kind == later[0].number.kind
        ]
        before = [one for one in before if one.number.unit not in DURATIONS and "horizon" not in one.measures]
        if not before:
            return None
        return turn * (before[-1].number.value - later[0].number.value) > 0

    def _tangible(self, clause: int) -> bool:
        return bool(self.sentence_measures() or self.reading.of("when") or self.reading.of("name"))

    def _turned(self, turn: int, clause: int, words: list[str]) -> bool | None:
        """Return whether the findings say so, or None where they say nothing of it."""
        near = {clause}
        for at in range(clause + 1, len(self.reading.clauses)):
            if self.reading.clauses[at].opener not in ("to", "from", "than", "compared", "(", "and", ","):
                break
            if self.reading.clauses[at].opener in ("and", ",") and at > clause + 1:
                break
            later = self.reading.norms(at)
            if any(turning(later, place) for place in range(len(later))):
                break
            near.add(at)
        whens = [one.when for one in self.reading.of("when") if one.when and one.clause in near]
        names = frozenset(name for one in self.reading.of("name") for name in one.names) or anchored(
            self.scene
        )
        measures = self.measures(clause) or self.sentence_measures()
        for figure in self.figures:
            if figure.number.unit and figure.clause in near:
                measures |= {figure.number.unit}
        seen = self._in_series(turn, whens, names, measures, words)
        if seen is not None:
            return seen
        agrees: bool | None = None
        for statement in self.book.statements:
            if statement.extreme:
                continue
            if names and statement.names and not names & statement.names:
                continue
            if (
                measures
                and statement.measures
                and not alike(measures, statement.measures - {"change"} or measures)
            ):
                continue
            if (
                whens
                and statement.whens
                and not any(
                    when.same(other) or when.holds(other) or other.holds(when)
                    for when in whens
                    for other in statement.whens
                )
            ):
                continue
            if statement.turn == turn:
                return True
            agrees = False
        return agrees

    def _in_series(
        self, turn: int, whens: list[When], names: frozenset[str], measures: frozenset[str], words: list[str]
    ) -> bool | None:
        for ranking in self.book.rankings:
            if not ranking.series or len(ranking.rows) < 2:
                continue
            if names and ranking.context and not names & ranking.context:
                continue
            fitting = [values for named, values in ranking.columns if alike(measures, named) or not measures]
            for values in fitting[:1]:
                points = self._points(ranking, whens)
                if points is None:
                    continue
                known = [values[at] for at in range(points[0], points[1] + 1)]
                if any(value is None for value in known) or len(known) < 2:
                    continue
                numbers = [value for value in known if value is not None]
                if set(words) & _ALWAYS:
                    steps = [turn * (after - before) > 0 for before, after in itertools.pairwise(numbers)]
                    return all(steps)
                return turn * (numbers[-1] - numbers[0]) > 0
        return None

    def _points(self, ranking: Ranking, whens: list[When]) -> tuple[int, int] | None:
        """Return the rows from which and to which something turned."""
        named = [part for when in whens for part in (when.parts or (when,))]
        rows = sorted({row for when in named if (row := ranking.row(frozenset(), when)) is not None})
        if len(rows) >= 2:
            return rows[0], rows[-1]
        if len(rows) == 1:
            return (rows[0] - 1, rows[0]) if rows[0] else None
        spans = [row for row in ranking.whens if row and any(when.holds(row) for when in whens)]
        return (0, len(ranking.rows) - 1) if not whens or spans else None
