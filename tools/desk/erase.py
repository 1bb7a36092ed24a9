"""Erasing a customer everywhere: the desk, its records and conversations, the shop, what the analyst was told of them.

The books stay whole: the customer's orders at the desk keep what was bought, paid and refunded, but belong to a
customer without a name. Everything else that names the person is removed, and what could not be is told.
"""

from __future__ import annotations

import mmap
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storewise.tools.desk.person import Person
from storewise.tools.desk.record_tables import RECORD_TABLES, ConversationRow
from storewise.tools.desk.records import Records
from storewise.tools.desk.store import reached, writing_engine
from storewise.tools.desk.tables import Base, Order, OrderItem, Payment, PaymentMethod, Shipment, User
from storewise.tools.models.wording import count
from storewise.tools.shop.generation import NoShop, Shop, generations, open_shop, remove_before_current
from storewise.tools.shop.without import rebuild_without, rows_of, told_of

ERASED = "erased-"  # how the id of a customer without a name begins
PATIENCE = 30.0  # seconds for which a file in use is waited for
_ADDRESS = ("address1", "address2", "city", "state", "zip", "country")
_OPEN = ("pending", "pending (item modified)", "processed")
_CHECKPOINTS = ("checkpoints", "writes", "checkpoint_writes", "checkpoint_blobs")  # LangGraph's
_UNSEARCHED = frozenset({"models"})  # weights, which name nobody

Say = Callable[[str], None]


@dataclass(frozen=True)
class Found:
    """What there is of a customer.

    Attributes:
        orders: at the desk; `open_orders` are those not delivered yet.
        gift_cents: what is left on their gift cards, which is lost with them.
        rows: rows of the shop's tables, by table.
    """

    person: Person
    at_desk: bool
    orders: int
    open_orders: int
    gift_cents: int
    conversations: tuple[str, ...]
    rows: dict[str, int]

    def __bool__(self) -> bool:
        return self.at_desk or bool(self.conversations) or bool(self.rows)


@dataclass(frozen=True)
class Erased:
    """What was erased, by place, and sentences about what could not be reached."""

    places: tuple[tuple[str, int], ...]
    left: tuple[str, ...]

    def text(self) -> str:
        """Return it as lines for a person."""
        lines = [f"  {number:>7,}  {place}" for place, number in self.places if number]
        return "\n".join(
            [
                "Erased:" if lines else "Nothing was there to erase.",
                *lines,
                *(["What this cannot reach:"] if self.left else []),
                *(f"  - {sentence}" for sentence in self.left),
            ]
        )


def find(customer_id: str, home: Path, engine: sa.Engine | None) -> Found:
    """Look up what there is of a customer at the desk (`engine`, None without one) and in the shop of `home`."""
    told: list[str] = []
    at_desk, orders, still_open, gift = False, 0, 0, 0
    conversations: list[str] = []
    if engine is not None:
        with reached(), Session(engine) as session:
            user = session.get(User, customer_id)
            if user is not None:
                at_desk = True
                told += [user.email, f"{user.first_name} {user.last_name}".strip()]
                gift = sum(method.balance or 0 for method in user.methods)
            states = list(session.scalars(sa.select(Order.status).where(Order.user_id == customer_id)))
            orders, still_open = len(states), sum(state in _OPEN for state in states)
            own = sa.select(ConversationRow.conversation_id).where(ConversationRow.user_id == customer_id)
            conversations = list(session.scalars(own))
    rows: dict[str, int] = {}
    try:
        shop = open_shop(home)
    except NoShop:
        pass
    else:
        rows = rows_of(shop, customer_id)
        told += told_of(shop, customer_id) if rows else ()
        shop.close()
    person = Person(customer_id, tuple(dict.fromkeys(text for text in told if text)))
    return Found(person, at_desk, orders, still_open, gift, tuple(conversations), rows)


