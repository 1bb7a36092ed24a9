"""The service desk: a customer's words in, a stream of events out; conversations kept, watched and handed over."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.types import Command

from storewise.agent.analyst import NOWHERE, chat_model
from storewise.agent.desk import replies
from storewise.agent.desk.evidence import Evidence, evidence
from storewise.agent.desk.flow import Flow
from storewise.agent.desk.graph import (
    AGREED,
    Visit,
    build_desk_graph,
    form_of,
    outcome_untold,
    turn_of,
)
from storewise.agent.desk.meant import Form
from storewise.agent.desk.memory import close_memory, conversation_memory, forget_older
from storewise.agent.desk.mood import mood_of
from storewise.agent.desk.naming import without_ids
from storewise.agent.desk.other_names import plainly
from storewise.agent.desk.reply import Decision, DeskEvent, OrderCard, Proposal, Replied, Reply, Typing, Words
from storewise.agent.desk.things import Things, things_of
from storewise.agent.desk.understanding import Understanding, Understood
from storewise.agent.desk.wish import Asked
from storewise.agent.desk.yes import bids, clear_yes, could_be_yes, strong_yes
from storewise.agent.engine import Served
from storewise.agent.graph import NOTE
from storewise.agent.guard import QuestionError, guarded
from storewise.agent.settings import Settings
from storewise.finetune.adapter import SHIPPED
from storewise.prompts import prompt
from storewise.tools.calls import WrittenCall
from storewise.tools.desk.act_shortlist import ActShortlist
from storewise.tools.desk.acts import CANCEL, HAND_OVER, WISHES
from storewise.tools.desk.records import Records
from storewise.tools.desk.store import DeskAway, DeskStore
from storewise.tools.finding import Finding
from storewise.tools.shop.generation import Shop, ShopError

logger = logging.getLogger(__name__)
LONGEST = 5000  # characters of one message
SURE_OF_YES = 0.95  # from here on the shortlist's yes is one, where nothing takes it back
_STOP = re.compile(r"\bstop (?:it|that|this|the order)\b", re.I)  # what a cancellation does


class NotYours(ShopError):
    """The conversation is another customer's, or there is none."""

    def __init__(self) -> None:
        super().__init__("There is no such conversation of yours. Begin a new one.")


