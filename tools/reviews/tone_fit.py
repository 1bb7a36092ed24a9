"""Fits the tone: tunes the encoder's upper layers to tell praise from blame (logistic loss, AdamW).

What the lower layers make of the sentences is computed once and kept in memory, some 17 KB a sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch

from storewise.tools.reviews import embedding
from storewise.tools.reviews.tone import Arrays, Tone, keep_below, taken_below

RANK = 32  # of what tuning adds to a weight; without a bound it is no better
EPOCHS = 2
BATCH = 32
ALIKE = 50  # batches whose sentences are sorted by length, so that little is padding
RATE = 2e-4  # of learning, at its height
DECAY = 0.01
OFF = 0.1  # the share of the mean's places that each step leaves out
PIECES = 64  # word pieces of a sentence that teach
SEED = 0

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
Tell = Callable[[str], None]


class Below:
    """What the encoder's lower layers make of texts, in bfloat16."""

    def __init__(self, texts: Sequence[str], tell: Tell) -> None:
        encoder = embedding.encoder()
        handle = keep_below(encoder)
        self._states: list[torch.Tensor] = [torch.zeros(0)] * len(texts)
        order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            features = encoder.preprocess([texts[row] for row in rows])
            with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
                encoder(features)
            states, _ = taken_below()
            for row, state, mask in zip(rows, states, features["attention_mask"], strict=True):
                self._states[row] = state[mask.bool()][:PIECES].to(torch.bfloat16).clone()
            if start % (BATCH * ALIKE) == 0:
                tell(f"{start:,} of {len(order):,} sentences read by the lower layers")
        handle.remove()

    def length(self, row: int) -> int:
        """Return how many pieces the text of a row has."""
        return len(self._states[row])

    def batch(self, rows: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return what `Tone` reads of the texts of `rows`."""
        states = torch.nn.utils.rnn.pad_sequence(
            [self._states[row].float() for row in rows], batch_first=True
        )
        lengths = torch.tensor([self.length(row) for row in rows])
        mask = torch.arange(states.shape[1])[None, :] < lengths[:, None]
        return states, mask, mask[:, None, None, :]


def fit(below: Below, rows: Rows, praise: Floats, counts_for: Floats, tell: Tell) -> Arrays:
    """Return what tuning on the texts of `rows` adds to the upper layers; see `Tone.added`.

    Args:
        below: all texts.
        rows: those that teach.
        praise: how likely each of all texts praises.
        counts_for: the weight of each.
    """
    torch.manual_seed(SEED)
    order = np.random.default_rng(SEED)
    tone = Tone(embedding.encoder()).train()
    off = torch.nn.Dropout(OFF)
    tone.out.register_forward_pre_hook(lambda _, given: (off(given[0]),))
    goal, weight = torch.from_numpy(praise).float(), torch.from_numpy(counts_for).float()
    optimizer = torch.optim.AdamW(tone.parameters(), lr=RATE, weight_decay=DECAY)
    steps = EPOCHS * -(-len(rows) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps, pct_start=0.1)
    done = 0
    for _ in range(EPOCHS):
        for batch in _batches(order.permutation(rows), below, order):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                odds = tone(*below.batch(batch)).float()
            loss = torch.nn.functional.binary_cross_entropy_with_logits(odds, goal[batch], weight[batch])
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(tone.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            done += 1
            if done % 200 == 0:
                tell(f"{done:,} of {steps:,} steps of tuning")
    return tone.added(RANK, embedding.encoder())


def _batches(rows: Rows, below: Below, order: np.random.Generator) -> list[list[int]]:
    """Return the rows in batches of like length, in an order of chance."""
    found: list[list[int]] = []
    for start in range(0, len(rows), BATCH * ALIKE):
        near = sorted(rows[start : start + BATCH * ALIKE].tolist(), key=below.length)
        found += [near[first : first + BATCH] for first in range(0, len(near), BATCH)]
    return [found[place] for place in order.permutation(len(found))]


def odds(below: Below, rows: Rows, arrays: Arrays) -> Floats:
    """Return the log-odds of praise that layers tuned by `fit` give the texts of `rows`."""
    tone = Tone(embedding.encoder()).add(arrays)
    found = np.zeros(len(rows))
    order = sorted(range(len(rows)), key=lambda place: below.length(int(rows[place])))
    for start in range(0, len(order), BATCH):
        places = order[start : start + BATCH]
        with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
            found[places] = tone(*below.batch(rows[places].tolist())).float().numpy()
    return found
