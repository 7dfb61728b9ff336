"""Compares what a function returned with what it should have: structure, shape, dtype, finiteness, values.

Comparisons are written so that NaN fails. Errors are relative to the largest entry of the expected array,
so a tolerance means the same at every scale. What is allowed is the rubric's tolerance, or a few roundings of
the dtype that came back if those are more, plus what rounding the input does to the right result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from grader.numerics.arrays import EPS, SINGLE, dense, precision, relative_error
from grader.numerics.in_words import describe

ROUNDINGS = 32  # a result may carry this many roundings of its own dtype
SAFETY = 8.0  # times the change by rounding the input, of which a few draws are seen


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
