"""The grounding check: does every figure, name, date and quotation of an answer stand in a finding,
and is it said of the same thing? Plain rules, no language model."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence

from pydantic import BaseModel, ConfigDict

from storewise.agent.grounding import claims, orders
from storewise.agent.grounding.book import Book, squeezed
from storewise.agent.grounding.claims import Claim, Scene
from storewise.agent.grounding.dates import When, equal
from storewise.agent.grounding.everyday import EVERYDAY
from storewise.agent.grounding.facts import Fact, alike, measures_of
from storewise.agent.grounding.lexicon import SIZES
from storewise.agent.grounding.numbers import Number
from storewise.agent.grounding.reading import Mention, Reading, refers
from storewise.agent.grounding.tokens import plain, singular, tokens
from storewise.agent.grounding.words import DURATIONS, ID_NOUNS, LEAVE, STAY
from storewise.tools.finding import Finding

_ANCHORS = ("customer", "session", "review")
_ATTRIBUTES = ("segment", "level", "sentiment", "product", "category", "brand", "name", "aspect")
_LABELS = ("segment", "level", "sentiment")


class Verdict(BaseModel):
    """Whether an answer is grounded, and a plain sentence for each thing that is not."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    grounded: bool
    problems: tuple[str, ...] = ()


def check(
    answer: str, findings: Sequence[Finding], question: str, earlier: Sequence[Finding] = ()
) -> Verdict:
    """Compare `answer` with the turn's `findings`, those of `earlier` turns, and the `question`.

    Sentences that repeat a headline or a caveat to the letter always pass. Never raises on any text.
    """
    book = Book(findings, earlier, question, answer)
    readings = book.reader.text(answer)
    scene = book.scene
    problems: list[str] = []
    headers: list[frozenset[str]] | None = None
    for at, reading in enumerate(readings):
        if squeezed(reading.sentence.text) not in book.trusted:
            cells = reading.sentence.cells
            if not cells:
                headers = None
            elif not reading.of("number") or (headers is None and not _figures(reading)):
                headers = [measures_of(cell) for cell in cells]
            problems += _Sentence(
                book, reading, scene, headers if cells else None, readings[at + 1 :]
            ).problems()
        scene = claims.after(reading, scene)
    problems += orders.listed(book, readings)
    unique = tuple(dict.fromkeys(problems))
    return Verdict(grounded=not unique, problems=unique)


def _figures(reading: Reading) -> list[Mention]:
    return [
        mention for mention in reading.of("number") if mention.number and mention.number.kind != "ordinal"
    ]


