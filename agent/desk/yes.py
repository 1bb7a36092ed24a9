"""Is this a clear yes? Read by rules, whatever a model thinks: nothing is written without one."""

from __future__ import annotations

import re

_DOING = (
    r"(?:it|that|so|this|them|those|everything|all of (?:it|that|them)|both|"
    r"the (?:order|changes?|return|exchange|refund|cancellation))(?! (?:to|into|for|with|from|by)\b)"
)
_VERB = (
    r"(?:cancel|change|return|exchange|proceed|go on|switch|update|book|save|swap|move|send|continue|process|"
    r"submit|place|ship|deliver|stop|redirect|arrange|amend|alter|finalise|finalize|make)"
)
_WISHED = (
    r"that(?:'?s| is) (?:exactly |just |precisely )?what i(?:'d|'ve| would| have)? "
    r"(?:like|want|meant|need|asked|said)"
)
# Words that say yes by themselves when a sentence begins with them.
_STRONG = re.compile(
    rf"(?:(?:yes+|y(?!')|yep|yeah|yea|yeh|yh|yup|ye|aye|certainly|absolutely|definitely|of course|"
    rf"go ahead|go for it|agreed|i do(?! not)|"
    rf"confirm(?:ed)?|i (?:do )?(?:confirm|agree)|exactly|proceed|please (?:do|proceed|go ahead|go on)|"
    rf"sure(?! (?:you|it|that|about|what|how))|correct(?! (?:me|the|my|it|that)\b)|"
    rf"that(?:'?s| is| all)? (?:all )?(?:right|fine|correct|ok(?:ay)?|good|great|perfect|works?)|"
    rf"(?:it|this)(?:'?s| is) (?:all )?(?:right|correct|fine)|"
    rf"(?:all|both)(?: of (?:it|that|them))?,? (?:yes|yep|yeah)|"
    rf"(?:all|both|everything)(?: of (?:it|that|them))?(?:'?s| is| are)? (?:correct|right|good|fine)|"
    rf"(?:sounds|looks) (?:good|great|fine|right|correct|perfect)|approved|granted|by all means|you bet|spot on|"
    rf"i hereby (?:confirm|agree|authori[sz]e)|"
    rf"you (?:may|can) (?:go|proceed|do|alter|change|make|process|send|put|cancel)|"
    rf"(?:please )?(?:go through with|carry out|put) {_DOING}(?: through)?|that(?:'?s| is) (?:it|the one|exactly it)|"
    rf"(?:that|it|this) (?:suits me|works for me|will do)|"
    rf"(?:all|everything|it all|that|this|it) (?:of that )?is (?:quite |all )?in order|"
    rf"ok(?:ay)? to {_VERB}|(?:lock|book|sign) it in|cancel away|{_WISHED}|"
    rf"(?:right|ok(?:ay)?|fine|good|alright),? (?:the |my )?"
    r"(?:office|home|paypal|visa|mastercard|(?:gift )?card|return|exchange|swap|refund|cancellation) it is)\b|"
    rf"(?:please |kindly )?(?:do {_DOING}|{_VERB} {_DOING})\b)",
    re.I,
)
_FOREIGN = re.compile(
    r"(?:s[ií]|oui|ja|да|是的?|好的?|claro|adelante|tak|evet|はい|نعم)"
    r"(?=\W*$|[,.!，。]|\s+(?:"
    r"por favor|claro|adelante|gracias|confirmo|hazlo|h[aá]galo|bitte|gerne|danke|genau|mach\w*|s'il|merci|"
    r"d'accord|exactement|allez|пожалуйста|спасибо|proszę|lütfen)\b)",
    re.I,
)
_FOREIGN_BUT = re.compile(
    r"\b(?:aber|mais|pero|но|sondern|lieber|erst|nur|warte|espera|attend\w*|pas|ale|ama|maar|ma)\b", re.I
)
# Whatever begins a sentence by itself, as in "Lekker, that works".
_FIRST = re.compile(r"^\w+,\s+")
# A yes of its own within a sentence: "and for the other order, yes, same place".
_AMONG = re.compile(
    r",\s*(?:yes|yep|aye|yeah)\s*(?:[,.!]|$)|"
    r"^(?:the )?(?:address|order|return|exchange|refund|payment|swap|cancellation)(?: first| too)?:\s*(?:yes|yep)\b|"
    r",\s*(?:so|then|in that case) (?:yes|yeah)(?:\s*[.!]|\s*$|,\s*(?:please|kindly|do|go|make)\b)|"
    rf",\s*and (?:yes|yep|yeah),? (?:please|do|go|{_VERB})\b|"
    r"^in that case,? (?:yes|yeah)\b|^(?:both|all)(?: of (?:them|it))?,\s*agreed\b|"
    r"^(?:she|he|i) says? yes(?=\s*(?:[,.!]|$|n\b|and\b))",
    re.I,
)
# Words that are no more than polite, or a yes only where nothing else is said.
_WEAK = (
    r"(?:ok(?:ay)?|okey|fine|great|perfect|right|good|alright|all right|cool|lovely|wonderful|excellent|deal)"
)
_FILLER = (
    r"(?:oh|ah|hm|well|and|so|then|now|just|please|pls|plz|thanks?|thank you|thx|cheers|"
    r"by me|with me|for me|very much|"
    r"ma'am|boss|love|dear|quite|indeed|bet|sweet|brilliant|a lot|so much|sir|madam|guys|man|mate|wow|super|nice|"
    r"por favor|bitte|danke|gracias|merci|"
    r"s'il (?:vous|te) pla[iî]t|пожалуйста)"
)
_LEAD = re.compile(rf"^(?:(?:{_FILLER}|{_WEAK})\b[\s,.:'\"()-]*)+", re.I)
_BIDS = re.compile(rf"^{_WEAK}\b[\s,.:-]*(?:then[\s,]*)?(?:please )?{_VERB}\b", re.I)
_ONLY_WEAK = re.compile(rf"^(?=.*\b{_WEAK}\b)(?:(?:{_FILLER}|{_WEAK})\b[\s,'\"()-]*)+$", re.I)
_ASKS = re.compile(
    r"\b(what(?! i\b)|(?<!that's )(?<!thats )how|which|why|when|(?<!that's )(?<!thats )(?<!that is )where|who|"
    r"whose|explain|tell me|wonder\w*|think about|"
    r"think it over|was|wie|"
    r"warum|wann|qu'est|combien|pourquoi|qu[eé]|cu[aá]nto|cu[aá]ndo|como|c[oó]mo|что|как|когда|сколько)\b",
    re.I,
)
# A question that follows a yes in the same sentence.
_AND_ASKS = re.compile(r",\s*and (?=(?:what|how|when|where|which|why|will|do|can)\b)", re.I)
# What makes a yes unclear: a no, a wait, a condition, or another wish in its place.
_BUT = re.compile(
    r"\b(no|nope|nah|not|don'?t|do not|dont|wait|hold on|hang on|stop|instead|rather|never ?mind|nvm|forget it|"
    r"actually|unless|if|hmm+|but(?! (?:only|just|nothing else|keep the (?:rest|other)|leave the (?:rest|other)))|"
    r"cheaper|let me (?:think|check|ask)|later|maybe|perhaps|depends|changed? my mind|on second thought|"
    r"just testing|kidding|before you|leave (?:it|that|everything)|as it is|keep (?:it|them)|"
    r"is that (?:right|correct|it)|nein|nee|non|нет|nie)\b",
    re.I,
)
# These hold a "no" or "not" and take nothing back.
_HARMLESS = re.compile(
    r"\b(no (?:other|more|further) \w+|no (?:open )?orders?(?: (?:open|pending|waiting))?|"
    r"cheaper even(?= ?[.,!])|nothing else(?: from (?:the|that|this) \w+)?(?:,? no(?=\.))?|"
    r"i (?:shall not|will not|won't|shan't) change my mind(?= ?(?:[.,!;]|$))|"
    r"no problem|no need to|no worries|not the (?:other|rest)|no rush|"
    r"if (?:you (?:would|could|please|don'?t mind)|you'd be so kind|possible|i may)|why not|"
    r"(?:nothing|no) more(?= ?(?:[.,!;]|$))|nothing more|not changing anything (?:else|besides|other)|"
    r"that(?:'?s| is|s) the ones? to \w+|only (?:the|this|that) [\w '-]+, not (?:the|my) \w+|"
    r"leave (?:the|my) (?:account|profile|rest|others?|other orders?)(?: address)?"
    r"(?: alone| as (?:it|they) (?:is|are))?"
    r"(?:,? (?:and )?i['’]?ll (?:see to|do|change|sort out) (?:that|it) (?:later|myself))?(?= ?(?:[.,!;]|$))|"
    r"no doubt|not anything else|don'?t (?:change|touch) (?:the|anything|my) (?:other|else|account|rest)\w*|"
    r"no (?:apartment|apt|flat|suite|unit)(?: number)?|not (?:my|the) account|never ?mind the rest)\b",
    re.I,
)


