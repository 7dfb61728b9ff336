"""Measures of exercise 11: how good a result is where its entries are not determined."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.course import Case, dense

from .marks import run_marks, start_marks

__all__ = ["run_marks", "start_marks"]  # beside the measures below
Array = NDArray[np.float64]
Call = Callable[..., Any]
MAX_RECORDS = 100_000


def excess_error(value: Any, case: Case) -> float:
    """Return how much of the reducible error is left: 0 at the Eckart-Young bound, 1 without any fit."""
    x, k = np.asarray(case.args[0], dtype=np.float64), case.args[1]
    w1, w2 = _weights(value, case)
    squares = np.linalg.svd(x, compute_uv=False) ** 2
    least, most = squares[k:].sum(), squares.sum()
    return float((((x - x @ w1 @ w2) ** 2).sum() - least) / (most - least))


def own_excess_error(value: Any, case: Case, call: Call) -> float:
    """Return how much of the reducible part of the student's own error is left, beside the true optimum.

    Weights that are better by their own error than those that are best by the true one were trained on it.
    """
    x, k = np.asarray(case.args[0], dtype=np.float64), case.args[1]
    w1, w2 = _weights(value, case)
    best = call("fit_linear_autoencoder", x, k)
    own, least, most = (
        call("reconstruction_error", x, *pair) for pair in ((w1, w2), best, (0.0 * w1, 0.0 * w2))
    )
    return float((own - least) / abs(most - least))


def random_start(value: Any, case: Case) -> float:
    """Return 1 if Q (N, k) and P (k, D) look like independent draws from U[0, 1), else 0."""
    q, p = _factors(value, case)
    inside = all(part.min() >= 0.0 and part.max() < 1.0 for part in (q, p))
    spread = all(abs(part.mean() - 0.5) < 0.15 and 0.2 < part.std() < 0.38 for part in (q, p))
    distinct = len(np.unique(np.concatenate([q.ravel(), p.ravel()]))) > 0.9 * (q.size + p.size)
    return float(inside and spread and distinct)


def svd_start(value: Any, case: Case) -> float:
    """Return the distance of Q P from the best approximation of rank k, relative to its norm."""
    q, p = _factors(value, case)
    u, s, vt = np.linalg.svd(np.asarray(case.args[0].todense()), full_matrices=False)
    k = case.args[1]
    best = (u[:, :k] * s[:k]) @ vt[:k]
    return float(np.linalg.norm(q @ p - best) / np.linalg.norm(best))


def held_out_rmse(value: Any, case: Case) -> float:
    """Return the RMSE of Q P on test ratings that no student's process ever holds."""
    q, p = _factors(value, case)
    predicted = (q @ p)[case.known["test_idx"]]
    return float(np.sqrt(np.mean((predicted - case.known["test_values"]) ** 2)))


def own_held_out_rmse(value: Any, case: Case, call: Call) -> float:
    """Return the share of the way from what is reached from the student's own start to no use at all."""
    own = held_out_rmse(call("latent_factor_alternating_optimization", *case.args, **case.keywords), case)
    reached, useless = held_out_rmse(value, case), max(case.known["user_mean_rmse"], 1.1 * own)
    return (reached - own) / (useless - own)


def own_distance_from_svd(value: Any, case: Case, call: Call) -> float:
    """Return how far the run from the student's own start is from that of the reference from this start."""
    own = call("latent_factor_alternating_optimization", *case.args, **case.keywords)
    q, other = (np.linalg.svd(_factors(run, case)[0], full_matrices=False)[0] for run in (value, own))
    return _sine(q, other)


def als_gradient(value: Any, case: Case) -> float:
    """Return the gradient of the regularised loss in the factor solved last, relative to its data term.

    Either factor may have been solved last, and lambda may count once a factor or once a rating.
    """
    q, p = _factors(value, case)
    (matrix, mask), reg_lambda = _masked(case), case.args[5]
    residual = mask * (q @ p - matrix)
    blocks = [
        (q.T @ residual, p, mask.sum(axis=0), q.T @ (mask * matrix)),
        (p @ residual.T, q.T, mask.sum(axis=1), p @ (mask * matrix).T),
    ]
    return min(
        float(np.linalg.norm(data + reg_lambda * weight * factor) / np.linalg.norm(scale))
        for data, factor, counts, scale in blocks
        for weight in (1.0, counts)
    )


