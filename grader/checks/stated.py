"""Checks of type `claims`: what a short written answer states, tested for the person who reads it."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from grader.checks.derived import WrittenCheck
from grader.records import Code, Evidence, Verdict, VerdictKind
from grader.written import StepVerdict, WrittenReport


class ClaimsCheck(WrittenCheck):
    """What a short written answer states, tested on random numbers."""

    type: Literal["claims"]
    """Test the claims of a written answer on random numbers; a person judges the answer."""

    reading_kind: ClassVar[str] = "claims"

    @model_validator(mode="after")
    def _without_points(self) -> Self:
        if self.points:
            raise ValueError("a check of type claims has points: 0, as a person judges the answer")
        return self

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
