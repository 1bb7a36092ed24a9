"""A seeded simulator of web sessions around the demo shop's real baskets. No model of ours is inside.

The process, for one visit with a cart:

1. *Arrival.* A household is drawn by how much it likes to shop online (hidden, skewed: few do a lot),
   with one of its real baskets of at most 12 lines as what it has in mind. It comes on its usual
   device (mobile, desktop, tablet), through a channel (direct, search, email, ads, social), and is
   signed in or not; who is not signs in at the checkout.
2. *Intent.* A hidden number, standard normal. Nothing shows it directly.
3. *Browsing.* For each line of the basket, in turn: perhaps a search (likelier with high intent) or a
   category page, views of other products of the category (more with low intent), a view of the
   product, and its adding to the cart. Now and then something else is added and removed later (more
   with low intent), and the cart is looked at. Pauses between two clicks are log-normal, longer with
   low intent. Most of those who come to their filled cart at last do so hours later: they
   went away and came back, to buy or not.
4. *The decision.* The log-odds of buying rise with intent, with the household's own habit (hidden), for
   visits by email or direct, and from $35 on, where delivery is free; they fall on a phone, for visits by
   ads or social networks, for carts below $15 and late in the evening; and there is a large hidden rest
   (delivery slots, a phone call). So a model can learn something, and never everything.
5. *The end.* Who buys passes view_cart, checkout and payment, and the purchase falls on the second of
   the real basket, with its products and amounts. Who does not stops while filling the cart, or at
   the cart, checkout or payment, and the visit lies up to six days before the real basket, which was
   then bought in the store.

As many visits again never put anything into a cart. On the last day some visits are under way: carts
whose last click lies within the last 24 hours, without a purchase, not yet known to be abandoned.

`value` is the price of the product for view_product, add_to_cart and remove_from_cart, and the sum of
the cart for view_cart, checkout, payment and purchase.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from storewise.tools.shop.contract import EVENTS

SEED = 2017
CARTS = 20_000
VISITS_WITHOUT_CART = 20_000
UNDER_WAY = 60  # carts placed on the last day, besides those that fall there by themselves
MAX_LINES = 12
FREE_DELIVERY = 35.0  # dollars

DEVICES = ("mobile", "desktop", "tablet")
CHANNELS = ("direct", "search", "email", "ads", "social")
_CODE = {event: code for code, event in enumerate(EVENTS)}
# Where a visit that does not end in a purchase stops.
_FILLING, _CART, _CHECKOUT, _PAYMENT, _BOUGHT = range(5)
_STAGE_ODDS = (0.42, 0.30, 0.18, 0.10)
# The place, within a visit, of the look at the cart before the checkout: after all that fills it.
_LAST_LOOK = 900.0
# Seconds that usually pass before an event, by event code.
_PAUSE = np.array([14.0, 18.0, 22.0, 16.0, 12.0, 15.0, 35.0, 60.0, 30.0])

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass
class _Visits:
    """One row per visit; `end` is the time of its last event, in seconds since the epoch."""

    order: Ints  # row of the basket in mind
    household: Ints
    intent: Floats
    device: Ints
    channel: Ints
    signed_in: NDArray[np.bool_]
    stage: Ints
    end: Floats


def write_events(connection: duckdb.DuckDBPyConnection, as_of: dt.date) -> None:
    """Write the table `events` from the tables `orders` and `products` already there."""
    rng = np.random.default_rng(SEED)
    lines, baskets, shelf = _read(connection)
    last = dt.datetime.combine(as_of + dt.timedelta(days=1), dt.time(), dt.UTC).timestamp() - 1
    households = int(baskets["household"].max()) + 1
    liking = rng.gamma(0.6, 1.0, households) + 0.02
    habit = rng.normal(0.0, 0.6, households)
    device = rng.choice(3, households, p=(0.58, 0.34, 0.08))

    carts = _carts(rng, baskets, liking, habit, device, last)
    browsers = _browsers(rng, baskets, device)
    looks = _browse_events(rng, browsers, lines, shelf)
    looks["visit"] += len(carts.order)
    events = pd.concat([_cart_events(rng, carts, lines, shelf), looks], ignore_index=True)
    visits = pd.DataFrame(
        {
            field: np.concatenate([getattr(carts, field), getattr(browsers, field)])
            for field in ("household", "device", "channel", "signed_in", "end")
        }
    )
    _place_in_time(rng, events, visits, np.concatenate([carts.intent, browsers.intent]))
    _write(connection, events, visits, baskets, shelf)


def _read(connection: duckdb.DuckDBPyConnection) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return basket lines, baskets and the products on the shelf, each in a fixed order."""
    lines = connection.execute(
        """
        SELECT order_id, customer_id, product_id, max(ordered_at) AS ordered_at,
               round(sum(amount), 2) AS amount
        FROM orders WHERE quantity > 0 AND amount > 0
        GROUP BY order_id, customer_id, product_id ORDER BY order_id, product_id
        """
    ).df()
    shelf = connection.execute(
        """
        SELECT product_id, category, coalesce(price, 1.0) AS price FROM products
        WHERE product_id IN (SELECT product_id FROM orders) ORDER BY category, product_id
        """
    ).df()
    shelf["first"] = shelf.groupby("category")["category"].transform(lambda group: group.index[0])
    shelf["among"] = shelf.groupby("category")["category"].transform("size")
    lines["shelf"] = pd.Index(shelf["product_id"]).get_indexer(lines["product_id"])
    size = lines.groupby("order_id")["shelf"].transform("size")
    lines = lines[size <= MAX_LINES].reset_index(drop=True)
    lines["order"] = pd.factorize(lines["order_id"])[0]
    baskets = lines.groupby("order", sort=True).agg(
        customer_id=("customer_id", "first"),
        ordered_at=("ordered_at", "first"),
        amount=("amount", "sum"),
        size=("shelf", "size"),
    )
    baskets["first"] = np.r_[0, np.cumsum(baskets["size"].to_numpy())[:-1]]
    baskets["household"] = pd.factorize(baskets["customer_id"], sort=True)[0]
    baskets["seconds"] = baskets["ordered_at"].astype("datetime64[s]").astype("int64")
    return lines, baskets, shelf


