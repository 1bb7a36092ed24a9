"""Time expressions as people put them, each one checked to be read by the shop's date reader."""

from __future__ import annotations

import calendar
import datetime as dt
import random

from storewise.tools.shop.dates import read_periods

_NUMBERS = "two three four five six seven eight nine ten eleven twelve".split(" ")
_HOLIDAYS = [
    "on Black Friday", "on Christmas Eve", "on Christmas Day", "over Christmas", "Christmas week", "on Halloween",
    "on Thanksgiving", "over Thanksgiving", "in the week of Thanksgiving", "on Valentine's Day", "on Easter", "on the 4th of July",
    "on New Year's Day", "on Cyber Monday", "on Labor Day", "on Memorial Day", "on Mother's Day", "on Father's Day",
    "since Thanksgiving", "before Christmas", "after Easter", "Black Friday", "Thanksgiving week", "in Christmas week",
]  # fmt: skip
_FIXED = [
    "last month", "last week", "last quarter", "last year", "this month", "this week", "this year", "this quarter",
    "yesterday", "today", "in the last month", "in the past week", "over the last year", "year to date", "ytd",
    "month to date", "so far this year", "so far this month", "the week before last", "the day before yesterday",
    "in the current month", "during the last quarter", "for last month", "for this year", "the previous month",
    "the month before last", "last weekend", "over the weekend", "on the weekend", "this weekend", "all year",
    "for the whole year", "since the start of the year", "since the beginning of the year", "in the past month",
    "in the last 24 hours", "in the previous week", "since last week", "since last month", "until yesterday",
    "in the first half", "in the second half", "in the first half of the year", "in H1", "in h2", "a month ago",
    "two weeks ago", "a week ago", "three days ago", "in the first week of the year", "in the last week of the year",
]  # fmt: skip


