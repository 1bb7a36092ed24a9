"""sales_report: every figure is what a plain sum over the order lines gives, and the headline says so."""

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storewise.tools.finding import Finding, show
from storewise.tools.models.segments import segments
from storewise.tools.registry import ArgumentError, Tool
from storewise.tools.sales import sales_report
from storewise.tools.shop.generation import Shop, open_shop
from storewise.tools.shop.load import load_folder

REPORT = Tool(sales_report)
METRICS = ("revenue", "orders", "customers", "units", "average_order_value")


@pytest.fixture(scope="module")
def shop(small_home: Path) -> Iterator[Shop]:
    shop = open_shop(small_home)
    yield shop
    shop.close()


@pytest.fixture(scope="module")
def lines(shop: Shop) -> pd.DataFrame:
    """All order lines with their product, to be summed in pandas: a second opinion."""
    return shop.query(
        "SELECT o.*, p.name, p.category, p.brand FROM orders o JOIN products p USING (product_id)"
    )


def measure(lines: pd.DataFrame, metric: str) -> float:
    revenue, orders = lines["amount"].sum(), lines["order_id"].nunique()
    return {
        "revenue": round(revenue, 2),
        "orders": orders,
        "customers": lines["customer_id"].nunique(),
        "units": lines["quantity"].sum(),
        "average_order_value": round(revenue / orders, 2) if orders else None,
    }[metric]


def between(lines: pd.DataFrame, start: dt.date, end: dt.date) -> pd.DataFrame:
    day = lines["ordered_at"].dt.date
    return lines[(day >= start) & (day <= end)]


def report(shop: Shop, **arguments: Any) -> Finding:
    return REPORT.call(shop, arguments)


def column(finding: Finding, name: str) -> list[Any]:
    place = [column.name for column in finding.columns].index(name)
    return [row[place] for row in finding.rows]


days = st.dates(dt.date(2024, 1, 2), dt.date(2024, 10, 31))


@settings(max_examples=60, deadline=None)
@given(
    metric=st.sampled_from(METRICS),
    ends=st.tuples(days, days).map(sorted),
    product=st.sampled_from([None, "coffee", "Milk", "P05", "wool socks", "Grocery"]),
)
def test_a_figure_is_the_sum_of_its_lines(
    shop: Shop, lines: pd.DataFrame, metric: str, ends: list[dt.date], product: str | None
) -> None:
    start, end = ends
    finding = report(shop, metric=metric, start=start, end=end, product=product)
    wanted = between(lines, start, end)
    if product:
        wanted = wanted[wanted["product_id"].isin(shop.catalogue.resolve(product).product_ids)]
    value = measure(wanted, metric)
    assert column(finding, "value")[0] == (pytest.approx(value, abs=0.011) if value is not None else None)
    assert column(finding, "from")[0] == start and column(finding, "to")[0] == end
    if value:
        assert show(column(finding, "value")[0], finding.columns[2]) in finding.headline
    if len(finding.rows) == 2:
        before = finding.rows[1]
        assert before[1] == start - dt.timedelta(days=1), "the period before ends the day before"
        assert column(finding, "value")[1] == pytest.approx(
            measure(_of(shop, between(lines, before[0], before[1]), product), metric), abs=0.011
        )
        values = column(finding, "value")
        said = "up" if values[0] > values[1] else "down" if values[0] < values[1] else "the same as"
        assert said in finding.headline


def _of(shop: Shop, lines: pd.DataFrame, product: str | None) -> pd.DataFrame:
    if product is None:
        return lines
    return lines[lines["product_id"].isin(shop.catalogue.resolve(product).product_ids)]


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(("by", "rule"), [("day", "D"), ("week", "W-SUN"), ("month", "M")])
def test_a_series_has_a_row_for_every_day_week_or_month(
    shop: Shop, lines: pd.DataFrame, metric: str, by: str, rule: str
) -> None:
    start, end = dt.date(2024, 3, 4), dt.date(2024, 5, 31)
    finding = report(shop, metric=metric, by=by, start=start, end=end)
    wanted = between(lines, start, end)
    periods = pd.period_range(start, end, freq=rule)
    assert len(finding.rows) == len(periods)
    for period, label, value in zip(periods, column(finding, by), column(finding, "value"), strict=True):
        first = period.start_time.date()
        assert label == (f"{first:%Y-%m}" if by == "month" else first)
        some = measure(wanted[wanted["ordered_at"].dt.to_period(rule) == period], metric)
        assert value == (pytest.approx(some, abs=0.011) if some is not None else None)
    assert finding.chart and finding.chart.kind == "line"
    total = show(measure(wanted, metric), finding.columns[1])
    assert f": {total} " in finding.headline


