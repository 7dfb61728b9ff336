"""Checks of type `derivation`: the steps of a written derivation hold, and the result is derived.

The process that reads the notebook tests each step on random numbers; here the verdicts become points, which
a person confirms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from grader.checks.base import Check, Fraction, Identifier, Outcomes, PlannedCase, Planner, Trusted
from grader.reading import FunctionFacts
from grader.records import Code, Evidence, OutcomeKind, Verdict, VerdictKind
from grader.subjects import Case
from grader.written import StepVerdict, WrittenReport, WrittenTask


@dataclass(frozen=True)
class WrittenCase(PlannedCase):
    """The task of reading an answer; nothing is called."""

    task: WrittenTask


class WrittenCheck(Check):
    """A check of what a person reads: its points are a suggestion."""

    meaning: Identifier | None = None
    """The file that says what the symbols are, without its ending; by default it is named as the text."""

    for_a_person: ClassVar[bool] = True
    reading_kind: ClassVar[str] = ""
    """What the process that reads the notebook does with the answer."""

    def plan(self, planner: Planner) -> tuple[PlannedCase, ...]:
        """Return the task of reading the answer."""
        task = planner.written(self.id, self.reading_kind, self.meaning)
        return (WrittenCase((), Case(task.id), task),)

    def judge(
        self,
        cases: Sequence[PlannedCase],
        outcomes: Outcomes,
        facts: FunctionFacts,
        trusted: Trusted | None,
    ) -> Verdict:
        """Return what is suggested for an answer, or why nothing is."""
        (case,) = cases
        assert isinstance(case, WrittenCase)
        outcome = outcomes.get(case.task.id)
        if outcome is not None and outcome.kind is OutcomeKind.NOT_ATTEMPTED:
            return Verdict(
                VerdictKind.NOT_ATTEMPTED, 0.0, "It was left as it was handed out.", "not_attempted"
            )
        if outcome is None or outcome.kind is not OutcomeKind.RETURNED:
            why = outcome.fault.message if outcome is not None and outcome.fault else "it was not read"
            return Verdict(VerdictKind.INCONCLUSIVE, 0.0, f"Not checked: {why}.", Code.NOT_CHECKED)
        return self.suggest(WrittenReport.of(outcome.value))

    def suggest(self, report: WrittenReport) -> Verdict:
        """Return what is suggested for what was found."""
        raise NotImplementedError


class DerivationCheck(WrittenCheck):
    """The steps of a written derivation hold, and the result is derived."""

    type: Literal["derivation"]
    """Test each equality of a derivation on random numbers; the points are suggested to a person."""
    person: Literal["always", "unless_complete"] = "always"
    """Whether a person confirms a chain that is right and fully checked, too."""
    false_step: Fraction = 0.25
    """The share of the points that each false step costs."""
    unfinished: Fraction = 0.5
    """The most that a derivation earns which does not begin at the start, or does not derive the result."""

    grading_only: ClassVar[frozenset[str]] = Check.grading_only | {"person", "false_step", "unfinished"}
    reading_kind: ClassVar[str] = "derivation"

    def suggest(self, report: WrittenReport) -> Verdict:
        """Suggest all points for a right chain, less for each false step and for what is missing."""
        counts = {verdict: sum(s.verdict is verdict for s in report.steps) for verdict in StepVerdict}
        false, unchecked = counts[StepVerdict.FAILS], counts[StepVerdict.NOT_CHECKED]
        evidence = Evidence(steps=report.steps)
        if not report.steps:
            message = "; ".join(report.remarks) or "no equality was found"
            return Verdict(VerdictKind.INCONCLUSIVE, 0.0, f"Not checked: {message}.", Code.NOT_CHECKED)
        whole = report.starts_right and report.target_reached
        fraction = max(0.0, 1.0 - self.false_step * false) * (1.0 if whole else self.unfinished)
        parts = [f"{counts[StepVerdict.HOLDS]} of {len(report.steps)} steps hold"]
        if false:
            line = next(step.line for step in report.steps if step.verdict is StepVerdict.FAILS)
            parts.append(f"{false} {'is' if false == 1 else 'are'} false, the first in line {line}")
        if unchecked:
            parts.append(f"{unchecked} {'is' if unchecked == 1 else 'are'} not checked")
        parts.append("the result is derived" if whole else "; ".join(report.remarks) or "it is not finished")
        message = ", ".join(parts[:-1]) + f"; {parts[-1]}."
        if not false and not unchecked and whole:
            return Verdict(VerdictKind.PASSED, 1.0, message, "", evidence)
        kind = VerdictKind.PARTIAL if fraction else VerdictKind.FAILED
        if not false and whole:
            kind = VerdictKind.INCONCLUSIVE  # what is not checked is read by a person
        return Verdict(kind, fraction, message, "steps", evidence)

    def decides(self, verdict: Verdict) -> bool:
        """Whether no person is needed."""
        return self.person == "unless_complete" and verdict.kind is VerdictKind.PASSED
