"""The shortlist's likelihoods, weighed by what a text names: verbs, things and their state, variants, places."""

from __future__ import annotations

import re
from collections.abc import Mapping

from storewise.agent.desk.evidence import Evidence
from storewise.agent.desk.verbs import loosely_named, named_changes, says_so
from storewise.agent.desk.wish import NEEDS, SWAPPING
from storewise.tools.desk.act_shortlist import likeliest
from storewise.tools.desk.acts import ADDRESS, CANCEL, HAND_OVER, PAYMENT, RETURN, WISHES

UNLIKELY = 0.05  # what a change that cannot be made counts for
VERB = 0.1  # a change that a verb names needs this share of the likelihood of what is read instead
FEW_WORDS = 3  # a text of so few words that names a change wants it
NONE_ALL_THE_SAME = 0.9  # from here on a text wants nothing although it names things
PERSON = 0.6  # whoever wants a person mostly says so outright; else it has to be likely
SURELY = 0.8  # from here on an order is cancelled or a thing returned although another variant is named
REFUSED = 0.55  # nobody is turned away by the policy on a lesser likelihood
SHOWN = 0.6  # the likelihood of a change that verbs and things together show
LEAST = 0.3  # a change that no word names has to be as likely
UNHEARD = 0.08  # what names nothing and is likely nothing is not understood
_AHEAD = 1e-3
# "If that one can't be had I'll hang on to mine."
_STICKS = re.compile(
    r"\b(?:keep|hang(?:ing)? on to|stick(?:ing)? with|stay(?:ing)? with|hold(?:ing)? on to|stay as) "
    r"(?:(?:mine|this|that|what i(?: have|'ve got)?|the (?:old|one i))\b|"
    # "keep it graphic" tells an option
    r"(?:it|them)\b(?=\W*$|[.,;!?]| (?:then|as|after|instead|please|thanks|for|and|i|but|so|anyway|all|both)\b))",
    re.I,
)
# "So be it, let it come."
_RESIGNS = re.compile(
    r"\bso be it\b|\bleave (?:my|the|that) (?:order|things?) (?:be|alone|as (?:it|they) (?:is|are|was|were))\b|"
    r"\b(?:that|this)(?: one)? or nothing\b|"
    r"\blet (?:it|them|everything|that|this) (?:come|be|stay)\b(?=\W*$|[.,;!])|\blet stay\b|"
    r"\bleave (?:everything|it all|all of it|them all)\b|\b(?:fine|ok(?:ay)?|then) (?:leave|forget) it\b",
    re.I,
)
RESIGNING = 12  # words
# What no rule of the shop grants.
_FAVOUR = re.compile(
    r"\b(?:discount|compensat\w+|goodwill|price[- ]match\w*|(?:percent|%) off|money off)\b", re.I
)
# A question of what became of a change names it too.
_TRACES = re.compile(
    r"\b(?:(?<!order )where|when|track\w*|status|did|has|have you|how long|arriv\w*)\b", re.I
)
# The change that is left where what was read cannot be made: the thing has come, or it has not.
_INSTEAD = {CANCEL: RETURN, RETURN: CANCEL}
# What a text is read as that names another variant of the customer's own and means a swap.
_FOR_SWAPS = (
    "get_product_details",
    "get_order_details",
    "search_reviews",
    "find_orders",
    PAYMENT,
    RETURN,
    CANCEL,
)


def weighed(scores: Mapping[str, float], asked: str, text: str, told: Evidence) -> dict[str, float]:
    """Return how likely each act is, given what the text names."""
    named = [
        tool
        for tool in named_changes(text)
        if tool in scores and not (tool in told.unlikely and loosely_named(tool, text))
    ]
    result = dict(scores)
    if told.unlikely:  # whether it has come decides which of the two swaps it is
        result |= dict.fromkeys(SWAPPING, max(result.get(tool, 0.0) for tool in SWAPPING))
    for tool in told.unlikely:
        if tool not in named:
            result[tool] = UNLIKELY * result.get(tool, 0.0)
    if result.get(HAND_OVER, 0.0) < PERSON:
        result[HAND_OVER] = UNLIKELY * result.get(HAND_OVER, 0.0)
    read = likeliest(scores, asked, keep=1)[0]
    if read in told.unlikely and read not in named and _INSTEAD.get(read) not in (None, *told.unlikely):
        result[_INSTEAD[read]] = max(result[_INSTEAD[read]], scores[read])

    def first() -> str:
        return likeliest(result, asked, keep=1)[0]

    def put_first(act: str, least: float = 0.0) -> None:
        result[act] = max(result.get(act, 0.0), result[first()] + _AHEAD, least)

    top = first()
    if named and top not in named:
        said = max(named, key=lambda tool: result[tool])  # the verb says it
        plain = top.startswith("none:") and len(text.split()) <= FEW_WORDS
        unsaid = WISHES.get(top) == "write" and not says_so(top, text)
        of_own = told.about == "get_order_details" and not _TRACES.search(text)
        free = top != "detail" or asked == "nothing"
        if plain or unsaid or (free and (of_own or result[said] >= VERB * result[top])):
            put_first(said, SHOWN if of_own else 0.0)
    elif (
        told.swaps
        and (top in (*_FOR_SWAPS, *SWAPPING, "detail") or top.startswith("none:"))
        and not set(named) - set(SWAPPING)
        and not (top in (CANCEL, RETURN) and result[top] >= SURELY)
    ):
        put_first(max(SWAPPING, key=lambda tool: result.get(tool, 0.0)), SHOWN)
    elif (
        told.unneeded
        and not named
        and (WISHES.get(top) == "read" or top == CANCEL or (top in SWAPPING and not says_so(top, text)))
    ):
        put_first(CANCEL, SHOWN)
    elif told.place and not named and (WISHES.get(top) == "read" or top in (ADDRESS, CANCEL, *SWAPPING)):
        put_first(ADDRESS, SHOWN)
    elif told.about is not None and (
        top == "list_all_product_types" or (top.startswith("none:") and result[top] < NONE_ALL_THE_SAME)
    ):
        put_first(told.about)
    elif told.about == "get_order_details" and top == "get_product_details" and told.only_own:
        put_first("get_order_details")
    if asked not in ("nothing", "confirmation", "offer") and _STICKS.search(text):
        put_first("drop")
    tells = told.answers or told.place or told.swaps
    if _RESIGNS.search(text) and not named and not tells and len(text.split()) <= RESIGNING:
        put_first("drop")
    top = first()
    if _FAVOUR.search(text) and asked == "nothing" and not named and WISHES.get(top) != "write":
        put_first("none:policy", REFUSED)
    top = first()
    if top == "none:policy" and result[top] < REFUSED:
        put_first("detail")
    unsaid = top not in named and result[top] < LEAST and not says_so(top, text)
    unheard = told.about is None and result[top] < UNHEARD
    if asked == "nothing" and top != "drop" and ((top in NEEDS and unsaid) or unheard):
        put_first("detail")
    return result