def erase(
    found: Found,
    home: Path,
    engine: sa.Engine | None,
    fit: Callable[[Shop], object],
    say: Say = lambda sentence: None,
) -> Erased:
    """Erase a customer everywhere; interrupted, the same command goes on.

    Args:
        found: what `find` found.
        fit: trains the models of the shop without them, and indexes its reviews.
        say: receives a sentence a step.
    """
    person = found.person
    places: dict[str, int] = {}
    left: list[str] = []
    if found.rows:
        say("Building the shop without them, with its models and index; this takes as long as a load")
        for table, number in rebuild_without(person.customer_id, home, fit).items():
            places[f"rows of the shop's table {table}"] = number
        left += _of_the_source(home, found)
    if len(generations(home)) > 1 and (found.rows or _in_older(home, person)):
        names = remove_before_current(home)
        places["older generations of the shop, in which they stood (storewise back cannot return there)"] = (
            len(names)
        )
    say("Conversations, records and feedback")
    settled: list[Path] = []
    for path in sorted(home.glob("*.sqlite")):
        if _has_conversations(path):
            settled.append(path)
            places |= _from_sqlite(path, person, found.conversations)
    if found.at_desk:
        left.append(
            "The file that the desk was loaded from: the next storewise load --desk brings back whom it has."
        )
    if engine is not None:
        places |= _from_desk(engine, found)
        if engine.dialect.name == "sqlite":
            settled.append(Path(str(engine.url.database)))
        else:
            left += _postgres_settled(engine)
    say("Looking for traces")
    left += _vacuumed(settled)
    left += _traces(home, person)
    if any(places.values()):
        left.append(
            "Backups, exported files, downloads and what a page or an API that is running holds in its memory: "
            "restart those that run, and remove the person from files of your own."
        )
    return Erased(tuple(places.items()), tuple(dict.fromkeys(left)))


# The shop


def _of_the_source(home: Path, found: Found) -> Iterator[str]:
    shop = open_shop(home)
    source = shop.manifest["source"]
    shop.close()
    yield (
        f"The data that the shop was loaded from ({source}) still have customer {found.person.customer_id}: "
        "remove them there, or the next storewise load brings them back."
    )
    yield "The adapter of the language model, if you tuned it on this shop: storewise tune makes it anew."


def _in_older(home: Path, person: Person) -> bool:
    """Say whether a generation before the current one has rows of the customer."""
    for name in generations(home)[1:]:
        try:
            shop = Shop(home / "generations" / name)
        except (OSError, ValueError, KeyError):
            return True  # what cannot be read cannot be shown to be clean
        try:
            if rows_of(shop, person.customer_id):
                return True
        finally:
            shop.close()
    return False


# SQLite files of the home


def _from_sqlite(path: Path, person: Person, conversations: Sequence[str]) -> dict[str, int]:
    """Remove a customer from LangGraph's checkpoints and from feedback; return the counts, by place."""
    gone: dict[str, int] = {}
    with closing(sqlite3.connect(path, timeout=PATIENCE)) as connection, connection:
        connection.execute("PRAGMA secure_delete=ON")
        tables = _tables(connection)
        kept = [table for table in _CHECKPOINTS if table in tables]
        if kept:
            threads = _threads(connection, kept, person) | _those_of(connection, kept, conversations)
            for table in kept:
                connection.executemany(
                    f"DELETE FROM {table} WHERE thread_id = ?",  # noqa: S608 - names of ours
                    [(thread,) for thread in threads],
                )
            if threads:
                gone[f"conversations in {path.name}, theirs or with them named"] = len(threads)
        if "feedback" in tables:
            rows = connection.execute("SELECT rowid, question, answer, correction FROM feedback").fetchall()
            named = [(row[0],) for row in rows if any(person.named_in(text) for text in row[1:])]
            connection.executemany("DELETE FROM feedback WHERE rowid = ?", named)
            if named:
                gone["answers judged by staff in which they are named"] = len(named)
    return gone


def _has_conversations(path: Path) -> bool:
    with closing(sqlite3.connect(path, timeout=PATIENCE)) as connection:
        return not _tables(connection).isdisjoint((*_CHECKPOINTS, "feedback"))


