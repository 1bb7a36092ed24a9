"""cart_risk: open carts with their nudges, and a true sentence for every other session."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from made_up import MakeShop, clicks_of

from storewise.tools.carts import cart_risk
from storewise.tools.finding import DataNote, percent
from storewise.tools.models import cart
from storewise.tools.registry import Tool
from storewise.tools.shop.generation import Shop


def test_the_headline_is_the_first_row_and_says_simulated(small_shop: Shop) -> None:
    """Protects the sentence, the number of carts and the note that sessions are simulated."""
    finding = cart_risk(small_shop, top=3)
    _, carts = cart.open_carts(small_shop)
    assert finding.status == "answered" and len(finding.rows) == min(3, len(carts))
    first = dict(zip([column.name for column in finding.columns], finding.rows[0], strict=True))
    for word in (f"{len(carts)} open cart", first["session_id"], percent(float(str(first["risk"])))):
        assert str(word) in finding.headline
    assert str(first["nudge"]) in finding.headline
    assert DataNote(text="These sessions are simulated.") in finding.evidence


def test_one_open_cart_is_told_alone(small_shop: Shop) -> None:
    """Protects a question about one session: the same risk as in the ranking, in any case."""
    listed = {str(row[0]): row for row in cart_risk(small_shop, top=1000).rows}
    session = list(listed)[-1]
    finding = cart_risk(small_shop, session_id=session.lower())
    assert finding.rows == (listed[session],)
    assert session in finding.headline


def test_sessions_that_are_over_are_told_truly(small_shop: Shop) -> None:
    """Protects against a risk for what is decided: bought, or abandoned already."""
    over = small_shop.query(
        """
        SELECT min(session_id) FILTER (bought) AS bought, min(session_id) FILTER (NOT bought) AS left_behind
        FROM (SELECT session_id, bool_or(event = 'purchase') AS bought, max(occurred_at) AS ended
            FROM events GROUP BY session_id)
        WHERE ended < CAST($as_of AS TIMESTAMP)
        """,
        {"as_of": small_shop.as_of},
    ).iloc[0]
    assert "ended with a purchase" in cart_risk(small_shop, session_id=over["bought"]).headline
    assert "is abandoned already" in cart_risk(small_shop, session_id=over["left_behind"]).headline


def test_carts_without_contents_are_told_truly(make_shop: MakeShop, small_shop: Shop) -> None:
    """Protects visits that never had a cart, or emptied it."""
    events = small_shop.query("SELECT session_id, event, occurred_at, value FROM events")
    more = clicks_of(
        [
            ("look", "view_product", "2023-12-31 10:00", None),
            ("empty", "add_to_cart", "2023-12-31 10:00", 3.0),
            ("empty", "remove_from_cart", "2023-12-31 10:01", 3.0),
        ]
    )
    shop = make_shop(events=events.merge(more, how="outer"))
    cart.train(shop, shop.folder("models", "cart"))
    assert "put nothing into a cart" in cart_risk(shop, session_id="look").headline
    assert "empty cart" in cart_risk(shop, session_id="empty").headline


def test_what_cannot_be_is_refused_in_a_sentence(small_shop: Shop) -> None:
    """Protects people from tracebacks."""
    assert cart_risk(small_shop, session_id="S999999").status == "refused"
    assert cart_risk(small_shop, top=0).status == "refused"
    assert cart_risk(small_shop, top=1001).status == "refused"


def test_a_shop_without_sessions_says_so(tiny_shop: Shop) -> None:
    """Protects shops that lack the table."""
    finding = cart_risk(tiny_shop)
    assert finding.status == "missing_table" and "events" in finding.headline


@settings(max_examples=40, deadline=None)
@given(session=st.text(max_size=10))
def test_no_session_raises(small_shop: Shop, session: str) -> None:
    """Protects the agent: whatever a model passes, a finding comes back."""
    assert cart_risk(small_shop, session_id=session).status == "refused"


def test_the_schema_is_the_contracts() -> None:
    """Protects names and defaults."""
    assert Tool(cart_risk).defaults == {"session_id": None, "top": 10}


def test_the_whole_last_day_is_open(small_shop: Shop) -> None:
    """Protects the edge: a cart is open from the first second of the last day's 24 hours to their end."""
    _, carts = cart.open_carts(small_shop)
    assert carts["idle_seconds"].between(0, 24 * 3600).all()
    assert {row[0] for row in cart_risk(small_shop, top=1000).rows} == set(carts.index)
