"""Checks of type `reference`: the function returns what the reference returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import PositiveFloat

from grader.checks.base import (
    Fraction,
    Outcomes,
    PlannedCase,
    Planner,
    Trusted,
    ValueCheck,
    part_of,
    returned,
)
from grader.checks.result import CaseResult
from grader.numerics.arrays import closeness
from grader.numerics.compare import Comparison, NearMissCode, Sensitivity, Tolerance, has_other_form
from grader.numerics.conditioning import sensitivity
from grader.numerics.freedom import Freedom, compare_up_to
from grader.numerics.in_words import furthest
from grader.numerics.near_miss import near_miss
from grader.records import Code

EXACT = Sensitivity()
NEAR = 1e-6  # relative error up to which a near miss is recognised, where the tolerance is smaller


class ReferenceCheck(ValueCheck):
    """The function returns what the reference returns."""

    type: Literal["reference"]
    """Compare with the reference solution on the same inputs."""
    rtol: PositiveFloat = 1e-4
    """Largest error allowed, relative to the largest entry of the expected value."""
    by_case: bool = True
    """Whether each input counts for its share of the points, or all inputs must be right for any."""
    flatten: bool = False
    """Whether the shape may differ as long as the entries are the same, in order."""
    up_to: Freedom | None = None
    """What the mathematics leaves free of columns, or of A and B in a product (docs/comparing.md)."""
    conditioned: bool = False
    """Whether the tolerance grows with what rounding the inputs does to the reference's result."""
    credit: dict[NearMissCode, Fraction] = {}  # noqa: RUF012 -- pydantic copies it
    """The share of the points for a recognised near miss, by its code (for example constant_factor)."""
    close: Fraction = 0.75
    """The share of the points just beyond the tolerance; it falls to none at a relative error of 0.2."""
    form_only: bool = False
    """Whether only structure, shape and finite entries are compared, and the values may be any."""
    given_credit: Fraction = 1.0
    """The share of the points for a result that is right given the student's own functions."""

    grading_only: ClassVar[frozenset[str]] = ValueCheck.grading_only | {
        "credit",
        "given",
        "given_credit",
        "close",
        "by_case",
        "conditioned",
    }
    credits_mistakes: ClassVar[bool] = True

    @property
    def compares_values(self) -> bool:
        """Whether students need the right values to run it at home."""
        return not self.form_only

    @property
    def compares_form(self) -> bool:
        """Whether students need the form of the right values at home."""
        return self.form_only

    @property
    def builds_on(self) -> tuple[str, ...]:
        """The student's own functions whose results may have made a result count as right."""
        return self.given

    def hint_fits(self, code: str) -> bool:
        """Whether the feedback for a failure says something about the one with this code."""
        if self.form_only:
            return code == Code.STRUCTURE or (code != Code.NOT_FINITE and super().hint_fits(code))
        return super().hint_fits(code)

    def recognises(self, *, fingerprint: bool) -> bool:
        """Whether known mistakes are looked for on its inputs: in the results, not in a fingerprint."""
        return not fingerprint

    def counts_by_case(self) -> bool:
        """Whether each input counts for its share of the points."""
        return self.by_case

    def plan(self, planner: Planner) -> tuple[PlannedCase, ...]:
        """Return a case for each input: what the reference returns and how sure that is."""
        cases = []
        for case in next(planner.draws(self.inputs)):
            followed = planner.made_for(case, self.given) if self.given else []
            calls = [planner.call(self, inner, name) for name, inner in followed]
            own = planner.call(self, case)
            rounding = EXACT
            if self.conditioned:
                rng = np.random.default_rng([planner.seed, 2])
                rounding = sensitivity(lambda near: planner.expected(self, near), case, self.up_to, rng)
            cases.append(
                ReferenceCase(
                    (own, *calls),
                    case,
                    self,
                    planner.expected(self, case),
                    float(case.known.get("scale", 0.0)),
                    rounding,
                    aided=self.aided(planner, [(case, own)]),
                )
            )
        return tuple(cases)


