"""The customers' desk as its page asks for it: who is signed in, what was said, and the turn that runs.

A turn runs in a thread of its own and is asked after, so that a reload or a phone that sleeps loses nothing.
What was said lies in the desk's records, masked; as long as this process lives, customers see their own
words unmasked. Everything that the page sends is checked here, and who asks is read from the token alone.
"""

from __future__ import annotations

import logging
import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import gradio as gr
from sqlalchemy.exc import SQLAlchemyError

from storewise.agent.desk.identity import NotSignedIn, customer_of, issue
from storewise.agent.desk.reply import DeskEvent, Replied, Reply, Typing, Words
from storewise.agent.limits import Limits
from storewise.agent.settings import Settings
from storewise.tools.shop.generation import ShopError
from storewise.ui import desk_view as view
from storewise.ui import status
from storewise.ui.asked import Refused, mark, wanted
from storewise.ui.desk_customers import SIGN_INS, customers, made_up, name_of
from storewise.ui.render import problem

if TYPE_CHECKING:
    from storewise.agent.desk.service import ServiceDesk
    from storewise.agent.startup import Startup
    from storewise.tools.desk.records import Message

log = logging.getLogger(__name__)

COOKIE = "storewise_desk"  # a shop of one's own may hand the token over in it
LONGEST = 5000  # characters of a message
SHOWN = 200  # messages on the page, the newest
KEPT = 500  # conversations whose words are kept unmasked; the one untouched for longest goes first

STARTING = "The desk is still starting. It is there in a moment."
UNSTARTED = "The desk could not be started. `storewise doctor` says what works and what does not."
AWAY = "The desk's database does not answer just now. Nothing was changed. Trying again …"
FAILED = "Something went wrong here, and nothing more was changed. Please say it again."
ELSEWHERE = "Please sign in at the shop; its own pages bring you here."
NOT_YOURS = "That conversation is not there (any more). You can begin a new one."
BUSY = "Your last message is still being answered."
EMPTY = "Write something first."
LONG = f"That is longer than {LONGEST:,} characters. Please say it in fewer."


class SignedOut(Exception):
    """Nobody is signed in; the message is the sentence shown. In the demo one may choose whom to be."""

    def __init__(self, sentence: str, demo: bool) -> None:
        super().__init__(sentence)
        self.demo = demo


