"""A figure of an answer against the facts: value, kind, unit, measure, whom it is about, and when."""

from __future__ import annotations

from collections.abc import Sequence

from storewise.agent.grounding.book import Book
from storewise.agent.grounding.claims import Claim
from storewise.agent.grounding.clauses import Mention, Reading
from storewise.agent.grounding.dates import When, equal
from storewise.agent.grounding.facts import Fact, alike
from storewise.agent.grounding.lexicon import SIZES
from storewise.agent.grounding.numbers import Number
from storewise.agent.grounding.tokens import singular, tokens
from storewise.agent.grounding.wording import extreme, negated
from storewise.agent.grounding.words import DURATIONS, LEAVE, STAY

ANCHORS = ("customer", "session", "review")
_COUNTED = frozenset("units orders customers recency gap score similarity rating mentions".split())
_LABELS = ("segment", "level", "sentiment")
_OPINIONS = frozenset({"positive", "negative"})


class Figures:
    """Compares the figures of one sentence with the facts of a book.

    `following` are the sentences after it, whose items it may count.
    """

    def __init__(self, book: Book, reading: Reading, following: Sequence[Reading]) -> None:
        self.book = book
        self.reading = reading
        self.following = following

    def problem(self, claim: Claim) -> str | None:
        """Return what is wrong with a figure, or None where a fact bears it out."""
        number = claim.number
        words = self.reading.sentence.tokens
        at = claim.start + 1
        if at < len(words) and words[at].norm in SIZES and number.kind == "number":
            known = self._is_size(claim, words[claim.start].norm, words[at].norm)
            return None if known else f"'{words[claim.start].text} {words[at].text}' stands in no finding."
        nearest: tuple[int, Fact, str] | None = None
        for fact in self.book.facts:
            if not _fits(number, fact):
                continue
            rank, why = self._against(claim, fact)
            if not why:
                return None
            if nearest is None or rank > nearest[0]:
                nearest = (rank, fact, why)
        if (
            self._counted(claim)
            or self._was_asked(claim)
            or (number.text.startswith("no ") and self._none_found())
        ):
            return None
        if nearest is None:
            return f"'{number.text}' stands in no finding."
        return nearest[2]

    def _is_size(self, claim: Claim, number: str, size: str) -> bool:
        """Whether a size, such as 12 oz, is that of the name before it, or of any name of the findings."""
        named = [one for one in self.reading.of("name") if one.end == claim.start]
        if named:
            return any(f" {number} {size}" in f" {name}" for name in named[0].names)
        return (number, size) in self.book.sizes

    def _none_found(self) -> bool:
        """Whether a finding of the turn says itself that there is none."""
        words = {token.norm for text in self.book.said for token in tokens(text)}
        return bool(words & {"no", "none", "nothing", "nobody"})

    def _against(self, claim: Claim, fact: Fact) -> tuple[int, str]:
        """Return how near a fact of the right value comes to a claim, and what is wrong with it ("" if nothing)."""
        said = f"'{claim.number.text}'"
        of = f" of {fact.subject}" if fact.subject else ""
        what = f"the {fact.label}{of}" if fact.label else f"another figure{of}"
        if not self._unit_fits(claim, fact):
            return 0, f"{said} is {what}" + (
                f", not a number of {claim.number.unit}." if claim.number.unit else "."
            )
        if fact.change != claim.change and (fact.change or claim.change):
            if fact.change and claim.change:
                return 1, f"{said} is how much it {'rose' if fact.change > 0 else 'fell'}, not the other way."
            if claim.change or claim.measures:
                return 1, f"{said} is {what}, not " + (
                    "a change." if claim.change else "what it is said to be."
                )
        if not self._measure_fits(claim, fact):
            return 1, f"{said} is {what}, not the {_listed(claim.measures or claim.soft_measures)}."
        unlike = self.book.outlook.problem(claim, fact, self.reading)
        if unlike:
            return 2, f"{said}{of} {unlike}."
        wrong = self._names_fit(claim, fact)
        if wrong is not None:
            return 2, f"{said} is {what}" + (
                f", not of {wrong}." if wrong else ", which the answer does not name."
            )
        if not self._when_fits(claim, fact):
            when = fact.own_when or (fact.whens[0] if fact.whens else None)
            return 3, f"{said} is {what}" + (
                f" for {when}" if when else ""
            ) + ", not for the period it is said of."
        if fact.previous and not claim.reference and not fact.average:
            return 3, f"{said} is the figure that it was compared with."
        return 4, ""

    def _unit_fits(self, claim: Claim, fact: Fact) -> bool:
        unit = claim.number.unit
        if claim.number.kind != "number":
            return True
        if fact.about is None and fact.units:
            lasting = unit in DURATIONS and bool(fact.units & DURATIONS)
            return unit in fact.units or ("horizon" in claim.measures and not lasting)
        if unit is None:  # "22" alone is no duration, unless its clause speaks of one
            spoken = (
                bool(claim.measures | claim.soft_measures)
                or {singular(word) for word in fact.label.split()} <= claim.words
            )
            return spoken or not fact.units & DURATIONS
        return alike(frozenset({unit}), fact.units | fact.measures)

    def _measure_fits(self, claim: Claim, fact: Fact) -> bool:
        if fact.count:
            if claim.number.unit is None and (
                claim.measures & _COUNTED or set(claim.names) & {*ANCHORS, "product"}
            ):
                return alike(claim.measures, fact.measures)
            return not claim.measures & {"positive", "negative", "change"}
        if not self._scope_fits(claim, fact):
            return False
        if claim.number.kind == "percent" and "risk" in fact.label and _hopeful(claim.words):
            return False  # a risk of leaving is no chance of buying
        if claim.change and fact.change:
            return True
        if fact.about is None and not fact.measures and not claim.number.unit:
            return not claim.measures and not claim.soft_measures
        if claim.measures and not fact.measures and fact.units and claim.number.unit is None:
            spans = fact.units <= DURATIONS and claim.measures & {"recency", "gap", "horizon", "age"}
            return bool(spans) or alike(claim.measures, fact.units)
        if not fact.measures or (fact.about is None and claim.number.unit):
            return "change" not in claim.measures and not (claim.measures and claim.measures <= _OPINIONS)
        moods = claim.measures & _OPINIONS
        if moods and fact.about and moods == fact.about & _OPINIONS:
            return True  # "41.5 % complain": a negative one
        if claim.measures:
            worth = "expected" in fact.label and claim.measures & {"lifetime_value", "value"}
            stays = fact.measures == {"alive"} and "risk" in claim.measures and _hopeful(claim.words)
            return bool(worth) or stays or alike(claim.measures, fact.measures)
        if (
            claim.soft_measures
            and claim.number.unit is None
            and not alike(claim.soft_measures, fact.measures)
            and not fact.change
        ):
            return not self._said_otherwise(claim, claim.soft_measures)
        return True

    def _scope_fits(self, claim: Claim, fact: Fact) -> bool:
        """Whether claim and fact are both of one or both the average of many, and of the same last days."""
        if fact.average and not claim.average and fact.kind != "number":
            return False
        if claim.change:
            return True
        if claim.average and not fact.average and claim.number.kind == "percent" and fact.about is not None:
            return False
        if fact.about is None or "horizon" in claim.measures or claim.window == fact.window:
            return True
        if claim.window and fact.window:
            return False
        return not any(
            one.window == claim.window
            and one.kind == fact.kind
            and one.measures
            and one.about is not None
            and alike(one.measures, fact.measures)
            and one.own == fact.own
            and one.value != fact.value
            and not one.count
            for one in self.book.facts
        )

    def _said_otherwise(self, claim: Claim, measures: frozenset[str]) -> bool:
        """Whether a finding holds a figure of these measures for those the claim speaks of, and another one."""
        return any(
            fact.kind == claim.number.kind
            and not fact.count
            and alike(measures, fact.measures)
            and self._names_fit(claim, fact) is None
            and self._when_fits(claim, fact)
            for fact in self.book.facts
            if fact.current
        )

    def _names_fit(self, claim: Claim, fact: Fact) -> str | None:
        """Return None where the names fit, else whom the claim speaks of ("" for nobody)."""
        if fact.about is None:
            # A note speaks of nobody; a span of days may be said of anybody.
            anybody = "horizon" in claim.measures or (claim.number.unit in fact.units & DURATIONS)
            return None if anybody or not claim.names else self.book.shown(next(iter(claim.names.values())))
        for kind, names in claim.names.items():
            graded = kind == "level" and not any(name in self.book.lexicon for name in names)
            if not names & fact.about and not graded:
                return self.book.shown(names)
        for kind, names in claim.soft_names.items():
            if names & fact.about or fact.count or fact.average or (claim.total and not fact.own):
                continue
            if kind == "customer" and claim.number.unit == "customers":
                continue
            if (claim.others and fact.own) or (kind in _LABELS and not any(names & own for own in fact.own)):
                continue
            if any(name in self.book.lexicon and self.book.lexicon.kind(name) == kind for name in fact.about):
                return self.book.shown(names)
        said = claim.near.union(claim.measures, *claim.names.values(), *claim.soft_names.values())
        for must in fact.own:
            if (
                not must & said
                and not claim.others
                and not fact.average
                and not self._is_extreme(claim, fact)
            ):
                return ""
        return None

    def _is_extreme(self, claim: Claim, fact: Fact) -> bool:
        """Whether the claim speaks of a highest, lowest or range, and the fact is that end of its column."""
        if fact.count or (not claim.extreme and not claim.ranged):
            return False
        same = [
            one.value
            for one in self.book.facts
            if one.label == fact.label
            and one.kind == fact.kind
            and (one.own or one.own_when)
            and not one.count
        ] or [fact.value]
        ends = {1: {max(same)}, -1: {min(same)}}.get(claim.extreme, {max(same), min(same)})
        return fact.value in (ends if not claim.ranged else {max(same), min(same)})

    def _when_fits(self, claim: Claim, fact: Fact) -> bool:
        if fact.about is None and fact.own_when is None:
            return True
        if claim.when:
            when = claim.when
            if claim.months and (
                any(claim.months.same(one) for one in (*fact.whens, *fact.span))
                or (fact.own_when and claim.months.same(fact.own_when))
            ):
                return True
            if fact.own_when:
                if _names_row(when, fact.own_when) or self._names_week(when, fact.own_when):
                    return True
                return self._is_extreme(claim, fact) and any(when.holds(one) for one in (fact.own_when,))
            if any(when.same(one) or covers(when, one) for one in fact.whens):
                return True
            return bool(when.parts) and all(any(part.same(one) for one in fact.whens) for part in when.parts)
        if fact.own_when:
            said = (
                _names_row(one, fact.own_when) or self._names_week(one, fact.own_when)
                for one in claim.soft_whens
            )
            if any(said) or self._is_edge(claim, fact):
                return True
            beside = self._beside(claim, fact.own_when)
            if beside is not None:
                return beside
            return self._is_extreme(claim, fact) or (claim.reference and not claim.soft_whens)
        if claim.soft_whens and fact.span and not fact.count:
            return any(
                one.same(other) or one.overlaps(other)
                for one in claim.soft_whens
                for other in (*fact.span, *fact.whens)
            )
        return True

    def _beside(self, claim: Claim, own: When) -> bool | None:
        """Whether "the day before" or "the next month" leads from what was spoken of to the row `own`."""
        back = claim.words & {"before", "previou", "previous", "prior", "preceding", "earlier"}
        forth = claim.words & {"next", "following", "after", "later"}
        if not back and not forth:
            return None
        for ranking in self.book.rankings:
            at = ranking.row(frozenset(), own)
            if at is None or not ranking.series:
                continue
            for when in claim.soft_whens:
                other = ranking.row(frozenset(), when)
                if other is not None:
                    return at == other - 1 if back else at == other + 1
            return bool(back) and not claim.soft_whens and at == len(ranking.rows) - 2
        return None

    def _names_week(self, when: When, row: When) -> bool:
        """Whether a day names the week that begins with it: "the week ... (from 18 December)"."""
        said = any(token.norm == "week" for token in self.reading.sentence.tokens)
        return said and row.grain == "week" and when.grain == "day" and equal(when.start, row.start)

    def _is_edge(self, claim: Claim, fact: Fact) -> bool:
        """Whether the clause speaks of the beginning or the end, and the fact is that end of its series."""
        for ranking in self.book.rankings:
            if ranking.series and fact.own_when in ranking.whens:
                at = ranking.whens.index(fact.own_when)
                if at == 0 and claim.words & {"began", "started", "start", "initially", "beginning", "first"}:
                    return True
                if at == len(ranking.whens) - 1 and claim.words & {
                    "ended",
                    "end",
                    "final",
                    "finally",
                    "last",
                }:
                    return True
        return False

    def _counted(self, claim: Claim) -> bool:
        """Whether a small number counts what the sentence lists, or the top of a table."""
        number = claim.number
        if number.kind != "number" or number.value != int(number.value) or not 1 <= number.value <= 100:
            return False
        kinds = {"customers": "customer", "sessions": "session", "reviews": "review", "products": "product"}
        kinds |= {"categories": "category", "brands": "brand", "segments": "segment", "aspects": "aspect"}
        kinds |= {"months": "when", "weeks": "when", "days": "when"}
        if number.unit not in (None, "rows", *kinds):
            return False
        wanted = kinds.get(number.unit or "")
        listed: dict[str, set[frozenset[str]]] = {}
        items = 0
        for reading in (self.reading, *self.following):
            if reading is not self.reading and not (reading.sentence.bullet or reading.sentence.item):
                break
            items += reading is not self.reading
            for mention in reading.of("name"):
                listed.setdefault(mention.what, set()).add(mention.names)
            for mention in reading.of("when"):
                listed.setdefault("when", set()).add(frozenset({mention.text}))
        if wanted in (None, "product") and items == number.value:
            return True
        lengths = [len(names) for kind, names in listed.items() if wanted in (None, kind)]
        if number.value in lengths and number.value > 1:
            return True
        words = [token.norm for token in self.reading.sentence.tokens]
        lead = words[max(0, claim.start - 1) : claim.start]
        labelled = any(kind in claim.names for kind in _LABELS)
        leads = bool(set(lead) & {"first", "top", "next", "other"})
        if not labelled and (leads or extreme(words[claim.start : claim.start + 3])):
            return any(
                fact.count
                and fact.value >= number.value
                and (number.unit in (None, *fact.units))
                and not fact.own
                for fact in self.book.facts
            )
        return False

    def _was_asked(self, claim: Claim) -> bool:
        """Whether the question holds the figure, and no finding speaks of the same thing."""
        number = claim.number
        for reading in self.book.asked:
            for mention in cardinals(reading):
                asked = mention.number
                assert asked is not None
                if asked.value != number.value or asked.kind != number.kind:
                    continue
                if number.unit not in (None, asked.unit):
                    continue
                if number.kind == "number" and number.unit is None and not claim.measures:
                    return True
                measures = (
                    claim.measures | claim.soft_measures | ({number.unit} if number.unit else frozenset())
                )
                if not self._said_otherwise(claim, frozenset(measures)):
                    return True
        return False


