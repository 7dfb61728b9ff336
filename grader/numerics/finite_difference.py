"""Central differences with an error model: every derivative comes with an estimate of its own error.

    f(x + hv), f(x - hv) for h, h/4, h/16, ...  ->  tableau of extrapolations  ->  value, error, kink

The steps begin at a tenth of the scale of x (of 1, if that is larger) and go down until rounding is all that
is left. The central differences are extrapolated (Richardson, in Neville's scheme). The error of an entry of
the tableau is its distance from the two that it was made of (Ridders), plus the noise of f divided by the
step, and never less than what the smaller steps contradict beyond their own errors: so a value is not taken
from steps that jump over what f does near x. The entry with the smallest error is taken, at every scale.

The noise of f is measured (Moré and Wild, Estimating computational noise, SIAM J. Sci. Comput. 33, 2011).
Where the one-sided differences disagree beyond their error, f has a kink, and half the jump of the slope is
added to the error: every slope between the two sides is as good as another.
"""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grader.numerics.arrays import EPS

Array = NDArray[np.float64]
Function = Callable[[Array], float]
RATIO = 4.0
RUNGS = 22
FEWEST = 4
COLUMNS = 3  # of the tableau: the error falls with h^8
FINEST = 1e-5  # steps whose noise is a larger share of the derivative tell nothing
ROUNDING = 4 * EPS  # the noise of a function that is rounded a few times
PROBES = 9
TINIEST = 1e-30  # a step into the imaginary direction, where nothing is subtracted


@dataclass(frozen=True)
class Derivative:
    """A directional derivative, its estimated error, the step it was taken with, the jump of the slope."""

    value: float
    error: float
    step: float
    jump: float = 0.0


@dataclass(frozen=True)
class Gradient:
    """A numeric gradient: values, estimated errors and jumps, all of the shape of x, and a good step."""

    values: Array
    errors: Array
    jumps: Array
    step: float


def ladder(scale: float, rungs: int = RUNGS) -> Array:
    """Return steps from about a tenth of the larger of 1 and `scale` downwards, each a quarter of the last.

    The first is no round number, so that no usual period of a function is a multiple of the steps.
    """
    return math.pi / 32 * max(1.0, scale) * RATIO ** -np.arange(rungs, dtype=np.float64)


def extrapolate(
    steps: Sequence[float],
    plus: Sequence[float],
    minus: Sequence[float],
    centre: float = math.nan,
    noise: float = 0.0,
) -> Derivative:
    """Return the best derivative of a ladder: `plus`, `minus` are f(x + hv), f(x - hv) for each step.

    `centre` is f(x), without which no kink is noticed; `noise` the standard deviation of f's noise.
    """
    h, above, below = (np.asarray(values, dtype=np.float64) for values in (steps, plus, minus))
    with np.errstate(all="ignore"):
        unsure = (noise + ROUNDING * np.maximum(np.abs(above), np.abs(below))) / h
        values, errors, rungs = _tableau(h, (above - below) / (2 * h), unsure)
        jump = _jump(h, above, below, centre, unsure)
    if not np.isfinite(errors).any():
        return Derivative(float(values[0]), math.inf, float(h[-1]), jump)
    best = int(np.argmin(errors))
    return Derivative(float(values[best]), float(errors[best]) + jump / 2, float(h[rungs[best]]), jump)


def _tableau(h: Array, central: Array, unsure: Array) -> tuple[Array, Array, NDArray[np.int64]]:
    """Return the entries of Neville's tableau, their errors (infinite if not finite), and their rungs."""
    changed = np.abs(np.diff(central)) + 4 * unsure[1:]
    found: list[tuple[Array, Array, NDArray[np.int64]]] = []
    column = central
    for order in range(1, min(COLUMNS, len(h) - 1) + 1):
        last, column = column, column[1:] + np.diff(column) / ((h[:-order] / h[order:]) ** 2 - 1)
        error = np.maximum(np.abs(column - last[1:]), np.abs(column - last[:-1])) + 1.25 * unsure[order:]
        rungs = np.arange(order, len(h))
        against = np.abs(column[:, None] - central[None, 1:]) - changed[None, :]
        against = np.where(np.arange(1, len(h))[None, :] > rungs[:, None], against, -np.inf)
        error = np.maximum(error, np.fmax.reduce(against, axis=1, initial=0.0))
        found.append((column, np.where(np.isfinite(error), error, np.inf), rungs))
    values, errors, rungs = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return values, errors, rungs


