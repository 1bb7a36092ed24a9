"""The second of the recommender's two stages: boosted trees that weigh what speaks for each candidate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from storewise.tools.models.candidates import BATCH, FOUND, SCORES, Candidates, Signals
from storewise.tools.models.content import Content
from storewise.tools.models.purchases import Floats, Ints
from storewise.tools.models.windows import CUT, Items, Window

Matrix = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

_PAIR = (
    "times",
    "age",
    "first_age",
    "fresh_20",
    "fresh_60",
    "fresh_180",
    "times_28",
    "times_91",
    "lately_5",
    "lately_20",
    "visits_since",
    "gap_spread",
)
_CUSTOMER = ("visits", "visits_28", "visits_91", "tenure", "idle")
_PRODUCT = (
    "buyers",
    "popularity",
    "popularity_7",
    "popularity_91",
    "newcomers",
    "repeat_share",
    "back_28",
    "known_days",
)
_KIND = ("kind_times_91", "kind_fresh", "kind_age", "share_of_kind", "own_share_of_kind", "kind_back_28")
_DERIVED = ("gap", "age_to_gap", "share_of_visits", "share_of_visits_91")
_RANKS = tuple(f"rank_{name}" for name in SCORES)

FEATURES = (*_PAIR, *_DERIVED, *_CUSTOMER, *_PRODUCT, *_KIND, *SCORES, *_RANKS)
NEW_FEATURES = tuple(name for name in FEATURES if name not in (*_PAIR, *_DERIVED, "own_share_of_kind"))

# What moves a chance, in words, and the features that say it.
GROUPS = {
    "the customer's own purchases of it": (*_PAIR, *_DERIVED),
    "how often the customer comes": _CUSTOMER,
    "what the customer buys of its kind": (*_KIND, "kinds", "rank_kinds"),
    "customers of similar taste": ("alike", "rank_alike", "als", "rank_als"),
    "products bought by the same people": tuple(
        f"{before}{name}"
        for name in ("similar", "similar_lately", "ease", "ease_lately")
        for before in ("", "rank_")
    ),
    "what is bought next after the latest purchases": ("follows", "rank_follows"),
    "how popular it is": (*_PRODUCT, "popular", "rank_popular"),
}
_GROUP_OF = {name: group for group, names in GROUPS.items() for name in names}


@dataclass(frozen=True)
class ProductFacts:
    """What is known of the products and kinds alone, one value each."""

    values: dict[str, Floats]

    @classmethod
    def of(cls, signals: Signals) -> ProductFacts:
        known = signals.known
        kinds = signals.kind + 1
        before = known.times_91 - known.times_28 > 0
        again = before & (known.times_28 > 0)

        def rate(groups: npt.NDArray[np.integer[Any]], count: int) -> Floats:
            """Of those who bought between 91 and 28 days ago, the share who bought within 28 days too."""
            had = np.bincount(groups[before], minlength=count)
            back = np.bincount(groups[again], minlength=count)
            overall = back.sum() / max(1, had.sum())
            return np.asarray((back + 5 * overall) / (had + 5), dtype=np.float32)

        count = len(known.products)
        oldest = np.zeros(count, dtype=np.float32)
        np.maximum.at(oldest, known.item, known.first_age)
        repeated = np.bincount(known.item, weights=known.times > 1, minlength=count)
        return cls(
            {
                "buyers": known.share_of_customers(np.ones(len(known.item), dtype=bool)),
                "popularity": known.popularity,
                "popularity_7": known.share_of_customers(known.age < 7),
                "popularity_91": known.share_of_customers(known.age < 91),
                "newcomers": known.share_of_customers(known.first_age < 28),
                "repeat_share": np.asarray(repeated / np.maximum(known.buyers, 1), dtype=np.float32),
                "back_28": rate(known.item, count),
                "known_days": oldest,
                "share_of_kind": signals.share_of_kind,
                "kind_back_28": rate(kinds[known.item], int(kinds.max(initial=0)) + 1)[kinds],
            }
        )


@dataclass(frozen=True)
class KindFacts:
    """How much, how lately each customer bought of each kind: sorted keys with values."""

    width: int
    keys: npt.NDArray[np.int64]
    times_91: Floats
    fresh: Floats
    age: Floats

    @classmethod
    def of(cls, signals: Signals) -> KindFacts:
        known = signals.known
        width = int(signals.kind.max(initial=-1)) + 2
        keys = known.row.astype(np.int64) * width + signals.kind[known.item] + 1
        order = np.argsort(keys, kind="stable")
        found, first = np.unique(keys[order], return_index=True)
        if not len(found):
            empty = np.zeros(0, dtype=np.float32)
            return cls(width, found, empty, empty, empty)
        return cls(
            width,
            found,
            np.add.reduceat(known.times_91[order], first),
            np.add.reduceat(known.fresh_60[order], first),
            np.minimum.reduceat(known.age[order], first),
        )


@dataclass(frozen=True)
class Table:
    """Features of candidates: a row of FEATURES each."""

    candidates: Candidates
    values: Matrix

    def at(self, places: Sequence[int] | npt.NDArray[np.intp]) -> Table:
        """Return the candidates at `places`, without the scores that found them."""
        found = self.candidates
        chosen = np.asarray(places, dtype=np.intp)
        kept = Candidates(found.rows[chosen], found.items[chosen], found.pairs[chosen], {})
        return Table(kept, self.values[chosen])

    @property
    def own(self) -> npt.NDArray[np.bool_]:
        """Whether the customer bought the candidate before."""
        return self.candidates.pairs >= 0


@dataclass(frozen=True)
class Describer:
    """Makes the table of features of candidates."""

    signals: Signals
    products: ProductFacts
    kinds: KindFacts

    @classmethod
    def fit(cls, window: Window, content: Content, seed: int = 7) -> Describer:
        """Return what describes candidates on the window's last known day."""
        return cls.of(Signals.fit(window.known, window.lines, content, seed))

    @classmethod
    def of(cls, signals: Signals) -> Describer:
        """Return what describes the candidates that `signals` finds."""
        return cls(signals, ProductFacts.of(signals), KindFacts.of(signals))

    def tables(
        self, rows: Ints, allowed: Mask | None = None, own: bool = True, deep: int = FOUND
    ) -> Iterator[Table]:
        """Yield the candidates of the customers `rows` in batches, as `Signals.candidates` finds them."""
        for start in range(0, len(rows), BATCH):
            yield self.table(self.signals.candidates(rows[start : start + BATCH], allowed, own, deep))

    def table(self, found: Candidates) -> Table:
        """Return the features of the candidates."""
        known = self.signals.known
        values = np.full((len(found.items), len(FEATURES)), np.nan, dtype=np.float32)
        column = {name: values[:, index] for index, name in enumerate(FEATURES)}
        own = found.pairs >= 0
        for name in _PAIR:
            column[name][own] = getattr(known, name)[found.pairs[own]]
        for name in _CUSTOMER:
            column[name][:] = getattr(known, name)[found.rows]
        for name, facts in self.products.values.items():
            column[name][:] = facts[found.items]
        with np.errstate(divide="ignore", invalid="ignore"):
            gap = (column["first_age"] - column["age"]) / (column["times"] - 1)
            column["gap"][:] = np.where(column["times"] > 1, gap, np.nan)
            column["age_to_gap"][:] = column["age"] / column["gap"]
        column["share_of_visits"][:] = column["times"] / np.maximum(column["visits"], 1)
        column["share_of_visits_91"][:] = column["times_91"] / np.maximum(column["visits_91"], 1)
        keys = found.rows.astype(np.int64) * self.kinds.width + self.signals.kind[found.items] + 1
        place = np.minimum(np.searchsorted(self.kinds.keys, keys), len(self.kinds.keys) - 1)
        there = self.kinds.keys[place] == keys
        column["kind_times_91"][:] = np.where(there, self.kinds.times_91[place], 0)
        column["kind_fresh"][:] = np.where(there, self.kinds.fresh[place], 0)
        column["kind_age"][:] = np.where(there, self.kinds.age[place], np.nan)
        column["own_share_of_kind"][:] = column["fresh_60"] / np.maximum(column["kind_fresh"], 1e-9)
        for name in SCORES:
            column[name][:] = found.scores[name]
            column[f"rank_{name}"][:] = _ranks(found.rows, own, found.scores[name])
        return Table(found, values)


