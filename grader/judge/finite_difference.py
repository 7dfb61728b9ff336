"""Central differences with an error model: every derivative comes with an estimate of its own error.

For a ladder of steps h, h/4, h/16, ... the central differences D(h) = (f(x+hv) - f(x-hv)) / 2h are
extrapolated (Richardson: R = (16 D(h/4) - D(h)) / 15). The error of a rung is what the extrapolation
changed, plus the rounding noise of f divided by the step; the rung with the smallest error is taken. So the
step fits the scale of x and of f by itself, at |x| ~ 1e-6 as at 1e6.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
RATIO = 4.0
RUNGS = 14
NOISE = 8 * np.finfo(np.float64).eps


@dataclass(frozen=True)
class Derivative:
    """A directional derivative, its estimated error, and the step it was taken with."""

    value: float
    error: float
    step: float


def ladder(scale: float, rungs: int = RUNGS) -> Array:
    """Return steps from a tenth of the larger of 1 and `scale` downwards, each a quarter of the last."""
    return 0.1 * max(1.0, scale) * RATIO ** -np.arange(rungs, dtype=np.float64)


def extrapolate(steps: Sequence[float], plus: Sequence[float], minus: Sequence[float]) -> Derivative:
    """Return the best derivative of a ladder: `plus`, `minus` are f(x + hv), f(x - hv) for each step."""
    h, above, below = (np.asarray(values, dtype=np.float64) for values in (steps, plus, minus))
    with np.errstate(all="ignore"):
        central = (above - below) / (2 * h)
        extrapolated = (RATIO**2 * central[1:] - central[:-1]) / (RATIO**2 - 1)
        noise = NOISE * (np.abs(above) + np.abs(below))[1:] / h[1:]
        error = np.abs(extrapolated - central[1:]) + noise
    error = np.where(np.isfinite(error), error, np.inf)
    best = int(np.argmin(error))
    return Derivative(float(extrapolated[best]), float(error[best]), float(h[best + 1]))


def numeric_gradient(f: Callable[[Array], float], x: Array) -> tuple[Array, Array, float]:
    """Return the gradient of f at x, the estimated error of each entry (both of x's shape), a good step."""
    x = np.asarray(x, dtype=np.float64)
    steps = ladder(float(np.abs(x).max(initial=0.0)))
    found = [_along(f, x, steps, index) for index in np.ndindex(x.shape)]
    values, errors = ([getattr(d, name) for d in found] for name in ("value", "error"))
    step = float(np.median([d.step for d in found])) if found else float(steps[0])
    return np.reshape(values, x.shape), np.reshape(errors, x.shape), step


def _along(f: Callable[[Array], float], x: Array, steps: Array, index: tuple[int, ...]) -> Derivative:
    plus: list[float] = []
    minus: list[float] = []
    for step in steps:
        for sign, values in ((1, plus), (-1, minus)):
            moved = x.copy()
            moved[index] += sign * step
            values.append(float(f(moved)))
    return extrapolate(steps.tolist(), plus, minus)