def _jump(h: Array, above: Array, below: Array, centre: float, unsure: Array) -> float:
    """Return by how much the slope differs on the two sides of x; 0 where the error explains it."""
    sides = (above - 2 * centre + below) / h
    jumps = sides[1:] + np.diff(sides) / (h[:-1] / h[1:] - 1)
    errors = 2 * np.abs(jumps - sides[1:]) + 8 * unsure[1:]
    errors = np.where(np.isfinite(errors), errors, np.inf)
    best = int(np.argmin(errors))
    size = float(abs(jumps[best]))
    return size if size > float(errors[best]) else 0.0


def measured_noise(f: Function, x: Array, direction: Array) -> float:
    """Return the standard deviation of the noise of f near x: what its differences of high order leave.

    The points must be so close that f is smooth between them, and so far apart that its values differ.
    """
    scale = float(np.abs(x).max(initial=0.0)) or 1.0
    for spacing in scale * 10.0 ** np.arange(-12.0, -3.0):
        values = np.array([f(x + n * spacing * direction) for n in range(PROBES)])
        if not np.isfinite(values).all():
            return math.inf
        if len(np.unique(values)) > PROBES // 2:
            break
    levels = [
        float(np.sqrt(np.mean(np.diff(values, order) ** 2) / math.comb(2 * order, order)))
        for order in range(3, 7)
    ]
    return float(np.median(levels))


def numeric_gradient(
    f: Function, x: Array, analytic: Callable[[NDArray[np.complex128]], complex] | None = None
) -> Gradient:
    """Return the gradient of f at x, entry by entry.

    `analytic` is f for complex arguments, if it can be asked: then derivatives are taken by a complex step,
    which is exact to rounding, where they agree with the finite differences.
    """
    x = np.asarray(x, dtype=np.float64)
    axes: list[Array] = []
    for index in np.ndindex(x.shape):
        axes.append(np.zeros(x.shape))
        axes[-1][index] = 1.0
    along = derivatives(f, x, axes)
    values, errors, jumps = (
        np.reshape([getattr(d, name) for d in along], x.shape) for name in ("value", "error", "jump")
    )
    step = float(np.median([d.step for d in along])) if along else float(ladder(1.0)[0])
    if analytic is not None:
        # Im f(x + ihv) / h for each axis v, if f takes complex numbers.
        with contextlib.suppress(Exception), warnings.catch_warnings():
            warnings.simplefilter("error")  # NumPy only warns where it drops an imaginary part
            slopes = [complex(analytic(x + 1j * TINIEST * axis)).imag / TINIEST for axis in axes]
            exact = np.reshape(slopes, x.shape)
            if (np.abs(exact - values) <= errors).all():
                values, errors = exact, 8 * EPS * np.abs(exact)
    return Gradient(values, errors, jumps, step)


def derivatives(f: Function, x: Array, directions: Sequence[Array]) -> list[Derivative]:
    """Return the derivative of f at x along each direction."""

    def guarded(point: Array) -> float:
        try:
            return f(point)
        except Exception:  # a step may leave the domain of a function
            return math.nan

    x = np.asarray(x, dtype=np.float64)
    if not directions:
        return []
    centre = f(x)
    noise = measured_noise(guarded, x, np.mean(directions, axis=0))
    steps = ladder(float(np.abs(x).max(initial=0.0)))
    return [_along(guarded, x, direction, steps, centre, noise) for direction in directions]


def _along(f: Function, x: Array, direction: Array, steps: Array, centre: float, noise: float) -> Derivative:
    """Go down the ladder until the noise is all that is left."""
    used: list[float] = []  # the steps as they were rounded
    plus: list[float] = []
    minus: list[float] = []
    slopes: list[float] = []
    noise = noise if np.isfinite(noise) else 0.0
    for step in steps:
        upper, lower = x + step * direction, x - step * direction
        used.append(float(np.vdot(upper - lower, direction)) / float(np.vdot(direction, direction)) / 2)
        plus.append(f(upper))
        minus.append(f(lower))
        slope = (plus[-1] - minus[-1]) / (2 * used[-1])
        slopes += [slope] if np.isfinite(slope) else []
        unsure = (noise + ROUNDING * abs(centre)) / step
        if len(slopes) >= FEWEST and unsure > FINEST * max(map(abs, slopes[-2:])):
            left = np.abs(np.diff(slopes[-FEWEST:])) * used[1 - FEWEST :]
            return extrapolate(used, plus, minus, centre, max(noise, 3 * float(left.min())))
    return extrapolate(used, plus, minus, centre, noise)
