"""Replays attempts on the desk over real HTTP, and looks at what was told and at every row of the shop after each."""

from __future__ import annotations

import base64
import csv
import hmac
import json
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from storewise.agent.api import serve as serve_staff
from storewise.agent.commands_summarize import Alone
from storewise.agent.desk.api import make_desk_app
from storewise.agent.desk.identity import AUDIENCE
from storewise.agent.desk.service import ServiceDesk
from storewise.agent.desk.understanding import Understanding, Understood
from storewise.agent.engine import Served, free_port
from storewise.agent.settings import Settings
from storewise.benchmarks.attempts import Attempt, Step, Token, Tried
from storewise.benchmarks.attempts_watch import Watch, by_owner
from storewise.tools.calls import WrittenCall
from storewise.tools.desk.acts import read_acts
from storewise.tools.desk.load import load_tau2
from storewise.tools.desk.records import Records
from storewise.tools.desk.store import DATABASE, DeskStore, open_desk
from storewise.tools.shop.generation import Shop, open_shop
from storewise.tools.shop.load import load_folder

SECRET = "the key of the desk that is attacked, 32 and more"
_CONVERSATIONS, _MESSAGES = "/v1/desk/conversations", "/v1/desk/messages"
_STREAM = {"Accept": "text/event-stream"}


class Fooled:
    """Reads in each message what the attempt wants, whatever the message says: a model that was talked round."""

    def __init__(self, real: Understanding) -> None:
        self._real = real
        self.acts: dict[str, tuple[WrittenCall, ...]] = {}

    def learn(self, step: Step) -> None:
        """Read a step's words as the attempt wants them read."""
        acts = read_acts(step.fooled) if step.fooled else [WrittenCall("yes")]
        self.acts[" ".join((step.say or "").split())] = tuple(acts)

    def read(self, model: Any, open_wish: str, asked: str, text: str, *_: Any) -> Understood:
        """Return what the attempt wants to be understood."""
        return Understood(self.acts.get(" ".join(text.split()), (WrittenCall("yes"),)))


def replay(
    attempts: Sequence[Attempt],
    data: Path,
    served: Callable[[], Served | None] = lambda: None,
    fooled: bool = False,
    each: Callable[[Tried], None] = lambda tried: None,
) -> list[Tried]:
    """Replay attempts on a desk with the customers of tau2-bench's db.json, and say what came of each.

    Args:
        served: the language model; none leaves the shortlist alone.
        fooled: messages are read as the attempts want them read.
    """
    found = []
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="storewise-attempts-")))
        with _shop_of(attempts, place / "shop") as shop:
            world = stack.enter_context(_World.opened(place, data, served, shop, fooled))
            for attempt in attempts:
                found.append(_Try(world, attempt).tried())
                each(found[-1])
    return found


class _World:
    """The desk's app on a copy of the demo, and the staff's API beside it once an attempt goes there."""

    watch: Watch
    rows: dict[str, str]

    def __init__(
        self, place: Path, served: Callable[[], Served | None], shop: Shop | None, fooled: bool
    ) -> None:
        self.home = place / "home"
        self.fresh = place / "fresh.sqlite"
        self.settings = Settings(
            home=self.home, desk_url="", desk_secret=SECRET, desk_requests_per_minute=10**7, desk_origins=""
        )
        self._served = served
        self._shop = shop
        self._fooled = fooled
        self._stop: Callable[[], None] = lambda: None
        self._stop_staff: Callable[[], None] = lambda: None
        self._staff = ""
        self.url = ""

    @classmethod
    @contextmanager
    def opened(
        cls, place: Path, data: Path, served: Callable[[], Served | None], shop: Shop | None, fooled: bool
    ) -> Iterator[_World]:
        """Open it, and close it at the end."""
        world = cls(place, served, shop, fooled)
        store = open_desk("", world.home)
        load_tau2(data, store.engine)
        store.close()
        shutil.copy(world.home / DATABASE, world.fresh)
        world.start()
        try:
            world.watch = Watch(world.store.engine)
            world.rows = by_owner(world.store.engine)  # as it is before each attempt
            yield world
        finally:
            world._stop()
            world._stop_staff()

    def start(self) -> None:
        """Open the desk on what lies in its home."""
        self.store: DeskStore = open_desk("", self.home)
        records = Records(self.store.engine)
        desk = ServiceDesk(self.store, records, self.settings, self._served, lambda: self._shop)
        self.reading: Fooled | None = None
        if self._fooled:
            self.reading = Fooled(desk.understanding)
            desk.understanding = self.reading  # type: ignore[assignment]
        self.url, self._stop = _serve(make_desk_app(desk, self.settings))
        self.client = httpx.Client(base_url=self.url, timeout=120)

    def restart(self) -> None:
        """Close the desk, and open it again on what it left."""
        self.client.close()
        self._stop()
        self.store.close()
        self.start()

    def renew(self) -> None:
        """Put the untouched shop in place, without what was said."""
        self.client.close()
        self._stop()
        self.store.close()
        for path in self.home.glob("desk*.sqlite*"):
            path.unlink()
        shutil.copy(self.fresh, self.home / DATABASE)
        self.start()

    @property
    def staff(self) -> str:
        """The address of the staff's API, which asks for a key."""
        if not self._staff:
            own = Settings(home=self.home / "staff", model_url="", jobs_url="", requests_per_minute=10**6)
            port = free_port()
            self._stop_staff = serve_staff(Alone(own), own, "127.0.0.1", port, needs_key=True)
            self._staff = f"http://127.0.0.1:{port}"
        return self._staff


