"""The parts of an address that a customer puts right: a number, a street's name, its kind, a city, a state."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from rapidfuzz import fuzz

from storewise.tools.desk.addresses import STATES, STREETS, Pieces

_FINE = re.compile(
    r"(?<!not )(?<!n't )\b(?:same|ok|okay|fine|good|stays?|unchanged|remains?|keep|leave|"
    r"(?:is|are|was|were|all|still|be) (?:all |still |both )?(?:right|correct)|how (?:it|they)|as (?:it|they))\b",
    re.I,
)
# Words of a text that puts something right.
_SLIP = re.compile(
    r"\b(?:wrong(?:ly)?|typo\w*|slip\w*|mistake\w*|error|incorrect\w*|mis-?spel\w*|spel(?:led|t|ling)|mistyp\w*|mis-?typed|"
    r"should|ought|must|has to (?:be|say|read)|needs to (?:be|say|read)|forgot\w*|missing|left (?:out|off)|says|shows|"
    r"swapped|mixed up|transposed|correct(?:ed|ion)?|fix|off by|instead of|rather than|not)\b",
    re.I,
)
# Of these a city of another name is put right, and no new address is begun: "not Denver" does not say so.
_PART_IS_WRONG = re.compile(
    r"\b(?:city|town|state|street(?: name)?|road)\b(?: \w+){0,2} (?:is|are|should|must|ought|has to)\b|"
    r"\bwrong (?:city|town|state|street)\b|\b(?:says|typed|put|typo|mis-?spel\w*|spel(?:led|t))\b",
    re.I,
)
_SECOND = r"apartments?|appartment|apts?|suite|ste|unit|flat"
_SLOT = re.compile(
    rf"\b(?:(?P<second>{_SECOND})|(?P<zip>zip(?: ?code)?|post ?code|postal(?: code)?)|"
    r"(?P<house>(?:house|street|building|door) (?:number|no|nr)|house|next door)|(?P<number>number|nr|no))\b",
    re.I,
)
_NUMBER = re.compile(
    r"(?<![\w$€£#.,:/-])#?[ ]?(?P<value>[A-Za-z]?-?\d{1,6}(?:-\d{4}(?!\d))?[A-Za-z]?)(?![\w%]|[.,:/-]\d)"
)
_LETTER = re.compile(
    rf"\b(?P<label>{_SECOND})\s+(?:(?:is|be|letter|number)\s+)*(?P<value>(?-i:[A-HJ-Z]))\b(?!['’])", re.I
)
_SLOT_WORDS = rf"(?:(?:at|in|the|my|an?|{_SECOND}|house|street|zip|code|postcode|number|no|nr|\#)\s*)*"
_NEGATED = re.compile(
    rf"(?:\b(?:not|instead of|rather than|no longer|never|from|than)|n['’]t)\s+{_SLOT_WORDS}$", re.I
)
# What the customer had written, as a rule not what is right.
_WROTE = re.compile(
    rf"\b(?:says|said|shows|put|typed|entered|wrote|gave|listed|reads|was|have|has|had)\s+{_SLOT_WORDS}$",
    re.I,
)
# Numbers that belong to something else: an order, a card, a year.
_OTHER_NUMBER = re.compile(
    r"\b(?:(?:orders?|parcel|package|tracking|item|phone|card|invoice|ending)(?:\s+(?:number|no|id|nr|in|is))*|"
    r"since|until|till|by|during|before|after|for|about|around|another|these|those|floor|up to)[\s:#]*$",
    re.I,
)
# What may follow a number that is no count of something.
_ENDS = re.compile(
    r"\s*(?:$|[,.;:!?()\"'\n]|->|→|[-–—]\s|(?:not|and|instead|rather|please|now|is|it|i|we|the|of course|thanks?|but|"
    r"in|on|at|as|then|pls|plz|would|was|btw|actually|sorry|here|there|to|should|must|from|for|if)\b)",
    re.I,
)
_SLOT_AFTER = re.compile(
    rf"\s*(?:is|'s|being|as|for|=)?\s*(?:the|my|our)?\s*(?:right|correct|new|actual)?\s*(?:{_SLOT.pattern})",
    re.I,
)
_NO_SECOND = re.compile(
    rf"\b(?:there(?:'s| is) no|no|without(?: an?)?|not an?|(?:remove|drop|delete|take (?:out|off|away)|lose) the) "
    rf"(?:{_SECOND})\b(?! (?:number )?(?:on|in|told|listed|given|is on))|"
    rf"\btake the (?:{_SECOND})(?: number)? (?:off|out|away)\b",
    re.I,
)
_NEW = r"(?P<new>(?:\d+\s+)?[^\W\d_][\w'’.-]*(?:\s+[^\W\d_][\w'’-]*){0,3}?)"
_NEW_ENDS = r"(?=\s*(?:[,.;!?\n]|$|\b(?:not|instead|please|and|in|the|now|as|with|thanks|rather|on)\b))"
_OUGHT = (
    r"(?:should|must|ought to|has to|needs to|is (?:meant|supposed) to)\s+(?:actually\s+)?"
    r"(?:be|have been|say|read)"
)
_LEADS = re.compile(
    r"^.*(?:\b(?:is|it['’]?s|be|been|to|say|says|read|called|named|spelled|spelt|was|make it|in|on|the|an?|"
    r"actually)\b|[:,])",
    re.I | re.S,
)
_NO_NAME = frozenset(
    "me us my home place there here mine work office it this that one you i we them him her wrong right correct "
    "same address not no yes please spelled misspelled missing sent going different another new old".split()
)
_SHORT = dict(
    pair.split(":")
    for pair in "street:st avenue:ave av:ave road:rd drive:dr lane:ln boulevard:blvd court:ct place:pl terrace:ter "
    "circle:cir square:sq trail:trl parkway:pkwy highway:hwy".split()
)
_SECOND_LINE = re.compile(r"(?P<label>.*?)[\s#]*(?P<value>[A-Za-z]?-?\d+[A-Za-z]?|\b[A-Za-z])")
_FIRST_LINE = re.compile(r"(?P<house>\d+[A-Za-z]?(?:[-/]\d+)?)\s+(?P<street>.+)")


@dataclass(frozen=True)
class Stands:
    """An address that stands, taken apart: the house's number, the street's name and kind, the second line's number."""

    pieces: Pieces
    house: str
    name: str
    kind: str
    label: str
    second: str

    @classmethod
    def of(cls, pieces: Pieces) -> Stands:
        first = _FIRST_LINE.fullmatch(pieces.address1 or "")
        words = (first["street"] if first else pieces.address1 or "").split()
        kind = words.pop() if len(words) > 1 and kind_of(words[-1]) else ""
        second = _SECOND_LINE.fullmatch(pieces.address2 or "")
        return cls(
            pieces,
            first["house"].upper() if first else "",
            " ".join(words),
            kind,
            second["label"].strip() if second else "",
            second["value"].upper() if second else "",
        )

    def number(self, slot: str) -> str:
        return {"house": self.house, "second": self.second, "zip": self.pieces.zip or ""}[slot]


