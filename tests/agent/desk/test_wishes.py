"""Protects: what is said reaches the wish that it is for, of several that are open, and changes no other."""

from __future__ import annotations

import pytest

from storewise.agent.desk.wish import Asked, Said, Wish
from storewise.agent.desk.wishes import answers, others_stay, told_all, waiting
from storewise.tools.desk.acts import ADDRESS, PAYMENT, RETURN
from tests.agent.desk.things import THINGS

SWAP = "exchange_delivered_order_items"
PAYS = Wish(tool=PAYMENT, said=(Said(asked="nothing", text="put the vacuum cleaner on PayPal"),))
GOES = Wish(tool=RETURN, said=(Said(asked="nothing", text="return the speaker"),))


@pytest.mark.parametrize(
    ("asked", "text", "first", "second"),
    [
        (
            "confirmation",
            "The speaker's money goes on the visa.",
            None,
            "The speaker's money goes on the visa.",
        ),
        ("confirmation", "PayPal it is. The speaker buzzes.", "PayPal it is.", "The speaker buzzes."),
        ("confirmation", "Yes, PayPal.", "Yes, PayPal.", None),
        (
            "confirmation",
            "The vacuum cleaner, not the speaker.",
            "The vacuum cleaner, not the speaker.",
            None,
        ),
        ("which", "The one with the speaker.", "The one with the speaker.", None),
    ],
)
def test_a_sentence_about_a_thing_of_a_later_wish_is_for_that_one(
    asked: Asked, text: str, first: str | None, second: str | None
) -> None:
    said = Said(asked=asked, text=text)
    told = told_all((PAYS.told(said), GOES), PAYS, said, THINGS)
    assert [one.text for one in told[0].said[1:]] == ([first] if first else [])
    assert [one.text for one in told[1].said[1:]] == ([second] if second else [])


def test_what_was_told_together_is_answered_together() -> None:
    both = [wish.model_copy(update={"of_several": True, "tool": RETURN}) for wish in (PAYS, GOES)]
    said = Said(asked="payment", text="The speaker on the visa.")
    told = told_all((both[0].told(said), both[1]), both[0], said, THINGS)
    assert [len(wish.said) for wish in told] == [2, 2]


@pytest.mark.parametrize(
    ("text", "others"),
    [
        ("That's everything, the kettles stay as they are.", True),
        ("the speaker stays as it is", False),
        ("no, leave it", False),
    ],
)
def test_that_another_thing_stays_gives_nothing_up(text: str, others: bool) -> None:
    swap = Wish(tool=SWAP, said=(Said(asked="nothing", text="swap the speaker for a blue one"),))
    assert others_stay(swap, text, THINGS) is others


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("the refund goes on PayPal", True),
        ("I'd rather have my money back on PayPal", False),
        ("no exchange, I return it, refund to PayPal", False),
        ("I hand it back", False),
    ],
)
def test_where_the_difference_of_a_swap_goes_is_no_return(text: str, answer: bool) -> None:
    swap = Wish(tool=SWAP, said=(Said(asked="nothing", text="swap the speaker for a blue one"),))
    assert answers(swap, RETURN, text, THINGS) is answer


def test_an_address_that_is_told_is_for_the_order_that_waits_for_one() -> None:
    send = Wish(tool=ADDRESS, said=(Said(asked="nothing", text="send the backpack elsewhere"),))
    assert waiting((GOES, send), "modify_user_address") is send
    assert waiting((send,), "modify_user_address") is None
