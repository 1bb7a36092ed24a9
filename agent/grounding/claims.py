"""What an answer claims: each figure with whom, when and which measure the sentence ties it to.

What a sentence leaves open is taken from the sentence before it, and at last from the question.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field

from storewise.agent.grounding.clauses import Clause, Mention, Reading, refers
from storewise.agent.grounding.dates import When
from storewise.agent.grounding.numbers import Number
from storewise.agent.grounding.ties import paired, run_of, tie
from storewise.agent.grounding.wording import (
    Window,
    extreme,
    looks_back,
    negated,
    turning,
    window_of,
)
from storewise.agent.grounding.words import DURATIONS, KINDS, LESS, MORE, UNITS

_WINDOWS = frozenset("last past previou previous next coming following within first".split())
_STOPS = frozenset("to from at in ; : – — and but ) %".split())
_TOTAL = frozenset("total altogether together overall combined whole".split())
_SAID_ONLY = frozenset({"risk", "share", "horizon"})  # of a plain number, only where its clause says so
_OTHERS = frozenset("other rest remaining".split())
_RANGE = frozenset("range ranging ranged between span spanning vary varying".split())


@dataclass(slots=True)
class Scene:
    """Whom and what was last spoken of: names by kind, periods and measures."""

    names: dict[str, frozenset[str]] = field(default_factory=dict)
    whens: tuple[When, ...] = ()
    measures: frozenset[str] = frozenset()
    listed: dict[str, list[frozenset[str]]] = field(default_factory=dict)


@dataclass(slots=True)
class Claim:
    """A figure and what the text ties it to.

    Attributes:
        names, when, measures: said in the clause itself, so they must hold.
        soft_names, soft_whens, soft_measures: spoken of before; they hold unless the clause says otherwise.
        change: 1 or -1 where the figure is by how much something rose or fell.
        reference: the figure belongs to what is compared with ("than the 428 before").
        extreme: 1 or -1 where the clause speaks of the highest or lowest.
        whole: the figure is the total of a part ("27 of 33").
        average: the clause speaks of the average of many; window: of the last days or weeks.
        total, others: the clause speaks of a total, or of those that were not named.
        months: the span of a list of months that `when` stands in ("November and December").
        near: all names of the clause.
    """

    number: Number
    start: int
    clause: int
    names: dict[str, frozenset[str]] = field(default_factory=dict)
    soft_names: dict[str, frozenset[str]] = field(default_factory=dict)
    when: When | None = None
    soft_whens: tuple[When, ...] = ()
    measures: frozenset[str] = frozenset()
    soft_measures: frozenset[str] = frozenset()
    change: int = 0
    reference: bool = False
    extreme: int = 0
    ranged: bool = False
    whole: bool = False
    average: bool = False
    window: Window | None = None
    total: bool = False
    others: bool = False
    months: When | None = None
    near: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()


def scene_of(readings: Iterable[Reading]) -> Scene:
    """Return what a text (a question, say) speaks of as a whole."""
    scene = Scene()
    for reading in readings:
        for mention in reading.mentions:
            if mention.kind == "name":
                scene.names[mention.what] = scene.names.get(mention.what, frozenset()) | mention.names
            elif mention.when:
                scene.whens += (mention.when,)
            scene.measures |= mention.measures
            if mention.number and mention.number.unit:
                scene.measures |= {mention.number.unit}
    return scene


def after(reading: Reading, scene: Scene) -> Scene:
    """Return the scene after a sentence: what it names takes the place of what was named before."""
    names: dict[str, frozenset[str]] = {}
    listed: dict[str, list[frozenset[str]]] = {}
    for mention in reading.of("name"):
        names[mention.what] = names.get(mention.what, frozenset()) | mention.names
        listed.setdefault(mention.what, []).append(mention.names)
    whens = tuple(mention.when for mention in reading.of("when") if mention.when)
    measures = frozenset(measure for mention in reading.mentions for measure in mention.measures)
    if reading.sentence.bullet and not whens:
        whens = scene.whens
    return Scene(
        {**scene.names, **names}, whens or scene.whens, measures or scene.measures, listed or scene.listed
    )


def read_claims(reading: Reading, scene: Scene, headers: list[frozenset[str]] | None = None) -> list[Claim]:
    """Return the claims of one sentence. `headers`: the measures of a table's columns, for its lines."""
    figures = [
        mention for mention in reading.of("number") if mention.number and mention.number.kind != "ordinal"
    ]
    kinds = list(dict.fromkeys(mention.what for mention in reading.of("name") if mention.what != "level"))
    pairs = {kind: paired(reading, figures, _names(reading, kind)) for kind in kinds}
    pairs["when"] = paired(reading, figures, reading.of("when"))
    claims = []
    for figure in figures:
        claims.append(_claim(reading, figure, figures, kinds, pairs, scene, headers))
    return claims


