"""`storewise desk`: the customers' desk, its page and its API, alone or beside the staff's page."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from storewise.agent.settings import Settings

if TYPE_CHECKING:
    from storewise.agent.startup import Startup, Step

PORT = 7861


def add_to(group: click.Group) -> None:
    """Add the command."""
    group.add_command(desk)


def _say(text: str) -> None:
    click.echo(text, err=True)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The desk binds here.")
@click.option("--port", default=PORT, show_default=True)
@click.option("--no-model", is_flag=True, help="Start no language model; one that runs already is used.")
def desk(host: str, port: int, no_model: bool) -> None:
    """Serve the customers' desk alone: its page and, under /v1/desk, its API. Ctrl-C ends it.

    A customer is whom a signed token names: in the address (#token=…) or in the cookie storewise_desk.
    The demo's page signs its made-up customers in.

    \b
    Examples:
      storewise desk
      storewise load --desk my-desk.json && storewise desk --host 0.0.0.0 --port 8443
    """
    from storewise.agent.engine import running_engine
    from storewise.agent.startup import Startup
    from storewise.tools.shop.generation import NoShop, open_shop

    _free(host, port)
    settings = Settings()
    startup = Startup(settings, _say_step)
    ended = threading.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, lambda *_: ended.set())
    try:
        open_shop(settings.home).close()
        shop = True
    except NoShop:
        shop = False  # its reviews are quoted where there are some; the desk does not build them
    own = bool(settings.model_url) or not (no_model or running_engine(settings))
    startup.start(engine=own, shop=shop)
    stop = beside(startup, settings, host, port, ended)
    while not ended.wait(0.5):
        if startup.settled and startup.desk() is None:
            startup.stop()
            raise click.ClickException("The desk could not be started; see above, and: storewise doctor")
    _say("Ending …")
    startup.stop()
    stop()
    os._exit(0)


def _free(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise click.ClickException(
                f"{host}:{port} cannot be bound to ({error.strerror}). Type: storewise desk --port {port + 2}"
            ) from None


def beside(
    startup: Startup, settings: Settings, host: str, port: int, ended: threading.Event
) -> Callable[[], None]:
    """Serve the desk as soon as it is there, until what is returned is called.

    Where it cannot be served, a sentence says so, and everything else goes on without.
    """
    stops: list[Callable[[], None]] = []

    def wait() -> None:
        from storewise.agent.desk.api import make_desk_app
        from storewise.ui.desk import serve
        from storewise.ui.widget import add_widget

        while (service := startup.desk()) is None:
            if startup.settled or ended.wait(0.2):
                return
        try:
            app = make_desk_app(service, settings)
            add_widget(app, service.store, settings)
            stops.append(serve(startup, host, port, app))
        except Exception as error:
            _say(f"The desk is not served: {error}")
            return
        _say(f"The desk: http://{host}:{port}")

    threading.Thread(target=wait, name="desk-opening", daemon=True).start()

    def stop() -> None:
        for end in stops:
            end()

    return stop


def _say_step(step: Step) -> None:
    if step.state in ("done", "failed"):
        _say(f"{'✓' if step.state == 'done' else '✗'} {step.title}: {step.detail}")
