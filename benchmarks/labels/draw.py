"""The sentences of the demo shop that were drawn for labelling; files keep their places, never their text.

`python benchmarks/labels/draw.py` draws them again; with `--text` it prints each id with its text.
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
from pathlib import Path

from storewise.tools.reviews.sentences import sentences
from storewise.tools.shop.generation import Shop, ShopError, open_shop

FILE = Path(__file__).with_name("aspects_sentences.jsonl")
_SEED, _COUNT = 20180, 200
_WORDS = range(4, 61)


def draw(shop: Shop) -> list[dict[str, object]]:
    """Return 200 sentences of 4 to 60 words, at most one of a review; the first half is for development."""
    table = shop.query("SELECT review_id, text FROM reviews ORDER BY review_id")
    reviews = list(zip(table["review_id"], table["text"], strict=True))
    chance = random.Random(_SEED)
    chance.shuffle(reviews)
    rows: list[dict[str, object]] = []
    seen: set[str] = set()
    for review_id, text in reviews:
        fits = [
            (n, text[a:b]) for n, (a, b) in enumerate(sentences(text)) if len(text[a:b].split()) in _WORDS
        ]
        if not fits or text in seen:  # some reviews were posted twice
            continue
        seen.add(text)
        n, sentence = chance.choice(fits)
        part = "development" if len(rows) < _COUNT // 2 else "held out"
        row = {"id": f"S{len(rows) + 1:03}", "part": part, "review_id": review_id, "sentence": n}
        rows.append({**row, "sha": _sha(sentence)})
        if len(rows) == _COUNT:
            break
    return rows


def texts(shop: Shop) -> dict[str, str]:
    """Return the text of every drawn sentence by its id.

    Raises:
        ShopError: the shop's reviews are not those the sentences were drawn from.
    """
    table = shop.query("SELECT review_id, text FROM reviews")
    reviews = dict(zip(table["review_id"], table["text"], strict=True))
    found = {}
    for line in FILE.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        text = reviews.get(row["review_id"], "")
        spans = sentences(text)
        sentence = text[slice(*spans[row["sentence"]])] if row["sentence"] < len(spans) else ""
        if _sha(sentence) != row["sha"]:
            raise ShopError(
                f"Sentence {row['id']} is not in this shop. Load the demo shop: storewise load --demo"
            )
        found[row["id"]] = sentence
    return found


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


if __name__ == "__main__":
    shop = open_shop()
    if "--text" in sys.argv:
        print("\n".join(f"{key}\t{text}" for key, text in texts(shop).items()))
    else:
        FILE.write_text("".join(json.dumps(row) + "\n" for row in draw(shop)), encoding="utf-8")
