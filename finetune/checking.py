"""Learn the weights of the claim check (tools/reviews/claims.json) from claims written by hand.

    python -m storewise.finetune.checking

Each claim of `opinions/written.jsonl` is right over its own sentences, alone and among the whole reviews that
hold them. It is wrong once a word is turned into its opposite or a negation is put in or taken out, another
thing is put in its place, another claim's detail is added, or it is told of other reviews. Judged by fivefold
cross-validation over the claims, and on labelled claims (benchmarks/labels/claims.jsonl) if they are given.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from storewise.finetune.claims import Written, read_written
from storewise.tools.reviews import claims, embedding
from storewise.tools.reviews.groups import lines_of
from storewise.tools.reviews.known import Embedded
from storewise.tools.reviews.summary import Quote
from storewise.tools.shop.generation import Shop, open_shop

SEED = 5
THRESHOLD = 0.45  # chosen on the written claims and on the labelled ones for development
LONGEST = 20  # sentences of a whole review

_THINGS = (
    "dogs cats tea coffee chocolate cookies bread sauce rice soup candy treats pasta honey cereal kids gum "
    "vinegar flavor price shipping packaging smell texture ingredients sugar salt sodium protein amazon stores"
).split()
_NEGATED = (
    (r"\b(is|are|was|were|can|does|do)\b (?!not)", r"\1 not "),
    (r"\b(is|are|can|does|do) (?:not |no )", r"\1 "),
    (r"\bwithout\b", "with"),
    (r"\bcannot\b", "can"),
    (r"\bno longer\b", "still"),
)


@dataclass(frozen=True)
class Case:
    """A claim over sentences; `group` is the written claim that it was made of."""

    group: int
    claim: str
    sentences: tuple[Quote, ...]
    right: bool
    kind: str


def cases(shop: Shop, seed: int) -> Iterator[Case]:
    """Yield right claims and corrupted ones."""
    rng = random.Random(seed)
    written = read_written(shop)
    texts = _texts(shop)
    tails = [tail for one in written if (tail := _tail(one.claim))]
    for number, one in enumerate(written):
        yield from _made(number, one, one.lines, written, tails, rng, "")
        if number % 2 == 0:
            ids = dict.fromkeys(quote.review_id for quote in one.lines)
            whole = tuple(Quote(review_id=i, text=line) for i in ids for line in lines_of(texts[i])[:LONGEST])
            yield from _made(number, one, whole, written, tails, rng, "whole reviews, ")


def _made(
    number: int,
    one: Written,
    sentences: tuple[Quote, ...],
    written: Sequence[Written],
    tails: Sequence[str],
    rng: random.Random,
    where: str,
) -> Iterator[Case]:
    yield Case(number, one.claim, sentences, True, f"{where}as written")
    ids = {quote.review_id for quote in sentences}
    other = rng.choice([w for w in written if ids.isdisjoint(quote.review_id for quote in w.lines)])
    corrupted = {
        "turned round": _turned(one.claim, rng),
        "another thing": _exchanged(one.claim, rng),
        "invented detail": f"{one.claim.rstrip('.')} and {rng.choice(tails)}."
        if rng.random() < 0.6
        else None,
        "another claim": other.claim if rng.random() < 0.5 else None,
    }
    for kind, claim in corrupted.items():
        if claim is not None:
            yield Case(number, claim, sentences, False, where + kind)


def _turned(claim: str, rng: random.Random) -> str | None:
    """Put a word's opposite in its place, or put a negation in or take it out."""
    pairs = json.loads((claims.HERE / "opposites.json").read_text(encoding="utf-8"))["opposites"]
    against = {
        word: other.split()
        for one, two in pairs
        for here, other in ((one, two), (two, one))
        for word in here.split()
    }
    ways = []
    words = [m for m in re.finditer(r"[A-Za-z]+", claim) if m[0].lower() in against]
    if words:
        word = rng.choice(words)
        new = rng.choice(against[word[0].lower()])
        new = new.capitalize() if word[0][0].isupper() else new
        ways.append(claim[: word.start()] + new + claim[word.end() :])
    ways += [re.sub(pattern, new, claim, count=1) for pattern, new in _NEGATED if re.search(pattern, claim)]
    return rng.choice(ways) if ways else None


