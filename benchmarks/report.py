"""What a benchmark reports: ours beside the peers on one split, in a table and as one JSON line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from time import perf_counter
from typing import Any

Interval = tuple[float, float]


@dataclass(frozen=True)
class Task:
    """One comparison on one split.

    Attributes:
        n: how many cases were scored.
        metric: what `ours`, `peers` and `interval` are given in.
        ours, peers: the metric of our model and of each peer, all trained on the same part.
        interval: the 95 % interval of ours minus the best peer.
        lower_is_better: for errors.
        more: further figures; ours and each peer under the figure's name, or a plain value.
    """

    n: int
    metric: str
    ours: float
    peers: dict[str, float]
    interval: Interval
    lower_is_better: bool = False
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def best_peer(self) -> str:
        """The name of the strongest peer."""
        choose = min if self.lower_is_better else max
        return choose(self.peers, key=lambda name: self.peers[name])

    def fields(self) -> dict[str, Any]:
        """Return the task as the JSON line holds it."""
        own = asdict(self)
        more = own.pop("more")
        return {**own, "best_peer": self.best_peer, **more}


@dataclass(frozen=True)
class Report:
    """A whole benchmark: its first task at the top level, further ones under `tasks`, seconds by step."""

    benchmark: str
    tasks: dict[str, Task]
    seconds: dict[str, float]
    more: dict[str, Any] = field(default_factory=dict)

    def line(self) -> str:
        """Return the JSON line."""
        first, *others = self.tasks
        values: dict[str, Any] = {
            "benchmark": self.benchmark,
            "task": first,
            **self.tasks[first].fields(),
            "seconds": self.seconds,
            **self.more,
        }
        if others:
            values["tasks"] = {name: self.tasks[name].fields() for name in others}
        return json.dumps(_rounded(values))

    def rows(self) -> Iterator[tuple[str, str, str, str]]:
        """Yield task, method, figure and note for the table, the best method of each task first."""
        for name, task in self.tasks.items():
            sign = 1 if task.lower_is_better else -1
            methods = sorted({"ours": task.ours, **task.peers}.items(), key=lambda pair: sign * pair[1])
            for place, (method, value) in enumerate(methods):
                low, high = task.interval
                note = f"95 % of the difference to {task.best_peer}: {low:+.4f} to {high:+.4f}"
                title = f"{name} ({task.metric}, n = {task.n:,})" if place == 0 else ""
                yield title, method, f"{value:.4f}", note if method == "ours" else ""


@dataclass
class Clock:
    """Seconds by step; says each step as it begins."""

    tell: Any
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time what is done inside under `name`; a name used again adds up."""
        self.tell(name)
        began = perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = round(self.seconds.get(name, 0.0) + perf_counter() - began, 2)


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(inner) for inner in value]
    if isinstance(value, float):
        return round(value, 5)
    return value
