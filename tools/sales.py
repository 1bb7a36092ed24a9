"""How the shop sold: a figure, a series over time or a ranking."""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from storewise.tools.finding import Cell, Chart, Column, DataNote, Finding, Format, percent, show
from storewise.tools.models.segments import SEGMENTS_SQL
from storewise.tools.shop.catalogue import Resolution
from storewise.tools.shop.generation import MissingTable, Shop

Metric = Literal["revenue", "orders", "customers", "units", "average_order_value"]
By = Literal["none", "day", "week", "month", "category", "brand", "product", "segment"]

TOOL = "sales_report"
MOST = 100  # rows of a ranking


@dataclass(frozen=True)
class _Measure:
    """How a metric is computed from order lines `o`, called and shown."""

    sql: str
    label: str
    format: Format
    unit: str | None = None
    adds_up: bool = False  # over time: an order has one day, a customer many
    of: str = "of"  # "revenue of", "orders with"


_MEASURES: dict[str, _Measure] = {
    "revenue": _Measure("coalesce(sum(o.amount), 0)", "Revenue", "money", "$", adds_up=True),
    "orders": _Measure("count(DISTINCT o.order_id)", "Orders", "integer", "orders", adds_up=True, of="with"),
    "customers": _Measure("count(DISTINCT o.customer_id)", "Customers", "integer", "customers", of="buying"),
    "units": _Measure("coalesce(sum(o.quantity), 0)", "Units", "integer", "units", adds_up=True),
    "average_order_value": _Measure(
        "sum(o.amount) / nullif(count(DISTINCT o.order_id), 0)", "Average order value", "money", "$", of="for"
    ),
}  # fmt: skip

# The group of an order line, and what its rows are called: one, many.
_GROUPS: dict[str, tuple[str, str, str]] = {
    "category": ("coalesce(p.category, 'Unknown')", "Category", "categories"),
    "brand": ("coalesce(p.brand, 'No brand')", "Brand", "brands"),
    "product": ("o.product_id", "Product", "products"),
    "segment": ("s.segment", "Segment", "segments"),
}


@dataclass(frozen=True)
class _Scope:
    """What is counted: the order lines of some products, or of all, between two days, both included."""

    start: dt.date
    end: dt.date
    products: Resolution | None

    @property
    def where(self) -> str:
        wanted = "o.ordered_at >= $start AND o.ordered_at < $end::DATE + 1"
        return wanted + (" AND o.product_id IN (SELECT unnest($ids))" if self.products else "")

    @property
    def parameters(self) -> dict[str, Any]:
        ids = {"ids": list(self.products.product_ids)} if self.products else {}
        return {"start": self.start, "end": self.end, **ids}

    def of(self, measure: _Measure) -> str:
        """Return the subject of a sentence: "Revenue of Soft drinks"."""
        return f"{measure.label} {measure.of} {_name(self.products)}" if self.products else measure.label


def sales_report(
    shop: Shop,
    metric: Metric,
    by: By = "none",
    product: str | None = None,
    start: dt.date | None = None,
    end: dt.date | None = None,
    top: int = 10,
) -> Finding:
    """How the shop sold: one figure, a series over days, weeks or months, or a ranking.

    For revenue, turnover, sales, takings, number of orders or baskets, units sold, how many customers
    bought, and what an order is worth on average; for the whole shop or one product or category, and
    ranked by category, brand, product or customer segment ("best sellers", "top categories").

    Args:
        metric: what is measured; average_order_value is revenue per order.
        by: none for one figure; day, week or month for a series; category, brand, product or segment for a ranking.
        product: a product id, product name or category name to keep to, such as "soda" or "1082185".
        start: first day, ISO, included; left out: from the first day of the data.
        end: last day, ISO, included; left out: up to the last complete day.
        top: how many rows a ranking has.
    """
    measure = _MEASURES[metric]
    try:
        shop.require("orders", "order_id", "customer_id", "product_id", "ordered_at", "quantity", "amount")
        if by in ("category", "brand"):
            shop.require("products", "product_id", by)
        if product is not None or by == "product":
            shop.require("products", "product_id", "name", "category")
    except MissingTable as missing:
        return Finding(tool=TOOL, status="missing_table", headline=str(missing))
    refusal = _refusal(shop, start, end, top)
    if refusal:
        return Finding(tool=TOOL, status="refused", headline=refusal)
    found = shop.catalogue.resolve(product) if product is not None else None
    if found is not None and not found:
        return _not_found(found)
    scope = _Scope(max(start or shop.first_day, shop.first_day), min(end or shop.as_of, shop.as_of), found)

    if by == "none":
        finding = _figure(shop, measure, scope)
    elif by in ("day", "week", "month"):
        finding = _series(shop, measure, scope, by)
    else:
        finding = _ranking(shop, measure, scope, by, top)
    caveats = [_reading(product, found), _clipped(shop, start, end), finding.caveat]
    notes = tuple(DataNote(text=text) for text in _notes(shop, by))
    return finding.model_copy(update={"caveat": " ".join(filter(None, caveats)) or None, "evidence": notes})


