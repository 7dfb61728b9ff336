"""Hidden inputs of softmax regression.

The numbers of points, features and classes differ from each other and b is never zero, so that a sum over the
wrong axis and a forgotten b show.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.course import Case, Step

Array = NDArray[Any]
Generator = np.random.Generator
SIZES = ((7, 2, 3), (8, 4, 2), (9, 3, 5))  # N, D, C


def scores(rng: Generator) -> list[Case]:
    """Return scores Z (N, C) of ordinary size."""
    return [
        Case("more points than classes", (rng.standard_normal((5, 3)),)),
        Case("more classes than points", (2.0 * rng.standard_normal((2, 6)),)),
        Case("one point", (rng.standard_normal((1, 4)),), label="a single point"),
    ]


def large_scores(rng: Generator) -> list[Case]:
    """Return scores whose exponentials are infinite, or all zero, in some rows."""
    shifts = np.array([[1200.0], [-1200.0], [0.0]])
    return [
        Case("large", (900.0 + rng.standard_normal((4, 3)),), label="scores near 900"),
        Case("mixed", (shifts + rng.standard_normal((3, 4)),), label="scores near 1200 and near -1200"),
    ]


def whole_scores(rng: Generator) -> list[Case]:
    """Return whole numbers as scores."""
    return [Case("whole numbers", (rng.integers(-3, 4, (5, 3)),), label="whole numbers")]


def labelled(rng: Generator) -> list[Case]:
    """Return W (D, C), b (C,), X (N, D) and y (N,), in which every class occurs."""
    return [Case(f"{sizes}", _problem(rng, sizes)) for sizes in SIZES]


def points(rng: Generator) -> list[Case]:
    """Return points X (N, D) for an object of which W, b or both are set from outside."""
    cases = []
    for sizes in SIZES:
        W, b, X, _ = _problem(rng, sizes)
        settings = {"W": Step("__setattr__", ("W", W)), "b": Step("__setattr__", ("b", b))}
        for names in (("W", "b"), ("W",), ("b",)):
            before = tuple(settings[name] for name in names)
            cases.append(Case(f"{sizes}, {names}", (X,), construct=Step(args=W.shape), before=before))
    return cases


def fits(rng: Generator) -> list[Case]:
    """Return X, y and the arguments of short fits; the start is not zero in the second half of them."""
    cases = []
    for sizes in SIZES:
        W, b, X, y = _problem(rng, sizes)
        before = (Step("__setattr__", ("W", W)), Step("__setattr__", ("b", b)))
        for name, steps in (("zeros", ()), ("another start", before)):
            cases.append(Case(f"{sizes}, {name}", (X, y, 0.3, 5), construct=Step(args=W.shape), before=steps))
    return cases


def trained(rng: Generator) -> list[Case]:
    """Return objects that are made, fitted and asked; the value is the costs, the classes, W and b."""
    cases = []
    for sizes in SIZES:
        W, _, X, y = _problem(rng, sizes)
        read = (Step("__getattribute__", ("W",)), Step("__getattribute__", ("b",)))
        before = (Step("fit", (X, y, 0.3, 4)), Step("predict", (2.0 * X[::-1] + 0.5,)), *read)
        cases.append(Case(f"{sizes}", construct=Step(args=W.shape), before=before))
    return cases


def _problem(rng: Generator, sizes: tuple[int, int, int]) -> tuple[Array, Array, Array, Array]:
    n, d, c = sizes
    y = np.concatenate([np.arange(c), rng.integers(0, c, n - c)])
    return rng.standard_normal((d, c)), rng.standard_normal(c), rng.standard_normal((n, d)), y
