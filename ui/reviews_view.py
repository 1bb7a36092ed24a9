"""The Reviews tab as markup: what can be picked, a job with its counts, the summaries and their reviews.

All text from reviews, files and the shop is escaped here, with what cannot be seen in it made visible.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from storewise.agent.job_store import UNFINISHED, State
from storewise.agent.job_views import JobView, LineView, Result
from storewise.tools.finding import Chart, Column, Finding
from storewise.tools.reviews.summary import Claim, Review, Summary
from storewise.ui.render import Block, figure, icon, problem, table, told, visible

STATES: dict[State, str] = {
    "queued": "Waiting",
    "running": "Running",
    "done": "Done",
    "cancelled": "Cancelled",
    "failed": "Failed",
}
OPEN = 3  # summaries up to which all stand open; of more only the first
PICKS = 8  # categories offered as buttons; all can be typed
CHARTED = 10  # aspects in a chart
_MOODS = {"positive": "praise", "negative": "blame", "mixed": "both ways"}
_GROUPED = {"product": "for each product", "category": "for each category", "all": "for all together"}


@dataclass(frozen=True)
class Offer:
    """What the shop's reviews can be picked by: names with their numbers of reviews, the most first."""

    reviews: int
    categories: tuple[tuple[str, int], ...] = ()
    products: tuple[tuple[str, int], ...] = ()
    rated: bool = False
    dated: bool = False


def number(count: int, one: str, many: str | None = None) -> str:
    """Return "1 review", "1,200 reviews"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def size(count: int) -> str:
    """Return a file's size in KB or MB."""
    return f"{count / 1024**2:.1f} MB" if count >= 1024**2 else f"{max(1, round(count / 1024)):,} KB"


def seconds(left: float) -> str:
    """Return a span of time as people say it: "about 40 s", "about 3 min"."""
    if left < 90:
        return f"about {max(1, round(left))} s"
    return f"about {round(left / 60)} min" if left < 5400 else f"about {left / 3600:.1f} h"


# What can be picked


def options(offer: Offer) -> str:
    """Return the names that are proposed while one is typed."""
    return "".join(
        f'<option value="{told(name)}">{number(count, "review")}</option>'
        for name, count in (*offer.categories, *offer.products)
    )


def picks(offer: Offer) -> str:
    """Return the names with the most reviews as buttons."""
    most = sorted((*offer.categories, *offer.products), key=lambda pair: -pair[1])[:PICKS]
    return "".join(
        f'<button type="button" data-pick="{told(name)}" aria-pressed="false">{told(name)} '
        f"<span>{count:,}</span></button>"
        for name, count in most
    )


# Jobs


def name_of(request: dict[str, Any]) -> str:
    """Return what a job is over, in a few words."""
    if "bytes" in request:
        return f"A file of reviews ({str(request['format']).upper()}, {size(int(request['bytes']))})"
    names = [*request.get("categories", ()), *request.get("products", ())]
    if not names:
        return "The shop's reviews"
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return visible(", ".join(names[:3]) + more)


def asked_for(request: dict[str, Any]) -> str:
    """Return how a job was asked for: its filter, what a summary is of, and the length."""
    low, high = request.get("rating_min"), request.get("rating_max")
    said = []
    if low is not None or high is not None:
        low, high = f"{low or 1:g}", f"{high or 5:g}"
        said.append(f"{low} of 5 stars" if low == high else f"{low} to {high} stars")
    if request.get("sentiment"):
        said.append(f"{_MOODS[request['sentiment']]} only")
    said += [f"{word} {request[word]}" for word in ("since", "until") if request.get(word)]
    named = "bytes" not in request and bool(request.get("categories") or request.get("products"))
    group_by = request.get("group_by", "product")
    said.append("for each of them" if named and group_by != "all" else _GROUPED[group_by])
    return " · ".join([*said, request.get("length", "medium")])


