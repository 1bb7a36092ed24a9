"""What to offer one customer next."""

from __future__ import annotations

from storewise.tools.customers import MOST, find_customer, no_such_customer, outside
from storewise.tools.finding import Cell, Chart, Column, Finding
from storewise.tools.models import recommender
from storewise.tools.models.card import NoModel
from storewise.tools.models.recommender import Suggestion
from storewise.tools.models.windows import DAYS
from storewise.tools.shop.catalogue import Resolution
from storewise.tools.shop.generation import MissingTable, Shop

TOOL = "recommend_products"


def recommend_products(shop: Shop, customer_id: str, product: str | None = None, top: int = 5) -> Finding:
    """What to offer one customer next, and why: what they buy again and what customers like them buy.

    For "what should we offer customer 900?", "ideas for 1228", "which cheese would 900 buy?".

    Args:
        customer_id: the customer's id, such as "900".
        product: a category, product name or product id whose category to keep to, such as "cheese".
        top: how many products, the best first.
    """
    if not 1 <= top <= MOST:
        return Finding(tool=TOOL, status="refused", headline=outside(top))
    try:
        shop.require("orders", "order_id", "customer_id", "product_id", "ordered_at", "amount")
        shop.require("products", "product_id", "name", "category")
        model = recommender.loaded(shop)
    except (MissingTable, NoModel) as error:
        return Finding(tool=TOOL, status="missing_table", headline=str(error))
    customer = find_customer(shop, customer_id)
    if customer is None:
        return Finding(tool=TOOL, status="refused", headline=no_such_customer(shop, customer_id))
    kept, within = None, None
    if product is not None:
        found = shop.catalogue.resolve(product)
        if not found:
            near = f" Close matches: {', '.join(found.matches)}." if found.matches else ""
            headline = f"Nothing in the catalogue is called “{found.label}”.{near}"
            return Finding(tool=TOOL, status="ambiguous", headline=headline)
        kept, within = _category(shop, found)
    offers = model.suggest(customer, top, within)
    offer = f"Of {kept}, offer" if kept else "Offer"
    if not offers:
        of = f" of {kept}" if kept else ""
        headline = f"There is nothing{of} to offer customer {customer} yet: nobody has bought any."
        return Finding(tool=TOOL, status="answered", headline=headline, evidence=(model.card.note(),))
    return _finding(shop, customer, offers, offer, model)


def _category(shop: Shop, found: Resolution) -> tuple[str, tuple[str, ...]]:
    """Return the name and products to keep to: what was named, or for a single product its category."""
    if found.kind in ("category", "type", "department"):
        return found.label, found.product_ids
    rows = shop.query(
        """
        SELECT product_id, category FROM products WHERE category = (
            SELECT mode(category) FROM products WHERE product_id IN (SELECT unnest($ids)))
        """,
        {"ids": list(found.product_ids)},
    )
    return str(rows["category"].iloc[0]), tuple(rows["product_id"])


def _finding(
    shop: Shop, customer: str, offers: list[Suggestion], offer: str, model: recommender.Recommender
) -> Finding:
    names = [model.names[one.product_id] for one in offers]
    headline = f"{offer} customer {customer} first {names[0]} ({offers[0].product_id}): {offers[0].reason}."
    others = list(dict.fromkeys(name for name in names[1:] if name != names[0]))[:3]
    if others:
        listed = others[0] if len(others) == 1 else f"{', '.join(others[:-1])} and {others[-1]}"
        headline += f" Next come {listed}."
    chances = any(one.chance is not None for one in offers)
    columns = [
        Column(name="product_id", label="Product id", role="entity"),
        Column(name="product", label="Product", role="entity"),
        Column(name="times", label="Bought before", role="measure", unit="times", format="integer"),
    ]
    if chances:
        label = f"Chance within {DAYS} days"
        columns.append(Column(name="chance", label=label, role="measure", format="percent"))
    columns.append(Column(name="why", label="Why", role="text"))
    rows: list[tuple[Cell, ...]] = [
        (one.product_id, name, one.times, *((one.chance,) if chances else ()), "; ".join(one.reasons))
        for one, name in zip(offers, names, strict=True)
    ]
    chart = Chart(
        kind="bar",
        x="product",
        y=("chance",),
        title=f"Chance that customer {customer} buys it within 28 days",
    )
    caveat = None
    if customer not in model.purchases.row_of:
        caveat = (
            f"Customer {customer} has bought nothing up to {shop.as_of}: these are the most popular with "
            "customers of whom as much is known."
        )
    return Finding(
        tool=TOOL,
        status="answered",
        headline=headline,
        columns=tuple(columns),
        rows=tuple(rows),
        chart=chart if len(rows) > 1 and all(one.chance is not None for one in offers) else None,
        evidence=(model.card.note(),),
        caveat=caveat,
    )