def train_loss_rise(value: Any, case: Case) -> float:
    """Return the largest rise of the training loss from one record to the next, relative to the first."""
    losses = _losses(value[3])
    if len(losses) < 2:
        raise ValueError("fewer than two training losses were recorded")
    return max(0.0, float(np.diff(losses).max()) / abs(float(losses[0])))


def unsolved_rows(value: Any, case: Case) -> float:
    """Return the share of users and restaurants whose factors a settled run of ALS has not solved for.

    Lambda may count once a factor or once a rating.
    """
    q, p = _factors(value, case)
    (matrix, mask), reg_lambda = _masked(case), case.args[5]
    residual = mask * (q @ p - matrix)
    shares = []
    for weights in ((1.0, 1.0), (mask.sum(axis=0), mask.sum(axis=1))):
        columns = q.T @ residual + reg_lambda * weights[0] * p
        rows = p @ residual.T + reg_lambda * weights[1] * q.T
        left = np.concatenate([np.linalg.norm(part, axis=0) for part in (columns, rows)])
        sizes = [(q.T @ (mask * matrix)), (p @ (mask * matrix).T)]
        scale = np.concatenate([np.linalg.norm(part, axis=0) for part in sizes])
        shares.append(float(np.mean(left > 0.02 * scale)))
    return min(shares)


def rating_visits(value: Any, case: Case) -> float:
    """Return the share of the steps that SGD owes every rating, to first order in a small learning rate.

    Each column has one rating, so the step of its p says how often it was visited, times a constant that is
    the convention of the loss. All may be visited alike, or at random as often on average. The rows must have
    moved as the visits of their ratings say; anything else is no step of SGD.
    """
    q, p = _factors(value, case)
    q0, p0 = (np.asarray(part) for part in case.answers[0].value)
    lr, steps = case.keywords["lr"], case.keywords["max_steps"]
    users, items = np.asarray(case.args[1]).T
    ratings = np.asarray(case.args[0].todense())[users, items]
    error = ratings - np.sum(q0[users] * p0[:, items].T, axis=1)
    step = lr * error[:, None] * q0[users]
    moved = (p - p0)[:, items].T
    visits = np.sum(moved * step, axis=1) / np.sum(step**2, axis=1)
    off = float(np.linalg.norm(moved - visits[:, None] * step) / np.linalg.norm(moved))
    expected = np.zeros(q.shape)
    np.add.at(expected, users, (lr * visits * error)[:, None] * p0[:, items].T)
    off = max(off, float(np.linalg.norm(q - q0 - expected) / np.linalg.norm(expected)))
    if np.linalg.norm(q - q0) > 0.1 * np.linalg.norm(q0):  # from a start of its own, or solved for at once
        if len(_losses(value[3])) < 2 or not (q.any() and p.any()):
            return 0.0
        solved = np.abs(np.sum(q[users] * p[:, items].T, axis=1) - ratings).max() < 0.1
        return 0.0 if solved else 0.3
    if not (off < 0.1 and visits.min() > -0.1 and 0.1 < visits.mean() < 40 * steps):
        return 0.0
    if np.ptp(visits) < 0.1 * visits.mean():  # all alike; a learning rate may decay slowly
        return min(1.0, float(visits.mean()) / (0.6 * (steps - 1)))
    gaps = np.diff(np.sort(visits))
    times = visits / gaps[gaps > 0.25].min(initial=np.inf)
    if np.abs(times - np.rint(times)).max() > 0.3 or times.max() == 0.0:
        return 0.0
    share = float(times.mean()) / (steps - 1)
    return 1.0 if share > 0.75 else share


def best_is_returned(value: Any, case: Case) -> float:
    """Return 1 if the returned factors have the smallest validation loss that was recorded, else 0."""
    squares, count, penalty = _squares(value, case, case.args[3], case.args[4])
    return float(
        _is_one_of(min(_losses(value[2])), [*_forms(squares, count), *_forms(squares, count, penalty)])
    )


