"""Findings as the tools make them, some with texts that try to be more, and a reader of markup."""

from __future__ import annotations

import datetime as dt
from html.parser import HTMLParser

from storewise.agent.answer import Answer, Call, Seconds
from storewise.tools.finding import Chart, Column, DataNote, Finding, ModelNote, ReviewQuote

HOSTILE = (
    '<script>window.taken=1</script><img src=x onerror="window.taken=2"> "quoted" & \'single\' '
    "![pixel](http://outside.example/p.png) [link](javascript:window.taken=3) <a href='http://outside.example'>a</a>"
)


SERIES = Finding(
    tool="sales_report",
    arguments={"metric": "revenue", "by": "month"},
    status="answered",
    headline="Revenue rose from $1,000.00 in October to $1,500.50 in December 2017.",
    columns=(
        Column(name="month", label="Month", role="date"),
        Column(name="revenue", label="Revenue", role="measure", format="money", unit="$"),
        Column(name="change", label="Change", role="measure", format="percent"),
    ),
    rows=(("2017-10", 1000.0, None), ("2017-11", 900.25, -0.09975), ("2017-12", 1500.5, 0.66676)),
    chart=Chart(kind="line", x="month", y=("revenue",), title="Revenue by month"),
    evidence=(DataNote(text="Fuel is set aside."),),
    caveat="Fuel is set aside.",
)


RANKING = Finding(
    tool="churn_risk",
    arguments={"top": 12},
    status="answered",
    headline="Customer 900 is the most likely to stop buying, 83.1 %.",
    columns=(
        Column(name="customer_id", label="Customer", role="entity"),
        Column(name="risk", label="Risk", role="measure", format="percent"),
        Column(name="last", label="Last order", role="date", format="date"),
        Column(name="orders", label="Visits", role="measure", format="integer", unit="orders"),
    ),
    rows=tuple((str(900 + n), 0.831 - n / 100, dt.date(2017, 11, 1), 3 * n) for n in range(12)),
    chart=Chart(kind="bar", x="customer_id", y=("risk",), title="Risk"),
    evidence=(
        ModelNote(
            name="churn",
            version="1",
            trained_at="2017-12-31",
            quality="AUC 0.897 on later data.",
            drivers=(("rhythm", 0.6), ("spend <b>", 0.4)),
        ),
        DataNote(text="Fuel is set aside."),
    ),
)


QUOTED = Finding(
    tool="search_reviews",
    arguments={"query": HOSTILE},
    status="answered",
    headline=f"One review speaks of it: {HOSTILE}",
    columns=(
        Column(name="product", label=f"Product {HOSTILE}", role="entity"),
        Column(name="reviews", label=f"Reviews {HOSTILE}", role="measure", format="integer"),
    ),
    rows=((HOSTILE, 2), ("Tea", 1)),
    chart=Chart(kind="bar", x="product", y=("reviews",), title=HOSTILE),
    evidence=(ReviewQuote(review_id="R<1>", text=HOSTILE, about=HOSTILE, sentiment="negative"),),
    caveat=HOSTILE,
)


def answer_of(*findings: Finding, text: str | None = None, **rest: object) -> Answer:
    """An answer made of `findings`, phrased by the model unless told otherwise."""
    calls = tuple(Call(name=finding.tool, args=finding.arguments) for finding in findings)
    said = text or " ".join(finding.headline for finding in findings)
    given = {"phrased_by": "model", "seconds": Seconds(total=2.0, model=1.5, tools=0.5), **rest}
    return Answer.model_validate({"answer": said, "calls": calls, "findings": findings, **given})


# What the page's own markup is made of; nothing of it runs, and nothing of it fetches.
ELEMENTS = frozenset(
    "article blockquote button code dd details div dl dt em figcaption figure form h1 h3 h4 i label li ol p "
    "progress section span strong summary svg table tbody td textarea th thead tr ul use".split()
)


class Markup(HTMLParser):
    """Collects elements, attributes and text of a piece of markup."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: set[str] = set()
        self.attributes: set[tuple[str, str]] = set()
        self.text = ""
        self.comments: list[str] = []
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes |= {(name, value or "") for name, value in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    @property
    def harmless(self) -> bool:
        """Whether it has only the page's own elements, runs nothing and points nowhere else."""
        return (
            self.elements <= ELEMENTS
            and not self.comments
            and not any(name.startswith("on") or name in ("src", "srcset") for name, _ in self.attributes)
            and all(
                value.startswith("storewise/icons.svg#") for name, value in self.attributes if name == "href"
            )
        )
