"""The analyst's graph: LangChain's `create_agent` with a shortlist before the model and a check behind it.

Two ways of asking a model, told apart by the settings:
- compact, for the small tuned model: the call is written in the short syntax under a grammar, and each
  finding is then phrased in a request of its own, which holds nothing else;
- native, for a large model: the shortlisted tools go along as schemas and the model calls them itself.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from langchain.agents import create_agent
from langchain.agents.middleware import (
    AgentMiddleware,
    AgentState,
    ModelCallLimitMiddleware,
    ModelRequest,
    ModelResponse,
    ToolCallLimitMiddleware,
)
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import StructuredTool
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.runtime import Runtime
from openai import OpenAIError

from storewise.agent.answer import Call
from storewise.agent.grounding import check
from storewise.agent.routing import Before, Routed, Router, written_text
from storewise.prompts import prompt
from storewise.tools.calls import CallSyntaxError, WrittenCall, read_calls
from storewise.tools.finding import Finding
from storewise.tools.registry import ArgumentError, Tool
from storewise.tools.shop.generation import Shop
from storewise.tools.shortlist import NONE

logger = logging.getLogger(__name__)

MODEL_CALLS = 4  # a turn: call, answer, and room for a large model's second thought
TOOL_CALLS = 4
CALL_TOKENS = 96
ANSWER_TOKENS = 90
ENGINE_DOWN = "The language model did not answer: the shortlist chose the tool, and the findings speak."
CHECK_FAILED = "The model's wording did not pass the check, so the findings' own sentences are shown."
# Keys of a message's additional_kwargs.
NOTE, WRITTEN, PHRASED, GROUNDED = "note", "written", "phrased_by", "grounded"


def findings_of(messages: Sequence[AnyMessage]) -> list[Finding]:
    """Return the findings that these messages carry, in order."""
    return [
        Finding.model_validate(message.artifact["finding"])
        for message in messages
        if isinstance(message, ToolMessage) and message.artifact is not None
    ]


def last_turn(messages: Sequence[AnyMessage]) -> tuple[list[AnyMessage], list[AnyMessage]]:
    """Return (the messages before the last question, the last question and what followed)."""
    start = max((i for i, message in enumerate(messages) if isinstance(message, HumanMessage)), default=0)
    return list(messages[:start]), list(messages[start:])


def own_sentences(findings: Sequence[Finding]) -> str:
    """Return the findings' own sentences, once each."""
    return " ".join(dict.fromkeys(finding.headline for finding in findings))


def _before(messages: Sequence[AnyMessage]) -> Before | None:
    """Return the turn before as the router reads it, None where there is none with a call."""
    _, turn = last_turn(messages)
    for message in turn:
        if isinstance(message, AIMessage) and (written := message.additional_kwargs.get(WRITTEN)):
            if written.startswith(f"{NONE}("):
                return None
            return Before(str(turn[0].text), written)
    return None


