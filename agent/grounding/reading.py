"""A sentence read into mentions (names, dates, figures, measures, quotations) and clauses."""

from __future__ import annotations

import re
from collections.abc import Sequence

from storewise.agent.grounding import dates, numbers
from storewise.agent.grounding.clauses import Mention, Reading, settle
from storewise.agent.grounding.everyday import EVERYDAY, GOODS
from storewise.agent.grounding.lexicon import Lexicon, key
from storewise.agent.grounding.tokens import Sentence, Token, plain, sentences, singular
from storewise.agent.grounding.words import (
    CURRENCIES,
    HEDGES,
    ID_NOUNS,
    LEVELS,
    MEASURES,
    ONES,
    ORDINALS,
    SCALES,
    SEGMENTS,
    UNITS,
)

_QUOTE = re.compile(
    r'"([^"\n]{1,600})"|(?:(?<=^)|(?<=[\s(\[:]))\'([^\'\n](?:[^\n]{0,600}?[^\s]))\'(?=[\s.,;:!?)\]]|$)', re.M
)
_QUOTED = 0xE000  # quotations are masked by one private character each
NAMED = "\uf8ff"  # stands before a name that was in quotation marks
_ACRONYMS = frozenset("ok id ids auc rfm aov ai faq csv usd us vs pm am q1 q2 q3 q4 tv i".split())
_FIRST_WORDS: dict[str, int] = {}
for _phrase in MEASURES:
    _FIRST_WORDS[_phrase[0]] = max(_FIRST_WORDS.get(_phrase[0], 0), len(_phrase))
_COPULAS = frozenset(
    "is are was were be been become became remain remains still it's they're call called".split()
)
# What may follow a name that is also an everyday word, at the start of a sentence: "Private took".
_AFTER_NAME = frozenset(
    ": ( | , brand label category has have had took take is was are were brought made sold led lead leading earned "
    "account accounted come came follow followed with at and rank contributed contribute make".split()
)
_SEGMENT_NORMS = {
    singular(name.split()[0]): [(name, [singular(part) for part in name.split()])] for name in SEGMENTS
}
SENTIMENTS = frozenset("positive negative mixed neutral".split())
_OPINIONS = frozenset({"positive", "negative"})
_BEFORE_COUNT = frozenset(
    "top first last the all these those next only of other about some another his their".split()
)


def masked(text: str, lexicon: Lexicon) -> tuple[str, list[str]]:
    """Return `text` with each quotation replaced by one character, and the quotations.

    What is a name in quotation marks ("Bananas") stays a name.
    """
    quotes: list[str] = []

    def mask(match: re.Match[str]) -> str:
        said = match.group(1) or match.group(2)
        if key(said) in lexicon or len(quotes) > 500:
            return f" {NAMED} {said} "
        quotes.append(said)
        return f" {chr(_QUOTED + len(quotes) - 1)} "

    return _QUOTE.sub(mask, plain(text)), quotes


