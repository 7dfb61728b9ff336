"""Seeded inputs of exercise 11. Each generator returns cases that tell the known mistakes apart.

Scale matters: at |Y| ~ 1 a missing square in d_ij changes the gradient by half, at 1e-3 by a thousandth;
so most inputs are of size 1, and the tiny ones (t-SNE's usual start) stand beside them.
"""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from grader.course import Answer, Case

from .ratings import generate_ratings

Array = NDArray[np.float64]
Generator = np.random.Generator


def files(seed: int) -> dict[str, bytes]:
    """Return the data files that stand beside the notebook; the same for everybody, whatever the seed."""
    buffer = io.BytesIO()
    np.save(buffer, generate_ratings(seed=11))
    return {"exercise_11_matrix_factorization_ratings.npy": buffer.getvalue()}


# Problem 1: t-SNE


def points(rng: Generator) -> list[Case]:
    """Points Y (N, d): two, one and three dimensions, far apart, coinciding points."""
    coinciding = rng.standard_normal((6, 2))
    coinciding[3] = coinciding[0]
    return [
        Case("two dimensions", (rng.standard_normal((12, 2)),)),
        Case("far apart", (5.0 * rng.standard_normal((8, 2)),)),
        Case("one dimension", (rng.standard_normal((7, 1)),), label="points in one dimension"),
        Case("three dimensions", (rng.standard_normal((9, 3)),), label="points in three dimensions"),
        Case("two points that coincide", (coinciding,), label="two points that coincide"),
    ]


def whole_points(rng: Generator) -> list[Case]:
    """Points Y (N, d) of whole numbers, and of the dtype of these."""
    return [Case("whole numbers", (np.arange(10).reshape(5, 2) % 4 + rng.integers(0, 3, (5, 2)),))]


def any_points(rng: Generator) -> list[Case]:
    """Points Y (N, d) for what must hold of any Q: as above, as many once more, and two points alone."""
    again = Case("two dimensions again", (rng.standard_normal((12, 2)),))
    two = Case("two points", (rng.standard_normal((2, 2)),), label="two points only")
    return [*points(rng), again, two]


def plane_points(rng: Generator) -> list[Case]:
    """P (N, N) and Y (N, 2): of size 1, far apart, and tiny as at the start of t-SNE."""
    return [
        Case("size one", (_joint(rng, 8), rng.standard_normal((8, 2)))),
        Case("far apart", (_joint(rng, 6), 4.0 * rng.standard_normal((6, 2)))),
        Case(
            "tiny", (_joint(rng, 6), 1e-4 * rng.standard_normal((6, 2))), label="points that are very close"
        ),
    ]


def other_points(rng: Generator) -> list[Case]:
    """P and Y in one, three and five dimensions, with zeros in P, with coinciding points."""
    return [*dimensions(rng), *special_points(rng)]


def dimensions(rng: Generator) -> list[Case]:
    """P and Y in one, three and five dimensions."""
    return [
        Case("one dimension", (_joint(rng, 5), rng.standard_normal((5, 1))), label="points in one dimension"),
        Case(
            "three dimensions",
            (_joint(rng, 5), rng.standard_normal((5, 3))),
            label="points in three dimensions",
        ),
        Case(
            "five dimensions",
            (_joint(rng, 7), rng.standard_normal((7, 5))),
            label="points in five dimensions",
        ),
    ]


def special_points(rng: Generator) -> list[Case]:
    """P and Y with zeros in P, and with points that coincide."""
    coinciding = rng.standard_normal((5, 2))
    coinciding[4] = coinciding[1]
    sparse = _joint(rng, 6, zeros=True)
    return [
        Case("zeros in P", (sparse, rng.standard_normal((6, 2))), label="zeros in P"),
        Case("two points that coincide", (_joint(rng, 5), coinciding), label="two points that coincide"),
    ]


