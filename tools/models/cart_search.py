"""Find the cart model's parameters: `python -m storewise.tools.models.cart_search [--seconds 600]`.

Optuna tries parameters on the shop's visits before the test weeks. What it fits learns from those over
before the last eight of these weeks and is scored on the visits of these eight, so that neither the test
weeks nor a later visit has a say. It prints what it found; the constants of `cart.py` hold it.
"""

from __future__ import annotations

import argparse
import datetime as dt

import numpy as np
import pandas as pd

from storewise.tools.models import cart, tabular
from storewise.tools.shop.generation import Shop, open_shop

ROWS = 40_000  # learned from and scored, so that a trial takes seconds


def search(shop: Shop, seconds: float) -> dict[str, tuple[dict[str, float], float]]:
    """Return the parameters found for each blend, "click" and "silence", and their AUC."""
    edge = cart.midnight(shop) - dt.timedelta(weeks=cart.TEST_WEEKS)
    known, _ = cart.split(cart.visits_over(shop), edge)
    early, late = cart.split(known, edge - dt.timedelta(weeks=cart.TEST_WEEKS))
    features, _ = cart.select(early)
    rng = np.random.default_rng(7)
    moments = {
        "click": (features, cart.at_clicks(early, rng), late),
        "silence": (
            [*features, "idle_seconds"],
            cart.after_silence(early, rng),
            cart.after_silence(late[late["items"] > 0], rng),
        ),
    }
    found = {}
    for name, (columns, learned, scored) in moments.items():
        learned, scored = (part.sample(min(len(part), ROWS), random_state=7) for part in (learned, scored))
        table = pd.concat([learned, scored], ignore_index=True)
        places = np.arange(len(table))
        found[name] = tabular.search(
            table[columns],
            ~table["bought"],
            [(places[: len(learned)], places[len(learned) :])],
            seconds / len(moments),
            monotone=cart.MONOTONE,
            groups=table["session_id"],
            fixed={"ramps": 0},
        )
    return found


def main() -> None:
    """Print what is found for the current shop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    shop = open_shop()
    for name, (parameters, auc) in search(shop, parser.parse_args().seconds).items():
        print(f"{name}: AUC {auc:.4f} {parameters}")
    shop.close()


if __name__ == "__main__":
    main()
