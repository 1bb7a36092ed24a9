"""What an answer says is highest, lowest, first, more or less than something else, or next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from storewise.agent.grounding.book import Book
from storewise.agent.grounding.clauses import Mention, Reading
from storewise.agent.grounding.facts import alike
from storewise.agent.grounding.judge import Judge, falls, kind_of
from storewise.agent.grounding.ties import run_of
from storewise.agent.grounding.wording import extreme, negated
from storewise.agent.grounding.words import COMPARATIVE, SUPERLATIVE, UNITS

_RANKED = frozenset(
    "rank ranks ranked come comes came is was are were finish finished place placed in close distant".split()
)
_AFTER_RANK = frozenset(
    "place highest lowest most least largest biggest best riskiest likeliest on behind with is was :".split()
)
_RANK_NOUNS = frozenset(
    "customer household shopper month day week category product segment brand seller session cart aspect quarter "
    "spender risk performer item group".split()
)
_FOLLOW = frozenset(
    "for by in on at from with customer household session product review which who the of".split()
)
_NOT_RANKED = frozenset("bet way guess thing idea case to time part place known".split())


def listed(book: Book, readings: Sequence[Reading]) -> list[str]:
    """Check that numbered items stand in the order of some column of the table that holds them all."""
    items = [reading for reading in readings if reading.sentence.item]
    first = [next((one for one in reading.of("name")), None) for reading in items]
    names = [one for one in first if one]
    if len(names) < 2 or len(names) != len(items):
        return []
    for ranking in book.rankings:
        places = [ranking.row(one.names, None) for one in names]
        if None in places:
            continue
        order = [place for place in places if place is not None]
        columns = [[values[place] for place in order] for _, values in ranking.columns]
        if order == sorted(order) or any(_falls_or_rises(values) for values in columns):
            return []
        return [f"The list puts {names[0].text} to {names[-1].text} in another order than the finding."]
    return []


def _falls_or_rises(values: list[float | None]) -> bool:
    return falls(values) or falls(values[::-1])


class Orders(Judge):
    """Checks the highest and lowest, ranks, comparisons and what follows what."""

    def problems(self) -> list[str]:
        """Return a sentence for each statement that the findings do not bear out."""
        return [*self.extremes(), *self.ranks(), *self.comparisons(), *self.sequence()]

    # Highest and lowest

    def extremes(self) -> Iterable[str]:
        """Check each superlative against the tables and the headlines."""
        for clause in range(len(self.reading.clauses)):
            words = self.reading.norms(clause)
            start = self.reading.clauses[clause].start
            for at, word in enumerate(words):
                point = word in ("high", "low") and _is_point(words, at)
                if (not point and (word not in SUPERLATIVE or not self._ranks(words, at))) or negated(words):
                    continue
                side, hint = (1 if word == "high" else -1, None) if point else SUPERLATIVE[word]
                if word == "most" and words[at + 1 : at + 2] and words[at + 1] in ("clearly", "closely"):
                    hint = "place"
                measures = frozenset({hint}) if hint else self.measures(clause, start + at)
                subjects = self._of_superlative(clause, start + at)
                if not subjects:
                    continue
                if not measures and word not in ("best", "worst"):
                    measures = self.sentence_measures()
                problem = self._extreme(side, measures, subjects, words, at, start + at)
                if problem:
                    yield problem

    def _ranks(self, words: list[str], at: int) -> bool:
        word = words[at]
        before = words[at - 1] if at else ""
        after = words[at + 1] if at + 1 < len(words) else ""
        if (
            before in ("at", "one", "next", "it")
            or after in _NOT_RANKED
            or words[max(0, at - 3) : at][-3:-1] == ["one", "of"]
        ):
            return False
        if "one" in words[:at] and "of" in words[:at]:
            return False
        if word in ("most", "least"):
            if after in ("clearly", "closely"):
                return True
            measured = any((after,) == phrase[:1] for phrase in _MEASURE_STARTS) or after in UNITS
            ends = at + 1 == len(words) or after in (".", "at", "by", "in", "is", "with")
            return measured or ends
        if word in (
            "top",
            "best",
            "worst",
            "strongest",
            "weakest",
            "lead",
            "leading",
            "peak",
            "max",
            "min",
            "bottom",
        ):
            return after not in ("up", "down")
        return True

    def _of_superlative(self, clause: int, position: int) -> list[Mention]:
        here = self._rankable(clause)
        if here and (
            any(True for _ in self.rankings(here[0])) or not any(self._rankable(at) for at in range(clause))
        ):
            return here
        if clause + 1 < len(self.reading.clauses):
            follow = self.reading.clauses[clause + 1]
            first = (
                self.reading.sentence.tokens[follow.start].text.lower() if follow.end > follow.start else ""
            )
            if follow.opener in (":", "(", "—", "–") or (follow.opener == "," and first in _FOLLOW):
                behind = self._rankable(clause + 1)
                if behind:
                    return behind
        before = self.before(clause)
        if before:
            return before[-1:] if len(before) > 1 and not self._plural(position) else before
        return []

    def _rankable(self, clause: int) -> list[Mention]:
        """Return the names or periods of a clause that a superlative can be about: those of a table's rows first."""
        here = self.subjects(clause)
        rows = [one for one in here if next(self.rankings(one), None)]
        here = rows or here
        words = self.reading.sentence.tokens
        of = [one for one in here if one.start and words[one.start - 1].norm == "of"]
        here = [one for one in here if one not in of] or here  # "the best of cheese is ..."
        names = [one for one in here if one.kind != "when"]
        return here if not names or self._series_speaks() else names

    def _series_speaks(self) -> bool:
        return bool(self.book.rankings) and all(ranking.series for ranking in self.book.rankings)

    def _plural(self, position: int) -> int:
        """Return how many a superlative speaks of ("the three riskiest customers"): 0 one, -1 several."""
        words = self.reading.sentence.tokens
        for mention in self.reading.of("number"):
            number = mention.number
            if number and number.kind == "number" and abs(mention.start - position) <= 3:
                if number.step == 1 and 2 <= number.value <= 100:
                    return int(number.value)
        follow = words[max(0, position - 4) : position + 4]
        plural = any(word.norm in UNITS and word.text.lower().endswith("s") for word in follow)
        return (
            -1
            if plural and any(word.text.lower() in ("are", "were", "come", "speak") for word in words)
            else 0
        )

    def _extreme(
        self,
        side: int,
        measures: frozenset[str],
        subjects: list[Mention],
        words: list[str],
        at: int,
        position: int,
    ) -> str | None:
        chosen = self._chosen(position, subjects)
        decidable = False
        for ranking, _ in self.rankings(chosen[0]):
            places = [ranking.row(one.names, one.when) for one in chosen]
            if None in places:
                continue
            decidable = True
            rows = {place for place in places if place is not None}
            count = len(rows)
            if (
                side > 0
                and not ranking.series
                and rows == set(range(count))
                and not alike(measures, ranking.measures)
            ):
                return None
            for values in self.columns(ranking, measures) if measures != {"place"} else []:
                ordered = sorted((value for value in values if value is not None), reverse=side > 0)
                own = [values[row] for row in rows]
                if len(ordered) >= count and all(value is not None for value in own):
                    edge = ordered[count - 1]
                    if self._restricted():  # "among the bigger ones": the better half will do
                        edge = ordered[max(count - 1, (len(ordered) - 1) // 2)]
                    if all(value >= edge if side > 0 else value <= edge for value in own):  # type: ignore[operator]
                        return None
        one = chosen[0]
        if not decidable and measures == {"place"}:
            return None  # the only one
        opposite = False
        for statement in self.book.statements:
            if not statement.extreme:
                continue
            same = (not statement.measures and not measures) or alike(measures, statement.measures)
            if statement.turn == -side and same:
                opposite = True
            named = one.names & statement.names or (
                one.when and any(one.when.same(when) for when in statement.whens)
            )
            fits = not measures or alike(measures, statement.measures)
            if named and fits and statement.turn == side:
                return None
        noun = any(word in _RANK_NOUNS for word in words[at + 1 : at + 4]) or bool(measures)
        if decidable or noun or opposite:
            return f"No finding says that {one.text} is the '{words[at]}'."
        return None

    def _restricted(self) -> bool:
        words = {token.norm for token in self.reading.sentence.tokens}
        return bool(words & {"among", "apart", "beside", "besides", "except", "excluding", "otherwise"})

    def _chosen(self, position: int, subjects: list[Mention]) -> list[Mention]:
        """Return whom a superlative is about: the name or list before it, else the one after, or as many as it says."""
        ahead = [one for one in subjects if one.end <= position]
        first = ahead[0] if ahead else subjects[0]
        alike_ones = [
            one for one in self.reading.mentions if one.kind == first.kind and kind_of(one) == kind_of(first)
        ]
        number = self._plural(position)
        if number and first.start > position:
            following = [one for one in alike_ones if one.start > position]
            return following[:number] if number > 0 else following
        words = self.reading.sentence.tokens
        if words[position].text.lower() == "lead" and len(ahead) and len(alike_ones) > 1:
            return [one for one in alike_ones if one.end <= position]  # "A with 3, B with 2 and C lead"
        run = run_of(alike_ones, first, self.reading)
        run = [one for one in run if next(self.rankings(one), None)] or [first]
        return run if ahead and run[-1].end <= position else [first]

    # Ranks

    def ranks(self) -> Iterable[str]:
        """Check "ranks third", "second place", "the second was ..." against the order of the tables."""
        words = [token.norm for token in self.reading.sentence.tokens]
        for mention in self.reading.of("number"):
            number = mention.number
            if number is None or number.kind != "ordinal":
                continue
            before = words[mention.start - 1] if mention.start else ""
            after = words[mention.end] if mention.end < len(words) else ""
            here = self.subjects(mention.clause)
            ahead = [one for one in here if one.end <= mention.start]
            behind = [one for one in here if one.start >= mention.end]
            ends = mention.end == self.reading.clauses[mention.clause].end or after == "."
            beside = bool(ahead) and ahead[-1].end == mention.start and ends and number.value > 1
            counted = before == "the" and bool(behind) and behind[0].start - mention.end <= 2
            if not (before in _RANKED or after in _AFTER_RANK or beside or counted):
                continue
            picks = (before == "the" and after in ("is", "was", ":")) or not ahead or counted
            subject = (behind[:1] if picks and behind else ahead[-1:]) or self.before(mention.clause)[-1:]
            if not subject or (before == "the" and not behind):
                continue
            side = -1 if after in ("lowest", "least") else 1
            if not self._at_rank(subject[0], int(number.value), side, self.measures(mention.clause)):
                yield f"{subject[0].text} is not number {int(number.value)} in any finding."

    def _at_rank(self, one: Mention, rank: int, side: int, measures: frozenset[str]) -> bool:
        found = False
        for ranking, row in self.rankings(one):
            found = True
            if row + 1 == rank and side > 0:
                return True
            for values in self.columns(ranking, measures) if measures or side < 0 else []:
                own = values[row]
                if own is not None:
                    better = sum(1 for value in values if value is not None and side * value > side * own)
                    if better + 1 == rank:
                        return True
        return not found and not self.book.rankings

    # Comparisons

    def comparisons(self) -> Iterable[str]:
        """Check "900 is riskier than 1228", "higher in May than in April", "just behind 1228"."""
        for clause in range(len(self.reading.clauses)):
            words = self.reading.norms(clause)
            start = self.reading.clauses[clause].start
            for at, word in enumerate(words):
                if word not in COMPARATIVE or negated(words):
                    continue
                side, hint = COMPARATIVE[word]
                yield from self._than_period(clause, side, word)
                pair = self._pair(clause, start + at, word)
                if pair is None or any(one.change and one.clause == clause for one in self.figures):
                    continue  # a change is checked with its figure
                one, other = pair
                measures = (
                    frozenset({hint})
                    if hint
                    else self.measures(clause, start + at) or self.sentence_measures()
                )
                if hint == "units" and self.sentence_measures():
                    measures = self.sentence_measures()
                truth = self._compare(one, other, measures)
                if truth is None or truth != side:
                    yield f"No finding says that {one.text} is '{word}' compared with {other.text}."

    def _than_period(self, clause: int, side: int, word: str) -> Iterable[str]:
        """Check "fewer than in July", where the period that is compared is the question's or the current one."""
        later = self.subjects(clause + 1) if clause + 1 < len(self.reading.clauses) else []
        if not later or self.reading.clauses[clause + 1].opener != "than" or later[0].when is None:
            return
        if any(one.kind == "when" for one in (*self.subjects(clause), *self.before(clause, "when"))):
            return
        if any(one.change and one.clause == clause for one in self.figures):
            return
        for ranking in self.book.rankings:
            row = ranking.row(frozenset(), later[0].when)
            asked = [ranking.row(frozenset(), when) for when in self.scene.whens]
            here = next((at for at in asked if at is not None and at != row), len(ranking.rows) - 1)
            if row is None or here == row or not ranking.series or not ranking.columns:
                continue
            mine, theirs = ranking.columns[0][1][here], ranking.columns[0][1][row]
            if mine is not None and theirs is not None and side * (mine - theirs) <= 0:
                yield f"No finding says that it is '{word}' compared with {later[0].text}."

    def _pair(self, clause: int, position: int, word: str) -> tuple[Mention, Mention] | None:
        here = self.subjects(clause)
        behind = [one for one in here if one.start > position]
        ahead = [one for one in here if one.start < position]
        transitive = word in (
            "beat",
            "outsold",
            "outsell",
            "behind",
            "ahead",
            "above",
            "below",
            "topped",
            "exceeded",
            "exceed",
        )
        transitive = transitive or word in (
            "outperformed",
            "surpassed",
            "outspent",
            "outspend",
            "trail",
            "trailed",
        )
        if transitive and behind:
            other = behind[0]
            subject = [one for one in ahead if kind_of(one) == kind_of(other)] or self.before(
                clause, kind_of(other)
            )
            return (subject[0], other) if subject and subject[0] is not other else None
        if clause + 1 < len(self.reading.clauses) and self.reading.clauses[clause + 1].opener == "than":
            others = self.subjects(clause + 1)
            for other in others:
                subject = [one for one in here if kind_of(one) == kind_of(other)] or self.before(
                    clause, kind_of(other)
                )
                if subject:
                    return subject[-1], other
        return None

    def _compare(self, one: Mention, other: Mention, measures: frozenset[str]) -> int | None:
        """Return 1 where `one` has more than `other`, -1 for less, 0 for as much, None where nothing says."""
        for ranking, row in self.rankings(one):
            against = ranking.row(other.names, other.when)
            if against is None or against == row:
                continue
            fitting = [values for named, values in ranking.columns if alike(measures, named)]
            if not fitting and not ranking.series:
                if measures & _MEASURED and not alike(measures, frozenset({"rows"})) and measures != {"risk"}:
                    continue
                return 1 if row < against else -1
            for values in fitting or [values for _, values in ranking.columns][:1]:
                mine, theirs = values[row], values[against]
                if mine is not None and theirs is not None:
                    return (mine > theirs) - (mine < theirs)
        mine_values = self._values(one, measures)
        their_values = self._values(other, measures)
        for kind in mine_values:
            if kind in their_values:
                mine, theirs = mine_values[kind], their_values[kind]
                return (mine > theirs) - (mine < theirs)
        return None

    def _values(self, one: Mention, measures: frozenset[str]) -> dict[str, float]:
        found: dict[str, float] = {}
        for fact in self.book.facts:
            if fact.count or fact.change or fact.about is None or not alike(measures, fact.measures):
                continue
            own = frozenset[str]().union(*fact.own) if fact.own else fact.about
            if (one.names and one.names & own) or (
                one.when and fact.own_when and one.when.same(fact.own_when)
            ):
                found.setdefault(fact.kind, fact.value)
        return found

    def sequence(self) -> Iterable[str]:
        """Check "followed by", "then" and "next come" against the order of the table that holds both names."""
        yield from self._next_come()
        for clause in range(1, len(self.reading.clauses)):
            if self.reading.clauses[clause].opener not in ("followed", "then"):
                continue
            here = [one for one in self.subjects(clause) if one.kind == "name"]
            before = [one for one in self.before(clause) if one.kind == "name"]
            if not here or not before or extreme(self.reading.norms(clause)) < 0:
                continue
            orders = []
            for ranking, row in self.rankings(before[-1]):
                later = ranking.row(here[0].names, None)
                if later is None or ranking.series:
                    continue
                columns = [values for _, values in ranking.columns]
                falls = any(_less(values[later], values[row]) for values in columns)
                orders.append(row < later or falls)
            if orders and not any(orders):
                yield f"{here[0].text} does not come after {before[-1].text} in any finding."

    def _next_come(self) -> Iterable[str]:
        for clause in range(len(self.reading.clauses)):
            words = self.reading.norms(clause)
            if words[:2] not in (["next", "come"], ["next", "is"], ["next", "are"]):
                continue
            here = [one for one in self.reading.mentions if one.kind == "name" and one.clause >= clause]
            here = [one for one in here if kind_of(one) == kind_of(here[0])]
            before = self.before(clause)[-1:]
            names = (
                before[0].names if before else self.scene.names.get(here[0].what if here else "", frozenset())
            )
            for ranking in self.book.rankings:
                row = ranking.row(names)
                places = [ranking.row(one.names) for one in here]
                if row is None or None in places or ranking.series or not here:
                    continue
                if len(before) == 1 and set(places) != set(range(row + 1, row + 1 + len(set(places)))):
                    yield f"{here[0].text} does not come next after {before[0].text} in the finding."


def _is_point(words: list[str], at: int) -> bool:
    """Whether "high" or "low" is a point: "the low point", "a record high of", "hit a low in May"."""
    after = words[at + 1] if at + 1 < len(words) else ""
    lead = words[at - 1] if at else ""
    named = lead in ("a", "its", "their", "record", "new", "yearly", "monthly", "weekly", "daily", "the")
    return after in ("point", "mark") or (named and after in ("of", "in", "on", "at", "with", ".", ""))


def _less(one: float | None, other: float | None) -> bool:
    return one is not None and other is not None and one < other


_MEASURED = frozenset("revenue spend units orders customers risk value average_order_value share".split())
_MEASURE_STARTS = [
    (word,)
    for word in "revenue sale money unit order customer risk at likely spend value mention praise blame complaint "
    "review share turnover taking valuable frequent expensive per risky safe".split()
]
