"""Customer value: the orders and the spend to expect of a customer in the coming weeks, and why.

Days with an order follow MBG/NBD (`buy_till_you_die.py`); orders a day and the worth of an order are each
customer's own averages, drawn towards everybody's where they rest on little.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from storewise.tools.finding import money
from storewise.tools.models import buy_till_you_die
from storewise.tools.models import card as cards
from storewise.tools.models.buy_till_you_die import BuyTillYouDie, credible_mean
from storewise.tools.models.card import Card, read_card
from storewise.tools.models.churn import count, last_order, usual_gap
from storewise.tools.models.memory import once_per_generation
from storewise.tools.shop.generation import Shop

NAME, VERSION = "value", "1"
TABLES = ("orders",)
MOST_WEEKS = 104
FEWEST_CUSTOMERS = 50
FEWEST_WEEKS = 12  # of history

Floats = npt.NDArray[np.float64]

# One row per customer with an order by the end of $as_of.
_HISTORY_SQL = """
WITH days AS (
    SELECT customer_id, CAST(ordered_at AS DATE) AS day, CAST($as_of AS DATE) - CAST(ordered_at AS DATE) AS age,
        count(DISTINCT order_id) AS orders, sum(amount) AS spend
    FROM orders WHERE ordered_at < CAST($as_of AS DATE) + 1 GROUP BY ALL
), gaps AS (
    SELECT *, day - lag(day) OVER (PARTITION BY customer_id ORDER BY day) AS gap FROM days
)
SELECT customer_id, count(*) AS days, sum(orders) AS orders, sum(spend) AS spend,
    min(age) AS recency_days, max(age) AS tenure_days, median(gap) AS gap_median,
    avg(spend / orders) AS order_value, var_samp(spend / orders) AS order_value_variance,
    coalesce(sum(spend) FILTER (age < 7 * $weeks), 0) AS spend_before,
    coalesce(sum(orders) FILTER (age < 7 * $weeks), 0) AS orders_before
FROM gaps GROUP BY customer_id ORDER BY customer_id
"""


@dataclass(frozen=True)
class ValueModel:
    """A fitted model of the days with an order."""

    card: Card
    base: BuyTillYouDie


def train(shop: Shop, folder: Path) -> Card:
    """Train and save into `folder`; with too little data the card says so."""
    cards.begin(folder)
    known: dict[str, Any] = {
        "name": NAME,
        "version": VERSION,
        "trained_at": cards.today(),
        "as_of": shop.as_of.isoformat(),
        "fingerprint": cards.fingerprint(shop, *TABLES),
    }
    table = shop.query(_HISTORY_SQL, {"as_of": shop.as_of, "weeks": 26})
    if len(table) < FEWEST_CUSTOMERS or table["tenure_days"].max() < 7 * FEWEST_WEEKS:
        missing = (
            f"The shop's orders are too few or too short to learn what customers will spend: it takes "
            f"{FEWEST_WEEKS} weeks of history and {FEWEST_CUSTOMERS} customers. "
            "Load more of them with: storewise load FOLDER"
        )
        card = Card(**known, missing=missing)
        card.save(folder)
        return card
    base = buy_till_you_die.fit(*_counts(table))
    (folder / "base.json").write_text(json.dumps(asdict(base)), encoding="utf-8")
    card = Card(**known, summary="MBG/NBD with credible order values")
    card.save(folder)
    return card


def load(shop: Shop, folder: Path | None = None) -> ValueModel:
    """Return the trained model.

    Raises:
        NoModel: there is none, or it belongs to other data.
    """
    folder = folder or shop.folder("models", NAME)
    card = read_card(shop, folder, NAME, *TABLES)
    try:
        return ValueModel(
            card, BuyTillYouDie(**json.loads((folder / "base.json").read_text(encoding="utf-8")))
        )
    except (OSError, ValueError, TypeError):
        raise cards.NoModel(f"The {NAME} model cannot be read. Train it again with: storewise fit") from None


@once_per_generation
def _loaded(shop: Shop) -> ValueModel:
    return load(shop)


def expected(shop: Shop, weeks: int) -> tuple[Card, pd.DataFrame]:
    """Return the model's card and one row per customer with an order, the greatest expected spend first.

    The index is customer_id; columns: expected_orders and expected_spend in the coming `weeks`, the ends
    of their 80 % intervals (orders_low, orders_high, spend_low, spend_high), alive (the probability that
    the customer is not lost), orders_before and spend_before (of the `weeks` past), recency_days,
    reasons (three plain phrases, the weightiest first).

    Raises:
        NoModel: see `load`.
    """
    model = _loaded(shop)
    table = shop.query(_HISTORY_SQL, {"as_of": shop.as_of, "weeks": weeks}).set_index("customer_id")
    x, t_x, age = _counts(table)
    table["alive"] = model.base.alive(x, t_x, age)
    per_day = table["orders"] / table["days"]
    worth = credible_mean(
        table["order_value"].to_numpy(dtype=np.float64),
        table["days"].to_numpy(dtype=np.float64),
        table["order_value_variance"].to_numpy(dtype=np.float64),
    )
    table["expected_orders"] = model.base.purchases(float(weeks), x, t_x, age) * per_day
    table["expected_spend"] = table["expected_orders"] * np.maximum(worth, 0)
    spread = np.sqrt(table["expected_orders"] + 0.2 * table["expected_orders"] ** 2)
    table["orders_low"] = np.floor(np.maximum(table["expected_orders"] - 1.28 * spread, 0))
    table["orders_high"] = np.ceil(table["expected_orders"] + 1.28 * spread)
    table["spend_low"] = table["orders_low"] * worth
    table["spend_high"] = table["orders_high"] * worth
    table["reasons"] = [
        [
            f"{count(row.orders_before, 'order')} worth {money(row.spend_before)} in the last "
            f"{count(weeks, 'week')}",
            f"{last_order(row.recency_days)}, {usual_gap(row.gap_median)}",
            f"{money(row.order_value)} an order on average",
        ]
        for row in table.itertuples()
    ]
    return model.card, table.sort_values("expected_spend", ascending=False, kind="stable")


def _counts(table: pd.DataFrame) -> tuple[Floats, Floats, Floats]:
    """Return x, t_x and T (weeks) of each row."""
    values = table[["days", "recency_days", "tenure_days"]].to_numpy(dtype=np.float64)
    return values[:, 0] - 1, (values[:, 2] - values[:, 1]) / 7, values[:, 2] / 7
