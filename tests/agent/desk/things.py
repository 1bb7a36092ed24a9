"""A made-up customer's things, for tests of what words mean without a database."""

from __future__ import annotations

from storewise.agent.desk.things import Kind, Line, Method, OwnOrder, Things, Ware
from storewise.tools.desk.tables import Address

HOME = Address(address1="1 Main St", address2="", city="Denver", state="CO", zip="80201", country="USA")
CABIN = Address(address1="7 Pine Rd", address2="", city="Boise", state="ID", zip="83702", country="USA")
KETTLES = tuple(
    Kind(f"k{number}", {"capacity": size, "color": color}, True, 3000 + number)
    for number, (size, color) in enumerate([("1L", "red"), ("1L", "blue"), ("2L", "red"), ("2L", "blue")])
)
WARES = (
    Ware("K", "Tea Kettle", KETTLES),
    Ware("V", "Vacuum Cleaner", (Kind("v1", {"kind": "robotic"}, True, 40000),)),
    Ware("S", "Bluetooth Speaker", (Kind("s1", {"color": "red"}, True, 9000),)),
    Ware("N", "Sneakers", (Kind("n1", {"size": "9"}, True, 8000),)),
    Ware("B", "Backpack", (Kind("b1", {"color": "grey"}, True, 5000),)),
    Ware("G", "Grill", (Kind("g1", {"color": "black"}, True, 20000),)),
)
CARD = Method("card_1", "credit_card", "visa", "1111", "the visa credit card ending in 1111", None)
PAYPAL = Method("paypal_1", "paypal", "", "", "the PayPal account paypal_1", None)


def line(ware: Ware, kind: Kind) -> Line:
    return Line(kind.item_id, ware.product_id, ware.name, dict(kind.options), kind.price)


def order(order_id: str, status: str, *lines: Line, goes_to: Address = HOME) -> OwnOrder:
    return OwnOrder(order_id, status, lines, sum(one.price for one in lines), goes_to, ("card_1",), ())


BIG, SMALL = line(WARES[0], KETTLES[2]), line(WARES[0], KETTLES[0])
ROBOT, SPEAKER, BAG = (line(ware, ware.kinds[0]) for ware in (WARES[1], WARES[2], WARES[4]))
# Two kettles and the speaker have come; the vacuum cleaner and the backpack are still to be sent.
THINGS = Things(
    "Ann",
    HOME,
    (CARD, PAYPAL),
    (
        order("#W1000001", "delivered", BIG, SMALL, SPEAKER),
        order("#W1000002", "pending", ROBOT),
        order("#W1000003", "pending", BAG, goes_to=CABIN),
    ),
    WARES,
)
