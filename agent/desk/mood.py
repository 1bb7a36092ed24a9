"""A customer's mood, read from how they write: calm, annoyed or angry."""

from __future__ import annotations

import re
from typing import Literal

Mood = Literal["calm", "annoyed", "angry"]
_RAGE = re.compile(
    r"\b(ridiculous|outrageous|unacceptable|disgust\w*|furious|scam\w*|fraud\w*|thieves|robbery|garbage|rubbish|crap\w*|"
    r"bullshit|wtf|damn|hell|idiots?|stupid|useless|pathetic|incompetent|liars?|lawyer|sue (?:you|them)|worst|terrible|"
    r"horrible|awful|hate|fed up|sick of|fuck\w*|shit\w*|joke of a|a disgrace|disgrace\w*)\b",
    re.I,
)
_ANNOYED = re.compile(
    r"\b(annoy\w*|frustrat\w*|disappoint\w*|upset|unhappy|still (?:waiting|not)|again\?|second time|third time|"
    r"for (?:days|weeks)|how long|not happy|no one|nobody)\b",
    re.I,
)


def mood_of(text: str) -> Mood:
    """Return the mood that a text shows: by its words, shouting and rows of marks."""
    letters = [c for c in text if c.isalpha()]
    words = [word for word in re.findall(r"[A-Za-z]{4,}", text) if word.isupper()]
    shouting = len(words) >= 2 or (
        len(letters) > 12 and sum(c.isupper() for c in letters) > 0.7 * len(letters)
    )
    marks = len(re.findall(r"[!?]{2,}", text))
    rage = len(_RAGE.findall(text))
    points = 2 * min(rage, 2) + int(shouting) + int(marks > 0) + int(bool(_ANNOYED.search(text)))
    if points >= 3:
        return "angry"
    return "annoyed" if points else "calm"
