"""The tone: a text has the same with any neighbours, its layers are the shipped ones, and tuning is kept thin."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pytest

from storewise.tools.reviews import sentiment, tone, tone_fit
from storewise.tools.reviews.embedding import encode, encoder, read

SAID = [
    "Lovely, we buy it again and again.",
    "Stale.",
    "The lid broke, and nobody answered my three letters.",
]


def test_a_reading_holds_the_embedding_and_the_tone() -> None:
    found = read(SAID)
    assert np.array_equal(found.vectors, encode(SAID))
    assert found.tones.shape == (3,) and found.tones[0] > 1 > -1 > found.tones[2]
    assert read([]).tones.shape == (0,)


def test_a_tone_does_not_depend_on_neighbours_threads_or_precision() -> None:
    together = read(SAID).tones
    with ThreadPoolExecutor(3) as pool:
        alone = np.concatenate([one.tones for one in pool.map(lambda text: read([text]), SAID)])
    assert np.allclose(together, alone, atol=1e-4)
    assert np.allclose(together, read(SAID, halved=True).tones, atol=0.3)


def test_the_card_names_the_layers_that_are_shipped() -> None:
    shipped = (tone.HERE / "tone.npz").read_bytes()
    assert sentiment.card()["tone"] == hashlib.sha256(shipped).hexdigest()[:12]
    assert len(shipped) < 3_000_000


def test_what_cannot_be_read_has_no_side_whatever_its_tone() -> None:
    texts = ["12/03", "🙂", "Este té tiene un sabor muy agradable y llegó muy rápido a mi casa."]
    found = sentiment.head().probability(texts, encode(texts), np.array([9.0, -9.0, 9.0], dtype=np.float32))
    assert found[:2].tolist() == [0.5, 0.5] and found[2] < sentiment.SURE


def test_the_tone_counts() -> None:
    texts = ["It is a tea."] * 2
    low, high = sentiment.head().probability(texts, encode(texts), np.array([-4, 4], dtype=np.float32))
    assert low < 0.2 and high > 0.8


class Taught(NamedTuple):
    """Sentences of two kinds as the lower layers read them, and what tuning on all but the last 20 adds."""

    below: tone_fit.Below
    praise: npt.NDArray[np.bool_]
    added: tone.Arrays


@pytest.fixture(scope="module")
def taught() -> Taught:
    rng = np.random.default_rng(3)
    praise = rng.random(180) < 0.5
    things = ["tea", "soup", "lid", "bag", "cake", "dog food"]
    texts = [
        f"The {rng.choice(things)} I got in week {n} was {'lovely' if good else 'awful'}."
        for n, good in enumerate(praise)
    ]
    below = tone_fit.Below(texts, lambda said: None)
    likely = np.where(praise, 0.95, 0.05)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tone_fit, "EPOCHS", 8)
        added = tone_fit.fit(below, np.arange(160), likely, np.ones(len(texts)), lambda said: None)
    return Taught(below, praise, added)


def test_tuning_tells_sentences_apart_that_it_has_not_seen(taught: Taught) -> None:
    unseen = np.arange(160, 180)
    found = tone_fit.odds(taught.below, unseen, taught.added)
    assert ((found > 0) == taught.praise[unseen]).mean() >= 0.9
    again = tone_fit.odds(taught.below, unseen[::-1].copy(), taught.added)[::-1]
    assert np.abs(found - again).max() < 0.1


def test_what_tuning_adds_is_thin_and_adds_up(taught: Taught) -> None:
    arrays = taught.added
    sides = {name: value.shape for name, value in arrays.items() if name.endswith((".left", ".right"))}
    assert sides and all(min(shape) == tone_fit.RANK for shape in sides.values())
    made, before = tone.Tone(encoder()).add(arrays).state_dict(), tone.Tone(encoder()).state_dict()
    name = "layers.0.attention.self.query.weight"
    more = arrays[f"{name}.left"].astype(np.float32) @ arrays[f"{name}.right"].astype(np.float32)
    assert np.abs(more).max() > 0
    assert np.allclose((made[name] - before[name]).numpy(), more, atol=1e-6)


def test_the_encoder_itself_is_left_as_it_was(taught: Taught) -> None:
    assert taught.added
    plain = encoder().encode(SAID, normalize_embeddings=True, show_progress_bar=False)
    assert np.abs(read(SAID).vectors - plain).max() < 1e-5
    assert len(tone.layers_of(encoder())[-tone.LAYERS]._forward_pre_hooks) == 1