def when(moment: dt.datetime) -> str:
    """Return a moment in local time."""
    local = moment.astimezone()
    today = local.date() == dt.datetime.now().astimezone().date()
    return f"{local:%H:%M}" if today else f"{local.day} {local:%b %Y, %H:%M}"


def jobs(rows: Iterable[tuple[str, State, dt.datetime, dict[str, Any]]]) -> str:
    """Return the list of earlier jobs, given as (id, state, created at, request)."""
    items = "".join(
        f'<li><a href="#reviews/{escape(job_id)}" data-job="{escape(job_id)}">'
        f"<span>{escape(name_of(request))}</span>"
        f'<small><span class="how {state}">{STATES[state]}</span> · {when(created)} · '
        f"{escape(asked_for(request))}</small></a></li>"
        for job_id, state, created, request in rows
    )
    return f"<ol>{items}</ol>" if items else "<p>None yet.</p>"


def panel(job: JobView) -> list[Block]:
    """Return a job's state, counts, lines with a problem and files, a block each."""
    found = [
        ("head", f"<h2>{escape(name_of(job.request))}</h2><p>{escape(asked_for(job.request))}</p>"),
        ("state", _state(job)),
        ("act", _cancel(job)),
        ("note", problem(job.note or "")),
        ("counts", _counts(job)),
        ("lines", _lines(job)),
        ("files", _files(job)),
    ]
    return [{"key": key, "html": html} for key, html in found]


def said(job: JobView) -> str:
    """Return a job's state as a sentence that is read out."""
    summaries = number(job.counts.groups_done, "summary", "summaries")
    return {
        "queued": "The job waits for its turn.",
        "running": "The job runs.",
        "done": f"The job is done: {summaries}.",
        "cancelled": "The job was cancelled.",
        "failed": f"The job failed. {visible(job.note or '')}",
    }[job.state]


def _state(job: JobView) -> str:
    counts = job.counts
    mark = {
        "running": '<span class="spinner"></span>',
        "queued": '<span class="dot"></span>',
        "done": icon("check"),
    }
    if job.state == "running" and not counts.groups:
        far = f"reading, {number(counts.reviews, 'review')} so far"
    elif job.state == "queued":
        far = "other jobs are before it"
    else:
        of = f"{counts.reviews_done:,} of {number(counts.reviews, 'review')}"
        far = f"{of}, {counts.groups_done:,} of {number(counts.groups, 'summary', 'summaries')}"
    left = ""
    if job.state == "running" and job.seconds_left is not None:
        left = f'<span class="left">{seconds(job.seconds_left)} left</span>'
    elif job.started_at is not None and job.finished_at is not None:
        took = (job.finished_at - job.started_at).total_seconds()
        left = f'<span class="left">{seconds(took).removeprefix("about ")}</span>'
    value = "" if job.state in UNFINISHED and not counts.reviews_done else f' value="{counts.reviews_done}"'
    bar = f'<progress max="{max(counts.reviews, 1)}"{value} aria-label="Reviews summarized"></progress>'
    return (
        f'<p class="now {job.state}">{mark.get(job.state, icon("info"))}<b>{STATES[job.state]}</b>'
        f'<span class="far">{far}</span>{left}</p>{bar}'
    )


def _cancel(job: JobView) -> str:
    return '<button type="button" data-cancel>Cancel</button>' if job.state in UNFINISHED else ""


def _counts(job: JobView) -> str:
    counts = job.counts
    if counts.lines is None:
        return ""
    facts = [
        (counts.lines, "read"),
        (counts.reviews - counts.left_out, "summed up" if job.state == "done" else "to sum up"),
        (counts.repeated, "repeated"),
        (counts.left_out, "left out"),
        (counts.bad_lines, "not taken"),
    ]
    shown = "".join(f"<div><dt>{name}</dt><dd>{count:,}</dd></div>" for count, name in facts if count)
    return f'<dl class="counts">{shown}</dl>'


