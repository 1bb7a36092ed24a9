"""GRU and LSTM over the sequence of a visit's clicks, the peers of the cart model.

A recurrent network reads the clicks one by one and says after each how likely the visit is to end
without a purchase (as Toth et al., "Predicting Shopping Behavior with Mixture of RNNs", SIGIR eCom 2017,
and Sheil et al., "Predicting Purchasing Intent: Automatic Feature Learning using Recurrent Neural
Networks", 2018, do). Of each click it is told the event, the pause before it, the cart's value, the
price, the hour, device and channel, and what is known of the visitor, so that it lacks nothing that
the trees are given but their counts, which it can keep itself. Width, epochs and rate are usual ones,
tried on visits before the test weeks; no search was made for them, as one was for the trees.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import nn

from storewise.tools.models.sessions import STEPS

Floats = npt.NDArray[np.float64]
Inputs = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

WIDTH = 48
EPOCHS = 8
BATCH = 128
RATE = 3e-3
DROPOUT = 0.2

# Logarithms of what has long tails; what is missing is said by an input of its own.
_LOGARITHMS = (
    "last_pause",
    "value",
    "last_price",
    "earlier_visits",
    "earlier_carts",
    "visits_30",
    "days_since_visit",
    "days_since_bought",
    "since_bought_to_rhythm",
)
_SHARES = ("earlier_bought_share", "known_item_share", "known_view_share", "signed_in", "most_views_of_one")


class _Network(nn.Module):
    def __init__(self, inputs: int, cell: Literal["GRU", "LSTM"]) -> None:
        super().__init__()
        self.enter = nn.Linear(inputs, WIDTH)
        kind = nn.GRU if cell == "GRU" else nn.LSTM
        self.memory = kind(WIDTH, WIDTH, batch_first=True)
        self.dropout = nn.Dropout(DROPOUT)
        self.leave = nn.Linear(2 * WIDTH, 1)

    def forward(self, clicks: torch.Tensor) -> torch.Tensor:
        """Return the log-odds [visits, clicks] for inputs [visits, clicks, inputs]."""
        entered = torch.relu(self.enter(clicks))
        states, _ = self.memory(self.dropout(entered))
        score: torch.Tensor = self.leave(self.dropout(torch.cat([states, entered], dim=-1)))
        return score.squeeze(-1)


def abandonment(
    learned: pd.DataFrame, scored: pd.DataFrame, cell: Literal["GRU", "LSTM"], seed: int
) -> Floats:
    """Return the probability that the visit of each row of `scored` ends without a purchase.

    Args:
        learned, scored: all clicks of their visits, as `sessions.clicks` returns them.
    """
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    words = {name: sorted(learned[name].dropna().unique()) for name in ("device", "channel")}
    inputs = _inputs(learned, words)
    mean, spread = inputs.mean(axis=0), inputs.std(axis=0) + 1e-3
    known = torch.from_numpy((inputs - mean) / spread)
    asked = torch.from_numpy((_inputs(scored, words) - mean) / spread)
    abandoned = torch.from_numpy(np.asarray(~learned["bought"], dtype=np.float32))
    network = _fitted(_Network(known.shape[1], cell), known, abandoned, _visits(learned), rng)
    risk = np.zeros(len(scored))
    with torch.no_grad():
        for rows, real in _batches(_visits(scored), None):
            risk[rows[real]] = torch.sigmoid(network(asked[rows]))[torch.from_numpy(real)].numpy()
    return risk


def _fitted(
    network: _Network,
    known: torch.Tensor,
    abandoned: torch.Tensor,
    visits: tuple[Ints, Ints],
    rng: np.random.Generator,
) -> _Network:
    optimizer = torch.optim.AdamW(network.parameters(), RATE, weight_decay=1e-4)
    steps = EPOCHS * -(-len(visits[0]) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
    network.train()
    for _ in range(EPOCHS):
        for rows, real in _batches(visits, rng):
            mask = torch.from_numpy(real)
            loss = nn.functional.binary_cross_entropy_with_logits(
                network(known[rows])[mask], abandoned[rows][mask]
            )
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
    return network.eval()


def _visits(table: pd.DataFrame) -> tuple[Ints, Ints]:
    """Return where each visit begins and how many clicks it has; a visit's rows stand together."""
    visit = pd.factorize(table["session_id"])[0]
    begins = np.flatnonzero(np.diff(visit, prepend=-1))
    return begins, np.diff(np.append(begins, len(visit)))


def _batches(
    visits: tuple[Ints, Ints], rng: np.random.Generator | None
) -> Iterator[tuple[Ints, npt.NDArray[np.bool_]]]:
    """Yield rows [visits, clicks] of visits of like length, and which of them are no padding."""
    begins, lengths = visits
    order = np.argsort(lengths + (rng.random(len(lengths)) if rng else 0.0), kind="stable")
    batches = [order[place : place + BATCH] for place in range(0, len(order), BATCH)]
    if rng:
        rng.shuffle(batches)
    for batch in batches:
        places = np.arange(lengths[batch].max())
        length = lengths[batch][:, None]
        yield begins[batch][:, None] + np.minimum(places, length - 1), places < length


def _inputs(table: pd.DataFrame, words: dict[str, list[str]]) -> Inputs:
    columns = [np.log1p(table[name].clip(lower=0).fillna(0)) for name in _LOGARITHMS]
    columns += [table[name].fillna(0) for name in _SHARES]
    columns += [table[name].isna() for name in ("last_pause", "days_since_bought", "earlier_bought_share")]
    angle = table["hour"] * (np.pi / 12)
    columns += [np.sin(angle), np.cos(angle), *(table["weekday"] == day for day in range(1, 8))]
    columns += [table["last_event"] == step + 1 for step in range(len(STEPS))]
    columns += [table[name] == word for name, known in words.items() for word in known]
    return np.stack([np.asarray(column, dtype=np.float32) for column in columns], axis=1)
