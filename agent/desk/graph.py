"""The desk's graph: LangChain's `create_agent`, where a change waits for the customer's yes.

The human-in-the-loop middleware carries the confirmation: a call of a tool that writes interrupts the graph,
which keeps its place over a restart, until the customer's answer approves or rejects it.

Two ways of asking a model, told apart by the settings as for the analyst:
- compact: the small model has read what the message does (`understanding`), and the flow decides what follows;
- native: a large model calls the tools itself; every change it asks for is tried by the rules first, and told
  with its amounts before the yes.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from langchain.agents import create_agent
from langchain.agents.middleware import (
    AgentMiddleware,
    AgentState,
    HumanInTheLoopMiddleware,
    ModelCallLimitMiddleware,
    ModelRequest,
    ModelResponse,
    ToolCallLimitMiddleware,
)
from langchain.agents.middleware.human_in_the_loop import InterruptOnConfig
from langchain.tools import ToolRuntime
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, RemoveMessage, ToolMessage
from langchain_core.tools import StructuredTool
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.runtime import Runtime

from storewise.agent.desk import replies
from storewise.agent.desk.flow import Flow, Turn
from storewise.agent.desk.meant import Form
from storewise.agent.desk.things import Things, things_of
from storewise.agent.desk.verbs import says_so
from storewise.agent.desk.wish import SWAPPING
from storewise.agent.graph import GROUNDED, NOTE, GroundingCheck, last_turn
from storewise.tools.calls import WrittenCall
from storewise.tools.desk.acts import HAND_OVER, WISHES
from storewise.tools.desk.registry import DeskTool, Outcome, commit, desk_tools, look_up, propose
from storewise.tools.desk.store import DeskAway, DeskStore
from storewise.tools.finding import Finding
from storewise.tools.registry import ArgumentError

MODEL_CALLS = 8  # a turn of a large model may look several things up
TOOL_CALLS = 10
REMEMBERED = 40  # messages of a conversation that are kept for its next turn
# Keys of a message's additional_kwargs.
FORM, TURN, AGREED = "form", "turn", "agreed"


@dataclass(frozen=True)
class Visit:
    """What the runtime knows of a turn; nothing of it comes from a model.

    Attributes:
        user_id: the signed-in customer.
        text: what the customer wrote.
        acts: what the message does, as it was understood.
        parts: the part of the text that each act is about; none where it is all of it.
        note: where it was understood without a model.
        things: what the customer has, where it was read in this turn.
    """

    user_id: str
    text: str
    acts: tuple[WrittenCall, ...] = ()
    parts: tuple[str, ...] = ()
    note: str | None = None
    things: Things | None = None


def form_of(messages: Sequence[AnyMessage]) -> Form:
    """Return the form as the last message of the desk left it."""
    for message in reversed(messages):
        if isinstance(message, AIMessage) and FORM in message.additional_kwargs:
            return Form.kept(message.additional_kwargs[FORM])
    return Form()


def _call_id() -> str:
    return f"call_{uuid.uuid4().hex}"


class CompactDesk(AgentMiddleware[AgentState[Any], Visit]):
    """Stands in the model's place: what the small model read is carried out by the flow."""

    def __init__(self, flow: Flow, store: DeskStore) -> None:
        super().__init__()
        self._flow = flow
        self._store = store

    def wrap_model_call(
        self, request: ModelRequest[Visit], handler: Callable[[ModelRequest[Visit]], ModelResponse[Any]]
    ) -> ModelResponse[Any]:
        visit = request.runtime.context
        form = form_of(request.messages)
        last = request.messages[-1]
        outcome = _outcome(last)
        things = visit.things
        if things is None or outcome is not None:  # a change makes them others
            with self._store.reading(visit.user_id) as desk:
                things = things_of(desk)
        if isinstance(last, HumanMessage) and (cut_off := outcome_untold(request.messages[:-1])) is not None:
            # The last turn broke off behind the change: it is told now, and the wish is settled.
            settled = form.changed(wishes=form.wishes[1:], asked="nothing")
            turn = Turn(form, said=[cut_off.finding.headline], findings=[cut_off.finding])
            later = self._flow.turn(visit.user_id, settled, things, visit.text, visit.acts, visit.parts)
            return _said(joined(turn, later), visit)
        if isinstance(last, ToolMessage) and last.status == "success":
            if outcome is None:
                return _said(Turn(form.changed(asked="confirmation"), said=[replies.AWAY]), visit)
            turn = self._flow.after(visit.user_id, form, things, outcome)
            done = {outcome.finding.tool, *(SWAPPING if outcome.finding.tool in SWAPPING else ())}
            more = [
                act
                for act in visit.acts
                if act.name in WISHES and act.name not in done and says_so(act.name, visit.text)
            ]
            if more:
                later = self._flow.turn(visit.user_id, turn.form, things, visit.text, more)
                turn = joined(turn, later)
            return _said(turn, visit)
        return _said(self._flow.turn(visit.user_id, form, things, visit.text, visit.acts, visit.parts), visit)


