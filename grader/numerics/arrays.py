"""Values as arrays: which are numbers at all, how precisely they are rounded, and how far two are apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.records import Table

Array = NDArray[Any]
NUMERIC = "biufc"
MAX_DENSE = 10_000_000  # entries that a sparse matrix may have as an array: 80 MB
TINY = 1e-12
EPS = float(np.finfo(np.float64).eps)
SINGLE = float(np.finfo(np.float32).eps)


def dense(value: Any) -> Array | None:  # noqa: PLR0911 -- a table of types
    """Return a numeric value as an array (sparse matrices as dense ones), None if it is no such value.

    A list of numbers is a vector, a list of rows of equal length a matrix, a table of numbers a matrix, a
    series a vector. Masked entries become NaN. Never raises, whatever came out of a box.
    """
    if hasattr(value, "toarray"):
        if math.prod(value.shape) > MAX_DENSE or max(value.shape, default=0) > MAX_DENSE:
            return None  # one without rows has no entries, and may have any number of columns
        try:
            return np.asarray(value.toarray())
        except ValueError:  # entries of half precision, which no sparse matrix can have
            return None
    if isinstance(value, list):
        return _listed(value)
    if isinstance(value, Table):
        columns = [dense(column) for column in value.data]
        numbers = [column for column in columns if column is not None and column.ndim == 1]
        if len(numbers) < len(columns) or len({len(column) for column in numbers}) != 1:
            return None
        return numbers[0] if value.columns is None else np.stack(numbers, axis=1)
    if isinstance(value, np.ma.MaskedArray):
        if value.dtype.kind not in NUMERIC:
            return None
        if not np.ma.getmaskarray(value).any():
            return np.asarray(np.ma.getdata(value))
        kind = np.complex128 if value.dtype.kind == "c" else np.float64
        return np.where(np.ma.getmaskarray(value), np.nan, np.ma.getdata(value).astype(kind))
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 63:
        return np.asarray(_float(value))
    if isinstance(value, bool | str | bytes | dict | set | tuple) or value is None:
        return None
    array = np.asarray(value)
    return array if array.dtype.kind in NUMERIC else None


def _listed(items: list[Any]) -> NDArray[Any] | None:
    """Return a list of numbers as a vector, one of rows (lists, tuples, vectors) as a matrix, or None."""
    if items and all(isinstance(item, int | float | complex | np.number) for item in items):
        return np.asarray([_float(item) if isinstance(item, int) else item for item in items])
    rows = [dense(list(item) if isinstance(item, tuple) else item) for item in items]
    vectors = [row for row in rows if row is not None and row.ndim == 1]
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


def largest(array: Array) -> float:
    """Return the size of the largest finite entry, 0 if there is none."""
    with np.errstate(all="ignore"):
        sizes = np.abs(array[np.isfinite(array)])
    return float(sizes.max(initial=0.0))


def relative_error(
    got: Array, expected: Array, scale: float = 0.0, least: float = TINY
) -> tuple[float, tuple[int, ...]]:
    """Return the largest difference of two arrays of one shape, and where it is.

    It is relative to the largest expected entry, to `scale` where that is larger, and to `least` at least. It
    is NaN if an entry is, and infinite for a difference where there is nothing to be relative to.
    """
    if expected.size == 0:
        return 0.0, ()
    with np.errstate(all="ignore"):
        difference = np.abs(got.astype(np.complex128) - expected)
        unit = max(float(np.abs(expected).max()), scale, least)
    worst = np.unravel_index(int(np.argmax(difference)), expected.shape)
    size = float(difference[worst])
    if unit == 0.0:
        return (0.0 if size == 0.0 else math.inf), ()
    return size / unit, tuple(int(i) for i in worst)


def best_factor(pairs: Sequence[tuple[Array, Array]]) -> float | None:
    """Return the factor by which the second arrays come nearest to the first, in the least squares sense.

    Each pair counts alike, whatever the size of its entries, unless its second array is zero or not finite.
    None if no pair counts, or if there is no finite factor.
    """
    kept = []
    with np.errstate(all="ignore"):
        for got, want in pairs:
            size = float(np.abs(want).max(initial=0.0))
            if 0.0 < size < np.inf:  # scaled, so that no square of an entry over- or underflows
                kept.append((got.ravel() / size, want.ravel() / size))
        if not kept:
            return None
        first, second = (np.concatenate(side) for side in zip(*kept, strict=True))
        factor = float((np.vdot(second, first) / np.vdot(second, second)).real)
    return factor if np.isfinite(factor) else None
