"""Recognises wrong arrays that are one simple transformation away from the right one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from grader.numerics.arrays import Array, best_factor, dense, relative_error
from grader.numerics.compare import NearMissCode, shape_slip

CLEARER = 10.0  # times smaller must the error be without the factor
SMALLEST = 1e-6  # factor that is named: a smaller one is as good as zero


@dataclass(frozen=True)
class NearMiss:
    """A recognised transformation: a stable code and a sentence for the student."""

    code: NearMissCode
    message: str
    factor: float | None = None


def near_miss(got: Any, expected: Any, rtol: float) -> NearMiss | None:
    """Return the transformation that turns the expected value into the one that came back, if known.

    Of several parts, one that all of them share.
    """
    if isinstance(expected, tuple):
        if not isinstance(got, tuple | list) or len(got) != len(expected):
            return None
        shared = {near_miss(part, right, rtol) for part, right in zip(got, expected, strict=True)}
        return shared.pop() if len(shared) == 1 else None
    array, right = dense(got), dense(expected)
    if array is None or right is None or array.dtype.kind not in "iufc" or not np.isfinite(array).all():
        return None
    if array.shape != right.shape:
        slip = shape_slip(array, right, rtol)
        return None if slip is None else NearMiss(*slip)
    return _changed_entries(array, right, rtol)


def _changed_entries(got: Array, right: Array, rtol: float) -> NearMiss | None:
    """Return what was done to the entries of an array of the right shape."""
    factor = best_factor([(got, right)]) if right.size > 1 else None
    if factor is not None and abs(factor) >= SMALLEST:
        with np.errstate(all="ignore"):
            error = relative_error(got / factor, right, least=0.0)[0]
        # A factor close to 1 is one too, if the error is all but gone without it.
        agrees = error <= rtol and abs(factor - 1) > CLEARER * error
        if agrees and abs(factor + 1) <= 10 * rtol:
            return NearMiss(NearMissCode.SIGN, "it has the wrong sign", -1.0)
        if agrees:
            digits = 4 if abs(factor - 1) > 1e-2 else 7
            message = f"it is right up to the constant factor {factor:.{digits}g}"
            return NearMiss(NearMissCode.CONSTANT_FACTOR, message, factor)
    square = got.ndim == 2 and got.shape[0] == got.shape[1]
    if square and relative_error(got.T, right, least=0.0)[0] <= rtol:
        return NearMiss(NearMissCode.TRANSPOSED, "the entries are right, but the result is transposed")
    if right.dtype.kind == "f" and right.size > 1 and got.any() and np.array_equal(got, np.trunc(right)):
        return NearMiss(
            NearMissCode.INTEGER_DTYPE, "the fractions were cut off: an array of integers was written to"
        )
    return None
