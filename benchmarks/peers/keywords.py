"""The peer without learning: an aspect or an entity is there where one of its words is.

The words are those of the labelling guide's definitions and examples, an aspect's whole word or its beginning
(marked *). What an aspect is told from is the sentiment of its whole sentence.
"""

from __future__ import annotations

import re

ASPECTS = {
    "taste": "taste* flavor* flavour* sweet* salt* bitter* strong weak bold bland aftertaste delicious tasty yummy",
    "smell": "smell* aroma* scent* stink*",
    "texture": "texture crunchy chewy creamy gritty thick watery hard dry soggy fine coarse",
    "appearance": "color* colour* shape* look looks cloud*",
    "freshness": "fresh* stale rancid mould* mold* expire* date keeps",
    "quality": "quality workmanship broke batch* fake* recipe",
    "health": "ingredient* additive* sugar fat calorie* vitamin* organic gluten healthy diet natural preservative*"
    " safe",
    "effect": "energy sleep digest* stomach allerg* weight filling thirst coat teeth awake works worked jittery",
    "price": "price* cost* value deal* saving* worth money cheap* expensive penny bargain",
    "quantity": "size* count weight* portion* big small pieces lasts",
    "packaging": "bag bags box boxes can lid label seal* wrap* packed packaging package*",
    "delivery": "shipp* deliver* arriv* melted broken leak* dented missing",
    "service": "seller* service refund* return* company",
    "availability": "find found available stock discontinued shops stores",
    "variety": "choice variety assort* flavors flavours kinds",
    "listing": "described description picture* photo advertised named",
    "preparation": "easy make brew* mix* cook* open store carry clean instructions convenien* minutes",
    "use": "recipe* meal* gift* substitute goes soup* lunch* use used using",
    "pet liking": "dog dogs cat cats puppy",
    "overall": "love* like* hate* great good best disappoint* favorite favourite recommend* star stars again better"
    " worse awful excellent wonderful",
}
BRANDS = "acme amazon keurig"
PRODUCTS = (
    "green tea,dog food,k-cups,choco puffs,bread machine,curry,dark chocolate,peanut butter,extra virgin olive oil"
    ",olive oil,dry dog food,coffee,tea,cheese,almonds,pancakes,chocolate,oil,porridge,soups,bread"
)
INGREDIENTS = (
    "sugar,corn syrup,caffeine,gluten,protein,vitamin c,vanilla,cinnamon,ginger,salt,soy,wheat,fiber,sodium"
)


def _any(words: str, separator: str | None = None) -> re.Pattern[str]:
    parts = [re.escape(word).replace(r"\*", r"\w*") for word in words.split(separator)]
    return re.compile(rf"\b(?:{'|'.join(sorted(parts, key=len, reverse=True))})\b", re.I)


_ASPECTS = {name: _any(words) for name, words in ASPECTS.items()}
_ENTITIES = {
    "brand": _any(BRANDS),
    "product": _any(PRODUCTS, ","),
    "ingredient": _any(INGREDIENTS, ","),
}


def aspects(text: str) -> set[str]:
    """Return the aspects whose words a sentence holds."""
    return {name for name, words in _ASPECTS.items() if words.search(text)}


def entities(text: str) -> set[tuple[str, str]]:
    """Return the entities that a sentence holds: their words and kinds."""
    return {(match[0], kind) for kind, words in _ENTITIES.items() for match in words.finditer(text)}