@dataclass(frozen=True)
class Fix:
    """The parts that a text puts right, `sure` if it says that they were wrong; which it speaks of, called how."""

    pieces: Pieces
    sure: bool
    focus: str | None
    label: str


def without_denied(text: str) -> str:
    """Return a text with the numbers that it denies left blank: "47, not 74"."""
    return _NUMBER.sub(
        lambda found: " " * len(found[0]) if _NEGATED.search(text[: found.start()]) else found[0], text
    )


def put_right(text: str, base: Pieces, olds: tuple[Pieces, ...], focus: str | None, label: str) -> Fix:
    """Return the parts of an address that a text puts right.

    Args:
        text: the words, without the ids of the customer's orders and items.
        base: the address as it stands; with `olds`, as it stood before other parts were put right.
        focus, label: the part that earlier words spoke of, and what they called the second line.
    """
    text = re.sub(r"\b(apt|ste|no|nr)\.", r"\1 ", text, flags=re.I)
    stands = [Stands.of(one) for one in (base, *olds)]
    spoken = [
        found
        for clause in re.split(r"[.;!?,\n]|\bbut\b", text)
        if not _FINE.search(clause)
        for found in _SLOT.finditer(clause)
    ]
    slots = {found.lastgroup or "" for found in spoken} - {"number"}
    label = next((found["second"] for found in reversed(spoken) if found["second"]), label)
    numbers = _numbers(text, stands, slots, focus)
    parts = _of_words(text, stands[0])
    if base.address1 and "house" in numbers:
        street = parts.address1 or base.address1
        parts = replace(parts, address1=f"{numbers['house'][0]} {_after_number(street)}")
    if "zip" in numbers:
        parts = replace(parts, zip=numbers["zip"][0])
    if "second" in numbers:
        value, said = numbers["second"]
        parts = replace(parts, address2=_second_line(value, said, stands[0].label, label))
    elif _NO_SECOND.search(text) and base.address2 and not numbers:
        parts = replace(parts, address2="")
    changed = [slot for slot in ("second", "house", "zip") if slot in numbers]
    focus = changed[0] if changed else slots.copy().pop() if len(slots) == 1 else focus
    return Fix(parts, _SLIP.search(text) is not None or _FINE.search(text) is not None, focus, label)