def _fits(number: Number, fact: Fact) -> bool:
    if number.kind == fact.kind:
        shown = round(fact.value, 1) if fact.kind == "percent" else round(fact.value, 2)
        return number.fits(fact.value) or number.fits(shown)
    if number.kind == "number" and number.unit is None:
        if fact.kind == "money":
            return number.fits(fact.value)
        if fact.kind == "percent":
            return number.step < 1 and (number.fits(fact.value) or number.fits(fact.value / 100))
    return False


def _names_row(when: When, row: When) -> bool:
    """Whether a period is a row's own, or the ISO day by which the table names it."""
    return when.same(row) or (when.iso and when.start == row.start)


def _hopeful(words: frozenset[str]) -> bool:
    """Whether a clause speaks of buying or staying, and not of leaving."""
    return bool(words & (STAY | {"buy", "bought", "purchase"})) and not words & LEAVE and not negated(words)


def covers(when: When, day: When) -> bool:
    """Whether a month or year is a coarser word for a day."""
    return when.grain in ("month", "year") and day.grain == "day" and day.start == day.end and when.holds(day)


def _listed(measures: frozenset[str]) -> str:
    return " or ".join(sorted(measure.replace("_", " ") for measure in measures)) or "figure it is said to be"


def cardinals(reading: Reading) -> list[Mention]:
    """Return the figures of a sentence that are no ordinals."""
    return [
        mention for mention in reading.of("number") if mention.number and mention.number.kind != "ordinal"
    ]
