"""Loading: every problem of a folder is told at once, what stops it stops it, and the shop before is safe."""

import datetime as dt
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from storewise.tools.shop.contract import TABLES, Kind
from storewise.tools.shop.generation import ShopError, open_shop
from storewise.tools.shop.load import load_folder
from storewise.tools.shop.report import LoadReport, Problem

HEADER = "order_id,customer_id,product_id,ordered_at,quantity,amount"


@pytest.fixture
def folder(small_folder: Path, tmp_path: Path) -> Path:
    """A copy of the tiny shop's files, to be broken."""
    return Path(shutil.copytree(small_folder, tmp_path / "shop"))


def edit(path: Path, change: Callable[[str], str]) -> None:
    path.write_text(change(path.read_text("utf-8")), "utf-8")


def append(path: Path, line: str) -> None:
    edit(path, lambda text: text + line + "\n")


def load(folder: Path) -> LoadReport:
    return load_folder(folder, folder.parent / "home")


def found(report: LoadReport, kind: Kind) -> list[Problem]:
    return [problem for problem in report.problems if problem.kind is kind]


def test_a_sound_folder_loads_whole(folder: Path) -> None:
    report = load(folder)
    assert report.loaded and not report.problems
    assert report.as_of == "2024-10-31"
    assert set(report.rows) == set(TABLES)
    shop = open_shop(folder.parent / "home")
    lines = (folder / "orders.csv").read_text("utf-8").splitlines()
    assert report.rows["orders"] == len(lines) - 1 == len(shop.query("FROM orders"))
    total = sum(float(line.rsplit(",", 1)[1]) for line in lines[1:])
    assert shop.query("SELECT sum(amount) AS s FROM orders")["s"].iloc[0] == pytest.approx(total)
    assert shop.query("SELECT region FROM customers WHERE customer_id = 'C02'")["region"].tolist() == [
        "South"
    ]
    shop.close()


CASES: list[tuple[str, str, Kind, str]] = [
    ("orders", "O9,C01,P01,2024-05-01,many,3", Kind.WRONG_TYPE, "quantity"),
    ("orders", "O9,C01,P01,2024-02-30,1,3", Kind.WRONG_TYPE, "ordered_at"),
    ("orders", "O9,C01,P01,yesterday,1,3", Kind.WRONG_TYPE, "ordered_at"),
    ("orders", "O9,C01,P01,31/05/2024,1,3", Kind.MIXED_DATES, "ordered_at"),
    ("orders", "O9,C01,P01,2107-05-01,1,3", Kind.IMPOSSIBLE_DATE, "ordered_at"),
    ("orders", "O9,C01,P01,2024-05-01,1,inf", Kind.NOT_FINITE, "amount"),
    ("orders", "O9,C01,P01,2024-05-01,1,nan", Kind.WRONG_TYPE, "amount"),
    ("orders", "O9,,P01,2024-05-01,1,3", Kind.MISSING_VALUE, "customer_id"),
    ("orders", "O9,C01,P01,2024-05-01", Kind.BROKEN_LINE, ""),
    ("orders", "O9,C01,P01,2024-05-01,1,3,4", Kind.BROKEN_LINE, ""),
    ("customers", "C03,2024-01-01,50,North", Kind.DOUBLED_ID, "customer_id"),
    ("products", "P03,Other,Tea,Grocery,Leaf,1", Kind.DOUBLED_ID, "product_id"),
    ("reviews", "R90,Good,P01,Coffee,C01,11,2024-05-01", Kind.IMPOSSIBLE_RATING, "rating"),
    ("reviews", "R90, ,P01,Coffee,C01,4,2024-05-01", Kind.MISSING_VALUE, "text"),
    ("orders", "O9,C01,P99,2024-05-01,1,3", Kind.UNKNOWN_PRODUCT, "product_id"),
    ("orders", "O9,C99,P01,2024-05-01,1,3", Kind.UNKNOWN_CUSTOMER, "customer_id"),
    ("events", "S999,view_product,2024-05-01,C99,P01,mobile,ads,1", Kind.UNKNOWN_CUSTOMER, "customer_id"),
    ("events", "S999,sneeze,2024-05-01,C01,P01,mobile,ads,1", Kind.UNKNOWN_EVENT, "event"),
    ("orders", "O9,C01,P01,2024-05-01,-2,3", Kind.NEGATIVE_QUANTITY, "quantity"),
    ("orders", "O9,C01,P01,2024-05-01,0,0", Kind.ZERO_QUANTITY, "quantity"),
    ("orders", "O9,C01,P01,2024-05-01,-1,-3", Kind.NEGATIVE_AMOUNT, "amount"),
    ("orders", "O99999,C02,P01,2024-10-31 21:00:00,1,7.5", Kind.TORN_ORDER, "customer_id"),
    ("orders", "O99999,C01,P01,2024-10-31 21:00:00,1,7.5", Kind.DOUBLED_LINE, ""),
]


