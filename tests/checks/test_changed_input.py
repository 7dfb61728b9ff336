"""Transformed inputs: the second call of a property that relates two calls."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.checks.property import PropertyCheck, changed_input, violation
from grader.course import Case
from grader.errors import AssignmentError
from grader.numerics.differentiate import DIRECTIONS, differentiate

SEEDS = st.integers(0, 10**6)
NAMES = ("P", "Y")


def check(name: str, argument: str | None = None, **options: Any) -> PropertyCheck:
    fields = {"id": "c", "title": "t", "points": 1, "type": "property", "inputs": "i", "property": name}
    return PropertyCheck.model_validate({**fields, "argument": argument, **options})


def points(seed: int) -> tuple[Case, np.random.Generator]:
    rng = np.random.default_rng(seed)
    return Case("case", (rng.random((5, 5)), rng.standard_normal((5, 3))), {"k": 1}), rng


def forces(P: Any, Y: Any) -> Any:
    """Return a function of the points that has all three symmetries, like the gradient of t-SNE."""
    apart = Y[:, None] - Y[None, :]
    return np.einsum("ij,ijk->ik", (P + P.T) / (1 + (apart**2).sum(axis=2)), apart)


@pytest.mark.parametrize("name", ["translation_invariant", "rotation_equivariant", "permutation_equivariant"])
@given(SEEDS)
def test_a_function_with_the_symmetry_has_it_on_the_two_inputs_and_another_has_not(
    name: str, seed: int
) -> None:
    case, rng = points(seed)
    along = ["P"] if name == "permutation_equivariant" else []
    other, relation = changed_input(check(name, "Y", along=along), case, NAMES, rng)
    assert other.keywords == {"k": 1}
    assert not np.allclose(other.args[1], case.args[1]) or len(np.unique(relation.permutation)) == 5
    assert violation(name, forces(*case.args), forces(*other.args), relation) < 1e-9

    def crooked(P: Any, Y: Any) -> Any:
        return forces(P, Y) * np.arange(1, 6)[:, None] + Y**2 * np.array([1.0, 2.0, 3.0])

    found = violation(name, crooked(*case.args), crooked(*other.args), relation)
    same_order = name.startswith("permutation") and (relation.permutation == np.arange(5)).all()
    assert found > 1e-6 or same_order


def test_the_input_itself_is_not_changed() -> None:
    case, rng = points(1)
    before = [part.copy() for part in case.args]
    for name in ("translation_invariant", "rotation_equivariant", "permutation_equivariant"):
        changed_input(check(name, "Y", along=["P"]), case, NAMES, rng)
    assert all((part == old).all() for part, old in zip(case.args, before, strict=True))


def test_a_rotation_keeps_all_distances() -> None:
    case, rng = points(2)
    other, relation = changed_input(check("rotation_equivariant", "Y"), case, NAMES, rng)
    np.testing.assert_allclose(relation.rotation @ relation.rotation.T, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(other.args[1], axis=1), np.linalg.norm(case.args[1], axis=1))
    assert other.args[0] is case.args[0]


@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_a_translation_is_as_large_as_the_points(size: float) -> None:
    case = Case("case", (size * np.random.default_rng(0).standard_normal((6, 2)),))
    other, _ = changed_input(check("translation_invariant", "Y"), case, ("Y",), np.random.default_rng(1))
    shift = other.args[0] - case.args[0]
    assert np.allclose(shift, shift[0], atol=1e-9 * max(size, 1.0))
    assert float(np.abs(shift).max()) > 0.1 * size


def test_points_of_integers_are_moved_by_fractions() -> None:
    case = Case("case", (np.arange(6).reshape(3, 2),))
    other, _ = changed_input(check("translation_invariant", "Y"), case, ("Y",), np.random.default_rng(1))
    assert other.args[0].dtype == np.float64


@pytest.mark.parametrize(
    ("argument", "along", "names"),
    [
        pytest.param("Z", [], NAMES, id="no such parameter"),
        pytest.param("Y", ["Q"], NAMES, id="no such parameter to permute along"),
        pytest.param("Z", [], ("P", "Y", "Z"), id="a parameter that the case leaves out"),
    ],
)
def test_an_argument_that_is_not_there_is_a_mistake_of_the_assignment(
    argument: str, along: list[str], names: tuple[str, ...]
) -> None:
    case, rng = points(4)
    with pytest.raises(AssignmentError, match="have no argument"):
        changed_input(check("permutation_equivariant", argument, along=along), case, names, rng)


def test_an_argument_without_coordinates_cannot_be_rotated_and_the_assignment_is_told() -> None:
    case = Case("case", (np.ones(4),))
    with pytest.raises(AssignmentError):
        changed_input(check("rotation_equivariant", "Y"), case, ("Y",), np.random.default_rng(0))


# the points at which a student's own cost is evaluated


def cost(a: Any, x: Any, scale: float = 1.0) -> float:
    return scale * float(np.sum(a * x**2))


@given(SEEDS)
def test_the_points_stand_in_pairs_around_the_case_along_each_direction(seed: int) -> None:
    rng = np.random.default_rng(seed)
    case = Case("case", (rng.standard_normal(3), rng.integers(-3, 3, 3)), {"scale": 2.0})
    numeric, own = differentiate(cost, case, ("x",), rng)
    np.testing.assert_allclose(numeric.parts[0], 4 * case.args[0] * case.args[1], atol=1e-8)
    points = own.sweep.points
    assert (own.sweep.places, len(points)) == ((1,), 1 + 2 * DIRECTIONS * len(own.steps))
    np.testing.assert_array_equal(points[0][0], case.args[1])
    assert (len(own.directions), sorted(own.steps, reverse=True)) == (DIRECTIONS, list(own.steps))
    (plus,), (minus,) = points[1], points[2]
    np.testing.assert_allclose((plus + minus) / 2, case.args[1], atol=1e-12)
    np.testing.assert_allclose(plus - minus, 2 * own.steps[0] * own.directions[0][0], atol=1e-12)


def test_the_gradient_has_one_part_for_each_argument_in_the_order_asked_for() -> None:
    case = Case("case", (np.array([1.0, 2.0]), np.array([3.0, -1.0])))
    numeric, own = differentiate(cost, case, ("x", "a"), np.random.default_rng(0))
    np.testing.assert_allclose(numeric.parts[0], [6.0, -4.0], rtol=1e-8)
    np.testing.assert_allclose(numeric.parts[1], [9.0, 1.0], rtol=1e-8)
    assert [len(direction) for direction in own.directions] == [2] * DIRECTIONS
    assert own.sweep.places == (1, 0)
    assert all(not np.array_equal(a, case.args[0]) for _, a in own.sweep.points[1:])


@pytest.mark.parametrize("name", ["y", "self"])
def test_an_argument_that_the_cost_does_not_have_is_named(name: str) -> None:
    case = Case("case", (np.ones(2), np.ones(2)))
    with pytest.raises(AssignmentError, match=f"the cost cost has no argument '{name}'"):
        differentiate(cost, case, ("x", name), np.random.default_rng(0))


def test_an_argument_that_the_case_leaves_out_is_a_mistake_of_the_assignment() -> None:
    with pytest.raises(AssignmentError):
        differentiate(cost, Case("case", (np.ones(2), np.ones(2))), ("scale",), np.random.default_rng(0))


def test_a_cost_without_a_finite_derivative_is_found_before_the_first_submission() -> None:
    def hole(x: Any) -> float:
        return float("nan")

    with pytest.raises(AssignmentError):
        differentiate(hole, Case("case", (np.ones(2),)), ("x",), np.random.default_rng(0))