def _ranks(rows: npt.NDArray[np.int32], own: npt.NDArray[np.bool_], scores: Floats) -> Floats:
    """Return the rank of each score within its customer's own, or other, candidates; the best has 0."""
    group = rows.astype(np.int64) * 2 + own
    order = np.lexsort((-np.nan_to_num(scores, nan=-np.inf), group))
    sorted_group = group[order]
    first = np.flatnonzero(np.r_[True, sorted_group[1:] != sorted_group[:-1]]) if len(order) else order
    sizes = np.diff(np.append(first, len(order)))
    ranks = np.empty(len(order), dtype=np.float32)
    ranks[order] = np.arange(len(order)) - np.repeat(first, sizes)
    return np.where(np.isnan(scores), np.nan, ranks).astype(np.float32)


# Found by `python -m storewise.benchmarks.recommender_search` on windows that end before the benchmark's test.
PARAMETERS: dict[str, dict[str, float]] = {
    "again": {
        "rounds": 210,
        "learning_rate": 0.0242,
        "num_leaves": 20,
        "min_data_in_leaf": 1134,
        "feature_fraction": 0.387,
        "bagging_fraction": 0.776,
        "lambda_l2": 4.8,
    },
    "first": {
        "rounds": 100,
        "learning_rate": 0.0655,
        "num_leaves": 19,
        "min_data_in_leaf": 290,
        "feature_fraction": 0.512,
        "bagging_fraction": 0.823,
        "lambda_l2": 2.39,
    },
}
# The search's features with less than .3 % of all gains. Without them nDCG@10 of own products was .417 on the
# later window (.419 with them), and training takes half the time.
DROPPED = (
    "visits_since",
    "share_of_visits_91",
    "tenure",
    "buyers",
    "popularity",
    "popularity_91",
    "newcomers",
    "known_days",
    "share_of_kind",
    "own_share_of_kind",
    "similar",
    "similar_lately",
    "ease",
    "follows",
    "popular",
    *_RANKS,
)
_FIXED: dict[str, Any] = {
    "objective": "binary",
    "bagging_freq": 1,
    "max_bin": 127,
    "num_threads": 1,  # two would wait for each other whenever something else runs
    "deterministic": True,
    "force_row_wise": True,
    "verbose": -1,
}
FEWEST_BOUGHT = 200  # purchases among the candidates of a part: fewer teach no trees
PARTS = {
    "again": tuple(name for name in FEATURES if name not in DROPPED),
    "first": NEW_FEATURES,
}  # what is bought again, what is bought for the first time


