"""A shop is built aside and switched to at once: whatever happens to a build, the shop before stays whole."""

import datetime as dt
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import duckdb
import pytest

from storewise.tools.shop.generation import (
    MissingTable,
    NoShop,
    Shop,
    ShopError,
    back,
    building,
    home,
    open_shop,
)

DAY = dt.date(2024, 1, 31)
HALF_A_BUILD = """
import sys, time, datetime as dt
from pathlib import Path
from storewise.tools.shop.generation import building
with building(Path(sys.argv[1])) as builder:
    builder.connection.execute("CREATE TABLE orders AS SELECT range AS order_id FROM range(99)")
    if "sealed" in sys.argv:
        builder.seal(name="x", as_of=dt.date(2024, 1, 1), source="x", provenance={}, notes={})
    print("half way", flush=True)
    time.sleep(60)
"""


def build(place: Path, rows: int) -> str:
    with building(place) as builder:
        builder.connection.execute(
            "CREATE TABLE orders AS SELECT range AS order_id FROM range($rows)", {"rows": rows}
        )
        builder.seal(
            name="Test", as_of=DAY, source="test", provenance={"orders": "made up"}, notes={}
        ).close()
    return builder.path.name


def rows(place: Path) -> int:
    shop = open_shop(place)
    try:
        return int(shop.query("SELECT count(*) AS n FROM orders")["n"].iloc[0])
    finally:
        shop.close()


def test_the_newest_build_is_current_and_back_returns_to_the_one_before(tmp_path: Path) -> None:
    build(tmp_path, 1)
    build(tmp_path, 2)
    assert rows(tmp_path) == 2
    assert back(tmp_path) == "0001"
    assert rows(tmp_path) == 1
    with pytest.raises(ShopError, match="none before it"):
        back(tmp_path)


def test_back_after_back_and_a_new_build_goes_to_what_was_current(tmp_path: Path) -> None:
    build(tmp_path, 1)
    build(tmp_path, 2)
    back(tmp_path)
    build(tmp_path, 3)
    back(tmp_path)
    assert rows(tmp_path) == 1, "the generation that was current before, not the one with the number before"


def test_only_three_generations_are_kept(tmp_path: Path) -> None:
    for count in range(5):
        build(tmp_path, count)
    assert sorted(f.name for f in (tmp_path / "generations").iterdir()) == ["0003", "0004", "0005"]


def test_an_error_in_a_build_leaves_the_shop_before(tmp_path: Path) -> None:
    build(tmp_path, 7)
    with pytest.raises(RuntimeError), building(tmp_path) as builder:
        builder.connection.execute("CREATE TABLE orders (order_id INTEGER)")
        raise RuntimeError
    assert rows(tmp_path) == 7
    assert len(list((tmp_path / "generations").iterdir())) == 1


def test_a_build_that_was_not_sealed_is_no_shop(tmp_path: Path) -> None:
    with pytest.raises(ShopError, match="not finished"), building(tmp_path):
        pass
    with pytest.raises(NoShop):
        open_shop(tmp_path)


@pytest.mark.parametrize("sealed", [False, True])
def test_a_killed_build_leaves_the_shop_before_and_is_swept_away(tmp_path: Path, sealed: bool) -> None:
    build(tmp_path, 7)
    process = subprocess.Popen(
        [sys.executable, "-c", HALF_A_BUILD, str(tmp_path), *(["sealed"] if sealed else [])],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout and process.stdout.readline() == "half way\n"
    with pytest.raises(ShopError, match="Another load"), building(tmp_path):
        pass
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert rows(tmp_path) == 7
    assert (tmp_path / "generations" / "0002").exists()
    build(tmp_path, 8)
    assert rows(tmp_path) == 8
    assert not (tmp_path / "generations" / "0002").exists()


def test_several_processes_read_at_once_also_while_a_build_is_under_way(tmp_path: Path) -> None:
    build(tmp_path, 5)
    ours = open_shop(tmp_path)
    script = (
        "import sys; from pathlib import Path; from storewise.tools.shop.generation import open_shop;"
        "print(open_shop(Path(sys.argv[1])).query('SELECT count(*) AS n FROM orders')['n'].iloc[0])"
    )
    with building(tmp_path) as builder:
        builder.connection.execute("CREATE TABLE orders (order_id INTEGER)")
        out = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True
        ).stdout
        builder.seal(name="x", as_of=DAY, source="x", provenance={}, notes={}).close()
    assert out.strip() == "5"
    assert len(ours.query("FROM orders")) == 5, "an open shop stays the generation that it was opened as"
    ours.close()


def test_threads_share_a_shop(tmp_path: Path) -> None:
    build(tmp_path, 1000)
    shop = open_shop(tmp_path)
    found: list[int] = []

    def count(limit: int) -> None:
        for _ in range(20):
            found.append(
                len(shop.query("SELECT * FROM orders WHERE order_id < $limit", {"limit": limit})) - limit
            )

    threads = [threading.Thread(target=count, args=(number * 100,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [0] * 160
    shop.close()


def test_a_shop_can_be_neither_written_nor_used_to_read_files(tmp_path: Path) -> None:
    build(tmp_path, 1)
    shop = open_shop(tmp_path)
    with pytest.raises(duckdb.Error):
        shop.query("DELETE FROM orders")
    with pytest.raises(duckdb.Error):
        shop.query("SELECT * FROM read_text('/etc/hostname')")
    with pytest.raises(duckdb.Error):
        shop.query("SET enable_external_access = true")
    shop.close()


def test_what_is_missing_is_said_with_the_next_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NoShop, match="storewise up"):
        open_shop(tmp_path)
    build(tmp_path, 1)
    shop = open_shop(tmp_path)
    assert shop.has("orders", "order_id") and not shop.has("orders", "amount") and not shop.has("reviews")
    with pytest.raises(MissingTable, match=r"no table “reviews”.*storewise load"):
        shop.require("reviews")
    with pytest.raises(MissingTable, match="“orders” lacks amount, quantity"):
        shop.require("orders", "order_id", "amount", "quantity")
    shop.close()
    (tmp_path / "generations" / "0001" / "manifest.json").write_text("{")
    with pytest.raises(ShopError, match="storewise back"):
        open_shop(tmp_path)
    monkeypatch.setenv("STOREWISE_HOME", str(tmp_path))
    assert home() == tmp_path


def test_fingerprints_tell_other_data_and_not_another_order_of_rows(tmp_path: Path) -> None:
    prints = []
    made = "CREATE TABLE t AS SELECT range % 7 AS a, range AS b FROM range(?)"
    for number, sql in enumerate((made, made + " ORDER BY a DESC, b", made)):
        with building(tmp_path / str(number)) as builder:
            builder.connection.execute(sql, [50 + number // 2])
            shop = builder.seal(name="x", as_of=DAY, source="x", provenance={}, notes={})
            prints.append(shop.manifest["fingerprints"]["t"])
            shop.close()
    assert prints[0] == prints[1] != prints[2]


def test_the_manifest_says_what_the_shop_is(tmp_path: Path) -> None:
    build(tmp_path, 3)
    shop = open_shop(tmp_path)
    assert isinstance(shop, Shop)
    assert shop.as_of == DAY
    assert shop.manifest["provenance"] == {"orders": "made up"}
    created = dt.datetime.fromisoformat(shop.manifest["created_at"])
    assert created.timestamp() == pytest.approx(time.time(), abs=60)
    shop.close()
