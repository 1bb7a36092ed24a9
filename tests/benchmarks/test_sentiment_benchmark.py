"""The sentiment benchmark scores fairly: cuts, the paired test, the task it reports, what it keeps."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storewise.benchmarks import sentiment
from storewise.benchmarks.peers.polarity import best_cut
from storewise.benchmarks.sentiment import HEAD, OURS, Kept, compared, mcnemar, run, told
from storewise.finetune import teaching
from storewise.finetune.adapter import AdapterError
from storewise.tools.shop.generation import ShopError


@given(
    st.lists(st.tuples(st.booleans(), st.integers(-5, 5)), min_size=1, max_size=40, unique_by=lambda p: p[1])
)
def test_no_cut_is_right_more_often_than_the_best(pairs: list[tuple[bool, int]]) -> None:
    praise = np.array([one for one, _ in pairs])
    scores = np.array([float(one) for _, one in pairs])

    def right(cut: float) -> int:
        return int(((scores > cut) == praise).sum())

    assert right(best_cut(praise, scores)) == max(right(cut) for cut in np.arange(-6.5, 6.5))


def test_mcnemar_counts_only_where_two_methods_differ() -> None:
    ours = np.array([True] * 100)
    assert mcnemar(ours, ours) == 1.0
    assert mcnemar(ours, np.array([True] * 80 + [False] * 20)) == pytest.approx(2 * 0.5**20)
    assert mcnemar(ours[:10], np.array([True] * 9 + [False])) == 1.0


def test_a_task_names_the_best_peer_of_each_measure() -> None:
    praise = np.arange(200) % 2 == 0
    ours = np.where(praise, 1.0, -1.0)
    shifted = np.where(praise, 3.0, 1.0)  # in the right order, yet always "praise"
    half = np.where(np.arange(200) < 150, ours, -ours)
    task = compared(praise, ours, {"shifted": shifted, "half": half})
    assert (task.ours, task.best_peer, task.peers["half"]) == (1.0, "half", 0.75)
    assert task.interval[0] > 0
    assert task.more["auc_best_peer"] == "shifted"
    assert task.more["auc_interval"] == (0.0, 0.0)
    assert task.more["mcnemar_p"]["half"] < 1e-10


def test_what_was_computed_for_the_same_texts_and_model_is_kept(tmp_path: Path) -> None:
    kept, calls = Kept(tmp_path / "kept"), []

    def lengths(texts: Sequence[str]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        calls.append(list(texts))
        return np.array([len(text) for text in texts])

    for model, texts in (("a", ["x", "yy"]), ("a", ["x", "yy"]), ("b", ["x", "yy"]), ("a", ["xyy"])):
        assert kept(model, texts, lengths).tolist() == [len(text) for text in texts]
    assert len(calls) == 3


def test_without_the_sentences_it_says_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(ShopError, match="storewise benchmark sentiment --data"):
        run(tmp_path, print)


def test_the_adapter_is_judged_by_its_own_order_beside_ours() -> None:
    praise = np.arange(200) % 2 == 0
    right = np.where(praise, 1.0, -1.0)
    half = np.where(np.arange(200) < 150, right, -right)
    fields = compared(praise, right, {HEAD: half}, {OURS: -right}).fields()
    assert (fields["ours"], fields["auc"][OURS], fields["best_peer"]) == (1.0, 0.0, HEAD)
    assert told(fields).startswith("the adapter's accuracy is 1.0000, AUC 0.0000")


def test_an_adapter_that_does_not_fit_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unfit(models: Path) -> tuple[Path, bool]:
        raise AdapterError("It was tuned on another base model. Type: storewise tune")

    said: list[str] = []
    monkeypatch.setattr(teaching, "merged_adapter", unfit)
    assert sentiment._adapter(Kept(tmp_path), said.append) == (None, None, False)
    assert said == ["The adapter is left out. It was tuned on another base model. Type: storewise tune"]
