"""What a customer's words name: orders, products, things in an order, payment methods."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from storewise.agent.desk.options import mentions
from storewise.agent.desk.things import OPEN_STATES, Line, OwnOrder, Things
from storewise.agent.desk.words import Word, alike, same_word, sentences_of, stems_of, words_of

_ID = re.compile(r"(?<![\w#-])#?[A-Za-z0-9](?:[\w-]*[A-Za-z0-9])?")
_ORDER_ID = re.compile(r"#?[A-Z]{1,3}\d{5,10}", re.I)
_ITEM_ID = re.compile(r"(?<![\w#$.])(\d{10})(?!\w)")
_ALL = re.compile(
    r"(?:^\W*all(?=,(?! i\b))|\b("
    r"(?<!had )(?<!got )(?<!and )everything(?! (?:unpacked|here|was|else)\b)"
    r"(?! (?:with|on|onto|to|via|by) (?:my |the )?(?:pay|visa|master|amex|gift|card|same))|"
    r"all of (?:it|them)|all (?:the )?(?:items|things)|the whole (?:order|thing|lot)|entire order|"
    r"the lot|all (?:two|three|four|five|\d))\b)",
    re.I,
)
# "The order ending 7049": an id by its last digits.
_ENDING = re.compile(
    r"\border(?:'s)?\b(?:(?!\bcard\b)[^.;!?]){0,25}?\bend(?:ing|s)(?: (?:in|with))? #?(\d{3,6})\b", re.I
)
_DIGITS = 5  # so many of an id stand for it
_SEVERAL = re.compile(r"\b(two|three|four|each|pair|[2-9])\b", re.I)
_ONE_OF = re.compile(
    r"\b(?:one of|only one|just one|one (?:has to|needs to|must|should|can|could|will|is going to|'s going to) \w+)\b",
    re.I,
)
_GOES = re.compile(r"\b(?:return|send|swap|exchange|change|back|cancel)\w*\b", re.I)
_BOTH = re.compile(r"\bboth\b", re.I)
_CLAUSE = re.compile(r"[.;!?]|,|\bbut\b|\band not\b", re.I)
_KEEPS = re.compile(
    r"\b(keep(?! (?:it|them) \w| \w+ing\b)|keeping(?! (?:it|them) \w)|kept|"
    r"stay(?:s|ing)?(?! (?:wet|dirty|damp|cold|hot|on(?! (?:file|my))|open|stuck|too))|"
    r"remain(?:s|ing)?(?= as\b)|leave|leaving|not the|not my|"
    r"except|apart from|besides|other than|"
    r"don'?t (?:want|need) to|scratch (?:the|that)|forget the|skip the|drop the|minus the|never ?mind the|"
    r"(?:is|are) not to be|(?:not|n'?t) (?:be )?touch(?:ed)?|(?:happy|pleased|delighted) with|"
    r"i (?:do|did) (?:still )?want|"
    r"hang(?:ing)? on to|hold(?:ing)? on to|should (?:still )?come(?=\W*$|[.,;!?]| as\b)|"
    r"belongs? to (?:my|our|her|him|them)|(?:is|are) (?:hers|his|theirs|ours)|"
    r"(?:is|are) not (?:concerned|affected|meant|part of))\b|"
    r"^\W*(?:no [\w-]+(?: [\w-]+)?|(?:(?:the|my) )?[\w-]+(?: [\w-]+)? no)\W*$",
    re.I,
)
_KEEPS_THOSE = re.compile(
    r"(?<!not )(?<!n['’]t )(?<!nt )(?<!to )\b(?:keep|keeping) (?:those|these|them)\W*$", re.I
)
# "the lamp, that stays": the clause before
_THAT_STAYS = re.compile(r"^\W*(?:that|this|it)(?: one)? (?:stays?|is staying|remains?)\W*$", re.I)
_OTHER_WANTED = re.compile(r"\bthe other\b[^.;!?]*\b(?:do|did|still) (?:want|need)\b[^.;!?]*", re.I)
_REST = re.compile(
    r"\b(?:the (?:others?|rest|remaining)(?: (?:one|ones|two|three|four|things?|items?|lot))?|everything else|"
    r"all else)\b",
    re.I,
)
# What is said of a thing that may stay.
_CONTENT = re.compile(
    r"(?:\b(?:is|are|was|were|seems?|looks?|works?)|['’]s|['’]re) "
    r"(?:just |really |very |so |perfectly |absolutely |quite |all )?"
    r"(?:lovely|fine|great|ok(?:ay)?|alright|all right|good|perfect|brilliant|nice|wonderful|excellent|super|well)\b|"
    r"\bfits\b(?! (?:badly|poorly|too))|"
    r"\b(?:am|are|is|['’]m|['’]re|['’]s) (?:still )?(?:using|enjoying|wearing|loving)\b|"
    r"\b(?:in use|(?:enjoys|loves|adores) (?:it|them|the|her|his|my|that)|"
    r"(?:we|she|he|they) (?:really )?(?:love|adore|enjoy)s?)\b|\b(?:they|it) stays?\b",
    re.I,
)
_JUDGED = re.compile(r"[.,;!?]|\bbut\b", re.I)
_ORDINALS = {"first": 0, "second": 1, "third": 2, "fourth": 3, "last": -1, "latter": -1, "former": 0}
_CAME = re.compile(r"\b(arrived|delivered|received|got it|came|have it|already here|already have)\b", re.I)
_COMING = re.compile(
    r"\b(pending|under ?way|on (?:its|the|their) way|"
    r"not (?:yet )?(?:shipped|arrived|here)|still (?:coming|waiting|open)|"
    r"hasn'?t (?:arrived|shipped|come)|before it ships|upcoming|isn'?t here)\b",
    re.I,
)
_HAVING = frozenset("make become be for into to want wanted like have had been rather prefer".split())
_PROOF = ("resist", "proof", "repel")
GENERIC = frozenset("set kit thing pack".split())  # words that name no product by themselves
_BIG = re.compile(r"\b(?:big|bigger|biggest|large|larger|largest|tall|taller|long|longer)\b", re.I)
_SMALL = re.compile(r"\b(?:small|smaller|smallest|little|short|shorter|tiny)\b", re.I)


def order_ids(text: str, own: Iterable[str] = ()) -> list[str]:
    """Return the orders that a text names by their ids: the customer's `own` as they are spelled, and what looks
    like an id, such as W1234567, as #W1234567.
    """
    known = {_bare(one): one for one in own}
    numbers = {digits: one for key, one in known.items() if len(digits := _digits(key)) >= _DIGITS}
    found = []
    for said in _ID.findall(text):
        bare = _bare(said)
        if bare in known and (said.startswith("#") or len(bare) > 3):
            found.append(known[bare])
        elif said in numbers:
            found.append(numbers[said])
        elif _ORDER_ID.fullmatch(said) or (said.startswith("#") and any(c.isdigit() for c in said)):
            found.append(f"#{said.removeprefix('#').upper()}")
    for ending in _ENDING.findall(text):
        ends = [one for digits, one in numbers.items() if digits.endswith(ending)]
        found += ends if len(ends) == 1 else []
    return list(dict.fromkeys(found))


def _digits(order_id: str) -> str:
    return "".join(character for character in order_id if character.isdigit())


def _bare(order_id: str) -> str:
    return order_id.strip().removeprefix("#").casefold()


def without_ids(text: str, things: Things) -> str:
    """Return a text with the ids of the customer's own orders and items as `[order]` and `[item]`."""
    known = {_bare(order.order_id): "[order]" for order in things.orders}
    known |= {_digits(key): mark for key, mark in known.items() if len(_digits(key)) >= _DIGITS}
    known |= {line.item_id.casefold(): "[item]" for order in things.orders for line in order.lines}

    def hidden(found: re.Match[str]) -> str:
        bare = _bare(found[0])
        return known.get(bare, found[0]) if found[0].startswith("#") or len(bare) > 3 else found[0]

    return _ID.sub(hidden, text)


