"""What the mathematics leaves free is taken out before values are compared, and nothing more than that."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from grader.numerics.compare import Tolerance
from grader.numerics.freedom import Freedom, compare_up_to, error_up_to, freed

Array = NDArray[Any]
SEEDS = st.integers(0, 10**6)
ROWS, COLUMNS = st.integers(5, 7), st.integers(1, 4)
ALLOWED = Tolerance(1e-8)
FREEDOMS: tuple[Freedom, ...] = ("sign", "rotation", "permutation", "factor")
RIGHT = np.array([[1.0, 2.5], [-3.25, 0.5], [0.75, -1.5]])


def change(freedom: Freedom, rng: np.random.Generator, k: int) -> Array:
    """Return a random k x k matrix of the kind that is free."""
    if freedom == "sign":
        return np.diag(rng.choice([-1.0, 1.0], k))
    if freedom == "permutation":
        return np.eye(k)[rng.permutation(k)]
    square = rng.standard_normal((k, k))
    return np.linalg.qr(square)[0] if freedom == "rotation" else square + 3 * np.eye(k)


def equal(got: Any, expected: Any, freedom: Freedom | None, allowed: Tolerance = ALLOWED) -> bool:
    return compare_up_to(got, expected, allowed, freedom).equal


@pytest.mark.parametrize("freedom", FREEDOMS)
@settings(deadline=None)
@given(SEEDS, ROWS, COLUMNS)
def test_a_matrix_changed_by_what_is_free_is_right(freedom: Freedom, seed: int, n: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    right = rng.standard_normal((n, k))
    assert equal(right @ change(freedom, rng, k), right, freedom)


@pytest.mark.parametrize("freedom", FREEDOMS)
@pytest.mark.parametrize("extra", ["text", None, {}, np.array(["a"])], ids=str)
def test_a_part_that_is_no_number_does_not_vanish_from_a_tuple(freedom: Freedom, extra: Any) -> None:
    assert equal((RIGHT,), (RIGHT,), freedom)
    for got in ((RIGHT, extra), (extra, RIGHT)):
        assert not equal(got, (RIGHT,), freedom)
        assert error_up_to(got, (RIGHT,), freedom) == np.inf


@pytest.mark.parametrize(("size", "counts"), [(1e-4, True), (5e-9, True), (2e-10, False), (0.0, False)])
def test_a_column_counts_for_what_columns_span_down_to_a_billionth_of_the_largest(
    size: float, counts: bool
) -> None:
    right = np.eye(4)[:, :2]
    got = right * [1.0, size]
    assert equal(got, right, "factor") is counts
    assert equal(got, right[:, :1], "factor", Tolerance(1e-6)) is False, "the shape must be right"


@pytest.mark.parametrize("freedom", FREEDOMS)
@settings(deadline=None)
@given(SEEDS, ROWS, COLUMNS)
def test_a_matrix_changed_otherwise_is_wrong(freedom: Freedom, seed: int, n: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    right = rng.standard_normal((n, k))
    turned = right @ change(freedom, rng, k)
    turned[rng.integers(n), rng.integers(k)] += 1.0
    assert not equal(turned, right, freedom)


@pytest.mark.parametrize("freedom", FREEDOMS)
@settings(deadline=None)
@given(SEEDS, ROWS, COLUMNS)
def test_the_second_factor_must_follow_what_was_done_to_the_first(
    freedom: Freedom, seed: int, n: int, k: int
) -> None:
    rng = np.random.default_rng(seed)
    a, b, turn = rng.standard_normal((n, k)), rng.standard_normal((k, 5)), change(freedom, rng, k)
    assert equal((a @ turn, np.linalg.inv(turn) @ b), (a, b), freedom)
    assert equal([a @ turn, np.linalg.inv(turn) @ b], (a, b), freedom)
    assert not equal((a @ turn, np.linalg.inv(turn) @ b + 0.1), (a, b), freedom)
    if np.abs(turn - np.eye(k)).max() > 0.1:
        assert not equal((a @ turn, b), (a, b), freedom)


@settings(deadline=None)
@given(SEEDS, ROWS, COLUMNS)
def test_each_freedom_contains_the_smaller_ones_and_no_larger_one(seed: int, n: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    right = rng.standard_normal((n, k))
    for inner, outer in (("sign", "rotation"), ("permutation", "rotation"), ("rotation", "factor")):
        assert equal(right @ change(inner, rng, k), right, outer)  # type: ignore[arg-type]
    if k > 1:
        assert not equal(right @ change("factor", rng, k), right, "rotation")
        assert not equal(right @ (change("rotation", rng, k) @ np.diag(np.arange(1.0, k + 1))), right, "sign")


@settings(deadline=None)
@given(SEEDS)
def test_the_parts_of_a_singular_value_decomposition_turn_together(seed: int) -> None:
    rng = np.random.default_rng(seed)
    u, s, vt = np.linalg.svd(rng.standard_normal((5, 3)), full_matrices=False)
    signs = np.diag([1.0, -1.0, -1.0])
    assert equal((u @ signs, s, signs @ vt), (u, s, vt), "sign")
    assert not equal((u @ signs, s, vt), (u, s, vt), "sign")
    assert not equal((u, -s, vt), (u, s, vt), "sign")
    order = rng.permutation(3)
    assert equal((u[:, order], s[order], vt[order]), (u, s, vt), "permutation")
    if (order != np.arange(3)).any():
        assert not equal((u[:, order], s, vt[order]), (u, s, vt), "permutation")


def test_a_number_beside_the_columns_stays_as_it_is() -> None:
    assert equal((-RIGHT, 2.0), (RIGHT, 2.0), "sign")
    assert not equal((-RIGHT, -2.0), (RIGHT, 2.0), "sign")
    assert not equal(-2.0, 2.0, "sign")


@pytest.mark.parametrize("freedom", FREEDOMS)
def test_a_vector_has_one_column_and_its_entries_are_what_may_change_places(freedom: Freedom) -> None:
    vector = np.array([3.0, 1.0, 2.0])
    assert equal(-vector, vector, freedom) == (freedom in ("sign", "rotation"))
    assert equal(np.sort(vector), vector, freedom) == (freedom == "permutation")


def test_the_best_assignment_is_found_where_the_nearest_column_is_taken() -> None:
    right = np.array([[0.0, 1.0, 2.0]] * 2)
    assert equal(np.array([[1.04, 2.04, 0.04]] * 2), right, "permutation", Tolerance(0.03))
    assert not equal(np.array([[1.0, 1.0, 2.0]] * 2), right, "permutation")


def test_a_column_space_of_another_rank_is_another_space() -> None:
    narrow = np.outer([1.0, 2.0, -1.0], [1.0, 3.0])
    assert equal(narrow[:, ::-1] * 2, narrow, "factor")
    assert not equal(RIGHT, narrow, "factor")
    assert not equal(narrow, RIGHT, "factor")
    assert equal((RIGHT @ RIGHT.T).astype(np.float32), RIGHT @ RIGHT.T, "factor", Tolerance(1e-4))


def test_a_factor_is_free_between_two_matrices_that_can_be_multiplied_only() -> None:
    for right in ((RIGHT, RIGHT), (RIGHT, 2.0, RIGHT.T)):
        assert equal(right, right, "factor")
        assert not equal(tuple(2 * part for part in right), right, "factor")


@pytest.mark.parametrize("freedom", FREEDOMS)
@pytest.mark.parametrize(
    ("got", "code"),
    [
        pytest.param(None, "structure", id="nothing"),
        pytest.param(RIGHT.T, "transposed", id="transposed"),
        pytest.param(np.where(RIGHT > 2, np.nan, RIGHT), "not_finite", id="NaN"),
        pytest.param(RIGHT[:, :1], "shape", id="a column missing"),
        pytest.param(np.ones((3, 2), dtype=int), "integer_dtype", id="integers"),
        pytest.param(np.zeros((3, 2)), "zero", id="zeros"),
        pytest.param(np.ones((3, 2)), "values", id="other values"),
    ],
)
def test_a_wrong_result_keeps_the_name_of_its_fault(freedom: Freedom, got: Any, code: str) -> None:
    found = compare_up_to(got, RIGHT, ALLOWED, freedom)
    assert (found.equal, found.code) == (False, code)
    assert ("and more than" in found.message) == (code in ("integer_dtype", "values"))


@pytest.mark.parametrize("freedom", FREEDOMS)
def test_a_result_that_exploded_is_a_wrong_value_and_no_crash(freedom: Freedom) -> None:
    huge = np.array([[1e300, 1.0], [1.0, -1e300], [1e300, 1e300]])
    assert compare_up_to(huge, RIGHT, ALLOWED, freedom).code == "values"
    assert not equal((huge, huge.T), (RIGHT, RIGHT.T), freedom)


def test_nothing_is_free_unless_the_rubric_says_so() -> None:
    assert not equal(-RIGHT, RIGHT, None)
    assert freed(-RIGHT, RIGHT, None)[0].tolist() == (-RIGHT).tolist()


@pytest.mark.parametrize(
    ("got", "expected", "away"),
    [
        pytest.param(RIGHT, RIGHT, 0.0, id="the same"),
        pytest.param((RIGHT, 1.5), (RIGHT, 1.0), 0.5, id="the worst part"),
        pytest.param((), (), 0.0, id="no parts"),
        pytest.param(RIGHT.T, RIGHT, np.inf, id="another shape"),
        pytest.param(RIGHT, (RIGHT,), np.inf, id="no tuple"),
        pytest.param(np.full((3, 2), np.nan), RIGHT, np.inf, id="NaN"),
        pytest.param("text", RIGHT, np.inf, id="no numbers"),
        pytest.param(np.zeros((0, 2)), np.zeros((0, 2)), 0.0, id="empty"),
    ],
)
@pytest.mark.parametrize("freedom", [None, "sign", "permutation", "factor"])
def test_the_distance_of_two_values(got: Any, expected: Any, away: float, freedom: Any) -> None:
    assert error_up_to(got, expected, freedom) == pytest.approx(away, abs=1e-12)


def test_complex_eigenvectors_may_have_another_sign() -> None:
    right = RIGHT + 1j * RIGHT[::-1]
    assert equal(right * np.array([1.0, -1.0]), right, "sign")
    assert not equal(right * np.array([1.0, 1j]), right, "sign")
    assert equal(right @ np.diag([1j, -1j]), right, "rotation")
