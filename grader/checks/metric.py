"""Checks of type `metric`: a number computed from what the function returns, worth points from none to all.

Follow-through needs no second call of the student's code here: a fit that minimises the student's own wrong
error, or a factorization that starts from the student's own wrong start, is as right as it can be, and what
is right then is computed by the reference with the same known mistakes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from grader.checks.base import (
    Fraction,
    Identifier,
    Outcomes,
    PlannedCase,
    Planner,
    Trusted,
    ValueCheck,
    returned,
)
from grader.checks.result import CaseResult
from grader.errors import AssignmentError, RubricError
from grader.records import Code, Plot

MAX_CURVE = 500


class MetricCheck(ValueCheck):
    """A number computed from what the function returns, with points from `none` to `full`."""

    type: Literal["metric"]
    """Measure the result with a function of the assignment's metrics.py."""
    metric: Identifier
    """The function in metrics.py: (returned value, case) -> number."""
    full: float | Identifier
    """The number, or the name of a known quantity of the case, that earns all points."""
    none: float | Identifier
    """The number, or the name of a known quantity of the case, that earns none; linear in between."""
    plot: Identifier | None = None
    """A function in metrics.py: returned value -> {name: numbers}; drawn as curves in the feedback."""
    tolerance: Annotated[float, Field(ge=0)] = 0.0
    """How far from `full` still earns all points, as a share of the way to `none`."""
    own_metric: Identifier | None = None
    """The measure given the student's own functions: (returned value, case, call) -> share that is lost."""
    given_credit: Fraction = 1.0
    """The share of the points for a result that is right given the student's own functions."""

    no_public_form: ClassVar[str] = (
        "a metric needs the course's own code: it has no form for students at home"
    )
    credits_mistakes: ClassVar[bool] = True

    @model_validator(mode="after")
    def _given_is_measured(self) -> Self:
        if self.own_metric and not self.given:
            raise ValueError("own_metric needs given: the functions whose mistakes it measures")
        return self

    @model_validator(mode="after")
    def _bounds_differ(self) -> Self:
        if self.full == self.none:
            raise ValueError(f"full and none are the same, {self.full}: no points could be given in between")
        return self

    @property
    def functions(self) -> tuple[str, ...]:
        """The functions whose mistakes are looked up."""
        return self.given if self.own_metric else ()

    def plan(self, planner: Planner) -> tuple[PlannedCase, ...]:
        """Return a case for each input, with the numbers that earn all points and none."""
        for name in (self.metric, self.plot, self.own_metric):
            if name is not None:
                planner.metric(name)  # raises AssignmentError if there is none
        cases = []
        for case in next(planner.draws(self.inputs)):
            call = planner.call(self, case)
            bounds: list[float] = []
            for value in (
                self.full,
                self.none,
            ):  # a number, a quantity of the case, what the reference reaches
                if value == "reference":
                    right = planner.expected(self, case)
                    try:
                        bounds.append(float(planner.metric(self.metric)(right, case)))
                    except Exception as error:  # whatever the course's own measure raises
                        raise AssignmentError(
                            f"the metric {self.metric} trips over the reference on {case.name!r}: {error!r}"
                        ) from error
                elif isinstance(value, str) and value not in case.known:
                    raise RubricError(
                        f"the check {self.id!r}: {value!r} is not known of the inputs {self.inputs!r}"
                    )
                else:
                    bounds.append(float(case.known[value] if isinstance(value, str) else value))
            full, none = bounds
            if full == none or not np.isfinite([full, none]).all():
                raise AssignmentError(
                    f"the check {self.id!r}: on {case.name!r}, full is {full:g} and none is {none:g}"
                )
            cases.append(
                MetricCase((call,), case, self, full, none, aided=self.aided(planner, [(case, call)]))
            )
        return tuple(cases)


@dataclass(frozen=True)
class MetricCase(PlannedCase):
    """One input, and the numbers that earn all points and none."""

    check: MetricCheck
    full: float
    none: float

    def judge(self, outcomes: Outcomes, trusted: Trusted | None) -> CaseResult:
        """Measure what came back."""
        if trusted is None:
            raise TypeError("a metric is the course's own code: it cannot be measured without the course")
        got = returned(self.calls[0], outcomes, self.check.output)
        if got.failed:
            return got.failed
        try:
            with np.errstate(all="ignore"):
                number = float(trusted.metric(self.check.metric)(got.value, self.inputs))
        except Exception as error:  # a measure may trip over whatever a student's function returned
            message = f"what it returned does not have the agreed form ({error})"
            return CaseResult(0.0, Code.UNMEASURABLE, message)
        plot = self._curves(got.value, trusted)
        share = (number - self.none) / (self.full - self.none)
        if not np.isfinite(share):
            return CaseResult(0.0, Code.NOT_FINITE, "what it returned has no finite quality")
        fraction = 1.0 if share >= 1.0 - self.check.tolerance else max(0.0, share)
        facts = (
            ("measured", f"{number:.4g}"),
            ("all points at", f"{self.full:.4g}"),
            ("no points at", f"{self.none:.4g}"),
        )
        if fraction == 1.0:
            return CaseResult(1.0, facts=facts, plot=plot)
        return CaseResult(fraction, Code.BELOW_TARGET, f"it reached {number:.4g}", facts, plot)

    def judge_given(self, outcomes: Outcomes, trusted: Trusted, codes: Sequence[str]) -> CaseResult | None:
        """Return the credit of a result that loses nothing given known mistakes in other functions."""
        check = self.check
        call = trusted.mistaken(self.calls[0], codes) if codes else None
        got = returned(self.calls[0], outcomes, check.output)
        if check.own_metric is None or call is None or got.failed:
            return None
        try:
            with np.errstate(all="ignore"):
                lost = float(trusted.metric(check.own_metric)(got.value, self.inputs, call))
        except Exception:  # a measure may trip over whatever a student's function returned
            return None
        if not (np.isfinite(lost) and 1.0 - lost >= 1.0 - check.tolerance):
            return None
        message = f"it is right given your own {' and '.join(check.given)}"
        plot = self._curves(got.value, trusted)
        return CaseResult(check.given_credit, Code.FOLLOW_THROUGH, message, plot=plot)

    def _curves(self, value: Any, trusted: Trusted) -> Plot | None:
        """Return the curves that the course wants to see of a result, if it has them in the agreed form."""
        if self.check.plot is None:
            return None
        try:
            drawn = trusted.metric(self.check.plot)(value)
            curves = [(name, [float(y) for y in ys][:MAX_CURVE]) for name, ys in drawn.items()]
        except Exception:  # a picture may trip over whatever a student's function returned
            return None
        if not all(np.isfinite(ys).all() for _, ys in curves):
            return None
        series = tuple(
            (name, tuple((float(x), y) for x, y in enumerate(ys))) for name, ys in curves if len(ys) > 1
        )
        return Plot("line", self.check.title, "record", "returned", series) if series else None
