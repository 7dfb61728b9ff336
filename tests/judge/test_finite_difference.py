"""Central differences: right at every scale, and honest about their own error."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from grader.judge.finite_difference import RATIO, RUNGS, Derivative, extrapolate, ladder, numeric_gradient

Array = NDArray[np.float64]


def quadratic(seed: int, size: int) -> tuple[Callable[[Array], float], Callable[[Array], Array]]:
    """Return a random smooth function and its gradient."""
    rng = np.random.default_rng(seed)
    a, b, c = rng.standard_normal((size, size)), rng.standard_normal(size), rng.standard_normal(size)

    def f(x: Array) -> float:
        return float(x @ a @ x / 2 + b @ x + np.sin(c @ x))

    def gradient(x: Array) -> Array:
        return (a + a.T) @ x / 2 + b + np.cos(c @ x) * c

    return f, gradient


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 5), st.floats(-3, 2))
def test_the_gradient_of_a_random_smooth_function_is_found(seed: int, size: int, power: float) -> None:
    f, gradient = quadratic(seed, size)
    x = 10.0**power * np.random.default_rng(seed).standard_normal(size)
    found, error, _ = numeric_gradient(f, x)
    right = gradient(x)
    size, off = float(np.linalg.norm(right)), float(np.linalg.norm(found - right))
    assert off <= 1e-7 * max(1.0, float(np.abs(x).max())) * size + 1e-9
    assert off <= 30 * float(np.linalg.norm(error)) + 1e-9 * size


@settings(deadline=None)
@given(st.integers(0, 10**6), st.floats(-6, 6))
def test_the_error_grows_with_the_noise_of_the_function(seed: int, power: float) -> None:
    offset = 10.0**power
    f, _ = quadratic(seed, 2)
    x = np.array([0.3, -0.7])
    _, quiet, _ = numeric_gradient(f, x)
    _, noisy, _ = numeric_gradient(lambda y: f(y) + 1e6 * offset, x)
    if offset > 1:
        assert noisy.max() > quiet.max()


@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1.0, 1e3, 1e6])
def test_a_sum_of_squares_is_differentiated_at_every_scale(scale: float) -> None:
    x = scale * np.array([[1.0, -2.0], [0.5, 3.0]])
    found, error, _ = numeric_gradient(lambda y: float(np.sum(y**2)), x)
    assert found.shape == error.shape == x.shape
    np.testing.assert_allclose(found, 2 * x, atol=1e-9 * max(scale, 1e-3), rtol=1e-8)


def test_a_point_of_integers_is_moved_by_fractions() -> None:
    found, _, _ = numeric_gradient(lambda y: float(np.sum(y**3)), np.array([1, 2]))
    np.testing.assert_allclose(found, [3.0, 12.0], rtol=1e-8)


def test_the_point_itself_is_never_changed() -> None:
    x = np.array([1.0, 2.0])
    numeric_gradient(lambda y: float(y.sum()), x)
    assert x.tolist() == [1.0, 2.0]


@pytest.mark.parametrize("shape", [(), (0,), (0, 3)], ids=str)
def test_a_number_and_an_empty_array_have_a_gradient_of_their_own_shape(shape: tuple[int, ...]) -> None:
    found, error, step = numeric_gradient(lambda y: 3.0 * float(y.sum()), np.ones(shape))
    assert found.shape == error.shape == shape
    assert step > 0
    assert np.allclose(found, 3.0)


def test_the_steps_are_each_a_quarter_of_the_last_and_begin_at_the_scale_of_the_point() -> None:
    steps = ladder(1000.0)
    assert steps[0] == pytest.approx(100.0)
    assert np.allclose(steps[:-1] / steps[1:], RATIO)
    assert len(steps) == RUNGS
    assert ladder(1e-9)[0] == pytest.approx(0.1)
    assert len(ladder(1.0, rungs=3)) == 3


def test_extrapolation_is_exact_for_a_cubic() -> None:
    steps = [0.4, 0.1]
    found = extrapolate(steps, [(1 + h) ** 3 for h in steps], [(1 - h) ** 3 for h in steps])
    assert found.value == pytest.approx(3.0, abs=1e-12)
    assert found.step == 0.1
    assert found.error == pytest.approx(0.01, rel=1e-3)  # what the extrapolation changed: h^2


def test_a_rung_that_is_not_finite_is_passed_over() -> None:
    steps = [0.4, 0.1, 0.025]
    plus, minus = ([1 + s * h for h in steps] for s in (1, -1))
    found = extrapolate(steps, [np.inf, *plus[1:]], [np.nan, *minus[1:]])
    assert found.value == pytest.approx(1.0)
    assert np.isfinite(found.error)
    assert found.step == 0.025


def test_a_function_that_is_nowhere_finite_has_an_infinite_error() -> None:
    found = extrapolate([0.4, 0.1], [np.nan, np.nan], [1.0, 1.0])
    assert isinstance(found, Derivative)
    assert found.error == np.inf


def test_the_error_of_a_kink_is_as_large_as_the_jump_of_the_slope() -> None:
    steps = ladder(1.0)
    kink = extrapolate(
        steps.tolist(), [abs(0.01 + h) for h in steps], [abs(0.01 - h) for h in steps]
    )  # the largest steps straddle the kink, the small ones do not
    assert kink.value == pytest.approx(1.0, abs=1e-9)
    assert kink.step < 0.01
