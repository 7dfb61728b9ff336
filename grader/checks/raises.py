"""Checks of type `raises`: the function refuses a wrong input with an exception."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from grader.checks.base import Identifier, InputsCheck, Outcomes, PlannedCase, Planner, Trusted
from grader.checks.result import CaseResult
from grader.numerics.in_words import describe
from grader.records import Code, OutcomeKind


class RaisesCheck(InputsCheck):
    """The function refuses a wrong input with an exception."""

    type: Literal["raises"]
    """Expect an exception."""
    exception: Identifier
    """The name of the exception."""
    unless: tuple[Identifier, ...] = ()
    """Generators of inputs that must not raise it: a function that always does refuses nothing."""

    grading_only: ClassVar[frozenset[str]] = InputsCheck.grading_only | {"unless"}

    def hint_fits(self, code: str) -> bool:
        """Whether the feedback for a failure says something about the one with this code."""
        return code in (Code.OTHER_EXCEPTION, Code.NO_EXCEPTION)

    def recognises(self, *, fingerprint: bool) -> bool:
        """Whether known mistakes are looked for on its inputs: an exception is like no result."""
        return True

    def plan(self, planner: Planner) -> tuple[PlannedCase, ...]:
        """Return a case for each input."""
        right = [next(planner.draws(generator))[0] for generator in self.unless]
        others = tuple(planner.call(self, case) for case in right)
        cases = next(planner.draws(self.inputs))
        return tuple(RaisesCase((planner.call(self, case), *others), case, self) for case in cases)


@dataclass(frozen=True)
class RaisesCase(PlannedCase):
    """One input that the function must refuse."""

    check: RaisesCheck

    def judge(self, outcomes: Outcomes, trusted: Trusted | None) -> CaseResult:
        """Say whether the call ended in the exception."""
        outcome, expected = outcomes.get(self.calls[0].id), self.check.exception
        if outcome is not None and outcome.kind is OutcomeKind.RAISED and outcome.fault is not None:
            others = [outcomes.get(call.id) for call in self.calls[1:]]
            if others and not any(other and other.kind is OutcomeKind.RETURNED for other in others):
                message = "it refuses nothing, as it fails for every input"
                return CaseResult(0.0, Code.OTHER_EXCEPTION, message)
            if expected in (outcome.fault.type, *outcome.fault.bases):
                return CaseResult(1.0)
            return CaseResult(0.0, Code.OTHER_EXCEPTION, f"it raised {outcome.fault.type}, not {expected}")
        if outcome is not None and outcome.kind is OutcomeKind.RETURNED:
            message = f"it returned {describe(outcome.value)} where a {expected} is expected"
            return CaseResult(0.0, Code.NO_EXCEPTION, message)
        return CaseResult.died(outcome)
