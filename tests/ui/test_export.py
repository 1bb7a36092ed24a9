"""Protects an exported conversation: all of it is there, and a text in it renders as text."""

from __future__ import annotations

import datetime as dt
import json

from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from samples import HOSTILE, QUOTED, RANKING, SERIES, answer_of

from storewise.agent.answer import Answer, Call, Finished, StepFinished
from storewise.tools.finding import Finding
from storewise.ui.conversation import Conversation, Turn
from storewise.ui.export import as_json, markdown, plain


def conversation(*findings: Finding, **rest: object) -> Conversation:
    made = Conversation("0" * 32)
    turn = Turn("How did it go?", dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.UTC))
    for finding in findings:
        call = Call(name=finding.tool, args=finding.arguments)
        turn.take(StepFinished(call=call, finding=finding, seconds=0.25))
    turn.take(Finished(answer=answer_of(*findings, **rest)))
    made.turns.append(turn)
    return made


def kinds(text: str) -> set[str]:
    """What a Markdown reader that allows HTML makes of `text`."""
    tokens = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(text)
    return {token.type for token in tokens} | {
        child.type for token in tokens for child in token.children or ()
    }


def test_a_document_has_answers_figures_and_evidence() -> None:
    text = markdown(conversation(SERIES, RANKING, note="The model was slow."), "Orders are real.")
    for part in (
        "## How did it go?",
        "Asked on 2026-01-02 at 03:04 UTC.",
        "Checked against the tools' findings · phrased by the model · 2.0 s",
        "Note: The model was slow.",
        "### Sales report: metric revenue, by month (0.25 s)",
        "| 2017-12 | $1,500.50 | 66.7 % |",
        "| 911 | 72.1 % | 2017-11-01 | 33 |",
        "- Model churn, version 1, trained 2017-12-31: AUC 0.897 on later data. "
        "What moves its predictions: rhythm 60.0 %, spend &lt;b&gt; 40.0 %.",
        "- Data: Fuel is set aside.",
        "Orders are real.",
    ):
        assert part in text, part
    assert "table_open" in kinds(text)


def test_json_holds_the_answers_whole_and_the_charts() -> None:
    made = conversation(SERIES, RANKING)
    made.turns[0].thumb, made.turns[0].correction = "down", "It fell."
    read = json.loads(as_json(made, "Orders are real."))
    (turn,) = read["turns"]
    assert Answer.model_validate(turn["answer"]) == made.turns[0].answer
    assert [figure["data"][0]["type"] for figure in turn["figures"]] == ["scatter", "bar"]
    assert (turn["thumb"], turn["correction"], read["shop"]) == ("down", "It fell.", "Orders are real.")


def test_nothing_asked_is_a_document_too() -> None:
    assert "Nothing was asked yet." in markdown(Conversation("0" * 32), "")


def test_hostile_text_in_a_document_stays_text() -> None:
    text = markdown(conversation(QUOTED, text=HOSTILE, note=HOSTILE), HOSTILE)
    assert not kinds(text) & {"html_inline", "html_block", "image", "link_open", "code_inline", "fence"}
    assert "http://" not in text


@example("a\n===")
@example("    code")
@example("1. one\n2) two\n- three\n+ four\n# five\n> six\n~~~\nseven\n---\n***")
@example("a | b\n--|--\nc | d")
@example("&lt;script&gt; &#60;b&#62; <http://x.example> [a]: http://x.example")
@given(st.text(max_size=120))
def test_any_text_renders_as_text(text: str) -> None:
    plainest = {
        "paragraph_open",
        "paragraph_close",
        "inline",
        "text",
        "text_special",
        "softbreak",
        "hardbreak",
    }
    assert kinds(plain(text)) <= plainest
