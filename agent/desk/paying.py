"""Which payment method a text names: the customer's own by kind, brand or last digits, or the one that paid."""

from __future__ import annotations

import re
from dataclasses import dataclass

from storewise.agent.desk.things import Method, OwnOrder, Things
from storewise.agent.desk.words import alike, sentences_of, words_of

_METHODS = {
    "paypal": "paypal",
    "gift": "gift_card",
    "giftcard": "gift_card",
    "voucher": "gift_card",
    "card": "credit_card",
    "debit": "credit_card",
}
_BRANDS = frozenset("visa mastercard amex american discover maestro diners jcb".split())
_PAID = re.compile(
    r"\bpaid (?:it |for it |that )?(?:with|by|via|through) (?:my |the |a )?\w+(?: card)?", re.I
)
# The method that pays for it as it stands: "it's on PayPal now".
_NOW = re.compile(
    r"\b(?:the|my) \w+(?: card)? (?:was|is being) (?:charged|used|billed)\b|"
    r"\b(?:it['’]?s|it is|is|was) (?:currently |now )?(?:on|with|under) (?:my |the |a )?\w+(?: card)?"
    r" (?:now|at the moment|currently|so far)\b|"
    r"\b(?:now|currently|at the moment) it(?:['’]?s| is) (?:on |with |under )?(?:my |the |a )?\w+(?: card)?",
    re.I,
)
_DENIED = re.compile(
    r"\bnot (?:(?:to|on|onto|with|from|my|the) )+"
    r"[^,.;!?]*?(?=\bbut\b|\band (?:put|use|on|to)\b|[,.;!?]|$)",
    re.I,
)
_UNUSED = re.compile(
    r"\b(?:hardly|rarely|never|don'?t|no longer|not) (?:really |even )?(?:use|using|want)\b|\bno longer have\b|"
    r"\bcard (?:is|was|has|got) (?:\w+ )?(?:expired?|lost|closed|blocked|stolen|gone)\b",
    re.I,
)
# A gift that pays for nothing: "a wedding gift", "it was a gift for my son".
_PRESENT = re.compile(
    r"\b(?:wedding|birthday|christmas|xmas|anniversary|graduation|a|this|the|their|his|her) gift"
    r"(?! ?(?:card|voucher|certificate|balance|credit))\b",
    re.I,
)
_AS_PAID = re.compile(
    r"\b(same (?:as|way|card|method|account|payment)|original(?:ly)?|how i paid|(?:as|what|which|where) i paid|"
    r"i paid (?:with|by)|where it came from|used for (?:it|the order))\b",
    re.I,
)


@dataclass(frozen=True)
class Paying:
    """A payment method as a text names it: the customer's own one or several that fit, or the bare words."""

    methods: tuple[Method, ...]
    said: str


def paying(text: str, things: Things, order: OwnOrder | None) -> Paying | None:
    """Return the payment method that a text names as the one to use, None where it names none.

    "PayPal instead of my card" and "from the Visa to my Mastercard" name the one that is to be used.
    """
    denied = {
        method.method_id
        for found in _DENIED.findall(text)
        if (named := _paying(found, things, order)) is not None
        for method in named.methods
    }
    for sentence in reversed(sentences_of(text)):
        # "on my Mastercard, I don't use PayPal any more"
        sentence = ",".join(part for part in sentence.split(",") if not _UNUSED.search(part))
        named = _to_be_used(_DENIED.sub(" ", sentence), things, order)
        if named is not None:
            left = tuple(method for method in named.methods if method.method_id not in denied)
            if named.methods and not left:
                continue
            return Paying(left, named.said)
    return None


def _to_be_used(text: str, things: Things, order: OwnOrder | None) -> Paying | None:
    text = _NOW.sub(" ", text)
    told = _PAID.sub(" ", text)
    if told != text and (named := _paying(told, things, order)) is not None:
        return named  # "I paid with PayPal but would rather have it on my gift card"
    parts = re.split(r"\binstead of\b|\brather than\b", text, flags=re.I)
    part = parts[0]
    moved = re.search(r"\bfrom\b(.*?)\b(?:to|onto|into)\b(.*)", part, re.I | re.S)
    if moved and _paying(moved[1], things, order):
        part = moved[2]
    return _paying(part, things, order) or (_paying(parts[-1], things, order) if not part.strip() else None)


def _paying(text: str, things: Things, order: OwnOrder | None) -> Paying | None:
    words = [word.raw.lower() for word in words_of(_PRESENT.sub(" ", text))]
    for method in things.methods:
        if method.method_id.lower() in text.lower():
            return Paying((method,), method.method_id)
    kinds = {_METHODS[word] for word in words if word in _METHODS}
    if "gift_card" in kinds:
        kinds.discard("credit_card")
    if "pay" in words and "pal" in words:
        kinds.add("paypal")
    brands = [word for word in words if word in _BRANDS or _brand_like(word)]
    digits = re.findall(r"(?<![\w#$.,])(\d{4})(?![\w.,]\d|\w)", text)
    if brands or (digits and kinds <= {"credit_card"} and kinds):
        own = [
            m
            for m in things.methods
            if m.kind == "credit_card"
            and (not brands or any(alike(b, m.brand.lower()) for b in brands))
            and (not digits or m.last_four in digits)
        ]
        return Paying(tuple(own), " ".join([*brands, *digits]) or "credit card")
    if kinds:
        kind = next(iter(sorted(kinds, key=lambda one: one != "paypal")))
        own = [method for method in things.methods if method.kind == kind]
        used = [method for method in own if order is not None and method.method_id in order.paid_with]
        return Paying(tuple(used if len(own) > 1 and used else own), kind.replace("_", " "))
    by_digits = [m for m in things.methods if m.last_four and m.last_four in digits]
    if by_digits:
        return Paying(tuple(by_digits), by_digits[0].last_four)
    if order is not None and _AS_PAID.search(text):
        own = [method for method in things.methods if method.method_id in order.paid_with]
        return Paying(tuple(own), "the method that paid for the order")
    return None


def _brand_like(word: str) -> bool:
    return len(word) > 6 and any(alike(word, brand) for brand in _BRANDS if len(brand) > 6)
