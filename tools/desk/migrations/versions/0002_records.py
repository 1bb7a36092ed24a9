"""What happens at the desk: conversations, messages, decisions, wishes, tickets, feedback."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision: str | None = "0001"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "desk_conversations",
        sa.Column("conversation_id", sa.String(length=100), nullable=False),
        sa.Column("user_id", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("begun_at", sa.DateTime(), nullable=False),
        sa.Column("last_at", sa.DateTime(), nullable=False),
        sa.CheckConstraint(
            "state IN ('desk', 'waiting', 'person', 'closed')", name=op.f("ck_desk_conversations_state")
        ),
        sa.PrimaryKeyConstraint("conversation_id", name=op.f("pk_desk_conversations")),
    )
    op.create_index(op.f("ix_desk_conversations_user_id"), "desk_conversations", ["user_id"])
    op.create_index(op.f("ix_desk_conversations_last_at"), "desk_conversations", ["last_at"])
    op.create_table(
        "desk_messages",
        *_numbered("desk_messages"),
        sa.Column("who", sa.String(length=40), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=True),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.CheckConstraint("who IN ('customer', 'desk', 'staff')", name=op.f("ck_desk_messages_who")),
    )
    op.create_table(
        "desk_decisions",
        *_numbered("desk_decisions"),
        sa.Column("message", sa.Integer(), nullable=False),
        sa.Column("tool", sa.String(length=100), nullable=False),
        sa.Column("arguments", sa.JSON(), nullable=False),
        sa.Column("decision", sa.String(length=40), nullable=False),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(), nullable=False),
    )
    op.create_index(op.f("ix_desk_decisions_at"), "desk_decisions", ["at"])
    op.create_table(
        "desk_wishes",
        *_numbered("desk_wishes"),
        sa.Column("wish", sa.String(length=100), nullable=False),
        sa.Column("mood", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.CheckConstraint("mood IN ('calm', 'annoyed', 'angry')", name=op.f("ck_desk_wishes_mood")),
    )
    op.create_index(op.f("ix_desk_wishes_at"), "desk_wishes", ["at"])
    op.create_table(
        "desk_tickets",
        sa.Column("ticket_id", sa.String(length=100), nullable=False),
        sa.Column("conversation_id", sa.String(length=100), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("mood", sa.String(length=40), nullable=False),
        sa.Column("tried", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("staff", sa.String(length=200), nullable=True),
        sa.Column("opened_at", sa.DateTime(), nullable=False),
        sa.Column("taken_at", sa.DateTime(), nullable=True),
        sa.Column("closed_at", sa.DateTime(), nullable=True),
        sa.CheckConstraint("mood IN ('calm', 'annoyed', 'angry')", name=op.f("ck_desk_tickets_mood")),
        sa.CheckConstraint("state IN ('waiting', 'taken', 'closed')", name=op.f("ck_desk_tickets_state")),
        _of_conversation("desk_tickets"),
        sa.PrimaryKeyConstraint("ticket_id", name=op.f("pk_desk_tickets")),
    )
    op.create_index(op.f("ix_desk_tickets_conversation_id"), "desk_tickets", ["conversation_id"])
    op.create_index(op.f("ix_desk_tickets_state"), "desk_tickets", ["state"])
    op.create_table(
        "desk_feedback",
        *_numbered("desk_feedback"),
        sa.Column("thumb", sa.String(length=40), nullable=False),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.CheckConstraint("thumb IN ('up', 'down')", name=op.f("ck_desk_feedback_thumb")),
    )


def downgrade() -> None:
    """Remove the tables."""
    for table in ("feedback", "tickets", "wishes", "decisions", "messages", "conversations"):
        op.drop_table(f"desk_{table}")


def _of_conversation(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["conversation_id"],
        ["desk_conversations.conversation_id"],
        name=op.f(f"fk_{table}_conversation_id"),
    )


def _numbered(table: str) -> list[sa.schema.SchemaItem]:
    """Return the columns of what is numbered within a conversation."""
    return [
        sa.Column("conversation_id", sa.String(length=100), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        _of_conversation(table),
        sa.PrimaryKeyConstraint("conversation_id", "number", name=op.f(f"pk_{table}")),
    ]