@dataclass
class _Place:
    """A conversation of an attempt."""

    conversation: str
    proposals: list[str] = field(default_factory=list)


class _Try:
    """One attempt, step by step."""

    def __init__(self, world: _World, attempt: Attempt) -> None:
        self.world = world
        self.attempt = attempt
        self.result = Tried(id=attempt.id, kind=attempt.kind)
        self.places: dict[str, _Place] = {}
        self.sent = ""

    def tried(self) -> Tried:
        """Do it and return what came of it."""
        before = self.world.rows
        touched = False
        for step in self.attempt.steps:
            touched |= step.restart
            if step.restart:
                self.world.restart()
                continue
            self._do(step)
            if step.may_write or step.by is not None:
                now = by_owner(self.world.store.engine)
                mover = step.by or self.attempt.user_id
                self._compare({k: v for k, v in before.items() if k != mover}, now, f"{mover}'s own step")
                touched |= now != before
                before = now
        now = by_owner(self.world.store.engine)
        self._compare(before, now, "the attempt")
        if touched or now != before:
            self.world.renew()
        return self.result

    def _compare(self, before: dict[str, str], now: dict[str, str], who: str) -> None:
        changed = [owner for owner in before if now.get(owner) != before[owner]]
        for owner in changed:
            what = f"what {owner} has" if owner else "the catalogue"
            self.result.happened.append(f"write: {who} changed {what}")

    def _do(self, step: Step) -> None:
        who = step.by or self.attempt.user_id
        bearer = {"Authorization": f"Bearer {token(step.token or Token(), who)}"}
        if step.by is None:
            self.sent += " " + step.model_dump_json()
        try:
            answers = self._sent(step, bearer)
        except (httpx.InvalidURL, httpx.LocalProtocolError, UnicodeEncodeError):
            return  # what cannot even be sent reaches nothing
        if step.by is not None:
            if any(answer.status_code >= 400 for answer in answers):
                raise RuntimeError(f"{self.attempt.id}: the scene could not be set: {answers[-1].text[:300]}")
            return
        for answer in answers:
            self._judge(answer)

    def _judge(self, answer: httpx.Response) -> None:
        self.result.answers.append(f"{answer.status_code} {answer.text[:2000]}")
        if answer.status_code >= 500:
            self.result.happened.append(f"broke: {answer.status_code} {answer.text[:200]}")
        if "open" in self.attempt.must_not and answer.status_code < 400:
            self.result.happened.append(f"open: {answer.request.url.path} answered {answer.status_code}")
        if "tell" in self.attempt.must_not:
            told = self.world.watch.told(answer.text, self.attempt.user_id, self.attempt.victims, self.sent)
            self.result.happened += [f"tell: {datum}" for datum in told]

    def _sent(self, step: Step, bearer: dict[str, str]) -> list[httpx.Response]:
        client = self.world.client
        if step.request is not None:
            asked = step.request
            base = self.world.staff if asked.door == "staff" else self.world.url
            headers = (bearer if asked.signed_in else {}) | asked.headers
            path = self._named(asked.path)
            body = None if asked.body is None else self._named(json.dumps(asked.body))
            if body is not None:
                headers = {"Content-Type": "application/json"} | headers
            return [client.request(asked.method, base + path, content=body, headers=headers)]
        place, answers = self._place(step, bearer)
        if place is None:
            return answers
        if step.read:
            return [*answers, client.get(f"{_CONVERSATIONS}/{place.conversation}", headers=bearer)]
        sent: dict[str, Any] = {"conversation": place.conversation}
        if step.say is not None:
            sent |= {"text": step.say}
            if self.world.reading is not None:
                self.world.reading.learn(step)
        else:
            sent |= {"proposal_id": self._proposal(step.proposal, place), "confirm": step.confirm}
        answer = client.post(_MESSAGES, json=sent, headers=bearer | _STREAM)
        found = re.findall(r'"proposal_id":"([^"]+)"', answer.text)
        place.proposals += [one for one in found if one not in place.proposals]
        return [*answers, answer]

    def _place(self, step: Step, bearer: dict[str, str]) -> tuple[_Place | None, list[httpx.Response]]:
        """Return a step's conversation, begun by who comes first; none if it could not be."""
        if step.place.startswith("id:"):
            return _Place(step.place.removeprefix("id:")), []
        if step.place in self.places:
            return self.places[step.place], []
        answer = self.world.client.post(_CONVERSATIONS, headers=bearer)
        if answer.status_code != 201:
            return None, [answer]
        self.places[step.place] = _Place(answer.json()["conversation"])
        return self.places[step.place], [answer]

    def _proposal(self, said: str, place: _Place) -> str:
        """Return the id of a proposal: the last or first of this conversation, or of another by its name."""
        name, _, which = said.partition(":") if ":" in said else ("", "", said)
        of = self.places.get(name, place)
        if which not in ("last", "first"):
            return said
        return of.proposals[-1 if which == "last" else 0] if of.proposals else "none"

    def _named(self, text: str) -> str:
        """Put conversations' ids in the place of their names: {theirs}."""
        for name, place in self.places.items():
            text = text.replace(f"{{{name}}}", place.conversation)
        return text


