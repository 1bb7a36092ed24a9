"""What is worked out once per generation and kept in memory, such as a loaded model."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from storewise.tools.models.card import CARD
from storewise.tools.shop.generation import Shop

Kept = TypeVar("Kept")

GENERATIONS = 3  # as many as a shop keeps on disk


def once_per_generation(work: Callable[[Shop], Kept]) -> Callable[[Shop], Kept]:
    """Keep the result of `work` for a generation until one of its models is trained again."""
    kept: dict[tuple[str, ...], Kept] = {}
    lock = threading.Lock()

    @wraps(work)
    def remembered(shop: Shop) -> Kept:
        cards = sorted(shop.folder("models").glob(f"*/{CARD}"))
        key = (str(shop.path), *(f"{card} {card.stat().st_mtime_ns}" for card in cards))
        with lock:
            if key not in kept:
                kept[key] = work(shop)
                while len(kept) > GENERATIONS:
                    kept.pop(next(iter(kept)))
            return kept[key]

    return remembered
