"""The cart model: it sees only the clicks so far, says which carts are open, why, and what may help."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_up import AS_OF, MakeShop, build_shop, clicks_of, many_clicks

from storewise.tools.models import cart, cart_nudges
from storewise.tools.models.card import NoModel
from storewise.tools.models.sessions import BIGRAMS, FEATURES, GROUPS, clicks
from storewise.tools.shop.generation import Shop

VISIT = [
    ("S1", "view_product", "2023-12-31 10:00:00", 4.0),
    ("S1", "add_to_cart", "2023-12-31 10:01:00", 4.0),
    ("S1", "view_cart", "2023-12-31 10:03:00", 4.0),
    ("S1", "view_product", "2023-12-31 10:03:30", 6.0),
    ("S1", "add_to_cart", "2023-12-31 10:04:00", 6.0),
    ("S1", "purchase", "2023-12-31 10:10:00", 10.0),
]
NOW = dt.datetime(2024, 1, 1)
KEY = ["session_id", "occurred_at", "event"]


def test_each_click_shows_what_was_known_then(make_shop: MakeShop) -> None:
    """Protects the prefixes: counts, sums, times and pairs by hand, and the purchase itself is no row."""
    table = clicks(make_shop(events=clicks_of(VISIT)), NOW)
    assert table["event"].tolist() == [
        "view_product",
        "add_to_cart",
        "view_cart",
        "view_product",
        "add_to_cart",
    ]
    assert table["items"].tolist() == [0, 1, 1, 1, 2]
    assert table["value"].fillna(0).tolist() == [0.0, 4.0, 4.0, 4.0, 10.0]
    assert table["cart_views"].tolist() == [0, 0, 1, 1, 1]
    assert table["seconds"].tolist() == [0, 60, 180, 210, 240]
    assert table["longest_pause"].fillna(0).tolist() == [0, 60, 120, 120, 120]
    assert table["product_then_add"].tolist() == [0, 1, 1, 1, 2]
    assert table["cart_then_product"].tolist() == table["returns_from_cart"].tolist() == [0, 0, 0, 1, 1]
    assert table["bought"].all()


def test_pairs_are_counted_within_a_visit(small_shop: Shop) -> None:
    """Protects the n-grams: with k clicks a visit has k - 1 pairs, none of them with another visit's."""
    table = clicks(small_shop, NOW)
    assert (table[list(BIGRAMS)].sum(axis=1) == table["clicks"] - 1).all()


def _known(events: pd.DataFrame) -> pd.DataFrame:
    """Return clicks with customers, some named late, and products that come again."""
    place = events.groupby("session_id").cumcount()
    visit = events["session_id"].str[1:].astype(int)
    customer = ("c" + (visit % 40).astype(str)).where((place >= 2) | (visit % 3 > 0))
    product = ("p" + ((visit + place) % 9).astype(str)).where(
        events["event"].isin(["view_product", "add_to_cart"])
    )
    return events.assign(customer_id=customer, product_id=product)


def test_later_clicks_change_no_earlier_row(small_shop: Shop, make_shop: MakeShop) -> None:
    """Protects against leakage within a visit: cutting the visits short leaves what remains alone."""
    events = small_shop.query("SELECT * FROM events ORDER BY session_id, occurred_at")
    place = events.groupby("session_id").cumcount()
    short = make_shop(events=events[place < 4])
    known = clicks(small_shop, NOW).set_index(KEY)
    cut = clicks(short, NOW).set_index(KEY)
    assert len(cut) > 500
    pd.testing.assert_frame_equal(known.loc[cut.index, list(FEATURES)], cut[list(FEATURES)])


def test_what_comes_after_a_moment_changes_nothing_before_it(tmp_path: Path) -> None:
    """Protects against leakage between visits: later clicks of the same customers, of visits that began
    earlier or later, removed, moved or turned into purchases, change no feature of an earlier click."""
    events = _known(many_clicks(np.random.default_rng(4)))
    moment = pd.Timestamp("2023-11-15 12:00")
    later = events["occurred_at"] >= moment
    bought = events.assign(event=events["event"].mask(later, "purchase"), customer_id="c1")
    moved = events.assign(
        occurred_at=events["occurred_at"].mask(later, events["occurred_at"] + pd.Timedelta("9h"))
    )
    named = events.assign(
        customer_id=events["customer_id"].mask(later, "c1"), value=events["value"].mask(later, 99.0)
    )
    changed = {
        "removed": events[~later],
        "bought": bought.where(later, events),
        "moved": moved,
        "named": named,
    }
    whole = clicks(build_shop(tmp_path / "whole", events=events), NOW)
    before = whole[whole["occurred_at"] < moment].set_index(KEY)[list(FEATURES)]
    assert len(before) > 2000 and before["earlier_carts"].max() > 5
    assert before["known_item_share"].max() > 0
    for name, table in changed.items():
        other = clicks(build_shop(tmp_path / name, events=table), NOW)
        other = other[other["occurred_at"] < moment].set_index(KEY)[list(FEATURES)]
        pd.testing.assert_frame_equal(before, other, obj=name)


