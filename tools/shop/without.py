"""A shop without one customer: a new generation of all other rows, learned anew; the ones before are removed.

A generation is never changed, so that taking somebody out of it means building another.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb

from storewise.tools.shop.contract import TABLES
from storewise.tools.shop.generation import (
    DATABASE,
    NoShop,
    Shop,
    ShopError,
    building,
    open_shop,
)

_TOLD_BY = ("name", "full_name", "first_name", "last_name", "email")


def rows_of(shop: Shop, customer_id: str) -> dict[str, int]:
    """Return in how many rows of each table a customer stands, only tables with any."""
    found: dict[str, int] = {}
    for table in sorted(shop.tables):
        if shop.has(table, "customer_id"):
            counted = shop.query(
                f'SELECT count(*) AS n FROM "{table}" WHERE CAST(customer_id AS VARCHAR) = ?',  # noqa: S608
                [customer_id],
            )
            if number := int(counted["n"].iloc[0]):
                found[table] = number
    return found


def told_of(shop: Shop, customer_id: str) -> tuple[str, ...]:
    """Return the names and e-mails that the customers' table has of a customer."""
    columns = [column for column in _TOLD_BY if shop.has("customers", "customer_id", column)]
    if not columns:
        return ()
    wanted = ", ".join(f'CAST("{column}" AS VARCHAR) AS "{column}"' for column in columns)
    rows = shop.query(
        f"SELECT {wanted} FROM customers WHERE CAST(customer_id AS VARCHAR) = ?",  # noqa: S608
        [customer_id],
    )
    told: list[str] = []
    for row in rows.to_dict("records"):
        values = {str(name): str(value) for name, value in row.items() if isinstance(value, str) and value}
        told += [value for name, value in values.items() if name not in ("first_name", "last_name")]
        if {"first_name", "last_name"} <= values.keys():
            told.append(f"{values['first_name']} {values['last_name']}")
    return tuple(dict.fromkeys(told))


def rebuild_without(
    customer_id: str, home: Path | None, then: Callable[[Shop], object] | None = None
) -> dict[str, int]:
    """Make a generation without a customer the current one; return the rows left out, by table.

    Args:
        customer_id: whose rows are left out, in every table that has a customer_id.
        then: what is still to be done before the new shop takes the old one's place, such as training its models.

    Raises:
        ShopError: another process is building, or the shop cannot be read; it stays as it is.
    """
    try:
        shop = open_shop(home)
    except NoShop:
        return {}
    manifest = shop.manifest
    gone = rows_of(shop, customer_id)
    kept_by_id = {table for table in shop.tables if shop.has(table, "customer_id")}
    tables = [*(t for t in TABLES if t in shop.tables), *sorted(shop.tables - set(TABLES))]
    shop.close()
    if not gone:
        return {}
    with building(home) as builder:
        try:
            _copy(builder.connection, shop.path / DATABASE, tables, kept_by_id, customer_id)
        except duckdb.Error as error:
            raise ShopError(
                f"The shop could not be copied ({str(error).splitlines()[0]}); it stays as it is."
            ) from error
        if "reviews" in gone:
            # An index that starts from the one before would carry its leftovers along.
            builder.previous = None
        made = builder.seal(
            name=manifest["name"],
            as_of=shop.as_of,
            source=manifest["source"],
            provenance=manifest["provenance"],
            notes={
                table: [note for note in notes if customer_id not in note]
                for table, notes in manifest["table_notes"].items()
            },
        )
        if then is not None:
            then(made)
        made.close()
    return gone


def _copy(
    connection: duckdb.DuckDBPyConnection,
    database: Path,
    tables: list[str],
    by_id: set[str],
    customer_id: str,
) -> None:
    path = str(database).replace("'", "''")
    connection.execute(f"ATTACH '{path}' AS before (READ_ONLY)")
    for table in tables:
        name = table.replace('"', '""')
        # rowid is the order in which the rows were written.
        where = "WHERE customer_id IS NULL OR CAST(customer_id AS VARCHAR) <> ?" if table in by_id else ""
        connection.execute(
            f'CREATE TABLE "{name}" AS SELECT * FROM before."{name}" {where} ORDER BY rowid',  # noqa: S608
            [customer_id] if where else [],
        )
    connection.execute("DETACH before")
