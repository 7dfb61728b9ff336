"""Checks of type `gradient`: the function returns the gradient of a cost, judged by finite differences.

The differences are those of the reference's cost and, failing that, of the student's own. Accepted is what
is explained by the estimated error of the finite differences, by rounding, and by a tolerance relative to the
norm of the numeric gradient. There is no absolute tolerance, so a gradient of size 1e-12 is judged as
strictly as one of size 1. Where the estimated error alone exceeds the tolerance and the difference does not
exceed both, nothing can be said: the result is inconclusive.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PositiveFloat

from grader.checks.base import (
    Fraction,
    Identifier,
    Outcomes,
    PlannedCase,
    Planner,
    Trusted,
    ValueCheck,
    part_of,
    returned,
)
from grader.checks.result import CaseResult
from grader.numerics.arrays import EPS, as_array, closeness, dense, precision
from grader.numerics.compare import NearMissCode, compare, has_other_form
from grader.numerics.differentiate import OwnCost, differentiate
from grader.numerics.finite_difference import extrapolate
from grader.numerics.in_words import describe, furthest
from grader.numerics.near_miss import NearMiss, near_miss
from grader.numerics.numeric_gradient import Numeric
from grader.records import Code, OutcomeKind, Plot
from grader.subjects import Call

Array = NDArray[np.float64]
MAX_POINTS = 400
NAMED = 1e-3  # relative error up to which a near miss is recognised
KINK = "the cost has a kink here, so that no slope can be called right or wrong"
NOISY = "the finite differences are too noisy here to tell right from wrong"
SAME_COST = 1e-6  # relative difference of a cost that is the reference's
OWN = 10.0  # tolerances: the error of the differences of a student's cost that still tells right from wrong


class GradientCheck(ValueCheck):
    """The function returns the gradient of a cost, judged by finite differences."""

    type: Literal["gradient"]
    """Compare with central differences of the reference's cost function."""
    cost: Identifier
    """The cost function; it takes the same arguments."""
    cost_output: Annotated[int, Field(ge=0)] | None = None
    """For a cost function that returns a tuple: the place of the cost in it."""
    wrt: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    """The arguments with respect to which the gradient is taken, in the order of the returned parts."""
    rtol: PositiveFloat = 1e-4
    """Largest error allowed, relative to the norm of the numeric gradient."""
    own_cost: Fraction = 0.0
    """Follow-through: the share for the right gradient of their own cost, if its mistake has a name."""
    near: Fraction = 0.1
    """One minus the cosine up to which the gradient of their own cost is near enough to count by itself."""
    close: Fraction = 0.75
    """The share of the points just beyond the tolerance; it falls to none at a relative error of 0.2."""
    by_case: bool = True
    """Whether each input counts for its share of the points, or all inputs must be right for any."""
    credit: dict[NearMissCode, Fraction] = {}  # noqa: RUF012 -- pydantic copies it
    """The share of the points for a recognised near miss, by its code (for example constant_factor)."""

    grading_only: ClassVar[frozenset[str]] = ValueCheck.grading_only | {
        "credit",
        "own_cost",
        "near",
        "close",
        "by_case",
    }
    credits_mistakes: ClassVar[bool] = True

    @property
    def builds_on(self) -> tuple[str, ...]:
        """The student's own functions whose results may have made a result count as right."""
        return (self.cost,) if self.own_cost else ()

    def recognises(self, *, fingerprint: bool) -> bool:
        """Whether known mistakes are looked for on its inputs: in the results, not in a fingerprint."""
        return not fingerprint

    def counts_by_case(self) -> bool:
        """Whether each input counts for its share of the points."""
        return self.by_case

    def plan(self, planner: Planner) -> tuple[PlannedCase, ...]:
        """Return a case for each input that finite differences decide.

        An input that they do not decide is drawn again, and kept as it was if none does.
        """
        function = planner.function(self.cost)

        @functools.wraps(function)
        def cost(*args: Any, **keywords: Any) -> Any:
            return part_of(function(*args, **keywords), self.cost_output)

        right = (lambda case: planner.expected(self, case)) if planner.has_reference else None
        decided: list[PlannedCase] = []
        for number in range(len(next(planner.draws(self.inputs)))):
            tried: list[GradientCase] = []
            for attempt, drawn in enumerate(planner.draws(self.inputs)):
                case = drawn[min(number, len(drawn) - 1)]
                rng = np.random.default_rng([planner.seed, number, attempt])
                numeric, own = differentiate(cost, case, self.wrt, rng, right)
                calls = [planner.call(self, case)]
                aided = self.aided(planner, [(case, calls[0])])
                if self.own_cost:
                    calls.append(planner.call(self, case, self.cost, sweep=own.sweep))
                tried.append(GradientCase(tuple(calls), case, self, numeric, own, aided=aided))
                if numeric.decides(self.rtol):
                    break
            decided.append(tried[-1] if tried[-1].numeric.decides(self.rtol) else tried[0])
        return tuple(decided)


