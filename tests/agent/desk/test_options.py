"""Protects: the variant that a customer describes is the one that is proposed; an unclear one is asked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storewise.agent.desk.options import Wanted, mentions, pick, wanted
from storewise.agent.desk.things import Kind
from storewise.agent.desk.words import stems_of

LAMPS = [
    Kind("1", {"color": "black", "height": "5 ft", "dimmable": "yes"}, True, 5000),
    Kind("2", {"color": "black", "height": "6 ft", "dimmable": "no"}, True, 6000),
    Kind("3", {"color": "red", "height": "5 ft", "dimmable": "yes"}, True, 5500),
    Kind("4", {"color": "red", "height": "6 ft", "dimmable": "yes"}, False, 6500),
    Kind("5", {"color": "stainless steel", "height": "5 ft", "dimmable": "no"}, True, 7000),
]
OPTIONS = [lamp.options for lamp in LAMPS]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("the red one", {"color": {"red"}}),
        ("swap the black lamp for a red one", {"color": {"red"}}),
        ("red instead of black, six feet tall", {"color": {"red"}, "height": {"6 ft"}}),
        ("a 5 foot one that isn't dimmable", {"height": {"5 ft"}, "dimmable": {"no"}}),
        ("stainless, dimmable", {"color": {"stainless steel"}, "dimmable": {"yes"}}),
        ("something nice", {}),
        ("Hmm, no. Red goes better", {"color": {"red"}}),
        ("it needn't be dimmable", {"dimmable": {"no"}}),
    ],
)
def test_options_are_read_from_words(text: str, values: dict[str, set[str]]) -> None:
    assert wanted(text, OPTIONS, LAMPS[0].options).values == values


def test_what_is_not_wanted_is_left_out() -> None:
    told = wanted("not the red, please", OPTIONS)
    assert told.not_values == {"color": {"red"}}
    assert [kind.item_id for kind in pick(LAMPS, told, None, None)] == ["1", "2", "5"]


def test_one_that_fits_is_picked_and_what_is_unsaid_stays() -> None:
    told = wanted("in red, same height", OPTIONS, LAMPS[0].options)
    assert [kind.item_id for kind in pick(LAMPS, told, LAMPS[0].options, "1")] == ["3"]


def test_several_that_fit_are_all_returned() -> None:
    told = wanted("a different color", OPTIONS, LAMPS[0].options)
    assert {kind.item_id for kind in pick(LAMPS, told, LAMPS[0].options, "1")} == {"3", "5"}


def test_one_that_is_out_of_stock_is_returned_alone_so_that_it_can_be_told() -> None:
    told = wanted("red, 6 ft", OPTIONS)
    assert [kind.item_id for kind in pick(LAMPS, told, None, None)] == ["4"]


def test_the_cheapest_is_of_those_in_stock() -> None:
    told = wanted("the cheapest 6 ft one", OPTIONS)
    assert [kind.item_id for kind in pick(LAMPS, told, None, None)] == ["2"]


def test_what_is_said_later_overrules() -> None:
    told = wanted("red", OPTIONS).later(wanted("no, black", OPTIONS))
    assert told.values == {"color": {"black"}}


def test_what_any_will_do_of_is_free_again() -> None:
    told = wanted("red, 6 ft", OPTIONS).later(wanted("5 ft then, which colors?", OPTIONS))
    assert told.values == {"height": {"5 ft"}}


@given(st.text(max_size=200))
def test_no_text_breaks_it(text: str) -> None:
    told = wanted(text, OPTIONS, LAMPS[0].options)
    assert isinstance(told, Wanted)
    assert all(kind in LAMPS for kind in pick(LAMPS, told, LAMPS[0].options, "1"))
    assert all(0 <= mention.at < max(len(stems_of(text)), 1) for mention in mentions(text, OPTIONS))


@given(st.sampled_from(LAMPS), st.sampled_from(["I want {}", "{} please", "make it {}", "the one with {}"]))
def test_a_variant_told_in_full_is_found(lamp: Kind, frame: str) -> None:
    said = ", ".join(
        f"{'' if v == 'yes' else 'not '}{k}" if v in ("yes", "no") else v for k, v in lamp.options.items()
    )
    assert [kind.item_id for kind in pick(LAMPS, wanted(frame.format(said), OPTIONS), None, None)] == [
        lamp.item_id
    ]