def whole_pairs(rng: Generator) -> list[Case]:
    """P and Y of whole numbers, and of the dtype of these."""
    y = np.arange(10).reshape(5, 2) % 3 + rng.integers(0, 3, (5, 2))
    return [Case("whole numbers", (_joint(rng, 5), y))]


def pairs_with_zeros(rng: Generator) -> list[Case]:
    """P with zeros beside the diagonal, and Y."""
    sparse = (_joint(rng, n, zeros=True) for n in (6, 9))
    return [Case("zeros in P", (p, rng.standard_normal((len(p), 2)))) for p in sparse]


def perfect_pairs(rng: Generator) -> list[Case]:
    """Y and its own Q in place of P."""
    y = rng.standard_normal((7, 2))
    inverse = 1.0 / (1.0 + np.sum((y[:, None] - y[None]) ** 2, axis=-1))
    np.fill_diagonal(inverse, 0.0)
    return [Case("P = Q", (inverse / inverse.sum(), y), known={"scale": 1.0})]


def full_pairs(rng: Generator) -> list[Case]:
    """P without zeros beside the diagonal, and Y; two points alone, with a P that is not symmetric."""
    return [case for case in pairs(rng) if case.name != "zeros in P"]


def pairs(rng: Generator) -> list[Case]:
    """All inputs (P, Y) of the cost, and two points alone, with a P that is not symmetric."""
    share = rng.uniform(0.1, 0.4)
    two = (np.array([[0.0, share], [1.0 - share, 0.0]]), rng.standard_normal((2, 2)))
    return [*plane_points(rng), *other_points(rng), Case("two points", two, label="two points only")]


def _joint(rng: Generator, n: int, *, zeros: bool = False) -> Array:
    """Return a symmetric P (n, n) with zero diagonal and sum 1, far from uniform."""
    p = rng.gamma(0.6, size=(n, n)) + 0.01
    if zeros:
        p *= rng.random((n, n)) < 0.5
        p[0, 1:] += 0.1
        p[1, 2] = p[2, 1] = 0.0
    p = p + p.T
    np.fill_diagonal(p, 0.0)
    return p / p.sum()


# Problem 2: linear autoencoder


def weights(rng: Generator) -> list[Case]:
    """X (N, D), W1 (D, K), W2 (K, D): tall, wide, K = 1, K = D, one point."""
    shapes = [(15, 5, 2), (4, 7, 3), (9, 4, 1), (6, 3, 3), (1, 4, 2)]
    labels = ("", "fewer points than dimensions", "K = 1", "K = D", "one point only")
    return [
        Case(f"N, D, K = {shape}", _weights(rng, *shape), label=label)
        for shape, label in zip(shapes, labels, strict=True)
    ]


def perfect_weights(rng: Generator) -> list[Case]:
    """X (N, D) in a plane, and the weights that project on it."""
    basis = np.linalg.qr(rng.standard_normal((5, 2)))[0]
    x = rng.standard_normal((9, 2)) @ basis.T
    return [Case("a perfect reconstruction", (x, basis, basis.T.copy()), known={"scale": _size(x)})]


def whole_data(rng: Generator) -> list[Case]:
    """X (N, D) of whole numbers, and of the dtype of these, with W1 (D, K) and W2 (K, D)."""
    _, w1, w2 = _weights(rng, 8, 4, 2)
    return [Case("whole numbers", (rng.integers(-4, 5, (8, 4)), w1, w2))]


def _weights(rng: Generator, n: int, d: int, k: int) -> tuple[Array, Array, Array]:
    x = rng.standard_normal((n, d)) + rng.standard_normal(d)
    return x, rng.standard_normal((d, k)), rng.standard_normal((k, d))


