"""A review is matched to the category of the thing it is about, or to none."""

import pandas as pd
import pytest

from storewise.tools.shop.matching import match_categories

PRODUCTS = pd.DataFrame(
    [
        ("Coffee", "Ground coffee"),
        ("Teas", "Tea bags"),
        ("Dog foods", "Dry dog food"),
        ("Cat food", "Dry cat food"),
        ("Sugars/sweeteners", "Sugar"),
        ("Spices and extracts", "Spices"),
        ("Seafood - shelf stable", "Tuna"),
    ],
    columns=["category", "type"],
).assign(amount=1.0)


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("Best coffee I ever had, better than the tea I used to drink.", "Coffee"),
        ("This tea has a hint of cinnamon and vanilla.", "Teas"),
        ("My cat loves the tuna one.", "Cat food"),
        ("It is great and there is no sugar in it.", None),
        ("Arrived late and the box was damaged.", None),
        ("", None),
    ],
)
def test_the_thing_counts_and_not_its_taste(text: str, category: str | None) -> None:
    filler = ["My dog eats it.", "Coffee again.", "Tea again.", "Sugar, sugar."]
    found = match_categories([text, *filler], PRODUCTS)["category"].iloc[0]
    assert (None if pd.isna(found) else found) == category


def test_only_categories_of_the_shop_are_named() -> None:
    found = match_categories(["These chips are crunchy.", "A fine tea."], PRODUCTS.iloc[1:2])
    assert found["category"].isna().tolist() == [True, False]
