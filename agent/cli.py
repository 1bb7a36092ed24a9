"""The command line: `storewise up | serve | load | fit | ask | summarize | keys | evaluate | …`.

Heavy libraries are imported inside the commands, so that `--help` answers at once.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from storewise.agent import commands_desk, commands_desk_data, commands_summarize
from storewise.agent.settings import Settings
from storewise.benchmarks import commands as benchmarks

if TYPE_CHECKING:
    from storewise.agent.analyst import Analyst
    from storewise.agent.engine import Served
    from storewise.agent.startup import Startup, Step

EXAMPLES = """
\b
Examples:
  storewise up                              the demo shop, the model and the page on port 7860
  storewise load my-shop/                   your own tables, CSV or Parquet
  storewise load --desk my-desk.json        the service desk's customers and orders
  storewise desk                            the customers' desk alone, on port 7861
  storewise ask "What did we sell in March?"
  storewise ask "Will customer 900 leave?" --json
  storewise summarize reviews.csv           what customers say, how many, and which reviews
  storewise doctor                          what works, what does not, what to type next
"""


class _Group(click.Group):
    """Shows an expected error as its one sentence, never as a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except KeyboardInterrupt:
            raise click.Abort() from None
        except Exception as error:
            if os.environ.get("STOREWISE_DEBUG"):
                raise
            expected = type(error).__module__.startswith("storewise.")
            text = str(error) if expected else f"{type(error).__name__}: {error}. Type: storewise doctor"
            raise click.ClickException(text) from None


@click.group(cls=_Group, epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="storewise")
@click.option("--home", type=click.Path(path_type=Path), help="The folder of the shop (default: .storewise).")
@click.option("-v", "--verbose", is_flag=True, help="Say more about what happens.")
def main(home: Path | None, verbose: bool) -> None:
    """Talk to your shop's data: every figure in an answer comes from a tool."""
    if home is not None:
        os.environ["STOREWISE_HOME"] = str(home)
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    logging.basicConfig(level=logging.INFO if verbose else logging.ERROR, format="%(message)s")


def _say(text: str) -> None:
    click.echo(text, err=True)


def _say_step(step: Step) -> None:
    mark = {"running": "…", "done": "✓", "skipped": "✓", "failed": "✗", "waiting": " "}[step.state]
    seconds = f"{step.seconds:6.1f} s" if step.state in ("done", "failed") else "        "
    _say(f"{mark} {seconds}  {step.title}{': ' + step.detail if step.detail else ''}")


@contextmanager
def _analyst(with_model: bool = True) -> Iterator[tuple[Analyst, Served | None]]:
    """Yield the analyst of the current shop with a model: one that runs already, else one started for now."""
    from storewise.agent.analyst import Analyst
    from storewise.agent.engine import Engine, EngineError, running_engine
    from storewise.tools.shop.generation import open_shop

    settings = Settings()
    shop = open_shop(settings.home)
    served: Served | None = None
    engine: Engine | None = None
    try:
        if with_model:
            served = running_engine(settings)
            if served is None:
                if not settings.model_url:
                    _say("No engine runs here (storewise up keeps one): starting one for this command …")
                engine = Engine(settings)
                engine.start()
                try:
                    served = engine.wait()
                except EngineError as error:
                    _say(f"{error} Going on without the model.")
        yield Analyst(shop, settings, lambda: served), served
    finally:
        if engine is not None:
            engine.stop()


commands_summarize.add_to(main)
commands_desk_data.add_to(main)
commands_desk.add_to(main)


