"""One customer's profile, and who is likely to stop buying."""

from __future__ import annotations

from typing import Any, Literal

import pandas as pd

from storewise.tools.finding import (
    Cell,
    Chart,
    Column,
    Finding,
    ModelNote,
    count_column,
    money,
    money_column,
    percent,
)
from storewise.tools.models import churn, value
from storewise.tools.models.card import Card, NoModel
from storewise.tools.models.features import HORIZON_DAYS
from storewise.tools.models.memory import once_per_generation
from storewise.tools.models.segments import RULES, SEGMENTS, segment_named
from storewise.tools.models.segments import segments as all_segments
from storewise.tools.models.wording import count, last_order, usual_gap
from storewise.tools.shop.generation import MissingTable, Shop

Segment = Literal[
    "Champions", "Loyal", "Promising", "New", "Needs attention", "At risk", "Hibernating", "Lost"
]

MOST = 1000  # rows of a ranking
FAVOURITES = 3
WEEKS = 26

# What a profile shows of the customers' table, where the shop has it.
_ABOUT = {
    "signed_up_at": "Signed up",
    "age": "Age",
    "income": "Income",
    "region": "Region",
    "household_size": "Household size",
    "household_composition": "Household",
    "kids_count": "Children",
    "marital_status": "Marital status",
    "home_ownership": "Home",
}

_SPENT_SQL = """
SELECT coalesce(sum(amount) FILTER (age < 7 * $weeks), 0) AS recent,
    coalesce(sum(amount) FILTER (age < 365), 0) AS year
FROM (SELECT amount, CAST($as_of AS DATE) - CAST(ordered_at AS DATE) AS age FROM orders
    WHERE customer_id = $customer AND ordered_at < CAST($as_of AS DATE) + 1)
"""
_FAVOURITES_SQL = """
WITH bought AS (
    SELECT product_id, name, category, order_id, amount
    FROM orders JOIN products USING (product_id)
    WHERE customer_id = $customer AND ordered_at < CAST($as_of AS DATE) + 1 AND amount > 0
        AND category <> 'Unknown'
)
(SELECT 'category' AS kind, category AS label, count(DISTINCT order_id) AS orders, sum(amount) AS spend
    FROM bought GROUP BY category ORDER BY orders DESC, spend DESC, label LIMIT $top)
UNION ALL
(SELECT 'product', min(name), count(DISTINCT order_id) AS orders, sum(amount) AS spend
    FROM bought GROUP BY product_id ORDER BY orders DESC, spend DESC, product_id LIMIT $top)
"""


