"""Protects what the desk's page writes: all text escaped, buttons while they can be pressed, no change told twice."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest
from samples import HOSTILE

from storewise.agent.desk.reply import Decision, OrderCard, Proposal, Reply
from storewise.tools.desk.load import load_desk
from storewise.tools.desk.store import DeskStore, open_desk
from storewise.tools.finding import Column, Finding, money_column
from storewise.ui import desk_view as view
from storewise.ui.desk_customers import customers, made_up, name_of
from tests.tools.desk.desk_helpers import ANN, BEN, content, write

CHANGE = Finding(
    tool="cancel_pending_order",
    status="answered",
    headline="Order #W1 will be cancelled.",
    columns=(Column(name="to", label="Refund to", role="text"), money_column("refund", "Refund")),
    rows=((HOSTILE, 100.2),),
)
CARD = OrderCard(
    order_id=HOSTILE, status="pending", items=(HOSTILE,), total="$1.00", goes_to=HOSTILE, tracking=(HOSTILE,)
)


class Read(HTMLParser):
    """Notes the tags and attributes of a page; icons' own use of icons.svg is none."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag != "use":
            self.attributes |= {name for name, _ in attrs}


def html(shown: view.Shown) -> str:
    return "".join(block["html"] for block in view.blocks(shown))


def proposed(text: str = "Order #W1 will be cancelled. Shall I?") -> view.Said:
    waiting = Proposal(proposal_id="p1", tool=CHANGE.tool, finding=CHANGE)
    return view.Said(2, "desk", text, Reply(text=text, proposal=waiting))


def test_nothing_that_was_written_becomes_markup() -> None:
    reply = Reply(
        text=HOSTILE, orders=(CARD,), choices=(HOSTILE,), note=HOSTILE, findings=(CHANGE,), proposal=None
    )
    said = (
        view.Said(1, "customer", HOSTILE + "\u202eturned"),
        view.Said(2, "staff", HOSTILE),
        view.Said(3, "desk", HOSTILE, reply),
    )
    page = html(view.Shown(said=said, problem=HOSTILE, aside=HOSTILE, sent=HOSTILE))
    page += html(view.Shown(doing=HOSTILE, words=HOSTILE)) + html(view.Shown(doing=HOSTILE, name=HOSTILE))
    page += view.who(HOSTILE, HOSTILE) + view.sign_in([], HOSTILE)
    page += view.sign_in([view.Customer(HOSTILE, HOSTILE, HOSTILE)], "")
    read = Read()
    read.feed(page)
    assert not read.tags & {"script", "img", "iframe", "a"}
    assert not [name for name in read.attributes if name.startswith("on") or name in ("href", "src")]
    assert "⟨U+202E⟩" in page


def test_buttons_stand_only_while_the_proposal_waits_and_nothing_runs() -> None:
    asked = (view.Said(1, "customer", "cancel it"), proposed())
    waiting = html(view.Shown(said=asked, pending="p1"))
    assert waiting.count("data-press") == 2 and "disabled" not in waiting and "$100.20" in waiting
    assert html(view.Shown(said=asked, pending="p1", doing="…")).count("disabled") == 2
    assert html(view.Shown(said=asked, pending="p1", pressed={"p1": True})).count("disabled") == 2
    for pressed, answer in (({"p1": True}, "Yes, do it"), ({"p1": False}, "No, leave it"), ({}, "No longer")):
        settled = html(view.Shown(said=asked, pending=None, pressed=pressed))
        assert "data-press" not in settled and answer in settled


def test_short_answers_stand_below_the_last_words_alone() -> None:
    offered = view.Said(1, "desk", "Which?", Reply(text="Which?", choices=("#W1", "#W2")))
    assert html(view.Shown(said=(offered,))).count("data-say") == 2
    for later in (
        view.Shown(said=(offered, view.Said(2, "customer", "#W1"))),
        view.Shown(said=(offered,), doing="reading"),
        view.Shown(said=(offered,), state="person"),
    ):
        assert "data-say" not in html(later)


def test_a_written_change_stands_out_and_its_amounts_are_not_told_again() -> None:
    decided = Decision(number=0, tool=CHANGE.tool, decision="written")
    reply = Reply(text=CHANGE.headline, findings=(CHANGE,), decisions=(decided,))
    page = html(view.Shown(said=(view.Said(1, "desk", reply.text, reply),)))
    assert "Order cancelled" in page and "Refund to" not in page


def test_several_orders_are_told_by_their_cards() -> None:
    one, two = (
        Finding(tool="get_order_details", status="answered", headline=f"Order #W{n} is pending.")
        for n in (1, 2)
    )
    text = f"{one.headline} {two.headline}"
    cards = tuple(CARD.model_copy(update={"order_id": f"#W{n}"}) for n in (1, 2))
    reply = Reply(text=text, findings=(one, two), orders=cards)
    page = html(view.Shown(said=(view.Said(1, "desk", text, reply),)))
    assert "Here are your 2 orders." in page and "is pending" not in page and "Order #W2" in page
    single = Reply(text=one.headline, findings=(one,), orders=cards[:1])
    assert "is pending" in html(view.Shown(said=(view.Said(1, "desk", one.headline, single),)))


def test_the_same_note_is_not_repeated() -> None:
    said = [view.Said(n, "desk", "Yes.", Reply(text="Yes.", note="The model is away.")) for n in (1, 2)]
    said.append(view.Said(3, "desk", "No.", Reply(text="No.", note="The database is away.")))
    page = html(view.Shown(said=said))
    assert page.count("The model is away.") == 1 and page.count("The database is away.") == 1


@pytest.mark.parametrize(
    ("state", "line"),
    [
        ("waiting", "has been called"),
        ("person", "has taken over"),
        ("closed", "has ended"),
        ("desk", "answers again"),
    ],
)
def test_who_answers_now_is_told(state: str, line: str) -> None:
    said = (view.Said(1, "staff", "Hello"), view.Said(2, "customer", "Hello"))
    assert line in html(view.Shown(said=said, state=state))
    assert "answers again" not in html(view.Shown(said=said[1:], state="desk"))


@pytest.fixture
def store(tmp_path: Path) -> DeskStore:
    store = open_desk("", tmp_path)
    load_desk(write(tmp_path, content()), store.engine)
    return store


def test_customers_are_found_by_name_and_id(store: DeskStore) -> None:
    assert [one.user_id for one in customers(store.engine)] == [ANN, BEN]
    (ann,) = customers(store.engine, "LEE ann")
    assert ann.name == "Ann Lee" and ann.orders.startswith("6 orders: 2 ")
    assert [one.user_id for one in customers(store.engine, "ben")] == [BEN]
    for nobody in ("%", "_n", "x" * 10_000, "'; --", "\x00"):
        assert customers(store.engine, nobody) == []
    assert name_of(store.engine, ANN) == "Ann Lee" and name_of(store.engine, "nobody") == ""


def test_only_where_all_are_made_up_may_one_choose_whom_to_be(tmp_path: Path) -> None:
    store = open_desk("", tmp_path)
    assert not made_up(store.engine)  # a shop without customers has nobody to be
    load_desk(write(tmp_path, content()), store.engine)
    assert made_up(store.engine)
    shop = content()
    shop["users"][0]["email"] = "ann@example.com.shop.test"
    load_desk(write(tmp_path, shop), store.engine)
    assert not made_up(store.engine)
