"""Hidden inputs of softmax regression.

A method is judged alone: the object is made, W and b are set from outside, and then it is called. N, D and C
differ from each other, and b is never zero, so that a sum over the wrong axis and a lost bias show.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from grader.course import Case, Step

Array = NDArray[np.float64]
Generator = np.random.Generator
SIZES = ((7, 2, 3), (6, 4, 2), (9, 3, 5), (7, 2, 3))  # N, D, C; one of them twice
L2 = 0.7


# softmax


def scores(rng: Generator) -> list[Case]:
    """Return scores Z (N, C) of ordinary size."""
    return [
        Case("ordinary", (rng.standard_normal((5, 3)),)),
        Case("one row", (rng.standard_normal((1, 4)),), label="a single row"),
        Case("as many rows as classes", (2.0 * rng.standard_normal((4, 4)),)),
        Case("one class", (rng.standard_normal((3, 1)),), label="a single class"),
    ]


def large_scores(rng: Generator) -> list[Case]:
    """Return scores whose exponentials are infinite, or all zero."""
    small = rng.standard_normal((4, 3))
    mixed = rng.standard_normal((4, 3)) + np.array([[1500.0], [-1500.0], [0.0], [700.0]])
    return [
        Case("large", (1000.0 + small,), label="scores of 1000 and more"),
        Case("very negative", (-1000.0 - small,), label="scores of -1000 and less"),
        Case("rows of both", (mixed,), label="scores of 1500 in one row and of -1500 in another"),
    ]


# The methods, with W and b set from outside


def _model(weights: Array, bias: Array, l2: float = 0.0) -> tuple[Step, tuple[Step, ...]]:
    """Return how an object is made, and the steps that set its W and b."""
    made = Step(args=weights.shape, keywords={"l2": l2})
    return made, (Step("__setattr__", ("W", weights)), Step("__setattr__", ("b", bias)))


def _drawn(rng: Generator, sizes: tuple[int, int, int]) -> tuple[Array, NDArray[np.int64], Array, Array]:
    """Return points X (N, D), classes y (N,), W (D, C) and b (C,)."""
    n, d, c = sizes
    y = np.concatenate([np.arange(c), rng.integers(0, c, n - c)])
    return rng.standard_normal((n, d)), y, rng.standard_normal((d, c)), rng.standard_normal(c)


def points(rng: Generator) -> list[Case]:
    """Return points X (N, D) for a model with W and b, also one with large scores."""
    cases = []
    for sizes in SIZES:
        x, _, weights, bias = _drawn(rng, sizes)
        construct, before = _model(weights, bias)
        cases.append(Case(f"{sizes}", (x,), construct=construct, before=before))
    x, _, weights, bias = _drawn(rng, SIZES[0])
    construct, before = _model(weights, bias)
    return [*cases, Case("one point", (x[:1],), construct=construct, before=before, label="a single point")]


def _labelled(rng: Generator, l2: float) -> list[Case]:
    cases = []
    for sizes in SIZES:
        x, y, weights, bias = _drawn(rng, sizes)
        construct, before = _model(weights, bias, l2)
        cases.append(Case(f"{sizes}", (x, y), construct=construct, before=before))
    return cases


def labelled(rng: Generator) -> list[Case]:
    """Return points X (N, D) and classes y (N,) for a model without regularisation."""
    return _labelled(rng, 0.0)


def with_and_without(rng: Generator) -> list[Case]:
    """Return the same, called without regularisation first and then with it; both values are returned."""
    cases = []
    for sizes in SIZES:
        x, y, weights, bias = _drawn(rng, sizes)
        construct, before = _model(weights, bias)
        shared = {"construct": construct, "known": {"W": weights, "l2": L2}, "collect": True}
        for method in ("loss", "gradient"):
            steps = (*before, Step(method, (x, y)), Step("__setattr__", ("l2", L2)))
            cases.append(Case(method, (x, y), before=steps, **shared))
    return cases


def losses_with_and_without(rng: Generator) -> list[Case]:
    """Return those of loss."""
    return [case for case in with_and_without(rng) if case.name == "loss"]


def gradients_with_and_without(rng: Generator) -> list[Case]:
    """Return those of gradient."""
    return [case for case in with_and_without(rng) if case.name == "gradient"]


# fit: the probabilities that the trained model gives


def _fits(rng: Generator, *, steps: int, start: bool, l2: float = 0.0) -> list[Case]:
    """Return points X (N, D) for models that were trained on them, from zeros or from another start."""
    cases = []
    for sizes in SIZES:
        x, y, weights, bias = _drawn(rng, sizes)
        construct, before = _model(weights, bias, l2)
        if not start:
            before = ()
        fit = Step("fit", (x, y), {"lr": 0.2, "steps": steps})
        cases.append(Case(f"{sizes}", (x,), construct=construct, before=(*before, fit)))
    return cases


def few_steps(rng: Generator) -> list[Case]:
    """Return models after three steps from zeros."""
    return _fits(rng, steps=3, start=False)


def many_steps(rng: Generator) -> list[Case]:
    """Return models after many steps with regularisation: at the optimum."""
    return _fits(rng, steps=150, start=False, l2=0.3)


def steps_from_a_start(rng: Generator) -> list[Case]:
    """Return models after two steps from another start."""
    return _fits(rng, steps=2, start=True)
