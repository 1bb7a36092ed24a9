"""Protects: a part of an address put right changes that part alone, and a new address is never mixed with the old."""

from __future__ import annotations

from dataclasses import replace

import pytest

from storewise.agent.desk.form import meaning
from storewise.agent.desk.things import Things
from storewise.agent.desk.wish import Asked, Meaning, Said, Wish
from storewise.tools.desk.tables import Address
from tests.agent.desk.things import BAG, CARD, ROBOT, WARES, order

LANE = Address("412 Hickory Lane", "Suite 991", "Denver", "CO", "80279", "USA")
ELM = Address("74 Elm Street", "", "San Francisco", "CA", "94501", "USA")
CAPITAL = Address("228 River Road", "Suite 770", "Washington", "DC", "20187", "USA")
SPRUCE = Address("530 Spruce Street", "Suite 625", "Columbus", "OH", "43239", "USA")
PHILLY = Address("9 Cedar Avenue", "Suite 3", "Philadelphia", "PA", "19031", "USA")
YORK = Address("661 Main Street", "Apt 5", "New York", "NY", "10108", "USA")
ORDER, ACCOUNT = "modify_pending_order_address", "modify_user_address"


def understood(tool: str, now: Address, *texts: str, home: Address = YORK) -> Meaning:
    """Return what is understood of texts, of which the desk asked for the address from the second on."""
    things = Things(
        "Ann",
        home if tool == ORDER else now,
        (CARD,),
        (order("#W9348897", "pending", ROBOT, goes_to=now), order("#W1", "delivered", BAG, goes_to=PHILLY)),
        WARES,
    )
    wish = Wish(tool=tool)
    asked: Asked = "nothing"
    for text in texts:
        wish = wish.told(Said(asked=asked, text=text))
        missing = meaning(wish, things).missing
        asked = missing or "confirmation"
    return meaning(wish, things)


def put_right(found: Meaning) -> Address | None:
    """Return the address of the call that is understood, None while something is still missing."""
    if found.missing is not None:
        return None
    return Address(*(found.arguments[part] for part in Address.__annotations__))