@dataclass(frozen=True)
class GradientCase(PlannedCase):
    """One input, the numeric gradient there, and where the second call evaluates the student's own cost."""

    check: GradientCheck
    numeric: Numeric
    own: OwnCost

    @property
    def deferred(self) -> tuple[Call, ...]:
        """The evaluations of the student's own cost: most gradients are right for the reference's."""
        return (*self.calls[1:], *self.aided)

    def undecided(self, outcomes: Outcomes, trusted: Trusted) -> bool:
        """Whether the gradient is none of the reference's cost."""
        result, parts = self._for_reference(outcomes)
        if parts is None and not self.aided:
            return False
        return bool(self.deferred) and result.fraction < 1.0 and not result.inconclusive

    def judge(self, outcomes: Outcomes, trusted: Trusted | None) -> CaseResult:
        """Return what one input says of a gradient."""
        check = self.check
        result, parts = self._for_reference(outcomes)
        if parts is None or result.fraction == 1.0 or result.inconclusive:
            return result
        follows = self._right_for_own(parts, outcomes) if check.own_cost else False
        if follows:
            message = f"it is the right gradient of your own {check.cost}"
            plot = self._own_plot(parts, outcomes)
            near = self._cosine(parts) >= 1.0 - check.near
            return CaseResult(check.own_cost, Code.FOLLOW_THROUGH, message, result.facts, plot, near=near)
        if follows is None:
            message = (
                f"your own {check.cost} has a kink here, or is too noisy, to tell whether this is its "
                "gradient"
            )
            return CaseResult(0.0, Code.INCONCLUSIVE, message, result.facts, result.plot, inconclusive=True)
        return self._near(returned(self.calls[0], outcomes, check.output).value, result)

    @np.errstate(all="ignore")
    def _for_reference(self, outcomes: Outcomes) -> tuple[CaseResult, tuple[Array, ...] | None]:
        """Return what the differences of the reference's cost say, and the parts of the gradient.

        The parts are None if the result says all that can be said.
        """
        check, numeric = self.check, self.numeric
        got = returned(self.calls[0], outcomes, check.output)
        if got.failed:
            return got.failed, None
        if not all(np.isfinite(part).all() for part in (*numeric.parts, *numeric.errors)):
            message = "there are no finite differences here to tell right from wrong"
            return CaseResult(0.0, Code.INCONCLUSIVE, message, inconclusive=True), None
        values = _values(got.value, numeric.parts)
        unit = precision(got.value) / EPS
        shares = {str(code): share for code, share in check.credit.items()} if len(values) > 1 else {}
        parts = [_part(value, right) for value, right in zip(values, numeric.parts, strict=True)]
        results = [
            replace(part, fraction=shares.get(part.code, 0.0))
            if isinstance(part, CaseResult)
            else self._credited(part, number, self._judge_part(part, number, unit))
            for number, part in enumerate(parts)
        ]
        whole = tuple(part for part in parts if not isinstance(part, CaseResult))
        together = _together(results, check.wrt)
        return (together, whole) if len(whole) == len(parts) else (self._near(got.value, together), None)

    def _judge_part(self, got: Array, number: int, unit: float) -> CaseResult:
        """Compare one part of a gradient with the numeric one."""
        part, name, rtol = self.numeric.part(number), self.check.wrt[number], self.check.rtol
        off = float(np.linalg.norm(got - part.right))
        slack, noise = part.slack(rtol, unit), part.noise
        facts = part.facts(got, name, slack)
        decides = part.flat or noise <= slack
        if decides and off <= slack + noise:
            return CaseResult(1.0, facts=facts)
        if not decides and off <= slack + 4 * noise:
            told = KINK if self.numeric.kink else NOISY
            return CaseResult(0.0, Code.INCONCLUSIVE, told, facts, inconclusive=True)
        if got.size and not got.any():
            return CaseResult(0.0, Code.ZERO, "it is zero everywhere", facts, _plot(got, part.right))
        share = f"by {off / part.norm:.2g} of their norm" if part.norm else "which are zero"
        message = f"it differs from the finite differences of the cost {share}"
        close = self.check.close * closeness(off / part.norm, slack / part.norm) if part.norm else 0.0
        return CaseResult(close, Code.VALUES, message, facts, _plot(got, part.right), close=close)

    def _credited(self, got: Array, number: int, result: CaseResult) -> CaseResult:
        """Return the result of one part of several, with the credit of the near miss that explains it."""
        several = len(self.numeric.parts) > 1
        if result.fraction == 1.0 or result.inconclusive or not several:
            return result
        return self._named(result, near_miss(got, self.numeric.parts[number], NAMED))

    def has_other_form(self, outcomes: Outcomes) -> bool:
        """Whether lists or tuples came back where arrays are expected."""
        got = returned(self.calls[0], outcomes, self.check.output)
        parts = self.numeric.parts
        return not got.failed and has_other_form(got.value, parts if len(parts) > 1 else parts[0])

    def _cosine(self, parts: tuple[Array, ...]) -> float:
        """Return the smallest cosine of the angle between a part of a gradient and the numeric one."""
        cosines = [1.0]
        for part, right in zip(parts, self.numeric.parts, strict=True):
            sizes = float(np.linalg.norm(part)), float(np.linalg.norm(right))
            if all(sizes):
                cosines.append(float(np.vdot(part / sizes[0], right / sizes[1])))
            elif any(sizes):
                cosines.append(0.0)
        return min(cosines)

    def detail(self, value: Any, result: CaseResult) -> str:
        """Say which entry is furthest from the finite differences."""
        if len(self.check.wrt) == 1:
            values: tuple[Any, ...] = (value,)
        else:
            values = tuple(value) if isinstance(value, tuple | list) else ()
        words = f"the slope of your {self.check.cost} is"
        return furthest(values, self.numeric.parts, words, self.check.wrt)

    @np.errstate(all="ignore")
    def _near(self, value: Any, result: CaseResult) -> CaseResult:
        """Return a result with the name and the credit of the near miss that explains all of it, if one does.

        What is right in a part of it counts at least as before.
        """
        parts = self.numeric.parts
        named = self._named(result, near_miss(value, parts if len(parts) > 1 else parts[0], NAMED))
        return named if named.fraction >= result.fraction else result

    def _named(self, result: CaseResult, near: NearMiss | None) -> CaseResult:
        if near is None:
            return result
        credit = max(result.close, self.check.credit.get(near.code, 0.0))
        return replace(result, fraction=credit, code=near.code, message=near.message, factor=near.factor)

    @np.errstate(all="ignore")
    def _right_for_own(  # noqa: PLR0911 -- one for each thing that can be wrong
        self, parts: tuple[Array, ...], outcomes: Outcomes
    ) -> bool | None:
        """Whether the directional derivatives of the student's own cost agree with their gradient; None if
        the differences of that cost do not tell.
        """
        swept = outcomes.get(self.calls[1].id)
        if swept is not None and swept.kind is OutcomeKind.GRADER_FAULT:
            return None
        own, rtol, output = self.own, self.check.rtol, self.check.cost_output
        size = float(np.sqrt(sum(float(np.linalg.norm(part)) ** 2 for part in parts)))
        returned_all = swept is not None and swept.kind is OutcomeKind.RETURNED
        if swept is None or not returned_all or not isinstance(swept.value, tuple) or size == 0.0:
            return False

        # The cost at every point: a real number each.
        numbers = []
        for value in swept.value:
            if output is not None and (not isinstance(value, tuple | list) or len(value) <= output):
                return False
            array = dense(part_of(value, output))
            if array is None or array.size != 1 or array.dtype.kind == "c":
                return False
            numbers.append(float(np.reshape(array, ())))
        if len(numbers) != len(own.sweep.points):
            return False

        away = np.abs(np.asarray(numbers) - own.values).max(initial=0.0)
        if away <= SAME_COST * np.abs(own.values).max(initial=0.0):
            return False  # their cost is the right one here, and this is not its gradient
        centre, *around = numbers
        grid = np.reshape(around, (len(own.directions), len(own.steps), 2))
        undecided = not np.isfinite(centre)
        for direction, points in zip(own.directions, grid, strict=True):
            slope = sum(float(np.vdot(part, along)) for part, along in zip(parts, direction, strict=True))
            # No more points can be asked for, so the noise is what the two smallest steps disagree about.
            slopes = (points[:, 0] - points[:, 1]) / (2 * np.asarray(own.steps))
            noise = float(abs(slopes[-1] - slopes[-2]) * own.steps[-1])
            noise = noise if np.isfinite(noise) else 0.0
            found = extrapolate(own.steps, points[:, 0].tolist(), points[:, 1].tolist(), centre, noise)
            if not abs(slope - found.value) <= rtol * size + 4 * found.error:
                return False
            undecided |= found.error > OWN * rtol * size
        return None if undecided else True

    @np.errstate(all="ignore")
    def _own_plot(self, parts: tuple[Array, ...], outcomes: Outcomes) -> Plot | None:
        """Return the slopes of the student's own cost along the directions, and those of their gradient."""
        own, output = self.own, self.check.cost_output
        values = [dense(part_of(value, output)) for value in outcomes[self.calls[1].id].value]
        around = np.reshape(
            [np.ravel(value)[0] for value in values[1:] if value is not None], (-1, len(own.steps), 2)
        )
        slopes = (around[:, -1, 0] - around[:, -1, 1]) / (2 * own.steps[-1])
        mine = [
            sum(float(np.vdot(part, along)) for part, along in zip(parts, direction, strict=True))
            for direction in own.directions
        ]
        title = f"Slopes of your gradient against those of your own {self.check.cost}"
        return _plot(np.asarray(mine), slopes, title)


