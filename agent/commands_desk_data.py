"""`storewise load --desk` and `storewise erase`: filling the desk, and taking a customer out of everything."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from storewise.agent.settings import Settings


def load(source: str, say: Callable[[str], None]) -> None:
    """Replace the desk's shop with that of a JSON file, or with the demo; conversations stay."""
    from storewise.tools.desk.demo import NOTE, load_demo
    from storewise.tools.desk.load import load_desk
    from storewise.tools.desk.store import connect

    settings = Settings()
    engine = connect(settings.desk_url, settings.home)
    try:
        loaded = load_demo(engine) if source == "demo" else load_desk(Path(source), engine)
    finally:
        engine.dispose()
    say(
        f"The desk is loaded: {loaded.users:,} customers, {loaded.orders:,} orders, "
        f"{loaded.products:,} products in {loaded.variants:,} variants."
    )
    if source == "demo":
        say(NOTE)


def add_to(main: click.Group) -> None:
    """Add the commands to the command line."""
