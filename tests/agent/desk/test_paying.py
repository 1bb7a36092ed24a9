"""Protects: the payment method that a text names as the one to use, and no other."""

from __future__ import annotations

import pytest

from storewise.agent.desk.paying import paying
from tests.agent.desk.things import THINGS


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("put it on my PayPal", ["paypal"]),
        ("Could it go to PayPal? I hardly use that card these days.", ["paypal"]),
        ("I don't have anything else with you, PayPal then", ["paypal"]),
        ("PayPal instead of my card", ["paypal"]),
        ("the visa", ["credit_card"]),
        ("it was a wedding gift", None),
        ("I expect the credit goes there", None),
        ("the gift card", []),
        ("not to my card but to PayPal", ["paypal"]),
        ("My PayPal is empty, so not to PayPal.", None),
        ("money on PayPal, that's what I used back then. not the visa", ["paypal"]),
        ("not the visa, the other one", None),
        ("My firm gave me an American Express, can you bill that? It's on PayPal now.", []),
        ("on PayPal not my visa, I don't use the visa any more", ["paypal"]),
        ("on my new Discover card. Now it is PayPal", []),
        ("the credit goes to PayPal, even though the visa was charged", ["paypal"]),
    ],
)
def test_the_method_to_be_used_is_named(text: str, kinds: list[str] | None) -> None:
    named = paying(text, THINGS, THINGS.orders[0])
    assert (None if named is None else [method.kind for method in named.methods]) == kinds
