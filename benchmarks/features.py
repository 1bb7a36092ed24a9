"""Features of all customers: DuckDB in one query, and pandas with lifetimes doing the same.

Both begin with the order lines at rest (a DuckDB table; a DataFrame in memory, its reading not counted)
and end with the same table of the same features, which is checked. Times are the best of three runs at
the shop's own size. Both then run on copies of the shop with new customer and order ids, to show how
they grow. The peer uses `lifetimes.utils.summary_data_from_transaction_data` for recency,
frequency, age and monetary value, and group-bys without a Python loop for the rest.
"""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import duckdb
import numpy as np
import pandas as pd

from storewise.benchmarks import data
from storewise.benchmarks.bootstrap import mean_difference
from storewise.benchmarks.report import Clock, Report, Task
from storewise.tools.models.features import FEATURES_SQL
from storewise.tools.shop.generation import Shop

RUNS = 3
COPIES = (1, 2, 5, 10)


def run(folder: Path | None, tell: Callable[[str], None]) -> Report:
    """Time both ways and check that they agree.

    Raises:
        ShopError: a package or the folder is missing.
        ValueError: the two ways give different features.
    """
    clock = Clock(tell)
    with data.shop(folder, tell) as shop:
        cutoff = shop.as_of
        lines = shop.query("SELECT * FROM orders")
        products = shop.query("SELECT product_id, category FROM products")
        ours: list[float] = []
        peer: list[float] = []
        for number in range(RUNS):
            with clock.step(f"DuckDB, run {number + 1} of {RUNS}"):
                began = perf_counter()
                fast = shop.query(FEATURES_SQL, {"cutoff": cutoff})
                ours.append(perf_counter() - began)
            with clock.step(f"pandas and lifetimes, run {number + 1} of {RUNS}"):
                began = perf_counter()
                slow = with_pandas(lines, products, cutoff)
                peer.append(perf_counter() - began)
        _agree(fast, slow)
        growth = _growth(shop, cutoff, clock)
    task = Task(
        n=len(lines),
        metric="seconds",
        ours=min(ours),
        peers={"pandas and lifetimes": min(peer)},
        interval=mean_difference(np.array(ours), np.array(peer)),
        lower_is_better=True,
        more={
            "customers": len(fast),
            "features": len(slow.columns),
            "times_as_fast": min(peer) / min(ours),
            "growth": growth,
        },
    )
    return Report("features", {"features": task}, clock.seconds)


def with_pandas(lines: pd.DataFrame, products: pd.DataFrame, cutoff: dt.date) -> pd.DataFrame:
    """Return the features of `FEATURES_SQL` by customer_id, worked out with pandas and lifetimes."""
    from lifetimes.utils import summary_data_from_transaction_data

    day = lines["ordered_at"].dt.normalize()
    lines = lines.assign(day=day, age=(pd.Timestamp(cutoff) - day).dt.days)
    lines = lines[lines["age"] >= 0]
    if "discount" not in lines:
        lines = lines.assign(discount=np.nan)
    # lifetimes counts days with an order: one less than the visit days, its age in whole days.
    summary = summary_data_from_transaction_data(
        lines, "customer_id", "day", monetary_value_col="amount", observation_period_end=pd.Timestamp(cutoff)
    )
    found = pd.DataFrame(index=summary.index)
    found["visit_days"] = summary["frequency"] + 1
    found["tenure_days"] = summary["T"]
    found["recency_days"] = summary["T"] - summary["recency"]

    baskets = lines.groupby(["customer_id", "order_id"], sort=False, as_index=False).agg(
        day=("day", "min"), age=("age", "min"), amount=("amount", "sum"), lines=("amount", "size")
    )
    by = baskets.groupby("customer_id")
    found["orders"] = by.size()
    found["spend"] = by["amount"].sum()
    found["order_value"] = by["amount"].mean()
    found["lines_per_order"] = by["lines"].mean()
    for days in (30, 60, 90):
        recent = baskets[baskets["age"] < days].groupby("customer_id")["amount"]
        found[f"orders_{days}"] = recent.size().reindex(found.index, fill_value=0)
        found[f"spend_{days}"] = recent.sum().reindex(found.index, fill_value=0.0)
    found["order_value_90"] = recent.mean()
    weekday = baskets["day"].dt.weekday
    found["weekend_share"] = (weekday >= 5).groupby(baskets["customer_id"]).mean()
    weekdays = baskets.groupby(["customer_id", weekday.rename("weekday")]).size()
    found["main_weekday_share"] = weekdays.groupby("customer_id").max() / found["orders"]

    visits = baskets[["customer_id", "day"]].drop_duplicates().sort_values(["customer_id", "day"])
    visits["gap"] = visits.groupby("customer_id")["day"].diff().dt.days
    gaps = visits.dropna(subset="gap").groupby("customer_id")["gap"]
    for name in ("mean", "median", "std", "max", "last"):
        found[f"gap_{name}"] = getattr(gaps, name)()
    known = visits.dropna(subset="gap")
    outlasted = known["gap"] <= known["customer_id"].map(found["recency_days"])
    found["gaps_outlasted"] = outlasted.groupby(known["customer_id"]).mean()

    bought = lines.merge(products, on="product_id", how="left")
    late = bought[bought["age"] < 90]
    found["categories"] = bought.groupby("customer_id")["category"].nunique()
    found["categories_90"] = late.groupby("customer_id")["category"].nunique()
    found["products_90"] = late.groupby("customer_id")["product_id"].nunique()
    for name, part in (("discount_share", bought), ("discount_share_90", late)):
        sums = part.groupby("customer_id")[["amount", "discount"]].sum(min_count=1)
        full = sums["amount"] + sums["discount"]
        found[name] = sums["discount"] / full.where(full != 0)
    found[["categories_90", "products_90"]] = found[["categories_90", "products_90"]].fillna(0)

    found["orders_per_30"] = 30 * found["orders"] / np.maximum(found["tenure_days"] + 1, 30)
    found["recency_to_gap"] = found["recency_days"] / np.maximum(found["gap_median"], 1)
    found["recency_to_longest"] = found["recency_days"] / np.maximum(found["gap_max"], 1)
    before = np.maximum(found["tenure_days"] - 29, 0)
    for name, total in (("orders", "orders"), ("spend", "spend")):
        rest = 30 * (found[total] - found[f"{name}_30"])
        found[f"{name}_trend"] = found[f"{name}_30"] * before / rest.where(rest != 0)
    return found.sort_index()


