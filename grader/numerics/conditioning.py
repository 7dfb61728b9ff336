"""How far the trusted result moves when the input is rounded: what no right function can be blamed for.

A right function that computes in another order, or in single precision, gives the exact result of an input
that is rounded a little (backward stability). So the change of the reference's result under such a rounding
is an honest tolerance, the larger the worse the problem is conditioned.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.numerics.arrays import EPS, SINGLE
from grader.numerics.compare import Sensitivity
from grader.numerics.freedom import Freedom, error_up_to
from grader.subjects import Case

DRAWS = 3


def rounded(case: Case, size: float, rng: np.random.Generator) -> Case:
    """Return a case whose floating-point arrays are changed by up to `size`, relative, entry by entry."""
    args = tuple(_rounded(value, size, rng) for value in case.args)
    keywords = {name: _rounded(value, size, rng) for name, value in case.keywords.items()}
    return Case(case.name, args, keywords, case.known)


def sensitivity(
    result: Callable[[Case], Any], case: Case, freedom: Freedom | None, rng: np.random.Generator
) -> Sensitivity:
    """Return the relative change of a result when its input is rounded to double and to single precision.

    `result` makes the trusted result of a case; what the mathematics leaves free counts as no change.
    """
    expected = result(case)

    def change(size: float) -> float:
        moved = [result(rounded(case, size, rng)) for _ in range(DRAWS)]
        return max(error_up_to(value, expected, freedom) for value in moved)

    return Sensitivity(change(EPS), change(SINGLE))


def _rounded(value: Any, size: float, rng: np.random.Generator) -> Any:
    if isinstance(value, float):
        return value * (1 + size * rng.uniform(-1, 1))
    if isinstance(value, np.ndarray) and value.dtype.kind in "fc":
        return value * (1 + size * _signs(rng, value.shape))
    if hasattr(value, "toarray") and value.dtype.kind in "fc":
        moved = value.copy()
        moved.data = value.data * (1 + size * _signs(rng, value.data.shape))
        return moved
    return value


def _signs(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    return rng.choice([-1.0, 1.0], size=shape)
