"""How near a set of questions is to the training examples: a test that was learned by heart proves nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from rapidfuzz import fuzz, process

from storewise.tools.reviews.embedding import encode


def nearness(questions: Sequence[str], examples: Sequence[str]) -> dict[str, Any]:
    """Compare each question with its nearest example, by meaning and by letters.

    Returns:
        {"n", "examples", "identical", "cosine", "letters"}: the cosine of the embeddings and the
        normalized edit similarity (0 to 1, rapidfuzz's ratio) to the nearest example, as 10th, 50th and
        90th percentile and maximum.
    """
    closest = (encode(list(questions)) @ encode(list(examples)).T).max(axis=1)
    plain = [text.casefold().strip(" ?!.") for text in examples]
    letters = np.asarray(
        [
            max(process.cdist([question.casefold().strip(" ?!.")], plain, scorer=fuzz.ratio)[0]) / 100
            for question in questions
        ]
    )
    return {
        "n": len(questions),
        "examples": len(examples),
        "identical": int((letters >= 1).sum()),
        "cosine": _spread(closest),
        "letters": _spread(letters),
    }


def _spread(values: np.ndarray) -> dict[str, float]:
    names = {"p10": 10, "median": 50, "p90": 90, "max": 100}
    return {name: round(float(np.percentile(values, share)), 3) for name, share in names.items()}
