"""Time expressions as people put them (wishes/times.txt), each one checked to be read by the date reader."""

from __future__ import annotations

import calendar
import datetime as dt
import random
from pathlib import Path

from storewise.finetune.wording import read_list
from storewise.tools.shop.dates import read_periods

_NUMBERS = ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
_COUNTS = {
    "days": [3, 5, 7, 10, 14, 20, 21, 28, 30, 45, 60, 90, 100],
    "weeks": list(range(2, 13)),
    "months": list(range(2, 12)),
}
_QUARTERS = ["the first quarter", "the second quarter", "the third quarter", "the fourth quarter"]


class Times:
    """Makes time expressions around the shop's days, from the list at `path`."""

    def __init__(self, path: Path, as_of: dt.date, first: dt.date) -> None:
        self.as_of, self.first = as_of, first
        kinds = read_list(path)
        self._kinds = list(kinds.values())
        self._weights = [int(name.split()[-1]) for name in kinds]

    def draw(self, rng: random.Random) -> str:
        """Return a time expression with its preposition that the date reader takes whole."""
        while True:
            wish = rng.choice(rng.choices(self._kinds, self._weights)[0])
            text = wish.text(rng, self._values(rng))
            if self.reads(text):
                return text

    def reads(self, text: str, as_well_as: str | None = None) -> bool:
        """Whether the date reader takes `text` whole, and as the same days as `as_well_as` if given."""
        periods = read_periods(text, self.as_of, self.first)
        if len(periods) != 1 or periods[0].text != text:
            return False
        if as_well_as is None:
            return True
        other = read_periods(as_well_as, self.as_of, self.first)[0]
        return (periods[0].start, periods[0].end) == (other.start, other.end)

    def _values(self, rng: random.Random) -> dict[str, str]:
        """Draw a value for every slot of times.txt."""
        one, two = sorted((self._day(rng), self._day(rng)))
        low, high = sorted(rng.sample(range(1, 29), 2))
        month, month2 = sorted(rng.sample(range(1, 13), 2))
        names = calendar.month_name if rng.random() < 0.85 else calendar.month_abbr
        units = rng.choice(list(_COUNTS))
        count = rng.choice(_COUNTS[units])
        quarter = rng.randrange(1, 5)
        return {
            "month": names[month],
            "month2": names[month2],
            "date": _written(one, rng),
            "date2": _written(two, rng),
            "low": str(low),
            "high": str(high),
            "lowth": _nth(low),
            "highth": _nth(high),
            "iso": one.isoformat(),
            "iso2": two.isoformat(),
            "slash": f"{one.month}/{one.day}",
            "slash2": f"{two.month}/{two.day}",
            "units": units,
            "count": _NUMBERS[count - 2] if 2 <= count <= 12 and rng.random() < 0.45 else str(count),
            "year": str(self.as_of.year),
            "weekday": rng.choice(list(calendar.day_name)),
            "season": rng.choice(["spring", "summer", "autumn", "fall", "winter"]),
            "quarter": rng.choice(
                [
                    f"Q{quarter}",
                    f"Q{quarter}",
                    f"q{quarter}",
                    _QUARTERS[quarter - 1],
                    f"the {_nth(quarter)} quarter",
                ]
            ),
        }

    def _day(self, rng: random.Random) -> dt.date:
        return self.first + dt.timedelta(days=rng.randrange((self.as_of - self.first).days + 1))


def _written(day: dt.date, rng: random.Random) -> str:
    month = calendar.month_name[day.month] if rng.random() < 0.75 else calendar.month_abbr[day.month]
    nth = _nth(day.day)
    forms = {
        f"{month} {day.day}": 20,
        f"{month} {nth}": 16,
        f"{day.day} {month}": 16,
        f"the {nth} of {month}": 18,
        f"{nth} of {month}": 8,
        f"{nth} {month}": 5,
        f"{month} the {nth}": 3,
        f"{month} {day.day}, {day.year}": 5,
        f"{day.day} {month} {day.year}": 4,
    }
    return rng.choices(list(forms), list(forms.values()))[0]


def _nth(number: int) -> str:
    suffix = "th" if 11 <= number % 100 <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"