def _second_line(value: str, said: str, stands: str, earlier: str) -> str:
    """Return a second line: called as it was beside the number, else as the one that stands."""
    name = said or stands or earlier or "Apt"
    name = re.sub(r"(?i)s$", "", name) if name.casefold() in ("apartments", "apts") else name
    return f"{stands if name.casefold() == stands.casefold() else name[0].upper() + name[1:]} {value}"


def _numbers(
    text: str, stands: list[Stands], slots: set[str], focus: str | None
) -> dict[str, tuple[str, str]]:
    """Return the numbers that are put right, by their part, each with what it was called."""
    seen = [(found, *_called(text, found, stands[0])) for found in _NUMBER.finditer(text)]
    seen += [(found, "second", found["label"]) for found in _LETTER.finditer(text)]
    seen.sort(key=lambda one: one[0].start("value"))
    open_ones = []
    old: dict[str, int] = {}
    for found, slot, said in seen:
        value, before = found["value"].upper(), text[: found.start()]
        parts = [slot] if slot in ("house", "second", "zip") else ["house", "second", "zip"]
        was = [part for part in parts if value in {one.number(part) for one in stands}]
        if was:
            old[was[0]] = found.start()
        elif not _NEGATED.search(before) and not _OTHER_NUMBER.search(before):
            open_ones.append((found, slot, said))
        elif slot in ("house", "second", "zip"):
            old[slot] = found.start()
    right: dict[str, tuple[str, str]] = {}
    weak: set[str] = set()
    for found, slot, said in open_ones:
        value = found["value"].upper()
        part = slot if slot in ("house", "second", "zip") else None
        if part is None and _ENDS.match(text, found.end()):
            part = _part_of(value, slot, old, slots, focus, stands[0])
        if part is None or not _could_be(value, part):
            continue
        wrote = _WROTE.search(text[: found.start()]) is not None
        if part not in right or part in weak or not wrote:
            right[part] = (value, said)
            weak = weak | {part} if wrote else weak - {part}
    return right


def _part_of(
    value: str, called: str, old: dict[str, int], slots: set[str], focus: str | None, stands: Stands
) -> str | None:
    """Return the part that a number is meant for, that has no name beside it."""
    if re.fullmatch(r"\d{5}", value) and len(stands.house) < 5:
        return "zip"
    alike = {part for part in ("house", "second", "zip") if _digits_alike(value, stands.number(part))}
    for parts in (
        set(old),
        slots,
        {focus} if focus else set(),
        {"house"} if called == "number" else set(),
        alike,
    ):
        fitting = {part for part in parts if part and _could_be(value, part)}
        if re.fullmatch(r"\d{5}", value) and "zip" in fitting:
            return "zip"
        if len(fitting) > 1 and len(fitting & alike) == 1:
            fitting &= alike
        if len(fitting) == 1:
            return fitting.pop()
    return None


