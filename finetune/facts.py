"""What a finding says, as values for the sentences in finetune/sentences, each as the finding shows it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from storewise.tools.finding import Finding, ReviewQuote, show

Values = dict[str, str | None]


@dataclass(frozen=True)
class Said:
    """The sections of sentences that fit, the most fitting last, and the values of their slots."""

    sections: list[str]
    values: Values


_WHEN = r"(?:in \w+ \d{4}|in \d{4}|on [\d-]+|from [\d-]+ to [\d-]+)"
_SUBJECT = re.compile(
    rf"(?P<subject>(?:Revenue|Orders|Customers|Units|Average order value)"
    rf"(?: (?:of|with|buying|for) (?P<what>.+?))?)(?: by \w+)? (?P<when>{_WHEN})(?: (?:was|were) |: )"
)
_CHANGE = re.compile(rf", (?P<change>(?:up|down) [\d.,]+ %) from (?P<earlier>\S+) (?P<before>{_WHEN})\.$")
_COURSE = re.compile(
    r"Highest (?:in|on) (?:the week from )?(?P<high>\S+) \((?P<high_value>\S+)\), "
    r"lowest (?:in|on) (?:the week from )?(?P<low>\S+) \((?P<low_value>\S+)\)\. "
    r"From (?:the week from )?(?P<one>\S+) to (?:the week from )?(?P<last>\S+) it "
    r"(?P<rose>(?:rose|fell) by [\d.,]+ %), from (?P<one_value>\S+) to (?P<last_value>\S+)\.$"
)


def _cells(finding: Finding, row: int) -> Values:
    """Return a row's cells by column, as they are displayed; None where there is no row or no value."""
    if row >= len(finding.rows):
        return {column.name: None for column in finding.columns}
    return {
        column.name: None if cell is None else show(cell, column)
        for cell, column in zip(finding.rows[row], finding.columns, strict=True)
    }


def _numbered(finding: Finding, names: dict[str, str], rows: int = 3) -> Values:
    """Return cells of the first rows: names gives the slot of each column; later rows add their number."""
    values: Values = {}
    for row in range(rows):
        cells = _cells(finding, row)
        for column, slot in names.items():
            values[slot if row == 0 else f"{slot}{row + 1}"] = cells.get(column)
    return values


def _asks(question: str, *words: str) -> bool:
    return re.search(rf"\b(?:{'|'.join(words)})", question.lower()) is not None


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def sales_report(finding: Finding, question: str) -> Said | None:
    """A figure, a series or a ranking; None where nothing was sold."""
    head = _SUBJECT.match(finding.headline)
    if head is None or not finding.rows:
        return None
    metric = (
        re.sub(r"\W", "_", finding.columns[-1].label.lower()) if finding.columns[0].name == "from" else ""
    )
    metric = str(finding.arguments.get("metric", metric))
    what = head["what"]
    values: Values = {
        "subject": _lower(head["subject"]),
        "Subject": head["subject"],
        "when": head["when"],
        "When": _upper(head["when"]),
        "what": what,
        "What": what and _upper(what),
    }
    by = str(finding.arguments.get("by", "none"))
    if by == "none":
        change = _CHANGE.search(finding.headline)
        values |= {"value": _cells(finding, 0)["value"]}
        if change is not None:
            values |= {**change.groupdict(), "Before": _upper(change["before"])}
        return Said(["figure", f"figure {metric}", f"figure {metric}"], values)
    if by in ("day", "week", "month"):
        course = _COURSE.search(finding.headline)
        if course is None:
            return None
        total = re.match(r".*?: (\S+?)(?: in all| over the whole period)\.", finding.headline)
        values |= {**course.groupdict(), "by": by, "total": total and total[1], "Total": total and total[1]}
        if by == "week":
            values |= {slot: f"the week from {values[slot]}" for slot in ("high", "low", "one", "last")}
        sections = ["series"]
        if _asks(question, "which", "best", "worst", "busiest", "highest", "lowest", "peak", "when"):
            sections.append("series which")
        elif _asks(
            question, "trend", "develop", "grow", "rising", "going", "rise", "fall", "change", "up or down"
        ):
            sections.append("series trend")
        return Said(sections, values)
    values |= _numbered(finding, {by: "first", "value": "value", "share": "share"})
    values |= {"second": values["first2"], "third": values["first3"]}
    values |= {f"{slot}1": values[slot] for slot in ("value", "share")}
    values["by"] = by
    names = [values["first"], values["second"], values["third"]]
    if len(set(names)) < len(names):  # products of one name are told apart by their ids alone
        ids = [_cells(finding, row).get("product_id") for row in range(3)]
        for slot, name, code in zip(("first", "second", "third"), names, ids, strict=True):
            values[slot] = f"{name} ({code})" if name and code else None
    sections = ["ranking", f"ranking {metric}"]
    if _asks(question, "which", "what's the", "best", "who"):
        sections.append("ranking which")
    elif _asks(question, "top", "list", "rank", "show", "give"):
        sections.append("ranking list")
    return Said(sections, values)


