"""What one case of a check earned."""

from __future__ import annotations

from dataclasses import dataclass

from grader.judge.outcomes import explain
from grader.records import Outcome, OutcomeKind, Plot


@dataclass(frozen=True)
class CaseResult:
    """A fraction of the points, with a stable code, a sentence, facts, and whether nothing can be said.

    `ours` if nothing can be said because we did not make the call: then nothing is said of the check.
    """

    fraction: float
    code: str = ""
    message: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    plot: Plot | None = None
    inconclusive: bool = False
    ours: bool = False

    @classmethod
    def died(cls, outcome: Outcome | None) -> CaseResult:
        """Return the result of a call that gave no value; that it was not made is no fault of the student."""
        ours = outcome is None or outcome.kind is OutcomeKind.GRADER_FAULT
        code = outcome.kind.value if outcome else "not_called"
        return cls(0.0, code, explain(outcome), inconclusive=ours, ours=ours)