def _carts(
    rng: np.random.Generator,
    baskets: pd.DataFrame,
    liking: Floats,
    habit: Floats,
    device: Ints,
    last: float,
) -> _Visits:
    """Draw the visits with a cart: who, with which basket in mind, and how each ends."""
    household = baskets["household"].to_numpy()
    odds = liking[household] / liking[household].sum()
    order = rng.choice(len(baskets), CARTS, replace=False, p=odds)
    # Visits under way on the last day have a basket of the days before in mind.
    recent = np.flatnonzero(baskets["seconds"].to_numpy() > last - 6 * 86400)
    order = np.r_[order, rng.choice(np.setdiff1d(recent, order), UNDER_WAY, replace=False)]
    under_way = np.arange(len(order)) >= CARTS
    count = len(order)
    who = household[order]
    amount = baskets["amount"].to_numpy()[order]
    seconds = baskets["seconds"].to_numpy()[order].astype(float)
    intent = rng.normal(size=count)
    usual = rng.random(count) < 0.8
    on = np.where(usual, device[who], rng.choice(3, count, p=(0.58, 0.34, 0.08)))
    channel = rng.choice(5, count, p=(0.34, 0.28, 0.14, 0.15, 0.09))
    hour = (seconds / 3600 - 5) % 24  # the stores' own clock
    logit = (
        -0.75
        + 1.15 * intent
        + habit[who]
        + np.array([-0.45, 0.2, 0.0])[on]
        + np.array([0.3, 0.0, 0.45, -0.45, -0.6])[channel]
        + np.where(amount >= FREE_DELIVERY, 0.5, 0.0)
        - np.where(amount < 15, 0.5, 0.0)
        - np.where((hour >= 21) | (hour < 5), 0.3, 0.0)
        + rng.logistic(scale=0.9, size=count)
    )
    bought = (logit > 0) & ~under_way
    stopped = rng.choice(4, count, p=_STAGE_ODDS)
    before = rng.uniform(0.1, 6.0, count) * 86400
    first = baskets["seconds"].min() + 3600.0
    end = np.where(bought, seconds, np.maximum(seconds - before, first + rng.uniform(0, 86400, count)))
    end = np.where(under_way, last - rng.uniform(60, 20 * 3600, count), end)
    return _Visits(
        order=order,
        household=who,
        intent=intent,
        device=on,
        channel=channel,
        signed_in=rng.random(count) < 0.75,
        stage=np.where(bought, _BOUGHT, stopped),
        end=np.minimum(end, last),
    )


def _browsers(rng: np.random.Generator, baskets: pd.DataFrame, device: Ints) -> _Visits:
    """Draw the visits that never put anything into a cart; their clock is that of some real basket."""
    order = rng.choice(len(baskets), VISITS_WITHOUT_CART, replace=True)
    who = baskets["household"].to_numpy()[order]
    count = len(order)
    return _Visits(
        order=order,
        household=who,
        intent=rng.normal(-0.8, 1.0, count),
        device=np.where(rng.random(count) < 0.7, device[who], rng.choice(3, count, p=(0.62, 0.3, 0.08))),
        channel=rng.choice(5, count, p=(0.24, 0.3, 0.08, 0.22, 0.16)),
        signed_in=rng.random(count) < 0.4,
        stage=np.full(count, _FILLING),
        end=baskets["seconds"].to_numpy()[order] - rng.uniform(0, 3600, count),
    )


