"""The table learner: exact contributions, monotone where told, calibrated, the same after saving."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from storewise.tools.models import tabular
from storewise.tools.models.tabular import Tabular, _folds, fit, search, select

QUICK = {"folds": 3, "rounds": 40, "learning_rate": 0.1}


def people(number: int, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Numbers, words, truths and gaps; the label falls with `visits` and rises with one word."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "visits": rng.gamma(2, 5, number),
            "plan": rng.choice(["monthly", "yearly", "never"], number, p=[0.5, 0.4, 0.1]),
            "senior": rng.random(number) < 0.2,
            "noise": rng.normal(size=number),
        }
    )
    odds = 1 - 0.25 * table["visits"] + 1.5 * (table["plan"] == "monthly")
    y = (rng.random(number) < 1 / (1 + np.exp(-odds))).astype(float).to_numpy()
    table.loc[rng.random(number) < 0.1, "visits"] = np.nan
    table.loc[rng.random(number) < 0.1, "plan"] = None
    return table, y


@pytest.fixture(scope="module")
def fitted() -> Tabular:
    """The blend on 1,200 people, told that more visits never raise the prediction."""
    table, y = people(1200)
    return fit(table, y, parameters=QUICK, monotone={"visits": -1})


def test_contributions_add_up_to_the_log_odds(fitted: Tabular) -> None:
    """Protects the reasons: nothing of a prediction is left unexplained, unknown words and gaps included."""
    table, _ = people(200, seed=5)
    table.loc[:20, "plan"] = "weekly"
    table.loc[10:30, "noise"] = np.nan
    parts = fitted.contributions(table)
    assert list(parts.columns) == [*table.columns, "base"]
    assert np.abs(parts.sum(axis=1) - fitted.log_odds(table)).max() < 1e-9
    assert np.allclose(fitted.probability(table), 1 / (1 + np.exp(-parts.sum(axis=1))))


@settings(max_examples=40, deadline=None)
@given(
    low=st.floats(-5, 80),
    more=st.floats(0, 80),
    noise=st.floats(-4, 4),
    plan=st.sampled_from(["monthly", "new"]),
)
def test_a_monotone_feature_never_turns(
    fitted: Tabular, low: float, more: float, noise: float, plan: str
) -> None:
    """Protects common sense between and beyond the values seen."""
    row = {"plan": plan, "senior": False, "noise": noise}
    two = pd.DataFrame([{"visits": low, **row}, {"visits": low + more, **row}])
    few, many = fitted.log_odds(two)
    assert many <= few + 1e-9


def test_saved_and_read_it_predicts_the_same(fitted: Tabular, tmp_path: Path) -> None:
    """Protects saving to the last digit; words may come back as pandas' category."""
    table, _ = people(300, seed=6)
    fitted.save(tmp_path)
    again = Tabular.read(tmp_path)
    coded = table.astype({"plan": "category"})
    assert np.array_equal(fitted.probability(table), again.probability(coded))


@pytest.mark.parametrize("broken", [tabular.MODEL, "trees_0.txt"])
@pytest.mark.parametrize("text", [None, "", "{}", "tree\n"])
def test_a_broken_model_is_an_error(fitted: Tabular, tmp_path: Path, broken: str, text: str | None) -> None:
    """Protects against half a model that predicts something."""
    fitted.save(tmp_path)
    (tmp_path / broken).unlink()
    if text is not None:
        (tmp_path / broken).write_text(text)
    with pytest.raises((OSError, ValueError)):
        Tabular.read(tmp_path)


def test_probabilities_are_calibrated_on_new_rows(fitted: Tabular) -> None:
    """Protects the word probability: as many as said, also among the likely and the unlikely."""
    table, y = people(4000, seed=9)
    p = fitted.probability(table)
    for part in (p < 0.2, (p >= 0.2) & (p < 0.5), p >= 0.5):
        assert part.sum() > 300
        assert y[part].mean() == pytest.approx(p[part].mean(), abs=0.06)


def test_the_blend_keeps_what_pays() -> None:
    """Protects the weights: sums belong to the regression, exceptions to a rule to the trees."""
    rng = np.random.default_rng(4)
    x = pd.DataFrame(rng.normal(size=(1500, 6)), columns=list("abcdef"))
    odds = x.sum(axis=1)
    added = (rng.random(1500) < 1 / (1 + np.exp(-odds))).astype(float)
    crossed = ((x["a"] > 0) ^ (x["b"] > 0)).astype(float)
    sums = fit(x, added, parameters=QUICK | {"ramps": 1})
    assert sums.linear_weight > sums.tree_weight
    crosses = fit(x, crossed, parameters=QUICK | {"num_leaves": 16})
    assert crosses.tree_weight > 1 > crosses.linear_weight
    assert roc_auc_score(crossed, crosses.probability(x)) > 0.95


def test_without_ramps_there_are_trees_alone() -> None:
    """Protects the parameter with which a regression that does not pay is left out."""
    table, y = people(400)
    trees = fit(table, y, parameters=QUICK | {"ramps": 0})
    assert trees.linear_weight == 0 and trees.tree_weight > 0
    assert np.abs(trees.contributions(table).sum(axis=1) - trees.log_odds(table)).max() < 1e-9


def test_the_same_seed_gives_the_same_model() -> None:
    """Protects repeatability; another seed is another draw."""
    table, y = people(400)
    first, second, third = (
        fit(table, y, parameters=QUICK, seed=seed).probability(table) for seed in (1, 1, 2)
    )
    assert np.array_equal(first, second) and not np.array_equal(first, third)


def test_rows_of_a_group_are_left_out_together() -> None:
    """Protects the calibration: a customer's other rows would give the answer away."""
    keys = np.repeat([f"c{n}" for n in range(30)], 4)
    y = np.tile([0.0, 1.0], 60)
    held = [hold for learn, hold in _folds(y, keys, 5, 7) if not set(keys[learn]) & set(keys[hold])]
    assert len(held) == 5 and sorted(np.concatenate(held)) == list(range(120))


def test_what_cannot_be_learned_is_said() -> None:
    """Protects from a model of nothing, and from a misspelt parameter."""
    table, y = people(50)
    with pytest.raises(ValueError, match="nothing to learn"):
        fit(table, np.zeros(50), parameters=QUICK)
    with pytest.raises(ValueError, match="leafs"):
        fit(table, y, parameters={"leafs": 3})


def test_selection_says_what_it_dropped() -> None:
    """Protects the card: a constant, a twin and mere noise go, each with its reason."""
    table, y = people(1200)
    table = table.assign(twin=3 * table["visits"] + 1, always="yes", empty=np.nan)
    kept, dropped = select(table, y, parameters=QUICK, least=0.02)
    assert {"visits", "plan"} <= set(kept)
    assert dropped["twin"] == "says the same as visits"
    assert dropped["always"] == dropped["empty"] == "never varies"
    assert set(kept) | set(dropped) == set(table.columns) and not set(kept) & set(dropped)


def test_the_search_keeps_to_its_budget_and_can_be_repeated() -> None:
    """Protects time and trust: trials are counted, and the same search finds the same parameters."""
    table, y = people(500)
    early, late = np.arange(300), np.arange(300, 500)
    runs = [search(table, y, [(early, late)], seconds=60, trials=2) for _ in range(2)]
    assert runs[0] == runs[1]
    found, area = runs[0]
    assert set(found) == set(tabular.DEFAULTS) and 0.7 < area <= 1
