"""Training examples for the task `reviews`: sentences of one group become one impersonal sentence.

`opinions/written.jsonl` holds sentences written by hand over groups of the demo shop's reviews, each with the
places (`review id:sentence`) of what it tells; the reviews' own words stay in the shop. Every tenth is held
out, to judge by. `opinions/made_up.jsonl` tells of what other shops sell.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from storewise.finetune.examples import Example
from storewise.tools.reviews.claims import words_of
from storewise.tools.reviews.groups import lines_of, shown
from storewise.tools.reviews.summary import Quote
from storewise.tools.shop.generation import Shop

OPINIONS = Path(__file__).parent / "opinions"
HELD_OUT = 10  # every tenth written claim is not learned from
# The share of examples that were written by hand over real reviews; the others are made of opinions.
_WRITTEN = 0.6
# Things that may stand for each other in a group and its claim, so that the model learns to copy them.
_THINGS = (
    "coffee tea sauce soup cereal bread chocolate candy jerky honey rice pasta vinegar juice jam".split(),
    "cookies crackers chips treats nuts beans noodles bars".split(),
)


@dataclass(frozen=True)
class Written:
    """A claim written by hand, and the sentences that it tells."""

    lines: tuple[Quote, ...]
    claim: str
    held_out: bool


def read_written(shop: Shop) -> list[Written]:
    """Return the claims whose sentences are all among the shop's reviews."""
    rows = [
        json.loads(line) for line in (OPINIONS / "written.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    ids = sorted({place.split(":")[0] for row in rows for place in row["lines"]})
    if not shop.has("reviews", "review_id", "text"):
        return []
    found = shop.query(
        "SELECT review_id, text FROM reviews WHERE review_id IN (SELECT unnest($ids))", {"ids": ids}
    )
    lines = {key: lines_of(text) for key, text in zip(found["review_id"], found["text"], strict=True)}
    result = []
    for number, row in enumerate(rows):
        places = [(key, int(place)) for key, _, place in (name.partition(":") for name in row["lines"])]
        if all(place < len(lines.get(key, ())) for key, place in places):
            quotes = tuple(Quote(review_id=key, text=lines[key][place]) for key, place in places)
            result.append(Written(quotes, row["claim"], number % HELD_OUT == 0))
    return result


def make_claims(shop: Shop, number: int, seed: int) -> list[Example]:
    """Return `number` examples of the task `reviews` in a random order, the same for the same shop and seed."""
    rng = random.Random(seed)
    written = [one for one in read_written(shop) if not one.held_out and _can_be_read(one)]
    real = round(number * _WRITTEN) if written else 0
    examples = [_example(*pair) for pair in islice(_varied(written, rng), real)]
    told = _opinions(rng)
    examples += [_example(*next(told)) for _ in range(number - len(examples))]
    rng.shuffle(examples)
    return examples


def held_out(shop: Shop) -> list[Written]:
    """Return the claims that `make_claims` leaves out."""
    return [one for one in read_written(shop) if one.held_out]


def _can_be_read(one: Written) -> bool:
    """Say whether nearly all that a claim says is said in words that stand in its sentences."""
    heard = {word.stem for quote in one.lines for word in words_of(quote.text)}
    said = [word.stem for word in words_of(one.claim)]
    return sum(stem not in heard for stem in said) <= max(1, len(said) // 3)


def _example(lines: Sequence[str], claim: str) -> Example:
    return Example("reviews", "", claim, [], None, shown(lines))


def _varied(written: Sequence[Written], rng: random.Random) -> Iterator[tuple[list[str], str]]:
    """Yield each written claim once, then again with its sentences in another order and of other things."""
    for one in rng.sample(written, len(written)):
        yield [quote.text for quote in one.lines], one.claim
    while True:
        for one in rng.sample(written, len(written)):
            lines = [quote.text for quote in one.lines]
            rng.shuffle(lines)
            yield _exchanged(lines, one.claim, rng)


def _exchanged(lines: list[str], claim: str, rng: random.Random) -> tuple[list[str], str]:
    """Put another thing in the place of the one that claim and sentences speak of, if there is one."""
    for things in _THINGS:
        for thing in things:
            word = re.compile(rf"\b{thing}\b", re.I)
            if not word.search(claim) or not any(word.search(line) for line in lines):
                continue
            other = rng.choice(things)

            def same_case(found: re.Match[str], other: str = other) -> str:
                return other.capitalize() if found[0][0].isupper() else other

            return [word.sub(same_case, line) for line in lines], word.sub(same_case, claim)
    return lines, claim


def _opinions(rng: random.Random) -> Iterator[tuple[list[str], str]]:
    """Yield groups of made-up sentences that say the same, without end."""
    first, *blocks = (
        json.loads(line) for line in (OPINIONS / "made_up.jsonl").read_text(encoding="utf-8").splitlines()
    )
    things: Mapping[str, list[str]] = first["things"]
    while True:
        for block in rng.sample(blocks, len(blocks)):
            thing = rng.choice(things[block["things"]])
            count = min(rng.choice((1, 2, 2, 3, 3, 4, 5, 6)), len(block["said"]))
            said = rng.sample(block["said"], count)
            claim = rng.choice(block["claims"])
            naming = [line for line in block["said"] if "{thing}" in line]
            if "{thing}" in claim and not set(naming) & set(said):
                # What it is about must be readable: else the model could not name it.
                said[rng.randrange(count)] = rng.choice(naming)
            yield [line.replace("{thing}", thing) for line in said], claim.replace("{thing}", thing)