def losses_are_those(value: Any, case: Case) -> float:
    """Return 1 if the training losses are L and the validation losses the squared errors, else half, 0.

    They are looked for among the records, at the factors that came back; each may be a mean, or its root. The
    validation losses may contain lambda: not every sheet forbids it. Where each stands in the other's place,
    it is a quarter.
    """
    known = tuple(np.asarray(case.args[1]).T)
    ratings = np.asarray(case.args[0].todense())[known]
    squares, count, penalty = _squares(value, case, known, ratings)
    of_training = _forms(squares, count, penalty)
    squares, count, penalty = _squares(value, case, case.args[3], case.args[4])
    of_validation = [*_forms(squares, count), *_forms(squares, count, penalty)]

    def among(records: Any, forms: list[float]) -> bool:
        return any(_is_one_of(loss, forms) for loss in _losses(records))

    if among(value[2], of_training) and among(value[3], of_validation):
        return 0.25
    return 0.5 * among(value[3], of_training) + 0.5 * among(value[2], of_validation)


def _masked(case: Case) -> tuple[Array, Array]:
    """Return the matrix of ratings, and one that is 1 where they are known, else 0."""
    matrix = np.asarray(case.args[0].todense())
    mask = np.zeros(matrix.shape)
    mask[tuple(np.asarray(case.args[1]).T)] = 1.0
    return matrix, mask


def _squares(value: Any, case: Case, places: Any, values: Any) -> tuple[float, int, float]:
    """Return the squared errors of Q P at some places, their number, and what lambda adds to L."""
    q, p = _factors(value, case)
    squares = float(np.sum((np.asarray(values).ravel() - (q @ p)[tuple(places)]) ** 2))
    return squares, np.size(values), case.args[5] * float(np.sum(q**2) + np.sum(p**2))


def _forms(squares: float, count: int, penalty: float = 0.0) -> list[float]:
    """Return what a loss may be: the sum, the mean, half of them, a root; lambda beside sum or mean."""
    total, mean = squares + penalty, squares / count + penalty
    return [total, total / 2, total / count, mean, mean / 2, total**0.5, (total / count) ** 0.5, mean**0.5]


def _is_one_of(loss: float, forms: list[float]) -> bool:
    return any(abs(loss - form) <= 1e-5 * abs(form) for form in forms)


def stopped_at_max_steps(value: Any, case: Case) -> float:
    """Return 1 if converged_after is -1 and both losses were recorded max_steps times, one more or less."""
    steps = case.keywords["max_steps"]
    counted = all(steps - 1 <= len(losses) <= steps + 1 for losses in value[2:4])
    return float(int(value[4]) == -1 and counted)


def obeys_patience(value: Any, case: Case) -> float:
    """Return 1 if the run ended where its own validation losses say, one step more or less, else 0.

    That is where the smallest of them lies `patience` records back, or after max_steps.
    """
    steps, patience = case.keywords["max_steps"], case.keywords["patience"]
    losses = np.nan_to_num(_losses(value[2]), nan=np.inf)
    if len(losses) < 2 or not np.isfinite(losses[0]):
        return 0.0
    waited = np.arange(len(losses)) - [int(np.argmin(losses[: n + 1])) for n in range(len(losses))]
    over = np.nonzero(waited >= patience)[0]
    due = int(over[0]) if len(over) else steps
    ended = len(losses) - 1
    return float(abs(ended - due) <= 1 or (ended >= steps - 1 and due >= ended - 1))


def stopped_by_patience(value: Any, case: Case) -> float:
    """Return 1 if the run ended because its validation losses had stopped improving, else 0.

    They must end `patience` records after the smallest one (one more or less is a matter of counting), and
    converged_after must name a step of the run.
    """
    steps, patience = case.keywords["max_steps"], case.keywords["patience"]
    losses = _losses(value[2])
    if len(losses) >= steps or not np.isfinite(losses).all():
        return 0.0
    waited = len(losses) - 1 - int(np.argmin(losses))
    return float(abs(waited - patience) <= 1 and 0 <= int(value[4]) < steps)


