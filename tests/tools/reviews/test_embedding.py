"""Vectors are normalised, in the order of the texts, the same in bulk and alone, and from any thread."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from storewise.tools.reviews.embedding import BULK, DIMENSIONS, encode, encoder


def test_bulk_agrees_with_plain_float32() -> None:
    texts = [f"Review {i}: the tea was {'very ' * (i % 7)}good. " * (1 + i % 5) for i in range(BULK)]
    plain = encoder().encode(texts, normalize_embeddings=True, show_progress_bar=False)
    vectors = encode(texts)
    assert vectors.dtype == np.float32
    assert (vectors * plain).sum(axis=1).min() > 0.999


def test_odd_texts() -> None:
    assert encode([]).shape == (0, DIMENSIONS)
    vectors = encode(["", "🙂", "word " * 5000, "\x00<b>"])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_threads_do_not_disturb_one_another() -> None:
    texts = [[f"text {i} {'long ' * i}"] * 3 for i in range(12)]
    alone = [encode(batch) for batch in texts]
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(encode, texts))
    assert all(np.allclose(a, b, atol=1e-4) for a, b in zip(alone, together, strict=True))


def test_progress_ends_with_all_texts() -> None:
    told: list[str] = []
    encode(["a", "b", "c"], told.append)
    assert told[-1] == "3 of 3 texts embedded"
