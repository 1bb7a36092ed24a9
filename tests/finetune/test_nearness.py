"""Protects the report on how near a test set is to the training examples."""

from storewise.finetune.nearness import nearness


def test_a_question_learned_by_heart_is_found() -> None:
    report = nearness(["Who will leave us?", "poem about cats"], ["who will leave us", "sales in March"])
    assert report["identical"] == 1
    assert report["letters"]["max"] == 1.0
    assert report["letters"]["p10"] < 0.6
    assert report["cosine"]["max"] > 0.9
