"""Entities are words of the sentence to the letter, by the guide's rules, and only real entries are linked."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from storewise.tools.reviews import entities
from storewise.tools.reviews.entities import Names, find, general
from storewise.tools.shop.generation import Shop


def found(text: str, *others: str) -> set[tuple[str, str]]:
    names = Names().read([text, *others])
    return {(text[s.start : s.stop], s.kind) for s in find(text, general(), names)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("This is the best organic green tea.", {("green tea", "product")}),
        ("A very nice dark chocolate!", {("dark chocolate", "product")}),
        ("We use extra virgin olive oil.", {("extra virgin olive oil", "product")}),
        ("It has too much sugar and caffeine.", {("sugar", "ingredient"), ("caffeine", "ingredient")}),
        ("The cherry flavor is strong.", {("cherry", "ingredient")}),
        ("I like the almonds in it.", {("almonds", "ingredient")}),
        ("I buy it at Amazon.", {("Amazon", "brand")}),
        ("I love Annie's crackers.", {("Annie's", "brand"), ("crackers", "product")}),
        ("The charger and the usb cable broke.", {("charger", "product"), ("usb cable", "product")}),
        ("My cotton shirt shrank.", {("cotton shirt", "product")}),
        ("The bag was open and the box was wet.", set()),
        ("They sell it at the coffee shop.", set()),
        ("A great product, what a snack!", set()),
        ("🙂🙂🙂", set()),
        ("", set()),
    ],
)
def test_the_rules_of_the_guide(text: str, expected: set[tuple[str, str]]) -> None:
    assert found(text) == expected


def test_a_name_is_what_is_written_with_a_capital_everywhere() -> None:
    assert ("Zolda", "brand") in found("We tried Zolda last week.", "And Zolda again.")
    assert found("We Loved it.", "We loved it, they loved it.") == set()
    assert found("The weather in Oklahoma was fine.") == set()
    assert found("I LOVE THIS PLACE SO MUCH") == set()


def test_one_thing_is_named_once_a_sentence() -> None:
    text = "A cookie is a cookie, and these cookies are Cookies."
    assert [text[s.start : s.stop] for s in find(text, general(), Names())] == ["cookie"]


WORDS = "green tea Acme's dark chocolate chips , and with <b> Café 😀 sugar in it Amazon -".split()


@given(st.text(max_size=300) | st.lists(st.sampled_from(WORDS)).map(" ".join))
@example("Aa AAAA Aa Aa Aa")  # a name longer than the longest, and a word before the next
def test_every_entity_is_a_part_of_the_text_and_none_overlaps(text: str) -> None:
    spans = find(text, general(), Names().read([text]))
    for span in spans:
        assert 0 <= span.start < span.stop <= len(text) and span.kind in entities.KINDS
        assert text[span.start : span.stop].strip() == text[span.start : span.stop]
    ordered = sorted(spans)
    assert all(a.stop <= b.start for a, b in zip(ordered, ordered[1:], strict=False))
    keys = [entities.key(text[s.start : s.stop]) for s in spans]
    assert len(keys) == len(set(keys))


def test_long_and_foreign_texts() -> None:
    long = "tea and Coffee with sugar " * 4000
    assert {long[s.start : s.stop] for s in find(long, general(), Names())} >= {"tea", "sugar"}
    assert found("咖啡很好。") == set()
    assert ("coffee", "product") in found("<b>coffee</b>")


def test_a_shop_names_and_links_its_own(small_shop: Shop) -> None:
    texts = ["I love Meadow milk.", "The wool socks are warm.", "An engine for spaceships."]
    table = entities.table(texts, small_shop)
    rows = {(row.name_, row.kind): row.entry for row in table.rename(columns={"name": "name_"}).itertuples()}
    assert ("Meadow", "brand") in rows
    assert rows["milk", "product"] == "category: Milk"
    assert all(texts[row.line][row.start : row.stop] for row in table.itertuples())
    assert entities.table([], small_shop).empty
