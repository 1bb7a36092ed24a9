"""`storewise serve | summarize | keys`: the API, a file of reviews summarized through it, and its keys."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from storewise.agent.settings import Settings

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn

    from storewise.agent.analyst import Analyst
    from storewise.agent.client import Client
    from storewise.agent.engine import Served
    from storewise.agent.job_views import JobView, Result


def add_to(group: click.Group) -> None:
    """Add the commands."""
    for command in (serve, summarize, keys):
        group.add_command(command)


def _say(text: str) -> None:
    click.echo(text, err=True)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Elsewhere than here it asks for keys.")
@click.option("--port", default=7862, show_default=True)
@click.option("--require-keys", is_flag=True, help="Ask for keys on this machine, too (behind a proxy).")
@click.option("--no-model", is_flag=True, help="Start no language model.")
def serve(host: str, port: int, require_keys: bool, no_model: bool) -> None:
    """Serve the API alone, without the page; Ctrl-C ends it. Jobs go on with the next start.

    \b
    Examples:
      storewise serve
      storewise keys create billing && storewise serve --host 0.0.0.0
    """
    from storewise.agent.api import serve as serve_api
    from storewise.agent.startup import Startup

    settings = Settings()
    startup = Startup(settings, _say_failed) if not no_model else None
    ended = threading.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, lambda *_: ended.set())
    stop = serve_api(startup or Alone(settings), settings, host, port, require_keys)
    _say(f"The API: http://{host}:{port}/v1, its description: http://{host}:{port}/docs   Ctrl-C ends it.")
    if startup is not None:
        startup.start()
    while not ended.wait(0.5):
        pass
    _say("Ending …")
    if startup is not None:
        startup.stop()
    stop()
    # Groups still being computed are not waited for: the next start does them again.
    os._exit(0)


def _say_failed(step: Any) -> None:
    if step.state in ("done", "failed"):
        _say(f"{'✓' if step.state == 'done' else '✗'} {step.title}: {step.detail}")


class Alone:
    """Behind an API that starts no model: one that runs already is used, and the shop as it is."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._analyst: Analyst | None = None

    def analyst(self) -> Analyst | None:
        from storewise.agent.analyst import Analyst
        from storewise.tools.shop.generation import NoShop, open_shop

        with self._lock:
            if self._analyst is None:
                try:
                    self._analyst = Analyst(open_shop(self._settings.home), self._settings, self.served)
                except NoShop:
                    return None
            return self._analyst

    def served(self) -> Served | None:
        from storewise.agent.engine import Served, running_engine

        settings = self._settings
        if settings.model_url and settings.model_name:
            url = settings.model_url.rstrip("/")
            key = settings.model_key or "none"
            return Served(url, settings.model_name, key, settings.call_style == "compact")
        return running_engine(settings)


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--out", type=click.Path(path_type=Path), help="Write the results here: .jsonl or .csv.")
@click.option(
    "--group-by", type=click.Choice(["product", "category", "all"]), default="product", show_default=True
)
@click.option("--length", type=click.Choice(["short", "medium", "long"]), default="medium", show_default=True)
@click.option("--url", help="The API (default: one that runs for this home, else one for this command).")
@click.option("--again", is_flag=True, help="Start anew instead of going on with the same file's last job.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON lines.")
def summarize(
    file: Path, out: Path | None, group_by: str, length: str, url: str | None, again: bool, as_json: bool
) -> None:
    """Summarize the reviews of FILE (.jsonl or .csv): what customers say, how many, and which reviews.

    A column “text” is needed; review_id, rating, product_id, category and reviewed_at are read if
    there. Ctrl-C leaves the job, and the same command follows it again. Without an API that runs
    (storewise up, storewise serve) one is served for as long as the command takes.

    \b
    Examples:
      storewise summarize reviews.csv
      storewise summarize reviews.jsonl --group-by category --out summaries.csv
      storewise summarize reviews.csv --json > summaries.jsonl
      storewise summarize reviews.csv --url https://reviews.example.com   (key: $STOREWISE_API_KEY)
    """
    from storewise.agent.client import ApiProblem

    if out is not None and out.suffix.lower() not in (".csv", ".jsonl"):
        raise click.UsageError(f"{out.name} is neither .csv nor .jsonl.")
    if out is not None and not os.access(out.parent, os.W_OK):
        raise click.UsageError(f"Nothing can be written into {out.parent}. Make the folder, or name another.")
    with _client(url) as (client, alone):
        try:
            sent = _sent(client, file, group_by, length, again)
            try:
                job = _followed(client, sent)
            except KeyboardInterrupt:
                _left(client, sent.job_id, alone)
            _show(client, job, out, as_json)
        except ApiProblem as problem:
            raise click.ClickException(str(problem)) from None


@contextmanager
def _client(url: str | None) -> Iterator[tuple[Client, bool]]:
    """Yield a client of the API at `url`, of one that runs for this home, or of one served for now (True)."""
    from storewise.agent.api import ANNOUNCED
    from storewise.agent.api import serve as serve_api
    from storewise.agent.client import ApiProblem, Client
    from storewise.agent.engine import free_port

    settings = Settings()
    if url is None:
        try:
            known = json.loads((settings.home / ANNOUNCED).read_text(encoding="utf-8"))["url"]
            with Client(known, timeout=5) as probe:
                probe.health()
            url = str(known)
        except (OSError, ValueError, KeyError, ApiProblem):
            url = None
    if url is not None:
        with Client(url) as client:
            yield client, False
        return
    port = free_port()
    stop = serve_api(Alone(settings), settings, "127.0.0.1", port)
    try:
        with Client(f"http://127.0.0.1:{port}") as client:
            yield client, True
    finally:
        stop()