def item_ids(text: str) -> list[str]:
    return list(dict.fromkeys(_ITEM_ID.findall(text)))


@dataclass(frozen=True)
class Named:
    """A product that a text names: where, how surely (1 to 3), and whether as one that is to stay."""

    name: str
    at: int
    surely: int
    stays: bool = False


def products_named(text: str, names: Iterable[str]) -> list[Named]:
    """Return which products of `names` a text names, in its order.

    A full name counts most, then its last word ("boots" for Hiking Boots), then another word of it.
    """
    words = words_of(text)
    best: dict[str, Named] = {}
    owners: dict[str, set[str]] = {}
    names = list(dict.fromkeys(names))
    for name in names:
        for stem in stems_of(name):
            owners.setdefault(stem, set()).add(name)
    for name in names:
        parts = stems_of(name)
        joined = "".join(parts)
        for at in range(len(words)):
            surely = _surely(parts, joined, words, at, owners)
            said = words[at].raw.lower()
            if len(said) > 4 and name.lower().endswith(said):  # "phone" for Smartphone
                surely = max(surely, 2)
            if surely and (name not in best or surely > best[name].surely):
                best[name] = Named(name, at, surely)
    taken = {at for named in best.values() if named.surely == 3 for at in _span(named)}
    found = [n for n in best.values() if n.surely == 3 or n.at not in taken]
    top = max((named.surely for named in found), default=0)
    found = [named for named in found if named.surely > 1 or top == 1]
    stays = _stay(text, [n.name for n in found])
    return sorted((Named(n.name, n.at, n.surely, n.name in stays) for n in found), key=lambda named: named.at)


