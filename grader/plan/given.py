"""Follow-through where no second call of the student's code is needed: known mistakes stand in for it.

    mistakes recognised in `given`  --made in the reference-->  functions  --own_metric-->  share that is lost

A fit that minimises the student's own wrong error, or a factorization that starts from the student's own
wrong start, is as right as it can be; what is right then is computed by the reference with the same mistakes.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from grader.case import Case
from grader.errors import AssignmentError
from grader.plan.calls import trusted_call
from grader.plan.candidates import changed

if TYPE_CHECKING:  # loads notebooks, which planning at home does not need
    from grader.assignment import Assignment


@dataclass(frozen=True)
class GivenMistakes:
    """A measure of results given mistakes in other functions.

    `own_metric` is called as (returned value, case, call), where call(name, *arguments, **keywords) calls a
    function of the reference with the mistakes made in it; it returns the share that is lost, 0 for a result
    that is right given the mistakes.
    """

    assignment: Assignment
    own_metric: Callable[..., float]
    seed: int

    def measure(self, codes: Sequence[str]) -> Callable[[Any, Case], float] | None:
        """Return the measure given the mistakes with these codes, None if one of them is not the course's."""
        known = {each.code: each for each in self.assignment.misconceptions}
        if not codes or not all(code in known for code in codes):
            return None
        try:
            functions = changed(self.assignment, [known[code] for code in dict.fromkeys(codes)])
        except AssignmentError:
            return None

        def call(name: str, *args: Any, **keywords: Any) -> Any:
            with np.errstate(all="ignore"), contextlib.redirect_stdout(io.StringIO()):
                return trusted_call(functions[name], Case(name, args, keywords), self.seed)

        return lambda value, case: float(self.own_metric(value, case, call))
