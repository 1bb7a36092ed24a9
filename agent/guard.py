"""What is asked of a question before anything is done with it."""

from __future__ import annotations

import unicodedata

LONGEST = 1000  # characters; the longest real question we saw has 300


class QuestionError(ValueError):
    """The question cannot be taken; the message is a sentence for the person."""


def guarded(question: str, longest: int = LONGEST) -> str:
    """Return the question without control characters and with its white space folded.

    Raises:
        QuestionError: nothing is left of it, or it is longer than `longest` characters.
    """
    plain = "".join(c if c.isspace() or unicodedata.category(c)[0] != "C" else " " for c in question)
    plain = " ".join(plain.split())
    if not plain:
        raise QuestionError('Please type a question, for example: "What did we sell in March?"')
    if len(plain) > longest:
        raise QuestionError(
            f"That question has {len(plain):,} characters; please ask it in at most {longest:,}."
        )
    return plain