def customer_profile(finding: Finding, question: str) -> Said | None:
    """Who a customer is, told from the side that was asked about."""
    if not finding.rows:
        return None
    cells = _cells(finding, 0)
    favourites = (cells.get("category_favourites") or "").split("; ")
    rhythm = re.search(r"usually comes (every [^.,]+(?:\.\d+ days)?)", finding.headline)
    since = re.search(r" since ([\d-]+)", finding.headline)
    ago = re.search(r"last order (today|yesterday|\d+ days? ago)", finding.headline)
    values: Values = {
        "id": cells.get("customer_id"),
        # "At risk" beside a figure reads like a risk.
        "segment": _unless(cells.get("segment"), "At risk"),
        "group": cells.get("segment"),
        "orders": _unless(cells.get("orders"), "1"),
        "spend": cells.get("spend"),
        "first": since and since[1],
        "ago": ago and ago[1],
        "risk": cells.get("risk"),
        "rhythm": rhythm and rhythm[1],
        "category": favourites[0] or None,
        "category2": favourites[1] if len(favourites) > 1 else None,
        "category3": favourites[2] if len(favourites) > 2 else None,
    }
    sections = ["whole"]
    sides = {
        "money": (
            "spen",
            "worth",
            "money",
            "dollar",
            "euro",
            "cash",
            "paid",
            "revenue",
            "turnover",
            "bring",
            "brought",
            "pocket",
        ),
        "favourites": ("favo", "usually", "buy", "likes", "prefer", "habit", "fill", "taste", "stick"),
        "rhythm": (
            "how often",
            "frequen",
            "rhythm",
            "orders",
            "how many (?:time|visit|purch|bask|trip)",
            "regular",
            "visits",
        ),
        "dates": ("last", "when", "since", "how long", "first", "seen"),
        "segment": ("segment", "group", "champion", "loyal", "what kind", "what sort", "type of", "class"),
        "risk": ("risk", "leave", "danger"),
    }
    sections += [side for side, words in reversed(sides.items()) if _asks(question, *words)]
    return Said(sections, values)


def churn_risk(finding: Finding, question: str) -> Said | None:
    """The risk of one customer, or who is most at risk."""
    if not finding.rows:
        return None
    values = _numbered(
        finding, {"customer_id": "id", "risk": "risk", "recency_days": "days", "segment": "segment"}
    )
    reasons = (_cells(finding, 0).get("why") or "").split("; ")
    values |= {"reason": reasons[0] or None, "reason2": reasons[1] if len(reasons) > 1 else None}
    why = _asks(question, "why", "reason", "what makes", "because", "explain", "what speaks")
    if "customer_id" in finding.arguments:
        average = re.search(r"against ([\d.]+ %) for all", finding.headline)
        values["average"] = average and average[1]
        risk = float(str(finding.rows[0][1]))
        level = "low" if "unlikely to" in finding.headline else "high" if risk >= 0.5 else "middle"
        return Said(["one", f"one {level}", *(["one why"] if why else [])], values)
    average = re.search(r"average risk among them is ([\d.]+ %)", finding.headline)
    among = re.match(r"Of (the .+?), customer ", finding.headline)
    values |= {"average": average and average[1], "among": among and among[1]}
    sections = ["list"]
    if why:
        sections.append("list why")
    elif _asks(question, "how much", "how many", "average", "how likely", "how big"):
        sections.append("list much")
    elif _asks(question, "who", "which", "whom", "anyone", "any "):
        sections.append("list who")
    return Said(sections, values)


_EXPECTED = re.compile(
    r"(?P<orders>[\d,.]+\d) orders worth (?P<spend>\$[\d,.]+\d) in the next (?P<weeks>\d+ weeks?) "
    r"\(80 % interval (?P<low>\$[\d,.]+\d) to (?P<high>\$[\d,.]+\d)\)"
)
_BEFORE = re.compile(r"(?P<before>[\d,]+ orders?) in (?P<days>[\d,]+ days?)\b")
_TOGETHER = re.compile(
    r"The first (?P<top>[\d,]+) together are expected to spend (?P<together>\$[\d,.]+\d), (?P<share>[\d.]+ %) of"
)


