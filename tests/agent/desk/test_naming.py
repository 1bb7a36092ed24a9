"""Protects: which orders and things a text names, what is to stay, and what was only bought together."""

from __future__ import annotations

import pytest

from storewise.agent.desk.naming import (
    content_with,
    in_its_place,
    order_ids,
    products_named,
    says_all,
    staying,
    without_ids,
    without_staying,
)
from tests.agent.desk.things import BIG, ROBOT, SPEAKER, THINGS

OWN = ("#W1000001", "#W2345678", "#W2345999")
NAMES = ("Tea Kettle", "Vacuum Cleaner", "Bluetooth Speaker", "Sneakers")


def test_what_stays_twice_over_takes_nothing_else_with_it() -> None:
    text = "The other one, except the lid, I do want. Cancel the lamp please, thanks"
    assert without_staying(text).split() == ". Cancel the lamp please, thanks".split()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("1000001 has to go to my work", ["#W1000001"]),
        ("it is the order ending 5678", ["#W2345678"]),
        ("my order ends in 999, the other stays", ["#W2345999"]),
        ("the order on the card ending 5678", []),
        ("order ending 99 or so", []),
        ("call 5551234 about it", []),
        ("#W9999999", ["#W9999999"]),
    ],
)
def test_an_order_is_named_by_its_digits(text: str, named: list[str]) -> None:
    assert order_ids(text, OWN) == named


def test_digits_of_an_own_order_are_hidden_as_its_id_is() -> None:
    assert without_ids("1000001 and #W1000002", THINGS) == "[order] and [order]"


@pytest.mark.parametrize(
    ("text", "stay"),
    [
        ("the speaker, that stays", ["Bluetooth Speaker"]),
        ("the speaker belongs to my son now", ["Bluetooth Speaker"]),
        ("the speaker and the vacuum cleaner remain as they are", ["Bluetooth Speaker", "Vacuum Cleaner"]),
        ("the speaker is hers", ["Bluetooth Speaker"]),
        ("the speaker should come as ordered", ["Bluetooth Speaker"]),
        ("the speaker should come there too", []),
        ("the kettle goes back, the speaker, that stays", ["Bluetooth Speaker"]),
    ],
)
def test_what_is_to_stay_is_told(text: str, stay: list[str]) -> None:
    found = staying(text, [BIG, ROBOT, SPEAKER])
    assert sorted(line.product for line in found) == sorted(stay)


def test_everything_else_is_not_everything() -> None:
    assert says_all("return everything")
    assert not says_all("Just that one. Everything else is staying.")


def test_what_water_does_not_harm_is_no_bottle() -> None:
    assert not products_named("it needn't be water resistant", ["Water Bottle"])
    assert [one.name for one in products_named("the water one", ["Water Bottle"])] == ["Water Bottle"]


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("the speaker is fine, the kettle goes back", ["Bluetooth Speaker"]),
        ("the kettle and the speaker. The speaker's alright", ["Bluetooth Speaker"]),
        ("the vacuum cleaner is okay, and the speaker, my children are enjoying it",
         ["Vacuum Cleaner", "Bluetooth Speaker"]),
        ("the speaker is lovely but the kettle leaks", ["Bluetooth Speaker"]),
        ("the kettle is not good", []),
        ("the kettle leaks", []),
    ],
)  # fmt: skip
def test_what_somebody_is_content_with_is_told(text: str, content: list[str]) -> None:
    found = content_with(text, [BIG, ROBOT, SPEAKER])
    assert sorted(line.product for line in found) == sorted(content)


@pytest.mark.parametrize(
    ("text", "meant"),
    [("exchange the kettle for sneakers", True), ("it ought to have been sneakers", True),
     ("sneakers came beside the kettle", False)],
)  # fmt: skip
def test_a_product_may_be_named_as_what_is_wanted(text: str, meant: bool) -> None:
    (sneakers,) = (one for one in products_named(text, NAMES) if one.name == "Sneakers")
    assert in_its_place(text, sneakers) is meant
