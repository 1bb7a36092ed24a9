"""API keys: made by a command, shown once, kept as hashes."""

from __future__ import annotations

import hashlib
import re
import secrets
import time

import sqlalchemy as sa

from storewise.agent.job_store import JobStore
from storewise.agent.job_tables import keys

_FORM = re.compile(r"sw_([0-9a-f]{10})_[A-Za-z0-9_-]{43}")


def create(store: JobStore, name: str) -> str:
    """Make a key called `name` and return it; it cannot be shown again.

    It holds 256 random bits, so that a plain SHA-256 keeps it as well as a slow hash keeps a password.
    """
    key_id = secrets.token_hex(5)
    key = f"sw_{key_id}_{secrets.token_urlsafe(32)}"
    row = {"key_id": key_id, "name": name, "hash": _hash(key), "created_at": time.time()}
    store.write(keys.insert().values(row))
    return key


def check(store: JobStore, presented: str) -> str | None:
    """Return the id of a key that is valid, None for any other text."""
    found = _FORM.fullmatch(presented)
    row = store.one(sa.select(keys).where(keys.c.key_id == found.group(1))) if found else None
    known = row["hash"] if row is not None and row["revoked_at"] is None else _hash("nothing")
    return row["key_id"] if secrets.compare_digest(known, _hash(presented)) and row is not None else None


def listed(store: JobStore) -> list[sa.RowMapping]:
    """Return all keys' ids, names and times, the oldest first."""
    return store.rows(sa.select(keys).order_by(keys.c.created_at))


def revoke(store: JobStore, key_id: str) -> bool:
    """End a key; say whether there was such a one in use."""
    of = keys.c.key_id == key_id, keys.c.revoked_at.is_(None)
    return store.write(keys.update().where(*of).values(revoked_at=time.time())) > 0


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