def _names(reading: Reading, kind: str) -> list[Mention]:
    return [mention for mention in reading.of("name") if mention.what == kind]


def _claim(
    reading: Reading,
    figure: Mention,
    figures: list[Mention],
    kinds: list[str],
    pairs: dict[str, dict[int, Mention]],
    scene: Scene,
    headers: list[frozenset[str]] | None,
) -> Claim:
    number = figure.number
    assert number is not None
    words = reading.norms(figure.clause)
    claim = Claim(number, figure.start, figure.clause, words=frozenset(words))
    clause = reading.clauses[figure.clause]
    for kind in [*kinds, "level"]:
        mentions = _names(reading, kind)
        hard, soft = tie(reading, figure, figures, mentions, pairs.get(kind, {}))
        if hard:
            claim.names[kind] = frozenset().union(*(mention.names for mention in hard))
        elif _picked(reading, figure, soft):
            claim.names[kind] = _picked(reading, figure, soft)
        elif soft and kind != "level":
            claim.soft_names[kind] = frozenset().union(*(mention.names for mention in soft))
    for kind, names in scene.names.items():
        if kind not in claim.names and kind not in claim.soft_names:
            claim.soft_names[kind] = _chosen(reading, figure, scene, kind) or names
    hard, soft = tie(reading, figure, figures, reading.of("when"), pairs["when"])
    end = _end_of_range(reading, clause)
    if end:
        claim.when = end
    elif hard:
        claim.when = hard[0].when
    elif soft and not (soft[0].start > figure.start and scene.whens):
        claim.soft_whens = tuple(mention.when for mention in soft if mention.when)
    else:
        claim.soft_whens = scene.whens
    claim.change = _change(reading, figure)
    lead = reading.sentence.tokens[max(0, figure.start - 3) : figure.start]
    beside = any(token.norm in ("below", "above") for token in lead)
    claim.reference = refers(clause) or clause.opener == "from" or beside or looks_back(words)
    claim.near = frozenset(
        name for one in reading.of("name") if one.clause == figure.clause for name in one.names
    )
    claim.average = _is_average(reading, figure)
    claim.total = bool(set(words) & _TOTAL) or "in all" in " ".join(words)
    so_far = reading.sentence.tokens[: clause.end]
    claim.others = any(token.norm in _OTHERS for token in so_far)
    if clause.aside and figure.clause:
        claim.words |= set(reading.norms(figure.clause - 1))
        claim.reference = claim.reference or looks_back(reading.norms(figure.clause - 1))
    claim.months = _months(reading, claim.when)
    claim.window = _window(reading, figure, words)
    claim.whole = figure.start > 0 and _is_whole(reading, figure)
    claim.extreme = extreme(words)
    if not claim.extreme and figure.clause and (clause.aside or words[:1] in (["with"], ["at"])):
        claim.extreme = extreme(
            reading.norms(figure.clause - 1)
        )  # "the busiest week was the first, with 1,382"
    everywhere = {token.norm for token in reading.sentence.tokens}
    claim.ranged = bool(_RANGE & everywhere) or (clause.opener in ("from", "to") and "from" in everywhere)
    _measure(claim, reading, figure, scene, headers)
    return claim


def _months(reading: Reading, when: When | None) -> When | None:
    """Return the span of the months that stand in one list with `when`: "in November and December"."""
    mentions = reading.of("when")
    one = next((mention for mention in mentions if mention.when is when), None)
    if when is None or one is None or when.grain != "month":
        return None
    run = [mention.when for mention in run_of(mentions, one, reading) if mention.when]
    follow = all(other.start[1] == first.start[1] + 1 for first, other in itertools.pairwise(run))
    if len(run) < 2 or not follow or any(month.grain != "month" for month in run):
        return None
    year = run[0].start[0] or run[-1].start[0]
    return When((year, *run[0].start[1:]), (year, *run[-1].end[1:]), "range")


def _has_figure(reading: Reading, clause: int, number: Number) -> bool:
    return any(
        one.clause == clause and one.number and one.number.kind == number.kind for one in reading.of("number")
    )


