"""Tunes the desk's shortlist: which acts are likely, from a customer's words and where the talk stands."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from storewise.finetune.desk_banks import bank_words
from storewise.finetune.desk_examples import make_desk
from storewise.finetune.examples import Example
from storewise.finetune.shortlisting import fit
from storewise.tools.desk.act_shortlist import (
    FILE,
    REASON,
    TWO,
    mended,
    pieces,
    placed,
    state_vector,
    weights,
)
from storewise.tools.desk.acts import ACTS, ASKED, NOTHING, REASONS, WISHES, name_of, read_acts
from storewise.tools.reviews.embedding import encode

LABELS = (*ACTS, TWO, *(REASON + reason for reason in REASONS))
OPENED = (NOTHING, *WISHES)
# The pieces that count as words, each in at least so many examples.
PIECES, SEEN = 4000, 3
DROPOUT, EPOCHS = 0.5, 20
# How many examples the shortlist alone is tuned on, and judged on.
NUMBER, JUDGED = 18000, 2000


def put_right(examples: Sequence[Example]) -> list[str]:
    """Return the examples' words, slips of the finger put right to the words of the banks."""
    words = {word: word for word in bank_words()}
    return [mended(example.question, words) for example in examples]


def rarities(texts: Sequence[str]) -> dict[str, float]:
    """Return the pieces that the classifier reads, commonest first, each with its idf (smoothed)."""
    within = Counter(piece for text in texts for piece in set(pieces(text)))
    kept = [(piece, count) for piece, count in within.most_common(PIECES) if count >= SEEN]
    return {piece: round(math.log((1 + len(texts)) / (1 + count)) + 1, 4) for piece, count in kept}


def desk_inputs(
    examples: Sequence[Example], texts: Sequence[str], rarity: Mapping[str, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Return what the classifier reads of the examples of the task desk, and what it has to say of them.

    `texts` are their words, put right.
    """
    inputs = np.concatenate(
        [
            encode(texts),
            weights(texts, placed(rarity)),
            state_vector([example.opened for example in examples], OPENED),
            state_vector([example.asked for example in examples], ASKED),
        ],
        axis=1,
    )
    targets = np.zeros((len(examples), len(LABELS)), dtype=np.float32)
    for row, example in enumerate(examples):
        acts = read_acts(example.answer)
        for act in acts:
            targets[row, LABELS.index(name_of(act))] = 1
            if "reason" in act.args:
                targets[row, LABELS.index(REASON + act.args["reason"])] = 1
        targets[row, LABELS.index(TWO)] = float(len(acts) > 1)
    return inputs.astype(np.float32), targets


def train_desk_shortlist(examples: Sequence[Example], out: Path, seed: int = 7) -> dict[str, float]:
    """Train the classifier on the examples of the task desk and save it in `out`; return how many there were."""
    desk = [example for example in examples if example.task == "desk"]
    texts = put_right(desk)
    rarity = rarities(texts)
    layers = fit(*desk_inputs(desk, texts, rarity), seed, dropout=DROPOUT, epochs=EPOCHS)
    out.mkdir(parents=True, exist_ok=True)
    names = {"labels": LABELS, "opened": OPENED, "asked": ASKED, "words": bank_words(), "rarity": rarity}
    arrays = {name: np.array(json.dumps(values)) for name, values in names.items()}
    np.savez_compressed(out / FILE, allow_pickle=False, **arrays, **layers.arrays(np.float16))
    return {"examples": len(desk)}


def judge(examples: Sequence[Example], judged: Sequence[Example], seed: int = 7) -> dict[str, object]:
    """Return how well a classifier tuned on `examples` does on `judged`: all told, in the first four, by act."""
    texts = put_right(examples)
    rarity = rarities(texts)
    layers = fit(*desk_inputs(examples, texts, rarity), seed, dropout=DROPOUT, epochs=EPOCHS)
    inputs, targets = desk_inputs(judged, put_right(judged), rarity)
    said = layers.probabilities(inputs)
    acts = len(ACTS)
    order = np.argsort(-said[:, :acts], axis=1)
    wanted = [set(np.flatnonzero(row[:acts])) for row in targets]
    single = [k for k, acts_wanted in enumerate(wanted) if len(acts_wanted) == 1]
    by_act: dict[str, str] = {}
    for index, name in enumerate(ACTS):
        rows = [k for k in single if index in wanted[k]]
        right = sum(int(order[k, 0]) == index for k in rows)
        by_act[name] = f"{right}/{len(rows)}"
    kept = [wanted[k] <= set(order[k, :4].tolist()) for k in range(len(wanted))]
    reasons = [k for k in range(len(wanted)) if targets[k, acts + 1 :].any()]
    told = said[:, acts + 1 :].argmax(1) == targets[:, acts + 1 :].argmax(1)
    return {
        "judged": len(judged),
        "first": round(float(np.mean([int(order[k, 0]) in wanted[k] for k in single])), 4),
        "all in four": round(float(np.mean(kept)), 4),
        "two acts, both first": round(
            float(
                np.mean(
                    [
                        wanted[k] == set(order[k, :2].tolist())
                        for k in range(len(wanted))
                        if k not in set(single)
                    ]
                )
            ),
            4,
        ),
        "reason": round(float(np.mean(told[reasons])), 4) if reasons else None,
        "by act": by_act,
    }


def tune_desk_shortlist(out: Path, seed: int = 7) -> dict[str, object]:
    """Tune the desk's shortlist alone and save it in `out`; judge it on lines of the banks that it did not see."""
    scores = judge(make_desk(NUMBER, seed, "learned"), make_desk(JUDGED, seed + 1, "held out"), seed)
    return train_desk_shortlist(make_desk(NUMBER, seed), out, seed) | scores
