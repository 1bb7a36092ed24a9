"""Text into lines, sentences and tokens, with the same rules for answers, headlines and names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_SAME = str.maketrans(
    {
        "’": "'",
        "‘": "'",
        "´": "'",
        "“": '"',
        "”": '"',
        "„": '"',
        "«": '"',
        "»": '"',
        "\u00a0": " ",
        "\u202f": " ",
        "\u2009": " ",
        "−": "-",
        "‑": "-",
        "…": "...",
        "≈": "~",
    }
)
_TOKEN = re.compile(
    r"""
    \d{4}-(?:\d{2}(?:-\d{2})?|W\d{2})(?![\w-])      # ISO day, month or week
  | \d{1,4}/\d{1,2}/\d{2,4}(?![\w/])                # a day with slashes
  | \d{1,2}:\d{2}(?!\d)                             # a time of day
  | \d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\w)              # 1,234.50
  | \d{1,3}(?:,\d{3})+(?:\.\d+)?[kKmMbB]n?(?!\w)
  | \d+\.\d+(?!\w)                                  # 12.3
  | \d+(?:\.\d+)?[^\W\d_]+\w*                       # 402k, 2nd, 12pk
  | \d+
  | [^\W\d_]+_?\d\w*                                # S000456, Q2, B001E4KFG0
  | [^\W\d_]+(?:'[^\W\d_]+)*                        # words, isn't
  | \.\.\.
  | \S
    """,
    re.VERBOSE,
)
_ITEM = re.compile(r"^\s*(?:(?P<number>\d{1,3})[.)]\s+|[-*•–+]\s+|#+\s+)?")
_MARKS = re.compile(r"\*\*|__|`|(?<!\w)\*(?=\w)|(?<=\w)\*(?!\w)")
_END = re.compile(
    r"[.!?]+[\"')\]]*(?:\s*\[[^\[\]]{1,40}\][.!?]?)?(?=\s+(?:[\"'(\[]?[^\Wa-z_]|[\ue000-\uf8ff]))|[.!?]+[\"')\]]*(?=\s*$)"
)
_ABBREVIATIONS = ("vs.", "e.g.", "i.e.", "approx.", "incl.", "no.", "oz.", "lb.", "ct.", "etc.", "ca.", "mr.")


@dataclass(frozen=True, slots=True)
class Token:
    """One word, number or sign; `norm` is lower case and singular."""

    text: str
    norm: str
    owner: bool = False  # "900's"

    @property
    def is_word(self) -> bool:
        return self.text[0].isalpha()

    @property
    def is_number(self) -> bool:
        return self.text[0].isdecimal()


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence with its tokens.

    Attributes:
        item: its number where it is an item of a numbered list.
        bullet: whether it begins a line of a list.
        cells: the cells' texts where it is a line of a table.
    """

    text: str
    tokens: tuple[Token, ...]
    item: int | None = None
    bullet: bool = False
    cells: tuple[str, ...] = ()


def plain(text: str) -> str:
    """Return `text` with one kind of quotation mark, space and minus sign, and without Markdown's marks."""
    return _MARKS.sub("", text.translate(_SAME))


@lru_cache(maxsize=8192)
def singular(word: str) -> str:
    """Return a lower-case word without its plural's ending (good enough to compare words by)."""
    word = word.lower()
    if word.endswith("'s"):
        word = word[:-2]
    if word.endswith("ie") and len(word) > 4:
        return word[:-2] + "y"  # cookie, like cookies
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is", "'s")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "zes", "oes")):
        return word[:-2]
    return word[:-1]


@lru_cache(maxsize=2048)
def tokens(text: str) -> tuple[Token, ...]:
    """Return the tokens of `text`; hyphens inside words and possessive endings fall away."""
    found: list[Token] = []
    matches = list(_TOKEN.finditer(text))
    for at, match in enumerate(matches):
        word = match.group()
        if word == "-" and 0 < at < len(matches) - 1:
            before, after = matches[at - 1], matches[at + 1]
            glued = before.end() == match.start() and match.end() == after.start()
            if glued and (before.group()[-1].isalpha() or after.group()[0].isalpha()):
                continue
        if word == "'" and at and matches[at - 1].end() == match.start():
            continue
        if (
            word.lower() == "s"
            and at > 1
            and matches[at - 1].group() == "'"
            and found
            and found[-1].is_number
        ):
            found[-1] = Token(found[-1].text, found[-1].norm, owner=True)
            continue
        owner = word.endswith("'s") and word.lower() not in ("it's", "that's", "there's", "here's", "what's")
        word = word[:-2] if owner else word
        found.append(Token(word, singular(word), owner))
    return tuple(found)


def _ends(line: str) -> list[int]:
    ends = []
    for match in _END.finditer(line):
        head = line[: match.end()].rstrip("\"')]").lower()
        follow = line[match.end() :].lstrip()
        if follow and head.endswith(_ABBREVIATIONS) and (not head.endswith("no.") or follow[0].isdecimal()):
            continue
        if line[: match.start()].count('"') % 2 and '"' not in match.group():
            continue  # inside a quotation
        ends.append(match.end())
    return ends


def sentences(text: str) -> list[Sentence]:
    """Return the sentences of `text`; each line of a list or table is at least one of its own."""
    found: list[Sentence] = []
    for line in plain(text).splitlines():
        if not line.strip() or re.fullmatch(r"[\s|:\-=_*]+", line):
            continue
        if " | " in line or line.strip().startswith("|"):
            cells = tuple(cell.strip() for cell in line.strip().strip("|").split("|"))
            found.append(Sentence(line.strip(), tokens(line), cells=cells))
            continue
        start = _ITEM.match(line)
        lead = start.end() if start else 0
        number = start.group("number") if start else None
        bullet = bool(start and start.group().strip())
        line = line[lead:]
        begin = 0
        for end in [*_ends(line), len(line)]:
            piece = line[begin:end].strip()
            if piece:
                first = begin == 0
                found.append(
                    Sentence(
                        piece,
                        tokens(piece),
                        item=int(number) if number and first else None,
                        bullet=bullet and first,
                    )
                )
            begin = end
    return found