def _agree(fast: pd.DataFrame, slow: pd.DataFrame) -> None:
    fast = fast.set_index("customer_id").astype("float64").loc[slow.index]
    for name in slow.columns:
        if not np.allclose(fast[name], slow[name].astype("float64"), rtol=1e-6, atol=1e-6, equal_nan=True):
            raise ValueError(f"DuckDB and pandas differ in the feature {name}")


def _growth(shop: Shop, cutoff: dt.date, clock: Clock) -> dict[str, dict[str, float]]:
    """Return the seconds of both ways by number of order lines, on copies of the shop's customers."""
    seconds: dict[str, dict[str, float]] = {"ours": {}, "pandas and lifetimes": {}}
    with tempfile.TemporaryDirectory(prefix="storewise-benchmark-") as place:
        connection = duckdb.connect(str(Path(place) / "copies.duckdb"))
        connection.execute(f"ATTACH '{shop.path / 'shop.duckdb'}' AS shop (READ_ONLY)")
        connection.execute("CREATE TABLE products AS SELECT * FROM shop.products")
        connection.execute("CREATE TABLE orders AS SELECT * FROM shop.orders LIMIT 0")
        done = 0
        for copies in COPIES:
            with clock.step(f"copying the lines {copies} times"):
                connection.execute(
                    """
                    INSERT INTO orders SELECT lines.* REPLACE (
                        customer_id || '-' || copy AS customer_id, order_id || '-' || copy AS order_id
                    ) FROM shop.orders AS lines, range($done, $copies) AS copies(copy)
                    """,
                    {"done": done, "copies": copies},
                )
                connection.execute("CHECKPOINT")
                done = copies
            for _ in range(RUNS):
                with clock.step(f"DuckDB on {copies} times the lines"):
                    began = perf_counter()
                    connection.execute(FEATURES_SQL, {"cutoff": cutoff}).df()
                    _keep_best(seconds["ours"], copies, perf_counter() - began)
        lines = connection.execute("SELECT * FROM orders").df()
        products = connection.execute("SELECT product_id, category FROM products").df()
        connection.close()
    with clock.step(f"pandas and lifetimes on {done} times the lines"):
        began = perf_counter()
        with_pandas(lines, products, cutoff)
        _keep_best(seconds["pandas and lifetimes"], done, perf_counter() - began)
    return seconds


def _keep_best(seconds: dict[str, float], copies: int, taken: float) -> None:
    key = f"{copies} times"
    seconds[key] = round(min(taken, seconds.get(key, taken)), 3)
