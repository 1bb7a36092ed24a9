"""The words of a question as the date reader sees them: numbers, months, years, and what is beside them."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from storewise.tools.numbers import read_numbers
from storewise.tools.shop.daynames import (
    ORDINALS,
    UNITS,
    month_number,
    unit,
)
from storewise.tools.shop.spans import (
    Span,
    unit_span,
)


@dataclass(frozen=True)
class Token:
    word: str  # lower case, "'s" taken off
    start: int
    end: int
    raw: str
    ordinal: bool = False

    @property
    def number(self) -> int | None:
        return int(self.word) if self.word.isdecimal() and len(self.word) <= 4 else None


_TOKEN = re.compile(
    r"\d{4}[-/]\d{1,2}[-/]\d{1,2}|\d{1,2}-\d{1,2}-\d{4}|\d{4}-\d{2}\b|[qh][1-4]\b|\d{1,2}/\d{1,2}(?:/\d{4}|/\d{2})?(?![\d/])|\d+(?=(?:st|nd|rd|th)\b)"
    r"|\d+(?![\w])|\d+(?=d\b)|['’]\d\d\b|[^\W\d_]+(?:['’][^\W\d_]+)*|[a-z]+\d\w*|\d\w+|[^\w\s]",
    re.I,
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SUFFIX = frozenset(("st", "nd", "rd", "th"))
INSIDE = _words("in on during for over within of at throughout across around about")
TO = frozenset(("to", "till", "til", "until", "through", "thru", "-", "–", "—", "upto"))
LAST = _words("last past previous latest preceding prior trailing lst")
FEW = {"few": 3, "couple": 2}
# What may follow a word that is a time only by its company ("christmas", "spring"), and not a product's.
AFTER_LOOSE = _words(
    "and or vs versus compared than did do does was were is are in for by with on at to from until till who "
    "what which how we i you they show give tell please pls rush season sales period time again only "
    "last this of but so then because as per "
)
PREPOSITIONS = INSIDE | TO | _words("since before after from between by and this last past until till")
_ID_WORDS = _words("customer household client shopper id no number user member # account card session cart")
COUNTED = _words("top best worst bottom first last least most only") | _ID_WORDS
# "1/2 gallon" is no day.
FRACTIONED = _words("of off price gallon gal pound lb cup dozen oz pint inch case and")
_SUBJECTS = _words("i we you he she it they who that which customers people shoppers one")
_NOT_AFTER_MAY = _words("i we you he she it they be have not want need like leave stop buy also never well")


class TokenReader:
    """Reads the small pieces of a time expression at a token of a text."""

    def __init__(self, text: str, as_of: dt.date, first: dt.date) -> None:
        self.text, self.as_of, self.first = text, as_of, first
        self.tokens = _tokens(text)

    def _word(self, i: int) -> str:
        return self.tokens[i].word if 0 <= i < len(self.tokens) else ""

    def _skip(self, i: int, words: tuple[str, ...]) -> int:
        while self._word(i) in words and self._word(i):
            i += 1
        return i

    def _number(self, i: int) -> tuple[int, int] | None:
        """Return the count at token `i`, in digits or words, and the token after it."""
        word = self._word(i)
        if not word or word in ("the", "of"):
            return None
        if word in FEW or (word == "a" and self._word(i + 1) in FEW):
            j = i + 2 if word == "a" else i + 1
            return FEW[self._word(j - 1)], j + 1 if self._word(j) == "of" else j
        if word in ("a", "an") and self._word(i + 1) in UNITS:
            return 1, i + 1
        if not (word[0].isdecimal() or word.isalpha()):
            return None
        here = self.tokens[i].start
        for mention in read_numbers(self.text[here : here + 40])[:1]:
            if mention.start == 0 and isinstance(mention.value, int) and 0 < mention.value < 1000:
                j = i
                while j < len(self.tokens) and self.tokens[j].start < here + mention.end:
                    j += 1
                return mention.value, j + 1 if self._word(j) == "of" else j
        if word.isdecimal() and len(word) < 4:  # "30d"
            return int(word), i + 1
        return None

    def _day_of_month(self, i: int) -> tuple[int, int] | None:
        """Return a day of the month at token `i` ("14", "14th", "third") and the token after it."""
        word = self._word(i)
        if word in ORDINALS:
            return ORDINALS[word], i + 1
        number = self.tokens[i].number if i < len(self.tokens) else None
        return (number, i + 1) if number is not None and 1 <= number <= 31 and len(word) <= 2 else None

    def _month_at(self, i: int, asked: bool) -> int | None:
        if not 0 <= i < len(self.tokens):
            return None
        word, raw = self.tokens[i].word, self.tokens[i].raw
        month = month_number(word)
        if month is None:
            return None
        before, after = self._word(i - 1), self._word(i + 1)
        if word == "may" and not self._is_may(i, raw, asked, before, after):
            return None
        if word == "march" and (before in _SUBJECTS or after in ("madness", "into", "out", "off")):
            return None
        return month if word != "mar" or asked or after.isdecimal() or before.isdecimal() or i > 0 else None

    def _is_may(self, i: int, raw: str, asked: bool, before: str, after: str) -> bool:
        if before in _SUBJECTS or after in _NOT_AFTER_MAY:
            return False
        if asked or after.isdecimal() or before.isdecimal() or before in PREPOSITIONS | ORDINALS.keys():
            return True
        if not after or not after[0].isalnum():
            return True
        return raw == "May" and i > 0

    def _year_after(self, i: int) -> tuple[int | None, int]:
        """Return the year at token `i` ("2017", ", 2017", "of 2017", "'17", "last year") and what follows."""
        j = self._skip(i, (",", "of", "in", "the", "year"))
        number = self.tokens[j].number if j < len(self.tokens) else None
        if (
            number is not None
            and 1990 <= number <= 2099
            and self._word(j + 1) not in ("units", "orders", "customers")
        ):
            return number, j + 1
        if j < len(self.tokens) and re.fullmatch(r"['’]\d\d", self._word(i)):
            return 2000 + int(self._word(i)[1:]), i + 1
        if unit(self._word(j + 1)) == "year" and self._word(j) in ("this", "last"):
            last = self._last_complete("year")[0].year
            return (self.as_of.year if self._word(j) == "this" else last), j + 2
        if self._word(j - 1) == "year" and self._word(j - 2) == "the":
            return self.as_of.year, j
        return None, i

    def _bare_year(self, i: int, number: int) -> bool:
        near = {self._word(i - 1), self._word(i + 1)}
        other = _ID_WORDS | {
            "units",
            "orders",
            "customers",
            "dollars",
            "$",
            "product",
            "item",
            "sku",
            "top",
            ".",
        }
        return self.first.year <= number <= self.as_of.year and not near & (other - {"."})

    def _closed(self, i: int, asked: bool) -> bool:
        """Whether a loose time word before token `i` is a time: nothing after it makes it a product's."""
        word = self._word(i)
        return not word or not word[0].isalnum() or word.isdecimal() or (asked and word in AFTER_LOOSE)

    def _last_complete(self, length: str, up_to: dt.date | None = None) -> Span:
        day = up_to or self.as_of
        span = unit_span(day, length)
        return span if span[1] <= day else unit_span(span[0] - dt.timedelta(days=1), length)


def _tokens(text: str) -> list[Token]:
    tokens: list[Token] = []
    for found in _TOKEN.finditer(text):
        raw = found.group()
        word = re.sub(r"['’]s$|['’]$", "", raw.lower()) or raw
        if word in _SUFFIX and tokens and tokens[-1].raw.isdecimal() and tokens[-1].end == found.start():
            last = tokens.pop()
            tokens.append(Token(last.word, last.start, found.end(), last.raw + raw, ordinal=True))
        else:
            tokens.append(Token(word, found.start(), found.end(), raw))
    return tokens
