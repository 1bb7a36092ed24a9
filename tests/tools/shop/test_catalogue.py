"""The catalogue finds what a person means, however it is written, and says so when it cannot."""

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storewise.tools.shop.catalogue import Catalogue, _key
from storewise.tools.shop.generation import open_shop
from storewise.tools.shop.names import readable


@pytest.fixture(scope="module")
def demo(demo_home: Path) -> Iterator[Catalogue]:
    shop = open_shop(demo_home)
    yield shop.catalogue
    shop.close()


@pytest.fixture(scope="module")
def small(small_home: Path) -> Iterator[Catalogue]:
    shop = open_shop(small_home)
    yield shop.catalogue
    shop.close()


@pytest.mark.parametrize(
    ("text", "kind", "label"),
    [
        ("milk", "category", "Fluid milk products"),
        ("soda", "category", "Soft drinks"),
        ("pop", "category", "Soft drinks"),
        ("chips", "category", "Bag snacks"),
        ("potato chips", "type", "Potato chips"),
        ("toilet paper", "category", "Bath tissues"),
        ("dog food", "category", "Dog foods"),
        ("Cat Foods!", "category", "Cat food"),
        ("food, cat", "category", "Cat food"),
        ("FRZN MEAT/MEAT DINNERS", "category", "Frozen meat/meat dinners"),
        ("frozen pizzas", "category", "Frozen pizza"),
        ("peanut butter", "type", "Peanut butter"),
        ("bananas", "type", "Bananas"),
        ("diapers", "category", "Diapers and disposables"),
        ("cofee", "category", "Coffee"),
        ("yougurt", "category", "Yogurt"),
        ("the coffee category", "category", "Coffee"),
        ("Potato chips 11 ounces", "name", "Potato chips 11 oz"),
        ("1082185", "product", "Bananas 40 lb"),
        ("product #1082185", "product", "Bananas 40 lb"),
        ("produce", "department", "Produce"),
        ("keurig", "category", "Coffee"),
    ],
)
def test_plain_words_mean_what_a_shopkeeper_means(demo: Catalogue, text: str, kind: str, label: str) -> None:
    found = demo.resolve(text)
    assert (found.kind, found.label) == (kind, label)
    assert found.product_ids and len(set(found.product_ids)) == len(found.product_ids)
    assert demo.entry(text) == demo.entry(text.upper())


@pytest.mark.parametrize("text", ["laptop", "xyzzy", "", "  ", "?", "'; DROP TABLE products", "99999999999"])
def test_what_is_not_sold_is_not_found(demo: Catalogue, text: str) -> None:
    found = demo.resolve(text)
    assert not found and found.product_ids == () and demo.entry(text) is None


def test_close_matches_are_named_where_there_are_some(demo: Catalogue) -> None:
    found = demo.resolve("organic whole milk")
    assert not found
    assert "Fluid milk products" in found.matches
    assert len(found.matches) <= 5


def test_it_answers_at_once(demo: Catalogue) -> None:
    texts = ["grocery", "milk", "no such thing at all", "cofee", "1082185", "potato chips 11 oz"]
    demo.resolve("warm up")
    started = time.perf_counter()
    for text in texts:
        demo.resolve(text)
    assert (time.perf_counter() - started) / len(texts) < 0.02


@pytest.mark.parametrize(
    ("question", "named"),
    [
        ("how many customers put salad mix in their trolley in july", ["salad mix"]),
        ("top 5 soda march", ["soda"]),
        ("reviews saying that the cofee is burnt", ["cofee"]),
        ("how does dog food do against cat food?", ["dog food", "cat food"]),
        ("sales of product 1082185 in May", ["1082185"]),
        ("How much revenue did September bring, and who bought most?", []),
        ("which customers could leave, and when were they last here?", []),
        ("profile of customer 900", []),
    ],
)
def test_mentions_are_what_a_question_names(demo: Catalogue, question: str, named: list[str]) -> None:
    found = demo.mentions(question)
    assert [text for _, _, text in found] == named
    assert all(question[start:end] == text for start, end, text in found)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_case_plural_order_and_punctuation_do_not_matter(small: Catalogue, data: st.DataObject) -> None:
    names = ["Green tea 20 ct", "Cotton shirt blue", "Wool socks", "Cheese", "Cookies"]
    name = data.draw(st.sampled_from(names))
    words = data.draw(st.permutations(name.lower().split()))
    written = [data.draw(st.sampled_from([str.upper, str.title, str.lower]))(word) for word in words]
    text = data.draw(st.sampled_from([" ", ", ", " - "])).join(written)
    text += data.draw(st.sampled_from(["", "!", "?"]))
    assert small.entry(text) == small.entry(name) is not None


@settings(max_examples=300, deadline=None)
@given(text=st.text(max_size=60))
def test_any_text_is_answered_and_mentions_lie_within_it(small: Catalogue, text: str) -> None:
    found = small.resolve(text)
    assert bool(found) == bool(found.product_ids)
    position = 0
    for start, end, mention in small.mentions(text):
        assert position <= start < end <= len(text) and text[start:end] == mention
        position = end


def test_every_label_of_the_demo_shop_finds_itself_or_its_namesake(demo: Catalogue) -> None:
    """Each category, written as it is or as the source clips it, leads to an entry of that very name."""
    labels = [entry.label for entry in demo._entries if entry.kind == "category"]
    for label in random.Random(1).sample(labels, 120):
        found = demo.resolve(label)
        assert _key(found.label) == _key(label) or label in found.matches, label
    assert demo.entry("REFRGRATD JUICES/DRNKS") == demo.entry(readable("REFRGRATD JUICES/DRNKS"))


def test_a_shop_without_types_finds_products_by_words_of_their_names(small: Catalogue) -> None:
    found = small.resolve("cotton shirt")
    assert set(found.product_ids) == {"P10", "P11"}
    assert small.resolve("p03").product_ids == ("P03",)
    assert small.resolve("Shirts").kind == "category"