def _could_be(value: str, part: str) -> bool:
    if part == "zip":
        return re.fullmatch(r"\d{5}(?:-\d{4})?", value) is not None
    most = 4 if part == "second" else 6  # digits: five are a postal code
    return re.fullmatch(rf"[A-Z]?-?\d{{0,{most}}}[A-Z]?", value) is not None and value[:1] != "-"


def _digits_alike(value: str, stands: str) -> bool:
    """Say whether a number is another with its digits swapped, or with one digit wrong."""
    if len(value) < 2 or len(value) != len(stands):
        return False
    return sorted(value) == sorted(stands) or (
        len(value) > 2 and sum(one != other for one, other in zip(value, stands, strict=True)) == 1
    )


def _called(text: str, found: re.Match[str], stands: Stands) -> tuple[str, str]:
    """Return which part of an address a number is called by the words beside it, and by which word."""
    before = re.split(r"[.;!?\n]", text[: found.start()])[-1]
    after = text[found.end() :]
    if stands.name:
        street = rf"{re.escape(stands.name)}(?:\s+{re.escape(stands.kind)})?"
        if re.match(rf"\s+{street}\b", after, re.I) or re.search(rf"\b{street}\s+$", before, re.I):
            return "house", ""
    behind = _SLOT_AFTER.match(after)
    last = next(reversed(list(_SLOT.finditer(before))), None)
    if last is not None:
        between = before[last.end() :]
        # "no" is a number's name only beside it.
        apart = last[0].casefold() in ("no", "nr") and between.strip(" #:")
        if apart or re.search(r"\d", between) or len(between) > 45 or _FINE.search(between):
            last = None
    if last is not None and last["number"] and (named := _SLOT.search(before[max(0, last.start() - 12) :])):
        last = named
    best = last if last is not None and last.lastgroup != "number" else behind or last
    if best is None:
        return "", ""
    part = next(name for name in ("second", "zip", "house", "number") if best[name])
    return part, best[part] if part == "second" else ""


def _of_words(text: str, stands: Stands) -> Pieces:
    """Return the names that are put right: the street's, its kind, the city, the state."""
    parts: dict[str, str] = {}
    base = stands.pieces
    kinds = [name for name in STREETS if kind_of(name) == kind_of(stands.kind)] if stands.kind else []
    streets = [f"{stands.name} {kind}" for kind in kinds] if stands.name else []
    olds = [*((one, "street") for one in streets), *((one, "kind") for one in kinds)]
    olds += [(stands.name, "street"), (base.city or "", "city")]
    olds += [(one, "state") for one in (base.state or "", state_name(base.state or "")) if one]
    for old, part in olds:
        name = "address1" if part in ("street", "kind") else part
        new = _instead_of(text, old) if old and name not in parts else None
        if new is not None and (right := _name_right(new, part, text, stands)) is not None:
            parts[name] = right
    said = re.finditer(
        rf"\b(?P<what>city|town|state|street)(?:['’]s)?(?:\s+name)?\s+{_OUGHT}\s+{_NEW}{_NEW_ENDS}|"
        rf"\bwrong (?P<which>city|town|state)\W+(?:it['’]?s|it is|it should be)\s+"
        rf"{_NEW.replace('new', 'too')}{_NEW_ENDS}",
        text,
        re.I,
    )
    for found in said:
        part = (found["what"] or found["which"]).lower().replace("town", "city")
        right = _name_right(found["new"] or found["too"], part, text, stands)
        if right is not None:
            parts.setdefault("address1" if part == "street" else part, right)
    if _SLIP.search(text):
        for found in re.finditer(
            rf"(?:\b(?:it['’]?s|it is|be|is|to|read|say|spelled|spelt|called)\s+|:\s*)"
            rf"(?:the\s+|an?\s+)?{_NEW}{_NEW_ENDS}",
            text,
            re.I,
        ):
            for part in ("kind", "city", "street", "state"):
                name = "address1" if part in ("street", "kind") else part
                right = _name_right(
                    found["new"], part, text, stands, alike=part != "state" or "state" in text.lower()
                )
                if right is not None and name not in parts:
                    parts[name] = right
    return Pieces(**parts)


