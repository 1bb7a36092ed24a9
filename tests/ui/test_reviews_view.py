"""Protects what a person sees of a job and its summaries: every count, every claim with its own words,
what contradicts what; and that no text of a review, a file or a shop is ever more than text."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import ELEMENTS, HOSTILE, Markup

from storewise.agent import summaries
from storewise.agent.job_store import Counts, State
from storewise.agent.job_views import JobView, LineView, Result
from storewise.tools.reviews.summary import AspectShare, Claim, Quote, Review, Summary
from storewise.ui import reviews_view as view
from storewise.ui.render import problem, visible

HERE = frozenset({"option", "small", "a", "h2", "b"}) | ELEMENTS
TURNS = "‮⁦‏"  # marks that turn the direction of a line


def harmless(shown: Markup) -> bool:
    """Whether it has only the page's own elements, runs nothing and points nowhere but into the page."""
    points = [value for name, value in shown.attributes if name == "href"]
    return (
        shown.elements <= HERE
        and not shown.comments
        and not any(name.startswith("on") or name in ("src", "srcset") for name, _ in shown.attributes)
        and all(
            one.startswith(("storewise/icons.svg#", "storewise/reviews/job_", "#reviews/")) for one in points
        )
    )


def claim(text: str, count: int = 2, sentiment: str = "positive", by: str = "model") -> Claim:
    ids = tuple(f"{text[:6]}-{n}" for n in range(count))
    quotes = tuple(Quote(review_id=key, text=f"{text} Said {key}.") for key in ids[:3])
    given: dict[str, Any] = {"sentiment": sentiment, "phrased_by": by}
    return Claim(text=text, count=count, review_ids=ids, quotes=quotes, **given)


def job(state: State = "running", **more: Any) -> JobView:
    counts = {
        "lines": 120, "reviews": 100, "bad_lines": 3, "repeated": 15, "left_out": 2,
        "groups": 10, "groups_done": 4, "groups_failed": 0, "reviews_done": 40,
    } | more.pop("counts", {})  # fmt: skip
    now = dt.datetime(2026, 1, 2, 9, 30, tzinfo=dt.UTC)
    return JobView(
        job_id="job_0123456789abcdef0123",
        state=state,
        note=more.pop("note", None),
        created_at=now,
        started_at=now,
        finished_at=None if state == "running" else now + dt.timedelta(seconds=75),
        seconds_left=more.pop("left", 150.0),
        counts=Counts(**counts),
        problems=more.pop("problems", [LineView(line=7, kind="bad", reason="the rating is 7")]),
        request=more.pop(
            "request", {"format": "csv", "bytes": 2048, "group_by": "product", "length": "short"}
        ),
    )


def panel(shown: JobView) -> dict[str, Markup]:
    return {block["key"]: Markup(block["html"]) for block in view.panel(shown)}


def test_a_running_job_tells_how_far_it_is_and_can_be_cancelled() -> None:
    seen = panel(job())
    assert "A file of reviews (CSV, 2 KB)" in seen["head"].text and "short" in seen["head"].text
    for told in ("Running", "40 of 100 reviews", "4 of 10 summaries", "about 2 min left"):
        assert told in seen["state"].text
    assert {("max", "100"), ("value", "40")} <= seen["state"].attributes
    assert seen["act"].text == "Cancel"
    assert seen["counts"].text == "read120to sum up98repeated15left out2not taken3"
    assert "20 lines not summed up" in seen["lines"].text
    assert "Line 7 not taken the rating is 7" in seen["lines"].text
    assert len([1 for name, _ in seen["files"].attributes if name == "download"]) == 2


def test_a_job_that_ended_says_how_and_has_no_cancel() -> None:
    for state, word in (("done", "Done"), ("cancelled", "Cancelled"), ("failed", "Failed")):
        shown = job(state, note="The file is gone." if state == "failed" else None)  # type: ignore[arg-type]
        seen = panel(shown)
        assert word in seen["state"].text and "75 s" in seen["state"].text
        assert seen["act"].text == ""
        assert ("The file is gone." in seen["note"].text) == (state == "failed")
        assert word.lower() in view.said(shown)