def compressions(rng: Generator) -> list[Case]:
    """X (N, D) and k from 0 to D; data far from the origin, rank-deficient, fewer points than dimensions."""
    x = _data(rng, 20, 6)
    deficient = rng.standard_normal((12, 2)) @ rng.standard_normal((2, 5)) * 3.0
    wide = _data(rng, 4, 6)
    cases = [(x, 1), (x, 3), (x, 0), (x, 6), (deficient, 1), (deficient, 2), (wide, 2)]
    labels = (
        "k = 1",
        "k = 3",
        "k = 0",
        "k = D",
        "data of rank 2",
        "k = the rank",
        "fewer points than dimensions",
    )
    return [
        Case(f"k = {k} of {data.shape}", (data, k), known={"scale": _size(data)}, label=label)
        for (data, k), label in zip(cases, labels, strict=True)
    ]


def fits(rng: Generator) -> list[Case]:
    """X (N, D) and k for training: off centre along a minor direction, which centring loses; one rank 3."""
    x, other = _off_centre(rng, 40, 6), _off_centre(rng, 30, 4)
    deficient = _data(rng, 30, 3) @ rng.standard_normal((3, 5))
    return [Case("k = 2", (x, 2)), Case("k = 3", (other, 3)), Case("k = 1, rank 3", (deficient, 1))]


def _off_centre(rng: Generator, n: int, d: int) -> Array:
    """Return points whose spread falls from direction to direction, moved along that of the least."""
    directions = np.linalg.qr(rng.standard_normal((d, d)))[0]
    return (rng.standard_normal((n, d)) * np.linspace(1.5, 0.4, d)) @ directions + 2.0 * directions[-1]


def _data(rng: Generator, n: int, d: int) -> Array:
    scales = np.linspace(2.0, 0.5, d)
    return rng.standard_normal((n, d)) * scales @ rng.standard_normal((d, d)) / np.sqrt(
        d
    ) + rng.standard_normal(d)


def _size(x: Array) -> float:
    """Return the mean squared length of the points: the error without any reconstruction."""
    return float(np.mean(np.sum(x**2, axis=1)))


# Problem 3: matrix factorization


def rating_matrices(rng: Generator) -> list[Case]:
    """Sparse ratings: typical, a user whose ratings are all equal, an item seen once."""
    typical = _sparse(rng, 8, 6)
    equal = _sparse(rng, 6, 5).toarray()
    equal[2] = np.where(equal[2] > 0, 4.0, 0.0)
    once = _sparse(rng, 7, 5).toarray()
    once[:, 3] = 0.0
    once[5, 3] = 2.0
    return [
        Case("typical", (typical,)),
        Case("a user with equal ratings", (csr_matrix(equal),), label="a user whose ratings are all equal"),
        Case("an item seen once", (csr_matrix(once),), label="a restaurant that is rated once"),
    ]


def whole_ratings(rng: Generator) -> list[Case]:
    """Sparse ratings of the dtype of whole numbers."""
    return [Case("whole numbers", (_sparse(rng, 6, 7).astype(np.int64),))]


def random_starts(rng: Generator) -> list[Case]:
    """A matrix and k for the random start, large enough to see a distribution."""
    return [Case("random", (_sparse(rng, 40, 30), 5), {"init": "random"})]


def svd_starts(rng: Generator) -> list[Case]:
    """Matrices with negative entries (means subtracted) and k for the start by SVD."""
    return [
        Case("k = 2", (_shifted(_sparse(rng, 12, 9)), 2), {"init": "svd"}),
        Case("k = 4", (_shifted(_sparse(rng, 10, 14)), 4), {"init": "svd"}),
    ]


def whole_svd_starts(rng: Generator) -> list[Case]:
    """A matrix of the dtype of whole numbers and k for the start by SVD."""
    return [Case("whole numbers", (_sparse(rng, 10, 8).astype(np.int64), 3), {"init": "svd"})]


def unknown_starts(rng: Generator) -> list[Case]:
    """A name of a start that does not exist."""
    return [Case("unknown", (_sparse(rng, 6, 5), 2), {"init": "zeros"})]


