"""What a customer does with a message: the shortlist keeps the few likely acts, the model writes one of them.

Without a model the shortlist chooses alone, so that the desk still tells order states and calls a person.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from openai import OpenAIError

from storewise.agent.desk.evidence import Evidence
from storewise.agent.desk.halves import LONGEST, Halves
from storewise.agent.desk.verbs import named_changes, says_so
from storewise.agent.desk.weighing import weighed
from storewise.agent.desk.wish import NEEDS, SWAPPING
from storewise.prompts import prompt
from storewise.tools.calls import CallSyntaxError, WrittenCall
from storewise.tools.desk.act_shortlist import REASON, TWO, ActShortlist, likeliest
from storewise.tools.desk.acts import (
    CANCEL,
    HAND_OVER,
    NOTHING,
    PAYMENT,
    REASONS,
    RETURN,
    WISHES,
    act_grammar,
    name_of,
    normal,
    read_acts,
)

logger = logging.getLogger(__name__)
AWAY = "The language model did not answer: the shortlist read this message alone."
KEPT = 4
ACT_TOKENS = 40
_OF_ORDERS = ("get_order_details", "find_orders")
_MOVES = ("detail", "yes", "no", "drop", HAND_OVER)
WISH_ALL_THE_SAME = 0.9  # from here on a wish is one although the text answers what was asked
TWO_CLEAR = 0.9  # so likely, taken together, the two parts of a text have to be two wishes
SURE = 0.1  # from here on the shortlist is right oftener than the small model; below, the model decides
LIKELY = {"other": 0.8}  # a reason that the shop does not accept has to be surer
BOTH = 0.6  # from here on each part of a text is a wish of its own
_ORDER = re.compile(r"\b(?:orders?|parcel|package|account|profile|address|it all)\b|\[order\]", re.I)
_TRACES = re.compile(r"\b(?:(?<!order )where|when|track\w*|status|arriv\w*)\b", re.I)
_AN_ORDER = re.compile(r"\borders?\b|\[order\]", re.I)
_BESIDES = re.compile(
    r"\b(?:also|another|second(?:ly)?|one more|besides|as well|too|plus|then|oh|next|btw|by the way)\b", re.I
)
_PERSON = re.compile(
    r"\b(?:talk|speak|chat|connect|transfer|put)\b.{0,30}\b(?:person|human|someone|somebody|agent|manager|"
    r"representative|supervisor|real)\b|\bput me through\b|"
    r"\b(?:talk|speak|connect|transfer|pass|hand)\b.{0,25}"
    r"\b(?:to|with) (?:one|any|some) of your (?:colleagues|people|staff|team|co-?workers)\b|"
    r"\b(?:get|want|need|give) (?:me )?(?:a|an|the|your|some) "
    r"(?:real |actual |live )?(?:person|human|manager|agent|representative|supervisor)\b",
    re.I,
)
_DONT = re.compile(
    r"\b(?:(?:don['’]?t|do not|no need to) (?:cancel|return|exchange|swap|change|send)\b|cancel nothing\b)"
    r"[^.;!?,]*[.;!?,]+",
    re.I,
)
# "Actually, can you not just change the lamp?"
_RATHER = re.compile(
    r"\b(?:actually|instead|rather|wait|on second thoughts?)\b[^.;!?]*"
    r"\b(?:chang(?:e|ing)(?! my mind)|swap|switch|exchange|replace)\b",
    re.I,
)
_DENIES = re.compile(r"\b(?:not|never|without|no|instead of|rather than)\b|n['’]t\b|\bdont\b", re.I)
Weigh = Callable[[str, bool], Evidence]


def _nothing(text: str, afresh: bool) -> Evidence:
    return Evidence()


@dataclass(frozen=True)
class Understood:
    """What a message does.

    Attributes:
        acts: one act, or two.
        parts: the part of the text that each act is about, where they are two wishes or an answer and a wish.
        note: where the model did not answer.
        sure_of_yes: how likely the shortlist took it for a yes.
    """

    acts: tuple[WrittenCall, ...]
    parts: tuple[str, ...] = ()
    note: str | None = None
    sure_of_yes: float = 0.0


class Understanding:
    """Reads messages; threads may share it."""

    def __init__(self, shortlist: ActShortlist) -> None:
        self._shortlist = shortlist

    def read(
        self,
        model: ChatOpenAI | None,
        open_wish: str,
        asked: str,
        text: str,
        hidden: str | None = None,
        plain: str | None = None,
        weigh: Weigh = _nothing,
    ) -> Understood:
        """Return what a message does.

        Args:
            model: the served model; None reads by the shortlist alone.
            open_wish: the tool of the wish that is open, or "nothing".
            asked: what the desk asked last, of `acts.ASKED`.
            hidden: the text without the ids of the customer's own things.
            plain: the text with things called as the shop does.
            weigh: tells what a text's things say of its acts: where the talk stands, or afresh.
        """
        plain = text if plain is None else plain
        shown = normal(text if hidden is None else hidden)[:LONGEST]
        if _PERSON.search(text):
            return Understood((WrittenCall(HAND_OVER),))
        told = weigh(plain, False)
        halves = Halves(self._shortlist, plain)
        scores = weighed(self._shortlist.scores(open_wish, asked, [shown])[0], asked, plain, told)
        kept = likeliest(scores, asked, keep=KEPT)
        sure_of_yes = scores["yes"] if kept[0] == "yes" else 0.0
        if asked not in (NOTHING, "confirmation", "offer") and _BESIDES.search(plain):
            more = _answer_and_wish(halves, plain, open_wish, weigh)
            if more is not None:
                return more
        if (taken_back := self._taken_back(plain, open_wish, weigh)) is not None:
            return taken_back
        if told.answers and kept[0] not in _MOVES and scores[kept[0]] < WISH_ALL_THE_SAME:
            return Understood((_act("detail", _reason(scores)),))
        named = named_changes(plain)
        # What is said in so many words stays in reach.
        kept += tuple(tool for tool in named if tool not in kept and tool != open_wish)
        alone = _alone(kept, scores, halves)
        if model is None or scores.get(name_of(alone[0]), 0.0) >= SURE:
            note = AWAY if model is None else None
            return _with_second(Understood(alone, (), note, sure_of_yes), asked, halves, weigh)
        messages = [
            SystemMessage(prompt("desk")),
            HumanMessage(prompt("desk_turn", open=open_wish, asked=asked, text=shown)),
        ]
        grammar = act_grammar(kept, asked, open_wish)
        body = {"structured_outputs": {"grammar": grammar}}
        try:
            answer = model.invoke(messages, max_tokens=ACT_TOKENS, temperature=0.0, extra_body=body)
            acts = tuple(read_acts(str(answer.text)))
            if acts[0].name == "none" and alone[0].name != "none":
                acts = alone  # turning somebody away takes both
            return _with_second(Understood(acts), asked, halves, weigh)
        except (OpenAIError, CallSyntaxError) as error:
            logger.warning("no act from the model: %s", error)
            return _with_second(Understood(alone, (), AWAY), asked, halves, weigh)

    def _taken_back(self, text: str, open_wish: str, weigh: Weigh) -> Understood | None:
        """Return that the open wish is dropped and what is wanted in its place: "don't cancel, swap the chair"."""
        if open_wish in (CANCEL, RETURN) and _RATHER.search(text):
            own = weighed(
                self._shortlist.scores(NOTHING, NOTHING, [normal(text)[:LONGEST]])[0],
                NOTHING,
                text,
                weigh(text, True),
            )
            swap = max(SWAPPING, key=lambda name: own[name])
            if own[swap] >= BOTH:
                return Understood((WrittenCall(swap),))
        found = _DONT.search(text)
        rest = text[found.end() :].strip() if found is not None else ""
        if found is None:
            return None
        dropped = Understood((WrittenCall("drop"),)) if open_wish in named_changes(found[0]) else None
        if not rest:
            return dropped
        scores = self._shortlist.scores(NOTHING, NOTHING, [normal(rest)[:LONGEST]])[0]
        own = weighed(scores, NOTHING, rest, weigh(rest, True))
        wish = max(NEEDS, key=lambda name: own[name])
        if own[wish] < BOTH:
            return dropped
        if open_wish not in NEEDS:
            return Understood((WrittenCall(wish),))
        return Understood((WrittenCall("drop"), WrittenCall(wish)), (text[: found.end()], rest))


def _alone(kept: Sequence[str], scores: Mapping[str, float], halves: Halves) -> tuple[WrittenCall, ...]:
    """Return the likeliest acts by the shortlist: one, or two wishes where it is sure of both."""
    names = [kept[0]]
    if scores.get(TWO, 0.0) >= 0.5 and len(kept) > 1 and kept[1] in WISHES and scores[kept[1]] >= 0.4:
        if not _is_one(kept[0], kept[1]):
            names.append(kept[1])
    if len(names) > 1 and names[0] in WISHES:
        ways = halves.clear(names), halves.clear(names[::-1])
        parts = (
            halves.split(names[0], names[1]) if ways[0] >= ways[1] else halves.split(names[1], names[0])[::-1]
        )
        if max(ways) < TWO_CLEAR or not says_so(names[1], parts[1]):
            names.pop()
        elif ways[1] > ways[0]:
            names.reverse()
    return tuple(_act(name, _reason(scores)) for name in names)


def _with_second(read: Understood, asked: str, halves: Halves, weigh: Weigh) -> Understood:
    """Return the acts, with the second of two wishes that a first message holds, and the part of each."""
    acts = read.acts
    if asked == NOTHING and len(acts) == 1 and acts[0].name in WISHES:
        pair = _pair(halves, weigh)
        # Which of the two swaps it is, the order decides.
        read_as = SWAPPING if acts[0].name in SWAPPING else (acts[0].name,)
        if pair is not None and set(read_as) & set(pair):
            acts = tuple(acts[0] if name in read_as else WrittenCall(name) for name in pair)
    if len(acts) < 2 or any(act.name not in NEEDS and act.name not in _OF_ORDERS for act in acts):
        return replace(read, acts=acts)
    return replace(read, acts=acts, parts=halves.split(acts[0].name, acts[1].name))


def _pair(halves: Halves, weigh: Weigh) -> tuple[str, str] | None:
    """Return the two changes that a text wants, where it falls into two parts that each want one of their own."""

    @cache
    def change(part: str) -> tuple[float, str]:
        told = weigh(part, True)
        own = weighed(scores_of[part], NOTHING, part, told)
        asks = _TRACES.search(part) is not None and told.about == "get_order_details"
        likely, name = max((own[name], name) for name in (*NEEDS, *(("get_order_details",) if asks else ())))
        # "and the grey backpack" is no wish of its own, nor "the money back to PayPal", which names no thing.
        if name in NEEDS and not (says_so(name, part) or told.swaps or told.unneeded or told.place):
            likely = 0.0
        elif name in named_changes(part) and told.about and not _DENIES.search(part):
            likely = max(likely, BOTH)  # its verb and its thing are both there
        return (likely if told.about or told.place or _ORDER.search(part) else 0.0), name

    scores_of = {part: own for way in halves.ways for part, own in zip(*way, strict=True)}
    best, clear = None, BOTH
    for (former, latter), _ in halves.ways:
        (first, one), (second, two) = change(former), change(latter)
        apart = not _is_one(one, two) or _pays_for_another(one, former, first, two, latter, second)
        if one != two and apart and min(first, second) >= clear:
            best, clear = (one, two), min(first, second)
    return best


def _answer_and_wish(halves: Halves, text: str, open_wish: str, weigh: Weigh) -> Understood | None:
    """Return the answer and the wish of a text that answers what was asked and wants another thing besides."""
    for parts, (_, scores) in halves.ways:
        if not _BESIDES.search(text[len(parts[0]) :][:60]) or not weigh(parts[0], False).answers:
            continue
        own = weighed(scores, NOTHING, parts[1], weigh(parts[1], True))
        wish = max(NEEDS, key=lambda name: own[name])
        if own[wish] >= BOTH and wish != open_wish and not _is_one(open_wish, wish):
            return Understood((_act("detail", _reason(own)), WrittenCall(wish)), parts)
    return None


def _is_one(first: str, second: str) -> bool:
    """Say whether two acts are one wish: what pays for it, or two ways to swap."""
    pays = PAYMENT in (first, second) and any(
        "payment" in NEEDS.get(one, ()) for one in (first, second) if one != PAYMENT
    )
    return pays or {first, second} == set(SWAPPING)


def _pays_for_another(one: str, former: str, first: float, two: str, latter: str, second: float) -> bool:
    """Say whether of two parts one clearly wants an order paid otherwise, and the other a change of its own."""
    of_order = (one == PAYMENT and _AN_ORDER.search(former)) or (two == PAYMENT and _AN_ORDER.search(latter))
    return bool(of_order) and min(first, second) >= TWO_CLEAR


def _reason(scores: Mapping[str, float]) -> str | None:
    """Return the reason of a cancellation that a text gives, None if none is likely."""
    reason = max(REASONS, key=lambda one: scores.get(f"{REASON}{one}", 0.0))
    return reason if scores.get(f"{REASON}{reason}", 0.0) >= LIKELY.get(reason, 0.5) else None


def _act(name: str, reason: str | None) -> WrittenCall:
    if name.startswith("none:"):
        return WrittenCall("none", {"kind": name.removeprefix("none:")})
    return WrittenCall(name, {"reason": reason} if reason and name in (CANCEL, "detail") else {})
