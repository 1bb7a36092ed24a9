"""What every peer of the recommender is: scores of all products for a batch of customers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from storewise.tools.models.purchases import Floats, Ints
from storewise.tools.models.windows import CUT, Items, Scored, Window, score

Scorer = Callable[[Ints], Floats]  # customers -> scores [customers, products]

BATCH = 128


def lists(window: Window, scorer: Scorer, rows: Ints, tasks: Sequence[bool]) -> list[Items]:
    """Return for each task the customers' CUT best products [len(rows), CUT].

    A task is True where only products that the customer has never bought may be offered.
    """
    known = window.known
    found: list[list[Items]] = [[] for _ in tasks]
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        scores = np.array(scorer(batch), dtype=np.float32)
        for place in np.argsort(tasks, kind="stable"):
            if tasks[place]:
                for line, row in enumerate(batch):
                    scores[line, known.item[known.starts[row] : known.starts[row + 1]]] = -np.inf
            found[place].append(_first(scores))
    return [np.concatenate(parts) for parts in found]


def scored(window: Window, scorer: Scorer, rows: Ints, tasks: Sequence[bool]) -> list[Scored]:
    """Return for each task how well the lists of `scorer` do on the window's later purchases."""
    found = lists(window, scorer, rows, tasks)
    return [score(window, rows, items, new) for items, new in zip(found, tasks, strict=True)]


def fallback(window: Window) -> npt.NDArray[np.float32]:
    """Return the products' popularity, below 1e-3: it decides only where a peer is silent."""
    popular = window.known.popularity + 1e-3 * window.known.buyers / max(1, len(window.known.customers))
    return np.asarray(1e-3 * popular / max(float(popular.max(initial=0)), 1e-9), dtype=np.float32)


def _first(scores: Floats) -> Items:
    most = min(CUT, scores.shape[1])
    best = np.argpartition(-scores, most - 1, axis=1)[:, :most]
    values = np.take_along_axis(scores, best, axis=1)
    ordered = np.take_along_axis(best, np.argsort(-values, axis=1, kind="stable"), axis=1)
    # A product that may not be offered is none, however short the list.
    allowed = np.sort(values, axis=1)[:, ::-1] > -np.inf
    return np.where(allowed, ordered, -1).astype(np.intp)