class Times:
    """Makes time expressions around the shop's days."""

    def __init__(self, as_of: dt.date, first: dt.date) -> None:
        self.as_of, self.first = as_of, first

    def draw(self, rng: random.Random) -> str:
        """Return a time expression with its preposition that the date reader takes whole."""
        kinds = (
            (self._month, 26), (self._last_n, 16), (self._fixed, 20), (self._day, 13), (self._days, 7),
            (self._months, 6), (self._open, 8), (self._quarter, 7), (self._weekday, 3), (self._holiday, 5),
            (self._season, 2), (self._part, 4), (self._year, 3), (self._numeric, 4),
        )  # fmt: skip
        while True:
            text = rng.choices([kind for kind, _ in kinds], [weight for _, weight in kinds])[0](rng)
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

    def _a_day(self, rng: random.Random) -> dt.date:
        return self.first + dt.timedelta(days=rng.randrange((self.as_of - self.first).days + 1))

    def _a_month(self, rng: random.Random) -> str:
        month = rng.randrange(1, 13)
        return rng.choices((calendar.month_name[month], calendar.month_abbr[month]), (85, 15))[0]

    def _month(self, rng: random.Random) -> str:
        month = self._a_month(rng)
        shape = rng.choices(
            ("in {}", "{}", "for {}", "during {}", "in {} {y}", "{} {y}", "for {} {y}", "of {}", "last {}", "this {}",
             "in the month of {}", "for the month of {}", "back in {}", "throughout {}", "in {} of this year",
             "in {} '{s}", "all of {}", "for all of {}"),
            (40, 8, 8, 5, 10, 4, 3, 2, 4, 2, 3, 2, 2, 1, 1, 1, 1, 1),
        )[0]  # fmt: skip
        return shape.format(month, y=self.as_of.year, s=f"{self.as_of.year % 100:02d}")

    def _last_n(self, rng: random.Random) -> str:
        unit, numbers = rng.choice(
            (
                ("days", (3, 5, 7, 10, 14, 20, 21, 28, 30, 45, 60, 90, 100)),
                ("weeks", range(2, 13)),
                ("months", range(2, 12)),
            )
        )
        n = rng.choice(list(numbers))
        count = _NUMBERS[n - 2] if 2 <= n <= 12 and rng.random() < 0.45 else str(n)
        if rng.random() < 0.06:
            count = rng.choice(("couple of", "few"))
        shape = rng.choices(
            ("in the last {} {}", "over the last {} {}", "in the past {} {}", "the last {} {}", "last {} {}",
             "past {} {}", "for the last {} {}", "over the past {} {}", "during the last {} {}", "within the last {} {}",
             "of the last {} {}", "for the past {} {}", "for the previous {} {}"),
            (20, 15, 12, 8, 14, 6, 8, 8, 4, 3, 2, 4, 2),
        )[0]  # fmt: skip
        return shape.format(count, unit)

    def _fixed(self, rng: random.Random) -> str:
        return rng.choice(_FIXED)

    def _holiday(self, rng: random.Random) -> str:
        return rng.choice(_HOLIDAYS)

    def _date(self, rng: random.Random, day: dt.date) -> str:
        month = calendar.month_name[day.month] if rng.random() < 0.75 else calendar.month_abbr[day.month]
        nth = _nth(day.day)
        return rng.choices(
            (f"{month} {day.day}", f"{month} {nth}", f"{day.day} {month}", f"{nth} of {month}", f"the {nth} of {month}",
             f"{nth} {month}", f"{month} the {nth}", f"{month} {day.day}, {day.year}", f"{day.day} {month} {day.year}"),
            (20, 16, 16, 8, 18, 5, 3, 6, 4),
        )[0]  # fmt: skip

    def _day(self, rng: random.Random) -> str:
        date = self._date(rng, self._a_day(rng))
        return rng.choices((f"on {date}", date, f"for {date}"), (75, 15, 10))[0]

    def _numeric(self, rng: random.Random) -> str:
        day, other = sorted((self._a_day(rng), self._a_day(rng)))
        return rng.choice(
            (f"on {day.isoformat()}", f"{day.month}/{day.day}", f"on {day.month}/{day.day}", f"on {day.month}/{day.day}/{day.year}",
             f"{day.isoformat()} to {other.isoformat()}", f"from {day.isoformat()} to {other.isoformat()}",
             f"from {day.month}/{day.day} to {other.month}/{other.day}", f"{day.month}/{day.day} - {other.month}/{other.day}",
             f"since {day.isoformat()}", f"since {day.month}/{day.day}", f"in {day.year}-{day.month:02d}")
        )  # fmt: skip

    def _days(self, rng: random.Random) -> str:
        if rng.random() < 0.5:
            month, low = self._a_month(rng), rng.randrange(1, 20)
            high = rng.randrange(low + 1, 29)
            return rng.choice(
                (f"from {low} to {high} {month}", f"{month} {low}-{high}", f"{low} to {high} {month}", f"between {low} and {high} {month}",
                 f"from the {_nth(low)} to the {_nth(high)} of {month}", f"{month} {low} to {high}", f"{low}-{high} {month}",
                 f"from {month} {low} to {month} {high}", f"from {month} {_nth(low)} through {_nth(high)}")
            )  # fmt: skip
        day, other = sorted((self._a_day(rng), self._a_day(rng)))
        one, two = self._date(rng, day), self._date(rng, other)
        return rng.choice(
            (f"between {one} and {two}", f"from {one} to {two}", f"from {one} until {two}", f"{one} to {two}")
        )

    def _months(self, rng: random.Random) -> str:
        low, high = sorted(rng.sample(range(1, 13), 2))
        names = calendar.month_name if rng.random() < 0.8 else calendar.month_abbr
        shape = rng.choices(
            ("from {} to {}", "between {} and {}", "{} to {}", "{}-{}", "from {} through {}", "{} through {}", "from {} until {}"),
            (35, 22, 14, 8, 8, 6, 7),
        )[0]  # fmt: skip
        tail = f" {self.as_of.year}" if rng.random() < 0.12 else ""
        return shape.format(names[low], names[high]) + tail

    def _open(self, rng: random.Random) -> str:
        point = rng.choice(
            (
                self._a_month(rng),
                self._a_month(rng),
                self._date(rng, self._a_day(rng)),
                "last " + rng.choice(list(calendar.day_name)),
            )
        )
        word = rng.choices(
            ("since", "until", "before", "after", "up to", "through", "till", "starting", "up until"),
            (48, 10, 12, 13, 6, 3, 4, 2, 2),
        )[0]  # fmt: skip
        if rng.random() < 0.08:
            return f"from {self._a_month(rng)} {rng.choice(('on', 'onwards', 'onward'))}"
        return f"{word} {point}"

    def _quarter(self, rng: random.Random) -> str:
        n = rng.randrange(1, 5)
        name = rng.choice((f"Q{n}", f"q{n}", f"Q{n}", f"the {('first', 'second', 'third', 'fourth')[n - 1]} quarter",
                           f"the {_nth(n)} quarter", f"quarter {n}"))  # fmt: skip
        tail = rng.choices(("", f" {self.as_of.year}", f" of {self.as_of.year}"), (75, 15, 10))[0]
        return rng.choices(("in ", "", "for ", "during "), (60, 20, 12, 8))[0] + name + tail

    def _weekday(self, rng: random.Random) -> str:
        return rng.choice(("last ", "on ", "on ", "last ", "this ", "since ")) + rng.choice(
            list(calendar.day_name)
        )

    def _season(self, rng: random.Random) -> str:
        season = rng.choice(("spring", "summer", "autumn", "fall", "winter"))
        return rng.choice(("in ", "last ", "this ", "over the ", "during the ", "in the ")) + season

    def _part(self, rng: random.Random) -> str:
        month = self._a_month(rng)
        return rng.choice(
            (f"in early {month}", f"in late {month}", f"in mid-{month}", f"in the first week of {month}",
             f"at the end of {month}", f"at the beginning of {month}", f"in the last week of {month}",
             f"in the second week of {month}", f"in the first half of {month}", f"in the first two weeks of {month}",
             f"in the last three days of {month}", f"in the week of {month} {rng.randrange(1, 28)}",
             f"on the first day of {month}")
        )  # fmt: skip

    def _year(self, rng: random.Random) -> str:
        year = self.as_of.year
        return rng.choice(
            (
                f"in {year}",
                str(year),
                f"for {year}",
                f"during {year}",
                f"in all of {year}",
                f"in the year {year}",
            )
        )


def _nth(number: int) -> str:
    suffix = "th" if 11 <= number % 100 <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"
