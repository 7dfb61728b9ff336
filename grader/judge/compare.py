"""Compares what a function returned with what it should have: structure, shape, dtype, finiteness, values.

Comparisons are written so that NaN fails. Errors are relative to the largest entry of the expected array,
so a tolerance means the same at every scale. What is allowed is the rubric's tolerance, or a few roundings of
the dtype that came back if those are more, plus what rounding the input does to the right result.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

MAX_DENSE = 50_000_000
TINY = 1e-12
ROUNDINGS = 32  # a result may carry this many roundings of its own dtype
SAFETY = 8.0  # times the change by rounding the input, of which a few draws are seen
EPS = float(np.finfo(np.float64).eps)
SINGLE = float(np.finfo(np.float32).eps)


@dataclass(frozen=True)
class Sensitivity:
    """The relative change of the right result when its input is rounded to double or single precision."""

    double: float = 0.0
    single: float = 0.0

    def at(self, eps: float) -> float:
        """Return the change that a result with the rounding `eps` may show."""
        return self.double if eps <= EPS else self.single * max(1.0, eps / SINGLE)


@dataclass(frozen=True)
class Tolerance:
    """What may differ: relative to the largest expected entry, or to `scale` where that is larger."""

    rtol: float
    flatten: bool = False
    scale: float = 0.0
    sensitivity: Sensitivity = Sensitivity()

    def of(self, array: NDArray[Any]) -> float:
        """Return the largest relative error that an array of this dtype may have."""
        eps = precision(array)
        least = ROUNDINGS * eps if eps > EPS else 0.0
        return max(self.rtol, least) + SAFETY * self.sensitivity.at(eps)


@dataclass(frozen=True)
class Comparison:
    """What a comparison found: `error` is relative, `code` names the kind of difference ('' if none)."""

    code: str = ""
    message: str = ""
    error: float = 0.0
    worst: tuple[int, ...] = ()

    @property
    def equal(self) -> bool:
        """Whether no difference was found."""
        return not self.code


def dense(value: Any) -> NDArray[Any] | None:
    """Return a numeric value as an array (sparse matrices as dense ones), None if it is no such value.

    A list of numbers is a vector, a list of rows of equal length a matrix.
    """
    if hasattr(value, "toarray"):
        return np.asarray(value.toarray()) if math.prod(value.shape) <= MAX_DENSE else None
    if isinstance(value, list):
        return _listed(value)
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 63:
        return np.asarray(_float(value))
    if isinstance(value, bool | str | bytes | dict | tuple) or value is None:
        return None
    return np.asarray(value)


def _listed(items: list[Any]) -> NDArray[Any] | None:
    """Return a list of numbers as a vector, one of rows (lists, tuples, vectors) as a matrix, or None."""
    if items and all(isinstance(item, int | float | complex | np.number) for item in items):
        return np.asarray([_float(item) if isinstance(item, int) else item for item in items])
    rows = [_listed(list(item)) if isinstance(item, list | tuple) else item for item in items]
    vectors = [row for row in rows if isinstance(row, np.ndarray) and row.ndim == 1]
    if not items or len(vectors) < len(rows) or len({len(row) for row in vectors}) > 1:
        return None
    return np.stack(vectors)


def _float(number: float) -> float:
    """Return a number as a float; an integer beyond all floats becomes infinite."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def precision(value: Any) -> float:
    """Return the relative rounding of a value's dtype; of the coarsest part, for a tuple.

    Half precision counts as single: no input has it, so its rounding is a choice of the function.
    """
    if isinstance(value, tuple | list) and dense(value) is None:
        return max((precision(part) for part in value), default=EPS)
    array = dense(value)
    rounded = array is not None and array.dtype.kind in "fc"
    eps = float(np.finfo(array.dtype).eps) if array is not None and rounded else EPS
    return min(max(EPS, eps), SINGLE)


def compare(got: Any, expected: Any, rtol: float | Tolerance) -> Comparison:
    """Compare one value, or the parts of a tuple, with the expected one."""
    allowed = rtol if isinstance(rtol, Tolerance) else Tolerance(rtol)
    if isinstance(expected, tuple):
        return _compare_parts(got, expected, allowed)
    array = dense(got)
    if array is None:
        return Comparison("structure", f"it returned {describe(got)} where {describe(expected)} is expected")
    return _compare_arrays(array, np.asarray(dense(expected)), allowed)


