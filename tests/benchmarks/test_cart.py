"""The cart benchmark: both comparisons run on small data, and what cannot be compared is said."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from storewise.benchmarks import cart as benchmark
from storewise.benchmarks.peers import click_sequence
from storewise.benchmarks.report import Clock, Report
from storewise.tools.models import cart, tabular
from storewise.tools.shop.generation import Shop, ShopError, building, open_shop


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """700 visits over 150 days; who looks at few products and comes on a desktop buys more often."""
    rng = np.random.default_rng(5)
    rows = []
    for visit in range(700):
        now = pd.Timestamp("2023-12-31 20:00") - pd.Timedelta(days=int(rng.integers(150)))
        looks, phone = int(rng.integers(1, 5)), rng.random() < 0.5
        bought = rng.random() < 0.9 - 0.15 * looks - 0.2 * phone
        events = ["view_product"] * looks + ["add_to_cart", "view_cart"]
        for event in [*events, "checkout", "payment", "purchase"] if bought else events:
            now += pd.Timedelta(seconds=int(rng.integers(5, 90)))
            rows.append((f"S{visit:03d}", event, now, "phone" if phone else "desktop"))
    events = pd.DataFrame(rows, columns=["session_id", "event", "occurred_at", "device"])
    return _shop(tmp_path_factory.mktemp("visits"), events)


def _shop(home: Path, events: pd.DataFrame) -> Shop:
    with building(home) as builder:
        builder.connection.register("given", events)
        builder.connection.table("given").create("events")
        builder.connection.unregister("given")
        as_of = pd.Timestamp("2023-12-31").date()
        builder.seal(name="Made-up shop", as_of=as_of, source="made up", provenance={}, notes={})
    return open_shop(home)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few rounds, epochs and trials: what is tested is not how well they do."""
    monkeypatch.setattr(benchmark, "SEEDS", (7, 8))
    monkeypatch.setattr(benchmark, "TRIALS", 2)
    monkeypatch.setattr(benchmark, "FIRST", {"rounds": 60})
    monkeypatch.setattr(click_sequence, "EPOCHS", 2)
    monkeypatch.setattr(cart, "PARAMETERS", {**cart.PARAMETERS, "rounds": 40})


def _sessions(rows: int) -> pd.DataFrame:
    rng = np.random.default_rng(6)
    value = np.where(rng.random(rows) < 0.3, rng.exponential(20, rows), 0.0)
    pages = rng.integers(1, 40, rows)
    bought = rng.random(rows) < 0.05 + 0.5 * (value > 5)
    return pd.DataFrame(
        {
            **{kind: rng.integers(0, 5, rows) for kind in ("Administrative", "Informational")},
            "ProductRelated": pages,
            **{f"{kind}_Duration": rng.exponential(50, rows) for kind in ("Administrative", "Informational")},
            "ProductRelated_Duration": pages * rng.exponential(30, rows),
            "BounceRates": rng.uniform(0, 0.2, rows),
            "ExitRates": rng.uniform(0, 0.2, rows),
            "PageValues": value,
            "Month": rng.choice(["Feb", "June", "Nov"], rows),
            "VisitorType": rng.choice(["Returning_Visitor", "New_Visitor"], rows),
            "Weekend": rng.choice(["TRUE", "FALSE"], rows),
            "Revenue": np.where(bought, "TRUE", "FALSE"),
        }
    )


@pytest.mark.usefixtures("quick")
def test_every_method_is_scored_after_every_click_of_later_visits(shop: Shop) -> None:
    """Protects the protocol: the same clicks for all, none of a visit that began before the edge."""
    task = benchmark.clicks(shop, Clock(lambda step: None))
    _, late = cart.split(cart.visits_over(shop), cart.midnight(shop) - pd.Timedelta(weeks=cart.TEST_WEEKS))
    assert task.n == len(late) > 500
    assert set(task.peers) == {
        "always abandons",
        "logistic regression on counts",
        "LightGBM defaults on counts",
        "GRU",
        "LSTM",
    }
    assert task.peers["always abandons"] == 0.5 < task.ours
    assert all(0.5 < auc < 1 for name, auc in task.peers.items() if name != "always abandons")
    assert task.more["speed"]["clicks_a_second"] > 100
    assert json.loads(Report("cart", {"clicks": task}, {}).line())["visits"] > 0


