"""The benchmark of summaries: ROUGE as the paper's code has it, LexRank finds what is repeated."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from storewise.benchmarks import summaries
from storewise.benchmarks.peers.lexrank import lexrank
from storewise.tools.shop.generation import ShopError

rouge_score = pytest.importorskip("rouge_score")


def test_rouge_is_the_mean_over_the_references_after_stemming() -> None:
    rouge = summaries.Rouge()
    assert rouge("The dogs barked.", ["the dog barks"]) == pytest.approx([1, 1, 1])
    both = rouge("the dog barks", ["the dog barks", "a cat"])
    assert both == pytest.approx([0.5, 0.5, 0.5]), "the mean, not the best"


def test_lexrank_prefers_what_the_others_say() -> None:
    hub = "The shoes run small but look nice and arrived quickly."
    salience = lexrank(["They run small.", hub, "Look nice!", "Arrived quickly.", "Monday again"])
    assert salience.sum() == pytest.approx(1)
    assert int(np.argmax(salience)) == 1


def test_without_the_products_it_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ShopError, match=r"lacks amazon_val\.csv and amazon_train\.csv"):
        summaries.run(tmp_path, lambda sentence: None)


def test_products_are_read_with_their_references(tmp_path: Path) -> None:
    path = tmp_path / "amazon_val.csv"
    names = ["group_id", *(f"rev{n}" for n in range(1, 9)), *(f"summ{n}" for n in range(1, 4))]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, names, delimiter="\t")
        writer.writeheader()
        writer.writerow({name: f"Text of {name}." for name in names})
    (product,) = summaries.read_products(path)
    assert len(product.reviews) == 8
    assert product.references == ("Text of summ1.", "Text of summ2.", "Text of summ3.")
