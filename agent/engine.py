"""The engine: vLLM serving the tuned model, started, watched, restarted and ended by Storewise.

Or an OpenAI-compatible address that the settings name: then nothing is started here.

On a CPU the adapter is merged into the base and served compiled; on a GPU the base of the settings is
served as it is, with native tool calling (unproven: no GPU was at hand).
"""

from __future__ import annotations

import http.client
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx

from storewise.agent.settings import Settings
from storewise.finetune.adapter import SHIPPED, merged_model
from storewise.finetune.base import NAME, unpack_base
from storewise.tools.registry import analyst_tools

logger = logging.getLogger(__name__)
START_LIMIT = 900.0  # seconds; the first compilation on a slow machine is the longest part
SERVER = "vllm.entrypoints.openai.api_server"
ANNOUNCED = "engine.json"
PROBE = "Which customers are most likely to stop buying?"


class EngineError(Exception):
    """The engine cannot be had; the message says what to type next."""


@dataclass(frozen=True)
class Served:
    """A model at an address: what the analyst talks to."""

    url: str
    model: str
    key: str
    compact: bool


def gpu_found() -> bool:
    """Return whether a CUDA GPU can be used (torch is asked only where a driver is present)."""
    if not Path("/dev/nvidiactl").exists():
        return False
    import torch

    return torch.cuda.is_available()


def cpu_dtype() -> str:
    """Return the arithmetic that pays on this CPU: bfloat16 where it is multiplied in hardware.

    Measured: with AMX 1.4 times float32's speed alone and 2.3 times at 24 requests at once; on
    AVX-512 without bf16 it is three times slower.
    """
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="ignore")
    except OSError:
        return "float32"
    return "bfloat16" if "amx_bf16" in flags or "avx512_bf16" in flags else "float32"