def _values(value: Any, expected: tuple[Array, ...]) -> tuple[Any, ...]:
    """Return what was returned for each part, or what is wrong with it.

    One array where several are expected is the first part whose shape it has.
    """
    if len(expected) == 1:
        return (value,)
    if isinstance(value, tuple | list) and len(value) == len(expected):
        return tuple(value)
    message = f"it returned {describe(value)} where {len(expected)} arrays are expected"
    missing = CaseResult(0.0, Code.STRUCTURE, message)
    array = as_array(value)
    shapes = [part.shape for part in expected]
    place = shapes.index(array.shape) if array is not None and array.shape in shapes else -1
    return tuple(value if number == place else missing for number in range(len(expected)))


def _part(value: Any, right: Array) -> Array | CaseResult:
    """Return one part of a gradient as a finite array of the right shape, or what is wrong with it."""
    if isinstance(value, CaseResult):
        return value
    comparison = compare(value, right, np.inf)
    array = as_array(value)
    if not comparison.equal or array is None:
        slip = near_miss(value, right, NAMED) if comparison.code == Code.SHAPE else None
        if slip is not None:
            return CaseResult(0.0, slip.code, f"{comparison.message}; {slip.message}")
        return CaseResult(0.0, comparison.code, comparison.message)
    if array.dtype.kind == "c" and array.imag.any():
        return CaseResult(0.0, Code.COMPLEX, "it has complex entries")
    return np.asarray(array.real, dtype=np.float64).reshape(right.shape)


