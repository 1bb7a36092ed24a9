"""Protects erasing: no trace of the person in any file of the home, the books whole, everybody else untouched."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, MessagesState, StateGraph
from made_up import build_shop

from storewise.agent.answer import Answer, Seconds
from storewise.agent.feedback import Feedback
from storewise.tools.desk import erase as erasing
from storewise.tools.desk.erase import ERASED, Erased, erase, find
from storewise.tools.desk.load import load_desk
from storewise.tools.desk.person import Person
from storewise.tools.desk.records import Records
from storewise.tools.desk.store import DeskStore, open_desk
from storewise.tools.desk.tables import Base
from storewise.tools.fit import fit
from storewise.tools.shop.generation import Shop, back, generations, open_shop
from tests.agent.command_line import invoke
from tests.tools.desk.desk_helpers import BEN, content, payments, snapshot, write

ID, NAME, EMAIL = "zora_quill_4711", "Zora Quill", "zora.quill@example.com"
TRACES = (ID, NAME, EMAIL, "Quillstreet 9", "4711", "quill")


def desk_content() -> dict[str, Any]:
    """Return the small desk with its first customer under a name that nothing else contains."""
    said = content()
    person = said["users"][0]
    person |= {"user_id": ID, "first_name": "Zora", "last_name": "Quill", "email": EMAIL}
    person["address"] |= {"address1": "Quillstreet 9"}
    for method in person["payment_methods"]:
        method["payment_method_id"] += "_4711"
    for order in said["orders"]:
        if order["user_id"] == "ann":
            order["user_id"] = ID
            for paid in order["payments"]:
                paid["payment_method_id"] += "_4711"
    return said


def make_shop(home: Path) -> Shop:
    """Build a shop in which the person stands in every table that has customers."""
    people = [ID, *(f"c{n}" for n in range(12))]
    days = pd.date_range("2023-10-01", "2023-12-30", freq="3D")
    orders = pd.DataFrame(
        {
            "order_id": [f"o{n}" for n in range(len(days))],
            "customer_id": [people[n % 13] for n in range(len(days))],
            "product_id": [f"p{n % 4}" for n in range(len(days))],
            "ordered_at": days,
            "quantity": 1.0,
            "amount": 5.0,
        }
    )
    texts = ["The tea is fresh and light.", "Stale coffee, too bitter.", "I like it a lot, quill and all."]
    return build_shop(
        home,
        customers=pd.DataFrame(
            {"customer_id": people, "email": [EMAIL, *(f"{p}@x.org" for p in people[1:])]}
        ),
        products=pd.DataFrame(
            {
                "product_id": [f"p{n}" for n in range(4)],
                "name": [f"Tea {n}" for n in range(4)],
                "category": "Tea",
            }
        ),
        orders=orders,
        events=pd.DataFrame(
            {
                "session_id": ["s1", "s2"],
                "customer_id": [ID, "c1"],
                "event": "view_product",
                "occurred_at": days[:2],
            }
        ),
        reviews=pd.DataFrame(
            {
                "review_id": ["r1", "r2", "r3"],
                "product_id": ["p0", "p1", "p2"],
                "customer_id": ["c1", "c2", ID],
                "text": texts,
            }
        ),
        offers=pd.DataFrame(
            {"offer_id": ["f1", "f2"], "customer_id": [ID, "c3"], "kind": "mail", "sent_at": days[:2]}
        ),
    )


def converse(path: Path, said: dict[str, str]) -> None:
    """Hold conversations, kept as the analyst and the desk keep theirs."""
    connection = sqlite3.connect(path, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    memory = SqliteSaver(connection, serde=JsonPlusSerializer(pickle_fallback=False))
    graph = StateGraph(MessagesState)
    graph.add_node(
        "answer", lambda state: {"messages": [AIMessage(f"You said: {state['messages'][-1].text}")]}
    )
    graph.add_edge(START, "answer")
    graph.add_edge("answer", END)
    compiled = graph.compile(checkpointer=memory)
    for thread, text in said.items():
        compiled.invoke({"messages": [HumanMessage(text)]}, {"configurable": {"thread_id": thread}})
    connection.close()


def threads(path: Path) -> set[str]:
    with sqlite3.connect(path) as connection:
        return {thread for (thread,) in connection.execute("SELECT thread_id FROM checkpoints")}


def talk(records: Records, user: str, text: str) -> str:
    conversation = records.begin(user)
    records.add(conversation, "customer", text)
    records.decide(conversation, {"tool": "find_orders", "decision": "told", "arguments": {"user_id": user}})
    records.open_ticket(conversation, text, "angry", [text])
    return conversation


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[DeskStore]:
    store = open_desk("", tmp_path)
    load_desk(write(tmp_path, desk_content()), store.engine)
    (tmp_path / "desk.json").unlink()
    yield store
    store.close()


def everything_said(home: Path, desk: DeskStore) -> tuple[str, str]:
    """Fill the home with all that names the person; return their conversation and another's that names them."""
    records = Records(desk.engine)
    own = talk(records, ID, f"I am {NAME} of Quillstreet 9, {EMAIL}")
    other = talk(records, BEN, f"please ask {NAME} ({ID}) what they paid")
    converse(home / "desk-conversations.sqlite", {own: f"I am {ID}", other: "where is my order?"})
    asked = {"a1": f"Will customer {ID} stop buying?", "a2": f"who is {EMAIL}", "a3": "How are sales of tea?"}
    converse(home / "conversations.sqlite", asked)
    feedback = Feedback(home)
    answer = Answer(answer=f"{ID} will stay.", seconds=Seconds(total=1, model=0, tools=1))
    feedback.keep("a1", 0, "Will they stop?", answer, "up")
    feedback.keep("a3", 0, "How are sales?", answer.model_copy(update={"answer": "Good."}), "down")
    return own, other


