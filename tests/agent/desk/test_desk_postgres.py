"""Protects: with Postgres by a setting, any worker carries a conversation on, and a yes is carried out once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from storewise.agent.desk.reply import Replied, Reply
from storewise.agent.desk.service import ServiceDesk
from storewise.agent.settings import Settings
from storewise.tools.desk.load import load_desk
from storewise.tools.desk.records import Records
from storewise.tools.desk.store import open_desk
from tests.postgres import running_postgres
from tests.tools.desk.desk_helpers import ANN, content, payments, value, write


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_postgres() as address:
        store = open_desk(address)
        load_desk(write(tmp_path_factory.mktemp("shop"), content()), store.engine)
        store.close()
        yield address


def _worker(url: str, home: Path) -> ServiceDesk:
    store = open_desk(url)
    settings = Settings(home=home, desk_url=url)
    return ServiceDesk(store, Records(store.engine), settings, lambda: None, lambda: None)


def _said(desk: ServiceDesk, conversation: str, text: str) -> Reply:
    return next(e.reply for e in desk.say(ANN, conversation, text) if isinstance(e, Replied))


def test_another_worker_goes_on_and_of_two_yeses_at_once_one_counts(url: str, tmp_path: Path) -> None:
    first, second = _worker(url, tmp_path / "1"), _worker(url, tmp_path / "2")
    conversation = first.begin(ANN)
    assert "no longer needed" in _said(first, conversation, "please cancel #W6").text
    proposed = _said(second, conversation, "I ordered it by mistake")
    assert proposed.proposal is not None
    assert proposed.proposal == getattr(first.state(ANN, conversation), "proposal", None)
    proposal_id = proposed.proposal.proposal_id
    done: list[str] = []

    def press(desk: ServiceDesk) -> None:
        for event in desk.press(ANN, conversation, proposal_id, True):
            if isinstance(event, Replied):
                done.extend(decision.decision for decision in event.reply.decisions)

    threads = [threading.Thread(target=press, args=(desk,)) for desk in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert value(first.store, "desk_orders", "#W6", "status") == "cancelled"
    assert payments(first.store, "#W6") == [("payment", 1235, "gift_1"), ("refund", 1235, "gift_1")]
    assert "written" in done
    first.close()
    second.close()