def _lines(job: JobView) -> str:
    if not job.problems:
        return ""
    counts = job.counts
    wrong = counts.bad_lines + counts.repeated + counts.left_out
    kind = kind_of(job.request)
    title = f"{number(wrong, kind)} not summed up" if wrong else f"Remarks on {kind}s"
    after = job.problems[-1].line
    more = wrong > len(job.problems) or len(job.problems) >= 20
    button = f'<button type="button" class="more" data-lines="{after}">More {kind}s</button>' if more else ""
    return (
        f'<details class="fold" data-fold="lines"><summary>{icon("info")}{title}</summary>'
        f'<ol class="lines">{lines(job.problems, kind)}</ol>{button}</details>'
    )


def kind_of(request: dict[str, Any]) -> str:
    """Return what is numbered in a job: the lines of a file, or the reviews taken from the shop."""
    return "line" if "bytes" in request else "review"


def lines(found: Sequence[LineView], kind: str) -> str:
    """Return lines of the input with what is to be said of them, as items of a list."""
    kinds = {"bad": "not taken", "repeated": "repeated", "left_out": "left out", "note": "taken"}
    return "".join(
        f'<li><b>{kind.capitalize()} {line.line:,}</b> <span class="kind {escape(line.kind)}">'
        f"{kinds.get(line.kind, '')}</span> {told(line.reason)}</li>"
        for line in found
    )


def _files(job: JobView) -> str:
    if not job.counts.groups_done:
        return ""
    links = "".join(
        f'<a href="storewise/reviews/{job.job_id}.{kind}" download="{job.job_id}.{kind}">{icon("export")}'
        f"{name}</a>"
        for kind, name in (("jsonl", "JSON lines"), ("csv", "CSV"))
    )
    return f'<p class="files"><span>Download</span>{links}</p>'


# Summaries


def group(result: Result, opened: bool) -> str:
    """Return a summary: claims with their counts and own words, what contradicts what, aspects as a chart."""
    summary = result.summary
    count = number(result.reviews, "review")
    if summary is None:
        body = problem(result.problem or "")
    else:
        if summary.claims and all(claim.phrased_by == "quote" for claim in summary.claims):
            count += " · in customers' own sentences"
        body = _claims(summary, result.number) + _aspects(summary) + _rest(summary)
    return (
        f'<details class="group" data-fold="group"{" open" if opened else ""}><summary>'
        f'<h3>{told(result.group)}</h3><span class="count">{count}</span>{icon("chevron")}</summary>{body}</details>'
    )


def _claims(summary: Summary, place: int) -> str:
    if not summary.claims:
        return f'<p class="answer">{told(summary.text)}</p>'
    pairs = dict(summary.contradictions)
    second = set(pairs.values())
    mixed = len({claim.phrased_by for claim in summary.claims}) > 1
    # Bars compare the claims with one another; the share of all reviews stands beside them as figures.
    most = max(1, *(claim.count for claim in summary.claims))
    items = ""
    for at, claim in enumerate(summary.claims):
        if at in second:
            continue
        item = _claim(claim, summary.reviews, claim.count / most, f"{place}-{at}", mixed)
        if at in pairs:
            other = pairs[at]
            against = summary.claims[other]
            item += _claim(against, summary.reviews, against.count / most, f"{place}-{other}", mixed)
            item = f'<li class="against"><p>{icon("against")}Customers disagree</p><ul>{item}</ul></li>'
        items += item
    return f'<ul class="claims">{items}</ul>'