class CompactCalls(AgentMiddleware[AgentState[Any], None]):
    """Shortlist, short call syntax under a grammar, and one request a finding for the phrasing."""

    def __init__(self, router: Router) -> None:
        super().__init__()
        self._router = router

    def wrap_model_call(
        self, request: ModelRequest[None], handler: Callable[[ModelRequest[None]], ModelResponse[Any]]
    ) -> ModelResponse[Any]:
        earlier, turn = last_turn(request.messages)
        if any(isinstance(message, ToolMessage) for message in turn):
            return self._answer(request, handler, turn)
        return self._call(request, handler, str(turn[0].text), earlier)

    def _call(
        self,
        request: ModelRequest[None],
        handler: Callable[[ModelRequest[None]], ModelResponse[Any]],
        question: str,
        earlier: list[AnyMessage],
    ) -> ModelResponse[Any]:
        routed = self._router.route(question, _before(earlier))
        note = None
        try:
            asked = request.override(
                system_message=SystemMessage(routed.system),
                messages=[HumanMessage(routed.user)],
                tools=[],
                model_settings=call_settings(routed),
            )
            written = read_calls(str(handler(asked).result[0].text))
        except (OpenAIError, CallSyntaxError) as error:
            logger.warning("no call from the model: %s", error)
            written, note = self._router.without_model(routed), ENGINE_DOWN
        return ModelResponse(result=[self._message(written, routed, note)])

    def _message(self, written: list[WrittenCall], routed: Routed, note: str | None) -> AIMessage:
        kept = {WRITTEN: written_text(written), NOTE: note}
        calls = self._router.calls(written)
        if not calls:
            kind = next((call.args["kind"] for call in written if call.name == NONE), "outside")
            name = "ask_customer" if "customer_id" in self._router.missing(routed) else f"none_{kind}"
            return AIMessage(prompt(name), additional_kwargs=kept | {PHRASED: "findings", GROUNDED: True})
        return AIMessage("", tool_calls=[_tool_call(call) for call in calls], additional_kwargs=kept)

    def _answer(
        self,
        request: ModelRequest[None],
        handler: Callable[[ModelRequest[None]], ModelResponse[Any]],
        turn: list[AnyMessage],
    ) -> ModelResponse[Any]:
        findings = findings_of(turn)
        down = any(message.additional_kwargs.get(NOTE) == ENGINE_DOWN for message in turn)
        unanswered = not findings or any(finding.status != "answered" for finding in findings)
        if down or unanswered:
            note = {NOTE: ENGINE_DOWN} if down else {}
            sentences = own_sentences(findings) or _tool_errors(turn)
            kept = note | {PHRASED: "findings", GROUNDED: True}
            return ModelResponse(result=[AIMessage(sentences, additional_kwargs=kept)])
        said: list[str] = []
        note_text = None
        phrased = "model"
        for finding in findings:
            asked = request.override(
                system_message=SystemMessage(prompt("answer")),
                messages=[
                    HumanMessage(
                        prompt("answer_findings", question=str(turn[0].text), findings=finding.text())
                    )
                ],
                tools=[],
                model_settings={"max_tokens": ANSWER_TOKENS, "temperature": 0.0},
            )
            try:
                text = str(handler(asked).result[0].text).strip()
            except OpenAIError as error:
                logger.warning("no phrasing from the model: %s", error)
                said, note_text, phrased = [own_sentences(findings)], ENGINE_DOWN, "findings"
                break
            said.append(text or finding.headline)
        kept = {PHRASED: phrased, NOTE: note_text}
        return ModelResponse(result=[AIMessage(" ".join(said), additional_kwargs=kept)])


def call_settings(routed: Routed) -> dict[str, Any]:
    """Return the request's settings that hold the model to the grammar."""
    body = {"structured_outputs": {"grammar": routed.grammar}}
    return {"max_tokens": CALL_TOKENS, "temperature": 0.0, "extra_body": body}


def _tool_call(call: Call) -> Any:
    return {
        "name": call.name,
        "args": dict(call.args),
        "id": f"call_{uuid.uuid4().hex[:12]}",
        "type": "tool_call",
    }


def _tool_errors(turn: Sequence[AnyMessage]) -> str:
    return " ".join(str(message.text) for message in turn if isinstance(message, ToolMessage))


