"""The grounding check: every figure, name, date and quotation of an answer stands in a finding."""

from storewise.agent.grounding.verdict import Verdict, check

__all__ = ["Verdict", "check"]
