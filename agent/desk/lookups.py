"""What the desk looks up for a customer: their orders and account, products, and what others say of those."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from storewise.agent.desk.naming import in_state, lines_named, order_ids, products_named
from storewise.agent.desk.options import Wanted, pick, wanted
from storewise.agent.desk.reply import Decision, OrderCard
from storewise.agent.desk.things import OPEN_STATES, Kind, OwnOrder, Things, Ware
from storewise.tools.desk.desk import dollars, listed
from storewise.tools.desk.registry import Outcome, look_up
from storewise.tools.desk.store import DeskStore
from storewise.tools.finding import Finding
from storewise.tools.registry import analyst_tools
from storewise.tools.shop.generation import Shop

_MOST_ORDERS = 4
_FEW = 6  # variants that are all told
_BALANCE = re.compile(r"\b(balance|how much|left|remaining)\b", re.I)
_NOT_IT = re.compile(r"\b(other|another|else|different)\b", re.I)


# A decision: the tool, its arguments, what was decided, and why.
Made = tuple[str, dict[str, Any], str, str | None]


@dataclass
class Found:
    """What was looked up: sentences, findings, decisions, and what the talk is about now."""

    text: str
    findings: list[Finding] = field(default_factory=list)
    decisions: list[Made] = field(default_factory=list)
    orders: list[OwnOrder] = field(default_factory=list)
    product: str | None = None


def card(order: OwnOrder) -> OrderCard:
    """Return an order as the page shows it."""
    return OrderCard(
        order_id=order.order_id,
        status=order.status,
        items=tuple(f"{line.label}, {dollars(line.price)}" for line in order.lines),
        total=dollars(order.total),
        goes_to=order.goes_to.line(),
        tracking=order.tracking,
    )


def decided(number: int, made: Made) -> Decision:
    tool, arguments, decision, why = made
    return Decision.model_validate(
        {"number": number, "tool": tool, "arguments": arguments, "decision": decision, "why": why}
    )


def _told(outcome: Outcome) -> tuple[str, str | None]:
    if outcome.kind == "refused":
        return "refused", outcome.reason
    return ("asked", None) if outcome.kind == "unclear" else ("told", None)


def look_up_orders(text: str, focus: str | None, things: Things, store: DeskStore, user_id: str) -> Found:
    """Tell of the orders that a text is about: named by id or by what is in them, else the one talked of last."""
    orders, foreign = _meant(text, focus, things)
    if foreign is not None:
        return _one(foreign, None, store, user_id)
    if not orders:
        return list_orders(text, things, store, user_id)
    found = Found("", orders=orders)
    for order in orders:
        one = _one(order.order_id, order, store, user_id)
        found.text = f"{found.text} {one.text}".strip()
        found.findings += one.findings
        found.decisions += one.decisions
    return found


def _meant(text: str, focus: str | None, things: Things) -> tuple[list[OwnOrder], str | None]:
    ids = order_ids(text, things.order_ids)
    if ids:
        own = things.orders_of(ids)
        return own[:_MOST_ORDERS], None if own else ids[0]
    last = things.order(focus) if focus else None
    # What was talked of last is meant, unless something is named that it does not have.
    if last is not None and lines_named(text, [last]):
        return [last], None
    named = lines_named(text, list(things.orders))
    if named:
        orders = list({order.order_id: order for order, _ in named}.values())
        by_state = in_state(text, orders)
        waiting = [order for order in by_state if order.status in OPEN_STATES]
        return (waiting or by_state or orders)[:_MOST_ORDERS], None
    if last is not None and not _NOT_IT.search(text):
        return [last], None
    if len(things.orders) == 1:
        return list(things.orders), None
    return [], None


def _one(order_id: str, order: OwnOrder | None, store: DeskStore, user_id: str) -> Found:
    outcome = look_up(store, user_id, "get_order_details", {"order_id": order_id})
    holds = ""
    if order is not None and outcome.kind == "told":
        holds = f" It holds {listed([f'{line.label} for {dollars(line.price)}' for line in order.lines])}."
    decision, why = _told(outcome)
    made = ("get_order_details", {"order_id": order_id}, decision, why)
    orders = [order] if order is not None else []
    return Found(outcome.finding.headline + holds, [outcome.finding], [made], orders)


def list_orders(text: str, things: Things, store: DeskStore, user_id: str) -> Found:
    """Tell which orders the customer has; those that are still open, if there are any and no other is asked for."""
    waiting = [order for order in things.orders if order.status in OPEN_STATES]
    wants_all = re.search(r"\b(all|every|history|past|old|delivered|previous|have i)\b", text, re.I)
    if not wants_all and 0 < len(waiting) <= _MOST_ORDERS:
        found = Found("", orders=waiting)
        for order in waiting:
            one = _one(order.order_id, order, store, user_id)
            found.text = f"{found.text} {one.text}".strip()
            found.findings += one.findings
            found.decisions += one.decisions
        return found
    outcome = look_up(store, user_id, "find_orders", {})
    decision, why = _told(outcome)
    return Found(
        outcome.finding.headline,
        [outcome.finding],
        [("find_orders", {}, decision, why)],
        list(things.orders)[:_MOST_ORDERS],
    )


def look_up_account(text: str, things: Things, store: DeskStore, user_id: str) -> Found:
    """Tell of the customer's account; where the balance of a gift card is asked for, that alone."""
    outcome = look_up(store, user_id, "get_user_details", {})
    decision, why = _told(outcome)
    cards = [method for method in things.methods if method.balance is not None]
    told = outcome.finding.headline
    if cards and _BALANCE.search(text):
        told = " ".join(f"The balance of {card.label} is {dollars(card.balance or 0)}." for card in cards)
    return Found(told, [outcome.finding], [("get_user_details", {}, decision, why)])


