"""The shortlist: a small classifier over sentence embeddings that keeps the few likely tools.

A multi-label network with one hidden layer over the embedding of the question: one output a tool, one
for "no tool" and one for "two wishes". Tuned by `storewise tune` (finetune/shortlisting.py); run with numpy.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike

from storewise.tools.reviews.embedding import encode

FILE = "shortlist.npz"
NONE, TWO = "none", "two"
_ID = re.compile(r"\b[A-Za-z]{1,3}\d{3,}\b")
_NUMBER = re.compile(r"\d[\d,.]*")
_QUOTED = re.compile(r'"([^"]+)"')
# A new tool is meant where its description is nearer than any other tool's, by cosine, and no tuned tool is all
# but certain: of questions for a new tool a third are found so, and of all others one in a hundred is lost.
NEAR, SURE = 0.5, 0.9


def masked(question: str, before: str = "") -> str:
    """Return a question as the shortlist reads it: ids and numbers do not tell one tool from another."""
    text = f"{before} > {question}" if before else question
    return _NUMBER.sub("7", _ID.sub("session-id", text)).strip()


class ShortlistError(Exception):
    """There is no shortlist to load; the message says what to type."""


@dataclass(frozen=True)
class Choice:
    """What the shortlist leaves: tools by falling likelihood, and whether none or two calls are in reach."""

    tools: tuple[str, ...]
    scores: dict[str, float]
    none: bool
    two: bool

    @property
    def likeliest(self) -> str:
        """The likeliest tool, or "none"."""
        return max((*self.tools, NONE), key=lambda name: self.scores[name])


class Newcomers:
    """The tools that came after the last tuning: known by their descriptions, and the questions quoted there."""

    def __init__(self, descriptions: Mapping[str, str], tuned: Collection[str]) -> None:
        self._descriptions = descriptions
        self.names = [name for name in descriptions if name not in tuned]

    @cached_property
    def _vectors(self) -> dict[str, np.ndarray]:
        texts = {
            name: [text.split("\n\n")[0], *_QUOTED.findall(text)] for name, text in self._descriptions.items()
        }
        return {name: encode([masked(" ".join(text.split())) for text in own]) for name, own in texts.items()}

    def meant(self, question: str) -> str | None:
        """Return the new tool whose description is nearest to `question`; None where another tool's is nearer."""
        if not self.names:
            return None
        asked = encode([masked(question)])[0]
        near = {name: float((own @ asked).max()) for name, own in self._vectors.items()}
        nearest = max(near, key=lambda name: near[name])
        return nearest if nearest in self.names and near[nearest] >= NEAR else None


@dataclass(frozen=True)
class Layers:
    """The network: one hidden layer, and a probability for each label."""

    w0: np.ndarray
    b0: np.ndarray
    w1: np.ndarray
    b1: np.ndarray

    @classmethod
    def of(cls, saved: Mapping[str, np.ndarray]) -> Layers:
        """Return the layers that `arrays` was saved of."""
        return cls(*(saved[name].astype(np.float32) for name in ("w0", "b0", "w1", "b1")))

    def arrays(self, kind: DTypeLike = np.float32) -> dict[str, np.ndarray]:
        """Return the arrays by their names, to be saved as numbers of a kind."""
        arrays = {"w0": self.w0, "b0": self.b0, "w1": self.w1, "b1": self.b1}
        return {name: values.astype(kind) for name, values in arrays.items()}

    def probabilities(self, inputs: np.ndarray) -> np.ndarray:
        """Return the probabilities of the labels, shape (inputs, labels)."""
        hidden = np.maximum(inputs @ self.w0 + self.b0, 0)
        return np.asarray(1 / (1 + np.exp(-(hidden @ self.w1 + self.b1))))


class Shortlist:
    """The classifier, loaded from the folder of an adapter."""

    def __init__(self, folder: Path) -> None:
        if not (folder / FILE).is_file():
            raise ShortlistError("The shortlist of the adapter is missing. Type: storewise tune")
        with np.load(folder / FILE, allow_pickle=False) as saved:
            self._layers = Layers.of(saved)
            self.labels: list[str] = json.loads(str(saved["labels"]))

    def scores(self, texts: list[str]) -> np.ndarray:
        """Return the probabilities of the labels, shape (texts, labels), of masked texts."""
        return self._layers.probabilities(encode(texts))

    def choose(
        self,
        question: str,
        tools: list[str],
        keep: int,
        before: str = "",
        earlier: str = "",
        newcomer: str | None = None,
    ) -> Choice:
        """Return the likely tools among `tools`; `earlier` (the tool of the turn before) is always kept.

        `newcomer` is a tool that came after the last tuning and seems to be meant: a tuned model that does not
        know it yet would choose any other, so it stands alone unless a tuned tool is all but certain.
        """
        texts = [masked(question), *([masked(question, before)] if before else [])]
        # After another turn a question may go on with it or begin afresh: both readings count.
        values = dict(zip(self.labels, self.scores(texts).mean(axis=0).tolist(), strict=True))
        known = sorted((tool for tool in tools if tool in values), key=lambda tool: -values[tool])
        best = max(values[tool] for tool in known) if known else 0.0
        # A tool far behind the best one only distracts the model.
        kept = [tool for tool in known[:keep] if values[tool] >= 0.02 * best]
        if earlier in known and earlier not in kept:
            kept = [*kept[: keep - 1], earlier]
        # A tool that came after the last tuning has no score yet: it stays in reach.
        kept += [tool for tool in tools if tool not in values]
        likeliest = max(best, values[NONE])
        if newcomer is not None and newcomer not in values and likeliest <= SURE:
            kept = [newcomer]
            values[newcomer] = likeliest
        return Choice(
            tools=tuple(kept),
            scores={tool: values.get(tool, 0.0) for tool in [*tools, NONE]},
            none=values[NONE] >= 0.05,
            two=values[TWO] >= 0.2 or sum(values[tool] >= 0.4 for tool in known) > 1,
        )


@cache
def load_shortlist(folder: Path) -> Shortlist:
    """Return the shortlist of an adapter's folder, loaded once."""
    return Shortlist(folder)