def _end_of_range(reading: Reading, clause: Clause) -> When | None:
    """Return the end of a range that a figure belongs to: "rose from 10 to 12 between May and July"."""
    at = reading.clauses.index(clause)
    openers = [one.opener for one in reading.clauses[max(0, at - 1) : at + 2]]
    if ("from", "to") not in itertools.pairwise(openers) or clause.opener not in ("from", "to"):
        return None
    ranges = [one.when for one in reading.of("when") if one.when and len(one.when.parts) == 2]
    if len(ranges) != 1:
        return None
    return ranges[0].parts[0 if clause.opener == "from" else 1]


def _window(reading: Reading, figure: Mention, words: list[str]) -> Window | None:
    """Return the last days or weeks that a figure is counted over, said in its clause or beside it."""
    here = window_of(words)
    before, after = figure.clause - 1, figure.clause + 1
    if here is None and before >= 0 and len(reading.norms(before)) <= 6:
        here = window_of(reading.norms(before))  # "in the last 26 weeks, they spent"
    aside = after < len(reading.clauses) and reading.clauses[after].aside
    if (
        here is None
        and aside
        and reading.norms(after)[:1] in (["last"], ["past"], ["in"], ["over"], ["spent"])
    ) and sum(one.clause == after for one in reading.of("number")) == 1:
        here = window_of(reading.norms(after))
    return here


def _is_average(reading: Reading, figure: Mention) -> bool:
    """Whether the clause of a figure speaks of the average of many, or of all of them."""
    clause = reading.clauses[figure.clause]
    orders = [
        one
        for one in reading.of("measure")
        if one.clause == figure.clause
        and "average_order_value" in one.measures
        and one.text.lower() != "on average"
    ]
    for at in range(clause.start, clause.end):
        word = reading.sentence.tokens[at].norm
        inside = (
            any(one.start <= at < one.end or one.end == at - 1 for one in orders)  # "$14 an order on average"
            and figure.number
            and figure.number.kind == "money"
        )
        if word in ("average", "mean", "avg", "overall", "everyone", "everybody") and not inside:
            return True
        lead = [token.norm for token in reading.sentence.tokens[max(clause.start, at - 2) : at]]
        share = lead[-1:] == ["of"] or lead == ["of", "what"]
        if (
            word == "all"
            and not share
            and at + 1 < clause.end
            and reading.sentence.tokens[at + 1].norm in UNITS
        ):
            return True
    return False


def _picked(reading: Reading, figure: Mention, run: list[Mention]) -> frozenset[str]:
    """Return what "the first" or "the third" picks from a list in the same sentence."""
    clause = reading.clauses[figure.clause]
    for mention in reading.of("number"):
        if (
            mention.number
            and mention.number.kind == "ordinal"
            and clause.start <= mention.start < figure.start
        ):
            at = int(mention.number.value) - 1
            return run[at].names if len(run) > 1 and at < len(run) else frozenset()
    return frozenset()


def _chosen(reading: Reading, figure: Mention, scene: Scene, kind: str) -> frozenset[str] | None:
    """Return what "the first", "the second" or "the latter" picks from the list of the sentence before."""
    listed = scene.listed.get(kind, [])
    if len(listed) < 2:
        return None
    clause = reading.clauses[figure.clause]
    for mention in reading.of("number"):
        number = mention.number
        if number and number.kind == "ordinal" and clause.start <= mention.start < figure.start:
            at = int(number.value) - 1
            return listed[at] if at < len(listed) else None
    words = reading.norms(figure.clause)
    if "former" in words:
        return listed[0]
    return listed[-1] if "latter" in words else None


def _change(reading: Reading, figure: Mention) -> int:
    """Return 1 or -1 where a figure is by how much something rose or fell: "up 6 %", "6 % less than"."""
    words = [token.norm for token in reading.sentence.tokens]
    number = figure.number
    clause = reading.clauses[figure.clause]
    if number is None or (clause.opener in ("to", "from") and clause.start == figure.start):
        return 0
    sign = words[figure.start - 1] if figure.start else ""
    lead = words[figure.start - 2] if figure.start > 1 else "("
    if number.kind == "percent" and sign in ("+", "-") and not lead[:1].isdecimal():
        return 1 if sign == "+" else -1
    start = max(0, figure.start - 6)
    for at in range(figure.start - 1, start - 1, -1):
        if words[at] in _STOPS or words[at][:1].isdecimal():
            break
        turn = turning(words, at)
        if turn:
            return turn
    for at in range(figure.end, min(figure.end + 3, len(words))):
        word = words[at]
        if word in MORE | LESS:
            compared = "than" in words[at : at + 6] or number.kind == "percent" or word in ("higher", "lower")
            return (1 if word in MORE else -1) if compared else 0
        turn = turning(words, at)
        if turn and number.kind == "percent":
            return turn
        if word not in ("point", "unit", "order", "customer", "the", "year"):
            break
    return 0


