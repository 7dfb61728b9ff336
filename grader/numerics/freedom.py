"""Takes out of a result what the mathematics leaves free, so that the rest can be compared entry by entry.

    sign          each column may be negated: eigenvectors, principal components
    rotation      the columns may be rotated or reflected together: embeddings, factors of an isotropic model
    permutation   the columns may come in any order: clusters, independent components, eigenvalues
    factor        A and B of a product A B may be A G and G^-1 B; a single A may be A G, of the same columns

Of several parts the first matrix tells what was done to its columns, and the others are followed up: a vector
has an entry, and a matrix a row, for each of those columns (U, s, Vt of a singular value decomposition).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from grader.numerics.arrays import dense, precision, relative_error
from grader.numerics.compare import Comparison, NearMissCode, Tolerance, compare
from grader.records import Code

Array = NDArray[Any]
Freedom = Literal["sign", "rotation", "permutation", "factor"]
RANK = 1e-9  # smaller singular values, relative to the largest, span nothing
WORDS: Mapping[Freedom, str] = {
    "sign": "the signs of its columns",
    "rotation": "a rotation",
    "permutation": "the order of its columns",
    "factor": "an invertible factor",
}


def compare_up_to(got: Any, expected: Any, allowed: Tolerance, freedom: Freedom | None) -> Comparison:
    """Compare as `compare` does, but for what is left free."""
    found = compare(got, expected, allowed)
    if freedom is None or found.code not in (Code.VALUES, NearMissCode.INTEGER_DTYPE):
        return found
    nearest = compare(*freed(got, expected, freedom), allowed)
    if nearest.equal:
        return nearest
    message = f"{found.message}, and more than {WORDS[freedom]} is different"
    return Comparison(found.code, message, found.error, found.worst)


def freed(got: Any, expected: Any, freedom: Freedom | None) -> tuple[Any, Any]:
    """Return two values to compare in place of a result and the expected one.

    These are the result, changed by what is free so that it comes nearest, and the expected one; or, for a
    free factor, what does not depend on it: the product of two parts, the projection onto the columns of one.
    Values of another structure or shape, or with entries that are not finite, are returned as they are.
    """
    many = isinstance(expected, tuple)
    parts, right = _parts(got if many else (got,)), _parts(expected if many else (expected,))
    if freedom is None or not parts or right is None or not _alike(parts, right):
        return got, expected
    try:
        with np.errstate(all="ignore"):
            if freedom == "factor":
                return _without_factor(parts), _without_factor(right)
            found = _turned(parts, right, freedom)
    except (np.linalg.LinAlgError, ValueError):  # entries so large that their products are infinite
        return got, expected
    return (tuple(found) if many else found[0]), expected


def error_up_to(got: Any, expected: Any, freedom: Freedom | None = None) -> float:
    """Return the largest relative error over the parts of a value; infinite for another structure."""
    got, expected = freed(got, expected, freedom)
    many = isinstance(expected, tuple)
    parts, right = _parts(got if many else (got,)), _parts(expected if many else (expected,))
    if parts is None or right is None or not _alike(parts, right):
        return float("inf")
    return max((relative_error(a, b)[0] for a, b in zip(parts, right, strict=True)), default=0.0)


def _parts(value: Any) -> list[Array] | None:
    """Return the parts of a tuple as finite numeric arrays, None if they are none."""
    if not isinstance(value, tuple | list):
        return None
    arrays = [dense(part) for part in value]
    # Linear algebra knows no half precision, and none beyond double.
    other = {"e": np.float32, "g": np.float64}
    found = [array.astype(other.get(array.dtype.char, array.dtype)) for array in arrays if array is not None]
    return found if len(found) == len(value) and all(np.isfinite(part).all() for part in found) else None


def _alike(parts: list[Array], right: list[Array]) -> bool:
    return [part.shape for part in parts] == [part.shape for part in right]


def _turned(parts: list[Array], right: list[Array], freedom: Freedom) -> list[Array]:
    """Apply the orthogonal matrix that brings the first matrix nearest, its inverse to the other parts."""
    lead = next((number for number, part in enumerate(parts) if part.ndim == 2), 0)
    if parts[lead].ndim not in (1, 2):
        return parts

    # The columns are free: a vector is one column, or a row whose entries may move.
    if parts[lead].ndim == 2:
        got, target = parts[lead], right[lead]
    elif freedom == "permutation":
        got, target = parts[lead][None, :], right[lead][None, :]
    else:
        got, target = parts[lead][:, None], right[lead][:, None]
    if freedom == "sign":
        turn = np.diag(np.where(np.sum(got.conj() * target, axis=0).real < 0, -1.0, 1.0))
    elif freedom == "rotation":  # Procrustes (Schönemann 1966): |got R - target| is smallest
        u, _, vh = np.linalg.svd(got.conj().T @ target)
        turn = np.asarray(u @ vh)
    else:
        turn = _permutation(got, target)

    turned = []
    for number, part in enumerate(parts):
        if number == lead:
            turned.append(np.asarray(got @ turn).reshape(part.shape))
        elif part.ndim == 1 and freedom == "permutation" and len(part) == len(turn):
            turned.append(part @ turn)
        elif part.ndim == 2 and len(part) == len(turn):
            turned.append(np.asarray(turn.conj().T @ part))
        else:
            turned.append(part)
    return turned


def _permutation(got: Array, target: Array) -> Array:
    """Return the permutation matrix that brings the columns nearest to those of the target."""
    from scipy.optimize import (  # type: ignore[attr-defined]  # noqa: PLC0415 -- slow, and few need it
        linear_sum_assignment,
    )

    distances = np.stack([np.linalg.norm(column[:, None] - target, axis=0) for column in got.T])
    matrix = np.zeros(distances.shape)
    matrix[linear_sum_assignment(distances)] = 1.0
    return matrix


def _without_factor(parts: list[Array]) -> Array | tuple[Array, ...]:
    """Return what a factor between the parts does not change."""
    first = parts[0]
    if len(parts) == 2 and first.ndim == 2 and parts[1].ndim == 2 and len(parts[1]) == first.shape[1]:
        return np.asarray(first @ parts[1])
    if len(parts) == 1 and first.ndim == 2 and first.size:
        u, s, _ = np.linalg.svd(first, full_matrices=False)
        basis = u[:, s > max(RANK, 100 * precision(first)) * s.max()]
        return np.asarray(basis @ basis.conj().T)
    return tuple(parts)
