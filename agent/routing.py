"""From a question to its calls: what the model is asked, and how its answer becomes a checked call."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from storewise.agent.answer import Call
from storewise.agent.grammar import call_grammar, unmet
from storewise.agent.reading import STOP, Reading, customers_named, only_praise_or_blame, read_question
from storewise.prompts import prompt
from storewise.tools.calls import WrittenCall, read_calls, write_calls
from storewise.tools.registry import Tool
from storewise.tools.shop.dates import read_periods
from storewise.tools.shop.generation import Shop
from storewise.tools.shortlist import NONE, Choice, Newcomers, Shortlist


@dataclass(frozen=True)
class Before:
    """The turn before: its question and its calls in the short syntax."""

    question: str
    calls: str

    @cached_property
    def written(self) -> list[WrittenCall]:
        return [call for call in read_calls(self.calls) if call.name != NONE]


@dataclass(frozen=True)
class Routed:
    """A question on its way to a call: the request to the model and what is needed to read its answer."""

    reading: Reading
    choice: Choice
    system: str
    user: str
    grammar: str | None


class Router:
    """Narrows a question to a few tools and values, and turns written calls into checked ones."""

    def __init__(self, shop: Shop, tools: dict[str, Tool], shortlist: Shortlist, keep: int) -> None:
        self._shop = shop
        self._tools = tools
        self._shortlist = shortlist
        self._keep = keep
        described = {name: tool.description for name, tool in tools.items()}
        self._newcomers = Newcomers(described, shortlist.labels)

    def route(self, question: str, before: Before | None = None, shortlisted: bool = True) -> Routed:
        """Return the request for `question`: prompts, grammar, and what it was made from.

        Without the shortlist (`shortlisted` false, for benchmarks) every tool stays in reach.
        """
        earlier = tuple(
            (name, value) for call in (before.written if before else []) for name, value in call.args.items()
        )
        reading = read_question(question, self._shop, earlier)
        choice = self._shortlist.choose(
            question,
            list(self._tools),
            self._keep,
            before=before.question if before else "",
            earlier=before.written[-1].name if before and before.written else "",
            newcomer=self._newcomers.meant(question),
        )
        if not shortlisted:
            choice = Choice(tuple(self._tools), choice.scores, none=True, two=True)
        user = question
        if before is not None:
            user = prompt(
                "call_followup",
                before_question=before.question,
                before_calls=before.calls,
                question=question,
            )
        tools = [self._tools[name] for name in choice.tools]
        grammar = call_grammar(tools, reading, two=choice.two, none=choice.none)
        return Routed(reading, choice, prompt("call"), user, grammar)

    def calls(self, written: list[WrittenCall]) -> list[Call]:
        """Return the calls with typed arguments, periods resolved to dates; `none` gives no call."""
        calls: list[Call] = []
        for call in (self._call(call) for call in written if call.name in self._tools):
            # A second call that says nothing the first has not said is a stutter, not a wish.
            again = any(one.name == call.name and call.args.items() <= one.args.items() for one in calls)
            if not again:
                calls.append(call)
        return calls

    def _call(self, written: WrittenCall) -> Call:
        args: dict[str, Any] = {}
        for name, value in written.args.items():
            if name == "when":
                args |= self._period(value)
            elif name in ("top", "weeks"):
                args[name] = int(value)
            else:
                args[name] = value
        # "Bad reviews of tea" look for nothing beyond the tea, and what is bad is told by the sentiment.
        query = set(args.get("query", "").lower().split())
        known = query <= set(args.get("product", "").lower().split())
        if known or ("sentiment" in args and only_praise_or_blame(" ".join(query))):
            args.pop("query", None)
        return Call(name=written.name, args=args)

    def _period(self, text: str) -> dict[str, str]:
        periods = read_periods(text, self._shop.as_of, self._shop.first_day)
        if not periods:
            return {}
        days = {"start": periods[0].start, "end": periods[0].end}
        return {name: day.isoformat() for name, day in days.items() if day is not None}

    def without_model(self, routed: Routed) -> list[WrittenCall]:
        """Return the likeliest call that can be filled from the question alone: the engine is down."""
        reading = routed.reading
        if self.missing(routed):
            return [WrittenCall(NONE, {"kind": "outside"})]
        ranked = sorted(routed.choice.tools, key=lambda name: -routed.choice.scores[name])
        if routed.choice.none and routed.choice.likeliest == NONE:
            return [WrittenCall(NONE, {"kind": "outside"})]
        for name in ranked:
            tool = self._tools[name]
            if not unmet(tool, reading):
                return [WrittenCall(name, _read_off(tool, reading))]
        return [WrittenCall(NONE, {"kind": "outside"})]

    def missing(self, routed: Routed) -> list[str]:
        """Return the required arguments that the question leaves open for its likeliest tool."""
        likeliest = routed.choice.likeliest
        if likeliest == NONE or routed.choice.scores[likeliest] < 0.5:
            return []
        return unmet(self._tools[likeliest], routed.reading)


def _read_off(tool: Tool, reading: Reading) -> dict[str, str]:
    """Return the arguments that can be read off the question, in the order of the tool's schema."""
    digits = tuple(text for text in reading.ids if text.isdecimal())
    offers: dict[str, list[str]] = {
        "customer_id": customers_named(reading.question, digits),
        "session_id": [text for text in reading.ids if not text.isdecimal()],
        "when": [period.text for period in reading.periods],
        "segment": list(reading.segments),
        "product": list(reading.products),
        "query": [" ".join(w for w in reading.words if w.lower() not in STOP | _REVIEW_WORDS)],
        "metric": [*_named(reading, _METRIC_WORDS), "revenue"],
        "by": _named(reading, _BY_WORDS),
        "sentiment": _named(reading, _SENTIMENT_WORDS),
    }
    taken = offers["customer_id"]
    offers["weeks"] = [str(weeks) for weeks in reading.horizons]
    offers["top"] = [str(number) for number in reading.numbers if str(number) not in taken]
    values = {name: [*offers.get(name, []), *reading.before(name)] for name in tool.written_arguments}
    for name, found in values.items():
        if choices := tool.choices(name):
            values[name] = [value for value in found if value in choices]
    return {name: found[0] for name, found in values.items() if found}


_REVIEW_WORDS = frozenset(
    "review reviews find search show quote quotes complain complains complaint complaints customers people saying "
    "mention mentions mentioning talk talking write wrote written read good bad positive negative".split()
)
# Plain words for the values of enums, for the road without a model.
_METRIC_WORDS = {
    "orders": "orders order tickets transactions",
    "customers": "customers shoppers buyers people households",
    "units": "units pieces items",
    "average_order_value": "average basket",
    "revenue": "revenue sales turnover takings",
}
_BY_WORDS = {
    "mood": "mood moods angry annoyed calm",
    "day": "daily day days",
    "week": "weekly week weeks",
    "month": "monthly month months trend",
    "category": "category categories",
    "brand": "brand brands",
    "product": "product products bestseller bestsellers",
    "segment": "segment segments",
}
_SENTIMENT_WORDS = {
    "negative": "bad negative complaints complain worst angry unhappy",
    "positive": "good positive praise best happy love",
}


def _named(reading: Reading, words: dict[str, str]) -> list[str]:
    said = {word.lower() for word in reading.words}
    return [value for value, names in words.items() if said & set(names.split())]


def written_text(calls: list[WrittenCall]) -> str:
    """Return calls as they are remembered for the next turn."""
    return "; ".join(
        f"none({call.args['kind']})" if call.name == NONE else write_calls([call]) for call in calls
    )