def holding(home: Path) -> list[str]:
    """Return the files of the home that hold a trace, in any spelling."""
    wanted = [form.encode() for text in TRACES for form in (text, text.lower(), text.upper())]
    files = [path for path in home.rglob("*") if path.is_file()]
    return [
        str(path.relative_to(home)) for path in files if any(form in path.read_bytes() for form in wanted)
    ]


def test_no_trace_is_left_in_any_file(tmp_path: Path, desk: DeskStore) -> None:
    first = make_shop(tmp_path)
    fit(first)
    first.close()
    shop = make_shop(tmp_path)
    fit(shop)
    shop.close()
    own, other = everything_said(tmp_path, desk)
    assert len(holding(tmp_path)) >= 4
    found = find(ID, tmp_path, desk.engine)
    assert found.person.told == (EMAIL, NAME)
    done = erase(found, tmp_path, desk.engine, lambda made: fit(made))
    assert holding(tmp_path) == []
    places = dict(done.places)
    for table, number in {"customers": 1, "orders": 3, "events": 1, "reviews": 1, "offers": 1}.items():
        assert places[f"rows of the shop's table {table}"] == number
    assert places["conversations in conversations.sqlite, theirs or with them named"] == 2
    assert places["conversations in desk-conversations.sqlite, theirs or with them named"] == 1
    assert places["answers judged by staff in which they are named"] == 1
    assert places["rows of desk conversations"] == 1 and places["rows of desk messages"] == 1
    assert threads(tmp_path / "conversations.sqlite") == {"a3"}
    assert threads(tmp_path / "desk-conversations.sqlite") == {other}
    assert not any("still names them" in sentence for sentence in done.left)
    assert any("made up" in sentence and "next storewise load" in sentence for sentence in done.left)
    # Everybody else is as before.
    after = open_shop(tmp_path)
    counted = {
        table: len(after.query(f'SELECT * FROM "{table}"'))  # noqa: S608
        for table in after.tables
    }
    assert counted == {"customers": 12, "products": 4, "orders": 28, "events": 1, "reviews": 2, "offers": 1}
    after.close()
    assert len(generations(tmp_path)) == 1
    with pytest.raises(Exception, match="none before it"):
        back(tmp_path)
    records = Records(desk.engine)
    assert records.owner(own) is None
    assert records.messages(other)[0].text == "please ask [customer] ([customer]) what they paid"


@pytest.fixture(params=["sqlite", "postgres"])
def each_desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DeskStore]:
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    store = open_desk(url, tmp_path)
    load_desk(write(tmp_path, desk_content()), store.engine)
    (tmp_path / "desk.json").unlink()
    yield store
    Records(store.engine).erase(BEN)
    store.close()


def test_the_books_of_the_desk_stay_as_nobodys(each_desk: DeskStore, tmp_path: Path) -> None:
    paid = {order: payments(each_desk, order) for order in ("#W1", "#W5", "#W9")}
    before = snapshot(each_desk)
    talk(Records(each_desk.engine), ID, "hello")
    done = _erased(each_desk, tmp_path)
    after = snapshot(each_desk)
    for table in ("desk_orders", "desk_order_items", "desk_payments", "desk_products", "desk_variants"):
        assert len(after[table]) == len(before[table])
    for order, was in paid.items():
        now = payments(each_desk, order)
        assert [(kind, cents) for kind, cents, _ in now] == [(kind, cents) for kind, cents, _ in was]
    assert payments(each_desk, "#W9") == paid["#W9"]  # another customer's
    assert not any(text in repr(after) for text in TRACES)
    nobodies = [row for row in after["desk_users"] if ERASED in row[0]]
    assert len(nobodies) == 1 and nobodies[0][1:3] == ("''", "''")
    assert dict(done.places)["customers of the desk: name, e-mail, address"] == 1
    with each_desk.reading(BEN) as view:
        assert view is not None
    again = _erased(each_desk, tmp_path)
    assert not any(number for _, number in again.places)
    if each_desk.engine.dialect.name == "postgresql":
        assert any("write-ahead log" in sentence for sentence in done.left)


