"""What starts and factorizations are recognised by: numbers on which all conventions agree.

SGD is seen in runs that hardly leave their start, which is the SVD of rank 1 with the singular value 1. There
the first-order step is the same for every convention: with the factor 2 or not, whatever the order of the
ratings, whichever factor comes first, and however the singular value is shared between Q and P. Only its
length differs, so its direction is compared.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.course import Case, dense

Array = NDArray[np.float64]
ALMOST = 0.03  # steps: a run that moved less hardly moved at all
TOO_FAR = 4.0  # steps: a factor 2 is a convention
NOTHING = 1e-6  # steps: rounding
LEFT = 0.3  # of what can be gained: one that moved so far is no run of tiny steps
SOME = 0.7  # of the records that a run can make
MAX_RECORDS = 100_000


def start_marks(value: Any, case: Case) -> tuple[Array, ...]:
    """Return what tells a start: Q P for the SVD, marks of the distribution for a random one."""
    q, p = (_array(part) for part in value)
    shapes = np.asarray([*q.shape, *p.shape], dtype=np.float64)
    if case.keywords["init"] == "svd":
        q, p = (q, p) if q.shape[1] == p.shape[0] else (q.T, p.T)
        if q.shape[0] * p.shape[1] > np.prod(case.args[0].shape) or len(p) > max(case.args[0].shape):
            raise ValueError(f"Q {q.shape} and P {p.shape} are no factors of the matrix")
        return shapes, q @ p
    entries = np.concatenate([q.ravel(), p.ravel()])
    distinct = [len(np.unique(part)) / max(1, part.size) for part in (q, p)]
    constant = [share < 1.5 / max(1, part.size) for share, part in zip(distinct, (q, p), strict=True)]
    if all(constant):
        return np.asarray([1.0]), shapes
    shared = len(np.intersect1d(q, p)) > 0.5 * min(q.size, p.size)
    marks = [
        *constant,
        entries.min() < 0,
        entries.min() < -1,
        entries.min() > 0.5,
        entries.max() >= 1,
        entries.max() < 0.7,
        bool(np.array_equal(entries, np.rint(entries))),
        shared,
        *(share < 0.1 for share in distinct),
        *(share < 0.5 for share in distinct),
    ]
    return np.asarray([0.0, *marks], dtype=np.float64), shapes


def run_marks(value: Any, case: Case) -> tuple[Array, ...]:
    """Return what a run can be recognised by, whatever its path: how it ended, and what it found."""
    steps, run = case.keywords["max_steps"], case.known.get("run", case.name)
    q, p = (dense(part) for part in value[:2])
    ratings = np.asarray(case.args[0].todense())
    if q is None or p is None or q.ndim != 2 or p.ndim != 2 or (q.shape[0], p.shape[1]) != ratings.shape:
        raise ValueError("Q and P are no factors of the matrix")
    if not q.shape[1] == p.shape[0] <= max(ratings.shape):
        raise ValueError(f"Q {q.shape} and P {p.shape} cannot be multiplied")
    found = np.asarray(q, dtype=np.float64) @ np.asarray(p, dtype=np.float64)
    validation, training = (_records(losses) for losses in value[2:4])
    records = max(len(validation), len(training))
    ended = np.asarray([int(value[4]) == -1, records <= steps + 1, records < steps, records < SOME * steps])
    if (
        run == "stay"
    ):  # the best validation loss is that of the start, zero, and only the training gets better
        said = [validation[0] > 1e-9, validation[-1] < validation[0], training[-1] > training[0]]
        return np.asarray([*ended, *said], dtype=np.float64), *_small_step(found, case)
    if run in ("towards", "away"):
        return ended.astype(np.float64), *_small_step(found, case)
    if run in ("shrink", "grow"):
        with_lambda = [len(training) > 0 and bool(training[0] > 1e-6)]
        return np.asarray(with_lambda, dtype=np.float64), _direction(found, case, ratings)
    if run == "overfitting":
        waited = records - 1 - int(np.argmin(validation)) - case.keywords["patience"]
        early = records < steps
        return (np.asarray([early, early and waited < -1, early and waited > 1], dtype=np.float64),)
    known = tuple(np.asarray(case.args[1]).T)
    with np.errstate(all="ignore"):
        size = float(np.linalg.norm(found[known]) / np.linalg.norm(ratings[known]))
    marks = {
        "exact": [_fell(validation), _fell(training)],
        "strong": [size < 0.5],
        "one step from the SVD": _alignment(q, case) if np.isfinite(found).all() else [],
    }
    said = np.asarray([*ended, *marks.get(run, [])], dtype=np.float64)
    return (said, found) if run in ("exact", "settled", "no steps of SGD") else (said,)


def _small_step(found: Array, case: Case) -> tuple[Array, ...]:
    """Return how far a run of tiny steps went (marks), and in which direction.

    The validation values reward one direction. A run that keeps its best factors returns the start if it went
    the other way, so the other way counts as no step at all.
    """
    start, mask, ratings = case.known["start"], case.known["mask"], np.asarray(case.args[0].todense())
    u, _, vt = np.linalg.svd(start)
    error = mask * (ratings - start)
    slope = error @ np.outer(vt[0], vt[0]) + np.outer(u[:, 0], u[:, 0]) @ error
    step = found - start
    steps = float(np.linalg.norm(step) / np.linalg.norm(slope) / case.keywords["lr"])
    left = float(np.linalg.norm(step) / np.linalg.norm(error)) > LEFT
    if case.known.get("run") == "stay":
        return (np.asarray([steps > TOO_FAR, left], dtype=np.float64),)
    held_out = tuple(case.args[3])
    gain = float(np.sum(step[held_out] * (np.asarray(case.args[4]) - start[held_out])))
    wanted = gain > 0.0 and steps > NOTHING
    share = steps / case.keywords["max_steps"] if wanted else 0.0
    moved = np.asarray([left, wanted and share < ALMOST, share > TOO_FAR], dtype=np.float64)
    if left or not wanted or share < ALMOST:
        return moved, np.zeros(start.shape)
    return moved, step / np.linalg.norm(step)


def _direction(found: Array, case: Case, start: Array) -> Array:
    """Return the direction in which a run left its start, if it is the one that its validation rewards."""
    step, held_out = found - start, tuple(case.args[3])
    size = float(np.linalg.norm(step))
    wanted = float(np.sum(step[held_out] * (np.asarray(case.args[4]) - start[held_out]))) > 0.0
    if not wanted or size < 1e-6 * float(np.linalg.norm(start)):
        return np.zeros(start.shape)
    return step / size


def _records(value: Any) -> Array:
    losses = [float(loss) for loss in list(value)[:MAX_RECORDS]]
    return np.nan_to_num(np.asarray(losses, dtype=np.float64), nan=np.inf)


def _fell(losses: Array) -> bool:
    """Whether the last loss is less than half of the first."""
    return len(losses) > 1 and bool(losses[-1] < 0.5 * losses[0])


def _alignment(q: Any, case: Case) -> list[bool]:
    """Return whether the columns of Q span the leading left singular vectors, and whether the last ones."""
    u, k = np.linalg.svd(np.asarray(case.args[0].todense()), full_matrices=False)[0], case.args[2]
    basis = np.linalg.svd(np.asarray(q, dtype=np.float64), full_matrices=False)[0]
    if basis.shape[1] < k:
        return []
    spans = (u[:, :k], u[:, -k:])
    return [float(np.linalg.norm(span - basis @ (basis.T @ span), 2)) < 0.1 for span in spans]


def _array(value: Any) -> Array:
    array = dense(value)
    if array is None or not np.isfinite(array).all():
        raise ValueError("a part is no finite array")
    return np.asarray(array, dtype=np.float64)