def _block(visit: Ints, place: Floats, event: str, product: Ints, value: Floats) -> pd.DataFrame:
    """Return events of one kind; `place` orders them within the visit, product -1 means none."""
    return pd.DataFrame(
        {"visit": visit, "place": place, "event": _CODE[event], "shelf": product, "value": value}
    )


def _none(count: int) -> tuple[Ints, Floats]:
    return np.full(count, -1), np.full(count, np.nan)


def _looking(
    rng: np.random.Generator, visit: Ints, place: Floats, product: Ints, intent: Floats, shelf: pd.DataFrame
) -> list[pd.DataFrame]:
    """Return what comes before a product is taken: a search or a category page, views of others like it."""
    draw = rng.random(len(visit))
    searches = draw < 1 / (1 + np.exp(1.1 - 0.5 * intent))
    pages = ~searches & (draw < 0.75)
    others = np.minimum(rng.poisson(np.exp(-0.7 - 0.4 * intent)), 6)
    of = np.repeat(np.arange(len(visit)), others)
    first, among = shelf["first"].to_numpy()[product[of]], shelf["among"].to_numpy()[product[of]]
    other = first + (rng.random(len(of)) * among).astype(np.int64)
    price = shelf["price"].to_numpy()
    return [
        _block(visit[searches], place[searches], "search", *_none(int(searches.sum()))),
        _block(visit[pages], place[pages], "view_category", *_none(int(pages.sum()))),
        _block(visit[of], place[of] + 0.1 + 0.3 * rng.random(len(of)), "view_product", other, price[other]),
    ]


def _cart_events(
    rng: np.random.Generator, visits: _Visits, lines: pd.DataFrame, shelf: pd.DataFrame
) -> pd.DataFrame:
    """Return the events of the visits with a cart, ordered within each visit by `place`."""
    size = lines.groupby("order", sort=True).size().to_numpy()
    first = np.r_[0, np.cumsum(size)[:-1]]
    taken = size[visits.order]
    # Who stops while filling the cart has put in only a part of what was in mind.
    filling = visits.stage == _FILLING
    taken = np.where(filling, np.ceil(taken * rng.uniform(0.2, 1.0, len(taken))), taken).astype(np.int64)
    visit = np.repeat(np.arange(len(taken)), taken)
    turn = np.arange(len(visit)) - np.repeat(np.r_[0, np.cumsum(taken)[:-1]], taken)
    row = first[visits.order[visit]] + turn
    product = lines["shelf"].to_numpy()[row]
    amount = lines["amount"].to_numpy()[row]
    place = turn.astype(float)
    intent = visits.intent[visit]
    price = shelf["price"].to_numpy()
    blocks = _looking(rng, visit, place, product, intent, shelf)
    blocks.append(_block(visit, place + 0.5, "view_product", product, price[product]))
    blocks.append(_block(visit, place + 0.6, "add_to_cart", product, amount))
    glance = rng.random(len(visit)) < 0.08
    blocks.append(_block(visit[glance], place[glance] + 0.9, "view_cart", *_none(int(glance.sum()))))

    # Something else of the same category is added too, and taken out again before the end.
    extra = rng.random(len(visit)) < 0.07 * np.exp(-0.5 * intent)
    if_extra = product[extra]
    other = shelf["first"].to_numpy()[if_extra] + (
        rng.random(len(if_extra)) * shelf["among"].to_numpy()[if_extra]
    ).astype(np.int64)
    other_visit, other_place = visit[extra], place[extra]
    blocks.append(_block(other_visit, other_place + 0.7, "view_product", other, price[other]))
    blocks.append(_block(other_visit, other_place + 0.75, "add_to_cart", other, price[other]))
    blocks.append(_block(other_visit, other_place + 0.95, "remove_from_cart", other, price[other]))

    for stage, event, at in (
        (_CART, "view_cart", _LAST_LOOK),
        (_CHECKOUT, "checkout", 901.0),
        (_PAYMENT, "payment", 902.0),
        (_BOUGHT, "purchase", 903.0),
    ):
        reached = np.flatnonzero(visits.stage >= stage)
        blocks.append(_block(reached, np.full(len(reached), at), event, *_none(len(reached))))
    return pd.concat(blocks, ignore_index=True)