@pytest.mark.usefixtures("quick")
def test_the_labelled_sessions_are_cross_validated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects the second comparison: each session is scored by models that have not seen it."""
    seen: list[set[int]] = []
    whole = benchmark.logistic

    def watched(learn: pd.DataFrame, y: benchmark.Floats, score: pd.DataFrame, seed: int) -> benchmark.Floats:
        seen.append(set(learn.index) & set(score.index))
        return whole(learn, y, score, seed)

    monkeypatch.setattr(benchmark, "logistic", watched)
    monkeypatch.setattr(benchmark, "SEEDS", (7,))
    monkeypatch.setattr(benchmark, "TRIALS", 1)
    task = benchmark.online_shoppers(_sessions(300), Clock(lambda step: None))
    assert seen == [set()] * benchmark.FOLDS
    assert task.n == 300
    assert task.ours > 0.6
    assert set(task.peers) == {"logistic regression", "random forest", "LightGBM defaults"}


def test_parameters_are_searched_in_the_rows_learned_from(monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects the honesty of the search: it is never shown a row that is scored."""
    table = benchmark.visit_features(_sessions(200).drop(columns="Revenue"))
    y = np.arange(200) % 3 == 0
    asked: list[pd.DataFrame] = []

    def search(table: pd.DataFrame, *_: object, **__: object) -> tuple[dict[str, float], float]:
        asked.append(table)
        return {"rounds": 10.0}, 0.5

    monkeypatch.setattr(tabular, "search", search)
    guesses = benchmark.searched(table.iloc[:150], y[:150].astype(float), table.iloc[150:], 7)
    assert len(guesses) == 50 and asked[0].index.max() < 150


def test_the_features_follow_from_the_row_alone() -> None:
    """Protects against leakage between folds: a row's features are the same whatever stands beside it."""
    columns = _sessions(50).drop(columns="Revenue")
    whole = benchmark.visit_features(columns)
    pd.testing.assert_frame_equal(whole.iloc[[7]], benchmark.visit_features(columns.iloc[[7]]))
    assert whole["Month"].isin([1, 5, 10]).all()
    assert np.isfinite(whole.drop(columns=["VisitorType"]).to_numpy(dtype=float)).all()


def test_a_later_click_changes_no_earlier_answer_of_the_recurrent_peers(shop: Shop) -> None:
    """Protects the peers' honesty: they, too, read a visit up to the click only."""
    rows = cart.visits_over(shop)
    learned = rows.head(600)
    asked = rows.tail(200)
    first = click_sequence.abandonment(learned, asked, "GRU", 7)
    short = asked.groupby("session_id").head(2)
    again = click_sequence.abandonment(learned, short, "GRU", 7)
    place = asked.index.get_indexer(short.index)
    assert np.allclose(first[place], again, atol=1e-5)
    assert 0 < roc_auc_score(~asked["bought"], first) < 1


def test_a_shop_without_clicks_or_with_few_is_told_in_a_sentence(tmp_path: Path, shop: Shop) -> None:
    """Protects people from tracebacks."""
    few = shop.query("SELECT * FROM events WHERE session_id < 'S005'")
    with pytest.raises(ShopError, match="200 visits"):
        benchmark.clicks(_shop(tmp_path / "few", few), Clock(lambda step: None))


@pytest.mark.parametrize("lacking", ["Revenue", "PageValues"])
def test_a_table_that_is_not_ucis_is_told_in_a_sentence(tmp_path: Path, lacking: str) -> None:
    """Protects people from tracebacks, before minutes of training."""
    _sessions(50).drop(columns=lacking).to_csv(tmp_path / "sessions.csv", index=False)
    with pytest.raises(ShopError, match=lacking):
        benchmark.run(tmp_path, lambda step: None)