def remaining_size(value: Any, case: Case) -> float:
    """Return the norm of Q P on the known entries, relative to that of the ratings."""
    q, p = _factors(value, case)
    known = tuple(np.asarray(case.args[1]).T)
    ratings = np.asarray(case.args[0].todense())[known]
    return float(np.linalg.norm((q @ p)[known]) / np.linalg.norm(ratings))


def remaining_entries(value: Any, case: Case) -> float:
    """Return the root mean square of the entries of the larger factor, relative to that of U[0, 1)."""
    sizes = [float(np.sqrt(np.mean(part**2))) for part in _factors(value, case)]
    return max(sizes) * 3**0.5


def distance_from_svd(value: Any, case: Case) -> float:
    """Return the sine of the angle between the columns of Q and the leading left singular vectors."""
    q, _ = _factors(value, case)
    u = np.linalg.svd(np.asarray(case.args[0].todense()), full_matrices=False)[0]
    return _sine(q, u[:, : case.args[2]])


def projection(value: Any, case: Case) -> Array:
    """Return what W1 W2 leaves of X, which the optimum determines; W1 and W2 are free."""
    x = np.asarray(case.args[0], dtype=np.float64)
    w1, w2 = (_array(part) for part in value)
    columns = x.shape[1]
    if w1.shape != (columns, *w2.shape[:1]) or w2.shape[1:] != (columns,) or len(w2) > columns:
        raise ValueError(f"W1 {w1.shape} and W2 {w2.shape} cannot be weights of {columns} columns")
    return x - x @ w1 @ w2


def _sine(q: Array, u: Array) -> float:
    """Return the sine of the largest angle between the columns of q and the orthonormal ones of u."""
    basis = np.linalg.svd(q, full_matrices=False)[0]
    return float(np.linalg.norm(u - basis @ (basis.T @ u), 2))


def loss_curves(value: Any) -> dict[str, list[float]]:
    """Return the losses that a factorization recorded, each relative to its first record."""
    curves = {"training loss": value[3], "validation loss": value[2]}
    return {name: (_losses(ys) / abs(float(ys[0]))).tolist() for name, ys in curves.items()}


def _factors(value: Any, case: Case) -> tuple[Array, Array]:
    """Return Q (N, k) and P (k, D) as arrays; raise ValueError if they are no such factors.

    That one of them is transposed, or that a run has one factor more, is for the checks of the form.
    """
    q, p = _array(value[0]), _array(value[1])
    rows, columns = case.args[0].shape
    run = len(case.args) > 2
    k = case.args[2] if run else case.args[1]  # (M, k) or (R, known entries, k, ...)
    if run and q.shape == (rows, k + 1):
        k += 1
    q, p = (q.T if q.shape == (k, rows) else q), (p.T if p.shape == (columns, k) else p)
    if q.shape != (rows, k) or p.shape != (k, columns):
        raise ValueError(f"Q {q.shape} and P {p.shape} do not have the shapes (N, k) and (k, D)")
    return q, p


def _weights(value: Any, case: Case) -> tuple[Array, Array]:
    """Return W1 and W2 as arrays; raise ValueError if their shapes are not (D, K) and (K, D)."""
    w1, w2 = (_array(part) for part in value)
    columns, k = np.asarray(case.args[0]).shape[1], case.args[1]
    if w1.shape != (columns, k) or w2.shape != (k, columns):
        raise ValueError(f"W1 {w1.shape} and W2 {w2.shape} do not have the shapes (D, K) and (K, D)")
    return w1, w2


def _losses(value: Any) -> Array:
    """Return recorded losses as a vector; raise ValueError if there are more than a run can record."""
    if len(value) > MAX_RECORDS:
        raise ValueError(f"{len(value)} losses were recorded")
    return np.asarray([float(loss) for loss in value], dtype=np.float64)


def _array(value: Any) -> Array:
    array = dense(value)
    if array is None or not np.isfinite(array).all():
        raise ValueError("a part is no finite array")
    return np.asarray(array, dtype=np.float64)
