"""Training examples for the task `polarity`: a sentence that people rated, and whether it praises or blames.

The sentences are those of tools/reviews/sentiment_training.py (which says where they are from), of films and
tweets alone: `storewise benchmark sentiment` judges by those of Amazon's reviews, and none of these is learned.
"""

from __future__ import annotations

import random
from pathlib import Path

from storewise.finetune.examples import Example
from storewise.tools.reviews.sentiment_training import CLEAR, FILES, rated
from storewise.tools.shop.generation import ShopError

PRAISE, BLAME = "positive", "negative"
# Where the sentences are from, with the share of the examples.
SHARES = {"films": 2 / 3, "tweets": 1 / 3}
LONGEST = 400  # characters


def make_polarity(folder: Path | None, number: int, seed: int) -> list[Example]:
    """Return `number` examples (at most as many as there are sentences), the same for the same seed.

    Args:
        folder: hutto_ICWSM_2014 of vaderSentiment's source package.
        number: how many; none need no folder.
        seed: of the draw.

    Raises:
        ShopError: the folder is not given, or lacks a file.
    """
    if not number:
        return []
    if folder is None or not all((folder / name).is_file() for name in FILES.values()):
        raise ShopError(
            "Examples of praise and blame need the rated sentences of vaderSentiment's source package. Type: "
            "storewise tune --polarity N --sentences hutto_ICWSM_2014 "
            "(storewise/tools/reviews/sentiment_training.py says where it is from), or --polarity 0"
        )
    rng = random.Random(seed)
    data = rated(folder)
    examples: list[Example] = []
    for source, share in SHARES.items():
        clear = data[(data["source"] == source) & (data["rating"].abs() > CLEAR)]
        said = [
            Example("polarity", text.strip(), PRAISE if rating > 0 else BLAME, [])
            for text, rating in zip(clear["text"], clear["rating"], strict=True)
            if 0 < len(text.strip()) <= LONGEST
        ]
        examples += rng.sample(said, min(len(said), round(number * share)))
    rng.shuffle(examples)
    return examples
