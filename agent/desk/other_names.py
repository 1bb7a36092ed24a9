"""Products called by another name: "the hoover" for a vacuum cleaner, "the speaker" for the Bluetooth Speaker.

A word that names no product as the shop spells it is put into the shop's words: by the last word of one product
alone, by a list of common names, and, where a text names nothing at all, by the likeness of the embeddings.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from storewise.agent.desk.naming import GENERIC
from storewise.agent.desk.things import Things
from storewise.agent.desk.words import same_word, stems_of
from storewise.tools.desk.addresses import find_address
from storewise.tools.reviews.embedding import encode

# What people call a thing, by the name that shops give it.
_COMMON = {
    "backpack": "rucksack, knapsack, daypack, schoolbag, bookbag, haversack, bag",
    "luggage": "suitcase, trolley case, baggage, bag",
    "handbag": "purse, bag",
    "vacuum cleaner": "hoover, vac, vacuum",
    "sunglasses": "sunnies, shades",
    "t-shirt": "tee, tshirt, tee shirt, shirt",
    "sweater": "jumper, pullover, jersey",
    "trousers": "pants, slacks",
    "sneakers": "shoes, trainers, kicks, plimsolls, runners, tennis shoes, gym shoes, sports shoes",
    "running shoes": "shoes, trainers, joggers, runners, tennis shoes, gym shoes, sports shoes",
    "boots": "shoes",
    "pet bed": "dog bed, cat bed, dog basket",
    "headphones": "headset, earphones",
    "earbuds": "buds, ear buds, earphones, earpieces",
    "smartphone": "mobile phone, cell phone, handset, phone",
    "television": "tv, telly",
    "laptop": "computer, macbook",
    "tablet": "ipad",
    "e-reader": "kindle, ebook reader, reader",
    "bicycle": "bike, push bike, pushbike, cycle",
    "cycling helmet": "bike helmet, cycle helmet, bicycle helmet",
    "grill": "barbecue, bbq, barbie",
    "portable charger": "power bank, powerbank, battery pack",
    "water bottle": "flask, canteen, drinking bottle",
    "patio umbrella": "parasol, sunshade",
    "garden hose": "hosepipe",
    "jigsaw puzzle": "jigsaw",
    "notebook": "notepad, jotter",
    "bookshelf": "bookcase, shelves, shelving",
    "makeup": "make-up, make up, cosmetics",
    "perfume": "scent, fragrance, cologne, eau de toilette, eau de parfum",
    "security camera": "surveillance camera, cctv, indoor cam, security cam",
    "dumbbell": "weights, hand weights",
    "office chair": "desk chair, swivel chair",
    "desk lamp": "table lamp, reading lamp",
    "light bulb": "lightbulb",
    "yoga mat": "exercise mat, gym mat",
    "coffee maker": "coffee machine, coffee thing, percolator",
    "espresso machine": "coffee machine, coffee thing",
    "sofa": "couch, settee",
    "flashlight": "torch",
    "comforter": "duvet, quilt",
    "diapers": "nappies",
    "hair dryer": "hairdryer, blow dryer",
    "refrigerator": "fridge",
}
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_OWNS = re.compile(r"['’]s$")
# By likeness a phrase is a product of the customer's own, or else of the shop, from here on.
OWN, ANY, AHEAD = 0.6, 0.65, 0.05
MOST_PHRASES = 60
_OF_THINGS = ("nothing", "order", "which", "items", "product", "offer")
_DULL = frozenset(
    "the and for with that this have has had was were are you your yours not from they them then than there here "
    "what when where which who how why can could would should will shall may might must about into onto over under "
    "again also just only very much more most some any all both each other another same back down well good great "
    "please thanks thank hello dear order orders ordered item items thing things shop store parcel package delivery "
    "delivered refund return exchange cancel change swap address account payment card paypal gift money price size "
    "color colour black white blue green silver small large medium house home office street city state morning "
    "evening today tomorrow yesterday week month year time day name husband wife daughter mother father brother "
    "sister friend grandson work like want need love know think sure okay been being does done doing make made give "
    "take took send sent come came goes going gone said says tell told look looking find found keep kept still never "
    "always really first second third last next number kind regards sincerely pack book set kit thing".split()
)


def plainly(text: str, asked: str, things: Things) -> str:
    """Return a text in which things called by another name are called as the shop does.

    What the customer has ordered comes before what else the shop sells; words within an address stay. An answer
    to what was `asked` is read for likeness only where it may be a thing.
    """
    own = tuple(dict.fromkeys(line.product for order in things.orders for line in order.lines))
    wares = tuple(dict.fromkeys((*own, *(ware.name for ware in things.wares))))
    address = find_address(text)
    spans = [
        found
        for found in _WORD.finditer(text)
        if address is None or not address.start <= found.start() < address.end
    ]
    put: dict[int, tuple[int, str]] = {}
    known = _known(spans, wares)
    named = bool(known)
    # "a hoover without bags": a word of a named product's options is no other product
    told = _told_options(text, things)
    known |= {at for at, found in enumerate(spans) if set(stems_of(found[0])) & told}
    for names in (own, wares) if not named else (own,):
        for at in range(len(spans)):
            for size in (2, 1):
                places = range(at, at + size)
                if at + size > len(spans) or any(place in known for place in places):
                    continue
                name = _called([found[0] for found in spans[at : at + size]], names, wares)
                if name is not None:
                    put[at] = (size, name)
                    known |= set(places)
                    break
    if not named and not put and asked in _OF_THINGS:
        put = _by_likeness(spans, own, wares)
    for at, (size, name) in sorted(put.items(), reverse=True):
        last = spans[at + size - 1]
        owns = _OWNS.search(last[0])  # "the puzzle's fine"
        text = text[: spans[at].start()] + name + (owns[0] if owns else "") + text[last.end() :]
    return text


def _told_options(text: str, things: Things) -> set[str]:
    """Return the stems of the options of the products that a text names by another name or their own."""
    said = "".join(f" {stem}" for stem in stems_of(text)) + " "
    stems: set[str] = set()
    for ware in things.wares:
        names = {stems_of(ware.name)[-1:], *(stems_of(other) for other in _others_of(ware.name))}
        if any(f" {' '.join(name)} " in said for name in names):
            stems |= {s for kind in ware.kinds for value in kind.options.values() for s in stems_of(value)}
    return {stem for stem in stems if not any(stem in stems_of(ware.name) for ware in things.wares)}


@lru_cache(maxsize=500)
def _others_of(name: str) -> tuple[str, ...]:
    """Return what a product is called besides."""
    stems = set(stems_of(name))
    return tuple(
        other
        for kind, others in _COMMON.items()
        if set(stems_of(kind)) <= stems
        for other in others.split(", ")
    )


def _known(spans: Sequence[re.Match[str]], names: Sequence[str]) -> set[int]:
    """Return the places of the words that name products by their full names, or end the names of several."""
    stems = [stems_of(found[0]) for found in spans]
    said = [parts[0] if len(parts) == 1 else "".join(parts) for parts in stems]
    known: set[int] = set()
    stems_known = frozenset(part for name in names for part in stems_of(name))
    ends: dict[str, int] = {}
    for name in names:
        parts = stems_of(name)
        ends[parts[-1]] = ends.get(parts[-1], 0) + 1
        for at in range(len(said) - len(parts) + 1):
            if all(same_word(word, part, stems_known) for word, part in zip(said[at:], parts, strict=False)):
                known |= set(range(at, at + len(parts)))
        joined = "".join(parts)
        known |= {at for at, word in enumerate(said) if len(parts) > 1 and word == joined}
    known |= {at for at, word in enumerate(said) if ends.get(word, 0) > 1 and word not in GENERIC}
    return known


def _called(words: Sequence[str], names: Sequence[str], wares: Sequence[str]) -> str | None:
    """Return the one product that is called so, None if none is or several are."""
    said = "".join(stems_of(" ".join(words)))
    if len(words) == 1 and said not in GENERIC:
        ends = [name for name in wares if stems_of(name)[-1] == said]
        if len(ends) == 1 and ends[0] in names:
            return ends[0]
    meant = {name for name in names for kind in _kinds().get(said, ()) if set(kind) <= set(stems_of(name))}
    return meant.pop() if len(meant) == 1 else None


@lru_cache(maxsize=1)
def _kinds() -> dict[str, tuple[tuple[str, ...], ...]]:
    """Return by another name, as one word of stems, the kinds of things that are called so."""
    kinds: dict[str, tuple[tuple[str, ...], ...]] = {}
    for kind, others in _COMMON.items():
        for other in others.split(", "):
            said = "".join(stems_of(other))
            kinds[said] = (*kinds.get(said, ()), stems_of(kind))
    return kinds


def _by_likeness(
    spans: Sequence[re.Match[str]], own: Sequence[str], wares: Sequence[str]
) -> dict[int, tuple[int, str]]:
    """Return the place and the product of the phrase that is most like one, if any is like enough."""
    parts = {stem for name in wares for stem in stems_of(name)}
    dull = [
        len(found[0]) < 4 or found[0].lower() in _DULL or bool(set(stems_of(found[0])) & parts)
        for found in spans
    ]
    phrases = [
        (at, size)
        for size in (2, 1)
        for at in range(len(spans) - size + 1)
        if not dull[at + size - 1] or (size == 2 and not dull[at] and spans[at + 1][0].lower() not in _DULL)
    ][:MOST_PHRASES]
    if not phrases:
        return {}
    said = encode([" ".join(f[0].lower() for f in spans[at : at + size]) for at, size in phrases])
    for names, least in ((own, OWN), (wares, ANY)):
        if not names:
            continue
        alike_to = said @ _vectors(tuple(names)).T
        best = np.unravel_index(int(alike_to.argmax()), alike_to.shape)
        row = np.sort(alike_to[best[0]])
        if row[-1] >= least and (len(row) == 1 or row[-1] - row[-2] >= AHEAD):
            at, size = phrases[int(best[0])]
            return {at: (size, names[int(best[1])])}
    return {}


@lru_cache(maxsize=200)
def _vectors(names: tuple[str, ...]) -> np.ndarray:
    return encode([name.lower() for name in names])