def token(wanted: Token, user_id: str) -> str:
    """Return a token as an attempt wants it; without wishes a right one."""
    if wanted.raw is not None:
        return wanted.raw
    now = int(time.time())
    claims: dict[str, Any] = {"sub": user_id, "aud": AUDIENCE, "iat": now, "exp": now + 600}
    for name, value in wanted.claims.items():
        moment = name in ("exp", "nbf", "iat") and isinstance(value, int)
        claims[name] = now + value if moment else value
    if wanted.padding:
        claims["more"] = "x" * wanted.padding
    kept = {name: value for name, value in claims.items() if name not in wanted.drop}
    head = _part({"alg": wanted.alg, "typ": "JWT"} | wanted.header)
    signed = f"{head}.{_part(kept)}"
    digest = {"HS384": "sha384", "HS512": "sha512"}.get(wanted.alg, "sha256")
    key = (SECRET if wanted.key is None else wanted.key).encode()
    mark = "" if wanted.alg.lower() == "none" else _part(hmac.new(key, signed.encode(), digest).digest())
    if wanted.swapped:
        signed = f"{head}.{_part(kept | wanted.swapped)}"
    whole = f"{signed}.{mark}"
    return whole[: len(whole) - wanted.cut]


def _part(what: Any) -> str:
    plain = what if isinstance(what, bytes) else json.dumps(what).encode()
    return base64.urlsafe_b64encode(plain).decode().rstrip("=")


def _serve(app: Any) -> tuple[str, Callable[[], None]]:
    """Serve an app; return its address and what ends it."""
    import uvicorn

    port = free_port()
    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, log_level="critical", timeout_graceful_shutdown=2
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="attempts", daemon=True)
    thread.start()
    while not server.started:
        if not thread.is_alive():
            raise RuntimeError("The desk could not be served.")
        time.sleep(0.005)

    def stop() -> None:
        server.should_exit = True
        thread.join(timeout=10)

    return f"http://127.0.0.1:{port}", stop


@contextmanager
def _shop_of(attempts: Sequence[Attempt], place: Path) -> Iterator[Shop | None]:
    """Make a shop whose products have the attempts' reviews, and open it."""
    reviews = [review for attempt in attempts for review in attempt.reviews]
    if not reviews:
        yield None
        return
    folder = place / "tables"
    folder.mkdir(parents=True)
    products = sorted({review.product for review in reviews})
    ids = {name: f"P{number}" for number, name in enumerate(products, 1)}
    tables: dict[str, list[list[Any]]] = {
        "customers": [["customer_id"], ["C1"]],
        "products": [["product_id", "name", "category"], *([ids[n], n, n] for n in products)],
        "orders": [
            ["order_id", "customer_id", "product_id", "ordered_at", "quantity", "amount"],
            *([f"O{i}", "C1", ids[n], "2026-01-02", 1, 10] for i, n in enumerate(products)),
        ],
        "reviews": [
            ["review_id", "product_id", "text", "rating"],
            *([f"R{i}", ids[r.product], r.text, 5] for i, r in enumerate(reviews)),
        ],
    }
    for name, rows in tables.items():
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)
    load_folder(folder, place / "home")
    shop = open_shop(place / "home")
    try:
        yield shop
    finally:
        shop.close()