def free_port() -> int:
    """Return a port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Engine:
    """A vLLM process and what keeps it alive. `start` returns at once; `wait` until it answers."""

    def __init__(
        self, settings: Settings, say: Callable[[str], None] = logger.info, untuned: bool = False
    ) -> None:
        """Make an engine; `untuned` serves the base instead of the tuned model, for comparison."""
        self._untuned = untuned
        self._settings = settings
        self._say = say
        self._process: subprocess.Popen[bytes] | None = None
        self._served: Served | None = None
        self._stopping = threading.Event()
        self._healthy = threading.Event()
        self._failure: str | None = None
        self._thread: threading.Thread | None = None
        self.restarts = 0

    @property
    def served(self) -> Served | None:
        """The model, once it has answered; None while there is none (yet, or just now)."""
        return self._served if self._healthy.is_set() else None

    @property
    def log(self) -> Path:
        return self._settings.home / "engine.log"

    def start(self) -> None:
        """Prepare the model and start serving it, in the background."""
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._thread.start()

    def wait(self, seconds: float = START_LIMIT) -> Served:
        """Return the served model once it answers.

        Raises:
            EngineError: it could not be started, or not within `seconds`.
        """
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self._healthy.wait(0.2) and self._served is not None:
                return self._served
            if self._failure is not None:
                raise EngineError(self._failure)
        raise EngineError(f"The engine did not answer within {seconds:.0f} s. See {self.log}.")

    def stop(self) -> None:
        """End the engine with everything it started."""
        self._stopping.set()
        self._healthy.clear()
        process = self._process
        if process is not None and process.poll() is None:
            _end(process)
        if self._thread is not None:
            self._thread.join(timeout=30)
        if self._process is not None:
            self._announce(None)

    def _run(self) -> None:
        try:
            if self._settings.model_url:
                self._use_given()
            else:
                self._serve()
        except EngineError as error:
            self._failure = str(error)
        except Exception as error:
            logger.exception("the engine could not be started")
            self._failure = f"The engine could not be started: {error}. Type: storewise doctor"

    def _use_given(self) -> None:
        settings = self._settings
        url = settings.model_url.rstrip("/")
        headers = {"Authorization": f"Bearer {settings.model_key}"} if settings.model_key else {}
        try:
            listed = httpx.get(f"{url}/models", headers=headers, timeout=10).raise_for_status().json()
            names = [str(model["id"]) for model in listed["data"]]
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise EngineError(
                f"No OpenAI-compatible model answers at {url} ({error}). Set STOREWISE_MODEL_URL to an "
                "address that ends in /v1, or unset it to use the embedded model."
            ) from None
        name = settings.model_name or (names[0] if names else "")
        if name not in names:
            raise EngineError(f"{url} serves {', '.join(names) or 'nothing'}, not '{name}'.")
        self._served = Served(url, name, settings.model_key or "none", settings.call_style == "compact")
        self._healthy.set()

    def _serve(self) -> None:
        settings = self._settings
        models = settings.home.resolve() / "models"
        models.mkdir(parents=True, exist_ok=True)
        gpu = gpu_found()
        if gpu:
            folder, name, compact = settings.gpu_model, settings.gpu_model, settings.call_style == "compact"
        elif self._untuned:
            folder, name, compact = str(unpack_base(models)), NAME, True
        else:
            self._say("preparing the model")
            merged, manifest = merged_model(SHIPPED, models, analyst_tools())
            folder, name, compact = str(merged), manifest.served_name, settings.call_style != "native"
        pid_file = settings.home / "engine.pid"
        if not self._untuned:
            end_orphan(pid_file)
        while not self._stopping.is_set():
            port = settings.engine_port or free_port()
            self._say("starting vLLM")
            self._process = self._launch(folder, name, port, gpu)
            if not self._untuned:
                pid_file.write_text(f"{self._process.pid} {os.getpid()}", encoding="ascii")
            url = f"http://127.0.0.1:{port}"
            if self._until_healthy(url):
                served = Served(f"{url}/v1", name, "none", compact)
                if not gpu and not self._untuned:
                    _prove_tuned(served)
                self._served = served
                if not self._untuned:
                    self._announce(served)
                self._healthy.set()
                self._say("answering")
                self._watch(url)
                self._healthy.clear()
                self._announce(None)
            if self._stopping.is_set():
                return
            self.restarts += 1
            if self.restarts > 5:
                raise EngineError(f"The engine died {self.restarts} times; the last words are in {self.log}.")
            logger.warning("the engine died; starting it again")
            time.sleep(min(30, 2**self.restarts))

    def _announce(self, served: Served | None) -> None:
        """Leave word where other commands of this home find a running engine."""
        path = self._settings.home / ANNOUNCED
        if served is None:
            path.unlink(missing_ok=True)
            return
        aside = path.with_suffix(".partial")
        aside.write_text(json.dumps(asdict(served)), encoding="utf-8")
        aside.replace(path)

    def _launch(self, folder: str, name: str, port: int, gpu: bool) -> subprocess.Popen[bytes]:
        environment = os.environ | {"VLLM_NO_USAGE_STATS": "1", "VLLM_LOGGING_LEVEL": "WARNING"}
        command = [
            *(sys.executable, "-m", SERVER),
            *("--model", folder, "--served-model-name", name),
            *("--host", "127.0.0.1", "--port", str(port)),
            *("--max-model-len", "2048" if not gpu else "16384", "--max-num-seqs", "32"),
        ]
        if gpu:
            command += ["--enable-auto-tool-choice", "--tool-call-parser", "hermes"]
        else:
            command += ["--dtype", cpu_dtype(), "--distributed-executor-backend", "uni"]
            environment |= {
                "HF_HUB_OFFLINE": "1",
                # One process: a worker of its own would spin on half a core while it waits.
                "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
                # With it the compiled code would be made anew at each start.
                "VLLM_USE_AOT_COMPILE": "0",
                "VLLM_CPU_KVCACHE_SPACE": "1",
                "OMP_NUM_THREADS": str(len(os.sched_getaffinity(0))),
                # Milliseconds that a thread spins when it waits: the rest of the program needs the cores, too.
                "KMP_BLOCKTIME": "1",
            }
            threads = Path(sys.prefix) / "lib" / "libiomp5.so"
            if threads.is_file():
                environment["LD_PRELOAD"] = str(threads)
        with self.log.open("ab") as log:
            # A group of its own, so that Ctrl-C reaches it through stop() alone and nothing is left over.
            return subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _until_healthy(self, url: str) -> bool:
        until = time.monotonic() + START_LIMIT
        while not self._stopping.is_set() and time.monotonic() < until:
            if self._process is None or self._process.poll() is not None:
                return False
            if _answers(url):
                return True
            time.sleep(0.5)
        return False

    def _watch(self, url: str) -> None:
        """Return when the engine has died; one that hangs for a minute is ended."""
        silent = 0
        while not self._stopping.wait(2):
            if self._process is None or self._process.poll() is not None:
                return
            silent = 0 if _answers(url) else silent + 1
            if silent >= 12:
                _end(self._process)
                return


def end_orphan(pid_file: Path) -> bool:
    """End the engine that a killed process of this home left behind; say whether there was one.

    One whose starter still lives is left alone.
    """
    try:
        pid, starter = map(int, pid_file.read_text(encoding="ascii").split())
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return False
    if SERVER.encode() not in command or Path(f"/proc/{starter}").exists():
        return False
    for sign, patience in ((signal.SIGTERM, 10), (signal.SIGKILL, 2)):
        try:
            os.killpg(pid, sign)
        except ProcessLookupError:
            return True
        until = time.monotonic() + patience
        while time.monotonic() < until and Path(f"/proc/{pid}").exists():
            time.sleep(0.1)
    return True


def running_engine(settings: Settings) -> Served | None:
    """Return the engine that another command of this home keeps running, None where none answers."""
    if settings.model_url:
        return None
    try:
        served = Served(**json.loads((settings.home / ANNOUNCED).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return served if _answers(served.url.removesuffix("/v1")) else None


def _answers(url: str) -> bool:
    # Asked every two seconds: a client of httpx alone takes 45 ms of a core to make, for its certificates.
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=5) as reply:
            return bool(reply.status == 200)
    except (OSError, http.client.HTTPException):
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    for sign, patience in ((signal.SIGTERM, 10), (signal.SIGKILL, 10)):
        try:
            os.killpg(process.pid, sign)
            process.wait(patience)
            return
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def _prove_tuned(served: Served) -> None:
    """Ask for a call without any constraint: the base model cannot write one, the tuned one does.

    Raises:
        EngineError: the base seems to answer under the adapter's name.
    """
    from storewise.prompts import prompt
    from storewise.tools.calls import CallSyntaxError, read_calls

    messages = [{"role": "system", "content": prompt("call")}, {"role": "user", "content": PROBE}]
    body = {"model": served.model, "messages": messages, "max_tokens": 24, "temperature": 0}
    said = _said(served, body)
    # The first grammar makes the engine read its whole vocabulary; no person shall wait for that.
    _said(served, body | {"structured_outputs": {"grammar": 'root ::= "none(help)"'}})
    try:
        tuned = any(call.name in analyst_tools() for call in read_calls(said))
    except CallSyntaxError:
        tuned = False
    if not tuned:
        raise EngineError(
            f"The engine answers, but not as the tuned model does (it said {said[:60]!r}). "
            "Delete the folder 'models' in $STOREWISE_HOME and type: storewise up"
        )


def _said(served: Served, body: dict[str, Any]) -> str:
    reply = httpx.post(f"{served.url}/chat/completions", json=body, timeout=120).raise_for_status().json()
    return str(reply["choices"][0]["message"]["content"])
