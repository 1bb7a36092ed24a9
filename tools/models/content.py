"""What products are: their kind and the words that describe them, for products and customers without history."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from storewise.tools.models.neighbours import unit_rows
from storewise.tools.shop.generation import Shop

COLUMNS = ("name", "category", "type", "department", "brand")
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Content:
    """The catalogue as kinds and words.

    Attributes:
        product_ids: the products described.
        kind: the number of each product's kind (its type, else its category), -1 where it has none.
        kinds: the names of the kinds.
        words: unit-length rows of TF-IDF weights over words of the name, category, type, department, brand.
    """

    product_ids: npt.NDArray[np.str_]
    kind: npt.NDArray[np.int32]
    kinds: tuple[str, ...]
    words: sp.csr_matrix

    @classmethod
    def of(cls, products: pd.DataFrame) -> Content:
        """Return the content of `products`: product_id and any of COLUMNS."""
        columns = [column for column in COLUMNS if column in products.columns]
        finest = products["type"] if "type" in products.columns else products.get("category")
        if finest is None:
            kind, kinds = np.full(len(products), -1, dtype=np.int64), pd.Index([])
        else:
            kind, kinds = pd.factorize(finest.where(finest != "Unknown"))
        return cls(
            product_ids=products["product_id"].to_numpy(dtype=np.str_),
            kind=kind.astype(np.int32),
            kinds=tuple(str(name) for name in kinds),
            words=_words(products, columns),
        )

    @classmethod
    def read(cls, shop: Shop) -> Content:
        """Return the content of a shop's catalogue."""
        return cls.of(shop.query("SELECT * FROM products ORDER BY product_id"))

    def places(self, products: npt.NDArray[np.str_]) -> npt.NDArray[np.intp]:
        """Return where each of `products` stands here, -1 where it does not."""
        return np.asarray(pd.Index(self.product_ids).get_indexer(pd.Index(products)), dtype=np.intp)


def _words(products: pd.DataFrame, columns: list[str]) -> sp.csr_matrix:
    numbers: dict[str, int] = {}
    rows: list[int] = []
    places: list[int] = []
    known: dict[str, list[int]] = {}
    for column in columns:
        for row, text in enumerate(products[column].fillna("").astype(str)):
            found = known.get(text)
            if found is None:
                found = [numbers.setdefault(word, len(numbers)) for word in _WORD.findall(text.casefold())]
                known[text] = found
            rows += [row] * len(found)
            places += found
    shape = (len(products), max(1, len(numbers)))
    counts = sp.csr_matrix((np.ones(len(rows), dtype=np.float32), (rows, places)), shape=shape)
    counts.data = np.log1p(counts.data)
    appear = Counter(counts.indices.tolist())
    rarity = np.array([np.log(max(1, len(products)) / appear.get(word, 1)) for word in range(shape[1])])
    return unit_rows(counts @ sp.diags(rarity.astype(np.float32)))