def test_the_order_of_the_rows_is_no_matter(small_shop: Shop, make_shop: MakeShop) -> None:
    """Protects exports in any order: clicks are put in the order of their times."""
    events = small_shop.query("SELECT * FROM events").sample(frac=1, random_state=3)
    other = clicks(make_shop(events=events), NOW)
    pd.testing.assert_frame_equal(clicks(small_shop, NOW), other)


def test_only_what_is_needed_makes_a_model(small_shop: Shop, make_shop: MakeShop) -> None:
    """Protects shops without customer, product, device, channel and value: a model and reasons all the same."""
    events = small_shop.query("SELECT session_id, event, occurred_at FROM events")
    shop = make_shop(events=events)
    card = cart.train(shop, shop.folder("models", "cart"))
    _, carts = cart.open_carts(shop)
    assert not card.missing and card.dropped["device"] == "never varies"
    assert len(carts) > 0 and carts["reasons"].map(len).min() >= 1


def test_an_emptied_cart_is_none(small_shop: Shop, make_shop: MakeShop) -> None:
    """Protects the word cart: with everything taken out again there is nothing to abandon."""
    rows = [*VISIT[:2], ("S1", "remove_from_cart", "2023-12-31 10:02:00", 4.0)]
    events = small_shop.query("SELECT * FROM events")
    shop = make_shop(events=pd.concat([events, clicks_of(rows)], ignore_index=True))
    cart.train(shop, shop.folder("models", "cart"))
    _, carts = cart.open_carts(shop)
    assert len(carts) > 0 and "S1" not in carts.index


def test_the_card_beats_always_abandons(small_shop: Shop) -> None:
    """Protects the measurement: later visits, beside the answer that needs no model, and what drives it."""
    card = cart.load(small_shop).card
    peer = card.peers["always abandons"]
    assert card.quality["click_auc"] > 0.7  # phones rarely buy here
    assert card.quality["click_log_loss"] < peer["click_log_loss"]
    assert card.quality["click_accuracy"] >= peer["click_accuracy"]
    assert "always abandons" in card.note().quality
    assert sum(card.drivers.values()) == pytest.approx(1)
    assert max(card.drivers, key=lambda group: card.drivers[group]) in ("arrival", "stage")
    assert card.dropped["payment_then_payment"] == "never varies"


def test_the_model_saved_and_loaded_predicts_the_same(small_shop: Shop, tmp_path: Path) -> None:
    """Protects saving, the words of device and channel included."""
    cart.train(small_shop, tmp_path / "again")
    first, second = cart.load(small_shop), cart.load(small_shop, tmp_path / "again")
    table = clicks(small_shop, NOW)
    for silence in (0.0, 3600.0):
        asked = table.assign(idle_seconds=silence)
        assert np.array_equal(first.probability(asked), second.probability(asked))


def test_a_model_with_a_file_missing_is_told_in_a_sentence(small_shop: Shop, tmp_path: Path) -> None:
    """Protects people from tracebacks."""
    cart.train(small_shop, tmp_path / "half")
    (tmp_path / "half" / "silence" / "tabular.json").unlink()
    with pytest.raises(NoModel, match="storewise fit"):
        cart.load(small_shop, tmp_path / "half")


def test_the_contributions_add_up_to_the_log_odds(small_shop: Shop) -> None:
    """Protects the reasons: what the groups add is all there is beside the base."""
    model = cart.load(small_shop)
    table = clicks(small_shop, NOW).head(300)
    rest = model.blends.at_click.log_odds(table) - model.contributions(table).sum(axis=1)
    assert np.allclose(rest, rest.iloc[0])


def test_longer_silence_never_lowers_the_risk(small_shop: Shop) -> None:
    """Protects common sense, which the monotone constraint holds the trees to."""
    model = cart.load(small_shop)
    table = clicks(small_shop, NOW)
    risks = [model.probability(table.assign(idle_seconds=hours * 3600.0)) for hours in (0.05, 1, 12)]
    assert (np.diff(risks, axis=0) >= 0).all()


