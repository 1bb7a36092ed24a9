"""Protects `storewise desk`: it says in a sentence what keeps it from serving, and serves page, API and component."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from storewise.agent.commands_desk import beside
from storewise.agent.desk.identity import issue
from storewise.agent.engine import free_port
from storewise.agent.settings import Settings
from storewise.tools.desk.load import load_desk
from storewise.tools.desk.records import Records
from storewise.tools.desk.store import DeskStore, open_desk
from tests.tools.desk.desk_helpers import ANN, content, write


class Silent:
    """A desk that can begin conversations, which is all that is asked of it here."""

    def __init__(self, store: DeskStore) -> None:
        self.store = store
        self.records = Records(store.engine)

    def begin(self, user_id: str) -> str:
        return self.records.begin(user_id)

    def state(self, user_id: str, conversation: str) -> None:
        return None


class Later:
    """A start whose desk comes when the test says so."""

    settled = False

    def __init__(self) -> None:
        self.found: Silent | None = None

    def desk(self) -> Silent | None:
        return self.found


def until(address: str) -> httpx.Response:
    for _ in range(400):
        try:
            return httpx.get(address)
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError(f"nothing answers at {address}")


def test_page_api_and_component_are_served_once_the_desk_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STOREWISE_HOME", str(tmp_path))
    settings, port = Settings(), free_port()
    started: Any = Later()
    stop = beside(started, settings, "127.0.0.1", port, threading.Event())
    with pytest.raises(httpx.TransportError):
        httpx.get(f"http://127.0.0.1:{port}/")
    store = open_desk("", tmp_path)
    load_desk(write(tmp_path, content()), store.engine)
    started.found = Silent(store)
    address = f"http://127.0.0.1:{port}"
    try:
        page = until(f"{address}/")
        assert "Service desk" in page.text and "frame-ancestors" in page.headers["content-security-policy"]
        token = {"authorization": f"Bearer {issue(settings, ANN)}"}
        assert httpx.post(f"{address}/v1/desk/conversations").status_code == 401
        assert httpx.post(f"{address}/v1/desk/conversations", headers=token).status_code == 201
        assert "customElements" in httpx.get(f"{address}/widget/desk_widget.js").text
        assert httpx.get(f"{address}/widget-demo").status_code == 200
    finally:
        stop()
        store.close()


def run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "storewise.agent.cli", "desk", *arguments]
    # No working folder with a .env file of somebody's own.
    environment = os.environ | {"STOREWISE_HOME": str(home)}
    return subprocess.run(command, env=environment, cwd=home, capture_output=True, text=True, timeout=120)


def test_a_taken_port_is_told_with_the_command_for_another(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = run(tmp_path, "--no-model", "--port", str(port))
    assert ended.returncode == 1
    assert f"storewise desk --port {port + 2}" in ended.stderr and "Traceback" not in ended.stderr


def test_a_desk_that_cannot_start_is_told_and_ends(tmp_path: Path) -> None:
    (tmp_path / "desk.sqlite").write_text("no database", encoding="utf-8")
    ended = run(tmp_path, "--no-model", "--port", str(free_port()))
    assert ended.returncode == 1
    assert "could not be started" in ended.stderr and "Traceback" not in ended.stderr
