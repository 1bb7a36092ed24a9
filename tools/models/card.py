"""A model's card: what it is, which data it was trained on, and how well it did on later data."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from pydantic import BaseModel, ConfigDict, ValidationError

from storewise.tools.finding import ModelNote
from storewise.tools.shop.contract import CONTRACT
from storewise.tools.shop.generation import Shop, ShopError

CARD = "card.json"


class NoModel(ShopError):
    """There is no model that fits this shop's data; the message says why and what to type."""


class Card(BaseModel):
    """What is known of a trained model.

    Attributes:
        name, version: of the model's code.
        trained_at, as_of: the day of training, and the last complete day of the data.
        fingerprint: of the tables that it was trained on; other data refuses the model.
        missing: a sentence if the shop's data did not suffice for a model, else empty.
        split: what was learned on and what was tested on.
        parameters: what the model was fitted with, and how it was found.
        dropped: features left out by selection, each with the reason.
        drivers: how much each group of features moves the predictions, as shares that add up to 1.
        quality, peers: figures on the later data, of the model and of each naive peer.
        summary: the same in one or two sentences, for the evidence of a finding.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    version: str
    trained_at: str
    as_of: str
    fingerprint: str
    missing: str = ""
    split: str = ""
    parameters: dict[str, float | str] = {}
    dropped: dict[str, str] = {}
    drivers: dict[str, float] = {}
    quality: dict[str, float] = {}
    peers: dict[str, dict[str, float]] = {}
    summary: str = ""

    def note(self) -> ModelNote:
        """Return the card as the evidence of a finding."""
        quality = self.summary or self.missing or "not measured"
        return ModelNote(
            name=self.name,
            version=self.version,
            trained_at=self.trained_at,
            quality=quality,
            drivers=tuple(sorted(self.drivers.items(), key=lambda driver: -driver[1])),
        )

    def save(self, folder: Path) -> None:
        """Write the card last and in one step: a folder without one holds no finished model."""
        aside = folder / (CARD + ".new")
        aside.write_text(self.model_dump_json(indent=1), encoding="utf-8")
        os.replace(aside, folder / CARD)


def begin(folder: Path) -> None:
    """Make `folder` ready for a training: without a card, what lies there is no model."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CARD).unlink(missing_ok=True)


def made(shop: Shop, name: str, version: str, *tables: str) -> dict[str, Any]:
    """Return the fields with which the card of a model begins that is trained now, on `tables` of `shop`."""
    return {
        "name": name,
        "version": version,
        "trained_at": dt.date.today().isoformat(),
        "as_of": shop.as_of.isoformat(),
        "fingerprint": fingerprint(shop, *tables),
    }


def shares(moved: Mapping[Any, float]) -> dict[str, float]:
    """Return `drivers` from how far each group of features moves the predictions."""
    total = max(sum(moved.values()), 1e-12)
    return {str(group): float(size) / total for group, size in moved.items()}


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Tell a file of a model that is missing or broken by NoModel, with what to type."""
    from lightgbm.basic import LightGBMError

    broken = (OSError, ValueError, KeyError, IndexError, TypeError, BadZipFile, LightGBMError, ShopError)
    try:
        yield
    except broken:
        raise NoModel(f"The {name} model cannot be read. Train it again with: storewise fit") from None


def fingerprint(shop: Shop, *tables: str) -> str:
    """Return the fingerprints of `tables`, and the version of the contract that they keep, as one string."""
    known = shop.manifest.get("fingerprints", {})
    return f"contract:{CONTRACT} " + " ".join(f"{table}:{known.get(table, 'none')}" for table in tables)


def read_card(shop: Shop, folder: Path, name: str, *tables: str) -> Card:
    """Return the card in `folder`, checked against the shop's data.

    Raises:
        NoModel: no card, a broken one, one of other data, or one saying that the data did not suffice.
    """
    try:
        card = Card.model_validate(json.loads((folder / CARD).read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise NoModel(f"There is no {name} model for this shop yet. Train it with: storewise fit") from None
    except (ValidationError, ValueError):
        raise NoModel(f"The {name} model's card cannot be read. Train it again with: storewise fit") from None
    if card.fingerprint != fingerprint(shop, *tables):
        raise NoModel(
            f"The {name} model was trained on other data than this shop's, or under another contract. "
            "Train it again with: storewise fit"
        )
    if card.missing:
        raise NoModel(card.missing)
    return card