def in_its_place(text: str, named: Named) -> bool:
    """Say whether a product is named as what somebody would have: "for running shoes", "ought to have been a watch"."""
    words, last = words_of(text), stems_of(named.name)[-1]
    places = [named.at, *(at for at, word in enumerate(words) if alike(word.stem, last))]
    return any(word.raw.lower() in _HAVING for at in places for word in words[max(0, at - 5) : at])


def _stay(text: str, names: Sequence[str]) -> set[str]:
    """Return the products that are to stay, by the last clause that names each."""
    stay: set[str] = set()
    clauses = _staying(text)
    if not clauses:
        return stay
    for begin, end in sorted({*_clauses(text), *clauses}, key=lambda one: (one[1], -one[0])):
        said = stems_of(text[begin:end])
        stems = {*said, *(one + two for one, two in pairwise(said))}  # "tooth brush"
        named = {name for name in names if any(alike(one, stems_of(name)[-1]) for one in stems)}
        stay = stay | named if (begin, end) in clauses else stay - named
    return stay


def _clauses(text: str) -> list[tuple[int, int]]:
    ends = [*(found.start() for found in _CLAUSE.finditer(text)), len(text)]
    return list(zip([0, *ends[:-1]], ends, strict=True))


def _span(named: Named) -> range:
    return range(named.at, named.at + len(stems_of(named.name)))


def _surely(
    parts: Sequence[str], joined: str, words: Sequence[Word], at: int, owners: dict[str, set[str]]
) -> int:
    if len(words) - at >= len(parts) and all(
        same_word(words[at + i].stem, p, owners) for i, p in enumerate(parts)
    ):
        return 3
    said = words[at].stem
    if at + 1 < len(words) and words[at + 1].stem.startswith(_PROOF):
        return 0  # "water resistant" names no bottle
    if len(parts) > 1 and same_word(said, joined, owners):
        return 3
    if same_word(said, parts[-1], owners) and said not in GENERIC:
        return 2
    if len(parts) > 1 and any(
        len(p) > 3 and same_word(said, p, owners) and len(owners[p]) == 1 for p in parts[:-1]
    ):
        return 1
    return 0


def _staying(text: str) -> list[tuple[int, int]]:
    """Return from where to where the clauses stand that say what is to stay as it is."""
    stays = []
    before = 0
    for begin, end in _clauses(text):
        if _THAT_STAYS.match(text[begin:end].lstrip(",")):
            stays.append((before, end))
        elif _KEEPS.search(text[begin:end]):
            # "the hose and the shelf are mine, I'm keeping those": what was named before in the sentence
            back = _KEEPS_THOSE.search(text, begin, end) is not None
            stays.append((max(text.rfind(mark, 0, begin) for mark in ".!?;") + 1 if back else begin, end))
        before = begin
    apart: list[tuple[int, int]] = []
    for begin, end in sorted([*stays, *(found.span() for found in _OTHER_WANTED.finditer(text))]):
        if apart and begin < apart[-1][1]:
            apart[-1] = (apart[-1][0], max(end, apart[-1][1]))
        else:
            apart.append((begin, end))
    return apart