def _refusal(shop: Shop, start: dt.date | None, end: dt.date | None, top: int) -> str | None:
    """Return why the arguments cannot be right, or None."""
    reach = f"the data reach from {shop.first_day} to {shop.as_of}"
    if start and end and end < start:
        return f"The period ends ({end}) before it starts ({start}); {reach}."
    if start and start > shop.as_of:
        return f"There are no sales yet from {start} on; {reach}."
    if end and end < shop.first_day:
        return f"There are no sales up to {end}; {reach}."
    if not 1 <= top <= MOST:
        return f"A ranking has between 1 and {MOST} rows, not {top}."
    return None


def _not_found(found: Resolution) -> Finding:
    near = f" Close matches: {', '.join(found.matches)}." if found.matches else " Nothing comes close."
    return Finding(
        tool=TOOL, status="ambiguous", headline=f"Nothing in the catalogue is called “{found.label}”.{near}"
    )


def _value(shop: Shop, measure: _Measure, scope: _Scope) -> float | None:
    frame = shop.query(
        f"SELECT {measure.sql} AS value FROM orders o WHERE {scope.where}",  # noqa: S608 - fixed expressions
        scope.parameters,
    )
    return _cell(frame["value"].iloc[0], measure)


def _figure(shop: Shop, measure: _Measure, scope: _Scope) -> Finding:
    """Return one figure, beside that of the period before where the data reach back so far."""
    value = _value(shop, measure, scope)
    column = _column("value", measure)
    columns = (
        Column(name="from", label="From", role="date", format="date"),
        Column(name="to", label="To", role="date", format="date"),
        column,
    )
    rows: list[tuple[Cell, ...]] = [(scope.start, scope.end, value)]
    verb = "was" if measure.format == "money" else "were"
    headline = f"{scope.of(measure)} {_when(scope)} {verb} {show(value, column)}"
    if value is None:
        headline = f"There were no orders {_for(scope)}{_when(scope)}"
    first, last = _before(scope.start, scope.end)
    if value is not None and first >= shop.first_day:
        earlier = _Scope(first, last, scope.products)
        other = _value(shop, measure, earlier)
        if other:
            rows.append((first, last, other))
            headline += f", {_change(other, value)} {show(other, column)} {_when(earlier)}"
    return Finding(tool=TOOL, status="answered", headline=headline + ".", columns=columns, rows=tuple(rows))


def _series(shop: Shop, measure: _Measure, scope: _Scope, by: Literal["day", "week", "month"]) -> Finding:
    """Return one row per day, week (from Monday) or month of the period, empty ones included."""
    frame = shop.query(
        f"""
        WITH days AS (
            SELECT unnest(generate_series($start::TIMESTAMP, $end::TIMESTAMP, INTERVAL 1 DAY))::DATE AS day
        ), buckets AS (
            SELECT date_trunc('{by}', day)::DATE AS bucket, count(*) AS days,
                   min(day) AS first, max(day) AS last FROM days GROUP BY 1
        ), sums AS (
            SELECT date_trunc('{by}', o.ordered_at)::DATE AS bucket, {measure.sql} AS value
            FROM orders o WHERE {scope.where} GROUP BY 1
        )
        SELECT bucket, days, first, last, value FROM buckets LEFT JOIN sums USING (bucket) ORDER BY bucket
        """,  # noqa: S608 - fixed expressions
        scope.parameters,
    )
    empty = None if measure.label == "Average order value" else 0.0
    values = [empty if pd.isna(value) else _cell(value, measure) for value in frame["value"]]
    starts = [pd.Timestamp(day).date() for day in frame["bucket"]]
    whole = [days == _days(bucket, by) for days, bucket in zip(frame["days"], starts, strict=True)]
    labels: list[Cell] = [f"{day:%Y-%m}" if by == "month" else day for day in starts]
    column = _column("value", measure)
    label = by.capitalize() + (" from" if by == "week" else "")
    columns = (
        Column(name=by, label=label, role="date", format="text" if by == "month" else "date"),
        column,
    )
    total = show(_value(shop, measure, scope), column)
    subject = f"{scope.of(measure)} {_when(scope)}"
    known = [number for number, value in enumerate(values) if value is not None]
    if not any(values[number] for number in known):
        headline = f"There were no orders {_for(scope)}{_when(scope)}."
    else:
        headline = f"{subject}: {total}{' in all' if measure.adds_up else ' over the whole period'}."
        complete = [number for number in known if whole[number]] or known
        headline += _course(values, labels, complete, by, column)
    partial = [str(labels[n]) for n, is_whole in enumerate(whole) if not is_whole]
    return Finding(
        tool=TOOL,
        status="answered",
        headline=headline,
        columns=columns,
        rows=tuple(zip(labels, values, strict=True)),
        chart=Chart(kind="line", x=by, y=("value",), title=f"{scope.of(measure)} by {by}"),
        caveat=f"Only in part within the period: {by} {' and '.join(partial)}." if partial else None,
    )


