"""What a question says, read without a model: ids, numbers, periods, segments and its words.

The grammar that the model decodes under offers nothing else as a value, so a call can only carry what
the person (or the turn before) said; and with no model at hand the likeliest call is filled from it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from rapidfuzz import fuzz

from storewise.tools.horizons import read_horizons
from storewise.tools.models.segments import SEGMENTS
from storewise.tools.numbers import NumberMention, read_numbers
from storewise.tools.shop.dates import Period, read_periods
from storewise.tools.shop.generation import Shop

_WORD = re.compile(r"[^\s\"“”;()\[\]{}<>=]+")
_ID = re.compile(r"(?<![\w.,$€£-])#?([A-Za-z]{0,4}[-_]?\d[\w-]*)(?![\w%])(?![.,]\d)")
_OWNED = re.compile(r"^(\d+)s$", re.I)  # "718s favourites"
_SINGLE = re.compile(r"\b(?:one|single)\b", re.I)
_NOUN = re.compile(
    r"(?:customer|household|shopper|client|buyer|member|account|family|person|id|number|no\.?|nr\.?|#)"
    r"(?: (?:id|number|no\.?))?\s*$",
    re.I,
)
_COUNTED = re.compile(r"(?:top|first|best|worst|biggest|largest|the|show|give me|list|name|which)\s*$", re.I)
_PLURAL = re.compile(r"^\s+(?:\w+\s+){0,3}\w+s\b")
MOST_COUNTED = 50  # "900 stops buying" is a customer, "12 carts" are a dozen carts
# Behind a number that says how much, not how many things.
_UNIT = re.compile(
    r"\s*(?:%|per ?cent|oz|lbs?|ct|pk|pack|l|liters?|litres?|gal|gallons?|grams?|kg|ml|days?|weeks?|months?|years?|"
    r"hours?|dollars?|bucks|stars?|euros?|pounds?|or more|times)\b|\s*%",
    re.I,
)
_POLAR = {
    "negative": re.compile(
        r"\b(?:bad|negativ\w*|complain\w*|unhapp\w*|angr\w*|worst|hat(?:e[ds]?|ing|ers?)|disappoint\w*|"
        r"dissatisf\w*|unsatisf\w*|gripe\w*|critic\w*|unfavou?rabl\w*|terrible|awful|poor|problem\w*|"
        r"issues?|moan\w*|dislik\w*|furious|annoy\w*|scathing|slam\w*|rant\w*|fault\w*|rubbish|nasty|"
        r"horrible|grumbl\w*|whin\w*|upset|blam\w*|fail\w*|one[- ]star|1[- ]star|not (?:like|happy|satisfied)|"
        r"(?:don|didn|doesn)['’]?t like|mad|sour|trash\w*|bash\w*|frustrat\w*|fed up|detest\w*)\b",
        re.I,
    ),
    "positive": re.compile(
        r"\b(?:good|positiv\w*|prais\w*|lov(?:e[ds]?|ing|ers?)|happ(?:y|ier|iest)|best|favou?rabl\w*|"
        r"delight\w*|enthusias\w*|satisfied|glow\w*|rav(?:e[ds]?|ing)|compliment\w*|great|five[- ]star|"
        r"5[- ]star|pleased|thrilled|fans?|kind|testimonial\w*|nice\w*|recommend\w*|enjoy\w*|impress\w*|"
        r"content|excited|liked?|likes)\b",
        re.I,
    ),
}
# A span of words offered as a value neither begins nor ends with one of these.
STOP = frozenset(
    (
        "a about all also am an and any anything are as at be been but by can could did do does e.g for from give "
        "had has have he her hey hi him his how i if in is it its just me more most much my of on or our out "
        "please really say said saying says she should show so some tell than that the their them then there "
        "these they thing things this those to up us was we were what when where which who whom whose why will "
        "with would you your"
    ).split()
)
MAX_TOP = 1000


@dataclass(frozen=True)
class Reading:
    """The values that a question offers to a call, in the order they stand there.

    `timed` are the places of the words that tell a time, `counts` the numbers that say how many ("top 5",
    "five customers"), `sure_segments` the segments that cannot be plain words, `sentiments` those that the
    words let in, `horizons` the weeks of the times ahead ("the next quarter" are 13). `earlier` holds the
    arguments of the calls of the turn before, as they were written.
    """

    question: str
    words: tuple[str, ...]
    timed: frozenset[int] = frozenset()
    numbers: tuple[int, ...] = ()
    ids: tuple[str, ...] = ()
    periods: tuple[Period, ...] = ()
    counts: tuple[int, ...] = ()
    horizons: tuple[int, ...] = ()
    segments: tuple[str, ...] = ()
    sure_segments: tuple[str, ...] = ()
    sentiments: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    earlier: tuple[tuple[str, str], ...] = field(default=())

    def before(self, argument: str) -> list[str]:
        """Return the values that `argument` had in the turn before."""
        return [value for name, value in self.earlier if name == argument]


def clean(word: str) -> str:
    """Return a word without the punctuation around it."""
    return word.strip(".,!?:;'’`*…")


def read_question(question: str, shop: Shop, earlier: tuple[tuple[str, str], ...] = ()) -> Reading:
    """Return what `question` offers, on the shop's clock and catalogue; about 10 ms."""
    periods = tuple(read_periods(question, shop.as_of, shop.first_day))
    ahead = read_horizons(question)
    dated = [(period.start_index, period.end_index) for period in periods]

    def outside(start: int, end: int) -> bool:
        return all(end <= first or start >= last for first, last in dated)

    def counted(start: int, end: int) -> bool:
        """Whether a number may be an id or a count: neither a date's nor one of "the next 12 weeks"."""
        return outside(start, end) and all(end <= one.start or start >= one.end for one in ahead)

    ids = [_OWNED.sub(r"\1", m.group(1)) for m in _ID.finditer(question) if counted(m.start(), m.end())]
    said = [n for n in read_numbers(question) if counted(n.start, n.end)]
    # An id may be spelled out: "household one thousand five hundred".
    ids += [str(int(n.value)) for n in said if not _digits(question, n) and _NOUN.search(question[: n.start])]
    numbers = [n.value for n in said if 1 <= n.value <= MAX_TOP]
    numbers += [1] if _SINGLE.search(question) else []
    found = [(clean(m.group()), m) for m in _WORD.finditer(question) if clean(m.group())]
    words = tuple(word for word, _ in found)
    timed = frozenset(index for index, (_, m) in enumerate(found) if not outside(m.start(), m.end()))
    counts = [int(n.value) for n in said if 1 <= n.value <= MAX_TOP and _is_count(question, n)]
    segments = read_segments(question)
    return Reading(
        question=question,
        words=words,
        timed=timed,
        numbers=tuple(dict.fromkeys(int(number) for number in numbers)),
        ids=tuple(dict.fromkeys(ids)),
        periods=periods,
        counts=tuple(dict.fromkeys(counts)),
        horizons=tuple(dict.fromkeys(one.weeks for one in ahead)),
        segments=segments,
        sure_segments=tuple(name for name in segments if _surely(name, question)),
        sentiments=tuple(name for name, words in _POLAR.items() if words.search(question)),
        products=tuple(text for _, _, text in shop.catalogue.mentions(question)),
        earlier=earlier,
    )