def test_a_headline_tells_peak_low_and_way_of_whole_months_only(shop: Shop) -> None:
    finding = report(shop, metric="revenue", by="month", start="2024-02-10", end="2024-06-30")
    rows = dict(zip(column(finding, "month"), column(finding, "value"), strict=True))
    assert finding.caveat == "Only in part within the period: month 2024-02."
    whole = {month: value for month, value in rows.items() if month != "2024-02"}
    high, low = max(whole, key=lambda m: whole[m]), min(whole, key=lambda m: whole[m])
    assert (
        f"Highest in {high} (${whole[high]:,.2f}), lowest in {low} (${whole[low]:,.2f})" in finding.headline
    )
    first, last = whole["2024-03"], whole["2024-06"]
    verb = "rose" if last > first else "fell"
    change = f"{100 * abs(last / first - 1):.1f} %"
    assert (
        f"From 2024-03 to 2024-06 it {verb} by {change}, from ${first:,.2f} to ${last:,.2f}."
        in finding.headline
    )


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("by", ["category", "brand", "product", "segment"])
def test_a_ranking_is_sorted_limited_and_shares_are_of_the_whole(
    shop: Shop, lines: pd.DataFrame, metric: str, by: str
) -> None:
    finding = report(shop, metric=metric, by=by, top=3)
    groups = lines.merge(segments(shop)[["customer_id", "segment"]], on="customer_id")
    key = {"product": "product_id"}.get(by, by)
    expected = {str(name): measure(group, metric) for name, group in groups.groupby(key)}
    entities = column(finding, "product_id" if by == "product" else by)
    values = column(finding, "value")
    assert len(entities) == min(3, len(expected))
    assert values == sorted(values, reverse=True)
    assert values[0] == pytest.approx(max(expected.values()), abs=0.011)
    for entity, value in zip(entities, values, strict=True):
        assert value == pytest.approx(expected[entity], abs=0.011)
    assert finding.chart and finding.chart.kind == "bar"
    assert show(values[0], finding.columns[-2]) in finding.headline
    if metric != "average_order_value":
        whole = measure(lines, metric)
        assert column(finding, "share")[0] == pytest.approx(values[0] / whole, abs=1e-5)
        assert f"{100 * values[0] / whole:.1f} %" in finding.headline


def test_top_never_limits_a_series(shop: Shop) -> None:
    assert len(report(shop, metric="orders", by="month", top=1).rows) == 10


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"start": "2024-05-02", "end": "2024-05-01"}, "before it starts"),
        ({"start": "2024-11-01"}, "no sales yet"),
        ({"end": "2023-12-31"}, "no sales up to"),
        ({"top": 0, "by": "product"}, "between 1 and 100"),
    ],
)
def test_ranges_that_cannot_be_right_are_refused_with_those_of_the_data(
    shop: Shop, arguments: dict[str, Any], said: str
) -> None:
    finding = report(shop, metric="revenue", **arguments)
    assert finding.status == "refused" and said in finding.headline
    if "top" not in arguments:
        assert "the data reach from 2024-01-02 to 2024-10-31" in finding.headline


def test_a_range_partly_outside_is_cut_and_that_is_said(shop: Shop) -> None:
    finding = report(shop, metric="revenue", start="2023-05-01", end="2025-01-01")
    assert finding.rows[0][:2] == (dt.date(2024, 1, 2), dt.date(2024, 10, 31))
    assert "only these days are counted" in (finding.caveat or "")


def test_what_is_not_sold_is_told_with_close_matches(shop: Shop) -> None:
    finding = report(shop, metric="revenue", product="purple tea")
    assert finding.status == "ambiguous" and not finding.rows
    assert "“purple tea”" in finding.headline and "Tea" in finding.headline
    evil = report(shop, metric="revenue", product="x') OR 1=1; DROP TABLE orders; --")
    assert evil.status == "ambiguous"
    assert report(shop, metric="orders").status == "answered"


def test_how_a_product_was_read_and_where_rows_come_from_is_said(shop: Shop) -> None:
    finding = report(shop, metric="units", product="COOKIE")
    assert finding.caveat == "“COOKIE” is read as the category Cookies (2 products)."
    assert next(note.text for note in finding.evidence if note.kind == "data").startswith("Loaded from")
    assert finding.arguments == {"metric": "units", "product": "COOKIE"}


def test_nothing_sold_is_no_error(shop: Shop) -> None:
    for by in ("none", "week", "product", "segment"):
        for metric in METRICS:
            finding = report(
                shop, metric=metric, by=by, product="socks", start="2024-01-02", end="2024-01-02"
            )
            assert finding.status == "answered"
            assert not re.search(r"nan|None|inf\b", finding.headline), finding.headline


def test_arguments_are_checked_against_the_schema(shop: Shop) -> None:
    with pytest.raises(ArgumentError):
        report(shop, metric="profit")
    with pytest.raises(ArgumentError):
        report(shop, metric="revenue", start="soon")
    schema = REPORT.schema
    assert set(schema["properties"]) == {"metric", "by", "product", "start", "end", "top"}
    assert schema["required"] == ["metric"]
    assert all(value.get("description") for value in schema["properties"].values())


def test_a_shop_lacking_a_table_or_column_says_so_and_answers_the_rest(
    small_folder: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "orders.csv").write_bytes((small_folder / "orders.csv").read_bytes())
    load_folder(folder, tmp_path / "home")
    shop = open_shop(tmp_path / "home")
    assert report(shop, metric="revenue", by="month").status == "answered"
    for arguments in ({"by": "category"}, {"by": "brand"}, {"by": "product"}, {"product": "coffee"}):
        finding = report(shop, metric="revenue", **arguments)
        assert finding.status == "missing_table" and "products" in finding.headline
    shop.close()


def test_the_demo_shop_answers_a_month_as_its_source_does(demo_home: Path) -> None:
    shop = open_shop(demo_home)
    finding = report(shop, metric="revenue", start="2017-03-01", end="2017-03-31")
    assert finding.headline.startswith(
        "Revenue in March 2017 was $350,156.62, up 7.2 % from $326,618.05 in February"
    )
    assert any("fuel" in note.text for note in finding.evidence if note.kind == "data")
    shop.close()
