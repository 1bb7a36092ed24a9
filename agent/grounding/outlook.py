"""What is expected and what has been: an expected spend is not spent yet, an interval's end is not the middle.

Only where a finding holds something expected ("Expected spend"); its other figures are what has been.
"""

from __future__ import annotations

from collections.abc import Sequence

from storewise.agent.grounding.claims import Claim
from storewise.agent.grounding.clauses import Mention, Reading
from storewise.agent.grounding.facts import Fact
from storewise.agent.grounding.words import DURATIONS, UNITS

_AHEAD = frozenset(
    "expected expect expecting expectation forecast forecasted predicted predict prediction will would should could "
    "going next coming upcoming future ahead come estimate estimated outlook potential likely probably anticipated "
    "projected lifetime clv ltv".split()
)
_SURELY_AHEAD = frozenset(
    "expected expect forecast predicted will next coming upcoming future projected".split()
)
_PAST = frozenset(
    "spent placed paid bought ordered earned brought left past last previou previous already was were did made "
    "generated".split()
)
_LOW = frozenset("least low lower minimum min worst".split())
_HIGH = frozenset("most high upper maximum max best up".split())
_INTERVAL = frozenset("interval range between confidence span".split())
_TOGETHER = frozenset("together total combined altogether sum first top".split())
_COUNTED = frozenset({"spend", "orders"})


def sort(fact: Fact) -> str:
    """Return ahead, low, high or past for a figure of a table, "" for any other."""
    label = fact.label
    if "expected" in label:
        return "low" if "low end" in label else "high" if "high end" in label else "ahead"
    return "past" if fact.measures & _COUNTED and fact.about is not None and label else ""


class Outlook:
    """The figures of a book by whether they are expected or have been."""

    def __init__(self, facts: Sequence[Fact]) -> None:
        self._sorts: dict[tuple[str, float], set[str]] = {}
        found = [(fact, sort(fact)) for fact in facts]
        self._any = any(kind == "ahead" for _, kind in found)
        if not self._any:
            return
        # A headline repeats the table's figures in its own words: the table says what they are.
        for fact, kind in found:
            if kind and (kind != "past" or fact.units):
                self._sorts.setdefault((fact.kind, round(fact.value, 2)), set()).add(kind)

    def problem(self, claim: Claim, fact: Fact, reading: Reading) -> str:
        """Return what is wrong with saying `fact` as `claim` does, "" if nothing."""
        if not self._any or fact.count or fact.units & DURATIONS:
            return ""
        here = next((one for one in reading.of("number") if one.start == claim.start), None)
        if here is None:
            return ""
        everywhere = frozenset(token.norm for token in reading.sentence.tokens)
        if fact.kind == "percent" and not fact.measures and not fact.label:
            return "" if everywhere & _INTERVAL else "says how sure the interval is"
        if fact.together and not everywhere & _TOGETHER:
            return "is what several are expected to spend together"
        kinds = self._sorts.get((fact.kind, round(fact.value, 2)))
        if not kinds:
            return ""
        if _is_rate(reading, here):
            return "is the sum and no rate"
        wrong = [_misfit(kind, claim, reading, here) for kind in sorted(kinds)]
        return "" if "" in wrong else wrong[0]


def _misfit(kind: str, claim: Claim, reading: Reading, figure: Mention) -> str:
    """Return why a figure of this kind is not what the claim says, "" where it is."""
    if kind == "past":
        ahead = bool(claim.words & _SURELY_AHEAD) and not claim.words & _PAST and claim.window is None
        return "has been, and is not what is expected" if ahead else ""
    if claim.window is not None or _tense(claim, reading) < 0:
        return "is expected, and has not been"
    words = [token.norm for token in reading.sentence.tokens]
    before = words[max(0, figure.start - 5) : figure.start]
    place = _place(words, figure)
    said_low, said_high = bool(_LOW & set(before)), bool(_HIGH & set(before))
    if kind == "ahead":
        inside = place and _INTERVAL & set(words)
        bound = before[-2:] in (["at", "least"], ["at", "most"], ["up", "to"])
        return "is in the middle of the interval" if inside or bound else ""
    after = set(words[figure.end : figure.end + 5])
    fits = {
        "low": place == 1 or (not place and (said_low or _LOW & after)),
        "high": place == 2 or (not place and (said_high or _HIGH & after)),
    }
    return "" if fits[kind] else f"is the {kind} end of the interval"


def _tense(claim: Claim, reading: Reading) -> int:
    """Return 1 where a claim speaks of what is to come, -1 of what has been, 0 where it does not say."""
    for at in range(claim.clause, -1, -1):
        words = set(reading.norms(at))
        if words & _AHEAD:
            return 1
        if words & _PAST:
            return -1
    return 0


def _place(words: Sequence[str], figure: Mention) -> int:
    """Return 1 or 2 where a figure is the first or second one of "$5 to $9", else 0."""
    joined = ("to", "and", "-", "–", "—")
    after = list(words[figure.end : figure.end + 3])
    if after[:1] and after[0] in joined and any(word[:1].isdecimal() for word in after[1:]):
        return 1
    before = list(words[max(0, figure.start - 3) : figure.start])
    if before and before[-1] == "$":
        before.pop()
    return 2 if len(before) > 1 and before[-1] in joined and before[-2][:1].isdecimal() else 0


def _is_rate(reading: Reading, figure: Mention) -> bool:
    """Whether a figure is said of each week or month: "$50 a week"."""
    after = [token.norm for token in reading.sentence.tokens[figure.end : figure.end + 2]]
    return len(after) == 2 and after[0] in ("a", "per", "each", "every") and UNITS.get(after[1]) in DURATIONS