def joined(first: Turn, second: Turn) -> Turn:
    """Return two turns as one: what the first told, then the second."""
    second.said = [*first.said, *(text for text in second.said if text not in first.said)]
    second.findings = [*first.findings, *second.findings]
    decisions = [*first.decisions, *second.decisions]
    second.decisions = [one.model_copy(update={"number": number}) for number, one in enumerate(decisions)]
    second.orders = [*first.orders, *second.orders]
    return second


def _said(turn: Turn, visit: Visit) -> ModelResponse[Any]:
    """Return a turn as the message that the graph goes on with."""
    kept: dict[str, Any] = {
        FORM: turn.form.model_dump(mode="json"),
        TURN: {
            "findings": [finding.model_dump(mode="json") for finding in turn.findings],
            "decisions": [decision.model_dump(mode="json") for decision in turn.decisions],
            "choices": list(turn.choices),
            "orders": [card.model_dump(mode="json") for card in turn.orders],
            "hand_over": turn.hand_over,
        },
        NOTE: visit.note,
        GROUNDED: True,
    }
    text = " ".join(part for part in turn.said if part)
    if turn.call is None:
        return ModelResponse(result=[AIMessage(text, additional_kwargs=kept)])
    tool, arguments, finding = turn.call
    call = {"name": tool, "args": arguments, "id": _call_id(), "type": "tool_call"}
    kept[AGREED] = {call["id"]: finding.model_dump(mode="json")}
    return ModelResponse(result=[AIMessage(text, tool_calls=[call], additional_kwargs=kept)])


def outcome_untold(messages: Sequence[AnyMessage]) -> Outcome | None:
    """Return what became of a change, where the turn broke off before it was told."""
    last = messages[-1] if messages else None
    outcome = _outcome(last) if last is not None else None
    return outcome if outcome is not None and outcome.kind == "done" else None


def _outcome(message: AnyMessage) -> Outcome | None:
    """Return what became of a change, from the message of its tool."""
    if not isinstance(message, ToolMessage) or not message.artifact:
        return None
    artifact = message.artifact
    return Outcome(artifact["kind"], Finding.model_validate(artifact["finding"]), artifact["reason"])


class ShortMemory(AgentMiddleware[AgentState[Any], Visit]):
    """Keeps a conversation's last messages, from a customer's on, so that a long talk stays as quick as a short one."""

    def before_agent(self, state: AgentState[Any], runtime: Runtime[Visit]) -> dict[str, Any] | None:
        messages = state["messages"]
        if len(messages) <= REMEMBERED:
            return None
        recent = range(len(messages) - REMEMBERED, len(messages))
        begin = next((i for i in recent if isinstance(messages[i], HumanMessage)), len(messages) - 1)
        return {"messages": [RemoveMessage(id=str(message.id)) for message in messages[:begin]]}


