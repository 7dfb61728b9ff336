"""Plans a gradient check: the numeric gradient of the trusted cost, and points for the student's own cost.

Small inputs are differentiated entry by entry. For large ones the trusted gradient is differentiated along
random directions: if it agrees, it stands in for the numeric one, with the error that the directions leave.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.errors import AssignmentError
from grader.numerics.arrays import EPS
from grader.numerics.conditioning import rounded
from grader.numerics.finite_difference import RATIO, Gradient, derivatives, ladder, numeric_gradient
from grader.numerics.numeric_gradient import Numeric
from grader.subjects import Case, Sweep

Array = NDArray[np.float64]
Trusted = Callable[[Case], Any]
MOST_ENTRIES = 150  # of an argument that is differentiated entry by entry
PROJECTIONS = 24
DRAWS = 3
SAFETY = 8.0
WRONG = 1e-3  # of its size, by which a trusted gradient may differ from the differences of its cost
DIRECTIONS = 2
SPAN = RATIO**4  # of the own steps at least; down to a ten-thousandth of the scale of the point
NEAR = 1e-4


@dataclass(frozen=True)
class OwnCost:
    """Where the student's own cost is evaluated: at x first, then at x + hv and x - hv for each direction
    and, within it, for each step.
    """

    directions: tuple[tuple[Array, ...], ...]
    steps: tuple[float, ...]
    sweep: Sweep


def differentiate(
    cost: Callable[..., Any],
    case: Case,
    wrt: tuple[str, ...],
    rng: np.random.Generator,
    trusted: Trusted | None = None,
) -> tuple[Numeric, OwnCost]:
    """Return the numeric gradient of `cost` at a case, and the points for the student's own cost.

    `trusted` gives the reference's gradient of a case; it tells how far rounding moves the gradient, where
    the gradient is zero, and the entries of large inputs. Raises AssignmentError if `cost` has no derivative.
    """
    places = _places(cost, case, wrt)
    right = None if trusted is None else _trusted_parts(trusted, case, places)
    try:
        found = [
            _differentiate(cost, case, place, None if right is None else right[number], rng)
            for number, place in enumerate(places)
        ]
    except AssignmentError:
        raise
    except Exception as error:  # whatever the reference raises
        raise AssignmentError(f"the cost {cost.__name__} failed near {case.name!r}: {error!r}") from error
    if not all(np.isfinite(part.values).all() and np.isfinite(part.errors).all() for part in found):
        raise AssignmentError(f"the cost {cost.__name__} has no finite derivative at {case.name!r}")
    rounding = [0.0] * len(places) if trusted is None else _rounding(trusted, case, places, rng)
    flat = [
        right is not None and float(np.linalg.norm(right[number])) <= rounding[number]
        for number in range(len(places))
    ]
    numeric = Numeric(
        tuple(part.values for part in found),
        tuple(part.errors for part in found),
        tuple(rounding),
        tuple(flat),
        any(part.jumps.any() for part in found),
    )
    step = float(np.median([part.step for part in found]))
    return numeric, _own_cost(case, places, step, rng)


def _places(cost: Callable[..., Any], case: Case, wrt: tuple[str, ...]) -> list[int]:
    """Return where the arguments stand that the gradient is taken with respect to."""
    names = tuple(inspect.signature(cost).parameters)
    unknown = [name for name in wrt if name not in names]
    if unknown:
        raise AssignmentError(f"the cost {cost.__name__} has no argument {unknown[0]!r}; it has {names}")
    places = [names.index(name) for name in wrt]
    if max(places) >= len(case.args):
        raise AssignmentError(f"the inputs {case.name!r} have {len(case.args)} arguments, too few for {wrt}")
    return places


def _trusted_parts(trusted: Trusted, case: Case, places: list[int]) -> tuple[Array, ...]:
    """Return the reference's gradient, one array an argument."""
    value = trusted(case)
    parts = value if len(places) > 1 else (value,)
    shapes = [np.shape(case.args[place]) for place in places]
    if not isinstance(parts, tuple | list) or [np.shape(part) for part in parts] != shapes:
        raise AssignmentError(f"the reference's gradient at {case.name!r} does not have the shapes {shapes}")
    return tuple(np.asarray(part, dtype=np.float64) for part in parts)