def test_open_carts_are_just_those_still_open(small_shop: Shop) -> None:
    """Protects the list: something in it, nothing bought, the last click on the last day."""
    _, carts = cart.open_carts(small_shop)
    visits = small_shop.query(
        """
        SELECT session_id FROM events GROUP BY session_id
        HAVING count(*) FILTER (event = 'add_to_cart') > 0 AND count(*) FILTER (event = 'purchase') = 0
            AND max(occurred_at) >= CAST($as_of AS TIMESTAMP)
        """,
        {"as_of": AS_OF},
    )
    assert len(carts) > 0
    assert sorted(carts.index) == sorted(visits["session_id"])
    assert carts["probability"].is_monotonic_decreasing
    assert carts["nudge"].isin({"reminder", "coupon", "stock notice", "help"}).all()
    stuck = (carts["checkouts"] + carts["payments"]) > 0
    assert (carts.loc[stuck, "nudge"] == "help").all()
    assert carts["reasons"].map(len).between(1, cart_nudges.REASONS).all()


@pytest.mark.parametrize(
    ("strongest", "figures", "nudge", "words"),
    [
        ("pace", {}, "reminder", "30 seconds between clicks on average"),
        ("pace", {"long_pauses": 1, "longest_pause": 7300}, "reminder", "paused for 2 hours in between"),
        ("stage", {}, "reminder", "has not opened the cart in 9 clicks"),
        ("hour", {}, "reminder", "last click at 20:00 to 20:59"),
        ("removals", {"removals": 2}, "coupon", "2 items taken out of the cart again"),
        ("cart", {"value": 80.0}, "coupon", "3 items worth $80.00 in the cart"),
        ("cart", {"value": 2.0}, "reminder", "3 items worth $2.00 in the cart"),
        (
            "habit",
            {"earlier_carts": 4, "earlier_bought_share": 0.25},
            "coupon",
            "bought in 1 of 4 earlier visits",
        ),
        ("hesitation", {"repeated_views": 3, "most_views_of_one": 4}, "stock notice", "one product 4 times"),
        ("browsing", {}, "stock notice", "6 product views for 3 items"),
        ("back and forth", {"returns_from_cart": 2}, "help", "went back from the cart to the shop twice"),
        ("arrival", {"checkouts": 1}, "help", "stopped at the checkout with $20.00 in the cart"),
        ("arrival", {"checkouts": 1, "payments": 1}, "help", "stopped at the payment"),
        ("removals", {}, "reminder", "no click for 5 hours"),  # nothing was taken out: no such reason
    ],
)
def test_the_nudge_answers_the_strongest_reason(
    strongest: str, figures: dict[str, float], nudge: str, words: str
) -> None:
    """Protects the choice of the nudge, and the visit's own figures in the reasons."""
    row = pd.Series(
        dict.fromkeys(FEATURES, 0.0)
        | {"idle_seconds": 5 * 3600.0, "clicks": 9.0, "items": 3.0, "value": 20.0, "product_views": 6.0}
        | {"mean_pause": 30.0, "hour": 20.0, "signed_in": 1.0, "device": "mobile", "channel": "ads"}
        | figures
    )
    parts = pd.Series(dict.fromkeys(GROUPS, -0.1) | {strongest: 0.5})
    assert cart_nudges.nudge(row, parts, usual_value=15.0) == nudge
    assert words in "; ".join(cart_nudges.reasons(row, parts))


def test_there_are_three_reasons_and_what_speaks_against_is_said_as_such() -> None:
    """Protects the count of reasons, and people from taking for a reason what lowers the risk."""
    row = pd.Series(
        dict.fromkeys(FEATURES, 0.0) | {"idle_seconds": 60.0, "earlier_carts": 4.0, "signed_in": 1.0}
    )
    row["earlier_bought_share"] = 0.75
    parts = pd.Series(dict.fromkeys(GROUPS, 0.0) | {"pace": 0.3, "habit": -0.9, "removals": -2.0})
    assert cart_nudges.reasons(row, parts) == [
        "no click for 1 minute",
        "0 seconds between clicks on average",
        "though bought in 3 of 4 earlier visits with a cart",
    ]


def test_an_unknown_device_is_no_error(small_shop: Shop) -> None:
    """Protects tomorrow's clicks: a word that training never saw counts as missing."""
    model = cart.load(small_shop)
    table = clicks(small_shop, NOW).head(5).assign(device="fridge", channel=None)
    assert np.isfinite(model.probability(table)).all()


@pytest.mark.parametrize("rows", [0, 12, 60])
def test_too_few_visits_are_said(make_shop: MakeShop, rows: int) -> None:
    """Protects small shops, five visits and none included: no model is made up."""
    shop = make_shop(events=many_clicks(np.random.default_rng(1)).head(rows))
    cart.train(shop, shop.folder("models", "cart"))
    with pytest.raises(NoModel, match="too few"):
        cart.load(shop)


def test_groups_hold_each_feature_once() -> None:
    """Protects the reasons: a feature in two groups would count twice, one in none never."""
    names = [name for group in GROUPS.values() for name in group]
    assert len(names) == len(set(names)) == len(FEATURES)
    assert set(cart_nudges.NUDGES) == set(GROUPS)