@dataclass(frozen=True)
class ReferenceCase(PlannedCase):
    """One input, and what is right on it; the calls after the first are those that the reference makes."""

    check: ReferenceCheck
    expected: Any
    scale: float = 0.0
    sensitivity: Sensitivity = EXACT

    def judge(self, outcomes: Outcomes, trusted: Trusted | None) -> CaseResult:
        """Compare what came back with the expected value."""
        check = self.check
        got = returned(self.calls[0], outcomes, check.output)
        if got.failed:
            return got.failed
        found = self._compare(got.value, self.expected)
        if found.equal:
            return CaseResult(1.0)
        if trusted is not None and self._right_given_own(got.value, outcomes, trusted):
            message = f"it is right given your own {' and '.join(check.given)}"
            return CaseResult(check.given_credit, Code.FOLLOW_THROUGH, message)
        return self._wrong(got.value, found)

    def _wrong(self, value: Any, found: Comparison) -> CaseResult:
        """Return what is wrong with a value, and the credit of the near miss that explains it.

        Of several parts, each counts alike.
        """
        check, expected = self.check, self.expected
        facts: list[tuple[str, str]] = []
        if found.code != Code.STRUCTURE and not check.form_only:
            facts += [("relative error", f"{found.error:.2g}")] if np.isfinite(found.error) else []
            facts.append(("relative error allowed", f"{self._allowed.of(value):.2g}"))
            if found.worst:
                facts.append(("worst entry", str(found.worst if len(found.worst) > 1 else found.worst[0])))
        near = near_miss(value, expected, max(check.rtol, NEAR))
        close = self._close(value, found)
        credit = max(close, check.credit.get(near.code, 0.0) if near is not None else 0.0)
        if isinstance(expected, tuple) and isinstance(value, tuple | list) and len(value) == len(expected):
            shares = []
            for part, right in zip(value, expected, strict=True):
                compared = self._compare(part, right)
                slip = None if compared.equal else near_miss(part, right, max(check.rtol, NEAR))
                named = check.credit.get(slip.code, 0.0) if slip else 0.0
                shares.append(1.0 if compared.equal else max(named, self._close(part, compared)))
            credit = max(credit, float(np.mean(shares))) if check.up_to is None else credit
        if near is None:
            return CaseResult(credit, found.code, found.message, tuple(facts), close=close)
        return CaseResult(credit, near.code, near.message, tuple(facts), factor=near.factor, close=close)

    def _close(self, value: Any, found: Comparison) -> float:
        """Return the share of the points for the size of the error."""
        if found.code != Code.VALUES or self.check.form_only:
            return 0.0
        return self.check.close * closeness(found.error, self._allowed.of(value))

    def detail(self, value: Any, result: CaseResult) -> str:
        """Say which entry is furthest from right."""
        if self.check.form_only or self.check.up_to is not None:
            return ""
        return furthest((value,), (self.expected,), "right is")

    def has_other_form(self, outcomes: Outcomes) -> bool:
        """Whether lists or tuples came back where arrays are expected."""
        got = returned(self.calls[0], outcomes, self.check.output)
        return not got.failed and has_other_form(got.value, self.expected)

    def _compare(self, value: Any, expected: Any) -> Comparison:
        return compare_up_to(value, expected, self._allowed, self.check.up_to)

    @property
    def _allowed(self) -> Tolerance:
        """What may differ."""
        rtol = np.inf if self.check.form_only else self.check.rtol
        return Tolerance(rtol, self.check.flatten, self.scale, self.sensitivity)

    def _right_given_own(self, value: Any, outcomes: Outcomes, trusted: Trusted) -> bool:
        """Whether a value is what the reference computes from the student's own intermediate results."""
        if not self.check.given:
            return False
        answers: dict[str, list[Any]] = {name: [] for name in self.check.given}
        for call in self.calls[1:]:
            own = returned(call, outcomes)
            if own.failed:
                return False
            answers[call.function].append(own.value)
        try:
            with np.errstate(all="ignore"):
                right = trusted.answered(self.calls[0], self.inputs, answers)
                return self._compare(value, part_of(right, self.check.output)).equal
        except Exception:  # the reference may trip over whatever a student's function returned
            return False
