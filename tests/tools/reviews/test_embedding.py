"""Vectors are normalised, in the order of the texts, the same in bulk and alone, and from any thread."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from storewise.tools.reviews.embedding import BULK, DIMENSIONS, encode, encoder, halved_encoder


def test_bulk_agrees_with_plain_float32() -> None:
    texts = [f"Review {i}: the tea was {'very ' * (i % 7)}good. " * (1 + i % 5) for i in range(BULK)]
    plain = encoder().encode(texts, normalize_embeddings=True, show_progress_bar=False)
    vectors = encode(texts)
    assert vectors.dtype == np.float32
    assert (vectors * plain).sum(axis=1).min() > 0.999


def test_weights_in_bfloat16_change_no_bit_of_what_autocast_gives() -> None:
    model, texts = halved_encoder(), ["Good tea.", "The tea was very bitter, and the tin had a dent.", "tea"]
    assert model is halved_encoder() is not encoder()
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        features = encoder().preprocess(texts)
        wanted, found = (one(dict(features))["sentence_embedding"] for one in (encoder(), model))
    assert torch.equal(wanted, found)
    assert {weight.dtype for weight in encoder().parameters()} == {torch.float32}
    own = {weight.data_ptr() for weight in encoder().parameters()}
    assert all(weight.data_ptr() in own for weight in model.parameters() if weight.dtype == torch.float32)


def test_few_texts_in_bfloat16_agree_with_float32() -> None:
    texts = ["Good tea.", "The tin had a dent."]
    assert (encode(texts, halved=True) * encode(texts, halved=False)).sum(axis=1).min() > 0.999


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
