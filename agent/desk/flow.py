"""A turn at the desk: what the customer's acts do to the open wishes, and what is told, asked or proposed next.

The model proposes, the desk disposes: an act says what is wanted; which order, item or amount that is, whether
it is allowed and what is asked next is worked out here and by the tools' own rules.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from storewise.agent.desk import lookups, replies
from storewise.agent.desk.form import meaning, reason_in
from storewise.agent.desk.meant import (
    ALSO,
    INSTEAD,
    THERE,
    Form,
    another_order,
    named_alone,
    order_of,
    paid_otherwise,
    product_of,
    tells_more,
    wants_another,
    whose_address,
)
from storewise.agent.desk.mood import mood_of
from storewise.agent.desk.naming import lines_named, order_ids
from storewise.agent.desk.paying import paying
from storewise.agent.desk.refusals import refused_early
from storewise.agent.desk.reply import Decision, OrderCard
from storewise.agent.desk.several import apart, only_one, whole_order
from storewise.agent.desk.things import OwnOrder, Things
from storewise.agent.desk.verbs import named_changes, names_another_change
from storewise.agent.desk.wish import NEEDS, SWAPPING, Asked, Meaning, Said, Wish
from storewise.agent.desk.wishes import answers, led, others_stay, told_all, waiting
from storewise.agent.desk.yes import could_be_yes, may_approve, strong_yes
from storewise.tools.calls import WrittenCall
from storewise.tools.desk.acts import CANCEL, HAND_OVER
from storewise.tools.desk.addresses import find_address
from storewise.tools.desk.desk import listed
from storewise.tools.desk.registry import Outcome, propose
from storewise.tools.desk.store import DeskStore
from storewise.tools.finding import Finding
from storewise.tools.shop.generation import Shop

MOST_WISHES = 4
UNCLEAR_TURNS = 2  # so often in a row the desk may not understand before a person is called
ANGRY_TURNS = 2
# "Then I keep the grey one": no other variant after all.
_KEEPS = re.compile(r"\bi(?:['’]?ll| will|['’]?d| would)? (?:rather |just |better )?keep\b", re.I)
_GIVES_UP = re.compile(
    r"\b(?:no|nope|nah|never ?mind|forget|leave it|cancel|stop|changed|actually|on second thoughts?)\b", re.I
)
_TAKES_BACK = re.compile(r"^\W*(?:no|nope|nah)\b|\bwant to\b|\bkeep\b|\bmy mind\b", re.I)
# A refusal of one detail leaves the wish open; any other ends it.
_PAYMENT_REFUSED = (
    "payment method not on the account",
    "gift card balance too low",
    "refund only to the original payment method or a gift card",
)
_NEW_REFUSED = ("item not available", "different product")


@dataclass
class Turn:
    """What a turn came to.

    Attributes:
        call: a change to be proposed: the tool, its arguments and the finding that tells of it.
        hand_over: what a person is called for, None if none is.
        opened: whether a wish was opened in this turn, so that the next one is another.
        seen, done: what was looked up, and changed, in the turn before.
    """

    form: Form
    said: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    choices: tuple[str, ...] = ()
    orders: list[OrderCard] = field(default_factory=list)
    call: tuple[str, dict[str, Any], Finding] | None = None
    hand_over: str | None = None
    opened: bool = False
    seen: str | None = None
    done: str | None = None

    def decide(self, tool: str, arguments: dict[str, Any], decision: str, why: str | None = None) -> None:
        self.decisions.append(lookups.decided(len(self.decisions), (tool, arguments, decision, why)))


class Flow:
    """The desk's rules of conversation for one customer of one shop."""

    def __init__(self, store: DeskStore, shop: Callable[[], Shop | None]) -> None:
        self._store = store
        self._shop = shop

    def turn(
        self,
        user_id: str,
        form: Form,
        things: Things,
        text: str,
        acts: Sequence[WrittenCall],
        parts: Sequence[str] = (),
    ) -> Turn:
        """Carry out what the acts say, each of its part of the text, and go on with the wish that is open then."""
        turn = Turn(form.changed(seen=None, done=None), seen=form.seen, done=form.done)
        mood = mood_of(text)
        was_asked = form.asked
        if mood == "angry" or (mood == "annoyed" and form.angry):
            turn.form = turn.form.changed(angry=form.angry + 1)
        if turn.form.angry >= ANGRY_TURNS:
            return self._hand_over(turn, text, "the customer is angry")
        told = _told(parts, acts, things) if parts else [text] * len(acts)
        answered = False
        for act, part in zip(acts, told, strict=True):
            answered |= self._act(turn, user_id, things, was_asked, part, act)
            if turn.hand_over is not None:
                return turn
        self._go_on(turn, user_id, things, text, answered)
        return turn

    @staticmethod
    def corrects(wish: Wish, text: str, things: Things) -> bool:
        """Say whether a text changes what a wish means."""
        more = wish.told(Said(asked="confirmation", text=text))
        if names_another_change(wish.tool, text):
            return True
        return _plain(meaning(more, things).arguments) != _plain(meaning(wish, things).arguments)

    @staticmethod
    def is_about(wish: Wish, text: str, things: Things) -> bool:
        """Say whether a text names a wish's own change, and no thing or order but its own."""
        found = meaning(wish, things)
        orders = [found.order] if found.order is not None else []
        own = {line.product for line in (found.lines or [line for order in orders for line in order.lines])}
        named = {line.product for _, line in lines_named(text, list(things.orders))}
        ids = set(order_ids(text, things.order_ids)) - {order.order_id for order in orders}
        return wish.tool in named_changes(text) and named <= own and not ids

    def after(self, user_id: str, form: Form, things: Things, outcome: Outcome) -> Turn:
        """Go on after a change was written, or was refused at the last moment."""
        open_wish = form.open
        turn = Turn(form.changed(wishes=form.wishes[1:], asked="nothing", unclear=0))
        written = {"done": "written", "unchanged": "unchanged", "refused": "refused"}.get(
            outcome.kind, "told"
        )
        tool = open_wish.tool if open_wish is not None else outcome.finding.tool
        turn.decide(tool, dict(outcome.finding.arguments), written, outcome.reason)
        turn.said.append(outcome.finding.headline)
        turn.findings.append(outcome.finding)
        turn.form = turn.form.changed(done=tool)
        if (order_id := outcome.finding.arguments.get("order_id")) is not None:
            turn.form = turn.form.changed(order=str(order_id))
        self._go_on(turn, user_id, things, "", answered=True)
        return turn

    def _act(
        self, turn: Turn, user_id: str, things: Things, asked: Asked, text: str, act: WrittenCall
    ) -> bool:
        """Carry out one act; say whether something was answered that stands by itself."""
        match act.name:
            case name if name == HAND_OVER:
                self._hand_over(turn, text, "asked for")
                return True
            case name if name in NEEDS:
                self._wish(turn, things, asked, text, act)
                return False
            case "detail" if (tool := named_alone(turn.form, things, text)) is not None:
                return self._look_up(turn, user_id, things, text, tool)
            case "detail" if (paid := paid_otherwise(turn.form, turn.seen, things, text)) is not None:
                self._wish(turn, things, asked, text, WrittenCall("modify_pending_order_payment"), at=paid)
                return False
            case "detail" if turn.form.open is None and turn.form.offer is None and find_address(text):
                order = things.order(turn.form.order or "")
                waits = turn.seen == "get_order_details" and order is not None and order.status == "pending"
                tool = "modify_pending_order_address" if waits else "modify_user_address"
                self._wish(turn, things, asked, text, WrittenCall(tool), at=order if waits else None)
                return False
            case "detail" | "yes" | "no" | "drop":
                return self._move(turn, things, asked, text, act)
            case "none":
                return self._none(turn, text, act.args["kind"])
            case _:
                return self._look_up(turn, user_id, things, text, act.name)

    def _wish(
        self,
        turn: Turn,
        things: Things,
        asked: Asked,
        text: str,
        act: WrittenCall,
        at: OwnOrder | None = None,
    ) -> None:
        """Open a wish, tell more of the open one or put it in its place.

        Args:
            at: the order that it is for, where that is known already.
        """
        if answers(turn.form.open, act.name, text, things):
            self._move(turn, things, asked, text, WrittenCall("detail"))
            return
        if turn.form.open is None and turn.done is not None and strong_yes(text):
            # one yes more than was needed
            again = act.name == turn.done and could_be_yes(text)
            if again or not (lines_named(text, list(things.orders)) or order_ids(text, things.order_ids)):
                turn.said.append(replies.NOTHING_OPEN)
                return
        if at is None:
            act = WrittenCall(whose_address(act.name, text, things), act.args)
        else:
            text = f"{at.order_id}: {text}"
        # "I never meant to order that." And then: "Cancel it."
        ids = order_ids(text, things.order_ids)
        just_told = turn.seen == "get_order_details" and (not ids or turn.form.order in ids)
        before = turn.form.reason if act.name == CANCEL and just_told else None
        said = Said(asked="nothing", text=text, reason=act.args.get("reason") or before)
        form, wish = turn.form, turn.form.open
        fresh = Wish(tool=act.name, said=led(turn.form, turn.seen, act.name, text, things, said))
        if wish is None:
            wishes: tuple[Wish, ...] = (fresh,)
        elif wish.tool == act.name and not (ALSO.search(text) and another_order(wish, text, things)):
            told = said.model_copy(update={"asked": asked})
            wishes = (wish.told(told), *form.wishes[1:])
        elif (later := waiting(form.wishes, act.name)) is not None and not INSTEAD.search(text):
            told = said.model_copy(update={"asked": "address" if "address" in NEEDS[later.tool] else "order"})
            wishes = tuple(one.told(told) if one is later else one for one in form.wishes)
        elif turn.opened or (ALSO.search(text) and not INSTEAD.search(text)):
            wishes = (*form.wishes, fresh)[:MOST_WISHES]
        else:
            # A change of mind about the same things: what was told of them still holds.
            turn.decide(wish.tool, {}, "dropped", "changed mind")
            wishes = (Wish(tool=act.name, said=(*wish.said, said)), *form.wishes[1:])
        turn.opened = True
        turn.form = form.changed(wishes=wishes, offer=None, unclear=0)

    def _move(self, turn: Turn, things: Things, asked: Asked, text: str, act: WrittenCall) -> bool:
        form, wish = turn.form, turn.form.open
        if wish is None:
            return self._move_without_wish(turn, text, act)
        said = Said(asked=asked, text=text, reason=act.args.get("reason"))
        more = wish.told(said)
        # "I don't need it any more" gives a cancellation its reason, and does not give it up.
        given = reason_in(text) if wish.tool == CANCEL else None
        reason = given is not None and (
            asked != "confirmation"
            or (_TAKES_BACK.search(text) is None and given == meaning(wish, things).reason)
        )
        # "The watch stays as it is. The difference can go to my card."
        goes_on = _GIVES_UP.search(text) is None and (
            (asked == "payment" and paying(text, things, None) is not None) or others_stay(wish, text, things)
        )
        if (
            act.name in ("no", "drop")
            and not (reason or goes_on)
            and not strong_yes(text)
            and not may_approve(text)
        ):
            stays = wish.tool in SWAPPING and _KEEPS.search(text) is not None
            corrected = act.name == "no" and not stays and tells_more(wish, more, things)
            if not corrected:
                turn.decide(wish.tool, {}, "declined" if act.name == "no" else "dropped", None)
                turn.said.append(replies.LEFT)
                turn.form = form.changed(wishes=form.wishes[1:], asked="nothing", unclear=0)
                return True
        if (
            act.name == "detail"
            and (asked not in ("order", "which", "items") or INSTEAD.search(text))
            and wish.tool == "return_delivered_order_items"
            and wants_another(more, things)
        ):
            more = more.model_copy(update={"tool": "exchange_delivered_order_items"})
        turn.form = form.changed(wishes=told_all((more, *form.wishes[1:]), wish, said, things))
        return False

    def _move_without_wish(self, turn: Turn, text: str, act: WrittenCall) -> bool:
        form = turn.form
        if act.name == "yes" and form.offer is not None:
            if form.offer.tool == HAND_OVER:
                self._hand_over(turn, text, "offered and accepted")
                return True
            turn.form = form.changed(wishes=(form.offer,), offer=None, asked="nothing")
            return False
        turn.form = form.changed(offer=None, asked="nothing")
        if act.name in ("no", "drop"):
            turn.said.append(replies.LEFT)
        elif act.name == "yes":
            turn.said.append(replies.NOTHING_OPEN)
        elif form.unclear + 1 >= UNCLEAR_TURNS:
            self._hand_over(turn, text, "not understood twice")
        else:
            turn.form = turn.form.changed(unclear=form.unclear + 1)
            turn.said.append(replies.UNCLEAR)
            turn.decide("", {}, "asked", "not understood")
        return True

    def _none(self, turn: Turn, text: str, kind: str) -> bool:
        said = {
            "greeting": replies.GREETING,
            "thanks": replies.THANKS,
            "help": replies.HELP,
            "outside": replies.OUTSIDE,
            "policy": replies.POLICY,
        }[kind]
        if kind == "thanks" and turn.form.wishes:
            if turn.form.asked in ("nothing", "confirmation", "offer") or strong_yes(text):
                return False
            turn.decide(turn.form.wishes[0].tool, {}, "dropped", None)
            turn.said.append(replies.LEFT)
            turn.form = turn.form.changed(wishes=turn.form.wishes[1:], asked="nothing", unclear=0)
            return True
        if kind == "thanks" and strong_yes(text):
            said = replies.NOTHING_OPEN
        if kind in ("outside", "policy"):
            turn.decide(
                "", {}, "refused", "other topic" if kind == "outside" else "not allowed by the policy"
            )
        turn.said.append(said)
        return True

    def _look_up(self, turn: Turn, user_id: str, things: Things, text: str, name: str) -> bool:
        form = turn.form
        match name:
            case "get_order_details":
                focus = order_of(form, things) or form.order
                found = lookups.look_up_orders(text, focus, things, self._store, user_id)
            case "find_orders":
                found = lookups.list_orders(text, things, self._store, user_id)
            case "get_user_details":
                found = lookups.look_up_account(text, things, self._store, user_id)
            case "list_all_product_types":
                found = lookups.list_products(self._store, user_id)
            case "search_reviews":
                found = lookups.look_up_reviews(text, form.product, things, self._shop())
            case _:
                focus = form.product or product_of(form, things)
                found = lookups.look_up_product(
                    text, focus, list(form.product_said), things, self._store, user_id
                )
        turn.said.append(found.text)
        turn.findings += found.findings
        for tool, arguments, decision, why in found.decisions:
            turn.decide(tool, arguments, decision, why)
        turn.orders += [lookups.card(order) for order in found.orders]
        named = {line.product for _, line in lines_named(text, found.orders)}
        product = found.product or (named.pop() if len(named) == 1 else None)
        said = (*form.product_said, text) if product == form.product else (text,)
        turn.form = form.changed(
            order=found.orders[0].order_id if len(found.orders) == 1 else form.order,
            product=product or form.product,
            product_said=said if product else form.product_said,
            reason=reason_in(text),
            seen=name,
            unclear=0,
        )
        return True

    def _go_on(self, turn: Turn, user_id: str, things: Things, text: str, answered: bool) -> None:
        """Ask for what the open wish lacks, or propose it; one that is refused makes room for the next."""
        while (wish := turn.form.open) is not None and turn.call is None:
            found = meaning(wish, things)
            if found.tool != wish.tool:
                wish = wish.model_copy(update={"tool": found.tool})
                turn.form = turn.form.changed(wishes=(wish, *turn.form.wishes[1:]))
            if len(parts := apart(wish, found, things)) > 1:
                turn.form = turn.form.changed(wishes=(*parts, *turn.form.wishes[1:]), unclear=0)
                continue
            if found.order is not None:
                turn.form = turn.form.changed(order=found.order.order_id)
            refused = refused_early(wish, found, things)
            if refused is not None:
                if not self._refuse(
                    turn, wish, found, propose(self._store, user_id, wish.tool, refused), things
                ):
                    return
                continue
            if found.elsewhere is not None:
                self._refuse_other_product(turn, found)
                continue
            if (whole := whole_order(wish, found)) is not None:
                turn.said.append(whole)
                turn.decide(wish.tool, {}, "refused", "not allowed by the policy")
                wish = wish.model_copy(update={"told_whole": True})
                turn.form = turn.form.changed(wishes=(wish, *turn.form.wishes[1:]))
            if found.missing is not None:
                self._ask(turn, text, wish, found, things, answered)
                return
            outcome = propose(self._store, user_id, wish.tool, found.arguments)
            if outcome.kind == "proposed":
                turn.call = (wish.tool, found.arguments, outcome.finding)
                turn.decide(wish.tool, found.arguments, "proposed")
                turn.findings.append(outcome.finding)
                first = only_one(wish, found, turn.form.wishes[1:], things) or ""
                turn.said += [first, outcome.finding.headline, replies.CONFIRM]
                turn.choices = ()
                turn.form = turn.form.changed(asked="confirmation", unclear=0)
                return
            if not self._refuse(turn, wish, found, outcome, things):
                return
        if turn.form.open is None and not turn.said:
            turn.said.append(replies.ANYTHING_ELSE)

    def _refuse(self, turn: Turn, wish: Wish, found: Meaning, outcome: Outcome, things: Things) -> bool:
        """Tell a refusal; return whether the wish is closed by it."""
        form = turn.form
        told = len(wish.said)
        why = outcome.reason or ("unclear" if outcome.kind == "unclear" else None)
        decision = {"unchanged": "unchanged", "unclear": "asked"}.get(outcome.kind, "refused")
        turn.decide(wish.tool, dict(outcome.finding.arguments), decision, why)
        turn.findings.append(outcome.finding)
        turn.said.append(outcome.finding.headline)
        if outcome.reason in _PAYMENT_REFUSED or outcome.kind == "unclear":
            again = wish.model_copy(update={"ignore_payment_before": told})
            asked: Asked = "payment"
        elif outcome.reason in _NEW_REFUSED:
            again = wish.model_copy(update={"ignore_new_before": told})
            asked = "new items"
        else:
            turn.form = form.changed(wishes=form.wishes[1:], asked="nothing")
            self._offer(turn, found, outcome)
            return True
        question, choices = replies.question(asked, again, meaning(again, things), things)
        if asked == "payment" and not choices:  # there is nothing else to choose from
            turn.said.append(question)
            turn.form = form.changed(wishes=form.wishes[1:], asked="nothing")
            return True
        turn.said.append(question)
        turn.choices = choices
        turn.form = form.changed(wishes=(again, *form.wishes[1:]), asked=asked)
        return False

    def _refuse_other_product(self, turn: Turn, found: Meaning) -> None:
        named = listed([line.product for line in found.lines]) if found.lines else "an item"
        turn.said.append(
            f"I can change {named} only to another variant of the same product, not to {found.elsewhere}."
        )
        wish = turn.form.wishes[0]
        turn.decide(wish.tool, {}, "refused", "different product")
        turn.form = turn.form.changed(wishes=turn.form.wishes[1:], asked="nothing")

    def _offer(self, turn: Turn, found: Meaning, outcome: Outcome) -> None:
        """Offer a return where what was delivered can no longer be cancelled or changed."""
        order = found.order
        if outcome.reason == "order already delivered" and order is not None and order.status == "delivered":
            turn.said.append(replies.RETURN_INSTEAD)
            start = Wish(
                tool="return_delivered_order_items", said=(Said(asked="order", text=order.order_id),)
            )
            turn.form = turn.form.changed(offer=start, asked="offer")

    def _ask(self, turn: Turn, text: str, wish: Wish, found: Meaning, things: Things, answered: bool) -> None:
        asked = found.missing or "order"
        question, choices = replies.question(asked, wish, found, things)
        if asked == "order" and not found.orders:
            turn.said.append(question)
            turn.decide(wish.tool, {}, "refused", "no such order")
            turn.form = turn.form.changed(wishes=turn.form.wishes[1:], asked="nothing")
            return
        if asked == "order" and 1 < len(found.orders) <= replies.MOST_NAMED:
            asked = "which"
        again = asked == turn.form.asked and not answered
        unclear = turn.form.unclear + 1 if again else 0
        if unclear >= UNCLEAR_TURNS:
            self._hand_over(turn, text, "not understood twice")
            return
        turn.form = turn.form.changed(asked=asked, unclear=unclear)
        turn.said.append(question)
        turn.choices = choices
        turn.decide(wish.tool, {}, "asked", asked)

    def _hand_over(self, turn: Turn, text: str, why: str) -> Turn:
        wish = turn.form.open
        open_wish = f" Open: {wish.tool.replace('_', ' ')}." if wish is not None else ""
        turn.hand_over = f"{why[0].upper()}{why[1:]}.{open_wish} Last words: {text[:200]}"
        turn.decide(HAND_OVER, {}, "handed over", why)
        turn.said.append(replies.PERSON)
        turn.form = Form(order=turn.form.order)
        return turn


def _told(parts: Sequence[str], acts: Sequence[WrittenCall], things: Things) -> list[str]:
    """Return the part of each act; what the second says by pointing to the first is told with it."""
    first, second = parts
    if THERE.search(second) and "address" in NEEDS[acts[1].name] and not order_ids(first, things.order_ids):
        second = f"{first} {second}"
    return [first, second]


def _plain(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return arguments without regard to capitals."""
    return {name: value.casefold() if isinstance(value, str) else value for name, value in arguments.items()}
