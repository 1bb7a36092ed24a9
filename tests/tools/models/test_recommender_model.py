"""The recommender: no look ahead, no worse than habit, the same after saving."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_up import AS_OF, MakeShop, build_shop, many_orders, order_lines, products_of

from storewise.tools.models import recommender
from storewise.tools.models.card import NoModel
from storewise.tools.models.content import Content
from storewise.tools.models.ranking import FEATURES, GROUPS, Describer, bulk
from storewise.tools.models.windows import Window
from storewise.tools.shop.generation import Shop


def test_the_card_is_no_worse_than_the_own_most_frequent(small_shop: Shop) -> None:
    """Protects the promise of the card: measured on the last four weeks, beside habit and popularity."""
    card = recommender.load(small_shop).card
    habit = card.peers["own most frequent products"]
    assert f"tested on {AS_OF - dt.timedelta(days=27)} to {AS_OF}" in card.split
    for name in ("recall@10", "ndcg@10"):
        assert 0 <= card.peers["most popular products"][name] <= 1
        assert card.quality[name] >= habit[name] - 0.02


def test_the_future_is_not_seen(tmp_path: Path) -> None:
    """Protects against leakage: later lines, whatever they are, change nothing up to the cut-off."""
    lines = many_orders(np.random.default_rng(5))
    cutoff = AS_OF - dt.timedelta(days=28)
    later = lines["ordered_at"] >= pd.Timestamp(cutoff) + pd.Timedelta(days=1)
    moved = lines.copy()
    moved.loc[later, "product_id"] = "p00"
    gone = lines[~later]
    tables = []
    for name, table in (("as", lines), ("moved", moved), ("gone", gone)):
        shop = build_shop(tmp_path / name, orders=table, products=products_of(lines))
        describer = Describer.fit(Window.at(shop, cutoff), Content.read(shop))
        rows = np.arange(len(describer.signals.known.customers), dtype=np.int32)
        tables.append(list(describer.tables(rows)))
    assert later.any() and len(tables[0][0].values) > 1000
    for known, other, without in zip(*tables, strict=True):
        for again in (other, without):
            assert np.array_equal(known.candidates.items, again.candidates.items)
            np.testing.assert_array_equal(known.values, again.values)


def test_the_arrays_saved_and_read_rank_the_same(small_shop: Shop, tmp_path: Path) -> None:
    """Protects saving: npz without pickles holds all that a ranking needs."""
    recommender.train(small_shop, tmp_path / "again")
    first, second = recommender.load(small_shop), recommender.load(small_shop, tmp_path / "again")
    for customer in first.purchases.customers[:20]:
        assert first.suggest(str(customer), 10) == second.suggest(str(customer), 10)


def test_what_is_offered_fits_what_was_asked(small_shop: Shop) -> None:
    """Protects order, number, uniqueness and the products that a question keeps to."""
    model = recommender.load(small_shop)
    cheese = set(small_shop.query("SELECT product_id FROM products WHERE category = 'Cheese'")["product_id"])
    for customer in model.purchases.customers[:30]:
        offers = model.suggest(str(customer), 7)
        chances = [offer.chance for offer in offers]
        assert len({offer.product_id for offer in offers}) == 7
        assert chances == sorted(chances, key=lambda chance: -(chance or 0))
        assert {offer.product_id for offer in model.suggest(str(customer), 7, cheese)} <= cheese


def test_reasons_quote_the_customers_own_purchases(small_shop: Shop) -> None:
    """Protects the words: times and days are those of this customer and this product."""
    model = recommender.load(small_shop)
    days = small_shop.query(
        """
        SELECT customer_id, product_id, count(DISTINCT CAST(ordered_at AS DATE)) AS times,
            CAST($as_of AS DATE) - CAST(max(ordered_at) AS DATE) AS age
        FROM orders GROUP BY ALL
        """,
        {"as_of": small_shop.as_of},
    ).set_index(["customer_id", "product_id"])
    seen = 0
    for customer in model.purchases.customers[:30]:
        for offer in model.suggest(str(customer), 5):
            found = re.match(r"bought (\d+) times, last (\d+) days? ago", offer.reason)
            if found:
                seen += 1
                row = days.loc[(str(customer), offer.product_id)]
                assert (int(found[1]), int(found[2])) == (row["times"], row["age"])
                assert offer.times == row["times"]
    assert seen > 20


def test_neighbours_lend_what_they_buy(make_shop: MakeShop) -> None:
    """Protects the second half: who buys bread like others is offered the milk that they buy with it."""
    rows = [
        (f"o{who}{week}{item}", f"c{who}", item, str(AS_OF - dt.timedelta(days=7 * week)), 1.0)
        for who in range(12)
        for week in range(1, 6)
        for item in (("bread", "milk") if who < 6 else ("fish", "rice"))
        if not (who == 0 and item == "milk")
    ]
    lines = order_lines(rows)
    shop = make_shop(orders=lines, products=products_of(lines))
    recommender.train(shop, shop.folder("models", "recommender"))
    offers = recommender.load(shop).suggest("c0", 2)
    assert [offer.product_id for offer in offers] == ["bread", "milk"]
    assert offers[1].reason == "83.3 % of the customers who buy Bread bread also buy it"


def test_who_never_bought_is_offered_what_is_popular(small_shop: Shop) -> None:
    """Protects new customers: an honest reason and no made-up chance."""
    offers = recommender.load(small_shop).suggest("quiet", 3)
    assert len(offers) == 3
    assert all(offer.chance is None and "of all customers bought it" in offer.reason for offer in offers)


def test_a_new_customer_is_offered_what_their_group_buys(make_shop: MakeShop) -> None:
    """Protects cold customers: 100 young ones buy rice and 150 old ones bread, so a young one gets rice."""
    rows = [
        (
            f"o{who}",
            f"c{who:03d}",
            "rice" if who < 100 else "bread",
            str(AS_OF - dt.timedelta(days=who % 20)),
            1.0,
        )
        for who in range(250)
    ]
    lines = order_lines(rows)
    ages = ["young"] * 100 + ["old"] * 150
    people = pd.DataFrame({"customer_id": [f"c{who:03d}" for who in range(250)], "age": ages})
    people.loc[len(people)] = ["newcomer", "young"]
    people.loc[len(people)] = ["stranger", None]
    shop = make_shop(orders=lines, products=products_of(lines), customers=people)
    recommender.train(shop, shop.folder("models", "recommender"))
    model = recommender.load(shop)
    first, *_ = model.suggest("newcomer", 2)
    assert first.product_id == "rice"
    assert first.reason == (
        "100.0 % of the customers of age young bought it in the last 28 days (40.0 % of all)"
    )
    assert model.suggest("stranger", 2)[0].product_id == "bread"


def test_a_product_never_sold_is_offered_by_what_it_is(make_shop: MakeShop) -> None:
    """Protects cold products: who buys cheese is offered the new cheese, and told why."""
    rows = [
        (
            f"o{who}{week}",
            f"c{who:02d}",
            "gouda" if who < 6 else "soap",
            str(AS_OF - dt.timedelta(days=7 * week)),
            1.0,
        )
        for who in range(12)
        for week in range(1, 6)
    ]
    products = pd.DataFrame(
        {
            "product_id": ["gouda", "soap", "edam", "shampoo"],
            "name": ["Gouda cheese", "Hand soap", "Edam cheese", "Hair soap"],
            "category": ["Cheese", "Care", "Cheese", "Care"],
        }
    )
    shop = make_shop(orders=order_lines(rows), products=products)
    recommender.train(shop, shop.folder("models", "recommender"))
    model = recommender.load(shop)
    (offer,) = model.suggest("c00", 1, {"edam", "shampoo"})
    assert (offer.product_id, offer.chance) == ("edam", None)
    assert offer.reason == "nobody has bought it yet; it is like Gouda cheese, bought 7 days ago"
    assert model.suggest("c11", 1, {"edam", "shampoo"})[0].product_id == "shampoo"


def test_at_most_three_reasons_each_said_once(small_shop: Shop) -> None:
    """Protects the reasons: own purchases first where there are any, none twice, figures in words."""
    model = recommender.load(small_shop)
    several = 0
    for customer in model.purchases.customers[:20]:
        for offer in model.suggest(str(customer), 10):
            assert 1 <= len(offer.reasons) <= 3 and len(set(offer.reasons)) == len(offer.reasons)
            assert offer.reason.startswith("bought") == (offer.times > 0) or "purchase" in offer.reason
            several += len(offer.reasons) > 1
    assert several > 20


def test_in_bulk_as_one_by_one(small_shop: Shop) -> None:
    """Protects the batches: a customer's list does not depend on who else is in it."""
    model = recommender.load(small_shop)
    rows = np.arange(40, dtype=np.int32)
    together = bulk(model.describer, model.ranker, rows)
    for row in rows:
        assert np.array_equal(together[row], bulk(model.describer, model.ranker, rows[row : row + 1])[0])


