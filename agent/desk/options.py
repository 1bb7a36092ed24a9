"""Which variant is meant: options of a product as people name them, and the variants that have them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from storewise.agent.desk.option_names import shop_words
from storewise.agent.desk.things import Kind
from storewise.agent.desk.words import Word, alike, stems_of, words_of
from storewise.tools.stems import stemmed

_NOT = frozenset("no not non without isn't don't doesn't never".split())
_NO_NEED = _NOT | {"needn't", "neednt"}
_NO_FIRST = re.compile(
    r"(?:^\W*|(?<=[.,!?;]\s))(?:no|nope|nah)\b\s*[,.!;-]+\s*", re.I
)  # "no, black" wants black
_SIZES = {"small": "S", "medium": "M", "large": "L"}
_LETTER_SIZES = frozenset("XS S M L XL XXL XXXL".split())
# After these words the thing is told that is to go.
_INSTEAD = ("instead of", "rather than", "in place of", "and not", "but not", "not the", "not a")
_ALL_SAME = re.compile(
    r"\b(?:(?:everything|all) else|the rest|otherwise)(?: (?:should )?(?:is|be|stays?|as|the))* same\b|"
    r"\bsame otherwise\b|\bkeep (?:the rest|everything else)\b|\bsame (?:specs|options|model|everything)\b",
    re.I,
)
_OTHER = frozenset("anoth differ other chang".split())
_ANY = frozenset("ani whatev whichev which what".split())
_INTO = frozenset("for to into by".split())
_NOTHING = frozenset("none no not".split())
# Words that say nothing alone of which option is meant.
_EMPTY = frozenset("the a an and or of with in on for type size set equival".split())


@dataclass(frozen=True)
class Mention:
    """A value of an option that a text names: its first word's place, how many it takes, whether the key is near."""

    key: str
    value: str
    at: int
    negative: bool = False
    length: int = 1
    near: bool = False


@dataclass
class Wanted:
    """What a text says of the variant that is wanted.

    Attributes:
        values: by option, the values that fit.
        not_values: by option, values that do not.
        same: options that are to stay as they are.
        other: options that are to be another than now.
        free: options of which any will do.
        cheapest: whether the cheapest (True) or the dearest (False) is asked for.
    """

    values: dict[str, set[str]] = field(default_factory=dict)
    not_values: dict[str, set[str]] = field(default_factory=dict)
    same: set[str] = field(default_factory=set)
    other: set[str] = field(default_factory=set)
    free: set[str] = field(default_factory=set)
    cheapest: bool | None = None

    def __bool__(self) -> bool:
        return bool(self.values or self.not_values or self.other or self.cheapest is not None)

    def fits(self, options: Mapping[str, str], old: Mapping[str, str] | None = None) -> bool:
        """Say whether a variant's options are as wanted."""
        old = old or {}
        return (
            all(options.get(key) in values for key, values in self.values.items())
            and not any(options.get(key) in values for key, values in self.not_values.items())
            and all(
                options.get(key) == old[key] for key in self.same if key in old and key not in self.values
            )
            and all(options.get(key) != old[key] for key in self.other if key in old)
        )

    def differs(self, options: Mapping[str, str]) -> bool:
        """Say whether a value is wanted that these options do not have."""
        return any(options.get(key) not in values for key, values in self.values.items())

    def later(self, more: Wanted) -> Wanted:
        """Return this with what was said later in place of what it overrules."""
        return Wanted(
            values={k: v for k, v in self.values.items() if k not in more.free} | more.values,
            not_values={**self.not_values, **more.not_values},
            same=self.same | more.same,
            other=self.other | more.other,
            cheapest=self.cheapest if more.cheapest is None else more.cheapest,
        )


def mentions(text: str, kinds: Sequence[Mapping[str, str]]) -> list[Mention]:
    """Return the options of a product that a text names, in the order of the text.

    Args:
        kinds: the options of all variants of the product.
    """
    values = _values(kinds)
    return _mentions(shop_words(_NO_FIRST.sub("", text), values), values)