def _exchanged(claim: str, rng: random.Random) -> str | None:
    words = [m for m in re.finditer(r"[A-Za-z]+", claim) if m[0].lower() in _THINGS]
    if not words:
        return None
    word = rng.choice(words)
    new = rng.choice([thing for thing in _THINGS if thing != word[0].lower()])
    return claim[: word.start()] + new + claim[word.end() :]


def _tail(claim: str) -> str | None:
    parts = re.split(r" (?:and|but|with) ", claim.rstrip("."))
    return parts[-1] if len(parts) > 1 else None


@dataclass(frozen=True)
class Labelled:
    """A claim labelled by hand, and the sentences that it is to follow from."""

    claim: str
    sentences: tuple[Quote, ...]
    supported: bool
    part: str


def labelled(path: Path, shop: Shop) -> list[Labelled]:
    """Return the labelled claims, each with all sentences of its reviews."""
    texts = _texts(shop)
    return [
        Labelled(
            row["claim"],
            tuple(Quote(review_id=i, text=line) for i in row["review_ids"] for line in lines_of(texts[i])),
            row["supported"],
            row["part"],
        )
        for row in map(json.loads, path.read_text(encoding="utf-8").splitlines())
    ]


def phrasings(path: Path, shop: Shop) -> list[Labelled]:
    """Return the labelled sentences of a model whose groups are all among the shop's reviews."""
    texts = _texts(shop)
    found = []
    for row in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
        sentences = []
        for place in row["lines"]:
            key = place["review_id"]
            sentences += [
                Quote(review_id=key, text=line)
                for line in lines_of(texts.get(key, ""))
                if hashlib.sha256(line.encode()).hexdigest()[: len(place["sha256"])] == place["sha256"]
            ][:1]
        if len(sentences) == len(row["lines"]):
            found.append(Labelled(row["said"], tuple(sentences), row["supported"], row["part"]))
    return found


def _texts(shop: Shop) -> dict[str, str]:
    found = shop.query("SELECT review_id, text FROM reviews")
    return dict(zip(found["review_id"], found["text"], strict=True))


def main() -> None:
    """Learn, judge and write the weights."""
    argparse.ArgumentParser(description=str(__doc__).splitlines()[0]).parse_args()
    encode = Embedded()
    made = list(cases(open_shop(), SEED))
    x = np.stack([claims.measured(case.claim, case.sentences, encode) for case in made])
    y = np.array([case.right for case in made])
    model = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced"))
    groups = [case.group for case in made]
    scores = cross_val_predict(model, x, y, groups=groups, cv=GroupKFold(5), method="predict_proba")[:, 1]
    said = scores >= THRESHOLD
    kinds = np.array([case.kind for case in made])
    model.fit(x, y)
    scale, learned = model[0], model[1]
    card = {
        "recipe": "python -m storewise.finetune.checking",
        "embedding": embedding.model_name(),
        "features": list(claims.FEATURES),
        "means": scale.mean_.round(5).tolist(),
        "spreads": scale.scale_.round(5).tolist(),
        "weights": learned.coef_[0].round(4).tolist(),
        "bias": round(float(learned.intercept_[0]), 4),
        "threshold": THRESHOLD,
        "cross_validated": {
            "claims": len(made),
            "auc": round(float(roc_auc_score(y, scores)), 3),
            "accuracy": round(float((said == y).mean()), 3),
            "said to be supported": {
                kind: round(float(said[kinds == kind].mean()), 3) for kind in dict.fromkeys(kinds.tolist())
            },
        },
    }
    (claims.HERE / "claims.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(card, indent=1))


if __name__ == "__main__":
    main()
