"""Compares what a function returned with what it should have: structure, shape, dtype, finiteness, values.

Comparisons are written so that NaN fails. Errors are relative to the largest entry of the expected array,
so a tolerance means the same at every scale. What is allowed is the rubric's tolerance, or a few roundings of
the dtype that came back if those are more, plus what rounding the input does to the right result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.numerics.arrays import EPS, SINGLE, as_array, dense, precision, relative_error
from grader.numerics.in_words import describe
from grader.records import Code, Table

ROUNDINGS = 32  # a result may carry this many roundings of its own dtype
SAFETY = 8.0  # times the change by rounding the input, of which a few draws are seen


class NearMissCode(StrEnum):
    """The simple steps that a wrong array may be away from the right one: a closed set."""

    CONSTANT_FACTOR = "constant_factor"
    SIGN = "sign"
    TRANSPOSED = "transposed"
    RESHAPED = "reshaped"
    INTEGER_DTYPE = "integer_dtype"
    ONE_OF_SEVERAL = "one_of_several"


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

    def of(self, value: Any) -> float:
        """Return the largest relative error that a value of this dtype, one array or several, may have."""
        eps = precision(value)
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


def compare(  # noqa: PLR0911 -- a table of types
    got: Any, expected: Any, rtol: float | Tolerance
) -> Comparison:
    """Compare a value with the expected one: numbers and arrays, text, and containers of these.

    A list counts as a tuple, and either as an array of its items where an array is expected.
    """
    allowed = rtol if isinstance(rtol, Tolerance) else Tolerance(rtol)
    if isinstance(expected, dict):
        return _compare_dicts(got, expected, allowed)
    if isinstance(expected, Table) and expected.columns is not None:
        return _compare_tables(got, expected, allowed)
    if isinstance(expected, set):
        return _compare_sets(got, expected, allowed)
    if isinstance(expected, np.ma.MaskedArray) and np.ma.getmaskarray(expected).any():
        return _compare_masked(got, expected, allowed)
    if isinstance(expected, bool | np.bool_):
        return _compare_truth(got, bool(expected))
    right = dense(expected)
    if isinstance(expected, tuple) or (isinstance(expected, list) and (right is None or not expected)):
        return _compare_parts(got, expected, allowed)
    if right is None:
        return _compare_texts(got, expected)
    if isinstance(got, np.ma.MaskedArray) and np.ma.getmaskarray(got).any():
        count = int(np.ma.getmaskarray(got).sum())
        return Comparison(Code.MASKED, f"{count} of {got.size} entries are masked", np.inf)
    array = as_array(got)
    if array is None:
        return _other_structure(got, expected)
    return _compare_arrays(array, right, allowed)


def has_other_form(got: Any, expected: Any) -> bool:
    """Whether lists or tuples came back where arrays are expected."""
    if not isinstance(got, tuple | list):
        return False
    if isinstance(expected, tuple | list):
        return len(got) == len(expected) and any(map(has_other_form, got, expected))
    return dense(expected) is not None


def _other_structure(got: Any, expected: Any) -> Comparison:
    return Comparison(Code.STRUCTURE, f"it returned {describe(got)} where {describe(expected)} is expected")


def _compare_truth(got: Any, expected: bool) -> Comparison:
    """Compare a truth value; the numbers 0 and 1 count as such."""
    number = np.asarray(got) if isinstance(got, bool) else dense(got)
    if number is None or number.size != 1 or number.dtype.kind not in "biuf" or number.item() not in (0, 1):
        return _other_structure(got, expected)
    return (
        Comparison()
        if bool(number.item()) is expected
        else Comparison(Code.VALUES, f"it is {not expected}", 1)
    )


def _compare_texts(got: Any, expected: Any) -> Comparison:
    """Compare with None, a text, or an array of text."""
    if not isinstance(expected, np.ndarray):
        if type(got) is not type(expected):
            return _other_structure(got, expected)
        return Comparison() if got == expected else Comparison(Code.VALUES, "it is another text", 1)
    if isinstance(got, list):
        got = _text_array(got)
    if not isinstance(got, np.ndarray) or got.dtype.kind != "U":
        return _other_structure(got, expected)
    if got.shape != expected.shape:
        return Comparison(
            Code.SHAPE, f"it has the shape {got.shape} where {_wanted(expected)} is expected", 1
        )
    wrong = np.argwhere(got != expected)
    if not len(wrong):
        return Comparison()
    worst = tuple(int(i) for i in wrong[0])
    return Comparison(Code.VALUES, f"{len(wrong)} of its {expected.size} texts are others", 1, worst)


def _text_array(items: list[Any]) -> Any:
    """Return a list of texts, or of rows of texts, as an array; as it is if it is none."""
    rows = [_text_array(list(item)) if isinstance(item, list | tuple) else item for item in items]
    if all(isinstance(item, str) for item in rows):
        return np.array(rows, dtype=str)
    arrays = [row for row in rows if isinstance(row, np.ndarray) and row.dtype.kind == "U"]
    same_shape = len(arrays) == len(rows) and len({row.shape for row in arrays}) == 1
    return np.stack(arrays) if same_shape else items


def _compare_parts(got: Any, expected: Sequence[Any], allowed: Tolerance) -> Comparison:
    """Compare the parts of a tuple, or of a list that is no array."""
    if isinstance(expected, list) and isinstance(got, np.ndarray) and got.ndim:
        got = got.tolist() if got.dtype.kind == "U" else list(got)
    if not isinstance(got, tuple | list) or len(got) != len(expected):
        return _other_structure(got, expected)
    for number, (part, right) in enumerate(zip(got, expected, strict=True), 1):
        result = compare(part, right, allowed)
        if not result.equal:
            return _inside(result, f"in part {number} of the result")
    return Comparison()


def _inside(result: Comparison, where: str) -> Comparison:
    return Comparison(result.code, f"{where}, {result.message}", result.error, result.worst)


def _compare_dicts(got: Any, expected: dict[Any, Any], allowed: Tolerance) -> Comparison:
    if not isinstance(got, dict):
        return _other_structure(got, expected)
    missing = [key for key in expected if key not in got]
    if missing:
        return Comparison(Code.STRUCTURE, f"the key {missing[0]!r} is missing")
    if len(got) > len(expected):
        extra = next(key for key in got if key not in expected)
        return Comparison(Code.STRUCTURE, f"it has the key {extra!r}, which is not expected")
    for key, right in expected.items():
        result = compare(got[key], right, allowed)
        if not result.equal:
            return _inside(result, f"at the key {key!r}")
    return Comparison()


def _compare_sets(got: Any, expected: set[Any], allowed: Tolerance) -> Comparison:
    """Compare two sets: numbers in order of size with the tolerance, anything else exactly."""
    if not isinstance(got, set):
        return _other_structure(got, expected)
    if len(got) != len(expected):
        return Comparison(Code.STRUCTURE, f"it has {len(got)} elements where {len(expected)} are expected")
    if got == expected:
        return Comparison()
    mine, right = dense([*got]), dense([*expected])
    if mine is not None and right is not None and mine.ndim == right.ndim == 1:
        return _compare_arrays(np.sort(mine), np.sort(right), allowed)
    return Comparison(Code.VALUES, f"{len(expected - got)} of its {len(expected)} elements are others", 1)


def _compare_masked(got: Any, expected: Any, allowed: Tolerance) -> Comparison:
    """Compare arrays with masked entries; NaN counts as masked."""
    mask = np.ma.getmaskarray(expected)
    array = dense(got)
    if array is None:
        return _other_structure(got, expected)
    if array.shape != mask.shape:
        return Comparison(Code.SHAPE, f"it has the shape {array.shape} where {mask.shape} is expected", 1)
    if not np.array_equal(np.isnan(array), mask):
        return Comparison(Code.VALUES, "other entries are masked than those that are expected to be", 1)
    return _compare_arrays(array[~mask], np.ma.getdata(expected)[~mask], allowed)


def _compare_tables(got: Any, expected: Table, allowed: Tolerance) -> Comparison:
    """Compare a table column by column, by name; an array of the same shape is compared by its entries."""
    if not isinstance(got, Table) or got.columns is None:
        array, right = dense(got), dense(expected)
        if array is None or right is None:
            return _other_structure(got, expected)
        return _compare_arrays(array, right, allowed)
    own, names = dict(zip(got.columns, got.data, strict=True)), expected.columns or ()
    missing = [name for name in names if name not in own]
    if missing or len(got.columns) > len(names):
        extra = f"it has {len(got.columns)} columns where {len(names)} are expected"
        return Comparison(Code.STRUCTURE, f"the column {missing[0]!r} is missing" if missing else extra)
    for name, right in zip(names, expected.data, strict=True):
        result = compare(own[name], right, allowed)
        if not result.equal:
            return _inside(result, f"in the column {name!r}")
    return Comparison()


def _compare_arrays(got: NDArray[Any], expected: NDArray[Any], allowed: Tolerance) -> Comparison:
    rtol = allowed.of(got)
    # A shape does not matter where flattening is allowed, nor where a number came as an array of one.
    same_entries = got.size == expected.size and (allowed.flatten or (expected.ndim == 0 and got.size == 1))
    if got.shape != expected.shape and not same_entries:
        message = f"it has the shape {got.shape} where {_wanted(expected)} is expected"
        slip = shape_slip(got, expected, rtol) if np.isfinite(rtol) else None  # else no entry is looked at
        if slip is None:
            return Comparison(Code.SHAPE, message, 1)
        return Comparison(slip[0], f"{message}; {slip[1]}", 1)
    got = got.reshape(expected.shape)
    wrong = np.argwhere(~np.isfinite(got))
    if len(wrong):
        message = f"{len(wrong)} of {expected.size} entries are NaN or infinite"
        return Comparison(Code.NOT_FINITE, message, np.inf, tuple(int(i) for i in wrong[0]))
    error, worst = relative_error(got, expected, allowed.scale)
    if error <= rtol:
        return Comparison(error=error, worst=worst)
    code: str = Code.VALUES
    message = f"it is off by {error:.2g} of the largest entry"
    if not got.any():
        code, message = Code.ZERO, "it is zero everywhere" if got.ndim else "it is zero"
    elif got.dtype.kind in "iu" and expected.dtype.kind == "f":
        code, message = NearMissCode.INTEGER_DTYPE, "it has integer entries, so fractions were cut off"
    return Comparison(code, message, error, worst)


def _wanted(expected: NDArray[Any]) -> str:
    return str(expected.shape) if expected.ndim else "a single number"


def shape_slip(got: NDArray[Any], expected: NDArray[Any], rtol: float) -> tuple[NearMissCode, str] | None:
    """Return the code and the words for the right entries in another shape, None if they are not right."""
    if got.size != expected.size or got.size == 0 or not np.isfinite(got).all():
        return None
    if got.ndim == 2 and got.T.shape == expected.shape and relative_error(got.T, expected)[0] <= rtol:
        return NearMissCode.TRANSPOSED, "the entries are right, but the result is transposed"
    if relative_error(got.reshape(expected.shape), expected)[0] <= rtol:
        if len(expected.shape) == 1 and got.shape == (*expected.shape, 1):
            form = "in a column (N, 1) in place of a vector (N,)"
        elif len(expected.shape) == 1 and got.shape == (1, *expected.shape):
            form = "in a row (1, N) in place of a vector (N,)"
        elif len(got.shape) == 1 and expected.shape == (*got.shape, 1):
            form = "in a vector (N,) in place of a column (N, 1)"
        else:
            form = "flattened" if got.ndim == 1 else "in another shape"
        return NearMissCode.RESHAPED, f"the entries are right, but {form}"
    if relative_error(got.reshape(expected.shape, order="F"), expected)[0] <= rtol:
        return NearMissCode.RESHAPED, "the entries are right, but they were flattened column by column"
    return None
