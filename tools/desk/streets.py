"""Where streets stand in a text, for masking: English ones, and those of a dozen countries by their own words.

What is masked wrongly is lost and what is not stays readable to staff, so words that are not only streets (drive,
way, park) count where the rest of the line speaks for an address. Taking an address apart is `addresses`' work.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_SPACE = r"[ \t\u00a0]+"
_NAME = r"[^\W\d_][\w.'’-]*+"
_NUMBER = r"\d{1,6}(?:[-/]\d{1,4})?[A-Za-z]?"
_ALONE = r"(?<![\w#$€£¥.,:/@])"
_SURE = (
    "street|str|st|avenue|ave|av|road|rd|boulevard|blvd|lane|ln|parkway|pkwy|highway|hwy|terrace|crescent|"
    "esplanade|turnpike|tpke|expressway|freeway|mews|cul-de-sac|broadway|alley"
)
_UNSURE = (
    "drive|dr|court|ct|way|place|pl|square|sq|circle|cir|trail|trl|loop|row|walk|path|close|grove|gardens|plaza|"
    "park|crossing|bend|run|pass|view|hill|hills|ridge|heights|hollow|green|quay|landing|cove|commons|pike|point"
)
_ORDINAL = r"\d{1,3}(?:st|nd|rd|th)"
_SIDE = r"(?:north|south|east|west|ne|nw|se|sw|n|s|e|w)"
_STREET = re.compile(
    rf"{_ALONE}{_NUMBER},?{_SPACE}(?:"
    rf"(?P<words>(?:(?:{_ORDINAL}|{_NAME}){_SPACE}){{1,4}}?)(?P<kind>{_SURE}|{_UNSURE})\b"
    rf"(?:{_SPACE}(?P<more>{_SURE}|{_UNSURE})\b)*\.?"
    rf"|(?P<alone>highway|hwy|broadway|avenue of the {_NAME}|"
    rf"(?:county road|route|interstate|state route){_SPACE}\d{{1,4}})\b"
    rf")(?:{_SPACE}{_SIDE}\b\.?)?",
    re.I,
)
_ENDINGS = (
    "straße|strasse|str\\.|gasse|allee|platz|weg|ufer|damm|chaussee|straat|laan|plein|gracht|kade|dijk|gatan|vägen|"
    "gata|veien|vegen|vej|gade|katu"
)
_ARTICLE = r"(?:d[eu]s?|del|de la|della|la|las|los|les?)"
_FRENCH = r"rue|avenue|av\.|boulevard|bd\.?|chemin|allée|impasse|quai|place"
_SOUTHERN = (
    r"calle|c/|avenida|avda?\.|paseo|via|viale|corso|piazza|rua|travessa|ulica|ul\.|улица|ул\.|проспект|пр-т"
)
_AFTER = r"\b(?![\w%]|[.,]\d)"
_ABROAD = [
    re.compile(pattern, re.I)
    for pattern in (
        # Hauptstraße 5, Lange Straße 12a, Kerkstraat 10, Storgatan 4
        rf"(?<!\w)(?:[^\W\d_][\w'’-]*?(?:{_ENDINGS})|{_NAME}{_SPACE}(?:straße|strasse|str\.|allee|platz|weg|gasse))"
        rf"{_SPACE}\d{{1,4}}[ \t]?[a-z]?{_AFTER}",
        # 12 rue de la Paix, 5 bis, avenue Foch
        rf"{_ALONE}\d{{1,4}}(?:[ \t]?(?:bis|ter|[a-d])\b)?,?{_SPACE}(?:{_FRENCH})"
        rf"{_SPACE}(?:{_ARTICLE}{_SPACE}){{0,3}}(?:[dl]['’])?{_NAME}"
        rf"(?:(?-i:{_SPACE}(?:{_ARTICLE}{_SPACE})?[A-ZÉÈÀ][\w'’-]*)){{0,3}}",
        # Calle Mayor 5, Avenida de América, 12, Via Roma 10, Rua Augusta, 100, ul. Długa 7, ул. Ленина, 5
        rf"(?<![\w/])(?:{_SOUTHERN}){_SPACE}"
        rf"(?:{_NAME}{_SPACE}){{0,4}}?{_NAME},?{_SPACE}(?:n[º°o.]{{1,2}}[ \t]*)?\d{{1,4}}[a-z]?{_AFTER}",
        r"(?<!\w)p\.?[ \t]?o\.?[ \t]?box[ \t]*\#?[ \t]?\d{1,6}\b",
        rf"(?<!\w)(?:postfach|apartado|casella postale|boîte postale){_SPACE}\d[\d ]{{0,8}}\b",
    )
]
# Words that are never part of a street's name.
_NOT_A_NAME = frozenset(
    "a an this that these those my your his our their its i you we they it is are was in on at to for from with by and "
    "or but not no any some other another same different only half all each please want need ordered order orders item "
    "items piece pieces pair pairs time times day days week weeks month months year years hour hours minute minutes "
    "percent left what which how when where why can could would should will do does did have has had get got more less "
    "than about per dollar dollars bucks euros them me us if so just also out off hard flash usb disk thumb test inch "
    "gb tb stars star".split()
)
_THINGS = frozenset(
    "bike bikes bicycle bicycles shoe shoes boots tire tires tyre tyres helmet helmets map maps runners sign signs "
    "light lights lamp lamps food clothes wear".split()
)
_TOLD = re.compile(
    r"\b(?:address(?:es)?|ship(?:ped|s|ping)?|send|sent|deliver(?:ed|y|ing)?|mail(?:ed)?|live|lives|living|moved|moving|reside|"
    r"located|house|home)\b[^.!?\d]{0,40}$",
    re.I,
)

_CODE = r"\d{5}(?:-\d{4})?\b(?![\w%]|[.,]\d)"
_LEAD = r"[ \t\u00a0,;\n]*(?:\bin\b[ \t]+)?"
# What may follow a street, one after the other.
_UNIT = re.compile(
    rf"{_LEAD}(?:(?:apt|apartment|suite|ste|unit|flat|floor|room|bldg|building)\b\.?[ \t]*"
    rf"(?:no\.?[ \t]*|number[ \t]*|\#[ \t]*)?(?:[a-z]{{0,2}}-?\d{{1,5}}[a-z]?|[a-z])"
    rf"|\#[ \t]?\d{{1,5}}[a-z]?|{_ORDINAL} floor)(?!\w)",
    re.I,
)
_WORD = r"[^\W\d_][\w'’.-]*"
_STATES = (
    "alabama|alaska|arizona|arkansas|california|colorado|connecticut|delaware|florida|georgia|hawaii|idaho|illinois|"
    "indiana|iowa|kansas|kentucky|louisiana|maine|maryland|massachusetts|michigan|minnesota|mississippi|missouri|"
    "montana|nebraska|nevada|new hampshire|new jersey|new mexico|new york|north carolina|north dakota|ohio|oklahoma|"
    "oregon|pennsylvania|rhode island|south carolina|south dakota|tennessee|texas|utah|vermont|virginia|washington|"
    "west virginia|wisconsin|wyoming"
)
_PLACES = (
    # Denver, CO 80201; denver colorado 80201; Denver, CO
    re.compile(
        rf"{_LEAD}(?P<city>(?:{_WORD}[ \t]+){{0,2}}{_WORD})[ \t]*,?[ \t]+"
        rf"(?:(?-i:[A-Z]{{2}})\b|(?:{_STATES})\b)(?:[ \t]*,?[ \t]*{_CODE})?",
        re.I,
    ),
    # 10115 Berlin, 1012 AB Amsterdam
    re.compile(
        r"[ \t]*[,;\n][ \t]*(?:[A-Z]{1,2}-)?\d{4,6}(?:[ \t]+[A-Z]{2}\b)?[ \t]+(?P<city>[^\W\d_a-z][\w'’-]*)"
    ),
    re.compile(rf"{_LEAD}(?P<city>(?:{_WORD},?[ \t]+){{0,3}}){_CODE}", re.I),
    # London SW1A 1AA
    re.compile(rf"{_LEAD}(?P<city>(?:{_WORD},?[ \t]+){{0,2}})[A-Z]{{1,2}}\d[A-Z\d]?[ \t]?\d[A-Z]{{2}}\b"),
)
_COUNTRY = re.compile(
    r"[ \t]*[,;\n][ \t]*(?:USA|U\.S\.A\.|United States|UK|United Kingdom|Canada|Germany|Deutschland|France|España|"
    r"Spain|Italy|Italia)\b"
)


def street_spans(text: str) -> list[tuple[int, int]]:
    """Return from where to where streets stand in `text`, with the town and the code that follow; none overlap."""
    spans = sorted(_found(text), key=lambda span: (span[0], -span[1]))
    kept: list[tuple[int, int]] = []
    for start, end in spans:
        if not kept or start >= kept[-1][1]:
            kept.append((start, end))
        else:
            kept[-1] = (kept[-1][0], max(kept[-1][1], end))
    return kept


def _found(text: str) -> Iterator[tuple[int, int]]:
    for match in _STREET.finditer(text):
        end = _with_place(text, match.end())
        if _is_street(text, match, end):
            yield match.start(), end
    for pattern in _ABROAD:
        for match in pattern.finditer(text):
            yield match.start(), _with_place(text, match.end())


def _is_street(text: str, match: re.Match[str], end: int) -> bool:
    words = (match["words"] or "").split()
    if any(word.casefold() in _NOT_A_NAME for word in words):
        return False
    following = re.match(r"[ \t]+(\w+)", text[match.end() : match.end() + 40])
    if following and following[1].casefold() in _THINGS:
        return False
    kind = match["more"] or match["kind"] or ""
    if match["alone"] or re.fullmatch(_SURE, kind, re.I) or re.fullmatch(_SURE, match["kind"], re.I):
        return True
    capitalized = kind[0].isupper() and all(word[0].isupper() or word[0].isdigit() for word in words)
    told = _TOLD.search(text[max(0, match.start() - 60) : match.start()])
    # A line that ends with the street holds nothing but an address.
    stands_alone = not text[: match.start()].strip() and not text[match.end() :].strip(" .!?")
    return bool(capitalized or told or stands_alone or end > match.end())


def _with_place(text: str, end: int) -> int:
    """Return where the address ends that has its street until `end`."""
    if unit := _UNIT.match(text, end):
        end = unit.end()
    for pattern in _PLACES:
        place = pattern.match(text, end)
        if place and not any(word.strip(",.").casefold() in _NOT_A_NAME for word in place["city"].split()):
            end = place.end()
            break
    if unit := _UNIT.match(text, end):
        end = unit.end()
    country = _COUNTRY.match(text, end)
    return country.end() if country else end