def _tables(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def _those_of(
    connection: sqlite3.Connection, tables: Sequence[str], conversations: Sequence[str]
) -> set[str]:
    return {
        thread
        for table in tables
        for conversation in conversations
        for (thread,) in connection.execute(
            f"SELECT DISTINCT thread_id FROM {table} WHERE thread_id = ?",  # noqa: S608
            (conversation,),
        )
    }


def _threads(connection: sqlite3.Connection, tables: Sequence[str], person: Person) -> set[str]:
    """Return the threads in whose checkpoints the customer is named."""
    threads: set[str] = set()
    for table in tables:
        columns = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
        for column in columns & {"checkpoint", "metadata", "value", "blob"}:
            rows = connection.execute(f"SELECT thread_id, {column} FROM {table}")  # noqa: S608
            threads |= {thread for thread, kept in rows if thread not in threads and person.named_in(kept)}
    return threads


def _vacuumed(paths: Sequence[Path]) -> Iterator[str]:
    """Rewrite SQLite files, so that nothing erased stays in their free pages or beside them."""
    for path in paths:
        try:
            with closing(sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)) as connection:
                # Without it, new pages may hold bytes of old ones where they are empty.
                connection.execute("PRAGMA secure_delete=ON")
                connection.execute("VACUUM")
                busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        except sqlite3.OperationalError:
            busy = 1
        if busy:
            yield (
                f"Freed space of {path.name}, which another process uses: end storewise, then run the same "
                "command again."
            )


# The desk


def _from_desk(engine: sa.Engine, found: Found) -> dict[str, int]:
    person = found.person
    places: dict[str, int] = {}
    with reached(), Session(writing_engine(engine)) as session, session.begin():
        if engine.dialect.name == "postgresql":
            places |= _postgres_checkpoints(session, found.conversations, person)
        named = _unnamed(session, person)
        places["records of other conversations in which they were named"] = named
        if found.at_desk:
            places |= _nameless(session, person.customer_id)
    # Last, since the conversations' ids are needed until everything that hangs on them is gone.
    erased = Records(engine).erase(person.customer_id)
    return places | {f"rows of {table.replace('_', ' ')}": number for table, number in erased.items()}


def _nameless(session: Session, customer_id: str) -> dict[str, int]:
    """Give a customer's orders to a new one without a name, and remove the customer."""
    nobody = ERASED + secrets.token_hex(6)
    blank = dict.fromkeys(_ADDRESS, "")
    orders = list(
        session.scalars(sa.select(Order.order_id).where(Order.user_id == customer_id).with_for_update())
    )
    methods = list(session.scalars(sa.select(PaymentMethod).where(PaymentMethod.user_id == customer_id)))
    if orders:
        session.execute(
            sa.insert(Base.metadata.tables[User.__tablename__]).values(
                user_id=nobody, first_name="", last_name="", email=nobody, **blank
            )
        )
    for number, method in enumerate(methods, 1):
        new = f"{nobody}-{number}"
        used = sa.select(sa.literal(1)).where(
            sa.or_(
                sa.exists().where(Payment.method_id == method.method_id),
                sa.exists().where(Order.request_method_id == method.method_id),
            )
        )
        if orders and session.scalar(used):
            balance = 0 if method.kind == "gift_card" else None
            session.add(PaymentMethod(method_id=new, user_id=nobody, kind=method.kind, balance=balance))
            session.flush()
            session.execute(
                sa.update(Payment).where(Payment.method_id == method.method_id).values(method_id=new)
            )
            asked = Order.request_method_id == method.method_id
            session.execute(sa.update(Order).where(asked).values(request_method_id=new))
    table = Base.metadata.tables[Order.__tablename__]
    session.execute(
        sa.update(table)
        .where(table.c.user_id == customer_id)
        .values(user_id=nobody, version=table.c.version + 1, **blank)
    )
    sent = session.execute(sa.update(Shipment).where(Shipment.order_id.in_(orders)).values(tracking_ids=[]))
    session.execute(sa.delete(PaymentMethod).where(PaymentMethod.user_id == customer_id))
    session.execute(sa.delete(User).where(User.user_id == customer_id))
    lines = sa.select(sa.func.count()).select_from(OrderItem).where(OrderItem.order_id.in_(orders))
    return {
        "customers of the desk: name, e-mail, address": 1,
        "payment methods of the desk": len(methods),
        "orders of the desk whose owner, address and payment method are unknown now": len(orders),
        "order items of the desk kept for the books, as nobody's": session.scalar(lines) or 0,
        "shipments whose tracking numbers are gone": int(getattr(sent, "rowcount", 0)),
    }


