"""Conditioning: what rounding the input does to the right result is allowed, and no more."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from grader.course import Case
from grader.numerics.compare import EPS, SINGLE, Sensitivity, Tolerance, compare
from grader.numerics.conditioning import rounded, sensitivity
from grader.numerics.freedom import Freedom


def solve(case: Case) -> Any:
    return np.linalg.solve(case.args[0], case.args[1])


def hilbert(n: int) -> Any:
    return 1.0 / (np.arange(n)[:, None] + np.arange(n)[None, :] + 1)


def measured(result: Any, *args: Any, freedom: Freedom | None = None) -> Sensitivity:
    return sensitivity(result, Case("case", args), freedom, np.random.default_rng(0))


def test_a_well_conditioned_problem_hardly_moves_and_a_bad_one_by_its_condition() -> None:
    easy, hard = (measured(solve, matrix, np.ones(6)) for matrix in (np.eye(6), hilbert(6)))
    assert easy.double < 10 * EPS
    assert easy.single < 10 * SINGLE
    condition = np.linalg.cond(hilbert(6))
    assert 1e-4 * condition * EPS < hard.double < condition * EPS
    assert hard.single > 1e6 * hard.double


def test_a_right_result_in_single_precision_passes_where_the_problem_is_badly_conditioned() -> None:
    matrix, side = hilbert(5), np.ones(5)
    right = np.linalg.solve(matrix, side)
    single = np.linalg.solve(matrix.astype(np.float32), side.astype(np.float32))
    assert not compare(single, right, 1e-6).equal
    allowed = Tolerance(1e-6, sensitivity=measured(solve, matrix, side))
    assert compare(single, right, allowed).equal
    assert not compare(single.astype(np.float64), right, allowed).equal
    assert compare(right * (1 + 1e-12), right, allowed).equal
    assert not compare(right * 1.01, right, allowed).equal


@pytest.mark.parametrize("place", range(3))
def test_the_largest_change_of_all_draws_counts_and_not_the_smallest(place: int) -> None:
    """A rounding may move the input along a direction in which the result does not change."""
    moves = [0.0, *(1e-3 if draw == place else 0.0 for draw in range(3)), *[0.0, 0.25, 0.0]]
    results = iter([np.array([1.0, 1.0 + move]) for move in moves])
    found = measured(lambda case: next(results), 1.0)
    assert found.double == pytest.approx(1e-3, rel=0.5)
    assert found.single == pytest.approx(0.25, rel=0.5)


def test_what_is_free_counts_as_no_change() -> None:
    def eigenvectors(case: Case) -> Any:
        vectors = np.linalg.eigh(case.args[0])[1]
        return vectors * np.sign(np.random.default_rng(int(case.args[0][0, 1] * 1e18)).standard_normal(4))

    matrix = np.diag([1.0, 2.0, 3.0, 4.0]) + 0.1
    assert measured(eigenvectors, matrix).double > 0.1
    assert measured(eigenvectors, matrix, freedom="sign").double < 1e-12


def test_only_numbers_that_can_be_rounded_are_changed() -> None:
    whole, fractions = np.arange(3), np.array([0.0, 0.5, -2.0])
    case = Case("a", (whole, fractions, csr_matrix(np.eye(2)), csr_matrix(np.eye(2, dtype=int)), "svd", 3))
    case = Case("a", (*case.args, True, 0.25, None), {"lr": 0.5, "z": np.array([1j])}, {"secret": 1})
    moved = rounded(case, 1e-3, np.random.default_rng(1))
    assert moved.args[0] is whole
    assert moved.args[1][0] == 0.0
    np.testing.assert_allclose(np.abs(moved.args[1][1:] / fractions[1:] - 1), 1e-3)
    assert 0 < np.abs(moved.args[2] - np.eye(2)).max() <= 1.001e-3
    assert (moved.args[2].toarray() != 0).sum() == 2
    assert moved.args[3] is case.args[3]
    assert moved.args[4:7] == ("svd", 3, True)
    assert 0 < abs(moved.args[7] / 0.25 - 1) <= 1e-3
    assert moved.args[8] is None
    assert moved.keywords["lr"] != 0.5
    assert moved.keywords["z"][0] != 1j
    assert moved.known == {"secret": 1}
    assert case.args[1].tolist() == [0.0, 0.5, -2.0]


@pytest.mark.parametrize(
    ("eps", "change"), [(EPS, 1e-12), (SINGLE, 1e-4), (1024 * SINGLE, 0.1024)], ids=["64", "32", "coarser"]
)
def test_the_change_that_is_allowed_is_that_of_the_dtype_that_came_back(eps: float, change: float) -> None:
    assert Sensitivity(1e-12, 1e-4).at(eps) == pytest.approx(change)
