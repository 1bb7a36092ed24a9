"""The model of the kill test: a process that is killed, behind a counter that is not.

The counter forwards what the app asks and writes down what was answered, so that a sentence asked for
twice is noticed. The model is a small server that repeats the first quote it is shown, or the real engine.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

import httpx
import psutil

from storewise.agent.engine import Engine, Served, free_port
from storewise.agent.settings import Settings

SECONDS = 0.1  # that the small server takes for an answer


@dataclass
class Asked:
    """What the model was asked and what it answered, None if it has not or died at it."""

    prompt: str
    reply: str | None = None


class Counter:
    """Stands between the app and the model, forwards, and keeps what was asked."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.target: Served | None = None
        counter = self

        class Forward(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                answer = counter.forwarded(body)
                if answer is None:
                    # As a dead model's port would: no answer at all.
                    self.close_connection = True
                    return
                _answer(self, answer)

            def log_message(self, *_: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Forward)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def forwarded(self, body: dict[str, Any]) -> bytes | None:
        """Ask the model; return its answer, None if it gives none."""
        target, answer = self.target, None
        # Written down when it is asked: an answer may come after its asker was killed.
        asked = Asked(str(body["messages"][-1]["content"]))
        self.asked.append(asked)
        if target is not None:
            with suppress(httpx.HTTPError, KeyError, ValueError, IndexError):
                url = f"{target.url}/chat/completions"
                response = httpx.post(
                    url, json=body | {"model": target.model}, timeout=120
                ).raise_for_status()
                asked.reply = str(response.json()["choices"][0]["message"]["content"])
                answer = response.content
        return answer

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()


class Model(Protocol):
    """A model that can be killed."""

    def start(self) -> Served: ...
    def kill(self) -> None: ...


class Small:
    """The small server, as a process of its own."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Served:
        """Start it and return where it answers."""
        port = free_port()
        command = [sys.executable, "-m", "storewise.benchmarks.kills_model", str(port)]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        return Served(f"http://127.0.0.1:{port}/v1", "repeats", "none", compact=False)

    def kill(self) -> None:
        """Kill it as kill -9 does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


class Real:
    """The engine that Storewise starts: vLLM with the tuned model."""

    def __init__(self) -> None:
        self._engine: Engine | None = None

    def start(self) -> Served:
        """Start it and return where it answers, once it does."""
        self._engine = Engine(Settings())
        self._engine.start()
        return self._engine.wait()

    def kill(self) -> None:
        """Kill all processes of the engine as kill -9 does."""
        for process in psutil.Process(os.getpid()).children():
            if any("vllm.entrypoints" in part for part in process.cmdline()):
                for one in (*process.children(recursive=True), process):
                    one.kill()
        if self._engine is not None:
            self._engine.stop()


class _Repeats(BaseHTTPRequestHandler):
    """Repeats the first quote of what it is asked."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        asked = str(body["messages"][-1]["content"])
        time.sleep(SECONDS)
        quotes = [line.strip("-• ").strip() for line in asked.splitlines() if line.strip().startswith("-")]
        message = {"role": "assistant", "content": quotes[0] if quotes else asked.splitlines()[-1]}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        reply = {
            "id": "x",
            "object": "chat.completion",
            "created": 0,
            "model": "repeats",
            "choices": [choice],
        }
        _answer(self, json.dumps(reply).encode())

    def log_message(self, *_: Any) -> None:
        return


def _answer(handler: BaseHTTPRequestHandler, answer: bytes) -> None:
    # Who asked may have been killed meanwhile.
    with suppress(OSError):
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(answer)))
        handler.end_headers()
        handler.wfile.write(answer)


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), _Repeats).serve_forever()