def customers_named(question: str, ids: tuple[str, ...]) -> list[str]:
    """Return the ids that look like a customer's rather than a count ("top 5", "5 customers")."""
    named: list[str] = []
    for text in ids:
        at = re.search(rf"(?<!\w){re.escape(text)}", question)
        if at is None:  # spelled out, and so read only behind "customer"
            named.append(text)
            continue
        before, after = question[: at.start()], question[at.end() :]
        counted = _COUNTED.search(before) or (_small(text) and _PLURAL.search(after))
        if _NOUN.search(before) or not counted:
            named.append(text)
    return named


def _is_count(question: str, number: NumberMention) -> bool:
    before, after = question[: number.start], question[number.end :]
    if _NOUN.search(before) or _UNIT.match(after) or before.endswith(("$", "€", "£", "#", ".", "-")):
        return False
    return bool(_COUNTED.search(before) or (number.value <= MOST_COUNTED and _PLURAL.match(after)))


def _small(text: str) -> bool:
    return text.isdecimal() and int(text) <= MOST_COUNTED


def only_praise_or_blame(text: str) -> bool:
    """Return whether every word of `text` says no more than that something is praised or blamed."""
    return all(any(words.fullmatch(word) for words in _POLAR.values()) for word in text.split())


def _surely(segment: str, question: str) -> bool:
    """Return whether a segment's name is meant as one: "New" and "Lost" are plain words, too."""
    if re.search(r"\b(?:segment|group)s?\b", question, re.I) or segment in ("Champions", "Hibernating"):
        return True
    return bool(re.search(rf"(?<!^)\b{segment}", question))


def _digits(question: str, number: NumberMention) -> bool:
    return any(character.isdecimal() for character in question[number.start : number.end])


def read_segments(question: str) -> tuple[str, ...]:
    """Return the segments that a question names, typos and plurals allowed."""
    words = [clean(word).lower() for word in question.replace("-", " ").split()]
    found: list[str] = []
    for segment in SEGMENTS:
        name = segment.lower()
        width = len(name.split())
        for start in range(len(words) - width + 1):
            said = " ".join(words[start : start + width])
            close = 100 if len(name) < 5 else 84
            if max(fuzz.ratio(said, name), fuzz.ratio(said.rstrip("s"), name.rstrip("s"))) >= close:
                found.append(segment)
                break
    return tuple(found)
