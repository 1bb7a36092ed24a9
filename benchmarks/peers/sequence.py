"""SASRec: self-attention over a customer's latest purchases.

Kang and McAuley, "Self-Attentive Sequential Recommendation", ICDM 2018, with the softmax over sampled
negatives instead of one negative each, which makes it stronger (Klenitskiy and Vasilev, "Turning Dross
Into Gold Loss: is BERT4Rec really better than SASRec?", RecSys 2023).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import nn

from storewise.benchmarks.peers.ranked import Scorer, fallback
from storewise.tools.models.purchases import Floats, Ints
from storewise.tools.models.windows import Window

LONGEST = 50  # purchases of a sequence
BATCH = 64
NEGATIVES = 500  # shared by a batch
FEWEST_BUYERS = 3  # a product of fewer is not in the vocabulary


@dataclass(frozen=True)
class Setting:
    """Width and blocks of the network, share dropped out, batches learned from, and Adam's step size."""

    width: int = 64
    blocks: int = 2
    dropout: float = 0.2
    batches: int = 600
    rate: float = 1.5e-3


SETTINGS = (Setting(),)


class _Block(nn.Module):
    """Causal self-attention with one head, as the paper found best, and a feed-forward layer."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mixed, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.forwards = nn.Sequential(
            nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width), nn.Dropout(dropout)
        )

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        query, key, value = self.mixed(self.before(states)).chunk(3, dim=-1)
        states = states + self.out(
            nn.functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        )
        result: torch.Tensor = states + self.forwards(self.between(states))
        return result


class _SASRec(nn.Module):
    def __init__(self, shares: Floats, setting: Setting) -> None:
        super().__init__()
        self.products = nn.Embedding(len(shares) + 1, setting.width, padding_idx=0)
        # Beyond the paper: what is popular need not be learned in the few minutes that there are.
        self.popular = nn.Parameter(torch.log(torch.from_numpy(np.append(shares.min(), shares))))
        self.places = nn.Embedding(LONGEST, setting.width)
        self.blocks = nn.Sequential(*[_Block(setting.width, setting.dropout) for _ in range(setting.blocks)])
        self.norm = nn.LayerNorm(setting.width)
        self.dropout = nn.Dropout(setting.dropout)
        nn.init.normal_(self.products.weight, std=0.02)
        nn.init.normal_(self.places.weight, std=0.02)

    def forward(self, sequences: torch.Tensor) -> torch.Tensor:
        inputs = self.dropout(self.products(sequences) + self.places.weight[: sequences.shape[1]])
        states: torch.Tensor = self.norm(self.blocks(inputs))
        return states


def sasrec(window: Window, seed: int, setting: Setting) -> Scorer:
    """Return the peer fitted on what the window knows."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    known = window.known
    vocabulary = np.flatnonzero(known.buyers >= FEWEST_BUYERS)
    sequences = _sequences(window, vocabulary)
    model = _SASRec(_shares(sequences, len(vocabulary)), setting)
    optimizer = torch.optim.Adam(model.parameters(), lr=setting.rate)
    model.train()
    for batch in islice(_batches(sequences, rng), setting.batches):
        states = model(batch[:, :-1])
        target = batch[:, 1:]
        kept = target > 0
        _learn(model, optimizer, states[kept], target[kept], rng)
    model.eval()
    popular = fallback(window)
    latest = np.zeros((len(sequences), LONGEST), dtype=np.int64)
    for row, sequence in enumerate(sequences):
        latest[row, : min(len(sequence), LONGEST)] = sequence[-LONGEST:]
    lengths = np.array([min(len(sequence), LONGEST) for sequence in sequences])

    @torch.no_grad()
    def scorer(rows: Ints) -> Floats:
        states = model(torch.from_numpy(latest[rows]))
        last = states[torch.arange(len(rows)), torch.from_numpy(np.maximum(lengths[rows] - 1, 0))]
        scores = np.tile(popular - 1e6, (len(rows), 1))
        scores[:, vocabulary] = (last @ model.products.weight[1:].T + model.popular[1:]).numpy()
        return np.asarray(scores, dtype=np.float32)

    return scorer


def _shares(sequences: list[npt.NDArray[np.int64]], products: int) -> Floats:
    """Return each product's share of all purchases in the sequences."""
    counts = np.bincount(np.concatenate(sequences), minlength=products + 1)[1:] + 1.0
    return np.asarray(counts / counts.sum(), dtype=np.float32)


def _learn(
    model: _SASRec,
    optimizer: torch.optim.Optimizer,
    states: torch.Tensor,
    target: torch.Tensor,
    rng: np.random.Generator,
) -> None:
    products = model.products.num_embeddings - 1
    negatives = torch.from_numpy(rng.integers(1, products + 1, min(NEGATIVES, products)))
    right = ((states * model.products(target)).sum(dim=1) + model.popular[target])[:, None]
    wrong = states @ model.products(negatives).T + model.popular[negatives]
    wrong = wrong.masked_fill(target[:, None] == negatives[None, :], -1e9)
    # The drawn negatives stand for all other products.
    wrong = wrong + float(np.log(products / len(negatives)))
    loss = nn.functional.cross_entropy(
        torch.cat([right, wrong], dim=1), torch.zeros(len(states), dtype=torch.long)
    )
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def _sequences(window: Window, vocabulary: npt.NDArray[np.intp]) -> list[npt.NDArray[np.int64]]:
    """Return each customer's purchases from the first to the latest, as places in `vocabulary` from 1 on."""
    known = window.known
    number = np.zeros(len(known.products), dtype=np.int64)
    number[vocabulary] = np.arange(1, len(vocabulary) + 1)
    item = number[window.lines.item]
    table = pd.DataFrame({"row": window.lines.row, "item": item, "since": window.lines.since})[item > 0]
    table = table.sort_values(["row", "since"], ascending=[True, False], kind="stable")
    items = table["item"].to_numpy()
    starts = np.searchsorted(table["row"].to_numpy(), np.arange(len(known.customers) + 1))
    return [items[low:high] for low, high in zip(starts[:-1], starts[1:], strict=True)]


def _batches(sequences: list[npt.NDArray[np.int64]], rng: np.random.Generator) -> Iterator[torch.Tensor]:
    """Yield batches for ever: of each sequence in turn its latest LONGEST + 1 products, or a random piece."""
    known = [sequence for sequence in sequences if len(sequence) > 1]
    while known:
        order = rng.permutation(len(known))
        for begin in range(0, len(order), BATCH):
            batch = np.zeros((len(order[begin : begin + BATCH]), LONGEST + 1), dtype=np.int64)
            for place, chosen in enumerate(order[begin : begin + BATCH]):
                latest = max(0, len(known[chosen]) - LONGEST - 1)
                start = latest if rng.random() < 0.5 else int(rng.integers(0, latest + 1))
                piece = known[chosen][start : start + LONGEST + 1]
                batch[place, : len(piece)] = piece
            yield torch.from_numpy(batch)