def customer_profile(shop: Shop, customer_id: str) -> Finding:
    """Who one customer is: what they spent, how often and when they come, what they like to buy, their
    segment, the risk that they stop buying, their value so far, and their household where it is known.

    For "tell me about customer 900", "who is 1228?", "what does this customer buy?".

    Args:
        customer_id: the customer's id, such as "900".
    """
    tool = "customer_profile"
    try:
        shop.require("orders", "order_id", "customer_id", "product_id", "ordered_at", "amount")
        shop.require("products", "product_id", "name", "category")
    except MissingTable as error:
        return Finding(tool=tool, status="missing_table", headline=str(error))
    customer = find_customer(shop, customer_id)
    if customer is None:
        return Finding(tool=tool, status="refused", headline=no_such_customer(shop, customer_id))
    about = _about(shop, customer)
    groups = segments_by_customer(shop)
    who = Column(name="customer_id", label="Customer", role="entity")
    if customer not in groups.index:
        headline = f"Customer {customer} is known to the shop but has placed no order up to {shop.as_of}."
        return _profile(tool, headline, [(who, customer), *about])

    row: Any = groups.loc[customer]
    spent = shop.query(_SPENT_SQL, {"customer": customer, "as_of": shop.as_of, "weeks": WEEKS}).iloc[0]
    likes = shop.query(_FAVOURITES_SQL, {"customer": customer, "as_of": shop.as_of, "top": FAVOURITES})
    favourites: dict[str, list[str]] = {"category": [], "product": []}
    for kind, label in zip(likes["kind"], likes["label"], strict=True):
        if label not in favourites[kind]:
            favourites[kind].append(str(label))
    risk, gap, in_time, note, caveat = _risk(shop, customer)
    worth, worth_note, worth_caveat = _worth(shop, customer)
    orders = count(row["orders"], "order")
    rhythm = "" if gap is None else f", {usual_gap(gap)}"
    headline = (
        f"Customer {customer} is in the segment {row['segment']}: {orders} worth {money(row['spend'])} since "
        f"{_day(row['first_order'])}, {last_order(row['recency_days'])}{rhythm}."
    )
    rest = [f"they buy {_listed(favourites['category'])} most often"] if favourites["category"] else []
    if risk is not None:
        rest.insert(0, f"the risk of no order {in_time} is {percent(risk)}")
    if rest:
        sentence = ", and ".join(rest)
        headline += f" {sentence[0].upper()}{sentence[1:]}."
    if worth is not None:
        headline += (
            f" In the next {WEEKS} weeks they are expected to spend {money(worth['expected_spend'])} "
            f"(80 % interval {money(worth['spend_low'])} to {money(worth['spend_high'])})."
        )
    facts: list[tuple[Column, Cell]] = [
        (who, customer),
        (Column(name="segment", label="Segment", role="text"), str(row["segment"])),
        (count_column("orders", "Orders", "orders"), int(row["orders"])),
        (money_column("spend", "Spent in all"), round(float(row["spend"]), 2)),
        (money_column("spend_365_days", "Spent in the last 365 days"), round(float(spent["year"]), 2)),
        (
            money_column("spend_26_weeks", f"Spent in the last {WEEKS} weeks"),
            round(float(spent["recent"]), 2),
        ),
        (money_column("order_value", "Average order"), round(float(row["spend"] / row["orders"]), 2)),
        (_date("first_order", "First order"), pd.Timestamp(row["first_order"]).date()),
        (_date("last_order", "Last order"), pd.Timestamp(row["last_order"]).date()),
        (count_column("recency_days", "Days since the last order", "days"), int(row["recency_days"])),
    ]
    if gap is not None and not pd.isna(gap):
        facts.append((_gap_column(), gap))
    if risk is not None:
        facts.append((_risk_column(in_time), risk))
    if worth is not None:
        facts += [
            (
                Column(name="alive", label="Chance still a customer", role="measure", format="percent"),
                worth["alive"],
            ),
            (
                money_column("expected_spend", f"Expected spend in the next {WEEKS} weeks"),
                worth["expected_spend"],
            ),
            (money_column("spend_low", "Expected spend, low end (80 %)"), worth["spend_low"]),
            (money_column("spend_high", "Expected spend, high end (80 %)"), worth["spend_high"]),
        ]
    for kind, label in (("category", "Favourite categories"), ("product", "Favourite products")):
        if favourites[kind]:
            facts.append(
                (Column(name=f"{kind}_favourites", label=label, role="text"), "; ".join(favourites[kind]))
            )
    notes = tuple(one for one in (note, worth_note) if one is not None)
    caveats = " ".join(one for one in (caveat, worth_caveat) if one is not None)
    return _profile(tool, headline, [*facts, *about], notes, caveats or None)


