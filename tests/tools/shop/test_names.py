"""Names read well: clipped capitals become words, and nothing else is touched."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storewise.tools.shop.names import package_size, product_name, readable


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("SOFT DRINKS", "Soft drinks"),
        ("FRZN MEAT/MEAT DINNERS", "Frozen meat/meat dinners"),
        ("SFT DRNK 2 LITER BTL CARB INCL", "Soft drink 2 liter bottle carbonated"),
        ("DRY DOG FOOD PREMIUM (ALPO/PUR", "Dry dog food premium"),
        ("FRZN SS PREMIUM ENTREES/DNRS/N", "Frozen single serve premium entrees/dinners"),
        ("CHIX: BAKED 8PC CUT UP (HOT)", "Chicken: baked 8pc cut up (hot)"),
        ("MISC. DAIRY", "Miscellaneous dairy"),
        ("Wool socks", "Wool socks"),
        ("", ""),
    ],
)
def test_readable(text: str, name: str) -> None:
    assert readable(text) == name


@given(st.text(alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZ &/-().,'0123456789", max_size=40))
def test_any_clipped_text_becomes_tidy_and_stays_so(text: str) -> None:
    name = readable(text)
    assert name == name.strip()
    assert "  " not in name
    assert bool(name) == bool(text.strip())
    assert readable(name) == name or name == name.upper()


def test_a_name_is_type_and_size_and_the_category_where_the_type_says_little() -> None:
    assert product_name("POTATO CHIPS", "BAG SNACKS", "12 OZ") == "Potato chips 12 oz"
    assert (
        product_name("PREMIUM", "ICE CREAM/MILK/SHERBTS", "56 OZ") == "Ice cream/milk/sherbets, premium 56 oz"
    )
    assert product_name(None, None, None) == "Unnamed product"
    assert package_size("2 L") == "2 L"
