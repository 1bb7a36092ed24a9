"""Protects the desk's examples: they repeat, hold only what can be said in their state, and tell no one's data."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from storewise.finetune.desk_banks import BANKS, read_bank
from storewise.finetune.desk_examples import NEEDS, make_desk
from storewise.finetune.desk_shortlisting import train_desk_shortlist
from storewise.finetune.examples import Example
from storewise.finetune.training import chat
from storewise.tools.desk.act_shortlist import ActShortlist, likeliest, mended
from storewise.tools.desk.acts import (
    ACTS,
    ANSWERABLE,
    ASKED,
    NOTHING,
    WISHES,
    act_grammar,
    name_of,
    read_acts,
)
from storewise.tools.shortlist import ShortlistError

WORDS = ("products", "openings")


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    return make_desk(1500, 7)


def test_the_same_seed_makes_the_same_examples(examples: list[Example]) -> None:
    assert make_desk(200, 7) == examples[:200]
    assert make_desk(200, 8) != examples[:200]
    assert len({(e.opened, e.asked, e.question.lower()) for e in examples}) == len(examples) == 1500


def test_every_example_can_be_said_where_the_talk_stands(examples: list[Example]) -> None:
    for example in examples:
        acts = read_acts(example.answer)
        assert example.asked in ASKED
        assert example.opened in (NOTHING, *WISHES)
        if {act.name for act in acts} & {"yes", "no"}:
            assert example.asked in ANSWERABLE
        if example.opened == NOTHING:
            assert example.asked in (NOTHING, "offer")
        if example.asked in ("items", "new items", "payment", "address", "reason", "product"):
            assert example.asked in NEEDS[example.opened]
        if example.asked == "confirmation":
            assert WISHES[example.opened] == "write"
        if any(act.name == "detail" and act.args for act in acts):
            assert example.opened == "cancel_pending_order"
        act_grammar([name_of(act) for act in acts], example.asked, example.opened)


def test_every_act_and_every_state_is_learned(examples: list[Example]) -> None:
    assert {name_of(act) for example in examples for act in read_acts(example.answer)} == set(ACTS)
    states = {(example.opened, example.asked) for example in make_desk(4000, 7)}
    for wish, needs in NEEDS.items():
        assert {(wish, need) for need in needs} <= states
        if WISHES[wish] == "write":
            assert (wish, "confirmation") in states


def test_no_id_and_no_mail_is_left_in_the_words(examples: list[Example]) -> None:
    for example in examples:
        assert not re.search(r"\b[Ww]\d{7}\b|\b\d{10}\b|\w@\w", example.question), example.question
        assert "{" not in example.question


def test_a_chat_tells_what_is_open_and_asked() -> None:
    example = Example("desk", "yes do it", "yes()", [], None, "", "cancel_pending_order", "confirmation")
    assert chat(example)[-1]["content"] == "Open: cancel_pending_order\nAsked: confirmation\nyes do it"


@pytest.mark.parametrize("name", sorted(path.stem for path in BANKS.glob("*.txt") if path.stem not in WORDS))
def test_the_held_out_lines_are_learned_by_nobody(name: str) -> None:
    def lines(part: str) -> set[str]:
        return {wish.where for said in read_bank(name, part) for wish in said.wishes}  # type: ignore[arg-type]

    assert lines("learned") | lines("held out") == lines("all")
    assert not lines("learned") & lines("held out")
    assert lines("held out")


def test_no_wording_stands_for_two_acts_in_one_state() -> None:
    """The same words in the same state would teach two answers."""
    found: dict[tuple[str, str, str], str] = {}
    for path in sorted(BANKS.glob("*.txt")):
        if path.stem in WORDS:
            continue
        for said in read_bank(path.stem):
            for line in (wish.pattern for wish in said.wishes):
                for asked in said.asked or {""}:
                    for opened in said.opened or {""}:
                        key = (str(line), asked, opened)
                        assert found.setdefault(key, said.acts) == said.acts, key


def test_a_shortlist_is_saved_and_reads_the_state(tmp_path: Path, examples: list[Example]) -> None:
    assert train_desk_shortlist(examples, tmp_path)["examples"] == len(examples)
    shortlist = ActShortlist(tmp_path)
    assert (
        likeliest(
            shortlist.scores("cancel_pending_order", "confirmation", ["yes please"])[0], "confirmation"
        )[0]
        == "yes"
    )
    assert "yes" not in likeliest(shortlist.scores(NOTHING, NOTHING, ["yes please"])[0], NOTHING)
    assert (
        likeliest(shortlist.scores(NOTHING, NOTHING, ["where is my order #W1234567"])[0], NOTHING)[0]
        == "get_order_details"
    )
    assert set(shortlist.scores("no such wish", "no such thing", [""])[0]) >= set(ACTS)


def test_slips_are_put_right_and_all_else_stays() -> None:
    words = {word: word for word in ("cancel", "order", "skateboard")}
    assert mended("Cnacel teh SKATEBORAD oder [order]", words) == "cancel teh skateboard order [order]"
    assert mended("a xylophone, 12.50 é 👍", words) == "a xylophone, 12.50 é 👍"


def test_a_missing_shortlist_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(ShortlistError, match="storewise tune"):
        ActShortlist(tmp_path)
