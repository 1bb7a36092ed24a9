"""fit learns each thing once from the same data, skips what the shop lacks, and goes on where it stopped."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from storewise.tools import fit as fitting
from storewise.tools.shop.generation import Shop, ShopError, open_shop
from storewise.tools.shop.load import load_folder


@pytest.fixture
def shop(small_folder: Path, tmp_path: Path) -> Iterator[Shop]:
    load_folder(small_folder, tmp_path / "home")
    shop = open_shop(tmp_path / "home")
    yield shop
    shop.close()


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Stand-ins for the models and the index: they note their runs; `fails` names one that breaks."""
    state: dict[str, Any] = {"runs": [], "fails": None}

    def module(name: str) -> SimpleNamespace:
        short = name.rsplit(".", 1)[1]

        def run(shop: Shop, folder: Path, progress: Any = None, after: Any = None) -> None:
            if state["fails"] == short:
                raise RuntimeError(short)
            state["runs"].append(short)

        return SimpleNamespace(train=run, build=run)

    monkeypatch.setattr(fitting, "import_module", module)
    return state


ALL = ["churn", "value", "recommender", "cart", "build"]


def test_all_is_learned_once(shop: Shop, ran: dict[str, Any]) -> None:
    said: list[str] = []
    assert not fitting.fitted(shop)
    assert set(fitting.fit(shop, said.append)) == {"churn", "value", "recommender", "cart", "reviews"}
    assert ran["runs"] == ALL and fitting.fitted(shop)
    assert fitting.fit(shop, said.append) == {}
    assert ran["runs"] == ALL
    assert said[-1] == "Indexing the reviews: done already"


def test_changed_code_is_learned_with_anew(
    shop: Shop, ran: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what the changed module teaches is learned again."""
    fitting.fit(shop)
    known = fitting._code
    monkeypatch.setattr(fitting, "_code", lambda module: "new" if module.endswith(".cart") else known(module))
    assert not fitting.fitted(shop)
    fitting.fit(shop)
    assert ran["runs"] == [*ALL, "cart"]


def test_another_definition_of_churn_is_learned_anew(shop: Shop, ran: dict[str, Any]) -> None:
    """The same definition written another way is the same."""
    fitting.fit(shop)
    assert fitting.fitted(shop, " 60 ") and not fitting.fitted(shop, "own rhythm")
    fitting.fit(shop, churned_after="own-rhythm")
    assert ran["runs"] == [*ALL, "churn"] and fitting.fitted(shop, "own rhythm")
    with pytest.raises(ShopError, match="such as 60, or: own rhythm"):
        fitting.fit(shop, churned_after="soon")


def test_code_covers_what_a_model_imports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change in a module that the model's module imports is a change of the model's code."""
    package = tmp_path / "parts"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "model.py").write_text("from parts.features import count\nfrom parts import card\n")
    (package / "features.py").write_text("count = 1\n")
    (package / "card.py").write_text("")
    (package / "other.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))

    def code() -> str:
        fitting._code.cache_clear()
        return fitting._code("parts.model")

    before = code()
    (package / "other.py").write_text("unrelated = 1\n")
    assert code() == before
    (package / "features.py").write_text("count = 2\n")
    after = code()
    assert after != before
    (package / "card.py").write_text("x = 1\n")
    assert code() != after


def test_an_interrupted_fit_goes_on_where_it_stopped(shop: Shop, ran: dict[str, Any]) -> None:
    ran["fails"] = "cart"
    with pytest.raises(RuntimeError):
        fitting.fit(shop)
    assert not fitting.fitted(shop)
    ran["fails"] = None
    fitting.fit(shop)
    assert ran["runs"] == ALL


def test_a_broken_record_is_no_record(shop: Shop, ran: dict[str, Any]) -> None:
    fitting.fit(shop)
    shop.folder(fitting.RECORD).write_text("{")
    assert not fitting.fitted(shop)


def test_what_the_shop_lacks_is_skipped_with_a_sentence(
    small_folder: Path, tmp_path: Path, ran: dict[str, Any]
) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "orders.csv").write_bytes((small_folder / "orders.csv").read_bytes())
    load_folder(folder, tmp_path / "home")
    shop = open_shop(tmp_path / "home")
    said: list[str] = []
    fitting.fit(shop, said.append)
    assert ran["runs"] == ["value"]
    assert "Training the churn model: skipped, the shop has no table products" in said
    assert "Indexing the reviews: skipped, the shop has no table reviews" in said
    assert fitting.fitted(shop), "there is nothing more to learn from these tables"
    assert fitting.cards(shop) == []
    shop.close()