def _together(results: Sequence[CaseResult], names: Sequence[str]) -> CaseResult:
    """Return the result of all parts: each counts alike, and the worst is told."""
    if len(results) == 1:
        return results[0]
    decided = [result for result in results if not result.inconclusive]
    worst = min(results, key=lambda result: (result.fraction, not result.inconclusive))
    if not decided or all(result.fraction == 1.0 for result in decided):
        return worst
    worst = min(decided, key=lambda result: result.fraction)
    fraction = sum(result.fraction for result in decided) / len(results)
    message = worst.message
    if fraction and len({result.message for result in results}) > 1:
        message = f"in the part for {names[list(results).index(worst)]}, {message}"
    close = sum(result.close for result in decided) / len(results)
    factor = worst.factor if len({result.message for result in results}) == 1 else None
    return CaseResult(fraction, worst.code, message, worst.facts, worst.plot, close=close, factor=factor)


def _plot(got: Array, right: Array, title: str = "Your gradient against finite differences") -> Plot | None:
    """Return the points (finite difference, returned value), scaled so that no number shows, or None."""
    scale = max(float(np.abs(right).max(initial=0.0)), 1e-300)
    pairs = np.stack([right.ravel(), got.ravel()], axis=1)[:MAX_POINTS] / scale
    pairs = pairs[np.isfinite(pairs).all(axis=1)]
    points = tuple((float(x), float(y)) for x, y in pairs)
    if not points:
        return None
    return Plot("scatter", title, "finite difference", "returned", (("entries", points),))
