"""What a group of reviews says in one sentence, asked of the served model.

A bulk job asks thousands of times, beside the model on the same cores: a call by plain HTTP takes .1 ms of CPU,
one by LangChain's client 2.2.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

import aiohttp

from storewise.agent.engine import Served, gpu_found
from storewise.agent.settings import Settings
from storewise.finetune.adapter import SHIPPED, read_manifest
from storewise.prompts import prompt
from storewise.tools.reviews.groups import Group, shown

Phrase = Callable[[Group], Awaitable[str]]
LONGEST = 240  # characters of a sentence
# Seconds after which an idle connection is left: vLLM ends its own after 5.
_IDLE = 4.0
_BUSY = 429  # the status of a server that is asked too often

# A connection belongs to the event loop that opened it.
_sessions: dict[asyncio.AbstractEventLoop, aiohttp.ClientSession] = {}


class NotPhrased(Exception):
    """The model phrases no sentence for this group; it is quoted instead."""


class ModelAway(Exception):
    """No model answers just now; the message says why."""


def phrases_expected(settings: Settings) -> bool:
    """Say whether a model that phrases is to be waited for where it does not answer yet.

    The embedded one is asked when it runs, and not waited for: a job with no engine beside it quotes at once.
    """
    return bool(settings.model_url) or gpu_found()


def phraser(served: Served | None, seconds: float = 60.0) -> Phrase | None:
    """Return what phrases a group through a served model, None where claims are to be quotes.

    The embedded model is asked only if its adapter has learned to. What is returned raises `NotPhrased` where the
    model has no sentence for a group, `ModelAway` where none answers within `seconds`.
    """
    if served is None or (served.compact and "reviews" not in read_manifest(SHIPPED).prompts):
        return None

    async def phrase(group: Group) -> str:
        body = {
            "model": served.model,
            "messages": messages(group),
            "temperature": 0.0,
            "max_tokens": LONGEST // 4,
        }
        return sentence(await _reply(served, body, seconds))

    return phrase


def messages(group: Group) -> list[dict[str, str]]:
    """Return what a model is told to phrase a group, role and content each."""
    sentences = shown([quote.text for quote in group.quotes])
    return [
        {"role": "system", "content": prompt("reviews")},
        {"role": "user", "content": prompt("summarize_group", sentences=sentences)},
    ]


def sentence(reply: str) -> str:
    """Return the first line of a reply without list marks and quotation marks around it, ended by a stop.

    Raises:
        NotPhrased: there is none.
    """
    lines = [line.strip(' \t-*•"“”') for line in reply.splitlines()]
    said = next((line for line in lines if line), "")
    if not said:
        raise NotPhrased
    return said if said[-1] in ".!?" else said + "."


async def disconnect() -> None:
    """Close this event loop's connections to models."""
    session = _sessions.pop(asyncio.get_running_loop(), None)
    if session is not None:
        await session.close()


async def _reply(served: Served, body: dict[str, object], seconds: float) -> str:
    """Return what the model says.

    Raises:
        ModelAway: nothing answers, or only that it cannot just now.
        NotPhrased: it refuses, or answers something else.
    """
    try:
        async with _session().post(
            f"{served.url}/chat/completions",
            json=body,
            headers={"Authorization": f"Bearer {served.key}"},
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=seconds, sock_read=seconds),
        ) as response:
            if response.status >= 500 or response.status == _BUSY:
                raise ModelAway(f"the model's server answers with status {response.status}")
            if response.status >= 400:
                raise NotPhrased((await response.text())[:500])
            answer = await response.text()
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise ModelAway(str(error) or type(error).__name__) from error
    try:
        reply = json.loads(answer)
    except ValueError as error:
        raise NotPhrased(f"the model's server answers with no JSON: {error}") from error
    try:
        return str(reply["choices"][0]["message"]["content"] or "")
    except (KeyError, IndexError, TypeError) as error:
        raise NotPhrased(f"the model's server answers without a message: {str(reply)[:200]}") from error


def _session() -> aiohttp.ClientSession:
    loop = asyncio.get_running_loop()
    session = _sessions.get(loop)
    if session is None or session.closed:
        for ended in [one for one in list(_sessions) if one.is_closed()]:
            _sessions.pop(ended, None)
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=_IDLE)
        session = _sessions[loop] = aiohttp.ClientSession(connector=connector)
    return session
