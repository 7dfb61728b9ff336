"""Checks of type `forbidden`: the code that the function needs does not use certain names.

They are looked for in the text of the code, and among the modules that it imported when it was called.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from grader.checks.base import Check, Outcomes, PlannedCase, Trusted
from grader.reading import FactsStatus, FunctionFacts
from grader.records import Code, Verdict, VerdictKind


class ForbiddenCheck(Check):
    """The code that the function needs does not use certain names."""

    type: Literal["forbidden"]
    """Look for forbidden names in the code, and among the modules that it imported when it was called."""
    names: Annotated[tuple[str, ...], Field(min_length=1)]
    """Dotted names, for example sklearn.manifold.TSNE; a module forbids all that is in it."""

    def judge(
        self,
        cases: Sequence[PlannedCase],
        outcomes: Outcomes,
        facts: FunctionFacts,
        trusted: Trusted | None,
    ) -> Verdict:
        """Look through the names that the code uses."""
        if facts.status != FactsStatus.FOUND:
            return super().judge(cases, outcomes, facts, trusted)
        used = sorted(
            name
            for name in facts.calls
            if any(name == bad or name.startswith(bad + ".") for bad in self.names)
        )
        if not used:
            return Verdict(VerdictKind.PASSED, 1.0, "")
        message = f"The code that it needs uses {', '.join(used)}, which the exercise does not allow."
        return Verdict(VerdictKind.FAILED, 0.0, message, Code.FORBIDDEN)
