"""Plans a gradient check: the numeric gradient of the trusted cost, and points for the student's own cost.

Small inputs are differentiated entry by entry. For large ones the trusted gradient is differentiated along
random directions: if it agrees, it stands in for the numeric one, with the error that the directions leave.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.errors import AssignmentError
from grader.numerics.arrays import EPS, dense
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
    and, within it, for each step; `values` has the reference's cost there.
    """

    directions: tuple[tuple[Array, ...], ...]
    steps: tuple[float, ...]
    sweep: Sweep
    values: tuple[float, ...] = ()


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
    names = tuple(inspect.signature(cost).parameters)
    unknown = [name for name in wrt if name not in names]
    if unknown:
        raise AssignmentError(f"the cost {cost.__name__} has no argument {unknown[0]!r}; it has {names}")
    positions = [names.index(name) for name in wrt]
    if max(positions) >= len(case.args):
        raise AssignmentError(f"the inputs {case.name!r} have {len(case.args)} arguments, too few for {wrt}")
    right = None if trusted is None else _trusted_parts(trusted, case, positions)
    try:
        parts = [
            _numeric_part(cost, case, position, None if right is None else right[number], rng)
            for number, position in enumerate(positions)
        ]
    except AssignmentError:
        raise
    except Exception as error:  # whatever the reference raises
        raise AssignmentError(f"the cost {cost.__name__} failed near {case.name!r}: {error!r}") from error
    if not all(np.isfinite(part.values).all() and np.isfinite(part.errors).all() for part in parts):
        raise AssignmentError(f"the cost {cost.__name__} has no finite derivative at {case.name!r}")

    # How far rounding of the input moves the trusted gradient, as a norm of each part; where it is no larger,
    # the gradient is zero.
    rounding, flat = [0.0] * len(positions), [False] * len(positions)
    if trusted is not None:
        exact = _trusted_parts(trusted, case, positions)
        moved = [_trusted_parts(trusted, rounded(case, EPS, rng), positions) for _ in range(DRAWS)]
        for number, part in enumerate(exact):
            changes = [float(np.linalg.norm(draw[number] - part)) for draw in moved]
            size = float(np.linalg.norm(part))
            rounding[number] = SAFETY * max(EPS * size, *changes)
            flat[number] = size <= rounding[number]
    numeric = Numeric(
        tuple(part.values for part in parts),
        tuple(part.errors for part in parts),
        tuple(rounding),
        tuple(flat),
        any(part.jumps.any() for part in parts),
    )
    step = float(np.median([part.step for part in parts]))
    own = _own_cost(case, positions, step, rng)
    values = []
    for point in own.sweep.points:
        moved_to = dict(zip(positions, point, strict=True))
        args = [moved_to.get(number, arg) for number, arg in enumerate(case.args)]
        values.append(float(cost(*args, **case.keywords)))
    return numeric, replace(own, values=tuple(values))


def _trusted_parts(trusted: Trusted, case: Case, positions: list[int]) -> tuple[Array, ...]:
    """Return the reference's gradient, one array an argument."""
    value = trusted(case)
    shapes = [np.shape(case.args[position]) for position in positions]
    arrays = [dense(part) for part in (value if isinstance(value, tuple | list) else ())]
    if len(positions) == 1:
        arrays = [dense(value)]
    parts = tuple(np.asarray(array, dtype=np.float64) for array in arrays if array is not None)
    if len(parts) < len(arrays) or [part.shape for part in parts] != shapes:
        raise AssignmentError(f"the reference's gradient at {case.name!r} does not have the shapes {shapes}")
    return parts


def _numeric_part(
    cost: Callable[..., Any], case: Case, position: int, right: Array | None, rng: np.random.Generator
) -> Gradient:
    """Return the numeric gradient with respect to one argument.

    A large argument has too many entries: there the trusted gradient stands in, with the error that finite
    differences along random directions leave it: for v with entries from N(0, 1), the mean of
    ((g - g') . v)^2 is the squared norm of g - g'.
    """

    def f(x: NDArray[Any]) -> Any:
        return cost(*case.args[:position], x, *case.args[position + 1 :], **case.keywords)

    def real(x: Array) -> float:
        return float(f(x))

    x = np.asarray(case.args[position], dtype=np.float64)
    if right is None or x.size <= MOST_ENTRIES:
        return numeric_gradient(real, x, f)
    directions = [rng.standard_normal(x.shape) for _ in range(PROJECTIONS)]
    along = derivatives(real, x, directions)
    pairs = zip(directions, along, strict=True)
    off = _root_mean_square([abs(float(np.vdot(right, v)) - d.value) + d.error for v, d in pairs])
    allowed = WRONG * _root_mean_square([d.value for d in along])
    if off > allowed + 4 * _root_mean_square([d.error for d in along]):
        raise AssignmentError("the reference's gradient does not agree with differences of the cost")
    error = np.full(x.shape, off / np.sqrt(x.size))
    jumps = np.full(x.shape, max(d.jump for d in along))
    return Gradient(right, error, jumps, float(np.median([d.step for d in along])))


def _root_mean_square(values: Sequence[float]) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def _own_cost(case: Case, positions: list[int], step: float, rng: np.random.Generator) -> OwnCost:
    """Return where the student's own cost is evaluated; `step` is a good one for the trusted cost."""
    start = [np.asarray(case.args[position], dtype=np.float64) for position in positions]
    scale = max(float(np.abs(x).max(initial=0.0)) for x in start)
    top = min(4 * step, float(ladder(scale)[0]))
    bottom = min(top / SPAN, NEAR * scale) if scale else top / SPAN
    near = [bottom * RATIO**power for power in (2, 1, 0)]
    steps = (top, float(np.sqrt(top * near[0])), *near)
    directions = tuple(tuple(rng.standard_normal(x.shape) for x in start) for _ in range(DIRECTIONS))
    moves = [(direction, sign * h) for direction in directions for h in steps for sign in (1, -1)]
    points = [
        tuple(x + h * along for x, along in zip(start, direction, strict=True))
        for direction, h in [(directions[0], 0.0), *moves]
    ]
    return OwnCost(directions, steps, Sweep(tuple(positions), tuple(points)))