def _values(kinds: Sequence[Mapping[str, str]]) -> dict[str, list[str]]:
    """Return by option the values that these variants have."""
    values: dict[str, list[str]] = {}
    for options in kinds:
        for key, value in options.items():
            if value not in values.setdefault(key, []):
                values[key].append(value)
    return values


def _mentions(text: str, values: Mapping[str, Sequence[str]]) -> list[Mention]:
    """Return the options that a text names in the shop's own words."""
    words = words_of(text)
    owners = _owners(values)
    found: list[Mention] = []
    for key, own in values.items():
        key_stems = [stem for stem in stems_of(key) if stem not in _EMPTY]
        near = [i for i, word in enumerate(words) if any(_names_key(word.stem, stem) for stem in key_stems)]
        if set(own) <= {"yes", "no"}:
            found += _yes_or_no(key, key_stems, words)
            continue
        for value in own:
            place = _place(value, own, key_stems, words, near, owners)
            if place is not None:
                at, length = place
                found.append(Mention(key, value, at, _negated(words, at), length, _near(at, near, length)))
        nothing = next((value for value in own if _NOTHING & set(stems_of(value))), None)
        if nothing is not None:
            for at in near:
                if at > 0 and words[at - 1].stem in _NOT:
                    found = [m for m in found if not (m.key == key and m.value != nothing and m.negative)]
                    found.append(Mention(key, nothing, at))
    # "a medium one with high ventilation": what stands by the option's name tells that option.
    told = {mention.key for mention in found if mention.near}
    shared = {m.at for m in found if any(o.at == m.at and o.key != m.key for o in found)}
    shared |= {m.at for m in found if words[m.at].raw.lower() in _SIZES}
    found = [m for m in found if m.near or m.key not in told or m.at not in shared]
    claimed = {m.at for m in found if m.near}
    found = [m for m in found if m.near or m.at not in claimed or m.at not in shared]
    return sorted(_longest(found), key=lambda mention: mention.at)


def wanted(text: str, kinds: Sequence[Mapping[str, str]], old: Mapping[str, str] | None = None) -> Wanted:
    """Return what a text says of the variant that is wanted, apart from what it says of the one there is."""
    values = _values(kinds)
    text = shop_words(_NO_FIRST.sub("", text), values)
    words = words_of(text)
    told = _mentions(text, values)
    stems = [word.stem for word in words]
    result = Wanted()
    gone = _gone(told, stems, old or {})
    for mention in told:
        if mention in gone:
            continue
        side = result.not_values if mention.negative else result.values
        side.setdefault(mention.key, set()).add(mention.value)
    for key, several in result.values.items():
        if len(several) > 1 and old is not None and old.get(key) in several:
            several.discard(old[key])  # "change the black one to red"
    if _ALL_SAME.search(text):
        result.same |= {key for options in kinds for key in options} - result.values.keys()
    for key in {key for options in kinds for key in options}:
        for stem in stems_of(key):
            for at, word in enumerate(stems):
                if at and alike(word, stem):
                    if stems[at - 1] in _ANY:
                        result.values.pop(key, None)
                        result.free.add(key)
                    elif stems[at - 1] == "same":
                        result.same.add(key)
                    elif stems[at - 1] in _OTHER:
                        result.other.add(key)
    if (
        {"cheapest", "least"} & {w.raw.lower() for w in words} and "expens" not in stems
    ) or "cheapest" in stems:
        result.cheapest = True
    elif "dearest" in stems or ("most" in stems and "expens" in stems):
        result.cheapest = False
    return result


def _gone(told: Sequence[Mention], stems: Sequence[str], old: Mapping[str, str]) -> list[Mention]:
    """Return the mentions that tell of the thing that is to go."""
    gone: list[Mention] = []
    for phrase in _INSTEAD:
        parts = phrase.split()
        for at in range(len(stems) - len(parts)):
            if [*stems[at : at + len(parts)]] == [*map(_stem, parts)]:
                last = at + len(parts)
                near = [m for m in told if last <= m.at <= last + 3]
                elsewhere = {m.key for m in told if m not in near}
                gone += [m for m in near if m is near[0] or m.key in elsewhere]
    # "the black one for a red one": what stands before is the old, if both sides name the same option
    # or it tells what the old one is.
    for at, stem in enumerate(stems):
        if stem not in _INTO:
            continue
        before = [m for m in told if m.at < at and m not in gone and not _again(m, stems, at)]
        after = {m.key for m in told if m.at > at and m not in gone}
        gone += [m for m in before if m.key in after or (after and old.get(m.key) == m.value)]
    return gone if len(gone) < len(told) else []


