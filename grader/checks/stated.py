"""Checks of type `claims`: what a short written answer states, tested for the person who reads it."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from grader.checks.derived import WrittenCheck
from grader.records import Code, Evidence, Verdict, VerdictKind
from grader.written import StepVerdict, WrittenReport


class ClaimsCheck(WrittenCheck):
    """What a short written answer states, tested on random numbers."""

    type: Literal["claims"]
    """Test the claims of a written answer on random numbers; a person judges the answer."""
    points: Annotated[float, Field(ge=0, le=0)] = 0.0
    """None: the points are a person's to give."""

    reading_kind: ClassVar[str] = "claims"

    def suggest(self, report: WrittenReport) -> Verdict:
        """Say which claims hold."""
        if not report.steps:
            message = "No claim was found that can be tested."
            return Verdict(VerdictKind.INCONCLUSIVE, 0.0, message, Code.NOT_CHECKED)
        verdicts = [step.verdict for step in report.steps]
        false = verdicts.count(StepVerdict.FAILS)
        message = f"{verdicts.count(StepVerdict.HOLDS)} of {len(verdicts)} claims hold, {false} do not."
        kind = VerdictKind.INCONCLUSIVE
        if false:
            kind = VerdictKind.FAILED
        elif StepVerdict.NOT_CHECKED not in verdicts:
            kind = VerdictKind.PASSED
        return Verdict(
            kind, float(kind is VerdictKind.PASSED), message, "claims", Evidence(steps=report.steps)
        )
