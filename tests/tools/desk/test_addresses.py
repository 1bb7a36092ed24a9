"""Protects: an address is read whole from what people write, in pieces too, and nothing else is taken for one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storewise.tools.desk.addresses import Pieces, find_address

CASES = [
    (
        "please ship it to 14 Oak Street, Apt 3, Boston, MA 02110",
        Pieces("14 Oak Street", "Apt 3", "Boston", "MA", "02110"),
    ),
    ("its 5 elm st austin tx 78701 now", Pieces("5 elm st", None, "austin", "TX", "78701")),
    (
        "We live at 9 Lake View Road now, that is in Salem, Oregon, zip 97301. No apartment number.",
        Pieces("9 Lake View Road", "", "Salem", "OR", "97301"),
    ),
    (
        "to 45 West 5th Street, New York, NY 10001",
        Pieces("45 West 5th Street", None, "New York", "NY", "10001"),
    ),
    (
        "Hauptstraße 5, 10115 Berlin, Germany",
        Pieces("Hauptstraße 5", None, "Berlin", None, "10115", "Germany"),
    ),
    (
        "14 Juniper Lane - no wait, 41! 41 Juniper Lane, Boulder, CO 80302",
        Pieces("41 Juniper Lane", None, "Boulder", "CO", "80302"),
    ),
    (
        "15 Quail Hollow Road, in Santa Fe, New Mexico. The ZIP is 87505.",
        Pieces("15 Quail Hollow Road", None, "Santa Fe", "NM", "87505"),
    ),
    (
        "27 Rosewood Court, Flat 3B, in Harrisburg now, PA 17101",
        Pieces("27 Rosewood Court", "Flat 3B", "Harrisburg", "PA", "17101"),
    ),
    ("47 Elm Street, everything else stays", Pieces("47 Elm Street")),
]


@pytest.mark.parametrize(("text", "pieces"), CASES)
def test_addresses_are_read_as_people_write_them(text: str, pieces: Pieces) -> None:
    found = find_address(text)
    assert found is not None
    assert found.pieces == pieces
    assert text[found.start : found.end].startswith((pieces.address1 or "").split()[0])


def test_a_second_line_before_the_street_belongs_to_it() -> None:
    found = find_address("to Apt 4, 12 Oak Street, Austin, TX 78701")
    assert found is not None
    assert found.pieces == Pieces("12 Oak Street", "Apt 4", "Austin", "TX", "78701")


@pytest.mark.parametrize(
    "text",
    [
        "cancel #W2954950 please, I have 2 lamps",
        "I'd like the 5 ft one in glass",
        "500 pieces, art theme",
        "I have 3 orders, in Texas all of them",
        "the 100 foot hose, black",
        "give me 20 reasons",
        "it must say suite 1104 now. Street, city and zip stay how they are",
        "it's apt 5 by the way",
    ],
)
def test_other_numbers_are_no_addresses(text: str) -> None:
    assert find_address(text) is None


def test_what_is_missing_is_told_and_later_pieces_complete_it() -> None:
    first = find_address("2 Mill Lane")
    second = find_address("Denver, Colorado, 80203", expected=True)
    assert first is not None
    assert second is not None
    assert first.pieces.missing == ("city", "state", "zip")
    whole = first.pieces.later(second.pieces)
    assert whole.missing == ()
    assert (whole.address1, whole.city, whole.state, whole.zip) == ("2 Mill Lane", "Denver", "CO", "80203")


def test_an_exclamation_is_no_state() -> None:
    found = find_address("Suite 412. Street and zip are all OK. 95814 is the zip, California", expected=True)
    assert found is not None
    assert found.pieces.state == "CA"


def test_another_street_is_another_address() -> None:
    before = Pieces("1 Old Road", "Apt 9", "Troy", "NY", "12180")
    assert before.later(Pieces("2 New Road", None, "Troy", "NY", "12180")).address2 is None


@given(
    number=st.integers(1, 9999),
    name=st.sampled_from(["Maple", "Birch Hill", "King", "Harbor View"]),
    kind=st.sampled_from(["Street", "Ave", "road", "Blvd", "Lane"]),
    city=st.sampled_from(["Dallas", "San Diego", "Salem"]),
    state=st.sampled_from(["TX", "CA", "OR"]),
    code=st.integers(10000, 99999),
    lead=st.sampled_from(["", "send it to ", "My new address is ", "ok: "]),
)
def test_whatever_is_in_an_address_is_found(
    number: int, name: str, kind: str, city: str, state: str, code: int, lead: str
) -> None:
    found = find_address(f"{lead}{number} {name} {kind}, {city}, {state} {code}")
    assert found is not None
    assert found.pieces == Pieces(f"{number} {name} {kind}", None, city, state, str(code))


@given(st.text(max_size=300))
def test_no_text_breaks_it(text: str) -> None:
    for expected in (False, True):
        found = find_address(text, expected=expected)
        assert found is None or 0 <= found.start <= found.end