def _sent(client: Client, file: Path, group_by: str, length: str, again: bool) -> JobView:
    from rich.progress import BarColumn, DownloadColumn

    with _progress(BarColumn(), DownloadColumn()) as progress:
        task = progress.add_task("sending", total=file.stat().st_size)
        asked: dict[str, Any] = {"group_by": group_by, "length": length}
        sent = partial(progress.advance, task)
        key = None if again else _key(file, group_by, length)
        job = client.upload(file, **asked, idempotency_key=key, sent=sent)
        if job.state in ("failed", "cancelled"):
            progress.reset(task)
            job = client.upload(file, **asked, sent=sent)
        return job


def _followed(client: Client, job: JobView) -> JobView:
    from rich.progress import BarColumn, MofNCompleteColumn, TimeRemainingColumn

    with _progress(BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()) as progress:
        task = progress.add_task("reading", total=None)

        def seen(job: JobView) -> None:
            counts = job.counts
            if counts.groups:
                title = job.note or f"summarizing ({counts.groups_done:,} of {counts.groups:,} groups)"
                progress.update(task, description=title, completed=counts.reviews_done, total=counts.reviews)
            else:
                progress.update(task, description=f"reading ({counts.reviews:,} reviews)")

        return client.wait(job.job_id, seen)


def _progress(*columns: ProgressColumn) -> Progress:
    from rich.console import Console
    from rich.progress import Progress, TextColumn

    return Progress(TextColumn("{task.description}"), *columns, console=Console(stderr=True))


def _left(client: Client, job_id: str, alone: bool) -> NoReturn:
    """Say how a job that is followed no longer is followed again, and end the command."""
    if alone:
        _say(f"Job {job_id} waits. The same command goes on with it, as does: storewise serve")
        # Groups still being computed are not waited for: the next start does them again.
        os._exit(130)
    _say(f"Job {job_id} goes on without this command, and the same command follows it again. To end it:")
    key = ' -H "Authorization: Bearer $STOREWISE_API_KEY"' if os.environ.get("STOREWISE_API_KEY") else ""
    _say(f"  curl -X POST{key} {client.url}/v1/jobs/{job_id}/cancel")
    raise SystemExit(130)


def _show(client: Client, job: JobView, out: Path | None, as_json: bool) -> None:
    for line in job.problems[:10]:
        _say(f"line {line.line:,}: {line.reason}")
    told = job.counts.bad_lines + job.counts.repeated + job.counts.left_out
    if told > len(job.problems[:10]):
        _say(f"… {told:,} lines in all; see {client.url}/v1/jobs/{job.job_id}/lines")
    if job.state != "done":
        raise click.ClickException(job.note or f"The job was {job.state}.")
    if job.note:
        _say(job.note)
    if out is not None:
        client.download(job.job_id, out)
        _say(f"{job.counts.groups_done:,} summaries of {job.counts.reviews:,} reviews: {out}")
        return
    for result in client.results(job.job_id):
        click.echo(result.model_dump_json() if as_json else _shown(result))


def _key(file: Path, *asked: str) -> str:
    digest = hashlib.sha256("\n".join(asked).encode())
    with file.open("rb") as opened:
        while piece := opened.read(1024 * 1024):
            digest.update(piece)
    return f"file-{digest.hexdigest()[:40]}"


def _shown(result: Result) -> str:
    lines = [click.style(f"{result.group} ({result.reviews:,} reviews)", bold=True)]
    if result.problem is not None or result.summary is None:
        return "\n".join([*lines, f"  {result.problem}"])
    for claim in result.summary.claims:
        mark = {"positive": "+", "negative": "-", "mixed": "·"}[claim.sentiment]
        ids = ", ".join(claim.review_ids[:3]) + (" …" if claim.count > 3 else "")
        lines.append(f"  {mark} {claim.text} ({claim.count:,}: {ids})")
    if not result.summary.claims:
        lines.append(f"  {result.summary.text}")
    lines += [f"  left out: {count:,} {reason}" for reason, count in result.summary.left_out.items()]
    return "\n".join(lines)


@click.group()
def keys() -> None:
    """Make, list and end the API's keys."""


@contextmanager
def _store() -> Iterator[Any]:
    from storewise.agent.job_store import JobStore

    settings = Settings()
    store = JobStore(settings.jobs_url, settings.home)
    try:
        yield store
    finally:
        store.close()


@keys.command()
@click.argument("name")
def create(name: str) -> None:
    """Make a key called NAME. It is shown once; only its hash is kept."""
    from storewise.agent.keys import create as create_key

    with _store() as store:
        click.echo(create_key(store, name[:100]))
    _say("Keep it: it is not shown again. Send it as Authorization: Bearer KEY.")


@keys.command("list")
def list_keys() -> None:
    """List the keys."""
    import datetime as dt

    from storewise.agent.keys import listed

    with _store() as store:
        for row in listed(store):
            made = dt.datetime.fromtimestamp(row["created_at"]).strftime("%Y-%m-%d")
            click.echo(
                f"{row['key_id']}  {made}  {row['name']}{'' if row['revoked_at'] is None else '  (ended)'}"
            )


@keys.command()
@click.argument("key_id")
def revoke(key_id: str) -> None:
    """End a key, by its id."""
    from storewise.agent.keys import revoke as revoke_key

    with _store() as store:
        if not revoke_key(store, key_id):
            raise click.ClickException(f"No key {key_id} is in use. Type: storewise keys list")
    _say(f"Key {key_id} is ended.")
