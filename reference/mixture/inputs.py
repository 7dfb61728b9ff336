"""Hidden inputs of the mixture of Gaussians.

The numbers of points, components and dimensions differ from each other, and covariances are full, so that a
sum over the wrong axis and a product with the wrong side show.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.course import Case

Array = NDArray[Any]
Generator = np.random.Generator
SIZES = ((9, 2, 3), (7, 4, 2), (8, 3, 1))  # N, K, D


def gaussians(rng: Generator) -> list[Case]:
    """Return X (N, D), means (K, D) and covariances (K, D, D)."""
    cases = []
    for sizes in SIZES:
        X, _, means, covariances = _mixture(rng, sizes)
        cases.append(Case(f"{sizes}", (X, means, covariances)))
    return cases


def mixtures(rng: Generator) -> list[Case]:
    """Return X, weights, means and covariances."""
    return [Case(f"{sizes}", _mixture(rng, sizes)) for sizes in SIZES]


def far_mixtures(rng: Generator) -> list[Case]:
    """Return mixtures with points at which every density underflows."""
    cases = []
    for sizes in SIZES:
        X, *parameters = _mixture(rng, sizes)
        X[::2] += 400.0
        cases.append(Case(f"{sizes}", (X, *parameters), label="points far from all means"))
    return cases


def assignments(rng: Generator) -> list[Case]:
    """Return X and responsibilities R (N, K) that do not come from a mixture."""
    cases = []
    for n, k, d in SIZES:
        R = rng.gamma(1.0, size=(n, k))
        cases.append(
            Case(f"{(n, k, d)}", (1.0 + rng.standard_normal((n, d)), R / R.sum(axis=1, keepdims=True)))
        )
    return cases


def fits(rng: Generator) -> list[Case]:
    """Return clouds of points, a start and a few steps."""
    return [Case(f"{sizes}", _fit(rng, sizes, 4)) for sizes in ((40, 2, 3), (50, 3, 2))]


def long_fits(rng: Generator) -> list[Case]:
    """Return fits that settle, and the log-likelihood at the start."""
    cases = []
    for sizes in ((60, 2, 2), (80, 3, 2)):
        X, weights, means, covariances, steps = _fit(rng, sizes, 40)
        known = {"start": _log_likelihood(X, weights, means, covariances)}
        cases.append(Case(f"{sizes}", (X, weights, means, covariances, steps), known=known))
    return cases


def _mixture(rng: Generator, sizes: tuple[int, int, int]) -> tuple[Array, Array, Array, Array]:
    n, k, d = sizes
    weights = rng.uniform(0.5, 2.0, k)
    factors = rng.standard_normal((k, d, d))
    covariances = factors @ np.swapaxes(factors, 1, 2) + 0.5 * np.eye(d)
    return (
        2.0 * rng.standard_normal((n, d)),
        weights / weights.sum(),
        rng.standard_normal((k, d)),
        covariances,
    )


def _fit(rng: Generator, sizes: tuple[int, int, int], steps: int) -> tuple[Array, Array, Array, Array, int]:
    n, k, d = sizes
    centres = 3.0 * rng.standard_normal((k, d))
    X = centres[rng.integers(0, k, n)] + rng.standard_normal((n, d)) @ (np.eye(d) + 0.3)
    weights = np.arange(1.0, k + 1.0)
    return (
        X,
        weights / weights.sum(),
        centres + rng.standard_normal((k, d)),
        np.stack([2.0 * np.eye(d)] * k),
        steps,
    )


def _log_likelihood(X: Array, weights: Array, means: Array, covariances: Array) -> float:
    total = np.zeros(len(X))
    for weight, mean, covariance in zip(weights, means, covariances, strict=True):
        centred = X - mean
        squares = np.einsum("ni,ij,nj->n", centred, np.linalg.inv(covariance), centred)
        total += weight * np.exp(-0.5 * squares) / np.sqrt(np.linalg.det(2.0 * np.pi * covariance))
    return float(np.sum(np.log(total)))
