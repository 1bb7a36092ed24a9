"""The desk's tools by name, and the three ways to run one: look something up, propose a change, write it.

A change runs twice through one and the same function. `propose` runs it in a transaction that is dropped and
tells exactly what would change. `commit` runs it again in a transaction that holds the customer's rows, and
writes only if what it would change now is what was agreed to; else it refuses, and nothing is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import sqlalchemy as sa
from pydantic import TypeAdapter, ValidationError
from sqlalchemy.orm.exc import StaleDataError

from storewise.tools.desk import account, delivered, pending, reading
from storewise.tools.desk.desk import Desk, Reason, Refusal, Unclear
from storewise.tools.desk.marks import Access, access
from storewise.tools.desk.store import DeskStore
from storewise.tools.finding import Finding, Status
from storewise.tools.registry import ArgumentError, Tool

Kind = Literal["told", "proposed", "unchanged", "done", "refused", "unclear"]


@dataclass(frozen=True)
class Outcome:
    """What became of a call.

    Attributes:
        kind: told (looked up, or a person called), proposed (waits for a yes), unchanged (there is nothing
            to write), done (written), refused (nothing was written) or unclear (the finding asks which).
        finding: what the customer is told.
        reason: why it was refused.
    """

    kind: Kind
    finding: Finding
    reason: Reason | None = None


@dataclass(frozen=True)
class DeskTool(Tool):
    """A tool of the desk: its schema as `Tool` makes it, its mark, and how it runs for a customer."""

    @property
    def access(self) -> Access:
        return access(self.function)

    def checked(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments as the schema has them.

        Raises:
            ArgumentError: one is unknown, missing or of the wrong type.
        """
        try:
            given = self.model(**{name: self._spelled(name, value) for name, value in arguments.items()})
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise ArgumentError(f"{self.name}: {where}: {first['msg']}") from None
        return {name: getattr(given, name) for name in self.model.model_fields}

    def run(self, desk: Desk, given: dict[str, Any]) -> Finding:
        """Run the tool with checked arguments and note them in its finding."""
        return self._noted(self.function(desk, **given), given)

    def said(self, status: Status, sentence: str, given: dict[str, Any]) -> Finding:
        """Return a finding that says no more than a sentence."""
        return self._noted(Finding(tool=self.name, status=status, headline=sentence), given)

    def _noted(self, finding: Finding, given: dict[str, Any]) -> Finding:
        told = {name: value for name, value in given.items() if value != self.defaults.get(name, ...)}
        arguments = TypeAdapter(dict[str, Any]).dump_python(told, mode="json")
        return finding.model_copy(update={"arguments": arguments})


@cache
def desk_tools() -> dict[str, DeskTool]:
    """Return the desk's tools by name."""
    functions: list[Callable[..., Finding]] = [
        reading.find_orders,
        reading.get_order_details,
        reading.get_product_details,
        reading.list_all_product_types,
        reading.get_user_details,
        pending.cancel_pending_order,
        pending.modify_pending_order_address,
        pending.modify_pending_order_items,
        pending.modify_pending_order_payment,
        delivered.return_delivered_order_items,
        delivered.exchange_delivered_order_items,
        account.modify_user_address,
        account.transfer_to_human_agents,
    ]
    return {function.__name__: DeskTool(function) for function in functions}


def look_up(store: DeskStore, user_id: str, name: str, arguments: dict[str, Any]) -> Outcome:
    """Run a tool that writes nothing.

    Raises:
        ArgumentError: the tool is unknown or writes, or an argument does not fit its schema.
    """
    tool = _tool(name, writing=False)
    given = tool.checked(arguments)
    with store.reading(user_id) as desk:
        return _ended(lambda: Outcome("told", tool.run(desk, given)), tool, given)


def propose(store: DeskStore, user_id: str, name: str, arguments: dict[str, Any]) -> Outcome:
    """Check a change by all rules and tell what it would change; nothing is written.

    Raises:
        ArgumentError: the tool is unknown or does not write, or an argument does not fit its schema.
    """
    tool = _tool(name, writing=True)
    given = tool.checked(arguments)

    def proposed() -> Outcome:
        finding = tool.run(desk, given)
        return Outcome("proposed" if _changed(desk) else "unchanged", finding)

    with store.reading(user_id) as desk:
        return _ended(proposed, tool, given)


def commit(store: DeskStore, user_id: str, name: str, arguments: dict[str, Any], agreed: Finding) -> Outcome:
    """Write a change that the customer said yes to.

    Args:
        agreed: the finding of the proposal that the yes answers.

    Raises:
        ArgumentError: the tool is unknown or does not write, or an argument does not fit its schema.
        DeskAway: the database does not answer.
    """
    tool = _tool(name, writing=True)
    given = tool.checked(arguments)

    def written() -> Outcome:
        with _one_writer(), store.writing(user_id) as desk:
            finding = tool.run(desk, given)
            now = desk.proposal
            if now is None or not _same(tool, given, now, agreed):
                told = f" Now it would be: {now.headline}" if now is not None else ""
                raise Refusal("changed meanwhile", f"Nothing was changed: this is not what was agreed.{told}")
            return Outcome("done" if _changed(desk) else "unchanged", finding)

    return _ended(written, tool, given)


def _tool(name: str, *, writing: bool) -> DeskTool:
    tool = desk_tools().get(name)
    if tool is None:
        raise ArgumentError(f"The desk has no tool {name}.")
    if (tool.access == "write") is not writing:
        how = "changes something and needs a yes first" if tool.access == "write" else "changes nothing"
        raise ArgumentError(f"{name} {how}.")
    return tool


def _same(tool: DeskTool, given: dict[str, Any], now: Finding, agreed: Finding) -> bool:
    """Say whether a change is, word for word and figure for figure, the one that was proposed."""
    mine = tool._noted(now, given)
    return mine.model_dump(mode="json") == agreed.model_dump(mode="json")


def _changed(desk: Desk) -> bool:
    session = desk.session
    return bool(session.new) or any(session.is_modified(row) for row in session.dirty)


def _ended(act: Callable[[], Outcome], tool: DeskTool, given: dict[str, Any]) -> Outcome:
    """Run something and turn a refusal into an outcome."""
    try:
        return act()
    except Refusal as refusal:
        return Outcome("refused", tool.said("refused", str(refusal), given), refusal.reason)
    except Unclear as unclear:
        return Outcome("unclear", tool.said("ambiguous", str(unclear), given))


@contextmanager
def _one_writer() -> Iterator[None]:
    """Refuse a change whose rows were changed by someone who holds no lock, such as the shop's own system."""
    try:
        yield
    except (StaleDataError, sa.exc.IntegrityError) as error:
        raise Refusal(
            "changed meanwhile", "Nothing was changed: the order changed in the meantime. Look at it again."
        ) from error
