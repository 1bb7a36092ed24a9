"""The Inbox tab: tickets of the service desk, their conversations, and a person who takes one over.

What is shown is read from the desk's records, where everything is masked; what a person does goes through
the desk, so that the customer's page and this one say the same.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import SQLAlchemyError

from storewise.tools.desk.records import Conversation, Ticket
from storewise.tools.shop.generation import ShopError
from storewise.ui import inbox_view as view
from storewise.ui.asked import FAILED, Refused, mark, wanted
from storewise.ui.desk_customers import name_of
from storewise.ui.render import icon, problem

if TYPE_CHECKING:
    from storewise.agent.desk.service import ServiceDesk
    from storewise.agent.startup import Startup

log = logging.getLogger(__name__)

SHOWN = 300  # messages of a conversation, the newest
RECENT = 40  # conversations looked through for those without a ticket
CLOSED = 20  # closed tickets that are listed
LONGEST = 5000  # characters of an answer
STAFF = "Staff"
AWAY = "The desk's database does not answer just now. Trying again …"
GONE = "There is no such conversation here (any more)."
STEPPED_IN = "A person of the shop stepped in without being called."

FORM = f"""
<div class="inbox">
<p class="unseen" role="status" data-said></p>
<aside>
<h1>Who needs a person?</h1>
<p>The desk hands over what it cannot or must not do. Take a conversation over, answer in it, and give it back.</p>
<div data-list-problem></div>
<section><h2>Tickets</h2><div data-tickets></div></section>
<section><h2>Without a ticket</h2><div data-conversations></div></section>
</aside>
<section class="case" aria-label="The conversation">
<a class="back" href="#inbox">{icon("back")}All conversations</a>
<div class="nothing"><h2>Nothing is open</h2><p>Open a ticket or a conversation to read what was said and what the
desk decided: proposed, allowed, refused, and why.</p></div>
<div class="open">
<div class="caller slip"><div data-head></div>
<div class="acts-row"><span data-acts></span><label>You are
<input name="staff" form="answering" maxlength="60" autocomplete="name" placeholder="{STAFF}"></label></div></div>
<div data-problem role="alert"></div>
<div class="log" role="log" aria-live="polite" aria-label="What was said"></div>
<form class="reply" id="answering" novalidate hidden>
<label for="answer">Your answer, to the customer in the same conversation</label>
<textarea id="answer" rows="3" maxlength="{LONGEST}"></textarea>
<button type="submit" class="does">Send</button>
</form>
</div>
</section>
</div>
"""


class Inbox:
    """What the tab asks for; each request says with `do` what it wants, and everything in it is checked."""

    def __init__(self, startup: Startup) -> None:
        self._startup = startup

    def answer(self, asked: Any) -> dict[str, Any]:
        """Answer the tab; what goes wrong is answered with a sentence under `problem`."""
        known: dict[str, Callable[[ServiceDesk, dict[str, Any]], dict[str, Any]]] = {
            "count": self._count,
            "list": self._list,
            "look": self._look,
            "take": self._take,
            "give_back": self._give_back,
            "say": self._say,
        }
        do = wanted(asked, known)
        if do is None:
            return {"problem": problem(FAILED)}
        try:
            desk = self._desk()
            if desk is None:
                return {"none": problem(view.NO_DESK), "starting": not self._startup.settled}
            return do(desk, asked)
        except (Refused, ShopError) as error:
            return {"problem": problem(str(error))}
        except SQLAlchemyError:
            log.exception("The desk's records cannot be read")
            return {"problem": problem(AWAY)}
        except Exception:
            log.exception("The Inbox tab failed")
            return {"problem": problem(FAILED)}

    def _desk(self) -> ServiceDesk | None:
        # A start without a desk, such as one that has no demo data, has nothing to show.
        find: Callable[[], ServiceDesk | None] = getattr(self._startup, "desk", lambda: None)
        return find()

    # What is read

    def _count(self, desk: ServiceDesk, _: dict[str, Any]) -> dict[str, Any]:
        return {"waiting": len(desk.records.tickets("waiting"))}

    def _list(self, desk: ServiceDesk, _: dict[str, Any]) -> dict[str, Any]:
        now = dt.datetime.now(dt.UTC)
        waiting, taken = desk.records.tickets("waiting"), desk.records.tickets("taken")
        closed = desk.records.tickets("closed")[-CLOSED:]
        recent = desk.records.conversations(limit=RECENT)
        ticketed = {ticket.conversation_id for ticket in [*waiting, *taken, *closed]}
        without = [one for one in recent if one.conversation_id not in ticketed and one.messages]
        return {
            "tickets": view.tickets([*waiting, *taken, *closed], now),
            "conversations": view.conversations(without, now),
            "waiting": len(waiting),
        }

    def _look(self, desk: ServiceDesk, asked: dict[str, Any]) -> dict[str, Any]:
        one = self._found(desk, asked)
        now = dt.datetime.now(dt.UTC)
        name = name_of(desk.store.engine, one.user_id)
        said = desk.records.messages(one.conversation_id)[-SHOWN:]
        first = said[0].number if said else 0
        decided = [each for each in desk.records.decisions(one.conversation_id) if each.message >= first - 1]
        blocks = view.blocks(said, decided)
        seen = mark(blocks)
        return {
            "head": view.head(one, _ticket(desk, one.conversation_id), name, now),
            "acts": view.acts(one),
            "blocks": None if seen == asked.get("seen") else blocks,
            "seen": seen,
            "answering": one.state == "person",
        }

    def _found(self, desk: ServiceDesk, asked: dict[str, Any]) -> Conversation:
        """Return the conversation that is asked for."""
        name = str(asked.get("conversation") or "")[:100]
        user_id = desk.records.owner(name) if name.isprintable() else None
        if user_id is None:
            raise Refused(GONE)
        for one in desk.records.conversations(user_id, limit=1000):
            if one.conversation_id == name:
                return one
        raise Refused(GONE)

    # What a person does

    def _take(self, desk: ServiceDesk, asked: dict[str, Any]) -> dict[str, Any]:
        one = self._found(desk, asked)
        if one.state == "closed":
            raise Refused("This conversation has ended.")
        ticket = _ticket(desk, one.conversation_id)
        if ticket is None or ticket.state == "closed":
            ticket_id = desk.records.open_ticket(one.conversation_id, STEPPED_IN, "calm", [])
        else:
            ticket_id = ticket.ticket_id
        desk.take(ticket_id, _staff(asked))
        return {}

    def _give_back(self, desk: ServiceDesk, asked: dict[str, Any]) -> dict[str, Any]:
        ticket = _ticket(desk, self._found(desk, asked).conversation_id)
        if ticket is None or ticket.state != "taken":
            raise Refused("Nobody has taken this conversation over.")
        desk.give_back(ticket.ticket_id)
        return {}

    def _say(self, desk: ServiceDesk, asked: dict[str, Any]) -> dict[str, Any]:
        one = self._found(desk, asked)
        text = str(asked.get("text") or "").strip()
        if not text:
            raise Refused("Write an answer first.")
        if len(text) > LONGEST:
            raise Refused(f"That is longer than {LONGEST:,} characters.")
        if one.state != "person":
            raise Refused("Take the conversation over first, so that the desk does not answer in between.")
        desk.staff_says(one.conversation_id, text)
        return {}


def _staff(asked: dict[str, Any]) -> str:
    name = " ".join(str(asked.get("staff") or "").split())[:60]
    return name if name.isprintable() and name else STAFF


def _ticket(desk: ServiceDesk, conversation: str) -> Ticket | None:
    """Return a conversation's newest ticket."""
    mine = [one for one in desk.records.tickets() if one.conversation_id == conversation]
    return mine[-1] if mine else None
