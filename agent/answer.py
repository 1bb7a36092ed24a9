"""What a turn of conversation yields: a stream of events that ends with the whole answer."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from storewise.tools.finding import Finding


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Call(_Frozen):
    """A tool call: its name and the arguments that were given."""

    name: str
    args: dict[str, Any] = Field(default_factory=dict)


class Seconds(_Frozen):
    """Where the time of a turn went."""

    total: float
    model: float
    tools: float
    first: float | None = None  # until the first finding's headline


class Answer(_Frozen):
    """The whole of a turn.

    Attributes:
        answer: the sentences shown to the person.
        grounded: whether the sentences passed the grounding check as they stand.
        phrased_by: "model" for the model's own words, "findings" for the findings' own sentences.
        note: a sentence where something went another way than usual (engine down, check failed).
    """

    answer: str
    calls: tuple[Call, ...] = ()
    findings: tuple[Finding, ...] = ()
    grounded: bool = True
    phrased_by: Literal["model", "findings"] = "findings"
    seconds: Seconds
    note: str | None = None


class StepStarted(_Frozen):
    """A tool is about to run."""

    kind: Literal["step_started"] = "step_started"
    call: Call


class StepFinished(_Frozen):
    """A tool returned: its headline can be shown at once."""

    kind: Literal["step_finished"] = "step_finished"
    call: Call
    finding: Finding
    seconds: float


class Words(_Frozen):
    """The next piece of the model's own phrasing, not yet checked."""

    kind: Literal["words"] = "words"
    text: str


class Finished(_Frozen):
    """The turn is over; what was streamed as Words is replaced by this answer."""

    kind: Literal["finished"] = "finished"
    answer: Answer


Event = StepStarted | StepFinished | Words | Finished