PARTS = [
    (
        ORDER,
        LANE,
        [
            "There's a slip in the delivery address on my order. I put Suite 991 and it's 919.",
            "W9348897. All the rest of it is right, Hickory Lane in Denver.",
            "Yes, change it to 919.",
        ],
        {"address2": "Suite 919"},
    ),
    (
        ORDER,
        CAPITAL,
        [
            "there's a typo in where my order is being delivered to, the one in Washington",
            "suite is 707, not 770. rest of the line is good",
        ],
        {"address2": "Suite 707"},
    ),
    (
        ACCOUNT,
        SPRUCE,
        [
            "We changed apartments inside the building. In my profile it says suite 625 and must say suite 1104 now.",
            "Street, city and zip stay how they are, Spruce Street in Columbus.",
        ],
        {"address2": "Suite 1104"},
    ),
    (
        ACCOUNT,
        SPRUCE,
        ["my profile says suite 625, it must be suite 1104 now. Street, city and zip stay how they are"],
        {"address2": "Suite 1104"},
    ),
    (ORDER, ELM, ["the house number is off, it's 47 not 74 Elm"], {"address1": "47 Elm Street"}),
    (ORDER, ELM, ["it's 47 Elm Street, not 74 Elm Street"], {"address1": "47 Elm Street"}),
    (ORDER, ELM, ["zip should be 94105 not 94501"], {"zip": "94105"}),
    (ACCOUNT, ELM, ["you forgot the apartment, it's 4B"], {"address2": "Apartment 4B"}),
    (ORDER, ELM, ["it's Elm Avenue not Elm Street"], {"address1": "74 Elm Avenue"}),
    (ORDER, LANE, ["same building, flat 12 now"], {"address2": "Flat 12"}),
    (ORDER, ELM, ["it has to go next door, number 76"], {"address1": "76 Elm Street"}),
    (ACCOUNT, LANE, ["unit 3, everything else stays"], {"address2": "Unit 3"}),
    (
        ACCOUNT,
        replace(PHILLY, city="Philadelfia"),
        ["The city is misspelled on my account. It should be Philadelphia, with ph."],
        {"city": "Philadelphia"},
    ),
    # Not from what was told of the desk's failures.
    (
        ORDER,
        LANE,
        ["I messed up my order's address", "apt number is wrong", "919"],
        {"address2": "Suite 919"},
    ),
    (
        ORDER,
        LANE,
        ["in #W9348897 I typed 412 for the house, but we live at 421."],
        {"address1": "421 Hickory Lane"},
    ),
    (ORDER, ELM, ["fat fingers!! postcode on W9348897 -> 94510, was 94501"], {"zip": "94510"}),
    (ORDER, ELM, ["Drive, not Street. Otherwise the address is correct."], {"address1": "74 Elm Drive"}),
    (ORDER, ELM, ["the order says 74 Elm Street. We are at 174 Elm Street"], {"address1": "174 Elm Street"}),
    (ORDER, LANE, ["I swapped two digits, the zip has to be 80297"], {"zip": "80297"}),
    (
        ORDER,
        LANE,
        ["the house number and the suite are wrong: house number is 214, suite is 99. Street is right."],
        {"address1": "214 Hickory Lane", "address2": "Suite 99"},
    ),
    (
        ACCOUNT,
        replace(LANE, address1="412 Hikory Lane"),
        ["My street is spelled wrong, it's Hickory Lane, not Hikory Lane"],
        {"address1": "412 Hickory Lane"},
    ),
    (ORDER, LANE, ["it says Denver but it should be Boulder, CO. Suite and street ok"], {"city": "Boulder"}),
    (ACCOUNT, CAPITAL, ["wrong state on my account, should be MD instead of DC"], {"state": "MD"}),
    (ORDER, LANE, ["could you take the suite off? There's no suite, it's a house"], {"address2": ""}),
    (ORDER, LANE, ["We went from 991 to 1002, same house, one floor up."], {"address2": "Suite 1002"}),
    (ACCOUNT, YORK, ["change Apt 5 to Apt 15 please, I paid $20 for 2 lamps"], {"address2": "Apt 15"}),
    (
        ORDER,
        ELM,
        ["the courier can't find me because there's no unit on the label, I'm in unit C"],
        {"address2": "Unit C"},
    ),
    (
        ORDER,
        LANE,
        ["In my order it has to be 919, not suite 991", "no no, sorry, make it 929"],
        {"address2": "Suite 929"},
    ),
    (
        ACCOUNT,
        ELM,
        ["my apartment number is missing in the address. 12A is the apartment"],
        {"address2": "Apartment 12A"},
    ),
    (
        ORDER,
        SPRUCE,
        ["Hi, please correct #W9348897: 350 Spruce Street, not 530."],
        {"address1": "350 Spruce Street"},
    ),
]


@pytest.mark.parametrize(("tool", "now", "texts", "changed"), PARTS)
def test_a_part_put_right_leaves_the_rest(
    tool: str, now: Address, texts: list[str], changed: dict[str, str]
) -> None:
    found = put_right(understood(tool, now, *texts))
    assert found == replace(now, **changed)