class Reader:
    """Reads texts against one lexicon and one vocabulary (the words of the findings and the question)."""

    def __init__(self, lexicon: Lexicon, vocabulary: frozenset[str], exact: bool = False) -> None:
        self._lexicon = lexicon
        self._vocabulary = vocabulary
        self._exact = exact  # the findings name things in full, people in part

    def text(self, text: str) -> list[Reading]:
        """Return a reading of each sentence of `text`."""
        body, quotes = masked(text, self._lexicon)
        return [self._sentence(sentence, quotes) for sentence in sentences(body)]

    def _sentence(self, sentence: Sentence, quotes: Sequence[str]) -> Reading:
        words = sentence.tokens
        reading = Reading(sentence)
        at = 0
        while at < len(words):
            found = self._mention(words, at, quotes, reading.mentions, sentence)
            if found is None:
                at += 1
                continue
            reading.mentions.append(found)
            at = max(found.end, at + 1)
        settle(reading)
        self._keep_levels(reading)
        return reading

    def _mention(
        self,
        words: Sequence[Token],
        at: int,
        quotes: Sequence[str],
        before: list[Mention],
        sentence: Sentence,
    ) -> Mention | None:
        token = words[at]
        if 0 <= ord(token.text[0]) - _QUOTED < len(quotes):
            return Mention("quote", at, at + 1, quotes[ord(token.text[0]) - _QUOTED])
        named = self._name(words, at)
        if named and (named.end - at > 1 or not token.is_number):
            return named
        if token.is_number and self._is_id(words, at, before):
            return named or Mention(
                "name", at, at + 1, token.text, frozenset({token.norm}), self._id_kind(words, at)
            )
        dated = dates.read(words, at)
        if dated:
            return Mention("when", at, dated[1], _said(words, at, dated[1]), when=dated[0])
        figure = self._figure(words, at)
        if figure:
            return figure
        follow = UNITS.get(words[at + 1].norm) if at + 1 < len(words) else None
        if token.norm in SENTIMENTS and (follow == "reviews" or any(one.what == "review" for one in before)):
            return Mention("name", at, at + 1, token.text, frozenset({token.norm}), "sentiment")
        measure = _measure(words, at)
        if measure:
            return measure
        if token.norm in LEVELS:
            return Mention("name", at, at + 1, token.text, frozenset({LEVELS[token.norm]}), "level")
        return self._unknown(words, at, sentence)

    def _figure(self, words: Sequence[Token], at: int) -> Mention | None:
        lower = words[at].text.lower()
        if lower == "no" and at + 1 < len(words) and words[at + 1].norm in UNITS:
            unit = UNITS[words[at + 1].norm]
            if unit in ("customers", "units", "reviews", "sessions", "mentions", "products"):
                number = numbers.Number(0, 1, 0, "number", f"no {words[at + 1].text}", unit)
                return Mention("number", at, at + 2, number.text, number=number)
            return None
        found = numbers.read(words, at)
        if found is None:
            return None
        number, end = found
        after = words[end].norm if end < len(words) else ""
        before = words[at - 1].norm if at else ""
        if (
            lower == "one"
            and number.kind == "number"
            and (number.unit in (None, "rows") or before not in ("only", "just", "exactly"))
        ):
            return None  # a pronoun, as in "one customer writes"
        if lower == "second" and at and words[at - 1].is_number:
            return None
        if number.kind == "ordinal" and after in (
            "quarter",
            "half",
            "order",
            "purchase",
            "visit",
            "time",
            "step",
        ):
            return None
        return Mention("number", at, end, number.text, number=number)

    def _name(self, words: Sequence[Token], at: int) -> Mention | None:
        found = self._lexicon.match(words, at, self._exact)
        segment = _segment(words, at, self._lexicon.ranked)
        if segment and (found is None or segment[1] >= found[1]):
            return Mention(
                "name", at, segment[1], _said(words, at, segment[1]), frozenset({segment[0]}), "segment"
            )
        if found is None:
            return None
        names, end, _ = found
        kinds = {self._lexicon.kind(name) for name in names}
        if kinds == {"segment"}:
            return None  # spelled like a segment, but an everyday word here
        if end - at == 1:
            norm = words[at].norm
            capital = words[at].text[0].isupper() or words[at].text[0].isdecimal()
            if norm in LEVELS and kinds == {"level"}:
                names = frozenset({LEVELS[norm]})
            elif kinds == {"phrase"}:
                near = {words[at - 1].text if at else "", words[end].text if end < len(words) else ""}
                judged = any(
                    _OPINIONS & MEASURES.get((word.norm,), frozenset()) for word in words[max(0, at - 5) : at]
                )
                if norm in EVERYDAY and not judged and not near & {NAMED, "(", ":"}:
                    return None
            elif (norm in EVERYDAY or norm in UNITS) and not kinds & {"aspect", "sentiment", "level"}:
                after = words[at + 1].norm if at + 1 < len(words) else ""
                if not capital and after not in ("brand", "label", "category", "segment", "department"):
                    return None
                if at == 0 and after not in _AFTER_NAME:
                    kinds_fit = kinds & {"brand", "category", "product", "name"} and norm not in EVERYDAY
                    if not kinds_fit and norm in EVERYDAY and len(words) > 1 and words[1].is_word:
                        return None
        what = sorted(kinds, key=lambda kind: (kind == "other", kind))[0]
        return Mention("name", at, end, _said(words, at, end), names, what)

    def _is_id(self, words: Sequence[Token], at: int, before: list[Mention]) -> bool:
        """Whether the digits at `at` name something and count nothing."""
        text = words[at].text
        if not text.isdecimal():
            return False
        if words[at].owner:
            return True
        after = words[at + 1] if at + 1 < len(words) else None
        if at and words[at - 1].norm in CURRENCIES:
            return False
        if after and (after.text in ("%", "/") or after.norm in ("percent", "pct", *SCALES, "k")):
            return False
        noun = at - 1
        while noun >= 0 and words[noun].text.lower() in ("#", "no", "number", "id", ".", "with"):
            noun -= 1
        id_noun = noun >= 0 and words[noun].norm in ID_NOUNS and ID_NOUNS[words[noun].norm] != ""
        known = text in self._lexicon
        if id_noun and not known:
            # "Orders 104", "days since the last order 104": a measure, then its figure.
            measured = bool(before) and before[-1].kind == "measure" and before[-1].end == at
            several = words[noun].text.lower().endswith("s")
            id_noun = not (several or (measured and before[-1].end - before[-1].start > 1))
        figure = numbers.read(words, at)
        counted = bool(figure and figure[0].unit and figure[0].unit not in ("rows",))
        if id_noun and (known or not counted):
            return True
        listed = _follows_id(words, at, before)
        if known:
            if counted and not listed:
                return False
            if len(text) < 3 and not listed:
                lead = words[at - 1].text.lower() if at else ""
                return lead not in _BEFORE_COUNT and lead not in HEDGES
            return True
        return listed and len(text) > 1 and not counted

    def _id_kind(self, words: Sequence[Token], at: int) -> str:
        for here in range(at - 1, max(-1, at - 4), -1):
            if words[here].norm in ID_NOUNS:
                return ID_NOUNS[words[here].norm] or "customer"
        return "customer"

    def _unknown(self, words: Sequence[Token], at: int, sentence: Sentence) -> Mention | None:
        token = words[at]
        if ":" in token.text and token.is_number and token.norm not in self._vocabulary:
            return Mention("unknown", at, at + 1, token.text)
        if not token.is_word:
            return None
        norm = token.norm
        known = (
            norm in self._vocabulary
            or norm in EVERYDAY
            or (norm in dates.WEEKDAYS and norm in self._vocabulary)
        )
        if any(sign.isdecimal() for sign in token.text):
            found = norm in self._vocabulary or norm in _ACRONYMS
            return None if found else Mention("unknown", at, at + 1, token.text)
        if known or norm in _ACRONYMS or norm in UNITS or norm in ONES or norm in ORDINALS or norm in SCALES:
            return None
        if token.text[0].isupper():
            first = at == 0 or words[at - 1].text in (":", "(", "|")
            if first and (norm.endswith(("ly", "ing", "ed", "n't")) or "'" in token.text):
                return None
            end = at + 1
            while end < len(words) and words[end].is_word and words[end].text[0].isupper():
                end += 1
            return Mention("unknown", at, end, _said(words, at, end))
        return Mention("unknown", at, at + 1, token.text) if norm in GOODS else None

    def _keep_levels(self, reading: Reading) -> None:
        """Drop "low", "high" and the like where they say nothing of a risk."""
        kept = []
        for mention in reading.mentions:
            if mention.kind == "name" and mention.what == "level":
                near = {
                    measure
                    for other in reading.mentions
                    if other.kind == "measure"
                    and other.clause == mention.clause
                    and abs(other.start - mention.start) < 8
                    for measure in other.measures
                }
                clause = reading.clauses[mention.clause]
                alone = clause.aside and clause.end - clause.start <= 2
                listed = alone or (clause.end - clause.start == 1 and clause.opener in (",", "|", ":"))
                if "risk" not in near and not listed:
                    continue
                if near - {"risk", "revenue", "share"} and "risk" not in near:
                    continue
            kept.append(mention)
        reading.mentions = kept