def _again(mention: Mention, stems: Sequence[str], after: int) -> bool:
    """Say whether a value is named once more: "my silver watch for a silver one in leather"."""
    parts = [*stems[mention.at : mention.at + mention.length]]
    places = range(max(after, mention.at) + 1, len(stems) - len(parts) + 1)
    return bool(parts) and any([*stems[at : at + len(parts)]] == parts for at in places)


def _names_key(said: str, key: str) -> bool:
    return (
        alike(said, key)
        or (len(key) > 2 and said.startswith(key) and len(said) - len(key) < 3)
        or (len(said) > 3 and key.startswith(said))  # "vents" for ventilation
    )


def _stem(word: str) -> str:
    return words_of(word)[0].stem


def _owners(values: Mapping[str, Sequence[str]]) -> dict[str, set[tuple[str, str]]]:
    """Return, for each word, the options and values that have it."""
    owners: dict[str, set[tuple[str, str]]] = {}
    for key, own in values.items():
        for value in own:
            for stem in stems_of(value):
                owners.setdefault(stem, set()).add((key, value))
    return owners


def _place(
    value: str,
    own: Sequence[str],
    key_stems: Sequence[str],
    words: Sequence[Word],
    near: Sequence[int],
    owners: Mapping[str, set[tuple[str, str]]],
) -> tuple[int, int] | None:
    """Return where a text names a value of an option and in how many words, None where it does not."""
    if value in _LETTER_SIZES:
        size = _letter_size(value, words, near)
        return None if size is None else (size, 1)
    parts = _telling(value)
    alone = not any(other != value and _telling(other) == parts for other in own)
    if not parts or not alone or all(stem in key_stems for stem in parts):
        parts = list(stems_of(value))  # "Brand A", "in-ear" beside "on-ear"
    if not parts:
        return None
    for at in range(len(words)):
        if _run(parts, words, at) and (_alone(parts, owners) or _near(at, near, len(parts))):
            return at, len(parts)
    if len(parts) > 1:
        # One word may do, if no other value has it: "the grinder one".
        for at, word in enumerate(words):
            for part in parts:
                if len(owners[part]) > 1 or len(part) < 3 or part.isdigit() or part in _NOT:
                    continue
                if alike(word.stem, part):
                    if not any(_names_key(part, stem) for stem in key_stems):
                        return at, 1
    number = _bare_number(parts, key_stems, words, owners)
    return None if number is None else (number, 1)


def _telling(value: str) -> list[str]:
    return [stem for stem in stems_of(value) if stem not in _EMPTY]


def _run(parts: Sequence[str], words: Sequence[Word], at: int) -> bool:
    return len(words) - at >= len(parts) and all(
        alike(words[at + i].stem, part) for i, part in enumerate(parts)
    )


def _alone(parts: Sequence[str], owners: Mapping[str, set[tuple[str, str]]]) -> bool:
    """Say whether these words are of one option alone."""
    keys = [{key for key, _ in owners[part]} for part in parts]
    return len(set.intersection(*keys)) == 1


def _near(at: int, near: Sequence[int], length: int) -> bool:
    return any(-3 <= at - place <= 2 or 0 < place - (at + length - 1) <= 2 for place in near)


def _letter_size(value: str, words: Sequence[Word], near: Sequence[int]) -> int | None:
    for at, word in enumerate(words):
        if word.raw == value and value != "S":
            return at
        if word.raw.upper() == value and (word.raw == "S" or _near(at, near, 1) or _after_in(words, at)):
            if at == 0 or not words[at - 1].raw.endswith("'"):
                return at
        if _SIZES.get(word.raw.lower()) == value:
            extra = at > 0 and words[at - 1].stem == "extra"
            if not extra:
                return at
        if (
            value in ("XL", "XS")
            and at
            and words[at - 1].stem == "extra"
            and word.raw.lower() in ("large", "small")
        ):
            if ("L" in value) == (word.raw.lower() == "large"):
                return at
    return None