@dataclass(frozen=True)
class Ranker:
    """Two ensembles of trees: for the customer's own products and for those never bought.

    Both say the chance of a purchase within the weeks they were taught, so that the two lists merge.
    """

    trees: dict[str, lgb.Booster]

    @classmethod
    def fit(cls, tables: Sequence[Table], labels: Sequence[Mask], seed: int = 7) -> Ranker:
        """Learn from the candidates of one or more windows, and whether each was bought afterwards."""
        trees = {}
        for part in PARTS:
            values, bought = part_of(part, tables, labels)
            if int(bought.sum()) >= FEWEST_BOUGHT:
                trees[part] = boost(part, values, bought, PARAMETERS[part], seed)
        return cls(trees)

    def teaches(self, own: bool) -> bool:
        """Say whether the scores of products bought before (`own`), or of others, are chances."""
        return ("again" if own else "first") in self.trees

    def scores(self, table: Table) -> npt.NDArray[np.float64]:
        """Return a score per candidate: the chance of a purchase where trees were taught.

        A part without trees comes after those with them, in the order of a fixed rule: what was bought
        lately, by the customer, else by customers alike, else by all.
        """
        column = {name: table.values[:, FEATURES.index(name)] for name in ("fresh_60", "alike", "popularity")}
        rule = np.nan_to_num(column["fresh_60"]) + 0.5 * np.nan_to_num(column["alike"])
        rule = rule + 1e-3 * column["popularity"]
        scores = np.asarray(1e-6 * rule if self.trees else rule, dtype=np.float64)
        for part, names, kept in self._parts(table):
            columns = np.array([FEATURES.index(name) for name in names])
            scores[kept] = self.trees[part].predict(
                table.values[np.ix_(np.flatnonzero(kept), columns)], num_threads=1
            )
        return scores

    def contributions(self, table: Table) -> dict[str, npt.NDArray[np.float64]]:
        """Return how much each of GROUPS moves the log-odds of each candidate (exact tree contributions).

        Lundberg et al., "From local explanations to global understanding with explainable AI for trees",
        Nature Machine Intelligence 2, 2020.
        """
        found = {group: np.zeros(len(table.values)) for group in GROUPS}
        for part, names, kept in self._parts(table):
            columns = np.array([FEATURES.index(name) for name in names])
            each = np.asarray(
                self.trees[part].predict(
                    table.values[np.ix_(np.flatnonzero(kept), columns)], pred_contrib=True, num_threads=1
                )
            )
            for index, name in enumerate(names):
                found[_GROUP_OF[name]][kept] += each[:, index]
        return found

    def save(self, folder: Path) -> None:
        """Write the trees as LightGBM's text."""
        for part in PARTS:
            (folder / f"{part}.txt").unlink(missing_ok=True)
        for part, trees in self.trees.items():
            trees.save_model(str(folder / f"{part}.txt"))

    @classmethod
    def read(cls, folder: Path) -> Ranker:
        """Read what `save` wrote.

        Raises:
            lightgbm.basic.LightGBMError: a file is not a model's.
        """
        found = [part for part in PARTS if (folder / f"{part}.txt").exists()]
        return cls({part: lgb.Booster(model_file=str(folder / f"{part}.txt")) for part in found})

    def _parts(self, table: Table) -> list[tuple[str, tuple[str, ...], npt.NDArray[np.bool_]]]:
        kept = {"again": table.own, "first": ~table.own}
        return [(part, PARTS[part], kept[part]) for part in self.trees if kept[part].any()]


