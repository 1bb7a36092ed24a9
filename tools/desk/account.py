"""Tools about the account itself: the default address, and a person who takes over."""

from __future__ import annotations

from storewise.tools.desk.desk import Desk, Refusal
from storewise.tools.desk.marks import hands_over, writes
from storewise.tools.desk.tables import Address
from storewise.tools.finding import Finding

_LONGEST_PART = 200
_WITH_STATES = {"USA", "US", "United States"}  # where an address is not complete without its state


@writes
def modify_user_address(
    desk: Desk, address1: str, city: str, state: str, zip: str, address2: str = "", country: str = "USA"
) -> Finding:
    """Change the customer's default address. Orders that were placed already keep theirs.

    Args:
        address1: the first line, such as '123 Main St'.
        city: the city, such as 'San Francisco'.
        state: the state, such as 'CA'.
        zip: the postal code, such as '12345'.
        address2: the second line, such as 'Apt 1', or ''.
        country: the country, such as 'USA'.
    """
    user = desk.user
    before, after = user.address, checked_address(address1, address2, city, state, zip, country)
    if after == before:
        same = f"The default address of your account is {before.line()} already."
        return desk.change("modify_user_address", will=same, done=same)
    user.address = after
    return desk.change(
        "modify_user_address",
        will=f"The default address of your account will change from {before.line()} to {after.line()}.",
        done=f"The default address of your account is now {after.line()}.",
    )


@hands_over
def transfer_to_human_agents(desk: Desk, summary: str) -> Finding:
    """Hand the conversation over to a person of the shop.

    Only if the customer asks for a person, or if the wish cannot be met by the policy and the tools.

    Args:
        summary: what the customer wants and what was tried, in a sentence or two.
    """
    return Finding(
        tool="transfer_to_human_agents",
        status="answered",
        headline="A person from the shop will take over this conversation. Please hold on.",
    )


def checked_address(address1: str, address2: str, city: str, state: str, zip: str, country: str) -> Address:
    """Return an address whose parts are there, short and printable."""
    parts = {
        "first line": address1,
        "second line": address2,
        "city": city,
        "state": state,
        "postal code": zip,
        "country": country,
    }
    cleaned = {name: " ".join(text.split()) for name, text in parts.items()}
    optional = {"second line"} if cleaned["country"] in _WITH_STATES else {"second line", "state"}
    for name, text in cleaned.items():
        if not text and name not in optional:
            raise Refusal("unclear argument", f"The address lacks its {name}.")
        if len(text) > _LONGEST_PART or not text.isprintable():
            raise Refusal("unclear argument", f"The {name} of the address cannot be read.")
    return Address(*cleaned.values())
