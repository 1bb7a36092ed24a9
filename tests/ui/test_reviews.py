"""Protects what the Reviews tab does: it asks the API for what was chosen, shows its own jobs alone, sends
no other file than an uploaded one, and says in a sentence what does not work."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from gradio.utils import get_upload_folder
from samples import Markup

from storewise.agent.client import ApiProblem
from storewise.agent.job_store import WHOLE, JobStore, Line, Row
from storewise.tools.reviews.summary import Claim, Review, Summary
from storewise.tools.shop.generation import Shop
from storewise.ui import reviews as tab
from storewise.ui.reviews import Reviews

MINE, OTHERS = f"job_{'a' * 20}", f"job_{'b' * 20}"


class Answering:
    """In the place of the API's client: keeps what it is asked for."""

    asked: list[tuple[str, Any]] = []  # noqa: RUF012
    problem: ApiProblem | None = None
    model: str | None = "storewise-2"

    def __enter__(self) -> Answering:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def _said(self, name: str, what: Any) -> Any:
        self.asked.append((name, what))
        if self.problem is not None:
            raise self.problem
        return SimpleNamespace(job_id=MINE)

    def summarize(self, **given: Any) -> Any:
        return self._said("summarize", given)

    def upload(self, file: Path, **given: Any) -> Any:
        return self._said("upload", (file.read_bytes(), given))

    def cancel(self, job_id: str) -> Any:
        return self._said("cancel", job_id)

    def health(self) -> dict[str, Any]:
        self._said("health", None)
        return {"model": self.model}


class Starting:
    """A start that is done, or not."""

    def __init__(self, shop: Shop | None = None, settled: bool = True) -> None:
        self.settled = settled
        self._shop = shop

    def analyst(self) -> Any:
        return None if self._shop is None else SimpleNamespace(shop=self._shop)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STOREWISE_HOME", str(tmp_path))
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "sent"))
    monkeypatch.delenv("STOREWISE_API_KEY", raising=False)
    return tmp_path


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Answering]:
    answering = Answering()
    answering.asked = []
    monkeypatch.setattr(Reviews, "_client", lambda self, timeout=60.0: answering)
    yield answering


def made(shop: Shop | None = None, settled: bool = True) -> Reviews:
    starting: Any = Starting(shop, settled)
    return Reviews(starting)


def keep_jobs(home: Path) -> None:
    """Keep a finished job of the page's and one of somebody else's."""
    store = JobStore("", home)
    claim = Claim(
        text="It is fine.",
        count=12,
        review_ids=tuple(f"R{n}" for n in range(12)),
        sentiment="positive",
        phrased_by="quote",
    )
    summary = Summary(claims=(claim,), reviews=12, text="It is fine (12 of 12).").model_dump_json()
    for job_id, owner in ((MINE, tab.LOCAL), (OTHERS, "key1")):
        store.create(
            job_id, owner, {"format": "csv", "bytes": 9, "group_by": "all", "length": "short"}, None, None, ""
        )
        store.move(job_id, "running")
        rows = [
            Row(n, f"R{n}", "Tea", f"h{n}", Review(review_id=f"R{n}", text=f"Text {n}").model_dump_json())
            for n in range(12)
        ]
        store.take(job_id, rows, [Line(n, "bad", f"reason {n}") for n in range(20, 150)])
        store.plan(job_id, [{"number": 0, "subject": "Tea", "label": "Tea", "reviews": 12, "parts": 1}], 142)
        store.finish(job_id, 0, WHOLE, 12, summary, None, 1.0)
        store.move(job_id, "done")
    store.close()


def said(answer: dict[str, Any], key: str = "problem") -> str:
    return Markup(answer[key]).text


def test_the_names_chosen_are_asked_for_as_products_and_categories(api: Answering, small_shop: Shop) -> None:
    names = ["tea", "P01", " Coffee ", ""]
    got = made(small_shop).answer(
        {"do": "start", "names": names, "rating_min": "1", "rating_max": "2", "since": "", "length": "long",
         "key": "0123456789abcdef", "owner": "someone", "group_by": "product"}
    )  # fmt: skip
    assert got == {"job": MINE}
    assert api.asked == [
        ("summarize", {
            "idempotency_key": "page-0123456789abcdef", "products": ["P01"], "categories": ["tea", "Coffee"],
            "rating_min": "1", "rating_max": "2", "length": "long", "group_by": "product",
        })
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"rating_min": "4", "rating_max": "2"}, "fewest stars are more"),
        ({"since": "2024-02-01", "until": "2024-01-01"}, "first day lies after"),
        ({"names": [str(n) for n in range(300)]}, "At most 200 names"),
    ],
)
def test_a_choice_that_cannot_be_is_told_before_anything_is_asked(
    api: Answering, asked: dict[str, Any], sentence: str
) -> None:
    assert sentence in said(made().answer({"do": "start", **asked}))
    assert api.asked == []


def test_what_the_api_objects_to_is_shown_as_it_says_it(api: Answering) -> None:
    api.problem = ApiProblem(422, "The shop has no product “cofee”. Close are: <b>Coffee</b>.")
    assert said(made().answer({"do": "start", "names": ["cofee"]})) == str(api.problem)


def test_an_api_that_is_not_there_is_told_and_jobs_can_be_read_all_the_same(home: Path) -> None:
    keep_jobs(home)
    assert said(made(settled=False).answer({"do": "start"})) == tab.STARTING
    assert said(made().answer({"do": "start"})) == tab.DOWN
    (home / "api.json").write_text(json.dumps({"url": "http://127.0.0.1:9", "needs_key": False}))
    opened = made().answer({"do": "open"})
    assert not opened["ready"] and said(opened, "note") == tab.DOWN
    assert MINE in opened["jobs"]
    assert "It is fine." in made().answer({"do": "look", "job": MINE, "shown": 20})["results"][0]["html"]