def _browse_events(
    rng: np.random.Generator, visits: _Visits, lines: pd.DataFrame, shelf: pd.DataFrame
) -> pd.DataFrame:
    """Return the events of the visits without a cart: a landing page, then a few looks around."""
    count = len(visits.order)
    looks = rng.geometric(0.45, count) - 1
    visit = np.repeat(np.arange(count), looks)
    turn = np.arange(len(visit)) - np.repeat(np.r_[0, np.cumsum(looks)[:-1]], looks)
    start = lines.groupby("order", sort=True).size().cumsum().shift(fill_value=0).to_numpy()
    product = lines["shelf"].to_numpy()[start[visits.order[visit]]]
    blocks = _looking(rng, visit, turn + 1.0, product, visits.intent[visit], shelf)
    viewed = rng.random(len(visit)) < 0.8
    price = shelf["price"].to_numpy()
    blocks.append(
        _block(visit[viewed], turn[viewed] + 1.5, "view_product", product[viewed], price[product[viewed]])
    )
    landing = np.arange(count)
    blocks.append(_block(landing, np.zeros(count), "view_category", *_none(count)))
    return pd.concat(blocks, ignore_index=True)


def _place_in_time(
    rng: np.random.Generator, events: pd.DataFrame, visits: pd.DataFrame, intent: Floats
) -> None:
    """Order `events` within their visits, in place, and give each its second and the carts their sums."""
    events.sort_values(["visit", "place", "event"], inplace=True, ignore_index=True, kind="stable")
    visit = events["visit"].to_numpy()
    code = events["event"].to_numpy()
    pause = _PAUSE[code] * np.exp(rng.normal(0, 0.7, len(events)) - 0.15 * intent[visit])
    # Many leave with a filled cart and come back to it hours later, within a day.
    away = (events["place"].to_numpy() == _LAST_LOOK) & (rng.random(len(events)) < 0.7)
    pause = np.where(away, np.exp(rng.normal(np.log(9 * 3600), 0.6, len(events))).clip(max=22 * 3600), pause)
    pause = np.maximum(np.round(pause), 1.0)
    running = np.cumsum(pause)
    last = np.r_[visit[1:] != visit[:-1], True]
    total = np.repeat(running[last], np.diff(np.r_[-1, np.flatnonzero(last)]))
    events["seconds"] = np.round(visits["end"].to_numpy()[visit]) - (total - running)

    signed = np.select(
        [code == _CODE["add_to_cart"], code == _CODE["remove_from_cart"]],
        [events["value"], -events["value"]],
        default=0.0,
    )
    cart = np.cumsum(signed)
    start = np.flatnonzero(np.r_[True, visit[1:] != visit[:-1]])
    before = np.repeat(cart[start] - signed[start], np.diff(np.r_[start, len(events)]))
    sums = np.isin(code, [_CODE[name] for name in ("view_cart", "checkout", "payment", "purchase")])
    events["value"] = np.where(sums, np.round(cart - before, 2), events["value"])


def _write(
    connection: duckdb.DuckDBPyConnection,
    events: pd.DataFrame,
    visits: pd.DataFrame,
    baskets: pd.DataFrame,
    shelf: pd.DataFrame,
) -> None:
    """Number the visits by their start and write the table."""
    start = events.groupby("visit")["seconds"].min().to_numpy()
    number = np.empty(len(start), dtype=np.int64)
    number[np.argsort(start, kind="stable")] = np.arange(1, len(start) + 1)
    names = baskets.drop_duplicates("household").set_index("household")["customer_id"].sort_index().to_numpy()
    visit = events["visit"].to_numpy()
    at_checkout = events["event"].to_numpy() >= _CODE["checkout"]
    known = visits["signed_in"].to_numpy()[visit] | at_checkout
    product = events["shelf"].to_numpy()
    table = pd.DataFrame(
        {
            "session": number[visit],
            "place": np.arange(len(events)),
            "event": np.array(EVENTS)[events["event"].to_numpy()],
            "seconds": events["seconds"].to_numpy().astype(np.int64),
            "customer_id": pd.Series(names[visits["household"].to_numpy()[visit]]).where(known),
            "product_id": pd.Series(shelf["product_id"].to_numpy()[product]).where(product >= 0),
            "device": np.array(DEVICES)[visits["device"].to_numpy()[visit]],
            "channel": np.array(CHANNELS)[visits["channel"].to_numpy()[visit]],
            "value": events["value"].to_numpy(),
        }
    )
    connection.register("simulated", table)
    connection.execute(
        """
        CREATE TABLE events AS
        SELECT printf('S%06d', session) AS session_id, event,
               make_timestamp(seconds * 1000000) AS occurred_at, customer_id, product_id, device, channel,
               CASE WHEN isnan(value) THEN NULL ELSE round(value, 2) END AS value
        FROM simulated ORDER BY session, place
        """
    )
    connection.unregister("simulated")
