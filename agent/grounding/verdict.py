"""The grounding check: does every figure, name, date and quotation of an answer stand in a finding,
and is it said of the same thing? Plain rules, no language model."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence

from pydantic import BaseModel, ConfigDict

from storewise.agent.grounding import claims
from storewise.agent.grounding.book import Book, squeezed
from storewise.agent.grounding.claims import Scene
from storewise.agent.grounding.clauses import Mention, Reading, refers
from storewise.agent.grounding.dates import When, equal
from storewise.agent.grounding.everyday import EVERYDAY
from storewise.agent.grounding.facts import measures_of
from storewise.agent.grounding.figures import ANCHORS, Figures, cardinals, covers
from storewise.agent.grounding.moods import Moods
from storewise.agent.grounding.orders import Orders, listed
from storewise.agent.grounding.tokens import plain
from storewise.agent.grounding.trends import Trends
from storewise.agent.grounding.wording import negated
from storewise.agent.grounding.words import ID_NOUNS
from storewise.tools.finding import Finding

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
            elif not reading.of("number") or (headers is None and not cardinals(reading)):
                headers = [measures_of(cell) for cell in cells]
            problems += _Sentence(
                book, reading, scene, headers if cells else None, readings[at + 1 :]
            ).problems()
        scene = claims.after(reading, scene)
    problems += listed(book, readings)
    unique = tuple(dict.fromkeys(problems))
    return Verdict(grounded=not unique, problems=unique)


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
        figures = Figures(self.book, self.reading, self.following)
        for claim in self.claims:
            problem = figures.problem(claim)
            if problem:
                found.append(problem)
        judged = (self.book, self.reading, self.scene, self.claims)
        return [*found, *Orders(*judged).problems(), *Trends(*judged).problems(), *Moods(*judged).problems()]

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
            if ID_NOUNS.get(noun) in ANCHORS and kinds and not kinds & {ID_NOUNS[noun], "other"}:
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
                yield f"'{mention.text}' is not said of {self.book.shown(names)} in any finding."
                continue
            words = set(self.reading.norms(mention.clause))
            for tag, others in (("first", {"last", "latest", "recent"}), ("last", {"first"})):
                tags = {"first", "began", "joined", "started"} if tag == "first" else {"last", "latest"}
                if not words & tags or words & others:
                    continue
                fitting = [
                    one
                    for one in self.book.dated
                    if (when.same(one.when) or covers(when, one.when)) and (not names or names & one.about)
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
        weeks = [one for one in known if one.grain == "week"]
        if any(when.same(one) or covers(when, one) for one in known) or any(when.holds(one) for one in weeks):
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
        for kind in ANCHORS:
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
            if names & group.names and any(when.same(one) or covers(when, one) for one in group.whens):
                return True
        dated = [one for one in self.book.dated if names & one.about]
        if any(covers(when, one.when) for one in dated):
            return True
        return bool(when.parts) and all(self._date_fits(part, names) for part in when.parts)

    # Who is what

    def _relations(self) -> Iterable[str]:
        """Check that the names of a clause belong together: a customer and its segment, a review and its id."""
        yield from self._aliases()
        for at in range(len(self.reading.clauses)):
            here = [one for one in self.reading.of("name") if one.clause == at]
            for kind in ANCHORS:
                anchors = [one for one in here if one.what == kind]
                for what in (*_ATTRIBUTES, *ANCHORS):
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
            if is_label and negated(words):
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


_PRONOUNS = frozenset("they it he she this that their its".split())


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