def test_a_job_that_reads_or_waits_has_a_bar_without_an_end() -> None:
    reading = panel(job(counts={"groups": 0, "groups_done": 0, "lines": None, "reviews_done": 0}))
    assert "reading, 100 reviews so far" in reading["state"].text
    assert "value" not in {name for name, _ in reading["state"].attributes}
    assert reading["counts"].text == "" and reading["files"].text == ""
    assert "other jobs are before it" in panel(job("queued"))["state"].text


@pytest.mark.parametrize(
    ("request_", "name", "said"),
    [
        ({"products": ["A"], "categories": ["B"]}, "B, A", "for each of them · medium"),
        ({"categories": list("ABCDE"), "group_by": "all"}, "A, B, C and 2 more", "for all together · medium"),
        ({"rating_max": 2, "group_by": "category"}, "The shop's reviews", "1 to 2 stars · for each category"),
        ({"rating_min": 5, "sentiment": "negative"}, "The shop's reviews", "5 of 5 stars · blame only"),
        (
            {"rating_min": 4, "rating_max": 4, "since": "2024-01-02"},
            "The shop's",
            "4 of 5 stars · since 2024",
        ),
    ],
)
def test_a_job_is_named_by_what_it_is_over(request_: dict[str, Any], name: str, said: str) -> None:
    assert view.name_of(request_).startswith(name)
    assert view.asked_for(request_).startswith(said)


def test_every_claim_opens_its_own_words_with_their_ids() -> None:
    summary = Summary(
        claims=(claim("The tea is fresh.", 31), claim("Bags tear", 2, "negative", "quote")),
        reviews=40,
        left_out={"another language": 2},
        text="The tea is fresh (31 of 40). Bags tear (2 of 40).",
    )
    seen = Markup(view.group(Result(number=3, group="Tea", reviews=42, summary=summary), opened=True))
    for told in (
        "Tea", "42 reviews", "The tea is fresh.", "31 of 40", "praise", "2 of 40", "blame",
        "a customer's own sentence", "The tea is fresh. Said The te-0.", "The te-0", "Read all 31 reviews in full",
        "2 reviews left out: another language.", summary.text,
    ):  # fmt: skip
        assert told in seen.text
    assert {value for name, value in seen.attributes if name == "data-whole"} == {"3-0", "3-1"}


def test_a_summary_of_customers_own_sentences_alone_says_so_once() -> None:
    summary = Summary(claims=(claim("Good", by="quote"), claim("Bad", by="quote")), reviews=9, text="Good.")
    seen = Markup(view.group(Result(number=0, group="Tea", reviews=9, summary=summary), opened=False))
    assert seen.text.count("in customers' own sentences") == 1
    assert "own sentence" not in seen.text.replace("in customers' own sentences", "")


def test_a_group_without_claims_or_with_a_problem_says_why() -> None:
    nothing = Result(number=0, group="A", reviews=2, summary=Summary(reviews=2, text="They share no claim."))
    failed = Result(number=1, group="B", reviews=2, problem="This group could not be summarized.")
    assert "They share no claim." in Markup(view.group(nothing, True)).text
    assert "This group could not be summarized." in Markup(view.group(failed, True)).text


def test_contradictions_stand_together() -> None:
    claims = (
        claim("The tea is strong.", 12, "positive"),
        claim("Shipping is quick.", 9, "positive"),
        claim("The tea is not strong.", 1_001, "negative", "quote"),
    )
    part = Summary(claims=claims, reviews=2_000, text="")

    def alike(texts: Any) -> Any:
        rows = [[1.0, 0.0] if "tea" in text else [0.0, 1.0] for text in texts]
        return np.array(rows, dtype=np.float32)

    told = summaries.merged([part], "medium", alike)
    assert "say that" in told.text
    pairs = dict(told.contradictions)
    assert [(told.claims[i].count, told.claims[j].count) for i, j in pairs.items()] == [(1_001, 12)]
    seen = view.group(Result(number=0, group="Tea", reviews=2_000, summary=told), True)
    disagree = seen[seen.index("Customers disagree") :]
    assert disagree.index("not strong") < disagree.index("tea is strong") < disagree.index("Shipping")


