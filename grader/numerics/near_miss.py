"""Recognises wrong arrays that are one simple transformation away from the right one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from grader.numerics.arrays import dense
from grader.numerics.compare import shape_slip

NearMissCode = Literal["constant_factor", "sign", "transposed", "reshaped", "integer_dtype"]


@dataclass(frozen=True)
class NearMiss:
    """A recognised transformation: a stable code and a sentence for the student."""

    code: NearMissCode
    message: str


def near_miss(got: Any, expected: Any, rtol: float) -> NearMiss | None:
    """Return the transformation that turns the expected value into the one that came back, if known."""
    if isinstance(expected, tuple):
        return _common(got, expected, rtol)
    array, right = dense(got), dense(expected)
    if array is None or right is None or array.dtype.kind not in "iufc" or not np.isfinite(array).all():
        return None
    if array.shape != right.shape:
        return _other_shape(array, right, rtol)
    return _factor(array, right, rtol) or _square_transposed(array, right, rtol) or _truncated(array, right)


def _common(got: Any, expected: tuple[Any, ...], rtol: float) -> NearMiss | None:
    """Return the near miss that all parts of a tuple share."""
    if not isinstance(got, tuple | list) or len(got) != len(expected):
        return None
    found = {near_miss(part, right, rtol) for part, right in zip(got, expected, strict=True)}
    return found.pop() if len(found) == 1 else None


def _other_shape(got: NDArray[Any], right: NDArray[Any], rtol: float) -> NearMiss | None:
    slip = shape_slip(got, right, rtol)
    return None if slip is None else NearMiss(*slip)


def _factor(got: NDArray[Any], right: NDArray[Any], rtol: float) -> NearMiss | None:
    size = float(np.abs(right).max(initial=0.0))
    if right.size < 2 or size == 0.0:
        return None
    with np.errstate(all="ignore"):
        unit = right / size  # so that no square of an entry over- or underflows
        factor = float((np.vdot(unit, got) / np.vdot(unit, unit)).real) / size
        if not 1e-6 <= abs(factor) < np.inf or not _equal(got / factor, right, rtol):
            return None
    if abs(factor - 1) <= 10 * rtol:
        return None
    if abs(factor + 1) <= 10 * rtol:
        return NearMiss("sign", "it has the wrong sign")
    return NearMiss("constant_factor", f"it is right up to the constant factor {factor:.4g}")


def _square_transposed(got: NDArray[Any], right: NDArray[Any], rtol: float) -> NearMiss | None:
    if got.ndim == 2 and got.shape[0] == got.shape[1] and _equal(got.T, right, rtol):
        return NearMiss("transposed", "the entries are right, but the result is transposed")
    return None


def _equal(got: NDArray[Any], right: NDArray[Any], rtol: float) -> bool:
    """Whether two arrays agree relative to the largest right entry, at any scale; NaN never does."""
    with np.errstate(all="ignore"):
        return bool(np.abs(got - right).max(initial=0.0) <= rtol * np.abs(right).max(initial=0.0))


def _truncated(got: NDArray[Any], right: NDArray[Any]) -> NearMiss | None:
    if right.dtype.kind == "f" and right.size > 1 and np.array_equal(got, np.trunc(right)) and got.any():
        return NearMiss("integer_dtype", "the fractions were cut off: an array of integers was written to")
    return None
