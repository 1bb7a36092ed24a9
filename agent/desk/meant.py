"""What a turn's words mean beside its acts: another order, another variant, whose address."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from storewise.agent.desk.address_meant import ACCOUNT_ADDRESS
from storewise.agent.desk.form import meaning
from storewise.agent.desk.naming import lines_named, order_ids, products_named, without_staying
from storewise.agent.desk.paying import paying
from storewise.agent.desk.things import OwnOrder, Things
from storewise.agent.desk.wish import NEEDS, Asked, Said, Wish

ALSO = re.compile(
    r"\b(also|too|as well|another thing|second(?:ly)?|and then|after that|plus|besides|one more)\b", re.I
)
INSTEAD = re.compile(
    r"\b(instead(?! of (?:the|my|that|it)\b)|rather|no,? wait|actually|forget (?:it|that|the)|"
    r"never ?mind|changed my mind|on second thought)\b",
    re.I,
)
THERE = re.compile(r"\b(there|same (?:address|place)|that address|it too|as well)\b", re.I)
_ADDRESSES = ("modify_pending_order_address", "modify_user_address")
_ACCOUNT = re.compile(r"\b(account|profile|default|my own address|home address|address book)\b", re.I)
_AN_ORDER = re.compile(r"\b(orders?|parcels?|packages?|delivery|shipment|deliver|ship)\b", re.I)


class Form(BaseModel):
    """What a conversation is about, kept between its turns.

    Attributes:
        wishes: the changes that are wanted, in their order; the first is open.
        asked: what the desk asked last.
        seen, done: the tool that looked something up, and that changed something, in the last turn.
        order, product: what was talked of last, and what was said of the product.
        reason: the reason for a cancellation that the last text gave that had an order looked up.
        offer: the tool that was offered, with what it would start from.
        unclear, angry: turns in a row that were not understood; angry turns in all.
    """

    model_config = ConfigDict(frozen=True)

    wishes: tuple[Wish, ...] = ()
    asked: Asked = "nothing"
    seen: str | None = None
    done: str | None = None
    order: str | None = None
    product: str | None = None
    product_said: tuple[str, ...] = ()
    reason: str | None = None
    offer: Wish | None = None
    unclear: int = 0
    angry: int = 0

    @classmethod
    def kept(cls, content: Any) -> Form:
        """Return a form as it was kept; what an older version wrote that cannot be read any more is left out."""
        try:
            form = cls.model_validate(content)
        except ValidationError:
            return cls()
        known = tuple(wish for wish in form.wishes if wish.tool in NEEDS)
        return form if len(known) == len(form.wishes) else form.changed(wishes=known, asked="nothing")

    @property
    def open(self) -> Wish | None:
        return self.wishes[0] if self.wishes else None

    @property
    def about(self) -> str:
        """The tool that the talk is about: of the open wish, or of the last look-up."""
        return self.open.tool if self.open is not None else self.seen or "nothing"

    def changed(self, **values: Any) -> Form:
        return self.model_copy(update=values)


def whose_address(tool: str, text: str, things: Things) -> str:
    """Return whose address is meant, where the words say it: an order's or the account's."""
    if tool not in _ADDRESSES:
        return tool
    text = without_staying(text)
    order = (
        bool(order_ids(text, things.order_ids) or lines_named(text, list(things.orders)))
        or _AN_ORDER.search(text) is not None
    )
    # "send it to the address in my profile" tells where an order is to go.
    account = _ACCOUNT.search(ACCOUNT_ADDRESS.sub(" ", text) if order else text) is not None
    if account != order:
        return _ADDRESSES[1] if account else _ADDRESSES[0]
    waiting = any(one.status == "pending" for one in things.orders)
    return tool if waiting or order else _ADDRESSES[1]


def another_order(wish: Wish, text: str, things: Things) -> bool:
    named = {one for said in wish.said for one in order_ids(said.text, things.order_ids)}
    return bool(set(order_ids(text, things.order_ids)) - named)


def tells_more(wish: Wish, more: Wish, things: Things) -> bool:
    """Say whether a no brings a correction: what the wish means is another with its text than without."""
    before, after = meaning(wish, things), meaning(more, things)
    if paying(more.said[-1].text, things, after.order) is not None:
        return True
    return after.arguments != before.arguments


def wants_another(wish: Wish, things: Things) -> bool:
    """Say whether the last words of a return tell of another variant, so that an exchange is meant."""
    swap = wish.model_copy(update={"tool": "exchange_delivered_order_items", "said": wish.said[-1:]})
    order = meaning(wish, things).order
    if order is None:
        return False
    lines = meaning(wish, things).lines
    start = Said(asked="order", text=" ".join([order.order_id, *(line.product for line in lines)]))
    found = meaning(swap.model_copy(update={"said": (start, *swap.said)}), things)
    return any(told.differs(line.options) for line, told in zip(found.lines, found.wanted, strict=False))


def order_of(form: Form, things: Things) -> str | None:
    """Return the order that the open wish is about."""
    wish = form.open
    if wish is None:
        return None
    order = meaning(wish, things).order if "order" in NEEDS[wish.tool] else None
    return order.order_id if order is not None else None


def product_of(form: Form, things: Things) -> str | None:
    """Return the product that the open wish is about."""
    wish = form.open
    if wish is None or "items" not in NEEDS[wish.tool]:
        return None
    lines = meaning(wish, things).lines
    return lines[0].product if lines else None


def paid_otherwise(form: Form, seen: str | None, things: Things, text: str) -> OwnOrder | None:
    """Return the order that was looked up last, where a text names another method that is to pay for it."""
    order = things.order(form.order or "")
    if form.open is not None or form.offer is not None or seen != "get_order_details" or order is None:
        return None
    named = paying(text, things, order) if order.status == "pending" else None
    others = named is not None and any(m.method_id not in order.paid_with for m in named.methods)
    return order if others else None


def named_alone(form: Form, things: Things, text: str) -> str | None:
    """Return the look-up of what a text names where no change is open: an order, a thing in one, a product."""
    if form.open is not None or form.offer is not None:
        return None
    if order_ids(text, things.order_ids) or lines_named(text, list(things.orders)):
        return "get_order_details"
    known = products_named(text, [ware.name for ware in things.wares])
    return "get_product_details" if any(named.surely > 1 for named in known) else None
