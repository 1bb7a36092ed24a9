"""Protects a sentence asked of a model: what is sent, what a reply becomes, and which failures mean "ask again"."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from storewise.agent import phrasing
from storewise.agent.engine import Served, free_port
from storewise.agent.phrasing import ModelAway, NotPhrased, disconnect, phraser, sentence
from storewise.tools.reviews.groups import Group
from storewise.tools.reviews.summary import Quote

GROUP = Group(
    quotes=(Quote(review_id="R1", text="The tea is mild."), Quote(review_id="R2", text="Mild tea.")),
    sentiment="positive",
    positive=0.9,
    salience=1.0,
    place=0.5,
)
Handle = Callable[[web.Request], Awaitable[web.StreamResponse]]


def said(handle: Handle, seconds: float = 5.0, times: int = 1) -> list[str]:
    """Return what a server that answers with `handle` phrases of GROUP."""

    async def asked() -> list[str]:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        port = free_port()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        phrase = phraser(
            Served(f"http://127.0.0.1:{port}/v1", "some-model", "secret", compact=False), seconds
        )
        assert phrase is not None
        try:
            return await asyncio.gather(*(phrase(GROUP) for _ in range(times)))
        finally:
            await disconnect()
            await runner.cleanup()

    return asyncio.run(asked())


def reply(content: Any) -> web.Response:
    return web.json_response({"choices": [{"message": {"role": "assistant", "content": content}}]})


def test_a_model_is_told_the_groups_sentences_and_its_first_line_is_taken() -> None:
    asked: list[tuple[str, dict[str, Any]]] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append((request.headers["Authorization"], await request.json()))
        return reply("- The tea is mild\nAnd more.")

    assert said(answer, times=20) == ["The tea is mild."] * 20
    for key, body in asked:
        assert key == "Bearer secret"
        assert body["model"] == "some-model"
        assert body["temperature"] == 0
        assert [one["role"] for one in body["messages"]] == ["system", "user"]
        assert "The tea is mild." in body["messages"][1]["content"]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_that_cannot_just_now_is_asked_again(status: int) -> None:
    async def busy(_: web.Request) -> web.Response:
        return web.Response(status=status)

    with pytest.raises(ModelAway, match=str(status)):
        said(busy)


def test_a_silent_server_and_none_at_all_count_as_away() -> None:
    async def silent(_: web.Request) -> web.Response:
        await asyncio.sleep(2)
        return reply("too late")

    with pytest.raises(ModelAway):
        said(silent, seconds=0.2)

    async def alone() -> None:
        phrase = phraser(Served(f"http://127.0.0.1:{free_port()}/v1", "some-model", "", compact=False))
        assert phrase is not None
        try:
            await phrase(GROUP)
        finally:
            await disconnect()

    with pytest.raises(ModelAway):
        asyncio.run(alone())


@pytest.mark.parametrize(
    "answer",
    [
        web.Response(status=400, text="too long"),
        web.Response(text="<html>"),
        web.json_response({"choices": []}),
        web.json_response([]),
        reply(None),
        reply(" \n- \n"),
    ],
    ids=["refused", "no JSON", "no choice", "a list", "no content", "no word"],
)
def test_what_is_no_sentence_is_quoted_instead(answer: web.Response) -> None:
    async def answered(_: web.Request) -> web.Response:
        return answer

    with pytest.raises(NotPhrased):
        said(answered)


def test_a_loops_connections_are_closed_with_it() -> None:
    async def answer(_: web.Request) -> web.Response:
        return reply("The tea is mild.")

    said(answer)
    assert not phrasing._sessions


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("The tea is mild", "The tea is mild."),
        ('\n - "The tea is mild!"\nMore.', "The tea is mild!"),
        ("“The tea is mild.”", "The tea is mild."),
    ],
)
def test_a_reply_becomes_one_sentence(given: str, told: str) -> None:
    assert sentence(given) == told
