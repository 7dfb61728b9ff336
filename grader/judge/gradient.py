"""Judges a gradient against finite differences of the trusted cost and, failing that, of the student's own.

Accepted is what is explained by the estimated error of the finite differences plus a tolerance relative to
the norm of the numeric gradient; there is no absolute tolerance, so a gradient of size 1e-12 is judged as
strictly as one of size 1. Where the estimated error alone exceeds the tolerance and the difference does not
exceed both, nothing can be said: the result is inconclusive.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.judge.compare import compare, dense, describe
from grader.judge.finite_difference import extrapolate
from grader.judge.near_miss import near_miss
from grader.judge.result import CaseResult
from grader.records import Outcome, OutcomeKind, Plot
from grader.rubric.model import GradientCheck

Array = NDArray[np.float64]
MAX_POINTS = 400


def judge_gradient_case(
    check: GradientCheck, case: tuple[Any, ...], outcomes: Mapping[str, Outcome]
) -> CaseResult:
    """Return what one input says of a gradient."""
    identity, numeric, own, own_calls = case
    outcome = outcomes.get(identity)
    if outcome is None or outcome.kind is not OutcomeKind.RETURNED:
        return CaseResult.died(outcome)
    if not all(np.isfinite(part).all() for part in (*numeric.parts, *numeric.errors)):
        message = "there are no finite differences here to tell right from wrong"
        return CaseResult(0.0, "inconclusive", message, inconclusive=True)
    expected = numeric.parts if len(numeric.parts) > 1 else numeric.parts[0]
    parts = _parts(outcome.value, numeric.parts)
    if isinstance(parts, CaseResult):
        near = near_miss(outcome.value, expected, 1e-3)
        return (
            parts if near is None else CaseResult(check.credit.get(near.code, 0.0), near.code, near.message)
        )
    result = _against(parts, numeric.parts, numeric.errors, check.rtol)
    if result.fraction == 1.0 or result.inconclusive:
        return result
    if check.own_cost and _right_for_own(parts, own, own_calls, outcomes, check.rtol):
        message = f"it is the right gradient of your own {check.cost}"
        return CaseResult(check.own_cost, "follow_through", message, result.facts, result.plot)
    near = near_miss(outcome.value, expected, 1e-3)
    credit = check.credit.get(near.code, 0.0) if near else 0.0
    return CaseResult(credit, near.code, near.message, result.facts, result.plot) if near else result


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


def _against(
    parts: tuple[Array, ...], numeric: tuple[Array, ...], errors: tuple[Array, ...], rtol: float
) -> CaseResult:
    """Compare a gradient with the numeric one, part by part; the worst part decides."""
    results = [
        _part(got, right, error, rtol) for got, right, error in zip(parts, numeric, errors, strict=True)
    ]
    return min(results, key=lambda result: (result.fraction, not result.inconclusive))


def _part(got: Array, right: Array, error: Array, rtol: float) -> CaseResult:
    difference = np.abs(got - right)
    norm, noise = float(np.linalg.norm(right)), float(np.linalg.norm(error))
    off = float(np.linalg.norm(difference))
    facts = _facts(difference, got, right, norm, noise)
    if off <= rtol * norm + noise and noise <= max(rtol * norm, _floor(norm, noise)):
        return CaseResult(1.0, facts=facts)
    if off <= rtol * norm + 4 * noise and noise > rtol * norm:
        message = "the finite differences are too noisy here to tell right from wrong"
        return CaseResult(0.0, "inconclusive", message, facts, inconclusive=True)
    if got.size and not got.any():
        return CaseResult(0.0, "zero", "it is zero everywhere", facts, _plot(got, right))
    message = (
        f"it differs from the finite differences of the cost by {off / max(norm, 1e-300):.2g} of their norm"
    )
    return CaseResult(0.0, "values", message, facts, _plot(got, right))


def _floor(norm: float, noise: float) -> float:
    """Return the noise that is tolerated where the true gradient is itself zero up to noise."""
    return noise if norm <= noise else 0.0


def _facts(
    difference: Array, got: Array, right: Array, norm: float, noise: float
) -> tuple[tuple[str, str], ...]:
    if right.size == 0:
        return ()
    worst = np.unravel_index(int(np.argmax(difference)), right.shape)
    scale = max(norm, 1e-300)
    return (
        ("relative error", f"{float(np.linalg.norm(difference)) / scale:.2g}"),
        ("worst entry", str(tuple(int(i) for i in worst))),
        ("noise of the finite differences", f"{noise / scale:.1g}"),
        ("best-fitting factor", f"{float(np.vdot(right, got)) / max(norm**2, 1e-300):.4g}"),
    )


def _right_for_own(
    parts: tuple[Array, ...], own: Any, calls: list[str], outcomes: Mapping[str, Outcome], rtol: float
) -> bool:
    """Whether the directional derivatives of the student's own cost agree with their gradient."""
    values = [_number(outcomes.get(call)) for call in calls]
    if not values or not np.isfinite(values).all():
        return False
    grid = np.reshape(values, (len(own.directions), len(own.steps), 2))
    size = float(np.sqrt(sum(float(np.sum(part**2)) for part in parts)))
    if size == 0.0:
        return False
    for direction, points in zip(own.directions, grid, strict=True):
        slope = sum(float(np.vdot(part, along)) for part, along in zip(parts, direction, strict=True))
        found = extrapolate(own.steps, points[:, 0].tolist(), points[:, 1].tolist())
        if abs(slope - found.value) > rtol * size + 4 * found.error or found.error > 100 * rtol * size:
            return False
    return True


def _number(outcome: Outcome | None) -> float:
    if outcome is None or outcome.kind is not OutcomeKind.RETURNED:
        return float("nan")
    array = dense(outcome.value)
    real = array is not None and array.size == 1 and array.dtype.kind != "c"
    return float(array.reshape(())) if array is not None and real else float("nan")


def _plot(got: Array, right: Array) -> Plot:
    """Return the points (finite difference, returned value), scaled so that no number shows."""
    scale = max(float(np.abs(right).max(initial=0.0)), 1e-300)
    pairs = np.stack([right.ravel(), got.ravel()], axis=1)[:MAX_POINTS] / scale
    points = tuple((float(x), float(y)) for x, y in pairs)
    title = "Your gradient against finite differences"
    return Plot("scatter", title, "finite difference", "returned", (("entries", points),))