# What ends a talk agrees to nothing.
_CLOSES = re.compile(
    r"\bthat(?:['’]?s| is| will be| was)? all\b|\b(?:good ?bye|bye|good (?:evening|night|day))\b", re.I
)

SHORT, MANY = 6, 8  # words


def clear_yes(text: str) -> bool:
    """Say whether a text is a clear yes: a sentence of it begins with one and asks nothing, and nothing takes it back.

    A mere "ok" or "great" is one only where nothing but politeness stands beside it.
    """
    if strong_yes(text):
        return True
    sentences = _sentences(text)
    return bool(sentences) and all(_ONLY_WEAK.match(one.strip(" .!;\n,:)")) for one in sentences)


def bids(text: str) -> bool:
    """Say whether a text agrees and bids to do something: "right, send the notebook back"; it may be another thing."""
    sentences = _sentences(text)
    return (
        len(sentences) == 1
        and len(text.split()) <= MANY
        and _BIDS.match(sentences[0].strip(" .!,")) is not None
        and not sentences[0].endswith(("?", "？"))
        and _ASKS.search(sentences[0]) is None
    )


def could_be_yes(text: str) -> bool:
    """Say whether a text may be a yes in other words: it is short and asks nothing, and nothing takes it back."""
    return (
        len(text.split()) <= SHORT
        and _CLOSES.search(text) is None
        and bool(_sentences(text))
        and "?" not in text
        and not _ASKS.search(_HARMLESS.sub(" ", text))
    )


