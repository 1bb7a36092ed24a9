"""The records of the desk: what was said, decided and wished, who has it now; every text masked before it is stored."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar, get_args

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storewise.tools.desk.masking import masked, masked_value
from storewise.tools.desk.record_tables import (
    RECORD_TABLES,
    ConversationRow,
    ConversationState,
    DecisionRow,
    FeedbackRow,
    MessageRow,
    Mood,
    Speaker,
    Thumb,
    TicketRow,
    TicketState,
    WishRow,
)
from storewise.tools.desk.store import reached, writing_engine
from storewise.tools.shop.generation import ShopError

_MOODS: tuple[Mood, ...] = get_args(Mood)  # each worse than the one before
LONGEST_TEXT = 20_000  # characters of one message or summary that are kept
_Numbered = TypeVar("_Numbered", MessageRow, DecisionRow, WishRow)


class NoSuchRecord(ShopError):
    """There is no conversation or ticket of this id."""


class NotPossible(ShopError):
    """A ticket cannot be taken or given back as things stand; the message says why."""


@dataclass(frozen=True)
class Message:
    """One thing said in a conversation; `number` counts from 1."""

    number: int
    who: Speaker
    text: str
    extra: dict[str, Any] | None
    at: dt.datetime


@dataclass(frozen=True)
class Decided:
    """What the desk did about a thing that was said; `message` is the number of the last message before."""

    number: int
    message: int
    tool: str
    arguments: dict[str, Any]
    decision: str
    why: str | None
    at: dt.datetime


@dataclass(frozen=True)
class Conversation:
    """A conversation, without its messages."""

    conversation_id: str
    user_id: str
    state: ConversationState
    begun_at: dt.datetime
    last_at: dt.datetime
    messages: int


@dataclass(frozen=True)
class Ticket:
    """A conversation that a person is asked to take over."""

    ticket_id: str
    conversation_id: str
    user_id: str
    summary: str
    mood: Mood
    tried: tuple[str, ...]
    state: TicketState
    staff: str | None
    opened_at: dt.datetime
    taken_at: dt.datetime | None
    closed_at: dt.datetime | None


@dataclass(frozen=True)
class Contacts:
    """What customers contacted the desk about between two days.

    Attributes:
        conversations: how many had a message of the customer then.
        handed_over: how many tickets were opened then.
        counts: (day, wish, mood, times); a wish counts once a day in a conversation, in the worst mood it was told.
    """

    conversations: int
    handed_over: int
    counts: tuple[tuple[dt.date, str, Mood, int], ...]


class Records:
    """The records, in the same database as the desk's shop. Threads and processes may share it."""

    def __init__(self, engine: sa.Engine) -> None:
        self._reading = engine
        self._writing = writing_engine(engine)

    def begin(self, user_id: str) -> str:
        """Begin a conversation of a customer and return its id, which cannot be guessed."""
        conversation, now = secrets.token_urlsafe(16), _now()
        with self._write() as session:
            session.add(
                ConversationRow(
                    conversation_id=conversation, user_id=user_id, state="desk", begun_at=now, last_at=now
                )
            )
        return conversation

    def owner(self, conversation: str) -> str | None:
        """Return whose conversation it is, None where there is none of this id."""
        row = self._conversation(conversation)
        return None if row is None else row.user_id

    def state(self, conversation: str) -> ConversationState:
        """Return who answers now: the desk, nobody yet (a person was called), a person, or nobody any more."""
        row = self._conversation(conversation)
        if row is None:
            raise _no_conversation()
        return row.state

    def close(self, conversation: str) -> None:
        """End a conversation, and its tickets with it."""
        with self._write() as session:
            _locked(session, conversation).state = "closed"
            for ticket in session.scalars(_open_tickets(conversation)):
                ticket.state, ticket.closed_at = "closed", _now()

    def add(self, conversation: str, who: Speaker, text: str, *, extra: dict[str, Any] | None = None) -> int:
        """Keep a message, masked with all of `extra`, and return its number."""
        with self._write() as session:
            kept = None if extra is None else masked_value(extra)
            row = MessageRow(who=who, text=_kept(text), extra=kept)
            return self._append(session, conversation, row)

    def decide(self, conversation: str, decision: Mapping[str, Any]) -> int:
        """Keep a decision (see `agent.desk.reply.Decision`), its arguments and reason masked."""
        why = decision.get("why")
        with self._write() as session:
            spoken = sa.select(sa.func.max(MessageRow.number)).where(_is(MessageRow, conversation))
            row = DecisionRow(
                message=session.scalar(spoken) or 0,
                tool=str(decision.get("tool") or ""),
                arguments=masked_value(dict(decision.get("arguments") or {})),
                decision=str(decision["decision"]),
                why=None if why is None else _kept(str(why)),
            )
            return self._append(session, conversation, row)

    def wished(self, conversation: str, wish: str, mood: Mood) -> None:
        """Count what a customer wants, by the name of the desk's tool or another short word, and the mood."""
        with self._write() as session:
            self._append(session, conversation, WishRow(wish=masked(wish)[:100], mood=_mood(mood)))

    def judge(self, conversation: str, number: int, thumb: Thumb, comment: str | None = None) -> None:
        """Keep what the customer thought of a message; a second time replaces the first."""
        if thumb not in get_args(Thumb):
            raise ShopError("A thumb is up or down.")
        with self._write() as session:
            _locked(session, conversation)
            said = _kept(comment) if comment and comment.strip() else None
            row = FeedbackRow(
                conversation_id=conversation, number=number, thumb=thumb, comment=said, at=_now()
            )
            session.merge(row)

    def messages(self, conversation: str, after: int = 0) -> list[Message]:
        """Return the messages with a number above `after`, in their order."""
        wanted = sa.select(MessageRow).where(_is(MessageRow, conversation), MessageRow.number > after)
        return [
            Message(row.number, row.who, row.text, row.extra, _utc(row.at))
            for row in self._all(wanted.order_by(MessageRow.number))
        ]

    def decisions(self, conversation: str) -> list[Decided]:
        """Return the decisions in their order."""
        wanted = sa.select(DecisionRow).where(_is(DecisionRow, conversation)).order_by(DecisionRow.number)
        return [
            Decided(row.number, row.message, row.tool, row.arguments, row.decision, row.why, _utc(row.at))
            for row in self._all(wanted)
        ]

    def conversations(self, user_id: str | None = None, limit: int = 50) -> list[Conversation]:
        """Return conversations, of one customer if named, the latest first."""
        said = (
            sa.select(sa.func.count())
            .where(MessageRow.conversation_id == ConversationRow.conversation_id)
            .scalar_subquery()
        )
        wanted = sa.select(ConversationRow, said).order_by(
            ConversationRow.last_at.desc(), ConversationRow.conversation_id
        )
        if user_id is not None:
            wanted = wanted.where(ConversationRow.user_id == user_id)
        with self._read() as session:
            return [
                Conversation(
                    row.conversation_id, row.user_id, row.state, _utc(row.begun_at), _utc(row.last_at), count
                )
                for row, count in session.execute(wanted.limit(limit))
            ]

    def open_ticket(self, conversation: str, summary: str, mood: Mood, tried: Sequence[str] | str) -> str:
        """Call a person to a conversation and return the ticket's id; one that is open already stays the one."""
        done = [tried] if isinstance(tried, str) else list(tried)
        with self._write() as session:
            row = _locked(session, conversation)
            waiting = session.scalars(_open_tickets(conversation)).first()
            if waiting is not None:
                return waiting.ticket_id
            ticket = TicketRow(
                ticket_id=f"T-{secrets.token_hex(4).upper()}",
                conversation_id=conversation,
                summary=_kept(summary),
                mood=_mood(mood),
                tried=[_kept(text) for text in done],
                state="waiting",
                opened_at=_now(),
            )
            session.add(ticket)
            row.state, row.last_at = "waiting", _now()
            return ticket.ticket_id

    def tickets(self, state: str | None = None) -> list[Ticket]:
        """Return the tickets, of one state if named (waiting, taken, closed), the oldest first."""
        wanted = (
            sa.select(TicketRow, ConversationRow.user_id)
            .join(ConversationRow, ConversationRow.conversation_id == TicketRow.conversation_id)
            .order_by(TicketRow.opened_at, TicketRow.ticket_id)
        )
        if state is not None:
            wanted = wanted.where(TicketRow.state == state)
        with self._read() as session:
            return [_ticket(row, user_id) for row, user_id in session.execute(wanted)]

    def ticket(self, ticket_id: str) -> Ticket:
        """Return a ticket.

        Raises:
            NoSuchRecord: there is none of this id.
        """
        wanted = sa.select(TicketRow, ConversationRow.user_id).join(
            ConversationRow, ConversationRow.conversation_id == TicketRow.conversation_id
        )
        with self._read() as session:
            found = session.execute(wanted.where(TicketRow.ticket_id == ticket_id)).first()
            if found is None:
                raise _no_ticket()
            return _ticket(found[0], found[1])

    def take(self, ticket_id: str, staff: str) -> None:
        """Let a person answer a conversation from now on.

        Raises:
            NoSuchRecord: there is no such ticket. NotPossible: another has it, or it is closed.
        """
        with self._write() as session:
            ticket, row = _ticket_and_conversation(session, ticket_id)
            if ticket.state == "closed":
                raise NotPossible("This ticket is closed. Look for another one in the inbox.")
            if ticket.state == "taken" and ticket.staff != staff:
                raise NotPossible(f"{ticket.staff} has taken this ticket already.")
            if ticket.state == "waiting":
                ticket.state, ticket.staff, ticket.taken_at = "taken", staff[:200], _now()
            row.state = "person"

    def give_back(self, ticket_id: str) -> None:
        """Close a ticket: the desk answers this conversation again.

        Raises:
            NoSuchRecord: there is no such ticket.
        """
        with self._write() as session:
            ticket, row = _ticket_and_conversation(session, ticket_id)
            if ticket.state == "closed":
                return
            ticket.state, ticket.closed_at = "closed", _now()
            row.state = "desk"

    def contacts(self, start: dt.date, end: dt.date) -> Contacts:
        """Count wishes and moods from `start` to `end`, both days included."""
        first = dt.datetime.combine(start, dt.time())
        after = dt.datetime.combine(end, dt.time()) + dt.timedelta(days=1)
        worst = sa.func.max(sa.case(*((WishRow.mood == mood, rank) for rank, mood in enumerate(_MOODS))))
        told = (
            sa.select(sa.func.date(WishRow.at).label("day"), WishRow.wish.label("wish"), worst.label("mood"))
            .where(WishRow.at >= first, WishRow.at < after)
            .group_by(sa.func.date(WishRow.at), WishRow.wish, WishRow.conversation_id)
            .subquery()
        )
        asked = (
            sa.select(told.c.day, told.c.wish, told.c.mood, sa.func.count())
            .group_by(told.c.day, told.c.wish, told.c.mood)
            .order_by(told.c.day, told.c.wish, told.c.mood)
        )
        with self._read() as session:
            spoke = session.scalar(
                sa.select(sa.func.count(MessageRow.conversation_id.distinct())).where(
                    MessageRow.who == "customer", MessageRow.at >= first, MessageRow.at < after
                )
            )
            opened = session.scalar(
                sa.select(sa.func.count()).where(TicketRow.opened_at >= first, TicketRow.opened_at < after)
            )
            counts = tuple(
                (dt.date.fromisoformat(str(on)), wish, _MOODS[mood], count)
                for on, wish, mood, count in session.execute(asked)
            )
        return Contacts(spoke or 0, opened or 0, counts)

    def days(self) -> tuple[dt.date, dt.date] | None:
        """Return the first and the last day with a wish, None where there is none."""
        with self._read() as session:
            first, last = session.execute(sa.select(sa.func.min(WishRow.at), sa.func.max(WishRow.at))).one()
        return None if first is None else (first.date(), last.date())

    def erase(self, user_id: str) -> dict[str, int]:
        """Erase all conversations of a customer with everything in them; return the rows erased, by table."""
        own = sa.select(ConversationRow.conversation_id).where(ConversationRow.user_id == user_id)
        erased: dict[str, int] = {}
        with self._write() as session:
            ids = list(session.scalars(own.with_for_update()))
            for table in reversed(RECORD_TABLES):
                done = session.execute(table.delete().where(table.c.conversation_id.in_(ids)))
                erased[table.name] = int(done.rowcount)  # type: ignore[attr-defined]
        return erased

    def _append(self, session: Session, conversation: str, row: _Numbered) -> int:
        of = _locked(session, conversation)
        kind = type(row)
        last = session.scalar(sa.select(sa.func.max(kind.number)).where(_is(kind, conversation)))
        row.conversation_id, row.number, row.at = conversation, (last or 0) + 1, _now()
        of.last_at = row.at
        session.add(row)
        return row.number

    @contextmanager
    def _read(self) -> Iterator[Session]:
        with reached(), Session(self._reading, autoflush=False) as session:
            yield session

    @contextmanager
    def _write(self) -> Iterator[Session]:
        with (
            reached(),
            Session(self._writing, autoflush=False, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    def _conversation(self, conversation: str) -> ConversationRow | None:
        with self._read() as session:
            return session.get(ConversationRow, conversation)

    def _all(self, wanted: sa.Select[Any]) -> list[Any]:
        with self._read() as session:
            return list(session.scalars(wanted))


def _is(kind: Any, conversation: str) -> sa.ColumnElement[bool]:
    same: sa.ColumnElement[bool] = kind.conversation_id == conversation
    return same


def _open_tickets(conversation: str) -> sa.Select[TicketRow]:
    return sa.select(TicketRow).where(_is(TicketRow, conversation), TicketRow.state != "closed")


def _locked(session: Session, conversation: str) -> ConversationRow:
    """Return a conversation that nobody else writes to until the transaction ends."""
    row = session.get(ConversationRow, conversation, with_for_update=True)
    if row is None:
        raise _no_conversation()
    return row


def _ticket_and_conversation(session: Session, ticket_id: str) -> tuple[TicketRow, ConversationRow]:
    ticket = session.get(TicketRow, ticket_id)
    if ticket is None:
        raise _no_ticket()
    row = _locked(session, ticket.conversation_id)
    session.refresh(ticket)
    return ticket, row


def _ticket(row: TicketRow, user_id: str) -> Ticket:
    return Ticket(
        ticket_id=row.ticket_id,
        conversation_id=row.conversation_id,
        user_id=user_id,
        summary=row.summary,
        mood=row.mood,
        tried=tuple(row.tried),
        state=row.state,
        staff=row.staff,
        opened_at=_utc(row.opened_at),
        taken_at=None if row.taken_at is None else _utc(row.taken_at),
        closed_at=None if row.closed_at is None else _utc(row.closed_at),
    )


def _no_conversation() -> NoSuchRecord:
    return NoSuchRecord("There is no such conversation. Begin a new one.")


def _no_ticket() -> NoSuchRecord:
    return NoSuchRecord("There is no such ticket. Open the inbox again to see those that wait.")


def _mood(mood: str) -> Mood:
    return mood if mood in get_args(Mood) else "calm"  # type: ignore[return-value]


def _kept(text: str) -> str:
    """Return a text as it is stored: masked, without NUL (which Postgres refuses), and of a bounded length."""
    return masked(text.replace("\x00", ""))[:LONGEST_TEXT]


def _now() -> dt.datetime:
    """Return the moment in UTC, without a zone, as both databases keep it."""
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)


def _utc(moment: dt.datetime) -> dt.datetime:
    return moment.replace(tzinfo=dt.UTC)
