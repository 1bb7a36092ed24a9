"""Protects the way to the desk over real HTTP: who may speak, how much, how often, one turn at a time.

What the desk then says is tested elsewhere; here a made-up one answers.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from storewise.agent.api import serve as serve_staff
from storewise.agent.commands_summarize import Alone
from storewise.agent.desk.api import LONGEST_TEXT, make_desk_app
from storewise.agent.desk.door import ALL, LARGEST_BODY
from storewise.agent.desk.identity import issue
from storewise.agent.desk.turns import Turns
from storewise.agent.engine import free_port
from storewise.agent.job_store import JobStore
from storewise.agent.keys import create
from storewise.agent.settings import Settings
from storewise.tools.desk.load import load_desk
from storewise.tools.desk.store import DeskAway, DeskStore, open_desk
from storewise.tools.shop.generation import ShopError
from tests.agent.desk.desk_http import MadeUpDesk, events, served
from tests.tools.desk.desk_helpers import ANN, BEN, content, write

STREAM = {"Accept": "text/event-stream"}
MESSAGES, CONVERSATIONS = "/v1/desk/messages", "/v1/desk/conversations"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[DeskStore]:
    opened = open_desk("", tmp_path)
    load_desk(write(tmp_path, content()), opened.engine)
    yield opened
    opened.close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, desk_secret="x" * 40, desk_requests_per_minute=100_000, desk_origins="")


@pytest.fixture
def desk(store: DeskStore) -> MadeUpDesk:
    return MadeUpDesk(store)


@pytest.fixture
def address(desk: MadeUpDesk, settings: Settings) -> Iterator[str]:
    with served(make_desk_app(desk, settings)) as where:
        yield where


def client(address: str, settings: Settings, user: str = ANN) -> httpx.Client:
    headers = {"Authorization": f"Bearer {issue(settings, user)}"}
    return httpx.Client(base_url=address, headers=headers, timeout=30)


@pytest.fixture
def ann(address: str, settings: Settings) -> Iterator[httpx.Client]:
    with client(address, settings) as one:
        yield one


def begun(one: httpx.Client) -> str:
    response = one.post(CONVERSATIONS)
    assert response.status_code == 201
    return str(response.json()["conversation"])


def sentence(response: httpx.Response) -> str:
    """Return what a refusal says; it is one plain problem."""
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["status"] == response.status_code
    return str(response.json()["detail"])


def test_a_turn_is_one_json_or_a_stream_of_its_events(ann: httpx.Client) -> None:
    conversation = begun(ann)
    sent = {"conversation": conversation, "text": "Where is my order?"}
    whole = ann.post(MESSAGES, json=sent)
    assert whole.json()["text"] == "ann said: Where is my order?"
    assert whole.headers["cache-control"] == "no-store"
    streamed = ann.post(MESSAGES, json=sent, headers=STREAM)
    assert streamed.headers["content-type"].startswith("text/event-stream")
    (first, typing), (last, replied) = events(streamed)
    assert (first, typing) == ("typing", {"kind": "typing", "what": "Reading"})
    assert (last, replied["reply"]) == ("replied", whole.json())
    kept = ann.get(f"{CONVERSATIONS}/{conversation}").json()
    assert [said["text"] for said in kept["messages"]] == ["Where is my order?"] * 2
    later = ann.get(f"{CONVERSATIONS}/{conversation}", params={"after": 1}).json()["messages"]
    assert [said["number"] for said in later] == [2]


def test_how_the_desk_decided_is_for_staff_alone(ann: httpx.Client) -> None:
    sent = {"conversation": begun(ann), "text": "Hello"}
    assert ann.post(MESSAGES, json=sent).json()["decisions"] == []


def test_without_a_sign_in_nothing_opens(address: str, ann: httpx.Client, settings: Settings) -> None:
    conversation = begun(ann)
    for headers in (
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer nonsense"},
        {"Authorization": "Basic YW5uOmFubg=="},
        {"Authorization": f"Bearer {'x' * 100_000}"[:60_000]},
        {"Authorization": f"Bearer {issue(settings, 'nobody')}"},
        {"Cookie": f"token={issue(settings, ANN)}"},
    ):
        for method, path, body in (
            ("POST", CONVERSATIONS, None),
            ("POST", MESSAGES, {"conversation": conversation, "text": "Hello", "proposal_id": None}),
            ("GET", f"{CONVERSATIONS}/{conversation}", None),
            ("GET", f"{CONVERSATIONS}/{conversation}?token={issue(settings, ANN)}", None),
        ):
            response = httpx.request(method, address + path, json=body, headers=headers)
            assert response.status_code == 401, (headers, path, response.text)
            assert response.headers["www-authenticate"] == "Bearer"
            assert sentence(response).endswith(".")
    assert ann.get(f"{CONVERSATIONS}/{conversation}").json()["messages"] == []


def test_the_two_doors_take_no_keys_of_each_other(address: str, settings: Settings, tmp_path: Path) -> None:
    own = Settings(home=tmp_path / "staff", model_url="")
    store = JobStore("", own.home)
    key = create(store, "staff")
    port = free_port()
    stop = serve_staff(Alone(own), own, "127.0.0.1", port, needs_key=True)
    staff = f"http://127.0.0.1:{port}"
    try:
        token = issue(settings, ANN)

        def status(at: str, path: str, bearer: str, method: str = "GET") -> int:
            headers = {"Authorization": f"Bearer {bearer}"}
            return httpx.request(method, at + path, headers=headers).status_code

        assert status(staff, "/v1/jobs", key) == 200
        for path in ("/v1/jobs", "/v1/tools", "/v1/reviews/search", "/metrics"):
            assert status(staff, path, token) == 401
        assert status(address, CONVERSATIONS, key, "POST") == 401
        assert status(address, CONVERSATIONS, token, "POST") == 201
        # Neither has the other's routes at all.
        assert status(staff, MESSAGES, key, "POST") == 404
        assert status(address, "/v1/jobs", token) == 404
        assert status(address, "/v1/tools", token) == 404
        assert not [path for path in httpx.get(f"{staff}/openapi.json").json()["paths"] if "desk" in path]
    finally:
        stop()


def test_anothers_conversation_is_as_unknown_as_none(
    address: str, ann: httpx.Client, settings: Settings, desk: MadeUpDesk
) -> None:
    conversation = begun(ann)
    with client(address, settings, BEN) as ben:
        told = set()
        for where in (conversation, "c999", "../c0", "c0'--", "\x00", "я", "x" * 5000):
            for body in ({"text": "Hello"}, {"proposal_id": "p0", "confirm": True}):
                response = ben.post(MESSAGES, json={"conversation": where} | body)
                assert response.status_code == 404
                told.add(sentence(response))
        told.add(sentence(ben.get(f"{CONVERSATIONS}/{conversation}")))
        assert told == {"There is no such conversation of yours. Begin a new one."}
    assert desk.written == [] and desk.records.said[conversation] == []


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ({"text": "a" * (LONGEST_TEXT + 1)}, 422, "longer than 5,000 characters"),
        ({"text": ""}, 422, "empty"),
        ({"text": " \n\t\x00\x07 "}, 422, "empty"),
        ({}, 422, "Send a text, or the proposal_id"),
        ({"proposal_id": "p0"}, 422, "with confirm true or false"),
        ({"confirm": True}, 422, "Send a text, or the proposal_id"),
        ({"text": "yes", "proposal_id": "p0", "confirm": True}, 422, "either a text, or an answer"),
        ({"proposal_id": "p0 or 1=1", "confirm": True}, 422, "no proposal"),
        ({"text": "hello", "user_id": BEN}, 422, "body.user_id"),
        ({"text": ["a"]}, 422, "body.text"),
        ({"proposal_id": "p0", "confirm": "perhaps"}, 422, "body.confirm"),
        ({"text": "\ud800"}, 422, "empty"),
    ],
)
def test_what_cannot_be_taken_gets_a_sentence(
    ann: httpx.Client, desk: MadeUpDesk, body: dict[str, Any], status: int, told: str
) -> None:
    import json

    sent = json.dumps({"conversation": begun(ann)} | body)  # httpx itself would not send half a character
    response = ann.post(MESSAGES, content=sent, headers={"Content-Type": "application/json"})
    assert response.status_code == status and told in sentence(response)
    assert desk.written == []


def test_long_and_foreign_texts_pass(ann: httpx.Client) -> None:
    conversation = begun(ann)
    for text in (
        "Где мой заказ?",
        "我的订单在哪里？",
        "أين طلبي؟",
        "ο" * LONGEST_TEXT,
        "😀" * LONGEST_TEXT,
        "a\nb\tc",
    ):
        response = ann.post(MESSAGES, json={"conversation": conversation, "text": text})
        assert response.json()["text"] == f"ann said: {text}"
    control = ann.post(MESSAGES, json={"conversation": conversation, "text": "a\x00b\x1b[31mc"})
    assert control.json()["text"] == "ann said: a b [31mc"


def test_a_body_that_is_too_large_or_packed_or_broken_is_refused(ann: httpx.Client) -> None:
    kind = {"Content-Type": "application/json"}

    def pieces() -> Iterator[bytes]:
        for _ in range(LARGEST_BODY // 1000 + 2):
            yield b" " * 1000

    large = b'{"text": "' + b"a" * LARGEST_BODY + b'"}'
    for body, headers, status in (
        (large, kind, 413),
        (pieces(), kind, 413),
        (b"\x1f\x8b", kind | {"Content-Encoding": "gzip"}, 415),
        (b"text=hello", {"Content-Type": "application/x-www-form-urlencoded"}, 415),
        (b"hello", {}, 415),
        (b"{", kind, 422),
        (b"\xff\xfe", kind, 422),
        (b"[" * 60_000, kind, 400),
        (b'{"conversation": 1e400}', kind, 422),
    ):
        response = ann.post(MESSAGES, content=body, headers=headers)
        assert response.status_code == status, (body, response.text)
        sentence(response)


def test_a_hundred_messages_at_once_are_limited_and_told(store: DeskStore, settings: Settings) -> None:
    slow = settings.model_copy(update={"desk_requests_per_minute": 30})
    desk = MadeUpDesk(store)
    with (
        served(make_desk_app(desk, slow)) as where,
        client(where, slow) as ann,
        client(where, slow, BEN) as ben,
    ):
        conversation = begun(ann)
        answers = [ann.post(MESSAGES, json={"conversation": conversation, "text": "Hi"}) for _ in range(40)]
        refused = [answer for answer in answers if answer.status_code == 429]
        assert len(refused) >= 30 and len(desk.records.said[conversation]) <= 10
        assert 1 <= int(refused[-1].headers["retry-after"]) <= 5
        assert "more than the desk can answer at once" in sentence(refused[-1])
        # Looking at what was said, and other customers, go on.
        assert ann.get(f"{CONVERSATIONS}/{conversation}").status_code == 200
        assert begun(ben)


def test_an_address_is_limited_too_even_where_nobody_signs_in(store: DeskStore, settings: Settings) -> None:
    slow = settings.model_copy(update={"desk_requests_per_minute": 4})
    with served(make_desk_app(MadeUpDesk(store), slow)) as where, httpx.Client(base_url=where) as nobody:
        statuses = [nobody.post(CONVERSATIONS).status_code for _ in range(ALL + 10)]
        assert statuses[0] == 401 and statuses[-1] == 429


def test_a_second_message_waits_for_the_first_and_a_third_is_told(
    address: str, ann: httpx.Client, settings: Settings, desk: MadeUpDesk
) -> None:
    conversation = begun(ann)
    entered, go_on = threading.Event(), threading.Event()
    running: list[str] = []
    most: list[int] = []

    def during(text: str) -> None:
        running.append(text)
        most.append(len(running))
        if text == "first":
            entered.set()
            assert go_on.wait(20)
        time.sleep(0.05)
        running.remove(text)

    desk.during = during
    answers: dict[str, httpx.Response] = {}

    def say(text: str, where: str = conversation) -> None:
        with client(address, settings) as one:
            answers[text] = one.post(MESSAGES, json={"conversation": where, "text": text})

    first = threading.Thread(target=say, args=("first",))
    first.start()
    assert entered.wait(20)
    second = threading.Thread(target=say, args=("second",))
    second.start()
    time.sleep(0.3)
    say("third")
    assert answers["third"].status_code == 409
    assert "not answered yet" in sentence(answers["third"])
    assert answers["third"].headers["retry-after"] == "3"
    assert "second" not in answers
    say("elsewhere", begun(ann))  # other conversations do not wait
    assert answers["elsewhere"].status_code == 200
    go_on.set()
    first.join()
    second.join()
    assert [said.text for said in desk.records.said[conversation]] == ["first", "second"]
    assert answers["second"].json()["text"] == "ann said: second"


def test_who_waits_too_long_is_told(
    monkeypatch: pytest.MonkeyPatch, desk: MadeUpDesk, settings: Settings
) -> None:
    monkeypatch.setattr("storewise.agent.desk.api.Turns", lambda: Turns(patience=0.2))
    go_on = threading.Event()
    desk.during = lambda text: None if text == "second" else (go_on.wait(20), None)[1]
    with served(make_desk_app(desk, settings)) as where, client(where, settings) as ann:
        conversation = begun(ann)
        with ann.stream(
            "POST", MESSAGES, json={"conversation": conversation, "text": "first"}, headers=STREAM
        ) as held:
            lines = held.iter_lines()
            assert next(lines) == "event: typing"
            with client(where, settings) as again:
                late = again.post(MESSAGES, json={"conversation": conversation, "text": "second"})
                assert late.status_code == 409
            go_on.set()
            assert "event: replied" in list(lines)
        assert ann.post(MESSAGES, json={"conversation": conversation, "text": "second"}).status_code == 200


def test_a_turn_goes_on_when_its_customer_leaves(address: str, ann: httpx.Client, desk: MadeUpDesk) -> None:
    conversation = begun(ann)
    go_on = threading.Event()
    desk.during = lambda text: (go_on.wait(20), None)[1]
    body = {"conversation": conversation, "text": "first"}
    with ann.stream("POST", MESSAGES, json=body, headers=STREAM) as left:
        assert next(left.iter_lines()) == "event: typing"
    go_on.set()
    until = time.monotonic() + 10
    while not desk.records.said[conversation] and time.monotonic() < until:
        time.sleep(0.02)
    assert [said.text for said in desk.records.said[conversation]] == ["first"]


def _away(*_: Any) -> None:
    raise DeskAway("The desk's database does not answer; see: storewise doctor")


def _lost(*_: Any) -> None:
    raise sa.exc.OperationalError("SELECT secret FROM desk_users", {}, Exception("no such host: db.internal"))


@pytest.mark.parametrize("fails", [_away, _lost])
def test_a_database_that_is_away_is_told_without_a_word_for_staff(
    ann: httpx.Client, desk: MadeUpDesk, fails: Callable[..., None]
) -> None:
    conversation = begun(ann)
    desk.during = fails
    body = {"conversation": conversation, "text": "Hello"}
    whole = ann.post(MESSAGES, json=body)
    streamed = events(ann.post(MESSAGES, json=body, headers=STREAM))
    assert whole.status_code == 503 and whole.headers["retry-after"] == "30"
    assert [name for name, _ in streamed] == ["typing", "problem"]
    assert streamed[-1][1]["detail"] == sentence(whole)
    assert (
        "nothing is half-done" in sentence(whole)
        and "doctor" not in whole.text
        and "SELECT" not in whole.text
    )


def test_a_database_that_was_away_for_a_moment_is_asked_once_more(
    ann: httpx.Client, desk: MadeUpDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, tries = desk.records.owner, []

    def owner(conversation: str) -> str | None:
        tries.append(conversation)
        if len(tries) % 2:
            _away()
        return real(conversation)

    conversation = begun(ann)
    monkeypatch.setattr(desk.records, "owner", owner)
    assert ann.post(MESSAGES, json={"conversation": conversation, "text": "Hi"}).status_code == 200
    assert len(tries) == 2


def test_a_turn_that_breaks_ends_with_a_sentence(ann: httpx.Client, desk: MadeUpDesk) -> None:
    conversation = begun(ann)
    desk.during = lambda text: (_ for _ in ()).throw(ValueError("secret detail"))
    streamed = ann.post(MESSAGES, json={"conversation": conversation, "text": "Hi"}, headers=STREAM)
    assert events(streamed)[-1][0] == "problem" and "secret" not in streamed.text
    desk.during = lambda text: None
    assert ann.post(MESSAGES, json={"conversation": conversation, "text": "Hi"}).status_code == 200


def test_only_named_sites_pages_may_talk_to_the_desk(desk: MadeUpDesk, settings: Settings) -> None:
    named = settings.model_copy(update={"desk_origins": "https://shop.example, http://localhost:8000"})
    asks = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    with served(make_desk_app(desk, named)) as where:
        for origin, may in (
            ("https://shop.example", True),
            ("http://localhost:8000", True),
            ("https://evil.example", False),
            ("https://shop.example.evil.example", False),
            ("http://shop.example", False),
            ("null", False),
        ):
            before = httpx.options(where + MESSAGES, headers={"Origin": origin} | asks)
            headers = {"Origin": origin, "Authorization": f"Bearer {issue(named, ANN)}"}
            real = httpx.post(where + CONVERSATIONS, headers=headers)
            refused = httpx.post(where + CONVERSATIONS, headers={"Origin": origin})
            for answer in (before, real, refused):
                assert answer.headers.get("access-control-allow-origin") == (origin if may else None)
                assert "access-control-allow-credentials" not in answer.headers
            assert before.status_code == (200 if may else 400)
    with served(make_desk_app(desk, settings)) as where:
        answer = httpx.options(where + MESSAGES, headers={"Origin": "https://shop.example"} | asks)
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "wrong", ["*", "shop.example", "https://shop.example/path", "ftp://shop.example", "https://"]
)
def test_a_site_that_is_written_wrongly_is_told_when_the_desk_opens(
    desk: MadeUpDesk, settings: Settings, wrong: str
) -> None:
    with pytest.raises(ShopError, match="is no site's address"):
        make_desk_app(desk, settings.model_copy(update={"desk_origins": wrong}))
    with pytest.raises(ShopError, match="too short"):
        make_desk_app(desk, settings.model_copy(update={"desk_secret": "short"}))


def test_health_needs_no_sign_in(address: str, desk: MadeUpDesk) -> None:
    assert httpx.get(f"{address}/healthz").json() == {"status": "ok"}


def test_the_same_confirmation_twice_is_done_once(ann: httpx.Client, desk: MadeUpDesk) -> None:
    conversation = begun(ann)
    body = {"conversation": conversation, "proposal_id": "p0", "confirm": True}
    assert [ann.post(MESSAGES, json=body).json()["text"] for _ in range(2)] == ["Done.", "Done."]
    assert desk.written == ["p0"]
    again = ann.post(MESSAGES, json=body | {"confirm": False}, headers=STREAM)
    assert events(again)[-1][1]["reply"]["text"] == "Nothing was changed."
