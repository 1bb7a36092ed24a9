"""The desk's phrase banks: ways to say each act, written by hand in finetune/wishes/desk/*.txt.

A head is `= ACTS`, `= ACTS @ what was asked` or `= ACTS @ what was asked @ the wish that is open`; the lines
below it are patterns as in finetune/wording.py. One without `@` can be said at any time.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from storewise.finetune.wording import BankError, Piece, Wish, parse_pattern, sections
from storewise.tools.calls import CallSyntaxError
from storewise.tools.desk.acts import ASKED, WISHES, name_of, read_acts

BANKS = Path(__file__).parent / "wishes" / "desk"
Part = Literal["all", "learned", "held out"]
# Every tenth line of a bank is kept apart where a classifier is judged.
_HELD_OUT = 10
_HEAD = re.compile(r"^[=#].*$|\{\w+\}", re.M)
# Slots whose text no slip of the finger may change, as finetune/noise.py knows them.
_FIXED = "session"


@dataclass(frozen=True)
class Said:
    """Ways to say the same: the acts, where they can be said, and the lines, each in turn."""

    acts: str
    asked: frozenset[str]
    opened: frozenset[str]
    wishes: tuple[Wish, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the acts, as in tools/desk/acts.py."""
        return tuple(name_of(act) for act in read_acts(self.acts))

    def fits(self, asked: str, opened: str) -> bool:
        """Say whether these lines answer what was asked about the wish that is open."""
        return asked in self.asked and (not self.opened or opened in self.opened)


