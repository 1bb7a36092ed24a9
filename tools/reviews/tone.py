"""The tone of a sentence: log-odds of praise, from upper layers of the sentence encoder that were tuned for it.

They read what the encoder's lower layers make of a text for its embedding, too, so one pass gives both. What
tuning added to each weight is kept as the product of two thin matrices (`tone.npz`); `tone_fit.py` makes them.
"""

from __future__ import annotations

import copy
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from storewise.tools.reviews.embedding import DIMENSIONS

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from torch.utils.hooks import RemovableHandle

HERE = Path(__file__).parent
LAYERS = 3  # from the top; with two it is a point less accurate on sentences of unknown products, and a tenth faster

Arrays = dict[str, npt.NDArray[Any]]


class Tone(torch.nn.Module):
    """Copies of an encoder's upper layers, and a weighted sum of the mean of what they make of a text's pieces."""

    def __init__(self, encoder: SentenceTransformer) -> None:
        super().__init__()
        self.layers = copy.deepcopy(torch.nn.ModuleList(layers_of(encoder)[-LAYERS:]))
        self.out = torch.nn.Linear(DIMENSIONS, 1)

    def forward(
        self, states: torch.Tensor, mask: torch.Tensor, attended: torch.Tensor | None
    ) -> torch.Tensor:
        """Return log-odds of praise, shape (texts,).

        Args:
            states: what the lower layers make of each piece, shape (texts, pieces, 384).
            mask: 1 for a piece, 0 for padding, shape (texts, pieces).
            attended: the same in the form that the encoder's layers take; None where nothing is padding.
        """
        for layer in self.layers:
            made = layer(states, attended)
            states = made[0] if isinstance(made, tuple) else made
        shown = mask.to(states.dtype).unsqueeze(-1)
        odds: torch.Tensor = self.out((states * shown).sum(1) / shown.sum(1).clamp(min=1))
        return odds[:, 0]

    def added(self, rank: int, encoder: SentenceTransformer) -> Arrays:
        """Return what tuning added to the encoder's layers: weights as products of `rank`, all else in full.

        The nearest such products, by singular values (Eckart & Young 1936).
        """
        found: Arrays = {}
        before = Tone(encoder).layers.state_dict()
        for name, value in self.layers.state_dict().items():
            more = (value - before[name]).float()
            if more.ndim < 2:
                found[f"layers.{name}"] = more.numpy()
                continue
            left, size, right = torch.linalg.svd(more, full_matrices=False)
            found[f"layers.{name}.left"] = (left[:, :rank] * size[:rank]).numpy().astype(np.float16)
            found[f"layers.{name}.right"] = right[:rank].numpy().astype(np.float16)
        return found | {f"out.{name}": value.numpy() for name, value in self.out.state_dict().items()}

    def add(self, arrays: Arrays) -> Tone:
        """Return this with what `added` returned; this must be of an encoder that was not tuned."""
        state = self.state_dict()
        for name, value in state.items():
            if name.startswith("out."):
                state[name] = torch.from_numpy(arrays[name])
            elif name in arrays:
                state[name] = value + torch.from_numpy(arrays[name])
            else:
                left, right = (arrays[f"{name}.{side}"].astype(np.float32) for side in ("left", "right"))
                state[name] = value + torch.from_numpy(left @ right)
        self.load_state_dict(state)
        return self.eval()


def shipped(encoder: SentenceTransformer) -> Tone:
    """Return the shipped layers for this encoder, where the encoder is."""
    with np.load(HERE / "tone.npz", allow_pickle=False) as file:
        return Tone(encoder).add(dict(file)).to(encoder.device)


def layers_of(encoder: SentenceTransformer) -> list[torch.nn.Module]:
    """Return the encoder's layers from the lowest up."""
    bert: Any = encoder[0].model
    return list(bert.encoder.layer)


class _Below(threading.local):
    """What the tuned layers are to read of the text that this thread embeds."""

    states: torch.Tensor | None = None
    attended: torch.Tensor | None = None


_below = _Below()


def keep_below(encoder: SentenceTransformer) -> RemovableHandle:
    """Have the encoder keep what its lower layers make of a text, for `taken_below` in the same thread."""
    return layers_of(encoder)[-LAYERS].register_forward_pre_hook(_kept, with_kwargs=True)


def _kept(_: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    _below.states = args[0] if args else kwargs["hidden_states"]
    _below.attended = args[1] if len(args) > 1 else kwargs.get("attention_mask")


def taken_below() -> tuple[torch.Tensor, torch.Tensor | None]:
    """Return what the lower layers made of the texts that this thread embedded last, and forget it."""
    states, attended = _below.states, _below.attended
    _below.states = _below.attended = None
    if states is None:
        raise RuntimeError("nothing was embedded")
    return states, attended
