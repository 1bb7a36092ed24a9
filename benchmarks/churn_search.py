"""Finds the churn model's parameters: python -m storewise.benchmarks.churn_search [SECONDS] [TRIALS]

Learns and scores at cut-offs of The Complete Journey whose labels were all known before the first test
cut-off of `churn.py`, each scored cut-off after the days of all labels learned from. Prints the best
parameters as a JSON line; `tools/models/churn.py` holds them.
"""

from __future__ import annotations

import datetime as dt
import json
import sys

import numpy as np
import pandas as pd

from storewise.benchmarks import data
from storewise.benchmarks.churn import CUTOFFS, STEP_DAYS
from storewise.tools.models import churn, tabular
from storewise.tools.models.churn_past import FEATURES, Past
from storewise.tools.models.features import HORIZON_DAYS

SCORED = 3  # cut-offs


def main(seconds: float = 900.0, trials: int = 80) -> None:
    """Search and print."""
    with data.shop(None, lambda sentence: print(sentence, file=sys.stderr)) as shop:
        past = Past(shop, HORIZON_DAYS)
        first = shop.as_of - dt.timedelta(days=HORIZON_DAYS + STEP_DAYS * (CUTOFFS - 1))
        scored = past.before(first)[:SCORED]
        parts = [part for day in scored for part in (past.table(past.before(day)), past.table([day]))]
    table = pd.concat(parts, ignore_index=True)
    ends = np.cumsum([len(part) for part in parts])
    places = np.split(np.arange(len(table)), ends[:-1])
    found, area = tabular.search(
        table[list(FEATURES)],
        table["churned"],
        list(zip(places[::2], places[1::2], strict=True)),
        seconds,
        monotone=churn.MONOTONE,
        groups=table["customer_id"],
        trials=trials,
    )
    print(
        json.dumps({"parameters": found, "roc_auc": round(area, 5), "cutoffs": [str(day) for day in scored]})
    )


if __name__ == "__main__":
    main(
        seconds=float(sys.argv[1]) if len(sys.argv) > 1 else 900.0,
        trials=int(sys.argv[2]) if len(sys.argv) > 2 else 80,
    )
