"""What an answer says is likely or unlikely, and what it says is praised or blamed."""

from __future__ import annotations

from collections.abc import Iterable

from storewise.agent.grounding.facts import Ranking
from storewise.agent.grounding.figures import ANCHORS
from storewise.agent.grounding.judge import Judge, anchored
from storewise.agent.grounding.wording import negated
from storewise.agent.grounding.words import LEAVE, STAY


class Moods(Judge):
    """Checks likelihoods, levels and opinions."""

    def problems(self) -> list[str]:
        """Return a sentence for each statement that the findings do not bear out."""
        return [*self.likelihoods(), *self.opinions()]

    def opinions(self) -> Iterable[str]:
        """Check "they love the flavor and hate the smell" against what the reviews praise and blame."""
        for clause in range(len(self.reading.clauses)):
            said = {
                measure
                for one in self.reading.of("measure")
                if one.clause == clause
                for measure in one.measures & {"positive", "negative"}
            }
            counted = any(one.clause == clause for one in self.reading.of("number"))
            if len(said) != 1 or counted or negated(self.reading.norms(clause)):
                continue
            for one in self.reading.of("name"):
                if one.clause == clause and one.what in ("phrase", "aspect"):
                    found = [self._opinion(ranking, row) for ranking, row in self.rankings(one)]
                    if any(found) and not any(said & opinion for opinion in found):
                        yield f"No finding says that '{one.text}' is {'praised' if 'positive' in said else 'blamed'}."

    def _opinion(self, ranking: Ranking, row: int) -> frozenset[str]:
        """Return whether a row praises or blames: by its text, else by the larger of its two counts."""
        told = ranking.opinions[row] & {"positive", "negative"}
        counts: dict[str, float] = {}
        for named, values in ranking.columns:
            if len(named) == 1 and named <= {"positive", "negative"}:
                counts.setdefault(next(iter(named)), values[row] or 0.0)
        if told or len(counts) < 2:
            return told
        return frozenset(mood for mood, count in counts.items() if count >= max(counts.values()) / 2)

    def _level(self, clause: int, risks: list[float], names: frozenset[str]) -> Iterable[str]:
        """Check "a high risk" against the figure, where no finding gives a level."""
        groups = [group for group in self.book.groups if group.names & names]
        if any(level in group.names for group in groups for level in ("low", "medium", "high")):
            return
        for one in self.reading.of("name"):
            if one.what == "level" and one.clause == clause:
                if ("high" in one.names and max(risks) < 20) or ("low" in one.names and min(risks) >= 50):
                    yield f"A risk of {risks[0]:.1f} % is not '{one.text}'."

    def likelihoods(self) -> Iterable[str]:
        """Check "unlikely to leave", "not at risk", "a high risk" against the risk that a finding gives."""
        for clause in range(len(self.reading.clauses)):
            words = self.reading.norms(clause)
            said = _likely(words)
            levels = any(one.what == "level" and one.clause == clause for one in self.reading.of("name"))
            if said is None and not levels:
                continue
            anchors = [one for one in self.subjects(clause) if one.what in ANCHORS] or [
                one for one in self.before(clause) if one.what in ANCHORS
            ]
            names = frozenset(name for one in anchors for name in one.names) or anchored(self.scene)
            risks = [
                fact.value
                for fact in self.book.facts
                if fact.kind == "percent"
                and "risk" in fact.measures
                and not fact.average
                and not fact.change
                and fact.about is not None
                and names & (frozenset[str]().union(*fact.own) if fact.own else fact.about)
            ]
            if not risks or len(anchors) > 1:
                continue
            yield from self._level(clause, risks, names)
            if (said and max(risks) < 20) or (said is False and min(risks) >= 50):
                yield f"The risk that a finding gives is {risks[0]:.1f} %, which is not what the answer says."


def _likely(words: list[str]) -> bool | None:
    """Return whether a clause says that a customer or cart is likely (True) or unlikely (False) to be lost."""
    text = " ".join(words)
    if any(
        word in words
        for word in ("most", "likeliest", "least", "more", "less", "how", "%", "as", "if", "percent")
    ):
        return None
    turned = negated(words)
    if "at risk" in text or "in danger" in text:
        return not turned
    sure: bool | None = None
    if "unlikely" in words or "improbable" in words:
        sure = False
    elif any(word in words for word in ("likely", "probably", "probable")):
        sure = True
    elif "safe" in words:
        return turned
    if sure is None:
        return None
    leaves = any(word in LEAVE for word in words)
    stays = not leaves and any(word in STAY for word in words)
    if stays == leaves:
        return None
    return (sure != turned) if leaves else (sure == turned)
