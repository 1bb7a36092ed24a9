"""A Chroma server named by the setting finds what a folder finds, and generations do not touch each other."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from storewise.agent.engine import free_port
from storewise.tools.reviews import build, embedding, index, search, store
from storewise.tools.shop.generation import Shop

MakeShop = Callable[[Sequence[tuple[str, str, str | None]]], Shop]

REVIEWS: list[tuple[str, str, str | None]] = [
    ("A1", "The coffee is bitter. I threw it away.", "Coffee"),
    ("A2", "Smooth and rich coffee. We love it!", "Coffee"),
    ("A3", "My dog adores these treats. Great value.", "Dog food"),
    ("A4", "The cans were dented and leaking.", None),
    ("A5", "", None),
]
QUERIES = ("stale coffee", "treats for a dog", "damaged in the mail", "smooth")


class Server:
    """A `chroma run` process of its own."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        place = ["--path", str(folder), "--host", "127.0.0.1", "--port", str(self.port)]
        self.process = subprocess.Popen(
            [str(Path(sys.executable).with_name("chroma")), "run", *place],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.1)
        raise TimeoutError("chroma run does not listen")

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = Server(tmp_path_factory.mktemp("chroma"))
    yield started
    started.stop()


def indexed(shop: Shop) -> index.Index:
    build.build(shop, shop.folder("reviews"))
    return index.open_index(shop.folder("reviews"))


def found(opened: index.Index, query: str) -> list[tuple[int, float, int]]:
    hits = search.search(opened, query, search.everything(opened), None, 3)
    return [(hit.row, round(hit.closeness, 4), hit.sentence) for hit in hits]


def test_a_server_finds_what_a_folder_finds(
    make_shop: MakeShop, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_folder = indexed(make_shop(REVIEWS))
    monkeypatch.setenv(store.VARIABLE, server.url + "/")
    on_server = indexed(make_shop(REVIEWS))
    assert on_server.store.place.url == server.url and in_folder.store.place.url == ""
    assert not (on_server.folder / store.FOLDER).exists()
    assert on_server.store.count() == in_folder.store.count() == 4
    for query in QUERIES:
        assert found(on_server, query) == found(in_folder, query) != []
    vector = embedding.encode(["stale coffee"])[0]
    keys, cosines = on_server.store.nearest(vector, 4)
    assert keys == in_folder.store.nearest(vector, 4)[0]
    assert cosines == pytest.approx(in_folder.store.nearest(vector, 4)[1], abs=1e-4)


def test_generations_share_records_and_leave_each_other_s_alone(
    make_shop: MakeShop, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(store.VARIABLE, server.url)
    first = indexed(make_shop(REVIEWS))
    before = [found(first, query) for query in QUERIES]
    second = indexed(make_shop([REVIEWS[0], ("A2", "Weak coffee.", "Coffee"), ("A9", "Mouldy bread.", None)]))
    assert second.store.place.collection == first.store.place.collection
    assert second.store.count() == 6, "four records of the first, and two that it lacks"
    assert [found(first, query) for query in QUERIES] == before
    assert {row for row, _, _ in found(second, "coffee")} <= {0, 1, 2}
    assert found(second, "smooth coffee")[0][0] == second.row_of["A2"]
    # Three generations are kept: with the third after it the first is gone, and its own records with it.
    for extra in ("B1", "B2", "B3"):
        last = indexed(make_shop([REVIEWS[0], (extra, f"The tea was cold, {extra}.", None)]))
    assert last.store.count() == 4, "A1 and the tea of each of the three generations"


def test_unchanged_reviews_are_taken_over_with_their_records(
    make_shop: MakeShop, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(store.VARIABLE, server.url)
    first = indexed(make_shop(REVIEWS))
    told: list[str] = []
    shop = make_shop(REVIEWS)
    build.build(shop, shop.folder("reviews"), told.append)
    second = index.open_index(shop.folder("reviews"))
    assert told == ["Taking over 5 reviews, none of which changed"]
    assert second.store.place.collection == first.store.place.collection and second.store.count() == 4
    assert [found(second, query) for query in QUERIES] == [found(first, query) for query in QUERIES]
    # Whoever empties the server finds all of it again after the next build.
    second.store._collection.delete(ids=second.reviews["text_hash"].tolist()[:2])
    assert indexed(make_shop(REVIEWS)).store.count() == 4


def test_another_model_has_a_collection_of_its_own(
    make_shop: MakeShop, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(store.VARIABLE, server.url)
    first = indexed(make_shop(REVIEWS))
    monkeypatch.setattr(embedding, "model_name", lambda: "another 1.0")
    second = indexed(make_shop(REVIEWS))
    one, other = first.store.place.collection, second.store.place.collection
    assert one != other
    for _ in range(3):
        last = indexed(make_shop(REVIEWS))
    assert last.store.place.collection == other
    with pytest.raises(store.NoIndex, match="storewise fit"):
        store.Store(first.store.place)


def test_an_index_moves_where_the_setting_says(
    make_shop: MakeShop, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = make_shop(REVIEWS)
    in_folder = indexed(shop)
    monkeypatch.setenv(store.VARIABLE, server.url)
    assert index.open_index(shop.folder("reviews")).store.place.url == "", (
        "where it is, until it is built anew"
    )
    on_server = indexed(shop)
    assert on_server.store.place.url == server.url
    assert found(on_server, "stale coffee") == found(in_folder, "stale coffee")
    monkeypatch.delenv(store.VARIABLE)
    assert indexed(shop).store.place.url == ""


def test_a_server_that_is_gone_is_named_with_what_to_type(
    make_shop: MakeShop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(tmp_path / "chroma")
    monkeypatch.setenv(store.VARIABLE, server.url)
    shop = make_shop(REVIEWS)
    opened = indexed(shop)
    server.stop()
    said = f"{server.url} does not answer.*chroma run --host 127.0.0.1 --port {server.port}"
    with pytest.raises(index.NoIndex, match=said):
        found(opened, "stale coffee")
    index.forget()
    with pytest.raises(index.NoIndex, match=said):
        index.open_index(shop.folder("reviews"))
    later = make_shop([*REVIEWS, ("A6", "Fine.", None)])
    with pytest.raises(index.NoIndex, match=said):
        build.build(later, later.folder("reviews"))
    assert not list(later.folder("reviews").iterdir())
    monkeypatch.delenv(store.VARIABLE)
    assert build.build(later, later.folder("reviews")).embedded == 1
    shutil.rmtree(later.folder("reviews"))


@pytest.mark.parametrize("url", ["chroma", "ftp://host:1", "http://", "http://host:port", "http://host/path"])
def test_an_address_that_is_none_is_told(
    make_shop: MakeShop, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(store.VARIABLE, url)
    shop = make_shop(REVIEWS)
    with pytest.raises(
        index.NoIndex, match=f"{store.VARIABLE} is .{url.rstrip('/')}.*unset {store.VARIABLE}"
    ):
        build.build(shop, shop.folder("reviews"))