def without_staying(text: str) -> str:
    """Return a text without its clauses that say what is to stay as it is."""
    for begin, end in reversed(_staying(text)):
        text = f"{text[:begin]} {text[end:]}"
    return text


def staying(text: str, lines: Sequence[Line]) -> list[Line]:
    """Return the things that a text says are to stay, by product or by options."""
    clauses = [text[begin:end] for begin, end in _staying(text)]
    names = [line.product for line in lines]
    kept: list[Line] = []
    for clause in clauses:
        named = {one.name for one in products_named(clause, names)}
        own = [line for line in lines if line.product in named]
        kept += (by_options(clause, own) if len(own) > 1 else own) or own or by_options(clause, lines)
    return kept


def content_with(text: str, lines: Sequence[Line]) -> list[Line]:
    """Return the things of which a customer speaks last as one content with them: "the tablet is fine"."""
    names = list(dict.fromkeys(line.product for line in lines))
    content: set[str] = set()
    last: set[str] = set()
    for part in _JUDGED.split(text):
        named = {one.name for one in products_named(part, names) if one.surely > 1}
        last = named or last
        content = content | last if _CONTENT.search(part) else content - named
    return [line for line in lines if line.product in content]


def says_rest(text: str) -> bool:
    """Say whether a text speaks of all that was not named: "the other two can go"."""
    return bool(_REST.search(without_staying(text)))


def says_all(text: str) -> bool:
    return bool(_ALL.search(text))


def says_both(text: str) -> bool:
    return bool(_BOTH.search(text))


def lines_named(text: str, orders: Sequence[OwnOrder]) -> list[tuple[OwnOrder, Line]]:
    """Return the things in these orders that a text names by product, and by options where it tells any."""
    named = {n.name for n in products_named(text, _names(orders)) if not n.stays}
    found = [(order, line) for order in orders for line in order.lines if line.product in named]
    ids = set(item_ids(text))
    found += [(o, line) for o in orders for line in o.lines if line.item_id in ids and (o, line) not in found]
    return _by_options(text, found)


def most_named(named: Sequence[tuple[OwnOrder, Line]]) -> list[OwnOrder]:
    """Return the orders that have most of the products among the things that a text names."""
    products: dict[str, set[str]] = {}
    for order, line in named:
        products.setdefault(order.order_id, set()).add(line.product)
    most = max(map(len, products.values()), default=0)
    orders = {order.order_id: order for order, _ in named}
    return [orders[key] for key, own in products.items() if len(own) == most]


def doubtful(text: str, lines: Sequence[Line]) -> tuple[list[Line], list[Line]]:
    """Return of the things that a text names those it surely means, and those of which it means one alone:
    "the watch" where there are two.
    """
    alike_things = len({line.product for line in lines}) == 1
    for sentence in reversed(sentences_of(without_staying(text)) if alike_things else []):
        # "Two helmets came. The red one fits, how do I return the blue?"
        if _GOES.search(sentence) and not says_both(text) and (told := by_options(sentence, lines)):
            return told, []
    if says_all(text) or says_both(text) or (_SEVERAL.search(text) and not _ONE_OF.search(text)):
        return list(lines), []
    words = words_of(text)
    places: dict[int, list[Line]] = {}
    for named in products_named(text, [line.product for line in lines]):
        noun = words[min(named.at + (len(stems_of(named.name)) if named.surely == 3 else 1), len(words)) - 1]
        plural = noun.raw.lower().endswith("s") and not named.name.lower().endswith("s")
        if not named.stays and (not plural or _ONE_OF.search(text)):
            places.setdefault(named.at, []).extend(line for line in lines if line.product == named.name)
    for same in places.values():
        ids = {line.item_id for line in same}
        if len(same) < 2:
            continue
        chosen = same[:1] if len(ids) == 1 else by_options(without_staying(text), same)
        sure = [line for line in lines if line not in same]
        if chosen:
            return [*sure, *chosen], []
        return sure, same
    return list(lines), []