def test_what_the_shop_offers_and_that_no_model_is_up(api: Answering, small_shop: Shop) -> None:
    opened = made(small_shop).answer({"do": "open"})
    assert opened["ready"] and opened["note"] == "" and opened["count"] == 14
    assert opened["rated"] and opened["dated"]
    assert 'data-pick="Coffee"' in opened["picks"] and 'value="House coffee 12 oz"' in opened["options"]
    api.model = None
    assert "own sentence" in said(made(small_shop).answer({"do": "open"}), "note")
    assert made(settled=False).answer({"do": "open"})["shop"] is False


def test_only_the_pages_own_jobs_are_shown(api: Answering, home: Path) -> None:
    keep_jobs(home)
    page = made()
    assert MINE in page.answer({"do": "open"})["jobs"] and OTHERS not in page.answer({"do": "open"})["jobs"]
    assert page.file(f"{MINE}.csv") is not None
    for do in ("look", "reviews", "lines"):
        assert "problem" not in page.answer({"do": do, "job": MINE, "claim": "0-0"})
        for job in (OTHERS, "job_../..", f"{MINE}' OR 1=1", None, 7, f"job_{'c' * 20}"):
            assert said(page.answer({"do": do, "job": job, "claim": "0-0"})) == tab.GONE
    for name in (f"{OTHERS}.csv", f"{MINE}.exe", MINE, "../api.json", f"job_{'c' * 20}.jsonl"):
        assert page.file(name) is None


def test_a_claims_whole_reviews_come_ten_at_a_time(home: Path) -> None:
    keep_jobs(home)
    page = made()
    first = page.answer({"do": "reviews", "job": MINE, "claim": "0-0", "after": 0})
    rest = page.answer({"do": "reviews", "job": MINE, "claim": "0-0", "after": 10})
    assert first["left"] == 2 and first["html"].count("<figure") == 10
    assert rest["left"] == 0 and "Text 11" in said(rest, "html")
    for odd in ("0-9", "5-0", "x", None, "0-99999999999999999999", "-1-0"):
        assert said(page.answer({"do": "reviews", "job": MINE, "claim": odd})) == tab.GONE


def test_summaries_are_sent_when_there_are_more_of_them_and_lines_page_by_page(home: Path) -> None:
    keep_jobs(home)
    page = made()
    first = page.answer({"do": "look", "job": MINE, "shown": 20, "seen": ""})
    assert len(first["results"]) == 1 and first["live"] is False and first["more"] == 0
    assert page.answer({"do": "look", "job": MINE, "shown": 20, "seen": first["seen"]})["results"] is None
    more = page.answer({"do": "lines", "job": MINE, "after": 39})
    assert more["html"].count("<li>") == 100 and "reason 40" in said(more, "html")
    assert page.answer({"do": "lines", "job": MINE, "after": more["after"]})["after"] is None


def test_an_uploaded_file_is_sent_on_and_then_deleted(api: Answering) -> None:
    folder = Path(get_upload_folder()) / "1"
    folder.mkdir(parents=True)
    sent = folder / "My reviews.CSV"
    sent.write_text("text\nFine\n")
    got = made().answer({"do": "send", "file": str(sent), "group_by": "all", "key": "0123-4567"})
    assert got == {"job": MINE} and not sent.exists()
    given = {"idempotency_key": "page-0123-4567", "group_by": "all", "length": "medium"}
    assert api.asked == [("upload", (b"text\nFine\n", given))]


def test_no_other_file_of_the_machine_is_ever_read_or_deleted(api: Answering, home: Path) -> None:
    private = home / "private.csv"
    private.write_text("text\nsecret\n")
    folder = Path(get_upload_folder())
    folder.mkdir(parents=True)
    (folder / "link.csv").symlink_to(private)
    for name in (private, folder / ".." / "private.csv", folder / "link.csv", folder, None, "", "\0"):
        answer = made().answer({"do": "send", "file": name if name is None else str(name)})
        assert "problem" in answer and private.exists()
    assert api.asked == []


def test_a_file_of_another_kind_or_size_is_refused_in_a_sentence(api: Answering, monkeypatch: Any) -> None:
    folder = Path(get_upload_folder())
    folder.mkdir(parents=True)
    (folder / "photo.png").write_bytes(b"\x89PNG")
    assert "neither JSON lines nor CSV" in said(
        made().answer({"do": "send", "file": str(folder / "photo.png")})
    )
    monkeypatch.setattr(tab, "LARGEST", 3)
    (folder / "big.csv").write_text("text\nfine")
    assert "larger than" in said(made().answer({"do": "send", "file": str(folder / "big.csv")}))
    assert api.asked == []


def test_whatever_is_sent_gets_an_answer_and_never_an_exception(api: Answering) -> None:
    for asked in (None, [], "open", {}, {"do": "answer"}, {"do": []}, {"do": "start", "names": 7}):
        assert "<p" in made().answer(asked)["problem"]
    assert "problem" in made().answer({"do": "cancel", "job": "../x"})
    assert made().answer({"do": "cancel", "job": MINE}) == {}


def test_with_a_key_of_its_own_the_page_shows_that_keys_jobs(
    home: Path, api: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_jobs(home)
    monkeypatch.setattr(tab.keys, "check", lambda _, key: "key1" if key == "secret" else None)
    monkeypatch.setenv("STOREWISE_API_KEY", "secret")
    assert OTHERS in made().answer({"do": "open"})["jobs"]
    monkeypatch.setenv("STOREWISE_API_KEY", "wrong")
    assert MINE in made().answer({"do": "open"})["jobs"]
