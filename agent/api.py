"""The API under /v1: jobs over reviews, questions, tools and search, for programs.

On this machine it asks for no key; bound elsewhere it does. `storewise up` serves it beside the page,
`storewise serve` alone.
"""

from __future__ import annotations

import asyncio
import errno
import json
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import FastAPI, Header, Query, Request
from fastapi import Path as InPath
from fastapi.responses import PlainTextResponse, Response, StreamingResponse
from prometheus_client import Gauge, generate_latest
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from storewise.agent.api_analyst import Backend, add_analyst
from storewise.agent.api_guard import ASKS, HERE, UPLOAD, Caller, Door, Frame, Metrics
from storewise.agent.http_answers import ApiError, downloaded, event, problems, streamed, tell_problems
from storewise.agent.job_store import KeyReused, State
from storewise.agent.job_views import (
    JobList,
    JobView,
    LinePage,
    ResultPage,
    csv_lines,
    json_lines,
    line_views,
    result,
    view,
)
from storewise.agent.jobs import JobError, Jobs
from storewise.agent.limits import Limits
from storewise.agent.selection import Selection, SelectionError, subjects
from storewise.agent.settings import Settings
from storewise.agent.uploads import TYPES, GroupBy, UploadError, kind_of, receive
from storewise.tools.reviews.summary import Length
from storewise.tools.shop.generation import open_shop

if TYPE_CHECKING:
    import uvicorn

ANNOUNCED = "api.json"
LOOK = 0.5  # seconds between two looks at a job that is followed
QUIET = 15.0  # seconds after which a silent stream shows that it is alive

OF_JOB = ASKS | problems(404)
JobId = Annotated[str, InPath(pattern="^job_[0-9a-f]{20}$", examples=["job_0123456789abcdef0123"])]
Replay = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[\x21-\x7e]{1,200}$",
        description="The same key and request again return the same job instead of a second one.",
    ),
]
Limit = Annotated[int, Query(ge=1, le=1000)]


class Health(BaseModel):
    """Whether the parts are up."""

    status: Literal["ok", "starting"]
    jobs: bool
    analyst: bool
    model: str | None


class _Api(FastAPI):
    """The app; where no key is needed, its description says so."""

    def openapi(self) -> dict[str, Any]:
        found = super().openapi()
        if not self.state.door.needs_key:
            for path in found["paths"].values():
                for operation in path.values():
                    if "security" in operation and {} not in operation["security"]:
                        operation["security"].append({})
        return found


def create_app(backend: Backend, jobs: Jobs, needs_key: bool = False) -> FastAPI:
    """Return the API over `jobs`, which are started and stopped elsewhere (see `serve`)."""
    metrics = Metrics()
    app = _Api(
        title="Storewise",
        version="1",
        description="Summaries of thousands of reviews, questions about a shop, its tools. "
        "A mistake is answered with application/problem+json whose `detail` says what, where and what to do.",
        responses={"default": problems(500)[500]},
    )
    app.state.door = Door(jobs.store, Limits(jobs.settings.requests_per_minute), needs_key)
    app.add_middleware(Frame, metrics=metrics)
    tell_problems(app)
    _add_jobs(app, jobs, backend)
    add_analyst(app, backend)
    _add_state(app, jobs, backend, metrics)
    return app