DESK_AFTER, API_AFTER = 1, 2  # from the page's port to the desk's and the API's: 7860, 7861 and 7862


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The page binds here.")
@click.option(
    "--port", default=7860, show_default=True, help="The page's port; the desk and the API have the next two."
)
def up(host: str, port: int) -> None:
    """Open the staff's page, with the customers' desk and the API beside it; Ctrl-C ends all, with the engine."""
    import socket

    from storewise.agent.startup import Startup

    if host not in ("127.0.0.1", "localhost", "::1"):
        raise click.ClickException(
            "The staff page has no sign-in yet, so it binds to this machine alone. Type: storewise up"
        )
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            raise click.ClickException(
                f"Port {port} is taken. Type: storewise up --port {port + 1}"
            ) from None
    began = time.monotonic()
    startup = Startup(Settings(), _say_step)
    from storewise.ui.app import serve

    ended = threading.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, lambda *_: ended.set())
    stop_page = serve(startup, host=host, port=port)
    _say(f"The page: http://{host}:{port} (after {time.monotonic() - began:.1f} s)")
    startup.start()
    stop_desk = commands_desk.beside(startup, Settings(), host, port + DESK_AFTER, ended)
    stop_api = _api_beside(startup, host, port + API_AFTER)
    told = False
    while not ended.wait(0.5):
        if startup.settled and not told:
            told = True
            state = "Everything is up" if startup.ready else "Up, with the failures above"
            _say(f"{state} after {time.monotonic() - began:.0f} s. http://{host}:{port}   Ctrl-C ends it.")
    _say("Ending …")
    startup.stop()
    stop_desk()
    stop_api()
    stop_page()
    # Summaries still being computed are not waited for: the next start does them again.
    os._exit(0)


def _api_beside(startup: Startup, host: str, port: int) -> Callable[[], None]:
    """Serve the API beside the page; where its port is taken the page goes on without."""
    from storewise.agent.api import serve as serve_api
    from storewise.agent.jobs import JobError

    try:
        stop = serve_api(startup, Settings(), host, port)
    except JobError as error:
        _say(str(error))
        return lambda: None
    _say(f"The API: http://{host}:{port}/v1")
    return stop


@main.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False), required=False)
@click.option("--demo", is_flag=True, help="Load the demo shop instead of a folder.")
@click.option(
    "--desk", metavar="FILE|demo", help="Load the service desk's shop from a JSON file, or its demo."
)
def load(folder: Path | None, demo: bool, desk: str | None) -> None:
    """Load a shop's tables from FOLDER (CSV or Parquet): checked, modelled, indexed, then put in place.

    The shop before stays as it is until the new one is whole; `storewise back` returns to it.

    \b
    Examples:
      storewise load my-shop/
      storewise load --demo
      storewise load --desk my-desk.json
    """
    from storewise.tools.shop.generation import home

    if (folder is not None) + demo + (desk is not None) != 1:
        raise click.UsageError("Name a folder, or --demo, or --desk FILE.")
    if desk is not None:
        commands_desk_data.load(desk, _say)
        return
    if demo:
        from storewise.tools.fit import fit
        from storewise.tools.shop.demo import build_demo
        from storewise.tools.shop.generation import building

        with building(home()) as builder:
            fit(build_demo(builder, _say), _say, Settings().churned_after)
        _say("The demo shop is loaded.")
        return
    from storewise.tools.fit import fit
    from storewise.tools.shop.load import load_folder

    assert folder is not None
    churned_after = Settings().churned_after
    report = load_folder(folder, home(), _say, then=lambda shop: fit(shop, _say, churned_after))
    click.echo(report.text())
    if not report.loaded:
        raise click.exceptions.Exit(1)


@main.command()
def fit() -> None:
    """Train the models and index the reviews of the current shop, as far as not done already.

    \b
    Examples:
      storewise fit
      STOREWISE_CHURNED_AFTER=90 storewise fit              gone after 90 days without an order
      STOREWISE_CHURNED_AFTER="own rhythm" storewise fit    gone after each customer's own limit
    """
    from storewise.tools.fit import fit as fit_shop
    from storewise.tools.shop.generation import open_shop

    began = time.monotonic()
    fit_shop(open_shop(), _say, Settings().churned_after)
    _say(f"Done after {time.monotonic() - began:.0f} s.")


@main.command()
@click.argument("question")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--thread", help="Go on with a conversation of this name.")
@click.option("--no-model", is_flag=True, help="Answer from the shortlist and the findings alone.")
def ask(question: str, as_json: bool, thread: str | None, no_model: bool) -> None:
    """Ask one question about the shop.

    \b
    Examples:
      storewise ask "Which customers are we about to lose?"
      storewise ask "Will customer 1228 stop buying?" --thread monday
      storewise ask "And customer 900?" --thread monday --json
    """
    with _analyst(with_model=not no_model) as (analyst, _):
        answer = analyst.ask(question, thread)
    if as_json:
        click.echo(json.dumps(answer.model_dump(mode="json"), ensure_ascii=False))
        return
    for call in answer.calls:
        arguments = ", ".join(f"{name}={value}" for name, value in call.args.items())
        click.echo(click.style(f"→ {call.name}({arguments})", dim=True))
    click.echo(answer.answer)
    for finding in answer.findings:
        if finding.caveat:
            click.echo(click.style(finding.caveat, dim=True))
    known = "the model's words, checked" if answer.phrased_by == "model" else "the findings' own sentences"
    click.echo(click.style(f"({known}; {answer.seconds.total:.1f} s)", dim=True))
    if answer.note:
        click.echo(answer.note)