def als_ratings(rng: Generator) -> list[Case]:
    """Ratings to factorize by alternating least squares, from both starts.

    With a tenth of this lambda one random start in 200 leads into a bad optimum: a right solution would lose
    points to chance.
    """
    options = {"optimizer": "als", "max_steps": 25, "reg_lambda": 1.0}
    return [
        _factorization(rng, "random start", init="random", k=5, **options),
        _factorization(rng, "start by SVD", init="svd", **options),
    ]


def sgd_ratings(rng: Generator) -> list[Case]:
    """Ratings to factorize by stochastic gradient descent.

    Steps and lambda are large enough, and the patience is as long as the run, so that no random start ends
    on a plateau (none of 4,000 on each of four seeds).
    """
    options = {"optimizer": "sgd", "lr": 0.05, "reg_lambda": 0.1, "max_steps": 60, "patience": 60}
    return [_factorization(rng, "random start", **options)]


def short_runs(rng: Generator) -> list[Case]:
    """A run that max_steps ends long before the patience is over."""
    return [_factorization(rng, "six steps", optimizer="als", k=5, reg_lambda=0.5, max_steps=6, patience=50)]


def counted_runs(rng: Generator) -> list[Case]:
    """Runs of both optimizers that max_steps ends."""
    options = {"k": 5, "max_steps": 6, "patience": 50}
    runs = (("als", 0.5), ("sgd", 0.1))
    return [_factorization(rng, name, optimizer=name, reg_lambda=each, **options) for name, each in runs]


def single_visits(rng: Generator) -> list[Case]:
    """A few small steps of SGD from a given start, on a matrix with two ratings a user and one an item.

    Lambda is zero. The validation values are among the ratings, so that every epoch is the best so far.
    """
    users, k = 60, 5
    items = np.arange(2 * users)
    owners = items // 2
    q, p = rng.uniform(0.2, 0.6, (users, k)), rng.uniform(0.2, 0.6, (k, len(items)))
    ratings = np.sum(q[owners] * p[:, items].T, axis=1) + rng.uniform(0.5, 1.5, len(items))
    matrix = csr_matrix((ratings, (owners, items)), shape=(users, len(items)))
    keywords = {"max_steps": 10, "init": "random", "log_every": 1000, "patience": 1000, "eval_every": 1}
    args = (matrix, np.stack([owners, items], axis=1), k, (owners[:40], items[:40]), ratings[:40], 0.0)
    start = Answer("initialize_Q_P", (matrix, k, "random"), (q, p))
    return [Case("ten small steps", args, {**keywords, "optimizer": "sgd", "lr": 2e-5}, answers=(start,))]


def settled_runs(rng: Generator) -> list[Case]:
    """A run of ALS that finds the ratings exactly, and so leaves no gradient for any row."""
    return [case for case in telling_runs(rng) if case.known["run"] == "exact"]


def noisy_descents(rng: Generator) -> list[Case]:
    """Runs of SGD whose validation losses, of few ratings, rise and fall, until the patience ends them."""
    options = {"optimizer": "sgd", "reg_lambda": 0.02, "lr": 0.04, "max_steps": 80, "patience": 6}
    cases = [_factorization(rng, f"noisy, {n}", size=(30, 20, 0.6), **options) for n in range(4)]
    few = [(*case.args[:3], tuple(part[:4] for part in case.args[3]), case.args[4][:4]) for case in cases]
    return [replace(case, args=(*args, case.args[5])) for case, args in zip(cases, few, strict=True)]


def overfitting_runs(rng: Generator) -> list[Case]:
    """A run with many factors and little regularisation, which the patience must end.

    It is long: with 80 steps, one right solution in 150 was still improving at their end.
    """
    options = {"optimizer": "als", "k": 8, "reg_lambda": 0.1, "max_steps": 200, "patience": 3}
    return [_factorization(rng, "overfitting", **options)]


def strong_regularisation(rng: Generator) -> list[Case]:
    """A run whose regularisation leaves nothing of the factors."""
    return [_factorization(rng, "lambda = 10000", optimizer="als", reg_lambda=1e4, max_steps=5)]


