"""Rows of unequal length: the runs they are made of, and a table of the terms that each text holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


def runs(starts: Ints, lengths: Ints) -> Ints:
    """Return starts[0], starts[0] + 1, … (lengths[0] of them), then those from starts[1], and so on."""
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    return np.asarray(np.repeat(starts - ends + lengths, lengths) + np.arange(total), dtype=np.int64)


@dataclass(frozen=True)
class Terms:
    """Which terms each text holds, in its order: `names[indices[starts[i]:starts[i + 1]]]` for text i."""

    names: tuple[str, ...]
    indices: npt.NDArray[np.int32]
    starts: Ints

    def __len__(self) -> int:
        return len(self.starts) - 1

    @cached_property
    def lengths(self) -> Ints:
        """How many terms each text holds."""
        return np.diff(self.starts)

    @cached_property
    def text(self) -> Ints:
        """The text that each entry of `indices` belongs to."""
        return np.repeat(np.arange(len(self)), self.lengths)

    @classmethod
    def of(cls, texts: Iterable[Iterable[str]]) -> Terms:
        """Count the terms of `texts`."""
        number: dict[str, int] = {}
        indices: list[int] = []
        ends = [0]
        for terms in texts:
            indices += [number.setdefault(term, len(number)) for term in terms]
            ends.append(len(indices))
        return cls(tuple(number), np.array(indices, dtype=np.int32), np.array(ends, dtype=np.int64))._sorted()

    def take(self, rows: Ints) -> Terms:
        """Return the texts at `rows`, with the terms that they hold alone."""
        lengths = self.lengths[rows]
        indices = self.indices[runs(self.starts[rows], lengths)]
        return Terms(self.names, indices, np.concatenate([[0], np.cumsum(lengths)]))._sorted()

    def followed_by(self, more: Terms) -> Terms:
        """Return these texts and `more` after them."""
        number = {name: i for i, name in enumerate(self.names)}
        place = [number.setdefault(name, len(number)) for name in more.names]
        moved = np.array(place, dtype=np.int32)[more.indices] if len(more.indices) else more.indices
        return Terms(
            tuple(number),
            np.concatenate([self.indices, moved]).astype(np.int32),
            np.concatenate([self.starts, more.starts[1:] + self.starts[-1]]),
        )

    def _sorted(self) -> Terms:
        """Order the names and drop unused ones: the same texts give the same table, however it came about."""
        used = np.flatnonzero(np.bincount(self.indices, minlength=len(self.names))).tolist()
        order = sorted(used, key=self.names.__getitem__)
        place = np.zeros(len(self.names), dtype=np.int32)
        place[order] = np.arange(len(order), dtype=np.int32)
        return Terms(tuple(self.names[i] for i in order), place[self.indices], self.starts)

    def save(self, path: Path) -> None:
        """Write the table; no term may hold a line break."""
        names = np.frombuffer("\n".join(self.names).encode(), dtype=np.uint8)
        np.savez(path, names=names, indices=self.indices, starts=self.starts)

    @classmethod
    def load(cls, path: Path) -> Terms:
        """Read a table that `save` wrote."""
        with np.load(path, allow_pickle=False) as file:
            names: Sequence[str] = file["names"].tobytes().decode().split("\n")
            return cls(tuple(names) if len(file["names"]) else (), file["indices"], file["starts"])