def _course(
    values: list[float | None], labels: list[Cell], complete: list[int], by: str, column: Column
) -> str:
    """Return sentences on the highest, the lowest and the way from first to last among `complete` rows."""
    if len(complete) < 2:
        return ""
    filled = [(values[n] or 0.0, n) for n in complete]
    high, low = max(filled, key=lambda pair: (pair[0], -pair[1])), min(filled)
    first, last = filled[0], filled[-1]
    on = "on" if by == "day" else "in"
    day = {"day": "", "week": "the week from ", "month": ""}[by]
    said = f" Highest {on} {day}{labels[high[1]]} ({show(high[0], column)})"
    said += f", lowest {on} {day}{labels[low[1]]} ({show(low[0], column)})."
    way = f" From {day}{labels[first[1]]} to {day}{labels[last[1]]}"
    if first[0] == last[0]:
        return f"{said}{way} it stayed at {show(first[0], column)}."
    verb = "rose" if last[0] > first[0] else "fell"
    change = f" by {percent(abs(last[0] / first[0] - 1))}" if first[0] else ""
    return f"{said}{way} it {verb}{change}, from {show(first[0], column)} to {show(last[0], column)}."


def _ranking(shop: Shop, measure: _Measure, scope: _Scope, by: str, top: int) -> Finding:
    """Return the `top` groups by the measure, each with its share of the whole."""
    group, label, many = _GROUPS[by]
    joins = {
        "product": "",
        "segment": f"JOIN ({SEGMENTS_SQL}) s USING (customer_id)",
    }.get(by, "LEFT JOIN products p USING (product_id)")
    parameters = scope.parameters | ({"as_of": shop.as_of} if by == "segment" else {})
    frame = shop.query(
        f"""
        SELECT {group} AS entity, {measure.sql} AS value, count(DISTINCT o.order_id) AS orders,
               count(*) OVER () AS groups
        FROM orders o {joins} WHERE {scope.where}
        GROUP BY 1 ORDER BY value DESC NULLS LAST, entity LIMIT {int(top)}
        """,  # noqa: S608 - fixed expressions and a checked number
        parameters,
    )
    column = _column("value", measure)
    whole = _value(shop, measure, scope)
    entities = [str(entity) for entity in frame["entity"]]
    values = [_cell(value, measure) or 0.0 for value in frame["value"]]
    named = _product_names(shop, entities) if by == "product" else entities
    columns = [Column(name=by, label=label, role="entity"), column]
    cells: list[list[Any]] = [list(named), list(values)]
    if measure.label == "Average order value":
        columns.append(Column(name="orders", label="Orders", role="measure", unit="orders", format="integer"))
        cells.append([int(count) for count in frame["orders"]])
    else:
        columns.append(Column(name="share", label="Share", role="measure", format="percent"))
        cells.append([round(value / whole, 6) if whole else None for value in values])
    if by == "product":
        columns.insert(1, Column(name="product_id", label="Product id", role="entity"))
        cells.insert(1, list(entities))
    groups = int(frame["groups"].iloc[0]) if len(frame) else 0
    caveat = None
    if measure.label in ("Orders", "Customers") and by != "segment" and groups > 1:
        one = measure.label.lower()[:-1]
        caveat = f"One {one} can count for several {many}, so the shares add up to more than 100 %."
    if measure.label == "Average order value" and by != "segment":
        caveat = f"For each of the {many}: what was spent on it per order that holds it."
    return Finding(
        tool=TOOL,
        status="answered",
        headline=_podium(measure, scope, label, many, groups, named, entities, values, whole, column),
        columns=tuple(columns),
        rows=tuple(zip(*cells, strict=True)),
        chart=Chart(kind="bar", x=by, y=("value",), title=f"{scope.of(measure)} by {by}") if groups else None,
        caveat=caveat,
    )