class NativeDesk(AgentMiddleware[AgentState[Any], Visit]):
    """For a large model: the desk's policy, and one change at a time, tried by the rules first."""

    def __init__(self, store: DeskStore) -> None:
        super().__init__()
        self._store = store

    def wrap_model_call(
        self, request: ModelRequest[Visit], handler: Callable[[ModelRequest[Visit]], ModelResponse[Any]]
    ) -> ModelResponse[Any]:
        messages = _whole_calls(request.messages)
        return handler(request.override(messages=messages, model_settings={"temperature": 0.0}))

    def after_model(self, state: AgentState[Any], runtime: Runtime[Visit]) -> dict[str, Any] | None:
        """Keep one change of those the model asks for, and what it would be, so that the yes is for just that."""
        message = state["messages"][-1]
        if (
            not isinstance(message, AIMessage)
            or not message.tool_calls
            or AGREED in message.additional_kwargs
        ):
            return None
        tools = desk_tools()
        writes = [call for call in message.tool_calls if tools[call["name"]].access == "write"]
        reads = [call for call in message.tool_calls if tools[call["name"]].access != "write"]
        calls = reads or writes[:1]
        agreed: dict[str, Any] = {}
        text = message.content
        if not reads and writes:
            outcome = _proposed(self._store, runtime.context.user_id, writes[0]["name"], writes[0]["args"])
            if outcome is not None and outcome.kind == "proposed":
                agreed = {str(writes[0]["id"]): outcome.finding.model_dump(mode="json")}
                text = f"{outcome.finding.headline} {replies.CONFIRM}"
        kept = message.additional_kwargs | {AGREED: agreed}
        changed = message.model_copy(update={"tool_calls": calls, "additional_kwargs": kept, "content": text})
        return {"messages": [changed]}


def _whole_calls(messages: Sequence[AnyMessage]) -> list[AnyMessage]:
    """Return the messages without calls that were never answered, as a turn that broke off leaves them."""
    answered = {message.tool_call_id for message in messages if isinstance(message, ToolMessage)}
    return [
        message
        for message in messages
        if not isinstance(message, AIMessage) or all(call["id"] in answered for call in message.tool_calls)
    ]


def _proposed(store: DeskStore, user_id: str, name: str, arguments: dict[str, Any]) -> Outcome | None:
    try:
        return propose(store, user_id, name, arguments)
    except ArgumentError:
        return None


def _asks_first(request: Any) -> bool:
    """Say whether a call is a change that waits for a yes; what is refused anyway need not wait."""
    message = request.state["messages"][-1]
    return str(request.tool_call["id"]) in message.additional_kwargs.get(AGREED, {})


def langchain_tool(tool: DeskTool, store: DeskStore) -> StructuredTool:
    """Return a tool of the desk as LangChain runs it, for the customer whom the runtime names."""

    def run(runtime: ToolRuntime[Visit, Any], **arguments: Any) -> tuple[str, dict[str, Any] | None]:
        user_id = runtime.context.user_id
        given = {name: value for name, value in arguments.items() if value is not None}
        try:
            if tool.access == "write":
                outcome = _written(store, user_id, tool.name, given, runtime)
            else:
                outcome = look_up(store, user_id, tool.name, given)
        except ArgumentError as error:
            return f"That call cannot be right: {error}", None
        except DeskAway as away:
            return str(away), None
        artifact = {
            "kind": outcome.kind,
            "reason": outcome.reason,
            "finding": outcome.finding.model_dump(mode="json"),
            "seconds": 0.0,
        }
        return outcome.finding.text(rows=30, columns=20, quotes=10), artifact

    return StructuredTool.from_function(
        func=run,
        name=tool.name,
        description=tool.description,
        args_schema=tool.schema,
        response_format="content_and_artifact",
    )


def _written(
    store: DeskStore, user_id: str, name: str, given: dict[str, Any], runtime: ToolRuntime[Visit, Any]
) -> Outcome:
    """Write what was agreed to; what was not, is only tried, so that its refusal is told."""
    for message in reversed(runtime.state["messages"]):
        agreed = message.additional_kwargs.get(AGREED, {}) if isinstance(message, AIMessage) else {}
        if runtime.tool_call_id in agreed:
            finding = Finding.model_validate(agreed[runtime.tool_call_id])
            return commit(store, user_id, name, given, finding)
    return propose(store, user_id, name, given)


