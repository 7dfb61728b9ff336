"""The plan: every call that is made of each submission, with what is right; made once for all submissions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from grader.checks.base import Check, Outcomes, PlannedCase, Trusted
from grader.checks.derived import WrittenCase
from grader.course.rubric import Rubric
from grader.explanations import Candidates
from grader.plan.trusted import TrustedSide
from grader.subjects import Call
from grader.written import WrittenTask

if TYPE_CHECKING:  # it loads notebooks
    from grader.course.assignment import Assignment


@dataclass(frozen=True)
class PlannedCheck:
    """One check of a question, and its cases."""

    question: str
    check: Check
    cases: tuple[PlannedCase, ...]

    @property
    def key(self) -> tuple[str, str]:
        """The ids of the question and the check, which verdicts are kept by."""
        return self.question, self.check.id


@dataclass(frozen=True)
class Plan:
    """The checks of all questions in the order of the rubric; `candidates` by question."""

    assignment: str
    checks: tuple[PlannedCheck, ...]
    candidates: Mapping[str, Candidates] = field(default_factory=dict)

    @property
    def calls(self) -> tuple[Call, ...]:
        """All calls, each once, in the order of the rubric."""
        cases = [case for check in self.checks for case in check.cases]
        planned = [call for case in cases for call in (*case.calls, *case.aided)]
        planned += [call for candidates in self.candidates.values() for call in candidates.calls]
        return tuple({call.id: call for call in reversed(planned)}.values())[::-1]

    @property
    def written(self) -> tuple[WrittenTask, ...]:
        """What is asked of written answers."""
        cases = [case for check in self.checks for case in check.cases]
        return tuple(case.task for case in cases if isinstance(case, WrittenCase))

    @cached_property
    def deferred(self) -> frozenset[str]:
        """The ids of the calls that are made only if a case is undecided without them."""
        cases = [case for check in self.checks for case in check.cases]
        deferred = {call.id for case in cases for call in case.deferred}
        at_once = {call.id for case in cases for call in case.calls if call not in case.deferred}
        at_once |= {call.id for candidates in self.candidates.values() for call in candidates.calls}
        return frozenset(deferred - at_once)

    def needed(self, outcomes: Outcomes, trusted: Trusted) -> tuple[Call, ...]:
        """Return the deferred calls that are needed, given the outcomes of the others."""
        cases = [case for check in self.checks for case in check.cases if case.deferred]
        calls = [call for case in cases if case.undecided(outcomes, trusted) for call in case.deferred]
        return tuple({call.id: call for call in calls if call.id in self.deferred}.values())


@dataclass(frozen=True)
class Course:
    """Everything that is the same for every submission.

    `digest` names all that the plan was made of: the course's files, our code, what both are run with.
    """

    rubric: Rubric
    assignment: Assignment
    plan: Plan
    digest: str = ""

    @cached_property
    def trusted(self) -> TrustedSide:
        """What judging may ask of the course."""
        return TrustedSide(self.assignment)

    @cached_property
    def calls(self) -> Mapping[str, tuple[Call, ...]]:
        """The planned calls of each function of the rubric."""
        calls = self.plan.calls
        return {
            name: tuple(c for c in calls if c.function == name) for name in map(str, self.rubric.subjects)
        }