@pytest.mark.parametrize(("table", "line", "kind", "column"), CASES)
def test_a_bad_line_is_found_told_and_treated_as_its_kind_says(
    folder: Path, table: str, line: str, kind: Kind, column: str
) -> None:
    append(folder / f"{table}.csv", line)
    report = load(folder)
    (problem,) = found(report, kind)
    assert (problem.table, problem.column, problem.count) == (table, column, 1)
    assert problem.first, "its first rows are shown"
    assert report.loaded is not kind.stops
    assert problem.sentence in report.text()


def test_all_problems_are_told_at_once(folder: Path) -> None:
    for table, line, _, _ in CASES:
        append(folder / f"{table}.csv", line)
    (folder / "offers.csv").write_text("offer_id,kind,kind\n", "utf-8")
    (folder / "notes.csv").write_text("a\n1\n", "utf-8")
    report = load(folder)
    assert not report.loaded
    missing = {kind for _, _, kind, _ in CASES} - {problem.kind for problem in report.problems}
    assert not missing
    assert found(report, Kind.EMPTY_TABLE) and found(report, Kind.UNKNOWN_FILE)
    assert {p.column for p in found(report, Kind.MISSING_COLUMN)} == {"customer_id", "sent_at"}
    assert [(p.column, p.count) for p in found(report, Kind.DOUBLED_COLUMN)] == [("kind", 2)]
    stops = [problem.kind.stops for problem in report.problems]
    assert stops == sorted(stops, reverse=True), "what stops the load comes first"
    told = json.loads(report.model_dump_json())
    assert {problem["kind"] for problem in told["problems"]} >= {"mixed_dates", "doubled_id"}
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(report.table())
    assert "orders.ordered_at" in console.export_text()


def test_what_is_kept_counts_and_unknown_ids_get_a_row(folder: Path) -> None:
    before = load(folder).rows
    append(folder / "orders.csv", "O9,C99,P99,2024-05-01,-2,-3.50")
    report = load(folder)
    assert report.loaded and report.rows["orders"] == before["orders"] + 1
    assert report.rows["products"] == before["products"] + 1
    shop = open_shop(folder.parent / "home")
    unknown = shop.query("SELECT name, category FROM products WHERE product_id = 'P99'")
    assert unknown.to_numpy().tolist() == [["Unknown product P99", "Unknown"]]
    assert len(shop.query("SELECT 1 FROM customers WHERE customer_id = 'C99'")) == 1
    assert any("unknown product" in note for note in shop.manifest["table_notes"]["orders"])
    shop.close()


def test_a_file_that_is_not_utf8_stops_and_the_rest_is_still_checked(folder: Path) -> None:
    append(folder / "orders.csv", "O9,C01,P01,2024-05-01,many,3")
    path = folder / "reviews.csv"
    path.write_bytes(path.read_bytes() + "R90,Très cher café,P01,Coffee,C01,9,2024-05-01\n".encode("latin-1"))
    report = load(folder)
    (problem,) = found(report, Kind.WRONG_ENCODING)
    assert problem.table == "reviews"
    assert problem.first == ("line 16: R90,Tr�s cher caf�,P01,Coffee,C01,9,2024-05-01",)
    assert found(report, Kind.IMPOSSIBLE_RATING) and found(report, Kind.WRONG_TYPE)


def test_missing_and_doubled_columns_are_told_with_the_problems_of_the_others(folder: Path) -> None:
    other = "order_id,customer_id,ordered_at,Ordered At,qty,amount"
    edit(folder / "orders.csv", lambda text: text.replace(HEADER, other, 1))
    append(folder / "orders.csv", "O9,C01,x,x,1,much")
    report = load(folder)
    assert {p.column for p in found(report, Kind.MISSING_COLUMN)} == {"product_id", "quantity"}
    assert [p.column for p in found(report, Kind.DOUBLED_COLUMN)] == ["ordered_at"]
    assert "amount" in {p.column for p in found(report, Kind.WRONG_TYPE)}