def by_options(text: str, lines: Sequence[Line]) -> list[Line]:
    """Return those of several things that a text tells by their options, none where it tells none of them apart."""
    told = [m for m in mentions(text, [line.options for line in lines]) if not m.negative]
    fitting = [line for line in lines if told and all(line.options.get(m.key) == m.value for m in told)]
    if 0 < len(fitting) < len(lines):
        return fitting
    # "The leather band on my silver watch, for one in silicone": of the old and the new, more is told of the old.
    score = [sum(line.options.get(m.key) == m.value for m in told) for line in lines]
    if score and max(score) > 1 and score.count(max(score)) == 1:
        return [lines[score.index(max(score))]]
    return _by_size(text, lines)


def _by_size(text: str, lines: Sequence[Line]) -> list[Line]:
    """Return the thing that a text calls the big or the small one, where a measure tells like things apart."""
    big, small = _BIG.search(text), _SMALL.search(text)
    if bool(big) is bool(small):
        return []
    for product in dict.fromkeys(line.product for line in lines):
        like = [line for line in lines if line.product == product]
        for key in like[0].options:
            sizes = [re.match(r"\d+(?:\.\d+)?", line.options.get(key, "")) for line in like]
            values = [float(size[0]) for size in sizes if size]
            if len(values) == len(like) and len(set(values)) > 1:
                meant = max(values) if big else min(values)
                return [line for line, value in zip(like, values, strict=True) if value == meant]
    return []


def _names(orders: Sequence[OwnOrder]) -> list[str]:
    return [line.product for order in orders for line in order.lines]


def _by_options(text: str, found: list[tuple[OwnOrder, Line]]) -> list[tuple[OwnOrder, Line]]:
    """Keep of each product's things those whose options are told, if that leaves any."""
    kept: list[tuple[OwnOrder, Line]] = []
    for product in dict.fromkeys(line.product for _, line in found):
        own = [(order, line) for order, line in found if line.product == product]
        told = mentions(without_staying(text), [line.options for _, line in own]) if len(own) > 1 else []
        fitting = [
            (order, line)
            for order, line in own
            if all((line.options.get(m.key) == m.value) is not m.negative for m in told)
        ]
        kept += fitting or own
    return kept


def among(text: str, orders: Sequence[OwnOrder]) -> list[OwnOrder]:
    """Return those of several orders that an answer to "which one?" names: by options, state, place or sum."""
    pairs = [(order, line) for order in orders for line in order.lines]
    named = lines_named(text, orders)
    if named:
        found = list({order.order_id: order for order, _ in named}.values())
        if len(found) < len(orders):
            return found
    fitting = []
    for order in orders:
        options = [line.options for line in order.lines]
        told = mentions(without_staying(text), [line.options for _, line in pairs])
        if told and any(all(o.get(m.key) == m.value for m in told) for o in options):
            fitting.append(order)
    if 0 < len(fitting) < len(orders):
        return fitting
    by_state = in_state(text, orders)
    if 0 < len(by_state) < len(orders):
        return by_state
    sums = re.findall(r"\d+(?:[.,]\d{2})?", text)
    by_sum = [o for o in orders if any(_is_sum(one, o.total) for one in sums)]
    if len(by_sum) == 1:
        return by_sum
    stems = {word.raw.lower() for word in words_of(text)}
    for word, place in _ORDINALS.items():
        if word in stems and len(stems) <= 6 and place < len(orders):
            return [orders[place]]
    return list(orders)


def _is_sum(said: str, cents: int) -> bool:
    number = said.replace(",", ".")
    return number == f"{cents / 100:.2f}" or number == str(cents // 100)


def in_state(text: str, orders: Sequence[OwnOrder]) -> list[OwnOrder]:
    """Return the orders in the state that a text tells of: arrived or still coming; all if it tells of none."""
    coming = _COMING.search(text)
    came = _CAME.search(_COMING.sub(" ", text))
    if coming and not came:
        return [order for order in orders if order.status in OPEN_STATES]
    if came:
        return [order for order in orders if order.is_delivered]
    return list(orders)
