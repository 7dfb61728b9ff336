"""Planning a gradient check: large inputs, gradients that are zero, inputs that decide nothing."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from grader.checks.gradient import GradientCase, GradientCheck
from grader.checks.result import CaseResult
from grader.course import Case
from grader.course.assignment import Assignment
from grader.course.rubric import Rubric
from grader.errors import AssignmentError
from grader.numerics.differentiate import MOST_ENTRIES, differentiate
from grader.plan.planner import ATTEMPTS, make_plan
from grader.records import Outcome, OutcomeKind
from grader.subjects import Call

BASE = {
    "id": "g",
    "title": "t",
    "points": 1,
    "type": "gradient",
    "inputs": "i",
    "cost": "cost",
    "wrt": ("x",),
}
CHECK = GradientCheck.model_validate(BASE)


def kl(p: Any, x: Any) -> float:
    q = similarities(x)
    return float(np.sum(p[p > 0] * np.log(p[p > 0] / q[p > 0])))


def similarities(x: Any) -> Any:
    inverse = 1 / (1 + ((x[:, None] - x[None]) ** 2).sum(axis=-1))
    np.fill_diagonal(inverse, 0.0)
    return inverse / inverse.sum()


def slope(p: Any, x: Any) -> Any:
    apart = x[:, None] - x[None]
    weights = (p - similarities(x)) / (1 + (apart**2).sum(axis=-1))
    return 4 * np.einsum("ij,ijd->id", weights, apart)


def waves(x: Any) -> float:
    return float(np.sum(np.sin(x) * np.arange(x.size).reshape(x.shape)) / x.size)


def slope_of_waves(x: Any) -> Any:
    return np.cos(x) * np.arange(x.size).reshape(x.shape) / x.size


def judged(value: Any, cost: Callable[..., Any], case: Case, trusted: Any = None) -> CaseResult:
    gradient = None if trusted is None else lambda near: trusted(*near.args)
    numeric, own = differentiate(cost, case, ("x",), np.random.default_rng(0), gradient)
    outcome = {"call": Outcome(OutcomeKind.RETURNED, value)}
    return GradientCase((Call("call", "f", ()),), case, CHECK, numeric, own).judge(outcome, None)


LARGE = Case("large", (np.random.default_rng(1).standard_normal((40, 5)),))


def test_a_large_input_is_judged_entry_by_entry_with_differences_along_few_directions() -> None:
    assert LARGE.args[0].size > MOST_ENTRIES
    asked: list[int] = []

    def cost(x: Any) -> float:
        asked.append(1)
        return waves(x)

    right = slope_of_waves(LARGE.args[0])
    assert judged(right, cost, LARGE, slope_of_waves).fraction == 1.0
    assert len(asked) < 8 * LARGE.args[0].size
    wrong = right.copy()
    wrong[17, 3] += 0.1 * np.linalg.norm(right)
    found = judged(wrong, cost, LARGE, slope_of_waves)
    assert found.fraction < 0.1
    assert not found.inconclusive
    assert dict(found.facts)["worst entry"] == "x[17, 3]"
    assert judged(0 * right, waves, LARGE, slope_of_waves).code == "zero"


def test_a_trusted_gradient_that_is_not_that_of_the_cost_is_found_before_the_first_submission() -> None:
    with pytest.raises(AssignmentError, match="does not agree"):
        judged(None, waves, LARGE, lambda x: 1.01 * slope_of_waves(x))


@pytest.mark.parametrize(
    "value", [np.ones(3), 1.0, (np.ones((40, 5)),)], ids=["another shape", "a number", "a tuple"]
)
def test_a_trusted_gradient_of_another_shape_is_a_mistake_of_the_assignment(value: Any) -> None:
    with pytest.raises(AssignmentError, match="shapes"):
        judged(None, waves, LARGE, lambda x: value)


@pytest.mark.parametrize("trusted", [slope, None], ids=["with a reference", "at home"])
@pytest.mark.parametrize("seed", range(5))
def test_two_points_have_a_gradient_of_zero_and_rounding_is_no_mistake(trusted: Any, seed: int) -> None:
    p = np.array([[0.0, 0.5], [0.5, 0.0]])
    case = Case("two points", (p, np.random.default_rng(seed).standard_normal((2, 2))))
    rounding = [np.full((2, 2), 1e-17)] if trusted else []
    for value in (np.zeros((2, 2)), slope(*case.args), *rounding):
        found = judged(value, kl, case, trusted)
        assert found.fraction == 1.0, found
    for value in (case.args[1], np.full((2, 2), 1e-9)):
        found = judged(value, kl, case, trusted)
        assert (found.fraction, found.inconclusive) == (0.0, False)


def test_zeros_are_not_accepted_where_a_gradient_is_only_smaller_than_the_noise() -> None:
    p = np.random.default_rng(2).random((5, 5))
    p = (p + p.T) * (1 - np.eye(5))
    case = Case("tiny", (p / p.sum(), 1e-14 * np.random.default_rng(3).standard_normal((5, 2))))
    assert judged(np.zeros((5, 2)), kl, case, slope).inconclusive
    assert judged(slope(*case.args), kl, case, slope).inconclusive


def course(generator: Callable[[Any], list[Case]]) -> Assignment:
    inputs = types.ModuleType("inputs")
    inputs.points = generator  # type: ignore[attr-defined]
    namespace = {"cost": lambda x: float(np.abs(x).sum()), "slope": np.sign, "double": lambda x: 2 * x}
    return Assignment("tiny", None, None, None, namespace, inputs, None, {})  # type: ignore[arg-type]


def rubric(kind: str, function: str, **options: Any) -> Rubric:
    check = {"id": "c", "title": "t", "points": 1, "type": kind, "inputs": "points", **options}
    asked = {"id": "q", "title": "t", "points": 1, "function": function, "checks": [check]}
    return Rubric.model_validate({"assignment": "tiny", "title": "t", "questions": [asked]})


def drawn(kinks: int) -> tuple[Any, Any]:
    """Return a plan whose generator draws a point on a kink so many times, and what it drew at last."""
    points: list[Any] = []

    def generator(rng: Any) -> list[Case]:
        points.append(np.array([0.0, 1.0]) if len(points) <= kinks else rng.standard_normal(2) + 3)
        return [Case("drawn", (points[-1],))]

    made = make_plan(rubric("gradient", "slope", cost="cost", wrt=["x"]), course(generator))
    (case,) = made.checks[0].cases
    assert isinstance(case, GradientCase)
    assert made.calls == case.calls
    return case.numeric, made.calls[0].args[0]


@pytest.mark.parametrize("kinks", [1, ATTEMPTS - 1])
def test_an_input_that_decides_nothing_is_drawn_again(kinks: int) -> None:
    numeric, point = drawn(kinks)
    assert numeric.decides(1e-4)
    assert not numeric.kink
    assert point.min() > 0


def test_an_input_is_kept_where_no_other_decides_either() -> None:
    numeric, point = drawn(1000)
    assert numeric.kink
    assert not numeric.decides(1e-4)
    assert point.tolist() == [0.0, 1.0]


def test_the_reference_is_asked_about_rounding_once_more_for_a_conditioned_check() -> None:
    trusted = course(lambda rng: [Case("drawn", (rng.standard_normal(4),))])
    made = make_plan(rubric("reference", "double", conditioned=True), trusted)
    sensitivities = [case.sensitivity for case in made.checks[0].cases]  # type: ignore[attr-defined]
    assert all(0 < each.double < 1e-15 < 1e-8 < each.single < 1e-6 for each in sensitivities)
    plain = make_plan(rubric("reference", "double"), trusted)
    assert all(case.sensitivity.single == 0.0 for case in plain.checks[0].cases)  # type: ignore[attr-defined]


def test_at_the_optimum_a_gradient_of_zero_but_for_rounding_is_right_whatever_the_noise() -> None:
    y = np.random.default_rng(6).standard_normal((5, 2))
    case = Case("optimum", (similarities(y), y))
    for value in (np.zeros((5, 2)), slope(*case.args)):
        assert judged(value, kl, case, slope).fraction == 1.0
    found = judged(np.full((5, 2), 1e-6), kl, case, slope)
    assert (found.fraction, found.inconclusive) == (0.0, False)
    numeric, _ = differentiate(kl, case, ("x",), np.random.default_rng(0), lambda near: slope(*near.args))
    assert numeric.decides(1e-4)


@pytest.mark.parametrize("scale", [0.0, 1e-6, 1.0, 1e6])
def test_the_own_cost_is_asked_at_ever_smaller_steps_on_both_sides_and_at_the_point_itself(
    scale: float,
) -> None:
    """What the two smallest disagree about is its noise, so they may not be the same."""
    point = scale * np.array([1.0, -2.0, 0.5])
    case = Case("case", (point,))
    own = differentiate(lambda x: float(np.sum(x**2)), case, ("x",), np.random.default_rng(0))[1]
    steps = np.asarray(own.steps)
    assert (steps[:-1] > steps[1:]).all()
    assert np.allclose(steps[-3:-1] / steps[-2:], 4.0)
    assert np.isclose(steps[0] / steps[1], steps[1] / steps[2])
    assert steps[0] >= 4**4 * steps[-1] * (1 - 1e-12)
    assert steps[-1] <= 1e-4 * np.abs(point).max() * (1 + 1e-12) or scale == 0.0
    assert own.sweep.places == (0,)
    (centre,), *around = own.sweep.points
    assert centre.tolist() == point.tolist()
    moves = [sign * h * along for (along,) in own.directions for h in own.steps for sign in (1, -1)]
    assert len(moves) == len(around)
    for move, (moved,) in zip(moves, around, strict=True):
        np.testing.assert_allclose(moved, point + move, rtol=1e-12)
