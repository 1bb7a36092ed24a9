"""Times ahead as people put them (wishes/horizons.txt), each one checked to be read as the weeks it means."""

from __future__ import annotations

import random
from pathlib import Path

from storewise.finetune.wording import Piece, read_list
from storewise.tools.horizons import read_horizons

_SMALL = (
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
)
_WORDS = {
    **dict(enumerate(_SMALL.split(), start=2)),
    **{24: "twenty-four", 26: "twenty-six", 30: "thirty", 40: "forty", 52: "fifty-two"},
}
_COUNTS = {
    "weeks": (
        2,
        3,
        4,
        4,
        5,
        6,
        6,
        7,
        8,
        8,
        8,
        9,
        10,
        10,
        12,
        12,
        12,
        13,
        15,
        16,
        18,
        20,
        24,
        26,
        30,
        39,
        40,
        52,
    ),
    "months": (2, 2, 3, 3, 3, 4, 5, 6, 6, 9, 12, 12, 18),
    "quarters": (2, 3),
    "years": (2,),
    "days": (14, 28, 30, 30, 45, 60, 60, 90, 90, 100, 120, 180),
}
_OFTEN = {"weeks": 64, "months": 24, "quarters": 3, "years": 2, "days": 7}
_SHORT = {
    "weeks": ("wks", "wk", "w"),
    "months": ("mths", "mo", "mos"),
    "years": ("yrs",),
    "quarters": ("qtrs",),
}
_UNITS = {"month": 9, "quarter": 8, "year": 8, "week": 2}
# Kinds that stand for a slot of their own, and not for {weeks}.
_STANDING = ("span", "long")


class Horizons:
    """Makes times ahead from the list at `path`."""

    def __init__(self, path: Path) -> None:
        kinds = {head.split()[0]: (lines, int(head.split()[1])) for head, lines in read_list(path).items()}
        self._alone = {name: kinds[name][0] for name in _STANDING}
        free = [kind for name, kind in kinds.items() if name not in _STANDING]
        self._kinds, self._weights = [lines for lines, _ in free], [weight for _, weight in free]

    def draw(self, slot: str, rng: random.Random) -> Piece:
        """Return a time ahead for the slot weeks (with its preposition), span or long; its value is the weeks."""
        while True:
            kind = self._alone.get(slot.rstrip("2")) or rng.choices(self._kinds, self._weights)[0]
            count, unit = self._count(rng)
            single = rng.choices(list(_UNITS), list(_UNITS.values()))[0]
            values = {
                "count": f"{_written(count, rng)} {unit}",
                "unit": single,
                "hyphened": f"{_written(count, rng)}-{unit.removesuffix('s')}",
            }
            if rng.random() < 0.12 and unit in _SHORT:
                short = rng.choice(_SHORT[unit])
                values["count"] = (
                    f"{count}{short}" if short == "w" or rng.random() < 0.3 else f"{count} {short}"
                )
            text = rng.choice(kind).text(rng, values)
            weeks = reads(text)
            if weeks is not None:
                return Piece(text, slot, str(weeks))

    def _count(self, rng: random.Random) -> tuple[int, str]:
        unit = rng.choices(list(_OFTEN), list(_OFTEN.values()))[0]
        return rng.choice(_COUNTS[unit]), unit


def reads(text: str) -> int | None:
    """Return the weeks of the one time ahead in `text`, None if it names none or several."""
    found = read_horizons(text)
    return found[0].weeks if len(found) == 1 else None


def _written(number: int, rng: random.Random) -> str:
    return _WORDS[number] if number in _WORDS and rng.random() < 0.4 else str(number)