def test_only_new_products_where_that_is_asked(small_shop: Shop) -> None:
    """Protects “never bought before”: no list holds an own product."""
    model = recommender.load(small_shop)
    rows = np.arange(40, dtype=np.int32)
    lists = bulk(model.describer, model.ranker, rows, new=True)
    known = model.purchases
    for row, items in zip(rows, lists, strict=True):
        own = known.item[known.starts[row] : known.starts[row + 1]]
        assert not np.isin(items[items >= 0], own).any() and (items >= 0).any()


def test_contributions_add_up_to_the_chance(small_shop: Shop) -> None:
    """Protects the reasons: the groups' exact contributions and the base make the log-odds of the chance."""
    model = recommender.load(small_shop)
    table = next(model.describer.tables(np.arange(10, dtype=np.int32)))
    moved = sum(model.ranker.contributions(table).values())
    chance = model.ranker.scores(table)
    own = table.own
    for part in (own, ~own):
        base = np.log(chance[part] / (1 - chance[part])) - np.asarray(moved)[part]
        assert np.ptp(base) < 1e-5


def test_the_card_says_what_drives_the_offers(small_shop: Shop) -> None:
    """Protects the global picture: shares of all groups that add up to 1, and the figures of new products."""
    card = recommender.load(small_shop).card
    assert set(card.drivers) == set(GROUPS)
    assert sum(card.drivers.values()) == pytest.approx(1)
    assert 0 <= card.quality["new_ndcg@10"] <= 1


def test_a_tiny_shop_is_ranked_by_rule(tiny_shop: Shop) -> None:
    """Protects small shops: offers without trees, and a card that claims no quality."""
    model = recommender.load(tiny_shop)
    assert not model.ranker.trees
    assert "not measured" in model.card.note().quality
    assert model.suggest("c1", 3)


def test_a_shop_that_sold_nothing_says_so(make_shop: MakeShop) -> None:
    """Protects empty shops: a sentence instead of a traceback."""
    lines = order_lines([("o1", "a", "p1", str(AS_OF), 0.0)])
    shop = make_shop(orders=lines, products=products_of(lines))
    assert (
        "Nobody has bought anything" in recommender.train(shop, shop.folder("models", "recommender")).missing
    )
    with pytest.raises(NoModel, match="Nobody has bought anything"):
        recommender.load(shop)


def test_every_feature_belongs_to_a_group_of_reasons() -> None:
    """Protects the reasons and the global picture: no contribution is lost."""
    grouped = [name for names in GROUPS.values() for name in names]
    assert sorted(grouped) == sorted(FEATURES)
