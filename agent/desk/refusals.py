"""What cannot be is refused before anything more is asked for it."""

from __future__ import annotations

from typing import Any

from storewise.agent.desk.things import Things
from storewise.agent.desk.wish import NEEDS, SWAPPING, Meaning, Wish, in_own_state


def refused_early(wish: Wish, found: Meaning, things: Things) -> dict[str, Any] | None:
    """Return the arguments with which the tool itself tells that this cannot be, None if it may."""
    order = found.foreign or (found.order.order_id if found.order is not None else None)
    if order is None:
        return None
    unpaid = found.paying is not None and not found.paying.methods
    own = things.order(order)
    closed = own is not None and not in_own_state(wish.tool, own)
    gone = (
        wish.tool in SWAPPING
        and found.missing == "payment"
        and not all(kinds[0].available for kinds in found.kinds)
    )
    if not (found.foreign or unpaid or closed or gone):
        return None
    if own is not None and unpaid and not closed and found.missing not in ("payment", None):
        return None  # first what is asked before it
    arguments: dict[str, Any] = {"order_id": order}
    needs = NEEDS[wish.tool]
    if "reason" in needs:
        arguments["reason"] = found.reason or "no longer needed"
    if "items" in needs:
        lines = found.lines or (list(own.lines)[:1] if own else [])
        arguments["item_ids"] = [line.item_id for line in lines] or ["0"]
    if wish.tool in SWAPPING:
        kinds = [kinds[0].item_id for kinds in found.kinds if kinds]
        whole = len(kinds) == len(arguments["item_ids"])
        arguments["new_item_ids"] = kinds if whole else arguments["item_ids"]
    if "payment" in needs:
        named = found.paying.said if found.paying is not None and unpaid else None
        arguments["payment_method_id"] = named or (things.methods[0].method_id if things.methods else "none")
    if "address" in needs:
        arguments |= {"address1": "-", "city": "-", "state": "-", "zip": "-"}
    return arguments
