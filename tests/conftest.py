"""Shops for tests: the real demo shop, built once a run, and a tiny one made by hand."""

from __future__ import annotations

import csv
import datetime as dt
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from storewise.tools.shop.demo import build_demo
from storewise.tools.shop.generation import Shop, building, open_shop
from storewise.tools.shop.load import load_folder

_PRODUCTS = (
    ("P01", "House coffee 12 oz", "Coffee", "Grocery", "Dawn", 7.5),
    ("P02", "Dark coffee 12 oz", "Coffee", "Grocery", "Dusk", 8.25),
    ("P03", "Green tea 20 ct", "Tea", "Grocery", "Leaf", 3.5),
    ("P04", "Black tea 40 ct", "Tea", "Grocery", "Leaf", 4.75),
    ("P05", "Oat cookies 10 oz", "Cookies", "Bakery", "Crumb", 2.95),
    ("P06", "Ginger cookies 8 oz", "Cookies", "Bakery", "Crumb", 3.25),
    ("P07", "Whole milk 1 ga", "Milk", "Dairy", "Meadow", 3.1),
    ("P08", "Skim milk 1 ga", "Milk", "Dairy", "Meadow", 2.9),
    ("P09", "Cheddar cheese 8 oz", "Cheese", "Dairy", "Meadow", 4.4),
    ("P10", "Cotton shirt blue", "Shirts", "Clothes", "Thread", 19.0),
    ("P11", "Cotton shirt red", "Shirts", "Clothes", "Thread", 19.0),
    ("P12", "Wool socks", "Socks", "Clothes", "Thread", 6.0),
)
_REVIEWS = (
    ("P01", 5, "This coffee is wonderful, smooth and never bitter. I order it every month."),
    ("P01", 2, "The coffee tastes burnt and the bag arrived open."),
    ("P02", 4, "Strong dark coffee with a rich flavor. A little expensive."),
    ("P02", 1, "Terrible coffee, bitter and stale. I want my money back."),
    ("P03", 5, "The green tea is fresh and light, my favorite tea."),
    ("P03", 3, "The green tea is fine, but the bags tear easily."),
    ("P04", 5, "Great black tea, strong and cheap."),
    ("P05", 5, "The oat cookies are soft and delicious, my children love them."),
    ("P05", 1, "The cookies were broken and stale when they came."),
    ("P06", 4, "Spicy ginger cookies with a good crunch."),
    ("P09", 2, "The cheddar is bland and far too salty."),
    ("P10", 5, "The shirt fits perfectly and the cotton is soft."),
    ("P10", 2, "The shirt shrank after one wash. Poor quality."),
    ("P12", 5, "The warmest socks that I have ever had."),
)
_STEPS = ("view_category", "view_product", "add_to_cart", "view_cart", "checkout", "payment", "purchase")
_FIRST = dt.datetime(2024, 1, 2, 9, 0)
_LAST = dt.datetime(2024, 10, 31, 21, 0)


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of the real demo shop: that of $STOREWISE_TEST_HOME, or one built for this run, unfitted."""
    given = os.environ.get("STOREWISE_TEST_HOME")
    if given:
        return Path(given)
    home = tmp_path_factory.mktemp("demo_home")
    with building(home) as builder:
        build_demo(builder).close()
    return home


@pytest.fixture(scope="session")
def small_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of CSV files: 30 customers, 12 products, about 500 order lines over ten months. Read only."""
    folder = tmp_path_factory.mktemp("small_folder")
    write_small_shop(folder)
    return folder


