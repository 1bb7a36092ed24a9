"""Protects: options that customers call by other words are understood, and everyday words are left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storewise.agent.desk.option_names import shop_words
from storewise.agent.desk.options import mentions, wanted

WARES = {
    "mouse": "color: RGB, black, white; connectivity: wired, wireless",
    "toothbrush": "color: black, blue, white; battery type: AA batteries, rechargeable",
    "vacuum": (
        "type: canister, robotic, upright; bagged/bagless: bagged, bagless; "
        "features: HEPA filter, cordless, pet hair removal"
    ),
    "chair": (
        "material: fabric, leather, mesh; armrest: adjustable, fixed, none; "
        "backrest height: high-back, standard"
    ),
    "speaker": "color: black, red; battery life: 10 hours, 20 hours; water resistance: no, yes",
    "boots": "size: 10, 11, 12, 7, 8, 9; material: leather, synthetic; waterproof: no, yes",
    "jacket": "size: L, M, S, XL, XS; color: black, navy, red; zipper: full, half",
    "thermostat": (
        "compatibility: Amazon Alexa, Apple HomeKit, Google Assistant; "
        "color: black, stainless steel, white"
    ),
    "reader": "screen size: 6-inch, 7-inch, 8-inch; connectivity: Wi-Fi, Wi-Fi + Cellular; storage: 32GB, 8GB",
    "camera": "resolution: 1080p, 2K, 4K; connectivity: Ethernet, Wi-Fi",
    "perfume": "scent family: fresh, oriental, woody; size: 100ml, 30ml, 50ml; gender: men, unisex, women",
    "notebook": "size: A4, A5, A6; cover type: hard cover, soft cover",
    "luggage": "piece count: 2-piece, 3-piece, 4-piece; material: hardshell, softshell",
    "puzzle": (
        "pieces: 1000, 1500, 2000, 500; theme: animals, art, fantasy, landscape; "
        "difficulty level: beginner, expert, intermediate"
    ),
    "espresso": "pressure: 15 bar, 19 bar, 9 bar; capacity: 1.5L, 1L, 2L; type: automatic, capsule, manual",
    "umbrella": "size: 6 ft, 7 ft; material: olefin, polyester, sunbrella; tilt mechanism: auto tilt, manual tilt",
    "kettle": (
        "material: ceramic, glass, stainless steel; capacity: 1 liter, 1.5 liters, 2 liters; "
        "stovetop compatibility: electric, gas, induction"
    ),
    "makeup": "skin tone: dark, light, medium; kit size: basic, professional; brand: Brand A, Brand B",
    "keyboard": "switch type: clicky, linear, tactile; backlight: RGB, none, white; size: 60%, 80%, full size",
    "bulb": (
        "color temperature: daylight, warm white; connectivity: Bluetooth, Wi-Fi, none; "
        "brightness: 100W equivalent, 60W equivalent"
    ),
    "shelf": "material: glass, metal, wood; color: black, brown, white; height: 3 ft, 4 ft, 5 ft, 6 ft",
    "bicycle": "frame size: large, medium, small; color: black, blue; type: mountain, road",
    "headphones": "type: in-ear, on-ear, over-ear; connectivity: wired, wireless; color: black, blue",
    "bottle": "capacity: 1000ml, 500ml, 750ml; material: glass, plastic, stainless steel",
    "laptop": "storage: 1TB SSD, 256GB SSD, 512GB SSD; ram: 16GB, 32GB, 8GB",
    "clock": "type: analog, digital; color: black, white, wood; diameter: 10 inches, 12 inches, 14 inches",
    "lamp": "brightness: high, low, medium; power source: AC adapter, USB, battery",
    "grill": "type: charcoal, electric, gas; size: large, medium, portable; features: none, rotisserie, side burner",
    "charger": "capacity: 10000mAh, 20000mAh; output: USB-A, USB-C, Wireless",
    "sunglasses": "frame color: black, brown; lens type: non-polarized, polarized",
    "hose": "length: 100ft, 25ft, 50ft; material: latex, rubber, vinyl",
    "skateboard": "design: custom, graphic, plain; length: 28 inch, 31 inch, 34 inch",
    "shirt": "size: L, M, S, XL, XXL; style: crew neck, v-neck",
    "dumbbells": "set type: adjustable, fixed; material: iron, rubber",
    "zoom": "zoom: 10x, 3x, 5x; storage: CF card, SD card",
    "earbuds": "water resistance: IPX4, IPX7, not resistant; color: black, blue",
    "coffee": "type: drip, espresso, french press; features: auto shutoff, built-in grinder, timer",
    "helmet": "size: L, M, S; ventilation: high, low, medium",
}  # fmt: skip


def _kinds(ware: str) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    for part in WARES[ware].split("; "):
        key, values = part.split(": ")
        rows += [{key: value} for value in values.split(", ")]
    return rows


def _told(ware: str, text: str) -> set[str]:
    return {f"{'not ' * m.negative}{m.value}" for m in mentions(text, _kinds(ware))}


@pytest.mark.parametrize(
    ("ware", "text", "value"),
    [
        ("mouse", "can I have one with a cable please", "wired"),
        ("mouse", "I prefer the kind with a cord", "wired"),
        ("mouse", "the corded version", "wired"),
        ("mouse", "I want no cable any more", "wireless"),
        ("mouse", "make it cordless", "wireless"),
        ("headphones", "ones without wires", "wireless"),
        ("headphones", "the pair that doesn't have a cable", "wireless"),
        ("toothbrush", "the kind you charge up", "rechargeable"),
        ("toothbrush", "one I can charge would be nicer", "rechargeable"),
        ("toothbrush", "the plug-in to charge one", "rechargeable"),
        ("toothbrush", "one that takes AA's", "AA batteries"),
        ("toothbrush", "I'd rather have normal batteries", "AA batteries"),
        ("toothbrush", "with disposable batteries", "AA batteries"),
        ("vacuum", "without bag please", "bagless"),
        ("vacuum", "no bag this time", "bagless"),
        ("vacuum", "one with a bag", "bagged"),
        ("vacuum", "good for cat and dog hair", "pet hair removal"),
        ("vacuum", "it should get animal hair", "pet hair removal"),
        ("vacuum", "the hands-free robot", "robotic"),
        ("vacuum", "one that runs by itself", "robotic"),
        ("vacuum", "the one that stands up", "upright"),
        ("vacuum", "a cylinder one", "canister"),
        ("chair", "armrests can be adjusted", "adjustable"),
        ("chair", "I need arms that move", "adjustable"),
        ("chair", "arms that don't move", "fixed"),
        ("chair", "no arms", "none"),
        ("chair", "one without armrests", "none"),
        ("chair", "with a tall back", "high-back"),
        ("speaker", "one that can take water", "yes"),
        ("speaker", "keeps the water out", "yes"),
        ("boots", "something for rain", "yes"),
        ("boots", "size nine", "9"),
        ("boots", "in a ten please", "10"),
        ("boots", "fake leather", "synthetic"),
        ("jacket", "the one that zips all the way down", "full"),
        ("jacket", "a full-length zip", "full"),
        ("jacket", "zips half way", "half"),
        ("jacket", "dark blue", "navy"),
        ("thermostat", "everything is Google here", "Google Assistant"),
        ("thermostat", "we all have iPhones", "Apple HomeKit"),
        ("thermostat", "it must work with Siri", "Apple HomeKit"),
        ("thermostat", "I have an Echo in the kitchen", "Amazon Alexa"),
        ("reader", "one with mobile data", "Wi-Fi + Cellular"),
        ("reader", "the 4G one", "Wi-Fi + Cellular"),
        ("reader", "with a sim card", "Wi-Fi + Cellular"),
        ("camera", "with a network cable", "Ethernet"),
        ("camera", "it has to be LAN", "Ethernet"),
        ("camera", "no cable please", "Wi-Fi"),
        ("perfume", "the one for him", "men"),
        ("perfume", "the gents one", "men"),
        ("perfume", "the ladies' one", "women"),
        ("perfume", "either sex can wear it", "unisex"),
        ("notebook", "in hardback", "hard cover"),
        ("notebook", "a paperback one", "soft cover"),
        ("luggage", "with a hard shell", "hardshell"),
        ("luggage", "a set of three", "3-piece"),
        ("puzzle", "the easy one", "beginner"),
        ("puzzle", "beginner's level", "beginner"),
        ("puzzle", "the tough one", "expert"),
        ("puzzle", "the hardest you have", "expert"),
        ("puzzle", "a thousand pieces", "1000"),
        ("puzzle", "fifteen hundred pieces", "1500"),
        ("espresso", "the one that takes pods", "capsule"),
        ("espresso", "one-touch", "automatic"),
        ("espresso", "one that does it all by itself", "automatic"),
        ("espresso", "I like to do it by hand", "manual"),
        ("espresso", "one and a half litres", "1.5L"),
        ("espresso", "a two litre tank", "2L"),
        ("umbrella", "with hand-tilt", "manual tilt"),
        ("umbrella", "it should tilt by itself", "auto tilt"),
        ("umbrella", "the cloth that won't fade outdoors", "sunbrella"),
        ("kettle", "it stays on the stove gas hob", "gas"),
        ("kettle", "we have an induction hob", "induction"),
        ("kettle", "a litre and a half", "1.5 liters"),
        ("makeup", "I have fair skin", "light"),
        ("makeup", "I am rather pale", "light"),
        ("keyboard", "keys that click", "clicky"),
        ("keyboard", "I like loud keys", "clicky"),
        ("keyboard", "no lights", "none"),
        ("keyboard", "with rainbow lights", "RGB"),
        ("keyboard", "coloured lights", "RGB"),
        ("bulb", "cold white", "daylight"),
        ("bulb", "a hundred watt", "100W equivalent"),
        ("shelf", "a wooden one", "wood"),
        ("bicycle", "for off-road", "mountain"),
        ("bicycle", "a racing bike", "road"),
        ("headphones", "that goes in the ear", "in-ear"),
        ("headphones", "the ones over the ear", "over-ear"),
        ("headphones", "that sit on my ears", "on-ear"),
        ("bottle", "half a litre is enough", "500ml"),
        ("bottle", "a litre bottle", "1000ml"),
        ("bottle", "the steel one", "stainless steel"),
        ("laptop", "with a terabyte", "1TB SSD"),
        ("laptop", "half a terabyte", "512GB SSD"),
        ("laptop", "thirty-two gigs of ram", "32GB"),
        ("clock", "one with hands", "analog"),
        ("lamp", "plugs into the wall", "AC adapter"),
        ("lamp", "the brightest", "high"),
        ("grill", "for camping", "portable"),
        ("charger", "type C please", "USB-C"),
        ("sunglasses", "that cut the glare", "polarized"),
        ("hose", "the fifty foot one", "50ft"),
        ("skateboard", "no picture on it", "plain"),
        ("shirt", "with a round neck", "crew neck"),
        ("shirt", "a double XL", "XXL"),
        ("dumbbells", "where I can change the weights", "adjustable"),
        ("zoom", "ten times zoom", "10x"),
        ("earbuds", "for swimming", "IPX7"),
        ("coffee", "a bean-to-cup one", "built-in grinder"),
        ("helmet", "with lots of air", "high"),
    ],
)  # fmt: skip
def test_another_word_for_a_value_names_it(ware: str, text: str, value: str) -> None:
    assert _told(ware, text) == {value}


@pytest.mark.parametrize(
    ("ware", "text", "told"),
    [
        ("toothbrush", "not the kind you charge", {"not rechargeable"}),
        ("mouse", "I don't want one with a cable", {"not wired"}),
        ("mouse", "anything but one with a cord", {"not wired"}),
        ("keyboard", "not the loud keys", {"not clicky"}),
        ("boots", "not for rain", {"no"}),
        ("speaker", "the one that lets water in", {"no"}),
        ("mouse", "there is a problem with the cable", set()),
        ("mouse", "it came without a cable", set()),
        ("mouse", "the cable is too short", set()),
        ("mouse", "wireless, with a cord for charging", {"wireless"}),
        ("kettle", "one with a cable", set()),
        ("toothbrush", "why did you charge me twice", set()),
        ("toothbrush", "what do you charge for shipping", set()),
        ("toothbrush", "my card gets charged today", set()),
        ("vacuum", "am I talking to a human", set()),
        ("vacuum", "stand up for your customers", set()),
        ("makeup", "it is light and easy to carry", {"light"}),
        ("puzzle", "is there an easy way to change it", set()),
        ("puzzle", "it is hard to say", set()),
        ("puzzle", "that was a tough week", set()),
        ("jacket", "I want a full refund all the way", {"full"}),
        ("jacket", "send it to my full address in New York", {"full"}),
        ("espresso", "it was delivered by hand", set()),
        ("perfume", "I bought it for her", set()),
        ("perfume", "is it fair to charge for returns", set()),
        ("makeup", "that is not a fair price", set()),
        ("notebook", "it covers a lot", set()),
        ("boots", "ten of my friends", set()),
        ("bottle", "five minutes ago", set()),
        ("hose", "thirty days", set()),
        ("thermostat", "the apple fell from the tree", {"Apple HomeKit"}),
        ("lamp", "a bright idea", set()),
        ("headphones", "play it by ear", set()),
        ("bicycle", "the race is on", set()),
        ("chair", "it costs an arm and a leg", set()),
        ("chair", "I have moved house", set()),
        ("reader", "4 GB is too little", set()),
        ("bulb", "it has no cable", set()),
        ("charger", "what type can I get", set()),
        ("toothbrush", "there is no charger in the box", set()),
        ("keyboard", "there are no lights on it", set()),
        ("puzzle", "what is the easiest way to send it back", set()),
        ("puzzle", "it is very difficult to reach you", set()),
        ("makeup", "that is fair", set()),
        ("grill", "my biggest disappointment so far", set()),
        ("bicycle", "it comes in the middle of June", set()),
        ("puzzle", "a thousand thanks", set()),
        ("skateboard", "I printed the label", set()),
        ("speaker", "for a bottle that keeps water cold", set()),
        ("camera", "my wireless mouse", set()),
    ],
)  # fmt: skip
def test_everyday_words_and_what_is_not_wanted_are_no_such_value(
    ware: str, text: str, told: set[str]
) -> None:
    assert _told(ware, text) == told


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("change the wireless mouse to one with a cable", "wired"),
        ("swap the one with a cable for one with no cable", "wireless"),
        ("the one without a cable instead of the one with a cable", "wireless"),
        ("my mouse has a cord, I want the wireless one", "wireless"),
    ],
)
def test_what_is_to_go_is_not_what_is_wanted(text: str, value: str) -> None:
    old = {"connectivity": "wireless" if value == "wired" else "wired"}
    assert wanted(text, _kinds("mouse"), old).values == {"connectivity": {value}}


def test_a_phrase_counts_only_where_its_value_is_there() -> None:
    text = "one with a cable, in the ear, without a bag, half a litre"
    assert shop_words(text, {"color": ["red", "blue"], "size": ["S", "M"]}) == text


def test_what_the_shop_calls_so_for_another_product_is_left_alone() -> None:
    kinds = [{"features": "cordless"}, {"connectivity": "wired"}, {"connectivity": "wireless"}]
    assert [m.key for m in mentions("the cordless vacuum", kinds)] == ["features"]


def test_an_option_told_in_the_shops_words_is_left_alone() -> None:
    text = "the wired one with a cable"
    assert shop_words(text, {"connectivity": ["wired", "wireless"]}) == text


EVERY = {
    f"{ware} {key}": values.split(", ")
    for ware, parts in WARES.items()
    for key, _, values in (part.partition(": ") for part in parts.split("; "))
}


@given(
    st.lists(st.sampled_from("hello thanks my order where parcel address refund please zebra today".split()))
)
def test_a_text_without_such_words_is_unchanged(said: list[str]) -> None:
    assert shop_words(" ".join(said), EVERY) == " ".join(said)


def test_a_range_is_known_without_its_unit() -> None:
    values = {"weight": ["30-50 lbs", "5-25 lbs"]}
    assert shop_words("swap for the 30-50?", values) == "swap for the 30-50 lbs?"
    assert shop_words("the 30-50 lbs", values) == "the 30-50 lbs"
    assert shop_words("the 130-50", values) == "the 130-50"


@given(
    st.lists(
        st.one_of(
            st.text(max_size=8),
            st.sampled_from(
                "no without one with a cable litre half hundred twenty not arms 1,5 ² ſix times set of size".split()
            ),
        ),
        max_size=15,
    )
)
def test_any_text_is_read(said: list[str]) -> None:
    assert isinstance(shop_words(" ".join(said), EVERY), str)