def _podium(
    measure: _Measure,
    scope: _Scope,
    label: str,
    many: str,
    groups: int,
    named: list[str],
    ids: list[str],
    values: list[float],
    whole: float | None,
    column: Column,
) -> str:
    """Return the headline of a ranking: the first with its value and share, and the runner-up."""
    if not groups:
        return f"There were no orders {_for(scope)}{_when(scope)}."
    names = [name if name == key else f"{name} ({key})" for name, key in zip(named, ids, strict=True)]
    said = f"{scope.of(measure)} by {label.lower()} {_when(scope)}: "
    said += f"{names[0]} leads with {show(values[0], column)}"
    if whole and measure.label != "Average order value":
        said += f", {percent(values[0] / whole)} of {show(whole, column)}"
    if len(names) > 1:
        said += f", before {names[1]} with {show(values[1], column)}"
    listed = f"; {len(names)} of {groups} {many} are listed" if groups > len(names) else ""
    return f"{said}{listed}."


def _product_names(shop: Shop, ids: list[str]) -> list[str]:
    frame = shop.query(
        "SELECT product_id, name FROM products WHERE product_id IN (SELECT unnest($ids))", {"ids": ids}
    )
    names = dict(zip(frame["product_id"], frame["name"], strict=True))
    return [str(names.get(product, product)) for product in ids]


def _cell(value: Any, measure: _Measure) -> float | None:
    """Return a raw value as it is kept: money to the cent, counts whole."""
    if value is None or pd.isna(value):
        return None
    number = float(value)
    return round(number, 2) if measure.format == "money" or number % 1 else int(number)


def _column(name: str, measure: _Measure) -> Column:
    return Column(name=name, label=measure.label, role="measure", unit=measure.unit, format=measure.format)


def _days(bucket: dt.date, by: str) -> int:
    if by == "month":
        return calendar.monthrange(bucket.year, bucket.month)[1]
    return {"day": 1, "week": 7}[by]


def _change(before: float, now: float) -> str:
    if now == before:
        return "the same as"
    return f"{'up' if now > before else 'down'} {percent(abs(now / before - 1))} from"


def _name(products: Resolution | None) -> str:
    if products is None:
        return "all products"
    if products.kind == "product":
        return f"{products.label} ({products.product_ids[0]})"
    return products.label


def _for(scope: _Scope) -> str:
    return f"for {_name(scope.products)} " if scope.products else ""


def _reading(product: str | None, found: Resolution | None) -> str | None:
    """Return how `product` was read, where the entry is called otherwise."""
    if product is None or found is None or found.kind == "product":
        return None
    if found.label.casefold() == product.strip().casefold():
        return None
    level = {"name": "products", "type": "product type"}.get(found.kind, found.kind)
    return f"“{product.strip()}” is read as the {level} {found.label} ({len(found.product_ids):,} products)."


def _clipped(shop: Shop, start: dt.date | None, end: dt.date | None) -> str | None:
    if (start and start < shop.first_day) or (end and end > shop.as_of):
        return f"The data reach from {shop.first_day} to {shop.as_of}; only these days are counted."
    return None


def _notes(shop: Shop, by: str) -> list[str]:
    """Return where the rows come from and what was set aside or kept."""
    kept = shop.manifest.get("table_notes", {}).get("orders", [])
    origin = shop.manifest.get("provenance", {}).get("orders")
    segments = f"Segments are those of {shop.as_of}." if by == "segment" else None
    return [text for text in (origin, *kept, segments) if text]


def _before(start: dt.date, end: dt.date) -> tuple[dt.date, dt.date]:
    """Return the period before: the calendar months before whole months, else as many days."""
    last = start - dt.timedelta(days=1)
    if start.day == 1 and (end + dt.timedelta(days=1)).day == 1:
        months = (end.year - start.year) * 12 + end.month - start.month + 1
        number = start.year * 12 + start.month - 1 - months
        return dt.date(number // 12, number % 12 + 1, 1), last
    return start - (end - start) - dt.timedelta(days=1), last


def _when(scope: _Scope) -> str:
    """Return a period in words: "in March 2017", "in 2017", "on 2017-02-14" or "from … to …"."""
    start, end = scope.start, scope.end
    if start == end:
        return f"on {start}"
    if start.day == 1 and (end + dt.timedelta(days=1)).day == 1 and start.year == end.year:
        if start.month == end.month:
            return f"in {start:%B %Y}"
        if (start.month, end.month) == (1, 12):
            return f"in {start.year}"
    return f"from {start} to {end}"
