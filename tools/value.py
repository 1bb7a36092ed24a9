"""What customers are worth: the orders and the spend to expect of them in the coming weeks."""

from __future__ import annotations

import pandas as pd

from storewise.tools.customers import MOST, find_customer, no_such_customer, outside
from storewise.tools.finding import (
    Cell,
    Chart,
    Column,
    Finding,
    count_column,
    money,
    money_column,
    percent,
)
from storewise.tools.models import value
from storewise.tools.models.card import Card, NoModel
from storewise.tools.models.value import MOST_WEEKS
from storewise.tools.models.wording import count
from storewise.tools.shop.generation import MissingTable, Shop


def customer_value(shop: Shop, customer_id: str | None = None, top: int = 10, weeks: int = 26) -> Finding:
    """What customers are worth in the time to come: the orders and the spend to expect of them, with an
    interval, the chance that they are still customers, and why.

    For "who are our most valuable customers?", "what will customer 900 spend in the next half year?",
    "customer lifetime value of 1228"; of the customers worth most, or one customer.

    Args:
        customer_id: one customer's id, such as "900"; left out: the customers worth most.
        top: how many customers, those expected to spend most first.
        weeks: how many weeks ahead, between 1 and 104.
    """
    tool = "customer_value"
    if not 1 <= weeks <= MOST_WEEKS:
        headline = f"Customer value looks between 1 and {MOST_WEEKS} weeks ahead, not {weeks:,}."
        return Finding(tool=tool, status="refused", headline=headline)
    if not 1 <= top <= MOST:
        return Finding(tool=tool, status="refused", headline=outside(top))
    try:
        shop.require("orders", "order_id", "customer_id", "ordered_at", "amount")
        card, table = value.expected(shop, weeks)
    except (MissingTable, NoModel) as error:
        return Finding(tool=tool, status="missing_table", headline=str(error))
    if customer_id is not None:
        customer = find_customer(shop, customer_id)
        if customer is None:
            return Finding(tool=tool, status="refused", headline=no_such_customer(shop, customer_id))
        if customer not in table.index:
            headline = (
                f"Customer {customer} has placed no order up to {shop.as_of}, "
                "so there is nothing to expect more from."
            )
            return Finding(tool=tool, status="answered", headline=headline)
        headline = _one(table.loc[[customer]], weeks)
        table = table.loc[[customer]]
    else:
        headline = _most(table, min(top, len(table)), weeks)
        table = table.head(top)
    columns, rows = _rows(table, weeks)
    chart = Chart(
        kind="bar",
        x="customer_id",
        y=("expected_spend",),
        title=f"Expected spend in the next {count(weeks, 'week')}",
    )
    return Finding(
        tool=tool,
        status="answered",
        headline=headline,
        columns=columns,
        rows=rows,
        chart=chart if len(rows) > 1 else None,
        evidence=(card.note(),),
        caveat=beyond(card, weeks),
    )


def beyond(card: Card, weeks: int) -> str | None:
    """Return the sentence for a horizon longer than any that the history could prove, else None."""
    proved = int(card.quality.get("weeks", 26))
    if weeks <= proved:
        return None
    return (
        f"The shop's history proves forecasts of up to {count(proved, 'week')}; what lies beyond goes on from each "
        "customer's pace and chance of staying."
    )


def _one(table: pd.DataFrame, weeks: int) -> str:
    row = table.iloc[0]
    return (
        f"Customer {table.index[0]} is expected to place {row['expected_orders']:,.1f} orders worth "
        f"{money(row['expected_spend'])} in the next {count(weeks, 'week')} (80 % interval "
        f"{money(row['spend_low'])} to {money(row['spend_high'])}); the chance that they are still a customer is "
        f"{percent(row['alive'])} ({'; '.join(row['reasons'])})."
    )


def _most(table: pd.DataFrame, top: int, weeks: int) -> str:
    first = table.iloc[0]
    headline = (
        f"Of {count(len(table), 'customer')}, customer {table.index[0]} is expected to be worth most: "
        f"{first['expected_orders']:,.1f} orders worth {money(first['expected_spend'])} in the next "
        f"{count(weeks, 'week')} (80 % interval {money(first['spend_low'])} to {money(first['spend_high'])})."
    )
    everybody = float(table["expected_spend"].sum())
    if 1 < top < len(table) and everybody > 0:
        together = float(table["expected_spend"].head(top).sum())
        headline += (
            f" The first {top:,} together are expected to spend {money(together)}, "
            f"{percent(together / everybody)} of what all customers are expected to spend."
        )
    return headline


def _rows(table: pd.DataFrame, weeks: int) -> tuple[tuple[Column, ...], tuple[tuple[Cell, ...], ...]]:
    columns = (
        Column(name="customer_id", label="Customer", role="entity"),
        money_column("expected_spend", "Expected spend"),
        Column(
            name="expected_orders", label="Expected orders", role="measure", unit="orders", format="decimal"
        ),
        Column(name="alive", label="Chance still a customer", role="measure", format="percent"),
        money_column("spend_low", "Expected spend, low end (80 %)"),
        money_column("spend_high", "Expected spend, high end (80 %)"),
        count_column("orders_low", "Expected orders, low end (80 %)", "orders"),
        count_column("orders_high", "Expected orders, high end (80 %)", "orders"),
        money_column("spend_before", f"Spent in the last {count(weeks, 'week')}"),
        count_column("orders_before", f"Orders in the last {count(weeks, 'week')}", "orders"),
        count_column("recency_days", "Days since the last order", "days"),
        Column(name="why", label="Why", role="text"),
    )
    rows = tuple(
        (
            str(customer),
            round(float(row["expected_spend"]), 2),
            round(float(row["expected_orders"]), 1),
            float(row["alive"]),
            round(float(row["spend_low"]), 2),
            round(float(row["spend_high"]), 2),
            int(row["orders_low"]),
            int(row["orders_high"]),
            round(float(row["spend_before"]), 2),
            int(row["orders_before"]),
            int(row["recency_days"]),
            "; ".join(row["reasons"]),
        )
        for customer, row in table.iterrows()
    )
    return columns, rows
