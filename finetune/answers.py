"""Training examples for the answer task: a question and a real finding become a sentence or two.

The questions are those of the call task; their calls run on the open shop, and the frames of
finetune/sentences say the finding in other words than its headline. Every figure, name and date is taken as
the finding shows it.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from storewise.finetune.examples import WISHES, Example, tool_questions
from storewise.finetune.facts import FACTS, Said
from storewise.finetune.values import turns
from storewise.finetune.wording import ARGUMENTS, Wish, read_list
from storewise.tools.calls import WrittenCall, read_calls
from storewise.tools.finding import Column, Finding, money, percent
from storewise.tools.registry import ArgumentError, Tool, analyst_tools
from storewise.tools.shop.dates import read_periods
from storewise.tools.shop.generation import Shop

SENTENCES = Path(__file__).parent / "sentences"
# How often one finding may be asked for. Rankings of customers and carts are few in a shop; asked again, they
# come with other ids and figures, so that the model learns to copy, not to remember.
_REPEATS = 4
_LONGEST = 45  # tokens, about
# Tools whose rankings name the same few customers or carts whatever is asked.
_RANKINGS = ("churn_risk", "cart_risk", "customer_value")
# The share of findings that answer nothing (an unknown product, a wrong id), whose sentence is repeated.
_PLAIN = 0.08


def make_answers(shop: Shop, n: int, seed: int) -> Iterator[Example]:
    """Yield `n` examples of the answer task in a random order, the same for the same shop and seed."""
    rng = random.Random(seed)
    tools = analyst_tools()
    per_tool = {name: n // len(ARGUMENTS) for name in ARGUMENTS}
    per_tool["sales_report"] += n - sum(per_tool.values())
    examples: list[Example] = []
    for name, quota in per_tool.items():
        examples += _of_tool(shop, tools[name], quota, rng)
    rng.shuffle(examples)
    yield from examples


def _of_tool(shop: Shop, tool: Tool, quota: int, rng: random.Random) -> list[Example]:
    frames = {name: turns(lines, rng) for name, lines in read_list(SENTENCES / f"{tool.name}.txt").items()}
    sizes = {name: len(lines) for name, lines in read_list(SENTENCES / f"{tool.name}.txt").items()}
    findings: dict[str, Finding | None] = {}
    uses: Counter[str] = Counter()
    examples: list[Example] = []
    plain = 0
    questions = tool_questions(WISHES, shop, tool.name, rng.randrange(1 << 30))
    for asked in islice(questions, 20 * quota + 100):
        if len(examples) >= quota:
            break
        call = read_calls(asked.answer)[0]
        arguments = call_arguments(call, shop)
        key = str(sorted(arguments.items()))
        if key not in findings:
            findings[key] = _run(tool, shop, arguments)
        finding = findings[key]
        uses[key] += 1
        # Of customer value the same customers lead over 8 weeks and over 12.
        if (
            finding is not None
            and tool.name in _RANKINGS
            and (uses[key] > 1 or "weeks" in ARGUMENTS[tool.name])
        ):
            finding = disguised(finding, rng)
        elif uses[key] > _REPEATS:
            continue
        if finding is None:
            continue
        said = FACTS[tool.name](finding, asked.question) if finding.status == "answered" else None
        if said is None:
            plain += 1
            if plain > _PLAIN * quota:
                continue
            answer: str | None = finding.headline
        else:
            answer = _phrase(said, finding.text(), frames, sizes, rng)
        if answer is not None:
            examples.append(Example("answer", asked.question, answer, [tool.name], None, finding.text()))
    return examples


def call_arguments(call: WrittenCall, shop: Shop) -> dict[str, Any]:
    """Return the arguments of a written call, `when` put on the shop's clock as start and end."""
    arguments: dict[str, Any] = {name: value for name, value in call.args.items() if name != "when"}
    for name in ("top", "weeks"):
        if name in arguments:
            arguments[name] = int(arguments[name])
    if "session_id" in arguments:
        arguments["session_id"] = arguments["session_id"].upper()
    for period in read_periods(call.args.get("when", ""), shop.as_of, shop.first_day):
        arguments |= {name: day for name, day in (("start", period.start), ("end", period.end)) if day}
    return arguments