@main.group()
def evaluate() -> None:
    """Evaluate the analyst on questions with their right calls."""


@evaluate.command()
@click.option("--questions", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=True)
@click.option("--out", type=click.Path(path_type=Path), help="Write the calls here, a JSON line a question.")
@click.option("--no-model", is_flag=True, help="The shortlist alone.")
def routing(questions: Path, out: Path | None, no_model: bool) -> None:
    """Which tools are called, with which arguments; ends with one JSON line.

    \b
    Example:
      storewise evaluate routing --questions finetune/questions/dev.jsonl --out calls.jsonl
    """
    from storewise.agent.evaluation import read_questions, routing_report

    asked = read_questions(questions)
    with _analyst(with_model=not no_model) as (analyst, served), _bar(len(asked), "asking") as done:
        report = routing_report(analyst, served, asked, out, done)
    click.echo(json.dumps(report))


@contextmanager
def _bar(total: int, title: str) -> Iterator[Any]:
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task(title, total=total)
        yield lambda: progress.advance(task)


@main.group()
def benchmark() -> None:
    """Measure this Storewise: models, the check, whole answers. Each ends with one JSON line."""


benchmarks.add_to(benchmark)


@benchmark.command("ask")
@click.option("--questions", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=True)
@click.option("--out", type=click.Path(path_type=Path), help="Write the answers here, a JSON line each.")
def benchmark_ask(questions: Path, out: Path | None) -> None:
    """Ask questions end to end, one after the other: right, phrased, replaced, seconds."""
    import statistics

    from storewise.agent.evaluation import evaluate_answers, read_questions

    asked = read_questions(questions)
    with _analyst() as (analyst, served), _bar(len(asked), "asking") as done:
        analyst.warm()
        results = list(evaluate_answers(analyst, asked, done))
    if out is not None:
        lines = (json.dumps(result, ensure_ascii=False) for result in results)
        out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    totals = [result["seconds"]["total"] for result in results]
    firsts = [s for result in results if (s := result["seconds"]["first"]) is not None]
    called = [result for result in results if result["calls"]]
    report = {
        "n": len(results),
        "model": served.model if served else None,
        "routed": sum(result["routed"] for result in results),
        "exact": sum(result["exact"] for result in results),
        "with_calls": len(called),
        "phrased_by_model": sum(result["phrased_by"] == "model" for result in called),
        "replaced_by_check": sum("check" in (result["note"] or "") for result in called),
        "seconds_to_headline": {
            "median": round(statistics.median(firsts), 2),
            "worst": round(max(firsts), 2),
        },
        "seconds": {"median": round(statistics.median(totals), 2), "worst": round(max(totals), 2)},
    }
    click.echo(json.dumps(report))


@benchmark.command("routing")
@click.option("--questions", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=True)
@click.option("--base/--no-base", default=True, show_default=True, help="Serve and ask the base model too.")
def benchmark_routing(questions: Path, base: bool) -> None:
    """Each part of routing alone: shortlist, tuned model, both; and the base model under the same grammar."""
    from storewise.agent.engine import Engine
    from storewise.agent.evaluation import read_questions, routing_report, shortlist_report

    asked = read_questions(questions)
    report: dict[str, Any] = {}
    with _analyst() as (analyst, served):
        report["shortlist"] = shortlist_report(analyst, asked)
        report["shortlist, arguments read off"] = routing_report(analyst, None, asked, None)
        if served is not None:
            report["model"] = routing_report(analyst, served, asked, None, shortlisted=False)
            report["both"] = routing_report(analyst, served, asked, None)
        if base and served is not None:
            engine = Engine(Settings(), untuned=True)
            engine.start()
            try:
                plain = engine.wait()
                report["base"] = routing_report(analyst, plain, asked, None, shortlisted=False)
                report["shortlist and base"] = routing_report(analyst, plain, asked, None)
            finally:
                engine.stop()
    click.echo(json.dumps(report))


