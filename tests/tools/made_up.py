"""Made-up shops for the tests, built the same way as real ones."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from storewise.tools.shop.generation import Shop, building, open_shop

MakeShop = Callable[..., Shop]

AS_OF = dt.date(2023, 12, 31)


def build_shop(home: Path, as_of: dt.date = AS_OF, **tables: pd.DataFrame) -> Shop:
    """Build a shop of `tables` at `home` and open it."""
    with building(home) as builder:
        for name, table in tables.items():
            builder.connection.register("given", table)
            builder.connection.table("given").create(name)
            builder.connection.unregister("given")
        builder.seal(
            name="Made-up shop",
            as_of=as_of,
            source="made up",
            provenance={"events": "These sessions are simulated."},
            notes={},
        )
    return open_shop(home)


def order_lines(rows: list[tuple[str, str, str, str, float]]) -> pd.DataFrame:
    """Return order lines of (order, customer, product, day or time, amount)."""
    table = pd.DataFrame(rows, columns=["order_id", "customer_id", "product_id", "ordered_at", "amount"])
    table["ordered_at"] = pd.to_datetime(table["ordered_at"], format="ISO8601")
    return table.assign(quantity=1.0)


def products_of(lines: pd.DataFrame) -> pd.DataFrame:
    """Return a catalogue of the products in `lines`, three categories in turn."""
    ids = sorted(lines["product_id"].unique())
    kinds = [("Bread", "Milk", "Cheese")[place % 3] for place in range(len(ids))]
    names = [f"{kind} {product}" for kind, product in zip(kinds, ids, strict=True)]
    return pd.DataFrame({"product_id": ids, "name": names, "category": kinds})


def clicks_of(rows: list[tuple[str, str, str, float | None]]) -> pd.DataFrame:
    """Return clicks of (session, event, time, value)."""
    table = pd.DataFrame(rows, columns=["session_id", "event", "occurred_at", "value"])
    return table.assign(occurred_at=pd.to_datetime(table["occurred_at"], format="ISO8601"))


def many_orders(rng: np.random.Generator) -> pd.DataFrame:
    """Customers come in a rhythm of their own and buy their favourites; a third stop for good."""
    start = pd.Timestamp(AS_OF) - pd.Timedelta(days=400)
    rows = []
    for who in range(160):
        rhythm = rng.uniform(3, 25)
        end = rng.uniform(60, 400) if rng.random() < 0.35 else 401
        favourites = rng.choice(60, 5, replace=False)
        day = rng.uniform(0, rhythm)
        while day < min(end, 401):
            moment = (start + pd.Timedelta(days=day)).floor("s")
            bought = {*rng.choice(favourites, 3), rng.integers(60)}
            rows += [
                (f"o{who}-{day:.3f}", f"c{who:03d}", f"p{item:02d}", moment, 1.0 + item % 7)
                for item in sorted(bought)
            ]
            day += rhythm * rng.lognormal(0, 0.4)
    return order_lines(rows)


def many_clicks(rng: np.random.Generator) -> pd.DataFrame:
    """Visits with a cart on each of 120 days; who comes on a phone rarely buys."""
    rows = []
    for visit in range(900):
        now = pd.Timestamp(AS_OF) - pd.Timedelta(
            days=int(rng.integers(120)), seconds=-int(rng.integers(80_000))
        )
        phone = rng.random() < 0.5
        bought = rng.random() < (0.1 if phone else 0.7)
        events = ["view_category"] + ["view_product", "add_to_cart"] * int(rng.integers(1, 4))
        events += ["view_cart", "checkout", "payment", "purchase"][: 4 if bought else int(rng.integers(3))]
        for event in events:
            now += pd.Timedelta(seconds=int(rng.integers(5, 90)))
            value = 4.0 if event == "add_to_cart" else None
            rows.append((f"S{visit:06d}", event, now, value, "mobile" if phone else "desktop"))
    table = clicks_of([row[:4] for row in rows])
    return table.assign(device=[row[4] for row in rows])
