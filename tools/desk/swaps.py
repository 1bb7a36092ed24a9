"""Items that are changed to other variants, in a pending order or by an exchange."""

from __future__ import annotations

from collections.abc import Sequence

from storewise.tools.desk.desk import Desk, Refusal, covers, dollars, listed, refund_time
from storewise.tools.desk.tables import OrderItem, PaymentMethod, Variant
from storewise.tools.finding import Cell, Column, money_column

Swap = tuple[OrderItem, Variant]

SWAP_COLUMNS = (
    Column(name="item_id", label="Item", role="entity"),
    Column(name="new_item_id", label="New item", role="entity"),
    money_column("price", "Price"),
    money_column("new_price", "New price"),
    Column(name="product", label="Product", role="entity"),
    Column(name="options", label="Options", role="text"),
    Column(name="new_options", label="New options", role="text"),
)


def swaps(desk: Desk, lines: Sequence[OrderItem], new_item_ids: Sequence[str]) -> list[Swap]:
    """Return each line with the available variant of its product that it becomes."""
    if len(lines) != len(new_item_ids):
        raise Refusal(
            "unclear argument",
            f"Each item needs one new item: {len(lines)} to change and {len(new_item_ids)} new were named.",
        )
    return [(line, desk.variant(line, new)) for line, new in zip(lines, new_item_ids, strict=True)]


def difference(changes: Sequence[Swap]) -> int:
    """Return what the new items cost more than the old, in cents."""
    return sum(variant.price - line.price for line, variant in changes)


def swap_rows(changes: Sequence[Swap]) -> tuple[tuple[Cell, ...], ...]:
    """Return the rows that go with SWAP_COLUMNS."""
    return tuple(
        (
            line.item_id,
            variant.item_id,
            line.price / 100,
            variant.price / 100,
            variant.product.name,
            line.variant.said,
            variant.said,
        )
        for line, variant in changes
    )


def told(changes: Sequence[Swap]) -> str:
    """Return what becomes what, for a sentence."""
    return listed(
        [
            f"{line.variant.label} for {dollars(line.price)} becomes "
            f"{variant.said or f'item {variant.item_id}'} for {dollars(variant.price)}"
            for line, variant in changes
        ]
    )


def settled(method: PaymentMethod, cents: int, *, will: bool) -> str:
    """Return the sentence on the difference in price, which a gift card must cover."""
    if cents == 0:
        return "The price stays the same."
    if cents > 0:
        pays = "will pay" if will else "paid"
        return f"{_begun(method.label)} {pays} the difference of {dollars(cents)}."
    back = "will go back" if will else "goes back"
    return f"The difference of {dollars(-cents)} {back} to {method.label} {refund_time(method)}."


def covered(method: PaymentMethod, cents: int) -> None:
    """Refuse a gift card that could not pay the difference."""
    if cents > 0:
        covers(method, cents)


def _begun(text: str) -> str:
    return text[0].upper() + text[1:]
