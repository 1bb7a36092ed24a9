"""Whether a text names one customer: by id, e-mail or full name. For erasing, a miss is worse than a stray hit."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

_KIND = r"(?:customer|household|shopper|client|buyer|member|account|user)"


@dataclass(frozen=True)
class Person:
    """A customer as texts may name them; `told` are the e-mails and full names known of them."""

    customer_id: str
    told: tuple[str, ...] = ()

    @property
    def telling(self) -> bool:
        """Whether the id can only be an id: a number such as 900 or a short word stands for much else."""
        enough = len(self.customer_id) >= 7 or not self.customer_id.isalnum()
        mixed = not self.customer_id.isdigit() and not self.customer_id.isalpha()
        return enough or (mixed and len(self.customer_id) >= 5)

    @property
    def needles(self) -> tuple[str, ...]:
        """What to look for in files of any kind."""
        return tuple(dict.fromkeys((*((self.customer_id,) if self.telling else ()), *self.told)))

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What names the customer in a text; a short id only where it is said to be a customer's."""
        own = re.escape(self.customer_id)
        parts = [r"[\s_.-]+".join(re.escape(word) for word in text.split()) for text in self.told]
        # "customer 900", "customers 1228 and 900", or the id alone in quotation marks, as JSON has it.
        said = rf"{_KIND}(?:'s|s)?\W[^\n.!?;]{{0,20}}?(?<![\w@]){own}"
        parts += [own] if self.telling else [rf'(?<="){own}(?=")', said]
        return re.compile(rf"(?<![\w@])(?:{'|'.join(parts)})(?![\w@])", re.I)

    @cached_property
    def _packed(self) -> bytes:
        """The id as msgpack writes a text of its own, such as a cell of a finding."""
        raw = self.customer_id.encode()
        return bytes([0xA0 | len(raw)]) + raw if len(raw) < 32 else b"\xd9" + bytes([len(raw) % 256]) + raw

    def named_in(self, kept: str | bytes | None) -> bool:
        """Say whether a text, or the bytes of a checkpoint, name the customer."""
        if kept is None:
            return False
        if isinstance(kept, bytes):
            return self._packed in kept or bool(self.pattern.search(kept.decode("utf-8", "replace")))
        return bool(self.pattern.search(kept))

    def without(self, value: Any) -> Any:
        """Return a JSON value in which the customer is named no more."""
        if isinstance(value, str):
            return self.pattern.sub("[customer]", value)
        if isinstance(value, list):
            return [self.without(part) for part in value]
        if isinstance(value, dict):
            return {self.without(key): self.without(part) for key, part in value.items()}
        return value

    def spellings(self) -> tuple[str, ...]:
        """Return pieces of which a text has one if it names the customer, also escaped as JSON."""
        plain = (self.customer_id, *(text.split()[-1] for text in self.told if text.split()))
        return tuple(dict.fromkeys((*plain, *(json.dumps(text)[1:-1] for text in plain))))
