"""Training examples for the task `desk`: a customer's words, where the talk stands, and the acts they are.

Whole talks are simulated: a wish, the details asked for one at a time, corrections, questions in between, a yes
or a no, the next wish. So the states and the words come as often as in real talks. What is said in each state
was written by hand (finetune/wishes/desk); slips and casing come from finetune/noise.py.

    python -m storewise.finetune.desk_examples --n 2600 --out FILE --seed 7
    python -m storewise.finetune.desk_examples --shortlist FOLDER
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from storewise.finetune.desk_banks import DeskValues, Part, Said, read_bank, read_words
from storewise.finetune.examples import Example
from storewise.finetune.noise import typed
from storewise.finetune.values import turns
from storewise.finetune.wording import Piece, Wish
from storewise.tools.desk.acts import NOTHING, REASONS, WISHES, name_of, normal, read_acts

# How often each wish is meant, of a hundred and some.
WEIGHTS = {
    "cancel_pending_order": 13,
    "return_delivered_order_items": 11,
    "exchange_delivered_order_items": 10,
    "modify_pending_order_items": 9,
    "modify_pending_order_address": 7,
    "modify_user_address": 6,
    "modify_pending_order_payment": 6,
    "get_order_details": 13,
    "find_orders": 5,
    "get_user_details": 5,
    "get_product_details": 9,
    "list_all_product_types": 4,
    "search_reviews": 6,
    "transfer_to_human_agents": 8,
}
# What a wish needs to know, in the order in which the desk mostly asks for it.
NEEDS = {
    "cancel_pending_order": ("order", "reason"),
    "modify_pending_order_address": ("order", "address"),
    "modify_pending_order_items": ("order", "items", "new items", "payment"),
    "modify_pending_order_payment": ("order", "payment"),
    "return_delivered_order_items": ("order", "items", "payment"),
    "exchange_delivered_order_items": ("order", "items", "new items", "payment"),
    "modify_user_address": ("address",),
    "get_order_details": ("order",),
    "get_product_details": ("product",),
    "search_reviews": ("product",),
}
_REASON_WEIGHTS = dict(zip(REASONS, (40, 35, 25), strict=True))
# What is looked up in the middle of a wish, by what was asked.
_ASIDE = {
    "order": ("find_orders", "find_orders", "get_order_details"),
    "items": ("get_order_details", "get_product_details"),
    "new items": ("get_product_details", "get_product_details", "search_reviews"),
    "payment": ("get_user_details",),
    "address": ("get_user_details", "get_order_details"),
    "which": ("find_orders", "get_order_details"),
}
# How a turn goes on, by what was asked; what is not named here goes by "detail".
_GOES: dict[str, dict[str, float]] = {
    "first": {"wish": 62, "two": 9, "greeting": 8, "help": 5, "outside": 5, "policy": 9, "thanks": 2},
    "later": {"wish": 34, "short": 18, "two": 4, "thanks": 20, "help": 4, "outside": 5, "policy": 9},
    "detail": {
        "detail": 62, "restated": 3, "other detail": 4, "drop": 7, "drop and wish": 2, "aside": 9, "another": 5,
        "help": 2, "outside": 2, "policy": 2, "thanks": 0.5, "greeting": 0.5, "person": 3,
    },
    "confirmation": {
        "yes": 46, "no": 13, "detail": 13, "drop": 7, "yes and wish": 6, "no and wish": 4, "drop and wish": 3,
        "aside": 4, "another": 2, "help": 1, "policy": 2, "outside": 1, "person": 2,
    },
    "offer": {
        "yes": 40, "no": 22, "detail": 4, "drop": 8, "yes and wish": 3, "no and wish": 7, "another": 6,
        "aside": 3, "policy": 4, "outside": 1, "help": 1, "person": 4,
    },
    "which": {
        "detail": 60, "yes": 8, "no": 9, "drop": 6, "aside": 7, "another": 3, "no and wish": 2, "help": 2,
        "person": 2, "outside": 1, "policy": 1,
    },
}  # fmt: skip


@dataclass(frozen=True)
class _Message:
    """What is said: its pieces and acts."""

    pieces: list[Piece]
    acts: str


class DeskMaker:
    """Simulates talks; the same for the same seed and part of the banks."""

    def __init__(self, seed: int, part: Part = "all") -> None:
        self.rng = random.Random(seed)
        self.values = DeskValues(self.rng)
        banks = (
            "cancel",
            "returns",
            "exchange",
            "modify_items",
            "modify_address",
            "modify_payment",
            "questions",
        )
        said = [section for bank in (*banks, "details", "moves", "none") for section in read_bank(bank, part)]
        self.answers = [section for section in said if section.asked]
        self.any_time = _by_act(section for section in said if not section.asked)
        self.short = _by_act(read_bank("short", part))
        self.two = read_bank("two_wishes", part)
        # The words around a wish are no wordings of it: they are never held out.
        self.words = {
            name: turns(read_words(name), self.rng)
            for name in ("before", "behind", "also", "instead", "joined")
        }
        self._turns: dict[int, Iterator[Wish]] = {}

    def talks(self) -> Iterator[Example]:
        """Yield the turns of talk after talk, without end."""
        while True:
            yield from self._talk()

    # Talks ---------------------------------------------------------------------------------------------

    def _talk(self) -> Iterator[Example]:
        opened, asked, left = NOTHING, NOTHING, list[str]()
        first, looked_up = True, None
        for _ in range(self.rng.randint(3, 9)):
            seen, goes = opened, self._goes(asked, first)
            message = None
            if opened == NOTHING and asked == NOTHING and looked_up is not None:
                # What was looked up last counts as open, and is asked about further.
                seen = looked_up
                if self.rng.random() < 0.5 and looked_up in self.short:
                    goes, message = "short", self._from(self.short[looked_up])
            message = message or self._message(goes, opened, asked)
            if message is None:
                continue
            example = self._example(seen, asked, message, first)
            yield example
            first = False
            looked_up = next((name for name in example.tools if WISHES[name] == "read"), None)
            opened, asked, left = self._next(example, opened, asked, left, goes)

    def _goes(self, asked: str, first: bool) -> str:
        kind = ("first" if first else "later") if asked == NOTHING else asked
        ways = _GOES.get(kind, _GOES["detail"])
        return self.rng.choices(list(ways), list(ways.values()))[0]

    def _next(
        self, example: Example, opened: str, asked: str, left: list[str], goes: str
    ) -> tuple[str, str, list[str]]:
        """Return what is open and asked after a turn, and what is still to be asked."""
        wishes = example.tools
        if wishes and wishes[0] in ("transfer_to_human_agents", "find_orders", "list_all_product_types"):
            return (opened, asked, left) if asked != NOTHING and goes == "aside" else (NOTHING, NOTHING, [])
        if goes in ("aside", "help", "outside", "policy", "thanks", "greeting", "other detail"):
            if opened == NOTHING and goes == "policy" and self.rng.random() < 0.4:
                return NOTHING, "offer", []
            return opened, asked, left
        if wishes:
            opened = wishes[0]
            share = 0.66 if WISHES[opened] == "write" else 0.45
            left = [need for need in NEEDS.get(opened, ()) if self.rng.random() < share]
        elif goes in ("yes", "no", "drop"):
            if goes == "no" and asked == "confirmation" and self.rng.random() < 0.3:
                return opened, "offer", []
            return NOTHING, NOTHING, []
        if not left:
            ends = WISHES.get(opened) != "write"
            return self._asking(
                opened, "" if ends else self.rng.choice(("confirmation",) * 6 + ("offer",)), []
            )
        need = left[0] if self.rng.random() < 0.75 else self.rng.choice(left)
        return self._asking(opened, need, [other for other in left if other != need])

    def _asking(self, opened: str, need: str, left: list[str]) -> tuple[str, str, list[str]]:
        if not need:
            return NOTHING, NOTHING, []
        if need in ("order", "items", "new items", "payment") and self.rng.random() < 0.22:
            need = "which"
        return opened, need, left

    # Messages ------------------------------------------------------------------------------------------

    def _message(self, goes: str, opened: str, asked: str) -> _Message | None:
        match goes:
            case "wish":
                return self._wish(self._drawn_wish())
            case "two":
                return self._two()
            case "short":
                name = self._drawn_wish()
                message = self._from(self.short.get(name, [])) if name in self.short else self._wish(name)
                return self._led("also", message, 0.4)
            case "another":
                name = self._drawn_wish(apart_from=opened)
                made = self._from(self.short.get(name, [])) if self.rng.random() < 0.5 else self._wish(name)
                return self._led("instead" if self.rng.random() < 0.6 else "also", made, 0.8)
            case "aside":
                name = self.rng.choice(_ASIDE.get(asked, ("get_order_details", "get_product_details")))
                own = [one for one in self.answers if one.names == (name,) and one.fits(asked, opened)]
                return self._from(own or self.short.get(name, []))
            case "person":
                return self._from(
                    (self.short if self.rng.random() < 0.4 else self.any_time)["transfer_to_human_agents"]
                )
            case "detail":
                return self._detail(asked, opened)
            case "restated":
                # The open wish, said once more with what was asked, is a detail.
                message = self._wish(opened)
                told = (
                    any(piece.slot for piece in message.pieces)
                    and opened in NEEDS
                    and asked in ("order", "items")
                )
                return _Message(message.pieces, message.acts.replace(opened, "detail")) if told else None
            case "other detail":
                needs = [need for need in NEEDS.get(opened, ()) if need not in (asked, "reason")]
                return self._detail(self.rng.choice(needs), opened) if needs else None
            case "yes" | "no" | "drop":
                return self._move(goes, opened, asked)
            case "yes and wish" | "no and wish" | "drop and wish":
                return self._move_and_wish(goes.split()[0], opened, asked)
            case _:
                own = [
                    one for one in self.answers if one.names == (f"none:{goes}",) and one.fits(asked, opened)
                ]
                return self._from(self.any_time[f"none:{goes}"] + own)

    def _drawn_wish(self, apart_from: str = "") -> str:
        weights = {name: weight for name, weight in WEIGHTS.items() if name != apart_from}
        return self.rng.choices(list(weights), list(weights.values()))[0]

    def _wish(self, name: str, short: bool = False) -> _Message:
        """A wish by name; of a cancellation half are told with their reason."""
        for _ in range(40):
            sections = self.any_time[name]
            weights = [3.0 if len(read_acts(one.acts)[0].args) == 0 else 1.0 for one in sections]
            message = self._said(self.rng.choices(sections, weights)[0])
            if not short or sum(len(piece.text) for piece in message.pieces) <= 60:
                break
        return message

    def _two(self) -> _Message | None:
        if self.rng.random() < 0.4:
            return self._from(self.two)
        one = self._drawn_wish()
        first, second = self._wish(one, short=True), self._wish(self._drawn_wish(apart_from=one), short=True)
        return self._joined(first, second, "joined")

    def _joined(self, first: _Message, second: _Message, how: str) -> _Message:
        joiner = self._word(how)
        end = "" if how == "joined" else self.rng.choice((". ", ", ", " ", "! "))
        between = joiner if joiner[:1] in ",.;" else f" {joiner}"
        pieces = [*first.pieces, Piece(f"{end}{between.lstrip() if end else between} "), *second.pieces]
        return _Message(pieces, f"{first.acts}; {second.acts}")

    def _word(self, section: str) -> str:
        return next(self.words[section]).text(self.rng, {"name": self.values.filler()("name").text})

    def _led(self, words: str, message: _Message | None, share: float) -> _Message | None:
        if message is None or self.rng.random() >= share:
            return message
        return _Message([Piece(self._word(words) + " "), *message.pieces], message.acts)

    def _detail(self, asked: str, opened: str) -> _Message | None:
        fitting = [one for one in self.answers if one.names == ("detail",) and one.fits(asked, opened)]
        if asked == "reason":
            reason = self.rng.choices(REASONS, list(_REASON_WEIGHTS.values()))[0]
            return self._from([one for one in fitting if read_acts(one.acts)[0].args.get("reason") == reason])
        return self._from(fitting)

    def _move(self, move: str, opened: str, asked: str) -> _Message | None:
        fitting = [one for one in self.answers if one.names == (move,) and one.fits(asked, opened)]
        return self._from(fitting)

    def _move_and_wish(self, move: str, opened: str, asked: str) -> _Message | None:
        before = self._move(move, opened, asked)
        name = self._drawn_wish(apart_from=opened)
        wish = (
            self._from(self.short.get(name, [])) if self.rng.random() < 0.55 else self._wish(name, short=True)
        )
        if before is None or wish is None or sum(len(piece.text) for piece in before.pieces) > 45:
            return None
        how = "also" if move == "yes" else self.rng.choice(("instead", "also", "instead"))
        return self._joined(before, wish, how)

    def _from(self, sections: Sequence[Said]) -> _Message | None:
        """A line of one of the sections, a longer section oftener; None where there is none."""
        weights = [len(one.wishes) for one in sections]
        return self._said(self.rng.choices(sections, weights)[0]) if sections else None

    def _said(self, section: Said) -> _Message:
        own = self._turns.setdefault(id(section), turns(section.wishes, self.rng))
        return _Message(next(own).draw(self.rng, self.values.filler()), section.acts)

    def _example(self, opened: str, asked: str, message: _Message, first: bool) -> Example:
        pieces = list(message.pieces)
        acts = read_acts(message.acts)
        wishes = [act.name for act in acts if act.name in WISHES]
        small_talk = acts[0].name == "none" and acts[0].args["kind"] in ("greeting", "thanks", "help")
        if acts[0].name in WISHES and self.rng.random() < (0.3 if first else 0.08):
            pieces.insert(0, Piece(self._word("before") + " "))
        if not small_talk and self.rng.random() < (0.16 if wishes else 0.08):
            pieces.append(Piece(" " + self._word("behind")))
        elif pieces[-1].text[-1:] not in ".?!" and self.rng.random() < 0.25:
            pieces.append(Piece(self.rng.choice(".....!.")))
        text = normal("".join(piece.text for piece in typed(pieces, self.rng)))
        return Example("desk", text, message.acts, wishes, None, "", opened, asked)


def _by_act(sections: Iterator[Said] | Sequence[Said]) -> dict[str, list[Said]]:
    result: dict[str, list[Said]] = {}
    for section in sections:
        result.setdefault(section.names[0], []).append(section)
    return result


def make_desk(number: int, seed: int, part: Part = "all") -> list[Example]:
    """Return `number` different examples of the task `desk`, the same for the same seed and part of the banks."""
    if number == 0:
        return []
    seen: set[tuple[str, str, str]] = set()
    examples: list[Example] = []
    for tried, example in enumerate(DeskMaker(seed, part).talks()):
        key = (example.opened, example.asked, example.question.lower())
        if example.question and key not in seen:
            seen.add(key)
            examples.append(example)
        if len(examples) == number or tried > 60 * number:
            break
    return examples


def counts(examples: Sequence[Example]) -> str:
    """Return a table of how often each act is written, and of how many examples hold two."""
    acts: Counter[str] = Counter()
    for example in examples:
        written = read_acts(example.answer)
        acts.update(name_of(act) for act in written)
        acts["two acts"] += len(written) > 1
    return "\n".join(f"{name:34}{count:6}" for name, count in sorted(acts.items()))


def note_shortlist(folder: Path, scores: dict[str, object]) -> None:
    """Write into the manifest of an adapter, if `folder` holds one, how its shortlist was tuned."""
    path = folder / "manifest.json"
    if not path.is_file():
        return
    manifest = json.loads(path.read_text(encoding="utf-8"))
    command = "python -m storewise.finetune.desk_examples --shortlist finetune/adapters/storewise"
    manifest["recipe"]["desk_shortlist"] = {name: scores[name] for name in scores if name != "by act"} | {
        "command": command
    }
    path.write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Write examples as JSON lines, or tune the desk's shortlist alone."""
    parser = argparse.ArgumentParser(description="Make training examples for the task desk.")
    parser.add_argument("--n", type=int, default=2600)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument(
        "--shortlist", type=Path, help="a folder for the desk's shortlist, tuned here and now"
    )
    arguments = parser.parse_args()
    if arguments.shortlist is not None:
        from storewise.finetune.desk_shortlisting import tune_desk_shortlist

        scores = tune_desk_shortlist(arguments.shortlist, arguments.seed)
        note_shortlist(arguments.shortlist, scores)
        print(json.dumps(scores, indent=1))
    examples = make_desk(arguments.n, arguments.seed) if arguments.out is not None else []
    if arguments.out is not None:
        with arguments.out.open("w", encoding="utf-8") as out:
            for example in examples:
                out.write(json.dumps(asdict(example), ensure_ascii=False) + "\n")
        print(counts(examples))


if __name__ == "__main__":
    main()
