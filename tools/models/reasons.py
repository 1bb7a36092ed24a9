"""Why a product is offered, in words with the customer's own figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from storewise.tools.finding import percent
from storewise.tools.models.content import Content
from storewise.tools.models.purchases import Ints
from storewise.tools.models.ranking import FEATURES, GROUPS, Describer, Table
from storewise.tools.models.windows import DAYS
from storewise.tools.models.wording import ago, count

MOST = 3  # reasons of one suggestion
FEWEST_ALIKE, LEAST_POPULAR = 5, 0.01  # customers alike, and a share of all, below which neither is a reason

_OWN, _VISITS, _KIND, _ALIKE, _TOGETHER, _NEXT, _POPULAR = GROUPS


@dataclass(frozen=True)
class Reasons:
    """Puts what speaks for a candidate into words; `names` holds those of the products that may be offered."""

    describer: Describer
    content: Content
    names: Mapping[str, str]

    def of(self, table: Table, place: int, contributions: Mapping[str, float] | None) -> tuple[str, ...]:
        """Return up to MOST reasons for the candidate at `place` of `table`, the strongest first.

        `contributions` are those of GROUPS to its log-odds; without trees there are none. Own purchases
        come first, whatever else speaks for it.
        """
        value = dict(zip(FEATURES, table.values[place].tolist(), strict=True))
        row, item = int(table.candidates.rows[place]), int(table.candidates.items[place])
        own = bool(table.candidates.pairs[place] >= 0)
        words: dict[str, Callable[[], str | None]] = {
            _KIND: lambda: self._kind(item, value["kind_times_91"]),
            _ALIKE: lambda: self._alike(row, item),
            _TOGETHER: lambda: self._together(row, item),
            _NEXT: lambda: None if own else self._next(row, item),
            _POPULAR: lambda: popular(value["popularity"]) if value["popularity"] >= LEAST_POPULAR else None,
        }
        if contributions is None:
            order = [] if own else [_TOGETHER]
        else:
            order = [
                group
                for group, moved in sorted(contributions.items(), key=lambda pair: -pair[1])
                if moved > 0 and group in words
            ]
        found = [_bought(value)] if own else []
        for group in order:
            said = words[group]()
            if said is not None and len(found) < MOST:
                found.append(said)
        return tuple(found) or (popular(value["popularity"]),)

    def name(self, item: int) -> str | None:
        """Return the name of a product of the purchases, None where it may not be offered."""
        return self.names.get(str(self.describer.signals.known.products[item]))

    def _kind(self, item: int, times: float) -> str | None:
        kind = int(self.describer.signals.kind[item])
        if kind < 0 or times < 1:
            return None
        return f"{count(times, 'purchase')} of {self.content.kinds[kind]} in the last 91 days"

    def _alike(self, row: int, item: int) -> str | None:
        signals = self.describer.signals
        near = signals.alike.weights(np.array([row], dtype=np.int32))
        who = signals.alike.pool[near.indices]
        bought = int(self._recent[who, item].sum()) if len(who) else 0
        if bought < FEWEST_ALIKE:
            return None
        return f"{bought} of the {len(who)} customers of most similar taste bought it in the last {DAYS} days"

    def _together(self, row: int, item: int) -> str | None:
        """Return the customer's own product whose buyers most markedly buy `item` too, in words."""
        known = self.describer.signals.known
        own = self._latest(row, known.fresh_180)
        own = own[(known.buyers[own] >= 5) & (own != item)]
        if not len(own):
            return None
        both = np.asarray((known.bought[:, own].T @ known.bought[:, [item]]).todense()).ravel()
        similarity = both / np.sqrt(known.buyers[own] * known.buyers[item])
        best = int(np.argmax(similarity))
        if both[best] < 2:
            return None
        share = percent(both[best] / known.buyers[own[best]])
        return f"{share} of the customers who buy {self.name(int(own[best]))} also buy it"

    def _next(self, row: int, item: int) -> str | None:
        """Return the latest purchase after which `item` is most often bought for the first time."""
        signals = self.describer.signals
        known, place = signals.known, signals.place
        own = self._latest(row, known.lately_5)
        own = own[place[own] >= 0]
        if place[item] < 0 or not len(own):
            return None
        follows = signals.follows[place[own], int(place[item])].toarray().ravel()
        best = int(np.argmax(follows))
        if follows[best] <= 0:
            return None
        pairs = slice(known.starts[row], known.starts[row + 1])
        age = float(known.age[pairs][known.item[pairs] == own[best]][0])
        return f"often first bought soon after {self.name(int(own[best]))}, bought {ago(age)}"

    def _latest(self, row: int, weight: npt.NDArray[np.float32]) -> Ints:
        """Return the customer's own products that may be named, at most 50, by `weight`."""
        known = self.describer.signals.known
        pairs = slice(known.starts[row], known.starts[row + 1])
        own = known.item[pairs][np.argsort(-weight[pairs], kind="stable")[:50]]
        return own[[self.name(int(item)) is not None for item in own]]

    @cached_property
    def _recent(self) -> sp.csr_matrix:
        known = self.describer.signals.known
        return known.matrix((known.age < DAYS).astype(np.float32))


def popular(share: float) -> str:
    """Return the share of all customers who bought a product lately, in words."""
    return f"{percent(share)} of all customers bought it in the last {DAYS} days"


def _bought(value: Mapping[str, float]) -> str:
    if value["times"] == 1:
        return f"bought once, {ago(value['age'])}"
    often = "twice" if value["times"] == 2 else f"{value['times']:,.0f} times"
    gap = max(1, round(value["gap"]))
    usual = "every day" if gap == 1 else f"every {gap:,} days"
    return f"bought {often}, last {ago(value['age'])}, usually {usual}"