def churn_risk(
    shop: Shop,
    customer_id: str | None = None,
    segment: Segment | None = None,
    top: int = 10,
) -> Finding:
    """Who is likely to stop buying (no order in the next 60 days), how likely, and why.

    For "who are we about to lose?", "customers at risk of leaving", "is customer 900 likely to leave,
    and why?"; of all customers, one segment, or one customer.

    Args:
        customer_id: one customer's id, such as "900"; left out: the riskiest customers.
        segment: keeps to one segment of the customers.
        top: how many customers, the riskiest first.
    """
    tool = "churn_risk"
    group = segment_named(str(segment)) if segment is not None else None
    if segment is not None and group is None:
        headline = f"There is no segment “{segment}”. The segments are: {', '.join(SEGMENTS)}."
        return Finding(tool=tool, status="ambiguous", headline=headline)
    if not 1 <= top <= MOST:
        return Finding(tool=tool, status="refused", headline=outside(top))
    try:
        shop.require("orders", "order_id", "customer_id", "product_id", "ordered_at", "amount")
        card, risks = churn.risks(shop)
    except (MissingTable, NoModel) as error:
        return Finding(tool=tool, status="missing_table", headline=str(error))
    table = risks.join(segments_by_customer(shop)["segment"])
    if customer_id is not None:
        customer = find_customer(shop, customer_id)
        if customer is None:
            return Finding(tool=tool, status="refused", headline=no_such_customer(shop, customer_id))
        if customer not in table.index:
            headline = f"Customer {customer} has placed no order up to {shop.as_of}, so none can be missed."
            return Finding(tool=tool, status="answered", headline=headline)
        return _one_at_risk(tool, table.loc[[customer]], float(risks["probability"].mean()), card, group)

    lost = table["segment"] == "Lost"
    caveats = [churn.meant(card)]
    if group is None and not lost.all():
        # Who has been away for the horizon already is not about to stop: they would fill every ranking.
        table = table[~lost]
        among = f"the {count(len(table), 'customer')} outside the segment Lost"
        if lost.any():
            caveats.append(
                f"Left out: {count(lost.sum(), 'customer')} of the segment Lost, "
                f"with no order in the last {HORIZON_DAYS} days."
            )
    else:
        group = group or "Lost"
        table = table[table["segment"] == group]
        among = f"the {count(len(table), 'customer')} in the segment {group}"
    if table.empty:
        headline = f"No customer is in the segment {group} as of {shop.as_of}."
        return Finding(tool=tool, status="answered", headline=headline, evidence=(card.note(),))
    first = table.iloc[0]
    headline = (
        f"Of {among}, customer {table.index[0]} is the likeliest to stop buying: "
        f"{percent(first['probability'])} risk of no order {churn.in_time(card)} "
        f"({first['reasons'][0]}). "
        f"The average risk among them is {percent(table['probability'].mean())}."
    )
    columns, rows = _risk_table(table.head(top), card)
    chart = Chart(kind="bar", x="customer_id", y=("risk",), title=columns[1].label)
    return Finding(
        tool=tool,
        status="answered",
        headline=headline,
        columns=columns,
        rows=rows,
        chart=chart if len(rows) > 1 else None,
        evidence=(card.note(),),
        caveat=_joined(caveats),
    )


def find_customer(shop: Shop, customer_id: str) -> str | None:
    """Return the id as the shop writes it, however it was typed ("#900", " 900 "), or None."""
    wanted = str(customer_id).strip().lstrip("#").strip()
    tables = [table for table in ("customers", "orders") if shop.has(table, "customer_id")]
    statements = {
        "customers": "SELECT customer_id FROM customers WHERE lower(customer_id) = lower($id) LIMIT 1",
        "orders": "SELECT customer_id FROM orders WHERE lower(customer_id) = lower($id) LIMIT 1",
    }
    for table in tables:
        found = shop.query(statements[table], {"id": wanted})
        if len(found):
            return str(found["customer_id"].iloc[0])
    return None


def outside(top: int) -> str:
    """Return the sentence for a number of rows that no ranking has."""
    return f"A ranking has between 1 and {MOST:,} rows, not {top:,}."


def no_such_customer(shop: Shop, customer_id: str) -> str:
    """Return the sentence for an id that the shop does not know."""
    known = shop.query("SELECT max(customer_id) AS id FROM orders")["id"].iloc[0]
    example = "" if pd.isna(known) else f" Ids look like {known}."
    return f"This shop has no customer “{str(customer_id).strip()[:40]}”.{example}"


@once_per_generation
def segments_by_customer(shop: Shop) -> pd.DataFrame:
    """Return the segments' table with customer_id as its index."""
    return all_segments(shop).set_index("customer_id")


def _one_at_risk(tool: str, table: pd.DataFrame, average: float, card: Card, group: str | None) -> Finding:
    customer, row = table.index[0], table.iloc[0]
    risk = float(row["probability"])
    likely = "likely to" if risk >= 0.5 else "unlikely to" if risk < 0.2 else "one that may"
    headline = (
        f"Customer {customer} is {likely} stop buying: {percent(risk)} risk of no order "
        f"{churn.in_time(card)}, against {percent(average)} for all customers on average "
        f"({'; '.join(row['reasons'])})."
    )
    caveats = [churn.meant(card)]
    if row["segment"] == "Lost":
        caveats.append(f"This customer is in the segment Lost: {RULES['Lost']}.")
    if group is not None and row["segment"] != group:
        caveats.append(f"Customer {customer} is in the segment {row['segment']}, not {group}.")
    columns, rows = _risk_table(table, card)
    return Finding(
        tool=tool,
        status="answered",
        headline=headline,
        columns=columns,
        rows=rows,
        evidence=(card.note(),),
        caveat=_joined(caveats),
    )


