"""The plan: every call that every submission will be asked, with what is right; made once for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from grader.checks.base import Check, PlannedCase
from grader.records import Candidates
from grader.subjects import Call


@dataclass(frozen=True)
class PlannedCheck:
    """One check of a question, and its cases."""

    question: str
    check: Check
    cases: tuple[PlannedCase, ...]

    @property
    def key(self) -> tuple[str, str]:
        """The question and the check, by which verdicts are told apart."""
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
        planned = [call for check in self.checks for case in check.cases for call in case.calls]
        planned += [call for known in self.candidates.values() for call in known.calls]
        return tuple({call.id: call for call in reversed(planned)}.values())[::-1]