def _add_jobs(app: FastAPI, jobs: Jobs, backend: Backend) -> None:
    store = jobs.store

    def found(job_id: str, owner: str) -> Any:
        job = store.job(job_id, owner)
        if job is None:
            raise ApiError(404, f"There is no job {job_id} of yours. Your jobs are at /v1/jobs.")
        return job

    def admitted(owner: str, key: str | None) -> None:
        try:
            jobs.admit(owner, key)
        except JobError as error:
            raise ApiError(429, str(error), headers={"Retry-After": "30"}) from None

    def submitted(
        owner: str, request: dict[str, Any], response: Response, **more: Any
    ) -> tuple[JobView, bool]:
        try:
            job_id, new = jobs.submit(owner, request, **more)
        except KeyReused:
            detail = "This Idempotency-Key was used for another request. Take a new key for a new request."
            raise ApiError(422, detail, "header.idempotency-key") from None
        except JobError as error:
            raise ApiError(429, str(error), headers={"Retry-After": "30"}) from None
        response.headers["Location"] = f"/v1/jobs/{job_id}"
        response.status_code = 202 if new else 200
        return view(store, found(job_id, owner)), new

    @app.post("/v1/jobs", status_code=202, responses=ASKS | problems(400, 409, 413, 415), tags=["jobs"])
    def start(selection: Selection, owner: Caller, response: Response, key: Replay = None) -> JobView:
        """Start a job over the shop's reviews: products, categories, a filter, or all of them."""
        try:
            analyst = backend.analyst()
            shop = analyst.shop if analyst is not None else open_shop(jobs.settings.home)
            try:
                subjects(shop, selection)
            finally:
                if analyst is None:
                    shop.close()
        except SelectionError as error:
            raise ApiError(422, str(error), "body") from None
        return submitted(owner, selection.model_dump(mode="json"), response, key=key)[0]

    body = {"content": {kind: {"schema": {"type": "string"}} for kind in TYPES}, "required": True}

    @app.post(
        UPLOAD,
        status_code=202,
        responses=ASKS | problems(400, 408, 413, 415, 507),
        tags=["jobs"],
        openapi_extra={"requestBody": body},
    )
    async def upload(
        request: Request,
        owner: Caller,
        response: Response,
        group_by: Annotated[GroupBy, Query(description="What one summary is of.")] = "product",
        length: Length = "medium",
        key: Replay = None,
    ) -> JobView:
        """Start a job over uploaded reviews: JSON lines or CSV of up to 100 MB as the request's body.

        Columns: text [review_id, rating, product_id, category, reviewed_at]. A line that cannot be
        taken is told by its number and does not stop the rest.
        """
        kind = kind_of(request.headers.get("content-type", ""))
        announced = request.headers.get("content-length", "")
        await run_in_threadpool(admitted, owner, key)
        path = jobs.uploads / f"{time.time_ns():x}-{id(request):x}.part"
        try:
            size = int(announced) if announced.isdigit() else None
            received = await receive(request.stream(), kind, path, size)
        except ClientDisconnect:
            raise ApiError(400, "The upload was cut off. Send it again.", "body") from None
        name = f"{received.digest[:16]}-{time.time_ns():x}.{kind}"
        await run_in_threadpool(path.rename, jobs.uploads / name)
        asked = {"format": kind, "group_by": group_by, "length": length, "bytes": received.size}
        more = {"upload": name, "key": key, "fingerprint": received.digest}
        new = False
        try:
            job, new = await run_in_threadpool(lambda: submitted(owner, asked, response, **more))
        finally:
            if not new:
                (jobs.uploads / name).unlink(missing_ok=True)
        return job

    @app.get("/v1/jobs", responses=ASKS, tags=["jobs"])
    def listed(
        owner: Caller, limit: Limit = 20, before: Annotated[float | None, Query(ge=0, le=1e11)] = None
    ) -> JobList:
        """List your jobs, the newest first."""
        rows = store.listed(owner, limit, before)
        more = rows[-1]["created_at"] if len(rows) == limit else None
        return JobList(jobs=[view(store, row) for row in rows], next=more)

    @app.get("/v1/jobs/{job_id}", responses=OF_JOB, tags=["jobs"])
    def one(job_id: JobId, owner: Caller) -> JobView:
        """Return a job: its state, counts, seconds left and lines with a problem."""
        return view(store, found(job_id, owner))

    @app.get("/v1/jobs/{job_id}/events", responses=OF_JOB | streamed("JobView"), tags=["jobs"])
    async def events(job_id: JobId, owner: Caller, request: Request) -> StreamingResponse:
        """Follow a job: an event `progress` with the job at each change, `finished` at its end."""
        await run_in_threadpool(found, job_id, owner)

        async def told() -> AsyncIterator[str]:
            last, silent = "", 0.0
            while not await request.is_disconnected():
                row = await run_in_threadpool(store.job, job_id)
                if row is None:
                    return
                job = await run_in_threadpool(view, store, row)
                now = job.model_dump_json()
                ended = job.state not in ("queued", "running")
                if now != last or ended:
                    last, silent = now, 0.0
                    yield event("finished" if ended else "progress", now)
                if ended:
                    return
                await asyncio.sleep(LOOK)
                silent += LOOK
                if silent >= QUIET:
                    silent = 0.0
                    yield ": still here\n\n"

        return StreamingResponse(told(), media_type="text/event-stream")

    @app.post("/v1/jobs/{job_id}/cancel", responses=OF_JOB, tags=["jobs"])
    def cancel(job_id: JobId, owner: Caller) -> JobView:
        """End a job where it is. What is finished stays; a job that has ended stays as it is."""
        found(job_id, owner)
        jobs.cancel(job_id)
        return view(store, found(job_id, owner))

    @app.delete("/v1/jobs/{job_id}", status_code=204, responses=OF_JOB, tags=["jobs"])
    def delete(job_id: JobId, owner: Caller) -> None:
        """Delete a job with its reviews and results."""
        found(job_id, owner)
        jobs.delete(job_id)

    @app.get("/v1/jobs/{job_id}/results", responses=OF_JOB, tags=["jobs"])
    def results(
        job_id: JobId,
        owner: Caller,
        after: Annotated[int, Query(ge=-1, le=2**31 - 1)] = -1,
        limit: Limit = 50,
    ) -> ResultPage:
        """Page through the summaries, a group each; while the job runs, those that are there."""
        state: State = found(job_id, owner)["state"]
        rows = store.page(job_id, after, limit)
        more = rows[-1]["number"] if len(rows) == limit else None
        return ResultPage(state=state, results=[result(row) for row in rows], next=more)

    @app.get(
        "/v1/jobs/{job_id}/results.jsonl",
        responses=OF_JOB | downloaded("application/x-ndjson"),
        tags=["jobs"],
    )
    def as_json_lines(job_id: JobId, owner: Caller) -> StreamingResponse:
        """Download all summaries as JSON lines, a group each."""
        found(job_id, owner)
        headers = {"Content-Disposition": f'attachment; filename="{job_id}.jsonl"'}
        return StreamingResponse(
            json_lines(store, job_id), headers=headers, media_type="application/x-ndjson"
        )

    @app.get("/v1/jobs/{job_id}/results.csv", responses=OF_JOB | downloaded("text/csv"), tags=["jobs"])
    def as_csv(job_id: JobId, owner: Caller) -> StreamingResponse:
        """Download all claims as CSV, a claim each."""
        found(job_id, owner)
        headers = {"Content-Disposition": f'attachment; filename="{job_id}.csv"'}
        return StreamingResponse(
            csv_lines(store, job_id), headers=headers, media_type="text/csv; charset=utf-8"
        )

    @app.get("/v1/jobs/{job_id}/lines", responses=OF_JOB, tags=["jobs"])
    def lines(
        job_id: JobId,
        owner: Caller,
        kind: Literal["bad", "repeated", "left_out", "note"] | None = None,
        after: Annotated[int, Query(ge=-1, le=2**31 - 1)] = -1,
        limit: Limit = 100,
    ) -> LinePage:
        """Page through the lines that were not taken, are repeated, left out, or have something to note."""
        found(job_id, owner)
        rows = store.lines_of(job_id, after, limit, kind)
        return LinePage(lines=line_views(rows), next=rows[-1]["number"] if len(rows) == limit else None)

    @app.exception_handler(UploadError)
    def bad_upload(request: Request, error: UploadError) -> Response:
        return _told(request, ApiError(error.status, str(error), "body"))

    @app.exception_handler(OSError)
    def disk(request: Request, error: OSError) -> Response:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise error
        return _told(
            request, ApiError(507, "The server's disk is full. Free some space there and send it again.")
        )


