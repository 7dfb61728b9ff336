"""Judges a gradient against finite differences of the trusted cost and, failing that, of the student's own.

Accepted is what is explained by the estimated error of the finite differences, by rounding, and by a
tolerance relative to the norm of the numeric gradient; there is no absolute tolerance, so a gradient of size
1e-12 is judged as strictly as one of size 1. Where the estimated error alone exceeds the tolerance and the
difference does not exceed both, nothing can be said: the result is inconclusive.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.judge.compare import compare, dense, describe, precision
from grader.judge.finite_difference import EPS, extrapolate
from grader.judge.near_miss import near_miss
from grader.judge.numeric import Numeric, NumericPart
from grader.judge.result import CaseResult
from grader.records import Outcome, OutcomeKind, Plot
from grader.rubric.model import GradientCheck

Array = NDArray[np.float64]
Facts = tuple[tuple[str, str], ...]
MAX_POINTS = 400
NAMED = 1e-3  # relative error up to which a near miss is recognised
KINK = "the cost has a kink here, so that no slope can be called right or wrong"
NOISY = "the finite differences are too noisy here to tell right from wrong"
OWN = 10.0  # tolerances: the error of the differences of a student's cost that still tells right from wrong


@np.errstate(all="ignore")
def judge_gradient_case(  # noqa: PLR0911 -- one for each thing that can be found, the gravest first
    check: GradientCheck, case: tuple[Any, ...], outcomes: Mapping[str, Outcome]
) -> CaseResult:
    """Return what one input says of a gradient."""
    identity, numeric, own, swept = case
    outcome = outcomes.get(identity)
    if outcome is None or outcome.kind is not OutcomeKind.RETURNED:
        return CaseResult.died(outcome)
    if not all(np.isfinite(part).all() for part in (*numeric.parts, *numeric.errors)):
        message = "there are no finite differences here to tell right from wrong"
        return CaseResult(0.0, "inconclusive", message, inconclusive=True)
    parts = _parts(outcome.value, numeric.parts)
    if isinstance(parts, CaseResult):
        return _near(check, outcome.value, numeric, parts)
    result = _against(parts, numeric, check, precision(outcome.value))
    if result.fraction == 1.0 or result.inconclusive:
        return result
    follows = _right_for_own(parts, own, outcomes.get(swept), check) if check.own_cost else False
    if follows:
        message = f"it is the right gradient of your own {check.cost}"
        return CaseResult(check.own_cost, "follow_through", message, result.facts, result.plot)
    if follows is None:
        message = (
            f"your own {check.cost} has a kink here, or is too noisy, to tell whether this is its gradient"
        )
        return CaseResult(0.0, "inconclusive", message, result.facts, result.plot, inconclusive=True)
    return _near(check, outcome.value, numeric, result)


def _near(check: GradientCheck, value: Any, numeric: Numeric, result: CaseResult) -> CaseResult:
    """Return a result with the name and the credit of the near miss that explains it, if one does."""
    expected = numeric.parts if len(numeric.parts) > 1 else numeric.parts[0]
    near = near_miss(value, expected, NAMED)
    if near is None:
        return result
    return CaseResult(check.credit.get(near.code, 0.0), near.code, near.message, result.facts, result.plot)


def _parts(value: Any, expected: tuple[Array, ...]) -> tuple[Array, ...] | CaseResult:
    """Return the gradient's parts as finite arrays of the right shapes, or what is wrong with them."""
    values = (value,) if len(expected) == 1 else value
    if not isinstance(values, tuple | list) or len(values) != len(expected):
        return CaseResult(
            0.0, "structure", f"it returned {describe(value)} where {len(expected)} arrays are expected"
        )
    found = []
    for part, right in zip(values, expected, strict=True):
        comparison = compare(part, right, np.inf)
        array = dense(part)
        if not comparison.equal or array is None:
            return CaseResult(0.0, comparison.code, comparison.message)
        if array.dtype.kind == "c" and array.imag.any():
            return CaseResult(0.0, "complex", "it has complex entries")
        found.append(np.asarray(array.real, dtype=np.float64).reshape(right.shape))
    return tuple(found)


def _against(parts: tuple[Array, ...], numeric: Numeric, check: GradientCheck, eps: float) -> CaseResult:
    """Compare a gradient with the numeric one, part by part; the worst part decides."""
    results = []
    for number, got in enumerate(parts):
        part = numeric.part(number)
        facts = _facts(got, part, check.wrt[number])
        results.append(_part(got, part, check.rtol, eps / EPS, facts, kink=numeric.kink))
    return min(results, key=lambda result: (result.fraction, not result.inconclusive))


