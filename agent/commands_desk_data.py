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


@click.command()
@click.argument("customer_id")
@click.option("--yes", is_flag=True, help="Do not ask before erasing.")
def erase(customer_id: str, yes: bool) -> None:
    """Erase a customer everywhere, and say what was erased and what is out of reach.

    Their account, addresses and payment methods at the desk, their conversations and feedback, their rows in the
    shop's tables with the models and the index learned from them, and what the analyst was told of them. Orders
    of the desk stay for the books, as nobody's.

    \b
    Examples:
      storewise erase 900
      storewise erase sara_doe_496 --yes
    """
    from storewise.tools.desk import erase as erasing
    from storewise.tools.desk.store import DATABASE, connect
    from storewise.tools.fit import fit
    from storewise.tools.shop.generation import home as home_of

    settings = Settings()
    home = home_of(settings.home)
    desk = bool(settings.desk_url) or (home / DATABASE).is_file()
    engine = connect(settings.desk_url, home) if desk else None

    def say(sentence: str) -> None:
        click.echo(sentence, err=True)

    try:
        found = erasing.find(customer_id, home, engine)
        if found:
            say(erasing.summary(found))
        else:
            say(
                f"There is no customer {customer_id} at the desk or in the shop; looking for what else names them."
            )
        if not yes:
            click.confirm("Go on?", abort=True, err=True)
        done = erasing.erase(found, home, engine, lambda shop: fit(shop, say, settings.churned_after), say)
    finally:
        if engine is not None:
            engine.dispose()
    click.echo(done.text())


def add_to(main: click.Group) -> None:
    """Add the commands to the command line."""
    main.add_command(erase)