def _differentiate(
    cost: Callable[..., Any], case: Case, place: int, right: Array | None, rng: np.random.Generator
) -> Gradient:
    def f(x: NDArray[Any]) -> Any:
        return cost(*case.args[:place], x, *case.args[place + 1 :], **case.keywords)

    def real(x: Array) -> float:
        return float(f(x))

    x = np.asarray(case.args[place], dtype=np.float64)
    if right is None or x.size <= MOST_ENTRIES:
        return numeric_gradient(real, x, f)
    return _projected(real, x, right, rng)


def _projected(f: Callable[[Array], float], x: Array, right: Array, rng: np.random.Generator) -> Gradient:
    """Return the trusted gradient, with the error that finite differences along random directions leave it.

    For v with entries from N(0, 1), the mean of ((g - g') . v)^2 is the squared norm of g - g'.
    """
    directions = [rng.standard_normal(x.shape) for _ in range(PROJECTIONS)]
    found = derivatives(f, x, directions)
    off = [abs(float(np.vdot(right, v)) - d.value) + d.error for v, d in zip(directions, found, strict=True)]
    allowed = WRONG * _mean([d.value for d in found]) + 4 * _mean([d.error for d in found])
    if _mean(off) > allowed:
        raise AssignmentError("the reference's gradient does not agree with differences of the cost")
    error = np.full(x.shape, _mean(off) / np.sqrt(x.size))
    jumps = np.full(x.shape, max(d.jump for d in found))
    return Gradient(right, error, jumps, float(np.median([d.step for d in found])))


def _mean(values: Sequence[float]) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def _rounding(trusted: Trusted, case: Case, places: list[int], rng: np.random.Generator) -> list[float]:
    """Return how far rounding of the input moves the trusted gradient: the norm of the change, by part."""
    right = _trusted_parts(trusted, case, places)
    moved = [_trusted_parts(trusted, rounded(case, EPS, rng), places) for _ in range(DRAWS)]
    changes = [[float(np.linalg.norm(m[n] - part)) for m in moved] for n, part in enumerate(right)]
    least = [EPS * float(np.linalg.norm(part)) for part in right]
    return [SAFETY * max(rounding, *seen) for rounding, seen in zip(least, changes, strict=True)]


def _own_cost(case: Case, places: list[int], step: float, rng: np.random.Generator) -> OwnCost:
    scale = max(float(np.abs(np.asarray(case.args[place])).max(initial=0.0)) for place in places)
    top = min(4 * step, float(ladder(scale)[0]))
    bottom = min(top / SPAN, NEAR * scale) if scale else top / SPAN
    near = [bottom * RATIO**power for power in (2, 1, 0)]
    steps = (top, float(np.sqrt(top * near[0])), *near)
    directions = tuple(_direction(case, places, rng) for _ in range(DIRECTIONS))
    moves = [(direction, sign * h) for direction in directions for h in steps for sign in (1, -1)]
    points = (_moved(case, places, direction, step) for direction, step in [(directions[0], 0.0), *moves])
    return OwnCost(directions, steps, Sweep(tuple(places), tuple(points)))


def _direction(case: Case, places: list[int], rng: np.random.Generator) -> tuple[Array, ...]:
    """Return a random direction with entries of size about 1, one array an argument."""
    return tuple(rng.standard_normal(np.shape(case.args[place])) for place in places)


def _moved(case: Case, places: Sequence[int], direction: tuple[Array, ...], step: float) -> tuple[Array, ...]:
    start = (np.asarray(case.args[place], dtype=np.float64) for place in places)
    return tuple(x + step * part for x, part in zip(start, direction, strict=True))