class Talk:
    """One conversation as its page shows it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.known: dict[int, str | Reply] = {}
        self.pressed: dict[str, bool] = {}
        self.sent: str | None = None
        self.doing: str | None = None
        self.words = ""
        self.problem = ""
        self.aside = ""
        self.unsent = ""

    def take(self, event: DeskEvent) -> Reply | None:
        """Note what an event says; return the reply that ends the turn."""
        match event:
            case Typing():
                self.doing = event.what or "The desk is reading"
            case Words():
                self.words += event.text
            case Replied():
                return event.reply
        return None


class DeskTalks:
    """What the desk's page asks for; each request says with `do` what it wants."""

    def __init__(self, startup: Startup) -> None:
        self._startup = startup
        self._settings = Settings()
        self._limits = Limits(self._settings.desk_requests_per_minute)
        self._looks = Limits(SIGN_INS)
        self._lock = threading.Lock()
        self._talks: OrderedDict[tuple[str, str], Talk] = OrderedDict()

    def answer(self, asked: Any, request: gr.Request | None = None) -> dict[str, Any]:
        """Answer the page; what goes wrong is answered with a sentence under `problem`."""
        known: dict[str, Callable[[ServiceDesk, dict[str, Any]], dict[str, Any]]] = {
            "look": self._look,
            "customers": self._customers,
            "sign_in": self._sign_in,
            "say": self._say,
            "press": self._press,
        }
        do = wanted(asked, known)
        if do is None:
            return {"problem": problem(FAILED)}
        asked = dict(asked)
        if request is not None:
            asked["token"] = asked.get("token") or request.cookies.get(COOKIE) or ""
            asked["address"] = request.client.host if request.client else "?"
        try:
            desk = self._desk()
            if desk is None:
                return self._starting()
            return do(desk, asked)
        except SignedOut as error:
            said = problem(str(error))
            return {"page": "signin", "demo": error.demo, "problem": said, "wait": 60_000}
        except Refused as error:
            return {"problem": problem(str(error))}
        except ShopError as error:
            return {"problem": problem(str(error)), "wait": 5000}
        except SQLAlchemyError:
            log.exception("The desk's database does not answer")
            return {"problem": problem(AWAY), "wait": 5000}
        except Exception:
            log.exception("The desk's page failed")
            return {"problem": problem(FAILED)}

    def _desk(self) -> ServiceDesk | None:
        return self._startup.desk()

    def _starting(self) -> dict[str, Any]:
        panel = status.progress(self._startup.steps(), usable=False)
        failed = self._startup.settled
        return {
            "page": "starting",
            "html": problem(UNSTARTED) if failed else panel or problem(STARTING),
            "wait": 5000 if failed else 1000,
        }

    # Who

    def _customers(self, desk: ServiceDesk, asked: dict[str, Any]) -> dict[str, Any]:
        self._for_demo(desk, asked)
        said = str(asked.get("said") or "")[:100]
        return {"html": view.sign_in(customers(desk.store.engine, said), said)}

    def _sign_in(self, desk: ServiceDesk, asked: dict[str, Any]) -> dict[str, Any]:
        self._for_demo(desk, asked)
        user_id = str(asked.get("customer"))[:100]
        if not name_of(desk.store.engine, user_id):
            raise Refused("There is no such customer.")
        return {"token": issue(self._settings, user_id)}

    def _for_demo(self, desk: ServiceDesk, asked: dict[str, Any]) -> None:
        if not made_up(desk.store.engine):
            raise Refused(ELSEWHERE)
        if self._looks.wait(str(asked.get("address"))) > 0:
            raise Refused("Too many at once; try again in a moment.")

    def _signed_in(self, desk: ServiceDesk, asked: dict[str, Any]) -> tuple[str, str]:
        """Return the customer's id and name, by the token."""
        token = str(asked.get("token") or "")
        demo = made_up(desk.store.engine)
        instead = "" if demo else ELSEWHERE
        if not token:
            raise SignedOut(instead, demo)
        try:
            user_id = customer_of(self._settings, token, desk.store)
        except NotSignedIn as error:
            raise SignedOut(f"{error} {instead}".strip(), demo) from None
        return user_id, name_of(desk.store.engine, user_id)

    # What was said

    def _look(self, desk: ServiceDesk, asked: dict[str, Any]) -> dict[str, Any]:
        user_id, name = self._signed_in(desk, asked)
        conversation = self._own(desk, user_id, str(asked.get("conversation") or ""))
        if not conversation and not asked.get("fresh"):
            conversation = self._unfinished(desk, user_id)
        talk = self._talk(user_id, conversation) if conversation else Talk()
        blocks = view.blocks(self._shown(desk, user_id, name, conversation, talk))
        state = desk.records.state(conversation) if conversation else "desk"
        seen = mark(blocks)
        unsent, talk.unsent = talk.unsent, ""
        return {
            "page": "talk",
            "who": view.who(name, user_id),
            "demo": made_up(desk.store.engine),
            "conversation": conversation,
            "blocks": None if seen == asked.get("seen") else blocks,
            "seen": seen,
            "busy": talk.doing is not None,
            "closed": state == "closed",
            "unsent": unsent,
            "wait": 350 if talk.doing is not None else 2000 if state in ("waiting", "person") else 10_000,
        }

    def _own(self, desk: ServiceDesk, user_id: str, conversation: str) -> str:
        """Return the conversation if it is this customer's, else none."""
        if not conversation or len(conversation) > 100 or not conversation.isprintable():
            return ""
        return conversation if desk.records.owner(conversation) == user_id else ""

    def _unfinished(self, desk: ServiceDesk, user_id: str) -> str:
        """Return the customer's newest conversation if a person was called or has taken over."""
        for one in desk.records.conversations(user_id, limit=1):
            if one.state in ("waiting", "person"):
                return one.conversation_id
        return ""

    def _shown(self, desk: ServiceDesk, user_id: str, name: str, conversation: str, talk: Talk) -> view.Shown:
        first = name.split(" ")[0]
        if not conversation:
            return view.Shown(name=first)
        with talk.lock:
            newest = desk.state(user_id, conversation)
            everything = desk.records.messages(conversation)
            stored = everything[-SHOWN:]
            sent, doing = talk.sent, talk.doing
            if doing is not None and sent is not None:
                # The turn's own message may lie in the records already.
                stored = [one for one in stored if one.number in talk.known or one.who == "staff"]
            last = max((one.number for one in stored if one.who == "desk"), default=0)
            said = [_said(one, talk, newest if one.number == last else None) for one in stored]
        waiting = newest.proposal.proposal_id if newest is not None and newest.proposal is not None else None
        return view.Shown(
            said=said,
            state=desk.records.state(conversation),
            pending=waiting,
            pressed=_pressed(everything) | talk.pressed,
            sent=sent,
            doing=doing,
            words=talk.words,
            problem=talk.problem,
            aside=talk.aside,
            name=first,
        )

    def _talk(self, user_id: str, conversation: str) -> Talk:
        key = user_id, conversation
        with self._lock:
            talk = self._talks.setdefault(key, Talk())
            self._talks.move_to_end(key)
            while len(self._talks) > KEPT:
                self._talks.popitem(last=False)
            return talk

    # A turn

    def _say(self, desk: ServiceDesk, asked: dict[str, Any]) -> dict[str, Any]:
        user_id, _ = self._signed_in(desk, asked)
        text = str(asked.get("text") or "")
        if not text.strip():
            raise Refused(EMPTY)
        if len(text) > LONGEST:
            raise Refused(LONG)
        self._paced(user_id)
        given = str(asked.get("conversation") or "")
        conversation = self._own(desk, user_id, given)
        if given and not conversation:
            raise Refused(NOT_YOURS)
        conversation = conversation or desk.begin(user_id)
        self._begin(desk, user_id, conversation, text, lambda: desk.say(user_id, conversation, text))
        return {"conversation": conversation}

    def _press(self, desk: ServiceDesk, asked: dict[str, Any]) -> dict[str, Any]:
        user_id, _ = self._signed_in(desk, asked)
        conversation = self._own(desk, user_id, str(asked.get("conversation") or ""))
        key, yes = str(asked.get("proposal") or "")[:200], asked.get("yes") is True
        if not conversation or not key:
            raise Refused(NOT_YOURS)
        self._paced(user_id)
        self._begin(desk, user_id, conversation, None, lambda: desk.press(user_id, conversation, key, yes))
        self._talk(user_id, conversation).pressed.setdefault(key, yes)
        return {"conversation": conversation}

    def _paced(self, user_id: str) -> None:
        seconds = math.ceil(self._limits.wait(user_id))
        if seconds > 0:
            raise Refused(f"That was a lot at once. You can write again in {seconds} s.")

    def _begin(
        self,
        desk: ServiceDesk,
        user_id: str,
        conversation: str,
        text: str | None,
        events: Callable[[], Iterator[DeskEvent]],
    ) -> None:
        talk = self._talk(user_id, conversation)
        with talk.lock:
            if talk.doing is not None:
                raise Refused(BUSY)
            stored = desk.records.messages(conversation)
            newest = desk.state(user_id, conversation)
            last = max((one.number for one in stored if one.who == "desk"), default=0)
            for one in stored:
                said: str | Reply = newest if newest is not None and one.number == last else one.text
                talk.known.setdefault(one.number, said)
            before = max((one.number for one in stored), default=0)
            talk.doing, talk.sent = "The desk is reading", text
            talk.words = talk.problem = talk.aside = ""
        worker = threading.Thread(
            target=self._run, args=(desk, talk, conversation, before, events), name="desk-turn", daemon=True
        )
        worker.start()

    def _run(
        self,
        desk: ServiceDesk,
        talk: Talk,
        conversation: str,
        before: int,
        events: Callable[[], Iterator[DeskEvent]],
    ) -> None:
        reply, problem = None, ""
        try:
            for event in events():
                reply = talk.take(event) or reply
        except ShopError as error:
            problem = str(error)
        except SQLAlchemyError:
            log.exception("The desk's database does not answer")
            problem = AWAY.removesuffix(" Trying again …")
        except Exception:
            log.exception("A turn at the desk failed")
            problem = FAILED
        with talk.lock:
            stored: list[Message] = []
            try:
                stored = desk.records.messages(conversation, after=before)
            except (ShopError, SQLAlchemyError) as error:
                log.warning("The desk's records cannot be read: %s", error)
            mine = [one.number for one in stored if one.who == "customer"]
            theirs = [one.number for one in stored if one.who == "desk"]
            if talk.sent is not None and mine:
                talk.known[mine[0]] = talk.sent
            elif talk.sent is not None:
                talk.unsent = talk.sent  # it was not kept, so it goes back into the box
            if reply is not None and theirs:
                talk.known[theirs[-1]] = reply
            elif reply is not None and not problem:
                talk.aside = reply.text  # said, but no part of the conversation
            talk.sent, talk.doing, talk.words, talk.problem = None, None, "", problem


def _said(one: Message, talk: Talk, newest: Reply | None) -> view.Said:
    known = talk.known.get(one.number)
    reply = known if isinstance(known, Reply) else newest
    text = known if isinstance(known, str) else reply.text if reply is not None else one.text
    return view.Said(one.number, one.who, text, reply if one.who == "desk" else None)


def _pressed(said: Sequence[Message]) -> dict[str, bool]:
    """Return the buttons that were pressed, as the desk keeps them with the answer."""
    keys = {(one.extra or {}).get("pressed"): one.text == "Yes" for one in said if one.who == "customer"}
    return {key: yes for key, yes in keys.items() if isinstance(key, str)}