def part_of(part: str, tables: Sequence[Table], labels: Sequence[Mask]) -> tuple[Matrix, Mask]:
    """Return the features and labels of the candidates that one of PARTS learns from."""
    kept = [np.flatnonzero(table.own == (part == "again")) for table in tables]
    columns = np.array([FEATURES.index(name) for name in PARTS[part]])
    values = [table.values[np.ix_(rows, columns)] for table, rows in zip(tables, kept, strict=True)]
    return np.concatenate(values), np.concatenate(
        [bought[rows] for bought, rows in zip(labels, kept, strict=True)]
    )


def boost(part: str, values: Matrix, bought: Mask, parameters: dict[str, float], seed: int) -> lgb.Booster:
    """Return the trees of one of PARTS."""
    settings: dict[str, Any] = {**_FIXED, **parameters, "seed": seed}
    rounds = int(settings.pop("rounds"))
    # The search's shop is large; in a small one as much would leave no split.
    settings["min_data_in_leaf"] = min(int(settings["min_data_in_leaf"]), max(20, len(values) // 100))
    data = lgb.Dataset(values, bought.astype(np.float64), feature_name=list(PARTS[part]))
    return lgb.train(settings, data, rounds)


def taught(window: Window, describer: Describer, rows: Ints) -> tuple[Table, Mask]:
    """Return the candidates of `rows` in one table, and whether each was bought in the window's weeks."""
    tables = list(describer.tables(rows))
    together = Table(
        Candidates(
            rows=np.concatenate([table.candidates.rows for table in tables]),
            items=np.concatenate([table.candidates.items for table in tables]),
            pairs=np.concatenate([table.candidates.pairs for table in tables]),
            scores={},
        ),
        np.concatenate([table.values for table in tables]),
    )
    return together, window.labels(together.candidates.rows, together.candidates.items)


def first(rows: Ints, found: Candidates, scores: npt.NDArray[np.float64], top: int = CUT) -> Items:
    """Return the places [len(rows), top] of each customer's best candidates by `scores`, padded with -1."""
    order = np.lexsort((-scores, found.rows))
    begins = np.searchsorted(found.rows[order], rows, side="left")
    ends = np.searchsorted(found.rows[order], rows, side="right")
    places = begins[:, None] + np.arange(top)
    inside = places < ends[:, None]
    if not len(order):
        return np.full((len(rows), top), -1, dtype=np.intp)
    return np.where(inside, order[np.minimum(places, len(order) - 1)], -1).astype(np.intp)


def bulk(describer: Describer, ranker: Ranker, rows: Ints, new: bool = False) -> Items:
    """Return each customer's CUT best products [len(rows), CUT]; with `new` none that they have bought."""
    lists = []
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        table = next(describer.tables(batch, own=not new))
        best = first(batch, table.candidates, ranker.scores(table))
        lists.append(np.where(best >= 0, table.candidates.items[best], -1))
    return np.concatenate(lists) if lists else np.zeros((0, CUT), dtype=np.intp)
