"""What happens at the desk as tables: conversations with their messages, decisions, wishes, tickets and feedback.

They hold no address, e-mail, phone or card: all texts are masked before they get here. A conversation points to
its customer by the id alone, without a foreign key, so that it outlives a new load of the shop.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storewise.tools.desk.tables import Base, one_of

Speaker = Literal["customer", "desk", "staff"]
ConversationState = Literal["desk", "waiting", "person", "closed"]
Mood = Literal["calm", "annoyed", "angry"]
TicketState = Literal["waiting", "taken", "closed"]
Thumb = Literal["up", "down"]

_ID = sa.String(100)
_WORD = sa.String(40)


class ConversationRow(Base):
    """A conversation of one customer; `state` says who answers now."""

    __tablename__ = "desk_conversations"
    __table_args__ = (sa.CheckConstraint(one_of("state", ConversationState), "state"),)

    conversation_id: Mapped[str] = mapped_column(_ID, primary_key=True)
    user_id: Mapped[str] = mapped_column(_ID, index=True)
    state: Mapped[ConversationState] = mapped_column(_WORD)
    begun_at: Mapped[dt.datetime] = mapped_column(sa.DateTime())
    last_at: Mapped[dt.datetime] = mapped_column(sa.DateTime(), index=True)


def _conversation() -> Mapped[str]:
    return mapped_column(_ID, sa.ForeignKey(ConversationRow.conversation_id), primary_key=True)


def _number() -> Mapped[int]:
    return mapped_column(primary_key=True, autoincrement=False)


class MessageRow(Base):
    """One thing said, masked; `extra` is what the page shows beside it."""

    __tablename__ = "desk_messages"
    __table_args__ = (sa.CheckConstraint(one_of("who", Speaker), "who"),)

    conversation_id: Mapped[str] = _conversation()
    number: Mapped[int] = _number()
    who: Mapped[Speaker] = mapped_column(_WORD)
    text: Mapped[str] = mapped_column(sa.Text())
    extra: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    at: Mapped[dt.datetime] = mapped_column(sa.DateTime())


class DecisionRow(Base):
    """What the desk did about a thing that was said: the tool, its arguments (masked), and why."""

    __tablename__ = "desk_decisions"

    conversation_id: Mapped[str] = _conversation()
    number: Mapped[int] = _number()
    message: Mapped[int]
    tool: Mapped[str] = mapped_column(sa.String(100))
    arguments: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    decision: Mapped[str] = mapped_column(_WORD)
    why: Mapped[str | None] = mapped_column(sa.Text())
    at: Mapped[dt.datetime] = mapped_column(sa.DateTime(), index=True)


class WishRow(Base):
    """What a customer wanted, in which mood."""

    __tablename__ = "desk_wishes"
    __table_args__ = (sa.CheckConstraint(one_of("mood", Mood), "mood"),)

    conversation_id: Mapped[str] = _conversation()
    number: Mapped[int] = _number()
    wish: Mapped[str] = mapped_column(sa.String(100))
    mood: Mapped[Mood] = mapped_column(_WORD)
    at: Mapped[dt.datetime] = mapped_column(sa.DateTime(), index=True)


class TicketRow(Base):
    """A conversation handed over to a person: why, in which mood, what was tried; and who has it."""

    __tablename__ = "desk_tickets"
    __table_args__ = (
        sa.CheckConstraint(one_of("mood", Mood), "mood"),
        sa.CheckConstraint(one_of("state", TicketState), "state"),
    )

    ticket_id: Mapped[str] = mapped_column(_ID, primary_key=True)
    conversation_id: Mapped[str] = mapped_column(
        _ID, sa.ForeignKey(ConversationRow.conversation_id), index=True
    )
    summary: Mapped[str] = mapped_column(sa.Text())
    mood: Mapped[Mood] = mapped_column(_WORD)
    tried: Mapped[list[str]] = mapped_column(sa.JSON)
    state: Mapped[TicketState] = mapped_column(_WORD, index=True)
    staff: Mapped[str | None] = mapped_column(sa.String(200))
    opened_at: Mapped[dt.datetime] = mapped_column(sa.DateTime())
    taken_at: Mapped[dt.datetime | None] = mapped_column(sa.DateTime())
    closed_at: Mapped[dt.datetime | None] = mapped_column(sa.DateTime())


class FeedbackRow(Base):
    """What a customer thought of one of the desk's messages, and a comment (masked)."""

    __tablename__ = "desk_feedback"
    __table_args__ = (sa.CheckConstraint(one_of("thumb", Thumb), "thumb"),)

    conversation_id: Mapped[str] = _conversation()
    number: Mapped[int] = _number()
    thumb: Mapped[Thumb] = mapped_column(_WORD)
    comment: Mapped[str | None] = mapped_column(sa.Text())
    at: Mapped[dt.datetime] = mapped_column(sa.DateTime())


RECORD_TABLES: tuple[sa.Table, ...] = tuple(
    Base.metadata.tables[row.__tablename__]
    for row in (ConversationRow, MessageRow, DecisionRow, WishRow, TicketRow, FeedbackRow)
)
