"""What the tools over reviews share: the index, the reviews that a question is about, where they came from."""

from __future__ import annotations

from storewise.tools.finding import DataNote, Finding
from storewise.tools.reviews import search
from storewise.tools.reviews.index import Index, NoIndex, open_index
from storewise.tools.reviews.search import Scope
from storewise.tools.shop.generation import MissingTable, Shop

EMPTY = "The shop has no reviews yet."
LONGEST_QUERY = 200  # characters


def plain(words: str | None) -> str | None:
    """Return what was asked for on one line, without control characters, short enough to be repeated."""
    shown = "".join(c if c.isprintable() else " " for c in words or "")
    return " ".join(shown.split())[:LONGEST_QUERY].strip() or None


def opened(shop: Shop, product: str | None, tool: str) -> tuple[Index, Scope] | Finding:
    """Return the index and the reviews of `product`, or the finding that says why not."""
    try:
        shop.require("reviews", "review_id", "text")
        if product is not None:
            shop.require("products", "product_id", "name", "category")
            if not shop.has("reviews", "product_id"):
                shop.require("reviews", "category")
        index = open_index(shop.folder("reviews"))
    except (MissingTable, NoIndex) as missing:
        return Finding(tool=tool, status="missing_table", headline=str(missing))
    if product is None:
        return index, search.everything(index)
    found = shop.catalogue.resolve(product)
    if not found:
        near = f" Close matches: {', '.join(found.matches)}." if found.matches else " Nothing comes close."
        headline = f"Nothing in the catalogue is called “{found.label}”.{near}"
        return Finding(tool=tool, status="ambiguous", headline=headline)
    return index, search.scope_of(shop, index, found)


def reviewed(shop: Shop, product: str | None, tool: str) -> tuple[Index, Scope] | Finding:
    """Return the index and the reviews of `product`, or the finding that there are none, or why not."""
    found = opened(shop, product, tool)
    if isinstance(found, Finding) or found[1].rows.any():
        return found
    of = of_scope(found[1])
    return nothing(shop, tool, f"There are no reviews{of} or of its category." if product else EMPTY)


def nothing(shop: Shop, tool: str, sentence: str) -> Finding:
    """Return the finding that there is nothing to show."""
    return Finding(
        tool=tool,
        status="answered",
        headline=sentence,
        evidence=data_notes(shop),
        caveat=provenance(shop),
    )


def of_scope(scope: Scope) -> str:
    """Return " of tea" to go after "reviews", nothing where all are meant."""
    return f" of {scope.label}" if scope.label else ""


def provenance(shop: Shop) -> str | None:
    """Return the caveat that reviews were matched to the catalogue, where they were."""
    text = str(shop.manifest.get("provenance", {}).get("reviews", ""))
    if "matched" not in text:
        return None
    return (
        "The reviews were matched to this catalogue's categories and not written about this shop's products."
    )


def data_notes(shop: Shop) -> tuple[DataNote, ...]:
    """Return where the reviews came from."""
    text = shop.manifest.get("provenance", {}).get("reviews")
    return (DataNote(text=str(text)),) if text else ()