def strong_descent(rng: Generator) -> list[Case]:
    """A run of SGD whose regularisation leaves nothing of either factor; the smallest are the best."""
    options = {"optimizer": "sgd", "reg_lambda": 1e4, "lr": 5e-5, "max_steps": 12}
    case = _factorization(rng, "lambda = 10000", size=(60, 40, 0.6), **options)
    return [replace(case, args=(*case.args[:4], 0.0 * case.args[4], *case.args[5:]))]


def full_matrices(rng: Generator) -> list[Case]:
    """Matrices without unknown entries and with a flat spectrum: one step does not lead to their SVD."""
    matrix = rng.standard_normal((12, 9))
    known = np.ones(matrix.shape, dtype=bool)
    held_out = tuple(rng.choice(np.argwhere(known), 15, replace=False).T)
    options = {"init": "svd", "max_steps": 1}
    return [_small("one step from the SVD", matrix, known, held_out, matrix[held_out], **options)]


def telling_runs(rng: Generator) -> list[Case]:
    """Small runs that tell the known mistakes of a factorization apart, whatever path it takes.

    Two directions of the same strength, two thirds known in every row and column. The validation values
    are chosen so that the best step is the last whatever is drawn; for the patience, the ratings are so small
    that nothing changes after the first steps. Runs of SGD hardly leave their start (see marks.py).
    """
    left, right = (np.linalg.qr(rng.standard_normal((n, 2)))[0] for n in (16, 12))
    flat = left @ right.T
    exact, lifted = flat / flat.std(), flat + 0.1
    known = (rng.permutation(16)[:, None] + rng.permutation(12)) % 3 > 0
    rest = np.nonzero(~known)
    patient = {"reg_lambda": 1e-3, "max_steps": 60, "patience": 3}
    return [
        _small("exact", exact, known, rest, exact[rest], init="svd", max_steps=100),
        _small("settled", lifted, known, rest, 3.0 * lifted[rest], init="svd", reg_lambda=0.08, max_steps=40),
        _small("strong", exact, known, rest, 0.0 * exact[rest], init="svd", reg_lambda=1e4, max_steps=5),
        _small("patience", 1e-20 * exact, known, rest, 1.0 + 0.0 * exact[rest], **patient),
        _small("three steps", exact, known, rest, exact[rest], init="svd", max_steps=3),
        _small("no steps of SGD", exact, known, rest, exact[rest], init="svd", max_steps=60, lr=0.0),
        *full_matrices(rng),
        *_tiny_steps(rng),
    ]


def _tiny_steps(rng: Generator) -> list[Case]:
    """Runs of SGD from the SVD of rank 1 with the singular value 1, so short that they stay linear.

    The validation values reward the step downhill ("towards"), the one uphill ("away"), or none ("stay");
    for the regularisation, that the factors "shrink" or "grow" where nothing else moves them.
    """
    ratings = rng.standard_normal((10, 8)) + 2.0
    known = (rng.permutation(10)[:, None] + rng.permutation(8)) % 4 > 0
    ratings = np.where(known, ratings, 0.0)
    ratings /= np.linalg.norm(ratings, 2)
    u, _, vt = np.linalg.svd(ratings)
    start = np.outer(u[:, 0], vt[0])
    error = known * (ratings - start)
    slope = error @ np.outer(vt[0], vt[0]) + np.outer(u[:, 0], u[:, 0]) @ error
    tiny = {"optimizer": "sgd", "init": "svd", "k": 1, "lr": 1e-5, "max_steps": 10}
    rest = np.nonzero(~known)
    rewards = {"towards": start + 10.0 * slope, "away": start - 10.0 * slope, "stay": start}
    cases = [_small(name, ratings, known, rest, wanted[rest], **tiny) for name, wanted in rewards.items()]
    for case in cases:
        case.known.update(start=start, mask=known)
    everywhere = np.ones(start.shape, dtype=bool)
    for name, size in (("shrink", 0.0), ("grow", 10.0)):
        cases.append(_small(name, start, everywhere, rest, size * start[rest], reg_lambda=1.0, **tiny))
    return cases


