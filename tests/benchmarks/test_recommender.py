"""The recommender's benchmark: what is held back stays unknown, metrics by hand, peers that do what they should."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from storewise.benchmarks import recommender
from storewise.benchmarks.peers import factorization, habits, sequence, tifuknn
from storewise.benchmarks.peers.ranked import lists
from storewise.tools.models.content import Content
from storewise.tools.models.purchases import Lines
from storewise.tools.models.windows import Window, score


def ratings(seed: int = 3) -> pd.DataFrame:
    """Return ratings of 80 users in two groups, who watch films of their group one after the other."""
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(80):
        films = np.arange(40) + 40 * (user % 2)
        seen = films[np.sort(rng.permutation(40)[:25])]
        rows += [(user, film, 1_000_000 + 50_000 * user + 600 * place) for place, film in enumerate(seen)]
    return pd.DataFrame(rows, columns=["userId", "movieId", "timestamp"])


def window_of(known: dict[str, list[str]], later: dict[str, list[str]]) -> Window:
    """Return a window of one purchase a day each, the latest first, and what was bought afterwards."""
    rows = [
        (customer, product, f"{customer}{day}", day, float(day))
        for customer, products in known.items()
        for day, product in enumerate(products)
    ]
    bought = [(customer, product) for customer, products in later.items() for product in products]
    return Window.of(
        Lines.of(pd.DataFrame(rows, columns=["customer_id", "product_id", "order_id", "day", "age"])),
        pd.DataFrame(bought, columns=["customer_id", "product_id"]),
    )


def test_the_later_fifth_is_held_back() -> None:
    """Protects the split: the last fifth by time is wanted, and nothing of it is known, window by window."""
    table = ratings()
    test, inner = recommender.later_fifths(table, 2)
    assert len(test.lines.row) == 80 * 20 and len(inner.lines.row) == 80 * 16
    assert (test.wanted == 5).all() and (inner.wanted == 4).all()
    last = table.sort_values("timestamp").groupby("userId").tail(5)
    held_back = set(zip(last["userId"].astype(str), last["movieId"].astype(str), strict=True))
    known = set(zip(test.lines.customers[test.lines.row], test.lines.products[test.lines.item], strict=True))
    assert not held_back & known


def test_what_is_held_back_changes_no_score() -> None:
    """Protects against leakage: other later ratings leave our candidates, features and scores as they are."""
    table = ratings()
    newest = table.groupby("userId").cumcount() >= 20
    other = table.assign(movieId=table["movieId"].where(~newest, 79 - table["movieId"]))
    films = pd.DataFrame({"product_id": [str(film) for film in range(80)], "category": "Film"})
    found = []
    for version in (table, other):
        test, *inner = recommender.later_fifths(version, 3)
        split = recommender.Split(test, tuple(inner), Content.of(films), {"movielens": True})
        describer, ranker = recommender._ours(split, 7)
        features = next(describer.tables(np.arange(80, dtype=np.int32)))
        found.append((features.values, ranker.scores(features)))
    np.testing.assert_array_equal(found[0][0], found[1][0])
    np.testing.assert_array_equal(found[0][1], found[1][1])


def test_metrics_by_hand() -> None:
    """Protects nDCG, recall and coverage, and that a product nobody knew counts as missed."""
    window = window_of({"a": ["x", "y"], "b": ["z", "w"]}, {"a": ["x", "z", "unheard"], "b": []})
    place = {str(product): item for item, product in enumerate(window.known.products)}
    offered = np.array([[place["y"], place["z"], -1], [place["z"], place["x"], -1]])
    everything = score(window, np.array([0, 1], dtype=np.int32), offered, new=False)
    assert everything.rows.tolist() == [0]  # b bought nothing afterwards
    ideal = 1 + 1 / np.log2(3) + 1 / np.log2(4)
    assert everything.ndcg[0] == pytest.approx((1 / np.log2(3)) / ideal)
    assert everything.recall[0] == pytest.approx(1 / 3)
    assert everything.coverage == pytest.approx(2 / 4)
    assert score(window, np.array([0], dtype=np.int32), offered[:1], new=True).recall[0] == pytest.approx(
        1 / 2
    )


def test_frequency_and_popularity_rank_as_they_say() -> None:
    """Protects the simplest peers: the own most frequent first; never an own product among new ones."""
    window = window_of({"a": ["x", "x", "y"], "b": ["z", "y"], "c": ["y", "z"]}, {"a": ["x"]})
    rows = np.array([0], dtype=np.int32)
    own, new = lists(window, habits.own_frequency(window, "times"), rows, [False, True])
    assert window.known.products[own[0, :2]].tolist() == ["x", "y"]
    assert window.known.products[new[0][new[0] >= 0]].tolist() == ["z"]


def test_tifuknn_by_hand() -> None:
    """Protects the decays: groups of 2 from the latest basket back, each halved, and no neighbours' share."""
    window = window_of({"a": ["x", "y", "y", "z"], "b": ["x", "z"]}, {"a": ["x"]})
    scorer = tifuknn.tifuknn(window, tifuknn.Setting(k=1, m=2, r_b=0.5, r_g=0.5, alpha=1.0))
    scores = scorer(np.array([0], dtype=np.int32))[0]
    value = dict(zip(window.known.products.tolist(), scores.tolist(), strict=True))
    # Baskets from the latest: x 1, y .5 | y .5, z .25; each over m = 2, the mean of 2 groups.
    assert value["x"] == pytest.approx(1 / 4, abs=1e-4)
    assert value["y"] == pytest.approx((0.5 + 0.5) / 4, abs=1e-4)
    assert value["z"] == pytest.approx(0.25 / 4, abs=1e-4)


def test_learning_peers_find_the_groups() -> None:
    """Protects the wiring of the learning peers: they offer films of the user's own group."""
    window = recommender.later_fifths(ratings(), 1)[0]
    rows = np.arange(80, dtype=np.int32)
    fitted = {
        "als": factorization.als(window, 7, {"factors": 8, "regularization": 1.0, "alpha": 1.0}),
        "knn": factorization.item_knn(window, ("tfidf", 20)),
        "sasrec": sequence.sasrec(window, 7, sequence.Setting(width=16, batches=60, rate=0.01)),
    }
    for name, scorer in fitted.items():
        offered = lists(window, scorer, rows, [True])[0][:, :5]
        films = window.known.products[offered].astype(int)
        users = window.known.customers.astype(int)
        assert ((films >= 40) == (users % 2 == 1)[:, None]).mean() > 0.9, name


def test_the_inner_split_chooses_the_setting() -> None:
    """Protects the tuning: the better of two settings on the inner window is taken."""
    test, inner = recommender.later_fifths(ratings(), 2)
    peer = recommender.Peer(
        "one of two",
        ("worst", "best"),
        lambda window, seed, name: (
            lambda rows: window.later[rows].toarray() if name == "best" else -window.later[rows].toarray()
        ),
    )
    split = recommender.Split(
        test, (inner,), Content.of(pd.DataFrame({"product_id": []})), {"movielens": True}
    )
    assert recommender._tuned(peer, split) == ["best"]