def list_products(store: DeskStore, user_id: str) -> Found:
    outcome = look_up(store, user_id, "list_all_product_types", {})
    decision, why = _told(outcome)
    return Found(outcome.finding.headline, [outcome.finding], [("list_all_product_types", {}, decision, why)])


def look_up_product(
    text: str, focus: str | None, told: list[str], things: Things, store: DeskStore, user_id: str
) -> Found:
    """Tell of a product: its variants that are as asked for, their prices, and whether they are there.

    Args:
        focus: the product that was talked of last.
        told: what was said of it before.
    """
    named = products_named(text, [ware.name for ware in things.wares])
    name = named[0].name if named else focus
    if name is None:
        return Found("Which product do you mean? I know none by that name here.")
    outcome = look_up(store, user_id, "get_product_details", {"product": name})
    decision, why = _told(outcome)
    made = [("get_product_details", {"product": name}, decision, why)]
    ware = things.ware(name)
    if ware is None or outcome.kind != "told":
        return Found(outcome.finding.headline, [outcome.finding], made, product=name)
    options = ware.options
    wish = Wanted()
    for said in [*(told if name == focus else []), text]:
        wish = wish.later(wanted(said, options))
    alone = wanted(text, options)
    if alone and not any(wish.fits(kind.options) for kind in ware.kinds):
        wish = alone  # what was said before was of another one
    return Found(
        f"{outcome.finding.headline} {_variants(ware, wish)}".strip(), [outcome.finding], made, product=name
    )


def _variants(ware: Ware, wish: Wanted) -> str:
    """Return the sentences on the variants that fit; all that are there if nothing is wanted of them."""
    if not wish:
        there = [kind for kind in ware.kinds if kind.available]
        there.sort(key=lambda kind: kind.price)
        if not there:
            return ""
        if len(there) <= _FEW:
            return f"Available: {listed([_described(kind) for kind in there])}."
        return f"The cheapest one available is {_described(there[0])}."
    kinds = pick(ware.kinds, wish, None, None)
    there = [kind for kind in kinds if kind.available]
    away = [kind for kind in ware.kinds if not kind.available and wish.fits(kind.options)]
    sentences = []
    if wish.cheapest is not None and there:
        word = "cheapest" if wish.cheapest else "dearest"
        sentences.append(f"The {word} one available is {_described(there[0])}.")
    elif there:
        ordered = sorted(there, key=lambda kind: kind.price)
        sentences.append(
            f"Available as you describe it: {listed([_described(kind) for kind in ordered[:8]])}."
        )
    elif away:
        sentences.append("None that fits is available just now.")
    else:
        sentences.append(f"There is no {ware.name} that fits all of that.")
    if away and wish.cheapest is None:
        sentences.append(f"Out of stock: {listed([kind.said for kind in away[:4]])}.")
    return " ".join(sentences)


def _described(kind: Kind) -> str:
    options = ", ".join(f"{key} {value}" for key, value in kind.options.items())
    return f"{options} for {dollars(kind.price)}"


def look_up_reviews(text: str, focus: str | None, things: Things, shop: Shop | None) -> Found:
    """Tell what others say of a product, by the shop's own review search."""
    named = products_named(text, [ware.name for ware in things.wares])
    name = named[0].name if named else focus
    if shop is None:
        return Found("I can't look into the reviews just now.")
    arguments: dict[str, Any] = {"query": text[:200]} if name is None else {"product": name}
    finding = analyst_tools()["search_reviews"].call(shop, arguments)
    made: list[Made] = [("search_reviews", arguments, "told", None)]
    if finding.status != "answered":
        about = f" of our {name}" if name is not None else ""
        return Found(f"There are no reviews{about} that I could quote.", [finding], made, product=name)
    return Found(finding.headline, [finding], made, product=name)