def build_desk_graph(
    model: BaseChatModel,
    compact: bool,
    flow: Flow,
    store: DeskStore,
    memory: BaseCheckpointSaver[Any],
    policy: str,
) -> Any:
    """Return the compiled desk: limits, what stands for the model, the check behind it, and the wait for a yes."""
    tools = desk_tools()
    waits: dict[str, bool | InterruptOnConfig] = {
        name: InterruptOnConfig(
            allowed_decisions=["approve", "reject"], description=replies.CONFIRM, when=_asks_first
        )
        for name, tool in tools.items()
        if tool.access == "write"
    }
    ours: list[AgentMiddleware[Any, Any]] = (
        [CompactDesk(flow, store)] if compact else [GroundingCheck(), NativeDesk(store)]
    )
    middleware: list[AgentMiddleware[Any, Any]] = [
        ShortMemory(),
        # What stands last runs first behind the model: the change is tried before anybody is asked.
        HumanInTheLoopMiddleware(interrupt_on=waits),
        ModelCallLimitMiddleware(run_limit=MODEL_CALLS, exit_behavior="end"),
        ToolCallLimitMiddleware(run_limit=TOOL_CALLS, exit_behavior="continue"),
        *ours,
    ]
    return create_agent(
        model,
        [langchain_tool(tool, store) for tool in tools.values()],
        system_prompt=policy,
        middleware=middleware,
        context_schema=Visit,
        checkpointer=memory,
    )


def turn_of(messages: Sequence[AnyMessage]) -> dict[str, Any]:
    """Return what the last turn carried: findings, decisions, choices, order cards."""
    last = messages[-1] if messages else None
    if isinstance(last, AIMessage) and TURN in last.additional_kwargs:
        return dict(last.additional_kwargs[TURN])
    turn = _since_yes(messages)
    findings = [m.artifact["finding"] for m in turn if isinstance(m, ToolMessage) and m.artifact]
    return {
        "findings": findings,
        "decisions": _decisions(turn, last),
        "choices": [],
        "orders": [],
        "hand_over": None,
    }


def _since_yes(messages: Sequence[AnyMessage]) -> list[AnyMessage]:
    """Return the messages since the customer's last word: a new message, or the answer to a proposal."""
    _, turn = last_turn(messages)
    for place in range(len(turn) - 2, -1, -1):
        message = turn[place]
        if isinstance(message, AIMessage) and message.additional_kwargs.get(AGREED):
            return list(turn[place + 1 :])
    return list(turn)


def _decisions(turn: Sequence[AnyMessage], last: AnyMessage | None) -> list[dict[str, Any]]:
    """Return what a large model's calls came to, as staff read it."""
    names = {"done": "written", "unclear": "asked"}
    made: list[dict[str, Any]] = []
    for message in turn:
        if not isinstance(message, ToolMessage):
            continue
        outcome = _outcome(message)
        if outcome is None:
            said: dict[str, Any] = {"tool": message.name or "", "arguments": {}} | {
                "decision": "declined",
                "why": None,
            }
        else:
            decision = names.get(outcome.kind, outcome.kind)
            finding = outcome.finding
            if finding.tool == HAND_OVER and decision in ("written", "told"):
                decision = "handed over"
            said = {"tool": finding.tool, "arguments": dict(finding.arguments)} | {
                "decision": decision,
                "why": outcome.reason,
            }
        made.append(said)
    for content in (last.additional_kwargs.get(AGREED) or {}).values() if isinstance(last, AIMessage) else ():
        made.append(
            {"tool": content["tool"], "arguments": content["arguments"], "decision": "proposed", "why": None}
        )
    return [one | {"number": number} for number, one in enumerate(made)]
