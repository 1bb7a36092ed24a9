"""Is this a clear yes? Read by rules, whatever a model thinks: nothing is written without one."""

from __future__ import annotations

import re

_YES = re.compile(
    r"\b(yes|yep|yeah|yea|yup|yess+|ye|aye|ok(?:ay)?|okey|sure|certainly|absolutely|definitely|of course|go ahead|"
    r"go for it|do (?:it|that|so)|please do|please (?:cancel|change|return|exchange|proceed|go on|switch|update|book)|"
    r"confirm(?:ed)?|i confirm|correct|that'?s (?:right|fine|it|correct|ok(?:ay)?|good|great|perfect)|"
    r"that is (?:right|fine|correct|all correct)|all (?:correct|right|good)|exactly|perfect|"
    r"sounds (?:good|great|fine|right)|looks (?:good|right|correct)|fine|great|agreed|"
    r"proceed|right|si|sí|oui|ja|да|是)\b",
    re.I,
)
# What makes a yes unclear: a no, a wait, a condition, or another wish in its place.
_BUT = re.compile(
    r"\b(no|nope|nah|not|don'?t|do not|dont|wait|hold on|hang on|stop|instead|rather|never ?mind|nvm|forget it|"
    r"actually|unless|if (?:you|it|the|i|that)|hmm+|but (?:first|only if|not|what|can|could|i|make|change|use)|"
    r"let me (?:think|check|ask)|later|maybe|perhaps|depends|changed? my mind|on second thought|just testing|kidding|"
    r"before you|leave (?:it|that|everything)|as it is|keep (?:it|them)|is that (?:right|correct|it))\b",
    re.I,
)
# These hold a "no" or "not" and take nothing back.
_HARMLESS = re.compile(
    r"\b(no (?:other|more|further) \w+|nothing else|no problem|no need to|no worries|not the (?:other|rest)|no rush|"
    r"why not|no doubt|not anything else|don'?t (?:change|touch) (?:the|anything|my) (?:other|else|account|rest)\w*|"
    r"no (?:apartment|apt|flat|suite|unit)(?: number)?|not (?:my|the) account|never ?mind the rest)\b",
    re.I,
)
_NO = re.compile(
    r"^\W*(no|nope|nah|no thanks?|no thank you|don'?t|do not|rather not|better not|leave it|stop|nein|non)\b",
    re.I,
)


_STRONG = re.compile(
    r"^\W*(?:(?:ok(?:ay)?|perfect|great|oh|ah|alright|all right|good|well|hm+|so|and|please|thanks?|thank you)\W+)*"
    r"(?:yes+|yep|yeah|yup|yea|aye|correct|exactly|confirm(?:ed)?|i confirm|go ahead|do it|please do|absolutely|"
    r"definitely|of course|that'?s (?:right|correct)|that is (?:right|correct))\b",
    re.I,
)


def strong_yes(text: str) -> bool:
    """Say whether a clear yes leaves no doubt: it begins with the word itself, not with a mere "fine"."""
    return bool(_STRONG.search(text)) and clear_yes(text)


def clear_yes(text: str) -> bool:
    """Say whether a text is a clear yes: it says yes, and nothing in it takes that back."""
    rest = _HARMLESS.sub(" ", text)
    found = _YES.search(rest)
    if found is None or _BUT.search(rest):
        return False
    # A yes that comes only in a question ("is that right?") is none.
    before = re.split(r"[.!;\n]", rest[: found.start()])[-1]
    sentence = before + re.split(r"(?<=[.!?;\n])", rest[found.start() :])[0]
    starts = not before.strip(" ,'\"-:")
    return starts or not sentence.strip().endswith("?")


def clear_no(text: str) -> bool:
    """Say whether a text begins with a no."""
    return bool(_NO.search(text)) and not re.match(r"\W*no (?:other|more|problem|worries)", text, re.I)
