"""Inputs of exercise 11 that students get, small enough to go through by hand, the simplest first.

They are handed out as they are, so nothing here may be like the hidden inputs of inputs.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from grader.course import Case

Array = NDArray[np.float64]
Generator = np.random.Generator
THREE = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]])
LINE = np.array([[0.0], [1.0], [3.0]])
P_THREE = np.array([[0.0, 0.2, 0.1], [0.2, 0.0, 0.2], [0.1, 0.2, 0.0]])
STARS = np.array([[5, 3, 0, 4], [4, 0, 2, 0], [0, 1, 1, 5], [2, 0, 0, 3]])


def points(rng: Generator) -> list[Case]:
    """Y (N, d): three points in the plane, three on a line, four in space."""
    return [
        Case("three points in the plane", (THREE,)),
        Case("three points on a line", (LINE,)),
        Case("four points in space", (rng.standard_normal((4, 3)).round(1),)),
    ]


def pairs(rng: Generator) -> list[Case]:
    """P (N, N) and Y (N, d), one of them with a zero in P."""
    p = np.array([[0, 3, 1, 2], [3, 0, 2, 0], [1, 2, 0, 2], [2, 0, 2, 0]]) / 20.0
    return [
        Case("three points in the plane", (P_THREE, THREE)),
        Case("three points on a line", (P_THREE, LINE)),
        Case("four points in space, a zero in P", (p, rng.standard_normal((4, 3)).round(1))),
    ]


def weights(rng: Generator) -> list[Case]:
    """X (N, D), W1 (D, K), W2 (K, D)."""
    x = np.array([[1.0, 2.0], [0.0, -1.0], [3.0, 1.0]])
    shapes = ((4, 3), (3, 2), (2, 3))
    return [
        Case("three points, K = 1", (x, np.array([[1.0], [2.0]]), np.array([[0.5, -1.0]]))),
        Case("four points, K = 2", tuple(rng.standard_normal(shape).round(1) for shape in shapes)),
    ]


def compressions(rng: Generator) -> list[Case]:
    """X (N, D) and k."""
    return [
        Case("two points, k = 1", (np.array([[3.0, 0.0], [0.0, 4.0]]), 1)),
        Case("five points, k = 2", ((rng.standard_normal((5, 3)) + 1.0).round(1), 2)),
    ]


def rating_matrices(rng: Generator) -> list[Case]:
    """A matrix of ratings, 0 where there is none."""
    return [Case("four users, four restaurants", (csr_matrix(STARS),))]


def random_starts(rng: Generator) -> list[Case]:
    """A matrix of ratings, k, and the random start."""
    return [Case("four users, k = 2", (csr_matrix(STARS), 2), {"init": "random"})]


def svd_starts(rng: Generator) -> list[Case]:
    """A matrix of ratings, k, and the start by SVD."""
    return [Case("four users, k = 2", (csr_matrix(STARS.astype(np.float64)), 2), {"init": "svd"})]


def unknown_starts(rng: Generator) -> list[Case]:
    """A start that does not exist."""
    return [Case("a start named 'ones'", (csr_matrix(STARS), 2), {"init": "ones"})]


def als_runs(rng: Generator) -> list[Case]:
    """Three steps of alternating least squares on a small matrix."""
    return [_run(rng, "three steps of ALS", optimizer="als")]


def sgd_runs(rng: Generator) -> list[Case]:
    """Three steps of stochastic gradient descent on a small matrix."""
    return [_run(rng, "three steps of SGD", optimizer="sgd")]


def _run(rng: Generator, name: str, **options: Any) -> Case:
    """Return a run on 6 users and 5 restaurants with two factors; four ratings are for validation."""
    ratings = rng.standard_normal((6, 2)) @ rng.standard_normal((2, 5))
    held_out = (np.array([0, 2, 4, 5]), np.array([1, 3, 0, 4]))
    values = ratings[held_out]
    known = np.ones(ratings.shape, dtype=bool)
    known[held_out] = False
    keywords = {"max_steps": 3, "init": "random", "log_every": 1, "patience": 5, "eval_every": 1, "lr": 0.01}
    train = csr_matrix(np.where(known, ratings, 0.0))
    return Case(name, (train, np.argwhere(known), 2, held_out, values, 0.1), {**keywords, **options})