class _Sentence:
    """One sentence of the answer against the book of facts."""

    def __init__(
        self,
        book: Book,
        reading: Reading,
        scene: Scene,
        headers: list[frozenset[str]] | None,
        following: Sequence[Reading],
    ) -> None:
        self.book = book
        self.reading = reading
        self.scene = scene
        self.claims = claims.read_claims(reading, scene, headers)
        self.following = following

    def problems(self) -> list[str]:
        """Return a sentence for each thing that no finding bears out."""
        found = [*self._unknown(), *self._quotes(), *self._dates(), *self._relations()]
        for claim in self.claims:
            problem = self._figure(claim)
            if problem:
                found.append(problem)
        return found + orders.problems(self.book, self.reading, self.scene, self.claims)

    def _unknown(self) -> Iterable[str]:
        for mention in self.reading.of("unknown"):
            yield f"'{mention.text}' stands in no finding."
        names = self.reading.of("name")
        for one, middle, other in zip(names, names[1:], names[2:], strict=False):
            beside = one.end == middle.start and middle.end == other.start
            if beside and one.names & other.names and not middle.names & one.names & other.names:
                yield f"'{one.text} {middle.text} {other.text}' stands in no finding."
        for one, other in zip(names, names[1:], strict=False):
            between = self.reading.sentence.tokens[one.end : other.start]
            foreign = len(between) == 1 and between[0].is_word and between[0].norm not in EVERYDAY
            if (
                foreign
                and one.names & other.names
                and not any(between[0].norm in name.split(" ") for name in one.names & other.names)
            ):
                yield f"'{one.text} {between[0].text} {other.text}' stands in no finding."
        for sign in ("€", "£", "euro", "pound"):
            if any(word.norm == sign for word in self.reading.sentence.tokens) and not self.book.holds(sign):
                yield f"'{sign}' is not the currency of any finding."
        for mention in self.reading.of("name"):
            if mention.what in ("level",):
                continue
            if not any(name in self.book.lexicon or self._asked(name) for name in mention.names):
                yield f"'{mention.text}' stands in no finding."
            noun = self.reading.sentence.tokens[mention.start - 1].norm if mention.start else ""
            kinds = {kind for name in mention.names for kind in self.book.lexicon.kinds.get(name, ())}
            if ID_NOUNS.get(noun) in _ANCHORS and kinds and not kinds & {ID_NOUNS[noun], "other"}:
                yield f"No finding knows a {noun} {mention.text}."

    def _asked(self, name: str) -> bool:
        return any(name in one.names for reading in self.book.asked for one in reading.of("name"))

    # Quotations

    def _quotes(self) -> Iterable[str]:
        for mention in self.reading.of("quote"):
            said = _bare(mention.text)
            if not said:
                continue
            ids = self._review_of(mention)
            parts = [part for part in (_bare(part) for part in said.split("...")) if part]
            holders = [quote for quote in self.book.quotes if _contains(_bare(quote.text), parts)]
            if ids:
                if not any(quote.review_id.lower() in ids for quote in holders):
                    where = f" in review {', '.join(sorted(ids)).upper()}"
                    yield f'"{mention.text}" does not stand{where}.'
            elif not holders and not any(_contains(_bare(text), parts) for text in self.book.texts):
                yield f'"{mention.text}" stands in no finding.'

    def _review_of(self, quote: Mention) -> frozenset[str]:
        """Return the id that a quotation is given, or nothing."""
        reviews = [mention for mention in self.reading.of("name") if mention.what == "review"]
        words = self.reading.sentence.tokens
        for mention in reviews:
            between = [word.text for word in words[quote.end : mention.start]]
            if mention.start >= quote.end and between and between[0] in "([" and len(between) <= 3:
                return mention.names
        ahead = [mention for mention in reviews if mention.end <= quote.start]
        if ahead:
            last = ahead[-1]
            others = [one for one in self.reading.of("quote") if last.end <= one.start < quote.start]
            between = [word.text for word in words[last.end : quote.start]]
            aside = (
                last.start > 0
                and words[last.start - 1].text in ("(", "[")
                and bool({")", "]"} & set(between))
            )
            if not (
                aside and others == [] and any(one.end <= last.start for one in self.reading.of("quote"))
            ):
                return last.names
        behind = [mention for mention in reviews if mention.start >= quote.end]
        if behind:
            return behind[0].names
        before = self.scene.names.get("review", frozenset())
        return before if len(before) == 1 else frozenset()

    # Dates

    def _dates(self) -> Iterable[str]:
        for mention in self.reading.of("when"):
            when = mention.when
            assert when is not None
            if not self._known(when):
                yield f"'{mention.text}' stands in no finding."
                continue
            names = self._anchors(mention)
            if names and not self._date_fits(when, names):
                yield f"'{mention.text}' is not said of {self._shown(names)} in any finding."
                continue
            words = set(self.reading.norms(mention.clause))
            for tag, others in (("first", {"last", "latest", "recent"}), ("last", {"first"})):
                tags = {"first", "began", "joined", "started"} if tag == "first" else {"last", "latest"}
                if not words & tags or words & others:
                    continue
                fitting = [
                    one
                    for one in self.book.dated
                    if (when.same(one.when) or _covers(when, one.when)) and (not names or names & one.about)
                ]
                tagged = [
                    one for one in self.book.dated if tag in one.words and (not names or names & one.about)
                ]
                if fitting and tagged and not any(tag in one.words for one in fitting):
                    yield f"'{mention.text}' is another date than the {tag} one."

    def _known(self, when: When) -> bool:
        if when.parts and all(self._known(part) for part in when.parts):  # a range's ends, or since when
            return True
        known = [*self.book.whens, *(one.when for one in self.book.dated)]
        if any(when.same(one) or _covers(when, one) for one in known):
            return True
        if when.grain == "year":
            return any(one.start[0] == when.start[0] or one.end[0] == when.start[0] for one in known)
        if any(part.same(when) for one in known for part in one.parts):
            return True
        # The first or last day or month of a known span.
        return any(
            equal(when.start, one.start) or equal(when.end, one.end) for one in known if one.holds(when)
        )

    def _anchors(self, mention: Mention) -> frozenset[str]:
        """Return the customer, session or review that a clause speaks of."""
        for kind in _ANCHORS:
            here = [one for one in self.reading.of("name") if one.what == kind]
            own = [one for one in here if one.clause == mention.clause] or [
                one for one in here if one.clause < mention.clause
            ][-1:]
            if own:
                return frozenset().union(*(one.names for one in own))
        return frozenset()

    def _date_fits(self, when: When, names: frozenset[str]) -> bool:
        if any(when.same(one) for one in self.book.scene.whens):
            return True
        for group in self.book.groups:
            if names & group.names and any(when.same(one) or _covers(when, one) for one in group.whens):
                return True
        dated = [one for one in self.book.dated if names & one.about]
        if any(_covers(when, one.when) for one in dated):
            return True
        return bool(when.parts) and all(self._date_fits(part, names) for part in when.parts)

    # Who is what

    def _relations(self) -> Iterable[str]:
        """Check that the names of a clause belong together: a customer and its segment, a review and its id."""
        yield from self._aliases()
        for at in range(len(self.reading.clauses)):
            here = [one for one in self.reading.of("name") if one.clause == at]
            for kind in _ANCHORS:
                anchors = [one for one in here if one.what == kind]
                for what in (*_ATTRIBUTES, *_ANCHORS):
                    others = [one for one in here if one.what == what]
                    if what == kind or not others:
                        continue
                    tied = anchors or self._anchor_before(kind, what, at)
                    if tied:
                        yield from self._together(tied, others, at)

    def _aliases(self) -> Iterable[str]:
        """Check that an id beside a name is that name's: "White milk (995242)"."""
        names = self.reading.of("name")
        words = self.reading.sentence.tokens
        for one, other in itertools.pairwise(names):
            between = [word.text for word in words[one.end : other.start]]
            beside = between in (["("], ["["]) or (between == [","] and one.text.isdecimal())
            if beside and one.what == other.what and one.text.isdecimal() != other.text.isdecimal():
                if not self._joined(one, other):
                    yield f"{one.text} and {other.text} are not the same in any finding."

    def _anchor_before(self, kind: str, what: str, clause: int) -> list[Mention]:
        """Return whom an attribute in a clause without a subject belongs to: the clause or sentence before."""
        earlier = [one for one in self.reading.of("name") if one.what == kind and one.clause < clause]
        main = [one for one in earlier if not refers(self.reading.clauses[one.clause])]
        if main:
            subject = main[-1]
            if self.reading.clauses[clause].aside:
                return [subject] if subject.clause == clause - 1 else []
            return [one for one in main if one.clause == subject.clause]
        words = self.reading.norms(clause)
        starts = (
            self.reading.mentions
            and self.reading.mentions[0].clause == clause
            and self.reading.mentions[0].start == 0
        )
        before = self.scene.names.get(kind, frozenset())
        if what in _LABELS and not starts and len(before) == 1 and set(words) & _PRONOUNS:
            return [Mention("name", 0, 0, next(iter(before)), before, kind)]
        return []

    def _together(self, anchors: list[Mention], others: list[Mention], clause: int) -> Iterable[str]:
        pairs: list[tuple[Mention, list[Mention]]]
        if len(anchors) == len(others):
            pairs = [(one, [other]) for one, other in zip(anchors, others, strict=True)]
        elif len(anchors) == 1:
            pairs = [(anchors[0], [other]) for other in others]
        else:
            pairs = [(one, others) for one in anchors]
        words = self.reading.norms(clause)
        for anchor, options in pairs:
            for_sure = [option for option in options if self._joined(anchor, option)]
            is_label = options[0].what in _LABELS
            if is_label and claims.negated(words):
                if for_sure:
                    yield f"{anchor.text} is {for_sure[0].text}, says a finding."
            elif not for_sure and self._decidable(anchor, options[0]):
                yield f"No finding says '{options[0].text}' of {anchor.text}."

    def _joined(self, anchor: Mention, other: Mention) -> bool:
        return any(anchor.names & group.names and other.names & group.names for group in self.book.groups)

    def _decidable(self, anchor: Mention, other: Mention) -> bool:
        """Whether the findings could say it: a level only where some finding gives that one a level."""
        if not any(name in self.book.lexicon for name in anchor.names):
            return False  # said already: it stands in no finding
        if other.what != "level":
            return any(name in self.book.lexicon for name in other.names) or other.what == "segment"
        levels = [group for group in self.book.groups if anchor.names & group.names]
        return any(
            name in self.book.lexicon and self.book.lexicon.kind(name) == "level"
            for group in levels
            for name in group.names
        )

    # Figures

    def _figure(self, claim: Claim) -> str | None:
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
            return unit in fact.units or "horizon" in claim.measures
        if unit is None:  # "22" alone is no duration, unless its clause speaks of one
            spoken = (
                bool(claim.measures | claim.soft_measures)
                or {singular(word) for word in fact.label.split()} <= claim.words
            )
            return spoken or not fact.units & DURATIONS
        return alike(frozenset({unit}), fact.units | fact.measures)

    def _measure_fits(self, claim: Claim, fact: Fact) -> bool:
        if fact.count:
            return not claim.measures & {"positive", "negative", "change"}
        if not self._scope_fits(claim, fact):
            return False
        if claim.number.kind == "percent" and "risk" in fact.label and _hopeful(claim.words):
            return False  # a risk of leaving is no chance of buying
        if claim.change and fact.change:
            return True
        if fact.about is None and not fact.measures and not claim.number.unit:
            return not claim.measures and not claim.soft_measures
        if not fact.measures or (fact.about is None and claim.number.unit):
            return "change" not in claim.measures and not (claim.measures and claim.measures <= _OPINIONS)
        if claim.measures:
            return alike(claim.measures, fact.measures)
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
            return None if anybody or not claim.names else self._shown(next(iter(claim.names.values())))
        for kind, names in claim.names.items():
            graded = kind == "level" and not any(name in self.book.lexicon for name in names)
            if not names & fact.about and not graded:
                return self._shown(names)
        for kind, names in claim.soft_names.items():
            if names & fact.about or fact.count or fact.average or (claim.total and not fact.own):
                continue
            if kind == "customer" and claim.number.unit == "customers":
                continue
            if (claim.others and fact.own) or (kind in _LABELS and not any(names & own for own in fact.own)):
                continue
            if any(name in self.book.lexicon and self.book.lexicon.kind(name) == kind for name in fact.about):
                return self._shown(names)
        said = claim.near.union(*claim.names.values(), *claim.soft_names.values())
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
            if any(when.same(one) or _covers(when, one) for one in fact.whens):
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
        if not labelled and (leads or claims.extreme(words[claim.start : claim.start + 3])):
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
            for mention in _figures(reading):
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

    def _shown(self, names: frozenset[str]) -> str:
        return " or ".join(sorted(self.book.lexicon.shown.get(name, name) for name in names)[:3])


_OPINIONS = frozenset({"positive", "negative"})
_PRONOUNS = frozenset("they it he she this that their its".split())


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
    return (
        bool(words & (STAY | {"buy", "bought", "purchase"}))
        and not words & LEAVE
        and not claims.negated(words)
    )


def _covers(when: When, day: When) -> bool:
    """Whether a month or year is a coarser word for a day."""
    return when.grain in ("month", "year") and day.grain == "day" and day.start == day.end and when.holds(day)


def _bare(text: str) -> str:
    """Return a quotation as it is compared: one kind of space, no case, no end mark."""
    return re.sub(r"\s+", " ", plain(text)).casefold().strip(" .,;:!?'\"")


def _contains(text: str, parts: Sequence[str]) -> bool:
    at = 0
    for part in parts:
        at = text.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return True


def _listed(measures: frozenset[str]) -> str:
    return " or ".join(sorted(measure.replace("_", " ") for measure in measures)) or "figure it is said to be"
