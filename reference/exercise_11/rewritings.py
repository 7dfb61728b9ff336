"""Right ways to solve exercise 11 that differ from the reference: loops, broadcasting, other routines."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.spatial.distance import cdist, pdist, squareform

from grader.course import Rewriting

Array = NDArray[Any]


# Problem 1


def similarities_by_loops(Y: Array) -> Array:
    n, d = np.shape(Y)
    inverse = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            if i != j:
                inverse[i, j] = 1 / (1 + sum((float(Y[i][a]) - float(Y[j][a])) ** 2 for a in range(d)))
    return inverse / inverse.sum()


def similarities_by_gram(Y: Array) -> Array:
    Y = np.asarray(Y, dtype=float)
    squares = np.sum(Y * Y, axis=1)
    distances = squares[:, None] + squares[None, :] - 2 * Y @ Y.T
    inverse = (1 + distances) ** -1
    inverse[np.diag_indices(len(Y))] = 0
    return inverse / np.sum(inverse)


def similarities_by_cdist(Y: Array) -> Array:
    weights = 1 / (1 + cdist(Y, Y, "sqeuclidean"))
    weights -= np.eye(len(Y))
    return weights / weights.sum()


def similarities_by_pdist(Y: Array) -> Array:
    weights = 1 / (1 + pdist(Y, "sqeuclidean"))
    return squareform(weights / (2 * weights.sum()))


def similarities_in_single_precision(Y: Array) -> Array:
    return similarities_by_cdist(np.asarray(Y, dtype=np.float32).astype(float)).astype(np.float32)


def cost_by_loops(P: Array, Y: Array) -> float:
    Q = similarities_by_loops(Y)
    total = 0.0
    for i in range(len(P)):
        for j in range(len(P)):
            if i != j and P[i][j] > 0:
                total += P[i][j] * np.log(P[i][j] / Q[i][j])
    return total


def cost_as_difference(P: Array, Y: Array) -> float:
    Q = similarities_by_pdist(Y)
    off = ~np.eye(len(P), dtype=bool) & (P > 0)
    return float((P[off] * np.log(P[off])).sum() - (P[off] * np.log(Q[off])).sum())


def cost_with_where(P: Array, Y: Array) -> Any:
    Q = similarities_by_cdist(Y)
    ratio = np.divide(P, Q, out=np.ones_like(Q), where=(P > 0) & (Q > 0))
    return np.sum(P * np.log(ratio))


def cost_backwards(P: Array, Y: Array) -> float:
    Q = similarities_by_gram(Y)
    rows, columns = np.nonzero(P)
    terms = [P[i, j] * np.log(P[i, j] / Q[i, j]) for i, j in zip(rows, columns, strict=True) if i != j]
    return float(sum(reversed(terms)))


def gradient_by_loops(P: Array, Y: Array) -> Array:
    Y = np.asarray(Y, dtype=float)
    Q = similarities_by_loops(Y)
    result = np.zeros(Y.shape)
    for s in range(len(Y)):
        for j in range(len(Y)):
            away = Y[s] - Y[j]
            result[s] += 4 * (P[s][j] - Q[s][j]) * away / (1 + away @ away)
    return result


def gradient_by_laplacian(P: Array, Y: Array) -> Array:
    Y = np.asarray(Y, dtype=float)
    forces = (P - similarities_by_cdist(Y)) / (1 + cdist(Y, Y, "sqeuclidean"))
    return np.asarray(4 * (np.diag(forces.sum(axis=1)) - forces) @ Y)


def gradient_by_broadcasting(P: Array, Y: Array) -> Array:
    away = np.asarray(Y)[:, np.newaxis] - np.asarray(Y)[np.newaxis]
    closeness = 1 / (1 + (away**2).sum(axis=2))
    Q = closeness - np.eye(len(Y))
    Q = Q / Q.sum()
    return np.asarray(4 * ((P - Q) * closeness)[:, :, np.newaxis] * away).sum(axis=1)


def gradient_of_rows(P: Array, Y: Array) -> Array:
    Y, Q = np.asarray(Y, dtype=float), similarities_by_gram(Y)
    rows = []
    for s, point in enumerate(Y):
        away = point - Y
        weights = (P[s] - Q[s]) / (1 + (away**2).sum(axis=1))
        rows.append(4 * weights @ away)
    return np.array(rows)


# Problem 2


def reconstruct_by_einsum(X: Array, W1: Array, W2: Array) -> Array:
    return np.asarray(np.einsum("nd,dk,ke->ne", X, W1, W2))


def reconstruct_right_first(X: Array, W1: Array, W2: Array) -> Array:
    return np.asarray(np.dot(X, np.dot(W1, W2)))


def reconstruct_point_by_point(X: Array, W1: Array, W2: Array) -> Array:
    return np.stack([W2.T @ (W1.T @ point) for point in X])


def error_by_norm(X: Array, W1: Array, W2: Array) -> float:
    return float(np.linalg.norm(X - X @ W1 @ W2) ** 2 / X.shape[0])


def error_by_loops(X: Array, W1: Array, W2: Array) -> float:
    total = 0.0
    for point in X:
        for value, back in zip(point, (point @ W1) @ W2, strict=True):
            total += (value - back) ** 2
    return total / len(X)


def error_by_trace(X: Array, W1: Array, W2: Array) -> Any:
    residual = X - X @ W1 @ W2
    return np.trace(residual @ residual.T) / len(X)


def error_by_mean_of_entries(X: Array, W1: Array, W2: Array) -> Any:
    return np.mean((X @ W1 @ W2 - X) ** 2) * X.shape[1]


def error_by_vdot(X: Array, W1: Array, W2: Array) -> Any:
    residual = (X - X @ W1 @ W2).ravel()
    return np.vdot(residual, residual) / X.shape[0]


def weights_gradient_by_einsum(X: Array, W1: Array, W2: Array) -> tuple[Array, Array]:
    residual, scale = X @ W1 @ W2 - X, 2 / len(X)
    first = np.einsum("nd,ne,ke->dk", X, residual, W2)
    second = np.einsum("nd,dk,ne->ke", X, W1, residual)
    return scale * first, scale * second


def weights_gradient_by_points(X: Array, W1: Array, W2: Array) -> tuple[Array, Array]:
    first, second = np.zeros(W1.shape), np.zeros(W2.shape)
    for point in X:
        code = point @ W1
        away = 2 * (code @ W2 - point) / len(X)
        first += np.outer(point, away @ W2.T)
        second += np.outer(code, away)
    return first, second


def weights_gradient_by_covariance(X: Array, W1: Array, W2: Array) -> list[Array]:
    moment = X.T @ X / len(X)
    change = 2 * moment @ (W1 @ W2 - np.eye(X.shape[1]))
    return [change @ W2.T, W1.T @ change]


def weights_gradient_minus(X: Array, W1: Array, W2: Array) -> tuple[Array, Array]:
    residual = X - X @ W1 @ W2
    return -2 * X.T @ residual @ W2.T / len(X), -2 * W1.T @ X.T @ residual / len(X)


def bound_by_eigenvalues(X: Array, k: int) -> float:
    values = np.linalg.eigvalsh(X.T @ X)[::-1]
    return float(np.clip(values[k:], 0, None).sum() / len(X))


def bound_by_residual(X: Array, k: int) -> float:
    u, s, vt = scipy.linalg.svd(X, full_matrices=False)
    return float(np.sum((X - (u[:, :k] * s[:k]) @ vt[:k]) ** 2) / len(X))


def bound_by_subtraction(X: Array, k: int) -> Any:
    s = np.linalg.svd(X, compute_uv=False)
    return max((np.sum(np.square(X, dtype=float)) - np.sum(s[:k] ** 2)) / len(X), 0.0)


def bound_by_loop(X: Array, k: int) -> float:
    total = 0.0
    for number, value in enumerate(np.linalg.svd(X)[1]):
        if number >= k:
            total += float(value) * float(value)
    return total / X.shape[0]


def fit_by_eigenvectors(X: Array, k: int) -> tuple[Array, Array]:
    vectors = np.linalg.eigh(X.T @ X)[1][:, ::-1][:, :k]
    return vectors, vectors.T


def fit_by_full_svd(X: Array, k: int) -> tuple[Array, Array]:
    vt = scipy.linalg.svd(X)[2]
    return vt[:k].T.copy(), vt[:k].copy()


def fit_in_another_basis(X: Array, k: int) -> tuple[Array, Array]:
    vectors = np.linalg.eigh(X.T @ X)[1][:, ::-1][:, :k]
    mixing = np.eye(k) + np.triu(np.ones((k, k)), 1)
    return vectors @ mixing, np.linalg.inv(mixing) @ vectors.T


def fit_by_subspace_iteration(X: Array, k: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.standard_normal((X.shape[1], k)))[0]
    for _ in range(500):
        basis = np.linalg.qr(X.T @ (X @ basis))[0]
    return basis, basis.T


# Problem 3


def shift_by_loops(matrix: Any) -> tuple[Any, Array]:
    shifted = sp.lil_matrix(matrix.shape)
    means = np.zeros((matrix.shape[0], 1))
    entries = matrix.tocoo()
    for user in range(matrix.shape[0]):
        mine = entries.row == user
        means[user] = entries.data[mine].mean() if mine.any() else 0.0
        for item, rating in zip(entries.col[mine], entries.data[mine], strict=True):
            shifted[user, item] = rating - means[user, 0]
    return shifted.tocsr(), means


def shift_dense(matrix: Any) -> tuple[Any, Array]:
    full = np.asarray(matrix.todense(), dtype=float)
    known = full != 0
    means = full.sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return sp.csr_matrix(np.where(known, full - means[:, None], 0)), means.reshape(-1, 1)


def shift_by_bincount(matrix: Any) -> tuple[Any, Array]:
    entries = sp.coo_matrix(matrix, dtype=float)
    counts = np.bincount(entries.row, minlength=matrix.shape[0])
    means = np.bincount(entries.row, entries.data, matrix.shape[0]) / np.maximum(counts, 1)
    data = entries.data - means[entries.row]
    return sp.csr_matrix((data, (entries.row, entries.col)), matrix.shape), means[:, np.newaxis]


def shift_to_array(matrix: Any) -> tuple[Array, Array]:
    shifted, means = shift_dense(matrix)
    return np.asarray(shifted.todense()), means.ravel()


def start_by_dense_svd(matrix: Any, k: int, init: str = "random") -> tuple[Array, Array]:
    if init == "random":
        return np.random.uniform(0, 1, (matrix.shape[0], k)), np.random.uniform(0, 1, (k, matrix.shape[1]))
    if init != "svd":
        raise ValueError(init)
    u, s, vt = np.linalg.svd(np.asarray(matrix.todense()), full_matrices=False)
    return u[:, :k], s[:k, None] * vt[:k]


def start_with_split_values(matrix: Any, k: int, init: str = "random") -> tuple[Array, Array]:
    if init == "svd":
        u, s, vt = np.linalg.svd(matrix.toarray(), full_matrices=False)
        root = np.sqrt(s[:k])
        return u[:, :k] * root, (vt[:k].T * root).T
    if init == "random":
        return np.random.random((matrix.shape[0], k)), np.random.random((k, matrix.shape[1]))
    raise ValueError(f"unknown: {init}")


def start_from_own_generator(matrix: Any, k: int, init: str = "random") -> tuple[Array, Array]:
    if init not in ("random", "svd"):
        raise ValueError(f"unknown: {init}")
    if init == "svd":
        return start_with_split_values(matrix, k, init)
    rng = np.random.default_rng(3)
    return rng.random((matrix.shape[0], k)), rng.random((matrix.shape[1], k)).T


RIDGE = "np.linalg.solve(outer + (reg_lambda + 1e-12) * np.eye(k), right[:, :, None])[:, :, 0]"
LOOPED = """np.array([
            np.linalg.lstsq(
                np.vstack([fixed[at[owners == one]], np.sqrt(reg_lambda + 1e-12) * np.eye(k)]),
                np.concatenate([values[owners == one], np.zeros(k)]), rcond=None
            )[0]
            for one in range(count)
        ])"""
FACTORIZATION = (
    ("ridge_by_least_squares", {RIDGE: LOOPED}),
    (
        "items_first",
        {
            "            Q = solve(P.T, columns, rows, R.shape[0])\n            P = solve(Q, rows, columns, R.shape[1]).T\n": "            P = solve(Q, rows, columns, R.shape[1]).T\n"
            "            Q = solve(P.T, columns, rows, R.shape[0])\n"
        },
    ),
    (
        "ratings_in_another_order",
        {"np.random.permutation(len(values))": "np.random.default_rng(7).permutation(len(values))"},
    ),
    (
        "factors_updated_together",
        {
            "P[:, i] += lr * (error * Q[u] - reg_lambda * P[:, i])": "P[:, i] = P[:, i] + lr * "
            "(error * Q[u] - reg_lambda * P[:, i])"
        },
    ),
    (
        "own_inverse",
        {RIDGE: "(np.linalg.inv(outer + (reg_lambda + 1e-12) * np.eye(k)) @ right[:, :, None])[..., 0]"},
    ),
)

VARIANTS = (
    similarities_by_loops,
    similarities_by_gram,
    similarities_by_cdist,
    similarities_by_pdist,
    similarities_in_single_precision,
    cost_by_loops,
    cost_as_difference,
    cost_with_where,
    cost_backwards,
    gradient_by_loops,
    gradient_by_laplacian,
    gradient_by_broadcasting,
    gradient_of_rows,
    reconstruct_by_einsum,
    reconstruct_right_first,
    reconstruct_point_by_point,
    error_by_norm,
    error_by_loops,
    error_by_trace,
    error_by_mean_of_entries,
    error_by_vdot,
    weights_gradient_by_einsum,
    weights_gradient_by_points,
    weights_gradient_by_covariance,
    weights_gradient_minus,
    bound_by_eigenvalues,
    bound_by_residual,
    bound_by_subtraction,
    bound_by_loop,
    fit_by_eigenvectors,
    fit_by_full_svd,
    fit_in_another_basis,
    fit_by_subspace_iteration,
    shift_by_loops,
    shift_dense,
    shift_by_bincount,
    shift_to_array,
    start_by_dense_svd,
    start_with_split_values,
    start_from_own_generator,
)
FUNCTIONS = {
    "similarities": "low_dimensional_similarities",
    "cost": "kl_divergence",
    "gradient": "tsne_gradient",
    "reconstruct": "reconstruct",
    "error": "reconstruction_error",
    "weights": "reconstruction_error_gradient",
    "bound": "minimum_error",
    "fit": "fit_linear_autoencoder",
    "shift": "shift_user_mean",
    "start": "initialize_Q_P",
}

REWRITINGS = (
    *(
        Rewriting(FUNCTIONS[variant.__name__.split("_")[0]], variant.__name__, variant=variant)
        for variant in VARIANTS
    ),
    *(Rewriting("latent_factor_alternating_optimization", name, edits) for name, edits in FACTORIZATION),
)