def test_aspects_are_a_chart_of_praise_and_blame_with_its_figures() -> None:
    aspects = (
        AspectShare(aspect="taste", reviews=30, positive=20, negative=6),
        AspectShare(aspect="price", reviews=9, positive=2, negative=7),
    )
    summary = Summary(claims=(claim("Good"),), aspects=aspects, reviews=40, text="Good.")
    seen = Markup(view.group(Result(number=0, group="Tea", reviews=40, summary=summary), True))
    drawn = json.loads(next(value for name, value in seen.attributes if name == "data-figure"))
    bars = go.Figure(drawn).data
    assert [(bar.name, tuple(bar.x)) for bar in bars] == [
        ("Praise", (20, 2)), ("Blame", (6, 7)), ("Neither", (4, 0)),
    ]  # fmt: skip
    assert drawn["layout"]["barmode"] == "stack"
    assert "taste" in seen.text and "30" in seen.text
    assert "data-figure" not in view.group(
        Result(number=0, group="T", reviews=1, summary=summary.model_copy(update={"aspects": ()})), True
    )


def test_whole_reviews_come_with_what_is_known_of_them() -> None:
    review = Review(review_id="R1", text="Fine.\nReally.", rating=4, date=dt.date(2024, 3, 1), category="Tea")
    seen = Markup(view.reviews([review]))
    for told in ("Fine.\nReally.", "R1", "4 of 5 stars", "2024-03-01", "Tea"):
        assert told in seen.text


def test_what_cannot_be_seen_is_made_visible_and_emoji_stay() -> None:
    assert visible("a‮b\x07\r\nc") == "a⟨U+202E⟩b⟨U+0007⟩\nc"
    assert visible("👩‍🍳 ☕️ é\t") == "👩‍🍳 ☕️ é\t"
    assert visible("\ud800") == "⟨U+D800⟩"


ANY = st.text(max_size=60).map(lambda text: text.replace("\r", "\n")) | st.just(HOSTILE + TURNS)


@given(text=ANY)
def test_any_text_stays_text(text: str) -> None:
    one = Claim(
        text=text, count=1, review_ids=(text,), sentiment="mixed", phrased_by="model",
        quotes=(Quote(review_id=text, text=text),),
    )  # fmt: skip
    summary = Summary(
        claims=(one, one),
        aspects=(AspectShare(aspect=text, reviews=3, positive=1, negative=1),),
        reviews=3,
        left_out={text: 1},
        text=f"Some say that {text} (1 of 3), others that {text} (1 of 3).",
    )
    request = {"products": [text], "categories": [text]}
    shown = job(note=text, problems=[LineView(line=1, kind="note", reason=text)], request=request)
    offer = view.Offer(reviews=1, categories=((text, 1),), products=((text, 2),))
    moment = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
    markup = (
        view.group(Result(number=0, group=text, reviews=3, summary=summary), True)
        + view.group(Result(number=0, group=text, reviews=3, problem=text), True)
        + view.reviews([Review(review_id=text, text=text, product_id=text, category=text)])
        + "".join(block["html"] for block in view.panel(shown))
        + view.jobs([("job_1", "done", moment, request)])
        + view.options(offer)
        + view.picks(offer)
        + problem(text)
    )
    seen = Markup(markup)
    assert harmless(seen)
    assert visible(text) in seen.text
    assert not any(mark in markup for mark in TURNS)
    assert visible(text) in view.said(job("failed", note=text))
