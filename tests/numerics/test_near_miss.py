"""near_miss: names the one transformation that a wrong array is away from the right one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.sparse import csr_matrix

from grader.numerics.near_miss import near_miss

RTOL = 1e-4
SQUARE = np.array([[1.0, 2.5, -3.25], [0.5, 0.125, 4.0], [7.5, -1.5, 2.25]])
WIDE = SQUARE[:2]
ENTRIES = st.floats(-100, 100, allow_nan=False).map(lambda x: round(x, 3))
ARRAYS = hnp.arrays(np.float64, hnp.array_shapes(max_dims=3, min_side=2, max_side=4), elements=ENTRIES)


def code(got: Any, expected: Any, rtol: float = RTOL) -> str:
    found = near_miss(got, expected, rtol)
    return found.code if found else ""


@pytest.mark.parametrize(
    ("got", "expected", "named"),
    [
        pytest.param(-SQUARE, SQUARE, "sign", id="the sign"),
        pytest.param(SQUARE / 4, SQUARE, "constant_factor", id="a factor forgotten"),
        pytest.param(-2 * SQUARE, SQUARE, "constant_factor", id="a factor and the sign"),
        pytest.param(2 * SQUARE + 0j, SQUARE + 0j, "constant_factor", id="complex numbers, doubled"),
        pytest.param(csr_matrix(2 * SQUARE), SQUARE, "constant_factor", id="a sparse one, doubled"),
        pytest.param([2.0, 4.0], np.array([1.0, 2.0]), "constant_factor", id="a list, doubled"),
        pytest.param(SQUARE.T, SQUARE, "transposed", id="a square transposed"),
        pytest.param(WIDE.T, WIDE, "transposed", id="a rectangle transposed"),
        pytest.param(WIDE[:1].T, WIDE[:1], "transposed", id="a column in place of a row"),
        pytest.param(WIDE.ravel(), WIDE, "reshaped", id="flattened"),
        pytest.param(WIDE[0][:, None], WIDE[0], "reshaped", id="a column in place of a vector"),
        pytest.param(WIDE.reshape(3, 2), WIDE, "reshaped", id="the same entries in other rows"),
        pytest.param(np.trunc(SQUARE), SQUARE, "integer_dtype", id="fractions cut off"),
        pytest.param(SQUARE.astype(np.int64), SQUARE, "integer_dtype", id="an array of integers"),
        pytest.param((-SQUARE, -WIDE), (SQUARE, WIDE), "sign", id="the sign of all parts"),
        pytest.param([SQUARE.T, WIDE.T], (SQUARE, WIDE), "transposed", id="all parts transposed"),
    ],
)
def test_a_known_slip_is_named(got: Any, expected: Any, named: str) -> None:
    found = near_miss(got, expected, RTOL)
    assert found is not None
    assert found.code == named
    assert found.message


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        pytest.param(None, SQUARE, id="nothing came back"),
        pytest.param("text", SQUARE, id="text"),
        pytest.param(SQUARE > 0, SQUARE, id="truth values"),
        pytest.param(2 * SQUARE, None, id="nothing to compare with"),
        pytest.param(np.where(SQUARE > 4, np.nan, -SQUARE), SQUARE, id="NaN among the negated"),
        pytest.param(np.where(SQUARE > 4, np.inf, -SQUARE), SQUARE, id="infinity among the negated"),
        pytest.param(np.zeros((3, 3)), SQUARE, id="zero everywhere"),
        pytest.param(np.zeros((3, 3)), SQUARE / 100, id="zero where all fractions would be cut off"),
        pytest.param(SQUARE, np.zeros((3, 3)), id="anything where zero is right"),
        pytest.param(SQUARE[:, ::-1], SQUARE, id="columns reversed"),
        pytest.param(SQUARE + 1, SQUARE, id="a constant added"),
        pytest.param(SQUARE * [[2.0], [2.0], [2.1]], SQUARE, id="factors that differ by row"),
        pytest.param(WIDE, SQUARE, id="a row missing"),
        pytest.param(WIDE.T + 1, WIDE, id="transposed and wrong"),
        pytest.param(2 * WIDE.ravel(), WIDE, id="flattened and doubled"),
        pytest.param(3.0, 1.5, id="a number twice as large, which proves nothing"),
        pytest.param(2j * SQUARE, SQUARE + 0j, id="an imaginary factor"),
        pytest.param(np.trunc(SQUARE), SQUARE + 0j, id="fractions cut off complex numbers"),
        pytest.param((-SQUARE, 2 * WIDE), (SQUARE, WIDE), id="parts with different slips"),
        pytest.param((-SQUARE, WIDE), (SQUARE, WIDE), id="one part of two"),
        pytest.param((-SQUARE,), (SQUARE, WIDE), id="a part missing"),
        pytest.param(-SQUARE, (SQUARE, WIDE), id="no tuple"),
        pytest.param(np.zeros(0), np.zeros(0), id="empty"),
    ],
)
def test_what_is_no_known_slip_is_not_named(got: Any, expected: Any) -> None:
    assert near_miss(got, expected, RTOL) is None


@pytest.mark.parametrize("unit", [2.0**-800, 2.0**-400, 2.0**400, 2.0**800])
def test_a_factor_is_found_where_the_squares_of_the_entries_cannot_be_written(unit: float) -> None:
    for factor, code in ((2.0, "constant_factor"), (-1.0, "sign")):
        found = near_miss(factor * unit * SQUARE, unit * SQUARE, RTOL)
        assert found is not None
        assert found.code == code


@given(ARRAYS, st.floats(-50, 50))
def test_any_other_factor_than_one_is_named_with_its_size(right: Any, factor: float) -> None:
    assume(np.abs(right).max() > 0.1 and abs(factor) > 1e-3 and abs(abs(factor) - 1) > 1e-2)
    found = near_miss(factor * right, right, RTOL)
    assert found is not None
    assert found.code == "constant_factor"
    assert found.message.endswith(f"{factor:.4g}")


@given(ARRAYS)
def test_the_wrong_sign_is_named_and_not_taken_for_a_factor(right: Any) -> None:
    assume(np.abs(right).max() > 0.1)
    assert code(-right, right) == "sign"


@given(ARRAYS, st.integers(0, 10**6))
def test_noise_of_half_the_size_is_never_named(right: Any, seed: int) -> None:
    assume(np.count_nonzero(right) > 1)
    noise = np.random.default_rng(seed).uniform(0.25, 0.5, right.shape)
    signs = np.where(np.arange(right.size).reshape(right.shape) % 2, 1.0, -1.0)
    assert code(right + noise * signs * np.abs(right).max(), right) == ""


@given(hnp.arrays(np.float64, hnp.array_shapes(min_dims=2, max_dims=2, max_side=4), elements=ENTRIES))
def test_a_transposed_array_is_named_whatever_its_shape(right: Any) -> None:
    assume(np.abs(right).max() > 0.1)
    assume(right.shape[0] != right.shape[1] or code(right.T, right) not in ("sign", "constant_factor"))
    assert code(right.T, right) == "transposed"


@given(
    st.sampled_from([-SQUARE, 3 * SQUARE, SQUARE.T, SQUARE.ravel(), np.zeros((3, 3)), SQUARE + 1, SQUARE**2]),
    st.integers(-60, 60),
)
def test_the_slip_that_is_named_does_not_depend_on_the_unit_of_the_numbers(got: Any, power: int) -> None:
    unit = 2.0**power
    assert code(got * unit, SQUARE * unit) == code(got, SQUARE)


def test_a_wrong_result_where_the_right_one_is_tiny_is_not_called_a_factor() -> None:
    assert near_miss(SQUARE[::-1], 1e-16 * SQUARE, 1e-3) is None


@pytest.mark.parametrize("rtol", [1e-3, 1e-6])
def test_a_value_that_is_right_within_the_tolerance_is_not_called_a_factor_of_one(rtol: float) -> None:
    got = SQUARE * (1 + 0.4 * rtol * np.array([1.0, -1.0, 1.0]))
    found = near_miss(got, SQUARE, rtol)
    assert found is None, found


@pytest.mark.parametrize("size", [1e307, 1.7e308])
def test_a_result_that_overflows_is_not_called_a_factor(size: float) -> None:
    assert near_miss(np.array([size, size]), np.array([100.0, -100.0]), RTOL) is None
