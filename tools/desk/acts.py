"""What a customer does with a message, as the desk's model writes it: `yes(); get_order_details()`.

An act is a wish by the name of the desk's tool, or a move about the wish that is open. Orders, items, options,
payments and addresses are read from the words by code; the model tells no more than why an order is cancelled.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Literal

from storewise.tools.calls import CallSyntaxError, WrittenCall, read_calls

# The wishes, and whether they read or write.
WISHES: dict[str, Literal["read", "write"]] = {
    "cancel_pending_order": "write",
    "modify_pending_order_address": "write",
    "modify_pending_order_items": "write",
    "modify_pending_order_payment": "write",
    "return_delivered_order_items": "write",
    "exchange_delivered_order_items": "write",
    "modify_user_address": "write",
    "get_order_details": "read",
    "find_orders": "read",
    "get_user_details": "read",
    "get_product_details": "read",
    "list_all_product_types": "read",
    "search_reviews": "read",
    "transfer_to_human_agents": "read",
}
CANCEL = "cancel_pending_order"
RETURN = "return_delivered_order_items"
ADDRESS = "modify_pending_order_address"
PAYMENT = "modify_pending_order_payment"
HAND_OVER = "transfer_to_human_agents"
MOVES = ("detail", "yes", "no", "drop")
REASONS = ("no longer needed", "ordered by mistake", "other")
NONE_KINDS = ("greeting", "thanks", "help", "outside", "policy")
NOTHING = "nothing"
ASKED = (
    NOTHING, "order", "items", "new items", "payment", "address", "reason", "confirmation", "product", "which",
    "offer",
)  # fmt: skip
# What may be answered with yes or no.
ANSWERABLE = ("confirmation", "offer", "which")
# Every act by its name alone, as a shortlist gives it: `none:policy` is none(policy).
ACTS = (*WISHES, *MOVES, *(f"none:{kind}" for kind in NONE_KINDS))
_ORDER = re.compile(r"#?\s?\b[Ww]\d{7}\b|#\d{7}\b|\b\d{7}\b")
_ITEM = re.compile(r"\b\d{10}\b")


def normal(text: str) -> str:
    """Return a customer's words as the model reads them: masked, in one line, ids replaced by their kind."""
    from storewise.tools.desk.masking import masked

    return " ".join(_ITEM.sub("[item]", _ORDER.sub(_order, masked(text))).split())


def _order(found: re.Match[str]) -> str:
    return f"{' ' if found[0][:1].isspace() else ''}[order]"


def name_of(act: WrittenCall) -> str:
    """Return an act's name as it stands in ACTS."""
    return f"none:{act.args['kind']}" if act.name == "none" else act.name


def read_acts(text: str) -> list[WrittenCall]:
    """Return the one or two acts written in `text`.

    Raises:
        CallSyntaxError: it is not in the short syntax, or no such act may be written.
    """
    acts = read_calls(text)
    if not 1 <= len(acts) <= 2:
        raise CallSyntaxError(f"one act or two are wanted, not {len(acts)}: {text[:60]!r}")
    for act in acts:
        if name_of(act) not in ACTS:
            raise CallSyntaxError(f"no such act: {name_of(act)[:60]!r}")
        given = {} if act.name == "none" else act.args
        takes_reason = act.name in (CANCEL, "detail")
        if any(key != "reason" or not takes_reason or value not in REASONS for key, value in given.items()):
            raise CallSyntaxError(f"{act.name} does not take {given}")
    if len(acts) == 2 and (acts[1].name not in WISHES or acts[0].name not in (*WISHES, "yes", "no", "drop")):
        raise CallSyntaxError(f"these two acts do not go together: {text[:60]!r}")
    return acts


def act_grammar(allowed: Sequence[str], asked: str, open_wish: str = NOTHING) -> str:
    """Return the grammar (GBNF) for one act of `allowed`, or two that go together.

    Args:
        allowed: names as in ACTS; `none` stands for all its kinds. Without any, all acts are allowed.
        asked: what the desk asked last, of ASKED: only a question can be answered with yes or no.
        open_wish: the wish that is open: of a cancellation a detail may be its reason.
    """
    names = set(allowed or ACTS)
    if "none" in names:
        names |= {f"none:{kind}" for kind in NONE_KINDS}
    if asked not in ANSWERABLE:
        names -= {"yes", "no"}
    if not names & set(ACTS):
        names = {name for name in ACTS if name not in ("yes", "no")}
    reasons = _choice(f'reason="{reason}"' for reason in REASONS)
    told = asked == "reason" or open_wish == CANCEL
    ways: list[str] = []
    kinds = [kind for kind in NONE_KINDS if f"none:{kind}" in names]
    if kinds:
        ways.append(f'"none(" ({_choice(kinds)}) ")"')
    singles = [name for name in ACTS if name in names and not name.startswith("none:")]
    rules = [
        f'{_rule(name)} ::= "{name}(" ({reasons})? ")"'
        if name == CANCEL or (name == "detail" and told)
        else f'{_rule(name)} ::= "{name}()"'
        for name in singles
    ]
    for name in singles:
        seconds = [_rule(second) for second in singles if second in WISHES and second != name]
        tail = f' ("; " ({" | ".join(seconds)}))?' if seconds and name != "detail" else ""
        ways.append(_rule(name) + tail)
    return "\n".join([f"root ::= {' | '.join(ways)}", *rules])


def _rule(name: str) -> str:
    return name.replace("_", "-")


def _choice(texts: Iterable[str]) -> str:
    return " | ".join(json.dumps(text) for text in texts)
