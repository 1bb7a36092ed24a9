"""How people type: casing, dropped marks and apostrophes, slips of the finger, spelling by ear.

Numbers and ids are never touched. A value that a call copies (a product, a time) changes with the question,
so that the call holds it as it stands there.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import replace

from storewise.finetune.wording import Piece

# Slots whose text is copied to the letter and must stay what it is.
_FIXED = frozenset(("customer", "session"))
_NEIGHBOURS = {
    "a": "sqz", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj", "i": "uo",
    "j": "hk", "k": "jl", "l": "k", "m": "n", "n": "bm", "o": "ip", "p": "o", "q": "wa", "r": "et",
    "s": "ad", "t": "ry", "u": "yi", "v": "cb", "w": "qe", "x": "zc", "y": "tu", "z": "xa",
}  # fmt: skip


def _pairs(text: str) -> list[tuple[str, str]]:
    return [(right, typed) for right, _, typed in (pair.partition(">") for pair in text.split())]


# Spelling by ear: what is written right, and what is typed.
_BY_EAR = _pairs(
    "ie>ei ei>ie tion>shun ph>f ck>k mm>m nn>n ss>s tt>t ll>l rr>r ee>ea ea>ee ou>u ance>ence ence>ance "
    "able>ible ou>oo c>s s>c c>k er>or or>er y>i ight>ite gh> wh>w e>a a>e "
)
# Misspellings and short forms that many people use.
_USUAL_PAIRS = _pairs(
    "abandoned>abandonned abandoned>abandond about>abt about>abuot and>n and>an and>adn are>r "
    "average>avg average>avrage because>bc because>cuz because>becuase between>btw between>beetween "
    "by>bye cart>kart carts>cartz categories>catagories categories>categorys category>catagory "
    "category>catgory cheese>chese cheese>cheeze chocolate>choclate cereal>cerial complain>complane "
    "complaints>complaint complaints>complains customer>custmer customer>costumer customer>cust "
    "customer>customr customers>costumers customers>custmers customers>cutomers don't>dont for>fro "
    "for>fr give>giv have>hav household>houshold how>hwo likely>likly likely>likley leave>leve "
    "leave>leav me>mee month>mnth much>mutch offer>ofer orders>oders orders>ordres people>ppl "
    "people>poeple please>pls please>plz please>plese product>prodcut product>produkt products>prodcuts "
    "products>produts quantity>qty recommend>recomend recommend>reccomend "
    "recommendations>recomendations revenue>revenu revenue>revenew revenue>reveneu reviews>reveiws "
    "reviews>reviws review>reveiw sell>sel sold>solt should>shoud should>shld shredded>shreded "
    "show>shwo show>sho suggest>sugest tell>tel than>then that>taht the>teh the>te the>th their>there "
    "they>thay they're>there they're>theyre to>too to>ot today>2day vegetables>vegtables "
    "vegetables>vegatables want>wnat week>wk weeks>wks what>wat what>waht what's>whats what's>wots "
    "which>wich who>hwo will>wil with>w/ with>wiht without>w/o would>woud would>wld yesterday>yesteday "
    "yoghurt>yogurt you>u your>ur you're>your "
)
_USUAL = {right: [typed for word, typed in _USUAL_PAIRS if word == right] for right, _ in _USUAL_PAIRS}
_WORD = re.compile(r"[A-Za-z]+(?:'[a-z]+)?")


def misspell(text: str, rng: random.Random) -> str:
    """Return `text` with a slip in one of its words; words with digits stay as they are."""
    words = [
        found
        for found in _WORD.finditer(text)
        if (len(found.group()) >= 4 or found.group().lower() in _USUAL)
        and not re.search(r"\d", text[max(0, found.start() - 1) : found.end() + 1])
    ]
    if not words:
        return text
    usual = [found for found in words if found.group().lower() in _USUAL]
    if usual and rng.random() < 0.4:
        found = rng.choice(usual)
        slip = rng.choice(_USUAL[found.group().lower()])
    else:
        found = rng.choice(words)
        slip = _slip(found.group(), rng)
    return text[: found.start()] + slip + text[found.end() :]


def _slip(word: str, rng: random.Random) -> str:
    if len(word) < 4:
        return word
    i = rng.randrange(1, len(word) - 1)
    match rng.randrange(8):
        case 0 | 1:  # two letters swapped
            return word[:i] + word[i + 1] + word[i] + word[i + 2 :]
        case 2 | 3:  # a letter left out
            return word[:i] + word[i + 1 :]
        case 4:  # a letter twice
            return word[:i] + word[i] + word[i:]
        case 5:  # the key beside it
            near = _NEIGHBOURS.get(word[i].lower())
            return word[:i] + rng.choice(near) + word[i + 1 :] if near else word
        case _:
            heard = [(right, typed) for right, typed in _BY_EAR if right in word[1:]]
            if not heard:
                return word[:i] + word[i + 1 :]
            right, typed = rng.choice(heard)
            return word[0] + word[1:].replace(right, typed, 1)


def typed(pieces: list[Piece], rng: random.Random) -> list[Piece]:
    """Return the pieces as somebody would type them; the values in them change along."""
    pieces = _slips(pieces, rng)
    if rng.random() < 0.35:
        pieces = _plain(pieces, lambda text: re.sub(r"(\w)'(?=\w)", r"\1", text))
    if rng.random() < 0.25:
        pieces = _plain(pieces, lambda text: re.sub(r"(?<=\w)[,;](?= )", "", text))
    return _cased(pieces, rng)


def _slips(pieces: list[Piece], rng: random.Random) -> list[Piece]:
    count = rng.choices((0, 1, 2, 3), (68, 22, 7, 3))[0]
    changed = list(pieces)
    for _ in range(count):
        weights = [
            0 if piece.kind in _FIXED or piece.kind == "top" else len(piece.text) + (6 if piece.slot else 0)
            for piece in changed
        ]
        if not any(weights):
            break
        k = rng.choices(range(len(changed)), weights)[0]
        changed[k] = replace(changed[k], text=misspell(changed[k].text, rng))
    return changed


def _plain(pieces: list[Piece], change: Callable[[str], str]) -> list[Piece]:
    return [piece if piece.slot else replace(piece, text=change(piece.text)) for piece in pieces]


def ended(pieces: list[Piece], rng: random.Random, question: bool) -> list[Piece]:
    """Return the pieces with the mark that somebody may set at the end (`question`: a question mark)."""
    last = pieces[-1].text[-1:]
    if last in ".?!)…" or last == ":":
        return pieces
    marks = {"?": 50, "": 42, "??": 2, " ?": 3, ".": 3} if question else {"": 72, ".": 22, "!": 3, "...": 3}
    mark = rng.choices(list(marks), list(marks.values()))[0]
    return [*pieces, Piece(mark)] if mark else pieces


def _cased(pieces: list[Piece], rng: random.Random) -> list[Piece]:
    style = rng.choices(("lower", "sentence", "as is", "upper", "title"), (46, 38, 13, 2, 1))[0]
    if style == "sentence":
        first = pieces[0]
        if first.kind in _FIXED:
            return pieces
        return [replace(first, text=first.text[:1].upper() + first.text[1:]), *pieces[1:]]
    changes: dict[str, Callable[[str], str]] = {"lower": str.lower, "upper": str.upper, "title": _title}
    change = changes.get(style, str)
    lower_ids = style == "lower" and rng.random() < 0.5
    return [
        piece if piece.kind in _FIXED and not lower_ids else replace(piece, text=change(piece.text))
        for piece in pieces
    ]


def _title(text: str) -> str:
    return re.sub(r"(?<![\w'])[a-z]", lambda found: found.group().upper(), text)
