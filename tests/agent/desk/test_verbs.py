"""Protects: a change is named by its verb, and by no word that has another meaning."""

from __future__ import annotations

import pytest

from storewise.agent.desk.verbs import loosely_named, named_changes, names_another_change

CANCEL, RETURN = "cancel_pending_order", "return_delivered_order_items"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("please take the lamp off my order", [CANCEL]),
        ("remove the kettle", [CANCEL]),
        ("take the difference off my mastercard", []),
        ("remove the one with the mouse", []),
        ("I want my money back", [RETURN]),
        ("I will ask my father and come back", []),
        ("whatever comes back can go on the card", []),
        ("this can go back to you", [RETURN]),
        ("so this one must back to you", [RETURN]),
        ("get rid of the order, would you", [CANCEL]),
        ("it was for a trip which got cancelled", []),
        ("we had to cancel our holiday", []),
        ("it should have been cancelled, so cancel it", [CANCEL]),
        ("take it off the gift card and put it on my Mastercard", ["modify_pending_order_payment"]),
        ("take the refund off the gift card, onto my Mastercard", []),
        ("I'd rather hand the set back", [RETURN]),
        ("drop the kettle, keep the rest", [CANCEL]),
        (
            "I'd like to hand mine in for that one",
            ["modify_pending_order_items", "exchange_delivered_order_items"],
        ),
    ],
)
def test_a_verb_names_its_change(text: str, named: list[str]) -> None:
    assert named_changes(text) == named


def test_rid_of_it_is_said_of_what_has_not_come_too() -> None:
    assert loosely_named(RETURN, "I want rid of them")
    assert not loosely_named(RETURN, "I want rid of them, let me return them")
    assert not loosely_named(CANCEL, "I want rid of them")


def test_swap_it_over_is_said_of_a_card_too() -> None:
    assert not names_another_change("modify_pending_order_payment", "yeah swap it over")
    assert names_another_change(CANCEL, "yeah swap it over")