class ServiceDesk:
    """Talks to customers about their orders. Threads may share it; each conversation takes its turns one by one."""

    def __init__(
        self,
        store: DeskStore,
        records: Records,
        settings: Settings,
        served: Callable[[], Served | None],
        shop: Callable[[], Shop | None],
    ) -> None:
        self.store = store
        self.records = records
        self.understanding = Understanding(ActShortlist(SHIPPED))
        self._settings = settings
        self._served = served
        self._shop = shop
        self._memory: BaseCheckpointSaver[Any] = conversation_memory(settings)
        self._graphs: dict[tuple[Served, bool], Any] = {}
        self._lock = threading.Lock()
        self._turns: dict[str, threading.Lock] = {}

    def begin(self, user_id: str) -> str:
        """Begin a conversation of a customer and return its id.

        Raises:
            NoSuchCustomer: the shop does not know the customer.
        """
        with self.store.reading(user_id) as desk:
            assert desk.user is not None
        return self.records.begin(user_id)

    def say(self, user_id: str, conversation: str, text: str) -> Iterator[DeskEvent]:
        """Yield the events of a turn, which ends with the reply.

        Raises:
            NotYours: the conversation is not this customer's.
        """
        began = time.monotonic()
        self._own(user_id, conversation)
        if len(text) > LONGEST:
            sentence = f"That message has {len(text):,} characters; please write at most {LONGEST:,}."
            yield Replied(reply=Reply(text=sentence, state=self.records.state(conversation)))
            return
        try:
            text = guarded(text, longest=LONGEST)
        except QuestionError:
            yield Replied(reply=Reply(text="Please write what I can do for you.", state="desk"))
            return
        with self._turn(conversation):
            yield from self._say(user_id, conversation, text, began)

    def _say(self, user_id: str, conversation: str, text: str, began: float) -> Iterator[DeskEvent]:
        try:
            state = self.records.state(conversation)
            self.records.add(conversation, "customer", text)
            if state in ("person", "waiting"):
                said = replies.NO_PERSON_NEEDED if state == "waiting" else ""
                yield Replied(reply=Reply(text=said, state=state))
                return
            yield Typing(what="reading your message")
            graph = self._graph()
            config = self._config(conversation)
            snapshot = graph.get_state(config)
            waiting = self._waiting(snapshot)
            with self.store.reading(user_id) as desk:
                things = things_of(desk)
            form = form_of(snapshot.values.get("messages") or [])
            asked: Asked = "confirmation" if waiting is not None else form.asked
            plain = plainly(text, asked, things)
            understood = self._understood(form, things, asked, text, plain)
            visit = Visit(user_id, plain, understood.acts, understood.parts, understood.note, things)
            if waiting is None:
                given: Any = {"messages": [HumanMessage(text)]}
            elif self._agrees(form, things, plain, understood):
                yield Typing(what="making the change")
                given = Command(resume={"decisions": [{"type": "approve"}]})
            else:
                given = Command(resume={"decisions": [{"type": "reject", "message": text}]})
            yield from self._run(graph, config, given, visit, conversation, began)
        except DeskAway:
            yield Replied(reply=self._cut_off(conversation, began))

    def press(self, user_id: str, conversation: str, proposal_id: str, yes: bool) -> Iterator[DeskEvent]:
        """Yield the events after a confirmation button; one that was settled already changes nothing."""
        began = time.monotonic()
        self._own(user_id, conversation)
        with self._turn(conversation):
            try:
                graph = self._graph()
                config = self._config(conversation)
                waiting = self._waiting(graph.get_state(config))
                if waiting != proposal_id:
                    last = self.state(user_id, conversation)
                    said = f"That was settled already. {last.text if last is not None else ''}".strip()
                    reply = last.model_copy(update={"text": said}) if last is not None else Reply(text=said)
                    yield Replied(reply=reply)
                    return
                self.records.add(
                    conversation, "customer", "Yes" if yes else "No", extra={"pressed": proposal_id}
                )
                yield Typing(what="making the change" if yes else "")
                answer = {"type": "approve"} if yes else {"type": "reject", "message": "No"}
                acts = () if yes else (WrittenCall("drop"),)
                visit = Visit(user_id, "Yes" if yes else "No", acts)
                given: Command[Any] = Command(resume={"decisions": [answer]})
                yield from self._run(graph, config, given, visit, conversation, began)
            except DeskAway:
                yield Replied(reply=self._cut_off(conversation, began))

    def state(self, user_id: str, conversation: str) -> Reply | None:
        """Return what was said last, None where nothing was; a proposal in it still waits."""
        self._own(user_id, conversation)
        graph = self._graph()
        snapshot = graph.get_state(self._config(conversation))
        if not snapshot.values.get("messages"):
            return None
        return self._reply(snapshot, conversation, 0.0)

    def staff_says(self, conversation: str, text: str) -> None:
        """Let a member of staff answer in the conversation."""
        self.records.add(conversation, "staff", text)

    def take(self, ticket_id: str, staff: str) -> None:
        """Let a member of staff take a conversation over."""
        self.records.take(ticket_id, staff)

    def give_back(self, ticket_id: str) -> None:
        """Let the desk answer again."""
        self.records.give_back(ticket_id)

    def forget(self, conversation: str) -> None:
        """Delete a conversation's place and messages."""
        self._memory.delete_thread(conversation)

    def close(self) -> None:
        """Close the store and the conversations' memory."""
        self.store.close()
        close_memory(self._memory)

    def warm(self) -> None:
        """Load what the first message would wait for."""
        self.understanding.read(None, "nothing", "nothing", "Where is my order?")

    def _own(self, user_id: str, conversation: str) -> None:
        if self.records.owner(conversation) != user_id:
            raise NotYours

    @contextmanager
    def _turn(self, conversation: str) -> Iterator[None]:
        """Let the turns of a conversation come one by one: in this process, and on Postgres among all workers."""
        with self._lock:
            if len(self._turns) > 10_000:
                self._turns = {name: lock for name, lock in self._turns.items() if lock.locked()}
            own = self._turns.setdefault(conversation, threading.Lock())
        with own, self.store.one_at_a_time(conversation):
            yield

    def _config(self, conversation: str) -> dict[str, Any]:
        return {"configurable": {"thread_id": conversation}, "recursion_limit": 60}

    def _model(self) -> tuple[Served, bool]:
        served = self._served()
        return (served, True) if served is not None else (NOWHERE, False)

    def _graph(self) -> Any:
        served, there = self._model()
        with self._lock:
            if (served, there) not in self._graphs:
                flow = Flow(self.store, self._shop)
                model = chat_model(served, self._settings.slow_seconds)
                self._graphs[served, there] = build_desk_graph(
                    model, served.compact, flow, self.store, self._memory, prompt("desk_policy")
                )
            return self._graphs[served, there]

    def _waiting(self, snapshot: Any) -> str | None:
        """Return the id of the proposal that waits for a yes, None if none does."""
        messages = snapshot.values.get("messages") or []
        if not snapshot.interrupts or not messages or not isinstance(messages[-1], AIMessage):
            return None
        agreed = messages[-1].additional_kwargs.get(AGREED) or {}
        return next(iter(agreed), None)

    def _understood(self, form: Form, things: Things, asked: Asked, text: str, plain: str) -> Understood:
        served, there = self._model()

        def weigh(part: str, afresh: bool) -> Evidence:
            if afresh:
                return evidence(form.changed(wishes=(), seen=None), things, "nothing", part)
            return evidence(form, things, asked, part)

        # A large model reads the message itself; only a yes is read here.
        model = chat_model(served, self._settings.slow_seconds) if there and served.compact else None
        return self.understanding.read(
            model, form.about, asked, text, without_ids(text, things), plain, weigh
        )

    def _agrees(self, form: Form, things: Things, text: str, understood: Understood) -> bool:
        """Say whether a message is a clear yes to just what was proposed."""
        if form.open is not None and form.open.tool == CANCEL:
            text = _STOP.sub("cancel it", text)
        read_as_yes = any(act.name == "yes" for act in understood.acts)
        learned = understood.sure_of_yes >= SURE_OF_YES and could_be_yes(text)
        bidden = form.open is not None and bids(text) and Flow.is_about(form.open, text, things)
        if not (strong_yes(text) or (clear_yes(text) and read_as_yes) or learned or bidden):
            return False
        return form.open is None or not Flow.corrects(form.open, text, things)

    def _run(
        self, graph: Any, config: dict[str, Any], given: Any, visit: Visit, conversation: str, began: float
    ) -> Iterator[DeskEvent]:
        # The place is kept once a turn, at its end or where it waits: each keeping writes all messages anew.
        events = graph.stream(
            given, config, context=visit, stream_mode=["updates", "messages"], durability="exit"
        )
        for mode, data in events:
            if mode != "messages":
                continue
            chunk, _ = data
            if isinstance(chunk, AIMessageChunk) and chunk.text:
                yield Words(text=str(chunk.text))
        snapshot = graph.get_state(config)
        reply = self._reply(snapshot, conversation, _since(began))
        forget_older(self._memory, conversation)
        yield Replied(reply=self._kept(conversation, visit, reply, snapshot))

    def _cut_off(self, conversation: str, began: float) -> Reply:
        """Return what is said where the database went away: what was changed before that is told."""
        messages = self._graph().get_state(self._config(conversation)).values.get("messages") or []
        done = outcome_untold(messages)
        note = "The database does not answer."
        if done is None:
            return Reply(text=replies.AWAY, seconds=_since(began), note=note)
        return Reply(text=done.finding.headline, findings=(done.finding,), seconds=_since(began), note=note)

    def _kept(self, conversation: str, visit: Visit, reply: Reply, snapshot: Any) -> Reply:
        """Write a turn into the records; what was changed is told even if they cannot be written."""
        try:
            return self._recorded(conversation, visit, reply, snapshot)
        except DeskAway:
            if not any(decision.decision == "written" for decision in reply.decisions):
                raise
            logger.exception("a turn of conversation %s is not in the records", conversation)
            return reply.model_copy(update={"note": "The records of this turn could not be written."})

    def _recorded(self, conversation: str, visit: Visit, reply: Reply, snapshot: Any) -> Reply:
        """Write a turn into the records, and open a ticket where a person is called."""
        self.records.add(conversation, "desk", reply.text)
        for decision in reply.decisions:
            self.records.decide(conversation, decision.model_dump(mode="json"))
        mood = mood_of(visit.text)
        for act in visit.acts:
            if act.name in WISHES:
                self.records.wished(conversation, act.name, mood)
            elif act.name == "none" and act.args["kind"] in ("outside", "policy"):
                self.records.wished(conversation, "other", mood)
        wanted = turn_of(snapshot.values["messages"]).get("hand_over") or self._asked_for_person(reply)
        if wanted is None:
            return reply
        tried = [f"{d.tool}: {d.decision}" for d in self.records.decisions(conversation)[-8:] if d.tool]
        self.records.open_ticket(conversation, wanted, mood, tried)
        return reply.model_copy(update={"state": "waiting"})

    def _asked_for_person(self, reply: Reply) -> str | None:
        found = next((finding for finding in reply.findings if finding.tool == HAND_OVER), None)
        return None if found is None else str(found.arguments.get("summary") or "Asked for a person.")

    def _reply(self, snapshot: Any, conversation: str, seconds: float) -> Reply:
        messages = snapshot.values["messages"]
        turn = turn_of(messages)
        last = messages[-1]
        agreed = last.additional_kwargs.get(AGREED) or {} if isinstance(last, AIMessage) else {}
        waiting = self._waiting(snapshot)
        proposal = None
        if waiting is not None:
            finding = Finding.model_validate(agreed[waiting])
            proposal = Proposal(proposal_id=waiting, tool=finding.tool, finding=finding)
        text = str(last.text) if isinstance(last, AIMessage) else ""
        return Reply(
            text=text or replies.ANYTHING_ELSE,
            findings=tuple(Finding.model_validate(one) for one in turn["findings"]),
            proposal=proposal,
            choices=tuple(turn["choices"]),
            orders=tuple(OrderCard.model_validate(one) for one in turn["orders"]),
            state=self.records.state(conversation),
            decisions=tuple(Decision.model_validate(one) for one in turn["decisions"]),
            seconds=seconds,
            note=last.additional_kwargs.get(NOTE) if isinstance(last, AIMessage) else None,
        )


def _since(began: float) -> float:
    return round(time.monotonic() - began, 3)
