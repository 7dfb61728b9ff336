"""Hidden inputs of softmax regression.

A method is judged alone: W and b are set from outside, and right methods stand in for the others of the class.
N, D and C differ from each other, and b is never zero, so that a sum over the wrong axis and a lost bias show.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.course import Case, Step
from grader.course.shipped import Shipped

Array = NDArray[Any]
Generator = np.random.Generator
SIZES = ((7, 2, 3), (6, 4, 2), (9, 3, 5), (7, 2, 3))  # N, D, C; one of them twice
L2 = 0.7


# What stands in for the methods that are not judged


PROBABILITIES_SOURCE = """
import numpy as np

def right_probabilities(model, X):
    Z = np.asarray(X) @ model.W + model.b
    E = np.exp(Z - Z.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True)
"""
LOSS_SOURCE = """
import numpy as np

def right_loss(model, X, y):
    Z = np.asarray(X) @ model.W + model.b
    Z = Z - Z.max(axis=1, keepdims=True)
    likelihood = Z[np.arange(len(y)), y] - np.log(np.exp(Z).sum(axis=1))
    return float(0.5 * model.l2 * np.sum(model.W**2) - np.mean(likelihood))
"""
GRADIENT_SOURCE = """
import numpy as np

def right_gradient(model, X, y):
    Z = np.asarray(X) @ model.W + model.b
    E = np.exp(Z - Z.max(axis=1, keepdims=True))
    E = E / E.sum(axis=1, keepdims=True)
    E[np.arange(len(y)), y] -= 1.0
    return np.asarray(X).T @ E / len(y) + model.l2 * model.W, E.sum(axis=0) / len(y)
"""
PROBABILITIES = (("predict_proba", Shipped("right_probabilities", PROBABILITIES_SOURCE)),)
ALL = (
    *PROBABILITIES,
    ("loss", Shipped("right_loss", LOSS_SOURCE)),
    ("gradient", Shipped("right_gradient", GRADIENT_SOURCE)),
)


# softmax


def scores(rng: Generator) -> list[Case]:
    """Return scores Z (N, C) of ordinary size."""
    return [
        Case("ordinary", (rng.standard_normal((5, 3)),)),
        Case("one row", (rng.standard_normal((1, 4)),), label="a single row"),
        Case("as many rows as classes", (2.0 * rng.standard_normal((4, 4)),)),
        Case("many rows", (rng.standard_normal((12, 2)),)),
    ]


def large_scores(rng: Generator) -> list[Case]:
    """Return scores whose exponentials are infinite, or all zero."""
    small = rng.standard_normal((4, 3))
    mixed = rng.standard_normal((4, 3)) + np.array([[1500.0], [-1500.0], [0.0], [700.0]])
    return [
        Case("large", (1000.0 + small,), label="scores of 1000 and more"),
        Case("rows of both", (mixed,), label="scores of 1500 in one row and of -1500 in another"),
    ]


def any_scores(rng: Generator) -> list[Case]:
    """Return some of both."""
    return [*scores(rng)[:2], large_scores(rng)[0]]


# The methods that take X alone


def drawn(rng: Generator, sizes: tuple[int, int, int]) -> tuple[Array, Array, Array, Array]:
    """Return W (D, C), b (C,), points X (N, D) and classes y (N,)."""
    n, d, c = sizes
    y = np.concatenate([np.arange(c), rng.integers(0, c, n - c)])
    return rng.standard_normal((d, c)), rng.standard_normal(c), rng.standard_normal((n, d)), y


def points(rng: Generator) -> list[Case]:
    """Return points X (N, D) for a model whose W and b are set."""
    cases = []
    for sizes in (*SIZES, (1, 3, 4)):
        weights, bias, x, _ = drawn(rng, (max(sizes[0], sizes[2]), *sizes[1:]))
        before = (Step("__setattr__", ("W", weights)), Step("__setattr__", ("b", bias)))
        label = "a single point" if sizes[0] == 1 else ""
        cases.append(
            Case(f"{sizes}", (x[: sizes[0]],), construct=Step(args=weights.shape), before=before, label=label)
        )
    return cases


# predict, loss and gradient, as functions of W and b


def points_of_models(rng: Generator) -> list[Case]:
    """Return W, b and points X (N, D)."""
    return [Case(f"{sizes}", drawn(rng, sizes)[:3], {"others": PROBABILITIES}) for sizes in SIZES]


def labelled(rng: Generator) -> list[Case]:
    """Return W, b, X, y without regularisation."""
    return [Case(f"{sizes}", drawn(rng, sizes), {"others": PROBABILITIES}) for sizes in SIZES]


def regularised(rng: Generator) -> list[Case]:
    """Return the same with regularisation."""
    keywords = {"l2": L2, "others": PROBABILITIES}
    return [Case(f"{sizes}", drawn(rng, sizes), keywords) for sizes in SIZES]


def with_and_without(rng: Generator) -> list[Case]:
    """Return W, b, X, y, called without regularisation first and then with it; both values are returned."""
    cases = []
    for sizes in SIZES:
        arguments = drawn(rng, sizes)
        without = Step(args=arguments, keywords={"others": PROBABILITIES})
        keywords = {"l2": L2, "others": PROBABILITIES}
        cases.append(Case(f"{sizes}", arguments, keywords, {"l2": L2}, before=(without,), collect=True))
    return cases


# fit


def _fits(rng: Generator, steps: int, lr: float, l2: float, start: Callable[[Array], Array]) -> list[Case]:
    cases = []
    for sizes in SIZES:
        weights, bias, x, y = drawn(rng, sizes)
        arguments = (start(weights), start(bias), x, y, lr, steps)
        cases.append(Case(f"{sizes}", arguments, {"l2": l2, "others": ALL}))
    return cases


def few_steps(rng: Generator) -> list[Case]:
    """Return fits of three steps from zeros, with another learning rate than the usual one."""
    return _fits(rng, 3, 0.2, 0.0, np.zeros_like)


def many_steps(rng: Generator) -> list[Case]:
    """Return fits that reach the optimum from zeros."""
    return _fits(rng, 150, 0.5, 0.3, np.zeros_like)


def steps_from_a_start(rng: Generator) -> list[Case]:
    """Return fits of two steps from another W and b."""
    return _fits(rng, 2, 0.2, 0.0, np.copy)
