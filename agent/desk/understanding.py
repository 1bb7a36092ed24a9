"""What a customer does with a message: the shortlist keeps the few likely acts, the model writes one of them.

Without a model the shortlist chooses alone, so that the desk still tells order states and calls a person.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from openai import OpenAIError

from storewise.agent.desk.evidence import Evidence
from storewise.agent.desk.meant import parts_of
from storewise.agent.desk.verbs import named_changes, says_so
from storewise.agent.desk.wish import SWAPPING
from storewise.prompts import prompt
from storewise.tools.calls import CallSyntaxError, WrittenCall
from storewise.tools.desk.act_shortlist import REASON, TWO, ActShortlist, likeliest
from storewise.tools.desk.acts import (
    CANCEL,
    HAND_OVER,
    NOTHING,
    REASONS,
    WISHES,
    act_grammar,
    name_of,
    normal,
    read_acts,
)

logger = logging.getLogger(__name__)
AWAY = "The language model did not answer: the shortlist read this message alone."
KEPT = 4
LONGEST = 700  # characters of a message that are read for what is wanted
ACT_TOKENS = 40
_MOVES = ("detail", "yes", "no", "drop", HAND_OVER)
# What a text is read as that names another variant of the customer's own and means a swap.
_FOR_SWAPS = (
    "get_product_details",
    "get_order_details",
    "search_reviews",
    "find_orders",
    "modify_pending_order_payment",
    "return_delivered_order_items",
    CANCEL,
)
UNLIKELY = 0.05  # what a change that cannot be made counts for
# From here on a wish is one although the text answers what was asked, and no wish is none although it names things.
WISH_ALL_THE_SAME, NONE_ALL_THE_SAME = 0.9, 0.9
MOST_SPLITS = 12
VERB = 0.1  # a change that a verb names needs this share of the likelihood of what it says instead
FEW_WORDS = 3  # a text of so few words that names a change wants it
PERSON = 0.5
SURE = 0.45  # from here on the shortlist is right oftener than the small model; below, the model decides
BOTH = 0.6  # from here on each part of a text is a wish of its own
_PERSON = re.compile(
    r"\b(?:talk|speak|chat|connect|transfer|put)\b.{0,30}\b(?:person|human|someone|somebody|agent|manager|"
    r"representative|supervisor|real)\b|\b(?:get|want|need|give) (?:me )?(?:a|an|the|your|some) "
    r"(?:real |actual |live )?(?:person|human|manager|agent|representative|supervisor)\b",
    re.I,
)
NO_EVIDENCE = Evidence()


@dataclass(frozen=True)
class Understood:
    """The acts of a message, a note where the model did not answer, and how likely the shortlist took it for a yes."""

    acts: tuple[WrittenCall, ...]
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
        told: Evidence = NO_EVIDENCE,
        hidden: str | None = None,
    ) -> Understood:
        """Return what a message does.

        Args:
            model: the served model; None reads by the shortlist alone.
            open_wish: the tool of the wish that is open, or "nothing".
            asked: what the desk asked last, of `acts.ASKED`.
            told: what the things that the text names say of its acts.
            hidden: the text without the ids of the customer's own things.
        """
        shown = normal(text if hidden is None else hidden)[:LONGEST]
        if _PERSON.search(text):
            return Understood((WrittenCall(HAND_OVER),))
        scores = self._shortlist.scores(open_wish, asked, [shown])[0]
        named = named_changes(text)
        scores |= {tool: UNLIKELY * scores.get(tool, 0.0) for tool in told.unlikely if tool not in named}
        kept = likeliest(scores, asked, keep=KEPT)
        sure_of_yes = scores.get("yes", 0.0) if kept[0] == "yes" else 0.0
        if told.answers and kept[0] not in _MOVES and scores[kept[0]] < WISH_ALL_THE_SAME:
            return Understood((_act("detail", self._reason(scores)),))
        # What is said in so many words stays in reach.
        kept += tuple(tool for tool in named if tool not in kept and tool != open_wish)
        if told.about is not None and kept[0].startswith("none:") and scores[kept[0]] < NONE_ALL_THE_SAME:
            kept = (told.about, *(act for act in kept if act != told.about))
            scores[told.about] = max(scores.get(told.about, 0.0), SURE)
        if told.swaps and kept[0] in _FOR_SWAPS and not set(named) - set(SWAPPING):
            swap = max(SWAPPING, key=lambda tool: scores.get(tool, 0.0))
            kept = (swap, *(act for act in kept if act != swap))
            scores[swap] = max(scores[swap], scores[kept[1]] if len(kept) > 1 else SURE)
        alone = self._alone(kept, scores, shown)
        if model is None or scores.get(name_of(alone[0]), 0.0) >= SURE:
            note = AWAY if model is None else None
            return Understood(self._with_second(alone, asked, shown), note, sure_of_yes)
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
            return Understood(self._with_second(acts, asked, shown))
        except (OpenAIError, CallSyntaxError) as error:
            logger.warning("no act from the model: %s", error)
            return Understood(alone, AWAY)

    @staticmethod
    def _reason(scores: Mapping[str, float]) -> str | None:
        """Return the reason of a cancellation that a text gives, None if none is likely."""
        reason = max(REASONS, key=lambda one: scores.get(f"{REASON}{one}", 0.0))
        return reason if scores.get(f"{REASON}{reason}", 0.0) >= 0.5 else None

    def _alone(self, kept: Sequence[str], scores: dict[str, float], text: str) -> tuple[WrittenCall, ...]:
        """Return the likeliest acts by the shortlist: one, or two wishes where it is sure of both."""
        told = self._reason(scores)
        # Whoever wants a person mostly says so outright (_PERSON); else it has to be likely.
        sure = [act for act in kept if act != HAND_OVER or scores[act] >= PERSON]
        names = list((sure or kept)[:1])
        named = [tool for tool in named_changes(text) if tool in scores]
        if named and names[0] not in named:
            said = max(named, key=lambda tool: scores[tool])  # the verb says it
            plain = names[0].startswith("none:") and len(text.split()) <= FEW_WORDS
            unsaid = WISHES.get(names[0]) == "write" and not says_so(names[0], text)
            if plain or unsaid or (names[0] != "detail" and scores[said] >= VERB * scores[names[0]]):
                names = [said]
        if scores.get(TWO, 0.0) >= 0.5 and len(kept) > 1 and kept[1] in WISHES and scores[kept[1]] >= 0.4:
            names.append(kept[1])
            if names[0] in WISHES and self._clear(text, names[::-1]) > self._clear(text, names):
                names.reverse()
        return tuple(_act(name, told) for name in names)

    def _with_second(self, acts: tuple[WrittenCall, ...], asked: str, text: str) -> tuple[WrittenCall, ...]:
        """Return the acts, with the second of two wishes that a first message holds, if only one was read."""
        if asked != "nothing" or len(acts) != 1 or acts[0].name not in WISHES:
            return acts
        pair = self._pair(text)
        if pair is None or acts[0].name not in pair:
            return acts
        return tuple(acts[0] if name == acts[0].name else WrittenCall(name) for name in pair)

    def _pair(self, text: str) -> tuple[str, str] | None:
        """Return the two changes that a text wants, where it falls into two parts that each want one of their own."""
        best, clear = None, BOTH
        for _, halves in self._halves(text):
            (first, one), (second, two) = (
                max((scores[name], name) for name, kind in WISHES.items() if kind == "write")
                for scores in halves
            )
            if one != two and min(first, second) >= clear:
                best, clear = (one, two), min(first, second)
        return best

    def split(self, text: str, first: str, second: str) -> tuple[str, str]:
        """Return the two parts of a text that hold two wishes: where each part speaks most clearly of its own."""
        return max(self._ways(text, (first, second)), key=lambda way: way[1], default=((text, text), 0.0))[0]

    def _clear(self, text: str, names: Sequence[str]) -> float:
        """Return how clearly a text says these two in this order, at its best split."""
        return max((score for _, score in self._ways(text, names)), default=0.0)

    def _ways(self, text: str, names: Sequence[str]) -> list[tuple[tuple[str, str], float]]:
        return [
            (parts, sum(scores.get(name, 0.0) for scores, name in zip(halves, names, strict=True)))
            for parts, halves in self._halves(text)
        ]

    def _halves(self, text: str) -> list[tuple[tuple[str, str], list[dict[str, float]]]]:
        """Return the ways to split a text in two, with what each part is likely to be by itself."""
        ways = [parts for parts in parts_of(text)[:MOST_SPLITS] if all(parts)]
        if not ways:
            return []
        parts = list(dict.fromkeys(part[:LONGEST] for way in ways for part in way))
        scores = dict(zip(parts, self._shortlist.scores(NOTHING, NOTHING, parts), strict=True))
        return [(way, [scores[part[:LONGEST]] for part in way]) for way in ways]


def _act(name: str, reason: str | None) -> WrittenCall:
    if name.startswith("none:"):
        return WrittenCall("none", {"kind": name.removeprefix("none:")})
    return WrittenCall(name, {"reason": reason} if reason and name in (CANCEL, "detail") else {})
