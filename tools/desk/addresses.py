"""Finding a postal address in what a customer wrote, whole or in pieces."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace

STATES = {
    "alabama": "AL",
    "alaska": "AK",
    "arizona": "AZ",
    "arkansas": "AR",
    "california": "CA",
    "colorado": "CO",
    "connecticut": "CT",
    "delaware": "DE",
    "district of columbia": "DC",
    "florida": "FL",
    "georgia": "GA",
    "hawaii": "HI",
    "idaho": "ID",
    "illinois": "IL",
    "indiana": "IN",
    "iowa": "IA",
    "kansas": "KS",
    "kentucky": "KY",
    "louisiana": "LA",
    "maine": "ME",
    "maryland": "MD",
    "massachusetts": "MA",
    "michigan": "MI",
    "minnesota": "MN",
    "mississippi": "MS",
    "missouri": "MO",
    "montana": "MT",
    "nebraska": "NE",
    "nevada": "NV",
    "new hampshire": "NH",
    "new jersey": "NJ",
    "new mexico": "NM",
    "new york": "NY",
    "north carolina": "NC",
    "north dakota": "ND",
    "ohio": "OH",
    "oklahoma": "OK",
    "oregon": "OR",
    "pennsylvania": "PA",
    "rhode island": "RI",
    "south carolina": "SC",
    "south dakota": "SD",
    "tennessee": "TN",
    "texas": "TX",
    "utah": "UT",
    "vermont": "VT",
    "virginia": "VA",
    "washington": "WA",
    "west virginia": "WV",
    "wisconsin": "WI",
    "wyoming": "WY",
}
_COUNTRIES = {
    "usa": "USA",
    "u.s.a.": "USA",
    "us": "USA",
    "united states": "USA",
    "uk": "United Kingdom",
    "united kingdom": "United Kingdom",
    "canada": "Canada",
    "mexico": "Mexico",
    "ireland": "Ireland",
    "germany": "Germany",
    "france": "France",
    "austria": "Austria",
    "switzerland": "Switzerland",
    "spain": "Spain",
    "italy": "Italy",
    "netherlands": "Netherlands",
    "belgium": "Belgium",
    "australia": "Australia",
    "new zealand": "New Zealand",
    "india": "India",
    "japan": "Japan",
}
STREETS = (
    "street st avenue ave av road rd drive dr lane ln boulevard blvd court ct way path place pl terrace ter "
    "circle cir square sq trail trl parkway pkwy highway hwy loop row crescent walk plaza alley broadway hollow "
    "ridge hill hills heights close mews grove gardens park crossing bend run point pass view vista meadow meadows "
    "creek glen cove landing quay turnpike pike bypass esplanade green commons canyon valley"
).split()
_WORD = r"[^\W\d_][\w.'’-]*"
# A house number, a few words, and a word that streets end with.
_STREET = re.compile(
    rf"(?<![\w#$.])(\d{{1,6}}[A-Za-z]?(?:[-/]\d{{1,4}})?\s+(?:{_WORD}\s+|\d{{1,3}}(?:st|nd|rd|th)\s+){{0,4}}?"
    rf"(?:{'|'.join(STREETS)})\b(?:\s+(?:{'|'.join(STREETS)})\b)*\.?(?:\s+(?:north|south|east|west|n|s|e|w|ne|nw|se|sw)\b\.?)?)",
    re.I,
)
# The number behind the name, as in much of Europe.
_STREET_ABROAD = re.compile(
    r"\b((?:[^\W\d_][\w.’'-]*\s){0,2}?[^\W\d_][\w-]*(?:straße|strasse|str\.|weg|platz|gasse|allee|laan|straat)"
    r"\s\d{1,4}\s?[a-z]?)\b",
    re.I,
)
# Or a house number with words up to a comma, where more of an address follows.
_LOOSE = re.compile(rf"(?<![\w#$.])(\d{{1,6}}[A-Za-z]?\s+{_WORD}(?:\s+{_WORD}){{0,4}}?)\s*,", re.I)
_SECOND = re.compile(
    r"\b((?:apt|apartment|suite|ste|unit|flat|floor|room|bldg|building)\b\.?\s*(?:no\.?|number|#)?\s*"
    r"[A-Za-z]?\d+\s?[A-Za-z]?(?![A-Za-z\d])|(?:apt|apartment|suite|ste|unit|flat|room)\b\.?\s+[A-Z]\b|"
    r"\d{1,2}(?:st|nd|rd|th) floor\b|#\s?\d{1,4}[A-Za-z]?\b)",
    re.I,
)
_NO_SECOND = re.compile(
    r"\b(?:no|without(?: an?)?|there(?:'s| is) no|not an?)\s+(?:apartment|apt|flat|suite|unit|second line)\b|"
    r"\b(?:it(?:'s| is) a|just a|single family) house\b",
    re.I,
)
_ZIP = re.compile(r"(?<![\w#$.,-])(\d{5}(?:-\d{4})?)(?![\w%]|[.,]\d)")
_ZIP_ABROAD = re.compile(r"\b([A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}|[A-Z]\d[A-Z]\s?\d[A-Z]\d|\d{4,6})\b")
_STATE_NAME = re.compile(rf"\b({'|'.join(sorted(STATES, key=len, reverse=True))})\b", re.I)
# "OK", "OH" and "HI" are exclamations as well: these count behind a comma or before a postal code.
_DOUBTFUL = ("OK", "OH", "HI", "ME", "OR", "IN", "PA", "MA")
_PLAIN_CODES = "|".join(code for code in STATES.values() if code not in _DOUBTFUL)
_STATE_CODE = re.compile(
    rf"\b({_PLAIN_CODES}|(?:{'|'.join(_DOUBTFUL)})(?=[\s,]+\d{{5}})|(?<=, )(?:{'|'.join(_DOUBTFUL)}))\b"
)
# "in", "or", "me" and the like are words as well: a small code counts only before a postal code.
_STATE_SMALL = re.compile(rf"\b({'|'.join(STATES.values())})\b[\s,]+(?=\d{{5}})", re.I)
_COUNTRY = re.compile(
    rf"(?<![\w.])(?<!new )(?<!New )"
    rf"({'|'.join(re.escape(name) for name in sorted(_COUNTRIES, key=len, reverse=True))})(?!\w)",
    re.I,
)
# "14 Juniper Lane - no wait, 41! 41 Juniper Lane"
_CORRECTS = re.compile(r"[^\w\d]*(?:no wait|no|wait|sorry|i mean|rather|correction|scratch that)\b", re.I)
_NO_STREET = frozenset(
    "and please the my of to orders order items item pieces for or i you is it in from".split()
)
_NOT_IN_STREET = frozenset(
    "by now not and is was it it's must should says say has have my your this but instead in from to for at only "
    "please i you we they all any other different wrong that same".split()
)
_NO_CITY = frozenset(
    "my zip code postal postcode is the it it's its number order not should be must was wrong says said rest same "
    "stays stay everything else ok okay fine correct suite apartment apt unit flat change make please "
    "thanks sorry one still".split()
)
_TAIL = re.compile(r"(?:\s+(?:now|still|please|instead|today|though|then|again|right|btw))+$", re.I)
_LEAD = re.compile(
    r"^(?:(?:and|in|at|to|the|city|town|of|it['’]?s|it is|it|is|(?:that|which|this)(?:['’]?s| is)|please)\b|,|\s)+",
    re.I,
)


@dataclass(frozen=True)
class Pieces:
    """What was told of an address; None is what was not told, '' what was said not to be."""

    address1: str | None = None
    address2: str | None = None
    city: str | None = None
    state: str | None = None
    zip: str | None = None
    country: str | None = None

    def __bool__(self) -> bool:
        return any(getattr(self, field.name) is not None for field in fields(self))

    @property
    def missing(self) -> tuple[str, ...]:
        """The parts without which nothing can be sent there."""
        abroad = self.country not in (None, "USA")
        needed = ("address1", "city", "zip") if abroad else ("address1", "city", "state", "zip")
        return tuple(part for part in needed if not getattr(self, part))

    def later(self, more: Pieces) -> Pieces:
        """Return these pieces with those told later in their place; a new street is a new address."""
        if more.address1 and self.address1 and more.address1.casefold() != self.address1.casefold():
            return more
        told = {field.name: getattr(more, field.name) for field in fields(more)}
        return replace(self, **{name: value for name, value in told.items() if value is not None})


@dataclass(frozen=True)
class Found:
    """An address within a text: its pieces, and from where to where it stands."""

    pieces: Pieces
    start: int
    end: int


# "I gave you the old one, I mean 78232", "still California": no names of towns.
_MEANS = re.compile(r"\b(?:i mean(?:t)?|still)\b", re.I)


def find_address(text: str, expected: bool = False) -> Found | None:
    """Return the first address in a text, or the one that corrects it; None where there is none.

    Args:
        expected: an address was asked for, so a city or a postal code alone is one too.
    """
    street = _street(text) or _STREET_ABROAD.search(text) or _loose(text)
    corrected = street and _CORRECTS.match(text, street.end(1))
    if corrected:
        street = _street(text, corrected.end()) or street
    if street is None and not expected:
        return None
    start, end = (street.start(1), street.end(1)) if street else (0, 0)
    rest = text[end : end + 200] if street else text[:300]
    rest = _MEANS.sub(lambda found: "," + " " * (len(found[0]) - 1), rest)
    found: dict[str, str | None] = {"address1": _tidy(street.group(1)) if street else None}
    spans = [end]
    second = _SECOND.search(rest)
    if second:
        found["address2"] = _tidy(second.group(1))
        spans.append(end + second.end())
        rest = rest[: second.start()] + "," + " " * (second.end() - second.start() - 1) + rest[second.end() :]
    elif before := [
        one for one in _SECOND.finditer(text, 0, start) if not text[one.end() : start].strip(" ,")
    ]:
        found["address2"] = _tidy(before[-1].group(1))  # "Apt 4, 12 Oak Street"
    elif _NO_SECOND.search(text):
        found["address2"] = ""
    country = _COUNTRY.search(rest)
    # A lone "us" is rarely the country.
    if country and (country.group(1) != "us" or rest[: country.start()].rstrip().endswith(",")):
        found["country"] = _COUNTRIES[country.group(1).casefold()]
        spans.append(end + country.end())
        rest = (
            rest[: country.start()]
            + ","
            + " " * (country.end() - country.start() - 1)
            + rest[country.end() :]
        )
    abroad = found.get("country") not in (None, "USA")
    code = (_ZIP_ABROAD if abroad else _ZIP).search(rest)
    if code:
        found["zip"] = code.group(1)
        spans.append(end + code.end())
    before_code = rest[: code.start()] if code else rest
    state = None if abroad else _state(rest, before_code)
    if state is not None:
        found["state"] = STATES.get(state.group(1).casefold(), state.group(1).upper())
        spans.append(end + state.end(1))
    city = _city(rest, state, code, bool(street))
    if city:
        found["city"] = city
        spans.append(end + rest.find(city) + len(city))
    pieces = Pieces(**found)
    if street is None and not (pieces.zip or pieces.state or pieces.city or pieces.address2 is not None):
        return None
    return Found(pieces, start, max(spans))


def _street(text: str, start: int = 0) -> re.Match[str] | None:
    """Return a house number with a street: not "1104 now. Street and zip stay", nor "apt 5 by the way"."""
    while found := _STREET.search(text, start):
        number, *words = found.group(1).casefold().split()
        if not any(word.rstrip(".") in _NOT_IN_STREET or word.find(".") > 3 for word in words):
            return found
        start = found.start(1) + len(number)
    return None


def _loose(text: str) -> re.Match[str] | None:
    """Return a house number with a name that could be a street's, where more of an address follows."""
    for found in _LOOSE.finditer(text):
        if not _NO_STREET & set(found.group(1).casefold().split()) and _rest_of_address(text[found.end() :]):
            return found
    return None


