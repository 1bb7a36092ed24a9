"""Where the desk's conversations wait: LangGraph's checkpoints in SQLite, or in the desk's own Postgres."""

from __future__ import annotations

import sqlite3
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver

from storewise.agent.settings import Settings

FILE = "desk-conversations.sqlite"


def conversation_memory(settings: Settings) -> BaseCheckpointSaver[Any]:
    """Return the store of the conversations' places; messages are kept as msgpack, never pickled."""
    serde = JsonPlusSerializer(pickle_fallback=False)
    if settings.desk_url:
        return _postgres(settings.desk_url, serde)
    settings.home.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(settings.home / FILE, check_same_thread=False, timeout=30)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA secure_delete=ON")
    memory = SqliteSaver(connection, serde=serde)
    memory.setup()
    return memory


def close_memory(memory: BaseCheckpointSaver[Any]) -> None:
    """Close the memory's connection, or its pool of them."""
    if isinstance(memory, SqliteSaver):
        memory.conn.close()
        return
    pool: Any = getattr(memory, "conn", None)
    if pool is not None:
        pool.close()


def forget_older(memory: BaseCheckpointSaver[Any], conversation: str) -> None:
    """Delete a conversation's places but the last: nobody goes back to them, and each holds all its messages."""
    if not isinstance(memory, SqliteSaver):
        return _forget_older_in_postgres(memory, conversation)
    with memory.cursor() as cursor:
        for statement in (
            "DELETE FROM writes WHERE thread_id = ? AND checkpoint_id < "
            "(SELECT MAX(checkpoint_id) FROM checkpoints WHERE thread_id = ?)",
            "DELETE FROM checkpoints WHERE thread_id = ? AND checkpoint_id < "
            "(SELECT MAX(checkpoint_id) FROM checkpoints WHERE thread_id = ?)",
        ):
            cursor.execute(statement, (conversation, conversation))
    return None


def _forget_older_in_postgres(memory: Any, conversation: str) -> None:
    one = {"one": conversation}
    with memory.conn.connection() as connection, connection.transaction():
        for statement in (
            "DELETE FROM checkpoint_writes WHERE thread_id = %(one)s AND checkpoint_id < "
            "(SELECT MAX(checkpoint_id) FROM checkpoints WHERE thread_id = %(one)s)",
            "DELETE FROM checkpoints WHERE thread_id = %(one)s AND checkpoint_id < "
            "(SELECT MAX(checkpoint_id) FROM checkpoints WHERE thread_id = %(one)s)",
            "DELETE FROM checkpoint_blobs b WHERE b.thread_id = %(one)s AND NOT EXISTS (SELECT 1 FROM checkpoints c, "
            "jsonb_each_text(c.checkpoint -> 'channel_versions') v WHERE c.thread_id = b.thread_id "
            "AND v.key = b.channel AND v.value = b.version)",
        ):
            connection.execute(statement, one)


def _postgres(url: str, serde: JsonPlusSerializer) -> BaseCheckpointSaver[Any]:
    from langgraph.checkpoint.postgres import PostgresSaver
    from psycopg.rows import dict_row
    from psycopg_pool import ConnectionPool

    # The saver needs a connection that commits by itself.
    options = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
    pool = ConnectionPool(url, min_size=1, max_size=8, kwargs=options, open=True)
    memory = PostgresSaver(pool, serde=serde)  # type: ignore[arg-type]
    memory.setup()
    return memory
