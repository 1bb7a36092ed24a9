"""Statements without a figure: highest and lowest, ranks, comparisons, what rose or fell, what is likely."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence

from storewise.agent.grounding import claims
from storewise.agent.grounding.book import Book
from storewise.agent.grounding.claims import Claim, Scene
from storewise.agent.grounding.dates import When
from storewise.agent.grounding.facts import Ranking, alike
from storewise.agent.grounding.reading import Mention, Reading, refers
from storewise.agent.grounding.words import COMPARATIVE, DURATIONS, LEAVE, STAY, SUPERLATIVE, UNITS

_ANCHORS = ("customer", "session", "review")
_UNREAL = frozenset("could would might may should if can will help unless whether need must want".split())
_ALWAYS = frozenset("steadily every each throughout continuously consistently constantly".split())
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


def problems(book: Book, reading: Reading, scene: Scene, figures: Sequence[Claim]) -> list[str]:
    """Return a sentence for each order, comparison or turn in `reading` that the findings do not bear out."""
    judge = _Judge(book, reading, scene, figures)
    return [
        *judge.extremes(),
        *judge.ranks(),
        *judge.comparisons(),
        *judge.sequence(),
        *judge.turns(),
        *judge.likelihoods(),
        *judge.opinions(),
    ]


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


def _falls(values: list[float | None]) -> bool:
    known = [value for value in values if value is not None]
    return len(known) == len(values) and known == sorted(known, reverse=True)


def _falls_or_rises(values: list[float | None]) -> bool:
    return _falls(values) or _falls(values[::-1])


class _Judge:
    def __init__(self, book: Book, reading: Reading, scene: Scene, figures: Sequence[Claim]) -> None:
        self.book = book
        self.reading = reading
        self.scene = scene
        self.figures = figures

    # What stands where

    def _subjects(self, clause: int) -> list[Mention]:
        """Return the names or periods of a clause that a table ranks."""
        return [
            one
            for one in self.reading.mentions
            if one.clause == clause
            and (one.kind == "when" or (one.kind == "name" and one.what not in ("level", "sentiment")))
        ]

    def _before(self, clause: int, kind: str = "") -> list[Mention]:
        """Return the subject of the nearest clause before, leaving out what is only compared with."""
        for at in range(clause - 1, -1, -1):
            here = self._subjects(at)
            words = self.reading.norms(at)
            compared = next((i for i, word in enumerate(words) if word in ("behind", "ahead")), None)
            start = self.reading.clauses[at].start
            free = [
                one
                for one in here
                if (not kind or _kind(one) == kind) and (compared is None or one.start < start + compared)
            ]
            if free and not refers(self.reading.clauses[at]):
                return free
        return []

    def _measures(self, clause: int, near: int | None = None) -> frozenset[str]:
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

    def _sentence_measures(self) -> frozenset[str]:
        return frozenset(measure for one in self.reading.of("measure") for measure in one.measures)

    def _rankings(self, one: Mention) -> Iterator[tuple[Ranking, int]]:
        for ranking in self.book.rankings:
            row = ranking.row(one.names, one.when)
            if row is not None:
                yield ranking, row

    def _columns(self, ranking: Ranking, measures: frozenset[str]) -> list[list[float | None]]:
        """Return the columns of these measures; without a measure, those that the rows are sorted by, else all."""
        fitting = [values for named, values in ranking.columns if alike(measures, named)]
        everything = [values for _, values in ranking.columns]
        falling = [values for values in everything if len(set(values)) > 1 and _falls(values)]
        return fitting or falling or everything

    # Highest and lowest

    def extremes(self) -> Iterable[str]:
        """Check each superlative against the tables and the headlines."""
        for clause in range(len(self.reading.clauses)):
            words = self.reading.norms(clause)
            start = self.reading.clauses[clause].start
            for at, word in enumerate(words):
                point = word in ("high", "low") and _is_point(words, at)
                if (not point and (word not in SUPERLATIVE or not self._ranks(words, at))) or claims.negated(
                    words
                ):
                    continue
                side, hint = (1 if word == "high" else -1, None) if point else SUPERLATIVE[word]
                if word == "most" and words[at + 1 : at + 2] and words[at + 1] in ("clearly", "closely"):
                    hint = "place"
                measures = frozenset({hint}) if hint else self._measures(clause, start + at)
                subjects = self._of_superlative(clause, start + at)
                if not subjects:
                    continue
                if not measures and word not in ("best", "worst"):
                    measures = self._sentence_measures()
                problem = self._extreme(side, measures, subjects, words, at, start + at)
                if problem:
                    yield problem

    def _ranks(self, words: list[str], at: int) -> bool:
        word = words[at]
        before = words[at - 1] if at else ""
        after = words[at + 1] if at + 1 < len(words) else ""
        if (
            before in ("at", "one", "next")
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
            any(True for _ in self._rankings(here[0])) or not any(self._rankable(at) for at in range(clause))
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
        before = self._before(clause)
        if before:
            return before[-1:] if len(before) > 1 and not self._plural(position) else before
        return []

    def _rankable(self, clause: int) -> list[Mention]:
        """Return the names or periods of a clause that a superlative can be about: those of a table's rows first."""
        here = self._subjects(clause)
        rows = [one for one in here if next(self._rankings(one), None)]
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
        for ranking, _ in self._rankings(chosen[0]):
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
            for values in self._columns(ranking, measures) if measures != {"place"} else []:
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
            one for one in self.reading.mentions if one.kind == first.kind and _kind(one) == _kind(first)
        ]
        number = self._plural(position)
        if number and first.start > position:
            following = [one for one in alike_ones if one.start > position]
            return following[:number] if number > 0 else following
        words = self.reading.sentence.tokens
        if words[position].text.lower() == "lead" and len(ahead) and len(alike_ones) > 1:
            return [one for one in alike_ones if one.end <= position]  # "A with 3, B with 2 and C lead"
        run = claims.run_of(alike_ones, first, self.reading)
        run = [one for one in run if next(self._rankings(one), None)] or [first]
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
            here = self._subjects(mention.clause)
            ahead = [one for one in here if one.end <= mention.start]
            behind = [one for one in here if one.start >= mention.end]
            ends = mention.end == self.reading.clauses[mention.clause].end or after == "."
            beside = bool(ahead) and ahead[-1].end == mention.start and ends and number.value > 1
            counted = before == "the" and bool(behind) and behind[0].start - mention.end <= 2
            if not (before in _RANKED or after in _AFTER_RANK or beside or counted):
                continue
            picks = (before == "the" and after in ("is", "was", ":")) or not ahead or counted
            subject = (behind[:1] if picks and behind else ahead[-1:]) or self._before(mention.clause)[-1:]
            if not subject or (before == "the" and not behind):
                continue
            side = -1 if after in ("lowest", "least") else 1
            if not self._at_rank(subject[0], int(number.value), side, self._measures(mention.clause)):
                yield f"{subject[0].text} is not number {int(number.value)} in any finding."

    def _at_rank(self, one: Mention, rank: int, side: int, measures: frozenset[str]) -> bool:
        found = False
        for ranking, row in self._rankings(one):
            found = True
            if row + 1 == rank and side > 0:
                return True
            for values in self._columns(ranking, measures) if measures or side < 0 else []:
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
                if word not in COMPARATIVE or claims.negated(words):
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
                    else self._measures(clause, start + at) or self._sentence_measures()
                )
                if hint == "units" and self._sentence_measures():
                    measures = self._sentence_measures()
                truth = self._compare(one, other, measures)
                if truth is None or truth != side:
                    yield f"No finding says that {one.text} is '{word}' compared with {other.text}."

    def _than_period(self, clause: int, side: int, word: str) -> Iterable[str]:
        """Check "fewer than in July", where the period that is compared is the question's or the current one."""
        later = self._subjects(clause + 1) if clause + 1 < len(self.reading.clauses) else []
        if not later or self.reading.clauses[clause + 1].opener != "than" or later[0].when is None:
            return
        if any(one.kind == "when" for one in (*self._subjects(clause), *self._before(clause, "when"))):
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
        here = self._subjects(clause)
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
            subject = [one for one in ahead if _kind(one) == _kind(other)] or self._before(
                clause, _kind(other)
            )
            return (subject[0], other) if subject and subject[0] is not other else None
        if clause + 1 < len(self.reading.clauses) and self.reading.clauses[clause + 1].opener == "than":
            others = self._subjects(clause + 1)
            for other in others:
                subject = [one for one in here if _kind(one) == _kind(other)] or self._before(
                    clause, _kind(other)
                )
                if subject:
                    return subject[-1], other
        return None

    def _compare(self, one: Mention, other: Mention, measures: frozenset[str]) -> int | None:
        """Return 1 where `one` has more than `other`, -1 for less, 0 for as much, None where nothing says."""
        for ranking, row in self._rankings(one):
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
            here = [one for one in self._subjects(clause) if one.kind == "name"]
            before = [one for one in self._before(clause) if one.kind == "name"]
            if not here or not before or claims.extreme(self.reading.norms(clause)) < 0:
                continue
            orders = []
            for ranking, row in self._rankings(before[-1]):
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
            here = [one for one in here if _kind(one) == _kind(here[0])]
            before = self._before(clause)[-1:]
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

    # Rose and fell

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
                named = compared and any(one.kind == "name" for one in self._subjects(clause + 1))
                turn = claims.turning(words, at) or (0 if named else claims.tending(words, at))
                if not turn or (at and words[at - 1] == "to"):
                    continue
                says = self._between_figures(turn, clause)
                if says is None:
                    says = self._turned(turn, clause, words)
                if claims.negated(words):
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
        return bool(self._sentence_measures() or self.reading.of("when") or self.reading.of("name"))

    def _turned(self, turn: int, clause: int, words: list[str]) -> bool | None:
        """Return whether the findings say so, or None where they say nothing of it."""
        near = {clause}
        for at in range(clause + 1, len(self.reading.clauses)):
            if self.reading.clauses[at].opener not in ("to", "from", "than", "compared", "(", "and", ","):
                break
            if self.reading.clauses[at].opener in ("and", ",") and at > clause + 1:
                break
            later = self.reading.norms(at)
            if any(claims.turning(later, place) for place in range(len(later))):
                break
            near.add(at)
        whens = [one.when for one in self.reading.of("when") if one.when and one.clause in near]
        names = frozenset(name for one in self.reading.of("name") for name in one.names) or _anchored(
            self.scene
        )
        measures = self._measures(clause) or self._sentence_measures()
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

    # Praise and blame

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
            if len(said) != 1 or counted or claims.negated(self.reading.norms(clause)):
                continue
            for one in self.reading.of("name"):
                if one.clause == clause and one.what in ("phrase", "aspect"):
                    found = [self._opinion(ranking, row) for ranking, row in self._rankings(one)]
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

    # Likely and unlikely

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
            anchors = [one for one in self._subjects(clause) if one.what in _ANCHORS] or [
                one for one in self._before(clause) if one.what in _ANCHORS
            ]
            names = frozenset(name for one in anchors for name in one.names) or _anchored(self.scene)
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