def _unnamed(session: Session, person: Person) -> int:
    """Take the customer's name out of what was said in other customers' conversations; return the rows changed."""
    changed = 0
    for table in RECORD_TABLES:
        texts = [c for c in table.columns if isinstance(c.type, sa.Text | sa.JSON) or c.name == "staff"]
        if not texts:
            continue
        near = sa.or_(
            *(
                sa.cast(c, sa.Text).icontains(text, autoescape=True)
                for c in texts
                for text in person.spellings()
            )
        )
        for row in session.execute(sa.select(table).where(near)).mappings():
            new = {c.name: person.without(row[c.name]) for c in texts if row[c.name] is not None}
            new = {name: value for name, value in new.items() if value != row[name]}
            if new:
                key = [column == row[column.name] for column in table.primary_key]
                session.execute(table.update().where(*key).values(**new))
                changed += 1
    return changed


# Postgres


def _postgres_checkpoints(session: Session, conversations: Sequence[str], person: Person) -> dict[str, int]:
    """Remove LangGraph's checkpoints of the customer's conversations, where they lie beside the desk."""
    there = set(sa.inspect(session.connection()).get_table_names())
    threads: set[str] = set()
    for name in (name for name in _CHECKPOINTS if name in there):
        table = sa.table(name, sa.column("thread_id"))
        own = table.c.thread_id.in_(conversations)
        threads |= set(session.scalars(sa.select(table.c.thread_id).where(own).distinct()))
        session.execute(sa.delete(table).where(own))
    return {"conversations in LangGraph's checkpoints": len(threads)}


def _postgres_settled(engine: sa.Engine) -> Iterator[str]:
    """Have Postgres free the space of what was removed, and say what it keeps by its own rules."""
    settled = engine.execution_options(isolation_level="AUTOCOMMIT")
    names = sorted(Base.metadata.tables)
    try:
        with settled.connect() as connection:
            there = set(sa.inspect(connection).get_table_names())
            for name in [*names, *(name for name in _CHECKPOINTS if name in there)]:
                connection.exec_driver_sql(f'VACUUM "{name}"')
    except sa.exc.DBAPIError:
        yield "Postgres frees the space of removed rows by itself later (autovacuum)."
    yield "Postgres keeps removed rows in its write-ahead log and in backups for as long as it is set to."


# Files


def _traces(home: Path, person: Person) -> Iterator[str]:
    """Name the files of the home in which the customer's id, name or e-mail still stand to the letter."""
    if not person.telling:
        yield (
            f"“{person.customer_id}” is too short to be looked for in files, since it stands for much else: only "
            "where it is said to be a customer's was anything removed."
        )
    needles = [form for text in person.needles for form in _written(text)]
    for path in sorted(home.rglob("*")):
        inside = path.relative_to(home)
        if path.is_symlink() or not path.is_file() or inside.parts[0] in _UNSEARCHED:
            continue
        if _holds(path, needles):
            yield f"The file {inside} still names them; remove it, or the lines in it, if it is not needed."


def _written(text: str) -> set[bytes]:
    return {form.encode() for form in (text, text.casefold(), text.upper(), text.title())}


def _holds(path: Path, needles: Sequence[bytes]) -> bool:
    try:
        with path.open("rb") as file:
            if path.stat().st_size == 0:
                return False
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                return any(content.find(needle) >= 0 for needle in needles)
    except OSError:
        return False


def summary(found: Found) -> str:
    """Return in sentences what would be erased."""
    parts: list[str] = []
    if found.at_desk:
        parts.append("their account at the desk with addresses and payment methods")
    if found.conversations:
        parts.append(count(len(found.conversations), "conversation"))
    parts += [f"{count(number, 'row')} of the shop's {table}" for table, number in found.rows.items()]
    said = f"This erases customer {found.person.customer_id}: {', '.join(parts)}."
    if found.orders:
        said += f" {count(found.orders, 'order')} at the desk stay for the books, as nobody's."
    if found.open_orders:
        said += (
            f" {count(found.open_orders, 'order')} of these are not delivered yet and can then be neither sent nor "
            "refunded to them."
        )
    if found.gift_cents:
        said += f" What is left on their gift cards (${found.gift_cents / 100:,.2f}) is lost."
    if found.rows:
        said += " The shop is built again without them; figures no longer count what they bought."
    return said + " It cannot be undone."
