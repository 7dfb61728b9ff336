"""Right ways to write the functions of the mixture that differ from the reference: loops, inverses, Cholesky."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.course import Rewriting

Array = NDArray[Any]


def gaussians_by_inverse(X: Array, means: Array, covariances: Array) -> Array:
    centred = X[:, None, :] - means[None, :, :]
    squares = np.einsum("nki,kij,nkj->nk", centred, np.linalg.inv(covariances), centred)
    return -0.5 * (squares + np.log(np.linalg.det(2.0 * np.pi * covariances)))


def gaussians_by_cholesky(X: Array, means: Array, covariances: Array) -> Array:
    columns = []
    for mean, covariance in zip(means, covariances, strict=True):
        factor = np.linalg.cholesky(covariance)
        whitened = np.linalg.solve(factor, (X - mean).T)
        logarithm = np.log(np.diag(factor)).sum() + 0.5 * len(mean) * np.log(2.0 * np.pi)
        columns.append(-0.5 * (whitened**2).sum(axis=0) - logarithm)
    return np.stack(columns, axis=1)


def gaussians_by_loops(X: Array, means: Array, covariances: Array) -> Array:
    result = np.zeros((len(X), len(means)))
    for n, point in enumerate(X):
        for k, mean in enumerate(means):
            square = (point - mean) @ np.linalg.inv(covariances[k]) @ (point - mean)
            result[n, k] = (
                -(square + np.log(np.linalg.det(covariances[k]))) / 2 - len(mean) * np.log(2 * np.pi) / 2
            )
    return result


def likelihood_by_logaddexp(X: Array, weights: Array, means: Array, covariances: Array) -> float:
    joint = gaussians_by_inverse(X, means, covariances) + np.log(weights)
    return float(np.logaddexp.reduce(joint, axis=1).sum())


def responsibilities_by_logaddexp(X: Array, weights: Array, means: Array, covariances: Array) -> Array:
    joint = gaussians_by_inverse(X, means, covariances) + np.log(weights)
    return np.exp(joint - np.logaddexp.reduce(joint, axis=1, keepdims=True))


def maximise_by_loops(X: Array, R: Array) -> tuple[Array, Array, Array]:
    weights, means, covariances = [], [], []
    for column in R.T:
        count = column.sum()
        mean = (column[:, None] * X).sum(axis=0) / count
        covariance = sum(r * np.outer(x - mean, x - mean) for r, x in zip(column, X, strict=True)) / count
        weights.append(count / len(X))
        means.append(mean)
        covariances.append(covariance)
    return np.array(weights), np.array(means), np.array(covariances)


def maximise_by_moments(X: Array, R: Array) -> tuple[Array, Array, Array]:
    counts = R.sum(axis=0)
    means = (R / counts).T @ X
    second = np.einsum("nk,ni,nj->kij", R / counts, X, X)
    return R.mean(axis=0), means, second - np.einsum("ki,kj->kij", means, means)


REWRITINGS = (
    Rewriting("log_gaussians", "by_inverse", variant=gaussians_by_inverse),
    Rewriting("log_gaussians", "by_cholesky", variant=gaussians_by_cholesky),
    Rewriting("log_gaussians", "by_loops", variant=gaussians_by_loops),
    Rewriting("log_likelihood", "by_logaddexp", variant=likelihood_by_logaddexp),
    Rewriting("responsibilities", "by_logaddexp", variant=responsibilities_by_logaddexp),
    Rewriting("maximise", "by_loops", variant=maximise_by_loops),
    Rewriting("maximise", "by_moments", variant=maximise_by_moments),
    Rewriting(
        "fit_mixture",
        "in_one_line",
        {
            "        R = responsibilities(X, weights, means, covariances)\n": "",
            "maximise(X, R)": "maximise(X, responsibilities(X, weights, means, covariances))",
        },
    ),
)