def strong_yes(text: str) -> bool:
    """Say whether a clear yes leaves no doubt: it is said with the word itself, not with a mere "fine"."""
    return any(_says_yes(sentence) for sentence in _sentences(text))


def _sentences(text: str) -> list[str]:
    """Return a text's sentences; none where something in it takes a yes back."""
    rest = _HARMLESS.sub(" ", text.replace("’", "'"))
    if _BUT.search(rest):
        return []
    apart = _AND_ASKS.sub(". ", rest)
    parts = re.findall(r"[^.!?;\n。！？]+[.!?;\n。！？]*", apart)
    return [one.strip() for one in parts if one.strip(" .!;\n,")]


def _says_yes(sentence: str) -> bool:
    """Say whether a sentence begins with a yes and asks nothing."""
    if sentence.endswith(("?", "？")):
        return False
    begins = sentence.strip(" ,'\"-:()")
    for start in (begins, _LEAD.sub("", begins), _FIRST.sub("", begins)):
        found = _STRONG.match(start) or _AMONG.search(start)
        if found is not None:
            return not _ASKS.search(start[found.end() :])
        foreign = _FOREIGN.match(start)
        if foreign is not None:
            after = start[foreign.end() :]
            return len(after.split()) <= 4 and not _FOREIGN_BUT.search(after) and not _ASKS.search(after)
    return False


_FRIENDLY = re.compile(
    r"\b(?:please|kindly|perfect|just so|exactly|right|great|lovely|good|fine|ok(?:ay)?|through|there|in|now|sure|"
    r"correct|brilliant|super|nice|cool|works?|suits?)\b",
    re.I,
)
_GIVES_UP = re.compile(
    r"\b(?:no|nope|nah|not|never|none|nothing|neither|cannot|stop|wait|hold|leave|leaving|drop|cancel\w*|forget|changed|"
    r"mind|keep\w*|skip|scrap|undo|pass|enough|rather|hang|later|else|another|instead|abort|quit|back|out|alone|scratch|"
    r"reconsider\w*|wrong|disagree|decline|refuse|reject|without|expensive|much|sorry|actually|think|nein|non|stays?|"
    r"fits?|as it|let (?:it|me|them)|"
    r"withdraw|retract)\b|n['’]?t\b",
    re.I,
)


def may_approve(text: str) -> bool:
    """Say whether a text may agree: it is friendly or says more than a refusal would, and takes nothing back."""
    rest = _HARMLESS.sub(" ", text)
    return (_GIVES_UP.search(rest) or _CLOSES.search(rest)) is None and (
        _FRIENDLY.search(rest) is not None or len(text.split()) > MANY
    )
