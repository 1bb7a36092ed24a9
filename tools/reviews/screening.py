"""What is asked of a review's text before it is summarized: words, English, and to whom it speaks.

Nothing is changed here. A review that is left out stays as it was written, and the reason is told.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
# Scripts as Unicode names its letters, and as people call them.
_SCRIPTS = {
    "CYRILLIC": "Cyrillic letters",
    "CJK": "Chinese or Japanese",
    "HIRAGANA": "Japanese",
    "KATAKANA": "Japanese",
    "HANGUL": "Korean",
    "ARABIC": "Arabic letters",
    "HEBREW": "Hebrew",
    "GREEK": "Greek",
    "THAI": "Thai",
    "DEVANAGARI": "Devanagari letters",
}
# Frequent small words; those that two languages share stand with each of them and decide nothing.
_SMALL_WORDS = {
    "English": "the and is it i this to of a for my was in not but with have are they very that so you we on had "
    "be as would will good great love product taste buy these them from just like me all at or if no do",
    "Spanish": "el la los las de que y es un una en no muy por con para lo me pero se del mi este esta son más mas "
    "bien como todo ha está producto sabor bueno buena",
    "French": "le la les de et est un une en que pas très pour avec je ce il ne mais sur au du des mon ma cette qui "
    "c'est j'ai produit goût bon bonne",
    "German": "der die das und ist ein eine nicht sehr mit ich es zu für auf den dem von aber sind habe war auch "
    "wie noch nur mir geschmack gut schmeckt leider",
    "Italian": "il lo la gli le di che e è un una non molto per con mi ma si sono del della questo questa ho come "
    "più anche prodotto gusto buono buona ottimo",
    "Portuguese": "o a os as de que e é um uma não muito por com para eu mas se do da este esta são mais bem como "
    "foi produto gosto bom boa",
    "Dutch": "de het een en is niet zeer erg met ik voor van op dat deze maar zijn heb was ook wel nog om te goed "
    "lekker smaak",
}
_OF_LANGUAGE = {name: frozenset(words.split()) for name, words in _SMALL_WORDS.items()}
_FEW = 4  # words; fewer say nothing of their language

_TO_A_MACHINE = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b[^.!?\n]{0,40}"
    r"\b(?:instructions?|prompts?|rules|guidelines|directions|above|previous|prior)\b"
    r"|\b(?:system|developer)\s*(?:prompt|message)\b"
    r"|\byou are (?:now|no longer) (?:an?|the|in)\b"
    r"|\b(?:as|dear) (?:an? )?(?:ai|language model|assistant|summari[sz]er)\b"
    r"|\b(?:summari[sz]er|assistant|language model|llm|chatbot)\b[^.!?\n]{0,30}\b(?:must|should|please|now)\b"
    r"|\b(?:say|write|report|answer|reply|respond)\b[^.!?\n]{0,20}\b(?:only|exactly|nothing but)\b[^.!?\n]{0,20}"
    r"\b(?:good|positive|praise|five stars|5 stars)\b"
    r"|\b(?:praise|recommend) this (?:shop|store)\b[^.!?\n]{0,30}\binstead\b"
    r"|<\|?(?:im_start|im_end|system|assistant|endoftext)\|?>|\[/?INST\]",
    re.I,
)

NO_WORDS = "no words"
REPEATED = "repeats another review word for word"


def left_out(text: str) -> str | None:
    """Return why a review is not summarized ("no words", "not English (Spanish)"), or None if it is."""
    letters = [character for character in text[:4000] if character.isalpha()]
    if not letters:
        return NO_WORDS
    language = foreign(text)
    return f"not English ({language})" if language else None


def foreign(text: str) -> str | None:
    """Return what a text is written in if that is clearly not English, else None.

    Letters of another script decide at once; between languages in Latin letters their small words do.
    A few words without any of these pass for English.
    """
    letters = [character for character in text[:4000] if character.isalpha()]
    other = Counter(
        script for character in letters if character > "ʯ" and (script := _script(character)) is not None
    )
    if other and sum(other.values()) > len(letters) / 2:
        return other.most_common(1)[0][0]
    words = [word.lower().replace("’", "'") for word in _WORD.findall(text[:4000])]
    if len(words) < _FEW:
        return None
    heard = {name: sum(word in small for word in words) for name, small in _OF_LANGUAGE.items()}
    best = max(heard, key=lambda name: heard[name])
    if best == "English" or heard[best] < 2 or heard[best] < 1.5 * heard["English"] + 1:
        return None
    return best


def _script(character: str) -> str | None:
    name = unicodedata.name(character, "")
    return next((called for start, called in _SCRIPTS.items() if name.startswith(start)), None)


def to_a_machine(text: str) -> bool:
    """Say whether a text gives orders to whoever summarizes it instead of speaking of a product.

    Such a text is data like any other and followed by nobody; this is for telling people of it.
    """
    return _TO_A_MACHINE.search(text) is not None