def _is_whole(reading: Reading, figure: Mention) -> bool:
    """Whether a figure is the total of a part named before it: the 33 of "27 of 33"."""
    words = reading.sentence.tokens
    at = figure.start - 1
    while at >= 0 and words[at].norm in ("the", "all", "$"):
        at -= 1
    if at < 1 or words[at].norm != "of":
        return False
    return any(mention.kind == "number" and at - 2 <= mention.end <= at for mention in reading.mentions)


def _fitting(mention: Mention, number: Number) -> frozenset[str]:
    """Return the measures of a mention whose figures can be of this number's kind."""
    kind = number.kind if number.kind != "ratio" else "number"

    def fits(measure: str) -> bool:
        if kind not in KINDS.get(measure, frozenset({kind})):
            return False
        if number.unit in DURATIONS:
            return measure in ("recency", "gap", "horizon", "change")
        if number.unit is not None:
            return measure in ("positive", "negative", "change", "share", "discount")
        return measure != "horizon"

    return frozenset(measure for measure in mention.measures if fits(measure))


def _measure(
    claim: Claim, reading: Reading, figure: Mention, scene: Scene, headers: list[frozenset[str]] | None
) -> None:
    """Find which measure a figure is of: in its clause, else in the clauses and the sentence before."""
    number = claim.number
    if claim.change:
        claim.measures = frozenset({"change"})
        return
    lead = reading.sentence.tokens[figure.start - 1].norm if figure.start else ""
    if lead in _WINDOWS and number.kind == "number" and (number.unit in DURATIONS or number.unit is None):
        away = lead in ("last", "past") and negated(reading.norms(figure.clause))
        claim.measures = frozenset({"horizon", "recency"} if away else {"horizon"})
        return
    if headers:
        cell = sum(1 for token in reading.sentence.tokens[: figure.start] if token.text == "|")
        cell -= reading.sentence.text.startswith("|")
        if 0 <= cell < len(headers) and headers[cell]:
            claim.measures = headers[cell]
            return
    mentions = [(mention, _fitting(mention, number)) for mention in reading.of("measure")]
    mentions = [(mention, measures) for mention, measures in mentions if measures]
    if claim.whole:
        mentions = [(mention, measures) for mention, measures in mentions if mention.start < figure.start]
    here = [(mention, measures) for mention, measures in mentions if mention.clause == figure.clause]

    def distance(pair: tuple[Mention, frozenset[str]]) -> int:
        mention = pair[0]
        return mention.start - figure.end if mention.start >= figure.end else figure.start - mention.end + 1

    words = [token.norm for token in reading.sentence.tokens]
    share = number.kind == "percent" and figure.end < len(words) and words[figure.end] == "of"
    per_order = any(
        mention.clause < figure.clause and not _has_figure(reading, mention.clause, number)
        for mention, measures in mentions
        if measures == {"average_order_value"}
    )
    if here and not (claim.whole and number.unit):
        claim.measures = min(here, key=distance)[1]
        chance = "risk" in claim.measures and "risk" not in claim.words
        if chance and any(measures == {"alive"} for _, measures in mentions):
            claim.measures = frozenset({"alive"})  # "the chance that they are still a customer"
        if per_order and "spend" in claim.measures:
            claim.measures = frozenset({"average_order_value"})  # "per order, they spend $33.17"
        if share:
            claim.measures |= {"share"}
        return
    if share:
        claim.measures = frozenset({"share", "positive", "negative", "quality", "risk"})
        return
    earlier = [measures for mention, measures in mentions if mention.clause < figure.clause]
    later = [
        measures
        for mention, measures in mentions
        if mention.clause > figure.clause and not _has_figure(reading, mention.clause, number)
    ]
    if earlier and per_order:
        claim.soft_measures = frozenset({"average_order_value"})
    elif earlier:
        claim.soft_measures = earlier[-1] - _SAID_ONLY if number.kind == "number" else earlier[-1]
    elif later and not scene.measures:
        claim.soft_measures = later[0]
    else:
        claim.soft_measures = frozenset(
            m for m in scene.measures if number.kind in KINDS.get(m, frozenset({number.kind}))
        ) - (_SAID_ONLY if number.kind == "number" else frozenset())
