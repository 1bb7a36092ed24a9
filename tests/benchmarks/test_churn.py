"""The churn benchmark: figures as defined, everybody trained on the past alone, and a sentence for tiny shops."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from storewise.benchmarks import churn
from storewise.benchmarks.peers.alive import bg_nbd
from storewise.tools.models.rhythm import Visits
from storewise.tools.shop.generation import ShopError


def write_shop(folder: Path, customers: int, days: int) -> Path:
    """Customers come in a rhythm of their own; a third stop for good."""
    rng = np.random.default_rng(2)
    rows = []
    for who in range(customers):
        rhythm, day = rng.uniform(4, 20), rng.uniform(0, 10)
        end = rng.uniform(60, days) if rng.random() < 0.35 else days
        while day < end:
            moment = pd.Timestamp("2023-01-01") + pd.Timedelta(days=int(day))
            rows.append((f"o{who}-{day:.2f}", f"c{who:03d}", f"p{rng.integers(9)}", moment, 1, 5.0 + who % 7))
            day += rhythm * rng.lognormal(0, 0.4)
    columns = ["order_id", "customer_id", "product_id", "ordered_at", "quantity", "amount"]
    folder.mkdir()
    pd.DataFrame(rows, columns=columns).to_csv(folder / "orders.csv", index=False)
    products = [(f"p{n}", f"Thing {n}", "Things") for n in range(9)]
    pd.DataFrame(products, columns=["product_id", "name", "category"]).to_csv(
        folder / "products.csv", index=False
    )
    return folder


def test_figures_are_those_of_the_definitions() -> None:
    """Protects the reported figures on cases counted by hand."""
    y = np.array([1, 1, 0, 0, 0, 0, 0, 0, 0, 0], dtype=bool)
    p = np.array([0.9, 0.3, 0.4, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1])
    found = churn.figures(y, p)
    assert found["roc_auc"] == pytest.approx(15 / 16)
    assert found["average_precision"] == pytest.approx((1 + 2 / 3) / 2)
    assert found["lift_in_top_decile"] == pytest.approx(5)
    assert found["brier_skill_score"] == pytest.approx(1 - ((0.01 + 0.49 + 0.16 + 7 * 0.01) / 10) / 0.16)


def test_the_slope_tells_bold_from_timid() -> None:
    """Protects the calibration slope: 1 for true probabilities, below 1 for exaggerated ones."""
    rng = np.random.default_rng(1)
    odds = rng.normal(-1, 1.5, 20000)
    y = rng.random(20000) < 1 / (1 + np.exp(-odds))
    assert churn.figures(y, 1 / (1 + np.exp(-odds)))["calibration_slope"] == pytest.approx(1, abs=0.05)
    assert churn.figures(y, 1 / (1 + np.exp(-2 * odds)))["calibration_slope"] == pytest.approx(0.5, abs=0.03)


def test_a_shops_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects the whole path on a small shop: peers by name, one JSON line, several cut-offs."""
    monkeypatch.setattr(churn, "CUTOFFS", 2)
    monkeypatch.setattr(churn, "SEEDS", (7,))
    monkeypatch.setattr(churn.bootstrap, "RESAMPLES", 20)
    report = churn.run(write_shop(tmp_path / "shop", 150, 330), lambda sentence: None)
    line = json.loads(report.line())
    assert line["benchmark"] == "churn" and line["metric"] == "ROC AUC"
    assert {"recency alone", "logistic regression on RFM", "LightGBM with defaults on RFM"} < set(
        line["peers"]
    )
    assert sum(name.startswith("BG/NBD") for name in line["peers"]) == 2
    assert line["ours"] > 0.75 and line["n"] > 200 and line["customers"] <= 150
    assert len(line["cutoffs"]) == 2 and line["interval"][0] <= line["interval"][1]
    for name in ("average_precision", "brier_skill_score", "calibration_slope", "lift_in_top_decile"):
        assert set(line[name]) == {"ours", *line["peers"]}


def test_a_tiny_shop_gets_a_sentence(tmp_path: Path) -> None:
    """Protects from a traceback: five customers and too short a time."""
    with pytest.raises(ShopError, match=r"too few or too short.*--data FOLDER"):
        churn.run(write_shop(tmp_path / "shop", 5, 60), lambda sentence: None)


def test_the_peer_sees_no_later_visit() -> None:
    """Protects fairness: BG/NBD's scores of a day are the same whatever comes after it."""
    rng = np.random.default_rng(3)
    today = (dt.date(2023, 6, 30) - dt.date(1970, 1, 1)).days
    row = np.repeat(np.arange(60), 12)
    day = today - 150 + np.sort(rng.integers(0, 250, (60, 12)), axis=1).ravel()
    day[::12] = today - 150
    whole = Visits(np.array([f"c{n}" for n in range(60)], dtype=object), row, day, np.ones(720))
    early = day <= today
    before = Visits(whole.customers, row[early], day[early], np.ones(early.sum()))
    first, second = (bg_nbd(given, dt.date(2023, 6, 30), 60) for given in (whole, before))
    pd.testing.assert_frame_equal(first, second)
    assert first[["gone", "silent"]].to_numpy().min() >= 0 and (first["silent"] >= first["gone"]).all()
