"""Central differences: right at every scale, and honest about their own error."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from grader.numerics.finite_difference import (
    RATIO,
    RUNGS,
    Derivative,
    derivatives,
    extrapolate,
    ladder,
    measured_noise,
    numeric_gradient,
)

Array = NDArray[np.float64]
POINT = np.array([0.3, -0.7, 1.9])


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
    found = numeric_gradient(f, x)
    right = gradient(x)
    norm, off = float(np.linalg.norm(right)), float(np.linalg.norm(found.values - right))
    assert off <= 1e-8 * max(1.0, float(np.abs(x).max())) * norm + 1e-9
    assert off <= 4 * float(np.linalg.norm(found.errors)) + 1e-12 * norm
    assert not found.jumps.any()


@pytest.mark.parametrize("offset", [1e3, 1e6, 1e9])
def test_the_error_grows_with_what_is_lost_to_rounding(offset: float) -> None:
    f, _ = quadratic(3, 3)
    quiet, noisy = numeric_gradient(f, POINT), numeric_gradient(lambda y: f(y) + offset, POINT)
    assert noisy.errors.max() > 10 * quiet.errors.max()
    assert (np.abs(noisy.values - quiet.values) <= noisy.errors).all()


@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1.0, 1e3, 1e6])
def test_a_sum_of_squares_is_differentiated_at_every_scale(scale: float) -> None:
    x = scale * np.array([[1.0, -2.0], [0.5, 3.0]])
    found = numeric_gradient(lambda y: float(np.sum(y**2)), x)
    assert found.values.shape == found.errors.shape == found.jumps.shape == x.shape
    np.testing.assert_allclose(found.values, 2 * x, atol=1e-9 * max(scale, 1e-3), rtol=1e-8)


@pytest.mark.parametrize(
    ("f", "gradient"),
    [
        pytest.param(lambda x: np.sin(1e6 * x).sum(), lambda x: 1e6 * np.cos(1e6 * x), id="a fast wave"),
        pytest.param(
            lambda x: np.sin(40 * np.pi * x).sum(),
            lambda x: 40 * np.pi * np.cos(40 * np.pi * x),
            id="a wave whose period divides round steps",
        ),
        pytest.param(lambda x: np.float32(np.sin(x).sum()), np.cos, id="single precision"),
        pytest.param(lambda x: round(float(np.sin(x).sum()), 6), np.cos, id="rounded to six places"),
        pytest.param(lambda x: ((x + 1e8) - 1e8).sum(), np.ones_like, id="cancellation"),
        pytest.param(lambda x: np.abs(x - 0.2999).sum(), lambda x: np.sign(x - 0.2999), id="a kink nearby"),
        pytest.param(lambda x: np.log(x + 0.8).sum(), lambda x: 1 / (x + 0.8), id="a border of the domain"),
        pytest.param(lambda x: np.exp(300 * x).sum(), lambda x: 300 * np.exp(300 * x), id="overflow nearby"),
    ],
)
@np.errstate(all="ignore")
def test_the_error_is_never_less_than_what_the_derivative_is_off(
    f: Callable[[Array], float], gradient: Callable[[Array], Array]
) -> None:
    found = numeric_gradient(lambda x: float(f(x)), POINT)
    right = gradient(POINT)
    assert (np.abs(found.values - right) <= 2 * found.errors + 4e-14 * np.abs(right)).all()
    assert np.linalg.norm(found.errors) <= 1e-3 * np.linalg.norm(right)


def test_a_function_that_raises_outside_of_its_domain_is_differentiated_inside() -> None:
    def f(x: Array) -> float:
        if x.min() < 0.25:
            raise ValueError("outside")
        return float(np.sqrt(x - 0.25).sum())

    found = numeric_gradient(f, np.array([0.2501, 2.0]))
    np.testing.assert_allclose(found.values, [50.0, 0.5 / np.sqrt(1.75)], rtol=1e-8)


def test_a_function_that_raises_at_the_point_itself_does_not_pass_for_one_without_derivative() -> None:
    with pytest.raises(ZeroDivisionError):
        numeric_gradient(lambda x: 1 / 0, POINT)


def test_a_function_of_pure_noise_has_an_error_as_large_as_its_derivative() -> None:
    found = numeric_gradient(lambda x: float(zlib.crc32(x.tobytes()) % 97), POINT)
    assert (found.errors >= np.abs(found.values)).all()


@pytest.mark.parametrize("depth", [0.0, 1.0])
def test_a_kink_at_the_point_is_noticed_and_its_jump_becomes_the_error(depth: float) -> None:
    def f(x: Array) -> float:
        return float(3 * np.maximum(x, 0).sum() + np.sin(x).sum() + depth * np.sum(x**2))

    found = numeric_gradient(f, np.array([0.0, 1.0, -2.0]))
    assert found.jumps[0] == pytest.approx(3.0, rel=1e-6)
    assert found.errors[0] == pytest.approx(1.5, rel=1e-6)
    assert found.jumps[1:].tolist() == [0.0, 0.0]


def test_a_point_of_integers_is_moved_by_fractions() -> None:
    found = numeric_gradient(lambda y: float(np.sum(y**3)), np.array([1, 2]))
    np.testing.assert_allclose(found.values, [3.0, 12.0], rtol=1e-8)


def test_the_point_itself_is_never_changed() -> None:
    x = np.array([1.0, 2.0])
    numeric_gradient(lambda y: float(y.sum()), x)
    assert x.tolist() == [1.0, 2.0]


@pytest.mark.parametrize("shape", [(), (0,), (0, 3)], ids=str)
def test_a_number_and_an_empty_array_have_a_gradient_of_their_own_shape(shape: tuple[int, ...]) -> None:
    found = numeric_gradient(lambda y: 3.0 * float(y.sum()), np.ones(shape))
    assert found.values.shape == found.errors.shape == shape
    assert found.step > 0
    assert np.allclose(found.values, 3.0)


@settings(deadline=None)
@given(st.integers(0, 10**6))
def test_a_derivative_along_a_direction_is_the_gradient_times_it(seed: int) -> None:
    f, gradient = quadratic(seed, 4)
    x, direction = np.random.default_rng(seed).standard_normal((2, 4))
    (found,) = derivatives(f, x, [direction])
    assert abs(found.value - gradient(x) @ direction) <= 4 * found.error + 1e-12


def test_a_complex_step_is_exact_and_taken_where_the_function_allows_it() -> None:
    def f(x: NDArray[np.complex128]) -> complex:
        return complex(np.sum(np.exp(x) / np.sin(x)))

    found = numeric_gradient(lambda x: f(x).real, POINT, f)
    right = np.exp(POINT) * (np.sin(POINT) - np.cos(POINT)) / np.sin(POINT) ** 2
    np.testing.assert_allclose(found.values, right, rtol=5e-15)
    assert (found.errors <= 1e-14 * np.abs(right)).all()


@pytest.mark.parametrize(
    "f",
    [
        pytest.param(lambda x: float(np.sum(x**2)), id="complex numbers are refused"),
        pytest.param(lambda x: np.sum(np.asarray(x, dtype=float) ** 2), id="the imaginary part is dropped"),
        pytest.param(lambda x: np.sum(np.abs(x) ** 2), id="not analytic"),
    ],
)
def test_a_complex_step_that_is_wrong_is_not_taken(f: Callable[[Array], float]) -> None:
    found = numeric_gradient(lambda x: float(f(x)), POINT, f)
    np.testing.assert_allclose(found.values, 2 * POINT, rtol=1e-8)


@pytest.mark.parametrize("size", [1e-9, 1e-6, 1e-3])
def test_the_noise_of_a_function_is_measured(size: float) -> None:
    def f(x: Array) -> float:
        digest = hashlib.sha256(x.tobytes()).digest()
        noise = int.from_bytes(digest[:4], "little") / 2**31 - 1.0  # uniform in [-1, 1)
        return float(np.sin(x).sum() + size * noise)

    found = measured_noise(f, POINT, np.ones(3) / 3)
    assert size / 3 < found * np.sqrt(3) < 3 * size


@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("length", [1.0, 1e3, 1e6])
def test_the_noise_along_one_axis_is_measured_near_the_point_however_long_the_direction_is(
    axis: int, length: float
) -> None:
    """A direction has zeros; and points that lie too far away would show a wave in place of noise."""
    direction = length * np.eye(3)[axis]
    found = measured_noise(lambda x: float(np.sin(40 * x / length).sum()), POINT, direction)
    assert found < 1e-9


@pytest.mark.parametrize("height", [1e-3, 1.0, 1e6])
def test_a_function_in_steps_has_no_noise_where_the_next_step_is_far_away(height: float) -> None:
    found = measured_noise(lambda x: height * float(np.floor(x).sum()), POINT, np.ones(3) / 3)
    assert found == 0.0


def test_the_noise_of_a_constant_is_zero_and_that_of_nan_is_infinite() -> None:
    assert measured_noise(lambda x: 7.0, np.zeros(3), np.ones(3)) == 0.0
    assert measured_noise(lambda x: float("nan"), POINT, np.ones(3)) == np.inf


def test_the_steps_are_each_a_quarter_of_the_last_and_begin_at_the_scale_of_the_point() -> None:
    steps = ladder(1000.0)
    assert steps[0] == pytest.approx(98.2, rel=1e-3)
    assert np.allclose(steps[:-1] / steps[1:], RATIO)
    assert len(steps) == RUNGS
    assert ladder(1e-9)[0] == pytest.approx(0.0982, rel=1e-3)
    assert len(ladder(1.0, rungs=3)) == 3


def test_extrapolation_is_exact_for_a_cubic() -> None:
    steps = [0.4, 0.1]
    found = extrapolate(steps, [(1 + h) ** 3 for h in steps], [(1 - h) ** 3 for h in steps])
    assert found.value == pytest.approx(3.0, abs=1e-12)
    assert found.step == 0.1
    assert found.error == pytest.approx(0.16, rel=1e-3)  # the distance from the larger step: h^2


@pytest.mark.parametrize("flipped", [False, True])
def test_the_rounding_of_the_larger_of_two_values_is_part_of_the_error(flipped: bool) -> None:
    """On one side of a kink nothing is rounded; without the value at x no kink is noticed."""
    steps = [0.5, 0.125]
    sides = [[2 * h for h in steps], [0.0 for _ in steps]]
    plus, minus = reversed(sides) if flipped else sides
    found = extrapolate(steps, plus, minus)
    assert found.value == (-1.0 if flipped else 1.0)
    assert 1e-16 < found.error < 1e-14


def test_no_smaller_steps_are_taken_where_only_the_rounding_of_the_value_is_left() -> None:
    asked: list[float] = []

    def constant(size: float) -> Callable[[Array], float]:
        def f(x: Array) -> float:
            asked.append(size)
            return size

        return f

    for size in (7.0, -7.0, 0.0):
        (found,) = derivatives(constant(size), POINT, [np.ones(3)])
        assert found.value == 0.0
    assert asked.count(7.0) == asked.count(-7.0) < asked.count(0.0), "nothing is rounded where all is zero"


@pytest.mark.parametrize("bend", [0.0, 1.0, -0.5])
def test_the_jump_of_a_slope_is_told_from_what_the_function_bends(bend: float) -> None:
    steps = [0.4, 0.1]
    values = [h + bend * h**2 for h in steps]  # of |x| + bend x^2, on either side of 0
    found = extrapolate(steps, values, values, 0.0)
    assert found.jump == pytest.approx(2.0)
    assert found.value == pytest.approx(0.0)


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


def test_steps_that_jump_over_a_kink_are_not_believed() -> None:
    steps = ladder(1.0)
    kink = extrapolate(
        steps.tolist(), [abs(0.01 + h) for h in steps], [abs(0.01 - h) for h in steps]
    )  # the largest steps straddle the kink, the small ones do not
    assert kink.value == pytest.approx(1.0, abs=1e-9)
    assert kink.step < 0.01


def test_large_steps_that_agree_by_chance_are_not_believed_against_the_smaller_ones() -> None:
    steps = np.array([0.4, 0.1, 0.025, 0.00625, 0.0015625])
    wave = [float(np.sin(10 * np.pi * h) / (10 * np.pi)) for h in steps]  # zero at 0.4 and at 0.1
    found = extrapolate(steps.tolist(), wave, [-y for y in wave])
    assert abs(found.value - 1.0) <= found.error < 1e-3