def disguised(finding: Finding, rng: random.Random) -> Finding:
    """Return a ranking of customers or carts with other ids and figures, in headline and rows alike.

    Shares, or what is expected of customers, keep their order: all are scaled by one factor. A finding
    about a single one is left as it is.
    """
    if len(finding.rows) < 2:
        return finding
    if finding.tool == "customer_value":
        return _revalued(finding, rng)
    factor = rng.uniform(0.25, 1)
    names = _other_ids([str(row[0]) for row in finding.rows], rng)

    def scaled(share: float) -> float:
        return round(round(share, 3) * factor, 3)

    headline = re.sub(r"([\d.]+) %", lambda m: percent(scaled(float(m[1]) / 100)), finding.headline)
    headline = re.sub(r"((?:customer|session) )(\w+)", lambda m: m[1] + names.get(m[2], m[2]), headline)
    headline = re.sub(r"^(Of (?:the )?)([\d,]+)", lambda m: f"{m[1]}{rng.randrange(20, 3000):,}", headline)
    headline = re.sub(r"worth \$[\d.,]+(?=,)", f"worth {money(rng.uniform(50, 9000))}", headline)
    shares = [column.format == "percent" for column in finding.columns]
    rows = tuple(
        (
            names[str(row[0])],
            *(
                scaled(cell) if is_share and isinstance(cell, float) else cell
                for cell, is_share in zip(row[1:], shares[1:], strict=True)
            ),
        )
        for row in finding.rows
    )
    return finding.model_copy(update={"headline": headline, "rows": rows})


def _revalued(finding: Finding, rng: random.Random) -> Finding:
    """Return a ranking of customers' value with other customers, amounts and orders."""
    names = _other_ids([str(row[0]) for row in finding.rows], rng)
    factors = {"money": rng.uniform(0.15, 1.6), "orders": rng.uniform(0.3, 1.3)}

    def scaled(cell: Any, column: Column) -> Any:
        kind = "orders" if column.unit == "orders" else column.format
        if kind not in factors or not isinstance(cell, int | float):
            return cell
        places = {"money": 2, "decimal": 1}.get(column.format, 0)
        return type(cell)(round(cell * factors[kind], places))

    headline = re.sub(
        r"\$([\d,]+\.\d\d)",
        lambda m: money(round(float(m[1].replace(",", "")) * factors["money"], 2)),
        finding.headline,
    )
    headline = re.sub(
        r"([\d,]+\.\d) orders",
        lambda m: f"{round(float(m[1].replace(',', '')) * factors['orders'], 1):,.1f} orders",
        headline,
    )
    headline = re.sub(r"(customer )(\w+)", lambda m: m[1] + names.get(m[2], m[2]), headline)
    headline = re.sub(r"^(Of )([\d,]+)", lambda m: f"{m[1]}{rng.randrange(200, 5000):,}", headline)
    rows = tuple(
        (
            names[str(row[0])],
            *(scaled(cell, column) for cell, column in zip(row[1:], finding.columns[1:], strict=True)),
        )
        for row in finding.rows
    )
    return finding.model_copy(update={"headline": headline, "rows": rows})


def _other_ids(names: list[str], rng: random.Random) -> dict[str, str]:
    """Return another id for each of `names`, no two alike."""
    others: dict[str, str] = {}
    for name in names:
        other = _other_id(name, rng)
        for _ in range(100):
            if other not in others.values():
                break
            other = _other_id(name, rng)
        others[name] = other
    return others


def _other_id(name: str, rng: random.Random) -> str:
    """Return an id of the same make: the same letters, other digits."""
    first = True

    def digit(found: re.Match[str]) -> str:
        nonlocal first
        low, first = (1 if first and found.start() == 0 else 0), False
        return str(rng.randrange(low, 10))

    return re.sub(r"\d", digit, name)


def _run(tool: Tool, shop: Shop, arguments: dict[str, Any]) -> Finding | None:
    try:
        return tool.call(shop, arguments)
    except ArgumentError:
        return None


def _phrase(
    said: Said, shown: str, frames: Mapping[str, Iterator[Wish]], sizes: Mapping[str, int], rng: random.Random
) -> str | None:
    """Return a sentence of a fitting section, or None if none is short enough.

    Only values that the model can read in the finding's text, `shown`, are said.
    """
    sections = [section for section in said.sections if section in frames]
    if not sections:
        return None
    known = set(_words(shown))
    values = {slot: text for slot, text in said.values.items() if text and known.issuperset(_words(text))}
    # What fits the question best stands last, and is tried most often.
    weights = [2**place for place in range(len(sections))]
    for _ in range(40):
        section = rng.choices(sections, weights)[0]
        frame = next((f for f in islice(frames[section], sizes[section]) if f.slots <= values.keys()), None)
        if frame is None:
            continue
        text = _tidy(frame.text(rng, values))
        if _tokens(text) <= _LONGEST:
            return text
    return None


def _words(text: str) -> list[str]:
    """The words and figures of a text, as they are compared: "$1,234.50" is one."""
    return re.findall(r"\d[\d.,:-]*\d|\d|[^\W\d]+", text.lower())


def _tokens(text: str) -> float:
    """About how many tokens a text has for the model: each digit is one, a word a bit more than one."""
    return len(re.findall(r"\d|[^\w\s]", text)) + 1.25 * len(re.findall(r"[^\W\d]+", text))


def _tidy(text: str) -> str:
    """End a sentence once, after a quotation that ends itself, and begin it with a capital."""
    text = re.sub(r"([.!?]”)\.$", r"\1", text)
    return text[0].upper() + text[1:]