def _rest_of_address(after: str) -> bool:
    near = after[:80]
    return bool(
        _ZIP.search(near) or _STATE_CODE.search(near) or _STATE_NAME.search(near) or _SECOND.search(near)
    )


def _state(rest: str, before_code: str) -> re.Match[str] | None:
    """Return where the state stands: a name or a code, the last one before the postal code."""
    codes = list(_STATE_CODE.finditer(before_code)) or list(_STATE_SMALL.finditer(rest))
    names = list(_STATE_NAME.finditer(before_code))
    if not codes and not names and len(before_code) < len(rest):
        names = list(_STATE_NAME.finditer(rest))  # "the zip is 95814. California"
    # "New York, NY" and "Washington, DC": the code is the state, the name the city.
    if codes:
        return codes[-1]
    return names[-1] if names else None


def _city(
    rest: str, state: re.Match[str] | None, code: re.Match[str] | None, after_street: bool
) -> str | None:
    """Return the city: the words before the state, or else before the postal code."""
    until = state.start(1) if state else code.start(1) if code else None
    if until is None:
        if not after_street or not rest.lstrip().startswith(","):
            return None
        until = len(re.split(r"[.!?\n]|\band\b", rest)[0])
    parts = [part for part in re.split(r"[,.;:!?\n]", rest[:until]) if part.strip()]
    if not parts and code and after_street:
        parts = re.split(r"[,.;:!?\n]", rest[code.end() :])[:1]  # "10115 Berlin"
    if not parts:
        return None
    # "Pasadena. That's California": the words between say nothing.
    words = next((told for part in reversed(parts) if (told := _LEAD.sub("", part.strip()))), "")
    # Of a longer sentence only the capitalized words at its end are the city.
    if len(words.split()) > 3:
        tail = re.search(r"((?:[A-Z][\w.'’-]*\s?){1,3})$", words)
        words = tail.group(1) if tail else ""
    words = _TAIL.sub("", _tidy(words))
    if words and _NO_CITY & set(words.casefold().split()):
        return None
    return words if words and not any(letter.isdigit() for letter in words) else None


def _tidy(text: str) -> str:
    return " ".join(text.split()).strip(" ,.;")