@pytest.fixture(scope="session")
def small_home(small_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of the tiny shop, loaded but not fitted."""
    home = tmp_path_factory.mktemp("small_home")
    assert load_folder(small_folder, home).loaded
    return home


@pytest.fixture
def small_shop(small_home: Path) -> Iterator[Shop]:
    """The tiny shop, opened."""
    shop = open_shop(small_home)
    yield shop
    shop.close()


def write_small_shop(folder: Path) -> None:
    """Write the tiny shop's six tables: nothing in them is drawn by chance."""
    customers = [f"C{number:02d}" for number in range(1, 31)]
    _write(
        folder / "customers.csv",
        ["customer_id", "signed_up_at", "age", "region"],
        [
            [name, "2024-01-01", 20 + number, ("North", "South")[number % 2]]
            for number, name in enumerate(customers)
        ],
    )
    _write(
        folder / "products.csv",
        ["product_id", "name", "category", "department", "brand", "price"],
        [list(product) for product in _PRODUCTS],
    )
    orders, events, offers = _orders(customers), _events(customers), []
    for number, customer in enumerate(customers[:20]):
        sent = _FIRST + dt.timedelta(days=30 + 5 * number)
        redeemed = sent + dt.timedelta(days=3) if number % 4 == 0 else ""
        offers.append([f"F{number:02d}", customer, "coupon", sent, redeemed, 2.0, 0.5])
    _write(
        folder / "orders.csv",
        ["order_id", "customer_id", "product_id", "ordered_at", "quantity", "amount"],
        orders,
    )
    _write(
        folder / "events.csv",
        ["session_id", "event", "occurred_at", "customer_id", "product_id", "device", "channel", "value"],
        events,
    )
    _write(
        folder / "reviews.csv",
        ["review_id", "text", "product_id", "category", "customer_id", "rating", "reviewed_at"],
        [
            [f"R{n:02d}", text, product, _category(product), customers[n], rating, f"2024-0{1 + n % 9}-15"]
            for n, (product, rating, text) in enumerate(_REVIEWS)
        ],
    )
    _write(
        folder / "offers.csv",
        ["offer_id", "customer_id", "kind", "sent_at", "redeemed_at", "value", "cost"],
        offers,
    )


def _category(product: str) -> str:
    return next(row[2] for row in _PRODUCTS if row[0] == product)


def _orders(customers: list[str]) -> list[list[Any]]:
    """Each customer comes at an own pace; every fifth stops in July. Each leans to a few products."""
    rows: list[list[Any]] = []
    for number, customer in enumerate(customers):
        moment = _FIRST + dt.timedelta(days=number % 9, hours=number % 11)
        visit = 0
        while moment <= (dt.datetime(2024, 7, 20) if number % 5 == 4 else _LAST):
            for line in range(1 + (number + visit) % 3):
                product = _PRODUCTS[(number + line * 5 + visit % 2) % len(_PRODUCTS)]
                quantity = 1 + (visit + line) % 2
                amount = round(product[5] * quantity, 2)
                rows.append([f"O{number:02d}{visit:03d}", customer, product[0], moment, quantity, amount])
            visit += 1
            moment += dt.timedelta(days=28 + number % 18, hours=visit % 3)
    # The last day ends when the others do.
    rows.append(["O99999", customers[0], "P01", _LAST, 1, 7.5])
    rows.sort(key=lambda row: (row[3], row[0]))
    return rows


def _events(customers: list[str]) -> list[list[Any]]:
    """60 visits, one in three bought; the carts of the last day are open."""
    rows: list[list[Any]] = []
    for visit in range(60):
        customer = customers[visit % 30] if visit % 4 else ""
        product = _PRODUCTS[visit % len(_PRODUCTS)]
        moment = _LAST - dt.timedelta(days=(59 - visit) * 5, minutes=50)
        steps = [
            "view_category",
            "view_product",
            "add_to_cart",
            "view_cart",
            "checkout",
            "payment",
            "purchase",
        ]
        reached = 7 if visit % 3 == 0 and visit < 57 else 2 + visit % 4
        for step, event in enumerate(steps[:reached]):
            about = product[0] if event in ("view_product", "add_to_cart") else ""
            value = product[5] if event != "view_category" else ""
            device = ("mobile", "desktop")[visit % 2]
            at = moment + dt.timedelta(minutes=step)
            rows.append([f"S{visit:03d}", event, at, customer, about, device, "direct", value])
    return rows


def _write(path: Path, header: list[str], rows: list[list[Any]]) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
