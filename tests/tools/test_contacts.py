"""Protects what the analyst says of the desk's dialogues: right counts, or a plain sentence that there are none."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa
from made_up import MakeShop

from storewise.agent.routing import Router
from storewise.finetune.adapter import SHIPPED
from storewise.tools.desk.record_tables import Mood, WishRow
from storewise.tools.desk.records import Records
from storewise.tools.desk.store import DATABASE, connect
from storewise.tools.registry import analyst_tools
from storewise.tools.shop.generation import Shop
from storewise.tools.shortlist import load_shortlist

TOOL = analyst_tools()["customer_contacts"]
DAY = dt.date(2023, 12, 20)
Tell = Callable[[str, Mood, dt.date], str]


@pytest.fixture
def shop(make_shop: MakeShop) -> Shop:
    return make_shop(products=pd.DataFrame({"product_id": ["p1"], "name": ["Tea"], "category": ["Tea"]}))


@pytest.fixture
def tell(shop: Shop) -> Iterator[Tell]:
    """A function that tells the desk a wish on a day, in a conversation of its own."""
    engine = connect("", shop.path.parents[1])
    records = Records(engine)

    def told(wish: str, mood: Mood, day: dt.date) -> str:
        conversation = records.begin("ann")
        records.add(conversation, "customer", "hello")
        records.wished(conversation, wish, mood)
        moment = dt.datetime.combine(day, dt.time(12))
        with engine.begin() as connection:
            own = WishRow.conversation_id == conversation
            connection.execute(sa.update(WishRow).where(own).values(at=moment))
        return conversation

    yield told
    engine.dispose()


def test_without_a_desk_or_dialogues_it_says_so_and_makes_nothing(shop: Shop) -> None:
    home = shop.path.parents[1]
    said = TOOL.call(shop, {})
    assert said.status == "missing_table" and "no dialogues yet" in said.headline
    assert not (home / DATABASE).exists()
    connect("", home).dispose()
    assert "no dialogues yet" in TOOL.call(shop, {}).headline


def test_wishes_are_ranked_with_their_moods_and_a_trend(shop: Shop, tell: Tell) -> None:
    for day in (0, 1, 2):
        tell("return_delivered_order_items", "calm", DAY - dt.timedelta(days=day))
    tell("return_delivered_order_items", "angry", DAY)
    for day in (8, 9):
        tell("get_order_details", "annoyed", DAY - dt.timedelta(days=day))
    found = TOOL.call(shop, {})
    assert found.rows == (("return items", 4, 4 / 6, 0, 1), ("ask about an order", 2, 2 / 6, 2, 0))
    assert found.headline == (
        "Between 2023-12-11 and 2023-12-20 customers told the service desk 6 wishes; most often they wanted "
        "to return items (4, 66.7 %), then to ask about an order (2, 33.3 %). 3 were told annoyed or angry. "
        "The last 7 days had 4, the 7 days before 2."
    )
    assert len(TOOL.call(shop, {"top": 1}).rows) == 1
    assert TOOL.call(shop, {"by": "none"}).rows == ((6, 2, 1),)


def test_moods_and_weeks_are_counted(shop: Shop, tell: Tell) -> None:
    tell("get_order_details", "annoyed", DAY)
    tell("get_order_details", "calm", DAY - dt.timedelta(days=21))
    moods = TOOL.call(shop, {"by": "mood"})
    assert [row[:2] for row in moods.rows] == [("calm", 1), ("annoyed", 1), ("angry", 0)]
    weeks = TOOL.call(shop, {"by": "week"})
    assert [row[1] for row in weeks.rows] == [1, 0, 0, 1]  # weeks without contacts are told as well
    assert weeks.chart is not None and weeks.chart.kind == "line"


def test_a_wish_told_twice_a_day_in_one_conversation_counts_once_in_its_worst_mood(shop: Shop) -> None:
    engine = connect("", shop.path.parents[1])
    records = Records(engine)
    conversation = records.begin("ann")
    for mood in ("calm", "angry", "annoyed"):
        records.wished(conversation, "find_orders", mood)  # type: ignore[arg-type]
    engine.dispose()
    assert TOOL.call(shop, {}).rows == (("see their orders", 1, 1.0, 0, 1),)


def test_a_period_without_contacts_or_against_time_is_told(shop: Shop, tell: Tell) -> None:
    tell("find_orders", "calm", DAY + dt.timedelta(days=100))
    nobody = TOOL.call(shop, {"start": DAY, "end": DAY})
    assert nobody.status == "answered" and not nobody.rows
    assert "nobody told the service desk a wish" in nobody.headline
    assert nobody.caveat is not None and str(shop.as_of) in nobody.caveat
    refused = TOOL.call(shop, {"start": DAY, "end": DAY - dt.timedelta(days=1)})
    assert refused.status == "refused"
    assert TOOL.call(shop, {"top": 0}).status == "refused"


def test_a_database_that_is_away_is_told(shop: Shop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("STOREWISE_DESK_URL=postgresql://nobody@127.0.0.1:9/none\n")
    said = TOOL.call(shop, {})
    assert said.status == "missing_table" and "does not answer" in said.headline


@pytest.mark.parametrize(
    ("question", "args"),
    [
        ("What do customers contact us about?", {}),
        ("how many contacts did the desk have per week", {"by": "week"}),
    ],
)
def test_it_is_found_without_a_tuning_and_without_a_model(
    shop: Shop, question: str, args: dict[str, str]
) -> None:
    router = Router(shop, analyst_tools(), load_shortlist(SHIPPED), keep=3)
    (call,) = router.calls(router.without_model(router.route(question)))
    assert call.name == "customer_contacts"
    assert args.items() <= call.args.items()
    assert TOOL.call(shop, call.args).headline