def _add_state(app: FastAPI, jobs: Jobs, backend: Backend, metrics: Metrics) -> None:
    unfinished = Gauge("storewise_jobs", "Jobs that wait or run.", registry=metrics.registry)

    @app.get("/healthz", responses=problems(422), tags=["state"])
    def health() -> Health:
        """Say whether the parts are up; it needs no key."""
        analyst, served = backend.analyst() is not None, backend.served()
        return Health(
            status="ok" if jobs.ready else "starting",
            jobs=jobs.ready,
            analyst=analyst,
            model=None if served is None else served.model,
        )

    @app.get("/metrics", responses=ASKS, response_class=PlainTextResponse, tags=["state"])
    def measured(owner: Caller) -> PlainTextResponse:
        """Return what Prometheus reads."""
        unfinished.set(len(jobs.store.unfinished()))
        text = generate_latest(metrics.registry).decode()
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4; charset=utf-8")


def _told(request: Request, error: ApiError) -> Response:
    handler: Callable[[Request, Exception], Response] = request.app.exception_handlers[ApiError]
    return handler(request, error)


def serve(
    backend: Backend, settings: Settings, host: str = "127.0.0.1", port: int = 7862, needs_key: bool = False
) -> Callable[[], None]:
    """Serve the API and work on its jobs, in threads of their own; return what ends both, once it answers.

    Bound elsewhere than to this machine alone it always asks for a key.

    Raises:
        JobError: it could not be opened there, or the jobs' database does not answer.
    """
    import uvicorn

    needs_key = needs_key or host not in HERE
    try:
        jobs = Jobs(settings, backend.served)
        jobs.start()
    except SQLAlchemyError as error:
        where = "the database that STOREWISE_JOBS_URL names" if settings.jobs_url else f"{settings.home}"
        first = str(error).splitlines()[0][:200]
        raise JobError(f"Jobs cannot be kept in {where} ({first}). See: storewise doctor") from None
    app = create_app(backend, jobs, needs_key)
    config = uvicorn.Config(app, host=host, port=port, log_level="critical", timeout_graceful_shutdown=3)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=_run, args=(server,), name="api", daemon=True)
    thread.start()
    while not server.started:
        if not thread.is_alive():
            jobs.stop()
            raise JobError(f"Port {port} of {host} is taken. Type: storewise serve --port {port + 1}")
        time.sleep(0.02)
    announced = settings.home / ANNOUNCED
    mine = json.dumps({"url": f"http://{host}:{port}", "needs_key": needs_key})
    _write(announced, mine)

    def stop() -> None:
        server.should_exit = True
        thread.join(timeout=20)
        jobs.stop()
        if announced.is_file() and announced.read_text(encoding="utf-8") == mine:
            announced.unlink(missing_ok=True)

    return stop


def _run(server: uvicorn.Server) -> None:
    # A port that is taken ends in SystemExit, which would be printed.
    with suppress(SystemExit):
        server.run()


def _write(path: Path, text: str) -> None:
    aside = path.with_suffix(".partial")
    aside.write_text(text, encoding="utf-8")
    aside.replace(path)
