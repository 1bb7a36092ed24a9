"""The demo's customers for its sign-in page: whom one can be, and what they have ordered.

A shop of one's own signs its customers in itself and hands over a token, so that nobody chooses there.
"""

from __future__ import annotations

from collections import Counter

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storewise.tools.desk.desk import listed
from storewise.tools.desk.tables import Order, User
from storewise.ui.desk_view import Customer

SHOWN = 8
SIGN_INS = 120  # a minute, from one address
_NOBODYS = "@example.com"  # a domain that is reserved, so that nobody real has an address there
_LONGEST = 100  # characters that are looked for


def made_up(engine: sa.Engine) -> bool:
    """Say whether all customers are made up, by their e-mail addresses; only then may one choose whom to be."""
    real = sa.exists().where(~User.email.endswith(_NOBODYS, autoescape=True))
    with Session(engine) as session:
        return not session.scalar(sa.select(real)) and bool(session.scalar(sa.select(sa.exists(User))))


def customers(engine: sa.Engine, said: str = "") -> list[Customer]:
    """Return some customers whose name or id holds what was said; those with orders of most kinds first."""
    words = said[:_LONGEST].split()
    if not all(word.isprintable() for word in words):
        return []
    name = User.first_name + " " + User.last_name + " " + User.user_id
    kinds = sa.func.count(sa.distinct(Order.status))
    wanted = (
        sa.select(User.user_id, User.first_name, User.last_name)
        .outerjoin(Order, Order.user_id == User.user_id)
        .where(*(name.icontains(word, autoescape=True) for word in words))
        .group_by(User.user_id, User.first_name, User.last_name)
        .order_by(kinds.desc(), User.user_id)
        .limit(SHOWN)
    )
    with Session(engine) as session:
        found = session.execute(wanted).all()
        counted = sa.select(Order.user_id, Order.status).where(Order.user_id.in_([row[0] for row in found]))
        states: dict[str, Counter[str]] = {}
        for user_id, status in session.execute(counted):
            states.setdefault(user_id, Counter())[status] += 1
    return [Customer(row[0], f"{row[1]} {row[2]}", _told(states.get(row[0], Counter()))) for row in found]


def name_of(engine: sa.Engine, user_id: str) -> str:
    """Return a customer's first and last name; empty if the shop does not know them (any more)."""
    with Session(engine) as session:
        user = session.get(User, user_id)
        return f"{user.first_name} {user.last_name}" if user is not None else ""


def _told(states: Counter[str]) -> str:
    if not states:
        return "no orders"
    total = sum(states.values())
    parts = [f"{count} {status}" for status, count in states.most_common()]
    return f"{total} order{'' if total == 1 else 's'}: {listed(parts)}"
