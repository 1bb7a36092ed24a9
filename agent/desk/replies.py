"""The desk's own sentences: what it asks, offers and declines. What happened is told by the findings."""

from __future__ import annotations

from collections.abc import Sequence

from storewise.agent.desk.form import allowed_methods
from storewise.agent.desk.things import Method, OwnOrder, Things
from storewise.agent.desk.wish import DELIVERED, Asked, Meaning, Wish
from storewise.tools.desk.desk import dollars, listed

MOST_NAMED = 8  # orders that a question names; of more it asks for the number
CONFIRM = "Shall I do that? (yes or no)"
ANYTHING_ELSE = "Is there anything else?"
NOTHING_OPEN = "There is nothing to confirm at the moment. What can I do for you?"
LEFT = "All right, nothing was changed."
GREETING = (
    "Hello! I can look up your orders, cancel or change them, take returns and exchanges, change your address, "
    "tell you about our products, or call a person."
)
HELP = (
    "I can tell where your orders are, cancel a pending order or change its address, items or payment, ask for a "
    "return or an exchange of what was delivered, change your address, answer questions about products, and call a "
    "person."
)
THANKS = "You're welcome. Have a nice day!"
OUTSIDE = (
    "I'm sorry, I can't help with that here; I only look after your orders, your account and our products."
)
POLICY = (
    "I'm sorry, I can't do that here: I only act for the person who is signed in, and only what the shop's rules "
    "allow. If you like, I can call a person."
)
UNCLEAR = (
    "I'm not sure what you would like. Is it about an order, a return or an exchange, your address, or a product? "
    "I can also call a person."
)
PERSON = "A person from the shop will take over this conversation. Please hold on."
NO_PERSON_NEEDED = "A person has been called already and will answer here."
AWAY = "I can't reach the shop's orders just now; nothing was changed. Please try again in a minute."
RETURN_INSTEAD = "It can be returned instead. Would you like that?"

_WHAT = {
    "cancel_pending_order": "cancel",
    "modify_pending_order_address": "change the address of",
    "modify_pending_order_payment": "change the payment of",
    "modify_pending_order_items": "change",
    "return_delivered_order_items": "return something from",
    "exchange_delivered_order_items": "exchange something from",
}
_ITEMS = {
    "modify_pending_order_items": "Which item would you like to change?",
    "return_delivered_order_items": "Which items would you like to return?",
    "exchange_delivered_order_items": "Which item would you like to exchange?",
}
_PAYMENT = {
    "modify_pending_order_payment": "Which payment method should be used instead?",
    "return_delivered_order_items": "Where should the refund go?",
}
_PARTS = {
    "address1": "the street and house number",
    "city": "the city",
    "state": "the state",
    "zip": "the postal code",
}


def summary(order: OwnOrder) -> str:
    """Return an order as a question names it."""
    names = [line.product for line in order.lines]
    return f"{order.order_id} ({listed(list(dict.fromkeys(names)))})"


def question(asked: Asked, wish: Wish, found: Meaning, things: Things) -> tuple[str, tuple[str, ...]]:
    """Return what is asked for a missing detail, and short answers to choose from."""
    order = found.order
    match asked:
        case "order":
            return _which_order(wish, found)
        case "items" if order is not None:
            named = [line.label for line in found.unsure or order.lines]
            return f"{_ITEMS[wish.tool]} Order {order.order_id} has {listed(named)}.", tuple(named)
        case "new items":
            return _which_kind(wish, found, things)
        case "payment":
            return _which_payment(wish, found, things)
        case "address":
            missing = found.pieces.missing if found.pieces else ()
            if found.pieces and missing:
                return f"I still need {listed([_PARTS[part] for part in missing])}.", ()
            return "What is the new address: street, city, state and postal code?", ()
        case _:
            return (
                "Why should it be cancelled: is it no longer needed, or was it ordered by mistake?",
                ("No longer needed", "Ordered by mistake"),
            )


def _which_order(wish: Wish, found: Meaning) -> tuple[str, tuple[str, ...]]:
    orders = found.orders
    what = _WHAT[wish.tool]
    if not orders:
        state = "delivered" if wish.tool in DELIVERED else "pending"
        return f"You have no {state} order, so there is none that I could {what.split()[0]}.", ()
    if len(orders) > MOST_NAMED:
        return f"Which order would you like to {what}? Please tell me its number or what is in it.", ()
    told = listed([summary(order) for order in orders])
    return f"Which order would you like to {what}: {told}?", tuple(order.order_id for order in orders)


def _which_kind(wish: Wish, found: Meaning, things: Things) -> tuple[str, tuple[str, ...]]:
    for line, kinds, told in zip(found.lines, found.kinds, found.wanted, strict=True):
        if len(kinds) == 1:
            continue
        ware = things.ware(line.product_id)
        there = [
            kind for kind in (ware.kinds if ware else ()) if kind.available and kind.item_id != line.item_id
        ]
        fitting = [kind for kind in kinds if kind.available] or there
        if not fitting:
            return f"No other {line.product} is available just now.", ()
        none = "" if kinds or not told else f"There is no such {line.product}. "
        if kinds and not any(kind.available for kind in kinds):
            none = "What you describe is not available just now. "
        shown = listed([f"{kind.said} for {dollars(kind.price)}" for kind in fitting[:12]])
        begin = f"{none}Which {line.product} would you like instead of {line.label}?"
        return f"{begin} Available: {shown}.", tuple(kind.said for kind in fitting[:6])
    return "Which one would you like instead?", ()


def _which_payment(wish: Wish, found: Meaning, things: Things) -> tuple[str, tuple[str, ...]]:
    fitting: Sequence[Method] = found.paying.methods if found.paying is not None else ()
    if len(fitting) < 2 and found.order is not None:
        fitting = allowed_methods(wish, things, found.order)
    asked = _PAYMENT.get(wish.tool, "Which payment method should pay or get back the difference?")
    if not fitting:
        return "There is no other payment method on your account that could be used.", ()
    labels = tuple(method.label for method in fitting)
    return f"{asked} You have {listed(labels)}.", labels