def _joined(sentences: list[str | None]) -> str | None:
    return " ".join(sentence for sentence in sentences if sentence) or None


def _risk_table(table: pd.DataFrame, card: Card) -> tuple[tuple[Column, ...], tuple[tuple[Cell, ...], ...]]:
    columns = (
        Column(name="customer_id", label="Customer", role="entity"),
        _risk_column(churn.in_time(card)),
        Column(name="segment", label="Segment", role="text"),
        count_column("recency_days", "Days since the last order", "days"),
        _gap_column(),
        money_column("spend_90_days", "Spent in the last 90 days"),
        Column(name="why", label="Why", role="text"),
        # Where each customer has a limit of their own, the risk is not to be read without it.
        *([count_column("limit_days", "Own limit", "days")] if churn.meant(card) else ()),
    )
    rows = tuple(
        (
            str(customer),
            float(row["probability"]),
            str(row["segment"]),
            int(row["recency_days"]),
            None if pd.isna(row["gap_median"]) else float(row["gap_median"]),
            round(float(row["spend_90"]), 2),
            "; ".join(row["reasons"]),
            *([int(row["limit_days"])] if churn.meant(card) else ()),
        )
        for customer, row in table.iterrows()
    )
    return columns, rows


def _risk(shop: Shop, customer: str) -> tuple[float | None, float | None, str, ModelNote | None, str | None]:
    """Return a customer's risk, usual gap in days, of what the risk is, the model's note, and a caveat."""
    try:
        card, risks = churn.risks(shop)
    except NoModel as error:
        return None, None, "", None, str(error)
    row: Any = risks.loc[customer]
    risk, gap = float(row["probability"]), float(row["gap_median"])
    return risk, gap, churn.in_time(card), card.note(), churn.meant(card)


def _worth(shop: Shop, customer: str) -> tuple[dict[str, float] | None, ModelNote | None, str | None]:
    """Return what is expected of a customer in the next WEEKS weeks, the model's note, and why there is none."""
    try:
        card, table = value.expected(shop, WEEKS)
    except NoModel as error:
        return None, None, str(error)
    row: Any = table.loc[customer]
    money_columns = ("expected_spend", "spend_low", "spend_high")
    worth = {name: round(float(row[name]), 2) for name in money_columns} | {"alive": float(row["alive"])}
    return worth, card.note(), None


def _about(shop: Shop, customer: str) -> list[tuple[Column, Cell]]:
    """Return what the customers' table says of one customer, of the columns in _ABOUT."""
    if not shop.has("customers", "customer_id"):
        return []
    rows = shop.query("SELECT * FROM customers WHERE customer_id = $id", {"id": customer})
    known = [] if rows.empty else [name for name in _ABOUT if name in rows.columns]
    about: list[tuple[Column, Cell]] = []
    for name in known:
        value: Any = rows[name].iloc[0]
        if pd.isna(value):
            continue
        if isinstance(value, pd.Timestamp):
            about.append((_date(name, _ABOUT[name]), value.date()))
        else:
            about.append((Column(name=name, label=_ABOUT[name], role="text"), str(value)))
    return about


def _profile(
    tool: str,
    headline: str,
    facts: list[tuple[Column, Cell]],
    notes: tuple[ModelNote, ...] = (),
    caveat: str | None = None,
) -> Finding:
    return Finding(
        tool=tool,
        status="answered",
        headline=headline,
        columns=tuple(column for column, _ in facts),
        rows=(tuple(value for _, value in facts),),
        evidence=notes,
        caveat=caveat,
    )


def _risk_column(in_time: str) -> Column:
    label = f"Risk of no order {in_time.replace('in the next', 'in')}"
    return Column(name="risk", label=label, role="measure", format="percent")


def _gap_column() -> Column:
    return Column(
        name="usual_gap",
        label="Usual days between orders",
        role="measure",
        unit="days",
        format="decimal",
    )


def _date(name: str, label: str) -> Column:
    return Column(name=name, label=label, role="date", format="date")


def _day(value: Any) -> str:
    return pd.Timestamp(value).date().isoformat()


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