NEW = Address("12 Oak Street", "", "Austin", "TX", "78701", "USA")
WHOLE = [
    (ORDER, LANE, ["send my order to 12 Oak Street, Austin, TX 78701 instead of Suite 991"], NEW),
    (
        ORDER,
        LANE,
        ["it goes to 412 Hickory Lane in Denver, but must go to 12 Oak Street, Austin, TX 78701"],
        NEW,
    ),
    (ACCOUNT, LANE, ["I moved", "12 Oak Street", "Austin, Texas 78701"], NEW),
    (
        ACCOUNT,
        LANE,
        ["I moved", "12 Oak Street, Austin, TX 78701", "sorry, it's unit 9"],
        replace(NEW, address2="unit 9"),
    ),
    (ORDER, LANE, ["new address", "21 Oak Street, Austin, TX 78701", "no, it's 12, not 21"], NEW),
    (ORDER, LANE, ["wrong address", "12 Oak Street, Austin, TX 78710", "zip is not 78710, it's 78701"], NEW),
    (ORDER, LANE, ["new flat", "apt 4", "12 Oak Street, Austin, TX 78701"], replace(NEW, address2="apt 4")),
    # The same street's name in another city is another address.
    (
        ORDER,
        replace(NEW, city="Denver", state="CO", zip="80279"),
        ["to 12 Oak Street, Austin, TX 78701"],
        NEW,
    ),
    (ORDER, ELM, ["it should go to Apt 4, 12 Oak Street, Austin, TX 78701"], replace(NEW, address2="apt 4")),
    (
        ACCOUNT,
        replace(LANE, city="Austin", state="TX", zip="78701"),
        ["12 Oak Street now, same city and zip"],
        NEW,
    ),
    # Within the same city.
    (
        ORDER,
        LANE,
        ["the rest of my things moved", "7 Oak Road", "Denver, CO 80203"],
        Address("7 Oak Road", "", "Denver", "CO", "80203", "USA"),
    ),
]


@pytest.mark.parametrize(("tool", "now", "texts", "whole"), WHOLE)
def test_a_new_address_is_told_whole(tool: str, now: Address, texts: list[str], whole: Address) -> None:
    found = put_right(understood(tool, now, *texts))
    assert found is not None
    assert replace(found, address2=found.address2.lower()) == replace(whole, address2=whole.address2.lower())


BEGUN = [
    (ORDER, LANE, ["new address is 12 Oak Street"], ("city", "state", "zip")),
    (ACCOUNT, LANE, ["I moved to 12 Oak Street, suite 7"], ("city", "state", "zip")),
    (ORDER, LANE, ["it should be delivered to Austin, Texas"], ("address1", "zip")),
    (ORDER, LANE, ["another address please", "Austin, TX 78701"], ("address1",)),
    (ORDER, LANE, ["the address is wrong", "it's 412 Hickory Lane, Suite 991, in Denver now"], None),
    (ORDER, LANE, ["the parcel with 2 lamps for $919 goes to the wrong suite"], None),
    (ORDER, LANE, ["my order W9348897 has a mistake in the suite", "order 919191 I mean, since 2019"], None),
    (
        ORDER,
        PHILLY,
        ["my parcel is going to my exs place in philadelphia, need it sent to me instead asap"],
        None,
    ),
    (ORDER, CAPITAL, ["the address is wrong", "the one in Washington"], None),
]


@pytest.mark.parametrize(("tool", "now", "texts", "missing"), BEGUN)
def test_what_is_only_begun_is_asked_for(
    tool: str, now: Address, texts: list[str], missing: tuple[str, ...] | None
) -> None:
    found = understood(tool, now, *texts)
    assert found.missing == "address"
    if missing is None:
        assert not found.pieces
    else:
        assert found.pieces.missing == missing


@pytest.mark.parametrize(
    ("texts", "home", "place"),
    [
        (
            [
                "my parcel is going to my exs place in philadelphia, need it sent to me instead asap",
                "the address on my account, the new york one",
            ],
            YORK,
            YORK,
        ),
        (["send my order to my home address in New York, NY"], YORK, YORK),
        (["ship it to my normal account address not chicago"], YORK, YORK),
        (["not Philadelphia!", "my own place in Washington"], CAPITAL, CAPITAL),
        (["wrong address", "the New York one"], YORK, YORK),
        (
            [
                "send it where my Backpack goes, in Denver",
            ],
            YORK,
            LANE,
        ),
    ],
)
def test_a_city_that_tells_which_address_is_meant_is_no_new_one(
    texts: list[str], home: Address, place: Address
) -> None:
    things = Things(
        "Ann",
        home,
        (CARD,),
        (order("#W1", "pending", ROBOT, goes_to=PHILLY), order("#W2", "delivered", BAG, goes_to=LANE)),
        WARES,
    )
    first = Said(asked="nothing", text=f"#W1: {texts[0]}")
    wish = Wish(tool=ORDER, said=(first, *(Said(asked="address", text=text) for text in texts[1:])))
    assert put_right(meaning(wish, things)) == place
