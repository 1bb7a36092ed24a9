"""A Python client of the API.

from storewise.agent.client import Client

with Client() as client:
    job = client.upload(Path("reviews.csv"), group_by="product")
    for result in client.results(client.wait(job.job_id).job_id):
        print(result.group, result.summary.text if result.summary else result.problem)
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from storewise.agent.answer import Answer
from storewise.agent.job_views import JobView, LineView, Result
from storewise.agent.uploads import LARGEST
from storewise.tools.finding import Finding

CHUNK = 256 * 1024  # bytes sent at once
PATIENCE = 120.0  # seconds for which a server that went away is waited for
_TYPES = {".jsonl": "application/x-ndjson", ".ndjson": "application/x-ndjson", ".csv": "text/csv"}


class ApiProblem(Exception):
    """The API answered with a problem, or not at all; the message says what, where and what to do."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


class Client:
    """Talks to one API. Threads may share it.

    `key` is sent if given, else $STOREWISE_API_KEY; on the same machine none is needed.
    """

    def __init__(
        self, url: str = "http://127.0.0.1:7862", key: str | None = None, timeout: float = 60.0
    ) -> None:
        self.url = url.rstrip("/")
        key = key or os.environ.get("STOREWISE_API_KEY")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx.Client(base_url=self.url, headers=headers, timeout=timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    # Jobs

    def summarize(self, *, idempotency_key: str | None = None, **selection: Any) -> JobView:
        """Start a job over the shop's reviews (products, categories, rating_min, …, group_by, length)."""
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return JobView.model_validate(self._json("POST", "/v1/jobs", json=selection, headers=headers))

    def upload(
        self,
        file: Path,
        *,
        group_by: str = "product",
        length: str = "medium",
        idempotency_key: str | None = None,
        sent: Callable[[int], None] | None = None,
    ) -> JobView:
        """Start a job over a file of reviews (.jsonl or .csv), sent piece by piece; `sent` hears of bytes."""
        kind = _TYPES.get(file.suffix.lower())
        if kind is None:
            raise ApiProblem(415, f"{file.name} is neither .jsonl nor .csv. Save the reviews as one of them.")
        size = file.stat().st_size
        if size > LARGEST:
            most = LARGEST // 1024**2
            raise ApiProblem(
                413, f"{file.name} is larger than {most} MB. Send it in several files, a job each."
            )
        headers = {"Content-Type": kind, "Content-Length": str(size)}
        if idempotency_key:
            headers["Idempotency-Key"] = idempotency_key

        def pieces() -> Iterator[bytes]:
            with file.open("rb") as opened:
                while piece := opened.read(CHUNK):
                    yield piece
                    if sent is not None:
                        sent(len(piece))

        asked = {"group_by": group_by, "length": length}
        found = self._json("POST", "/v1/jobs/upload", content=pieces(), headers=headers, params=asked)
        return JobView.model_validate(found)

    def job(self, job_id: str) -> JobView:
        """Return a job as it is now."""
        return JobView.model_validate(self._json("GET", f"/v1/jobs/{job_id}"))

    def events(self, job_id: str) -> Iterator[JobView]:
        """Yield a job at each change, the last time when it has ended."""
        with self._http.stream("GET", f"/v1/jobs/{job_id}/events") as response:
            if response.is_error:
                response.read()
                raise _problem(response)
            for line in response.iter_lines():
                if line.startswith("data: "):
                    yield JobView.model_validate_json(line[6:])

    def wait(self, job_id: str, seen: Callable[[JobView], None] | None = None) -> JobView:
        """Follow a job to its end and return it; a server that goes away for a while is waited for."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                for job in self.events(job_id):
                    until = time.monotonic() + PATIENCE
                    if seen is not None:
                        seen(job)
                    if job.state not in ("queued", "running"):
                        return job
            except httpx.TransportError as error:
                if time.monotonic() > until:
                    detail = f"The API went away ({error}). The job goes on when it is back: storewise serve"
                    raise ApiProblem(0, detail) from None
            time.sleep(0.5)

    def cancel(self, job_id: str) -> JobView:
        """End a job where it is."""
        return JobView.model_validate(self._json("POST", f"/v1/jobs/{job_id}/cancel"))

    def delete(self, job_id: str) -> None:
        """Delete a job with its reviews and results."""
        self._request("DELETE", f"/v1/jobs/{job_id}")

    def results(self, job_id: str, page: int = 200) -> Iterator[Result]:
        """Yield the summaries of a job, read page by page."""
        after: int | None = -1
        while after is not None:
            found = self._json("GET", f"/v1/jobs/{job_id}/results", params={"after": after, "limit": page})
            yield from (Result.model_validate(one) for one in found["results"])
            after = found["next"]

    def lines(self, job_id: str, kind: str | None = None) -> Iterator[LineView]:
        """Yield the lines with a problem, read page by page."""
        after: int | None = -1
        while after is not None:
            asked = {"after": after, "limit": 1000} | ({"kind": kind} if kind else {})
            found = self._json("GET", f"/v1/jobs/{job_id}/lines", params=asked)
            yield from (LineView.model_validate(one) for one in found["lines"])
            after = found["next"]

    def download(self, job_id: str, file: Path) -> None:
        """Write all results to `file`, as CSV if its name ends so, else as JSON lines."""
        kind = "csv" if file.suffix.lower() == ".csv" else "jsonl"
        with self._http.stream("GET", f"/v1/jobs/{job_id}/results.{kind}") as response:
            if response.is_error:
                response.read()
                raise _problem(response)
            aside = file.with_name(f"{file.name}.partial")
            with aside.open("wb") as opened:
                for piece in response.iter_bytes():
                    opened.write(piece)
            aside.replace(file)

    # Questions and tools

    def ask(self, question: str, thread: str | None = None) -> Answer:
        """Ask a question about the shop."""
        asked = {"question": question, "thread": thread}
        return Answer.model_validate(self._json("POST", "/v1/ask", json=asked))

    def stream(self, question: str, thread: str | None = None) -> Iterator[dict[str, Any]]:
        """Ask a question and yield its events as they come; the last one holds the answer."""
        asked = {"question": question, "thread": thread, "stream": True}
        with self._http.stream("POST", "/v1/ask", json=asked) as response:
            if response.is_error:
                response.read()
                raise _problem(response)
            for line in response.iter_lines():
                if line.startswith("data: "):
                    yield json.loads(line[6:])

    def tool(self, name: str, **arguments: Any) -> Finding:
        """Call a tool and return its finding."""
        return Finding.model_validate(self._json("POST", f"/v1/tools/{name}", json=arguments))

    def search(self, query: str | None = None, **more: Any) -> Finding:
        """Find the reviews nearest in meaning (product, category, sentiment, rating_min, …, since, until, top)."""
        asked = {key: value for key, value in {"query": query, **more}.items() if value is not None}
        return Finding.model_validate(self._json("GET", "/v1/reviews/search", params=asked))

    def health(self) -> dict[str, Any]:
        """Return whether the parts are up."""
        found: dict[str, Any] = self._json("GET", "/healthz")
        return found

    def _json(self, method: str, path: str, **more: Any) -> Any:
        return self._request(method, path, **more).json()

    def _request(self, method: str, path: str, **more: Any) -> httpx.Response:
        try:
            response = self._http.request(method, path, **more)
        except httpx.TransportError as error:
            detail = (
                f"No Storewise API answers at {self._http.base_url} ({error}). Start it with: storewise serve"
            )
            raise ApiProblem(0, detail) from None
        if response.is_error:
            raise _problem(response)
        return response


def _problem(response: httpx.Response) -> ApiProblem:
    try:
        detail = str(response.json()["detail"])
    except (ValueError, KeyError, TypeError):
        detail = f"The API answered {response.status_code} {response.reason_phrase}."
    return ApiProblem(response.status_code, detail)
