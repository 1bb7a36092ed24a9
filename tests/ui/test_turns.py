"""Protects what a turn shows while it grows: the headline at once, then the words, then the answer
and how it is known; and that what people, models and steps say stays text."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import HOSTILE, QUOTED, RANKING, SERIES, Markup, answer_of

from storewise.agent.answer import Call, Finished, StepFinished, StepStarted, Words
from storewise.agent.startup import Step
from storewise.tools.finding import Finding
from storewise.tools.registry import analyst_tools
from storewise.ui import status
from storewise.ui.conversation import STOPPED, Conversation, Turn
from storewise.ui.turns import EXAMPLES, badge, blocks, prose, view


def turn(question: str = "Who may leave?") -> Turn:
    return Turn(question, dt.datetime(2026, 1, 2, tzinfo=dt.UTC))


def call_of(finding: Finding) -> Call:
    return Call(name=finding.tool, args=finding.arguments)


def shown(turn: Turn) -> dict[str, Markup]:
    return {block["key"]: Markup(block["html"]) for block in blocks(turn)}


def told(turn: Turn) -> list[bool]:
    """For each finding, whether its headline stands in the answer and is hidden below it."""
    return [block["told"] for block in blocks(turn) if block["key"].startswith("finding")]


def test_a_turn_grows_from_the_headline_to_the_checked_answer() -> None:
    asked = turn()
    assert "Reading the question" in shown(asked)["answer"].text

    asked.take(StepStarted(call=call_of(RANKING)))
    assert "Churn risk" in shown(asked)["steps"].text
    assert "running" in {value for _, value in shown(asked)["steps"].attributes}

    asked.take(StepFinished(call=call_of(RANKING), finding=RANKING, seconds=0.25))
    seen = shown(asked)
    assert "0.25 s" in seen["steps"].text and "top" in seen["steps"].text and "12" in seen["steps"].text
    assert RANKING.headline in seen["answer"].text
    assert told(asked) == [True]

    asked.take(Words(text="Customer 900 "))
    seen = shown(asked)
    assert "Customer 900" in seen["answer"].text and RANKING.headline not in seen["answer"].text
    assert RANKING.headline in seen["finding0"].text and told(asked) == [False]
    assert "meta" not in seen

    asked.take(Finished(answer=answer_of(RANKING, text="It is customer 900.")))
    seen = shown(asked)
    assert seen["answer"].text == "It is customer 900."
    assert "Checked against the tools' findings · phrased by the model" in seen["meta"].text
    assert "1 model" in seen["evidence"].text


def test_the_same_tool_called_twice_keeps_two_steps() -> None:
    asked = turn()
    for customer in ("900", "901"):
        asked.take(StepStarted(call=Call(name="churn_risk", args={"customer_id": customer})))
    second = Call(name="churn_risk", args={"customer_id": "901"})
    asked.take(StepFinished(call=second, finding=RANKING, seconds=1.0))
    assert [step.finding is not None for step in asked.steps] == [False, True]


def test_the_chart_is_left_alone_while_the_words_come() -> None:
    asked = turn()
    asked.take(StepFinished(call=call_of(SERIES), finding=SERIES, seconds=0.1))
    before = [block["html"] for block in blocks(asked) if block["key"] == "finding0"]
    asked.take(Words(text="Revenue"))
    assert [block["html"] for block in blocks(asked) if block["key"] == "finding0"] == before


def test_a_finding_that_did_not_answer_says_so_and_leaves_no_empty_slip() -> None:
    lost = Finding(tool="cart_risk", status="missing_table", headline="The shop has no events.")
    asked = turn()
    asked.take(StepFinished(call=call_of(lost), finding=lost, seconds=0.1))
    seen = shown(asked)
    assert "Missing data" in seen["steps"].text and "The shop has no events." in seen["answer"].text
    assert "finding0" not in seen


def test_words_that_failed_the_check_are_replaced() -> None:
    asked = turn()
    asked.take(StepFinished(call=call_of(RANKING), finding=RANKING, seconds=0.1))
    asked.take(Words(text="Customer 901 leaves with 99 %."))
    note = "What the model wrote did not pass the check."
    asked.take(Finished(answer=answer_of(RANKING, phrased_by="findings", grounded=False, note=note)))
    seen = shown(asked)
    assert "901" not in seen["answer"].text
    assert "The findings' own sentences" in seen["meta"].text and note in seen["meta"].text


@pytest.mark.parametrize(
    ("findings", "phrased_by", "grounded", "style"),
    [
        ((RANKING,), "model", True, "checked"),
        ((RANKING,), "findings", True, "checked"),
        ((RANKING,), "model", False, "unchecked"),
        ((), "model", True, "plain"),
        ((), "findings", True, "plain"),
    ],
)
def test_the_badge_says_how_an_answer_is_known(
    findings: tuple[Finding, ...], phrased_by: str, grounded: bool, style: str
) -> None:
    answer = answer_of(*findings, text="So it is.", phrased_by=phrased_by, grounded=grounded)
    assert badge(answer)[0] == style


def test_a_stopped_turn_keeps_what_it_found() -> None:
    asked = turn()
    asked.take(StepFinished(call=call_of(SERIES), finding=SERIES, seconds=0.1))
    asked.take(StepStarted(call=call_of(RANKING)))
    asked.problem = STOPPED
    seen = shown(asked)
    assert SERIES.headline in seen["answer"].text and STOPPED in seen["answer"].text
    assert "not finished" in seen["steps"].text
    assert "meta" not in seen


def test_a_correction_is_asked_for_once_a_thumb_went_down() -> None:
    asked = turn()
    asked.take(Finished(answer=answer_of(RANKING)))
    assert "textarea" not in shown(asked)["meta"].elements
    asked.thumb = "down"
    assert "textarea" in shown(asked)["meta"].elements
    asked.correction = "It was 901."
    assert "textarea" not in shown(asked)["meta"].elements


def test_hostile_text_is_shown_and_never_obeyed() -> None:
    asked = turn(HOSTILE)
    asked.take(StepFinished(call=call_of(QUOTED), finding=QUOTED, seconds=0.1))
    asked.take(Words(text=HOSTILE))
    streaming = shown(asked)
    asked.take(Finished(answer=answer_of(QUOTED, text=HOSTILE, note=HOSTILE)))
    for seen in (streaming, shown(asked)):
        assert all(markup.harmless for markup in seen.values())
        assert HOSTILE in seen["question"].text and HOSTILE in seen["answer"].text
    assert HOSTILE in shown(asked)["meta"].text


@given(text=st.text(max_size=200).map(lambda t: t.replace("\r", "\n").replace("\0", "?")))
def test_prose_loses_no_words_and_adds_no_markup(text: str) -> None:
    seen = Markup(prose(text))
    assert seen.harmless
    assert seen.elements <= {"p", "ul", "li", "strong", "span"}

    def kept(said: str) -> str:
        return "".join(char for char in said if not char.isspace() and char not in "*-•")

    assert kept(seen.text) == kept(text)


def test_prose_has_lists_and_bold() -> None:
    assert prose("Two:\n- **one**\n- 12.5 %") == (
        '<p>Two:</p><ul><li><strong>one</strong></li><li><span class="figure">12.5 %</span></li></ul>'
    )


def test_an_empty_conversation_offers_one_example_a_tool() -> None:
    (welcome,) = view(Conversation("0" * 32))["turns"]
    seen = Markup(welcome["blocks"][0]["html"])
    assert set(EXAMPLES) == set(analyst_tools())
    assert {value for name, value in seen.attributes if name == "data-ask"} == set(EXAMPLES.values())


def test_loading_shows_each_step_and_vanishes_when_all_is_done() -> None:
    steps = [
        Step("shop", "The shop's tables", "done", 3.2, "2,469 customers"),
        Step("engine", "The language model", "running", 41.0, HOSTILE),
        Step("reviews", "Reviews"),
    ]
    seen = Markup(status.progress(steps, usable=False))
    assert seen.harmless
    for text in ("still loading", "1 of 3", "3 s", "2,469 customers", "41 s", HOSTILE):
        assert text in seen.text
    assert "You can ask already" in status.progress(steps, usable=True)
    failed = [Step("shop", "The shop's tables", "failed", 1.0, "No shop here. Type: storewise load FOLDER")]
    assert "No shop here." in Markup(status.progress(failed, usable=False)).text
    assert status.progress(steps[:1], usable=True) == ""


def test_the_footer_and_hints_are_text() -> None:
    assert Markup(status.shop_note(HOSTILE)).harmless and Markup(status.hint(HOSTILE)).harmless
    assert status.shop_note("") == "" and status.hint("") == ""