def customer_value(finding: Finding, question: str) -> Said | None:
    """What one customer is worth in the time to come, or who is worth most."""
    expected = _EXPECTED.search(finding.headline)
    if expected is None:
        return None
    values = _numbered(finding, {"customer_id": "id", "expected_spend": "spend"})
    values |= expected.groupdict()
    if "customer_id" in finding.arguments:
        before = _BEFORE.search(finding.headline)
        values |= before.groupdict() if before else {}
        rhythm = re.search(r"usually comes (every [^.,;)]+(?:\.\d+ days)?)", finding.headline)
        ago = re.search(r"last order (today|yesterday|\d+ days? ago)", finding.headline)
        average = re.search(r"(\$[\d,.]+\d) an order on average", finding.headline)
        values |= {
            "alive": _cells(finding, 0).get("alive"),
            "rhythm": rhythm and rhythm[1],
            "ago": ago and ago[1],
            "average": average and average[1],
        }
        sections = ["one"]
        if _asks(question, "worth", "value", "valuable", "clv", "ltv", "lifetime"):
            sections.append("one worth")
        if _asks(question, "orders?", "purchases", "how often", "how many", "times", "baskets"):
            sections.append("one orders")
        elif _asks(question, "why", "reason", "because", "potential", "promis", "keep"):
            sections.append("one why")
        elif _asks(question, "sure", "alive", "will .* (?:keep|still)", "count on", "is there", "at least"):
            sections.append("one sure")
        return Said(sections, values)
    together = _TOGETHER.search(finding.headline)
    among = re.match(r"Of ([\d,]+ customers?),", finding.headline)
    values |= together.groupdict() if together else {}
    values["among"] = among and among[1]
    sections = ["list"]
    if _asks(question, "orders?", "purchases", "how often"):
        sections.append("list orders")
    elif _asks(question, "how much", "together", "all ", "share", "base", "promise"):
        sections.append("list much")
    elif _asks(question, "who", "which", "whom", "whose"):
        sections.append("list who")
    return Said(sections, values)


def recommend_products(finding: Finding, question: str) -> Said | None:
    """What to offer first, and what next."""
    if not finding.rows:
        return None
    values = _numbered(finding, {"product": "first", "product_id": "code", "chance": "chance", "why": "why"})
    customer = re.search(r"customer (\S+) first", finding.headline)
    among = re.match(r"Of (.+?), offer|Offer customer \S+ of (.+?) first", finding.headline)
    names = [values["first"], values["first2"], values["first3"]]
    if len({name for name in names if name}) < len([name for name in names if name]):
        values["first2"] = values["first3"] = None
    values |= {
        "id": customer and customer[1],
        "second": values["first2"],
        "third": values["first3"],
        "of": among and (among[1] or among[2]),
    }
    sections = ["offer"]
    if values["of"]:
        sections.append("offer of")
    if _asks(question, "why", "reason", "because"):
        sections.append("offer why")
    elif (
        _asks(question, "list", "top", "ideas", "recommendations", "give me", "products", "items")
        and values["third"]
    ):
        sections.append("offer list")
    return Said(sections, values)


def cart_risk(finding: Finding, question: str) -> Said | None:
    """The risk of one cart and its nudge, or the carts most at risk."""
    if not finding.rows:
        return None
    values = _numbered(
        finding, {"session_id": "id", "risk": "risk", "items": "items", "value": "value", "nudge": "nudge"}
    )
    reasons = (_cells(finding, 0).get("why") or "").split("; ")
    values |= {
        "reason": reasons[0] or None,
        "reason2": reasons[1] if len(reasons) > 1 else None,
        "items": _unless(values["items"], "1"),
        "Nudge": values["nudge"] and _upper(values["nudge"]),
    }
    average = re.search(
        r"average risk (?:is|of the \d+ open carts is) ([\d.]+ %)", finding.headline + (finding.caveat or "")
    )
    values["average"] = average and average[1]
    kind = "one" if "session_id" in finding.arguments else "list"
    opened = re.match(r"Of ([\d,]+) open carts(?: worth (\$[\d.,]+\d))?,", finding.headline)
    values |= {"carts": opened and opened[1], "worth": opened and opened[2]}
    sections = [kind]
    if _asks(question, "why", "reason", "what speaks"):
        sections.append(f"{kind} why")
    elif _asks(
        question, "nudge", "remind", "coupon", "incentive", "push", "what can we do", "rescue", "save", "send"
    ):
        sections.append(f"{kind} nudge")
    elif kind == "list" and _asks(question, "how many", "how much", "money", "worth"):
        sections.append("list much")
    elif kind == "list" and _asks(question, "who", "which", "whose"):
        sections.append("list who")
    return Said(sections, values)