def _small(
    name: str,
    matrix: Array,
    known: NDArray[np.bool_],
    held_out: tuple[NDArray[np.int64], ...],
    values: Array,
    **options: Any,
) -> Case:
    """Return a run on the known entries of a small matrix, with validation values at other places."""
    reg_lambda, k = options.pop("reg_lambda", 1e-6), options.pop("k", 2)
    defaults = {"max_steps": 30, "init": "random", "log_every": 1000, "patience": 1000, "eval_every": 1}
    keywords = {**defaults, "optimizer": "als", "lr": 0.01, **options}
    args = (csr_matrix(np.where(known, matrix, 0.0)), np.argwhere(known), k, held_out, values, reg_lambda)
    known_of_run: dict[str, Any] = {"run": name}
    return Case(name, args, keywords, known_of_run)


def _factorization(
    rng: Generator, name: str, size: tuple[int, int, float] = (100, 60, 0.5), **options: Any
) -> Case:
    """Return a case: training matrix and validation values go in, the test ratings stay with the judge."""
    ratings = _sparse(rng, *size)
    rows, columns = ratings.nonzero()
    order = rng.permutation(len(rows))
    parts = np.split(order, [len(order) // 8, len(order) // 4])
    train = ratings.tolil()
    for held_out in parts[:2]:
        train[rows[held_out], columns[held_out]] = 0.0
    known = csr_matrix(train)
    means = _means(known)
    validation, test = (_held_out(ratings, means, rows[part], columns[part]) for part in parts[:2])
    k, reg_lambda = options.pop("k", 3), options.pop("reg_lambda", 0.1)
    shifted = _shifted(known)
    places = np.stack([rows[parts[2]], columns[parts[2]]], axis=1)
    defaults = {"max_steps": 30, "init": "random", "log_every": 1000, "patience": 10, "eval_every": 1}
    keywords = {**defaults, "optimizer": "als", "lr": 0.01, **options}
    baseline = float(np.sqrt(np.mean(test[1] ** 2)))
    secret = {"test_idx": test[0], "test_values": test[1], "user_mean_rmse": baseline}
    args = (shifted, places, k, validation[0], validation[1], reg_lambda)
    return Case(name, args, keywords, secret)


def _held_out(
    ratings: csr_matrix, means: Array, rows: NDArray[np.int64], columns: NDArray[np.int64]
) -> tuple[tuple[NDArray[np.int64], NDArray[np.int64]], Array]:
    values = np.asarray(ratings[rows, columns]).ravel() - means[rows]
    return (rows.astype(np.int64), columns.astype(np.int64)), values


def _sparse(rng: Generator, users: int, items: int, density: float = 0.6) -> csr_matrix:
    """Return whole stars 1..5 with structure of rank 3 and a bias of every user; no user without ratings."""
    taste = rng.standard_normal((users, 3)) @ rng.standard_normal((3, items))
    stars = np.clip(np.rint(3.2 + 0.5 * rng.standard_normal((users, 1)) + 0.9 * taste), 1, 5)
    seen = rng.random((users, items)) < density
    seen[np.arange(users), rng.integers(0, items, users)] = True
    seen[rng.integers(0, users, items), np.arange(items)] = True
    return csr_matrix(np.where(seen, stars, 0.0))


def _means(ratings: csr_matrix) -> Array:
    counts = np.maximum(np.diff(ratings.indptr), 1)
    return np.asarray(ratings.sum(axis=1)).ravel() / counts


def _shifted(ratings: csr_matrix) -> csr_matrix:
    shifted = ratings.astype(np.float64)
    shifted.data -= np.repeat(_means(ratings), np.diff(ratings.indptr))
    return shifted