def _instead_of(text: str, old: str) -> str | None:
    """Return the words that are to stand where `old` stands: "X, not OLD", "OLD should be X", "not OLD but X"."""
    was = rf"(?:(?:at|in|on|an?|the)\s+)*(?:\d+\w?\s+)?\b{re.escape(old)}\b"
    for pattern in (
        rf"\b(?:not|isn['’]t)\s+{was}\W+(?:but|it['’]?s|it is|(?:it )?{_OUGHT})\s+{_NEW}{_NEW_ENDS}",
        rf"{was}\W+(?:(?:but|and|when|while|it|that|which|this)\W+)*{_OUGHT}\s+{_NEW}{_NEW_ENDS}",
        rf"\b(?:change|replace|swap|switch|correct|from)\s+{was}\s+(?:to|with|by|into|for)\s+{_NEW}{_NEW_ENDS}",
    ):
        if found := re.search(pattern, text, re.I):
            return found["new"]
    denied = re.search(rf"(?:,\s*)?(?:\band\s+)?\b(?:not|instead of|rather than)\s+{was}", text, re.I)
    if denied is None:
        return None
    before = re.split(r"[.;!?\n]", text[: denied.start()])[-1]
    new = _LEADS.sub("", before).strip()
    return new or None


def _name_right(new: str, part: str, text: str, stands: Stands, alike: bool = False) -> str | None:
    """Return what a part is to be by the words told for it, None if they are no name that could stand there.

    Args:
        alike: nothing else says that the words are meant for this part, so they have to be much like what stands.
    """
    new = re.sub(r"^\d+\w?\s+", "", new.strip())
    words = new.split()
    if not words or len(words) > 4 or _NO_NAME & set(new.casefold().split()):
        return None
    named = new if any(letter.isupper() for letter in new) else new.title()
    if part == "state" and low(new) == low(stands.pieces.city):
        return None  # Washington is both
    if part == "state":
        code = STATES.get(new.casefold(), new.upper() if new.upper() in STATES.values() else None)
        return code if not alike and code != stands.pieces.state else None
    close = _close(new, stands.pieces.city or "") if part == "city" else False
    if part == "city":
        may = close if alike else close or _PART_IS_WRONG.search(text) is not None
        return named if may and low(new) != low(stands.pieces.city) else None
    kind = words[-1] if kind_of(words[-1]) else ""
    if kind and len(words) == 1:
        fits = len(words) == 1 and kind and kind_of(kind) != kind_of(stands.kind) and stands.kind
        return f"{stands.house} {stands.name} {named}".strip() if fits and stands.name else None
    name = " ".join(words[:-1] if kind else words)
    close = _close(name, stands.name) or low(name) == low(stands.name)
    if not stands.name or not (close or (not alike and _PART_IS_WRONG.search(text))):
        return None
    if low(name) == low(stands.name) and (not kind or kind_of(kind) == kind_of(stands.kind)):
        return None
    street = named if kind else f"{named} {stands.kind}".strip()
    return f"{stands.house} {street}".strip()


def _close(new: str, stands: str) -> bool:
    return bool(stands) and low(new) != low(stands) and fuzz.ratio(low(new), low(stands)) >= 80


def low(text: str | None) -> str:
    return (text or "").casefold()


def kind_of(word: str) -> str:
    """Return the short form of what a street ends with, '' for another word."""
    word = word.casefold().rstrip(".")
    return _SHORT.get(word, word) if word in STREETS else ""


def plain(street: str) -> str:
    return " ".join(kind_of(word) or word.casefold() for word in street.split())


def _after_number(street: str) -> str:
    found = _FIRST_LINE.fullmatch(street)
    return found["street"] if found else street


def state_name(code: str) -> str:
    return next((name for name, short in STATES.items() if short == code), "")
