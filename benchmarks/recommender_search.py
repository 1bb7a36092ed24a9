"""Finds the recommender's parameters: python -m storewise.benchmarks.recommender_search [SECONDS]

Learns from two windows and scores on the one after them, of The Complete Journey and of MovieLens, all of
which end before the benchmark's test begins. The trees of products bought before are scored on the
former's own products, those of products never bought on both data sets, each beside the parameters
that `tools/models/ranking.py` holds now. Prints the best parameters as a JSON line.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import optuna
from threadpoolctl import threadpool_limits

from storewise.benchmarks import data
from storewise.benchmarks.recommender import later_fifths, movielens_content
from storewise.tools.models.content import Content
from storewise.tools.models.ranking import (
    PARAMETERS,
    PARTS,
    Describer,
    Mask,
    Matrix,
    Table,
    boost,
    first,
    part_of,
    taught,
)
from storewise.tools.models.recommender import LEARNED, MOST_LEARNED, Taught, lesson
from storewise.tools.models.windows import DAYS, Window, score

SCORED = 800  # customers
IDLE = 0.003  # a feature with a smaller share of all gains on every data set may be dropped


@dataclass(frozen=True)
class Trial:
    """What is learned from, and a later window's candidates on which it is scored."""

    lessons: list[Taught]
    window: Window
    table: Table

    @classmethod
    def of(cls, windows: list[Window], content: Content) -> Trial:
        """Return the trial on `windows`, the latest first: that one is scored."""
        scored, *earlier = windows
        lessons = [lesson(window, Describer.fit(window, content), MOST_LEARNED) for window in earlier]
        drawn = np.random.default_rng(7).permutation(len(scored.known.customers))[:SCORED]
        table, _ = taught(scored, Describer.fit(scored, content), np.sort(drawn).astype(np.int32))
        return cls(lessons, scored, table)

    def ndcg(self, part: str, parameters: dict[str, float], without: Sequence[str] = ()) -> float:
        """Return nDCG@10 of lists from one of PARTS alone, the features in `without` blanked out."""
        values, bought = self._learned(part)
        blank = [PARTS[part].index(name) for name in without]
        values[:, blank] = np.nan
        trees = boost(part, values, bought, parameters, 7)
        places = np.flatnonzero(self.table.own == (part == "again"))
        table = self.table.at(places)
        seen, _ = part_of(part, [table], [np.zeros(len(places), dtype=bool)])
        seen[:, blank] = np.nan
        rows = np.unique(self.table.candidates.rows)
        best = first(rows, table.candidates, np.asarray(trees.predict(seen, num_threads=1)))
        items = np.where(best >= 0, table.candidates.items[best], -1)
        return float(score(self.window, rows, items, new=part == "first").ndcg.mean())

    def gains(self, part: str, parameters: dict[str, float]) -> dict[str, float]:
        """Return each feature's share of what all splits gain."""
        gain = boost(part, *self._learned(part), parameters, 7).feature_importance("gain")
        return dict(zip(PARTS[part], (gain / max(gain.sum(), 1e-9)).tolist(), strict=True))

    def _learned(self, part: str) -> tuple[Matrix, Mask]:
        return part_of(part, [table for table, _ in self.lessons], [bought for _, bought in self.lessons])


def main(seconds: float = 900.0) -> None:
    """Search and print."""
    with threadpool_limits(1):
        trials = _trials()
        found = {}
        for part in PARTS:
            where = trials[:1] if part == "again" else trials
            base = [trial.ndcg(part, PARAMETERS[part]) for trial in where]

            def relative(
                trial: optuna.Trial, part: str = part, where: list[Trial] = where, base: list[float] = base
            ) -> float:
                parameters = _drawn(trial)
                gains = [one.ndcg(part, parameters) / held for one, held in zip(where, base, strict=True)]
                return float(np.mean(gains))

            study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=7))
            study.enqueue_trial(PARAMETERS[part])
            study.optimize(relative, timeout=seconds / len(PARTS))
            gains = [trial.gains(part, study.best_params) for trial in where]
            idle = [name for name in PARTS[part] if all(gain[name] < IDLE for gain in gains)]
            without = [trial.ndcg(part, study.best_params, idle) for trial in where]
            found[part] = {
                "idle": idle,
                "ndcg_without_idle": [round(value, 4) for value in without],
                "parameters": study.best_params,
                "times_as_good_as_now": round(study.best_value, 4),
                "ndcg_now": [round(value, 4) for value in base],
                "trials": len(study.trials),
            }
    print(json.dumps(found))


def _drawn(trial: optuna.Trial) -> dict[str, float]:
    return {
        "rounds": trial.suggest_int("rounds", 60, 240, step=10),
        "learning_rate": trial.suggest_float("learning_rate", 0.02, 0.15, log=True),
        "num_leaves": trial.suggest_int("num_leaves", 6, 40, log=True),
        "min_data_in_leaf": trial.suggest_int("min_data_in_leaf", 50, 1500, log=True),
        "feature_fraction": trial.suggest_float("feature_fraction", 0.15, 0.8),
        "bagging_fraction": trial.suggest_float("bagging_fraction", 0.4, 1.0),
        "lambda_l2": trial.suggest_float("lambda_l2", 0.1, 50.0, log=True),
    }


def _trials() -> list[Trial]:
    """Return the trials on The Complete Journey and on MovieLens."""
    with data.shop(None, lambda sentence: print(sentence, file=sys.stderr)) as shop:
        cutoffs = [shop.as_of - dt.timedelta(days=DAYS * back) for back in range(2, LEARNED + 3)]
        groceries = Trial.of([Window.at(shop, cutoff) for cutoff in cutoffs], Content.read(shop))
    ratings = data.movielens()
    films = Trial.of(later_fifths(ratings, LEARNED + 2)[1:], movielens_content(ratings))
    return [groceries, films]


if __name__ == "__main__":
    main(*(float(text) for text in sys.argv[1:2]))