def _compare_parts(got: Any, expected: tuple[Any, ...], allowed: Tolerance) -> Comparison:
    if not isinstance(got, tuple | list) or len(got) != len(expected):
        return Comparison("structure", f"it returned {describe(got)} where {describe(expected)} is expected")
    for place, (part, right) in enumerate(zip(got, expected, strict=True), 1):
        found = compare(part, right, allowed)
        if not found.equal:
            return Comparison(
                found.code, f"in part {place} of the result, {found.message}", found.error, found.worst
            )
    return Comparison()


def _compare_arrays(got: NDArray[Any], expected: NDArray[Any], allowed: Tolerance) -> Comparison:
    rtol = allowed.of(got)
    if got.shape != expected.shape and not _same_entries(got, expected, flatten=allowed.flatten):
        return _shape(got, expected, rtol)
    got = got.reshape(expected.shape)
    if not np.isfinite(got).all():
        return _not_finite(got, expected)
    error, worst = relative_error(got, expected, allowed.scale)
    if error <= rtol:
        return Comparison(error=error, worst=worst)
    if got.dtype.kind in "iu" and expected.dtype.kind == "f":
        return Comparison("integer_dtype", "it has integer entries, so fractions were cut off", error, worst)
    return Comparison("values", f"it is off by {error:.2g} of the largest entry", error, worst)


def _same_entries(got: NDArray[Any], expected: NDArray[Any], *, flatten: bool) -> bool:
    """Whether a difference of shape does not matter: flattening is allowed, or a number came as (1,)."""
    return got.size == expected.size and (flatten or (expected.ndim == 0 and got.size == 1))


def _shape(got: NDArray[Any], expected: NDArray[Any], rtol: float) -> Comparison:
    """Name a wrong shape, and a near miss: the right entries transposed, flattened, or as a column."""
    message = f"it has the shape {got.shape} where {expected.shape} is expected"
    slip = shape_slip(got, expected, rtol)
    if slip is None:
        return Comparison("shape", message, 1.0)
    return Comparison(slip[0], f"{message}; {slip[1]}", 1.0)


def shape_slip(
    got: NDArray[Any], expected: NDArray[Any], rtol: float
) -> tuple[Literal["transposed", "reshaped"], str] | None:
    """Return the code and the words for the right entries in another shape, None if they are not right."""
    if got.size != expected.size or got.size == 0 or not np.isfinite(got).all():
        return None
    if got.ndim == 2 and got.T.shape == expected.shape and relative_error(got.T, expected)[0] <= rtol:
        return "transposed", "the entries are right, but the result is transposed"
    if relative_error(got.reshape(expected.shape), expected)[0] <= rtol:
        return "reshaped", f"the entries are right, but {_form(got.shape, expected.shape)}"
    if relative_error(got.reshape(expected.shape, order="F"), expected)[0] <= rtol:
        return "reshaped", "the entries are right, but they were flattened column by column"
    return None


def _form(got: tuple[int, ...], expected: tuple[int, ...]) -> str:
    """Say how the same entries in the same order stand in another shape."""
    if len(expected) == 1 and got == (*expected, 1):
        return "in a column (N, 1) in place of a vector (N,)"
    if len(expected) == 1 and got == (1, *expected):
        return "in a row (1, N) in place of a vector (N,)"
    if len(got) == 1 and expected == (*got, 1):
        return "in a vector (N,) in place of a column (N, 1)"
    return "flattened" if len(got) == 1 else "in another shape"


def _not_finite(got: NDArray[Any], expected: NDArray[Any]) -> Comparison:
    place = tuple(int(i) for i in np.argwhere(~np.isfinite(got))[0])
    count = int((~np.isfinite(got)).sum())
    return Comparison("not_finite", f"{count} of {expected.size} entries are NaN or infinite", np.inf, place)


def relative_error(
    got: NDArray[Any], expected: NDArray[Any], scale: float = 0.0
) -> tuple[float, tuple[int, ...]]:
    """Return the largest difference, relative to the largest expected entry or `scale`, and where it is."""
    if expected.size == 0:
        return 0.0, ()
    with np.errstate(all="ignore"):
        difference = np.abs(got.astype(np.complex128) - expected)
    worst = np.unravel_index(int(np.argmax(difference)), expected.shape)
    scale = max(float(np.abs(expected).max()), scale, TINY)
    return float(difference[worst]) / scale, tuple(int(i) for i in worst)


def describe(value: Any) -> str:
    """Say what a value is, for a student, without its numbers."""
    if value is None:
        return "nothing (None)"
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of {len(value)}"
    array = dense(value)
    if array is None:
        return f"a {type(value).__name__}"
    return "a number" if array.ndim == 0 else f"an array of shape {array.shape}"
