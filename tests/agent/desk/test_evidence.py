"""Protects: what a text names speaks for the act that fits it: state, variants, places, answers."""

from __future__ import annotations

import pytest

from storewise.agent.desk.evidence import evidence
from storewise.agent.desk.form import meaning, reason_in
from storewise.agent.desk.meant import Form
from storewise.agent.desk.weighing import weighed
from storewise.agent.desk.wish import Asked, Said, Wish
from storewise.tools.desk.act_shortlist import likeliest
from storewise.tools.desk.acts import ACTS
from tests.agent.desk.things import BIG, CABIN, HOME, SMALL, SPEAKER, THINGS


def read(text: str, **scores: float) -> str:
    """Return the act of a first message that a shortlist reads so."""
    told = evidence(Form(), THINGS, "nothing", text)
    everything = dict.fromkeys(ACTS, 0.001) | scores
    return likeliest(weighed(everything, "nothing", text, told), "nothing", keep=1)[0]


def test_another_place_is_wanted_and_not_another_thing() -> None:
    text = "I need the backpack delivered to another place"
    assert read(text, modify_pending_order_items=0.5) == "modify_pending_order_address"
    text = "That was for a trip which got cancelled, so please send the backpack to my home"
    assert read(text, cancel_pending_order=0.6) == "modify_pending_order_address"


def test_what_no_word_asks_for_is_not_done() -> None:
    assert read("I have a backpack on order with you", cancel_pending_order=0.25) != "cancel_pending_order"


def test_what_has_come_is_returned_and_not_cancelled() -> None:
    assert (
        read("please stop the Bluetooth Speaker", cancel_pending_order=0.8) == "return_delivered_order_items"
    )
    assert read("please stop the Vacuum Cleaner", cancel_pending_order=0.8) == "cancel_pending_order"


def test_a_verb_outranks_a_payment_method_beside_it() -> None:
    text = "I want to return the Bluetooth Speaker, please credit my card"
    read_as = read(text, modify_pending_order_payment=0.9, return_delivered_order_items=0.2)
    assert read_as == "return_delivered_order_items"


def test_another_variant_of_ones_own_is_a_swap() -> None:
    text = "the red Tea Kettle ought to have been the blue one"
    assert read(text, get_product_details=0.8) == "exchange_delivered_order_items"
    assert read("what does a blue Tea Kettle cost?", get_product_details=0.8) == "get_product_details"


def test_a_place_named_for_an_order_is_an_address() -> None:
    text = "please send the Vacuum Cleaner to the same place my Backpack is going to"
    assert read(text, modify_pending_order_items=0.7) == "modify_pending_order_address"


def test_a_reason_told_of_an_open_order_is_a_cancellation() -> None:
    text = "#W1000002 was a slip of the finger, I only wanted to look at it"
    assert read(text, get_order_details=0.6) == "cancel_pending_order"
    assert read("where is #W1000002?", get_order_details=0.6) == "get_order_details"


def test_money_that_goes_back_is_no_return() -> None:
    text = "could the Backpack be a blue one? The rest of the money goes back on my card"
    assert read(text, modify_pending_order_items=0.5) == "modify_pending_order_items"


def test_a_person_is_not_called_on_a_guess() -> None:
    assert read("this is a mess", transfer_to_human_agents=0.5, **{"none:help": 0.2}) == "none:help"


@pytest.mark.parametrize(
    ("asked", "text", "answers"),
    [
        ("payment", "PayPal then", True),
        ("payment", "what do you mean?", False),
        ("payment", "actually cancel the other order", False),
        ("confirmation", "hang on, to my PayPal", True),
        ("confirmation", "yes", False),
    ],
)
def test_what_tells_what_was_asked_is_an_answer(asked: Asked, text: str, answers: bool) -> None:
    tool, begun = "exchange_delivered_order_items", "exchange the small Tea Kettle for the blue one"
    if asked == "confirmation":
        tool, begun = "return_delivered_order_items", "return the Bluetooth Speaker to my card"
    wish = Wish(tool=tool, said=(Said(asked="nothing", text=begun),))
    assert meaning(wish, THINGS).missing == (None if asked == "confirmation" else asked)
    assert evidence(Form(wishes=(wish,), asked=asked), THINGS, asked, text).answers is answers


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("return the big Tea Kettle, the small one stays", (BIG,)),
        ("the small Tea Kettle goes back", (SMALL,)),
        ("I have two Tea Kettles right, big one I keep, small one return", (SMALL,)),
        ("I'm returning #W1000001: the Bluetooth Speaker stays here, the other two can go", (BIG, SMALL)),
        ("return the Bluetooth Speaker from the parcel the Tea Kettle came in", (SPEAKER,)),
        ("return the big Tea Kettle. Bluetooth Speaker no, that one we love", (BIG,)),
        ("return the big Tea Kettle, it is too slow. No Bluetooth Speaker.", (BIG,)),
        (
            "they go back to you: the Tea Kettles. The Bluetooth Speaker and the lid are mine, I'm keeping those",
            (BIG, SMALL),
        ),
        ("return the big Tea Kettle and the Bluetooth Speaker, I am not keeping those", (SPEAKER, BIG)),
        ("return both Tea Kettles. Sorry, scratch the Tea Kettles, I mean the Bluetooth Speaker", (SPEAKER,)),
    ],
)
def test_what_stays_is_not_returned(text: str, lines: tuple[object, ...]) -> None:
    wish = Wish(tool="return_delivered_order_items", said=(Said(asked="nothing", text=text),))
    assert tuple(meaning(wish, THINGS).lines) == lines


def test_where_another_order_goes_or_the_account_says() -> None:
    for text, place in (
        ("send #W1000002 to the same address as #W1000003", CABIN),
        ("send the Backpack to the address saved in my profile", HOME),
    ):
        wish = Wish(tool="modify_pending_order_address", said=(Said(asked="nothing", text=text),))
        assert meaning(wish, THINGS).pieces.address1 == place.address1


def test_a_part_of_the_address_is_put_right_alone() -> None:
    text = "the street number is fine, it should be Suite 4. The rest is the same"
    wish = Wish(tool="modify_user_address", said=(Said(asked="nothing", text=text),))
    found = meaning(wish, THINGS)
    assert (found.pieces.address1, found.pieces.address2, found.missing) == ("1 Main St", "Suite 4", None)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("it wasn't a mistake, it's just cheaper elsewhere", "other"),
        ("I pressed the wrong button", "ordered by mistake"),
        ("I won't be needing it", "no longer needed"),
        ("I meant to put it on my wish list", "ordered by mistake"),
        ("that I never meant to order", "ordered by mistake"),
        ("the shop round the corner has it a hundred dollars cheaper", "other"),
        ("plastic, I don't want it like this", None),
    ],
)
def test_a_reason_that_is_denied_is_none(text: str, reason: str | None) -> None:
    assert reason_in(text) == reason


@pytest.mark.parametrize(
    ("text", "method"),
    [
        ("I paid with my visa but I'd rather have it on PayPal", "paypal_1"),
        ("tactile instead of clicky. On PayPal.", "paypal_1"),
        ("take it off PayPal and put it on my visa", "card_1"),
    ],
)
def test_the_method_to_be_used_is_told_from_the_one_that_was(text: str, method: str) -> None:
    wish = Wish(tool="exchange_delivered_order_items", said=(Said(asked="payment", text=text),))
    found = meaning(wish, THINGS).paying
    assert found is not None and [one.method_id for one in found.methods] == [method]