def read_bank(name: str, part: Part = "all") -> list[Said]:
    """Return the sections of `name`.txt with all their lines, those to learn from or those held out.

    Raises:
        BankError: a head or a pattern is not as it must be; the message names the line.
    """
    result: list[Said] = []
    seen: set[str] = set()
    before = 0
    for head, head_where, lines in sections(BANKS / f"{name}.txt"):
        acts, *where_said = (text.strip() for text in head.split("@"))
        asked, opened = (frozenset(_names(text)) for text in [*where_said, "", ""][:2])
        try:
            read_acts(acts)
        except CallSyntaxError as error:
            raise BankError(f"{head_where}: {error}") from None
        if len(where_said) > 2 or not asked <= set(ASKED) or not opened <= set(WISHES):
            raise BankError(f"{head_where}: it is not known what was asked or open")
        if head in seen or not lines:
            raise BankError(f"{head_where}: a head stands once, and lines below it")
        seen.add(head)
        kept = [line for number, line in enumerate(lines, start=before) if _belongs(number, part)]
        before += len(lines)
        wishes = tuple(Wish(parse_pattern(text, where), where) for text, where in kept)
        result.append(Said(acts, asked, opened, wishes))
    return [said for said in result if said.wishes]


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _belongs(number: int, part: Part) -> bool:
    return part == "all" or (number % _HELD_OUT == _HELD_OUT // 2) == (part == "held out")


def bank_words() -> list[str]:
    """Return the words of all banks and products, in small letters, sorted."""
    texts = [path.read_text(encoding="utf-8").lower() for path in BANKS.glob("*.txt")]
    return sorted({word for text in texts for word in re.findall(r"[a-z]{4,}", _HEAD.sub("", text))})


def read_words(section: str) -> tuple[Wish, ...]:
    """Return the lines of a section of openings.txt."""
    for head, _, lines in sections(BANKS / "openings.txt"):
        if head == section:
            return tuple(Wish(parse_pattern(text, where), where) for text, where in lines)
    raise BankError(f"openings.txt: there is no section {section}")


class DeskValues:
    """Draws what stands in the slots: products and options of all kinds of shops, ids, payments, addresses."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.products: list[tuple[str, list[list[str]]]] = []
        for line in (BANKS / "products.txt").read_text(encoding="utf-8").splitlines():
            if line.strip() and not line.startswith("#"):
                name, _, options = line.partition(":")
                self.products.append((name, [_names(group) for group in options.split(";")]))

    def filler(self) -> _Filler:
        """Return what fills the slots of one message: a product keeps its own options."""
        return _Filler(self, self.rng)


class _Filler:
    def __init__(self, values: DeskValues, rng: random.Random) -> None:
        self.rng = rng
        (self.first, self.options), (self.second, _) = rng.sample(values.products, 2)

    def __call__(self, slot: str) -> Piece:
        match slot:
            case "product":
                return Piece(self._product(self.first), "product")
            case "product2":
                return Piece(self._product(self.second), "product2")
            case "options":
                count = self.rng.choices((1, 2, 3), (70, 24, 6))[0]
                groups = self.rng.sample(self.options, min(count, len(self.options)))
                joiner = self.rng.choice((" ", ", ", " and "))
                return Piece(joiner.join(self.rng.choice(group) for group in groups), "options")
            case "payment":
                return Piece(self._payment(), "payment")
            case "city":
                return Piece(self.rng.choice(_CITIES)[0], "city")
            case "name":
                return Piece(self._name(), "name")
            case _:
                return Piece(self._fixed(slot), _FIXED)

    def _product(self, name: str) -> str:
        words = name.split()
        # Few people say the whole name.
        return words[-1] if len(words) > 1 and self.rng.random() < 0.25 else name

    def _name(self) -> str:
        return " ".join((self.rng.choice(_FIRST), self.rng.choice(_LAST))[: self.rng.choice((1, 2, 2))])

    def _payment(self) -> str:
        card = f"{self.rng.choice(_CARDS)} {self.rng.choice(('ending in', 'ending', 'ending with'))}"
        return self.rng.choice((*_PAYMENTS, f"{card} {self._digits(4)}"))

    def _digits(self, count: int) -> str:
        return "".join(self.rng.choice("0123456789") for _ in range(count))

    def _street(self) -> str:
        ending = self.rng.choice(_STREETS)
        return f"{self.rng.randint(1, 999)} {self.rng.choice(_TREES)} {ending}"

    def _address(self) -> str:
        city, state, zip_code = self.rng.choice(_CITIES)
        flat = self.rng.choice(
            ("", "", f", apt {self.rng.randint(1, 90)}", f", suite {self.rng.randint(100, 999)}")
        )
        tail = self.rng.choice(
            (f", {city}, {state} {zip_code}", f", {city} {zip_code}", f", {city}", f" {city} {state}", "")
        )
        return self._street() + flat + tail

    def _fixed(self, slot: str) -> str:
        match slot:
            case "order":
                return self.rng.choice(("#W", "#W", "W", "#", "")) + self._digits(7)
            case "item":
                return str(self.rng.randint(1, 9)) + self._digits(9)
            case "digits":
                return self._digits(4)
            case "number":
                return str(self.rng.randint(1, 900))
            case "zip":
                return self.rng.choice(_CITIES)[2]
            case "street":
                return self._street()
            case "address":
                return self._address()
            case "price":
                amount = self.rng.choice((f"{self.rng.randint(5, 900)}", f"{self.rng.uniform(5, 900):.2f}"))
                return self.rng.choice((f"${amount}", f"{amount} dollars", amount))
            case "card":
                return " ".join(self._digits(4) for _ in range(4))
            case "email":
                return (
                    f"{self.rng.choice(_FIRST)}.{self.rng.choice(_LAST)}{self._digits(2)}@example.com".lower()
                )
            case "user":
                return f"{self.rng.choice(_FIRST)}_{self.rng.choice(_LAST)}_{self._digits(4)}".lower()
            case _:
                raise BankError(f"there is no slot {{{slot}}}")


_CARDS = ("visa", "mastercard", "card", "credit card", "amex")
_PAYMENTS = (
    "paypal", "PayPal account", "visa", "mastercard", "credit card", "gift card", "gift card", "card", "other card",
    "debit card", "gift card balance", "paypal account",
)  # fmt: skip
_FIRST = (
    "Maria", "John", "Ahmed", "Wei", "Priya", "Tom", "Anna", "Lucas", "Grace", "Ivan", "Fatou", "Kenji", "Emma",
    "Omar", "Helen", "Pedro", "Sara", "George", "Nina", "Raj",
)  # fmt: skip
_LAST = (
    "Baker", "Nowak", "Silva", "Okafor", "Schmidt", "Tanaka", "Murphy", "Costa", "Haddad", "Larsen", "Walker",
    "Moreau", "Petrov", "Singh", "Bianchi", "Young",
)  # fmt: skip
_TREES = (
    "Maple", "Oak", "Cedar", "Elm", "Main", "Lake View", "Hill", "Park", "Church", "Sunset", "River", "Pine",
    "Washington", "2nd", "14th", "Station",
)  # fmt: skip
_STREETS = (
    "Street",
    "St",
    "Avenue",
    "Ave",
    "Road",
    "Rd",
    "Lane",
    "Drive",
    "Dr",
    "Boulevard",
    "Blvd",
    "Court",
    "Way",
)
_CITIES = (
    ("Denver", "CO", "80202"), ("Austin", "TX", "78701"), ("Chicago", "IL", "60614"), ("Boston", "MA", "02116"),
    ("Seattle", "WA", "98109"), ("Miami", "FL", "33130"), ("Portland", "OR", "97205"), ("Phoenix", "AZ", "85004"),
    ("New York", "NY", "10025"), ("San Diego", "CA", "92103"), ("Columbus", "OH", "43215"), ("Dallas", "TX", "75204"),
)  # fmt: skip