def _claim(claim: Claim, reviews: int, bar: float, place: str, mixed: bool) -> str:
    whose = "<span>a customer's own sentence</span>" if mixed and claim.phrased_by == "quote" else ""
    quotes = "".join(
        f'<figure class="quote"><blockquote dir="auto">{told(quote.text)}</blockquote>'
        f"<figcaption><code>{told(quote.review_id)}</code></figcaption></figure>"
        for quote in claim.quotes
    )
    every = "the whole review" if claim.count == 1 else f"all {claim.count:,} reviews in full"
    return (
        f'<li><details class="claim" data-fold="claim{place}"><summary>'
        f'<span class="text" dir="auto">{told(claim.text)}</span>'
        f'<span class="much"><span class="share" style="--share:{bar:.3f}">{claim.count:,} of {reviews:,}</span>'
        f'<span class="mood {claim.sentiment}">{_MOODS[claim.sentiment]}</span>'
        f"{whose}</span>{icon('chevron')}</summary>"
        f'<div class="words">{quotes}<div class="whole"></div>'
        f'<button type="button" class="more" data-whole="{place}" data-after="0">Read {every}</button>'
        f"</div></details></li>"
    )


def reviews(found: Sequence[Review]) -> str:
    """Return whole reviews with their ids and what else is known of them."""
    shown = ""
    for review in found:
        facts = [f"<code>{told(review.review_id)}</code>"]
        if review.rating is not None:
            facts.append(f"<span>{review.rating:g} of 5 stars</span>")
        if review.date is not None:
            facts.append(f"<span>{review.date}</span>")
        facts += [f"<span>{told(name)}</span>" for name in (review.product_id, review.category) if name]
        shown += (
            f'<figure class="quote whole"><blockquote dir="auto">{told(review.text)}</blockquote>'
            f"<figcaption>{''.join(facts)}</figcaption></figure>"
        )
    return shown


def _rest(summary: Summary) -> str:
    out = "".join(
        f'<p class="caveat">{icon("info")}<span>{number(count, "review")} left out: {told(reason)}.</span></p>'
        for reason, count in summary.left_out.items()
    )
    if not summary.claims:
        return out
    return (
        f'{out}<details class="fold" data-fold="text"><summary>{icon("copy")}As one text</summary>'
        f'<p class="as-text" dir="auto">{told(summary.text)}</p></details>'
    )


_ASPECTS = (
    Column(name="aspect", label="Aspect", role="text"),
    Column(name="reviews", label="Reviews", role="measure", format="integer"),
    Column(name="positive", label="Praise", role="measure", format="integer"),
    Column(name="negative", label="Blame", role="measure", format="integer"),
    Column(name="neither", label="Neither", role="measure", format="integer"),
)
_TONES = ("chart-1", "alarm", "strong")


def _aspects(summary: Summary) -> str:
    if not summary.aspects:
        return ""
    rows = tuple(
        (visible(a.aspect), a.reviews, a.positive, a.negative, max(0, a.reviews - a.positive - a.negative))
        for a in summary.aspects
    )
    finding = Finding(
        tool="summaries",
        status="answered",
        headline="What the reviews speak of.",
        columns=_ASPECTS,
        rows=rows,
        chart=Chart(kind="bar", x="aspect", y=("positive", "negative", "neither"), title="Aspects"),
    )
    drawn = figure(finding.model_copy(update={"rows": rows[:CHARTED]}))
    assert drawn is not None
    # Praise, blame and neither lie one behind the other: the whole bar is the reviews that speak of it.
    height = 50 + 30 * min(len(rows), CHARTED)
    drawn["layout"] |= {"barmode": "stack", "showlegend": False, "height": height}
    for trace, tone in zip(drawn["data"], _TONES, strict=True):
        trace["meta"] = {"tone": tone}
    data = escape(json.dumps(drawn))
    return (
        '<h4 class="chart-title">What they speak of, in how many reviews</h4><p class="legend">'
        '<span class="mood positive">praise</span><span class="mood negative">blame</span>'
        '<span class="mood">neither</span></p>'
        f'<div class="chart" style="height:{height}px" data-figure="{data}"></div>'
        f'<details class="fold" data-fold="aspects"><summary>{icon("table")}The figures</summary>'
        f"{table(finding)}</details>"
    )
