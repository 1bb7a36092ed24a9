"""A small OpenAI-compatible server that answers what a test feeds it, and keeps what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class FakeModel:
    """Replies in order; each is a text, or a dict that is the whole message (with tool_calls)."""

    def __init__(self) -> None:
        self.replies: list[str | dict[str, Any]] = []
        self.asked: list[dict[str, Any]] = []
        self.url = ""

    def feed(self, *replies: str | dict[str, Any]) -> None:
        self.replies.extend(replies)

    def users(self) -> list[str]:
        """Return the last user message of each request."""
        return [[m["content"] for m in body["messages"] if m["role"] == "user"][-1] for body in self.asked]


@contextmanager
def fake_model() -> Iterator[FakeModel]:
    """Serve a FakeModel on a free port of this machine."""
    fake = FakeModel()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            fake.asked.append(body)
            if not fake.replies:
                self.send_error(503)
                return
            reply = fake.replies.pop(0)
            message = {"role": "assistant", "content": reply} if isinstance(reply, str) else reply
            head = {"id": "x", "created": 0, "model": "fake"}
            self.send_response(200)
            if body.get("stream"):
                self.send_header("Content-Type", "text/event-stream")
                self.end_headers()
                for delta in _pieces(message):
                    chunk = {
                        **head,
                        "object": "chat.completion.chunk",
                        "choices": [{"index": 0, "delta": delta, "finish_reason": None}],
                    }
                    self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
                self.wfile.write(b"data: [DONE]\n\n")
                return
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            self.wfile.write(json.dumps({**head, "object": "chat.completion", "choices": [choice]}).encode())

        def log_message(self, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()


def _pieces(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield {"role": "assistant", "content": ""}
    text = message.get("content") or ""
    for start in range(0, len(text), 12):
        yield {"content": text[start : start + 12]}
    if calls := message.get("tool_calls"):
        yield {"tool_calls": [{"index": index, **call} for index, call in enumerate(calls)]}
