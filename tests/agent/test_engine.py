"""Protects the engine: the tuned model answers, a dead process comes back, an unfit adapter is refused."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread

import httpx
import pytest

from storewise.agent.analyst import Analyst
from storewise.agent.engine import SERVER, Engine, EngineError, cpu_dtype, end_orphan, running_engine
from storewise.agent.settings import Settings
from storewise.finetune.adapter import SHIPPED, AdapterError, check_adapter, read_manifest
from storewise.finetune.base import unpack_base
from storewise.tools.registry import analyst_tools
from storewise.tools.shop.generation import Shop
from tests.agent.fake_model import fake_model


@pytest.mark.vllm
def test_the_served_model_has_the_adapters_versioned_name(engine: Engine) -> None:
    served = engine.wait()
    listed = httpx.get(f"{served.url}/models", timeout=10).json()
    assert [model["id"] for model in listed["data"]] == [read_manifest(SHIPPED).served_name]


@pytest.mark.vllm
def test_a_question_is_answered_by_the_real_model(engine: Engine, small_shop: Shop, tmp_path: Path) -> None:
    served = engine.wait()
    analyst = Analyst(small_shop, Settings(home=tmp_path, slow_seconds=60), lambda: served)
    answer = analyst.ask("How much did we sell in March?")
    assert [call.name for call in answer.calls] == ["sales_report"]
    assert answer.calls[0].args == {"metric": "revenue", "start": "2024-03-01", "end": "2024-03-31"}
    assert answer.note is None or "check" in answer.note
    assert answer.grounded


@pytest.mark.vllm
def test_a_killed_engine_comes_back(engine: Engine) -> None:
    engine.wait()
    assert engine._process is not None
    os.killpg(engine._process.pid, signal.SIGKILL)
    until = time.monotonic() + 10
    while engine.served is not None and time.monotonic() < until:
        time.sleep(0.2)
    assert engine.served is None
    served = engine.wait()
    assert engine.restarts == 1
    assert httpx.get(served.url.removesuffix("/v1") + "/health", timeout=10).status_code == 200


def test_a_given_address_is_used_and_named_when_it_is_dead(tmp_path: Path) -> None:
    engine = Engine(Settings(home=tmp_path, model_url="http://127.0.0.1:9/v1"))
    engine.start()
    with pytest.raises(EngineError, match="STOREWISE_MODEL_URL"):
        engine.wait(30)


def test_a_given_address_that_does_not_list_models_is_refused(tmp_path: Path) -> None:
    with fake_model() as fake:
        engine = Engine(Settings(home=tmp_path, model_url=fake.url))
        engine.start()
        with pytest.raises(EngineError, match="No OpenAI-compatible model"):
            engine.wait(30)


def test_a_stale_note_of_an_engine_is_not_believed(tmp_path: Path) -> None:
    note = {"url": "http://127.0.0.1:9/v1", "model": "x", "key": "none", "compact": True}
    (tmp_path / "engine.json").write_text(json.dumps(note))
    assert running_engine(Settings(home=tmp_path, model_url="")) is None


def test_the_arithmetic_is_one_that_vllm_knows() -> None:
    assert cpu_dtype() in ("float32", "bfloat16")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    prepared = os.environ.get("STOREWISE_TEST_MODELS")
    return unpack_base(Path(prepared) if prepared else tmp_path_factory.mktemp("models"))


def test_the_shipped_adapter_fits(base: Path) -> None:
    manifest = check_adapter(SHIPPED, base, analyst_tools())
    assert (SHIPPED / "adapter_model.safetensors").stat().st_size <= 10_000_000
    assert manifest.recipe["command"].startswith("storewise tune")


@pytest.mark.parametrize("change", ["base_sha256", "chat_template_sha256", "prompts", "tools"])
def test_an_adapter_of_something_else_is_refused_with_the_command(
    base: Path, tmp_path: Path, change: str
) -> None:
    folder = tmp_path / "adapter"
    folder.mkdir()
    manifest = json.loads((SHIPPED / "manifest.json").read_text())
    if isinstance(manifest[change], dict):
        name = next(iter(manifest[change]))
        manifest[change][name] = "0" * 64
    else:
        manifest[change] = "0" * 64
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(AdapterError, match="storewise tune"):
        check_adapter(folder, base, analyst_tools())


def test_an_added_tool_does_not_unfit_the_adapter(base: Path, tmp_path: Path) -> None:
    folder = tmp_path / "adapter"
    shutil.copytree(SHIPPED, folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["tools"].pop("cart_risk")
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert check_adapter(folder, base, analyst_tools()).name == "storewise"


def test_an_engine_whose_starter_was_killed_is_ended(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import time; time.sleep(120)", SERVER]
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    engine = subprocess.Popen(command, start_new_session=True)
    pid_file = tmp_path / "engine.pid"
    try:
        pid_file.write_text(f"{engine.pid} {os.getpid()}")
        assert not end_orphan(pid_file), "its starter lives"
        # A process that is gone, and one that is no engine, are let be.
        pid_file.write_text(f"{gone.pid} {gone.pid}")
        assert not end_orphan(pid_file)
        pid_file.write_text(f"{os.getpid()} {gone.pid}")
        assert not end_orphan(pid_file)
        pid_file.write_text("nonsense")
        assert not end_orphan(pid_file)
        assert engine.poll() is None
        pid_file.write_text(f"{engine.pid} {gone.pid}")
        Thread(target=engine.wait).start()
        assert end_orphan(pid_file)
        assert engine.wait(10) == -signal.SIGTERM
    finally:
        engine.kill()
