"""Rate limits: a token bucket for each key, or each address without one."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

MOST_CALLERS = 10_000  # remembered at once; who was silent longest is forgotten first


class Limits:
    """So many requests a minute, of which a quarter may come at once. In memory, for this process."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = per_minute / 60
        self._size = max(1.0, per_minute / 4)
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, caller: str) -> float:
        """Take a token of `caller`; return 0, or if none is left, the seconds until there is one."""
        now = self._clock()
        with self._lock:
            tokens, then = self._buckets.pop(caller, (self._size, now))
            tokens = min(self._size, tokens + (now - then) * self._rate)
            short = max(0.0, 1 - tokens)
            self._buckets[caller] = (tokens if short else tokens - 1, now)
            if len(self._buckets) > MOST_CALLERS:
                self._buckets.popitem(last=False)
        return short / self._rate