def _erased(store: DeskStore, home: Path) -> Erased:
    return erase(find(ID, home, store.engine), home, store.engine, lambda shop: None)


def test_checkpoints_in_postgres_go_with_their_conversation(postgres_url: str, tmp_path: Path) -> None:
    store = open_desk(postgres_url, tmp_path)
    load_desk(write(tmp_path, desk_content()), store.engine)
    records = Records(store.engine)
    own, other = talk(records, ID, "hello"), talk(records, BEN, "hello")
    saved = [
        sa.table(name, sa.column("thread_id"))
        for name in ("checkpoints", "checkpoint_writes", "checkpoint_blobs")
    ]
    with store.engine.begin() as connection:
        for table in saved:
            connection.exec_driver_sql(
                f"CREATE TABLE IF NOT EXISTS {table.name} (thread_id text, blob bytea)"
            )
            connection.execute(table.insert(), [{"thread_id": own}, {"thread_id": other}])
    done = _erased(store, tmp_path)
    assert dict(done.places)["conversations in LangGraph's checkpoints"] == 1
    with store.engine.begin() as connection:
        for table in saved:
            assert connection.scalars(sa.select(table.c.thread_id)).all() == [other]
            connection.exec_driver_sql(f"DROP TABLE {table.name}")
    records.erase(BEN)
    store.close()


def test_what_still_names_them_is_told(tmp_path: Path, desk: DeskStore) -> None:
    (tmp_path / "uploads").mkdir()
    (tmp_path / "uploads" / "reviews.csv").write_text(f"customer_id,text\n{ID},good\n")
    done = _erased(desk, tmp_path)
    assert "The file uploads/reviews.csv still names them" in " ".join(done.left)
    assert "Erased:" in done.text() and "What this cannot reach:" in done.text()


def test_a_file_in_use_is_told_instead_of_failing(
    tmp_path: Path, desk: DeskStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything_said(tmp_path, desk)
    monkeypatch.setattr(erasing, "PATIENCE", 0.1)
    reader = sqlite3.connect(tmp_path / "conversations.sqlite", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM checkpoints").fetchone()
    done = _erased(desk, tmp_path)
    reader.close()
    assert any("conversations.sqlite, which another process uses" in sentence for sentence in done.left)
    assert not any("another process uses" in sentence for sentence in _erased(desk, tmp_path).left)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Will customer 900 stop buying?", True),
        ("customers 1228 and 900", True),
        ('{"customer_id": "900"}', True),
        ("we sold 900 pieces for $900", False),
        ("customer 9001", False),
        ("Ask ZORA  QUILL", True),
        ("zora.quill@example.com.", True),
        ("Zora bought a quill", False),
    ],
)
def test_who_is_named(text: str, named: bool) -> None:
    person = Person("900", (EMAIL, NAME))
    assert person.named_in(text) is named
    assert person.named_in(text.encode()) is named


def test_the_command_asks_first_and_tells_what_it_did(tmp_path: Path, desk: DeskStore) -> None:
    everything_said(tmp_path, desk)
    desk.close()
    before = holding(tmp_path)
    asked = invoke(tmp_path, "erase", ID, typed="n\n")
    assert asked.exit_code == 1 and "It cannot be undone." in asked.output and "Traceback" not in asked.output
    assert holding(tmp_path) == before
    done = invoke(tmp_path, "erase", ID, "--yes")
    assert done.exit_code == 0, done.output
    assert "customers of the desk: name, e-mail, address" in done.output
    assert "3 orders of these are not delivered yet" in done.output
    assert "($15.10) is lost" in done.output
    assert holding(tmp_path) == []
    nobody = invoke(tmp_path / "empty", "erase", "nobody_at_all_1", "--yes")
    assert nobody.exit_code == 0 and "Nothing was there to erase." in nobody.output


def test_nothing_is_lost_where_the_shop_cannot_be_built(tmp_path: Path, desk: DeskStore) -> None:
    make_shop(tmp_path).close()
    own, _ = everything_said(tmp_path, desk)

    def fail(shop: Shop) -> None:
        raise RuntimeError("no disk")

    with pytest.raises(RuntimeError):
        erase(find(ID, tmp_path, desk.engine), tmp_path, desk.engine, fail)
    assert generations(tmp_path) == ("0001",)
    assert Records(desk.engine).owner(own) == ID
    assert Base.metadata.tables  # the desk is still there for the next try
    erase(find(ID, tmp_path, desk.engine), tmp_path, desk.engine, lambda shop: None)
    assert holding(tmp_path) == []