def _part(got: Array, part: NumericPart, rtol: float, unit: float, facts: Facts, *, kink: bool) -> CaseResult:
    off = _size(got - part.right)
    slack, noise = part.slack(rtol, unit), part.noise
    decides = part.flat or noise <= slack
    if decides and off <= slack + noise:
        return CaseResult(1.0, facts=facts)
    if not decides and off <= slack + 4 * noise:
        return CaseResult(0.0, "inconclusive", KINK if kink else NOISY, facts, inconclusive=True)
    if got.size and not got.any():
        return CaseResult(0.0, "zero", "it is zero everywhere", facts, _plot(got, part.right))
    share = f"by {off / part.norm:.2g} of their norm" if part.norm else "which are zero"
    message = f"it differs from the finite differences of the cost {share}"
    return CaseResult(0.0, "values", message, facts, _plot(got, part.right))


def _facts(got: Array, part: NumericPart, name: str) -> Facts:
    """Return what a student can look into: the worst entry, both values there, and the errors."""
    if part.right.size == 0:
        return ()
    worst = np.unravel_index(int(np.argmax(np.abs(got - part.right))), part.right.shape)
    place = f"{name}[{', '.join(str(int(i)) for i in worst)}]" if worst else name
    facts = [
        ("worst entry", place),
        ("returned there", f"{got[worst]:.6g}"),
        ("finite difference there", f"{part.right[worst]:.6g}"),
    ]
    if part.norm:
        unit = part.right / part.norm  # so that no square of an entry over- or underflows
        facts += [
            ("relative error", f"{_size(got / part.norm - unit):.2g}"),
            ("noise of the finite differences", f"{part.noise / part.norm:.1g}"),
            ("best-fitting factor", f"{float(np.vdot(unit, got / part.norm)):.4g}"),
        ]
    return tuple(facts)


def _right_for_own(
    parts: tuple[Array, ...],
    own: Any,
    swept: Outcome | None,
    check: GradientCheck,
) -> bool | None:
    """Whether the directional derivatives of the student's own cost agree with their gradient; None if the
    differences of that cost do not tell.
    """
    if swept is not None and swept.kind is OutcomeKind.GRADER_FAULT:
        return None
    values, rtol = _numbers(swept, len(own.sweep.points)), check.rtol
    size = float(np.sqrt(sum(_size(part) ** 2 for part in parts)))
    if values is None or size == 0.0:
        return False
    centre, *around = values
    grid = np.reshape(around, (len(own.directions), len(own.steps), 2))
    undecided = not np.isfinite(centre)
    for direction, points in zip(own.directions, grid, strict=True):
        slope = sum(float(np.vdot(part, along)) for part, along in zip(parts, direction, strict=True))
        error, value = _own_slope(own.steps, points, centre)
        if not abs(slope - value) <= rtol * size + 4 * error:
            return False
        undecided |= error > OWN * rtol * size
    return None if undecided else True


def _own_slope(steps: tuple[float, ...], points: Array, centre: float) -> tuple[float, float]:
    """Return the estimated error and the value of a directional derivative of the student's cost.

    No more points can be asked for, so the noise is what the two smallest steps disagree about.
    """
    with np.errstate(all="ignore"):
        slopes = (points[:, 0] - points[:, 1]) / (2 * np.asarray(steps))
        noise = float(abs(slopes[-1] - slopes[-2]) * steps[-1])
    noise = noise if np.isfinite(noise) else 0.0
    found = extrapolate(steps, points[:, 0].tolist(), points[:, 1].tolist(), centre, noise)
    return found.error, found.value


def _numbers(swept: Outcome | None, count: int) -> list[float] | None:
    """Return the real numbers that a sweep gave, None if it did not give one at every point."""
    if swept is None or swept.kind is not OutcomeKind.RETURNED:
        return None
    if not isinstance(swept.value, tuple) or len(swept.value) != count:
        return None
    arrays = [dense(value) for value in swept.value]
    if any(array is None or array.size != 1 or array.dtype.kind == "c" for array in arrays):
        return None
    return [float(np.reshape(array, ())) for array in arrays if array is not None]


def _size(part: Array) -> float:
    return float(np.linalg.norm(part))


def _plot(got: Array, right: Array) -> Plot | None:
    """Return the points (finite difference, returned value), scaled so that no number shows, or None."""
    scale = max(float(np.abs(right).max(initial=0.0)), 1e-300)
    with np.errstate(all="ignore"):
        pairs = np.stack([right.ravel(), got.ravel()], axis=1)[:MAX_POINTS] / scale
    pairs = pairs[np.isfinite(pairs).all(axis=1)]
    points = tuple((float(x), float(y)) for x, y in pairs)
    if not points:
        return None
    title = "Your gradient against finite differences"
    return Plot("scatter", title, "finite difference", "returned", (("entries", points),))
