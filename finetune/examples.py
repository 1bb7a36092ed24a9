"""Training examples for the call task: what a person types, and the calls that answer it in the short syntax.

The wishes were written by hand (finetune/wishes); this program fills in values, joins two wishes, leans a
question on the one before, and types it all as people do: detours, slips, casing, missing marks. Values stand
in the calls as they stand in the question, except enums, segment names and numbers.

    python -m storewise.finetune.examples --n 9000 --out FILE --seed 7
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal, TypedDict

from storewise.finetune.horizons import reads
from storewise.finetune.noise import ended, typed
from storewise.finetune.values import Values, turns
from storewise.finetune.wording import (
    ARGUMENTS,
    FOLLOW_UPS,
    IT,
    Block,
    Piece,
    Wish,
    fill_calls,
    read_banks,
    read_list,
)
from storewise.tools.calls import WrittenCall, read_calls, write_calls
from storewise.tools.shop.generation import Shop, ShopError, open_shop

WISHES = Path(__file__).parent / "wishes"
# The share of each kind of example; what is left goes to the tools, a double share to sales_report.
_NONE, _TWO, _FOLLOW_UP = 0.12, 0.11, 0.11
_DOUBLE = ("sales_report",)


def _words_of(text: str) -> frozenset[str]:
    return frozenset(text.split())


# How a wish begins says which detours go before it.
_ASKS = _words_of("who whom whose what which how where when why what's who's how's whats whos hows")
_AUX = _words_of("is are do does did was were can could will would should has have had am may any")
_VERBS = _words_of(
    "show give list tell find get pull open bring look search check rank sort name predict run recommend boil "
    "suggest describe profile compare quote read fetch print plot chart draw break split display report recap "
    "summarize summarise sum count explain identify flag pick propose let send see calculate compute prepare"
)
_SENTENCE = _words_of(
    "i i'm i've we we're they it he she you is are was were do does did have has can could will would should "
    "need want keep my our somebody someone people"
)


class Before(TypedDict):
    """The question before, and its calls in the short syntax."""

    question: str
    calls: str


@dataclass(frozen=True)
class Example:
    """One training example.

    Attributes:
        task: what is made of what: call (calls of a question), answer (sentences of a finding), reviews (a
            sentence of customers' sentences), polarity (the word positive or negative of the question),
            desk (acts of what a customer says).
        before: of the call task, the question before this one.
        tools: the tools of the calls, or of the finding, in order; empty for none().
        finding_text: of the answer task, the finding as the model reads it; of the reviews task, the
            customers' sentences.
        opened, asked: of the desk task, the wish that is open and what was asked last.
    """

    task: Literal["call", "answer", "reviews", "polarity", "desk"]
    question: str
    answer: str
    tools: list[str]
    before: Before | None = None
    finding_text: str = ""
    opened: str = ""
    asked: str = ""


@dataclass(frozen=True)
class _Asked:
    """A wish with its values: the pieces of the question, and the calls as templates."""

    pieces: list[Piece]
    calls: tuple[WrittenCall, ...]
    fixed: dict[str, str]  # values that do not stand in the pieces


def make_examples(wishes: Path, shop: Shop | None, n: int, seed: int) -> Iterator[Example]:
    """Yield `n` different examples in a random order, the same for the same seed, wishes and shop.

    Args:
        wishes: the folder of the wish banks.
        shop: its customers, products and days fill the slots; without one, those of the lists do.

    Raises:
        BankError: a wish bank is not as it must be.
    """
    yield from _Maker(wishes, shop, random.Random(seed)).make(n)


def tool_questions(wishes: Path, shop: Shop | None, tool: str, seed: int) -> Iterator[Example]:
    """Yield examples of one wish to `tool`, without end and perhaps twice; the same for the same seed."""
    make = _Maker(wishes, shop, random.Random(seed)).single(tool)
    while True:
        example = make()
        if example is not None:
            yield example


class _Maker:
    def __init__(self, wishes: Path, shop: Shop | None, rng: random.Random) -> None:
        self.rng = rng
        self.values = Values(wishes, shop, rng)
        self.openings = {
            name: turns(items, rng) for name, items in read_list(wishes / "openings.txt").items()
        }
        self.closings = turns(read_list(wishes / "closings.txt")[""], rng)
        self.joiners = {name: turns(items, rng) for name, items in read_list(wishes / "joiners.txt").items()}
        blocks = [block for name, bank in read_banks(wishes).items() for block in bank]
        self.by_tool: dict[str, list[Block]] = {name: [] for name in (*ARGUMENTS, "none")}
        self.pairs: list[Block] = []
        self.follow_ups: list[Block] = []
        self.shared: list[Block] = []
        for block in blocks:
            name = block.calls[0].name
            if name in FOLLOW_UPS:
                self.follow_ups.append(block)
            elif IT in block.slots:
                self.shared.append(block)
            elif len(block.calls) > 1:
                self.pairs.append(block)
            else:
                self.by_tool[name].append(block)
        self.any_wish = {name: self._rounds(bank) for name, bank in self.by_tool.items()}

    def make(self, n: int) -> Iterator[Example]:
        none, two, follow = (round(n * share) for share in (_NONE, _TWO, _FOLLOW_UP))
        rest, shares = n - none - two - follow, len(ARGUMENTS) + len(_DOUBLE)
        makers: list[tuple[int, Callable[[], Example | None]]] = []
        quotas = {name: rest * (2 if name in _DOUBLE else 1) // shares for name in ARGUMENTS}
        quotas["sales_report"] += rest - sum(quotas.values())
        for name, quota in (*quotas.items(), ("none", none)):
            makers.append((quota, self.single(name)))
        makers += [
            (two - two // 2, self._pair()),
            (two // 4, self._joined),
            (two // 2 - two // 4, self._shared()),
        ]
        makers += [(follow - follow // 4, self._follow_up()), (follow // 4, self._after_another)]
        seen: set[tuple[str, str]] = set()
        examples: list[Example] = []
        for quota, make in makers:
            made = tries = 0
            while made < quota and tries < 60 * quota + 100:
                tries += 1
                example = make()
                key = (
                    (example.before["question"] if example.before else "", example.question.lower())
                    if example
                    else None
                )
                if example is not None and key is not None and key not in seen:
                    seen.add(key)
                    examples.append(example)
                    made += 1
        self.rng.shuffle(examples)
        yield from examples

    # Kinds of examples -------------------------------------------------------------------------------

    def single(self, tool: str) -> Callable[[], Example | None]:
        rounds = self._rounds(self.by_tool[tool])

        def make() -> Example | None:
            return self._example(self._ask(*next(rounds)), tool)

        return make

    def _pair(self) -> Callable[[], Example | None]:
        rounds = self._rounds(self.pairs)
        return lambda: self._example(self._ask(*next(rounds)), "pair")

    def _joined(self) -> Example | None:
        """Two wishes of their own in one message."""
        names = list(ARGUMENTS)
        one = self.rng.choice(names)
        two = self.rng.choice([name for name in names if name != one] if self.rng.random() < 0.8 else [one])
        first, second = (self._short_ask(name) for name in (one, two))
        return self._example(self._join("plain", first, second), "pair")

    def _shared(self) -> Callable[[], Example | None]:
        """A wish about somebody or something, and a second one that says "him", "them" or "it"."""
        rounds = self._rounds(self.shared)

        def make() -> Example | None:
            block, wish = next(rounds)
            argument = _argument_of_it(block.calls[0])
            first = self._ask_with(argument, apart_from=block.calls[0].name)
            second = self._ask(block, wish, it=f"{{{argument.removesuffix('_id')}}}")
            return self._example(self._join("shared", first, second), "pair")

        return make

    def _follow_up(self) -> Callable[[], Example | None]:
        rounds = self._rounds(self.follow_ups + self.shared)

        def make() -> Example | None:
            block, wish = next(rounds)
            operation = block.calls[0]
            if operation.name == "repeat":
                before = self._before(self.rng.choice(list(ARGUMENTS)), frozenset())
            elif operation.name == "set":
                before = self._before_setting(*next(iter(operation.args.items())))
            else:
                argument = _argument_of_it(operation)
                before = self._typed_before(self._ask_with(argument, apart_from=operation.name))
            if before is None:
                return None
            old = read_calls(before["calls"])[0]
            asked = self._ask(block, wish, it=old.args.get(_argument_of_it(operation) or "", ""))
            pieces = self._say(asked.pieces, "follow-up")
            new = [_changed(old, asked.calls[0], call) for call in _filled(asked, pieces)]
            if write_calls(new) == before["calls"] and operation.name != "repeat":
                return None
            return Example("call", _text(pieces), write_calls(new), [call.name for call in new], before)

        return make

    def _after_another(self) -> Example | None:
        """A full question after another one: nothing of the call before may slip into its call."""
        before = self._before(self.rng.choice(list(ARGUMENTS)), frozenset())
        kind = self.rng.choice([*ARGUMENTS, "none"])
        example = self._example(self._ask(*next(self.any_wish[kind])), kind)
        if before is None or example is None:
            return None
        return replace(example, before=before)

    # Parts -------------------------------------------------------------------------------------------

    def _rounds(self, blocks: list[Block]) -> Iterator[tuple[Block, Wish]]:
        """Yield every wording once, then in each round some of every block: small ones are heard too."""
        per_block = [(block, turns(block.wishes, self.rng)) for block in blocks]
        everything = [
            (block, wish)
            for block, wishes in per_block
            for wish, _ in zip(wishes, block.wishes, strict=False)
        ]
        yield from self.rng.sample(everything, len(everything))
        while True:
            some = [
                (block, next(wishes)) for block, wishes in per_block for _ in range(min(6, len(block.wishes)))
            ]
            yield from self.rng.sample(some, len(some))

    def _ask(self, block: Block, wish: Wish, it: str = "") -> _Asked:
        drawn: dict[str, Piece] = {}
        said = ""

        def fill(slot: str) -> Piece:
            if slot not in drawn:
                drawn[slot] = self.values.draw(slot, said)
                while slot.endswith("2") and drawn[slot].text == drawn.get(slot[:-1], Piece("")).text:
                    drawn[slot] = self.values.draw(slot, said)
            return drawn[slot]

        # Values are drawn in the order of the text, and a few look at the word before them.
        pieces: list[Piece] = []
        for piece in wish.draw(self.rng, lambda slot: Piece(slot, slot)):
            pieces.append(fill(piece.text) if piece.slot else piece)
            said = pieces[-1].text
        return _Asked(pieces, block.calls, {IT: it})

    def _short_ask(self, tool: str) -> _Asked:
        while True:
            asked = self._ask(*next(self.any_wish[tool]))
            if len(_text(asked.pieces)) <= 70 and not re.search(r"[.?!]", _text(asked.pieces)):
                return asked

    def _ask_with(self, argument: str, apart_from: str) -> _Asked:
        """A wish whose call has `argument`, by another tool than `apart_from`."""
        fitting = [
            block
            for name, blocks in self.by_tool.items()
            for block in blocks
            if name != apart_from and argument in block.calls[0].args
        ]
        while True:
            block = self.rng.choice(fitting)
            asked = self._ask(block, self.rng.choice(block.wishes))
            if len(_text(asked.pieces)) <= 80:
                return asked

    def _join(self, kind: str, first: _Asked, second: _Asked) -> _Asked:
        """Put two wishes into one message; the second one's slots are told apart from the first one's."""
        renamed = {piece.slot: f"{piece.slot}_b" for piece in second.pieces if piece.slot}
        second_pieces = [Piece(p.text, renamed[p.slot] if p.slot else None, p.value) for p in second.pieces]
        calls = tuple(
            WrittenCall(
                c.name, {k: v.replace("}", "_b}") if v[1:-1] in renamed else v for k, v in c.args.items()}
            )
            for c in second.calls
        )
        if second.fixed.get(IT):
            calls = tuple(
                WrittenCall(
                    c.name, {k: second.fixed[IT] if v == f"{{{IT}}}" else v for k, v in c.args.items()}
                )
                for c in calls
            )
        joined: list[Piece] = []
        for piece in next(self.joiners[kind]).draw(self.rng, lambda slot: Piece(slot, slot)):
            if piece.slot in ("1", "2"):
                joined += first.pieces if piece.slot == "1" else second_pieces
            else:
                joined.append(piece)
        return _Asked(joined, first.calls + calls, {})

    def _before(self, tool: str, having: frozenset[str]) -> Before | None:
        fitting = [block for block in self.by_tool[tool] if having <= block.calls[0].args.keys()]
        if not fitting:
            return None
        block = self.rng.choice(fitting)
        return self._typed_before(self._ask(block, self.rng.choice(block.wishes)))

    def _typed_before(self, asked: _Asked) -> Before:
        pieces = self._say(asked.pieces, "before")
        return {"question": _text(pieces), "calls": write_calls(_filled(asked, pieces))}

    def _before_setting(self, argument: str, value: str) -> Before | None:
        """A question before "and in May?": its call has what is changed, or can take it."""
        tools = [name for name, taken in ARGUMENTS.items() if argument in taken]
        tool = self.rng.choice(tools)
        must = argument in ("customer_id", "session_id", "segment") or (
            argument != "by" and self.rng.random() < 0.65
        )
        before = self._before(tool, frozenset({argument}) if must and argument != "metric" else frozenset())
        if before is None:
            return None
        old = read_calls(before["calls"])[0]
        ranking = old.args.get("by") in ("category", "brand", "product", "segment")
        if argument == "top" and (
            (tool == "sales_report" and not ranking)
            or "session_id" in old.args
            or (tool in ("churn_risk", "customer_value") and "customer_id" in old.args)
        ):
            return None
        if argument == "product" and (old.args.get("by") == "category" or "query" in old.args):
            return None
        return None if old.args.get(argument) == value else before

    def _say(self, pieces: list[Piece], kind: str) -> list[Piece]:
        """Put a detour before a wish and a word after it, and type it."""
        question = _is_question(pieces)
        share = {"greeting": 0.0, "thanks": 0.0, "none": 0.2, "follow-up": 0.1, "before": 0.12}.get(
            kind, 0.36
        )
        said = list(pieces)
        if self.rng.random() < share:
            said = self._opened(pieces, kind)
        if self.rng.random() < (0.05 if share < 0.3 else 0.12):
            said = self._closed(said, question)
        else:
            said = ended(said, self.rng, question)
        result = typed(said, self.rng)
        times = self.values.times
        for place, piece in enumerate(result):
            if piece.kind == "when":
                meant = next(p.text for p in said if p.slot == piece.slot)
                if not times.reads(piece.text, as_well_as=meant):
                    result[place] = Piece(meant, piece.slot)
            elif piece.kind in ("weeks", "span", "long") and str(reads(piece.text)) != piece.value:
                result[place] = next(p for p in said if p.slot == piece.slot)
        return result

    def _opened(self, pieces: list[Piece], kind: str) -> list[Piece]:
        fitting = ["any"] if kind in ("none", "follow-up") else _openings_for(pieces)
        name = self.rng.choice(fitting)
        opening = next(self.openings[name]).text(self.rng)
        first = pieces[0]
        if name != "any" and first.slot is None and first.text[:2] not in ("I ", "I'"):
            pieces = [Piece(first.text[:1].lower() + first.text[1:]), *pieces[1:]]
        return [Piece(opening + " "), *pieces]

    def _closed(self, pieces: list[Piece], question: bool) -> list[Piece]:
        closing = next(self.closings).text(self.rng)
        if pieces[-1].text[-1:] in ".?!":
            return pieces if closing[0] in ",." else [*pieces, Piece(" " + closing.strip())]
        if question and closing[0] == "." and self.rng.random() < 0.6:
            closing = "?" + closing[1:]
        return [*pieces, Piece(closing if closing[0] in ",.?! " else " " + closing)]

    def _example(self, asked: _Asked, kind: str) -> Example | None:
        if asked.calls[0].name == "none":
            said_as = asked.calls[0].args["kind"]
            pieces = self._say(asked.pieces, said_as if said_as in ("greeting", "thanks") else "none")
            return Example("call", _text(pieces), f"none({said_as})", [])
        pieces = self._say(asked.pieces, kind)
        calls = _filled(asked, pieces)
        if len({write_calls([call]) for call in calls}) < len(calls):
            return None
        return Example("call", _text(pieces), write_calls(calls), [call.name for call in calls])


def _text(pieces: Sequence[Piece]) -> str:
    return re.sub(r"[ ]{2,}", " ", "".join(piece.text for piece in pieces)).strip()


def _filled(asked: _Asked, pieces: Sequence[Piece]) -> list[WrittenCall]:
    """Return the calls with the values as they stand in the typed pieces."""
    values = dict(asked.fixed)
    for piece in pieces:
        if piece.slot and piece.slot not in values:
            values[piece.slot] = piece.value if piece.value is not None else piece.text.strip()
    return fill_calls(asked.calls, values)


def _argument_of_it(call: WrittenCall) -> str:
    return next((name for name, value in call.args.items() if value == f"{{{IT}}}"), "")


def _changed(old: WrittenCall, operation: WrittenCall, filled: WrittenCall) -> WrittenCall:
    """Apply a follow-up to the call before it."""
    if operation.name == "repeat":
        return old
    if operation.name != "set":
        return filled
    args = {name: value for name, value in old.args.items() if name not in filled.args}
    if args.get("top") and filled.args.get("by") in ("day", "week", "month"):
        del args["top"]
    merged = args | filled.args
    order = list(ARGUMENTS[old.name])
    return WrittenCall(old.name, {name: merged[name] for name in sorted(merged, key=order.index)})


def _words(pieces: Sequence[Piece]) -> list[str]:
    return re.findall(r"[\w'#]+", _text(pieces).lower())


def _is_question(pieces: Sequence[Piece]) -> bool:
    words = _words(pieces)
    return bool(words) and (
        words[0] in _ASKS | _AUX or any(word in ("who", "what", "which", "how", "why") for word in words)
    )


def _openings_for(pieces: Sequence[Piece]) -> list[str]:
    """The sections of openings.txt that go with a wish that begins like this."""
    words = _words(pieces) or [""]
    if words[0] in _ASKS:
        return ["any", "question"]
    if words[0] in _VERBS:
        return ["any", "any", "request"]
    text = _text(pieces)
    bare = not set(words) & (_SENTENCE | _ASKS | _AUX) and not re.search(r"[,.:?!]", text) and len(words) <= 8
    return ["any", "noun"] if bare and pieces[0].slot is None else ["any"]


def main() -> None:
    """Write examples as JSON lines and print how many there are of each tool."""
    parser = argparse.ArgumentParser(description="Make training examples for the call task.")
    parser.add_argument("--n", type=int, default=9000)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    try:
        shop: Shop | None = open_shop()
    except ShopError as error:
        print(f"No shop is open, so the lists alone fill the slots. ({error})", file=sys.stderr)
        shop = None
    examples = list(make_examples(WISHES, shop, arguments.n, arguments.seed))
    with arguments.out.open("w", encoding="utf-8") as out:
        for example in examples:
            out.write(json.dumps(asdict(example), ensure_ascii=False) + "\n")
    print(counts(examples))


def counts(examples: Sequence[Example]) -> str:
    """Return a table of how many examples there are of each tool and kind."""
    kinds: Counter[str] = Counter()
    for example in examples:
        one = example.tools[0] if example.tools else example.answer
        kinds["two wishes" if len(example.tools) > 1 else "follow-up" if example.before else one] += 1
    lines = [f"{name:24}{count:6}" for name, count in sorted(kinds.items())]
    return "\n".join([*lines, f"{'all':24}{len(examples):6}"])


if __name__ == "__main__":
    main()