def _after_in(words: Sequence[Word], at: int) -> bool:
    return at > 0 and words[at - 1].stem in ("in", "an", "a", "size")


def _bare_number(
    parts: Sequence[str],
    key_stems: Sequence[str],
    words: Sequence[Word],
    owners: Mapping[str, set[tuple[str, str]]],
) -> int | None:
    """Return where a number stands without its unit, or with one that the value lacks ("500 pieces")."""
    if len(parts) != 1:
        return None
    digits = "".join(c for c in parts[0] if c.isdigit() or c == ".")
    if not digits:
        return None
    unit = parts[0].removeprefix(digits)
    same = [p for p in owners if p.startswith(digits) and not p.removeprefix(digits)[:1].isdigit()]
    for at, word in enumerate(words):
        if not unit and word.stem.startswith(digits) and stemmed(word.stem.removeprefix(digits)) in key_stems:
            return at
        if not unit and word.stem == digits and at and words[at - 1].raw.lower() in ("a", "an", "actually"):
            return at
        if unit and word.stem == digits and len(same) == 1 and len(owners[parts[0]]) == 1:
            if at and words[at - 1].stem in (
                "the",
                "a",
                "an",
                "to",
                "with",
                "it",
                "is",
                "just",
                "onli",
                "so",
            ):
                return at
    return None


def _yes_or_no(key: str, key_stems: Sequence[str], words: Sequence[Word]) -> list[Mention]:
    for at in range(len(words)):
        if _run(key_stems, words, at) or (len(key_stems) == 2 and _resists(key_stems, words, at)):
            no = any(words[i].stem in _NO_NEED for i in range(max(0, at - 2), at))
            return [Mention(key, "no" if no else "yes", at)]
    return []


def _resists(key_stems: Sequence[str], words: Sequence[Word], at: int) -> bool:
    """Say whether "waterproof" or "water resistant" stands where the option is called "water resistance"."""
    return words[at].stem == f"{key_stems[0]}proof" or (
        at + 1 < len(words) and words[at].stem == key_stems[0] and words[at + 1].stem[:5] == key_stems[1][:5]
    )


def _negated(words: Sequence[Word], at: int) -> bool:
    return any(words[i].stem in _NOT for i in range(max(0, at - 2), at))


def _longest(found: Sequence[Mention]) -> list[Mention]:
    """Drop a mention whose words are part of a longer one at the same place ("high" in "high-back")."""
    kept = []
    for mention in found:
        longer = any(
            other.at <= mention.at < other.at + other.length and other.length > mention.length
            for other in found
        )
        if not longer:
            kept.append(mention)
    return kept


def pick(
    kinds: Sequence[Kind], wish: Wanted, old: Mapping[str, str] | None, old_id: str | None
) -> list[Kind]:
    """Return the variants that may be meant, best first; one alone if it is clear.

    Of several that fit, those in stock go first, then those that are otherwise like the old one.
    """
    fitting = [kind for kind in kinds if wish.fits(kind.options, old)]
    others = [kind for kind in fitting if kind.item_id != old_id]
    fitting = others or fitting
    if wish.cheapest is not None and fitting:
        there = [kind for kind in fitting if kind.available] or fitting
        best = (min if wish.cheapest else max)(kind.price for kind in there)
        return [kind for kind in there if kind.price == best]
    if len(fitting) < 2:
        return fitting
    there = [kind for kind in fitting if kind.available]
    if len(there) < 2 or old is None:
        return there or fitting

    def kept(kind: Kind) -> int:
        return sum(kind.options.get(key) == value for key, value in old.items())

    most = max(kept(kind) for kind in there)
    closest = [kind for kind in there if kept(kind) == most]
    return closest if len(closest) == 1 and wish.values else there