def test_headers_may_be_written_otherwise_and_more_columns_are_kept(folder: Path) -> None:
    header = '\ufefforder_id;Customer-Id;PRODUCT ID;ordered at;Quantity; amount;"Clerk\'s; note"'
    lines = (folder / "orders.csv").read_text("utf-8").splitlines()[1:]
    rows = [line.replace(",", ";") + ';"said; ""hello"""' for line in lines]
    (folder / "orders.csv").write_text("\r\n".join([header, *rows]) + "\r\n", "utf-8")
    report = load(folder)
    assert report.loaded, report.text()
    shop = open_shop(folder.parent / "home")
    assert shop.query('SELECT DISTINCT "clerk\'s;_note" AS n FROM orders')["n"].tolist() == ['said; "hello"']
    shop.close()


@pytest.mark.parametrize(("content", "kind"), [("", Kind.EMPTY_TABLE), (HEADER + "\n", Kind.EMPTY_TABLE)])
def test_empty_tables_stop(folder: Path, content: str, kind: Kind) -> None:
    (folder / "orders.csv").write_text(content, "utf-8")
    report = load(folder)
    assert not report.loaded and [p.table for p in found(report, kind)] == ["orders"]


def test_a_file_that_is_no_parquet_and_a_table_in_two_files_stop(folder: Path) -> None:
    (folder / "offers.csv").unlink()
    (folder / "offers.parquet").write_bytes(b"not parquet")
    (folder / "orders.parquet").write_bytes(b"not parquet")
    report = load(folder)
    assert [p.table for p in found(report, Kind.UNREADABLE)] == ["offers.parquet"]
    assert [p.table for p in found(report, Kind.DOUBLED_TABLE)] == ["orders"]


def test_nothing_to_load(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "readme.txt").write_text("hello")
    report = load(tmp_path / "shop")
    assert not report.loaded and found(report, Kind.NOTHING)
    assert not (tmp_path / "home").exists()
    with pytest.raises(ShopError, match="no folder"):
        load_folder(tmp_path / "nowhere", tmp_path / "home")


def test_a_shop_may_lack_tables(folder: Path) -> None:
    for table in ("customers", "products", "events", "reviews", "offers"):
        (folder / f"{table}.csv").unlink()
    assert load(folder).rows.keys() == {"orders"}


def test_parquet_loads_as_csv_does(folder: Path) -> None:
    csv_rows = load(folder).rows
    shop = open_shop(folder.parent / "home")
    lines = "SELECT * REPLACE (ltrim(order_id, 'O')::BIGINT AS order_id) FROM orders ORDER BY ALL"
    as_csv = shop.query(lines)
    shop.close()
    connection = duckdb.connect()
    for table in TABLES:
        path = folder / f"{table}.csv"
        relation = connection.read_csv(str(path))
        if table == "orders":  # ids become floating point when an export knows gaps
            relation = relation.project("* REPLACE (substr(order_id, 2)::DOUBLE AS order_id)")
        relation.write_parquet(str(path.with_suffix(".parquet")))
        path.unlink()
    report = load(folder)
    assert report.loaded and report.rows == csv_rows, report.text()
    shop = open_shop(folder.parent / "home")
    assert shop.query(lines).equals(as_csv)
    assert not len(shop.query("SELECT 1 FROM orders WHERE order_id LIKE '%.0'"))
    shop.close()


