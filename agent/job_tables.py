"""The tables that jobs, keys and workers are kept in."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

meta = sa.MetaData()


def _key(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.String(200), primary_key=True)


jobs = sa.Table(
    "storewise_jobs",
    meta,
    _key("job_id"),
    sa.Column("owner", sa.String(64), nullable=False, index=True),
    sa.Column("request", sa.Text, nullable=False),
    sa.Column("state", sa.String(16), nullable=False, index=True),
    sa.Column("note", sa.Text),
    sa.Column("upload", sa.String(100)),
    sa.Column("lines", sa.Integer),
    sa.Column("recoveries", sa.Integer, nullable=False, default=0),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("started_at", sa.Float),
    sa.Column("finished_at", sa.Float),
)
reviews = sa.Table(
    "storewise_job_reviews",
    meta,
    _key("job_id"),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("review_id", sa.String(200), nullable=False),
    sa.Column("subject", sa.String(200), nullable=False),
    sa.Column("text_hash", sa.String(64), nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.UniqueConstraint("job_id", "review_id"),
    sa.UniqueConstraint("job_id", "subject", "text_hash"),
    sa.Index("storewise_job_reviews_in_order", "job_id", "subject", "number"),
)
lines = sa.Table(
    "storewise_job_lines",
    meta,
    _key("job_id"),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
)
groups = sa.Table(
    "storewise_job_groups",
    meta,
    _key("job_id"),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("subject", sa.String(200), nullable=False),
    sa.Column("label", sa.String(300), nullable=False),
    sa.Column("reviews", sa.Integer, nullable=False),
    sa.Column("parts", sa.Integer, nullable=False),
)
results = sa.Table(
    "storewise_job_results",
    meta,
    _key("job_id"),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("part", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("reviews", sa.Integer, nullable=False),
    sa.Column("summary", sa.Text),
    sa.Column("problem", sa.Text),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("finished_at", sa.Float, nullable=False),
)
phrases = sa.Table(
    "storewise_job_phrases", meta, _key("job_id"), _key("key"), sa.Column("text", sa.Text, nullable=False)
)
replays = sa.Table(
    "storewise_idempotency",
    meta,
    _key("owner"),
    _key("key"),
    sa.Column("fingerprint", sa.String(64), nullable=False),
    sa.Column("job_id", sa.String(64), nullable=False, index=True),
)
workers = sa.Table(
    "storewise_workers",
    meta,
    _key("worker_id"),
    sa.Column("host", sa.String(200), nullable=False),
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("pid_since", sa.Float, nullable=False),
    sa.Column("beat_at", sa.Float, nullable=False),
)
keys = sa.Table(
    "storewise_keys",
    meta,
    _key("key_id"),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("revoked_at", sa.Float),
)
