"""Plans a gradient check: the numeric gradient of the trusted cost, and points for the student's own cost."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.case import Case
from grader.errors import AssignmentError
from grader.judge.finite_difference import RATIO, numeric_gradient

Array = NDArray[np.float64]
DIRECTIONS = 3
OWN_STEPS = 3


@dataclass(frozen=True)
class Numeric:
    """The numeric gradient of the trusted cost: one array a part, with the estimated error of each entry."""

    parts: tuple[Array, ...]
    errors: tuple[Array, ...]


@dataclass(frozen=True)
class OwnCost:
    """Where the student's own cost is evaluated: for each direction, for each step, at x + hv and x - hv."""

    directions: tuple[tuple[Array, ...], ...]
    steps: tuple[float, ...]
    points: tuple[Case, ...]


def plan_gradient(
    cost: Callable[..., Any], case: Case, wrt: tuple[str, ...], rng: np.random.Generator
) -> tuple[Numeric, OwnCost]:
    """Return the numeric gradient of `cost` at a case, and the points for the student's own cost."""
    names = tuple(inspect.signature(cost).parameters)
    unknown = [name for name in wrt if name not in names]
    if unknown:
        raise AssignmentError(f"the cost {cost.__name__} has no argument {unknown[0]!r}; it has {names}")
    places = [names.index(name) for name in wrt]
    if max(places) >= len(case.args):
        raise AssignmentError(f"the inputs {case.name!r} have {len(case.args)} arguments, too few for {wrt}")
    try:
        found = [numeric_gradient(_of_argument(cost, case, place), case.args[place]) for place in places]
    except Exception as error:  # whatever the reference raises
        raise AssignmentError(f"the cost {cost.__name__} failed near {case.name!r}: {error!r}") from error
    if not all(np.isfinite(value).all() and np.isfinite(noise).all() for value, noise, _ in found):
        raise AssignmentError(f"the cost {cost.__name__} has no finite derivative at {case.name!r}")
    numeric = Numeric(tuple(value for value, _, _ in found), tuple(error for _, error, _ in found))
    step = float(np.median([step for _, _, step in found]))
    return numeric, _own_cost(case, places, step, rng)


def _of_argument(cost: Callable[..., Any], case: Case, place: int) -> Callable[[Array], float]:
    def f(x: Array) -> float:
        return float(cost(*case.args[:place], x, *case.args[place + 1 :], **case.keywords))

    return f


def _own_cost(case: Case, places: list[int], step: float, rng: np.random.Generator) -> OwnCost:
    steps = tuple(step * RATIO ** (1 - k) for k in range(OWN_STEPS))
    directions = tuple(_direction(case, places, rng) for _ in range(DIRECTIONS))
    points = [
        _moved(case, places, direction, sign * h)
        for direction in directions
        for h in steps
        for sign in (1, -1)
    ]
    return OwnCost(directions, steps, tuple(points))


def _direction(case: Case, places: list[int], rng: np.random.Generator) -> tuple[Array, ...]:
    """Return a random direction with entries of size about 1, one array an argument."""
    return tuple(rng.standard_normal(np.shape(case.args[place])) for place in places)


def _moved(case: Case, places: list[int], direction: tuple[Array, ...], step: float) -> Case:
    args = list(case.args)
    for place, part in zip(places, direction, strict=True):
        args[place] = np.asarray(args[place], dtype=np.float64) + step * part
    return Case(case.name, tuple(args), case.keywords)
