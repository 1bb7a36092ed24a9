"""Commands run as a person types them, in the test's own process."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result

from storewise.agent.cli import main


def invoke(home: Path, *arguments: str, typed: str | None = None) -> Result:
    """Run a command on a home; the variable that --home writes is put back after it."""
    runner = CliRunner(env={"STOREWISE_HOME": "unused"})
    return runner.invoke(main, ["--home", str(home), *arguments], input=typed)


def run(home: Path, *arguments: str) -> tuple[int, str]:
    """Run a command on a home, and return its exit code and all that it printed."""
    result = invoke(home, *arguments)
    return result.exit_code, result.output