def _segment(words: Sequence[Token], at: int, ranked: bool) -> tuple[str, int] | None:
    """Read the name of a segment of customers at `at`: "Champions", "At risk", "a loyal customer"."""
    for name, norms in _SEGMENT_NORMS.get(words[at].norm, ()):
        if [word.norm for word in words[at : at + len(norms)]] != norms:
            continue
        end = at + len(norms)
        after = words[end].norm if end < len(words) else ""
        before = words[at - 1].text.lower() if at else ""
        capital = words[at].text[0].isupper()
        grouped = after in ("segment", "group", "tier", "class", "bucket")
        customers = after in ("customer", "household", "shopper", "one", "lot", "buyer")
        if name in ("champions", "hibernating"):
            said = capital or grouped or customers or before in _COPULAS or name == "champions"
        elif capital:
            said = at > 0 or ranked or grouped or customers or after in _AFTER_NAME or not after
        elif name == "loyal" or ranked:  # "new customers", where a table has the segments in its rows
            said = grouped or customers or (name == "loyal" and before in _COPULAS)
        else:
            said = grouped
        if said:
            return " ".join(norms), end
    return None


def _measure(words: Sequence[Token], at: int) -> Mention | None:
    longest = _FIRST_WORDS.get(words[at].norm, 0)
    for length in range(min(longest, len(words) - at), 0, -1):
        phrase = tuple(word.norm for word in words[at : at + length])
        if phrase in MEASURES:
            follow = words[at + length].text if at + length < len(words) else ""
            several = words[at].text.lower().endswith("s")
            if length == 1 and phrase[0] in UNITS and not several and phrase[0] not in ("time", "second"):
                return None  # one customer is no measure
            if (
                length == 1
                and not several
                and phrase[0] in ID_NOUNS
                and any(sign.isdecimal() for sign in follow)
            ):
                return None  # "customer 900" names, and measures nothing
            return Mention(
                "measure", at, at + length, _said(words, at, at + length), measures=MEASURES[phrase]
            )
    return None


def _follows_id(words: Sequence[Token], at: int, before: list[Mention]) -> bool:
    """Whether the token continues a list of ids: "customers 1609, 1228 and 77"."""
    here = at - 1
    if here < 0 or words[here].text.lower() not in (",", "and", "&", "or", "/"):
        return False
    while here >= 0 and words[here].text.lower() in (",", "and", "&", "or", "/"):
        here -= 1
    last = before[-1] if before else None
    return last is not None and last.kind == "name" and last.end == here + 1 and last.text.isdecimal()


def _said(words: Sequence[Token], start: int, end: int) -> str:
    return " ".join(word.text for word in words[start:end])