def search_reviews(finding: Finding, question: str) -> Said | None:
    """The nearest reviews, with the words of the first where they are short."""
    quotes = [one for one in finding.evidence if isinstance(one, ReviewQuote)]
    if not quotes:
        return None
    values = _numbered(finding, {"review_id": "id"})
    kept = re.match(r"Of ([\d,]+ (?:\w+ )?reviews?)(?: of (.+?))?, (?:these|this)", finding.headline)
    moods = re.search(r"(?:”|clearly): (.+?)\.$", finding.headline)
    short = len(quotes[0].text.split()) <= 22 and "”" not in quotes[0].text
    values |= {
        "quote": quotes[0].text if short else None,
        "mood": quotes[0].sentiment,
        "moods": moods and moods[1],
        "n": str(len(finding.rows)) if len(finding.rows) > 1 else None,
        "kept": kept and kept[1] + (f" of {kept[2]}" if kept[2] else ""),
        "what": kept and kept[2],
        "query": str(finding.arguments.get("query", "")) or None,
    }
    far = "not close in meaning" in (finding.caveat or "")
    return Said(["far" if far else "query" if values["query"] else "strongest"], values)


def review_insights(finding: Finding, question: str) -> Said | None:
    """What is praised and blamed."""
    head = re.match(
        r"Of (?P<of>[\d,]+) reviews(?: of (?P<what>.+?))?, (?:(?P<speak>[\d,]+) speak of (?P<aspect>.+?): )?"
        r"(?P<positive>[\d.]+ %) are positive and (?P<negative>[\d.]+ %) negative",
        finding.headline,
    )
    if head is None:
        return None
    values: Values = head.groupdict()
    sides = {"praise": "good", "blame": "bad"}
    for opinion, slot in sides.items():
        rows = [_cells(finding, n) for n, row in enumerate(finding.rows) if row[1] == opinion]
        for n, row in enumerate(rows[:2]):
            values[slot + ("" if n == 0 else "2")] = row["phrase"]
            values[f"{slot}s" if n == 0 else f"{slot}s2"] = row["reviews"]
    aspect = values["aspect"]
    values["Aspect"] = aspect and _upper(aspect)
    kind = "aspect" if aspect else "all"
    sections = [kind, *([f"{kind} product"] if values["what"] else [])]
    if not aspect and _asks(
        question, "complain", "bad", "negative", "unhappy", "blame", "hate", "dislike", "wrong", "annoy"
    ):
        sections.append("all bad")
    elif not aspect and _asks(question, "praise", "like", "love", "happy", "good", "positive", "best"):
        sections.append("all good")
    return Said(sections, values)


_SHORT = 14  # words of a claim that a sentence may quote


def summarize_reviews(finding: Finding, question: str) -> Said | None:
    """The claims that most reviews share, in the words of customers."""
    head = re.match(
        r"Of (?P<of>[\d,]+) reviews?(?: of (?P<what>.+?))?(?: that speak of (?P<topic>.+?))?, most often heard: ",
        finding.headline,
    )
    if head is None:
        return None
    values: Values = {**head.groupdict(), "of": _unless(head["of"], "1")}
    values |= _numbered(finding, {"claim": "claim", "reviews": "n"})
    shared = values["n"] != "1"
    for n, claim in (("n", "claim"), ("n2", "claim2"), ("n3", "claim3")):
        text = (values[claim] or "").strip()
        # A quotation within a quotation would end it too early, and what one customer says is no claim of many.
        fits = 0 < len(text.split()) <= _SHORT and not re.search(r"[“”\"]", text)
        if not fits or (shared and values[n] == "1"):
            values[n] = values[claim] = None
        else:
            values[claim] = text if text.endswith("..") else text.removesuffix(".").rstrip()
    topic = values["topic"]
    values["Topic"] = topic and _upper(topic)
    if not shared:
        return Said(["few" if values["of"] else "alone"], values)
    kind = "topic" if topic else "all"
    return Said([kind, *([f"{kind} product"] if values["what"] else [])], values)


def _unless(text: str | None, unwanted: str) -> str | None:
    return None if text == unwanted else text


FACTS: dict[str, Callable[[Finding, str], Said | None]] = {
    function.__name__: function
    for function in (
        sales_report,
        customer_profile,
        churn_risk,
        customer_value,
        recommend_products,
        cart_risk,
        search_reviews,
        review_insights,
        summarize_reviews,
    )
}