@settings(max_examples=25, deadline=None)
@given(
    days=st.lists(st.dates(dt.date(2001, 1, 1), dt.date(2020, 12, 31)), min_size=3, max_size=8),
    form=st.sampled_from(["%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y%m%d"]),
    clock=st.sampled_from(["", " %H:%M", " %I:%M %p", "T%H:%M:%S"]),
)
def test_dates_of_one_format_are_read_rightly_or_not_at_all(
    tmp_path_factory: pytest.TempPathFactory, days: list[dt.date], form: str, clock: str
) -> None:
    if form in ("%Y-%m-%d", "%Y%m%d") and clock == " %I:%M %p":
        clock = ""
    if form == "%Y%m%d":
        clock = ""
    folder = tmp_path_factory.mktemp("dates") / "shop"
    folder.mkdir()
    written = [dt.datetime.combine(day, dt.time(14, 5)).strftime(form + clock) for day in days]
    lines = [f"O{n},C1,P1,{day},1,2" for n, day in enumerate(written)]
    (folder / "orders.csv").write_text("\n".join([HEADER, *lines]) + "\n")
    report = load(folder)
    unclear = "/" in form and form != "%Y/%m/%d" and all(day.day <= 12 for day in days)
    if unclear:
        assert [problem.kind for problem in report.stopping] == [Kind.UNCLEAR_DATES]
        return
    assert report.loaded, report.text()
    shop = open_shop(folder.parent / "home")
    read = shop.query("SELECT order_id, ordered_at FROM orders").set_index("order_id")["ordered_at"]
    shop.close()
    time_of_day = dt.time(14, 5) if clock else dt.time()
    # The clock may set aside a last day; whatever is kept is right.
    for order, moment in read.items():
        assert moment == dt.datetime.combine(days[int(str(order)[1:])], time_of_day)


def test_day_first_and_month_first_together_are_mixed(folder: Path) -> None:
    lines = ["O1,C01,P01,31/12/2023,1,2", "O2,C01,P01,12/31/2023,1,2", "O3,C01,P01,01/02/2023,1,2"]
    (folder / "orders.csv").write_text("\n".join([HEADER, *lines]) + "\n")
    report = load(folder)
    (problem,) = found(report, Kind.MIXED_DATES)
    assert problem.detail == "day and month first" and not report.loaded


def test_a_last_day_that_ends_early_is_set_aside(folder: Path) -> None:
    for day in range(1, 16):
        append(folder / "orders.csv", f"O8{day},C01,P01,2024-11-{day:02d} 21:30:00,1,2")
    append(folder / "orders.csv", "O9,C01,P01,2024-11-16 09:15:00,1,2")
    report = load(folder)
    assert report.as_of == "2024-11-15"
    (problem,) = found(report, Kind.INCOMPLETE_DAY)
    assert problem.count == 1
    shop = open_shop(folder.parent / "home")
    assert shop.query("SELECT max(ordered_at)::DATE::VARCHAR AS d FROM orders")["d"].iloc[0] == "2024-11-15"
    shop.close()


def test_if_what_comes_after_fails_the_shop_before_stays(folder: Path) -> None:
    rows = load(folder).rows["orders"]
    append(folder / "orders.csv", "O9,C01,P01,2024-05-01,1,3")

    def fail(shop: object) -> None:
        raise RuntimeError("no model")

    with pytest.raises(RuntimeError):
        load_folder(folder, folder.parent / "home", then=fail)
    shop = open_shop(folder.parent / "home")
    assert len(shop.query("FROM orders")) == rows
    shop.close()


def test_a_load_killed_half_way_leaves_the_shop_before_untouched(folder: Path) -> None:
    """The real thing: SIGKILL at several moments of a load in a process of its own."""
    home = folder.parent / "home"
    load(folder)
    before = {path: path.stat().st_mtime_ns for path in (home / "generations" / "0001").iterdir()}
    append(folder / "orders.csv", "O9,C01,P01,2024-05-01,1,3")
    script = (
        "import sys, time; from pathlib import Path; from storewise.tools.shop.load import load_folder\n"
        "def tell(sentence):\n    print(sentence, flush=True); time.sleep(0.05)\n"
        "def then(shop):\n    print('then', flush=True); time.sleep(60)\n"
        "load_folder(Path(sys.argv[1]), Path(sys.argv[2]), tell, then)"
    )
    for moment in ("Checking orders", "Writing orders", "then"):
        process = subprocess.Popen(
            [sys.executable, "-c", script, str(folder), str(home)],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"TMPDIR": str(folder.parent)},
        )
        assert process.stdout
        while not process.stdout.readline().startswith(moment):
            assert process.poll() is None
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        time.sleep(0.05)
        shop = open_shop(home)
        assert shop.path.name == "0001"
        assert not len(shop.query("SELECT 1 FROM orders WHERE order_id = 'O9'"))
        shop.close()
    assert before == {path: path.stat().st_mtime_ns for path in (home / "generations" / "0001").iterdir()}
    assert load(folder).loaded
    shop = open_shop(home)
    assert len(shop.query("SELECT 1 FROM orders WHERE order_id = 'O9'")) == 1
    shop.close()
