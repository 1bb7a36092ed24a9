"""What the days with an order up to a cut-off say about each customer: the features of the value model.

A `days` table has a row per customer and day with an order, sorted by both: customer, day (whole days on
any clock), orders, spend (money) and items (order lines or pieces). Rows from the cut-off on are dropped
before anything else is done, so that a model trained on past cut-offs sees what it would have seen then.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from storewise.tools.models import buy_till_you_die
from storewise.tools.models.buy_till_you_die import BuyTillYouDie, credible_mean

Floats = npt.NDArray[np.float64]

# Grouped by what a reason would speak of. The first three also hold a part of the starting point: the
# pace, the chance of being alive and the worth of an order, whose product the learned part corrects.
GROUPS = {
    "pace": ("pace", "expected", "expected_modified", "orders", "once", "tenure"),
    "recency": (
        "alive",
        "recency",
        "active_share",
        "recency_to_pace",
        "recency_to_longest",
        "gaps_outlasted",
    ),
    "order value": ("worth", "order_value", "first_value", "last_value", "value_spread", "item_price"),
    "trend": ("orders_4", "orders_8", "orders_13", "spend_4", "spend_8", "spend_13"),
    "regularity": ("gap_spread", "gap_last"),
    "basket": ("items", "first_items", "last_items"),
}
FEATURES = tuple(name for names in GROUPS.values() for name in names)


@dataclass(frozen=True)
class Described:
    """Customers with an order before a cut-off.

    Attributes:
        customers: their ids, one per row of all that follows.
        table: FEATURES.
        base: BG/NBD, the starting point of what is expected.
        losses: MBG/NBD, in which a first purchase may have been the last: who is still a customer.
        x, t_x, age: days with an order after the first; weeks from the first to the last of them and to
            the cut-off.
        orders_a_day: orders per day with an order.
        worth: money per order, drawn towards everybody's.
        orders, spend: in all, before the cut-off.
        known: weeks from the first of all orders to the cut-off.
    """

    customers: npt.NDArray[np.object_]
    table: pd.DataFrame
    base: BuyTillYouDie
    losses: BuyTillYouDie
    x: Floats
    t_x: Floats
    age: Floats
    orders_a_day: Floats
    worth: Floats
    orders: Floats
    spend: Floats
    known: float

    def alive(self) -> Floats:
        """Return the probability that each customer is not lost."""
        return self.losses.alive(self.x, self.t_x, self.age)

    def log_alive(self) -> Floats:
        """Return the logarithm of that probability in `base`, where nobody is lost at the first purchase."""
        return np.asarray(
            np.log(np.maximum(self.base.alive(self.x, self.t_x, self.age), 1e-4)), dtype=np.float64
        )

    def log_pace(self, weeks: float) -> Floats:
        """Return the logarithm of the orders to expect in the coming `weeks` of customers not lost."""
        orders = self.base.purchases_if_alive(weeks, self.x, self.age) * self.orders_a_day
        return np.asarray(np.log(orders), dtype=np.float64)


def describe(
    days: pd.DataFrame, cutoff: int, fitted: tuple[BuyTillYouDie, BuyTillYouDie] | None = None
) -> Described:
    """Return what the rows of `days` before the day `cutoff` say of each customer.

    `fitted` are `base` and `losses`, None to fit them on the same rows.
    """
    days = days[days["day"] < cutoff]
    customer = days["customer"].to_numpy(dtype=object)
    day, orders, spend, items = (
        days[name].to_numpy(dtype=np.float64) for name in ("day", "orders", "spend", "items")
    )
    start = np.flatnonzero(np.r_[True, customer[1:] != customer[:-1]])
    end = np.r_[start[1:], len(days)] - 1
    visits = (end - start + 1).astype(np.float64)
    row = np.repeat(np.arange(len(start)), end - start + 1)

    def total(values: Floats) -> Floats:
        return np.asarray(np.add.reduceat(values, start), dtype=np.float64)

    x = visits - 1
    age = np.maximum(cutoff - day[start], 1) / 7
    t_x = (day[end] - day[start]) / 7
    recency = age - t_x
    gap = np.diff(day, prepend=0.0) / 7
    gap[start] = 0
    longest = np.maximum(np.maximum.reduceat(gap, start), 1 / 7)
    gap_mean = t_x / np.maximum(x, 1)
    gap_variance = np.maximum(total(gap**2) / np.maximum(x, 1) - gap_mean**2, 0)
    typical = age / visits

    value = np.maximum(spend / orders, 0)
    floor = max(0.02 * float(np.median(value)), 1e-6)
    value_mean = total(value) / visits
    value_variance = np.full(len(x), np.nan)
    many = visits > 1
    value_variance[many] = np.maximum(
        (total(value**2)[many] - visits[many] * value_mean[many] ** 2) / x[many], 0
    )
    worth = np.maximum(credible_mean(value_mean, visits, value_variance), floor)
    all_orders, all_spend = total(orders), np.maximum(total(spend), 0)
    mean_value = np.maximum(value_mean, floor)
    mean_items = np.maximum(total(items) / visits, 1e-6)

    base, losses = fitted or (
        buy_till_you_die.fit(x, t_x, age, modified=False),
        buy_till_you_die.fit(x, t_x, age, modified=True),
    )
    orders_a_day = all_orders / visits
    known = (cutoff - float(day.min())) / 7
    pace = np.log(base.purchases_if_alive(known, x, age) * orders_a_day)
    expected = pace + np.log(np.maximum(base.alive(x, t_x, age), 1e-4))
    alive = np.log(np.maximum(losses.alive(x, t_x, age), 1e-4))
    modified = np.log(losses.purchases_if_alive(known, x, age) * orders_a_day) + alive
    bought_again = x > 0
    found = {
        # over a time as long as the history, so that short and long histories compare
        "pace": pace,
        "expected": expected,
        "expected_modified": modified,
        "orders": np.log1p(x),
        "once": (~bought_again).astype(np.float64),
        "tenure": np.log1p(age),
        "alive": alive,
        "recency": np.log1p(recency),
        "active_share": t_x / age,
        "recency_to_pace": np.log(np.maximum(recency / typical, 0.05)),
        "recency_to_longest": np.where(bought_again, np.log(np.clip(recency / longest, 0.05, 20)), 0),
        "gaps_outlasted": total(((gap > 0) & (gap <= recency[row])).astype(np.float64)) / np.maximum(x, 1),
        "worth": np.log(worth),
        "order_value": np.log(mean_value),
        "first_value": np.log(np.maximum(value[start], floor) / mean_value),
        "last_value": np.log(np.maximum(value[end], floor) / mean_value),
        "value_spread": np.where(
            many, np.minimum(np.sqrt(np.nan_to_num(value_variance)) / mean_value, 3), 0.5
        ),
        "item_price": np.log(mean_value / mean_items),
        "gap_spread": np.where(x > 1, np.sqrt(gap_variance) / np.maximum(gap_mean, 1 / 7), 1.0),
        "gap_last": np.where(bought_again, np.log(np.maximum(gap[end] / typical, 0.05)), 0),
        "items": np.log(mean_items),
        "first_items": np.log(np.maximum(items[start], 1e-6) / mean_items),
        "last_items": np.log(np.maximum(items[end], 1e-6) / mean_items),
    }
    for weeks in (4, 8, 13):
        lately = (day >= cutoff - 7 * weeks).astype(np.float64)
        share = np.minimum(weeks, age) / age
        # against an even pace; one order more on both sides keeps few orders from looking like a trend
        found[f"orders_{weeks}"] = np.log((total(lately * orders) + 1) / (all_orders * share + 1))
        found[f"spend_{weeks}"] = np.log(
            (np.maximum(total(lately * spend), 0) + worth) / (all_spend * share + worth)
        )
    table = pd.DataFrame({name: found[name] for name in FEATURES}).round(9)
    return Described(
        customer[start], table, base, losses, x, t_x, age, orders_a_day, worth, all_orders, all_spend, known
    )


def bought(days: pd.DataFrame, described: Described, cutoff: int, weeks: float) -> tuple[Floats, Floats]:
    """Return the orders and the spend of the described customers in the `weeks` from `cutoff` on."""
    days = days[(days["day"] >= cutoff) & (days["day"] < cutoff + 7 * weeks)]
    sums = days.groupby("customer")[["orders", "spend"]].sum().reindex(described.customers, fill_value=0)
    return sums["orders"].to_numpy(dtype=np.float64), np.maximum(sums["spend"].to_numpy(dtype=np.float64), 0)