@benchmark.command("nearness")
@click.option("--questions", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=True)
@click.option("--calls", default=8000, show_default=True, help="How many examples of calls, as in tune.")
def benchmark_nearness(questions: Path, calls: int) -> None:
    """How near each question is to its nearest training example."""
    from storewise.agent.evaluation import read_questions
    from storewise.finetune.examples import make_examples
    from storewise.finetune.nearness import nearness
    from storewise.finetune.tune import SEED, WISHES
    from storewise.tools.shop.generation import open_shop

    examples = make_examples(WISHES, open_shop(), calls, SEED)
    asked = [question.question for question in read_questions(questions)]
    click.echo(json.dumps(nearness(asked, [example.question for example in examples])))


@benchmark.command("models")
def benchmark_models() -> None:
    """The current shop's models on later data beside their peers, as measured when they were trained."""
    from storewise.tools.fit import cards
    from storewise.tools.shop.generation import open_shop

    click.echo(json.dumps({card.name: card.model_dump(mode="json") for card in cards(open_shop())}))


@benchmark.command("grounding")
@click.argument("cases", type=click.Path(path_type=Path, exists=True, file_okay=False))
def benchmark_grounding(cases: Path) -> None:
    """The grounding check on made-up wrong answers and right ones (tests/agent/grounding/cases)."""
    from storewise.agent.grounding.measure import measure

    click.echo(json.dumps(measure(cases)))


@benchmark.command("kills")
@click.option("--moments", default=20, show_default=True, help="How often something is killed.")
@click.option("--log", type=click.Path(path_type=Path), help="Write the moments here, a JSON line each.")
@click.option("--engine", is_flag=True, help="The model is vLLM with the tuned model, not a small server.")
def benchmark_kills(moments: int, log: Path | None, engine: bool) -> None:
    """Kill the app and its model while jobs run: nothing lost, doubled or paid for again.

    \b
    Examples:
      storewise benchmark kills --log kills.jsonl
      storewise benchmark kills --engine --log kills.jsonl
    """
    from storewise.benchmarks.kills import run

    report = run(moments, say=_say, log=log, real=engine)
    click.echo(json.dumps(report))
    if report["wrong"]:
        raise SystemExit(1)


@main.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path("finetune/adapters/storewise"))
@click.option("--calls", default=16000, show_default=True, help="How many examples of calls.")
@click.option("--answers", default=2500, show_default=True, help="How many examples of answers.")
@click.option("--claims", default=2500, show_default=True, help="How many examples of what reviews say.")
@click.option("--desk", default=2600, show_default=True, help="How many examples of what customers say.")
@click.option("--polarity", default=0, show_default=True, help="How many examples of praise and blame.")
@click.option(
    "--sentences",
    type=click.Path(path_type=Path),
    help="hutto_ICWSM_2014, the rated sentences that --polarity draws from.",
)
@click.option(
    "--version", default=1, show_default=True, help="The adapter's version, part of its served name."
)
def tune(
    out: Path,
    calls: int,
    answers: int,
    claims: int,
    desk: int,
    polarity: int,
    sentences: Path | None,
    version: int,
) -> None:
    """Make the training examples and tune the adapter and its shortlists; Ctrl-C and the same command go on.

    \b
    Example:
      storewise tune --out finetune/adapters/storewise
    """
    from storewise.finetune.tune import tune as run

    click.echo(json.dumps(run(out, calls, answers, claims, version, _say, polarity, sentences, desk)))


@main.command()
def back() -> None:
    """Go back to the shop's generation before the current one."""
    from storewise.tools.shop.generation import back as go_back

    _say(f"The shop is now generation {go_back()}. A running page shows it after its next start.")


@main.command()
def doctor() -> None:
    """Say what works, what does not, and what to type next."""
    from storewise.agent.doctor import examine

    checks = examine(Settings())
    for check in checks:
        click.echo(f"{'✓' if check.well else '✗'} {check.title}: {check.detail}")
        if check.next_command:
            click.echo(f"    type: {check.next_command}")
    if not all(check.well or check.optional for check in checks):
        sys.exit(1)


if __name__ == "__main__":
    main()
