"""Tunes the shortlist: which tools are likely, from the embedding of a question."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from storewise.finetune.examples import Example
from storewise.tools.calls import read_calls
from storewise.tools.reviews.embedding import encode
from storewise.tools.shortlist import FILE, NONE, TWO, Layers, masked

HIDDEN = 256
EPOCHS = 30
DROPOUT = 0.3


def labelled(examples: Sequence[Example], tools: Sequence[str]) -> tuple[list[str], np.ndarray, list[str]]:
    """Return (masked texts, targets of shape (texts, labels), labels) of the examples of calls."""
    labels = [*tools, NONE, TWO]
    texts: list[str] = []
    targets: list[list[float]] = []
    for example in examples:
        if example.task != "call":
            continue
        names = [call.name for call in read_calls(example.answer)]
        row = [0.0] * len(labels)
        for name in names:
            row[labels.index(name)] = 1.0
        row[-1] = float(len(names) > 1)
        texts.append(masked(example.question, example.before["question"] if example.before else ""))
        targets.append(row)
    return texts, np.asarray(targets, dtype=np.float32), labels


def train_shortlist(
    examples: Sequence[Example], tools: Sequence[str], out: Path, seed: int = 7
) -> dict[str, float]:
    """Train the classifier on nine tenths of the examples, score it on the last, save it in `out`.

    Returns:
        {"examples", "first": share of held-out one-tool examples whose best label is right}.
    """
    texts, targets, labels = labelled(examples, tools)
    vectors, wanted = encode(texts), torch.tensor(targets)
    torch.manual_seed(seed)
    order = torch.randperm(len(texts))
    cut = len(texts) * 9 // 10
    train, test = order[:cut].numpy(), order[cut:].numpy()
    layers = _fit(vectors[train], targets[train])
    said = torch.tensor(layers.probabilities(vectors[test]))[:, :-1]
    single = wanted[test][:, :-1].sum(1) == 1
    right = said.argmax(1)[single] == wanted[test][:, :-1].argmax(1)[single]
    out.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        out / FILE, allow_pickle=False, labels=np.array(json.dumps(labels)), **layers.arrays()
    )
    return {"examples": len(texts), "first": round(float(right.float().mean()), 4)}


def fit(
    inputs: np.ndarray, targets: np.ndarray, seed: int, dropout: float = DROPOUT, epochs: int = EPOCHS
) -> Layers:
    """Return the layers of a classifier tuned on all rows of `inputs` and `targets`."""
    torch.manual_seed(seed)
    return _fit(inputs, targets, dropout, epochs)


def _fit(inputs: np.ndarray, targets: np.ndarray, dropout: float = DROPOUT, epochs: int = EPOCHS) -> Layers:
    vectors, wanted = torch.tensor(inputs), torch.tensor(targets)
    count = len(vectors)
    first = torch.nn.Linear(vectors.shape[1], HIDDEN)
    last = torch.nn.Linear(HIDDEN, wanted.shape[1])
    net = torch.nn.Sequential(first, torch.nn.ReLU(), torch.nn.Dropout(dropout), last)
    optimizer = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=0.01)
    steps = epochs * (count // 128 + 1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=4e-3, total_steps=steps)
    for _ in range(epochs):
        for rows in torch.randperm(count).split(128):
            # A little noise on the embeddings keeps the network from learning the phrasings by heart.
            noisy = vectors[rows] + 0.02 * torch.randn_like(vectors[rows])
            loss = torch.nn.functional.binary_cross_entropy_with_logits(net(noisy), wanted[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    w0, b0, w1, b1 = (
        part.detach().numpy().astype(np.float32)
        for layer in (first, last)
        for part in (layer.weight, layer.bias)
    )
    return Layers(w0.T, b0, w1.T, b1)