def _is_point(words: list[str], at: int) -> bool:
    """Whether "high" or "low" is a point: "the low point", "a record high of", "hit a low in May"."""
    after = words[at + 1] if at + 1 < len(words) else ""
    lead = words[at - 1] if at else ""
    named = lead in ("a", "its", "their", "record", "new", "yearly", "monthly", "weekly", "daily", "the")
    return after in ("point", "mark") or (named and after in ("of", "in", "on", "at", "with", ".", ""))


def _likely(words: list[str]) -> bool | None:
    """Return whether a clause says that a customer or cart is likely (True) or unlikely (False) to be lost."""
    text = " ".join(words)
    if any(
        word in words
        for word in ("most", "likeliest", "least", "more", "less", "how", "%", "as", "if", "percent")
    ):
        return None
    turned = claims.negated(words)
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


def _anchored(scene: Scene) -> frozenset[str]:
    for kind in _ANCHORS:
        if scene.names.get(kind):
            return scene.names[kind]
    return frozenset()


def _kind(one: Mention) -> str:
    return "when" if one.kind == "when" else one.what


def _less(one: float | None, other: float | None) -> bool:
    return one is not None and other is not None and one < other


_MEASURED = frozenset("revenue spend units orders customers risk value average_order_value share".split())
_MEASURE_STARTS = [
    (word,)
    for word in "revenue sale money unit order customer risk at likely spend value mention praise blame complaint "
    "review share turnover taking valuable frequent expensive per risky safe".split()
]