class NativeCalls(AgentMiddleware[AgentState[Any], None]):
    """The shortlisted tools as schemas for a model with tool calling of its own."""

    def __init__(self, router: Router) -> None:
        super().__init__()
        self._router = router

    def wrap_model_call(
        self, request: ModelRequest[None], handler: Callable[[ModelRequest[None]], ModelResponse[Any]]
    ) -> ModelResponse[Any]:
        earlier, turn = last_turn(request.messages)
        routed = self._router.route(str(turn[0].text), _before(earlier))
        kept = [tool for tool in request.tools if getattr(tool, "name", "") in routed.choice.tools]
        try:
            return handler(request.override(tools=kept, model_settings={"temperature": 0.0}))
        except OpenAIError as error:
            logger.warning("the model did not answer: %s", error)
        if any(isinstance(message, ToolMessage) for message in turn):
            sentences = own_sentences(findings_of(turn)) or _tool_errors(turn)
            message = AIMessage(
                sentences, additional_kwargs={PHRASED: "findings", GROUNDED: True, NOTE: ENGINE_DOWN}
            )
            return ModelResponse(result=[message])
        calls = self._router.calls(self._router.without_model(routed))
        if calls:
            message = AIMessage(
                "", tool_calls=[_tool_call(call) for call in calls], additional_kwargs={NOTE: ENGINE_DOWN}
            )
        else:
            message = AIMessage(
                prompt("none_outside"),
                additional_kwargs={PHRASED: "findings", GROUNDED: True, NOTE: ENGINE_DOWN},
            )
        return ModelResponse(result=[message])


class GroundingCheck(AgentMiddleware[AgentState[Any], None]):
    """Compares an answer with the findings; one that fails is replaced by the findings' own sentences."""

    def after_model(self, state: AgentState[Any], runtime: Runtime[None]) -> dict[str, Any] | None:
        """Check the last message, unless it calls a tool or is already the findings' own."""
        message = state["messages"][-1]
        if not isinstance(message, AIMessage) or message.tool_calls or GROUNDED in message.additional_kwargs:
            return None
        earlier, turn = last_turn(state["messages"])
        findings = findings_of(turn)
        verdict = check(str(message.text), findings, str(turn[0].text), earlier=findings_of(earlier))
        kept = message.additional_kwargs | {GROUNDED: verdict.grounded}
        if verdict.grounded:
            kept.setdefault(PHRASED, "model")
            return {"messages": [message.model_copy(update={"additional_kwargs": kept})]}
        logger.info("replaced %r: %s", message.text, "; ".join(verdict.problems))
        kept |= {
            PHRASED: "findings",
            NOTE: CHECK_FAILED,
            GROUNDED: True,  # the findings' own sentences are what is shown now
            "rejected": str(message.text),
            "problems": list(verdict.problems),
        }
        sentences = own_sentences(findings) or prompt("none_outside")
        return {"messages": [message.model_copy(update={"content": sentences, "additional_kwargs": kept})]}


def langchain_tool(tool: Tool, shop: Shop) -> StructuredTool:
    """Return a tool as LangChain runs it: the content is the finding's short text, the artifact the finding."""

    def run(**arguments: Any) -> tuple[str, dict[str, Any] | None]:
        began = time.monotonic()
        try:
            finding = tool.call(shop, {name: value for name, value in arguments.items() if value is not None})
        except ArgumentError as error:
            return f"That call cannot be right: {error}", None
        seconds = time.monotonic() - began
        return finding.text(rows=20, columns=20, quotes=10), {
            "finding": finding.model_dump(mode="json"),
            "seconds": seconds,
        }

    return StructuredTool.from_function(
        func=run,
        name=tool.name,
        description=tool.description,
        args_schema=tool.schema,
        response_format="content_and_artifact",
    )


def build_graph(
    model: BaseChatModel,
    compact: bool,
    router: Router,
    tools: dict[str, Tool],
    shop: Shop,
    memory: BaseCheckpointSaver[Any],
) -> Any:
    """Return the compiled agent: limits, shortlist and call syntax before the model, the check behind it."""
    middleware: list[AgentMiddleware[Any, Any]] = [
        ModelCallLimitMiddleware(run_limit=MODEL_CALLS, exit_behavior="end"),
        ToolCallLimitMiddleware(run_limit=TOOL_CALLS, exit_behavior="continue"),
        CompactCalls(router) if compact else NativeCalls(router),
        GroundingCheck(),
    ]
    return create_agent(
        model,
        [langchain_tool(tool, shop) for tool in tools.values()],
        system_prompt=prompt("analyst", as_of=shop.as_of.isoformat()),
        middleware=middleware,
        checkpointer=memory,
    )
